/* The second engine: one organisation's share of a chain that CometBFT orders. What stands above cannot tell it from the embedded one. */
#ifndef CU_COMETBFT_H
#define CU_COMETBFT_H

#include "engine/cometbft/chain.h"
#include "ports/world.h"

#define CU_COMETBFT_HEIGHTS "node/chain"
#define CU_COMETBFT_VOTES "node/cosigner/votes" /* beside what the cosigner signed */

struct cu_cometbft_config {
    struct cu_engine store;     /* an embedded engine, opened; ours from now on, whatever `open` returns */
    const struct cu_fs *fs;
    struct cu_machine machine;  /* the store's */
    struct cu_span origin;
    cu_hash network;
    struct cu_random random;
    unsigned workers;
    bool accelerate;
    struct cu_span peers;       /* CometBFT's ids of the nodes that may be this one's peers, one behind the other; n == 0: any */
    struct cu_span others;      /* whom it dials at first, as cu_comet_others writes them with quotes */
    const char *home;           /* CometBFT's folder, as the system names it; the sockets lie there: app.sock and rpc.sock */
    const char *program;        /* CometBFT; NULL: somebody else runs it there */
    struct cu_voter_config voter;  /* chain, alarm and arg are the engine's. key NULL: CometBFT has the validator's key itself */
    void (*log)(void *arg, const char *line); /* what CometBFT writes; any thread */
    void *arg;
};
CU_MUST_USE cu_status cu_cometbft_open(const struct cu_cometbft_config *config, struct cu_engine *ret, struct cu_err *err);
/** OK while the engine works. Else what ended it for good, and what somebody has to do. */
CU_MUST_USE cu_status cu_cometbft_works(const struct cu_engine *engine, struct cu_err *err);
void cu_cometbft_again(const struct cu_engine *engine); /* CometBFT is started anew, by what its folder has now */

/** Who its persistent peers are from now on (cu_comet_others, with quotes): whom of these it has not, it dials, as soon as it runs. */
void cu_cometbft_dial(const struct cu_engine *engine, struct cu_span peers);

/* ---- what CometBFT finds in its folder (home.c) ---- */
struct cu_comet_peer { const uint8_t *validator, *node; /* public keys, 32 bytes */ struct cu_span at; /* HOST:PORT */ };
/** genesis.json: every organisation a validator of equal power. */
void cu_comet_genesis(const cu_hash *network, cu_unix_ms time, struct cu_span founding, const struct cu_comet_peer *peers, size_t n, struct cu_buf *ret);
/** config.toml of peers[own] (n: of none of them), which is reached at `at`: limits that are equal on all nodes; `listen`: where that is here. */
void cu_comet_settings(const struct cu_comet_peer *peers, size_t n, size_t own, struct cu_span at, struct cu_span listen, struct cu_buf *ret);
/** All but peers[own], as CometBFT is told whom to dial: `id@host:port`, commas between, each in `quote`. */
void cu_comet_others(const struct cu_comet_peer *peers, size_t n, size_t own, const char *quote, struct cu_buf *ret);
/** CometBFT's ids of the peers, one behind the other. */
void cu_comet_ids(const struct cu_comet_peer *peers, size_t n, struct cu_buf *ret);
/** node_key.json. The buffer holds a secret afterwards. */
CU_MUST_USE cu_status cu_comet_node_key(const struct cu_private_key *key, struct cu_buf *ret, struct cu_err *err);
/** CometBFT's chain id of a network. */
void cu_comet_chain_id(const cu_hash *network, char ret[48]);
#define CU_COMET_SIGNER "signer.sock" /* where it asks for signatures */

#endif
