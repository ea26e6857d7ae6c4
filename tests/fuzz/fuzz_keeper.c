/* A keeper who writes what he likes into his own log: after the trust text comes an `extra` map, raw. A log is put together that
 * has its entries at their positions, and the receipt is made as it should be, so that every check behind the proofs is reached. */
#include "proof_input.h"

#define SIZE 64
static cu_hash leaves[SIZE];

static cu_status node(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err)
{
    (void)self, (void)err;
    *ret = cu_tree_root(leaves + (index << level), (size_t)1 << level);
    return CU_OK;
}

static bool place(uint64_t seq, struct cu_span entry)
{
    if (seq >= SIZE) return false;
    leaves[seq] = cu_leaf_hash(entry);
    return true;
}

/* The record stands at the lowest position that no brought entry has: the input says where the others are. */
static bool place_all(const struct cu_extra *extra, struct cu_support *support, uint64_t *ret_seq)
{
    struct cu_record record;
    size_t at = 0, n = 0;
    bool taken[SIZE] = { false };

    memset(leaves, 0, sizeof leaves);
    while (cu_list_next(&extra->support, &cu_support_schema, &at, &support[n])) {
        if (!place(support[n].seq, support[n].entry)) return false;
        taken[support[n++].seq] = true;
    }
    for (*ret_seq = 0; *ret_seq < SIZE - 1 && taken[*ret_seq]; ++*ret_seq) continue;
    return cu_record_read(extra->record, &record, NULL) == CU_OK && place(*ret_seq, record.entry);
}

static void put_note(struct cu_span origin, struct cu_buf *out)
{
    struct cu_checkpoint c = { origin, { SIZE }, cu_tree_root(leaves, SIZE) };

    cu_checkpoint_put(&c, out);
    cu_buf_add_str(out, "\n\xE2\x80\x94 k AAAAAAA=\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch[CU_VERIFY_SCRATCH];
    static struct cu_report report;
    static struct cu_support support[CU_RECEIPT_SUPPORT_MAX];
    struct cu_node_source nodes = { NULL, node };
    struct cu_span origin, raw;
    struct cu_extra extra;
    struct cu_evidence evidence = { .given = true, .size = 1 };
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX), receipt = cu_buf_heap(CU_RECEIPT_MAX);
    uint64_t seq;

    if (!split_input(cu_span(data, size), &origin, &raw) || cu_schema_read(&cu_extra_schema, raw, &extra, NULL) != CU_OK)
        return 0;
    if (!place_all(&extra, support, &seq)) return 0;
    put_note(origin, &note);
    struct cu_receipt_parts parts = { cu_buf_span(&note), { seq }, extra.record, support, extra.support.n };
    if (cu_receipt_make(&parts, &nodes, &receipt, NULL) != CU_OK) return 0;
    cu_status status = cu_receipt_verify(cu_buf_span(&receipt), NULL, &evidence, &yes, scratch, &report, NULL);
    CU_ASSERT(report.exit_code != 0);
    CU_ASSERT(terminated(report.statement_en, sizeof report.statement_en) &&
              terminated(report.statement_zh, sizeof report.statement_zh));
    CU_ASSERT(status != CU_OK || report.status == CU_OK || report.lines_n > 2);
    return 0;
}
