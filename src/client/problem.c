/* What a server says went wrong. It is read for a status and a sentence, and believed in nothing else. */
#include "client/client.h"

#include "custody/status.h"
#include "custody/text.h"

/* The string that the member `name` has; escapes come out as what they stand for, \uXXXX as '?'. */
static bool member(struct cu_span body, const char *name, struct cu_buf *ret)
{
    const struct cu_span key = cu_span_str(name);
    const uint8_t *at = key.n < body.n ? memmem(body.p, body.n, key.p, key.n) : NULL;

    if (!at) return false;
    for (const uint8_t *c = at + key.n, *end = body.p + body.n; c < end; c++) {
        if (*c == '"') return true;
        if (*c != '\\') cu_buf_add_byte(ret, *c);
        else if (end - c < 6) return false; /* the end of a whole object is further away */
        else if (*++c == 'u') c += 4, cu_buf_add_byte(ret, '?');
        else cu_buf_add_byte(ret, *c == 'n' || *c == 't' || *c == 'r' ? ' ' : *c);
    }
    return false;
}

#define NAMED(num, name, http, code, retry, text, zh) \
    if (cu_span_is(code_text, #name)) *ret = CU_##name, known = true;
static bool status_named(struct cu_span code_text, cu_status *ret)
{
    bool known = false;

    CU_STATUS_TABLE(NAMED)
    return known && *ret != CU_OK;
}

bool cu_problem_read(struct cu_span body, cu_status *ret, char text[400])
{
    uint8_t code_mem[64], detail_mem[2000];
    struct cu_buf code = cu_buf_over(code_mem, sizeof code_mem), detail = cu_buf_over(detail_mem, sizeof detail_mem);
    struct cu_buf shown = cu_buf_over(text, 399);

    if (!member(body, "\"code\":\"", &code) || !status_named(cu_buf_span(&code), ret)) return false;
    if (!member(body, "\"detail\":\"", &detail)) cu_buf_clear(&detail);
    cu_text_printable(&shown, cu_buf_span(&detail));
    text[shown.n < 399 ? shown.n : 399] = 0;
    return true;
}
