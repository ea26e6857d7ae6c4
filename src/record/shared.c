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

cu_status cu_check_ids(const struct cu_list *ids, const char *what, struct cu_err *err)
{
    cu_hash id, last = { 0 };
    size_t at = 0;

    while (cu_list_next(ids, &cu_id_schema, &at, &id)) {
        ENSURE(memcmp(last.b, id.b, sizeof last.b) < 0, err, CU_MALFORMED, "%s are not in ascending order, each once", what);
        last = id;
    }
    return CU_OK;
}

struct number {
    uint64_t number;
};
static const struct cu_field uint_fields[] = { CU_UINT(0, struct number, number, 0, UINT64_MAX) };
const struct cu_schema cu_uint_schema = CU_SCHEMA_OF("number", uint_fields, struct number, .scalar = true);
