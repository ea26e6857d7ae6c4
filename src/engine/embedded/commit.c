/* One batch: judged, framed, synced, acknowledged. */
#include "engine/embedded/inside.h"

#include <stdio.h>

#define BLOCK_FRAME (cu_journal_frame_size(CU_ENTRY_MAX))

size_t cu_embedded_batch_max(uint64_t journal_bytes)
{
    size_t fits = (size_t)journal_bytes - CU_JOURNAL_HEADER - BLOCK_FRAME;
    return fits < CU_BATCH_BYTES ? fits : CU_BATCH_BYTES;
}

cu_status cu_embedded_break(struct cu_embedded *e, cu_status status)
{
    pthread_mutex_lock(&e->head_lock);
    e->broken = true;
    pthread_mutex_unlock(&e->head_lock);
    return status;
}

cu_status cu_embedded_whole(struct cu_embedded *e, struct cu_err *err)
{
    pthread_mutex_lock(&e->head_lock);
    bool broken = e->broken;
    pthread_mutex_unlock(&e->head_lock);
    ENSURE(!broken, err, CU_IO,
           "the journal could not be written before: nothing more is recorded until the ledger is opened anew");
    return CU_OK;
}

cu_status cu_embedded_head(struct cu_embedded *e, struct cu_head *next, bool twice, struct cu_err *err)
{
    cu_status status = CU_OK;

    ENSURE(!e->broken, err, CU_IO, "the journal could not be written before: the ledger must be opened anew");
    for (int i = 0; i < (twice ? 2 : 1) && status == CU_OK; i++) {
        next->number = e->head.number + 1 + (unsigned)i;
        status = cu_head_write(e->head_file, next, err);
    }
    if (status == CU_OK) e->head = *next;
    else e->broken = true; /* (4) */
    return status;
}

/* ---- room ---- */

/* The first write after a clean opening: from here on something torn is possible, which a head that says clean would call damage.
 * head_lock held. */
static cu_status mark_unclean(struct cu_embedded *e, struct cu_err *err)
{
    struct cu_head next = e->head;

    next.clean = false;
    return e->head.clean ? cu_embedded_head(e, &next, false, err) : CU_OK;
}

/* Go on in the other file, which is free: its header is durable before a head may name it. */
static cu_status turn(struct cu_embedded *e, struct cu_err *err)
{
    TRY(mark_unclean(e, err));
    unsigned other = !e->head.current;
    uint64_t generation = e->head.part[e->head.current].generation + 1;
    struct cu_head next = e->head;
    cu_status status = cu_journal_begin(e->part_file[other], other, generation, e->head.bytes, err);

    if (status == CU_OK) status = e->part_file[other]->ops->sync(e->part_file[other], err);
    if (status != CU_OK) e->broken = true; /* (4) */
    if (status != CU_OK) return status;
    next.part[other] = (struct cu_part){ generation, CU_JOURNAL_HEADER, CU_JOURNAL_HEADER };
    next.current = other;
    e->drain_wanted = true;
    pthread_cond_signal(&e->wake_drainer);
    return cu_embedded_head(e, &next, false, err);
}

static cu_status find_room(struct cu_embedded *e, size_t need, bool *ret_found, struct cu_err *err)
{
    cu_status status = CU_OK;

    pthread_mutex_lock(&e->head_lock);
    *ret_found = e->head.part[e->head.current].end + need <= e->head.bytes;
    if (!*ret_found && e->head.part[!e->head.current].generation == 0) {
        status = turn(e, err);
        *ret_found = true;
    }
    pthread_mutex_unlock(&e->head_lock);
    return status;
}

/* Room for a batch of `need` bytes: here, in the other file, or there after a drain, which we wait for. No lock is held. */
static cu_status make_room(struct cu_embedded *e, size_t need, struct cu_err *err)
{
    bool found = false;

    TRY(find_room(e, need, &found, err));
    if (found) return CU_OK;
    TRY(cu_embedded_drain(e, false, err));
    TRY(find_room(e, need, &found, err));
    CU_ASSERT(found);
    return CU_OK;
}

/* ---- judging ---- */

static cu_status judge(struct cu_embedded *e, const struct cu_batch *batch, const struct cu_turn *turn, bool told,
                       struct cu_err *err)
{
    struct cu_machine *m = &e->config.machine;
    uint64_t seq = e->at.tip.size.v;

    cu_buf_clear(&e->block);
    TRY(m->begin(m->self, turn->height, turn->opened, err));
    for (size_t i = 0; i < batch->n; i++) {
        struct cu_submission *sub = &batch->subs[i];
        if (sub->status == CU_OK) TRY(m->step(m->self, sub, err));
        ENSURE(!told || sub->status == CU_OK, err, CU_CORRUPT, "record %zu of height %llu was admitted, and is refused now: %s",
               i, LLU(turn->height), sub->text);
        if (sub->status == CU_OK) CU_ASSERT(sub->seq.v == seq), seq++;
    }
    TRY(m->end(m->self, turn->closed, &e->block, err));
    TRY(cu_buf_ok(&e->block, err));
    CU_ASSERT((seq == e->at.tip.size.v) == (e->block.n == 0));
    return CU_OK;
}

/* ---- making durable ---- */

static cu_status write_frames(struct cu_embedded *e, const struct cu_batch *batch, cu_seq *ret_block, struct cu_err *err)
{
    const struct cu_part *part = &e->at.part[e->at.current];
    struct cu_file *file = e->part_file[e->at.current];
    uint64_t seq = e->at.tip.size.v;

    cu_buf_clear(&e->frames);
    for (size_t i = 0; i < batch->n; i++)
        if (batch->subs[i].status == CU_OK)
            cu_journal_frame_put(&e->frames, CU_FRAME_RECORD, part->generation, (cu_seq){ seq++ }, batch->subs[i].bytes);
    *ret_block = (cu_seq){ seq };
    cu_journal_frame_put(&e->frames, CU_FRAME_BLOCK, part->generation, *ret_block, cu_buf_span(&e->block));
    TRY(cu_buf_ok(&e->frames, err));
    TRY(cu_embedded_reserve(e, batch->n + 1, err));
    pthread_mutex_lock(&e->head_lock);
    cu_status status = mark_unclean(e, err);
    pthread_mutex_unlock(&e->head_lock);
    TRY(status);
    if (e->written[e->at.current] < part->end + e->frames.n) e->written[e->at.current] = part->end + e->frames.n;
    status = file->ops->write_at(file, part->end, cu_buf_span(&e->frames), err);
    if (status == CU_OK) status = file->ops->sync(file, err);
    return status == CU_OK ? CU_OK : cu_embedded_break(e, status);
}

/* (1): the frames are synced; now the head. */
static cu_status acknowledge(struct cu_embedded *e, const struct cu_batch *batch, const struct cu_turn *turn, struct cu_err *err)
{
    const struct cu_frontier *f = e->config.machine.frontier(e->config.machine.self);
    const size_t frames = e->frames.n;

    cu_embedded_keep(e, batch);
    pthread_mutex_lock(&e->head_lock);
    struct cu_head next = e->head;
    next.tip = (struct cu_tip){ f->size, cu_frontier_root(f), turn->height, turn->closed };
    next.part[next.current].end += frames;
    next.clean = false;
    cu_status status = cu_embedded_head(e, &next, false, err);
    if (e->drainer_runs && !e->publish_at.tv_sec && !e->drain_wanted) {
        clock_gettime(CLOCK_MONOTONIC, &e->publish_at);
        e->publish_at.tv_sec += 1;
        pthread_cond_signal(&e->wake_drainer);
    }
    pthread_mutex_unlock(&e->head_lock);
    return status;
}

static cu_status run(struct cu_embedded *e, const struct cu_batch *batch, const struct cu_turn *turn, bool told,
                     cu_seq *ret_block, struct cu_err *err)
{
    struct cu_machine *m = &e->config.machine;

    TRY(judge(e, batch, turn, told, err));
    if (e->block.n == 0) {
        m->abandon(m->self); /* nothing was admitted: nothing happened */
        return CU_OK;
    }
    TRY(write_frames(e, batch, ret_block, err));
    CU_ASSERT(m->frontier(m->self)->size.v == ret_block->v + 1);
    TRY(acknowledge(e, batch, turn, err));
    cu_status status = m->commit(m->self, err);
    return status == CU_OK ? CU_OK : cu_embedded_break(e, status); /* durable, but the machine lags: the next open replays it */
}

/* The next height, now, but later than what was before. */
static struct cu_turn next_turn(const struct cu_embedded *e)
{
    const cu_unix_ms now = e->config.clock.now(e->config.clock.self), least = { e->at.tip.closed.v + 1 };
    const cu_unix_ms when = now.v < least.v ? least : now;
    return (struct cu_turn){ e->at.tip.height + 1, when, when };
}

cu_status cu_embedded_batch(struct cu_embedded *e, const struct cu_batch *batch, const struct cu_turn *turn, cu_seq *ret_block,
                            cu_unix_ms *ret_closed, struct cu_err *err)
{
    struct cu_machine *m = &e->config.machine;

    TRY(cu_embedded_whole(e, err));
    TRY(make_room(e, batch->bytes + BLOCK_FRAME, err));

    pthread_mutex_lock(&e->head_lock);
    e->at = e->head;
    pthread_mutex_unlock(&e->head_lock);
    pthread_mutex_lock(&e->machine_lock);
    const struct cu_turn at = turn ? *turn : next_turn(e);
    cu_status status = run(e, batch, &at, turn != NULL, ret_block, err);
    if (status != CU_OK) m->abandon(m->self);
    pthread_mutex_unlock(&e->machine_lock);
    *ret_closed = at.closed;
    return status;
}

cu_status cu_embedded_append(struct cu_engine *engine, const struct cu_turn *turn, struct cu_submission *subs, size_t n,
                             struct cu_err *err)
{
    struct cu_embedded *e = engine->self;
    struct cu_batch batch = { .subs = subs, .n = n };
    cu_seq block;
    cu_unix_ms closed;

    for (size_t i = 0; i < n; i++) batch.bytes += cu_journal_frame_size(subs[i].bytes.n);
    ENSURE(batch.bytes + BLOCK_FRAME <= e->head.bytes - CU_JOURNAL_HEADER, err, CU_TOO_LARGE,
           "the records of height %llu do not fit the journal: it was made too small for this chain's blocks", LLU(turn->height));
    return cu_embedded_batch(e, &batch, turn, &block, &closed, err);
}
