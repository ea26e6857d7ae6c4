/* A request to a witness that is read is written again byte for byte. */
#include "proof/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CU_BUF again = cu_buf_heap(size + 4096);
    struct cu_witness_request r;

    if (cu_witness_request_read(cu_span(data, size), &r, NULL) != CU_OK) return 0;
    CU_ASSERT(r.n <= CU_PROOF_HASHES_MAX && r.checkpoint.n > 0);
    cu_witness_request_put(&r, &again);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), cu_span(data, size)));
    return 0;
}
