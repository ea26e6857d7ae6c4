/* One life, lived once on each engine: the same acts by the same dice, keys and salts, each signed over the blocks of its own log. What comes of it is the same: what was
 * answered, which entry stands where, and each entry's bytes, but for what a block of another height and time brings with it (its hash, ids and signatures over it). */
#include "../one_of.h"
#include "life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { LIVES = 3 / ONE_OF(3), TURNS = 60 };

static struct tally tally;

/* Both keep every promise by themselves: receipts verify, `check` derives the log and each block's state digest again. */
static const char *live(struct life *l, bool chain, uint64_t seed, cu_status *ret_answers)
{
    struct cu_err err = { 0 };

    sw_on_chain = chain;
    life_begin(l, seed, &tally);
    l->w->pace = 0; /* engines look at the clock as often as they like */
    MUST(sw_create(l->w, &err), "init");
    for (l->turn = 0; l->turn < TURNS && l->end < LIFE_ENTRIES; l->turn++) {
        l->w->clock += below(l, 100000);
        MUST(sw_open(l->w, SW_WRITE, &err), "opening");
        for (uint64_t n = 1 + below(l, 3); n > 0; n--) ret_answers[l->turn] = act_some(l, &err);
        MUST(sw_close(l->w, &err), "closing");
        sw_restart(l->w);
        SO(life_learn(l));
    }
    SO(life_check(l));
    return sw_judge(l->w);
}

/* Strings of 32 and 64 bytes are hashes, ids and signatures. */
static bool alike(struct cu_span a, struct cu_span b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] != b.p[i]) return false;
        if (i > 0 && i + 32 < a.n && a.p[i - 1] == 0x58 && (a.p[i] == 32 || a.p[i] == 64)) i += a.p[i];
    }
    return true;
}

static const char *compare(struct life *one, struct life *other)
{
    struct cu_log *a = &one->w->place.log, *b = &other->w->place.log;
    struct cu_err err = { 0 };
    struct cu_entry x, y;
    struct cu_span p, q;

    SOUND(a->checkpoint.size.v == b->checkpoint.size.v, "one has %llu entries, the other %llu",
          (unsigned long long)a->checkpoint.size.v, (unsigned long long)b->checkpoint.size.v);
    for (cu_seq seq = { 0 }; seq.v < a->checkpoint.size.v; seq.v++) {
        MUST(cu_log_entry_unproven(a, seq, &p, &err), "an entry");
        MUST(cu_log_entry_unproven(b, seq, &q, &err), "an entry");
        MUST(cu_entry_read(p, &x, &err), "an entry");
        MUST(cu_entry_read(q, &y, &err), "an entry");
        SOUND(x.kind == y.kind, "at %llu a kind %d and a kind %d", (unsigned long long)seq.v, (int)x.kind, (int)y.kind);
        SOUND(x.kind == CU_KIND_BLOCK || alike(p, q), "the entries at %llu, of kind %d, differ", (unsigned long long)seq.v,
              (int)x.kind);
    }
    return NULL;
}

static const char *compare_open(struct life *l)
{
    struct cu_err err = { 0 };

    for (int i = 0; i < 2; i++) MUST(sw_open(l[i].w, SW_READ, &err), "reading");
    return compare(&l[0], &l[1]);
}

static void the_same_life_on_both_engines_leaves_the_same_log(void **state)
{
    uint64_t entries = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        cu_status answers[2][TURNS] = { { CU_OK } };
        struct life l[2];
        for (int i = 0; i < 2; i++) {
            const char *wrong = live(&l[i], i == 1, seed, answers[i]);
            if (wrong) fail_msg("seed %llu, %s: %s", (unsigned long long)seed, i ? "chain" : "embedded", wrong);
        }
        const char *differ = compare_open(l);
        if (differ) fail_msg("seed %llu: %s", (unsigned long long)seed, differ);
        assert_memory_equal(answers[0], answers[1], sizeof answers[0]);
        entries += l[0].w->place.log.checkpoint.size.v;
        for (int i = 0; i < 2; i++) life_end(&l[i]);
    }
    print_message("%d lives on both engines: %llu entries alike\n", LIVES, (unsigned long long)entries);
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
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_same_life_on_both_engines_leaves_the_same_log) };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
