/* Records to a node over HTTP: what is sent, and what is made of the answer. The node is a socket that was told what to say. */
#include "client/client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { RECORDS = 130 };
#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DONE \
    "{\"status\":\"OK\",\"entry\":7,\"id\":\"" HEX "\",\"leaf\":\"" HEX "\",\"block\":8,\"time\":\"2026-11-23T14:11:02.345Z\"}"

/* ---- the node ---- */
static struct {
    int listening;
    const char *says[4]; /* one a request; the last again and again. "200 " and the body */
    atomic_size_t asked;
    size_t body_n[8];
    char head[8][1000];
    pthread_t thread;
    atomic_bool ending;
} node;

static bool take_request(int fd)
{
    static char bytes[1 << 16];
    size_t n = 0, want = SIZE_MAX;
    ssize_t more;

    while (n < want && (more = recv(fd, bytes + n, sizeof bytes - 1 - n, 0)) > 0) {
        n += (size_t)more;
        bytes[n] = 0;
        const char *end = strstr(bytes, "\r\n\r\n"), *length = strstr(bytes, "Content-Length: ");
        if (end && length) want = (size_t)(end + 4 - bytes) + strtoul(length + 16, NULL, 10);
    }
    if (n < want) return false;
    snprintf(node.head[node.asked], sizeof *node.head, "%.999s", bytes);
    node.body_n[node.asked] = n - (size_t)(strstr(bytes, "\r\n\r\n") + 4 - bytes);
    return true;
}

static void *serve(void *arg)
{
    int fd;

    while ((fd = accept(node.listening, NULL, NULL)) >= 0) {
        while (!node.ending && take_request(fd)) {
            const char *say = node.says[node.asked < 3 ? node.asked : 3];
            char head[200];
            const int n = snprintf(head, sizeof head, "HTTP/1.1 %.3s x\r\nContent-Length: %zu\r\n\r\n", say, strlen(say + 4));
            node.asked++;
            (void)!send(fd, head, (size_t)n, MSG_NOSIGNAL);
            (void)!send(fd, say + 4, strlen(say + 4), MSG_NOSIGNAL);
        }
        close(fd);
    }
    return arg;
}

static struct cu_remote remote;
static struct cu_fs under, fs;
static struct cu_err err;
static struct cu_span records[RECORDS];
static struct cu_outcome outcomes[RECORDS];

static void nothing(void *self) { (void)self; }
static const struct cu_fs_ops no_ops = { .close = nothing };

static int start(void **state)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof at;
    char url[64];

    (void)state;
    memset(&node, 0, sizeof node);
    node.listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(node.listening, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(node.listening, 8), 0);
    assert_int_equal(getsockname(node.listening, (struct sockaddr *)&at, &n), 0);
    assert_int_equal(pthread_create(&node.thread, NULL, serve, NULL), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(at.sin_port));
    under.ops = &no_ops;
    assert_int_equal(cu_client_kind.open(&(struct cu_remote_address){ .url = url }, &under, &remote, &fs, &err), CU_OK);
    for (size_t i = 0; i < RECORDS; i++) records[i] = cu_span_str("record");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fs.ops->close(fs.self);
    remote.ops->close(remote.self);
    node.ending = true;
    shutdown(node.listening, SHUT_RDWR);
    pthread_join(node.thread, NULL);
    close(node.listening);
    return 0;
}

static cu_status submit(size_t n) { return remote.ops->submit(remote.self, records, n, outcomes, &err); }

static void answers(const char *first, const char *then)
{
    node.says[0] = first;
    node.says[1] = node.says[2] = node.says[3] = then;
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
