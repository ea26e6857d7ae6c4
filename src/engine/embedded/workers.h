/* Who prepares submissions: a few lanes, each with its own verifier. */
#ifndef CU_EMBEDDED_WORKERS_H
#define CU_EMBEDDED_WORKERS_H

#include "ports/machine.h"

struct cu_pool;
/** `threads` lanes, the caller of cu_pool_prepare being one of them; at least that one. */
CU_MUST_USE cu_status cu_pool_new(struct cu_machine machine, unsigned threads, bool accelerate, struct cu_pool **ret, struct cu_err *err);
void cu_pool_prepare(struct cu_pool *pool, struct cu_submission *subs, size_t n); /* one call at a time */
void cu_pool_free(struct cu_pool *pool);

#endif
