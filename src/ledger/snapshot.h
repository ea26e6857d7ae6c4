/* The saved table: every row of the state, sorted, in pages that are read one by one when somebody asks. docs/formats/state.md */
#ifndef CU_LEDGER_SNAPSHOT_H
#define CU_LEDGER_SNAPSHOT_H

#include "ledger/state.h"

#define CU_PAGE_BYTES 4096u

/** Open `path` and read its first page: the mark that it is tied to, and its id. NOT_FOUND, CORRUPT, NEWER_FORMAT. */
CU_MUST_USE cu_status cu_snapshot_open(const struct cu_fs *fs, const char *path, struct cu_snapshot **ret,
    struct cu_mark *ret_mark, struct cu_err *err);
void cu_snapshot_close(struct cu_snapshot *snapshot); /* NULL is fine */
cu_hash cu_snapshot_id(const struct cu_snapshot *snapshot);
uint64_t cu_snapshot_bytes(const struct cu_snapshot *snapshot);

/** The value of a row, in a page that stays until the next call; p == NULL when there is none. CORRUPT names page and file. */
CU_MUST_USE cu_status cu_snapshot_find(struct cu_snapshot *snapshot, struct cu_span key, struct cu_span *ret, struct cu_err *err);
/** Every row in order, and on the way every page of the file, each checked. */
CU_MUST_USE cu_status cu_snapshot_walk(struct cu_snapshot *snapshot, cu_state_each *each, void *arg, struct cu_err *err);
/** Is every byte as a writer would write it for these rows? */
CU_MUST_USE cu_status cu_snapshot_check(struct cu_snapshot *snapshot, struct cu_err *err);

/* ---- writing ------------------------------------------------------------------------------------------------------- */

/** Where pages go, in ascending order of their numbers, page 0 last. */
struct cu_page_sink { void *self; cu_status (*put)(void *self, uint64_t page, const uint8_t bytes[CU_PAGE_BYTES],
    struct cu_err *err); };

#define CU_PAGE_LEVELS 10u
struct cu_page { uint8_t bytes[CU_PAGE_BYTES]; size_t used; unsigned rows; };

/** Builds pages from rows that come in ascending order; its memory is a page a level. */
struct cu_page_writer {
    struct cu_page_sink sink;
    struct cu_page level[CU_PAGE_LEVELS];
    unsigned top;
    uint64_t rows, pages;
    cu_hash salt;
    const struct cu_mark *mark;
};
void cu_pages_start(struct cu_page_writer *w, struct cu_page_sink sink, const struct cu_mark *mark);
/* a cu_state_each */
CU_MUST_USE cu_status cu_pages_add(void *writer, struct cu_span key, struct cu_span value, struct cu_err *err);
CU_MUST_USE cu_status cu_pages_finish(struct cu_page_writer *w, struct cu_err *err);

/** Write the state, but for its map, to `path` as a snapshot and sync the file; publishing it is the caller's. */
CU_MUST_USE cu_status cu_snapshot_write(const struct cu_fs *fs, const char *path, const struct cu_state *state,
    const struct cu_mark *mark, struct cu_err *err);

/* ---- one page, for reader and writer ------------------------------------------------------------------------------- */

#define CU_PAGE_ROWS_AT 20u
/** salt: the hash of the mark for rows and index, zero for page 0. */
void cu_page_seal(uint8_t bytes[CU_PAGE_BYTES], uint64_t page, const cu_hash *salt);
bool cu_page_good(const uint8_t bytes[CU_PAGE_BYTES], uint64_t page, const cu_hash *salt);
cu_hash cu_page_salt(const struct cu_mark *mark);

struct cu_page_head { uint64_t rows, pages, root; struct cu_span mark; };
extern const struct cu_schema cu_page_head_schema;
#define CU_SNAPSHOT_MAGIC "custody/state-snapshot/v1\n"

/** A row as it lies in pages and frames: key length (1), value length (2), key, value. */
void cu_row_put(struct cu_buf *out, struct cu_span key, struct cu_span value);
/** The row at the front of `rest`, which moves behind it; false when none is whole there. */
bool cu_row_take(struct cu_span *rest, struct cu_span *ret_key, struct cu_span *ret_value);

#endif
