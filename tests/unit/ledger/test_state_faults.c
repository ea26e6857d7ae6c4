/* Every call on the file system fails once, and the machine stops after every effect, with the power going in many ways: what is
 * opened afterwards is a state of this log, never a wrong one, and never called damaged. */
#include "play.h"

#include "adapters/faulty/faulty.h"
#include "adapters/memory/memory.h"

enum { BATCHES = 14, REOPENED_AT = 5, RESET_AT = 9 };

static struct play p;
static cu_hash hash_at[BATCHES + 1];
static uint64_t size_at[BATCHES + 1];

/* The conversation, held once; what the state must be after each of its batches. */
static int talk(void **state)
{
    struct cu_ledger *l;

    if (play_make_keys(state) != 0) return -1;
    play_start(&p, NULL);
    for (uint64_t serial = 1; p.batches_n < BATCHES; serial++) {
        for (int i = 0; i < 3; i++) assert_said(OK, deposits(&p, i % 2 ? CLERK : OFFICER, i < 2 ? serial : serial + 100));
        play_close(&p);
    }
    assert_ok(cu_ledger_open(NULL, NULL, &l, &err));
    struct cu_machine m = cu_ledger_machine(l);
    hash_at[0] = state_hash_of(l);
    for (size_t i = 0; i < BATCHES; i++) {
        replay_batch(&m, &p, &p.batch[i]);
        hash_at[i + 1] = state_hash_of(l);
        size_at[i + 1] = m.tip(m.self).size.v;
    }
    cu_ledger_close(l);
    return 0;
}

static int fall_silent(void **state)
{
    play_stop(&p);
    return play_free_keys(state);
}

/* Which batches a ledger has. */
static size_t batches_of(struct cu_ledger *l)
{
    struct cu_machine m = cu_ledger_machine(l);
    size_t n = 0;

    while (n < BATCHES && size_at[n] != m.tip(m.self).size.v) n++;
    return n;
}

/* One batch into a ledger whose files may fail under it. */
static cu_status take(struct cu_ledger *l, const struct batch *b)
{
    struct cu_machine m = cu_ledger_machine(l);
    uint8_t mem[512];
    struct cu_buf block = cu_buf_over(mem, sizeof mem);
    cu_status status = m.begin(m.self, m.tip(m.self).height + 1, (cu_unix_ms){ b->opened }, &err);

    for (size_t i = 0; i < b->n && status == CU_OK; i++) {
        struct cu_submission sub = { .bytes = cu_span(p.said[b->first + i].bytes, p.said[b->first + i].n), .trusted = true };
        m.prepare(m.self, &sub, 1, NULL);
        status = m.step(m.self, &sub, &err);
        if (status == CU_OK) assert_int_equal(sub.status, CU_OK);
    }
    if (status == CU_OK) status = m.end(m.self, (cu_unix_ms){ b->closed }, &block, &err);
    if (status == CU_OK) return m.commit(m.self, &err);
    m.abandon(m.self);
    return status;
}

/* Save after each batch, whether or not that works; open again in the middle; start over from nothing once. */
static void run(const struct cu_fs *fs)
{
    struct cu_ledger *l = NULL;

    for (int part = 0; part < 2; part++) {
        if (cu_ledger_open(fs, "node/state", &l, &err) != CU_OK) return;
        for (size_t i = batches_of(l); i < (part ? BATCHES : REOPENED_AT); i++) {
            if (part && i == RESET_AT) {
                assert_ok(cu_ledger_reset(l, &err));
                for (size_t k = 0; k < RESET_AT; k++) assert_ok(take(l, &p.batch[k])); /* from memory, nothing can fail */
            }
            if (take(l, &p.batch[i]) != CU_OK) break;
            (void)!cu_ledger_machine(l).save(l, &err);
        }
        cu_ledger_close(l);
    }
}

static void the_state_is_one_of_this_log(const struct cu_fs *fs, const char *when, uint64_t n, uint64_t seed)
{
    struct cu_ledger *l;
    struct cu_tip tip;
    cu_hash hash;
    cu_status status = cu_ledger_open(fs, "node/state", &l, &err);

    if (status != CU_OK) fail_msg("%s %llu, seed %llu: %s", when, (unsigned long long)n, (unsigned long long)seed, err.text);
    size_t has = batches_of(l);
    hash = state_hash_of(l);
    if (!cu_hash_eq(&hash, &hash_at[has]))
        fail_msg("%s %llu, seed %llu: after %zu batches it is another state", when, (unsigned long long)n,
                 (unsigned long long)seed, has);
    status = cu_ledger_state_check(fs, "node/state", &tip, &hash, &err);
    if (status != CU_OK) fail_msg("%s %llu, seed %llu: %s", when, (unsigned long long)n, (unsigned long long)seed, err.text);
    for (; has < BATCHES; has++) assert_ok(take(l, &p.batch[has]));
    assert_ok(cu_ledger_machine(l).save(l, &err));
    cu_ledger_close(l);
    assert_ok(cu_ledger_state_check(fs, "node/state", &tip, &hash, &err));
    assert_memory_equal(&hash, &hash_at[BATCHES], sizeof hash);
    assert_false(cu_ledger_may_rebuild(fs, "node/state"));
}

static struct cu_faulty faulty;

static void run_with(struct cu_faulty how, struct cu_fs *ret_inner)
{
    assert_ok(cu_memory_fs(ret_inner, &err));
    faulty = how;
    faulty.inner = *ret_inner;
    faulty.lost = cu_memory_lose;
    faulty.lost_all = cu_memory_lose_all;
    struct cu_fs fs = cu_faulty_fs(&faulty);
    run(&fs);
    fs.ops->close(fs.self);
}

static void any_call_may_fail(void **state)
{
    struct cu_fs inner;

    (void)state;
    for (enum cu_fault fault = CU_FAULT_IO; fault <= CU_FAULT_READ_ONLY; fault++)
        for (uint64_t n = 1;; n++) {
            run_with((struct cu_faulty){ .fail_call = n, .fault = fault, .stop_after = CU_NEVER }, &inner);
            bool failed = faulty.failed;
            the_state_is_one_of_this_log(&inner, "failed call", n, fault);
            inner.ops->close(inner.self);
            if (!failed) break;
        }
}

/* A failed sync, and then the power: what was only written may be gone. */
static void any_call_may_fail_and_the_power_go_at_the_end(void **state)
{
    struct cu_fs inner;

    (void)state;
    for (uint64_t n = 1;; n++) {
        run_with((struct cu_faulty){ .fail_call = n, .fault = CU_FAULT_IO, .stop_after = CU_NEVER }, &inner);
        bool failed = faulty.failed;
        cu_memory_crash(&inner, n % 5);
        the_state_is_one_of_this_log(&inner, "failed call and crash", n, n % 5);
        inner.ops->close(inner.self);
        if (!failed) break;
    }
}

static void the_power_may_go_after_any_effect(void **state)
{
    struct cu_fs inner;

    (void)state;
    for (uint64_t k = 0;; k++) {
        bool stopped = false;
        for (uint64_t seed = 0; seed < 12; seed++) {
            run_with((struct cu_faulty){ .stop_after = k }, &inner);
            stopped = faulty.stopped;
            cu_memory_crash(&inner, seed);
            the_state_is_one_of_this_log(&inner, "stopped after effect", k, seed);
            inner.ops->close(inner.self);
        }
        if (!stopped) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_may_fail),
        cmocka_unit_test(any_call_may_fail_and_the_power_go_at_the_end),
        cmocka_unit_test(the_power_may_go_after_any_effect),
    };
    return cmocka_run_group_tests(tests, talk, fall_silent);
}
