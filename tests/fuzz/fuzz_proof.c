/* A tlog-proof file that is read is written again byte for byte. */
#include "custody/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_tlog_proof proof;
    CU_BUF extra = cu_buf_heap(CU_RECEIPT_MAX), again = cu_buf_heap(CU_RECEIPT_MAX * 2);

    if (cu_tlog_proof_read(cu_span(data, size), &proof, NULL) != CU_OK) return 0;
    CU_ASSERT(proof.n <= CU_PROOF_HASHES_MAX);
    if (cu_base64_read(proof.extra, &extra, NULL) != CU_OK) return 0; /* its form is judged where it is decoded */
    CU_ASSERT(cu_tlog_proof_write(&proof, cu_buf_span(&extra), &again, NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), cu_span(data, size)));
    return 0;
}
