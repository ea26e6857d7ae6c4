/* Loaded before a program (LD_PRELOAD): its clock is CLOCK_OFF seconds ahead of everybody else's, or behind. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static long off(void)
{
    const char *text = getenv("CLOCK_OFF");

    return text ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    static int (*real)(clockid_t, struct timespec *);
    static long by;

    if (!real) by = off(), real = (__typeof__(real))dlsym(RTLD_NEXT, "clock_gettime");
    const int got = real(clock, ret);
    if (got == 0 && clock == CLOCK_REALTIME) ret->tv_sec += by;
    return got;
}

time_t time(time_t *ret)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (ret) *ret = now.tv_sec;
    return now.tv_sec;
}
