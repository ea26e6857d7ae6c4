/* Bech32 (BIP 173): a prefix for people, and a checksum that finds any four wrong characters. One spelling: the letter case is the prefix's. */
#include "custody/text.h"

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

enum { BYTES_MAX = 64, FIVES_MAX = (BYTES_MAX * 8 + 4) / 5, CHECK = 6 };

static uint32_t check_step(uint32_t check, unsigned five)
{
    static const uint32_t generator[5] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
    const uint32_t top = check >> 25;

    check = (check & 0x1ffffff) << 5 ^ five;
    for (size_t i = 0; i < 5; i++) check ^= top >> i & 1 ? generator[i] : 0;
    return check;
}

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static char lower(char c) { return (char)(is_upper(c) ? c + ('a' - 'A') : c); }

/* "The checksum is always computed over the lower-case string": after the prefix and these fives. */
static uint32_t check_of(const char *hrp, const uint8_t *five, size_t n)
{
    uint32_t check = 1;

    for (const char *c = hrp; *c; c++) check = check_step(check, (unsigned)lower(*c) >> 5);
    check = check_step(check, 0);
    for (const char *c = hrp; *c; c++) check = check_step(check, (unsigned)lower(*c) & 31);
    for (size_t i = 0; i < n; i++) check = check_step(check, five[i]);
    return check;
}

static size_t to_fives(struct cu_span bytes, uint8_t ret[FIVES_MAX])
{
    uint32_t held = 0;
    size_t bits = 0, n = 0;

    for (size_t i = 0; i < bytes.n; i++) {
        held = held << 8 | bytes.p[i];
        for (bits += 8; bits >= 5; bits -= 5) ret[n++] = held >> (bits - 5) & 31;
    }
    if (bits > 0) ret[n++] = held << (5 - bits) & 31;
    return n;
}

/* False when the bits that are left over are not zero. */
static bool to_bytes(const uint8_t *five, size_t n, uint8_t *ret)
{
    uint32_t held = 0;
    size_t bits = 0;

    for (size_t i = 0; i < n; i++) {
        held = held << 5 | five[i];
        bits += 5;
        if (bits < 8) continue;
        bits -= 8;
        *ret++ = (uint8_t)(held >> bits);
    }
    return (held & ((UINT32_C(1) << bits) - 1)) == 0;
}

void cu_bech32_put(struct cu_buf *out, const char *hrp, struct cu_span bytes)
{
    uint8_t five[FIVES_MAX + CHECK] = { 0 };

    CU_ASSERT(bytes.n <= BYTES_MAX);
    size_t n = to_fives(bytes, five);
    const uint32_t check = check_of(hrp, five, n + CHECK) ^ 1;

    for (size_t i = 0; i < CHECK; i++) five[n++] = check >> 5 * (CHECK - 1 - i) & 31;
    cu_buf_add_str(out, hrp);
    cu_buf_add_byte(out, '1');
    for (size_t i = 0; i < n; i++) {
        const char c = alphabet[five[i]];
        cu_buf_add_byte(out, (uint8_t)(is_upper(*hrp) && c >= 'a' ? c - ('a' - 'A') : c));
    }
    cu_wipe(five, sizeof five);
}

static bool read_fives(struct cu_span text, bool upper, uint8_t *ret)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = (char)text.p[i], *at = c && (upper ? c < 'a' : !is_upper(c)) ? strchr(alphabet, lower(c)) : NULL;
        if (!at) return false;
        ret[i] = (uint8_t)(at - alphabet);
    }
    return true;
}

static bool read_exactly(struct cu_span text, const char *hrp, uint8_t five[FIVES_MAX + CHECK], uint8_t *ret, size_t n)
{
    const size_t fives = (n * 8 + 4) / 5;

    return cu_span_take(&text, hrp) && cu_span_take(&text, "1") && text.n == fives + CHECK &&
           read_fives(text, is_upper(*hrp), five) && check_of(hrp, five, fives + CHECK) == 1 && to_bytes(five, fives, ret);
}

cu_status cu_bech32_read(struct cu_span text, const char *hrp, uint8_t *ret, size_t n, struct cu_err *err)
{
    uint8_t five[FIVES_MAX + CHECK] = { 0 }, bytes[BYTES_MAX + 1];

    CU_ASSERT(n <= BYTES_MAX);
    const bool good = read_exactly(text, hrp, five, bytes, n);
    if (good) memcpy(ret, bytes, n);
    cu_wipe(five, sizeof five);
    cu_wipe(bytes, sizeof bytes);
    ENSURE(good, err, CU_MALFORMED, "not \"%s1\" and %zu bytes in Bech32: a character is wrong, missing or too many", hrp, n);
    return CU_OK;
}
