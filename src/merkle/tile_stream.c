/* Entries in, tiles out.
 *
 * (1) hash[l][0 .. n[l]) are the hashes of the tile of level l that is not full yet; n[l] < 256 between calls.
 * (2) The bundle holds the entries of the open level-0 tile: n[0] of them.
 * (3) flushed[l] hashes of that tile were emitted before (or read, on resume): a flush does not repeat them, because a tile of the
 *     same width has the same bytes. Bundles go by level 0.
 */
#include "custody/tile_stream.h"

#include <stdlib.h>

#define LEVELS (CU_TILE_LEVEL_MAX + 1)
#define BUNDLE_MAX ((size_t)CU_TILE_WIDTH * (2 + CU_ENTRY_MAX))

struct cu_tile_stream {
    struct cu_tile_sink sink;
    cu_size size;
    unsigned n[LEVELS], flushed[LEVELS];
    cu_hash hash[LEVELS][CU_TILE_WIDTH];
    struct cu_buf bundle;
};

cu_status cu_tile_stream_new(struct cu_tile_sink sink, struct cu_tile_stream **ret, struct cu_err *err)
{
    struct cu_tile_stream *s = calloc(1, sizeof *s);
    ENSURE(s, err, CU_NO_MEMORY, "no memory for a stream of tiles");

    s->sink = sink;
    s->bundle = cu_buf_heap(BUNDLE_MAX);
    *ret = s;
    return CU_OK;
}

void cu_tile_stream_free(struct cu_tile_stream *s)
{
    if (!s) return;
    cu_buf_free(&s->bundle);
    free(s);
}

cu_size cu_tile_stream_size(const struct cu_tile_stream *s) { return s->size; }

cu_hash cu_tile_stream_root(const struct cu_tile_stream *s)
{
    struct cu_frontier f = { .size = { 0 } };

    for (unsigned l = LEVELS; l-- > 0;)
        for (unsigned i = 0; i < s->n[l]; i++) cu_frontier_append_subtree(&f, 8 * l, &s->hash[l][i]);
    return cu_frontier_root(&f);
}

/* The index of the tile of a level that is open at `size`. */
static uint64_t open_index(unsigned level, cu_size size) { return level == CU_TILE_LEVEL_MAX ? 0 : size.v >> (8 * (level + 1)); }

static cu_status emit(struct cu_tile_stream *s, int level, uint64_t index, unsigned width, struct cu_span bytes,
                      struct cu_err *err)
{
    return s->sink.tile(s->sink.self, (struct cu_tile){ level, index, width }, bytes, err);
}

static cu_status emit_hashes(struct cu_tile_stream *s, unsigned level, uint64_t index, struct cu_err *err)
{
    return emit(s, (int)level, index, s->n[level], cu_span(s->hash[level], s->n[level] * sizeof(cu_hash)), err);
}

/* The tile of `level` is full: out with it, and its root becomes a hash of the level above. `last` is the entry just added. */
static cu_status carry(struct cu_tile_stream *s, unsigned level, cu_seq last, struct cu_err *err)
{
    uint64_t index = open_index(level, (cu_size){ last.v });

    TRY(emit_hashes(s, level, index, err));
    if (level < CU_TILE_LEVEL_MAX) s->hash[level + 1][s->n[level + 1]++] = cu_tree_root(s->hash[level], CU_TILE_WIDTH);
    s->n[level] = s->flushed[level] = 0;
    return CU_OK;
}

cu_status cu_tile_stream_add(struct cu_tile_stream *s, struct cu_span entry, struct cu_err *err)
{
    cu_seq at = { s->size.v };

    ENSURE(entry.n <= CU_ENTRY_MAX, err, CU_TOO_LARGE, "entry %llu has %zu bytes", LLU(at.v), entry.n);
    cu_bundle_put(&s->bundle, entry);
    TRY(cu_buf_ok(&s->bundle, err));
    s->hash[0][s->n[0]++] = cu_leaf_hash(entry);
    s->size.v++;
    if (s->n[0] < CU_TILE_WIDTH) return CU_OK;

    TRY(emit(s, CU_TILE_ENTRIES, open_index(0, (cu_size){ at.v }), CU_TILE_WIDTH, cu_buf_span(&s->bundle), err));
    cu_buf_clear(&s->bundle);
    for (unsigned l = 0; l < LEVELS && s->n[l] == CU_TILE_WIDTH; l++) TRY(carry(s, l, at, err));
    return CU_OK;
}

cu_status cu_tile_stream_flush(struct cu_tile_stream *s, struct cu_err *err)
{
    if (s->n[0] != s->flushed[0]) TRY(emit(s, CU_TILE_ENTRIES, open_index(0, s->size), s->n[0], cu_buf_span(&s->bundle), err));
    for (unsigned l = 0; l < LEVELS; l++) {
        if (s->n[l] != s->flushed[l]) TRY(emit_hashes(s, l, open_index(l, s->size), err));
        s->flushed[l] = s->n[l];
    }
    return CU_OK;
}

static cu_status read_level(struct cu_tile_stream *s, struct cu_tile_source tiles, unsigned level, struct cu_err *err)
{
    struct cu_tile tile = { (int)level, open_index(level, s->size), (unsigned)(s->size.v >> (8 * level)) & 255u };
    struct cu_buf out = cu_buf_over(s->hash[level], sizeof s->hash[level]);

    if (tile.width == 0) return CU_OK;
    TRY(tiles.read(tiles.self, tile, &out, err));
    ENSURE(out.n == tile.width * sizeof(cu_hash), err, CU_CORRUPT, "tile %u/%llu of width %u has %zu bytes", level,
           LLU(tile.index), tile.width, out.n);
    s->n[level] = s->flushed[level] = tile.width;
    return CU_OK;
}

/* The open bundle's entries must be those that the level-0 tile has the leaf hashes of. */
static cu_status read_bundle(struct cu_tile_stream *s, struct cu_tile_source tiles, struct cu_err *err)
{
    struct cu_tile tile = { CU_TILE_ENTRIES, open_index(0, s->size), s->n[0] };
    struct cu_span entry;
    size_t at = 0;

    if (tile.width == 0) return CU_OK;
    TRY(tiles.read(tiles.self, tile, &s->bundle, err));
    ENSURE(cu_bundle_check(cu_buf_span(&s->bundle), tile.width, err) == CU_OK, err, CU_CORRUPT,
           "entry bundle %llu is not %u entries", LLU(tile.index), tile.width);
    for (unsigned i = 0; cu_bundle_next(cu_buf_span(&s->bundle), &at, &entry); i++) {
        cu_hash leaf = cu_leaf_hash(entry);
        ENSURE(cu_hash_eq(&leaf, &s->hash[0][i]), err, CU_CORRUPT, "entry %llu is not the one that the tiles commit to",
               LLU(tile.index * CU_TILE_WIDTH + i));
    }
    return CU_OK;
}

static cu_status resume(struct cu_tile_stream *s, struct cu_tile_source tiles, const cu_hash *root, struct cu_err *err)
{
    for (unsigned l = 0; l < LEVELS; l++) TRY(read_level(s, tiles, l, err));
    TRY(read_bundle(s, tiles, err));
    cu_hash got = cu_tile_stream_root(s);
    ENSURE(cu_hash_eq(&got, root), err, CU_CORRUPT, "the tiles of size %llu lead to another root", LLU(s->size.v));
    return CU_OK;
}

cu_status cu_tile_stream_resume(struct cu_tile_stream *s, struct cu_tile_source tiles, cu_size size, const cu_hash *root,
                                struct cu_err *err)
{
    CU_ASSERT(s->size.v == 0);
    s->size = size;
    cu_status status = resume(s, tiles, root, err);
    if (status != CU_OK) { /* as new again */
        memset(s->n, 0, sizeof s->n);
        memset(s->flushed, 0, sizeof s->flushed);
        cu_buf_clear(&s->bundle);
        s->size = (cu_size){ 0 };
    }
    return status;
}
