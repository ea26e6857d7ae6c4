/* The gate, sentence by sentence; the table of routes; parts of contents; bodies of records. */
#include "custody/entry.h"
#include "custody/limits.h"
#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOSTS "127.0.0.1:80 localhost:80 evidence.example"

static unsigned target(const char *text)
{
    struct cu_span path, query;

    return cu_gate_target(cu_span_str(text), &path, &query).http;
}

static void a_path_of_one_spelling_is_let_in(void **state)
{
    struct cu_span path, query;

    (void)state;
    assert_int_equal(cu_gate_target(cu_span_str("/v1/find?q=C1%2F3&limit=5"), &path, &query).http, 0);
    assert_true(cu_span_is(path, "/v1/find") && cu_span_is(query, "q=C1%2F3&limit=5"));
    assert_int_equal(target("/"), 0);
    assert_int_equal(target("/v1/case/M%C3%BCller%20%26%20Co"), 0);
}

static void a_path_that_leads_elsewhere_is_refused(void **state)
{
    static const char *const bad[] = { "",       "v1",      "http://a/b", "*",         "//",     "/a//b",  "/a/",
                                       "/..",    "/a/../b", "/a/.",       "/%2e%2e/b", "/a%2fb", "/a%2Fb", "/a%5cb",
                                       "/a%00b", "/a%0ab",  "/a%7f",      "/a%",       "/a%4",   "/a%4g",  "/a b",
                                       "/a\"b",  "/a#b",    "/a\\b",      "/\xc3\xbc" };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (target(bad[i]) != 400) fail_msg("\"%s\" was let in", bad[i]);
}

static void a_target_of_4096_bytes_is_read_and_one_more_is_not(void **state)
{
    static char text[CU_TARGET_MAX + 2] = "/";

    (void)state;
    memset(text + 1, 'a', CU_TARGET_MAX - 1);
    assert_int_equal(target(text), 0);
    text[CU_TARGET_MAX] = 'a';
    assert_int_equal(target(text), 414);
}

/* "name: value" pairs until NULL. */
static unsigned headers_with(const char *version, const char *const *pairs, struct cu_framing *framing)
{
    struct cu_http_header at[20];
    size_t n = 0;

    for (; pairs[2 * n]; n++) at[n] = (struct cu_http_header){ cu_span_str(pairs[2 * n]), cu_span_str(pairs[2 * n + 1]) };
    return cu_gate_headers(version, at, n, HOSTS, framing).http;
}
#define GATE(version, ...) headers_with(version, (const char *const[]){ __VA_ARGS__, NULL }, &framing)
#define HOST "Host", "127.0.0.1:80"

static void framing_that_can_be_read_in_one_way_is_let_in(void **state)
{
    struct cu_framing framing;

    (void)state;
    assert_int_equal(GATE("HTTP/1.1", HOST), 0);
    assert_true(!framing.chunked && !framing.has_length);
    assert_int_equal(GATE("HTTP/1.1", HOST, "content-LENGTH", "17"), 0);
    assert_true(framing.has_length && framing.length == 17);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Transfer-Encoding", "Chunked"), 0);
    assert_true(framing.chunked);
    assert_int_equal(GATE("HTTP/1.0", "Accept", "*/*"), 0);
}

static void framing_that_can_be_read_in_two_ways_is_refused(void **state)
{
    struct cu_framing framing;

    (void)state;
    assert_int_equal(GATE("HTTP/1.1", HOST, "Content-Length", "1", "Content-Length", "1"), 400);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Content-Length", "1", "Transfer-Encoding", "chunked"), 400);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Transfer-Encoding", "gzip, chunked"), 400);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Transfer-Encoding", "xchunked"), 400);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Transfer-Encoding", "chunked", "Transfer-Encoding", "identity"), 400);
    assert_int_equal(GATE("HTTP/1.0", HOST, "Transfer-Encoding", "chunked"), 400);
    static const char *const lengths[] = {
        "", "+1", "-1", "01", "1 ", "0x1", "1,1", "9223372036854775808", "99999999999999999999"
    };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        assert_int_equal(GATE("HTTP/1.1", HOST, "Content-Length", lengths[i]), 400);
}

static void a_header_of_another_form_is_refused(void **state)
{
    struct cu_framing framing;

    (void)state;
    assert_int_equal(GATE("HTTP/1.1", HOST, "A ", "b"), 400);
    assert_int_equal(GATE("HTTP/1.1", HOST, "", "b"), 400);
    assert_int_equal(GATE("HTTP/1.1", HOST, "A", "b\r\n c"), 400);
    assert_int_equal(GATE("HTTP/1.1", HOST, "A", "b\x7f"), 400);
    assert_int_equal(GATE("HTTP/1.1", HOST, "A", "b\tc"), 0);
    assert_int_equal(GATE("HTTP/2.0", HOST), 505);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Expect", "a miracle"), 417);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Content-Encoding", "gzip"), 415);
    struct cu_http_header nul = { cu_span_str("Host"), cu_span("127.0.0.1:80\0x", 14) };
    assert_int_equal(cu_gate_headers("HTTP/1.1", &nul, 1, HOSTS, &framing).http, 400);
}

static void a_name_that_is_not_ones_own_is_not_answered_to(void **state)
{
    struct cu_framing framing;

    (void)state;
    assert_int_equal(GATE("HTTP/1.1", "Accept", "*/*"), 400);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Host", "127.0.0.1:80"), 400);
    assert_int_equal(GATE("HTTP/1.1", "Host", "Evidence.Example"), 0);
    assert_int_equal(GATE("HTTP/1.1", "Host", "127.0.0.1"), 421);
    assert_int_equal(GATE("HTTP/1.1", "Host", "127.0.0.1:80 localhost:80"), 421);
    assert_int_equal(GATE("HTTP/1.1", "Host", ""), 421);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Origin", "http://localhost:80"), 0);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Origin", "http://elsewhere.example"), 403);
    assert_int_equal(GATE("HTTP/1.1", HOST, "Origin", "null"), 403);
}

static void ranges_are_read_as_they_are_meant(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
        cu_status status;
        uint64_t from, to;
    } rows[] = {
        { "bytes=0-0", 10, CU_OK, 0, 1 },
        { "bytes=3-", 10, CU_OK, 3, 10 },
        { "bytes=-4", 10, CU_OK, 6, 10 },
        { "bytes=-40", 10, CU_OK, 0, 10 },
        { "bytes=9-18446744073709551614", 10, CU_OK, 9, 10 },
        { "bytes=10-", 10, CU_USAGE, 0, 0 },
        { "bytes=-0", 10, CU_USAGE, 0, 0 },
        { "bytes=0-", 0, CU_USAGE, 0, 0 },
        { "bytes=1-2,4-5", 10, CU_USAGE, 0, 0 },
        { "bytes=5-3", 10, CU_NOT_FOUND, 0, 0 },
        { "bytes=-", 10, CU_NOT_FOUND, 0, 0 },
        { "bytes=a-b", 10, CU_NOT_FOUND, 0, 0 },
        { "items=1-2", 10, CU_NOT_FOUND, 0, 0 },
        { "bytes=99999999999999999999-", 10, CU_NOT_FOUND, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t from = 0, to = 0;
        const cu_status read = cu_range_read(cu_span_str(rows[i].text), rows[i].size, &from, &to);
        if (read != rows[i].status || from != rows[i].from || to != rows[i].to)
            fail_msg("%s of %llu", rows[i].text, LLU(rows[i].size));
    }
}

static void an_entity_tag_is_found_in_a_list(void **state)
{
    (void)state;
    assert_true(cu_etag_matches(cu_span_str("\"a\""), "\"a\""));
    assert_true(cu_etag_matches(cu_span_str("\"b\", W/\"a\""), "\"a\""));
    assert_true(cu_etag_matches(cu_span_str("*"), "\"a\""));
    assert_false(cu_etag_matches(cu_span_str("a, \"ab\""), "\"a\""));
    assert_false(cu_etag_matches(CU_SPAN_EMPTY, "\"a\""));
}

static void a_body_has_up_to_128_records_and_nothing_beside_them(void **state)
{
    static uint8_t body[CU_SUBMIT_RECORDS_MAX + 1], large[CU_RECORD_MAX + 6] = { 0x5a, 0, 1, 0, 0 };
    struct cu_span one[CU_SUBMIT_RECORDS_MAX];
    size_t n;

    (void)state;
    memset(body, 1, sizeof body);
    assert_int_equal(cu_records_split(cu_span(body, CU_SUBMIT_RECORDS_MAX), one, CU_SUBMIT_RECORDS_MAX, &n, NULL), CU_OK);
    assert_int_equal(n, CU_SUBMIT_RECORDS_MAX);
    assert_int_equal(cu_records_split(CU_SPAN_OF(body), one, CU_SUBMIT_RECORDS_MAX, &n, NULL), CU_TOO_LARGE);
    assert_int_equal(cu_records_split(CU_SPAN_EMPTY, one, 1, &n, NULL), CU_MALFORMED);
    assert_int_equal(cu_records_split(cu_span("\x01\x42z", 3), one, 2, &n, NULL), CU_MALFORMED);
    assert_int_equal(cu_records_split(cu_span(large, CU_RECORD_MAX + 5), one, 1, &n, NULL),
                     CU_TOO_LARGE); /* a string of 64 KiB and its head */
}

/* ---- routes ---- */
static const struct cu_http_route routes[] = {
    { "GET", "/v1/show/{id}", NULL, "one", .gives = "application/json" },
    { "GET", "/v1/show/{case}/{number}", NULL, "two", .gives = "application/json" },
    { "GET", "/tile/{path}", NULL, "tail", .gives = "application/octet-stream", .flags = CU_HTTP_TAIL },
    { "GET", "/v1/both", NULL, "both", .gives = "application/json" },
    { "POST", "/v1/both", NULL, "both", .takes = { "application/cbor" }, .gives = "application/json",
      .query = { { "q", "what" } } },
};

static cu_status match(const char *method, const char *path, struct cu_http_request *ret, char allow[64])
{
    static uint8_t mem[CU_TARGET_MAX];
    struct cu_buf args = cu_buf_over(mem, sizeof mem);

    memset(ret, 0, sizeof *ret);
    return cu_http_match(routes, sizeof routes / sizeof *routes, method, cu_span_str(path), ret, &args, allow);
}

static void a_path_finds_its_route_and_what_stands_in_its_holes(void **state)
{
    struct cu_http_request r;
    char allow[64];

    (void)state;
    assert_int_equal(match("GET", "/v1/show/ab%20c", &r, allow), CU_OK);
    assert_true(r.route == &routes[0] && cu_span_is(r.arg[0], "ab c"));
    assert_int_equal(match("HEAD", "/v1/show/C1/3", &r, allow), CU_OK);
    assert_true(r.route == &routes[1] && cu_span_is(r.arg[0], "C1") && cu_span_is(r.arg[1], "3"));
    assert_int_equal(match("GET", "/tile/0/x001/234.p/5", &r, allow), CU_OK);
    assert_true(cu_span_is(r.arg[0], "0/x001/234.p/5"));
    assert_int_equal(match("POST", "/v1/both", &r, allow), CU_OK);
    assert_true(r.route == &routes[4]);
    assert_int_equal(match("GET", "/tile", &r, allow), CU_NOT_FOUND);
    assert_int_equal(match("GET", "/v1/show", &r, allow), CU_NOT_FOUND);
    assert_int_equal(match("GET", "/v1/show/a/b/c", &r, allow), CU_NOT_FOUND);
    assert_int_equal(match("GET", "/v1/shows/a", &r, allow), CU_NOT_FOUND);
}

static void a_method_that_a_path_lacks_is_told_which_it_has(void **state)
{
    struct cu_http_request r;
    char allow[64];

    (void)state;
    assert_int_equal(match("DELETE", "/v1/both", &r, allow), CU_USAGE);
    assert_string_equal(allow, "GET, HEAD, POST");
    assert_int_equal(match("get", "/v1/both", &r, allow), CU_USAGE);
    assert_int_equal(match("POST", "/v1/show/a", &r, allow), CU_USAGE);
    assert_string_equal(allow, "GET, HEAD");
}

static void the_table_is_written_as_openapi(void **state)
{
    CU_BUF out = cu_buf_heap(65536);

    (void)state;
    assert_int_equal(cu_http_openapi(routes, sizeof routes / sizeof *routes, "t", "1", &out, NULL), CU_OK);
    cu_buf_add_byte(&out, 0);
    assert_non_null(strstr((char *)out.p, "\"/v1/show/{case}/"
                                          "{number}\":{\"get\":{\"summary\":\"two\",\"security\":[{\"certificate\":[]}],"
                                          "\"parameters\":[{\"name\":\"case\",\"in\":\"path\""));
    assert_non_null(strstr((char *)out.p, "\"/v1/both\":{\"get\":"));
    assert_non_null(strstr((char *)out.p, "\"requestBody\":{\"required\":true,\"content\":{\"application/cbor\":{}}}"));
}

static void a_problem_says_what_the_table_of_statuses_says(void **state)
{
    CU_BUF out = cu_buf_heap(65536);

    (void)state;
    cu_http_problem(0, CU_BAD_SERIAL, "number 7", &out);
    cu_buf_add_byte(&out, 0);
    assert_string_equal(
        (char *)out.p,
        "{\"type\":\"/v1/problems#BAD_SERIAL\",\"title\":\"the serial number is outside its window\",\"status\":409,"
        "\"detail\":\"number 7\",\"code\":\"BAD_SERIAL\",\"exit\":1,\"retry\":false}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_of_one_spelling_is_let_in),
        cmocka_unit_test(a_path_that_leads_elsewhere_is_refused),
        cmocka_unit_test(a_target_of_4096_bytes_is_read_and_one_more_is_not),
        cmocka_unit_test(framing_that_can_be_read_in_one_way_is_let_in),
        cmocka_unit_test(framing_that_can_be_read_in_two_ways_is_refused),
        cmocka_unit_test(a_header_of_another_form_is_refused),
        cmocka_unit_test(a_name_that_is_not_ones_own_is_not_answered_to),
        cmocka_unit_test(ranges_are_read_as_they_are_meant),
        cmocka_unit_test(an_entity_tag_is_found_in_a_list),
        cmocka_unit_test(a_body_has_up_to_128_records_and_nothing_beside_them),
        cmocka_unit_test(a_path_finds_its_route_and_what_stands_in_its_holes),
        cmocka_unit_test(a_method_that_a_path_lacks_is_told_which_it_has),
        cmocka_unit_test(the_table_is_written_as_openapi),
        cmocka_unit_test(a_problem_says_what_the_table_of_statuses_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
