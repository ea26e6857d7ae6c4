/* The outbox. `outbox/pending` is one small file: the highest serial number that the depositor's key has signed under here, and the
 * records on their way. It is replaced whole and durably, so number and signed claim are taken in one step: a crash leaves neither, or
 * both, and the next writing verb sends what it finds. A number without its claim is only that of a claim file, which leaves. */
#include "service/outbox.h"

#include "custody/text.h"

#include <stdio.h>

#define INCOMING CU_DIR_OUTBOX "/incoming"

static const struct cu_field claim_file_fields[] = {
    CU_CONST(0, "application/custody-claim-file+cbor"),
    CU_BYTES(1, struct cu_claim_file, claim, 1, CU_CLAIM_MAX),
    CU_BYTES(2, struct cu_claim_file, salt, CU_SALT_LEN, CU_SALT_LEN),
    CU_BYTES(3, struct cu_claim_file, details, 1, CU_DETAILS_MAX),
    CU_BYTES(4, struct cu_claim_file, path, 0, CU_PATH_MAX_BYTES),
};
const struct cu_schema cu_claim_file_schema = CU_SCHEMA_OF("claim file", claim_file_fields, struct cu_claim_file);

static const struct cu_field carried_fields[] = {
    CU_CONST(0, "application/custody-carried+cbor"),
    CU_FIXED(1, struct cu_carried, asked),
    CU_BYTES(2, struct cu_carried, claim_file, 1, CU_RECORD_MAX),
    CU_BYTES(3, struct cu_carried, record, 0, CU_RECORD_MAX),
};
const struct cu_schema cu_carried_schema = CU_SCHEMA_OF("carried deposit", carried_fields, struct cu_carried);

/* ---- the file ---- */

cu_status cu_pending_write(uint64_t highest, struct cu_span records, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF rest = cu_buf_heap(CU_PENDING_MAX);

    cu_cbor_put_uint(&rest, highest);
    cu_buf_add(&rest, records);
    const cu_hash sum = cu_sha256(cu_buf_span(&rest));
    cu_cbor_put_bytes(ret, cu_span_hash(&sum));
    cu_buf_add(ret, cu_buf_span(&rest));
    TRY(cu_buf_ok(&rest, err));
    return cu_buf_ok(ret, err);
}

static bool read_record(struct cu_span bytes, struct cu_entry *ret)
{
    struct cu_record record;

    return cu_record_read(bytes, &record, NULL) == CU_OK && cu_entry_read(record.entry, ret, NULL) == CU_OK;
}

static bool read_rest(struct cu_span rest, uint64_t *ret_highest, struct cu_span *ret_records)
{
    struct cu_cbor_reader in = cu_cbor_read(rest);
    struct cu_span one;
    size_t at = 0;

    *ret_highest = cu_cbor_uint(&in);
    *ret_records = cu_cbor_good(&in) ? cu_span_from(rest, in.at) : CU_SPAN_EMPTY;
    while (cu_outbox_next(*ret_records, &at, &one)) continue;
    return cu_cbor_good(&in) && at == ret_records->n;
}

cu_status cu_pending_read(struct cu_span file, uint64_t *ret_highest, struct cu_span *ret_records, struct cu_err *err)
{
    struct cu_cbor_reader in = cu_cbor_read(file);
    struct cu_span records;
    uint64_t highest = 0;
    cu_hash sum;

    cu_cbor_fixed(&in, sum.b, sizeof sum.b);
    const struct cu_span rest = cu_span_from(file, in.at);
    const cu_hash is = cu_sha256(rest);
    ENSURE(cu_cbor_good(&in) && cu_hash_eq(&sum, &is) && read_rest(rest, &highest, &records), err, CU_CORRUPT,
           CU_FILE_PENDING
           " is damaged, which holds the highest serial number signed here and the deposits on their way: nothing "
           "more is signed before `custody check --repair` has kept what is whole of it");
    *ret_highest = highest;
    *ret_records = records;
    return CU_OK;
}

/* The numbers of what is left count, and the log's own; those of claim files that are still out were only there. */
cu_status cu_pending_salvage(struct cu_span file, struct cu_buf *ret, struct cu_err *err)
{
    const size_t sum = 2 + sizeof(cu_hash);
    CU_BUF whole = cu_buf_heap(file.n);
    uint64_t said, highest = 0;
    struct cu_span records, one;
    struct cu_entry e;
    size_t at = 0;

    (void)!read_rest(file.n > sum ? cu_span_from(file, sum) : CU_SPAN_EMPTY, &said, &records);
    while (cu_outbox_next(records, &at, &one)) {
        if (!read_record(one, &e)) continue;
        cu_buf_add(&whole, one);
        if (e.kind == CU_KIND_DEPOSIT && e.inner.body.claim.serial > highest) highest = e.inner.body.claim.serial;
    }
    TRY(cu_buf_ok(&whole, err));
    return cu_pending_write(highest, cu_buf_span(&whole), ret, err);
}

/* Whatever is not whole ends the sequence. */
bool cu_outbox_next(struct cu_span records, size_t *io_at, struct cu_span *ret_record)
{
    struct cu_cbor_reader in = cu_cbor_read(cu_span_from(records, *io_at));

    if (*io_at >= records.n) return false;
    *ret_record = cu_cbor_item(&in);
    if (!cu_cbor_good(&in) || ret_record->n == 0) return false;
    *io_at += ret_record->n;
    return true;
}

/* ---- in one hand ---- */

static const char *file_of(const struct cu_outbox *box, char mem[64])
{
    char hex[65];

    if (!box->p->own_key && box->who == CU_SIGNER_DEPOSITOR) return CU_FILE_PENDING;
    cu_hash_hex(&box->p->key[box->who].id, hex);
    snprintf(mem, 64, CU_FILE_PENDING_OWN, hex);
    return mem;
}

static cu_status read_file(struct cu_outbox *box, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_PENDING_MAX);
    struct cu_span records;
    char mem[64];
    const cu_status read = cu_fs_read(&box->p->fs, file_of(box, mem), CU_PENDING_MAX, &file, err);

    if (read == CU_NOT_FOUND) return CU_OK;
    TRY(read);
    TRY(cu_pending_read(cu_buf_span(&file), &box->highest, &records, err));
    cu_buf_add(&box->records, records);
    return cu_buf_ok(&box->records, err);
}

/* The numbers that the log knows of the key: it may have signed elsewhere. */
static cu_status take_number(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_outbox *box = arg;

    (void)err;
    if (row->serial > box->highest && cu_hash_eq(&row->kid, &box->p->key[box->who].id)) box->highest = row->serial;
    return CU_OK;
}

static cu_status look_for_numbers(struct cu_outbox *box, struct cu_err *err)
{
    static const enum cu_kind kinds[] = { CU_KIND_DEPOSIT, CU_KIND_REFUSAL, CU_KIND_VOID };
    const struct cu_index *index = &box->p->index;
    struct cu_cbor_reader in = cu_cbor_read(cu_buf_span(&box->records));
    cu_size size;

    if (box->records.n && box->records.p[0] >> 5 == 0) { /* how far it was looked for stands before what is on its way */
        box->looked = cu_cbor_uint(&in);
        memmove(box->records.p, box->records.p + in.at, box->records.n - in.at);
        box->records.n -= in.at;
    }
    TRY(index->size(index->self, &size, err));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && box->looked < size.v; i++) {
        const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = kinds[i], .from = { box->looked } };
        TRY(index->find(index->self, &q, take_number, box, err));
    }
    if (box->looked < size.v) box->looked = size.v;
    return CU_OK;
}

static cu_status look_numbers(void *arg, struct cu_err *err)
{
    struct cu_outbox *box = arg;
    struct cu_serials recorded;

    TRY(cu_ledger_serials(box->p->ledger, &box->p->key[box->who].id, &recorded, err));
    if (box->highest < recorded.highest) box->highest = recorded.highest;
    return CU_OK;
}

static cu_status open_box(struct cu_outbox *box, struct cu_err *err)
{
    TRY(read_file(box, err));
    if (box->p->remote.ops) TRY(look_for_numbers(box, err));
    return box->p->ledger ? cu_ask(box->p, look_numbers, box, err) : CU_OK;
}

cu_status cu_outbox_open(struct cu_place *p, struct cu_outbox *ret, struct cu_err *err)
{
    return cu_outbox_open_of(p, CU_SIGNER_DEPOSITOR, ret, err);
}

cu_status cu_outbox_open_of(struct cu_place *p, enum cu_signer who, struct cu_outbox *ret, struct cu_err *err)
{
    *ret = (struct cu_outbox){ .p = p, .who = who, .records = cu_buf_heap(CU_PENDING_MAX) };
    TRY(p->fs.ops->lock(p->fs.self, CU_FILE_OUTBOX_LOCK, CU_OUTBOX_WAIT_MS, &ret->lock, err));
    const cu_status opened = open_box(ret, err);
    if (opened != CU_OK) cu_outbox_close(ret);
    return opened;
}

void cu_outbox_close(struct cu_outbox *box)
{
    if (box->lock) box->p->fs.ops->unlock(box->p->fs.self, box->lock);
    cu_buf_free(&box->records);
    box->lock = NULL;
}

cu_status cu_outbox_keep(const struct cu_outbox *box, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_PENDING_MAX), items = cu_buf_heap(CU_PENDING_MAX);

    if (box->p->remote.ops) cu_cbor_put_uint(&items, box->looked);
    cu_buf_add(&items, cu_buf_span(&box->records));
    cu_status written = cu_buf_ok(&box->records, err);
    if (written == CU_OK) written = cu_buf_ok(&items, err);
    if (written == CU_OK) written = cu_pending_write(box->highest, cu_buf_span(&items), &file, err);
    if (written == CU_TOO_LARGE)
        return cu_fail(err, CU_TOO_LARGE,
                       "the outbox is full: let a verb without --no-wait finish what is in it; nothing more was recorded");
    TRY(written);
    char mem[64];
    return cu_fs_replace(&box->p->fs, file_of(box, mem), INCOMING, cu_buf_span(&file), true, err);
}

cu_status cu_outbox_refused(struct cu_place *p, const cu_hash *id, struct cu_span record, struct cu_err *err)
{
    char hex[65], path[128];

    cu_hash_hex(id, hex);
    snprintf(path, sizeof path, CU_DIR_OUTBOX "/refused-%.16s", hex);
    return cu_fs_replace(&p->fs, path, INCOMING "-refused", record, true, err);
}

/* ---- on their way to a ledger elsewhere ---- */

bool cu_outbox_carried(const struct cu_outbox *box, const cu_hash *asked, struct cu_carried *ret)
{
    struct cu_span one;

    for (size_t at = 0; cu_outbox_next(cu_buf_span(&box->records), &at, &one);)
        if (cu_schema_read(&cu_carried_schema, one, ret, NULL) == CU_OK && cu_hash_eq(&ret->asked, asked)) return true;
    return false;
}

cu_status cu_outbox_carry(struct cu_outbox *box, const struct cu_carried *c, bool gone, struct cu_err *err)
{
    CU_BUF items = cu_buf_heap(CU_PENDING_MAX);
    struct cu_carried other;
    struct cu_span one;

    for (size_t at = 0; cu_outbox_next(cu_buf_span(&box->records), &at, &one);)
        if (cu_schema_read(&cu_carried_schema, one, &other, NULL) != CU_OK || !cu_hash_eq(&other.asked, &c->asked))
            cu_buf_add(&items, one);
    if (!gone) TRY(cu_schema_write(&cu_carried_schema, c, &items, err));
    TRY(cu_buf_ok(&items, err));
    const struct cu_buf before = box->records;
    box->records = items;
    items = before;
    return CU_OK;
}

static uint64_t serial_of(const struct cu_carried *c)
{
    struct cu_claim_file file;
    struct cu_statement claim;

    if (cu_schema_read(&cu_claim_file_schema, c->claim_file, &file, NULL) != CU_OK ||
        cu_statement_read(file.claim, &claim, NULL) != CU_OK || claim.kind != CU_KIND_CLAIM)
        return 0;
    return claim.body.claim.serial;
}

cu_status cu_outbox_give_up(struct cu_outbox *box, uint64_t serial, struct cu_err *err)
{
    struct cu_carried c;
    struct cu_span one;

    for (size_t at = 0; cu_outbox_next(cu_buf_span(&box->records), &at, &one);) {
        if (cu_schema_read(&cu_carried_schema, one, &c, NULL) != CU_OK || serial_of(&c) != serial) continue;
        const struct cu_carried gone = { .asked = c.asked };
        TRY(cu_outbox_carry(box, &gone, true, err));
        return cu_outbox_keep(box, err);
    }
    return CU_OK;
}

cu_status cu_claim_file_of(struct cu_place *p, cu_seq seq, struct cu_buf *ret, struct cu_claim *ret_claim, struct cu_err *err)
{
    CU_BUF whole = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record;
    struct cu_entry e;

    TRY(cu_place_record(p, seq, false, &whole, err));
    TRY(cu_record_read(cu_buf_span(&whole), &record, err));
    TRY(cu_entry_read(record.entry, &e, err));
    ENSURE(e.kind == CU_KIND_DEPOSIT, err, CU_WRONG_KIND, "entry %llu is no deposit", LLU(seq.v));
    if (ret_claim) *ret_claim = e.inner.body.claim;
    const struct cu_claim_file file = { .claim = e.outer.body.deposit.claim, .salt = record.salt, .details = record.details };
    return cu_schema_write(&cu_claim_file_schema, &file, ret, err);
}
