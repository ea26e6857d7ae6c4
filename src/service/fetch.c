/* Evidence out again: verified on the way, from the other copy when the first is damaged; and the record of who read it.
 *
 * Reads are noted in `outbox/access` first, so that evidence stays readable when nobody can write the log; the next writing verb
 * turns what is noted there into one *access* entry, exactly once: the file is a CBOR sequence of rows, and before they leave it
 * is replaced by the signed record that holds them, in a byte string. Found again after a crash, the very same statement is sent
 * once more; rows that came later stand behind it.
 */
#include "custody/text.h"
#include "service/outbox.h"

#define ACCESS CU_DIR_OUTBOX "/access"
#define ACCESS_INCOMING CU_DIR_OUTBOX "/incoming-access"
#define ROWS_IN_DETAILS_MAX (CU_DETAILS_MAX - 2048)

cu_status cu_fetch_find(struct cu_place *p, struct cu_span name, struct cu_fetch *ret, struct cu_err *err)
{
    TRY(cu_lookup(p, name, &ret->found, err));
    return cu_fetch_found(p, ret, err);
}

cu_status cu_fetch_found(struct cu_place *p, struct cu_fetch *ret, struct cu_err *err)
{
    struct cu_entry entry;
    struct cu_span bytes;

    ENSURE(ret->found.row.kind == CU_KIND_DEPOSIT, err, CU_NOT_FOUND, "this is no deposit: there are no bytes to get");
    TRY(cu_log_entry(&p->log, ret->found.row.seq, &bytes, err));
    p->reading.seq = ret->found.row.seq;
    ret->record = cu_buf_heap(CU_ENTRY_MAX);
    cu_buf_add(&ret->record, bytes);
    TRY(cu_buf_ok(&ret->record, err));
    TRY(cu_entry_read(cu_buf_span(&ret->record), &entry, err));
    ret->claim = entry.inner.body.claim;
    return CU_OK;
}

cu_status cu_fetch_begin(struct cu_place *p, struct cu_span name, struct cu_fetch *ret, struct cu_err *err)
{
    TRY(cu_fetch_find(p, name, ret, err));
    if (!ret->claim.has_folder) return CU_OK;
    ret->manifest = cu_buf_heap(ret->claim.size + 1);
    return cu_place_manifest(p, ret->found.row.seq, &ret->claim, &ret->manifest, err);
}

void cu_fetch_free(struct cu_fetch *f)
{
    cu_found_free(&f->found);
    cu_buf_free(&f->record);
    cu_buf_free(&f->manifest);
}

static cu_status fetch_from(struct cu_objects *store, const cu_hash *root, uint64_t size, const struct cu_fetch_range *part,
                            cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), void *arg, struct cu_err *err)
{
    struct cu_object object;

    TRY(cu_objects_find(store, CU_OBJECT_CONTENT, root, &object, err));
    ENSURE(object.size == size, err, CU_BAD_HASH, "the stored object is %llu bytes long; the record says %llu",
           (unsigned long long)object.size, (unsigned long long)size);
    return part ? cu_object_stream_range(&object, part->from, part->to, feed, arg, err)
                : cu_object_stream(&object, feed, arg, err);
}

cu_status cu_fetch_object(struct cu_place *p, const cu_hash *root, uint64_t size, const struct cu_fetch_range *part,
                          cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err),
                          cu_status (*restart)(void *arg, struct cu_err *err), void *arg, bool *ret_damaged, struct cu_err *err)
{
    if (p->remote.ops) return cu_fetch_afar(p, root, size, part, feed, arg, err);
    if (p->engine && size <= CU_CONTENT_INLINE_MAX)
        TRY(p->engine->drain(p->engine->self, err)); /* it travelled with its record */
    const cu_status first = fetch_from(p->store[p->near], root, size, part, feed, arg, err);

    if (first == CU_OK || first == CU_NO_SPACE || first == CU_READ_ONLY || first == CU_INTERRUPTED) return first;
    const bool awaited = p->near == CU_STORE_NODE && first == CU_NOT_FOUND;
    *ret_damaged |= !awaited;
    TRY(restart(arg, err));
    struct cu_err why = { 0 };
    const cu_status got = fetch_from(p->store[!p->near], root, size, part, feed, arg, &why);
    ENSURE(
        !awaited || got != CU_NOT_FOUND, err, CU_NOT_FOUND,
        "the content is not here: the provider has it, and this node has not brought it yet; ask again later, or the provider");
    if (got == CU_NOT_FOUND || got == CU_BAD_HASH || got == CU_MALFORMED || got == CU_CORRUPT)
        return cu_fail(err, CU_CORRUPT,
                       "neither the provider's nor the node's copy has the bytes that were signed (%s): `custody check` names "
                       "what is damaged; whoever still has the original can deposit it again",
                       why.text);
    return got == CU_OK ? CU_OK : cu_fail(err, got, "%s", why.text);
}

/* ---- who read it ---- */
static cu_status add_rows(struct cu_place *p, struct cu_span rows, bool again, struct cu_err *err)
{
    CU_BUF all = cu_buf_heap(CU_ACCESS_BYTES_MAX);
    const cu_status read = cu_fs_read(&p->fs, ACCESS, CU_ACCESS_BYTES_MAX, &all, err);

    if (read != CU_OK && read != CU_NOT_FOUND) return read;
    if (again && all.n >= rows.n && memcmp(all.p + all.n - rows.n, rows.p, rows.n) == 0) return CU_OK;
    cu_buf_add(&all, rows);
    TRY(cu_buf_ok(&all, err));
    return cu_fs_replace(&p->fs, ACCESS, ACCESS_INCOMING, cu_buf_span(&all), true, err);
}

cu_status cu_access_put(struct cu_place *p, struct cu_span rows, bool again, struct cu_err *err)
{
    void *lock;

    TRY(p->fs.ops->lock(p->fs.self, CU_FILE_OUTBOX_LOCK, CU_OUTBOX_WAIT_MS, &lock, err));
    const cu_status put = add_rows(p, rows, again, err);
    p->fs.ops->unlock(p->fs.self, lock);
    return put;
}

cu_status cu_access_note(struct cu_place *p, const struct cu_access_row *row, struct cu_err *err)
{
    CU_BUF one = cu_buf_heap(4096);

    TRY(cu_schema_write(&cu_access_row_schema, row, &one, err));
    return cu_access_put(p, cu_buf_span(&one), false, err);
}

/* Root over all rows, and as many of them as the details hold. */
static uint64_t sum_rows(struct cu_span rows, cu_hash *ret_root, struct cu_list *ret_shown)
{
    struct cu_cbor_reader in = cu_cbor_read(rows);
    struct cu_frontier frontier = { 0 };

    *ret_shown = (struct cu_list){ 0, cu_span(rows.p, 0) };
    while (cu_cbor_peek(&in) != CU_CBOR_END) {
        const struct cu_span row = cu_cbor_item(&in);
        if (!cu_cbor_good(&in)) break;
        const cu_hash leaf = cu_leaf_hash(row);
        cu_frontier_append(&frontier, &leaf);
        if (in.at > ROWS_IN_DETAILS_MAX) continue;
        ret_shown->n++;
        ret_shown->bytes.n = in.at;
    }
    *ret_root = cu_frontier_root(&frontier);
    return frontier.size.v;
}

static cu_status replace(struct cu_place *p, struct cu_span bytes, struct cu_err *err)
{
    return cu_fs_replace(&p->fs, ACCESS, ACCESS_INCOMING, bytes, true, err);
}

/* Rows become the one record that speaks of them all. */
static cu_status sign_rows(struct cu_place *p, struct cu_buf *rows, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    struct cu_details_rows details = { .text = cu_span_str("evidence was read") };
    struct cu_access body = { 0 };
    const struct cu_saying say = { CU_KIND_ACCESS, &body, CU_SIGNER_ORGANISATION, CU_PROFILE_ACCESS, &details };

    body.count = sum_rows(cu_buf_span(rows), &body.root, &details.rows);
    TRY(cu_say(p, &say, &record, err));
    cu_buf_clear(rows);
    cu_cbor_put_bytes(rows, cu_buf_span(&record));
    TRY(cu_buf_ok(rows, err));
    return replace(p, cu_buf_span(rows), err);
}

/* Under the lock: what is there begins with a record, signed and durable, which is handed out; n == 0: nothing is there. */
static cu_status ready_record(struct cu_place *p, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_ACCESS_BYTES_MAX);
    const cu_status read = cu_fs_read(&p->fs, ACCESS, CU_ACCESS_BYTES_MAX, &file, err);

    if (read == CU_NOT_FOUND || (read == CU_OK && file.n == 0)) return CU_OK;
    TRY(read);
    struct cu_cbor_reader in = cu_cbor_read(cu_buf_span(&file));
    if (cu_cbor_peek(&in) != CU_CBOR_BYTES) TRY(sign_rows(p, &file, err));
    else TRY(replace(p, cu_buf_span(&file), err)); /* a record that is found may be in the page cache alone */
    in = cu_cbor_read(cu_buf_span(&file));
    cu_buf_add(ret, cu_cbor_bytes(&in, 1, CU_RECORD_MAX));
    ENSURE(cu_cbor_good(&in), err, CU_CORRUPT, ACCESS " is damaged: it begins with no whole record");
    return cu_buf_ok(ret, err);
}

/* Under the lock again: the record leaves, what came behind it stays. */
static cu_status drop_record(struct cu_place *p, struct cu_buf *record, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_ACCESS_BYTES_MAX);

    TRY(cu_fs_read(&p->fs, ACCESS, CU_ACCESS_BYTES_MAX, &file, err));
    struct cu_cbor_reader in = cu_cbor_read(cu_buf_span(&file));
    const struct cu_span is = cu_cbor_bytes(&in, 1, CU_RECORD_MAX);
    if (!cu_cbor_good(&in) || !cu_span_eq(is, cu_buf_span(record))) return CU_OK;
    return replace(p, cu_span_from(cu_buf_span(&file), in.at), err);
}

static cu_status locked(struct cu_place *p, cu_status (*step)(struct cu_place *p, struct cu_buf *io, struct cu_err *err),
                        struct cu_buf *io, struct cu_err *err)
{
    void *lock;

    TRY(p->fs.ops->lock(p->fs.self, CU_FILE_OUTBOX_LOCK, CU_OUTBOX_WAIT_MS, &lock, err));
    const cu_status done = step(p, io, err);
    p->fs.ops->unlock(p->fs.self, lock);
    return done;
}

/* While the ledger decides nobody who reads has to wait. */
cu_status cu_access_flush(struct cu_place *p, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    struct cu_outcome outcome;

    while (p->has_key[CU_SIGNER_ORGANISATION]) {
        cu_buf_clear(&record);
        TRY(locked(p, ready_record, &record, err));
        if (record.n == 0) break;
        const struct cu_span span = cu_buf_span(&record);
        TRY(cu_submit(p, &span, 1, &outcome, err));
        TRY(cu_settle(p, err));
        TRY(locked(p, drop_record, &record, err));
    }
    return CU_OK;
}
