/* What does not come in time, and the other direction: rules (22) to (24), told as conversations. */
#include "ledger/inside.h"
#include "play.h"

static struct play p;
#include "play_notice.h"

/* Organisation 4 runs nobody; 5 is the provider, 6 and 7 are depositors of organisation 1. */
static int start(void **state)
{
    (void)state;
    play_begin(&p, NULL, 4);
    play_said(&p, founds(&p), CU_OK, __FILE__, __LINE__);
    for (uint64_t org = 1; org <= 4; org++) play_said(&p, confirms(&p, org, 0), CU_OK, __FILE__, __LINE__);
    play_close(&p);
    play_said(&p, opens_case(&p, OFFICER, 1), CU_OK, __FILE__, __LINE__);
    play_said(&p, opens_case(&p, OFFICER, 2), CU_OK, __FILE__, __LINE__);
    play_close(&p);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    play_stop(&p);
    return 0;
}

/* ---- (22) (23) --------------------------------------------------------------------------------------------------------- */

static void an_officer_asks_a_provider_deposits_the_police_accept(void **state)
{
    (void)state;
    const cu_hash notice = asked();
    play_close(&p);
    assert_said(OK, acknowledges(PROVIDER, &notice));
    const cu_hash one = claims_against(PROVIDER, &notice, 1);
    assert_said(OK, receives(ORG));
    const cu_hash two = claims_against(PROVIDER, &notice, 2);
    assert_said(OK, receives(OFFICER));
    assert_said(OK, answers(&notice));
    const struct cu_notice_standing s = standing(&notice);
    assert_int_equal(s.deposits, 2);
    assert_true(s.acknowledged && s.answered && !s.reason && !s.timed_out);
    const cu_hash leaves[] = { cu_leaf_hash(cu_span_hash(&one)), cu_leaf_hash(cu_span_hash(&two)) };
    const cu_hash root = cu_node_hash(&leaves[0], &leaves[1]);
    assert_true(cu_hash_eq(&s.root, &root));
    struct cu_recorded r;
    assert_ok(cu_ledger_statement(p.l, &two, &r, &err));
    assert_int_equal(r.exhibit, 2); /* an exhibit like any other */
}

static void a_notice_asks_a_provider_for_an_open_case_by_a_time_to_come(void **state)
{
    struct cu_notice body = a_notice();
    cu_hash id;

    (void)state;
    assert_said(WRONG_ROLE, asks_so(PROVIDER, &body, &id));
    body.provider = 6;
    assert_said(UNKNOWN_TARGET, asks_so(OFFICER, &body, &id));
    body.provider = 60;
    assert_said(UNKNOWN_TARGET, asks_so(OFFICER, &body, &id));
    body = a_notice(), body.case_id.b[0] = 9;
    assert_said(UNKNOWN_CASE, asks_so(OFFICER, &body, &id));
    body = a_notice(), body.deadline = p.now;
    assert_said(STALE, asks_so(OFFICER, &body, &id));
    body.deadline++;
    assert_said(OK, asks_so(ORG2, &body, &id));
    assert_said(DUPLICATE, asks_so(ORG2, &body, &id));
}

static void whoever_is_asked_answers_and_who_asked_accepts(void **state)
{
    struct cu_claim claim = play_claim(&p, 1);
    const cu_hash notice = asked(), unknown = { { 7 } }, none = cu_empty_root();

    (void)state;
    play_close(&p);
    claims_against(OFFICER, &notice, 1);
    assert_said(WRONG_ROLE, receives(ORG)); /* a depositor's claim answers no notice */
    claims_against(PROVIDER, &unknown, 1);
    assert_said(UNKNOWN_TARGET, receives(ORG));
    claims_against(PROVIDER, &notice, 1);
    assert_said(WRONG_ROLE, receives(PROVIDER)); /* nobody signs both */
    assert_said(WRONG_ROLE, receives(ORG2));
    assert_said(WRONG_ROLE, declines(PROVIDER));
    assert_said(WRONG_ROLE, declines(ORG2));
    claim.has_notice = true, claim.notice = notice, claim.case_id.b[0] = 2;
    claims_so(&p, PROVIDER, &claim);
    assert_said(UNKNOWN_CASE, receives(ORG));
    claims(&p, PROVIDER, 1);
    assert_said(WRONG_ROLE, receives(ORG)); /* without a notice the roles are not swapped */
    assert_said(WRONG_ROLE, acknowledges(OFFICER, &notice));
    assert_said(UNKNOWN_TARGET, acknowledges(PROVIDER, &unknown));
    assert_said(WRONG_ROLE, answers_so(ORG, &notice, 0, &none));
    assert_said(UNKNOWN_TARGET, answers_so(PROVIDER, &unknown, 0, &none));
    claims_against(PROVIDER, &notice, 1);
    assert_said(OK, declines(ORG)); /* what came is damaged, */
    assert_said(OK, receives(ORG)); /* then it is not: a deposit outranks */
    assert_said(OK, deposits(&p, OFFICER, 1));
}

static void another_provider_cannot_answer(void **state)
{
    const cu_hash none = cu_empty_root();
    struct cu_notice body = a_notice();
    struct cu_row_notice row;
    cu_hash notice;

    (void)state;
    assert_said(OK, asks_so(OFFICER, &body, &notice));
    const struct cu_row_at at = cu_at(CU_TABLE_NOTICE, cu_span_hash(&notice));
    assert_true(cu_state_get(&p.l->state, at, &row));
    row.provider = 8; /* as if another had been asked */
    cu_state_put(&p.l->state, at, &row);
    assert_said(WRONG_ROLE, acknowledges(PROVIDER, &notice));
    assert_said(WRONG_ROLE, answers_so(PROVIDER, &notice, 0, &none));
    claims_against(PROVIDER, &notice, 1);
    assert_said(WRONG_ROLE, receives(ORG));
}

static void a_notice_is_acknowledged_once(void **state)
{
    const cu_hash notice = asked();

    (void)state;
    assert_said(OK, acknowledges(PROVIDER, &notice));
    const uint64_t at = p.sub.seq.v;
    p.now++;
    assert_said(DUPLICATE, acknowledges(PROVIDER, &notice));
    assert_int_equal(p.sub.seq.v, at);
}

static void an_answer_counts_every_deposit_that_names_the_notice(void **state)
{
    const cu_hash notice = asked(), none = cu_empty_root();

    (void)state;
    assert_said(UNTRUE, answers_so(PROVIDER, &notice, 1, &none));
    assert_said(UNTRUE, answers_so(PROVIDER, &notice, 0, &notice));
    claims_against(PROVIDER, &notice, 1);
    assert_said(OK, receives(ORG));
    const struct cu_notice_standing s = standing(&notice);
    assert_said(UNTRUE, answers_so(PROVIDER, &notice, 0, &none)); /* there is one: "none" is no answer */
    assert_said(UNTRUE, answers_so(PROVIDER, &notice, 2, &s.root));
    assert_said(UNTRUE, answers_so(PROVIDER, &notice, 1, &none));
    assert_said(OK, answers_so(PROVIDER, &notice, 1, &s.root));
    p.now++;
    assert_said(DUPLICATE, answers(&notice));
}

static void an_answer_by_deposits_comes_after_one_that_none_comes_and_nothing_after_it(void **state)
{
    const cu_hash notice = asked();

    (void)state;
    assert_said(OK, answers(&notice));
    const uint64_t at = p.sub.seq.v;
    assert_int_equal(standing(&notice).reason, CU_REASON_NOT_HELD);
    assert_said(DUPLICATE, answers(&notice));
    assert_int_equal(p.sub.seq.v, at);
    claims_against(PROVIDER, &notice, 1);
    assert_said(OK, receives(ORG));
    assert_said(OK, answers(&notice));
    assert_int_equal(standing(&notice).reason, 0);
    claims_against(PROVIDER, &notice, 2);
    assert_said(OK, receives(ORG)); /* evidence is never refused for its lateness */
    assert_said(DUPLICATE, answers(&notice));
}

/* ---- (24) -------------------------------------------------------------------------------------------------------------- */

static void a_notice_times_out_once_and_only_when_its_time_has_passed(void **state)
{
    const struct cu_notice body = a_notice();
    cu_hash notice, unknown = { { 7 } };

    (void)state;
    assert_said(OK, asks_so(OFFICER, &body, &notice));
    wait_until(body.deadline);
    assert_said(UNTRUE, times_out(ORG, &notice)); /* on the last millisecond */
    wait_until(body.deadline + 1);
    assert_said(UNKNOWN_TARGET, times_out(ORG, &unknown));
    assert_said(WRONG_ROLE, times_out(OFFICER, &notice));
    assert_said(WRONG_ROLE, times_out(PROVIDER, &notice));
    assert_said(OK, times_out(ORG3, &notice)); /* any node says so */
    const uint64_t at = p.sub.seq.v;
    assert_said(DUPLICATE, times_out(ORG, &notice));
    assert_int_equal(p.sub.seq.v, at);
    claims_against(PROVIDER, &notice, 1);
    assert_said(OK, receives(ORG)); /* late, and recorded */
    assert_said(OK, answers(&notice));
    assert_int_equal(standing(&notice).timed_out, at);
}

static void an_answered_notice_does_not_time_out(void **state)
{
    const cu_hash notice = asked();

    (void)state;
    claims_against(PROVIDER, &notice, 1);
    assert_said(OK, receives(ORG));
    assert_said(OK, answers(&notice));
    wait_until(p.now + 2 * TIME);
    assert_said(UNTRUE, times_out(ORG, &notice));
}

/* By whichever is later: the claim's own time, or the block that it saw. */
static void a_claim_times_out_once_its_acceptance_would_be_stale(void **state)
{
    struct cu_recorded r;
    cu_hash holder;

    (void)state;
    play_close(&p);
    const cu_hash id = claims(&p, OFFICER, 1);
    const uint64_t due = p.now + AGE;
    wait_until(due);
    assert_said(UNTRUE, claim_times_out(ORG));
    wait_until(due + 1);
    assert_said(WRONG_ROLE, claim_times_out(PROVIDER));
    assert_said(OK, claim_times_out(ORG2));
    assert_said(DUPLICATE, claim_times_out(ORG));
    assert_said(OUTRANKED, refuses(&p));
    assert_said(OUTRANKED, voids(&p, OFFICER, 1, &id));
    play_close(&p);
    assert_ok(cu_ledger_serial(p.l, kid_of(OFFICER), 1, &holder, &err)); /* the number is taken */
    assert_true(cu_hash_eq(&holder, &id));
    assert_ok(cu_ledger_statement(p.l, &id, &r, &err));
    assert_int_equal(r.kind, CU_KIND_TIMEOUT);
    assert_said(OK, accepts(&p)); /* and what comes late is recorded */
    play_close(&p);
    assert_ok(cu_ledger_statement(p.l, &id, &r, &err));
    assert_int_equal(r.kind, CU_KIND_DEPOSIT);
}

static void a_claims_own_time_cannot_be_dated_back(void **state)
{
    struct cu_claim claim = play_claim(&p, 1);
    const uint64_t saw = p.now - 1000; /* when the newest block was closed */

    (void)state;
    claim.time = 1;
    claims_so(&p, OFFICER, &claim);
    wait_until(saw + AGE);
    assert_said(UNTRUE, claim_times_out(ORG));
    wait_until(saw + AGE + 1);
    claim.seen.leaf.b[0] ^= 1;
    claims_so(&p, OFFICER, &claim);
    assert_said(UNKNOWN_BLOCK, claim_times_out(ORG));
    claim.seen.leaf.b[0] ^= 1;
    claims_so(&p, OFFICER, &claim);
    assert_said(OK, claim_times_out(ORG));
}

static void a_settled_claim_does_not_time_out(void **state)
{
    (void)state;
    assert_said(OK, deposits(&p, OFFICER, 1));
    wait_until(p.now + 2 * AGE);
    assert_said(OUTRANKED, claim_times_out(ORG));
    cu_hash id = claims(&p, OFFICER, 2);
    assert_said(OK, voids(&p, OFFICER, 2, &id));
    wait_until(p.now + 2 * AGE);
    assert_said(OUTRANKED, claim_times_out(ORG));
    assert_said(OK, voids(&p, OFFICER, 3, NULL));
    claims(&p, OFFICER, 3);
    wait_until(p.now + 2 * AGE);
    assert_said(SERIAL_TAKEN, claim_times_out(ORG));
    claims(&p, STRANGER, 1);
    wait_until(p.now + 2 * AGE);
    assert_said(UNKNOWN_KEY, claim_times_out(ORG));
    claims(&p, OFFICER, CU_SERIAL_WINDOW + 9);
    wait_until(p.now + 2 * AGE);
    assert_said(BAD_SERIAL, claim_times_out(ORG));
}

static void a_claim_that_answers_a_notice_times_out_like_any(void **state)
{
    const cu_hash notice = asked();

    (void)state;
    play_close(&p);
    claims_against(PROVIDER, &notice, 1);
    wait_until(p.now + AGE + 1);
    assert_said(OK, claim_times_out(ORG));
    assert_said(OK, receives(ORG));
}

/* ---- the state holds it ------------------------------------------------------------------------------------------------ */

static void a_replay_of_the_entries_alone_knows_the_same(void **state)
{
    struct cu_ledger *again;
    const cu_hash notice = asked(), other = (p.now++, asked());

    (void)state;
    assert_said(OK, acknowledges(PROVIDER, &notice));
    claims_against(PROVIDER, &notice, 1);
    assert_said(OK, receives(ORG));
    assert_said(OK, answers(&notice));
    claims(&p, OFFICER, 1);
    wait_until(p.now + TIME + 1);
    assert_said(OK, times_out(ORG, &other));
    assert_said(OK, claim_times_out(ORG));
    play_close(&p);
    assert_ok(cu_ledger_open(NULL, "node/state", &again, &err));
    struct cu_machine m = cu_ledger_machine(again);
    for (size_t i = 0; i < p.batches_n; i++) replay_batch(&m, &p, &p.batch[i]);
    const cu_hash here = state_hash_of(p.l), there = state_hash_of(again);
    assert_memory_equal(here.b, there.b, 32);
    cu_ledger_close(again);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(an_officer_asks_a_provider_deposits_the_police_accept),
        TEST(a_notice_asks_a_provider_for_an_open_case_by_a_time_to_come),
        TEST(whoever_is_asked_answers_and_who_asked_accepts),
        TEST(another_provider_cannot_answer),
        TEST(a_notice_is_acknowledged_once),
        TEST(an_answer_counts_every_deposit_that_names_the_notice),
        TEST(an_answer_by_deposits_comes_after_one_that_none_comes_and_nothing_after_it),
        TEST(a_notice_times_out_once_and_only_when_its_time_has_passed),
        TEST(an_answered_notice_does_not_time_out),
        TEST(a_claim_times_out_once_its_acceptance_would_be_stale),
        TEST(a_claims_own_time_cannot_be_dated_back),
        TEST(a_settled_claim_does_not_time_out),
        TEST(a_claim_that_answers_a_notice_times_out_like_any),
        TEST(a_replay_of_the_entries_alone_knows_the_same),
    };
    return cmocka_run_group_tests(tests, play_make_keys, play_free_keys);
}
