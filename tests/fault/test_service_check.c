/* What cannot be read for a moment is not damaged: a check that a failing read disturbs ends without a verdict or with a good one. */
#include "service_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct service_world *new_ledger(void)
{
    static const char *const paths[] = { SW_BASE, SW_PACKED, SW_LARGE, SW_FOLDER, SW_SMALL };
    struct service_world *w = sw_new();
    struct cu_err err = { 0 };

    if (sw_create(w, &err) != CU_OK || sw_open(w, SW_WRITE, &err) != CU_OK || sw_deposit(w, paths, 5, false, &err) != CU_OK ||
        sw_close(w, &err) != CU_OK)
        fail_msg("a ledger to begin with: %s", err.text);
    return w;
}

/* How many calls a check makes when nothing happens. */
static uint64_t calls_of_check(const struct service_world *from, bool repair)
{
    struct service_world *w = sw_copy(from);
    struct cu_check_result result;
    struct cu_err err = { 0 };
    char finding[600];

    if (sw_check(w, repair, &result, finding, &err) != CU_OK || result.findings)
        fail_msg("a sound ledger: %s%s", err.text, finding);
    const uint64_t calls = w->faulty.calls;
    sw_free(w);
    return calls;
}

static void fail_once(const struct service_world *from, bool repair, uint64_t n, uint64_t *ret_judged)
{
    struct service_world *w = sw_copy(from);
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char finding[600] = "";

    w->faulty.fail_call = n;
    w->faulty.fault = CU_FAULT_IO;
    *ret_judged += sw_check(w, repair, &result, finding, &err) == CU_OK;
    if (result.findings) fail_msg("call %llu%s: %s", (unsigned long long)n, repair ? " of a repair" : "", finding);
    sw_free(w);
}

static void a_read_that_fails_once_is_no_damage(void **state)
{
    struct service_world *from = new_ledger();
    (void)state;

    for (int repair = 0; repair < 2; repair++) {
        uint64_t calls = calls_of_check(from, repair), judged = 0;
        for (uint64_t n = 1; n <= calls; n++) fail_once(from, repair, n, &judged);
        print_message("%llu calls, judged all the same %llu times\n", (unsigned long long)calls, (unsigned long long)judged);
        assert_true(judged > calls / 2);
    }
    sw_free(from);
}

/* ---- many entries: lanes prepare them, and find what one thread finds ---- */

/* More than two bundles, which is more than is looked at without threads. */
static struct service_world *long_ledger(void)
{
    struct service_world *w = new_ledger();
    struct cu_outcome outcome;
    struct cu_err err = { 0 };
    char name[20];

    if (sw_open(w, SW_WRITE, &err) != CU_OK) fail_msg("%s", err.text);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "C%d", i);
        const struct cu_case_request r = { .name = cu_span_str(name) };
        if (cu_case_open(&w->place, &r, &outcome, &err) != CU_OK) fail_msg("%s", err.text);
    }
    if (sw_close(w, &err) != CU_OK) fail_msg("%s", err.text);
    return w;
}

struct answer {
    cu_status status;
    struct cu_check_result result;
    char finding[600], text[400];
};

static struct answer ask(const struct service_world *from, const char *const *paths, unsigned lanes, unsigned only)
{
    struct service_world *w = sw_copy(from);
    struct answer a = { .status = CU_OK };
    struct cu_err err = { 0 };

    for (; paths && *paths; paths++)
        if (!cu_memory_flip(&w->memory, *paths, 8 * 77)) fail_msg("%s is not there", *paths);
    w->lanes = lanes;
    w->only = only;
    a.status = sw_check(w, false, &a.result, a.finding, &err);
    snprintf(a.text, sizeof a.text, "%s", err.text);
    sw_free(w);
    return a;
}

#define BUNDLE(dir, n) dir "/tile/entries/" n
static const char *const damages[][4] = {
    { NULL },
    { BUNDLE(CU_DIR_NODE_LOG, "000") },
    { BUNDLE(CU_DIR_CLOUD_LOG, "001") },
    { BUNDLE(CU_DIR_NODE_LOG, "001"), BUNDLE(CU_DIR_CLOUD_LOG, "001") }, /* lost: what comes before it is judged */
    { CU_DIR_NODE_LOG "/tile/0/001", CU_DIR_CLOUD_LOG "/tile/0/001" },
    { CU_DIR_NODE_STATE "/snapshot" },
};
#define DAMAGES (sizeof damages / sizeof *damages)

static void several_lanes_find_what_one_thread_finds(void **state)
{
    struct service_world *from = long_ledger();
    (void)state;

    for (size_t i = 0; i < DAMAGES; i++) {
        if (i == 5 && !cu_fs_exists(&from->memory, damages[i][0])) continue;
        const struct answer one = ask(from, damages[i], 0, 0), several = ask(from, damages[i], 4, 0);
        assert_int_equal(one.status, several.status);
        assert_memory_equal(&one.result, &several.result, sizeof one.result);
        assert_string_equal(one.finding, several.finding);
        assert_int_equal(one.result.findings > 0, i > 0);
        if (i == 0) assert_true(one.result.entries > 600 && one.result.signatures > 300);
        if (i == 3) assert_true(one.result.entries == 256 && strstr(one.finding, "lost: "));
    }
    sw_free(from);
}

/* ---- hashes alone ---- */

struct search {
    const struct cu_fs *fs;
    const char *dir, *suffix;
    char ret[160];
};

static cu_status match(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct search *s = arg, in = *s;
    const size_t n = strlen(name), m = strlen(s->suffix);
    char path[160];

    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    if (kind == CU_FILE_FOLDER) {
        in.dir = path;
        TRY(s->fs->ops->list(s->fs->self, path, match, &in, err));
        memcpy(s->ret, in.ret, sizeof s->ret);
    } else if (n >= m && strcmp(name + n - m, s->suffix) == 0) memcpy(s->ret, path, sizeof s->ret);
    return CU_OK;
}

/* The last of them. */
static struct search some_file(const struct service_world *w, const char *dir, const char *suffix)
{
    struct search s = { .fs = &w->memory, .dir = dir, .suffix = suffix };

    assert_int_equal(w->memory.ops->list(w->memory.self, dir, match, &s, NULL), CU_OK);
    assert_true(s.ret[0] != 0);
    return s;
}

static void hashes_alone_are_judged_where_they_are_asked_for(void **state)
{
    struct service_world *from = new_ledger();
    const struct search in_packs = some_file(from, CU_DIR_NODE_OBJECTS "/packs", ".pack"),
                        in_tiles = some_file(from, CU_DIR_CLOUD_LOG "/tile/0", "");
    const char *pack[] = { in_packs.ret, NULL }, *tile[] = { in_tiles.ret, NULL }, *beside[] = { CU_FILE_POLICY, NULL };
    const unsigned log = CU_CHECK_LOG, objects = CU_CHECK_OBJECTS, both = log | objects;
    (void)state;

    for (unsigned only = 0; only <= both; only++) {
        assert_int_equal(ask(from, NULL, 0, only).result.findings, 0);
        assert_int_equal(ask(from, pack, 0, only).result.findings > 0, only == 0 || (only & objects));
        assert_int_equal(ask(from, tile, 0, only).result.findings > 0, only == 0 || (only & log));
        assert_int_equal(ask(from, beside, 0, only).result.findings > 0, only == 0);
    }
    const struct answer all = ask(from, NULL, 0, 0), hashes = ask(from, NULL, 0, both);
    assert_int_equal(hashes.result.entries, all.result.entries);
    assert_int_equal(hashes.result.objects, all.result.objects);
    assert_int_equal(hashes.result.bytes, all.result.bytes);
    assert_int_equal(hashes.result.signatures, 0);
    sw_free(from);
}

static int set_up(void **state)
{
    (void)state;
    sw_keep();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sw_let_go();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_that_fails_once_is_no_damage),
        cmocka_unit_test(several_lanes_find_what_one_thread_finds),
        cmocka_unit_test(hashes_alone_are_judged_where_they_are_asked_for),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
