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

/* Corrections, until there are so many entries. */
static cu_status fill_up(struct service_world *w, uint64_t upto, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    const struct cu_details_text details = { .text = cu_span_str("a word on it") };
    struct cu_correction body = { 0 };
    const struct cu_saying say = { CU_KIND_CORRECTION, &body, CU_SIGNER_DEPOSITOR, CU_PROFILE_CORRECTION, &details };

    TRY(cu_lookup(&w->place, cu_span_str("unfiled/1"), &found, err));
    body.target = found.row.id;
    while (w->place.engine->tip(w->place.engine->self).size.v + 2 <= upto) {
        CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
        struct cu_outcome outcome;
        TRY(cu_say(&w->place, &say, &record, err));
        const struct cu_span span = cu_buf_span(&record);
        TRY(cu_submit(&w->place, &span, 1, &outcome, err));
    }
    return CU_OK;
}

/* One entry below a full tile, and a journal file that is full within the deposits that follow: the other one is used again. */
static cu_status fill_tile(struct service_world *w, struct cu_err *err)
{
    static const char *const paths[] = { "made/m3", "made/m5", "made/m7" };

    TRY(sw_open(w, SW_WRITE, err));
    w->deposits_max += 3;
    TRY(sw_deposit(w, paths, 3, false, err));
    TRY(fill_up(w, 254, err));
    return sw_close(w, err);
}

static cu_status over_the_tile(struct service_world *w, struct cu_err *err)
{
    return deposit(w, (const char *const[]){ "made/m2", "made/m4", "made/m6", "made/m8", "made/m9", "made/m10" }, 6, false, err);
}

static const struct sw_story stories[] = {
    { .name = "small", .act = small, .deposits = 1, .stride = 2, .call_stride = 3 },
    { .name = "packed", .act = packed, .deposits = 1, .stride = 5, .call_stride = 10 },
    { .name = "large", .act = large, .deposits = 1, .stride = 9, .call_stride = 14 },
    { .name = "folder", .act = folder, .deposits = 1, .stride = 8, .call_stride = 13 },
    { .name = "two", .act = two, .deposits = 2, .stride = 6, .call_stride = 11 },
    { .name = "no-wait", .act = without_waiting, .deposits = 1, .stride = 6, .call_stride = 11 },
    { .name = "linked", .act = twice, .deposits = 1, .stride = 9, .call_stride = 14 },
    { .name = "claim", .act = claimed, .deposits = 1, .stride = 9, .call_stride = 14 },
    { .name = "full-tile", .prepare = fill_tile, .act = over_the_tile, .deposits = 6, .stride = 27, .call_stride = 61 },
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_loses_power_keeps_what_was_acknowledged),
        cmocka_unit_test(losing_power_twice_while_that_is_recovered_loses_nothing_either),
        cmocka_unit_test(any_call_that_fails_is_told_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, sw_prepare, sw_release);
}
