/* A message with a field of every type, and one with text keys: for the tests and the fuzz target of the schema codec. */
#ifndef TESTS_SCHEMA_SAMPLE_H
#define TESTS_SCHEMA_SAMPLE_H

#include "custody/schema.h"

struct place { uint64_t seq; cu_hash leaf; };
static const struct cu_field place_fields[] = { CU_UINT(0, struct place, seq, 0, UINT64_MAX), CU_FIXED(1, struct place, leaf) };
static const struct cu_schema place_schema = CU_SCHEMA_OF("place", place_fields, struct place, .tuple = true);

struct number { uint64_t v; };
static const struct cu_field number_fields[] = { CU_UINT(0, struct number, v, 1, 1000) };
static const struct cu_schema number_schema = CU_SCHEMA_OF("number", number_fields, struct number, .scalar = true);

struct group { uint64_t id; struct cu_list numbers; };
static const struct cu_field group_fields[] = {
    CU_UINT(0, struct group, id, 0, 9),
    CU_LIST(1, struct group, numbers, 0, 3, &number_schema),
};
static const struct cu_schema group_schema = CU_SCHEMA_OF("group", group_fields, struct group, .tuple = true);

struct sample {
    uint64_t size;
    bool sealed;
    cu_case_id id;
    struct cu_span bytes, label, any;
    struct place seen;
    struct cu_list groups;
    int64_t alg;
    bool has_bytes, has_label, has_any, has_groups, has_alg;
};
static const struct cu_field sample_fields[] = {
    CU_CONST(0, "application/custody-sample+cbor"),
    CU_UINT(1, struct sample, size, 5, 100),
    CU_BOOL(2, struct sample, sealed),
    CU_FIXED(3, struct sample, id),
    CU_BYTES(4, struct sample, bytes, 1, 8, CU_OPTIONAL(struct sample, has_bytes)),
    CU_TEXT(5, struct sample, label, 0, 8, CU_OPTIONAL(struct sample, has_label)),
    CU_MAP(6, struct sample, seen, &place_schema),
    CU_LIST(23, struct sample, groups, 1, 4, &group_schema, CU_OPTIONAL(struct sample, has_groups)),
    CU_BYTES(24, struct sample, any, 1, 64, CU_OPTIONAL(struct sample, has_any)),
    CU_INT(-65537, struct sample, alg, -49, -1, CU_OPTIONAL(struct sample, has_alg)),
};
static const struct cu_schema sample_schema = CU_SCHEMA_OF("sample", sample_fields, struct sample);

struct words { struct cu_span note, colour; uint64_t age; struct place seen; bool has_note, has_age; };
static const struct cu_field words_fields[] = {
    CU_UINT("age", struct words, age, 0, 200, CU_OPTIONAL(struct words, has_age)),
    CU_TEXT("note", struct words, note, 1, 64, CU_OPTIONAL(struct words, has_note)),
    CU_MAP("seen", struct words, seen, &place_schema),
    CU_TEXT("eye-colour", struct words, colour, 1, 64),
};
static const struct cu_schema words_schema = CU_SCHEMA_OF("words", words_fields, struct words, .text_keys = true);

#endif
