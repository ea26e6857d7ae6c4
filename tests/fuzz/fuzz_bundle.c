/* Entry bundles: the walk ends, stays inside, and what passes the check is written again as the same bytes. */
#include "custody/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cu_span bundle = cu_span(data, n), entry, same;
    CU_BUF again = cu_buf_heap(n + 1);
    unsigned width = 0;

    for (size_t at = 0; cu_bundle_next(bundle, &at, &entry); width++) {
        CU_ASSERT(entry.p >= data && entry.p + entry.n <= data + n);
        if (width < 64) CU_ASSERT(cu_bundle_entry(bundle, width, &same, NULL) == CU_OK && same.p == entry.p && same.n == entry.n);
        if (entry.n <= CU_ENTRY_MAX) cu_bundle_put(&again, entry);
    }
    CU_ASSERT(cu_bundle_entry(bundle, width, &same, NULL) == CU_MALFORMED);
    if (cu_bundle_check(bundle, width, NULL) == CU_OK) CU_ASSERT(cu_span_eq(cu_buf_span(&again), bundle));
    return 0;
}
