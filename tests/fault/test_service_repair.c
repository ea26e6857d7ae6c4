/* A repair that is cut short anywhere: the next writing open finishes it, and everything that was damaged is named by an incident. */
#include "content/put.h"
#include "service_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* ---- damage ---- */

static struct cu_file *open_file(struct service_world *w, const char *path)
{
    struct cu_file *f = NULL;

    if (w->memory.ops->open(w->memory.self, path, CU_OPEN_WRITE | CU_OPEN_CREATE, &f, NULL) != CU_OK)
        fail_msg("cannot damage %s", path);
    return f;
}

static void damaged(struct service_world *w, const char *path)
{
    snprintf(w->damage[w->damages_n++], sizeof w->damage[0], "%s", path);
}

static void flip(struct service_world *w, const char *path, uint64_t at)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = open_file(w, path);
    uint8_t byte = 0;
    size_t n = 0;

    assert_int_equal(f->ops->read_at(f, at, &byte, 1, &n, NULL), CU_OK);
    byte ^= 0x10;
    assert_int_equal(f->ops->write_at(f, at, cu_span(&byte, 1), NULL), CU_OK);
    assert_int_equal(f->ops->sync(f, NULL), CU_OK);
    damaged(w, path);
}

static void cut(struct service_world *w, const char *path)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = open_file(w, path);

    assert_int_equal(f->ops->truncate(f, 40, NULL), CU_OK);
    assert_int_equal(f->ops->sync(f, NULL), CU_OK);
    damaged(w, path);
}

static void add(struct service_world *w, const char *path)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = open_file(w, path);

    assert_int_equal(f->ops->write_at(f, 0, cu_span_str("?"), NULL), CU_OK);
    assert_int_equal(w->memory.ops->sync_all(w->memory.self, NULL), CU_OK);
    damaged(w, path);
}

static void lose(struct service_world *w, const char *path)
{
    assert_int_equal(w->memory.ops->rename(w->memory.self, path, "elsewhere/lost", NULL), CU_OK);
    assert_int_equal(w->memory.ops->sync_all(w->memory.self, NULL), CU_OK);
    damaged(w, path);
}

/* ---- finding what to damage ---- */

struct search {
    struct service_world *w;
    const char *dir, *suffix;
    unsigned skip;
    char ret[160];
};

static cu_status match(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct search *s = arg;
    char path[160];
    const size_t n = strlen(name), m = strlen(s->suffix);

    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    if (kind == CU_FILE_FOLDER) {
        const char *dir = s->dir;
        s->dir = path;
        cu_status status = s->w->memory.ops->list(s->w->memory.self, path, match, s, err);
        s->dir = dir;
        return status;
    }
    if (s->ret[0] || n < m || strcmp(name + n - m, s->suffix) != 0 || s->skip-- > 0) return CU_OK;
    snprintf(s->ret, sizeof s->ret, "%s", path);
    return CU_OK;
}

static const char *some_file(struct service_world *w, const char *dir, const char *suffix, unsigned skip)
{
    static char ret[2][160];
    static unsigned which;
    struct search s = { .w = w, .dir = dir, .suffix = suffix, .skip = skip };

    assert_int_equal(w->memory.ops->list(w->memory.self, dir, match, &s, NULL), CU_OK);
    if (!s.ret[0]) fail_msg("there is no %s in %s", suffix, dir);
    which = !which;
    snprintf(ret[which], sizeof ret[which], "%s", s.ret);
    return ret[which];
}

/* The partial tile that the newest checkpoint ends in. */
static const char *newest(struct service_world *w, const char *dir)
{
    static char ret[2][160];
    static unsigned which;
    struct cu_file_stat st;

    which = !which;
    for (unsigned width = 255; width > 0; width--) {
        snprintf(ret[which], sizeof ret[which], "%s/000.p/%u", dir, width);
        if (w->memory.ops->stat(w->memory.self, ret[which], &st, NULL) == CU_OK) return ret[which];
    }
    fail_msg("no tile in %s", dir);
    return NULL;
}

static cu_status damage_stores(struct service_world *w, struct cu_err *err)
{
    (void)err;
    flip(w, some_file(w, CU_DIR_CLOUD_OBJECTS "/packs", ".pack", 0), 100);
    lose(w, some_file(w, CU_DIR_NODE_OBJECTS "/packs", ".pack", 1));
    cut(w, some_file(w, CU_DIR_NODE_OBJECTS "/packs", ".idx", 2));
    return CU_OK;
}

static cu_status damage_logs(struct service_world *w, struct cu_err *err)
{
    (void)err;
    flip(w, newest(w, CU_DIR_CLOUD_LOG "/tile/0"), 33);
    cut(w, newest(w, CU_DIR_NODE_LOG "/tile/entries"));
    flip(w, CU_DIR_NODE_LOG "/checkpoint", 60);
    add(w, CU_DIR_CLOUD_LOG "/tile/0/stray");
    return CU_OK;
}

static cu_status damage_rest(struct service_world *w, struct cu_err *err)
{
    (void)err;
    flip(w, CU_DIR_NODE_STATE "/delta", 200);
    flip(w, CU_DIR_JOURNAL "/head", 20);
    flip(w, CU_FILE_POLICY, 8);
    return CU_OK;
}

/* ---- what nobody was told of ---- */

static void close_store(struct cu_objects **s) { cu_objects_close(*s); }

#define BAD "the first of two that came before the power went"
#define GOOD "the second"

/* A batch that one store published before the power went, a large object with it. */
static cu_status leave(struct cu_objects *store, cu_hash *ret_large, struct cu_err *err)
{
    static const char *const small[] = { BAD, GOOD };
    CU_CLEANUP(cu_put_cleanup) struct cu_put *put = NULL;
    CU_BUF large = cu_buf_heap(CU_CHUNK_BYTES);
    uint64_t size;

    memset(cu_buf_grow(&large, CU_CHUNK_BYTES), 'l', CU_CHUNK_BYTES);
    TRY(cu_put_begin(&store, 1, &put, err));
    for (int i = 0; i < 2; i++) {
        const cu_hash name = cu_object_name(CU_OBJECT_CONTENT, cu_span_str(small[i]));
        TRY(cu_put_small(put, CU_OBJECT_CONTENT, &name, cu_span_str(small[i]), err));
    }
    TRY(cu_put_large_begin(put, err));
    TRY(cu_put_large_add(put, cu_span(large.p, CU_CHUNK_BYTES), err));
    TRY(cu_put_large_end(put, ret_large, &size, err));
    return cu_put_commit(put, err);
}

static cu_status damage_leftover(struct service_world *w, struct cu_err *err)
{
    const cu_hash bad = cu_object_name(CU_OBJECT_CONTENT, cu_span_str(BAD));
    CU_CLEANUP(close_store) struct cu_objects *store = NULL;
    struct cu_object o;
    cu_hash large;
    char path[160], hex[65];

    TRY(cu_objects_open(&w->memory, CU_DIR_CLOUD_OBJECTS, NULL, CU_STORE_CLOUD, &store, err));
    TRY(leave(store, &large, err));
    TRY(cu_objects_find(store, CU_OBJECT_CONTENT, &bad, &o, err));
    cu_hash_hex(&o.pack, hex);
    snprintf(path, sizeof path, CU_DIR_CLOUD_OBJECTS "/packs/%.2s/%s.pack", hex, hex);
    flip(w, path, o.offset + 3);
    cu_hash_hex(&large, hex);
    snprintf(path, sizeof path, CU_DIR_CLOUD_OBJECTS "/large/%.2s/%s", hex, hex);
    flip(w, path, 5000);
    return CU_OK;
}

static cu_status damage_all(struct service_world *w, struct cu_err *err)
{
    TRY(damage_stores(w, err));
    TRY(damage_logs(w, err));
    return damage_rest(w, err);
}

static const struct sw_story stories[] = {
    { .name = "repair-stores",
      .prepare = damage_stores,
      .act = sw_repair,
      .judge = sw_judge_repair,
      .stride = 2,
      .call_stride = 11 },
    { .name = "repair-logs", .prepare = damage_logs, .act = sw_repair, .judge = sw_judge_repair, .stride = 2, .call_stride = 11 },
    { .name = "repair-rest", .prepare = damage_rest, .act = sw_repair, .judge = sw_judge_repair, .stride = 2, .call_stride = 11 },
    { .name = "repair-leftover",
      .prepare = damage_leftover,
      .act = sw_repair,
      .judge = sw_judge_repair,
      .stride = 2,
      .call_stride = 11 },
    { .name = "repair-all", .prepare = damage_all, .act = sw_repair, .judge = sw_judge_repair, .stride = 7, .call_stride = 17 },
};
#define STORIES (sizeof stories / sizeof *stories)

static void a_repair_that_is_cut_short_is_finished_and_hides_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) sw_stop_everywhere(&stories[i]);
}

static void a_repair_that_fails_anywhere_is_finished_and_hides_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) sw_fail_everywhere(&stories[i]);
}

static struct service_world *with_deposits(void)
{
    static const char *const paths[] = { SW_SMALL, SW_PACKED };
    struct service_world *w = sw_new();
    struct cu_err err = { 0 };

    w->deposits_max = 2;
    if (sw_create(w, &err) != CU_OK || sw_open(w, SW_WRITE, &err) != CU_OK || sw_deposit(w, paths, 2, false, &err) != CU_OK ||
        sw_close(w, &err) != CU_OK)
        fail_msg("%s", err.text);
    return w;
}

/* A stranger may want to see what was wrong. */
static void what_is_replaced_is_kept_as_it_was(void **state)
{
    struct service_world *w = with_deposits();
    struct cu_buf bad[SW_DAMAGES];
    struct cu_err err = { 0 };

    (void)state;
    assert_int_equal(damage_logs(w, &err), CU_OK);
    for (size_t i = 0; i < w->damages_n; i++) {
        bad[i] = cu_buf_heap(1 << 20);
        assert_int_equal(cu_fs_read(&w->memory, w->damage[i], 1 << 20, &bad[i], &err), CU_OK);
    }
    if (sw_repair(w, &err) != CU_OK) fail_msg("%s", err.text);
    for (size_t i = 0; i < w->damages_n; i++) {
        CU_BUF kept = cu_buf_heap(1 << 20);
        char path[200];
        snprintf(path, sizeof path, CU_DIR_QUARANTINE "/1/%s", w->damage[i]);
        if (cu_fs_read(&w->memory, path, 1 << 20, &kept, &err) != CU_OK) fail_msg("%s", err.text);
        if (!cu_span_eq(cu_buf_span(&kept), cu_buf_span(&bad[i]))) fail_msg("%s is not what was damaged", path);
        cu_buf_free(&bad[i]);
    }
    sw_free(w);
}

static cu_status has(struct service_world *w, const char *text)
{
    const cu_hash name = cu_object_name(CU_OBJECT_CONTENT, cu_span_str(text));
    CU_CLEANUP(close_store) struct cu_objects *store = NULL;

    if (cu_objects_open(&w->memory, CU_DIR_CLOUD_OBJECTS, NULL, CU_STORE_CLOUD, &store, NULL) != CU_OK) fail_msg("no store");
    return cu_objects_has(store, CU_OBJECT_CONTENT, &name, strlen(text), true, NULL);
}

/* A claim may be under way whose content lies there. */
static void of_what_nobody_was_told_of_the_good_half_stays(void **state)
{
    struct service_world *w = with_deposits();
    struct cu_check_result result;
    struct cu_err err = { 0 };
    char finding[600];

    (void)state;
    if (damage_leftover(w, &err) != CU_OK || sw_check(w, true, &result, finding, &err) != CU_OK) fail_msg("%s", err.text);
    if (result.findings < 2 || result.unrepaired > 0)
        fail_msg("%llu, %llu left: %s", (unsigned long long)result.findings, (unsigned long long)result.unrepaired, finding);
    if (sw_check(w, false, &result, finding, &err) != CU_OK || result.findings > 0) fail_msg("%s%s", finding, err.text);
    assert_int_equal(has(w, GOOD), CU_OK);
    assert_int_not_equal(has(w, BAD), CU_OK);
    sw_free(w);
}

/* What the log names and no copy has is lost, and is said to be until it comes again. */
static void what_is_on_record_is_never_put_aside_as_nobodys(void **state)
{
    struct service_world *w = with_deposits();
    struct cu_check_result result;
    struct cu_err err = { 0 };
    char finding[600], pack[160];

    (void)state;
    for (unsigned i = 0; i < 2; i++) lose(w, some_file(w, CU_DIR_NODE_OBJECTS "/packs", ".pack", 0));
    for (unsigned i = 0; i < 2; i++) {
        snprintf(pack, sizeof pack, "%s", some_file(w, CU_DIR_CLOUD_OBJECTS "/packs", ".pack", i));
        flip(w, pack, 60);
    }
    for (int i = 0; i < 2; i++) {
        if (sw_check(w, true, &result, finding, &err) != CU_OK) fail_msg("%s", err.text);
        if (result.unrepaired == 0) fail_msg("of %s nothing is left, and nothing is said to be lost", pack);
        assert_true(cu_fs_exists(&w->memory, pack));
    }
    sw_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_replaced_is_kept_as_it_was),
        cmocka_unit_test(of_what_nobody_was_told_of_the_good_half_stays),
        cmocka_unit_test(what_is_on_record_is_never_put_aside_as_nobodys),
        cmocka_unit_test(a_repair_that_is_cut_short_is_finished_and_hides_nothing),
        cmocka_unit_test(a_repair_that_fails_anywhere_is_finished_and_hides_nothing),
    };
    return cmocka_run_group_tests(tests, sw_prepare, sw_release);
}
