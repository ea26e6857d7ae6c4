/* Open addressing; names are digests, so any bytes of one are as good as a hash of it: eight say where to look, four others stand in the
 * slot, so that hardly ever another row is looked at than the one that is asked for. */
#include "service/census.h"

#include <stdlib.h>

static bool is(const struct cu_census_row *row, enum cu_object_kind kind, const cu_hash *name)
{
    return row->kind == kind && cu_hash_eq(&row->name, name);
}

static uint64_t tag_of(const cu_hash *name) { return cu_be32(name->b + 8); }
static uint64_t slot_for(const cu_hash *name, size_t row) { return tag_of(name) << 32 | (row + 1); }
static size_t row_in(uint64_t slot) { return (uint32_t)slot - 1; }

/* The slot where it is, or the free one where it would be. */
static size_t slot_of(const struct cu_census *c, enum cu_object_kind kind, const cu_hash *name)
{
    size_t i = cu_be64(name->b) & (c->slots_n - 1);

    while (c->slots[i] && (c->slots[i] >> 32 != tag_of(name) || !is(&c->rows[row_in(c->slots[i])], kind, name)))
        i = (i + 1) & (c->slots_n - 1);
    return i;
}

const struct cu_census_row *cu_census_find(const struct cu_census *c, enum cu_object_kind kind, const cu_hash *name)
{
    if (c->slots_n == 0) return NULL;
    const uint64_t slot = c->slots[slot_of(c, kind, name)];
    return slot ? &c->rows[row_in(slot)] : NULL;
}

static bool room(void **p, size_t *cap, size_t n, size_t each)
{
    if (n < *cap) return true;
    const size_t more = *cap ? *cap * 2 : 256;
    void *grown = realloc(*p, more * each);
    if (!grown) return false;
    *p = grown;
    *cap = more;
    return true;
}

static bool room_for_slots(struct cu_census *c)
{
    if ((c->n + 1) * 4 <= c->slots_n * 3) return true;
    const size_t n = c->slots_n ? c->slots_n * 2 : 1024;
    uint64_t *slots = calloc(n, sizeof *slots);
    if (!slots || n > UINT32_MAX) return free(slots), false;
    for (size_t row = 0; row < c->n; row++) { /* each is there once */
        size_t i = cu_be64(c->rows[row].name.b) & (n - 1);
        while (slots[i]) i = (i + 1) & (n - 1);
        slots[i] = slot_for(&c->rows[row].name, row);
    }
    free(c->slots);
    c->slots = slots;
    c->slots_n = n;
    return true;
}

static bool room_for_one(struct cu_census *c)
{
    void *rows = c->rows;
    const bool there = room(&rows, &c->cap, c->n, sizeof *c->rows);

    c->rows = rows;
    return there && room_for_slots(c);
}

cu_status cu_census_add(struct cu_census *c, unsigned store, const struct cu_object *o, uint64_t about, struct cu_err *err)
{
    ENSURE(room_for_one(c), err, CU_NO_MEMORY, "out of memory: %zu objects lie in the stores, and more", c->n);
    const size_t slot = slot_of(c, o->kind, &o->name);
    if (!c->slots[slot]) {
        c->rows[c->n] = (struct cu_census_row){ .name = o->name, .kind = o->kind, .size = o->size & CU_CENSUS_SIZE };
        c->slots[slot] = slot_for(&o->name, c->n++);
    }
    struct cu_census_row *row = &c->rows[row_in(c->slots[slot])];
    if (about) row->about = about;
    row->stores |= 1u << store;
    return CU_OK;
}

void cu_census_free(struct cu_census *c)
{
    free(c->rows);
    free(c->slots);
    *c = (struct cu_census){ 0 };
}
