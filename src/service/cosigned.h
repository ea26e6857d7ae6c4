/* Cosignatures of this ledger's own log, by size, whoever made them: what receipts are made of where the trust file asks for a quorum. */
#ifndef CU_SERVICE_COSIGNED_H
#define CU_SERVICE_COSIGNED_H

#include "custody/trust_chain.h"
#include "service/cosigner.h"
#include "service/place.h"

#include <pthread.h>

#define CU_DIR_COSIGNED "node/cosigned"
#define CU_DIR_COSIGNER "node/cosigner" /* the cosigner's state, where no other medium is named */
#define CU_FILE_COSIGN_KEY CU_DIR_KEYS "/cosign.pem"
#define CU_FILE_COSIGN_NEXT CU_DIR_KEYS "/cosign-next.pem" /* a key that may take its place */
#define CU_FILE_WITNESSED CU_DIR_TRUST "/witnessed" /* logs that are cosigned for others: a tlog-policy of log lines */

/** What is derived of the newest epoch: `policy` for stock tools, of the log keys with the first alone; and that key's line. */
CU_MUST_USE cu_status cu_trust_derived(const struct cu_trust *trust, struct cu_buf *ret_policy, struct cu_buf *ret_vkey, struct cu_err *err);

/** Does the trust file ask for cosignatures of a log of this size? */
bool cu_cosigned_needed(const struct cu_place *p, cu_size size);

/** Signatures that were verified lately: the same line comes from each peer, with each of its notes. Any thread; zeros, but for the lock. */
struct cu_cosigned_known {
    pthread_mutex_t lock;
    cu_hash good[1024];
};

/** Take in a signed note of this log: lines by keys that the trust file lists for its size are kept, each once, the others left out.
 *  *ret_more: there was one that was not known; *ret_met: with it the quorum is. The place's log is as of now.
 *
 *  OUT_OF_ORDER: it covers more than there is here yet. BAD_PROOF: its root is not that of this log: that is worse than an error.
 *  BAD_SIGNATURE, MALFORMED, UNTRUSTED (of another log; no listed key signed it; no epoch). */
CU_MUST_USE cu_status cu_cosigned_take(struct cu_place *p, struct cu_span note, bool *ret_more, bool *ret_met, struct cu_err *err);
/** Cosign a checkpoint of this node's own, whose log is durable and which the place's log has, and keep that: once, and again the same bytes. The note
 *  with that line is appended to ret. */
CU_MUST_USE cu_status cu_cosigned_own(struct cu_place *p, struct cu_cosigner *c, struct cu_span checkpoint, struct cu_buf *ret, bool *ret_more, bool *ret_met, struct cu_err *err);
/** What is kept of this size, appended. NOT_FOUND. */
CU_MUST_USE cu_status cu_cosigned_get(struct cu_place *p, cu_size size, struct cu_buf *ret, struct cu_err *err);
/** The smallest size from there on of which anything is kept. NOT_FOUND. */
CU_MUST_USE cu_status cu_cosigned_next(struct cu_place *p, cu_size from, cu_size *ret, struct cu_err *err);
/** The largest size with a quorum, looked for as far back as a restart may have missed; 0: none. */
cu_size cu_cosigned_newest(struct cu_place *p);
/** The first checkpoint with a quorum whose log has entry `covers`: the note as a receipt has it, of the log keys' lines the issuing
 *  node's alone. COSIGNATURES_MISSING. */
CU_MUST_USE cu_status cu_cosigned_pick(struct cu_place *p, cu_seq covers, struct cu_buf *ret_note, cu_size *ret, struct cu_err *err);

/* ---- others' signatures over another log (forks.c) ---- */
#define CU_DIR_FORKS "node/forks"
/** `note`, of this log's origin and as large or smaller, does not fit it: a fork proof of it and of this log's own checkpoint is kept, durable,
 *  each once. The place has its log key, or kept a checkpoint of that size. *ret_new: it was not known. */
CU_MUST_USE cu_status cu_fork_keep(struct cu_place *p, struct cu_span note, bool *ret_new, struct cu_err *err);
/** How many are kept; `each`, which may be NULL, is told their names. */
CU_MUST_USE cu_status cu_forks_list(const struct cu_place *p, uint64_t *ret_n, void (*each)(void *arg, const char *name), void *arg, struct cu_err *err);

/* ---- epochs (epoch.c) ---- */
/** Where the checkpoint with which an epoch ended is kept, as this node signed it: trust/last-<size>. */
void cu_epoch_last_path(cu_size size, char ret[64]);
/** It is a trust file, and it takes the place of the one that lies there, with what is derived of it. */
CU_MUST_USE cu_status cu_trust_replace(const struct cu_fs *fs, struct cu_span text, struct cu_err *err);

/* ---- outside witnesses (witnesses.c) ---- */
/** Ask each witness with an address of the newest epoch for its cosignature of the log as it is now, and take them in. What one refuses,
 *  or a silence, hinders no other: the first trouble comes back when the quorum is not met (*ret_met) by those who answered. */
CU_MUST_USE cu_status cu_witnesses_ask(struct cu_place *p, bool *ret_met, struct cu_err *err);
/** From the next size on the trust file lists this witness, at `url` (n == 0: it is not asked from here), and its quorum is `k` of all
 *  outside witnesses (0: all of them): a new epoch. Its derived files follow. DUPLICATE: it is listed. TOO_LARGE. */
CU_MUST_USE cu_status cu_witness_add(struct cu_place *p, struct cu_span vkey, struct cu_span url, uint64_t k, struct cu_err *err);

#endif
