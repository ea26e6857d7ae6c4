/* The RFC 6962 SHA-256 Merkle tree: the log, the content of every object, the items of a folder and inventories all use it.
 * leaf = SHA-256(0x00 ‖ data), node = SHA-256(0x01 ‖ left ‖ right), empty tree = SHA-256("").
 */
#ifndef CUSTODY_TREE_H
#define CUSTODY_TREE_H

#include "custody/digest.h"
#include "custody/limits.h"

cu_hash cu_leaf_hash(struct cu_span data);
void cu_leaf_hashes(const struct cu_span *data, size_t n, cu_hash *ret); /* many: nearly twice as fast */
cu_hash cu_node_hash(const cu_hash *left, const cu_hash *right);
cu_hash cu_empty_root(void);

/** What must be kept of a tree of `size` leaves to append to it and to know its root: the roots of its complete subtrees,
 *  the largest first, one per set bit of size. */
struct cu_frontier {
    cu_size size;
    unsigned n;
    cu_hash node[64];
};
void cu_frontier_append(struct cu_frontier *f, const cu_hash *leaf); /* starts from all zeros = the empty tree */
/** Append a complete subtree of 2^level leaves; f->size must be a multiple of 2^level. */
void cu_frontier_append_subtree(struct cu_frontier *f, unsigned level, const cu_hash *root);
/** Append n leaves, level by level: several times quicker than one by one where the prefixed hash has lanes. */
void cu_frontier_append_all(struct cu_frontier *f, const cu_hash *leaves, size_t n);
cu_hash cu_frontier_root(const struct cu_frontier *f);
/** size (u64 big-endian) and the nodes; read back only if their count fits the size. At most 8 + 64·32 bytes. */
void cu_frontier_put(const struct cu_frontier *f, struct cu_buf *out);
CU_MUST_USE cu_status cu_frontier_read(struct cu_span bytes, struct cu_frontier *ret, struct cu_err *err);

/** Root of n leaf hashes. No allocation. */
cu_hash cu_tree_root(const cu_hash *leaves, size_t n);
/** The same for 2^level leaves, level 0..8: one tile or a complete part of it. */
cu_hash cu_complete_root(const cu_hash *leaves, unsigned level);

/** How many hashes an inclusion path has; a consistency proof. */
unsigned cu_inclusion_len(cu_seq seq, cu_size size);
unsigned cu_consistency_len(cu_size from, cu_size to);

/** Is `leaf` at position `seq` of the log of `size` entries whose root this is?
 *
 *  path   n hashes, the leaf's sibling first, towards the root
 *
 *  CU_OK yes.  CU_BAD_PROOF well formed, but leads to another root.  CU_MALFORMED seq not below size, or n wrong for (seq, size).
 *  Cost: n + 1 hashes, no allocation, any thread.  Source: RFC 9162, 2.1.3.2. */
CU_MUST_USE cu_status cu_inclusion_verify(const cu_hash *leaf, cu_seq seq, cu_size size, const cu_hash *path, size_t n,
                                          const cu_hash *root, struct cu_err *err);

/** Does the log of size `to` begin with the log of size `from`?  As above; from ≤ to; from 0 has an empty proof and proves
 *  nothing but that the old root is the empty one.  Source: RFC 9162, 2.1.4.2. */
CU_MUST_USE cu_status cu_consistency_verify(cu_size from, const cu_hash *old_root, cu_size to, const cu_hash *root,
                                            const cu_hash *proof, size_t n, struct cu_err *err);

/** Where hashes come from when a proof is made: the root of the complete subtree (level, index), that is of the leaves
 *  [index·2^level, (index+1)·2^level). */
struct cu_node_source {
    void *self;
    cu_status (*node)(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err);
};

/** Root of the leaves [from, to) of the log: from must be a multiple of the largest power of two below to - from. */
CU_MUST_USE cu_status cu_range_root(const struct cu_node_source *from_nodes, cu_seq from, cu_seq to, cu_hash *ret,
                                    struct cu_err *err);
/** `ret` holds CU_PROOF_HASHES_MAX hashes. Cost: O(log size) hashes, O(log² size) node reads at worst. */
CU_MUST_USE cu_status cu_inclusion_make(const struct cu_node_source *nodes, cu_seq seq, cu_size size, cu_hash *ret, size_t *ret_n,
                                        struct cu_err *err);
CU_MUST_USE cu_status cu_consistency_make(const struct cu_node_source *nodes, cu_size from, cu_size to, cu_hash *ret,
                                          size_t *ret_n, struct cu_err *err);

/** Many leaves under one root: the hashes, and only those, that cannot be computed from the listed leaves, in the order in
 *  which a walk from the root, left before right, meets them. `seqs` ascending, no repeats, n ≥ 1.
 *
 *  have   may be NULL: subtrees that are known already (a path that the reader holds anyway) and are left out of the list.
 *         `known(self, from, to, ret)` gives the root of [from, to) if it has it. `met`, which may be NULL, is told every node
 *         that a verification computes or takes, children before parents, whether or not they then lead to the root. */
struct cu_known {
    void *self;
    bool (*known)(void *self, cu_seq from, cu_seq to, cu_hash *ret);
    void *met_self;
    void (*met)(void *met_self, cu_seq from, cu_seq to, const cu_hash *node);
};
CU_MUST_USE cu_status cu_multiproof_make(const struct cu_node_source *nodes, const cu_seq *seqs, size_t n, cu_size size,
                                         const struct cu_known *have, cu_hash *ret, size_t max, size_t *ret_n,
                                         struct cu_err *err);
/** Recompute the root; CU_BAD_PROOF when it differs, CU_MALFORMED when hashes are missing or left over. No allocation. */
CU_MUST_USE cu_status cu_multiproof_verify(const cu_seq *seqs, const cu_hash *leaves, size_t n, cu_size size,
                                           const struct cu_known *have, const uint8_t *hashes, size_t n_hashes,
                                           const cu_hash *root, struct cu_err *err);

/** The path of one inclusion proof as `cu_known`: gives the sibling subtrees along it. */
struct cu_path_known { cu_seq seq; cu_size size; const cu_hash *path; size_t n; };
struct cu_known cu_known_path(struct cu_path_known *path);

/** The largest power of two below n (n ≥ 2). */
uint64_t cu_split(uint64_t n);

#endif
