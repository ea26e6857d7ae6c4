/* Making a receipt. Nothing is verified here: the maker verifies what it made, as any reader will. */
#include "custody/receipt.h"

#define HASHES_MAX ((CU_RECEIPT_SUPPORT_MAX + 1) * CU_PROOF_HASHES_MAX)

/* Record and support in one ascending list. */
static cu_status merge_positions(const struct cu_receipt_parts *parts, cu_seq *ret, struct cu_err *err)
{
    size_t n = 0, i = 0;

    ENSURE(parts->support_n <= CU_RECEIPT_SUPPORT_MAX, err, CU_TOO_LARGE, "a receipt brings at most %d entries along",
           CU_RECEIPT_SUPPORT_MAX);
    for (; i < parts->support_n && parts->support[i].seq < parts->seq.v; i++) ret[n++].v = parts->support[i].seq;
    ret[n++] = parts->seq;
    for (; i < parts->support_n; i++) ret[n++].v = parts->support[i].seq;
    for (i = 1; i < n; i++)
        ENSURE(ret[i - 1].v < ret[i].v, err, CU_MALFORMED,
               "a receipt's entries ascend, each once, and the record is not among them");
    return CU_OK;
}

static cu_status put_support(const struct cu_receipt_parts *parts, struct cu_buf *out, struct cu_err *err)
{
    for (size_t i = 0; i < parts->support_n; i++) {
        struct cu_support one = parts->support[i];
        one.has_salt = one.has_details;
        TRY(cu_schema_write(&cu_support_schema, &one, out, err));
    }
    return CU_OK;
}

static cu_status put_hashes(const struct cu_receipt_parts *parts, const struct cu_node_source *nodes, cu_size size,
                            const struct cu_tlog_proof *proof, struct cu_buf *out, struct cu_err *err)
{
    struct cu_path_known path = { parts->seq, size, proof->path, proof->n };
    struct cu_known known = cu_known_path(&path);
    cu_seq seqs[CU_RECEIPT_SUPPORT_MAX + 1];
    size_t n;

    TRY(merge_positions(parts, seqs, err));
    cu_hash *hashes = (cu_hash *)cu_buf_grow(out, HASHES_MAX * sizeof *hashes);
    ENSURE(hashes != NULL, err, CU_NO_MEMORY, "no memory for the hashes of a receipt");
    TRY(cu_multiproof_make(nodes, seqs, parts->support_n + 1, size, &known, hashes, HASHES_MAX, &n, err));
    out->n = n * sizeof *hashes;
    return CU_OK;
}

cu_status cu_receipt_make(const struct cu_receipt_parts *parts, const struct cu_node_source *nodes, struct cu_buf *out,
                          struct cu_err *err)
{
    CU_BUF support = cu_buf_heap(CU_RECEIPT_MAX);
    CU_BUF hashes = cu_buf_heap(HASHES_MAX * sizeof(cu_hash));
    CU_BUF bytes = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_tlog_proof proof = { .index = parts->seq, .checkpoint = parts->checkpoint };
    struct cu_checkpoint checkpoint;
    struct cu_note note;

    TRY(cu_note_read(parts->checkpoint, &note, err));
    TRY(cu_checkpoint_read(note.text, &checkpoint, err));
    TRY(cu_inclusion_make(nodes, parts->seq, checkpoint.size, proof.path, &proof.n, err));
    TRY(put_support(parts, &support, err));
    TRY(put_hashes(parts, nodes, checkpoint.size, &proof, &hashes, err));

    struct cu_extra extra = {
        .type = cu_span_str(CU_EXTRA_TYPE),
        .record = parts->record,
        .support = { .n = parts->support_n, .bytes = cu_buf_span(&support) },
        .hashes = cu_buf_span(&hashes),
    };
    TRY(cu_schema_write(&cu_extra_schema, &extra, &bytes, err));
    return cu_tlog_proof_write(&proof, cu_buf_span(&bytes), out, err);
}
