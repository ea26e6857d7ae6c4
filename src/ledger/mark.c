/* Where a log stands, as bytes: what snapshot and delta are tied to. */
#include "ledger/state.h"

struct form {
    uint64_t height, closed;
    struct cu_seen block;
    cu_hash digest;
    struct cu_span frontier;
};
#define FRONTIER_MAX (8 + 64 * sizeof(cu_hash))

static const struct cu_field fields[] = {
    CU_UINT(0, struct form, height, 0, INT64_MAX),       CU_UINT(1, struct form, closed, 0, INT64_MAX),
    CU_MAP(2, struct form, block, &cu_seen_schema),      CU_FIXED(3, struct form, digest),
    CU_BYTES(4, struct form, frontier, 8, FRONTIER_MAX),
};
static const struct cu_schema schema = CU_SCHEMA_OF("mark", fields, struct form, .tuple = true);

void cu_mark_put(const struct cu_mark *mark, struct cu_buf *out)
{
    uint8_t mem[FRONTIER_MAX];
    struct cu_buf frontier = cu_buf_over(mem, sizeof mem);

    cu_frontier_put(&mark->frontier, &frontier);
    const struct form form = { mark->height, mark->closed, mark->block, mark->digest, cu_buf_span(&frontier) };
    cu_status status = cu_schema_write(&schema, &form, out, NULL);
    CU_ASSERT(status == CU_OK || cu_buf_ok(out, NULL) != CU_OK); /* a mark is always within its bounds; out tells of its own */
}

cu_status cu_mark_read(struct cu_span bytes, struct cu_mark *ret, struct cu_err *err)
{
    struct form form;
    struct cu_mark mark;

    TRY(cu_schema_read(&schema, bytes, &form, err));
    TRY(cu_frontier_read(form.frontier, &mark.frontier, err));
    mark.height = form.height;
    mark.closed = form.closed;
    mark.block = form.block;
    mark.digest = form.digest;
    *ret = mark;
    return CU_OK;
}
