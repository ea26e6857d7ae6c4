/* A folder as `struct cu_fs`.
 *
 * (1) Every path is resolved from the root's descriptor: renaming the folder above does not lead astray.
 * (2) A short transfer is continued, an interrupted call repeated: callers see all of it or an error.
 * (3) A folder made for a file is durable with the file's name: where it was made is remembered, and synced before the next
 *     folder that the caller syncs. Many folders made in one place cost one sync. One that a killed process had made, and we only
 *     find, goes with the sync of a file in it where the file system keeps one journal (ext4, XFS, btrfs), and else with the next
 *     `sync_all`, which every drain has.
 * (4) `sync_all` reaches every file system that was written through this instance, not only the root's.
 * (5) Descriptors are closed on exec, so the lock lives and dies with this process.
 */
#include "posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 1024u
#define GROWN_MAX 8u

struct posix_fs {
    int root;
    pthread_mutex_t lock; /* guards what follows */
    size_t devices_n;
    struct {
        dev_t dev;
        int fd;
    } device[CU_DEVICES_MAX]; /* (4): a descriptor on each, the root's first */
    size_t grown_n;
    char grown[GROWN_MAX][PATH_BYTES]; /* (3): folders were made in these */
};

struct posix_file {
    struct cu_file base;
    int fd;
    char path[];
};

static const struct {
    int number;
    cu_status status;
} meanings[] = {
    { ENOSPC, CU_NO_SPACE },   { EDQUOT, CU_NO_SPACE },  { EROFS, CU_READ_ONLY },   { EACCES, CU_NOT_ALLOWED },
    { EPERM, CU_NOT_ALLOWED }, { ENOENT, CU_NOT_FOUND }, { ENOTDIR, CU_NOT_FOUND }, { ENOMEM, CU_NO_MEMORY },
};

cu_status cu_posix_fail(struct cu_err *err, int number, const char *verb, const char *path)
{
    char said[256];
    cu_status status = CU_IO;

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].number == number) status = meanings[i].status;
    return cu_fail(err, status, "cannot %s %s: %s", verb, path, strerror_r(number, said, sizeof said));
}

/* ---- one file ---- */

static struct posix_file *file_of(struct cu_file *f) { return (struct posix_file *)(void *)f; }

static cu_status file_read_at(struct cu_file *f, uint64_t at, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct posix_file *file = file_of(f);
    size_t got = 0;

    while (got < n) {
        ssize_t r = pread(file->fd, (char *)ret + got, n - got, (off_t)(at + got));
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return cu_posix_fail(err, errno, "read", file->path);
        if (r == 0) break;
        got += (size_t)r;
    }
    *ret_n = got;
    return CU_OK;
}

static cu_status file_write_at(struct cu_file *f, uint64_t at, struct cu_span bytes, struct cu_err *err)
{
    struct posix_file *file = file_of(f);
    size_t put = 0;

    while (put < bytes.n) {
        ssize_t w = pwrite(file->fd, bytes.p + put, bytes.n - put, (off_t)(at + put));
        if (w < 0 && errno == EINTR) continue;
        if (w <= 0) return cu_posix_fail(err, w < 0 ? errno : EIO, "write", file->path);
        put += (size_t)w;
    }
    return CU_OK;
}

/* Not repeated on EINTR or anything else: after a failed sync nobody knows what is on the medium. */
static cu_status file_sync(struct cu_file *f, struct cu_err *err)
{
    struct posix_file *file = file_of(f);
    return fdatasync(file->fd) == 0 ? CU_OK : cu_posix_fail(err, errno, "sync", file->path);
}

static cu_status file_size(struct cu_file *f, uint64_t *ret, struct cu_err *err)
{
    struct posix_file *file = file_of(f);
    struct stat st;

    if (fstat(file->fd, &st) != 0) return cu_posix_fail(err, errno, "examine", file->path);
    *ret = (uint64_t)st.st_size;
    return CU_OK;
}

static cu_status file_truncate(struct cu_file *f, uint64_t size, struct cu_err *err)
{
    struct posix_file *file = file_of(f);
    struct stat st;

    /* Longer: with its room, where the file system can say so at once. Writes into a hole wait for one another, and may find none. */
    if (fstat(file->fd, &st) == 0 && (uint64_t)st.st_size < size &&
        fallocate(file->fd, 0, st.st_size, (off_t)size - st.st_size) != 0 && errno == ENOSPC)
        return cu_posix_fail(err, errno, "set the length of", file->path);
    while (ftruncate(file->fd, (off_t)size) != 0)
        if (errno != EINTR) return cu_posix_fail(err, errno, "set the length of", file->path);
    return CU_OK;
}

static void file_close(struct cu_file *f)
{
    struct posix_file *file = file_of(f);
    close(file->fd);
    free(file);
}

static const struct cu_file_ops file_ops = { file_read_at, file_write_at, file_sync, file_size, file_truncate, file_close };

/* ---- folders ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
}
#define FD CU_CLEANUP(close_fd) int

/* Our own code writes paths: one that leaves the root is refused all the same. */
static cu_status check_path(const char *path, struct cu_err *err)
{
    size_t n = strlen(path);
    ENSURE(n > 0 && n < PATH_BYTES && path[0] != '/', err, CU_USAGE, "not a path below a folder: '%s'", path);
    for (const char *p = path; p; p = strchr(p, '/')) {
        p += *p == '/';
        ENSURE(!(p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0')), err, CU_USAGE, "a path may not climb: '%s'", path);
    }
    return CU_OK;
}

static void parent_of(const char *path, char ret[PATH_BYTES])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;

    memcpy(ret, path, n);
    snprintf(ret + n, PATH_BYTES - n, "%s", n ? "" : ".");
}

static int open_folder(int root, const char *path)
{
    int fd;

    do fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static cu_status sync_dir_at(int root, const char *path, struct cu_err *err)
{
    FD fd = open_folder(root, path);
    if (fd < 0 || fsync(fd) != 0) return cu_posix_fail(err, errno, "sync the folder", path);
    return CU_OK;
}

/* (3) */
static cu_status sync_grown(struct posix_fs *fs, struct cu_err *err)
{
    cu_status status = CU_OK;

    pthread_mutex_lock(&fs->lock);
    for (size_t i = 0; i < fs->grown_n && status == CU_OK; i++) status = sync_dir_at(fs->root, fs->grown[i], err);
    if (status == CU_OK) fs->grown_n = 0;
    pthread_mutex_unlock(&fs->lock);
    return status;
}

static cu_status remember_grown(struct posix_fs *fs, const char *parent, struct cu_err *err)
{
    size_t i = 0;

    pthread_mutex_lock(&fs->lock);
    while (i < fs->grown_n && strcmp(fs->grown[i], parent) != 0) i++;
    bool full = i == GROWN_MAX;
    if (i == fs->grown_n && !full) snprintf(fs->grown[fs->grown_n++], PATH_BYTES, "%s", parent);
    pthread_mutex_unlock(&fs->lock);
    return full ? sync_dir_at(fs->root, parent, err) : CU_OK;
}

/* From the top downward. */
static cu_status make_dirs(struct posix_fs *fs, const char *path, struct cu_err *err)
{
    char dir[PATH_BYTES], parent[PATH_BYTES];
    struct stat st;

    for (const char *p = path; p;) {
        p = strchr(p + 1, '/');
        size_t n = p ? (size_t)(p - path) : strlen(path);
        memcpy(dir, path, n);
        dir[n] = '\0';
        if (mkdirat(fs->root, dir, 0755) == 0) {
            parent_of(dir, parent);
            TRY(remember_grown(fs, parent, err));
        } else if (errno != EEXIST) {
            return cu_posix_fail(err, errno, "make the folder", dir);
        }
    }
    if (fstatat(fs->root, path, &st, 0) != 0) return cu_posix_fail(err, errno, "examine", path);
    ENSURE(S_ISDIR(st.st_mode), err, CU_IO, "cannot make the folder %s: something else stands there", path);
    return CU_OK;
}

static cu_status fs_make_dir(void *self, const char *path, struct cu_err *err)
{
    struct posix_fs *fs = self;

    TRY(check_path(path, err));
    TRY(make_dirs(fs, path, err));
    return sync_grown(fs, err);
}

static cu_status make_parents(struct posix_fs *fs, const char *path, struct cu_err *err)
{
    char dir[PATH_BYTES];

    parent_of(path, dir);
    return strcmp(dir, ".") == 0 ? CU_OK : make_dirs(fs, dir, err);
}

/* (4) */
static cu_status remember_device(struct posix_fs *fs, dev_t dev, const char *path, struct cu_err *err)
{
    cu_status status = CU_OK;
    char dir[PATH_BYTES];
    size_t i = 0;

    pthread_mutex_lock(&fs->lock);
    while (i < fs->devices_n && fs->device[i].dev != dev) i++;
    if (i == CU_DEVICES_MAX) {
        status = cu_fail(err, CU_IO, "cannot write %s: more than %u file systems below one root", path, CU_DEVICES_MAX);
    } else if (i == fs->devices_n) {
        parent_of(path, dir);
        int fd = open_folder(fs->root, dir);
        if (fd < 0) status = cu_posix_fail(err, errno, "open the folder", dir);
        else fs->device[i].dev = dev, fs->device[i].fd = fd, fs->devices_n++;
    }
    pthread_mutex_unlock(&fs->lock);
    return status;
}

/* ---- the file system ---- */

static int open_once(struct posix_fs *fs, const char *path, unsigned flags)
{
    int how = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK; /* NONBLOCK: a fifo that someone put here does not hang us */
    mode_t mode = flags & CU_OPEN_PRIVATE ? 0600 : 0644;
    int fd;

    how |= flags & CU_OPEN_WRITE ? O_RDWR : O_RDONLY;
    if (flags & CU_OPEN_CREATE) how |= O_CREAT;
    if (flags & CU_OPEN_TRUNCATE) how |= O_TRUNC;
    if (flags & CU_OPEN_DIRECT) how |= O_DIRECT;
    do {
        fd = openat(fs->root, path, how, mode);
        if (fd < 0 && errno == EINVAL && how & O_DIRECT) how &= ~O_DIRECT, errno = EINTR; /* not on this file system */
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* What was opened must be a regular file; a private one is made so even if it stood there before. */
static cu_status judge_opened(struct posix_fs *fs, int fd, const char *path, unsigned flags, struct cu_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) return cu_posix_fail(err, errno, "examine", path);
    ENSURE(S_ISREG(st.st_mode), err, CU_CORRUPT, "%s: not a regular file: something else was put in its place", path);
    if (!(flags & CU_OPEN_WRITE)) return CU_OK;
    if (flags & CU_OPEN_PRIVATE && fchmod(fd, 0600) != 0) return cu_posix_fail(err, errno, "make private", path);
    return remember_device(fs, st.st_dev, path, err);
}

static cu_status fs_open(void *self, const char *path, unsigned flags, struct cu_file **ret, struct cu_err *err)
{
    struct posix_fs *fs = self;
    size_t path_n = strlen(path) + 1;

    TRY(check_path(path, err));
    FD fd = open_once(fs, path, flags);
    if (fd < 0 && errno == ENOENT && flags & CU_OPEN_CREATE) {
        TRY(make_parents(fs, path, err));
        fd = open_once(fs, path, flags);
    }
    ENSURE(fd >= 0 || (errno != ELOOP && errno != EISDIR && errno != ENXIO), err, CU_CORRUPT,
           "%s: not a regular file: something else was put in its place", path);
    if (fd < 0) return cu_posix_fail(err, errno, "open", path);
    TRY(judge_opened(fs, fd, path, flags, err));

    struct posix_file *file = malloc(sizeof *file + path_n);
    ENSURE(file, err, CU_NO_MEMORY, "no memory to open %s", path);
    *file = (struct posix_file){ { &file_ops }, fd };
    memcpy(file->path, path, path_n);
    fd = -1;
    *ret = &file->base;
    return CU_OK;
}

static cu_status fs_rename(void *self, const char *from, const char *to, struct cu_err *err)
{
    struct posix_fs *fs = self;

    TRY(check_path(from, err));
    TRY(check_path(to, err));
    int r = renameat(fs->root, from, fs->root, to);
    if (r != 0 && errno == ENOENT) {
        TRY(make_parents(fs, to, err));
        r = renameat(fs->root, from, fs->root, to);
    }
    if (r == 0) return CU_OK;
    return cu_fail_while(err, cu_posix_fail(err, errno, "rename", from), "publishing %s", to);
}

static cu_status fs_sync_dir(void *self, const char *path, struct cu_err *err)
{
    struct posix_fs *fs = self;

    TRY(check_path(path, err));
    TRY(sync_grown(fs, err));
    return sync_dir_at(fs->root, path, err);
}

static cu_status fs_sync_all(void *self, struct cu_err *err)
{
    struct posix_fs *fs = self;
    cu_status status = CU_OK;

    pthread_mutex_lock(&fs->lock);
    size_t n = fs->devices_n; /* entries are never changed once they are there */
    pthread_mutex_unlock(&fs->lock);
    for (size_t i = 0; i < n; i++)
        if (syncfs(fs->device[i].fd) != 0) status = cu_posix_fail(err, errno, "sync", "the file system");
    return status;
}

static enum cu_file_kind kind_of(mode_t mode)
{
    return S_ISREG(mode) ? CU_FILE_REGULAR : S_ISDIR(mode) ? CU_FILE_FOLDER : CU_FILE_OTHER;
}

static cu_status fs_stat(void *self, const char *path, struct cu_file_stat *ret, struct cu_err *err)
{
    struct posix_fs *fs = self;
    struct stat st;

    TRY(check_path(path, err));
    if (fstatat(fs->root, path, &st, AT_SYMLINK_NOFOLLOW) != 0) return cu_posix_fail(err, errno, "examine", path);
    *ret = (struct cu_file_stat){ kind_of(st.st_mode), (uint64_t)st.st_size };
    return CU_OK;
}

struct names {
    struct dirent **entry;
    int n;
};

static void names_free(struct names *names)
{
    for (int i = 0; i < names->n; i++) free(names->entry[i]);
    free(names->entry);
}

static int not_dots(const struct dirent *e) { return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0; }
static int bytewise(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static cu_status fs_list(void *self, const char *path,
                         cu_status (*each)(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err), void *arg,
                         struct cu_err *err)
{
    struct posix_fs *fs = self;
    CU_CLEANUP(names_free) struct names names = { NULL, 0 };
    struct stat st;

    TRY(check_path(path, err));
    FD dir = open_folder(fs->root, path);
    if (dir < 0) return cu_posix_fail(err, errno, "list", path);
    names.n = scandirat(dir, ".", &names.entry, not_dots, bytewise);
    if (names.n < 0) {
        names.n = 0;
        return cu_posix_fail(err, errno, "list", path);
    }
    for (int i = 0; i < names.n; i++) {
        const char *name = names.entry[i]->d_name;
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue; /* gone since: as if it had never been listed */
        TRY(each(arg, name, kind_of(st.st_mode), err));
    }
    return CU_OK;
}

/* 0, or errno; EWOULDBLOCK when somebody else holds it all the while. */
static int lock_within(int fd, unsigned wait_ms)
{
    const struct timespec a_moment = { .tv_nsec = 2000000 };

    for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += 2) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited >= wait_ms) return errno;
        nanosleep(&a_moment, NULL);
    }
    return 0;
}

static cu_status fs_lock(void *self, const char *path, unsigned wait_ms, void **ret_lock, struct cu_err *err)
{
    struct posix_fs *fs = self;

    TRY(check_path(path, err));
    FD fd = open_once(fs, path, CU_OPEN_WRITE | CU_OPEN_CREATE);
    if (fd < 0 && (errno == EROFS || errno == EACCES || errno == EPERM))
        return cu_fail(err, CU_READ_ONLY, "cannot write here: the lock %s: %s", path, strerror(errno));
    if (fd < 0 && errno == ENOENT) {
        TRY(make_parents(fs, path, err));
        fd = open_once(fs, path, CU_OPEN_WRITE | CU_OPEN_CREATE);
    }
    if (fd < 0) return cu_posix_fail(err, errno, "open the lock", path);
    const int refused = lock_within(fd, wait_ms);
    ENSURE(refused != EWOULDBLOCK, err, CU_BUSY, "another process is writing here (it holds %s)", path);
    if (refused) return cu_posix_fail(err, refused, "lock", path);
    int *lock = malloc(sizeof *lock);
    ENSURE(lock, err, CU_NO_MEMORY, "no memory to lock %s", path);
    *lock = fd;
    fd = -1;
    *ret_lock = lock;
    return CU_OK;
}

static void fs_unlock(void *self, void *lock)
{
    int *fd = lock;
    (void)self;

    if (!fd) return;
    close(*fd);
    free(fd);
}

static bool fs_writable(void *self)
{
    struct posix_fs *fs = self;
    return faccessat(fs->root, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

static void fs_close(void *self)
{
    struct posix_fs *fs = self;

    if (!fs) return;
    for (size_t i = 0; i < fs->devices_n; i++) close(fs->device[i].fd);
    close(fs->root);
    pthread_mutex_destroy(&fs->lock);
    free(fs);
}

static const struct cu_fs_ops fs_ops = {
    fs_open, fs_make_dir, fs_rename, fs_sync_dir, fs_sync_all, fs_stat, fs_list, fs_lock, fs_unlock, fs_writable, fs_close,
};

cu_status cu_posix_fs(const char *root, struct cu_fs *ret, struct cu_err *err)
{
    struct stat st;

    FD fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) return cu_posix_fail(err, errno, "open the folder", root);
    FD twin = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (twin < 0) return cu_posix_fail(err, errno, "open the folder", root);
    struct posix_fs *fs = calloc(1, sizeof *fs);
    ENSURE(fs, err, CU_NO_MEMORY, "no memory to open %s", root);

    fs->root = fd;
    fs->device[0].dev = st.st_dev, fs->device[0].fd = twin;
    fs->devices_n = 1;
    pthread_mutex_init(&fs->lock, NULL);
    fd = twin = -1;
    *ret = (struct cu_fs){ fs, &fs_ops };
    return CU_OK;
}

cu_status cu_posix_make_root(const char *root, struct cu_err *err)
{
    ENSURE(strlen(root) > 0 && strlen(root) < PATH_BYTES, err, CU_USAGE, "not a folder's name: '%s'", root);
    struct posix_fs here = { .root = AT_FDCWD, .lock = PTHREAD_MUTEX_INITIALIZER };
    TRY(make_dirs(&here, root, err));
    return sync_grown(&here, err);
}
