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

/* ---- how much it holds ---- */

static void an_outbox_of_16_mib_is_kept_and_one_byte_more_is_not(void **state)
{
    struct service_world *w = sw_copy(base);
    static const uint8_t zeros[CU_PENDING_MAX];
    const size_t head = 34 + 1, room = CU_PENDING_MAX - head; /* sum, number */
    struct cu_outbox box;
    struct cu_err err = { 0 };

    (void)state;
    assert_int_equal(sw_open(w, SW_READ, &err), CU_OK);
    assert_int_equal(cu_outbox_open(&w->place, &box, &err), CU_OK);
    cu_buf_clear(&box.records);
    cu_cbor_put_bytes(&box.records, cu_span(zeros, room - 5));
    assert_int_equal(box.records.n, room);
    assert_int_equal(cu_outbox_keep(&box, &err), CU_OK);
    cu_buf_add_byte(&box.records, 0);
    assert_int_equal(cu_outbox_keep(&box, &err), CU_TOO_LARGE);
    assert_non_null(strstr(err.text, "the outbox is full"));
    cu_outbox_close(&box);
    assert_int_equal(cu_outbox_open(&w->place, &box, &err), CU_OK);
    assert_int_equal(box.records.n, room);
    cu_outbox_close(&box);
    assert_int_equal(sw_close(w, &err), CU_OK);
    sw_free(w);
}

static uint64_t size_of(const struct cu_fs *fs, const char *path)
{
    struct cu_file_stat st;

    assert_int_equal(fs->ops->stat(fs->self, path, &st, NULL), CU_OK);
    return st.size;
}

static void reads_of_1_mib_wait_and_one_byte_more_is_not_noted(void **state)
{
    static uint8_t rows[CU_ACCESS_BYTES_MAX];
    static const char path[] = CU_DIR_OUTBOX "/access";
    const struct cu_access_row row = { .who = cu_span_str("officer"), .reason = cu_span_str("trial"), .time = 1 };
    struct service_world *w = sw_copy(base);
    struct cu_err err = { 0 };

    (void)state;
    assert_int_equal(sw_open(w, SW_READ, &err), CU_OK);
    assert_int_equal(cu_access_note(&w->place, &row, &err), CU_OK);
    const size_t one = (size_t)size_of(&w->memory, path);
    for (size_t over = 0; over < 2; over++) {
        assert_int_equal(cu_fs_replace(&w->fs, path, "tmp", cu_span(rows, sizeof rows - one + over), false, &err), CU_OK);
        assert_int_equal(cu_access_note(&w->place, &row, &err), over ? CU_TOO_LARGE : CU_OK);
        assert_int_equal(size_of(&w->memory, path), sizeof rows - (over ? one - 1 : 0));
    }
    assert_int_equal(sw_close(w, &err), CU_OK);
    sw_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_and_records_are_one_file),
        cmocka_unit_test(any_bit_of_it_stops_who_would_sign_and_what_is_whole_of_it_is_kept),
        cmocka_unit_test(an_outbox_of_16_mib_is_kept_and_one_byte_more_is_not),
        cmocka_unit_test(reads_of_1_mib_wait_and_one_byte_more_is_not_noted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
