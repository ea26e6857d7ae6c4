/* Reading a store's file from one end to the other, past the page cache where the file system can, while others hash it. */
#ifndef CU_CONTENT_SCAN_H
#define CU_CONTENT_SCAN_H

#include "content/store.h"

/* Threads and buffers, for many files one after another; about 8 MiB once a file is longer than a chunk. Without threads (for whoever
 * is one among others) 2 MiB. */
struct cu_scan;
CU_MUST_USE cu_status cu_scan_new(bool threads, struct cu_scan **ret, struct cu_err *err);
void cu_scan_free(struct cu_scan *scan);
static inline void cu_scan_cleanup(struct cu_scan **scan) { cu_scan_free(*scan); }

/** One chunk (1 MiB, the last may be short) with its leaf hashes; called in order, in the caller's thread. */
typedef cu_status (*cu_scan_chunk)(void *arg, uint64_t at, struct cu_span bytes, const cu_hash *leaves, size_t n,
                                   struct cu_err *err);
CU_MUST_USE cu_status cu_scan_file(struct cu_scan *scan, const struct cu_fs *fs, const char *path, cu_scan_chunk chunk,
                                   void *arg, uint64_t *ret_size, struct cu_err *err);

/** A pack taken apart: `each` object with its name, and the root of the whole at the end (may be NULL), also of a pack that is
 *  malformed (the status says so; `each` was then told only what stands before the fault). `seen` may be NULL. */
typedef cu_status (*cu_scan_object)(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err);
struct cu_pack_scan { cu_scan_object each; cu_scan_chunk seen; void *arg; cu_hash root; uint64_t size; };
CU_MUST_USE cu_status cu_scan_pack_file(struct cu_scan *scan, const struct cu_objects *s, const cu_hash *pack,
                                        struct cu_pack_scan *how, struct cu_err *err);

#endif
