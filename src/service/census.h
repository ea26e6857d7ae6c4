/* Everything that lies in both stores, by name: what the log demands is asked here, and not of an index, entry by entry.
 * 48 bytes an object, however many stores have it, and 11 to 21 to find it by. */
#ifndef CU_SERVICE_CENSUS_H
#define CU_SERVICE_CENSUS_H

#include "content/objects.h"

#define CU_CENSUS_SIZE UINT64_C(0xffffffffffff)

struct cu_census_row {
    cu_hash name;
    uint64_t kind : 8, stores : 2, size : 48; /* stores: a bit each */
    uint64_t about;                           /* what was kept of its bytes; 0: they were not read */
};

struct cu_census {
    struct cu_census_row *rows;
    uint64_t *slots; /* four bytes of the name, row + 1; 0: free. A power of two of them, at most three quarters taken */
    size_t n, cap, slots_n;
};

CU_MUST_USE cu_status cu_census_add(struct cu_census *c, unsigned store, const struct cu_object *o, uint64_t about, struct cu_err *err);
/** NULL: in neither store. */
const struct cu_census_row *cu_census_find(const struct cu_census *c, enum cu_object_kind kind, const cu_hash *name);
void cu_census_free(struct cu_census *c);

#endif
