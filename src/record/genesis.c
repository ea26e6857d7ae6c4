/* Entry 0: what the ledger is called, who its parties are, with which keys, under which policy. Its leaf hash names the ledger. */
#include "fields.h"

#include "custody/text.h"

static const struct cu_field key_fields[] = {
    CU_UINT(0, struct cu_party_key, purpose, 1, UINT32_MAX),
    CU_UINT(1, struct cu_party_key, neg_alg, 1, UINT32_MAX),
    CU_BYTES(2, struct cu_party_key, pub, 1, CU_PUBLIC_LEN_MAX),
};
const struct cu_schema cu_party_key_schema = CU_SCHEMA_OF("key", key_fields, struct cu_party_key, .tuple = true);

static const struct cu_field party_fields[] = {
    CU_UINT(0, struct cu_party, id, 1, CU_PARTIES_MAX),
    CU_UINT(1, struct cu_party, role, 1, UINT32_MAX),
    CU_UINT(2, struct cu_party, organisation, 1, CU_PARTIES_MAX),
    CU_LIST(3, struct cu_party, keys, 0, CU_KEYS_MAX, &cu_party_key_schema),
};
const struct cu_schema cu_party_schema = CU_SCHEMA_OF("party", party_fields, struct cu_party, .tuple = true);

static const struct cu_field seal_fields[] = {
    CU_TEXT(0, struct cu_must_seal, profile, 1, 32),
    CU_UINT(1, struct cu_must_seal, two, 0, 1),
};
const struct cu_schema cu_must_seal_schema = CU_SCHEMA_OF("evidence to be sealed", seal_fields, struct cu_must_seal,
                                                          .tuple = true);

static const struct cu_field policy_fields[] = {
    CU_UINT(1, struct cu_policy, cosigners, 0, CU_PARTIES_MAX),
    CU_UINT(2, struct cu_policy, copies, 0, CU_PARTIES_MAX),
    CU_LIST(3, struct cu_policy, mandatory, 0, CU_PARTIES_MAX, &cu_uint_schema),
    CU_UINT(4, struct cu_policy, acceptance_age, 0, CU_TIME_MAX),
    CU_UINT(5, struct cu_policy, open_bundles, 0, 1),
    CU_UINT(6, struct cu_policy, retention, 1, CU_RETENTION_DAYS_MAX, CU_OPTIONAL(struct cu_policy, has_retention)),
    CU_LIST(7, struct cu_policy, seal, 1, CU_MUST_SEAL_MAX, &cu_must_seal_schema, CU_OPTIONAL(struct cu_policy, has_seal)),
};
static const struct cu_schema policy_schema = CU_SCHEMA_OF("policy", policy_fields, struct cu_policy);

static const struct cu_field genesis_fields[] = {
    CU_CONST(0, "application/custody-genesis+cbor"),
    CU_TEXT(1, struct cu_genesis, origin, 1, CU_ORIGIN_MAX),
    CU_FIXED(2, struct cu_genesis, nonce),
    CU_UINT(3, struct cu_genesis, suite, 1, UINT32_MAX),
    CU_UINT(4, struct cu_genesis, rules, 1, UINT32_MAX),
    CU_UINT(5, struct cu_genesis, engine, 1, UINT32_MAX),
    TIME(6, struct cu_genesis, time),
    CU_LIST(7, struct cu_genesis, parties, 1, CU_PARTIES_MAX, &cu_party_schema),
    CU_MAP(8, struct cu_genesis, policy, &policy_schema),
    CU_FIXED(9, struct cu_genesis, commitment),
};

/* "<name>/<nonce>": a name that a signed note can carry, and the nonce that makes it unique. */
static cu_status check_origin(struct cu_span origin, const uint8_t nonce[16], struct cu_err *err)
{
    uint8_t tail[16];
    size_t slash = origin.n - 33;

    ENSURE(origin.n > 33 && origin.p[slash] == '/', err, CU_MALFORMED, "genesis: the origin is not \"<name>/<32 hex digits>\"");
    for (size_t i = 0; i < slash; i++)
        ENSURE(origin.p[i] > ' ' && origin.p[i] < 0x7f && origin.p[i] != '+', err, CU_MALFORMED,
               "genesis: byte %zu of the origin is not a printable ASCII character other than space and '+'", i);
    TRY(cu_hex_read(cu_span(origin.p + slash + 1, 32), tail, sizeof tail, err));
    ENSURE(memcmp(tail, nonce, sizeof tail) == 0, err, CU_MALFORMED, "genesis: the origin does not end with the nonce");
    return CU_OK;
}

static cu_status check_seal(const struct cu_policy *policy, struct cu_err *err)
{
    struct cu_must_seal must;
    struct cu_span last = CU_SPAN_EMPTY;
    size_t at = 0;

    while (policy->has_seal && cu_list_next(&policy->seal, &cu_must_seal_schema, &at, &must)) {
        ENSURE(cu_span_cmp(last, must.profile) < 0, err, CU_MALFORMED,
               "genesis: the profiles that must be sealed are not in ascending order, each once");
        last = must.profile;
    }
    return CU_OK;
}

static cu_status check_genesis(const union cu_payload *payload, struct cu_err *err)
{
    const struct cu_genesis *genesis = &payload->genesis;
    uint64_t id, last = 0;
    size_t at = 0;

    TRY(check_origin(genesis->origin, genesis->nonce, err));
    while (cu_list_next(&genesis->policy.mandatory, &cu_uint_schema, &at, &id)) {
        ENSURE(id > last, err, CU_MALFORMED, "genesis: the mandatory organisations are not in ascending order");
        last = id;
    }
    return check_seal(&genesis->policy, err);
}
const struct cu_payload_form cu_payload_GENESIS = { CU_SCHEMA_OF("genesis", genesis_fields, struct cu_genesis), check_genesis };
