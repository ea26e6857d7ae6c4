/* The consensus engine as a child process: started, heard, started again, stopped. */
#ifndef CU_COMETBFT_CHILD_H
#define CU_COMETBFT_CHILD_H

#include "custody/types.h"

struct cu_child_config {
    const char *program; /* found in PATH unless it has a slash */
    const char *home;    /* its folder, in which it runs */
    void (*log)(void *arg, const char *line); /* what it writes, line by line; any thread */
    bool (*begun)(void *arg);                 /* did the chain decide anything here, or this node vote? Before, its files hold nothing; its thread */
    /* Starting it again does not mend this. Its thread; once. */
    void (*alarm)(void *arg, const struct cu_err *why);
    void *arg;
};
struct cu_child;
/** Starts it, and again whenever it ends. It does not outlive this process. NOT_FOUND: there is no such program. */
CU_MUST_USE cu_status cu_child_start(const struct cu_child_config *config, struct cu_child **ret, struct cu_err *err);
/** SIGTERM, and SIGKILL when it has not ended in CU_CHAIN_STOP_MS. NULL is fine. */
void cu_child_stop(struct cu_child *c);
void cu_child_again(struct cu_child *c); /* it is ended, and started again as whenever it ends. NULL is fine */
/** What a line of its says for whoever has to act, when restarting does not mend what it tells; NULL: it does, or nothing is broken. Pure. */
const char *cu_child_beyond_restart(struct cu_span line);

#endif
