/* Deposits, stopped after every effect and failed at every call: nothing that anybody was told of is lost, nothing half done is seen. */
#include "service_world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static cu_status deposit(struct service_world *w, const char *const *paths, size_t n, bool no_wait, struct cu_err *err)
{
    TRY(sw_open(w, SW_WRITE, err));
    TRY(sw_deposit(w, paths, n, no_wait, err));
    return sw_close(w, err);
}

static cu_status small(struct service_world *w, struct cu_err *err)
{
    return deposit(w, (const char *const[]){ SW_SMALL }, 1, false, err);
}
static cu_status packed(struct service_world *w, struct cu_err *err)
{
    return deposit(w, (const char *const[]){ SW_PACKED }, 1, false, err);
}
static cu_status large(struct service_world *w, struct cu_err *err)
{
    return deposit(w, (const char *const[]){ SW_LARGE }, 1, false, err);
}
static cu_status folder(struct service_world *w, struct cu_err *err)
{
    return deposit(w, (const char *const[]){ SW_FOLDER }, 1, false, err);
}
static cu_status two(struct service_world *w, struct cu_err *err)
{
    return deposit(w, (const char *const[]){ SW_PACKED, SW_SMALL }, 2, false, err);
}
static cu_status without_waiting(struct service_world *w, struct cu_err *err)
{
    return deposit(w, (const char *const[]){ SW_PACKED }, 1, true, err);
}
static cu_status twice(struct service_world *w, struct cu_err *err)
{
    return deposit(w, (const char *const[]){ SW_BASE }, 1, false, err);
}

static cu_status claimed(struct service_world *w, struct cu_err *err)
{
    TRY(sw_open(w, SW_WRITE, err));
    TRY(sw_claimed(w, SW_SMALL, err));
    return sw_close(w, err);
}

static const struct sw_story stories[] = {
    { .name = "small", .act = small, .deposits = 1 },
    { .name = "packed", .act = packed, .deposits = 1, .stride = 4, .call_stride = 6 },
    { .name = "large", .act = large, .deposits = 1, .stride = 7, .call_stride = 9 },
    { .name = "folder", .act = folder, .deposits = 1, .stride = 6, .call_stride = 8 },
    { .name = "two", .act = two, .deposits = 2, .stride = 5, .call_stride = 7 },
    { .name = "no-wait", .act = without_waiting, .deposits = 1, .stride = 5, .call_stride = 7 },
    { .name = "linked", .act = twice, .deposits = 1, .stride = 7, .call_stride = 9 },
    { .name = "claim", .act = claimed, .deposits = 1, .stride = 8, .call_stride = 10 },
};
#define STORIES (sizeof stories / sizeof *stories)

static void whatever_loses_power_keeps_what_was_acknowledged(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) sw_stop_everywhere(&stories[i]);
}

static void losing_power_twice_while_that_is_recovered_loses_nothing_either(void **state)
{
    (void)state;
    sw_stop_recovery_everywhere(&stories[0], 7);
    sw_stop_recovery_everywhere(&stories[4], 17);
    sw_stop_recovery_everywhere(&stories[5], 17);
}

static void any_call_that_fails_is_told_and_loses_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) sw_fail_everywhere(&stories[i]);
}

static int set_up(void **state)
{
    (void)state;
    sw_prepare();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sw_release();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_loses_power_keeps_what_was_acknowledged),
        cmocka_unit_test(losing_power_twice_while_that_is_recovered_loses_nothing_either),
        cmocka_unit_test(any_call_that_fails_is_told_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
