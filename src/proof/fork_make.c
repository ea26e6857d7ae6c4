/* Making a fork proof. A receipt shows more of its log than its own entry: every node that its proofs pass, with the path of each
 * to the root. Where another receipt, or a log's own tiles, show one of these nodes differently, that is the proof; the smallest
 * of them is taken, the leftmost among equals, so that one pair gives one proof. Nothing is verified here but that a receipt
 * leads to its own checkpoint: what was made is judged by cu_fork_verify. */
#include "judge.h"

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
};

static void view_free(struct view *v) { cu_buf_free(&v->nodes); }

struct leaves {
    size_t n;
    cu_seq seq[CU_RECEIPT_SUPPORT_MAX + 1];
    cu_hash hash[CU_RECEIPT_SUPPORT_MAX + 1];
};

static void insert_leaf(struct leaves *l, uint64_t seq, struct cu_span entry)
{
    size_t at = l->n++;

    for (; at > 0 && l->seq[at - 1].v > seq; at--) l->seq[at] = l->seq[at - 1], l->hash[at] = l->hash[at - 1];
    l->seq[at].v = seq;
    l->hash[at] = cu_leaf_hash(entry);
}

static cu_status gather_leaves(const struct cu_judge *j, struct leaves *ret)
{
    struct cu_record record;
    struct cu_support s;
    size_t at = 0;

    TRY(cu_record_read(j->extra.record, &record, j->err));
    insert_leaf(ret, j->proof.index.v, record.entry);
    while (cu_list_next(&j->extra.support, &cu_support_schema, &at, &s)) insert_leaf(ret, s.seq, s.entry);
    return CU_OK;
}

static void keep_node(void *nodes, cu_seq lo, cu_seq hi, const cu_hash *hash)
{
    cu_buf_add(nodes, cu_span(&(struct walked){ lo.v, hi.v, *hash }, sizeof(struct walked)));
}

/* `scratch` is free again afterwards: what stays points into the receipt. */
static cu_status view_open(struct cu_span receipt, uint8_t *scratch, struct view *ret, struct cu_err *err)
{
    struct cu_report report;
    struct cu_judge j = { .report = &report, .err = err };
    struct leaves leaves = { 0 };

    TRY(cu_judge_open(&j, receipt, scratch));
    TRY(gather_leaves(&j, &leaves));
    ret->note = j.proof.checkpoint;
    ret->checkpoint = report.checkpoint;
    struct cu_path_known path = { j.proof.index, report.checkpoint.size, j.proof.path, j.proof.n };
    struct cu_known known = cu_known_path(&path);
    known.met = keep_node, known.met_self = &ret->nodes;
    TRY(cu_multiproof_verify(leaves.seq, leaves.hash, leaves.n, report.checkpoint.size, &known, j.extra.hashes.p,
                             j.extra.hashes.n / sizeof(cu_hash), &report.checkpoint.root, err));
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

/* The other side: has it this node, with which hash, and how does that lead to its root? */
struct other {
    const void *self;
    struct cu_span note;
    const struct cu_checkpoint *checkpoint;
    bool (*node)(const void *self, const struct walked *w, cu_hash *ret);
    cu_status (*path)(const void *self, const struct walked *w, cu_hash *mem, struct cu_span *ret, struct cu_err *err);
};

static bool is_better(const struct walked *w, const struct walked *best)
{
    if (best == NULL) return true;
    const uint64_t n = w->hi - w->lo, best_n = best->hi - best->lo;
    return n < best_n || (n == best_n && w->lo < best->lo);
}

/* The smallest subtree that differs, the leftmost of them; NULL: none is seen. */
static const struct walked *find_difference(const struct view *v, const struct other *other, cu_hash *ret_hash)
{
    const struct walked *best = NULL;
    cu_hash hash;

    for (size_t i = 0; i < node_count(v); i++) {
        const struct walked *w = node_at(v, i);
        if (!is_complete(w) || !is_better(w, best) || !other->node(other->self, w, &hash) || cu_hash_eq(&hash, &w->hash))
            continue;
        best = w;
        *ret_hash = hash;
    }
    return best;
}

static cu_status make(const struct view *a, const struct other *b, struct cu_buf *out, struct cu_err *err)
{
    struct cu_fork fork = { .type = cu_span_str(CU_FORK_TYPE), .note_a = a->note, .note_b = b->note };
    struct cu_fork_subtree *t = &fork.subtree;
    cu_hash mem_a[CU_PROOF_HASHES_MAX], mem_b[CU_PROOF_HASHES_MAX];

    ENSURE(cu_span_eq(a->checkpoint.origin, b->checkpoint->origin), err, CU_WRONG_NETWORK, "fork: the two are of different logs");
    fork.has_subtree = a->checkpoint.size.v != b->checkpoint->size.v;
    if (fork.has_subtree) {
        const struct walked *w = find_difference(a, b, &t->hash_b);
        ENSURE(w != NULL, err, CU_NOT_FOUND, "they agree, as far as can be seen");
        t->level = level_of(w);
        t->index = w->lo >> t->level;
        t->hash_a = w->hash;
        t->path_a = path_from(a, w, mem_a);
        TRY(b->path(b->self, w, mem_b, &t->path_b, err));
    } else
        ENSURE(!cu_hash_eq(&a->checkpoint.root, &b->checkpoint->root), err, CU_NOT_FOUND, "they agree: one log of %llu entries",
               LLU(a->checkpoint.size.v));
    return cu_schema_write(&cu_fork_schema, &fork, out, err);
}

/* ---- against another receipt ---------------------------------------------------------------------------------------- */

static bool view_node(const void *self, const struct walked *w, cu_hash *ret)
{
    const struct walked *found = find_node(self, w->lo, w->hi);

    if (found != NULL) *ret = found->hash;
    return found != NULL;
}

static cu_status view_path(const void *self, const struct walked *w, cu_hash *mem, struct cu_span *ret, struct cu_err *err)
{
    (void)err;
    *ret = path_from(self, w, mem);
    return CU_OK;
}

cu_status cu_fork_make(struct cu_span receipt_a, struct cu_span receipt_b, uint8_t *scratch, struct cu_buf *out,
                       struct cu_err *err)
{
    CU_CLEANUP(view_free) struct view a = { .nodes = cu_buf_heap(CU_RECEIPT_MAX * 4) };
    CU_CLEANUP(view_free) struct view b = { .nodes = cu_buf_heap(CU_RECEIPT_MAX * 4) };

    TRY(view_open(receipt_a, scratch, &a, err));
    TRY(view_open(receipt_b, scratch, &b, err));
    return make(&a, &(struct other){ &b, b.note, &b.checkpoint, view_node, view_path }, out, err);
}

/* ---- against a log -------------------------------------------------------------------------------------------------- */

struct log {
    const struct cu_node_source *nodes;
    struct cu_note note;
    struct cu_checkpoint checkpoint;
};

static bool log_node(const void *self, const struct walked *w, cu_hash *ret)
{
    const struct log *log = self;
    unsigned level = level_of(w);

    return w->hi <= log->checkpoint.size.v && log->nodes->node(log->nodes->self, level, w->lo >> level, ret, NULL) == CU_OK;
}

static cu_status log_path(const void *self, const struct walked *w, cu_hash *mem, struct cu_span *ret, struct cu_err *err)
{
    const struct log *log = self;
    unsigned level = level_of(w); /* the first hashes of a leaf's path lie inside the subtree */
    size_t n;

    TRY(cu_inclusion_make(log->nodes, (cu_seq){ w->lo }, log->checkpoint.size, mem, &n, err));
    *ret = cu_span(mem + level, (n - level) * sizeof *mem);
    return CU_OK;
}

cu_status cu_fork_make_log(struct cu_span receipt, struct cu_span log_checkpoint, const struct cu_node_source *nodes,
                           uint8_t *scratch, struct cu_buf *out, struct cu_err *err)
{
    CU_CLEANUP(view_free) struct view a = { .nodes = cu_buf_heap(CU_RECEIPT_MAX * 4) };
    struct log log = { .nodes = nodes };

    TRY(view_open(receipt, scratch, &a, err));
    TRY(cu_note_read(log_checkpoint, &log.note, err));
    TRY(cu_checkpoint_read(log.note.text, &log.checkpoint, err));
    return make(&a, &(struct other){ &log, log_checkpoint, &log.checkpoint, log_node, log_path }, out, err);
}
