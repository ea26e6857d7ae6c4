/* Inclusion and consistency proofs (RFC 9162, 2.1.3 and 2.1.4): verified from the leaf upward with the bits of the position
 * as the map, made from the root downward out of complete subtrees.
 *
 * The way up from leaf `seq` in a tree of `size`: as long as the leaf's subtree and the last leaf's are not yet the same, a
 * step may come from either side, as the bit says ("inner"); after that the leaf lies on the right edge, and only left
 * siblings remain, one per set bit ("border").
 */
#include "custody/tree.h"

/* C2SP and DESIGN bound a path at 63 hashes, hence a log at 2^63 leaves. */
#define SIZE_MAX_V (UINT64_C(1) << 63)

static unsigned bit_length(uint64_t v) { return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v); }

struct way {
    uint64_t bits; /* of the position, from the subtree where the way begins */
    unsigned inner, border;
};

/* From the subtree of 2^level leaves that holds `seq`. */
static struct way way_up(uint64_t seq, uint64_t size, unsigned level)
{
    unsigned meet = bit_length(seq ^ (size - 1));

    return (struct way){ seq >> level, meet - level, meet < 64 ? (unsigned)__builtin_popcountll(seq >> meet) : 0 };
}

static void fold_left(cu_hash *node, const cu_hash *left) { *node = cu_node_hash(left, node); }
static void fold_right(cu_hash *node, const cu_hash *right) { *node = cu_node_hash(node, right); }

unsigned cu_inclusion_len(cu_seq seq, cu_size size)
{
    if (seq.v >= size.v) return 0;
    struct way way = way_up(seq.v, size.v, 0);
    return way.inner + way.border;
}

cu_status cu_inclusion_verify(const cu_hash *leaf, cu_seq seq, cu_size size, const cu_hash *path, size_t n, const cu_hash *root,
                              struct cu_err *err)
{
    ENSURE(seq.v < size.v && size.v <= SIZE_MAX_V, err, CU_MALFORMED, "inclusion proof: position %llu in a log of %llu",
           LLU(seq.v), LLU(size.v));
    ENSURE(n == cu_inclusion_len(seq, size), err, CU_MALFORMED, "inclusion proof: %zu hashes where %u belong", n,
           cu_inclusion_len(seq, size));

    struct way way = way_up(seq.v, size.v, 0);
    cu_hash node = *leaf;
    for (size_t i = 0; i < n; i++) {
        bool from_left = i >= way.inner || (way.bits >> i & 1) != 0;
        (from_left ? fold_left : fold_right)(&node, &path[i]);
    }
    ENSURE(cu_hash_eq(&node, root), err, CU_BAD_PROOF, "inclusion proof: entry %llu is not under this root of %llu entries",
           LLU(seq.v), LLU(size.v));
    return CU_OK;
}

/* The way of a consistency proof begins at the last complete subtree of the old tree, that is at its lowest set bit. */
static struct way consistency_way(uint64_t from, uint64_t to) { return way_up(from - 1, to, (unsigned)__builtin_ctzll(from)); }

static bool is_power(uint64_t v) { return (v & (v - 1)) == 0; }

unsigned cu_consistency_len(cu_size from, cu_size to)
{
    if (from.v == 0 || from.v >= to.v) return 0;
    struct way way = consistency_way(from.v, to.v);
    return way.inner + way.border + !is_power(from.v); /* the subtree itself, unless it is the whole old tree */
}

static cu_status consistency_trivial(cu_size from, const cu_hash *old_root, const cu_hash *root, struct cu_err *err)
{
    cu_hash empty = cu_empty_root();

    ENSURE(cu_hash_eq(old_root, from.v == 0 ? &empty : root), err, CU_BAD_PROOF, "consistency proof: two roots for %llu entries",
           LLU(from.v));
    return CU_OK;
}

cu_status cu_consistency_verify(cu_size from, const cu_hash *old_root, cu_size to, const cu_hash *root, const cu_hash *proof,
                                size_t n, struct cu_err *err)
{
    ENSURE(from.v <= to.v && to.v <= SIZE_MAX_V, err, CU_MALFORMED, "consistency proof: from %llu to %llu", LLU(from.v),
           LLU(to.v));
    ENSURE(n == cu_consistency_len(from, to), err, CU_MALFORMED, "consistency proof: %zu hashes where %u belong", n,
           cu_consistency_len(from, to));
    if (from.v == 0 || from.v == to.v) return consistency_trivial(from, old_root, root, err);

    struct way way = consistency_way(from.v, to.v);
    size_t first = !is_power(from.v);
    cu_hash before = first ? proof[0] : *old_root, after = before;
    for (size_t i = first; i < n; i++) {
        bool from_left = i - first >= way.inner || (way.bits >> (i - first) & 1) != 0;
        if (from_left) fold_left(&before, &proof[i]);
        (from_left ? fold_left : fold_right)(&after, &proof[i]);
    }
    ENSURE(cu_hash_eq(&before, old_root) && cu_hash_eq(&after, root), err, CU_BAD_PROOF,
           "consistency proof: the log of %llu entries does not continue the one of %llu", LLU(to.v), LLU(from.v));
    return CU_OK;
}

/* ---- making ------------------------------------------------------------------------------------------------------- */

cu_status cu_range_root(const struct cu_node_source *nodes, cu_seq from, cu_seq to, cu_hash *ret, struct cu_err *err)
{
    cu_hash node[64];
    unsigned n = 0;
    uint64_t at = from.v;

    CU_ASSERT(from.v <= to.v);
    while (at < to.v) {
        uint64_t left = to.v - at, part = is_power(left) && at % left == 0 ? left : cu_split(left);
        unsigned level = (unsigned)__builtin_ctzll(part);

        CU_ASSERT(at % part == 0 && n < 64);
        TRY(nodes->node(nodes->self, level, at >> level, &node[n++], err));
        at += part;
    }
    if (n == 0) return *ret = cu_empty_root(), CU_OK;
    while (--n > 0) fold_left(&node[n], &node[n - 1]), node[n - 1] = node[n];
    *ret = node[0];
    return CU_OK;
}

static void reverse(cu_hash *hashes, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        cu_hash h = hashes[i];
        hashes[i] = hashes[n - 1 - i];
        hashes[n - 1 - i] = h;
    }
}

static cu_status push_range(const struct cu_node_source *nodes, uint64_t from, uint64_t to, cu_hash *ret, size_t *n,
                            struct cu_err *err)
{
    CU_ASSERT(*n < CU_PROOF_HASHES_MAX + 1); /* by the size's bound */
    TRY(cu_range_root(nodes, (cu_seq){ from }, (cu_seq){ to }, &ret[*n], err));
    ++*n;
    return CU_OK;
}

cu_status cu_inclusion_make(const struct cu_node_source *nodes, cu_seq seq, cu_size size, cu_hash *ret, size_t *ret_n,
                            struct cu_err *err)
{
    uint64_t lo = 0, hi = size.v;
    size_t n = 0;

    ENSURE(seq.v < size.v && size.v <= SIZE_MAX_V, err, CU_MALFORMED, "inclusion proof: position %llu in a log of %llu",
           LLU(seq.v), LLU(size.v));
    while (hi - lo > 1) {
        uint64_t mid = lo + cu_split(hi - lo);
        bool left = seq.v < mid;

        TRY(left ? push_range(nodes, mid, hi, ret, &n, err) : push_range(nodes, lo, mid, ret, &n, err));
        *(left ? &hi : &lo) = mid;
    }
    reverse(ret, n);
    *ret_n = n;
    return CU_OK;
}

cu_status cu_consistency_make(const struct cu_node_source *nodes, cu_size from, cu_size to, cu_hash *ret, size_t *ret_n,
                              struct cu_err *err)
{
    uint64_t lo = 0, hi = to.v;
    size_t n = 0;

    ENSURE(from.v <= to.v && to.v <= SIZE_MAX_V, err, CU_MALFORMED, "consistency proof: from %llu to %llu", LLU(from.v),
           LLU(to.v));
    if (from.v == 0) return *ret_n = 0, CU_OK;
    while (hi != from.v) {
        uint64_t mid = lo + cu_split(hi - lo);
        bool left = from.v <= mid;

        TRY(left ? push_range(nodes, mid, hi, ret, &n, err) : push_range(nodes, lo, mid, ret, &n, err));
        *(left ? &hi : &lo) = mid;
    }
    if (lo > 0) TRY(push_range(nodes, lo, hi, ret, &n, err)); /* otherwise it is the whole old tree: the reader has its root */
    reverse(ret, n);
    *ret_n = n;
    return CU_OK;
}
