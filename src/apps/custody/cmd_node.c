/* custody node: the ledger of a folder, served over HTTP */
#include "apps/custody/app.h"
#include "http/node.h"

#include <sys/statvfs.h>

#define WORKERS 8
#define FREE_PERCENT 5

/* Evidence that is half written is no evidence: before the disk is full no more is taken. */
static cu_status room_left(void *session, struct cu_err *err)
{
    struct session *s = session;
    struct statvfs disk;

    if (statvfs(s->root, &disk) != 0) return cu_posix_fail(err, errno, "look at the disk of", s->root);
    ENSURE((uint64_t)disk.f_bavail * 100 >= (uint64_t)disk.f_blocks * FREE_PERCENT, err, CU_NO_SPACE,
           "less than %d %% of the disk are free: nothing more is recorded until there is room; what is recorded can be read",
           FREE_PERCENT);
    return CU_OK;
}

static void log_line(void *session, const char *line)
{
    const struct session *s = session;

    if (!s->run->quiet) fprintf(stderr, "%s\n", line);
}

/* ADDRESS:PORT, the address of an IPv6 in brackets or not. */
static cu_status read_listen(const char *text, char ret_address[64], unsigned *ret_port, struct cu_err *err)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    uint64_t port;

    ENSURE(n > 0 && n < 64, err, CU_USAGE, "--listen %s: it is ADDRESS:PORT, as in 127.0.0.1:8714", text);
    TRY(number_read("--listen ADDRESS:PORT, the port", colon + 1, 65535, &port, err));
    if (text[0] == '[' && text[n - 1] == ']') text++, n -= 2;
    snprintf(ret_address, 64, "%.*s", (int)n, text);
    *ret_port = (unsigned)port;
    return CU_OK;
}

static void tell(struct session *s, const char *address, unsigned port)
{
    const bool six = strchr(address, ':') != NULL;
    struct cu_buf *out = &s->run->out;
    char url[100];

    snprintf(url, sizeof url, "http://%s%s%s:%u", six ? "[" : "", address, six ? "]" : "", port);
    if (s->run->json) {
        struct cu_json j = cu_json_on(out);
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "listening", url);
        cu_tell_network(&j, &s->place.trust.network);
        cu_json_close(&j, '}');
        cu_buf_add_str(out, "\n");
    } else cu_buf_addf(out, "listening  %s\n", url);
    run_print(s->run);
}

static cu_status serve(struct session *s, void *arg, struct cu_err *err)
{
    const struct timespec pause = { 0, 100000000 };
    const char *workers = opt(s->run, "workers");
    struct cu_node_config config = { .place = &s->place,
                                     .names = opt(s->run, "name"),
                                     .members_only = opt_is(s->run, "members-only"),
                                     .ready = room_left,
                                     .log = log_line,
                                     .arg = s };
    char address[64];
    struct cu_node *node;
    uint64_t n = WORKERS;

    (void)arg;
    TRY(read_listen(opt(s->run, "listen") ? opt(s->run, "listen") : "127.0.0.1:8714", address, &config.port, err));
    if (workers) TRY(number_read("--workers", workers, CU_HTTP_WORKERS_MAX, &n, err));
    ENSURE(n > 0, err, CU_USAGE, "--workers: one at least");
    config.address = address;
    config.workers = (unsigned)n;
    TRY(cu_node_start(&config, &node, err));
    tell(s, address, cu_node_port(node));
    while (!interrupted()) nanosleep(&pause, NULL);
    cu_node_stop(node);
    return CU_OK;
}

static cu_status go_node(struct run *run, struct cu_err *err)
{
    if (opt_is(run, "openapi")) return cu_node_openapi(&run->out, err);
    run->threads = true;
    return in_session(run, MODE_WRITE, serve, NULL, err);
}

const struct command command_node = {
    .name = "node",
    .args = "[--listen ADDRESS:PORT]",
    .line = "serve the ledger over HTTP, on this machine",
    .help =
        "Opens the ledger for writing, holds it, and serves it: records are submitted, receipts, entries, evidence and lists are "
        "fetched, and any tlog client reads the log. One line of JSON a request goes to stderr; it names the route, never what "
        "was asked for. It listens on the loopback alone, for over plain HTTP nobody is asked who he is. Ends on SIGTERM or "
        "Ctrl-C, when the requests that run are answered.",
    .args_max = 0,
    .go = go_node,
    .options = { { "listen", "ADDRESS:PORT", "where to listen (by default 127.0.0.1:8714; port 0: any that is free)" },
                 { "name", "NAMES", "further names that clients may call it by, as in Host, separated by spaces" },
                 { "members-only", NULL, "of what is served, only checkpoint, hash tiles, health and figures" },
                 { "workers", "N", "threads that answer (by default 8)" },
                 { "openapi", NULL, "print the interface as OpenAPI 3.1 and end" } },
};
