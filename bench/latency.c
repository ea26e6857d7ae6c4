/* From a submission to its complete receipt, in one process, with nothing else going on: the record judged and durable; the node's word
 * that it holds the copy, recorded, too; the search index current; the receipt made over what is acknowledged, and judged as a stranger
 * would. The drain goes on behind. Beside it what cannot be less: four synced writes, one after another.
 *
 *     latency LEDGER [N]       a folder that `custody init` made; N deposits (default 300), one after the other
 */
#include "world.h"

#include <fcntl.h>
#include <unistd.h>

static int by_value(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void percentiles(const char *name, double *took, size_t n)
{
    qsort(took, n, sizeof *took, by_value);
    printf("  %-44s p50 %8.2f   p90 %8.2f   p99 %8.2f  ms\n", name, took[n / 2] * 1e3, took[n * 9 / 10] * 1e3,
           took[n * 99 / 100] * 1e3);
}

/* Two batches are two frames and two heads. */
static void limit(const char *root, size_t n)
{
    uint8_t block[4096] = { 1 };
    char path[1024];
    double *took = malloc(n * sizeof *took);

    snprintf(path, sizeof path, "%s/../latency-limit", root);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || !took) perror(path), exit(1);
    for (size_t i = 0; i <= n; i++) { /* the first writes the file, and does not count */
        double began = now_s();
        for (int k = 0; k < 4; k++)
            if (pwrite(fd, block, sizeof block, k * 4096) != sizeof block || fdatasync(fd) != 0) perror(path), exit(1);
        if (i > 0) took[i - 1] = now_s() - began;
    }
    percentiles("limit: four synced writes, nothing else", took, n);
    close(fd);
    unlink(path);
    free(took);
}

static cu_status one(struct world *w, double *ret_answered, double *ret_settled, double *ret_receipt, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(RECORD_MAX), receipt = cu_buf_heap(1 << 20);
    struct cu_outcome outcome;

    TRY(world_say(w, w->serial++, &record, err));
    struct cu_span span = cu_buf_span(&record);
    double began = now_s();
    TRY(w->engine.submit(w->engine.self, &span, 1, &outcome, err));
    ENSURE(outcome.status == CU_OK, err, outcome.status, "refused: %s", outcome.text);
    *ret_answered = now_s() - began;
    TRY(world_attest(w, outcome.seq.v, outcome.seq.v, err));
    TRY(cu_settle(&w->place, err));
    *ret_settled = now_s() - began;
    TRY(cu_receipt_of(&w->place, outcome.seq, &receipt, err));
    *ret_receipt = now_s() - began;
    return CU_OK;
}

static cu_status run(const char *root, size_t n, unsigned workers, struct cu_err *err)
{
    static struct world w;
    double *took = malloc(3 * n * sizeof *took);

    ENSURE(took, err, CU_NO_MEMORY, "no memory");
    TRY(world_parts(&w, root, true, err));
    TRY(world_engine(&w, workers, err));
    TRY(world_know(&w, err));
    for (size_t i = 0; i < n; i++) TRY(one(&w, &took[i], &took[n + i], &took[2 * n + i], err));
    printf("\n%zu deposits one after the other, %u worker threads; %s\n", n, workers, cu_verifier_in_use(true));
    percentiles("answered: durable", took, n);
    percentiles("attested, in the search index", took + n, n);
    percentiles("with its complete receipt, judged", took + 2 * n, n);
    limit(root, n);
    free(took);
    return world_close(&w, err);
}

int main(int argc, char **argv)
{
    struct cu_err err = { 0 };
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 300;

    if (argc < 2 || n == 0) return fprintf(stderr, "latency LEDGER [N]\n"), 1;
    if (cu_crypto_init(&err) != CU_OK || run(argv[1], n, 0, &err) != CU_OK || run(argv[1], n, 2, &err) != CU_OK)
        return fprintf(stderr, "latency: %s\n", err.text), 1;
    return 0;
}
