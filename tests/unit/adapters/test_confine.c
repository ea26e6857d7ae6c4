/* A confined process reaches its own folders and nothing else; each case is a child of its own, for there is no way back. */
#include "adapters/confine/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[400], own[450], shown[450], other[450];
static bool has_files;

static int child(int (*work)(void), const char *run)
{
    const char *const write[] = { own, NULL }, *const read[] = { shown, "/nowhere/at/all", NULL };
    const struct cu_confinement c = { .write = write, .read = read, .run = run };
    char how[120] = "";
    int status = 0;
    const pid_t pid = fork();

    if (pid == 0) _exit(cu_confine(&c, how, NULL) == CU_OK ? work() : 77);
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int reaches(const char *folder, int flags)
{
    char path[500];

    snprintf(path, sizeof path, "%s/file", folder);
    const int fd = open(path, flags, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0 ? 0 : errno;
}

static int own_is_written(void)
{
    char from[500], to[500];

    if (reaches(own, O_RDWR) || reaches(own, O_WRONLY | O_TRUNC)) return 1;
    snprintf(from, sizeof from, "%s/new", own);
    snprintf(to, sizeof to, "%s/sub/moved", own);
    const int fd = open(from, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || close(fd) != 0 || rename(from, to) != 0 || unlink(to) != 0) return 2;
    return 0;
}

static int shown_is_read_alone(void)
{
    if (reaches(shown, O_RDONLY)) return 1;
    return has_files && reaches(shown, O_WRONLY) != EACCES ? 2 : 0;
}

static int others_are_out_of_reach(void)
{
    char link[500];

    snprintf(link, sizeof link, "%s/link", own); /* leads to the other folder */
    if (!has_files) return 0;
    if (reaches(other, O_RDONLY) != EACCES || reaches(link, O_RDONLY) != EACCES) return 1;
    return open("/root", O_RDONLY | O_DIRECTORY) >= 0 || errno != EACCES ? 2 : 0;
}

static void *nothing(void *arg) { return arg; }

static int no_program_and_no_privilege(void)
{
    pthread_t thread;

    execl("/bin/true", "true", (char *)NULL);
    if (errno != EPERM) return 1;
    if (mount("none", own, "tmpfs", 0, "") == 0 || errno != EPERM) return 2;
    if (chroot(own) == 0 || errno != EPERM) return 3;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 4;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 5; /* threads begin as ever */
    return 0;
}

static int the_one_program(void)
{
    char program[500];

    snprintf(program, sizeof program, "%s/other", shown);
    execl(program, "other", (char *)NULL);
    if (has_files && errno != EACCES) return 1;
    snprintf(program, sizeof program, "%s/program", shown);
    execl(program, "program", (char *)NULL);
    return 2;
}

static void the_own_folder_is_written(void **state) { (void)state, assert_int_equal(child(own_is_written, NULL), 0); }
static void a_folder_to_read_is_read_alone(void **state) { (void)state, assert_int_equal(child(shown_is_read_alone, NULL), 0); }
static void what_lies_elsewhere_is_out_of_reach(void **state)
{
    (void)state, assert_int_equal(child(others_are_out_of_reach, NULL), 0);
}
static void no_program_is_started_and_no_privilege_gained(void **state)
{
    (void)state, assert_int_equal(child(no_program_and_no_privilege, NULL), 0);
}
static void one_program_may_be_started_if_it_is_named(void **state)
{
    char program[500];

    (void)state;
    snprintf(program, sizeof program, "%s/program", shown);
    assert_int_equal(child(the_one_program, program), 42);
}

static void put(const char *folder, const char *name)
{
    char path[500];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("x", f) >= 0 && fclose(f) == 0);
}

static int setup(void **state)
{
    char command[3000];

    (void)state;
    snprintf(root, sizeof root, "%s/confine-XXXXXX", TEST_BINARY_DIR);
    if (!mkdtemp(root)) return -1;
    snprintf(own, sizeof own, "%s/own", root);
    snprintf(shown, sizeof shown, "%s/shown", root);
    snprintf(other, sizeof other, "%s/elsewhere", root);
    snprintf(command, sizeof command,
             "mkdir -p %s/sub %s %s && ln -s %s %s/link && printf 'int main(void) { return 42; }' >%s/p.c && cc -static -o "
             "%s/program %s/p.c && cp %s/program %s/other",
             own, shown, other, other, own, other, shown, other, shown, shown);
    /* a program that needs no library, twice */
    if (system(command) != 0) return -1;
    put(own, "file");
    put(shown, "file");
    put(other, "file");
    has_files = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >
                0; /* where it is, it must work */
    return 0;
}

static int teardown(void **state)
{
    char command[500];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_own_folder_is_written),
        cmocka_unit_test(a_folder_to_read_is_read_alone),
        cmocka_unit_test(what_lies_elsewhere_is_out_of_reach),
        cmocka_unit_test(no_program_is_started_and_no_privilege_gained),
        cmocka_unit_test(one_program_may_be_started_if_it_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
