/* Who waits for what: requests in order of arrival, cut into batches, answered when their last record is durable.
 *
 * A batch goes through two stages, gathering (form, attachments, signatures: work for every core) and committing (rules, journal,
 * two syncs: mostly waiting); by (7) two batches are under way at once, one in each. Whoever has a batch takes it through both.
 * While the stage before it is taken a batch grows: the sync of one is the window in which the next finds company.
 *
 * Without threads the submitting thread does the writer's work itself. The records stay in the submitter's memory: it waits here
 * until they are judged and durable.
 */
#include "engine/embedded/inside.h"

#include <stdio.h>
#include <time.h>

#define PIECE 256u /* records that are prepared at once: then somebody may be free to commit them */
#define LEAST 16u  /* as long as nobody is, it is not worth preparing fewer: signatures are checked side by side */

/* ---- a batch out of the queue ---- queue lock held ---- */

static void pop(struct cu_queue *q)
{
    q->first = q->first->next;
    if (!q->first) q->last = NULL;
}

/* What a record takes of a batch; one that is too large is answered without being looked at. */
static size_t share(const struct cu_embedded *e, struct cu_span record)
{
    return cu_journal_frame_size(record.n > e->record_max ? 0 : record.n);
}

/* More from the front of the queue, at most a piece, as far as the batch holds it. */
static size_t take(struct cu_embedded *e, struct cu_batch *b)
{
    struct cu_queue *q = &e->queue;
    size_t from = b->n;

    while (q->first && b->n < CU_BATCH_RECORDS && b->n - from < PIECE) {
        struct cu_request *r = q->first;
        struct cu_span record = r->records[r->taken];
        size_t size = share(e, record);
        if (b->bytes + size > e->batch_max) break;
        b->bytes += size;
        b->subs[b->n] = (struct cu_submission){ .bytes = record.n > e->record_max ? CU_SPAN_EMPTY : record };
        b->whose[b->n] = r;
        b->which[b->n++] = r->taken++;
        if (r->taken == r->n) pop(q);
    }
    q->waiting -= b->n - from;
    return b->n - from;
}

static void fill_outcome(const struct cu_embedded *e, const struct cu_submission *sub, size_t given, cu_seq block,
                         cu_unix_ms closed, struct cu_outcome *ret)
{
    *ret = (struct cu_outcome){ .status = sub->status, .id = sub->id };
    if (sub->status == CU_OK || sub->status == CU_DUPLICATE) ret->seq = sub->seq;
    if (sub->status == CU_OK) ret->leaf = sub->entry.leaf, ret->block = block, ret->closed = closed;
    else memcpy(ret->text, sub->text, sizeof ret->text);
    if (given <= e->record_max) return;
    ret->status = CU_TOO_LARGE;
    snprintf(ret->text, sizeof ret->text, "the record has %zu bytes; at most %zu are taken", given, e->record_max);
}

static void fill_outcomes(const struct cu_embedded *e, const struct cu_batch *b, cu_seq block, cu_unix_ms closed)
{
    for (size_t i = 0; i < b->n; i++) {
        struct cu_request *r = b->whose[i];
        fill_outcome(e, &b->subs[i], r->records[b->which[i]].n, block, closed, &r->ret[b->which[i]]);
    }
}

/* When the engine failed, every request with a record in this batch fails as a whole, whatever becomes of its other records. */
static void answer_all(const struct cu_batch *b, const struct cu_err *why)
{
    for (size_t i = 0; i < b->n; i++) {
        struct cu_request *r = b->whose[i];
        if (why->status != CU_OK && r->status == CU_OK && r->err) *r->err = *why;
        if (why->status != CU_OK) r->status = why->status;
        if (++r->done == r->n) pthread_cond_signal(&r->answered);
    }
}

/* ---- how long a batch waits ---- */

static struct timespec window_end(const struct cu_embedded *e)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_nsec + (uint64_t)(e->config.window_us ? e->config.window_us : CU_WINDOW_US) * 1000;
    return (struct timespec){ t.tv_sec + (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
}

/* Until `more` records wait than now, or a stage is free; false when the time is over. */
static bool wait_for(struct cu_queue *q, size_t more, const struct timespec *until)
{
    int rc = 0;

    q->wanted = q->waiting + more;
    if (until) rc = pthread_cond_timedwait(&q->changed, &q->lock, until);
    else pthread_cond_wait(&q->changed, &q->lock);
    q->wanted = 0;
    return rc == 0;
}

static bool full(const struct cu_embedded *e, const struct cu_batch *b)
{
    const struct cu_request *r = e->queue.first;

    return b->n == CU_BATCH_RECORDS || (r && b->bytes + share(e, r->records[r->taken]) > e->batch_max);
}

/* Who was answered a moment ago is likely to come again at once. Half of those and of these in one batch, the other half in the
 * next: then both stages have work all the time. One that is alone is not kept waiting. */
static size_t company(const struct cu_embedded *e, const struct cu_batch *b)
{
    size_t half = (e->queue.company + b->n + 1) / 2;

    return !e->threads || e->queue.ending ? 0 : half < PIECE ? half : PIECE;
}

/* Prepare the records from `from` on. */
static void prepare(struct cu_embedded *e, const struct cu_batch *b, size_t from)
{
    pthread_mutex_unlock(&e->queue.lock);
    cu_pool_prepare(e->pool, b->subs + from, b->n - from);
    pthread_mutex_lock(&e->queue.lock);
}

/* Fill a batch and prepare it until it may be committed: a request that fits is not cut in two. */
static void collect(struct cu_embedded *e, struct cu_batch *b)
{
    struct cu_queue *q = &e->queue;
    const struct timespec until = window_end(e);
    size_t need = SIZE_MAX;

    for (b->n = b->bytes = 0;;) {
        bool cut = q->first && q->first->taken > 0;
        if (q->waiting >= (q->committing && b->n > 0 && !cut ? LEAST : 1) && !full(e, b)) {
            size_t from = b->n;
            take(e, b);
            prepare(e, b, from);
            cut = q->first && q->first->taken > 0;
        } else if (q->committing) (void)wait_for(q, full(e, b) ? SIZE_MAX / 2 : LEAST, NULL);
        else if (!wait_for(q, need - b->n, &until)) return;
        if (q->committing) continue;
        if (need == SIZE_MAX || q->ending) need = company(e, b);
        if (full(e, b) || (!cut && b->n >= need)) return;
    }
}

/* One batch from the queue's front, through both stages. The lock is released while there is work. */
static void run_batch(struct cu_embedded *e)
{
    struct cu_queue *q = &e->queue;
    struct cu_batch *b = &e->batch[q->turn];
    struct cu_err why = { .status = CU_IO };
    cu_unix_ms closed = { 0 };
    cu_seq block = { 0 };

    q->gathering = true;
    collect(e, b);
    q->turn = !q->turn;
    q->gathering = false;
    q->committing = true;
    q->company = b->n;
    pthread_cond_broadcast(&q->changed);

    pthread_mutex_unlock(&q->lock);
    cu_status status = cu_embedded_batch(e, b, NULL, &block, &closed, &why);
    if (status == CU_OK) fill_outcomes(e, b, block, closed);
    why.status = status;
    pthread_mutex_lock(&q->lock);
    q->committing = false;
    answer_all(b, &why);
    pthread_cond_broadcast(&q->changed);
}

/* ---- the writers' threads ---- */

void *cu_embedded_writer(void *self)
{
    struct cu_embedded *e = self;
    struct cu_queue *q = &e->queue;

    pthread_mutex_lock(&q->lock);
    for (;;) {
        if (q->first && !q->gathering) run_batch(e);
        else if (q->ending && !q->first) break;
        else {
            q->idle++;
            pthread_cond_wait(&q->changed, &q->lock);
            q->idle--;
        }
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* ---- submitting ---- */

static void append(struct cu_queue *q, struct cu_request *r)
{
    if (q->last) q->last->next = r;
    else q->first = r;
    q->last = r;
    q->waiting += r->n;
    if (q->gathering ? q->wanted > 0 && q->waiting >= q->wanted : q->idle > 0) pthread_cond_broadcast(&q->changed);
}

/* Without threads: until the own records are answered, whoever finds the first stage free does the work. */
static void work(struct cu_embedded *e, const struct cu_request *r)
{
    struct cu_queue *q = &e->queue;

    while (r->done < r->n) {
        if (q->first && !q->gathering) run_batch(e);
        else pthread_cond_wait(&q->changed, &q->lock);
    }
}

cu_status cu_embedded_submit(void *self, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err)
{
    struct cu_embedded *e = self;
    struct cu_queue *q = &e->queue;
    struct cu_request r = { .records = records, .ret = ret, .n = n, .err = err };

    if (n == 0) return CU_OK;
    pthread_cond_init(&r.answered, NULL);
    pthread_mutex_lock(&q->lock);
    append(q, &r);
    if (!e->threads) work(e, &r);
    while (r.done < n) pthread_cond_wait(&r.answered, &q->lock);
    pthread_mutex_unlock(&q->lock);
    pthread_cond_destroy(&r.answered);
    return r.status;
}
