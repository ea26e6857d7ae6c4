/* Hex, base64, Bech32, decimals, UTC times, and a reader of lines: each accepts one spelling only. */
#ifndef CUSTODY_TEXT_H
#define CUSTODY_TEXT_H

#include "custody/types.h"

void cu_hex_put(struct cu_buf *out, struct cu_span bytes); /* lower case */
/** Exactly 2n lower-case digits. */
CU_MUST_USE cu_status cu_hex_read(struct cu_span text, uint8_t *ret, size_t n, struct cu_err *err);
void cu_hash_hex(const cu_hash *hash, char ret[65]);

void cu_base64_put(struct cu_buf *out, struct cu_span bytes); /* RFC 4648, 4, padded, one line */
/** Strict: padded, no line breaks, zero trailing bits. Appends to `ret`. MALFORMED, TOO_LARGE. */
CU_MUST_USE cu_status cu_base64_read(struct cu_span text, struct cu_buf *ret, struct cu_err *err);

/** The same, of exactly n bytes, 96 at most. */
CU_MUST_USE cu_status cu_base64_exact(struct cu_span text, uint8_t *ret, size_t n, struct cu_err *err);

/** The same without padding, as `age` writes it. */
void cu_base64_raw_put(struct cu_buf *out, struct cu_span bytes);
CU_MUST_USE cu_status cu_base64_raw_read(struct cu_span text, struct cu_buf *ret, struct cu_err *err);
bool cu_base64_raw_exact(struct cu_span text, uint8_t *ret, size_t n); /* of exactly n bytes, 96 at most */

/** Bech32 (BIP 173) without its limit on length: `hrp`, "1", the bytes in fives of bits, six characters of checksum; all of it in the
 *  letter case of `hrp`. */
void cu_bech32_put(struct cu_buf *out, const char *hrp, struct cu_span bytes);
/** Exactly n bytes, 64 at most, under this `hrp` in its letter case. MALFORMED. */
CU_MUST_USE cu_status cu_bech32_read(struct cu_span text, const char *hrp, uint8_t *ret, size_t n, struct cu_err *err);

/** Decimal without sign or leading zero, at most `max`. */
CU_MUST_USE cu_status cu_decimal_read(struct cu_span text, uint64_t max, uint64_t *ret, struct cu_err *err);

/** RFC 3629: no surrogates, no overlong forms, at most U+10FFFF. */
bool cu_utf8_ok(struct cu_span text);
/** Bytes of the first character, 1 to 4; 0 at the end or where it is not UTF-8. */
size_t cu_utf8_next(struct cu_span text, uint32_t *ret);

/** "2026-11-23T14:11:02.345Z"; after the year 9999 "253402300800000 ms". `ret` holds 32 bytes. */
void cu_time_text(cu_unix_ms time, char ret[32]);
/** A time as RFC 3339 has it, in UTC: "2026-11-23T14:11:02Z", with up to nine digits of a second, of which three count. MALFORMED. */
CU_MUST_USE cu_status cu_time_read(struct cu_span text, cu_unix_ms *ret, struct cu_err *err);

/** For people: what could deceive an eye or a terminal is shown escaped: control characters and invalid bytes as \xNN, characters
 *  that reorder text or take no room as \u{…}, a backslash as two. So what is shown stands for one byte string only. */
void cu_text_printable(struct cu_buf *out, struct cu_span bytes);
/** The same of its first `most` bytes, without a character that would be cut, and "…" when there are more. */
void cu_text_shortened(struct cu_buf *out, struct cu_span bytes, size_t most);
#define CU_NAME_SHOWN 40  /* bytes of a name in a line: of a party, a case, a ledger */
#define CU_PATH_SHOWN 200 /* of a file's name or path */
/** How many of the first `max` bytes end in a whole character, if the text is UTF-8. */
size_t cu_text_whole(struct cu_span text, size_t max);
/** The same within double quotes. */
void cu_text_quoted(struct cu_buf *out, struct cu_span bytes);

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
