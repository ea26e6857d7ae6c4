/* Manifests: a whole one that is taken is written again, row by row, as the same bytes; so is any single row. */
#include "custody/content.h"

static void one_row(struct cu_span bytes)
{
    struct cu_item item;
    CU_BUF again = cu_buf_heap(CU_MANIFEST_ROW_MAX);

    if (cu_item_read(bytes, &item, NULL) != CU_OK) return;
    CU_ASSERT(cu_item_write(&item, &again, NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cu_manifest m;
    struct cu_item item;
    CU_BUF again = cu_buf_heap(n + 1);
    bool more = true;

    one_row(cu_span(data, n));
    if (cu_manifest_open(cu_span(data, n), &m, NULL) != CU_OK) return 0;
    cu_manifest_header_put(m.header.items, m.header.bytes, &again);
    while (more) {
        if (cu_manifest_next(&m, &item, &more, NULL) != CU_OK) return 0;
        if (more) CU_ASSERT(cu_item_write(&item, &again, NULL) == CU_OK);
    }
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), cu_span(data, n)));
    return 0;
}
