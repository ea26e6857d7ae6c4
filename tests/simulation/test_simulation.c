/* Whole lives of a ledger, one seed each, until the time is up:
 *
 *     test_simulation                     a few seconds from seed 1 on, and a few from a seed of the day
 *     CUSTODY_SEED=n test_simulation      that one life: what a failure prints (CUSTODY_TELL=1 tells each turn)
 *     CUSTODY_SECONDS=n test_simulation   so long, from a seed of the day (CUSTODY_FROM: from that one)
 */
#include "life.h"

#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t wish(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const struct tally *t, double seconds)
{
    static const char *const names[MISHAPS] = { "powers lost", "kills",           "I/O errors",   "no space",     "short writes",
                                                "full disks",  "read-only disks", "bits flipped", "clocks jumped" };

    print_message("simulation: %llu lives, %llu turns, %llu judged, %llu steps, %.0f a second;", (unsigned long long)t->lives,
                  (unsigned long long)t->turns, (unsigned long long)t->judged, (unsigned long long)t->steps,
                  (double)t->steps / seconds);
    for (int i = 0; i < MISHAPS; i++)
        print_message(" %llu %s%s", (unsigned long long)t->mishap[i], names[i], i + 1 < MISHAPS ? "," : "\n");
    print_message("simulation: %llu faults, %llu acknowledged, %llu lost\n", (unsigned long long)tally_mishaps(t),
                  (unsigned long long)t->acknowledged, (unsigned long long)t->lost);
}

static void live(uint64_t seed, double seconds)
{
    const double began = now(), ends = began + seconds;
    struct tally tally = { 0 };
    const char *wrong = NULL;

    print_message("simulation: from CUSTODY_SEED=%llu on\n", (unsigned long long)seed);
    do wrong = life_play(seed++, &tally);
    while (!wrong && now() < ends);
    report(&tally, now() - began);
    if (wrong) fail_msg("%s", wrong);
}

static uint64_t seed_of_the_day(void) { return ((uint64_t)time(NULL) << 20 ^ (uint64_t)getpid() << 4) & INT64_MAX; }

static void lives_from_seed_1_keep_every_promise(void **state)
{
    (void)state;
    if (wish("CUSTODY_SEED")) live(wish("CUSTODY_SEED"), 0);
    else if (!wish("CUSTODY_SECONDS")) live(1, 5);
}

/* A soak begins anywhere; without one the lives are the same each time, so that a finding is the change's. */
static void lives_from_another_seed_keep_every_promise(void **state)
{
    const uint64_t seconds = wish("CUSTODY_SECONDS"), from = wish("CUSTODY_FROM");

    (void)state;
    if (!wish("CUSTODY_SEED")) live(from ? from : seconds ? seed_of_the_day() : 1000, seconds ? (double)seconds : 5);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives_from_seed_1_keep_every_promise),
        cmocka_unit_test(lives_from_another_seed_keep_every_promise),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
