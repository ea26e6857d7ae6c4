/* The file system in memory loses what it should, and nothing else; the faulty one fails when it should. */
#include "adapters/faulty/faulty.h"
#include "adapters/memory/memory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct cu_err error;
#define OK(call)                                                                          \
    do {                                                                                  \
        cu_status ok_ = (call);                                                           \
        if (ok_ != CU_OK) fail_msg("%s: %s: %s", #call, cu_status_name(ok_), error.text); \
    } while (0)

static struct cu_fs new_fs(void)
{
    struct cu_fs fs;
    OK(cu_memory_fs(&fs, &error));
    return fs;
}

static struct cu_file *open_file(const struct cu_fs *fs, const char *path)
{
    struct cu_file *f = NULL;
    OK(fs->ops->open(fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE, &f, &error));
    return f;
}

static bool holds(const struct cu_fs *fs, const char *path, const char *text)
{
    CU_BUF in = cu_buf_heap(1 << 20);
    return cu_fs_read(fs, path, 1 << 20, &in, &error) == CU_OK && cu_span_is(cu_buf_span(&in), text);
}

static void a_crash_loses_what_was_not_synced_and_keeps_what_was(void **state)
{
    struct cu_fs fs = new_fs();
    struct cu_file *f = open_file(&fs, "a/f");
    (void)state;

    OK(f->ops->write_at(f, 0, cu_span_str("kept"), &error));
    OK(f->ops->sync(f, &error));
    OK(fs.ops->sync_dir(fs.self, "a", &error));
    OK(f->ops->write_at(f, 0, cu_span_str("lost, and longer"), &error));
    assert_true(holds(&fs, "a/f", "lost, and longer"));
    cu_file_close(&f);
    cu_memory_crash(&fs, 0);
    assert_true(holds(&fs, "a/f", "kept"));
    fs.ops->close(fs.self);
}

static void a_synced_file_whose_folder_was_not_is_gone(void **state)
{
    struct cu_fs fs = new_fs();
    struct cu_file *f = open_file(&fs, "a/f");
    (void)state;

    OK(f->ops->write_at(f, 0, cu_span_str("x"), &error));
    OK(f->ops->sync(f, &error));
    cu_file_close(&f);
    cu_memory_crash(&fs, 0);
    assert_false(cu_fs_exists(&fs, "a/f"));
    assert_true(cu_fs_exists(&fs, "a")); /* folders are durable when they are made */
    fs.ops->close(fs.self);
}

static void seed_one_keeps_everything(void **state)
{
    struct cu_fs fs = new_fs();
    (void)state;

    OK(cu_fs_replace(&fs, "a/f", "a/tmp", cu_span_str("there"), false, &error));
    cu_memory_crash(&fs, 1);
    assert_true(holds(&fs, "a/f", "there"));
    assert_false(cu_fs_exists(&fs, "a/tmp"));
    fs.ops->close(fs.self);
}

static void a_durable_replacement_is_the_old_or_the_new_whatever_the_seed(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++)
        for (int durable = 0; durable < 2; durable++) {
            struct cu_fs fs = new_fs();
            OK(cu_fs_replace(&fs, "a/f", "incoming/f", cu_span_str("old"), true, &error));
            OK(cu_fs_replace(&fs, "a/f", "incoming/f", cu_span_str("new, and longer"), durable, &error));
            cu_memory_crash(&fs, seed);
            if (durable) assert_true(holds(&fs, "a/f", "new, and longer"));
            else assert_true(cu_fs_exists(&fs, "a/f"));
            fs.ops->close(fs.self);
        }
}

static void sectors_tear_but_are_whole(void **state)
{
    static uint8_t ones[4096], back[4096];
    unsigned torn = 0;
    (void)state;

    memset(ones, 1, sizeof ones);
    for (uint64_t seed = 2; seed < 60; seed++) {
        struct cu_fs fs = new_fs();
        struct cu_file *f = open_file(&fs, "f");
        static const uint8_t zeros[4096];
        size_t got, sum = 0;
        OK(f->ops->write_at(f, 0, CU_SPAN_OF(zeros), &error));
        OK(fs.ops->sync_all(fs.self, &error));
        OK(f->ops->write_at(f, 0, CU_SPAN_OF(ones), &error));
        cu_file_close(&f);
        cu_memory_crash(&fs, seed);
        f = open_file(&fs, "f");
        OK(f->ops->read_at(f, 0, back, sizeof back, &got, &error));
        assert_int_equal(got, sizeof back);
        for (size_t s = 0; s < 8; s++) {
            for (size_t i = 1; i < 512; i++) assert_int_equal(back[512 * s + i], back[512 * s]);
            sum += back[512 * s];
        }
        torn += sum > 0 && sum < 8;
        cu_file_close(&f);
        fs.ops->close(fs.self);
    }
    assert_true(torn > 40);
}

static void a_rename_takes_the_files_creation_along(void **state)
{
    struct cu_fs fs = new_fs();
    struct cu_file *f = open_file(&fs, "incoming/f");
    (void)state;

    OK(f->ops->write_at(f, 0, cu_span_str("x"), &error));
    OK(f->ops->sync(f, &error));
    cu_file_close(&f);
    OK(fs.ops->rename(fs.self, "incoming/f", "objects/f", &error));
    OK(fs.ops->sync_dir(fs.self, "objects", &error));
    for (uint64_t seed = 0; seed < 5; seed++) {
        cu_memory_crash(&fs, seed);
        assert_true(holds(&fs, "objects/f", "x"));
        assert_false(cu_fs_exists(&fs, "incoming/f"));
    }
    fs.ops->close(fs.self);
}

static void what_a_failed_sync_lost_no_later_sync_brings_back(void **state)
{
    struct cu_fs fs = new_fs();
    struct cu_file *f = open_file(&fs, "f");
    (void)state;

    OK(fs.ops->sync_dir(fs.self, ".", &error));
    OK(f->ops->write_at(f, 0, cu_span_str("x"), &error));
    cu_memory_lose(f);
    OK(f->ops->sync(f, &error));
    cu_file_close(&f);
    assert_true(holds(&fs, "f", "x"));
    cu_memory_crash(&fs, 1);
    assert_false(holds(&fs, "f", "x"));
    fs.ops->close(fs.self);
}

static void a_copy_is_its_own(void **state)
{
    struct cu_fs fs = new_fs(), copy;
    struct cu_file *f = open_file(&fs, "a/f");
    (void)state;

    OK(f->ops->write_at(f, 0, cu_span_str("one"), &error));
    OK(cu_memory_copy(&fs, &copy, &error));
    OK(f->ops->write_at(f, 0, cu_span_str("two"), &error));
    cu_file_close(&f);
    cu_memory_crash(&copy, 0);
    assert_true(holds(&copy, "a/f", "one"));
    assert_true(holds(&fs, "a/f", "two"));
    fs.ops->close(fs.self);
    copy.ops->close(copy.self);
}

static void a_crash_frees_the_lock(void **state)
{
    struct cu_fs fs = new_fs();
    void *lock, *second;
    (void)state;

    OK(fs.ops->lock(fs.self, "lock", 0, &lock, &error));
    assert_int_equal(fs.ops->lock(fs.self, "lock", 0, &second, &error), CU_BUSY);
    cu_memory_crash(&fs, 0);
    OK(fs.ops->lock(fs.self, "lock", 0, &second, &error));
    fs.ops->unlock(fs.self, lock); /* the dead one's: nothing */
    assert_int_equal(fs.ops->lock(fs.self, "lock", 0, &lock, &error), CU_BUSY);
    fs.ops->close(fs.self);
}

static cu_status story(const struct cu_fs *fs)
{
    CU_BUF in = cu_buf_heap(100);
    TRY(cu_fs_replace(fs, "a/f", "incoming/f", cu_span_str("one"), true, &error));
    TRY(cu_fs_read(fs, "a/f", 100, &in, &error));
    return cu_fs_replace(fs, "a/f", "incoming/f", cu_span_str("two"), true, &error);
}

static void the_nth_call_fails_for_every_n(void **state)
{
    struct cu_faulty f = { .inner = new_fs(), .stop_after = CU_NEVER };
    struct cu_fs fs = cu_faulty_fs(&f);
    (void)state;

    OK(story(&fs));
    uint64_t calls = f.calls, effects = f.effects;
    fs.ops->close(fs.self);
    f.inner.ops->close(f.inner.self);
    assert_true(calls > effects && effects >= 10);
    for (uint64_t n = 1; n <= calls; n++) {
        f = (struct cu_faulty){ .inner = new_fs(), .stop_after = CU_NEVER, .fail_call = n, .fault = CU_FAULT_NO_SPACE };
        fs = cu_faulty_fs(&f);
        assert_int_equal(story(&fs), CU_NO_SPACE);
        assert_int_equal(f.calls, n);
        fs.ops->close(fs.self);
        f.inner.ops->close(f.inner.self);
    }
    for (uint64_t k = 0; k < effects; k++) {
        f = (struct cu_faulty){ .inner = new_fs(), .stop_after = k };
        fs = cu_faulty_fs(&f);
        assert_int_equal(story(&fs), CU_IO);
        assert_int_equal(story(&fs), CU_IO);
        assert_int_equal(f.effects, k);
        fs.ops->close(fs.self);
        cu_memory_crash(&f.inner, k);
        f.inner.ops->close(f.inner.self);
    }
}

static void a_medium_that_turns_read_only_still_reads(void **state)
{
    struct cu_faulty f = { .inner = new_fs(), .stop_after = CU_NEVER };
    struct cu_fs fs = cu_faulty_fs(&f);
    (void)state;

    OK(story(&fs));
    f.fault = CU_FAULT_READ_ONLY;
    f.fail_call = f.calls + 1;
    assert_int_equal(story(&fs), CU_READ_ONLY);
    assert_int_equal(story(&fs), CU_READ_ONLY);
    assert_true(holds(&fs, "a/f", "two"));
    assert_false(fs.ops->writable(fs.self));
    fs.ops->close(fs.self);
    f.inner.ops->close(f.inner.self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_loses_what_was_not_synced_and_keeps_what_was),
        cmocka_unit_test(a_synced_file_whose_folder_was_not_is_gone),
        cmocka_unit_test(seed_one_keeps_everything),
        cmocka_unit_test(a_durable_replacement_is_the_old_or_the_new_whatever_the_seed),
        cmocka_unit_test(sectors_tear_but_are_whole),
        cmocka_unit_test(a_rename_takes_the_files_creation_along),
        cmocka_unit_test(what_a_failed_sync_lost_no_later_sync_brings_back),
        cmocka_unit_test(a_copy_is_its_own),
        cmocka_unit_test(a_crash_frees_the_lock),
        cmocka_unit_test(the_nth_call_fails_for_every_n),
        cmocka_unit_test(a_medium_that_turns_read_only_still_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
