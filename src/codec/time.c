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
