/* Time and chance, handed in. */
#ifndef CU_PORTS_WORLD_H
#define CU_PORTS_WORLD_H

#include "custody/types.h"

struct cu_clock { void *self; cu_unix_ms (*now)(void *self); };
struct cu_random { void *self; cu_status (*fill)(void *self, uint8_t *ret, size_t n, struct cu_err *err); };

#endif
