/* A height's file: whatever is read is written again as it was, but for what an older, longer file left behind it. */
#include "engine/cometbft/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cu_height h;
    CU_BUF again = cu_buf_heap(1 << 22);

    if (cu_height_read(cu_span(data, n), &h, NULL) != CU_OK) return 0;
    cu_height_put(&h, &again);
    CU_ASSERT(!again.full && again.n <= n && memcmp(again.p, data, again.n) == 0);
    return 0;
}
