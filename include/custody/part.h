/* A part of an item with the proof that it is one: bytes first to last, and the hashes that lead from their leaves to the item's root.
 * docs/formats/bag.md has the file. */
#ifndef CUSTODY_PART_H
#define CUSTODY_PART_H

#include "custody/content.h"

/** Neighbouring leaves, one after another, kept as few hashes: their complete subtrees. */
struct cu_leaf_run {
    uint64_t from, to; /* leaves [from, to) */
    size_t n;
    struct cu_run_node { uint64_t lo, hi; cu_hash hash; } node[128];
};
void cu_leaf_run_start(struct cu_leaf_run *run, uint64_t from);
void cu_leaf_run_add(struct cu_leaf_run *run, const cu_hash *leaf);
/** The next `leaves` of them by their root: a power of two that run->to is a multiple of. */
void cu_leaf_run_add_subtree(struct cu_leaf_run *run, uint64_t leaves, const cu_hash *root);

/** The file. */
struct cu_part_proof {
    struct cu_span type;   /* 0  CU_PART_TYPE */
    cu_hash id;            /* 1  of the deposit */
    uint64_t first, last;  /* 2 3  bytes, both included, from 0 */
    struct cu_span before; /* 4  what precedes first in its leaf */
    struct cu_span after;  /* 5  what follows last in its leaf */
    struct cu_span hashes; /* 6  n·32 bytes: subtrees without a leaf of the part, from the root down, left before right */
    struct cu_span item;   /* 7  of a folder: the path of the item in its manifest */
    bool has_item;
};
#define CU_PART_TYPE "application/custody-range+cbor"
extern const struct cu_schema cu_part_proof_schema;
/** MALFORMED, NEWER_FORMAT (another type). Spans point into `bytes`. */
CU_MUST_USE cu_status cu_part_proof_read(struct cu_span bytes, struct cu_part_proof *ret, struct cu_err *err);

/** The hashes of field 6, appended to `out`, for leaves [from, to) of an item: `left` has all leaves before them, `right` all after. */
void cu_part_hashes(const struct cu_leaf_run *left, const struct cu_leaf_run *right, struct cu_buf *out);

/** The bytes of a part, in pieces of any length, before its proof is known: what is not a whole leaf is kept. About 9 KiB. */
struct cu_part {
    uint64_t first, size; /* where it begins; bytes so far */
    size_t head_n, rest_n;
    struct cu_leaf_run leaves;
    uint8_t head[CU_LEAF_BYTES], rest[CU_LEAF_BYTES];
};
void cu_part_start(struct cu_part *part, uint64_t first);
void cu_part_add(struct cu_part *part, struct cu_span bytes);
/** Are these bytes first..last of the item of this size and root? BAD_PROOF: they lead to another root. MALFORMED: the proof is not about
 *  so many bytes, or hashes are missing or left over. */
CU_MUST_USE cu_status cu_part_verify(const struct cu_part *part, const struct cu_part_proof *proof, uint64_t size, const cu_hash *root,
                                     struct cu_err *err);

#endif
