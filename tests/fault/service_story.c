/* Telling a story with a fault at every place that it has. */
#include "../one_of.h"
#include "service_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct service_world *base; /* a ledger with two deposits: what most stories begin with */

/* ---- which of all faults ---- */

static struct {
    bool all, one;
    char story[40], how[20];
    unsigned long long k, j, seed;
} wanted;
static unsigned long long tried;

static void read_wish(void)
{
    const char *wish = getenv("CUSTODY_FAULTS");

    if (!wish) return;
    wanted.all = strcmp(wish, "all") == 0;
    wanted.one = !wanted.all;
    if (wanted.one)
        CU_ASSERT(sscanf(wish, "%39s %19s %llu %llu %llu", wanted.story, wanted.how, &wanted.k, &wanted.j, &wanted.seed) == 5);
}

static bool is_wanted(const struct sw_story *s, const char *how, uint64_t k, uint64_t j, uint64_t seed)
{
    return !wanted.one || (strcmp(s->name, wanted.story) == 0 && strcmp(how, wanted.how) == 0 && k == wanted.k && j == wanted.j &&
                           seed == wanted.seed);
}

static uint64_t step(uint64_t stride)
{
    if (wanted.all || wanted.one) return 1;
    return (stride < 2 ? 1 : stride) * (sw_on_chain ? 6 : 1); /* what is not the engine's was tried on the other one */
}

/* ---- telling it ---- */

static struct service_world *begin(const struct sw_story *s)
{
    struct service_world *w = s->from_nothing ? sw_new() : sw_copy(base);
    struct cu_err err = { 0 };

    if (s->prepare && s->prepare(w, &err) != CU_OK) fail_msg("%s: its beginning: %s", s->name, err.text);
    sw_restart(w);
    w->deposits_max += s->deposits;
    return w;
}

static void judge(const struct sw_story *s, struct service_world *w, const char *how, uint64_t k, uint64_t j, uint64_t seed)
{
    const char *wrong = (s->judge ? s->judge : sw_judge)(w);

    tried++;
    if (wrong)
        fail_msg("CUSTODY_FAULTS='%s %s %llu %llu %llu': %s", s->name, how, (unsigned long long)k, (unsigned long long)j,
                 (unsigned long long)seed, wrong);
}

/* How long the story is when nothing happens to it. */
static struct cu_faulty undisturbed(const struct sw_story *s, const struct service_world *from)
{
    struct service_world *w = sw_copy(from);
    struct cu_err err = { 0 };

    if (s->act(w, &err) != CU_OK) fail_msg("%s: the story itself: %s", s->name, err.text);
    struct cu_faulty length = w->faulty;
    judge(s, w, "nothing", 0, 0, 0);
    sw_free(w);
    return length;
}

static struct service_world *stopped(const struct sw_story *s, const struct service_world *from, uint64_t k, uint64_t seed)
{
    struct service_world *w = sw_copy(from);
    struct cu_err err = { 0 };

    w->faulty.stop_after = k;
    cu_status status = s->act(w, &err);
    (void)status; /* the last effects may be such that nobody minds them */
    sw_crash(w, seed);
    return w;
}

/* ---- stopping ---- */

static void stop_at(const struct sw_story *s, const struct service_world *from, uint64_t k, uint64_t seed)
{
    if (!is_wanted(s, "stop", k, 0, seed)) return;
    struct service_world *w = stopped(s, from, k, seed);
    const char *taken = w->damages_n || !cu_fs_exists(&w->memory, CU_FILE_FORMAT) ? NULL : sw_judge_left(w);
    if (taken)
        fail_msg("CUSTODY_FAULTS='%s stop %llu 0 %llu': %s", s->name, (unsigned long long)k, (unsigned long long)seed, taken);
    judge(s, w, "stop", k, 0, seed);
    sw_free(w);
}

void sw_stop_everywhere(const struct sw_story *s)
{
    struct service_world *from = begin(s);
    const uint64_t effects = undisturbed(s, from).effects, stride = step(SANITIZED && s->stride ? 4 * s->stride : s->stride);

    tried = 0;
    for (uint64_t k = 0; k < effects; k += stride) {
        stop_at(s, from, k, 0);
        if (!SANITIZED || k % 2 == 0 || wanted.one) stop_at(s, from, k, 1);
        stop_at(s, from, k, 2 + k);
        if (wanted.all || !SANITIZED) stop_at(s, from, k, 3 + k);
        for (uint64_t seed = 4 + k; wanted.all && seed < 12 + k; seed++) stop_at(s, from, k, seed);
    }
    print_message("%s: %llu effects, %llu losses of power\n", s->name, (unsigned long long)effects, tried);
    sw_free(from);
}

static bool recover(struct service_world *w, uint64_t effects, uint64_t seed)
{
    struct cu_err err = { 0 };

    w->faulty.stop_after = effects;
    cu_status status = sw_open(w, SW_WRITE, &err);
    if (status == CU_OK) status = sw_close(w, &err);
    const bool whole = status == CU_OK && !w->faulty.stopped;
    sw_crash(w, seed);
    return whole;
}

void sw_stop_recovery_everywhere(const struct sw_story *s, unsigned stride)
{
    struct service_world *from = begin(s);
    const uint64_t effects = undisturbed(s, from).effects;

    tried = 0;
    for (uint64_t k = 0; k < effects; k += step(stride)) {
        struct service_world *first = stopped(s, from, k, k % 3 ? k + 2 : 0);
        bool whole = false;
        for (uint64_t j = k % step(stride); !whole; j += step(SANITIZED ? 4 * stride : stride)) {
            struct service_world *w = sw_copy(first);
            whole = recover(w, j, j % 2 ? j + k : 0);
            if (!whole) recover(w, (5 * j + k) % 40, j + k + 1);
            if (is_wanted(s, "recover", k, j, 0)) judge(s, w, "recover", k, j, 0);
            sw_free(w);
        }
        sw_free(first);
    }
    print_message("%s: %llu times recovery stopped twice\n", s->name, tried);
    sw_free(from);
}

/* ---- failing ---- */

enum after { ALIVE, POWER_LOST, RECOVERED_THEN_POWER_LOST, AFTERS };
static const char *const faults[] = { [CU_FAULT_IO] = "io",
                                      [CU_FAULT_NO_SPACE] = "no-space",
                                      [CU_FAULT_SHORT] = "short",
                                      [CU_FAULT_FULL] = "full",
                                      [CU_FAULT_READ_ONLY] = "read-only" };

static void fail_at(const struct sw_story *s, const struct service_world *from, uint64_t n, enum cu_fault fault, enum after after)
{
    struct cu_err err = { 0 };

    if (!is_wanted(s, faults[fault], n, after, 0)) return;
    struct service_world *w = sw_copy(from);
    w->faulty.fail_call = n;
    w->faulty.fault = fault;
    w->unreadable = true;
    cu_status status = s->act(w, &err);
    if (status != CU_OK && !err.text[0])
        fail_msg("CUSTODY_FAULTS='%s %s %llu %d 0': %s without a word", s->name, faults[fault], (unsigned long long)n, (int)after,
                 cu_status_name(status));
    if (wanted.one) print_message("%s: %s\n", cu_status_name(status), status == CU_OK ? "nobody noticed" : err.text);
    sw_restart(w);
    if (after == RECOVERED_THEN_POWER_LOST) recover(w, n % 2 ? CU_NEVER : n % 50, 0);
    if (after == POWER_LOST) sw_crash(w, n % 2 ? 0 : n);
    judge(s, w, faults[fault], n, after, 0);
    sw_free(w);
}

void sw_fail_everywhere(const struct sw_story *s)
{
    struct service_world *from = begin(s);
    const uint64_t calls = undisturbed(s, from).calls, stride = step((SANITIZED ? 5 : 1) * (s->call_stride ? s->call_stride : 1));

    tried = 0;
    for (uint64_t n = 1; n <= calls; n += stride) {
        const bool all = wanted.all || wanted.one;
        for (enum after after = ALIVE; after < AFTERS; after++) {
            if (all || n / stride % 3 == after) fail_at(s, from, n, CU_FAULT_IO, after);
            if (all || n / stride % 3 == (after + 1) % 3) fail_at(s, from, n, CU_FAULT_NO_SPACE, after);
        }
        if (all || n / stride % 2 == 0) fail_at(s, from, n, CU_FAULT_READ_ONLY, ALIVE);
        if (all || n / stride % 4 == 1) fail_at(s, from, n, CU_FAULT_SHORT, n % 2 ? POWER_LOST : ALIVE);
        if (all || n / stride % 4 == 3) fail_at(s, from, n, CU_FAULT_FULL, n % 2 ? POWER_LOST : ALIVE);
    }
    print_message("%s: %llu calls, %llu failures\n", s->name, (unsigned long long)calls, tried);
    sw_free(from);
}

/* ---- a ledger to begin with ---- */

static cu_status make_base(struct cu_err *err)
{
    static const char *const paths[] = { SW_BASE, SW_OTHER };

    TRY(sw_create(base, err));
    TRY(sw_open(base, SW_WRITE, err));
    TRY(sw_deposit(base, paths, 2, false, err));
    base->deposits_max = 2;
    return sw_close(base, err);
}

int sw_prepare(void **state)
{
    struct cu_err err = { 0 };
    (void)state;

    read_wish();
    sw_keep();
    base = sw_new();
    if (make_base(&err) != CU_OK) fail_msg("a ledger to begin with: %s", err.text);
    sw_restart(base);
    struct service_world *durable = sw_copy(base);
    sw_free(base);
    base = durable;
    return 0;
}

int sw_release(void **state)
{
    (void)state;
    sw_free(base);
    sw_let_go();
    return 0;
}
