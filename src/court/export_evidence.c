/* The bytes of an exhibit on their way into a package: whole, item by item of a folder, or a part with its proof. Every byte is verified;
 * when the first copy is damaged half-way the second goes on where it stopped, for both are the same bytes or nothing.
 */
#include "court/export.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 180 };

/* ---- one object ---- */
static cu_status feed(void *arg, struct cu_span bytes, struct cu_err *err) { return cu_export_add(arg, bytes, err); }

static cu_status restart(void *arg, struct cu_err *err)
{
    struct cu_export_file *f = arg;

    (void)err;
    f->skip = f->at;
    return f->broken; /* what the package refused is no fault of the copy */
}

static void file_free(struct cu_export_file *f) { cu_digest_free(&f->digest); }

static cu_status put_object(struct cu_export *x, const char *path, const cu_hash *root, uint64_t size,
                            const struct cu_fetch_range *part, struct cu_err *err)
{
    CU_CLEANUP(file_free) struct cu_export_file f = { 0 };

    TRY(cu_export_begin(x, path, part ? part->to - part->from : size, &f, err));
    TRY(cu_fetch_object(x->p, root, size, part, feed, restart, &f, &x->told.damaged, err));
    return cu_export_end(&f, err);
}

/* ---- names ---- */
/* "<path in the bag>\t<as deposited>\n" when they differ. */
static cu_status note_name(struct cu_export *x, struct cu_span path, const char *stem, struct cu_span name, struct cu_span below,
                           struct cu_err *err)
{
    CU_BUF own = cu_buf_heap(65536);

    cu_buf_addf(&own, "data/%s/", stem);
    cu_buf_add(&own, name);
    if (below.n) cu_buf_add_byte(&own, '/'), cu_buf_add(&own, below);
    TRY(cu_buf_ok(&own, err));
    if (cu_span_eq(cu_buf_span(&own), path)) return CU_OK;
    cu_buf_add(&x->renamed, path);
    cu_buf_add_byte(&x->renamed, '\t');
    cu_bag_original(name, &x->renamed);
    if (below.n) cu_buf_add_byte(&x->renamed, '/'), cu_bag_original(below, &x->renamed);
    cu_buf_add_byte(&x->renamed, '\n');
    return cu_buf_ok(&x->renamed, err);
}

/* The path of a component below `dir`, or flat when that would be too long. */
static cu_status path_of(struct cu_export *x, const char *stem, const char *dir, struct cu_span component, struct cu_buf *ret,
                         struct cu_err *err)
{
    CU_BUF flat = cu_buf_heap(CU_PATH_MAX_BYTES + 64);
    char base[200];
    bool same;

    CU_BUF safe = cu_buf_heap(256);
    cu_bag_safe(component, &safe);
    TRY(cu_buf_ok(&safe, err));
    if (strlen(dir) + 1 + safe.n + 8 <= PATH_BYTES) return cu_bag_name(&x->names, dir, component, ret, &same, err);
    snprintf(base, sizeof base, "data/%s/long", stem);
    cu_buf_addf(&flat, "%llu-", LLU(++x->names.flat));
    cu_buf_add(&flat, component);
    TRY(cu_buf_ok(&flat, err));
    return cu_bag_name(&x->names, base, cu_buf_span(&flat), ret, &same, err);
}

/* ---- a folder ---- */

/* The folders on the way down: where each lies in the bag. Manifests are in the order of a walk. */
struct way {
    struct {
        struct cu_span path; /* as deposited */
        char *at;            /* in the bag */
    } dir[CU_PATH_DEPTH_MAX + 1];
    size_t n;
};

static void way_free(struct way *w)
{
    while (w->n) free(w->dir[--w->n].at);
}

static cu_status enter(struct way *w, struct cu_span path, struct cu_span at, struct cu_err *err)
{
    CU_ASSERT(w->n < sizeof w->dir / sizeof *w->dir);
    w->dir[w->n].path = path;
    char *name = w->dir[w->n].at = malloc(at.n + 1);
    ENSURE(name, err, CU_NO_MEMORY, "out of memory");
    memcpy(name, at.p, at.n);
    name[at.n] = 0;
    w->n++;
    return CU_OK;
}

/* Up to the folder that holds `path`; its last component. */
static struct cu_span up_to(struct way *w, struct cu_span path)
{
    size_t slash = path.n;

    while (slash > 0 && path.p[slash - 1] != '/') slash--;
    const struct cu_span parent = cu_span(path.p, slash ? slash - 1 : 0);
    while (w->n > 1 && !cu_span_eq(w->dir[w->n - 1].path, parent)) free(w->dir[--w->n].at);
    return cu_span(path.p + slash, path.n - slash);
}

static cu_status put_item(struct cu_export *x, const struct cu_export_exhibit *e, struct cu_span name, struct way *w,
                          const struct cu_item *item, struct cu_err *err)
{
    CU_BUF path = cu_buf_heap(8192);
    const struct cu_span last = up_to(w, item->path);

    if (item->type != CU_ITEM_FILE && item->type != CU_ITEM_DIRECTORY) return CU_OK;
    TRY(path_of(x, e->stem, w->dir[w->n - 1].at, last, &path, err));
    if (item->type == CU_ITEM_DIRECTORY) return enter(w, item->path, cu_buf_span(&path), err);
    TRY(note_name(x, cu_buf_span(&path), e->stem, name, item->path, err));
    cu_buf_add_byte(&path, 0);
    TRY(cu_buf_ok(&path, err));
    return put_object(x, (const char *)path.p, &item->root, item->size, NULL, err);
}

static cu_status put_folder(struct cu_export *x, const struct cu_export_exhibit *e, const struct cu_fetch *f, struct cu_err *err)
{
    CU_CLEANUP(way_free) struct way w = { .n = 0 };
    CU_BUF top = cu_buf_heap(1024);
    char base[200];
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;

    snprintf(base, sizeof base, "data/%s", e->stem);
    TRY(path_of(x, e->stem, base, f->found.row.name, &top, err));
    TRY(enter(&w, CU_SPAN_EMPTY, cu_buf_span(&top), err));
    TRY(cu_manifest_open(cu_buf_span(&f->manifest), &m, err));
    for (;;) {
        TRY(cu_manifest_next(&m, &item, &more, err));
        if (!more) return CU_OK;
        TRY(put_item(x, e, f->found.row.name, &w, &item, err));
    }
}

static cu_status put_manifest(struct cu_export *x, const struct cu_export_exhibit *e, const struct cu_fetch *f,
                              struct cu_err *err)
{
    char path[300];

    if (f->claim.size <= CU_CONTENT_INLINE_MAX) return CU_OK; /* it is in the receipt */
    snprintf(path, sizeof path, "receipts/%s" CU_BAG_MANIFEST, e->stem);
    return cu_export_put(x, path, cu_buf_span(&f->manifest), err);
}

/* ---- a part ---- */

/* What a proof needs: the leaves on both sides of the part, and the bytes that complete its own. */
struct proving {
    struct cu_leaf_run left, right;
    struct cu_part_proof proof;
    uint64_t leaf; /* the next */
    uint64_t leaves;
    struct cu_buf before, after;
    uint64_t from, size, at;
};

static cu_status take_leaf(void *arg, const cu_hash *leaves, size_t n, struct cu_err *err)
{
    struct proving *v = arg;

    (void)err;
    for (size_t i = 0; i < n; i++, v->leaf++) {
        if (v->leaf < v->proof.first / CU_LEAF_BYTES) cu_leaf_run_add(&v->left, &leaves[i]);
        if (v->leaf > v->proof.last / CU_LEAF_BYTES) cu_leaf_run_add(&v->right, &leaves[i]);
    }
    return CU_OK;
}

static cu_status forget(void *arg, struct cu_err *err)
{
    (void)err;
    cu_buf_clear(arg);
    return CU_OK;
}

/* What it is a part of: the exhibit, or an item in it. */
struct whole {
    cu_hash root;
    uint64_t size;
};

static cu_status fetch_edge(struct cu_export *x, const struct whole *whole, uint64_t from, uint64_t to, struct cu_buf *ret,
                            struct cu_err *err)
{
    const struct cu_fetch_range edge = { from, to };

    return from < to ? cu_fetch_object(x->p, &whole->root, whole->size, &edge, cu_buf_take, forget, ret, &x->told.damaged, err)
                     : CU_OK;
}

enum { CHUNK_LEAVES = CU_CHUNK_BYTES / CU_LEAF_BYTES };

/* Whole chunks beside the part are there by their roots; the bytes of the others are fetched. */
static cu_status chunk_leaves(struct cu_export *x, const struct whole *whole, const cu_hash *chunk, struct proving *v,
                              struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_CHUNK_BYTES);
    const uint64_t at = v->leaf * CU_LEAF_BYTES, end = at + CU_CHUNK_BYTES < whole->size ? at + CU_CHUNK_BYTES : whole->size;
    struct cu_span rest;

    if (end - at == CU_CHUNK_BYTES && (end <= v->proof.first / CU_LEAF_BYTES * CU_LEAF_BYTES || at > v->proof.last)) {
        cu_leaf_run_add_subtree(at > v->proof.last ? &v->right : &v->left, CHUNK_LEAVES, chunk);
        return v->leaf += CHUNK_LEAVES, CU_OK;
    }
    TRY(fetch_edge(x, whole, at, end, &bytes, err));
    for (rest = cu_buf_span(&bytes); rest.n > 0;) {
        const cu_hash leaf = cu_leaf_hash(cu_span(rest.p, rest.n < CU_LEAF_BYTES ? rest.n : CU_LEAF_BYTES));
        TRY(take_leaf(v, &leaf, 1, err));
        rest = cu_span_from(rest, rest.n < CU_LEAF_BYTES ? rest.n : CU_LEAF_BYTES);
    }
    return CU_OK;
}

static void start_runs(struct proving *v)
{
    v->leaf = 0;
    cu_leaf_run_start(&v->left, 0);
    cu_leaf_run_start(&v->right, v->proof.last / CU_LEAF_BYTES + 1);
}

static cu_status leaves_afar(struct cu_export *x, const struct whole *whole, struct proving *v, struct cu_err *err)
{
    CU_BUF chunks = { 0 };

    start_runs(v);
    TRY(cu_coming_chunks(&x->p->remote, &x->p->reading, &whole->root, whole->size, &chunks, err));
    for (size_t i = 0; i < chunks.n / sizeof(cu_hash); i++)
        TRY(chunk_leaves(x, whole, (const cu_hash *)(const void *)chunks.p + i, v, err));
    return CU_OK;
}

static cu_status read_leaves(struct cu_export *x, const struct whole *whole, struct proving *v, struct cu_err *err)
{
    cu_status read = CU_NOT_FOUND;

    if (x->p->remote.ops) return leaves_afar(x, whole, v, err);
    for (int store = 0; store < CU_STORES && read != CU_OK; store++) {
        struct cu_object object;
        start_runs(v);
        read = cu_objects_find(x->p->store[store], CU_OBJECT_CONTENT, &whole->root, &object, err);
        if (read == CU_OK) read = cu_object_leaves(&object, take_leaf, v, err);
        if (read != CU_OK) x->told.damaged = true;
    }
    return read;
}

static cu_status put_proof(struct cu_export *x, const struct cu_export_exhibit *e, const struct whole *whole, const char *name,
                           const struct cu_export_part *part, struct cu_err *err)
{
    CU_BUF before = cu_buf_heap(CU_LEAF_BYTES), after = cu_buf_heap(CU_LEAF_BYTES), hashes = cu_buf_heap(128 * 32),
           file = cu_buf_heap(16384);
    struct proving v = { .proof = { .type = cu_span_str(CU_PART_TYPE),
                                    .id = e->id,
                                    .first = part->first,
                                    .last = part->last,
                                    .item = part->item,
                                    .has_item = part->item.n > 0 } };
    uint64_t end = part->last / CU_LEAF_BYTES * CU_LEAF_BYTES + CU_LEAF_BYTES;
    char path[300];

    if (end > whole->size) end = whole->size;
    TRY(fetch_edge(x, whole, part->first / CU_LEAF_BYTES * CU_LEAF_BYTES, part->first, &before, err));
    TRY(fetch_edge(x, whole, part->last + 1, end, &after, err));
    TRY(read_leaves(x, whole, &v, err));
    cu_part_hashes(&v.left, &v.right, &hashes);
    TRY(cu_buf_ok(&hashes, err));
    v.proof.before = cu_buf_span(&before);
    v.proof.after = cu_buf_span(&after);
    v.proof.hashes = cu_buf_span(&hashes);
    TRY(cu_schema_write(&cu_part_proof_schema, &v.proof, &file, err));
    TRY(cu_buf_ok(&file, err));
    snprintf(path, sizeof path, "receipts/%s" CU_BAG_PART, name);
    return cu_export_put(x, path, cu_buf_span(&file), err);
}

/* The item in a folder, and the number of its row. */
static cu_status find_item(const struct cu_export_exhibit *e, const struct cu_fetch *f, struct cu_span path, struct whole *ret,
                           uint64_t *ret_row, struct cu_err *err)
{
    CU_BUF shown = cu_buf_heap(2048);
    struct cu_item item;

    ENSURE(path.n > 0, err, CU_USAGE, "%s is a folder: --range names an item in it, %s/PATH:FIRST-LAST", e->name, e->name);
    ENSURE(f->claim.has_folder, err, CU_USAGE, "%s is one item, no folder: there is nothing in it to name", e->name);
    const cu_status found = cu_manifest_find(cu_buf_span(&f->manifest), path, &item, ret_row, err);
    cu_text_shortened(&shown, path, CU_PATH_SHOWN);
    if (found != CU_OK) return cu_fail_while(err, found, "%s/%.*s", e->name, (int)shown.n, (const char *)shown.p);
    if (item.type == CU_ITEM_HARDLINK) cu_buf_clear(&shown), cu_text_shortened(&shown, item.target, CU_PATH_SHOWN);
    ENSURE(item.type != CU_ITEM_HARDLINK, err, CU_USAGE, "%s: this is a further name of %.*s: name that one", e->name,
           (int)shown.n, (const char *)shown.p);
    ENSURE(item.type == CU_ITEM_FILE, err, CU_USAGE, "%s/%.*s is no file: it has no bytes of its own", e->name, (int)shown.n,
           (const char *)shown.p);
    *ret = (struct whole){ item.root, item.size };
    return CU_OK;
}

static cu_status put_part(struct cu_export *x, const struct cu_export_exhibit *e, const struct cu_fetch *f,
                          const struct cu_export_part *part, struct cu_err *err)
{
    const struct cu_fetch_range range = { part->first, part->last + 1 };
    struct whole whole = { f->claim.root, f->claim.size };
    char item[40] = "", name[240], path[300];
    uint64_t row = 0;

    if (f->claim.has_folder || part->item.n) {
        TRY(find_item(e, f, part->item, &whole, &row, err));
        snprintf(item, sizeof item, CU_BAG_ITEM "%llu", LLU(row));
    }
    ENSURE(part->last < whole.size, err, CU_USAGE, "%s%s%.*s has %llu bytes: there are none from %llu to %llu", e->name,
           item[0] ? "/" : "", (int)part->item.n, (const char *)part->item.p, LLU(whole.size), LLU(part->first), LLU(part->last));
    snprintf(name, sizeof name, "%s%s" CU_BAG_BYTES "%llu-%llu", e->stem, item, LLU(part->first), LLU(part->last));
    snprintf(path, sizeof path, "data/%s", name);
    TRY(put_object(x, path, &whole.root, whole.size, &range, err));
    x->told.parts++;
    return put_proof(x, e, &whole, name, part, err);
}

/* ---- an exhibit ---- */
static cu_status put_item_alone(struct cu_export *x, const struct cu_export_exhibit *e, const struct cu_fetch *f,
                                struct cu_err *err)
{
    CU_BUF path = cu_buf_heap(1024);
    char base[200];

    snprintf(base, sizeof base, "data/%s", e->stem);
    TRY(path_of(x, e->stem, base, f->claim.has_sealed ? cu_span_str("sealed.age") : f->found.row.name, &path, err));
    TRY(note_name(x, cu_buf_span(&path), e->stem, f->found.row.name, CU_SPAN_EMPTY, err));
    cu_buf_add_byte(&path, 0);
    TRY(cu_buf_ok(&path, err));
    return put_object(x, (const char *)path.p, &f->claim.root, f->claim.size, NULL, err);
}

cu_status cu_export_evidence(struct cu_export *x, const struct cu_export_exhibit *e, struct cu_err *err)
{
    CU_CLEANUP(cu_fetch_free) struct cu_fetch f = { 0 };
    char hex[65];

    cu_hash_hex(&e->id, hex);
    TRY(cu_fetch_begin(x->p, cu_span_str(hex), &f, err));
    if (f.claim.has_folder) TRY(put_manifest(x, e, &f, err));
    for (size_t i = 0; i < e->parts_n; i++) TRY(put_part(x, e, &f, &e->part[i], err));
    if (!e->content) return CU_OK;
    x->told.whole++;
    x->sealed |= f.claim.has_sealed;
    return f.claim.has_folder ? put_folder(x, e, &f, err) : put_item_alone(x, e, &f, err);
}
