/* Lists of expected digests: whatever a file holds, it is read or refused; every row that was read is found again by its path. */
#include "content/ingest.h"

static void find_rows(const struct cu_expect *e)
{
    for (size_t i = 0; i < e->n; i++) {
        cu_status status = cu_expect_match(e, e->rows[i].path, &e->rows[i].digest, 1, NULL);
        CU_ASSERT(status != CU_NOT_FOUND); /* other algorithms of the row were not computed: USAGE; another digest: BAD_HASH */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cu_expect e;

    for (int list = 0; list < 2; list++) {
        if (cu_expect_read(cu_span(data, n), list, &e, NULL) != CU_OK) continue;
        CU_ASSERT(e.n > 0 && cu_expect_algs(&e) != 0);
        find_rows(&e);
        cu_expect_free(&e);
    }
    return 0;
}
