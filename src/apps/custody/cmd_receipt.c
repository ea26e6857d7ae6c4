/* custody receipt, custody inventory */
#include "apps/custody/app.h"

/* An inventory that was just recorded, and what became of it. */
struct listed {
    struct cu_inventory inv;
    struct cu_outcome outcome;
};

static void put_inventory(struct cu_json *j, const struct run *run, const struct listed *l)
{
    cu_json_str(j, "case", run->args[0]);
    cu_json_uint(j, "exhibits", l->inv.n);
    cu_json_hash(j, "root", &l->inv.root);
    cu_json_uint(j, "keys_with_open_serials", l->inv.open.n);
    cu_json_time(j, "time", l->outcome.closed);
}

/* `sealed`: for whom what it is about is. n == 0: it is not. */
static cu_status put_receipt(struct session *s, cu_seq seq, const char *exhibit, const cu_hash *id,
                             const struct listed *inventory, struct cu_span sealed, struct cu_err *err)
{
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    const char *output = opt(s->run, "output");
    char name[300];

    TRY(cu_receipt_of(&s->place, seq, &receipt, err));
    cu_receipt_name(exhibit, id, name);
    if (!output) output = name;
    TRY(write_output_file(output, cu_buf_span(&receipt), err));
    if (strcmp(output, "-") == 0) return CU_OK;
    if (!s->run->json) {
        cu_buf_addf(&s->run->out, "receipt  %s\n", output);
        if (sealed.n) {
            cu_buf_add_str(&s->run->out, "sealed for ");
            put_printable(&s->run->out, sealed);
            cu_buf_add_str(&s->run->out, ": it proves the sealed bytes, and only they can open them\n");
        }
        return CU_OK;
    }
    struct cu_json j = cu_json_on(&s->run->out);
    cu_json_open(&j, NULL, '{');
    if (inventory) put_inventory(&j, s->run, inventory);
    cu_json_str(&j, "exhibit", exhibit[0] ? exhibit : NULL);
    cu_json_hash(&j, "id", id);
    if (sealed.n) cu_json_text(&j, "sealed_for", sealed);
    cu_json_str(&j, "receipt", output);
    cu_json_close(&j, '}');
    cu_buf_add_str(&s->run->out, "\n");
    return CU_OK;
}

static cu_status put_manifest(struct session *s, const struct cu_index_row *row, const char *exhibit, struct cu_err *err)
{
    CU_CLEANUP(cu_fetch_free) struct cu_fetch fetch = { 0 };
    char name[300], path[4400];
    const char *output = opt(s->run, "output");

    if (row->kind != CU_KIND_DEPOSIT || row->content != CU_CONTENT_FOLDER || row->size <= CU_CONTENT_INLINE_MAX ||
        (output && strcmp(output, "-") == 0))
        return CU_OK;
    TRY(cu_fetch_begin(&s->place, cu_span_str(exhibit), &fetch, err));
    cu_receipt_name(exhibit, &row->id, name);
    snprintf(path, sizeof path, "%s.manifest", output ? output : name);
    return write_output_file(path, cu_buf_span(&fetch.manifest), err);
}

/* Of a grant: what it opens is sealed for those of the exhibit, and for its own. */
static cu_status readers_of(struct session *s, const struct cu_index_row *row, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found target = { 0 };
    char hex[65];

    cu_hash_hex(&row->ref, hex);
    TRY(cu_lookup(&s->place, cu_span_str(hex), &target, err));
    cu_row_sealed_for(&s->place, &target.row, ret);
    cu_buf_add_str(ret, ", and by this grant for ");
    cu_buf_add(ret, row->name);
    return CU_OK;
}

static cu_status give(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    CU_BUF exhibit = cu_buf_heap(4096), sealed = cu_buf_heap(65536);

    (void)arg;
    TRY(cu_lookup(&s->place, cu_span_str(s->run->args[0]), &found, err));
    TRY(cu_exhibit_name(&s->place, &found.row, &exhibit, err));
    cu_row_sealed_for(&s->place, &found.row, &sealed);
    if (found.row.kind == CU_KIND_GRANT) TRY(readers_of(s, &found.row, &sealed, err));
    TRY(cu_buf_ok(&sealed, err));
    TRY(put_receipt(s, found.row.seq, found.row.kind == CU_KIND_DEPOSIT ? (const char *)exhibit.p : "", &found.row.id, NULL,
                    cu_buf_span(&sealed), err));
    return put_manifest(s, &found.row, (const char *)exhibit.p, err);
}

/* Copies that --no-wait left out are attested by the next writing open, and witnesses asked: that is tried before giving up. */
static cu_status go_receipt(struct run *run, struct cu_err *err)
{
    const cu_status given = in_session(run, MODE_READ, give, NULL, err);

    return (given == CU_COPIES_MISSING || given == CU_COSIGNATURES_MISSING) && !is_afar(run)
               ? in_session(run, MODE_WRITE, give, NULL, err)
               : given;
}

static void tell_inventory(struct run *run, const struct listed *l)
{
    struct cu_buf *out = &run->out;

    if (run->json) return; /* one object, with the receipt */
    cu_buf_addf(out, "inventory of %s: %llu exhibit%s, recorded ", run->args[0], (unsigned long long)l->inv.n,
                l->inv.n == 1 ? "" : "s");
    put_time(out, l->outcome.closed);
    cu_buf_add_str(out, l->inv.open.n
                            ? "\nserial numbers of some depositors are still open below their highest: the inventory lists them\n"
                            : "\nno serial number of its depositors is open: nothing was left out\n");
}

static cu_status inventory(struct session *s, void *arg, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_ENTRY_MAX);
    struct listed l;

    (void)arg;
    TRY(cu_inventory_make(&s->place, cu_span_str(s->run->args[0]), &l.inv, &mem, &l.outcome, err));
    tell_inventory(s->run, &l);
    return put_receipt(s, l.outcome.seq, "", &l.outcome.id, &l, CU_SPAN_EMPTY, err);
}

static cu_status go_inventory(struct run *run, struct cu_err *err) { return in_session(run, MODE_WRITE, inventory, NULL, err); }

const struct command command_receipt = {
    .name = "receipt",
    .args = "ID [-o FILE]",
    .line = "write the receipt of an exhibit or entry again",
    .help = "Writes the receipt under today's checkpoint, as C1-3.tlog-proof in the current folder or as FILE (- for standard "
            "output). Exit 3 while required copies, or cosignatures, are missing.",
    .args_min = 1,
    .args_max = 1,
    .go = go_receipt,
    .options = { { "output", "FILE", "where to write it" } },
};
const struct command command_inventory = {
    .name = "inventory",
    .args = "CASE [-o FILE]",
    .line = "prove how many exhibits a case has",
    .help = "Records an inventory of the case: how many exhibits it has, and a root over their ids. The ledger admits it only if "
            "it is true, so its receipt proves that nothing was left out but the serial numbers that it lists as open.",
    .args_min = 1,
    .args_max = 1,
    .go = go_inventory,
    .options = { { "output", "FILE", "where to write its receipt" } },
};
