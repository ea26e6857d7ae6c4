/* Doubly signed records a second through the embedded engine: both signatures checked, every rule of the ledger, one durable
 * journal, answers after fdatasync, both copies of the log and of the attachments written. Against what the signatures alone cost.
 *
 *     records LEDGER [N] [auto|off]       a folder that `custody init` made; N deposits (default 40,000); the accelerator
 *
 * The statements are signed beforehand: that is the work of depositor and provider, not of the ledger. Beside the rate stands processor
 * time: seconds of a machine that others use, too, say little, and a share of processor time says what is left for something else
 * than signatures. The limit is measured before and after, in calls of 64 records.
 */
#include "world.h"

enum { CALL = 64, SAMPLE = 10240 };

struct check {
    const struct world *w;
    const struct cu_span *records;
    size_t from, to;
    bool good;
};

static cu_status signatures_of(const struct check *c, size_t i, struct cu_sig_job job[2], struct cu_buf *message,
                               struct cu_err *err)
{
    const struct cu_place *p = &c->w->place;
    const enum cu_signer who[2] = { CU_SIGNER_PROVIDER, CU_SIGNER_DEPOSITOR };
    struct cu_record record;
    struct cu_entry entry;

    TRY(cu_record_read(c->records[i], &record, err));
    TRY(cu_entry_read(record.entry, &entry, err));
    const struct cu_statement *layer[2] = { &entry.outer, &entry.inner };
    for (size_t k = 0; k < 2; k++) {
        const struct cu_private_key *key = &p->key[who[k]];
        size_t from = message->n;
        cu_sig_structure(layer[k]->protected_, layer[k]->payload, message);
        job[k] = (struct cu_sig_job){ .key = &key->pub,
                                      .key_id = &key->id,
                                      .message = cu_span(message->p + from, message->n - from),
                                      .signature = layer[k]->signature.p };
    }
    return cu_buf_ok(message, err);
}

static cu_status check_all(const struct check *c, struct cu_verifier *by, struct cu_err *err)
{
    static _Thread_local uint8_t mem[CALL * 2 * RECORD_MAX];
    struct cu_sig_job job[2 * CALL];

    for (size_t i = c->from; i < c->to;) {
        struct cu_buf message = cu_buf_over(mem, sizeof mem);
        size_t n = 0;
        for (; i < c->to && n < 2 * CALL; i++, n += 2) TRY(signatures_of(c, i, job + n, &message, err));
        by->verify(by->self, job, n);
        for (size_t k = 0; k < n; k++) TRY(job[k].status);
    }
    return CU_OK;
}

static void *check_thread(void *arg)
{
    struct check *c = arg;
    size_t size = cu_verifier_cached_size(KEYS);
    void *memory = malloc(size);
    struct cu_verifier by;

    c->good = cu_verifier_fastest(c->w->place.accelerate, memory, size, &by, NULL) == CU_OK && check_all(c, &by, NULL) == CU_OK;
    by.free(by.self);
    free(memory);
    return NULL;
}

/* Seconds, for so many records on so many cores. */
static double check_signatures(const struct world *w, const struct cu_span *records, size_t n, unsigned threads)
{
    pthread_t thread[64];
    struct check check[64];
    double began = now_s();

    for (size_t i = 0; i < threads; i++) {
        check[i] = (struct check){ w, records, n * i / threads, n * (i + 1) / threads, true };
        pthread_create(&thread[i], NULL, check_thread, &check[i]);
    }
    for (size_t i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    for (size_t i = 0; i < threads; i++)
        if (!check[i].good) fprintf(stderr, "records: a signature does not verify\n"), exit(1);
    return now_s() - began;
}

static cu_status prepare(struct world *w, size_t n, struct cu_buf *memory, struct cu_span **ret, struct cu_err *err)
{
    double began = now_s();

    TRY(world_know(w, err));
    *memory = cu_buf_heap(n * RECORD_MAX);
    *ret = malloc(n * sizeof **ret);
    ENSURE(*ret && cu_buf_grow(memory, n * RECORD_MAX), err, CU_NO_MEMORY, "no memory for %zu records", n);
    memory->n = 0; /* one piece, so that spans into it stay good */
    for (size_t i = 0; i < n; i++) {
        size_t at = memory->n;
        TRY(world_say(w, w->serial++, memory, err));
        TRY(cu_buf_ok(memory, err));
        (*ret)[i] = cu_span(memory->p + at, memory->n - at);
    }
    row("bytes of a record: entry, details, content", (double)memory->n / (double)n, "bytes");
    row("signed beforehand, both signatures, one core", (double)n / (now_s() - began), "records/s");
    return CU_OK;
}

static cu_status measure(struct world *w, const struct cu_span *records, size_t n, unsigned threads, struct cu_err *err)
{
    size_t sample = n < SAMPLE ? n : SAMPLE;
    double cpu = cpu_s(), limit = check_signatures(w, records, sample, threads), cpu_limit = (cpu_s() - cpu) / (double)sample;

    cpu = cpu_s();
    double took = world_load(w, records, n), began = now_s();
    TRY(w->engine.drain(w->engine.self, err));
    double whole = took + now_s() - began, used = (cpu_s() - cpu) / (double)n;
    limit = 2 * (double)sample / (limit + check_signatures(w, records, sample, threads));
    row("limit: both signatures of each checked, all cores", limit, "records/s");
    row("recorded: judged, durable, answered", (double)n / took, "records/s");
    row("    share of the limit", 100 * (double)n / took / limit, "%");
    row("the same, until both copies of all are written, too", (double)n / whole, "records/s");
    row("    share of the limit", 100 * (double)n / whole / limit, "%");
    row("processor time a record, both copies written", used * 1e6, "µs");
    row("    of it for the two signatures", 100 * cpu_limit / used, "%");
    began = now_s();
    TRY(cu_settle(&w->place, err)); /* the search index follows the log */
    row("the search index follows, afterwards", (double)n / (now_s() - began), "records/s");
    return CU_OK;
}

static cu_status run(const char *root, size_t n, bool accelerate, unsigned threads, struct cu_err *err)
{
    static struct world w;
    struct cu_buf memory = { 0 };
    struct cu_span *records = NULL;

    TRY(cu_crypto_init(err));
    TRY(world_parts(&w, root, accelerate, err));
    TRY(world_engine(&w, threads, err));
    printf("\n%zu deposits, ES256 twice, %u worker threads; %s\n", n, threads, cu_verifier_in_use(accelerate));
    TRY(prepare(&w, n, &memory, &records, err));
    TRY(measure(&w, records, n, threads, err));
    TRY(world_close(&w, err));
    cu_buf_free(&memory);
    free(records);
    return CU_OK;
}

int main(int argc, char **argv)
{
    struct cu_err err = { 0 };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 40000;
    bool accelerate = argc < 4 || strcmp(argv[3], "off") != 0;

    if (argc < 2 || n == 0) return fprintf(stderr, "records LEDGER [N] [auto|off]\n"), 1;
    if (run(argv[1], n, accelerate, cores > 64 ? 64 : (unsigned)cores, &err) != CU_OK)
        return fprintf(stderr, "records: %s\n", err.text), 1;
    return 0;
}
