/* The ledger: step(state, record) → status and changes. Pure and deterministic: no clock, no randomness, no I/O but reading and
 * keeping its own state through ports/fs.h. The rules are numbered at the top of step.c; docs/formats/state.md lists tables,
 * keys and values. */
#ifndef CU_LEDGER_LEDGER_H
#define CU_LEDGER_LEDGER_H

#include "custody/member.h"
#include "ports/fs.h"
#include "ports/machine.h"

struct cu_ledger;

/** Open the state that lies under `dir` of `fs` (snapshot and delta; nothing there is a fresh, empty ledger). The state it opens
 *  with is tied to (size, root), which `tip` tells; what the log has beyond that must be replayed. CORRUPT: checksum, shape or
 *  tie is wrong — reindex. NEWER_FORMAT.  `fs` NULL: in memory only, empty. */
CU_MUST_USE cu_status cu_ledger_open(const struct cu_fs *fs, const char *dir, struct cu_ledger **ret, struct cu_err *err);
/** The same folder without looking at what lies there: for reindex when `open` said CORRUPT. As after `reset`. */
CU_MUST_USE cu_status cu_ledger_open_afresh(const struct cu_fs *fs, const char *dir, struct cu_ledger **ret, struct cu_err *err);
/** When the state is not the log's: may it be made anew without a word? Yes when its last writer was interrupted, or when nothing
 *  lies there; no when it was closed cleanly, or its mark is damaged: then the difference is a finding. */
bool cu_ledger_may_rebuild(const struct cu_fs *fs, const char *dir);
/** Start over from nothing under the same folder: for reindex. Nothing durable changes before the next save. */
CU_MUST_USE cu_status cu_ledger_reset(struct cu_ledger *l, struct cu_err *err);
/** When the last `save` of this process left nothing unsaved, also marks the state as closed cleanly. */
void cu_ledger_close(struct cu_ledger *l);
struct cu_machine cu_ledger_machine(struct cu_ledger *l);

/** Told by each commit that changed members or policy, with how they were, before anything is built on it; `size`: of the log, its block included.
 *  An error is the commit's: the ledger must be opened anew. */
typedef cu_status cu_ledger_changed(void *arg, const struct cu_members *before, const struct cu_members *now, cu_size size, struct cu_err *err);
void cu_ledger_watch(struct cu_ledger *l, cu_ledger_changed *changed, void *arg);

/** SHA-256 over every (table, key, value) in order: two ledgers with the same digest answer everything alike. O(state). */
CU_MUST_USE cu_status cu_ledger_state_hash(struct cu_ledger *l, cu_hash *ret, struct cu_err *err);
cu_hash cu_ledger_digest(const struct cu_ledger *l); /* the chained state digest of the newest block */
/** Re-read every byte of the saved state and check it: CORRUPT names the file. For `check`, with `cu_ledger_state_hash` of a
 *  replay to compare with. After an unclean end the rest of an interrupted save carries no meaning and is passed over. */
CU_MUST_USE cu_status cu_ledger_state_check(const struct cu_fs *fs, const char *dir, struct cu_tip *ret_tip, cu_hash *ret_hash,
    struct cu_err *err);

/** Does this program know the rules by which heights are judged from this one on? NEWER_FORMAT: no, and what to do. */
CU_MUST_USE cu_status cu_rules_known(uint64_t version, uint64_t height, struct cu_err *err);

/* Questions. Not while a batch is open. */
const struct cu_members *cu_ledger_members(const struct cu_ledger *l);
/** With what the open batch changed: before it is committed, or abandoned. */
const struct cu_members *cu_ledger_members_next(const struct cu_ledger *l);
const struct cu_policy *cu_ledger_policy(const struct cu_ledger *l);
/** The newest block entry: what a statement signed now should have seen. NOT_FOUND before the first. */
CU_MUST_USE cu_status cu_ledger_newest_block(struct cu_ledger *l, struct cu_seen *ret, struct cu_err *err);
/** Where a statement stands. Of a claim: its newest outcome, refusal or deposit; a claim that was only voided is NOT_FOUND. */
struct cu_recorded { cu_seq seq; enum cu_kind kind; uint64_t exhibit; };
/* NOT_FOUND */
CU_MUST_USE cu_status cu_ledger_statement(struct cu_ledger *l, const cu_hash *id, struct cu_recorded *ret, struct cu_err *err);
/** Serial numbers of a key: the lowest open one and the highest taken (0: none). */
struct cu_serials { uint64_t lowest_open, highest; };
CU_MUST_USE cu_status cu_ledger_serials(struct cu_ledger *l, const cu_hash *kid, struct cu_serials *ret, struct cu_err *err);
/** Who holds this number: the claim's id (zero for a void without one). NOT_FOUND: it is open. */
CU_MUST_USE cu_status cu_ledger_serial(struct cu_ledger *l, const cu_hash *kid, uint64_t serial, cu_hash *ret_id,
    struct cu_err *err);
CU_MUST_USE cu_status cu_ledger_case(struct cu_ledger *l, const cu_case_id *id, uint64_t *ret_deposits, cu_seq *ret_seq,
    struct cu_err *err); /* NOT_FOUND */
/** What became of a notice: positions are 0 where there is nothing. `root`: over the ids of the deposits that name it, in log order.
 *  NOT_FOUND */
struct cu_notice_standing { uint64_t seq, organisation, provider, deadline, acknowledged, deposits, answered, reason, timed_out; cu_hash root; };
CU_MUST_USE cu_status cu_ledger_notice(struct cu_ledger *l, const cu_hash *id, struct cu_notice_standing *ret, struct cu_err *err);
/** The true inventory of a case or a key as of the newest block: fills seen (that block), n, root, last, and
 *  `open` with memory from `mem`. UNKNOWN_CASE; TOO_LARGE when more numbers are open than an inventory holds. */
CU_MUST_USE cu_status cu_ledger_inventory(struct cu_ledger *l, struct cu_inventory *io, struct cu_buf *mem, struct cu_err *err);

#endif
