/* Hex, decimals, lines, and UTF-8 as people may safely see it. */
#include "custody/text.h"

/* ---- hex ---------------------------------------------------------------------------------------------------------- */

static const char hex_digits[] = "0123456789abcdef";

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

void cu_hex_put(struct cu_buf *out, struct cu_span bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        uint8_t *at = cu_buf_grow(out, 2);
        if (!at) return;
        at[0] = (uint8_t)hex_digits[bytes.p[i] >> 4];
        at[1] = (uint8_t)hex_digits[bytes.p[i] & 15];
    }
}

cu_status cu_hex_read(struct cu_span text, uint8_t *ret, size_t n, struct cu_err *err)
{
    ENSURE(text.n % 2 == 0 && text.n / 2 == n, err, CU_MALFORMED, "%zu hex digits where %zu belong", text.n, 2 * n);
    for (size_t i = 0; i < text.n; i++)
        ENSURE(hex_value(text.p[i]) >= 0, err, CU_MALFORMED, "not a lower-case hex digit, at character %zu", i + 1);
    for (size_t i = 0; i < n; i++)
        ret[i] = (uint8_t)((unsigned)hex_value(text.p[2 * i]) << 4 | (unsigned)hex_value(text.p[2 * i + 1]));
    return CU_OK;
}

void cu_hash_hex(const cu_hash *hash, char ret[65])
{
    struct cu_buf out = cu_buf_over(ret, 64);
    cu_hex_put(&out, cu_span_hash(hash));
    ret[64] = '\0';
}

/* ---- decimals ------------------------------------------------------------------------------------------------------ */

cu_status cu_decimal_read(struct cu_span text, uint64_t max, uint64_t *ret, struct cu_err *err)
{
    ENSURE(text.n > 0, err, CU_MALFORMED, "a number without digits");
    ENSURE(text.p[0] != '0' || text.n == 1, err, CU_MALFORMED, "a number with a leading zero");
    uint64_t v = 0;
    for (size_t i = 0; i < text.n; i++) {
        ENSURE(text.p[i] >= '0' && text.p[i] <= '9', err, CU_MALFORMED, "not a decimal digit, at character %zu", i + 1);
        unsigned digit = text.p[i] - '0';
        ENSURE(v <= max / 10 && digit <= max - v * 10, err, CU_MALFORMED, "a number above %llu", LLU(max));
        v = v * 10 + digit;
    }
    *ret = v;
    return CU_OK;
}

/* ---- lines --------------------------------------------------------------------------------------------------------- */

struct cu_lines cu_lines_on(struct cu_span text) { return (struct cu_lines){ .rest = text }; }

bool cu_span_split(struct cu_span *rest, char sep, struct cu_span *ret)
{
    const uint8_t *at = rest->n == 0 ? NULL : memchr(rest->p, sep, rest->n);
    if (!at) return false;
    size_t n = (size_t)(at - rest->p);
    *ret = cu_span(rest->p, n);
    *rest = cu_span(at + 1, rest->n - n - 1);
    return true;
}

bool cu_lines_next(struct cu_lines *lines, struct cu_span *ret)
{
    if (lines->bad || lines->rest.n == 0) return false;
    lines->line++;
    if (!cu_span_split(&lines->rest, '\n', ret)) lines->bad = true;
    return !lines->bad;
}
