/* The matrix: the table that people read is the one that the code asks, and whatever stands in neither is denied. */
#include "custody/may.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t roles[] = { CU_ROLE_DEPOSITOR, CU_ROLE_PROVIDER, CU_ROLE_ORGANISATION,  CU_ROLE_READER,
                                  CU_ROLE_AUDITOR,   CU_ROLE_OPERATOR, CU_ROLE_ADMINISTRATOR, CU_ROLE_NODE };
#define ROLES (sizeof roles / sizeof *roles)

static bool known(uint64_t role)
{
    for (size_t k = 0; k < ROLES; k++)
        if (roles[k] == role) return true;
    return false;
}

#define NUMBER(act, num, text, ...) { num, text },
static const struct {
    unsigned act;
    const char *text;
} acts[] = { CU_ACT_TABLE(NUMBER) };
#define ACTS (sizeof acts / sizeof *acts)

static void what_stands_nowhere_is_denied(void **state)
{
    (void)state;
    for (unsigned act = 0; act < 1024; act++) {
        bool any = false, listed = false;
        for (size_t i = 0; i < ACTS; i++) listed = listed || acts[i].act == act;
        for (uint64_t role = 0; role < 1024; role++) {
            if (known(role)) any = any || cu_may(role, act);
            else assert_false(cu_may(role, act));
        }
        assert_int_equal(any, listed); /* nor is there an act that nobody may do */
    }
    assert_false(cu_may(UINT64_MAX, CU_ACT_CASE));
    for (uint64_t role = 0; role < 1024; role++) assert_int_equal(cu_act_enrol(role) != 0, known(role));
}

static void every_kind_that_is_signed_is_an_act(void **state)
{
    (void)state;
    for (size_t k = 0; k < cu_kinds_n; k++) {
        bool any = false;
        for (size_t r = 0; r < ROLES; r++) any = any || cu_may(roles[r], cu_kinds[k]);
        assert_int_equal(any, cu_kind_row(cu_kinds[k])->form != CU_FORM_PLAIN);
    }
}

static void roles_have_names(void **state)
{
    (void)state;
    for (uint64_t role = 0; role < 1024; role++) {
        const char *name = cu_role_name(role);
        assert_int_equal(name != NULL, known(role));
        if (name) assert_int_equal(cu_role_by_name(cu_span_str(name)), role);
    }
    assert_int_equal(cu_role_by_name(cu_span_str("depositors")), 0);
    assert_int_equal(cu_role_by_name(CU_SPAN_EMPTY), 0);
}

/* "| say case | 1 | 0 | …" in docs/formats/entry.md, one row an act and a column a role, in the same order. */
static void the_page_has_the_same_table(void **state)
{
    FILE *page = fopen(TEST_SOURCE_DIR "/docs/formats/entry.md", "r");
    char line[1024];
    size_t row = 0;

    (void)state;
    assert_non_null(page);
    while (fgets(line, sizeof line, page)) {
        char wanted[256];
        int n = row < ACTS ? snprintf(wanted, sizeof wanted, "| %s |", acts[row].text) : 0;
        if (n <= 0 || strncmp(line, wanted, (size_t)n) != 0) continue;
        for (size_t k = 0; k < ROLES; k++)
            n += snprintf(wanted + n, sizeof wanted - (size_t)n, " %s |", cu_may(roles[k], acts[row].act) ? "yes" : "");
        assert_memory_equal(line, wanted, (size_t)n);
        row++;
    }
    assert_int_equal(fclose(page), 0);
    assert_int_equal(row, ACTS);
}

/* ---- what members ask of the servers: written down once more, role by role, act by act ---- */

static const char *const asked[] = {
    /* public capacity log details evidence submit sign give fetch admit, in the order of `roles` */
    "AAAGGANONN", "AAAGGANOAN", "AAAAAAAOAA", "AAAGGNNNNN", "AAAAAANOAN", "AANNNNNNNN", "AAANNANNNA", "AAAAAANOAN",
};
/* who goes so far sees: what is foreign, opened, own, common */
static const struct {
    char scope;
    const char *sees;
} seen[] = { { 'N', "0001" }, { 'O', "0011" }, { 'G', "0111" }, { 'A', "1111" } };

static char letter(enum cu_scope scope) { return "NOGA"[scope]; }

static const char *seen_by(char scope)
{
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        if (seen[i].scope == scope) return seen[i].sees;
    return "0000";
}

static void judge_sights(bool granted)
{
    for (size_t r = 0; r < ROLES; r++)
        for (enum cu_ask act = CU_ASK_NONE; act < CU_ASKS; act++)
            for (enum cu_relation what = 0; what < CU_RELATIONS; what++) {
                const char scope = act == CU_ASK_NONE ? 'N' : asked[r][act - 1];
                const bool may = seen_by(scope)[what] == '1', does = cu_may_see(cu_may_ask(roles[r], act), what);
                if (may == granted && does != may)
                    fail_msg("%s, act %d, relation %d: %d", cu_role_name(roles[r]), act, what, does);
            }
}

static void what_may_not_be_seen_is_not(void **state)
{
    (void)state;
    judge_sights(false);
    for (uint64_t role = 0; role < 1024; role++)
        for (int act = -3; act < CU_ASKS + 300; act++)
            if (!known(role) || act <= CU_ASK_NONE || act >= CU_ASKS)
                assert_int_equal(cu_may_ask(role, (enum cu_ask)act), CU_SCOPE_N);
    for (int scope = -3; scope < 300; scope++)
        for (int what = -3; what < 300; what++)
            if (scope < 0 || scope >= CU_SCOPES || what < 0 || what >= CU_RELATIONS)
                assert_false(cu_may_see((enum cu_scope)scope, (enum cu_relation)what));
}

static void what_may_be_seen_is(void **state)
{
    (void)state;
    judge_sights(true);
}

/* "| reader | A | A | …" in docs/formats/api.md. */
static void the_page_of_the_servers_has_the_same_table(void **state)
{
    FILE *page = fopen(TEST_SOURCE_DIR "/docs/formats/api.md", "r");
    char line[1024];
    size_t rows = 0;

    (void)state;
    assert_non_null(page);
    while (fgets(line, sizeof line, page))
        for (size_t r = 0; r < ROLES; r++) {
            char wanted[256];
            int n = snprintf(wanted, sizeof wanted, "| %s |", cu_role_name(roles[r]));
            if (strncmp(line, wanted, (size_t)n) != 0) continue;
            for (enum cu_ask act = CU_ASK_PUBLIC; act < CU_ASKS; act++) {
                const char is = letter(cu_may_ask(roles[r], act));
                n += snprintf(wanted + n, sizeof wanted - (size_t)n, " %s |", is == 'N' ? "" : (char[2]){ is, 0 });
            }
            assert_memory_equal(line, wanted, (size_t)n);
            rows++;
        }
    assert_int_equal(fclose(page), 0);
    assert_int_equal(rows, ROLES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_nowhere_is_denied),
        cmocka_unit_test(every_kind_that_is_signed_is_an_act),
        cmocka_unit_test(roles_have_names),
        cmocka_unit_test(the_page_has_the_same_table),
        cmocka_unit_test(what_may_not_be_seen_is_not),
        cmocka_unit_test(what_may_be_seen_is),
        cmocka_unit_test(the_page_of_the_servers_has_the_same_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
