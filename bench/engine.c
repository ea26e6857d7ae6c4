/* The embedded engine alone: a machine that admits everything, so that what is measured is queue, journal, two syncs a batch, tiles.
 *
 *     engine DIR [RECORDS]     makes a scratch ledger in DIR; prints name, value, unit
 */
#include "../tests/toy_machine.h"

#include "adapters/posix/posix.h"
#include "engine/embedded/embedded.h"

#include <pthread.h>
#include <time.h>

enum { DETAILS = 80, EACH = 128, THREADS = 8, IDLE = 300 };

static struct cu_err error;
#define OK(call)                                                                      \
    do {                                                                              \
        if ((call) != CU_OK) fprintf(stderr, "%s: %s\n", #call, error.text), exit(1); \
    } while (0)

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void row(const char *name, double value, const char *unit)
{
    printf("%-44s %12.2f  %s\n", name, value, unit);
    fflush(stdout);
}

struct bench {
    struct cu_fs fs;
    struct toy *toy;
    struct cu_embedded_config config;
    struct cu_engine engine;
    struct cu_private_key key;
};
struct submitter {
    struct bench *b;
    const struct toy_records *r;
    size_t from, n, each;
};

static void *submit_all(void *arg)
{
    struct submitter *s = arg;
    static _Thread_local struct cu_outcome out[EACH];
    struct cu_span spans[EACH];
    struct cu_err err;

    for (size_t i = 0; i < s->n; i += s->each) {
        for (size_t k = 0; k < s->each; k++) spans[k] = cu_buf_span(&s->r->bytes[s->from + i + k]);
        if (s->b->engine.submit(s->b->engine.self, spans, s->each, out, &err) != CU_OK)
            fprintf(stderr, "submit: %s\n", err.text), exit(1);
    }
    return NULL;
}

static void open_bench(struct bench *b, const char *root, unsigned workers)
{
    static unsigned made;
    char path[1024];

    snprintf(path, sizeof path, "%s/engine-%ld-%u", root, (long)time(NULL), made++);
    OK(cu_posix_make_root(path, &error));
    OK(cu_posix_fs(path, &b->fs, &error));
    OK(cu_private_generate(CU_ALG_EDDSA, &b->key, &error));
    b->toy = toy_open(&b->fs);
    b->toy->idle = true;
    b->config = (struct cu_embedded_config){
        .fs = &b->fs,
        .lock = "node/lock",
        .journal = "node/journal",
        .log = { "node/log", "cloud/log" },
        .machine = toy_machine(b->toy),
        .clock = cu_posix_clock(),
        .origin = cu_span_str("toy"),
        .log_key = &b->key,
        .workers = workers,
    };
    OK(cu_embedded_create(&b->config, &error));
    OK(cu_embedded_open(&b->config, &b->engine, &error));
}

static double close_bench(struct bench *b)
{
    double began = now_s();

    OK(b->engine.close(b->engine.self, &error));
    toy_close(b->toy);
    b->fs.ops->close(b->fs.self);
    cu_private_free(&b->key);
    return now_s() - began;
}

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void latency(const char *root, const struct toy_records *r, unsigned workers)
{
    struct bench b;
    double took[IDLE], drains[20];
    struct cu_outcome out;
    char name[64];

    open_bench(&b, root, workers);
    for (size_t i = 0; i < IDLE; i++) {
        struct cu_span span = cu_buf_span(&r->bytes[i]);
        double began = now_s();
        OK(b.engine.submit(b.engine.self, &span, 1, &out, &error));
        took[i] = now_s() - began;
    }
    for (size_t i = 0; i < 20; i++) {
        struct cu_span span = cu_buf_span(&r->bytes[IDLE + i]);
        OK(b.engine.submit(b.engine.self, &span, 1, &out, &error));
        double began = now_s();
        OK(b.engine.drain(b.engine.self, &error));
        drains[i] = now_s() - began;
    }
    qsort(took, IDLE, sizeof *took, ascending);
    qsort(drains, 20, sizeof *drains, ascending);
    close_bench(&b);
    snprintf(name, sizeof name, "one record, idle, %u workers, median", workers);
    row(name, took[IDLE / 2] * 1e3, "ms");
    row("    99th percentile", took[IDLE * 99 / 100] * 1e3, "ms");
    row("    drain of one record, median", drains[10] * 1e3, "ms");
}

static void throughput(const char *root, const struct toy_records *r, unsigned workers, unsigned threads, size_t each)
{
    struct bench b;
    struct submitter s[THREADS];
    pthread_t t[THREADS];
    size_t n = r->n / threads / each * each;
    char name[64];

    open_bench(&b, root, workers);
    double began = now_s();
    for (unsigned i = 0; i < threads; i++) {
        s[i] = (struct submitter){ &b, r, i * n, n, each };
        if (pthread_create(&t[i], NULL, submit_all, &s[i]) != 0) exit(1);
    }
    for (unsigned i = 0; i < threads; i++) pthread_join(t[i], NULL);
    double acknowledged = now_s() - began, drained = close_bench(&b);
    snprintf(name, sizeof name, "%u workers, %u threads of %zu a call", workers, threads, each);
    row(name, (double)(n * threads) / acknowledged / 1e3, "thousand records/s");
    row("    the last drain and the close", drained * 1e3, "ms");
}

int main(int argc, char **argv)
{
    size_t n = argc > 2 ? (size_t)atol(argv[2]) : 50000;

    if (argc < 2 || n < 2 * IDLE) return fprintf(stderr, "usage: engine DIR [RECORDS]\n"), 1;
    struct toy_records r = toy_records(n, DETAILS, 0);
    row("bytes of a record", (double)r.bytes[0].n, "bytes");
    latency(argv[1], &r, 0);
    latency(argv[1], &r, 2);
    throughput(argv[1], &r, 0, 1, EACH);
    throughput(argv[1], &r, 2, 1, EACH);
    throughput(argv[1], &r, 2, THREADS, EACH);
    throughput(argv[1], &r, 2, THREADS, 1);
    toy_records_free(&r);
    return 0;
}
