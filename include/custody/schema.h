/* A message is a table: one table of fields reads and writes it, so encode(decode(x)) == x by construction.
 *
 * A message is a canonical CBOR map whose keys are either small integers (entries, proofs: compact) or short texts (details:
 * readable by themselves in thirty years). Fields stand in the table in the order of their encoded keys: integers ascending,
 * then negative ones descending; texts by length and then bytewise; tests prove it of each table.
 *
 *     struct point { uint64_t x; struct cu_span label; bool has_label; };
 *     static const struct cu_field point_fields[] = {
 *         CU_CONST(0, "application/custody-point+cbor"),
 *         CU_UINT(1, struct point, x, 0, 100),
 *         CU_TEXT(2, struct point, label, 1, 64, CU_OPTIONAL(struct point, has_label)),
 *     };
 *     const struct cu_schema point_schema = CU_SCHEMA_OF("point", point_fields, struct point);
 *
 * The same with text keys: CU_UINT("x", struct point, x, 0, 100) … and CU_SCHEMA_OF(…, .text_keys = true).
 */
#ifndef CUSTODY_SCHEMA_H
#define CUSTODY_SCHEMA_H

#include "custody/cbor.h"

enum cu_field_type {
    CU_FIELD_UINT,  /* uint64_t, min..max by value                                    */
    CU_FIELD_INT,   /* int64_t, (int64_t)min..(int64_t)max by value                   */
    CU_FIELD_BOOL,  /* bool                                                           */
    CU_FIELD_FIXED, /* uint8_t[n] or cu_hash or cu_case_id, n bytes; min == max == n  */
    CU_FIELD_BYTES, /* struct cu_span into what was read, min..max bytes              */
    CU_FIELD_TEXT,  /* struct cu_span, UTF-8, min..max bytes                          */
    CU_FIELD_CONST, /* the very text `text`; nothing is stored                        */
    CU_FIELD_MAP,   /* an embedded struct, by `child` (a map, or a tuple)             */
    CU_FIELD_LIST,  /* struct cu_list: min..max elements, each by `child`             */
};

struct cu_schema;

/** A list as it lies in the message: nothing is copied; walk it with `cu_list_next`. To write, `bytes` holds the n encoded
 *  elements one after another (without the array's head). */
struct cu_list {
    uint64_t n;
    struct cu_span bytes;
};

struct cu_field {
    int key;          /* the integer key; ignored when `text_keys` */
    const char *name; /* what people see; the key itself in a text-keyed schema */
    enum cu_field_type type;
    size_t at;        /* offset in the struct */
    uint64_t min, max;
    const struct cu_schema *child;
    const char *text; /* of CU_FIELD_CONST */
    size_t has_at;    /* offset of the bool that says it is present; CU_REQUIRED when it must be */
};

#define CU_REQUIRED ((size_t)-1)
#define CU_OPTIONAL(type, has) offsetof(type, has)

/* Rows of a table. `key` is an integer, or a string when the schema has text keys; the last argument, CU_OPTIONAL(…), may be
 * left out. A tuple's fields are keyed 0, 1, 2 … by their place, a scalar's one field 0. */
#define CU_UINT(key, type, member, min, max, ...) \
    CU_FIELD_ROW(key, #member, CU_FIELD_UINT, offsetof(type, member), min, max, NULL, NULL, ##__VA_ARGS__)
#define CU_INT(key, type, member, min, max, ...) \
    CU_FIELD_ROW(key, #member, CU_FIELD_INT, offsetof(type, member), (uint64_t)(int64_t)(min), (uint64_t)(int64_t)(max), NULL, \
                 NULL, ##__VA_ARGS__)
#define CU_BOOL(key, type, member, ...) \
    CU_FIELD_ROW(key, #member, CU_FIELD_BOOL, offsetof(type, member), 0, 1, NULL, NULL, ##__VA_ARGS__)
#define CU_FIXED(key, type, member, ...) \
    CU_FIELD_ROW(key, #member, CU_FIELD_FIXED, offsetof(type, member), sizeof((type){ 0 }.member), sizeof((type){ 0 }.member), \
                 NULL, NULL, ##__VA_ARGS__)
#define CU_BYTES(key, type, member, min, max, ...) \
    CU_FIELD_ROW(key, #member, CU_FIELD_BYTES, offsetof(type, member), min, max, NULL, NULL, ##__VA_ARGS__)
#define CU_TEXT(key, type, member, min, max, ...) \
    CU_FIELD_ROW(key, #member, CU_FIELD_TEXT, offsetof(type, member), min, max, NULL, NULL, ##__VA_ARGS__)
#define CU_MAP(key, type, member, child, ...) \
    CU_FIELD_ROW(key, #member, CU_FIELD_MAP, offsetof(type, member), 0, 0, child, NULL, ##__VA_ARGS__)
#define CU_LIST(key, type, member, min, max, child, ...) \
    CU_FIELD_ROW(key, #member, CU_FIELD_LIST, offsetof(type, member), min, max, child, NULL, ##__VA_ARGS__)
#define CU_CONST(key, text) \
    CU_FIELD_ROW(key, "type", CU_FIELD_CONST, 0, 0, 0, NULL, text)

#define CU_FIELD_ROW(key_, name_, type_, at_, min_, max_, child_, text_, ...)                                          \
    { .key = _Generic((key_), int: (key_), default: 0), .name = _Generic((key_), int: (name_), default: (key_)),       \
      .type = (type_), .at = (at_), .min = (min_), .max = (max_), .child = (child_), .text = (text_),                  \
      .has_at = CU_SECOND(0, ##__VA_ARGS__, CU_REQUIRED, 0) }
#define CU_SECOND(first, second, ...) second

struct cu_schema {
    const char *name;
    const struct cu_field *fields;
    size_t n;
    size_t size; /* sizeof the struct, at most CU_SCHEMA_STRUCT_MAX */
    bool text_keys;
    bool scalar; /* a list element that is a bare value: one field, no map around it */
    bool tuple;  /* an array of the fields in order, none optional, instead of a map */
};
#define CU_SCHEMA_STRUCT_MAX 2048

/* A fourth argument sets the form: CU_SCHEMA_OF("seen", seen_fields, struct cu_seen, .tuple = true). */
#define CU_SCHEMA_OF(name_, fields_, type_, ...) \
    { .name = (name_), .fields = (fields_), .n = sizeof(fields_) / sizeof *(fields_), .size = sizeof(type_), __VA_ARGS__ }

/** Decode exactly one message that is the whole of `bytes`. `ret` (schema->size bytes) changes only on success; spans point
 *  into `bytes`. MALFORMED names schema, field and offset. No allocation. */
CU_MUST_USE cu_status cu_schema_read(const struct cu_schema *schema, struct cu_span bytes, void *ret, struct cu_err *err);

/** The same inside a larger message, as one item of it: faults stick to the reader, and after one `ret` is zero. */
void cu_schema_read_from(const struct cu_schema *schema, struct cu_cbor_reader *in, void *ret);

/** Append the canonical encoding. A value outside its field's bounds is MALFORMED: nobody writes what nobody may read. */
CU_MUST_USE cu_status cu_schema_write(const struct cu_schema *schema, const void *message, struct cu_buf *out,
                                      struct cu_err *err);

/** Walk a list that was checked when its message was read: false at the end. Start with `*at = 0`. An element that is not of
 *  `child` is a bug, since reading the message checked each. */
bool cu_list_next(const struct cu_list *list, const struct cu_schema *child, size_t *at, void *ret);

#endif
