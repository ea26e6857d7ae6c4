/* A grant: to whom else something sealed was opened. */
#include "fields.h"

static const struct cu_field grant_fields[] = {
    TIME(1, struct cu_grant, time),           SEEN(2, struct cu_grant),
    CU_FIXED(3, struct cu_grant, target),     CU_LIST(4, struct cu_grant, readers, 1, CU_GRANT_READERS_MAX, &cu_id_schema),
    CU_FIXED(5, struct cu_grant, commitment),
};

static cu_status check_grant(const union cu_payload *payload, struct cu_err *err)
{
    return cu_check_ids(&payload->grant.readers, "grant: the readers' keys", err);
}
const struct cu_payload_form cu_payload_GRANT = { CU_SCHEMA_OF("grant", grant_fields, struct cu_grant), check_grant };
