/* Opening, asking, closing. */
#include "engine/embedded/inside.h"

#include <stdio.h>
#include <stdlib.h>

cu_status cu_embedded_path(const struct cu_embedded_config *config, const char *name, char ret[CU_EMBEDDED_PATH],
                           struct cu_err *err)
{
    int n = snprintf(ret, CU_EMBEDDED_PATH, "%s/%s", config->journal, name);
    ENSURE(n > 0 && n < (int)CU_EMBEDDED_PATH, err, CU_USAGE, "the journal's path is too long: %s", config->journal);
    return CU_OK;
}

/* ---- the calls of struct cu_engine ---- */

static struct cu_tip tip(void *self)
{
    struct cu_embedded *e = self;

    pthread_mutex_lock(&e->head_lock);
    struct cu_tip now = e->head.tip;
    pthread_mutex_unlock(&e->head_lock);
    return now;
}

static cu_status ask(void *self, cu_status (*look)(void *arg, struct cu_err *err), void *arg, struct cu_err *err)
{
    struct cu_embedded *e = self;

    pthread_mutex_lock(&e->machine_lock);
    cu_status status = look(arg, err);
    pthread_mutex_unlock(&e->machine_lock);
    return status;
}

static cu_status drain(void *self, struct cu_err *err) { return cu_embedded_drain(self, false, err); }

static struct cu_tile_source tiles(void *self) { return cu_embedded_tiles(self); }

/* (8). Ed25519 is deterministic: signed again, it is the same note, byte for byte, also when it is published. */
static cu_status checkpoint(void *self, struct cu_buf *ret, struct cu_err *err)
{
    const struct cu_tip now = tip(self);

    TRY(cu_embedded_whole(self, err));
    ENSURE(now.size.v > 0, err, CU_NOT_FOUND, "the log is empty: there is nothing to sign a checkpoint over");
    return cu_embedded_checkpoint(self, now.size, &now.root, ret, err);
}

cu_status cu_embedded_checkpoint_of(const struct cu_engine *engine, const struct cu_tip *tip, struct cu_buf *ret,
                                    struct cu_err *err)
{
    TRY(cu_embedded_whole(engine->self, err));
    return cu_embedded_checkpoint(engine->self, tip->size, &tip->root, ret, err);
}

/* ---- opening and closing ---- */

static void stop_threads(struct cu_embedded *e)
{
    if (!e->threads) return;
    pthread_mutex_lock(&e->queue.lock);
    e->queue.ending = true;
    pthread_cond_broadcast(&e->queue.changed);
    pthread_mutex_unlock(&e->queue.lock);
    for (unsigned i = 0; i < e->writers_n; i++) pthread_join(e->writer[i], NULL);
    pthread_mutex_lock(&e->head_lock);
    e->ending = true;
    pthread_cond_broadcast(&e->wake_drainer);
    pthread_mutex_unlock(&e->head_lock);
    if (e->drainer_runs) pthread_join(e->drainer, NULL);
    e->threads = false;
}

static void let_go(struct cu_embedded **at)
{
    struct cu_embedded *e = *at;

    if (!e) return;
    stop_threads(e);
    cu_pool_free(e->pool);
    cu_embedded_tail_free(e);
    cu_buf_free(&e->tile);
    cu_file_close(&e->head_file);
    cu_file_close(&e->part_file[0]);
    cu_file_close(&e->part_file[1]);
    cu_buf_free(&e->frames);
    cu_buf_free(&e->block);
    for (unsigned i = 0; i < 2; i++) {
        free(e->batch[i].subs);
        free(e->batch[i].whose);
        free(e->batch[i].which);
    }
    pthread_mutex_destroy(&e->drain_lock);
    pthread_mutex_destroy(&e->machine_lock);
    pthread_mutex_destroy(&e->head_lock);
    pthread_mutex_destroy(&e->tail_lock);
    pthread_mutex_destroy(&e->queue.lock);
    pthread_cond_destroy(&e->queue.changed);
    pthread_cond_destroy(&e->wake_drainer);
    if (e->lock) e->config.fs->ops->unlock(e->config.fs->self, e->lock);
    free(e);
    *at = NULL;
}

static cu_status close_engine(void *self, struct cu_err *err)
{
    struct cu_embedded *e = self;

    if (!e) return CU_OK;
    stop_threads(e);
    cu_status status = cu_embedded_drain(e, true, err);
    let_go(&e);
    return status;
}

static void make_locks(struct cu_embedded *e)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&e->drain_lock, NULL);
    pthread_mutex_init(&e->machine_lock, NULL);
    pthread_mutex_init(&e->head_lock, NULL);
    pthread_mutex_init(&e->tail_lock, NULL);
    pthread_mutex_init(&e->queue.lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&e->queue.changed, &monotonic);
    pthread_cond_init(&e->wake_drainer, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static cu_status make_batch(struct cu_batch *b, struct cu_err *err)
{
    b->subs = malloc(CU_BATCH_RECORDS * sizeof *b->subs);
    b->whose = malloc(CU_BATCH_RECORDS * sizeof *b->whose);
    b->which = malloc(CU_BATCH_RECORDS * sizeof *b->which);
    ENSURE(b->subs && b->whose && b->which, err, CU_NO_MEMORY, "no memory for an engine");
    return CU_OK;
}

static cu_status engine_new(const struct cu_embedded_config *config, struct cu_embedded **ret, struct cu_err *err)
{
    CU_CLEANUP(let_go) struct cu_embedded *e = calloc(1, sizeof *e);

    ENSURE(e, err, CU_NO_MEMORY, "no memory for an engine");
    make_locks(e);
    e->config = *config;
    e->frames = cu_buf_heap(CU_JOURNAL_BYTES_MAX);
    e->block = cu_buf_heap(CU_ENTRY_MAX);
    e->tile = cu_buf_heap(CU_BUNDLE_MAX);
    for (unsigned i = 0; i < 2; i++) TRY(make_batch(&e->batch[i], err));
    for (unsigned i = 0; i < 2; i++)
        if (config->log[i]) e->log[e->logs_n++] = (struct cu_log_dir){ config->fs, config->log[i] };
    ENSURE(e->logs_n > 0, err, CU_USAGE, "a ledger has at least one log folder");
    TRY(cu_embedded_path(config, "head", e->head_path, err));
    TRY(cu_embedded_path(config, "0", e->part_path[0], err));
    TRY(cu_embedded_path(config, "1", e->part_path[1], err));
    TRY(cu_pool_new(config->machine, config->workers, config->accelerate, &e->pool, err));
    *ret = e;
    e = NULL;
    return CU_OK;
}

/* What was started is stopped by let_go. */
static cu_status start_threads(struct cu_embedded *e, struct cu_err *err)
{
    e->threads = e->config.workers > 0;
    for (; e->threads && e->writers_n < 2; e->writers_n++)
        ENSURE(pthread_create(&e->writer[e->writers_n], NULL, cu_embedded_writer, e) == 0, err, CU_NO_MEMORY,
               "no thread for a writer");
    e->drainer_runs = e->threads && pthread_create(&e->drainer, NULL, cu_embedded_drainer, e) == 0;
    ENSURE(e->drainer_runs || !e->threads, err, CU_NO_MEMORY, "no thread for the drain");
    return CU_OK;
}

cu_status cu_embedded_open(const struct cu_embedded_config *config, struct cu_engine *ret, struct cu_err *err)
{
    CU_CLEANUP(let_go) struct cu_embedded *e = NULL;
    const cu_status made = engine_new(config, &e, err);

    if (made != CU_OK && config->held) config->fs->ops->unlock(config->fs->self, config->held);
    TRY(made);
    e->lock = config->held;
    if (!e->lock) TRY(config->fs->ops->lock(config->fs->self, config->lock, 0, &e->lock, err));
    TRY(cu_embedded_recover(e, err));
    e->batch_max = cu_embedded_batch_max(e->head.bytes);
    const size_t fits = e->batch_max - cu_journal_frame_size(0);
    e->record_max = fits < CU_RECORD_MAX ? fits : CU_RECORD_MAX;
    TRY(start_threads(e, err));
    *ret = (struct cu_engine){ e, cu_embedded_submit, tip, ask, drain, tiles, checkpoint, cu_embedded_record, close_engine };
    e = NULL;
    return CU_OK;
}
