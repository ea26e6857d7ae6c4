/* Entries in, tiles out.
 *
 * (1) first(l) is a multiple of 256, the first hash of the tile of level l that was open at `kept`; level[l].hash begins there.
 * (2) level[l] has a hash for every complete subtree of 256^l entries from first(l) to `size`: so one more, of level l + 1, for each
 *     tile of level l that is full.
 * (3) The entries are those of level 0. Of those before `resumed` the bytes are our own.
 */
#include "custody/log_tail.h"

#include <stdlib.h>

#define LEVELS (CU_TILE_LEVEL_MAX + 1)
#define BUNDLE_MAX ((size_t)CU_TILE_WIDTH * (2 + CU_ENTRY_MAX))

struct cu_log_tail {
    cu_size size, kept;
    struct cu_tail_entry *entry;
    struct level {
        cu_hash *hash;
        size_t n, cap;
    } level[LEVELS];
    struct cu_buf bundle; /* the one that was resumed from */
};

/* The index of the tile of a level that is open at `size`. */
static uint64_t open_index(unsigned level, cu_size size) { return level == CU_TILE_LEVEL_MAX ? 0 : size.v >> (8 * (level + 1)); }

static uint64_t first(const struct cu_log_tail *t, unsigned level) { return open_index(level, t->kept) * CU_TILE_WIDTH; }

cu_status cu_log_tail_new(struct cu_log_tail **ret, struct cu_err *err)
{
    struct cu_log_tail *t = calloc(1, sizeof *t);
    ENSURE(t, err, CU_NO_MEMORY, "no memory for the end of a log");

    t->bundle = cu_buf_heap(BUNDLE_MAX);
    *ret = t;
    return CU_OK;
}

void cu_log_tail_free(struct cu_log_tail *t)
{
    if (!t) return;
    for (unsigned l = 0; l < LEVELS; l++) free(t->level[l].hash);
    free(t->entry);
    cu_buf_free(&t->bundle);
    free(t);
}

cu_size cu_log_tail_size(const struct cu_log_tail *t) { return t->size; }

/* ---- growing ---- */

static bool grow(struct cu_log_tail *t, unsigned l, size_t n)
{
    struct level *level = &t->level[l];
    size_t cap = level->cap ? level->cap : CU_TILE_WIDTH;

    while (cap < level->n + n) cap *= 2;
    if (cap == level->cap) return true;
    cu_hash *hash = realloc(level->hash, cap * sizeof *hash);
    if (hash) level->hash = hash;
    struct cu_tail_entry *entry = l == 0 && hash ? realloc(t->entry, cap * sizeof *entry) : NULL;
    if (entry) t->entry = entry;
    if (!hash || (l == 0 && !entry)) return false;
    level->cap = cap;
    return true;
}

cu_status cu_log_tail_reserve(struct cu_log_tail *t, size_t n, struct cu_err *err)
{
    for (unsigned l = 0; l < LEVELS; l++, n = n / CU_TILE_WIDTH + 1)
        ENSURE(grow(t, l, n), err, CU_NO_MEMORY, "no memory for the end of a log");
    return CU_OK;
}

void cu_log_tail_add(struct cu_log_tail *t, const struct cu_tail_entry *entry, const cu_hash *leaf)
{
    struct level *level = t->level;

    CU_ASSERT(level->n < level->cap && entry->entry.n <= CU_ENTRY_MAX);
    t->entry[level->n] = *entry;
    level->hash[level->n++] = *leaf;
    t->size.v++;
    for (unsigned l = 0; l + 1 < LEVELS && t->level[l].n % CU_TILE_WIDTH == 0; l++) { /* (2) */
        struct level *full = &t->level[l], *above = full + 1;
        CU_ASSERT(above->n < above->cap);
        above->hash[above->n++] = cu_complete_root(full->hash + full->n - CU_TILE_WIDTH, 8);
    }
}

void cu_log_tail_cut(struct cu_log_tail *t, cu_size size)
{
    CU_ASSERT(size.v >= t->kept.v && size.v <= t->size.v);
    t->size = size;
    for (unsigned l = 0; l < LEVELS; l++) t->level[l].n = (size_t)((size.v >> (8 * l)) - first(t, l));
}

/* ---- asking ---- */

cu_hash cu_log_tail_root(const struct cu_log_tail *t, cu_size size)
{
    struct cu_frontier f = { .size = { 0 } };

    CU_ASSERT(size.v >= t->kept.v && size.v <= t->size.v);
    for (unsigned l = LEVELS; l-- > 0;)
        for (uint64_t i = open_index(l, size) * CU_TILE_WIDTH; i < size.v >> (8 * l); i++)
            cu_frontier_append_subtree(&f, 8 * l, &t->level[l].hash[i - first(t, l)]);
    return cu_frontier_root(&f);
}

bool cu_log_tail_has(const struct cu_log_tail *t, struct cu_tile tile)
{
    return tile.index >= open_index(tile.level < 0 ? 0 : (unsigned)tile.level, t->kept);
}

cu_status cu_log_tail_read(const struct cu_log_tail *t, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err)
{
    const unsigned l = tile.level < 0 ? 0 : (unsigned)tile.level;

    ENSURE(cu_log_tail_has(t, tile) && tile.width <= cu_tile_width(tile.level, tile.index, t->size), err, CU_NOT_FOUND,
           "tile %d/%llu of width %u is not in the end of the log", tile.level, LLU(tile.index), tile.width);
    const size_t at = (size_t)(tile.index * CU_TILE_WIDTH - first(t, l));
    if (tile.level >= 0) cu_buf_add(ret, cu_span(t->level[l].hash + at, tile.width * sizeof(cu_hash)));
    else
        for (size_t i = at; i < at + tile.width; i++) cu_bundle_put(ret, t->entry[i].entry);
    return cu_buf_ok(ret, err);
}

const struct cu_tail_entry *cu_log_tail_at(const struct cu_log_tail *t, cu_seq seq)
{
    return seq.v >= first(t, 0) && seq.v < t->size.v ? &t->entry[seq.v - first(t, 0)] : NULL;
}

/* ---- letting go ---- */

cu_seq cu_log_tail_forget(struct cu_log_tail *t, cu_size size)
{
    CU_ASSERT(size.v >= t->kept.v && size.v <= t->size.v);
    for (unsigned l = 0; l < LEVELS; l++) {
        struct level *level = &t->level[l];
        const size_t gone = (size_t)(open_index(l, size) * CU_TILE_WIDTH - first(t, l));
        if (gone == 0) continue;
        level->n -= gone;
        memmove(level->hash, level->hash + gone, level->n * sizeof *level->hash);
        if (l == 0) memmove(t->entry, t->entry + gone, level->n * sizeof *t->entry);
    }
    t->kept = size;
    return (cu_seq){ first(t, 0) };
}

/* ---- going on ---- */

static cu_status read_level(struct cu_log_tail *t, struct cu_tile_source tiles, unsigned l, cu_size size, struct cu_err *err)
{
    const struct cu_tile tile = { (int)l, open_index(l, size), (unsigned)(size.v >> (8 * l)) & 255u };
    struct level *level = &t->level[l];
    struct cu_buf out = cu_buf_over(level->hash, CU_TILE_WIDTH * sizeof(cu_hash));

    if (tile.width == 0) return CU_OK;
    TRY(tiles.read(tiles.self, tile, &out, err));
    ENSURE(out.n == tile.width * sizeof(cu_hash), err, CU_CORRUPT, "tile %u/%llu of width %u has %zu bytes", l, LLU(tile.index),
           tile.width, out.n);
    level->n = tile.width;
    return CU_OK;
}

/* The open bundle's entries must be those that the level-0 tile has the leaf hashes of. */
static cu_status read_bundle(struct cu_log_tail *t, struct cu_tile_source tiles, cu_size size, struct cu_err *err)
{
    const struct cu_tile tile = { CU_TILE_ENTRIES, open_index(0, size), (unsigned)t->level[0].n };
    struct cu_span entry;
    size_t at = 0;

    if (tile.width == 0) return CU_OK;
    TRY(tiles.read(tiles.self, tile, &t->bundle, err));
    ENSURE(cu_bundle_check(cu_buf_span(&t->bundle), tile.width, err) == CU_OK, err, CU_CORRUPT,
           "entry bundle %llu is not %u entries", LLU(tile.index), tile.width);
    for (unsigned i = 0; cu_bundle_next(cu_buf_span(&t->bundle), &at, &entry); i++) {
        const cu_hash leaf = cu_leaf_hash(entry);
        ENSURE(cu_hash_eq(&leaf, &t->level[0].hash[i]), err, CU_CORRUPT, "entry %llu is not the one that the tiles commit to",
               LLU(tile.index * CU_TILE_WIDTH + i));
        t->entry[i] = (struct cu_tail_entry){ .entry = entry };
    }
    return CU_OK;
}

static cu_status resume(struct cu_log_tail *t, struct cu_tile_source tiles, cu_size size, const cu_hash *root, struct cu_err *err)
{
    for (unsigned l = 0; l < LEVELS; l++) {
        ENSURE(grow(t, l, CU_TILE_WIDTH), err, CU_NO_MEMORY, "no memory for the end of a log");
        TRY(read_level(t, tiles, l, size, err));
    }
    TRY(read_bundle(t, tiles, size, err));
    t->size = t->kept = size;
    cu_hash got = cu_log_tail_root(t, size);
    ENSURE(cu_hash_eq(&got, root), err, CU_CORRUPT, "the tiles of size %llu lead to another root", LLU(size.v));
    return CU_OK;
}

cu_status cu_log_tail_resume(struct cu_log_tail *t, struct cu_tile_source tiles, cu_size size, const cu_hash *root,
                             struct cu_err *err)
{
    CU_ASSERT(t->size.v == 0);
    cu_status status = resume(t, tiles, size, root, err);
    if (status != CU_OK) { /* as new again */
        for (unsigned l = 0; l < LEVELS; l++) t->level[l].n = 0;
        cu_buf_clear(&t->bundle);
        t->size = t->kept = (cu_size){ 0 };
    }
    return status;
}

/* ---- which tiles ---- */

cu_status cu_tiles_between(cu_size from, cu_size to, cu_status (*each)(void *arg, struct cu_tile tile, struct cu_err *err),
                           void *arg, struct cu_err *err)
{
    for (int level = CU_TILE_ENTRIES; level <= (int)CU_TILE_LEVEL_MAX; level++) {
        const unsigned l = level < 0 ? 0 : (unsigned)level;
        if (from.v >> (8 * l) == to.v >> (8 * l)) continue;
        for (uint64_t i = open_index(l, from); i <= open_index(l, to); i++) {
            const struct cu_tile tile = { level, i, cu_tile_width(level, i, to) };
            if (tile.width > 0) TRY(each(arg, tile, err));
        }
    }
    return CU_OK;
}
