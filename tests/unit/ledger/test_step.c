/* The rules, one conversation each. The numbers are those at the top of src/ledger/step.c. */
#include "play.h"

static struct play p;

static void an_officer_claims_a_provider_accepts_and_it_is_exhibit_1(void **state)
{
    struct cu_recorded found;
    uint64_t deposits_n;
    cu_seq case_seq;

    (void)state;
    play_start(&p, NULL);
    cu_hash id = claims(&p, OFFICER, 1);
    assert_said(OK, accepts(&p));
    assert_int_equal(p.sub.seq.v, 5); /* genesis, confirm, block, case, block */
    play_close(&p);
    assert_ok(cu_ledger_statement(p.l, &id, &found, &err));
    assert_int_equal(found.seq.v, 5);
    assert_int_equal(found.kind, CU_KIND_DEPOSIT);
    assert_int_equal(found.exhibit, 1);
    assert_ok(cu_ledger_case(p.l, &p.case_id, &deposits_n, &case_seq, &err));
    assert_int_equal(deposits_n, 1);
    assert_int_equal(case_seq.v, 3);
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_officer_claims_a_provider_accepts_and_it_is_exhibit_1),
    };
    return cmocka_run_group_tests(tests, play_make_keys, play_free_keys);
}
