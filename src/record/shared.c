/* Tuples and scalars that several kinds have in their payloads. */
#include "fields.h"

static const struct cu_field seen_fields[] = {
    CU_UINT(0, struct cu_seen, seq, 0, INT64_MAX),
    CU_FIXED(1, struct cu_seen, leaf),
};
const struct cu_schema cu_seen_schema = CU_SCHEMA_OF("seen", seen_fields, struct cu_seen, .tuple = true);

struct id {
    cu_hash id;
};
static const struct cu_field id_fields[] = { CU_FIXED(0, struct id, id) };
const struct cu_schema cu_id_schema = CU_SCHEMA_OF("id", id_fields, struct id, .scalar = true);

struct number {
    uint64_t number;
};
static const struct cu_field uint_fields[] = { CU_UINT(0, struct number, number, 0, UINT64_MAX) };
const struct cu_schema cu_uint_schema = CU_SCHEMA_OF("number", uint_fields, struct number, .scalar = true);
