/* JSON out (RFC 8259), on one line: what scripts read of us. */
#include "custody/json.h"
#include "custody/text.h"

#define DEPTH_MAX 31u

struct cu_json cu_json_on(struct cu_buf *out) { return (struct cu_json){ .out = out }; }

/* A run of plain bytes is appended at once; what must be escaped ends it. Invalid bytes become U+FFFD. */
static bool put_string(struct cu_buf *out, struct cu_span text)
{
    bool valid = true;
    cu_buf_add_byte(out, '"');
    while (text.n > 0) {
        uint32_t c;
        size_t n = cu_utf8_next(text, &c);
        if (n == 0) valid = false, n = 1, cu_buf_add_str(out, "\xEF\xBF\xBD");
        else if (c == '"' || c == '\\') cu_buf_addf(out, "\\%c", (int)c);
        else if (c == '\n') cu_buf_add_str(out, "\\n");
        else if (c < 0x20 || c == 0x7F) cu_buf_addf(out, "\\u%04x", (unsigned)c);
        else cu_buf_add(out, cu_span(text.p, n));
        text = cu_span(text.p + n, text.n - n);
    }
    cu_buf_add_byte(out, '"');
    return valid;
}

/* Comma and key in front of a value. */
static void lead_in(struct cu_json *j, const char *key)
{
    if (j->comma >> j->depth & 1) cu_buf_add_byte(j->out, ',');
    j->comma |= UINT32_C(1) << j->depth;
    if (!key) return;
    put_string(j->out, cu_span_str(key));
    cu_buf_add_byte(j->out, ':');
}

void cu_json_open(struct cu_json *j, const char *key, char bracket)
{
    CU_ASSERT(j->depth < DEPTH_MAX && (bracket == '{' || bracket == '['));
    lead_in(j, key);
    cu_buf_add_byte(j->out, (uint8_t)bracket);
    j->depth++;
    j->comma &= ~(UINT32_C(1) << j->depth);
}

void cu_json_close(struct cu_json *j, char bracket)
{
    CU_ASSERT(j->depth > 0 && (bracket == '}' || bracket == ']'));
    cu_buf_add_byte(j->out, (uint8_t)bracket);
    j->depth--;
}

void cu_json_text(struct cu_json *j, const char *key, struct cu_span text)
{
    lead_in(j, key);
    if (put_string(j->out, text) || !key) return;
    char hex_key[64];
    struct cu_buf name = cu_buf_over(hex_key, sizeof hex_key - 1);
    cu_buf_addf(&name, "%s_hex", key);
    CU_ASSERT(!name.full);
    hex_key[name.n] = '\0';
    cu_json_hex(j, hex_key, text);
}

void cu_json_str(struct cu_json *j, const char *key, const char *text)
{
    if (text) return cu_json_text(j, key, cu_span_str(text));
    lead_in(j, key);
    cu_buf_add_str(j->out, "null");
}

void cu_json_uint(struct cu_json *j, const char *key, uint64_t v)
{
    lead_in(j, key);
    cu_buf_addf(j->out, "%llu", LLU(v));
}

void cu_json_int(struct cu_json *j, const char *key, int64_t v)
{
    lead_in(j, key);
    cu_buf_addf(j->out, "%lld", (long long)v);
}

void cu_json_bool(struct cu_json *j, const char *key, bool v)
{
    lead_in(j, key);
    cu_buf_add_str(j->out, v ? "true" : "false");
}

void cu_json_hex(struct cu_json *j, const char *key, struct cu_span bytes)
{
    lead_in(j, key);
    cu_buf_add_byte(j->out, '"');
    cu_hex_put(j->out, bytes);
    cu_buf_add_byte(j->out, '"');
}

void cu_json_hash(struct cu_json *j, const char *key, const cu_hash *hash) { cu_json_hex(j, key, cu_span_hash(hash)); }

void cu_json_time(struct cu_json *j, const char *key, cu_unix_ms time)
{
    char text[32];
    cu_time_text(time, text);
    cu_json_str(j, key, text);
}
