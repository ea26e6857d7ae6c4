/* One thread a connection: a frame in, a frame out, in order.
 *
 * (1) A frame's length is compared with the maximum before memory is taken for it; lists of what is read have a bound of their own.
 * (2) Answers gather until the node says flush, or until they are many: it waits for nothing else.
 */
#include "engine/cometbft/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GATHER (64u << 10)
#define LISTS (4u << 20) /* for a frame's lists; a transaction is 16 bytes there */

struct server;
struct connection {
    struct server *server;
    int fd; /* -1: this place is free */
    pthread_t thread;
    bool ended;
    struct cu_buf in, out, answer;
    size_t at; /* of `in`: what is answered */
    void *lists;
    struct cu_abci_request request;
    struct cu_abci_response response;
};

struct server {
    const struct cu_abci_config *config;
    int listener, wake[2];
    pthread_mutex_t lock;
    cu_status failed;
    struct cu_err why;
    struct connection at[CU_ABCI_CONNECTIONS_MAX];
};

/* ---- a connection ---- */

static bool send_all(struct connection *c)
{
    for (size_t at = 0; at < c->out.n;) {
        ssize_t n = send(c->fd, c->out.p + at, c->out.n - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += (size_t)n;
    }
    cu_buf_clear(&c->out);
    return true;
}

/* A whole frame, from c->at on: its bytes and its length's. False: none comes any more, or one too large. */
static bool next_frame(struct connection *c, struct cu_span *ret)
{
    for (;;) {
        const struct cu_span have = cu_span_from(cu_buf_span(&c->in), c->at);
        uint64_t n = 0;
        const size_t head = cu_pb_varint(have, &n);
        if ((head == 0 && have.n >= 10) || n > c->server->config->frame_max) return false; /* (1) */
        if (head > 0 && n <= have.n - head) {
            *ret = cu_span(have.p + head, (size_t)n);
            c->at += head + (size_t)n;
            return true;
        }
        if (c->at > 0) memmove(c->in.p, c->in.p + c->at, have.n), c->in.n = have.n, c->at = 0;
        const size_t want = head > 0 && n + head - have.n > GATHER ? (size_t)n + head - have.n : GATHER;
        uint8_t *p = cu_buf_grow(&c->in, want);
        if (!p) return false;
        ssize_t got = recv(c->fd, p, want, 0);
        c->in.n -= want - (got > 0 ? (size_t)got : 0);
        if (got == 0 || (got < 0 && errno != EINTR)) return false;
    }
}

static void put_response(struct connection *c)
{
    cu_pb_put_varint(&c->out, cu_pb_size(&cu_abci_response_table, &c->response));
    cu_pb_write(&cu_abci_response_table, &c->response, &c->out);
}

static void fail_server(struct server *s, cu_status status, const struct cu_err *why)
{
    pthread_mutex_lock(&s->lock);
    if (s->failed == CU_OK) s->failed = status, s->why = *why;
    pthread_mutex_unlock(&s->lock);
    while (write(s->wake[1], "f", 1) < 0 && errno == EINTR) {}
}

static cu_status answer_frame(struct connection *c, struct cu_span frame, struct cu_err *err)
{
    const struct cu_abci_application *app = &c->server->config->application;
    struct cu_buf lists = cu_buf_over(c->lists, LISTS);

    cu_buf_clear(&c->answer);
    TRY(cu_pb_read(&cu_abci_request_table, frame, &c->request, &lists, err));
    ENSURE(cu_abci_which(&cu_abci_request_table, &c->request) != 0, err, CU_MALFORMED,
           "the node asks for something that this application does not know: it is of another version than 0.38 to 0.40");
    memset(&c->response, 0, sizeof c->response);
    TRY(app->answer(app->self, &c->request, &c->response, &c->answer, err));
    CU_ASSERT(cu_abci_which(&cu_abci_response_table, &c->response) != 0);
    return cu_buf_ok(&c->answer, err);
}

static void *run_connection(void *self)
{
    struct connection *c = self;
    struct cu_err err = { 0 };
    struct cu_span frame;

    c->lists = malloc(LISTS);
    cu_status status = c->lists ? CU_OK : cu_fail(&err, CU_NO_MEMORY, "no memory to hear the consensus engine");
    while (status == CU_OK && next_frame(c, &frame)) {
        status = answer_frame(c, frame, &err);
        if (status != CU_OK) {
            memset(&c->response, 0, sizeof c->response);
            c->response.exception.there = true;
            c->response.exception.error = cu_span_str(err.text);
        }
        put_response(c);
        const bool now = status != CU_OK || c->response.flush.there || c->out.n > GATHER; /* (2) */
        if (cu_buf_ok(&c->out, &err) != CU_OK || (now && !send_all(c))) break;
    }
    if (status != CU_OK) fail_server(c->server, status, &err);
    pthread_mutex_lock(&c->server->lock);
    shutdown(c->fd, SHUT_RDWR);
    c->ended = true;
    pthread_mutex_unlock(&c->server->lock);
    return NULL;
}

/* ---- the server ---- */

static void end_connection(struct connection *c)
{
    if (c->fd < 0) return;
    shutdown(c->fd, SHUT_RDWR);
    pthread_join(c->thread, NULL);
    close(c->fd);
    cu_buf_free(&c->in);
    cu_buf_free(&c->out);
    cu_buf_free(&c->answer);
    free(c->lists);
    *c = (struct connection){ .fd = -1 };
}

static struct connection *free_place(struct server *s)
{
    for (unsigned i = 0; i < CU_ABCI_CONNECTIONS_MAX; i++) {
        struct connection *c = &s->at[i];
        pthread_mutex_lock(&s->lock);
        const bool ended = c->ended;
        pthread_mutex_unlock(&s->lock);
        if (ended) end_connection(c);
        if (c->fd < 0) return c;
    }
    return NULL;
}

static void accept_one(struct server *s)
{
    const int fd = accept(s->listener, NULL, NULL);
    struct connection *c = fd >= 0 ? free_place(s) : NULL;

    if (!c) {
        if (fd >= 0) close(fd);
        return;
    }
    *c = (struct connection){ .server = s,
                              .fd = fd,
                              .in = cu_buf_heap(s->config->frame_max + 2 * GATHER),
                              .out = cu_buf_heap(s->config->frame_max + 2 * GATHER),
                              .answer = cu_buf_heap(s->config->frame_max) };
    if (pthread_create(&c->thread, NULL, run_connection, c) == 0) return;
    close(fd);
    *c = (struct connection){ .fd = -1 };
}

static cu_status listen_at(const char *path, int *ret, struct cu_err *err)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };

    ENSURE(strlen(path) < sizeof at.sun_path, err, CU_USAGE, "the socket's path is longer than the system takes: %s", path);
    memcpy(at.sun_path, path, strlen(path));
    *ret = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ENSURE(*ret >= 0, err, CU_IO, "no socket for the consensus engine: %s", strerror(errno));
    unlink(path);
    ENSURE(bind(*ret, (struct sockaddr *)&at, sizeof at) == 0 && chmod(path, 0600) == 0 && listen(*ret, 8) == 0, err, CU_IO,
           "%s cannot be listened on, so no consensus engine reaches this ledger: %s", path, strerror(errno));
    return CU_OK;
}

static void run(struct server *s)
{
    struct pollfd fds[] = { { s->listener, POLLIN, 0 }, { s->config->stop_fd, POLLIN, 0 }, { s->wake[0], POLLIN, 0 } };

    for (;;) {
        const int n = poll(fds, 3, -1);
        if (n < 0 && errno != EINTR) return;
        if (n > 0 && (fds[1].revents || fds[2].revents)) return;
        if (n > 0 && fds[0].revents) accept_one(s);
    }
}

static void let_go(struct server **at)
{
    struct server *s = *at;

    if (!s) return;
    for (unsigned i = 0; i < CU_ABCI_CONNECTIONS_MAX; i++) end_connection(&s->at[i]);
    if (s->listener >= 0) close(s->listener);
    for (unsigned i = 0; i < 2; i++)
        if (s->wake[i] >= 0) close(s->wake[i]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

cu_status cu_abci_serve(const struct cu_abci_config *config, struct cu_err *err)
{
    CU_CLEANUP(let_go) struct server *s = calloc(1, sizeof *s);

    ENSURE(s, err, CU_NO_MEMORY, "no memory for a server");
    s->config = config;
    s->listener = s->wake[0] = s->wake[1] = -1;
    pthread_mutex_init(&s->lock, NULL);
    for (unsigned i = 0; i < CU_ABCI_CONNECTIONS_MAX; i++) s->at[i].fd = -1;
    ENSURE(pipe(s->wake) == 0, err, CU_IO, "no pipe for a server: %s", strerror(errno));
    TRY(listen_at(config->path, &s->listener, err));
    run(s);
    pthread_mutex_lock(&s->lock);
    const cu_status failed = s->failed;
    if (failed != CU_OK && err) *err = s->why;
    pthread_mutex_unlock(&s->lock);
    unlink(config->path);
    return failed;
}
