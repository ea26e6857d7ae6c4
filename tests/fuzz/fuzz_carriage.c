/* What a provider says of a claim: a state that is one, and a reason that a terminal bears; or nothing. */
#include "client/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_carriage c;

    memset(&c, 'x', sizeof c);
    if (!cu_carriage_read(cu_span(data, size), &c)) return 0;
    CU_ASSERT(c.state <= CU_CARRIED_RECORDED && c.offset <= INT64_MAX && memchr(c.reason, 0, sizeof c.reason));
    for (const char *p = c.reason; *p; p++) CU_ASSERT((unsigned char)*p >= ' ' && *p != 0x7f);
    return 0;
}
