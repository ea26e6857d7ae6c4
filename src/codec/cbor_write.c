/* Writing: a head is always the shortest that holds its argument. */
#include "custody/cbor.h"
#include "codec/head.h"

/* A head for the argument `v`, and `room` bytes behind it: where those go, or NULL. */
static uint8_t *put_head(struct cu_buf *out, unsigned major, uint64_t v, size_t room)
{
    size_t n = v < 24 ? 0 : v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;
    static const uint8_t info[] = { [1] = 24, [2] = 25, [4] = 26, [8] = 27 };
    if (room > SIZE_MAX - 9) room = SIZE_MAX - 9; /* too much anyhow */
    uint8_t *at = cu_buf_grow(out, 1 + n + room);
    if (!at) return NULL;

    *at++ = (uint8_t)(major << 5 | (n == 0 ? (unsigned)v : info[n]));
    for (size_t i = 0; i < n; i++) *at++ = (uint8_t)(v >> 8 * (n - 1 - i));
    return at;
}

static void put_string(struct cu_buf *out, unsigned major, struct cu_span v)
{
    uint8_t *at = put_head(out, major, v.n, v.n);
    if (at && v.n > 0) memcpy(at, v.p, v.n);
}

void cu_cbor_put_uint(struct cu_buf *out, uint64_t v) { put_head(out, MAJOR_UINT, v, 0); }
void cu_cbor_put_bytes(struct cu_buf *out, struct cu_span v) { put_string(out, MAJOR_BYTES, v); }
void cu_cbor_put_text(struct cu_buf *out, struct cu_span v) { put_string(out, MAJOR_TEXT, v); }
void cu_cbor_put_array(struct cu_buf *out, uint64_t n) { put_head(out, MAJOR_ARRAY, n, 0); }
void cu_cbor_put_map(struct cu_buf *out, uint64_t pairs) { put_head(out, MAJOR_MAP, pairs, 0); }
void cu_cbor_put_tag(struct cu_buf *out, uint64_t tag) { put_head(out, MAJOR_TAG, tag, 0); }
void cu_cbor_put_bool(struct cu_buf *out, bool v) { put_head(out, MAJOR_SIMPLE, v ? SIMPLE_TRUE : SIMPLE_FALSE, 0); }
void cu_cbor_put_null(struct cu_buf *out) { put_head(out, MAJOR_SIMPLE, SIMPLE_NULL, 0); }

void cu_cbor_put_int(struct cu_buf *out, int64_t v)
{
    if (v < 0) put_head(out, MAJOR_NEGINT, (uint64_t)(-1 - v), 0);
    else put_head(out, MAJOR_UINT, (uint64_t)v, 0);
}
