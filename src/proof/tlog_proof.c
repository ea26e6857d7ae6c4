/* A C2SP tlog-proof file, in one spelling.  Source: c2sp.org/tlog-proof.
 *
 *     c2sp.org/tlog-proof@v1
 *     extra <base64>            at most once, not empty
 *     index <decimal>
 *     <base64, 32 bytes>        0 to 63 lines, the leaf's sibling first
 *                               an empty line
 *     <signed note>             to the end of the file
 */
#include "judge.h"

static const char first_line[] = "c2sp.org/tlog-proof@v1";

/* This format in a version that we do not know, or something else altogether? */
static cu_status refusal_of(struct cu_span line)
{
    uint64_t version;

    return cu_span_take(&line, "c2sp.org/tlog-proof@v") && cu_decimal_read(line, UINT64_MAX, &version, NULL) == CU_OK &&
                   version > 1
               ? CU_NEWER_FORMAT
               : CU_MALFORMED;
}

static cu_status read_path(struct cu_lines *lines, struct cu_tlog_proof *ret, struct cu_err *err)
{
    struct cu_span line;

    for (ret->n = 0; cu_lines_next(lines, &line); ret->n++) {
        if (line.n == 0) return CU_OK;
        ENSURE(ret->n < CU_PROOF_HASHES_MAX, err, CU_MALFORMED, "proof: more than %d path lines", CU_PROOF_HASHES_MAX);
        ENSURE(cu_base64_exact(line, ret->path[ret->n].b, sizeof(cu_hash), err) == CU_OK, err, CU_MALFORMED,
               "proof: a path line is 32 bytes in strict base64");
    }
    return cu_fail(err, CU_MALFORMED, "proof: an empty line stands before the checkpoint");
}

cu_status cu_tlog_proof_read(struct cu_span file, struct cu_tlog_proof *ret, struct cu_err *err)
{
    struct cu_lines lines = cu_lines_on(file);
    struct cu_span line;

    ENSURE(file.n <= CU_RECEIPT_MAX, err, CU_TOO_LARGE, "proof: at most %d bytes", CU_RECEIPT_MAX);
    ENSURE(cu_lines_next(&lines, &line), err, CU_MALFORMED, "proof: not a tlog-proof file");
    ENSURE(cu_span_is(line, first_line), err, refusal_of(line), "proof: the first line is not \"%s\"", first_line);
    ENSURE(cu_lines_next(&lines, &line), err, CU_MALFORMED, "proof: no index line");
    ret->extra = CU_SPAN_EMPTY;
    if (cu_span_take(&line, "extra ")) {
        ENSURE(line.n > 0, err, CU_MALFORMED, "proof: an empty extra line is left out");
        ret->extra = line;
        ENSURE(cu_lines_next(&lines, &line), err, CU_MALFORMED, "proof: no index line");
    }
    ENSURE(cu_span_take(&line, "index ") && cu_decimal_read(line, INT64_MAX, &ret->index.v, err) == CU_OK, err, CU_MALFORMED,
           "proof: the line after the first (or after extra) is \"index\" and a decimal without leading zero");
    TRY(read_path(&lines, ret, err));
    ret->checkpoint = lines.rest;
    ENSURE(ret->checkpoint.n > 0, err, CU_MALFORMED, "proof: no checkpoint");
    return CU_OK;
}

cu_status cu_tlog_proof_write(const struct cu_tlog_proof *proof, struct cu_span extra, struct cu_buf *out, struct cu_err *err)
{
    size_t before = out->n;

    cu_buf_addf(out, "%s\n", first_line);
    if (extra.n > 0) {
        cu_buf_add_str(out, "extra ");
        cu_base64_put(out, extra);
        cu_buf_add_byte(out, '\n');
    }
    cu_buf_addf(out, "index %llu\n", LLU(proof->index.v));
    for (size_t i = 0; i < proof->n; i++) {
        cu_base64_put(out, cu_span_hash(&proof->path[i]));
        cu_buf_add_byte(out, '\n');
    }
    cu_buf_add_byte(out, '\n');
    cu_buf_add(out, proof->checkpoint);
    TRY(cu_buf_ok(out, err));
    ENSURE(out->n - before <= CU_RECEIPT_MAX, err, CU_TOO_LARGE, "proof: at most %d bytes", CU_RECEIPT_MAX);
    return CU_OK;
}
