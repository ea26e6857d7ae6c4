/* A checkpoint: origin, size, root, each on a line of its own, and no extension line.  Source: c2sp.org/tlog-checkpoint. */
#include "custody/note.h"

cu_status cu_checkpoint_read(struct cu_span text, struct cu_checkpoint *ret, struct cu_err *err)
{
    struct cu_lines lines = cu_lines_on(text);
    struct cu_span size, root, more;
    cu_hash empty = cu_empty_root();
    struct cu_checkpoint out;

    ENSURE(cu_lines_next(&lines, &out.origin) && cu_lines_next(&lines, &size) && cu_lines_next(&lines, &root), err, CU_MALFORMED,
           "a checkpoint has three lines");
    ENSURE(!cu_lines_next(&lines, &more) && !lines.bad, err, CU_MALFORMED, "a checkpoint has no line after its third");
    ENSURE(out.origin.n > 0 && out.origin.n <= CU_ORIGIN_MAX, err, CU_MALFORMED, "a checkpoint's origin has 1 to %d bytes",
           CU_ORIGIN_MAX);
    ENSURE(cu_decimal_read(size, INT64_MAX, &out.size.v, err) == CU_OK, err, CU_MALFORMED,
           "a checkpoint's size is a decimal without leading zero, below 2^63");
    ENSURE(cu_base64_exact(root, out.root.b, sizeof out.root, err) == CU_OK, err, CU_MALFORMED,
           "a checkpoint's root is 32 bytes in strict base64");
    ENSURE(out.size.v > 0 || cu_hash_eq(&out.root, &empty), err, CU_MALFORMED, "an empty log has the root SHA-256(\"\")");
    *ret = out;
    return CU_OK;
}

void cu_checkpoint_put(const struct cu_checkpoint *checkpoint, struct cu_buf *out)
{
    cu_buf_add(out, checkpoint->origin);
    cu_buf_addf(out, "\n%llu\n", LLU(checkpoint->size.v));
    cu_base64_put(out, cu_span_hash(&checkpoint->root));
    cu_buf_add_byte(out, '\n');
}
