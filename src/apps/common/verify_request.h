/* Reading what a verification needs, and judging it: shared by `custody verify` and `custody-verify`, so that both say the same. */
#ifndef CU_APPS_VERIFY_REQUEST_H
#define CU_APPS_VERIFY_REQUEST_H

#include "court/bag.h"
#include "service/judge.h"

/* `open_zip`: NULL in a program that reads no archives. */
struct verify_arguments { const char *receipt, *path, *trust, *manifest, *id, *network; bool json; cu_status (*open_zip)(const char *path, struct cu_package *ret, struct cu_err *err); };
struct verify_request { struct cu_buf receipt, trust, manifest; struct cu_verifier verifier; void *memory; };

/** A receipt, or an exported case (a folder with a bagit.txt, or a zip). Opens only the files that are named (and RECEIPT.manifest, when the receipt does not hold a folder's manifest itself). `own_trust`
 *  is used when no trust file is named; empty: none is pinned. */
CU_MUST_USE cu_status verify_go(struct verify_request *v, const struct verify_arguments *args, struct cu_span own_trust, struct cu_buf *out, int *ret_exit, struct cu_err *err);
/** An exported case as a package of files. NOT_FOUND: it is none. */
CU_MUST_USE cu_status open_bag(const char *path, const struct cu_source *source, cu_status (*open_zip)(const char *path, struct cu_package *ret, struct cu_err *err), struct cu_package *ret, struct cu_err *err);
void verify_request_free(struct verify_request *v);

#endif
