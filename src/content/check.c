/* Looking after a store: every file judged by itself, and what does not belong there.
 *
 * A side file alone (a tree without its bytes, an index without its pack) is what a crash between two renames leaves, and
 * harmless: nothing was acknowledged. That an object which the log names is missing is for whoever reads the log to say
 * (cu_objects_has).
 */
#include "content/judging.h"

#include <stdio.h>

struct checking {
    struct cu_objects *s;
    struct cu_judging *judging;
    const struct cu_object_check *how;
    struct cu_object_sum sum;
    uint64_t seen, read;
};

static void report(struct checking *c, enum cu_store_file file, const cu_hash *name, enum cu_judgement how, const char *what)
{
    char path[CU_STORE_PATH_MAX];
    bool packed = file == CU_STORE_PACK || file == CU_STORE_PACK_INDEX;
    struct cu_object_fault fault = { path, how == CU_JUDGED_MISSING ? "missing" : "damaged", what, *name, packed };

    if (how == CU_JUDGED_GOOD) return;
    cu_store_path(c->s, file, name, path);
    c->how->found(c->how->arg, &fault);
}

static cu_status judge_lone_side(struct checking *c, bool large, const cu_hash *name, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_PACK_INDEX_MAX);
    struct cu_pack_index index;
    struct cu_err why = { 0 };
    cu_hash root = { { 0 } };

    cu_status status = CU_IO;
    for (int tries = 0; tries < 2 && status == CU_IO; tries++) { /* a read that fails once is no damage */
        cu_buf_clear(&bytes);
        status = large ? cu_tree_file_root(c->s, name, &root, &why) : cu_store_pack_index(c->s, name, &bytes, &index, &why);
    }
    if (status == CU_OK && large && !cu_hash_eq(&root, name))
        status = cu_fail(&why, CU_BAD_HASH, "it does not lead to the root that is its name");
    if (status == CU_NO_MEMORY) return cu_fail(err, status, "%s", why.text);
    if (status != CU_OK) report(c, large ? CU_STORE_TREE : CU_STORE_PACK_INDEX, name, CU_JUDGED_DAMAGED, why.text);
    return CU_OK;
}

static cu_status tell_large(struct checking *c, const cu_hash *name, uint64_t size, struct cu_err *err)
{
    const struct cu_object o = { .store = c->s, .kind = CU_OBJECT_CONTENT, .name = *name, .size = size };
    return c->how->each ? c->how->each(c->how->arg, &o, 0, err) : CU_OK;
}

static cu_status tell_row(struct checking *c, const cu_hash *pack, const struct cu_pack_row *row, struct cu_err *err)
{
    const struct cu_object o = { c->s, row->kind, row->name, *pack, row->size, row->offset, true };
    return c->how->each ? c->how->each(c->how->arg, &o, row->about, err) : CU_OK;
}

static cu_status told(void *arg, const struct cu_judge_job *job, struct cu_err *err)
{
    struct checking *c = arg;
    const struct cu_judged *j = &job->judged;

    report(c, job->large ? CU_STORE_LARGE : CU_STORE_PACK, &job->name, j->main, j->main_text);
    if (job->side) report(c, job->large ? CU_STORE_TREE : CU_STORE_PACK_INDEX, &job->name, j->side, j->side_text);
    c->sum.objects += j->objects;
    c->sum.bytes += j->size;
    if (job->large) return j->main == CU_JUDGED_GOOD ? tell_large(c, &job->name, j->size, err) : CU_OK;
    for (size_t i = 0; i < j->rows.n; i++) TRY(tell_row(c, &job->name, &j->rows.row[i], err));
    return CU_OK;
}

/* What is not read: as its index says, when that is sound. */
static cu_status tell_unread(struct checking *c, bool large, const cu_hash *name, uint64_t size, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_PACK_INDEX_MAX);
    struct cu_pack_index index;

    if (large) return size ? tell_large(c, name, size, err) : CU_OK;
    if (cu_store_pack_index(c->s, name, &bytes, &index, NULL) != CU_OK) return CU_OK;
    for (uint32_t i = 0; i < index.n; i++) {
        const struct cu_pack_row row = cu_pack_index_row(&index, i);
        TRY(tell_row(c, name, &row, err));
    }
    return CU_OK;
}

static cu_status judge_object(void *arg, bool large, const cu_hash *name, bool main, bool side, struct cu_err *err)
{
    struct checking *c = arg;
    struct cu_judge_job job = { .large = large, .side = side, .name = *name };
    struct cu_object o;

    if (!main) return judge_lone_side(c, large, name, err);
    if (!side)
        report(c, large ? CU_STORE_TREE : CU_STORE_PACK_INDEX, name, CU_JUDGED_MISSING,
               large ? "the tree of the bytes beside it is missing" : "the index of the pack beside it is missing");
    if (large && cu_store_find_large(c->s, name, &o, NULL) == CU_OK) job.size = o.size;
    if (c->how->sample > 1 && c->seen++ % c->how->sample != 0) return tell_unread(c, large, name, job.size, err);
    return cu_judging_add(c->judging, &job, err);
}

static cu_status report_unexpected(void *arg, const char *path, struct cu_err *err)
{
    struct checking *c = arg;
    struct cu_object_fault fault = { .where = path, .kind = "unexpected", .what = "it does not belong in a store" };
    (void)err;

    c->how->found(c->how->arg, &fault);
    return CU_OK;
}

static void add_progress(void *arg, uint64_t bytes)
{
    struct checking *c = arg;

    c->read += bytes;
    if (c->how->progress) c->how->progress(c->how->arg, c->read);
}

cu_status cu_objects_check(struct cu_objects *s, const struct cu_object_check *how, struct cu_object_sum *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_judging_cleanup) struct cu_judging *judging = NULL;
    struct checking c = { .s = s, .how = how };
    struct cu_store_visit visit = { &c, judge_object, report_unexpected };

    TRY(cu_judging_begin(s, told, add_progress, how->about, &c, &judging, err));
    c.judging = judging;
    TRY(cu_store_walk(s, &visit, err));
    TRY(cu_judging_end(judging, err));
    *ret = c.sum;
    return CU_OK;
}

/* ---- the index, told anew ---- */

struct telling {
    struct cu_objects *s;
    struct cu_buf bytes;
};

static cu_status tell_object(void *arg, bool large, const cu_hash *name, bool main, bool side, struct cu_err *err)
{
    struct telling *t = arg;
    struct cu_pack_index index;

    cu_buf_clear(&t->bytes);
    if (large || !main || !side || cu_store_pack_index(t->s, name, &t->bytes, &index, NULL) != CU_OK) return CU_OK;
    ENSURE(cu_store_tell_pack(t->s, &index), err, CU_IO, "the search index does not take what lies in %s", t->s->dir);
    return CU_OK;
}

cu_status cu_objects_reindex(struct cu_objects *s, struct cu_err *err)
{
    struct telling t = { .s = s, .bytes = cu_buf_heap(CU_PACK_INDEX_MAX) };
    struct cu_store_visit visit = { .arg = &t, .object = tell_object };

    if (!s->index) return CU_OK;
    ENSURE(cu_store_tell_begin(s), err, CU_BUSY, "the search index cannot be written now");
    cu_status status = cu_store_walk(s, &visit, err);
    cu_store_tell_end(s, status == CU_OK);
    cu_buf_free(&t.bytes);
    return status;
}
