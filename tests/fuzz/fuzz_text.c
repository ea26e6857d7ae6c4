/* Any bytes as hex, base64, decimal, lines, and as text for people and for JSON: one spelling each, and safe output. */
#include "custody/json.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

static void number(struct cu_span text)
{
    char again[32];
    uint64_t v;
    if (cu_decimal_read(text, UINT64_MAX, &v, NULL) == CU_OK) {
        snprintf(again, sizeof again, "%llu", (unsigned long long)v);
        CU_ASSERT(cu_span_is(text, again));
    }
}

static void time_of(struct cu_span text)
{
    cu_unix_ms at = { 0 }, again = { 0 };
    char shown[32];

    if (cu_time_read(text, &at, NULL) != CU_OK) return;
    cu_time_text(at, shown);
    CU_ASSERT(cu_time_read(cu_span_str(shown), &again, NULL) == CU_OK && again.v == at.v);
}

static void bytes_as_text(struct cu_span text)
{
    CU_BUF out = cu_buf_heap(2 * text.n + 4);
    CU_BUF again = cu_buf_heap(2 * text.n + 4);
    if (cu_base64_read(text, &out, NULL) == CU_OK) {
        cu_base64_put(&again, cu_buf_span(&out));
        CU_ASSERT(cu_span_eq(cu_buf_span(&again), text));
    }
    cu_buf_clear(&out);
    cu_buf_clear(&again);
    if (cu_base64_raw_read(text, &out, NULL) == CU_OK) {
        cu_base64_raw_put(&again, cu_buf_span(&out));
        CU_ASSERT(cu_span_eq(cu_buf_span(&again), text));
    }
    cu_buf_clear(&out);
    cu_buf_clear(&again);
    uint8_t *bytes = cu_buf_grow(&out, text.n / 2);
    if (cu_hex_read(text, bytes, text.n / 2, NULL) == CU_OK) {
        cu_hex_put(&again, cu_buf_span(&out));
        CU_ASSERT(cu_span_eq(cu_buf_span(&again), text));
    }
}

static void bech32(struct cu_span text, const char *hrp)
{
    uint8_t bytes[32];
    CU_BUF again = cu_buf_heap(200);
    if (cu_bech32_read(text, hrp, bytes, sizeof bytes, NULL) != CU_OK) return;
    cu_bech32_put(&again, hrp, CU_SPAN_OF(bytes));
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), text));
}

/* No control character, no invalid byte, and nothing hidden leaves these. */
static void shown(struct cu_span text)
{
    CU_BUF out = cu_buf_heap(16 * text.n + 64);
    CU_BUF again = cu_buf_heap(64 * text.n + 64);
    cu_text_printable(&out, text);
    CU_ASSERT(!out.full && cu_utf8_ok(cu_buf_span(&out)));
    for (size_t i = 0; i < out.n; i++) CU_ASSERT(out.p[i] >= 0x20 && out.p[i] != 0x7F);
    struct cu_json j = cu_json_on(&again);
    cu_json_open(&j, NULL, '{');
    cu_json_text(&j, "text", text);
    cu_json_close(&j, '}');
    CU_ASSERT(!again.full && cu_utf8_ok(cu_buf_span(&again)));
    for (size_t i = 0; i < again.n; i++) CU_ASSERT(again.p[i] >= 0x20 && again.p[i] != 0x7F);
}

static void lines(struct cu_span text)
{
    struct cu_lines lines = cu_lines_on(text);
    size_t bytes = 0;
    for (struct cu_span line; cu_lines_next(&lines, &line);) bytes += line.n + 1;
    CU_ASSERT(lines.bad == (text.n > 0 && text.p[text.n - 1] != '\n'));
    CU_ASSERT(lines.bad || bytes == text.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_span text = cu_span(data, size);
    number(text);
    time_of(text);
    bytes_as_text(text);
    bech32(text, "age");
    bech32(text, "AGE-SECRET-KEY-");
    shown(text);
    lines(text);
    return 0;
}
