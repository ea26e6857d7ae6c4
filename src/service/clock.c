/* This machine's clock, beside what can be seen of others: a wrong one loses nothing, for records are dated by the ledger's blocks; but what is signed
 * here bears its time, and whoever reads a receipt is told that it does not fit. */
#include "service/place.h"

#include <stdio.h>

enum { OFF_S = 300 };

/* A log ends with the block that dates what stands before it. */
static int64_t behind_newest_block(struct cu_place *p)
{
    const uint64_t size = p->log.checkpoint.size.v;
    struct cu_span bytes;
    struct cu_entry e;

    if (size == 0 || cu_log_entry_unproven(&p->log, (cu_seq){ size - 1 }, &bytes, NULL) != CU_OK ||
        cu_entry_read(bytes, &e, NULL) != CU_OK || e.kind != CU_KIND_BLOCK)
        return 0;
    return ((int64_t)e.outer.body.block.closed - (int64_t)cu_place_now(p).v) / 1000;
}

void cu_clock_judge(struct cu_place *p, char ret[300])
{
    const struct cu_remote *node = &p->remote;
    const int64_t ahead = !node->ops ? behind_newest_block(p) : node->ops->ahead ? node->ops->ahead(node->self) : 0;
    const long long minutes = (ahead < 0 ? -ahead : ahead) / 60;

    ret[0] = 0;
    if (node->ops && (ahead >= OFF_S || ahead <= -OFF_S))
        snprintf(ret, 300,
                 "this machine's clock is %lld minutes %s the node's: what is signed here bears that time, and whoever reads a "
                 "receipt is told that it does not fit. Nothing is lost; set the clock",
                 minutes, ahead < 0 ? "ahead of" : "behind");
    if (!node->ops && ahead >= OFF_S)
        snprintf(ret, 300,
                 "this machine's clock is %lld minutes behind the newest block of the log: until it has caught up, records are "
                 "dated a millisecond after one another. Nothing is lost; set the clock",
                 minutes);
}
