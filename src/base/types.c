/* Spans compared, secrets wiped. */
#include "custody/types.h"

/* memcmp with a NULL pointer is undefined even for no bytes, and empty spans have one. */
static int compare(const uint8_t *a, const uint8_t *b, size_t n) { return n == 0 ? 0 : memcmp(a, b, n); }

bool cu_span_eq(struct cu_span a, struct cu_span b) { return a.n == b.n && compare(a.p, b.p, a.n) == 0; }

int cu_span_cmp(struct cu_span a, struct cu_span b)
{
    int order = compare(a.p, b.p, a.n < b.n ? a.n : b.n);
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

bool cu_span_starts(struct cu_span s, struct cu_span prefix) { return s.n >= prefix.n && compare(s.p, prefix.p, prefix.n) == 0; }

bool cu_span_is(struct cu_span s, const char *text) { return cu_span_eq(s, cu_span_str(text)); }

bool cu_span_take(struct cu_span *rest, const char *prefix)
{
    size_t n = strlen(prefix);
    if (!cu_span_starts(*rest, cu_span(prefix, n))) return false;
    *rest = cu_span(rest->p + n, rest->n - n);
    return true;
}

void cu_wipe(void *p, size_t n)
{
    if (n == 0) return;
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory"); /* the compiler must believe that somebody looks */
}
