/* A message of ABCI: whatever is read is written again in one form, which reads as the same. The first byte picks a table. */
#include "engine/cometbft/abci.h"

#include <stddef.h>

static _Alignas(max_align_t) uint8_t memory[2][1 << 17];
static union {
    struct cu_abci_request request;
    struct cu_abci_response response;
    struct cu_abci_value_op value_op;
    struct cu_abci_signer signer;
} message[2];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct cu_pb_message *const tables[] = { &cu_abci_request_table, &cu_abci_response_table,
                                                          &cu_abci_value_op_table, &cu_abci_signer_table };
    struct cu_buf mem[2] = { cu_buf_over(memory[0], sizeof memory[0]), cu_buf_over(memory[1], sizeof memory[1]) };
    CU_BUF once = cu_buf_heap(1 << 20), twice = cu_buf_heap(1 << 20);
    struct cu_err err;

    if (n == 0) return 0;
    const struct cu_pb_message *of = tables[data[0] % 4];
    if (cu_pb_read(of, cu_span(data + 1, n - 1), &message[0], &mem[0], &err) != CU_OK) return 0;
    cu_pb_write(of, &message[0], &once);
    CU_ASSERT(once.n == cu_pb_size(of, &message[0]) &&
              once.n <= 2 * n); /* of packed numbers the fewest bytes; no field is made up */
    CU_ASSERT(cu_pb_read(of, cu_buf_span(&once), &message[1], &mem[1], &err) == CU_OK);
    cu_pb_write(of, &message[1], &twice);
    CU_ASSERT(cu_span_eq(cu_buf_span(&once), cu_buf_span(&twice)));
    return 0;
}
