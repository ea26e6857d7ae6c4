/* Newtypes where a mix-up would be a disaster, and the spans and buffers that every call takes. */
#ifndef CUSTODY_TYPES_H
#define CUSTODY_TYPES_H

#include "custody/status.h"

#include <stdbool.h>
#include <string.h>

typedef struct cu_seq { uint64_t v; } cu_seq;         /* 0-based position in a log */
typedef struct cu_size { uint64_t v; } cu_size;       /* count of entries: a log of size 7 has positions 0..6 */
typedef struct cu_unix_ms { uint64_t v; } cu_unix_ms; /* milliseconds since 1970-01-01T00:00:00Z */

/** A 32-byte hash or id. */
typedef struct cu_hash { uint8_t b[32]; } cu_hash;

/** A case's id: opaque, random. */
typedef struct cu_case_id { uint8_t b[16]; } cu_case_id;

static inline bool cu_hash_eq(const cu_hash *a, const cu_hash *b) { return memcmp(a->b, b->b, sizeof a->b) == 0; }
static inline bool cu_hash_is_zero(const cu_hash *a)
{
    static const cu_hash zero;
    return cu_hash_eq(a, &zero);
}

/** Bytes I read and do not own. `p` may be NULL only when `n` is 0. */
struct cu_span {
    const uint8_t *p;
    size_t n;
};

static inline struct cu_span cu_span(const void *p, size_t n) { return (struct cu_span){ (const uint8_t *)p, n }; }
static inline struct cu_span cu_span_str(const char *s) { return cu_span(s, strlen(s)); }
/** What follows its first `at` bytes, at most all of them. */
static inline struct cu_span cu_span_from(struct cu_span s, size_t at) { return at > 0 ? cu_span(s.p + at, s.n - at) : s; }
static inline struct cu_span cu_span_hash(const cu_hash *h) { return cu_span(h->b, sizeof h->b); }
#define CU_SPAN_OF(array) cu_span((array), sizeof(array))
#define CU_SPAN_EMPTY ((struct cu_span){ NULL, 0 })

bool cu_span_eq(struct cu_span a, struct cu_span b);
int cu_span_cmp(struct cu_span a, struct cu_span b); /* bytewise, a shorter prefix first: <0, 0, >0 */
bool cu_span_starts(struct cu_span s, struct cu_span prefix);
bool cu_span_is(struct cu_span s, const char *text);
bool cu_span_take(struct cu_span *rest, const char *prefix); /* step over it; false, and nothing changed, when it is not there */

/** Bytes that grow up to a maximum that was told at birth.
 *
 *  Two kinds: `cu_buf_heap(max)` grows by realloc; `cu_buf_over(mem, n)` writes into the caller's memory and never
 *  allocates. Appends are sticky: the first that does not fit marks the buffer `full` (or `no_memory`) and drops
 *  everything after it, so a run of appends is judged once, by `cu_buf_ok`. `cu_buf_free(NULL)` is fine. */
struct cu_buf {
    uint8_t *p;
    size_t n;
    size_t cap;
    size_t max;
    bool on_heap, full, no_memory;
};

struct cu_buf cu_buf_heap(size_t max);
struct cu_buf cu_buf_over(void *mem, size_t n);
struct cu_buf cu_buf_pages(size_t max); /* on the heap: all of its memory at once, on the begin of a page, as direct reading and writing want it */
void cu_buf_free(struct cu_buf *buf);
void cu_buf_clear(struct cu_buf *buf); /* forget the content, keep the memory, unmark */
uint8_t *cu_buf_grow(struct cu_buf *buf, size_t n); /* n more bytes, uninitialised; NULL when full */
void cu_buf_add(struct cu_buf *buf, struct cu_span bytes);
void cu_buf_add_byte(struct cu_buf *buf, uint8_t byte);
void cu_buf_add_str(struct cu_buf *buf, const char *text);
void cu_buf_addf(struct cu_buf *buf, const char *fmt, ...) CU_PRINTF(2, 3); /* at most 4,095 bytes a call, else full */
CU_MUST_USE cu_status cu_buf_ok(const struct cu_buf *buf, struct cu_err *err); /* OK, TOO_LARGE, NO_MEMORY */
cu_status cu_buf_take(void *buf, struct cu_span bytes, struct cu_err *err); /* add, judged at once: for whoever hands on pieces */
static inline struct cu_span cu_buf_span(const struct cu_buf *buf) { return cu_span(buf->p, buf->n); }
#define CU_BUF CU_CLEANUP(cu_buf_free) struct cu_buf

/* Big-endian integers as they lie in bytes. */
static inline uint16_t cu_be16(const uint8_t *p) { return (uint16_t)((unsigned)p[0] << 8 | p[1]); }
static inline uint32_t cu_be32(const uint8_t *p) { return (uint32_t)cu_be16(p) << 16 | cu_be16(p + 2); }
static inline uint64_t cu_be64(const uint8_t *p) { return (uint64_t)cu_be32(p) << 32 | cu_be32(p + 4); }
static inline void cu_put_be16(uint8_t *p, uint16_t v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
static inline void cu_put_be32(uint8_t *p, uint32_t v) { cu_put_be16(p, (uint16_t)(v >> 16)), cu_put_be16(p + 2, (uint16_t)v); }
static inline void cu_put_be64(uint8_t *p, uint64_t v) { cu_put_be32(p, (uint32_t)(v >> 32)), cu_put_be32(p + 4, (uint32_t)v); }

/** Overwrite memory that held a secret; the compiler may not leave it out. */
void cu_wipe(void *p, size_t n);

#endif
