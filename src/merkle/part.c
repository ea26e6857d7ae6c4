/* A part of an item. Its leaves are neighbours, so what proves them is two runs of subtrees, one on each side.
 *
 * (1) A run's nodes are the complete subtrees of the item's tree within it, the largest that there are; at most 64 grow and 64
 *     shrink towards its end. So any subtree of the tree that lies in a run is a node, or falls into two that do.
 */
#include "custody/part.h"

static const struct cu_field part_fields[] = {
    CU_TEXT(0, struct cu_part_proof, type, 1, 128),
    CU_FIXED(1, struct cu_part_proof, id),
    CU_UINT(2, struct cu_part_proof, first, 0, INT64_MAX),
    CU_UINT(3, struct cu_part_proof, last, 0, INT64_MAX),
    CU_BYTES(4, struct cu_part_proof, before, 0, CU_LEAF_BYTES - 1),
    CU_BYTES(5, struct cu_part_proof, after, 0, CU_LEAF_BYTES - 1),
    CU_BYTES(6, struct cu_part_proof, hashes, 0, 128 * sizeof(cu_hash)),
    CU_BYTES(7, struct cu_part_proof, item, 1, CU_PATH_MAX_BYTES, CU_OPTIONAL(struct cu_part_proof, has_item)),
};
const struct cu_schema cu_part_proof_schema = CU_SCHEMA_OF("part", part_fields, struct cu_part_proof);

cu_status cu_part_proof_read(struct cu_span bytes, struct cu_part_proof *ret, struct cu_err *err)
{
    struct cu_part_proof out = { 0 };

    TRY(cu_schema_read(&cu_part_proof_schema, bytes, &out, err));
    ENSURE(cu_span_is(out.type, CU_PART_TYPE), err, CU_NEWER_FORMAT, "proof of a part: of a type that is not known here");
    ENSURE(out.first <= out.last && out.hashes.n % sizeof(cu_hash) == 0, err, CU_MALFORMED,
           "proof of a part: it ends before it begins, or a hash is cut off");
    *ret = out;
    return CU_OK;
}

/* ---- runs of leaves ------------------------------------------------------------------------------------------------ */

void cu_leaf_run_start(struct cu_leaf_run *run, uint64_t from)
{
    run->from = run->to = from;
    run->n = 0;
}

void cu_leaf_run_add(struct cu_leaf_run *run, const cu_hash *leaf) { cu_leaf_run_add_subtree(run, 1, leaf); }

void cu_leaf_run_add_subtree(struct cu_leaf_run *run, uint64_t leaves, const cu_hash *root)
{
    struct cu_run_node *node = run->node;

    CU_ASSERT(run->to % leaves == 0);
    node[run->n++] = (struct cu_run_node){ run->to, run->to + leaves, *root };
    run->to += leaves;
    while (run->n > 1) {
        struct cu_run_node *a = &node[run->n - 2], *b = &node[run->n - 1];
        if (a->hi - a->lo != b->hi - b->lo || a->lo % (2 * (a->hi - a->lo)) != 0) break;
        *a = (struct cu_run_node){ a->lo, b->hi, cu_node_hash(&a->hash, &b->hash) };
        run->n--;
    }
}

/* The root of [lo, hi), a subtree of the item's tree that lies in the run. By (1). */
static cu_hash run_root(const struct cu_leaf_run *run, uint64_t lo, uint64_t hi)
{
    for (size_t i = 0; i < run->n; i++)
        if (run->node[i].lo == lo && run->node[i].hi == hi) return run->node[i].hash;
    CU_ASSERT(hi - lo > 1);
    uint64_t mid = lo + cu_split(hi - lo);
    cu_hash left = run_root(run, lo, mid), right = run_root(run, mid, hi);
    return cu_node_hash(&left, &right);
}

static void put_hashes(const struct cu_leaf_run *left, const struct cu_leaf_run *right, uint64_t lo, uint64_t hi,
                       struct cu_buf *out)
{
    if (left->to <= lo && hi <= right->from) return; /* within the part */
    if (hi <= left->to || lo >= right->from) {
        cu_hash root = run_root(hi <= left->to ? left : right, lo, hi);
        cu_buf_add(out, cu_span_hash(&root));
        return;
    }
    uint64_t mid = lo + cu_split(hi - lo);
    put_hashes(left, right, lo, mid, out);
    put_hashes(left, right, mid, hi, out);
}

void cu_part_hashes(const struct cu_leaf_run *left, const struct cu_leaf_run *right, struct cu_buf *out)
{
    put_hashes(left, right, 0, right->to, out);
}

/* ---- the bytes of a part ------------------------------------------------------------------------------------------- */

void cu_part_start(struct cu_part *part, uint64_t first)
{
    part->first = first;
    part->size = 0;
    part->head_n = part->rest_n = 0;
    cu_leaf_run_start(&part->leaves, (first + CU_LEAF_BYTES - 1) / CU_LEAF_BYTES);
}

static void take(struct cu_span *bytes, size_t most, uint8_t *to, size_t *io_n)
{
    size_t n = bytes->n < most ? bytes->n : most;

    if (n > 0) memcpy(to + *io_n, bytes->p, n);
    *io_n += n;
    *bytes = cu_span(bytes->p + n, bytes->n - n);
}

void cu_part_add(struct cu_part *part, struct cu_span bytes)
{
    const size_t head = (CU_LEAF_BYTES - part->first % CU_LEAF_BYTES) % CU_LEAF_BYTES;

    part->size += bytes.n;
    take(&bytes, head - part->head_n, part->head, &part->head_n);
    while (bytes.n > 0) {
        cu_hash leaf;
        if (part->rest_n == 0 && bytes.n >= CU_LEAF_BYTES) {
            leaf = cu_leaf_hash(cu_span(bytes.p, CU_LEAF_BYTES));
            bytes = cu_span(bytes.p + CU_LEAF_BYTES, bytes.n - CU_LEAF_BYTES);
        } else {
            take(&bytes, CU_LEAF_BYTES - part->rest_n, part->rest, &part->rest_n);
            if (part->rest_n < CU_LEAF_BYTES) return;
            leaf = cu_leaf_hash(CU_SPAN_OF(part->rest));
            part->rest_n = 0;
        }
        cu_leaf_run_add(&part->leaves, &leaf);
    }
}

struct climbing {
    const struct cu_leaf_run *leaves;
    struct cu_run_node end[2]; /* the leaves that the part shares with its neighbours */
    size_t ends_n;
    uint64_t from, to; /* leaves of the part */
    struct cu_span hashes;
    bool missing;
};

static cu_hash climb(struct climbing *c, uint64_t lo, uint64_t hi)
{
    cu_hash hash = { { 0 } };

    for (size_t i = 0; i < c->ends_n; i++)
        if (c->end[i].lo == lo && hi == lo + 1) return c->end[i].hash;
    for (size_t i = 0; i < c->leaves->n; i++)
        if (c->leaves->node[i].lo == lo && c->leaves->node[i].hi == hi) return c->leaves->node[i].hash;
    if (hi <= c->from || lo >= c->to) {
        if (c->hashes.n < sizeof hash) return c->missing = true, hash;
        memcpy(hash.b, c->hashes.p, sizeof hash);
        c->hashes = cu_span(c->hashes.p + sizeof hash, c->hashes.n - sizeof hash);
        return hash;
    }
    CU_ASSERT(hi - lo > 1); /* every leaf of the part is an end, or in a node */
    uint64_t mid = lo + cu_split(hi - lo);
    cu_hash left = climb(c, lo, mid), right = climb(c, mid, hi);
    return cu_node_hash(&left, &right);
}

/* The leaf that begins with `a` and ends with `c`. */
static void share(struct climbing *to, uint64_t at, struct cu_span a, struct cu_span b, struct cu_span c)
{
    uint8_t bytes[3 * CU_LEAF_BYTES];
    struct cu_buf leaf = cu_buf_over(bytes, sizeof bytes);

    cu_buf_add(&leaf, a);
    cu_buf_add(&leaf, b);
    cu_buf_add(&leaf, c);
    to->end[to->ends_n++] = (struct cu_run_node){ at, at + 1, cu_leaf_hash(cu_buf_span(&leaf)) };
}

cu_status cu_part_verify(const struct cu_part *part, const struct cu_part_proof *proof, uint64_t size, const cu_hash *root,
                         struct cu_err *err)
{
    const struct cu_span head = cu_span(part->head, part->head_n), rest = cu_span(part->rest, part->rest_n);
    uint64_t end = proof->last / CU_LEAF_BYTES * CU_LEAF_BYTES + CU_LEAF_BYTES;

    if (end > size) end = size;
    ENSURE(proof->last < size && proof->first == part->first && proof->last - proof->first + 1 == part->size, err, CU_MALFORMED,
           "the proof is of bytes %llu to %llu of %llu; there are %llu bytes from %llu", LLU(proof->first), LLU(proof->last),
           LLU(size), LLU(part->size), LLU(part->first));
    ENSURE(proof->before.n == proof->first % CU_LEAF_BYTES && proof->after.n == end - proof->last - 1, err, CU_MALFORMED,
           "the proof does not complete the first and the last leaf");
    struct climbing c = { .leaves = &part->leaves,
                          .from = proof->first / CU_LEAF_BYTES,
                          .to = proof->last / CU_LEAF_BYTES + 1,
                          .hashes = proof->hashes };
    const bool alone = head.n > 0 && c.to == c.from + 1; /* it begins and ends in one leaf, and at no leaf's beginning */
    if (head.n > 0) share(&c, c.from, proof->before, head, alone ? proof->after : CU_SPAN_EMPTY);
    if (rest.n > 0) share(&c, c.to - 1, rest, proof->after, CU_SPAN_EMPTY);
    cu_hash found = climb(&c, 0, cu_content_leaf_count(size));
    ENSURE(!c.missing && c.hashes.n == 0, err, CU_MALFORMED, "the proof has hashes %s", c.missing ? "missing" : "left over");
    ENSURE(cu_hash_eq(&found, root), err, CU_BAD_PROOF, "the bytes are not those of the item");
    return CU_OK;
}
