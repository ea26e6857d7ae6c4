/* Writing by the same table. What is written obeys the bounds that reading enforces; a value that does not takes it all back. */
#include "custody/schema.h"
#include "custody/text.h"
#include "codec/head.h"

static cu_status write_value(const struct cu_schema *schema, const uint8_t *message, struct cu_buf *out, struct cu_err *err);

#define LOAD(type, message, f) (*(const type *)(const void *)((message) + (f)->at))

static cu_status write_uint(const struct cu_field *f, uint64_t v, struct cu_buf *out, struct cu_err *err)
{
    ENSURE(v >= f->min && v <= f->max, err, CU_MALFORMED, "%llu is out of bounds", LLU(v));
    cu_cbor_put_uint(out, v);
    return CU_OK;
}

static cu_status write_int(const struct cu_field *f, int64_t v, struct cu_buf *out, struct cu_err *err)
{
    ENSURE(v >= (int64_t)f->min && v <= (int64_t)f->max, err, CU_MALFORMED, "%lld is out of bounds", (long long)v);
    cu_cbor_put_int(out, v);
    return CU_OK;
}

static cu_status write_string(const struct cu_field *f, struct cu_span v, struct cu_buf *out, struct cu_err *err)
{
    ENSURE(v.n >= f->min && v.n <= f->max, err, CU_MALFORMED, "%zu bytes are out of bounds", v.n);
    if (f->type == CU_FIELD_BYTES) return cu_cbor_put_bytes(out, v), CU_OK;
    ENSURE(cu_utf8_ok(v), err, CU_MALFORMED, "a text that is not UTF-8");
    return cu_cbor_put_text(out, v), CU_OK;
}

/* The elements come encoded: each is read as its reader will. */
static cu_status write_list(const struct cu_field *f, const struct cu_list *list, struct cu_buf *out, struct cu_err *err)
{
    unsigned long long n = list->n;
    ENSURE(n >= f->min && n <= f->max, err, CU_MALFORMED, "%llu elements are out of bounds", n);
    _Alignas(max_align_t) uint8_t scratch[CU_SCHEMA_STRUCT_MAX];
    struct cu_cbor_reader in = cu_cbor_read(list->bytes);
    for (uint64_t i = 0; i < n && cu_cbor_good(&in); i++) cu_schema_read_from(f->child, &in, scratch);
    TRY(cu_cbor_done(&in, "elements", err));
    cu_cbor_put_array(out, n);
    cu_buf_add(out, list->bytes);
    return CU_OK;
}

static cu_status write_field(const struct cu_field *f, const uint8_t *message, struct cu_buf *out, struct cu_err *err)
{
    switch (f->type) {
    case CU_FIELD_UINT: return write_uint(f, LOAD(uint64_t, message, f), out, err);
    case CU_FIELD_INT: return write_int(f, LOAD(int64_t, message, f), out, err);
    case CU_FIELD_BOOL: return cu_cbor_put_bool(out, LOAD(bool, message, f)), CU_OK;
    case CU_FIELD_FIXED: return cu_cbor_put_bytes(out, cu_span(message + f->at, f->max)), CU_OK;
    case CU_FIELD_BYTES:
    case CU_FIELD_TEXT: return write_string(f, LOAD(struct cu_span, message, f), out, err);
    case CU_FIELD_CONST: return cu_cbor_put_text(out, cu_span_str(f->text)), CU_OK;
    case CU_FIELD_MAP: return write_value(f->child, message + f->at, out, err);
    case CU_FIELD_LIST: return write_list(f, &LOAD(struct cu_list, message, f), out, err);
    }
    cu_bug("a field type outside the enum", __FILE__, __LINE__);
}

static bool present(const struct cu_field *f, const uint8_t *message)
{
    return f->has_at == CU_REQUIRED || *(const bool *)(message + f->has_at);
}

static cu_status write_value(const struct cu_schema *schema, const uint8_t *message, struct cu_buf *out, struct cu_err *err)
{
    if (schema->scalar) return write_field(&schema->fields[0], message, out, err);

    uint64_t n = 0;
    for (size_t i = 0; i < schema->n; i++) n += present(&schema->fields[i], message);
    if (schema->tuple) cu_cbor_put_array(out, n);
    else cu_cbor_put_map(out, n);

    for (const struct cu_field *f = schema->fields; f < schema->fields + schema->n; f++) {
        if (!present(f, message)) continue;
        if (schema->text_keys) cu_cbor_put_text(out, cu_span_str(f->name));
        else if (!schema->tuple) cu_cbor_put_int(out, f->key);
        cu_status status = write_field(f, message, out, err);
        if (status == CU_OK) continue;
        if (schema->text_keys) return cu_fail_while(err, status, "%s", f->name);
        return cu_fail_while(err, status, "field %d (%s)", f->key, f->name);
    }
    return CU_OK;
}

cu_status cu_schema_write(const struct cu_schema *schema, const void *message, struct cu_buf *out, struct cu_err *err)
{
    size_t before = out->n;
    cu_status status = write_value(schema, message, out, err);
    if (status == CU_OK) status = cu_buf_ok(out, err);
    if (status == CU_OK) return CU_OK;
    out->n = before;
    return cu_fail_while(err, status, "%s", schema->name);
}
