/* RFC 4648, section 4: one line, padded or raw; reading accepts only what writing gives. */
#include "custody/text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Four characters from up to three bytes. */
static void put_group(uint8_t *at, const uint8_t *p, size_t n)
{
    uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
    at[0] = (uint8_t)alphabet[v >> 18];
    at[1] = (uint8_t)alphabet[v >> 12 & 63];
    at[2] = n > 1 ? (uint8_t)alphabet[v >> 6 & 63] : '=';
    at[3] = n > 2 ? (uint8_t)alphabet[v & 63] : '=';
}

void cu_base64_put(struct cu_buf *out, struct cu_span bytes)
{
    uint8_t *at = cu_buf_grow(out, bytes.n / 3 * 4 + (bytes.n % 3 ? 4 : 0));
    if (!at) return;
    for (size_t i = 0; i < bytes.n; i += 3, at += 4) put_group(at, bytes.p + i, bytes.n - i < 3 ? bytes.n - i : 3);
}

static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Up to three bytes from four characters, the last `pad` of which are '='; false when one is not of the alphabet, or when the
 * bits that pad drops are not zero. */
static bool read_group(const uint8_t *p, size_t pad, uint8_t *at)
{
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++) {
        int six = i < 4 - pad ? value_of(p[i]) : 0;
        if (six < 0) return false;
        v = v << 6 | (uint32_t)six;
    }
    if (v & ((UINT32_C(1) << 8 * pad) - 1)) return false;
    for (size_t i = 0; i < 3 - pad; i++) at[i] = (uint8_t)(v >> (16 - 8 * i));
    return true;
}

/* `n` characters without their padding, of which the last group lacks `pad`. */
static cu_status read_groups(const uint8_t *p, size_t n, size_t pad, struct cu_buf *ret, struct cu_err *err)
{
    const size_t before = ret->n;
    uint8_t *at = cu_buf_grow(ret, (n + pad) / 4 * 3 - pad);

    TRY(cu_buf_ok(ret, err));
    for (size_t i = 0; i < n; i += 4, at += 3) {
        if (read_group(p + i, i + 4 >= n ? pad : 0, at)) continue;
        ret->n = before;
        return cu_fail(err, CU_MALFORMED, "not strict base64, in the four characters from %zu", i + 1);
    }
    return CU_OK;
}

cu_status cu_base64_read(struct cu_span text, struct cu_buf *ret, struct cu_err *err)
{
    ENSURE(text.n % 4 == 0, err, CU_MALFORMED, "base64 of %zu characters: not a multiple of four", text.n);
    if (text.n == 0) return CU_OK;
    const size_t pad = text.p[text.n - 1] != '=' ? 0 : text.p[text.n - 2] != '=' ? 1 : 2;
    return read_groups(text.p, text.n - pad, pad, ret, err);
}

void cu_base64_raw_put(struct cu_buf *out, struct cu_span bytes)
{
    const size_t before = out->n;

    cu_base64_put(out, bytes);
    if (out->n > before) out->n -= (3 - bytes.n % 3) % 3;
}

cu_status cu_base64_raw_read(struct cu_span text, struct cu_buf *ret, struct cu_err *err)
{
    ENSURE(text.n % 4 != 1, err, CU_MALFORMED, "base64 of %zu characters: nothing has so many", text.n);
    return text.n == 0 ? CU_OK : read_groups(text.p, text.n, (4 - text.n % 4) % 4, ret, err);
}

cu_status cu_base64_exact(struct cu_span text, uint8_t *ret, size_t n, struct cu_err *err)
{
    uint8_t mem[99];
    struct cu_buf bytes = cu_buf_over(mem, sizeof mem);
    CU_ASSERT(n <= sizeof mem - 3);
    ENSURE(text.n == (n + 2) / 3 * 4, err, CU_MALFORMED, "base64 of %zu characters where %zu belong", text.n, (n + 2) / 3 * 4);
    TRY(cu_base64_read(text, &bytes, err));
    ENSURE(bytes.n == n, err, CU_MALFORMED, "base64 of %zu bytes where %zu belong", bytes.n, n);
    memcpy(ret, mem, n);
    return CU_OK;
}

bool cu_base64_raw_exact(struct cu_span text, uint8_t *ret, size_t n)
{
    uint8_t mem[99];
    struct cu_buf bytes = cu_buf_over(mem, sizeof mem);

    CU_ASSERT(n <= sizeof mem - 3);
    if (text.n != (n * 4 + 2) / 3 || cu_base64_raw_read(text, &bytes, NULL) != CU_OK) return false;
    memcpy(ret, mem, n);
    return true;
}
