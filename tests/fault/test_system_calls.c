/* The real file system, with system calls that are interrupted, that read and write less than was asked for, and syncs that fail: the
 * former nobody notices, the latter is told, and nothing is lost.
 *
 * wraps: pread64 pwrite64 openat64 ftruncate64 fdatasync fsync syncfs
 */
#include "service_source.h"
#include "service_world.h"

#include "adapters/posix/posix.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the calls ---- */

static struct {
    _Atomic bool nervous;                    /* every third call is interrupted, every other one does half */
    _Atomic unsigned long long calls, cut;   /* cut: interrupted or halved */
    _Atomic unsigned long long syncs, fails; /* the sync that fails; 0: none */
} kernel;                                    /* any thread calls it */

static bool interrupted(void)
{
    if (!kernel.nervous || ++kernel.calls % 3) return false;
    kernel.cut++;
    errno = EINTR;
    return true;
}

/* Multiples of a page stay such: past the page cache nothing else is allowed. */
static size_t some_of(size_t n)
{
    if (!kernel.nervous || kernel.calls % 2 || n < 2 || (n >= 4096 && n < 8192)) return n;
    kernel.cut++;
    return n < 4096 ? n / 2 : n / 2 / 4096 * 4096;
}

static bool fails(void)
{
    if (++kernel.syncs != kernel.fails) return false;
    errno = EIO;
    return true;
}

ssize_t __real_pread64(int fd, void *p, size_t n, off_t at);
ssize_t __real_pwrite64(int fd, const void *p, size_t n, off_t at);
int __real_openat64(int dir, const char *path, int flags, mode_t mode);
int __real_ftruncate64(int fd, off_t size);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_syncfs(int fd);
ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, off_t at);
int __wrap_openat64(int dir, const char *path, int flags, mode_t mode);
int __wrap_ftruncate64(int fd, off_t size);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_syncfs(int fd);

ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t at) { return interrupted() ? -1 : __real_pread64(fd, p, some_of(n), at); }
ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return interrupted() ? -1 : __real_pwrite64(fd, p, some_of(n), at);
}
int __wrap_openat64(int dir, const char *path, int flags, mode_t mode)
{
    return interrupted() ? -1 : __real_openat64(dir, path, flags, mode);
}
int __wrap_ftruncate64(int fd, off_t size) { return interrupted() ? -1 : __real_ftruncate64(fd, size); }
int __wrap_fdatasync(int fd) { return fails() ? -1 : __real_fdatasync(fd); }
int __wrap_fsync(int fd) { return fails() ? -1 : __real_fsync(fd); }
int __wrap_syncfs(int fd) { return fails() ? -1 : __real_syncfs(fd); }

/* ---- a ledger on a disk ---- */

static struct service_world *begin(void)
{
    char root[] = "/dev/shm/custody-calls-XXXXXX", elsewhere[] = "/tmp/custody-calls-XXXXXX";
    const char *made = mkdtemp(root);
    struct cu_fs fs;

    if (!made) made = mkdtemp(elsewhere);
    assert_non_null(made);
    setenv("CALLS_ROOT", made, 1);
    assert_int_equal(cu_posix_fs(made, &fs, NULL), CU_OK);
    struct service_world *w = sw_over(fs);
    w->faulty.lost = NULL;
    w->faulty.lost_all = NULL;
    assert_int_equal(sw_create(w, NULL), CU_OK);
    return w;
}

static void end(struct service_world *w)
{
    sw_free(w);
    assert_int_equal(system("rm -rf \"$CALLS_ROOT\""), 0);
}

static cu_status deposit(struct service_world *w, const char *const *paths, size_t n, struct cu_err *err)
{
    TRY(sw_open(w, SW_WRITE, err));
    w->deposits_max += n;
    TRY(sw_deposit(w, paths, n, false, err));
    return sw_close(w, err);
}

static void who_is_interrupted_goes_on(void **state)
{
    static const char *const paths[] = { SW_SMALL, SW_PACKED, SW_LARGE, SW_FOLDER };
    struct service_world *w = begin();
    struct cu_err err = { 0 };

    (void)state;
    kernel.nervous = true;
    const cu_status status = deposit(w, paths, 4, &err);
    const char *wrong = status == CU_OK ? sw_judge(w) : NULL;
    kernel.nervous = false;
    if (status != CU_OK) fail_msg("interrupted, it gives up: %s", err.text);
    if (wrong) fail_msg("%s", wrong);
    assert_true(kernel.cut > 300);
    wrong = sw_judge(w);
    if (wrong) fail_msg("without interruption: %s", wrong);
    print_message("%llu calls, %llu of them interrupted or cut short\n", kernel.calls, kernel.cut);
    end(w);
}

static void a_sync_that_fails_is_told_and_loses_nothing(void **state)
{
    struct service_world *w = begin();
    unsigned long long n, told = 0;
    bool came = true;

    (void)state;
    for (n = 1; came && n < 200; n++) {
        const char *paths[] = { n % 2 ? SW_PACKED : SW_SMALL };
        struct cu_err err = { 0 };
        kernel.syncs = 0;
        kernel.fails = n;
        const cu_status status = deposit(w, paths, 1, &err);
        came = kernel.syncs >= n;
        kernel.fails = 0;
        sw_restart(w); /* an engine whose file is not trusted any more lets go of it, and says so again */
        if (status != CU_OK && !err.text[0]) fail_msg("sync %llu: %s without a word", n, cu_status_name(status));
        told += status != CU_OK;
        const char *wrong = sw_judge(w);
        if (wrong) fail_msg("after sync %llu failed (%s): %s", n, err.text, wrong);
    }
    print_message("%llu syncs, %llu of them told\n", n - 2, told);
    assert_true(told + 6 > n); /* only those on the way out may pass unseen */
    end(w);
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
        cmocka_unit_test(who_is_interrupted_goes_on),
        cmocka_unit_test(a_sync_that_fails_is_told_and_loses_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
