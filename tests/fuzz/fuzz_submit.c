/* A body of records: what is split is the body again, item by item, within its bounds. */
#include "custody/limits.h"
#include "custody/entry.h"
#include "http/gate.h"

#define SOME 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cu_span one[SOME], body = cu_span(data, n);
    size_t count = 0, sum = 0;

    if (cu_records_split(body, one, SOME, &count, NULL) != CU_OK) return 0;
    CU_ASSERT(count > 0 && count <= SOME);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT(one[i].p == data + sum && one[i].n > 0 && one[i].n <= CU_RECORD_MAX);
        sum += one[i].n;
    }
    CU_ASSERT(sum == n);
    if (count > 1) CU_ASSERT(cu_records_split(body, one, count - 1, &count, NULL) == CU_TOO_LARGE);
    return 0;
}
