/* Open addressing over an array of rows; their bytes lie in blocks that never move.
 *
 * (1) slots_n is 0 or a power of two, at least twice n: a probe ends.
 * (2) A row's first change in a batch pushes its old value onto the undo log; later ones overwrite in place. So undoing from
 *     the newest to the oldest leaves every row as the batch found it.
 * (3) Rows are never removed: a row whose first put was undone stays with here == false and is as if absent.
 */
#include "ledger/map.h"

#include <stdlib.h>

#define BLOCK_BYTES (256u * 1024)
#define OLD_MAX (1u << 30)

struct cu_block_of_rows {
    struct cu_block_of_rows *next;
    size_t used;
    uint8_t bytes[BLOCK_BYTES];
};

void cu_map_init(struct cu_map *map) { *map = (struct cu_map){ .old = cu_buf_heap(OLD_MAX) }; }

static void free_blocks(struct cu_map *map)
{
    for (struct cu_block_of_rows *b = map->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    map->blocks = NULL;
}

void cu_map_free(struct cu_map *map)
{
    free_blocks(map);
    free(map->rows);
    free(map->slots);
    free(map->undo);
    free(map->unsaved.at);
    cu_buf_free(&map->old);
    *map = (struct cu_map){ 0 };
}

void cu_map_clear(struct cu_map *map)
{
    cu_map_free(map);
    cu_map_init(map);
}

static uint32_t hash_of(struct cu_span key)
{
    uint64_t h = key.n * UINT64_C(0x9e3779b97f4a7c15), word;

    for (size_t at = 0; at < key.n; at += sizeof word) {
        size_t n = key.n - at < sizeof word ? key.n - at : sizeof word;
        word = 0;
        memcpy(&word, key.p + at, n);
        h = (h ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
        h ^= h >> 29;
    }
    return (uint32_t)(h >> 16);
}

/* The slot where the key is, or the free one where it would be. */
static size_t slot_of(const struct cu_map *map, struct cu_span key, uint32_t hash)
{
    size_t i = hash & (map->slots_n - 1);

    for (; map->slots[i]; i = (i + 1) & (map->slots_n - 1)) { /* by (1) */
        const struct cu_row *row = &map->rows[map->slots[i] - 1];
        if (row->hash == hash && row->key_n == key.n && memcmp(row->bytes, key.p, key.n) == 0) break;
    }
    return i;
}

struct cu_span cu_map_find(const struct cu_map *map, struct cu_span key)
{
    if (map->slots_n == 0) return CU_SPAN_EMPTY;
    size_t slot = slot_of(map, key, hash_of(key));
    const struct cu_row *row = map->slots[slot] ? &map->rows[map->slots[slot] - 1] : NULL;
    return row && row->here ? cu_row_value(row) : CU_SPAN_EMPTY; /* by (3) */
}

/* ---- memory -------------------------------------------------------------------------------------------------------- */

/* Room for one more of `size` bytes in an array: doubled when full. */
static bool reserve(void **array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) return true;
    size_t more = *cap ? *cap * 2 : 256;
    void *p = realloc(*array, more * size);
    if (!p) return false;
    *array = p;
    *cap = more;
    return true;
}

static bool reserve_slots(struct cu_map *map)
{
    if ((map->n + 1) * 2 <= map->slots_n) return true;
    size_t n = map->slots_n ? map->slots_n * 2 : 1024;
    uint32_t *slots = calloc(n, sizeof *slots);
    if (!slots) return false;
    free(map->slots);
    map->slots = slots;
    map->slots_n = n;
    for (size_t r = 0; r < map->n; r++) {
        size_t i = map->rows[r].hash & (n - 1);
        while (slots[i]) i = (i + 1) & (n - 1);
        slots[i] = (uint32_t)r + 1;
    }
    return true;
}

static uint8_t *take(struct cu_map *map, size_t n)
{
    if (!map->blocks || map->blocks->used + n > BLOCK_BYTES) {
        struct cu_block_of_rows *b = malloc(sizeof *b);
        if (!b) return NULL;
        b->next = map->blocks;
        b->used = 0;
        map->blocks = b;
    }
    map->blocks->used += n;
    return map->blocks->bytes + map->blocks->used - n;
}

/* ---- changes ------------------------------------------------------------------------------------------------------- */

static struct cu_row *add_row(struct cu_map *map, struct cu_span key, uint32_t hash, size_t slot, size_t room)
{
    uint8_t *bytes = take(map, key.n + room);

    if (!bytes || !reserve((void **)&map->rows, map->n, &map->cap, sizeof *map->rows)) return NULL;
    memcpy(bytes, key.p, key.n);
    map->rows[map->n] = (struct cu_row){ .bytes = bytes, .hash = hash, .room = (uint16_t)room, .key_n = (uint8_t)key.n };
    map->slots[slot] = (uint32_t)++map->n;
    return &map->rows[map->n - 1];
}

static bool make_room(struct cu_map *map, struct cu_row *row, size_t n)
{
    if (n <= row->room) return true;
    uint8_t *bytes = take(map, row->key_n + n);
    if (!bytes) return false;
    memcpy(bytes, row->bytes, (size_t)row->key_n + row->value_n);
    row->bytes = bytes;
    row->room = (uint16_t)n;
    return true;
}

static bool remember(struct cu_map *map, struct cu_row *row)
{
    if (row->touched) return true; /* (2) */
    if (!reserve((void **)&map->undo, map->undo_n, &map->undo_cap, sizeof *map->undo)) return false;
    cu_buf_add(&map->old, cu_row_value(row));
    if (cu_buf_ok(&map->old, NULL) != CU_OK) return false;
    map->undo[map->undo_n++] = (struct cu_undo){ .row = (uint32_t)(row - map->rows), .value_n = row->value_n, .here = row->here };
    row->touched = true;
    return true;
}

cu_status cu_map_put(struct cu_map *map, struct cu_span key, struct cu_span value, struct cu_err *err)
{
    uint32_t hash = hash_of(key);
    struct cu_row *row = NULL;

    CU_ASSERT(key.n > 0 && key.n <= CU_ROW_KEY_MAX && value.n <= CU_ROW_VALUE_MAX);
    ENSURE(map->n < UINT32_MAX && reserve_slots(map), err, CU_NO_MEMORY, "no memory for %zu rows of state", map->n);
    size_t slot = slot_of(map, key, hash), room = (value.n + 15) & ~(size_t)15;
    if (map->slots[slot]) row = &map->rows[map->slots[slot] - 1];
    else row = add_row(map, key, hash, slot, room);
    ENSURE(row && make_room(map, row, room) && remember(map, row), err, CU_NO_MEMORY, "no memory for %zu rows of state", map->n);

    memcpy(row->bytes + row->key_n, value.p, value.n);
    row->value_n = (uint16_t)value.n;
    row->here = true;
    return CU_OK;
}

/* ---- the end of a batch -------------------------------------------------------------------------------------------- */

cu_status cu_map_keep(struct cu_map *map, struct cu_err *err)
{
    while (map->unsaved.n + map->undo_n > map->unsaved.cap)
        ENSURE(reserve((void **)&map->unsaved.at, map->unsaved.cap, &map->unsaved.cap, sizeof *map->unsaved.at), err,
               CU_NO_MEMORY, "no memory for %zu rows of state", map->n);
    for (size_t i = 0; i < map->undo_n; i++) {
        struct cu_row *row = &map->rows[map->undo[i].row];
        row->touched = false;
        if (row->unsaved) continue;
        row->unsaved = true;
        map->unsaved.at[map->unsaved.n++] = map->undo[i].row;
    }
    map->undo_n = 0;
    cu_buf_clear(&map->old);
    return CU_OK;
}

void cu_map_undo(struct cu_map *map)
{
    size_t end = 0;

    for (size_t i = 0; i < map->undo_n; i++) end += map->undo[i].value_n;
    while (map->undo_n > 0) {
        const struct cu_undo *undo = &map->undo[--map->undo_n];
        struct cu_row *row = &map->rows[undo->row];
        end -= undo->value_n;
        if (undo->value_n) memcpy(row->bytes + row->key_n, map->old.p + end, undo->value_n);
        row->value_n = undo->value_n;
        row->here = undo->here;
        row->touched = false;
    }
    cu_buf_clear(&map->old);
}

void cu_map_saved(struct cu_map *map)
{
    for (size_t i = 0; i < map->unsaved.n; i++) map->rows[map->unsaved.at[i]].unsaved = false;
    map->unsaved.n = 0;
}

/* ---- in order ------------------------------------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b)
{
    return cu_span_cmp(cu_row_key(*(const struct cu_row *const *)a), cu_row_key(*(const struct cu_row *const *)b));
}

cu_status cu_map_sorted(const struct cu_map *map, const struct cu_row ***ret, size_t *ret_n, struct cu_err *err)
{
    const struct cu_row **rows = malloc((map->n + 1) * sizeof *rows);
    size_t n = 0;

    ENSURE(rows, err, CU_NO_MEMORY, "no memory to sort %zu rows of state", map->n);
    for (size_t i = 0; i < map->n; i++)
        if (map->rows[i].here) rows[n++] = &map->rows[i];
    qsort(rows, n, sizeof *rows, by_key);
    *ret = rows;
    *ret_n = n;
    return CU_OK;
}
