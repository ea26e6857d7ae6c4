/* The saved state: opened again it is the same, and no byte of it can change unnoticed. */
#include "../../one_of.h"
#include "play.h"

#include "adapters/faulty/faulty.h"
#include "adapters/memory/memory.h"
#include "ledger/state.h"
#include "ledger/saved.h"

static struct play p, other;
static struct cu_fs fs;

static int power_on(void **state)
{
    (void)state;
    return cu_memory_fs(&fs, &err) == CU_OK ? 0 : -1;
}

static int power_off(void **state)
{
    (void)state;
    fs.ops->close(fs.self);
    return 0;
}

static void save(void) { assert_ok(p.m.save(p.m.self, &err)); }

static struct cu_ledger *opened(void)
{
    struct cu_ledger *l;

    assert_ok(cu_ledger_open(&fs, "node/state", &l, &err));
    return l;
}

/* Close, open again, and go on with the same conversation. */
static void reopen(void)
{
    cu_ledger_close(p.l);
    p.l = opened();
    p.m = cu_ledger_machine(p.l);
}

static void a_saved_state_opens_as_it_was(void **state)
{
    (void)state;
    play_start(&p, &fs);
    for (uint64_t serial = 1; serial <= 20; serial++) {
        assert_said(OK, deposits(&p, serial % 3 ? OFFICER : CLERK, serial));
        play_close(&p);
        save();
        cu_hash before = state_hash_of(p.l), after;
        struct cu_tip tip = p.m.tip(p.m.self), found;
        reopen();
        after = state_hash_of(p.l);
        assert_memory_equal(&before, &after, sizeof before);
        found = p.m.tip(p.m.self);
        assert_memory_equal(&tip, &found, sizeof tip);
        assert_memory_equal(cu_ledger_members(p.l)->network.b, p.network.b, 32);
        assert_ok(cu_ledger_state_check(&fs, "node/state", &found, &after, &err));
        assert_memory_equal(&before, &after, sizeof before);
    }
    play_stop(&p);
}

static void an_unsaved_tail_is_replayed_over_the_saved_state(void **state)
{
    (void)state;
    play_start(&p, &fs);
    save();
    size_t from = p.batches_n;
    for (uint64_t serial = 1; serial <= 5; serial++) assert_said(OK, deposits(&p, OFFICER, serial)), play_close(&p);
    cu_hash end = state_hash_of(p.l);
    struct cu_ledger *l = opened();
    struct cu_machine m = cu_ledger_machine(l);
    for (size_t i = from; i < p.batches_n; i++) replay_batch(&m, &p, &p.batch[i]);
    cu_hash found = state_hash_of(l);
    assert_memory_equal(&end, &found, sizeof end);
    cu_ledger_close(l);
    play_stop(&p);
}

static bool is_clean(void) { return !cu_ledger_may_rebuild(&fs, "node/state"); }

static void a_clean_end_is_told_from_an_unclean_one(void **state)
{
    (void)state;
    assert_false(is_clean());
    play_start(&p, &fs);
    save();
    assert_false(is_clean());
    reopen();
    assert_true(is_clean());
    assert_said(OK, deposits(&p, OFFICER, 1)), play_close(&p);
    assert_true(is_clean()); /* nothing of it has changed yet */
    save();
    assert_false(is_clean());
    assert_said(OK, deposits(&p, OFFICER, 2)), play_close(&p);
    reopen(); /* with something unsaved: the state is whole, but not the last word */
    assert_false(is_clean());
    play_stop(&p);
}

/* ---- damage --------------------------------------------------------------------------------------------------------- */

static struct cu_buf contents(const char *path)
{
    struct cu_buf bytes = cu_buf_heap(1u << 28);

    assert_ok(cu_fs_read(&fs, path, 1u << 28, &bytes, &err));
    return bytes;
}

static uint64_t contents_size(const char *path)
{
    struct cu_file_stat st;

    assert_ok(fs.ops->stat(fs.self, path, &st, &err));
    return st.size;
}

static void overwrite(const char *path, uint64_t at, struct cu_span bytes)
{
    struct cu_file *f;

    assert_ok(fs.ops->open(fs.self, path, CU_OPEN_WRITE, &f, &err));
    assert_ok(f->ops->write_at(f, at, bytes, &err));
    assert_ok(f->ops->sync(f, &err));
    f->ops->close(f);
}

static void resize(const char *path, uint64_t size)
{
    struct cu_file *f;

    assert_ok(fs.ops->open(fs.self, path, CU_OPEN_WRITE, &f, &err));
    assert_ok(f->ops->truncate(f, size, &err));
    f->ops->close(f);
}

static void is_noticed(const char *path, uint64_t at)
{
    struct cu_tip tip;
    cu_hash hash;
    cu_status status = cu_ledger_state_check(&fs, "node/state", &tip, &hash, &err);

    if (status != CU_CORRUPT && status != CU_NEWER_FORMAT)
        fail_msg("%s, byte %llu: %s", path, (unsigned long long)at, cu_status_name(status));
}

/* Each bit of every `step`-th byte, one at a time; a byte more, a byte less, a frame more or less. */
static void every_change_is_noticed(const char *path, size_t step)
{
    CU_BUF bytes = contents(path);

    for (size_t at = 0; at < bytes.n; at += step * ONE_OF(5)) {
        for (int bit = 0; bit < 8; bit++) {
            uint8_t changed = bytes.p[at] ^ (uint8_t)(1 << bit);
            overwrite(path, at, cu_span(&changed, 1));
            is_noticed(path, at);
        }
        overwrite(path, at, cu_span(bytes.p + at, 1));
    }
    for (size_t less = 1; less <= bytes.n; less += less < 200 ? 1 : 997) {
        resize(path, bytes.n - less);
        is_noticed(path, bytes.n - less);
    }
    resize(path, 0);
    overwrite(path, 0, cu_buf_span(&bytes));
    overwrite(path, bytes.n, cu_span("", 1));
    is_noticed(path, bytes.n);
    resize(path, bytes.n);
}

static void after_a_clean_end_every_flipped_bit_of_head_and_delta_is_noticed(void **state)
{
    struct cu_tip tip;
    cu_hash hash;

    (void)state;
    play_start(&p, &fs);
    save();
    assert_said(OK, deposits(&p, OFFICER, 1)), play_close(&p);
    save();
    play_stop(&p);
    every_change_is_noticed("node/state/head", 1);
    every_change_is_noticed("node/state/delta", 1);
    assert_ok(cu_ledger_state_check(&fs, "node/state", &tip, &hash, &err));
}

/* A snapshot, and a delta after it. */
static void with_a_snapshot(uint64_t n)
{
    struct cu_ledger *l;

    play_start(&p, &fs);
    for (uint64_t serial = 1; serial <= n; serial++) assert_said(OK, deposits(&p, OFFICER, serial));
    play_close(&p);
    assert_ok(cu_ledger_open_afresh(&fs, "node/state", &l, &err)); /* its first save is a snapshot */
    struct cu_machine m = cu_ledger_machine(l);
    for (size_t i = 0; i < p.batches_n; i++) replay_batch(&m, &p, &p.batch[i]);
    assert_ok(m.save(m.self, &err));
    cu_ledger_close(p.l);
    p.l = l;
    p.m = m;
}

static void after_a_clean_end_every_flipped_bit_of_a_snapshot_is_noticed(void **state)
{
    struct cu_tip tip;
    cu_hash hash;

    (void)state;
    with_a_snapshot(40);
    assert_said(OK, deposits(&p, OFFICER, 41)), play_close(&p);
    save();
    play_stop(&p);
    every_change_is_noticed("node/state/snapshot", 13);
    every_change_is_noticed("node/state/delta", 3);
    every_change_is_noticed("node/state/head", 1);
    assert_ok(cu_ledger_state_check(&fs, "node/state", &tip, &hash, &err));
}

static void what_an_interrupted_save_left_is_gone_after_a_clean_close(void **state)
{
    struct cu_tip tip;
    cu_hash hash;

    (void)state;
    play_start(&p, &fs);
    save();
    uint64_t size = contents_size("node/state/delta");
    struct cu_ledger *l = opened(); /* the first one is as if it had died */
    overwrite("node/state/delta", size, cu_span_str("the beginning of a frame"));
    cu_ledger_close(l);
    l = opened();
    assert_ok(cu_ledger_machine(l).save(l, &err)); /* nothing to save, but now it can be closed */
    cu_ledger_close(l);
    assert_true(is_clean());
    assert_int_equal(contents_size("node/state/delta"), size);
    assert_ok(cu_ledger_state_check(&fs, "node/state", &tip, &hash, &err));
    play_stop(&p);
}

/* ---- growth --------------------------------------------------------------------------------------------------------- */

static void put_rows(struct cu_state *s, uint64_t from, uint64_t n)
{
    static const uint8_t kid[32] = { 5 };

    for (uint64_t i = from; i < from + n; i++)
        cu_state_put(s, cu_at_numbered(CU_TABLE_SERIAL, CU_SPAN_OF(kid), i), &(struct cu_row_serial){ .kind = 6, .seq = i });
    assert_ok(cu_state_keep(s, &err));
}

static bool has_row(struct cu_state *s, uint64_t i)
{
    static const uint8_t kid[32] = { 5 };
    return cu_state_has(s, cu_at_numbered(CU_TABLE_SERIAL, CU_SPAN_OF(kid), i));
}

static uint64_t rows_there(void)
{
    struct cu_saved *store = NULL;
    struct cu_state s;
    struct cu_mark mark = { 0 };
    uint64_t n = 0;
    static const uint8_t kid[32] = { 5 };

    cu_state_init(&s);
    assert_ok(cu_saved_open(&fs, "node/state", false, &store, &s, &mark, &err));
    n = mark.height;
    for (uint64_t i = 0; i < n + 500; i += 251)
        assert_int_equal(cu_state_has(&s, cu_at_numbered(CU_TABLE_SERIAL, CU_SPAN_OF(kid), i)), i < n);
    cu_saved_close(store, &s);
    cu_state_free(&s);
    return n;
}

static cu_status save_rows(struct cu_saved *store, struct cu_state *s, const struct cu_mark *mark)
{
    TRY(cu_saved_freeze(store, s, mark, &err));
    cu_status status = cu_saved_write(store, s, &err);
    cu_saved_thaw(store, s);
    return status;
}

/* Between freeze and thaw batches go on: rows are put, seen, undone; and what was set aside is what is written, neither more nor
 * less, also when writing fails and the next save has to make up for it. */
static void a_state_is_written_while_it_changes(void **state)
{
    enum { MANY = 3000 };

    (void)state;
    for (uint64_t fail = 0;; fail++) {
        struct cu_fs inner;
        assert_ok(cu_memory_fs(&inner, &err));
        struct cu_faulty faulty = { .inner = inner, .fail_call = fail, .stop_after = CU_NEVER, .lost = cu_memory_lose };
        struct cu_fs own = cu_faulty_fs(&faulty), keep = fs;
        struct cu_saved *store = NULL;
        struct cu_state s;
        struct cu_mark mark = { 0 };
        cu_state_init(&s);
        if (cu_saved_open(&own, "node/state", true, &store, &s, &mark, &err) == CU_OK) {
            mark.height = MANY;
            put_rows(&s, 0, MANY); /* opened afresh: the first save is a snapshot */
            assert_ok(cu_saved_freeze(store, &s, &mark, &err));
            put_rows(&s, MANY, 10);
            assert_true(has_row(&s, 5) && has_row(&s, MANY + 9));
            cu_status written = cu_saved_write(store, &s, &err);
            cu_saved_thaw(store, &s);
            assert_true((has_row(&s, 5) && has_row(&s, MANY + 9)) || faulty.failed);
            fs = inner;
            if (written == CU_OK) assert_int_equal(rows_there(), MANY);
            mark.height = MANY + 10;
            cu_status last = save_rows(store, &s, &mark);
            assert_true(has_row(&s, MANY + 9));
            cu_saved_close(store, &s);
            if (last == CU_OK) assert_int_equal(rows_there(), MANY + 10);
            fs = keep;
        }
        cu_state_free(&s);
        own.ops->close(own.self);
        inner.ops->close(inner.self);
        if (fail > 0 && !faulty.failed) break;
    }
}

/* 4 MiB of rows turn into a snapshot, whatever fails on the way; the next save makes up for it. */
static void a_delta_that_grows_too_long_becomes_a_snapshot(void **state)
{
    enum { SAVES = 2, EACH = 26000 };

    (void)state;
    for (uint64_t fail = 0;; fail++) {
        struct cu_fs inner;
        assert_ok(cu_memory_fs(&inner, &err));
        struct cu_faulty faulty = { .inner = inner, .fail_call = fail, .stop_after = CU_NEVER, .lost = cu_memory_lose };
        struct cu_fs own = cu_faulty_fs(&faulty);
        struct cu_saved *store = NULL;
        struct cu_state s;
        struct cu_mark mark = { 0 };
        cu_state_init(&s);
        if (cu_saved_open(&own, "node/state", false, &store, &s, &mark, &err) == CU_OK) {
            for (uint64_t i = 0; i < SAVES; i++) {
                put_rows(&s, i * EACH, EACH);
                mark.height = (i + 1) * EACH;
                (void)!save_rows(store, &s, &mark);
            }
            put_rows(&s, SAVES * EACH, 1);
            mark.height++;
            cu_status last = save_rows(store, &s, &mark);
            cu_saved_close(store, &s);
            struct cu_fs keep = fs;
            fs = inner;
            uint64_t n = rows_there();
            fs = keep;
            if (last == CU_OK) assert_int_equal(n, SAVES * EACH + 1);
            if (fail == 0) assert_true(cu_fs_exists(&inner, "node/state/snapshot"));
        }
        cu_state_free(&s);
        own.ops->close(own.self);
        inner.ops->close(inner.self);
        if (fail > 0 && !faulty.failed) break;
    }
}

static void a_state_over_a_snapshot_answers_like_one_in_memory(void **state)
{
    (void)state;
    with_a_snapshot(200);
    reopen();
    for (uint64_t serial = 201; serial <= 260; serial++) {
        assert_said(OK, deposits(&p, serial % 2 ? OFFICER : CLERK, serial % 2 ? serial : serial / 2 - 100));
        if (serial % 7 == 0) play_close(&p), save();
        if (serial % 21 == 0) reopen();
    }
    play_close(&p);
    cu_hash whole = state_hash_of(p.l), replayed;
    assert_ok(cu_ledger_open(NULL, NULL, &other.l, &err));
    struct cu_machine m = cu_ledger_machine(other.l);
    for (size_t i = 0; i < p.batches_n; i++) replay_batch(&m, &p, &p.batch[i]);
    replayed = state_hash_of(other.l);
    assert_memory_equal(&whole, &replayed, sizeof whole);
    cu_ledger_close(other.l);
    play_stop(&p);
}

static void a_damaged_page_is_trouble_of_the_machine_and_no_refusal(void **state)
{
    struct cu_recorded found;

    (void)state;
    with_a_snapshot(200);
    reopen();
    CU_BUF bytes = contents("node/state/snapshot");
    for (uint64_t page = 1; page < bytes.n / 4096; page++)
        overwrite("node/state/snapshot", page * 4096 + 100, cu_span("damage", 6));
    cu_ledger_close(p.l);
    assert_fails(CORRUPT, cu_ledger_open(&fs, "node/state", &p.l, &err)); /* who may act lies in some of them */
    for (uint64_t page = 2; page < bytes.n / 4096 - 1; page++)
        overwrite("node/state/snapshot", page * 4096 + 100, cu_span("damage", 6));
    overwrite("node/state/snapshot", 4096, cu_span(bytes.p + 4096, 4096));
    for (unsigned page;
         cu_ledger_open(&fs, "node/state", &p.l, &err) != CU_OK;) { /* those that it needs alone are as they were */
        assert_int_equal(sscanf(err.text, "node/state/snapshot: page %u is damaged", &page), 1);
        overwrite("node/state/snapshot", page * 4096ull, cu_span(bytes.p + page * 4096ull, 4096));
    }
    p.m = cu_ledger_machine(p.l);
    struct cu_submission sub = { 0 };
    cu_status met = CU_OK;
    for (size_t i = p.said_n; met != CU_CORRUPT && i-- > 0;) { /* one that lies in a page which opening did not need */
        sub = (struct cu_submission){ .bytes = cu_span(p.said[i].bytes, p.said[i].n), .trusted = true };
        p.m.prepare(p.m.self, &sub, 1, NULL);
        met = cu_ledger_statement(p.l, &sub.id, &found, &err);
    }
    assert_fails(CORRUPT, met);
    assert_ok(p.m.begin(p.m.self, ++p.height, (cu_unix_ms){ p.now }, &err));
    assert_fails(CORRUPT, p.m.step(p.m.self, &sub, &err));
    p.m.abandon(p.m.self);
    play_stop(&p);
}

/* ---- crashes -------------------------------------------------------------------------------------------------------- */

static void after_a_crash_an_older_state_is_opened_and_its_tail_replayed(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct cu_ledger *l;
        assert_ok(cu_memory_fs(&fs, &err));
        if (seed % 3) with_a_snapshot(30);
        else play_start(&p, &fs);
        for (uint64_t serial = 101; serial <= 108; serial++) {
            assert_said(OK, deposits(&p, CLERK, serial - 100)), play_close(&p);
            if (serial % 2) save();
        }
        cu_hash end = state_hash_of(p.l), found;
        cu_memory_crash(&fs, seed);
        cu_status status = cu_ledger_open(&fs, "node/state", &l, &err);
        if (status != CU_OK) fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        struct cu_machine m = cu_ledger_machine(l);
        for (size_t i = 0; i < p.batches_n; i++)
            if (p.batch[i].first + i >= m.tip(m.self).size.v) replay_batch(&m, &p, &p.batch[i]);
        found = state_hash_of(l);
        assert_memory_equal(&end, &found, sizeof end);
        assert_ok(m.save(m.self, &err));
        cu_ledger_close(l);
        l = opened();
        found = state_hash_of(l);
        assert_memory_equal(&end, &found, sizeof end);
        assert_true(is_clean());
        cu_ledger_close(l);
        play_stop(&p);
        fs.ops->close(fs.self);
    }
    assert_ok(cu_memory_fs(&fs, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_saved_state_opens_as_it_was, power_on, power_off),
        cmocka_unit_test_setup_teardown(an_unsaved_tail_is_replayed_over_the_saved_state, power_on, power_off),
        cmocka_unit_test_setup_teardown(a_clean_end_is_told_from_an_unclean_one, power_on, power_off),
        cmocka_unit_test_setup_teardown(after_a_clean_end_every_flipped_bit_of_head_and_delta_is_noticed, power_on, power_off),
        cmocka_unit_test_setup_teardown(after_a_clean_end_every_flipped_bit_of_a_snapshot_is_noticed, power_on, power_off),
        cmocka_unit_test_setup_teardown(what_an_interrupted_save_left_is_gone_after_a_clean_close, power_on, power_off),
        cmocka_unit_test_setup_teardown(a_state_is_written_while_it_changes, power_on, power_off),
        cmocka_unit_test_setup_teardown(a_delta_that_grows_too_long_becomes_a_snapshot, power_on, power_off),
        cmocka_unit_test_setup_teardown(a_state_over_a_snapshot_answers_like_one_in_memory, power_on, power_off),
        cmocka_unit_test_setup_teardown(a_damaged_page_is_trouble_of_the_machine_and_no_refusal, power_on, power_off),
        cmocka_unit_test_setup_teardown(after_a_crash_an_older_state_is_opened_and_its_tail_replayed, NULL, power_off),
    };
    return cmocka_run_group_tests(tests, play_make_keys, play_free_keys);
}
