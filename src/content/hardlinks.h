#ifndef CU_CONTENT_HARDLINKS_H
#define CU_CONTENT_HARDLINKS_H

#include "ports/source.h"

/** Files with several names: the first path of each, by device and inode. Memory for those files alone. */
struct cu_hardlinks { struct cu_hardlink *slot; size_t n, cap; struct cu_buf paths; };
void cu_hardlinks_start(struct cu_hardlinks *h);
/** The path under which this file was seen first; empty when that is now. The span is good until the next call. */
CU_MUST_USE cu_status cu_hardlinks_seen(struct cu_hardlinks *h, const struct cu_source_stat *st, struct cu_span path,
                                        struct cu_span *ret_first, struct cu_err *err);
void cu_hardlinks_free(struct cu_hardlinks *h);

#endif
