/* Who comes later, and who goes: what an organisation, or an administrator of it, says in a *member* entry of parties and their keys.
 *
 * (1) An organisation speaks for the parties that it runs, itself among them; nobody else does. Which roles: custody/may.h.
 * (2) A key is there once, in whatever role, and for good: a revoked one is not given again.
 * (3) A statement key proves itself that somebody holds it. A sealing key cannot sign: the party's newest statement key vouches for it or,
 *     as it has none, its organisation's.
 * (4) An organisation always has a statement key that acts: else nobody could ever speak for it again.
 * (5) One of several does not change its own statement keys: the others approve of that (govern.c). One alone is all of them.
 */
#include "custody/member.h"

const struct cu_member_key *cu_members_newest(const struct cu_members *m, uint64_t party, enum cu_purpose purpose)
{
    for (size_t i = m->keys_n; i > 0; i--) { /* by (4) of member.c */
        const struct cu_member_key *key = &m->key[i - 1];
        if (key->party == party && key->purpose == purpose && key->until_seq == UINT64_MAX) return key;
    }
    return NULL;
}

const struct cu_member_key *cu_members_sealing(const struct cu_members *m, uint64_t party)
{
    return cu_members_newest(m, party, CU_PURPOSE_SEALING);
}

/* By (1): the party, new or known. */
static cu_status take_party(struct cu_members *m, const struct cu_member *body, const struct cu_member_party *by,
                            struct cu_err *err)
{
    const struct cu_member_party *party = cu_members_party(m, body->party);
    const uint64_t organisation = by->organisation;

    if (party) {
        ENSURE(party->organisation == organisation, err, CU_WRONG_ROLE,
               "member: party %llu is run by organisation %llu, not by the signer's", LLU(party->id), LLU(party->organisation));
        ENSURE(party->role == body->role, err, CU_WRONG_ROLE, "member: party %llu has another role", LLU(party->id));
    } else {
        ENSURE(m->partial || m->parties_n < CU_PARTIES_MAX, err, CU_TOO_LARGE,
               "member: the ledger has %d parties, as many as it may", CU_PARTIES_MAX);
        ENSURE(m->partial || body->party == m->parties_n + 1, err, CU_OUT_OF_ORDER,
               "member: the next new member is party %zu, not %llu", m->parties_n + 1, LLU(body->party));
        ENSURE(body->role != CU_ROLE_ORGANISATION, err, CU_WRONG_ROLE,
               "member: an organisation joins by a proposal, which the others approve");
    }
    ENSURE(cu_may(by->role, cu_act_enrol(body->role)), err, CU_WRONG_ROLE,
           "member: party %llu, %s, may not enrol a party of role %llu", LLU(by->id), cu_role_name(by->role), LLU(body->role));
    if (party) return CU_OK;
    m->party[body->party - 1] = (struct cu_member_party){ .id = body->party, .role = body->role, .organisation = organisation };
    if (m->parties_n < body->party) m->parties_n = body->party;
    return CU_OK;
}

cu_status cu_members_proven(const struct cu_members *m, const struct cu_member_key *key, const struct cu_member_key *voucher,
                            const uint8_t *proof, struct cu_verifier *by, struct cu_err *err)
{
    uint8_t message[128];
    const size_t n = cu_possession_message(&m->network, key->purpose, &key->pub, message);
    cu_status status = cu_verify_one(by, &voucher->pub, cu_span(message, n), proof, err); /* by (3) */

    return status == CU_OK ? CU_OK
                           : cu_fail_while(err, status, "possession of the %s key is not proven", cu_purpose_name(key->purpose));
}

cu_status cu_members_new_key(const struct cu_members *m, uint64_t party, const struct cu_given_key *given, uint64_t from,
                             struct cu_member_key *ret, struct cu_err *err)
{
    struct cu_member_key key = { .purpose = (enum cu_purpose)given->purpose,
                                 .party = party,
                                 .from_seq = from,
                                 .until_seq = UINT64_MAX,
                                 .since_seq = CU_NOT_COMPROMISED,
                                 .pub.alg = given->purpose == CU_PURPOSE_SEALING     ? CU_ALG_X25519
                                            : given->purpose == CU_PURPOSE_STATEMENT ? CU_ALG_ES256
                                                                                     : CU_ALG_EDDSA };

    ENSURE(given->neg_alg == (uint64_t)(-key.pub.alg) && given->pub.n == cu_alg_public_len(key.pub.alg), err, CU_BAD_KEY,
           "a %s key is not %s", cu_purpose_name(given->purpose), cu_alg_name(key.pub.alg));
    memcpy(key.pub.bytes, given->pub.p, given->pub.n);
    TRY(cu_public_check(&key.pub, err));
    key.kid = cu_key_id(&key.pub);
    ENSURE(!cu_members_key(m, &key.kid), err, CU_BAD_KEY, "the %s key is listed already",
           cu_purpose_name(given->purpose)); /* by (2) */
    ENSURE(m->keys_n < CU_KEYS_MAX, err, CU_TOO_LARGE, "the ledger has %d keys, as many as it may", CU_KEYS_MAX);
    *ret = key;
    return CU_OK;
}

static cu_status give(struct cu_members *m, uint64_t party, uint64_t organisation, const struct cu_given_key *given, cu_seq seq,
                      struct cu_verifier *by, struct cu_err *err)
{
    const struct cu_member_key *voucher;
    struct cu_member_key key;

    ENSURE(given->purpose == CU_PURPOSE_STATEMENT || given->purpose == CU_PURPOSE_SEALING, err, CU_WRONG_ROLE,
           "member: a key of purpose %llu is not given this way", LLU(given->purpose));
    cu_status status = cu_members_new_key(m, party, given, seq.v + 1, &key, err);
    if (status != CU_OK) return cu_fail_while(err, status, "member");
    voucher = key.purpose == CU_PURPOSE_STATEMENT ? &key : cu_members_newest(m, party, CU_PURPOSE_STATEMENT);
    if (!voucher) voucher = cu_members_newest(m, organisation, CU_PURPOSE_STATEMENT);
    ENSURE(voucher, err, CU_UNKNOWN_KEY, "member: there is no statement key to vouch for the sealing key");
    status = cu_members_proven(m, &key, voucher, given->proof, by, err);
    if (status != CU_OK) return cu_fail_while(err, status, "member");
    m->key[m->keys_n++] = key;
    return CU_OK;
}

static cu_status revoke(struct cu_members *m, uint64_t party, const struct cu_revoked *revoked, cu_seq seq, struct cu_err *err)
{
    for (size_t i = 0; i < m->keys_n; i++) {
        struct cu_member_key *key = &m->key[i];
        if (!cu_hash_eq(&key->kid, &revoked->kid) || key->party != party) continue;
        ENSURE(key->purpose == CU_PURPOSE_SEALING || key->purpose == CU_PURPOSE_STATEMENT, err, CU_WRONG_ROLE,
               "member: a key of purpose %u is not revoked this way", key->purpose);
        ENSURE(key->until_seq == UINT64_MAX, err, CU_DUPLICATE, "member: the key was revoked at position %llu",
               LLU(key->until_seq));
        ENSURE(revoked->since < seq.v || revoked->since == CU_NOT_COMPROMISED, err, CU_OUT_OF_ORDER,
               "member: a key is compromised since a position before its revocation, or not at all");
        key->until_seq = seq.v;
        key->since_seq = revoked->since;
        return CU_OK;
    }
    return cu_fail(err, CU_UNKNOWN_KEY, "member: party %llu has no such key to revoke", LLU(party));
}

static uint64_t purpose_of(const struct cu_members *m, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(m, kid);

    return key ? key->purpose : 0;
}

/* By (5). */
static cu_status check_alone(const struct cu_members *m, const struct cu_member *body, uint64_t purpose, struct cu_err *err)
{
    ENSURE(body->role != CU_ROLE_ORGANISATION || m->organisations < 2 || purpose != CU_PURPOSE_STATEMENT, err, CU_NOT_ALLOWED,
           "member: the statement keys of one of several organisations change by a proposal, which the others approve");
    return CU_OK;
}

static cu_status change(struct cu_members *m, const struct cu_member *body, const struct cu_member_party *signer, cu_seq seq,
                        struct cu_verifier *by, struct cu_err *err)
{
    const uint64_t organisation = signer->organisation;
    struct cu_revoked revoked;
    struct cu_given_key given;
    size_t at = 0;

    TRY(take_party(m, body, signer, err));
    while (cu_list_next(&body->revoked, &cu_revoked_schema, &at, &revoked)) {
        TRY(check_alone(m, body, purpose_of(m, &revoked.kid), err));
        TRY(revoke(m, body->party, &revoked, seq, err));
    }
    at = 0;
    while (cu_list_next(&body->keys, &cu_given_key_schema, &at, &given)) {
        TRY(check_alone(m, body, given.purpose, err));
        TRY(give(m, body->party, organisation, &given, seq, by, err));
    }
    ENSURE(cu_members_newest(m, organisation, CU_PURPOSE_STATEMENT), err, CU_NOT_ALLOWED,
           "member: organisation %llu would be left without a statement key", LLU(organisation)); /* by (4) */
    return CU_OK;
}

cu_status cu_members_enrol(struct cu_members *m, const struct cu_statement *member, cu_seq seq, struct cu_verifier *by,
                           struct cu_err *err)
{
    const struct cu_member_key *signer;
    struct cu_members changed = *m;

    TRY(cu_members_may(m, &member->kid, CU_KIND_MEMBER, seq, &signer, err));
    TRY(change(&changed, &member->body.member, cu_members_party(m, signer->party), seq, by, err));
    *m = changed;
    return CU_OK;
}
