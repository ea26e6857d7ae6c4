/* Durable first, then seen; then read again. */
#include "content/judging.h"
#include "content/put.h"

#include <stdio.h>

/* Stores may lie on one file system: it is synced once. */
static cu_status sync_file_systems(const struct cu_put *p, const bool which[CU_PUT_STORES_MAX], struct cu_err *err)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct cu_fs *fs = p->writer[i].store->fs;
        bool done = !which[i];
        for (size_t k = 0; k < i && !done; k++) done = which[k] && p->writer[k].store->fs->self == fs->self;
        if (!done) TRY(fs->ops->sync_all(fs->self, err));
    }
    return CU_OK;
}

/* ---- durable ---- */

static cu_status sync_written(struct cu_put *p, struct cu_err *err)
{
    bool whole[CU_PUT_STORES_MAX] = { false };

    for (size_t i = 0; i < p->n; i++) {
        struct cu_put_writer *w = &p->writer[i];
        whole[i] = w->sync_all;
        for (size_t k = 0; k < w->written_n && !whole[i]; k++) TRY(w->written[k]->ops->sync(w->written[k], err));
    }
    TRY(sync_file_systems(p, whole, err));
    for (size_t i = 0; i < p->n; i++) cu_put_close_files(&p->writer[i]);
    return CU_OK;
}

/* ---- seen ---- */

enum { FOLDERS_MAX = 8 }; /* synced one by one */

struct touched {
    bool folder[2][256];
    unsigned n;
};

static cu_status sync_folders(const struct cu_put_writer *w, const struct touched *t, struct cu_err *err)
{
    const struct cu_fs *fs = w->store->fs;
    char path[CU_STORE_PATH_MAX];

    for (unsigned i = 0; i < 512; i++) {
        if (!t->folder[i / 256][i % 256]) continue;
        cu_store_folder(w->store, i / 256, i % 256, path);
        TRY(fs->ops->sync_dir(fs->self, path, err));
    }
    return CU_OK;
}

static cu_status publish_file(const struct cu_put_writer *w, uint64_t number, bool side, struct cu_err *err)
{
    const struct cu_fs *fs = w->store->fs;
    const struct cu_put_file *f = &w->put->file[number];
    enum cu_store_file to = f->large ? (side ? CU_STORE_TREE : CU_STORE_LARGE) : (side ? CU_STORE_PACK_INDEX : CU_STORE_PACK);
    char from_path[CU_STORE_PATH_MAX], to_path[CU_STORE_PATH_MAX];

    cu_store_incoming(w->store, w->place, number, side, from_path);
    cu_store_path(w->store, to, &f->name, to_path);
    return fs->ops->rename(fs->self, f->adopted[0] && !side ? f->adopted : from_path, to_path, err);
}

static cu_status publish_files(const struct cu_put_writer *w, bool side, struct touched *t, struct cu_err *err)
{
    for (uint64_t i = 0; i < w->put->files_n; i++) {
        const struct cu_put_file *f = &w->put->file[i];
        if (f->discard) continue;
        TRY(publish_file(w, i, side, err));
        t->n += !t->folder[f->large][f->name.b[0]];
        t->folder[f->large][f->name.b[0]] = true;
    }
    return CU_OK;
}

static cu_status publish(const struct cu_put *p, bool side, struct cu_err *err)
{
    bool whole[CU_PUT_STORES_MAX] = { false };

    for (size_t i = 0; i < p->n; i++) {
        struct touched t = { .n = 0 };
        TRY(publish_files(&p->writer[i], side, &t, err));
        whole[i] = t.n > FOLDERS_MAX;
        if (!whole[i]) TRY(sync_folders(&p->writer[i], &t, err));
    }
    return sync_file_systems(p, whole, err);
}

/* ---- known ---- */

/* A failure of what is derived is no failure of the batch: everything is durable by now. */
static void tell(const struct cu_put *p, struct cu_objects *s)
{
    CU_BUF bytes = cu_buf_heap(CU_PACK_INDEX_MAX);
    bool told = cu_store_tell_begin(s), begun = told;
    struct cu_pack_index index;

    for (uint64_t i = 0; i < p->files_n; i++) {
        const struct cu_put_file *f = &p->file[i];
        cu_buf_clear(&bytes);
        if (f->discard || f->large || cu_store_pack_index(s, &f->name, &bytes, &index, NULL) != CU_OK) continue;
        pthread_mutex_lock(&s->lock);
        if (cu_catalogue_add(s, &index, NULL) != CU_OK) cu_catalogue_free(&s->catalogue); /* to be loaded again */
        pthread_mutex_unlock(&s->lock);
        told = told && cu_store_tell_pack(s, &index);
    }
    if (begun) cu_store_tell_end(s, told);
}

static cu_status commit(struct cu_put *p, struct cu_err *err)
{
    TRY(cu_put_finish_pack(p, p->crew != NULL, err));
    if (p->crew) TRY(cu_crew_wait(p->crew, ~0u, cu_crew_submitted(p->crew), err));
    TRY(sync_written(p, err));
    TRY(publish(p, true, err));
    return publish(p, false, err);
}

cu_status cu_put_commit(struct cu_put *p, struct cu_err *err)
{
    ENSURE(!p->failed && !p->committed, err, CU_USAGE, "this batch of objects is closed");
    CU_ASSERT(!p->fill[1].open && p->taken_n == p->tickets_n);
    cu_status status = commit(p, err);
    p->failed = status != CU_OK;
    p->committed = status == CU_OK;
    if (p->committed) cu_put_dismiss(p); /* what reads again needs memory, too */
    for (size_t i = 0; i < p->n && p->committed; i++) tell(p, p->writer[i].store);
    return status;
}

/* ---- read again ---- */

static cu_status told(void *arg, const struct cu_judge_job *job, struct cu_err *err)
{
    struct cu_objects *s = arg;
    const struct cu_judged *j = &job->judged;
    char path[CU_STORE_PATH_MAX];

    cu_store_path(s, job->large ? CU_STORE_LARGE : CU_STORE_PACK, &job->name, path);
    ENSURE(j->main == CU_JUDGED_GOOD, err, CU_BAD_HASH, "%s: read again, %s", path, j->main_text);
    ENSURE(j->size == job->size, err, CU_BAD_HASH, "%s: read again, it has another length", path);
    cu_store_path(s, job->large ? CU_STORE_TREE : CU_STORE_PACK_INDEX, &job->name, path);
    ENSURE(j->side == CU_JUDGED_GOOD, err, CU_BAD_HASH, "%s: read again, %s", path, j->side_text);
    return CU_OK;
}

static cu_status verify_link(struct cu_judging *judging, struct cu_objects *s, const struct cu_put_link *l, struct cu_err *err)
{
    const struct cu_judge_job job = { .large = true, .name = l->name, .size = l->size };

    return l->size >= CU_CHUNK_BYTES ? cu_judging_add(judging, &job, err)
                                     : cu_objects_has(s, l->kind, &l->name, l->size, true, err);
}

/* Its bytes were read when they were durable already. Is it this file that has the name now, and is its tree the one that was made then? */
static cu_status verify_adopted(struct cu_objects *s, const struct cu_put_file *f, struct cu_err *err)
{
    char path[CU_STORE_PATH_MAX];
    struct cu_file_stat st;
    cu_hash is;

    cu_store_path(s, CU_STORE_LARGE, &f->name, path);
    TRY(s->fs->ops->stat(s->fs->self, path, &st, err));
    TRY(cu_tree_file_root(s, &f->name, &is, err));
    ENSURE(st.size == f->size && cu_hash_eq(&is, &f->name), err, CU_BAD_HASH, "%s: it is not the file that was put there", path);
    return CU_OK;
}

cu_status cu_put_verify(struct cu_put *p, size_t which, struct cu_err *err)
{
    CU_CLEANUP(cu_judging_cleanup) struct cu_judging *judging = NULL;

    ENSURE(p->committed && which < p->n, err, CU_USAGE, "a batch is verified after it was committed");
    struct cu_objects *s = p->writer[which].store;
    TRY(cu_judging_begin(s, told, NULL, NULL, s, &judging, err));
    for (uint64_t i = 0; i < p->files_n; i++) {
        const struct cu_put_file *f = &p->file[i];
        const struct cu_judge_job job = { .large = f->large, .name = f->name, .size = f->size };
        if (f->discard) continue;
        TRY(f->adopted[0] && p->in_place ? verify_adopted(s, f, err) : cu_judging_add(judging, &job, err));
    }
    for (size_t i = 0; i < p->links_n; i++) TRY(verify_link(judging, s, &p->link[i], err));
    return cu_judging_end(judging, err);
}
