/* What a node submits: its records packed into transactions, on their way until the chain has decided. */
#ifndef CU_COMETBFT_SUBMIT_H
#define CU_COMETBFT_SUBMIT_H

#include "engine/cometbft/chain.h"
#include "ports/world.h"

struct cu_sender_config {
    const struct cu_fs *fs;
    const char *dir; /* the chain's: "node/chain", where `outbox-0` and others lie */
    struct cu_random random;
    unsigned wait_ms, resend_ms; /* 0: CU_CHAIN_WAIT_MS, CU_CHAIN_RESEND_MS */
    /* Hand a transaction to the consensus engine. An error: it did not take it; it comes again. One call at a time. */
    cu_status (*broadcast)(void *arg, struct cu_span tx, struct cu_err *err);
    void *arg;
};

struct cu_sender;
/** What an earlier process left on its way is read. The chain's listener comes first, the chain after it: nothing is sent before `start`. */
CU_MUST_USE cu_status cu_sender_new(const struct cu_sender_config *config, struct cu_sender **ret, struct cu_err *err);
struct cu_chain_listener cu_sender_listener(struct cu_sender *s);
CU_MUST_USE cu_status cu_sender_start(struct cu_sender *s, struct cu_chain *chain, struct cu_err *err);
/** As of an engine: waits until all are decided and those admitted are dated. INTERRUPTED: not within wait_ms; what was taken stays on its
 *  way, over the end of the process too. BUSY: nothing was taken, for the chain has stood still since. */
CU_MUST_USE cu_status cu_sender_submit(struct cu_sender *s, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err);
/** Transactions on their way. */
unsigned cu_sender_flight(struct cu_sender *s);
void cu_sender_stop(struct cu_sender *s); /* whoever waits is told INTERRUPTED */
void cu_sender_free(struct cu_sender *s); /* when the chain is closed */

#endif
