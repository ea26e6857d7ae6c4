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
    return cu_check_ids(&payload->disclosure.targets, "disclosure: ids", err);
}
const struct cu_payload_form cu_payload_DISCLOSURE = { CU_SCHEMA_OF("disclosure", disclosure_fields, struct cu_disclosure),
                                                       check_disclosure };
