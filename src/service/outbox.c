/* The outbox. Two small files, each replaced whole and durable: `outbox/pending`, a CBOR sequence of records, and
 * `outbox/serial`, the highest serial number that the depositor's key on this machine has signed under. */
#include "service/outbox.h"

#include "custody/text.h"

#include <stdio.h>

#define PENDING CU_DIR_OUTBOX "/pending"
#define SERIAL CU_DIR_OUTBOX "/serial"
#define SERIAL_LOCK CU_DIR_OUTBOX "/lock"
#define INCOMING CU_DIR_OUTBOX "/incoming"

static const struct cu_field claim_file_fields[] = {
    CU_CONST(0, "application/custody-claim-file+cbor"),
    CU_BYTES(1, struct cu_claim_file, claim, 1, CU_CLAIM_MAX),
    CU_BYTES(2, struct cu_claim_file, salt, CU_SALT_LEN, CU_SALT_LEN),
    CU_BYTES(3, struct cu_claim_file, details, 1, CU_DETAILS_MAX),
    CU_BYTES(4, struct cu_claim_file, path, 1, CU_PATH_MAX_BYTES),
};
const struct cu_schema cu_claim_file_schema = CU_SCHEMA_OF("claim file", claim_file_fields, struct cu_claim_file);

cu_status cu_pending_add(struct cu_place *p, const struct cu_span *records, size_t n, struct cu_err *err)
{
    CU_BUF all = cu_buf_heap(CU_PENDING_MAX);

    TRY(cu_pending_read(p, &all, err));
    for (size_t i = 0; i < n; i++) cu_buf_add(&all, records[i]);
    if (cu_buf_ok(&all, err) != CU_OK)
        return cu_fail(err, CU_TOO_LARGE,
                       "the outbox is full: let a verb without --no-wait finish what is in it; nothing more was recorded");
    return cu_fs_replace(&p->fs, PENDING, INCOMING, cu_buf_span(&all), true, err);
}

cu_status cu_pending_clear(struct cu_place *p, struct cu_err *err)
{
    return cu_fs_replace(&p->fs, PENDING, INCOMING, cu_span("", 0), true, err);
}

cu_status cu_pending_refused(struct cu_place *p, const cu_hash *id, struct cu_span record, struct cu_err *err)
{
    char hex[65], path[128];

    cu_hash_hex(id, hex);
    snprintf(path, sizeof path, CU_DIR_OUTBOX "/refused-%.16s", hex);
    return cu_fs_replace(&p->fs, path, INCOMING, record, true, err);
}

cu_status cu_pending_read(struct cu_place *p, struct cu_buf *ret, struct cu_err *err)
{
    cu_status read = cu_fs_read(&p->fs, PENDING, CU_PENDING_MAX, ret, err);

    return read == CU_NOT_FOUND ? CU_OK : read;
}

bool cu_pending_next(struct cu_span pending, size_t *at, struct cu_span *ret_record)
{
    struct cu_cbor_reader in = cu_cbor_read(cu_span(pending.p + *at, pending.n - *at));

    if (*at >= pending.n) return false;
    *ret_record = cu_cbor_item(&in);
    *at += ret_record->n;
    return cu_cbor_good(&in) && ret_record->n > 0;
}

static cu_status local_highest(struct cu_place *p, uint64_t *ret, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(64);
    cu_status read = cu_fs_read(&p->fs, SERIAL, 64, &text, err);

    *ret = 0;
    if (read == CU_NOT_FOUND) return CU_OK;
    TRY(read);
    ENSURE(text.n > 1 && text.p[text.n - 1] == '\n' &&
               cu_decimal_read(cu_span(text.p, text.n - 1), UINT64_MAX - 1, ret, NULL) == CU_OK,
           err, CU_CORRUPT, SERIAL " is damaged: it holds the highest serial number signed here, as one decimal line");
    return CU_OK;
}

cu_status cu_serials_highest(struct cu_place *p, uint64_t *ret, struct cu_err *err)
{
    struct cu_serials recorded = { 0 };

    TRY(local_highest(p, ret, err));
    if (p->ledger) TRY(cu_ledger_serials(p->ledger, &p->key[CU_SIGNER_DEPOSITOR].id, &recorded, err));
    if (*ret < recorded.highest) *ret = recorded.highest;
    return CU_OK;
}

static cu_status take(struct cu_place *p, uint64_t n, uint64_t *ret_first, struct cu_err *err)
{
    uint64_t highest;
    char line[32];

    TRY(cu_serials_highest(p, &highest, err));
    *ret_first = highest + 1;
    snprintf(line, sizeof line, "%llu\n", (unsigned long long)(*ret_first + n - 1));
    return cu_fs_replace(&p->fs, SERIAL, INCOMING, cu_span_str(line), true, err);
}

cu_status cu_serials_take(struct cu_place *p, uint64_t n, uint64_t *ret_first, struct cu_err *err)
{
    void *lock;
    cu_status taken;

    TRY(p->fs.ops->lock(p->fs.self, SERIAL_LOCK, &lock, err));
    taken = take(p, n, ret_first, err);
    p->fs.ops->unlock(p->fs.self, lock);
    return taken;
}
