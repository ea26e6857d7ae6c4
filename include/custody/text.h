/* Hex, base64, decimals, UTC times, and a reader of lines: each accepts one spelling only. */
#ifndef CUSTODY_TEXT_H
#define CUSTODY_TEXT_H

#include "custody/types.h"

void cu_hex_put(struct cu_buf *out, struct cu_span bytes); /* lower case */
CU_MUST_USE cu_status cu_hex_read(struct cu_span text, uint8_t *ret, size_t n, struct cu_err *err); /* exactly 2n lower-case digits */
void cu_hash_hex(const cu_hash *hash, char ret[65]);

void cu_base64_put(struct cu_buf *out, struct cu_span bytes); /* RFC 4648, 4, padded, one line */
/** Strict: padded, no line breaks, zero trailing bits. Appends to `ret`. MALFORMED, TOO_LARGE. */
CU_MUST_USE cu_status cu_base64_read(struct cu_span text, struct cu_buf *ret, struct cu_err *err);

/** Decimal without sign or leading zero, at most `max`. */
CU_MUST_USE cu_status cu_decimal_read(struct cu_span text, uint64_t max, uint64_t *ret, struct cu_err *err);

bool cu_utf8_ok(struct cu_span text); /* RFC 3629: no surrogates, no overlong forms, at most U+10FFFF */

/** "2026-11-23T14:11:02.345Z". `ret` holds 32 bytes. */
void cu_time_text(cu_unix_ms time, char ret[32]);
CU_MUST_USE cu_status cu_time_read(struct cu_span text, cu_unix_ms *ret, struct cu_err *err); /* that form only */

/** For people: control characters, invalid UTF-8 and characters that reorder text are shown as \xNN or \u{…}. */
void cu_text_printable(struct cu_buf *out, struct cu_span bytes);

/** Lines that each end in \n: sticky. A last line without \n is a fault. */
struct cu_lines {
    struct cu_span rest;
    size_t line; /* 1-based number of the line last taken */
    bool bad;
};
struct cu_lines cu_lines_on(struct cu_span text);
bool cu_lines_next(struct cu_lines *lines, struct cu_span *ret); /* false at the end or after a fault */

/** The part before the first `sep`; the rest (without it) stays in `*rest`. False, and nothing changed, without a `sep`. */
bool cu_span_split(struct cu_span *rest, char sep, struct cu_span *ret);

#endif
