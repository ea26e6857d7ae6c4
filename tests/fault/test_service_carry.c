/* Deposits from afar, with the process stopped after every effect and every call failed, on this side and on the other: whoever asks again for the
 * same goes on with it, and whatever happens there is one statement, one record, one receipt. */
#include "service_source.h"
#include "service_world.h"

#include "../one_of.h"
#include "content/digests.h"
#include "content/walk.h"
#include "service/carry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CLAIMS_MAX = 4, PIECE = 100000, HOUR_MS = 3600000 };

/* ---- the other side: a provider that is told what to do, and a node that is a whole ledger ---- */

struct taken {
    struct cu_buf file, bytes, record;
    struct cu_claim_file parts;
    struct cu_statement claim;
    struct cu_buf roots;
    enum cu_carriage_state state;
};
static struct {
    struct service_world *ledger;
    struct taken taken[CLAIMS_MAX];
    size_t taken_n;
    bool refuses, refusal_known, stalls, pushed, other_claim, stale, cut, silent, forgets; /* what goes wrong over there */
    uint64_t calls, fail_call, stop_call; /* the n-th call fails, or is the last that the client makes */
    bool done_anyway;                     /* … but what it asked for was done */
    cu_status fault;
    uint64_t pieces;
    cu_size as_of;         /* what the client says that it saw */
    struct cu_span behind; /* what another node, which has not come so far, signed; n == 0: there is none */
} far;

/* ---- this side ---- */
static struct {
    struct cu_fs memory, below;
    struct cu_faulty faulty;
    struct cu_index index;
    bool has_index, dead;
    uint64_t clock;
    struct cu_place place;
    size_t told;
    cu_hash told_id[4];
    struct cu_buf receipt[4];
    bool waits;
} near;
static struct service_world *base;

static cu_status dead(struct cu_err *err) { return cu_fail(err, CU_IO, "the process is gone"); }

/* Before the other side does anything. */
static cu_status call(struct cu_err *err)
{
    if (near.dead || near.faulty.stopped) return dead(err);
    far.calls++;
    if (far.silent) return cu_fail(err, CU_IO, "silence");
    if (far.calls == far.stop_call && !far.done_anyway) return near.dead = true, dead(err);
    return far.calls == far.fail_call && !far.done_anyway ? cu_fail(err, far.fault, "the call that fails") : CU_OK;
}

/* … and after it. */
static cu_status answer(struct cu_err *err)
{
    if (far.calls == far.stop_call) return near.dead = true, dead(err);
    return far.calls == far.fail_call && far.done_anyway ? cu_fail(err, far.fault, "the answer that is lost") : CU_OK;
}

static struct taken *taken_of(const cu_hash *id)
{
    for (size_t i = 0; i < far.taken_n; i++)
        if (cu_hash_eq(&far.taken[i].claim.id, id)) return &far.taken[i];
    return NULL;
}

static cu_status say_outcome(struct taken *t, enum cu_kind kind, struct cu_err *err)
{
    struct cu_place *p = &far.ledger->place;
    CU_BUF said = cu_buf_heap(CU_RECORD_MAX);
    struct cu_refusal refusal = { .claim = t->parts.claim, .reason = CU_REASON_NOT_ACCEPTED };
    struct cu_deposit deposit = { .claim = t->parts.claim };
    struct cu_record record;

    if (far.other_claim) deposit.claim = far.taken[0].parts.claim;
    TRY(cu_say_raw(p, kind, kind == CU_KIND_REFUSAL ? (void *)&refusal : (void *)&deposit, CU_SIGNER_PROVIDER, CU_SPAN_EMPTY,
                   &said, err));
    TRY(cu_record_read(cu_buf_span(&said), &record, err));
    record.salt = t->parts.salt;
    record.details = t->parts.details;
    if (kind == CU_KIND_DEPOSIT && t->claim.body.claim.size <= CU_CONTENT_INLINE_MAX)
        record.content = t->bytes.n ? cu_span(t->bytes.p, (size_t)t->claim.body.claim.size) : cu_span("", 0);
    cu_buf_clear(&t->record);
    return cu_record_write(&record, &t->record, err);
}

static cu_status far_claim(void *self, struct cu_span claim_file, struct cu_carriage *ret, struct cu_err *err)
{
    struct cu_claim_file parts;
    struct cu_statement claim;

    (void)self;
    TRY(call(err));
    assert_int_equal(cu_schema_read(&cu_claim_file_schema, claim_file, &parts, err), CU_OK);
    assert_int_equal(parts.path.n, 0);
    assert_int_equal(cu_statement_read(parts.claim, &claim, err), CU_OK);
    struct taken *t = taken_of(&claim.id);
    if (!t) {
        assert_true(far.taken_n < CLAIMS_MAX);
        t = &far.taken[far.taken_n++];
        *t = (struct taken){ .file = cu_buf_heap(CU_RECORD_MAX),
                             .bytes = cu_buf_heap(1 << 24),
                             .record = cu_buf_heap(CU_RECORD_MAX),
                             .roots = cu_buf_heap(1 << 16) };
        cu_buf_add(&t->file, claim_file);
        assert_int_equal(cu_schema_read(&cu_claim_file_schema, cu_buf_span(&t->file), &t->parts, err), CU_OK);
        assert_int_equal(cu_statement_read(t->parts.claim, &t->claim, err), CU_OK);
        if (far.refuses) {
            t->state = far.refusal_known ? CU_CARRIED_RECORDED : CU_CARRIED_REFUSED;
            assert_int_equal(say_outcome(t, CU_KIND_REFUSAL, err), CU_OK);
        }
    }
    *ret = (struct cu_carriage){ .state = t->state, .offset = t->bytes.n };
    return answer(err);
}

/* What came is what was claimed, object after object, and so are the roots of its chunks. */
static void judge_object(const struct taken *t, uint64_t from, uint64_t size, const cu_hash *root, size_t *io_roots)
{
    const cu_hash *roots = (const cu_hash *)(const void *)t->roots.p;
    const cu_hash is = cu_content_root_of(cu_span(t->bytes.p + from, (size_t)size));

    assert_true(cu_hash_eq(&is, root));
    for (uint64_t at = 0; at < size && t->roots.n; at += CU_CHUNK_BYTES) {
        const cu_hash chunk = cu_content_root_of(
            cu_span(t->bytes.p + from + at, size - at < CU_CHUNK_BYTES ? (size_t)(size - at) : CU_CHUNK_BYTES));
        assert_true(cu_hash_eq(&chunk, &roots[(*io_roots)++]));
    }
}

static void judge_bytes(const struct taken *t)
{
    const struct cu_claim *claim = &t->claim.body.claim;
    struct cu_manifest m;
    struct cu_item item;
    uint64_t at = claim->size;
    size_t roots = 0, seen_n = 0;
    cu_hash seen[16];
    bool more = true;

    judge_object(t, 0, claim->size, &claim->root, &roots);
    if (claim->has_folder) assert_int_equal(cu_manifest_open(cu_span(t->bytes.p, (size_t)claim->size), &m, NULL), CU_OK);
    while (claim->has_folder) {
        assert_int_equal(cu_manifest_next(&m, &item, &more, NULL), CU_OK);
        if (!more) break;
        bool before = item.size == 0 || item.type != CU_ITEM_FILE;
        for (size_t i = 0; i < seen_n && !before; i++) before = cu_hash_eq(&seen[i], &item.root);
        if (before) continue;
        assert_true(at + item.size <= t->bytes.n && seen_n < 16);
        judge_object(t, at, item.size, &item.root, &roots);
        seen[seen_n++] = item.root;
        at += item.size;
    }
    assert_int_equal(at, t->bytes.n);
    assert_int_equal(roots * sizeof *seen, t->roots.n);
}

static cu_status far_state(void *self, const cu_hash *id, unsigned wait_s, struct cu_carriage *ret, struct cu_err *err)
{
    struct taken *t = taken_of(id);

    (void)self;
    TRY(call(err));
    near.clock += 1000 * (uint64_t)wait_s;
    if (t->state == CU_CARRIED_ALL && wait_s && !near.waits) {
        judge_bytes(t);
        TRY(say_outcome(t, CU_KIND_DEPOSIT, err));
        t->state = CU_CARRIED_ACCEPTED;
    }
    *ret = (struct cu_carriage){ .state = t->state, .offset = t->bytes.n };
    return answer(err);
}

static cu_status far_record(void *self, const cu_hash *id, struct cu_buf *ret, struct cu_err *err)
{
    (void)self;
    TRY(call(err));
    cu_buf_add(ret, cu_buf_span(&taken_of(id)->record));
    return answer(err);
}

static cu_status far_chunks(void *self, const cu_hash *id, struct cu_span roots, struct cu_err *err)
{
    struct taken *t = taken_of(id);

    (void)self;
    TRY(call(err));
    assert_int_equal(t->bytes.n, 0);
    cu_buf_clear(&t->roots);
    cu_buf_add(&t->roots, roots);
    return answer(err);
}

static cu_status far_offset(void *self, const cu_hash *id, uint64_t length, uint64_t *ret, struct cu_err *err)
{
    struct taken *t = taken_of(id);

    TRY(call(err));
    ENSURE(self == NULL || !far.pushed, err, CU_NOT_FOUND, "the node has it");
    if (far.forgets) return far.forgets = false, cu_fail(err, CU_NOT_FOUND, "no such claim is here");
    if (self) t->bytes.n = 0; /* the node has nothing of it */
    *ret = t->bytes.n;
    if (length == 0) t->state = t->state < CU_CARRIED_ALL ? CU_CARRIED_ALL : t->state;
    return answer(err);
}

static cu_status far_send(void *self, const cu_hash *id, uint64_t from, uint64_t to, cu_carrier_read *read, void *arg,
                          struct cu_err *err)
{
    struct taken *t = taken_of(id);
    uint8_t piece[PIECE];
    size_t n;

    TRY(call(err));
    assert_int_equal(from, t->bytes.n);
    while (t->bytes.n < to) {
        TRY(read(arg, piece, to - t->bytes.n < PIECE ? (size_t)(to - t->bytes.n) : PIECE, &n, err));
        cu_buf_add(&t->bytes, cu_span(piece, n));
        if (far.cut && far.pieces++ % 3 == 2 && t->bytes.n < to) return cu_fail(err, CU_IO, "cut");
    }
    if (self) judge_bytes(t), far.pushed = true;
    else t->state = t->state < CU_CARRIED_ALL ? CU_CARRIED_ALL : t->state;
    return answer(err);
}

static const struct cu_carrier_ops carrier_ops = { far_claim, far_state, far_record, far_chunks, far_offset, far_send, NULL };

/* ---- the node ---- */

static cu_status node_record(void *self, cu_seq seq, bool content, struct cu_buf *ret, struct cu_err *err)
{
    (void)self;
    assert_false(content); /* who deposits reads nothing: he has it */
    TRY(call(err));
    TRY(cu_place_record(&far.ledger->place, seq, content, ret, err));
    return answer(err);
}

static cu_status publish(struct cu_err *err)
{
    struct cu_place *p = &far.ledger->place;

    TRY(cu_settle(p, err));
    return p->engine->drain(p->engine->self, err);
}

static cu_status node_submit(void *self, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err)
{
    struct cu_place *p = &far.ledger->place;

    (void)self;
    TRY(call(err));
    if (far.stale) {
        far.stale = false;
        *ret = (struct cu_outcome){ .status = CU_STALE, .text = "old" };
        return answer(err);
    }
    TRY(p->engine->submit(p->engine->self, records, n, ret, err));
    TRY(publish(err));
    return answer(err);
}

static cu_status attest_one(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    uint64_t copies;

    TRY(cu_copies(&far.ledger->place, row->seq, &copies, err));
    if (!copies) *(struct cu_range *)arg = (struct cu_range){ row->seq.v, row->seq.v };
    return CU_OK;
}

/* While somebody waits the node gets what it lacks from the provider, unless that stalls. */
static cu_status node_await(void *self, const cu_hash *id, unsigned seconds, struct cu_err *err)
{
    struct cu_place *p = &far.ledger->place;
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_DEPOSIT };
    struct cu_range lacks = { 0, 0 };

    (void)self, (void)id;
    TRY(call(err));
    near.clock += 1000 * (uint64_t)seconds;
    TRY(p->index.find(p->index.self, &q, attest_one, &lacks, err));
    if (lacks.first && (!far.stalls || far.pushed)) {
        TRY(cu_attest(p, &lacks, 1, err));
        TRY(publish(err));
    }
    return answer(err);
}

static void node_as_of(void *self, cu_size size) { (void)self, far.as_of = size; }

static cu_status node_behind(void *self, size_t i, struct cu_buf *ret, struct cu_err *err)
{
    (void)self;
    ENSURE(i < 2, err, CU_NOT_FOUND, "there are two");
    if (i == 1) cu_buf_add(ret, far.behind);
    return cu_buf_ok(ret, err);
}

static const struct cu_remote_ops remote_ops = {
    .record = node_record, .submit = node_submit, .await = node_await, .as_of = node_as_of, .behind = node_behind
};

/* ---- this reader's folder, in which the node's log stands ---- */

static bool is_log(const char *path) { return strncmp(path, CU_DIR_NODE_LOG "/", strlen(CU_DIR_NODE_LOG "/")) == 0; }
static const struct cu_fs *fs_of(const char *path) { return is_log(path) ? &far.ledger->memory : &near.below; }
#define GONE()                           \
    do {                                 \
        if (near.dead) return dead(err); \
    } while (0)

static cu_status near_open(void *self, const char *path, unsigned flags, struct cu_file **ret, struct cu_err *err)
{
    (void)self;
    GONE();
    if (is_log(path)) TRY(call(err));
    return fs_of(path)->ops->open(fs_of(path)->self, path, flags, ret, err);
}
static cu_status near_make_dir(void *self, const char *path, struct cu_err *err)
{
    (void)self;
    GONE();
    return near.below.ops->make_dir(near.below.self, path, err);
}
static cu_status near_rename(void *self, const char *from, const char *to, struct cu_err *err)
{
    (void)self;
    GONE();
    return near.below.ops->rename(near.below.self, from, to, err);
}
static cu_status near_sync_dir(void *self, const char *path, struct cu_err *err)
{
    (void)self;
    GONE();
    return near.below.ops->sync_dir(near.below.self, path, err);
}
static cu_status near_sync_all(void *self, struct cu_err *err)
{
    (void)self;
    GONE();
    return near.below.ops->sync_all(near.below.self, err);
}
static cu_status near_stat(void *self, const char *path, struct cu_file_stat *ret, struct cu_err *err)
{
    (void)self;
    GONE();
    return fs_of(path)->ops->stat(fs_of(path)->self, path, ret, err);
}
static cu_status near_list(void *self, const char *path,
                           cu_status (*each)(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err), void *arg,
                           struct cu_err *err)
{
    (void)self;
    return near.below.ops->list(near.below.self, path, each, arg, err);
}
static cu_status near_lock(void *self, const char *path, unsigned wait_ms, void **ret, struct cu_err *err)
{
    (void)self;
    GONE();
    return near.below.ops->lock(near.below.self, path, wait_ms, ret, err);
}
static void near_unlock(void *self, void *lock)
{
    (void)self;
    near.below.ops->unlock(near.below.self, lock);
}
static bool near_writable(void *self) { return (void)self, true; }
static void near_close(void *self) { (void)self; }
static const struct cu_fs_ops near_ops = { near_open, near_make_dir, near_rename, near_sync_dir, near_sync_all, near_stat,
                                           near_list, near_lock,     near_unlock, near_writable, near_close };

static cu_unix_ms now(void *self)
{
    (void)self;
    return (cu_unix_ms){ UINT64_C(1760000100000) + ++near.clock };
}

static cu_status open_near(struct cu_err *err)
{
    struct cu_place *p = &near.place;
    const struct cu_place *there = &far.ledger->place;

    *p = (struct cu_place){ .fs = { NULL, &near_ops },
                            .source = sw_source(),
                            .clock = { NULL, now },
                            .random = there->random,
                            .remote = { NULL, &remote_ops },
                            .provider = { NULL, &carrier_ops },
                            .node = { &far, &carrier_ops },
                            .own_key = true };
    p->verifier = there->verifier;
    p->key[CU_SIGNER_DEPOSITOR] = there->key[CU_SIGNER_DEPOSITOR];
    p->has_key[CU_SIGNER_DEPOSITOR] = true;
    TRY(cu_place_load_trust(p, err));
    if (!near.has_index) TRY(cu_sqlite_index_open(CU_SQLITE_IN_MEMORY, false, &near.index, err));
    near.has_index = true;
    p->index = near.index;
    TRY(cu_objects_open(&p->fs, CU_DIR_CLOUD_OBJECTS, &p->index, CU_STORE_CLOUD, &p->store[CU_STORE_CLOUD], err));
    TRY(cu_objects_open(&p->fs, CU_DIR_NODE_OBJECTS, &p->index, CU_STORE_NODE, &p->store[CU_STORE_NODE], err));
    return cu_settle(p, err);
}

static void close_near(void)
{
    struct cu_place *p = &near.place;

    for (int i = 0; i < CU_STORES; i++) cu_objects_close(p->store[i]);
    p->has_key[CU_SIGNER_DEPOSITOR] = false; /* it is the world's */
    cu_place_free(p);
}

static cu_status told(void *arg, struct cu_deposited *d, struct cu_err *err)
{
    (void)arg;
    assert_false(d->duplicate);
    assert_true(near.told < 4);
    near.told_id[near.told] = d->id;
    near.receipt[near.told] = d->receipt;
    d->receipt = (struct cu_buf){ 0 };
    near.told++;
    return near.faulty.stopped || near.dead ? dead(err) : CU_OK; /* who is gone prints nothing */
}

static void forget_told(void)
{
    for (size_t i = 0; i < near.told; i++) cu_buf_free(&near.receipt[i]);
    near.told = 0;
}

/* ---- stories ---- */

struct story {
    const char *name;
    const char *paths[3];
    size_t n;
    bool seal, claimed, stalls, cut;
};
static const struct story stories[] = {
    { .name = "small", .paths = { SW_SMALL }, .n = 1 },
    { .name = "packed", .paths = { SW_PACKED }, .n = 1, .cut = true },
    { .name = "large", .paths = { SW_LARGE }, .n = 1, .cut = true },
    { .name = "folder", .paths = { SW_FOLDER }, .n = 1 },
    { .name = "two", .paths = { SW_PACKED, SW_SMALL }, .n = 2 },
    { .name = "the same twice", .paths = { SW_SMALL, SW_SMALL }, .n = 2 },
    { .name = "sealed", .paths = { SW_LARGE }, .n = 1, .seal = true, .cut = true },
    { .name = "claim", .paths = { SW_PACKED }, .n = 1, .claimed = true },
    { .name = "a provider that stalls", .paths = { SW_PACKED }, .n = 1, .stalls = true },
    { .name = "a provider that stalls over a folder", .paths = { SW_FOLDER }, .n = 1, .stalls = true },
};
#define STORIES (sizeof stories / sizeof *stories)

static struct cu_buf claim_file; /* made before, for the story of one */
static struct cu_sealing sealing;

static cu_status run_story(const struct story *s, struct cu_err *err)
{
    const struct cu_deposit_request r = { .label = cu_span_str("L"), .wait_ms = HOUR_MS, .seal = s->seal ? &sealing : NULL };

    forget_told();
    cu_status done = open_near(err);
    if (done == CU_OK)
        done = s->claimed ? cu_deposit_claim(&near.place, &r, cu_buf_span(&claim_file), s->paths[0], told, NULL, err)
                          : cu_deposit(&near.place, &r, s->paths, s->n, told, NULL, err);
    close_near();
    return done;
}

static void begin_near(void)
{
    memset(&near, 0, sizeof near);
    assert_int_equal(cu_memory_fs(&near.memory, NULL), CU_OK);
    near.faulty = (struct cu_faulty){
        .inner = near.memory, .stop_after = CU_NEVER, .lost = cu_memory_lose, .lost_all = cu_memory_lose_all
    };
    near.below = cu_faulty_fs(&near.faulty);
    assert_int_equal(cu_fs_replace(&near.memory, CU_FILE_TRUST, "new", cu_buf_span(&far.ledger->place.trust_text), true, NULL),
                     CU_OK);
    assert_int_equal(cu_fs_replace(&near.memory, CU_FILE_FORMAT, "new", cu_span_str(CU_FORMAT_LINE), true, NULL), CU_OK);
    assert_int_equal(near.memory.ops->sync_all(near.memory.self, NULL), CU_OK);
}

/* The provider's key, and the depositor's, are those of a ledger that was made once. */
static void begin(const struct story *s)
{
    struct cu_err err;

    memset(&far, 0, sizeof far);
    far.ledger = sw_copy(base);
    assert_int_equal(sw_open(far.ledger, SW_WRITE, &err), CU_OK);
    far.stalls = s->stalls;
    far.cut = s->cut;
    begin_near();
    if (!s->claimed) return;
    const struct cu_deposit_request r = { .label = cu_span_str("L") };
    claim_file = cu_buf_heap(CU_RECORD_MAX);
    assert_int_equal(open_near(&err), CU_OK);
    assert_int_equal(cu_claim_make(&near.place, &r, s->paths[0], &claim_file, &err), CU_OK);
    close_near();
    far.calls = near.faulty.calls = near.faulty.effects = 0;
}

static void end(void)
{
    forget_told();
    if (near.has_index) near.index.close(near.index.self);
    near.below.ops->close(near.below.self);
    near.memory.ops->close(near.memory.self);
    for (size_t i = 0; i < far.taken_n; i++) {
        cu_buf_free(&far.taken[i].file), cu_buf_free(&far.taken[i].bytes);
        cu_buf_free(&far.taken[i].record), cu_buf_free(&far.taken[i].roots);
    }
    sw_free(far.ledger);
    cu_buf_free(&claim_file);
}

/* The process is gone, and with it what was not on the disk; then it begins again and all is well. */
static void revive(uint64_t seed)
{
    near.faulty.stop_after = CU_NEVER;
    near.faulty.fail_call = 0;
    near.faulty.stopped = near.dead = false;
    far.fail_call = far.stop_call = 0;
    far.silent = false;
    cu_memory_crash(&near.memory, seed);
    if (seed % 2 == 0 && near.has_index) near.index.close(near.index.self), near.has_index = false;
}

static size_t pending(void)
{
    CU_BUF file = cu_buf_heap(CU_PENDING_MAX);
    struct cu_span records, one;
    uint64_t highest;
    char path[64], hex[65];
    size_t n = 0;

    cu_hash_hex(&far.ledger->place.key[CU_SIGNER_DEPOSITOR].id, hex);
    snprintf(path, sizeof path, CU_FILE_PENDING_OWN, hex);
    if (cu_fs_read(&near.memory, path, CU_PENDING_MAX, &file, NULL) != CU_OK) return 0;
    assert_int_equal(cu_pending_read(cu_buf_span(&file), &highest, &records, NULL), CU_OK);
    for (size_t at = 0; cu_outbox_next(records, &at, &one);) n++;
    return n - 1; /* how far numbers were looked for */
}

static uint64_t deposits(void)
{
    struct cu_place *p = &far.ledger->place;
    struct cu_err err;

    assert_int_equal(cu_settle(p, &err), CU_OK);
    return p->index.count(p->index.self, CU_KIND_DEPOSIT, NULL);
}

static void must(const struct story *s, const char *how, uint64_t k, bool cond, const char *what, const struct cu_err *err)
{
    if (cond) return;
    fail_msg("%s, %s %llu: %s (%s)", s->name, how, LLU(k), what, err->text);
}

static uint64_t before;

/* After whatever happened: asked again for the same, and there is one of each. */
static void judge(const struct story *s, const char *how, uint64_t k, bool all_told)
{
    struct cu_err err = { 0 };
    struct cu_checkpoint ignored;
    cu_hash first[4];
    const size_t first_n = near.told;

    memcpy(first, near.told_id, sizeof first);
    if (all_told && pending() == 0 && !s->claimed) return; /* nothing of it is under way any more */
    if (!(all_told && pending() == 0)) {
        const cu_status again = run_story(s, &err);
        must(s, how, k, again == CU_OK, "it cannot go on", &err);
    }
    must(s, how, k, near.told == s->n, "not everything was told", &err);
    for (size_t i = 0; i < first_n; i++) must(s, how, k, cu_hash_eq(&first[i], &near.told_id[i]), "another statement", &err);
    for (size_t i = 0; i < s->n; i++) {
        const char *wrong = sw_verify(far.ledger, cu_buf_span(&near.receipt[i]),
                                      s->seal || s->paths[i] == stories[3].paths[0] ? NULL : s->paths[i], &ignored);
        must(s, how, k, !wrong, wrong ? wrong : "", &err);
    }
    must(s, how, k, deposits() == before + s->n, "another number of records than of deposits", &err);
    must(s, how, k, far.taken_n == s->n, "another number of claims left than of deposits", &err);
    must(s, how, k, pending() == 0, "something is left in the outbox", &err);
}

static void plain_run(const struct story *s, uint64_t *ret_effects, uint64_t *ret_fs_calls, uint64_t *ret_calls)
{
    struct cu_err err = { 0 };

    begin(s);
    before = deposits();
    const cu_status done = run_story(s, &err);
    must(s, "plainly", 0, done == CU_OK, "it fails", &err);
    *ret_effects = near.faulty.effects;
    *ret_fs_calls = near.faulty.calls;
    *ret_calls = far.calls;
    judge(s, "plainly", 0, true);
    assert_int_equal(deposits(), before + s->n);
    assert_int_equal(pending(), 0);
    end();
}

static uint64_t stride(const struct story *s, uint64_t of)
{
    return !SANITIZED && s == stories ? 1 : 1 + of / (SANITIZED ? 2 : 6);
}

static void a_deposit_from_afar_has_its_receipt_and_leaves_nothing_behind(void **state)
{
    uint64_t a, b, c;

    (void)state;
    for (size_t i = 0; i < STORIES; i++) plain_run(&stories[i], &a, &b, &c);
}

static void whoever_is_killed_anywhere_goes_on_where_it_was(void **state)
{
    uint64_t effects, fs_calls, calls;
    struct cu_err err;

    (void)state;
    for (const struct story *s = stories; s < stories + STORIES; s++) {
        plain_run(s, &effects, &fs_calls, &calls);
        for (uint64_t k = 0; k <= effects; k += stride(s, effects)) {
            begin(s);
            near.faulty.stop_after = k;
            const bool all = run_story(s, &err) == CU_OK || near.told == s->n;
            revive(k * 7 + 2);
            judge(s, "stopped after effect", k, all);
            end();
        }
        for (uint64_t k = 1; k <= 2 * calls; k += stride(s, calls)) {
            begin(s);
            far.stop_call = (k + 1) / 2;
            far.done_anyway = k % 2 == 0;
            const bool all = run_story(s, &err) == CU_OK || near.told == s->n;
            revive(k);
            judge(s, "stopped at call", k, all);
            end();
        }
    }
}

static void any_call_that_fails_is_told_and_the_next_run_goes_on(void **state)
{
    static const enum cu_fault faults[] = { CU_FAULT_IO, CU_FAULT_NO_SPACE, CU_FAULT_SHORT };
    static const cu_status said[] = { CU_IO, CU_BUSY, CU_NO_SPACE };
    uint64_t effects, fs_calls, calls;
    struct cu_err err;

    (void)state;
    for (const struct story *s = stories; s < stories + STORIES; s++) {
        plain_run(s, &effects, &fs_calls, &calls);
        for (uint64_t k = 1; k <= fs_calls; k += stride(s, fs_calls)) {
            begin(s);
            near.faulty.fail_call = k;
            near.faulty.fault = faults[k % 3];
            const bool all = run_story(s, &err) == CU_OK || near.told == s->n;
            revive(1);
            judge(s, "failed at call of the disk", k, all);
            end();
        }
        for (uint64_t k = 1; k <= 2 * calls; k += stride(s, calls)) {
            begin(s);
            far.fail_call = (k + 1) / 2;
            far.done_anyway = k % 2 == 0;
            far.fault = said[k % 3];
            const bool all = run_story(s, &err) == CU_OK || near.told == s->n;
            revive(1);
            judge(s, "failed at call of the other side", k, all);
            end();
        }
    }
}

/* ---- a provider that does not do what it should ---- */

static void a_refusal_is_recorded_and_said(void **state)
{
    struct cu_err err = { 0 };

    (void)state;
    for (int known = 0; known < 2; known++) { /* the provider may have brought it to the ledger before */
        begin(&stories[1]);
        before = deposits();
        far.refuses = true;
        far.refusal_known = known;
        assert_int_equal(run_story(&stories[1], &err), CU_NOT_ALLOWED);
        assert_non_null(strstr(err.text, "refused"));
        assert_int_equal(deposits(), before);
        assert_int_equal(far.ledger->place.index.count(far.ledger->place.index.self, CU_KIND_REFUSAL, NULL), 1);
        assert_int_equal(pending(), 0);
        end();
    }
}

static void an_acceptance_over_another_claim_is_not_taken(void **state)
{
    static const struct story two = { .name = "two", .paths = { SW_PACKED, SW_SMALL }, .n = 2 };
    struct cu_err err = { 0 };

    (void)state;
    begin(&two);
    before = deposits();
    far.other_claim = true;
    assert_int_equal(run_story(&two, &err), CU_BAD_ATTACHMENT);
    assert_non_null(strstr(err.text, "another claim"));
    assert_int_equal(deposits(), before + 1);
    far.other_claim = false;
    far.taken[1].state = CU_CARRIED_ALL;
    revive(1);
    judge(&two, "after a wrong acceptance", 0, false);
    end();
}

static void an_acceptance_by_a_key_that_may_not_is_not_taken(void **state)
{
    struct cu_private_key other, mine;
    struct cu_err err = { 0 };

    (void)state;
    begin(&stories[0]);
    before = deposits();
    assert_int_equal(cu_private_generate(CU_ALG_ES256, &other, &err), CU_OK);
    mine = far.ledger->place.key[CU_SIGNER_PROVIDER];
    far.ledger->place.key[CU_SIGNER_PROVIDER] = other;
    assert_int_equal(run_story(&stories[0], &err), CU_UNKNOWN_KEY);
    assert_non_null(strstr(err.text, "nobody who may accept"));
    far.ledger->place.key[CU_SIGNER_PROVIDER] = mine;
    assert_int_equal(deposits(), before);
    far.taken[0].state = CU_CARRIED_ALL;
    revive(1);
    judge(&stories[0], "after a wrong key", 0, false);
    cu_private_free(&other);
    end();
}

static void a_provider_that_only_takes_is_waited_for_and_then_named(void **state)
{
    struct cu_err err = { 0 };

    (void)state;
    begin(&stories[0]);
    before = deposits();
    near.waits = true;
    assert_int_equal(run_story(&stories[0], &err), CU_BUSY);
    assert_non_null(strstr(err.text, "Keep the original"));
    near.waits = false;
    judge(&stories[0], "after a provider that waited", 0, false);
    end();
}

static void an_acceptance_that_grew_old_is_asked_for_again(void **state)
{
    struct cu_err err = { 0 };

    (void)state;
    begin(&stories[1]);
    before = deposits();
    far.stale = true;
    assert_int_equal(run_story(&stories[1], &err), CU_OK);
    assert_false(far.stale);
    judge(&stories[1], "after an old acceptance", 0, true);
    assert_int_equal(deposits(), before + 1);
    end();
}

static void a_number_that_is_given_up_is_not_on_its_way_any_more(void **state)
{
    struct cu_outcome outcome;
    struct cu_err err = { 0 };

    (void)state;
    begin(&stories[0]);
    near.waits = true;
    assert_int_equal(run_story(&stories[0], &err), CU_BUSY);
    assert_int_equal(pending(), 1);
    const uint64_t serial = far.taken[0].claim.body.claim.serial;
    assert_int_equal(open_near(&err), CU_OK);
    assert_int_equal(cu_void_serial(&near.place, serial, NULL, cu_span_str("not needed"), &outcome, &err), CU_OK);
    close_near();
    assert_int_equal(pending(), 0);
    assert_int_equal(far.ledger->place.index.count(far.ledger->place.index.self, CU_KIND_VOID, NULL), 1);
    end();
}

static void numbers_that_were_used_elsewhere_are_not_used_again(void **state)
{
    struct cu_err err = { 0 };

    (void)state;
    begin(&stories[0]);
    before = deposits();
    assert_int_equal(run_story(&stories[0], &err), CU_OK);
    const uint64_t serial = far.taken[0].claim.body.claim.serial;
    assert_int_equal(serial, before + 1);   /* the ledger's own deposits have the first ones */
    near.below.ops->close(near.below.self); /* another device, which has the key and nothing else */
    near.memory.ops->close(near.memory.self);
    near.index.close(near.index.self);
    forget_told();
    begin_near();
    assert_int_equal(run_story(&stories[0], &err), CU_OK);
    assert_int_equal(far.taken[1].claim.body.claim.serial, serial + 1);
    end();
}

static int set_up(void **state)
{
    struct cu_err err = { 0 };
    struct cu_age_identity identity;

    (void)state;
    sw_keep();
    base = sw_new();
    assert_int_equal(sw_create(base, &err), CU_OK);
    assert_int_equal(sw_open(base, SW_WRITE, &err), CU_OK);
    assert_int_equal(sw_deposit(base, (const char *const[]){ SW_BASE, SW_OTHER }, 2, false, &err), CU_OK);
    assert_int_equal(cu_age_identity_generate(&identity, &err), CU_OK);
    const cu_hash kid = cu_sha256(cu_span_str("a reader"));
    struct cu_buf kids = cu_buf_over(sealing.kids, sizeof sealing.kids);
    assert_int_equal(cu_schema_write(&cu_id_schema, &kid, &kids, &err), CU_OK);
    sealing.n = 1;
    sealing.to[0] = identity.recipient;
    sealing.list = (struct cu_list){ 1, cu_buf_span(&kids) };
    cu_age_identity_free(&identity);
    assert_int_equal(sw_close(base, &err), CU_OK);
    sw_restart(base);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sw_free(base);
    sw_let_go();
    return 0;
}

/* ---- several nodes ---- */

static void whoever_has_not_heard_of_a_claim_is_told_of_it(void **state)
{
    struct cu_err err;

    (void)state;
    begin(&stories[1]);
    const uint64_t had = deposits();
    far.forgets = true;
    assert_int_equal(run_story(&stories[1], &err), CU_OK);
    assert_false(far.forgets);
    assert_int_equal(deposits(), had + 1);
    end();
}

static cu_status settle_near(struct cu_err *err)
{
    const cu_status settled = open_near(err);

    close_near();
    return settled;
}

static void sign_log(uint64_t size, const cu_hash *root, struct cu_buf *ret)
{
    const struct cu_place *p = &far.ledger->place;
    const struct cu_checkpoint said = { p->log.checkpoint.origin, { size }, *root };
    CU_BUF text = cu_buf_heap(CU_NOTE_MAX);
    struct cu_err err;

    cu_buf_clear(ret);
    cu_checkpoint_put(&said, &text);
    assert_int_equal(cu_log_sign(p, &p->trust, said.size, cu_buf_span(&text), ret, &err), CU_OK);
}

static void what_a_node_signed_that_is_behind_has_to_be_the_beginning_of_what_is_shown(void **state)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX), kept = cu_buf_heap(CU_NOTE_MAX);
    const struct cu_checkpoint *now;
    struct cu_err err = { 0 };

    (void)state;
    begin(&stories[0]);
    now = &far.ledger->place.log.checkpoint;
    assert_int_equal(publish(&err), CU_OK);
    cu_buf_add(&note, cu_buf_span(&far.ledger->place.log.note));
    const uint64_t was = now->size.v;
    assert_int_equal(run_story(&stories[0], &err), CU_OK);
    assert_true(now->size.v > was);
    assert_int_equal(far.as_of.v, now->size.v);

    far.behind = cu_buf_span(&note);
    far.as_of.v = 0;
    assert_int_equal(settle_near(&err), CU_OK);
    assert_int_equal(far.as_of.v, now->size.v);

    const cu_hash other = { { 7 } };
    sign_log(now->size.v + 1, &other,
             &note); /* more than is shown: whoever signed it has come further meanwhile, and is judged when he is asked */
    far.behind = cu_buf_span(&note);
    assert_int_equal(settle_near(&err), CU_OK);
    sign_log(was, &other, &note);
    far.behind = cu_buf_span(&note);
    assert_int_equal(settle_near(&err), CU_BAD_PROOF);
    assert_non_null(strstr(err.text, "another log than the others"));
    assert_int_equal(cu_fs_read(&near.memory, CU_DIR_NODE_STATE "/other", CU_NOTE_MAX, &kept, &err), CU_OK);
    assert_true(cu_span_eq(cu_buf_span(&kept), far.behind));
    note.p[note.n - 10] ^= 1; /* a line that nobody signed proves nothing, and is no checkpoint */
    assert_int_equal(settle_near(&err) == CU_OK, false);
    far.behind = cu_span_str("nonsense");
    assert_int_equal(settle_near(&err), CU_MALFORMED);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deposit_from_afar_has_its_receipt_and_leaves_nothing_behind),
        cmocka_unit_test(whoever_is_killed_anywhere_goes_on_where_it_was),
        cmocka_unit_test(any_call_that_fails_is_told_and_the_next_run_goes_on),
        cmocka_unit_test(a_refusal_is_recorded_and_said),
        cmocka_unit_test(an_acceptance_over_another_claim_is_not_taken),
        cmocka_unit_test(an_acceptance_by_a_key_that_may_not_is_not_taken),
        cmocka_unit_test(a_provider_that_only_takes_is_waited_for_and_then_named),
        cmocka_unit_test(an_acceptance_that_grew_old_is_asked_for_again),
        cmocka_unit_test(a_number_that_is_given_up_is_not_on_its_way_any_more),
        cmocka_unit_test(numbers_that_were_used_elsewhere_are_not_used_again),
        cmocka_unit_test(whoever_has_not_heard_of_a_claim_is_told_of_it),
        cmocka_unit_test(what_a_node_signed_that_is_behind_has_to_be_the_beginning_of_what_is_shown),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
