/* A case on its way out, stopped after any effect and failed at any call, of the ledger and of the package: a package is there and verifies,
 * with the disclosure on record before it got its name, or there is none and it is told. */
#include "service_package.h"

#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static cu_status export(struct service_world *w, struct cu_err *err)
{
    CU_CLEANUP(sw_package_free) struct sw_package p = { 0 };

    TRY(sw_open(w, SW_WRITE, err));
    const cu_status exported = sw_export(w, "unfiled", &p, err);
    CU_ASSERT(exported == CU_OK || exported != CU_CORRUPT || w->rotten || w->unreadable);
    TRY(exported);
    return sw_close(w, err);
}

static const struct sw_story story = { .name = "export", .act = export, .stride = 7, .call_stride = 11 };

static void power_lost_while_a_case_is_exported_loses_nothing(void **state)
{
    (void)state;
    sw_stop_everywhere(&story);
}

static void any_call_that_fails_while_a_case_is_exported_is_told(void **state)
{
    (void)state;
    sw_fail_everywhere(&story);
}

static void any_call_of_the_package_that_fails_leaves_none(void **state)
{
    struct service_world *w = sw_new();
    struct cu_err err = { 0 };
    unsigned long long n = 1;

    (void)state;
    if (sw_create(w, &err) != CU_OK || sw_open(w, SW_WRITE, &err) != CU_OK) fail_msg("a ledger: %s", err.text);
    w->deposits_max = 3;
    if (sw_deposit(w, (const char *const[]){ SW_BASE, SW_FOLDER, SW_LARGE }, 3, false, &err) != CU_OK)
        fail_msg("deposits: %s", err.text);
    for (cu_status status = CU_NO_SPACE; status != CU_OK; n++) {
        CU_CLEANUP(sw_package_free)
        struct sw_package p = { .fails = n, .parts = "unfiled/1:5000-20000,unfiled/2/b.bin:4000-9000" };
        status = sw_export(w, "unfiled", &p, &err);
        if (status == CU_OK && p.calls >= n) fail_msg("call %llu failed, and nobody said so", n);
        if (status != CU_OK && status != CU_NO_SPACE) fail_msg("call %llu: %s", n, err.text);
    }
    assert_true(n > 50);
    if (sw_close(w, &err) != CU_OK) fail_msg("%s", err.text);
    sw_restart(w);
    const char *wrong = sw_judge(w);
    if (wrong) fail_msg("%s", wrong);
    sw_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_lost_while_a_case_is_exported_loses_nothing),
        cmocka_unit_test(any_call_that_fails_while_a_case_is_exported_is_told),
        cmocka_unit_test(any_call_of_the_package_that_fails_leaves_none),
    };
    return cmocka_run_group_tests(tests, sw_prepare, sw_release);
}
