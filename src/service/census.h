/* Everything that lies in both stores, by name: what the log demands is asked here, and not of an index, entry by entry.
 * 64 bytes an object, however many stores have it, and 11 to 21 to find it by. */
#ifndef CU_SERVICE_CENSUS_H
#define CU_SERVICE_CENSUS_H

#include "content/objects.h"

enum { CU_CENSUS_STORES = 2 };

struct cu_census_row {
    cu_hash name;
    uint64_t kind_size; /* the kind in the first byte, the size in the rest */
    uint64_t about;     /* what was kept of its bytes; 0: they were not read */
    struct { uint32_t pack, offset; } at[CU_CENSUS_STORES]; /* pack: 0 it is not in this store, 1 by itself, else packs[pack - 2] */
};
static inline uint64_t cu_census_size(const struct cu_census_row *row) { return row->kind_size << 8 >> 8; }

struct cu_census {
    struct cu_census_row *rows;
    uint64_t *slots; /* four bytes of the name, row + 1; 0: free. A power of two of them, at most three quarters taken */
    cu_hash *packs;
    size_t n, cap, slots_n, packs_n, packs_cap;
};

/** Of an object that lies in a store several times the first place is kept. */
CU_MUST_USE cu_status cu_census_add(struct cu_census *c, unsigned store, const struct cu_object *o, uint64_t about, struct cu_err *err);
/** NULL: in neither store. */
const struct cu_census_row *cu_census_find(const struct cu_census *c, enum cu_object_kind kind, const cu_hash *name);
/** The pack that it lies in; NULL: it is not in that store, or by itself. */
const cu_hash *cu_census_pack(const struct cu_census *c, const struct cu_census_row *row, unsigned store);
void cu_census_free(struct cu_census *c);

#endif
