/* Entries in, tiles out: the one place that lays a log out. It is the end of a log in memory, from the tiles that are open at one
 * size up to the last entry; tiles are read from it as from anywhere, of every size in between, and let go once they lie elsewhere. */
#ifndef CUSTODY_LOG_TAIL_H
#define CUSTODY_LOG_TAIL_H

#include "custody/tile.h"

/** An entry, and what its owner wants to find with it (`whole`). The bytes are the owner's, and stay where they are until forgotten. */
struct cu_tail_entry { struct cu_span entry, whole; };

struct cu_log_tail; /* 64 bytes an entry, and one open bundle */
CU_MUST_USE cu_status cu_log_tail_new(struct cu_log_tail **ret, struct cu_err *err);
void cu_log_tail_free(struct cu_log_tail *t);
/** Go on from a log of `size`, whose partial tiles are read from `tiles`; they must lead to `root`, else CORRUPT. */
CU_MUST_USE cu_status cu_log_tail_resume(struct cu_log_tail *t, struct cu_tile_source tiles, cu_size size, const cu_hash *root, struct cu_err *err);
/** Room for n entries more: so many cu_log_tail_add cannot fail. */
CU_MUST_USE cu_status cu_log_tail_reserve(struct cu_log_tail *t, size_t n, struct cu_err *err);
void cu_log_tail_add(struct cu_log_tail *t, const struct cu_tail_entry *entry, const cu_hash *leaf);
/** Back to `size`, not below what was resumed or forgotten. */
void cu_log_tail_cut(struct cu_log_tail *t, cu_size size);
cu_size cu_log_tail_size(const struct cu_log_tail *t);
/** The root of any size from what was resumed or forgotten last up to the whole. */
cu_hash cu_log_tail_root(const struct cu_log_tail *t, cu_size size);
/** Does it hold this tile, or an earlier state of it? If not, then it is full, and lies where those that were forgotten lie. */
bool cu_log_tail_has(const struct cu_log_tail *t, struct cu_tile tile);
/** A tile that it has, appended to ret. NOT_FOUND: the tail ends before its last entry. */
CU_MUST_USE cu_status cu_log_tail_read(const struct cu_log_tail *t, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err);
/** The entry at seq; NULL when it is forgotten or not there yet. */
const struct cu_tail_entry *cu_log_tail_at(const struct cu_log_tail *t, cu_seq seq);
/** Tiles up to `size` lie elsewhere: let go of all but those that are open at that size. Returns the first position that is kept. */
cu_seq cu_log_tail_forget(struct cu_log_tail *t, cu_size size);

/** The tiles that a log of size `to` has and one of size `from` has not, bundles with their level 0; the first failure ends it. */
CU_MUST_USE cu_status cu_tiles_between(cu_size from, cu_size to, cu_status (*each)(void *arg, struct cu_tile tile, struct cu_err *err), void *arg, struct cu_err *err);

#endif
