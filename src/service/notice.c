/* The other direction, and what does not come in time: who asks a provider, what came of it, and who says so when nothing did.
 *
 * A claim is in no log before its outcome. Whoever wants it watched hands it to the node: it lies in `outbox/supervised`, claim file after
 * claim file in the form of `pending`, replaced whole, until an outcome is recorded. What is due is looked for by each writing open, and by a node's keeper.
 */
#include "service/deposit.h"

#include "custody/tree.h"

#define INCOMING CU_DIR_OUTBOX "/incoming-supervised"

/* ---- asking -------------------------------------------------------------------------------------------------------- */

static cu_status find_provider(const struct cu_place *p, struct cu_span name, uint64_t *ret, struct cu_err *err)
{
    for (size_t i = 0; i < p->members.parties_n; i++) {
        const struct cu_member_party *party = &p->members.party[i];
        const struct cu_span its = party->role == CU_ROLE_PROVIDER ? cu_party_named(p, party->id) : CU_SPAN_EMPTY;
        if (its.n && cu_span_eq(its, name)) return *ret = party->id, CU_OK;
    }
    return cu_fail(err, CU_NOT_FOUND,
                   "no provider of this ledger is called \"%.*s\": nobody was asked; `custody member ls` lists them", (int)name.n,
                   (const char *)name.p);
}

cu_status cu_notice_create(struct cu_place *p, const struct cu_notice_request *r, struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_notice body = { .deadline = r->until.v };
    const struct cu_saying say = { CU_KIND_NOTICE, &body, CU_SIGNER_DEPOSITOR, CU_PROFILE_NOTICE, &r->words };

    TRY(find_provider(p, r->provider, &body.provider, err));
    TRY(cu_lookup_case(p, r->case_name.n ? r->case_name : cu_span_str(CU_CASE_UNFILED), &found, err));
    body.case_id = found.row.case_id;
    return cu_say_and_record(p, &say, ret, err);
}

/* ---- what became of it --------------------------------------------------------------------------------------------- */

static cu_status take_step(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_notice_told *t = arg;

    (void)err;
    if (row->kind == CU_KIND_DEPOSIT) t->deposits++;
    if (row->kind == CU_KIND_ACKNOWLEDGE) t->acknowledged = row->recorded;
    if (row->kind == CU_KIND_TIMEOUT) t->timed_out = row->recorded;
    if (row->kind == CU_KIND_ANSWER) t->answered = row->recorded, t->answer = row->seq;
    return CU_OK;
}

static cu_status entry_at(struct cu_place *p, cu_seq seq, struct cu_entry *ret, struct cu_err *err)
{
    struct cu_span bytes;

    TRY(cu_log_entry(&p->log, seq, &bytes, err));
    return cu_entry_read(bytes, ret, err);
}

cu_status cu_notice_of(struct cu_place *p, const struct cu_index_row *row, struct cu_notice_told *ret, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_REF, .hash = row->id };
    struct cu_entry e;

    *ret = (struct cu_notice_told){ .id = row->id };
    TRY(entry_at(p, row->seq, &e, err));
    ENSURE(e.kind == CU_KIND_NOTICE, err, CU_USAGE, "this is no notice but a %s; `custody notice ls` lists them",
           cu_kind_row(e.kind)->name);
    ret->said = e.outer.body.notice;
    TRY(p->index.find(p->index.self, &q, take_step, ret, err));
    if (!ret->answered.v) return CU_OK;
    TRY(entry_at(p, ret->answer, &e, err));
    ret->reason = e.outer.body.answer.reason;
    return CU_OK;
}

cu_status cu_notice_find(struct cu_place *p, struct cu_span name, struct cu_notice_told *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    TRY(cu_lookup(p, name, &found, err));
    return cu_notice_of(p, &found.row, ret, err);
}

/* ---- answering ----------------------------------------------------------------------------------------------------- */

/* What is said once is no news the second time: it stands under another id. */
static cu_status say_once(struct cu_place *p, const struct cu_saying *say, struct cu_outcome *ret, struct cu_err *err)
{
    TRY(cu_say_and_record(p, say, ret, err));
    ENSURE(ret->status == CU_OK, err, ret->status, "%s: nothing was recorded",
           ret->text[0] ? ret->text : "it is recorded already");
    return CU_OK;
}

cu_status cu_notice_acknowledge(struct cu_place *p, struct cu_span name, struct cu_outcome *ret, struct cu_err *err)
{
    struct cu_notice_told notice;
    struct cu_acknowledge body = { 0 };
    const struct cu_saying say = { CU_KIND_ACKNOWLEDGE, &body, cu_signer_provider(p), CU_PROFILE_NONE, NULL };

    TRY(cu_notice_find(p, name, &notice, err));
    body.notice = notice.id;
    return say_once(p, &say, ret, err);
}

static cu_status take_deposit(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    const cu_hash leaf = cu_leaf_hash(cu_span_hash(&row->id));

    (void)err;
    if (row->kind == CU_KIND_DEPOSIT) cu_frontier_append(arg, &leaf);
    return CU_OK;
}

/* What was deposited against it, as far as the log was followed: should one have come since, the ledger says so. */
static cu_status count_deposits(struct cu_place *p, const cu_hash *notice, struct cu_frontier *ret, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_REF, .hash = *notice };

    *ret = (struct cu_frontier){ .size = { 0 } };
    return p->index.find(p->index.self, &q, take_deposit, ret, err);
}

cu_status cu_notice_answer(struct cu_place *p, struct cu_span name, uint64_t reason, struct cu_span text, struct cu_outcome *ret,
                           struct cu_err *err)
{
    const struct cu_details_text details = { .text = text };
    struct cu_answer body = { .reason = reason, .has_reason = reason > 0 };
    const struct cu_saying say = { CU_KIND_ANSWER, &body, cu_signer_provider(p), CU_PROFILE_ANSWER, &details };
    struct cu_notice_told notice;
    struct cu_frontier given;

    TRY(cu_notice_find(p, name, &notice, err));
    TRY(count_deposits(p, &notice.id, &given, err));
    ENSURE(!reason || !given.size.v, err, CU_USAGE,
           "%llu deposits have been made against the notice: what is held cannot be refused any more; `custody notice answer` "
           "says that "
           "they are the answer",
           LLU(given.size.v));
    ENSURE(reason || given.size.v, err, CU_USAGE,
           "nothing has been deposited against the notice: give the PATHs that answer it, or refuse it with a reason");
    body.notice = notice.id;
    body.n = given.size.v;
    body.root = cu_frontier_root(&given);
    return say_once(p, &say, ret, err);
}

/* ---- a claim that is not accepted ---------------------------------------------------------------------------------- */

static cu_status read_claim_file(struct cu_span file, struct cu_claim_file *ret, struct cu_statement *ret_claim,
                                 struct cu_err *err)
{
    TRY(cu_schema_read(&cu_claim_file_schema, file, ret, err));
    return cu_claim_read(ret, ret_claim, err);
}

cu_status cu_claim_refuse(struct cu_place *p, struct cu_span claim_file, uint64_t reason, struct cu_outcome *ret,
                          struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    struct cu_claim_file parts;
    struct cu_statement claim;
    struct cu_refusal body = { .reason = reason };

    TRY(read_claim_file(claim_file, &parts, &claim, err));
    body.claim = parts.claim;
    const enum cu_signer by = claim.body.claim.has_notice && !p->remote.ops ? CU_SIGNER_ORGANISATION : cu_signer_provider(p);
    TRY(cu_say_over(p, CU_KIND_REFUSAL, &body, by, &parts, CU_SPAN_EMPTY, &record, err));
    const struct cu_span span = cu_buf_span(&record);
    TRY(cu_submit(p, &span, 1, ret, err));
    return cu_settle(p, err);
}

/* ---- what is watched ----------------------------------------------------------------------------------------------- */

/* They lie in `mem`. */
static cu_status read_supervised(struct cu_place *p, struct cu_buf *mem, struct cu_span *ret, struct cu_err *err)
{
    const cu_status read = cu_fs_read(&p->fs, CU_FILE_SUPERVISED, CU_PENDING_MAX, mem, err);
    uint64_t unused;

    *ret = CU_SPAN_EMPTY;
    if (read == CU_NOT_FOUND) return CU_OK;
    TRY(read);
    ENSURE(cu_pending_read(cu_buf_span(mem), &unused, ret, NULL) == CU_OK, err, CU_CORRUPT,
           CU_FILE_SUPERVISED
           " is damaged, which holds the claims that are watched: none was added; `custody check --repair` puts it aside");
    return CU_OK;
}

static cu_status keep_supervised(struct cu_place *p, struct cu_span claims, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_PENDING_MAX);

    TRY(cu_pending_write(0, claims, &file, err));
    return cu_fs_replace(&p->fs, CU_FILE_SUPERVISED, INCOMING, cu_buf_span(&file), true, err);
}

/* The node watches. Where the bytes lie is nobody's business. */
static cu_status supervise_afar(struct cu_place *p, const struct cu_claim_file *parts, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_RECORD_MAX), answer = cu_buf_heap(65536);
    struct cu_claim_file told = *parts;
    unsigned http;

    told.path = CU_SPAN_EMPTY;
    TRY(cu_schema_write(&cu_claim_file_schema, &told, &file, err));
    TRY(p->remote.ops->ask(p->remote.self, "v1/supervised", cu_buf_span(&file), &http, &answer, err));
    return cu_remote_said(http, cu_buf_span(&answer), err);
}

cu_status cu_supervise(struct cu_place *p, struct cu_span claim_file, cu_hash *ret_id, cu_unix_ms *ret_due, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_PENDING_MAX), more = cu_buf_heap(CU_PENDING_MAX);
    struct cu_claim_file parts;
    struct cu_statement claim;
    struct cu_span claims, one;

    if (!p->remote.ops) TRY(cu_need_key(p, CU_SIGNER_ORGANISATION, err));
    TRY(read_claim_file(claim_file, &parts, &claim, err));
    ENSURE(cu_hash_eq(&claim.network, &p->trust.network), err, CU_WRONG_NETWORK,
           "the claim was signed for another ledger: nothing was kept");
    *ret_id = claim.id;
    ret_due->v = claim.body.claim.time + cu_genesis_policy(p)->acceptance_age;
    if (p->remote.ops) return supervise_afar(p, &parts, err);
    TRY(read_supervised(p, &mem, &claims, err));
    for (size_t at = 0; cu_outbox_next(claims, &at, &one);)
        if (cu_span_eq(one, claim_file)) return CU_OK;
    cu_buf_add(&more, claims);
    cu_buf_add(&more, claim_file);
    TRY(cu_buf_ok(&more, err));
    return keep_supervised(p, cu_buf_span(&more), err);
}

/* ---- what is due --------------------------------------------------------------------------------------------------- */

struct due {
    struct cu_place *p;
    uint64_t now, said;
    struct cu_buf notices; /* ids */
};

static void due_free(struct due *d) { cu_buf_free(&d->notices); }

/* Whether it is true the ledger judges; that it is not yet, or is known already, is no failure. */
static cu_status say_late(struct due *d, struct cu_timeout *body, cu_status *ret, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    const struct cu_saying say = { CU_KIND_TIMEOUT, body, CU_SIGNER_ORGANISATION, CU_PROFILE_NONE, NULL };
    struct cu_outcome outcome;

    TRY(cu_say(d->p, &say, &record, err));
    const struct cu_span span = cu_buf_span(&record);
    TRY(d->p->engine->submit(d->p->engine->self, &span, 1, &outcome, err));
    d->said += outcome.status == CU_OK;
    *ret = outcome.status;
    return CU_OK;
}

static cu_status take_notice(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct due *d = arg;

    cu_buf_add(&d->notices, cu_span_hash(&row->id));
    return cu_buf_ok(&d->notices, err);
}

/* Of those that were found, the ones whose time has passed without an answer stay. */
static cu_status look_notices(void *arg, struct cu_err *err)
{
    struct due *d = arg;
    struct cu_notice_standing is;
    size_t n = 0;

    for (size_t at = 0; at < d->notices.n; at += sizeof(cu_hash)) {
        cu_hash id;
        memcpy(id.b, d->notices.p + at, sizeof id.b);
        TRY(cu_ledger_notice(d->p->ledger, &id, &is, err));
        if (is.answered || is.timed_out || d->now <= is.deadline) continue;
        memcpy(d->notices.p + n, id.b, sizeof id.b);
        n += sizeof id.b;
    }
    d->notices.n = n;
    return CU_OK;
}

static cu_status notices_due(struct due *d, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_NOTICE };
    cu_status said;

    TRY(d->p->index.find(d->p->index.self, &q, take_notice, d, err));
    if (d->notices.n == 0) return CU_OK;
    TRY(cu_ask(d->p, look_notices, d, err)); /* the machine is at rest once for all of them */
    for (size_t at = 0; at < d->notices.n; at += sizeof(cu_hash)) {
        struct cu_timeout body = { .has_notice = true };
        memcpy(body.notice.b, d->notices.p + at, sizeof body.notice.b);
        TRY(say_late(d, &body, &said, err));
    }
    return CU_OK;
}

struct outcome_of {
    struct cu_ledger *ledger;
    const cu_hash *id;
};

static cu_status look_outcome(void *arg, struct cu_err *err)
{
    const struct outcome_of *o = arg;
    struct cu_recorded unused;

    return cu_ledger_statement(o->ledger, o->id, &unused, err);
}

/* `*ret`: there is nothing left to watch. */
static cu_status claim_settled(struct due *d, struct cu_span file, bool *ret, struct cu_err *err)
{
    struct cu_claim_file parts;
    struct cu_statement claim;
    cu_status said = CU_UNTRUE;

    *ret = true;
    if (read_claim_file(file, &parts, &claim, NULL) != CU_OK) return CU_OK;
    const cu_status known = cu_ask(d->p, look_outcome, &(struct outcome_of){ d->p->ledger, &claim.id }, err);
    if (known != CU_NOT_FOUND) return known;
    struct cu_timeout body = { .claim = parts.claim, .has_claim = true };
    if (d->now > claim.body.claim.time + cu_genesis_policy(d->p)->acceptance_age) TRY(say_late(d, &body, &said, err));
    *ret = said != CU_UNTRUE; /* recorded now, or never to be */
    return CU_OK;
}

static cu_status claims_due(struct due *d, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_PENDING_MAX), left = cu_buf_heap(CU_PENDING_MAX);
    struct cu_span claims, one;
    bool settled;

    const cu_status read = read_supervised(d->p, &mem, &claims, err);
    if (read == CU_CORRUPT) return CU_OK; /* `check` says so; nobody who writes is to wait for it */
    TRY(read);
    for (size_t at = 0; cu_outbox_next(claims, &at, &one);) {
        TRY(claim_settled(d, one, &settled, err));
        if (!settled) cu_buf_add(&left, one);
    }
    TRY(cu_buf_ok(&left, err));
    return left.n == claims.n ? CU_OK : keep_supervised(d->p, cu_buf_span(&left), err);
}

cu_status cu_due_record(struct cu_place *p, uint64_t *ret_n, struct cu_err *err)
{
    CU_CLEANUP(due_free) struct due d = { .p = p, .now = cu_place_now(p).v, .notices = cu_buf_heap(SIZE_MAX / 4) };

    const struct cu_member_key *own = p->has_key[CU_SIGNER_ORGANISATION]
                                          ? cu_members_key(&p->members, &p->key[CU_SIGNER_ORGANISATION].id)
                                          : NULL;

    *ret_n = 0;
    if (!p->ledger || !own || own->until_seq != UINT64_MAX) return CU_OK; /* whoever has a key that acts says so */
    TRY(notices_due(&d, err));
    TRY(claims_due(&d, err));
    *ret_n = d.said;
    return d.said ? cu_settle(p, err) : CU_OK;
}
