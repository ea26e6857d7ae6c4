/* The gate. See gate.h. */
#include "http/gate.h"

#include "custody/cbor.h"
#include "custody/limits.h"
#include "custody/text.h"

#include <stdio.h>
#include <strings.h>

#define LET_IN ((struct cu_verdict_http){ 0, NULL })
#define REFUSE(http, text) \
    return (struct cu_verdict_http) { (http), (text) }

/* ---- headers ---- */

static bool is_name(struct cu_span name, const char *text)
{
    return name.n == strlen(text) && strncasecmp((const char *)name.p, text, name.n) == 0;
}

const struct cu_http_header *cu_gate_header(const struct cu_http_header *headers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (is_name(headers[i].name, name)) return &headers[i];
    return NULL;
}

static bool is_token(struct cu_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"(),/:;<=>?@[\\]{}", s.p[i])) return false;
    return s.n > 0;
}

/* A line that goes on in the next one reaches us with its line break or its indentation inside, or not at all: see server.c. */
static bool is_value(struct cu_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f) return false;
    return true;
}

/* Those that mean something here, and must mean one thing. */
static const char *const singletons[] = {
    "host",          "content-length", "transfer-encoding", "content-type",    "content-encoding", "authorization",
    "range",         "if-range",       "if-none-match",     "expect",          "origin",           "tus-resumable",
    "upload-offset", "upload-length",  "upload-metadata",   "upload-checksum",
};

static bool is_repeated(const struct cu_http_header *headers, size_t n, const char *name)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++) found += is_name(headers[i].name, name);
    return found > 1;
}

static struct cu_verdict_http judge_form(const struct cu_http_header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_token(headers[i].name)) REFUSE(400, "a header's name has a character that no name has");
        if (!is_value(headers[i].value)) REFUSE(400, "a header's value has a control character");
    }
    for (size_t i = 0; i < sizeof singletons / sizeof *singletons; i++)
        if (is_repeated(headers, n, singletons[i])) REFUSE(400, "a header that may stand once stands twice");
    return LET_IN;
}

static struct cu_verdict_http judge_framing(const char *version, const struct cu_http_header *headers, size_t n,
                                            struct cu_framing *ret)
{
    const struct cu_http_header *length = cu_gate_header(headers, n, "content-length"),
                                *coding = cu_gate_header(headers, n, "transfer-encoding");

    *ret = (struct cu_framing){ .chunked = coding != NULL, .has_length = length != NULL };
    if (length && coding) REFUSE(400, "a length and a transfer coding contradict one another");
    if (coding && !is_name(coding->value, "chunked")) REFUSE(400, "no transfer coding but chunked is read here");
    if (coding && strcmp(version, "HTTP/1.1") != 0) REFUSE(400, "HTTP/1.0 has no transfer codings");
    if (length && cu_decimal_read(length->value, INT64_MAX, &ret->length, NULL) != CU_OK)
        REFUSE(400, "the length is no plain decimal number");
    return LET_IN;
}

/* Is `name` one of the words of `list`? */
static bool is_listed(struct cu_span name, const char *list)
{
    for (const char *at = list; *at;) {
        const size_t n = strcspn(at, " ");
        if (n == name.n && n > 0 && strncasecmp(at, (const char *)name.p, n) == 0) return true;
        at += n + (at[n] == ' ');
    }
    return false;
}

/* A page of another site, or one whose name was turned to this address, is not let in by a browser that stands near. */
static struct cu_verdict_http judge_who_is_meant(const char *version, const struct cu_http_header *headers, size_t n,
                                                 const char *hosts)
{
    const struct cu_http_header *host = cu_gate_header(headers, n, "host"), *origin = cu_gate_header(headers, n, "origin");
    struct cu_span from = origin ? origin->value : CU_SPAN_EMPTY;

    if (!host && strcmp(version, "HTTP/1.1") == 0) REFUSE(400, "a request without Host");
    if (host && !is_listed(host->value, hosts)) REFUSE(421, "this server does not answer to that name (--name NAME adds one)");
    if (!origin) return LET_IN;
    if (!cu_span_take(&from, "http://") && !cu_span_take(&from, "https://")) REFUSE(403, "a page of another origin asks");
    if (!is_listed(from, hosts)) REFUSE(403, "a page of another origin asks");
    return LET_IN;
}

struct cu_verdict_http cu_gate_headers(const char *version, const struct cu_http_header *headers, size_t n, const char *hosts,
                                       struct cu_framing *ret)
{
    const struct cu_http_header *expect = cu_gate_header(headers, n, "expect"),
                                *coded = cu_gate_header(headers, n, "content-encoding");
    struct cu_verdict_http v = judge_form(headers, n);

    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0) REFUSE(505, "HTTP/1.1 is spoken here");
    if (v.http == 0) v = judge_framing(version, headers, n, ret);
    if (v.http == 0) v = judge_who_is_meant(version, headers, n, hosts);
    if (v.http) return v;
    if (expect && !is_name(expect->value, "100-continue")) REFUSE(417, "nothing can be expected here but 100-continue");
    if (coded && !is_name(coded->value, "identity")) REFUSE(415, "bodies are read as they are, without a content coding");
    return LET_IN;
}

/* ---- the target ---- */

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool next_byte(struct cu_span text, size_t *at, bool plus, uint8_t *ret)
{
    *ret = text.p[*at];
    if (*ret == '+' && plus) *ret = ' ';
    if (*ret != '%') return ++*at, true;
    if (text.n - *at < 3 || digit(text.p[*at + 1]) < 0 || digit(text.p[*at + 2]) < 0) return false;
    *ret = (uint8_t)(digit(text.p[*at + 1]) << 4 | digit(text.p[*at + 2]));
    *at += 3;
    return true;
}

cu_status cu_percent_read(struct cu_span text, bool plus, struct cu_buf *ret, struct cu_err *err)
{
    uint8_t byte;

    for (size_t at = 0; at < text.n;) {
        ENSURE(next_byte(text, &at, plus, &byte), err, CU_MALFORMED, "a percent sign without two hex digits after it");
        ENSURE(byte >= ' ' && byte != 0x7f, err, CU_MALFORMED, "a control character in a path or query");
        cu_buf_add_byte(ret, byte);
    }
    return cu_buf_ok(ret, err);
}

/* Of the raw text: RFC 3986's characters of a path or query, and nothing that somebody else may have to guess. */
static bool is_target(struct cu_span raw)
{
    for (size_t i = 0; i < raw.n; i++)
        if (raw.p[i] <= ' ' || raw.p[i] > '~' || strchr("\"#<>[\\]^`{|}", raw.p[i])) return false;
    return true;
}

static struct cu_verdict_http judge_segment(struct cu_span segment)
{
    uint8_t mem[CU_TARGET_MAX];
    struct cu_buf plain = cu_buf_over(mem, sizeof mem);

    if (segment.n == 0) REFUSE(400, "an empty part of a path");
    if (cu_percent_read(segment, false, &plain, NULL) != CU_OK)
        REFUSE(400, "a bad percent-encoding, or a control character behind one");
    const struct cu_span s = cu_buf_span(&plain);
    if (memchr(s.p, '/', s.n) || memchr(s.p, '\\', s.n)) REFUSE(400, "a slash behind a percent-encoding");
    if (cu_span_is(s, ".") || cu_span_is(s, "..")) REFUSE(400, "a path with . or .. in it");
    return LET_IN;
}

struct cu_verdict_http cu_gate_target(struct cu_span raw, struct cu_span *ret_path, struct cu_span *ret_query)
{
    struct cu_span path = raw, rest, segment, query = CU_SPAN_EMPTY;
    struct cu_verdict_http v = LET_IN;
    bool more;

    if (raw.n > CU_TARGET_MAX) REFUSE(414, "the request's target is too long");
    if (raw.n == 0 || raw.p[0] != '/') REFUSE(400, "the target of a request is a path");
    if (!is_target(raw)) REFUSE(400, "a character in the target that would have to be percent-encoded");
    if (cu_span_split(&raw, '?', &path)) query = raw;
    rest = cu_span_from(path, 1);
    do {
        more = cu_span_split(&rest, '/', &segment);
        if (!more) segment = rest;
        if (path.n > 1) v = judge_segment(segment);
    } while (more && v.http == 0);
    *ret_path = path;
    *ret_query = query;
    return v;
}

bool cu_query_find(struct cu_span query, const char *name, struct cu_span *ret)
{
    bool more = query.n > 0;

    while (more) {
        struct cu_span pair, key;
        more = cu_span_split(&query, '&', &pair);
        if (!more) pair = query;
        if (!cu_span_split(&pair, '=', &key)) key = pair, pair = CU_SPAN_EMPTY;
        if (cu_span_is(key, name)) return *ret = pair, true;
    }
    return false;
}

/* ---- ranges and entity tags ---- */

cu_status cu_range_read(struct cu_span value, uint64_t size, uint64_t *ret_from, uint64_t *ret_to)
{
    struct cu_span first;
    uint64_t from = 0, to = 0;

    if (!cu_span_take(&value, "bytes=")) return CU_NOT_FOUND;
    if (value.n > 0 && memchr(value.p, ',', value.n)) return CU_USAGE;
    if (!cu_span_split(&value, '-', &first)) return CU_NOT_FOUND;
    if (first.n && cu_decimal_read(first, UINT64_MAX, &from, NULL) != CU_OK) return CU_NOT_FOUND;
    if (value.n && cu_decimal_read(value, UINT64_MAX - 1, &to, NULL) != CU_OK) return CU_NOT_FOUND;
    if (!first.n && !value.n) return CU_NOT_FOUND;
    if (first.n && value.n && to < from) return CU_NOT_FOUND;
    if (!first.n) from = to < size ? size - to : 0; /* the last so many */
    if (from >= size || (!first.n && to == 0)) return CU_USAGE;
    *ret_from = from;
    *ret_to = first.n && value.n && to < size ? to + 1 : size;
    return CU_OK;
}

bool cu_etag_matches(struct cu_span list, const char *etag)
{
    bool more = list.n > 0;

    if (cu_span_is(list, "*")) return true;
    while (more) {
        struct cu_span one;
        more = cu_span_split(&list, ',', &one);
        if (!more) one = list;
        while (one.n && one.p[0] == ' ') one = cu_span_from(one, 1);
        while (one.n && one.p[one.n - 1] == ' ') one.n--;
        (void)!cu_span_take(&one, "W/");
        if (cu_span_is(one, etag)) return true;
    }
    return false;
}
