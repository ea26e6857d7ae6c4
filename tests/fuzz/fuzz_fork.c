/* A fork proof that is accepted is spelled in the one way, and its two checkpoints cannot both be true. */
#include "proof_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cu_trust trust;
    static struct cu_fork_report report;
    struct cu_span trust_text, proof;
    struct cu_fork fork;
    CU_BUF again = cu_buf_heap(1 << 17);

    if (!split_input(cu_span(data, size), &trust_text, &proof)) return 0;
    if (cu_schema_read(&cu_fork_schema, proof, &fork, NULL) == CU_OK) {
        CU_ASSERT(cu_schema_write(&cu_fork_schema, &fork, &again, NULL) == CU_OK);
        CU_ASSERT(cu_span_eq(cu_buf_span(&again), proof));
    }
    if (cu_trust_read(trust_text, &trust, NULL) != CU_OK) return 0;
    if (cu_fork_verify(proof, &trust, &yes, &report, NULL) != CU_OK) return 0;
    CU_ASSERT(!cu_hash_eq(&report.a.root, &report.b.root) && cu_span_eq(report.a.origin, report.b.origin));
    CU_ASSERT(report.a_n > 0 && report.b_n > 0 && report.convicted_n <= report.a_n);
    return 0;
}
