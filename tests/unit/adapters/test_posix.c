/* Files, evidence, clock and chance on a real file system, in a folder of the build. */
#include "adapters/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct cu_err error;
static char root[512];
static struct cu_fs fs;
#define OK(call)                                                                          \
    do {                                                                                  \
        cu_status ok_ = (call);                                                           \
        if (ok_ != CU_OK) fail_msg("%s: %s: %s", #call, cu_status_name(ok_), error.text); \
    } while (0)

static const char *under(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void put(const char *path, const char *text)
{
    struct cu_file *f = NULL;
    OK(fs.ops->open(fs.self, path, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE, &f, &error));
    OK(f->ops->write_at(f, 0, cu_span_str(text), &error));
    cu_file_close(&f);
}

static void what_is_written_is_read_back(void **state)
{
    struct cu_file *f = NULL;
    uint64_t size = 0;
    char back[64];
    size_t got = 0;
    (void)state;

    OK(fs.ops->open(fs.self, "a/b/c", CU_OPEN_WRITE | CU_OPEN_CREATE, &f, &error));
    OK(f->ops->write_at(f, 5, cu_span_str("world"), &error));
    OK(f->ops->write_at(f, 0, cu_span_str("hello"), &error));
    OK(f->ops->sync(f, &error));
    OK(f->ops->size(f, &size, &error));
    assert_int_equal(size, 10);
    OK(f->ops->read_at(f, 3, back, sizeof back, &got, &error));
    assert_int_equal(got, 7);
    assert_memory_equal(back, "loworld", 7);
    OK(f->ops->read_at(f, 10, back, sizeof back, &got, &error));
    assert_int_equal(got, 0);
    OK(f->ops->truncate(f, 4, &error));
    OK(f->ops->size(f, &size, &error));
    assert_int_equal(size, 4);
    cu_file_close(&f);
    OK(fs.ops->sync_dir(fs.self, "a/b", &error));
    OK(fs.ops->sync_all(fs.self, &error));
}

static void every_refusal_names_operation_and_path(void **state)
{
    struct cu_file_stat st;
    struct cu_file *f = NULL;
    (void)state;

    assert_int_equal(fs.ops->open(fs.self, "no/such", CU_OPEN_READ, &f, &error), CU_NOT_FOUND);
    assert_string_equal(error.text, "cannot open no/such: No such file or directory");
    assert_int_equal(fs.ops->stat(fs.self, "nothing", &st, &error), CU_NOT_FOUND);
    assert_int_equal(fs.ops->rename(fs.self, "nothing", "x/y", &error), CU_NOT_FOUND);
    assert_int_equal(fs.ops->sync_dir(fs.self, "nothing", &error), CU_NOT_FOUND);
    put("plain", "x");
    assert_int_equal(fs.ops->open(fs.self, "plain/below", CU_OPEN_WRITE | CU_OPEN_CREATE, &f, &error), CU_NOT_FOUND);
    assert_int_equal(fs.ops->make_dir(fs.self, "plain", &error), CU_IO);
    assert_int_equal(fs.ops->open(fs.self, "plain", CU_OPEN_READ, &f, &error), CU_OK);
    assert_int_not_equal(f->ops->write_at(f, 0, cu_span_str("y"), &error), CU_OK);
    cu_file_close(&f);
    assert_int_equal(cu_posix_fail(&error, ENOSPC, "write", "x"), CU_NO_SPACE);
    assert_int_equal(cu_posix_fail(&error, EDQUOT, "write", "x"), CU_NO_SPACE);
    assert_int_equal(cu_posix_fail(&error, EROFS, "write", "x"), CU_READ_ONLY);
    assert_int_equal(cu_posix_fail(&error, EACCES, "write", "x"), CU_NOT_ALLOWED);
    assert_int_equal(cu_posix_fail(&error, EIO, "write", "x"), CU_IO);
}

static void a_path_never_leaves_its_root(void **state)
{
    const char *bad[] = { "", "/etc/passwd", "..", "../x", "a/../../x", "a/.." };
    struct cu_file_stat st;
    struct cu_file *f = NULL;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(fs.ops->open(fs.self, bad[i], CU_OPEN_READ, &f, &error), CU_USAGE);
        assert_int_equal(fs.ops->stat(fs.self, bad[i], &st, &error), CU_USAGE);
        assert_int_equal(fs.ops->make_dir(fs.self, bad[i], &error), CU_USAGE);
        assert_int_equal(fs.ops->rename(fs.self, "plain", bad[i], &error), CU_USAGE);
    }
    OK(fs.ops->make_dir(fs.self, "..a", &error)); /* a name, not a climb */
}

static void a_link_or_a_fifo_in_place_of_a_file_is_refused_at_once(void **state)
{
    struct cu_file_stat st;
    struct cu_file *f = NULL;
    (void)state;

    assert_int_equal(symlink("/etc/passwd", under("link")), 0);
    assert_int_equal(mkfifo(under("fifo"), 0600), 0);
    assert_int_equal(fs.ops->open(fs.self, "link", CU_OPEN_READ, &f, &error), CU_CORRUPT);
    assert_int_equal(fs.ops->open(fs.self, "fifo", CU_OPEN_READ, &f, &error), CU_CORRUPT);
    OK(fs.ops->stat(fs.self, "link", &st, &error));
    assert_int_equal(st.kind, CU_FILE_OTHER);
}

static void a_rename_makes_the_folders_of_its_target_and_replaces(void **state)
{
    CU_BUF back = cu_buf_heap(100);
    (void)state;

    put("incoming/x", "one");
    OK(fs.ops->rename(fs.self, "incoming/x", "deep/er/x", &error));
    put("incoming/x", "two");
    OK(fs.ops->rename(fs.self, "incoming/x", "deep/er/x", &error));
    OK(cu_fs_read(&fs, "deep/er/x", 100, &back, &error));
    assert_true(cu_span_is(cu_buf_span(&back), "two"));
    assert_false(cu_fs_exists(&fs, "incoming/x"));
    assert_int_equal(cu_fs_read(&fs, "deep/er/x", 2, &back, &error), CU_TOO_LARGE);
}

static void a_private_file_is_for_its_owner_even_if_it_was_not(void **state)
{
    struct stat st;
    (void)state;

    OK(cu_fs_replace_as(&fs, "keys/a", "keys/incoming", cu_span_str("secret"), CU_OPEN_PRIVATE, true, &error));
    assert_int_equal(stat(under("keys/a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    put("keys/incoming", "open");
    OK(cu_fs_replace_as(&fs, "keys/b", "keys/incoming", cu_span_str("secret"), CU_OPEN_PRIVATE, true, &error));
    assert_int_equal(stat(under("keys/b"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void direct_transfers_work_or_fall_back(void **state)
{
    struct cu_file *f = NULL;
    uint8_t *block = aligned_alloc(4096, 8192);
    size_t got = 0;
    (void)state;

    memset(block, 7, 8192);
    OK(fs.ops->open(fs.self, "direct", CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_DIRECT, &f, &error));
    OK(f->ops->write_at(f, 0, cu_span(block, 8192), &error));
    memset(block, 0, 8192);
    OK(f->ops->read_at(f, 4096, block, 4096, &got, &error));
    assert_int_equal(got, 4096);
    assert_int_equal(block[4095], 7);
    cu_file_close(&f);
    free(block);
}

struct collected {
    char text[256];
};
static cu_status collect(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct collected *c = arg;
    (void)err;
    snprintf(c->text + strlen(c->text), sizeof c->text - strlen(c->text), "%s%c", name, kind == CU_FILE_FOLDER ? '/' : ' ');
    return strcmp(name, "stop") == 0 ? CU_CHANGED : CU_OK;
}

static void names_come_in_bytewise_order_and_a_failure_ends_the_walk(void **state)
{
    struct collected c = { "" };
    (void)state;

    put("list/b", "");
    put("list/B", "");
    put("list/a.x", "");
    OK(fs.ops->make_dir(fs.self, "list/a", &error));
    OK(fs.ops->list(fs.self, "list", collect, &c, &error));
    assert_string_equal(c.text, "B a/a.x b ");
    put("list/stop", "");
    put("list/z", "");
    c.text[0] = 0;
    assert_int_equal(fs.ops->list(fs.self, "list", collect, &c, &error), CU_CHANGED);
    assert_string_equal(c.text, "B a/a.x b stop ");
    assert_int_equal(fs.ops->list(fs.self, "nothing", collect, &c, &error), CU_NOT_FOUND);
}

static void a_full_disk_says_so(void **state)
{
    static uint8_t much[1 << 16];
    struct rlimit old, small = { 4096, 4096 };
    struct cu_file *f = NULL;
    (void)state;

    OK(fs.ops->open(fs.self, "full", CU_OPEN_WRITE | CU_OPEN_CREATE, &f, &error));
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small); /* the first write is short, the rest is refused */
    cu_status status = f->ops->write_at(f, 0, CU_SPAN_OF(much), &error);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, CU_IO);
    assert_non_null(strstr(error.text, "cannot write full"));
    cu_file_close(&f);
}

/* ---- the lock ---- */

static void the_lock_is_one_writers_and_dies_with_it(void **state)
{
    void *lock = NULL, *second = NULL;
    int from_child[2];
    char byte = 0;
    (void)state;

    OK(fs.ops->lock(fs.self, "node/lock", 0, &lock, &error));
    assert_int_equal(fs.ops->lock(fs.self, "node/lock", 0, &second, &error), CU_BUSY);
    fs.ops->unlock(fs.self, lock);
    fs.ops->unlock(fs.self, NULL);

    assert_int_equal(pipe(from_child), 0);
    pid_t child = fork();
    if (child == 0) {
        cu_status status = fs.ops->lock(fs.self, "node/lock", 0, &lock, &error);
        if (status != CU_OK || write(from_child[1], "x", 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(from_child[0], &byte, 1), 1);
    assert_int_equal(fs.ops->lock(fs.self, "node/lock", 0, &second, &error), CU_BUSY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    OK(fs.ops->lock(fs.self, "node/lock", 0, &lock, &error));
    fs.ops->unlock(fs.self, lock);
    close(from_child[0]);
    close(from_child[1]);
}

static void who_waits_for_the_lock_has_it_when_it_is_let_go(void **state)
{
    void *lock, *second;
    int from_child[2];
    char byte;
    (void)state;

    assert_int_equal(pipe(from_child), 0);
    pid_t child = fork();
    if (child == 0) {
        if (fs.ops->lock(fs.self, "node/lock", 0, &lock, NULL) != CU_OK || write(from_child[1], "x", 1) != 1) _exit(1);
        usleep(30000);
        _exit(0);
    }
    assert_int_equal(read(from_child[0], &byte, 1), 1);
    OK(fs.ops->lock(fs.self, "node/lock", 20000, &second, &error));
    assert_int_equal(fs.ops->lock(fs.self, "node/lock", 20, &lock, &error), CU_BUSY);
    fs.ops->unlock(fs.self, second);
    waitpid(child, NULL, 0);
    close(from_child[0]);
    close(from_child[1]);
}

static void of_many_processes_racing_one_gets_the_lock(void **state)
{
    int go[2], result[2];
    char answers[8];
    pid_t child[8];
    (void)state;

    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(result), 0);
    for (int i = 0; i < 8; i++) {
        child[i] = fork();
        if (child[i] != 0) continue;
        char byte;
        void *lock;
        close(go[1]);
        if (read(go[0], &byte, 1) != 0) _exit(1); /* all of them start when the pipe is closed */
        byte = fs.ops->lock(fs.self, "race/lock", 0, &lock, NULL) == CU_OK ? '1' : '0';
        if (write(result[1], &byte, 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    close(go[0]);
    close(go[1]);
    int winners = 0;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(read(result[0], &answers[i], 1), 1);
        winners += answers[i] == '1';
    }
    assert_int_equal(winners, 1);
    for (int i = 0; i < 8; i++) kill(child[i], SIGKILL), waitpid(child[i], NULL, 0);
    close(result[0]);
    close(result[1]);
}

/* ---- evidence ---- */

static struct cu_source_file *open_source(const char *path)
{
    struct cu_source source = cu_posix_source();
    struct cu_source_file *f = NULL;
    OK(source.ops->open(source.self, path, &f, &error));
    return f;
}

static void evidence_is_read_to_its_end(void **state)
{
    struct cu_source_stat st;
    char back[16];
    size_t got = 0;
    (void)state;

    put("evidence", "0123456789");
    struct cu_source_file *f = open_source(under("evidence"));
    OK(f->ops->stat(f, &st, &error));
    assert_int_equal(st.kind, CU_SOURCE_FILE);
    assert_int_equal(st.size, 10);
    OK(f->ops->read(f, back, 4, &got, &error));
    assert_int_equal(got, 4);
    OK(f->ops->read(f, back, 16, &got, &error));
    assert_int_equal(got, 6);
    OK(f->ops->read(f, back, 16, &got, &error));
    assert_int_equal(got, 0);
    f->ops->close(f);
}

static void a_fifo_never_makes_us_wait(void **state)
{
    struct cu_source source = cu_posix_source();
    struct cu_source_stat st;
    char byte;
    size_t got;
    (void)state;

    assert_int_equal(mkfifo(under("pipe"), 0600), 0);
    struct cu_source_file *f = open_source(under("pipe"));
    OK(f->ops->stat(f, &st, &error));
    assert_int_equal(st.kind, CU_SOURCE_OTHER);
    assert_int_equal(f->ops->read(f, &byte, 1, &got, &error), CU_IO);
    f->ops->close(f);
    OK(source.ops->stat(source.self, under("pipe"), false, &st, &error));
    assert_int_equal(st.kind, CU_SOURCE_OTHER);
}

static void standard_input_is_a_stream_put_together_from_its_pieces(void **state)
{
    struct cu_source_stat st;
    int in[2], old = dup(STDIN_FILENO);
    char back[16];
    size_t got = 0;
    (void)state;

    assert_int_equal(pipe(in), 0);
    assert_int_equal(fcntl(in[0], F_SETFL, O_NONBLOCK), 0);
    dup2(in[0], STDIN_FILENO);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 10; i++) usleep(2000), got = (size_t)write(in[1], "x", 1);
        _exit(0);
    }
    close(in[0]);
    close(in[1]);
    struct cu_source_file *f = open_source("-");
    OK(f->ops->stat(f, &st, &error));
    assert_int_equal(st.kind, CU_SOURCE_STREAM);
    OK(f->ops->read(f, back, sizeof back, &got, &error));
    assert_int_equal(got, 10);
    f->ops->close(f);
    waitpid(child, NULL, 0);
    dup2(old, STDIN_FILENO);
    close(old);
}

static void links_are_told_apart_and_read(void **state)
{
    struct cu_source source = cu_posix_source();
    struct cu_source_stat st;
    CU_BUF target = cu_buf_heap(4096);
    (void)state;

    put("target", "x");
    assert_int_equal(symlink("target", under("to-target")), 0);
    OK(source.ops->stat(source.self, under("to-target"), false, &st, &error));
    assert_int_equal(st.kind, CU_SOURCE_SYMLINK);
    OK(source.ops->stat(source.self, under("to-target"), true, &st, &error));
    assert_int_equal(st.kind, CU_SOURCE_FILE);
    OK(source.ops->read_link(source.self, under("to-target"), &target, &error));
    assert_true(cu_span_is(cu_buf_span(&target), "target"));
    OK(source.ops->stat(source.self, root, true, &st, &error));
    assert_int_equal(st.kind, CU_SOURCE_FOLDER);
    assert_int_equal(source.ops->stat(source.self, under("nothing"), true, &st, &error), CU_NOT_FOUND);
}

/* ---- world ---- */

static void clock_and_chance_are_there(void **state)
{
    uint8_t a[64] = { 0 }, b[64] = { 0 };
    (void)state;

    assert_true(cu_posix_clock().now(NULL).v > 1700000000000u);
    OK(cu_posix_random().fill(NULL, a, sizeof a, &error));
    OK(cu_posix_random().fill(NULL, b, sizeof b, &error));
    assert_memory_not_equal(a, b, sizeof a);
}

static void a_root_is_made_with_what_is_above_it(void **state)
{
    struct cu_fs below;
    char path[600];
    (void)state;

    snprintf(path, sizeof path, "%s/x/y/z", root);
    assert_int_equal(cu_posix_fs(path, &below, &error), CU_NOT_FOUND);
    OK(cu_posix_make_root(path, &error));
    OK(cu_posix_make_root(path, &error));
    OK(cu_posix_fs(path, &below, &error));
    assert_true(below.ops->writable(below.self));
    below.ops->close(below.self);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s/posix-XXXXXX", TEST_BINARY_DIR);
    return mkdtemp(root) == NULL || cu_posix_fs(root, &fs, &error) != CU_OK;
}

static int tear_down(void **state)
{
    char command[600];
    (void)state;
    fs.ops->close(fs.self);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(every_refusal_names_operation_and_path),
        cmocka_unit_test(a_path_never_leaves_its_root),
        cmocka_unit_test(a_link_or_a_fifo_in_place_of_a_file_is_refused_at_once),
        cmocka_unit_test(a_rename_makes_the_folders_of_its_target_and_replaces),
        cmocka_unit_test(a_private_file_is_for_its_owner_even_if_it_was_not),
        cmocka_unit_test(direct_transfers_work_or_fall_back),
        cmocka_unit_test(names_come_in_bytewise_order_and_a_failure_ends_the_walk),
        cmocka_unit_test(a_full_disk_says_so),
        cmocka_unit_test(the_lock_is_one_writers_and_dies_with_it),
        cmocka_unit_test(who_waits_for_the_lock_has_it_when_it_is_let_go),
        cmocka_unit_test(of_many_processes_racing_one_gets_the_lock),
        cmocka_unit_test(evidence_is_read_to_its_end),
        cmocka_unit_test(a_fifo_never_makes_us_wait),
        cmocka_unit_test(standard_input_is_a_stream_put_together_from_its_pieces),
        cmocka_unit_test(links_are_told_apart_and_read),
        cmocka_unit_test(clock_and_chance_are_there),
        cmocka_unit_test(a_root_is_made_with_what_is_above_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
