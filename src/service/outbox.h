/* What was signed and is not settled yet: durable before the first byte of it leaves, until the receipt is there. */
#ifndef CU_SERVICE_OUTBOX_H
#define CU_SERVICE_OUTBOX_H

#include "service/service.h"

#define CU_FILE_PENDING CU_DIR_OUTBOX "/pending"
#define CU_FILE_PENDING_OWN CU_DIR_OUTBOX "/pending-%.16s" /* of a member who gave a key of his own, and of the provider: by its id */
#define CU_FILE_SUPERVISED CU_DIR_OUTBOX "/supervised" /* claims that are watched (notice.c) */
#define CU_FILE_ENROLMENTS CU_DIR_OUTBOX "/enrolments" /* who waits to be enrolled (enrolments.c) */
#define CU_FILE_OUTBOX_LOCK CU_DIR_OUTBOX "/lock"
#define CU_OUTBOX_WAIT_MS 10000 /* whoever holds the lock signs and syncs, and lets go */

/** The outbox in one hand: nobody else takes a number or adds a record while it is open. What is changed here counts from `keep` on. */
struct cu_outbox {
    struct cu_place *p;
    enum cu_signer who;
    void *lock;
    uint64_t looked;       /* of a ledger elsewhere: up to here its log was asked for that key's numbers */
    uint64_t highest;      /* number of that key, as far as this folder and the ledger know */
    struct cu_buf records; /* on their way: a CBOR sequence */
};
CU_MUST_USE cu_status cu_outbox_open(struct cu_place *p, struct cu_outbox *ret, struct cu_err *err);
/** The same of another key that claims here: the provider's, to answer a notice. */
CU_MUST_USE cu_status cu_outbox_open_of(struct cu_place *p, enum cu_signer who, struct cu_outbox *ret, struct cu_err *err);
/** Numbers and records in one atomic, durable replacement. TOO_LARGE when full. */
CU_MUST_USE cu_status cu_outbox_keep(const struct cu_outbox *box, struct cu_err *err);
void cu_outbox_close(struct cu_outbox *box);

/** The next record of a sequence; false at its end. */
bool cu_outbox_next(struct cu_span records, size_t *io_at, struct cu_span *ret_record);
/** Keep a record that the ledger refused for good, as outbox/refused-<id>. */
CU_MUST_USE cu_status cu_outbox_refused(struct cu_place *p, const cu_hash *id, struct cu_span record, struct cu_err *err);

/** The file's bytes. CORRUPT unless they are as they were written. Pure. */
CU_MUST_USE cu_status cu_pending_read(struct cu_span file, uint64_t *ret_highest, struct cu_span *ret_records, struct cu_err *err);
CU_MUST_USE cu_status cu_pending_write(uint64_t highest, struct cu_span records, struct cu_buf *ret, struct cu_err *err);
/** What is still whole of a damaged one, as a file. */
CU_MUST_USE cu_status cu_pending_salvage(struct cu_span file, struct cu_buf *ret, struct cu_err *err);

/** A claim file: what `custody claim` writes at the scene. */
struct cu_claim_file { struct cu_span claim, salt, details, path; };
extern const struct cu_schema cu_claim_file_schema;
/** The claim of a recorded deposit as a claim file, with what its depositor wrote. ret_claim (NULL: not wanted): its numbers and hashes; what
 *  it points at is gone. */
CU_MUST_USE cu_status cu_claim_file_of(struct cu_place *p, cu_seq seq, struct cu_buf *ret, struct cu_claim *ret_claim, struct cu_err *err);
/** A statement over a claim, as a record with what belongs to the claim: salt, details and (p NULL: none) content. (say.c) */
CU_MUST_USE cu_status cu_say_over(struct cu_place *p, enum cu_kind kind, void *body, enum cu_signer by, const struct cu_claim_file *parts,
                                  struct cu_span content, struct cu_buf *ret_record, struct cu_err *err);

/** Of a ledger elsewhere: a deposit on its way to it. `asked` is what somebody wanted: whoever wants the same goes on with this. Then the claim
 *  file, and the accepted record, n == 0 until it is there. */
struct cu_carried { cu_hash asked; struct cu_span claim_file, record; };
extern const struct cu_schema cu_carried_schema;
/** The one that was asked for; its spans point into the box. */
bool cu_outbox_carried(const struct cu_outbox *box, const cu_hash *asked, struct cu_carried *ret);
/** Put it there, in place of the one that was; or (`gone`) take it out. Counts from keep on. */
CU_MUST_USE cu_status cu_outbox_carry(struct cu_outbox *box, const struct cu_carried *c, bool gone, struct cu_err *err);
/** The one whose claim has that number is given up; fine when there is none. */
CU_MUST_USE cu_status cu_outbox_give_up(struct cu_outbox *box, uint64_t serial, struct cu_err *err);

#endif
