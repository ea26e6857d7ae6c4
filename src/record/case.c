/* A case is opened; a statement is corrected. What people wrote about either is in the details. */
#include "fields.h"

static const struct cu_field case_fields[] = {
    CU_FIXED(1, struct cu_case, case_id),
    TIME(2, struct cu_case, time),
    SEEN(3, struct cu_case),
    CU_FIXED(4, struct cu_case, commitment),
};
const struct cu_payload_form cu_payload_CASE = { CU_SCHEMA_OF("case", case_fields, struct cu_case), NULL };

static const struct cu_field correction_fields[] = {
    TIME(1, struct cu_correction, time),
    SEEN(2, struct cu_correction),
    CU_FIXED(3, struct cu_correction, target),
    CU_FIXED(4, struct cu_correction, commitment),
};
const struct cu_payload_form cu_payload_CORRECTION = { CU_SCHEMA_OF("correction", correction_fields, struct cu_correction),
                                                       NULL };
