/* Every call asks `admit` first; what it answers decides whether the inner file system hears of it. */
#include "faulty.h"

#include <stdlib.h>

struct wrapped {
    struct cu_file base;
    struct cu_faulty *faulty;
    struct cu_file *inner;
};

enum cost { CALL, EFFECT, ROOM }; /* ROOM: an effect that needs some on the medium */

static cu_status judge(struct cu_faulty *f, enum cost cost, const char *what, struct cu_err *err)
{
    f->calls++;
    if (f->stopped || (cost != CALL && f->effects >= f->stop_after)) {
        f->stopped = true;
        return cu_fail(err, CU_IO, "cannot %s: the machine has stopped", what);
    }
    bool now = f->fail_call != 0 && f->calls == f->fail_call;
    f->failed |= now;
    if (f->fault == CU_FAULT_READ_ONLY) {
        ENSURE(!f->failed || cost == CALL, err, CU_READ_ONLY, "cannot %s: Read-only file system", what);
    } else if (f->fault == CU_FAULT_FULL) {
        ENSURE(!f->failed || cost != ROOM, err, CU_NO_SPACE, "cannot %s: No space left on device", what);
    } else if (now) {
        return cu_fail(err, f->fault == CU_FAULT_NO_SPACE ? CU_NO_SPACE : CU_IO, "cannot %s: call %llu fails as planned", what,
                       (unsigned long long)f->calls);
    }
    f->effects += cost != CALL;
    return CU_OK;
}

static cu_status admit(struct cu_faulty *f, enum cost cost, const char *what, struct cu_err *err)
{
    pthread_mutex_lock(f->mutex);
    cu_status status = judge(f, cost, what, err);
    pthread_mutex_unlock(f->mutex);
    return status;
}

/* Did the fault strike, and not the stop? Then it has consequences. */
static bool struck(struct cu_faulty *f, cu_status status)
{
    pthread_mutex_lock(f->mutex);
    bool answer = status != CU_OK && f->failed && !f->stopped && f->fault != CU_FAULT_READ_ONLY && f->fault != CU_FAULT_FULL;
    pthread_mutex_unlock(f->mutex);
    return answer;
}

/* ---- one file ---- */

static struct wrapped *wrapped_of(struct cu_file *f) { return (struct wrapped *)(void *)f; }

static cu_status file_read_at(struct cu_file *f, uint64_t at, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct wrapped *w = wrapped_of(f);
    TRY(admit(w->faulty, CALL, "read", err));
    return w->inner->ops->read_at(w->inner, at, ret, n, ret_n, err);
}

static cu_status file_write_at(struct cu_file *f, uint64_t at, struct cu_span bytes, struct cu_err *err)
{
    struct wrapped *w = wrapped_of(f);
    cu_status status = admit(w->faulty, ROOM, "write", err);

    if (struck(w->faulty, status) && w->faulty->fault == CU_FAULT_NO_SPACE)
        TRY(w->inner->ops->write_at(w->inner, at, cu_span(bytes.p, bytes.n / 2), err));
    if (struck(w->faulty, status) && w->faulty->fault == CU_FAULT_SHORT && bytes.n)
        TRY(w->inner->ops->write_at(w->inner, at, cu_span(bytes.p, bytes.n - 1), err));
    return status == CU_OK ? w->inner->ops->write_at(w->inner, at, bytes, err) : status;
}

static cu_status file_sync(struct cu_file *f, struct cu_err *err)
{
    struct wrapped *w = wrapped_of(f);
    cu_status status = admit(w->faulty, EFFECT, "sync", err);

    if (struck(w->faulty, status) && w->faulty->lost) w->faulty->lost(w->inner);
    return status == CU_OK ? w->inner->ops->sync(w->inner, err) : status;
}

static cu_status file_size(struct cu_file *f, uint64_t *ret, struct cu_err *err)
{
    struct wrapped *w = wrapped_of(f);
    TRY(admit(w->faulty, CALL, "examine", err));
    return w->inner->ops->size(w->inner, ret, err);
}

static cu_status file_truncate(struct cu_file *f, uint64_t size, struct cu_err *err)
{
    struct wrapped *w = wrapped_of(f);
    TRY(admit(w->faulty, EFFECT, "set the length", err));
    return w->inner->ops->truncate(w->inner, size, err);
}

static void file_close(struct cu_file *f)
{
    struct wrapped *w = wrapped_of(f);
    w->inner->ops->close(w->inner);
    free(w);
}

static const struct cu_file_ops file_ops = { file_read_at, file_write_at, file_sync, file_size, file_truncate, file_close };

/* ---- the file system ---- */

static cu_status fs_open(void *self, const char *path, unsigned flags, struct cu_file **ret, struct cu_err *err)
{
    struct cu_faulty *f = self;
    const bool makes = flags & CU_OPEN_CREATE && !cu_fs_exists(&f->inner, path);
    const enum cost cost = makes ? ROOM : flags & CU_OPEN_TRUNCATE ? EFFECT : CALL;

    TRY(admit(f, cost, "open", err));
    struct wrapped *w = malloc(sizeof *w);
    ENSURE(w, err, CU_NO_MEMORY, "no memory to open %s", path);
    *w = (struct wrapped){ { &file_ops }, f, NULL };
    cu_status status = f->inner.ops->open(f->inner.self, path, flags, &w->inner, err);
    if (status != CU_OK) free(w);
    else *ret = &w->base;
    return status;
}

static cu_status fs_make_dir(void *self, const char *path, struct cu_err *err)
{
    struct cu_faulty *f = self;
    TRY(admit(f, ROOM, "make a folder", err));
    return f->inner.ops->make_dir(f->inner.self, path, err);
}

static cu_status fs_rename(void *self, const char *from, const char *to, struct cu_err *err)
{
    struct cu_faulty *f = self;
    TRY(admit(f, EFFECT, "rename", err));
    return f->inner.ops->rename(f->inner.self, from, to, err);
}

static cu_status fs_sync_dir(void *self, const char *path, struct cu_err *err)
{
    struct cu_faulty *f = self;
    TRY(admit(f, EFFECT, "sync a folder", err));
    return f->inner.ops->sync_dir(f->inner.self, path, err);
}

static cu_status fs_sync_all(void *self, struct cu_err *err)
{
    struct cu_faulty *f = self;
    cu_status status = admit(f, EFFECT, "sync the file system", err);

    if (struck(f, status) && f->lost_all) f->lost_all(&f->inner);
    return status == CU_OK ? f->inner.ops->sync_all(f->inner.self, err) : status;
}

static cu_status fs_stat(void *self, const char *path, struct cu_file_stat *ret, struct cu_err *err)
{
    struct cu_faulty *f = self;
    TRY(admit(f, CALL, "examine", err));
    return f->inner.ops->stat(f->inner.self, path, ret, err);
}

static cu_status fs_list(void *self, const char *path,
                         cu_status (*each)(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err), void *arg,
                         struct cu_err *err)
{
    struct cu_faulty *f = self;
    TRY(admit(f, CALL, "list", err));
    return f->inner.ops->list(f->inner.self, path, each, arg, err);
}

static cu_status fs_lock(void *self, const char *path, unsigned wait_ms, void **ret_lock, struct cu_err *err)
{
    struct cu_faulty *f = self;
    TRY(admit(f, EFFECT, "lock", err));
    return f->inner.ops->lock(f->inner.self, path, wait_ms, ret_lock, err);
}

static void fs_unlock(void *self, void *lock)
{
    struct cu_faulty *f = self;
    f->inner.ops->unlock(f->inner.self, lock);
}

static bool fs_writable(void *self)
{
    struct cu_faulty *f = self;
    return !(f->failed && f->fault == CU_FAULT_READ_ONLY) && f->inner.ops->writable(f->inner.self);
}

static void fs_close(void *self)
{
    struct cu_faulty *f = self;

    if (!f || !f->mutex) return;
    pthread_mutex_destroy(f->mutex);
    free(f->mutex);
    f->mutex = NULL;
}

static cu_status fs_held(void *self, const char *path, const char *version, uint64_t until, struct cu_fs_held *ret,
                         struct cu_err *err)
{
    struct cu_faulty *f = self;
    TRY(admit(f, CALL, "ask how it is held", err));
    return f->inner.ops->held(f->inner.self, path, version, until, ret, err);
}

static const struct cu_fs_ops fs_ops = {
    fs_open, fs_make_dir, fs_rename, fs_sync_dir, fs_sync_all, fs_stat, fs_list, fs_lock, fs_unlock, fs_writable, fs_close,
};
static const struct cu_fs_ops held_ops = {
    fs_open, fs_make_dir, fs_rename, fs_sync_dir, fs_sync_all, fs_stat,
    fs_list, fs_lock,     fs_unlock, fs_writable, fs_close,    fs_held,
};

struct cu_fs cu_faulty_fs(struct cu_faulty *faulty)
{
    faulty->mutex = malloc(sizeof(pthread_mutex_t));
    CU_ASSERT(faulty->mutex);
    pthread_mutex_init(faulty->mutex, NULL);
    return (struct cu_fs){ faulty, faulty->inner.ops->held ? &held_ops : &fs_ops };
}
