/* A server of HTTP/1.1: a table of routes, workers that answer, deadlines, one log line a request, figures for Prometheus.
 *
 * Threads: those of the library read, write and never wait; `workers` of our own run the handlers, each with a context of its own,
 * so a handler may take its time and needs no lock of its own. A request that asks to wait is parked without a worker and tried
 * again whenever cu_http_wake says that something happened.
 */
#ifndef CU_HTTP_SERVER_H
#define CU_HTTP_SERVER_H

#include "custody/types.h"
#include "http/gate.h"
#include "http/peer.h"

struct cu_http_request;
struct cu_http_answer;

/** Fill in the answer. A status that is not OK becomes a problem (RFC 9457) with that status' HTTP status (or that of the answer, when it is 400 or
 *  above) and the sentence. */
typedef cu_status cu_http_handler(void *context, struct cu_http_request *r, struct cu_http_answer *a, struct cu_err *err);

/** The next piece of a body that is not gathered: r->body, CU_HTTP_PIECE bytes at most, by whichever worker is free; it stays as it is until the next one was taken, or
 *  dropped. r->stream is the taker's own. After the last the handler is called, and lets go of r->stream. A failure is answered at once. */
typedef cu_http_handler cu_http_taker;

enum cu_http_flags {
    CU_HTTP_WAITS = 1, /* ?wait=SECONDS: NOT_FOUND, COPIES_MISSING, COSIGNATURES_MISSING and what is `not_yet` are not answered before the time is over */
    CU_HTTP_TAIL = 2,  /* the last {name} of the path stands for all that follows, slashes among it */
    CU_HTTP_TUS = 4,   /* a resource of the tus protocol, of which every answer says the version */
    CU_HTTP_PARTS = 8, /* parts of it may be asked for */
};
#define CU_HTTP_ANY "*/*"
struct cu_http_parameter { const char *name, *what; }; /* of the query */
#define CU_HTTP_ARGS 2
struct cu_http_route {
    const char *method, *path;     /* "GET", which answers HEAD too; "/v1/receipt/{case}/{number}" */
    cu_http_handler *handle;
    const char *summary;           /* one line, for people */
    const char *takes[2];          /* media types of the body, CU_HTTP_ANY: of any, or none; NULL: there is none */
    size_t takes_max;              /* bytes of it */
    const char *gives;             /* media type of the answer */
    enum cu_ask act;               /* who may ask: peer.h */
    unsigned flags;
    struct cu_http_parameter query[4];
    cu_http_taker *take;           /* NULL: the body is gathered */
    void (*drop)(void *stream);    /* what was taken, of a request that did not come to its handler. A thread of the library: at once */
    unsigned success, also;        /* 0: 200, and no other */
    /* for OpenAPI, in the words of openapi.c */
    const char *shape;             /* of an answer in JSON: its fields */
    const char *wants, *heads;     /* headers of the request; of the answer */
    unsigned weight;               /* so many requests of others this counts for at the rate of an address; 0: one */
};

struct cu_http_request {
    const struct cu_http_route *route;
    struct cu_span arg[CU_HTTP_ARGS]; /* what stood for {…}, decoded; with TAIL the last one still encoded */
    struct cu_span query;             /* encoded: cu_http_query */
    struct cu_span body;
    const char *type;                 /* the body's, of those that the route takes */
    const char *from;                 /* "127.0.0.1" */
    struct cu_peer peer;
    bool head;                        /* nobody gets the bytes */
    void *stream;                     /* the taker's */
};
/** A header's value. False: it is not there. */
bool cu_http_header_of(const struct cu_http_request *r, const char *name, struct cu_span *ret);
/** A decoded value from the query. False: not there. MALFORMED is the caller's to say when *ret is not good. */
CU_MUST_USE cu_status cu_http_query(const struct cu_http_request *r, const char *name, struct cu_buf *ret, bool *ret_there, struct cu_err *err);

enum cu_http_cache { CU_HTTP_NO_STORE, CU_HTTP_BRIEFLY, CU_HTTP_IMMUTABLE };
struct cu_http_answer {
    unsigned http;                 /* 0: 200 */
    const char *type;              /* NULL: the route's */
    struct cu_buf body;
    enum cu_http_cache cache;
    char etag[72];                 /* with its quotes; "": made of the body */
    char file[300];                /* a name to save it under; "": none */
    /* Too large for memory: `body` is its first piece, the rest comes from `piece`, by whichever worker is free. */
    cu_status (*piece)(void *context, struct cu_http_answer *a, uint64_t at, struct cu_buf *ret, struct cu_err *err);
    cu_hash root;                  /* for `piece` */
    bool ranges;                   /* parts may be asked for: `size` is that of the whole, and from and to what is wanted of it */
    uint64_t size, from, to;
    char head[400];                /* further headers, a line each */
    bool not_yet;                  /* it is an answer, but who asked to wait waits for another one */
};
void cu_http_head(struct cu_http_answer *a, const char *fmt, ...) CU_PRINTF(2, 3); /* one more: "Upload-Offset: 7"; an error keeps them */
/** Before the first piece of something that is `size` bytes long: what of it is asked for? 304 or 416 is the answer when false comes back. */
bool cu_http_part(struct cu_http_request *r, struct cu_http_answer *a, const char *etag, uint64_t size);

/** Files' contents, in PEM: our certificate and what leads to its CA, its key (PKCS#8), the CAs of clients, what those revoked (n == 0: nothing). */
struct cu_http_tls { struct cu_span cert, key, ca, revoked; };

struct cu_http_server;
struct cu_http_config {
    const char *address;           /* numeric; without TLS of the loopback */
    const struct cu_http_tls *tls; /* read at the start alone; NULL: plain HTTP */
    /* Whose certificate is it, that leads to one of the CAs; or whose token (`cert` NULL)? NOT_ALLOWED: nobody's, and why. Any thread, at once */
    cu_status (*identify)(void *arg, const struct cu_cert *cert, struct cu_span token, struct cu_peer *ret, struct cu_err *err);
    unsigned port;                 /* 0: any that is free */
    const char *names;             /* further names, separated by spaces, that Host may have */
    bool members_only;             /* over plain HTTP too: whatever is not public is refused */
    const struct cu_http_route *routes;
    size_t routes_n;
    unsigned rate;                 /* requests a second of one address, twice as many at once; 0: as many as come */
    unsigned workers;
    void *const *contexts;         /* one a worker */
    void (*log)(void *arg, const char *line); /* any thread. One line of JSON a request */
    void *arg;                     /* of log */
    void *who;                     /* of identify */
};
/** Listening when it returns; *ret is set before the first handler is called. BUSY: the port is taken. NOT_ALLOWED: an address that others can reach, which this does not serve. */
CU_MUST_USE cu_status cu_http_start(const struct cu_http_config *config, struct cu_http_server **ret, struct cu_err *err);
unsigned cu_http_port(const struct cu_http_server *s);
/** Certificates anew: for handshakes from now on, and every client is judged anew at its next request. Nothing changes when it fails. */
CU_MUST_USE cu_status cu_http_reload(struct cu_http_server *s, const struct cu_http_tls *tls, struct cu_err *err);
/** Members changed: the same without certificates. NULL is fine. */
void cu_http_judge_anew(struct cu_http_server *s);
/** Something was recorded: who waits is tried again. Any thread. NULL is fine. */
void cu_http_wake(struct cu_http_server *s);
/** No new connection; requests that run are answered, for `grace_ms` at most; who waits is answered at once. NULL is fine. */
void cu_http_stop(struct cu_http_server *s, unsigned grace_ms);
bool cu_http_stopping(struct cu_http_server *s);
void cu_http_put_figure(struct cu_buf *out, const char *name, const char *kind, const char *what, uint64_t value); /* in Prometheus' text format */
/** One line of JSON for a log, about no request: {"time":…,"<what>":"<text>"}. `log` NULL: nobody is told. */
void cu_http_tell(void (*log)(void *arg, const char *line), void *arg, cu_unix_ms now, const char *what, const char *text);
/** Figures of the server itself, in Prometheus' text format, appended. */
void cu_http_metrics(struct cu_http_server *s, struct cu_buf *out);

/* ---- the table (route.c) ---- */
#define CU_PROBLEMS_SHAPE "*code title title_zh status# exit# retry="
/** Which route is this? OK; NOT_FOUND: no such path; USAGE: not by this method: `allow` has those that it has, as in Allow.
 *  Decoded arguments go into `mem`. */
CU_MUST_USE cu_status cu_http_match(const struct cu_http_route *routes, size_t n, const char *method, struct cu_span path, struct cu_http_request *ret, struct cu_buf *mem, char allow[64]);
/** The table as OpenAPI 3.1 (openapi.c). */
CU_MUST_USE cu_status cu_http_openapi(const struct cu_http_route *routes, size_t n, const char *title, const char *version, struct cu_buf *out, struct cu_err *err);
/** A problem's body, made of the table of statuses; `http` 0: the status' own. */
void cu_http_problem(unsigned http, cu_status status, const char *text, struct cu_buf *out);

#endif
