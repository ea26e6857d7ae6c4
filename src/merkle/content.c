/* The tree over one object's bytes. Whole leaves are hashed where they lie; only what a piece leaves over is copied.
 *
 * rest_n < CU_LEAF_BYTES at all times: a full leaf is hashed at once.
 */
#include "custody/content.h"

enum { BATCH = 256 };
_Static_assert(BATCH *CU_LEAF_BYTES == CU_CHUNK_BYTES, "a chunk is one level-0 tile of leaves");

static void hash_leaves(const uint8_t *leaves, size_t n, cu_hash *ret)
{
    cu_sha256_prefixed(0x00, leaves, CU_LEAF_BYTES, n, ret);
}

void cu_content_start(struct cu_content *c)
{
    c->frontier = (struct cu_frontier){ .size = { 0 } };
    c->size = 0;
    c->rest_n = 0;
}

/* At most what completes the leaf that was begun. */
static struct cu_span fill_rest(struct cu_content *c, struct cu_span bytes)
{
    size_t room = CU_LEAF_BYTES - c->rest_n, n = bytes.n < room ? bytes.n : room;
    cu_hash leaf;

    if (n > 0) memcpy(c->rest + c->rest_n, bytes.p, n);
    c->rest_n += n;
    if (c->rest_n == CU_LEAF_BYTES) {
        hash_leaves(c->rest, 1, &leaf);
        cu_frontier_append(&c->frontier, &leaf);
        c->rest_n = 0;
    }
    return cu_span(bytes.p + n, bytes.n - n);
}

void cu_content_add(struct cu_content *c, struct cu_span bytes)
{
    cu_hash leaves[BATCH];

    c->size += bytes.n;
    if (c->rest_n > 0) bytes = fill_rest(c, bytes);
    while (bytes.n >= CU_LEAF_BYTES) {
        size_t whole = bytes.n / CU_LEAF_BYTES, n = whole < BATCH ? whole : BATCH;

        hash_leaves(bytes.p, n, leaves);
        cu_frontier_append_all(&c->frontier, leaves, n);
        bytes = cu_span(bytes.p + n * CU_LEAF_BYTES, bytes.n - n * CU_LEAF_BYTES);
    }
    if (bytes.n > 0) fill_rest(c, bytes);
}

cu_hash cu_content_root(const struct cu_content *c)
{
    struct cu_frontier all = c->frontier;

    if (c->rest_n > 0) {
        cu_hash leaf = cu_leaf_hash(cu_span(c->rest, c->rest_n));
        cu_frontier_append(&all, &leaf);
    }
    return cu_frontier_root(&all);
}

cu_hash cu_content_root_of(struct cu_span bytes)
{
    struct cu_content c;

    cu_content_start(&c);
    cu_content_add(&c, bytes);
    return cu_content_root(&c);
}

size_t cu_content_leaves(struct cu_span chunk, cu_hash *ret)
{
    size_t whole = chunk.n / CU_LEAF_BYTES, rest = chunk.n % CU_LEAF_BYTES;

    CU_ASSERT(chunk.n <= CU_CHUNK_BYTES);
    hash_leaves(chunk.p, whole, ret);
    if (rest > 0) ret[whole] = cu_leaf_hash(cu_span(chunk.p + whole * CU_LEAF_BYTES, rest));
    return whole + (rest > 0);
}

size_t cu_content_leaves_beside(struct cu_sha256_flow *whole, struct cu_span chunk, bool last, cu_hash *ret, cu_hash *ret_whole)
{
    const size_t full = chunk.n / CU_LEAF_BYTES;
    const struct cu_span rest = cu_span(chunk.p + full * CU_LEAF_BYTES, chunk.n % CU_LEAF_BYTES);

    CU_ASSERT(chunk.n <= CU_CHUNK_BYTES && (last || rest.n == 0));
    cu_sha256_flow_leaves(whole, 0x00, chunk.p, CU_LEAF_BYTES, full, ret);
    if (rest.n > 0) ret[full] = cu_leaf_hash(rest);
    if (last) *ret_whole = cu_sha256_flow_finish(whole, rest);
    return full + (rest.n > 0);
}

uint64_t cu_content_leaf_count(uint64_t size) { return size / CU_LEAF_BYTES + (size % CU_LEAF_BYTES != 0); }

uint64_t cu_content_chunk_count(uint64_t size) { return size / CU_CHUNK_BYTES + (size % CU_CHUNK_BYTES != 0); }

/* A chunk that is not full is the subtree on the right. */
bool cu_content_chunks_lead(const cu_hash *chunk, uint64_t size, const cu_hash *root)
{
    const uint64_t n = cu_content_chunk_count(size);
    const bool partial = size % CU_CHUNK_BYTES != 0;
    struct cu_frontier f = { 0 };
    cu_hash up;

    for (uint64_t i = 0; i < n - partial; i++) cu_frontier_append_subtree(&f, 8, &chunk[i]);
    if (!partial) up = cu_frontier_root(&f);
    else up = chunk[n - 1];
    for (unsigned i = partial ? f.n : 0; i > 0; i--) up = cu_node_hash(&f.node[i - 1], &up);
    return cu_hash_eq(&up, root);
}
