/* The embedded engine stopped after every effect, failed at every call, and flipped at every bit. */
#include "../one_of.h"
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define STRIDE ((uint64_t)ONE_OF(31))

static const uint64_t seeds[] = { 0, 1, 2, 3, 4 };
#define SEEDS (sizeof seeds / sizeof *seeds)

static void judge(struct world *w, const char *what, uint64_t k, uint64_t j, uint64_t seed)
{
    const char *wrong = world_judge(w);
    if (wrong)
        fail_msg("%s %llu, then %llu, seed %llu: %s", what, (unsigned long long)k, (unsigned long long)j,
                 (unsigned long long)seed, wrong);
}

/* How long the story is when nothing happens to it. */
static struct cu_faulty undisturbed(void)
{
    struct world *w = world_new();
    struct cu_err err = { 0 };

    if (world_story(w, &err) != CU_OK) fail_msg("the story itself: %s", err.text);
    struct cu_faulty length = w->faulty;
    judge(w, "nothing", 0, 0, 0);
    world_free(w);
    return length;
}

static struct world *stopped_after(uint64_t k, uint64_t seed)
{
    struct world *w = world_new();
    struct cu_err err;

    w->faulty.stop_after = k;
    cu_status status = world_story(w, &err);
    assert_int_not_equal(status, CU_OK);
    world_crash(w, seed);
    return w;
}

static void stopped_after_any_effect_it_keeps_what_it_acknowledged(void **state)
{
    uint64_t effects = undisturbed().effects;
    (void)state;

    for (uint64_t k = 0; k < effects; k += ONE_OF(3))
        for (size_t s = k % (STRIDE < SEEDS ? STRIDE : SEEDS); s < SEEDS; s += STRIDE) {
            struct world *w = stopped_after(k, seeds[s]);
            const char *wrong = world_check(w);
            if (wrong)
                fail_msg("stopped after effect %llu, seed %llu: %s", (unsigned long long)k, (unsigned long long)seeds[s], wrong);
            judge(w, "stopped after effect", k, 0, seeds[s]);
            world_free(w);
        }
    print_message("%llu effects, %zu ways to lose power after each\n", (unsigned long long)effects, SEEDS);
}

static void stopped_again_while_it_recovers_it_still_does(void **state)
{
    uint64_t effects = undisturbed().effects, cases = 0;
    (void)state;

    for (uint64_t k = 0; k < effects; k += STRIDE) {
        struct world *first = stopped_after(k, k % 3 == 0 ? 0 : k);
        for (uint64_t j = 0;; j++, cases++) {
            struct world *w = world_copy(first);
            struct cu_err err;
            w->faulty.stop_after = j;
            if (!w->made) w->made = world_make(w, &err) == CU_OK;
            cu_status status = world_open(w, &err);
            bool whole = status == CU_OK && !w->faulty.stopped;
            world_crash(w, j % 2 ? j : k + j);
            judge(w, "stopped after effect", k, j, 0);
            world_free(w);
            if (whole) break;
        }
        world_free(first);
    }
    print_message("%llu pairs of crashes\n", (unsigned long long)cases);
}

static void fail_every_call(enum cu_fault fault, bool power_fails_too)
{
    uint64_t calls = undisturbed().calls;

    for (uint64_t n = 1; n <= calls; n += STRIDE) {
        struct world *w = world_new();
        struct cu_err err;
        w->faulty.fail_call = n;
        w->faulty.fault = fault;
        cu_status status = world_story(w, &err);
        (void)status; /* a failure that could be survived was */
        if (power_fails_too) world_crash(w, 0);
        else w->faulty.fail_call = 0, w->faulty.failed = false, w->faulty.fault = CU_FAULT_IO;
        judge(w, "failed call", n, 0, fault);
        world_free(w);
    }
}

static void failing_any_call_loses_nothing(void **state)
{
    (void)state;
    fail_every_call(CU_FAULT_IO, false);
    fail_every_call(CU_FAULT_NO_SPACE, false);
    fail_every_call(CU_FAULT_READ_ONLY, false);
}

static void failing_any_call_and_then_the_power_loses_nothing(void **state)
{
    (void)state;
    fail_every_call(CU_FAULT_IO, true);
    fail_every_call(CU_FAULT_NO_SPACE, true);
}

/* ---- bits ---- */

static void note_fault(void *arg, const char *where, const char *what)
{
    (void)where, (void)what;
    ++*(unsigned *)arg;
}

static unsigned faults(struct world *w, const struct cu_tip *tip)
{
    struct cu_engine_care care = cu_embedded_care(&w->config);
    struct cu_err err = { 0 };
    unsigned n = 0;

    cu_status status = care.check(care.self, tip, note_fault, &n, &(cu_size){ 0 }, &err);
    if (status != CU_OK && status != CU_NEWER_FORMAT) fail_msg("check: %s", err.text);
    return status == CU_OK ? n : 1;
}

static void flip(struct cu_file *f, uint64_t bit)
{
    uint8_t byte;
    size_t got;
    assert_int_equal(f->ops->read_at(f, bit / 8, &byte, 1, &got, NULL), CU_OK);
    byte = (uint8_t)(byte ^ 1u << bit % 8);
    assert_int_equal(f->ops->write_at(f, bit / 8, cu_span(&byte, 1), NULL), CU_OK);
    assert_int_equal(f->ops->sync(f, NULL), CU_OK);
}

static const char *const files[] = { "node/journal/0", "node/journal/1", "node/journal/head" };

/* Bits of every byte near the beginning (headers, slots, frames), and one bit of every 61st byte of the rest. */
enum { BITS = 3 };
static uint64_t next_bit(uint64_t bit) { return bit < 8 * 12000 ? bit + BITS * STRIDE : bit + 8 * 61 * STRIDE + 1; }

static void any_bit_flipped_in_a_closed_ledgers_journal_is_found_by_check(void **state)
{
    struct world *w = world_new();
    struct cu_err err = { 0 };
    (void)state;

    assert_int_equal(world_make(w, &err), CU_OK);
    assert_int_equal(world_open(w, &err), CU_OK);
    for (size_t i = 0; i < 5; i++) assert_int_equal(world_submit(w, i, 1, &err), CU_OK);
    struct cu_tip tip = w->engine.tip(w->engine.self);
    assert_int_equal(world_close(w, &err), CU_OK);
    assert_int_equal(faults(w, &tip), 0);
    for (size_t i = 0; i < 3; i++) {
        struct cu_file *f = NULL;
        uint64_t size = 0;
        assert_int_equal(w->memory.ops->open(w->memory.self, files[i], CU_OPEN_WRITE, &f, NULL), CU_OK);
        assert_int_equal(f->ops->size(f, &size, NULL), CU_OK);
        for (uint64_t bit = 0; bit < 8 * size; bit = next_bit(bit)) {
            flip(f, bit);
            if (faults(w, &tip) == 0) fail_msg("%s, bit %llu: not found", files[i], (unsigned long long)bit);
            flip(f, bit);
        }
        cu_file_close(&f);
    }
    assert_int_equal(faults(w, &tip), 0);
    world_free(w);
}

/* After a crash nothing is drained: a flip is refused by the open, or it does no harm. */
static void any_bit_flipped_after_a_crash_is_refused_or_does_no_harm(void **state)
{
    struct world *w = world_new();
    struct cu_err err = { 0 };
    uint64_t refused = 0, harmless = 0;
    (void)state;

    assert_int_equal(world_make(w, &err), CU_OK);
    assert_int_equal(world_open(w, &err), CU_OK);
    for (size_t i = 0; i < 4; i++) assert_int_equal(world_submit(w, i, 1, &err), CU_OK);
    world_crash(w, 0);
    for (size_t i = 0; i < 3; i++)
        for (uint64_t bit = 0; bit < 8 * (i < 2 ? 2600u : 8192u);
             bit += i == 2 && bit > 8 * 300 && bit % (8 * 4096) > 8 * 300 ? 41 : BITS * STRIDE) {
            struct world *copy = world_copy(w);
            struct cu_file *f = NULL;
            assert_int_equal(copy->memory.ops->open(copy->memory.self, files[i], CU_OPEN_WRITE, &f, NULL), CU_OK);
            flip(f, bit);
            cu_file_close(&f);
            cu_status status = world_open(copy, &err);
            if (status == CU_OK) {
                assert_int_equal(world_close(copy, &err), CU_OK);
                judge(copy, "flipped bit", bit, i, 0);
                harmless++;
            } else if (status == CU_CORRUPT || status == CU_NEWER_FORMAT) {
                refused++;
            } else {
                fail_msg("%s, bit %llu: %s", files[i], (unsigned long long)bit, err.text);
            }
            world_free(copy);
        }
    print_message("%llu flips refused, %llu without harm\n", (unsigned long long)refused, (unsigned long long)harmless);
    assert_true(refused > 8 * 1200 / (BITS * STRIDE));
    world_free(w);
}

/* Whichever slot of the head is lost after whatever crash, the other one serves, and what only the lost one covered is found. */
static void any_slot_lost_after_any_crash_loses_nothing(void **state)
{
    uint64_t effects = undisturbed().effects;
    (void)state;

    for (uint64_t k = 0; k < effects; k += STRIDE)
        for (unsigned i = 0; i < 4; i++) {
            struct world *w = stopped_after(k, i / 2);
            struct cu_file *f = NULL;
            if (w->memory.ops->open(w->memory.self, files[2], CU_OPEN_WRITE, &f, NULL) == CU_OK) {
                flip(f, 8 * (4096 * (i % 2) + 40));
                cu_file_close(&f);
            }
            judge(w, "a slot lost after effect", k, i, i / 2);
            world_free(w);
        }
}

static int set_up(void **state)
{
    (void)state;
    world_prepare();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_release();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_after_any_effect_it_keeps_what_it_acknowledged),
        cmocka_unit_test(stopped_again_while_it_recovers_it_still_does),
        cmocka_unit_test(failing_any_call_loses_nothing),
        cmocka_unit_test(failing_any_call_and_then_the_power_loses_nothing),
        cmocka_unit_test(any_bit_flipped_in_a_closed_ledgers_journal_is_found_by_check),
        cmocka_unit_test(any_bit_flipped_after_a_crash_is_refused_or_does_no_harm),
        cmocka_unit_test(any_slot_lost_after_any_crash_loses_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
