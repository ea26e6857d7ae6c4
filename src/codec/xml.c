/* A strict reader of little XML. */
#include "codec/xml.h"

#include "custody/text.h"

static bool blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_blank(struct cu_span *s)
{
    while (s->n && blank(s->p[0])) *s = cu_span_from(*s, 1);
}

static bool letter(uint8_t c, bool first)
{
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
    return alpha || (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static bool take_name(struct cu_span *s, struct cu_span *ret)
{
    size_t n = 0;

    while (n < s->n && letter(s->p[n], n == 0)) n++;
    *ret = cu_span(s->p, n);
    *s = cu_span_from(*s, n);
    return n > 0;
}

static bool take_attribute(struct cu_span *s)
{
    struct cu_span name, value;

    if (!take_name(s, &name) || !cu_span_take(s, "=") || s->n == 0 || (s->p[0] != '"' && s->p[0] != '\'')) return false;
    const char quote = (char)s->p[0];
    *s = cu_span_from(*s, 1);
    return cu_span_split(s, quote, &value) && (value.n == 0 || !memchr(value.p, '<', value.n));
}

static enum cu_xml_event bad(struct cu_xml *x)
{
    x->rest = cu_span_str("<"); /* begins nothing, for ever */
    x->depth = 0;
    x->started = x->closing = false;
    return CU_XML_BAD;
}

static enum cu_xml_event end(struct cu_xml *x)
{
    x->name = x->open[--x->depth];
    x->closing = false;
    if (!x->leaf) x->text_n = 0;
    x->leaf = false;
    return CU_XML_END;
}

static enum cu_xml_event begin(struct cu_xml *x, struct cu_span s)
{
    struct cu_span name;

    if (!take_name(&s, &name) || x->depth == CU_XML_DEPTH || (x->depth == 0 && x->started)) return bad(x);
    for (;;) {
        const size_t before = s.n;
        skip_blank(&s);
        if (s.n == 0) return bad(x);
        x->closing = cu_span_take(&s, "/>");
        if (x->closing || cu_span_take(&s, ">")) break;
        if (s.n == before || !take_attribute(&s)) return bad(x);
    }
    x->rest = s;
    x->open[x->depth++] = x->name = name;
    x->started = x->leaf = true;
    x->text_n = 0;
    return CU_XML_BEGIN;
}

static bool put_byte(struct cu_xml *x, uint8_t byte)
{
    if (x->text_n == CU_XML_TEXT) return false;
    x->text[x->text_n++] = byte;
    return true;
}

static bool put_character(struct cu_xml *x, uint32_t c)
{
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
    if (c < 0x80) return put_byte(x, (uint8_t)c);
    if (c < 0x800) return put_byte(x, (uint8_t)(0xc0 | c >> 6)) && put_byte(x, (uint8_t)(0x80 | (c & 63)));
    if (c < 0x10000)
        return put_byte(x, (uint8_t)(0xe0 | c >> 12)) && put_byte(x, (uint8_t)(0x80 | (c >> 6 & 63))) &&
               put_byte(x, (uint8_t)(0x80 | (c & 63)));
    return put_byte(x, (uint8_t)(0xf0 | c >> 18)) && put_byte(x, (uint8_t)(0x80 | (c >> 12 & 63))) &&
           put_byte(x, (uint8_t)(0x80 | (c >> 6 & 63))) && put_byte(x, (uint8_t)(0x80 | (c & 63)));
}

static bool read_number(struct cu_span digits, uint32_t base, uint32_t *ret)
{
    uint32_t v = 0;

    if (digits.n == 0 || digits.n > 8) return false;
    for (size_t i = 0; i < digits.n; i++) {
        const uint8_t c = digits.p[i], low = c | 0x20;
        const uint32_t digit = c >= '0' && c <= '9'       ? (uint32_t)(c - '0')
                               : low >= 'a' && low <= 'f' ? (uint32_t)(low - 'a') + 10
                                                          : 99;
        if (digit >= base) return false;
        v = v * base + digit;
    }
    *ret = v;
    return true;
}

/* What stands between & and ; */
static bool put_reference(struct cu_xml *x, struct cu_span name)
{
    static const struct {
        const char *name;
        uint8_t byte;
    } named[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' } };
    uint32_t c;

    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (cu_span_is(name, named[i].name)) return put_byte(x, named[i].byte);
    if (!cu_span_take(&name, "#")) return false;
    const bool hex = cu_span_take(&name, "x");
    return read_number(name, hex ? 16 : 10, &c) && put_character(x, c);
}

/* Up to the next tag. */
static bool take_text(struct cu_xml *x, struct cu_span text)
{
    struct cu_span name;

    if (!cu_utf8_ok(text)) return false;
    while (text.n) {
        const uint8_t c = text.p[0];
        text = cu_span_from(text, 1);
        if (c == '&' ? !cu_span_split(&text, ';', &name) || !put_reference(x, name) : (c < ' ' && !blank(c)) || !put_byte(x, c))
            return false;
    }
    return true;
}

static bool all_blank(struct cu_span s)
{
    skip_blank(&s);
    return s.n == 0;
}

struct cu_xml cu_xml_on(struct cu_span text)
{
    struct cu_xml x = { .rest = text };
    struct cu_span declaration;

    if (!cu_span_take(&x.rest, "<?xml ")) return x;
    if (!cu_span_split(&x.rest, '>', &declaration) || declaration.n == 0 || declaration.p[declaration.n - 1] != '?') bad(&x);
    return x;
}

enum cu_xml_event cu_xml_next(struct cu_xml *x)
{
    struct cu_span text, name;

    if (x->closing) return end(x);
    text = x->rest;
    if (!cu_span_split(&x->rest, '<', &text)) return x->started && x->depth == 0 && all_blank(x->rest) ? CU_XML_DONE : bad(x);
    const bool closes = cu_span_take(&x->rest, "/");
    if (x->leaf && closes) {
        if (!take_text(x, text)) return bad(x);
    } else if (!all_blank(text)) return bad(x);
    if (!closes) return begin(x, x->rest);
    if (!take_name(&x->rest, &name) || x->depth == 0 || !cu_span_eq(name, x->open[x->depth - 1])) return bad(x);
    skip_blank(&x->rest);
    return cu_span_take(&x->rest, ">") ? end(x) : bad(x);
}

bool cu_xml_at(const struct cu_xml *x, const char *path)
{
    struct cu_span rest = cu_span_str(path), part;

    for (unsigned i = 0; i < x->depth; i++)
        if (!cu_span_split(&rest, '/', &part) || !cu_span_eq(part, x->open[i])) return false;
    return cu_span_eq(rest, x->name);
}
