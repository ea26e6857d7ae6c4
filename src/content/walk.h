/* A folder of evidence, walked in the order of manifests: names of each folder bytewise, what is in a folder right after it. */
#ifndef CU_CONTENT_WALK_H
#define CU_CONTENT_WALK_H

#include "ports/source.h"

/** One item, before it is read. `path` is relative to the folder; `full` is what the source calls it. */
struct cu_walk_item { struct cu_span path; const char *full; struct cu_source_stat stat; };

/** Links are told, never followed. CHANGED when a folder's names changed while it was walked, or what was listed is gone. The
 *  names of the folders on the way down are in memory, nothing else. */
CU_MUST_USE cu_status cu_walk(const struct cu_source *source, const char *root,
                              cu_status (*visit)(void *arg, const struct cu_walk_item *item, struct cu_err *err), void *arg,
                              struct cu_err *err);

/** The same file, unchanged? Size, times, identity. */
bool cu_source_same(const struct cu_source_stat *a, const struct cu_source_stat *b);

#endif
