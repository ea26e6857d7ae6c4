/* What the organisations decide together: proposed by one, which approves of it in an entry of its own, and approved by others. */
#include "service/found.h"

#define A_MONTH_MS (UINT64_C(30) * 24 * 3600 * 1000)

/* The organisation says it, by the key that lies here or the one that was given. */
static enum cu_signer sayer(const struct cu_place *p) { return p->own_key ? CU_SIGNER_DEPOSITOR : CU_SIGNER_ORGANISATION; }

static uint64_t organisation_named(const struct cu_membership *m, struct cu_span name)
{
    for (uint64_t id = 1; id <= m->members.parties_n; id++)
        if (m->members.party[id - 1].role == CU_ROLE_ORGANISATION && cu_span_eq(cu_membership_name(m, id), name)) return id;
    return 0;
}

static cu_status find_party(const struct cu_membership *m, struct cu_span name, uint64_t *ret, struct cu_err *err)
{
    *ret = organisation_named(m, name);
    ENSURE(*ret, err, CU_NOT_FOUND, "no organisation is called \"%.*s\" here: nothing was recorded", (int)name.n,
           (const char *)name.p);
    return CU_OK;
}

/* Names with commas between, as ids. */
static cu_status read_mandatory(const struct cu_membership *m, struct cu_span names, uint64_t *ret, struct cu_err *err)
{
    struct cu_span one;
    uint64_t id;

    *ret = 0;
    while (names.n) {
        if (!cu_span_split(&names, ',', &one)) one = names, names.n = 0;
        TRY(find_party(m, one, &id, err));
        *ret |= UINT64_C(1) << (id - 1);
    }
    return CU_OK;
}

static cu_status put_terms(const struct cu_membership *m, const struct cu_proposing *r, struct cu_propose *body,
                           struct cu_buf *mem, struct cu_err *err)
{
    struct cu_terms terms = m->members.terms;

    body->has_terms = r->has_cosigners || r->has_copies || r->has_mandatory;
    if (r->has_cosigners) terms.cosigners = r->cosigners;
    if (r->has_copies) terms.copies = r->copies;
    if (r->has_mandatory) TRY(read_mandatory(m, r->mandatory, &terms.mandatory, err));
    body->terms = (struct cu_new_terms){ terms.cosigners, terms.copies, { 0, CU_SPAN_EMPTY } };
    for (uint64_t id = 1; id <= CU_PARTIES_MAX; id++)
        if (terms.mandatory >> (id - 1) & 1) cu_cbor_put_uint(mem, id), body->terms.mandatory.n++;
    body->terms.mandatory.bytes = cu_buf_span(mem);
    return cu_buf_ok(mem, err);
}

/* Who is new has the next number. */
static cu_status put_party(const struct cu_membership *m, const struct cu_proposing *r, struct cu_propose *body,
                           struct cu_err *err)
{
    if (r->change == CU_CHANGE_POLICY) return CU_OK;
    if (r->change != CU_CHANGE_JOIN) return find_party(m, r->organisation, &body->party, err);
    const uint64_t known = organisation_named(m, r->organisation);
    const struct cu_member_party *party = cu_members_party(&m->members, known);
    ENSURE(!party || (party->later && !party->joined), err, CU_DUPLICATE,
           "organisation %llu is called \"%.*s\" already: nothing was recorded", LLU(known), (int)r->organisation.n,
           (const char *)r->organisation.p);
    body->party = party ? known : m->members.parties_n + 1;
    return CU_OK;
}

cu_status cu_propose(struct cu_place *p, const struct cu_proposing *r, struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    struct cu_propose body = { .change = r->change, .keys = r->keys, .revoked = r->revoked, .rules = r->rules };
    uint8_t mem[CU_PARTIES_MAX * 2];
    struct cu_buf mandatory = cu_buf_over(mem, sizeof mem);
    struct cu_outcome approved;

    TRY(cu_need_key(p, sayer(p), err));
    TRY(cu_membership_read(p, &m, err));
    TRY(put_party(&m, r, &body, err));
    TRY(put_terms(&m, r, &body, &mandatory, err));
    body.has_rules = r->rules.version > 0;
    body.until = r->until.v ? r->until.v : cu_place_now(p).v + A_MONTH_MS;
    const struct cu_member_key *key = cu_members_key(&m.members, &p->key[sayer(p)].id);
    const struct cu_details_member words = { .name = r->organisation.n ? r->organisation
                                                                       : cu_membership_name(&m, key ? key->party : 1),
                                             .note = r->note,
                                             .has_note = r->note.n > 0,
                                             .at = r->at,
                                             .has_at = r->at.n > 0,
                                             .http = r->http,
                                             .has_http = r->http.n > 0 };
    const struct cu_saying say = { CU_KIND_PROPOSE, &body, sayer(p), CU_PROFILE_MEMBER, &words };
    TRY(cu_say_and_record(p, &say, ret, err));
    const cu_hash id = ret->id;
    const cu_status done = cu_approve(p, &id, &approved, err);
    if (done != CU_OK)
        return cu_fail_while(err, done,
                             "the proposal is recorded, but this organisation's own approval is not: `custody network approve`");
    *ret = approved;
    ret->id = id;
    return CU_OK;
}

/* ---- this organisation's own log key ---- */

static cu_status take_next(struct cu_place *p, struct cu_span passphrase, struct cu_err *err)
{
    struct cu_private_key *next = &p->log_key[CU_LOG_NEXT];

    if (next->ctx && !p->successor.n) return CU_OK;
    cu_private_free(next);
    return cu_found_next(p, "log", cu_suite_algs(CU_SUITE_INTERNATIONAL)->log, passphrase, next, err);
}

cu_status cu_propose_log_key(struct cu_place *p, struct cu_span note, struct cu_span passphrase, struct cu_outcome *ret,
                             struct cu_err *err)
{
    const struct cu_private_key *next = &p->log_key[CU_LOG_NEXT];
    uint8_t message[128], mem[256];
    struct cu_buf keys = cu_buf_over(mem, sizeof mem);

    TRY(cu_need_key(p, CU_SIGNER_ORGANISATION, err));
    TRY(take_next(p, passphrase, err));
    struct cu_given_key given = { CU_PURPOSE_LOG, (uint64_t) - (int64_t)next->pub.alg, cu_public_span(&next->pub), { 0 } };
    const size_t n = cu_possession_message(&p->trust.network, CU_PURPOSE_LOG, &next->pub, message);
    TRY(cu_sign(next, cu_span(message, n), given.proof, err));
    TRY(cu_schema_write(&cu_given_key_schema, &given, &keys, err));
    const struct cu_proposing r = { .change = CU_CHANGE_KEYS,
                                    .organisation = cu_party_named(p, cu_place_party(p)),
                                    .keys = { 1, cu_buf_span(&keys) },
                                    .note = note };
    return cu_propose(p, &r, ret, err);
}

/* ---- approving ---- */

uint64_t cu_approvals_needed(const struct cu_members *m) { return 2 * m->organisations / 3 + 1; }

cu_status cu_proposal_find(const struct cu_membership *m, struct cu_span name, struct cu_proposal *ret, struct cu_err *err)
{
    size_t found = 0;
    char hex[65];

    for (size_t i = 0; i < m->members.proposals_n; i++) {
        cu_hash_hex(&m->members.proposal[i].id, hex);
        if (name.n < 4 || !cu_span_starts(cu_span_str(hex), name)) continue;
        *ret = m->members.proposal[i];
        found++;
    }
    ENSURE(found < 2, err, CU_AMBIGUOUS, "%.*s: more than one proposal begins so", (int)name.n, (const char *)name.p);
    ENSURE(found == 1, err, CU_NOT_FOUND,
           "%.*s: no such proposal is open: it took effect, another took its place, or it never was one; `custody network "
           "proposals` "
           "lists what is open",
           (int)name.n, (const char *)name.p);
    return CU_OK;
}

cu_status cu_approve(struct cu_place *p, const cu_hash *id, struct cu_outcome *ret, struct cu_err *err)
{
    struct cu_approve body = { .proposal = *id };
    const struct cu_saying say = { CU_KIND_APPROVE, &body, sayer(p), CU_PROFILE_NONE, NULL };

    TRY(cu_need_key(p, sayer(p), err));
    return cu_say_and_record(p, &say, ret, err);
}
