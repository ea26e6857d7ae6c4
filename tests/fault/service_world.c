/* The ledger of service_world.h: put together as src/apps/custody/open.c does it, over a simulated file system. */
#include "service_world.h"

#include "custody/text.h"
#include "service_source.h"

#include <stdio.h>
#include <stdlib.h>

#define VERIFIER_KEYS 64

/* ---- what is the same in every world, and dear to make ---- */

static struct cu_verifier verifier;
static void *verifier_mem;
static struct {
    struct cu_buf pem;
    struct cu_private_key key;
} known[CU_SIGNERS];

void sw_keep(void)
{
    const size_t size = cu_verifier_cached_size(VERIFIER_KEYS);
    struct cu_err err;

    verifier_mem = malloc(size);
    if (getenv("CUSTODY_ENGINE")) sw_on_chain = strcmp(getenv("CUSTODY_ENGINE"), "chain") == 0;
    CU_ASSERT(verifier_mem && cu_verifier_cached(verifier_mem, size, &verifier, &err) == CU_OK);
}

void sw_let_go(void)
{
    for (enum cu_signer who = 0; who < CU_SIGNERS; who++) {
        if (known[who].pem.n) cu_private_free(&known[who].key);
        cu_buf_free(&known[who].pem);
    }
    if (verifier.free) verifier.free(verifier.self);
    free(verifier_mem);
}

/* Reads the file as cu_key_load does; decodes it only if it is another than before. */
static cu_status load_key(struct cu_place *p, enum cu_signer who, struct cu_err *err)
{
    CU_BUF pem = cu_buf_heap(16384);
    char path[64];

    snprintf(path, sizeof path, CU_DIR_KEYS "/%s.pem", cu_signer_names[who]);
    TRY(cu_fs_read(&p->fs, path, 16384, &pem, err));
    if (!cu_span_eq(cu_buf_span(&pem), cu_buf_span(&known[who].pem))) {
        struct cu_private_key key;
        TRY(cu_private_from_pem(cu_buf_span(&pem), CU_SPAN_EMPTY, &key, err));
        if (known[who].pem.n) cu_private_free(&known[who].key);
        known[who].key = key;
        if (!known[who].pem.max) known[who].pem = cu_buf_heap(16384);
        cu_buf_clear(&known[who].pem);
        cu_buf_add(&known[who].pem, cu_buf_span(&pem));
    }
    p->key[who] = known[who].key;
    p->has_key[who] = true;
    return CU_OK;
}

/* ---- clock and chance ---- */

static cu_unix_ms now(void *self)
{
    struct service_world *w = self;
    const uint64_t at = atomic_fetch_add(&w->clock, w->pace) + w->pace;
    w->steps++;
    return (cu_unix_ms){ UINT64_C(1760000000000) + at };
}

static cu_status fill(void *self, uint8_t *ret, size_t n, struct cu_err *err)
{
    struct service_world *w = self;
    (void)err;

    for (size_t i = 0; i < n; i++) {
        uint64_t x = w->chance;
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        w->chance = x;
        ret[i] = (uint8_t)(x >> 32);
    }
    return CU_OK;
}

/* ---- a world ---- */

bool sw_in_bucket;

static void add_bucket(struct service_world *w, const struct sw_bucket *copy)
{
    struct cu_fs steps = w->fs;

    w->bucket = sw_bucket_new(copy);
    w->bucket->steps = steps;
    CU_ASSERT(cu_bucket_fs(steps, sw_bucket_of(w->bucket), CU_DIR_CLOUD_OBJECTS, CU_DIR_CLOUD_PINS, &w->fs, NULL) == CU_OK);
}

static struct service_world *over(struct cu_fs memory, const struct sw_bucket *copy)
{
    struct service_world *w = calloc(1, sizeof *w);

    CU_ASSERT(w);
    w->memory = memory;
    w->chance = UINT64_C(88172645463325252);
    w->pace = 3;
    w->faulty = (struct cu_faulty){
        .inner = memory, .stop_after = CU_NEVER, .lost = cu_memory_lose, .lost_all = cu_memory_lose_all
    };
    w->fs = cu_faulty_fs(&w->faulty);
    if (sw_in_bucket) add_bucket(w, copy);
    if (sw_on_chain) w->chain = sw_chain_new(w, NULL);
    return w;
}

struct service_world *sw_over(struct cu_fs memory) { return over(memory, NULL); }

struct service_world *sw_new(void)
{
    struct cu_fs memory;

    CU_ASSERT(cu_memory_fs(&memory, NULL) == CU_OK);
    return sw_over(memory);
}

static void *more(void *v, size_t n, size_t *cap, size_t each)
{
    if (n < *cap) return v;
    *cap = *cap ? 2 * *cap : 16;
    v = realloc(v, *cap * each);
    CU_ASSERT(v);
    return v;
}

struct service_world *sw_copy(const struct service_world *w)
{
    struct cu_fs memory;

    CU_ASSERT(!w->open && cu_memory_copy(&w->memory, &memory, NULL) == CU_OK);
    struct service_world *copy = over(memory, w->bucket);
    copy->small_journal = w->small_journal;
    sw_chain_free(copy->chain);
    copy->chain = w->chain ? sw_chain_new(copy, w->chain) : NULL;
    copy->clock = w->clock;
    copy->chance = w->chance;
    for (size_t i = 0; i < w->promises_n; i++) {
        copy->promise = more(copy->promise, i, &copy->promises_cap, sizeof *copy->promise);
        copy->promise[copy->promises_n++] = w->promise[i];
        copy->promise[i].receipt = cu_buf_heap(CU_RECEIPT_MAX);
        cu_buf_add(&copy->promise[i].receipt, cu_buf_span(&w->promise[i].receipt));
    }
    for (size_t i = 0; i < w->points_n; i++) {
        copy->point = more(copy->point, i, &copy->points_cap, sizeof *copy->point);
        copy->point[copy->points_n++] = w->point[i];
    }
    copy->deposits_max = w->deposits_max;
    copy->claims_max = w->claims_max;
    copy->reads = w->reads;
    copy->reads_max = w->reads_max;
    memcpy(copy->damage, w->damage, sizeof w->damage);
    copy->damages_n = w->damages_n;
    return copy;
}

static void drop_index(struct service_world *w)
{
    if (w->has_index) w->index.close(w->index.self);
    w->has_index = false;
}

void sw_free(struct service_world *w)
{
    struct cu_err err;

    if (w->open && sw_close(w, &err) != CU_OK) fprintf(stderr, "(a world is left that does not close: %s)\n", err.text);
    drop_index(w);
    for (size_t i = 0; i < w->promises_n; i++) cu_buf_free(&w->promise[i].receipt);
    free(w->promise);
    free(w->point);
    w->fs.ops->close(w->fs.self);
    w->memory.ops->close(w->memory.self);
    sw_bucket_free(w->bucket);
    sw_chain_free(w->chain);
    free(w);
}

/* ---- opening, as the command line does it ---- */

static cu_status begin(struct service_world *w, struct cu_err *err)
{
    (void)err;
    CU_ASSERT(!w->open);
    w->open = true;
    w->place = (struct cu_place){ .fs = w->fs, .source = sw_source(), .clock = { w, now }, .random = { w, fill } };
    w->origin = (struct cu_buf){ 0 };
    w->place.verifier = verifier;
    w->own_keys = false;
    return CU_OK;
}

static cu_status open_index(struct service_world *w, struct cu_err *err)
{
    if (!w->has_index) TRY(cu_sqlite_index_open(":memory:", false, &w->index, err));
    w->has_index = true;
    w->place.index = w->index;
    return CU_OK;
}

static cu_status open_stores(struct service_world *w, struct cu_err *err)
{
    struct cu_place *p = &w->place;

    TRY(cu_objects_open(&p->fs, CU_DIR_CLOUD_OBJECTS, &p->index, CU_STORE_CLOUD, &p->store[CU_STORE_CLOUD], err));
    return cu_objects_open(&p->fs, CU_DIR_NODE_OBJECTS, &p->index, CU_STORE_NODE, &p->store[CU_STORE_NODE], err);
}

static void close_stores(struct service_world *w)
{
    cu_attachments_forget(&w->attachments);
    for (int i = 0; i < CU_STORES; i++) cu_objects_close(w->place.store[i]);
    memset(w->place.store, 0, sizeof w->place.store);
}

static cu_status renew_index(void *world, struct cu_err *err)
{
    struct service_world *w = world;

    close_stores(w);
    drop_index(w);
    TRY(open_index(w, err));
    TRY(open_stores(w, err));
    for (int i = 0; i < CU_STORES; i++) TRY(cu_objects_reindex(w->place.store[i], err));
    return CU_OK;
}

static void configure(struct service_world *w)
{
    cu_attachments_forget(&w->attachments);
    w->attachments = (struct cu_attachment_writer){ .stores = { w->place.store[0], w->place.store[1] }, .n = CU_STORES };
    w->config = (struct cu_embedded_config){
        .fs = &w->place.fs,
        .lock = CU_FILE_LOCK,
        .journal = CU_DIR_JOURNAL,
        .log = { CU_DIR_NODE_LOG, CU_DIR_CLOUD_LOG },
        .journal_bytes = w->small_journal ? CU_JOURNAL_BYTES_MIN : 262144,
        .attachments = cu_objects_attachments(&w->attachments),
        .clock = w->place.clock,
        .origin = cu_buf_span(&w->origin),
        .log_key = &w->place.key[CU_SIGNER_LOG],
    };
    w->place.care = cu_embedded_care(&w->config);
}

static cu_status know_origin(struct service_world *w, struct cu_err *err)
{
    struct cu_span policy = w->place.trust.epoch[w->place.trust.epochs_n - 1].policy_text, line;
    struct cu_vkey vkey;

    CU_ASSERT(cu_span_split(&policy, '\n', &line) && cu_span_starts(line, cu_span_str("log ")));
    TRY(cu_vkey_read(cu_span(line.p + 4, line.n - 4), &vkey, err));
    w->origin = cu_buf_heap(CU_ORIGIN_MAX);
    cu_buf_add(&w->origin, vkey.name);
    return cu_buf_ok(&w->origin, err);
}

static cu_status load_keys(struct service_world *w, struct cu_err *err)
{
    for (enum cu_signer who = 0; who < CU_SIGNER_LOG; who++) TRY(load_key(&w->place, who, err));
    const cu_status read = cu_key_load_named(&w->place, "log", CU_SPAN_EMPTY, &w->place.key[CU_SIGNER_LOG], err);
    if (read != CU_NOT_FOUND) TRY(read); /* between two renames it is not there */
    w->place.has_key[CU_SIGNER_LOG] = read == CU_OK;
    return cu_log_keys_load(&w->place, CU_SPAN_EMPTY, err);
}

static cu_status open_engine(struct service_world *w, bool anew, struct cu_err *err)
{
    TRY(cu_embedded_open(&w->config, &w->engine, err));
    const cu_status opened = w->chain ? sw_chain_open(w->chain, anew, &w->engine, err) : CU_OK;
    if (opened != CU_OK) (void)!w->engine.close(w->engine.self, NULL);
    TRY(opened);
    w->engine_open = true;
    w->place.engine = &w->engine;
    return CU_OK;
}

static cu_status start_engine(struct service_world *w, struct cu_err *err)
{
    TRY(cu_need_key(&w->place, CU_SIGNER_LOG, err));
    TRY(cu_ledger_open(&w->place.fs, CU_DIR_NODE_STATE, &w->place.ledger, err));
    configure(w);
    w->config.machine = cu_ledger_machine(w->place.ledger);
    if (!w->epochs) TRY(cu_epochs_open(&w->place, &w->epochs, err));
    cu_ledger_watch(w->place.ledger, cu_epochs_changed, w->epochs);
    w->config.signer = cu_epochs_signer(w->epochs);
    return open_engine(w, false, err);
}

static cu_status start_engine_anyhow(struct service_world *w, struct cu_err *err)
{
    struct cu_err why = { 0 };
    cu_hash digest;
    cu_status started = start_engine(w, &why);

    if (started != CU_CORRUPT || !cu_ledger_may_rebuild(&w->place.fs, CU_DIR_NODE_STATE))
        return started == CU_OK ? CU_OK : cu_fail(err, started, "%s", why.text);
    cu_ledger_close(w->place.ledger);
    w->place.ledger = NULL;
    TRY(cu_place_refresh(&w->place, err));
    TRY(cu_reindex_state(&w->place, &digest, err));
    return start_engine(w, err);
}

static cu_status finish_repair_first(struct service_world *w, struct cu_err *err)
{
    struct cu_check_request r = { .repair = true, .renew_index = renew_index, .arg = w };
    struct cu_check_result result;
    bool pending, mended;

    TRY(cu_repair_pending(&w->place, &pending, &mended, err));
    return !pending || mended ? CU_OK : cu_check(&w->place, &r, &result, err);
}

static cu_status open_for_writing(struct service_world *w, struct cu_err *err)
{
    struct cu_outcome incident;
    uint64_t n;

    TRY(load_keys(w, err));
    TRY(finish_repair_first(w, err));
    TRY(start_engine_anyhow(w, err));
    TRY(cu_settle(&w->place, err));
    TRY(cu_repair_finish(&w->place, &n, &incident, err));
    TRY(cu_outbox_finish(&w->place, sw_deposited, w, &n, err));
    return cu_access_flush(&w->place, err);
}

static cu_status open_as(struct service_world *w, enum sw_mode mode, struct cu_err *err)
{
    TRY(begin(w, err));
    TRY(cu_place_load_trust(&w->place, err));
    TRY(know_origin(w, err));
    TRY(open_index(w, err));
    TRY(open_stores(w, err));
    configure(w);
    if (mode == SW_WRITE) return open_for_writing(w, err);
    if (mode == SW_CHECK) return CU_OK;
    TRY(cu_place_refresh(&w->place, err));
    return cu_follow(&w->place, err);
}

/* Reading after a crash: a writer comes first. */
static cu_status catch_up(struct service_world *w, struct cu_err *err)
{
    bool dirty = false;
    cu_status status = open_as(w, SW_CHECK, err);

    if (status == CU_OK && w->place.care.dirty(w->place.care.self, &dirty, NULL) != CU_OK) dirty = false;
    TRY(sw_close(w, status == CU_OK ? err : NULL));
    if (status != CU_OK || !dirty) return status;
    TRY(sw_open(w, SW_WRITE, err));
    return sw_close(w, err);
}

cu_status sw_open(struct service_world *w, enum sw_mode mode, struct cu_err *err)
{
    if (mode == SW_READ) TRY(catch_up(w, err));
    cu_status status = open_as(w, mode, err);
    if (status != CU_OK && sw_close(w, NULL) != CU_OK) return status;
    return status;
}

cu_status sw_close(struct service_world *w, struct cu_err *err)
{
    cu_status closed = CU_OK;

    CU_ASSERT(w->open);
    if (w->engine_open) closed = w->engine.close(w->engine.self, err);
    w->engine_open = w->open = false;
    cu_ledger_close(w->place.ledger);
    cu_epochs_close(w->epochs);
    w->epochs = NULL;
    close_stores(w);
    if (!w->own_keys)
        memset(w->place.has_key, 0, CU_SIGNER_LOG * sizeof w->place.has_key[0]); /* the log's key is read anew, and may turn */
    cu_place_free(&w->place);
    cu_buf_free(&w->origin);
    return closed;
}

static cu_status create(struct service_world *w, struct cu_err *err)
{
    const struct cu_found_request r = { .name = cu_span_str("Test ledger"),
                                        .who = cu_span_str("Officer"),
                                        .org = cu_span_str("Police"),
                                        .provider = cu_span_str("Cloud") };
    CU_BUF genesis = cu_buf_heap(CU_RECORD_MAX);

    TRY(begin(w, err));
    w->own_keys = true;
    TRY(cu_found_files(&w->place, &r, &genesis, err));
    drop_index(w); /* an attempt's lies in quarantine/ */
    TRY(know_origin(w, err));
    TRY(open_index(w, err));
    TRY(open_stores(w, err));
    TRY(cu_ledger_open(&w->place.fs, CU_DIR_NODE_STATE, &w->place.ledger, err));
    configure(w);
    w->config.machine = cu_ledger_machine(w->place.ledger);
    TRY(cu_embedded_create(&w->config, err));
    TRY(open_engine(w, true, err));
    return cu_found_records(&w->place, cu_buf_span(&genesis), err);
}

cu_status sw_create(struct service_world *w, struct cu_err *err)
{
    cu_status created = create(w, err);

    if (created == CU_OK) return sw_close(w, err);
    cu_status closed = sw_close(w, NULL);
    (void)closed;
    return created;
}

/* ---- check ---- */

static void note_finding(void *arg, const struct cu_finding *f)
{
    if (arg && !*(char *)arg) snprintf(arg, 600, "%s: %s: %s", f->kind, f->where, f->what);
}

struct checking {
    struct service_world *w;
    char *finding;
};

static void found(void *arg, const struct cu_finding *f) { note_finding(((struct checking *)arg)->finding, f); }
static cu_status renew(void *arg, struct cu_err *err) { return renew_index(((struct checking *)arg)->w, err); }

static cu_status check(struct service_world *w, bool repair, struct cu_check_result *ret, char *ret_finding, struct cu_err *err)
{
    struct checking checking = { w, ret_finding };
    const struct cu_check_request r = { .repair = repair,
                                        .index = true,
                                        .lanes = w->lanes,
                                        .only = w->only,
                                        .renew_index = renew,
                                        .found = found,
                                        .arg = &checking };

    if (repair) TRY(load_keys(w, err));
    return cu_check(&w->place, &r, ret, err);
}

cu_status sw_check(struct service_world *w, bool repair, struct cu_check_result *ret, char ret_finding[600], struct cu_err *err)
{
    if (ret_finding) ret_finding[0] = 0;
    TRY(sw_open(w, SW_CHECK, err));
    cu_status checked = check(w, repair, ret, ret_finding, err), closed = sw_close(w, checked == CU_OK ? err : NULL);
    return checked == CU_OK ? closed : checked;
}

/* As `custody reindex`. */
static cu_status reindex(struct service_world *w, struct cu_err *err)
{
    cu_hash digest;
    void *lock;

    TRY(w->place.fs.ops->lock(w->place.fs.self, CU_FILE_LOCK, 0, &lock, err));
    cu_status done = cu_place_refresh(&w->place, err);
    if (done == CU_OK) done = cu_reindex_state(&w->place, &digest, err);
    if (done == CU_OK) done = renew_index(w, err);
    if (done == CU_OK) done = cu_follow(&w->place, err);
    w->place.fs.ops->unlock(w->place.fs.self, lock);
    return done;
}

cu_status sw_reindex(struct service_world *w, struct cu_err *err)
{
    TRY(sw_open(w, SW_CHECK, err));
    cu_status done = reindex(w, err), closed = sw_close(w, done == CU_OK ? err : NULL);
    return done == CU_OK ? closed : done;
}

/* ---- promises ---- */

static struct sw_promise *promise_at(struct service_world *w, cu_seq seq)
{
    for (size_t i = 0; i < w->promises_n; i++)
        if (w->promise[i].seq.v == seq.v) return &w->promise[i];
    w->promise = more(w->promise, w->promises_n, &w->promises_cap, sizeof *w->promise);
    w->promise[w->promises_n] = (struct sw_promise){ .seq = seq, .receipt = cu_buf_heap(CU_RECEIPT_MAX) };
    return &w->promise[w->promises_n++];
}

/* As told.c: the receipt is durable in its folder before anyone is told. */
cu_status sw_deposited(void *arg, struct cu_deposited *d, struct cu_err *err)
{
    struct service_world *w = arg;
    char name[300], path[400];

    cu_receipt_name(d->exhibit, &d->id, name);
    snprintf(path, sizeof path, CU_DIR_RECEIPTS "/%s", name);
    if (d->receipt.n) TRY(cu_fs_replace(&w->place.fs, path, CU_DIR_RECEIPTS "/.incoming", cu_buf_span(&d->receipt), true, err));
    struct sw_promise *p = promise_at(w, d->seq);
    CU_ASSERT(!p->kind || cu_hash_eq(&p->leaf, &d->leaf));
    p->kind = CU_KIND_DEPOSIT;
    p->leaf = d->leaf;
    if (d->path) p->path = d->path;
    snprintf(p->exhibit, sizeof p->exhibit, "%.63s", d->exhibit);
    if (!d->receipt.n) return CU_OK;
    cu_buf_clear(&p->receipt);
    cu_buf_add(&p->receipt, cu_buf_span(&d->receipt));
    return cu_buf_ok(&p->receipt, err);
}

cu_status sw_deposit(struct service_world *w, const char *const *paths, size_t n, bool no_wait, struct cu_err *err)
{
    const struct cu_deposit_request r = { .no_wait = no_wait, .label = cu_span_str("L"), .receipts = CU_DIR_RECEIPTS };

    return cu_deposit(&w->place, &r, paths, n, sw_deposited, w, err);
}

cu_status sw_claimed(struct service_world *w, const char *path, struct cu_err *err)
{
    const struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS };
    CU_BUF file = cu_buf_heap(CU_RECORD_MAX);

    w->claims_max++;
    TRY(cu_claim_make(&w->place, &r, path, &file, err));
    TRY(cu_deposit_claim(&w->place, &r, cu_buf_span(&file), path, sw_deposited, w, err));
    w->claims_max--;
    return CU_OK;
}

cu_status sw_recorded(struct service_world *w, enum cu_kind kind, const struct cu_outcome *outcome, struct cu_err *err)
{
    struct sw_promise *p = promise_at(w, outcome->seq);

    p->kind = kind;
    p->leaf = outcome->leaf;
    const cu_status made = cu_receipt_of(&w->place, outcome->seq, &p->receipt, err);
    if (made != CU_OK) cu_buf_clear(&p->receipt); /* nobody was handed one */
    return made;
}

/* ---- the end of a process, and of power ---- */

/* Whoever read a log's checkpoint holds the log to it. */
static void keep_point(struct service_world *w, const char *path)
{
    CU_BUF bytes = cu_buf_heap(CU_NOTE_MAX);
    struct cu_note note;
    struct cu_checkpoint checkpoint;

    if (cu_fs_read(&w->memory, path, CU_NOTE_MAX, &bytes, NULL) != CU_OK ||
        cu_note_read(cu_buf_span(&bytes), &note, NULL) != CU_OK)
        return;
    if (cu_checkpoint_read(note.text, &checkpoint, NULL) != CU_OK) return;
    for (size_t i = w->points_n; i > 0 && i + 2 > w->points_n; i--)
        if (w->point[i - 1].size.v == checkpoint.size.v && cu_hash_eq(&w->point[i - 1].root, &checkpoint.root)) return;
    w->point = more(w->point, w->points_n, &w->points_cap, sizeof *w->point);
    w->point[w->points_n++] = (struct sw_point){ checkpoint.size, checkpoint.root };
}

static void keep_points(struct service_world *w)
{
    if (w->damages_n || w->rotten) return; /* nobody believes a damaged one */
    keep_point(w, CU_DIR_NODE_LOG "/checkpoint");
    keep_point(w, CU_DIR_CLOUD_LOG "/checkpoint");
}

void sw_restart(struct service_world *w)
{
    struct cu_err err;

    if (w->open && sw_close(w, &err) == CU_OK) return sw_restart(w);
    keep_points(w);
    w->steps += w->faulty.calls;
    w->faulty = (struct cu_faulty){ .inner = w->memory,
                                    .stop_after = CU_NEVER,
                                    .lost = cu_memory_lose,
                                    .lost_all = cu_memory_lose_all,
                                    .mutex = w->faulty.mutex };
}

void sw_crash(struct service_world *w, uint64_t seed)
{
    w->faulty.stop_after = 0;
    w->faulty.fail_call = 0;
    sw_restart(w);
    cu_memory_crash(&w->memory, seed);
    if (seed % 2 == 0) drop_index(w);
}
