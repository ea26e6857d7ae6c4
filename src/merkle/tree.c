/* The RFC 6962 tree grown from the right: what must be kept of n leaves is the roots of its complete subtrees, one per set
 * bit of n, the largest first.
 *
 * 1. frontier->n == popcount(frontier->size).
 * 2. node[i] is the root of the complete subtree that belongs to the i-th highest set bit of size.
 */
#include "custody/tree.h"

enum { BATCH = 256, BATCH_LEVEL = 8 }; /* leaves hashed level by level on the stack */

static const uint8_t leaf_prefix = 0x00, node_prefix = 0x01;

void cu_leaf_hashes(const struct cu_span *data, size_t n, cu_hash *ret) { cu_sha256_prefixed_each(leaf_prefix, data, n, ret); }
cu_hash cu_leaf_hash(struct cu_span data) { return cu_sha256_parts((struct cu_span[]){ cu_span(&leaf_prefix, 1), data }, 2); }

static void hash_pairs(const cu_hash *pairs, size_t n, cu_hash *ret)
{
    cu_sha256_prefixed(node_prefix, pairs->b, 2 * sizeof *pairs, n, ret);
}

cu_hash cu_node_hash(const cu_hash *left, const cu_hash *right)
{
    cu_hash pair[2] = { *left, *right }, ret;

    hash_pairs(pair, 1, &ret);
    return ret;
}

cu_hash cu_empty_root(void) { return cu_sha256(CU_SPAN_EMPTY); }

cu_hash cu_complete_root(const cu_hash *leaves, unsigned level)
{
    cu_hash row[BATCH / 2];
    size_t n = (size_t)1 << level;

    CU_ASSERT(level <= BATCH_LEVEL);
    if (n == 1) return leaves[0];
    hash_pairs(leaves, n /= 2, row);
    while (n > 1) {
        cu_hash above[BATCH / 4];

        hash_pairs(row, n /= 2, above);
        memcpy(row, above, n * sizeof *row);
    }
    return row[0];
}

void cu_frontier_append_subtree(struct cu_frontier *f, unsigned level, const cu_hash *root)
{
    uint64_t leaves = UINT64_C(1) << level;
    cu_hash node = *root;

    CU_ASSERT(level < 64 && f->size.v % leaves == 0 && f->size.v <= UINT64_MAX - leaves);
    for (uint64_t bit = leaves; (f->size.v & bit) != 0; bit <<= 1) node = cu_node_hash(&f->node[--f->n], &node);
    f->node[f->n++] = node;
    f->size.v += leaves;
}

void cu_frontier_append(struct cu_frontier *f, const cu_hash *leaf) { cu_frontier_append_subtree(f, 0, leaf); }

/* The largest complete subtree that may come next and that n leaves fill. */
static unsigned next_level(uint64_t size, size_t n)
{
    unsigned level = 0;

    while (level < BATCH_LEVEL && (size >> level & 1) == 0 && n >> (level + 1) != 0) level++;
    return level;
}

void cu_frontier_append_all(struct cu_frontier *f, const cu_hash *leaves, size_t n)
{
    while (n > 0) {
        unsigned level = next_level(f->size.v, n);
        cu_hash root = cu_complete_root(leaves, level);

        cu_frontier_append_subtree(f, level, &root);
        leaves += (size_t)1 << level;
        n -= (size_t)1 << level;
    }
}

cu_hash cu_frontier_root(const struct cu_frontier *f)
{
    if (f->n == 0) return cu_empty_root();

    cu_hash root = f->node[f->n - 1];
    for (unsigned i = f->n - 1; i-- > 0;) root = cu_node_hash(&f->node[i], &root);
    return root;
}

void cu_frontier_put(const struct cu_frontier *f, struct cu_buf *out)
{
    uint8_t size[8];

    cu_put_be64(size, f->size.v);
    cu_buf_add(out, CU_SPAN_OF(size));
    cu_buf_add(out, cu_span(f->node, f->n * sizeof *f->node));
}

cu_status cu_frontier_read(struct cu_span bytes, struct cu_frontier *ret, struct cu_err *err)
{
    ENSURE(bytes.n >= 8, err, CU_MALFORMED, "frontier: %zu bytes", bytes.n);

    struct cu_frontier out = { .size = { cu_be64(bytes.p) } };
    out.n = (unsigned)__builtin_popcountll(out.size.v);
    ENSURE(bytes.n == 8 + out.n * sizeof(cu_hash), err, CU_MALFORMED, "frontier: %zu bytes do not fit %llu leaves", bytes.n,
           LLU(out.size.v));
    memcpy(out.node, bytes.p + 8, out.n * sizeof(cu_hash));
    *ret = out;
    return CU_OK;
}

cu_hash cu_tree_root(const cu_hash *leaves, size_t n)
{
    struct cu_frontier f = { .size = { 0 } };

    cu_frontier_append_all(&f, leaves, n);
    return cu_frontier_root(&f);
}

uint64_t cu_split(uint64_t n)
{
    CU_ASSERT(n >= 2);
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}
