/* RFC 6962, 2.1, word for word: what our iterative code is compared with. And logs of arbitrary leaves to try it on. */
#ifndef TEST_NAIVE_H
#define TEST_NAIVE_H

#include "../crypto/support.h"
#include "custody/tree.h"

static inline uint64_t naive_split(uint64_t n)
{
    uint64_t k = 1;

    while (2 * k < n)
        k *= 2;
    return k;
}

static inline cu_hash naive_pair(cu_hash left, cu_hash right)
{
    static const uint8_t prefix = 1;
    return cu_sha256_parts((struct cu_span[]){ cu_span(&prefix, 1), cu_span_hash(&left), cu_span_hash(&right) }, 3);
}

/* MTH(D[n]) over leaf hashes. */
static inline cu_hash naive_root(const cu_hash *leaves, uint64_t n)
{
    if (n == 0) return cu_sha256(CU_SPAN_EMPTY);
    if (n == 1) return leaves[0];
    uint64_t k = naive_split(n);
    return naive_pair(naive_root(leaves, k), naive_root(leaves + k, n - k));
}

/* PATH(m, D[n]). */
static inline size_t naive_path(uint64_t m, const cu_hash *leaves, uint64_t n, cu_hash *ret)
{
    if (n <= 1) return 0;
    uint64_t k = naive_split(n);
    size_t at = m < k ? naive_path(m, leaves, k, ret) : naive_path(m - k, leaves + k, n - k, ret);
    ret[at] = m < k ? naive_root(leaves + k, n - k) : naive_root(leaves, k);
    return at + 1;
}

/* SUBPROOF(m, D[n], b). */
static inline size_t naive_subproof(uint64_t m, const cu_hash *leaves, uint64_t n, bool whole, cu_hash *ret)
{
    if (m == n && whole) return 0;
    if (m == n) return ret[0] = naive_root(leaves, n), 1;
    uint64_t k = naive_split(n);
    size_t at = m <= k ? naive_subproof(m, leaves, k, whole, ret) : naive_subproof(m - k, leaves + k, n - k, false, ret);
    ret[at] = m <= k ? naive_root(leaves + k, n - k) : naive_root(leaves, k);
    return at + 1;
}

/* Leaf i is the hash of the number i. */
static inline void some_leaves(cu_hash *ret, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t number[8];

        cu_put_be64(number, i);
        ret[i] = cu_leaf_hash(CU_SPAN_OF(number));
    }
}

/* Nodes straight from the leaves, each computed once. */
struct naive_nodes {
    const cu_hash *leaves;
    uint64_t n;
    size_t reads;
    bool has[9][300];
    cu_hash memo[9][300];
};

static inline cu_status naive_node(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err)
{
    struct naive_nodes *nodes = self;

    nodes->reads++;
    ENSURE((index + 1) << level <= nodes->n, err, CU_NOT_FOUND, "no such subtree");
    assert_true(level < 9 && index < 300);
    if (!nodes->has[level][index]) {
        nodes->memo[level][index] = naive_root(nodes->leaves + (index << level), UINT64_C(1) << level);
        nodes->has[level][index] = true;
    }
    *ret = nodes->memo[level][index];
    return CU_OK;
}

#endif
