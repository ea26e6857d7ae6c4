/* An entry is refused, or is the one spelling of what it was read as. A genesis is tried for its members too. */
#include "custody/member.h"

#include "rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_entry entry;
    struct cu_err err;

    if (cu_entry_read(cu_span(data, size), &entry, &err) != CU_OK) return 0;
    CU_ASSERT(size <= CU_ENTRY_MAX && entry.signed_ == (cu_kind_row(entry.kind)->form == CU_FORM_SIGNED));
    CU_ASSERT((cu_entry_commitment(&entry) != NULL) == cu_kind_row(entry.kind)->details &&
              entry.has_inner == cu_kind_row(entry.kind)->nests);
    if (entry.signed_) rewrite_statement(&entry.outer, entry.bytes);
    else rewrite_payload(entry.kind, &entry.outer.body, entry.bytes);
    static struct cu_members members;
    if (entry.kind == CU_KIND_GENESIS && cu_members_from_genesis(&entry.outer.body.genesis, &entry.leaf, &members, &err) == CU_OK)
        CU_ASSERT(members.organisations > 0 && members.keys_n >= 2 && !cu_members_open(&members));
    if (entry.has_inner) rewrite_statement(&entry.inner, entry.outer.body.deposit.claim);
    return 0;
}
