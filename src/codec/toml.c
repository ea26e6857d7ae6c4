/* Settings: one pass over lines, nothing allocated but the values' text. */
#include "codec/toml.h"

#include "custody/text.h"

struct cu_toml cu_toml_on(struct cu_span text) { return (struct cu_toml){ .rest = text }; }

static struct cu_span after(struct cu_span s, size_t n) { return cu_span(s.p + n, s.n - n); }
static bool begins(struct cu_span s, uint8_t c) { return s.n > 0 && s.p[0] == c; }
static bool is_space(uint8_t c) { return c == ' ' || c == '\t'; }
static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_bare(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_'; }

static struct cu_span skip_spaces(struct cu_span s)
{
    while (s.n > 0 && is_space(s.p[0])) s = after(s, 1);
    return s;
}

static cu_status take_name(struct cu_toml *t, struct cu_span *io, struct cu_span *ret, struct cu_err *err)
{
    size_t n = 0;

    while (n < io->n && is_bare(io->p[n])) n++;
    ENSURE(n > 0, err, CU_MALFORMED, "line %zu: a name of letters, digits, - and _ belongs there", t->line);
    *ret = cu_span(io->p, n);
    *io = skip_spaces(after(*io, n));
    return CU_OK;
}

/* Nothing stands twice, and no table has the name of a key beside it. */
static cu_status note_name(struct cu_toml *t, struct cu_span table, struct cu_span key, struct cu_err *err)
{
    for (size_t i = 0; i < t->names_n; i++)
        ENSURE(!cu_span_eq(t->names[i].table, table) || !cu_span_eq(t->names[i].key, key), err, CU_MALFORMED,
               "line %zu: %.*s stands there a second time", t->line, (int)key.n, (const char *)key.p);
    ENSURE(t->names_n < CU_TOML_NAMES_MAX, err, CU_TOO_LARGE, "line %zu: more than %d names", t->line, CU_TOML_NAMES_MAX);
    t->names[t->names_n].table = table;
    t->names[t->names_n++].key = key;
    return CU_OK;
}

/* ---- values ---- */

static void put_utf8(struct cu_buf *out, uint32_t c)
{
    if (c < 0x80) cu_buf_add_byte(out, (uint8_t)c);
    else if (c < 0x800) cu_buf_add_byte(out, (uint8_t)(0xc0 | c >> 6));
    else if (c < 0x10000) cu_buf_add_byte(out, (uint8_t)(0xe0 | c >> 12));
    else cu_buf_add_byte(out, (uint8_t)(0xf0 | c >> 18));
    for (int shift = c < 0x80 ? -6 : c < 0x800 ? 0 : c < 0x10000 ? 6 : 12; shift >= 0; shift -= 6)
        cu_buf_add_byte(out, (uint8_t)(0x80 | (c >> shift & 0x3f)));
}

/* What follows \u or \U: so many hex digits of one character. */
static bool take_code(struct cu_span *io, size_t digits, uint32_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < digits; i++) {
        const uint8_t c = i < io->n ? io->p[i] : 0, low = c | 0x20;
        if (!is_digit(c) && (low < 'a' || low > 'f')) return false;
        *ret = *ret << 4 | (uint32_t)(is_digit(c) ? c - '0' : low - 'a' + 10);
    }
    *io = after(*io, digits);
    return *ret > 0 && *ret <= 0x10ffff && (*ret < 0xd800 || *ret > 0xdfff);
}

static bool take_escape(struct cu_span *io, struct cu_buf *out)
{
    static const char letters[] = "btnfr\"\\", stand_for[] = "\b\t\n\f\r\"\\";
    const uint8_t c = io->n ? io->p[0] : 0;
    const char *at = c ? strchr(letters, c) : NULL;
    uint32_t code;

    if (!c) return false;
    *io = after(*io, 1);
    if (at) return cu_buf_add_byte(out, (uint8_t)stand_for[at - letters]), true;
    if ((c != 'u' && c != 'U') || !take_code(io, c == 'u' ? 4 : 8, &code)) return false;
    return put_utf8(out, code), true;
}

/* The quotes are passed; three of them would be TOML's text of several lines. */
static cu_status take_text(struct cu_toml *t, struct cu_span *io, struct cu_buf *mem, struct cu_span *ret, struct cu_err *err)
{
    const uint8_t quote = io->p[0];
    const size_t from = mem->n;

    *io = after(*io, 1);
    while (io->n > 0 && io->p[0] != quote) {
        const uint8_t c = io->p[0];
        *io = after(*io, 1);
        if (c != '\\' || quote == '\'') cu_buf_add_byte(mem, c);
        else ENSURE(take_escape(io, mem), err, CU_MALFORMED, "line %zu: a backslash with what TOML does not know", t->line);
    }
    ENSURE(io->n > 0, err, CU_MALFORMED, "line %zu: a text without its second quote", t->line);
    *io = after(*io, 1);
    ENSURE(mem->n > from || !begins(*io, quote), err, CU_MALFORMED, "line %zu: texts of several lines are not read here",
           t->line);
    TRY(cu_buf_ok(mem, err));
    *ret = mem->n > from ? cu_span(mem->p + from, mem->n - from) : CU_SPAN_EMPTY;
    return CU_OK;
}

static cu_status take_value(struct cu_toml *t, struct cu_span *io, struct cu_buf *mem, struct cu_toml_row *ret,
                            struct cu_err *err)
{
    size_t n = 0;
    uint64_t number;

    ret->type = CU_TOML_TEXT;
    if (begins(*io, '"') || begins(*io, '\'')) return take_text(t, io, mem, &ret->value, err);
    while (n < io->n && !is_space(io->p[n]) && io->p[n] != '#') n++;
    ret->value = cu_span(io->p, n);
    *io = after(*io, n);
    ret->type = CU_TOML_BOOL;
    if (cu_span_is(ret->value, "true") || cu_span_is(ret->value, "false")) return CU_OK;
    ret->type = CU_TOML_NUMBER;
    if (cu_decimal_read(ret->value, INT64_MAX, &number, NULL) == CU_OK) return CU_OK;
    return cu_fail(err, CU_MALFORMED, "line %zu: a text in quotes, a whole number, true or false belongs there", t->line);
}

/* ---- lines ---- */

static cu_status next_line(struct cu_toml *t, struct cu_span *ret, struct cu_err *err)
{
    t->line++;
    if (!cu_span_split(&t->rest, '\n', ret)) *ret = t->rest, t->rest = after(t->rest, t->rest.n);
    else if (ret->n > 0 && ret->p[ret->n - 1] == '\r') ret->n--;
    ENSURE(cu_utf8_ok(*ret), err, CU_MALFORMED, "line %zu: it is not UTF-8", t->line);
    for (size_t i = 0; i < ret->n; i++)
        ENSURE((ret->p[i] >= 0x20 && ret->p[i] != 0x7f) || ret->p[i] == '\t', err, CU_MALFORMED, "line %zu: a control character",
               t->line);
    *ret = skip_spaces(*ret);
    return CU_OK;
}

static cu_status take_table(struct cu_toml *t, struct cu_span *io, struct cu_err *err)
{
    *io = skip_spaces(after(*io, 1));
    TRY(take_name(t, io, &t->table, err));
    ENSURE(begins(*io, ']'), err, CU_MALFORMED, "line %zu: ] belongs behind the table's name", t->line);
    *io = after(*io, 1);
    return note_name(t, CU_SPAN_EMPTY, t->table, err);
}

static cu_status take_setting(struct cu_toml *t, struct cu_span *io, struct cu_buf *mem, struct cu_toml_row *ret,
                              struct cu_err *err)
{
    *ret = (struct cu_toml_row){ .line = t->line, .table = t->table };
    TRY(take_name(t, io, &ret->key, err));
    ENSURE(begins(*io, '='), err, CU_MALFORMED, "line %zu: = belongs behind %.*s", t->line, (int)ret->key.n,
           (const char *)ret->key.p);
    *io = skip_spaces(after(*io, 1));
    TRY(take_value(t, io, mem, ret, err));
    return note_name(t, t->table, ret->key, err);
}

cu_status cu_toml_next(struct cu_toml *t, struct cu_buf *mem, struct cu_toml_row *ret, bool *ret_more, struct cu_err *err)
{
    struct cu_span line;

    *ret_more = false;
    while (!*ret_more && t->rest.n > 0) {
        TRY(next_line(t, &line, err));
        if (begins(line, '[')) TRY(take_table(t, &line, err));
        else if (line.n > 0 && line.p[0] != '#') {
            TRY(take_setting(t, &line, mem, ret, err));
            *ret_more = true;
        }
        line = skip_spaces(line);
        ENSURE(line.n == 0 || line.p[0] == '#', err, CU_MALFORMED, "line %zu: something stands behind its end", t->line);
    }
    return CU_OK;
}
