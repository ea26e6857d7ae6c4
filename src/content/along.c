/* Objects one after another, as they lie in their packs. */
#include "content/store.h"

enum { WINDOW = 1 << 18, SKIP_MAX = 64 };

void cu_along_free(struct cu_along *a)
{
    cu_file_close(&a->file);
    cu_buf_free(&a->window);
}

/* n bytes from `at` on; NULL: the pack ends before, or cannot be read. */
static const uint8_t *bytes_at(struct cu_along *a, uint64_t at, size_t n)
{
    if (at < a->window_at || at + n > a->window_at + a->window.n) {
        if (n > WINDOW) return NULL;
        if (!a->window.max) a->window = cu_buf_heap(WINDOW);
        cu_buf_clear(&a->window);
        uint8_t *p = cu_buf_grow(&a->window, WINDOW);
        size_t got = 0;
        a->window_at = at;
        if (!p || a->file->ops->read_at(a->file, at, p, WINDOW, &got, NULL) != CU_OK) got = 0;
        a->window.n = got;
        if (got < n) return NULL;
    }
    return a->window.p + (at - a->window_at);
}

/* The next of this kind, if it is the one: objects of another kind stand between. */
static bool take_next(struct cu_along *a, enum cu_object_kind kind, const cu_hash *name, size_t max, struct cu_buf *ret)
{
    enum cu_object_kind found;
    uint32_t size;

    for (unsigned i = 0; a->file && i < SKIP_MAX; i++) {
        const uint8_t *head = bytes_at(a, a->at, CU_FRAME_HEAD);
        if (!head || cu_frame_read(head, &found, &size, NULL) != CU_OK) return false;
        if (found == kind) {
            const uint8_t *p = size <= max ? bytes_at(a, a->at + CU_FRAME_HEAD, size) : NULL;
            const cu_hash is = p ? cu_object_name(kind, cu_span(p, size)) : (cu_hash){ 0 };
            if (!p || !cu_hash_eq(&is, name)) return false;
            cu_buf_add(ret, cu_span(p, size));
        }
        a->at += CU_FRAME_HEAD + size;
        if (found == kind) return true;
    }
    return false;
}

/* What follows `o` comes next. */
static void go_to(struct cu_along *a, const struct cu_object *o)
{
    char path[CU_STORE_PATH_MAX];

    cu_file_close(&a->file);
    cu_buf_clear(&a->window);
    if (!o->packed) return;
    cu_store_path(a->store, CU_STORE_PACK, &o->pack, path);
    if (a->store->fs->ops->open(a->store->fs->self, path, CU_OPEN_READ, &a->file, NULL) != CU_OK) a->file = NULL;
    a->at = o->offset + o->size;
}

cu_status cu_along_read(struct cu_along *a, enum cu_object_kind kind, const cu_hash *name, size_t max, struct cu_buf *ret,
                        struct cu_err *err)
{
    struct cu_object o;

    ENSURE(a->store, err, CU_NOT_FOUND, "there is no store to read from");
    if (take_next(a, kind, name, max, ret)) return cu_buf_ok(ret, err);
    TRY(cu_objects_find(a->store, kind, name, &o, err));
    TRY(cu_object_read(&o, max, ret, err));
    go_to(a, &o);
    return CU_OK;
}
