/* Answers on their way out: headers, parts, pieces. */
#include "http/inside.h"

#include "custody/digest.h"
#include "custody/json.h"
#include "custody/text.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const cache_words[] = {
    [CU_HTTP_NO_STORE] = "no-store",
    [CU_HTTP_BRIEFLY] = "max-age=2",
    [CU_HTTP_IMMUTABLE] = "public, max-age=31536000, immutable",
};

static const struct cu_http_exchange *exchange_of(const struct cu_http_request *r)
{
    return (const struct cu_http_exchange *)(const void *)((const char *)r - offsetof(struct cu_http_exchange, request));
}

static const struct cu_http_header *header(const struct cu_http_exchange *x, const char *name, struct cu_http_header *ret)
{
    size_t n = 0;
    const char *value = NULL;

    if (MHD_lookup_connection_value_n(x->connection, MHD_HEADER_KIND, name, strlen(name), &value, &n) != MHD_YES || !value)
        return NULL;
    *ret = (struct cu_http_header){ cu_span_str(name), cu_span(value, n) };
    return ret;
}

bool cu_http_header_of(const struct cu_http_request *r, const char *name, struct cu_span *ret)
{
    struct cu_http_header h;

    if (!header(exchange_of(r), name, &h)) return false;
    *ret = h.value;
    return true;
}

static bool unchanged(const struct cu_http_exchange *x)
{
    struct cu_http_header h;

    return x->answer.etag[0] && header(x, "If-None-Match", &h) && cu_etag_matches(h.value, x->answer.etag);
}

bool cu_http_part(struct cu_http_request *r, struct cu_http_answer *a, const char *etag, uint64_t size)
{
    const struct cu_http_exchange *x = exchange_of(r);
    struct cu_http_header h;

    snprintf(a->etag, sizeof a->etag, "%s", etag);
    a->ranges = true;
    a->size = a->to = size;
    a->from = 0;
    if (unchanged(x)) return a->http = 304, false;
    if (!header(x, "Range", &h)) return true;
    const struct cu_span range = h.value;
    if (header(x, "If-Range", &h) && !cu_span_is(h.value, etag)) return true;
    const cu_status read = cu_range_read(range, size, &a->from, &a->to);
    if (read == CU_OK) a->http = 206;
    if (read == CU_USAGE) a->http = 416;
    return read != CU_USAGE;
}

/* ---- pieces ---- */

enum { SEND_BYTES = 65536 }; /* what the library has of a piece, to be sent at once */

/* The library asks for what comes next. The piece at hand is given; for another one the connection waits for a worker. */
static ssize_t next_bytes(void *exchange, uint64_t at, char *ret, size_t max)
{
    struct cu_http_exchange *x = exchange;
    const struct cu_buf *piece = &x->answer.body;

    if (x->piece_failed) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (at >= x->piece_at && at - x->piece_at < piece->n) {
        size_t n = piece->n - (size_t)(at - x->piece_at);
        if (n > max) n = max;
        memcpy(ret, piece->p + (at - x->piece_at), n);
        x->sent += n;
        cu_http_moved(x->conn, n);
        return (ssize_t)n;
    }
    x->piece_at = at;
    x->wants_piece = true;
    return cu_http_queue(x) ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* ---- the answer's headers ---- */

static void put(struct MHD_Response *r, const char *name, const char *value)
{
    if (value && value[0]) (void)MHD_add_response_header(r, name, value); /* without memory for it the answer goes out without */
}

static void put_part(struct MHD_Response *r, const struct cu_http_answer *a)
{
    char text[100];

    if (!a->ranges) return;
    put(r, "Accept-Ranges", "bytes");
    if (a->http == 206) snprintf(text, sizeof text, "bytes %llu-%llu/%llu", LLU(a->from), LLU(a->to - 1), LLU(a->size));
    if (a->http == 416) snprintf(text, sizeof text, "bytes */%llu", LLU(a->size));
    if (a->http == 206 || a->http == 416) put(r, "Content-Range", text);
}

#define TUS "1.0.0"

void cu_http_head(struct cu_http_answer *a, const char *fmt, ...)
{
    const size_t n = strlen(a->head);
    va_list args;

    va_start(args, fmt);
    const int more = vsnprintf(a->head + n, sizeof a->head - n, fmt, args);
    va_end(args);
    CU_ASSERT(more > 0 && n + (size_t)more + 2 < sizeof a->head);
    memcpy(a->head + n + more, "\n", 2);
}

static void put_further(const struct cu_http_exchange *x, void *out, void (*one)(void *out, const char *name, const char *value))
{
    struct cu_span rest = cu_span_str(x->answer.head), line, name;

    if (x->request.route && x->request.route->flags & CU_HTTP_TUS) one(out, "Tus-Resumable", TUS);
    while (cu_span_split(&rest, '\n', &line)) {
        char name_text[64], value[300];
        if (!cu_span_split(&line, ':', &name)) continue;
        snprintf(name_text, sizeof name_text, "%.*s", (int)name.n, (const char *)name.p);
        snprintf(value, sizeof value, "%.*s", (int)line.n - 1, (const char *)line.p + 1);
        one(out, name_text, value);
    }
}

static void put_one(void *response, const char *name, const char *value) { put(response, name, value); }
static void put_line(void *out, const char *name, const char *value) { cu_buf_addf(out, "%s: %s\r\n", name, value); }
void cu_http_lines(const struct cu_http_exchange *x, struct cu_buf *out) { put_further(x, out, put_line); }

static void put_headers(const struct cu_http_exchange *x, struct MHD_Response *r)
{
    const struct cu_http_answer *a = &x->answer;
    const bool good = a->http < 400;
    char text[400];

    if (a->type && a->http != 204) put(r, "Content-Type", a->type);
    put(r, "Cache-Control", cache_words[good ? a->cache : CU_HTTP_NO_STORE]);
    put(r, "X-Content-Type-Options", "nosniff");
    put(r, "Content-Security-Policy", "default-src 'none'");
    if (good) put(r, "ETag", a->etag);
    put_part(r, a);
    put_further(x, r, put_one);
    if (a->file[0]) {
        snprintf(text, sizeof text, "attachment; filename=\"%s\"", a->file);
        put(r, "Content-Disposition", text);
    }
    if (a->http == 405) put(r, "Allow", x->allow);
    if (a->http == 503 || a->http == 429) put(r, "Retry-After", "1");
    if (x->refused || x->server->stopping) put(r, "Connection", "close");
}

/* A tag of one's own for what is small enough to have been made whole. */
static void tag(struct cu_http_answer *a)
{
    if (a->etag[0] || a->cache == CU_HTTP_NO_STORE) return;
    const cu_hash sum = cu_sha256(cu_buf_span(&a->body));
    char hex[65];
    cu_hash_hex(&sum, hex);
    snprintf(a->etag, sizeof a->etag, "\"%.32s\"", hex);
}

enum MHD_Result cu_http_send(struct cu_http_exchange *x)
{
    struct cu_http_answer *a = &x->answer;
    struct MHD_Response *r;

    if (!a->http) a->http = x->request.route->success ? x->request.route->success : 200;
    if (!a->type) a->type = x->request.route->gives;
    if (a->http == 200) tag(a);
    if (a->http == 200 && unchanged(x)) a->http = 304;
    if (a->http == 304) cu_buf_clear(&a->body), a->piece = NULL;
    if (a->piece) r = MHD_create_response_from_callback(a->to - a->from, SEND_BYTES, next_bytes, x, NULL);
    else r = MHD_create_response_from_buffer(a->body.n, a->body.n ? a->body.p : (void *)x->memory, MHD_RESPMEM_PERSISTENT);
    if (!r) return MHD_NO;
    put_headers(x, r);
    cu_http_deadline(x->conn, a->piece ? 0 : a->body.n);
    const enum MHD_Result queued = MHD_queue_response(x->connection, a->http, r);
    x->answered = queued == MHD_YES;
    MHD_destroy_response(r);
    return queued;
}

void cu_http_tell(void (*log)(void *arg, const char *line), void *arg, cu_unix_ms now, const char *what, const char *text)
{
    CU_BUF line = cu_buf_heap(8192);
    struct cu_json j = cu_json_on(&line);

    cu_json_open(&j, NULL, '{');
    cu_json_time(&j, "time", now);
    cu_json_str(&j, what, text);
    cu_json_close(&j, '}');
    cu_buf_add_byte(&line, 0);
    if (log && cu_buf_ok(&line, NULL) == CU_OK) log(arg, (const char *)line.p);
}
