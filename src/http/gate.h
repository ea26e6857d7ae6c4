/* What of a request is let in, judged before anything looks at it. Pure: no socket, no library.
 *
 * The HTTP library underneath takes much that two parsers may read differently (two lengths, a length beside chunks, a second Host, a NUL).
 * Whoever stands in front of the server could be made to see another request than it does, so whatever is ambiguous is refused and the
 * connection closed. docs/formats/api.md says what is refused, with what.
 */
#ifndef CU_HTTP_GATE_H
#define CU_HTTP_GATE_H

#include "custody/types.h"

struct cu_http_header { struct cu_span name, value; };

/** `http` 0: let in; else the answer's status, and the sentence. */
struct cu_verdict_http { unsigned http; const char *text; };

struct cu_framing { bool chunked, has_length; uint64_t length; };

/** `hosts`: the names that this server answers to, as they stand in Host, separated by spaces. `version`: "HTTP/1.1". */
struct cu_verdict_http cu_gate_headers(const char *version, const struct cu_http_header *headers, size_t n, const char *hosts,
                                       struct cu_framing *ret);
/** The first header of that name (lower case), whatever its own case; NULL: there is none. */
const struct cu_http_header *cu_gate_header(const struct cu_http_header *headers, size_t n, const char *name);

/** The raw request target: an absolute path of one spelling, and what follows '?'. No segment is empty, "." or "..", and none hides
 *  a '/', a NUL or another control character behind its percent-encoding. */
#define CU_TARGET_MAX 4096
struct cu_verdict_http cu_gate_target(struct cu_span raw, struct cu_span *ret_path, struct cu_span *ret_query);
/** Percent-decoded, appended. MALFORMED: a bad encoding, a NUL or another control character. `plus`: '+' is a space (in a query). */
CU_MUST_USE cu_status cu_percent_read(struct cu_span text, bool plus, struct cu_buf *ret, struct cu_err *err);
/** The value of `name` in a query, still encoded. False: it is not there. */
bool cu_query_find(struct cu_span query, const char *name, struct cu_span *ret);

/** "bytes=FROM-TO" of something that is `size` bytes long. *ret_to is not counted. OK; NOT_FOUND: no range that this server reads, so
 *  all of it is meant; USAGE: there are no such bytes, or several ranges: 416. */
CU_MUST_USE cu_status cu_range_read(struct cu_span value, uint64_t size, uint64_t *ret_from, uint64_t *ret_to);
/** Does If-None-Match name this entity tag (with its quotes)? Weakly compared. */
bool cu_etag_matches(struct cu_span if_none_match, const char *etag);

#endif
