/* Spans, buffers, big-endian integers, and the limits. */
#include "custody/limits.h"
#include "custody/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void spans_compare_bytewise_and_a_prefix_comes_first(void **state)
{
    (void)state;
    static const char *const ascending[] = { "", "A", "AB", "B", "a", "a\x01", "ab", "b", "\x80", "\xff" };
    size_t n = sizeof ascending / sizeof *ascending;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            struct cu_span a = cu_span_str(ascending[i]), b = cu_span_str(ascending[j]);
            int order = cu_span_cmp(a, b);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(cu_span_eq(a, b), i == j);
        }
}

static void an_empty_span_needs_no_memory(void **state)
{
    (void)state;
    assert_true(cu_span_eq(CU_SPAN_EMPTY, cu_span_str("")));
    assert_int_equal(cu_span_cmp(CU_SPAN_EMPTY, CU_SPAN_EMPTY), 0);
    assert_true(cu_span_cmp(CU_SPAN_EMPTY, cu_span_str("a")) < 0);
    assert_true(cu_span_is(CU_SPAN_EMPTY, ""));
    assert_true(cu_span_starts(CU_SPAN_EMPTY, CU_SPAN_EMPTY));
}

static void a_span_starts_with_its_prefixes_alone(void **state)
{
    (void)state;
    struct cu_span s = cu_span_str("custody");
    assert_true(cu_span_starts(s, cu_span_str("cust")));
    assert_true(cu_span_starts(s, s));
    assert_false(cu_span_starts(s, cu_span_str("ust")));
    assert_false(cu_span_starts(cu_span_str("cust"), s));
    assert_true(cu_span_is(s, "custody"));
    assert_false(cu_span_is(s, "custod"));
}

static void hashes_compare_whole(void **state)
{
    (void)state;
    cu_hash a = { { 0 } }, b = { { 0 } };
    assert_true(cu_hash_eq(&a, &b) && cu_hash_is_zero(&a));
    b.b[31] = 1;
    assert_false(cu_hash_eq(&a, &b) || cu_hash_is_zero(&b));
}

static void big_endian_integers_return_as_they_were_put(void **state)
{
    (void)state;
    uint8_t p[8];
    static const uint64_t values[] = { 0, 1, 0x80, 0xFFFF, 0x12345678, 0xFEDCBA9876543210, UINT64_MAX };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        cu_put_be64(p, values[i]);
        assert_true(cu_be64(p) == values[i]);
        cu_put_be32(p, (uint32_t)values[i]);
        assert_true(cu_be32(p) == (uint32_t)values[i]);
        cu_put_be16(p, (uint16_t)values[i]);
        assert_true(cu_be16(p) == (uint16_t)values[i]);
    }
    cu_put_be32(p, 0x01020304);
    assert_memory_equal(p, "\x01\x02\x03\x04", 4);
}

static void a_buffer_grows_to_its_maximum_and_not_beyond(void **state)
{
    (void)state;
    for (size_t max = 0; max < 1100; max += max < 4 || max > 250 ? 1 : 50) {
        CU_BUF buf = cu_buf_heap(max);
        for (size_t i = 0; i < max; i++) cu_buf_add_byte(&buf, (uint8_t)i);
        assert_int_equal(cu_buf_ok(&buf, NULL), CU_OK);
        assert_int_equal(buf.n, max);
        assert_true(buf.n <= buf.cap && buf.cap <= buf.max);
        for (size_t i = 0; i < max; i++) assert_int_equal(buf.p[i], (uint8_t)i);
        cu_buf_add_byte(&buf, 0);
        assert_int_equal(cu_buf_ok(&buf, NULL), CU_TOO_LARGE);
        assert_int_equal(buf.n, max);
    }
}

static void a_full_buffer_stays_full_even_for_what_would_fit(void **state)
{
    (void)state;
    char mem[8];
    struct cu_buf buf = cu_buf_over(mem, sizeof mem);
    struct cu_err err;
    cu_buf_add_str(&buf, "12345");
    cu_buf_add_str(&buf, "1234"); /* does not fit, and nothing of it is there */
    cu_buf_add_str(&buf, "1");
    assert_null(cu_buf_grow(&buf, 0));
    assert_int_equal(buf.n, 5);
    assert_int_equal(cu_buf_ok(&buf, &err), CU_TOO_LARGE);
    assert_string_equal(err.text, "more than 8 bytes, the most that may stand here");

    cu_buf_clear(&buf);
    cu_buf_add_str(&buf, "12345678");
    assert_int_equal(cu_buf_ok(&buf, NULL), CU_OK);
    assert_memory_equal(mem, "12345678", 8);
}

static void lengths_that_overflow_are_refused(void **state)
{
    (void)state;
    char mem[8];
    struct cu_buf over = cu_buf_over(mem, sizeof mem);
    cu_buf_add_byte(&over, 1);
    assert_null(cu_buf_grow(&over, SIZE_MAX));
    assert_true(over.full);

    CU_BUF heap = cu_buf_heap(SIZE_MAX);
    cu_buf_add_byte(&heap, 1);
    assert_null(cu_buf_grow(&heap, SIZE_MAX));
    assert_true(heap.full);
}

static void memory_that_is_not_there_is_reported(void **state)
{
    (void)state;
    CU_BUF buf = cu_buf_heap(SIZE_MAX);
    cu_buf_add_str(&buf, "abc");
    assert_null(cu_buf_grow(&buf, SIZE_MAX / 2 - 4096));
    assert_int_equal(cu_buf_ok(&buf, NULL), CU_NO_MEMORY);
    cu_buf_add_str(&buf, "d");
    assert_int_equal(buf.n, 3);
    assert_memory_equal(buf.p, "abc", 3); /* what was there stays */
}

static void formatted_text_is_appended_without_its_zero(void **state)
{
    (void)state;
    char mem[8], text[5000];
    struct cu_buf buf = cu_buf_over(mem, sizeof mem);
    cu_buf_addf(&buf, "%s-%u", "abcde", 12u);
    assert_int_equal(cu_buf_ok(&buf, NULL), CU_OK);
    assert_memory_equal(mem, "abcde-12", 8);
    cu_buf_addf(&buf, "%s", "");
    assert_int_equal(cu_buf_ok(&buf, NULL), CU_OK);
    cu_buf_addf(&buf, "x");
    assert_true(buf.full);

    memset(text, 'x', sizeof text);
    text[4095] = '\0';
    CU_BUF large = cu_buf_heap(10000);
    cu_buf_addf(&large, "%s", text);
    assert_int_equal(large.n, 4095);
    assert_false(large.full);
    cu_buf_addf(&large, "y%s", text);
    assert_true(large.full);
}

static void nothing_may_be_added_and_nothing_freed(void **state)
{
    (void)state;
    struct cu_buf buf = cu_buf_over(NULL, 0);
    cu_buf_add(&buf, CU_SPAN_EMPTY);
    assert_int_equal(cu_buf_ok(&buf, NULL), CU_OK);
    cu_buf_free(&buf);
    cu_buf_free(NULL);
}

static void a_wiped_secret_is_gone(void **state)
{
    (void)state;
    uint8_t secret[40];
    memset(secret, 0xA5, sizeof secret);
    cu_wipe(secret, 32);
    for (size_t i = 0; i < sizeof secret; i++) assert_int_equal(secret[i], i < 32 ? 0 : 0xA5);
    cu_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_compare_bytewise_and_a_prefix_comes_first),
        cmocka_unit_test(an_empty_span_needs_no_memory),
        cmocka_unit_test(a_span_starts_with_its_prefixes_alone),
        cmocka_unit_test(hashes_compare_whole),
        cmocka_unit_test(big_endian_integers_return_as_they_were_put),
        cmocka_unit_test(a_buffer_grows_to_its_maximum_and_not_beyond),
        cmocka_unit_test(a_full_buffer_stays_full_even_for_what_would_fit),
        cmocka_unit_test(lengths_that_overflow_are_refused),
        cmocka_unit_test(memory_that_is_not_there_is_reported),
        cmocka_unit_test(formatted_text_is_appended_without_its_zero),
        cmocka_unit_test(nothing_may_be_added_and_nothing_freed),
        cmocka_unit_test(a_wiped_secret_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
