/* Asking the consensus engine over its RPC, on a Unix socket that nobody else reaches. */
#ifndef CU_COMETBFT_RPC_H
#define CU_COMETBFT_RPC_H

#include "custody/types.h"

#define CU_RPC_ANSWER_MAX 65536u
#define CU_RPC_DUMP_MAX (64u << 20) /* the block under way is in it */

/** Hand over one transaction, without waiting for what becomes of it. OK also when the engine has it already. IO: it was not taken; try again. */
CU_MUST_USE cu_status cu_rpc_broadcast(const char *socket, struct cu_span tx, struct cu_err *err);
/** Judge the answer to that, head and body. Pure. */
CU_MUST_USE cu_status cu_rpc_answer(struct cu_span answer, struct cu_err *err);

/** These, `"id@host:port"` with commas between, are its persistent peers from now on, and no others; those that it has not are dialled. OK: it was told; it
 *  takes it if its settings allow that. */
CU_MUST_USE cu_status cu_rpc_dial(const char *socket, struct cu_span peers, struct cu_err *err);

/** At which heights its peers are, as it has heard: at most `max` of them. */
CU_MUST_USE cu_status cu_rpc_peers(const char *socket, uint64_t *ret, size_t max, size_t *ret_n, struct cu_err *err);
/** Those in the answer to that. Pure. */
size_t cu_rpc_peers_in(struct cu_span answer, uint64_t *ret, size_t max);

/** Whom CometBFT lacks it may have forgotten: one who refused it is not dialled again when its refusal and the end of the dialling before meet, and one
 *  who was away for long only after as long again (its p2p/switch.go, reconnectToPeer). So they are dialled from here, ever more seldom; and soon once
 *  more when somebody came, for who was let in by one is let in by others. */
#define CU_DIAL_FIRST_MS 5000u
#define CU_DIAL_LAST_MS 300000u
struct cu_dialling { size_t had; uint64_t pause_ms, due_ms; }; /* zeros */
/** It has `n` peers of so many others: is it time? Pure. */
bool cu_dialling_due(struct cu_dialling *d, size_t n, size_t others, uint64_t now_ms);

#endif
