/* A request to a witness, in one spelling. */
#include "proof/witness.h"

#include "judge.h"

cu_status cu_witness_request_read(struct cu_span body, struct cu_witness_request *ret, struct cu_err *err)
{
    struct cu_lines lines = cu_lines_on(body);
    struct cu_span line;

    ENSURE(cu_lines_next(&lines, &line) && cu_span_take(&line, "old ") &&
               cu_decimal_read(line, INT64_MAX, &ret->old.v, NULL) == CU_OK,
           err, CU_MALFORMED, "the first line is \"old\" and a decimal without leading zero");
    for (ret->n = 0; cu_lines_next(&lines, &line) && line.n > 0; ret->n++) {
        ENSURE(ret->n < CU_PROOF_HASHES_MAX, err, CU_MALFORMED, "a proof has at most %d hashes", CU_PROOF_HASHES_MAX);
        ENSURE(cu_base64_exact(line, ret->proof[ret->n].b, sizeof(cu_hash), NULL) == CU_OK, err, CU_MALFORMED,
               "a line of a proof is 32 bytes in strict base64");
    }
    ret->checkpoint = lines.rest;
    ENSURE(!lines.bad && ret->checkpoint.n > 0, err, CU_MALFORMED, "an empty line and a signed checkpoint end the request");
    return CU_OK;
}

void cu_witness_request_put(const struct cu_witness_request *request, struct cu_buf *out)
{
    cu_buf_addf(out, "old %llu\n", LLU(request->old.v));
    for (size_t i = 0; i < request->n; i++) {
        cu_base64_put(out, cu_span_hash(&request->proof[i]));
        cu_buf_add_byte(out, '\n');
    }
    cu_buf_add_byte(out, '\n');
    cu_buf_add(out, request->checkpoint);
}
