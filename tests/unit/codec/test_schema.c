/* Messages by table: what is written is read, what is refused is named, and nothing changes before all is good. */
#include "../../schema_sample.h"
#include "../../schema_check.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct sample a_sample(void)
{
    return (struct sample){
        .size = 100,
        .sealed = true,
        .id = { { 1, 2, 3 } },
        .seen = { 7, { { 9 } } },
        .bytes = cu_span("\x01\x02", 2),
        .has_bytes = true,
        .label = cu_span_str("höi"),
        .has_label = true,
        .groups = { 2, cu_span("\x82\x01\x82\x05\x06\x82\x02\x80", 8) },
        .has_groups = true, /* [1, [5, 6]], [2, []] */
        .any = cu_span("\x01\x02", 2),
        .has_any = true,
        .alg = -9,
        .has_alg = true,
    };
}

static struct cu_span written(const struct cu_schema *schema, const void *message, struct cu_buf *out)
{
    struct cu_err err = { 0 };
    cu_buf_clear(out);
    if (cu_schema_write(schema, message, out, &err) != CU_OK) fail_msg("%s", err.text);
    return cu_buf_span(out);
}

static void the_tables_are_in_order(void **state)
{
    (void)state;
    schema_check(&sample_schema);
    schema_check(&words_schema);
}

static void a_message_is_a_map_in_the_order_of_its_keys(void **state)
{
    (void)state;
    struct sample sample = a_sample();
    CU_BUF out = cu_buf_heap(1000);
    char text[1000];
    struct cu_buf shown = cu_buf_over(text, sizeof text - 1);
    cu_cbor_diagnose(written(&sample_schema, &sample, &out), &shown);
    text[shown.n] = '\0';
    assert_string_equal(
        text, "{0: \"application/custody-sample+cbor\", 1: 100, 2: true, 3: h'01020300000000000000000000000000', 4: h'0102', "
              "5: \"höi\", 6: [7, h'0900000000000000000000000000000000000000000000000000000000000000'], "
              "23: [[1, [5, 6]], [2, []]], 24: h'0102', -65537: -9}");
}

static void every_field_comes_back(void **state)
{
    (void)state;
    struct sample in = a_sample(), out;
    CU_BUF bytes = cu_buf_heap(1000);
    assert_int_equal(cu_schema_read(&sample_schema, written(&sample_schema, &in, &bytes), &out, NULL), CU_OK);
    assert_true(out.size == 100 && out.sealed && out.alg == -9 && out.seen.seq == 7 && out.seen.leaf.b[0] == 9);
    assert_true(cu_span_eq(out.bytes, in.bytes) && cu_span_eq(out.label, in.label) && cu_span_eq(out.any, in.any));
    assert_true(out.has_bytes && out.has_label && out.has_any && out.has_groups && out.has_alg);
    assert_memory_equal(out.id.b, in.id.b, sizeof in.id);
    assert_true(out.groups.n == 2 && cu_span_eq(out.groups.bytes, in.groups.bytes));
}

static void what_is_absent_is_zero(void **state)
{
    (void)state;
    struct sample in = { .size = 5 }, out;
    memset(&out, 0xA5, sizeof out);
    CU_BUF bytes = cu_buf_heap(1000);
    assert_int_equal(cu_schema_read(&sample_schema, written(&sample_schema, &in, &bytes), &out, NULL), CU_OK);
    assert_false(out.has_bytes || out.has_label || out.has_any || out.has_groups || out.has_alg);
    assert_true(out.bytes.n == 0 && !out.bytes.p && out.groups.n == 0 && out.alg == 0);
}

static void lists_are_walked_element_by_element(void **state)
{
    (void)state;
    struct sample in = a_sample(), out;
    CU_BUF bytes = cu_buf_heap(1000);
    assert_int_equal(cu_schema_read(&sample_schema, written(&sample_schema, &in, &bytes), &out, NULL), CU_OK);
    struct group group;
    struct number number;
    size_t at = 0, inner = 0;
    assert_true(cu_list_next(&out.groups, &group_schema, &at, &group) && group.id == 1 && group.numbers.n == 2);
    assert_true(cu_list_next(&group.numbers, &number_schema, &inner, &number) && number.v == 5);
    assert_true(cu_list_next(&group.numbers, &number_schema, &inner, &number) && number.v == 6);
    assert_false(cu_list_next(&group.numbers, &number_schema, &inner, &number));
    assert_true(cu_list_next(&out.groups, &group_schema, &at, &group) && group.id == 2 && group.numbers.n == 0);
    inner = 0;
    assert_false(cu_list_next(&group.numbers, &number_schema, &inner, &number));
    assert_false(cu_list_next(&out.groups, &group_schema, &at, &group));
    assert_false(cu_list_next(&(struct cu_list){ 0 }, &group_schema, &(size_t){ 0 }, &group));
}

static void words_have_text_keys(void **state)
{
    (void)state;
    struct words in = { .colour = cu_span_str("green"), .age = 33, .has_age = true }, out;
    CU_BUF bytes = cu_buf_heap(1000);
    char text[200];
    struct cu_buf shown = cu_buf_over(text, sizeof text - 1);
    cu_cbor_diagnose(written(&words_schema, &in, &bytes), &shown);
    text[shown.n] = '\0';
    assert_string_equal(text, "{\"age\": 33, \"seen\": [0, h'0000000000000000000000000000000000000000000000000000000000000000'], "
                              "\"eye-colour\": \"green\"}");
    assert_int_equal(cu_schema_read(&words_schema, cu_buf_span(&bytes), &out, NULL), CU_OK);
    assert_true(out.age == 33 && !out.has_note && cu_span_is(out.colour, "green"));
}

/* ---- what is refused, by name ------------------------------------------------------------------------------------------ */

static void refuses(const struct cu_schema *schema, struct cu_span bytes, const char *sentence)
{
    uint8_t ret[CU_SCHEMA_STRUCT_MAX], untouched[CU_SCHEMA_STRUCT_MAX];
    memset(ret, 0xA5, sizeof ret);
    memset(untouched, 0xA5, sizeof untouched);
    struct cu_err err = { 0 };
    assert_int_equal(cu_schema_read(schema, bytes, ret, &err), CU_MALFORMED);
    assert_string_equal(err.text, sentence);
    assert_memory_equal(ret, untouched, sizeof ret);
}

#define REFUSES(schema, bytes, sentence) refuses(schema, cu_span(bytes, sizeof(bytes) - 1), sentence)

static void a_group_is_two_elements_within_their_bounds(void **state)
{
    (void)state;
    REFUSES(&group_schema, "\x82\x0A\x80", "group: field 0 (id): the number is above its bound: 10, at byte 1");
    REFUSES(&group_schema, "\x82\x01\x84\x01\x01\x01\x01", "group: field 1 (numbers): more elements than allowed, at byte 2");
    REFUSES(&group_schema, "\x82\x01\x82\x01\x00",
            "group: field 1 (numbers): element 1: the number is below its bound: 0, at byte 4");
    REFUSES(&group_schema, "\x82\x01\x81\x19\x03\xE9",
            "group: field 1 (numbers): element 0: the number is above its bound: 1001, at byte 3");
    REFUSES(&group_schema, "\x81\x01", "group: fewer elements than fields, at byte 0");
    REFUSES(&group_schema, "\x83\x01\x80\x00", "group: more elements than allowed, at byte 0");
    REFUSES(&group_schema, "\xA1\x01\x80", "group: an array was expected, at byte 0");
    REFUSES(&group_schema, "\x82\x01\x80\x00", "group: bytes left over: 1, at byte 3");
    REFUSES(&group_schema, "", "group: the bytes end too early, at byte 0");
}

static void a_scalar_is_a_bare_value(void **state)
{
    (void)state;
    struct number number;
    assert_int_equal(cu_schema_read(&number_schema, cu_span("\x07", 1), &number, NULL), CU_OK);
    assert_int_equal(number.v, 7);
    REFUSES(&number_schema, "\x81\x07", "number: an unsigned integer was expected, at byte 0");
}

#define SEEN "\x64seen\x82\x00\x58\x20________________________________"

static void words_are_refused_by_the_name_of_their_key(void **state)
{
    (void)state;
    REFUSES(&words_schema, "\xA2\x64note\x61x" SEEN, "words: eye-colour: missing, at byte 49");
    REFUSES(&words_schema,
            "\xA1\x6A"
            "eye-colour\x61g",
            "words: seen: missing, at byte 1");
    REFUSES(&words_schema,
            "\xA3" SEEN "\x66"
            "colour\x01\x6A"
            "eye-colour\x61g",
            "words: an unknown key: \"colour\", at byte 42");
    REFUSES(&words_schema,
            "\xA3" SEEN "\x6A"
            "eye-colour\x61g\x6A"
            "fye-colour\x61g",
            "words: an unknown key: \"fye-colour\", at byte 55");
    REFUSES(&words_schema, "\xA2\x64note\x60" SEEN, "words: note: shorter than allowed: \"\", at byte 6");
    REFUSES(&words_schema, "\xA2" SEEN SEEN, "words: a map key stands twice, at byte 42");
    REFUSES(&words_schema, "\xA2" SEEN "\x64note\x61x", "words: map keys are not in order, at byte 42");
    REFUSES(&words_schema, "\xA2" SEEN "\xFF\x61g", "words: a text was expected, at byte 42");
    REFUSES(&words_schema, "\xA1\x01\x01", "words: a text was expected, at byte 1");
    REFUSES(&words_schema, "\xA1\x64seen\x82\x00\x41\x00", "words: seen: field 1 (leaf): shorter than allowed: h'00', at byte 8");
    REFUSES(&words_schema, "\xA2\x64seen\x82\x00\x41\x00", "words: seen: field 1 (leaf): shorter than allowed: h'00', at byte 8");
}

static void each_field_of_a_sample_is_judged(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *sentence;
    } spoiled[] = {
        /* one byte of a good message */
        { 0, 0xA9, "sample: bytes left over: 6, at byte 120" },
        { 0, 0xAB, "sample: the bytes end too early, at byte 126" },
        { 0, 0x8A, "sample: a map was expected, at byte 0" },
        { 1, 0x01, "sample: field 0 (type): missing, at byte 1" },
        { 1, 0x07, "sample: an unknown key: 7, at byte 1" },
        { 4, 'A', "sample: field 0 (type): another text is expected here: \"Application/custody-sample+cbor\", at byte 2" },
        { 35, 0x00, "sample: a map key stands twice, at byte 35" },
        { 37, 101, "sample: field 1 (size): the number is above its bound: 101, at byte 36" },
        { 39, 0xF6, "sample: field 2 (sealed): true or false was expected, at byte 39" },
        { 41, 0x4F, "sample: field 3 (id): shorter than allowed: h'010203000000000000000000000000', at byte 41" },
        { 59, 0x62, "sample: field 4 (bytes): a byte string was expected, at byte 59" },
        { 65, 0xFF, "sample: field 5 (label): a text that is not UTF-8, at byte 63" },
        { 68, 0x17, "sample: field 6 (seen): missing, at byte 68" },
        { 72, 0x21,
          "sample: field 6 (seen): field 1 (leaf): longer than allowed: "
          "h'0900000000000000000000000000000000000000000000000000000000000000…' /33 bytes/, at byte 71" },
        { 110, 0x00,
          "sample: field 23 (groups): element 0: field 1 (numbers): element 0: the number is below its bound: 0, at byte 110" },
        { 115, 0xFF, "sample: an unsigned integer was expected, at byte 115" }, /* where a key of two bytes stands */
        { 117, 0xFB, "sample: field 24 (any): a byte string was expected, at byte 117" },
        { 125, 0x38, "sample: field -65537 (alg): the bytes end within a head, at byte 125" },
    };
    struct sample sample = a_sample();
    CU_BUF out = cu_buf_heap(1000);
    for (size_t i = 0; i < sizeof spoiled / sizeof *spoiled; i++) {
        written(&sample_schema, &sample, &out);
        out.p[spoiled[i].at] = spoiled[i].value;
        refuses(&sample_schema, cu_buf_span(&out), spoiled[i].sentence);
    }
}

static void after_any_flipped_bit_a_message_is_refused_or_is_another_valid_one(void **state)
{
    (void)state;
    struct sample sample = a_sample(), read;
    CU_BUF out = cu_buf_heap(1000);
    CU_BUF again = cu_buf_heap(1000);
    written(&sample_schema, &sample, &out);
    for (size_t bit = 0; bit < 8 * out.n; bit++) {
        struct cu_err err = { 0 };
        out.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (cu_schema_read(&sample_schema, cu_buf_span(&out), &read, &err) == CU_OK) {
            assert_true(cu_span_eq(written(&sample_schema, &read, &again), cu_buf_span(&out)));
        } else {
            assert_memory_equal(err.text, "sample: ", 8);
            assert_non_null(strstr(err.text, ", at byte "));
        }
        out.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void numbers_are_held_at_their_bounds(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(1000);
    struct sample sample = a_sample(), read;
    for (uint64_t size = 0; size < 110; size++) {
        cu_buf_clear(&out);
        sample.size = size;
        assert_int_equal(cu_schema_write(&sample_schema, &sample, &out, NULL), size >= 5 && size <= 100 ? CU_OK : CU_MALFORMED);
        if (out.n > 0) assert_int_equal(cu_schema_read(&sample_schema, cu_buf_span(&out), &read, NULL), CU_OK);
    }
    sample = a_sample();
    for (int64_t alg = -60; alg < 10; alg++) {
        cu_buf_clear(&out);
        sample.alg = alg;
        assert_int_equal(cu_schema_write(&sample_schema, &sample, &out, NULL), alg >= -49 && alg <= -1 ? CU_OK : CU_MALFORMED);
    }
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static void cannot_be_written(struct sample sample, const char *sentence)
{
    char mem[300] = "before";
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_err err = { 0 };
    out.n = 6;
    assert_int_equal(cu_schema_write(&sample_schema, &sample, &out, &err), CU_MALFORMED);
    assert_string_equal(err.text, sentence);
    assert_int_equal(out.n, 6); /* what was begun is taken back */
}

static void nobody_writes_what_nobody_may_read(void **state)
{
    (void)state;
    struct sample s = a_sample();
    s.size = 101, cannot_be_written(s, "sample: field 1 (size): 101 is out of bounds");
    s = a_sample(), s.bytes.n = 0, cannot_be_written(s, "sample: field 4 (bytes): 0 bytes are out of bounds");
    s = a_sample(), s.label = cu_span_str("123456789"),
    cannot_be_written(s, "sample: field 5 (label): 9 bytes are out of bounds");
    s = a_sample(), s.label = cu_span_str("\xff"), cannot_be_written(s, "sample: field 5 (label): a text that is not UTF-8");
    s = a_sample(), s.groups.n = 5, cannot_be_written(s, "sample: field 23 (groups): 5 elements are out of bounds");
    s = a_sample(), s.groups.n = 3,
    cannot_be_written(s, "sample: field 23 (groups): elements: the bytes end too early, at byte 8");
    s = a_sample(), s.groups.n = 1, cannot_be_written(s, "sample: field 23 (groups): elements: bytes left over: 3, at byte 5");
    s = a_sample(), s.alg = 0, cannot_be_written(s, "sample: field -65537 (alg): 0 is out of bounds");
}

static void a_message_that_does_not_fit_is_taken_back(void **state)
{
    (void)state;
    struct sample sample = a_sample();
    CU_BUF whole = cu_buf_heap(1000);
    size_t n = written(&sample_schema, &sample, &whole).n;
    for (size_t room = 0; room <= n; room++) {
        uint8_t mem[300];
        struct cu_buf out = cu_buf_over(mem, room);
        assert_int_equal(cu_schema_write(&sample_schema, &sample, &out, NULL), room == n ? CU_OK : CU_TOO_LARGE);
        assert_int_equal(out.n, room == n ? n : 0);
    }
}

static void a_message_is_one_item_of_a_larger_one(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(1000);
    struct sample sample = a_sample(), read;
    cu_cbor_put_array(&out, 2);
    assert_int_equal(cu_schema_write(&sample_schema, &sample, &out, NULL), CU_OK);
    cu_cbor_put_uint(&out, 5);
    struct cu_cbor_reader in = cu_cbor_read(cu_buf_span(&out));
    cu_cbor_enter_array(&in, 2);
    cu_schema_read_from(&sample_schema, &in, &read);
    assert_true(read.size == 100);
    assert_int_equal(cu_cbor_uint(&in), 5);
    cu_cbor_leave(&in);
    assert_int_equal(cu_cbor_done(&in, "both", NULL), CU_OK);

    struct cu_cbor_reader wrong = cu_cbor_read(cu_buf_span(&out));
    cu_schema_read_from(&sample_schema, &wrong, &read);
    assert_false(cu_cbor_good(&wrong));
    assert_true(read.size == 0 && !read.has_any); /* after a fault it is zero */
}

/* ---- property --------------------------------------------------------------------------------------------------------------- */

static uint64_t random_state;
static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
    return random_state % n;
}

static struct sample random_sample(void)
{
    struct sample s = { .size = 5 + random_below(96),
                        .sealed = random_below(2),
                        .seen.seq = random_below(UINT64_MAX) >> random_below(64) };
    for (size_t i = 0; i < sizeof s.id.b; i++) s.id.b[i] = (uint8_t)random_below(256);
    s.has_bytes = random_below(2), s.has_label = random_below(2), s.has_any = random_below(2), s.has_groups = random_below(2);
    s.has_alg = random_below(2);
    if (s.has_bytes) s.bytes = cu_span("\x80\xff\0\x01\x02\x03\x04\x05", 1 + random_below(8));
    if (s.has_label) s.label = cu_span("12345678", random_below(9));
    if (s.has_any) s.any = random_below(2) ? cu_span("\xF6", 1) : cu_span("\x82\x01\x80", 3);
    if (s.has_groups)
        s.groups = random_below(2) ? (struct cu_list){ 1, cu_span("\x82\x09\x81\x19\x03\xE8", 6) }
                                   : (struct cu_list){ 2, cu_span("\x82\x00\x80\x82\x00\x80", 6) };
    if (s.has_alg) s.alg = -1 - (int64_t)random_below(49);
    return s;
}

static void any_message_survives_the_journey(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(1000);
    CU_BUF again = cu_buf_heap(1000);
    for (uint64_t seed = 1; seed < 20000; seed++) {
        random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
        struct sample s = random_sample(), read;
        struct cu_err err = { 0 };
        struct cu_span bytes = written(&sample_schema, &s, &out);
        if (cu_schema_read(&sample_schema, bytes, &read, &err) != CU_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        if (cu_cbor_check(bytes, "item", &err) != CU_OK) fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        if (!cu_span_eq(bytes, written(&sample_schema, &read, &again))) fail_msg("seed %llu", (unsigned long long)seed);
        if (read.size != s.size || read.alg != s.alg || read.seen.seq != s.seen.seq || read.has_any != s.has_any)
            fail_msg("seed %llu", (unsigned long long)seed);
    }
}

/* ---- tables that are wrong ------------------------------------------------------------------------------------------------------ */

static void aborts(const struct cu_schema *schema)
{
    pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        signal(SIGABRT, SIG_DFL);
        schema_check(schema);
        _exit(0);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
}

static void a_table_out_of_order_is_a_bug(void **state)
{
    (void)state;
    struct two {
        uint64_t a, b;
    };
    static const struct cu_field swapped[] = { CU_UINT(2, struct two, a, 0, 1), CU_UINT(1, struct two, b, 0, 1) };
    static const struct cu_field twice[] = { CU_UINT(1, struct two, a, 0, 1), CU_UINT(1, struct two, b, 0, 1) };
    static const struct cu_field negative[] = { CU_UINT(-1, struct two, a, 0, 1), CU_UINT(1, struct two, b, 0, 1) };
    static const struct cu_field lengths[] = { CU_UINT("bb", struct two, a, 0, 1), CU_UINT("c", struct two, b, 0, 1) };
    static const struct cu_field bounds[] = { CU_UINT(1, struct two, a, 2, 1) };
    static const struct cu_field childless[] = { CU_LIST(1, struct two, a, 0, 1, NULL) };
    aborts(&(struct cu_schema)CU_SCHEMA_OF("swapped", swapped, struct two));
    aborts(&(struct cu_schema)CU_SCHEMA_OF("twice", twice, struct two));
    aborts(&(struct cu_schema)CU_SCHEMA_OF("negative", negative, struct two));
    aborts(&(struct cu_schema)CU_SCHEMA_OF("lengths", lengths, struct two, .text_keys = true));
    aborts(&(struct cu_schema)CU_SCHEMA_OF("bounds", bounds, struct two));
    aborts(&(struct cu_schema)CU_SCHEMA_OF("childless", childless, struct two));
    aborts(&(struct cu_schema)CU_SCHEMA_OF("outside its struct", swapped, uint64_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_are_in_order),
        cmocka_unit_test(a_message_is_a_map_in_the_order_of_its_keys),
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(what_is_absent_is_zero),
        cmocka_unit_test(lists_are_walked_element_by_element),
        cmocka_unit_test(words_have_text_keys),
        cmocka_unit_test(a_group_is_two_elements_within_their_bounds),
        cmocka_unit_test(a_scalar_is_a_bare_value),
        cmocka_unit_test(words_are_refused_by_the_name_of_their_key),
        cmocka_unit_test(each_field_of_a_sample_is_judged),
        cmocka_unit_test(after_any_flipped_bit_a_message_is_refused_or_is_another_valid_one),
        cmocka_unit_test(numbers_are_held_at_their_bounds),
        cmocka_unit_test(nobody_writes_what_nobody_may_read),
        cmocka_unit_test(a_message_that_does_not_fit_is_taken_back),
        cmocka_unit_test(a_message_is_one_item_of_a_larger_one),
        cmocka_unit_test(any_message_survives_the_journey),
        cmocka_unit_test(a_table_out_of_order_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
