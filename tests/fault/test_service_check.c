/* What cannot be read for a moment is not damaged: a check that a failing read disturbs ends without a verdict or with a good one. */
#include "service_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct service_world *new_ledger(void)
{
    static const char *const paths[] = { SW_BASE, SW_PACKED, SW_LARGE, SW_FOLDER, SW_SMALL };
    struct service_world *w = sw_new();
    struct cu_err err = { 0 };

    if (sw_create(w, &err) != CU_OK || sw_open(w, SW_WRITE, &err) != CU_OK || sw_deposit(w, paths, 5, false, &err) != CU_OK ||
        sw_close(w, &err) != CU_OK)
        fail_msg("a ledger to begin with: %s", err.text);
    return w;
}

/* How many calls a check makes when nothing happens. */
static uint64_t calls_of_check(const struct service_world *from, bool repair)
{
    struct service_world *w = sw_copy(from);
    struct cu_check_result result;
    struct cu_err err = { 0 };
    char finding[600];

    if (sw_check(w, repair, &result, finding, &err) != CU_OK || result.findings)
        fail_msg("a sound ledger: %s%s", err.text, finding);
    const uint64_t calls = w->faulty.calls;
    sw_free(w);
    return calls;
}

static void fail_once(const struct service_world *from, bool repair, uint64_t n, uint64_t *ret_judged)
{
    struct service_world *w = sw_copy(from);
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char finding[600] = "";

    w->faulty.fail_call = n;
    w->faulty.fault = CU_FAULT_IO;
    *ret_judged += sw_check(w, repair, &result, finding, &err) == CU_OK;
    if (result.findings) fail_msg("call %llu%s: %s", (unsigned long long)n, repair ? " of a repair" : "", finding);
    sw_free(w);
}

static void a_read_that_fails_once_is_no_damage(void **state)
{
    struct service_world *from = new_ledger();
    (void)state;

    for (int repair = 0; repair < 2; repair++) {
        uint64_t calls = calls_of_check(from, repair), judged = 0;
        for (uint64_t n = 1; n <= calls; n++) fail_once(from, repair, n, &judged);
        print_message("%llu calls, judged all the same %llu times\n", (unsigned long long)calls, (unsigned long long)judged);
        assert_true(judged > calls / 2);
    }
    sw_free(from);
}

static int set_up(void **state)
{
    (void)state;
    sw_keep();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sw_let_go();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_read_that_fails_once_is_no_damage) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
