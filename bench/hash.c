/* Tree hashing, one core: nodes (two hashes of 32 bytes) and leaves of content (4 KiB), by OpenSSL's digest interface, by its low-level one
 * (one stream of the processor's SHA instructions, where it has them), and two streams at a time.
 *
 *     hash
 */
#include "crypto/sha256.h"
#include "custody/content.h"
#include "custody/key.h"
#include "custody/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NODE = 64, LEAVES = 256, TURNS = 5 };

static uint8_t input[LEAVES * CU_LEAF_BYTES];
static cu_hash result[LEAVES];

/* Of this thread's own processor time, so that neighbours do not count. */
static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void by_digest(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct cu_digest digest;
        if (cu_digest_start(CU_DIGEST_SHA256, &digest, NULL) != CU_OK) exit(1);
        cu_digest_add(&digest, cu_span(&prefix, 1));
        cu_digest_add(&digest, cu_span(in + i * each, each));
        cu_digest_finish(&digest, ret[i].b);
    }
}

static const struct way {
    const char *name;
    void (*hash)(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret);
} ways[] = { { "EVP, fetched once", by_digest },
             { "one stream, own padding", sha256_prefixed_plain },
             { "two streams", sha256_prefixed_pairs },
             { "sixteen lanes", sha256_prefixed_lanes },
             { "as the tree calls it", cu_sha256_prefixed } };
enum { WAYS = sizeof ways / sizeof *ways };

static bool runs(const struct way *way) { return way->hash != sha256_prefixed_lanes || sha256_has_lanes(); }

static double hashes_a_second(const struct way *way, size_t each, size_t n)
{
    size_t done = 0;
    const double began = now_s();

    for (; now_s() - began < 0.1; done += LEAVES)
        for (size_t i = 0; i < LEAVES; i += n) way->hash(1, input + i * each, each, n, result);
    return (double)done / (now_s() - began);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void compare(const char *what, size_t each, size_t n)
{
    double v[WAYS][TURNS], base = 0;

    for (size_t turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < WAYS; i++) v[i][turn] = runs(&ways[i]) ? hashes_a_second(&ways[i], each, n) : 0;
    for (size_t i = 0; i < WAYS; i++) {
        if (!runs(&ways[i])) continue;
        qsort(v[i], TURNS, sizeof **v, by_value);
        const double rate = v[i][TURNS / 2];
        if (i == 0) base = rate;
        printf("  %-26s %-28s %8.2f M/s %7.2f GB/s %6.2f ×\n", what, ways[i].name, rate / 1e6, rate * (double)each / 1e9,
               rate / base);
    }
}

static void whole_trees(void)
{
    const double began = now_s();
    size_t bytes = 0;
    cu_hash sink = { 0 };

    for (; now_s() - began < 0.5; bytes += sizeof input) sink = cu_content_root_of(CU_SPAN_OF(input));
    printf("  %-26s %-28s %8s     %7.2f GB/s\n", "content tree of 1 MiB", sink.b[0] ? "leaves and nodes" : "leaves, nodes", "",
           (double)bytes / (now_s() - began) / 1e9);
}

int main(void)
{
    if (cu_crypto_init(NULL) != CU_OK) return 1;
    for (size_t i = 0; i < sizeof input; i++) input[i] = (uint8_t)(i * i >> 7);
    printf("\ntree hashing, one core; SHA instructions: %s; sixteen lanes of AVX-512: %s\n", sha256_has_pairs() ? "yes" : "no",
           sha256_lanes_pay()   ? "yes, and faster"
           : sha256_has_lanes() ? "yes, and slower"
                                : "no");
    compare("nodes, 256 in a row", NODE, LEAVES);
    compare("a node by itself", NODE, 1);
    compare("leaves of 4 KiB, in a row", CU_LEAF_BYTES, LEAVES);
    whole_trees();
    return 0;
}
