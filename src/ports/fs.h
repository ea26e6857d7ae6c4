/* The file system as a struct of functions, so that a store that crashes, tears and rots is just another instance.
 *
 * Paths are relative to the root that the instance was opened on, '/' between components. There is no call that deletes:
 * what a ledger has it keeps. A temporary file has a fixed name in an `incoming/` folder and is overwritten; publication is
 * `sync`, then `rename`, then `sync_dir`. A folder is durable when the `make_dir` that made it returns; the name of a new or
 * renamed file, with the folders that were made for it, after `sync_dir` of its folder, or `sync_all`. Any thread.
 *
 * Errors: NOT_FOUND, NO_SPACE, READ_ONLY, NOT_ALLOWED (permission), BUSY (lock), IO. The sentence names operation and path.
 * After a failed sync the file's content is unknown: never trust that file again in this process, fail the whole batch.
 */
#ifndef CU_PORTS_FS_H
#define CU_PORTS_FS_H

#include "custody/types.h"

enum cu_open_flags {
    CU_OPEN_READ = 1,
    CU_OPEN_WRITE = 2,   /* read and write */
    CU_OPEN_CREATE = 4,  /* make it if it is not there, and its folders */
    CU_OPEN_TRUNCATE = 8,
    CU_OPEN_DIRECT = 16, /* past the page cache where the file system can; offsets, lengths and memory in multiples of 4096 */
    CU_OPEN_PRIVATE = 32, /* for its owner's eyes only (0600): keys */
};

enum cu_file_kind { CU_FILE_REGULAR, CU_FILE_FOLDER, CU_FILE_OTHER };
struct cu_file_stat { enum cu_file_kind kind; uint64_t size; };

struct cu_file { const struct cu_file_ops *ops; };
struct cu_file_ops {
    /* Up to n bytes; *ret_n < n only at the end of the file. */
    cu_status (*read_at)(struct cu_file *f, uint64_t at, void *ret, size_t n, size_t *ret_n, struct cu_err *err);
    cu_status (*write_at)(struct cu_file *f, uint64_t at, struct cu_span bytes, struct cu_err *err); /* all of it or an error */
    cu_status (*sync)(struct cu_file *f, struct cu_err *err); /* fdatasync */
    cu_status (*size)(struct cu_file *f, uint64_t *ret, struct cu_err *err);
    cu_status (*truncate)(struct cu_file *f, uint64_t size, struct cu_err *err);
    void (*close)(struct cu_file *f);
};

/* How what lies at a path is held by a store that keeps versions: which it is; enum cu_held_mode; until when, ms. */
struct cu_fs_held { char version[128]; uint64_t mode, until; };
#define CU_HELD_NEWEST "*" /* the version that was put last */

struct cu_fs { void *self; const struct cu_fs_ops *ops; };
struct cu_fs_ops {
    cu_status (*open)(void *self, const char *path, unsigned flags, struct cu_file **ret, struct cu_err *err);
    cu_status (*make_dir)(void *self, const char *path, struct cu_err *err); /* with its parents; fine when it is there */
    cu_status (*rename)(void *self, const char *from, const char *to, struct cu_err *err); /* replaces; makes to's folders */
    cu_status (*sync_dir)(void *self, const char *path, struct cu_err *err);
    cu_status (*sync_all)(void *self, struct cu_err *err); /* syncfs: everything written so far */
    cu_status (*stat)(void *self, const char *path, struct cu_file_stat *ret, struct cu_err *err); /* NOT_FOUND */
    /* Names in a folder in bytewise order, without "." and ".."; the callback's failure ends the walk and is returned. */
    cu_status (*list)(void *self, const char *path, cu_status (*each)(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err), void *arg, struct cu_err *err);
    /* A lock for one: BUSY when another still holds it after wait_ms, READ_ONLY when its file cannot be written. Gone with the process. */
    cu_status (*lock)(void *self, const char *path, unsigned wait_ms, void **ret_lock, struct cu_err *err);
    void (*unlock)(void *self, void *lock);
    bool (*writable)(void *self); /* may anything be written at all? */
    void (*close)(void *self);
    /* Of the version that is read or, not "", of another; locked for so long at least, unless it is 0. NOT_FOUND. NULL: no path lies in such a
     * store. */
    cu_status (*held)(void *self, const char *path, const char *version, uint64_t until, struct cu_fs_held *ret, struct cu_err *err);
};

/* Helpers over any instance. */

static inline void cu_file_close(struct cu_file **f) /* for CU_CLEANUP */
{
    if (*f) (*f)->ops->close(*f);
    *f = NULL;
}

/** Append a whole file to `ret`, or nothing. TOO_LARGE beyond max. */
CU_MUST_USE static inline cu_status cu_fs_read(const struct cu_fs *fs, const char *path, size_t max, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    const size_t had = ret->n;
    uint64_t size = 0;
    size_t got = 0;

    TRY(fs->ops->open(fs->self, path, CU_OPEN_READ, &f, err));
    TRY(f->ops->size(f, &size, err));
    ENSURE(size <= max, err, CU_TOO_LARGE, "%s is %llu bytes long; at most %zu are read", path, (unsigned long long)size, max);
    uint8_t *p = cu_buf_grow(ret, (size_t)size);
    TRY(cu_buf_ok(ret, err));
    cu_status read = f->ops->read_at(f, 0, p, (size_t)size, &got, err);
    if (read == CU_OK && got != size) read = cu_fail(err, CU_CHANGED, "%s shrank while it was read", path);
    if (read != CU_OK) ret->n = had; /* what it grew by is nobody's bytes */
    return read;
}

/** All or nothing: written beside as `tmp`, renamed over `path`; file and folder synced on the way when `durable`. `extra`: more
 *  open flags (CU_OPEN_PRIVATE) for the file. */
CU_MUST_USE static inline cu_status cu_fs_replace_as(const struct cu_fs *fs, const char *path, const char *tmp, struct cu_span bytes, unsigned extra, bool durable, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    const char *slash = strrchr(path, '/');
    char dir[1024] = ".";

    TRY(fs->ops->open(fs->self, tmp, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE | extra, &f, err));
    TRY(f->ops->write_at(f, 0, bytes, err));
    if (durable) TRY(f->ops->sync(f, err));
    cu_file_close(&f);
    TRY(fs->ops->rename(fs->self, tmp, path, err));
    if (!durable) return CU_OK;
    if (slash && (size_t)(slash - path) < sizeof dir) memcpy(dir, path, (size_t)(slash - path)), dir[slash - path] = 0;
    return fs->ops->sync_dir(fs->self, dir, err);
}

CU_MUST_USE static inline cu_status cu_fs_replace(const struct cu_fs *fs, const char *path, const char *tmp, struct cu_span bytes, bool durable, struct cu_err *err)
{
    return cu_fs_replace_as(fs, path, tmp, bytes, 0, durable, err);
}

static inline bool cu_fs_exists(const struct cu_fs *fs, const char *path)
{
    struct cu_file_stat st;
    return fs->ops->stat(fs->self, path, &st, NULL) == CU_OK;
}

#endif
