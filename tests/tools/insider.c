/* The insider: whoever holds every key of a ledger makes one exhibit never to have been.
 *
 *     insider LEDGER NEW-LEDGER EXHIBIT
 *
 * NEW-LEDGER becomes a ledger with the same keys, the same genesis and so the same network id, in which everything happened as in
 * LEDGER, at the same times, but that EXHIBIT was never deposited. Up to that deposit every byte is the same. What came later is
 * signed again, for it names blocks that now have other hashes, serial numbers that moved, positions that moved. The result keeps
 * every rule: its own `check` finds nothing. Only somebody who kept a receipt can tell.
 *
 * Records of who read what are left out: they name statements that now have other ids. So is what was signed later by keys that are not in
 * the folder: depositors and providers elsewhere have theirs.
 */
#include "folder.h"

/* What became of the old history's things. */
struct moved {
    uint64_t from, to;
    cu_hash from_hash, to_hash;
    bool gone;
};
struct moves {
    struct moved *at;
    size_t n;
};

struct insider {
    struct folder old, new;
    uint64_t dropped_seq, dropped_serial;
    bool far;             /* is the provider elsewhere? */
    struct moves entries; /* positions and statement ids */
    struct moves blocks;  /* positions and leaves */
    uint64_t same, signed_again, left_out;
};

static cu_status note_move(struct moves *m, struct moved what, struct cu_err *err)
{
    void *at = realloc(m->at, (m->n + 1) * sizeof *m->at);

    ENSURE(at, err, CU_NO_MEMORY, "out of memory");
    m->at = at;
    m->at[m->n++] = what;
    return CU_OK;
}

static const struct moved *moved_seq(const struct moves *m, uint64_t seq)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->at[i].from == seq) return &m->at[i];
    return NULL;
}

static const struct moved *moved_id(const struct moves *m, const cu_hash *id)
{
    for (size_t i = 0; i < m->n; i++)
        if (cu_hash_eq(&m->at[i].from_hash, id)) return &m->at[i];
    return NULL;
}

/* ---- one statement, said again ---- */
static void move_seen(const struct insider *x, struct cu_seen *seen)
{
    const struct moved *block = moved_seq(&x->blocks, seen->seq);

    if (block) *seen = (struct cu_seen){ block->to, block->to_hash };
}

static const struct cu_private_key *key_of(const struct insider *x, const cu_hash *kid)
{
    for (int i = 0; i < CU_SIGNERS; i++)
        if (cu_hash_eq(&x->new.place.key[i].id, kid)) return &x->new.place.key[i];
    return NULL;
}

static uint64_t move_serial(const struct insider *x, uint64_t serial) { return serial > x->dropped_serial ? serial - 1 : serial; }

/* The ranges of an attestation, without what was dropped. n == 0: nothing is left to attest. */
static cu_status move_ranges(const struct insider *x, const struct cu_list *from, struct cu_buf *mem, struct cu_list *ret,
                             struct cu_err *err)
{
    struct cu_range range, last = { 0, 0 };
    size_t at = 0;

    ret->n = 0;
    while (cu_list_next(from, &cu_range_schema, &at, &range))
        for (uint64_t seq = range.first; seq <= range.last; seq++) {
            const struct moved *to = moved_seq(&x->entries, seq);
            if (!to || to->gone) continue;
            if (ret->n && to->to == last.last + 1) {
                last.last = to->to;
                continue;
            }
            if (ret->n) TRY(cu_schema_write(&cu_range_schema, &last, mem, err));
            last = (struct cu_range){ to->to, to->to };
            ret->n++;
        }
    if (ret->n) TRY(cu_schema_write(&cu_range_schema, &last, mem, err));
    ret->bytes = cu_buf_span(mem);
    return CU_OK;
}

/* The body of a statement that stands alone, moved into the new history. *ret_gone: there is nothing left to say. */
static cu_status move_body(struct insider *x, enum cu_kind kind, union cu_payload *body, struct cu_buf *mem, bool *ret_gone,
                           struct cu_err *err)
{
    const struct moved *to;

    switch (kind) {
    case CU_KIND_CASE: move_seen(x, &body->a_case.seen); break;
    case CU_KIND_INCIDENT: move_seen(x, &body->incident.seen); break;
    case CU_KIND_ACCESS:
    case CU_KIND_TIMEOUT:
    case CU_KIND_NOTICE:
    case CU_KIND_ACKNOWLEDGE:
    case CU_KIND_ANSWER:
    case CU_KIND_MEMBER:
    case CU_KIND_PROPOSE:
    case CU_KIND_APPROVE:
    case CU_KIND_GRANT:
    case CU_KIND_DISCLOSURE: *ret_gone = true; break;
    case CU_KIND_VOID:
        move_seen(x, &body->a_void.seen);
        body->a_void.serial = move_serial(x, body->a_void.serial);
        break;
    case CU_KIND_CORRECTION:
        move_seen(x, &body->correction.seen);
        to = moved_id(&x->entries, &body->correction.target);
        *ret_gone = !to || to->gone;
        if (to) body->correction.target = to->to_hash;
        break;
    case CU_KIND_STORED:
        move_seen(x, &body->stored.seen);
        TRY(move_ranges(x, &body->stored.ranges, mem, &body->stored.ranges, err));
        *ret_gone = body->stored.ranges.n == 0;
        break;
    case CU_KIND_INVENTORY:
        TRY(cu_ledger_inventory(x->new.place.ledger, &body->inventory, mem, err));
        TRY(cu_ledger_newest_block(x->new.place.ledger, &body->inventory.seen, err));
        break;
    case CU_KIND_NONE:
    case CU_KIND_GENESIS:
    case CU_KIND_BLOCK:
    case CU_KIND_CONFIRM:
    case CU_KIND_CLAIM:
    case CU_KIND_DEPOSIT:
    case CU_KIND_REFUSAL: break;
    }
    return CU_OK;
}

static cu_status say_deposit(struct insider *x, const struct cu_entry *e, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF signed_claim = cu_buf_heap(CU_CLAIM_MAX);
    struct cu_claim claim = e->inner.body.claim;
    struct cu_deposit deposit = e->outer.body.deposit;
    const cu_hash *network = &x->new.place.trust.network;

    move_seen(x, &claim.seen);
    move_seen(x, &deposit.seen);
    claim.serial = move_serial(x, claim.serial);
    TRY(cu_statement_sign(CU_KIND_CLAIM, &claim, network, key_of(x, &e->inner.kid), &signed_claim, err));
    deposit.claim = cu_buf_span(&signed_claim);
    return cu_statement_sign(CU_KIND_DEPOSIT, &deposit, network, key_of(x, &e->outer.kid), ret, err);
}

static cu_status say_again(struct insider *x, const struct cu_entry *e, struct cu_buf *ret, bool *ret_gone, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_ENTRY_MAX);
    union cu_payload body = e->outer.body;

    *ret_gone = !key_of(x, &e->outer.kid) || (e->kind == CU_KIND_DEPOSIT && !key_of(x, &e->inner.kid));
    if (*ret_gone) return CU_OK;
    if (e->kind == CU_KIND_DEPOSIT) return say_deposit(x, e, ret, err);
    TRY(move_body(x, e->kind, &body, &mem, ret_gone, err));
    if (*ret_gone) return CU_OK;
    return cu_statement_sign(e->kind, &body, &x->new.place.trust.network, key_of(x, &e->outer.kid), ret, err);
}

/* ---- content: what is kept goes along ---- */
static cu_status bring_object(struct insider *x, const cu_hash *root, struct cu_err *err)
{
    for (int i = 0; i < CU_STORES; i++) {
        struct cu_objects *to = x->new.place.store[i], *from = x->old.place.store[i];
        struct cu_object found;
        if (cu_objects_find(to, CU_OBJECT_CONTENT, root, &found, NULL) == CU_OK) continue;
        if (i == CU_STORE_CLOUD && x->far) continue; /* the provider has his own */
        TRY(cu_objects_find(from, CU_OBJECT_CONTENT, root, &found, err));
        if (found.packed) TRY(cu_objects_restore_pack(to, from, &found.pack, err));
        else TRY(cu_objects_restore(to, from, CU_OBJECT_CONTENT, root, err));
    }
    return CU_OK;
}

static cu_status bring_content(struct insider *x, const struct cu_claim *claim, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(claim->size + 1);
    struct cu_manifest manifest;
    struct cu_item item;
    bool more = true;

    if (claim->size > CU_CONTENT_INLINE_MAX) TRY(bring_object(x, &claim->root, err));
    if (!claim->has_folder) return CU_OK;
    TRY(cu_place_object(&x->old.place, CU_OBJECT_CONTENT, &claim->root, claim->size, &bytes, err));
    TRY(cu_manifest_open(cu_buf_span(&bytes), &manifest, err));
    while (more) {
        TRY(cu_manifest_next(&manifest, &item, &more, err));
        if (more && item.has_root) TRY(bring_object(x, &item.root, err));
    }
    return CU_OK;
}

/* ---- one batch of the old log ---- */
#define BATCH_MAX 4096
struct batch {
    struct cu_buf record[BATCH_MAX];
    uint64_t seq[BATCH_MAX];
    cu_hash id[BATCH_MAX];
    size_t n;
};

static cu_status add_record(struct insider *x, struct batch *b, uint64_t seq, bool touched, struct cu_err *err)
{
    CU_BUF old = cu_buf_heap(CU_RECORD_MAX), again = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_record record;
    struct cu_entry e;
    bool gone = seq == x->dropped_seq;

    TRY(cu_place_record(&x->old.place, (cu_seq){ seq }, true, &old, err));
    TRY(cu_record_read(cu_buf_span(&old), &record, err));
    TRY(cu_entry_read(record.entry, &e, err));
    const cu_hash id = e.signed_ ? cu_entry_innermost(&e)->id : e.leaf;
    if (!gone && touched && e.signed_) {
        TRY(say_again(x, &e, &again, &gone, err));
        if (!gone) record.entry = cu_buf_span(&again), x->signed_again++;
    }
    if (gone) {
        x->left_out++;
        return note_move(&x->entries, (struct moved){ .from = seq, .from_hash = id, .gone = true }, err);
    }
    if (!touched) x->same++;
    if (e.kind == CU_KIND_DEPOSIT) TRY(bring_content(x, &e.inner.body.claim, err));
    ENSURE(b->n < BATCH_MAX, err, CU_TOO_LARGE, "a batch of more than %d records", BATCH_MAX);
    b->record[b->n] = cu_buf_heap(CU_RECORD_MAX);
    b->seq[b->n] = seq;
    b->id[b->n] = id;
    return cu_record_write(&record, &b->record[b->n++], err);
}

static cu_status note_batch(struct insider *x, const struct batch *b, const struct cu_outcome *outcome, struct cu_err *err)
{
    for (size_t i = 0; i < b->n; i++) {
        ENSURE(outcome[i].status == CU_OK, err, outcome[i].status, "old entry %llu: %s", (unsigned long long)b->seq[i],
               outcome[i].text);
        TRY(note_move(
            &x->entries,
            (struct moved){ .from = b->seq[i], .to = outcome[i].seq.v, .from_hash = b->id[i], .to_hash = outcome[i].id }, err));
    }
    return CU_OK;
}

/* The old block's time becomes the clock's, so that the new block says the same. */
static cu_status close_batch(struct insider *x, struct batch *b, uint64_t block_seq, const struct cu_block *block,
                             struct cu_err *err)
{
    struct cu_outcome *outcome = calloc(BATCH_MAX, sizeof *outcome);
    struct cu_span *records = calloc(BATCH_MAX, sizeof *records);
    struct cu_seen now = { 0 };
    cu_status done = outcome && records ? CU_OK : cu_fail(err, CU_NO_MEMORY, "out of memory");

    for (size_t i = 0; i < b->n && records; i++) records[i] = cu_buf_span(&b->record[i]);
    x->new.now = block->closed;
    if (done == CU_OK && b->n) done = x->new.engine.submit(x->new.engine.self, records, b->n, outcome, err);
    if (done == CU_OK) done = note_batch(x, b, outcome, err);
    if (done == CU_OK) done = cu_ledger_newest_block(x->new.place.ledger, &now, err);
    if (done == CU_OK) done = note_move(&x->blocks, (struct moved){ .from = block_seq, .to = now.seq, .to_hash = now.leaf }, err);
    for (size_t i = 0; i < b->n; i++) cu_buf_free(&b->record[i]);
    b->n = 0;
    free(outcome);
    free(records);
    return done;
}

static cu_status replay(struct insider *x, struct cu_err *err)
{
    struct cu_log *log = &x->old.place.log;
    struct batch *b = calloc(1, sizeof *b);
    cu_status done = b ? CU_OK : cu_fail(err, CU_NO_MEMORY, "out of memory");

    for (uint64_t seq = 0; seq < log->checkpoint.size.v && done == CU_OK; seq++) {
        struct cu_entry e;
        struct cu_span bytes;
        done = cu_log_entry(log, (cu_seq){ seq }, &bytes, err);
        if (done == CU_OK) done = cu_entry_read(bytes, &e, err);
        if (done != CU_OK) break;
        const struct cu_block block = e.outer.body.block;
        if (e.kind == CU_KIND_BLOCK) done = close_batch(x, b, seq, &block, err);
        else done = add_record(x, b, seq, seq > x->dropped_seq, err);
    }
    free(b);
    return done;
}

/* ---- the two folders ---- */
static cu_status copy(struct insider *x, const struct cu_fs *to, const char *path, unsigned flags, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(65536);

    TRY(cu_fs_read(&x->old.place.fs, path, 65536, &bytes, err));
    return cu_fs_replace_as(to, path, "trust/incoming", cu_buf_span(&bytes), flags, true, err);
}

static cu_status begin_new(struct insider *x, const char *dir, struct cu_err *err)
{
    static const char *const folders[] = { CU_DIR_CLOUD_OBJECTS, CU_DIR_CLOUD_LOG,  CU_DIR_NODE_OBJECTS,
                                           CU_DIR_NODE_LOG,      CU_DIR_NODE_STATE, CU_DIR_JOURNAL,
                                           CU_DIR_QUARANTINE,    CU_DIR_OUTBOX,     CU_DIR_RECEIPTS };
    static const char *const open_files[] = { CU_FILE_TRUST, CU_FILE_POLICY, CU_FILE_VKEY };
    struct cu_fs fs;
    char path[64];

    TRY(cu_posix_make_root(dir, err));
    TRY(cu_posix_fs(dir, &fs, err));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) TRY(fs.ops->make_dir(fs.self, folders[i], err));
    for (size_t i = 0; i < sizeof open_files / sizeof open_files[0]; i++) TRY(copy(x, &fs, open_files[i], 0, err));
    for (int i = 0; i < CU_SIGNERS; i++) {
        snprintf(path, sizeof path, CU_DIR_KEYS "/%s.pem", cu_signer_names[i]);
        TRY(copy(x, &fs, path, CU_OPEN_PRIVATE, err));
    }
    TRY(copy(x, &fs, CU_FILE_FORMAT, 0, err));
    x->far = cu_fs_exists(&x->old.place.fs, CU_FILE_CLOUD_FAR);
    if (x->far) TRY(copy(x, &fs, CU_FILE_CLOUD_FAR, 0, err));
    fs.ops->close(fs.self);
    TRY(folder_parts(&x->new, dir, false, err));
    TRY(cu_place_load_trust(&x->new.place, err));
    return folder_engine(&x->new, true, err);
}

static cu_status find_victim(struct insider *x, const char *exhibit, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    TRY(cu_lookup(&x->old.place, cu_span_str(exhibit), &found, err));
    ENSURE(found.row.kind == CU_KIND_DEPOSIT, err, CU_USAGE, "%s is no exhibit", exhibit);
    x->dropped_seq = found.row.seq.v;
    x->dropped_serial = found.row.serial;
    return CU_OK;
}

static cu_status rewrite(struct insider *x, const char *from, const char *to, const char *exhibit, struct cu_err *err)
{
    TRY(folder_parts(&x->old, from, true, err));
    TRY(cu_place_load(&x->old.place, err));
    TRY(cu_follow(&x->old.place, err));
    TRY(find_victim(x, exhibit, err));
    TRY(begin_new(x, to, err));
    TRY(replay(x, err));
    x->new.now = 0;
    return cu_settle(&x->new.place, err);
}

int main(int argc, char **argv)
{
    static struct insider x;
    struct cu_err err = { 0 };

    if (argc != 4) {
        fprintf(stderr, "usage: insider LEDGER NEW-LEDGER EXHIBIT\n");
        return 1;
    }
    cu_status done = rewrite(&x, argv[1], argv[2], argv[3], &err);
    if (done == CU_OK) done = folder_close(&x.new, &err);
    if (done == CU_OK) {
        printf("%llu entries left as they were, %llu signed again with the same keys, %llu left out\n",
               (unsigned long long)x.same, (unsigned long long)x.signed_again, (unsigned long long)x.left_out);
        return 0;
    }
    fprintf(stderr, "insider: %s\n", err.text);
    return cu_status_exit(done);
}
