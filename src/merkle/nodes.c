/* Nodes out of tiles. A tile stores every eighth level; those between are computed from the 2^k hashes below them. The few
 * tiles last used stay in the caller's struct: a path touches one tile a level, and the next path mostly the same ones. */
#include "custody/tile.h"

enum { SLOTS = sizeof((struct cu_tile_nodes *)0)->slot / sizeof *((struct cu_tile_nodes *)0)->slot };

void cu_tile_nodes_init(struct cu_tile_nodes *nodes, struct cu_tile_source source, cu_size size)
{
    nodes->source = source;
    nodes->size = size;
    nodes->clock = 0;
    for (unsigned i = 0; i < SLOTS; i++) nodes->slot[i].used = false;
}

static bool same_tile(struct cu_tile a, struct cu_tile b)
{
    return a.level == b.level && a.index == b.index && a.width == b.width;
}

/* The slot that holds the tile, or the one that has not been used for longest. */
static unsigned slot_for(const struct cu_tile_nodes *nodes, struct cu_tile tile)
{
    unsigned oldest = 0;

    for (unsigned i = 0; i < SLOTS; i++) {
        if (nodes->slot[i].used && same_tile(nodes->slot[i].tile, tile)) return i;
        if (!nodes->slot[i].used || (nodes->slot[oldest].used && nodes->slot[i].age < nodes->slot[oldest].age)) oldest = i;
    }
    return oldest;
}

static cu_status fetch(struct cu_tile_nodes *nodes, struct cu_tile tile, const cu_hash **ret, struct cu_err *err)
{
    unsigned i = slot_for(nodes, tile);

    if (!nodes->slot[i].used || !same_tile(nodes->slot[i].tile, tile)) {
        struct cu_buf bytes = cu_buf_over(nodes->slot[i].hash, sizeof nodes->slot[i].hash);

        nodes->slot[i].used = false;
        TRY(nodes->source.read(nodes->source.self, tile, &bytes, err));
        ENSURE(!bytes.full && bytes.n == tile.width * sizeof(cu_hash), err, CU_CORRUPT, "tile %d/%llu: not %u hashes", tile.level,
               LLU(tile.index), tile.width);
        nodes->slot[i].tile = tile;
        nodes->slot[i].used = true;
    }
    nodes->slot[i].age = ++nodes->clock;
    *ret = nodes->slot[i].hash;
    return CU_OK;
}

static cu_status node(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err)
{
    struct cu_tile_nodes *nodes = self;
    unsigned above = level % 8;
    uint64_t first = index << above;
    struct cu_tile tile = { .level = (int)(level / 8), .index = first / CU_TILE_WIDTH };
    unsigned at = (unsigned)(first % CU_TILE_WIDTH);
    const cu_hash *hashes = NULL;

    CU_ASSERT(level < 64);
    ENSURE(index < nodes->size.v >> level, err, CU_NOT_FOUND, "no complete subtree %u/%llu in a log of %llu", level, LLU(index),
           LLU(nodes->size.v));
    tile.width = cu_tile_width(tile.level, tile.index, nodes->size);
    TRY(fetch(nodes, tile, &hashes, err));
    *ret = cu_complete_root(hashes + at, above);
    return CU_OK;
}

struct cu_node_source cu_tile_node_source(struct cu_tile_nodes *nodes)
{
    return (struct cu_node_source){ .self = nodes, .node = node };
}
