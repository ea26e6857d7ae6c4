/* Whatever the file, the judge ends with three verdicts and two sentences; what it accepts is spelled in the one way; without a
 * pinned trust it never exits 0; and no receipt forks with itself. */
#include "proof_input.h"

static void check_report(const struct cu_report *r, cu_status status, bool pinned)
{
    CU_ASSERT(terminated(r->statement_en, sizeof r->statement_en) && terminated(r->statement_zh, sizeof r->statement_zh));
    for (int v = 0; v < CU_VERDICTS; v++)
        CU_ASSERT(terminated(r->why[v].text, sizeof r->why[v].text) && terminated(r->why[v].text_zh, sizeof r->why[v].text_zh));
    for (size_t i = 0; i < r->lines_n; i++) {
        CU_ASSERT(terminated(r->line[i].text, sizeof r->line[i].text) && r->line[i].text[0]);
        CU_ASSERT(terminated(r->line[i].text_zh, sizeof r->line[i].text_zh) && r->line[i].text_zh[0]);
        CU_ASSERT((r->line[i].status == CU_OK) == (r->line[i].verdict >= CU_PASS));
    }
    CU_ASSERT((r->exit_code == 0) == (r->status == CU_OK));
    CU_ASSERT(pinned || r->exit_code != 0);
    if (status == CU_OK) return;
    CU_ASSERT(r->exit_code == 2 && r->status == status);
    for (int v = 0; v < CU_VERDICTS; v++) CU_ASSERT(r->verdict[v] == CU_FAIL);
}

static void check_spelling(struct cu_span file)
{
    static struct cu_tlog_proof proof;
    struct cu_extra extra;
    CU_BUF raw = cu_buf_heap(CU_RECEIPT_MAX), bytes = cu_buf_heap(CU_RECEIPT_MAX), again = cu_buf_heap(CU_RECEIPT_MAX);

    CU_ASSERT(cu_tlog_proof_read(file, &proof, NULL) == CU_OK && cu_base64_read(proof.extra, &raw, NULL) == CU_OK);
    CU_ASSERT(cu_schema_read(&cu_extra_schema, cu_buf_span(&raw), &extra, NULL) == CU_OK);
    CU_ASSERT(cu_schema_write(&cu_extra_schema, &extra, &bytes, NULL) == CU_OK);
    CU_ASSERT(cu_tlog_proof_write(&proof, cu_buf_span(&bytes), &again, NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), file));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch[CU_VERIFY_SCRATCH];
    static struct cu_trust trust;
    static struct cu_report report;
    struct cu_span trust_text, file;
    CU_BUF text = cu_buf_heap(1 << 20), fork = cu_buf_heap(1 << 20);

    if (!split_input(cu_span(data, size), &trust_text, &file)) return 0;
    bool pinned = cu_trust_read(trust_text, &trust, NULL) == CU_OK;
    cu_status status = cu_receipt_verify(file, pinned ? &trust : NULL, NULL, &yes, scratch, &report, NULL);
    check_report(&report, status, pinned);
    cu_report_text(&report, &text);
    cu_report_json(&report, &text);
    CU_ASSERT(cu_buf_ok(&text, NULL) == CU_OK && cu_utf8_ok(cu_buf_span(&text)));
    if (status == CU_OK) check_spelling(file);
    CU_ASSERT(cu_fork_make(file, file, scratch, &fork, NULL) != CU_OK);
    return 0;
}
