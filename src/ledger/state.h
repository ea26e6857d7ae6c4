/* The state as rows: looked up, changed within a batch, kept or undone, digested, saved and opened again. Trouble (damage, no
 * memory, no disk) is sticky: rows are then as if absent, and whoever asked for the batch looks at `trouble` once, at its end. */
#ifndef CU_LEDGER_STATE_H
#define CU_LEDGER_STATE_H

#include "custody/tree.h"
#include "ledger/rows.h"
#include "ports/fs.h"

struct cu_snapshot;

struct cu_state {
    struct cu_map map;            /* what the rest does not have, or not so */
    struct cu_map frozen;         /* what the snapshot does not have, or not so, and the next one will; nobody changes it */
    struct cu_snapshot *snapshot; /* NULL: none */
    struct cu_buf changes;        /* of the open batch: [table, key, value] one after another */
    uint64_t changes_n;
    cu_status trouble;
    struct cu_err why;
};

/** Where the log stands after a batch: what a saved state is tied to. */
struct cu_mark {
    struct cu_frontier frontier;
    uint64_t height, closed; /* of the newest block; 0: none yet */
    struct cu_seen block;    /* it */
    cu_hash digest;
};

/* Canonical CBOR, one array. */
#define CU_MARK_MAX 2304
void cu_mark_put(const struct cu_mark *mark, struct cu_buf *out);
CU_MUST_USE cu_status cu_mark_read(struct cu_span bytes, struct cu_mark *ret, struct cu_err *err);

void cu_state_init(struct cu_state *s);
void cu_state_free(struct cu_state *s);

/** Everything that the map has is frozen, over what was frozen before. NO_MEMORY: some rows are in both, which does no harm. */
CU_MUST_USE cu_status cu_state_freeze(struct cu_state *s, struct cu_err *err);
/** The snapshot has all that was frozen. */
void cu_state_thaw(struct cu_state *s, struct cu_snapshot *fresh);

bool cu_state_has(struct cu_state *s, struct cu_row_at at);
/** False: no such row. Spans in `*ret` are good until the next call. */
bool cu_state_get(struct cu_state *s, struct cu_row_at at, void *ret);
void cu_state_put(struct cu_state *s, struct cu_row_at at, const void *row);

/** SHA-256("custody/state/v1\n" ‖ previous ‖ array of the batch's changes in the order of their puts). */
cu_hash cu_state_digest(const struct cu_state *s, const cu_hash *previous);
CU_MUST_USE cu_status cu_state_keep(struct cu_state *s, struct cu_err *err);
void cu_state_undo(struct cu_state *s); /* and forget trouble */
CU_MUST_USE cu_status cu_state_trouble(const struct cu_state *s, struct cu_err *err);

/** Every row in bytewise order of (table, key); `walk_frozen`: but for those of the map. */
typedef cu_status cu_state_each(void *arg, struct cu_span key, struct cu_span value, struct cu_err *err);
CU_MUST_USE cu_status cu_state_walk(const struct cu_state *s, cu_state_each *each, void *arg, struct cu_err *err);
CU_MUST_USE cu_status cu_state_walk_frozen(const struct cu_state *s, cu_state_each *each, void *arg, struct cu_err *err);
/** SHA-256 over the mark and every row. */
CU_MUST_USE cu_status cu_state_hash(struct cu_state *s, const struct cu_mark *mark, cu_hash *ret, struct cu_err *err);

#endif
