/* From the journal's tail in memory into the tiles of both logs and the attachments' stores.
 *
 * In this order, each durable before the next: tiles, bundles and attachments; the checkpoints, the node's first; the machine's
 * state; the head. A crash or an error anywhere leaves the journal as it was, and the next drain does the same again with the
 * same bytes: a tile is written in place, over itself if it is there, so a reader of a published one never sees anything else,
 * and what an earlier failed sync may have lost is written anew.
 */
#include "engine/embedded/inside.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

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

static cu_status write_tile(void *self, struct cu_tile tile, struct cu_err *err)
{
    struct cu_embedded *e = self;
    char name[CU_TILE_PATH_MAX], path[CU_EMBEDDED_PATH + CU_TILE_PATH_MAX];

    cu_buf_clear(&e->tile);
    TRY(cu_embedded_tiles(e).read(e, tile, &e->tile, err));
    cu_tile_path(tile, name);
    for (unsigned i = 0; i < e->logs_n; i++) {
        snprintf(path, sizeof path, "%s/%s", e->log[i].path, name);
        TRY(write_tile_to(e->config.fs, path, cu_buf_span(&e->tile), err));
    }
    return CU_OK;
}

/* ---- the journal's records ---- */

/* Only a drain forgets, so what the tail points to stays where it is. */
static struct cu_tail_entry entry_at(struct cu_embedded *e, uint64_t seq)
{
    pthread_mutex_lock(&e->tail_lock);
    const struct cu_tail_entry *at = cu_log_tail_at(e->tail, (cu_seq){ seq });
    CU_ASSERT(at != NULL);
    const struct cu_tail_entry entry = *at;
    pthread_mutex_unlock(&e->tail_lock);
    return entry;
}

static cu_status pass_attachments(struct cu_embedded *e, const struct cu_head *upto, struct cu_err *err)
{
    struct cu_attachments *a = &e->config.attachments;
    struct cu_record record;

    for (uint64_t seq = upto->drained.v; a->put && seq < upto->tip.size.v; seq++) {
        const struct cu_span whole = entry_at(e, seq).whole;
        if (whole.n == 0) continue; /* a block */
        TRY(cu_record_read(whole, &record, err));
        TRY(a->put(a->self, (cu_seq){ seq }, &record, err));
    }
    return CU_OK;
}

/* What is written leads to what was signed, or nothing is published. */
static cu_status pass_tiles(struct cu_embedded *e, const struct cu_head *upto, struct cu_err *err)
{
    pthread_mutex_lock(&e->tail_lock);
    const cu_hash root = cu_log_tail_root(e->tail, upto->tip.size);
    pthread_mutex_unlock(&e->tail_lock);
    ENSURE(cu_hash_eq(&root, &upto->tip.root), err, CU_CORRUPT,
           "the records do not lead to the root that was acknowledged at size %llu", LLU(upto->tip.size.v));
    return cu_tiles_between(upto->drained, upto->tip.size, write_tile, e, err);
}

/* ---- the checkpoint ---- */

cu_status cu_embedded_checkpoint(struct cu_embedded *e, cu_size size, const cu_hash *root, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_checkpoint checkpoint = { e->config.origin, size, *root };
    CU_BUF text = cu_buf_heap(CU_NOTE_MAX);

    cu_checkpoint_put(&checkpoint, &text);
    TRY(cu_buf_ok(&text, err));
    const struct cu_log_signer *by = &e->config.signer;
    if (by->sign) return by->sign(by->self, size, cu_buf_span(&text), ret, err);
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
    cu_status status = cu_embedded_head(e, &next, frees,
                                        err); /* twice: the file is overwritten next, so neither slot may need it */
    pthread_mutex_unlock(&e->head_lock);
    return status;
}

/* What is not a frame becomes zero. Nobody writes any more. */
static cu_status clear_slack(struct cu_embedded *e, unsigned i, struct cu_err *err)
{
    const uint64_t end = e->head.part[i].end;

    if (e->written[i] <= end) return CU_OK;
    TRY(cu_journal_zero(e->part_file[i], end, e->written[i], err));
    TRY(e->part_file[i]->ops->sync(e->part_file[i], err));
    e->written[i] = end;
    return CU_OK;
}

/* The last word of an engine that closes: nothing is left to drain, all slack is zero. */
static cu_status mark_clean(struct cu_embedded *e, struct cu_err *err)
{
    if (e->head.clean || e->head.drained.v != e->head.tip.size.v) return CU_OK;
    for (unsigned i = 0; i < 2; i++) TRY(clear_slack(e, i, err));
    pthread_mutex_lock(&e->head_lock);
    struct cu_head next = e->head;
    next.clean = true;
    cu_status status = cu_embedded_head(e, &next, false, err);
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

    TRY(pass_attachments(e, upto, err));
    TRY(pass_tiles(e, upto, err));
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
        TRY(make_durable(e, &upto, err));
        TRY(forget(e, &upto, err));
        cu_embedded_forget(e, upto.tip.size);
    }
    return closing ? mark_clean(e, err) : CU_OK;
}

cu_status cu_embedded_drain(struct cu_embedded *e, bool closing, struct cu_err *err)
{
    pthread_mutex_lock(&e->drain_lock);
    cu_status status = drain(e, closing, err);
    pthread_mutex_unlock(&e->drain_lock);
    return status;
}

/* A file filled up: drain it while the other takes what comes. And what lies in the journal is published within a second. An error is met
 * again by whoever drains next, and told there. */
void *cu_embedded_drainer(void *self)
{
    struct cu_embedded *e = self;

    pthread_mutex_lock(&e->head_lock);
    while (!e->ending) {
        int rc = 0;
        if (!e->drain_wanted && !e->publish_at.tv_sec) pthread_cond_wait(&e->wake_drainer, &e->head_lock);
        else if (!e->drain_wanted) rc = pthread_cond_timedwait(&e->wake_drainer, &e->head_lock, &e->publish_at);
        if (!e->drain_wanted && rc != ETIMEDOUT) continue;
        e->drain_wanted = false;
        e->publish_at.tv_sec = 0;
        pthread_mutex_unlock(&e->head_lock);
        cu_status status = cu_embedded_drain(e, false, NULL);
        (void)status;
        pthread_mutex_lock(&e->head_lock);
    }
    pthread_mutex_unlock(&e->head_lock);
    return NULL;
}
