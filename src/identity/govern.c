/* Who the organisations are, their keys, and what is asked of all: changed by a proposal that more than two thirds of them approve.
 *
 * (1) Counted are the organisations of genesis, whether they have confirmed or not, and later ones once they have; none that left. So nobody
 *     can become more than two thirds by keeping others out.
 * (2) A proposal is no approval. Each is judged when it is made, as if it took effect at once, and again when it does.
 * (3) After every change those that have confirmed are more than two thirds of those that count: they can decide what comes next.
 * (4) A key of another purpose than statement takes the place of the one that the organisation had.
 * (5) Who joins has its party's id from the proposal on, so that two do not get one, and is an organisation from the approval on; its keys
 *     act from its own confirm on. Who left keeps nothing that acts, of itself and of the parties that it runs.
 * (6) An organisation has one proposal open: a later one takes its place.
 */
#include "custody/member.h"

#define BIT(party) (UINT64_C(1) << ((party)-1))

/* ---- who counts ---------------------------------------------------------------------------------------------------- */

bool cu_members_counts(const struct cu_member_party *party)
{
    return party && party->role == CU_ROLE_ORGANISATION && !party->left && (party->confirmed || !party->later); /* (1) */
}

uint64_t cu_members_counted(const struct cu_members *m)
{
    uint64_t all = 0;

    for (size_t i = 0; i < m->parties_n; i++)
        if (cu_members_counts(&m->party[i])) all |= BIT(i + 1);
    return all;
}

static uint64_t bits(uint64_t x)
{
    uint64_t n = 0;

    for (; x; x &= x - 1) n++;
    return n;
}

bool cu_members_decide(const struct cu_members *m, uint64_t approvals)
{
    return 3 * bits(approvals & cu_members_counted(m)) > 2 * m->organisations;
}

uint64_t cu_members_rules(const struct cu_members *m, uint64_t height)
{
    return height >= m->rules.height ? m->rules.version : m->rules.version - 1;
}

const struct cu_member_key *cu_members_acting(const struct cu_members *m, uint64_t party, enum cu_purpose purpose, cu_seq seq)
{
    for (size_t i = m->keys_n; i > 0; i--) {
        const struct cu_member_key *key = &m->key[i - 1];
        if (key->party == party && key->purpose == purpose && key->from_seq <= seq.v && seq.v < key->until_seq) return key;
    }
    return NULL;
}

/* ---- taking effect ------------------------------------------------------------------------------------------------- */

static void end_keys(struct cu_members *m, uint64_t party, uint64_t purpose, cu_seq seq)
{
    for (size_t i = 0; i < m->keys_n; i++)
        if (m->key[i].party == party && (!purpose || m->key[i].purpose == purpose) && m->key[i].until_seq == UINT64_MAX)
            m->key[i].until_seq = seq.v;
}

static cu_status give_all(struct cu_members *m, const struct cu_proposal *p, uint64_t from, cu_seq seq, struct cu_err *err)
{
    for (size_t i = 0; i < p->keys_n; i++) {
        struct cu_member_key key = p->key[i];
        key.from_seq = from;
        ENSURE(!cu_members_key(m, &key.kid), err, CU_BAD_KEY, "propose: the %s key is listed already",
               cu_purpose_name(key.purpose));
        ENSURE(m->keys_n < CU_KEYS_MAX, err, CU_TOO_LARGE, "propose: the ledger has %d keys, as many as it may", CU_KEYS_MAX);
        if (key.purpose != CU_PURPOSE_STATEMENT) end_keys(m, p->party, key.purpose, seq); /* (4) */
        m->key[m->keys_n++] = key;
    }
    return CU_OK;
}

/* Of each purpose that the organisations before have a key of, whichever counts first. */
static cu_status check_purposes(const struct cu_members *m, uint64_t party, struct cu_err *err)
{
    uint64_t first = 1;

    while (first < m->parties_n && !cu_members_counts(&m->party[first - 1])) first++;
    for (unsigned purpose = CU_PURPOSE_STATEMENT; purpose <= CU_PURPOSE_NODE; purpose++)
        ENSURE(!cu_members_newest(m, first, purpose) || cu_members_newest(m, party, purpose), err, CU_MISSING_SIGNATURE,
               "propose: it would join without a %s key, which the organisations of this ledger have", cu_purpose_name(purpose));
    return CU_OK;
}

static cu_status join(struct cu_members *m, const struct cu_proposal *p, cu_seq seq, struct cu_err *err)
{
    struct cu_member_party *party = &m->party[p->party - 1];

    ENSURE(party->role == CU_ROLE_ORGANISATION && party->later && !party->joined, err, CU_OUT_OF_ORDER,
           "propose: party %llu is there already; who joins has the next free number", LLU(p->party));
    party->joined = seq.v + 1;
    TRY(give_all(m, p, UINT64_MAX, seq, err)); /* (5) */
    return m->partial ? CU_OK : check_purposes(m, p->party, err);
}

static cu_status revoke(struct cu_members *m, const struct cu_proposal *p, const struct cu_revoked *revoked, cu_seq seq,
                        struct cu_err *err)
{
    size_t i = 0;

    while (i < m->keys_n && !cu_hash_eq(&m->key[i].kid, &revoked->kid)) i++;
    ENSURE(i < m->keys_n && m->key[i].party == p->party, err, CU_UNKNOWN_KEY,
           "propose: organisation %llu has no such key to revoke", LLU(p->party));
    ENSURE(m->key[i].purpose == CU_PURPOSE_STATEMENT, err, CU_WRONG_ROLE, "propose: a %s key ends when another takes its place",
           cu_purpose_name(m->key[i].purpose));
    ENSURE(m->key[i].until_seq == UINT64_MAX, err, CU_DUPLICATE, "propose: the key was revoked at position %llu",
           LLU(m->key[i].until_seq));
    ENSURE(revoked->since < seq.v || revoked->since == CU_NOT_COMPROMISED, err, CU_OUT_OF_ORDER,
           "propose: a key is compromised since a position before its revocation, or not at all");
    m->key[i].until_seq = seq.v;
    m->key[i].since_seq = revoked->since;
    return CU_OK;
}

static cu_status change_keys(struct cu_members *m, const struct cu_proposal *p, cu_seq seq, struct cu_err *err)
{
    ENSURE(m->party[p->party - 1].confirmed, err, CU_NOT_CONFIRMED,
           "propose: organisation %llu has not confirmed the keys that it has", LLU(p->party));
    for (size_t i = 0; i < p->revoked_n; i++) TRY(revoke(m, p, &p->revoked[i], seq, err));
    TRY(give_all(m, p, seq.v + 1, seq, err));
    ENSURE(cu_members_newest(m, p->party, CU_PURPOSE_STATEMENT), err, CU_NOT_ALLOWED,
           "propose: organisation %llu would be left without a statement key", LLU(p->party));
    return CU_OK;
}

static void forget(struct cu_members *m, uint64_t organisation)
{
    for (size_t i = 0; i < m->proposals_n; i++)
        if (m->proposal[i].organisation == organisation) m->proposal[i--] = m->proposal[--m->proposals_n];
}

static cu_status leave(struct cu_members *m, const struct cu_proposal *p, cu_seq seq, struct cu_err *err)
{
    struct cu_member_party *party = &m->party[p->party - 1];

    m->organisations -= cu_members_counts(party);
    party->left = seq.v + 1;
    for (uint64_t id = 1; id <= m->parties_n; id++) /* (5) */
        if (m->party[id - 1].organisation == p->party) end_keys(m, id, 0, seq);
    forget(m, p->party);
    ENSURE(m->organisations > 0 || m->partial, err, CU_NOT_ALLOWED, "propose: no organisation would be left");
    return CU_OK;
}

static uint64_t cosigners_of(const struct cu_members *m)
{
    uint64_t n = 0;

    for (uint64_t id = 1; id <= m->parties_n; id++)
        n += cu_members_counts(&m->party[id - 1]) && cu_members_newest(m, id, CU_PURPOSE_COSIGN);
    return n;
}

/* Could those that are left decide, and meet what is asked of them? */
static cu_status check_set(const struct cu_members *m, struct cu_err *err)
{
    const uint64_t counted = cu_members_counted(m), n = m->organisations;

    ENSURE(cu_members_open(m), err, CU_NOT_ALLOWED,
           "propose: of the %llu organisations that were left not more than two thirds have confirmed: nothing could be decided "
           "any more",
           LLU(n)); /* (3) */
    ENSURE(
        m->terms.cosigners <= cosigners_of(m) && m->terms.copies <= n, err, CU_NOT_ALLOWED,
        "propose: with %llu organisations, of which %llu cosign, %llu cosignatures and %llu copies cannot be asked for: the same "
        "proposal must ask for less",
        LLU(n), LLU(cosigners_of(m)), LLU(m->terms.cosigners), LLU(m->terms.copies));
    ENSURE((m->terms.mandatory & ~counted) == 0, err, CU_NOT_ALLOWED,
           "propose: a copy would be asked of a party that is no organisation of this ledger then");
    return CU_OK;
}

static cu_status enact(struct cu_members *m, const struct cu_proposal *p, cu_seq seq, struct cu_err *err)
{
    if (p->change == CU_CHANGE_KEYS || p->change == CU_CHANGE_LEAVE) {
        const struct cu_member_party *party = cu_members_party(m, p->party);
        ENSURE(party && party->role == CU_ROLE_ORGANISATION && !party->left && (!party->later || party->joined), err,
               CU_WRONG_ROLE, "propose: party %llu is no organisation of this ledger", LLU(p->party));
    }
    switch ((enum cu_change)p->change) {
    case CU_CHANGE_JOIN: TRY(join(m, p, seq, err)); break;
    case CU_CHANGE_KEYS: TRY(change_keys(m, p, seq, err)); break;
    case CU_CHANGE_LEAVE: TRY(leave(m, p, seq, err)); break;
    case CU_CHANGE_POLICY: break;
    }
    if (p->has_terms) m->terms = p->terms;
    ENSURE(!p->has_rules || m->partial || p->rules.version == m->rules.version + 1, err, CU_OUT_OF_ORDER,
           "propose: the rules are of version %llu, and the next is %llu", LLU(m->rules.version), LLU(m->rules.version + 1));
    if (p->has_rules) m->rules = p->rules;
    return m->partial ? CU_OK : check_set(m, err);
}

/* ---- proposing ----------------------------------------------------------------------------------------------------- */

static cu_status read_keys(const struct cu_members *m, const struct cu_propose *body, struct cu_verifier *by,
                           struct cu_proposal *ret, struct cu_err *err)
{
    struct cu_given_key given;
    size_t at = 0;

    for (; cu_list_next(&body->keys, &cu_given_key_schema, &at, &given); ret->keys_n++) {
        struct cu_member_key *key = &ret->key[ret->keys_n];
        cu_status status = cu_members_new_key(m, body->party, &given, UINT64_MAX, key, err);
        if (status == CU_OK) status = cu_members_proven(m, key, key, given.proof, by, err);
        if (status != CU_OK) return cu_fail_while(err, status, "propose");
    }
    for (at = 0; cu_list_next(&body->revoked, &cu_revoked_schema, &at, &ret->revoked[ret->revoked_n]); ret->revoked_n++) {}
    return CU_OK;
}

static struct cu_terms terms_of(const struct cu_new_terms *said)
{
    struct cu_terms terms = { .cosigners = said->cosigners, .copies = said->copies };
    uint64_t id;

    for (size_t at = 0; cu_list_next(&said->mandatory, &cu_uint_schema, &at, &id);) terms.mandatory |= BIT(id);
    return terms;
}

/* By (5). */
static cu_status reserve(struct cu_members *m, uint64_t id, struct cu_err *err)
{
    if (cu_members_party(m, id)) return CU_OK; /* as `join` finds it */
    ENSURE(m->partial || m->parties_n < CU_PARTIES_MAX, err, CU_TOO_LARGE,
           "propose: the ledger has %d parties, as many as it may", CU_PARTIES_MAX);
    ENSURE(m->partial || id == m->parties_n + 1, err, CU_OUT_OF_ORDER, "propose: the next new member is party %zu, not %llu",
           m->parties_n + 1, LLU(id));
    m->party[id - 1] = (struct cu_member_party){ .id = id, .role = CU_ROLE_ORGANISATION, .organisation = id, .later = true };
    if (m->parties_n < id) m->parties_n = id;
    return CU_OK;
}

/* By (6); of too many the one that ends first gives way. */
static void put(struct cu_members *m, const struct cu_proposal *p)
{
    size_t i;

    forget(m, p->organisation);
    if (m->proposals_n == CU_PROPOSALS_MAX) {
        size_t first = 0;
        for (i = 1; i < m->proposals_n; i++) {
            const struct cu_proposal *a = &m->proposal[i], *b = &m->proposal[first];
            if (a->until < b->until || (a->until == b->until && a->seq < b->seq)) first = i;
        }
        forget(m, m->proposal[first].organisation);
    }
    m->proposal[m->proposals_n++] = *p;
}

cu_status cu_members_propose(struct cu_members *m, const struct cu_statement *propose, cu_seq seq, struct cu_verifier *by,
                             struct cu_err *err)
{
    const struct cu_propose *body = &propose->body.propose;
    const struct cu_member_key *signer;
    struct cu_proposal p = {
        .id = propose->id, .seq = seq.v, .change = body->change, .party = body->party, .until = body->until
    };
    struct cu_members changed = *m;

    TRY(cu_members_may(m, &propose->kid, CU_KIND_PROPOSE, seq, &signer, err));
    p.organisation = signer->party;
    TRY(read_keys(m, body, by, &p, err));
    if (body->has_terms) p.has_terms = true, p.terms = terms_of(&body->terms);
    if (body->has_rules) p.has_rules = true, p.rules = body->rules;
    if (body->change == CU_CHANGE_JOIN) TRY(reserve(&changed, body->party, err));
    TRY(enact(&changed, &p, seq, err)); /* (2) */
    if (body->change == CU_CHANGE_JOIN) TRY(reserve(m, body->party, err));
    put(m, &p);
    return CU_OK;
}

/* ---- approving ----------------------------------------------------------------------------------------------------- */

cu_status cu_members_approve(struct cu_members *m, const struct cu_statement *approve, cu_seq seq, bool more,
                             struct cu_proposal *ret, struct cu_err *err)
{
    const cu_hash *id = &approve->body.approve.proposal;
    const struct cu_member_key *signer;
    struct cu_members changed = *m;
    size_t i = 0;

    if (ret) *ret = (struct cu_proposal){ .seq = 0 };
    TRY(cu_members_may(m, &approve->kid, CU_KIND_APPROVE, seq, &signer, err));
    while (i < m->proposals_n && !cu_hash_eq(&m->proposal[i].id, id)) i++;
    ENSURE(i < m->proposals_n, err, CU_UNKNOWN_TARGET,
           "approve: no such proposal is open: it took effect, another took its place, or it was never recorded");
    struct cu_proposal p = m->proposal[i];
    ENSURE(!(p.approvals & BIT(signer->party)), err, CU_DUPLICATE, "approve: organisation %llu has approved of it already",
           LLU(signer->party));
    p.approvals |= BIT(signer->party);
    if (!cu_members_decide(m, p.approvals) || more) {
        m->proposal[i].approvals = p.approvals;
        return CU_OK;
    }
    forget(&changed, p.organisation);
    TRY(enact(&changed, &p, seq, err));
    *m = changed;
    if (ret) *ret = p;
    return CU_OK;
}

cu_status cu_members_take(struct cu_members *m, const struct cu_statement *st, cu_seq seq, bool more, struct cu_verifier *by,
                          struct cu_err *err)
{
    if (st->kind == CU_KIND_CONFIRM) return cu_members_confirm(m, st, seq, by, err);
    if (st->kind == CU_KIND_MEMBER) return cu_members_enrol(m, st, seq, by, err);
    if (st->kind == CU_KIND_PROPOSE) return cu_members_propose(m, st, seq, by, err);
    return st->kind == CU_KIND_APPROVE ? cu_members_approve(m, st, seq, more, NULL, err) : CU_OK;
}
