/* What a node answers to records: so many outcomes, each of which says what its status promises, in words that a terminal bears; or nothing. */
#include "client/client.h"

#define N 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_outcome out[N];

    memset(out, 'x', sizeof out);
    if (!cu_outcomes_read(cu_span(data, size), out, N)) return 0;
    for (size_t i = 0; i < N; i++) {
        CU_ASSERT(strcmp(cu_status_name(out[i].status), "UNKNOWN") != 0 && memchr(out[i].text, 0, sizeof out[i].text));
        for (const char *c = out[i].text; *c; c++) CU_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
    }
    return 0;
}
