/* Memory that bytes pass through on their way to and from a disk. In whole huge pages where the system gives them: a disk takes so
 * many pieces of memory a request, and 4 KiB pieces make requests short (a megabyte; half the speed of long ones). */
#ifndef CU_CONTENT_MEMORY_H
#define CU_CONTENT_MEMORY_H

#include "custody/types.h"

#include <stdlib.h>
#include <sys/mman.h>

#define CU_HUGE_PAGE ((size_t)2 << 20)

/* To be freed with free(). `n` is a multiple of CU_LEAF_BYTES. */
static inline uint8_t *cu_transfer_memory(size_t n)
{
    uint8_t *p = aligned_alloc(n < CU_HUGE_PAGE ? 4096 : CU_HUGE_PAGE, n);

    if (p && n >= CU_HUGE_PAGE) (void)!madvise(p, n, MADV_HUGEPAGE); /* advice: where it is not taken, it is slower */
    return p;
}

#endif
