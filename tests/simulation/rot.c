/* (4): bits that turn over at rest, in one of two copies. */
#include "life.h"

#include <stdio.h>

/* ---- files ---- */

struct at {
    struct file_list *list;
    const char *dir;
};

static cu_status add_file(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    const struct at *at = arg;
    char path[600];
    (void)err;

    const bool root = strcmp(at->dir, ".") == 0;
    snprintf(path, sizeof path, "%s%s%s", root ? "" : at->dir, root ? "" : "/", name);
    if (kind == CU_FILE_FOLDER) files_under(at->list, path);
    if (kind != CU_FILE_REGULAR || strstr(path, "incoming")) return CU_OK; /* what is being written is no evidence */
    cu_buf_add(&at->list->names, cu_span(path, strlen(path) + 1));
    at->list->n++;
    return cu_buf_ok(&at->list->names, err);
}

void files_under(struct file_list *list, const char *dir)
{
    struct at at = { list, dir };

    if (!list->names.max) list->names = cu_buf_heap(SIZE_MAX / 4);
    const cu_status listed = list->fs->ops->list(list->fs->self, dir, add_file, &at, NULL);
    CU_ASSERT(listed == CU_OK || listed == CU_NOT_FOUND);
}

const char *file_at(const struct file_list *list, size_t i)
{
    const char *name = (const char *)list->names.p;

    while (i--) name += strlen(name) + 1;
    return name;
}

void files_free(struct file_list *list) { cu_buf_free(&list->names); }

/* ---- damage ---- */

/* What is kept twice is damaged in one copy only: both are beyond repair. */
static bool flip_some(struct life *l, char ret_where[160])
{
    static const char *const dirs[2][4] = { { "node/log", "node/objects", "node/state", "node/journal" },
                                            { "cloud/log", "cloud/objects", "trust" } };
    const char *const *side = dirs[below(l, 2)];
    CU_CLEANUP(files_free) struct file_list list = { .fs = &l->w->memory };
    struct cu_file_stat st;
    bool hit = false;

    files_under(&list, side[below(l, side[3] ? 4 : 3)]);
    for (uint64_t n = 1 + below(l, 3); n > 0 && list.n; n--) {
        const char *path = file_at(&list, below(l, list.n));
        if (strcmp(path, CU_FILE_TRUST) == 0) continue; /* pinned by readers: nothing here can restore it */
        if (list.fs->ops->stat(list.fs->self, path, &st, NULL) != CU_OK || st.size == 0) continue;
        hit |= cu_memory_flip(list.fs, path, below(l, 8 * st.size));
        l->tally->mishap[BIT_FLIPPED]++;
        snprintf(ret_where, 160, "%s", path);
    }
    return hit;
}

/* Who meets the damage may refuse; nobody may believe it. */
static const char *live_with_it(struct life *l)
{
    struct cu_err err = { 0 };
    cu_status status = sw_open(l->w, chance(l, 50) ? SW_WRITE : SW_READ, &err);

    if (status != CU_OK) return NULL;
    if (l->w->engine_open) status = act_some(l, &err);
    if (l->broken) return life_sentence;
    const cu_status closed = sw_close(l->w, &err);
    (void)closed;
    sw_restart(l->w);
    return life_learn(l);
}

/* Cut short now and then, and begun again. */
static const char *mend(struct life *l, const char *where)
{
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char finding[600];

    for (int i = 0; i < 2 && chance(l, 40); i++) {
        arm(l, 60);
        l->act = "a repair cut short";
        const cu_status status = sw_check(l->w, true, &result, finding, &err);
        (void)status;
        disarm(l);
    }
    l->act = "repair";
    MUST(sw_check(l->w, true, &result, finding, &err), where);
    SOUND(result.unrepaired == 0, "%s: what one copy had is not restored: %s", where, finding);
    MUST(sw_open(l->w, SW_WRITE, &err), "opening after a repair");
    MUST(sw_close(l->w, &err), "closing after a repair");
    l->w->rotten = false;
    sw_restart(l->w);
    return chance(l, 40) ? life_check(l) : NULL;
}

const char *life_rots(struct life *l)
{
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char where[160] = "", finding[600];
    bool untouched = true;

    l->act = "damage";
    MUST(sw_open(l->w, SW_WRITE, &err), "opening");
    MUST(sw_close(l->w, &err), "closing");
    sw_restart(l->w);
    SO(life_learn(l));
    if (!flip_some(l, where)) return NULL;
    l->w->rotten = true;
    if (chance(l, 40)) untouched = false, l->act = "life with damage";
    if (!untouched) SO(live_with_it(l));
    if (chance(l, 40)) {
        MUST(sw_check(l->w, false, &result, finding, &err), where);
        SOUND(result.findings > 0 || !untouched, "%s: a bit is another, and check finds nothing", where);
    }
    return mend(l, where);
}
