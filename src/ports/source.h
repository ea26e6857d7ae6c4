/* Evidence where it lies: somebody's files and folders, read only, once.
 *
 * Paths are the person's own (absolute or relative to the current folder, any bytes but NUL). `open` follows a link at the end of
 * a path, because the one that the person named may be one; whoever walks a folder opens only what `stat` (not following) called a
 * file, and compares device and inode of what it opened with it: CHANGED when they differ. Nothing here ever waits for a fifo or
 * a device to answer an open. The size of a block device is known from the open file alone.
 */
#ifndef CU_PORTS_SOURCE_H
#define CU_PORTS_SOURCE_H

#include "custody/content.h"

enum cu_source_kind { CU_SOURCE_FILE, CU_SOURCE_FOLDER, CU_SOURCE_SYMLINK, CU_SOURCE_BLOCK_DEVICE, CU_SOURCE_OTHER, CU_SOURCE_STREAM /* stdin */ };
struct cu_source_stat {
    enum cu_source_kind kind;
    uint64_t size, device, inode, links, mode, mtime_s, mtime_ns, ctime_s, ctime_ns;
};

struct cu_source_file { const struct cu_source_file_ops *ops; };
struct cu_source_file_ops {
    cu_status (*read)(struct cu_source_file *f, void *ret, size_t n, size_t *ret_n, struct cu_err *err); /* fewer than n only at the end */
    cu_status (*stat)(struct cu_source_file *f, struct cu_source_stat *ret, struct cu_err *err);
    void (*close)(struct cu_source_file *f);
    /* What is read next begins at this byte. Of a file; USAGE: of what comes but once. */
    cu_status (*seek)(struct cu_source_file *f, uint64_t at, struct cu_err *err);
};

static inline void cu_source_close(struct cu_source_file **f)
{
    if (*f) (*f)->ops->close(*f);
    *f = NULL;
}

struct cu_source { void *self; const struct cu_source_ops *ops; };
struct cu_source_ops {
    /* NOT_FOUND, NOT_ALLOWED, IO. "-" is standard input. */
    cu_status (*open)(void *self, const char *path, struct cu_source_file **ret, struct cu_err *err);
    cu_status (*stat)(void *self, const char *path, bool follow, struct cu_source_stat *ret, struct cu_err *err);
    cu_status (*read_link)(void *self, const char *path, struct cu_buf *ret, struct cu_err *err);
    /* Names in a folder in bytewise order. */
    cu_status (*list)(void *self, const char *path, cu_status (*each)(void *arg, const char *name, struct cu_err *err), void *arg, struct cu_err *err);
};

#endif
