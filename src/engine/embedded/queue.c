/* Who waits for what: requests in order of arrival, cut into batches, answered when their last record is durable.
 *
 * Without threads the submitting thread does the writer's work itself, one at a time. The records stay in the submitter's memory:
 * it waits here until they are judged and durable.
 */
#include "engine/embedded/inside.h"

#include <stdio.h>
#include <time.h>

/* ---- a batch out of the queue ---- queue lock held ---- */

static void pop(struct cu_queue *q)
{
    q->first = q->first->next;
    if (!q->first) q->last = NULL;
}

/* Fill e->subs from the front of the queue, as much as one batch holds. */
static size_t gather(struct cu_embedded *e)
{
    struct cu_queue *q = &e->queue;
    size_t n = 0, bytes = 0;

    while (q->first && n < CU_BATCH_RECORDS) {
        struct cu_request *r = q->first;
        struct cu_span record = r->records[r->taken];
        size_t size = cu_journal_frame_size(record.n > CU_RECORD_MAX ? 0 : record.n);
        if (bytes + size > e->batch_max) break;
        bytes += size;
        e->subs[n] = (struct cu_submission){ .bytes = record.n > CU_RECORD_MAX ? CU_SPAN_EMPTY : record };
        e->whose[n] = r;
        e->which[n++] = r->taken++;
        if (r->taken == r->n) pop(q);
    }
    q->waiting -= n;
    return n;
}

static void answer(struct cu_request *r, size_t n)
{
    r->done += n;
    if (r->done == r->n) pthread_cond_signal(&r->answered);
}

static void fill_outcome(const struct cu_submission *sub, size_t given, cu_seq block, cu_unix_ms closed, struct cu_outcome *ret)
{
    *ret = (struct cu_outcome){ .status = sub->status, .id = sub->id };
    if (sub->status == CU_OK || sub->status == CU_DUPLICATE) ret->seq = sub->seq;
    if (sub->status == CU_OK) ret->leaf = sub->entry.leaf, ret->block = block, ret->closed = closed;
    else memcpy(ret->text, sub->text, sizeof ret->text);
    if (given <= CU_RECORD_MAX) return;
    ret->status = CU_TOO_LARGE;
    snprintf(ret->text, sizeof ret->text, "the record has %zu bytes; at most %u are taken", given, (unsigned)CU_RECORD_MAX);
}

static void answer_all(struct cu_embedded *e, size_t n, cu_seq block, cu_unix_ms closed)
{
    for (size_t i = 0; i < n; i++) {
        struct cu_request *r = e->whose[i];
        fill_outcome(&e->subs[i], r->records[e->which[i]].n, block, closed, &r->ret[e->which[i]]);
        answer(r, 1);
    }
}

/* The engine failed: every request with a record in this batch fails as a whole. */
static void fail_all(struct cu_embedded *e, size_t n, const struct cu_err *why)
{
    struct cu_queue *q = &e->queue;

    if (q->first && q->first->taken > 0) { /* the one that reaches beyond the batch */
        struct cu_request *r = q->first;
        q->waiting -= r->n - r->taken;
        pop(q);
        answer(r, r->n - r->taken); /* not its last: those in the batch are answered below */
    }
    for (size_t i = 0; i < n; i++) {
        struct cu_request *r = e->whose[i];
        if (r->status == CU_OK && r->err) *r->err = *why;
        r->status = why->status;
        answer(r, 1);
    }
}

/* One batch from the queue's front, if there is anything. The lock is released while it runs. */
static void run_batch(struct cu_embedded *e)
{
    struct cu_err why = { .status = CU_IO };
    cu_unix_ms closed = { 0 };
    cu_seq block = { 0 };
    size_t n = gather(e);

    pthread_mutex_unlock(&e->queue.lock);
    cu_status status = cu_embedded_batch(e, n, &block, &closed, &why);
    pthread_mutex_lock(&e->queue.lock);
    why.status = status;
    if (status == CU_OK) answer_all(e, n, block, closed);
    else fail_all(e, n, &why);
}

/* ---- the writer's thread ---- */

/* Wait for company, until the window is over or the batch is full. */
static void wait_for_company(struct cu_embedded *e)
{
    struct timespec until;

    if (e->config.window_us == 0) return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + (uint64_t)e->config.window_us * 1000;
    until.tv_sec += (time_t)(ns / 1000000000u);
    until.tv_nsec = (long)(ns % 1000000000u);
    while (e->queue.waiting < CU_BATCH_RECORDS && !e->queue.ending)
        if (pthread_cond_timedwait(&e->queue.arrived, &e->queue.lock, &until) != 0) return;
}

void *cu_embedded_writer(void *self)
{
    struct cu_embedded *e = self;
    struct cu_queue *q = &e->queue;

    pthread_mutex_lock(&q->lock);
    for (;;) {
        while (!q->first && !q->ending) pthread_cond_wait(&q->arrived, &q->lock);
        if (!q->first) break;
        wait_for_company(e);
        run_batch(e);
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
    if (e->threads) {
        pthread_cond_signal(&q->arrived);
        while (r.done < n) pthread_cond_wait(&r.answered, &q->lock);
    } else {
        while (q->busy) pthread_cond_wait(&q->arrived, &q->lock);
        q->busy = true;
        while (r.done < n) run_batch(e);
        q->busy = false;
        pthread_cond_signal(&q->arrived);
    }
    pthread_mutex_unlock(&q->lock);
    pthread_cond_destroy(&r.answered);
    return r.status;
}
