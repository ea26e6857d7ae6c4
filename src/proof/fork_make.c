/* Making a fork proof. A receipt shows more of its log than its own entry: every node that its proofs pass, with the path of each
 * to the root. Where another receipt, or a log's own tiles, show one of these nodes differently, that is the proof; the smallest
 * of them is taken, the leftmost among equals, so that one pair gives one proof. Nothing is verified here but that a receipt
 * leads to its own checkpoint: what was made is judged by cu_fork_verify. */
#include "custody/receipt.h"

/* ---- what a receipt shows of its log ------------------------------------------------------------------------------- */

/* A node of the tree: the leaves [lo, hi). */
struct walked {
    uint64_t lo, hi;
    cu_hash hash;
};

struct view {
    struct cu_span note;
    struct cu_checkpoint checkpoint;
    struct cu_buf nodes; /* of struct walked */
    /* while walking */
    size_t n;
    cu_seq seq[CU_RECEIPT_SUPPORT_MAX + 1];
    cu_hash leaf[CU_RECEIPT_SUPPORT_MAX + 1];
    struct cu_known known;
    struct cu_span hashes;
};

static void view_free(struct view *v) { cu_buf_free(&v->nodes); }

static void insert_leaf(struct view *v, uint64_t seq, struct cu_span entry)
{
    size_t at = v->n++;

    for (; at > 0 && v->seq[at - 1].v > seq; at--) v->seq[at] = v->seq[at - 1], v->leaf[at] = v->leaf[at - 1];
    v->seq[at].v = seq;
    v->leaf[at] = cu_leaf_hash(entry);
}

/* The walk of cu_multiproof_verify, keeping every node that it meets. */
static cu_status walk(struct view *v, size_t first, size_t end, uint64_t lo, uint64_t hi, cu_hash *ret, struct cu_err *err)
{
    cu_hash left, right;
    size_t cut = first;

    if (first < end && hi - lo == 1) *ret = v->leaf[first];
    else if (first < end) {
        uint64_t mid = lo + cu_split(hi - lo);
        while (cut < end && v->seq[cut].v < mid) cut++;
        TRY(walk(v, first, cut, lo, mid, &left, err));
        TRY(walk(v, cut, end, mid, hi, &right, err));
        *ret = cu_node_hash(&left, &right);
    } else if (!v->known.known(v->known.self, (cu_seq){ lo }, (cu_seq){ hi }, ret)) {
        ENSURE(v->hashes.n >= sizeof *ret, err, CU_MALFORMED, "receipt: hashes are missing");
        memcpy(ret->b, v->hashes.p, sizeof *ret);
        v->hashes = cu_span(v->hashes.p + sizeof *ret, v->hashes.n - sizeof *ret);
    }
    struct walked node = { lo, hi, *ret };
    cu_buf_add(&v->nodes, cu_span(&node, sizeof node));
    return CU_OK;
}

static cu_status gather_leaves(struct view *v, const struct cu_tlog_proof *proof, const struct cu_extra *extra,
                               struct cu_err *err)
{
    struct cu_record record;
    struct cu_support s;
    size_t at = 0;

    TRY(cu_record_read(extra->record, &record, err));
    insert_leaf(v, proof->index.v, record.entry);
    while (cu_list_next(&extra->support, &cu_support_schema, &at, &s)) insert_leaf(v, s.seq, s.entry);
    for (size_t i = 1; i < v->n; i++) ENSURE(v->seq[i - 1].v < v->seq[i].v, err, CU_MALFORMED, "receipt: an entry twice");
    ENSURE(v->seq[v->n - 1].v < v->checkpoint.size.v, err, CU_MALFORMED, "receipt: an entry beyond the checkpoint");
    return CU_OK;
}

/* `scratch` is free again afterwards: what stays points into the receipt. */
static cu_status view_open(struct cu_span receipt, uint8_t *scratch, struct view *ret, struct cu_err *err)
{
    struct cu_buf bytes = cu_buf_over(scratch, CU_VERIFY_SCRATCH);
    struct cu_tlog_proof proof;
    struct cu_extra extra;
    struct cu_note note;
    cu_hash root;

    TRY(cu_tlog_proof_read(receipt, &proof, err));
    TRY(cu_note_read(proof.checkpoint, &note, err));
    TRY(cu_checkpoint_read(note.text, &ret->checkpoint, err));
    TRY(cu_base64_read(proof.extra, &bytes, err));
    TRY(cu_schema_read(&cu_extra_schema, cu_buf_span(&bytes), &extra, err));
    TRY(gather_leaves(ret, &proof, &extra, err));
    struct cu_path_known path = { proof.index, ret->checkpoint.size, proof.path, proof.n };
    ret->known = cu_known_path(&path);
    ret->hashes = extra.hashes;
    ret->note = proof.checkpoint;
    TRY(walk(ret, 0, ret->n, 0, ret->checkpoint.size.v, &root, err));
    ENSURE(cu_hash_eq(&root, &ret->checkpoint.root), err, CU_BAD_PROOF, "receipt: its entries do not lead to its checkpoint");
    return cu_buf_ok(&ret->nodes, err);
}

static const struct walked *node_at(const struct view *v, size_t i)
{
    return (const struct walked *)(const void *)v->nodes.p + i;
}
static size_t node_count(const struct view *v) { return v->nodes.n / sizeof(struct walked); }

static const struct walked *find_node(const struct view *v, uint64_t lo, uint64_t hi)
{
    for (size_t i = 0; i < node_count(v); i++)
        if (node_at(v, i)->lo == lo && node_at(v, i)->hi == hi) return node_at(v, i);
    return NULL;
}

static bool is_complete(const struct walked *w)
{
    uint64_t n = w->hi - w->lo;

    return (n & (n - 1)) == 0 && (w->lo & (n - 1)) == 0;
}

static unsigned level_of(const struct walked *w)
{
    unsigned level = 0;

    while (w->hi - w->lo != 1ull << level) level++;
    return level;
}

/* From a walked node to the root: the siblings of its ancestors, which the walk met too. Nearest first. */
static struct cu_span path_from(const struct view *v, const struct walked *w, cu_hash *mem)
{
    uint64_t lo = 0, hi = v->checkpoint.size.v;
    size_t n = CU_PROOF_HASHES_MAX;

    while (lo != w->lo || hi != w->hi) {
        uint64_t mid = lo + cu_split(hi - lo);
        bool left = w->lo < mid;
        const struct walked *sibling = left ? find_node(v, mid, hi) : find_node(v, lo, mid);
        CU_ASSERT(sibling != NULL && n > 0);
        mem[--n] = sibling->hash;
        *(left ? &hi : &lo) = mid;
    }
    return cu_span(mem + n, (CU_PROOF_HASHES_MAX - n) * sizeof *mem);
}

/* ---- making -------------------------------------------------------------------------------------------------------- */

/* Does the other side have this node, and another hash for it? */
struct other {
    const void *self;
    bool (*node)(const void *self, const struct walked *w, cu_hash *ret);
};

/* The smallest subtree that differs, the leftmost of them; NULL: none is seen. */
static const struct walked *find_difference(const struct view *v, struct other other, cu_hash *ret_hash)
{
    const struct walked *best = NULL;

    for (size_t i = 0; i < node_count(v); i++) {
        const struct walked *w = node_at(v, i);
        cu_hash hash;
        if (!is_complete(w) || !other.node(other.self, w, &hash) || cu_hash_eq(&hash, &w->hash)) continue;
        if (best != NULL && (w->hi - w->lo > best->hi - best->lo || (w->hi - w->lo == best->hi - best->lo && w->lo > best->lo)))
            continue;
        best = w;
        *ret_hash = hash;
    }
    return best;
}

/* Settles what needs no subtree: OK with *ret_done when a proof was written. */
static cu_status compare(const struct view *a, struct cu_span note_b, const struct cu_checkpoint *b, struct cu_buf *out,
                         bool *ret_done, struct cu_err *err)
{
    struct cu_fork fork = { .type = cu_span_str(CU_FORK_TYPE), .note_a = a->note, .note_b = note_b };

    *ret_done = a->checkpoint.size.v == b->size.v;
    ENSURE(cu_span_eq(a->checkpoint.origin, b->origin), err, CU_WRONG_NETWORK, "fork: the two are of different logs");
    if (!*ret_done) return CU_OK;
    ENSURE(!cu_hash_eq(&a->checkpoint.root, &b->root), err, CU_NOT_FOUND, "they agree: one log of %llu entries",
           (unsigned long long)b->size.v);
    return cu_schema_write(&cu_fork_schema, &fork, out, err);
}

static cu_status write_fork(const struct view *a, const struct walked *w, struct cu_span note_b, const cu_hash *hash_b,
                            struct cu_span path_b, struct cu_buf *out, struct cu_err *err)
{
    cu_hash mem[CU_PROOF_HASHES_MAX];
    unsigned level = level_of(w);
    struct cu_fork fork = {
        .type = cu_span_str(CU_FORK_TYPE),
        .note_a = a->note,
        .note_b = note_b,
        .has_subtree = true,
        .subtree = { .level = level,
                     .index = w->lo >> level,
                     .hash_a = w->hash,
                     .path_a = path_from(a, w, mem),
                     .hash_b = *hash_b,
                     .path_b = path_b },
    };

    return cu_schema_write(&cu_fork_schema, &fork, out, err);
}

static bool view_node(const void *self, const struct walked *w, cu_hash *ret)
{
    const struct walked *found = find_node(self, w->lo, w->hi);

    if (found != NULL) *ret = found->hash;
    return found != NULL;
}

cu_status cu_fork_make(struct cu_span receipt_a, struct cu_span receipt_b, uint8_t *scratch, struct cu_buf *out,
                       struct cu_err *err)
{
    CU_CLEANUP(view_free) struct view a = { .nodes = cu_buf_heap(CU_RECEIPT_MAX * 4) };
    CU_CLEANUP(view_free) struct view b = { .nodes = cu_buf_heap(CU_RECEIPT_MAX * 4) };
    cu_hash hash_b, mem[CU_PROOF_HASHES_MAX];
    bool done;

    TRY(view_open(receipt_a, scratch, &a, err));
    TRY(view_open(receipt_b, scratch, &b, err));
    TRY(compare(&a, b.note, &b.checkpoint, out, &done, err));
    if (done) return CU_OK;
    const struct walked *w = find_difference(&a, (struct other){ &b, view_node }, &hash_b);
    ENSURE(w != NULL, err, CU_NOT_FOUND, "they agree, as far as the two receipts show their logs");
    return write_fork(&a, w, b.note, &hash_b, path_from(&b, find_node(&b, w->lo, w->hi), mem), out, err);
}

struct log {
    const struct cu_node_source *nodes;
    cu_size size;
};

static bool log_node(const void *self, const struct walked *w, cu_hash *ret)
{
    const struct log *log = self;
    unsigned level = level_of(w);

    return w->hi <= log->size.v && log->nodes->node(log->nodes->self, level, w->lo >> level, ret, NULL) == CU_OK;
}

cu_status cu_fork_make_log(struct cu_span receipt, struct cu_span log_checkpoint, const struct cu_node_source *nodes,
                           uint8_t *scratch, struct cu_buf *out, struct cu_err *err)
{
    CU_CLEANUP(view_free) struct view a = { .nodes = cu_buf_heap(CU_RECEIPT_MAX * 4) };
    struct cu_checkpoint b;
    struct cu_note note;
    cu_hash hash_b, path[CU_PROOF_HASHES_MAX];
    size_t n;
    bool done;

    TRY(view_open(receipt, scratch, &a, err));
    TRY(cu_note_read(log_checkpoint, &note, err));
    TRY(cu_checkpoint_read(note.text, &b, err));
    TRY(compare(&a, log_checkpoint, &b, out, &done, err));
    if (done) return CU_OK;
    struct log log = { nodes, b.size };
    const struct walked *w = find_difference(&a, (struct other){ &log, log_node }, &hash_b);
    ENSURE(w != NULL, err, CU_NOT_FOUND, "they agree, as far as the receipt shows its log");
    TRY(cu_inclusion_make(nodes, (cu_seq){ w->lo }, b.size, path, &n, err));
    unsigned level = level_of(w); /* the first hashes of a leaf's path lie inside the subtree */
    return write_fork(&a, w, log_checkpoint, &hash_b, cu_span(path + level, (n - level) * sizeof *path), out, err);
}
