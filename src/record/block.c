/* A block closes a batch: what it held, when it was opened and closed, and the root of everything before it. */
#include "fields.h"

static const struct cu_field block_fields[] = {
    CU_CONST(0, "application/custody-block+cbor"),
    CU_UINT(1, struct cu_block, height, 1, INT64_MAX),
    TIME(2, struct cu_block, opened),
    TIME(3, struct cu_block, closed),
    CU_UINT(4, struct cu_block, first, 0, INT64_MAX),
    CU_UINT(5, struct cu_block, count, 1, UINT32_MAX),
    CU_FIXED(6, struct cu_block, root),
    CU_FIXED(7, struct cu_block, digest),
};

static cu_status check_block(const union cu_payload *payload, struct cu_err *err)
{
    const struct cu_block *block = &payload->block;

    ENSURE(block->first + block->count <= INT64_MAX, err, CU_MALFORMED, "block: its records end beyond any log");
    ENSURE(block->opened <= block->closed, err, CU_MALFORMED, "block: closed before it was opened");
    return CU_OK;
}
const struct cu_payload_form cu_payload_BLOCK = { CU_SCHEMA_OF("block", block_fields, struct cu_block), check_block };
