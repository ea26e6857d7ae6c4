/* The saved table: every row of the state, sorted, in pages that are read one by one when somebody asks. docs/formats/state.md */
#ifndef CU_LEDGER_SNAPSHOT_H
#define CU_LEDGER_SNAPSHOT_H

#include "ledger/state.h"

/** Open `path` and read its first page: the mark that it is tied to, and its id. NOT_FOUND, CORRUPT, NEWER_FORMAT. */
CU_MUST_USE cu_status cu_snapshot_open(const struct cu_fs *fs, const char *path, struct cu_snapshot **ret, struct cu_mark *ret_mark, struct cu_err *err);
void cu_snapshot_close(struct cu_snapshot *snapshot);
cu_hash cu_snapshot_id(const struct cu_snapshot *snapshot);
uint64_t cu_snapshot_bytes(const struct cu_snapshot *snapshot);

/** The value of a row, in a page that stays until the next call; p == NULL when there is none. CORRUPT names page and file. */
CU_MUST_USE cu_status cu_snapshot_find(struct cu_snapshot *snapshot, struct cu_span key, struct cu_span *ret, struct cu_err *err);
/** Every row in order, and on the way every page of the file, each checked. */
CU_MUST_USE cu_status cu_snapshot_walk(struct cu_snapshot *snapshot, cu_state_each *each, void *arg, struct cu_err *err);

/** Write rows that come in ascending order; memory is a page a level. The file is synced by `finish`, publishing is the caller's. */
struct cu_snapshot_writer;
CU_MUST_USE cu_status cu_snapshot_write(const struct cu_fs *fs, const char *path, struct cu_snapshot_writer **ret, struct cu_err *err);
CU_MUST_USE cu_status cu_snapshot_add(void *writer, struct cu_span key, struct cu_span value, struct cu_err *err); /* a cu_state_each */
CU_MUST_USE cu_status cu_snapshot_finish(struct cu_snapshot_writer *writer, const struct cu_mark *mark, cu_hash *ret_id, struct cu_err *err);
void cu_snapshot_drop(struct cu_snapshot_writer *writer); /* NULL is fine */

#endif
