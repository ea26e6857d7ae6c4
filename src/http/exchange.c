/* The life of a request: its target is noted, the gate judges it, its body is gathered, a worker answers it, the answer is sent. */
#include "http/inside.h"

#include "custody/json.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

/* The library calls this first, with the target as it came: what it hands on later is decoded, and cut at a NUL. */
void *cu_http_target(void *server, const char *uri, struct MHD_Connection *connection)
{
    const size_t n = strlen(uri), kept = n <= CU_TARGET_MAX ? n : CU_TARGET_MAX + 1;
    struct cu_http_exchange *x = calloc(1, sizeof *x + 2 * kept + 1);

    if (!x) return NULL;
    memcpy(x->memory, uri, kept);
    x->server = server;
    x->connection = connection;
    x->raw = cu_span(x->memory, kept);
    x->raw_at = uri;
    x->raw_n = n;
    x->args = cu_buf_over(x->memory + kept, kept + 1);
    x->answer.body = cu_buf_heap(CU_HTTP_ANSWER_MAX);
    x->began = cu_http_now_ms();
    return x;
}

void cu_http_refuse(struct cu_http_exchange *x, unsigned http, cu_status status, const char *text)
{
    struct cu_buf body = x->answer.body;

    cu_buf_clear(&body);
    cu_http_problem(http, status, text, &body);
    char head[sizeof x->answer.head];

    memcpy(head, x->answer.head, sizeof head);
    x->answer = (struct cu_http_answer){ .http = http ? http : (unsigned)cu_status_http(status),
                                         .type = "application/problem+json",
                                         .body = body };
    memcpy(x->answer.head, head, sizeof head);
    x->ready = true;
}

/* ---- the gate ---- */

struct headers {
    struct cu_http_header at[CU_HTTP_HEADERS_MAX];
    size_t n, all;
};

static enum MHD_Result take_header(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
                                   size_t value_n)
{
    struct headers *h = arg;

    (void)kind;
    h->all++;
    if (h->n < CU_HTTP_HEADERS_MAX) h->at[h->n++] = (struct cu_http_header){ cu_span(name, name_n), cu_span(value, value_n) };
    return MHD_YES;
}

#if MHD_VERSION < 0x00097701
/* This version of the library cuts the lines of a request where they stand, so from where its pieces lie we see what it read past: a NUL in
 * the target, a line that ends without CR, one that goes on in the next, one without a name. It says nothing of these itself. With a
 * version that lays them out otherwise every request would be refused, and the tests with it: nothing is let in unseen. */
static bool lies_as_it_came(const struct cu_http_exchange *x, const char *version, const struct headers *h)
{
    const uint8_t *end = (const uint8_t *)version + strlen(version);

    if (version != x->raw_at + x->raw_n + 1) return false;
    for (size_t i = 0; i < h->n; i++) {
        const struct cu_http_header *at = &h->at[i];
        if (at->name.p != end + 2 || at->value.p <= at->name.p + at->name.n) return false;
        end = at->value.p + at->value.n;
    }
    return end[1] == 0 && end[2] == 0 && end[3] == 0; /* its line's end and the empty line: read, and cut */
}
#else
/* Later versions refuse these themselves: see MHD_OPTION_CLIENT_DISCIPLINE_LVL in server.c. */
static bool lies_as_it_came(const struct cu_http_exchange *x, const char *version, const struct headers *h)
{
    return (void)x, (void)version, (void)h, true;
}
#endif

static struct cu_verdict_http judge(struct cu_http_exchange *x, const char *version, const struct headers *h,
                                    struct cu_framing *framing, struct cu_span *path)
{
    if (h->all > h->n) return (struct cu_verdict_http){ 431, "more headers than are read here" };
    if (!x->conn) return (struct cu_verdict_http){ 503, "no memory for another connection" };
    const struct cu_verdict_http v = cu_gate_headers(version, h->at, h->n, x->server->hosts, framing);
    if (v.http) return v;
    if (!lies_as_it_came(x, version, h))
        return (struct cu_verdict_http){ 400, "a NUL, a line end that is not CR LF, or a header that goes on in the next line" };
    return cu_gate_target(x->raw, path, &x->request.query);
}

/* ---- the route, and whether its body is welcome ---- */

static bool takes(struct cu_http_exchange *x, const struct cu_http_header *type)
{
    if (strcmp(x->request.route->takes[0], CU_HTTP_ANY) == 0) return x->request.type = CU_HTTP_ANY, true;
    for (size_t i = 0; type && i < 2 && x->request.route->takes[i]; i++) {
        const char *want = x->request.route->takes[i];
        if (type->value.n != strlen(want) || strncasecmp((const char *)type->value.p, want, type->value.n) != 0) continue;
        x->request.type = want;
        return true;
    }
    return false;
}

static void judge_body(struct cu_http_exchange *x, const struct headers *h, const struct cu_framing *framing)
{
    const struct cu_http_route *route = x->request.route;
    const bool any = framing->chunked || framing->length > 0;

    if (!route->takes[0]) {
        if (any) cu_http_refuse(x, 400, CU_USAGE, "this path takes no body");
    } else if (!framing->chunked && !framing->has_length) cu_http_refuse(x, 411, CU_USAGE, "a length, or chunks, are needed");
    else if (!takes(x, cu_gate_header(h->at, h->n, "content-type")))
        cu_http_refuse(x, 415, CU_USAGE, "a body of another media type than this path takes: /v1/openapi.json says which");
    else if (framing->length > route->takes_max) cu_http_refuse(x, 0, CU_TOO_LARGE, "the body is larger than this path takes");
    else if (!route->take) x->body = cu_buf_heap(route->takes_max);
    else x->body = cu_buf_pages(CU_HTTP_PIECE), x->taken = cu_buf_pages(CU_HTTP_PIECE), x->before = cu_buf_pages(CU_HTTP_PIECE);
    x->length = framing->chunked ? UINT64_MAX : framing->length;
}

static void judge_wait(struct cu_http_exchange *x)
{
    struct cu_span text;
    uint64_t s;

    if (!(x->request.route->flags & CU_HTTP_WAITS) || !cu_query_find(x->request.query, "wait", &text)) return;
    if (cu_decimal_read(text, CU_HTTP_WAIT_S, &s, NULL) != CU_OK)
        cu_http_refuse(x, 400, CU_USAGE, "?wait= is a number of seconds, 60 at most");
    else x->wait_until = cu_http_now_ms() + (int64_t)s * 1000;
}

/* Nobody is asked who he is for what is public. */
static void authorise(struct cu_http_exchange *x)
{
    const enum cu_ask act = x->request.route->act;
    char text[200];

    if (cu_peer_may(CU_PEER_NOBODY, act)) return;
    cu_http_identify(x);
    x->request.peer = x->conn->peer;
    if (cu_peer_allowed(&x->conn->peer, act)) return;
    x->server->denied++;
    if (x->conn->peer.role == CU_PEER_NOBODY) {
        x->denied = x->conn->why;
        return cu_http_refuse(x, 0, CU_NOT_ALLOWED, x->conn->why);
    }
    const bool by_token = cu_peer_may(x->conn->peer.role, act);
    x->denied = by_token ? "not by a token" : "not of this role";
    snprintf(text, sizeof text,
             by_token ? "a token reads the log and nothing else: ask for this with the %s's certificate; nothing was done"
                      : "a member of the role %s may not ask for this: nothing was done",
             cu_peer_role_name(x->conn->peer.role));
    cu_http_refuse(x, 0, CU_NOT_ALLOWED, text);
}

static void find_route(struct cu_http_exchange *x, const char *method, struct cu_span path)
{
    const struct cu_http_config *config = &x->server->config;
    const cu_status found = cu_http_match(config->routes, config->routes_n, method, path, &x->request, &x->args, x->allow);

    if (found == CU_NOT_FOUND) cu_http_refuse(x, 0, CU_NOT_FOUND, "there is no such path here: /v1/openapi.json lists them");
    if (found == CU_OK) authorise(x);
    if (found == CU_USAGE) cu_http_refuse(x, 405, CU_USAGE, "this path does not know that method: Allow says which it does");
}

static void begin(struct cu_http_exchange *x, const char *method, const char *version)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct headers h = { .n = 0 };
    struct cu_framing framing = { .chunked = false };
    struct cu_span path = CU_SPAN_EMPTY;

    x->judged = true;
    cu_http_under_way(x->server, 1);
    x->conn = info ? info->socket_context : NULL;
    x->request.head = strcmp(method, "HEAD") == 0;
    x->request.from = x->conn ? x->conn->from : "";
    MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, take_header, &h);
    const struct cu_verdict_http v = judge(x, version, &h, &framing, &path);
    if (v.http) {
        x->refused = v.text;
        x->server->gated++;
        cu_http_refuse(x, v.http, CU_USAGE, v.text);
        return;
    }
    if (x->server->stopping) return cu_http_refuse(x, 503, CU_INTERRUPTED, "the server is stopping: nothing was done");
    find_route(x, method, path);
    if (!x->ready && !cu_http_within_rate(x->server, x->request.from, x->request.route->weight)) {
        x->server->hurried++;
        cu_http_refuse(x, 429, CU_BUSY, "more requests a second than one address may make: nothing was done, try again");
    }
    if (!x->ready) judge_body(x, &h, &framing);
    if (!x->ready) judge_wait(x);
    cu_http_deadline(x->conn, 0);
}

/* ---- the body ---- */

/* What all bodies together may take of memory is bounded; who comes too late is told to come again. */
static void gather(struct cu_http_exchange *x, const char *data, size_t n)
{
    cu_http_moved(x->conn, n);
    if (!x->ready && atomic_fetch_add(&x->server->body_bytes, n) + n > CU_HTTP_BODIES) {
        x->server->body_bytes -= n;
        cu_http_refuse(x, 503, CU_BUSY, "too many bodies are on their way at once: nothing was recorded, try again");
    } else if (!x->ready) {
        cu_buf_add(&x->body, cu_span(data, n));
        x->charged += n;
        const cu_status kept = cu_buf_ok(&x->body, NULL);
        if (kept == CU_NO_MEMORY) cu_http_refuse(x, 0, kept, "no memory for the body: nothing was recorded, try again");
        else if (kept != CU_OK) cu_http_refuse(x, 0, CU_TOO_LARGE, "the body is larger than this path takes");
    }
}

/* The library sends nothing before the body's end. Who would send gigabytes more is told past it, while it waits for us, and then cut off. */
static void tell_now(struct cu_http_exchange *x)
{
    const struct cu_http_answer *a = &x->answer;
    CU_BUF text = cu_buf_heap(8192);

    if (x->told || !x->request.route->take || x->length - x->came <= CU_HTTP_REST_MAX) return;
    x->told = x->answered = true;
    cu_buf_addf(&text, "HTTP/1.1 %u Refused\r\n", a->http);
    cu_http_lines(x, &text);
    cu_buf_addf(&text, "Content-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", a->type, a->body.n);
    cu_buf_add(&text, cu_buf_span(&a->body));
    if (cu_buf_ok(&text, NULL) != CU_OK) return;
    const union MHD_ConnectionInfo *tls = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (tls && x->conn->creds)
        (void)!gnutls_record_send(tls->tls_session, text.p, text.n); /* who does not take it is cut off all the same */
    else (void)!send(x->conn->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Pieces are full, so that whoever keeps them may write them from where they lie. */
static void fill_piece(struct cu_http_exchange *x, const char **io_data, size_t *io_n)
{
    const size_t n = *io_n < CU_HTTP_PIECE - x->body.n ? *io_n : CU_HTTP_PIECE - x->body.n;

    x->came += n;
    gather(x, *io_data, n);
    *io_data += n;
    *io_n -= n;
}

static enum MHD_Result with_body(struct cu_http_exchange *x, const char *data, size_t *io_n)
{
    if (!x->ready && x->request.route->take) {
        if (*io_n > CU_HTTP_PIECE - x->body.n) fill_piece(x, &data, io_n);
        const enum cu_http_next next = cu_http_hand_over(x, *io_n);
        if (next != CU_HTTP_GO_ON) return next == CU_HTTP_SUSPENDED ? MHD_YES : MHD_NO; /* this comes again */
    }
    const bool was_refused = x->ready;

    x->came += *io_n;
    gather(x, data, *io_n);
    if (x->ready) tell_now(x);
    if (was_refused && (x->skipped += *io_n) > CU_HTTP_REST_MAX) return MHD_NO; /* who goes on sending is cut off */
    *io_n = 0;
    return MHD_YES;
}

enum MHD_Result cu_http_call(void *server, struct MHD_Connection *connection, const char *url, const char *method,
                             const char *version, const char *data, size_t *io_n, void **context)
{
    struct cu_http_exchange *x = *context;

    (void)server, (void)connection, (void)url;
    if (!x) return MHD_NO;
    if (!x->judged) {
        begin(x, method, version);
        return x->ready ? cu_http_send(x) : MHD_YES;
    }
    if (*io_n > 0) return with_body(x, data, io_n);
    if (x->told) return MHD_NO;
    if (x->request.route && x->request.route->take && !cu_http_all_taken(x)) return MHD_YES;
    if (x->ready) return cu_http_send(x);
    x->ended = true;
    x->request.body = cu_buf_span(&x->body);
    return cu_http_queue(x) ? MHD_YES : cu_http_send(x);
}

/* ---- the end ---- */

/* By its route, not by its path: a log names no exhibit, and nothing that somebody looked for. */
static void log_line(struct cu_http_exchange *x, bool whole)
{
    CU_BUF line = cu_buf_heap(4096);
    struct cu_json j = cu_json_on(&line);

    cu_json_open(&j, NULL, '{');
    cu_json_time(&j, "time", (cu_unix_ms){ cu_http_wall_ms() });
    cu_json_str(&j, "from", x->conn ? x->conn->from : NULL);
    cu_json_str(&j, "role", cu_peer_role_name(x->request.peer.role));
    if (x->request.peer.party) cu_json_uint(&j, "party", x->request.peer.party);
    if (x->request.peer.token) cu_json_bool(&j, "token", true);
    cu_json_str(&j, "method", x->request.route ? x->request.head ? "HEAD" : x->request.route->method : NULL);
    cu_json_str(&j, "route", x->request.route ? x->request.route->path : NULL);
    cu_json_uint(&j, "status", x->answer.http);
    cu_json_uint(&j, "bytes_in", x->came);
    cu_json_uint(&j, "bytes_out", x->answer.size ? x->sent : x->answer.body.n);
    cu_json_int(&j, "ms", cu_http_now_ms() - x->began);
    if (x->refused) cu_json_str(&j, "refused", x->refused);
    if (x->denied) cu_json_str(&j, "denied", x->denied);
    if (!whole) cu_json_bool(&j, "cut", true);
    cu_json_close(&j, '}');
    cu_buf_add_byte(&line, 0);
    if (x->server->config.log && cu_buf_ok(&line, NULL) == CU_OK)
        x->server->config.log(x->server->config.arg, (const char *)line.p);
}

void cu_http_completed(void *server, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode why)
{
    struct cu_http_exchange *x = *context;
    struct cu_http_server *s = server;

    (void)connection;
    *context = NULL;
    if (!x) return;
    cu_http_let_go(x);
    if (x->request.stream) x->request.route->drop(x->request.stream);
    if (!x->answered) x->answer.http = 0;
    cu_http_count(x);
    log_line(x, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    cu_http_idle(x->conn);
    if (x->judged) cu_http_under_way(s, -1);
    s->body_bytes -= x->charged + x->taken.n;
    s->answer_bytes -= x->answer_charged;
    cu_buf_free(&x->body);
    cu_buf_free(&x->taken);
    cu_buf_free(&x->before);
    cu_buf_free(&x->answer.body);
    free(x);
}
