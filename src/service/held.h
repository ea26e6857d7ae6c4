/* How the provider's store holds what it accepted, where that store keeps versions: an S3 bucket. Said with the acceptance, compared with the
 * store, and said anew when a repair put another version there. docs/decisions/125. */
#ifndef CU_SERVICE_HELD_H
#define CU_SERVICE_HELD_H

#include "service/service.h"

/** What an acceptance says of it. `has` false: the store keeps no versions, or all of it travels with the record. */
struct cu_held_said { bool has; struct cu_held held; uint8_t mem[CU_HELD_OBJECTS_MAX * 168]; };
/** Of content that lies in `store`; what the policy asks for is done first. `manifest`: a folder's, if it does not lie there yet. NOT_ALLOWED:
 *  it cannot be done. */
CU_MUST_USE cu_status cu_held_ask(struct cu_place *p, struct cu_objects *store, const struct cu_claim *claim, struct cu_span manifest, struct cu_held_said *ret, struct cu_err *err);

/** What the entry of this row says of it, until the log is read again. False: nothing. */
bool cu_row_held(struct cu_place *p, const struct cu_index_row *row, struct cu_held *ret);

/** Where a store differs from what was signed. `mended`: another version is served, which can be accepted anew. */
struct cu_held_difference { const cu_hash *object; const char *what; bool mended; };
typedef void cu_held_differs(void *arg, const struct cu_held_difference *d);
/** `pins`: it is known which version is served. `all`: the objects, too, that an acceptance of a folder binds by its root alone, which the folder's
 *  manifest and the store's packs tell. objects: so many were compared; left: so many not. */
struct cu_held_comparing { bool pins, all; cu_held_differs *found; void *arg; uint64_t objects, left; };
/** The newest that the log says of each object, against the store. */
CU_MUST_USE cu_status cu_held_compare(struct cu_place *p, struct cu_objects *store, struct cu_held_comparing *c, struct cu_err *err);
/** The provider says anew how it holds what lies there as another version, or otherwise locked, than it said last. *ret_n: so many entries. */
CU_MUST_USE cu_status cu_held_anew(struct cu_place *p, struct cu_objects *store, uint64_t *ret_n, struct cu_err *err);
/** The same for one deposit of this provider's, of which something was brought again. */
CU_MUST_USE cu_status cu_held_again(struct cu_place *p, struct cu_objects *store, cu_seq deposit, struct cu_err *err);

#endif
