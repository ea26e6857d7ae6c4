/* Every rule again, from nothing: the entries of the log go through a fresh ledger in memory, with every signature and every
 * attachment, batch by batch. What it answers must be what the log says: the same positions, the same block entries, byte for byte.
 */
#include "service/audit_replay.h"

#include <stdlib.h>

#define SLICE 256u        /* submissions prepared at once: one batch of signatures */
#define SAVE_EVERY 65536u /* entries, while a state is made anew */

void cu_batch_free(struct cu_batch *b)
{
    cu_buf_free(&b->bytes);
    free(b->at);
    memset(b, 0, sizeof *b);
}

/* One more record of the batch that is open. */
cu_status cu_batch_add(struct cu_batch *b, cu_seq seq, struct cu_span record, struct cu_err *err)
{
    if (b->n == b->cap) {
        const size_t cap = b->cap ? 2 * b->cap : 64;
        void *at = realloc(b->at, cap * sizeof *b->at);
        ENSURE(at, err, CU_NO_MEMORY, "out of memory while the log is judged");
        b->at = at;
        b->cap = cap;
    }
    if (!b->bytes.max) b->bytes = cu_buf_heap(SIZE_MAX / 4);
    if (b->n == 0) b->first = seq;
    b->at[b->n++] = (struct cu_batch_record){ b->bytes.n, record.n };
    cu_buf_add(&b->bytes, record);
    return cu_buf_ok(&b->bytes, err);
}

static cu_status step_slice(struct cu_audit *a, struct cu_batch *b, struct cu_submission *subs, size_t from, size_t n,
                            struct cu_err *err)
{
    const struct cu_machine m = cu_ledger_machine(a->replay);

    memset(subs, 0, n * sizeof *subs);
    for (size_t i = 0; i < n; i++) {
        subs[i].bytes = cu_span(b->bytes.p + b->at[from + i].at, b->at[from + i].n);
        subs[i].trusted = b->trusted;
    }
    m.prepare(m.self, subs, n, &a->p->verifier);
    for (size_t i = 0; i < n; i++) {
        const cu_seq seq = { b->first.v + from + i };
        const cu_status prepared = subs[i].status;
        TRY(m.step(m.self, &subs[i], err));
        if (subs[i].status == CU_OK && subs[i].seq.v == seq.v) continue;
        cu_audit_report(a, "rule", "log", &subs[i].id, false, "entry %llu is not what the rules admit: %s: %s",
                        (unsigned long long)seq.v, cu_status_text(prepared == CU_OK ? subs[i].status : prepared), subs[i].text);
        a->log_broken = true; /* positions no longer agree: what follows cannot be judged */
        return CU_OK;
    }
    return CU_OK;
}

static cu_status step_batch(struct cu_audit *a, struct cu_batch *b, struct cu_err *err)
{
    struct cu_submission *subs = malloc(SLICE * sizeof *subs);
    cu_status done = CU_OK;

    ENSURE(subs, err, CU_NO_MEMORY, "out of memory while the log is judged");
    for (size_t from = 0; from < b->n && done == CU_OK && !a->log_broken; from += SLICE)
        done = step_slice(a, b, subs, from, b->n - from < SLICE ? b->n - from : SLICE, err);
    free(subs);
    return done;
}

/* The state that lies in node/state was left at some block: there it must be the one that was just derived. */
static cu_status compare_state(struct cu_audit *a, struct cu_err *err)
{
    const struct cu_machine m = cu_ledger_machine(a->replay);
    const struct cu_tip tip = m.tip(m.self);
    cu_hash hash;

    if (!a->state_known || tip.size.v != a->state_tip.size.v) return CU_OK;
    TRY(cu_ledger_state_hash(a->replay, &hash, err));
    a->state_met = cu_hash_eq(&hash, &a->state_hash) && cu_hash_eq(&tip.root, &a->state_tip.root);
    return CU_OK;
}

/* The block entry closes the batch: the ledger must write the very same one. */
cu_status cu_batch_close(struct cu_audit *a, struct cu_batch *b, const struct cu_entry *block, struct cu_err *err)
{
    const struct cu_machine m = cu_ledger_machine(a->replay);
    CU_BUF again = cu_buf_heap(CU_ENTRY_MAX);
    cu_status done;

    TRY(m.begin(m.self, block->outer.body.block.height, (cu_unix_ms){ block->outer.body.block.opened }, err));
    done = step_batch(a, b, err);
    b->n = 0;
    cu_buf_clear(&b->bytes);
    if (done == CU_OK && !a->log_broken) done = m.end(m.self, (cu_unix_ms){ block->outer.body.block.closed }, &again, err);
    if (done != CU_OK || a->log_broken) {
        m.abandon(m.self);
        return done;
    }
    if (!cu_span_eq(cu_buf_span(&again), block->bytes)) {
        cu_audit_report(a, "rule", "log", &block->leaf, false, "block %llu does not say what its records lead to",
                        (unsigned long long)block->outer.body.block.height);
        a->log_broken = true;
        m.abandon(m.self);
        return CU_OK;
    }
    TRY(m.commit(m.self, err));
    return compare_state(a, err);
}

/* ---- entries as they come from the log ---- */
static cu_status add_attachments(struct cu_audit *a, const struct cu_entry *e, struct cu_record *record, struct cu_buf *details,
                                 struct cu_buf *content)
{
    const cu_hash *commitment = cu_entry_commitment(e);
    struct cu_place *p = a->p;

    if (commitment) {
        if (cu_audit_saw(a, cu_place_details(p, commitment, details, NULL)) != CU_OK || details->n < CU_SALT_LEN)
            return CU_NOT_FOUND;
        record->salt = cu_span(details->p, CU_SALT_LEN);
        record->details = cu_span(details->p + CU_SALT_LEN, details->n - CU_SALT_LEN);
    }
    if (e->kind == CU_KIND_DEPOSIT && e->inner.body.claim.size <= CU_CONTENT_INLINE_MAX) {
        if (cu_audit_saw(a, cu_place_object(p, CU_OBJECT_CONTENT, &e->inner.body.claim.root, CU_CONTENT_INLINE_MAX, content,
                                            NULL)) != CU_OK)
            return CU_NOT_FOUND;
        record->content = content->n ? cu_buf_span(content) : cu_span("", 0);
    }
    return CU_OK;
}

cu_status cu_audit_entry(struct cu_audit *a, cu_seq seq, struct cu_span bytes, struct cu_err *err)
{
    CU_BUF details = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX), content = cu_buf_heap(CU_CONTENT_INLINE_MAX),
           encoded = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record = { .entry = bytes };
    struct cu_entry e;
    struct cu_err why;

    a->ret->entries++;
    if (cu_entry_read(bytes, &e, &why) != CU_OK) {
        cu_audit_report(a, "rule", "log", NULL, false, "entry %llu: %s", (unsigned long long)seq.v, why.text);
        a->log_broken = true;
        return CU_OK;
    }
    if (e.kind == CU_KIND_BLOCK) return cu_batch_close(a, a->batch, &e, err);
    if (seq.v == 0) a->p->genesis_bytes = cu_buf_heap(CU_ENTRY_MAX), cu_buf_add(&a->p->genesis_bytes, bytes);
    a->ret->signatures += e.has_inner ? 2 : e.signed_;
    TRY(cu_audit_needs(a, &e, seq, err));
    if (add_attachments(a, &e, &record, &details, &content) !=
        CU_OK) { /* cu_audit_needs has named what is lost; the rules go on without it */
        record.salt = record.details = record.content = CU_SPAN_EMPTY;
        a->batch->trusted = true;
    }
    TRY(cu_record_write(&record, &encoded, err));
    return cu_batch_add(a->batch, seq, cu_buf_span(&encoded), err);
}

/* ---- the state made anew ---- */
static cu_status replay_entry(struct cu_audit *a, cu_seq seq, struct cu_err *err)
{
    CU_BUF encoded = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record = { 0 };
    struct cu_entry e;

    TRY(cu_log_entry_unproven(&a->p->log, seq, &record.entry, err));
    TRY(cu_entry_read(record.entry, &e, err));
    if (e.kind == CU_KIND_BLOCK) return cu_batch_close(a, a->batch, &e, err);
    TRY(cu_record_write(&record, &encoded, err));
    return cu_batch_add(a->batch, seq, cu_buf_span(&encoded), err);
}

/* What is not saved is in memory: it is saved now and then, between batches. */
static cu_status save_some(struct cu_audit *a, cu_seq seq, uint64_t *saved, struct cu_err *err)
{
    const struct cu_machine m = cu_ledger_machine(a->replay);

    if (a->batch->n > 0 || seq.v - *saved < SAVE_EVERY) return CU_OK;
    *saved = seq.v;
    return m.save(m.self, err);
}

cu_status cu_audit_replay_log(struct cu_audit *a, struct cu_err *err)
{
    struct cu_batch batch = { .trusted = true };
    cu_status done = CU_OK;
    uint64_t saved = 0;

    a->batch = &batch; // cppcheck-suppress autoVariables ; and NULL again below
    for (cu_seq seq = { 0 }; seq.v < a->p->log.checkpoint.size.v && done == CU_OK && !a->log_broken; seq.v++) {
        done = replay_entry(a, seq, err);
        if (done == CU_OK && !a->log_broken) done = save_some(a, seq, &saved, err);
    }
    cu_batch_free(&batch);
    a->batch = NULL;
    return done;
}
