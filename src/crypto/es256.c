/* ES256 signatures as bytes: r‖s, 32 bytes each, big-endian (RFC 9053, 2.1), and the strict DER that OpenSSL takes and gives.
 *
 * (r, s) and (r, n-s) are signatures of the same message, so one of the two is refused: 1 ≤ r < n, 1 ≤ s ≤ n/2.
 */
#include "crypto/ossl.h"

enum { HALF = 32 };

static const uint8_t order[HALF] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                     0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
static const uint8_t half_order[HALF] = { 0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
                                          0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8 };

static bool in_range(const uint8_t v[HALF])
{
    static const uint8_t zero[HALF];

    return memcmp(v, zero, HALF) > 0 && memcmp(v, order, HALF) < 0;
}

cu_status es256_form(const uint8_t raw[64])
{
    if (!in_range(raw) || !in_range(raw + HALF)) return CU_BAD_SIGNATURE;
    return memcmp(raw + HALF, half_order, HALF) > 0 ? CU_HIGH_S : CU_OK;
}

void es256_make_low(uint8_t raw[64])
{
    uint8_t *s = raw + HALF;
    int borrow = 0;

    if (memcmp(s, half_order, HALF) <= 0) return;
    for (int i = HALF - 1; i >= 0; i--) {
        int d = order[i] - s[i] - borrow;
        borrow = d < 0;
        s[i] = (uint8_t)(d + 256 * borrow);
    }
}

static size_t put_integer(const uint8_t v[HALF], uint8_t *der)
{
    size_t zeros = 0;
    while (zeros < HALF - 1 && v[zeros] == 0) zeros++;

    bool sign_byte = v[zeros] >= 0x80;
    size_t n = HALF - zeros + sign_byte;

    der[0] = 0x02;
    der[1] = (uint8_t)n;
    der[2] = 0;
    memcpy(der + 2 + sign_byte, v + zeros, HALF - zeros);
    return 2 + n;
}

size_t es256_to_der(const uint8_t raw[64], uint8_t der[DER_SIG_MAX])
{
    size_t n = 2;

    n += put_integer(raw, der + n);
    n += put_integer(raw + HALF, der + n);
    der[0] = 0x30;
    der[1] = (uint8_t)(n - 2);
    return n;
}

/* One INTEGER, 1 to 33 bytes, non-negative and minimal, to 32 bytes. False and `*der` anywhere otherwise. */
static bool take_integer(struct cu_span *der, uint8_t v[HALF])
{
    if (der->n < 3 || der->p[0] != 0x02 || der->p[1] == 0 || (size_t)der->p[1] + 2 > der->n) return false;

    struct cu_span body = cu_span(der->p + 2, der->p[1]);
    *der = cu_span(body.p + body.n, der->n - 2 - body.n);

    if (body.p[0] >= 0x80) return false;
    if (body.n > 1 && body.p[0] == 0 && body.p[1] < 0x80) return false;
    if (body.n > 1 && body.p[0] == 0) body = cu_span(body.p + 1, body.n - 1);
    if (body.n > HALF) return false;
    memset(v, 0, HALF);
    memcpy(v + HALF - body.n, body.p, body.n);
    return true;
}

bool es256_from_der(struct cu_span der, uint8_t raw[64])
{
    uint8_t out[64];

    if (der.n < 2 || der.n > DER_SIG_MAX || der.p[0] != 0x30 || der.p[1] != der.n - 2) return false;
    der = cu_span(der.p + 2, der.n - 2);
    if (!take_integer(&der, out) || !take_integer(&der, out + HALF) || der.n != 0) return false;
    memcpy(raw, out, sizeof out);
    return true;
}
