/* Members: who they are as of the log, and what is said of them. An organisation says it, or its administrator. */
#include "service/service.h"

#include <stdlib.h>

/* ---- as of the log --------------------------------------------------------------------------------------------------- */

static cu_status note_seq(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    cu_buf_add(arg, cu_span(&row->seq.v, sizeof row->seq.v));
    return cu_buf_ok(arg, err);
}

static void name_party(struct cu_membership *m, uint64_t party, struct cu_span name)
{
    if (name.n == 0 || m->name_n[party - 1] > 0) return; /* by its first name */
    m->name_at[party - 1] = m->names.n;
    m->name_n[party - 1] = name.n;
    cu_buf_add(&m->names, name);
}

static cu_status enact_approval(cu_seq seq, const struct cu_entry *e, struct cu_membership *m, struct cu_err *err)
{
    struct cu_proposal done;

    TRY(cu_members_approve(&m->members, &e->outer, seq, false, &done, err));
    if (!done.change) return CU_OK;
    const struct cu_changed made = { .id = done.id,
                                     .proposed = done.seq,
                                     .at = seq.v,
                                     .change = done.change,
                                     .party = done.party,
                                     .speaks = done.revoked_n > 0 || (done.keys_n && done.key[0].purpose == CU_PURPOSE_STATEMENT),
                                     .has_terms = done.has_terms,
                                     .terms = done.terms };
    cu_buf_add(&m->changes, cu_span(&made, sizeof made));
    return cu_buf_ok(&m->changes, err);
}

struct cu_terms cu_terms_at(const struct cu_place *p, cu_seq seq)
{
    const struct cu_policy *first = cu_genesis_policy(p);
    struct cu_terms terms = { .cosigners = first->cosigners, .copies = first->copies };
    const struct cu_changed *made = (const void *)p->later.changes.p; /* of the heap: aligned */
    uint64_t id;

    for (size_t at = 0; cu_list_next(&first->mandatory, &cu_uint_schema, &at, &id);)
        terms.mandatory |= UINT64_C(1) << (id - 1) % 64;
    for (size_t i = 0; i < p->later.changes.n / sizeof *made && made[i].at < seq.v; i++)
        if (made[i].has_terms) terms = made[i].terms;
    return terms;
}

static cu_status enact(struct cu_place *p, cu_seq seq, struct cu_membership *m, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_span bytes;
    struct cu_entry e;

    TRY(cu_lookup_seq(p, seq, &found, err));
    TRY(cu_log_entry(&p->log, seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    if (e.kind == CU_KIND_APPROVE) return enact_approval(seq, &e, m, err);
    TRY(cu_members_take(&m->members, &e.outer, seq, false, &p->verifier, err));
    if (e.kind == CU_KIND_MEMBER) name_party(m, e.outer.body.member.party, found.row.name);
    if (e.kind == CU_KIND_PROPOSE && e.outer.body.propose.change == CU_CHANGE_JOIN)
        name_party(m, e.outer.body.propose.party, found.row.name);
    return CU_OK;
}

static int by_seq(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static const enum cu_kind kinds[] = { CU_KIND_CONFIRM, CU_KIND_MEMBER, CU_KIND_PROPOSE, CU_KIND_APPROVE };
#define KINDS (sizeof kinds / sizeof *kinds)

/* What the table of members is made of, in the order of the log. */
static cu_status enact_all(struct cu_place *p, struct cu_membership *m, struct cu_err *err)
{
    CU_BUF found = cu_buf_heap(1 << 20);

    for (size_t i = 0; i < KINDS; i++) {
        const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = kinds[i] };
        TRY(p->index.find(p->index.self, &q, note_seq, &found, err));
    }
    uint64_t *seqs = (void *)found.p; /* of the heap: aligned */
    if (found.n) qsort(seqs, found.n / sizeof *seqs, sizeof *seqs, by_seq);
    for (; m->entries < found.n / sizeof *seqs && seqs[m->entries] < p->log.checkpoint.size.v; m->entries++)
        TRY(enact(p, (cu_seq){ seqs[m->entries] }, m, err));
    return CU_OK;
}

void cu_membership_free(struct cu_membership *m)
{
    cu_buf_free(&m->names);
    cu_buf_free(&m->changes);
}

cu_status cu_membership_read(struct cu_place *p, struct cu_membership *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { .names = cu_buf_heap(1 << 20), .changes = cu_buf_heap(1 << 20) };

    TRY(cu_members_from_genesis(&p->genesis.outer.body.genesis, &p->trust.network, &m.members, err));
    for (size_t i = 0; i < m.members.parties_n; i++) name_party(&m, i + 1, cu_party_named(p, i + 1));
    TRY(enact_all(p, &m, err));
    TRY(cu_buf_ok(&m.names, err));
    *ret = m;
    m.names = m.changes = (struct cu_buf){ 0 };
    return CU_OK;
}

cu_status cu_members_follow(struct cu_place *p, struct cu_err *err)
{
    struct cu_index *index = &p->index;
    struct cu_membership m;
    uint64_t n = 0;

    for (size_t i = 0; i < KINDS; i++) n += index->count(index->self, kinds[i], NULL);

    if (n == p->later.entries || p->genesis.kind != CU_KIND_GENESIS) return CU_OK;
    TRY(cu_membership_read(p, &m, err));
    cu_membership_free(&p->later);
    p->later = m;
    p->members = m.members;
    return cu_place_reload_trust(p, err);
}

struct cu_span cu_membership_name(const struct cu_membership *m, uint64_t party)
{
    return m->name_n[party - 1] ? cu_span(m->names.p + m->name_at[party - 1], m->name_n[party - 1]) : CU_SPAN_EMPTY;
}

static const struct cu_member_party *party_named(const struct cu_membership *m, struct cu_span name)
{
    for (uint64_t id = m->members.parties_n; id > 0; id--)
        if (cu_span_eq(cu_membership_name(m, id), name)) return cu_members_party(&m->members, id);
    return NULL;
}

/* ---- said ------------------------------------------------------------------------------------------------------------- */

/* Who says what becomes of members: the organisation or, when a key of his own was given, an administrator. */
static enum cu_signer sayer(const struct cu_place *p) { return p->own_key ? CU_SIGNER_DEPOSITOR : CU_SIGNER_ORGANISATION; }

static cu_status begin(struct cu_place *p, struct cu_membership *ret, struct cu_err *err)
{
    TRY(cu_need_key(p, sayer(p), err));
    return cu_membership_read(p, ret, err);
}

static cu_status say_member(struct cu_place *p, struct cu_member *body, struct cu_span name, struct cu_span note,
                            struct cu_outcome *ret, struct cu_err *err)
{
    const struct cu_details_member details = { .name = name, .note = note, .has_note = note.n > 0 };
    const struct cu_saying say = { CU_KIND_MEMBER, body, sayer(p), CU_PROFILE_MEMBER, &details };

    return cu_say_and_record(p, &say, ret, err);
}

static int by_kid(const void *a, const void *b)
{
    const struct cu_revoked *x = a, *y = b;

    return memcmp(x->kid.b, y->kid.b, sizeof x->kid.b);
}

/* The keys of a party that act, of one purpose or (0) of both that are given, as an entry revokes them. */
static cu_status revoke_all(const struct cu_membership *m, uint64_t party, unsigned purpose, uint64_t since, struct cu_buf *mem,
                            struct cu_list *ret, struct cu_err *err)
{
    struct cu_revoked all[CU_MEMBER_KEYS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < m->members.keys_n && n < CU_MEMBER_KEYS_MAX; i++) {
        const struct cu_member_key *key = &m->members.key[i];
        const bool given = key->purpose == CU_PURPOSE_STATEMENT || key->purpose == CU_PURPOSE_SEALING;
        if (key->party == party && given && (!purpose || key->purpose == purpose) && key->until_seq == UINT64_MAX)
            all[n++] = (struct cu_revoked){ key->kid, since };
    }
    if (n > 0) qsort(all, n, sizeof *all, by_kid);
    for (size_t i = 0; i < n; i++) TRY(cu_schema_write(&cu_revoked_schema, &all[i], mem, err));
    *ret = (struct cu_list){ n, cu_buf_span(mem) };
    return CU_OK;
}

/* The statement key that vouches for a party's sealing key: its own, where it has one that acts. */
static cu_status find_voucher(struct cu_place *p, const struct cu_membership *m, const struct cu_member_party *party,
                              const struct cu_private_key **ret, struct cu_err *err)
{
    bool has = false;

    *ret = &p->key[CU_SIGNER_ORGANISATION];
    for (size_t i = 0; party && i < m->members.keys_n; i++) {
        const struct cu_member_key *key = &m->members.key[i];
        if (key->party != party->id || key->purpose != CU_PURPOSE_STATEMENT || key->until_seq != UINT64_MAX) continue;
        has = true;
        for (int k = 0; k < CU_SIGNERS; k++)
            if (p->has_key[k] && cu_hash_eq(&p->key[k].id, &key->kid)) return *ret = &p->key[k], CU_OK;
    }
    ENSURE(!has, err, CU_NOT_ALLOWED,
           "the statement key of party %llu is not here, and nobody else may vouch for its sealing key", LLU(party->id));
    ENSURE(!p->remote.ops, err, CU_NOT_ALLOWED,
           "who has no statement key gets a sealing key by the organisation's, and that is where the ledger lies: enter it "
           "there; nothing "
           "was signed");
    return cu_need_key(p, CU_SIGNER_ORGANISATION, err);
}

cu_status cu_member_add(struct cu_place *p, struct cu_span name, const struct cu_age_recipient *recipient, struct cu_span note,
                        uint64_t *ret_party, struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    struct cu_given_key given = { .purpose = CU_PURPOSE_SEALING, .neg_alg = (uint64_t)-CU_ALG_X25519 };
    struct cu_public_key pub = { .alg = CU_ALG_X25519 };
    const struct cu_private_key *voucher;
    uint8_t message[128], mem[256], old_mem[64 * CU_MEMBER_KEYS_MAX];
    struct cu_buf keys = cu_buf_over(mem, sizeof mem), revoked = cu_buf_over(old_mem, sizeof old_mem);

    TRY(begin(p, &m, err));
    const struct cu_member_party *party = party_named(&m, name);
    TRY(find_voucher(p, &m, party, &voucher, err));
    memcpy(pub.bytes, recipient->share, sizeof recipient->share);
    given.pub = cu_public_span(&pub);
    const size_t n = cu_possession_message(&p->trust.network, CU_PURPOSE_SEALING, &pub, message);
    TRY(cu_sign(voucher, cu_span(message, n), given.proof, err));
    TRY(cu_schema_write(&cu_given_key_schema, &given, &keys, err));
    struct cu_member body = { .party = party ? party->id : m.members.parties_n + 1,
                              .role = party ? party->role : CU_ROLE_READER,
                              .keys = { 1, cu_buf_span(&keys) } };
    if (party) /* in the same entry: at every position one key is sealed for */
        TRY(revoke_all(&m, party->id, CU_PURPOSE_SEALING, CU_NOT_COMPROMISED, &revoked, &body.revoked, err));
    *ret_party = body.party;
    return say_member(p, &body, name, note, ret, err);
}

cu_status cu_member_revoke(struct cu_place *p, struct cu_span name, unsigned purpose, uint64_t since, struct cu_span note,
                           struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    uint8_t mem[64 * CU_MEMBER_KEYS_MAX];
    struct cu_buf revoked = cu_buf_over(mem, sizeof mem);
    struct cu_member body = { 0 };

    TRY(begin(p, &m, err));
    const struct cu_member_party *party = party_named(&m, name);
    if (party) TRY(revoke_all(&m, party->id, purpose, since, &revoked, &body.revoked, err));
    ENSURE(party && body.revoked.n > 0, err, CU_NOT_FOUND, "no member \"%.*s\" has such a key to revoke: nothing was recorded",
           (int)name.n, (const char *)name.p);
    body.party = party->id;
    body.role = party->role;
    return say_member(p, &body, name, note, ret, err);
}

/* ---- asked for -------------------------------------------------------------------------------------------------------- */

static const struct cu_field tls_fields[] = {
    CU_BYTES(0, struct cu_enrol_tls, pub, 64, 64),
    CU_FIXED(1, struct cu_enrol_tls, vouch),
    CU_FIXED(2, struct cu_enrol_tls, proof),
};
static const struct cu_schema tls_schema = CU_SCHEMA_OF("certificate's key", tls_fields, struct cu_enrol_tls, .tuple = true);
static const struct cu_field request_fields[] = {
    CU_CONST(0, "application/custody-enrol-request+cbor"),
    CU_FIXED(1, struct cu_enrol_request, network),
    CU_UINT(2, struct cu_enrol_request, role, 1, UINT32_MAX),
    CU_TEXT(3, struct cu_enrol_request, name, 1, 256),
    CU_BYTES(4, struct cu_enrol_request, pub, 64, 64),
    CU_FIXED(5, struct cu_enrol_request, proof),
    CU_MAP(6, struct cu_enrol_request, tls, &tls_schema, CU_OPTIONAL(struct cu_enrol_request, has_tls)),
};
static const struct cu_schema request_schema = CU_SCHEMA_OF("enrolment request", request_fields, struct cu_enrol_request);

cu_status cu_enrol_request_make(const cu_hash *network, uint64_t role, struct cu_span name, const struct cu_private_key *key,
                                const struct cu_enrol_tls *tls, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_enrol_request r = { .network = *network, .role = role, .name = name, .pub = cu_public_span(&key->pub) };
    uint8_t message[128];

    if (tls) r.tls = *tls, r.has_tls = true;
    TRY(cu_sign(key, cu_span(message, cu_possession_message(network, CU_PURPOSE_STATEMENT, &key->pub, message)), r.proof, err));
    return cu_schema_write(&request_schema, &r, ret, err);
}

bool cu_enrol_request_kid(struct cu_span bytes, cu_hash *ret)
{
    struct cu_public_key key = { .alg = CU_ALG_ES256 };
    struct cu_enrol_request r;

    if (cu_schema_read(&request_schema, bytes, &r, NULL) != CU_OK) return false;
    memcpy(key.bytes, r.pub.p, r.pub.n);
    *ret = cu_key_id(&key);
    return true;
}

static cu_status check_held(const cu_hash *network, enum cu_purpose purpose, struct cu_span pub, const uint8_t *proof,
                            struct cu_verifier *by, struct cu_public_key *ret, struct cu_err *err)
{
    struct cu_public_key key = { .alg = CU_ALG_ES256 };
    uint8_t message[128];

    memcpy(key.bytes, pub.p, pub.n);
    TRY(cu_public_check(&key, err));
    const size_t n = cu_possession_message(network, purpose, &key, message);
    const cu_status status = cu_verify_one(by, &key, cu_span(message, n), proof, err);
    if (status != CU_OK) return cu_fail_while(err, status, "who made the request does not hold its key: nothing was recorded");
    *ret = key;
    return CU_OK;
}

cu_status cu_enrol_request_read(struct cu_span bytes, const cu_hash *network, struct cu_verifier *by,
                                struct cu_enrol_request *ret, struct cu_public_key *ret_key, struct cu_err *err)
{
    struct cu_public_key key, tls;
    struct cu_enrol_request r;

    TRY(cu_schema_read(&request_schema, bytes, &r, err));
    ENSURE(cu_hash_eq(&r.network, network), err, CU_WRONG_NETWORK,
           "the request was made for another ledger: nothing was recorded");
    ENSURE(cu_role_name(r.role) && r.role != CU_ROLE_ORGANISATION, err, CU_WRONG_ROLE,
           "the request asks for a role that nobody is enrolled in: nothing was recorded");
    TRY(check_held(network, CU_PURPOSE_STATEMENT, r.pub, r.proof, by, &key, err));
    if (r.has_tls) {
        TRY(check_held(network, CU_PURPOSE_TLS, r.tls.pub, r.tls.proof, by, &tls, err));
        ENSURE(!cu_span_eq(r.tls.pub, r.pub), err, CU_BAD_KEY,
               "the request has one key for statements and for TLS: one key, one purpose; nothing was recorded");
    }
    *ret = r;
    *ret_key = key;
    return CU_OK;
}

cu_status cu_member_admit(struct cu_place *p, struct cu_span request, bool rotate, uint64_t since, struct cu_span note,
                          uint64_t *ret_party, struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    struct cu_given_key given = { .purpose = CU_PURPOSE_STATEMENT, .neg_alg = (uint64_t)-CU_ALG_ES256 };
    uint8_t mem[256], old_mem[64 * CU_MEMBER_KEYS_MAX];
    struct cu_buf keys = cu_buf_over(mem, sizeof mem), revoked = cu_buf_over(old_mem, sizeof old_mem);
    struct cu_enrol_request r;
    struct cu_public_key key;

    TRY(begin(p, &m, err));
    TRY(cu_enrol_request_read(request, &p->trust.network, &p->verifier, &r, &key, err));
    const struct cu_member_party *party = party_named(&m, r.name);
    ENSURE(
        rotate || !party, err, CU_DUPLICATE,
        "party %llu bears the name \"%.*s\" already: a new key of it is entered by `custody member rotate`; nothing was recorded",
        LLU(party ? party->id : 0), (int)r.name.n, (const char *)r.name.p);
    ENSURE(!rotate || party, err, CU_NOT_FOUND, "no member is called \"%.*s\": nothing was recorded", (int)r.name.n,
           (const char *)r.name.p);
    given.pub = cu_public_span(&key);
    memcpy(given.proof, r.proof, sizeof given.proof);
    TRY(cu_schema_write(&cu_given_key_schema, &given, &keys, err));
    struct cu_member body = { .party = party ? party->id : m.members.parties_n + 1,
                              .role = party ? party->role : r.role,
                              .keys = { 1, cu_buf_span(&keys) } };
    if (party) TRY(revoke_all(&m, party->id, CU_PURPOSE_STATEMENT, since, &revoked, &body.revoked, err));
    *ret_party = body.party;
    return say_member(p, &body, r.name, note, ret, err);
}
