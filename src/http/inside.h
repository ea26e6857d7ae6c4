/* What the files of the server share, and nobody else sees.
 *
 * (1) An exchange (one request and its answer) belongs to one thread at a time: to the library's while it is read or sent, to a worker's
 *     while its connection is suspended. Queue and parking place are how it changes hands; `lock` guards both.
 * (2) Whoever suspends a connection sees to it that it is resumed: by a worker, always, also when the server stops. The library
 *     does not end while one is suspended.
 *     But for the body of a route with a taker: while a worker has a piece of it (`taken`), the library's thread gathers the next one, as long
 *     as bytes lie ready in the socket. When none do it suspends the connection with bytes in hand: so whatever the worker finds
 *     is told at once, also to who sends no more. `feeding` and `waiting` say where it stands, under `lock`.
 * (3) A connection's descriptor is shut down by nobody but the watch, under `table`, and is in the table no longer when it is closed.
 */
#ifndef CU_HTTP_INSIDE_H
#define CU_HTTP_INSIDE_H

#include "custody/limits.h"
#include "http/server.h"

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

struct cu_http_exchange;
struct cu_http_creds;

/* ---- connections and their deadlines (watch.c) ---- */
struct cu_http_conn {
    struct cu_http_conn *next, **at;
    int fd;
    _Atomic int64_t deadline; /* ms; 0: none, it is our turn */
    char from[INET6_ADDRSTRLEN];
    struct cu_http_creds *creds; /* what the handshake began with; NULL: plain */
    struct cu_peer peer;         /* who it is, by trust and members of this generation, until then; NOBODY: and why */
    uint64_t judged_by, until_ms;
    char why[256];
    _Atomic int unsent;       /* bytes that the kernel still had when the deadline was last put off; 0: it was not */
};
int64_t cu_http_now_ms(void);  /* monotonic */
uint64_t cu_http_wall_ms(void); /* of the calendar */
/** From now on it has CU_HTTP_GRACE_MS, and as long as `bytes` take at the lowest rate that is borne. */
void cu_http_deadline(struct cu_http_conn *c, uint64_t bytes);
void cu_http_no_deadline(struct cu_http_conn *c);
void cu_http_idle(struct cu_http_conn *c); /* until the end of the next request's headers */
/** So many bytes went by: the deadline moves as far as the lowest rate allows, never further than the grace from now. */
void cu_http_moved(struct cu_http_conn *c, uint64_t bytes);
void cu_http_connected(void *server, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode what);
/** One request more of this address: is that within its rate? */
bool cu_http_within_rate(struct cu_http_server *s, const char *from, unsigned weight);
void *cu_http_watch(void *server);
void cu_http_cut_all(struct cu_http_server *s);

/* ---- TLS (tls.c) ---- */
CU_MUST_USE cu_status cu_http_creds_load(const struct cu_http_tls *from, struct cu_http_creds **ret, struct cu_err *err);
struct cu_http_creds *cu_http_creds_take(struct cu_http_server *s); /* NULL: plain HTTP */
void cu_http_creds_drop(struct cu_http_creds *c);                   /* NULL is fine */
int cu_http_show_certificate(gnutls_session_t session, const gnutls_datum_t *cas, int cas_n, const gnutls_pk_algorithm_t *algs, int algs_n,
                             gnutls_pcert_st **ret, unsigned *ret_n, gnutls_privkey_t *ret_key);
/** Who asks, into conn->peer. */
void cu_http_identify(struct cu_http_exchange *x);

/* ---- one request (exchange.c) ---- */
struct cu_http_exchange {
    struct cu_http_exchange *next;
    struct cu_http_server *server;
    struct MHD_Connection *connection;
    struct cu_http_conn *conn;
    struct cu_http_request request;
    struct cu_http_answer answer;
    struct cu_buf body, args;
    struct cu_buf taken;           /* a piece of the body, a worker's; `feeding`: it is in the queue or at work, `waiting`: the connection is suspended until that is done */
    struct cu_buf before;          /* memory of the piece before, which whoever took it may still look at */
    bool feeding, waiting;
    size_t lies;                   /* bytes of it that lay in the socket, when that was last asked, less what came since */
    cu_status fed;                 /* what became of it, and why: not while `feeding` */
    struct cu_err fed_why;
    struct cu_span raw;            /* the target, as much of it as may be */
    const char *raw_at;            /* where the library has it: compared, never read */
    size_t raw_n;
    char allow[64];
    const char *refused;           /* by the gate: why */
    const char *denied;            /* by who he is: why */
    int64_t began, wait_until;     /* ms; wait_until 0: not asked to wait */
    uint64_t charged, skipped;     /* bytes of the body: on the account of all, and left unread */
    uint64_t length, came;         /* of the body: as it was announced, and so far */
    uint64_t answer_charged;       /* the same of the answer in memory */
    uint64_t sent, piece_at;       /* bytes of the answer; where in it `body`, its piece at hand, begins */
    bool judged, ready, last_try, wants_piece, piece_failed, answered;
    bool ended, told;              /* the body has; and: who sends it was told, past the library, why no more of it is wanted */
    char memory[];                 /* of raw and args */
};
void *cu_http_target(void *server, const char *uri, struct MHD_Connection *connection);
enum MHD_Result cu_http_call(void *server, struct MHD_Connection *connection, const char *url, const char *method,
                             const char *version, const char *data, size_t *io_n, void **context);
void cu_http_completed(void *server, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode why);
void cu_http_refuse(struct cu_http_exchange *x, unsigned http, cu_status status, const char *text);
enum MHD_Result cu_http_send(struct cu_http_exchange *x); /* answer.c */
void cu_http_lines(const struct cu_http_exchange *x, struct cu_buf *out); /* its further headers, as they stand on the wire */
/** Suspend, and hand over to the workers: true, and it is theirs. False: there is no room, and what is said then is in it. */
bool cu_http_queue(struct cu_http_exchange *x);
/** A body that is not gathered, so many bytes more of which have come. GO_ON: they are wanted, if x is not `ready` with a refusal by now; SUSPENDED: they come again. */
enum cu_http_next { CU_HTTP_GO_ON, CU_HTTP_SUSPENDED, CU_HTTP_ENDING };
enum cu_http_next cu_http_hand_over(struct cu_http_exchange *x, size_t more);
/** The body has ended. False: a worker is at it still, and the connection is suspended until he is done. */
bool cu_http_all_taken(struct cu_http_exchange *x);
void cu_http_let_go(struct cu_http_exchange *x); /* no worker has anything of it afterwards */
void cu_http_unpark(struct cu_http_server *s, bool all); /* all, or those whose time is over. lock held */

/** One request more, or less, has an answer to wait for. */
void cu_http_under_way(struct cu_http_server *s, int one);

/* ---- figures (metrics.c) ---- */
enum { CU_HTTP_CLASSES = 6 }; /* 0: cut off before an answer; 2xx to 5xx by their first digit */
struct cu_http_figures { _Atomic uint64_t answers[CU_HTTP_CLASSES], ms, bytes_in, bytes_out; };
void cu_http_count(struct cu_http_exchange *x);

struct cu_http_pace { char from[INET6_ADDRSTRLEN]; int64_t empty_at; }; /* microseconds: when what it asked for is worked off at its rate */

struct cu_http_server {
    struct cu_http_config config;
    struct cu_http_pace *paces;      /* HTTP_PEERS of them, each address at one place; under `table` */
    struct MHD_Daemon *daemon;
    unsigned port;
    char hosts[4096];
    char *trust;                     /* the CAs that the library was given, in PEM */
    struct cu_http_figures *figures; /* one a route, and one for what had none */
    _Atomic uint64_t cut, gated, denied, hurried, body_bytes, answer_bytes, generation_of_trust; /* the last begins at 1 */
    _Atomic bool stopping;

    pthread_mutex_t table;
    struct cu_http_conn *conns;
    struct cu_http_creds *creds;     /* for handshakes that begin now; NULL: plain HTTP */
    size_t conns_n;

    pthread_mutex_t lock;
    pthread_cond_t work, done, fed;
    struct cu_http_exchange *first, **last, *parked;
    size_t queued, parked_n, exchanges; /* in the queue; waiting; judged and not yet completed */
    uint64_t generation;           /* counts what cu_http_wake told */
    bool ending;
    pthread_t worker[CU_HTTP_WORKERS_MAX], watch;
    unsigned workers_n;
    bool watching;
};

#endif
