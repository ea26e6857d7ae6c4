/* The embedded engine alone: a machine that admits everything, so that what is measured is queue, journal, two syncs a batch, tiles.
 *
 *     engine DIR [RECORDS]     makes a scratch ledger in DIR; prints name, value, unit
 *
 * What a record costs at least is measured beside it: the bytes that were written for it (journal, both copies of the log) at the rate
 * at which this disk takes bytes that are synced; and the processor time, of which there is so much a core.
 */
#include "../tests/toy_machine.h"

#include "adapters/posix/posix.h"
#include "engine/embedded/embedded.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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

/* ---- what it costs ---- */

struct cost {
    double processor_s;
    unsigned long long bytes; /* given to the kernel to be written */
};

static struct cost cost_now(void)
{
    struct rusage used;
    struct cost c = { 0 };
    char line[100];
    FILE *io = fopen("/proc/self/io", "r");

    getrusage(RUSAGE_SELF, &used);
    c.processor_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    while (io && fgets(line, sizeof line, io)) (void)sscanf(line, "wchar: %llu", &c.bytes);
    if (io) (void)fclose(io);
    return c;
}

/* Bytes a second of a file that was written before, overwritten and synced: what the journal and the log could be written at. */
static double disk(const char *root)
{
    enum { PIECE = 4 << 20, PIECES = 64 };
    static uint8_t piece[PIECE];
    char path[1024];
    double took = 0;

    snprintf(path, sizeof path, "%s/engine-limit", root);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) perror(path), exit(1);
    for (int round = 0; round < 2; round++) {
        double began = now_s();
        memset(piece, round + 1, sizeof piece);
        for (int i = 0; i < PIECES; i++)
            if (pwrite(fd, piece, PIECE, (off_t)i * PIECE) != PIECE) perror(path), exit(1);
        if (fdatasync(fd) != 0) perror(path), exit(1);
        took = now_s() - began;
    }
    close(fd);
    unlink(path);
    return (double)PIECE * PIECES / took;
}

static void limits(const char *root, struct cost from, size_t n, double rate)
{
    const struct cost to = cost_now();
    const double bytes = (double)(to.bytes - from.bytes) / (double)n, processor = (to.processor_s - from.processor_s) / (double)n;
    const double by_disk = disk(root) / bytes, by_processor = (double)sysconf(_SC_NPROCESSORS_ONLN) / processor;
    const double limit = by_disk < by_processor ? by_disk : by_processor;

    row("    written a record", bytes, "bytes");
    row("    limit by the disk, for these bytes", by_disk / 1e3, "thousand records/s");
    row("    limit by the processor, for this work", by_processor / 1e3, "thousand records/s");
    row("    reached of the lower limit", rate / limit * 100, "%");
}

static void throughput(const char *root, const struct toy_records *r, unsigned workers, unsigned threads, size_t each)
{
    struct bench b;
    struct submitter s[THREADS];
    pthread_t t[THREADS];
    size_t n = r->n / threads / each * each;
    char name[64];

    open_bench(&b, root, workers);
    const struct cost from = cost_now();
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
    if (each > 1) limits(root, from, n * threads, (double)(n * threads) / acknowledged);
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
