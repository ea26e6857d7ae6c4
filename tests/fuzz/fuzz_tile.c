/* Paths of tiles: whatever is taken is written again as the same bytes. */
#include "custody/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char path[CU_TILE_PATH_MAX];
    struct cu_tile tile;

    if (cu_tile_path_read(cu_span(data, n), &tile, NULL) != CU_OK) return 0;
    cu_tile_path(tile, path);
    CU_ASSERT(cu_span_is(cu_span(data, n), path));
    return 0;
}
