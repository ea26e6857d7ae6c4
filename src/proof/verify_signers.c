/* Signers: whose log the checkpoint is of, which keys the ledger enrolled, and every signature in the receipt. */
#include "judge.h"

#include <stdio.h>

/* ---- the checkpoint ------------------------------------------------------------------------------------------------ */

static void tell_line(struct cu_judge *j, size_t i)
{
    const struct cu_note_sig *sig = &j->note.sig[i];
    char name[CU_SHOWN], when[32], id[12];

    cu_shown(sig->name, name);
    switch (j->signed_by.of[i]) {
    case CU_SIG_IGNORED:
        (void)snprintf(id, sizeof id, "%08x", (unsigned)sig->id);
        NOTED(j, IGNORED, NUM(i + 1), STR(name), STR(id));
        break;
    case CU_SIG_LOG: NOTED(j, LOG_SIGNATURE, STR(name)); break;
    case CU_SIG_COSIGNED:
        cu_time_text((cu_unix_ms){ j->signed_by.unix_s[i] < CU_LAST_MS / 1000 ? j->signed_by.unix_s[i] * 1000 : CU_LAST_MS },
                     when);
        NOTED(j, COSIGNATURE, STR(name), STR(when));
        break;
    }
}

void cu_judge_checkpoint(struct cu_judge *j)
{
    struct cu_checkpoint unused;

    if (j->trust == NULL) {
        UNPROVEN(j, TRUST, CU_UNTRUSTED);
        return;
    }
    cu_size size = j->report->checkpoint.size;
    cu_status status = cu_trust_policy(j->trust, size, &j->policy, j->err);
    if (status == CU_OK) {
        status = cu_checkpoint_verify(&j->note, &j->policy, j->by, &unused, &j->signed_by, j->err);
        for (size_t i = 0; i < j->note.sigs_n && (status == CU_OK || status == CU_UNTRUSTED); i++) tell_line(j, i);
    }
    j->trusted = status == CU_OK;
    cu_judge_say(j, CU_CHECK_CHECKPOINT,
                 j->trusted               ? CU_PASS
                 : status == CU_UNTRUSTED ? CU_NOT_PROVEN
                                          : CU_FAIL,
                 status, j->err, ARGS(NUM(size.v)));
}

/* What a statement signed, built in the scratch memory; false when that is full. */
static bool message_of(struct cu_judge *j, const struct cu_statement *st, struct cu_span *ret)
{
    size_t from = j->room.n;

    if (j->room.max - j->room.n < st->protected_.n + st->payload.n + 64) return false;
    cu_sig_structure(st->protected_, st->payload, &j->room);
    *ret = cu_span(j->room.p + from, j->room.n - from);
    return true;
}

/* ---- ahead ---------------------------------------------------------------------------------------------------------- */

/* Verifiers may be quicker with many signatures than with one, but the checks ask one after another, in the order in which people are
 * told. So all of them are put to the verifier beforehand, and a check finds the answer by key, signature and message themselves:
 * what was not asked, word for word, is not answered from here. */
struct asking {
    struct cu_judge *j;
    struct cu_sig_job job[CU_AHEAD_MAX];
    size_t n;
};

static cu_hash question_of(const struct cu_sig_job *job)
{
    const uint8_t alg = (uint8_t)job->key->alg;

    return cu_sha256_parts(
        (struct cu_span[]){ cu_span(&alg, 1), cu_public_span(job->key), cu_span(job->signature, CU_SIGNATURE_LEN), job->message },
        4);
}

static void verify_ahead(void *self, struct cu_sig_job *jobs, size_t n)
{
    struct cu_ahead *a = self;

    for (size_t i = 0; i < n; i++) {
        const cu_hash question = question_of(&jobs[i]);
        size_t k = 0;
        while (k < a->n && !cu_hash_eq(&a->answer[k].question, &question)) k++;
        if (k < a->n) jobs[i].status = a->answer[k].status;
        else a->by->verify(a->by->self, &jobs[i], 1);
    }
}

static void ask(struct asking *a, const struct cu_member_key *key, struct cu_span message, const uint8_t *signature)
{
    a->job[a->n++] = (struct cu_sig_job){ .key = &key->pub, .key_id = &key->kid, .message = message, .signature = signature };
}

static void ask_statement(struct asking *a, const struct cu_statement *st)
{
    const struct cu_member_key *key = cu_members_key(&a->j->members, &st->kid);
    struct cu_span message;

    if (key != NULL && a->n < CU_AHEAD_MAX && message_of(a->j, st, &message)) ask(a, key, message, st->signature.p);
}

static void ask_possessions(struct asking *a, const struct cu_confirm *confirm)
{
    const struct cu_members *m = &a->j->members;
    struct cu_buf *room = &a->j->room;
    struct cu_possession proof;
    uint8_t message[128];
    size_t at = 0;

    while (cu_list_next(&confirm->keys, &cu_possession_schema, &at, &proof)) {
        const struct cu_member_key *key = cu_members_key(m, &proof.kid);
        const size_t from = room->n;
        if (key == NULL || a->n == CU_AHEAD_MAX || room->max - from < sizeof message + CU_SIGNATURE_LEN) continue;
        cu_buf_add(room, cu_span(proof.signature, CU_SIGNATURE_LEN));
        cu_buf_add(room, cu_span(message, cu_possession_message(&m->network, key->purpose, &key->pub, message)));
        ask(a, key, cu_span(room->p + from + CU_SIGNATURE_LEN, room->n - from - CU_SIGNATURE_LEN), room->p + from);
    }
}

static void ask_all(struct cu_judge *j)
{
    struct asking a = { .j = j };

    for (const struct cu_placed *p = j->placed; p < j->placed + j->n; p++) {
        if (p->entry.signed_) ask_statement(&a, &p->entry.outer);
        if (p->entry.has_inner) ask_statement(&a, &p->entry.inner);
        if (p->entry.kind == CU_KIND_CONFIRM) ask_possessions(&a, &p->entry.outer.body.confirm);
    }
    if (a.n > 0) j->by->verify(j->by->self, a.job, a.n);
    for (size_t i = 0; i < a.n; i++)
        j->ahead.answer[i].question = question_of(&a.job[i]), j->ahead.answer[i].status = a.job[i].status;
    j->ahead.n = a.n;
    j->ahead.by = j->by;
    j->ahead.asked = (struct cu_verifier){ .self = &j->ahead, .name = "ahead", .verify = verify_ahead };
    j->by = &j->ahead.asked;
    cu_buf_clear(&j->room);
}

/* ---- enrolment ----------------------------------------------------------------------------------------------------- */

/* Of this ledger, by an enrolled key that may say this at `seq`. */
static cu_status check_key(struct cu_judge *j, const struct cu_statement *st, unsigned act, uint64_t seq,
                           const struct cu_member_key **ret)
{
    ENSURE(cu_hash_eq(&st->network, &j->report->network), j->err, CU_WRONG_NETWORK, "it was signed for another ledger");
    TRY(cu_members_may(&j->members, &st->kid, act, (cu_seq){ seq }, ret, j->err));
    ENSURE(st->alg == (*ret)->pub.alg, j->err, CU_BAD_KEY, "its header names another algorithm than the key's");
    return CU_OK;
}

static cu_status check_signature(struct cu_judge *j, const struct cu_statement *st, const struct cu_member_key *key)
{
    struct cu_span message;

    cu_buf_clear(&j->room);
    CU_ASSERT(message_of(j, st, &message)); /* empty scratch holds any statement: CU_VERIFY_SCRATCH */
    return cu_verify_one(j->by, &key->pub, message, st->signature.p, j->err);
}

/* Does another approval of the same proposal follow? Then this one is not that by which it took effect: the ledger takes none behind it. */
static bool more_follow(struct cu_judge *j, struct cu_placed *p)
{
    const cu_hash *id = &p->entry.outer.body.approve.proposal;

    for (struct cu_placed *q = p; (q = cu_judge_next(j, q, CU_KIND_APPROVE)) != NULL;)
        if (cu_hash_eq(&q->entry.outer.body.approve.proposal, id)) return true;
    return false;
}

static cu_status approve(struct cu_judge *j, struct cu_placed *p)
{
    struct cu_proposal done;

    TRY(cu_members_approve(&j->members, &p->entry.outer, (cu_seq){ p->s.seq }, more_follow(j, p), &done, j->err));
    if (!done.has_terms || p->s.seq >= j->report->seq.v) return CU_OK;
    j->terms = done.terms;
    j->terms_by = done.id;
    return CU_OK;
}

static cu_status enrol(struct cu_judge *j, struct cu_placed *p)
{
    const struct cu_statement *st = &p->entry.outer;
    const struct cu_member_key *key;

    TRY(check_key(j, st, st->kind, p->s.seq, &key));
    TRY(check_signature(j, st, key));
    if (st->kind == CU_KIND_APPROVE) return approve(j, p);
    return cu_members_take(&j->members, st, (cu_seq){ p->s.seq }, false, j->by, j->err);
}

/* The party whose key this is; 0: nobody's. */
static uint64_t party_of(const struct cu_judge *j, const struct cu_statement *st)
{
    const struct cu_member_key *key = cu_members_key(&j->members, &st->kid);

    return key == NULL ? 0 : key->party;
}

/* The proposal of that id; NULL: the receipt does not bring it. */
static struct cu_placed *proposal_of(struct cu_judge *j, const cu_hash *id)
{
    EACH (j, p, CU_KIND_PROPOSE)
        if (cu_hash_eq(&p->entry.outer.id, id)) return p;
    return NULL;
}

static void tell_change(struct cu_judge *j, const struct cu_placed *p, cu_status status)
{
    const struct cu_statement *st = &p->entry.outer;
    const uint64_t by = party_of(j, st);
    char whose[CU_SHOWN];

    cu_shown(cu_judge_name(j, by), whose);
    if (st->kind == CU_KIND_PROPOSE) {
        JUDGED(j, PROPOSAL, status, NUM(p->s.seq), NUM(by), STR(whose));
        return;
    }
    const struct cu_placed *of = proposal_of(j, &st->body.approve.proposal);
    JUDGED(j, APPROVAL, status, NUM(p->s.seq), NUM(by), STR(whose), NUM(of ? of->s.seq : 0));
}

static void tell_enrolment(struct cu_judge *j, const struct cu_placed *p, cu_status status)
{
    const struct cu_statement *st = &p->entry.outer;
    if (st->kind == CU_KIND_PROPOSE || st->kind == CU_KIND_APPROVE) {
        tell_change(j, p, status);
        return;
    }
    const bool confirm = st->kind == CU_KIND_CONFIRM;
    const uint64_t party = confirm ? st->body.confirm.party : st->body.member.party, by = party_of(j, st);
    char name[CU_SHOWN], whose[CU_SHOWN];

    cu_shown(cu_judge_name(j, party), name);
    cu_shown(cu_judge_name(j, by), whose);
    if (confirm) JUDGED(j, CONFIRM, status, NUM(p->s.seq), NUM(party), STR(name));
    else JUDGED(j, MEMBER, status, NUM(p->s.seq), NUM(party), STR(name), NUM(by), STR(whose));
}

void cu_judge_members(struct cu_judge *j)
{
    cu_status status = cu_members_from_genesis(&j->genesis, &j->report->network, &j->members, j->err);

    j->has_members = status == CU_OK;
    if (!j->has_members) {
        REFUSED(j, ENROLMENT, status);
        return;
    }
    j->members.partial = true;
    j->terms = j->members.terms;
    ask_all(j);
    for (struct cu_placed *p = j->placed; p < j->placed + j->n; p++)
        if (cu_members_taken(p->entry.kind)) tell_enrolment(j, p, enrol(j, p));
}

/* ---- signatures ---------------------------------------------------------------------------------------------------- */

/* Which keys an organisation speaks with: it joins, leaves, or has other statement keys. Of a party that it runs only whether it is there. */
static bool is_about(const struct cu_propose *change, const struct cu_member_party *party)
{
    struct cu_given_key first = { 0 };
    size_t at = 0;

    if (change->party != party->organisation) return false;
    if (change->change != CU_CHANGE_KEYS) return true;
    (void)cu_list_next(&change->keys, &cu_given_key_schema, &at, &first); /* purposes ascend */
    return party->id == party->organisation && (first.purpose == CU_PURPOSE_STATEMENT || change->revoked.n > 0);
}

static void need_party(struct cu_judge *j, uint64_t party);

/* A proposal, all its approvals, and who left before: those did not count any more. */
// NOLINTNEXTLINE(misc-no-recursion): each entry is passed once
static void need_change(struct cu_judge *j, struct cu_placed *p)
{
    if (p == NULL || p->used) return;
    p->used = true;
    need_party(j, party_of(j, &p->entry.outer));
    EACH (j, a, CU_KIND_APPROVE) {
        if (a->used || !cu_hash_eq(&a->entry.outer.body.approve.proposal, &p->entry.outer.id)) continue;
        a->used = true;
        need_party(j, party_of(j, &a->entry.outer));
    }
    EACH (j, l, CU_KIND_PROPOSE)
        if (l->s.seq < p->s.seq && l->entry.outer.body.propose.change == CU_CHANGE_LEAVE) need_change(j, l);
}

/* What says which keys a party has is needed: its organisation's confirm, every *member* entry about it, every change, and the same of who
 * signed those. Each entry is passed once. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are such entries in a receipt
static void need_party(struct cu_judge *j, uint64_t party)
{
    const struct cu_member_party *it = cu_members_party(&j->members, party);

    if (it == NULL) return; /* what introduces it does not hold, and says so */
    EACH (j, p, CU_KIND_CONFIRM)
        if (p->entry.outer.body.confirm.party == it->organisation) p->used = true;
    EACH (j, p, CU_KIND_PROPOSE)
        if (is_about(&p->entry.outer.body.propose, it)) need_change(j, p);
    EACH (j, p, CU_KIND_MEMBER) {
        if (p->used || p->entry.outer.body.member.party != party) continue;
        p->used = true;
        need_party(j, party_of(j, &p->entry.outer));
    }
}

/* A signature that is good, by a key that was revoked later: was it still its holder's own? */
static void judge_revoked(struct cu_judge *j, const struct cu_statement *st, uint64_t seq)
{
    const struct cu_member_key *key = cu_members_key(&j->members, &st->kid);
    char name[CU_SHOWN];

    if (key == NULL || key->until_seq == UINT64_MAX) return;
    cu_shown(cu_judge_name(j, key->party), name);
    if (key->since_seq > seq) NOTED(j, REVOKED, NUM(seq), NUM(key->party), STR(name), NUM(key->until_seq));
    else UNPROVEN(j, DISPUTED, CU_DISPUTED, NUM(seq), NUM(key->party), STR(name), NUM(key->until_seq), NUM(key->since_seq));
}

/* A claim, or one around it, with the claim. */
static void judge_said(struct cu_judge *j, const struct cu_statement *st, const struct cu_claim *claim, uint64_t seq)
{
    const struct cu_member_key *key = NULL;
    char name[CU_SHOWN];
    cu_status status = check_key(j, st, cu_act_of(st, claim), seq, &key);

    if (status == CU_OK) {
        need_party(j, key->party);
        status = check_signature(j, st, key);
    }
    cu_shown(key ? cu_judge_name(j, key->party) : CU_SPAN_EMPTY, name);
    JUDGED(j, STATEMENT, status, NUM(seq), KIND(st->kind), NUM(key ? key->party : 0), STR(name));
    if (status == CU_OK) judge_revoked(j, st, seq);
}

static void judge_statement(struct cu_judge *j, const struct cu_statement *st, uint64_t seq) { judge_said(j, st, NULL, seq); }

/* Who people read of: of two signers the inner is the depositor. */
static void name_parties(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    const struct cu_member_key *inner = cu_members_key(&j->members, &cu_entry_innermost(&r->entry)->kid);
    const struct cu_member_key *outer = cu_members_key(&j->members, &r->entry.outer.kid);

    if (inner != NULL) r->depositor = cu_judge_name(j, inner->party);
    if (inner != NULL) r->organisation = cu_judge_name(j, cu_members_party(&j->members, inner->party)->organisation);
    if (outer != NULL && r->entry.has_inner) r->provider = cu_judge_name(j, outer->party);
}

/* Of a record that says itself who is who: who says it, of whom. */
static void need_of_enrolment(struct cu_judge *j, const struct cu_statement *st)
{
    struct cu_placed *of = st->kind == CU_KIND_APPROVE ? proposal_of(j, &st->body.approve.proposal) : NULL;

    if (st->kind == CU_KIND_CONFIRM) need_party(j, st->body.confirm.party);
    else need_party(j, party_of(j, st));
    if (st->kind == CU_KIND_MEMBER) need_party(j, st->body.member.party);
    if (st->kind == CU_KIND_PROPOSE) need_party(j, st->body.propose.party);
    if (of == NULL) return;
    of->used = true;
    need_party(j, party_of(j, &of->entry.outer));
    need_party(j, of->entry.outer.body.propose.party);
}

static cu_status judge_record(struct cu_judge *j)
{
    const struct cu_entry *e = &j->report->entry;
    const struct cu_span evidence = cu_entry_evidence(e);
    uint64_t seq = j->report->seq.v;
    struct cu_statement claim;

    if (!e->signed_) return CU_OK;
    name_parties(j);
    const struct cu_claim *inner = e->has_inner ? &e->inner.body.claim : NULL;
    if (inner) judge_said(j, &e->inner, inner, seq);
    if (cu_members_taken(e->kind)) need_of_enrolment(j, &e->outer); /* it was judged there */
    else judge_said(j, &e->outer, inner, seq);
    if (e->kind == CU_KIND_DEPOSIT) need_change(j, proposal_of(j, &j->terms_by));
    if (!evidence.n) return CU_OK;
    TRY(cu_statement_read(evidence, &claim, j->err)); /* an equivocation's second claim, or one that timed out */
    judge_said(j, &claim, &claim.body.claim, seq);
    return CU_OK;
}

cu_status cu_judge_signers(struct cu_judge *j)
{
    if (!j->has_members) return CU_OK;
    TRY(judge_record(j));
    for (const struct cu_placed *p = j->placed; p < j->placed + j->n; p++)
        if (p->used && !cu_judge_is_record(j, p) &&
            (p->entry.kind == CU_KIND_CASE || p->entry.kind == CU_KIND_STORED || p->entry.kind == CU_KIND_NOTICE))
            judge_statement(j, &p->entry.outer, p->s.seq);
    for (const struct cu_placed *p = j->placed; p < j->placed + j->n; p++)
        if (p->used && cu_members_taken(p->entry.kind)) judge_revoked(j, &p->entry.outer, p->s.seq);
    return CU_OK;
}
