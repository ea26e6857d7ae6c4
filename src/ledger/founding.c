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

#define FIRST_RULES 1u /* of every ledger that has no row for them */

static void put_rules(struct cu_state *s, const struct cu_new_rules *rules)
{
    cu_state_put(s, cu_at(CU_TABLE_RULES, CU_SPAN_EMPTY), &(struct cu_row_rules){ rules->version, rules->height });
}

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

static void put_ledger(struct cu_state *s, const struct cu_founding *f)
{
    const struct cu_row_ledger row = {
        .network = f->members.network,
        .cosigners = f->policy.cosigners,
        .copies = f->policy.copies,
        .mandatory = f->policy.mandatory,
        .acceptance_age = f->policy.acceptance_age,
        .open_bundles = f->policy.open_bundles,
    };

    cu_state_put(s, cu_at(CU_TABLE_LEDGER, CU_SPAN_EMPTY), &row);
}

void cu_founding_put(struct cu_state *s, const struct cu_founding *f)
{
    const struct cu_row_policy more = { f->policy.retention, f->policy.seal };

    put_ledger(s, f);
    if (f->policy.has_retention || f->policy.has_seal) cu_state_put(s, cu_at(CU_TABLE_POLICY, CU_SPAN_EMPTY), &more);
    if (f->members.rules.version != FIRST_RULES) put_rules(s, &f->members.rules);
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

/* ---- changes of who decides: each row that is another one now ------------------------------------------------------ */

static bool same_party(const struct cu_member_party *a, const struct cu_member_party *b)
{
    return a->id == b->id && a->joined == b->joined && a->left == b->left;
}

static void put_parties(struct cu_state *s, const struct cu_members *before, const struct cu_members *m)
{
    for (size_t i = 0; i < m->parties_n; i++) {
        const struct cu_member_party *party = &m->party[i];
        const struct cu_row_organisation row = { party->later, party->joined, party->left };
        if (i >= before->parties_n) put_party(s, party, 0);
        if (i < before->parties_n && same_party(&before->party[i], party)) continue;
        cu_state_put(s, cu_at_number(CU_TABLE_ORGANISATION, party->id), &row);
    }
}

static void put_keys(struct cu_state *s, const struct cu_members *before, const struct cu_members *m)
{
    for (size_t i = 0; i < m->keys_n; i++) {
        const struct cu_member_key *key = &m->key[i];
        if (i >= before->keys_n) put_key(s, i, key);
        else if (key->until_seq != before->key[i].until_seq)
            cu_state_put(s, cu_at(CU_TABLE_REVOKED, cu_span_hash(&key->kid)),
                         &(struct cu_row_revoked){ key->until_seq, key->since_seq });
    }
}

static const struct cu_proposal *proposal_of(const struct cu_members *m, uint64_t organisation)
{
    for (size_t i = 0; i < m->proposals_n; i++)
        if (m->proposal[i].organisation == organisation) return &m->proposal[i];
    return NULL;
}

static void put_proposed(struct cu_state *s, const struct cu_proposal *p)
{
    uint8_t mem[8];
    uint64_t n = 0;

    cu_put_be64(mem, p->organisation);
    for (size_t i = 0; i < p->keys_n; i++) {
        const struct cu_public_key *pub = &p->key[i].pub;
        const struct cu_row_proposed row = { p->key[i].purpose, (uint64_t) - (int64_t)pub->alg, cu_public_span(pub) };
        cu_state_put(s, cu_at_numbered(CU_TABLE_PROPOSED, CU_SPAN_OF(mem), n++), &row);
    }
    for (size_t i = 0; i < p->revoked_n; i++) {
        const struct cu_row_proposed row = { 0, p->revoked[i].since, cu_span_hash(&p->revoked[i].kid) };
        cu_state_put(s, cu_at_numbered(CU_TABLE_PROPOSED, CU_SPAN_OF(mem), n++), &row);
    }
}

/* Of each organisation whose open proposal is another than before, or none; or was approved. */
static void put_proposals(struct cu_state *s, const struct cu_members *before, const struct cu_members *m)
{
    static const struct cu_proposal none;

    for (uint64_t id = 1; id <= m->parties_n; id++) {
        const struct cu_proposal *was = proposal_of(before, id), *is = proposal_of(m, id);
        const bool same = (!was && !is) || (was && is && cu_hash_eq(&was->id, &is->id));
        if (same && (!is || was->approvals == is->approvals)) continue;
        const struct cu_proposal *p = is ? is : &none;
        const struct cu_row_proposal row = {
            p->id,        p->seq,       p->change,          p->party,        p->until,           p->approvals,     p->keys_n,
            p->revoked_n, p->has_terms, p->terms.cosigners, p->terms.copies, p->terms.mandatory, p->rules.version, p->rules.height
        };
        cu_state_put(s, cu_at_number(CU_TABLE_PROPOSAL, id), &row);
        if (is && !same) put_proposed(s, is);
    }
}

static cu_status set_terms(struct cu_founding *f, struct cu_err *err)
{
    struct cu_policy policy = f->policy;
    uint8_t mem[sizeof f->mandatory];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    policy.cosigners = f->members.terms.cosigners;
    policy.copies = f->members.terms.copies;
    policy.mandatory.n = 0;
    for (uint64_t id = 1; id <= CU_PARTIES_MAX; id++)
        if (f->members.terms.mandatory >> (id - 1) & 1) cu_cbor_put_uint(&out, id), policy.mandatory.n++;
    policy.mandatory.bytes = cu_buf_span(&out);
    return cu_founding_set_policy(f, &policy, err);
}

static bool same_terms(const struct cu_terms *a, const struct cu_terms *b)
{
    return a->cosigners == b->cosigners && a->copies == b->copies && a->mandatory == b->mandatory;
}

cu_status cu_founding_put_changed(struct cu_state *s, const struct cu_members *before, struct cu_founding *f, struct cu_err *err)
{
    const struct cu_members *m = &f->members;

    if (!same_terms(&before->terms, &m->terms)) {
        TRY(set_terms(f, err));
        put_ledger(s, f);
    }
    if (before->rules.version != m->rules.version) put_rules(s, &m->rules);
    put_parties(s, before, m);
    put_keys(s, before, m);
    put_proposals(s, before, m);
    return CU_OK;
}

/* ---- from rows ----------------------------------------------------------------------------------------------------- */

static bool get_party(struct cu_state *s, struct cu_members *m)
{
    struct cu_row_organisation more = { .later = 0 };
    struct cu_row_party row;
    uint64_t id = m->parties_n + 1;

    if (id > CU_PARTIES_MAX || !cu_state_get(s, cu_at_number(CU_TABLE_PARTY, id), &row)) return false;
    if (!cu_state_get(s, cu_at_number(CU_TABLE_ORGANISATION, id), &more)) more = (struct cu_row_organisation){ .later = 0 };
    m->party[m->parties_n++] = (struct cu_member_party){ .id = id,
                                                         .role = row.role,
                                                         .organisation = row.organisation,
                                                         .confirmed = row.confirmed > 0,
                                                         .later = more.later,
                                                         .joined = more.joined,
                                                         .left = more.left };
    m->organisations += cu_members_counts(&m->party[id - 1]);
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
    if (cu_state_get(s, cu_at(CU_TABLE_REVOKED, cu_span_hash(&row.kid)), &revoked))
        key->until_seq = revoked.seq, key->since_seq = revoked.since;
    m->keys_n++;
    return true;
}

static void get_proposed(struct cu_state *s, struct cu_proposal *p, uint64_t keys, uint64_t revoked)
{
    struct cu_row_proposed row;
    uint8_t mem[8];

    cu_put_be64(mem, p->organisation);
    for (uint64_t i = 0; i < keys + revoked; i++) {
        if (!cu_state_get(s, cu_at_numbered(CU_TABLE_PROPOSED, CU_SPAN_OF(mem), i), &row)) return; /* the state's own trouble */
        if (i >= keys) {
            struct cu_revoked *one = &p->revoked[p->revoked_n++];
            one->since = row.number;
            memcpy(one->kid.b, row.bytes.p, sizeof one->kid.b);
            continue;
        }
        struct cu_member_key *key = &p->key[p->keys_n++];
        *key = (struct cu_member_key){ .pub.alg = (enum cu_alg) - (int64_t)row.number,
                                       .purpose = (enum cu_purpose)row.purpose,
                                       .party = p->party,
                                       .from_seq = UINT64_MAX,
                                       .until_seq = UINT64_MAX,
                                       .since_seq = CU_NOT_COMPROMISED };
        memcpy(key->pub.bytes, row.bytes.p, row.bytes.n);
        key->kid = cu_key_id(&key->pub);
    }
}

static void get_proposals(struct cu_state *s, struct cu_members *m)
{
    struct cu_row_proposal row;

    for (uint64_t id = 1; id <= m->parties_n; id++) {
        if (m->party[id - 1].role != CU_ROLE_ORGANISATION || !cu_state_get(s, cu_at_number(CU_TABLE_PROPOSAL, id), &row) ||
            !row.change || m->proposals_n == CU_PROPOSALS_MAX)
            continue;
        struct cu_proposal *p = &m->proposal[m->proposals_n++];
        *p = (struct cu_proposal){ .id = row.id,
                                   .seq = row.seq,
                                   .organisation = id,
                                   .change = row.change,
                                   .party = row.party,
                                   .until = row.until,
                                   .approvals = row.approvals,
                                   .has_terms = row.has_terms,
                                   .terms = { row.cosigners, row.copies, row.mandatory },
                                   .has_rules = row.version > 0,
                                   .rules = { row.version, row.height } };
        get_proposed(s, p, row.keys, row.revoked);
    }
}

static struct cu_terms terms_of(const struct cu_policy *policy)
{
    struct cu_terms terms = { .cosigners = policy->cosigners, .copies = policy->copies };
    uint64_t id;

    for (size_t at = 0; cu_list_next(&policy->mandatory, &cu_uint_schema, &at, &id);)
        terms.mandatory |= UINT64_C(1) << (id - 1) % 64;
    return terms;
}

cu_status cu_founding_get(struct cu_state *s, struct cu_founding *ret, struct cu_err *err)
{
    struct cu_row_ledger row;
    struct cu_row_policy more;
    struct cu_row_rules rules;

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
    ret->members.terms = terms_of(&ret->policy);
    ret->members.rules = (struct cu_new_rules){ FIRST_RULES, 0 };
    if (cu_state_get(s, cu_at(CU_TABLE_RULES, CU_SPAN_EMPTY), &rules))
        ret->members.rules = (struct cu_new_rules){ rules.version, rules.height };
    ret->founded = true;
    while (get_party(s, &ret->members)) {}
    while (get_key(s, &ret->members)) {}
    get_proposals(s, &ret->members);
    return cu_state_trouble(s, err);
}
