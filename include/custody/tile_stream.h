/* Entries in, tiles out: the one place that lays a log out. The engine writes what comes out; `check` compares it with what lies
 * there. */
#ifndef CUSTODY_TILE_STREAM_H
#define CUSTODY_TILE_STREAM_H

#include "custody/tile.h"

/** Told each tile (and bundle) when it is full, and by a flush those that are not. `bytes` is good until it returns. */
struct cu_tile_sink {
    void *self;
    cu_status (*tile)(void *self, struct cu_tile tile, struct cu_span bytes, struct cu_err *err);
};

struct cu_tile_stream; /* about 4.3 MiB at most: 8 levels of hashes and one growing bundle */
CU_MUST_USE cu_status cu_tile_stream_new(struct cu_tile_sink sink, struct cu_tile_stream **ret, struct cu_err *err);
/** Go on from a log of `size`, whose partial tiles are read from `tiles`; they must lead to `root`, else CORRUPT. */
CU_MUST_USE cu_status cu_tile_stream_resume(struct cu_tile_stream *s, struct cu_tile_source tiles, cu_size size, const cu_hash *root, struct cu_err *err);
CU_MUST_USE cu_status cu_tile_stream_add(struct cu_tile_stream *s, struct cu_span entry, struct cu_err *err);
/** Emit the partial tiles of the size now; adding may go on. */
CU_MUST_USE cu_status cu_tile_stream_flush(struct cu_tile_stream *s, struct cu_err *err);
cu_size cu_tile_stream_size(const struct cu_tile_stream *s);
cu_hash cu_tile_stream_root(const struct cu_tile_stream *s);
void cu_tile_stream_free(struct cu_tile_stream *s);

#endif
