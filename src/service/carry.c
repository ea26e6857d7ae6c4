/* A deposit from afar: from the path on somebody's disk, through a provider and a node elsewhere, to the receipt. The order keeps it safe:
 *
 * 1. The source is read once: digests, roots of its chunks, a folder's manifest. What could not be read so again is kept (sending.c).
 * 2. The claim is signed, and is durable in the outbox before a byte leaves. Who asks for the same again goes on with it: same statement, same
 *    id, never a second record.
 * 3. The provider gets the claim, and the bytes from where it has them durable.
 * 4. Its signed acceptance is judged: is it over this claim, by a key that is enrolled to accept? Then it is durable in the outbox, too.
 * 5. It is handed to the node, from here as well: neither can keep it back alone.
 * 6. What the node says is met by its log. While required copies are missing, and nothing comes, the node gets the bytes from here.
 * 7. The receipt is made of verified entries; when all that was asked for has been told, its rows leave the outbox.
 *
 * A cut anywhere leaves what the outbox and the other side have; the log itself says whether 5 has happened.
 */
#include "service/cosigned.h"
#include "service/carry.h"
#include "service/form.h"

#include "custody/text.h"

#include <stdlib.h>

enum { WAIT_S = 20, STALLED_S = 20, ROUNDS = 4, ANSWER_MS = 60000 };

struct carry {
    struct cu_place *p;
    const struct cu_deposit_request *r;
    struct cu_work w;
    cu_hash asked, id;
    struct cu_statement claim;
    struct cu_buf chunks;   /* roots, as reading told them */
    struct cu_buf accepted; /* the record; n == 0: none yet */
    struct cu_sending upload;
    bool begun, resumed; /* is the upload; was the claim in the outbox */
    char claimed_path[CU_PATH_MAX_BYTES + 1];
};

static void carry_free(struct carry *c)
{
    c->p->own = CU_SPAN_EMPTY;
    cu_sending_free(&c->upload);
    cu_work_free(&c->w);
    cu_buf_free(&c->chunks);
    cu_buf_free(&c->accepted);
}

static uint64_t wait_until(const struct carry *c) { return cu_place_now(c->p).v + (c->r->no_wait ? 0 : c->r->wait_ms); }

static bool stopped(const struct cu_place *p) { return p->progress.stop && p->progress.stop(p->progress.arg); }

/* ---- 1. reading ---- */

static bool reads_once(const struct carry *c) { return c->r->seal || strcmp(c->w.path, "-") == 0; }

static cu_status read_aside(struct carry *c, struct cu_aside *aside, struct cu_err *err)
{
    const struct cu_ingest how = { .chunks = &c->chunks, .kept = cu_aside_add, .kept_arg = aside };

    TRY(cu_work_read(c->p, c->r, &how, &c->w, err));
    return cu_aside_keep(aside, &c->w.in.root, err);
}

static cu_status read_source(struct carry *c, struct cu_err *err)
{
    struct cu_aside aside;

    c->chunks = cu_buf_heap(SIZE_MAX / 2);
    if (!reads_once(c)) return cu_work_read(c->p, c->r, &(struct cu_ingest){ .chunks = &c->chunks }, &c->w, err);
    cu_status read = cu_aside_begin(c->p, &aside, err);
    if (read == CU_OK) read = read_aside(c, &aside, err);
    cu_aside_end(&aside);
    return read;
}

/* What somebody wants: this path, these bytes, this said of them, for these readers; of paths that are named twice, the n-th. */
static cu_status name_request(struct carry *c, const cu_case_id *case_id, uint64_t nth, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_DETAILS_MAX + 2 * CU_PATH_MAX_BYTES + 65536);
    CU_BUF form = cu_buf_heap(CU_DETAILS_MAX);
    const struct cu_ingested *in = &c->w.in;

    TRY(cu_work_form(c->r, &c->w, &form, err));
    cu_cbor_put_bytes(&text, cu_span(case_id->b, sizeof case_id->b));
    cu_cbor_put_bytes(&text, cu_span_str(c->r->from && c->w.path[0] != '/' ? c->r->from : ""));
    cu_cbor_put_bytes(&text, cu_span_str(c->w.path));
    cu_cbor_put_uint(&text, nth);
    cu_cbor_put_uint(&text, in->type);
    cu_cbor_put_bytes(&text,
                      c->r->seal ? cu_span(in->digest[0].bytes, cu_digest_len(in->digest[0].alg)) : cu_span_hash(&in->root));
    cu_cbor_put_bytes(&text, c->r->seal ? c->r->seal->list.bytes : CU_SPAN_EMPTY);
    cu_cbor_put_bytes(&text, c->r->seal && c->r->seal->second ? c->r->seal->second->list.bytes : CU_SPAN_EMPTY);
    cu_cbor_put_bytes(&text, cu_buf_span(&form));
    TRY(cu_buf_ok(&text, err));
    c->asked = cu_sha256(cu_buf_span(&text));
    return CU_OK;
}

/* ---- 2. the claim ---- */

static cu_status know_claim(struct carry *c, struct cu_span claim_file, struct cu_err *err)
{
    if (c->w.claim_file.n == 0) {
        c->w.claim_file = cu_buf_heap(CU_RECORD_MAX);
        cu_buf_add(&c->w.claim_file, claim_file);
        TRY(cu_buf_ok(&c->w.claim_file, err));
    }
    TRY(cu_schema_read(&cu_claim_file_schema, cu_buf_span(&c->w.claim_file), &c->w.parts, err));
    TRY(cu_claim_read(&c->w.parts, &c->claim, err));
    c->id = c->claim.id;
    return CU_OK;
}

static cu_status resume(struct carry *c, const struct cu_carried *was, struct cu_err *err)
{
    c->resumed = true;
    cu_buf_add(&c->accepted, was->record);
    TRY(know_claim(c, was->claim_file, err));
    const cu_hash *old = &c->claim.body.claim.root;
    if (reads_once(c) && !cu_hash_eq(old, &c->w.in.root))
        TRY(cu_aside_drop(c->p, &c->w.in.root, err)); /* the older sealing was signed for */
    return cu_buf_ok(&c->accepted, err);
}

static cu_status note(struct carry *c, struct cu_outbox *box, bool gone, struct cu_err *err)
{
    const struct cu_carried row = { c->asked, cu_buf_span(&c->w.claim_file), cu_buf_span(&c->accepted) };

    TRY(cu_outbox_carry(box, &row, gone, err));
    return cu_outbox_keep(box, err);
}

/* `case_id` NULL: the claim was signed before. */
static cu_status sign_once(struct carry *c, const cu_case_id *case_id, struct cu_err *err)
{
    CU_CLEANUP(cu_outbox_close) struct cu_outbox box = { 0 };
    struct cu_carried was;

    c->accepted = cu_buf_heap(CU_RECORD_MAX);
    TRY(cu_outbox_open(c->p, &box, err));
    if (cu_outbox_carried(&box, &c->asked, &was)) return resume(c, &was, err);
    ENSURE(c->p->provider.ops, err, CU_USAGE,
           "the node does not say who takes evidence: give --provider URL; nothing was signed");
    if (case_id) TRY(cu_work_sign(c->p, c->r, case_id, ++box.highest, &c->w, err));
    TRY(know_claim(c, CU_SPAN_EMPTY, err));
    return note(c, &box, false, err);
}

static cu_status note_again(struct carry *c, bool gone, struct cu_err *err)
{
    CU_CLEANUP(cu_outbox_close) struct cu_outbox box = { 0 };

    TRY(cu_outbox_open(c->p, &box, err));
    return note(c, &box, gone, err);
}

static cu_status set_aside(struct carry *c, struct cu_err *err)
{
    TRY(cu_outbox_refused(c->p, &c->id, cu_buf_span(&c->accepted), err));
    TRY(cu_aside_drop(c->p, &c->claim.body.claim.root, err));
    return note_again(c, true, err);
}

/* ---- 3. to the provider ---- */

static cu_status send_to(struct carry *c, const struct cu_carrier *to, struct cu_err *err)
{
    if (!c->begun) TRY(cu_sending_begin(c->p, &c->w, &c->claim.body.claim, cu_buf_span(&c->chunks), &c->upload, err));
    c->begun = true;
    return cu_sending_send(&c->upload, to, &c->id, err);
}

static cu_status await_answer(struct carry *c, uint64_t until, struct cu_carriage *io, struct cu_err *err)
{
    const struct cu_carrier *to = &c->p->provider;

    cu_phase(c->p, "provider check");
    while (io->state == CU_CARRIED_ALL || (io->state == CU_CARRIED_SOME && io->offset == c->upload.size)) {
        ENSURE(!stopped(c->p), err, CU_INTERRUPTED,
               "interrupted while the provider checks what it was given: nothing is recorded yet; run it again");
        ENSURE(cu_place_now(c->p).v < until, err, CU_BUSY,
               "%s: the provider has every byte, and has neither accepted nor refused it yet. Keep the original, and run the "
               "same again later",
               c->w.path);
        TRY(to->ops->state(to->self, &c->id, WAIT_S, io, err));
    }
    return CU_OK;
}

static cu_status hand_over(struct carry *c, struct cu_carriage *ret, struct cu_err *err)
{
    const struct cu_carrier *to = &c->p->provider;
    const uint64_t until = cu_place_now(c->p).v + (c->r->wait_ms > ANSWER_MS ? c->r->wait_ms : ANSWER_MS);

    ENSURE(to->ops, err, CU_USAGE,
           "the node does not say who takes evidence: give --provider URL; what was signed lies in the outbox");
    TRY(to->ops->claim(to->self, cu_buf_span(&c->w.claim_file), ret, err));
    for (unsigned round = 0; round < ROUNDS && ret->state < CU_CARRIED_ACCEPTED; round++) {
        if (ret->state < CU_CARRIED_ALL) {
            const cu_status sent = send_to(c, to, err);
            if (sent == CU_NOT_FOUND) { /* another one is there now, who has not heard of it */
                TRY(to->ops->claim(to->self, cu_buf_span(&c->w.claim_file), ret, err));
                continue;
            }
            TRY(sent);
            TRY(to->ops->state(to->self, &c->id, 0, ret, err));
        }
        TRY(await_answer(c, until, ret, err));
    }
    ENSURE(ret->state >= CU_CARRIED_ACCEPTED, err, CU_BAD_HASH,
           "%s: the provider asks for the same bytes again and again: it does not find in its store what it was given, and signs "
           "nothing",
           c->w.path);
    return CU_OK;
}

/* ---- 4. what the provider signed ---- */

static cu_status judge_key(struct carry *c, const struct cu_statement *st, struct cu_err *err)
{
    struct cu_place *p = c->p;
    const struct cu_member_key *key;

    ENSURE(cu_hash_eq(&st->network, &p->trust.network), err, CU_WRONG_NETWORK, "what the provider signed is for another ledger");
    const cu_status may = cu_members_may(&p->members, &st->kid, cu_act_say(st->kind, &c->claim.body.claim),
                                         (cu_seq){ p->log.checkpoint.size.v }, &key, err);
    if (may != CU_OK) return cu_fail_while(err, may, "what the provider sent is signed by nobody who may accept evidence here");
    const cu_status good = cu_place_signed(p, st, key, err);
    return good == CU_OK ? CU_OK : cu_fail_while(err, good, "the provider's signature");
}

/* Over this very claim, by somebody who may, with what belongs to it. */
static cu_status judge_answer(struct carry *c, struct cu_entry *ret, struct cu_err *err)
{
    struct cu_record record;

    TRY(cu_record_read(cu_buf_span(&c->accepted), &record, err));
    TRY(cu_entry_read(record.entry, ret, err));
    ENSURE(ret->kind == CU_KIND_DEPOSIT || ret->kind == CU_KIND_REFUSAL, err, CU_WRONG_KIND,
           "the provider sent a %s where its acceptance or refusal was to be", cu_kind_row(ret->kind)->name);
    ENSURE(cu_span_eq(ret->outer.body.deposit.claim, c->w.parts.claim), err, CU_BAD_ATTACHMENT,
           "what the provider signed is over another claim than the one that was made here");
    TRY(cu_record_match(&record, ret, err));
    return judge_key(c, &ret->outer, err);
}

static cu_status take_answer(struct carry *c, struct cu_entry *ret, struct cu_err *err)
{
    const struct cu_carrier *from = &c->p->provider;

    cu_buf_clear(&c->accepted);
    TRY(from->ops->record(from->self, &c->id, &c->accepted, err));
    TRY(cu_buf_ok(&c->accepted, err));
    const cu_status good = judge_answer(c, ret, err);
    if (good != CU_OK) cu_buf_clear(&c->accepted);
    return good == CU_OK
               ? CU_OK
               : cu_fail_while(
                     err, good,
                     "%s: the provider's answer was not taken, and nothing of it is recorded from here; keep the original",
                     c->w.path);
}

/* A refusal is recorded, whoever brings it: it fills the claim's number. */
static cu_status take_refusal(struct carry *c, const struct cu_entry *e, const struct cu_carriage *said, struct cu_err *err)
{
    struct cu_outcome outcome;

    const struct cu_span span = cu_buf_span(&c->accepted);
    TRY(cu_submit(c->p, &span, 1, &outcome, err));
    TRY(set_aside(c, err));
    const char *reason = cu_reason_name(e->outer.body.refusal.reason);
    const bool more = said->reason[0] && (!reason || strcmp(reason, said->reason) != 0);
    return cu_fail(err, CU_NOT_ALLOWED,
                   "%s: the provider refused it (%s%s%s): its signed refusal is recorded, and nothing is kept there", c->w.path,
                   reason ? reason : "for a reason that this version does not know", more ? ": " : "", more ? said->reason : "");
}

static cu_status get_accepted(struct carry *c, struct cu_err *err)
{
    struct cu_carriage said = { 0 };
    struct cu_entry entry;

    if (c->accepted.n) return CU_OK;
    TRY(hand_over(c, &said, err));
    TRY(take_answer(c, &entry, err)); /* "recorded" may be either */
    if (entry.kind == CU_KIND_REFUSAL) return take_refusal(c, &entry, &said, err);
    return note_again(c, false, err);
}

/* ---- 5. to the node ---- */

/* Does the log have it? */
static cu_status find_recorded(struct carry *c, struct cu_err *err)
{
    struct cu_claim_outcome is;
    const cu_status found = cu_lookup_outcome(c->p, &c->id, &is, err);

    c->w.outcome = (struct cu_outcome){ .status = CU_NOT_FOUND, .id = c->id };
    if (found == CU_OK && is.kind == CU_KIND_DEPOSIT) c->w.outcome.status = CU_OK, c->w.outcome.seq = is.seq;
    return found == CU_NOT_FOUND ? CU_OK : found;
}

/* An acceptance that grew old is asked for anew: same claim, same id. */
static cu_status submit(struct carry *c, struct cu_outcome *ret, struct cu_err *err)
{
    struct cu_span span = cu_buf_span(&c->accepted);

    TRY(c->p->remote.ops->submit(c->p->remote.self, &span, 1, ret, err));
    if (ret->status != CU_STALE) return CU_OK;
    cu_buf_clear(&c->accepted);
    TRY(get_accepted(c, err));
    span = cu_buf_span(&c->accepted);
    return c->p->remote.ops->submit(c->p->remote.self, &span, 1, ret, err);
}

static cu_status record(struct carry *c, struct cu_err *err)
{
    struct cu_outcome outcome;

    cu_phase(c->p, "ledger");
    TRY(submit(c, &outcome, err));
    if (outcome.status != CU_OK && outcome.status != CU_DUPLICATE) {
        if (!cu_status_retry(outcome.status)) TRY(set_aside(c, err));
        return cu_fail(err, outcome.status, "%s: the ledger refused it: %s", c->w.path, outcome.text);
    }
    TRY(cu_settle_on(c->p, &outcome, wait_until(c), err));
    TRY(find_recorded(c, err));
    ENSURE(cu_work_recorded(&c->w) || !cu_cosigned_needed(c->p, c->p->log.checkpoint.size), err, CU_COSIGNATURES_MISSING,
           "%s: the node says that it is recorded, and it is not cosigned yet by as many as the trust file asks for: do not give "
           "the "
           "original back, and deposit it again later, which records nothing twice",
           c->w.path);
    ENSURE(cu_work_recorded(&c->w), err, CU_BAD_PROOF,
           "%s: the node says that it is recorded, and its log does not show it: do not rely on it, and keep the original",
           c->w.path);
    return CU_OK;
}

/* ---- 6. copies ---- */

static cu_status has_receipt(struct carry *c, bool *ret, struct cu_err *err)
{
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_err why = { 0 };

    TRY(cu_settle(c->p, err));
    const cu_status made = cu_receipt_of(c->p, c->w.outcome.seq, &receipt, &why);
    *ret = made == CU_OK;
    return made == CU_OK || made == CU_COPIES_MISSING || made == CU_COSIGNATURES_MISSING ? CU_OK
                                                                                         : cu_fail(err, made, "%s", why.text);
}

/* A node that lacks the bytes, and gets none from the provider, takes them from here. One that has them, gets them from somebody else just now,
 * or does not want them, says so. */
static cu_status push(struct carry *c, struct cu_err *err)
{
    const struct cu_carrier *to = &c->p->node;
    struct cu_err why;
    uint64_t has;

    if (!to->ops) return CU_OK;
    if (!c->begun) TRY(cu_sending_begin(c->p, &c->w, &c->claim.body.claim, cu_buf_span(&c->chunks), &c->upload, err));
    c->begun = true;
    if (to->ops->offset(to->self, &c->id, c->upload.size, &has, &why) != CU_OK || has == c->upload.size) return CU_OK;
    const cu_status sent = cu_sending_send(&c->upload, to, &c->id, &why);
    if (c->upload.failed != CU_OK || sent == CU_INTERRUPTED) return cu_fail(err, sent, "%s", why.text);
    return CU_OK;
}

static cu_status await_copies(struct carry *c, bool *ret, struct cu_err *err)
{
    const uint64_t until = wait_until(c), third = c->r->wait_ms / 3000 + 1, patient = third < STALLED_S ? third : STALLED_S;
    const struct cu_remote *node = &c->p->remote;

    *ret = false;
    cu_phase(c->p, "copies");
    for (unsigned round = 0; !*ret && !c->r->no_wait; round++) {
        TRY(has_receipt(c, ret, err));
        if (*ret || stopped(c->p) || (round > 1 && cu_place_now(c->p).v >= until)) return CU_OK;
        if (round > 0) TRY(push(c, err)); /* before it is given up it is sent, once */
        if (round > 0) cu_phase(c->p, "only the provider holds this: do not give the original back");
        const uint64_t now = cu_place_now(c->p).v; /* what was sent just now is waited for */
        const uint64_t left = now < until ? (until - now) / 1000 + 1 : patient;
        TRY(node->ops->await(node->self, &c->id, (unsigned)(left < patient ? left : patient), err));
    }
    return CU_OK;
}

/* ---- all of it ---- */

static cu_status carry_on(struct carry *c, cu_deposited_fn *done, void *arg, struct cu_err *err)
{
    bool ready;

    c->p->own = cu_buf_span(&c->w.in.content); /* until `c` is freed */
    c->p->own_root = c->w.in.root;
    TRY(find_recorded(c, err));
    const bool before = cu_work_recorded(&c->w) && !c->resumed;
    if (!cu_work_recorded(&c->w)) {
        TRY(get_accepted(c, err));
        TRY(record(c, err));
    }
    if (before) c->w.outcome.status = CU_DUPLICATE;
    TRY(await_copies(c, &ready, err));
    if (ready) cu_phase(c->p, "receipt");
    return cu_work_hand_out(c->p, &c->w, !ready, done, arg, err);
}

/* Which of all that was asked for is done: what is left of it in the outbox goes at the end. */
struct done {
    cu_hash asked, root;
    bool aside;
};

static cu_status forget(struct cu_place *p, const struct done *done, size_t n, struct cu_err *err)
{
    CU_CLEANUP(cu_outbox_close) struct cu_outbox box = { 0 };

    TRY(cu_outbox_open(p, &box, err));
    for (size_t i = 0; i < n; i++) TRY(cu_outbox_carry(&box, &(struct cu_carried){ .asked = done[i].asked }, true, err));
    TRY(cu_outbox_keep(&box, err));
    for (size_t i = 0; i < n; i++)
        if (done[i].aside) TRY(cu_aside_drop(p, &done[i].root, err));
    return CU_OK;
}

struct told {
    cu_deposited_fn *done;
    void *arg;
    bool receipt;
};

static cu_status tell(void *arg, struct cu_deposited *d, struct cu_err *err)
{
    struct told *t = arg;

    t->receipt = d->receipt.n > 0;
    return t->done(t->arg, d, err);
}

static uint64_t earlier(const char *const *paths, size_t n)
{
    uint64_t same = 0;

    for (size_t i = 0; i < n; i++) same += strcmp(paths[i], paths[n]) == 0;
    return same;
}

/* What answers a notice, and stands against it in the log already, is not claimed a second time: what was said of it may have been lost. */
static cu_status take_same(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct carry *c = arg;
    const char *slash = strrchr(c->w.path, '/');

    (void)err;
    if (row->kind == CU_KIND_DEPOSIT && cu_hash_eq(&row->root, &c->w.in.root) &&
        cu_hash_eq(&row->kid, &c->p->key[CU_SIGNER_DEPOSITOR].id) && cu_span_is(row->name, slash ? slash + 1 : c->w.path))
        c->w.outcome = (struct cu_outcome){ .status = CU_DUPLICATE, .seq = row->seq, .id = row->id };
    return CU_OK;
}

static cu_status find_answered(struct carry *c, bool *ret, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_RECORD_MAX);

    *ret = false;
    if (!c->r->notice) return CU_OK;
    const struct cu_index_query q = { .by = CU_FIND_REF, .hash = c->r->notice->id };
    TRY(c->p->index.find(c->p->index.self, &q, take_same, c, err));
    *ret = c->w.outcome.status == CU_DUPLICATE;
    if (!*ret) return CU_OK;
    TRY(cu_claim_file_of(c->p, c->w.outcome.seq, &file, NULL, err));
    return know_claim(c, cu_buf_span(&file), err);
}

static cu_status carry_path(struct carry *c, const cu_case_id *case_id, uint64_t nth, cu_deposited_fn *done, void *arg,
                            struct cu_err *err)
{
    bool answered;

    TRY(read_source(c, err));
    TRY(name_request(c, case_id, nth, err));
    TRY(find_answered(c, &answered, err));
    if (!answered) TRY(sign_once(c, case_id, err));
    return carry_on(c, done, arg, err);
}

/* What has no receipt yet stays in the outbox: the same, asked for again, goes on with it. */
cu_status cu_carry(struct cu_place *p, const struct cu_deposit_request *r, const char *const *paths, size_t n,
                   cu_deposited_fn *done, void *arg, struct cu_err *err)
{
    struct done *all = calloc(n + 1, sizeof *all);
    struct told told = { done, arg, false };
    cu_status status = all ? CU_OK : cu_fail(err, CU_NO_MEMORY, "out of memory: nothing was deposited");
    cu_case_id case_id;
    size_t done_n = 0;

    if (status == CU_OK) status = cu_need_key(p, CU_SIGNER_DEPOSITOR, err);
    if (status == CU_OK) status = cu_form_check(p, r, err);
    if (status == CU_OK) status = cu_work_case(p, r, &case_id, err);
    for (size_t i = 0; status == CU_OK && i < n; i++) {
        struct carry c = { .p = p, .r = r, .w = { .path = paths[i] } };
        status = carry_path(&c, &case_id, earlier(paths, i), tell, &told, err);
        if (status == CU_OK && told.receipt) all[done_n++] = (struct done){ c.asked, c.claim.body.claim.root, reads_once(&c) };
        carry_free(&c);
    }
    if (status == CU_OK && done_n) status = forget(p, all, done_n, err);
    free(all);
    return status;
}

static cu_status carry_claimed(struct carry *c, struct cu_span claim_file, const char *path, cu_deposited_fn *done, void *arg,
                               struct cu_err *err)
{
    struct told told = { done, arg, false };
    struct cu_claim_file parts;

    TRY(cu_schema_read(&cu_claim_file_schema, claim_file, &parts, err));
    memcpy(c->claimed_path, parts.path.p, parts.path.n);
    c->w.path = path ? path : c->claimed_path;
    ENSURE(c->w.path[0], err, CU_USAGE,
           "the claim file does not say where the bytes lie: name the path behind it; nothing was sent");
    ENSURE(!reads_once(c), err, CU_USAGE, "a claim is for a file or folder that can be read again: nothing was sent");
    parts.path = CU_SPAN_EMPTY; /* where it lies is nobody's business */
    c->w.claim_file = cu_buf_heap(CU_RECORD_MAX);
    TRY(cu_schema_write(&cu_claim_file_schema, &parts, &c->w.claim_file, err));
    TRY(know_claim(c, CU_SPAN_EMPTY, err));
    TRY(cu_form_sealed(c->p, cu_details_profile(parts.details), c->claim.body.claim.has_sealed, c->claim.body.claim.has_second,
                       err));
    TRY(read_source(c, err));
    TRY(cu_work_is(&c->w, &c->claim.body.claim, err));
    c->asked = c->id;
    TRY(sign_once(c, NULL, err));
    TRY(carry_on(c, tell, &told, err));
    return told.receipt ? forget(c->p, &(struct done){ .asked = c->asked }, 1, err) : CU_OK;
}

cu_status cu_carry_claim(struct cu_place *p, const struct cu_deposit_request *r, struct cu_span claim_file, const char *path,
                         cu_deposited_fn *done, void *arg, struct cu_err *err)
{
    CU_CLEANUP(carry_free) struct carry c = { .p = p, .r = r };

    return carry_claimed(&c, claim_file, path, done, arg, err);
}
