/* The outbox damaged at rest: nothing is signed over it, `check` names it, and a repair keeps what is whole of it. */
#include "service_world.h"

#include "service/outbox.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct service_world *base; /* two deposits wait in its outbox, and a claim of number 5 is out */

static int set_up(void **state)
{
    static const char *const paths[] = { SW_SMALL, SW_PACKED };
    const struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS };
    CU_BUF claim = cu_buf_heap(CU_RECORD_MAX);
    struct cu_err err = { 0 };

    (void)state;
    sw_keep();
    base = sw_new();
    assert_int_equal(sw_create(base, &err), CU_OK);
    assert_int_equal(sw_open(base, SW_WRITE, &err), CU_OK);
    assert_int_equal(sw_deposit(base, (const char *const[]){ SW_BASE, SW_OTHER }, 2, false, &err), CU_OK);
    assert_int_equal(sw_deposit(base, paths, 2, true, &err), CU_OK);
    assert_int_equal(cu_claim_make(&base->place, &r, SW_NEXT, &claim, &err), CU_OK);
    assert_int_equal(sw_close(base, &err), CU_OK);
    sw_restart(base);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sw_free(base);
    sw_let_go();
    return 0;
}

struct seen {
    uint64_t highest;
    size_t records;
};

static struct seen see(const struct cu_fs *fs)
{
    CU_BUF file = cu_buf_heap(CU_PENDING_MAX);
    struct cu_span records, one;
    struct seen s = { 0 };

    assert_int_equal(cu_fs_read(fs, CU_FILE_PENDING, CU_PENDING_MAX, &file, NULL), CU_OK);
    assert_int_equal(cu_pending_read(cu_buf_span(&file), &s.highest, &records, NULL), CU_OK);
    for (size_t at = 0; cu_outbox_next(records, &at, &one);) s.records++;
    return s;
}

static void number_and_records_are_one_file(void **state)
{
    const struct seen s = see(&base->memory);

    (void)state;
    assert_int_equal(s.highest, 5);
    assert_int_equal(s.records, 2);
}

static void try_bit(uint64_t bit)
{
    struct service_world *w = sw_copy(base);
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char finding[600];

    assert_true(cu_memory_flip(&w->memory, CU_FILE_PENDING, bit));
    assert_int_equal(sw_open(w, SW_WRITE, &err), CU_CORRUPT);
    assert_non_null(strstr(err.text, "check --repair"));
    sw_restart(w);
    assert_int_equal(sw_check(w, false, &result, finding, &err), CU_OK);
    assert_int_equal(result.findings, 1);
    assert_non_null(strstr(finding, CU_FILE_PENDING));
    assert_int_equal(sw_check(w, true, &result, finding, &err), CU_OK);
    assert_int_equal(result.unrepaired, 0);
    sw_restart(w);
    const struct seen s = see(&w->memory);
    assert_in_range(s.records, bit < 280 ? 2 : 0, 2); /* sum and number: the records are as they were */
    if (bit < 280) assert_int_equal(s.highest, 4);
    if (sw_open(w, SW_WRITE, &err) != CU_OK) fail_msg("bit %llu: %s", (unsigned long long)bit, err.text);
    const char *wrong = sw_judge_numbers(w);
    if (wrong) fail_msg("bit %llu: %s", (unsigned long long)bit, wrong);
    assert_int_equal(sw_close(w, &err), CU_OK);
    sw_free(w);
}

static void any_bit_of_it_stops_who_would_sign_and_what_is_whole_of_it_is_kept(void **state)
{
    struct cu_file_stat st;

    (void)state;
    assert_int_equal(base->memory.ops->stat(base->memory.self, CU_FILE_PENDING, &st, NULL), CU_OK);
    for (uint64_t bit = 0; bit < 8 * st.size; bit += bit < 280 ? 41 : 331) try_bit(bit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_and_records_are_one_file),
        cmocka_unit_test(any_bit_of_it_stops_who_would_sign_and_what_is_whole_of_it_is_kept),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
