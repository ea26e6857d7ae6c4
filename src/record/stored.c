/* What a node says of its copies: stored (I hold them), incident (something was wrong), access (someone read). */
#include "fields.h"

static const struct cu_field range_fields[] = {
    CU_UINT(0, struct cu_range, first, 0, INT64_MAX),
    CU_UINT(1, struct cu_range, last, 0, INT64_MAX),
};
const struct cu_schema cu_range_schema = CU_SCHEMA_OF("range", range_fields, struct cu_range, .tuple = true);

static const struct cu_field stored_fields[] = {
    TIME(1, struct cu_stored, time),
    SEEN(2, struct cu_stored),
    CU_LIST(3, struct cu_stored, ranges, 1, CU_STORED_RANGES_MAX, &cu_range_schema),
    CU_MAP(4, struct cu_stored, held, &cu_held_schema, CU_OPTIONAL(struct cu_stored, has_held)),
};

static cu_status check_stored(const union cu_payload *payload, struct cu_err *err)
{
    struct cu_range range;
    uint64_t open_from = 0;
    size_t at = 0;

    while (cu_list_next(&payload->stored.ranges, &cu_range_schema, &at, &range)) {
        ENSURE(range.first <= range.last, err, CU_MALFORMED, "stored: a range ends before it begins");
        ENSURE(range.first >= open_from, err, CU_MALFORMED, "stored: ranges overlap or are out of order");
        open_from = range.last + 1;
    }
    return payload->stored.has_held ? cu_check_held(&payload->stored.held, err) : CU_OK;
}
const struct cu_payload_form cu_payload_STORED = { CU_SCHEMA_OF("stored", stored_fields, struct cu_stored), check_stored };

static const struct cu_field incident_fields[] = {
    TIME(1, struct cu_incident, time),
    SEEN(2, struct cu_incident),
    CU_UINT(3, struct cu_incident, type, 1, UINT32_MAX),
    CU_UINT(4, struct cu_incident, count, 0, INT64_MAX),
    CU_FIXED(5, struct cu_incident, root),
    CU_FIXED(6, struct cu_incident, commitment),
    CU_BYTES(7, struct cu_incident, claim, 1, CU_ENTRY_MAX, CU_OPTIONAL(struct cu_incident, has_claim)),
};

static cu_status check_incident(const union cu_payload *payload, struct cu_err *err)
{
    const struct cu_incident *incident = &payload->incident;

    ENSURE(cu_incident_name(incident->type), err, CU_MALFORMED, "incident: type %llu is not known", LLU(incident->type));
    ENSURE(incident->has_claim == (incident->type == CU_INCIDENT_EQUIVOCATION), err, CU_MALFORMED,
           incident->has_claim ? "incident: only an equivocation carries a claim"
                               : "incident: an equivocation carries the second claim");
    return CU_OK;
}
const struct cu_payload_form cu_payload_INCIDENT = { CU_SCHEMA_OF("incident", incident_fields, struct cu_incident),
                                                     check_incident };

static const struct cu_field access_fields[] = {
    TIME(1, struct cu_access, time),
    SEEN(2, struct cu_access),
    CU_UINT(3, struct cu_access, count, 1, INT64_MAX),
    CU_FIXED(4, struct cu_access, root),
    CU_FIXED(5, struct cu_access, commitment),
};
const struct cu_payload_form cu_payload_ACCESS = { CU_SCHEMA_OF("access", access_fields, struct cu_access), NULL };
