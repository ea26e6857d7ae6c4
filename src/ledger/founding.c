/* Who may act, as rows of the state and as the table that the rules ask. Genesis makes it, confirms change it. */
#include "ledger/inside.h"

cu_status cu_founding_set_policy(struct cu_founding *f, const struct cu_policy *policy, struct cu_err *err)
{
    struct cu_span list = policy->mandatory.bytes;

    ENSURE(list.n <= sizeof f->mandatory, err, CU_TOO_LARGE, "policy: %zu bytes of mandatory organisations", list.n);
    if (list.n) memmove(f->mandatory, list.p, list.n);
    f->policy = *policy;
    f->policy.mandatory.bytes = cu_span(f->mandatory, list.n);
    list = policy->seal.bytes;
    ENSURE(list.n <= sizeof f->seal, err, CU_TOO_LARGE, "policy: %zu bytes of what must be sealed", list.n);
    if (list.n) memmove(f->seal, list.p, list.n);
    f->policy.seal.bytes = cu_span(f->seal, list.n);
    return CU_OK;
}

/* ---- to rows ------------------------------------------------------------------------------------------------------- */

static void put_party(struct cu_state *s, const struct cu_member_party *party, uint64_t confirmed)
{
    const struct cu_row_party row = { .role = party->role, .organisation = party->organisation, .confirmed = confirmed };

    cu_state_put(s, cu_at_number(CU_TABLE_PARTY, party->id), &row);
}

static void put_key(struct cu_state *s, size_t i, const struct cu_member_key *key)
{
    const struct cu_row_member_key row = {
        .kid = key->kid,
        .party = key->party,
        .purpose = key->purpose,
        .neg_alg = (uint64_t) - (int64_t)key->pub.alg,
        .from = key->from_seq,
        .pub = cu_public_span(&key->pub),
    };

    cu_state_put(s, cu_at_number(CU_TABLE_KEY, i), &row);
}

void cu_founding_put(struct cu_state *s, const struct cu_founding *f)
{
    const struct cu_row_ledger row = {
        .network = f->members.network,
        .cosigners = f->policy.cosigners,
        .copies = f->policy.copies,
        .mandatory = f->policy.mandatory,
        .acceptance_age = f->policy.acceptance_age,
        .open_bundles = f->policy.open_bundles,
    };

    const struct cu_row_policy more = { f->policy.retention, f->policy.seal };

    cu_state_put(s, cu_at(CU_TABLE_LEDGER, CU_SPAN_EMPTY), &row);
    if (f->policy.has_retention || f->policy.has_seal) cu_state_put(s, cu_at(CU_TABLE_POLICY, CU_SPAN_EMPTY), &more);
    for (size_t i = 0; i < f->members.parties_n; i++) put_party(s, &f->members.party[i], 0);
    for (size_t i = 0; i < f->members.keys_n; i++) put_key(s, i, &f->members.key[i]);
}

void cu_founding_put_confirmed(struct cu_state *s, const struct cu_founding *f, uint64_t organisation, cu_seq seq)
{
    put_party(s, cu_members_party(&f->members, organisation), seq.v + 1);
    for (size_t i = 0; i < f->members.keys_n; i++)
        if (cu_members_party(&f->members, f->members.key[i].party)->organisation == organisation)
            put_key(s, i, &f->members.key[i]);
}

void cu_founding_put_member(struct cu_state *s, const struct cu_founding *f, uint64_t party, size_t keys_before, cu_seq seq)
{
    const struct cu_member_party *it = cu_members_party(&f->members, party);

    if (it->role != CU_ROLE_ORGANISATION) put_party(s, it, 0); /* an organisation's row has its confirm, and stays */
    for (size_t i = 0; i < f->members.keys_n; i++) {
        const struct cu_member_key *key = &f->members.key[i];
        if (i >= keys_before) put_key(s, i, key);
        else if (key->until_seq == seq.v)
            cu_state_put(s, cu_at(CU_TABLE_REVOKED, cu_span_hash(&key->kid)), &(struct cu_row_revoked){ seq.v, key->since_seq });
    }
}

/* ---- from rows ----------------------------------------------------------------------------------------------------- */

static bool get_party(struct cu_state *s, struct cu_members *m)
{
    struct cu_row_party row;
    uint64_t id = m->parties_n + 1;

    if (id > CU_PARTIES_MAX || !cu_state_get(s, cu_at_number(CU_TABLE_PARTY, id), &row)) return false;
    m->party[m->parties_n++] = (struct cu_member_party){
        .id = id, .role = row.role, .organisation = row.organisation, .confirmed = row.confirmed > 0
    };
    m->organisations += row.role == CU_ROLE_ORGANISATION;
    return true;
}

static bool get_key(struct cu_state *s, struct cu_members *m)
{
    struct cu_row_member_key row;
    struct cu_row_revoked revoked;
    struct cu_member_key *key = &m->key[m->keys_n];

    if (m->keys_n == CU_KEYS_MAX || !cu_state_get(s, cu_at_number(CU_TABLE_KEY, m->keys_n), &row)) return false;
    struct cu_public_key pub = { .alg = (enum cu_alg) - (int64_t)row.neg_alg };
    memcpy(pub.bytes, row.pub.p, row.pub.n); /* its span lasts until the next row is read */
    *key = (struct cu_member_key){ .pub = pub,
                                   .kid = row.kid,
                                   .purpose = (enum cu_purpose)row.purpose,
                                   .party = row.party,
                                   .from_seq = row.from,
                                   .until_seq = UINT64_MAX,
                                   .since_seq = CU_NOT_COMPROMISED };
    if ((row.purpose == CU_PURPOSE_SEALING || row.purpose == CU_PURPOSE_STATEMENT) &&
        cu_state_get(s, cu_at(CU_TABLE_REVOKED, cu_span_hash(&row.kid)), &revoked))
        key->until_seq = revoked.seq, key->since_seq = revoked.since;
    m->keys_n++;
    return true;
}

cu_status cu_founding_get(struct cu_state *s, struct cu_founding *ret, struct cu_err *err)
{
    struct cu_row_ledger row;
    struct cu_row_policy more;

    *ret = (struct cu_founding){ .founded = false };
    if (!cu_state_get(s, cu_at(CU_TABLE_LEDGER, CU_SPAN_EMPTY), &row)) return cu_state_trouble(s, err);
    struct cu_policy policy = {
        .cosigners = row.cosigners,
        .copies = row.copies,
        .mandatory = row.mandatory,
        .acceptance_age = row.acceptance_age,
        .open_bundles = row.open_bundles,
    };
    TRY(cu_founding_set_policy(ret, &policy, err)); /* a row's spans last until the next one is read */
    policy = ret->policy;
    if (cu_state_get(s, cu_at(CU_TABLE_POLICY, CU_SPAN_EMPTY), &more)) {
        policy.has_retention = more.retention > 0, policy.retention = more.retention;
        policy.has_seal = more.seal.n > 0, policy.seal = more.seal;
        TRY(cu_founding_set_policy(ret, &policy, err));
    }
    ret->members.network = row.network;
    ret->founded = true;
    while (get_party(s, &ret->members)) {}
    while (get_key(s, &ret->members)) {}
    return cu_state_trouble(s, err);
}
