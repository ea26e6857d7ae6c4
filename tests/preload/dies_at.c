/* Loaded before a program (LD_PRELOAD): it ends without a warning before its n-th effect on a disk, counted over all its threads, as after kill -9.
 *
 * The effects are those of src/adapters/faulty: writes, syncs, truncations, renames, new folders, opens that create or truncate; as the kernel is
 * asked for them, the search index' own among them. DIES_AT=n: the one that it does not live to see (0: it lives). DIES_COUNT=FILE: there the
 * number of those so far is kept, 8 bytes of this machine's.
 */
#undef _FILE_OFFSET_BITS /* each name is its own here */
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic unsigned long long own, *count = &own;
static unsigned long long last;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("DIES_AT"), *file = getenv("DIES_COUNT");

    unsetenv("LD_PRELOAD"); /* of this process alone */
    const int fd = file ? open(file, O_RDWR | O_CREAT, 0600) : -1;
    void *shared = fd >= 0 && ftruncate(fd, sizeof own) == 0 ? mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                                                             : MAP_FAILED;
    if (fd >= 0) close(fd);
    if (shared != MAP_FAILED) count = shared;
    atomic_store(count, 0);
    last = at ? strtoull(at, NULL, 10) : 0;
}

static void effect(void)
{
    if (atomic_fetch_add(count, 1) + 1 != last) return;
    kill(getpid(), SIGKILL);
    _exit(137); /* where it may not even do that */
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define EFFECT(type, name, declared, given) \
    type name declared;                     \
    type name declared                      \
    {                                       \
        effect();                           \
        return REAL(name) given;            \
    }
#define OPEN(name, declared, ...)                                       \
    int name declared;                                                  \
    int name declared                                                   \
    {                                                                   \
        va_list more;                                                   \
        va_start(more, flags);                                          \
        const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                   \
        if (flags & (O_CREAT | O_TRUNC)) effect();                      \
        return REAL(name)(__VA_ARGS__, flags, mode);                    \
    }

EFFECT(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
EFFECT(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at))
EFFECT(int, fsync, (int fd), (fd))
EFFECT(int, fdatasync, (int fd), (fd))
EFFECT(int, syncfs, (int fd), (fd))
EFFECT(int, ftruncate, (int fd, off_t size), (fd, size))
EFFECT(int, ftruncate64, (int fd, off64_t size), (fd, size))
EFFECT(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
EFFECT(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
OPEN(openat, (int dir, const char *path, int flags, ...), dir, path)
OPEN(openat64, (int dir, const char *path, int flags, ...), dir, path)
OPEN(open, (const char *path, int flags, ...), path)
OPEN(open64, (const char *path, int flags, ...), path)
