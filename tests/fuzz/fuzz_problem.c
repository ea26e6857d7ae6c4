/* What a server says went wrong: whatever it is, it is a status that is no success and a text that a terminal bears, or nothing. */
#include "client/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[400];
    cu_status status = CU_OK;

    memset(text, 'x', sizeof text);
    if (!cu_problem_read(cu_span(data, size), &status, text)) return 0;
    CU_ASSERT(status != CU_OK && memchr(text, 0, sizeof text));
    for (const char *c = text; *c; c++) CU_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
    return 0;
}
