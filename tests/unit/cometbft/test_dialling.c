/* Whom CometBFT lacks is dialled from here: soon, then ever more seldom, and soon once more when somebody came. */
#include "engine/cometbft/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { OTHERS = 4, HOUR_MS = 3600000, LOOK_MS = 5000 };

/* Looked at as often as a node does, for so long: how often it dialled, and when last. */
static unsigned dial(struct cu_dialling *d, size_t n, uint64_t *io_now, uint64_t for_ms, uint64_t *ret_last)
{
    unsigned times = 0;

    for (const uint64_t end = *io_now + for_ms; *io_now < end; *io_now += LOOK_MS)
        if (cu_dialling_due(d, n, OTHERS, *io_now)) times++, *ret_last = *io_now;
    return times;
}

static void who_has_all_its_peers_dials_nobody(void **state)
{
    struct cu_dialling d = { 0 };
    uint64_t now = 1, last = 0;

    (void)state;
    assert_int_equal(dial(&d, OTHERS, &now, HOUR_MS, &last), 0);
    assert_int_equal(dial(&d, OTHERS + 1, &now, HOUR_MS, &last), 0); /* who came later was not there when it started */
}

static void who_lacks_one_dials_ever_more_seldom_and_never_stops(void **state)
{
    struct cu_dialling d = { 0 };
    uint64_t now = 1, last = 0;

    (void)state;
    assert_false(cu_dialling_due(&d, 3, OTHERS, now)); /* CometBFT dials by itself when it starts */
    assert_in_range(dial(&d, 3, &now, 60000, &last), 2, 4);
    assert_in_range(dial(&d, 3, &now, HOUR_MS, &last), HOUR_MS / CU_DIAL_LAST_MS, HOUR_MS / CU_DIAL_LAST_MS + 4);
    assert_in_range(dial(&d, 3, &now, 24 * HOUR_MS, &last), 24 * HOUR_MS / CU_DIAL_LAST_MS - 1, 24 * HOUR_MS / CU_DIAL_LAST_MS);
}

static void who_is_alone_goes_on_and_who_was_let_in_asks_the_others_at_once(void **state)
{
    struct cu_dialling d = { 0 };
    uint64_t now = 1, last = 0;

    (void)state;
    assert_in_range(dial(&d, 0, &now, HOUR_MS, &last), HOUR_MS / CU_DIAL_FIRST_MS - 2, HOUR_MS / CU_DIAL_FIRST_MS);
    assert_in_range(dial(&d, 1, &now, HOUR_MS, &last), 10, 20); /* rarer by now */
    const uint64_t came = now;
    assert_in_range(dial(&d, 2, &now, 2 * LOOK_MS, &last), 1, 1);
    assert_in_range(last - came, CU_DIAL_FIRST_MS, 2 * CU_DIAL_FIRST_MS);
    assert_int_equal(dial(&d, OTHERS, &now, HOUR_MS, &last), 0);
    const uint64_t left = now;
    assert_in_range(dial(&d, 3, &now, 2 * LOOK_MS, &last), 1, 1); /* one that went is dialled soon */
    assert_in_range(last - left, CU_DIAL_FIRST_MS, 2 * CU_DIAL_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_all_its_peers_dials_nobody),
        cmocka_unit_test(who_lacks_one_dials_ever_more_seldom_and_never_stops),
        cmocka_unit_test(who_is_alone_goes_on_and_who_was_let_in_asks_the_others_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
