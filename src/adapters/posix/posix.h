/* Files, evidence, time and chance as Linux gives them. */
#ifndef CU_ADAPTERS_POSIX_H
#define CU_ADAPTERS_POSIX_H

#include "ports/fs.h"
#include "ports/source.h"
#include "ports/world.h"

/** A file system on the folder `root`, which must be there: NOT_FOUND, NOT_ALLOWED. Any thread. `ret->ops->close` lets go.
 *
 *  Folders it makes are durable when the call returns (their parents are synced); a new file's name is so after `sync_dir`
 *  or `sync_all`. Other file systems mounted below the root are found when something on them is written, and `sync_all` syncs
 *  them too. Nothing but a regular file is ever opened, and no link at the end of a path is followed. */
CU_MUST_USE cu_status cu_posix_fs(const char *root, struct cu_fs *ret, struct cu_err *err);

/** Make the folder `root` and the ones above it, durably; fine when it is there. */
CU_MUST_USE cu_status cu_posix_make_root(const char *root, struct cu_err *err);

/** One source for the whole process: it keeps nothing. */
struct cu_source cu_posix_source(void);
struct cu_clock cu_posix_clock(void);
struct cu_random cu_posix_random(void);

/** errno as a status and a sentence: "cannot <verb> <path>: <what the system says>". Returns the status. */
cu_status cu_posix_fail(struct cu_err *err, int number, const char *verb, const char *path);

#endif
