/* Reading and writing by tables.
 *
 * (1) A message is gone over twice: first its form is judged and repeated fields are counted, then it is read; so the second pass
 *     meets nothing but what the first let through, and lists are allocated once, as long as they are.
 * (2) No length is believed before it was compared with what is left.
 */
#include "engine/cometbft/pb.h"

#include "custody/text.h"

#include <stddef.h>

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

#define NUMBER_MAX ((1u << 29) - 1)

/* ---- varints ---- */

size_t cu_pb_varint(struct cu_span bytes, uint64_t *ret)
{
    uint64_t v = 0;

    for (size_t i = 0; i < bytes.n && i < 10; i++) {
        if (i == 9 && bytes.p[i] > 1) return 0;
        v |= (uint64_t)(bytes.p[i] & 0x7f) << 7 * i;
        if (bytes.p[i] < 0x80) return *ret = v, i + 1;
    }
    return 0;
}

void cu_pb_put_varint(struct cu_buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) cu_buf_add_byte(out, (uint8_t)(v | 0x80));
    cu_buf_add_byte(out, (uint8_t)v);
}

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >>= 7) n++;
    return n;
}

/* ---- one field off the wire ---- */

struct item {
    uint32_t number;
    enum wire wire;
    uint64_t value;       /* WIRE_VARINT */
    struct cu_span bytes; /* WIRE_BYTES */
};

/* False: the bytes are no field. */
static bool next_item(struct cu_span *rest, struct item *ret)
{
    uint64_t tag = 0, n = 0;
    size_t used = cu_pb_varint(*rest, &tag);

    if (used == 0 || tag >> 3 == 0 || tag >> 3 > NUMBER_MAX) return false;
    *rest = cu_span_from(*rest, used);
    *ret = (struct item){ .number = (uint32_t)(tag >> 3), .wire = tag & 7 };
    switch (tag & 7) {
    case WIRE_VARINT:
        used = cu_pb_varint(*rest, &ret->value);
        if (used == 0) return false;
        break;
    case WIRE_BYTES:
        used = cu_pb_varint(*rest, &n);
        if (used == 0 || n > rest->n - used) return false; /* (2) */
        ret->bytes = cu_span(rest->p + used, (size_t)n);
        used += (size_t)n;
        break;
    case WIRE_FIXED64: used = 8; break;
    case WIRE_FIXED32: used = 4; break;
    default: return false; /* groups, and what was never given a meaning */
    }
    if (used > rest->n) return false;
    *rest = cu_span_from(*rest, used);
    return true;
}

static const struct cu_pb_field *find(const struct cu_pb_message *of, uint32_t number)
{
    const struct cu_pb_field *f = of->fields;
    while (f->number != 0 && f->number != number) f++;
    return f->number != 0 ? f : NULL;
}

static bool is_number(const struct cu_pb_field *f) { return f->type <= CU_PB_i64; }

static bool in_range(const struct cu_pb_field *f, uint64_t v)
{
    switch ((enum cu_pb_type)f->type) {
    case CU_PB_bool: return v <= 1;
    case CU_PB_u32: return v <= UINT32_MAX;
    case CU_PB_i32: return v <= INT32_MAX || v >= (uint64_t)INT32_MIN;
    default: return true;
    }
}

/* How many values does an item bring? Packed numbers are judged here. */
static bool count(const struct cu_pb_field *f, const struct item *it, size_t *n)
{
    if (!is_number(f)) return (*n)++, it->wire == WIRE_BYTES && (f->type != CU_PB_text || cu_utf8_ok(it->bytes));
    if (it->wire == WIRE_VARINT) return (*n)++, in_range(f, it->value);
    if (it->wire != WIRE_BYTES || f->label != CU_PB_MANY) return false;
    for (struct cu_span rest = it->bytes; rest.n > 0; (*n)++) {
        uint64_t v = 0;
        size_t used = cu_pb_varint(rest, &v);
        if (used == 0 || !in_range(f, v)) return false;
        rest = cu_span_from(rest, used);
    }
    return true;
}

/* ---- reading ---- */

struct reading {
    struct cu_buf *mem;
    struct cu_err *err;
};

static cu_status read_message(struct reading *r, const struct cu_pb_message *of, struct cu_span bytes, uint8_t *ret,
                              unsigned depth);

static size_t width(const struct cu_pb_field *f)
{
    if (f->type == CU_PB_message) return f->of->size;
    return is_number(f) ? sizeof(uint64_t) : sizeof(struct cu_span);
}

/* Memory of a buffer that does not move: its whole size was taken at birth. */
static cu_status lend(struct reading *r, size_t n, void **ret)
{
    const size_t odd = (uintptr_t)(r->mem->p + r->mem->n) % _Alignof(max_align_t);
    const size_t pad = odd ? _Alignof(max_align_t) - odd : 0;

    ENSURE(n <= r->mem->max - r->mem->n && pad <= r->mem->max - r->mem->n - n, r->err, CU_TOO_LARGE,
           "a message has more elements than there is memory for");
    *ret = r->mem->p + r->mem->n + pad;
    memset(*ret, 0, n);
    r->mem->n += pad + n;
    return CU_OK;
}

#define FIELDS_MAX 32u

/* (1), the first pass. `n` is by field number. */
static cu_status survey(struct reading *r, const struct cu_pb_message *of, struct cu_span bytes, size_t n[FIELDS_MAX])
{
    unsigned picks = 0;
    struct item it;

    for (struct cu_span rest = bytes; rest.n > 0;) {
        ENSURE(next_item(&rest, &it), r->err, CU_MALFORMED, "%s: the bytes are no protobuf", of->name);
        const struct cu_pb_field *f = find(of, it.number);
        if (!f) continue;
        ENSURE(count(f, &it, &n[f->number]), r->err, CU_MALFORMED, "%s: field %u is not of its type", of->name, it.number);
        ENSURE(f->type != CU_PB_message || f->label == CU_PB_MANY || n[f->number] == 1, r->err, CU_MALFORMED,
               "%s: field %u comes twice", of->name, it.number);
        picks += f->label == CU_PB_PICK;
        ENSURE(picks <= 1, r->err, CU_MALFORMED, "%s: more than one of its kinds", of->name);
    }
    return CU_OK;
}

static cu_status make_lists(struct reading *r, const struct cu_pb_message *of, uint8_t *ret, size_t n[FIELDS_MAX])
{
    for (const struct cu_pb_field *f = of->fields; f->number != 0; f++) {
        if (f->label != CU_PB_MANY || n[f->number] == 0) continue;
        struct cu_pb_list *list = (void *)(ret + f->at);
        ENSURE(n[f->number] <= r->mem->max / width(f), r->err, CU_TOO_LARGE, "%s: more elements than there is memory for",
               of->name);
        TRY(lend(r, n[f->number] * width(f), &list->items));
    }
    return CU_OK;
}

static cu_status take_value(struct reading *r, const struct cu_pb_field *f, const struct item *it, uint8_t *at, unsigned depth)
{
    static const uint8_t nothing[1];

    if (f->type == CU_PB_message) return read_message(r, f->of, it->bytes, at, depth + 1);
    if (is_number(f)) memcpy(at, &it->value, sizeof it->value);
    else *(struct cu_span *)(void *)at = cu_span(it->bytes.n > 0 ? it->bytes.p : nothing, it->bytes.n);
    return CU_OK;
}

static void take_packed(struct cu_pb_list *list, struct cu_span rest)
{
    while (rest.n > 0) rest = cu_span_from(rest, cu_pb_varint(rest, (uint64_t *)list->items + list->n++));
}

static cu_status take(struct reading *r, const struct cu_pb_field *f, const struct item *it, uint8_t *ret, unsigned depth)
{
    struct cu_pb_list *list = (void *)(ret + f->at);

    if (f->label != CU_PB_MANY) return take_value(r, f, it, ret + f->at, depth);
    if (is_number(f) && it->wire == WIRE_BYTES) return take_packed(list, it->bytes), CU_OK;
    return take_value(r, f, it, (uint8_t *)list->items + list->n++ * width(f), depth);
}

static cu_status read_message(struct reading *r, const struct cu_pb_message *of, struct cu_span bytes, uint8_t *ret,
                              unsigned depth)
{
    size_t n[FIELDS_MAX] = { 0 };
    struct item it;

    ENSURE(depth < CU_PB_DEPTH_MAX, r->err, CU_MALFORMED, "%s: messages within messages, too deep", of->name);
    TRY(survey(r, of, bytes, n));
    memset(ret, 0, of->size);
    *(bool *)ret = true;
    TRY(make_lists(r, of, ret, n));
    for (struct cu_span rest = bytes; rest.n > 0;) {
        CU_ASSERT(next_item(&rest, &it)); /* (1) */
        const struct cu_pb_field *f = find(of, it.number);
        if (f) TRY(take(r, f, &it, ret, depth));
    }
    return CU_OK;
}

cu_status cu_pb_read(const struct cu_pb_message *of, struct cu_span bytes, void *ret, struct cu_buf *mem, struct cu_err *err)
{
    struct reading r = { mem, err };
    return read_message(&r, of, bytes, ret, 0);
}

/* ---- writing ---- */

/* What is written is measured by the same code, into a buffer that only counts: `out` NULL. */
static size_t put_varint(struct cu_buf *out, uint64_t v)
{
    if (out) cu_pb_put_varint(out, v);
    return varint_size(v);
}

static size_t put_bytes(struct cu_buf *out, uint8_t number, struct cu_span bytes)
{
    const size_t head = put_varint(out, (uint64_t)number << 3 | WIRE_BYTES) + put_varint(out, bytes.n);
    if (out) cu_buf_add(out, bytes);
    return head + bytes.n;
}

static size_t put_message(struct cu_buf *out, const struct cu_pb_message *of, const uint8_t *message);

static size_t put_value(struct cu_buf *out, const struct cu_pb_field *f, const uint8_t *at)
{
    uint64_t v = 0;

    if (f->type == CU_PB_message) {
        const size_t n = put_message(NULL, f->of, at);
        return put_varint(out, (uint64_t)f->number << 3 | WIRE_BYTES) + put_varint(out, n) +
               (out ? put_message(out, f->of, at) : n);
    }
    if (!is_number(f)) return put_bytes(out, f->number, *(const struct cu_span *)(const void *)at);
    memcpy(&v, at, sizeof v);
    return put_varint(out, (uint64_t)f->number << 3 | WIRE_VARINT) + put_varint(out, v);
}

static size_t put_packed(struct cu_buf *out, uint8_t number, const struct cu_pb_list *list)
{
    const uint64_t *v = list->items;
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) n += varint_size(v[i]);
    n += put_varint(out, (uint64_t)number << 3 | WIRE_BYTES) + put_varint(out, n);
    for (size_t i = 0; i < list->n; i++) put_varint(out, v[i]);
    return n;
}

static size_t put_list(struct cu_buf *out, const struct cu_pb_field *f, const struct cu_pb_list *list)
{
    size_t n = 0;

    if (list->n > 0 && is_number(f)) return put_packed(out, f->number, list);
    for (size_t i = 0; i < list->n; i++) n += put_value(out, f, (const uint8_t *)list->items + i * width(f));
    return n;
}

/* Would it be left out? */
static bool is_default(const struct cu_pb_field *f, const uint8_t *at)
{
    static const uint64_t zero;

    if (f->type == CU_PB_message) return !*(const bool *)at;
    if (is_number(f)) return memcmp(at, &zero, sizeof zero) == 0;
    const struct cu_span *bytes = (const void *)at;
    return f->label == CU_PB_PICK ? bytes->p == NULL : bytes->n == 0;
}

static size_t put_message(struct cu_buf *out, const struct cu_pb_message *of, const uint8_t *message)
{
    size_t n = 0;

    for (const struct cu_pb_field *f = of->fields; f->number != 0; f++) {
        if (f->label == CU_PB_MANY) n += put_list(out, f, (const void *)(message + f->at));
        else if (!is_default(f, message + f->at)) n += put_value(out, f, message + f->at);
    }
    return n;
}

void cu_pb_write(const struct cu_pb_message *of, const void *message, struct cu_buf *out) { put_message(out, of, message); }
size_t cu_pb_size(const struct cu_pb_message *of, const void *message) { return put_message(NULL, of, message); }
