/* Doubly signed records a second through the embedded engine: both signatures checked, every rule of the ledger, one durable
 * journal, answers after fdatasync. Against what the signatures alone would cost.
 *
 *     records LEDGER [N] [THREADS]       a folder that `custody init` made; N deposits (default 40,000) of 200 bytes each are recorded
 *
 * The statements are signed beforehand: that is the work of depositor and provider, not of the ledger. The content travels with its
 * record, so afterwards the ledger is a whole one, and `custody check` can be measured on it.
 */
#include "adapters/posix/posix.h"
#include "adapters/sqlite/sqlite_index.h"
#include "content/objects.h"
#include "engine/embedded/embedded.h"
#include "service/service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 128, SUBMITTERS = 6, CONTENT = 200, KEYS = 16 };

struct world {
    struct cu_place place;
    struct cu_buf origin, memory; /* every record, one behind the other */
    struct cu_attachment_writer attachments;
    struct cu_embedded_config config;
    struct cu_engine engine;
    struct cu_seen seen;
    cu_case_id case_id;
    struct cu_span *records;
    size_t n;
    atomic_size_t next, refused;
};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void row(const char *name, double value, const char *unit)
{
    printf("  %-52s %10.0f  %s\n", name, value, unit);
    fflush(stdout);
}

/* ---- the ledger, as the program opens it ---- */

static cu_status open_parts(struct world *w, const char *root, struct cu_err *err)
{
    struct cu_place *p = &w->place;
    size_t size = cu_verifier_cached_size(KEYS);
    char path[4200];

    TRY(cu_posix_fs(root, &p->fs, err));
    p->clock = cu_posix_clock();
    p->random = cu_posix_random();
    TRY(cu_verifier_cached(malloc(size), size, &p->verifier, err));
    TRY(cu_place_load_trust(p, err));
    snprintf(path, sizeof path, "%s/" CU_FILE_INDEX, root);
    TRY(cu_sqlite_index_open(path, false, &p->index, err));
    TRY(cu_objects_open(&p->fs, CU_DIR_CLOUD_OBJECTS, &p->index, CU_STORE_CLOUD, &p->store[CU_STORE_CLOUD], err));
    TRY(cu_objects_open(&p->fs, CU_DIR_NODE_OBJECTS, &p->index, CU_STORE_NODE, &p->store[CU_STORE_NODE], err));
    for (enum cu_signer who = 0; who < CU_SIGNERS; who++) TRY(cu_key_load(&p->fs, who, CU_SPAN_EMPTY, &p->key[who], err));
    TRY(cu_place_refresh(p, err));
    w->origin = cu_buf_heap(CU_ORIGIN_MAX);
    cu_buf_add(&w->origin, p->log.checkpoint.origin);
    return cu_buf_ok(&w->origin, err);
}

static cu_status start(struct world *w, unsigned workers, struct cu_err *err)
{
    struct cu_place *p = &w->place;

    TRY(cu_ledger_open(&p->fs, CU_DIR_NODE_STATE, &p->ledger, err));
    w->attachments = (struct cu_attachment_writer){ .stores = { p->store[0], p->store[1] }, .n = CU_STORES };
    w->config = (struct cu_embedded_config){
        .fs = &p->fs,
        .lock = CU_FILE_LOCK,
        .journal = CU_DIR_JOURNAL,
        .log = { CU_DIR_NODE_LOG, CU_DIR_CLOUD_LOG },
        .machine = cu_ledger_machine(p->ledger),
        .attachments = cu_objects_attachments(&w->attachments),
        .clock = p->clock,
        .origin = cu_buf_span(&w->origin),
        .log_key = &p->key[CU_SIGNER_LOG],
        .workers = workers,
        .journal_bytes = 256u << 20,
    };
    return cu_embedded_open(&w->config, &w->engine, err);
}

/* ---- what depositor and provider say ---- */

/* The case `unfiled` stands at position 3 of every embedded ledger. */
static cu_status know(struct world *w, struct cu_err *err)
{
    struct cu_entry entry;
    struct cu_span bytes;

    TRY(cu_log_entry(&w->place.log, (cu_seq){ 3 }, &bytes, err));
    TRY(cu_entry_read(bytes, &entry, err));
    w->case_id = entry.outer.body.a_case.case_id;
    return cu_ledger_newest_block(w->place.ledger, &w->seen, err);
}

static cu_status say(struct world *w, uint64_t serial, struct cu_buf *out, struct cu_err *err)
{
    static uint8_t claim_mem[CU_CLAIM_MAX], entry_mem[CU_ENTRY_MAX], details_mem[4096];
    struct cu_buf claim = cu_buf_over(claim_mem, sizeof claim_mem), entry = cu_buf_over(entry_mem, sizeof entry_mem);
    struct cu_buf details = cu_buf_over(details_mem, sizeof details_mem);
    uint8_t content[CONTENT] = { 0 }, salt[CU_SALT_LEN] = { 0 };
    struct cu_details_deposit about = { .profile = cu_span_str("plain"),
                                        .name = cu_span_str("record.bin"),
                                        .tool = cu_span_str("bench") };
    const cu_hash *network = &w->place.trust.network;

    cu_put_be64(content, serial), cu_put_be64(salt, serial);
    TRY(cu_schema_write(cu_profile_schema(CU_PROFILE_PLAIN), &about, &details, err));
    struct cu_claim claimed = {
        .serial = serial,
        .case_id = w->case_id,
        .content = CU_CONTENT_ITEM,
        .size = CONTENT,
        .root = cu_leaf_hash(CU_SPAN_OF(content)),
        .time = cu_place_now(&w->place).v,
        .seen = w->seen,
        .commitment = cu_commitment(CU_SPAN_OF(salt), cu_buf_span(&details)),
    };
    TRY(cu_statement_sign(CU_KIND_CLAIM, &claimed, network, &w->place.key[CU_SIGNER_DEPOSITOR], &claim, err));
    struct cu_deposit accepted = { .claim = cu_buf_span(&claim), .time = claimed.time, .seen = w->seen };
    TRY(cu_statement_sign(CU_KIND_DEPOSIT, &accepted, network, &w->place.key[CU_SIGNER_PROVIDER], &entry, err));
    struct cu_record record = {
        .entry = cu_buf_span(&entry), .salt = CU_SPAN_OF(salt), .details = cu_buf_span(&details), .content = CU_SPAN_OF(content)
    };
    return cu_record_write(&record, out, err);
}

static cu_status prepare(struct world *w, struct cu_err *err)
{
    struct cu_serials serials = { 0 };
    double began = now_s();

    TRY(know(w, err));
    cu_status known = cu_ledger_serials(w->place.ledger, &w->place.key[CU_SIGNER_DEPOSITOR].id, &serials, err);
    if (known != CU_OK && known != CU_NOT_FOUND) return known;
    w->memory = cu_buf_heap(w->n * 2048);
    w->records = malloc(w->n * sizeof *w->records);
    ENSURE(w->records && cu_buf_grow(&w->memory, w->n * 2048), err, CU_NO_MEMORY, "no memory for %zu records", w->n);
    w->memory.n = 0; /* one piece, so that spans into it stay good */
    for (size_t i = 0; i < w->n; i++) {
        size_t at = w->memory.n;
        TRY(say(w, serials.highest + 1 + i, &w->memory, err));
        TRY(cu_buf_ok(&w->memory, err));
        w->records[i] = cu_span(w->memory.p + at, w->memory.n - at);
    }
    row("signed beforehand, both signatures, one core", (double)w->n / (now_s() - began), "records/s");
    return CU_OK;
}

/* ---- submitting ---- */

static void *submit(void *arg)
{
    struct world *w = arg;
    struct cu_outcome outcome[CHUNK];
    struct cu_err err = { 0 };

    for (size_t at; (at = atomic_fetch_add(&w->next, CHUNK)) < w->n;) {
        size_t n = w->n - at < CHUNK ? w->n - at : CHUNK;
        if (w->engine.submit(w->engine.self, w->records + at, n, outcome, &err) != CU_OK)
            fprintf(stderr, "records: %s\n", err.text), exit(1);
        for (size_t i = 0; i < n; i++)
            if (outcome[i].status != CU_OK && atomic_fetch_add(&w->refused, 1) == 0)
                fprintf(stderr, "records: refused: %s\n", outcome[i].text);
    }
    return NULL;
}

static double submit_all(struct world *w)
{
    pthread_t thread[SUBMITTERS];
    double began = now_s();

    for (size_t i = 0; i < SUBMITTERS; i++) pthread_create(&thread[i], NULL, submit, w);
    for (size_t i = 0; i < SUBMITTERS; i++) pthread_join(thread[i], NULL);
    return (double)w->n / (now_s() - began);
}

/* ---- the limit: the same signatures, nothing else ---- */

struct check {
    const struct world *w;
    size_t from, to;
    bool good;
};

static void *check_signatures(void *arg)
{
    struct check *c = arg;
    size_t size = cu_verifier_cached_size(KEYS);
    void *memory = malloc(size);
    struct cu_verifier by;
    static _Thread_local uint8_t message[CU_ENTRY_MAX + 64];

    c->good = cu_verifier_cached(memory, size, &by, NULL) == CU_OK;
    for (size_t i = c->from; i < c->to && c->good; i++) {
        struct cu_record record;
        struct cu_entry entry;
        if (cu_record_read(c->w->records[i], &record, NULL) != CU_OK || cu_entry_read(record.entry, &entry, NULL) != CU_OK) {
            c->good = false;
            break;
        }
        const struct cu_statement *layer[2] = { &entry.outer, &entry.inner };
        const enum cu_signer who[2] = { CU_SIGNER_PROVIDER, CU_SIGNER_DEPOSITOR };
        for (size_t k = 0; k < 2; k++) {
            struct cu_buf signed_bytes = cu_buf_over(message, sizeof message);
            cu_sig_structure(layer[k]->protected_, layer[k]->payload, &signed_bytes);
            const struct cu_private_key *key = &c->w->place.key[who[k]];
            struct cu_sig_job job = {
                .key = &key->pub, .key_id = &key->id, .message = cu_buf_span(&signed_bytes), .signature = layer[k]->signature.p
            };
            by.verify(by.self, &job, 1);
            c->good = c->good && job.status == CU_OK;
        }
    }
    by.free(by.self);
    free(memory);
    return NULL;
}

static double signature_limit(const struct world *w, size_t threads, size_t n)
{
    pthread_t thread[64];
    struct check check[64];
    double began = now_s();

    for (size_t i = 0; i < threads; i++) {
        check[i] = (struct check){ w, n * i / threads, n * (i + 1) / threads, true };
        pthread_create(&thread[i], NULL, check_signatures, &check[i]);
    }
    for (size_t i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    for (size_t i = 0; i < threads; i++)
        if (!check[i].good) fprintf(stderr, "records: a signature does not verify\n"), exit(1);
    return (double)n / (now_s() - began);
}

static cu_status run(struct world *w, const char *root, unsigned threads, struct cu_err *err)
{
    TRY(cu_crypto_init(err));
    TRY(open_parts(w, root, err));
    TRY(start(w, threads, err));
    TRY(prepare(w, err));
    double limit = signature_limit(w, threads, w->n < 20000 ? w->n : 20000);
    double rate = submit_all(w), drained = now_s();
    TRY(w->engine.drain(w->engine.self, err));
    drained = now_s() - drained;
    row("limit: both signatures of each checked, all cores", limit, "records/s");
    row("recorded: judged, durable, answered", rate, "records/s");
    row("share of the limit", 100 * rate / limit, "%");
    row("drained into both logs and both stores afterwards", drained * 1000, "ms");
    double followed = now_s();
    w->place.engine = &w->engine;
    TRY(cu_settle(&w->place, err)); /* the search index follows the log */
    row("the search index follows, afterwards", (double)w->n / (now_s() - followed), "records/s");
    ENSURE(atomic_load(&w->refused) == 0, err, CU_UNTRUE, "%zu records were refused", atomic_load(&w->refused));
    TRY(w->engine.close(w->engine.self, err));
    cu_ledger_close(w->place.ledger);
    for (int i = 0; i < CU_STORES; i++) cu_objects_close(w->place.store[i]);
    w->place.index.close(w->place.index.self);
    return CU_OK;
}

int main(int argc, char **argv)
{
    static struct world w;
    struct cu_err err = { 0 };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = argc > 3 ? (unsigned)atoi(argv[3]) : (unsigned)cores;

    if (argc < 2 || threads < 1 || threads > 64) return fprintf(stderr, "records LEDGER [N] [THREADS]\n"), 1;
    w.n = argc > 2 ? strtoul(argv[2], NULL, 10) : 40000;
    printf("\n%zu deposits of %d bytes, ES256 twice, %u worker threads\n", w.n, CONTENT, threads);
    if (run(&w, argv[1], threads, &err) != CU_OK) return fprintf(stderr, "records: %s\n", err.text), 1;
    return 0;
}
