/* What was signed and is not settled yet: kept durable before the first byte of it leaves, until the receipt is there. */
#ifndef CU_SERVICE_OUTBOX_H
#define CU_SERVICE_OUTBOX_H

#include "service/service.h"

/** The records on their way, as one file: grown by a whole replacement, emptied when they are settled. TOO_LARGE when full. */
CU_MUST_USE cu_status cu_pending_add(struct cu_place *p, const struct cu_span *records, size_t n, struct cu_err *err);
CU_MUST_USE cu_status cu_pending_clear(struct cu_place *p, struct cu_err *err);
CU_MUST_USE cu_status cu_pending_read(struct cu_place *p, struct cu_buf *ret, struct cu_err *err);
bool cu_pending_next(struct cu_span pending, size_t *at, struct cu_span *ret_record);
/** Keep a record that the ledger refused for good, as outbox/refused-<id>. */
CU_MUST_USE cu_status cu_pending_refused(struct cu_place *p, const cu_hash *id, struct cu_span record, struct cu_err *err);

/** The next serial numbers of the depositor's key: the first of n, all of them used up from now on (durable). */
CU_MUST_USE cu_status cu_serials_take(struct cu_place *p, uint64_t n, uint64_t *ret_first, struct cu_err *err);

/** The highest number that the depositor's key has signed under, as far as this machine and the log know. */
CU_MUST_USE cu_status cu_serials_highest(struct cu_place *p, uint64_t *ret, struct cu_err *err);

/** A claim file: what `custody claim` writes at the scene. */
struct cu_claim_file { struct cu_span claim, salt, details, path; };
extern const struct cu_schema cu_claim_file_schema;

#endif
