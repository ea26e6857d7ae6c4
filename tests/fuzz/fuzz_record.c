/* A record is refused, or written again as the same bytes; its attachments match only if nothing else would. */
#include "custody/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t mem[CU_RECORD_MAX + 64];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_record record;
    struct cu_entry entry;
    struct cu_err err;

    if (cu_record_read(cu_span(data, size), &record, &err) != CU_OK) return 0;
    CU_ASSERT(cu_record_write(&record, &out, &err) == CU_OK && cu_span_eq(cu_buf_span(&out), cu_span(data, size)));
    if (cu_entry_read(record.entry, &entry, &err) != CU_OK || cu_record_match(&record, &entry, &err) != CU_OK) return 0;
    CU_ASSERT((record.salt.n > 0) == cu_kind_row(entry.kind)->details);
    CU_ASSERT(!record.content.p || record.content.n == entry.inner.body.claim.size);
    return 0;
}
