/* Blocks into the log.
 *
 * (1) FinalizeBlock judges on a scratch state: the machine's batch is abandoned before it is answered. Commit writes the height's file,
 *     one sync: that is the step. A file that is torn is none, and the height before it counts, whose file is the other one.
 * (2) The records of H become a batch of the store when FinalizeBlock of H + 1 tells the time that dates them: H + 1 is decided
 *     then, and there is no other. So the store is at H, or at the last height before it that admitted anything. They were read when H was
 *     judged, and are kept as they were read; a process that began since then reads them from the height's file.
 * (3) Everything that an answer to consensus depends on is in the request and in what was committed. What fails here alone
 *     (memory, disk) is no answer: the application ends.
 * (4) A record is verified once: a transaction whose records are all good is known by its digest, as is one that was packed here of good
 *     ones. Its bytes are the same, so are form, attachments and signatures, and keys are never changed.
 * (5) What H changes of the validators is answered with H, by the ledger's state before and after its records, and holds from H + 2 on. So those of
 *     the next height are always those of the state that the store is at: by (2) that is the last one but one.
 */
#include "engine/cometbft/chain.h"

#include "custody/cbor.h"
#include "custody/note.h"
#include "custody/text.h"
#include "custody/tree.h"
#include "engine/embedded/workers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define KNOWN 16384u /* (4); a power of two */
#define HEIGHT_FILE_MAX (128u << 20)

struct work {
    struct cu_submission *subs;
    size_t n, cap;
    struct cu_buf bytes; /* that they lie in */
};

struct cu_chain {
    struct cu_chain_config config;
    pthread_mutex_t lock;         /* what consensus changes and questions read */
    pthread_mutex_t prepare_lock; /* the pool, the known */
    struct cu_pool *pool;
    struct cu_reports *reports;
    struct cu_height before, at,
        next; /* committed: the one before the last, without its records; the last; finalized, when next.height is not 0 */
    struct cu_buf at_file, next_records; /* what their records lie in */
    struct work at_work, next_work;      /* the same as they were read: (2); at_work.n == 0: not by this process */
    struct cu_buf founding;              /* records of InitChain, which the first height begins with */
    cu_hash known[KNOWN];
};

/* ---- records on their way ---- */

static void work_free(struct work *w)
{
    free(w->subs);
    cu_buf_free(&w->bytes);
}

static cu_status work_add(struct work *w, const struct cu_span *records, size_t n, bool trusted, struct cu_err *err)
{
    if (w->n + n > w->cap) {
        const size_t cap = 2 * w->cap > w->n + n ? 2 * w->cap : w->n + n;
        struct cu_submission *more = realloc(w->subs, cap * sizeof *more);
        ENSURE(more, err, CU_NO_MEMORY, "no memory for the records of a block");
        w->subs = more;
        w->cap = cap;
    }
    for (size_t i = 0; i < n; i++) w->subs[w->n++] = (struct cu_submission){ .bytes = records[i], .trusted = trusted };
    return CU_OK;
}

static bool is_known(struct cu_chain *c, const cu_hash *tx)
{
    pthread_mutex_lock(&c->prepare_lock);
    const bool known = cu_hash_eq(&c->known[cu_be32(tx->b) % KNOWN], tx);
    pthread_mutex_unlock(&c->prepare_lock);
    return known;
}

void cu_chain_verified(struct cu_chain *c, const cu_hash *tx)
{
    pthread_mutex_lock(&c->prepare_lock);
    c->known[cu_be32(tx->b) % KNOWN] = *tx;
    pthread_mutex_unlock(&c->prepare_lock);
}

/* A transaction is a few bytes that make it another one than any before, and records, one behind the other. */
static cu_status add_tx(struct work *w, struct cu_span tx, bool trusted, struct cu_err *err)
{
    struct cu_span records[CU_SUBMIT_RECORDS_MAX];
    size_t n = 0;

    ENSURE(tx.n <= CU_CHAIN_TX_MAX, err, CU_TOO_LARGE, "a transaction of %zu bytes; at most %u are taken", tx.n, CU_CHAIN_TX_MAX);
    ENSURE(tx.n > CU_CHAIN_NONCE, err, CU_MALFORMED, "a transaction without a record");
    TRY(cu_records_split(cu_span_from(tx, CU_CHAIN_NONCE), records, CU_SUBMIT_RECORDS_MAX, &n, err));
    return work_add(w, records, n, trusted, err);
}

static void prepare(struct cu_chain *c, struct work *w)
{
    pthread_mutex_lock(&c->prepare_lock);
    cu_pool_prepare(c->pool, w->subs, w->n);
    pthread_mutex_unlock(&c->prepare_lock);
}

void cu_chain_prepare(struct cu_chain *c, struct cu_submission *subs, size_t n)
{
    prepare(c, &(struct work){ .subs = subs, .n = n });
}

static bool ours_alone(cu_status status) { return status == CU_NO_MEMORY || status >= CU_IO; } /* (3) */

/* One transaction by itself: OK, or what is wrong with its first bad record. *ret_known: and every key of it is known. */
static cu_status judge_tx(struct cu_chain *c, struct cu_span tx, bool *ret_known, struct cu_err *err)
{
    CU_CLEANUP(work_free) struct work w = { 0 };
    const cu_hash digest = cu_sha256(tx);

    *ret_known = true;
    if (is_known(c, &digest)) return CU_OK; /* (4) */
    TRY(add_tx(&w, tx, false, err));
    prepare(c, &w);
    for (size_t i = 0; i < w.n; i++) {
        ENSURE(w.subs[i].status == CU_OK, err, w.subs[i].status, "record %zu: %s", i, w.subs[i].text);
        *ret_known = *ret_known && w.subs[i].verified;
    }
    if (*ret_known && w.n > 0) cu_chain_verified(c, &digest);
    return CU_OK;
}

/* ---- what is told of a state ---- */

/* The root of CometBFT's tree over one pair. */
static cu_hash pair_root(const char *key, struct cu_span value)
{
    uint8_t leaf[64];
    struct cu_buf out = cu_buf_over(leaf, sizeof leaf);
    const cu_hash digest = cu_sha256(value);

    cu_pb_put_varint(&out, strlen(key));
    cu_buf_add_str(&out, key);
    cu_pb_put_varint(&out, sizeof digest.b);
    cu_buf_add(&out, cu_span_hash(&digest));
    CU_ASSERT(!out.full);
    return cu_leaf_hash(cu_buf_span(&out));
}

cu_hash cu_chain_app_hash(struct cu_span checkpoint)
{
    const cu_hash inner = pair_root("checkpoint", checkpoint);
    return pair_root("log", cu_span_hash(&inner));
}

#define CHECKPOINT_MAX (CU_ORIGIN_MAX + 128u)

static struct cu_span checkpoint_of(const struct cu_chain *c, const struct cu_height *h, uint8_t mem[CHECKPOINT_MAX])
{
    struct cu_buf out = cu_buf_over(mem, CHECKPOINT_MAX);
    const struct cu_checkpoint it = { c->config.origin, h->size, h->root };

    cu_checkpoint_put(&it, &out);
    CU_ASSERT(!out.full);
    return cu_buf_span(&out);
}

static cu_hash app_hash_of(const struct cu_chain *c, const struct cu_height *h)
{
    uint8_t mem[CHECKPOINT_MAX];
    return cu_chain_app_hash(checkpoint_of(c, h, mem));
}

/* ---- FinalizeBlock ---- */

/* Of the height's file: they were judged when they were committed, so they are admitted again. */
static cu_status read_sealed(struct cu_chain *c, struct work *w, struct cu_err *err)
{
    struct cu_span one;

    w->n = 0;
    for (struct cu_span rest = c->at.records; rest.n > 0; rest = cu_span_from(rest, one.n)) {
        struct cu_cbor_reader in = cu_cbor_read(rest);
        one = cu_cbor_item(&in);
        ENSURE(cu_cbor_good(&in) && one.n > 0, err, CU_CORRUPT, "the records of height %llu are none", LLU(c->at.height));
        TRY(work_add(w, &one, 1, true, err));
    }
    prepare(c, w);
    return CU_OK;
}

/* (2) */
static cu_status seal(struct cu_chain *c, cu_unix_ms closed, struct cu_err *err)
{
    const struct cu_height *at = &c->at;
    struct work *w = &c->at_work;

    if (at->count == 0 || c->config.store->tip(c->config.store->self).height == at->height) return CU_OK;
    if (w->n != at->count) TRY(read_sealed(c, w, err));
    ENSURE(w->n == at->count, err, CU_CORRUPT, "height %llu has %zu records, not %u", LLU(at->height), w->n, at->count);
    TRY(cu_embedded_append(c->config.store, &(struct cu_turn){ at->height, at->time, closed }, w->subs, w->n, err));
    if (c->config.listener.dated) c->config.listener.dated(c->config.listener.self, (cu_seq){ at->size.v }, closed);
    return CU_OK;
}

struct validators {
    struct cu_engine_key of[CU_PARTIES_MAX];
    size_t n;
};

struct scratch {
    struct cu_chain *c;
    struct work *w;
    struct cu_height *ret;
    struct validators was, is;
};

/* None where the machine has nothing to say of them, or the ledger has not begun: then genesis has. */
static void ask_validators(const struct cu_machine *m, struct validators *ret)
{
    ret->n = m->keys ? m->keys(m->self, CU_PURPOSE_VALIDATOR, ret->of) : 0;
}

static cu_status step_all(struct scratch *s, struct cu_err *err)
{
    const struct cu_machine *m = &s->c->config.machine;

    ask_validators(m, &s->was);
    cu_voter_follow(s->c->config.voter, s->was.of, s->was.n); /* (5) */
    TRY(m->begin(m->self, s->ret->height, s->ret->time, err));
    for (size_t i = 0; i < s->w->n; i++) {
        struct cu_submission *sub = &s->w->subs[i];
        if (sub->status == CU_OK) TRY(m->step(m->self, sub, err));
        ENSURE(!ours_alone(sub->status), err, sub->status, "%s", sub->text); /* (3) */
    }
    const struct cu_frontier *f = m->frontier(m->self);
    s->ret->size = f->size;
    s->ret->root = cu_frontier_root(f);
    ask_validators(m, &s->is);
    return CU_OK;
}

static cu_status on_scratch(void *arg, struct cu_err *err)
{
    struct scratch *s = arg;
    cu_status status = step_all(s, err);

    s->c->config.machine.abandon(s->c->config.machine.self); /* (1) */
    return status;
}

static cu_unix_ms in_ms(const struct cu_abci_timestamp *t)
{
    return (cu_unix_ms){ t->seconds > 0 ? (uint64_t)t->seconds * 1000 + (uint64_t)t->nanos / 1000000 : 0 };
}

static cu_status keep_admitted(struct cu_chain *c, const struct work *w, struct cu_height *next, struct cu_err *err)
{
    cu_buf_clear(&c->next_records);
    for (size_t i = 0; i < w->n; i++)
        if (w->subs[i].status == CU_OK) cu_buf_add(&c->next_records, w->subs[i].bytes), next->count++;
    TRY(cu_buf_ok(&c->next_records, err));
    next->records = cu_buf_span(&c->next_records);
    c->next = *next;
    return CU_OK;
}

static bool among(const struct validators *v, const struct cu_engine_key *one)
{
    for (size_t i = 0; i < v->n; i++)
        if (memcmp(v->of[i].pub, one->pub, sizeof one->pub) == 0) return true;
    return false;
}

/* (5): those that are gone, with no power, and those that came. */
static size_t put_validators(const struct validators *was, const struct validators *is, struct cu_abci_validator_update *ret)
{
    size_t n = 0;

    for (unsigned come = 0; come < 2 && was->n > 0; come++) {
        const struct validators *of = come ? is : was, *but = come ? was : is;
        for (size_t i = 0; i < of->n; i++)
            if (!among(but, &of->of[i]))
                ret[n++] = (struct cu_abci_validator_update){ .there = true,
                                                              .pub_key = { .there = true, .ed25519 = CU_SPAN_OF(of->of[i].pub) },
                                                              .power = come };
    }
    return n;
}

/* One byte a record: its status, whose numbers are frozen (custody/status.h). A transaction that is none has it as its code. */
static cu_status put_results(const cu_status *parsed, const size_t *first, size_t n, const struct scratch *s,
                             const cu_hash *app_hash, struct cu_abci_response_finalize_block *ret, struct cu_buf *out,
                             struct cu_err *err)
{
    struct kept {
        struct validators was, is;
        struct cu_abci_validator_update update[2 * CU_PARTIES_MAX];
        struct cu_abci_exec_tx_result one[];
    } *kept = (void *)cu_buf_grow(out, sizeof *kept + n * sizeof *kept->one + s->w->n + sizeof *app_hash);
    const struct work *w = s->w;

    ENSURE(kept, err, CU_NO_MEMORY, "no memory for the results of a block");
    struct cu_abci_exec_tx_result *one = kept->one;
    uint8_t *bytes = (uint8_t *)(one + n);
    kept->was = s->was, kept->is = s->is;
    for (size_t i = 0; i < w->n; i++) bytes[i] = (uint8_t)w->subs[i].status;
    for (size_t i = 0; i < n; i++)
        one[i] = (struct cu_abci_exec_tx_result){ .there = true,
                                                  .code = parsed[i],
                                                  .data = cu_span(bytes + first[i], first[i + 1] - first[i]) };
    ret->tx_results = (struct cu_pb_list){ one, n };
    ret->validator_updates = (struct cu_pb_list){ kept->update, put_validators(&kept->was, &kept->is, kept->update) };
    ret->app_hash = cu_span(memcpy(bytes + w->n, app_hash, sizeof *app_hash), sizeof *app_hash);
    return CU_OK;
}

static void free_bytes(void *at) { free(*(void **)at); }

static cu_status add_founding(struct cu_chain *c, struct work *w, struct cu_err *err)
{
    struct cu_span records[CU_SUBMIT_RECORDS_MAX];
    size_t n = 0;

    if (c->at.height > 0 || c->founding.n == 0) return CU_OK;
    TRY(cu_records_split(cu_buf_span(&c->founding), records, CU_SUBMIT_RECORDS_MAX, &n, err));
    return work_add(w, records, n, false, err);
}

/* The transactions of a block, where they stay for (2). */
static cu_status copy_block(const struct cu_span *txs, size_t n, struct work *w, struct cu_err *err)
{
    w->n = 0;
    cu_buf_clear(&w->bytes);
    for (size_t i = 0; i < n; i++) cu_buf_add(&w->bytes, txs[i]);
    return cu_buf_ok(&w->bytes, err);
}

static cu_status finalize(struct cu_chain *c, const struct cu_abci_request_finalize_block *r,
                          struct cu_abci_response_finalize_block *ret, struct cu_buf *out, struct cu_err *err)
{
    CU_CLEANUP(free_bytes) size_t *first = malloc((r->txs.n + 1) * sizeof *first);
    CU_CLEANUP(free_bytes) cu_status *parsed = malloc((r->txs.n + 1) * sizeof *parsed);
    const struct cu_span *txs = r->txs.items;
    struct work *w = &c->next_work;
    struct cu_height next = { .height = (uint64_t)r->height, .time = in_ms(&r->time) };

    ENSURE(first && parsed, err, CU_NO_MEMORY, "no memory for a block");
    ENSURE(
        next.height == c->at.height + 1, err, CU_OUT_OF_ORDER,
        "the chain decides height %llu, but this ledger has committed %llu: it is another chain's, or one of both was restored",
        LLU(next.height), LLU(c->at.height));
    cu_voter_saw(c->config.voter, &r->decided_last_commit, next.height - 1);
    TRY(cu_reports_add(c->reports, &r->misbehavior, err));
    TRY(seal(c, next.time, err));
    TRY(copy_block(txs, r->txs.n, w, err));
    TRY(add_founding(c, w, err));
    const size_t founders = w->n;
    struct cu_span rest = cu_buf_span(&w->bytes);
    for (size_t i = 0; i < r->txs.n; rest = cu_span_from(rest, txs[i].n), i++) {
        const cu_hash digest = cu_sha256(txs[i]);
        first[i] = w->n;
        parsed[i] = add_tx(w, cu_span(rest.p, txs[i].n), is_known(c, &digest), err);
        ENSURE(!ours_alone(parsed[i]), err, parsed[i], "the records of a block were not read");
    }
    first[r->txs.n] = w->n;
    prepare(c, w);
    struct scratch scratch = { .c = c, .w = w, .ret = &next };
    TRY(c->config.store->ask(c->config.store->self, on_scratch, &scratch, err));
    for (size_t i = 0; i < founders; i++)
        ENSURE(w->subs[i].status == CU_OK, err, w->subs[i].status, "the founding record %zu is refused: %s", i, w->subs[i].text);
    TRY(keep_admitted(c, w, &next, err));
    for (size_t i = 0; i < r->txs.n && c->config.listener.judged; i++)
        if (parsed[i] == CU_OK)
            c->config.listener.judged(c->config.listener.self, txs[i], w->subs + first[i], first[i + 1] - first[i]);
    const cu_hash hash = app_hash_of(c, &next);
    return put_results(parsed, first, r->txs.n, &scratch, &hash, ret, out, err);
}

/* ---- Commit ---- */

static cu_status file_of(const struct cu_chain *c, uint64_t height, char ret[256], struct cu_err *err)
{
    const int n = snprintf(ret, 256, "%s/%u", c->config.dir, (unsigned)(height % 2));
    ENSURE(n > 0 && n < 256, err, CU_USAGE, "the chain's path is too long: %s", c->config.dir);
    return CU_OK;
}

/* Those that were admitted, and what they lie in, for (2). */
static void keep_work(struct cu_chain *c)
{
    const struct work next = c->next_work;

    c->next_work = c->at_work;
    c->at_work = next;
    c->at_work.n = 0;
    for (size_t i = 0; i < next.n; i++)
        if (next.subs[i].status == CU_OK) c->at_work.subs[c->at_work.n++] = next.subs[i];
}

static cu_status commit(struct cu_chain *c, struct cu_err *err)
{
    const struct cu_fs *fs = c->config.fs;
    CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;
    char path[256];

    ENSURE(c->next.height > 0, err, CU_OUT_OF_ORDER, "the chain commits a height that was not decided");
    TRY(file_of(c, c->next.height, path, err));
    cu_buf_clear(&c->at_file);
    cu_height_put(&c->next, &c->at_file);
    TRY(cu_buf_ok(&c->at_file, err));
    TRY(fs->ops->open(fs->self, path, CU_OPEN_WRITE, &file, err));
    TRY(file->ops->write_at(file, 0, cu_buf_span(&c->at_file), err));
    TRY(file->ops->sync(file, err)); /* (1) */
    keep_work(c);
    c->before = c->at;
    c->at = c->next;
    c->at.records = cu_span_from(cu_buf_span(&c->at_file), CU_HEIGHT_HEADER);
    c->next = (struct cu_height){ 0 };
    if (c->config.listener.committed) c->config.listener.committed(c->config.listener.self, c->at.count > 0);
    return CU_OK;
}

/* ---- questions ---- */

struct proof_memory {
    uint8_t text[CHECKPOINT_MAX], op[2][128];
    struct cu_abci_proof_op ops[2];
};

/* CometBFT's own light client judges these two operators against a header's app hash. */
static void put_op(const char *key, struct cu_span value, uint8_t mem[128], struct cu_abci_proof_op *ret, cu_hash *ret_root)
{
    struct cu_buf out = cu_buf_over(mem, 128);

    *ret_root = pair_root(key, value);
    const struct cu_abci_value_op op = {
        .there = true,
        .key = cu_span_str(key),
        .proof = { .there = true, .total = 1, .leaf_hash = cu_span_hash(ret_root) },
    };
    cu_pb_write(&cu_abci_value_op_table, &op, &out);
    CU_ASSERT(!out.full);
    *ret = (struct cu_abci_proof_op){ .there = true, .type = cu_span_str("simple:v"), .key = op.key, .data = cu_buf_span(&out) };
}

struct ids {
    const struct cu_machine *machine;
    struct cu_buf of;
};

static cu_status look_nodes(void *arg, struct cu_err *err)
{
    struct cu_engine_key node[CU_PARTIES_MAX];
    struct ids *ids = arg;
    const struct cu_machine *m = ids->machine;

    (void)err;
    const size_t n = m->keys ? m->keys(m->self, CU_PURPOSE_NODE, node) : 0;
    for (size_t i = 0; i < n; i++) cu_comet_address(node[i].pub, &ids->of);
    return CU_OK;
}

static bool is_among(struct cu_span ids, struct cu_span id)
{
    for (size_t at = 0; id.n == 40 && at + 40 <= ids.n; at += 40)
        if (memcmp(ids.p + at, id.p, 40) == 0) return true;
    return false;
}

/* CometBFT asks of every node that connects, whoever dialled: by its id, which is its key's, and by its address, which says nothing. What this
 * node was started with is asked before the ledger, which may be far behind. */
static bool may_be_peer(const struct cu_chain *c, struct cu_span path)
{
    uint8_t memory[40 * CU_PARTIES_MAX];
    struct ids ids = { &c->config.machine, cu_buf_over(memory, sizeof memory) };

    if (!cu_span_take(&path, "/p2p/filter/id/") || c->config.peers.n == 0 || is_among(c->config.peers, path)) return true;
    return c->config.store->ask(c->config.store->self, look_nodes, &ids, NULL) == CU_OK && is_among(cu_buf_span(&ids.of), path);
}

/* What a height ends with stands in the next one's header: so what is asked for with a proof, and of no height, is the newest that has one. */
static const struct cu_height *asked_of(const struct cu_chain *c, const struct cu_abci_request_query *r)
{
    const bool older = r->height == 0 ? r->prove && c->before.height > 0 : (uint64_t)r->height != c->at.height;
    const struct cu_height *h = older ? &c->before : &c->at;

    return h->height > 0 && (r->height == 0 || (uint64_t)r->height == h->height) ? h : NULL;
}

static cu_status query(struct cu_chain *c, const struct cu_abci_request_query *r, struct cu_abci_response_query *ret,
                       struct cu_buf *out, struct cu_err *err)
{
    if (cu_span_starts(r->path, cu_span_str("/p2p/filter/"))) {
        if (!may_be_peer(c, r->path)) ret->code = CU_NOT_ALLOWED;
        return CU_OK;
    }
    const struct cu_height *h = asked_of(c, r);
    ret->key = r->data;
    if (!cu_span_is(r->path, "/store/log/key") || !cu_span_is(r->data, "checkpoint") || !h) {
        ret->code = CU_NOT_FOUND;
        ret->log = cu_span_str(cu_status_text(CU_NOT_FOUND));
        return CU_OK;
    }
    struct proof_memory *mem = (void *)cu_buf_grow(out, sizeof *mem);
    ENSURE(mem, err, CU_NO_MEMORY, "no memory for an answer");
    ret->height = (int64_t)h->height;
    ret->value = checkpoint_of(c, h, mem->text);
    if (!r->prove) return CU_OK;
    cu_hash inner, outer;
    put_op("checkpoint", ret->value, mem->op[0], &mem->ops[0], &inner);
    put_op("log", cu_span_hash(&inner), mem->op[1], &mem->ops[1], &outer);
    ret->proof_ops = (struct cu_abci_proof_ops){ .there = true, .ops = { mem->ops, 2 } };
    return CU_OK;
}

static cu_status put_hash(const cu_hash *h, struct cu_span *ret, struct cu_buf *out, struct cu_err *err)
{
    const size_t from = out->n;

    cu_buf_add(out, cu_span_hash(h));
    TRY(cu_buf_ok(out, err));
    *ret = cu_span(out->p + from, sizeof h->b);
    return CU_OK;
}

static cu_status info(struct cu_chain *c, struct cu_abci_response_info *ret, struct cu_buf *out, struct cu_err *err)
{
    ret->data = cu_span_str("custody");
    ret->version = cu_span_str("1");
    ret->app_version = 1;
    ret->last_block_height = (int64_t)c->at.height;
    if (c->at.height == 0) return CU_OK;
    const cu_hash hash = app_hash_of(c, &c->at);
    return put_hash(&hash, &ret->last_block_app_hash, out, err);
}

/* ---- the beginning ---- */

/* The founding records stand in the genesis file as one JSON string of base64. Nothing is durable before the first Commit. */
static cu_status init_chain(struct cu_chain *c, const struct cu_abci_request_init_chain *r, struct cu_err *err)
{
    const struct cu_span state = r->app_state_bytes;

    ENSURE(c->at.height == 0, err, CU_OUT_OF_ORDER, "the chain begins, but this ledger has committed height %llu of one already",
           LLU(c->at.height));
    ENSURE(r->initial_height == 1, err, CU_USAGE, "the chain's first height is %lld; a ledger's is 1",
           (long long)r->initial_height);
    ENSURE(state.n > 2 && state.p[0] == '"' && state.p[state.n - 1] == '"', err, CU_MALFORMED,
           "app_state of the genesis file is not the founding records in base64: no ledger begins with it");
    cu_buf_clear(&c->founding);
    TRY(cu_base64_read(cu_span(state.p + 1, state.n - 2), &c->founding, err));
    return CU_OK;
}

/* ---- proposals ---- */

/* What every node sees alike: form, attachments, signatures of keys that it knows. Order and knowledge are FinalizeBlock's to judge. */
static cu_status proposable(struct cu_chain *c, struct cu_span tx, bool *ret, struct cu_err *err)
{
    struct cu_err why = { 0 };
    bool known = false;
    const cu_status status = judge_tx(c, tx, &known, &why);

    *ret = status == CU_OK;
    ENSURE(!ours_alone(status), err, status, "%s", why.text); /* (3) */
    return CU_OK;
}

static cu_status process_proposal(struct cu_chain *c, const struct cu_pb_list *txs, int64_t *ret, struct cu_err *err)
{
    bool good = true;

    for (size_t i = 0; i < txs->n && good; i++) TRY(proposable(c, ((const struct cu_span *)txs->items)[i], &good, err));
    *ret = good ? CU_ABCI_ACCEPT : CU_ABCI_REJECT;
    return CU_OK;
}

static cu_status prepare_proposal(struct cu_chain *c, const struct cu_abci_request_prepare_proposal *r, struct cu_pb_list *ret,
                                  struct cu_buf *out, struct cu_err *err)
{
    const struct cu_span *txs = r->txs.items;
    struct cu_span *kept = (void *)cu_buf_grow(out, r->txs.n * sizeof *kept + 1);
    int64_t room = r->max_tx_bytes;
    size_t n = 0;

    ENSURE(kept, err, CU_NO_MEMORY, "no memory for a proposal");
    for (size_t i = 0; i < r->txs.n; i++) {
        bool good = false;
        TRY(proposable(c, txs[i], &good, err));
        const int64_t size = (int64_t)txs[i].n + 6; /* its tag and length */
        if (!good || size > room) continue;
        room -= size;
        kept[n++] = txs[i];
    }
    *ret = (struct cu_pb_list){ kept, n };
    return CU_OK;
}

static cu_status check_tx(struct cu_chain *c, struct cu_span tx, struct cu_abci_response_check_tx *ret, struct cu_err *err)
{
    struct cu_err why = { 0 };
    bool known = false;
    cu_status status = judge_tx(c, tx, &known, &why);

    ENSURE(!ours_alone(status), err, status, "%s", why.text); /* (3) */
    if (status == CU_OK && !known) status = CU_UNKNOWN_KEY;
    ret->code = status;
    ret->log = cu_span_str(status == CU_OK ? "" : cu_status_text(status));
    return CU_OK;
}

/* ---- the whole ---- */

/* What consensus and questions ask: one at a time. */
static cu_status answer_in_turn(struct cu_chain *c, const struct cu_abci_request *q, struct cu_abci_response *a,
                                struct cu_buf *out, struct cu_err *err)
{
    if (q->info.there) return a->info.there = true, info(c, &a->info, out, err);
    if (q->query.there) return a->query.there = true, query(c, &q->query, &a->query, out, err);
    if (q->init_chain.there) return a->init_chain.there = true, init_chain(c, &q->init_chain, err);
    if (q->commit.there) return a->commit.there = true, commit(c, err);
    CU_ASSERT(q->finalize_block.there);
    a->finalize_block.there = true;
    return finalize(c, &q->finalize_block, &a->finalize_block, out, err);
}

static cu_status answer(void *self, const struct cu_abci_request *q, struct cu_abci_response *a, struct cu_buf *out,
                        struct cu_err *err)
{
    struct cu_chain *c = self;

    if (q->echo.there) return a->echo.there = true, a->echo.message = q->echo.message, CU_OK;
    if (q->flush.there) return a->flush.there = true, CU_OK;
    if (q->check_tx.there) return a->check_tx.there = true, check_tx(c, q->check_tx.tx, &a->check_tx, err);
    if (q->prepare_proposal.there)
        return a->prepare_proposal.there = true, prepare_proposal(c, &q->prepare_proposal, &a->prepare_proposal.txs, out, err);
    if (q->process_proposal.there)
        return a->process_proposal.there = true, process_proposal(c, &q->process_proposal.txs, &a->process_proposal.status, err);
    /* Votes carry nothing, and there are no snapshots: a node that joins reads the chain from its beginning. */
    if (q->extend_vote.there) return a->extend_vote.there = true, CU_OK;
    if (q->verify_vote_extension.there) {
        a->verify_vote_extension.there = true;
        a->verify_vote_extension.status = q->verify_vote_extension.vote_extension.n == 0 ? CU_ABCI_ACCEPT : CU_ABCI_REJECT;
        return CU_OK;
    }
    if (q->list_snapshots.there) return a->list_snapshots.there = true, CU_OK;
    if (q->load_snapshot_chunk.there) return a->load_snapshot_chunk.there = true, CU_OK;
    if (q->offer_snapshot.there)
        return a->offer_snapshot.there = true, a->offer_snapshot.result = CU_ABCI_SNAPSHOT_REJECT_FORMAT, CU_OK;
    if (q->apply_snapshot_chunk.there)
        return a->apply_snapshot_chunk.there = true, a->apply_snapshot_chunk.result = CU_ABCI_SNAPSHOT_ABORT, CU_OK;
    /* Of a mempool that the application keeps itself, which is not configured: nothing is taken, nothing is there. */
    if (q->insert_tx.there) return a->insert_tx.there = true, a->insert_tx.code = CU_NOT_ALLOWED, CU_OK;
    if (q->reap_txs.there) return a->reap_txs.there = true, CU_OK;

    pthread_mutex_lock(&c->lock);
    cu_status status = answer_in_turn(c, q, a, out, err);
    pthread_mutex_unlock(&c->lock);
    return status;
}

struct cu_abci_application cu_chain_application(struct cu_chain *c) { return (struct cu_abci_application){ c, answer }; }

struct cu_reports *cu_chain_reports(struct cu_chain *c) { return c->reports; }

void cu_chain_at(struct cu_chain *c, uint64_t *ret_height, cu_unix_ms *ret_time)
{
    pthread_mutex_lock(&c->lock);
    *ret_height = c->at.height;
    *ret_time = c->at.time;
    pthread_mutex_unlock(&c->lock);
}

/* ---- open and close ---- */

/* *ret stays empty when the file is not a whole one. */
static cu_status read_height(struct cu_chain *c, unsigned i, struct cu_buf *bytes, struct cu_height *ret, bool *ret_torn,
                             struct cu_err *err)
{
    const struct cu_fs *fs = c->config.fs;
    char path[256];

    TRY(file_of(c, i, path, err));
    cu_status status = cu_fs_read(fs, path, HEIGHT_FILE_MAX, bytes, err);
    if (status == CU_NOT_FOUND) {
        CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;
        TRY(fs->ops->open(fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE, &file, err));
        return fs->ops->sync_dir(fs->self, c->config.dir, err);
    }
    TRY(status);
    if (bytes->n == 0) return CU_OK;
    status = cu_height_read(cu_buf_span(bytes), ret, err);
    *ret_torn = *ret_torn || status == CU_CORRUPT;
    if (status == CU_OK && ret->height % 2 != i) status = cu_fail(err, CU_CORRUPT, "%s has another's height", path);
    return status == CU_CORRUPT ? CU_OK : status;
}

/* (2) */
static cu_status agree(struct cu_chain *c, bool torn, struct cu_err *err)
{
    const struct cu_tip tip = c->config.store->tip(c->config.store->self);
    const struct cu_height *at = &c->at;
    const bool sealed = at->count > 0 && tip.height == at->height && tip.size.v == at->size.v + 1;
    const bool open = tip.height < at->height && tip.size.v + at->count == at->size.v;
    const bool fresh = at->height == 0 && tip.size.v == 0;

    ENSURE(sealed || open || fresh, err, CU_CORRUPT,
           "the chain's last height here is %llu%s, but the journal stands at height %llu, size %llu: one of both was restored "
           "or damaged. "
           "Move node/ and chain/data aside, put node/cosigner back as it is now, and let it read the chain anew",
           LLU(at->height), torn ? " (a later one is damaged)" : "", LLU(tip.height), LLU(tip.size.v));
    return CU_OK;
}

/* What a process left before it was synced can be read, and lost again: it is told of when it is durable. The same bytes, so nothing can be torn. */
static cu_status make_durable(struct cu_chain *c, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;
    char path[256];

    if (c->at.height == 0) return CU_OK;
    TRY(file_of(c, (unsigned)(c->at.height % 2), path, err));
    TRY(c->config.fs->ops->open(c->config.fs->self, path, CU_OPEN_WRITE, &file, err));
    TRY(file->ops->write_at(file, 0, cu_buf_span(&c->at_file), err));
    return file->ops->sync(file, err);
}

static cu_status find_height(struct cu_chain *c, struct cu_err *err)
{
    struct cu_height h[2] = { 0 };
    CU_BUF other = cu_buf_heap(HEIGHT_FILE_MAX);
    bool torn = false;

    TRY(c->config.fs->ops->make_dir(c->config.fs->self, c->config.dir, err));
    TRY(read_height(c, 0, &c->at_file, &h[0], &torn, err));
    TRY(read_height(c, 1, &other, &h[1], &torn, err));
    if (h[1].height > h[0].height) {
        const struct cu_buf swap = c->at_file;
        c->at_file = other;
        other = swap;
        c->at = h[1];
        c->before = h[0];
    } else c->at = h[0], c->before = h[1];
    if (c->before.height + 1 != c->at.height) c->before = (struct cu_height){ 0 };
    c->before.records = CU_SPAN_EMPTY;
    TRY(agree(c, torn, err));
    return make_durable(c, err);
}

void cu_chain_close(struct cu_chain *c)
{
    if (!c) return;
    cu_pool_free(c->pool);
    cu_reports_close(c->reports);
    cu_buf_free(&c->at_file);
    cu_buf_free(&c->next_records);
    cu_buf_free(&c->founding);
    work_free(&c->at_work);
    work_free(&c->next_work);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->prepare_lock);
    free(c);
}

static void close_at(struct cu_chain **c) { cu_chain_close(*c); }

static cu_status look_validators(void *chain, struct cu_err *err)
{
    struct cu_chain *c = chain;
    struct validators now;

    (void)err;
    ask_validators(&c->config.machine, &now);
    cu_voter_follow(c->config.voter, now.of, now.n); /* (5) */
    return CU_OK;
}

cu_status cu_chain_open(const struct cu_chain_config *config, struct cu_chain **ret, struct cu_err *err)
{
    CU_CLEANUP(close_at) struct cu_chain *c = calloc(1, sizeof *c);

    ENSURE(c, err, CU_NO_MEMORY, "no memory for a chain");
    c->config = *config;
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->prepare_lock, NULL);
    c->at_file = cu_buf_heap(HEIGHT_FILE_MAX);
    c->next_records = cu_buf_heap(HEIGHT_FILE_MAX - CU_HEIGHT_HEADER);
    c->at_work.bytes = c->next_work.bytes = cu_buf_heap(HEIGHT_FILE_MAX);
    c->founding = cu_buf_heap(CU_CHAIN_FOUNDING_MAX);
    TRY(find_height(c, err));
    TRY(cu_reports_open(config->fs, config->dir, &c->reports, err));
    TRY(c->config.store->ask(c->config.store->self, look_validators, c, err));
    cu_voter_stands(c->config.voter, c->at.height);
    TRY(cu_pool_new(config->machine, config->workers, config->accelerate, &c->pool, err));
    *ret = c;
    c = NULL;
    return CU_OK;
}
