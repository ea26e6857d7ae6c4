/* A store in a bucket, stopped after every effect and failed at every call, the bucket's among them: what a folder promises it promises,
 * and what somebody did to the bucket is named by an incident, whatever happens to the repair. */
#include "service_world.h"

#include "custody/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static cu_status deposit(struct service_world *w, const char *path, struct cu_err *err)
{
    TRY(sw_open(w, SW_WRITE, err));
    TRY(sw_deposit(w, &path, 1, false, err));
    return sw_close(w, err);
}

static cu_status small(struct service_world *w, struct cu_err *err) { return deposit(w, SW_SMALL, err); }
static cu_status packed(struct service_world *w, struct cu_err *err) { return deposit(w, SW_PACKED, err); }
static cu_status large(struct service_world *w, struct cu_err *err) { return deposit(w, SW_LARGE, err); }
static cu_status folder(struct service_world *w, struct cu_err *err) { return deposit(w, SW_FOLDER, err); }

/* ---- what somebody with the account's keys does ---- */

static struct sw_version *some_pack(struct service_world *w, unsigned skip)
{
    for (size_t i = 0; i < w->bucket->n; i++)
        if (strncmp(w->bucket->version[i].key, "packs/", 6) == 0 && skip-- == 0) return &w->bucket->version[i];
    fail_msg("there are not so many packs");
    return NULL;
}

static void damaged(struct service_world *w, const char *key, unsigned version, const char *more)
{
    char *damage = w->damage[w->damages_n++];

    if (version) snprintf(damage, sizeof w->damage[0], CU_DIR_CLOUD_OBJECTS "/%.90s@v%u%s", key, version, more);
    else snprintf(damage, sizeof w->damage[0], CU_DIR_CLOUD_OBJECTS "/%.90s", key);
}

static void put_on_top(struct service_world *w, const char *key, const char *text, bool marker)
{
    char name[CU_BUCKET_KEY_MAX];

    snprintf(name, sizeof name, "%s", key);
    damaged(w, key, sw_bucket_put(w->bucket, name, cu_span_str(text), marker)->number, marker ? ".deleted" : "");
}

static cu_status meddle(struct service_world *w, struct cu_err *err)
{
    (void)err;
    put_on_top(w, some_pack(w, 0)->key, "forged", false);
    put_on_top(w, some_pack(w, 0)->key, "", true);
    put_on_top(w, "stray", "what is this", false);
    struct sw_version *lost = some_pack(w, 1), *flipped = some_pack(w, 2);
    lost->gone = true;
    damaged(w, lost->key, 0, "");
    flipped->bytes.p[flipped->bytes.n / 2] ^= 1;
    damaged(w, flipped->key, 0, "");
    return CU_OK;
}

/* What an init that did not end left there is nobody's ledger: the next one begins again, in the same bucket. */
static const char *judge_init(struct service_world *w)
{
    struct cu_err err = { 0 };
    static char text[sizeof err.text];

    sw_restart(w);
    if (cu_fs_exists(&w->memory, CU_FILE_FORMAT)) return sw_judge(w);
    w->points_n = 0; /* nobody was told of the attempt */
    if (sw_create(w, &err) == CU_OK) return sw_judge(w);
    snprintf(text, sizeof text, "init again: %s", err.text);
    return text;
}

static const struct sw_story stories[] = {
    { .name = "init", .from_nothing = true, .act = sw_create, .judge = judge_init, .stride = 6, .call_stride = 13 },
    { .name = "small", .act = small, .deposits = 1, .stride = 3, .call_stride = 5 },
    { .name = "packed", .act = packed, .deposits = 1, .stride = 9, .call_stride = 17 },
    { .name = "large", .act = large, .deposits = 1, .stride = 9, .call_stride = 17 },
    { .name = "folder", .act = folder, .deposits = 1, .stride = 9, .call_stride = 17 },
    { .name = "meddled", .prepare = meddle, .act = sw_repair, .judge = sw_judge_repair, .stride = 5, .call_stride = 17 },
};
#define STORIES (sizeof stories / sizeof *stories)

static void whatever_loses_power_keeps_what_was_acknowledged(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) sw_stop_everywhere(&stories[i]);
}

static void losing_power_twice_while_that_is_recovered_loses_nothing_either(void **state)
{
    (void)state;
    sw_stop_recovery_everywhere(&stories[2], 9);
}

static void any_call_that_fails_is_told_and_loses_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) sw_fail_everywhere(&stories[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_loses_power_keeps_what_was_acknowledged),
        cmocka_unit_test(losing_power_twice_while_that_is_recovered_loses_nothing_either),
        cmocka_unit_test(any_call_that_fails_is_told_and_loses_nothing),
    };
    sw_in_bucket = true;
    return cmocka_run_group_tests(tests, sw_prepare, sw_release);
}
