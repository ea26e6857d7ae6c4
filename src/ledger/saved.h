/* The saved state: a snapshot, the delta after it, and the head that says whether the last writer closed it.
 * docs/formats/state.md */
#ifndef CU_LEDGER_SAVED_H
#define CU_LEDGER_SAVED_H

#include "ledger/state.h"

/* ---- the head: one small file, replaced whole ---------------------------------------------------------------------- */

/* the last three mean something when it is clean */
struct cu_state_head { uint64_t clean; cu_hash snapshot; uint64_t delta; cu_hash chain; };
/** NOT_FOUND, CORRUPT, NEWER_FORMAT. `ret_sum`: the hash of its bytes. */
CU_MUST_USE cu_status cu_state_head_read(const struct cu_fs *fs, const char *dir, struct cu_state_head *ret, cu_hash *ret_sum,
    struct cu_err *err);
CU_MUST_USE cu_status cu_state_head_write(const struct cu_fs *fs, const char *dir, const struct cu_state_head *head,
    struct cu_err *err);

/* ---- the delta: frames of rows, each chained to the one before ----------------------------------------------------- */

struct cu_delta { struct cu_file *file; uint64_t end; cu_hash chain; };
/** A new one, empty, tied to a snapshot (zero: none); synced, not published. */
CU_MUST_USE cu_status cu_delta_create(const struct cu_fs *fs, const char *path, const cu_hash *snapshot, struct cu_err *err);
/** Is it there and tied to this snapshot? `file` stays NULL when it is tied to another one, or not even begun. NOT_FOUND. */
CU_MUST_USE cu_status cu_delta_open(const struct cu_fs *fs, const char *path, bool write, const cu_hash *snapshot,
    struct cu_delta *ret, struct cu_err *err);
void cu_delta_close(struct cu_delta *delta);
/** Take in every whole frame: rows into the map, the mark into `mark`. Stops before the first that is not whole or not good. */
CU_MUST_USE cu_status cu_delta_read(struct cu_delta *delta, struct cu_map *map, struct cu_mark *mark, struct cu_err *err);
/** The map's unsaved rows as one frame, but for its chain. */
CU_MUST_USE cu_status cu_delta_frame(const struct cu_map *map, const struct cu_mark *mark, struct cu_buf *ret,
    struct cu_err *err);
/** Append it, chained, behind what was read or written last, over what an interrupted save left there. Not synced. */
CU_MUST_USE cu_status cu_delta_append(struct cu_delta *delta, struct cu_buf *frame, struct cu_err *err);
uint64_t cu_delta_frame_bytes(const struct cu_map *map); /* what that would take, about */

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

struct cu_saved;

/** Read what lies under `dir` into an empty state and mark; nothing there leaves both empty. `afresh`: do not look, the next save
 *  supersedes it. CORRUPT, NEWER_FORMAT. */
CU_MUST_USE cu_status cu_saved_open(const struct cu_fs *fs, const char *dir, bool afresh, struct cu_saved **ret,
    struct cu_state *state, struct cu_mark *mark, struct cu_err *err);
/** The next save supersedes what lies there. NULL is fine, here and below. */
void cu_saved_restart(struct cu_saved *store);
/** Three steps of a save, in this order: set aside what the map has, write it, let it go. The state is not touched by others in the
 *  first and the last; in between its map may be asked and changed. */
CU_MUST_USE cu_status cu_saved_freeze(struct cu_saved *store, struct cu_state *state, const struct cu_mark *mark,
    struct cu_err *err);
CU_MUST_USE cu_status cu_saved_write(struct cu_saved *store, const struct cu_state *state, struct cu_err *err);
void cu_saved_thaw(struct cu_saved *store, struct cu_state *state);
/** When everything is saved: leave the mark of a clean end. Errors leave an unclean one. */
void cu_saved_close(struct cu_saved *store, const struct cu_state *state);

#endif
