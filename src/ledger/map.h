/* Rows in memory: key bytes → value bytes. Everything the state learnt since its snapshot, and an undo log for the open batch. */
#ifndef CU_LEDGER_MAP_H
#define CU_LEDGER_MAP_H

#include "custody/types.h"

#define CU_ROW_KEY_MAX 80
#define CU_ROW_VALUE_MAX 512

struct cu_row {
    uint8_t *bytes; /* the key, then room for `room` bytes of value */
    uint32_t hash;
    uint16_t value_n, room;
    uint8_t key_n;
    bool here;    /* false: it was put in a batch that was undone */
    bool touched; /* by the open batch */
    bool unsaved;
};
static inline struct cu_span cu_row_key(const struct cu_row *row) { return cu_span(row->bytes, row->key_n); }
static inline struct cu_span cu_row_value(const struct cu_row *row) { return cu_span(row->bytes + row->key_n, row->value_n); }

struct cu_list_of_rows { uint32_t *at; size_t n, cap; };
struct cu_undo { uint32_t row; uint16_t value_n; bool here; };
struct cu_block_of_rows;

struct cu_map {
    struct cu_row *rows;
    size_t n, cap;
    uint32_t *slots; /* row + 1; 0: free. A power of two of them, at most half taken */
    size_t slots_n;
    struct cu_block_of_rows *blocks; /* where rows' bytes live; never moved */
    struct cu_undo *undo;
    size_t undo_n, undo_cap;
    struct cu_buf old; /* the values that `undo` restores, in its order */
    struct cu_list_of_rows unsaved;
};

void cu_map_init(struct cu_map *map);
void cu_map_free(struct cu_map *map);
void cu_map_clear(struct cu_map *map); /* no row, nothing to undo, nothing unsaved */

/** The value, or a span with p == NULL: not here. Good until the next put. */
struct cu_span cu_map_find(const struct cu_map *map, struct cu_span key);
/** NO_MEMORY: nothing changed. */
CU_MUST_USE cu_status cu_map_put(struct cu_map *map, struct cu_span key, struct cu_span value, struct cu_err *err);
/** The batch is kept: its rows wait to be saved. NO_MEMORY: nothing changed, it is still open. */
CU_MUST_USE cu_status cu_map_keep(struct cu_map *map, struct cu_err *err);
void cu_map_undo(struct cu_map *map);
void cu_map_saved(struct cu_map *map); /* all rows are where they should be */

/** All rows that are here, in bytewise order of their keys: `*ret_n` pointers into the map, the caller frees the array. */
CU_MUST_USE cu_status cu_map_sorted(const struct cu_map *map, const struct cu_row ***ret, size_t *ret_n, struct cu_err *err);

#endif
