/* A disclosure: which deposits were given out. Whatever left the ledger's hands for a court, a defence or a colleague is on record. */
#include "fields.h"

static const struct cu_field disclosure_fields[] = {
    TIME(1, struct cu_disclosure, time),
    SEEN(2, struct cu_disclosure),
    CU_LIST(3, struct cu_disclosure, targets, 1, CU_DISCLOSED_MAX, &cu_id_schema),
    CU_FIXED(4, struct cu_disclosure, commitment),
};

static cu_status check_disclosure(const union cu_payload *payload, struct cu_err *err)
{
    cu_hash id, last = { 0 };
    size_t at = 0;

    while (cu_list_next(&payload->disclosure.targets, &cu_id_schema, &at, &id)) {
        ENSURE(memcmp(last.b, id.b, sizeof last.b) < 0, err, CU_MALFORMED,
               "disclosure: ids are not in ascending order, each once");
        last = id;
    }
    return CU_OK;
}
const struct cu_payload_form cu_payload_DISCLOSURE = { CU_SCHEMA_OF("disclosure", disclosure_fields, struct cu_disclosure),
                                                       check_disclosure };
