/* Every file of a store in bytewise order, a file and what belongs to it together. */
#include "content/store.h"

#include <stdio.h>

struct walking {
    struct cu_objects *s;
    const struct cu_store_visit *visit;
    bool large;
    unsigned first_byte;
    bool pending, main, side; /* an object of which one file was listed; the other comes next, if it is there */
    cu_hash name;
};

static cu_status unexpected(struct walking *w, const char *folder, const char *name, struct cu_err *err)
{
    char path[CU_STORE_PATH_MAX + 256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return w->visit->unexpected ? w->visit->unexpected(w->visit->arg, path, err) : CU_OK;
}

static cu_status flush(struct walking *w, struct cu_err *err)
{
    if (!w->pending) return CU_OK;
    w->pending = false;
    return w->visit->object(w->visit->arg, w->large, &w->name, w->main, w->side, err);
}

static cu_status walk_file(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct walking *w = arg;
    char folder[CU_STORE_PATH_MAX];
    enum cu_store_file file;
    cu_hash hash;

    if (kind != CU_FILE_REGULAR || !cu_store_name(name, w->first_byte, w->large, &file, &hash)) {
        cu_store_folder(w->s, w->large, w->first_byte, folder);
        return unexpected(w, folder, name, err);
    }
    if (w->pending && !cu_hash_eq(&w->name, &hash)) TRY(flush(w, err));
    if (!w->pending) w->main = w->side = false;
    w->pending = true;
    w->name = hash;
    if (file == CU_STORE_LARGE || file == CU_STORE_PACK) w->main = true;
    else w->side = true;
    return CU_OK;
}

static cu_status walk_folder(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct walking *w = arg;
    char path[CU_STORE_PATH_MAX];

    if (kind != CU_FILE_FOLDER || !cu_store_first_byte(name, &w->first_byte)) {
        snprintf(path, sizeof path, "%s/%s", w->s->dir, w->large ? "large" : "packs");
        return unexpected(w, path, name, err);
    }
    cu_store_folder(w->s, w->large, w->first_byte, path);
    TRY(w->s->fs->ops->list(w->s->fs->self, path, walk_file, w, err));
    return flush(w, err);
}

static cu_status walk_top(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct walking *w = arg;
    char path[CU_STORE_PATH_MAX];

    if (kind == CU_FILE_FOLDER && strcmp(name, "incoming") == 0) return CU_OK;
    w->large = strcmp(name, "large") == 0;
    if (kind != CU_FILE_FOLDER || (!w->large && strcmp(name, "packs") != 0)) return unexpected(w, w->s->dir, name, err);
    snprintf(path, sizeof path, "%s/%s", w->s->dir, name);
    return w->s->fs->ops->list(w->s->fs->self, path, walk_folder, w, err);
}

cu_status cu_store_walk(struct cu_objects *s, const struct cu_store_visit *visit, struct cu_err *err)
{
    struct walking w = { .s = s, .visit = visit };
    struct cu_file_stat st;
    cu_status there = s->fs->ops->stat(s->fs->self, s->dir, &st, err);

    if (there == CU_NOT_FOUND) return CU_OK;
    TRY(there); /* what cannot be looked at is not empty */
    return s->fs->ops->list(s->fs->self, s->dir, walk_top, &w, err);
}
