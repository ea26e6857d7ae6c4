/* The store, the chain, what is submitted, the socket and the child, as one engine.
 *
 * Started in this order: chain, sockets, sender, child; stopped the other way round, for CometBFT does not like to be left by its application.
 */
#include "engine/cometbft/cometbft.h"

#include "custody/limits.h"
#include "engine/cometbft/child.h"
#include "engine/cometbft/clock.h"
#include "engine/cometbft/rpc.h"
#include "engine/cometbft/submit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAME_MAX (64u << 20)
#define WATCH_MS 50
#define DIAL_MAX (CU_PARTIES_MAX * 400u)
#define BLOCKS 64u    /* whose checkpoints are handed out in turn */
#define LOOK_MS 5000u /* for peers, once it has caught up: the answer has the block under way in it */

struct cometbft {
    struct cu_cometbft_config config;
    struct cu_chain *chain;
    struct cu_sender *sender;
    struct cu_child *child;
    struct cu_voter *voter;
    int home_fd, stop[2];
    char app[64], rpc[64], votes[64],
        chain_id[48]; /* by way of home_fd: a socket's name is short, a ledger's folder may not be */
    pthread_t server, signs, watches;
    unsigned threads; /* of these that run, in this order */
    pthread_mutex_t lock;
    struct cu_err why;                  /* status OK: it works */
    struct cu_chain_listener submitted; /* is told behind us */
    pthread_cond_t grown;
    struct cu_tip block[BLOCKS]; /* the log behind each of the last ones */
    uint64_t blocks;
    struct cu_buf dial; /* who its peers are */
    bool untold;        /* CometBFT is to be told */
};

static void fail(void *self, const struct cu_err *why)
{
    struct cometbft *e = self;

    pthread_mutex_lock(&e->lock);
    if (e->why.status == CU_OK) e->why = *why;
    pthread_mutex_unlock(&e->lock);
}

static void *serve(void *self)
{
    struct cometbft *e = self;
    struct cu_err why = { 0 };
    const struct cu_abci_config config = { e->app, FRAME_MAX, e->stop[0], cu_chain_application(e->chain) };

    if (cu_abci_serve(&config, &why) != CU_OK) fail(e, &why);
    return NULL;
}

static void *sign_votes(void *self)
{
    struct cometbft *e = self;

    cu_voter_serve(e->voter, e->votes, e->stop[0]);
    return NULL;
}

static void start_again(struct cometbft *e)
{
    pthread_mutex_lock(&e->lock);
    cu_child_again(e->child);
    pthread_mutex_unlock(&e->lock);
}

static struct cu_child *exchange_child(struct cometbft *e, struct cu_child *other)
{
    pthread_mutex_lock(&e->lock);
    struct cu_child *was = e->child;
    e->child = other;
    pthread_mutex_unlock(&e->lock);
    return was;
}

struct watching {
    uint64_t peers[CU_PARTIES_MAX], looked_ms;
    size_t n;
    struct cu_dialling dialling;
    bool caught_up;
};

/* How many there are to be. */
static size_t others_of(struct cometbft *e)
{
    size_t n = 0;

    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->dial.n; i++) n += e->dial.p[i] == '@';
    pthread_mutex_unlock(&e->lock);
    return n;
}

static void look_for_peers(struct cometbft *e, struct watching *w)
{
    const uint64_t now = cu_monotonic_ms();

    if (w->caught_up && now - w->looked_ms < LOOK_MS) return;
    w->looked_ms = now;
    const bool says = cu_rpc_peers(e->rpc, w->peers, CU_PARTIES_MAX, &w->n, NULL) == CU_OK;
    if (!says) w->n = 0;
    if (!says || !cu_dialling_due(&w->dialling, w->n, others_of(e), now)) return;
    pthread_mutex_lock(&e->lock);
    e->untold = true;
    pthread_mutex_unlock(&e->lock);
}

/* Until it has answered: it may be about to be started, and then reads them in its settings, too. */
static void tell_peers(struct cometbft *e)
{
    CU_BUF peers = cu_buf_heap(DIAL_MAX);

    pthread_mutex_lock(&e->lock);
    if (e->untold) cu_buf_add(&peers, cu_buf_span(&e->dial));
    e->untold = false;
    pthread_mutex_unlock(&e->lock);
    if (peers.n == 0 || cu_rpc_dial(e->rpc, cu_buf_span(&peers), NULL) == CU_OK) return;
    pthread_mutex_lock(&e->lock);
    e->untold = true;
    pthread_mutex_unlock(&e->lock);
}

/* Has it caught up? And does it owe a vote? In a thread of its own: while CometBFT waits for a signature it answers nothing else. */
static void *watch(void *self)
{
    struct cometbft *e = self;
    struct pollfd stop = { e->stop[0], POLLIN, 0 };
    struct watching w = { .n = 0 };
    uint64_t height;
    cu_unix_ms time;

    do {
        tell_peers(e);
        look_for_peers(e, &w);
        cu_chain_at(e->chain, &height, &time);
        w.caught_up = w.caught_up || cu_voter_caught_up(e->voter, height, w.peers, w.n);
        if (cu_voter_owes(e->voter)) start_again(e);
    } while (poll(&stop, 1, WATCH_MS) == 0);
    return NULL;
}

static cu_status broadcast(void *arg, struct cu_span tx, struct cu_err *err)
{
    const struct cometbft *e = arg;

    return cu_rpc_broadcast(e->rpc, tx, err);
}

static void log_line(void *self, const char *line)
{
    const struct cometbft *e = self;

    e->config.log(e->config.arg, line);
}

/* ---- what the chain tells ---- */

static void judged(void *self, struct cu_span tx, const struct cu_submission *subs, size_t n)
{
    const struct cu_chain_listener *to = &((struct cometbft *)self)->submitted;
    to->judged(to->self, tx, subs, n);
}

static void committed(void *self, bool admitted)
{
    const struct cu_chain_listener *to = &((struct cometbft *)self)->submitted;
    to->committed(to->self, admitted);
}

static void dated(void *self, cu_seq block, cu_unix_ms closed)
{
    struct cometbft *e = self;
    const struct cu_tip now = e->config.store.tip(e->config.store.self);

    pthread_mutex_lock(&e->lock);
    e->block[e->blocks++ % BLOCKS] = now;
    pthread_cond_broadcast(&e->grown);
    pthread_mutex_unlock(&e->lock);
    e->submitted.dated(e->submitted.self, block, closed);
}

/* ---- the calls of struct cu_engine ---- */

cu_status cu_cometbft_works(const struct cu_engine *engine, struct cu_err *err)
{
    struct cometbft *e = engine->self;

    pthread_mutex_lock(&e->lock);
    const struct cu_err why = e->why;
    pthread_mutex_unlock(&e->lock);
    return why.status == CU_OK ? CU_OK : cu_fail(err, why.status, "%s", why.text);
}

void cu_cometbft_dial(const struct cu_engine *engine, struct cu_span peers)
{
    struct cometbft *e = engine->self;

    pthread_mutex_lock(&e->lock);
    cu_buf_clear(&e->dial);
    cu_buf_add(&e->dial, peers);
    e->untold = true;
    pthread_mutex_unlock(&e->lock);
}

void cu_cometbft_again(const struct cu_engine *engine) { start_again(engine->self); }

static cu_status submit(void *self, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err)
{
    struct cometbft *e = self;
    const struct cu_engine engine = { .self = e };

    TRY(cu_cometbft_works(&engine, err));
    return cu_sender_submit(e->sender, records, n, ret, err);
}

static const struct cu_engine *store_of(void *self) { return &((struct cometbft *)self)->config.store; }
static struct cu_tip tip(void *self) { return store_of(self)->tip(store_of(self)->self); }
static cu_status ask(void *self, cu_status (*look)(void *arg, struct cu_err *err), void *arg, struct cu_err *err)
{
    return store_of(self)->ask(store_of(self)->self, look, arg, err);
}
static cu_status drain(void *self, struct cu_err *err) { return store_of(self)->drain(store_of(self)->self, err); }
static struct cu_tile_source tiles(void *self) { return store_of(self)->tiles(store_of(self)->self); }
static cu_status checkpoint(void *self, struct cu_buf *ret, struct cu_err *err)
{
    return store_of(self)->checkpoint(store_of(self)->self, ret, err);
}
static cu_status record(void *self, cu_seq seq, struct cu_buf *ret, struct cu_err *err)
{
    return store_of(self)->record(store_of(self)->self, seq, ret, err);
}

static bool misbehaviour(void *self, struct cu_misbehaviour *ret)
{
    return cu_reports_first(cu_chain_reports(((struct cometbft *)self)->chain), ret);
}
static cu_status reported(void *self, const struct cu_misbehaviour *what, struct cu_err *err)
{
    return cu_reports_done(cu_chain_reports(((struct cometbft *)self)->chain), what, err);
}

/* The first block behind `after`; what was before this process is one. */
static bool block_after(struct cometbft *e, cu_size after, struct cu_tip *ret)
{
    for (uint64_t i = e->blocks > BLOCKS ? e->blocks - BLOCKS : 0; i < e->blocks; i++)
        if (e->block[i % BLOCKS].size.v > after.v) return *ret = e->block[i % BLOCKS], true;
    *ret = tip(e);
    return ret->size.v > after.v;
}

static cu_status next(void *self, cu_size after, unsigned ms, struct cu_buf *ret, struct cu_err *err)
{
    const struct timespec until = cu_monotonic_in(ms);
    struct cometbft *e = self;
    struct cu_tip found;

    pthread_mutex_lock(&e->lock);
    while (!block_after(e, after, &found))
        if (pthread_cond_timedwait(&e->grown, &e->lock, &until) != 0) break;
    pthread_mutex_unlock(&e->lock);
    ENSURE(found.size.v > after.v, err, CU_NOT_FOUND, "the log has not grown");
    return cu_embedded_checkpoint_of(store_of(e), &found, ret, err);
}

/* ---- opening and closing ---- */

static void stop_all(struct cometbft *e)
{
    cu_sender_stop(e->sender);
    cu_child_stop(exchange_child(e, NULL));
    while (e->stop[1] >= 0 && write(e->stop[1], "s", 1) < 0 && errno == EINTR) continue;
    if (e->threads > 0) pthread_join(e->server, NULL);
    if (e->threads > 1) pthread_join(e->signs, NULL);
    if (e->threads > 2) pthread_join(e->watches, NULL);
    cu_chain_close(e->chain);
    cu_voter_close(e->voter);
    cu_sender_free(e->sender);
    cu_buf_free(&e->dial);
    if (e->home_fd >= 0) close(e->home_fd);
    for (unsigned i = 0; i < 2; i++)
        if (e->stop[i] >= 0) close(e->stop[i]);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->grown);
    free(e);
}

static cu_status close_engine(void *self, struct cu_err *err)
{
    struct cometbft *e = self;

    if (!e) return CU_OK;
    const struct cu_engine store = e->config.store;
    stop_all(e);
    return store.close(store.self, err);
}

static void let_go(struct cometbft **at)
{
    if (*at) (void)close_engine(*at, NULL);
    *at = NULL;
}

static cu_status name_sockets(struct cometbft *e, struct cu_err *err)
{
    e->home_fd = open(e->config.home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ENSURE(e->home_fd >= 0 && pipe2(e->stop, O_CLOEXEC) == 0, err, CU_IO, "%s cannot be opened: %s", e->config.home,
           strerror(errno));
    snprintf(e->app, sizeof e->app, "/proc/self/fd/%d/app.sock", e->home_fd);
    snprintf(e->rpc, sizeof e->rpc, "/proc/self/fd/%d/rpc.sock", e->home_fd);
    snprintf(e->votes, sizeof e->votes, "/proc/self/fd/%d/" CU_COMET_SIGNER, e->home_fd);
    return CU_OK;
}

static cu_status open_voter(struct cometbft *e, struct cu_err *err)
{
    struct cu_voter_config config = e->config.voter;

    if (!config.key) return CU_OK;
    cu_comet_chain_id(&e->config.network, e->chain_id);
    config.chain = cu_span_str(e->chain_id);
    config.alarm = fail;
    config.arg = e;
    return cu_voter_open(&config, &e->voter, err);
}

static cu_status start_threads(struct cometbft *e, struct cu_err *err)
{
    const unsigned wanted = e->voter ? 3 : 1;

    e->threads = pthread_create(&e->server, NULL, serve, e) == 0;
    if (e->threads == 1 && wanted > 1) e->threads += pthread_create(&e->signs, NULL, sign_votes, e) == 0;
    if (e->threads == 2) e->threads += pthread_create(&e->watches, NULL, watch, e) == 0;
    ENSURE(e->threads == wanted, err, CU_NO_MEMORY, "no thread for the consensus engine's questions");
    return CU_OK;
}

static bool has_begun(void *self)
{
    struct cometbft *e = self;
    uint64_t height;
    cu_unix_ms time;

    cu_chain_at(e->chain, &height, &time);
    return height > 0 || cu_voter_has_signed(e->voter);
}

static cu_status start_child(struct cometbft *e, struct cu_err *err)
{
    const struct cu_child_config config = { e->config.program, e->config.home, log_line, has_begun, fail, e };

    struct cu_child *child = NULL;

    if (e->config.program) TRY(cu_child_start(&config, &child, err));
    (void)exchange_child(e, child);
    return CU_OK;
}

static cu_status start(struct cometbft *e, struct cu_err *err)
{
    const struct cu_cometbft_config *c = &e->config;
    const struct cu_sender_config sender = {
        .fs = c->fs, .dir = CU_COMETBFT_HEIGHTS, .random = c->random, .broadcast = broadcast, .arg = e
    };

    TRY(name_sockets(e, err));
    TRY(open_voter(e, err));
    TRY(cu_sender_new(&sender, &e->sender, err));
    e->submitted = cu_sender_listener(e->sender);
    const struct cu_chain_config chain = { .fs = c->fs,
                                           .dir = CU_COMETBFT_HEIGHTS,
                                           .store = &e->config.store,
                                           .machine = c->machine,
                                           .origin = c->origin,
                                           .peers = c->peers,
                                           .voter = e->voter,
                                           .workers = c->workers,
                                           .accelerate = c->accelerate,
                                           .listener = { e, judged, committed, dated } };
    TRY(cu_chain_open(&chain, &e->chain, err));
    TRY(start_threads(e, err));
    TRY(cu_sender_start(e->sender, e->chain, err));
    return start_child(e, err);
}

cu_status cu_cometbft_open(const struct cu_cometbft_config *config, struct cu_engine *ret, struct cu_err *err)
{
    CU_CLEANUP(let_go) struct cometbft *e = calloc(1, sizeof *e);

    if (!e) {
        (void)config->store.close(config->store.self, NULL);
        return cu_fail(err, CU_NO_MEMORY, "no memory for an engine");
    }
    e->config = *config;
    e->dial = cu_buf_heap(DIAL_MAX);
    cu_buf_add(&e->dial, config->others);
    e->home_fd = e->stop[0] = e->stop[1] = -1;
    pthread_mutex_init(&e->lock, NULL);
    cu_monotonic_cond(&e->grown);
    TRY(start(e, err));
    *ret = (struct cu_engine){
        e, submit, tip, ask, drain, tiles, checkpoint, record, close_engine, misbehaviour, reported, next
    };
    e = NULL;
    return CU_OK;
}
