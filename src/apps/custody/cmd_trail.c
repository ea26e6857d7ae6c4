/* custody trail: what happened, in log order */
#include "apps/custody/app.h"

struct trail {
    struct session *s;
    uint64_t n;
};

static void put_exhibit_by_id(struct session *s, const cu_hash *id)
{
    CU_BUF exhibit = cu_buf_heap(4096);

    if (cu_exhibit_by_id(&s->place, id, &exhibit, NULL) == CU_OK && exhibit.n && exhibit.p[0])
        cu_buf_add_str(&s->run->out, (const char *)exhibit.p);
    else put_short_id(&s->run->out, id);
}

static void put_rows(struct session *s, const struct cu_index_row *row)
{
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct cu_buf *out = &s->run->out;
    struct cu_details_rows rows;
    struct cu_finding_row finding;
    struct cu_access_row access;
    size_t at = 0;

    if ((row->kind != CU_KIND_INCIDENT && row->kind != CU_KIND_ACCESS) || cu_rows_of(&s->place, row, &mem, &rows, NULL) != CU_OK)
        return;
    if (row->kind == CU_KIND_INCIDENT)
        while (cu_list_next(&rows.rows, &cu_finding_row_schema, &at, &finding)) {
            cu_buf_addf(out, "%44s%.*s: ", "", (int)finding.kind.n, (const char *)finding.kind.p);
            put_printable(out, finding.where);
            cu_buf_add_str(out, finding.repaired ? ", restored\n" : "\n");
        }
    else
        while (cu_list_next(&rows.rows, &cu_access_row_schema, &at, &access)) {
            cu_buf_addf(out, "%44s", "");
            put_exhibit_by_id(s, &access.id);
            cu_buf_add_str(out, " by ");
            put_printable(out, access.who);
            if (access.reason.n) cu_buf_add_str(out, ": "), put_printable(out, access.reason);
            cu_buf_add_str(out, "\n");
        }
}

#define PARTY_WIDTH 16
static void put_padded(struct cu_buf *out, struct cu_span name)
{
    size_t characters = 0, at = out->n;

    put_printable(out, name);
    for (; at < out->n; at++) characters += (out->p[at] & 0xC0) != 0x80;
    while (characters++ < PARTY_WIDTH) cu_buf_add_byte(out, ' ');
}

/* "  version 01K…, locked in compliance mode until …"; of several the first. */
static void put_held(struct cu_buf *out, const struct cu_held *held)
{
    struct cu_held_object first = { .version = CU_SPAN_EMPTY };
    char until[32];
    size_t at = 0;

    (void)cu_list_next(&held->objects, &cu_held_object_schema, &at, &first);
    cu_time_text((cu_unix_ms){ held->until }, until);
    cu_buf_add_str(out, "  version ");
    put_printable(out, first.version);
    if (held->n > 1) cu_buf_addf(out, " and %llu more", LLU(held->n - 1));
    cu_buf_addf(out, ", %s%s%s", cu_held_mode_text(held->mode), held->until ? " until " : "", held->until ? until : "");
}

static cu_status put_step(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct trail *t = arg;
    CU_BUF exhibit = cu_buf_heap(4096), sealed = cu_buf_heap(65536);
    struct cu_buf *out = &t->s->run->out;
    struct cu_held held;
    char time[32];

    if (++t->n % 1000 == 0) run_print(t->s->run);
    TRY(cu_exhibit_of(&t->s->place, row, &exhibit, err));
    if (t->s->run->json) {
        struct cu_json j = cu_json_on(out);
        cu_trail_json(&t->s->place, row, (const char *)exhibit.p, &j);
        cu_buf_add_str(out, "\n");
        return CU_OK;
    }
    cu_time_text(row->recorded, time);
    cu_buf_addf(out, "%.23sZ  %-10s %-12s ", time, cu_kind_row(row->kind)->name, (const char *)exhibit.p);
    put_padded(out, cu_key_holder(&t->s->place, &row->kid));
    if (row->kind == CU_KIND_VOID || row->kind == CU_KIND_REFUSAL || (row->kind == CU_KIND_TIMEOUT && row->serial))
        cu_buf_addf(out, "  serial %llu", (unsigned long long)row->serial);
    TRY(put_why(t->s, row, out, err));
    if (row->kind == CU_KIND_NOTICE) cu_buf_add_str(out, "  "), put_printable(out, row->label);
    if (row->name.n) cu_buf_add_str(out, "  "), put_printable(out, row->name);
    cu_row_sealed_for(&t->s->place, row, &sealed);
    if (sealed.n) cu_buf_add_str(out, "  sealed for "), put_printable(out, cu_buf_span(&sealed));
    if (cu_row_held(&t->s->place, row, &held)) put_held(out, &held);
    if (row->note.n) cu_buf_add_str(out, "  "), put_printable(out, row->note);
    while (out->p[out->n - 1] == ' ') out->n--;
    cu_buf_add_str(out, "\n");
    put_rows(t->s, row);
    return CU_OK;
}

static cu_status tell_trail(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct trail t = { .s = s };
    struct cu_trail one;

    (void)arg;
    if (s->run->args_n) {
        TRY(cu_lookup(&s->place, cu_span_str(s->run->args[0]), &found, err));
        one = cu_trail_one(&found.row);
    }
    return cu_trail_each(&s->place, s->run->args_n ? &one : NULL, (cu_seq){ 0 }, put_step, &t, err);
}

static cu_status go_trail(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, tell_trail, NULL, err); }

const struct command command_trail = {
    .name = "trail",
    .args = "[ID]",
    .line = "the custody trail, of one exhibit or of all",
    .help = "Lists what happened, in the order of the log. With ID: only what concerns that exhibit, incidents of the stores "
            "that hold its copies among it.",
    .args_min = 0,
    .args_max = 1,
    .go = go_trail,
};
