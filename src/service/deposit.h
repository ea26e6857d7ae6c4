/* A deposit on its way: what those who keep it here and those who send it elsewhere share. Nothing here is for other rooms. */
#ifndef CU_SERVICE_DEPOSIT_H
#define CU_SERVICE_DEPOSIT_H

#include "service/outbox.h"

struct cu_work {
    const char *path;
    struct cu_ingested in;
    struct cu_buf claim_file; /* encoded cu_claim_file: claim, salt, details */
    struct cu_claim_file parts;
    struct cu_buf record;
    struct cu_outcome outcome;
};
void cu_work_free(struct cu_work *w);
static inline bool cu_work_recorded(const struct cu_work *w) { return w->outcome.status == CU_OK || w->outcome.status == CU_DUPLICATE; }
static inline void cu_phase(const struct cu_place *p, const char *name)
{
    if (p->progress.at) p->progress.at(p->progress.arg, name, 0, 0, 0, 0);
}

/* ---- what is read and signed (claim.c) ---- */
/** Read and, where digests are expected, compared. `in` says how: source, digests, recipients and progress are filled in here. */
CU_MUST_USE cu_status cu_work_read(struct cu_place *p, const struct cu_deposit_request *r, const struct cu_ingest *how, struct cu_work *w, struct cu_err *err);
/** Whose claim it is, and whose number it takes. */
static inline enum cu_signer cu_claims_by(const struct cu_place *p, const struct cu_deposit_request *r)
{
    return r->notice ? cu_signer_provider(p) : CU_SIGNER_DEPOSITOR;
}
CU_MUST_USE cu_status cu_work_case(struct cu_place *p, const struct cu_deposit_request *r, cu_case_id *ret, struct cu_err *err);
/** The details of what was read, as they are before they are sealed. */
CU_MUST_USE cu_status cu_work_form(const struct cu_deposit_request *r, const struct cu_work *w, struct cu_buf *ret, struct cu_err *err);
/** Sign the claim: claim_file and parts. */
CU_MUST_USE cu_status cu_work_sign(struct cu_place *p, const struct cu_deposit_request *r, const cu_case_id *case_id, uint64_t serial, struct cu_work *w, struct cu_err *err);
/** WRONG_KIND: it is no claim that the file holds. */
CU_MUST_USE cu_status cu_claim_read(const struct cu_claim_file *parts, struct cu_statement *ret, struct cu_err *err);
/** Is what was read what was claimed? BAD_HASH. */
CU_MUST_USE cu_status cu_work_is(const struct cu_work *w, const struct cu_claim *claim, struct cu_err *err);

/* ---- to a ledger elsewhere (carry.c): as cu_deposit and cu_deposit_claim, which call them ---- */
CU_MUST_USE cu_status cu_carry(struct cu_place *p, const struct cu_deposit_request *r, const char *const *paths, size_t n, cu_deposited_fn *done, void *arg, struct cu_err *err);
CU_MUST_USE cu_status cu_carry_claim(struct cu_place *p, const struct cu_deposit_request *r, struct cu_span claim_file, const char *path, cu_deposited_fn *done, void *arg, struct cu_err *err);

/* ---- what is handed out (deposited.c) ---- */
/** Of what is recorded: its receipt, unless nobody waits for it, and all that is told of it. */
CU_MUST_USE cu_status cu_work_hand_out(struct cu_place *p, const struct cu_work *w, bool no_wait, cu_deposited_fn *done, void *arg, struct cu_err *err);

#endif
