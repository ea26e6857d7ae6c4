/* Times: one form, every day from 1970 to 9999. */
#include "custody/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define DAY_MS UINT64_C(86400000)
#define END_MS UINT64_C(253402300800000) /* 10000-01-01 */

static void known_times_have_known_texts(void **state)
{
    (void)state;
    static const struct {
        uint64_t ms;
        const char *text;
    } known[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 951782399999, "2000-02-28T23:59:59.999Z" },
        { 951782400000, "2000-02-29T00:00:00.000Z" },
        { 951868800000, "2000-03-01T00:00:00.000Z" },
        { 1000000000000, "2001-09-09T01:46:40.000Z" },
        { 4107542399999, "2100-02-28T23:59:59.999Z" },
        { 4107542400000, "2100-03-01T00:00:00.000Z" },
        { END_MS - 1, "9999-12-31T23:59:59.999Z" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[32];
        cu_unix_ms time;
        cu_time_text((cu_unix_ms){ known[i].ms }, text);
        assert_string_equal(text, known[i].text);
        assert_int_equal(cu_time_read(cu_span_str(text), &time, NULL), CU_OK);
        assert_true(time.v == known[i].ms);
    }
}

static void every_day_agrees_with_the_c_library_and_comes_back(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < END_MS / DAY_MS; day++) {
        uint64_t ms = day * DAY_MS + day * 7919 % DAY_MS;
        time_t seconds = (time_t)(ms / 1000);
        struct tm tm;
        char text[32], expected[64];
        gmtime_r(&seconds, &tm);
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                 tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms % 1000));
        cu_time_text((cu_unix_ms){ ms }, text);
        cu_unix_ms back;
        if (strcmp(text, expected) != 0) fail_msg("%s instead of %s", text, expected);
        if (cu_time_read(cu_span_str(text), &back, NULL) != CU_OK || back.v != ms) fail_msg("%s does not come back", text);
    }
}

static void after_the_year_9999_milliseconds_are_shown(void **state)
{
    (void)state;
    char text[32];
    cu_unix_ms time;
    cu_time_text((cu_unix_ms){ END_MS }, text);
    assert_string_equal(text, "253402300800000 ms");
    assert_int_equal(cu_time_read(cu_span_str(text), &time, NULL), CU_MALFORMED);
    cu_time_text((cu_unix_ms){ UINT64_MAX }, text);
    assert_string_equal(text, "18446744073709551615 ms");
}

static void no_other_form_is_a_time(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-11-23",
        "2026-11-23T14:11:02Z",
        "2026-11-23T14:11:02.34Z",
        "2026-11-23T14:11:02.3456Z",
        "2026-11-23t14:11:02.345Z",
        "2026-11-23T14:11:02.345z",
        "2026-11-23T14:11:02.345+00:00",
        "2026-11-23 14:11:02.345Z",
        " 2026-11-23T14:11:02.345Z",
        "2026-11-23T14:11:02.345Z ",
        "2026-11-23T14:11:02,345Z",
        "+026-11-23T14:11:02.345Z",
        "2026-1a-23T14:11:02.345Z",
        "2026-00-23T14:11:02.345Z",
        "2026-13-23T14:11:02.345Z",
        "2026-11-00T14:11:02.345Z",
        "2026-11-31T14:11:02.345Z",
        "2026-02-29T14:11:02.345Z",
        "2100-02-29T14:11:02.345Z",
        "2024-02-30T14:11:02.345Z",
        "2026-04-31T00:00:00.000Z",
        "2026-12-32T00:00:00.000Z",
        "2026-11-23T24:00:00.000Z",
        "2026-11-23T14:60:00.000Z",
        "2016-12-31T23:59:60.000Z",
        "1969-12-31T23:59:59.999Z",
        "0000-01-01T00:00:00.000Z",
        "1970-01-99T00:00:00.000Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cu_unix_ms time = { 7 };
        if (cu_time_read(cu_span_str(bad[i]), &time, NULL) != CU_MALFORMED || time.v != 7) fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_have_known_texts),
        cmocka_unit_test(every_day_agrees_with_the_c_library_and_comes_back),
        cmocka_unit_test(after_the_year_9999_milliseconds_are_shown),
        cmocka_unit_test(no_other_form_is_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
