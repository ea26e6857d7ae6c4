/* Signatures a second, and how long a receipt takes, by each verifier that this build and processor have.
 *
 *     verify                     the rates of ES256 alone, all cores
 *     verify TRUST RECEIPT       and a receipt with one log signature, with the trust file that it is judged against
 *
 * The limit of OpenSSL is its verifier called for one key that is loaded; the limit of lanes is the lanes alone: digests ready, lanes
 * full, nothing looked up. Seconds are of processor time, a thread's own: what a neighbour takes is not counted. A receipt with three cosignatures is the one that was given, cosigned here by three witnesses of a quorum of
 * three.
 */
#include "crypto/lanes.h"
#include "custody/receipt.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 16, JOBS = 512, MESSAGE = 500, TURNS = 5, CACHED = 64, WITNESSES = 3 };

static struct cu_private_key keys[KEYS];
static uint8_t messages[JOBS][MESSAGE], signatures[JOBS][CU_SIGNATURE_LEN];
static double turn_s = 0.3;

/* Of this thread's own processor time, so that neighbours do not count. */
static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(cu_status status, const struct cu_err *err)
{
    if (status != CU_OK) fprintf(stderr, "verify: %s\n", err->text), exit(1);
}

static void make_signatures(enum cu_alg alg)
{
    struct cu_err err = { 0 };

    for (size_t i = 0; i < KEYS; i++) must(cu_private_generate(alg, &keys[i], &err), &err);
    for (size_t i = 0; i < JOBS; i++) {
        cu_put_be64(messages[i], i);
        must(cu_sign(&keys[i % KEYS], CU_SPAN_OF(messages[i]), signatures[i], &err), &err);
    }
}

static void free_keys(void)
{
    for (size_t i = 0; i < KEYS; i++) cu_private_free(&keys[i]);
}

/* ---- signatures a second ---- */

enum how { CACHED_OPENSSL, ONE_KEY, WITH_LANES, LANES_ALONE };
struct worker {
    enum how how;
    pthread_t thread;
    size_t done;
    double took;
};

static void queue(struct cu_sig_job jobs[JOBS], enum how how)
{
    for (size_t i = 0; i < JOBS; i++) {
        const size_t k = how == ONE_KEY ? 0 : i;
        jobs[i] = (struct cu_sig_job){ .key = &keys[k % KEYS].pub,
                                       .message = CU_SPAN_OF(messages[k]),
                                       .signature = signatures[k] };
    }
}

static void *work(void *arg)
{
    static _Thread_local struct cu_sig_job jobs[JOBS];
    static _Thread_local struct es256_lane lane[JOBS];
    struct worker *w = arg;
    const size_t size = cu_verifier_cached_size(CACHED);
    void *memory = malloc(size);
    struct cu_verifier by;
    es256_lanes *lanes = lanes_here();
    struct cu_err err = { 0 };

    must(cu_verifier_fastest(w->how == WITH_LANES, memory, size, &by, &err), &err);
    queue(jobs, w->how);
    for (size_t i = 0; i < JOBS; i++) lane[i] = (struct es256_lane){ &jobs[i], cu_sha256(jobs[i].message) };
    by.verify(by.self, jobs, JOBS); /* keys loaded */
    const double began = now_s();
    for (w->done = 0; now_s() - began < turn_s; w->done += JOBS) {
        bool good = true;
        if (w->how != LANES_ALONE) by.verify(by.self, jobs, JOBS);
        for (size_t i = 0; w->how == LANES_ALONE && i < JOBS; i += LANES) good = good && lanes(lane + i, LANES) == 0xff;
        for (size_t i = 0; i < JOBS; i++) good = good && jobs[i].status == CU_OK;
        if (!good) fprintf(stderr, "verify: a good signature was refused\n"), exit(1);
    }
    w->took = now_s() - began;
    by.free(by.self);
    free(memory);
    return NULL;
}

static double a_second(enum how how, size_t threads)
{
    struct worker worker[64];
    double sum = 0;

    for (size_t i = 0; i < threads; i++) {
        worker[i] = (struct worker){ .how = how };
        pthread_create(&worker[i].thread, NULL, work, &worker[i]);
    }
    for (size_t i = 0; i < threads; i++) pthread_join(worker[i].thread, NULL), sum += (double)worker[i].done / worker[i].took;
    return sum;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double v[TURNS])
{
    qsort(v, TURNS, sizeof *v, by_value);
    return v[TURNS / 2];
}

/* Taken in turns, so that a neighbour's load falls on all alike. */
static void rates(const char *name, const enum how *hows, const char *const *names, size_t n, size_t threads)
{
    static double v[4][TURNS];
    double base = 0;

    for (size_t turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < n; i++) v[i][turn] = a_second(hows[i], threads);
    for (size_t i = 0; i < n; i++) {
        const double rate = median(v[i]);
        if (i == 0) base = rate;
        printf("  %-8s %-9s %-42s %9.0f /s  %5.2f ×\n", name, threads == 1 ? "one core" : "all cores", names[i], rate,
               rate / base);
    }
}

/* ---- receipts ---- */

static struct cu_span read_file(const char *path, uint8_t *into, size_t max)
{
    FILE *in = fopen(path, "rb");

    if (!in) perror(path), exit(1);
    const size_t n = fread(into, 1, max, in);
    fclose(in);
    return cu_span(into, n);
}

/* The checkpoint's text: between the blank line after the path and the one before the signatures. */
static struct cu_span checkpoint_of(struct cu_span receipt)
{
    const uint8_t *from = (const uint8_t *)memmem(receipt.p, receipt.n, "\n\n", 2) + 2;
    const uint8_t *to = memmem(from, receipt.n - (size_t)(from - receipt.p), "\n\n", 2);

    return cu_span(from, (size_t)(to + 1 - from));
}

static void cosign(struct cu_span receipt, struct cu_span trust, struct cu_buf *ret_receipt, struct cu_buf *ret_trust)
{
    static const char none[] = "quorum none\n";
    struct cu_err err = { 0 };

    cu_buf_add(ret_receipt, receipt);
    cu_buf_add(ret_trust, cu_span(trust.p, trust.n - strlen(none)));
    for (size_t i = 0; i < WITNESSES; i++) {
        struct cu_vkey vkey;
        char name[] = "witness.example/w0";
        name[strlen(name) - 1] = (char)('1' + i);
        must(cu_vkey_make(cu_span_str(name), CU_NOTE_COSIGNATURE, &keys[i].pub, &vkey, &err), &err);
        cu_buf_addf(ret_trust, "witness w%zu ", i + 1);
        must(cu_vkey_write(&vkey, ret_trust, &err), &err);
        cu_buf_add_str(ret_trust, "\n");
        must(cu_note_cosign(ret_receipt, checkpoint_of(receipt), cu_span_str(name), &keys[i], 1800000000, &err), &err);
    }
    cu_buf_add_str(ret_trust, "group all all w1 w2 w3\nquorum all\n");
    must(cu_buf_ok(ret_trust, &err), &err);
}

static double judged_ms(struct cu_span receipt, const struct cu_trust *trust, struct cu_verifier *by)
{
    static uint8_t scratch[CU_VERIFY_SCRATCH];
    static struct cu_report report;
    struct cu_err err = { 0 };
    size_t n = 0;
    const double began = now_s();

    for (; now_s() - began < turn_s; n++)
        if (cu_receipt_verify(receipt, trust, NULL, by, scratch, &report, &err) != CU_OK || report.exit_code != 0)
            fprintf(stderr, "verify: the receipt is not accepted: %s\n", err.text), exit(1);
    return (now_s() - began) * 1e3 / (double)n;
}

static void receipts(const char *name, struct cu_span receipt, struct cu_span trust_text, double goal_ms)
{
    static struct cu_trust trust;
    static double v[2][TURNS];
    const size_t size = cu_verifier_cached_size(CACHED);
    const bool lanes = lanes_here() != NULL;
    struct cu_verifier by[2];
    void *memory[2] = { malloc(size), malloc(size) };
    struct cu_err err = { 0 };

    must(cu_trust_read(trust_text, &trust, &err), &err);
    for (int i = 0; i < 2; i++) must(cu_verifier_fastest(i, memory[i], size, &by[i], &err), &err);
    for (size_t turn = 0; turn < TURNS; turn++)
        for (int i = 0; i <= lanes; i++) v[i][turn] = judged_ms(receipt, &trust, &by[i]);
    for (int i = 0; i <= lanes; i++)
        printf("  %-36s %-24s %9.3f ms  goal %.1f ms, %zu bytes\n", name, i ? "lanes" : "OpenSSL", median(v[i]), goal_ms,
               receipt.n);
    for (int i = 0; i < 2; i++) by[i].free(by[i].self), free(memory[i]);
}

static void all_rates(size_t threads)
{
    static const enum how hows[] = { CACHED_OPENSSL, ONE_KEY, WITH_LANES, LANES_ALONE };
    static const char *const names[] = { "OpenSSL, 16 keys loaded", "limit: OpenSSL, one key, one message",
                                         "eight lanes, 16 keys loaded", "limit: lanes alone, digests ready" };

    rates("ES256", hows, names, lanes_here() != NULL ? 4 : 2, threads);
}

int main(int argc, char **argv)
{
    static uint8_t receipt_bytes[CU_RECEIPT_MAX], trust_bytes[CU_TRUST_MAX];
    const size_t cores = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    struct cu_err err = { 0 };

    if (argc != 1 && argc != 3) return fprintf(stderr, "verify [TRUST RECEIPT]\n"), 1;
    must(cu_crypto_init(&err), &err);
    printf("\nsignatures verified, %d-byte messages, batches of %d; checked by %s\n", MESSAGE, JOBS, cu_verifier_in_use(true));
    make_signatures(CU_ALG_ES256);
    if (argc > 1) all_rates(1);
    if (cores > 1 || argc == 1) all_rates(cores < 64 ? cores : 64);
    free_keys();
    if (argc == 1) return 0;
    make_signatures(CU_ALG_EDDSA);
    rates("Ed25519", (enum how[]){ CACHED_OPENSSL }, (const char *const[]){ "OpenSSL, 16 keys loaded" }, 1, 1);

    struct cu_span trust = read_file(argv[1], trust_bytes, sizeof trust_bytes);
    struct cu_span receipt = read_file(argv[2], receipt_bytes, sizeof receipt_bytes);
    CU_BUF cosigned = cu_buf_heap(CU_RECEIPT_MAX), quorum = cu_buf_heap(CU_TRUST_MAX);
    printf("\na receipt judged, warm: record, blocks, case, copy and enrolment of its signers\n");
    receipts("one log signature", receipt, trust, 0.5);
    cosign(receipt, trust, &cosigned, &quorum);
    receipts("one log signature, three cosignatures", cu_buf_span(&cosigned), cu_buf_span(&quorum), 1.0);
    free_keys();
    return 0;
}
