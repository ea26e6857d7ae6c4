/* Bringing back what a store lost, out of what is still good: its own bytes when only the side file is bad, else the other's.
 *
 * What is copied is hashed on the way, so a source that is damaged too is found out before anything is published.
 */
#include "content/judge.h"
#include "content/put.h"

/* The two files on their way; `main` stays NULL when the store's own bytes are good. */
struct copying {
    struct cu_objects *to;
    unsigned place;
    struct cu_file *main, *side;
    struct cu_frontier frontier;
};

static void copying_end(struct copying *c)
{
    cu_file_close(&c->main);
    cu_file_close(&c->side);
    cu_store_leave_place(c->to, c->place);
}

static cu_status open_incoming(struct copying *c, bool side, struct cu_file **ret, struct cu_err *err)
{
    char path[CU_STORE_PATH_MAX];

    cu_store_incoming(c->to, c->place, 0, side, path);
    return c->to->fs->ops->open(c->to->fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE, ret, err);
}

static cu_status copying_begin(struct copying *c, struct cu_objects *to, bool with_main, struct cu_err *err)
{
    TRY(cu_store_take_place(to, &c->place, err));
    c->to = to;
    cu_status status = open_incoming(c, true, &c->side, err);
    if (status == CU_OK && with_main) status = open_incoming(c, false, &c->main, err);
    if (status != CU_OK) copying_end(c);
    return status;
}

static cu_status publish_one(const struct copying *c, enum cu_store_file file, const cu_hash *name, struct cu_err *err)
{
    const struct cu_fs *fs = c->to->fs;
    char from[CU_STORE_PATH_MAX], to[CU_STORE_PATH_MAX];
    bool side = file == CU_STORE_TREE || file == CU_STORE_PACK_INDEX, large = file == CU_STORE_TREE || file == CU_STORE_LARGE;

    cu_store_incoming(c->to, c->place, 0, side, from);
    cu_store_path(c->to, file, name, to);
    TRY(fs->ops->rename(fs->self, from, to, err));
    cu_store_folder(c->to, large, name->b[0], to);
    return fs->ops->sync_dir(fs->self, to, err);
}

/* The side file first, as a batch does. */
static cu_status publish(struct copying *c, bool large, const cu_hash *name, struct cu_err *err)
{
    TRY(c->side->ops->sync(c->side, err));
    if (c->main) TRY(c->main->ops->sync(c->main, err));
    TRY(publish_one(c, large ? CU_STORE_TREE : CU_STORE_PACK_INDEX, name, err));
    return c->main ? publish_one(c, large ? CU_STORE_LARGE : CU_STORE_PACK, name, err) : CU_OK;
}

static cu_status check_root(const struct cu_objects *from, const cu_hash *root, const cu_hash *name, enum cu_store_file file,
                            struct cu_err *err)
{
    char path[CU_STORE_PATH_MAX];

    cu_store_path(from, file, name, path);
    ENSURE(cu_hash_eq(root, name), err, CU_BAD_HASH, "%s is damaged too: nothing can be restored from it", path);
    return CU_OK;
}

/* ---- a large object ---- */

static cu_status copy_chunk(void *arg, uint64_t at, struct cu_span bytes, const cu_hash *leaves, size_t n, struct cu_err *err)
{
    struct copying *c = arg;

    cu_frontier_append_all(&c->frontier, leaves, n);
    TRY(c->side->ops->write_at(c->side, at / CU_LEAF_BYTES * sizeof *leaves, cu_span(leaves, n * sizeof *leaves), err));
    return c->main ? c->main->ops->write_at(c->main, at, bytes, err) : CU_OK;
}

static cu_status copy_large(struct cu_scan *scan, struct cu_objects *to, struct cu_objects *from, const cu_hash *name,
                            struct cu_err *err)
{
    struct copying begun = { .to = to };
    char path[CU_STORE_PATH_MAX];
    uint64_t size = 0;

    TRY(copying_begin(&begun, to, to != from, err));
    CU_CLEANUP(copying_end) struct copying c = begun;
    cu_store_path(from, CU_STORE_LARGE, name, path);
    TRY(cu_scan_file(scan, from->fs, path, copy_chunk, &c, &size, err));
    cu_hash root = cu_frontier_root(&c.frontier);
    TRY(check_root(from, &root, name, CU_STORE_LARGE, err));
    return publish(&c, true, name, err);
}

/* ---- a pack ---- */

struct pack_copy {
    struct copying copy;
    struct cu_pack_rows rows;
};

static void pack_copy_free(struct pack_copy *p)
{
    copying_end(&p->copy);
    cu_pack_rows_free(&p->rows);
}

static cu_status copy_pack_chunk(void *arg, uint64_t at, struct cu_span bytes, const cu_hash *leaves, size_t n,
                                 struct cu_err *err)
{
    struct copying *c = &((struct pack_copy *)arg)->copy;
    (void)leaves, (void)n;

    return c->main ? c->main->ops->write_at(c->main, at, bytes, err) : CU_OK;
}

static cu_status copy_row(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err)
{
    return cu_pack_rows_add(&((struct pack_copy *)arg)->rows, row, bytes, err);
}

static void forget_catalogue(struct cu_objects *s)
{
    pthread_mutex_lock(&s->lock);
    cu_catalogue_free(&s->catalogue); /* to be loaded again */
    pthread_mutex_unlock(&s->lock);
}

static void tell_pack(struct cu_objects *s, struct cu_span bytes)
{
    struct cu_pack_index index;

    if (cu_pack_index_read(bytes, &index, NULL) != CU_OK) return;
    forget_catalogue(s);
    if (cu_store_tell_begin(s)) cu_store_tell_end(s, cu_store_tell_pack(s, &index));
}

static cu_status copy_pack(struct cu_scan *scan, struct cu_objects *to, struct cu_objects *from, const cu_hash *pack,
                           struct cu_err *err)
{
    CU_BUF index = cu_buf_heap(CU_PACK_INDEX_MAX);
    struct copying begun = { .to = to };

    TRY(copying_begin(&begun, to, to != from, err));
    CU_CLEANUP(pack_copy_free) struct pack_copy p = { .copy = begun };
    struct cu_pack_scan how = { .each = copy_row, .seen = copy_pack_chunk, .arg = &p };
    TRY(cu_scan_pack_file(scan, from, pack, &how, err));
    TRY(check_root(from, &how.root, pack, CU_STORE_PACK, err));
    TRY(cu_pack_index_write(pack, how.size, p.rows.row, p.rows.n, &index, err));
    TRY(p.copy.side->ops->write_at(p.copy.side, 0, cu_buf_span(&index), err));
    TRY(publish(&p.copy, false, pack, err));
    tell_pack(to, cu_buf_span(&index));
    return CU_OK;
}

/* ---- out of two that are damaged ---- */

struct merging {
    struct copying copy;
    struct cu_file *from[2]; /* NULL: not to be had */
    struct cu_pack_rows rows;
    uint8_t *bytes;
};

static void merging_end(struct merging *m)
{
    for (int i = 0; i < 2; i++) cu_file_close(&m->from[i]);
    cu_pack_rows_free(&m->rows);
    free(m->bytes);
    copying_end(&m->copy);
}

/* Up to `n` bytes from whichever file has those of this name. */
static cu_status good_piece(struct merging *m, cu_hash (*name_of)(enum cu_object_kind kind, struct cu_span bytes),
                            enum cu_object_kind kind, const cu_hash *name, uint64_t at, size_t n, struct cu_span *ret,
                            struct cu_err *err)
{
    size_t got = 0;

    for (int i = 0; i < 2; i++) {
        if (!m->from[i] || m->from[i]->ops->read_at(m->from[i], at, m->bytes, n, &got, NULL) != CU_OK) continue;
        cu_hash is = name_of(kind, cu_span(m->bytes, got));
        if (!cu_hash_eq(&is, name)) continue;
        *ret = cu_span(m->bytes, got);
        return CU_OK;
    }
    return cu_fail(err, CU_BAD_HASH, "both copies are damaged at offset %llu", (unsigned long long)at);
}

static cu_hash leaf_name(enum cu_object_kind kind, struct cu_span bytes)
{
    (void)kind;
    return cu_leaf_hash(bytes);
}

static cu_status merge_leaves(struct merging *m, struct cu_file *tree, struct cu_err *err)
{
    struct cu_span bytes;
    cu_hash leaf;
    size_t got = 0;

    for (uint64_t i = 0;; i++) {
        TRY(tree->ops->read_at(tree, i * sizeof leaf, &leaf, sizeof leaf, &got, err));
        if (got < sizeof leaf) return CU_OK; /* the tree was looked at before: it ends after a whole hash */
        TRY(good_piece(m, leaf_name, 0, &leaf, i * CU_LEAF_BYTES, CU_LEAF_BYTES, &bytes, err));
        TRY(m->copy.main->ops->write_at(m->copy.main, i * CU_LEAF_BYTES, bytes, err));
        TRY(m->copy.side->ops->write_at(m->copy.side, i * sizeof leaf, cu_span_hash(&leaf), err));
    }
}

static cu_status merge_large(struct merging *m, struct cu_objects *from, const cu_hash *name, struct cu_err *err)
{
    struct cu_objects *const stores[] = { m->copy.to, from };
    CU_CLEANUP(cu_file_close) struct cu_file *tree = NULL;
    char path[CU_STORE_PATH_MAX];
    cu_hash root;

    for (int i = 0; i < 2 && !tree; i++) {
        if (cu_tree_file_root(stores[i], name, &root, NULL) != CU_OK || !cu_hash_eq(&root, name)) continue;
        cu_store_path(stores[i], CU_STORE_TREE, name, path);
        TRY(stores[i]->fs->ops->open(stores[i]->fs->self, path, CU_OPEN_READ, &tree, err));
    }
    ENSURE(tree, err, CU_BAD_HASH, "neither store has the tree that says what is good");
    return merge_leaves(m, tree, err);
}

static int by_offset(const void *a, const void *b)
{
    const struct cu_pack_row *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static cu_status merge_rows(struct merging *m, const cu_hash *pack, uint64_t *ret_size, struct cu_err *err)
{
    struct cu_content content;
    struct cu_span bytes = cu_span_str(CU_PACK_TYPE);
    uint8_t head[CU_FRAME_HEAD];

    cu_content_start(&content);
    cu_content_add(&content, bytes);
    TRY(m->copy.main->ops->write_at(m->copy.main, 0, bytes, err));
    for (size_t i = 0; i < m->rows.n; i++) {
        const struct cu_pack_row *row = &m->rows.row[i];
        ENSURE(row->offset == content.size + CU_FRAME_HEAD, err, CU_BAD_HASH, "the index does not tell the whole pack");
        cu_frame_put(head, row->kind, row->size);
        TRY(good_piece(m, cu_object_name, row->kind, &row->name, row->offset, row->size, &bytes, err));
        TRY(m->copy.main->ops->write_at(m->copy.main, content.size, CU_SPAN_OF(head), err));
        cu_content_add(&content, CU_SPAN_OF(head));
        TRY(m->copy.main->ops->write_at(m->copy.main, content.size, bytes, err));
        cu_content_add(&content, bytes);
    }
    cu_hash root = cu_content_root(&content);
    *ret_size = content.size;
    return check_root(m->copy.to, &root, pack, CU_STORE_PACK, err);
}

static cu_status merge_pack(struct merging *m, struct cu_objects *from, const cu_hash *pack, struct cu_err *err)
{
    CU_BUF lies = cu_buf_heap(CU_PACK_INDEX_MAX), due = cu_buf_heap(CU_PACK_INDEX_MAX);
    struct cu_pack_index index;
    uint64_t size;

    if (cu_store_pack_index(m->copy.to, pack, &lies, &index, NULL) != CU_OK) {
        cu_buf_clear(&lies);
        TRY(cu_store_pack_index(from, pack, &lies, &index, err));
    }
    for (uint32_t i = 0; i < index.n; i++) {
        const struct cu_pack_row row = cu_pack_index_row(&index, i);
        TRY(cu_pack_rows_add(&m->rows, &row, CU_SPAN_EMPTY, err));
    }
    if (m->rows.n > 0) qsort(m->rows.row, m->rows.n, sizeof *m->rows.row, by_offset);
    TRY(merge_rows(m, pack, &size, err));
    TRY(cu_pack_index_write(pack, size, m->rows.row, m->rows.n, &due, err));
    TRY(m->copy.side->ops->write_at(m->copy.side, 0, cu_buf_span(&due), err));
    tell_pack(m->copy.to, cu_buf_span(&due));
    return CU_OK;
}

cu_status cu_objects_merge(struct cu_objects *s, struct cu_objects *from, const char *lost, bool packed, const cu_hash *name,
                           struct cu_err *err)
{
    struct copying begun = { .to = s };
    char path[CU_STORE_PATH_MAX];

    TRY(copying_begin(&begun, s, true, err));
    CU_CLEANUP(merging_end) struct merging m = { .copy = begun, .bytes = malloc(CU_SMALL_MAX) };
    ENSURE(m.bytes, err, CU_NO_MEMORY, "no memory to merge two copies");
    cu_store_path(from, packed ? CU_STORE_PACK : CU_STORE_LARGE, name, path);
    if (s->fs->ops->open(s->fs->self, lost, CU_OPEN_READ, &m.from[0], NULL) != CU_OK) m.from[0] = NULL;
    if (from->fs->ops->open(from->fs->self, path, CU_OPEN_READ, &m.from[1], NULL) != CU_OK) m.from[1] = NULL;
    TRY((packed ? merge_pack : merge_large)(&m, from, name, err));
    return publish(&m.copy, !packed, name, err);
}

/* ---- the good part ---- */

cu_status cu_objects_salvage(struct cu_objects *s, const char *lost, const cu_hash *pack, struct cu_err *err)
{
    CU_BUF lies = cu_buf_heap(CU_PACK_INDEX_MAX), memory = cu_buf_heap(CU_SMALL_MAX);
    CU_CLEANUP(cu_put_cleanup) struct cu_put *put = NULL;
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    struct merging m = { .bytes = cu_buf_grow(&memory, CU_SMALL_MAX) };
    struct cu_pack_index index;
    struct cu_span bytes;

    TRY(cu_buf_ok(&memory, err));
    TRY(cu_store_pack_index(s, pack, &lies, &index, err));
    TRY(s->fs->ops->open(s->fs->self, lost, CU_OPEN_READ, &f, err));
    m.from[0] = f;
    forget_catalogue(s); /* it says that all of it is there */
    TRY(cu_put_begin(&s, 1, &put, err));
    for (uint32_t i = 0; i < index.n; i++) {
        const struct cu_pack_row row = cu_pack_index_row(&index, i);
        if (good_piece(&m, cu_object_name, row.kind, &row.name, row.offset, row.size, &bytes, NULL) == CU_OK)
            TRY(cu_put_small(put, row.kind, &row.name, bytes, err));
    }
    return cu_put_commit(put, err);
}

/* ---- either ---- */

cu_status cu_objects_restore_pack(struct cu_objects *s, struct cu_objects *from, const cu_hash *pack, struct cu_err *err)
{
    CU_CLEANUP(cu_scan_cleanup) struct cu_scan *scan = NULL;

    TRY(cu_scan_new(true, &scan, err));
    if (copy_pack(scan, s, s, pack, NULL) == CU_OK) return CU_OK;
    return copy_pack(scan, s, from, pack, err);
}

cu_status cu_objects_restore(struct cu_objects *s, struct cu_objects *from, enum cu_object_kind kind, const cu_hash *name,
                             struct cu_err *err)
{
    CU_CLEANUP(cu_scan_cleanup) struct cu_scan *scan = NULL;
    struct cu_object o;

    TRY(cu_scan_new(true, &scan, err));
    if (kind == CU_OBJECT_CONTENT && cu_store_find_large(s, name, &o, NULL) == CU_OK &&
        copy_large(scan, s, s, name, NULL) == CU_OK)
        return CU_OK;
    TRY(cu_objects_find(from, kind, name, &o, err));
    return o.packed ? cu_objects_restore_pack(s, from, &o.pack, err) : copy_large(scan, s, from, name, err);
}
