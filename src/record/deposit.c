/* What becomes of evidence: the depositor's claim, and its outcomes: deposit (accepted), refusal, void. */
#include "fields.h"

static const struct cu_field folder_fields[] = {
    CU_UINT(0, struct cu_folder, items, 0, CU_ITEMS_MAX),
    CU_UINT(1, struct cu_folder, bytes, 0, INT64_MAX),
    CU_FIXED(2, struct cu_folder, root),
};
static const struct cu_schema folder_schema = CU_SCHEMA_OF("folder", folder_fields, struct cu_folder, .tuple = true);

static const struct cu_field claim_fields[] = {
    CU_UINT(1, struct cu_claim, serial, 1, INT64_MAX),
    CU_FIXED(2, struct cu_claim, case_id),
    CU_UINT(3, struct cu_claim, content, CU_CONTENT_ITEM, CU_CONTENT_FOLDER),
    CU_UINT(4, struct cu_claim, size, 0, INT64_MAX),
    CU_FIXED(5, struct cu_claim, root),
    TIME(6, struct cu_claim, time),
    SEEN(7, struct cu_claim),
    CU_FIXED(8, struct cu_claim, commitment),
    CU_MAP(9, struct cu_claim, folder, &folder_schema, CU_OPTIONAL(struct cu_claim, has_folder)),
    CU_LIST(10, struct cu_claim, sealed, 1, CU_AGE_RECIPIENTS_MAX, &cu_id_schema, CU_OPTIONAL(struct cu_claim, has_sealed)),
    CU_FIXED(11, struct cu_claim, notice, CU_OPTIONAL(struct cu_claim, has_notice)),
    CU_LIST(12, struct cu_claim, second, 1, CU_AGE_RECIPIENTS_MAX, &cu_id_schema, CU_OPTIONAL(struct cu_claim, has_second)),
};

static bool has_id(const struct cu_list *ids, const cu_hash *id)
{
    cu_hash other;
    size_t at = 0;

    while (cu_list_next(ids, &cu_id_schema, &at, &other))
        if (cu_hash_eq(&other, id)) return true;
    return false;
}

static cu_status check_second(const struct cu_claim *claim, struct cu_err *err)
{
    cu_hash kid;
    size_t at = 0;

    TRY(cu_check_ids(&claim->second, "claim: the second sealing keys", err));
    while (cu_list_next(&claim->second, &cu_id_schema, &at, &kid))
        ENSURE(!has_id(&claim->sealed, &kid), err, CU_MALFORMED, "claim: one sealing key alone would open what needs two");
    return CU_OK;
}

static cu_status check_claim(const union cu_payload *payload, struct cu_err *err)
{
    const struct cu_claim *claim = &payload->claim;

    ENSURE(claim->has_folder == (claim->content == CU_CONTENT_FOLDER), err, CU_MALFORMED,
           claim->has_folder ? "claim: an item has no folder field" : "claim: a folder needs its folder field");
    ENSURE(claim->has_sealed || !claim->has_second, err, CU_MALFORMED, "claim: it is sealed within, and not without");
    if (!claim->has_sealed) return CU_OK;
    ENSURE(!claim->has_folder, err, CU_MALFORMED, "claim: what is sealed is one item");
    TRY(cu_check_ids(&claim->sealed, "claim: the sealing keys", err));
    return claim->has_second ? check_second(claim, err) : CU_OK;
}
const struct cu_payload_form cu_payload_CLAIM = { CU_SCHEMA_OF("claim", claim_fields, struct cu_claim), check_claim };

/* The nested claim's own bound is judged where it is read, so that one that is too long is named as that. */
static const struct cu_field deposit_fields[] = {
    CU_BYTES(1, struct cu_deposit, claim, 1, CU_ENTRY_MAX),
    TIME(2, struct cu_deposit, time),
    SEEN(3, struct cu_deposit),
    CU_MAP(4, struct cu_deposit, held, &cu_held_schema, CU_OPTIONAL(struct cu_deposit, has_held)),
};
static cu_status check_deposit(const union cu_payload *payload, struct cu_err *err)
{
    return payload->deposit.has_held ? cu_check_held(&payload->deposit.held, err) : CU_OK;
}
const struct cu_payload_form cu_payload_DEPOSIT = { CU_SCHEMA_OF("deposit", deposit_fields, struct cu_deposit), check_deposit };

cu_status cu_check_reason(uint64_t reason, struct cu_err *err)
{
    ENSURE(cu_reason_name(reason), err, CU_MALFORMED, "reason %llu is not known", LLU(reason));
    return CU_OK;
}

static const struct cu_field refusal_fields[] = {
    CU_BYTES(1, struct cu_refusal, claim, 1, CU_ENTRY_MAX),
    TIME(2, struct cu_refusal, time),
    SEEN(3, struct cu_refusal),
    CU_UINT(4, struct cu_refusal, reason, 1, UINT32_MAX),
};
static cu_status check_refusal(const union cu_payload *payload, struct cu_err *err)
{
    return cu_check_reason(payload->refusal.reason, err);
}
const struct cu_payload_form cu_payload_REFUSAL = { CU_SCHEMA_OF("refusal", refusal_fields, struct cu_refusal), check_refusal };

static const struct cu_field void_fields[] = {
    CU_UINT(1, struct cu_void, serial, 1, INT64_MAX),
    TIME(2, struct cu_void, time),
    SEEN(3, struct cu_void),
    CU_UINT(4, struct cu_void, reason, 1, UINT32_MAX),
    CU_FIXED(5, struct cu_void, commitment),
    CU_FIXED(6, struct cu_void, claim, CU_OPTIONAL(struct cu_void, has_claim)),
};
static cu_status check_void(const union cu_payload *payload, struct cu_err *err)
{
    return cu_check_reason(payload->a_void.reason, err);
}
const struct cu_payload_form cu_payload_VOID = { CU_SCHEMA_OF("void", void_fields, struct cu_void), check_void };
