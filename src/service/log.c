/* The log as it lies under a folder. The checkpoint is judged by the pinned trust; an entry by its path to that checkpoint. */
#include "service/place.h"

#include <stdio.h>

void cu_log_free(struct cu_log *log)
{
    cu_buf_free(&log->note);
    cu_buf_free(&log->bundle);
    memset(log, 0, sizeof *log);
}

/* An engine signs with the key that this node has, whatever the epoch that its log has come to: one that reads the chain anew passes those before
 * its key, one whose organisation left those behind it. So it is enough that the trust file knows the key. */
static bool is_own(const struct cu_trust *trust, const struct cu_note *note, struct cu_verifier *by)
{
    struct cu_note_verdict verdict;
    struct cu_tlog_policy policy;
    struct cu_checkpoint unused;

    for (size_t i = 0; i < trust->epochs_n; i++)
        if (cu_trust_policy(trust, trust->epoch[i].first, &policy, NULL) == CU_OK &&
            cu_checkpoint_signed(note, &policy, by, &unused, &verdict, NULL) == CU_OK)
            return true;
    return false;
}

static cu_status judge_note(const struct cu_trust *trust, bool quorum, bool own, struct cu_verifier *by, struct cu_log *log,
                            struct cu_err *err)
{
    struct cu_note note;
    struct cu_note_verdict verdict;
    struct cu_tlog_policy policy;

    TRY(cu_note_read(cu_buf_span(&log->note), &note, err));
    TRY(cu_checkpoint_read(note.text, &log->checkpoint, err));
    if (!trust || (own && is_own(trust, &note, by))) return CU_OK;
    cu_status good = cu_trust_policy(trust, log->checkpoint.size, &policy, err);
    if (good == CU_OK)
        good = (quorum ? cu_checkpoint_verify : cu_checkpoint_signed)(&note, &policy, by, &log->checkpoint, &verdict, err);
    return good == CU_OK ? CU_OK : cu_fail_while(err, good, "%s/checkpoint", log->dir.path);
}

/* Of an engine: the log as acknowledged. Else as it lies there. */
static cu_status open_log(const struct cu_fs *fs, const char *dir, const struct cu_engine *engine, const struct cu_trust *trust,
                          bool quorum, struct cu_verifier *by, struct cu_log *ret, struct cu_err *err)
{
    char path[300];

    memset(ret, 0, sizeof *ret);
    ret->dir = (struct cu_log_dir){ fs, dir };
    ret->note = cu_buf_heap(CU_NOTE_MAX);
    ret->bundle = cu_buf_heap(CU_BUNDLE_MAX);
    snprintf(path, sizeof path, "%s/checkpoint", dir);
    cu_status read = engine ? engine->checkpoint(engine->self, &ret->note, err)
                            : cu_fs_read(fs, path, CU_NOTE_MAX, &ret->note, err);
    if (read == CU_NOT_FOUND) return CU_OK; /* nothing published yet */
    TRY(read);
    TRY(judge_note(trust, quorum, engine != NULL, by, ret, err));
    cu_tile_nodes_init(&ret->nodes, engine ? engine->tiles(engine->self) : cu_log_dir_tiles(&ret->dir), ret->checkpoint.size);
    return CU_OK;
}

cu_status cu_log_open(const struct cu_fs *fs, const char *dir, const struct cu_engine *engine, const struct cu_trust *trust,
                      bool quorum, struct cu_verifier *by, struct cu_log *ret, struct cu_err *err)
{
    cu_status opened = open_log(fs, dir, engine, trust, quorum, by, ret, err);

    if (opened != CU_OK) cu_log_free(ret);
    return opened;
}

cu_status cu_log_entry_unproven(struct cu_log *log, cu_seq seq, struct cu_span *ret, struct cu_err *err)
{
    const uint64_t index = seq.v / CU_TILE_WIDTH;
    const unsigned width = cu_tile_width(CU_TILE_ENTRIES, index, log->checkpoint.size);

    ENSURE(seq.v < log->checkpoint.size.v, err, CU_NOT_FOUND, "the log has %llu entries; there is none at position %llu",
           (unsigned long long)log->checkpoint.size.v, (unsigned long long)seq.v);
    if (log->bundle_width != width || log->bundle_index != index) {
        log->bundle_width = 0;
        cu_buf_clear(&log->bundle);
        const struct cu_tile_source tiles = log->nodes.source;
        TRY(tiles.read(tiles.self, (struct cu_tile){ CU_TILE_ENTRIES, index, width }, &log->bundle, err));
        TRY(cu_bundle_check(cu_buf_span(&log->bundle), width, err));
        log->bundle_width = width;
        log->bundle_index = index;
        log->bundle_proven = false;
        log->walked = 0;
    }
    if (log->walked > seq.v % CU_TILE_WIDTH) log->walked = 0;
    if (log->walked == 0) log->at = 0;
    for (; log->walked <= seq.v % CU_TILE_WIDTH; log->walked++)
        ENSURE(cu_bundle_next(cu_buf_span(&log->bundle), &log->at, ret), err, CU_CORRUPT, "%s: a bundle is cut off",
               log->dir.path);
    return CU_OK;
}

static cu_status prove(struct cu_log *log, cu_seq seq, const cu_hash *leaf, cu_hash path[CU_PROOF_HASHES_MAX], struct cu_err *err)
{
    const struct cu_node_source nodes = cu_tile_node_source(&log->nodes);
    size_t n = 0;

    TRY(cu_inclusion_make(&nodes, seq, log->checkpoint.size, path, &n, err));
    if (cu_inclusion_verify(leaf, seq, log->checkpoint.size, path, n, &log->checkpoint.root, NULL) == CU_OK) return CU_OK;
    return cu_fail(err, CU_CORRUPT,
                   "%s: entry %llu does not lead to the signed checkpoint: its bundle or a tile was altered; `custody check` "
                   "names the file, `custody check --repair` restores it",
                   log->dir.path, (unsigned long long)seq.v);
}

cu_status cu_log_entry(struct cu_log *log, cu_seq seq, struct cu_span *ret, struct cu_err *err)
{
    cu_hash path[CU_PROOF_HASHES_MAX], leaf;

    TRY(cu_log_entry_unproven(log, seq, ret, err));
    leaf = cu_leaf_hash(*ret);
    return prove(log, seq, &leaf, path, err);
}

/* A bundle is one subtree, also the last one, which is not full: the path of its first entry leads through its root, by siblings on the
 * right alone until there. */
static cu_status prove_bundle(struct cu_log *log, struct cu_err *err)
{
    const cu_seq first = { log->bundle_index * CU_TILE_WIDTH };
    cu_hash path[CU_PROOF_HASHES_MAX], leaf[CU_TILE_WIDTH] = { { { 0 } } }, up;
    struct cu_span entry[CU_TILE_WIDTH];
    struct cu_frontier all = { 0 };
    size_t at = 0, n = 0;

    while (n < CU_TILE_WIDTH && cu_bundle_next(cu_buf_span(&log->bundle), &at, &entry[n])) n++;
    cu_leaf_hashes(entry, n, leaf);
    cu_frontier_append_all(&all, leaf, n);
    up = leaf[0];
    TRY(prove(log, first, &up, path, err));
    for (unsigned i = 0; i < cu_inclusion_len((cu_seq){ 0 }, all.size); i++) up = cu_node_hash(&up, &path[i]);
    const cu_hash root = cu_frontier_root(&all);
    ENSURE(cu_hash_eq(&up, &root), err, CU_CORRUPT,
           "%s: entry bundle %llu does not lead to the signed checkpoint: it or a tile was altered; `custody check` names the "
           "file, `custody check --repair` restores it",
           log->dir.path, (unsigned long long)log->bundle_index);
    return CU_OK;
}

cu_status cu_log_entry_in_order(struct cu_log *log, cu_seq seq, struct cu_span *ret, struct cu_err *err)
{
    TRY(cu_log_entry_unproven(log, seq, ret, err));
    if (!log->bundle_proven) TRY(prove_bundle(log, err));
    log->bundle_proven = true;
    return CU_OK;
}

cu_status cu_place_object(struct cu_place *p, enum cu_object_kind kind, const cu_hash *name, size_t max, struct cu_buf *ret,
                          struct cu_err *err)
{
    const size_t before = ret->n;
    struct cu_object object;

    for (int store = 0; store < CU_STORES; store++) {
        cu_status found = cu_objects_find(p->store[((int)p->near + store) % CU_STORES], kind, name, &object, err);
        if (found == CU_OK) found = cu_object_read(&object, max, ret, err);
        if (found == CU_OK) return CU_OK;
        ret->n = before;
        if (store + 1 == CU_STORES) return found;
    }
    return CU_NOT_FOUND;
}

/* What came with the entry at seq, while it is not drained: nothing of it is in the stores yet; or from afar. Else *ret_here is false. */
static cu_status undrained(struct cu_place *p, cu_seq seq, bool content, struct cu_buf *mem, struct cu_record *ret,
                           bool *ret_here, struct cu_err *err)
{
    const cu_status status = p->remote.ops ? p->remote.ops->record(p->remote.self, seq, content, mem, err)
                             : p->engine   ? p->engine->record(p->engine->self, seq, mem, err)
                                           : CU_NOT_FOUND;

    *ret_here = status != CU_NOT_FOUND;
    if (!*ret_here) return CU_OK;
    TRY(status);
    const cu_status read = cu_record_read(cu_buf_span(mem), ret, err);
    return read != CU_OK && p->remote.ops ? cu_fail_while(err, CU_BAD_PROOF, "what the node sent for entry %llu", LLU(seq.v))
                                          : read;
}

cu_status cu_place_details(struct cu_place *p, cu_seq seq, const cu_hash *commitment, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record;
    cu_hash own;
    bool here;

    TRY(undrained(p, seq, false, &mem, &record, &here, err));
    if (!here && p->along &&
        cu_along_read(p->along, CU_OBJECT_DETAILS, commitment, CU_SALT_LEN + CU_DETAILS_MAX, ret, NULL) == CU_OK)
        return CU_OK;
    if (!here) return cu_place_object(p, CU_OBJECT_DETAILS, commitment, CU_SALT_LEN + CU_DETAILS_MAX, ret, err);
    own = cu_commitment(record.salt, record.details);
    ENSURE(cu_hash_eq(&own, commitment), err, p->remote.ops ? CU_BAD_PROOF : CU_CORRUPT,
           "the details of entry %llu are not what was signed", LLU(seq.v));
    cu_buf_add(ret, record.salt);
    cu_buf_add(ret, record.details);
    return cu_buf_ok(ret, err);
}

/* Content that may have travelled with its record. */
static cu_status small_content(struct cu_place *p, cu_seq seq, const cu_hash *root, uint64_t size, struct cu_buf *ret,
                               struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record;
    bool here = false;

    if (p->own.p && cu_hash_eq(&p->own_root, root)) return cu_buf_take(ret, p->own, err);
    if (size <= CU_CONTENT_INLINE_MAX) TRY(undrained(p, seq, true, &mem, &record, &here, err));
    if (!here) return cu_place_object(p, CU_OBJECT_CONTENT, root, size, ret, err);
    const cu_hash own = cu_content_root_of(record.content);
    ENSURE(cu_hash_eq(&own, root), err, CU_CORRUPT, "the content of entry %llu is not what was signed", LLU(seq.v));
    cu_buf_add(ret, record.content);
    return cu_buf_ok(ret, err);
}

/* The content that travels with its record: a deposit's, when small. */
static bool has_inline_content(const struct cu_entry *entry)
{
    return entry->kind == CU_KIND_DEPOSIT && entry->inner.body.claim.size <= CU_CONTENT_INLINE_MAX;
}

cu_status cu_place_record(struct cu_place *p, cu_seq seq, bool content_too, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF details = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    CU_BUF content = cu_buf_heap(CU_CONTENT_INLINE_MAX);
    struct cu_record record = { 0 };
    struct cu_entry entry;

    TRY(cu_log_entry(&p->log, seq, &record.entry, err));
    TRY(cu_entry_read(record.entry, &entry, err));
    const cu_hash *commitment = cu_entry_commitment(&entry);
    if (commitment) {
        TRY(cu_place_details(p, seq, commitment, &details, err));
        ENSURE(details.n >= CU_SALT_LEN, err, CU_CORRUPT, "the details of entry %llu are cut off", LLU(seq.v));
        record.salt = cu_span(details.p, CU_SALT_LEN);
        record.details = cu_span(details.p + CU_SALT_LEN, details.n - CU_SALT_LEN);
    }
    if (content_too && has_inline_content(&entry)) {
        const struct cu_claim *claim = &entry.inner.body.claim;
        TRY(small_content(p, seq, &claim->root, claim->size, &content, err));
        record.content = content.n ? cu_buf_span(&content) : cu_span("", 0);
    }
    return cu_record_write(&record, ret, err);
}

cu_status cu_place_manifest(struct cu_place *p, cu_seq seq, const struct cu_claim *claim, struct cu_buf *ret, struct cu_err *err)
{
    ENSURE(claim->has_folder, err, CU_USAGE, "this deposit is one item: it has no manifest");
    if (!p->remote.ops || claim->size <= CU_CONTENT_INLINE_MAX) return small_content(p, seq, &claim->root, claim->size, ret, err);
    p->reading.seq = seq;
    return cu_fetch_afar(p, &claim->root, claim->size, NULL, cu_buf_take, ret, err);
}
