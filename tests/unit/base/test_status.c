/* The table of outcomes and the sentences beside them. */
#include "custody/status.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NO 0
#define YES 1

static void every_row_of_the_table_is_found_by_its_number(void **state)
{
    (void)state;
#define ROW(num, name, http, code, retry, text, zh)             \
    assert_int_equal(CU_##name, num);                           \
    assert_string_equal(cu_status_name((cu_status)num), #name); \
    assert_string_equal(cu_status_text((cu_status)num), text);  \
    assert_string_equal(cu_status_text_zh((cu_status)num), zh); \
    assert_int_equal(cu_status_http((cu_status)num), http);     \
    assert_int_equal(cu_status_exit((cu_status)num), code);     \
    assert_int_equal(cu_status_retry((cu_status)num), retry);
    CU_STATUS_TABLE(ROW)
#undef ROW
}

static void statuses_are_bytes_and_only_good_ones_exit_with_zero(void **state)
{
    (void)state;
#define ROW(num, name, http, code, retry, text, zh) \
    assert_in_range(num, 0, 255);                   \
    assert_in_range(http, 200, 599);                \
    assert_int_equal((code) == 0, (http) == 200);
    CU_STATUS_TABLE(ROW)
#undef ROW
}

static void a_number_outside_the_table_is_a_failure(void **state)
{
    (void)state;
    static const int outside[] = { -1, 12, 31, 85, 127, 133, 255, 256, 1 << 20 };
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        cu_status status = (cu_status)outside[i];
        assert_string_equal(cu_status_name(status), "UNKNOWN");
        assert_int_equal(cu_status_http(status), 500);
        assert_int_not_equal(cu_status_exit(status), 0);
        assert_int_equal(cu_status_retry(status), 0);
        assert_true(strlen(cu_status_text(status)) > 0);
    }
}

static void a_failure_carries_its_sentence(void **state)
{
    (void)state;
    struct cu_err err;
    assert_int_equal(cu_fail(&err, CU_BAD_HASH, "chunk %d of %s", 7, "C1/3"), CU_BAD_HASH);
    assert_int_equal(err.status, CU_BAD_HASH);
    assert_string_equal(err.text, "chunk 7 of C1/3");
}

static void what_the_caller_was_doing_stands_in_front(void **state)
{
    (void)state;
    struct cu_err err;
    cu_status status = cu_fail(&err, CU_BAD_HASH, "chunk 7");
    status = cu_fail_while(&err, status, "object %s", "ab12");
    assert_int_equal(cu_fail_while(&err, status, "deposit C1/%d", 3), CU_BAD_HASH);
    assert_int_equal(err.status, CU_BAD_HASH);
    assert_string_equal(err.text, "deposit C1/3: object ab12: chunk 7");
}

static void a_sentence_is_cut_at_its_size_and_stays_a_string(void **state)
{
    (void)state;
    struct cu_err err;
    char text[3 * sizeof err.text];
    for (size_t n = sizeof err.text - 3; n < sizeof text; n += n < sizeof err.text + 3 ? 1 : 500) {
        memset(text, 'x', n);
        text[n] = '\0';
        size_t kept = n < sizeof err.text ? n : sizeof err.text - 1;
        cu_fail(&err, CU_IO, "%s", text);
        assert_int_equal(strlen(err.text), kept);
        cu_fail_while(&err, CU_IO, "ab");
        assert_memory_equal(err.text, "ab: xx", 6);
        assert_int_equal(strlen(err.text), kept + 4 < sizeof err.text ? kept + 4 : sizeof err.text - 1);
        cu_fail_while(&err, CU_IO, "%s", text);
        assert_int_equal(strlen(err.text), sizeof err.text - 1);
    }
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_int_equal(cu_fail(NULL, CU_IO, "%d", 1), CU_IO);
    assert_int_equal(cu_fail_while(NULL, CU_IO, "%d", 1), CU_IO);
}

static cu_status first_of_three(int fails_at, int *reached, struct cu_err *err)
{
    *reached = 0;
    ENSURE(fails_at != 0, err, CU_USAGE, "the %s", "zeroth");
    *reached = 1;
    TRY(fails_at == 1 ? cu_fail(err, CU_BUSY, "the first") : CU_OK);
    *reached = 2;
    return CU_OK;
}

static void early_returns_return_early(void **state)
{
    (void)state;
    struct cu_err err;
    int reached;
    assert_int_equal(first_of_three(0, &reached, &err), CU_USAGE);
    assert_int_equal(reached, 0);
    assert_string_equal(err.text, "the zeroth");
    assert_int_equal(first_of_three(1, &reached, &err), CU_BUSY);
    assert_int_equal(reached, 1);
    assert_int_equal(first_of_three(2, &reached, &err), CU_OK);
    assert_int_equal(reached, 2);
}

static void a_bug_stops_the_process(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        signal(SIGABRT, SIG_DFL);
        CU_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_is_found_by_its_number),
        cmocka_unit_test(statuses_are_bytes_and_only_good_ones_exit_with_zero),
        cmocka_unit_test(a_number_outside_the_table_is_a_failure),
        cmocka_unit_test(a_failure_carries_its_sentence),
        cmocka_unit_test(what_the_caller_was_doing_stands_in_front),
        cmocka_unit_test(a_sentence_is_cut_at_its_size_and_stays_a_string),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(early_returns_return_early),
        cmocka_unit_test(a_bug_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
