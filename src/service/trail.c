/* What belongs to the custody trail of an exhibit. */
#include "service/place.h"

/* Is the deposit among those that this entry, *stored* or *disclosure*, is about? */
bool cu_covers(struct cu_place *p, const struct cu_index_row *row, const struct cu_index_row *deposit)
{
    struct cu_entry e;
    struct cu_span bytes;
    struct cu_range range;
    cu_hash id;
    size_t at = 0;

    if (cu_log_entry_unproven(&p->log, row->seq, &bytes, NULL) != CU_OK || cu_entry_read(bytes, &e, NULL) != CU_OK) return false;
    while (e.kind == CU_KIND_STORED && cu_list_next(&e.outer.body.stored.ranges, &cu_range_schema, &at, &range))
        if (range.first <= deposit->seq.v && deposit->seq.v <= range.last) return true;
    while (e.kind == CU_KIND_DISCLOSURE && cu_list_next(&e.outer.body.disclosure.targets, &cu_id_schema, &at, &id))
        if (cu_hash_eq(&id, &deposit->id)) return true;
    return false;
}

/* The rows of an access entry's or incident's details. */
cu_status cu_rows_of(struct cu_place *p, const struct cu_index_row *row, struct cu_buf *mem, struct cu_details_rows *ret,
                     struct cu_err *err)
{
    struct cu_entry e;
    struct cu_span bytes;
    enum cu_profile profile;
    union cu_details details;

    TRY(cu_log_entry_unproven(&p->log, row->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    TRY(cu_place_details(p, row->seq, cu_entry_commitment(&e), mem, err));
    ENSURE(mem->n >= CU_SALT_LEN, err, CU_CORRUPT, "details are cut off");
    TRY(cu_details_read(cu_span(mem->p + CU_SALT_LEN, mem->n - CU_SALT_LEN), &profile, &details, err));
    *ret = details.rows;
    return CU_OK;
}

static bool was_read(struct cu_place *p, const struct cu_index_row *row, const cu_hash *id)
{
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct cu_details_rows rows;
    struct cu_access_row access;
    size_t at = 0;

    if (cu_rows_of(p, row, &mem, &rows, NULL) != CU_OK) return false;
    while (cu_list_next(&rows.rows, &cu_access_row_schema, &at, &access))
        if (cu_hash_eq(&access.id, id)) return true;
    return false;
}

/* Does this entry belong to the exhibit's trail? Incidents after it do: they are about the stores that hold its copies. */
bool cu_trail_has(struct cu_place *p, const struct cu_index_row *of, const struct cu_index_row *row)
{
    if (!of) return row->kind != CU_KIND_BLOCK;
    if (row->seq.v == of->seq.v) return true;
    switch (row->kind) {
    case CU_KIND_CORRECTION:
    case CU_KIND_VOID: return row->has_ref && cu_hash_eq(&row->ref, &of->id);
    case CU_KIND_REFUSAL: return cu_hash_eq(&row->id, &of->id);
    case CU_KIND_STORED:
    case CU_KIND_DISCLOSURE: return row->seq.v > of->seq.v && cu_covers(p, row, of);
    case CU_KIND_INCIDENT: return row->seq.v > of->seq.v;
    case CU_KIND_ACCESS: return row->seq.v > of->seq.v && was_read(p, row, &of->id);
    case CU_KIND_CASE:
    case CU_KIND_INVENTORY: return row->has_case && memcmp(row->case_id.b, of->case_id.b, sizeof row->case_id.b) == 0;
    case CU_KIND_NONE:
    case CU_KIND_GENESIS:
    case CU_KIND_BLOCK:
    case CU_KIND_CONFIRM:
    case CU_KIND_CLAIM:
    case CU_KIND_DEPOSIT: break;
    }
    return false;
}
