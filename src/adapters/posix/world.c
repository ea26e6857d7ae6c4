/* The system's clock and the kernel's randomness. */
#include "posix.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static cu_unix_ms now(void *self)
{
    struct timespec t;
    (void)self;

    CU_ASSERT(clock_gettime(CLOCK_REALTIME, &t) == 0);
    return (cu_unix_ms){ t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 };
}

static cu_status fill(void *self, uint8_t *ret, size_t n, struct cu_err *err)
{
    (void)self;

    for (size_t got = 0; got < n;) {
        ssize_t r = getrandom(ret + got, n - got, 0);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) return cu_posix_fail(err, r < 0 ? errno : EIO, "read", "the kernel's randomness");
        got += (size_t)r;
    }
    return CU_OK;
}

struct cu_clock cu_posix_clock(void) { return (struct cu_clock){ NULL, now }; }
struct cu_random cu_posix_random(void) { return (struct cu_random){ NULL, fill }; }
