/* Asking the consensus engine over its RPC, on a Unix socket that nobody else reaches. */
#ifndef CU_COMETBFT_RPC_H
#define CU_COMETBFT_RPC_H

#include "custody/types.h"

#define CU_RPC_ANSWER_MAX 65536u

/** Hand over one transaction, without waiting for what becomes of it. OK also when the engine has it already. IO: it was not taken; try again. */
CU_MUST_USE cu_status cu_rpc_broadcast(const char *socket, struct cu_span tx, struct cu_err *err);
/** Judge the answer to that, head and body. Pure. */
CU_MUST_USE cu_status cu_rpc_answer(struct cu_span answer, struct cu_err *err);

#endif
