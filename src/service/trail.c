/* What belongs to the custody trail of some exhibits. */
#include "service/held.h"

#include "custody/json.h"
#include "custody/text.h"

#include <stdlib.h>

static int by_hash(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }

static bool has_id(const struct cu_trail *of, const cu_hash *id) { return bsearch(id, of->id, of->n, sizeof *id, by_hash); }

/* Is one of them at a position from first to last? */
static bool has_between(const struct cu_trail *of, uint64_t first, uint64_t last)
{
    size_t lo = 0, hi = of->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (of->seq[mid].v < first) lo = mid + 1;
        else hi = mid;
    }
    return lo < of->n && of->seq[lo].v <= last;
}

static bool has_case(const struct cu_trail *of, const cu_case_id *id)
{
    for (size_t i = 0; i < of->cases_n; i++)
        if (memcmp(of->case_id[i].b, id->b, sizeof id->b) == 0) return true;
    return false;
}

/* Is one of them among those that this entry, *stored* or *disclosure*, is about? */
static bool covers(struct cu_place *p, const struct cu_trail *of, const struct cu_index_row *row)
{
    struct cu_entry e;
    struct cu_span bytes;
    struct cu_range range;
    cu_hash id;
    size_t at = 0;

    if (cu_log_entry_unproven(&p->log, row->seq, &bytes, NULL) != CU_OK || cu_entry_read(bytes, &e, NULL) != CU_OK) return false;
    while (e.kind == CU_KIND_STORED && cu_list_next(&e.outer.body.stored.ranges, &cu_range_schema, &at, &range))
        if (has_between(of, range.first, range.last)) return true;
    while (e.kind == CU_KIND_DISCLOSURE && cu_list_next(&e.outer.body.disclosure.targets, &cu_id_schema, &at, &id))
        if (has_id(of, &id)) return true;
    return false;
}

cu_status cu_rows_of(struct cu_place *p, const struct cu_index_row *row, struct cu_buf *mem, struct cu_details_rows *ret,
                     struct cu_err *err)
{
    struct cu_entry e;
    struct cu_span bytes;
    enum cu_profile profile;
    union cu_details details;

    TRY(cu_log_entry_unproven(&p->log, row->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    TRY(cu_place_details(p, row->seq, cu_entry_commitment(&e), mem, err));
    ENSURE(mem->n >= CU_SALT_LEN, err, CU_CORRUPT, "details are cut off");
    TRY(cu_details_read(cu_span(mem->p + CU_SALT_LEN, mem->n - CU_SALT_LEN), &profile, &details, err));
    *ret = details.rows;
    return CU_OK;
}

static bool was_read(struct cu_place *p, const struct cu_trail *of, const struct cu_index_row *row)
{
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct cu_details_rows rows;
    struct cu_access_row access;
    size_t at = 0;

    if (cu_rows_of(p, row, &mem, &rows, NULL) != CU_OK) return false;
    while (cu_list_next(&rows.rows, &cu_access_row_schema, &at, &access))
        if (has_id(of, &access.id)) return true;
    return false;
}

struct cu_trail cu_trail_one(const struct cu_index_row *of)
{
    return (struct cu_trail){ 1, &of->seq, &of->id, of->has_case, &of->case_id };
}

/* Incidents after the first of them do belong: they are about the stores that hold its copies. */
bool cu_trail_has(struct cu_place *p, const struct cu_trail *of, const struct cu_index_row *row)
{
    if (!of) return row->kind != CU_KIND_BLOCK;
    if (has_between(of, row->seq.v, row->seq.v)) return true;
    const bool later = of->n && row->seq.v > of->seq[0].v;
    switch (row->kind) {
    case CU_KIND_CORRECTION:
    case CU_KIND_GRANT:
    case CU_KIND_TIMEOUT:
    case CU_KIND_ACKNOWLEDGE:
    case CU_KIND_ANSWER:
    case CU_KIND_DEPOSIT:
    case CU_KIND_VOID: return row->has_ref && has_id(of, &row->ref);
    case CU_KIND_REFUSAL: return has_id(of, &row->id) || (row->has_ref && has_id(of, &row->ref));
    case CU_KIND_STORED:
    case CU_KIND_DISCLOSURE: return later && covers(p, of, row);
    case CU_KIND_INCIDENT: return later;
    case CU_KIND_ACCESS: return later && was_read(p, of, row);
    case CU_KIND_CASE:
    case CU_KIND_NOTICE:
    case CU_KIND_INVENTORY: return row->has_case && has_case(of, &row->case_id);
    case CU_KIND_NONE:
    case CU_KIND_GENESIS:
    case CU_KIND_BLOCK:
    case CU_KIND_CONFIRM:
    case CU_KIND_CLAIM:
    case CU_KIND_PROPOSE:
    case CU_KIND_APPROVE:
    case CU_KIND_MEMBER: break;
    }
    return false;
}

/* ---- in log order ---- */

#define ASKED_MAX 1024 /* exhibits, above which the whole log is walked */

struct steps {
    struct cu_place *p;
    const struct cu_trail *of;
    struct cu_buf found; /* positions */
    cu_status (*each)(void *arg, const struct cu_index_row *row, struct cu_err *err);
    void *arg;
};

static void free_steps(struct steps *s) { cu_buf_free(&s->found); }

static cu_status tell_step(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    const struct steps *s = arg;

    return cu_trail_has(s->p, s->of, row) && cu_place_sees(s->p, row) ? s->each(s->arg, row, err) : CU_OK;
}

static cu_status take_step(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct steps *s = arg;

    cu_buf_add(&s->found, cu_span(&row->seq.v, sizeof row->seq.v));
    return cu_buf_ok(&s->found, err);
}

static cu_status take_stored(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    return take_step(arg, &(struct cu_index_row){ .seq = stored->seq }, err);
}

static cu_status ask(struct steps *s, const struct cu_index_query *q, size_t n, struct cu_err *err)
{
    for (size_t i = 0; i < n; i++) TRY(s->p->index.find(s->p->index.self, &q[i], take_step, s, err));
    return CU_OK;
}

/* Whatever cu_trail_has may say yes to is asked for by what it has in common with an exhibit or its case. */
static cu_status ask_for_exhibit(struct steps *s, cu_seq seq, const cu_hash *id, struct cu_err *err)
{
    char hex[65];

    cu_hash_hex(id, hex);
    const struct cu_index_query by_id[] = { { .by = CU_FIND_ID_PREFIX, .text = cu_span(hex, 64) },
                                            { .by = CU_FIND_REF, .hash = *id },
                                            { .by = CU_FIND_ABOUT, .hash = *id } };
    TRY(ask(s, by_id, 3, err));
    return s->p->index.find_stored(s->p->index.self, seq, take_stored, s, err);
}

static cu_status ask_for_case(struct steps *s, const cu_case_id *id, struct cu_err *err)
{
    const struct cu_index_query by_case[] = { { .by = CU_FIND_CASE, .kind = CU_KIND_CASE, .case_id = *id },
                                              { .by = CU_FIND_CASE, .kind = CU_KIND_NOTICE, .case_id = *id },
                                              { .by = CU_FIND_CASE, .kind = CU_KIND_INVENTORY, .case_id = *id } };
    return ask(s, by_case, 3, err);
}

static int by_seq(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static cu_status tell_found(struct steps *s, struct cu_err *err)
{
    const uint64_t *seq = (const uint64_t *)(const void *)s->found.p;
    const size_t n = s->found.n / sizeof *seq;

    if (n > 0) qsort(s->found.p, n, sizeof *seq, by_seq);
    for (size_t i = 0; i < n; i++) {
        const struct cu_index_query q = { .by = CU_FIND_SEQ, .seq = { seq[i] } };
        if (i == 0 || seq[i] != seq[i - 1]) TRY(s->p->index.find(s->p->index.self, &q, tell_step, s, err));
    }
    return CU_OK;
}

cu_status cu_trail_each(struct cu_place *p, const struct cu_trail *of, cu_seq from,
                        cu_status (*each)(void *arg, const struct cu_index_row *row, struct cu_err *err), void *arg,
                        struct cu_err *err)
{
    CU_CLEANUP(free_steps) struct steps s = { .p = p, .of = of, .found = cu_buf_heap(SIZE_MAX / 4), .each = each, .arg = arg };
    const struct cu_index_query all = { .by = CU_FIND_ALL, .from = from },
                                incidents = { .by = CU_FIND_KIND, .kind = CU_KIND_INCIDENT };

    if (!of || of->n > ASKED_MAX) return p->index.find(p->index.self, &all, tell_step, &s, err);
    TRY(ask(&s, &incidents, 1, err));
    for (size_t i = 0; i < of->n; i++) TRY(ask_for_exhibit(&s, of->seq[i], &of->id[i], err));
    for (size_t i = 0; i < of->cases_n; i++) TRY(ask_for_case(&s, &of->case_id[i], err));
    return tell_found(&s, err);
}

/* ---- a step of it for people ---- */
cu_status cu_exhibit_by_id(struct cu_place *p, const cu_hash *id, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    char hex[65];

    cu_hash_hex(id, hex);
    const cu_status looked = cu_lookup(p, cu_span_str(hex), &found, err);
    if (looked == CU_NOT_FOUND && p->sight) return cu_buf_add_byte(ret, 0), ret->n--, cu_buf_ok(ret, err); /* another's */
    TRY(looked);
    return cu_exhibit_name(p, &found.row, ret, err);
}

cu_status cu_exhibit_of(struct cu_place *p, const struct cu_index_row *row, struct cu_buf *ret, struct cu_err *err)
{
    return row->kind == CU_KIND_CORRECTION || row->kind == CU_KIND_GRANT ? cu_exhibit_by_id(p, &row->ref, ret, err)
                                                                         : cu_exhibit_name(p, row, ret, err);
}

/* Why it was refused, voided, or not answered with data. */
static void tell_reason(struct cu_place *p, const struct cu_index_row *row, struct cu_json *j)
{
    struct cu_entry e;
    struct cu_span bytes;
    uint64_t reason = 0;

    if (row->kind != CU_KIND_REFUSAL && row->kind != CU_KIND_VOID && row->kind != CU_KIND_ANSWER) return;
    if (cu_log_entry_unproven(&p->log, row->seq, &bytes, NULL) != CU_OK || cu_entry_read(bytes, &e, NULL) != CU_OK) return;
    if (e.kind == CU_KIND_REFUSAL) reason = e.outer.body.refusal.reason;
    if (e.kind == CU_KIND_VOID) reason = e.outer.body.a_void.reason;
    if (e.kind == CU_KIND_ANSWER) reason = e.outer.body.answer.reason;
    if (reason) cu_json_str(j, "reason", cu_reason_name(reason));
}

void cu_trail_json(struct cu_place *p, const struct cu_index_row *row, const char *exhibit, struct cu_json *j)
{
    struct cu_held held;

    cu_json_open(j, NULL, '{');
    cu_json_uint(j, "entry", row->seq.v);
    cu_json_time(j, "time", row->recorded);
    cu_json_str(j, "kind", cu_kind_row(row->kind)->name);
    cu_json_str(j, "exhibit", exhibit[0] ? exhibit : NULL);
    cu_json_hash(j, "id", &row->id);
    cu_json_text(j, "by", cu_key_holder(p, &row->kid));
    cu_json_text(j, "name", row->name);
    cu_json_text(j, "note", row->note);
    tell_reason(p, row, j);
    if (cu_row_held(p, row, &held)) cu_tell_held(&held, j);
    cu_json_close(j, '}');
}
