/* Buffers that were told their maximum.
 *
 * (1) n <= cap <= max, always.
 * (2) Once `full` or `no_memory` is set nothing is appended any more, so a truncated message is never mistaken for a whole one.
 * (3) Memory of the caller (`cu_buf_over`) is never reallocated or freed.
 */
#include "custody/types.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAP 256u
#define FORMATTED_MAX 4096u

struct cu_buf cu_buf_heap(size_t max) { return (struct cu_buf){ .max = max, .on_heap = true }; }

struct cu_buf cu_buf_pages(size_t max)
{
    struct cu_buf ret = cu_buf_heap(max);

    ret.p = aligned_alloc(4096, (max + 4095) / 4096 * 4096);
    if (ret.p) ret.cap = max; /* else it grows as another does, or says that there is no memory */
    return ret;
}

struct cu_buf cu_buf_over(void *mem, size_t n) { return (struct cu_buf){ .p = mem, .cap = n, .max = n }; }

void cu_buf_free(struct cu_buf *buf)
{
    if (!buf) return;
    if (buf->on_heap) free(buf->p);
    *buf = (struct cu_buf){ 0 };
}

void cu_buf_clear(struct cu_buf *buf)
{
    buf->n = 0;
    buf->full = buf->no_memory = false;
}

/* Room for `need` bytes in all, need <= max: double until it suffices, but never beyond the maximum. */
static bool reserve(struct cu_buf *buf, size_t need)
{
    size_t cap = buf->cap > 0 ? buf->cap : FIRST_CAP;
    while (cap < need && cap <= buf->max / 2) cap *= 2;
    if (cap < need || cap > buf->max) cap = buf->max;

    uint8_t *p = realloc(buf->p, cap + (cap == 0)); /* of no bytes, it could be NULL */
    if (!p) return false;
    buf->p = p;
    buf->cap = cap;
    return true;
}

/* Is there room for `n` bytes more, made if need be? By (2), never again after the first time that there was none. */
static bool make_room(struct cu_buf *buf, size_t n)
{
    if (buf->full || buf->no_memory) return false;
    buf->full = n > buf->max - buf->n;
    if (!buf->full && buf->on_heap) buf->no_memory = !reserve(buf, buf->n + n);
    return !buf->full && !buf->no_memory;
}

uint8_t *cu_buf_grow(struct cu_buf *buf, size_t n)
{
    bool ready = buf->p && n <= buf->cap - buf->n && !buf->full && !buf->no_memory;
    if (!ready && !make_room(buf, n)) return NULL;
    uint8_t *at = buf->p + buf->n;
    buf->n += n;
    return at;
}

void cu_buf_add(struct cu_buf *buf, struct cu_span bytes)
{
    if (bytes.n == 0) return;
    uint8_t *at = cu_buf_grow(buf, bytes.n);
    if (at) memcpy(at, bytes.p, bytes.n);
}

void cu_buf_add_byte(struct cu_buf *buf, uint8_t byte)
{
    uint8_t *at = cu_buf_grow(buf, 1);
    if (at) *at = byte;
}

void cu_buf_add_str(struct cu_buf *buf, const char *text) { cu_buf_add(buf, cu_span_str(text)); }

void cu_buf_addf(struct cu_buf *buf, const char *fmt, ...)
{
    char text[FORMATTED_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text) buf->full = true;
    else cu_buf_add(buf, cu_span(text, (size_t)n));
}

cu_status cu_buf_ok(const struct cu_buf *buf, struct cu_err *err)
{
    ENSURE(!buf->no_memory, err, CU_NO_MEMORY, "no memory for %zu bytes", buf->n);
    ENSURE(!buf->full, err, CU_TOO_LARGE, "more than %zu bytes, the most that may stand here", buf->max);
    return CU_OK;
}

cu_status cu_buf_take(void *buf, struct cu_span bytes, struct cu_err *err)
{
    cu_buf_add(buf, bytes);
    return cu_buf_ok(buf, err);
}
