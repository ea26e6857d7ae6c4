/* What the limits owe one another, and what the code takes for granted of the machine: checked where it is compiled. */
#include "custody/limits.h"
#include "custody/types.h"

#include <limits.h>

_Static_assert(CHAR_BIT == 8 && sizeof(size_t) >= 4, "bytes have eight bits, sizes at least 32");
_Static_assert(sizeof(cu_hash) == 32 && sizeof(cu_case_id) == 16, "newtypes have no padding: their bytes are the value");
// cppcheck-suppress shiftNegativeLHS ; to shift a negative number is the point
_Static_assert(-1 == ~0 && (-3 >> 1) == -2, "two's complement, arithmetic shift");

_Static_assert(CU_CLAIM_MAX + 1024 <= CU_ENTRY_MAX, "an acceptance or an incident that nests a claim is an entry");
_Static_assert(CU_CONTENT_INLINE_MAX + CU_DETAILS_MAX <= CU_RECORD_MAX, "inline content travels with its details");
_Static_assert(CU_CHUNK_BYTES == 256 * CU_LEAF_BYTES, "a chunk is one level-0 tile");
_Static_assert(CU_CONTENT_INLINE_MAX <= CU_CHUNK_BYTES && CU_PACK_MAX % CU_CHUNK_BYTES == 0, "packs hold whole chunks");
_Static_assert(CU_PATH_MAX_BYTES * 2 < CU_MANIFEST_ROW_MAX, "a row holds a path and a link's target");
_Static_assert(CU_NOTE_MAX <= CU_RECEIPT_MAX && CU_RECORD_MAX * 4 / 3 < CU_RECEIPT_MAX, "a receipt holds a record in base64");
