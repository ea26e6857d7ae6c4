/* A large object that lies in a file already becomes the store's: read once, for its tree, and renamed. */
#include "content/put.h"
#include "content/scan.h"

#include <stdio.h>

struct adopting {
    struct cu_file *side;
    struct cu_frontier tree;
};

static cu_status take_chunk(void *arg, uint64_t at, struct cu_span bytes, const cu_hash *leaves, size_t n, struct cu_err *err)
{
    struct adopting *a = arg;

    (void)bytes;
    cu_frontier_append_all(&a->tree, leaves, n);
    return a->side->ops->write_at(a->side, at / CU_LEAF_BYTES * sizeof *leaves, cu_span(leaves, n * sizeof *leaves), err);
}

static cu_status read_file(struct cu_put_writer *w, const char *path, struct adopting *a, uint64_t *ret_size, struct cu_err *err)
{
    CU_CLEANUP(cu_scan_cleanup) struct cu_scan *scan = NULL;

    TRY(cu_scan_new(true, &scan, err));
    return cu_scan_file(scan, w->store->fs, path, take_chunk, a, ret_size, err);
}

static cu_status adopt(struct cu_put *p, const char *path, const cu_hash *root, struct cu_err *err)
{
    struct cu_put_writer *w = &p->writer[0];
    struct adopting a = { .tree = { .size = { 0 } } };
    uint64_t number, size = 0;
    bool known = false;

    TRY(cu_put_number(p, true, &number, err));
    p->file[number].discard = true; /* until it is whole */
    TRY(cu_put_open(w, number, true, false, &a.side, err));
    const cu_status read = read_file(w, path, &a, &size, err);
    if (read != CU_OK) cu_file_close(&a.side);
    TRY(read);
    cu_put_keep_open(w, &a.side);
    const cu_hash is = cu_frontier_root(&a.tree);
    ENSURE(cu_hash_eq(&is, root), err, CU_BAD_HASH, "the bytes that arrived are not those that were claimed");
    TRY(cu_put_known(p, root, size, &known, err));
    p->file[number] = (struct cu_put_file){ .name = *root, .size = size, .large = true, .discard = known };
    snprintf(p->file[number].adopted, sizeof p->file[number].adopted, "%s", path);
    return CU_OK;
}

/* A file that is another object's leaves the rest of the batch as it is. */
cu_status cu_put_adopt(struct cu_put *p, const char *path, const cu_hash *root, struct cu_err *err)
{
    ENSURE(!p->failed && !p->committed, err, CU_USAGE, "this batch of objects is closed");
    CU_ASSERT(p->n == 1 && !p->fill[1].open && strlen(path) < sizeof p->file->adopted);
    const cu_status adopted = adopt(p, path, root, err);
    p->failed = adopted != CU_OK && adopted != CU_BAD_HASH;
    return adopted;
}

void cu_put_in_place(struct cu_put *p) { p->in_place = true; }
