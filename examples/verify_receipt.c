/* Judge a receipt with libcustody alone: no ledger, no network, no clock.
 *
 *     cc verify_receipt.c $(pkg-config --cflags --libs custody) -o verify_receipt
 *     ./verify_receipt TRUST RECEIPT          exit code: as `custody verify`
 */
#include <custody/receipt.h>

#include <stdio.h>
#include <stdlib.h>

static struct cu_span read_file(const char *path, uint8_t *into, size_t max)
{
    FILE *in = fopen(path, "rb");

    if (!in) perror(path), exit(10);
    size_t n = fread(into, 1, max, in);
    fclose(in);
    return cu_span(into, n);
}

int main(int argc, char **argv)
{
    /* All memory is ours: the library's verifier asks for none. */
    static uint8_t trust_bytes[CU_TRUST_MAX], receipt_bytes[CU_RECEIPT_MAX + 1], scratch[CU_VERIFY_SCRATCH];
    static struct cu_trust trust;
    static struct cu_report report;
    struct cu_err err = { 0 };
    struct cu_verifier verifier = cu_verifier_plain();

    if (argc != 3) return fprintf(stderr, "verify_receipt TRUST RECEIPT\n"), 1;
    struct cu_span pinned = read_file(argv[1], trust_bytes, sizeof trust_bytes);
    struct cu_span receipt = read_file(argv[2], receipt_bytes, sizeof receipt_bytes);

    if (cu_crypto_init(&err) != CU_OK || cu_trust_read(pinned, &trust, &err) != CU_OK ||
        cu_receipt_verify(receipt, &trust, NULL, &verifier, scratch, &report, &err) != CU_OK) {
        fprintf(stderr, "%s\n", err.text);
        return cu_status_exit(err.status);
    }
    for (int i = 0; i < CU_VERDICTS; i++) printf("%s: %s\n", cu_verdict_text(report.verdict[i]), report.why[i].text);
    printf("\n%s\n", report.statement_en);
    return report.exit_code;
}
