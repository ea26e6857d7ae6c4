/* Bytes and tree are each judged by the name alone, an index by its pack: so each fault is laid to the file that has it. */
#include "content/judge.h"

#include <stdio.h>

/* A file that is gone, or that cannot be read (the medium may be the damage), is a finding. */
static cu_status as_finding(cu_status status, const struct cu_err *why, bool side, struct cu_judged *ret, struct cu_err *err)
{
    *(side ? &ret->side : &ret->main) = status == CU_OK          ? CU_JUDGED_GOOD
                                        : status == CU_NOT_FOUND ? CU_JUDGED_MISSING
                                                                 : CU_JUDGED_DAMAGED;
    if (status != CU_OK) snprintf(side ? ret->side_text : ret->main_text, 200, "%.199s", why->text);
    ret->unread = ret->unread || status == CU_IO;
    return status == CU_NO_MEMORY ? cu_fail(err, CU_NO_MEMORY, "%s", why->text) : CU_OK;
}

/* ---- large objects ---- */

static cu_status sum_leaves(void *arg, uint64_t at, struct cu_span bytes, const cu_hash *leaves, size_t n, struct cu_err *err)
{
    (void)at, (void)bytes, (void)err;
    cu_frontier_append_all(arg, leaves, n);
    return CU_OK;
}

cu_status cu_tree_file_root(struct cu_objects *s, const cu_hash *name, cu_hash *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    struct cu_frontier frontier = { .size = { 0 } };
    char path[CU_STORE_PATH_MAX];
    cu_hash leaves[CU_CHUNK_BYTES / CU_LEAF_BYTES];
    size_t got = sizeof leaves;

    cu_store_path(s, CU_STORE_TREE, name, path);
    TRY(s->fs->ops->open(s->fs->self, path, CU_OPEN_READ, &f, err));
    for (uint64_t at = 0; got == sizeof leaves; at += got) {
        TRY(f->ops->read_at(f, at, leaves, sizeof leaves, &got, err));
        ENSURE(got % sizeof *leaves == 0, err, CU_MALFORMED, "%s is cut off within a hash", path);
        cu_frontier_append_all(&frontier, leaves, got / sizeof *leaves);
    }
    *ret = cu_frontier_root(&frontier);
    return CU_OK;
}

static cu_status judge_tree(struct cu_objects *s, const cu_hash *name, struct cu_judged *ret, struct cu_err *err)
{
    struct cu_err why = { 0 };
    cu_hash root;

    cu_status status = cu_tree_file_root(s, name, &root, &why);
    if (status == CU_OK && !cu_hash_eq(&root, name))
        status = cu_fail(&why, CU_BAD_HASH, "it does not lead to the root that is its name");
    return as_finding(status, &why, true, ret, err);
}

cu_status cu_judge_large(struct cu_scan *scan, struct cu_objects *s, const cu_hash *name, struct cu_judged *ret,
                         struct cu_err *err)
{
    struct cu_frontier frontier = { .size = { 0 } };
    struct cu_err why = { 0 };
    char path[CU_STORE_PATH_MAX];

    *ret = (struct cu_judged){ .objects = 1 };
    cu_store_path(s, CU_STORE_LARGE, name, path);
    cu_status status = cu_scan_file(scan, s->fs, path, sum_leaves, &frontier, &ret->size, &why);
    cu_hash root = cu_frontier_root(&frontier);
    if (status == CU_OK && !cu_hash_eq(&root, name))
        status = cu_fail(&why, CU_BAD_HASH, "its %llu bytes do not have the root that is its name",
                         (unsigned long long)ret->size);
    if (status == CU_OK && ret->size < CU_CHUNK_BYTES)
        status = cu_fail(&why, CU_MALFORMED, "%llu bytes do not stand by themselves, but in a pack",
                         (unsigned long long)ret->size);
    TRY(as_finding(status, &why, false, ret, err));
    return judge_tree(s, name, ret, err);
}

/* ---- packs ---- */

cu_status cu_pack_rows_add(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err)
{
    struct cu_pack_rows *rows = arg;
    (void)bytes;

    if (rows->n == rows->cap) {
        size_t cap = rows->cap ? 2 * rows->cap : 64;
        struct cu_pack_row *grown = realloc(rows->row, cap * sizeof *grown);
        ENSURE(grown, err, CU_NO_MEMORY, "no memory for the rows of a pack");
        rows->row = grown;
        rows->cap = cap;
    }
    rows->row[rows->n++] = *row;
    return CU_OK;
}

/* The index must be, byte for byte, the one that follows from the pack; beside a damaged pack, a sound one of that name. */
static cu_status judge_index(struct cu_objects *s, const cu_hash *name, struct cu_judged *ret, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_PACK_INDEX_MAX);
    struct cu_pack_index index;
    struct cu_err why = { 0 };

    cu_status status = cu_store_pack_index(s, name, &bytes, &index, &why);
    if (status == CU_OK && ret->main == CU_JUDGED_GOOD && !cu_pack_index_is_of(&index, ret->size, ret->rows.row, ret->rows.n))
        status = cu_fail(&why, CU_BAD_HASH, "it is not the index of the pack beside it");
    return as_finding(status, &why, true, ret, err);
}

struct taking {
    struct cu_pack_rows *rows;
    cu_object_about about;
};

static cu_status take_row(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err)
{
    const struct taking *t = arg;

    TRY(cu_pack_rows_add(t->rows, row, bytes, err));
    if (t->about) t->rows->row[t->rows->n - 1].about = t->about(row->kind, bytes);
    return CU_OK;
}

cu_status cu_judge_pack(struct cu_scan *scan, struct cu_objects *s, const cu_hash *name, cu_object_about about,
                        struct cu_judged *ret, struct cu_err *err)
{
    struct taking taking = { &ret->rows, about };
    struct cu_pack_scan how = { .each = take_row, .arg = &taking };
    struct cu_err why = { 0 };

    *ret = (struct cu_judged){ 0 };
    cu_status status = cu_scan_pack_file(scan, s, name, &how, &why);
    if (status == CU_OK && !cu_hash_eq(&how.root, name))
        status = cu_fail(&why, CU_BAD_HASH, "its %llu bytes do not have the root that is its name", (unsigned long long)how.size);
    TRY(as_finding(status, &why, false, ret, err));
    ret->size = how.size;
    ret->objects = ret->rows.n;
    return judge_index(s, name, ret, err);
}
