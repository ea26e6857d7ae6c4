/* A claim as it is brought to a provider: what is read is written as the same bytes again, and the statement in it never surprises. */
#include "service/outbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CU_BUF again = cu_buf_heap(CU_RECORD_MAX);
    struct cu_claim_file file;
    struct cu_statement st;

    if (size > CU_RECORD_MAX || cu_schema_read(&cu_claim_file_schema, cu_span(data, size), &file, NULL) != CU_OK) return 0;
    CU_ASSERT(cu_schema_write(&cu_claim_file_schema, &file, &again, NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), cu_span(data, size)));
    if (cu_statement_read(file.claim, &st, NULL) == CU_OK && st.kind == CU_KIND_CLAIM)
        CU_ASSERT(st.payload.n <= file.claim.n && st.body.claim.serial > 0);
    return 0;
}
