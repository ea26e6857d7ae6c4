/* Open addressing; names are digests, so any eight bytes of one are as good as a hash of it. */
#include "service/census.h"

#include <stdlib.h>

enum { ABSENT, ALONE, PACKS };

static uint64_t kind_size(enum cu_object_kind kind, uint64_t size) { return (uint64_t)kind << 56 | size; }
static bool is(const struct cu_census_row *row, enum cu_object_kind kind, const cu_hash *name)
{
    return row->kind_size >> 56 == (uint64_t)kind && cu_hash_eq(&row->name, name);
}

/* The slot where it is, or the free one where it would be. */
static size_t slot_of(const struct cu_census *c, enum cu_object_kind kind, const cu_hash *name)
{
    size_t i = cu_be64(name->b) & (c->slots_n - 1);

    while (c->slots[i] && !is(&c->rows[c->slots[i] - 1], kind, name)) i = (i + 1) & (c->slots_n - 1);
    return i;
}

const struct cu_census_row *cu_census_find(const struct cu_census *c, enum cu_object_kind kind, const cu_hash *name)
{
    if (c->slots_n == 0) return NULL;
    const uint32_t row = c->slots[slot_of(c, kind, name)];
    return row ? &c->rows[row - 1] : NULL;
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
    uint32_t *slots = calloc(n, sizeof *slots);
    if (!slots || n > UINT32_MAX) return free(slots), false;
    free(c->slots);
    c->slots = slots;
    c->slots_n = n;
    for (size_t i = 0; i < c->n; i++)
        slots[slot_of(c, (enum cu_object_kind)(c->rows[i].kind_size >> 56), &c->rows[i].name)] = (uint32_t)i + 1;
    return true;
}

static bool room_for_one(struct cu_census *c)
{
    void *rows = c->rows, *packs = c->packs;
    const bool there = room(&rows, &c->cap, c->n, sizeof *c->rows) && room(&packs, &c->packs_cap, c->packs_n, sizeof *c->packs);

    c->rows = rows;
    c->packs = packs;
    return there && room_for_slots(c);
}

static uint32_t number_of(struct cu_census *c, const struct cu_object *o)
{
    if (!o->packed) return ALONE;
    if (c->packs_n == 0 || !cu_hash_eq(&c->packs[c->packs_n - 1], &o->pack))
        c->packs[c->packs_n++] = o->pack; /* they come one by one */
    return (uint32_t)(PACKS + c->packs_n - 1);
}

cu_status cu_census_add(struct cu_census *c, unsigned store, const struct cu_object *o, uint64_t about, struct cu_err *err)
{
    ENSURE(room_for_one(c), err, CU_NO_MEMORY, "out of memory: %zu objects lie in the stores, and more", c->n);
    const size_t slot = slot_of(c, o->kind, &o->name);
    if (!c->slots[slot]) {
        c->rows[c->n] = (struct cu_census_row){ .name = o->name, .kind_size = kind_size(o->kind, o->size) };
        c->slots[slot] = (uint32_t)++c->n;
    }
    struct cu_census_row *row = &c->rows[c->slots[slot] - 1];
    if (about) row->about = about;
    if (row->at[store].pack != ABSENT) return CU_OK;
    row->at[store].pack = number_of(c, o);
    row->at[store].offset = (uint32_t)o->offset;
    return CU_OK;
}

const cu_hash *cu_census_pack(const struct cu_census *c, const struct cu_census_row *row, unsigned store)
{
    return row->at[store].pack < PACKS ? NULL : &c->packs[row->at[store].pack - PACKS];
}

void cu_census_free(struct cu_census *c)
{
    free(c->rows);
    free(c->slots);
    free(c->packs);
    *c = (struct cu_census){ 0 };
}
