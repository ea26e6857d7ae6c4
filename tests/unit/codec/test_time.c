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
        cu_time_text((cu_unix_ms){ known[i].ms }, text);
        assert_string_equal(text, known[i].text);
    }
}

static void every_day_agrees_with_the_c_library(void **state)
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
        if (strcmp(text, expected) != 0) fail_msg("%s instead of %s", text, expected);
        cu_unix_ms again = { 0 };
        if (cu_time_read(cu_span_str(text), &again, NULL) != CU_OK || again.v != ms)
            fail_msg("%s is read as %llu", text, LLU(again.v));
    }
}

static void a_time_is_read_in_utc_alone_and_cut_to_milliseconds(void **state)
{
    static const char *const none[] = { "",
                                        "2026-11-23",
                                        "2026-11-23T14:11:02",
                                        "2026-11-23T14:11:02+00:00",
                                        "2026-11-23 14:11:02Z",
                                        "2026-02-29T00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-04-31T00:00:00Z",
                                        "2026-04-00T00:00:00Z",
                                        "1969-12-31T23:59:59Z",
                                        "2026-11-23T24:00:00Z",
                                        "2026-11-23T14:60:00Z",
                                        "2026-11-23T14:11:60Z",
                                        "2026-11-23T14:11:02.Z",
                                        "2026-11-23T14:11:02.1234567890Z",
                                        "2026-11-23T14:11:02ZZ",
                                        "+026-11-23T14:11:02Z",
                                        "2026-11-23T14:11:02.-1Z" };
    cu_unix_ms at = { 7 };

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        if (cu_time_read(cu_span_str(none[i]), &at, NULL) != CU_MALFORMED) fail_msg("\"%s\" is read", none[i]);
        assert_int_equal(at.v, 7);
    }
    assert_int_equal(cu_time_read(cu_span_str("2001-09-09T01:46:40Z"), &at, NULL), CU_OK);
    assert_int_equal(at.v, 1000000000000);
    assert_int_equal(cu_time_read(cu_span_str("2001-09-09T01:46:40.98765Z"), &at, NULL), CU_OK);
    assert_int_equal(at.v, 1000000000987);
}

static void after_the_year_9999_milliseconds_are_shown(void **state)
{
    (void)state;
    char text[32];
    cu_time_text((cu_unix_ms){ END_MS }, text);
    assert_string_equal(text, "253402300800000 ms");
    cu_time_text((cu_unix_ms){ UINT64_MAX }, text);
    assert_string_equal(text, "18446744073709551615 ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_have_known_texts),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(a_time_is_read_in_utc_alone_and_cut_to_milliseconds),
        cmocka_unit_test(after_the_year_9999_milliseconds_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
