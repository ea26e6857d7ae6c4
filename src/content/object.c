/* Reading one object: nothing that was not verified is handed on. */
#include "content/memory.h"
#include "content/scan.h"
#include "content/store.h"

#include "custody/text.h"

#include <stdlib.h>

static void free_bytes(uint8_t **p) { free(*p); }

/* ---- a small one: as a whole ---- */

static cu_status read_packed(const struct cu_object *o, uint8_t *ret, struct cu_err *err)
{
    struct cu_objects *s = o->store;
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    char path[CU_STORE_PATH_MAX];
    size_t got = 0;

    cu_store_path(s, CU_STORE_PACK, &o->pack, path);
    TRY(s->fs->ops->open(s->fs->self, path, CU_OPEN_READ, &f, err));
    TRY(f->ops->read_at(f, o->offset, ret, (size_t)o->size, &got, err));
    cu_hash name = cu_object_name(o->kind, cu_span(ret, got));
    ENSURE(got == o->size && cu_hash_eq(&name, &o->name), err, CU_BAD_HASH,
           "%s: the object at offset %llu does not have the bytes that were recorded", path, (unsigned long long)o->offset);
    return CU_OK;
}

/* ---- a large one: chunk by chunk ---- */

/* The root of each chunk, out of the tree file, once they lead to the name: 32 bytes a megabyte. */
struct chunks {
    cu_hash *root;
    uint64_t n;
};

static void chunks_free(struct chunks *c) { free(c->root); }

enum { LEAVES = CU_CHUNK_BYTES / CU_LEAF_BYTES, CHUNK_LEVEL = 8, LONG = 16 * CU_CHUNK_BYTES };

static cu_status read_tree(const struct cu_object *o, const char *path, struct cu_file *tree, struct chunks *c,
                           cu_leaves_fn *feed, void *arg, struct cu_err *err)
{
    uint64_t leaves_n = cu_content_leaf_count(o->size), size = 0;
    struct cu_frontier frontier = { .size = { 0 } };
    cu_hash leaves[LEAVES];
    size_t got = 0;

    TRY(tree->ops->size(tree, &size, err));
    ENSURE(size == leaves_n * sizeof(cu_hash), err, CU_BAD_HASH, "%s has not the length of a tree over %llu bytes", path,
           (unsigned long long)o->size);
    for (uint64_t i = 0; i < c->n; i++) {
        size_t n = leaves_n - i * LEAVES < LEAVES ? (size_t)(leaves_n - i * LEAVES) : LEAVES;
        TRY(tree->ops->read_at(tree, i * sizeof leaves, leaves, n * sizeof *leaves, &got, err));
        ENSURE(got == n * sizeof *leaves, err, CU_CHANGED, "%s shrank while it was read", path);
        c->root[i] = cu_tree_root(leaves, n);
        if (n == LEAVES) cu_frontier_append_subtree(&frontier, CHUNK_LEVEL, &c->root[i]);
        else cu_frontier_append_all(&frontier, leaves, n);
        if (feed) TRY(feed(arg, leaves, n, err));
    }
    cu_hash root = cu_frontier_root(&frontier);
    ENSURE(cu_hash_eq(&root, &o->name), err, CU_BAD_HASH, "%s does not lead to the root that is its name", path);
    return CU_OK;
}

static cu_status load_chunks(const struct cu_object *o, struct chunks *c, cu_leaves_fn *feed, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *tree = NULL;
    char path[CU_STORE_PATH_MAX];

    cu_store_path(o->store, CU_STORE_TREE, &o->name, path);
    TRY(o->store->fs->ops->open(o->store->fs->self, path, CU_OPEN_READ, &tree, err));
    c->n = o->size / CU_CHUNK_BYTES + (o->size % CU_CHUNK_BYTES != 0);
    c->root = malloc((size_t)c->n * sizeof *c->root);
    ENSURE(c->root, err, CU_NO_MEMORY, "no memory for the tree of %s", path);
    return read_tree(o, path, tree, c, feed, arg, err);
}

/* A film is asked for in a hundred parts: its tree is read, and led to its name, for the first. */
enum { LATELY_MAX = 1 << 15 };

static bool known_lately(const struct cu_object *o, struct chunks *c)
{
    struct cu_objects *s = o->store;
    const uint64_t n = o->size / CU_CHUNK_BYTES + (o->size % CU_CHUNK_BYTES != 0);

    pthread_mutex_lock(&s->lock);
    if (s->lately.root && s->lately.n == n && cu_hash_eq(&s->lately.name, &o->name))
        c->root = malloc((size_t)n * sizeof *c->root);
    if (c->root) memcpy(c->root, s->lately.root, (size_t)n * sizeof *c->root), c->n = n;
    pthread_mutex_unlock(&s->lock);
    return c->root != NULL;
}

static void know_lately(const struct cu_object *o, const struct chunks *c)
{
    struct cu_objects *s = o->store;

    if (c->n == 0 || c->n > LATELY_MAX) return;
    pthread_mutex_lock(&s->lock);
    cu_hash *root = realloc(s->lately.root, (size_t)c->n * sizeof *root);
    if (root) {
        memcpy(root, c->root, (size_t)c->n * sizeof *root);
        s->lately.root = root;
        s->lately.n = c->n;
        s->lately.name = o->name;
    }
    pthread_mutex_unlock(&s->lock);
}

typedef cu_status (*feed_fn)(void *arg, struct cu_span bytes, struct cu_err *err);

struct range {
    uint64_t from, to;
};

/* What of a piece that begins at `at` is asked for. */
static struct cu_span part_of(struct cu_span piece, uint64_t at, struct range r)
{
    size_t begin = r.from > at ? (size_t)(r.from - at) : 0, end = r.to - at < piece.n ? (size_t)(r.to - at) : piece.n;
    return cu_span(piece.p + begin, end - begin);
}

/* Memory for a chunk. */
struct reading {
    struct cu_objects *s;
    uint8_t *bytes;
};

static void take_memory(struct reading *r)
{
    pthread_mutex_lock(&r->s->lock);
    for (int i = 0; i < CU_STORE_SPARES && !r->bytes; i++) r->bytes = r->s->spare[i], r->s->spare[i] = NULL;
    pthread_mutex_unlock(&r->s->lock);
    if (!r->bytes) r->bytes = cu_transfer_memory(CU_HUGE_PAGE);
}

static void give_memory(struct reading *r)
{
    pthread_mutex_lock(&r->s->lock);
    for (int i = 0; i < CU_STORE_SPARES && r->bytes; i++)
        if (!r->s->spare[i]) r->s->spare[i] = r->bytes, r->bytes = NULL;
    pthread_mutex_unlock(&r->s->lock);
    free(r->bytes);
}

/* `c` NULL: it is not judged. */
static cu_status read_chunk(const struct cu_object *o, struct cu_file *f, const char *path, const struct chunks *c, uint64_t i,
                            uint8_t *bytes, size_t *ret_n, struct cu_err *err)
{
    const uint64_t at = i * CU_CHUNK_BYTES, left = o->size - at;
    const size_t want = left < CU_CHUNK_BYTES ? (size_t)left : CU_CHUNK_BYTES;
    cu_hash leaves[LEAVES];
    size_t got = 0;

    TRY(f->ops->read_at(f, at, bytes, (want + CU_LEAF_BYTES - 1) / CU_LEAF_BYTES * CU_LEAF_BYTES, &got, err));
    if (got > want) got = want;
    const cu_hash root = c ? cu_tree_root(leaves, cu_content_leaves(cu_span(bytes, got), leaves)) : (cu_hash){ 0 };
    ENSURE(got == want && (!c || cu_hash_eq(&root, &c->root[i])), err, CU_BAD_HASH,
           "%s: the megabyte at offset %llu does not have the bytes that were recorded", path, (unsigned long long)at);
    *ret_n = want;
    return CU_OK;
}

static cu_status stream_chunks(const struct cu_object *o, const struct chunks *c, struct range r, feed_fn feed, void *arg,
                               struct cu_err *err)
{
    struct cu_objects *s = o->store;
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    CU_CLEANUP(give_memory) struct reading memory = { .s = s };
    const bool much = r.to - r.from >= CU_CHUNK_BYTES; /* who asks for a part of a chunk soon asks for the next one of it */
    char path[CU_STORE_PATH_MAX];
    size_t n = 0;

    take_memory(&memory);
    uint8_t *const bytes = memory.bytes;
    ENSURE(bytes, err, CU_NO_MEMORY, "no memory to read an object");
    cu_store_path(s, CU_STORE_LARGE, &o->name, path);
    TRY(s->fs->ops->open(s->fs->self, path, CU_OPEN_READ | (much ? CU_OPEN_DIRECT : 0), &f, err));
    for (uint64_t i = r.from / CU_CHUNK_BYTES; i < c->n && i * CU_CHUNK_BYTES < r.to; i++) {
        TRY(read_chunk(o, f, path, c, i, bytes, &n, err));
        if (feed) TRY(feed(arg, part_of(cu_span(bytes, n), i * CU_CHUNK_BYTES, r), err));
    }
    return CU_OK;
}

/* A long one is read and hashed by four lanes, while the caller is at work on what was read. */
struct handing_on {
    const struct cu_object *o;
    const struct chunks *c;
    feed_fn feed;
    void *arg;
};

static cu_status hand_on(void *arg, uint64_t at, struct cu_span bytes, const cu_hash *leaves, size_t n, struct cu_err *err)
{
    const struct handing_on *h = arg;
    cu_hash root = cu_tree_root(leaves, n);

    ENSURE(at / CU_CHUNK_BYTES < h->c->n && cu_hash_eq(&root, &h->c->root[at / CU_CHUNK_BYTES]), err, CU_BAD_HASH,
           "the megabyte at offset %llu does not have the bytes that were recorded", (unsigned long long)at);
    return h->feed ? h->feed(h->arg, bytes, err) : CU_OK;
}

static cu_status stream_long(const struct cu_object *o, const struct chunks *c, feed_fn feed, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_scan_cleanup) struct cu_scan *scan = NULL;
    struct handing_on h = { o, c, feed, arg };
    char path[CU_STORE_PATH_MAX];
    uint64_t size;

    TRY(cu_scan_new(true, &scan, err));
    cu_store_path(o->store, CU_STORE_LARGE, &o->name, path);
    cu_status status = cu_scan_file(scan, o->store->fs, path, hand_on, &h, &size, err);
    if (status == CU_BAD_HASH) return cu_fail_while(err, status, "%s", path);
    TRY(status);
    ENSURE(size == o->size, err, CU_CHANGED, "%s changed its length while it was read", path);
    return CU_OK;
}

/* ---- either ---- */

static cu_status stream_range(const struct cu_object *o, struct range r, feed_fn feed, void *arg, struct cu_err *err)
{
    if (!o->packed) {
        CU_CLEANUP(chunks_free) struct chunks c = { NULL, 0 };
        const bool all = r.from == 0 && r.to == o->size;
        if (all || !known_lately(o, &c)) {
            TRY(load_chunks(o, &c, NULL, NULL, err));
            if (!all) know_lately(o, &c);
        }
        return all && o->size >= LONG ? stream_long(o, &c, feed, arg, err) : stream_chunks(o, &c, r, feed, arg, err);
    }
    CU_CLEANUP(free_bytes) uint8_t *bytes = malloc(CU_SMALL_MAX);
    ENSURE(bytes, err, CU_NO_MEMORY, "no memory to read an object");
    TRY(read_packed(o, bytes, err));
    return feed ? feed(arg, part_of(cu_span(bytes, (size_t)o->size), 0, r), err) : CU_OK;
}

cu_status cu_object_stream(const struct cu_object *o, feed_fn feed, void *arg, struct cu_err *err)
{
    return stream_range(o, (struct range){ 0, o->size }, feed, arg, err);
}

cu_status cu_object_stream_range(const struct cu_object *o, uint64_t from, uint64_t to, feed_fn feed, void *arg,
                                 struct cu_err *err)
{
    ENSURE(from < to && to <= o->size, err, CU_USAGE, "the object has %llu bytes: there are none from %llu to %llu",
           (unsigned long long)o->size, (unsigned long long)from, (unsigned long long)to);
    return stream_range(o, (struct range){ from, to }, feed, arg, err);
}

static cu_status read_into(const struct cu_object *o, const struct chunks *c, uint64_t i, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    char path[CU_STORE_PATH_MAX];
    size_t n = 0;

    cu_store_path(o->store, CU_STORE_LARGE, &o->name, path);
    TRY(o->store->fs->ops->open(o->store->fs->self, path, CU_OPEN_READ | CU_OPEN_DIRECT, &f, err));
    TRY(read_chunk(o, f, path, c, i, ret->p, &n, err));
    ret->n = n;
    return CU_OK;
}

cu_status cu_object_chunk(const struct cu_object *o, uint64_t from, uint64_t to, bool judged, struct cu_buf *ret,
                          struct cu_err *err)
{
    CU_CLEANUP(chunks_free) struct chunks c = { NULL, 0 };
    const uint64_t end = o->size - from < CU_CHUNK_BYTES ? o->size : from + CU_CHUNK_BYTES;
    const bool whole = !o->packed && from % CU_CHUNK_BYTES == 0 && to == end && from < end,
               room = ret->n == 0 && ret->cap >= CU_CHUNK_BYTES && (uintptr_t)ret->p % CU_LEAF_BYTES == 0;

    if (!whole || !room) return cu_object_stream_range(o, from, to, cu_buf_take, ret, err);
    if (judged && !known_lately(o, &c)) {
        TRY(load_chunks(o, &c, NULL, NULL, err));
        know_lately(o, &c);
    }
    return read_into(o, judged ? &c : NULL, from / CU_CHUNK_BYTES, ret, err);
}

cu_status cu_object_leaves(const struct cu_object *o, cu_leaves_fn *feed, void *arg, struct cu_err *err)
{
    CU_CLEANUP(chunks_free) struct chunks c = { 0 };
    cu_hash leaves[LEAVES];

    if (!o->packed) return load_chunks(o, &c, feed, arg, err);
    CU_CLEANUP(free_bytes) uint8_t *bytes = malloc(CU_SMALL_MAX);
    ENSURE(bytes, err, CU_NO_MEMORY, "no memory to read an object");
    TRY(read_packed(o, bytes, err));
    return feed(arg, leaves, cu_content_leaves(cu_span(bytes, (size_t)o->size), leaves), err);
}

cu_status cu_object_read(const struct cu_object *o, size_t max, struct cu_buf *ret, struct cu_err *err)
{
    size_t before = ret->n;
    char hex[65];

    cu_hash_hex(&o->name, hex);
    ENSURE(o->size <= max, err, CU_TOO_LARGE, "the object %s has %llu bytes; at most %zu are read at once", hex,
           (unsigned long long)o->size, max);
    cu_status status = cu_object_stream(o, cu_buf_take, ret, err);
    if (status != CU_OK) ret->n = before; /* outputs change only on success */
    return status;
}
