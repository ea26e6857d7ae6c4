/* From the journal into the tiles of both logs and the attachments' stores.
 *
 * In this order, each durable before the next: tiles, bundles and attachments; the checkpoints, the node's first; the machine's
 * state; the head. A crash or an error anywhere leaves the journal as it was, and the next drain does the same again with the
 * same bytes: a tile is written in place, over itself if it is there, so a reader of a published one never sees anything else,
 * and what an earlier failed sync may have lost is written anew.
 */
#include "engine/embedded/inside.h"

#include <stdio.h>

/* ---- tiles ---- */

static cu_status write_tile_to(const struct cu_fs *fs, const char *path, struct cu_span bytes, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    uint64_t size = 0;

    TRY(fs->ops->open(fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE, &f, err));
    TRY(f->ops->write_at(f, 0, bytes, err));
    TRY(f->ops->size(f, &size, err));
    return size == bytes.n ? CU_OK : f->ops->truncate(f, bytes.n, err);
}

static cu_status write_tile(void *self, struct cu_tile tile, struct cu_span bytes, struct cu_err *err)
{
    struct cu_embedded *e = self;
    char name[CU_TILE_PATH_MAX], path[CU_EMBEDDED_PATH + CU_TILE_PATH_MAX];

    cu_tile_path(tile, name);
    for (unsigned i = 0; i < e->logs_n; i++) {
        snprintf(path, sizeof path, "%s/%s", e->log[i].path, name);
        TRY(write_tile_to(e->config.fs, path, bytes, err));
    }
    return CU_OK;
}

cu_status cu_embedded_resume(struct cu_embedded *e, struct cu_err *err)
{
    if (e->stream) return CU_OK;
    pthread_mutex_lock(&e->head_lock);
    cu_size size = e->head.drained;
    cu_hash root = e->head.drained_root;
    pthread_mutex_unlock(&e->head_lock);
    TRY(cu_tile_stream_new((struct cu_tile_sink){ e, write_tile }, &e->stream, err));
    cu_status status = cu_tile_stream_resume(e->stream, cu_embedded_tiles(e), size, &root, err);
    if (status == CU_OK) return CU_OK;
    cu_tile_stream_free(e->stream);
    e->stream = NULL;
    return cu_fail_while(err, status, "%s", e->log[0].path);
}

/* ---- the journal's frames ---- */

static cu_status pass_record(struct cu_embedded *e, const struct cu_journal_frame *frame, struct cu_err *err)
{
    struct cu_attachments *a = &e->config.attachments;
    struct cu_record record;
    struct cu_entry entry;

    TRY(cu_record_read(frame->payload, &record, err));
    TRY(cu_tile_stream_add(e->stream, record.entry, err));
    if (!a->put) return CU_OK;
    TRY(cu_entry_read(record.entry, &entry, err));
    return a->put(a->self, frame->seq, &record, &entry, err);
}

static cu_status pass_part(struct cu_embedded *e, const struct cu_head *upto, unsigned i, struct cu_err *err)
{
    const struct cu_part *part = &upto->part[i];
    CU_CLEANUP(cu_journal_scan_free)
    struct cu_journal_scan scan = cu_journal_scan_start(e->part_file[i], e->part_path[i], part->generation, part->from, part->end,
                                                        cu_tile_stream_size(e->stream).v);
    struct cu_journal_frame frame;

    for (bool more = true;;) {
        TRY(cu_journal_scan_next(&scan, &frame, &more, err));
        if (!more) return CU_OK;
        if (frame.type == CU_FRAME_BLOCK) TRY(cu_tile_stream_add(e->stream, frame.payload, err));
        else TRY(pass_record(e, &frame, err));
    }
}

/* The file that is not current is the older one. */
static cu_status pass_frames(struct cu_embedded *e, const struct cu_head *upto, struct cu_err *err)
{
    if (upto->part[!upto->current].generation != 0) TRY(pass_part(e, upto, !upto->current, err));
    TRY(pass_part(e, upto, upto->current, err));
    cu_hash root = cu_tile_stream_root(e->stream);
    ENSURE(cu_tile_stream_size(e->stream).v == upto->tip.size.v && cu_hash_eq(&root, &upto->tip.root), err, CU_CORRUPT,
           "the journal's frames do not lead to the root that was acknowledged at size %llu",
           (unsigned long long)upto->tip.size.v);
    return cu_tile_stream_flush(e->stream, err);
}

/* ---- the checkpoint ---- */

cu_status cu_embedded_checkpoint(struct cu_embedded *e, cu_size size, const cu_hash *root, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_checkpoint checkpoint = { e->config.origin, size, *root };
    CU_BUF text = cu_buf_heap(CU_NOTE_MAX);

    cu_checkpoint_put(&checkpoint, &text);
    TRY(cu_buf_ok(&text, err));
    return cu_note_sign(ret, cu_buf_span(&text), e->config.origin, e->config.log_key, err);
}

static cu_status publish(struct cu_embedded *e, const struct cu_tip *tip, struct cu_err *err)
{
    char path[CU_EMBEDDED_PATH + 32], tmp[CU_EMBEDDED_PATH + 32];
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);

    TRY(cu_embedded_checkpoint(e, tip->size, &tip->root, &note, err));
    for (unsigned i = 0; i < e->logs_n; i++) {
        snprintf(path, sizeof path, "%s/checkpoint", e->log[i].path);
        snprintf(tmp, sizeof tmp, "%s/incoming/checkpoint", e->log[i].path);
        TRY(cu_fs_replace(e->config.fs, path, tmp, cu_buf_span(&note), true, err));
    }
    return CU_OK;
}

/* ---- forgetting ---- */

/* A free file is made ready for its next use: zeros, synced. */
static cu_status clear_spare(struct cu_embedded *e, struct cu_err *err)
{
    pthread_mutex_lock(&e->head_lock);
    unsigned other = !e->head.current;
    uint64_t bytes = e->head.bytes;
    bool wanted = e->head.part[other].generation == 0 && !e->spare_ready && !e->broken;
    pthread_mutex_unlock(&e->head_lock);
    if (!wanted) return CU_OK;

    TRY(cu_journal_zero(e->part_file[other], 0, bytes, err));
    TRY(e->part_file[other]->ops->sync(e->part_file[other], err));
    pthread_mutex_lock(&e->head_lock);
    e->spare_ready = true;
    pthread_mutex_unlock(&e->head_lock);
    return CU_OK;
}

/* (3): everything up to `upto` is durable elsewhere. The writer may have moved on since, even into the other file. */
static cu_status forget(struct cu_embedded *e, const struct cu_head *upto, struct cu_err *err)
{
    bool frees = false;

    pthread_mutex_lock(&e->head_lock);
    struct cu_head next = e->head;
    next.drained = upto->tip.size;
    next.drained_root = upto->tip.root;
    for (unsigned i = 0; i < 2; i++) {
        if (upto->part[i].generation == 0) continue;
        next.part[i].from = upto->part[i].end;
        if (i == next.current || next.part[i].from < next.part[i].end) continue;
        next.part[i] = (struct cu_part){ 0 };
        frees = true;
    }
    cu_status status = cu_embedded_head(e, &next, frees, err); /* twice: the file is cleared next, so neither slot may need it */
    pthread_mutex_unlock(&e->head_lock);
    return status;
}

/* The last word of an engine that closes: nothing is left to drain, all slack is zero. */
static cu_status mark_clean(struct cu_embedded *e, struct cu_err *err)
{
    cu_status status = CU_OK;

    pthread_mutex_lock(&e->head_lock);
    if (!e->head.clean && e->head.drained.v == e->head.tip.size.v &&
        (e->spare_ready || e->head.part[!e->head.current].generation != 0)) {
        struct cu_head next = e->head;
        next.clean = true;
        status = cu_embedded_head(e, &next, false, err);
    }
    pthread_mutex_unlock(&e->head_lock);
    return status;
}

/* ---- the whole ---- */

/* Batches are judged meanwhile, if the machine can do with that. */
static cu_status save_state(struct cu_embedded *e, struct cu_err *err)
{
    struct cu_machine *m = &e->config.machine;

    pthread_mutex_lock(&e->machine_lock);
    cu_status status = m->freeze ? m->freeze(m->self, err) : m->save(m->self, err);
    pthread_mutex_unlock(&e->machine_lock);
    if (!m->freeze || status != CU_OK) return status;
    status = m->write(m->self, err);
    pthread_mutex_lock(&e->machine_lock);
    m->thaw(m->self);
    pthread_mutex_unlock(&e->machine_lock);
    return status;
}

static cu_status make_durable(struct cu_embedded *e, const struct cu_head *upto, struct cu_err *err)
{
    struct cu_attachments *a = &e->config.attachments;

    TRY(cu_embedded_resume(e, err));
    TRY(pass_frames(e, upto, err));
    if (a->sync) TRY(a->sync(a->self, err));
    TRY(e->config.fs->ops->sync_all(e->config.fs->self, err));
    TRY(publish(e, &upto->tip, err));
    return save_state(e, err);
}

static cu_status drain(struct cu_embedded *e, bool closing, struct cu_err *err)
{
    TRY(cu_embedded_whole(e, err));
    pthread_mutex_lock(&e->head_lock);
    struct cu_head upto = e->head;
    pthread_mutex_unlock(&e->head_lock);

    if (upto.drained.v < upto.tip.size.v) {
        cu_status status = make_durable(e, &upto, err);
        if (status == CU_OK) status = forget(e, &upto, err);
        if (status != CU_OK) { /* the stream is ahead of what counts: begin again from the tiles next time */
            cu_tile_stream_free(e->stream);
            e->stream = NULL;
            return status;
        }
    }
    TRY(clear_spare(e, err));
    return closing ? mark_clean(e, err) : CU_OK;
}

cu_status cu_embedded_drain(struct cu_embedded *e, bool closing, struct cu_err *err)
{
    pthread_mutex_lock(&e->drain_lock);
    cu_status status = drain(e, closing, err);
    pthread_mutex_unlock(&e->drain_lock);
    return status;
}

/* A file filled up: drain it while the other takes what comes. An error is met again by whoever drains next, and told there. */
void *cu_embedded_drainer(void *self)
{
    struct cu_embedded *e = self;

    pthread_mutex_lock(&e->head_lock);
    while (!e->ending) {
        if (!e->drain_wanted) {
            pthread_cond_wait(&e->wake_drainer, &e->head_lock);
            continue;
        }
        e->drain_wanted = false;
        pthread_mutex_unlock(&e->head_lock);
        cu_status status = cu_embedded_drain(e, false, NULL);
        (void)status;
        pthread_mutex_lock(&e->head_lock);
    }
    pthread_mutex_unlock(&e->head_lock);
    return NULL;
}
