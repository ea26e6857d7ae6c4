/* Is a file of a store what its name says, and does what belongs to it fit? For the provider before it signs, and for `check`. */
#ifndef CU_CONTENT_JUDGE_H
#define CU_CONTENT_JUDGE_H

#include "content/scan.h"

#include <stdlib.h>

enum cu_judgement { CU_JUDGED_GOOD, CU_JUDGED_DAMAGED, CU_JUDGED_MISSING };
/** The rows of a pack, as they come out of it. */
struct cu_pack_rows { struct cu_pack_row *row; size_t n, cap; };
static inline void cu_pack_rows_free(struct cu_pack_rows *rows) { free(rows->row); }

struct cu_judged {
    enum cu_judgement main, side; /* the bytes or the pack; its tree or index */
    char main_text[200], side_text[200];
    uint64_t size, objects;
    struct cu_pack_rows rows;     /* what came out of a pack, also of a damaged one: the caller frees it */
    bool unread; /* a read failed: it is no damage before it fails again */
};

/** Only trouble of reading is returned as a failure; what was found stands in `ret`. */
CU_MUST_USE cu_status cu_judge_large(struct cu_scan *scan, struct cu_objects *s, const cu_hash *name, struct cu_judged *ret,
                                     struct cu_err *err);
/** `about` may be NULL. */
CU_MUST_USE cu_status cu_judge_pack(struct cu_scan *scan, struct cu_objects *s, const cu_hash *name, cu_object_about about,
                                    struct cu_judged *ret, struct cu_err *err);

/** What a large object's tree file leads to. MALFORMED when it is cut within a hash. */
CU_MUST_USE cu_status cu_tree_file_root(struct cu_objects *s, const cu_hash *name, cu_hash *ret, struct cu_err *err);

/* a cu_scan_object */
CU_MUST_USE cu_status cu_pack_rows_add(void *rows, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err);
#endif
