/* JSON out: commas, escapes, and bytes that are no text. */
#include "custody/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(const struct cu_buf *buf, const char *expected)
{
    assert_int_equal(cu_buf_ok(buf, NULL), CU_OK);
    if (!cu_span_is(cu_buf_span(buf), expected)) fail_msg("%.*s instead of %s", (int)buf->n, (const char *)buf->p, expected);
}

static void an_object_holds_every_kind_of_value(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(1000);
    struct cu_json j = cu_json_on(&out);
    cu_hash hash = { { 0xAB } };
    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "id", "C1/3");
    cu_json_uint(&j, "size", UINT64_MAX);
    cu_json_int(&j, "low", INT64_MIN);
    cu_json_bool(&j, "ok", true);
    cu_json_str(&j, "none", NULL);
    cu_json_hex(&j, "salt", cu_span("\x01\xff", 2));
    cu_json_hash(&j, "leaf", &hash);
    cu_json_time(&j, "time", (cu_unix_ms){ 1 });
    cu_json_close(&j, '}');
    assert_int_equal(j.depth, 0);
    assert_text(&out, "{\"id\":\"C1/3\",\"size\":18446744073709551615,\"low\":-9223372036854775808,\"ok\":true,\"none\":null,"
                      "\"salt\":\"01ff\",\"leaf\":\"ab00000000000000000000000000000000000000000000000000000000000000\","
                      "\"time\":\"1970-01-01T00:00:00.001Z\"}");
}

static void commas_stand_between_values_at_every_depth(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(1000);
    struct cu_json j = cu_json_on(&out);
    cu_json_open(&j, NULL, '[');
    cu_json_open(&j, NULL, '[');
    cu_json_close(&j, ']');
    cu_json_open(&j, NULL, '{');
    cu_json_open(&j, "a", '[');
    cu_json_uint(&j, NULL, 1);
    cu_json_uint(&j, NULL, 2);
    cu_json_close(&j, ']');
    cu_json_bool(&j, "b", false);
    cu_json_close(&j, '}');
    cu_json_open(&j, NULL, '[');
    cu_json_uint(&j, NULL, 3);
    cu_json_close(&j, ']');
    cu_json_close(&j, ']');
    assert_text(&out, "[[],{\"a\":[1,2],\"b\":false},[3]]");
}

static void text_is_escaped_as_rfc_8259_demands(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(1000);
    struct cu_json j = cu_json_on(&out);
    static const char text[] = "\"\\/\b\f\n\r\t\0\x1f\x7f ü水😀";
    cu_json_text(&j, NULL, cu_span(text, sizeof text - 1));
    assert_text(&out, "\"\\\"\\\\/\\u0008\\u000c\\n\\u000d\\u0009\\u0000\\u001f\\u007f ü水😀\"");
}

static void a_key_is_escaped_too(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(1000);
    struct cu_json j = cu_json_on(&out);
    cu_json_open(&j, NULL, '{');
    cu_json_uint(&j, "a\"b", 1);
    cu_json_close(&j, '}');
    assert_text(&out, "{\"a\\\"b\":1}");
}

static void bytes_that_are_no_text_stand_beside_it_in_hex(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(1000);
    struct cu_json j = cu_json_on(&out);
    cu_json_open(&j, NULL, '{');
    cu_json_text(&j, "name", cu_span("a\xff\xc3", 3));
    cu_json_text(&j, "good", cu_span_str("b"));
    cu_json_open(&j, "list", '[');
    cu_json_text(&j, NULL, cu_span("\x80", 1));
    cu_json_close(&j, ']');
    cu_json_close(&j, '}');
    assert_text(&out, "{\"name\":\"a\uFFFD\uFFFD\",\"name_hex\":\"61ffc3\",\"good\":\"b\",\"list\":[\"\uFFFD\"]}");
}

static void a_buffer_that_is_too_small_says_so(void **state)
{
    (void)state;
    char mem[10];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_json j = cu_json_on(&out);
    cu_json_open(&j, NULL, '[');
    for (int i = 0; i < 20; i++) cu_json_str(&j, NULL, "text");
    cu_json_close(&j, ']');
    assert_int_equal(cu_buf_ok(&out, NULL), CU_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_holds_every_kind_of_value),
        cmocka_unit_test(commas_stand_between_values_at_every_depth),
        cmocka_unit_test(text_is_escaped_as_rfc_8259_demands),
        cmocka_unit_test(a_key_is_escaped_too),
        cmocka_unit_test(bytes_that_are_no_text_stand_beside_it_in_hex),
        cmocka_unit_test(a_buffer_that_is_too_small_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
