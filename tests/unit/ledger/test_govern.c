/* Rules (28) and (29), as conversations: four organisations change who they are, their keys, and what is asked of all. */
#include "play.h"

#include "ledger/inside.h"
#include "adapters/memory/memory.h"

static struct play p;
enum { ORGS = 4, NEXT = 8 }; /* 5 the provider, 6 and 7 the depositors of the first */
static const enum who org[] = { ORG, ORG2, ORG3, ORG4 };
static struct cu_private_key made[8]; /* statement and log keys of those who come, and new ones */

static int start_with(uint64_t orgs)
{
    play_begin(&p, NULL, orgs);
    p.policy.cosigners = 0; /* nobody has a key for it here */
    play_said(&p, founds(&p), CU_OK, __FILE__, __LINE__);
    for (uint64_t i = 1; i <= orgs; i++) play_said(&p, confirms(&p, i, 0), CU_OK, __FILE__, __LINE__);
    play_close(&p);
    return 0;
}

static int start(void **state) { return (void)state, start_with(ORGS); }

static int stop(void **state)
{
    (void)state;
    play_close(&p);
    play_stop(&p);
    return 0;
}

static int make_more(void **state)
{
    for (size_t i = 0; i < 8; i++)
        if (cu_private_generate(i % 2 ? CU_ALG_EDDSA : CU_ALG_ES256, &made[i], &err) != CU_OK) return -1;
    return play_make_keys(state);
}

static int free_more(void **state)
{
    for (size_t i = 0; i < 8; i++) cu_private_free(&made[i]);
    return play_free_keys(state);
}

/* ---- what is proposed ----------------------------------------------------------------------------------------------- */

struct wish {
    struct cu_propose body;
    uint8_t keys_mem[2048], revoked_mem[512], mandatory_mem[64];
    struct cu_buf keys, revoked;
};

static struct wish wish(enum cu_change change, uint64_t party)
{
    return (struct wish){ .body = { .time = p.now,
                                    .seen = newest(&p),
                                    .change = change,
                                    .party = party,
                                    .until = p.now + 100000,
                                    .commitment = play_commitment() } };
}

static void gives(struct wish *w, enum cu_purpose purpose, const struct cu_private_key *key)
{
    struct cu_given_key given = { .purpose = purpose, .neg_alg = (uint64_t)-key->pub.alg, .pub = cu_public_span(&key->pub) };
    uint8_t message[128];
    const size_t n = cu_possession_message(&p.network, purpose, &key->pub, message);

    if (w->body.keys.n++ == 0) w->keys = cu_buf_over(w->keys_mem, sizeof w->keys_mem);
    assert_ok(cu_sign(key, cu_span(message, n), given.proof, &err));
    assert_ok(cu_schema_write(&cu_given_key_schema, &given, &w->keys, &err));
}

static void revokes(struct wish *w, const cu_hash *kid, uint64_t since)
{
    if (w->body.revoked.n++ == 0) w->revoked = cu_buf_over(w->revoked_mem, sizeof w->revoked_mem);
    assert_ok(cu_schema_write(&cu_revoked_schema, &(struct cu_revoked){ *kid, since }, &w->revoked, &err));
}

static void asks(struct wish *w, uint64_t copies, uint64_t mandatory)
{
    struct cu_buf out = cu_buf_over(w->mandatory_mem, sizeof w->mandatory_mem);

    if (mandatory) cu_cbor_put_uint(&out, mandatory);
    w->body.has_terms = true;
    w->body.terms = (struct cu_new_terms){ 0, copies, { mandatory > 0, cu_buf_span(&out) } };
}

static cu_status proposes(struct wish *w, enum who who)
{
    w->body.keys.bytes = cu_span(w->keys_mem, w->keys.n); /* wherever it lies now */
    w->body.revoked.bytes = cu_span(w->revoked_mem, w->revoked.n);
    w->body.terms.mandatory.bytes.p = w->mandatory_mem;
    return say(&p, CU_KIND_PROPOSE, who, &w->body);
}

static cu_status approves_by(const struct cu_private_key *key, const cu_hash *proposal)
{
    struct cu_approve body = { .time = p.now, .seen = newest(&p), .proposal = *proposal };
    struct cu_buf out = cu_buf_over(p.entry_mem, sizeof p.entry_mem);

    assert_ok(cu_statement_sign(CU_KIND_APPROVE, &body, &p.network, key, &out, &err));
    return say_entry(&p, cu_buf_span(&out));
}

static cu_status approves(enum who who, const cu_hash *proposal) { return approves_by(&play_keys[who], proposal); }

static const struct cu_members *now(void) { return &cu_acting(p.l)->members; }

/* Proposed by the second and approved by the first three; the position where it took effect. */
static uint64_t decide(struct wish *w)
{
    assert_said(OK, proposes(w, ORG2));
    const cu_hash id = p.sub.id;
    for (size_t i = 0; i < 3; i++) assert_said(OK, approves(org[i], &id));
    return p.sub.seq.v;
}

/* made[2k] and made[2k + 1] as an organisation's keys. */
static struct wish joining(uint64_t party, size_t k)
{
    struct wish w = wish(CU_CHANGE_JOIN, party);

    gives(&w, CU_PURPOSE_STATEMENT, &made[2 * k]);
    gives(&w, CU_PURPOSE_LOG, &made[2 * k + 1]);
    return w;
}

static cu_status confirms_later(uint64_t party, size_t k)
{
    const struct cu_private_key *first = &made[2 * k], *second = first + 1;
    uint8_t mem[256], message[128];
    struct cu_buf out = cu_buf_over(mem, sizeof mem), entry = cu_buf_over(p.entry_mem, sizeof p.entry_mem);

    const bool turned = memcmp(first->id.b, second->id.b, 32) > 0;
    for (size_t i = 0; i < 2; i++) {
        const struct cu_private_key *key = (i == 1) != turned ? second : first;
        struct cu_possession one = { .kid = key->id };
        const size_t n = cu_possession_message(&p.network, key == first ? CU_PURPOSE_STATEMENT : CU_PURPOSE_LOG, &key->pub,
                                               message);
        assert_ok(cu_sign(key, cu_span(message, n), one.signature, &err));
        assert_ok(cu_schema_write(&cu_possession_schema, &one, &out, &err));
    }
    struct cu_confirm body = { .party = party, .time = p.now, .keys = { 2, cu_buf_span(&out) } };
    assert_ok(cu_statement_sign(CU_KIND_CONFIRM, &body, &p.network, first, &entry, &err));
    return say_entry(&p, cu_buf_span(&entry));
}

/* ---- more than two thirds ------------------------------------------------------------------------------------------- */

static void three_of_four_decide_and_two_do_not(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_POLICY, 0);
    asks(&w, 3, 1);
    assert_said(OK, proposes(&w, ORG2));
    const cu_hash id = p.sub.id;
    assert_said(OK, approves(ORG2, &id)); /* a proposal is no approval */
    assert_said(DUPLICATE, approves(ORG2, &id));
    assert_said(OK, approves(ORG, &id));
    assert_int_equal(now()->terms.copies, 1);
    assert_said(OK, approves(ORG4, &id));
    assert_int_equal(now()->terms.copies, 3);
    assert_int_equal(now()->terms.mandatory, 1);
    assert_said(UNKNOWN_TARGET, approves(ORG3, &id)); /* it is decided */
    play_close(&p);
    assert_int_equal(cu_ledger_policy(p.l)->copies, 3);
    assert_int_equal(cu_ledger_policy(p.l)->mandatory.n, 1);
    assert_int_equal(cu_ledger_policy(p.l)->acceptance_age, 5000);
}

static void an_organisation_alone_decides_by_its_own_approval(void **state)
{
    stop(state);
    start_with(1);
    struct wish w = wish(CU_CHANGE_KEYS, 1);
    gives(&w, CU_PURPOSE_LOG, &made[1]);
    assert_said(OK, proposes(&w, ORG));
    const cu_hash id = p.sub.id;
    assert_ptr_equal(cu_members_newest(now(), 1, CU_PURPOSE_LOG), cu_members_key(now(), kid_of(ORG_LOG)));
    assert_said(OK, approves(ORG, &id));
    assert_memory_equal(cu_members_newest(now(), 1, CU_PURPOSE_LOG)->kid.b, made[1].id.b, 32);
}

static void only_organisations_propose_and_approve(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_POLICY, 0);
    asks(&w, 2, 0);
    static const enum who others[] = { OFFICER, PROVIDER };
    for (size_t i = 0; i < 2; i++) assert_said(WRONG_ROLE, proposes(&w, others[i]));
    assert_said(UNKNOWN_KEY, proposes(&w, STRANGER));
    assert_said(OK, proposes(&w, ORG3));
    const cu_hash id = p.sub.id, other = { { 1 } };
    for (size_t i = 0; i < 2; i++) assert_said(WRONG_ROLE, approves(others[i], &id));
    assert_said(UNKNOWN_TARGET, approves(ORG, &other));
}

static void a_proposal_ends_by_its_time_or_by_the_next_of_the_same_organisation(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_POLICY, 0);
    asks(&w, 2, 0);
    w.body.until = p.now - 1;
    assert_said(STALE, proposes(&w, ORG));
    w.body.until = p.now;
    assert_said(OK, proposes(&w, ORG));
    const cu_hash first = p.sub.id;
    assert_said(OK, approves(ORG2, &first));
    play_close(&p);
    assert_said(STALE, approves(ORG3, &first)); /* a second later */
    w = wish(CU_CHANGE_POLICY, 0);
    asks(&w, 3, 0);
    assert_said(OK, proposes(&w, ORG));
    const cu_hash second = p.sub.id;
    assert_said(OK, proposes(&w, ORG2)); /* another's is another */
    w.body.time++;
    assert_said(OK, proposes(&w, ORG));
    assert_said(UNKNOWN_TARGET, approves(ORG3, &first));
    assert_said(UNKNOWN_TARGET, approves(ORG3, &second));
    assert_int_equal(now()->proposals_n, 2);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------ */

static void a_new_log_key_takes_the_place_of_the_old_one_and_both_are_known_by_position(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_KEYS, 3);
    gives(&w, CU_PURPOSE_LOG, &made[1]);
    const uint64_t at = decide(&w);
    const struct cu_members *m = now();
    assert_memory_equal(cu_members_acting(m, 3, CU_PURPOSE_LOG, (cu_seq){ at - 1 })->kid.b, kid_of(ORG3_LOG)->b, 32);
    assert_null(cu_members_acting(m, 3, CU_PURPOSE_LOG, (cu_seq){ at }));
    assert_memory_equal(cu_members_acting(m, 3, CU_PURPOSE_LOG, (cu_seq){ at + 1 })->kid.b, made[1].id.b, 32);
    assert_int_equal(cu_members_key(m, kid_of(ORG3_LOG))->until_seq, at);
    w = wish(CU_CHANGE_KEYS, 1);
    gives(&w, CU_PURPOSE_LOG, &made[1]);
    assert_said(BAD_KEY, proposes(&w, ORG)); /* listed, at another */
    w = wish(CU_CHANGE_KEYS, 1);
    gives(&w, CU_PURPOSE_LOG, &play_keys[ORG3_LOG]);
    assert_said(BAD_KEY, proposes(&w, ORG)); /* and for good */
}

static void a_stolen_statement_key_is_replaced_by_the_others(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_KEYS, 4);
    gives(&w, CU_PURPOSE_STATEMENT, &made[0]);
    revokes(&w, kid_of(ORG4), 3);
    const uint64_t at = decide(&w);
    assert_said(REVOKED, opens_case(&p, ORG4, 9));
    assert_int_equal(cu_members_key(now(), kid_of(ORG4))->since_seq, 3);
    assert_int_equal(cu_members_key(now(), &made[0].id)->from_seq, at + 1);
    w = wish(CU_CHANGE_POLICY, 0);
    asks(&w, 2, 0);
    assert_said(OK, proposes(&w, ORG));
    const cu_hash id = p.sub.id;
    assert_said(OK, approves_by(&made[0], &id));
}

static void what_does_not_hold_is_not_proposed(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_KEYS, 3);
    gives(&w, CU_PURPOSE_LOG, &made[0]); /* ES256 */
    assert_said(BAD_KEY, proposes(&w, ORG));
    w = wish(CU_CHANGE_KEYS, 3);
    gives(&w, CU_PURPOSE_LOG, &made[1]);
    w.keys_mem[w.keys.n - 1] ^= 1; /* the proof */
    assert_said(BAD_SIGNATURE, proposes(&w, ORG));
    w = wish(CU_CHANGE_KEYS, 3);
    revokes(&w, kid_of(ORG3), CU_NOT_COMPROMISED);
    assert_said(NOT_ALLOWED, proposes(&w, ORG)); /* none would be left */
    w = wish(CU_CHANGE_KEYS, 3);
    gives(&w, CU_PURPOSE_STATEMENT, &made[0]);
    revokes(&w, kid_of(ORG2), 3);
    assert_said(UNKNOWN_KEY, proposes(&w, ORG));
    w = wish(CU_CHANGE_KEYS, 3);
    gives(&w, CU_PURPOSE_STATEMENT, &made[0]);
    revokes(&w, kid_of(ORG3), 1000);
    assert_said(OUT_OF_ORDER, proposes(&w, ORG));
    w = wish(CU_CHANGE_KEYS, 3);
    revokes(&w, kid_of(ORG3_LOG), 3);
    assert_said(WRONG_ROLE, proposes(&w, ORG));
    static const uint64_t not_such[] = { 5, 6, 8, 64 };
    for (size_t i = 0; i < 4; i++) {
        w = wish(CU_CHANGE_KEYS, not_such[i]);
        gives(&w, CU_PURPOSE_LOG, &made[1]);
        assert_said(WRONG_ROLE, proposes(&w, ORG));
        w = wish(CU_CHANGE_LEAVE, not_such[i]);
        assert_said(WRONG_ROLE, proposes(&w, ORG));
    }
    w = wish(CU_CHANGE_POLICY, 0);
    asks(&w, 5, 0);
    assert_said(NOT_ALLOWED, proposes(&w, ORG));
    asks(&w, 1, 0);
    w.body.terms.cosigners = 1;
    assert_said(NOT_ALLOWED, proposes(&w, ORG)); /* nobody has a key for it */
    asks(&w, 1, 5);
    assert_said(NOT_ALLOWED, proposes(&w, ORG)); /* the provider */
    assert_int_equal(now()->proposals_n, 0);
    assert_int_equal(now()->parties_n, 7);
}

static void what_held_when_it_was_proposed_must_hold_when_it_takes_effect(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_KEYS, 3);
    gives(&w, CU_PURPOSE_LOG, &made[1]);
    assert_said(OK, proposes(&w, ORG3));
    const cu_hash late = p.sub.id;
    w = wish(CU_CHANGE_KEYS, 4);
    gives(&w, CU_PURPOSE_LOG, &made[1]); /* the same key */
    decide(&w);
    assert_said(OK, approves(ORG, &late));
    assert_said(OK, approves(ORG2, &late));
    assert_said(BAD_KEY, approves(ORG3, &late));
    assert_memory_equal(cu_members_newest(now(), 3, CU_PURPOSE_LOG)->kid.b, kid_of(ORG3_LOG)->b, 32);
}

/* ---- joining and leaving --------------------------------------------------------------------------------------------- */

static void who_joins_acts_after_its_own_confirm_and_counts_from_then_on(void **state)
{
    (void)state;
    struct wish w = joining(NEXT, 0);
    decide(&w);
    assert_int_equal(now()->organisations, 4);
    assert_null(cu_members_acting(now(), NEXT, CU_PURPOSE_LOG, (cu_seq){ 1000 }));
    w = wish(CU_CHANGE_POLICY, 0);
    asks(&w, 2, 0);
    assert_said(OK, proposes(&w, ORG));
    const cu_hash id = p.sub.id;
    assert_said(NOT_CONFIRMED, approves_by(&made[0], &id));
    assert_said(OK, confirms_later(NEXT, 0));
    const uint64_t at = p.sub.seq.v;
    assert_int_equal(now()->organisations, 5);
    assert_int_equal(cu_members_acting(now(), NEXT, CU_PURPOSE_LOG, (cu_seq){ at + 1 })->from_seq, at + 1);
    assert_said(OK, approves(ORG, &id));
    assert_said(OK, approves(ORG2, &id));
    assert_said(OK, approves_by(&made[0], &id));
    assert_int_equal(now()->terms.copies, 1); /* three of five are not more than two thirds */
    assert_said(OK, approves(ORG4, &id));
    assert_int_equal(now()->terms.copies, 2);
    assert_said(DUPLICATE, confirms_later(NEXT, 0));
}

static void a_new_organisation_has_the_next_number_and_keys_as_the_others(void **state)
{
    (void)state;
    static const uint64_t not_next[] = { 1, 5, 9 };
    for (size_t i = 0; i < 3; i++) {
        struct wish w = joining(not_next[i], 0);
        assert_said(OUT_OF_ORDER, proposes(&w, ORG));
    }
    struct wish w = wish(CU_CHANGE_JOIN, NEXT);
    gives(&w, CU_PURPOSE_STATEMENT, &made[0]);
    assert_said(MISSING_SIGNATURE, proposes(&w, ORG));
    w = joining(NEXT, 0);
    assert_said(OK, proposes(&w, ORG));
    w = joining(NEXT + 1, 1); /* the number before is taken, though nobody approved */
    assert_said(OK, proposes(&w, ORG2));
    w = joining(NEXT, 2); /* and may be proposed again */
    assert_said(OK, proposes(&w, ORG3));
    assert_said(UNKNOWN_KEY, confirms_later(NEXT, 0));
}

static void who_leaves_keeps_nothing_that_acts(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_POLICY, 0);
    asks(&w, 2, 0);
    assert_said(OK, proposes(&w, ORG));
    const cu_hash of_the_first = p.sub.id;
    assert_said(OK, opens_case(&p, OFFICER, 1));
    w = wish(CU_CHANGE_LEAVE, 1);
    const uint64_t at = decide(&w);
    assert_said(REVOKED, opens_case(&p, ORG, 9));
    assert_said(REVOKED, opens_case(&p, OFFICER, 9)); /* whom it ran */
    assert_said(UNKNOWN_TARGET, approves(ORG2, &of_the_first));
    for (size_t i = 0; i < now()->keys_n; i++)
        if (cu_members_party(now(), now()->key[i].party)->organisation == 1) assert_int_equal(now()->key[i].until_seq, at);
    assert_int_equal(now()->organisations, 3);
    assert_said(REVOKED, confirms(&p, 1, 0));
    w = wish(CU_CHANGE_KEYS, 1);
    gives(&w, CU_PURPOSE_LOG, &made[1]);
    assert_said(WRONG_ROLE, proposes(&w, ORG2));
    w = wish(CU_CHANGE_LEAVE, 1);
    w.body.time++;
    assert_said(WRONG_ROLE, proposes(&w, ORG2));
}

static void those_that_are_left_can_decide_and_meet_what_is_asked(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_POLICY, 0);
    asks(&w, 4, 4);
    decide(&w);
    w = wish(CU_CHANGE_LEAVE, 4);
    assert_said(NOT_ALLOWED, proposes(&w, ORG));
    asks(&w, 3, 4);
    assert_said(NOT_ALLOWED, proposes(&w, ORG)); /* it must hold no copy any more */
    asks(&w, 3, 0);
    decide(&w);
    assert_int_equal(now()->organisations, 3);
    stop(state);
    start_with(1);
    w = wish(CU_CHANGE_LEAVE, 1);
    asks(&w, 0, 0);
    assert_said(NOT_ALLOWED, proposes(&w, ORG)); /* the last one stays */
}

static void an_organisation_that_never_confirmed_counts_and_can_be_sent_away(void **state)
{
    stop(state);
    play_begin(&p, NULL, 4);
    p.policy.cosigners = 0;
    assert_said(OK, founds(&p));
    for (uint64_t i = 1; i <= 3; i++) assert_said(OK, confirms(&p, i, 0));
    play_close(&p);
    assert_int_equal(now()->organisations, 4);
    struct wish w = wish(CU_CHANGE_LEAVE, 3); /* two of three would not be more than two thirds */
    assert_said(NOT_ALLOWED, proposes(&w, ORG));
    w = wish(CU_CHANGE_KEYS, 4);
    gives(&w, CU_PURPOSE_LOG, &made[1]);
    assert_said(NOT_CONFIRMED, proposes(&w, ORG));
    w = wish(CU_CHANGE_LEAVE, 4);
    decide(&w);
    assert_int_equal(now()->organisations, 3);
    assert_said(REVOKED, confirms(&p, 4, 0));
}

/* ---- rules ------------------------------------------------------------------------------------------------------------ */

static void new_rules_begin_at_a_height_and_a_program_without_them_stops(void **state)
{
    (void)state;
    struct wish w = wish(CU_CHANGE_POLICY, 0);
    w.body.has_rules = true;
    w.body.rules = (struct cu_new_rules){ 3, p.height + 3 };
    assert_said(OUT_OF_ORDER, proposes(&w, ORG)); /* one by one */
    w.body.rules = (struct cu_new_rules){ 2, p.height };
    assert_said(STALE, proposes(&w, ORG));
    w.body.rules.height = p.height + 2;
    decide(&w);
    w.body.rules = (struct cu_new_rules){ 3, p.height + 9 };
    assert_said(OUT_OF_ORDER, proposes(&w, ORG)); /* while these wait */
    play_close(&p);
    const uint64_t begins = cu_ledger_members(p.l)->rules.height;
    assert_int_equal(cu_members_rules(cu_ledger_members(p.l), begins - 1), 1);
    assert_int_equal(cu_members_rules(cu_ledger_members(p.l), begins), 2);
    assert_said(OK, opens_case(&p, OFFICER, 1)); /* the height before */
    play_close(&p);
    assert_fails(NEWER_FORMAT, p.m.begin(p.m.self, p.height + 1, (cu_unix_ms){ p.now }, &err));
}

/* ---- the state holds it ------------------------------------------------------------------------------------------------ */

static void a_replay_and_what_an_opening_reads_know_the_same(void **state)
{
    static struct cu_founding from_rows;
    struct cu_ledger *again;

    (void)state;
    struct wish w = joining(NEXT, 0);
    asks(&w, 2, 2);
    decide(&w);
    play_close(&p);
    assert_said(OK, confirms_later(NEXT, 0));
    w = wish(CU_CHANGE_KEYS, 3);
    gives(&w, CU_PURPOSE_STATEMENT, &made[2]);
    gives(&w, CU_PURPOSE_LOG, &made[3]);
    revokes(&w, kid_of(ORG3), 3);
    assert_said(OK, proposes(&w, ORG4)); /* open */
    const cu_hash id = p.sub.id;
    assert_said(OK, approves(ORG, &id));
    w = wish(CU_CHANGE_LEAVE, 1);
    w.body.has_rules = true;
    w.body.rules = (struct cu_new_rules){ 2, 500 };
    assert_said(OK, proposes(&w, ORG2));
    play_close(&p);
    assert_ok(cu_ledger_open(NULL, "node/state", &again, &err));
    struct cu_machine m = cu_ledger_machine(again);
    for (size_t i = 0; i < p.batches_n; i++) replay_batch(&m, &p, &p.batch[i]);
    const cu_hash here = state_hash_of(p.l), there = state_hash_of(again);
    assert_memory_equal(here.b, there.b, 32);
    assert_ok(cu_founding_get(&p.l->state, &from_rows, &err));
    const struct cu_members *a = &from_rows.members, *b = cu_ledger_members(p.l);
    assert_memory_equal(a->party, b->party, sizeof a->party);
    assert_memory_equal(a->key, b->key, sizeof a->key);
    assert_memory_equal(&a->terms, &b->terms, sizeof a->terms);
    assert_memory_equal(&a->rules, &b->rules, sizeof a->rules);
    assert_int_equal(a->organisations, b->organisations);
    assert_int_equal(a->proposals_n, 2);
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 2; k++)
            if (a->proposal[i].organisation == b->proposal[k].organisation)
                assert_memory_equal(&a->proposal[i], &b->proposal[k], sizeof a->proposal[i]);
    cu_state_undo(&p.l->state);
    cu_ledger_close(again);
}

static void an_abandoned_batch_changed_nothing(void **state)
{
    (void)state;
    struct wish w = joining(NEXT, 0);
    decide(&w);
    assert_non_null(cu_members_party(cu_ledger_members_next(p.l), NEXT));
    play_abandon(&p);
    assert_null(cu_members_party(cu_ledger_members_next(p.l), NEXT));
    decide(&w);
}

static void sixteen_proposals_are_open_and_the_one_that_ends_first_gives_way(void **state)
{
    static struct cu_members m;
    struct cu_statement st = { .kind = CU_KIND_PROPOSE };

    (void)state;
    m = *now();
    m.partial = true;
    for (uint64_t i = 0; i <= CU_PROPOSALS_MAX; i++) { /* as if so many organisations had one */
        for (size_t k = 0; k < m.proposals_n; k++) m.proposal[k].organisation = 10 + m.proposal[k].seq;
        st.body.propose = (struct cu_propose){ .change = CU_CHANGE_POLICY, .until = i == 3 ? 1 : 100 + i };
        st.id.b[0] = (uint8_t)(i + 1);
        st.kid = *kid_of(ORG);
        assert_ok(cu_members_propose(&m, &st, (cu_seq){ 50 + i }, &p.by, &err));
    }
    assert_int_equal(m.proposals_n, CU_PROPOSALS_MAX);
    for (size_t k = 0; k < m.proposals_n; k++) assert_int_not_equal(m.proposal[k].seq, 53);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(three_of_four_decide_and_two_do_not),
        TEST(an_organisation_alone_decides_by_its_own_approval),
        TEST(only_organisations_propose_and_approve),
        TEST(a_proposal_ends_by_its_time_or_by_the_next_of_the_same_organisation),
        TEST(a_new_log_key_takes_the_place_of_the_old_one_and_both_are_known_by_position),
        TEST(a_stolen_statement_key_is_replaced_by_the_others),
        TEST(what_does_not_hold_is_not_proposed),
        TEST(what_held_when_it_was_proposed_must_hold_when_it_takes_effect),
        TEST(who_joins_acts_after_its_own_confirm_and_counts_from_then_on),
        TEST(a_new_organisation_has_the_next_number_and_keys_as_the_others),
        TEST(who_leaves_keeps_nothing_that_acts),
        TEST(those_that_are_left_can_decide_and_meet_what_is_asked),
        TEST(an_organisation_that_never_confirmed_counts_and_can_be_sent_away),
        TEST(new_rules_begin_at_a_height_and_a_program_without_them_stops),
        TEST(a_replay_and_what_an_opening_reads_know_the_same),
        TEST(an_abandoned_batch_changed_nothing),
        TEST(sixteen_proposals_are_open_and_the_one_that_ends_first_gives_way),
    };
    return cmocka_run_group_tests(tests, make_more, free_more);
}
