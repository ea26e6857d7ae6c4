/* What the consensus engine answers to a transaction, and what it writes: read, and believed in nothing but whether it took it. */
#include "engine/cometbft/child.h"
#include "engine/cometbft/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cu_span bytes = cu_span(data, size);
    struct cu_err err = { 0 };

    const cu_status read = cu_rpc_answer(bytes, &err);
    CU_ASSERT(read == CU_OK || (read == CU_IO && err.text[0]));
    CU_ASSERT(read != CU_OK || cu_span_starts(bytes, cu_span_str("HTTP/1.")));
    uint64_t heights[4];
    CU_ASSERT(cu_rpc_peers_in(bytes, heights, 4) <= 4);
    (void)cu_child_beyond_restart(bytes);
    return 0;
}
