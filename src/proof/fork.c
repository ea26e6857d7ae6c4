/* A fork proof: two signed checkpoints of one log that cannot both be true.  docs/formats/fork-proof.md.
 *
 *  1. Equal sizes, different roots: nothing more is needed, and nothing more may stand there.
 *  2. Else one subtree of 2^level entries that is complete in both logs, with two different hashes, and the path from it to
 *     each root. In a log of n entries it is leaf `index` of the RFC 6962 tree over the ⌈n / 2^level⌉ pieces of 2^level entries
 *     (the last may be short), so its path is an ordinary inclusion path there.
 *  3. Each checkpoint bears a good signature by a key of its own size's epoch; a quorum is not asked for: who forks rarely has one.
 */
#include "custody/receipt.h"

#define FORK_TYPE "application/custody-fork+cbor"
#define PATH_BYTES (CU_PROOF_HASHES_MAX * sizeof(cu_hash))

static const struct cu_field subtree_fields[] = {
    CU_UINT(0, struct cu_fork_subtree, level, 0, 62),
    CU_UINT(1, struct cu_fork_subtree, index, 0, INT64_MAX),
    CU_FIXED(2, struct cu_fork_subtree, hash_a),
    CU_BYTES(3, struct cu_fork_subtree, path_a, 0, PATH_BYTES),
    CU_FIXED(4, struct cu_fork_subtree, hash_b),
    CU_BYTES(5, struct cu_fork_subtree, path_b, 0, PATH_BYTES),
};
static const struct cu_schema subtree_schema = CU_SCHEMA_OF("subtree", subtree_fields, struct cu_fork_subtree, .tuple = true);

static const struct cu_field fork_fields[] = {
    CU_TEXT(0, struct cu_fork, type, 1, 64),
    CU_BYTES(1, struct cu_fork, note_a, 1, CU_NOTE_MAX),
    CU_BYTES(2, struct cu_fork, note_b, 1, CU_NOTE_MAX),
    CU_MAP(3, struct cu_fork, subtree, &subtree_schema, CU_OPTIONAL(struct cu_fork, has_subtree)),
};
const struct cu_schema cu_fork_schema = CU_SCHEMA_OF("fork", fork_fields, struct cu_fork);

/* ---- judging ------------------------------------------------------------------------------------------------------- */

struct side {
    struct cu_note note;
    struct cu_checkpoint checkpoint;
    struct cu_tlog_policy policy;
    struct cu_note_verdict signed_by;
    size_t n;
    const struct cu_vkey *signer[CU_NOTE_SIGNATURES_MAX]; /* each key once */
};

static bool has_signer(const struct side *s, const struct cu_vkey *key)
{
    for (size_t i = 0; i < s->n; i++)
        if (cu_span_eq(cu_public_span(&s->signer[i]->pub), cu_public_span(&key->pub))) return true;
    return false;
}

static void list_signers(struct side *s)
{
    for (size_t i = 0; i < s->note.sigs_n; i++) {
        uint16_t at = s->signed_by.node[i];
        enum cu_sig_verdict of = s->signed_by.of[i];
        const struct cu_vkey *key = of == CU_SIG_LOG ? &s->policy.log[at] : &s->policy.node[at].vkey;
        if (of != CU_SIG_IGNORED && !has_signer(s, key)) s->signer[s->n++] = key;
    }
}

static cu_status read_side(struct cu_span note, const struct cu_trust *trust, struct cu_verifier *by, struct side *ret, struct cu_err *err)
{
    const struct cu_epoch *epoch;

    ret->n = 0;
    TRY(cu_note_read(note, &ret->note, err));
    TRY(cu_checkpoint_read(ret->note.text, &ret->checkpoint, err));
    epoch = cu_trust_epoch(trust, ret->checkpoint.size);
    ENSURE(epoch != NULL, err, CU_UNTRUSTED, "fork: the trust file names no keys for a log of %llu entries", (unsigned long long)ret->checkpoint.size.v);
    TRY(cu_tlog_policy_read(epoch->policy_text, &ret->policy, err));
    TRY(cu_note_judge(&ret->note, &ret->policy, by, &ret->signed_by, err));
    ENSURE(ret->policy.logs_n > 0 && cu_span_eq(ret->checkpoint.origin, ret->policy.log[0].name), err, CU_UNTRUSTED, "fork: a checkpoint of another log than the trusted one");
    list_signers(ret);
    ENSURE(ret->n > 0, err, CU_UNTRUSTED, "fork: no trusted key signed one of the checkpoints");
    return CU_OK;
}

/* By (2). */
static cu_status leads(const struct cu_fork_subtree *t, const cu_hash *hash, struct cu_span path, const struct cu_checkpoint *c, struct cu_err *err)
{
    uint64_t pieces = (c->size.v >> t->level) + ((c->size.v & ((1ull << t->level) - 1)) != 0);

    ENSURE(t->index < c->size.v >> t->level, err, CU_BAD_PROOF, "fork: the subtree is not complete in a log of %llu entries", (unsigned long long)c->size.v);
    ENSURE(path.n % sizeof(cu_hash) == 0, err, CU_MALFORMED, "fork: a path is made of 32-byte hashes");
    return cu_inclusion_verify(hash, (cu_seq){ t->index }, (cu_size){ pieces }, (const cu_hash *)path.p, path.n / sizeof(cu_hash), &c->root, err);
}

static cu_status check_fork(const struct cu_fork *f, const struct cu_checkpoint *a, const struct cu_checkpoint *b, struct cu_err *err)
{
    bool equal = a->size.v == b->size.v;

    ENSURE(f->has_subtree == !equal, err, CU_MALFORMED, "fork: a subtree stands there if and only if the sizes differ");
    ENSURE(!equal || !cu_hash_eq(&a->root, &b->root), err, CU_BAD_PROOF, "fork: the two checkpoints say the same");
    if (equal) return CU_OK;
    ENSURE(!cu_hash_eq(&f->subtree.hash_a, &f->subtree.hash_b), err, CU_BAD_PROOF, "fork: the subtree is the same in both");
    TRY(leads(&f->subtree, &f->subtree.hash_a, f->subtree.path_a, a, err));
    return leads(&f->subtree, &f->subtree.hash_b, f->subtree.path_b, b, err);
}

static void convict(const struct side *a, const struct side *b, struct cu_fork_report *ret)
{
    *ret = (struct cu_fork_report){ .a = a->checkpoint, .b = b->checkpoint, .a_n = a->n, .b_n = b->n };
    for (size_t i = 0; i < a->n; i++) {
        ret->a_signers[i] = a->signer[i]->name;
        if (has_signer(b, a->signer[i])) ret->convicted[ret->convicted_n++] = a->signer[i]->name;
    }
    for (size_t i = 0; i < b->n; i++) ret->b_signers[i] = b->signer[i]->name;
}

cu_status cu_fork_verify(struct cu_span proof, const struct cu_trust *trust, struct cu_verifier *by, struct cu_fork_report *ret, struct cu_err *err)
{
    struct cu_fork fork;
    struct side a, b;

    TRY(cu_schema_read(&cu_fork_schema, proof, &fork, err));
    ENSURE(cu_span_is(fork.type, FORK_TYPE), err, CU_NEWER_FORMAT, "fork: its type is not %s", FORK_TYPE);
    TRY(read_side(fork.note_a, trust, by, &a, err));
    TRY(read_side(fork.note_b, trust, by, &b, err));
    TRY(check_fork(&fork, &a.checkpoint, &b.checkpoint, err));
    convict(&a, &b, ret);
    return CU_OK;
}

/* ---- what a receipt knows of its log ------------------------------------------------------------------------------- */

/* A node of the tree: the leaves [lo, hi). */
struct walked { uint64_t lo, hi; cu_hash hash; };

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

static cu_status gather_leaves(struct view *v, const struct cu_tlog_proof *proof, const struct cu_extra *extra, struct cu_err *err)
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

static const struct walked *node_at(const struct view *v, size_t i) { return (const struct walked *)(const void *)v->nodes.p + i; }
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
        if (best != NULL && (w->hi - w->lo > best->hi - best->lo || (w->hi - w->lo == best->hi - best->lo && w->lo > best->lo))) continue;
        best = w;
        *ret_hash = hash;
    }
    return best;
}

/* Settles what needs no subtree: OK with *ret_done when a proof was written. */
static cu_status compare(const struct view *a, struct cu_span note_b, const struct cu_checkpoint *b, struct cu_buf *out, bool *ret_done, struct cu_err *err)
{
    struct cu_fork fork = { .type = cu_span_str(FORK_TYPE), .note_a = a->note, .note_b = note_b };

    *ret_done = a->checkpoint.size.v == b->size.v;
    ENSURE(cu_span_eq(a->checkpoint.origin, b->origin), err, CU_WRONG_NETWORK, "fork: the two are of different logs");
    if (!*ret_done) return CU_OK;
    ENSURE(!cu_hash_eq(&a->checkpoint.root, &b->root), err, CU_NOT_FOUND, "they agree: one log of %llu entries", (unsigned long long)b->size.v);
    return cu_schema_write(&cu_fork_schema, &fork, out, err);
}

static cu_status write_fork(const struct view *a, const struct walked *w, struct cu_span note_b, const cu_hash *hash_b, struct cu_span path_b, struct cu_buf *out, struct cu_err *err)
{
    cu_hash mem[CU_PROOF_HASHES_MAX];
    unsigned level = level_of(w);
    struct cu_fork fork = {
        .type = cu_span_str(FORK_TYPE), .note_a = a->note, .note_b = note_b, .has_subtree = true,
        .subtree = { .level = level, .index = w->lo >> level, .hash_a = w->hash, .path_a = path_from(a, w, mem), .hash_b = *hash_b, .path_b = path_b },
    };

    return cu_schema_write(&cu_fork_schema, &fork, out, err);
}

static bool view_node(const void *self, const struct walked *w, cu_hash *ret)
{
    const struct walked *found = find_node(self, w->lo, w->hi);

    if (found != NULL) *ret = found->hash;
    return found != NULL;
}

cu_status cu_fork_make(struct cu_span receipt_a, struct cu_span receipt_b, uint8_t *scratch, struct cu_buf *out, struct cu_err *err)
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

struct log { const struct cu_node_source *nodes; cu_size size; };

static bool log_node(const void *self, const struct walked *w, cu_hash *ret)
{
    const struct log *log = self;
    unsigned level = level_of(w);

    return w->hi <= log->size.v && log->nodes->node(log->nodes->self, level, w->lo >> level, ret, NULL) == CU_OK;
}

cu_status cu_fork_make_log(struct cu_span receipt, struct cu_span log_checkpoint, const struct cu_node_source *nodes, uint8_t *scratch, struct cu_buf *out, struct cu_err *err)
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
