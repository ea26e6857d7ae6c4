/* A chain without CometBFT: its questions are asked here, in order, with blocks that are remembered; so every effect can be the last one, every call
 * can fail, and transactions can come late, never, or in another order. */
#include "../one_of.h"
#include "../toy_machine.h"
#include "adapters/faulty/faulty.h"
#include "adapters/memory/memory.h"
#include "engine/cometbft/submit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#define HEIGHTS 6u
#define RECORDS 40u
#define SENT_MAX 64u
#define MISBEHAVED 3u

static struct toy_records records;
static struct cu_private_key log_key;

/* ---- a world: one node's disk, and what the organisations have decided ---- */

struct block {
    struct cu_buf tx[8];
    size_t n;
};
struct world {
    struct cu_fs memory, fs;
    struct cu_faulty faulty;
    struct toy *toy;
    struct cu_embedded_config store;
    struct cu_engine engine;
    struct cu_chain *chain;
    struct cu_sender *sender;
    struct cu_abci_application app;
    bool stored;
    struct cu_span peers;

    struct block block[64]; /* by height: whatever becomes of the node */
    uint64_t decided;
    cu_hash app_hash[64], updates[64];         /* of the validators: a digest, */
    char said[64][64];                         /* and in words: power, key */
    struct cu_abci_misbehavior misbehavior[4]; /* in the block of that height */

    pthread_mutex_t lock; /* what was handed to the engine */
    struct cu_buf sent[SENT_MAX];
    size_t sent_n;
    bool deaf;
    unsigned lost; /* transactions that were handed over and were not on the disk then */
};

static cu_unix_ms now(void *self)
{
    (void)self;
    return (cu_unix_ms){ 1 };
}

static cu_status chance(void *self, uint8_t *ret, size_t n, struct cu_err *err)
{
    static uint64_t count;
    (void)self, (void)err;

    memset(ret, 0, n);
    cu_put_be64(ret, ++count);
    return CU_OK;
}

/* By invariant (1) of submit.c: would another process find it, had this one lost power here? */
static bool on_disk(struct world *w, struct cu_span tx)
{
    struct cu_fs copy;
    bool found = false;

    assert_int_equal(cu_memory_copy(&w->memory, &copy, NULL), CU_OK);
    for (unsigned i = 0; i < CU_CHAIN_FLIGHT + 2; i++) { /* as many as there are files */
        CU_BUF file = cu_buf_heap(1 << 20);
        struct cu_height h;
        char path[64];
        snprintf(path, sizeof path, "node/chain/outbox-%u", i);
        if (cu_fs_read(&copy, path, 1 << 20, &file, NULL) != CU_OK || cu_height_read(cu_buf_span(&file), &h, NULL) != CU_OK)
            continue;
        found |= cu_span_eq(h.records, cu_span_from(tx, CU_CHAIN_NONCE));
    }
    copy.ops->close(copy.self);
    return found;
}

static cu_status broadcast(void *arg, struct cu_span tx, struct cu_err *err)
{
    struct world *w = arg;

    pthread_mutex_lock(&w->lock);
    const bool takes = !w->deaf && w->sent_n < SENT_MAX;
    w->lost += !on_disk(w, tx);
    if (takes) w->sent[w->sent_n] = cu_buf_heap(1 << 20), cu_buf_add(&w->sent[w->sent_n++], tx);
    pthread_mutex_unlock(&w->lock);
    return takes ? CU_OK : cu_fail(err, CU_IO, "the engine does not listen");
}

static struct world *world_over(struct cu_fs memory)
{
    struct world *w = calloc(1, sizeof *w);

    w->memory = memory;
    w->faulty = (struct cu_faulty){
        .inner = memory, .stop_after = CU_NEVER, .lost = cu_memory_lose, .lost_all = cu_memory_lose_all
    };
    w->fs = cu_faulty_fs(&w->faulty);
    pthread_mutex_init(&w->lock, NULL);
    w->store = (struct cu_embedded_config){ .fs = &w->fs,
                                            .lock = "node/lock",
                                            .journal = "node/journal",
                                            .log = { "node/log", NULL },
                                            .journal_bytes = 1 << 20,
                                            .clock = { w, now },
                                            .origin = cu_span_str("toy"),
                                            .log_key = &log_key };
    return w;
}

static struct world *world_new(void)
{
    struct cu_fs memory;

    assert_int_equal(cu_memory_fs(&memory, NULL), CU_OK);
    return world_over(memory);
}

static size_t late; /* this record is refused as long as the one before it is not there; 0: none is */

static cu_status step(void *self, struct cu_submission *sub, struct cu_err *err)
{
    if (late && cu_hash_eq(&sub->id, &records.id[late]) && *toy_slot(self, &records.id[late - 1]) == 0) {
        sub->status = CU_UNKNOWN_CASE;
        return CU_OK;
    }
    return toy_step(self, sub, err);
}

/* Four vote; from the fourth record on one of them by another key, from the ninth a fifth, from the twelfth without the third. */
static size_t keys(void *self, enum cu_purpose purpose, struct cu_engine_key ret[CU_PARTIES_MAX])
{
    const struct toy *t = self;
    const uint64_t had = t->open ? t->next.n : t->now.n;
    size_t n = 0;

    for (uint8_t i = 0; i < 5 && had > 0 && purpose == CU_PURPOSE_VALIDATOR; i++)
        if (!(i == 4 && had < 9) && !(i == 2 && had >= 12)) ret[n++] = (struct cu_engine_key){ { i + 1, i == 1 && had >= 4 } };
    return n;
}

/* The toy, but for that. */
static struct cu_machine machine_of(struct world *w)
{
    struct cu_machine m = toy_machine(w->toy);

    m.step = step;
    m.keys = keys;
    return m;
}

static void world_shut(struct world *w)
{
    cu_sender_stop(w->sender);
    cu_chain_close(w->chain);
    cu_sender_free(w->sender);
    if (w->engine.self) (void)w->engine.close(w->engine.self, NULL);
    toy_close(w->toy);
    w->chain = NULL;
    w->sender = NULL;
    w->toy = NULL;
    w->engine = (struct cu_engine){ 0 };
}

static cu_status open_all(struct world *w, unsigned wait_ms, struct cu_err *err)
{
    const struct cu_sender_config sender = { .fs = &w->fs,
                                             .dir = "node/chain",
                                             .random = { w, chance },
                                             .wait_ms = wait_ms,
                                             .resend_ms = 100,
                                             .broadcast = broadcast,
                                             .arg = w };

    w->toy = toy_open(&w->fs);
    ENSURE(w->toy, err, CU_IO, "the toy's state cannot be read");
    w->store.machine = machine_of(w);
    if (!w->stored) TRY(cu_embedded_create(&w->store, err));
    w->stored = true;
    TRY(cu_embedded_open(&w->store, &w->engine, err));
    if (wait_ms) TRY(cu_sender_new(&sender, &w->sender, err));
    const struct cu_chain_config chain = { .fs = &w->fs,
                                           .dir = "node/chain",
                                           .store = &w->engine,
                                           .machine = w->store.machine,
                                           .origin = w->store.origin,
                                           .workers = 1,
                                           .peers = w->peers,
                                           .listener = w->sender ? cu_sender_listener(w->sender)
                                                                 : (struct cu_chain_listener){ 0 } };
    TRY(cu_chain_open(&chain, &w->chain, err));
    w->app = cu_chain_application(w->chain);
    return w->sender ? cu_sender_start(w->sender, w->chain, err) : CU_OK;
}

static void world_free(struct world *w)
{
    world_shut(w);
    for (uint64_t h = 0; h < 64; h++)
        for (size_t i = 0; i < w->block[h].n; i++) cu_buf_free(&w->block[h].tx[i]);
    for (size_t i = 0; i < w->sent_n; i++) cu_buf_free(&w->sent[i]);
    w->fs.ops->close(w->fs.self);
    w->memory.ops->close(w->memory.self);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* ---- what CometBFT does ---- */

static void add_tx(struct world *w, uint64_t height, const size_t *which, size_t n)
{
    struct cu_buf *tx = &w->block[height].tx[w->block[height].n++];

    *tx = cu_buf_heap(1 << 20);
    cu_buf_add(tx, cu_span("nonce--", CU_CHAIN_NONCE));
    for (size_t i = 0; i < n; i++) cu_buf_add(tx, cu_buf_span(&records.bytes[which[i]]));
}

static cu_status ask(struct world *w, const struct cu_abci_request *q, struct cu_abci_response *a, struct cu_err *err)
{
    CU_BUF out = cu_buf_heap(1 << 20);

    memset(a, 0, sizeof *a);
    return w->app.answer(w->app.self, q, a, &out, err);
}

/* One that is reported twice, another, and one that is of no validator. */
static void misbehave(struct world *w)
{
    static const uint8_t who[20] = { 9 };
    const struct cu_abci_misbehavior once = {
        .there = true, .type = CU_DUPLICATE_VOTE, .height = 2, .validator = { .there = true, .address = CU_SPAN_OF(who) }
    };

    for (unsigned i = 0; i < 4; i++) w->misbehavior[i] = once;
    w->misbehavior[2].type = CU_LIGHT_CLIENT_ATTACK;
    w->misbehavior[3].validator.address.n = 19;
}

/* What was seen is there until it is on record, over the end of the process too. */
static void judge_reports(struct world *w)
{
    struct cu_misbehaviour first, second;
    struct cu_err err = { 0 };

    assert_true(cu_reports_first(cu_chain_reports(w->chain), &first));
    assert_true(first.kind == CU_DUPLICATE_VOTE && first.height == 2 && first.address[0] == 9);
    assert_int_equal(cu_reports_done(cu_chain_reports(w->chain), &first, &err), CU_OK);
    world_shut(w);
    assert_int_equal(open_all(w, 0, &err), CU_OK);
    assert_true(cu_reports_first(cu_chain_reports(w->chain), &second));
    assert_int_equal(second.kind, CU_LIGHT_CLIENT_ATTACK);
    assert_int_equal(cu_reports_done(cu_chain_reports(w->chain), &second, &err), CU_OK);
    assert_false(cu_reports_first(cu_chain_reports(w->chain), &first));
}

static cu_status finalize(struct world *w, uint64_t h, cu_hash *ret_app_hash, struct cu_err *err)
{
    struct cu_span txs[8];
    struct cu_abci_request q = {
        .finalize_block = { .there = true, .height = (int64_t)h, .time = { .there = true, .seconds = 1700000000 + (int64_t)h } }
    };
    struct cu_abci_response a = { 0 };
    CU_BUF out = cu_buf_heap(1 << 20);

    if (h == MISBEHAVED) q.finalize_block.misbehavior = (struct cu_pb_list){ w->misbehavior, 4 };
    for (size_t i = 0; i < w->block[h].n; i++) txs[i] = cu_buf_span(&w->block[h].tx[i]);
    q.finalize_block.txs = (struct cu_pb_list){ txs, w->block[h].n };
    TRY(w->app.answer(w->app.self, &q, &a, &out, err));
    assert_int_equal(a.finalize_block.app_hash.n, 32);
    memcpy(ret_app_hash->b, a.finalize_block.app_hash.p, 32);
    const struct cu_abci_validator_update *update = a.finalize_block.validator_updates.items;
    CU_BUF text = cu_buf_heap(4096);
    for (size_t i = 0; i < a.finalize_block.validator_updates.n; i++)
        cu_buf_addf(&text, "%lld %u.%u ", (long long)update[i].power, update[i].pub_key.ed25519.p[0],
                    update[i].pub_key.ed25519.p[1]);
    const cu_hash digest = cu_sha256(cu_buf_span(&text));
    if (!cu_hash_is_zero(&w->updates[h])) assert_memory_equal(w->updates[h].b, digest.b, 32); /* whenever it is asked */
    w->updates[h] = digest;
    snprintf(w->said[h], sizeof w->said[h], "%.*s", (int)text.n, text.n ? (const char *)text.p : "");
    return CU_OK;
}

static cu_status commit(struct world *w, struct cu_err *err)
{
    static const struct cu_abci_request q = { .commit = { .there = true } };
    struct cu_abci_response a;

    return ask(w, &q, &a, err);
}

/* What a node's handshake and then consensus do: from what the application says that it has, to what was decided. */
static cu_status catch_up(struct world *w, struct cu_err *err)
{
    static const struct cu_abci_request q = { .info = { .there = true } };
    struct cu_abci_response a;
    CU_BUF out = cu_buf_heap(1 << 16);

    memset(&a, 0, sizeof a);
    TRY(w->app.answer(w->app.self, &q, &a, &out, err));
    const uint64_t has = (uint64_t)a.info.last_block_height;
    if (has > w->decided) fail_msg("it says height %llu, and %llu are decided", LLU(has), LLU(w->decided));
    if (has > 0 && !cu_hash_is_zero(&w->app_hash[has])) assert_memory_equal(a.info.last_block_app_hash.p, w->app_hash[has].b, 32);
    for (uint64_t h = has + 1; h <= w->decided; h++) {
        cu_hash hash;
        TRY(finalize(w, h, &hash, err));
        if (!cu_hash_is_zero(&w->app_hash[h])) assert_memory_equal(hash.b, w->app_hash[h].b, 32); /* the header of h + 1 has it */
        w->app_hash[h] = hash;
        TRY(commit(w, err));
    }
    return CU_OK;
}

/* ---- stopped after every effect ---- */

static void plan(struct world *w)
{
    misbehave(w);
    for (uint64_t h = 1; h <= HEIGHTS; h++) {
        const size_t which[] = { 3 * h, 3 * h + 1,
                                 3 * h - 1 }; /* the last one is a duplicate of the height before, but for the first */
        if (h != 4) add_tx(w, h, which, 3);   /* an empty one */
        if (h == 2) add_tx(w, h, (const size_t[]){ 30, 31 }, 2);
    }
    w->decided = HEIGHTS;
}

static cu_status story(struct world *w, struct cu_err *err)
{
    TRY(open_all(w, 0, err));
    TRY(catch_up(w, err));
    struct cu_engine e = w->engine;
    w->engine = (struct cu_engine){ 0 };
    cu_chain_close(w->chain);
    w->chain = NULL;
    return e.close(e.self, err);
}

static struct world *undisturbed(uint64_t *ret_effects, uint64_t *ret_calls)
{
    struct world *w = world_new();
    struct cu_err err = { 0 };

    plan(w);
    if (story(w, &err) != CU_OK) fail_msg("the story itself: %s", err.text);
    *ret_effects = w->faulty.effects;
    *ret_calls = w->faulty.calls;
    return w;
}

/* A sound disk again: it catches up, to the app hashes that everybody else has. */
static void judge(struct world *w, const struct world *good, const char *what, uint64_t k)
{
    struct cu_err err = { 0 };

    world_shut(w);
    w->faulty.stop_after = CU_NEVER;
    w->faulty.fail_call = 0;
    w->faulty.failed = w->faulty.stopped = false;
    w->stored = cu_fs_exists(&w->fs, "node/journal/head");
    memcpy(w->app_hash, good->app_hash, sizeof w->app_hash);
    memcpy(w->updates, good->updates, sizeof w->updates);
    cu_status status = open_all(w, 0, &err);
    if (status == CU_OK) status = catch_up(w, &err);
    if (status != CU_OK) fail_msg("%s %llu: %s", what, LLU(k), err.text);
    const struct cu_tip tip = w->engine.tip(w->engine.self);
    assert_int_equal(tip.height, 5); /* the sixth is dated by the seventh */
    judge_reports(w);
}

static void what_a_height_changed_of_the_validators_is_said_with_it(void **state)
{
    static const char *const says[HEIGHTS + 1] = { [1] = "", "0 2.0 1 2.1 ", "1 5.0 ", "", "0 3.0 ", "" };
    uint64_t effects, calls;
    struct world *w = undisturbed(&effects, &calls);

    (void)state;
    for (uint64_t h = 1; h <= HEIGHTS; h++) assert_string_equal(w->said[h], says[h]);
    world_free(w);
}

static void stopped_after_any_effect_a_node_comes_to_the_same_app_hashes(void **state)
{
    static const uint64_t seeds[] = { 0, 1, 7 };
    uint64_t effects, calls;
    struct world *good = undisturbed(&effects, &calls);
    struct cu_err err;
    (void)state;

    for (uint64_t k = 0; k < effects; k += ONE_OF(2)) {
        struct world *w = world_new();
        plan(w);
        w->faulty.stop_after = k;
        assert_int_not_equal(story(w, &err), CU_OK);
        world_shut(w);
        cu_memory_crash(&w->memory, seeds[k % 3]);
        judge(w, good, "stopped after effect", k);
        world_free(w);
    }
    world_free(good);
    print_message("%llu effects\n", LLU(effects));
}

static void whatever_call_fails_no_height_is_answered_otherwise(void **state)
{
    uint64_t effects, calls;
    struct world *good = undisturbed(&effects, &calls);
    struct cu_err err;
    (void)state;

    for (uint64_t n = 1; n <= calls; n += ONE_OF(3)) {
        struct world *w = world_new();
        plan(w);
        w->faulty.fail_call = n;
        w->faulty.fault = n % 2 ? CU_FAULT_IO : CU_FAULT_NO_SPACE;
        (void)story(w, &err); /* some are done without */
        judge(w, good, "failed call", n);
        world_free(w);
    }
    world_free(good);
    print_message("%llu calls\n", LLU(calls));
}

/* Before Commit, after its sync, after its answer: facts that a node's handshake meets. */
static void killed_at_any_boundary_of_a_height_it_says_exactly_what_is_durable(void **state)
{
    (void)state;
    for (unsigned boundary = 0; boundary < 3; boundary++) {
        struct world *w = world_new();
        struct cu_err err = { 0 };
        cu_hash hash;
        plan(w);
        w->decided = 2;
        assert_int_equal(open_all(w, 0, &err), CU_OK);
        assert_int_equal(catch_up(w, &err), CU_OK);
        assert_int_equal(finalize(w, 3, &hash, &err), CU_OK);
        if (boundary > 0) assert_int_equal(commit(w, &err), CU_OK);
        if (boundary > 1) assert_int_equal(finalize(w, 4, &hash, &err), CU_OK); /* dates height 3 */
        world_shut(w);
        cu_memory_crash(&w->memory, 0);
        assert_int_equal(open_all(w, 0, &err), CU_OK);
        uint64_t height;
        cu_unix_ms time;
        cu_chain_at(w->chain, &height, &time);
        assert_int_equal(height, boundary > 0 ? 3 : 2);
        w->decided = HEIGHTS;
        assert_int_equal(catch_up(w, &err), CU_OK);
        world_free(w);
    }
}

/* ---- what a node submits ---- */

struct submitter {
    struct world *w;
    size_t first, n;
    struct cu_outcome outcome[16];
    cu_status status;
    struct cu_err err;
    pthread_t thread;
    volatile bool done;
};

static void *submit(void *self)
{
    struct submitter *s = self;
    struct cu_span spans[16];

    for (size_t i = 0; i < s->n; i++) spans[i] = cu_buf_span(&records.bytes[s->first + i]);
    s->status = cu_sender_submit(s->w->sender, spans, s->n, s->outcome, &s->err);
    s->done = true;
    return NULL;
}

static void begin(struct submitter *s)
{
    s->done = false;
    assert_int_equal(pthread_create(&s->thread, NULL, submit, s), 0);
}

static void pause_ms(long ms)
{
    const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&t, NULL);
}

static size_t sent(struct world *w)
{
    pthread_mutex_lock(&w->lock);
    const size_t n = w->sent_n;
    pthread_mutex_unlock(&w->lock);
    return n;
}

static void wait_sent(struct world *w, size_t n)
{
    for (int i = 0; i < 2000 && sent(w) < n; i++) pause_ms(5);
    assert_true(sent(w) >= n);
}

/* The next height is these, of what was handed over. */
static void decide(struct world *w, const size_t *which, size_t n)
{
    const uint64_t h = ++w->decided;
    struct cu_err err = { 0 };

    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < n; i++) {
        struct cu_buf *tx = &w->block[h].tx[w->block[h].n++];
        *tx = cu_buf_heap(1 << 20);
        cu_buf_add(tx, cu_buf_span(&w->sent[which[i]]));
    }
    pthread_mutex_unlock(&w->lock);
    if (catch_up(w, &err) != CU_OK) fail_msg("height %llu: %s", LLU(h), err.text);
}

static struct world *world_with_sender(unsigned wait_ms)
{
    struct world *w = world_new();
    struct cu_err err = { 0 };

    if (open_all(w, wait_ms, &err) != CU_OK) fail_msg("%s", err.text);
    return w;
}

static void whoever_submits_is_told_when_his_height_is_dated(void **state)
{
    struct world *w = world_with_sender(60000);
    struct submitter a = { .w = w, .first = 0, .n = 3 }, again = { .w = w, .first = 1, .n = 2 };
    (void)state;

    begin(&a);
    wait_sent(w, 1);
    decide(w, (const size_t[]){ 0 }, 1);
    pause_ms(20);
    assert_false(a.done);
    decide(w, NULL, 0);
    pthread_join(a.thread, NULL);
    assert_int_equal(a.status, CU_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(a.outcome[i].status, CU_OK);
        assert_int_equal(a.outcome[i].seq.v, i);
        assert_int_equal(a.outcome[i].block.v, 3);
        assert_int_equal(a.outcome[i].closed.v, 1700000002000u);
        assert_memory_equal(a.outcome[i].leaf.b, records.leaf[i].b, 32);
    }
    begin(&again); /* nothing is admitted: told as soon as that is committed */
    wait_sent(w, 2);
    decide(w, (const size_t[]){ 1 }, 1);
    pthread_join(again.thread, NULL);
    assert_int_equal(again.outcome[0].status, CU_DUPLICATE);
    assert_int_equal(again.outcome[1].seq.v, 2);
    assert_int_equal(w->lost, 0);
    assert_int_equal(cu_sender_flight(w->sender), 0);
    world_free(w);
}

static void what_is_not_decided_in_time_stays_on_its_way_and_nothing_more_is_taken(void **state)
{
    struct world *w = world_with_sender(100);
    struct submitter a = { .w = w, .first = 0, .n = 2 }, b = { .w = w, .first = 2, .n = 1 };
    (void)state;

    begin(&a);
    pthread_join(a.thread, NULL);
    assert_int_equal(a.status, CU_INTERRUPTED);
    begin(&b);
    pthread_join(b.thread, NULL);
    assert_int_equal(b.status, CU_BUSY);
    wait_sent(w, 2); /* the same once more, for it may have been lost */
    assert_true(cu_span_eq(cu_buf_span(&w->sent[0]), cu_buf_span(&w->sent[1])));
    decide(w, (const size_t[]){ 0 }, 1);
    decide(w, NULL, 0);
    assert_int_equal(w->engine.tip(w->engine.self).size.v, 3);
    begin(&b);
    while (sent(w) < 1 ||
           !cu_span_starts(cu_span_from(cu_buf_span(&w->sent[sent(w) - 1]), CU_CHAIN_NONCE), cu_buf_span(&records.bytes[2])))
        pause_ms(5);
    decide(w, (const size_t[]){ sent(w) - 1 }, 1);
    decide(w, NULL, 0);
    pthread_join(b.thread, NULL);
    assert_true(b.status == CU_OK || b.status == CU_INTERRUPTED); /* on a slow machine */
    assert_int_equal(w->engine.tip(w->engine.self).size.v, 5);
    world_free(w);
}

static void what_was_refused_for_its_turn_is_packed_anew(void **state)
{
    struct world *w = world_with_sender(60000);
    struct submitter a = { .w = w, .first = 10, .n = 1 }, b = { .w = w, .first = 11, .n = 1 };
    (void)state;

    late = 11;
    begin(&a);
    wait_sent(w, 1);
    begin(&b);
    wait_sent(w, 2);
    decide(w, (const size_t[]){ 1 }, 1); /* the other way round */
    wait_sent(w, 3);
    assert_false(b.done);
    decide(w, (const size_t[]){ 0, 2 }, 2);
    decide(w, NULL, 0);
    pthread_join(a.thread, NULL);
    pthread_join(b.thread, NULL);
    late = 0;
    assert_int_equal(a.outcome[0].status, CU_OK);
    assert_int_equal(b.outcome[0].status, CU_OK);
    assert_int_equal(b.outcome[0].seq.v, 1);
    assert_int_equal(w->lost, 0);

    late = 13; /* who has nothing before him on its way is told */
    struct submitter c = { .w = w, .first = 13, .n = 1 };
    begin(&c);
    wait_sent(w, 4);
    decide(w, (const size_t[]){ 3 }, 1);
    pthread_join(c.thread, NULL);
    late = 0;
    assert_int_equal(c.outcome[0].status, CU_UNKNOWN_CASE);
    world_free(w);
}

static void what_was_on_its_way_when_a_process_ended_is_sent_by_the_next(void **state)
{
    struct world *w = world_with_sender(50);
    struct submitter a = { .w = w, .first = 0, .n = 2 };
    struct cu_err err = { 0 };
    (void)state;

    begin(&a);
    pthread_join(a.thread, NULL);
    assert_int_equal(a.status, CU_INTERRUPTED);
    const size_t before = sent(w);
    world_shut(w);
    cu_memory_crash(&w->memory, 0);
    assert_int_equal(open_all(w, 50, &err), CU_OK);
    wait_sent(w, before + 1);
    assert_false(cu_span_eq(cu_buf_span(&w->sent[0]), cu_buf_span(&w->sent[before])));
    assert_true(cu_span_eq(cu_span_from(cu_buf_span(&w->sent[0]), CU_CHAIN_NONCE),
                           cu_span_from(cu_buf_span(&w->sent[before]), CU_CHAIN_NONCE)));
    decide(w, (const size_t[]){ 0, before }, 2); /* the other organisations had the first one, too */
    decide(w, NULL, 0);
    assert_int_equal(w->engine.tip(w->engine.self).size.v, 3);
    for (int i = 0; i < 200 && cu_sender_flight(w->sender) > 0; i++) pause_ms(5);
    assert_int_equal(cu_sender_flight(w->sender), 0);
    world_free(w);
}

static void when_the_outbox_cannot_be_written_nothing_is_sent(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 4; n++) {
        struct world *w = world_with_sender(300);
        struct submitter a = { .w = w, .first = 0, .n = 2 };
        w->faulty.fail_call = w->faulty.calls + n;
        w->faulty.fault = n % 2 ? CU_FAULT_IO : CU_FAULT_NO_SPACE;
        begin(&a);
        pthread_join(a.thread, NULL);
        if (n <= 3) assert_true(a.status == CU_IO || a.status == CU_NO_SPACE); /* open, write, sync */
        if (n <= 3) assert_int_equal(sent(w), 0);
        else assert_int_equal(a.status, CU_INTERRUPTED);
        assert_int_equal(w->lost, 0);
        w->faulty.fail_call = 0;
        world_free(w);
    }
}

static void a_transaction_of_256_kib_is_taken_and_one_byte_more_is_not(void **state)
{
    struct world *w = world_new();
    static uint8_t details[CU_DETAILS_MAX], content[CU_CONTENT_INLINE_MAX], salt[CU_SALT_LEN];
    CU_BUF tx = cu_buf_heap(1 << 20);
    struct cu_record one;
    struct cu_err err = { 0 };
    (void)state;

    assert_int_equal(open_all(w, 0, &err), CU_OK);
    cu_buf_add(&tx, cu_span("nonce--", CU_CHAIN_NONCE));
    for (size_t i = 0; i < 5; i++) { /* the last one as long as is left */
        assert_int_equal(cu_record_read(cu_buf_span(&records.bytes[i]), &one, &err), CU_OK);
        const size_t left = CU_CHAIN_TX_MAX - tx.n - one.entry.n - sizeof salt - 3 - 2 - 1 - 3 - 3;
        one.salt = CU_SPAN_OF(salt);
        one.details = cu_span(details, i < 4 ? 24000 : 10000);
        one.content = cu_span(content, i < 4 ? sizeof content : left - 10000);
        assert_int_equal(cu_record_write(&one, &tx, &err), CU_OK);
    }
    assert_int_equal(tx.n, CU_CHAIN_TX_MAX);
    for (int more = 0; more < 2; more++) {
        struct cu_abci_request q = { .check_tx = { .there = true, .tx = cu_buf_span(&tx) } };
        struct cu_abci_response a;
        assert_int_equal(ask(w, &q, &a, &err), CU_OK);
        assert_int_equal(a.check_tx.code, more ? CU_TOO_LARGE : CU_OK);
        cu_buf_add_byte(&tx, 0);
    }
    world_free(w);
}

static void only_the_organisations_nodes_are_peers(void **state)
{
    static const char ids[] = "0123456789012345678901234567890123456789abcdefabcdefabcdefabcdefabcdefabcdefabcd";
    static const struct {
        const char *path;
        bool may;
    } asked[] = {
        { "/p2p/filter/id/abcdefabcdefabcdefabcdefabcdefabcdefabcd", true },
        { "/p2p/filter/id/0123456789012345678901234567890123456789", true },
        { "/p2p/filter/id/1234567890123456789012345678901234567890", false },
        { "/p2p/filter/id/9abcdefabcdefabcdefabcdefabcdefabcdefabc", false },
        { "/p2p/filter/id/abcd", false },
        { "/p2p/filter/id/", false },
        { "/p2p/filter/addr/127.0.0.1:5", true },
    };
    (void)state;

    for (int all = 0; all < 2; all++) {
        struct world *w = world_new();
        struct cu_err err = { 0 };
        w->peers = all ? CU_SPAN_EMPTY : cu_span_str(ids);
        assert_int_equal(open_all(w, 0, &err), CU_OK);
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            const struct cu_abci_request q = { .query = { .there = true, .path = cu_span_str(asked[i].path) } };
            struct cu_abci_response a;
            assert_int_equal(ask(w, &q, &a, &err), CU_OK);
            assert_int_equal(a.query.code, asked[i].may || all ? CU_OK : CU_NOT_ALLOWED);
        }
        world_free(w);
    }
}

static int prepare_all(void **state)
{
    (void)state;
    records = toy_records(RECORDS, 10, 0);
    return cu_private_generate(CU_ALG_EDDSA, &log_key, NULL) == CU_OK ? 0 : -1;
}

static int release_all(void **state)
{
    (void)state;
    toy_records_free(&records);
    cu_private_free(&log_key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_height_changed_of_the_validators_is_said_with_it),
        cmocka_unit_test(stopped_after_any_effect_a_node_comes_to_the_same_app_hashes),
        cmocka_unit_test(whatever_call_fails_no_height_is_answered_otherwise),
        cmocka_unit_test(killed_at_any_boundary_of_a_height_it_says_exactly_what_is_durable),
        cmocka_unit_test(whoever_submits_is_told_when_his_height_is_dated),
        cmocka_unit_test(what_is_not_decided_in_time_stays_on_its_way_and_nothing_more_is_taken),
        cmocka_unit_test(what_was_refused_for_its_turn_is_packed_anew),
        cmocka_unit_test(what_was_on_its_way_when_a_process_ended_is_sent_by_the_next),
        cmocka_unit_test(when_the_outbox_cannot_be_written_nothing_is_sent),
        cmocka_unit_test(only_the_organisations_nodes_are_peers),
        cmocka_unit_test(a_transaction_of_256_kib_is_taken_and_one_byte_more_is_not),
    };
    return cmocka_run_group_tests(tests, prepare_all, release_all);
}
