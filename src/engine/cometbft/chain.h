/* The ledger as the application of CometBFT: blocks of transactions in, the embedded engine's store behind.
 *
 * Where a chain stands is one durable step a height (Commit): the height's file, which names height, time, size and root and holds the
 * records that were admitted. They become a batch of the store's journal, with their block entry, when the next height tells its time.
 * docs/formats/chain.md has the bytes. */
#ifndef CU_COMETBFT_CHAIN_H
#define CU_COMETBFT_CHAIN_H

#include "engine/cometbft/reports.h"
#include "engine/cometbft/server.h"
#include "engine/cometbft/voter.h"
#include "engine/embedded/embedded.h"

#define CU_CHAIN_FOUNDING_MAX (1u << 20) /* bytes of the records that a chain begins with */
#define CU_CHAIN_NONCE 8u /* bytes before a transaction's records: what was refused for its turn is sent again as another one */

/** Who is told what became of transactions, by the thread that consensus asks: he takes it down and returns. NULL: nobody. */
struct cu_chain_listener {
    void *self;
    /* A height was decided (it may be again, after the engine was started anew): these records of this transaction got these outcomes. */
    void (*judged)(void *self, struct cu_span tx, const struct cu_submission *subs, size_t n);
    void (*committed)(void *self, bool admitted); /* what was judged is durable; did the height admit anything? */
    void (*dated)(void *self, cu_seq block, cu_unix_ms closed); /* … and is in the log, under this block entry */
};

struct cu_chain_config {
    const struct cu_fs *fs;
    const char *dir;            /* of the heights' files: "node/chain", made when it is not there */
    struct cu_engine *store;    /* an embedded engine, opened, to which nobody else submits */
    struct cu_machine machine;  /* the store's */
    struct cu_span origin;
    unsigned workers;           /* threads that check signatures at once */
    bool accelerate;
    struct cu_chain_listener listener;
    struct cu_span peers;       /* ids of nodes that may be peers, beside those of the ledger's; one behind the other; n == 0: any */
    struct cu_voter *voter;    /* is told who voted; NULL: the votes are signed elsewhere */
};

struct cu_chain;
/** Find where the chain stands. CORRUPT when heights and store contradict one another. */
CU_MUST_USE cu_status cu_chain_open(const struct cu_chain_config *config, struct cu_chain **ret, struct cu_err *err);
void cu_chain_close(struct cu_chain *c);
struct cu_abci_application cu_chain_application(struct cu_chain *c);
/** Form, attachments, signatures: what CheckTx will find. */
void cu_chain_prepare(struct cu_chain *c, struct cu_submission *subs, size_t n);
/** Every record of this transaction was: it is not verified again. */
void cu_chain_verified(struct cu_chain *c, const cu_hash *tx);

void cu_chain_at(struct cu_chain *c, uint64_t *ret_height, cu_unix_ms *ret_time); /* the last one that is committed */

struct cu_reports *cu_chain_reports(struct cu_chain *c);

/** What CometBFT is told of a state: see docs/formats/chain.md. */
cu_hash cu_chain_app_hash(struct cu_span checkpoint);
/** What CometBFT calls a node, or a validator, of this key: 40 digits. */
void cu_comet_address(const uint8_t *pub, struct cu_buf *out);

/** The last committed height, as its file has it. */
struct cu_height {
    uint64_t height;    /* 0: none */
    cu_unix_ms time;
    cu_size size;       /* of the log, with this height's records, without the block entry that will close them */
    cu_hash root;
    uint32_t count;     /* of records */
    struct cu_span records;
};
#define CU_HEIGHT_HEADER 112u
void cu_height_put(const struct cu_height *h, struct cu_buf *out);
/** CORRUPT; NEWER_FORMAT. */
CU_MUST_USE cu_status cu_height_read(struct cu_span bytes, struct cu_height *ret, struct cu_err *err);

#endif
