/* A crew: one thread fills slots in order, lanes of one thread each work on them in order, and a slot is filled again when every
 * lane has passed it. So a byte is read once and hashed, digested and written to each store at the same time.
 *
 * (1) A lane works on a slot only after the lanes in its `after` have passed it.
 * (2) A slot belongs to the filler from claim to submit, and to the lanes from submit until all have passed it.
 * (3) The first failure is the crew's: from then on slots are passed unworked, and claim and wait return it.
 */
#ifndef CU_CONTENT_CREW_H
#define CU_CONTENT_CREW_H

#include "custody/limits.h"
#include "custody/types.h"

struct cu_lane {
    cu_status (*work)(void *arg, size_t slot, struct cu_err *err);
    void *arg;
    unsigned after;     /* bits of lanes; only lower ones */
    unsigned share, of; /* works on every slot whose number modulo `of` is `share`; of == 0: on all */
};

struct cu_crew;
/** `threads` false: no thread at all, `submit` does the work itself; for the smallest jobs. */
CU_MUST_USE cu_status cu_crew_new(const struct cu_lane *lanes, unsigned n, size_t slots, bool threads, struct cu_crew **ret,
                                  struct cu_err *err);
bool cu_crew_has_threads(const struct cu_crew *c);
/** The next slot's place in the ring, when it is free. */
CU_MUST_USE cu_status cu_crew_claim(struct cu_crew *c, size_t *ret_slot, struct cu_err *err);
void cu_crew_submit(struct cu_crew *c);
uint64_t cu_crew_submitted(const struct cu_crew *c); /* how many so far; the filler's thread only */
/** Until these lanes (bits; ~0u: all) have passed the first `n` slots. */
CU_MUST_USE cu_status cu_crew_wait(struct cu_crew *c, unsigned lanes, uint64_t n, struct cu_err *err);
void cu_crew_free(struct cu_crew *c); /* what is not worked on yet stays so. NULL is fine */
static inline void cu_crew_cleanup(struct cu_crew **c) { cu_crew_free(*c); }

#endif
