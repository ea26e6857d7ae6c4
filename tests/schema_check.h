/* Is a schema's table itself in order: keys ascending, bounds sane, children present, fields within the struct? Aborts otherwise. */
#ifndef TEST_SCHEMA_CHECK_H
#define TEST_SCHEMA_CHECK_H

#include "custody/schema.h"

static inline void schema_check(const struct cu_schema *schema);

/* Does `a` stand before `b` in a canonical map? */
static inline bool key_before(const struct cu_schema *schema, const struct cu_field *a, const struct cu_field *b)
{
    uint8_t mem[2][300];
    struct cu_buf key[2] = { cu_buf_over(mem[0], sizeof mem[0]), cu_buf_over(mem[1], sizeof mem[1]) };
    const struct cu_field *field[2] = { a, b };
    for (int i = 0; i < 2; i++) {
        if (schema->text_keys) cu_cbor_put_text(&key[i], cu_span_str(field[i]->name));
        else cu_cbor_put_int(&key[i], field[i]->key);
        CU_ASSERT(!key[i].full);
    }
    return cu_span_cmp(cu_buf_span(&key[0]), cu_buf_span(&key[1])) < 0;
}

static inline size_t size_of(const struct cu_field *f)
{
    switch (f->type) {
    case CU_FIELD_UINT: return sizeof(uint64_t);
    case CU_FIELD_INT: return sizeof(int64_t);
    case CU_FIELD_BOOL: return sizeof(bool);
    case CU_FIELD_FIXED: return f->max;
    case CU_FIELD_BYTES:
    case CU_FIELD_TEXT: return sizeof(struct cu_span);
    case CU_FIELD_CONST: return 0;
    case CU_FIELD_MAP: return f->child->size;
    case CU_FIELD_LIST: return sizeof(struct cu_list);
    }
    return SIZE_MAX;
}

static inline void check_field(const struct cu_schema *schema, const struct cu_field *f)
{
    bool nests = f->type == CU_FIELD_MAP || f->type == CU_FIELD_LIST;
    CU_ASSERT(f->name && nests == (f->child != NULL) && (f->type == CU_FIELD_CONST) == (f->text != NULL));
    CU_ASSERT(f->type == CU_FIELD_INT ? (int64_t)f->min <= (int64_t)f->max : f->min <= f->max);
    CU_ASSERT(f->type != CU_FIELD_FIXED || (f->min == f->max && f->max > 0));
    if (nests) schema_check(f->child);
    CU_ASSERT(f->at <= schema->size && size_of(f) <= schema->size - f->at);
    CU_ASSERT(f->has_at == CU_REQUIRED || (f->has_at < schema->size && !schema->tuple && !schema->scalar));
}

static inline void schema_check(const struct cu_schema *schema)
{
    CU_ASSERT(schema->name && schema->n > 0 && schema->size > 0 && schema->size <= CU_SCHEMA_STRUCT_MAX);
    CU_ASSERT(schema->text_keys + schema->tuple + schema->scalar <= 1 && (!schema->scalar || schema->n == 1));
    for (size_t i = 0; i < schema->n; i++) {
        check_field(schema, &schema->fields[i]);
        CU_ASSERT(i == 0 || key_before(schema, &schema->fields[i - 1], &schema->fields[i]));
    }
}

#endif
