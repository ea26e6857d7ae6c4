/* A change of who the organisations are, of their keys, or of the policy: proposed by one, approved by others. */
#include "fields.h"

static const struct cu_field terms_fields[] = {
    CU_UINT(0, struct cu_new_terms, cosigners, 0, CU_PARTIES_MAX),
    CU_UINT(1, struct cu_new_terms, copies, 0, CU_PARTIES_MAX),
    CU_LIST(2, struct cu_new_terms, mandatory, 0, CU_PARTIES_MAX, &cu_uint_schema),
};
static const struct cu_schema terms_schema = CU_SCHEMA_OF("terms", terms_fields, struct cu_new_terms, .tuple = true);
static const struct cu_field rules_fields[] = {
    CU_UINT(0, struct cu_new_rules, version, 2, UINT32_MAX),
    CU_UINT(1, struct cu_new_rules, height, 1, INT64_MAX),
};
static const struct cu_schema rules_schema = CU_SCHEMA_OF("rules", rules_fields, struct cu_new_rules, .tuple = true);

static const struct cu_field propose_fields[] = {
    TIME(1, struct cu_propose, time),
    SEEN(2, struct cu_propose),
    CU_UINT(3, struct cu_propose, change, CU_CHANGE_JOIN, CU_CHANGE_POLICY),
    CU_UINT(4, struct cu_propose, party, 0, CU_PARTIES_MAX),
    CU_LIST(5, struct cu_propose, keys, 0, CU_PROPOSED_KEYS_MAX, &cu_given_key_schema),
    CU_LIST(6, struct cu_propose, revoked, 0, CU_PROPOSED_REVOKED_MAX, &cu_revoked_schema),
    TIME(7, struct cu_propose, until),
    CU_FIXED(8, struct cu_propose, commitment),
    CU_MAP(9, struct cu_propose, terms, &terms_schema, CU_OPTIONAL(struct cu_propose, has_terms)),
    CU_MAP(10, struct cu_propose, rules, &rules_schema, CU_OPTIONAL(struct cu_propose, has_rules)),
};

static cu_status check_keys(const struct cu_propose *p, struct cu_err *err)
{
    struct cu_given_key key;
    uint64_t last = 0;

    for (size_t at = 0; cu_list_next(&p->keys, &cu_given_key_schema, &at, &key); last = key.purpose)
        ENSURE(key.purpose > last && key.purpose <= CU_PURPOSE_NODE, err, CU_MALFORMED,
               "propose: the keys' purposes ascend, each once, from 1 to %d", CU_PURPOSE_NODE);
    return cu_check_revoked(&p->revoked, "propose", err);
}

static cu_status check_terms(const struct cu_new_terms *terms, struct cu_err *err)
{
    uint64_t id, last = 0;

    for (size_t at = 0; cu_list_next(&terms->mandatory, &cu_uint_schema, &at, &id); last = id)
        ENSURE(id > last && id <= CU_PARTIES_MAX, err, CU_MALFORMED,
               "propose: who must hold a copy is listed in ascending order, each once");
    ENSURE(terms->mandatory.n <= terms->copies, err, CU_MALFORMED,
           "propose: more organisations must hold a copy than copies are asked for");
    return CU_OK;
}

static cu_status check_propose(const union cu_payload *payload, struct cu_err *err)
{
    const struct cu_propose *p = &payload->propose;
    const bool policy = p->change == CU_CHANGE_POLICY, keys = p->change == CU_CHANGE_KEYS;

    ENSURE((p->party == 0) == policy, err, CU_MALFORMED, "propose: it names an organisation if and only if it is about one");
    ENSURE(!policy || p->has_terms || p->has_rules, err, CU_MALFORMED, "propose: it changes nothing");
    ENSURE((p->keys.n > 0) == (p->change == CU_CHANGE_JOIN) || keys, err, CU_MALFORMED,
           "propose: keys belong to an organisation that joins or whose keys change");
    ENSURE(keys ? p->keys.n + p->revoked.n > 0 : p->revoked.n == 0, err, CU_MALFORMED,
           "propose: an organisation's keys change when one is given or revoked, and only then");
    if (p->has_terms) TRY(check_terms(&p->terms, err));
    return check_keys(p, err);
}
const struct cu_payload_form cu_payload_PROPOSE = { CU_SCHEMA_OF("propose", propose_fields, struct cu_propose), check_propose };

static const struct cu_field approve_fields[] = {
    TIME(1, struct cu_approve, time),
    SEEN(2, struct cu_approve),
    CU_FIXED(3, struct cu_approve, proposal),
};
const struct cu_payload_form cu_payload_APPROVE = { CU_SCHEMA_OF("approve", approve_fields, struct cu_approve), NULL };
