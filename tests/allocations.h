/* The n-th allocation fails: for a test that wraps malloc, calloc, realloc and vasprintf. What a disk in memory allocates is not counted. */
#ifndef CU_TESTS_ALLOCATIONS_H
#define CU_TESTS_ALLOCATIONS_H

#include "adapters/memory/memory.h"

#include <stdarg.h>
#include <stdlib.h>

int __real_vasprintf(char **ret, const char *fmt, va_list args);
int __wrap_vasprintf(char **ret, const char *fmt, va_list args);
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);
void *__wrap_realloc(void *p, size_t n);

static struct {
    const struct cu_fs *disk, *other; /* `disk` NULL: nothing is counted; `other` NULL: there is no second one */
    unsigned long long n, fails;
} allocation;

static bool fails(void)
{
    return allocation.disk && !cu_memory_at_work(allocation.disk) && !(allocation.other && cu_memory_at_work(allocation.other)) &&
           ++allocation.n == allocation.fails;
}

void *__wrap_malloc(size_t n) { return fails() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t each) { return fails() ? NULL : __real_calloc(n, each); }
int __wrap_vasprintf(char **ret, const char *fmt, va_list args) { return fails() ? -1 : __real_vasprintf(ret, fmt, args); }
void *__wrap_realloc(void *p, size_t n) { return fails() ? NULL : __real_realloc(p, n); }

#endif
