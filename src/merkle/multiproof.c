/* Many leaves under one root. Maker and verifier walk the same tree from the root, left before right:
 *
 * 1. a subtree without a listed leaf is one hash: known already, or the next of the list;
 * 2. a single listed leaf is its own hash;
 * 3. everything else is the hash of its two halves, as RFC 6962 splits them.
 *
 * So the list is determined by (leaves, size, what is known), and one that is too short, too long or in another order fails.
 * The recursion is at most 64 deep.
 */
#include "custody/tree.h"

struct range {
    uint64_t lo, hi;   /* leaves [lo, hi) */
    size_t first, end; /* those listed among them: seqs[first..end) */
};

static struct range left_half(const cu_seq *seqs, struct range of)
{
    uint64_t mid = of.lo + cu_split(of.hi - of.lo);
    size_t end = of.first;

    while (end < of.end && seqs[end].v < mid) end++;
    return (struct range){ of.lo, mid, of.first, end };
}

static bool is_known(const struct cu_known *have, struct range of, cu_hash *ret)
{
    return have != NULL && have->known(have->self, (cu_seq){ of.lo }, (cu_seq){ of.hi }, ret);
}

static cu_status check_list(const cu_seq *seqs, size_t n, cu_size size, struct cu_err *err)
{
    ENSURE(n > 0 && seqs[n - 1].v < size.v, err, CU_MALFORMED, "multiproof: no leaves, or beyond the log's %llu", LLU(size.v));
    for (size_t i = 1; i < n; i++)
        ENSURE(seqs[i - 1].v < seqs[i].v, err, CU_MALFORMED, "multiproof: positions out of order at %llu", LLU(seqs[i].v));
    return CU_OK;
}

struct maker {
    const struct cu_node_source *nodes;
    const cu_seq *seqs;
    const struct cu_known *have;
    cu_hash *ret;
    size_t n, max;
    struct cu_err *err;
};

static cu_status make(struct maker *m, struct range of)
{
    cu_hash unused;

    if (of.first == of.end) {
        if (is_known(m->have, of, &unused)) return CU_OK;
        ENSURE(m->n < m->max, m->err, CU_TOO_LARGE, "multiproof: more than %zu hashes", m->max);
        return cu_range_root(m->nodes, (cu_seq){ of.lo }, (cu_seq){ of.hi }, &m->ret[m->n++], m->err);
    }
    if (of.hi - of.lo == 1) return CU_OK;

    struct range left = left_half(m->seqs, of);
    TRY(make(m, left));
    return make(m, (struct range){ left.hi, of.hi, left.end, of.end });
}

cu_status cu_multiproof_make(const struct cu_node_source *nodes, const cu_seq *seqs, size_t n, cu_size size,
                             const struct cu_known *have, cu_hash *ret, size_t max, size_t *ret_n, struct cu_err *err)
{
    struct maker m = { .nodes = nodes, .seqs = seqs, .have = have, .ret = ret, .max = max, .err = err };

    TRY(check_list(seqs, n, size, err));
    TRY(make(&m, (struct range){ 0, size.v, 0, n }));
    *ret_n = m.n;
    return CU_OK;
}

struct checker {
    const cu_seq *seqs;
    const cu_hash *leaves;
    const struct cu_known *have;
    const uint8_t *hashes;
    size_t left;
    struct cu_err *err;
};

static cu_status compute(struct checker *c, struct range of, cu_hash *ret);

static cu_status root_of(struct checker *c, struct range of, cu_hash *ret)
{
    cu_hash left, right;

    if (of.first == of.end) {
        if (is_known(c->have, of, ret)) return CU_OK;
        ENSURE(c->left > 0, c->err, CU_MALFORMED, "multiproof: a hash is missing for entries %llu to %llu", LLU(of.lo),
               LLU(of.hi - 1));
        memcpy(ret->b, c->hashes, sizeof ret->b);
        c->hashes += sizeof ret->b;
        c->left--;
        return CU_OK;
    }
    if (of.hi - of.lo == 1) return *ret = c->leaves[of.first], CU_OK;

    struct range half = left_half(c->seqs, of);
    TRY(compute(c, half, &left));
    TRY(compute(c, (struct range){ half.hi, of.hi, half.end, of.end }, &right));
    *ret = cu_node_hash(&left, &right);
    return CU_OK;
}

static cu_status compute(struct checker *c, struct range of, cu_hash *ret)
{
    TRY(root_of(c, of, ret));
    if (c->have != NULL && c->have->met != NULL) c->have->met(c->have->met_self, (cu_seq){ of.lo }, (cu_seq){ of.hi }, ret);
    return CU_OK;
}

cu_status cu_multiproof_verify(const cu_seq *seqs, const cu_hash *leaves, size_t n, cu_size size, const struct cu_known *have,
                               const uint8_t *hashes, size_t n_hashes, const cu_hash *root, struct cu_err *err)
{
    struct checker c = { .seqs = seqs, .leaves = leaves, .have = have, .hashes = hashes, .left = n_hashes, .err = err };
    cu_hash computed;

    TRY(check_list(seqs, n, size, err));
    TRY(compute(&c, (struct range){ 0, size.v, 0, n }, &computed));
    ENSURE(c.left == 0, err, CU_MALFORMED, "multiproof: %zu hashes are left over", c.left);
    ENSURE(cu_hash_eq(&computed, root), err, CU_BAD_PROOF, "multiproof: the entries are not under this root of %llu entries",
           LLU(size.v));
    return CU_OK;
}

/* Down from the root to the leaf, the path is met from its end. */
static bool sibling_on_path(void *self, cu_seq from, cu_seq to, cu_hash *ret)
{
    const struct cu_path_known *path = self;
    uint64_t lo = 0, hi = path->size.v;

    for (size_t i = path->n; i-- > 0 && hi - lo > 1;) {
        uint64_t mid = lo + cu_split(hi - lo);
        bool left = path->seq.v < mid;
        bool same = left ? from.v == mid && to.v == hi : from.v == lo && to.v == mid;

        if (same) return *ret = path->path[i], true;
        *(left ? &hi : &lo) = mid;
    }
    return false;
}

struct cu_known cu_known_path(struct cu_path_known *path) { return (struct cu_known){ .self = path, .known = sibling_on_path }; }
