/* The seal of the search index: any byte changed after a clean close is noticed, an unclean end is not a fault. */
#include "adapters/sqlite/sqlite_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], path[128], seal[160], where[4200];

static int fresh_folder(void **state)
{
    struct cu_index index;

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/custody-seal-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/index.db", dir);
    snprintf(seal, sizeof seal, "%s.seal", path);
    assert_int_equal(cu_sqlite_index_open(path, false, &index, NULL), CU_OK);
    index.close(index.self);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(seal);
    return rmdir(dir);
}

static void flip(const char *file, long at)
{
    FILE *f = fopen(file, "r+b");
    int c;

    assert_non_null(f);
    fseek(f, at, SEEK_SET);
    c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 1, f);
    fclose(f);
}

static long size_of(const char *file)
{
    FILE *f = fopen(file, "rb");
    long size;

    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    fclose(f);
    return size;
}

static void a_cleanly_closed_index_bears_its_seal(void **state)
{
    (void)state;
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_OK);
    assert_int_equal(size_of(seal), 65 + 8 + 32 * ((size_of(path) + 65535) / 65536));
}

static void a_changed_bit_anywhere_in_the_index_is_noticed(void **state)
{
    (void)state;
    for (long at = 0, n = size_of(path); at < n; at += 997) {
        flip(path, at);
        assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_CORRUPT);
        assert_string_equal(where, path);
        flip(path, at);
    }
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_OK);
}

static void a_changed_bit_anywhere_in_the_seal_is_noticed(void **state)
{
    (void)state;
    for (long at = 0, n = size_of(seal); at < n; at++) {
        flip(seal, at);
        assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_CORRUPT);
        flip(seal, at);
    }
}

static void a_missing_index_or_seal_is_noticed_and_both_missing_is_not(void **state)
{
    struct cu_index index;

    (void)state;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_CORRUPT);
    assert_string_equal(where, path);
    assert_int_equal(unlink(seal), 0);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_OK);
    assert_int_equal(cu_sqlite_index_open(path, false, &index, NULL), CU_OK);
    index.close(index.self);
    assert_int_equal(unlink(seal), 0);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_CORRUPT);
    assert_string_equal(where, seal);
}

static void an_interrupted_writer_leaves_no_seal_and_that_is_no_fault(void **state)
{
    struct cu_index index;

    (void)state;
    assert_int_equal(cu_sqlite_index_open(path, false, &index, NULL), CU_OK);
    assert_int_equal(index.begin(index.self, NULL), CU_OK);
    assert_int_equal(size_of(seal), 0);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_OK);
    index.rollback(index.self);
    index.close(index.self);
    assert_true(size_of(seal) > 65);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_OK);
}

/* Many objects, then one by one: what a writer did not touch keeps the digest that it had. */
static void tell_objects(unsigned from, unsigned n)
{
    struct cu_index index;

    assert_int_equal(cu_sqlite_index_open(path, false, &index, NULL), CU_OK);
    assert_int_equal(index.begin(index.self, NULL), CU_OK);
    for (unsigned i = from; i < from + n; i++) {
        struct cu_index_object o = { .row = i };
        cu_put_be32(o.root.b, i * 2654435761u);
        assert_int_equal(index.put_object(index.self, 0, &o, NULL), CU_OK);
    }
    assert_int_equal(index.commit(index.self, (cu_size){ 0 }, NULL), CU_OK);
    index.close(index.self);
}

static void a_seal_is_brought_up_to_date_and_keeps_what_was_found_before(void **state)
{
    (void)state;
    tell_objects(0, 20000);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_OK);
    for (unsigned i = 0; i < 20; i++) {
        tell_objects(20000 + i, 1 + i * i);
        assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_OK);
    }
    flip(path, size_of(path) / 2 + 4000);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_CORRUPT);
    tell_objects(30000, 1);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_CORRUPT); /* closing it again does not bless it */
    flip(path, size_of(path) / 2 + 4000);
}

static void after_an_interrupted_writer_all_of_it_is_sealed_anew(void **state)
{
    FILE *f;

    (void)state;
    tell_objects(0, 20000);
    f = fopen(seal, "wb");
    assert_non_null(f);
    fclose(f);
    tell_objects(20000, 1);
    assert_true(size_of(seal) > 65);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_OK);
}

static void a_reader_leaves_the_seal_and_nothing_beside_it(void **state)
{
    struct cu_index index;
    char beside[160];

    (void)state;
    assert_int_equal(cu_sqlite_index_open(path, true, &index, NULL), CU_OK);
    index.close(index.self);
    assert_int_equal(cu_sqlite_index_check(path, where, NULL), CU_OK);
    snprintf(beside, sizeof beside, "%s-shm", path);
    assert_int_not_equal(access(beside, F_OK), 0);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_cleanly_closed_index_bears_its_seal),
        WITH_FOLDER(a_changed_bit_anywhere_in_the_index_is_noticed),
        WITH_FOLDER(a_changed_bit_anywhere_in_the_seal_is_noticed),
        WITH_FOLDER(a_missing_index_or_seal_is_noticed_and_both_missing_is_not),
        WITH_FOLDER(an_interrupted_writer_leaves_no_seal_and_that_is_no_fault),
        WITH_FOLDER(a_seal_is_brought_up_to_date_and_keeps_what_was_found_before),
        WITH_FOLDER(after_an_interrupted_writer_all_of_it_is_sealed_anew),
        WITH_FOLDER(a_reader_leaves_the_seal_and_nothing_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
