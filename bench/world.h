/* What the rows share that measure a whole ledger: a folder that `custody init` made, opened as the program opens it, and deposits
 * signed for it beforehand. A deposit carries its content (100 bytes) and details with label and digest, so that afterwards the ledger is a
 * complete one. */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include "adapters/posix/posix.h"
#include "adapters/sqlite/sqlite_index.h"
#include "content/objects.h"
#include "engine/embedded/embedded.h"
#include "service/service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 128, SUBMITTERS = 6, CONTENT = 100, KEYS = 16, RECORD_MAX = 2048 };

struct world {
    struct cu_place place;
    struct cu_buf origin;
    struct cu_attachment_writer attachments;
    struct cu_embedded_config config;
    struct cu_engine engine;
    struct cu_seen seen;
    cu_case_id case_id;
    void *verifier_mem;
    uint64_t serial; /* the next */
};

static inline double clock_s(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static inline double now_s(void) { return clock_s(CLOCK_MONOTONIC); }
static inline double cpu_s(void) { return clock_s(CLOCK_PROCESS_CPUTIME_ID); }

static inline void row(const char *name, double value, const char *unit)
{
    printf("  %-56s %12.*f  %s\n", name, value < 100 ? 2 : 0, value, unit);
    fflush(stdout);
}

static inline double rss_mib(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_maxrss / 1024;
}

/* ---- the ledger, as the program opens it ---- */

static inline cu_status world_parts(struct world *w, const char *root, bool accelerate, struct cu_err *err)
{
    struct cu_place *p = &w->place;
    size_t size = cu_verifier_cached_size(KEYS);
    char path[4200];

    *w = (struct world){ .verifier_mem = malloc(size) };
    TRY(cu_posix_fs(root, &p->fs, err));
    p->clock = cu_posix_clock();
    p->random = cu_posix_random();
    p->accelerate = accelerate;
    TRY(cu_verifier_fastest(accelerate, w->verifier_mem, size, &p->verifier, err));
    snprintf(path, sizeof path, "%s/" CU_FILE_INDEX, root);
    TRY(cu_sqlite_index_open(path, false, &p->index, err));
    TRY(cu_objects_open(&p->fs, CU_DIR_CLOUD_OBJECTS, &p->index, CU_STORE_CLOUD, &p->store[CU_STORE_CLOUD], err));
    TRY(cu_objects_open(&p->fs, CU_DIR_NODE_OBJECTS, &p->index, CU_STORE_NODE, &p->store[CU_STORE_NODE], err));
    for (enum cu_signer who = 0; who < CU_SIGNERS; who++, p->has_key[who - 1] = true)
        TRY(cu_key_load(p, who, CU_SPAN_EMPTY, &p->key[who], err));
    TRY(cu_place_load(p, err));
    w->origin = cu_buf_heap(CU_ORIGIN_MAX);
    cu_buf_add(&w->origin, p->log.checkpoint.origin);
    return cu_buf_ok(&w->origin, err);
}

static inline cu_status world_engine(struct world *w, unsigned workers, struct cu_err *err)
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
        .accelerate = p->accelerate,
        .workers = workers,
    };
    TRY(cu_embedded_open(&w->config, &w->engine, err));
    p->engine = &w->engine;
    return CU_OK;
}

static inline cu_status world_close(struct world *w, struct cu_err *err)
{
    struct cu_place *p = &w->place;

    if (p->engine) TRY(w->engine.close(w->engine.self, err));
    cu_ledger_close(p->ledger);
    for (int i = 0; i < CU_STORES; i++) cu_objects_close(p->store[i]);
    p->index.close(p->index.self);
    for (int i = 0; i < CU_SIGNERS; i++) cu_private_free(&p->key[i]);
    p->verifier.free(p->verifier.self);
    free(w->verifier_mem);
    cu_buf_free(&w->origin);
    cu_place_free(p);
    p->fs.ops->close(p->fs.self);
    return CU_OK;
}

/* ---- what depositor and provider say ---- */

/* The case `unfiled` stands at position 3 of every embedded ledger. */
static inline cu_status world_know(struct world *w, struct cu_err *err)
{
    struct cu_serials serials = { 0 };
    struct cu_entry entry;
    struct cu_span bytes;

    TRY(cu_log_entry(&w->place.log, (cu_seq){ 3 }, &bytes, err));
    TRY(cu_entry_read(bytes, &entry, err));
    w->case_id = entry.outer.body.a_case.case_id;
    TRY(cu_ledger_serials(w->place.ledger, &w->place.key[CU_SIGNER_DEPOSITOR].id, &serials, err));
    w->serial = serials.highest + 1;
    return cu_ledger_newest_block(w->place.ledger, &w->seen, err);
}

static inline void world_content(uint64_t serial, uint8_t ret[CONTENT])
{
    memset(ret, 0, CONTENT);
    cu_put_be64(ret, serial);
}

static inline cu_status world_details(uint64_t serial, const uint8_t content[CONTENT], struct cu_buf *ret, struct cu_err *err)
{
    char name[40], label[40];
    uint8_t list[80];
    struct cu_buf digests = cu_buf_over(list, sizeof list);
    cu_hash digest = cu_sha256(cu_span(content, CONTENT));
    struct cu_detail_digest one = { .alg = CU_DIGEST_SHA256, .value = cu_span_hash(&digest) };
    struct cu_details_deposit about = { .profile = cu_span_str("plain"), .tool = cu_span_str("bench"), .has_label = true,
                                        .has_digests = true };

    snprintf(name, sizeof name, "record-%llu.bin", (unsigned long long)serial);
    snprintf(label, sizeof label, "L-%llu", (unsigned long long)serial);
    TRY(cu_schema_write(&cu_detail_digest_schema, &one, &digests, err));
    about.name = cu_span_str(name);
    about.label = cu_span_str(label);
    about.digests = (struct cu_list){ 1, cu_buf_span(&digests) };
    return cu_schema_write(cu_profile_schema(CU_PROFILE_PLAIN), &about, ret, err);
}

/* One doubly signed record, appended to `out`. Any thread. */
static inline cu_status world_say(const struct world *w, uint64_t serial, struct cu_buf *out, struct cu_err *err)
{
    uint8_t claim_mem[CU_CLAIM_MAX], entry_mem[CU_ENTRY_MAX], details_mem[4096], content[CONTENT], salt[CU_SALT_LEN] = { 0 };
    struct cu_buf claim = cu_buf_over(claim_mem, sizeof claim_mem), entry = cu_buf_over(entry_mem, sizeof entry_mem);
    struct cu_buf details = cu_buf_over(details_mem, sizeof details_mem);
    const cu_hash *network = &w->place.trust.network;

    world_content(serial, content);
    cu_put_be64(salt, serial);
    TRY(world_details(serial, content, &details, err));
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

/* What the node says: "I hold these". Positions of the log, from and to. */
static inline cu_status world_attest(struct world *w, uint64_t first, uint64_t last, struct cu_err *err)
{
    CU_BUF list = cu_buf_heap(64);
    struct cu_range range = { first, last };
    struct cu_outcome outcome;

    TRY(cu_schema_write(&cu_range_schema, &range, &list, err));
    struct cu_stored stored = { .ranges = { 1, cu_buf_span(&list) } };
    const struct cu_saying say = { CU_KIND_STORED, &stored, CU_SIGNER_ORGANISATION, CU_PROFILE_NONE, NULL };
    TRY(cu_say_and_record(&w->place, &say, &outcome, err));
    ENSURE(outcome.status == CU_OK, err, outcome.status, "refused: %s", outcome.text);
    return CU_OK;
}

/* ---- many at once ---- */

struct load {
    struct world *w;
    const struct cu_span *records;
    size_t n;
    atomic_size_t next, refused;
};

static inline void *load_thread(void *arg)
{
    struct load *l = arg;
    struct cu_outcome outcome[CHUNK];
    struct cu_err err = { 0 };

    for (size_t at; (at = atomic_fetch_add(&l->next, CHUNK)) < l->n;) {
        size_t n = l->n - at < CHUNK ? l->n - at : CHUNK;
        if (l->w->engine.submit(l->w->engine.self, l->records + at, n, outcome, &err) != CU_OK)
            fprintf(stderr, "submit: %s\n", err.text), exit(1);
        for (size_t i = 0; i < n; i++)
            if (outcome[i].status != CU_OK && outcome[i].status != CU_DUPLICATE && atomic_fetch_add(&l->refused, 1) == 0)
                fprintf(stderr, "refused: %s\n", outcome[i].text);
    }
    return NULL;
}

/* Seconds until all n are answered. */
static inline double world_load(struct world *w, const struct cu_span *records, size_t n)
{
    struct load l = { .w = w, .records = records, .n = n };
    pthread_t thread[SUBMITTERS];
    double began = now_s();

    for (size_t i = 0; i < SUBMITTERS; i++) pthread_create(&thread[i], NULL, load_thread, &l);
    for (size_t i = 0; i < SUBMITTERS; i++) pthread_join(thread[i], NULL);
    if (atomic_load(&l.refused) > 0) fprintf(stderr, "%zu records were refused\n", atomic_load(&l.refused)), exit(1);
    return now_s() - began;
}

#endif
