/* The log as it lies under a folder. The checkpoint is judged by the pinned trust; an entry by its path to that checkpoint. */
#include "service/place.h"

#include <stdio.h>

void cu_log_free(struct cu_log *log)
{
    cu_buf_free(&log->note);
    cu_buf_free(&log->bundle);
    memset(log, 0, sizeof *log);
}

static cu_status open_log(const struct cu_fs *fs, const char *dir, const struct cu_trust *trust, struct cu_verifier *by,
                          struct cu_log *ret, struct cu_err *err)
{
    struct cu_note note;
    struct cu_note_verdict verdict;
    static const size_t max = CU_NOTE_MAX;
    char path[300];

    memset(ret, 0, sizeof *ret);
    ret->dir = (struct cu_log_dir){ fs, dir };
    ret->note = cu_buf_heap(max);
    ret->bundle = cu_buf_heap(CU_BUNDLE_MAX);
    snprintf(path, sizeof path, "%s/checkpoint", dir);
    cu_status read = cu_fs_read(fs, path, max, &ret->note, err);
    if (read == CU_NOT_FOUND) return CU_OK; /* nothing published yet */
    TRY(read);
    TRY(cu_note_read(cu_buf_span(&ret->note), &note, err));
    TRY(cu_checkpoint_read(note.text, &ret->checkpoint, err));
    struct cu_tlog_policy policy;
    read = cu_trust_policy(trust, ret->checkpoint.size, &policy, err);
    if (read == CU_OK) read = cu_checkpoint_verify(&note, &policy, by, &ret->checkpoint, &verdict, err);
    if (read != CU_OK) return cu_fail_while(err, read, "%s", path);
    cu_tile_nodes_init(&ret->nodes, cu_log_dir_tiles(&ret->dir), ret->checkpoint.size);
    return CU_OK;
}

cu_status cu_log_open(const struct cu_fs *fs, const char *dir, const struct cu_trust *trust, struct cu_verifier *by,
                      struct cu_log *ret, struct cu_err *err)
{
    cu_status opened = open_log(fs, dir, trust, by, ret, err);

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
        struct cu_tile_source tiles = cu_log_dir_tiles(&log->dir);
        TRY(tiles.read(tiles.self, (struct cu_tile){ CU_TILE_ENTRIES, index, width }, &log->bundle, err));
        TRY(cu_bundle_check(cu_buf_span(&log->bundle), width, err));
        log->bundle_width = width;
        log->bundle_index = index;
    }
    return cu_bundle_entry(cu_buf_span(&log->bundle), (unsigned)(seq.v % CU_TILE_WIDTH), ret, err);
}

cu_status cu_log_entry(struct cu_log *log, cu_seq seq, struct cu_span *ret, struct cu_err *err)
{
    const struct cu_node_source nodes = cu_tile_node_source(&log->nodes);
    cu_hash path[CU_PROOF_HASHES_MAX], leaf;
    size_t n = 0;

    TRY(cu_log_entry_unproven(log, seq, ret, err));
    leaf = cu_leaf_hash(*ret);
    TRY(cu_inclusion_make(&nodes, seq, log->checkpoint.size, path, &n, err));
    if (cu_inclusion_verify(&leaf, seq, log->checkpoint.size, path, n, &log->checkpoint.root, NULL) == CU_OK) return CU_OK;
    return cu_fail(err, CU_CORRUPT,
                   "%s: entry %llu does not lead to the signed checkpoint: its bundle or a tile was altered; `custody check` "
                   "names the file, `custody check --repair` restores it",
                   log->dir.path, (unsigned long long)seq.v);
}

cu_status cu_place_object(struct cu_place *p, enum cu_object_kind kind, const cu_hash *name, size_t max, struct cu_buf *ret,
                          struct cu_err *err)
{
    const size_t before = ret->n;
    struct cu_object object;

    for (int store = 0; store < CU_STORES; store++) {
        cu_status found = cu_objects_find(p->store[store], kind, name, &object, err);
        if (found == CU_OK) found = cu_object_read(&object, max, ret, err);
        if (found == CU_OK) return CU_OK;
        ret->n = before;
        if (store + 1 == CU_STORES) return found;
    }
    return CU_NOT_FOUND;
}

cu_status cu_place_details(struct cu_place *p, const cu_hash *commitment, struct cu_buf *ret, struct cu_err *err)
{
    return cu_place_object(p, CU_OBJECT_DETAILS, commitment, CU_SALT_LEN + CU_DETAILS_MAX, ret, err);
}

/* The content that travels with its record: a deposit's, when small. */
static bool has_inline_content(const struct cu_entry *entry)
{
    return entry->kind == CU_KIND_DEPOSIT && entry->inner.body.claim.size <= CU_CONTENT_INLINE_MAX;
}

cu_status cu_place_record(struct cu_place *p, cu_seq seq, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF details = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    CU_BUF content = cu_buf_heap(CU_CONTENT_INLINE_MAX);
    struct cu_record record = { 0 };
    struct cu_entry entry;

    TRY(cu_log_entry(&p->log, seq, &record.entry, err));
    TRY(cu_entry_read(record.entry, &entry, err));
    const cu_hash *commitment = cu_entry_commitment(&entry);
    if (commitment) {
        TRY(cu_place_details(p, commitment, &details, err));
        ENSURE(details.n >= CU_SALT_LEN, err, CU_CORRUPT, "the details of entry %llu are cut off", (unsigned long long)seq.v);
        record.salt = cu_span(details.p, CU_SALT_LEN);
        record.details = cu_span(details.p + CU_SALT_LEN, details.n - CU_SALT_LEN);
    }
    if (has_inline_content(&entry)) {
        TRY(cu_place_object(p, CU_OBJECT_CONTENT, &entry.inner.body.claim.root, CU_CONTENT_INLINE_MAX, &content, err));
        record.content = content.n ? cu_buf_span(&content) : cu_span("", 0);
    }
    return cu_record_write(&record, ret, err);
}

cu_status cu_place_manifest(struct cu_place *p, const struct cu_claim *claim, struct cu_buf *ret, struct cu_err *err)
{
    ENSURE(claim->has_folder, err, CU_USAGE, "this deposit is one item: it has no manifest");
    return cu_place_object(p, CU_OBJECT_CONTENT, &claim->root, claim->size, ret, err);
}
