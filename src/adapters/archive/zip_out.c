/* A zip on its way out. It is written under a name that nobody looks for, and gets its own when every byte of it is durable. */
#include "adapters/archive/archive.h"

#include "adapters/posix/package.h"
#include "adapters/posix/posix.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct zip_out {
    struct archive *archive;
    struct archive_entry *entry;
    int fd;
    uint64_t mtime_s, left;
    char path[4200], beside[4300], top[300];
};

static cu_status fail(struct zip_out *z, const char *what, struct cu_err *err)
{
    const int number = archive_errno(z->archive);

    if (number == ENOSPC || number == EDQUOT || number == EIO || number == EFBIG)
        return cu_posix_fail(err, number, "write", z->path);
    return cu_fail(err, CU_IO, "%s: the zip cannot take %s: %s", z->path, what, archive_error_string(z->archive));
}

static cu_status enter(struct zip_out *z, const char *path, unsigned type, uint64_t size, struct cu_err *err)
{
    char name[4600];

    snprintf(name, sizeof name, "%s/%s", z->top, path);
    archive_entry_clear(z->entry);
    archive_entry_set_pathname_utf8(z->entry, name);
    archive_entry_set_filetype(z->entry, type);
    archive_entry_set_perm(z->entry, type == AE_IFDIR ? 0755 : 0644);
    archive_entry_set_size(z->entry, (la_int64_t)size);
    archive_entry_set_mtime(z->entry, (time_t)z->mtime_s, 0);
    z->left = size;
    return archive_write_header(z->archive, z->entry) == ARCHIVE_OK ? CU_OK : fail(z, path, err);
}

static cu_status folder(void *self, const char *path, struct cu_err *err) { return enter(self, path, AE_IFDIR, 0, err); }

static cu_status begin(void *self, const char *path, uint64_t size, struct cu_err *err)
{
    return enter(self, path, AE_IFREG, size, err);
}

static cu_status add(void *self, struct cu_span bytes, struct cu_err *err)
{
    struct zip_out *z = self;

    CU_ASSERT(bytes.n <= z->left);
    z->left -= bytes.n;
    while (bytes.n > 0) {
        const la_ssize_t n = archive_write_data(z->archive, bytes.p, bytes.n);
        if (n <= 0) return fail(z, "a file", err);
        bytes = cu_span(bytes.p + n, bytes.n - (size_t)n);
    }
    return CU_OK;
}

static cu_status end(void *self, struct cu_err *err)
{
    struct zip_out *z = self;

    CU_ASSERT(z->left == 0);
    return archive_write_finish_entry(z->archive) == ARCHIVE_OK ? CU_OK : fail(z, "a file", err);
}

static cu_status finish(void *self, struct cu_err *err)
{
    struct zip_out *z = self;

    if (archive_write_close(z->archive) != ARCHIVE_OK) return fail(z, "its end", err);
    if (fsync(z->fd) != 0) return cu_posix_fail(err, errno, "sync", z->path);
    TRY(cu_posix_publish(z->beside, z->path, err));
    z->beside[0] = 0;
    return CU_OK;
}

static void close_zip(void *self)
{
    struct zip_out *z = self;

    if (z->archive) archive_write_free(z->archive);
    if (z->entry) archive_entry_free(z->entry);
    if (z->fd >= 0) close(z->fd);
    if (z->beside[0]) unlink(z->beside);
    free(z);
}

static cu_status start(struct zip_out *z, struct cu_err *err)
{
    TRY(cu_posix_beside(z->path, z->beside, sizeof z->beside, err));
    z->fd = open(z->beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (z->fd < 0) {
        z->beside[0] = 0;
        return cu_posix_fail(err, errno, "write", z->path);
    }
    z->archive = archive_write_new();
    z->entry = archive_entry_new();
    ENSURE(z->archive && z->entry, err, CU_NO_MEMORY, "out of memory");
    if (archive_write_set_format_zip(z->archive) != ARCHIVE_OK ||
        archive_write_set_options(z->archive, "zip:compression=store,zip:hdrcharset=UTF-8") != ARCHIVE_OK ||
        archive_write_open_fd(z->archive, z->fd) != ARCHIVE_OK)
        return fail(z, "its beginning", err);
    return CU_OK;
}

cu_status cu_zip_out(const char *path, const char *top, uint64_t mtime_s, struct cu_package_out *ret, struct cu_err *err)
{
    static const struct cu_package_out_ops ops = { folder, begin, add, end, finish, close_zip };
    struct zip_out *z = calloc(1, sizeof *z);

    ENSURE(z, err, CU_NO_MEMORY, "out of memory");
    z->fd = -1;
    z->mtime_s = mtime_s;
    snprintf(z->path, sizeof z->path, "%s", path);
    snprintf(z->top, sizeof z->top, "%s", top);
    const cu_status started = start(z, err);
    if (started != CU_OK) return close_zip(z), started;
    *ret = (struct cu_package_out){ z, &ops };
    return CU_OK;
}
