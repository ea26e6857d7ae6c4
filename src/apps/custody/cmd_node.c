/* custody node: the ledger of a folder, served over HTTP */
#include "apps/custody/serve.h"
#include "http/node.h"
#include "service/cosigned.h"

#define USUAL "127.0.0.1:8714"
#define PULL_LANES 4
#define WITHHELD_S 3600

static cu_status room_left(void *session, struct cu_err *err) { return serving_room(session, 0, err); }

static cu_status reload(void *node, const struct cu_http_tls *tls, struct cu_err *err) { return cu_node_reload(node, tls, err); }

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
    CU_CLEANUP(serving_free) struct serving v = { .s = s };
    CU_CLEANUP(close_sources) struct sources sources = { 0 };
    CU_CLEANUP(cosigner_close) struct cosigning cosigning = { .open = false };
    CU_BUF witnessed = cu_buf_heap(CU_TRUST_MAX), peers = cu_buf_heap(CU_NETWORK_MAX);
    struct cu_node *node;
    char usual[257];

    (void)arg;
    TRY(share_address(s, usual, err));
    TRY(serving_begin(s, usual[0] ? usual : USUAL, &v, err));
    struct cu_node_config config = { .place = &s->place,
                                     .address = v.address,
                                     .port = v.port,
                                     .names = opt(s->run, "name"),
                                     .members_only = opt_is(s->run, "members-only"),
                                     .peers = opt(s->run, "cosigners"),
                                     .tls = v.tls,
                                     .workers = v.workers,
                                     .rate = v.rate,
                                     .ready = room_left,
                                     .log = serving_log,
                                     .arg = s };
    say_clock(s);
    TRY(open_sources(s, &sources, &config.copies, err));
    TRY(begin_cosigning(s, &cosigning, &witnessed, &config, err));
    if (s->networked && !config.peers) {
        TRY(share_peers(s, config.tls != NULL, &peers, err));
        config.peers = (const char *)peers.p;
    }
    if (s->networked) TRY(share_begin(s, err));
    TRY(cu_node_start(&config, &node, err));
    const cu_status works = serving_run(&v, cu_node_port(node), reload, node, share_works, err);
    cu_node_stop(node);
    return works;
}

static cu_status go_node(struct run *run, struct cu_err *err)
{
    if (opt_is(run, "openapi")) return cu_node_openapi(&run->out, err);
    run->threads = run->serves = run->node = true;
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
    .options = { SERVING_OPTIONS(USUAL),
                 { "cosigners", "URLS",
                   "nodes of the other organisations, separated by spaces: cosignatures go to them and come from them" },
                 { "cosigner-state", "DIR",
                   "where the cosigner keeps what it signed, on a medium of its own (by default node/cosigner)" },
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
