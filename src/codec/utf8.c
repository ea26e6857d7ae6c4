/* UTF-8 (RFC 3629), checked, and shown so that nothing in it deceives an eye or a terminal. */
#include "custody/text.h"

/* What a first byte promises: the length, and the bounds of the second byte, which exclude overlong forms, surrogates and what
 * lies above U+10FFFF. Table 3-7 of the Unicode Standard. */
static const struct lead {
    uint8_t first, last, n, second_min, second_max;
} leads[] = {
    { 0x00, 0x7F, 1, 0x00, 0x00 }, { 0xC2, 0xDF, 2, 0x80, 0xBF }, { 0xE0, 0xE0, 3, 0xA0, 0xBF },
    { 0xE1, 0xEC, 3, 0x80, 0xBF }, { 0xED, 0xED, 3, 0x80, 0x9F }, { 0xEE, 0xEF, 3, 0x80, 0xBF },
    { 0xF0, 0xF0, 4, 0x90, 0xBF }, { 0xF1, 0xF3, 4, 0x80, 0xBF }, { 0xF4, 0xF4, 4, 0x80, 0x8F },
};

static const struct lead *lead_of(uint8_t byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        if (byte >= leads[i].first && byte <= leads[i].last) return &leads[i];
    return NULL;
}

size_t cu_utf8_next(struct cu_span text, uint32_t *ret)
{
    const struct lead *lead = text.n == 0 ? NULL : lead_of(text.p[0]);
    if (!lead || lead->n > text.n) return 0;
    if (lead->n > 1 && (text.p[1] < lead->second_min || text.p[1] > lead->second_max)) return 0;

    uint32_t c = lead->n == 1 ? text.p[0] : text.p[0] & (0x7Fu >> lead->n);
    for (size_t i = 1; i < lead->n; i++) {
        if ((text.p[i] & 0xC0) != 0x80) return 0;
        c = c << 6 | (text.p[i] & 0x3Fu);
    }
    *ret = c;
    return lead->n;
}

/* Most text is ASCII: eight bytes at a stride. */
static size_t ascii_prefix(struct cu_span text)
{
    size_t n = 0;
    for (uint64_t eight; text.n - n >= sizeof eight; n += sizeof eight) {
        memcpy(&eight, text.p + n, sizeof eight);
        if (eight & UINT64_C(0x8080808080808080)) break;
    }
    while (n < text.n && text.p[n] < 0x80) n++;
    return n;
}

bool cu_utf8_ok(struct cu_span text)
{
    uint32_t ignored;
    for (size_t n; text.n > 0; text = cu_span(text.p + n, text.n - n)) {
        n = ascii_prefix(text);
        if (n == 0) n = cu_utf8_next(text, &ignored);
        if (n == 0) return false;
    }
    return true;
}

/* Ranges of characters that reorder what stands around them, take no room, or break a line. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    { 0x0080, 0x009F },   /* C1 controls */
    { 0x00AD, 0x00AD },   /* soft hyphen */
    { 0x034F, 0x034F },   /* combining grapheme joiner */
    { 0x061C, 0x061C },   /* Arabic letter mark */
    { 0x115F, 0x1160 },   /* Hangul fillers */
    { 0x17B4, 0x17B5 },   /* Khmer inherent vowels */
    { 0x180B, 0x180F },   /* Mongolian variation selectors, vowel separator */
    { 0x200B, 0x200F },   /* zero width; left-to-right and right-to-left mark */
    { 0x2028, 0x202E },   /* line and paragraph separator; embeddings and overrides */
    { 0x2060, 0x206F },   /* word joiner, invisible operators, isolates */
    { 0x2800, 0x2800 },   /* a Braille pattern without a dot */
    { 0x3164, 0x3164 },   /* Hangul filler */
    { 0xFE00, 0xFE0F },   /* variation selectors */
    { 0xFEFF, 0xFEFF },   /* byte order mark */
    { 0xFFA0, 0xFFA0 },   /* halfwidth Hangul filler */
    { 0xFFF0, 0xFFFB },   /* interlinear annotation */
    { 0x1BCA0, 0x1BCA3 }, /* shorthand format controls */
    { 0x1D173, 0x1D17A }, /* musical beams, ties, slurs */
    { 0xE0000, 0xE0FFF }, /* tags, variation selectors */
};

static bool is_hidden(uint32_t c)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (c >= hidden[i].first && c <= hidden[i].last) return true;
    return false;
}

/* One character, or one byte that begins none; `quote` is escaped, too. Returns how many bytes it took. */
static size_t put_shown(struct cu_buf *out, struct cu_span rest, char quote)
{
    uint32_t c;
    size_t n = cu_utf8_next(rest, &c);
    if (n == 0 || c < 0x20 || c == 0x7F) {
        cu_buf_addf(out, "\\x%02x", rest.p[0]);
        return 1;
    }
    if (is_hidden(c)) cu_buf_addf(out, "\\u{%x}", (unsigned)c);
    else if (c == '\\' || (quote && c == (unsigned char)quote)) cu_buf_addf(out, "\\%c", (int)c);
    else cu_buf_add(out, cu_span(rest.p, n));
    return n;
}

static void put_all_shown(struct cu_buf *out, struct cu_span bytes, char quote)
{
    for (size_t at = 0; at < bytes.n && !out->full;) at += put_shown(out, cu_span(bytes.p + at, bytes.n - at), quote);
}

void cu_text_printable(struct cu_buf *out, struct cu_span bytes) { put_all_shown(out, bytes, '\0'); }

size_t cu_text_whole(struct cu_span text, size_t max)
{
    size_t n = text.n < max ? text.n : max, at = n;

    while (at > 0 && n - at < 4 && (text.p[at - 1] & 0xC0) == 0x80) at--;
    if (at > 0 && text.p[at - 1] >= 0xC0) at--;
    return at == n || cu_utf8_ok(cu_span(text.p + at, n - at)) ? n : at;
}

void cu_text_shortened(struct cu_buf *out, struct cu_span bytes, size_t most)
{
    cu_text_printable(out, bytes.n > most ? cu_span(bytes.p, cu_text_whole(bytes, most)) : bytes);
    if (bytes.n > most) cu_buf_add_str(out, "…");
}

void cu_text_quoted(struct cu_buf *out, struct cu_span bytes)
{
    cu_buf_add_byte(out, '"');
    put_all_shown(out, bytes, '"');
    cu_buf_add_byte(out, '"');
}
