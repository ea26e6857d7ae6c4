/* By what an entry is found, and whether a row is the one that was asked for: keys are prefixes. */
#include "internal.h"

#include "custody/digest.h"

enum { OBJECTS = 11 }; /* the first number behind those of CU_FIND_…; one a store */

static uint64_t key_of(unsigned what, uint64_t digest) { return (uint64_t)what << 59 | digest >> 5; }
static uint64_t key_of_hash(unsigned what, const cu_hash *h) { return key_of(what, cu_be64(h->b)); }

static uint64_t key_of_parts(unsigned what, struct cu_span a, uint64_t b)
{
    uint8_t number[8];

    cu_put_be64(number, b);
    const cu_hash h = cu_sha256_parts((struct cu_span[]){ a, CU_SPAN_OF(number) }, 2);
    return key_of_hash(what, &h);
}

uint64_t id_key(const cu_hash *id) { return key_of_hash(CU_FIND_ID_PREFIX, id); }
uint64_t about_key(const cu_hash *id) { return key_of_hash(CU_FIND_ABOUT, id); }
uint64_t object_key(unsigned store, const cu_hash *root) { return key_of_hash(OBJECTS + store % 2, root); }
_Static_assert((int)CU_FIND_ABOUT < (int)OBJECTS && OBJECTS + 1 < 16, "a key begins with four bits");

static uint64_t make_key(int by, const struct cu_index_row *row)
{
    switch (by) {
    case CU_FIND_ID_PREFIX: return id_key(&row->id);
    case CU_FIND_CASE: return key_of_parts(CU_FIND_CASE, CU_SPAN_OF(row->case_id.b), row->kind);
    case CU_FIND_EXHIBIT: return key_of_parts(CU_FIND_EXHIBIT, CU_SPAN_OF(row->case_id.b), row->number);
    case CU_FIND_SHA256: return key_of_hash(CU_FIND_SHA256, &row->sha256);
    case CU_FIND_LABEL: return key_of_parts(CU_FIND_LABEL, row->label, 0);
    case CU_FIND_KIND: return key_of(CU_FIND_KIND, (uint64_t)row->kind << 5);
    case CU_FIND_REF: return key_of_hash(CU_FIND_REF, &row->ref);
    case CU_FIND_ABOUT: return about_key(&row->ref);
    default: return key_of_parts(CU_FIND_CASE_NAME, row->name, 0);
    }
}

/* Has it what one would ask for? */
static bool has(int by, const struct cu_index_row *row)
{
    switch (by) {
    case CU_FIND_CASE: return row->has_case;
    case CU_FIND_EXHIBIT: return row->has_case && row->kind == CU_KIND_DEPOSIT;
    case CU_FIND_SHA256: return row->has_sha256;
    case CU_FIND_LABEL: return row->label.n > 0;
    case CU_FIND_REF: return row->has_ref;
    case CU_FIND_CASE_NAME: return row->kind == CU_KIND_CASE && row->name.n > 0;
    default: return true;
    }
}

bool entry_key(int by, const struct cu_index_row *row, uint64_t *ret)
{
    if (!has(by, row)) return false;
    *ret = make_key(by, row);
    return true;
}

static bool same_case(const struct cu_index_row *a, const struct cu_index_row *b)
{
    return memcmp(a->case_id.b, b->case_id.b, sizeof a->case_id.b) == 0 && a->kind == b->kind;
}

bool entry_fits(int by, const struct cu_index_row *row, const struct cu_index_row *as)
{
    if (!has(by, row)) return false;
    switch (by) {
    case CU_FIND_CASE: return same_case(row, as);
    case CU_FIND_EXHIBIT: return same_case(row, as) && row->number == as->number;
    case CU_FIND_SHA256: return cu_hash_eq(&row->sha256, &as->sha256);
    case CU_FIND_LABEL: return cu_span_eq(row->label, as->label);
    case CU_FIND_KIND: return row->kind == as->kind;
    case CU_FIND_REF: return cu_hash_eq(&row->ref, &as->ref);
    case CU_FIND_CASE_NAME: return cu_span_eq(row->name, as->name);
    default: return true; /* ALL, SEQ, ABOUT: by position, or not judged here */
    }
}
