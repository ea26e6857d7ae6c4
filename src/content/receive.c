/* The invariants are in receive.h. */
#include "content/receive.h"

#include "content/memory.h"

#include <stdio.h>

enum { MARK_BYTES = 16, MARK_EVERY = 64 * CU_CHUNK_BYTES, PIECE = 65536, ROOTS = 1024, PAGE = 4096, BLOCK = CU_CHUNK_BYTES / 8 };

static void name_of(const struct cu_receive *r, const char *suffix, char ret[CU_RECEIVE_PATH_MAX + 16])
{
    snprintf(ret, CU_RECEIVE_PATH_MAX + 16, "%s.%s", r->path, suffix);
}

static cu_status open_file(const struct cu_receive *r, const char *suffix, unsigned flags, struct cu_file **ret,
                           struct cu_err *err)
{
    char path[CU_RECEIVE_PATH_MAX + 16];

    name_of(r, suffix, path);
    return r->fs->ops->open(r->fs->self, path, flags, ret, err);
}

static cu_status sync_folder(const struct cu_receive *r, struct cu_err *err)
{
    char dir[CU_RECEIVE_PATH_MAX];
    const char *slash = strrchr(r->path, '/');

    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - r->path) : 1, slash ? r->path : ".");
    return r->fs->ops->sync_dir(r->fs->self, dir, err);
}

/* ---- the chunk at hand ---- */

static void find_chunk(struct cu_receive *r, uint64_t at)
{
    if (at < r->part_from) r->now = 0, r->part_from = r->part_chunk = 0;
    while (r->now < r->parts_n && at >= r->part_from + r->part[r->now].size) {
        r->part_from += r->part[r->now].size;
        r->part_chunk += cu_content_chunk_count(r->part[r->now++].size);
    }
    r->at = r->chunk_from = r->chunk_end = at;
    cu_content_start(&r->tree);
    if (r->now == r->parts_n) return;
    const uint64_t in = at - r->part_from, end = r->part_from + r->part[r->now].size;
    r->chunk_from = at - in % CU_CHUNK_BYTES;
    r->chunk_end = end - r->chunk_from < CU_CHUNK_BYTES ? end : r->chunk_from + CU_CHUNK_BYTES;
}

/* By (2). */
static cu_status known_root(const struct cu_receive *r, cu_hash *ret, bool *ret_known, struct cu_err *err)
{
    const uint64_t n = r->part_chunk + (r->chunk_from - r->part_from) / CU_CHUNK_BYTES;
    size_t got = 0;

    *ret_known = r->part[r->now].size <= CU_CHUNK_BYTES || r->chunks;
    if (!*ret_known) return CU_OK;
    *ret = r->part[r->now].root;
    if (r->part[r->now].size <= CU_CHUNK_BYTES) return CU_OK;
    TRY(r->chunks->ops->read_at(r->chunks, n * sizeof *ret, ret, sizeof *ret, &got, err));
    ENSURE(got == sizeof *ret, err, CU_CHANGED, "%s.chunks shrank", r->path);
    return CU_OK;
}

static cu_status feed_file(struct cu_file *f, uint64_t from, uint64_t to,
                           cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), void *arg, struct cu_err *err)
{
    CU_BUF piece = cu_buf_heap(PIECE);
    uint8_t *bytes = cu_buf_grow(&piece, PIECE);
    size_t got;

    TRY(cu_buf_ok(&piece, err));
    for (; from < to; from += got) {
        const size_t want = to - from < PIECE ? (size_t)(to - from) : PIECE;
        ENSURE(f, err, CU_NOT_FOUND, "what was received is not open"); /* of nothing there is no file */
        TRY(f->ops->read_at(f, from, bytes, want, &got, err));
        ENSURE(got == want, err, CU_CHANGED, "what was received shrank while it was read");
        TRY(feed(arg, cu_span(bytes, got), err));
    }
    return CU_OK;
}

static cu_status add_to_tree(void *tree, struct cu_span bytes, struct cu_err *err)
{
    (void)err;
    cu_content_add(tree, bytes);
    return CU_OK;
}

/* ---- (4) ---- */

static cu_status write_block(void *arg, size_t n, struct cu_err *err)
{
    const struct cu_receive *r = arg;

    return r->bytes->ops->write_at(r->bytes, r->block[n].at, cu_span(r->block[n].from, r->block[n].n), err);
}

/* What comes in a few pieces is not worth a thread. */
static cu_status start_writing(struct cu_receive *r, struct cu_err *err)
{
    const struct cu_lane lane = { .work = write_block, .arg = r };

    for (int i = 0; i < 2; i++) {
        r->block[i].bytes = cu_transfer_memory(BLOCK);
        ENSURE(r->block[i].bytes, err, CU_NO_MEMORY, "no memory for what comes: nothing of it was kept");
    }
    TRY(cu_crew_new(&lane, 1, 2, r->length - r->durable > CU_CHUNK_BYTES, &r->crew, err));
    return cu_crew_claim(r->crew, &r->gathers, err);
}

static void stop_writing(struct cu_receive *r)
{
    cu_crew_free(r->crew);
    r->crew = NULL;
    for (int i = 0; i < 2; i++) free(r->block[i].bytes), r->block[i].bytes = NULL;
    r->held_n = r->held_new = 0;
}

/* Up to `at`: the page that is not full is read again. */
static cu_status hold(struct cu_receive *r, struct cu_file *f, uint64_t at, struct cu_err *err)
{
    size_t got = 0;

    r->held_n = at % PAGE;
    r->held_new = 0;
    if (r->held_n > 0) TRY(f->ops->read_at(f, at - r->held_n, r->block[r->gathers].bytes, r->held_n, &got, err));
    ENSURE(got == r->held_n, err, CU_CHANGED, "%s.bytes shrank", r->path);
    return CU_OK;
}

/* What the last page lacks is zero. */
static cu_status write_held(struct cu_receive *r, struct cu_err *err)
{
    const size_t rest = r->held_n % PAGE, whole = r->held_n - rest + (rest ? PAGE : 0), now = r->gathers;
    uint8_t *bytes = r->block[now].bytes;

    if (r->held_new == 0) return CU_OK;
    if (rest) memset(bytes + r->held_n, 0, whole - r->held_n);
    r->block[now].from = bytes;
    r->block[now].n = whole;
    r->block[now].at = r->at - r->held_n;
    cu_crew_submit(r->crew);
    TRY(cu_crew_claim(r->crew, &r->gathers, err));
    if (rest) memcpy(r->block[r->gathers].bytes, bytes + r->held_n - rest, rest);
    r->held_n = rest;
    r->held_new = 0;
    return CU_OK;
}

/* Whole pages that lie on pages are written from where they lie, while they are hashed. */
static bool lies_well(const struct cu_receive *r, struct cu_span bytes)
{
    return r->held_n == 0 && r->at % PAGE == 0 && (uintptr_t)bytes.p % PAGE == 0 && bytes.n >= PAGE;
}

static cu_status write_pages(struct cu_receive *r, struct cu_span pages, struct cu_err *err)
{
    r->block[r->gathers].from = pages.p;
    r->block[r->gathers].n = pages.n;
    r->block[r->gathers].at = r->at;
    cu_crew_submit(r->crew);
    cu_content_add(&r->tree, pages);
    r->at += pages.n;
    return cu_crew_claim(r->crew, &r->gathers, err);
}

/* All of it is in the file, and nothing else. */
static cu_status flush(struct cu_receive *r, struct cu_err *err)
{
    const bool padded = r->held_new > 0 && r->held_n % PAGE != 0;

    if (!r->crew) return CU_OK;
    TRY(write_held(r, err));
    TRY(cu_crew_wait(r->crew, ~0U, cu_crew_submitted(r->crew), err));
    return padded ? r->bytes->ops->truncate(r->bytes, r->at, err) : CU_OK;
}

/* ---- the file, read again ---- */

/* The chunk at hand from its begin to `at`, as it lies. */
static cu_status take_up(struct cu_receive *r, uint64_t at, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;

    find_chunk(r, at);
    if (at == r->chunk_from && at % PAGE == 0) return r->held_n = r->held_new = 0, CU_OK;
    TRY(open_file(r, "bytes", CU_OPEN_READ, &f, err));
    TRY(feed_file(f, r->chunk_from, at, add_to_tree, &r->tree, err));
    return r->crew ? hold(r, f, at, err) : CU_OK;
}

/* ---- the mark ---- */

static void put_mark(uint64_t at, uint8_t ret[MARK_BYTES])
{
    cu_put_be64(ret, at);
    const cu_hash sum = cu_sha256(cu_span(ret, 8));
    memcpy(ret + 8, sum.b, 8);
}

static cu_status write_mark(struct cu_receive *r, uint64_t at, struct cu_err *err)
{
    uint8_t mark[MARK_BYTES];

    put_mark(at, mark);
    const cu_status written = r->mark->ops->write_at(r->mark, 0, CU_SPAN_OF(mark), err);
    if (written != CU_OK) { /* half of one says nothing: what it said is put back, as far as that can be done */
        put_mark(r->durable, mark);
        (void)!r->mark->ops->write_at(r->mark, 0, CU_SPAN_OF(mark), NULL);
        return written;
    }
    TRY(r->mark->ops->sync(r->mark, err));
    r->durable = at;
    return CU_OK;
}

/* (1). A file that could not be synced is not known any more from the last mark on: that part comes again. */
static cu_status settle(struct cu_receive *r, struct cu_err *err)
{
    if (r->at == r->durable) return CU_OK;
    cu_status settled = flush(r, err);
    if (settled == CU_OK && r->at > r->durable) settled = r->bytes->ops->sync(r->bytes, err);
    if (settled == CU_OK) settled = write_mark(r, r->at, err);
    r->broken = r->broken || settled != CU_OK;
    return settled;
}

static cu_status read_mark(const struct cu_receive *r, uint64_t *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    uint8_t is[MARK_BYTES] = { 0 }, should[MARK_BYTES];
    size_t got = 0;
    const cu_status opened = open_file(r, "mark", CU_OPEN_READ, &f, err);

    *ret = 0;
    if (opened == CU_NOT_FOUND) return CU_OK;
    TRY(opened);
    TRY(f->ops->read_at(f, 0, is, sizeof is, &got, err));
    put_mark(cu_be64(is), should);
    if (got == sizeof is && memcmp(is, should, sizeof is) == 0) *ret = cu_be64(is);
    return CU_OK;
}

/* ---- opening ---- */

static cu_status size_of(const struct cu_receive *r, const char *suffix, uint64_t *ret, bool *ret_there, struct cu_err *err)
{
    char path[CU_RECEIVE_PATH_MAX + 16];
    struct cu_file_stat st;

    name_of(r, suffix, path);
    const cu_status found = r->fs->ops->stat(r->fs->self, path, &st, err);
    *ret_there = found == CU_OK;
    *ret = found == CU_OK ? st.size : 0;
    return found == CU_NOT_FOUND ? CU_OK : found;
}

static void close_files(struct cu_receive *r)
{
    stop_writing(r);
    cu_file_close(&r->bytes);
    cu_file_close(&r->mark);
    cu_file_close(&r->chunks);
}

static cu_status open_files(struct cu_receive *r, struct cu_err *err)
{
    TRY(open_file(r, "bytes", CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_DIRECT, &r->bytes, err));
    TRY(open_file(r, "mark", CU_OPEN_WRITE | CU_OPEN_CREATE, &r->mark, err));
    return r->has_chunks ? open_file(r, "chunks", CU_OPEN_READ, &r->chunks, err) : CU_OK;
}

/* What of the file from `at` on has the roots that it should have: (3). */
static cu_status go_on(struct cu_receive *r, uint64_t at, uint64_t size, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    bool known = true;
    cu_hash want, is;

    TRY(take_up(r, at, err));
    TRY(open_file(r, "bytes", CU_OPEN_READ, &f, err));
    while (r->at < r->length && r->chunk_end <= size) {
        TRY(known_root(r, &want, &known, err));
        if (!known) return CU_OK;
        TRY(feed_file(f, r->at, r->chunk_end, add_to_tree, &r->tree, err));
        is = cu_content_root(&r->tree);
        if (!cu_hash_eq(&is, &want)) return find_chunk(r, at), CU_OK;
        at = r->chunk_end;
        find_chunk(r, at);
    }
    return CU_OK;
}

static cu_status recover(struct cu_receive *r, uint64_t size, struct cu_err *err)
{
    cu_status done = open_files(r, err);

    if (done == CU_OK) done = go_on(r, r->durable, size, err);
    if (done == CU_OK) done = settle(r, err);
    close_files(r);
    return done;
}

cu_status cu_receive_open(const struct cu_fs *fs, const char *path, const struct cu_receive_part *part, size_t parts_n,
                          struct cu_receive *ret, struct cu_err *err)
{
    struct cu_receive r = { .fs = fs, .part = part, .parts_n = parts_n };
    uint64_t size, mark, chunks;
    bool there, listed;

    snprintf(r.path, sizeof r.path, "%s", path);
    for (size_t i = 0; i < parts_n; i++) r.length += part[i].size;
    TRY(read_mark(&r, &mark, err));
    TRY(size_of(&r, "bytes", &size, &there, err));
    TRY(size_of(&r, "chunks", &chunks, &listed, err));
    r.has_chunks = chunks > 0;
    r.moved = !there && mark == r.length && mark > 0;
    r.durable = r.moved ? mark : mark < size ? mark : size;
    if (r.durable > r.length) r.durable = r.length;
    r.stale = mark > r.durable;
    if (!r.moved && size > r.durable) TRY(recover(&r, size, err));
    *ret = r;
    return CU_OK;
}

cu_status cu_receive_reset(const struct cu_fs *fs, const char *path, struct cu_err *err)
{
    static const char *const suffixes[] = { "mark", "bytes", "chunks" };
    struct cu_receive r = { .fs = fs };

    snprintf(r.path, sizeof r.path, "%s", path);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
        const cu_status opened = open_file(&r, suffixes[i], CU_OPEN_WRITE | CU_OPEN_TRUNCATE, &f, err);
        if (opened != CU_NOT_FOUND) TRY(opened);
        if (opened == CU_OK) TRY(f->ops->sync(f, err));
    }
    return CU_OK;
}

/* ---- the sender's list ---- */

/* Whole chunks are complete subtrees; the last, if it is not full, is what is left on the right. */
static cu_hash fold(const struct cu_frontier *whole, const cu_hash *last)
{
    cu_hash up = *last;

    for (unsigned i = whole->n; i > 0; i--) up = cu_node_hash(&whole->node[i - 1], &up);
    return up;
}

struct roots {
    struct cu_file *file; /* or, NULL, */
    struct cu_span all;
};

static cu_status read_roots(const struct roots *from, uint64_t first, size_t n, cu_hash *ret, struct cu_err *err)
{
    const size_t bytes = n * sizeof *ret;
    size_t got = bytes;

    if (from->file) TRY(from->file->ops->read_at(from->file, first * sizeof *ret, ret, bytes, &got, err));
    else if (!from->all.p || from->all.n / sizeof *ret < first + n) got = 0;
    else memcpy(ret, from->all.p + first * sizeof *ret, bytes);
    ENSURE(got == bytes, err, CU_BAD_HASH,
           "the list of chunks is shorter than the content: one root of 32 bytes for each MiB of it");
    return CU_OK;
}

static cu_status lead_to(const struct roots *from, uint64_t first, const struct cu_receive_part *part, struct cu_err *err)
{
    const uint64_t n = cu_content_chunk_count(part->size), whole = part->size / CU_CHUNK_BYTES;
    struct cu_frontier f = { .size = { 0 } };
    cu_hash root[ROOTS], last = { { 0 } };
    size_t some;

    for (uint64_t at = 0; at < n; at += some) {
        some = n - at < ROOTS ? (size_t)(n - at) : ROOTS;
        TRY(read_roots(from, first + at, some, root, err));
        for (size_t i = 0; i < some && at + i < whole; i++) cu_frontier_append_subtree(&f, 8, &root[i]);
        last = root[some - 1];
    }
    if (n == 0) return CU_OK;
    const cu_hash is = whole < n ? fold(&f, &last) : cu_frontier_root(&f);
    ENSURE(cu_hash_eq(&is, &part->root), err, CU_BAD_HASH,
           "the list of chunks does not lead to the root that was claimed: nothing of it was kept");
    return CU_OK;
}

cu_status cu_receive_set_chunks(struct cu_receive *r, struct cu_span roots, struct cu_err *err)
{
    const struct roots from = { .all = roots };
    char path[CU_RECEIVE_PATH_MAX + 16], incoming[CU_RECEIVE_PATH_MAX + 16];

    ENSURE(r->durable == 0 && !r->bytes, err, CU_OUT_OF_ORDER,
           "the list of chunks comes before the first byte, and bytes are here already: they stay, and are judged at the end");
    ENSURE(roots.n > 0 && roots.n % sizeof(cu_hash) == 0, err, CU_MALFORMED,
           "a list of chunks is one root of 32 bytes for each MiB: nothing was kept");
    TRY(lead_to(&from, 0, &r->part[0], err));
    name_of(r, "chunks", path);
    name_of(r, "chunks.new", incoming);
    TRY(cu_fs_replace(r->fs, path, incoming, roots, true, err));
    r->has_chunks = true;
    return CU_OK;
}

static cu_status all_lead(const struct cu_receive *r, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    uint64_t first = 0;

    TRY(open_file(r, "chunks", CU_OPEN_READ, &f, err));
    for (size_t i = 0; i < r->parts_n; i++) {
        TRY(lead_to(&(struct roots){ .file = f }, first, &r->part[i], err));
        first += cu_content_chunk_count(r->part[i].size);
    }
    return CU_OK;
}

static cu_status forget_chunks(struct cu_receive *r, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;

    cu_file_close(&r->chunks);
    r->has_chunks = false;
    TRY(open_file(r, "chunks", CU_OPEN_WRITE | CU_OPEN_TRUNCATE, &f, err));
    return f->ops->sync(f, err);
}

cu_status cu_receive_extend(struct cu_receive *r, const struct cu_receive_part *part, size_t parts_n, struct cu_err *err)
{
    cu_status lead = CU_OK;

    for (size_t i = r->parts_n; i < parts_n; i++) r->length += part[i].size;
    r->part = part;
    r->parts_n = parts_n;
    if (r->has_chunks) lead = all_lead(r, err);
    if (lead == CU_BAD_HASH) lead = forget_chunks(r, err);
    if (lead == CU_OK && r->bytes) find_chunk(r, r->at);
    return lead;
}

/* ---- receiving ---- */

/* The mark first: it never says more than what counts. */
static cu_status fall_back(struct cu_receive *r, uint64_t to, struct cu_err *err)
{
    if (r->durable > to) TRY(write_mark(r, to, err));
    TRY(flush(r, err));
    TRY(r->bytes->ops->truncate(r->bytes, to, err));
    return take_up(r, to, err);
}

cu_status cu_receive_rewind(struct cu_receive *r, struct cu_err *err) { return fall_back(r, 0, err); }

static cu_status begin(struct cu_receive *r, struct cu_err *err)
{
    TRY(open_files(r, err));
    if (r->durable == 0) TRY(sync_folder(r, err)); /* the files' names */
    if (r->stale) TRY(write_mark(r, r->durable, err));
    r->stale = false;
    TRY(r->bytes->ops->truncate(r->bytes, r->durable, err));
    TRY(start_writing(r, err));
    return take_up(r, r->durable, err);
}

cu_status cu_receive_begin(struct cu_receive *r, bool together, struct cu_err *err)
{
    CU_ASSERT(!r->bytes);
    r->together = together;
    r->broken = false;
    const cu_status begun = begin(r, err);
    if (begun != CU_OK) close_files(r);
    return begun;
}

static cu_status judge_chunk(struct cu_receive *r, struct cu_err *err)
{
    const cu_hash is = cu_content_root(&r->tree);
    const uint64_t from = r->chunk_from;
    bool known;
    cu_hash want;

    TRY(known_root(r, &want, &known, err));
    if (!known || cu_hash_eq(&is, &want)) return find_chunk(r, r->at), CU_OK;
    TRY(fall_back(r, from, err));
    return cu_fail(err, CU_BAD_HASH,
                   "the chunk at offset %llu is not what was claimed: it does not count, and %llu is the offset again", LLU(from),
                   LLU(from));
}

static cu_status gather(struct cu_receive *r, struct cu_span bytes, struct cu_err *err)
{
    memcpy(r->block[r->gathers].bytes + r->held_n, bytes.p, bytes.n);
    cu_content_add(&r->tree, bytes);
    r->at += bytes.n;
    r->held_n += bytes.n;
    r->held_new += bytes.n;
    return r->held_n == BLOCK ? write_held(r, err) : CU_OK;
}

static cu_status add(struct cu_receive *r, struct cu_span bytes, struct cu_err *err)
{
    const uint64_t before = cu_crew_submitted(r->crew); /* of what was given with the last call */

    while (bytes.n > 0) {
        const uint64_t left = r->chunk_end - r->at;
        size_t n = bytes.n < left ? bytes.n : (size_t)left;
        ENSURE(left > 0, err, CU_TOO_LARGE, "more bytes came than were claimed: those behind the end were not kept");
        const bool well = lies_well(r, cu_span(bytes.p, n));
        if (well) n -= n % PAGE;
        else if (n > BLOCK - r->held_n) n = BLOCK - r->held_n;
        TRY((well ? write_pages : gather)(r, cu_span(bytes.p, n), err));
        bytes = cu_span_from(bytes, n);
        if (r->at == r->chunk_end) TRY(judge_chunk(r, err));
        if (!r->together && r->at - r->durable >= MARK_EVERY) TRY(settle(r, err));
    }
    return cu_crew_wait(r->crew, ~0U, before, err);
}

cu_status cu_receive_add(struct cu_receive *r, struct cu_span bytes, struct cu_err *err)
{
    const cu_status added = add(r, bytes, err);

    if (added != CU_OK && added != CU_BAD_HASH && added != CU_TOO_LARGE) r->broken = true;
    return added;
}

void cu_receive_still(struct cu_receive *r)
{
    if (r->crew) (void)!cu_crew_wait(r->crew, ~0U, cu_crew_submitted(r->crew), NULL); /* `end` tells what failed */
}

cu_status cu_receive_end(struct cu_receive *r, bool keep, struct cu_err *err)
{
    cu_status ended = CU_OK;

    if (!r->broken && (keep || !r->together)) ended = settle(r, err);
    close_files(r);
    return ended;
}

/* ---- out again ---- */

cu_status cu_receive_read(struct cu_receive *r, uint64_t from, uint64_t to,
                          cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;

    if (from == to) return CU_OK;
    TRY(flush(r, err));
    TRY(open_file(r, "bytes", CU_OPEN_READ, &f, err));
    return feed_file(f, from, to, feed, arg, err);
}

static cu_status add_to_buf(void *buf, struct cu_span bytes, struct cu_err *err)
{
    cu_buf_add(buf, bytes);
    return cu_buf_ok(buf, err);
}

static cu_status add_to_put(void *put, struct cu_span bytes, struct cu_err *err) { return cu_put_large_add(put, bytes, err); }

static cu_status is_root(const cu_hash *is, const struct cu_receive_part *part, struct cu_err *err)
{
    ENSURE(cu_hash_eq(is, &part->root), err, CU_BAD_HASH, "the bytes that arrived are not those that were claimed");
    return CU_OK;
}

static cu_status store_part(struct cu_file *f, const struct cu_receive_part *part, uint64_t from, struct cu_put *put,
                            struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_CHUNK_BYTES);
    uint64_t size;
    cu_hash is;

    if (part->size < CU_CHUNK_BYTES) {
        TRY(feed_file(f, from, from + part->size, add_to_buf, &bytes, err));
        is = cu_content_root_of(cu_buf_span(&bytes));
        TRY(is_root(&is, part, err));
        return cu_put_small(put, CU_OBJECT_CONTENT, &is, cu_buf_span(&bytes), err);
    }
    TRY(cu_put_large_begin(put, err));
    TRY(feed_file(f, from, from + part->size, add_to_put, put, err));
    TRY(cu_put_large_end(put, &is, &size, err));
    return is_root(&is, part, err);
}

/* Whoever was stopped between the last page and its cutting left zeros. */
static cu_status cut_zeros(struct cu_receive *r, const char *path, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    uint64_t size;

    TRY(r->fs->ops->open(r->fs->self, path, CU_OPEN_WRITE, &f, err));
    TRY(f->ops->size(f, &size, err));
    if (size <= r->length) return CU_OK;
    TRY(f->ops->truncate(f, r->length, err));
    return f->ops->sync(f, err);
}

cu_status cu_receive_store(struct cu_receive *r, struct cu_put *put, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    char path[CU_RECEIVE_PATH_MAX + 16];
    uint64_t from = 0;

    CU_ASSERT(r->durable == r->length && !r->bytes);
    name_of(r, "bytes", path);
    if (r->parts_n == 1 && r->length >= CU_CHUNK_BYTES) {
        TRY(cut_zeros(r, path, err));
        return cu_put_adopt(put, path, &r->part[0].root, err);
    }
    if (r->length > 0) TRY(open_file(r, "bytes", CU_OPEN_READ, &f, err));
    for (size_t i = 0; i < r->parts_n; i++) {
        TRY(store_part(f, &r->part[i], from, put, err));
        from += r->part[i].size;
    }
    return CU_OK;
}

void cu_receive_stored(struct cu_receive *r)
{
    char path[CU_RECEIVE_PATH_MAX + 16];

    name_of(r, "bytes", path);
    r->moved = r->length > 0 && !cu_fs_exists(r->fs, path);
}

cu_status cu_receive_again(struct cu_receive *r, struct cu_err *err)
{
    cu_status again;

    TRY(open_files(r, err));
    again = go_on(r, 0, r->moved ? 0 : r->length, err);
    r->moved = false;
    if (again == CU_OK) again = fall_back(r, r->at, err);
    close_files(r);
    return again;
}
