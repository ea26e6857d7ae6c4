/* One request a connection, HTTP 1.0: the answer ends where the connection ends. */
#include "engine/cometbft/rpc.h"

#include "custody/limits.h"
#include "custody/text.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 5

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
}

static cu_status connect_to(const char *path, int *ret, struct cu_err *err)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const struct timeval patience = { PATIENCE_S, 0 };

    ENSURE(strlen(path) < sizeof at.sun_path, err, CU_USAGE, "the socket's path is longer than the system takes: %s", path);
    memcpy(at.sun_path, path, strlen(path));
    *ret = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ENSURE(*ret >= 0 && setsockopt(*ret, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
               setsockopt(*ret, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
               connect(*ret, (struct sockaddr *)&at, sizeof at) == 0,
           err, CU_IO, "the consensus engine is not there: %s", strerror(errno));
    return CU_OK;
}

static cu_status send_all(int fd, struct cu_span bytes, struct cu_err *err)
{
    while (bytes.n > 0) {
        const ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        ENSURE(n > 0 || (n < 0 && errno == EINTR), err, CU_IO, "the consensus engine does not listen: %s", strerror(errno));
        bytes = cu_span_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return CU_OK;
}

static cu_status receive(int fd, struct cu_buf *ret, struct cu_err *err)
{
    uint8_t piece[4096];

    for (;;) {
        const ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n == 0) return cu_buf_ok(ret, err);
        if (n < 0 && errno == EINTR) continue;
        ENSURE(n > 0, err, CU_IO, "the consensus engine does not answer: %s", strerror(errno));
        cu_buf_add(ret, cu_span(piece, (size_t)n));
    }
}

static bool holds(struct cu_span bytes, const char *text)
{
    return bytes.n > 0 && memmem(bytes.p, bytes.n, text, strlen(text)) != NULL;
}

cu_status cu_rpc_answer(struct cu_span answer, struct cu_err *err)
{
    CU_BUF shown = cu_buf_heap(800);

    ENSURE(cu_span_starts(answer, cu_span_str("HTTP/1.")), err, CU_IO, "what listens on the engine's socket speaks no HTTP");
    if (holds(answer, "\"result\":") && !holds(answer, "\"error\":")) return CU_OK;
    if (holds(answer, "tx already exists in cache")) return CU_OK;
    cu_text_printable(&shown, cu_span_from(answer, answer.n > 150 ? answer.n - 150 : 0));
    return cu_fail(err, CU_IO, "the consensus engine did not take it: %.*s", (int)shown.n, (const char *)shown.p);
}

static cu_status ask(const char *socket, struct cu_span request, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(close_fd) int fd = -1;

    TRY(connect_to(socket, &fd, err));
    TRY(send_all(fd, request, err));
    return receive(fd, ret, err);
}

/* The rest behind a text; false: it is not there. */
static bool behind(struct cu_span *rest, const char *text)
{
    const uint8_t *at = rest->n > 0 ? memmem(rest->p, rest->n, text, strlen(text)) : NULL;

    if (at) *rest = cu_span_from(*rest, (size_t)(at - rest->p) + strlen(text));
    return at != NULL;
}

size_t cu_rpc_peers_in(struct cu_span answer, uint64_t *ret, size_t max)
{
    size_t n = 0;

    if (!behind(&answer, "\"peers\":[")) return 0;
    while (n < max && behind(&answer, "\"peer_state\":") && behind(&answer, "\"height\":\"")) {
        struct cu_span rest = answer, digits;
        if (cu_span_split(&rest, '"', &digits) && cu_decimal_read(digits, INT64_MAX, &ret[n], NULL) == CU_OK) n++;
    }
    return n;
}

cu_status cu_rpc_peers(const char *socket, uint64_t *ret, size_t max, size_t *ret_n, struct cu_err *err)
{
    CU_BUF answer = cu_buf_heap(CU_RPC_DUMP_MAX);

    TRY(ask(socket, cu_span_str("GET /dump_consensus_state HTTP/1.0\r\nHost: custody\r\n\r\n"), &answer, err));
    *ret_n = cu_rpc_peers_in(cu_buf_span(&answer), ret, max);
    return CU_OK;
}

/* Of the forms that it takes, the one that it reads at least cost: as JSON it is scanned five times over. */
cu_status cu_rpc_broadcast(const char *socket, struct cu_span tx, struct cu_err *err)
{
    CU_BUF request = cu_buf_heap(2 * CU_CHAIN_TX_MAX + 512), answer = cu_buf_heap(CU_RPC_ANSWER_MAX);

    cu_buf_add_str(&request, "GET /broadcast_tx_async?tx=0x");
    cu_hex_put(&request, tx);
    cu_buf_add_str(&request, " HTTP/1.0\r\nHost: custody\r\n\r\n");
    TRY(cu_buf_ok(&request, err));
    TRY(ask(socket, cu_buf_span(&request), &answer, err));
    return cu_rpc_answer(cu_buf_span(&answer), err);
}

cu_status cu_rpc_dial(const char *socket, struct cu_span peers, struct cu_err *err)
{
    CU_BUF body = cu_buf_heap(peers.n + 512), request = cu_buf_heap(peers.n + 1024), answer = cu_buf_heap(CU_RPC_ANSWER_MAX);

    cu_buf_add_str(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"dial_peers\",\"params\":{\"persistent\":true,\"peers\":[");
    cu_buf_add(&body, peers);
    cu_buf_add_str(&body, "]}}");
    TRY(cu_buf_ok(&body, err));
    cu_buf_addf(&request, "POST / HTTP/1.0\r\nHost: custody\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                body.n);
    cu_buf_add(&request, cu_buf_span(&body));
    TRY(cu_buf_ok(&request, err));
    return ask(socket, cu_buf_span(&request), &answer, err);
}

bool cu_dialling_due(struct cu_dialling *d, size_t n, size_t others, uint64_t now_ms)
{
    const bool begins = d->pause_ms == 0 || n > d->had;

    d->had = n;
    if (n >= others) return d->pause_ms = 0, false;
    if (begins) d->pause_ms = CU_DIAL_FIRST_MS, d->due_ms = now_ms + CU_DIAL_FIRST_MS;
    if (now_ms < d->due_ms) return false;
    if (n > 0) d->pause_ms = 2 * d->pause_ms < CU_DIAL_LAST_MS ? 2 * d->pause_ms : CU_DIAL_LAST_MS; /* who is alone goes on */
    d->due_ms = now_ms + d->pause_ms;
    return true;
}
