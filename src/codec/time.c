/* RFC 3339 in one form, UTC with milliseconds; the calendar is computed here, so it needs no time zone, locale or clock. */
#include "custody/text.h"

#include <stdio.h>

#define DAY_MS UINT64_C(86400000)
#define DAYS_TO_YEAR_10000 2932897u /* from 1970-01-01 */

struct date {
    unsigned year, month, day;
};

/* Years begin in March, so that the leap day ends one; 400 of them have 146,097 days. */
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
        snprintf(ret, 32, "%llu ms", LLU(time.v));
        return;
    }
    struct date d = date_of((unsigned)(time.v / DAY_MS));
    unsigned ms = (unsigned)(time.v % DAY_MS), s = ms / 1000;
    snprintf(ret, 32, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year % 10000, d.month % 100, d.day % 100, s / 3600 % 24,
             s / 60 % 60, s % 60, ms % 1000);
}

static bool take_number(struct cu_span *io, size_t digits, const char *behind, unsigned *ret)
{
    uint64_t v = 0;

    if (io->n < digits + strlen(behind) || memcmp(io->p + digits, behind, strlen(behind)) != 0) return false;
    for (size_t i = 0; i < digits; i++) {
        if (io->p[i] < '0' || io->p[i] > '9') return false;
        v = 10 * v + (unsigned)(io->p[i] - '0');
    }
    *io = cu_span_from(*io, digits + strlen(behind));
    *ret = (unsigned)v;
    return true;
}

/* date_of, the other way round. */
static unsigned days_of(struct date d)
{
    const unsigned year = d.year - (d.month <= 2), m = d.month > 2 ? d.month - 3 : d.month + 9;

    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * m + 2) / 5 + d.day - 1 - 719468;
}

cu_status cu_time_read(struct cu_span text, cu_unix_ms *ret, struct cu_err *err)
{
    struct date d = { 0 };
    unsigned h = 24, min = 60, s = 60, ms = 0, digit;
    bool good = take_number(&text, 4, "-", &d.year) && take_number(&text, 2, "-", &d.month) &&
                take_number(&text, 2, "T", &d.day) && take_number(&text, 2, ":", &h) && take_number(&text, 2, ":", &min) &&
                take_number(&text, 2, "", &s);

    if (good && cu_span_take(&text, ".")) {
        unsigned scale = 100, n = 0;
        for (; n < 9 && take_number(&text, 1, "", &digit); n++, scale /= 10) ms += scale * digit;
        good = n > 0;
    }
    good = good && cu_span_is(text, "Z") && d.year >= 1970 && h < 24 && min < 60 && s < 60;
    const struct date same = good ? date_of(days_of(d)) : d;
    good = good && same.year == d.year && same.month == d.month && same.day == d.day; /* there is such a day */
    ENSURE(good, err, CU_MALFORMED, "that is no time in UTC, as 2026-11-23T14:11:02Z is one");
    ret->v = days_of(d) * DAY_MS + ((h * 60 + min) * 60 + s) * UINT64_C(1000) + ms;
    return CU_OK;
}
