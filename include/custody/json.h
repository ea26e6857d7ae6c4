/* JSON out: objects and arrays into a buffer, commas and escapes kept right. Nothing in custody's formats is JSON; this is for
 * people's scripts. Bytes that are not UTF-8 are written with U+FFFD and beside them, under key + "_hex", in hex. */
#ifndef CUSTODY_JSON_H
#define CUSTODY_JSON_H

#include "custody/types.h"

struct cu_json {
    struct cu_buf *out;
    unsigned depth;
    uint32_t comma; /* bit per depth: an element stands before */
};

struct cu_json cu_json_on(struct cu_buf *out);
/* `key` is NULL inside an array and for the outermost value. */
void cu_json_open(struct cu_json *j, const char *key, char bracket); /* '{' or '[' */
void cu_json_close(struct cu_json *j, char bracket);                 /* '}' or ']' */
void cu_json_text(struct cu_json *j, const char *key, struct cu_span text);
void cu_json_str(struct cu_json *j, const char *key, const char *text); /* NULL writes null */
void cu_json_uint(struct cu_json *j, const char *key, uint64_t v);
void cu_json_int(struct cu_json *j, const char *key, int64_t v);
void cu_json_bool(struct cu_json *j, const char *key, bool v);
void cu_json_hex(struct cu_json *j, const char *key, struct cu_span bytes);
void cu_json_hash(struct cu_json *j, const char *key, const cu_hash *hash);
void cu_json_time(struct cu_json *j, const char *key, cu_unix_ms time); /* as cu_time_text */

#endif
