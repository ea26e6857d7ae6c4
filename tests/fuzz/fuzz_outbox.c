/* What lies in an outbox, and what a claim at the scene is carried home in: claim files, records on their way, rows of reads and of
 * findings. Whatever is read is written again as the same bytes, and every walk ends. */
#include "custody/details.h"
#include "service/outbox.h"

static void claim_file(struct cu_span bytes)
{
    struct cu_claim_file file;
    CU_BUF again = cu_buf_heap(bytes.n + 1);

    if (cu_schema_read(&cu_claim_file_schema, bytes, &file, NULL) != CU_OK) return;
    CU_ASSERT(cu_schema_write(&cu_claim_file_schema, &file, &again, NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), bytes));
}

static void carried(struct cu_span bytes)
{
    struct cu_carried c;
    CU_BUF again = cu_buf_heap(bytes.n + 1);

    if (cu_schema_read(&cu_carried_schema, bytes, &c, NULL) != CU_OK) return;
    CU_ASSERT(cu_schema_write(&cu_carried_schema, &c, &again, NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), bytes));
}

static void pending(struct cu_span bytes)
{
    CU_BUF saved = cu_buf_heap(bytes.n + 64), again = cu_buf_heap(bytes.n + 64);
    struct cu_span record, records;
    uint64_t highest;
    size_t at = 0, sum = 0;

    while (cu_outbox_next(bytes, &at, &record)) {
        CU_ASSERT(record.p == bytes.p + sum && record.n > 0);
        sum += record.n;
        CU_ASSERT(at == sum && at <= bytes.n);
    }
    /* what can be saved of it is a whole one; and what is whole is written as it was read */
    CU_ASSERT(cu_pending_salvage(bytes, &saved, NULL) == CU_OK);
    CU_ASSERT(cu_pending_read(cu_buf_span(&saved), &highest, &records, NULL) == CU_OK);
    if (cu_pending_read(bytes, &highest, &records, NULL) != CU_OK) return;
    CU_ASSERT(cu_pending_write(highest, records, &again, NULL) == CU_OK && cu_span_eq(cu_buf_span(&again), bytes));
}

/* A sequence of rows, as far as it is good. */
static void rows(const struct cu_schema *schema, struct cu_span bytes)
{
    struct cu_cbor_reader in = cu_cbor_read(bytes);
    union {
        struct cu_access_row access;
        struct cu_finding_row finding;
    } row;
    CU_BUF again = cu_buf_heap(bytes.n + 1);

    while (cu_cbor_peek(&in) != CU_CBOR_END) {
        cu_schema_read_from(schema, &in, &row);
        if (!cu_cbor_good(&in)) break;
        CU_ASSERT(cu_schema_write(schema, &row, &again, NULL) == CU_OK);
        CU_ASSERT(cu_span_eq(cu_buf_span(&again), cu_span(bytes.p, in.at)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_span bytes = cu_span(data, size);

    claim_file(bytes);
    carried(bytes);
    pending(bytes);
    rows(&cu_access_row_schema, bytes);
    rows(&cu_finding_row_schema, bytes);
    return 0;
}
