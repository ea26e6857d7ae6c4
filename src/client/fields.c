/* JSON in, as much of it as our servers write: flat objects, and lists of them. It is read for what it says, and believed in nothing else. */
#include "client/client.h"

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

/* ---- what became of records ---- */
#define NAMED(num, name, http, code, retry, text, zh) \
    if (cu_span_is(text_of, #name)) return *ret = CU_##name, true;
bool cu_status_named(struct cu_span text_of, cu_status *ret)
{
    CU_STATUS_TABLE(NAMED)
    return false;
}

static bool take_outcome(struct cu_fields *f, struct cu_outcome *ret)
{
    uint8_t memory[1000];
    struct cu_buf value = cu_buf_over(memory, sizeof memory), text = cu_buf_over(ret->text, sizeof ret->text - 1);
    char name[32];
    bool status = false, seq = false, id = false, leaf = false, block = false;

    memset(ret, 0, sizeof *ret);
    while (cu_fields_next(f, name, &value)) {
        const struct cu_span v = cu_buf_span(&value);
        if (strcmp(name, "status") == 0) status = cu_status_named(v, &ret->status);
        if (strcmp(name, "detail") == 0) cu_buf_clear(&text), cu_text_printable(&text, v);
        if (strcmp(name, "entry") == 0) seq = cu_decimal_read(v, INT64_MAX, &ret->seq.v, NULL) == CU_OK;
        if (strcmp(name, "block") == 0) block = cu_decimal_read(v, INT64_MAX, &ret->block.v, NULL) == CU_OK;
        if (strcmp(name, "id") == 0) id = cu_hex_read(v, ret->id.b, sizeof ret->id.b, NULL) == CU_OK;
        if (strcmp(name, "leaf") == 0) leaf = cu_hex_read(v, ret->leaf.b, sizeof ret->leaf.b, NULL) == CU_OK;
    }
    ret->text[text.n] = 0;
    if (f->bad || !status) return false;
    if (ret->status == CU_OK) return seq && id && leaf && block;
    return ret->status != CU_DUPLICATE || (seq && id);
}

bool cu_outcomes_read(struct cu_span body, struct cu_outcome *ret, size_t n)
{
    struct cu_fields f = { .rest = body };

    for (size_t i = 0; i < n; i++)
        if (!take(&f, i ? ',' : '[') || !take_outcome(&f, &ret[i])) return false;
    return take(&f, ']');
}
