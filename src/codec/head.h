/* The heart of the strict reader, inlined into the CBOR and the schema codec. Private to the room.
 *
 * (1) After a fault the reader stands at its end, so that every later read fails of itself and nothing needs to look.
 * (2) frame[depth].left counts what may still be read of the innermost open array or map; frame[0] never runs out.
 * (3) In a map, an even `left` means that a key comes next. A key is an integer, a text or a byte string.
 * (4) A length or count that was accepted is at most the number of bytes that remain, so no sum of offsets can overflow.
 */
#ifndef CUSTODY_CODEC_HEAD_H
#define CUSTODY_CODEC_HEAD_H

#include "custody/cbor.h"

enum { MAJOR_UINT, MAJOR_NEGINT, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_SIMPLE };
enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22 };

/* Out of line: all that is rare. Each returns false. */
bool cu_cbor_fault_at(struct cu_cbor_reader *in, size_t at, const char *sentence);
bool cu_cbor_head_long(struct cu_cbor_reader *in, uint8_t first, uint64_t *ret);
bool cu_cbor_head_other(struct cu_cbor_reader *in, unsigned want);
bool cu_cbor_key_next(struct cu_cbor_reader *in);

/* In place, since a reader is half a kilobyte: places and inner frames are written before they are read, and stay uncleared. */
static inline void cbor_start(struct cu_cbor_reader *in, struct cu_span bytes)
{
    in->all = bytes;
    in->at = in->item_at = in->fault_at = 0;
    in->fault = NULL;
    in->depth = in->places_n = 0;
    in->tagged = in->quote = false;
    in->frame[0] = (struct cu_cbor_frame){ .left = UINT64_MAX };
}

static inline size_t cbor_rest(const struct cu_cbor_reader *in) { return in->all.n - in->at; }

/* Does the innermost array or map go on? */
static inline bool cbor_more(const struct cu_cbor_reader *in) { return in->frame[in->depth].left > 0; }

static inline bool cbor_key_is_due(const struct cu_cbor_reader *in)
{
    const struct cu_cbor_frame *frame = &in->frame[in->depth];
    return frame->map && (frame->left & 1) == 0;
}

/* The first byte of the next item: is there one? Marks where the item begins. */
static inline bool cbor_first(struct cu_cbor_reader *in, uint8_t *ret)
{
    in->item_at = in->at;
    if (in->frame[in->depth].left == 0) return cu_cbor_fault_at(in, in->at, "an element is missing");
    if (in->at == in->all.n) return cu_cbor_fault_at(in, in->at, "the bytes end too early");
    *ret = in->all.p[in->at];
    return true;
}

/* The argument that the first byte begins; the reader moves behind the head. Short lengths and hashes take the short ways. */
static inline bool cbor_argument(struct cu_cbor_reader *in, uint8_t first, uint64_t *ret)
{
    unsigned info = first & 31u;
    if (info < 24) {
        *ret = info;
        in->at++;
        return true;
    }
    if (info == 24 && first >> 5 != MAJOR_SIMPLE && cbor_rest(in) > 1 && in->all.p[in->at + 1] >= 24) {
        *ret = in->all.p[in->at + 1];
        in->at += 2;
        return true;
    }
    return cu_cbor_head_long(in, first, ret);
}

/* The head of an item that must be of major type `want`. */
static inline bool cbor_head(struct cu_cbor_reader *in, unsigned want, uint64_t *ret)
{
    uint8_t first = 0;
    if (!cbor_first(in, &first)) return false;
    if (first >> 5 != want) return cu_cbor_head_other(in, want);
    return cbor_argument(in, first, ret);
}

/* The item from item_at to here is whole: count it; as a key, compare it with the one before. */
static inline bool cbor_count(struct cu_cbor_reader *in)
{
    if (cbor_key_is_due(in) && !cu_cbor_key_next(in)) return false;
    in->frame[in->depth].left--;
    in->tagged = false;
    return true;
}

/* Take the key that is encoded as this one byte, if it comes next; the caller knows that it stands after the one before.
 * `byte` is a number: above 255 it is no byte, and nothing is taken. */
static inline bool cbor_take_short_key(struct cu_cbor_reader *in, unsigned byte)
{
    struct cu_cbor_frame *frame = &in->frame[in->depth];
    if (in->at == in->all.n || in->all.p[in->at] != byte || frame->left == 0) return false;
    in->item_at = frame->key_at = in->at++;
    frame->key_n = 1;
    frame->left--;
    return true;
}

/* The body of a byte or text string whose head gave `n`. */
static inline struct cu_span cbor_body(struct cu_cbor_reader *in, uint64_t n)
{
    if (n > cbor_rest(in)) {
        cu_cbor_fault_at(in, in->item_at, "a string is longer than the bytes that remain");
        return CU_SPAN_EMPTY;
    }
    struct cu_span body = cu_span(in->all.p + in->at, (size_t)n);
    in->at += (size_t)n;
    return body;
}

#endif
