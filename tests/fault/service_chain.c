/* The other engine under the same stories: the ledger as the application of a chain whose consensus is played here, block by block, without
 * CometBFT: what it asks, in its order, and its handshake when a process begins. What was decided stays decided, whatever becomes of the node: the
 * other organisations have it. So a record may be there that nobody was told of, and none that was told of may be gone.
 *
 * A submission is one block, and an empty one behind it, which dates it. Nothing is decided by a process whose power is off. */
#include "engine/cometbft/chain.h"
#include "service_world.h"

#include <stdlib.h>

#define TXS 8u

struct block {
    cu_unix_ms time;
    struct cu_buf tx[TXS];
    size_t n;
};
struct sw_chain {
    struct service_world *w;
    struct cu_engine store;
    struct cu_chain *chain;
    struct cu_abci_application app;
    struct block *block; /* of height 1 first */
    size_t blocks, cap;
    cu_hash *app_hash; /* by height - 1: zeros where nobody has answered yet */
    cu_status failed;  /* the application ended */
    struct cu_err why;
    struct cu_outcome *told; /* of the submission under way */
    size_t told_n, first_told;
};

bool sw_on_chain;

struct sw_chain *sw_chain_new(struct service_world *w, const struct sw_chain *from)
{
    struct sw_chain *c = calloc(1, sizeof *c);

    CU_ASSERT(c);
    c->w = w;
    if (!from) return c;
    c->blocks = c->cap = from->blocks;
    c->block = calloc(c->cap + 1, sizeof *c->block);
    c->app_hash = calloc(c->cap + 1, sizeof *c->app_hash);
    CU_ASSERT(c->block && c->app_hash);
    for (size_t i = 0; i < c->blocks; i++) {
        c->app_hash[i] = from->app_hash[i];
        c->block[i].time = from->block[i].time;
        for (c->block[i].n = 0; c->block[i].n < from->block[i].n; c->block[i].n++) {
            struct cu_buf *tx = &c->block[i].tx[c->block[i].n];
            *tx = cu_buf_heap(CU_CHAIN_TX_MAX);
            cu_buf_add(tx, cu_buf_span(&from->block[i].tx[c->block[i].n]));
        }
    }
    return c;
}

static void forget(struct sw_chain *c)
{
    for (size_t i = 0; i < c->blocks; i++)
        for (size_t k = 0; k < c->block[i].n; k++) cu_buf_free(&c->block[i].tx[k]);
    c->blocks = 0;
}

void sw_chain_free(struct sw_chain *c)
{
    if (!c) return;
    forget(c);
    free(c->block);
    free(c->app_hash);
    free(c);
}

/* ---- what is told ---- */

static void judged(void *self, struct cu_span tx, const struct cu_submission *subs, size_t n)
{
    struct sw_chain *c = self;
    (void)tx;

    for (size_t i = 0; i < n && c->told; i++) { /* the ones that were good, in their order */
        while (c->first_told < c->told_n && c->told[c->first_told].status != CU_INTERRUPTED) c->first_told++;
        CU_ASSERT(c->first_told < c->told_n);
        struct cu_outcome *o = &c->told[c->first_told];
        *o = (struct cu_outcome){ .status = subs[i].status, .id = subs[i].id };
        if (subs[i].status == CU_OK || subs[i].status == CU_DUPLICATE) o->seq = subs[i].seq;
        if (subs[i].status == CU_OK) o->leaf = subs[i].entry.leaf;
        else memcpy(o->text, subs[i].text, sizeof o->text);
    }
}

static void committed(void *self, bool admitted) { (void)self, (void)admitted; }

static void dated(void *self, cu_seq block, cu_unix_ms closed)
{
    struct sw_chain *c = self;

    for (size_t i = 0; i < c->told_n && c->told; i++)
        if (c->told[i].status == CU_OK && c->told[i].closed.v == 0) c->told[i].block = block, c->told[i].closed = closed;
}

/* ---- what is asked ---- */

static cu_status ask(struct sw_chain *c, const struct cu_abci_request *q, struct cu_abci_response *a, struct cu_buf *out)
{
    if (c->failed != CU_OK) return c->failed;
    memset(a, 0, sizeof *a);
    c->failed = c->app.answer(c->app.self, q, a, out, &c->why);
    return c->failed;
}

static struct cu_pb_list txs_of(const struct block *b, struct cu_span mem[TXS])
{
    for (size_t i = 0; i < b->n; i++) mem[i] = cu_buf_span(&b->tx[i]);
    return (struct cu_pb_list){ mem, b->n };
}

static cu_status play(struct sw_chain *c, size_t height)
{
    const struct block *b = &c->block[height - 1];
    const struct cu_abci_timestamp time = { true, (int64_t)(b->time.v / 1000), (int64_t)(b->time.v % 1000) * 1000000 };
    const struct cu_abci_request commit = { .commit = { .there = true } };
    struct cu_abci_request q = { .finalize_block = { .there = true, .height = (int64_t)height, .time = time } };
    CU_BUF out = cu_buf_heap(1 << 20);
    struct cu_abci_response a;
    struct cu_span mem[TXS];

    q.finalize_block.txs = txs_of(b, mem);
    TRY(ask(c, &q, &a, &out));
    CU_ASSERT(a.finalize_block.app_hash.n == 32 && a.finalize_block.tx_results.n == b->n);
    cu_hash *known = &c->app_hash[height - 1];
    CU_ASSERT(cu_hash_is_zero(known) || memcmp(known->b, a.finalize_block.app_hash.p, 32) == 0); /* as the next header has it */
    memcpy(known->b, a.finalize_block.app_hash.p, 32);
    return ask(c, &commit, &a, &out);
}

/* A proposal of this node, which it judges as the others do. */
static cu_status propose(struct sw_chain *c, const struct block *b)
{
    struct cu_span mem[TXS];
    struct cu_abci_request q = { .prepare_proposal = { .there = true, .max_tx_bytes = 1 << 22, .txs = txs_of(b, mem) } };
    CU_BUF out = cu_buf_heap(1 << 20);
    struct cu_abci_response a;

    for (size_t i = 0; i < b->n; i++) {
        const struct cu_abci_request check = { .check_tx = { .there = true, .tx = mem[i] } };
        TRY(ask(c, &check, &a, &out));
        CU_ASSERT(a.check_tx.code == CU_OK);
    }
    TRY(ask(c, &q, &a, &out));
    CU_ASSERT(a.prepare_proposal.txs.n == b->n);
    q = (struct cu_abci_request){ .process_proposal = { .there = true, .txs = txs_of(b, mem) } };
    TRY(ask(c, &q, &a, &out));
    CU_ASSERT(a.process_proposal.status == CU_ABCI_ACCEPT);
    return CU_OK;
}

static cu_status decide(struct sw_chain *c, struct block *b, bool known)
{
    const cu_unix_ms now = c->w->place.clock.now(c->w->place.clock.self);
    const uint64_t least = c->blocks ? c->block[c->blocks - 1].time.v + 1 : 1;

    if (known) TRY(propose(c, b));
    if (c->w->faulty.stopped) return c->failed = cu_fail(&c->why, CU_IO, "the power is off");
    if (c->blocks == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 16;
        c->block = realloc(c->block, c->cap * sizeof *c->block);
        c->app_hash = realloc(c->app_hash, c->cap * sizeof *c->app_hash);
        CU_ASSERT(c->block && c->app_hash);
    }
    b->time.v = now.v > least ? now.v : least;
    memset(&c->app_hash[c->blocks], 0, sizeof *c->app_hash);
    c->block[c->blocks++] = *b;
    *b = (struct block){ .n = 0 };
    return play(c, c->blocks);
}

/* ---- the engine ---- */

static bool is_good(const struct cu_submission *sub, bool first, struct cu_outcome *ret)
{
    *ret = (struct cu_outcome){ .status = sub->status, .id = sub->id };
    if (sub->status == CU_OK && !first && !sub->verified && sub->entry.signed_) ret->status = CU_UNKNOWN_KEY;
    if (ret->status != CU_OK) snprintf(ret->text, sizeof ret->text, "%s", sub->text[0] ? sub->text : "a key is not enrolled");
    else ret->status = CU_INTERRUPTED;
    return ret->status == CU_INTERRUPTED;
}

static bool add(struct block *b, struct cu_span record, size_t *records)
{
    struct cu_buf *tx = &b->tx[b->n ? b->n - 1 : 0];

    if (b->n == 0 || *records == CU_SUBMIT_RECORDS_MAX || tx->n + record.n > CU_CHAIN_TX_MAX) {
        if (b->n == TXS) return false;
        tx = &b->tx[b->n++];
        *tx = cu_buf_heap(CU_CHAIN_TX_MAX);
        cu_buf_add(tx, cu_span("-nonce-", CU_CHAIN_NONCE));
        *records = 0;
    }
    cu_buf_add(tx, record);
    (*records)++;
    return true;
}

/* As many as one block takes. With a genesis goes whose keys it tells: the founding records, which nobody checks at the door. */
static cu_status submit_some(struct sw_chain *c, const struct cu_span *records, size_t *io_n, struct cu_outcome *ret)
{
    struct cu_submission *subs = calloc(*io_n, sizeof *subs);
    const bool first = c->store.tip(c->store.self).size.v == 0;
    struct block b = { .n = 0 };
    size_t n = 0, in_tx = 0;

    CU_ASSERT(subs);
    for (size_t i = 0; i < *io_n; i++) subs[i].bytes = records[i];
    cu_chain_prepare(c->chain, subs, *io_n);
    for (; n < *io_n; n++)
        if (is_good(&subs[n], first, &ret[n]) && !add(&b, records[n], &in_tx)) break;
    free(subs);
    *io_n = n;
    c->told = ret, c->told_n = n, c->first_told = 0;
    if (b.n > 0) TRY(decide(c, &b, !first));
    bool any = false;
    for (size_t i = 0; i < n; i++) any |= ret[i].status == CU_OK;
    if (any) TRY(decide(c, &b, true));
    return CU_OK;
}

static cu_status submit(void *self, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err)
{
    struct sw_chain *c = self;
    cu_status done = c->failed;

    for (size_t at = 0, some; at < n && done == CU_OK; at += some) {
        some = n - at;
        done = submit_some(c, records + at, &some, ret + at);
    }
    c->told = NULL;
    return done == CU_OK ? CU_OK : cu_fail(err, done, "%s", c->why.text);
}

static const struct cu_engine *store_of(void *self) { return &((struct sw_chain *)self)->store; }
static struct cu_tip tip(void *self) { return store_of(self)->tip(store_of(self)->self); }
static cu_status ask_store(void *self, cu_status (*look)(void *arg, struct cu_err *err), void *arg, struct cu_err *err)
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

static cu_status close_chain(void *self, struct cu_err *err)
{
    struct sw_chain *c = self;

    cu_chain_close(c->chain);
    c->chain = NULL;
    return c->store.close(c->store.self, err);
}

/* The handshake: what was decided and is not there is played again; what is not dated is, by the block that a changed app hash asks for. */
static cu_status shake_hands(struct sw_chain *c)
{
    const struct cu_abci_request info = { .info = { .there = true } };
    CU_BUF out = cu_buf_heap(4096);
    struct cu_abci_response a;
    struct block empty = { .n = 0 };

    TRY(ask(c, &info, &a, &out));
    const size_t has = (size_t)a.info.last_block_height;
    CU_ASSERT(has <= c->blocks);
    CU_ASSERT(has == 0 || memcmp(a.info.last_block_app_hash.p, c->app_hash[has - 1].b, 32) == 0);
    for (size_t h = has + 1; h <= c->blocks; h++) TRY(play(c, h));
    return c->blocks > 0 && c->block[c->blocks - 1].n > 0 ? decide(c, &empty, false) : CU_OK;
}

cu_status sw_chain_open(struct sw_chain *c, bool anew, struct cu_engine *io, struct cu_err *err)
{
    const struct cu_fs *fs = &c->w->place.fs;
    const struct cu_chain_config config = { .fs = fs,
                                            .dir = "node/chain",
                                            .store = &c->store,
                                            .machine = c->w->config.machine,
                                            .origin = c->w->config.origin,
                                            .workers = 1,
                                            .listener = { c, judged, committed, dated } };
    static const char *const files[] = { "node/chain/0", "node/chain/1" };

    c->store = *io;
    c->failed = CU_OK;
    c->told = NULL;
    if (anew) forget(c);
    for (unsigned i = 0; i < 2 && anew; i++) { /* an attempt's */
        CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;
        if (cu_fs_exists(fs, files[i])) TRY(fs->ops->open(fs->self, files[i], CU_OPEN_WRITE | CU_OPEN_TRUNCATE, &file, err));
    }
    TRY(cu_chain_open(&config, &c->chain, err));
    c->app = cu_chain_application(c->chain);
    const cu_status shaken = shake_hands(c);
    *io = (struct cu_engine){ c, submit, tip, ask_store, drain, tiles, checkpoint, record, close_chain, NULL };
    return shaken == CU_OK ? CU_OK : cu_fail(err, shaken, "%s", c->why.text);
}
