/* Starting, the workers, the parking place, stopping. */
#include "http/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- the queue ---- */

static void push(struct cu_http_server *s, struct cu_http_exchange *x)
{
    x->next = NULL;
    *s->last = x;
    s->last = &x->next;
    s->queued++;
    pthread_cond_signal(&s->work);
}

/* What comes anew must find room; a piece of what is being sent was let in before. */
bool cu_http_queue(struct cu_http_exchange *x)
{
    struct cu_http_server *s = x->server;

    pthread_mutex_lock(&s->lock);
    const bool piece = x->wants_piece || (x->request.route->take && x->came > 0);
    const bool room = !s->ending && (piece || s->queued < CU_HTTP_QUEUE);
    if (room) {
        cu_http_no_deadline(x->conn);
        MHD_suspend_connection(x->connection);
        push(s, x);
    }
    pthread_mutex_unlock(&s->lock);
    if (!room && !piece) cu_http_refuse(x, 503, CU_BUSY, "too many requests wait already: nothing was done, try again");
    return room;
}

/* ---- bodies that are not gathered ---- */

/* 0: the status' own. */
static unsigned http_of(const struct cu_http_answer *a, cu_status status)
{
    return a->http >= 400 ? a->http : status == CU_NO_SPACE ? 503 : 0;
}

/* lock held */
static void suspend(struct cu_http_exchange *x)
{
    x->waiting = true;
    cu_http_no_deadline(x->conn);
    MHD_suspend_connection(x->connection);
}

/* The worker's piece is what was gathered; the one before stays until he has taken it. */
static void exchange_buffers(struct cu_http_exchange *x)
{
    const struct cu_buf next = x->before;

    x->charged -= x->body.n;
    x->before = x->taken;
    x->taken = x->body;
    x->body = next;
}

/* Asked again before what was there at the last question can be used up: of TLS it counts what is around the bytes, too. */
static bool lies_ready(struct cu_http_exchange *x)
{
    enum { AROUND = 32768 };
    int n = 0;

    if (x->lies > AROUND) return true;
    x->lies = ioctl(x->conn->fd, SIOCINQ, &n) == 0 && n > 0 ? (size_t)n : 0;
    return x->lies > 0;
}

/* lock held, or the connection is suspended. What the worker found is said once he is done. */
static void learn(struct cu_http_exchange *x)
{
    if (!x->feeding && x->fed != CU_OK && !x->ready) cu_http_refuse(x, http_of(&x->answer, x->fed), x->fed, x->fed_why.text);
}

enum cu_http_next cu_http_hand_over(struct cu_http_exchange *x, size_t more)
{
    struct cu_http_server *s = x->server;
    enum cu_http_next next = CU_HTTP_GO_ON;

    x->lies -= more < x->lies ? more : x->lies;
    pthread_mutex_lock(&s->lock);
    learn(x);
    if (s->ending) next = CU_HTTP_ENDING;
    else if (!x->ready && !x->feeding && x->body.n + more > CU_HTTP_PIECE) {
        exchange_buffers(x);
        x->feeding = true;
        push(s, x);
    }
    if (x->feeding && (x->body.n + more > CU_HTTP_PIECE || !lies_ready(x))) suspend(x), next = CU_HTTP_SUSPENDED;
    pthread_mutex_unlock(&s->lock);
    return next;
}

bool cu_http_all_taken(struct cu_http_exchange *x)
{
    pthread_mutex_lock(&x->server->lock);
    const bool all = !x->feeding;
    learn(x);
    if (!all) suspend(x);
    pthread_mutex_unlock(&x->server->lock);
    return all;
}

void cu_http_let_go(struct cu_http_exchange *x)
{
    struct cu_http_server *s = x->server;

    pthread_mutex_lock(&s->lock);
    for (struct cu_http_exchange **at = &s->first; x->feeding && *at; at = &(*at)->next) {
        if (*at != x) continue;
        *at = x->next;
        if (!x->next) s->last = at;
        s->queued--;
        x->feeding = false;
        break;
    }
    while (x->feeding) pthread_cond_wait(&s->fed, &s->lock); /* a write to a disk, at the longest */
    pthread_mutex_unlock(&s->lock);
}

static struct cu_http_exchange *pop(struct cu_http_server *s)
{
    struct cu_http_exchange *x = s->first;

    s->first = x->next;
    if (!s->first) s->last = &s->first;
    s->queued--;
    return x;
}

/* Those whose time is over are tried a last time. */
void cu_http_unpark(struct cu_http_server *s, bool all)
{
    const int64_t now = cu_http_now_ms();

    for (struct cu_http_exchange **at = &s->parked; *at;) {
        struct cu_http_exchange *x = *at;
        const bool late = x->wait_until <= now;
        if (!all && !late) {
            at = &x->next;
            continue;
        }
        *at = x->next;
        x->last_try = late;
        s->parked_n--;
        push(s, x);
    }
}

void cu_http_wake(struct cu_http_server *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->generation++;
    cu_http_unpark(s, true);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the workers ---- */

static void take_piece(struct cu_http_exchange *x, void *context)
{
    struct cu_http_answer *a = &x->answer;

    cu_buf_clear(&a->body);
    const cu_status got = a->piece(context, a, a->from + x->piece_at, &a->body, NULL);
    x->piece_failed = got != CU_OK || a->body.n == 0 || cu_buf_ok(&a->body, NULL) != CU_OK;
    x->wants_piece = false;
}

/* What is refused is answered when the body has ended, or past the library. */
static void feed(struct cu_http_exchange *x, void *context)
{
    x->request.body = cu_buf_span(&x->taken);
    x->fed = x->request.route->take(context, &x->request, &x->answer, &x->fed_why);
    x->request.body = CU_SPAN_EMPTY;
    x->server->body_bytes -= x->taken.n;
    cu_buf_clear(&x->taken);
}

/* lock held */
static void feed_on(struct cu_http_server *s, struct cu_http_exchange *x, void *context)
{
    pthread_mutex_unlock(&s->lock);
    feed(x, context);
    pthread_mutex_lock(&s->lock);
    const bool resume = x->waiting;
    x->feeding = x->waiting = false;
    if (!resume) return (void)pthread_cond_broadcast(&s->fed); /* it may be gone by now */
    pthread_mutex_unlock(&s->lock);
    cu_http_deadline(x->conn, 0);
    MHD_resume_connection(x->connection); /* (1), (2) */
    pthread_mutex_lock(&s->lock);
}

/* What all answers in memory take together is bounded, but for those that the workers are making. */
static void charge(struct cu_http_exchange *x)
{
    x->server->answer_bytes += x->answer.body.cap - x->answer_charged;
    x->answer_charged = x->answer.body.cap;
}

/* False: it is not there yet, and it was asked to wait. */
static bool answer(struct cu_http_exchange *x, void *context)
{
    struct cu_err err = { 0 };
    cu_status done = CU_BUSY;

    if (x->server->answer_bytes > CU_HTTP_ANSWERS)
        cu_fail(&err, done, "too many answers are on their way at once: nothing was done, try again");
    else done = x->request.route->handle(context, &x->request, &x->answer, &err);
    if (done == CU_OK) done = cu_buf_ok(&x->answer.body, &err);
    charge(x);
    if (x->wait_until && !x->last_try &&
        (done == CU_NOT_FOUND || done == CU_COPIES_MISSING || done == CU_COSIGNATURES_MISSING || x->answer.not_yet)) {
        cu_buf_clear(&x->answer.body);
        x->answer = (struct cu_http_answer){ .body = x->answer.body };
        return false;
    }
    if (done != CU_OK) cu_http_refuse(x, http_of(&x->answer, done), done, err.text);
    if (done == CU_OK && x->answer.http == 416) {
        const struct cu_http_answer was = x->answer;
        cu_http_refuse(x, 416, CU_USAGE, "there are no such bytes, or several ranges were asked for: one is given");
        x->answer.ranges = true;
        x->answer.size = was.size;
    }
    x->ready = true;
    return true;
}

static bool run(struct cu_http_exchange *x, void *context)
{
    const bool streams = x->request.route->take != NULL;

    if (x->wants_piece) return take_piece(x, context), true;
    if (streams && x->body.n > 0) {
        exchange_buffers(x);
        feed(x, context);
        learn(x);
    }
    return x->ready || answer(x, context);
}

/* lock held. What was told while it was tried is not missed: it is tried again. */
static void park(struct cu_http_server *s, struct cu_http_exchange *x, uint64_t generation)
{
    const bool full = s->parked_n >= CU_HTTP_PARKED, late = s->stopping || cu_http_now_ms() >= x->wait_until;

    x->last_try = full || late;
    if (full || late || generation != s->generation) return push(s, x);
    x->next = s->parked;
    s->parked = x;
    s->parked_n++;
}

struct worker {
    struct cu_http_server *s;
    void *context;
};

static void work(struct cu_http_server *s, struct cu_http_exchange *x, void *context)
{
    const uint64_t generation = s->generation;

    if (x->feeding) return feed_on(s, x, context);
    pthread_mutex_unlock(&s->lock);
    const bool finished = run(x, context);
    pthread_mutex_lock(&s->lock);
    if (!finished) return park(s, x, generation);
    pthread_mutex_unlock(&s->lock);
    cu_http_deadline(x->conn, 0);
    MHD_resume_connection(x->connection); /* (1), (2): from here on it is the library's */
    pthread_mutex_lock(&s->lock);
}

static void *worker(void *arg)
{
    const struct worker w = *(struct worker *)arg;
    struct cu_http_server *s = w.s;

    free(arg);
    pthread_mutex_lock(&s->lock);
    while (s->first || !s->ending) {
        if (s->first) work(s, pop(s), w.context);
        else pthread_cond_wait(&s->work, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static cu_status start_workers(struct cu_http_server *s, struct cu_err *err)
{
    for (; s->workers_n < s->config.workers; s->workers_n++) {
        struct worker *w = malloc(sizeof *w);
        ENSURE(w, err, CU_NO_MEMORY, "no memory for a server");
        *w = (struct worker){ s, s->config.contexts[s->workers_n] };
        if (pthread_create(&s->worker[s->workers_n], NULL, worker, w) == 0) continue;
        free(w);
        return cu_fail(err, CU_NO_MEMORY, "no thread for a server");
    }
    s->watching = pthread_create(&s->watch, NULL, cu_http_watch, s) == 0;
    ENSURE(s->watching, err, CU_NO_MEMORY, "no thread for a server");
    return CU_OK;
}

/* ---- starting ---- */

/* Without TLS, one's own. */
static cu_status listen_address(const struct cu_http_config *config, struct sockaddr_storage *ret, struct cu_err *err)
{
    struct sockaddr_in *four = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
    static const struct in6_addr six_loopback = IN6ADDR_LOOPBACK_INIT;
    bool own = false;

    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, config->address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)config->port);
        own = ntohl(four->sin_addr.s_addr) >> 24 == 127;
    } else if (inet_pton(AF_INET6, config->address, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)config->port);
        own = memcmp(&six->sin6_addr, &six_loopback, sizeof six_loopback) == 0;
    } else return cu_fail(err, CU_USAGE, "%s is no numeric address", config->address);
    ENSURE(own || config->tls, err, CU_NOT_ALLOWED,
           "%s can be reached by others, who would read and write without being asked who they are: use --tls, or listen on "
           "127.0.0.1 or ::1",
           config->address);
    return CU_OK;
}

/* The names that Host may have, with the port and, where it is the usual one, without: one's own, and those of the certificate. */
static cu_status name_hosts(struct cu_http_server *s, struct cu_err *err)
{
    struct cu_buf out = cu_buf_over(s->hosts, sizeof s->hosts - 1);
    const bool six = strchr(s->config.address, ':') != NULL;
    CU_BUF own = cu_buf_heap(sizeof s->hosts);

    cu_buf_addf(&own, six ? "[%s] localhost " : "%s localhost ", s->config.address);
    if (s->config.tls) TRY(cu_cert_hosts(s->config.tls->cert, &own, err));
    for (struct cu_span rest = cu_buf_span(&own); rest.n;) {
        const size_t n = (size_t)((const uint8_t *)memchr(rest.p, ' ', rest.n) - rest.p);
        cu_buf_addf(&out, "%.*s:%u ", (int)n, (const char *)rest.p, s->port);
        if (s->port == (s->config.tls ? 443U : 80U)) cu_buf_addf(&out, "%.*s ", (int)n, (const char *)rest.p);
        rest = cu_span_from(rest, n + 1);
    }
    if (s->config.names) cu_buf_add_str(&out, s->config.names);
    TRY(cu_buf_ok(&out, err));
    s->hosts[out.n] = 0;
    return CU_OK;
}

static cu_status bind_to(struct cu_http_server *s, int fd, struct cu_err *err)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    const int on = 1;

    TRY(listen_address(&s->config, &address, err));
    const socklen_t size = address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) != 0)
        return cu_fail(err, errno == EADDRINUSE ? CU_BUSY : CU_IO, "%s port %u cannot be listened on: %s", s->config.address,
                       s->config.port, strerror(errno));
    s->port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                  : ((struct sockaddr_in *)&address)->sin_port);
    return CU_OK;
}

/* Bound before the library begins: whoever comes first is judged by names that are there. */
static cu_status listen_on(struct cu_http_server *s, struct cu_err *err)
{
    const int fd = socket(strchr(s->config.address, ':') ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ENSURE(fd >= 0, err, CU_IO, "no socket to listen on: %s", strerror(errno));
    cu_status bound = bind_to(s, fd, err);
    if (bound == CU_OK) bound = name_hosts(s, err);
    if (bound != CU_OK) close(fd);
    TRY(bound);
    /* Given a CA the library asks clients for certificates, without judging them; which CA it is does not matter to it. */
    static char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a function as the library's list of options wants it
    struct MHD_OptionItem tls[] = { { MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(intptr_t)cu_http_show_certificate },
                                    { MHD_OPTION_HTTPS_MEM_TRUST, 0, s->trust },
                                    { MHD_OPTION_HTTPS_PRIORITIES, 0, versions },
                                    { MHD_OPTION_END, 0, NULL } };
    if (!s->creds) tls[0].option = MHD_OPTION_END;
    s->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (s->creds ? MHD_USE_TLS : 0), 0, NULL,
                                 NULL, cu_http_call, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, cu_http_target,
                                 s, MHD_OPTION_NOTIFY_COMPLETED, cu_http_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
                                 cu_http_connected, s, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CU_HTTP_CONNECTIONS,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CU_HTTP_HEADER_BYTES, MHD_OPTION_THREAD_POOL_SIZE,
                                 (unsigned)CU_HTTP_READERS,
#if MHD_VERSION < 0x00097701
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1,
#else
                                 MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1,
#endif
                                 MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    ENSURE(s->daemon, err, CU_IO, "the HTTP library does not start"); /* it has closed the socket */
    return CU_OK;
}

static cu_status load_tls(struct cu_http_server *s, struct cu_err *err)
{
    const struct cu_http_tls *tls = s->config.tls;

    if (!tls) return CU_OK;
    TRY(cu_http_creds_load(tls, &s->creds, err));
    s->trust = calloc(1, tls->ca.n + 1);
    ENSURE(s->trust, err, CU_NO_MEMORY, "no memory for certificates");
    memcpy(s->trust, tls->ca.p, tls->ca.n);
    return CU_OK;
}

static void free_server(struct cu_http_server **at)
{
    struct cu_http_server *s = *at;

    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->workers_n; i++) pthread_join(s->worker[i], NULL);
    if (s->watching) pthread_join(s->watch, NULL);
    if (s->daemon) MHD_stop_daemon(s->daemon);
    cu_http_creds_drop(s->creds);
    free(s->trust);
    pthread_mutex_destroy(&s->table);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->fed);
    pthread_cond_destroy(&s->done);
    free(s->figures);
    free(s->paces);
    free(s);
    *at = NULL;
}

static void make_locks(struct cu_http_server *s)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&s->table, NULL);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->fed, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

cu_status cu_http_start(const struct cu_http_config *config, struct cu_http_server **ret, struct cu_err *err)
{
    CU_CLEANUP(free_server) struct cu_http_server *s = calloc(1, sizeof *s);

    ENSURE(s, err, CU_NO_MEMORY, "no memory for a server");
    CU_ASSERT(config->workers > 0 && config->workers <= CU_HTTP_WORKERS_MAX);
    s->config = *config;
    s->last = &s->first;
    make_locks(s);
    s->figures = calloc(config->routes_n + 1, sizeof *s->figures);
    s->paces = calloc(CU_HTTP_PEERS, sizeof *s->paces);
    ENSURE(s->figures && s->paces, err, CU_NO_MEMORY, "no memory for a server");
    s->generation_of_trust = 1;
    TRY(load_tls(s, err));
    TRY(start_workers(s, err));
    *ret = s; /* a handler may be called before this returns, and may want it */
    const cu_status listening = listen_on(s, err);
    if (listening == CU_OK) s = NULL;
    else *ret = NULL;
    if (s == NULL) (*ret)->config.tls = NULL; /* the caller's, and read */
    return listening;
}

unsigned cu_http_port(const struct cu_http_server *s) { return s->port; }
bool cu_http_stopping(struct cu_http_server *s) { return s->stopping; }

/* ---- stopping ---- */

void cu_http_under_way(struct cu_http_server *s, int one)
{
    pthread_mutex_lock(&s->lock);
    s->exchanges += (size_t)one;
    if (s->exchanges == 0) pthread_cond_broadcast(&s->done);
    pthread_mutex_unlock(&s->lock);
}

void cu_http_stop(struct cu_http_server *s, unsigned grace_ms)
{
    struct timespec until;

    if (!s) return;
    s->stopping = true;
    const int listening = MHD_quiesce_daemon(s->daemon);
    if (listening >= 0) close(listening);
    cu_http_wake(s); /* nobody is parked again */
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += grace_ms / 1000;
    pthread_mutex_lock(&s->lock);
    while (s->exchanges > 0 && pthread_cond_timedwait(&s->done, &s->lock, &until) == 0) continue;
    pthread_mutex_unlock(&s->lock);
    cu_http_cut_all(s);
    free_server(&s);
}
