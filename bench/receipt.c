/* How long it takes to judge a receipt when the process is warm.
 *
 *     receipt TRUST RECEIPT [ROUNDS]
 */
#include "custody/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct cu_span read_file(const char *path, uint8_t *into, size_t max)
{
    FILE *in = fopen(path, "rb");

    if (!in) perror(path), exit(1);
    size_t n = fread(into, 1, max, in);
    fclose(in);
    return cu_span(into, n);
}

static double rounds_ms(struct cu_span receipt, const struct cu_trust *trust, struct cu_verifier *by, int rounds)
{
    static uint8_t scratch[CU_VERIFY_SCRATCH];
    static struct cu_report report;
    struct cu_err err = { 0 };
    double began = now_s();

    for (int i = 0; i < rounds; i++)
        if (cu_receipt_verify(receipt, trust, NULL, by, scratch, &report, &err) != CU_OK || report.exit_code != 0)
            fprintf(stderr, "receipt: not accepted: %s\n", err.text), exit(1);
    return (now_s() - began) * 1e3 / rounds;
}

int main(int argc, char **argv)
{
    static uint8_t trust_bytes[CU_TRUST_MAX], receipt_bytes[CU_RECEIPT_MAX];
    static struct cu_trust trust;
    struct cu_err err = { 0 };
    struct cu_verifier plain = cu_verifier_plain(), cached;
    size_t size = cu_verifier_cached_size(64);

    if (argc < 3) return fprintf(stderr, "receipt TRUST RECEIPT [ROUNDS]\n"), 1;
    int rounds = argc > 3 ? atoi(argv[3]) : 1000;
    struct cu_span receipt = read_file(argv[2], receipt_bytes, sizeof receipt_bytes);
    if (cu_crypto_init(&err) != CU_OK ||
        cu_trust_read(read_file(argv[1], trust_bytes, sizeof trust_bytes), &trust, &err) != CU_OK ||
        cu_verifier_cached(malloc(size), size, &cached, &err) != CU_OK)
        return fprintf(stderr, "receipt: %s\n", err.text), 1;

    rounds_ms(receipt, &trust, &cached, 1);
    printf("  %-52s %10zu  bytes\n", "size of the receipt", receipt.n);
    printf("  %-52s %10.3f  ms\n", "judged warm, keys loaded once", rounds_ms(receipt, &trust, &cached, rounds));
    printf("  %-52s %10.3f  ms\n", "judged warm, keys loaded each time", rounds_ms(receipt, &trust, &plain, rounds));
    return 0;
}
