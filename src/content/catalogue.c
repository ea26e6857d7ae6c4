/* Every packed object of a store by name, out of the packs' own indexes; out of the pack itself where its index is not sound. */
#include "content/scan.h"
#include "content/store.h"

#include <stdlib.h>

/* Room for one more of `size` bytes each. */
static bool make_room(void **p, size_t *cap, size_t n, size_t size)
{
    if (n < *cap) return true;
    size_t more = *cap ? *cap * 2 : 64;
    void *grown = realloc(*p, more * size);
    if (!grown) return false;
    *p = grown;
    *cap = more;
    return true;
}

static cu_status add_pack(struct cu_catalogue *c, const cu_hash *pack, struct cu_err *err)
{
    void *packs = c->packs;

    ENSURE(make_room(&packs, &c->packs_cap, c->packs_n, sizeof *c->packs), err, CU_NO_MEMORY,
           "no memory for the catalogue of packs");
    c->packs = packs;
    c->packs[c->packs_n++] = *pack;
    return CU_OK;
}

static cu_status add_row(struct cu_catalogue *c, const struct cu_pack_row *row, struct cu_err *err)
{
    void *rows = c->rows;

    ENSURE(make_room(&rows, &c->rows_cap, c->rows_n, sizeof *c->rows), err, CU_NO_MEMORY,
           "no memory for the catalogue of objects");
    c->rows = rows;
    c->rows[c->rows_n++] = (struct cu_catalogue_row){ row->name, (uint32_t)(c->packs_n - 1), row->offset };
    c->sorted = false;
    return CU_OK;
}

static cu_status add_index(struct cu_catalogue *c, const struct cu_pack_index *index, struct cu_err *err)
{
    TRY(add_pack(c, &index->pack, err));
    for (uint32_t i = 0; i < index->n; i++) {
        struct cu_pack_row row = cu_pack_index_row(index, i);
        TRY(add_row(c, &row, err));
    }
    return CU_OK;
}

/* ---- loading ---- */

struct loading {
    struct cu_objects *s;
    struct cu_buf bytes;
};

static cu_status add_unpacked(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err)
{
    (void)bytes;
    return add_row(arg, row, err);
}

/* A pack that is damaged gives what stands before the damage: everything is verified when it is read. */
static cu_status load_from_pack(struct loading *l, const cu_hash *pack, struct cu_err *err)
{
    CU_CLEANUP(cu_scan_cleanup) struct cu_scan *scan = NULL;
    struct cu_pack_scan how = { .each = add_unpacked, .arg = &l->s->catalogue };

    TRY(cu_scan_new(true, &scan, err));
    TRY(add_pack(&l->s->catalogue, pack, err));
    cu_status status = cu_scan_pack_file(scan, l->s, pack, &how, NULL);
    ENSURE(status != CU_NO_MEMORY, err, CU_NO_MEMORY, "no memory to read a pack");
    return CU_OK;
}

static cu_status load_object(void *arg, bool large, const cu_hash *name, bool main, bool side, struct cu_err *err)
{
    struct loading *l = arg;
    struct cu_pack_index index;

    if (large) return CU_OK;
    cu_buf_clear(&l->bytes);
    if (side && cu_store_pack_index(l->s, name, &l->bytes, &index, NULL) == CU_OK)
        return add_index(&l->s->catalogue, &index, err);
    return main ? load_from_pack(l, name, err) : CU_OK;
}

cu_status cu_catalogue_load(struct cu_objects *s, struct cu_err *err)
{
    struct loading l = { .s = s, .bytes = cu_buf_heap(CU_PACK_INDEX_MAX) };
    struct cu_store_visit visit = { .arg = &l, .object = load_object };

    if (s->catalogue.loaded) return CU_OK;
    cu_status status = cu_store_walk(s, &visit, err);
    cu_buf_free(&l.bytes);
    s->catalogue.loaded = status == CU_OK;
    if (status != CU_OK) cu_catalogue_free(&s->catalogue);
    return status;
}

cu_status cu_catalogue_add(struct cu_objects *s, const struct cu_pack_index *index, struct cu_err *err)
{
    return s->catalogue.loaded ? add_index(&s->catalogue, index, err) : CU_OK;
}

void cu_catalogue_free(struct cu_catalogue *c)
{
    free(c->packs);
    free(c->rows);
    *c = (struct cu_catalogue){ 0 };
}

/* ---- asking ---- */

static int compare_rows(const void *a, const void *b)
{
    const struct cu_catalogue_row *x = a, *y = b;
    return memcmp(x->name.b, y->name.b, sizeof x->name.b);
}

/* The first row whose name is not below `name`. */
static size_t lower_bound(const struct cu_catalogue *c, const cu_hash *name)
{
    size_t low = 0, high = c->rows_n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(c->rows[middle].name.b, name->b, sizeof name->b) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* An object may lie in several packs, and a content and a details under one name: the first sound frame of the right kind. */
cu_status cu_catalogue_find(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, struct cu_object *ret,
                            struct cu_err *err)
{
    struct cu_catalogue *c = &s->catalogue;
    char path[CU_STORE_PATH_MAX];
    cu_status status;

    if (!c->sorted && c->rows_n > 0) qsort(c->rows, c->rows_n, sizeof *c->rows, compare_rows);
    c->sorted = true;
    cu_store_path(s, CU_STORE_LARGE, name, path);
    status = cu_fail(err, CU_NOT_FOUND, "%s: not there, nor in any pack of %s", path, s->dir);
    for (size_t i = lower_bound(c, name); i < c->rows_n && cu_hash_eq(&c->rows[i].name, name); i++) {
        struct cu_object found;
        status = cu_store_frame(s, &c->packs[c->rows[i].pack], c->rows[i].offset, &found, err);
        if (status != CU_OK) continue;
        if (found.kind != kind) {
            status = cu_fail(err, CU_NOT_FOUND, "%s: an object of another kind has this name", s->dir);
            continue;
        }
        found.name = *name;
        *ret = found;
        return CU_OK;
    }
    return status;
}
