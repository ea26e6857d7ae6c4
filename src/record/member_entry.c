/* A member's keys: given, or revoked, by the organisation that answers for it. */
#include "fields.h"

static const struct cu_field given_fields[] = {
    CU_UINT(0, struct cu_given_key, purpose, 1, UINT32_MAX),
    CU_UINT(1, struct cu_given_key, neg_alg, 1, UINT32_MAX),
    CU_BYTES(2, struct cu_given_key, pub, 1, CU_PUBLIC_LEN_MAX),
    CU_FIXED(3, struct cu_given_key, proof),
};
const struct cu_schema cu_given_key_schema = CU_SCHEMA_OF("given key", given_fields, struct cu_given_key, .tuple = true);

static const struct cu_field revoked_fields[] = {
    CU_FIXED(0, struct cu_revoked, kid),
    CU_UINT(1, struct cu_revoked, since, 0, INT64_MAX),
};
const struct cu_schema cu_revoked_schema = CU_SCHEMA_OF("revoked key", revoked_fields, struct cu_revoked, .tuple = true);

static const struct cu_field member_fields[] = {
    TIME(1, struct cu_member, time),
    SEEN(2, struct cu_member),
    CU_UINT(3, struct cu_member, party, 1, CU_PARTIES_MAX),
    CU_UINT(4, struct cu_member, role, 1, UINT32_MAX),
    CU_LIST(5, struct cu_member, keys, 0, CU_MEMBER_KEYS_MAX, &cu_given_key_schema),
    CU_LIST(6, struct cu_member, revoked, 0, CU_MEMBER_KEYS_MAX, &cu_revoked_schema),
    CU_FIXED(7, struct cu_member, commitment),
};

cu_status cu_check_revoked(const struct cu_list *list, const char *what, struct cu_err *err)
{
    struct cu_revoked revoked;
    cu_hash last = { 0 };

    for (size_t at = 0; cu_list_next(list, &cu_revoked_schema, &at, &revoked); last = revoked.kid)
        ENSURE(memcmp(last.b, revoked.kid.b, sizeof last.b) < 0, err, CU_MALFORMED,
               "%s: the revoked keys are not in ascending order of their ids, each once", what);
    return CU_OK;
}

static cu_status check_member(const union cu_payload *payload, struct cu_err *err)
{
    const struct cu_member *member = &payload->member;

    ENSURE(member->keys.n + member->revoked.n > 0, err, CU_MALFORMED, "member: it neither gives nor revokes a key");
    return cu_check_revoked(&member->revoked, "member", err);
}
const struct cu_payload_form cu_payload_MEMBER = { CU_SCHEMA_OF("member", member_fields, struct cu_member), check_member };
