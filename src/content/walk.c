/* One path buffer for the whole walk: going down appends a component, coming up takes it off. */
#include "content/walk.h"

#include <stdlib.h>

enum { FULL_MAX = 1 << 16 };

struct walking {
    const struct cu_source *source;
    cu_status (*visit)(void *arg, const struct cu_walk_item *item, struct cu_err *err);
    void *arg;
    struct cu_buf full; /* root, '/', path, NUL */
    size_t root_n;      /* with its '/' */
};

bool cu_source_same(const struct cu_source_stat *a, const struct cu_source_stat *b)
{
    return a->kind == b->kind && a->size == b->size && a->device == b->device && a->inode == b->inode && a->mode == b->mode &&
           a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns && a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns;
}

static const char *full(const struct walking *w) { return (const char *)w->full.p; }

static struct cu_span path(const struct walking *w) { return cu_span(w->full.p + w->root_n, w->full.n - 1 - w->root_n); }

static cu_status set_tail(struct walking *w, size_t at, const char *name, struct cu_err *err)
{
    w->full.n = at;
    cu_buf_add(&w->full, cu_span(name, strlen(name) + 1));
    return cu_buf_ok(&w->full, err);
}

static cu_status add_name(void *arg, const char *name, struct cu_err *err)
{
    cu_buf_add(arg, cu_span(name, strlen(name) + 1));
    return cu_buf_ok(arg, err);
}

static cu_status walk_folder(struct walking *w, struct cu_err *err);

static cu_status walk_name(struct walking *w, struct cu_err *err)
{
    struct cu_walk_item item = { .path = path(w), .full = full(w) };

    TRY(cu_path_check(item.path, err));
    cu_status status = w->source->ops->stat(w->source->self, item.full, false, &item.stat, err);
    if (status == CU_NOT_FOUND) return cu_fail(err, CU_CHANGED, "%s vanished while the folder was read", item.full);
    if (status != CU_OK) return status;
    TRY(w->visit(w->arg, &item, err));
    return item.stat.kind == CU_SOURCE_FOLDER ? walk_folder(w, err) : CU_OK;
}

static cu_status walk_names(struct walking *w, struct cu_span names, struct cu_err *err)
{
    size_t here = w->full.n - 1; /* where the NUL stands */

    for (size_t at = 0; at < names.n; at += strlen((const char *)names.p + at) + 1) {
        TRY(set_tail(w, here, here > 0 && w->full.p[here - 1] == '/' ? "" : "/", err));
        TRY(set_tail(w, w->full.n - 1, (const char *)names.p + at, err));
        TRY(walk_name(w, err));
    }
    return set_tail(w, here, "", err);
}

/* A folder in which names come or go has another time afterwards. */
static cu_status walk_folder(struct walking *w, struct cu_err *err)
{
    const struct cu_source_ops *ops = w->source->ops;
    CU_BUF names = cu_buf_heap(SIZE_MAX / 2);
    struct cu_source_stat before, after;

    TRY(ops->stat(w->source->self, full(w), true, &before, err));
    TRY(ops->list(w->source->self, full(w), add_name, &names, err));
    TRY(walk_names(w, cu_buf_span(&names), err));
    TRY(ops->stat(w->source->self, full(w), true, &after, err));
    ENSURE(cu_source_same(&before, &after), err, CU_CHANGED, "the folder %s changed while it was read", full(w));
    return CU_OK;
}

cu_status cu_walk(const struct cu_source *source, const char *root,
                  cu_status (*visit)(void *arg, const struct cu_walk_item *item, struct cu_err *err), void *arg,
                  struct cu_err *err)
{
    CU_BUF buf = cu_buf_heap(FULL_MAX);
    struct walking w = { source, visit, arg, buf, 0 };
    size_t n = strlen(root);

    w.root_n = n > 0 && root[n - 1] == '/' ? n : n + 1;
    cu_status status = set_tail(&w, 0, root, err);
    if (status == CU_OK) status = walk_folder(&w, err);
    buf = w.full;
    return status;
}
