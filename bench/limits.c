/* What this machine can do at best, so that a figure of the product can be given as a share of it, measured in the same run.
 *
 *     limits DIR [MIB]       writes a scratch file of MIB (default 1024) in DIR, overwrites and reads it; prints name, value, unit
 */
#include "custody/key.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, BLOCK = 4 * MIB, SYNCS = 1000, SIGNATURES = 4000 };

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void row(const char *name, double value, const char *unit)
{
    printf("%-28s %10.2f  %s\n", name, value, unit);
    fflush(stdout);
}
static void die(const char *what) { perror(what), exit(1); }

static int open_scratch(const char *path, int flags)
{
    int fd = open(path, O_RDWR | O_CREAT | flags, 0600);

    if (fd < 0) die(path);
    return fd;
}

/* The whole file, block by block; bytes per second in GB/s. `durable`: with the sync that makes it so. */
static double write_all(int fd, const uint8_t *block, size_t blocks, bool durable)
{
    double began = now_s();

    for (size_t i = 0; i < blocks; i++)
        if (pwrite(fd, block, BLOCK, (off_t)(i * BLOCK)) != BLOCK) die("pwrite");
    if (durable && fdatasync(fd) != 0) die("fdatasync");
    return (double)blocks * BLOCK / (now_s() - began) / 1e9;
}

/* Two copies at once, past the page cache, each with its sync: GB/s of what is copied, not of what is written. */
struct copy {
    char path[4096];
    const uint8_t *block;
    size_t blocks;
};

static void *write_copy(void *arg)
{
    const struct copy *c = arg;
    int fd = open_scratch(c->path, O_TRUNC | O_DIRECT);

    write_all(fd, c->block, c->blocks, true);
    close(fd);
    return NULL;
}

static void two_copies(const char *path, const uint8_t *block, size_t blocks)
{
    struct copy copy[2];
    pthread_t thread[2];
    double began = now_s();

    for (int i = 0; i < 2; i++) {
        copy[i] = (struct copy){ .block = block, .blocks = blocks };
        snprintf(copy[i].path, sizeof copy[i].path, "%s.%d", path, i);
        if (pthread_create(&thread[i], NULL, write_copy, &copy[i]) != 0) die("pthread_create");
    }
    for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
    row("write, two copies at once", (double)blocks * BLOCK / (now_s() - began) / 1e9, "GB/s");
    for (int i = 0; i < 2; i++) unlink(copy[i].path);
}

static double read_all(int fd, uint8_t *block, size_t blocks)
{
    double began = now_s();

    for (size_t i = 0; i < blocks; i++)
        if (pread(fd, block, BLOCK, (off_t)(i * BLOCK)) != BLOCK) die("pread");
    return (double)blocks * BLOCK / (now_s() - began) / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void disk(const char *path, uint8_t *block, size_t blocks)
{
    int fd = open_scratch(path, O_TRUNC), direct;

    row("write, buffered and synced", write_all(fd, block, blocks, true), "GB/s");
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    row("read, cold", read_all(fd, block, blocks), "GB/s");
    close(fd);

    direct = open(path, O_RDWR | O_DIRECT);
    if (direct < 0) return;
    row("write, O_DIRECT and synced", write_all(direct, block, blocks, true), "GB/s");
    close(direct);
}

/* One 4 KiB write and fdatasync at a time, into space that is written already: what an acknowledgement costs at least. */
static void sync_latency(const char *path, const uint8_t *block)
{
    static double ms[SYNCS];
    int fd = open_scratch(path, 0);

    for (size_t i = 0; i < SYNCS; i++) {
        double began = now_s();
        if (pwrite(fd, block, 4096, (off_t)(i * 4096)) != 4096 || fdatasync(fd) != 0) die("fdatasync");
        ms[i] = (now_s() - began) * 1e3;
    }
    close(fd);
    qsort(ms, SYNCS, sizeof *ms, by_value);
    row("4 KiB fdatasync, median", ms[SYNCS / 2], "ms");
    row("4 KiB fdatasync, 99th of 100", ms[SYNCS * 99 / 100], "ms");
}

static void hashing(const uint8_t *block)
{
    double began = now_s();
    volatile uint8_t sink = 0;

    for (int i = 0; i < 256; i++) sink ^= cu_sha256(cu_span(block, BLOCK)).b[0];
    row("SHA-256, one core", 256.0 * BLOCK / (now_s() - began) / 1e9, "GB/s");
}

/* 16 keys, as a ledger has, loaded once; each signature is checked by itself. */
static cu_status signatures(struct cu_err *err)
{
    enum { KEYS = 16 };
    static struct cu_private_key key[KEYS];
    static uint8_t signature[KEYS][CU_SIGNATURE_LEN];
    struct cu_span message = cu_span_str("a message as long as the hash of an entry is.");
    size_t size = cu_verifier_cached_size(KEYS);
    void *memory = malloc(size);
    struct cu_verifier verifier;

    ENSURE(memory, err, CU_NO_MEMORY, "no memory");
    for (size_t i = 0; i < KEYS; i++) {
        TRY(cu_private_generate(CU_ALG_ES256, &key[i], err));
        TRY(cu_sign(&key[i], message, signature[i], err));
    }
    TRY(cu_verifier_cached(memory, size, &verifier, err));
    for (size_t round = 0; round < 2; round++) { /* the first loads the keys */
        double began = now_s();
        for (size_t i = 0; i < SIGNATURES; i++) {
            struct cu_sig_job job = {
                .key = &key[i % KEYS].pub, .key_id = &key[i % KEYS].id, .message = message, .signature = signature[i % KEYS]
            };
            verifier.verify(verifier.self, &job, 1);
            ENSURE(job.status == CU_OK, err, job.status, "a good signature does not verify");
        }
        if (round == 1) row("ES256 verify, one core", SIGNATURES / (now_s() - began), "1/s");
    }
    verifier.free(verifier.self);
    free(memory);
    return CU_OK;
}

int main(int argc, char **argv)
{
    struct cu_err err = { 0 };
    char path[4096];
    uint8_t *block = aligned_alloc(2 * MIB, BLOCK);

    if (argc < 2 || !block) return fprintf(stderr, "limits DIR [MIB]\n"), 1;
    (void)madvise(block, BLOCK, MADV_HUGEPAGE); /* a disk takes so many pieces of memory a request */
    for (size_t i = 0; i < BLOCK; i++) block[i] = (uint8_t)(i * 2654435761u >> 24);
    size_t blocks = (argc > 2 ? strtoul(argv[2], NULL, 10) : 1024) * MIB / BLOCK;
    snprintf(path, sizeof path, "%s/limits.scratch", argv[1]);

    disk(path, block, blocks);
    two_copies(path, block, blocks);
    sync_latency(path, block);
    unlink(path);
    hashing(block);
    if (cu_crypto_init(&err) != CU_OK || signatures(&err) != CU_OK) return fprintf(stderr, "limits: %s\n", err.text), 1;
    free(block);
    return 0;
}
