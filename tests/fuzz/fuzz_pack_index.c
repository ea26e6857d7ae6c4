/* Indexes of packs: what is taken is written again as the same bytes. And packs taken apart: whatever comes, in whatever pieces. */
#include "content/pack.h"

#include <stdlib.h>

static void one_index(struct cu_span bytes)
{
    struct cu_pack_index index;
    CU_BUF again = cu_buf_heap(bytes.n + 1);

    if (cu_pack_index_read(bytes, &index, NULL) != CU_OK) return;
    struct cu_pack_row *rows = malloc(index.n * sizeof *rows);
    for (uint32_t i = 0; i < index.n; i++) rows[i] = cu_pack_index_row(&index, i);
    CU_ASSERT(cu_pack_index_write(&index.pack, index.pack_size, rows, index.n, &again, NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), bytes));
    free(rows);
}

static cu_status count(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err)
{
    (void)err;
    CU_ASSERT(bytes.n == row->size);
    *(uint64_t *)arg += bytes.n + CU_FRAME_HEAD;
    return CU_OK;
}

static cu_status unpack(struct cu_span pack, size_t piece, uint64_t *ret)
{
    struct cu_unpack u = { 0 };
    cu_status status = CU_OK;

    *ret = CU_PACK_HEAD;
    cu_unpack_start(&u, count, ret);
    for (size_t at = 0; at < pack.n && status == CU_OK; at += piece)
        status = cu_unpack_add(&u, cu_span(pack.p + at, pack.n - at < piece ? pack.n - at : piece), NULL);
    if (status == CU_OK) status = cu_unpack_end(&u, NULL);
    cu_unpack_free(&u);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint64_t whole, pieces;

    one_index(cu_span(data, n));
    cu_status a = unpack(cu_span(data, n), n + 1, &whole), b = unpack(cu_span(data, n), 7, &pieces);
    CU_ASSERT(a == b && (a != CU_OK || (whole == n && pieces == n)));
    return 0;
}
