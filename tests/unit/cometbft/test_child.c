/* The consensus engine's process, played by a script: files that it cannot open are set aside as long as they hold nothing. */
#include "engine/cometbft/child.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* What a half-made LevelDB has it say. */
static const char script[] = "#!/bin/sh\n"
                             "if [ -e data/half ]; then echo 'failed: leveldb: manifest corrupted'; exit 1; fi\n"
                             "echo it runs; exec sleep 60\n";

struct world {
    char home[64];
    bool begun;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned ended, runs, alarms, set_aside;
};

static void log_line(void *arg, const char *line)
{
    struct world *w = arg;

    pthread_mutex_lock(&w->lock);
    w->ended += strstr(line, "corrupted") != NULL;
    w->runs += strcmp(line, "it runs") == 0;
    w->set_aside += strstr(line, "set aside") != NULL;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static bool begun(void *arg) { return ((struct world *)arg)->begun; }

static void alarm_rings(void *arg, const struct cu_err *why)
{
    (void)why;
    ((struct world *)arg)->alarms++;
}

static void write_file(const struct world *w, const char *name, const char *text, mode_t mode)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", w->home, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static bool there(const struct world *w, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", w->home, name);
    return access(path, F_OK) == 0;
}

static struct cu_child *start(struct world *w, bool has_begun)
{
    struct cu_child *child = NULL;
    char path[128];

    *w = (struct world){ .home = "/tmp/custody-child-XXXXXX", .begun = has_begun };
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    assert_non_null(mkdtemp(w->home));
    snprintf(path, sizeof path, "%s/data", w->home);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(w, "data/half", "", 0600);
    write_file(w, "engine", script, 0700);
    snprintf(path, sizeof path, "%s/engine", w->home);
    const struct cu_child_config config = { path, w->home, log_line, begun, alarm_rings, w };
    assert_int_equal(cu_child_start(&config, &child, NULL), CU_OK);
    return child;
}

static void end(struct world *w, struct cu_child *child)
{
    char command[96];

    cu_child_stop(child);
    snprintf(command, sizeof command, "rm -r %s", w->home);
    assert_int_equal(system(command), 0);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
}

static void wait_for(struct world *w, const unsigned *what, unsigned n)
{
    pthread_mutex_lock(&w->lock);
    while (*what < n) pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

static void before_anything_was_decided_files_that_cannot_be_opened_are_set_aside(void **state)
{
    struct world w;
    struct cu_child *child = start(&w, false);

    (void)state;
    wait_for(&w, &w.runs, 1);
    assert_int_equal(w.ended, 3);
    assert_int_equal(w.set_aside, 1);
    assert_int_equal(w.alarms, 0);
    assert_true(there(&w, "data.unreadable/half") && there(&w, "data") && !there(&w, "data/half"));
    end(&w, child);
}

static void afterwards_they_stay_where_they_are(void **state)
{
    struct world w;
    struct cu_child *child = start(&w, true);

    (void)state;
    wait_for(&w, &w.ended, 4);
    assert_int_equal(w.runs + w.set_aside, 0);
    assert_true(there(&w, "data/half") && !there(&w, "data.unreadable"));
    end(&w, child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_anything_was_decided_files_that_cannot_be_opened_are_set_aside),
        cmocka_unit_test(afterwards_they_stay_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
