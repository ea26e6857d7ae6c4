/* C2SP tlog-tiles: where a tile lies, how wide it is, and what an entry bundle holds.
 *
 * A path is read by taking it apart leniently and writing it again: it is valid if that gives the same bytes.
 */
#include "custody/tile.h"

#include <stdio.h>

/* "x001/x234/067": groups of three digits, every one but the last marked. */
static int put_index(uint64_t index, const char *mark, char *ret)
{
    int n = index >= 1000 ? put_index(index / 1000, "x", ret) : 0;

    return n + sprintf(ret + n, "%s%s%03u", n > 0 ? "/" : "", mark, (unsigned)(index % 1000));
}

/* 13 + 6·5 + 3 for seven groups + 6 for the width: below CU_TILE_PATH_MAX. */
void cu_tile_path(struct cu_tile tile, char ret[CU_TILE_PATH_MAX])
{
    int n;

    CU_ASSERT(tile.level >= CU_TILE_ENTRIES && tile.level <= (int)CU_TILE_LEVEL_MAX && tile.width >= 1 &&
              tile.width <= CU_TILE_WIDTH);
    n = tile.level == CU_TILE_ENTRIES ? sprintf(ret, "tile/entries/") : sprintf(ret, "tile/%d/", tile.level);
    n += put_index(tile.index, "", ret + n);
    if (tile.width < CU_TILE_WIDTH) sprintf(ret + n, ".p/%u", tile.width);
}

/* Digits in any number, even none; what overflows comes out differently when it is written again. */
static uint64_t take_digits(struct cu_span *in)
{
    uint64_t v = 0;

    for (; in->n > 0 && in->p[0] >= '0' && in->p[0] <= '9'; in->p++, in->n--) v = v * 10 + (uint64_t)(in->p[0] - '0');
    return v;
}

cu_status cu_tile_path_read(struct cu_span path, struct cu_tile *ret, struct cu_err *err)
{
    struct cu_span in = path;
    struct cu_tile tile = { .level = CU_TILE_ENTRIES, .width = CU_TILE_WIDTH };
    char again[CU_TILE_PATH_MAX];
    uint64_t level = 0, width = CU_TILE_WIDTH;

    bool ok = path.n < CU_TILE_PATH_MAX && cu_span_take(&in, "tile/");
    bool entries = ok && cu_span_take(&in, "entries/");
    if (ok && !entries) level = take_digits(&in), ok = cu_span_take(&in, "/");
    while (ok && cu_span_take(&in, "x")) tile.index = tile.index * 1000 + take_digits(&in), ok = cu_span_take(&in, "/");
    tile.index = tile.index * 1000 + take_digits(&in);
    if (ok && cu_span_take(&in, ".p/")) width = take_digits(&in);
    ok = ok && in.n == 0 && level <= CU_TILE_LEVEL_MAX && width >= 1 && width <= CU_TILE_WIDTH;
    ENSURE(ok, err, CU_MALFORMED, "not the path of a tile");

    if (!entries) tile.level = (int)level;
    tile.width = (unsigned)width;
    cu_tile_path(tile, again);
    ENSURE(cu_span_is(path, again), err, CU_MALFORMED, "not the path of a tile: %s would be", again);
    *ret = tile;
    return CU_OK;
}

unsigned cu_tile_width(int level, uint64_t index, cu_size size)
{
    CU_ASSERT(level >= CU_TILE_ENTRIES && level <= (int)CU_TILE_LEVEL_MAX);
    uint64_t hashes = level <= 0 ? size.v : size.v >> (8 * (unsigned)level); /* an entry bundle follows level 0 */
    uint64_t full = hashes / CU_TILE_WIDTH;

    if (index < full) return CU_TILE_WIDTH;
    return index == full ? (unsigned)(hashes % CU_TILE_WIDTH) : 0;
}

/* ---- entry bundles ------------------------------------------------------------------------------------------------ */

bool cu_bundle_next(struct cu_span bundle, size_t *at, struct cu_span *ret_entry)
{
    if (*at > bundle.n || bundle.n - *at < 2) return false;

    size_t n = cu_be16(bundle.p + *at);
    if (n > bundle.n - *at - 2) return false;
    *ret_entry = cu_span(bundle.p + *at + 2, n);
    *at += 2 + n;
    return true;
}

cu_status cu_bundle_check(struct cu_span bundle, unsigned width, struct cu_err *err)
{
    struct cu_span entry;
    unsigned n = 0;

    for (size_t at = 0; at < bundle.n; n++) {
        ENSURE(cu_bundle_next(bundle, &at, &entry), err, CU_MALFORMED, "entry bundle: cut off in entry %u", n);
        ENSURE(entry.n <= CU_ENTRY_MAX, err, CU_MALFORMED, "entry bundle: entry %u has %zu bytes", n, entry.n);
    }
    ENSURE(n == width, err, CU_MALFORMED, "entry bundle: %u entries where %u belong", n, width);
    return CU_OK;
}

cu_status cu_bundle_entry(struct cu_span bundle, unsigned n, struct cu_span *ret_entry, struct cu_err *err)
{
    struct cu_span entry;
    size_t at = 0;

    for (unsigned i = 0; i <= n; i++)
        ENSURE(cu_bundle_next(bundle, &at, &entry), err, CU_MALFORMED, "entry bundle: there is no entry %u", n);
    *ret_entry = entry;
    return CU_OK;
}

void cu_bundle_put(struct cu_buf *out, struct cu_span entry)
{
    uint8_t length[2];

    CU_ASSERT(entry.n <= CU_ENTRY_MAX);
    cu_put_be16(length, (uint16_t)entry.n);
    cu_buf_add(out, CU_SPAN_OF(length));
    cu_buf_add(out, entry);
}
