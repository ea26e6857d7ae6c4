/* custody node: the ledger of a folder, served over HTTP */
#include "apps/custody/serve.h"
#include "http/node.h"
#include "service/cosigned.h"

#define USUAL "127.0.0.1:8714"
#define PULL_LANES 4
#define WITHHELD_S 3600
#define PATROL_MIB 4

/* ---- where content is pulled from ---- */

struct sources {
    struct cu_copy_source *at;
    size_t n;
    char *url[CU_COPY_SOURCES_MAX];
    struct cu_remote challenged;
    atomic_bool ending;
    pthread_mutex_t lock;  /* guards what follows: */
    struct cu_buf members; /* the other members' addresses as of now, with spaces before, */
    uint64_t party[CU_PARTIES_MAX];
    bool due; /* whom the sources do not follow yet */
};

/* What the node's calls of us are about. */
struct served {
    struct session *s;
    struct sources sources;
    unsigned lanes;
    bool tls;
};

static cu_status room_left(void *served, struct cu_err *err) { return serving_room(((struct served *)served)->s, 0, err); }

static void log_line(void *served, const char *line) { serving_log(((struct served *)served)->s, line); }

static cu_status reload(void *node, const struct cu_http_tls *tls, struct cu_err *err) { return cu_node_reload(node, tls, err); }

static void close_lanes(struct cu_copy_source *source)
{
    for (size_t i = 0; i < CU_COPY_LANES_MAX; i++)
        if (source->lane[i].ops) source->lane[i].ops->close(source->lane[i].self);
}

static void close_sources(struct sources *s)
{
    for (size_t i = 0; i < s->n; i++) close_lanes(&s->at[i]);
    if (s->challenged.ops) s->challenged.ops->close(s->challenged.self);
    for (size_t i = 0; i < CU_COPY_SOURCES_MAX; i++) free(s->url[i]);
    free(s->at);
    cu_buf_free(&s->members);
    pthread_mutex_destroy(&s->lock);
}

/* The last one takes its place. */
static void let_go(struct sources *s, size_t i)
{
    close_lanes(&s->at[i]);
    free(s->url[i]);
    s->n--;
    s->at[i] = s->at[s->n];
    s->url[i] = s->url[s->n];
    s->url[s->n] = NULL;
}

static cu_status open_source(struct served *v, const char *url, enum cu_holder kind, uint64_t party, struct cu_err *err)
{
    struct sources *to = &v->sources;
    const struct cu_remote_kind *part;
    cu_status opened = CU_OK;

    ENSURE(to->n < CU_COPY_SOURCES_MAX, err, CU_USAGE, "--provider, --peer: %d addresses at most", CU_COPY_SOURCES_MAX);
    TRY(afar_part(&part, err));
    char **mem = &to->url[to->n];
    free(*mem);
    *mem = strdup(url);
    ENSURE(*mem, err, CU_NO_MEMORY, "no memory for a node's sources");
    struct cu_copy_source *source = &to->at[to->n];
    const struct cu_remote_address address = { *mem, opt(v->s->run, "cacert"), opt(v->s->run, "cert"), &to->ending };
    *source = (struct cu_copy_source){ .url = *mem, .party = party };
    for (unsigned i = 0; opened == CU_OK && i < v->lanes; i++) opened = part->source(&address, kind, &source->lane[i], err);
    if (opened == CU_OK) to->n++;
    else close_lanes(source);
    return opened;
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

/* Beside the lanes that bring: it is asked by another thread. */
static cu_status open_challenged(struct served *v, const char *url, struct cu_err *err)
{
    const struct cu_remote_address address = { url, opt(v->s->run, "cacert"), opt(v->s->run, "cert"), &v->sources.ending };
    const struct cu_remote_kind *part;

    TRY(afar_part(&part, err));
    return part->source(&address, CU_HOLDER_PROVIDER, &v->sources.challenged, err);
}

/* The next of addresses with spaces between; false: that was all. */
static bool next_url(struct cu_span *rest, char ret[1024])
{
    struct cu_span url = CU_SPAN_EMPTY;

    while (url.n == 0 && rest->n > 0)
        if (!cu_span_split(rest, ' ', &url)) url = *rest, *rest = CU_SPAN_EMPTY;
    snprintf(ret, 1024, "%.*s", (int)url.n, (const char *)url.p);
    return url.n > 0;
}

/* Of one sort; NULL: none. */
static cu_status open_named(struct served *v, const char *urls, enum cu_holder kind, struct cu_err *err)
{
    struct cu_span rest = cu_span_str(urls ? urls : "");
    char url[1024];

    while (next_url(&rest, url)) TRY(open_source(v, url, kind, 0, err));
    return CU_OK;
}

static bool is_source(const struct sources *s, const char *url)
{
    bool found = false;

    for (size_t i = 0; i < s->n; i++) found |= strcmp(s->at[i].url, url) == 0;
    return found;
}

static void close_strangers(struct sources *s)
{
    bool stays[CU_COPY_SOURCES_MAX] = { false };
    struct cu_span rest = cu_span_str((const char *)s->members.p);
    char url[1024];

    for (size_t n = 0; next_url(&rest, url); n++)
        for (size_t i = 0; i < s->n; i++) stays[i] |= s->at[i].party == s->party[n] && strcmp(s->url[i], url) == 0;
    for (size_t i = s->n; i-- > 0;)
        if (s->at[i].party && !stays[i]) let_go(s, i);
}

/* Of a large network some are enough. */
static cu_status open_members(struct served *v, struct cu_err *err)
{
    struct sources *s = &v->sources;
    struct cu_span rest = cu_span_str((const char *)s->members.p);
    char url[1024];

    for (size_t n = 0; s->n < CU_COPY_SOURCES_MAX && next_url(&rest, url); n++)
        if (!is_source(s, url)) TRY(open_source(v, url, CU_HOLDER_NODE, s->party[n], err));
    return CU_OK;
}

/* By whoever pulls, between two rounds: nobody asks meanwhile. */
static cu_status renew_sources(void *served, struct cu_copier *copier, struct cu_err *err)
{
    struct served *v = served;
    struct sources *s = &v->sources;
    cu_status opened = CU_OK;

    pthread_mutex_lock(&s->lock);
    if (s->due) {
        close_strangers(s);
        opened = open_members(v, err);
        cu_copier_sources(copier, s->n);
        s->due = opened != CU_OK;
    }
    pthread_mutex_unlock(&s->lock);
    return opened;
}

/* The other members' nodes as of now, by their addresses in the network's file: content is pulled from them and, once there is a node, cosignatures
 * are pushed to them, unless the options name whom. */
static cu_status meet_members(struct served *v, struct cu_node *node, struct cu_err *err)
{
    struct sources *s = &v->sources;
    CU_BUF urls = cu_buf_heap(CU_NETWORK_MAX);
    uint64_t party[CU_PARTIES_MAX];

    TRY(share_peers(v->s, v->tls, &urls, party, err));
    pthread_mutex_lock(&s->lock);
    const struct cu_buf were = s->members;
    s->members = urls;
    urls = were;
    memcpy(s->party, party, sizeof party);
    s->due = true;
    pthread_mutex_unlock(&s->lock);
    return node && !opt(v->s->run, "cosigners") ? cu_node_peers(node, (const char *)s->members.p, party, err) : CU_OK;
}

static cu_status open_sources(struct served *v, struct cu_node_copies *copies, struct cu_err *err)
{
    uint64_t lanes = PULL_LANES, withheld = WITHHELD_S, patrol = PATROL_MIB;
    struct sources *to = &v->sources;
    const struct run *run = v->s->run;

    if (opt(run, "pull-lanes")) TRY(number_read("--pull-lanes", opt(run, "pull-lanes"), CU_COPY_LANES_MAX, &lanes, err));
    if (opt(run, "withheld-after")) TRY(number_read("--withheld-after", opt(run, "withheld-after"), 1u << 30, &withheld, err));
    if (opt(run, "patrol")) TRY(number_read("--patrol", opt(run, "patrol"), 1u << 20, &patrol, err));
    ENSURE(lanes > 0, err, CU_USAGE, "--pull-lanes: one at least");
    v->lanes = (unsigned)lanes;
    to->at = calloc(CU_COPY_SOURCES_MAX, sizeof *to->at);
    ENSURE(to->at, err, CU_NO_MEMORY, "no memory for a node's sources");
    TRY(open_named(v, opt(run, "provider"), CU_HOLDER_PROVIDER, err));
    if (to->n > 0) copies->provider = to->at[0].url;
    if (to->n > 0 && patrol) TRY(open_challenged(v, copies->provider, err));
    TRY(open_named(v, opt(run, "peer"), CU_HOLDER_NODE, err));
    if (to->n == 0 && !v->s->networked) return CU_OK; /* of a network others may come */
    TRY(note_far(v->s, to->n ? to->at[0].url : "", err));
    copies->sources = to->at;
    copies->sources_n = to->n;
    copies->renew = renew_sources;
    copies->lanes = v->lanes;
    copies->patrol = patrol << 20;
    copies->challenged = to->challenged;
    copies->withheld_ms = withheld * 1000;
    copies->ending = &to->ending;
    return CU_OK;
}

/* With a key to cosign with, it does; one whose state is not there, or damaged, signs nothing, and the node serves without. */
static cu_status begin_with(struct session *s, bool next, struct cosigning *c, struct cu_cosigner **ret, struct cu_err *err)
{
    struct cu_err why = { 0 };

    if (!cu_fs_exists(&s->place.fs, next ? CU_FILE_COSIGN_NEXT : CU_FILE_COSIGN_KEY)) return CU_OK;
    const cu_status opened = cosigner_open(s, next, c, &why);
    if (opened != CU_OK && opened != CU_NOT_FOUND && opened != CU_CORRUPT && opened != CU_UNTRUSTED)
        return cu_fail(err, opened, "%s", why.text);
    if (opened != CU_OK) say(s->run, "%s\n", why.text);
    else *ret = &c->cosigner;
    return CU_OK;
}

static cu_status begin_cosigning(struct session *s, struct cosigning c[2], struct cu_buf *witnessed,
                                 struct cu_node_config *config, struct cu_err *err)
{
    TRY(begin_with(s, false, &c[0], &config->cosigner, err));
    TRY(begin_with(s, true, &c[1], &config->next_cosigner, err));
    if (!config->cosigner) return CU_OK;
    const cu_status read = cu_fs_read(&s->place.fs, CU_FILE_WITNESSED, CU_TRUST_MAX, witnessed, err);
    if (read == CU_NOT_FOUND) return CU_OK;
    config->witnessed = cu_buf_span(witnessed);
    return read;
}

/* Who is enrolled gets a certificate by the CA that its clients are judged by, where its key lies here. */
static cu_status begin_issuing(struct session *s, struct ca *ca, struct cu_node_config *config, struct cu_err *err)
{
    CU_BUF unused = cu_buf_heap(CU_CERT_PEM_MAX);
    const struct cu_cert_ask ask = { .name = "custody", .days = 1, .key = &s->place.key[CU_SIGNER_LOG].pub };
    struct cu_err why = { 0 };

    if (!config->tls || opt(s->run, "tls-ca") || !cu_fs_exists(&s->place.fs, CU_DIR_TLS "/ca.key")) return CU_OK;
    TRY(ca_open(s, ca, err));
    if (cu_cert_issue(&ask, NULL, &ca->issuer, cu_place_now(&s->place), &unused, &why) == CU_OK) config->issuer = &ca->issuer;
    else say(s->run, "whoever is enrolled gets no certificate from this node: %s\n", why.text);
    return CU_OK;
}

static void close_both(struct cosigning (*c)[2])
{
    cosigner_close(&(*c)[0]);
    cosigner_close(&(*c)[1]);
}

static cu_status follow_members(struct served *v, struct cu_node *node, struct cu_err *err)
{
    TRY(share_follow(v->s, err));
    return v->s->networked ? meet_members(v, node, err) : CU_OK;
}

static bool members_changed(void *served, struct cu_node *node)
{
    struct served *v = served;
    struct cu_err why = { 0 };
    const bool behind = follow_members(v, node, &why) != CU_OK;

    if (behind && !v->s->behind) say(v->s->run, "what changed of the network's members is not followed yet: %s\n", why.text);
    v->s->behind = behind;
    return !behind;
}

static void close_served(struct served *v) { close_sources(&v->sources); }

static cu_status serve(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(serving_free) struct serving v = { .s = s };
    CU_CLEANUP(close_served) struct served served = { .s = s, .sources.lock = PTHREAD_MUTEX_INITIALIZER };
    CU_CLEANUP(ca_forget) struct ca ca = { 0 };
    CU_CLEANUP(close_both) struct cosigning cosigning[2] = { { .open = false } };
    CU_BUF witnessed = cu_buf_heap(CU_TRUST_MAX);
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
                                     .members = members_changed,
                                     .ready = room_left,
                                     .log = log_line,
                                     .arg = &served };
    say_clock(s);
    served.tls = config.tls != NULL;
    TRY(open_sources(&served, &config.copies, err));
    TRY(begin_issuing(s, &ca, &config, err));
    if (s->networked) TRY(share_begin(s, err));
    if (s->networked) TRY(meet_members(&served, NULL, err));
    if (s->networked && !config.peers) {
        config.peers = (const char *)served.sources.members.p;
        config.peers_party = served.sources.party;
    }
    TRY(begin_cosigning(s, cosigning, &witnessed, &config,
                        err)); /* who joins a network late has a cosigner from his confirm on */
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
                 { "patrol", "MIB",
                   "so much of its copies is read again each second, round and round, and the provider asked for bytes of its "
                   "own "
                   "(by default 4; 0: nothing is)" },
                 { "withheld-after", "SECONDS",
                   "content that has not come by then goes on record as an incident (by default 3,600)" },
                 { "openapi", NULL, "print the interface as OpenAPI 3.1 and end" } },
};
