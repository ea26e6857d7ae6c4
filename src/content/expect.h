#ifndef CU_CONTENT_EXPECT_H
#define CU_CONTENT_EXPECT_H

#include "content/ingest.h"

enum { CU_EXPECT_MAX = 1 << 28 }; /* bytes of a list */

/** Rows out of `e->text`, which may be changed on the way (escapes); unsorted. MALFORMED names the line. */
CU_MUST_USE cu_status cu_expect_argument(struct cu_expect *e, struct cu_err *err);
CU_MUST_USE cu_status cu_expect_list(struct cu_expect *e, struct cu_err *err);

#endif
