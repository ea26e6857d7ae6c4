/* Several nodes of one ledger, asked in turn: who cannot answer, or has not come so far, is passed over; nothing is asked of two that was answered.
 *
 * wraps: cu_client_pause curl_easy_setopt
 */
#include "fake_nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DONE                                                                 \
    "200 [{\"status\":\"OK\",\"entry\":7,\"id\":\"" HEX "\",\"leaf\":\"" HEX \
    "\",\"block\":8,\"time\":\"2026-11-23T14:11:02.345Z\"}]\n"
#define TEXT(size) "ledger.example\n" size "\nroot\n\n"
#define NOTE(size) "200 " TEXT(size)

static struct cu_remote remote;
static struct cu_fs under, fs;
static struct cu_err err;
static struct cu_turns turns;
static struct cu_buf got;
static size_t passed_n;
static char passed[8][1000];

static unsigned paused_ms;
void __wrap_cu_client_pause(unsigned ms); // NOLINT(bugprone-reserved-identifier): the linker's name
void __wrap_cu_client_pause(unsigned ms) { paused_ms += ms; }

/* For how long the question that was put last may make no progress. */
static long silent_s;
enum { LOW_SPEED_TIME = 20 };                          /* CURLOPT_… */
int __real_curl_easy_setopt(void *h, int option, ...); // NOLINT(bugprone-reserved-identifier)
int __wrap_curl_easy_setopt(void *h, int option, ...); // NOLINT(bugprone-reserved-identifier)
int __wrap_curl_easy_setopt(void *h, int option, ...)  // NOLINT(bugprone-reserved-identifier)
{
    va_list args;

    va_start(args, option);
    void *const value = va_arg(args, void *); /* or a number that is as wide */
    va_end(args);
    if (option == LOW_SPEED_TIME) silent_s = (long)(intptr_t)value;
    return __real_curl_easy_setopt(h, option, value);
}

static void nothing(void *self) { (void)self; }
static const struct cu_fs_ops no_ops = { .close = nothing };

static void tell(void *arg, const char *who, const char *why, const char *next)
{
    (void)arg;
    assert_in_range(passed_n, 0, 7);
    snprintf(passed[passed_n++], sizeof *passed, "%s|%s|%s", who, why, next);
}

static struct cu_remote_address address(const char *url)
{
    return (struct cu_remote_address){ .url = url, .turn = &turns, .passed = tell };
}

static const char *all(void)
{
    static char urls[NODES_MAX * 70];

    snprintf(urls, sizeof urls, "%s,%s/,%s", nodes[0].url, nodes[1].url, nodes[2].url);
    return urls;
}

static int start(void **state)
{
    const struct cu_remote_address at = (nodes_start(NODES_MAX), address(all()));

    (void)state;
    memset(&turns, 0, sizeof turns);
    passed_n = paused_ms = 0;
    under.ops = &no_ops;
    got = cu_buf_heap(1 << 16);
    assert_int_equal(cu_client_kind.open(&at, &under, &remote, &fs, &err), CU_OK);
    for (size_t i = 0; i < NODES_MAX; i++) node_says(i, 0, DONE);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fs.ops->close(fs.self);
    remote.ops->close(remote.self);
    cu_buf_free(&got);
    nodes_stop();
    return 0;
}

static cu_status submit(void)
{
    const struct cu_span record = cu_span_str("record");
    struct cu_outcome outcome;

    return remote.ops->submit(remote.self, &record, 1, &outcome, &err);
}

static cu_status status(void)
{
    cu_buf_clear(&got);
    return remote.ops->status(remote.self, &got, &err);
}

static cu_status file(const char *path)
{
    struct cu_file *f;

    cu_buf_clear(&got);
    TRY(fs.ops->open(fs.self, path, CU_OPEN_READ, &f, &err));
    uint8_t mem[1000];
    size_t n;
    assert_int_equal(f->ops->read_at(f, 0, mem, sizeof mem, &n, &err), CU_OK);
    cu_buf_add(&got, cu_span(mem, n));
    cu_file_close(&f);
    return CU_OK;
}

static cu_status evidence(void)
{
    const struct cu_reading what = { .seq = { 7 } };
    const cu_hash root = { { 1 } };

    cu_buf_clear(&got);
    return remote.ops->bytes(remote.self, &what, &root, 0, 8, cu_buf_take, &got, &err);
}

/* Handed on piece by piece: what came stays. */
static cu_status take(void *arg, struct cu_span bytes, struct cu_err *e) { return (void)arg, cu_buf_take(&got, bytes, e); }

static cu_status stream(uint64_t from)
{
    const struct cu_reading what = { .seq = { 7 } };
    const cu_hash root = { { 1 } };

    return remote.ops->bytes(remote.self, &what, &root, from, 8, take, NULL, &err);
}

static bool got_is(const char *text) { return cu_span_is(cu_buf_span(&got), text); }

static void who_cannot_be_reached_is_passed_over_once_and_for_all(void **state)
{
    char first[64];

    (void)state;
    strcpy(first, nodes[0].url);
    node_end(0);
    assert_int_equal(submit(), CU_OK);
    assert_int_equal(submit(), CU_OK);
    assert_int_equal(nodes[1].asked, 2);
    assert_int_equal(nodes[2].asked, 0);
    assert_int_equal(passed_n, 1);
    assert_memory_equal(passed[0], first, strlen(first));
    assert_non_null(strstr(passed[0], "|cannot be reached ("));
    assert_non_null(strstr(passed[0], nodes[1].url));
}

static void who_is_busy_or_behind_a_proxy_that_lost_him_is_passed_over(void **state)
{
    (void)state;
    node_says(0, 0, "503 {\"code\":\"BUSY\",\"detail\":\"too many\"}");
    node_says(1, 0, "502 <html>");
    assert_int_equal(submit(), CU_OK);
    assert_int_equal(nodes[0].asked + nodes[1].asked + nodes[2].asked, 3);
    assert_non_null(strstr(passed[0], "|cannot answer now (too many)|"));
    assert_non_null(strstr(passed[1], "|cannot answer now (502)|"));
}

static void a_refusal_is_an_answer_and_nobody_else_is_asked(void **state)
{
    (void)state;
    node_says(0, 0, "403 {\"detail\":\"a member of the role reader may not\",\"code\":\"NOT_ALLOWED\"}");
    assert_int_equal(submit(), CU_NOT_ALLOWED);
    assert_int_equal(nodes[1].asked + nodes[2].asked + passed_n, 0);
}

static void when_nobody_answers_all_are_asked_a_few_times(void **state)
{
    (void)state;
    node_says(0, 0, "503 ");
    node_says(2, 0, "503 {\"code\":\"BUSY\",\"detail\":\"too many\"}");
    node_end(1);
    assert_int_equal(submit(), CU_BUSY);
    assert_int_equal(nodes[0].asked, 4);
    assert_int_equal(nodes[2].asked, 4);
    assert_int_equal(passed_n, 3);
    assert_int_equal(paused_ms, 100 + 200 + 400); /* between the rounds */
    node_end(0), node_end(2);
    assert_int_equal(status(), CU_IO);
    assert_non_null(strstr(err.text, "and no other node answers"));
    assert_non_null(strstr(err.text, "Nothing was changed"));
}

static void an_answer_that_was_cut_is_asked_of_the_next_from_its_beginning(void **state)
{
    (void)state;
    node_says(0, 0, "2-- the half of it");
    node_says(1, 0, "200 whole");
    assert_int_equal(status(), CU_OK);
    assert_true(got_is("whole"));
}

static void once_bytes_were_handed_on_the_rest_is_the_callers_to_ask_for(void **state)
{
    (void)state;
    node_says(0, 0, "2-- 12345678");
    node_says(0, 1, "503 ");
    node_says(1, 0, "206 5678");
    assert_int_equal(stream(0), CU_IO);
    assert_true(got_is("1234"));
    assert_int_equal(nodes[1].asked, 0);
    assert_int_equal(stream(4), CU_OK);
    assert_true(got_is("12345678"));
    assert_non_null(strstr(nodes[1].head[0], "Range: bytes=4-7"));
}

static void evidence_that_one_has_lost_another_may_have(void **state)
{
    (void)state;
    node_says(0, 0, "404 {\"code\":\"NOT_FOUND\",\"detail\":\"its copy is lost\"}");
    node_says(1, 0, "500 {\"code\":\"CORRUPT\",\"detail\":\"damaged\"}");
    node_says(2, 0, "206 12345678");
    assert_int_equal(evidence(), CU_OK);
    assert_true(got_is("12345678"));
    node_says(1, 0, "404 {\"code\":\"NOT_FOUND\",\"detail\":\"nobody has it\"}");
    node_says(2, 0, nodes[1].says[0]);
    assert_int_equal(evidence(), CU_NOT_FOUND);
    assert_int_equal(nodes[2].asked, 2);
}

static void whatever_is_answered_to_who_asks_once_is_told_if_nobody_answers_better(void **state)
{
    unsigned http;

    (void)state;
    node_says(0, 0, "503 busy");
    node_says(1, 0, "504 gone");
    node_says(2, 0, "200 chain");
    assert_int_equal(remote.ops->ask(remote.self, "v1/trust/chain", CU_SPAN_EMPTY, &http, &got, &err), CU_OK);
    assert_true(http == 200 && got_is("chain"));
    cu_buf_clear(&got);
    node_says(2, 0, "503 busy too");
    assert_int_equal(remote.ops->ask(remote.self, "v1/trust/chain", CU_SPAN_EMPTY, &http, &got, &err), CU_OK);
    assert_int_equal(http, 504); /* the last one's, and each was asked once */
    assert_true(got_is("gone"));
    assert_int_equal(nodes[0].asked + nodes[1].asked + nodes[2].asked, 6);
}

static void what_was_taken_and_is_not_decided_is_not_told_as_refused(void **state)
{
    (void)state;
    node_says(0, 0, "503 {\"code\":\"INTERRUPTED\",\"detail\":\"it waits in the outbox\"}");
    node_says(0, 1, "503 {\"code\":\"BUSY\",\"detail\":\"nothing was taken\"}");
    node_says(1, 0, "503 {\"code\":\"BUSY\",\"detail\":\"nothing was taken\"}");
    node_end(2);
    assert_int_equal(submit(), CU_INTERRUPTED);
    assert_string_equal(err.text, "it waits in the outbox");
}

static void all_who_ask_by_one_list_ask_the_same_node(void **state)
{
    const struct cu_remote_address at = address(all());
    const cu_hash id = { { 7 } };
    struct cu_carriage is;
    struct cu_carrier carrier;

    (void)state;
    assert_int_equal(cu_carrier_open(&at, &carrier, &err), CU_OK);
    node_end(0);
    node_says(1, 0, "200 {\"state\":\"claimed\",\"offset\":0}");
    assert_int_equal(carrier.ops->state(carrier.self, &id, 0, &is, &err), CU_OK);
    assert_int_equal(status(), CU_OK);
    assert_int_equal(nodes[1].asked, 2);
    assert_int_equal(passed_n, 1);
    node_end(1);
    node_says(2, 0, "200 {\"state\":\"accepted\",\"offset\":0}");
    assert_int_equal(carrier.ops->state(carrier.self, &id, 0, &is, &err), CU_OK);
    assert_int_equal(is.state, CU_CARRIED_ACCEPTED);
    carrier.ops->close(carrier.self);
}

static cu_status give_nothing(void *arg, uint8_t *ret, size_t n, size_t *ret_n, struct cu_err *e)
{
    (void)arg, (void)n, (void)e;
    *ret = 0;
    *ret_n = 1;
    return CU_OK;
}

static void an_upload_to_one_of_several_may_be_as_silent_as_any_other_question(void **state)
{
    const cu_hash id = { { 7 } };
    struct cu_carriage is;
    struct cu_carrier carrier;

    (void)state;
    assert_int_equal(status(), CU_OK);
    assert_int_equal(silent_s, 15);
    for (unsigned several = 0; several < 2; several++) {
        const struct cu_remote_address at = address(several ? all() : nodes[0].url);
        node_says(0, 0, "200 {\"state\":\"claimed\",\"offset\":0}");
        assert_int_equal(cu_carrier_open(&at, &carrier, &err), CU_OK);
        if (carrier.ops->send(carrier.self, &id, 0, 9, give_nothing, NULL, &err) != CU_OK) fail_msg("%s", err.text);
        assert_int_equal(silent_s, several ? 15 : 60);
        assert_int_equal(carrier.ops->state(carrier.self, &id, 20, &is, &err), CU_OK);
        assert_int_equal(silent_s, several ? 35 : 80); /* there it is waited for */
        carrier.ops->close(carrier.self);
    }
}

/* ---- who has not come so far ---- */

static void sizes(const char *a, const char *b, const char *c)
{
    nodes[0].checkpoint = a, nodes[1].checkpoint = b, nodes[2].checkpoint = c;
}

static void who_shows_less_than_was_seen_is_passed_over_and_what_he_signed_is_kept(void **state)
{
    CU_BUF note = cu_buf_heap(1000);

    (void)state;
    sizes(NOTE("40"), "404 ", NOTE("56"));
    remote.ops->as_of(remote.self, (cu_size){ 55 });
    assert_int_equal(file("node/log/checkpoint"), CU_OK);
    assert_true(got_is(TEXT("56")));
    assert_non_null(strstr(passed[0], "it shows 40 entries, and 55 were seen before"));
    assert_int_equal(remote.ops->behind(remote.self, 0, &note, &err), CU_OK);
    assert_true(cu_span_is(cu_buf_span(&note), TEXT("40")));
    cu_buf_clear(&note);
    for (size_t i = 0; i < 3; i++) assert_int_equal(remote.ops->behind(remote.self, i, &note, &err), CU_OK);
    assert_int_equal(note.n, 0); /* once, and of nobody else */
    assert_int_equal(remote.ops->behind(remote.self, 3, &note, &err), CU_NOT_FOUND);
    nodes[2].checkpoint = NULL;
    node_says(2, 0, "200 tile");
    assert_int_equal(file("node/log/tile/0/000.p/56"), CU_OK);
    assert_true(got_is("tile"));
    assert_int_equal(nodes[0].asked + nodes[1].asked, 0);
}

static void in_the_middle_of_reading_nobody_is_asked_who_has_not_come_so_far(void **state)
{
    (void)state;
    sizes(NOTE("55"), NOTE("54"), NOTE("55"));
    node_says(0, 0, "200 tile");
    node_says(2, 0, "200 bundle");
    assert_int_equal(file("node/log/checkpoint"), CU_OK);
    remote.ops->as_of(remote.self, (cu_size){ 55 });
    assert_int_equal(file("node/log/tile/0/000.p/55"), CU_OK);
    node_end(0);
    assert_int_equal(file("node/log/tile/entries/000.p/55"), CU_OK);
    assert_true(got_is("bundle"));
    assert_int_equal(nodes[1].asked, 0);
    assert_int_equal(submit(), CU_IO); /* of "bundle"; but it was asked, whoever it is that is there */
    assert_int_equal(nodes[2].asked, 2);
}

static void who_was_passed_over_has_no_say_in_what_another_one_answers(void **state)
{
    (void)state;
    sizes(NOTE("40"), NOTE("55"), NOTE("55"));
    remote.ops->as_of(remote.self, (cu_size){ 55 });
    node_says(1, 0, "404 {\"code\":\"NOT_FOUND\",\"detail\":\"no such entry\"}");
    assert_int_equal(remote.ops->record(remote.self, (cu_seq){ 7 }, false, &got, &err), CU_NOT_FOUND);
    assert_string_equal(err.text, "no such entry");
    assert_int_equal(nodes[2].asked, 0);
    nodes[0].checkpoint = NULL;
    node_end(1);
    node_says(2, 0, "503 ");
    node_says(0, 0, "503 {\"code\":\"INTERRUPTED\",\"detail\":\"it waits in the outbox\"}");
    node_says(0, 1, "403 {\"code\":\"NOT_ALLOWED\",\"detail\":\"no\"}");
    assert_int_equal(submit(), CU_NOT_ALLOWED);
}

static void when_all_show_less_the_most_is_shown_to_be_judged(void **state)
{
    (void)state;
    sizes(NOTE("40"), NOTE("54"), NOTE("41"));
    remote.ops->as_of(remote.self, (cu_size){ 55 });
    assert_int_equal(file("node/log/checkpoint"), CU_OK);
    assert_true(got_is(TEXT("54")));
    assert_in_range(paused_ms, 10000, 15000); /* whoever was away has time to catch up */
    node_says(1, 0, "200 tile");              /* with what goes with it */
    assert_int_equal(file("node/log/tile/0/000.p/54"), CU_OK);
    assert_int_equal(nodes[1].asked, 1);
    remote.ops->as_of(remote.self, (cu_size){ 55 });
    assert_int_equal(file("node/log/tile/0/000.p/55"), CU_IO);
    assert_non_null(strstr(err.text, "it has not caught up"));
    assert_int_equal(nodes[0].asked + nodes[1].asked + nodes[2].asked, 1);
}

static void all_who_show_no_log_at_all_are_told_as_one_that_does(void **state)
{
    (void)state;
    sizes("404 ", "404 ", "404 ");
    remote.ops->as_of(remote.self, (cu_size){ 55 });
    assert_int_equal(file("node/log/checkpoint"), CU_NOT_FOUND);
}

static void while_some_cannot_be_asked_nobody_says_that_all_show_less(void **state)
{
    (void)state;
    sizes(NOTE("40"), NOTE("54"), NOTE("41"));
    node_end(1);
    remote.ops->as_of(remote.self, (cu_size){ 55 });
    assert_int_equal(file("node/log/checkpoint"), CU_IO);
    assert_int_equal(got.n, 0);
    assert_non_null(strstr(err.text, "entries, and 55 were seen before: it has not caught up"));
}

static void a_node_that_catches_up_meanwhile_is_good(void **state)
{
    (void)state;
    sizes(NULL, NOTE("54"), NOTE("54"));
    node_says(0, 0, NOTE("54"));
    node_says(0, 1, NOTE("55"));
    remote.ops->as_of(remote.self, (cu_size){ 55 });
    assert_int_equal(file("node/log/checkpoint"), CU_OK);
    assert_true(got_is(TEXT("55")));
}

/* ---- addresses ---- */

static cu_status open_at(const char *url, struct cu_client_ends *ret)
{
    return cu_client_ends_read(&(struct cu_remote_address){ .url = url }, ret, &err);
}

static void the_address_that_is_none_is_named(void **state)
{
    static const struct {
        const char *urls, *names;
    } bad[] = { { "", "(nothing): an address is" },
                { "http://a,", "(nothing): an address is" },
                { ",http://a", "(nothing): an address is" },
                { "http://a,,http://b", "(nothing): an address is" },
                { "http://a,ftp://b", "ftp://b: an address is" },
                { "http://a,b:1,http://c", "b:1: an address is" },
                { "http://a, http://b", " http://b: an address is" },
                { "http://a;http://b c", "http://a;http://b c: an address is" },
                { "http://a,http://me@b", "http://me@b: an address is" },
                { "http://a,http://b?c", "http://b?c: an address is" } };
    struct cu_client_ends ends;
    struct cu_remote other;
    struct cu_fs other_fs;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(open_at(bad[i].urls, &ends), CU_USAGE);
        assert_memory_equal(err.text, bad[i].names, strlen(bad[i].names));
        const struct cu_remote_address at = address(bad[i].urls);
        struct cu_carrier carrier;
        assert_int_equal(cu_client_kind.open(&at, &under, &other, &other_fs, &err), CU_USAGE);
        assert_int_equal(cu_carrier_open(&at, &carrier, &err), CU_USAGE);
    }
}

static void what_is_named_twice_is_asked_once_and_too_many_are_refused(void **state)
{
    struct cu_client_ends ends;
    char many[4000] = "http://h0";

    (void)state;
    assert_int_equal(open_at("http://a,http://b//,http://a/,http://b", &ends), CU_OK);
    assert_int_equal(ends.count, 2);
    assert_string_equal(cu_client_base(&ends), "http://a");
    for (int i = 1; i < 17; i++) {
        assert_int_equal(open_at(many, &ends), CU_OK);
        assert_int_equal(ends.count, i);
        sprintf(many + strlen(many), ",http://h%d", i);
    }
    assert_int_equal(open_at(many, &ends), CU_USAGE);
    assert_non_null(strstr(err.text, "too many addresses"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(who_cannot_be_reached_is_passed_over_once_and_for_all),
        TEST(who_is_busy_or_behind_a_proxy_that_lost_him_is_passed_over),
        TEST(a_refusal_is_an_answer_and_nobody_else_is_asked),
        TEST(when_nobody_answers_all_are_asked_a_few_times),
        TEST(an_answer_that_was_cut_is_asked_of_the_next_from_its_beginning),
        TEST(once_bytes_were_handed_on_the_rest_is_the_callers_to_ask_for),
        TEST(evidence_that_one_has_lost_another_may_have),
        TEST(whatever_is_answered_to_who_asks_once_is_told_if_nobody_answers_better),
        TEST(what_was_taken_and_is_not_decided_is_not_told_as_refused),
        TEST(all_who_ask_by_one_list_ask_the_same_node),
        TEST(an_upload_to_one_of_several_may_be_as_silent_as_any_other_question),
        TEST(who_shows_less_than_was_seen_is_passed_over_and_what_he_signed_is_kept),
        TEST(in_the_middle_of_reading_nobody_is_asked_who_has_not_come_so_far),
        TEST(who_was_passed_over_has_no_say_in_what_another_one_answers),
        TEST(when_all_show_less_the_most_is_shown_to_be_judged),
        TEST(all_who_show_no_log_at_all_are_told_as_one_that_does),
        TEST(while_some_cannot_be_asked_nobody_says_that_all_show_less),
        TEST(a_node_that_catches_up_meanwhile_is_good),
        TEST(the_address_that_is_none_is_named),
        TEST(what_is_named_twice_is_asked_once_and_too_many_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
