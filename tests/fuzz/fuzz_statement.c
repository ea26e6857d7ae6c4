/* A statement by itself: refused, or the one spelling of what it was read as. */
#include "rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_statement st;
    struct cu_err err;

    if (cu_statement_read(cu_span(data, size), &st, &err) != CU_OK) return 0;
    CU_ASSERT(size <= (st.kind == CU_KIND_CLAIM ? CU_CLAIM_MAX : CU_ENTRY_MAX));
    rewrite_statement(&st, cu_span(data, size));
    return 0;
}
