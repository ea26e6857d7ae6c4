/* A folder on its way out: written under a name beside its own, given its own when everything in it is durable. */
#include "adapters/posix/package.h"

#include "adapters/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder_out {
    int fd;
    char path[4200], beside[4300], file[8600];
};

cu_status cu_posix_beside(const char *path, char *ret, size_t max, struct cu_err *err)
{
    const char *slash = strrchr(path, '/');
    struct stat st;

    ENSURE(lstat(path, &st) != 0, err, CU_USAGE, "%s is there already: name one that is not; nothing was written", path);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(ret, max, "%.*s.custody-%u", slash ? (int)(slash - path + 1) : 0, path, i);
        if (lstat(ret, &st) != 0) return CU_OK;
    }
    return cu_fail(err, CU_IO, "%s: the folder is full of what earlier exports left (.custody-…)", path);
}

/* The folder that the name lies in. */
static cu_status sync_parent(const char *path, struct cu_err *err)
{
    const char *slash = strrchr(path, '/');
    char dir[4300] = ".";

    if (slash) snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;
    const int number = errno;
    if (fd >= 0) close(fd);
    return synced ? CU_OK : cu_posix_fail(err, number, "sync", dir);
}

cu_status cu_posix_publish(const char *beside, const char *path, struct cu_err *err)
{
    struct stat st;
    int renamed = renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE);

    if (renamed != 0 && errno == EINVAL) { /* a file system that cannot promise it */
        ENSURE(lstat(path, &st) != 0, err, CU_USAGE, "%s was made by somebody else meanwhile", path);
        renamed = rename(beside, path);
    }
    if (renamed != 0) return cu_posix_fail(err, errno, "write", path);
    return sync_parent(path, err);
}

/* ---- files ---- */
static cu_status make_parents(struct folder_out *f, struct cu_err *err)
{
    for (char *slash = f->file + strlen(f->beside) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        const bool made = mkdir(f->file, 0777) == 0 || errno == EEXIST;
        const int number = errno;
        *slash = '/';
        if (!made) return cu_posix_fail(err, number, "make a folder of", f->file);
    }
    return CU_OK;
}

static cu_status folder(void *self, const char *path, struct cu_err *err)
{
    struct folder_out *f = self;

    snprintf(f->file, sizeof f->file, "%s/%s", f->beside, path);
    return mkdir(f->file, 0777) == 0 ? CU_OK : cu_posix_fail(err, errno, "make the folder", f->file);
}

static cu_status begin(void *self, const char *path, uint64_t size, struct cu_err *err)
{
    struct folder_out *f = self;

    (void)size;
    snprintf(f->file, sizeof f->file, "%s/%s", f->beside, path);
    TRY(make_parents(f, err));
    f->fd = open(f->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return f->fd >= 0 ? CU_OK : cu_posix_fail(err, errno, "write", f->file);
}

static cu_status add(void *self, struct cu_span bytes, struct cu_err *err)
{
    struct folder_out *f = self;

    while (bytes.n > 0) {
        const ssize_t n = write(f->fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cu_posix_fail(err, errno, "write", f->file);
        bytes = cu_span(bytes.p + n, bytes.n - (size_t)n);
    }
    return CU_OK;
}

static cu_status end(void *self, struct cu_err *err)
{
    struct folder_out *f = self;
    const int fd = f->fd;

    f->fd = -1;
    return close(fd) == 0 ? CU_OK : cu_posix_fail(err, errno, "write", f->file);
}

static cu_status finish(void *self, struct cu_err *err)
{
    struct folder_out *f = self;
    const int fd = open(f->beside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && syncfs(fd) == 0;
    const int number = errno;

    if (fd >= 0) close(fd);
    if (!synced) return cu_posix_fail(err, number, "sync", f->path);
    TRY(cu_posix_publish(f->beside, f->path, err));
    f->beside[0] = 0;
    return CU_OK;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void close_folder(void *self)
{
    struct folder_out *f = self;

    if (f->fd >= 0) close(f->fd);
    if (f->beside[0]) (void)nftw(f->beside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
}

cu_status cu_posix_folder_out(const char *path, struct cu_package_out *ret, struct cu_err *err)
{
    static const struct cu_package_out_ops ops = { folder, begin, add, end, finish, close_folder };
    struct folder_out *f = calloc(1, sizeof *f);
    cu_status made;

    ENSURE(f, err, CU_NO_MEMORY, "out of memory");
    f->fd = -1;
    snprintf(f->path, sizeof f->path, "%s", path);
    for (size_t n = strlen(f->path); n > 1 && f->path[n - 1] == '/'; n--) f->path[n - 1] = 0;
    made = cu_posix_beside(f->path, f->beside, sizeof f->beside, err);
    if (made == CU_OK && mkdir(f->beside, 0777) != 0) {
        made = cu_posix_fail(err, errno, "make the folder", f->path);
        f->beside[0] = 0;
    }
    if (made != CU_OK) return free(f), made;
    *ret = (struct cu_package_out){ f, &ops };
    return CU_OK;
}
