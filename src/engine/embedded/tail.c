/* What is acknowledged and not drained, in memory (8): who asks for a receipt waits for no drain. */
#include "engine/embedded/inside.h"

#include <stdlib.h>

/* ---- reading ---- */

/* The first entries of a full bundle, the first hashes of a full tile: what it was when the log was shorter. */
static cu_status cut_tile(struct cu_tile tile, size_t from, struct cu_buf *io, struct cu_err *err)
{
    const struct cu_span whole = cu_span(io->p + from, io->n - from);
    size_t n = tile.level < 0 ? 0 : tile.width * sizeof(cu_hash);
    struct cu_span entry;

    for (unsigned i = 0; tile.level < 0 && i < tile.width; i++)
        ENSURE(cu_bundle_next(whole, &n, &entry), err, CU_CORRUPT, "entry bundle %llu is cut off", LLU(tile.index));
    ENSURE(n <= whole.n, err, CU_CORRUPT, "tile %d/%llu is cut off", tile.level, LLU(tile.index));
    if (tile.width < CU_TILE_WIDTH) io->n = from + n;
    return CU_OK;
}

static cu_status read_tile(void *self, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_embedded *e = self;
    const size_t from = ret->n;
    cu_status status = CU_OK;

    pthread_mutex_lock(&e->tail_lock);
    const bool here = cu_log_tail_has(e->tail, tile);
    if (here) status = cu_log_tail_read(e->tail, tile, ret, err);
    pthread_mutex_unlock(&e->tail_lock);
    if (here) return status;
    TRY(cu_log_dir_read(&e->log[0], (struct cu_tile){ tile.level, tile.index, CU_TILE_WIDTH }, ret, err));
    return cut_tile(tile, from, ret, err);
}

struct cu_tile_source cu_embedded_tiles(struct cu_embedded *e) { return (struct cu_tile_source){ e, read_tile }; }

cu_status cu_embedded_record(void *self, cu_seq seq, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_embedded *e = self;

    pthread_mutex_lock(&e->tail_lock);
    const struct cu_tail_entry *entry = cu_log_tail_at(e->tail, seq);
    const bool here = entry && entry->whole.n > 0;
    if (here) cu_buf_add(ret, entry->whole);
    pthread_mutex_unlock(&e->tail_lock);
    ENSURE(here, err, CU_NOT_FOUND, "entry %llu is drained", LLU(seq.v));
    return cu_buf_ok(ret, err);
}

/* ---- keeping ---- */

cu_status cu_embedded_resume(struct cu_embedded *e, struct cu_err *err)
{
    TRY(cu_log_tail_new(&e->tail, err));
    const cu_status status = cu_log_tail_resume(e->tail, cu_log_dir_tiles(&e->log[0]), e->head.drained, &e->head.drained_root,
                                                err);
    return status == CU_OK ? CU_OK : cu_fail_while(err, status, "%s", e->log[0].path);
}

static cu_status reserve(struct cu_embedded *e, size_t n, struct cu_err *err)
{
    TRY(cu_log_tail_reserve(e->tail, n, err));
    if (e->kept_n < e->kept_cap) return CU_OK;
    const size_t cap = e->kept_cap ? 2 * e->kept_cap : 64;
    struct cu_kept *kept = realloc(e->kept, cap * sizeof *kept);
    ENSURE(kept, err, CU_NO_MEMORY, "no memory for the end of the log");
    e->kept = kept;
    e->kept_cap = cap;
    return CU_OK;
}

cu_status cu_embedded_reserve(struct cu_embedded *e, size_t n, struct cu_err *err)
{
    pthread_mutex_lock(&e->tail_lock);
    cu_status status = reserve(e, n, err);
    pthread_mutex_unlock(&e->tail_lock);
    return status;
}

static void add(struct cu_embedded *e, enum cu_frame_type type, struct cu_span payload, const cu_hash *leaf)
{
    struct cu_tail_entry entry = { .entry = payload };
    struct cu_record record;

    if (type == CU_FRAME_RECORD) {
        const cu_status read = cu_record_read(payload, &record, NULL); /* as it was when it was judged */
        CU_ASSERT(read == CU_OK);
        entry = (struct cu_tail_entry){ record.entry, payload };
    }
    const cu_hash own = leaf ? *leaf : cu_leaf_hash(entry.entry);
    cu_log_tail_add(e->tail, &entry, &own);
}

static void own(struct cu_embedded *e, struct cu_buf *bytes)
{
    e->kept[e->kept_n++] = (struct cu_kept){ cu_log_tail_size(e->tail).v, bytes->p };
    *bytes = cu_buf_heap(bytes->max);
}

void cu_embedded_keep(struct cu_embedded *e, const struct cu_batch *batch)
{
    const uint8_t *at = e->frames.p;

    pthread_mutex_lock(&e->tail_lock);
    for (size_t i = 0; i < batch->n; i++) {
        const struct cu_submission *sub = &batch->subs[i];
        if (sub->status != CU_OK) continue;
        add(e, CU_FRAME_RECORD, cu_span(at + CU_FRAME_HEADER, sub->bytes.n), &sub->entry.leaf);
        at += cu_journal_frame_size(sub->bytes.n);
    }
    add(e, CU_FRAME_BLOCK, cu_span(at + CU_FRAME_HEADER, e->block.n), NULL);
    own(e, &e->frames);
    pthread_mutex_unlock(&e->tail_lock);
}

cu_status cu_embedded_keep_frame(struct cu_embedded *e, const struct cu_journal_frame *frame, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record;

    if (frame->type == CU_FRAME_RECORD) TRY(cu_record_read(frame->payload, &record, err));
    cu_buf_add(&bytes, frame->payload);
    TRY(cu_buf_ok(&bytes, err));
    TRY(reserve(e, 1, err));
    add(e, frame->type, cu_buf_span(&bytes), NULL);
    own(e, &bytes);
    return CU_OK;
}

/* ---- letting go ---- */

void cu_embedded_cut(struct cu_embedded *e, cu_size size)
{
    cu_log_tail_cut(e->tail, size);
    while (e->kept_n > 0 && e->kept[e->kept_n - 1].end > size.v) free(e->kept[--e->kept_n].bytes);
}

void cu_embedded_forget(struct cu_embedded *e, cu_size drained)
{
    size_t gone = 0;

    pthread_mutex_lock(&e->tail_lock);
    const cu_seq first = cu_log_tail_forget(e->tail, drained);
    for (; gone < e->kept_n && e->kept[gone].end <= first.v; gone++) free(e->kept[gone].bytes);
    e->kept_n -= gone;
    if (gone > 0) memmove(e->kept, e->kept + gone, e->kept_n * sizeof *e->kept);
    pthread_mutex_unlock(&e->tail_lock);
}

void cu_embedded_tail_free(struct cu_embedded *e)
{
    cu_log_tail_free(e->tail);
    while (e->kept_n > 0) free(e->kept[--e->kept_n].bytes);
    free(e->kept);
}
