/* A fork proof: two signed checkpoints of one log that cannot both be true.  docs/formats/fork-proof.md.
 *
 *  1. Equal sizes, different roots: nothing more is needed, and nothing more may stand there.
 *  2. Else one subtree of 2^level entries that is complete in both logs, with two different hashes, and the path from it to
 *     each root. In a log of n entries it is leaf `index` of the RFC 6962 tree over the ⌈n / 2^level⌉ pieces of 2^level entries
 *     (the last may be short), so its path is an ordinary inclusion path there.
 *  3. Each checkpoint bears a good signature by a key of its own size's epoch; a quorum is not asked for: who forks rarely has one.
 */
#include "judge.h"

#define PATH_BYTES (CU_PROOF_HASHES_MAX * sizeof(cu_hash))

static const struct cu_field subtree_fields[] = {
    CU_UINT(0, struct cu_fork_subtree, level, 0, 62), CU_UINT(1, struct cu_fork_subtree, index, 0, INT64_MAX),
    CU_FIXED(2, struct cu_fork_subtree, hash_a),      CU_BYTES(3, struct cu_fork_subtree, path_a, 0, PATH_BYTES),
    CU_FIXED(4, struct cu_fork_subtree, hash_b),      CU_BYTES(5, struct cu_fork_subtree, path_b, 0, PATH_BYTES),
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

static cu_status read_side(struct cu_span note, const struct cu_trust *trust, struct cu_verifier *by, struct side *ret,
                           struct cu_err *err)
{
    ret->n = 0;
    TRY(cu_note_read(note, &ret->note, err));
    TRY(cu_checkpoint_read(ret->note.text, &ret->checkpoint, err));
    TRY(cu_trust_policy(trust, ret->checkpoint.size, &ret->policy, err));
    TRY(cu_note_judge(&ret->note, &ret->policy, by, &ret->signed_by, err));
    ENSURE(ret->policy.logs_n > 0 && cu_span_eq(ret->checkpoint.origin, ret->policy.log[0].name), err, CU_UNTRUSTED,
           "fork: a checkpoint of another log than the trusted one");
    list_signers(ret);
    ENSURE(ret->n > 0, err, CU_UNTRUSTED, "fork: no trusted key signed one of the checkpoints");
    return CU_OK;
}

/* By (2). */
static cu_status leads(const struct cu_fork_subtree *t, const cu_hash *hash, struct cu_span path, const struct cu_checkpoint *c,
                       struct cu_err *err)
{
    uint64_t pieces = (c->size.v >> t->level) + ((c->size.v & ((1ull << t->level) - 1)) != 0);

    ENSURE(t->index < c->size.v >> t->level, err, CU_BAD_PROOF, "fork: the subtree is not complete in a log of %llu entries",
           LLU(c->size.v));
    ENSURE(path.n % sizeof(cu_hash) == 0, err, CU_MALFORMED, "fork: a path is made of 32-byte hashes");
    return cu_inclusion_verify(hash, (cu_seq){ t->index }, (cu_size){ pieces }, (const cu_hash *)path.p, path.n / sizeof(cu_hash),
                               &c->root, err);
}

static cu_status check_fork(const struct cu_fork *f, const struct cu_checkpoint *a, const struct cu_checkpoint *b,
                            struct cu_err *err)
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

cu_status cu_fork_verify(struct cu_span proof, const struct cu_trust *trust, struct cu_verifier *by, struct cu_fork_report *ret,
                         struct cu_err *err)
{
    struct cu_fork fork;
    struct side a, b;

    TRY(cu_schema_read(&cu_fork_schema, proof, &fork, err));
    ENSURE(cu_span_is(fork.type, CU_FORK_TYPE), err, CU_NEWER_FORMAT, "fork: its type is not %s", CU_FORK_TYPE);
    TRY(read_side(fork.note_a, trust, by, &a, err));
    TRY(read_side(fork.note_b, trust, by, &b, err));
    TRY(check_fork(&fork, &a.checkpoint, &b.checkpoint, err));
    convict(&a, &b, ret);
    return CU_OK;
}
