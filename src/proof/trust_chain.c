/* A chain of trust followed.  docs/formats/trust-chain.md.
 *
 *  1. A step is believed by the epoch of its checkpoint's size, which is there before the step is looked at; the first begins with genesis, whose
 *     leaf hash the reader has.
 *  2. Members are led on by every entry about them from genesis on, as the ledger itself does it, each signed by whom it says.
 *  3. A step is where the ledger makes one: its checkpoint ends with the block that changed keys or quorum, and no block before did.
 */
#include "custody/trust_chain.h"

#include "custody/text.h"

#include <stdlib.h>

static const struct cu_field entry_fields[] = {
    CU_UINT(1, struct cu_chain_entry, seq, 1, INT64_MAX),
    CU_BYTES(2, struct cu_chain_entry, entry, 1, CU_ENTRY_MAX),
};
const struct cu_schema cu_chain_entry_schema = CU_SCHEMA_OF("entry", entry_fields, struct cu_chain_entry);

static const struct cu_field step_fields[] = {
    CU_BYTES(1, struct cu_chain_step, note, 1, CU_NOTE_MAX),
    CU_LIST(2, struct cu_chain_step, entries, 1, CU_CHAIN_ENTRIES_MAX, &cu_chain_entry_schema),
    CU_BYTES(3, struct cu_chain_step, hashes, 0, CU_TRUST_CHAIN_MAX),
};
const struct cu_schema cu_chain_step_schema = CU_SCHEMA_OF("step", step_fields, struct cu_chain_step);

static const struct cu_field chain_fields[] = {
    CU_CONST(0, CU_TRUST_CHAIN_TYPE),
    CU_BYTES(1, struct cu_trust_chain, genesis, 1, CU_ENTRY_MAX),
    CU_LIST(2, struct cu_trust_chain, steps, 0, CU_CHAIN_STEPS_MAX, &cu_chain_step_schema),
};
const struct cu_schema cu_trust_chain_schema = CU_SCHEMA_OF("trust chain", chain_fields, struct cu_trust_chain);

struct following {
    struct cu_verifier *by;
    struct cu_span origin;
    struct cu_buf text, keys, room; /* the trust file so far; the organisations' lines of its newest epoch; a message */
    struct cu_trust trust;
    struct cu_members members;
    uint64_t last; /* where the step before ended */
    struct cu_tlog_policy policy;
    struct cu_note note;
    struct cu_note_verdict signed_by;
    struct cu_checkpoint checkpoint;
    struct {
        cu_seq seq[CU_CHAIN_ENTRIES_MAX];
        cu_hash leaf[CU_CHAIN_ENTRIES_MAX];
    } at;
};

/* ---- the entries of a step are in the log that the epoch signed ---- */

/* By (1). */
static cu_status read_note(struct following *f, const struct cu_chain_step *step, struct cu_err *err)
{
    TRY(cu_note_read(step->note, &f->note, err));
    TRY(cu_checkpoint_read(f->note.text, &f->checkpoint, err));
    TRY(cu_trust_policy(&f->trust, f->checkpoint.size, &f->policy, err));
    return cu_checkpoint_verify(&f->note, &f->policy, f->by, &f->checkpoint, &f->signed_by, err);
}

static cu_status prove_entries(struct following *f, const struct cu_chain_step *step, struct cu_entry *ret_block,
                               struct cu_err *err)
{
    struct cu_chain_entry e = { 0 };
    size_t n = 0, at = 0;

    while (cu_list_next(&step->entries, &cu_chain_entry_schema, &at, &e)) {
        ENSURE(e.seq > (n ? f->at.seq[n - 1].v : f->last), err, CU_MALFORMED, "its entries ascend, each once");
        TRY(cu_entry_read(e.entry, ret_block, err));
        f->at.seq[n].v = e.seq;
        f->at.leaf[n++] = ret_block->leaf;
    }
    const struct cu_block *block = &ret_block->outer.body.block;
    ENSURE(ret_block->kind == CU_KIND_BLOCK && e.seq + 1 == f->checkpoint.size.v && e.seq == block->first + block->count, err,
           CU_MALFORMED, "its checkpoint does not end with the block that changed something");
    ENSURE(step->hashes.n % sizeof(cu_hash) == 0, err, CU_MALFORMED, "hashes are 32 bytes each");
    return cu_multiproof_verify(f->at.seq, f->at.leaf, n, f->checkpoint.size, NULL, step->hashes.p,
                                step->hashes.n / sizeof(cu_hash), &f->checkpoint.root, err);
}

/* ---- what they change ---- */

/* By (2). */
static cu_status take(struct following *f, const struct cu_chain_entry *e, struct cu_err *err)
{
    const struct cu_member_key *key;
    struct cu_entry entry;

    TRY(cu_entry_read(e->entry, &entry, err));
    const struct cu_statement *st = &entry.outer;
    ENSURE(cu_members_taken(entry.kind), err, CU_WRONG_KIND, "it says nothing of members");
    ENSURE(cu_hash_eq(&st->network, &f->members.network), err, CU_WRONG_NETWORK, "it was signed for another ledger");
    TRY(cu_members_may(&f->members, &st->kid, st->kind, (cu_seq){ e->seq }, &key, err));
    ENSURE(st->alg == key->pub.alg, err, CU_BAD_KEY, "its header names another algorithm than the key's");
    cu_buf_clear(&f->room);
    cu_sig_structure(st->protected_, st->payload, &f->room);
    TRY(cu_buf_ok(&f->room, err));
    TRY(cu_verify_one(f->by, &key->pub, cu_buf_span(&f->room), st->signature.p, err));
    return cu_members_take(&f->members, st, (cu_seq){ e->seq }, false, f->by, err);
}

static cu_status is_changed(struct following *f, struct cu_buf *keys, bool *ret, struct cu_err *err)
{
    cu_buf_clear(keys);
    TRY(cu_trust_of_members(&f->members, f->origin, NULL, keys, err));
    *ret = !cu_span_eq(cu_buf_span(keys), cu_buf_span(&f->keys));
    return CU_OK;
}

static cu_status take_entries(struct following *f, const struct cu_chain_step *step, const struct cu_block *block,
                              struct cu_buf *keys, struct cu_err *err)
{
    struct cu_chain_entry e;
    bool changed, within = false;
    size_t at = 0;

    for (uint64_t left = step->entries.n; cu_list_next(&step->entries, &cu_chain_entry_schema, &at, &e); left--) {
        if (!within && e.seq >= block->first) {
            within = true;
            TRY(is_changed(f, keys, &changed, err));
            ENSURE(!changed, err, CU_MALFORMED, "a block before changed keys already"); /* (3) */
        }
        if (left == 1) break; /* the block itself */
        const cu_status taken = take(f, &e, err);
        if (taken != CU_OK) return cu_fail_while(err, taken, "entry %llu", LLU(e.seq));
    }
    TRY(is_changed(f, keys, &changed, err));
    ENSURE(changed, err, CU_MALFORMED, "it changes neither keys nor quorum");
    return CU_OK;
}

/* ---- the epoch after it ---- */

static cu_status begin_epoch(struct following *f, struct cu_buf *keys, struct cu_err *err)
{
    const struct cu_epoch *covers = cu_trust_epoch(&f->trust, f->checkpoint.size);
    CU_BUF policy = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF text = cu_buf_heap(CU_TRUST_MAX);

    cu_buf_clear(&f->keys);
    cu_buf_add(&f->keys, cu_buf_span(keys));
    if (covers->last.v != UINT64_MAX) return cu_buf_ok(&f->keys, err); /* a trust file that knows what came after */
    cu_buf_add(&policy, cu_buf_span(keys));
    cu_trust_outside(covers->policy_text, f->members.terms.cosigners > 0, &policy);
    TRY(cu_buf_ok(&policy, err));
    cu_trust_append(&f->trust, cu_buf_span(&f->text), f->checkpoint.size.v, cu_buf_span(&policy), &text);
    TRY(cu_buf_ok(&text, err));
    const struct cu_buf old = f->text;
    f->text = text;
    text = old;
    return cu_trust_read(cu_buf_span(&f->text), &f->trust, err);
}

static cu_status take_step(struct following *f, const struct cu_chain_step *step, struct cu_err *err)
{
    CU_BUF keys = cu_buf_heap(CU_TRUST_MAX);
    struct cu_entry block = { .kind = CU_KIND_GENESIS };

    TRY(read_note(f, step, err));
    TRY(prove_entries(f, step, &block, err));
    TRY(take_entries(f, step, &block.outer.body.block, &keys, err));
    f->last = f->checkpoint.size.v - 1;
    return begin_epoch(f, &keys, err);
}

/* ---- the whole ---- */

static cu_status begin(struct following *f, const struct cu_trust_chain *chain, struct cu_span from, const cu_hash *network,
                       struct cu_err *err)
{
    struct cu_entry entry;

    TRY(cu_entry_read(chain->genesis, &entry, err));
    ENSURE(entry.kind == CU_KIND_GENESIS, err, CU_MALFORMED, "trust chain: it does not begin with a genesis");
    const struct cu_genesis *genesis = &entry.outer.body.genesis;
    if (from.n) cu_buf_add(&f->text, from);
    else TRY(cu_trust_of_genesis(genesis, &entry.leaf, NULL, &f->text, err));
    TRY(cu_buf_ok(&f->text, err));
    TRY(cu_trust_read(cu_buf_span(&f->text), &f->trust, err));
    ENSURE(cu_hash_eq(&entry.leaf, from.n ? &f->trust.network : network), err, CU_WRONG_NETWORK,
           "trust chain: it is of another ledger than the one that you trust: nothing was taken from it");
    ENSURE(f->trust.epoch[0].first.v == 0, err, CU_UNTRUSTED,
           "trust chain: the trust file names no keys for logs below %llu entries, and the first change lies there: follow the "
           "chain from the "
           "network id",
           LLU(f->trust.epoch[0].first.v));
    f->origin = genesis->origin;
    TRY(cu_members_from_genesis(genesis, &entry.leaf, &f->members, err));
    return cu_trust_of_members(&f->members, f->origin, NULL, &f->keys, err);
}

static cu_status follow(struct following *f, struct cu_span bytes, struct cu_span from, const cu_hash *network, size_t *ret_steps,
                        struct cu_err *err)
{
    struct cu_trust_chain chain;
    struct cu_chain_step step;
    size_t at = 0, n = 0;

    ENSURE(bytes.n <= CU_TRUST_CHAIN_MAX, err, CU_TOO_LARGE, "trust chain: at most %d bytes", CU_TRUST_CHAIN_MAX);
    TRY(cu_schema_read(&cu_trust_chain_schema, bytes, &chain, err));
    TRY(begin(f, &chain, from, network, err));
    for (; cu_list_next(&chain.steps, &cu_chain_step_schema, &at, &step); n++) {
        const cu_status taken = take_step(f, &step, err);
        if (taken != CU_OK)
            return cu_fail_while(err, taken, "trust chain: change %zu of %llu is not proven, and nothing was taken from it",
                                 n + 1, LLU(chain.steps.n));
    }
    *ret_steps = n;
    return CU_OK;
}

cu_status cu_trust_follow(struct cu_span chain, struct cu_span from, const cu_hash *network, struct cu_verifier *by,
                          struct cu_buf *out, size_t *ret_steps, struct cu_err *err)
{
    struct following *f = calloc(1, sizeof *f);

    ENSURE(f, err, CU_NO_MEMORY, "no memory to follow a chain of trust");
    f->by = by;
    f->text = cu_buf_heap(CU_TRUST_MAX);
    f->keys = cu_buf_heap(CU_TRUST_MAX);
    f->room = cu_buf_heap(2 * (size_t)CU_ENTRY_MAX);
    cu_status followed = follow(f, chain, from, network, ret_steps, err);
    if (followed == CU_OK) {
        cu_buf_add(out, cu_buf_span(&f->text));
        followed = cu_buf_ok(out, err);
    }
    cu_buf_free(&f->text);
    cu_buf_free(&f->keys);
    cu_buf_free(&f->room);
    free(f);
    return followed;
}
