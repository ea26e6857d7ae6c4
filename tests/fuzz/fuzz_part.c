/* Proofs of parts: what is read is written again as the same bytes, and judging them never fails otherwise than by a status. */
#include "custody/part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t zeros[3 * CU_LEAF_BYTES];
    struct cu_part_proof proof;
    struct cu_part part;
    CU_BUF again = cu_buf_heap(n + 1);
    const cu_hash root = cu_content_root_of(CU_SPAN_OF(zeros));

    if (cu_part_proof_read(cu_span(data, n), &proof, NULL) != CU_OK) return 0;
    CU_ASSERT(cu_schema_write(&cu_part_proof_schema, &proof, &again, NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), cu_span(data, n)));
    cu_part_start(&part, proof.first);
    if (proof.last - proof.first < sizeof zeros) cu_part_add(&part, cu_span(zeros, (size_t)(proof.last - proof.first) + 1));
    cu_status verified = cu_part_verify(&part, &proof, sizeof zeros, &root, NULL);
    CU_ASSERT(verified == CU_OK || verified == CU_BAD_PROOF || verified == CU_MALFORMED);
    return 0;
}
