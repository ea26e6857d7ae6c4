/* One organisation's share of a network: the ledger's folder with CometBFT's in it. */
#include "apps/custody/app.h"
#include "engine/cometbft/cometbft.h"
#include "service/audit.h"

#define ORGANISATIONS_MAX (CU_PARTIES_MAX)

struct share {
    struct cu_buf file;
    struct cu_network network;
    struct cu_comet_peer peer[ORGANISATIONS_MAX];
    struct cu_network_peer of[ORGANISATIONS_MAX];
    size_t n, own;
};

static void free_share(struct share **at)
{
    if (!*at) return;
    cu_buf_free(&(*at)->file);
    free(*at);
}

static cu_status read_peers(struct share *sh, const struct cu_place *p, struct cu_err *err)
{
    const uint64_t own = cu_network_own(&sh->network, p);
    size_t at = 0;

    ENSURE(own > 0, err, CU_NOT_ALLOWED,
           "the organisation's key (" CU_DIR_KEYS "/organisation.pem) is none of the network's: nothing was started");
    while (sh->n < ORGANISATIONS_MAX && cu_list_next(&sh->network.peers, &cu_network_peer_schema, &at, &sh->of[sh->n])) {
        const struct cu_network_peer *peer = &sh->of[sh->n];
        if (peer->party == own) sh->own = sh->n;
        sh->peer[sh->n++] = (struct cu_comet_peer){ cu_network_key(&sh->network, peer->party, CU_PURPOSE_VALIDATOR)->pub.bytes,
                                                    cu_network_key(&sh->network, peer->party, CU_PURPOSE_NODE)->pub.bytes,
                                                    peer->at };
    }
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
    TRY(read_peers(sh, &s->place, err));
    *ret = sh;
    sh = NULL;
    return CU_OK;
}

static cu_status replace(struct session *s, const char *path, struct cu_span bytes, unsigned flags, struct cu_err *err)
{
    return cu_fs_replace_as(&s->place.fs, path, CU_DIR_CHAIN "/incoming", bytes, flags, true, err);
}

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

static cu_status write_settings(struct session *s, struct cu_err *err)
{
    CU_CLEANUP(free_share) struct share *sh = NULL;
    CU_BUF settings = cu_buf_heap(1 << 20);
    const struct cu_span listen = opt_span(s->run, "p2p");

    TRY(read_share(s, &sh, err));
    cu_comet_settings(sh->peer, sh->n, sh->own, listen.n ? listen : sh->peer[sh->own].at, &settings);
    cu_buf_free(&s->peers);
    s->peers = cu_buf_heap(ORGANISATIONS_MAX * 40);
    s->validators = sh->n;
    cu_comet_ids(sh->peer, sh->n, &s->peers);
    TRY(cu_buf_ok(&s->peers, err));
    TRY(cu_buf_ok(&settings, err));
    return replace(s, CU_DIR_CHAIN "/config/config.toml", cu_buf_span(&settings), 0, err);
}

/* The key that signs this organisation's votes, and where it is kept what they were. */
static cu_status read_validator(struct session *s, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    const char *state = opt(s->run, "cosigner-state");

    if (s->validator.ctx) return CU_OK; /* the engine is opened once more */
    cu_status read = passphrase_of_keys(s, &passphrase, err);
    if (read == CU_OK) read = cu_key_load_named(&s->place, "validator", cu_buf_span(&passphrase), &s->validator, err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    TRY(read);
    s->votes_path = state ? "votes" : CU_COMETBFT_VOTES;
    if (!state) return CU_OK;
    return cu_posix_fs(state, &s->votes_fs, err);
}

static const struct cu_fs *votes_fs(const struct session *s) { return s->votes_fs.ops ? &s->votes_fs : &s->place.fs; }

static cu_status prepare(struct session *s, struct cu_err *err)
{
    TRY(read_validator(s, err));
    return write_settings(s, err);
}

cu_status share_start(struct session *s, struct cu_err *err)
{
    const struct cu_engine store = s->engine;
    char home[4200];

    const cu_status prepared = prepare(s, err);
    if (prepared != CU_OK) (void)store.close(store.self, NULL);
    TRY(prepared);
    snprintf(home, sizeof home, "%s/" CU_DIR_CHAIN, s->root);
    const struct cu_cometbft_config config = {
        .store = store,
        .fs = &s->place.fs,
        .machine = s->config.machine,
        .origin = cu_buf_span(&s->origin_mem),
        .network = s->place.trust.network,
        .voter = { .fs = votes_fs(s), .path = s->votes_path, .key = &s->validator, .validators = s->validators },
        .random = s->place.random,
        .workers = s->config.workers,
        .accelerate = s->place.accelerate,
        .peers = cu_buf_span(&s->peers),
        .home = home,
        .program = opt_is(s->run, "engine-apart") ? NULL
                   : opt(s->run, "cometbft")      ? opt(s->run, "cometbft")
                                                  : "cometbft",
        .log = log_engine,
        .arg = s
    };
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

cu_status share_begin(struct session *s, struct cu_err *err)
{
    struct cu_place *p = &s->place;
    cu_status confirmed = CU_INTERRUPTED;

    if (p->engine->tip(p->engine->self).size.v == 0)
        say(s->run, "waiting for the other organisations: the chain begins when more than two thirds of them are there\n");
    while (p->engine->tip(p->engine->self).size.v == 0) TRY(wait_a_moment(s, err));
    TRY(cu_settle(p, err));
    while (confirmed != CU_OK) {
        confirmed = cu_network_confirm(p, err);
        if (confirmed != CU_OK && !waits(confirmed)) return confirmed;
        if (confirmed != CU_OK) TRY(wait_a_moment(s, err));
    }
    TRY(cu_settle(p, err));
    const cu_status finished = session_finish_earlier(s, err);
    return waits(finished) ? CU_OK : finished;
}

cu_status share_address(struct session *s, char ret[257], struct cu_err *err)
{
    CU_CLEANUP(free_share) struct share *sh = NULL;

    ret[0] = 0;
    if (!s->networked) return CU_OK;
    TRY(read_share(s, &sh, err));
    snprintf(ret, 257, "%.*s", (int)sh->of[sh->own].http.n, (const char *)sh->of[sh->own].http.p);
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
    uint8_t secret[1024];
    struct cu_buf key = cu_buf_over(secret, sizeof secret);

    TRY(read_share(s, &sh, err));
    const cu_unix_ms time = { sh->network.entry.outer.body.genesis.time };
    cu_comet_genesis(&sh->network.entry.leaf, time, sh->network.genesis, sh->peer, sh->n, &genesis);
    TRY(cu_buf_ok(&genesis, err));
    TRY(replace(s, CU_DIR_CHAIN "/config/genesis.json", cu_buf_span(&genesis), 0, err));
    TRY(cu_comet_node_key(node, &key, err));
    TRY(replace(s, CU_DIR_CHAIN "/config/node_key.json", cu_buf_span(&key), CU_OPEN_PRIVATE, err));
    cu_wipe(secret, sizeof secret);
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

cu_status share_resume(struct session *s, void *arg, struct cu_err *err)
{
    const struct cu_fs *fs = &s->place.fs;
    void *lock;

    (void)arg;
    ENSURE(s->networked, err, CU_USAGE, "%s is no share of a network: it votes nowhere", s->root);
    TRY(read_validator(s, err));
    TRY(fs->ops->lock(fs->self, CU_FILE_LOCK, 0, &lock, err)); /* its node is stopped */
    const cu_status begun = cu_voter_begin(votes_fs(s), s->votes_path, &s->validator, true, err);
    fs->ops->unlock(fs->self, lock);
    return begun;
}

cu_status share_create(struct session *s, struct run *run, const char *dir, struct cu_span file, struct cu_err *err)
{
    TRY(session_begin(s, run, dir, err));
    return join(s, file, err);
}
