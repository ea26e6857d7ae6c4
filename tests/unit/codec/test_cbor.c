/* Canonical CBOR: the vectors, the bounds, the counting of the reader, the writer. */
#include "../../cbor_copy.h"
#include "custody/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define READ(...) cu_cbor_read(cu_span((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })))

/* ---- vectors ------------------------------------------------------------------------------------------------------- */

static void judge(struct cu_span verdict, struct cu_span hex, struct cu_span text)
{
    uint8_t mem[512];
    struct cu_err err = { 0 };
    assert_int_equal(cu_hex_read(hex, mem, hex.n / 2, &err), CU_OK);
    uint8_t *bytes = malloc(hex.n / 2 + 1); /* its own block, so that a sanitizer sees a read past the end */
    memcpy(bytes, mem, hex.n / 2);
    struct cu_span item = cu_span(bytes, hex.n / 2);

    char said[1000];
    struct cu_buf out = cu_buf_over(said, sizeof said - 1);
    cu_status status = cu_cbor_check(item, "", &err);
    if (status == CU_OK) {
        cu_cbor_diagnose(item, &out);
        uint8_t again[512];
        struct cu_buf copy = cu_buf_over(again, sizeof again);
        struct cu_cbor_reader in = cu_cbor_read(item);
        cbor_copy(&in, &copy);
        assert_int_equal(cu_cbor_done(&in, "", NULL), CU_OK);
        assert_true(cu_span_eq(cu_buf_span(&copy), item));
    } else {
        assert_int_equal(status, CU_MALFORMED);
        cu_buf_add_str(&out, err.text + 2); /* without ": " */
    }
    said[out.n] = '\0';
    if (!cu_span_is(verdict, status == CU_OK ? "accepted" : "refused") || !cu_span_is(text, said))
        fail_msg("%.*s: %s, %s; expected %.*s", (int)hex.n, (const char *)hex.p, status ? "refused" : "accepted", said,
                 (int)text.n, (const char *)text.p);
    free(bytes);
}

static size_t judge_file(const char *name)
{
    char path[1000];
    static uint8_t text[65536];
    snprintf(path, sizeof path, "%s/tests/vectors/%s", TEST_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("no %s", path);
    struct cu_lines lines = cu_lines_on(cu_span(text, fread(text, 1, sizeof text, file)));
    fclose(file);

    size_t n = 0;
    for (struct cu_span line, verdict, hex; cu_lines_next(&lines, &line);) {
        if (line.p[0] == '#') continue;
        assert_true(cu_span_split(&line, '\t', &verdict) && cu_span_split(&line, '\t', &hex));
        judge(verdict, hex, line);
        n++;
    }
    assert_false(lines.bad);
    return n;
}

static void the_examples_of_rfc_8949_are_judged_as_the_strict_profile_says(void **state)
{
    (void)state;
    assert_int_equal(judge_file("cbor_appendix_a.txt"), 81);
}

static void each_other_encoding_is_refused_with_its_own_sentence(void **state)
{
    (void)state;
    assert_true(judge_file("cbor_refused.txt") > 180);
}

static void what_lies_at_the_edge_is_accepted(void **state)
{
    (void)state;
    assert_true(judge_file("cbor_edges.txt") > 30);
}

/* ---- reading by hand ------------------------------------------------------------------------------------------------- */

static void values_come_as_they_were_written(void **state)
{
    (void)state;
    uint8_t mem[200], fixed[3];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    cu_cbor_put_array(&out, 9);
    cu_cbor_put_uint(&out, UINT64_MAX);
    cu_cbor_put_int(&out, INT64_MIN);
    cu_cbor_put_int(&out, INT64_MAX);
    cu_cbor_put_bytes(&out, cu_span("\x01\x02\x03", 3));
    cu_cbor_put_text(&out, cu_span_str("tö"));
    cu_cbor_put_bool(&out, true);
    cu_cbor_put_null(&out);
    cu_cbor_put_tag(&out, 18);
    cu_cbor_put_map(&out, 1);
    cu_cbor_put_int(&out, -1);
    cu_cbor_put_bool(&out, false);
    cu_cbor_put_bytes(&out, cu_span("abc", 3));
    assert_int_equal(cu_buf_ok(&out, NULL), CU_OK);

    struct cu_cbor_reader in = cu_cbor_read(cu_buf_span(&out));
    assert_int_equal(cu_cbor_enter_array(&in, 9), 9);
    assert_true(cu_cbor_uint(&in) == UINT64_MAX);
    assert_true(cu_cbor_int(&in) == INT64_MIN);
    assert_true(cu_cbor_int(&in) == INT64_MAX);
    assert_int_equal(cu_cbor_peek(&in), CU_CBOR_BYTES);
    assert_true(cu_span_eq(cu_cbor_bytes(&in, 3, 3), cu_span("\x01\x02\x03", 3)));
    assert_true(cu_span_is(cu_cbor_text(&in, 1, 3), "tö"));
    assert_true(cu_cbor_bool(&in));
    cu_cbor_null(&in);
    cu_cbor_tag(&in, 18);
    assert_int_equal(cu_cbor_enter_map(&in, 1), 1);
    assert_int_equal(cu_cbor_int(&in), -1);
    assert_false(cu_cbor_bool(&in));
    assert_int_equal(cu_cbor_peek(&in), CU_CBOR_END);
    cu_cbor_leave(&in);
    cu_cbor_fixed(&in, fixed, 3);
    assert_memory_equal(fixed, "abc", 3);
    cu_cbor_leave(&in);
    assert_int_equal(cu_cbor_done(&in, "all", NULL), CU_OK);
}

static void expect_fault(struct cu_cbor_reader *in, const char *sentence)
{
    struct cu_err err;
    assert_int_equal(cu_cbor_done(in, "it", &err), CU_MALFORMED);
    assert_string_equal(err.text, sentence);
}

static void no_element_is_read_beyond_the_end_of_its_array(void **state)
{
    (void)state;
    struct cu_cbor_reader in = READ(0x82, 0x81, 1, 2);
    cu_cbor_enter_array(&in, 2);
    cu_cbor_enter_array(&in, 2);
    assert_int_equal(cu_cbor_uint(&in), 1);
    assert_int_equal(cu_cbor_uint(&in), 0);
    expect_fault(&in, "it: an element is missing, at byte 3");
}

static void an_array_is_not_left_before_its_end(void **state)
{
    (void)state;
    struct cu_cbor_reader in = READ(0x82, 1, 2);
    cu_cbor_enter_array(&in, 2);
    cu_cbor_uint(&in);
    cu_cbor_leave(&in);
    expect_fault(&in, "it: more elements than expected, at byte 2");

    struct cu_cbor_reader open = READ(0x81, 1);
    cu_cbor_enter_array(&open, 1);
    cu_cbor_uint(&open);
    expect_fault(&open, "it: not read to its end, at byte 2");
}

static void keys_read_by_hand_are_compared_too(void **state)
{
    (void)state;
    struct cu_cbor_reader in = READ(0xA2, 2, 0, 1, 0);
    cu_cbor_enter_map(&in, 2);
    for (int i = 0; i < 4; i++) cu_cbor_uint(&in);
    cu_cbor_leave(&in);
    expect_fault(&in, "it: map keys are not in order, at byte 3");
}

static void counts_are_held_against_the_maximum_and_the_bytes_that_remain(void **state)
{
    (void)state;
    struct cu_cbor_reader exact = READ(0x83, 1, 2, 3);
    assert_int_equal(cu_cbor_enter_array(&exact, 3), 3);
    struct cu_cbor_reader above = READ(0x83, 1, 2, 3);
    assert_int_equal(cu_cbor_enter_array(&above, 2), 0);
    expect_fault(&above, "it: more elements than allowed, at byte 0");
    struct cu_cbor_reader lies = READ(0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1);
    assert_int_equal(cu_cbor_enter_array(&lies, UINT64_MAX), 0);
    expect_fault(&lies, "it: more elements than bytes remain, at byte 0");
    struct cu_cbor_reader pairs = READ(0xA2, 1, 2, 3);
    assert_int_equal(cu_cbor_enter_map(&pairs, 9), 0);
    expect_fault(&pairs, "it: more elements than bytes remain, at byte 0");
}

static void lengths_are_held_against_both_bounds(void **state)
{
    (void)state;
    for (size_t min = 0; min <= 5; min++)
        for (size_t max = min; max <= 5; max++) {
            struct cu_cbor_reader in = READ(0x43, 'a', 'b', 'c'), as_text = READ(0x63, 'a', 'b', 'c');
            bool good = min <= 3 && max >= 3;
            assert_int_equal(cu_cbor_bytes(&in, min, max).n, good ? 3 : 0);
            assert_int_equal(cu_cbor_text(&as_text, min, max).n, good ? 3 : 0);
            if (!good)
                expect_fault(&in, min > 3 ? "it: shorter than allowed: h'616263', at byte 0"
                                          : "it: longer than allowed: h'616263', at byte 0");
        }
}

static void a_fixed_string_has_exactly_its_length(void **state)
{
    (void)state;
    uint8_t ret[4] = { 9, 9, 9, 9 };
    struct cu_cbor_reader in = READ(0x43, 1, 2, 3);
    cu_cbor_fixed(&in, ret, 4);
    assert_memory_equal(ret, "\0\0\0\0", 4); /* a faulty reader gives zero */
    expect_fault(&in, "it: shorter than allowed: h'010203', at byte 0");
}

static void integers_beyond_int64_are_no_int(void **state)
{
    (void)state;
    struct cu_cbor_reader above = READ(0x1B, 0x80, 0, 0, 0, 0, 0, 0, 0), below = READ(0x3B, 0x80, 0, 0, 0, 0, 0, 0, 0);
    assert_true(cu_cbor_int(&above) == 0 && cu_cbor_int(&below) == 0);
    expect_fault(&above, "it: an integer beyond 64 bits with a sign, at byte 0");
    expect_fault(&below, "it: an integer beyond 64 bits with a sign, at byte 0");
}

static void another_type_than_expected_is_named(void **state)
{
    (void)state;
    struct cu_cbor_reader in = READ(0x01);
    cu_cbor_text(&in, 0, 9);
    expect_fault(&in, "it: a text was expected, at byte 0");
    struct cu_cbor_reader is_null = READ(0xF6);
    cu_cbor_bool(&is_null);
    expect_fault(&is_null, "it: true or false was expected, at byte 0");
    struct cu_cbor_reader is_true = READ(0xF5);
    cu_cbor_null(&is_true);
    expect_fault(&is_true, "it: null was expected, at byte 0");
    struct cu_cbor_reader tagged = READ(0xD1, 0x00);
    cu_cbor_tag(&tagged, 18);
    expect_fault(&tagged, "it: another tag was expected, at byte 0");
}

static void a_tag_alone_is_no_item(void **state)
{
    (void)state;
    struct cu_cbor_reader in = READ(0xD2);
    cu_cbor_tag(&in, 18);
    expect_fault(&in, "it: a tag without content, at byte 0");
    struct cu_cbor_reader inside = READ(0x81, 0xD2);
    cu_cbor_enter_array(&inside, 1);
    cu_cbor_tag(&inside, 18);
    cu_cbor_leave(&inside);
    expect_fault(&inside, "it: more elements than expected, at byte 2");
}

static void the_first_fault_stays_and_everything_after_it_is_zero(void **state)
{
    (void)state;
    struct cu_cbor_reader in = READ(0x61, 'a', 0x05, 0x82, 1, 2);
    assert_int_equal(cu_cbor_uint(&in), 0);
    assert_false(cu_cbor_good(&in));
    assert_int_equal(cu_cbor_peek(&in), CU_CBOR_END);
    assert_int_equal(cu_cbor_uint(&in), 0);
    assert_int_equal(cu_cbor_enter_array(&in, 9), 0);
    cu_cbor_leave(&in);
    cu_cbor_fault(&in, "another objection");
    assert_int_equal(cu_cbor_item(&in).n, 0);
    expect_fault(&in, "it: an unsigned integer was expected, at byte 0");
}

static void the_callers_objection_names_the_item_and_the_places_around_it(void **state)
{
    (void)state;
    struct cu_cbor_reader in = READ(0x82, 0x01, 0x18, 0x63);
    cu_cbor_enter_array(&in, 2);
    cu_cbor_uint(&in);
    assert_int_equal(cu_cbor_uint(&in), 99);
    cu_cbor_fault_in(&in, 9, "nothing is wrong yet");
    cu_cbor_fault_quote(&in, "too many balloons");
    cu_cbor_fault_in(&in, 2, NULL);
    cu_cbor_fault_in(&in, CU_CBOR_NO_KEY, "colour");
    cu_cbor_fault_in(&in, 4, "size");
    for (int i = 0; i < 20; i++) cu_cbor_fault_in(&in, i, "more places than a reader holds");
    struct cu_err err;
    in.places_n = 3;
    assert_int_equal(cu_cbor_done(&in, "it", &err), CU_MALFORMED);
    assert_string_equal(err.text, "it: field 4 (size): colour: element 2: too many balloons: 99, at byte 2");
}

static void several_items_in_a_row_come_one_after_another(void **state)
{
    (void)state;
    struct cu_cbor_reader in = READ(0xA1, 1, 2, 0x80, 0x05);
    assert_int_equal(cu_cbor_item(&in).n, 3);
    assert_int_equal(cu_cbor_item(&in).n, 1);
    assert_int_equal(cu_cbor_uint(&in), 5);
    assert_int_equal(cu_cbor_peek(&in), CU_CBOR_END);
    assert_int_equal(cu_cbor_done(&in, "sequence", NULL), CU_OK);
}

static void an_item_within_an_array_counts_its_levels_from_outside(void **state)
{
    (void)state;
    uint8_t bytes[9];
    memset(bytes, 0x81, sizeof bytes);
    bytes[7] = 0x80;
    for (unsigned outer = 0; outer <= 8; outer++) {
        struct cu_cbor_reader in = cu_cbor_read(cu_span(bytes, 8)), deep = cu_cbor_read(cu_span(bytes, 9));
        for (unsigned i = 0; i < outer; i++) cu_cbor_enter_array(&in, 1), cu_cbor_enter_array(&deep, 1);
        if (outer < 8) cu_cbor_item(&in), cu_cbor_item(&deep);
        for (unsigned i = 0; i < outer; i++) cu_cbor_leave(&in);
        assert_int_equal(cu_cbor_done(&in, "eight", NULL), CU_OK);
        assert_int_equal(cu_cbor_done(&deep, "nine", NULL), CU_MALFORMED);
    }
}

static void no_prefix_of_an_item_is_an_item(void **state)
{
    (void)state;
    static const uint8_t item[] = { 0x84, 0xA2, 0x01, 0x58, 0x20, 1,    2,   3,    4,  5,  6,    7,    8,    9,    10,   11,
                                    12,   13,   14,   15,   16,   17,   18,  19,   20, 21, 22,   23,   24,   25,   26,   27,
                                    28,   29,   30,   31,   32,   0x61, 'a', 0x19, 1,  0,  0xD2, 0x80, 0x62, 0xC3, 0xBC, 0xF6 };
    assert_int_equal(cu_cbor_check(CU_SPAN_OF(item), "item", NULL), CU_OK);
    for (size_t n = 0; n < sizeof item; n++) {
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, item, n);
        assert_int_equal(cu_cbor_check(cu_span(cut, n), "item", NULL), CU_MALFORMED);
        free(cut);
    }
}

/* ---- notation ---------------------------------------------------------------------------------------------------------- */

static void notation_of_broken_bytes_says_what_broke(void **state)
{
    (void)state;
    char text[200];
    struct cu_buf out = cu_buf_over(text, sizeof text - 1);
    cu_cbor_diagnose(cu_span("\x82\x01\x18", 3), &out);
    text[out.n] = '\0';
    assert_string_equal(text, "[1,  /the bytes end within a head/");
    struct cu_buf tiny = cu_buf_over(text, 3);
    cu_cbor_diagnose(cu_span("\x82\x01\x18\x18", 4), &tiny);
    assert_true(tiny.full);
}

/* ---- property -------------------------------------------------------------------------------------------------------------- */

static uint64_t random_state;
static uint64_t random_u64(void)
{
    random_state += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
    uint64_t z = random_state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Numbers near the edges of head lengths, as often as any others. */
static uint64_t random_number(void) { return random_u64() >> random_u64() % 64; }

static void put_random(struct cu_buf *out, unsigned depth)
{
    uint8_t bytes[300];
    uint64_t n = random_u64() % 5;
    switch (random_u64() % (depth < CU_CBOR_DEPTH_MAX ? 9 : 6)) {
    case 0: cu_cbor_put_uint(out, random_number()); return;
    case 1: cu_cbor_put_int(out, (int64_t)random_number()); return;
    case 2:
        n = random_u64() % sizeof bytes;
        memset(bytes, (int)n, sizeof bytes);
        cu_cbor_put_bytes(out, cu_span(bytes, n));
        return;
    case 3: cu_cbor_put_text(out, cu_span("abcdefghijklmnopqrstuvwxyz012345", n * 8)); return;
    case 4: cu_cbor_put_bool(out, n & 1); return;
    case 5: cu_cbor_put_null(out); return;
    case 6:
        cu_cbor_put_tag(out, random_number());
        cu_cbor_put_array(out, 0);
        return;
    case 7:
        cu_cbor_put_array(out, n);
        while (n-- > 0) put_random(out, depth + 1);
        return;
    case 8:
        cu_cbor_put_map(out, n);
        for (uint64_t i = 0, key = 0; i < n; i++) {
            key += 1 + random_u64() % 1000;
            cu_cbor_put_uint(out, key);
            put_random(out, depth + 1);
        }
        return;
    }
}

static void whatever_is_written_is_read_back_and_written_the_same(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 20], again[1 << 20];
    for (uint64_t seed = 0; seed < 3000; seed++) {
        random_state = seed;
        struct cu_buf out = cu_buf_over(bytes, sizeof bytes), copy = cu_buf_over(again, sizeof again);
        struct cu_err err = { 0 };
        put_random(&out, 0);
        assert_int_equal(cu_buf_ok(&out, NULL), CU_OK);
        if (cu_cbor_check(cu_buf_span(&out), "item", &err) != CU_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        struct cu_cbor_reader in = cu_cbor_read(cu_buf_span(&out));
        cbor_copy(&in, &copy);
        if (!cu_span_eq(cu_buf_span(&out), cu_buf_span(&copy))) fail_msg("seed %llu", (unsigned long long)seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_rfc_8949_are_judged_as_the_strict_profile_says),
        cmocka_unit_test(each_other_encoding_is_refused_with_its_own_sentence),
        cmocka_unit_test(what_lies_at_the_edge_is_accepted),
        cmocka_unit_test(values_come_as_they_were_written),
        cmocka_unit_test(no_element_is_read_beyond_the_end_of_its_array),
        cmocka_unit_test(an_array_is_not_left_before_its_end),
        cmocka_unit_test(keys_read_by_hand_are_compared_too),
        cmocka_unit_test(counts_are_held_against_the_maximum_and_the_bytes_that_remain),
        cmocka_unit_test(lengths_are_held_against_both_bounds),
        cmocka_unit_test(a_fixed_string_has_exactly_its_length),
        cmocka_unit_test(integers_beyond_int64_are_no_int),
        cmocka_unit_test(another_type_than_expected_is_named),
        cmocka_unit_test(a_tag_alone_is_no_item),
        cmocka_unit_test(the_first_fault_stays_and_everything_after_it_is_zero),
        cmocka_unit_test(the_callers_objection_names_the_item_and_the_places_around_it),
        cmocka_unit_test(several_items_in_a_row_come_one_after_another),
        cmocka_unit_test(an_item_within_an_array_counts_its_levels_from_outside),
        cmocka_unit_test(no_prefix_of_an_item_is_an_item),
        cmocka_unit_test(notation_of_broken_bytes_says_what_broke),
        cmocka_unit_test(whatever_is_written_is_read_back_and_written_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
