/* What needs no order: form, attachments, signatures. Any thread.
 *
 * (1) Judged in this order, here and again in step: form, attachments, network, keys known, signatures from the outer layer
 *     inwards. Keys are enrolled, never changed, and found by their own hash, so whether a signature is good does not depend
 *     on when it is looked at, and a record gets the same status wherever and however early it was prepared.
 * (2) What cannot be judged yet, since genesis or a key is not there, is left to step, which looks again.
 */
#include "ledger/inside.h"

#include <stdio.h>
#include <stdlib.h>

#define LAYERS_MAX 2u
#define TBS_EXTRA 64u /* what a Sig_structure has around protected header and payload */

/** A signed layer of an entry: the outer one, and the claim in it. */
struct layer {
    enum cu_alg alg;
    cu_hash kid;
    struct cu_span protected_, payload, signature;
};

static struct layer layer_of(const struct cu_statement *st)
{
    return (struct layer){
        .alg = st->alg, .kid = st->kid, .protected_ = st->protected_, .payload = st->payload, .signature = st->signature
    };
}

static unsigned layers_of(const struct cu_entry *entry, struct layer ret[LAYERS_MAX])
{
    struct cu_statement claim;

    if (!entry->signed_) return 0;
    ret[0] = layer_of(&entry->outer);
    if (entry->has_inner) return ret[1] = layer_of(&entry->inner), 2;
    if (!cu_entry_evidence(entry).n) return 1;
    CU_ASSERT(cu_statement_read(cu_entry_evidence(entry), &claim, NULL) == CU_OK); /* cu_entry_read did */
    return ret[1] = layer_of(&claim), 2;
}

static void refuse(struct cu_submission *sub, cu_status status, const char *text)
{
    sub->status = status;
    snprintf(sub->text, sizeof sub->text, "%s", text);
}

/* ---- form and attachments ------------------------------------------------------------------------------------------ */

static cu_status read_record(struct cu_submission *sub, struct cu_err *err)
{
    if (sub->bare) sub->record = (struct cu_record){ .entry = sub->bytes };
    else TRY(cu_record_read(sub->bytes, &sub->record, err));
    TRY(cu_entry_read(sub->record.entry, &sub->entry, err));
    sub->id = sub->entry.signed_ ? cu_entry_innermost(&sub->entry)->id : sub->entry.leaf;
    ENSURE(sub->entry.kind != CU_KIND_BLOCK, err, CU_WRONG_KIND,
           "a block entry is made by the ledger itself and never submitted");
    return sub->trusted || sub->bare ? CU_OK : cu_record_match(&sub->record, &sub->entry, err);
}

static void read_submission(struct cu_submission *sub)
{
    struct cu_err err = { 0 };

    sub->text[0] = 0;
    sub->verified = false;
    sub->id = (cu_hash){ 0 };
    sub->seq = (cu_seq){ 0 };
    sub->status = read_record(sub, &err);
    if (sub->status != CU_OK) refuse(sub, sub->status, err.text);
}

/* ---- signatures ---------------------------------------------------------------------------------------------------- */

/** The jobs of one call, in one piece of memory: n jobs for `of` submissions, and what they point to. */
struct work {
    struct cu_sig_job *jobs;
    struct cu_public_key *keys;
    cu_hash *kids;
    struct cu_submission **of;
    struct cu_buf tbs;
    size_t n;
    void *memory;
};

static void free_work(struct work *w) { free(w->memory); }

static bool waits(const struct cu_submission *sub)
{
    return sub->status == CU_OK && !sub->trusted && !sub->verified && sub->entry.signed_;
}

static bool reserve(struct work *w, const struct cu_submission *subs, size_t n)
{
    size_t jobs = 0, bytes = 0;

    for (size_t i = 0; i < n; i++)
        if (waits(&subs[i])) jobs += LAYERS_MAX, bytes += LAYERS_MAX * (subs[i].entry.bytes.n + TBS_EXTRA);
    size_t fixed = jobs * (sizeof *w->jobs + sizeof *w->of + sizeof *w->keys + sizeof *w->kids);
    w->memory = malloc(fixed + bytes + 1);
    if (!w->memory) return false;
    w->jobs = w->memory;
    w->of = (void *)(w->jobs + jobs);
    w->keys = (void *)(w->of + jobs);
    w->kids = (void *)(w->keys + jobs);
    w->tbs = cu_buf_over((uint8_t *)w->memory + fixed, bytes);
    return true;
}

static void queue(struct work *w, struct cu_submission *sub, const struct layer *layer, const struct cu_public_key *key)
{
    size_t from = w->tbs.n;

    cu_sig_structure(layer->protected_, layer->payload, &w->tbs);
    CU_ASSERT(!w->tbs.full);
    w->keys[w->n] = *key;
    w->kids[w->n] = layer->kid;
    w->of[w->n] = sub;
    w->jobs[w->n] = (struct cu_sig_job){
        .key = &w->keys[w->n],
        .key_id = &w->kids[w->n],
        .message = cu_span(w->tbs.p + from, w->tbs.n - from),
        .signature = layer->signature.p,
    };
    w->n++;
}

/* Both keys known: queue their jobs. Otherwise leave it to step (2). */
static void queue_submission(struct work *w, const struct cu_founding *f, struct cu_submission *sub)
{
    struct layer layers[LAYERS_MAX];
    const struct cu_member_key *keys[LAYERS_MAX];
    unsigned n = layers_of(&sub->entry, layers);

    if (!cu_hash_eq(&sub->entry.outer.network, &f->members.network)) { /* the inner layer's is the same, says its form */
        refuse(sub, CU_WRONG_NETWORK, "the statement was signed for another ledger");
        return;
    }
    for (unsigned i = 0; i < n; i++)
        if (!(keys[i] = cu_members_key(&f->members, &layers[i].kid))) return;
    for (unsigned i = 0; i < n; i++)
        if (layers[i].alg != keys[i]->pub.alg) {
            refuse(sub, CU_BAD_SIGNATURE, "the header names another algorithm than the key is of");
            return;
        }
    for (unsigned i = 0; i < n; i++) queue(w, sub, &layers[i], &keys[i]->pub);
    sub->verified = true; /* unless a job says otherwise */
}

static void judge(struct work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct cu_submission *sub = w->of[i];
        bool inner = i > 0 && w->of[i - 1] == sub;
        if (w->jobs[i].status == CU_OK || !sub->verified) continue; /* by (1) the outer layer's fault is the one named */
        sub->verified = false;
        sub->status = w->jobs[i].status;
        snprintf(sub->text, sizeof sub->text, "%s: %s", inner ? "the claim in it" : cu_kind_row(sub->entry.kind)->name,
                 cu_status_text(sub->status));
    }
}

bool cu_ledger_verify(struct cu_ledger *l, const struct cu_founding *f, struct cu_submission *subs, size_t n,
                      struct cu_verifier *by)
{
    CU_CLEANUP(free_work) struct work w = { 0 };

    if (!reserve(&w, subs, n)) return false;
    pthread_rwlock_rdlock(&l->lock);
    if (!f) f = l->in_force; /* whatever is committed when the lock is held */
    for (size_t i = 0; i < n && f->founded; i++)
        if (waits(&subs[i])) queue_submission(&w, f, &subs[i]);
    pthread_rwlock_unlock(&l->lock);
    if (w.n > 0) by->verify(by->self, w.jobs, w.n);
    judge(&w);
    return true;
}

void cu_ledger_prepare(void *self, struct cu_submission *subs, size_t n, struct cu_verifier *by)
{
    for (size_t i = 0; i < n; i++) read_submission(&subs[i]);
    if (!cu_ledger_verify(self, NULL, subs, n, by)) return; /* step will try, one by one */
}
