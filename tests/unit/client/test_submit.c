/* Records to a node over HTTP: what is sent, and what is made of the answer. The node is a socket that was told what to say. */
#include "fake_nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RECORDS = 130 };
#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DONE \
    "{\"status\":\"OK\",\"entry\":7,\"id\":\"" HEX "\",\"leaf\":\"" HEX "\",\"block\":8,\"time\":\"2026-11-23T14:11:02.345Z\"}"
#define node nodes[0]

static struct cu_remote remote;
static struct cu_fs under, fs;
static struct cu_err err;
static struct cu_span records[RECORDS];
static struct cu_outcome outcomes[RECORDS];

static void nothing(void *self) { (void)self; }
static const struct cu_fs_ops no_ops = { .close = nothing };

static int start(void **state)
{
    (void)state;
    nodes_start(1);
    under.ops = &no_ops;
    assert_int_equal(cu_client_kind.open(&(struct cu_remote_address){ .url = node.url }, &under, &remote, &fs, &err), CU_OK);
    for (size_t i = 0; i < RECORDS; i++) records[i] = cu_span_str("record");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fs.ops->close(fs.self);
    remote.ops->close(remote.self);
    nodes_stop();
    return 0;
}

static cu_status submit(size_t n) { return remote.ops->submit(remote.self, records, n, outcomes, &err); }

static void answers(const char *first, const char *then)
{
    node_says(0, 0, first);
    node_says(0, 1, then);
}

static void records_go_as_a_sequence_and_each_has_its_outcome(void **state)
{
    (void)state;
    answers("200 [" DONE
            ",{\"status\":\"BAD_SERIAL\",\"detail\":\"number 7\",\"exit\":5,\"retry\":false},{\"status\":\"DUPLICATE\","
            "\"entry\":3,\"id\":\"" HEX "\",\"leaf\":\"" HEX "\"}]\n",
            NULL);
    assert_int_equal(submit(3), CU_OK);
    assert_non_null(strstr(node.head[0], "POST /v1/submit HTTP/1.1\r\n"));
    assert_non_null(strstr(node.head[0], "Content-Type: application/cbor-seq\r\n"));
    assert_int_equal(node.body_n[0], 3 * strlen("record"));
    assert_int_equal(outcomes[0].status, CU_OK);
    assert_true(outcomes[0].seq.v == 7 && outcomes[0].block.v == 8 && outcomes[0].id.b[1] == 0x11 &&
                outcomes[0].leaf.b[15] == 0xff);
    assert_int_equal(outcomes[1].status, CU_BAD_SERIAL);
    assert_string_equal(outcomes[1].text, "number 7");
    assert_int_equal(outcomes[2].status, CU_DUPLICATE);
    assert_int_equal(outcomes[2].seq.v, 3);
}

static void more_than_one_submission_holds_go_as_several(void **state)
{
    char *many = malloc(128 * sizeof DONE + 10);

    (void)state;
    strcpy(many, "200 [");
    for (int i = 0; i < 128; i++) strcat(many, i ? "," DONE : DONE);
    strcat(many, "]");
    answers(many, "200 [" DONE "," DONE "]\n");
    assert_int_equal(submit(RECORDS), CU_OK);
    assert_int_equal(node.asked, 2);
    assert_int_equal(node.body_n[1], 2 * strlen("record"));
    assert_int_equal(outcomes[RECORDS - 1].seq.v, 7);
    free(many);
}

static void a_node_that_is_busy_is_asked_again(void **state)
{
    (void)state;
    answers("503 {\"code\":\"BUSY\",\"detail\":\"too many\"}", "200 [" DONE "]\n");
    assert_int_equal(submit(1), CU_OK);
    assert_int_equal(node.asked, 2);
}

static void a_problem_is_the_status_that_it_names(void **state)
{
    (void)state;
    answers("403 {\"detail\":\"a member of the role reader may not\",\"code\":\"NOT_ALLOWED\"}", NULL);
    assert_int_equal(submit(1), CU_NOT_ALLOWED);
    assert_string_equal(err.text, "a member of the role reader may not");
}

static void an_answer_that_is_none_leaves_the_outcome_unknown(void **state)
{
    static const char *const none[] = { "200 ",
                                        "200 []",
                                        "200 [" DONE,
                                        "200 " DONE,
                                        "200 [" DONE "," DONE "]",
                                        "200 [{\"status\":\"OK\"}]",
                                        "200 [{\"status\":\"FINE\"}]",
                                        "200 [{\"status\":\"DUPLICATE\",\"entry\":1}]",
                                        "200 [{\"status\":\"BUSY\",}]",
                                        "200 [{\"status\":\"BUSY" };

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        answers(none[i], none[i]);
        node.asked = 0;
        assert_int_equal(submit(1), CU_IO);
        assert_int_equal(node.asked, 1);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(records_go_as_a_sequence_and_each_has_its_outcome),
        TEST(more_than_one_submission_holds_go_as_several),
        TEST(a_node_that_is_busy_is_asked_again),
        TEST(a_problem_is_the_status_that_it_names),
        TEST(an_answer_that_is_none_leaves_the_outcome_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
