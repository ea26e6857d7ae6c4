/* What the files of a deposit from afar share: its bytes as they travel. Nothing here is for other rooms. */
#ifndef CU_SERVICE_CARRY_H
#define CU_SERVICE_CARRY_H

#include "service/deposit.h"

#define CU_FILE_ASIDE CU_DIR_OUTBOX "/aside-%.16s" /* what cannot be read twice, by the root of its bytes */

/** The bytes of an item; or of a folder's manifest, and of each distinct file in it, in the order of their first rows. */
struct cu_sending_part { uint64_t begin, size; struct cu_span path; cu_hash root; };
struct cu_sending {
    struct cu_place *p;
    const struct cu_work *w;
    const struct cu_claim *claim;
    struct cu_sending_part *part;
    size_t n, cap, now;          /* `now`: the part that is being read */
    uint64_t size, at;
    struct cu_buf roots;         /* of the chunks, in the order of the bytes */
    struct cu_source_file *file; /* of the part */
    struct cu_file *aside;
    cu_status failed;            /* why reading ended it */
};
/** `chunks`: as reading told them. What is kept is read from there. */
CU_MUST_USE cu_status cu_sending_begin(struct cu_place *p, const struct cu_work *w, const struct cu_claim *claim, struct cu_span chunks, struct cu_sending *ret, struct cu_err *err);
/** Until all of it is durable over there. */
CU_MUST_USE cu_status cu_sending_send(struct cu_sending *u, const struct cu_carrier *to, const cu_hash *id, struct cu_err *err);
void cu_sending_free(struct cu_sending *u);

/** Bytes that cannot be read twice are kept in the outbox while they are read: a struct cu_ingest is told how. One at a time. */
struct cu_aside { struct cu_place *p; struct cu_file *file; void *lock; uint64_t at; };
CU_MUST_USE cu_status cu_aside_begin(struct cu_place *p, struct cu_aside *ret, struct cu_err *err);
cu_status cu_aside_add(void *aside, struct cu_span bytes, struct cu_err *err);
/** Durable, under that root. */
CU_MUST_USE cu_status cu_aside_keep(struct cu_aside *s, const cu_hash *root, struct cu_err *err);
void cu_aside_end(struct cu_aside *s); /* what was not kept gives back its space */
/** Of no more use: its space is given back. */
CU_MUST_USE cu_status cu_aside_drop(struct cu_place *p, const cu_hash *root, struct cu_err *err);

#endif
