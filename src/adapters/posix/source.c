/* Somebody's files as `struct cu_source`: read only, once, without ever waiting for a device or a fifo to answer an open.
 *
 * (1) An open never blocks and never takes a controlling terminal; what is neither a file, a folder nor a block device is OTHER
 *     and its bytes are not read.
 * (2) The access time is left alone where the system allows it.
 * (3) A short read means the end: pieces of a stream are put together here.
 */
#include "posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct posix_source {
    struct cu_source_file base;
    int fd;
    bool stream;
    enum cu_source_kind kind;
    uint64_t at; /* bytes given so far: where an error lies */
    char path[];
};

static struct posix_source *source_of(struct cu_source_file *f) { return (struct posix_source *)(void *)f; }

static enum cu_source_kind kind_of(mode_t mode)
{
    return S_ISREG(mode)   ? CU_SOURCE_FILE
           : S_ISDIR(mode) ? CU_SOURCE_FOLDER
           : S_ISLNK(mode) ? CU_SOURCE_SYMLINK
           : S_ISBLK(mode) ? CU_SOURCE_BLOCK_DEVICE
                           : CU_SOURCE_OTHER;
}

static struct cu_source_stat stat_of(const struct stat *st)
{
    return (struct cu_source_stat){
        .kind = kind_of(st->st_mode),
        .size = (uint64_t)st->st_size,
        .device = st->st_dev,
        .inode = st->st_ino,
        .links = st->st_nlink,
        .mode = st->st_mode & 07777u,
        .mtime_s = (uint64_t)st->st_mtim.tv_sec,
        .mtime_ns = (uint64_t)st->st_mtim.tv_nsec,
        .ctime_s = (uint64_t)st->st_ctim.tv_sec,
        .ctime_ns = (uint64_t)st->st_ctim.tv_nsec,
    };
}

/* Wait for more of a stream that somebody made non-blocking. */
static bool wait_for(const struct posix_source *s)
{
    struct pollfd p = { s->fd, POLLIN, 0 };
    return s->stream && (poll(&p, 1, -1) >= 0 || errno == EINTR);
}

static cu_status source_read(struct cu_source_file *f, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct posix_source *s = source_of(f);
    size_t got = 0;

    ENSURE(s->kind == CU_SOURCE_FILE || s->kind == CU_SOURCE_BLOCK_DEVICE || s->kind == CU_SOURCE_STREAM, err, CU_IO,
           "%s is no file: its bytes are not read", s->path);
    while (got < n) {
        ssize_t r = read(s->fd, (char *)ret + got, n - got);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0 && errno == EAGAIN && wait_for(s)) continue;
        if (r < 0)
            return cu_fail_while(err, cu_posix_fail(err, errno, "read", s->path), "at byte %llu",
                                 (unsigned long long)(s->at + got));
        if (r == 0) break;
        got += (size_t)r;
    }
    s->at += got;
    *ret_n = got;
    return CU_OK;
}

static cu_status source_stat(struct cu_source_file *f, struct cu_source_stat *ret, struct cu_err *err)
{
    struct posix_source *s = source_of(f);
    struct stat st;

    if (fstat(s->fd, &st) != 0) return cu_posix_fail(err, errno, "examine", s->path);
    struct cu_source_stat out = stat_of(&st);
    if (s->stream) out = (struct cu_source_stat){ .kind = CU_SOURCE_STREAM };
    if (out.kind == CU_SOURCE_BLOCK_DEVICE) {
        off_t here = lseek(s->fd, 0, SEEK_CUR), end = lseek(s->fd, 0, SEEK_END);
        if (end < 0 || lseek(s->fd, here, SEEK_SET) < 0) return cu_posix_fail(err, errno, "find the size of", s->path);
        out.size = (uint64_t)end;
    }
    *ret = out;
    return CU_OK;
}

static void source_close(struct cu_source_file *f)
{
    struct posix_source *s = source_of(f);
    close(s->fd);
    free(s);
}

static cu_status source_seek(struct cu_source_file *f, uint64_t at, struct cu_err *err)
{
    struct posix_source *s = source_of(f);

    ENSURE(!s->stream, err, CU_USAGE, "%s comes but once", s->path);
    if (lseek(s->fd, at > INT64_MAX ? -1 : (off_t)at, SEEK_SET) < 0) return cu_posix_fail(err, errno, "go on in", s->path);
    s->at = at;
    return CU_OK;
}

static const struct cu_source_file_ops file_ops = { source_read, source_stat, source_close, source_seek };

/* (1) (2): only an owner may leave the access time alone; others open as usual. */
static int open_quietly(const char *path)
{
    int how = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, fd;

    do fd = open(path, how | O_NOATIME);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0 || errno != EPERM) return fd;
    do fd = open(path, how);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static cu_status source_open(void *self, const char *path, struct cu_source_file **ret, struct cu_err *err)
{
    bool stream = strcmp(path, "-") == 0;
    size_t path_n = strlen(path) + 1;
    struct stat st;
    (void)self;

    int fd = stream ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open_quietly(path);
    struct posix_source *s = fd >= 0 && fstat(fd, &st) == 0 ? malloc(sizeof *s + path_n) : NULL;
    if (!s) {
        cu_status status = cu_posix_fail(err, errno, "open", stream ? "standard input" : path);
        if (fd >= 0) close(fd);
        return status;
    }
    *s = (struct posix_source){ { &file_ops }, fd, stream, stream ? CU_SOURCE_STREAM : kind_of(st.st_mode), 0 };
    memcpy(s->path, path, path_n);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *ret = &s->base;
    return CU_OK;
}

static cu_status source_path_stat(void *self, const char *path, bool follow, struct cu_source_stat *ret, struct cu_err *err)
{
    struct stat st;
    (void)self;

    if (strcmp(path, "-") == 0) {
        *ret = (struct cu_source_stat){ .kind = CU_SOURCE_STREAM };
        return CU_OK;
    }
    if (fstatat(AT_FDCWD, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) return cu_posix_fail(err, errno, "examine", path);
    *ret = stat_of(&st);
    return CU_OK;
}

static cu_status source_read_link(void *self, const char *path, struct cu_buf *ret, struct cu_err *err)
{
    char target[PATH_MAX];
    (void)self;

    ssize_t n = readlink(path, target, sizeof target);
    if (n < 0) return cu_posix_fail(err, errno, "read the link", path);
    ENSURE((size_t)n < sizeof target, err, CU_TOO_LARGE, "the target of the link %s is too long", path);
    cu_buf_add(ret, cu_span(target, (size_t)n));
    return cu_buf_ok(ret, err);
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

static cu_status source_list(void *self, const char *path, cu_status (*each)(void *arg, const char *name, struct cu_err *err),
                             void *arg, struct cu_err *err)
{
    CU_CLEANUP(names_free) struct names names = { NULL, 0 };
    (void)self;

    names.n = scandir(path, &names.entry, not_dots, bytewise);
    if (names.n < 0) {
        names.n = 0;
        return cu_posix_fail(err, errno, "list", path);
    }
    for (int i = 0; i < names.n; i++) TRY(each(arg, names.entry[i]->d_name, err));
    return CU_OK;
}

static const struct cu_source_ops source_ops = { source_open, source_path_stat, source_read_link, source_list };

struct cu_source cu_posix_source(void) { return (struct cu_source){ NULL, &source_ops }; }
