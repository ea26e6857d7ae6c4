/* An inventory: how many deposits a case (or a key) has, the root over their ids, and the numbers that are still open. */
#include "fields.h"

static const struct cu_field open_fields[] = {
    CU_FIXED(0, struct cu_open_serials, kid),
    CU_LIST(1, struct cu_open_serials, serials, 1, CU_INVENTORY_OPEN_MAX, &cu_uint_schema),
};
const struct cu_schema cu_open_serials_schema = CU_SCHEMA_OF("open", open_fields, struct cu_open_serials, .tuple = true);

static const struct cu_field inventory_fields[] = {
    TIME(1, struct cu_inventory, time),
    SEEN(2, struct cu_inventory),
    CU_FIXED(3, struct cu_inventory, case_id, CU_OPTIONAL(struct cu_inventory, has_case)),
    CU_FIXED(4, struct cu_inventory, kid, CU_OPTIONAL(struct cu_inventory, has_kid)),
    CU_UINT(5, struct cu_inventory, n, 0, INT64_MAX),
    CU_FIXED(6, struct cu_inventory, root),
    CU_FIXED(7, struct cu_inventory, last, CU_OPTIONAL(struct cu_inventory, has_last)),
    CU_LIST(8, struct cu_inventory, open, 0, CU_CASE_KEYS_MAX, &cu_open_serials_schema),
};

/* Serials from 1 upward, each once; adds their count to `*total`. */
static cu_status check_serials(const struct cu_list *serials, uint64_t *total, struct cu_err *err)
{
    uint64_t serial, last = 0;
    size_t at = 0;

    while (cu_list_next(serials, &cu_uint_schema, &at, &serial)) {
        ENSURE(serial > last, err, CU_MALFORMED, "inventory: open numbers are not in ascending order");
        last = serial;
    }
    *total += serials->n;
    return CU_OK;
}

static cu_status check_open(const struct cu_inventory *inventory, struct cu_err *err)
{
    struct cu_open_serials open;
    cu_hash last = { 0 };
    uint64_t total = 0;
    size_t at = 0;

    while (cu_list_next(&inventory->open, &cu_open_serials_schema, &at, &open)) {
        ENSURE(memcmp(last.b, open.kid.b, sizeof last.b) < 0, err, CU_MALFORMED, "inventory: keys are not in ascending order");
        ENSURE(!inventory->has_kid || cu_hash_eq(&open.kid, &inventory->kid), err, CU_MALFORMED,
               "inventory: open numbers of another key");
        TRY(check_serials(&open.serials, &total, err));
        last = open.kid;
    }
    ENSURE(total <= CU_INVENTORY_OPEN_MAX, err, CU_TOO_LARGE, "inventory: more than %d open numbers", CU_INVENTORY_OPEN_MAX);
    return CU_OK;
}

static cu_status check_inventory(const union cu_payload *payload, struct cu_err *err)
{
    const struct cu_inventory *inventory = &payload->inventory;

    ENSURE(inventory->has_case != inventory->has_kid, err, CU_MALFORMED,
           "inventory: it is of a case or of a key, of exactly one of them");
    ENSURE(inventory->has_last == (inventory->n > 0), err, CU_MALFORMED,
           "inventory: the last id stands there if and only if there is one");
    return check_open(inventory, err);
}
const struct cu_payload_form cu_payload_INVENTORY = { CU_SCHEMA_OF("inventory", inventory_fields, struct cu_inventory),
                                                      check_inventory };
