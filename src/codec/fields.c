/* JSON in, as much of it as our servers write: flat objects, and lists of them. It is read for what it says, and believed in nothing else. */
#include "codec/fields.h"

#include "custody/text.h"

static bool take(struct cu_fields *f, char c)
{
    const char text[] = { c, 0 };

    return cu_span_take(&f->rest, text);
}

static bool fail(struct cu_fields *f) { return f->bad = true, false; }

/* Decoded, appended; \uXXXX, which only control characters are written as, becomes '?'. */
static bool take_string(struct cu_fields *f, struct cu_buf *ret)
{
    if (!take(f, '"')) return false;
    while (f->rest.n) {
        const uint8_t c = f->rest.p[0];
        f->rest = cu_span_from(f->rest, 1);
        if (c == '"') return true;
        if (c != '\\') cu_buf_add_byte(ret, c);
        else if (take(f, 'u')) {
            if (f->rest.n < 4) return false;
            f->rest = cu_span_from(f->rest, 4);
            cu_buf_add_byte(ret, '?');
        } else if (f->rest.n) {
            const uint8_t e = f->rest.p[0];
            f->rest = cu_span_from(f->rest, 1);
            cu_buf_add_byte(ret, e == 'n' || e == 't' || e == 'r' ? ' ' : e);
        }
    }
    return false;
}

/* A number, true, false, null: as it stands. */
static bool take_word(struct cu_fields *f, struct cu_buf *ret)
{
    size_t n = 0;

    while (n < f->rest.n &&
           ((f->rest.p[n] >= 'a' && f->rest.p[n] <= 'z') || (f->rest.p[n] >= '0' && f->rest.p[n] <= '9') || f->rest.p[n] == '-'))
        n++;
    cu_buf_add(ret, cu_span(f->rest.p, n));
    f->rest = cu_span_from(f->rest, n);
    return n > 0;
}

bool cu_fields_next(struct cu_fields *f, char ret_name[32], struct cu_buf *ret)
{
    struct cu_buf name = cu_buf_over(ret_name, 31);

    cu_buf_clear(ret);
    if (f->bad || (f->inside && take(f, '}'))) return f->inside = false;
    if (!take(f, f->inside ? ',' : '{')) return fail(f);
    if (!f->inside && take(f, '}')) return false;
    f->inside = true;
    if (!take_string(f, &name) || !take(f, ':') || !(take_string(f, ret) || take_word(f, ret))) return fail(f);
    ret_name[name.n] = 0;
    return true;
}

bool cu_fields_find(struct cu_span object, const char *wanted, struct cu_buf *ret)
{
    struct cu_fields f = { .rest = object };
    char name[32];

    while (cu_fields_next(&f, name, ret))
        if (strcmp(name, wanted) == 0) return true;
    cu_buf_clear(ret);
    return false;
}
