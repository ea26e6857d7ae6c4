/* Canonical CBOR: RFC 8949, 4.2.1 (core deterministic encoding), and nothing else.
 *
 * Read: shortest heads, definite lengths, map keys in bytewise order of their encodings and without repeats, UTF-8 text,
 * no floats, no simple values but false, true and null, at most CU_CBOR_DEPTH_MAX levels. Whatever else stands there makes
 * the reader sticky: every later read gives zero, and `cu_cbor_done` names the first fault and its offset.
 */
#ifndef CUSTODY_CBOR_H
#define CUSTODY_CBOR_H

#include "custody/limits.h"
#include "custody/types.h"

struct cu_cbor_reader {
    struct cu_span all;
    size_t at;
    const char *fault; /* NULL while good; a static sentence */
    size_t fault_at;
    unsigned depth;
};

enum cu_cbor_type { CU_CBOR_UINT, CU_CBOR_NEGINT, CU_CBOR_BYTES, CU_CBOR_TEXT, CU_CBOR_ARRAY, CU_CBOR_MAP, CU_CBOR_TAG, CU_CBOR_SIMPLE, CU_CBOR_END };

struct cu_cbor_reader cu_cbor_read(struct cu_span bytes);
enum cu_cbor_type cu_cbor_peek(const struct cu_cbor_reader *in); /* CU_CBOR_END at the end and after a fault */

uint64_t cu_cbor_uint(struct cu_cbor_reader *in);
int64_t cu_cbor_int(struct cu_cbor_reader *in); /* uint or negint within int64 */
struct cu_span cu_cbor_bytes(struct cu_cbor_reader *in, size_t min, size_t max);
struct cu_span cu_cbor_text(struct cu_cbor_reader *in, size_t min, size_t max);
void cu_cbor_fixed(struct cu_cbor_reader *in, uint8_t *ret, size_t n); /* a byte string of exactly n bytes */
bool cu_cbor_bool(struct cu_cbor_reader *in);
void cu_cbor_tag(struct cu_cbor_reader *in, uint64_t tag); /* this tag, or a fault */

/** An array's or map's head: the count of elements or pairs, at most max. Balance each with `cu_cbor_leave`. */
uint64_t cu_cbor_enter_array(struct cu_cbor_reader *in, uint64_t max);
uint64_t cu_cbor_enter_map(struct cu_cbor_reader *in, uint64_t max);
void cu_cbor_leave(struct cu_cbor_reader *in);

/** One whole item of any kind, checked through: its bytes. Map key order is checked at every level. */
struct cu_span cu_cbor_item(struct cu_cbor_reader *in);

void cu_cbor_fault(struct cu_cbor_reader *in, const char *sentence); /* the caller's own objection; the first one stays */
static inline bool cu_cbor_good(const struct cu_cbor_reader *in) { return in->fault == NULL; }

/** Nothing wrong and nothing left over? MALFORMED names `what`, the fault and its offset. */
CU_MUST_USE cu_status cu_cbor_done(const struct cu_cbor_reader *in, const char *what, struct cu_err *err);

/** The whole is exactly one canonical item. */
CU_MUST_USE cu_status cu_cbor_check(struct cu_span bytes, const char *what, struct cu_err *err);

/* Writing: always the shortest heads; the order of map keys is the caller's duty (the schema codec keeps it). */
void cu_cbor_put_uint(struct cu_buf *out, uint64_t v);
void cu_cbor_put_int(struct cu_buf *out, int64_t v);
void cu_cbor_put_bytes(struct cu_buf *out, struct cu_span v);
void cu_cbor_put_text(struct cu_buf *out, struct cu_span v);
void cu_cbor_put_array(struct cu_buf *out, uint64_t n);
void cu_cbor_put_map(struct cu_buf *out, uint64_t pairs);
void cu_cbor_put_tag(struct cu_buf *out, uint64_t tag);
void cu_cbor_put_bool(struct cu_buf *out, bool v);
void cu_cbor_put_null(struct cu_buf *out);

/** Diagnostic notation (RFC 8949, 8) of one item, for `show` and for error texts; long byte strings are cut at 32 bytes. */
void cu_cbor_diagnose(struct cu_span item, struct cu_buf *out);

#endif
