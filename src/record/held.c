/* How a provider's store holds what it accepted: which version of which objects, locked how and until when. */
#include "fields.h"

#include "custody/tree.h"

static const struct cu_field object_fields[] = {
    CU_FIXED(0, struct cu_held_object, name),
    CU_TEXT(1, struct cu_held_object, version, 1, 127),
};
const struct cu_schema cu_held_object_schema = CU_SCHEMA_OF("held object", object_fields, struct cu_held_object, .tuple = true);

static const struct cu_field held_fields[] = {
    CU_UINT(0, struct cu_held, mode, CU_HELD_FREE, CU_HELD_COMPLIANCE),
    TIME(1, struct cu_held, until),
    CU_UINT(2, struct cu_held, n, 1, INT64_MAX),
    CU_FIXED(3, struct cu_held, root),
    CU_LIST(4, struct cu_held, objects, 1, CU_HELD_OBJECTS_MAX, &cu_held_object_schema),
};
const struct cu_schema cu_held_schema = CU_SCHEMA_OF("held", held_fields, struct cu_held, .tuple = true);

#define TEXT(num, name, text) [num] = (text),
static const char *const modes[] = { CU_HELD_MODE_TABLE(TEXT) };

const char *cu_held_mode_text(uint64_t mode) { return mode < sizeof modes / sizeof *modes ? modes[mode] : NULL; }

/* Where all of them are listed the root is theirs, so that nothing of it is idle. */
cu_status cu_check_held(const struct cu_held *held, struct cu_err *err)
{
    const uint64_t listed = held->n < CU_HELD_OBJECTS_MAX ? held->n : CU_HELD_OBJECTS_MAX;
    struct cu_held_object object;
    cu_hash last = { 0 };
    struct cu_frontier tree = { 0 };
    size_t at = 0, from = 0;

    ENSURE((held->mode == CU_HELD_FREE) == (held->until == 0), err, CU_MALFORMED,
           "held: a time until when goes with what is locked, and with nothing else");
    ENSURE(held->objects.n == listed, err, CU_MALFORMED, "held: it lists %llu objects of %llu", LLU(held->objects.n),
           LLU(held->n));
    while (cu_list_next(&held->objects, &cu_held_object_schema, &at, &object)) {
        const cu_hash leaf = cu_leaf_hash(cu_span(held->objects.bytes.p + from, at - from));
        ENSURE(from == 0 || memcmp(last.b, object.name.b, sizeof last.b) < 0, err, CU_MALFORMED,
               "held: the objects are not in ascending order, each once");
        cu_frontier_append(&tree, &leaf);
        last = object.name;
        from = at;
    }
    const cu_hash root = cu_frontier_root(&tree);
    ENSURE(held->n > listed || cu_hash_eq(&root, &held->root), err, CU_MALFORMED,
           "held: the root is not that of the objects that it lists");
    return CU_OK;
}
