/* custody node: the ledger of a folder, served over HTTP */
#include "apps/custody/app.h"
#include "http/node.h"
#include "service/cosigned.h"

#include <signal.h>
#include <sys/statvfs.h>

#define WORKERS 8
#define FREE_PERCENT 5
#define TLS_RATE 1000
#define PULL_LANES 4
#define WITHHELD_S 3600

/* Evidence that is half written is no evidence: before the disk is full no more is taken. */
static cu_status room_left(void *session, struct cu_err *err)
{
    struct session *s = session;
    struct statvfs disk;
    uint64_t percent = FREE_PERCENT;

    if (opt(s->run, "keep-free")) TRY(number_read("--keep-free", opt(s->run, "keep-free"), 100, &percent, err));
    if (statvfs(s->root, &disk) != 0) return cu_posix_fail(err, errno, "look at the disk of", s->root);
    ENSURE((uint64_t)disk.f_bavail * 100 >= (uint64_t)disk.f_blocks * percent, err, CU_NO_SPACE,
           "less than %llu %% of the disk are free: nothing more is recorded until there is room; what is recorded can be read",
           LLU(percent));
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

/* ---- certificates ---- */

struct tls_files {
    struct cu_buf cert, key, ca, revoked;
    struct cu_http_tls tls;
};
static void forget_files(struct tls_files *f)
{
    if (f->key.p) cu_wipe(f->key.p, f->key.n);
    if (f->cert.p) cu_wipe(f->cert.p, f->cert.n); /* the key may stand there too */
    cu_buf_free(&f->cert);
    cu_buf_free(&f->key);
    cu_buf_free(&f->ca);
    cu_buf_free(&f->revoked);
}

/* What the option names; else what lies in the ledger's folder. */
static cu_status read_file(struct session *s, const char *option, const char *usual, struct cu_buf *ret, struct cu_err *err)
{
    *ret = cu_buf_heap(CU_CERT_PEM_MAX * 16);
    if (opt(s->run, option)) return read_argument_file(opt(s->run, option), ret->max, ret, err);
    return cu_fs_read(&s->place.fs, usual, ret->max, ret, err);
}

static cu_status read_tls(struct session *s, struct tls_files *f, struct cu_err *err)
{
    TRY(read_file(s, "tls-cert", CU_DIR_TLS "/server.pem", &f->cert, err));
    TRY(read_file(s, opt(s->run, "tls-key") ? "tls-key" : "tls-cert", CU_DIR_TLS "/server.pem", &f->key, err));
    TRY(read_file(s, "tls-ca", CU_DIR_TLS "/ca.pem", &f->ca, err));
    const cu_status read = read_file(s, "tls-revoked", CU_DIR_TLS "/revoked.pem", &f->revoked, err);
    if (read != CU_NOT_FOUND || opt(s->run, "tls-revoked")) TRY(read);
    f->tls = (struct cu_http_tls){ cu_buf_span(&f->cert), cu_buf_span(&f->key), cu_buf_span(&f->ca), cu_buf_span(&f->revoked) };
    return CU_OK;
}

static cu_status begin_tls(struct session *s, struct tls_files *f, struct cu_node_config *config, struct cu_err *err)
{
    const bool named = opt(s->run, "tls-cert") || opt(s->run, "tls-key") || opt(s->run, "tls-ca") || opt(s->run, "tls-revoked");

    if (!named && !opt_is(s->run, "tls")) return CU_OK;
    const cu_status read = read_tls(s, f, err);
    if (read != CU_OK) return cu_fail_while(err, read, "TLS: no certificates to begin with (`custody ca init` makes them)");
    config->tls = &f->tls;
    return CU_OK;
}

/* ---- where content is pulled from ---- */

struct sources {
    struct cu_copy_source *at;
    size_t n;
    char *text; /* their addresses */
    atomic_bool ending;
};

static void close_sources(struct sources *s)
{
    for (size_t i = 0; i < s->n * CU_COPY_LANES_MAX; i++) {
        struct cu_remote *lane = &s->at[i / CU_COPY_LANES_MAX].lane[i % CU_COPY_LANES_MAX];
        if (lane->ops) lane->ops->close(lane->self);
    }
    free(s->at);
    free(s->text);
}

static cu_status open_source(struct session *s, const struct cu_remote_kind *part, struct sources *to, const char *url,
                             enum cu_holder kind, unsigned lanes, struct cu_err *err)
{
    const struct cu_remote_address address = { url, opt(s->run, "cacert"), opt(s->run, "cert"), &to->ending };

    ENSURE(to->n < CU_COPY_SOURCES_MAX, err, CU_USAGE, "--provider, --peer: %d addresses at most", CU_COPY_SOURCES_MAX);
    struct cu_copy_source *source = &to->at[to->n++];
    source->url = url;
    for (unsigned i = 0; i < lanes; i++) TRY(part->source(&address, kind, &source->lane[i], err));
    return CU_OK;
}

/* For whoever works on the folder when no node runs: what is not in its store of the provider's is not missing there. */
static cu_status note_far(struct session *s, const char *url, struct cu_err *err)
{
    CU_BUF line = cu_buf_heap(4096);

    cu_buf_addf(&line, "%s\n", url);
    TRY(cu_buf_ok(&line, err));
    s->place.near = CU_STORE_NODE;
    return cu_fs_replace(&s->place.fs, CU_FILE_CLOUD_FAR, CU_DIR_NODE_OBJECTS "/incoming/provider", cu_buf_span(&line), true,
                         err);
}

static cu_status open_sources(struct session *s, struct sources *to, struct cu_node_copies *copies, struct cu_err *err)
{
    static const char *const names[] = { [CU_HOLDER_NODE] = "peer", [CU_HOLDER_PROVIDER] = "provider" };
    const char *given[] = { opt(s->run, names[0]), opt(s->run, names[1]) };
    uint64_t lanes = PULL_LANES, withheld = WITHHELD_S;
    char *rest = NULL;
    size_t n = 0;

    if (opt(s->run, "pull-lanes")) TRY(number_read("--pull-lanes", opt(s->run, "pull-lanes"), CU_COPY_LANES_MAX, &lanes, err));
    if (opt(s->run, "withheld-after"))
        TRY(number_read("--withheld-after", opt(s->run, "withheld-after"), 1u << 30, &withheld, err));
    ENSURE(lanes > 0, err, CU_USAGE, "--pull-lanes: one at least");
    for (unsigned kind = 0; kind < 2; kind++) n += given[kind] ? strlen(given[kind]) + 1 : 0;
    if (n == 0) return CU_OK;
    const struct cu_remote_kind *part;
    TRY(afar_part(&part, err));
    to->at = calloc(CU_COPY_SOURCES_MAX, sizeof *to->at);
    to->text = malloc(n);
    ENSURE(to->at && to->text, err, CU_NO_MEMORY, "no memory for a node's sources");
    char *at = to->text;
    for (int kind = CU_HOLDER_PROVIDER; kind >= 0; kind--) { /* the provider first */
        if (!given[kind]) continue;
        char *own = memcpy(at, given[kind], strlen(given[kind]) + 1);
        at += strlen(given[kind]) + 1;
        for (char *url = strtok_r(own, " ", &rest); url; url = strtok_r(NULL, " ", &rest)) {
            if (kind == CU_HOLDER_PROVIDER && !copies->provider) copies->provider = url;
            TRY(open_source(s, part, to, url, (enum cu_holder)kind, (unsigned)lanes, err));
        }
    }
    TRY(note_far(s, to->at[0].url, err));
    copies->sources = to->at;
    copies->sources_n = to->n;
    copies->lanes = (unsigned)lanes;
    copies->withheld_ms = withheld * 1000;
    copies->ending = &to->ending;
    return CU_OK;
}

static volatile sig_atomic_t asked_to_reload;
static void note_reload(int signal)
{
    (void)signal;
    asked_to_reload = 1;
}

static void reload(struct session *s, struct cu_node *node)
{
    CU_CLEANUP(forget_files) struct tls_files files = { .tls = { .cert = CU_SPAN_EMPTY } };
    CU_BUF line = cu_buf_heap(4096);
    struct cu_json j = cu_json_on(&line);
    struct cu_err err = { 0 };
    cu_status done = read_tls(s, &files, &err);

    if (done == CU_OK) done = cu_node_reload(node, &files.tls, &err);
    cu_json_open(&j, NULL, '{');
    cu_json_time(&j, "time", cu_place_now(&s->place));
    cu_json_str(&j, "certificates", done == CU_OK ? "loaded anew" : "as before");
    if (done != CU_OK) cu_json_str(&j, "error", err.text);
    cu_json_close(&j, '}');
    cu_buf_add_byte(&line, 0);
    if (cu_buf_ok(&line, NULL) == CU_OK) log_line(s, (const char *)line.p);
}

static void tell(struct session *s, const char *scheme, const char *address, unsigned port)
{
    const bool six = strchr(address, ':') != NULL;
    struct cu_buf *out = &s->run->out;
    char url[100];

    snprintf(url, sizeof url, "%s://%s%s%s:%u", scheme, six ? "[" : "", address, six ? "]" : "", port);
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

/* With a key to cosign with, it does; one whose state is not there, or damaged, signs nothing, and the node serves without. */
static cu_status begin_cosigning(struct session *s, struct cosigning *c, struct cu_buf *witnessed, struct cu_node_config *config,
                                 struct cu_err *err)
{
    if (!cu_fs_exists(&s->place.fs, CU_FILE_COSIGN_KEY)) return CU_OK;
    struct cu_err why = { 0 };
    const cu_status opened = cosigner_open(s, c, &why);
    if (opened != CU_OK && opened != CU_NOT_FOUND && opened != CU_CORRUPT && opened != CU_UNTRUSTED)
        return cu_fail(err, opened, "%s", why.text);
    if (opened != CU_OK) {
        say(s->run, "%s\n", why.text);
        return CU_OK;
    }
    config->cosigner = &c->cosigner;
    const cu_status read = cu_fs_read(&s->place.fs, CU_FILE_WITNESSED, CU_TRUST_MAX, witnessed, err);
    if (read == CU_NOT_FOUND) return CU_OK;
    config->witnessed = cu_buf_span(witnessed);
    return read;
}

static cu_status serve(struct session *s, void *arg, struct cu_err *err)
{
    const struct timespec pause = { 0, 100000000 };
    const char *workers = opt(s->run, "workers");
    CU_CLEANUP(forget_files) struct tls_files files = { .tls = { .cert = CU_SPAN_EMPTY } };
    CU_CLEANUP(close_sources) struct sources sources = { 0 };
    CU_CLEANUP(cosigner_close) struct cosigning cosigning = { .open = false };
    CU_BUF witnessed = cu_buf_heap(CU_TRUST_MAX), peers = cu_buf_heap(CU_NETWORK_MAX);
    struct cu_node_config config = { .place = &s->place,
                                     .names = opt(s->run, "name"),
                                     .members_only = opt_is(s->run, "members-only"),
                                     .peers = opt(s->run, "cosigners"),
                                     .ready = room_left,
                                     .log = log_line,
                                     .arg = s };
    char address[64], usual[257];
    struct cu_node *node;
    uint64_t n = WORKERS, rate;

    (void)arg;
    TRY(share_address(s, usual, err));
    TRY(read_listen(opt(s->run, "listen") ? opt(s->run, "listen")
                    : usual[0]            ? usual
                                          : "127.0.0.1:8714",
                    address, &config.port, err));
    if (workers) TRY(number_read("--workers", workers, CU_HTTP_WORKERS_MAX, &n, err));
    ENSURE(n > 0, err, CU_USAGE, "--workers: one at least");
    TRY(begin_tls(s, &files, &config, err));
    TRY(open_sources(s, &sources, &config.copies, err));
    TRY(begin_cosigning(s, &cosigning, &witnessed, &config, err));
    if (s->networked && !config.peers) {
        TRY(share_peers(s, config.tls != NULL, &peers, err));
        config.peers = (const char *)peers.p;
    }
    rate = config.tls ? TLS_RATE : 0;
    if (opt(s->run, "rate")) TRY(number_read("--rate", opt(s->run, "rate"), 1000000, &rate, err));
    config.rate = (unsigned)rate;
    config.address = address;
    config.workers = (unsigned)n;
    if (config.tls) (void)signal(SIGHUP, note_reload);
    if (s->networked) TRY(share_begin(s, err));
    TRY(cu_node_start(&config, &node, err));
    forget_files(&files);
    files = (struct tls_files){ .tls = { .cert = CU_SPAN_EMPTY } };
    tell(s, config.tls ? "https" : "http", address, cu_node_port(node));
    cu_status works = CU_OK;
    while (!interrupted() && (works = share_works(s, err)) == CU_OK) {
        nanosleep(&pause, NULL);
        if (!asked_to_reload) continue;
        asked_to_reload = 0;
        reload(s, node);
    }
    cu_node_stop(node);
    return works;
}

static cu_status go_node(struct run *run, struct cu_err *err)
{
    if (opt_is(run, "openapi")) return cu_node_openapi(&run->out, err);
    run->threads = true;
    run->node = true;
    return in_session(run, MODE_WRITE, serve, NULL, err);
}

const struct command command_node = {
    .name = "node",
    .args = "[--listen ADDRESS:PORT]",
    .line = "serve the ledger over HTTP, or over HTTPS to its members",
    .help =
        "Opens the ledger for writing, holds it, and serves it: records are submitted, receipts, entries, evidence and lists are "
        "fetched, and any tlog client reads the log. One line of JSON a request goes to stderr; it names the route, never what "
        "was asked for. Over plain HTTP it listens on the loopback alone, for nobody is asked who he is. With --tls (TLS 1.3, "
        "with what "
        "`custody ca init` made) or certificates of one's own, whoever wants more than checkpoint, hash tiles, health and "
        "figures "
        "shows a certificate that names an enrolled key, and may what its role may; SIGHUP loads certificates and revocations "
        "anew. With a key to cosign with (`custody witness key`) it cosigns its log, and those of `custody witness log`; "
        "witnesses that the trust file names by an address are asked. With --provider, content that did not travel with its "
        "record is pulled, verified, made durable and attested; what "
        "does not come goes on record as an incident. Where the ledger is one organisation's share of a network (`custody "
        "network`), "
        "the node also starts, watches and "
        "stops this organisation's CometBFT, whose lines are joined into its own; what starting it again does not mend ends the "
        "node, with a sentence that says what to do. Ends on SIGTERM or Ctrl-C, when the requests that run are answered.",
    .args_max = 0,
    .not_afar = "a node serves a ledger's folder",
    .go = go_node,
    .options = { { "listen", "ADDRESS:PORT", "where to listen (by default 127.0.0.1:8714; port 0: any that is free)" },
                 { "name", "NAMES", "further names that clients may call it by, as in Host, separated by spaces" },
                 { "members-only", NULL, "of what is served, only checkpoint, hash tiles, health and figures" },
                 { "tls", NULL, "TLS 1.3 and certificates, from the ledger's folder tls/ but for what the next options name" },
                 { "tls-cert", "FILE", "the node's certificate, with those between it and its CA, PEM (tls/server.pem)" },
                 { "tls-key", "FILE", "its key, PKCS#8 PEM (in the same file)" },
                 { "tls-ca", "FILE", "CAs of the clients' certificates, PEM (tls/ca.pem)" },
                 { "tls-revoked", "FILE", "what they revoked, PEM (tls/revoked.pem, if it is there)" },
                 { "cosigners", "URLS",
                   "nodes of the other organisations, separated by spaces: cosignatures go to them and come from them" },
                 { "cosigner-state", "DIR",
                   "where the cosigner keeps what it signed, on a medium of its own (by default node/cosigner)" },
                 { "workers", "N", "threads that answer (by default 8)" },
                 { "rate", "N", "requests a second of one address, 0: any (by default 1,000 with TLS)" },
                 { "keep-free", "PERCENT", "of the disk: below it nothing more is recorded (by default 5)" },
                 { "cometbft", "PROGRAM", "of a network: CometBFT, where it is not in PATH" },
                 { "p2p", "ADDRESS:PORT",
                   "of a network: where peers reach this node here (by default the address that they know)" },
                 { "engine-apart", NULL,
                   "of a network: somebody else runs CometBFT, with the ledger's folder chain/ as its home" },
                 { "provider", "URLS",
                   "whose objects this node pulls, what it attests: addresses, with spaces between; clients are told the first" },
                 { "peer", "URLS",
                   "further nodes that may have the same content; with https, --cacert and --cert are for all of them" },
                 { "pull-lanes", "N", "so many questions to them at once (by default 4)" },
                 { "withheld-after", "SECONDS",
                   "content that has not come by then goes on record as an incident (by default 3,600)" },
                 { "openapi", NULL, "print the interface as OpenAPI 3.1 and end" } },
};
