/* Reading by the table.
 *
 * (1) Fields stand in the order of their encoded keys, and the reader refuses keys out of order: so one merge of the table with
 *     the map, left to right, finds what is missing, what is unknown, and every value.
 * (2) A message is read into scratch memory and copied out when all of it is good: outputs change only on success.
 * (3) Tables do not contain themselves: recursion is as deep as the tables are nested, at most CU_CBOR_DEPTH_MAX.
 */
#include "custody/schema.h"
#include "codec/head.h"

static void read_value(const struct cu_schema *schema, struct cu_cbor_reader *in, uint8_t *ret);

static void store(uint8_t *ret, const struct cu_field *f, const void *value, size_t n) { memcpy(ret + f->at, value, n); }

static void read_uint(const struct cu_field *f, struct cu_cbor_reader *in, uint8_t *ret)
{
    uint64_t v = cu_cbor_uint(in);
    if (v < f->min) cu_cbor_fault_quote(in, "the number is below its bound");
    if (v > f->max) cu_cbor_fault_quote(in, "the number is above its bound");
    store(ret, f, &v, sizeof v);
}

static void read_int(const struct cu_field *f, struct cu_cbor_reader *in, uint8_t *ret)
{
    int64_t v = cu_cbor_int(in);
    if (v < (int64_t)f->min) cu_cbor_fault_quote(in, "the number is below its bound");
    if (v > (int64_t)f->max) cu_cbor_fault_quote(in, "the number is above its bound");
    store(ret, f, &v, sizeof v);
}

static void read_bool(const struct cu_field *f, struct cu_cbor_reader *in, uint8_t *ret)
{
    bool v = cu_cbor_bool(in);
    store(ret, f, &v, sizeof v);
}

static void read_string(const struct cu_field *f, struct cu_cbor_reader *in, uint8_t *ret)
{
    struct cu_span v = f->type == CU_FIELD_TEXT ? cu_cbor_text(in, f->min, f->max) : cu_cbor_bytes(in, f->min, f->max);
    store(ret, f, &v, sizeof v);
}

static void read_const(const struct cu_field *f, struct cu_cbor_reader *in)
{
    struct cu_span v = cu_cbor_text(in, 0, SIZE_MAX);
    if (!cu_span_is(v, f->text)) cu_cbor_fault_quote(in, "another text is expected here");
}

/* Each element is read, so that walking the list later cannot fail; the values are not kept. */
static void read_list(const struct cu_field *f, struct cu_cbor_reader *in, uint8_t *ret)
{
    _Alignas(max_align_t) uint8_t scratch[CU_SCHEMA_STRUCT_MAX];
    struct cu_list list = { .n = cu_cbor_enter_array(in, f->max) };
    if (list.n < f->min) cu_cbor_fault(in, "fewer elements than allowed");
    if (!cu_cbor_good(in)) return;
    size_t start = in->at;
    for (uint64_t i = 0; i < list.n && cu_cbor_good(in); i++) {
        read_value(f->child, in, scratch);
        if (!cu_cbor_good(in)) cu_cbor_fault_in(in, (int)i, NULL);
    }
    list.bytes = cu_span(in->all.p + start, in->at - start);
    cu_cbor_leave(in);
    store(ret, f, &list, sizeof list);
}

static void read_field(const struct cu_field *f, struct cu_cbor_reader *in, uint8_t *ret)
{
    switch (f->type) {
    case CU_FIELD_UINT: read_uint(f, in, ret); return;
    case CU_FIELD_INT: read_int(f, in, ret); return;
    case CU_FIELD_BOOL: read_bool(f, in, ret); return;
    case CU_FIELD_FIXED: cu_cbor_fixed(in, ret + f->at, f->max); return;
    case CU_FIELD_BYTES:
    case CU_FIELD_TEXT: read_string(f, in, ret); return;
    case CU_FIELD_CONST: read_const(f, in); return;
    case CU_FIELD_MAP: read_value(f->child, in, ret + f->at); return;
    case CU_FIELD_LIST: read_list(f, in, ret); return;
    }
}

/* The value of one field; when it is at fault, the sentence will say where. */
static void read_named(const struct cu_schema *schema, const struct cu_field *f, struct cu_cbor_reader *in, uint8_t *ret)
{
    read_field(f, in, ret);
    if (!cu_cbor_good(in)) cu_cbor_fault_in(in, schema->text_keys ? CU_CBOR_NO_KEY : f->key, f->name);
    else if (f->has_at != CU_REQUIRED) store(ret, &(struct cu_field){ .at = f->has_at }, &(bool){ true }, sizeof(bool));
}

/* ---- maps ----------------------------------------------------------------------------------------------------------- */

/* The key that was read last, until a field claims it. */
struct key {
    int64_t number;
    struct cu_span text;
};

static struct key read_key(const struct cu_schema *schema, struct cu_cbor_reader *in)
{
    struct key key = { 0 };
    if (schema->text_keys) key.text = cu_cbor_text(in, 0, SIZE_MAX);
    else key.number = cu_cbor_int(in);
    return key;
}

static bool is_key_of(const struct cu_schema *schema, const struct cu_field *f, const struct key *key)
{
    return schema->text_keys ? cu_span_is(key->text, f->name) : key->number == f->key;
}

static bool is_known(const struct cu_schema *schema, const struct key *key)
{
    for (size_t i = 0; i < schema->n; i++)
        if (is_key_of(schema, &schema->fields[i], key)) return true;
    return false;
}

/* The map has come to its end, or to another key, where a required field should be. By (1), a key of the table that comes now
 * belongs to a later field, so this one is missing. */
static void refuse(const struct cu_schema *schema, struct cu_cbor_reader *in, const struct cu_field *wanted,
                   const struct key *next)
{
    if (!cu_cbor_good(in)) return;
    if (next && !is_known(schema, next)) {
        cu_cbor_fault_quote(in, "an unknown key");
        return;
    }
    cu_cbor_fault_at(in, next ? in->item_at : in->at, "missing");
    cu_cbor_fault_in(in, schema->text_keys ? CU_CBOR_NO_KEY : wanted->key, wanted->name);
}

enum { NO_BYTE = 256 };

/* The one byte that encodes the field's key, or a number that is no byte when it takes more. */
static unsigned short_key(const struct cu_schema *schema, const struct cu_field *f)
{
    if (schema->text_keys || f->key > 23 || f->key < -24) return NO_BYTE;
    return (unsigned)(f->key >= 0 ? f->key : MAJOR_NEGINT << 5 | (-1 - f->key));
}

static void read_map(const struct cu_schema *schema, struct cu_cbor_reader *in, uint8_t *ret)
{
    cu_cbor_enter_map(in, UINT64_MAX);
    bool pending = false; /* a key was read that no field has claimed yet */
    struct key key = { 0 };
    for (const struct cu_field *f = schema->fields; f < schema->fields + schema->n && cu_cbor_good(in); f++) {
        bool mine = !pending && cbor_take_short_key(in, short_key(schema, f));
        if (!mine && !pending && cbor_more(in)) {
            key = read_key(schema, in);
            pending = true;
        }
        if (!mine && pending && is_key_of(schema, f, &key)) {
            mine = true;
            pending = false;
        }
        if (mine) read_named(schema, f, in, ret);
        else if (f->has_at == CU_REQUIRED) refuse(schema, in, f, pending ? &key : NULL);
    }
    if (!pending && cu_cbor_good(in) && cbor_more(in)) read_key(schema, in), pending = true;
    if (pending) cu_cbor_fault_quote(in, "an unknown key");
    cu_cbor_leave(in);
}

static void read_tuple(const struct cu_schema *schema, struct cu_cbor_reader *in, uint8_t *ret)
{
    if (cu_cbor_enter_array(in, schema->n) < schema->n) cu_cbor_fault(in, "fewer elements than fields");
    for (size_t i = 0; i < schema->n && cu_cbor_good(in); i++) read_named(schema, &schema->fields[i], in, ret);
    cu_cbor_leave(in);
}

static void read_value(const struct cu_schema *schema, struct cu_cbor_reader *in, uint8_t *ret)
{
    memset(ret, 0, schema->size);
    if (schema->scalar) read_field(&schema->fields[0], in, ret);
    else if (schema->tuple) read_tuple(schema, in, ret);
    else read_map(schema, in, ret);
}

/* ---- the public faces ------------------------------------------------------------------------------------------------ */

void cu_schema_read_from(const struct cu_schema *schema, struct cu_cbor_reader *in, void *ret)
{
    read_value(schema, in, ret);
    if (!cu_cbor_good(in)) memset(ret, 0, schema->size);
}

cu_status cu_schema_read(const struct cu_schema *schema, struct cu_span bytes, void *ret, struct cu_err *err)
{
    _Alignas(max_align_t) uint8_t message[CU_SCHEMA_STRUCT_MAX];
    CU_ASSERT(schema->size <= sizeof message);
    struct cu_cbor_reader in;
    cbor_start(&in, bytes);
    read_value(schema, &in, message);
    TRY(cu_cbor_done(&in, schema->name, err));
    memcpy(ret, message, schema->size); /* by (2) */
    return CU_OK;
}

bool cu_list_next(const struct cu_list *list, const struct cu_schema *child, size_t *at, void *ret)
{
    if (*at >= list->bytes.n) return false;
    struct cu_cbor_reader in;
    cbor_start(&in, cu_span(list->bytes.p + *at, list->bytes.n - *at));
    cu_schema_read_from(child, &in, ret);
    CU_ASSERT(cu_cbor_good(&in));
    *at += in.at;
    return true;
}
