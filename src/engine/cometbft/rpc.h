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

#endif
