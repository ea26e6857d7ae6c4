/* Canonical CBOR: RFC 8949, 4.2.1 (core deterministic encoding), and nothing else.
 *
 * Read: shortest heads, definite lengths, map keys (integers, texts, byte strings) in bytewise order of their encodings and
 * without repeats, UTF-8 text, no floats, no simple values but false, true and null, no tag directly on a tag, at most
 * CU_CBOR_DEPTH_MAX levels of arrays and maps. Whatever else stands there makes the reader sticky: every later read gives zero,
 * and `cu_cbor_done` names the first fault and its offset. The reader counts: it gives no element beyond the end of an array or
 * map, and leaving one before its end is a fault; so code that reads by hand cannot slide from one container into the next.
 * A reader on several items in a row (RFC 8742) gives them one after another.   docs/formats/cbor.md
 */
#ifndef CUSTODY_CBOR_H
#define CUSTODY_CBOR_H

#include "custody/limits.h"
#include "custody/types.h"

/* One open array or map; frame 0 is the sequence of items that the reader stands on. Private to the codec. */
struct cu_cbor_frame {
    uint64_t left;        /* items still to come; keys and values each count */
    size_t key_at, key_n; /* where the last key lies; n == 0: none yet */
    bool map;
};

struct cu_cbor_place {
    int key;
    const char *name;
};

struct cu_cbor_reader {
    struct cu_span all;
    size_t at;
    size_t item_at;    /* where the item last read began */
    const char *fault; /* NULL while good; a static sentence */
    size_t fault_at;
    unsigned depth;
    bool tagged;       /* a tag was read, its content was not */
    bool quote;        /* the item at fault_at is shown in the sentence */
    unsigned places_n;
    struct cu_cbor_place place[CU_CBOR_DEPTH_MAX]; /* fields around the fault, innermost first */
    struct cu_cbor_frame frame[CU_CBOR_DEPTH_MAX + 1];
};

enum cu_cbor_type {
    CU_CBOR_UINT, CU_CBOR_NEGINT, CU_CBOR_BYTES, CU_CBOR_TEXT, CU_CBOR_ARRAY, CU_CBOR_MAP, CU_CBOR_TAG, CU_CBOR_SIMPLE,
    CU_CBOR_END,
};

struct cu_cbor_reader cu_cbor_read(struct cu_span bytes);
/** What comes next, by its first byte. CU_CBOR_END at the end of the bytes or of what was entered, and after a fault. */
enum cu_cbor_type cu_cbor_peek(const struct cu_cbor_reader *in);

uint64_t cu_cbor_uint(struct cu_cbor_reader *in);
int64_t cu_cbor_int(struct cu_cbor_reader *in); /* uint or negint within int64 */
struct cu_span cu_cbor_bytes(struct cu_cbor_reader *in, size_t min, size_t max);
struct cu_span cu_cbor_text(struct cu_cbor_reader *in, size_t min, size_t max);
void cu_cbor_fixed(struct cu_cbor_reader *in, uint8_t *ret, size_t n); /* a byte string of exactly n bytes */
bool cu_cbor_bool(struct cu_cbor_reader *in);
void cu_cbor_null(struct cu_cbor_reader *in);
void cu_cbor_tag(struct cu_cbor_reader *in, uint64_t wanted); /* this tag, or a fault */

/** An array's or map's head: the count of elements or pairs, at most max. Balance each with `cu_cbor_leave`. */
uint64_t cu_cbor_enter_array(struct cu_cbor_reader *in, uint64_t max);
uint64_t cu_cbor_enter_map(struct cu_cbor_reader *in, uint64_t max);
void cu_cbor_leave(struct cu_cbor_reader *in);

/** One whole item of any kind, checked through: its bytes. No recursion. */
struct cu_span cu_cbor_item(struct cu_cbor_reader *in);

/** The caller's own objection to the item it last read; the first fault stays. `sentence` is static. */
void cu_cbor_fault(struct cu_cbor_reader *in, const char *sentence);
void cu_cbor_fault_quote(struct cu_cbor_reader *in, const char *sentence); /* and show that item in it */
/** While a fault unwinds: it lies within this field. Innermost first; "field 4 (size)", or by name alone with CU_CBOR_NO_KEY,
 *  or "element 3" without a name. Does nothing while good. */
void cu_cbor_fault_in(struct cu_cbor_reader *in, int key, const char *name);
#define CU_CBOR_NO_KEY INT32_MIN
static inline bool cu_cbor_good(const struct cu_cbor_reader *in) { return in->fault == NULL; }

/** Nothing wrong and nothing left over? MALFORMED names `what`, the place, the fault and its offset:
 *  "claim: field 4 (size): the number is above its bound: 101, at byte 131". */
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
