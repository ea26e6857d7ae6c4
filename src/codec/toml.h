/* Settings, in a part of TOML 1.0 that every reader of TOML reads alike: `key = value` lines, under `[table]` lines or before the first.
 * Keys and tables are bare (letters, digits, '-', '_'), values are "basic" and 'literal' strings of one line, whole numbers, true and
 * false. What TOML has beyond that (dotted keys, arrays, dates …) is refused with its line, not passed over. Pure. */
#ifndef CU_CODEC_TOML_H
#define CU_CODEC_TOML_H

#include "custody/types.h"

#define CU_TOML_NAMES_MAX 256 /* keys and tables of one text */

enum cu_toml_type { CU_TOML_TEXT, CU_TOML_NUMBER, CU_TOML_BOOL };
struct cu_toml_row {
    size_t line;
    struct cu_span table, key; /* table n == 0: before the first */
    enum cu_toml_type type;
    struct cu_span value;      /* a text without its quotes; a number's digits; "true" or "false" */
};
struct cu_toml {
    struct cu_span rest, table;
    size_t line, names_n;
    struct { struct cu_span table, key; } names[CU_TOML_NAMES_MAX];
};
struct cu_toml cu_toml_on(struct cu_span text);
/** The next setting; *ret_more false at the end. `mem` takes the text of its value, which is never longer than it stands there, and is the
 *  caller's to clear. MALFORMED names the line; TOO_LARGE: more names than CU_TOML_NAMES_MAX. */
CU_MUST_USE cu_status cu_toml_next(struct cu_toml *t, struct cu_buf *mem, struct cu_toml_row *ret, bool *ret_more, struct cu_err *err);

#endif
