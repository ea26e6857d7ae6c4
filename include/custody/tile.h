/* C2SP tlog-tiles: paths, widths and the bytes of tiles and entry bundles. 256 hashes a full tile; content trees use the
 * same: 256 leaves of 4 KiB are one chunk and one level-0 tile. */
#ifndef CUSTODY_TILE_H
#define CUSTODY_TILE_H

#include "custody/tree.h"

#define CU_TILE_WIDTH 256u
#define CU_TILE_LEVEL_MAX 7u   /* 256^8 = 2^64 leaves */
#define CU_TILE_ENTRIES (-1)   /* the level of an entry bundle */

/** A tile's address. `level` 0..7 or CU_TILE_ENTRIES; `width` 1..256, 256 = full. */
struct cu_tile {
    int level;
    uint64_t index;
    unsigned width;
};

/** "tile/0/x001/x234/067", "tile/entries/000.p/5". At most 64 bytes with the final NUL. */
#define CU_TILE_PATH_MAX 64
void cu_tile_path(struct cu_tile tile, char ret[CU_TILE_PATH_MAX]);
CU_MUST_USE cu_status cu_tile_path_read(struct cu_span path, struct cu_tile *ret, struct cu_err *err);

/** Width of the tile (level, index) in a log of `size`: 0 when it is not there. For bundles as for level 0. */
unsigned cu_tile_width(int level, uint64_t index, cu_size size);

/** An entry bundle: u16 big-endian length ‖ entry, width times. `*at` = 0 to begin; false at the end.
 *  MALFORMED from `cu_bundle_check` for a bundle that does not hold exactly `width` entries, each at most CU_ENTRY_MAX. */
CU_MUST_USE cu_status cu_bundle_check(struct cu_span bundle, unsigned width, struct cu_err *err);
bool cu_bundle_next(struct cu_span bundle, size_t *at, struct cu_span *ret_entry);
CU_MUST_USE cu_status cu_bundle_entry(struct cu_span bundle, unsigned n, struct cu_span *ret_entry, struct cu_err *err);
void cu_bundle_put(struct cu_buf *out, struct cu_span entry);

/** Tiles from wherever they lie. `read` appends the tile's bytes (exactly width·32, or the bundle) to `ret`. */
struct cu_tile_source {
    void *self;
    cu_status (*read)(void *self, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err);
};

/** Nodes out of tiles, with a small cache of the tiles last read (the struct is the caller's, about 40 KiB). It checks no
 *  hash: proofs made from damaged tiles fail to verify, and makers verify what they made. */
struct cu_tile_nodes {
    struct cu_tile_source source;
    cu_size size;
    struct { struct cu_tile tile; unsigned age; bool used; cu_hash hash[CU_TILE_WIDTH]; } slot[5];
    unsigned clock;
};
void cu_tile_nodes_init(struct cu_tile_nodes *nodes, struct cu_tile_source source, cu_size size);
struct cu_node_source cu_tile_node_source(struct cu_tile_nodes *nodes);

#endif
