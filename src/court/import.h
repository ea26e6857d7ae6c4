/* A package of another ledger as a deposit in this one. */
#ifndef CU_COURT_IMPORT_H
#define CU_COURT_IMPORT_H

#include "court/bag.h"
#include "service/service.h"

struct cu_import_request {
    struct cu_bag_request judge;       /* package, path, and the trust that it is judged by; none: the one in the package */
    bool is_file;                      /* a zip; else a folder */
    struct cu_deposit_request deposit; /* case, label, note */
};
/** Verify, then deposit. What verification said is in `out`; *ret_exit is not 0 when the package does not verify: nothing was deposited then.
 *  BAD_HASH: it changed between the two. */
CU_MUST_USE cu_status cu_import(struct cu_place *p, const struct cu_import_request *r, struct cu_buf *out, int *ret_exit, cu_deposited_fn *done, void *arg, struct cu_err *err);

#endif
