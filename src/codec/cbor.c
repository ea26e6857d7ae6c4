/* The strict reader, one call an item. What it accepts stands in include/custody/cbor.h, its invariants in head.h. */
#include "custody/cbor.h"
#include "custody/text.h"
#include "codec/head.h"

struct cu_cbor_reader cu_cbor_read(struct cu_span bytes)
{
    struct cu_cbor_reader in;
    cbor_start(&in, bytes);
    return in;
}

/* ---- faults ------------------------------------------------------------------------------------------------------- */

bool cu_cbor_fault_at(struct cu_cbor_reader *in, size_t at, const char *sentence)
{
    if (!in->fault) {
        in->fault = sentence;
        in->fault_at = at;
    }
    in->at = in->all.n; /* by (1) */
    return false;
}

void cu_cbor_fault(struct cu_cbor_reader *in, const char *sentence) { cu_cbor_fault_at(in, in->item_at, sentence); }

void cu_cbor_fault_quote(struct cu_cbor_reader *in, const char *sentence)
{
    if (!in->fault) in->quote = true;
    cu_cbor_fault(in, sentence);
}

void cu_cbor_fault_in(struct cu_cbor_reader *in, int key, const char *name)
{
    if (in->fault && in->places_n < CU_CBOR_DEPTH_MAX) in->place[in->places_n++] = (struct cu_cbor_place){ key, name };
}

static void put_place(struct cu_buf *out, const struct cu_cbor_place *place)
{
    if (!place->name) cu_buf_addf(out, "element %d: ", place->key);
    else if (place->key == CU_CBOR_NO_KEY) cu_buf_addf(out, "%s: ", place->name);
    else cu_buf_addf(out, "field %d (%s): ", place->key, place->name);
}

static cu_status tell_fault(const struct cu_cbor_reader *in, const char *what, struct cu_err *err)
{
    char text[600];
    struct cu_buf out = cu_buf_over(text, sizeof text - 1);
    for (unsigned i = in->places_n; i-- > 0;) put_place(&out, &in->place[i]);
    cu_buf_add_str(&out, in->fault);
    if (in->quote) {
        cu_buf_add_str(&out, ": ");
        cu_cbor_diagnose(cu_span(in->all.p + in->fault_at, in->all.n - in->fault_at), &out);
    }
    text[out.n] = '\0';
    return cu_fail(err, CU_MALFORMED, "%s: %s, at byte %zu", what, text, in->fault_at);
}

cu_status cu_cbor_done(const struct cu_cbor_reader *in, const char *what, struct cu_err *err)
{
    if (in->fault) return tell_fault(in, what, err);
    ENSURE(!in->tagged, err, CU_MALFORMED, "%s: a tag without content, at byte %zu", what, in->item_at);
    ENSURE(in->depth == 0, err, CU_MALFORMED, "%s: not read to its end, at byte %zu", what, in->at);
    ENSURE(in->at == in->all.n, err, CU_MALFORMED, "%s: bytes left over: %zu, at byte %zu", what, cbor_rest(in), in->at);
    return CU_OK;
}

static const char not_key[] = "a map key is neither an integer nor a string";
static const char not_simple[] = "a simple value other than false, true and null";

/* ---- heads: what is not one byte, and what is not what was wanted ---------------------------------------------------- */

static bool refuse_break(struct cu_cbor_reader *in, unsigned major)
{
    if (major >= MAJOR_BYTES && major <= MAJOR_MAP) return cu_cbor_fault_at(in, in->at, "an indefinite length");
    if (major == MAJOR_SIMPLE) return cu_cbor_fault_at(in, in->at, "a break outside of an indefinite length");
    return cu_cbor_fault_at(in, in->at, "reserved additional information");
}

/* Floats (one encoding of a number is enough) and simple values that mean nothing here, both written in more than a byte. */
static bool refuse_simple(struct cu_cbor_reader *in, unsigned info)
{
    return cu_cbor_fault_at(in, in->at, info == 24 ? not_simple : "a floating-point number");
}

bool cu_cbor_head_long(struct cu_cbor_reader *in, uint8_t first, uint64_t *ret)
{
    unsigned major = first >> 5, info = first & 31u;
    if (info == 31) return refuse_break(in, major);
    if (info >= 28) return cu_cbor_fault_at(in, in->at, "reserved additional information");
    if (major == MAJOR_SIMPLE) return refuse_simple(in, info);

    size_t n = (size_t)1 << (info - 24);
    if (cbor_rest(in) <= n) return cu_cbor_fault_at(in, in->at, "the bytes end within a head");
    const uint8_t *p = in->all.p + in->at + 1;
    uint64_t value = n == 1 ? *p : n == 2 ? cu_be16(p) : n == 4 ? cu_be32(p) : cu_be64(p);
    uint64_t least = n == 1 ? 24 : UINT64_C(1) << (n * 4); /* what the next shorter form cannot hold */
    if (value < least) return cu_cbor_fault_at(in, in->at, "a head that is not in its shortest form");
    *ret = value;
    in->at += 1 + n;
    return true;
}

bool cu_cbor_head_other(struct cu_cbor_reader *in, unsigned want)
{
    static const char *const expected[] = {
        [MAJOR_UINT] = "an unsigned integer was expected",
        [MAJOR_NEGINT] = "a negative integer was expected",
        [MAJOR_BYTES] = "a byte string was expected",
        [MAJOR_TEXT] = "a text was expected",
        [MAJOR_ARRAY] = "an array was expected",
        [MAJOR_MAP] = "a map was expected",
        [MAJOR_TAG] = "a tag was expected",
        [MAJOR_SIMPLE] = "true, false or null was expected",
    };
    return cu_cbor_fault_at(in, in->at, expected[want]);
}

/* By (3): the item from item_at to here is a key; it stands after the last one, bytewise. No encoding is a prefix of another. */
bool cu_cbor_key_next(struct cu_cbor_reader *in)
{
    const uint8_t *p = in->all.p;
    struct cu_cbor_frame *frame = &in->frame[in->depth];
    if (p[in->item_at] >> 5 > MAJOR_TEXT) return cu_cbor_fault_at(in, in->item_at, not_key);
    struct cu_span key = cu_span(p + in->item_at, in->at - in->item_at);
    if (frame->key_n > 0 && p[frame->key_at] >= key.p[0]) { /* else the first byte has decided */
        int order = cu_span_cmp(key, cu_span(p + frame->key_at, frame->key_n));
        if (order == 0) return cu_cbor_fault_at(in, in->item_at, "a map key stands twice");
        if (order < 0) return cu_cbor_fault_at(in, in->item_at, "map keys are not in order");
    }
    frame->key_at = in->item_at;
    frame->key_n = key.n;
    return true;
}

/* ---- scalars ------------------------------------------------------------------------------------------------------ */

enum cu_cbor_type cu_cbor_peek(const struct cu_cbor_reader *in)
{
    if (in->at == in->all.n || in->frame[in->depth].left == 0) return CU_CBOR_END;
    return (enum cu_cbor_type)(in->all.p[in->at] >> 5);
}

uint64_t cu_cbor_uint(struct cu_cbor_reader *in)
{
    uint64_t v;
    return cbor_head(in, MAJOR_UINT, &v) && cbor_count(in) ? v : 0;
}

int64_t cu_cbor_int(struct cu_cbor_reader *in)
{
    bool negative = cu_cbor_peek(in) == CU_CBOR_NEGINT;
    uint64_t v;
    if (!cbor_head(in, negative ? MAJOR_NEGINT : MAJOR_UINT, &v) || !cbor_count(in)) return 0;
    if (v > INT64_MAX) return cu_cbor_fault(in, "an integer beyond 64 bits with a sign"), 0;
    return negative ? -1 - (int64_t)v : (int64_t)v;
}

/* The string whose head gave `n`, counted. */
static struct cu_span string(struct cu_cbor_reader *in, bool text, uint64_t n, size_t min, size_t max)
{
    const char *fault = NULL;
    struct cu_span body = cbor_body(in, n);
    if (!cu_cbor_good(in)) return CU_SPAN_EMPTY;
    if (text && !cu_utf8_ok(body)) return cu_cbor_fault(in, "a text that is not UTF-8"), CU_SPAN_EMPTY;
    if (body.n < min) fault = "shorter than allowed";
    if (body.n > max) fault = "longer than allowed";
    if (fault) return cu_cbor_fault_quote(in, fault), CU_SPAN_EMPTY;
    return cbor_count(in) ? body : CU_SPAN_EMPTY;
}

struct cu_span cu_cbor_bytes(struct cu_cbor_reader *in, size_t min, size_t max)
{
    uint64_t n;
    return cbor_head(in, MAJOR_BYTES, &n) ? string(in, false, n, min, max) : CU_SPAN_EMPTY;
}

struct cu_span cu_cbor_text(struct cu_cbor_reader *in, size_t min, size_t max)
{
    uint64_t n;
    return cbor_head(in, MAJOR_TEXT, &n) ? string(in, true, n, min, max) : CU_SPAN_EMPTY;
}

void cu_cbor_fixed(struct cu_cbor_reader *in, uint8_t *ret, size_t n)
{
    struct cu_span body = cu_cbor_bytes(in, n, n);
    if (body.n == n && n > 0) memcpy(ret, body.p, n);
    else memset(ret, 0, n);
}

/* The simple value whose head gave `v`, counted: false, true or null, or a fault. */
static bool simple(struct cu_cbor_reader *in, uint64_t v)
{
    if (v >= SIMPLE_FALSE && v <= SIMPLE_NULL) return cbor_count(in);
    return cu_cbor_fault_at(in, in->item_at, v == SIMPLE_NULL + 1 ? "undefined" : not_simple);
}

bool cu_cbor_bool(struct cu_cbor_reader *in)
{
    uint64_t v;
    if (!cbor_head(in, MAJOR_SIMPLE, &v) || !simple(in, v)) return false;
    if (v == SIMPLE_NULL) return cu_cbor_fault_at(in, in->item_at, "true or false was expected");
    return v == SIMPLE_TRUE;
}

void cu_cbor_null(struct cu_cbor_reader *in)
{
    uint64_t v;
    if (cbor_head(in, MAJOR_SIMPLE, &v) && simple(in, v) && v != SIMPLE_NULL) cu_cbor_fault(in, "null was expected");
}

/* ---- tags, arrays, maps ------------------------------------------------------------------------------------------- */

/* A tag counts together with its content, so one alone is never taken for an item. */
static bool tag(struct cu_cbor_reader *in)
{
    if (in->tagged) return cu_cbor_fault_at(in, in->item_at, "a tag on a tag");
    if (cbor_key_is_due(in)) return cu_cbor_fault_at(in, in->item_at, not_key);
    return in->tagged = true;
}

void cu_cbor_tag(struct cu_cbor_reader *in, uint64_t wanted)
{
    uint64_t v;
    if (cbor_head(in, MAJOR_TAG, &v) && tag(in) && v != wanted) cu_cbor_fault(in, "another tag was expected");
}

/* Enter the array or map whose head gave `n`. */
static bool enter(struct cu_cbor_reader *in, bool map, uint64_t n, uint64_t max)
{
    const char *fault = NULL;
    if (n > max) fault = "more elements than allowed";
    if (n > cbor_rest(in) / (map ? 2 : 1)) fault = "more elements than bytes remain"; /* each has one at least */
    if (in->depth == CU_CBOR_DEPTH_MAX) fault = "nested too deep";
    if (fault) return cu_cbor_fault_at(in, in->item_at, fault);
    if (!cbor_count(in)) return false;
    in->frame[++in->depth] = (struct cu_cbor_frame){ .left = map ? 2 * n : n, .map = map };
    return true;
}

uint64_t cu_cbor_enter_array(struct cu_cbor_reader *in, uint64_t max)
{
    uint64_t n;
    return cbor_head(in, MAJOR_ARRAY, &n) && enter(in, false, n, max) ? n : 0;
}

uint64_t cu_cbor_enter_map(struct cu_cbor_reader *in, uint64_t max)
{
    uint64_t n;
    return cbor_head(in, MAJOR_MAP, &n) && enter(in, true, n, max) ? n : 0;
}

void cu_cbor_leave(struct cu_cbor_reader *in)
{
    if (!cu_cbor_good(in)) return; /* an `enter` that failed opened nothing */
    CU_ASSERT(in->depth > 0);
    if (in->frame[in->depth].left > 0) cu_cbor_fault_at(in, in->at, "more elements than expected");
    else in->depth--;
}

/* ---- any item ----------------------------------------------------------------------------------------------------- */

/* One scalar, or one tag, or the head of one array or map, which is entered. */
static void step(struct cu_cbor_reader *in)
{
    uint8_t first = 0;
    uint64_t v = 0;
    if (!cbor_first(in, &first) || !cbor_argument(in, first, &v)) return;
    switch (first >> 5) {
    case MAJOR_UINT:
    case MAJOR_NEGINT: cbor_count(in); return;
    case MAJOR_BYTES: string(in, false, v, 0, SIZE_MAX); return;
    case MAJOR_TEXT: string(in, true, v, 0, SIZE_MAX); return;
    case MAJOR_ARRAY: enter(in, false, v, UINT64_MAX); return;
    case MAJOR_MAP: enter(in, true, v, UINT64_MAX); return;
    case MAJOR_TAG: tag(in); return;
    case MAJOR_SIMPLE: simple(in, v); return;
    }
}

struct cu_span cu_cbor_item(struct cu_cbor_reader *in)
{
    size_t start = in->at;
    unsigned outside = in->depth;
    do {
        step(in);
        while (in->depth > outside && in->frame[in->depth].left == 0) in->depth--;
    } while (cu_cbor_good(in) && (in->depth > outside || in->tagged));
    if (!cu_cbor_good(in)) return CU_SPAN_EMPTY;
    in->item_at = start;
    return cu_span(in->all.p + start, in->at - start);
}

cu_status cu_cbor_check(struct cu_span bytes, const char *what, struct cu_err *err)
{
    struct cu_cbor_reader in;
    cbor_start(&in, bytes);
    cu_cbor_item(&in);
    return cu_cbor_done(&in, what, err);
}
