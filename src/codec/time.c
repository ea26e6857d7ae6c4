/* RFC 3339 in one form, UTC with milliseconds; the calendar is computed here, so it needs no time zone, locale or clock. */
#include "custody/text.h"

#include <stdio.h>

#define DAY_MS UINT64_C(86400000)
#define DAYS_TO_YEAR_10000 2932897u /* from 1970-01-01 */

struct date {
    unsigned year, month, day;
};

/* Days since 1970-01-01 and back. Years begin in March, so that the leap day ends one; 400 of them have 146,097 days. */
static unsigned days_of(struct date d)
{
    unsigned y = d.month <= 2 ? d.year - 1 : d.year, m = (d.month + 9) % 12;
    unsigned day_of_year = (153 * m + 2) / 5 + d.day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static struct date date_of(unsigned days)
{
    unsigned from_0000 = days + 719468, era = from_0000 / 146097, of_era = from_0000 % 146097;
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned m = (5 * day_of_year + 2) / 153;
    unsigned month = m < 10 ? m + 3 : m - 9;
    return (struct date){ year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * m + 2) / 5 + 1 };
}

void cu_time_text(cu_unix_ms time, char ret[32])
{
    if (time.v / DAY_MS >= DAYS_TO_YEAR_10000) {
        snprintf(ret, 32, "%llu ms", (unsigned long long)time.v);
        return;
    }
    struct date d = date_of((unsigned)(time.v / DAY_MS));
    unsigned ms = (unsigned)(time.v % DAY_MS), s = ms / 1000;
    snprintf(ret, 32, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year % 10000, d.month % 100, d.day % 100, s / 3600 % 24,
             s / 60 % 60, s % 60, ms % 1000);
}

/* The number that the digits of `text` from `at` make, given that they are digits. */
static unsigned number_at(struct cu_span text, size_t at, size_t n)
{
    unsigned v = 0;
    for (size_t i = at; i < at + n; i++) v = v * 10 + (text.p[i] - '0');
    return v;
}

static bool has_form(struct cu_span text)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    if (text.n != sizeof form - 1) return false;
    for (size_t i = 0; i < text.n; i++)
        if (form[i] == '0' ? text.p[i] < '0' || text.p[i] > '9' : text.p[i] != (uint8_t)form[i]) return false;
    return true;
}

cu_status cu_time_read(struct cu_span text, cu_unix_ms *ret, struct cu_err *err)
{
    ENSURE(has_form(text), err, CU_MALFORMED, "not a time of the form 2026-11-23T14:11:02.345Z");
    struct date d = { number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2) };
    unsigned hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
    ENSURE(d.year >= 1970, err, CU_MALFORMED, "a time before 1970");
    ENSURE(hour < 24 && minute < 60 && second < 60, err, CU_MALFORMED, "no such time of day");
    ENSURE(d.month >= 1 && d.month <= 12 && d.day >= 1, err, CU_MALFORMED, "no such date");

    unsigned days = days_of(d);
    struct date again = date_of(days);
    ENSURE(again.month == d.month && again.day == d.day, err, CU_MALFORMED, "no such date"); /* 30 February */
    ret->v = days * DAY_MS + ((hour * 60 + minute) * 60 + second) * UINT64_C(1000) + number_at(text, 20, 3);
    return CU_OK;
}
