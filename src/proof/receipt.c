/* What lies in a receipt's `extra`: docs/formats/receipt.md. */
#include "custody/receipt.h"

static const struct cu_field support_fields[] = {
    CU_UINT(1, struct cu_support, seq, 0, INT64_MAX),
    CU_BYTES(2, struct cu_support, entry, 1, CU_ENTRY_MAX),
    CU_BYTES(3, struct cu_support, salt, CU_SALT_LEN, CU_SALT_LEN, CU_OPTIONAL(struct cu_support, has_salt)),
    CU_BYTES(4, struct cu_support, details, 1, CU_DETAILS_MAX, CU_OPTIONAL(struct cu_support, has_details)),
};
const struct cu_schema cu_support_schema = CU_SCHEMA_OF("support", support_fields, struct cu_support);

#define HASHES_MAX ((CU_RECEIPT_SUPPORT_MAX + 1) * CU_PROOF_HASHES_MAX)
static const struct cu_field extra_fields[] = {
    CU_TEXT(0, struct cu_extra, type, 1, 64),
    CU_BYTES(1, struct cu_extra, record, 1, CU_RECORD_MAX),
    CU_LIST(2, struct cu_extra, support, 0, CU_RECEIPT_SUPPORT_MAX, &cu_support_schema),
    CU_BYTES(3, struct cu_extra, hashes, 0, HASHES_MAX * sizeof(cu_hash)),
};
const struct cu_schema cu_extra_schema = CU_SCHEMA_OF("receipt", extra_fields, struct cu_extra);
