/* Bringing objects: several lanes, each with connections of its own, from one source after another.
 *
 * (1) A small object is met by its root, a chunk of a large one by the chunk's, and those by the object's, before anything is kept.
 * (2) What a source does wrong is the source's: the next one is asked. What fails here ends the round.
 * (3) A source that does not answer is left alone for a while, which grows.
 */
#include "content/memory.h"
#include "content/put.h"
#include "service/copy_inside.h"

#include <stdarg.h>
#include <stdio.h>

#define REASON "a copy for another node"
enum { PAUSE_FIRST_MS = 1000, PAUSE_MAX_MS = 60000 };

void cu_waiting_failed(struct cu_waiting *w, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(w->why, sizeof w->why, fmt, args);
    va_end(args);
    w->failed = true;
}

static bool ending(const struct cu_copier *c) { return c->r.ending && atomic_load(c->r.ending); }

static cu_status interrupted(struct cu_err *err)
{
    return cu_fail(err, CU_INTERRUPTED, "the node is stopping: what is not here yet is brought when it runs again");
}

/* ---- lanes ---- */
typedef cu_status lane_work(struct cu_copier *c, unsigned lane, struct cu_err *err);
struct lane {
    struct cu_copier *c;
    lane_work *work;
    unsigned number;
    cu_status status;
    struct cu_err why;
    pthread_t thread;
    bool runs;
};

static void *run_lane(void *arg)
{
    struct lane *l = arg;

    CU_ASSERT(l->work); /* an analyser does not see that each lane that runs has some */
    l->status = l->work(l->c, l->number, &l->why);
    return NULL;
}

/* They take jobs from `first` on. With fewer threads than wanted it takes longer. */
static cu_status all_lanes(struct cu_copier *c, uint64_t first, lane_work *work, struct cu_err *err)
{
    struct lane lane[CU_COPY_LANES_MAX] = { 0 };
    cu_status status = CU_OK;

    CU_ASSERT(c->r.lanes > 0);
    atomic_store(&c->job, first);
    for (unsigned i = 0; i < c->r.lanes; i++) {
        lane[i] = (struct lane){ .c = c, .work = work, .number = i };
        if (i > 0) lane[i].runs = pthread_create(&lane[i].thread, NULL, run_lane, &lane[i]) == 0;
    }
    run_lane(&lane[0]);
    for (unsigned i = 0; i < c->r.lanes; i++) {
        if (lane[i].runs) pthread_join(lane[i].thread, NULL);
        if (status == CU_OK && lane[i].status != CU_OK) status = cu_fail(err, lane[i].status, "%s", lane[i].why.text);
    }
    return status;
}

/* ---- sources ---- */
static bool is_up(struct cu_copier *c, size_t s, struct cu_waiting *of)
{
    if (!(of->has & UINT32_C(1) << s)) return false;
    pthread_mutex_lock(&c->lock);
    const bool up = c->source[s].until <= cu_place_now(c->r.p).v;
    if (!up && !of->why[0]) snprintf(of->why, sizeof of->why, "%s", c->source[s].why);
    pthread_mutex_unlock(&c->lock);
    return up;
}

static void answered(struct cu_copier *c, size_t s)
{
    pthread_mutex_lock(&c->lock);
    c->source[s].fails = 0;
    c->source[s].until = 0;
    pthread_mutex_unlock(&c->lock);
}

/* By (3): whoever says that he has no such thing, or sends another, is up. */
static void failed(struct cu_copier *c, size_t s, struct cu_waiting *of, cu_status status, const char *why)
{
    const bool silent = status == CU_IO || cu_status_retry(status);

    atomic_fetch_add(&c->failures, 1);
    if (status == CU_BAD_HASH) atomic_fetch_add(&c->wrong, 1);
    pthread_mutex_lock(&c->lock);
    snprintf(of->why, sizeof of->why, "%.80s: %s", c->r.sources[s].url, why);
    if (silent) {
        const uint64_t pause = (uint64_t)PAUSE_FIRST_MS << (c->source[s].fails < 6 ? c->source[s].fails : 6);
        c->source[s].until = cu_place_now(c->r.p).v + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
        c->source[s].fails++;
        snprintf(c->source[s].why, sizeof c->source[s].why, "%.190s", of->why);
    }
    pthread_mutex_unlock(&c->lock);
}

/* Bytes on their way into a store: what fails there is no source's fault. */
struct bringing {
    struct cu_copier *c;
    struct cu_want *want;
    cu_status here;
};

/* in->at < in->end afterwards: nobody had the rest. */
static cu_status fetch(struct bringing *b, unsigned lane, struct cu_coming *in, struct cu_err *err)
{
    struct cu_copier *c = b->c;
    const struct cu_reading what = { .seq = b->want->of->seq, .reason = cu_span_str(REASON) };

    for (size_t k = 0; k < c->r.sources_n && in->at < in->end; k++) {
        const size_t s = (lane + k) % c->r.sources_n;
        const struct cu_remote *from = &c->r.sources[s].lane[lane];
        struct cu_err why = { 0 };
        if (!is_up(c, s, b->want->of)) continue;
        cu_buf_clear(&in->piece);
        cu_status came = from->ops->bytes(from->self, &what, &b->want->root, in->at, in->end, cu_coming_feed, in, &why);
        if (ending(c)) return interrupted(err);
        if (b->here != CU_OK) return cu_fail(err, b->here, "%s", why.text);
        if (came == CU_OK && in->at < in->end) came = cu_fail(&why, CU_BAD_HASH, "it sent fewer bytes than were asked for");
        if (came == CU_OK) answered(c, s);
        else failed(c, s, b->want->of, came, why.text);
    }
    return CU_OK;
}

static cu_status kept(struct bringing *b, size_t n, cu_status status)
{
    if (status == CU_OK) atomic_fetch_add(&b->c->bytes, n);
    else if (status != CU_BAD_HASH) b->here = status;
    return status;
}

/* ---- small ones: many share a sync ---- */
static cu_status keep_small(void *arg, uint64_t at, struct cu_span bytes, struct cu_err *err)
{
    struct bringing *b = arg;

    (void)at;
    pthread_mutex_lock(&b->c->lock);
    const cu_status put = cu_put_small(b->c->put, CU_OBJECT_CONTENT, &b->want->root, bytes, err);
    pthread_mutex_unlock(&b->c->lock);
    b->want->came = put == CU_OK;
    return kept(b, bytes.n, put);
}

static cu_status bring_one(struct cu_copier *c, unsigned lane, struct cu_want *w, struct cu_buf *piece, struct cu_err *err)
{
    const cu_hash empty = cu_content_root_of(CU_SPAN_EMPTY);
    struct bringing b = { c, w, CU_OK };
    struct cu_coming in = { .size = w->size, .end = w->size, .chunk = &w->root, .piece = *piece, .keep = keep_small, .arg = &b };

    if (w->size == 0 && cu_hash_eq(&w->root, &empty)) return keep_small(&b, 0, CU_SPAN_EMPTY, err);
    if (w->size == 0) return CU_OK;
    const cu_status done = fetch(&b, lane, &in, err);
    *piece = in.piece;
    return done;
}

static cu_status bring_small(struct cu_copier *c, unsigned lane, struct cu_err *err)
{
    CU_BUF piece = cu_buf_heap(CU_CHUNK_BYTES);

    for (uint64_t i; (i = atomic_fetch_add(&c->job, 1)) < c->wants_n;) {
        if (ending(c)) return interrupted(err);
        TRY(bring_one(c, lane, &c->want[i], &piece, err));
    }
    return CU_OK;
}

static cu_status put_batch(struct cu_copier *c, struct cu_err *err)
{
    TRY(cu_put_begin(&c->r.p->store[CU_STORE_NODE], 1, &c->put, err));
    cu_status done = all_lanes(c, 0, bring_small, err);
    if (done == CU_OK) done = cu_put_commit(c->put, err);
    cu_put_free(c->put);
    c->put = NULL;
    return done;
}

cu_status cu_copier_batch(struct cu_copier *c, struct cu_err *err)
{
    const size_t n = c->wants_n;

    if (n == 0) return CU_OK;
    const cu_status done = put_batch(c, err);
    c->wants_n = 0;
    c->wants_bytes = 0;
    TRY(done);
    for (size_t i = 0; i < n; i++) {
        if (c->want[i].came) atomic_fetch_add(&c->objects, 1);
        else c->want[i].of->failed = true;
    }
    return CU_OK;
}

/* ---- a large one ---- */
static cu_status keep_chunk(void *arg, uint64_t at, struct cu_span bytes, struct cu_err *err)
{
    struct bringing *b = arg;

    return kept(b, bytes.n, cu_arrival_add(b->c->large.arrival, at / CU_CHUNK_BYTES, bytes, err));
}

/* The chunks of it that are not here. */
static cu_status bring_segment(struct bringing *b, unsigned lane, uint64_t segment, struct cu_coming *in, struct cu_err *err)
{
    const struct cu_arrival *a = b->c->large.arrival;
    const uint64_t first = segment * CU_COPY_SEGMENT, chunks = cu_content_chunk_count(in->size),
                   last = first + CU_COPY_SEGMENT < chunks ? first + CU_COPY_SEGMENT : chunks;

    for (uint64_t i = first, to; i < last; i = to) {
        for (to = i + 1; to < last && cu_arrival_lacks(a, to) == cu_arrival_lacks(a, i);) to++;
        if (!cu_arrival_lacks(a, i)) continue;
        in->at = i * CU_CHUNK_BYTES;
        in->end = to * CU_CHUNK_BYTES < in->size ? to * CU_CHUNK_BYTES : in->size;
        TRY(fetch(b, lane, in, err));
        if (in->at < in->end) return atomic_store(&b->c->large.failed, true), CU_OK;
    }
    return CU_OK;
}

static cu_status bring_segments(struct cu_copier *c, unsigned lane, struct cu_err *err)
{
    uint8_t *memory = cu_transfer_memory(CU_HUGE_PAGE);
    struct bringing b = { c, &c->large.want, CU_OK };
    struct cu_coming in = {
        .size = c->large.want.size, .piece = cu_buf_over(memory, CU_CHUNK_BYTES), .keep = keep_chunk, .arg = &b
    };
    cu_status done = CU_OK;

    ENSURE(memory, err, CU_NO_MEMORY, "no memory to bring copies");
    for (uint64_t s; done == CU_OK && !atomic_load(&c->large.failed) && (s = atomic_fetch_add(&c->job, 1)) < c->large.until;)
        done = ending(c) ? interrupted(err) : bring_segment(&b, lane, s, &in, err);
    free(memory);
    return done;
}

void cu_copier_forget_large(struct cu_copier *c)
{
    cu_arrival_free(c->large.arrival);
    cu_buf_free(&c->large.chunks);
    c->large.arrival = NULL;
}

/* The roots of its chunks, from whoever has them; else ret->n is 0. */
static cu_status find_chunks(struct cu_copier *c, const struct cu_want *w, struct cu_buf *ret, struct cu_err *err)
{
    const struct cu_reading what = { .seq = w->of->seq, .reason = cu_span_str(REASON) };
    cu_status came = CU_NOT_FOUND;

    for (size_t s = 0; s < c->r.sources_n && came != CU_OK; s++) {
        struct cu_err why = { 0 };
        if (!is_up(c, s, w->of)) continue;
        cu_buf_free(ret);
        came = cu_coming_chunks(&c->r.sources[s].lane[0], &what, &w->root, w->size, ret, &why);
        if (ending(c)) return interrupted(err);
        if (came == CU_NO_MEMORY) return cu_fail(err, came, "%s", why.text);
        if (came == CU_OK) answered(c, s);
        else failed(c, s, w->of, came, why.text);
    }
    if (came != CU_OK) cu_buf_clear(ret);
    return CU_OK;
}

static cu_status turn(struct cu_copier *c, struct cu_err *err)
{
    const uint64_t chunks = cu_content_chunk_count(c->large.want.size),
                   segments = chunks / CU_COPY_SEGMENT + (chunks % CU_COPY_SEGMENT != 0);

    atomic_store(&c->large.failed, false);
    c->large.until = c->large.segment + CU_COPY_TURN < segments ? c->large.segment + CU_COPY_TURN : segments;
    TRY(all_lanes(c, c->large.segment, bring_segments, err));
    if (atomic_load(&c->large.failed)) return c->large.want.of->failed = true, CU_OK;
    c->large.segment = c->large.until;
    if (c->large.segment < segments) return c->large.want.of->unfinished = true, CU_OK;
    TRY(cu_arrival_end(c->large.arrival, err));
    atomic_fetch_add(&c->objects, 1);
    return CU_OK;
}

static cu_status begin_large(struct cu_copier *c, const struct cu_want *w, struct cu_err *err)
{
    CU_BUF chunks = { 0 };

    if (!c->large.arrival || !cu_hash_eq(&c->large.want.root, &w->root)) {
        TRY(find_chunks(c, w, &chunks, err));
        if (chunks.n == 0) return w->of->failed = true, CU_OK;
        cu_copier_forget_large(c);
        c->large.chunks = chunks;
        chunks = (struct cu_buf){ 0 };
        c->large.segment = 0;
        TRY(cu_arrival_begin(c->r.p->store[CU_STORE_NODE], &w->root, w->size, (const cu_hash *)(const void *)c->large.chunks.p,
                             &c->large.arrival, err));
    }
    c->large.want = *w;
    return turn(c, err);
}

/* What it has of an object that does not come any further stays on the disk. */
static cu_status bring_large(struct cu_copier *c, const struct cu_want *w, struct cu_err *err)
{
    if (c->turned) return w->of->unfinished = true, CU_OK;
    const cu_status done = begin_large(c, w, err);
    c->turned = !w->of->failed; /* one that does not come takes nobody's turn */
    const bool own = cu_hash_eq(&c->large.want.root, &w->root);
    if (own && (done != CU_OK || !w->of->unfinished)) cu_copier_forget_large(c);
    return done;
}

/* What did not come is looked for in every pack, too: the search index may have been told less than lies there. */
static bool is_here(struct cu_objects *store, const struct cu_waiting *of, const cu_hash *root, uint64_t size)
{
    struct cu_object o;

    return cu_store_knows(store, CU_OBJECT_CONTENT, root, size) ||
           (of->tries > 0 && size < CU_CHUNK_BYTES && cu_objects_find(store, CU_OBJECT_CONTENT, root, &o, NULL) == CU_OK &&
            o.size == size);
}

cu_status cu_copier_need(struct cu_copier *c, struct cu_waiting *of, const cu_hash *root, uint64_t size, struct cu_err *err)
{
    const struct cu_want w = { .root = *root, .size = size, .of = of };

    if (is_here(c->r.p->store[CU_STORE_NODE], of, root, size)) return CU_OK;
    if (size >= CU_CHUNK_BYTES) return bring_large(c, &w, err);
    if (c->wants_n == CU_COPY_BATCH || c->wants_bytes + size > CU_COPY_BATCH_BYTES) TRY(cu_copier_batch(c, err));
    c->want[c->wants_n++] = w;
    c->wants_bytes += size;
    return CU_OK;
}

/* ---- what travelled with a record ---- */

static bool has_attached(const struct cu_copier *c, const struct cu_entry *e)
{
    struct cu_objects *store = c->r.p->store[CU_STORE_NODE];
    const cu_hash *commitment = cu_entry_commitment(e);
    const struct cu_claim *claim = &e->inner.body.claim;
    struct cu_object o;

    if (commitment && cu_objects_find(store, CU_OBJECT_DETAILS, commitment, &o, NULL) != CU_OK) return false;
    return e->kind != CU_KIND_DEPOSIT || claim->size > CU_CONTENT_INLINE_MAX ||
           cu_store_knows(store, CU_OBJECT_CONTENT, &claim->root, claim->size);
}

/* As it was signed. */
static cu_status judge_record(struct cu_span bytes, struct cu_span entry, const struct cu_entry *e, struct cu_record *ret,
                              struct cu_err *err)
{
    TRY(cu_record_read(bytes, ret, err));
    ENSURE(cu_span_eq(ret->entry, entry), err, CU_BAD_HASH, "it sent another entry's record");
    return cu_record_match(ret, e, err);
}

cu_status cu_copier_attached(struct cu_copier *c, struct cu_waiting *w, struct cu_span entry, const struct cu_entry *e,
                             struct cu_err *err)
{
    const struct cu_attachments to = cu_objects_attachments(&c->attached);
    CU_BUF bytes = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record;
    struct cu_err why = { 0 };

    if (has_attached(c, e)) return CU_OK;
    cu_status got = cu_place_record(c->r.p, w->seq, true, &bytes, &why);
    if (got == CU_OK) got = judge_record(cu_buf_span(&bytes), entry, e, &record, &why);
    for (size_t s = 0; s < c->r.sources_n && got != CU_OK; s++) {
        const struct cu_remote *from = &c->r.sources[s].lane[0];
        if (!from->ops->record || !is_up(c, s, w)) continue;
        cu_buf_clear(&bytes);
        got = from->ops->record(from->self, w->seq, true, &bytes, &why);
        if (got == CU_OK) got = judge_record(cu_buf_span(&bytes), entry, e, &record, &why);
        if (ending(c)) return interrupted(err);
    }
    if (got != CU_OK) return cu_waiting_failed(w, "what travelled with its record: %.200s", why.text), CU_OK;
    return to.put(to.self, w->seq, &record, err);
}
