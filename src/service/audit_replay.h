/* A batch of records of the log on its way through a fresh ledger. */
#ifndef CU_SERVICE_AUDIT_REPLAY_H
#define CU_SERVICE_AUDIT_REPLAY_H

#include "service/audit.h"

struct cu_batch_record { size_t at, n; };
struct cu_batch {
    cu_seq first;
    struct cu_buf bytes;
    struct cu_batch_record *at;
    size_t n, cap;
    bool trusted; /* attachments were lost: what can be judged without them is */
};
void cu_batch_free(struct cu_batch *b);
CU_MUST_USE cu_status cu_batch_add(struct cu_batch *b, cu_seq seq, struct cu_span record, struct cu_err *err);
CU_MUST_USE cu_status cu_batch_close(struct cu_audit *a, struct cu_batch *b, const struct cu_entry *block, struct cu_err *err);

#endif
