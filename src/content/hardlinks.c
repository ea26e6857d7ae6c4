/* An open-addressing table, at most half full. */
#include "content/hardlinks.h"

#include <stdlib.h>

struct cu_hardlink {
    uint64_t device, inode;
    size_t at, n;
}; /* n == 0: free */

void cu_hardlinks_start(struct cu_hardlinks *h) { *h = (struct cu_hardlinks){ .paths = cu_buf_heap(SIZE_MAX / 2) }; }

void cu_hardlinks_free(struct cu_hardlinks *h)
{
    free(h->slot);
    cu_buf_free(&h->paths);
    h->slot = NULL;
}

static struct cu_hardlink *slot_of(const struct cu_hardlinks *h, uint64_t device, uint64_t inode)
{
    size_t i = (size_t)((inode * 0x9e3779b97f4a7c15u) ^ (device * 0xc2b2ae3d27d4eb4fu)) & (h->cap - 1);

    while (h->slot[i].n > 0 && (h->slot[i].device != device || h->slot[i].inode != inode)) i = (i + 1) & (h->cap - 1);
    return &h->slot[i];
}

static cu_status grow(struct cu_hardlinks *h, struct cu_err *err)
{
    struct cu_hardlinks more = { .n = h->n, .cap = h->cap ? 2 * h->cap : 64, .paths = h->paths };

    more.slot = calloc(more.cap, sizeof *more.slot);
    ENSURE(more.slot, err, CU_NO_MEMORY, "no memory for the hard links of a folder");
    for (size_t i = 0; i < h->cap; i++)
        if (h->slot[i].n > 0) *slot_of(&more, h->slot[i].device, h->slot[i].inode) = h->slot[i];
    free(h->slot);
    *h = more;
    return CU_OK;
}

cu_status cu_hardlinks_seen(struct cu_hardlinks *h, const struct cu_source_stat *st, struct cu_span path,
                            struct cu_span *ret_first, struct cu_err *err)
{
    if (2 * (h->n + 1) > h->cap) TRY(grow(h, err));
    struct cu_hardlink *slot = slot_of(h, st->device, st->inode);
    *ret_first = slot->n > 0 ? cu_span(h->paths.p + slot->at, slot->n) : CU_SPAN_EMPTY;
    if (slot->n > 0) return CU_OK;
    *slot = (struct cu_hardlink){ st->device, st->inode, h->paths.n, path.n };
    h->n++;
    cu_buf_add(&h->paths, path);
    return cu_buf_ok(&h->paths, err);
}
