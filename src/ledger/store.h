/* The saved state: a snapshot, what came after it, and whether the last writer closed it. docs/formats/state.md */
#ifndef CU_LEDGER_STORE_H
#define CU_LEDGER_STORE_H

#include "ledger/state.h"

struct cu_store;

/** Read what lies under `dir` into an empty state and mark. Nothing there: both stay empty. CORRUPT, NEWER_FORMAT. */
CU_MUST_USE cu_status cu_store_open(const struct cu_fs *fs, const char *dir, struct cu_store **ret, struct cu_state *state, struct cu_mark *mark, struct cu_err *err);
/** The next save starts from nothing: what lies there is superseded then. NULL is fine, here and below. */
CU_MUST_USE cu_status cu_store_restart(struct cu_store *store, struct cu_err *err);
CU_MUST_USE cu_status cu_store_save(struct cu_store *store, struct cu_state *state, const struct cu_mark *mark, struct cu_err *err);
/** When everything is saved: leave the mark of a clean end. Errors leave an unclean one. */
void cu_store_close(struct cu_store *store, const struct cu_state *state);

#endif
