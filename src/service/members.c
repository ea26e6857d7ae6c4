/* Members: who they are as of the log, and who may be sealed for. The organisation says it; of a party that has a statement key, that key vouches. */
#include "service/service.h"

/* ---- as of the log --------------------------------------------------------------------------------------------------- */

static cu_status note_seq(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    cu_buf_add(arg, cu_span(&row->seq.v, sizeof row->seq.v));
    return cu_buf_ok(arg, err);
}

static void name_party(struct cu_membership *m, uint64_t party, struct cu_span name)
{
    if (name.n == 0) return;
    m->name_at[party - 1] = m->names.n;
    m->name_n[party - 1] = name.n;
    cu_buf_add(&m->names, name);
}

static cu_status enact(struct cu_place *p, cu_seq seq, struct cu_membership *m, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_span bytes;
    struct cu_entry e;

    TRY(cu_lookup_seq(p, seq, &found, err));
    TRY(cu_log_entry(&p->log, seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    if (e.kind == CU_KIND_CONFIRM) return cu_members_confirm(&m->members, &e.outer, seq, &p->verifier, err);
    TRY(cu_members_enrol(&m->members, &e.outer, seq, &p->verifier, err));
    if (e.outer.body.member.party > p->members.parties_n) name_party(m, e.outer.body.member.party, found.row.name);
    return CU_OK;
}

static cu_status enact_all(struct cu_place *p, enum cu_kind kind, struct cu_membership *m, struct cu_err *err)
{
    CU_BUF found = cu_buf_heap(sizeof(uint64_t) * 4 * CU_KEYS_MAX); /* each gives or revokes a key, once a key; so do confirms */
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = kind };
    cu_seq seq;

    TRY(p->index.find(p->index.self, &q, note_seq, &found, err));
    for (size_t at = 0; at < found.n; at += sizeof seq.v) {
        memcpy(&seq.v, found.p + at, sizeof seq.v);
        TRY(enact(p, seq, m, err));
    }
    return CU_OK;
}

void cu_membership_free(struct cu_membership *m) { cu_buf_free(&m->names); }

cu_status cu_membership_read(struct cu_place *p, struct cu_membership *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { .members = p->members, .names = cu_buf_heap(1 << 20) };

    for (size_t i = 0; i < m.members.parties_n; i++) name_party(&m, i + 1, cu_party_named(p, i + 1));
    TRY(enact_all(p, CU_KIND_CONFIRM, &m, err));
    TRY(enact_all(p, CU_KIND_MEMBER, &m, err));
    TRY(cu_buf_ok(&m.names, err));
    *ret = m;
    m.names = (struct cu_buf){ 0 };
    return CU_OK;
}

struct cu_span cu_membership_name(const struct cu_membership *m, uint64_t party)
{
    return cu_span(m->names.p + m->name_at[party - 1], m->name_n[party - 1]);
}

static const struct cu_member_party *party_named(const struct cu_membership *m, struct cu_span name)
{
    for (uint64_t id = m->members.parties_n; id > 0; id--)
        if (cu_span_eq(cu_membership_name(m, id), name)) return cu_members_party(&m->members, id);
    return NULL;
}

/* ---- said ------------------------------------------------------------------------------------------------------------- */

static cu_status say_member(struct cu_place *p, struct cu_member *body, struct cu_span name, struct cu_span note,
                            struct cu_outcome *ret, struct cu_err *err)
{
    const struct cu_details_member details = { .name = name, .note = note, .has_note = note.n > 0 };
    const struct cu_saying say = { CU_KIND_MEMBER, body, CU_SIGNER_ORGANISATION, CU_PROFILE_MEMBER, &details };

    return cu_say_and_record(p, &say, ret, err);
}

/* The statement key that vouches for a party's sealing key: its own, where it has one. */
static cu_status find_voucher(struct cu_place *p, const struct cu_membership *m, const struct cu_member_party *party,
                              const struct cu_private_key **ret, struct cu_err *err)
{
    *ret = &p->key[CU_SIGNER_ORGANISATION];
    if (!party || party->role == CU_ROLE_READER) return CU_OK;
    for (int i = 0; i < CU_SIGNERS; i++) {
        const struct cu_member_key *key = p->has_key[i] ? cu_members_key(&m->members, &p->key[i].id) : NULL;
        if (!key || key->party != party->id || key->purpose != CU_PURPOSE_STATEMENT) continue;
        *ret = &p->key[i];
        return CU_OK;
    }
    return cu_fail(err, CU_NOT_ALLOWED,
                   "the statement key of party %llu is not here, and nobody else may vouch for its sealing key", LLU(party->id));
}

cu_status cu_member_add(struct cu_place *p, struct cu_span name, const struct cu_age_recipient *recipient, struct cu_span note,
                        uint64_t *ret_party, struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    struct cu_given_key given = { .purpose = CU_PURPOSE_SEALING, .neg_alg = (uint64_t)-CU_ALG_X25519 };
    struct cu_public_key pub = { .alg = CU_ALG_X25519 };
    const struct cu_private_key *voucher;
    uint8_t message[128], mem[256], old_mem[64];
    struct cu_buf keys = cu_buf_over(mem, sizeof mem), revoked = cu_buf_over(old_mem, sizeof old_mem);

    TRY(cu_need_key(p, CU_SIGNER_ORGANISATION, err));
    TRY(cu_membership_read(p, &m, err));
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
    const struct cu_member_key *old = party ? cu_members_sealing(&m.members, party->id) : NULL;
    if (old) { /* in the same entry: at every position one key is sealed for */
        TRY(cu_schema_write(&cu_revoked_schema, &(struct cu_revoked){ old->kid, CU_NOT_COMPROMISED }, &revoked, err));
        body.revoked = (struct cu_list){ 1, cu_buf_span(&revoked) };
    }
    *ret_party = body.party;
    return say_member(p, &body, name, note, ret, err);
}

cu_status cu_member_revoke(struct cu_place *p, struct cu_span name, uint64_t since, struct cu_span note, struct cu_outcome *ret,
                           struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    uint8_t mem[64];
    struct cu_buf revoked = cu_buf_over(mem, sizeof mem);

    TRY(cu_need_key(p, CU_SIGNER_ORGANISATION, err));
    TRY(cu_membership_read(p, &m, err));
    const struct cu_member_party *party = party_named(&m, name);
    const struct cu_member_key *key = party ? cu_members_sealing(&m.members, party->id) : NULL;
    ENSURE(key, err, CU_NOT_FOUND, "no member \"%.*s\" has a sealing key to revoke: nothing was recorded", (int)name.n,
           (const char *)name.p);
    TRY(cu_schema_write(&cu_revoked_schema, &(struct cu_revoked){ key->kid, since }, &revoked, err));
    struct cu_member body = { .party = party->id, .role = party->role, .revoked = { 1, cu_buf_span(&revoked) } };
    return say_member(p, &body, name, note, ret, err);
}
