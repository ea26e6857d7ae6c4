/* What CometBFT reports of validators in the blocks that were decided, until it is on record in the log.
 *
 * Durable before FinalizeBlock is answered: a file of a height's form (docs/formats/chain.md), replaced as a whole. */
#ifndef CU_COMETBFT_REPORTS_H
#define CU_COMETBFT_REPORTS_H

#include "engine/cometbft/abci.h"
#include "ports/engine.h"
#include "ports/fs.h"

#define CU_REPORTS_MAX 256u /* that wait; further ones are about somebody who is known by then */

struct cu_reports;
/** What waits in `dir`, which is there. A file that is not valid counts as none: the others have it, too. */
CU_MUST_USE cu_status cu_reports_open(const struct cu_fs *fs, const char *dir, struct cu_reports **ret, struct cu_err *err);
/** What a block brings along, each once. */
CU_MUST_USE cu_status cu_reports_add(struct cu_reports *r, const struct cu_pb_list *misbehavior, struct cu_err *err);
/** The oldest; false: none. Any thread. */
bool cu_reports_first(struct cu_reports *r, struct cu_misbehaviour *ret);
CU_MUST_USE cu_status cu_reports_done(struct cu_reports *r, const struct cu_misbehaviour *what, struct cu_err *err);
void cu_reports_close(struct cu_reports *r); /* NULL is fine */

#endif
