/* Reading what a verification needs, and judging it: shared by `custody verify` and `custody-verify`, so that both say the same. */
#ifndef CU_APPS_VERIFY_REQUEST_H
#define CU_APPS_VERIFY_REQUEST_H

#include "service/judge.h"

struct verify_arguments { const char *receipt, *path, *trust, *manifest; bool json; };
struct verify_request { struct cu_buf receipt, trust, manifest; struct cu_verifier verifier; void *memory; };

/** Opens only the files that are named (and RECEIPT.manifest, when the receipt does not hold a folder's manifest itself). `own_trust`
 *  is used when no trust file is named; empty: none is pinned. */
CU_MUST_USE cu_status verify_go(struct verify_request *v, const struct verify_arguments *args, struct cu_span own_trust, struct cu_buf *out, int *ret_exit, struct cu_err *err);
void verify_request_free(struct verify_request *v);

#endif
