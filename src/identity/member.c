/* Who may say what: parties and keys, from genesis and the confirms after it.
 *
 * (1) Party n stands at party[n - 1], if it is known; every party is run by an organisation of the same table.
 * (2) No public key stands here twice, whatever its purpose.
 * (3) A key acts from `from_seq` on: the position after the confirm in which its organisation proved to hold it.
 * (4) Keys that came later (enrol.c) stand behind these, in the order in which they were given.
 */
#include "custody/member.h"

/* Purpose, who may hold such a key, of which algorithm. TLS keys are vouched for by statement keys, elsewhere. */
enum suite_part { PART_STATEMENT, PART_LOG };
struct purpose_row {
    enum cu_purpose purpose;
    unsigned roles;
    enum suite_part alg;
    const char *name;
};
static const struct purpose_row purposes[] = {
    { CU_PURPOSE_STATEMENT, CU_ROLE_DEPOSITOR | CU_ROLE_PROVIDER | CU_ROLE_ORGANISATION, PART_STATEMENT, "statement" },
    { CU_PURPOSE_LOG, CU_ROLE_ORGANISATION, PART_LOG, "log" },
    { CU_PURPOSE_COSIGN, CU_ROLE_ORGANISATION, PART_LOG, "cosigning" },
    { CU_PURPOSE_VALIDATOR, CU_ROLE_ORGANISATION, PART_LOG, "validator" },
    { CU_PURPOSE_NODE, CU_ROLE_ORGANISATION, PART_LOG, "node" },
    { CU_PURPOSE_SEALING, 0, PART_LOG, "sealing" }, /* nobody at genesis: enrol.c */
};

static const struct purpose_row *purpose_row(uint64_t purpose)
{
    for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++)
        if (purposes[i].purpose == purpose) return &purposes[i];
    return NULL;
}

const char *cu_purpose_name(uint64_t purpose)
{
    const struct purpose_row *row = purpose_row(purpose);

    return row ? row->name : NULL;
}

static bool one_role(uint64_t role)
{
    return role == CU_ROLE_DEPOSITOR || role == CU_ROLE_PROVIDER || role == CU_ROLE_ORGANISATION;
}

const struct cu_member_party *cu_members_party(const struct cu_members *m, uint64_t id)
{
    return id >= 1 && id <= m->parties_n && m->party[id - 1].id == id ? &m->party[id - 1] : NULL; /* (1) */
}

const struct cu_member_key *cu_members_key(const struct cu_members *m, const cu_hash *kid)
{
    for (size_t i = 0; i < m->keys_n; i++)
        if (cu_hash_eq(&m->key[i].kid, kid)) return &m->key[i];
    return NULL;
}

/* ---- genesis ------------------------------------------------------------------------------------------------------- */

static cu_status add_key(struct cu_members *m, const struct cu_member_party *party, const struct cu_party_key *from,
                         const struct cu_suite_algs *algs, struct cu_err *err)
{
    const struct purpose_row *row = purpose_row(from->purpose);
    struct cu_member_key key = {
        .party = party->id, .from_seq = UINT64_MAX, .until_seq = UINT64_MAX, .since_seq = CU_NOT_COMPROMISED
    };

    ENSURE(row, err, CU_MALFORMED, "genesis: party %llu has a key of purpose %llu, which none may have there", LLU(party->id),
           LLU(from->purpose));
    ENSURE(row->roles & party->role, err, CU_MALFORMED, "genesis: party %llu may not have a %s key", LLU(party->id), row->name);
    key.purpose = row->purpose;
    key.pub.alg = row->alg == PART_STATEMENT ? algs->statement : algs->log;
    ENSURE(from->neg_alg == (uint64_t)(-key.pub.alg) && from->pub.n == cu_alg_public_len(key.pub.alg), err, CU_BAD_KEY,
           "genesis: a %s key of party %llu is not %s", row->name, LLU(party->id), cu_alg_name(key.pub.alg));
    memcpy(key.pub.bytes, from->pub.p, from->pub.n);
    TRY(cu_public_check(&key.pub, err));
    key.kid = cu_key_id(&key.pub);
    ENSURE(!cu_members_key(m, &key.kid), err, CU_BAD_KEY, "genesis: a public key is listed twice, at party %llu the second time",
           LLU(party->id));
    ENSURE(m->keys_n < CU_KEYS_MAX, err, CU_TOO_LARGE, "genesis: more than %d keys", CU_KEYS_MAX);
    m->key[m->keys_n++] = key;
    return CU_OK;
}

static cu_status add_party(struct cu_members *m, const struct cu_party *from, const struct cu_suite_algs *algs,
                           struct cu_err *err)
{
    struct cu_member_party *party = &m->party[m->parties_n];
    struct cu_party_key key;
    size_t at = 0;

    ENSURE(from->id == m->parties_n + 1, err, CU_MALFORMED, "genesis: party %llu stands where party %zu should", LLU(from->id),
           m->parties_n + 1);
    ENSURE(one_role(from->role), err, CU_MALFORMED, "genesis: party %llu has the unknown role %llu", LLU(from->id),
           LLU(from->role));
    *party = (struct cu_member_party){ .id = from->id, .role = from->role, .organisation = from->organisation };
    m->parties_n++;
    if (from->role == CU_ROLE_ORGANISATION) m->organisations++;
    while (cu_list_next(&from->keys, &cu_party_key_schema, &at, &key)) TRY(add_key(m, party, &key, algs, err));
    return CU_OK;
}

static bool has_key(const struct cu_members *m, uint64_t party, enum cu_purpose purpose)
{
    for (size_t i = 0; i < m->keys_n; i++)
        if (m->key[i].party == party && m->key[i].purpose == purpose) return true;
    return false;
}

static bool is_organisation(const struct cu_members *m, uint64_t id)
{
    const struct cu_member_party *party = cu_members_party(m, id);

    return party && party->role == CU_ROLE_ORGANISATION;
}

static cu_status check_party(const struct cu_members *m, const struct cu_member_party *party, struct cu_err *err)
{
    unsigned long long id = party->id;

    ENSURE(has_key(m, party->id, CU_PURPOSE_STATEMENT), err, CU_MALFORMED, "genesis: party %llu has no statement key", id);
    ENSURE(is_organisation(m, party->organisation), err, CU_MALFORMED,
           "genesis: party %llu is run by party %llu, which is no organisation", id, LLU(party->organisation));
    if (party->role != CU_ROLE_ORGANISATION) return CU_OK;
    ENSURE(party->organisation == party->id, err, CU_MALFORMED, "genesis: organisation %llu is run by another", id);
    ENSURE(has_key(m, party->id, CU_PURPOSE_LOG), err, CU_MALFORMED, "genesis: organisation %llu has no log key", id);
    return CU_OK;
}

/* Nobody could ever meet a quorum of more organisations than there are. */
static cu_status take_policy(struct cu_members *m, const struct cu_policy *policy, struct cu_err *err)
{
    uint64_t id;
    size_t at = 0;

    ENSURE(policy->cosigners <= m->organisations && policy->copies <= m->organisations, err, CU_MALFORMED,
           "genesis: the policy asks for more organisations than there are");
    ENSURE(policy->mandatory.n <= policy->copies, err, CU_MALFORMED,
           "genesis: more organisations must hold a copy than copies are asked for");
    m->terms = (struct cu_terms){ .cosigners = policy->cosigners, .copies = policy->copies };
    while (cu_list_next(&policy->mandatory, &cu_uint_schema, &at, &id)) {
        ENSURE(is_organisation(m, id), err, CU_MALFORMED, "genesis: party %llu must hold a copy, but is no organisation",
               LLU(id));
        m->terms.mandatory |= UINT64_C(1) << (id - 1);
    }
    return CU_OK;
}

cu_status cu_members_from_genesis(const struct cu_genesis *genesis, const cu_hash *network, struct cu_members *ret,
                                  struct cu_err *err)
{
    const struct cu_suite_algs *algs = cu_suite_algs(genesis->suite);
    struct cu_members m = { .network = *network, .rules = { genesis->rules, 0 } };
    struct cu_party party;
    size_t at = 0;

    ENSURE(algs, err, CU_NEWER_FORMAT, "genesis: suite %llu is not known to this version", LLU(genesis->suite));
    ENSURE(genesis->rules <= CU_RULES_VERSION, err, CU_NEWER_FORMAT, "genesis: rules %llu are newer than this version's %u",
           LLU(genesis->rules), CU_RULES_VERSION);
    ENSURE(genesis->engine <= CU_ENGINE_COMETBFT, err, CU_NEWER_FORMAT, "genesis: engine %llu is not known to this version",
           LLU(genesis->engine));
    ENSURE(genesis->parties.n <= CU_PARTIES_MAX, err, CU_TOO_LARGE, "genesis: more than %d parties", CU_PARTIES_MAX);
    while (cu_list_next(&genesis->parties, &cu_party_schema, &at, &party)) TRY(add_party(&m, &party, algs, err));
    for (size_t i = 0; i < m.parties_n; i++) TRY(check_party(&m, &m.party[i], err));
    TRY(take_policy(&m, &genesis->policy, err));
    *ret = m;
    return CU_OK;
}

/* ---- confirm ------------------------------------------------------------------------------------------------------- */

/* Both of a member's key: its purpose and its party are there, as it was entered with them. */
static const char *purpose_of(const struct cu_member_key *key)
{
    const struct purpose_row *row = purpose_row(key->purpose);

    CU_ASSERT(row);
    return row->name;
}

static const struct cu_member_party *party_of(const struct cu_members *m, const struct cu_member_key *key)
{
    const struct cu_member_party *party = cu_members_party(m, key->party);

    CU_ASSERT(party);
    return party;
}

static uint64_t organisation_of(const struct cu_members *m, const struct cu_member_key *key)
{
    return party_of(m, key)->organisation;
}

static size_t keys_of(const struct cu_members *m, uint64_t organisation)
{
    size_t n = 0;

    for (size_t i = 0; i < m->keys_n; i++)
        n += organisation_of(m, &m->key[i]) == organisation && m->key[i].until_seq == UINT64_MAX;
    return n;
}

/* Each listed key is one of the organisation's and has signed; as ids ascend strictly, equal counts mean all of them. */
static cu_status check_possession(const struct cu_members *m, const struct cu_confirm *confirm, struct cu_verifier *by,
                                  struct cu_err *err)
{
    struct cu_possession proof;
    uint8_t message[128];
    size_t at = 0;

    while (cu_list_next(&confirm->keys, &cu_possession_schema, &at, &proof)) {
        const struct cu_member_key *key = cu_members_key(m, &proof.kid);
        ENSURE(key && organisation_of(m, key) == confirm->party, err, CU_UNKNOWN_KEY,
               "confirm: it lists a key that is not organisation %llu's", LLU(confirm->party));
        size_t n = cu_possession_message(&m->network, key->purpose, &key->pub, message);
        cu_status status = cu_verify_one(by, &key->pub, cu_span(message, n), proof.signature, err);
        if (status != CU_OK) return cu_fail_while(err, status, "confirm: possession of a %s key is not proven", purpose_of(key));
    }
    ENSURE(confirm->keys.n == keys_of(m, confirm->party), err, CU_MISSING_SIGNATURE, "confirm: %llu of %zu keys have signed",
           LLU(confirm->keys.n), keys_of(m, confirm->party));
    return CU_OK;
}

cu_status cu_members_confirm(struct cu_members *m, const struct cu_statement *confirm, cu_seq seq, struct cu_verifier *by,
                             struct cu_err *err)
{
    const struct cu_confirm *body = &confirm->body.confirm;
    const struct cu_member_key *signer;

    TRY(cu_members_may(m, &confirm->kid, CU_KIND_CONFIRM, seq, &signer, err));
    ENSURE(signer->party == body->party, err, CU_WRONG_ROLE, "confirm: one organisation cannot confirm for another");
    ENSURE(!party_of(m, signer)->confirmed, err, CU_DUPLICATE, "confirm: organisation %llu has confirmed already",
           LLU(body->party));
    TRY(check_possession(m, body, by, err));
    for (size_t i = 0; i < m->keys_n; i++)
        if (organisation_of(m, &m->key[i]) == body->party) m->key[i].from_seq = seq.v + 1; /* (3) */
    m->party[body->party - 1].confirmed = true;
    m->organisations += m->party[body->party - 1].later;
    return CU_OK;
}

bool cu_members_open(const struct cu_members *m)
{
    uint64_t confirmed = 0;

    for (size_t i = 0; i < m->parties_n; i++) confirmed += m->party[i].confirmed && !m->party[i].left;
    return 3 * confirmed > 2 * m->organisations;
}

/* ---- may it? ------------------------------------------------------------------------------------------------------- */

cu_status cu_members_may(const struct cu_members *m, const cu_hash *kid, unsigned act, cu_seq seq,
                         const struct cu_member_key **ret, struct cu_err *err)
{
    const struct cu_kind_row *row = cu_kind_row(
        (enum cu_kind)(act & 63)); /* custody/may.h: the same against a notice is 64 more */
    const struct cu_member_key *key = cu_members_key(m, kid);

    ENSURE(key, err, CU_UNKNOWN_KEY, "the signing key is not enrolled in this ledger");
    ENSURE(row && key->purpose == CU_PURPOSE_STATEMENT && cu_may(party_of(m, key)->role, act), err, CU_WRONG_ROLE,
           "a %s key of party %llu, %s, may not sign a %s%s", purpose_of(key), LLU(key->party),
           cu_role_name(party_of(m, key)->role), row ? row->name : "statement of an unknown kind",
           act & 64 ? " against a notice" : "");
    ENSURE(act == CU_ACT_CONFIRM || seq.v >= key->from_seq, err, CU_NOT_CONFIRMED, "the key of party %llu does not act yet: %s",
           LLU(key->party),
           key->from_seq == UINT64_MAX ? "its organisation has not confirmed its keys" : "it was enrolled later");
    ENSURE(seq.v < key->until_seq, err, CU_REVOKED, "the key of party %llu was revoked at position %llu", LLU(key->party),
           LLU(key->until_seq));
    *ret = key;
    return CU_OK;
}
