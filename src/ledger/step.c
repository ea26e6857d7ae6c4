/* The step function: may this record become the next entry, and what does the ledger know afterwards?
 *
 * A record is judged by the rules in this order; the first that it breaks is its status. A refused record changes nothing.
 *
 *  (1) Form and attachments are good, and it is not a block entry (prepare).
 *  (2) Position 0 is the genesis, and only it. The same genesis again is a duplicate, another one is another ledger's.
 *  (3) Both layers were signed for this ledger, by keys that it knows, and the signatures are good (prepare, or here when the
 *      key was not known yet). A claim nested in an incident or a timeout counts as a layer.
 *  (4) Exactly once: a statement id that is recorded with the same outcome is a duplicate, and learns where it stands.
 *  (5) Until more than two thirds of the organisations have confirmed, only confirms are admitted.
 *  (6) Each layer's key may make that statement at this position: role, purpose, enrolled before it, not revoked.
 *  (7) Each layer's `seen` is a block entry of this log: that leaf at that position.
 *  (8) The provider's word was signed over no older a block than the claim (OUT_OF_ORDER), and the block that it saw was closed
 *      at most the policy's acceptance age before the newest block (STALE).
 *  (9) A deposit's case is open. It has deposits of at most CU_CASE_KEYS_MAX keys.
 * (10) Each key numbers its claims: a number is taken once, at most CU_SERIAL_WINDOW above the key's lowest open one.
 * (11) A second claim under a taken number changes nothing; so does a claim under a number that was voided without an id.
 * (12) For one claim a deposit outranks: it is admitted after a refusal, a timeout and a void that names the claim, and none of
 *      these after it. Of refusals, timeouts and voids only the first is recorded.
 * (13) A void that names a claim is not contradicted by the log: a recorded claim has its own key and number.
 * (14) A case is opened once.
 * (15) An attestation of copies speaks of positions before its own.
 * (16) An equivocation is true: the number is held by a claim with another id. Recorded once a key, number and id. A
 *      misbehaviour is recorded once a root and commitment: whoever sees it says it in the same words, under the same salt.
 * (17) A correction's target is recorded.
 * (18) An inventory is true now: STALE when what it lists changed after the block that it names, UNTRUE when it was never so.
 * (19) A disclosure names recorded deposits.
 * (20) A confirm proves possession of every key of the organisation and its members, once an organisation.
 * (21) A member entry is by the organisation that runs the party, or its administrator. It gives statement keys that prove themselves and
 *      sealing keys that are vouched for, or revokes such.
 * (22) A notice asks a provider of this ledger, for an open case, by a time that has not come yet. A claim that names it is that
 *      provider's, in that case, and its outcome is signed by who asked; so it is after the deadline, and after any answer.
 * (23) A notice is acknowledged once, by whom it asks. Its answer counts the deposits that name it, all of them; one by deposits is
 *      admitted after one that none comes, and neither after it.
 * (24) A timeout is true when its batch is opened. Of a notice: the deadline has passed, and no answer is recorded. Of a claim: it
 *      has no outcome, and both its own time and the closing of the block that it saw lie more than the policy's acceptance age
 *      behind. Recorded once.
 * (25) A grant is of a sealed deposit, by its depositor or the organisation that runs him; its readers' sealing keys act.
 * (26) Where the policy asks for it, a provider says of what does not travel with the record that its store keeps it locked in compliance
 *      mode: from its own time or the closing of the block that it saw, whichever is later, for so many days.
 * (27) Where the policy asks that evidence of a profile is sealed, details that can be read are not of that profile. They are judged when they
 *      are there, as (1) is: a log that is replayed has none.
 * (28) A proposal would take effect, if it were approved now; it may be approved for a while, and its rules begin at a later height.
 * (29) An approval is of an open proposal, in time, once an organisation. The one with which more than two thirds of the organisations
 *     approve takes effect, as the proposal still would; until then it counts for nothing else.
 * (30) All this is rules version 1. A height is judged by the version that was in force at it.
 */
#include "ledger/inside.h"

#include "custody/details.h"

#include <stdio.h>

/** One record before the rules. */
struct trial {
    struct cu_ledger *l;
    struct cu_state *s;
    const struct cu_entry *entry;
    struct cu_submission *sub;
    cu_seq seq;       /* the position that it would take */
    cu_seq where;     /* where the entry stands that it repeats or collides with */
    uint64_t exhibit; /* deposits: their number in the case */
};

static unsigned long long llu(uint64_t v) { return v; }

/* ---- (2) genesis --------------------------------------------------------------------------------------------------- */

static cu_status admit_genesis(struct trial *t, struct cu_err *err)
{
    struct cu_founding *f = t->l->draft;
    const struct cu_genesis *genesis = &t->entry->outer.body.genesis;

    if (t->seq.v > 0) {
        bool same = cu_hash_eq(&cu_acting(t->l)->members.network, &t->entry->leaf);
        return cu_fail(err, same ? CU_DUPLICATE : CU_WRONG_NETWORK, "this ledger has its genesis%s",
                       same ? "" : ", and it is another one");
    }
    *f = (struct cu_founding){ .founded = true };
    TRY(cu_members_from_genesis(genesis, &t->entry->leaf, &f->members, err));
    TRY(cu_founding_set_policy(f, &genesis->policy, err));
    t->l->drafted = true;
    cu_founding_put(t->s, f);
    return CU_OK;
}

/* ---- (20) confirm -------------------------------------------------------------------------------------------------- */

static cu_status where_confirmed(struct trial *t, uint64_t organisation, cu_status status)
{
    struct cu_row_party row;

    if (status == CU_DUPLICATE && cu_state_get(t->s, cu_at_number(CU_TABLE_PARTY, organisation), &row))
        t->where.v = row.confirmed - 1;
    return status;
}

static struct cu_founding *draft_of(struct trial *t)
{
    struct cu_founding *f = t->l->draft;

    if (t->l->drafted) return f;
    *f = *t->l->in_force;
    f->policy.mandatory.bytes.p = f->mandatory;
    f->policy.seal.bytes.p = f->seal;
    return f;
}

static cu_status admit_confirm(struct trial *t, struct cu_err *err)
{
    struct cu_founding *f = draft_of(t);
    uint64_t organisation = t->entry->outer.body.confirm.party;

    cu_status status = cu_members_confirm(&f->members, &t->entry->outer, t->seq, &t->l->verifier, err);
    if (status != CU_OK) return where_confirmed(t, organisation, status);
    t->l->drafted = true;
    cu_founding_put_confirmed(t->s, f, organisation, t->seq);
    return CU_OK;
}

/* ---- (21) members -------------------------------------------------------------------------------------------------- */

static cu_status admit_member(struct trial *t, struct cu_err *err)
{
    struct cu_founding *f = draft_of(t);
    const size_t keys_before = f->members.keys_n;
    const uint64_t party = t->entry->outer.body.member.party;

    TRY(cu_members_enrol(&f->members, &t->entry->outer, t->seq, &t->l->verifier, err));
    t->l->drafted = true;
    cu_founding_put_member(t->s, f, party, keys_before, t->seq);
    return CU_OK;
}

/* ---- (28) (29) changes of who decides ------------------------------------------------------------------------------- */

static cu_status check_height(struct trial *t, const struct cu_members *m, const struct cu_new_rules *rules, struct cu_err *err)
{
    ENSURE(rules->height > t->l->height, err, CU_STALE, "the rules that it asks for begin at height %llu, and it is %llu",
           llu(rules->height), llu(t->l->height));
    ENSURE(m->rules.height <= t->l->height, err, CU_OUT_OF_ORDER,
           "rules of version %llu begin at height %llu: the next are decided on after that", llu(m->rules.version),
           llu(m->rules.height));
    return CU_OK;
}

static cu_status admit_propose(struct trial *t, struct cu_err *err)
{
    const struct cu_propose *body = &t->entry->outer.body.propose;
    struct cu_founding *f = draft_of(t);
    const struct cu_members before = f->members;

    ENSURE(body->until >= t->l->opened, err, CU_STALE, "it could be approved until %llu ms, and it is %llu ms", llu(body->until),
           llu(t->l->opened));
    if (body->has_rules) TRY(check_height(t, &before, &body->rules, err));
    TRY(cu_members_propose(&f->members, &t->entry->outer, t->seq, &t->l->verifier, err));
    t->l->drafted = true;
    return cu_founding_put_changed(t->s, &before, f, err);
}

static cu_status admit_approve(struct trial *t, struct cu_err *err)
{
    struct cu_founding *f = draft_of(t);
    const struct cu_members before = f->members;

    for (size_t i = 0; i < before.proposals_n; i++) {
        const struct cu_proposal *p = &before.proposal[i];
        if (!cu_hash_eq(&p->id, &t->entry->outer.body.approve.proposal)) continue;
        ENSURE(p->until >= t->l->opened, err, CU_STALE, "it could be approved until %llu ms, and it is %llu ms", llu(p->until),
               llu(t->l->opened));
        if (p->has_rules) TRY(check_height(t, &before, &p->rules, err));
    }
    TRY(cu_members_approve(&f->members, &t->entry->outer, t->seq, false, NULL, err));
    t->l->drafted = true;
    return cu_founding_put_changed(t->s, &before, f, err);
}

/* ---- (7) (8) what was seen ----------------------------------------------------------------------------------------- */

static cu_status check_seen(struct trial *t, const struct cu_seen *seen, struct cu_row_block *ret, struct cu_err *err)
{
    bool there = cu_state_get(t->s, cu_at_number(CU_TABLE_BLOCK, seen->seq), ret);

    ENSURE(there && cu_hash_eq(&ret->leaf, &seen->leaf), err, CU_UNKNOWN_BLOCK,
           "position %llu of this log is not the block that it says it saw", llu(seen->seq));
    return CU_OK;
}

static cu_status check_outcome_seen(struct trial *t, struct cu_err *err)
{
    const struct cu_seen *outer = cu_entry_seen(t->entry), *inner = &t->entry->inner.body.claim.seen;
    uint64_t age = cu_acting(t->l)->policy.acceptance_age;
    struct cu_row_block block;

    TRY(check_seen(t, inner, &block, err));
    if (outer->seq != inner->seq || !cu_hash_eq(&outer->leaf, &inner->leaf)) TRY(check_seen(t, outer, &block, err));
    ENSURE(outer->seq >= inner->seq, err, CU_OUT_OF_ORDER, "it saw block %llu, the claim in it the later block %llu",
           llu(outer->seq), llu(inner->seq));
    ENSURE(t->l->now.closed - block.closed <= age, err, CU_STALE,
           "the block that it saw lies %llu ms behind the newest, more than %llu", llu(t->l->now.closed - block.closed),
           llu(age));
    return CU_OK;
}

/* ---- (10) (11) numbers --------------------------------------------------------------------------------------------- */

static struct cu_row_signer signer_of(struct trial *t, const cu_hash *kid)
{
    struct cu_row_signer row;

    return cu_state_get(t->s, cu_at(CU_TABLE_SIGNER, cu_span_hash(kid)), &row) ? row : (struct cu_row_signer){ .lowest_open = 1 };
}

static void put_signer(struct trial *t, const cu_hash *kid, const struct cu_row_signer *row)
{
    cu_state_put(t->s, cu_at(CU_TABLE_SIGNER, cu_span_hash(kid)), row);
}

static cu_status check_window(const struct cu_row_signer *signer, uint64_t serial, struct cu_err *err)
{
    ENSURE(serial - signer->lowest_open <= CU_SERIAL_WINDOW, err, CU_BAD_SERIAL,
           "serial %llu: the lowest open number is %llu, and at most %llu may be used until that one is sent or voided",
           llu(serial), llu(signer->lowest_open), llu(signer->lowest_open + CU_SERIAL_WINDOW));
    return CU_OK;
}

static void hold(struct trial *t, const cu_hash *kid, uint64_t serial, const cu_hash *id)
{
    const struct cu_row_serial row = { .id = id ? *id : (cu_hash){ 0 }, .kind = t->entry->kind, .seq = t->seq.v };

    cu_state_put(t->s, cu_at_numbered(CU_TABLE_SERIAL, cu_span_hash(kid), serial), &row);
}

/* A number that was open is taken. The set of open numbers below the highest stays as it is only when the next one is. */
static void fill(struct trial *t, struct cu_row_signer *signer, const cu_hash *kid, uint64_t serial)
{
    if (serial != signer->highest + 1) signer->reopened = t->seq.v;
    if (serial > signer->highest) signer->highest = serial;
    if (serial != signer->lowest_open) return;
    do signer->lowest_open++;
    while (signer->lowest_open <= signer->highest &&
           cu_state_has(t->s, cu_at_numbered(CU_TABLE_SERIAL, cu_span_hash(kid), signer->lowest_open)));
}

/* May this claim have its number? `*ret_new`: nobody held it. */
static cu_status check_serial(struct trial *t, const struct cu_statement *st, const struct cu_row_signer *signer, bool *ret_new,
                              struct cu_err *err)
{
    struct cu_row_serial held;
    uint64_t serial = st->body.claim.serial;

    *ret_new = !cu_state_get(t->s, cu_at_numbered(CU_TABLE_SERIAL, cu_span_hash(&st->kid), serial), &held);
    if (*ret_new) return check_window(signer, serial, err);
    t->where.v = held.seq;
    ENSURE(cu_hash_eq(&held.id, &st->id), err, CU_SERIAL_TAKEN, "serial %llu of this key: %s at position %llu", llu(serial),
           cu_hash_is_zero(&held.id) ? "it was voided" : "another claim holds it, recorded", llu(held.seq)); /* by (11) */
    return CU_OK;
}

/* ---- (9) a deposit and its case ------------------------------------------------------------------------------------ */

/* The key's first deposit in the case gets it an entry in the case's list of keys. */
static cu_status enter_key(struct trial *t, struct cu_row_case *row, const cu_case_id *id, const cu_hash *kid, struct cu_err *err)
{
    struct cu_row_at at = cu_at_pair(CU_TABLE_KEY_CASE, CU_SPAN_OF(id->b), cu_span_hash(kid));

    if (cu_state_has(t->s, at)) return CU_OK;
    ENSURE(row->keys < CU_CASE_KEYS_MAX, err, CU_TOO_LARGE, "the case has deposits of %d keys, as many as a case may",
           CU_CASE_KEYS_MAX);
    cu_state_put(t->s, cu_at_numbered(CU_TABLE_CASE_KEY, CU_SPAN_OF(id->b), row->keys), &(struct cu_row_hash){ *kid });
    cu_state_put(t->s, at, &(struct cu_row_number){ row->keys++ });
    return CU_OK;
}

static void count_in_case(struct trial *t, struct cu_row_case *row, const cu_case_id *id, const cu_hash *leaf)
{
    cu_scope_append(t->s, CU_SPAN_OF(id->b), row->deposits, leaf);
    t->exhibit = ++row->deposits;
    row->last = t->entry->inner.id;
    row->deposited = t->seq.v;
    cu_state_put(t->s, cu_at(CU_TABLE_CASE, CU_SPAN_OF(id->b)), row);
}

static void count_for_key(struct trial *t, struct cu_row_signer *signer, const cu_hash *kid, const cu_hash *leaf)
{
    cu_scope_append(t->s, cu_span_hash(kid), signer->deposits, leaf);
    signer->deposits++;
    signer->last = t->entry->inner.id;
    signer->deposited = t->seq.v;
}

/* ---- (22) what answers a notice ------------------------------------------------------------------------------------ */

static cu_status get_notice(struct trial *t, const cu_hash *id, struct cu_row_notice *ret, struct cu_err *err)
{
    ENSURE(cu_state_get(t->s, cu_at(CU_TABLE_NOTICE, cu_span_hash(id)), ret), err, CU_UNKNOWN_TARGET,
           "the notice that it names is not recorded");
    return CU_OK;
}

static void put_notice(struct trial *t, const cu_hash *id, const struct cu_row_notice *row)
{
    cu_state_put(t->s, cu_at(CU_TABLE_NOTICE, cu_span_hash(id)), row);
}

/* Of a key that may sign. */
static const struct cu_member_party *party_of(struct trial *t, const cu_hash *kid)
{
    const struct cu_members *m = &cu_acting(t->l)->members;
    const struct cu_member_key *key = cu_members_key(m, kid);

    CU_ASSERT(key);
    return cu_members_party(m, key->party);
}

static cu_status check_provider(struct trial *t, const cu_hash *kid, const struct cu_row_notice *row, struct cu_err *err)
{
    const uint64_t party = party_of(t, kid)->id;

    ENSURE(party == row->provider, err, CU_WRONG_ROLE, "the notice asks party %llu: party %llu cannot answer it",
           llu(row->provider), llu(party));
    return CU_OK;
}

/* Of a claim that names none, `*ret` is left alone. */
static cu_status check_notice(struct trial *t, struct cu_row_notice *ret, struct cu_err *err)
{
    const struct cu_claim *claim = &t->entry->inner.body.claim;

    if (!claim->has_notice) return CU_OK;
    TRY(get_notice(t, &claim->notice, ret, err));
    TRY(check_provider(t, &t->entry->inner.kid, ret, err));
    ENSURE(party_of(t, &t->entry->outer.kid)->organisation == ret->organisation, err, CU_WRONG_ROLE,
           "it answers a notice of organisation %llu, which alone accepts or refuses that", llu(ret->organisation));
    ENSURE(memcmp(claim->case_id.b, ret->case_id.b, sizeof claim->case_id.b) == 0, err, CU_UNKNOWN_CASE,
           "the notice that it names is of another case");
    return CU_OK;
}

static void count_for_notice(struct trial *t, struct cu_row_notice *row, const cu_hash *leaf)
{
    const struct cu_claim *claim = &t->entry->inner.body.claim;

    if (!claim->has_notice) return;
    cu_scope_append(t->s, cu_span_hash(&claim->notice), row->deposits++, leaf);
    put_notice(t, &claim->notice, row);
}

/* ---- (26) (27) what the policy asks of content --------------------------------------------------------------------- */

#define DAY_MS UINT64_C(86400000)
static cu_status check_held(struct trial *t, const struct cu_held *held, uint64_t time, const struct cu_seen *seen,
                            struct cu_err *err)
{
    const struct cu_policy *policy = &cu_acting(t->l)->policy;
    struct cu_row_block saw;

    if (!policy->has_retention) return CU_OK;
    TRY(check_seen(t, seen, &saw, err));
    const uint64_t until = (time > saw.closed ? time : saw.closed) + policy->retention * DAY_MS;
    ENSURE(held && held->mode == CU_HELD_COMPLIANCE && held->until >= until, err, CU_NOT_ALLOWED,
           "the policy asks that the provider's store keeps it locked in compliance mode for %llu days, until %llu ms: %s",
           llu(policy->retention), llu(until),
           !held || held->mode != CU_HELD_COMPLIANCE ? "it does not say that it is" : "it says less");
    return CU_OK;
}

static cu_status check_policy(struct trial *t, struct cu_err *err)
{
    const struct cu_claim *claim = &t->entry->inner.body.claim;
    const struct cu_deposit *body = &t->entry->outer.body.deposit;
    const bool apart = claim->size > CU_CONTENT_INLINE_MAX || (claim->has_folder && claim->folder.bytes > 0);
    struct cu_must_seal must;

    if (apart && !claim->has_notice) TRY(check_held(t, body->has_held ? &body->held : NULL, body->time, &body->seen, err));
    if (t->sub->bare || claim->has_sealed || !cu_acting(t->l)->policy.has_seal) return CU_OK;
    const enum cu_profile profile = cu_details_profile(t->sub->record.details);
    ENSURE(!cu_policy_seals(&cu_acting(t->l)->policy, profile, &must), err, CU_NOT_ALLOWED,
           "the policy asks that evidence of the profile %.*s is sealed, and this is not", (int)must.profile.n,
           (const char *)must.profile.p);
    return CU_OK;
}

static cu_status admit_deposit(struct trial *t, struct cu_err *err)
{
    const struct cu_statement *st = &t->entry->inner;
    const struct cu_claim *claim = &st->body.claim;
    struct cu_row_signer signer = signer_of(t, &st->kid);
    struct cu_row_notice notice = { 0 };
    struct cu_row_case row;
    bool new;

    TRY(check_outcome_seen(t, err));
    TRY(check_notice(t, &notice, err));
    TRY(check_policy(t, err));
    ENSURE(cu_state_get(t->s, cu_at(CU_TABLE_CASE, CU_SPAN_OF(claim->case_id.b)), &row), err, CU_UNKNOWN_CASE,
           "no such case is open");               /* (9) */
    TRY(check_serial(t, st, &signer, &new, err)); /* (12): after a refusal or a void of it the number is its own */
    TRY(enter_key(t, &row, &claim->case_id, &st->kid, err));
    hold(t, &st->kid, claim->serial, &st->id);
    if (new) fill(t, &signer, &st->kid, claim->serial);
    cu_hash leaf = cu_leaf_hash(cu_span_hash(&st->id)); /* one leaf of two trees */
    count_in_case(t, &row, &claim->case_id, &leaf);
    count_for_key(t, &signer, &st->kid, &leaf);
    put_signer(t, &st->kid, &signer);
    count_for_notice(t, &notice, &leaf);
    if (claim->has_sealed) cu_state_put(t->s, cu_at(CU_TABLE_SEALED, cu_span_hash(&st->id)), &(struct cu_row_hash){ st->kid });
    return CU_OK;
}

/* ---- (12) (13) refusals and voids ---------------------------------------------------------------------------------- */

static cu_status check_not_voided(struct trial *t, const cu_hash *kid, const cu_hash *claim, struct cu_err *err)
{
    struct cu_row_number voided;

    if (!cu_state_get(t->s, cu_at_pair(CU_TABLE_VOIDED, cu_span_hash(kid), cu_span_hash(claim)), &voided)) return CU_OK;
    t->where.v = voided.v;
    return cu_fail(err, CU_OUTRANKED, "its depositor voided the claim, recorded at position %llu", llu(voided.v)); /* by (12) */
}

static cu_status admit_refusal(struct trial *t, struct cu_err *err)
{
    const struct cu_statement *st = &t->entry->inner;
    struct cu_row_signer signer = signer_of(t, &st->kid);
    struct cu_row_notice notice;
    bool new;

    TRY(check_outcome_seen(t, err));
    TRY(check_notice(t, &notice, err));
    TRY(check_not_voided(t, &st->kid, &st->id, err));
    TRY(check_serial(t, st, &signer, &new, err));
    hold(t, &st->kid, st->body.claim.serial, &st->id);
    if (new) fill(t, &signer, &st->kid, st->body.claim.serial);
    put_signer(t, &st->kid, &signer);
    return CU_OK;
}

static cu_status check_void(struct trial *t, const struct cu_void *body, const cu_hash *kid, struct cu_err *err)
{
    struct cu_row_serial held;
    struct cu_row_statement recorded;

    if (cu_state_get(t->s, cu_at_numbered(CU_TABLE_SERIAL, cu_span_hash(kid), body->serial), &held)) {
        bool same = body->has_claim && cu_hash_eq(&held.id, &body->claim);
        t->where.v = held.seq;
        return cu_fail(err, same ? CU_OUTRANKED : CU_SERIAL_TAKEN, "serial %llu of this key: it was settled at position %llu",
                       llu(body->serial), llu(held.seq));
    }
    if (!body->has_claim) return CU_OK;
    TRY(check_not_voided(t, kid, &body->claim, err));
    if (!cu_state_get(t->s, cu_at(CU_TABLE_STATEMENT, cu_span_hash(&body->claim)), &recorded)) return CU_OK;
    t->where.v = recorded.seq;
    return cu_fail(err, CU_UNTRUE, "what it voids is recorded at position %llu, under another key or number",
                   llu(recorded.seq)); /* by (13) */
}

static cu_status admit_void(struct trial *t, struct cu_err *err)
{
    const struct cu_void *body = &t->entry->outer.body.a_void;
    const cu_hash *kid = &t->entry->outer.kid;
    struct cu_row_signer signer = signer_of(t, kid);

    TRY(check_void(t, body, kid, err));
    TRY(check_window(&signer, body->serial, err));
    hold(t, kid, body->serial, body->has_claim ? &body->claim : NULL);
    fill(t, &signer, kid, body->serial);
    put_signer(t, kid, &signer);
    if (body->has_claim)
        cu_state_put(t->s, cu_at_pair(CU_TABLE_VOIDED, cu_span_hash(kid), cu_span_hash(&body->claim)),
                     &(struct cu_row_number){ t->seq.v });
    return CU_OK;
}

/* ---- (22) (23) notices --------------------------------------------------------------------------------------------- */

static cu_status admit_notice(struct trial *t, struct cu_err *err)
{
    const struct cu_notice *body = &t->entry->outer.body.notice;
    const struct cu_member_party *provider = cu_members_party(&cu_acting(t->l)->members, body->provider);
    const struct cu_row_notice row = { .seq = t->seq.v,
                                       .organisation = party_of(t, &t->entry->outer.kid)->organisation,
                                       .provider = body->provider,
                                       .case_id = body->case_id,
                                       .deadline = body->deadline };

    ENSURE(provider && provider->role == CU_ROLE_PROVIDER, err, CU_UNKNOWN_TARGET,
           "party %llu, which it asks, is no provider of this ledger", llu(body->provider));
    ENSURE(cu_state_has(t->s, cu_at(CU_TABLE_CASE, CU_SPAN_OF(body->case_id.b))), err, CU_UNKNOWN_CASE, "no such case is open");
    ENSURE(body->deadline > t->l->opened, err, CU_STALE, "its deadline has passed already: at %llu ms, and it is %llu ms",
           llu(body->deadline), llu(t->l->opened));
    put_notice(t, &t->sub->id, &row);
    return CU_OK;
}

static cu_status admit_acknowledge(struct trial *t, struct cu_err *err)
{
    const cu_hash *id = &t->entry->outer.body.acknowledge.notice;
    struct cu_row_notice row;

    TRY(get_notice(t, id, &row, err));
    TRY(check_provider(t, &t->entry->outer.kid, &row, err));
    t->where.v = row.acknowledged;
    ENSURE(!row.acknowledged, err, CU_DUPLICATE, "the notice was acknowledged at position %llu", llu(row.acknowledged));
    row.acknowledged = t->seq.v;
    put_notice(t, id, &row);
    return CU_OK;
}

static cu_status admit_answer(struct trial *t, struct cu_err *err)
{
    const struct cu_answer *body = &t->entry->outer.body.answer;
    struct cu_row_notice row;

    TRY(get_notice(t, &body->notice, &row, err));
    TRY(check_provider(t, &t->entry->outer.kid, &row, err));
    t->where.v = row.answered;
    ENSURE(!row.answered || (row.reason && !body->has_reason), err, CU_DUPLICATE, "the notice was answered at position %llu",
           llu(row.answered));
    const cu_hash root = cu_scope_root(t->s, cu_span_hash(&body->notice), row.deposits);
    ENSURE(body->n == row.deposits && cu_hash_eq(&body->root, &root), err, CU_UNTRUE,
           "the log has %llu deposits against the notice, %s", llu(row.deposits),
           body->n == row.deposits ? "but others" : "not as many as it says");
    row.answered = t->seq.v;
    row.reason = body->reason;
    put_notice(t, &body->notice, &row);
    return CU_OK;
}

/* ---- (24) timeouts ------------------------------------------------------------------------------------------------- */

static cu_status check_passed(struct trial *t, uint64_t deadline, struct cu_err *err)
{
    ENSURE(t->l->opened > deadline, err, CU_UNTRUE, "there is time until %llu ms, and it is %llu ms", llu(deadline),
           llu(t->l->opened));
    return CU_OK;
}

static cu_status time_out_notice(struct trial *t, const cu_hash *id, struct cu_err *err)
{
    struct cu_row_notice row;

    TRY(get_notice(t, id, &row, err));
    t->where.v = row.timed_out;
    ENSURE(!row.timed_out, err, CU_DUPLICATE, "that the notice timed out is recorded at position %llu", llu(row.timed_out));
    t->where.v = row.answered;
    ENSURE(!row.answered, err, CU_UNTRUE, "the notice was answered at position %llu", llu(row.answered));
    TRY(check_passed(t, row.deadline, err));
    row.timed_out = t->seq.v;
    put_notice(t, id, &row);
    return CU_OK;
}

static cu_status check_unsettled(struct trial *t, const struct cu_statement *claim, struct cu_err *err)
{
    struct cu_row_statement settled;

    TRY(check_not_voided(t, &claim->kid, &claim->id, err));
    if (!cu_state_get(t->s, cu_at(CU_TABLE_STATEMENT, cu_span_hash(&claim->id)), &settled)) return CU_OK;
    t->where.v = settled.seq;
    return cu_fail(err, settled.kind == CU_KIND_TIMEOUT ? CU_DUPLICATE : CU_OUTRANKED, "the claim was settled at position %llu",
                   llu(settled.seq));
}

static cu_status time_out_claim(struct trial *t, struct cu_span bytes, struct cu_err *err)
{
    const struct cu_row_statement outcome = { .seq = t->seq.v, .kind = CU_KIND_TIMEOUT };
    const uint64_t age = cu_acting(t->l)->policy.acceptance_age;
    const struct cu_member_key *key;
    struct cu_row_block saw;
    struct cu_statement st;
    bool new;

    TRY(cu_statement_read(bytes, &st, err));
    const struct cu_claim *claim = &st.body.claim;
    TRY(cu_members_may(&cu_acting(t->l)->members, &st.kid, cu_act_say(CU_KIND_CLAIM, claim), t->seq, &key, err));
    TRY(check_unsettled(t, &st, err));
    TRY(check_seen(t, &claim->seen, &saw, err));
    TRY(check_passed(t, (claim->time > saw.closed ? claim->time : saw.closed) + age, err));
    struct cu_row_signer signer = signer_of(t, &st.kid);
    TRY(check_serial(t, &st, &signer, &new, err));
    hold(t, &st.kid, claim->serial, &st.id);
    if (new) fill(t, &signer, &st.kid, claim->serial);
    put_signer(t, &st.kid, &signer);
    cu_state_put(t->s, cu_at(CU_TABLE_STATEMENT, cu_span_hash(&st.id)), &outcome);
    return CU_OK;
}

static cu_status admit_timeout(struct trial *t, struct cu_err *err)
{
    const struct cu_timeout *body = &t->entry->outer.body.timeout;

    return body->has_notice ? time_out_notice(t, &body->notice, err) : time_out_claim(t, body->claim, err);
}

/* ---- the other kinds ----------------------------------------------------------------------------------------------- */

static cu_status admit_case(struct trial *t, struct cu_err *err)
{
    struct cu_row_at at = cu_at(CU_TABLE_CASE, CU_SPAN_OF(t->entry->outer.body.a_case.case_id.b));
    struct cu_row_case row = { 0 };

    if (cu_state_get(t->s, at, &row)) {
        t->where.v = row.seq;
        return cu_fail(err, CU_CASE_EXISTS, "the case was opened at position %llu", llu(row.seq)); /* by (14) */
    }
    row.seq = t->seq.v;
    cu_state_put(t->s, at, &row);
    return CU_OK;
}

static cu_status admit_stored(struct trial *t, struct cu_err *err)
{
    const struct cu_stored *body = &t->entry->outer.body.stored;
    struct cu_range range;
    size_t at = 0;

    if (body->has_held) TRY(check_held(t, &body->held, body->time, &body->seen, err));
    while (cu_list_next(&body->ranges, &cu_range_schema, &at, &range))
        ENSURE(range.last < t->seq.v, err, CU_OUT_OF_ORDER, "it attests position %llu, which the log does not have yet",
               llu(range.last)); /* by (15) */
    return CU_OK;
}

/* (16) */
static cu_status admit_misbehaviour(struct trial *t, const struct cu_incident *body, struct cu_err *err)
{
    const struct cu_row_at at = cu_at_pair(CU_TABLE_EQUIVOCAL, cu_span_hash(&body->root), cu_span_hash(&body->commitment));
    struct cu_row_number recorded;

    if (cu_state_get(t->s, at, &recorded)) {
        t->where.v = recorded.v;
        return cu_fail(err, CU_DUPLICATE, "this misbehaviour is recorded at position %llu", llu(recorded.v));
    }
    cu_state_put(t->s, at, &(struct cu_row_number){ t->seq.v });
    return CU_OK;
}

static cu_status admit_incident(struct trial *t, struct cu_err *err)
{
    const struct cu_incident *body = &t->entry->outer.body.incident;
    const struct cu_member_key *key;
    struct cu_statement claim;
    struct cu_row_serial held;
    struct cu_row_number recorded;

    if (body->type == CU_INCIDENT_MISBEHAVIOUR) return admit_misbehaviour(t, body, err);
    if (!body->has_claim) return CU_OK;
    TRY(cu_statement_read(body->claim, &claim, err));
    TRY(cu_members_may(&cu_acting(t->l)->members, &claim.kid, cu_act_say(CU_KIND_CLAIM, &claim.body.claim), t->seq, &key, err));
    uint64_t serial = claim.body.claim.serial;
    struct cu_row_at at = cu_at_equivocal(&claim.kid, serial, &claim.id);
    if (cu_state_get(t->s, at, &recorded)) {
        t->where.v = recorded.v;
        return cu_fail(err, CU_DUPLICATE, "this equivocation is recorded at position %llu", llu(recorded.v));
    }
    bool taken = cu_state_get(t->s, cu_at_numbered(CU_TABLE_SERIAL, cu_span_hash(&claim.kid), serial), &held);
    ENSURE(taken && !cu_hash_is_zero(&held.id) && !cu_hash_eq(&held.id, &claim.id), err, CU_UNTRUE,
           "serial %llu of that key is not held by another claim", llu(serial)); /* by (16) */
    cu_state_put(t->s, at, &(struct cu_row_number){ t->seq.v });
    return CU_OK;
}

static cu_status admit_correction(struct trial *t, struct cu_err *err)
{
    ENSURE(cu_state_has(t->s, cu_at(CU_TABLE_STATEMENT, cu_span_hash(&t->entry->outer.body.correction.target))), err,
           CU_UNKNOWN_TARGET, "the statement that it corrects is not recorded"); /* by (17) */
    return CU_OK;
}

static cu_status admit_disclosure(struct trial *t, struct cu_err *err)
{
    const struct cu_list *targets = &t->entry->outer.body.disclosure.targets;
    struct cu_row_statement row;
    cu_hash id;
    size_t at = 0;

    while (cu_list_next(targets, &cu_id_schema, &at, &id))
        ENSURE(cu_state_get(t->s, cu_at(CU_TABLE_STATEMENT, cu_span_hash(&id)), &row) && row.kind == CU_KIND_DEPOSIT, err,
               CU_UNKNOWN_TARGET, "what it names as given out is no recorded deposit"); /* by (19) */
    return CU_OK;
}

/* By (25): who answers for a deposit? The party that signed it, or the organisation that runs that one. */
static bool answers_for(const struct cu_members *m, const cu_hash *signer, const cu_hash *depositor)
{
    const struct cu_member_key *by = cu_members_key(m, signer), *of = cu_members_key(m, depositor);

    return by->party == of->party || by->party == cu_members_party(m, of->party)->organisation;
}

static cu_status admit_grant(struct trial *t, struct cu_err *err)
{
    const struct cu_members *m = &cu_acting(t->l)->members;
    const struct cu_grant *body = &t->entry->outer.body.grant;
    const struct cu_member_key *key;
    struct cu_row_hash depositor;
    cu_hash kid;
    size_t at = 0;

    ENSURE(cu_state_get(t->s, cu_at(CU_TABLE_SEALED, cu_span_hash(&body->target)), &depositor), err, CU_UNKNOWN_TARGET,
           "what it opens is no recorded deposit that was sealed");
    ENSURE(answers_for(m, &t->entry->outer.kid, &depositor.v), err, CU_WRONG_ROLE,
           "only its depositor, or the organisation that runs him, may open it to others");
    while (cu_list_next(&body->readers, &cu_id_schema, &at, &kid)) {
        key = cu_members_key(m, &kid);
        ENSURE(key && key->purpose == CU_PURPOSE_SEALING, err, CU_UNKNOWN_KEY, "a reader's key is no sealing key of this ledger");
        ENSURE(key->from_seq <= t->seq.v, err, CU_NOT_CONFIRMED, "a reader's key does not act yet");
        ENSURE(t->seq.v < key->until_seq, err, CU_REVOKED, "a reader's key was revoked at position %llu", llu(key->until_seq));
    }
    return CU_OK;
}

static cu_status admit_access(struct trial *t, struct cu_err *err)
{
    (void)t, (void)err; /* its form is all there is to judge */
    return CU_OK;
}

static bool same_inventory(const struct cu_inventory *a, const struct cu_inventory *b)
{
    return a->n == b->n && cu_hash_eq(&a->root, &b->root) && (!a->has_last || cu_hash_eq(&a->last, &b->last)) &&
           a->open.n == b->open.n && cu_span_eq(a->open.bytes, b->open.bytes);
}

static cu_status admit_inventory(struct trial *t, struct cu_err *err)
{
    const struct cu_inventory *said = &t->entry->outer.body.inventory;
    struct cu_inventory found = *said;
    uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf open = cu_buf_over(mem, sizeof mem);
    uint64_t changed = 0;

    ENSURE(!said->has_kid || cu_members_key(&cu_acting(t->l)->members, &said->kid), err, CU_UNKNOWN_KEY,
           "the key that it lists is not enrolled in this ledger");
    TRY(cu_inventory_true(t->s, &found, &open, &changed, err));
    ENSURE(changed < said->seen.seq, err, CU_STALE, "what it lists changed at position %llu, after the block that it names",
           llu(changed)); /* by (18) */
    ENSURE(same_inventory(said, &found), err, CU_UNTRUE, "the log has %llu deposits there, or other open numbers", llu(found.n));
    return CU_OK;
}

/* ---- in order ------------------------------------------------------------------------------------------------------ */

typedef cu_status admit(struct trial *t, struct cu_err *err);
// clang-format off
#define CU_RULES(X)                 \
    X(GENESIS, admit_genesis)       \
    X(CONFIRM, admit_confirm)       \
    X(CASE, admit_case)             \
    X(DEPOSIT, admit_deposit)       \
    X(REFUSAL, admit_refusal)       \
    X(VOID, admit_void)             \
    X(STORED, admit_stored)         \
    X(INCIDENT, admit_incident)     \
    X(CORRECTION, admit_correction) \
    X(ACCESS, admit_access)         \
    X(INVENTORY, admit_inventory)   \
    X(DISCLOSURE, admit_disclosure) \
    X(MEMBER, admit_member)         \
    X(TIMEOUT, admit_timeout)       \
    X(NOTICE, admit_notice)         \
    X(ACKNOWLEDGE, admit_acknowledge) \
    X(ANSWER, admit_answer)           \
    X(GRANT, admit_grant)             \
    X(PROPOSE, admit_propose)         \
    X(APPROVE, admit_approve)
// clang-format on
#define RULE(kind, fn) [CU_KIND_##kind] = (fn),
static admit *const rules_1[] = { CU_RULES(RULE) };
#ifdef CUSTODY_TEST_RULES /* of the program that tests upgrade nodes to: by its second version nothing is corrected */
static cu_status admit_nothing(struct trial *t, struct cu_err *err)
{
    return cu_fail(err, CU_NOT_ALLOWED, "by the second rules a %s is not recorded", cu_kind_row(t->entry->kind)->name);
}
#define RULE_2(kind, fn) [CU_KIND_##kind] = CU_KIND_##kind == CU_KIND_CORRECTION ? admit_nothing : (fn),
static admit *const rules_2[] = { CU_RULES(RULE_2) };
#endif

/* (30) Each version that was ever in force, for good: whoever replays a log judges each height by the one of its day. */
static admit *const *const known[] = {
    NULL,
    rules_1,
#ifdef CUSTODY_TEST_RULES
    rules_2,
#endif
};
#define KNOWN (sizeof known / sizeof *known - 1)

cu_status cu_rules_known(uint64_t version, uint64_t height, struct cu_err *err)
{
    ENSURE(
        version <= KNOWN, err, CU_NEWER_FORMAT,
        "from height %llu on records are judged by rules %llu, as more than two thirds of the organisations approved, and this "
        "program knows rules up to %zu. Nothing that was recorded is in doubt, and it stays readable; but this organisation "
        "takes no part from here on. Install a version that knows rules %llu and start it: it goes on where it stopped",
        llu(height), llu(version), KNOWN, llu(version));
    return CU_OK;
}

/* (3) */
static cu_status check_signed(struct trial *t, struct cu_err *err)
{
    struct cu_submission *sub = t->sub;
    const struct cu_founding *f = cu_acting(t->l);

    ENSURE(f->founded, err, CU_NOT_CONFIRMED, "this ledger has no genesis yet");
    ENSURE(cu_hash_eq(&t->entry->outer.network, &f->members.network), err, CU_WRONG_NETWORK,
           "the statement was signed for another ledger");
    if (sub->trusted || sub->verified) return CU_OK;
    ENSURE(cu_ledger_verify(t->l, f, sub, 1, &t->l->verifier), err, CU_NO_MEMORY, "no memory to check a signature");
    ENSURE(sub->status == CU_OK, err, sub->status, "%s", sub->text);
    ENSURE(sub->verified, err, CU_UNKNOWN_KEY, "a signing key is not enrolled in this ledger");
    return CU_OK;
}

/* (4) (12) */
static cu_status check_once(struct trial *t, struct cu_err *err)
{
    struct cu_row_statement row;

    if (!cu_state_get(t->s, cu_at(CU_TABLE_STATEMENT, cu_span_hash(&t->sub->id)), &row)) return CU_OK;
    t->where.v = row.seq;
    ENSURE(row.kind != t->entry->kind, err, CU_DUPLICATE, "it is recorded at position %llu", llu(row.seq));
    ENSURE(t->entry->kind == CU_KIND_DEPOSIT, err, CU_OUTRANKED, "the claim was settled at position %llu", llu(row.seq));
    return CU_OK;
}

/* (5) (6) */
static cu_status check_may(struct trial *t, struct cu_err *err)
{
    const struct cu_founding *f = cu_acting(t->l);
    const struct cu_entry *e = t->entry;
    const struct cu_claim *claim = e->has_inner ? &e->inner.body.claim : NULL;
    const struct cu_member_key *key;

    ENSURE(e->kind == CU_KIND_CONFIRM || cu_members_open(&f->members), err, CU_NOT_CONFIRMED,
           "not more than two thirds of the organisations have confirmed yet");
    TRY(cu_members_may(&f->members, &e->outer.kid, cu_act_of(&e->outer, claim), t->seq, &key, err));
    if (claim) TRY(cu_members_may(&f->members, &e->inner.kid, cu_act_say(CU_KIND_CLAIM, claim), t->seq, &key, err));
    return CU_OK;
}

static cu_status judge(struct trial *t, struct cu_err *err)
{
    const struct cu_seen *seen = cu_entry_seen(t->entry);
    struct cu_row_block block;

    if (t->entry->kind == CU_KIND_GENESIS) return admit_genesis(t, err);
    TRY(check_signed(t, err));
    TRY(check_once(t, err));
    TRY(check_may(t, err));
    if (seen && !t->entry->has_inner) TRY(check_seen(t, seen, &block, err));                         /* (7); nested ones: (8) */
    return known[cu_members_rules(&cu_acting(t->l)->members, t->l->height)][t->entry->kind](t, err); /* (30) */
}

static void record(struct trial *t)
{
    const struct cu_row_statement row = { .seq = t->seq.v, .kind = t->entry->kind, .exhibit = t->exhibit };

    cu_state_put(t->s, cu_at(CU_TABLE_STATEMENT, cu_span_hash(&t->sub->id)), &row);
    cu_frontier_append(&t->l->next.frontier, &t->entry->leaf);
    t->sub->seq = t->seq;
}

static void refuse(struct trial *t, cu_status status, const struct cu_err *why)
{
    t->sub->status = status;
    t->sub->seq = t->where;
    snprintf(t->sub->text, sizeof t->sub->text, "%s", why->text);
}

cu_status cu_ledger_step(void *self, struct cu_submission *sub, struct cu_err *err)
{
    struct cu_ledger *l = self;
    struct trial t = { .l = l, .s = &l->state, .entry = &sub->entry, .sub = sub, .seq = { l->next.frontier.size.v } };
    struct cu_err why = { 0 };

    CU_ASSERT(l->open && !l->closed);
    if (sub->status != CU_OK) return CU_OK; /* (1) */
    cu_status status = judge(&t, &why);
    TRY(cu_state_trouble(&l->state, err)); /* whatever was judged, was judged over rows that could not be read */
    ENSURE(status != CU_NO_MEMORY && status != CU_CRYPTO, err, status, "%s", why.text);
    if (status == CU_OK) record(&t);
    else refuse(&t, status, &why);
    return cu_state_trouble(&l->state, err);
}
