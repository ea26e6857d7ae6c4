/* What each kind gives to the table of kinds, and the fields that many of them share. */
#ifndef CU_RECORD_FIELDS_H
#define CU_RECORD_FIELDS_H

#include "custody/entry.h"

/* Milliseconds since 1970, up to the end of the year 9999: what people can be shown. */
#define CU_TIME_MAX 253402300799999u
#define TIME(key, type, member) CU_UINT(key, type, member, 0, CU_TIME_MAX)
#define SEEN(key, type) CU_MAP(key, type, seen, &cu_seen_schema)

/** What a kind's file says of its payload: the fields, and the rules that a table of fields cannot say (NULL: none). */
struct cu_payload_form {
    struct cu_schema schema;
    cu_status (*check)(const union cu_payload *payload, struct cu_err *err);
};

/* cu_payload_DEPOSIT and so on, each in the file of its kind. */
#define CU_KIND_FORM(num, name, text, form, nests, details) extern const struct cu_payload_form cu_payload_##name;
CU_KIND_TABLE(CU_KIND_FORM)
#undef CU_KIND_FORM

/** Read and judge a payload of `row`'s kind. */
CU_MUST_USE cu_status cu_payload_read(const struct cu_kind_row *row, struct cu_span bytes, union cu_payload *ret,
                                      struct cu_err *err);

/** A statement read whose id is not computed: zero. */
CU_MUST_USE cu_status cu_statement_peek(struct cu_span bytes, struct cu_statement *ret, struct cu_err *err);

/** How a store holds something: a tuple, and the rules that its fields keep. */
extern const struct cu_schema cu_held_schema;
CU_MUST_USE cu_status cu_check_held(const struct cu_held *held, struct cu_err *err);
/** Ids or key ids in ascending order, each once? MALFORMED begins with `what`. */
CU_MUST_USE cu_status cu_check_ids(const struct cu_list *ids, const char *what, struct cu_err *err);
/** Revoked keys by ascending kids, each once? */
CU_MUST_USE cu_status cu_check_revoked(const struct cu_list *revoked, const char *what, struct cu_err *err);
/** One that has a name? */
CU_MUST_USE cu_status cu_check_reason(uint64_t reason, struct cu_err *err);

#endif
