/* One organisation's share of a network: the ledger's folder with CometBFT's in it. */
#include "apps/custody/app.h"
#include "engine/cometbft/cometbft.h"
#include "service/audit.h"

#define ORGANISATIONS_MAX (CU_PARTIES_MAX)

struct share {
    struct cu_buf file, request;
    struct cu_network network;
    struct cu_network_peer of[ORGANISATIONS_MAX]; /* whose nodes are known, parties ascending */
    size_t n, own;                                /* own == n: not this one's */
    struct cu_span at, http;                      /* where this one is reached */
};

static void free_share(struct share **at)
{
    if (!*at) return;
    cu_buf_free(&(*at)->file);
    cu_buf_free(&(*at)->request);
    free(*at);
}

/* ---- who this is, as far as the ledger has come ---- */

struct asked {
    const struct session *s;
    struct cu_members *ret;
};

static cu_status look_members(void *arg, struct cu_err *err)
{
    const struct asked *a = arg;

    (void)err;
    *a->ret = *cu_ledger_members(a->s->place.ledger);
    return CU_OK;
}

/* Without a ledger that is open: those whom the index follows. */
static cu_status ask_members(struct session *s, struct cu_members *ret, struct cu_err *err)
{
    *ret = s->place.members;
    return s->place.ledger ? cu_ask(&s->place, look_members, &(struct asked){ s, ret }, err) : CU_OK;
}

static void free_members(struct cu_members **at) { free(*at); }

static uint64_t party_of(const struct session *s, const struct cu_members *m)
{
    const struct cu_member_key *key = cu_members_key(m, &s->place.key[CU_SIGNER_ORGANISATION].id);
    const struct cu_member_party *party = key ? cu_members_party(m, key->party) : NULL;

    return party && party->role == CU_ROLE_ORGANISATION ? party->id : 0;
}

static cu_status read_request(struct share *sh, struct session *s, struct cu_err *err)
{
    struct cu_founder f;

    sh->request = cu_buf_heap(CU_FOUNDER_MAX);
    const cu_status read = cu_fs_read(&s->place.fs, CU_FILE_REQUEST, CU_FOUNDER_MAX, &sh->request, err);
    ENSURE(read != CU_NOT_FOUND, err, CU_NOT_ALLOWED,
           "the organisation's key (" CU_DIR_KEYS "/organisation.pem) is none of the network's: nothing was started");
    TRY(read);
    TRY(cu_founder_read(cu_buf_span(&sh->request), &s->place.verifier, &f, err));
    sh->at = f.at;
    sh->http = f.http;
    return CU_OK;
}

static cu_status read_peers(struct share *sh, struct session *s, struct cu_err *err)
{
    CU_CLEANUP(free_members) struct cu_members *m = calloc(1, sizeof *m);
    size_t at = 0;

    ENSURE(m, err, CU_NO_MEMORY, "out of memory");
    TRY(ask_members(s, m, err));
    const uint64_t founder = cu_network_own(&sh->network, &s->place), own = founder ? founder : party_of(s, m);
    for (sh->own = SIZE_MAX; sh->n < ORGANISATIONS_MAX && cu_network_next(&sh->network, &at, &sh->of[sh->n]); sh->n++)
        if (sh->of[sh->n].party == own) sh->own = sh->n;
    if (sh->own == SIZE_MAX) return sh->own = sh->n, read_request(sh, s, err);
    sh->at = sh->of[sh->own].at;
    sh->http = sh->of[sh->own].http;
    return CU_OK;
}

/* With the organisation's key. */
static cu_status read_share(struct session *s, struct share **ret, struct cu_err *err)
{
    CU_CLEANUP(free_share) struct share *sh = calloc(1, sizeof *sh);

    ENSURE(sh, err, CU_NO_MEMORY, "out of memory");
    sh->file = cu_buf_heap(CU_NETWORK_MAX);
    TRY(cu_fs_read(&s->place.fs, CU_FILE_NETWORK, CU_NETWORK_MAX, &sh->file, err));
    const cu_status read = cu_network_read(cu_buf_span(&sh->file), &sh->network, err);
    if (read != CU_OK) return cu_fail_while(err, read, CU_FILE_NETWORK);
    ENSURE(cu_hash_eq(&sh->network.entry.leaf, &s->place.trust.network), err, CU_UNTRUSTED,
           CU_FILE_NETWORK " is of another network than the one that " CU_FILE_TRUST " pins: nothing was started");
    TRY(read_peers(sh, s, err));
    *ret = sh;
    sh = NULL;
    return CU_OK;
}

static void nodes_of(const struct share *sh, struct cu_comet_peer ret[ORGANISATIONS_MAX])
{
    for (size_t i = 0; i < sh->n; i++) ret[i] = (struct cu_comet_peer){ .node = sh->of[i].node, .at = sh->of[i].at };
}

static cu_status replace(struct session *s, const char *path, struct cu_span bytes, unsigned flags, struct cu_err *err)
{
    return cu_fs_replace_as(&s->place.fs, path, CU_DIR_CHAIN "/incoming", bytes, flags, true, err);
}

static const struct cu_fs *votes_fs(const struct session *s) { return s->votes_fs.ops ? &s->votes_fs : &s->place.fs; }

/* ---- starting ---- */

static void log_engine(void *session, const char *text)
{
    const struct session *s = session;
    CU_BUF line = cu_buf_heap(32768), shown = cu_buf_heap(24576);
    struct cu_json j = cu_json_on(&line);

    if (s->run->quiet) return;
    cu_text_printable(&shown, cu_span_str(text));
    cu_json_open(&j, NULL, '{');
    cu_json_time(&j, "time", cu_place_now(&s->place));
    cu_json_text(&j, "engine", cu_buf_span(&shown));
    cu_json_close(&j, '}');
    fprintf(stderr, "%.*s\n", (int)line.n, (const char *)line.p);
}

static cu_status write_settings(struct session *s, const struct share *sh, struct cu_err *err)
{
    CU_BUF settings = cu_buf_heap(1 << 20);
    const struct cu_span listen = opt_span(s->run, "p2p");
    struct cu_comet_peer peer[ORGANISATIONS_MAX];

    nodes_of(sh, peer);
    cu_comet_settings(peer, sh->n, sh->own, sh->at, listen.n ? listen : sh->at, &settings);
    TRY(cu_buf_ok(&settings, err));
    return replace(s, CU_DIR_CHAIN "/config/config.toml", cu_buf_span(&settings), 0, err);
}

/* ---- keys ---- */

static bool path_of(enum cu_purpose purpose, bool next, char ret[64])
{
    const char *name = cu_founder_key_name(purpose);

    if (name) snprintf(ret, 64, CU_DIR_KEYS "/%s%s.pem", name, next ? "-next" : "");
    return name != NULL;
}

/* Does it act already; and, of the cosigner's, whose word is judged by the size that it is over, over the log as it stands? */
static bool is_in_force(const struct session *s, const struct cu_members *m, const struct cu_private_key *key)
{
    const struct cu_member_key *it = cu_members_key(m, &key->id);
    const struct cu_tip tip = cu_ledger_machine(s->place.ledger).tip(s->place.ledger);
    struct cu_tlog_policy policy;
    bool listed = false;

    if (!it || it->from_seq > tip.size.v) return false;
    if (it->purpose != CU_PURPOSE_COSIGN) return true;
    if (cu_trust_policy(&s->place.trust, tip.size, &policy, NULL) != CU_OK) return false;
    for (size_t i = 0; i < policy.nodes_n; i++) listed |= memcmp(policy.node[i].vkey.pub.bytes, key->pub.bytes, 32) == 0;
    return listed;
}

static cu_status take_place(struct session *s, enum cu_purpose purpose, struct cu_err *err)
{
    char from[64], to[64], was[100];

    CU_ASSERT(path_of(purpose, true, from) && path_of(purpose, false, to));
    snprintf(was, sizeof was, CU_DIR_KEYS "/was/%s-%llu.pem", cu_founder_key_name(purpose), LLU(cu_place_now(&s->place).v));
    const cu_status moved = s->place.fs.ops->rename(s->place.fs.self, to, was, err);
    if (moved != CU_NOT_FOUND) TRY(moved); /* a process before this one was interrupted here */
    return s->place.fs.ops->rename(s->place.fs.self, from, to, err);
}

/* The organisation's word is the place's to give, and the key is its from now on. */
static void adopt(struct session *s, enum cu_purpose purpose)
{
    const enum cu_signer who = CU_SIGNER_ORGANISATION;

    if (purpose != CU_PURPOSE_STATEMENT) return;
    if (s->place.has_key[who]) cu_private_free(&s->place.key[who]);
    s->place.key[who] = s->next[purpose];
    s->place.has_key[who] = true;
    s->next[purpose] = (struct cu_private_key){ .ctx = NULL };
}

static cu_status write_node_key(struct session *s, const struct cu_private_key *node, struct cu_err *err)
{
    uint8_t secret[1024];
    struct cu_buf key = cu_buf_over(secret, sizeof secret);

    TRY(cu_comet_node_key(node, &key, err));
    const cu_status written = replace(s, CU_DIR_CHAIN "/config/node_key.json", cu_buf_span(&key), CU_OPEN_PRIVATE, err);
    cu_wipe(secret, sizeof secret);
    return written;
}

static cu_status read_next(struct session *s, const struct cu_members *m, struct cu_span passphrase, struct cu_err *err)
{
    char path[64], name[40];

    for (enum cu_purpose purpose = CU_PURPOSE_STATEMENT; purpose <= CU_PURPOSE_NODE; purpose++) {
        struct cu_private_key *next = &s->next[purpose];
        if (purpose == CU_PURPOSE_LOG || !path_of(purpose, true, path) || !cu_fs_exists(&s->place.fs, path) || next->ctx)
            continue;
        snprintf(name, sizeof name, "%s-next", cu_founder_key_name(purpose));
        TRY(cu_key_load_named(&s->place, name, passphrase, next, err));
        if (!is_in_force(s, m, next)) continue;
        if (purpose == CU_PURPOSE_NODE) TRY(write_node_key(s, next, err));
        TRY(take_place(s, purpose, err));
        adopt(s, purpose);
        if (next->ctx) cu_private_free(next); /* it is read by the name that it has now */
        *next = (struct cu_private_key){ .ctx = NULL };
    }
    return CU_OK;
}

/* Keys (the log's lies with the place's signers) that may take another one's place are held beside it until they do; those that have taken it bear its name from now on. */
cu_status share_keys(struct session *s, struct cu_err *err)
{
    CU_CLEANUP(free_members) struct cu_members *m = calloc(1, sizeof *m);
    CU_BUF passphrase = cu_buf_heap(65536);
    bool any = false;
    char path[64];

    ENSURE(m, err, CU_NO_MEMORY, "out of memory");
    for (enum cu_purpose purpose = CU_PURPOSE_STATEMENT; purpose <= CU_PURPOSE_NODE; purpose++)
        any |= path_of(purpose, true, path) && cu_fs_exists(&s->place.fs, path);
    if (!any) return CU_OK;
    TRY(ask_members(s, m, err));
    cu_status read = passphrase_of_keys(s, &passphrase, err);
    if (read == CU_OK) read = read_next(s, m, cu_buf_span(&passphrase), err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    return read;
}

/* What a key voted for lies under its own name, that of the first one apart. Does it? */
static bool votes_path(const struct cu_fs *fs, const char *first, const struct cu_private_key *key, char ret[64])
{
    char hex[65];

    cu_hash_hex(&key->id, hex);
    snprintf(ret, 64, "%s-%.16s", first, hex);
    const bool own = cu_fs_exists(fs, ret);
    if (!own) snprintf(ret, 64, "%s", first);
    return own;
}

/* The key that signs this organisation's votes, the one that may take its place, and where it is kept what they were. */
static cu_status read_validator(struct session *s, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    const char *state = opt(s->run, "cosigner-state");

    if (s->validator.ctx) return CU_OK; /* the engine is opened once more */
    cu_status read = passphrase_of_keys(s, &passphrase, err);
    if (read == CU_OK) read = cu_key_load_named(&s->place, "validator", cu_buf_span(&passphrase), &s->validator, err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    TRY(read);
    if (state) TRY(cu_posix_fs(state, &s->votes_fs, err));
    const struct cu_fs *fs = votes_fs(s);
    const char *first = state ? "votes" : CU_COMETBFT_VOTES;
    struct cu_private_key *next = &s->next[CU_PURPOSE_VALIDATOR];
    (void)votes_path(fs, first, &s->validator, s->votes_path);
    if (!next->ctx || votes_path(fs, first, next, s->next_votes_path)) return CU_OK;
    say(s->run, "A validator key waits that was not made to its end: it votes when `custody network rotate validator` has gone "
                "on with it\n");
    cu_private_free(next);
    *next = (struct cu_private_key){ .ctx = NULL };
    return CU_OK;
}

/* What a key that is not in force voted for: nothing; or, `anew`, what is not known any more. */
static cu_status votes_of_next(struct session *s, bool anew, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    CU_CLEANUP(cu_private_free) struct cu_private_key next = { .ctx = NULL };
    char hex[65], path[64];

    cu_status read = passphrase_of_keys(s, &passphrase, err);
    if (read == CU_OK) read = cu_key_load_named(&s->place, "validator-next", cu_buf_span(&passphrase), &next, err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    TRY(read);
    cu_hash_hex(&next.id, hex);
    snprintf(path, sizeof path, "%s-%.16s", opt(s->run, "cosigner-state") ? "votes" : CU_COMETBFT_VOTES, hex);
    return cu_voter_begin(votes_fs(s), path, &next, anew, err);
}

static cu_status prepare(struct session *s, struct cu_err *err)
{
    CU_CLEANUP(free_share) struct share *sh = NULL;
    struct cu_comet_peer peer[ORGANISATIONS_MAX];

    TRY(read_validator(s, err));
    TRY(read_share(s, &sh, err));
    nodes_of(sh, peer);
    cu_buf_free(&s->peers);
    s->peers = cu_buf_heap(ORGANISATIONS_MAX * 40);
    s->validators = (size_t)sh->network.members.organisations;
    cu_comet_ids(peer, sh->n, &s->peers);
    TRY(cu_buf_ok(&s->peers, err));
    cu_buf_free(&s->others);
    s->others = cu_buf_heap(CU_NETWORK_MAX);
    cu_comet_others(peer, sh->n, sh->own, "\"", &s->others);
    TRY(cu_buf_ok(&s->others, err));
    return write_settings(s, sh, err);
}

cu_status share_start(struct session *s, struct cu_err *err)
{
    const struct cu_engine store = s->engine;
    char home[4200];

    const cu_status prepared = prepare(s, err);
    if (prepared != CU_OK) (void)store.close(store.self, NULL);
    TRY(prepared);
    snprintf(home, sizeof home, "%s/" CU_DIR_CHAIN, s->root);
    const struct cu_private_key *next = s->next[CU_PURPOSE_VALIDATOR].ctx ? &s->next[CU_PURPOSE_VALIDATOR] : NULL;
    const struct cu_cometbft_config config = { .store = store,
                                               .fs = &s->place.fs,
                                               .machine = s->config.machine,
                                               .origin = cu_buf_span(&s->origin_mem),
                                               .network = s->place.trust.network,
                                               .voter = { .fs = votes_fs(s),
                                                          .path = s->votes_path,
                                                          .key = &s->validator,
                                                          .validators = s->validators,
                                                          .next_path = s->next_votes_path,
                                                          .next = next },
                                               .random = s->place.random,
                                               .workers = s->config.workers,
                                               .accelerate = s->place.accelerate,
                                               .peers = cu_buf_span(&s->peers),
                                               .others = cu_buf_span(&s->others),
                                               .home = home,
                                               .program = opt_is(s->run, "engine-apart") ? NULL
                                                          : opt(s->run, "cometbft")      ? opt(s->run, "cometbft")
                                                                                         : "cometbft",
                                               .log = log_engine,
                                               .arg = s };
    return cu_cometbft_open(&config, &s->engine, err);
}

/* The provider's copy of the log begins anew with the node's: of two that grew in different steps `check` would ask for the steps of both. */
static cu_status put_log_aside(struct cu_place *p, struct cu_err *err)
{
    char to[200];
    uint64_t run;

    TRY(cu_quarantine_next(p, &run, err));
    snprintf(to, sizeof to, CU_DIR_QUARANTINE "/%llu/" CU_DIR_CLOUD_LOG, LLU(run));
    const cu_status moved = p->fs.ops->rename(p->fs.self, CU_DIR_CLOUD_LOG, to, err);
    return moved == CU_NOT_FOUND ? CU_OK : moved;
}

cu_status share_renew(struct session *s, struct cu_err *err)
{
    if (cu_fs_exists(&s->place.fs, CU_DIR_JOURNAL "/head") || cu_fs_exists(&s->place.fs, CU_DIR_NODE_LOG "/checkpoint"))
        return CU_OK;
    if (cu_fs_exists(&s->place.fs, CU_DIR_CLOUD_LOG "/checkpoint")) TRY(put_log_aside(&s->place, err));
    return cu_embedded_create(&s->config, err);
}

cu_status share_works(struct session *s, struct cu_err *err) { return s->networked ? cu_cometbft_works(&s->engine, err) : CU_OK; }

static cu_status wait_a_moment(struct session *s, struct cu_err *err)
{
    const struct timespec pause = { 0, 50000000 };

    TRY(share_works(s, err));
    ENSURE(!interrupted(), err, CU_INTERRUPTED, "interrupted before the chain had begun");
    nanosleep(&pause, NULL);
    return CU_OK;
}

/* The others are not there: it goes on without them, and records it another time. */
static bool waits(cu_status status) { return status == CU_INTERRUPTED || status == CU_BUSY; }

/* Who joins later reads the chain first, up to where he was approved: nobody could judge his confirm before that. */
static cu_status confirm(struct session *s, struct cu_span passphrase, struct cu_err *err)
{
    struct cu_place *p = &s->place;
    cu_status confirmed = CU_INTERRUPTED;
    bool told = false;

    while (confirmed != CU_OK) {
        struct cu_err why = { 0 };
        confirmed = cu_network_confirm(p, passphrase, &why);
        if (confirmed == CU_NOT_CONFIRMED && !told)
            told = true, say(s->run, "%s, as far as the chain is read here: waiting\n", why.text);
        if (confirmed != CU_OK && !waits(confirmed) && confirmed != CU_NOT_CONFIRMED)
            return cu_fail(err, confirmed, "%s", why.text);
        if (confirmed != CU_OK) TRY(wait_a_moment(s, err));
        if (confirmed == CU_NOT_CONFIRMED) TRY(cu_settle(p, err));
    }
    return CU_OK;
}

/* Whoever joins later enrols whom genesis would have. */
static void enrol(struct session *s)
{
    struct cu_err why = { 0 };

    if (cu_network_enrol(&s->place, &why) != CU_OK)
        say(s->run,
            "the provider and the depositor that this organisation named when it asked to join are not both enrolled: %s. "
            "Nothing of the ledger is touched by that; the node's next start tries it again\n",
            why.text);
}

cu_status share_begin(struct session *s, struct cu_err *err)
{
    struct cu_place *p = &s->place;
    CU_BUF passphrase = cu_buf_heap(65536);

    if (p->engine->tip(p->engine->self).size.v == 0)
        say(s->run, "waiting for the other organisations: the chain begins when more than two thirds of them are there\n");
    while (p->engine->tip(p->engine->self).size.v == 0) TRY(wait_a_moment(s, err));
    TRY(cu_settle(p, err));
    cu_status confirmed = passphrase_of_keys(s, &passphrase, err);
    if (confirmed == CU_OK) confirmed = confirm(s, cu_buf_span(&passphrase), err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    TRY(confirmed);
    enrol(s);
    TRY(cu_settle(p, err));
    TRY(share_follow(s, err));
    const cu_status finished = session_finish_earlier(s, err);
    return waits(finished) ? CU_OK : finished;
}

/* ---- while it runs: who belongs to the network now, and by which keys ---- */

/* CometBFT is told of them, and finds them at its next start. */
static cu_status dial(struct session *s, struct cu_err *err)
{
    CU_CLEANUP(free_share) struct share *sh = NULL;
    CU_BUF others = cu_buf_heap(CU_NETWORK_MAX);
    struct cu_comet_peer peer[ORGANISATIONS_MAX];

    TRY(read_share(s, &sh, err));
    TRY(write_settings(s, sh, err));
    nodes_of(sh, peer);
    cu_comet_others(peer, sh->n, sh->own, "\"", &others);
    TRY(cu_buf_ok(&others, err));
    cu_cometbft_dial(&s->engine, cu_buf_span(&others));
    return CU_OK;
}

/* `size`: of the index, before the members were asked. */
static cu_status renew(struct session *s, const struct cu_members *m, cu_size size, struct cu_err *err)
{
    CU_CLEANUP(free_share) struct share *sh = NULL;
    CU_BUF file = cu_buf_heap(CU_NETWORK_MAX), text = cu_buf_heap(CU_NETWORK_MAX);
    cu_seq next = s->follow;

    TRY(read_share(s, &sh, err));
    TRY(cu_network_moves(&s->place, m, size, &next, sh->of, &sh->n, &text, err));
    TRY(cu_network_renew(&sh->network, sh->of, sh->n, &file, err));
    if (!cu_span_eq(cu_buf_span(&file), cu_buf_span(&sh->file))) {
        TRY(replace(s, CU_FILE_NETWORK, cu_buf_span(&file), 0, err));
        s->undialled = true;
    }
    if (s->undialled) TRY(dial(s, err));
    s->undialled = false;
    s->follow = next;
    return CU_OK;
}

/* CometBFT reads its node's key when it starts, and nobody lets the old one in any more. */
static cu_status change_node(struct session *s, struct cu_err *err)
{
    struct cu_private_key *next = &s->next[CU_PURPOSE_NODE];

    TRY(write_node_key(s, next, err));
    cu_private_free(next);
    *next = (struct cu_private_key){ .ctx = NULL };
    cu_cometbft_again(&s->engine);
    return CU_OK;
}

static cu_status follow(struct session *s, const struct cu_members *m, cu_size size, struct cu_err *err)
{
    struct cu_private_key *said = &s->next[CU_PURPOSE_STATEMENT];
    const struct cu_member_party *own = cu_members_party(m, party_of(s, m));

    TRY(renew(s, m, size, err));
    if (said->ctx && is_in_force(s, m, said)) adopt(s, CU_PURPOSE_STATEMENT);
    if (s->next[CU_PURPOSE_NODE].ctx && is_in_force(s, m, &s->next[CU_PURPOSE_NODE])) TRY(change_node(s, err));
    struct cu_err why = { 0 };
    if (cu_rules_known(m->rules.version, m->rules.height, &why) != CU_OK && s->warned != m->rules.height) {
        s->warned = m->rules.height;
        say(s->run, "This node will end: %s\n", why.text);
    }
    if (own && own->left > 0 && !s->left) {
        s->left = true;
        say(s->run,
            "This organisation has left the network, by entry %llu: its node reads on, but it votes, cosigns and records "
            "nothing, and "
            "no receipt counts its copies. What was recorded with it stays good by the trust file of its day\n",
            LLU(own->left - 1));
    }
    return CU_OK;
}

cu_status share_follow(struct session *s, struct cu_err *err)
{
    CU_CLEANUP(free_members) struct cu_members *m = calloc(1, sizeof *m);

    cu_size size;

    ENSURE(m, err, CU_NO_MEMORY, "out of memory");
    if (!s->networked) return CU_OK;
    TRY(s->place.index.size(s->place.index.self, &size, err));
    TRY(ask_members(s, m, err));
    return follow(s, m, size, err);
}

cu_status share_address(struct session *s, char ret[257], struct cu_err *err)
{
    CU_CLEANUP(free_share) struct share *sh = NULL;

    ret[0] = 0;
    if (!s->networked) return CU_OK;
    TRY(read_share(s, &sh, err));
    snprintf(ret, 257, "%.*s", (int)sh->http.n, (const char *)sh->http.p);
    return CU_OK;
}

cu_status share_peers(struct session *s, bool tls, struct cu_buf *ret, uint64_t ret_party[CU_PARTIES_MAX], struct cu_err *err)
{
    CU_CLEANUP(free_share) struct share *sh = NULL;
    size_t n = 0;

    TRY(read_share(s, &sh, err));
    for (size_t i = 0; i < sh->n; i++) {
        if (i == sh->own || sh->of[i].http.n == 0) continue;
        cu_buf_add_str(ret, tls ? " https://" : " http://");
        cu_buf_add(ret, sh->of[i].http);
        ret_party[n++] = sh->of[i].party;
    }
    cu_buf_add_byte(ret, 0);
    return cu_buf_ok(ret, err);
}

/* ---- making ---- */

static cu_status write_home(struct session *s, const struct cu_private_key *validator, const struct cu_private_key *node,
                            struct cu_err *err)
{
    CU_CLEANUP(free_share) struct share *sh = NULL;
    CU_BUF genesis = cu_buf_heap(4 * CU_CHAIN_FOUNDING_MAX);
    struct cu_comet_peer founder[ORGANISATIONS_MAX];
    size_t n = 0;

    TRY(read_share(s, &sh, err));
    const struct cu_members *m = &sh->network.members;
    const cu_unix_ms time = { sh->network.entry.outer.body.genesis.time };
    for (size_t i = 0; i < m->keys_n; i++)
        if (m->key[i].purpose == CU_PURPOSE_VALIDATOR) founder[n++] = (struct cu_comet_peer){ .validator = m->key[i].pub.bytes };
    cu_comet_genesis(&sh->network.entry.leaf, time, sh->network.genesis, founder, n, &genesis);
    TRY(cu_buf_ok(&genesis, err));
    TRY(replace(s, CU_DIR_CHAIN "/config/genesis.json", cu_buf_span(&genesis), 0, err));
    TRY(write_node_key(s, node, err));
    TRY(s->place.fs.ops->make_dir(s->place.fs.self, CU_DIR_CHAIN "/data", err));
    return cu_voter_begin(&s->place.fs, CU_COMETBFT_VOTES, validator, false, err);
}

static cu_status join(struct session *s, struct cu_span file, struct cu_err *err)
{
    struct cu_private_key validator = { .ctx = NULL }, node = { .ctx = NULL };
    CU_BUF passphrase = cu_buf_heap(65536);

    TRY(passphrase_read(s->run, NULL, &passphrase, err));
    TRY(cu_network_join(&s->place, file, cu_buf_span(&passphrase), &validator, &node, err));
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    const cu_status written = write_home(s, &validator, &node, err);
    cu_private_free(&validator);
    cu_private_free(&node);
    TRY(written);
    TRY(session_make_engine(s, err));
    return cu_found_done(&s->place, err);
}

cu_status share_rotate(struct session *s, unsigned which, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    const char *state = opt(s->run, "cosigner-state");
    const struct cu_founder moves = { .at = opt_span(s->run, "at"), .http = opt_span(s->run, "http") };

    ENSURE(s->networked, err, CU_USAGE, "%s is no share of a network", s->root);
    cu_status made = passphrase_of_keys(s, &passphrase, err);
    if (made == CU_OK) made = cu_founder_rotate(&s->place, which, &moves, cu_buf_span(&passphrase), ret, err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    TRY(made);
    if (state && !s->votes_fs.ops) TRY(cu_posix_fs(state, &s->votes_fs, err));
    if (which >> CU_PURPOSE_VALIDATOR & 1) TRY(votes_of_next(s, false, err));
    return which >> CU_PURPOSE_COSIGN & 1 ? cosigner_begin_next(s, err) : CU_OK;
}

cu_status share_resume(struct session *s, void *arg, struct cu_err *err)
{
    const struct cu_fs *fs = &s->place.fs;
    void *lock;

    (void)arg;
    ENSURE(s->networked, err, CU_USAGE, "%s is no share of a network: it votes nowhere", s->root);
    TRY(read_validator(s, err));
    TRY(fs->ops->lock(fs->self, CU_FILE_LOCK, 0, &lock, err)); /* its node is stopped */
    cu_status begun = cu_voter_begin(votes_fs(s), s->votes_path, &s->validator, true, err);
    if (begun == CU_OK && cu_fs_exists(fs, CU_DIR_KEYS "/validator-next.pem")) begun = votes_of_next(s, true, err);
    fs->ops->unlock(fs->self, lock);
    return begun;
}

cu_status share_create(struct session *s, struct run *run, const char *dir, struct cu_span file, struct cu_err *err)
{
    TRY(session_begin(s, run, dir, err));
    return join(s, file, err);
}
