/* Verification of a receipt together with evidence: what `custody verify` and `custody-verify` share. Needs no ledger. */
#ifndef CU_SERVICE_JUDGE_H
#define CU_SERVICE_JUDGE_H

#include "content/ingest.h"
#include "custody/receipt.h"

struct cu_judge_request {
    struct cu_span receipt;
    struct cu_span trust_text;         /* n == 0: none pinned */
    const char *path;                  /* NULL: the receipt alone */
    struct cu_span manifest;           /* found beside the receipt; n == 0: none */
    const char *id, *network;          /* what a person typed off a paper: the id or a prefix of it, the network id; NULL: nothing */
    const struct cu_source *source;
    struct cu_progress progress;
    struct cu_verifier *verifier;
    uint8_t *scratch;                  /* CU_VERIFY_SCRATCH bytes */
};
/** Judge receipt and evidence; the report and the lines about a folder's differences go to `out` as people read them, or as JSON. */
CU_MUST_USE cu_status cu_judge(const struct cu_judge_request *r, bool json, struct cu_buf *out, int *ret_exit, struct cu_err *err);

#endif
