/* A deposit, from the path on somebody's disk to the receipt. The order is what keeps it safe:
 *
 * 1. The source is read once, into both stores and every digest; what is read is durable before anyone signs.
 * 2. The provider reads its own copy again.
 * 3. The depositor signs the claim, the provider the acceptance over it; both are durable in the outbox before they leave.
 * 4. The record is submitted: from its acknowledgement on it cannot be lost.
 * 5. The node attests its copy; the receipt is made, over a checkpoint of all that is acknowledged, and checked.
 * 6. Only then the outbox is emptied. A crash between 3 and 6 is finished by the next writing verb, from 4 on. The journal is drained
 *    behind all this, at the latest when the verb ends.
 */
#include "service/deposit.h"
#include "service/form.h"
#include "service/held.h"

#include <stdlib.h>

struct group {
    struct cu_place *p;
    const struct cu_deposit_request *r;
    bool answers; /* a notice */
    struct cu_put *put;
    size_t n;
    struct cu_work work[CU_GROUP_DEPOSITS];
};

static void group_free(struct group *g)
{
    for (size_t i = 0; i < g->n; i++) cu_work_free(&g->work[i]);
    cu_put_free(g->put);
    g->put = NULL;
    g->n = 0;
}

/* ---- 3. claim and acceptance ---- */
/* The provider's signature over the depositor's, or what the organisation got against its notice; `content` is what travels along. */
static cu_status accept_claim(struct cu_place *p, const struct cu_claim_file *parts, bool answers, struct cu_span content,
                              struct cu_span manifest, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_deposit deposit = { .claim = parts->claim };
    struct cu_held_said said = { .has = false };
    struct cu_statement claim;

    TRY(cu_statement_read(parts->claim, &claim, err));
    if (!answers) TRY(cu_held_ask(p, p->store[CU_STORE_CLOUD], &claim.body.claim, manifest, &said, err));
    deposit.has_held = said.has;
    deposit.held = said.held;

    return cu_say_over(p, CU_KIND_DEPOSIT, &deposit, answers ? CU_SIGNER_ORGANISATION : CU_SIGNER_PROVIDER, parts, content, ret,
                       err);
}

static struct cu_span inline_content(const struct cu_ingested *in)
{
    if (!in->is_inline) return CU_SPAN_EMPTY;
    return in->content.n ? cu_buf_span(&in->content) : cu_span("", 0);
}

/* ---- 4. recording ---- */
static cu_status group_spans(const struct group *g, struct cu_span *ret)
{
    for (size_t i = 0; i < g->n; i++) ret[i] = cu_buf_span(&g->work[i].record);
    return CU_OK;
}

/* An acceptance that aged in the outbox is signed afresh over the same claim: same statement, same id. */
static cu_status accept_afresh(struct cu_place *p, struct cu_work *w, struct cu_err *err)
{
    CU_BUF fresh = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record;
    struct cu_entry entry;

    TRY(cu_record_read(cu_buf_span(&w->record), &record, err));
    TRY(cu_entry_read(record.entry, &entry, err));
    const struct cu_claim_file parts = { .claim = entry.outer.body.deposit.claim,
                                         .salt = record.salt,
                                         .details = record.details };
    TRY(accept_claim(p, &parts, entry.inner.body.claim.has_notice, record.content, record.content, &fresh, err));
    cu_buf_clear(&w->record);
    cu_buf_add(&w->record, cu_buf_span(&fresh));
    TRY(cu_buf_ok(&w->record, err));
    const struct cu_span span = cu_buf_span(&w->record);
    return p->engine->submit(p->engine->self, &span, 1, &w->outcome, err);
}

/* A second claim under a taken number changes nothing, and stays provable: the node keeps it whole in an incident. */
static cu_status keep_equivocation(struct cu_place *p, const struct cu_work *w, struct cu_err *err)
{
    const struct cu_details_rows details = { .text = cu_span_str("one key signed two different claims under one serial number") };
    struct cu_incident body = { .type = CU_INCIDENT_EQUIVOCATION, .count = 1, .has_claim = true };
    const struct cu_saying say = { CU_KIND_INCIDENT, &body, CU_SIGNER_ORGANISATION, CU_PROFILE_INCIDENT, &details };
    CU_BUF incident = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record record;
    struct cu_entry entry;
    struct cu_outcome outcome;

    TRY(cu_record_read(cu_buf_span(&w->record), &record, err));
    TRY(cu_entry_read(record.entry, &entry, err));
    body.claim = entry.outer.body.deposit.claim;
    body.root = cu_leaf_hash(body.claim); /* the one finding is the claim itself */
    TRY(cu_say(p, &say, &incident, err));
    const struct cu_span span = cu_buf_span(&incident);
    return p->engine->submit(p->engine->self, &span, 1, &outcome, err); /* kept before: the ledger says so, and that is well */
}

static cu_status record_group(struct group *g, struct cu_err *err)
{
    struct cu_span records[CU_GROUP_DEPOSITS];
    struct cu_outcome outcomes[CU_GROUP_DEPOSITS];

    cu_phase(g->p, "ledger");
    TRY(group_spans(g, records));
    TRY(g->p->engine->submit(g->p->engine->self, records, g->n, outcomes, err));
    for (size_t i = 0; i < g->n; i++) {
        g->work[i].outcome = outcomes[i];
        if (outcomes[i].status == CU_STALE) TRY(accept_afresh(g->p, &g->work[i], err));
        if (outcomes[i].status == CU_SERIAL_TAKEN) TRY(keep_equivocation(g->p, &g->work[i], err));
    }
    return CU_OK;
}

/* ---- 5. the node's word, and the receipts ---- */
static cu_status attest(struct group *g, struct cu_err *err)
{
    struct cu_range ranges[CU_GROUP_DEPOSITS];
    size_t n = 0;

    cu_phase(g->p, "copies");
    for (size_t i = 0; i < g->n; i++) {
        const struct cu_work *w = &g->work[i];
        uint64_t copies = 0;
        if (w->outcome.status == CU_DUPLICATE && w->outcome.seq.v < g->p->log.checkpoint.size.v)
            TRY(cu_copies(g->p, w->outcome.seq, &copies, err));
        if (cu_work_recorded(w) && !copies) ranges[n++] = (struct cu_range){ w->outcome.seq.v, w->outcome.seq.v };
    }
    return cu_attest(g->p, ranges, n, err);
}

/* The first refusal of a group speaks for it, after everyone else of it has been served. */
static cu_status first_refusal(const struct group *g, struct cu_err *err)
{
    for (size_t i = 0; i < g->n; i++)
        if (!cu_work_recorded(&g->work[i]))
            return cu_fail(err, g->work[i].outcome.status, "%s: the ledger refused it: %s",
                           g->work[i].path ? g->work[i].path : "outbox", g->work[i].outcome.text);
    return CU_OK;
}

static cu_status settle_group(struct group *g, bool no_wait, cu_deposited_fn *done, void *arg, struct cu_err *err)
{
    struct cu_place *p = g->p;

    if (!no_wait) TRY(attest(g, err));
    cu_phase(p, "receipt");
    TRY(cu_settle(p, err));
    for (size_t i = 0; i < g->n; i++)
        if (cu_work_recorded(&g->work[i])) TRY(cu_work_hand_out(p, &g->work[i], no_wait, done, arg, err));
    return CU_OK;
}

/* What the ledger will never take is kept aside, so that nobody loses what was signed and nothing waits behind it. */
static cu_status set_aside(const struct group *g, struct cu_err *err)
{
    for (size_t i = 0; i < g->n; i++)
        if (!cu_work_recorded(&g->work[i]))
            TRY(cu_outbox_refused(g->p, &g->work[i].outcome.id, cu_buf_span(&g->work[i].record), err));
    return CU_OK;
}

/* What earlier groups of this process left pending stays so: nobody has attested it. */
static cu_status clear_own(struct group *g, struct cu_err *err)
{
    CU_CLEANUP(cu_outbox_close) struct cu_outbox box = { 0 };
    struct cu_span record;
    size_t pending = 0;

    TRY(set_aside(g, err));
    TRY(cu_outbox_open_of(g->p, cu_claims_by(g->p, g->r), &box, err));
    for (size_t at = 0; cu_outbox_next(cu_buf_span(&box.records), &at, &record);) pending++;
    if (pending != g->n) return CU_OK;
    cu_buf_clear(&box.records);
    return cu_outbox_keep(&box, err);
}

/* With --no-wait the node's word is still out: what is pending stays for the next writing verb. */
static cu_status settle_and_clear(struct group *g, cu_deposited_fn *done, void *arg, struct cu_err *err)
{
    TRY(settle_group(g, g->r->no_wait, done, arg, err));
    if (!g->r->no_wait) TRY(clear_own(g, err));
    return first_refusal(g, err);
}

/* Numbers are taken, and both signatures kept, in one step. No case: the claims were signed before. */
static cu_status sign_group(struct group *g, const cu_case_id *case_id, struct cu_err *err)
{
    CU_CLEANUP(cu_outbox_close) struct cu_outbox box = { 0 };

    TRY(cu_outbox_open_of(g->p, cu_claims_by(g->p, g->r), &box, err));
    for (size_t i = 0; i < g->n; i++) {
        struct cu_work *w = &g->work[i];
        w->record = cu_buf_heap(CU_RECORD_MAX);
        if (case_id) TRY(cu_work_sign(g->p, g->r, case_id, ++box.highest, w, err));
        TRY(accept_claim(g->p, &w->parts, g->answers, inline_content(&w->in), cu_buf_span(&w->in.content), &w->record, err));
        cu_buf_add(&box.records, cu_buf_span(&w->record));
    }
    return cu_outbox_keep(&box, err);
}

/* 1 and 2 for what was read so far. */
static cu_status keep_group(struct group *g, struct cu_err *err)
{
    TRY(cu_put_commit(g->put, err));
    cu_phase(g->p, "provider check");
    cu_status kept = cu_put_verify(g->put, CU_STORE_CLOUD, err);
    return kept == CU_OK
               ? CU_OK
               : cu_fail_while(err, kept,
                               "the provider does not find in its store what it was given: it signs nothing, and nothing is "
                               "recorded (`custody check --repair` looks after a store that was damaged before)");
}

static cu_status finish_group(struct group *g, const cu_case_id *case_id, cu_deposited_fn *done, void *arg, struct cu_err *err)
{
    if (g->n == 0) return CU_OK;
    TRY(keep_group(g, err));
    TRY(sign_group(g, case_id, err));
    TRY(record_group(g, err));
    return settle_and_clear(g, done, arg, err);
}

static cu_status begin_group(struct group *g, struct cu_err *err) { return cu_put_begin(g->p->store, CU_STORES, &g->put, err); }

/* `answers` a notice: then the provider claims, unless it has, and the organisation accepts. */
static cu_status need_parties(const struct cu_place *p, bool answers, bool claimed, struct cu_err *err)
{
    if (answers && !claimed) TRY(cu_need_key(p, cu_signer_provider(p), err));
    if (!answers) TRY(cu_need_key(p, CU_SIGNER_DEPOSITOR, err));
    if (!answers) TRY(cu_need_key(p, CU_SIGNER_PROVIDER, err));
    return cu_need_key(p, CU_SIGNER_ORGANISATION, err);
}

/* As many paths as share a sync. A path that cannot be read ends the group: those before it are recorded, then its error speaks. */
static cu_status deposit_some(struct group *g, const char *const *paths, size_t n, const cu_case_id *case_id,
                              cu_deposited_fn *done, void *arg, size_t *ret_n, struct cu_err *err)
{
    cu_status read = CU_OK;
    uint64_t bytes = 0;
    struct cu_err why = { 0 };

    TRY(begin_group(g, err));
    while (g->n < n && g->n < CU_GROUP_DEPOSITS && bytes < CU_GROUP_BYTES) {
        struct cu_work *w = &g->work[g->n];
        *w = (struct cu_work){ .path = paths[g->n] };
        read = cu_work_read(g->p, g->r, &(struct cu_ingest){ .put = g->put }, w, &why);
        if (read != CU_OK) break;
        bytes += w->in.bytes;
        g->n++;
    }
    *ret_n = g->n;
    TRY(finish_group(g, case_id, done, arg, err));
    return read == CU_OK ? CU_OK : cu_fail(err, read, "%s", why.text);
}

cu_status cu_deposit(struct cu_place *p, const struct cu_deposit_request *r, const char *const *paths, size_t n,
                     cu_deposited_fn *done, void *arg, struct cu_err *err)
{
    if (p->remote.ops) return cu_carry(p, r, paths, n, done, arg, err);
    struct group *g = calloc(1, sizeof *g);
    cu_status status = CU_OK;
    cu_case_id case_id;

    ENSURE(g, err, CU_NO_MEMORY, "out of memory: nothing was deposited");
    status = need_parties(p, r->notice != NULL, false, err);
    if (status == CU_OK) status = cu_form_check(p, r, err);
    if (status == CU_OK) status = cu_work_case(p, r, &case_id, err);
    for (size_t at = 0; status == CU_OK && at < n;) {
        size_t took = 0;
        *g = (struct group){ .p = p, .r = r, .answers = r->notice != NULL };
        status = deposit_some(g, paths + at, n - at, &case_id, done, arg, &took, err);
        group_free(g);
        at += took;
    }
    free(g);
    return status;
}

/* ---- claims signed elsewhere ---- */
static cu_status deposit_claimed(struct group *g, const struct cu_claim *claim, const char *path, cu_deposited_fn *done,
                                 void *arg, struct cu_err *err)
{
    struct cu_work *w = &g->work[0];

    TRY(begin_group(g, err));
    w->path = path;
    TRY(cu_work_read(g->p, g->r, &(struct cu_ingest){ .put = g->put }, w, err));
    g->n = 1;
    TRY(cu_work_is(w, claim, err));
    TRY(keep_group(g, err));
    TRY(sign_group(g, NULL, err));
    TRY(record_group(g, err));
    return settle_and_clear(g, done, arg, err);
}

cu_status cu_deposit_claim(struct cu_place *p, const struct cu_deposit_request *r, struct cu_span claim_file, const char *path,
                           cu_deposited_fn *done, void *arg, struct cu_err *err)
{
    if (p->remote.ops) return cu_carry_claim(p, r, claim_file, path, done, arg, err);
    struct group *g = calloc(1, sizeof *g);
    struct cu_claim_file parts;
    struct cu_statement claim;
    char claimed_path[CU_PATH_MAX_BYTES + 1] = "";
    cu_status status;

    ENSURE(g, err, CU_NO_MEMORY, "out of memory: nothing was deposited");
    *g = (struct group){ .p = p, .r = r };
    status = cu_schema_read(&cu_claim_file_schema, claim_file, &parts, err);
    if (status == CU_OK) status = cu_claim_read(&parts, &claim, err);
    if (status == CU_OK)
        status = cu_form_sealed(p, cu_details_profile(parts.details), claim.body.claim.has_sealed, claim.body.claim.has_second,
                                err);
    if (status == CU_OK) g->answers = claim.body.claim.has_notice, status = need_parties(p, g->answers, true, err);
    if (status == CU_OK && !path && parts.path.n == 0)
        status = cu_fail(err, CU_USAGE,
                         "the claim file does not say where the bytes lie: name the path behind it; nothing was recorded");
    if (status == CU_OK) {
        memcpy(claimed_path, parts.path.p, parts.path.n);
        g->work[0].parts = parts;
        status = deposit_claimed(g, &claim.body.claim, path ? path : claimed_path, done, arg, err);
    }
    group_free(g);
    free(g);
    return status;
}

/* ---- what a crash, or --no-wait, left behind ---- */

static cu_status finish_some(struct group *g, struct cu_span pending, size_t *io_at, cu_deposited_fn *done, void *arg,
                             struct cu_err *err)
{
    struct cu_span record;

    while (g->n < CU_GROUP_DEPOSITS && cu_outbox_next(pending, io_at, &record)) {
        struct cu_work *w = &g->work[g->n++];
        w->record = cu_buf_heap(CU_RECORD_MAX);
        cu_buf_add(&w->record, record);
        TRY(cu_buf_ok(&w->record, err));
    }
    if (g->n == 0) return CU_OK;
    TRY(record_group(g, err));
    TRY(settle_group(g, false, done, arg, err));
    return set_aside(g, err);
}

static cu_status finish_box(struct cu_place *p, enum cu_signer who, cu_deposited_fn *done, void *arg, uint64_t *ret_n,
                            struct cu_err *err)
{
    static const struct cu_deposit_request plain = { 0 };
    CU_CLEANUP(cu_outbox_close) struct cu_outbox box = { 0 };
    CU_BUF pending = { 0 };
    cu_status status = CU_OK;
    size_t at = 0, took = 1;

    TRY(cu_outbox_open_of(p, who, &box, err));
    if (box.records.n == 0) return CU_OK;
    TRY(need_parties(p, who == CU_SIGNER_PROVIDER, true, err));
    TRY(cu_outbox_keep(&box, err)); /* what is found may be in the page cache alone, after a sync that failed */
    struct group *g = calloc(1, sizeof *g);
    ENSURE(g, err, CU_NO_MEMORY, "out of memory: what is in the outbox stays there");
    pending = box.records;
    box.records = (struct cu_buf){ 0 };
    cu_outbox_close(&box); /* numbers may be taken meanwhile; only who holds the ledger's lock adds records */
    while (status == CU_OK && took > 0) {
        *g = (struct group){ .p = p, .r = &plain };
        status = finish_some(g, cu_buf_span(&pending), &at, done, arg, err);
        took = g->n;
        *ret_n += took;
        group_free(g);
    }
    free(g);
    TRY(status);
    TRY(cu_outbox_open_of(p, who, &box, err));
    cu_buf_clear(&box.records);
    return cu_outbox_keep(&box, err);
}

cu_status cu_outbox_finish(struct cu_place *p, cu_deposited_fn *done, void *arg, uint64_t *ret_n, struct cu_err *err)
{
    *ret_n = 0;
    TRY(finish_box(p, CU_SIGNER_DEPOSITOR, done, arg, ret_n, err));
    return p->has_key[CU_SIGNER_PROVIDER] ? finish_box(p, CU_SIGNER_PROVIDER, done, arg, ret_n, err) : CU_OK;
}
