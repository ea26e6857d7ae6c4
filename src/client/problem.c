/* What a server says went wrong. It is read for a status and a sentence, and believed in nothing else. */
#include "client/client.h"

#include "custody/text.h"

bool cu_problem_read(struct cu_span body, cu_status *ret, char text[400])
{
    uint8_t value_mem[2000];
    struct cu_buf value = cu_buf_over(value_mem, sizeof value_mem), shown = cu_buf_over(text, 399);
    struct cu_fields f = { .rest = body };
    cu_status named = CU_OK;
    char name[32];

    while (cu_fields_next(&f, name, &value)) {
        if (strcmp(name, "code") == 0) (void)cu_status_named(cu_buf_span(&value), &named);
        if (strcmp(name, "detail") == 0) cu_buf_clear(&shown), cu_text_printable(&shown, cu_buf_span(&value));
    }
    text[shown.n < 399 ? shown.n : 399] = 0;
    if (named != CU_OK) *ret = named;
    return named != CU_OK;
}
