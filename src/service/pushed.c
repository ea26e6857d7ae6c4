/* Uploads that came whole become a store's, where whoever copies finds them. */
#include "content/put.h"
#include "service/copy.h"

static cu_status store(struct cu_objects *own, struct cu_spooled *at, struct cu_err *err)
{
    CU_CLEANUP(cu_put_cleanup) struct cu_put *put = NULL;

    if (at->in.moved) return cu_objects_has(own, CU_OBJECT_CONTENT, &at->claim.root, at->claim.size, true, err);
    TRY(cu_put_begin(&own, 1, &put, err));
    TRY(cu_receive_store(&at->in, put, err));
    TRY(cu_put_commit(put, err));
    cu_receive_stored(&at->in);
    return CU_OK;
}

bool cu_pushed_store(struct cu_spool *u, uint64_t now)
{
    struct cu_spooled *at;
    unsigned from = 0;
    bool any = false;

    while ((at = cu_spool_next(u, CU_SPOOLED_CHECKING, false, &from))) {
        const cu_status stored = store(u->store, at, NULL);
        if (stored == CU_OK) cu_spooled_end(at, true);
        else if ((stored == CU_BAD_HASH || stored == CU_NOT_FOUND) && cu_receive_again(&at->in, NULL) == CU_OK)
            cu_spooled_received(at);
        else cu_spooled_give(at, CU_SPOOLED_CHECKING); /* this disk, this memory: the next time */
        any |= stored == CU_OK;
    }
    while (now > CU_PUSHED_ABANDONED_MS && (at = cu_spool_abandoned(u, now - CU_PUSHED_ABANDONED_MS, now)))
        cu_spooled_end(at, false); /* it came another way, or is begun again */
    return any;
}
