/* Rule (21), as conversations: who becomes a member, who gets a key to sign or to be sealed for, and whose was revoked. */
#include "play.h"

#include "custody/age.h"
#include "ledger/inside.h"

static struct play p;

/* Two organisations; 3 the provider, 4 and 5 the depositors of the first: the next member is 6. */
static int start_with(uint64_t orgs)
{
    play_begin(&p, NULL, orgs);
    play_said(&p, founds(&p), CU_OK, __FILE__, __LINE__);
    for (uint64_t i = 1; i <= orgs; i++) play_said(&p, confirms(&p, i, 0), CU_OK, __FILE__, __LINE__);
    play_close(&p);
    play_said(&p, opens_case(&p, OFFICER, 1), CU_OK, __FILE__, __LINE__);
    play_close(&p);
    return 0;
}

static int start(void **state) { return (void)state, start_with(2); }

static int stop(void **state)
{
    (void)state;
    play_close(&p);
    play_stop(&p);
    return 0;
}

/* ---- what a member entry says ---------------------------------------------------------------------------------------- */

struct wish {
    struct cu_member body;
    uint8_t keys_mem[4096], revoked_mem[1024];
    struct cu_buf keys, revoked;
};

static struct wish wish(uint64_t party, uint64_t role)
{
    return (struct wish){
        .body = { .time = p.now, .seen = newest(&p), .party = party, .role = role, .commitment = play_commitment() }
    };
}

static void gives(struct wish *w, enum cu_purpose purpose, const struct cu_public_key *pub, const struct cu_private_key *by)
{
    struct cu_given_key key = { .purpose = purpose, .neg_alg = (uint64_t)-pub->alg, .pub = cu_public_span(pub) };
    uint8_t message[128];
    size_t n = cu_possession_message(&p.network, purpose, pub, message);

    if (w->body.keys.n++ == 0) w->keys = cu_buf_over(w->keys_mem, sizeof w->keys_mem);
    assert_ok(cu_sign(by, cu_span(message, n), key.proof, &err));
    assert_ok(cu_schema_write(&cu_given_key_schema, &key, &w->keys, &err));
}

static struct cu_public_key sealing_key(void)
{
    struct cu_public_key pub = { .alg = CU_ALG_X25519 };
    struct cu_age_identity identity;

    assert_ok(cu_age_identity_generate(&identity, &err));
    memcpy(pub.bytes, identity.recipient.share, 32);
    cu_age_identity_free(&identity);
    return pub;
}

static struct cu_public_key gives_sealing(struct wish *w, enum who voucher)
{
    struct cu_public_key pub = sealing_key();

    gives(w, CU_PURPOSE_SEALING, &pub, &play_keys[voucher]);
    return pub;
}

static void revokes(struct wish *w, const cu_hash *kid, uint64_t since)
{
    const struct cu_revoked revoked = { *kid, since };

    if (w->body.revoked.n++ == 0) w->revoked = cu_buf_over(w->revoked_mem, sizeof w->revoked_mem);
    assert_ok(cu_schema_write(&cu_revoked_schema, &revoked, &w->revoked, &err));
}

static cu_status says(struct wish *w, enum who who)
{
    w->body.keys.bytes = cu_buf_span(&w->keys);
    w->body.revoked.bytes = cu_buf_span(&w->revoked);
    return say(&p, CU_KIND_MEMBER, who, &w->body);
}

/* ---- enrolment -------------------------------------------------------------------------------------------------------- */

static void a_reader_is_sealed_for_and_says_nothing(void **state)
{
    (void)state;
    struct wish w = wish(6, CU_ROLE_READER);
    struct cu_public_key sealing = gives_sealing(&w, ORG2);
    assert_said(OK, says(&w, ORG2));
    const cu_seq at = p.sub.seq;
    play_close(&p);
    const struct cu_members *m = cu_ledger_members(p.l);
    const struct cu_member_key *key = cu_members_sealing(m, 6);
    assert_int_equal(cu_members_party(m, 6)->organisation, 2);
    assert_memory_equal(key->pub.bytes, sealing.bytes, 32);
    assert_int_equal(key->from_seq, at.v + 1);
    assert_ptr_equal(cu_members_key(m, &key->kid), key);
    assert_null(cu_members_sealing(m, 4));
    assert_fails(WRONG_ROLE, cu_members_may(m, &key->kid, CU_KIND_CASE, (cu_seq){ 99 }, &key, &err));
}

static void a_known_member_gets_a_sealing_key_for_which_its_own_key_vouches(void **state)
{
    (void)state;
    static const enum who others[] = { CLERK, ORG };
    for (size_t i = 0; i < 2; i++) {
        struct wish w = wish(4, CU_ROLE_DEPOSITOR);
        gives_sealing(&w, others[i]);
        assert_said(BAD_SIGNATURE, says(&w, ORG));
    }
    struct wish w = wish(4, CU_ROLE_DEPOSITOR);
    gives_sealing(&w, OFFICER);
    assert_said(OK, says(&w, ORG));
    w = wish(1, CU_ROLE_ORGANISATION);
    gives_sealing(&w, ORG);
    assert_said(OK, says(&w, ORG));
    play_close(&p);
    assert_non_null(cu_members_sealing(cu_ledger_members(p.l), 4));
    assert_non_null(cu_members_sealing(cu_ledger_members(p.l), 1));
}

static void nobody_speaks_for_another_organisations_members(void **state)
{
    (void)state;
    struct wish w = wish(4, CU_ROLE_DEPOSITOR);
    gives_sealing(&w, OFFICER);
    assert_said(WRONG_ROLE, says(&w, ORG2));
    w = wish(1, CU_ROLE_ORGANISATION);
    gives_sealing(&w, ORG);
    assert_said(WRONG_ROLE, says(&w, ORG2));
    w = wish(6, CU_ROLE_READER);
    gives_sealing(&w, ORG);
    assert_said(BAD_SIGNATURE, says(&w, ORG2)); /* the first organisation vouched, the second says it */
    assert_said(WRONG_ROLE, says(&w, OFFICER));
    assert_said(WRONG_ROLE, says(&w, PROVIDER));
    assert_said(UNKNOWN_KEY, says(&w, STRANGER));
}

static void no_organisation_comes_later_and_the_next_number_is_next(void **state)
{
    (void)state;
    struct wish w = wish(7, CU_ROLE_READER);
    gives_sealing(&w, ORG);
    assert_said(OUT_OF_ORDER, says(&w, ORG));
    static const uint64_t not_such[] = { CU_ROLE_ORGANISATION, CU_ROLE_DEPOSITOR | CU_ROLE_READER, 256 };
    for (size_t i = 0; i < sizeof not_such / sizeof *not_such; i++) {
        w = wish(6, not_such[i]);
        gives_sealing(&w, ORG);
        assert_said(WRONG_ROLE, says(&w, ORG));
    }
    w = wish(4, CU_ROLE_READER); /* a depositor */
    gives_sealing(&w, OFFICER);
    assert_said(WRONG_ROLE, says(&w, ORG));
}

static void a_key_is_given_once_and_is_one_to_seal_for(void **state)
{
    (void)state;
    struct wish w = wish(6, CU_ROLE_READER);
    struct cu_public_key sealing = gives_sealing(&w, ORG);
    gives(&w, CU_PURPOSE_SEALING, &sealing, &play_keys[ORG]);
    assert_said(BAD_KEY, says(&w, ORG));
    static const enum cu_purpose others[] = { CU_PURPOSE_LOG, CU_PURPOSE_TLS };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        w = wish(6, CU_ROLE_READER);
        gives(&w, others[i], &play_keys[STRANGER].pub, &play_keys[STRANGER]);
        assert_said(WRONG_ROLE, says(&w, ORG));
    }
    w = wish(6, CU_ROLE_READER);
    gives(&w, CU_PURPOSE_SEALING, &play_keys[STRANGER].pub, &play_keys[ORG]); /* of another algorithm */
    assert_said(BAD_KEY, says(&w, ORG));
    const struct cu_public_key zero = { .alg = CU_ALG_X25519 };
    w = wish(6, CU_ROLE_READER);
    gives(&w, CU_PURPOSE_SEALING, &zero, &play_keys[ORG]); /* of small order */
    assert_said(BAD_KEY, says(&w, ORG));
    assert_int_equal(cu_acting(p.l)->members.parties_n, 5); /* what was refused left nothing */
    assert_int_equal(cu_acting(p.l)->members.keys_n, 7);
}

static void a_ledger_has_so_many_parties_and_keys_and_no_more(void **state)
{
    (void)state;
    for (uint64_t party = 6; party <= CU_PARTIES_MAX + 1; party++) {
        struct wish w = wish(party, CU_ROLE_READER);
        w.body.party = party <= CU_PARTIES_MAX ? party : CU_PARTIES_MAX;
        gives_sealing(&w, ORG);
        if (party <= CU_PARTIES_MAX) assert_said(OK, says(&w, ORG));
    }
    for (size_t n = cu_acting(p.l)->members.keys_n; n < CU_KEYS_MAX; n++) {
        struct wish w = wish(64, CU_ROLE_READER);
        gives_sealing(&w, ORG);
        assert_said(OK, says(&w, ORG));
    }
    struct wish w = wish(64, CU_ROLE_READER);
    gives_sealing(&w, ORG);
    assert_said(TOO_LARGE, says(&w, ORG));
}

/* ---- revocation ------------------------------------------------------------------------------------------------------- */

static void a_revoked_key_is_not_sealed_for_any_more(void **state)
{
    (void)state;
    struct wish w = wish(6, CU_ROLE_READER);
    struct cu_public_key old = gives_sealing(&w, ORG);
    const cu_hash kid = cu_key_id(&old);
    assert_said(OK, says(&w, ORG));
    w = wish(6, CU_ROLE_READER);
    struct cu_public_key new = gives_sealing(&w, ORG); /* in the entry that revokes the old one */
    revokes(&w, &kid, 3);
    assert_said(OK, says(&w, ORG));
    const cu_seq at = p.sub.seq;
    play_close(&p);
    const struct cu_members *m = cu_ledger_members(p.l);
    assert_memory_equal(cu_members_sealing(m, 6)->pub.bytes, new.bytes, 32);
    assert_int_equal(cu_members_key(m, &kid)->until_seq, at.v);
    assert_int_equal(cu_members_key(m, &kid)->since_seq, 3);
    w = wish(6, CU_ROLE_READER);
    revokes(&w, &kid, 3);
    assert_said(DUPLICATE, says(&w, ORG));
    w = wish(6, CU_ROLE_READER);
    gives(&w, CU_PURPOSE_SEALING, &old, &play_keys[ORG]); /* nor is it given again */
    assert_said(BAD_KEY, says(&w, ORG));
}

static void a_revocation_speaks_of_the_past_and_of_the_members_own_keys(void **state)
{
    (void)state;
    struct wish w = wish(6, CU_ROLE_READER);
    struct cu_public_key sealing = gives_sealing(&w, ORG);
    const cu_hash kid = cu_key_id(&sealing);
    assert_said(OK, says(&w, ORG));
    w = wish(4, CU_ROLE_DEPOSITOR);
    revokes(&w, &kid, 3);
    assert_said(UNKNOWN_KEY, says(&w, ORG));
    w = wish(1, CU_ROLE_ORGANISATION);
    revokes(&w, kid_of(ORG_LOG), 3);
    assert_said(WRONG_ROLE, says(&w, ORG));
    w = wish(6, CU_ROLE_READER);
    revokes(&w, &kid, 1000);
    assert_said(OUT_OF_ORDER, says(&w, ORG));
    w = wish(6, CU_ROLE_READER);
    revokes(&w, &kid, CU_NOT_COMPROMISED);
    assert_said(OK, says(&w, ORG));
    play_close(&p);
    assert_null(cu_members_sealing(cu_ledger_members(p.l), 6));
    assert_int_equal(cu_members_key(cu_ledger_members(p.l), &kid)->since_seq, CU_NOT_COMPROMISED);
}

/* ---- who speaks --------------------------------------------------------------------------------------------------------- */

static const uint64_t all_roles[] = { CU_ROLE_DEPOSITOR, CU_ROLE_PROVIDER, CU_ROLE_ORGANISATION,  CU_ROLE_READER,
                                      CU_ROLE_AUDITOR,   CU_ROLE_OPERATOR, CU_ROLE_ADMINISTRATOR, CU_ROLE_NODE };

/* The stranger's key becomes that of party 6 in this role; of an organisation, the second key of party 1. */
static cu_status joins(uint64_t role, enum who by)
{
    struct wish w = wish(role == CU_ROLE_ORGANISATION ? 1 : 6, role);

    gives(&w, CU_PURPOSE_STATEMENT, &play_keys[STRANGER].pub, &play_keys[STRANGER]);
    return says(&w, by);
}

static void a_key_acts_from_the_entry_after_its_enrolment_until_its_revocation(void **state)
{
    (void)state;
    assert_said(UNKNOWN_KEY, opens_case(&p, STRANGER, 7));
    assert_said(OK, joins(CU_ROLE_DEPOSITOR, ORG));
    assert_said(OK, opens_case(&p, STRANGER, 7)); /* in the same batch */
    play_close(&p);
    assert_said(OK, opens_case(&p, STRANGER, 8));
    struct wish w = wish(6, CU_ROLE_DEPOSITOR);
    revokes(&w, kid_of(STRANGER), 3);
    assert_said(OK, says(&w, ORG));
    assert_said(REVOKED, opens_case(&p, STRANGER, 9));
    play_close(&p);
    assert_said(REVOKED, opens_case(&p, STRANGER, 9));
    assert_said(BAD_KEY, joins(CU_ROLE_DEPOSITOR, ORG)); /* and never again */
}

static void a_key_that_does_not_prove_itself_is_not_entered(void **state)
{
    (void)state;
    struct wish w = wish(6, CU_ROLE_DEPOSITOR);
    gives(&w, CU_PURPOSE_STATEMENT, &play_keys[STRANGER].pub, &play_keys[ORG]);
    assert_said(BAD_SIGNATURE, says(&w, ORG));
    assert_said(UNKNOWN_KEY, opens_case(&p, STRANGER, 7));
}

static void a_key_of_the_genesis_is_replaced_in_one_entry(void **state)
{
    (void)state;
    struct wish w = wish(4, CU_ROLE_DEPOSITOR);
    gives(&w, CU_PURPOSE_STATEMENT, &play_keys[STRANGER].pub, &play_keys[STRANGER]);
    revokes(&w, kid_of(OFFICER), CU_NOT_COMPROMISED);
    assert_said(OK, says(&w, ORG));
    assert_said(REVOKED, opens_case(&p, OFFICER, 7));
    assert_said(OK, opens_case(&p, STRANGER, 7));
}

static void an_organisation_cannot_be_left_without_a_voice(void **state)
{
    struct wish w = wish(1, CU_ROLE_ORGANISATION);
    revokes(&w, kid_of(ORG), CU_NOT_COMPROMISED);
    gives(&w, CU_PURPOSE_STATEMENT, &play_keys[STRANGER].pub, &play_keys[STRANGER]);
    assert_said(NOT_ALLOWED, says(&w, ORG)); /* of several the others approve of that */
    w = wish(1, CU_ROLE_ORGANISATION);
    gives(&w, CU_PURPOSE_STATEMENT, &play_keys[STRANGER].pub, &play_keys[STRANGER]);
    assert_said(NOT_ALLOWED, says(&w, ORG));
    stop(state);
    start_with(1);
    w = wish(1, CU_ROLE_ORGANISATION);
    revokes(&w, kid_of(ORG), CU_NOT_COMPROMISED);
    assert_said(NOT_ALLOWED, says(&w, ORG));
    gives_sealing(&w, ORG);
    assert_said(UNKNOWN_KEY, says(&w, ORG)); /* nobody is left to vouch */
    w = wish(1, CU_ROLE_ORGANISATION);
    gives(&w, CU_PURPOSE_STATEMENT, &play_keys[STRANGER].pub, &play_keys[STRANGER]);
    revokes(&w, kid_of(ORG), CU_NOT_COMPROMISED);
    assert_said(OK, says(&w, ORG));
    assert_said(REVOKED, opens_case(&p, ORG, 7));
    assert_said(OK, opens_case(&p, STRANGER, 7));
}

/* Does the ledger let the stranger's key sign this kind? */
static bool lets(unsigned act)
{
    const struct cu_member_key *key;

    return cu_members_may(cu_ledger_members(p.l), kid_of(STRANGER), act, (cu_seq){ 1000 }, &key, &err) == CU_OK;
}

/* A new party in this role, or a further key of organisation 1, entered by the stranger. */
static cu_status stranger_enrols(uint64_t role, enum who organisations)
{
    const bool known = role == CU_ROLE_ORGANISATION;
    struct wish w = wish(known ? 1 : cu_acting(p.l)->members.parties_n + 1, role);

    gives_sealing(&w, organisations);
    return says(&w, STRANGER);
}

static void every_role_does_what_the_matrix_says_and_nothing_else(void **state)
{
    for (size_t r = 0; r < sizeof all_roles / sizeof *all_roles; r++) {
        const uint64_t role = all_roles[r];
        if (r > 0 || role == CU_ROLE_ORGANISATION) start_with(role == CU_ROLE_ORGANISATION ? 1 : 2);
        assert_said(OK, joins(role, ORG));
        play_close(&p);
        for (size_t k = 0; k < cu_kinds_n; k++)
            if (lets(cu_kinds[k]) != cu_may(role, cu_kinds[k]))
                fail_msg("%s, %s", cu_role_name(role), cu_kind_row(cu_kinds[k])->name);
        for (unsigned act = CU_ACT_ANSWER_CLAIM; act <= CU_ACT_ANSWER_REFUSAL; act++)
            assert_int_equal(lets(act), cu_may(role, act));
        assert_int_equal(opens_case(&p, STRANGER, 7), cu_may(role, CU_ACT_CASE) ? CU_OK : CU_WRONG_ROLE);
        assert_int_equal(stores(&p, STRANGER, 0, 0), cu_may(role, CU_ACT_STORED) ? CU_OK : CU_WRONG_ROLE);
        assert_int_equal(reads(&p, STRANGER), cu_may(role, CU_ACT_ACCESS) ? CU_OK : CU_WRONG_ROLE);
        for (size_t other = 0; other < sizeof all_roles / sizeof *all_roles; other++)
            assert_int_equal(stranger_enrols(all_roles[other], role == CU_ROLE_ORGANISATION ? STRANGER : ORG),
                             cu_may(role, cu_act_enrol(all_roles[other])) ? CU_OK : CU_WRONG_ROLE);
        if (r + 1 < sizeof all_roles / sizeof *all_roles) stop(state);
    }
}

/* ---- the state holds it ------------------------------------------------------------------------------------------------ */

static void a_replay_of_the_entries_alone_knows_the_same_members(void **state)
{
    static struct cu_founding from_rows;
    struct cu_ledger *again;

    (void)state;
    struct wish w = wish(6, CU_ROLE_READER);
    struct cu_public_key sealing = gives_sealing(&w, ORG);
    const cu_hash kid = cu_key_id(&sealing);
    assert_said(OK, says(&w, ORG));
    play_close(&p);
    w = wish(6, CU_ROLE_READER);
    revokes(&w, &kid, 3);
    assert_said(OK, says(&w, ORG));
    assert_said(OK, deposits(&p, OFFICER, 1));
    play_close(&p);
    assert_ok(cu_ledger_open(NULL, "node/state", &again, &err));
    struct cu_machine m = cu_ledger_machine(again);
    for (size_t i = 0; i < p.batches_n; i++) replay_batch(&m, &p, &p.batch[i]);
    cu_hash here = state_hash_of(p.l), there = state_hash_of(again);
    assert_memory_equal(here.b, there.b, 32);
    assert_memory_equal(cu_ledger_members(p.l), cu_ledger_members(again), sizeof(struct cu_members));
    assert_ok(cu_founding_get(&p.l->state, &from_rows, &err)); /* what an opening reads back is what acts */
    assert_memory_equal(&from_rows.members, cu_ledger_members(p.l), sizeof from_rows.members);
    cu_state_undo(&p.l->state);
    cu_ledger_close(again);
}

static void an_abandoned_batch_enrols_nobody(void **state)
{
    (void)state;
    struct wish w = wish(6, CU_ROLE_READER);
    gives_sealing(&w, ORG);
    assert_said(OK, says(&w, ORG));
    play_abandon(&p);
    assert_null(cu_members_party(cu_ledger_members(p.l), 6));
    assert_said(OK, says(&w, ORG)); /* and it may be said again */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_reader_is_sealed_for_and_says_nothing),
        TEST(a_known_member_gets_a_sealing_key_for_which_its_own_key_vouches),
        TEST(nobody_speaks_for_another_organisations_members),
        TEST(no_organisation_comes_later_and_the_next_number_is_next),
        TEST(a_key_is_given_once_and_is_one_to_seal_for),
        TEST(a_ledger_has_so_many_parties_and_keys_and_no_more),
        TEST(a_revoked_key_is_not_sealed_for_any_more),
        TEST(a_revocation_speaks_of_the_past_and_of_the_members_own_keys),
        TEST(a_key_acts_from_the_entry_after_its_enrolment_until_its_revocation),
        TEST(a_key_that_does_not_prove_itself_is_not_entered),
        TEST(a_key_of_the_genesis_is_replaced_in_one_entry),
        TEST(an_organisation_cannot_be_left_without_a_voice),
        TEST(every_role_does_what_the_matrix_says_and_nothing_else),
        TEST(a_replay_of_the_entries_alone_knows_the_same_members),
        TEST(an_abandoned_batch_enrols_nobody),
    };
    return cmocka_run_group_tests(tests, play_make_keys, play_free_keys);
}
