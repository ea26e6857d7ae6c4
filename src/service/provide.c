/* The provider. See provide.h. */
#include "service/provide.h"

#include "content/put.h"
#include "custody/text.h"
#include "service/audit.h"
#include "service/copy_inside.h"
#include "service/held.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRESH_MS = 600000, GROUP = 32, FOLLOW_MS = 2000, FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 60000, SWEEP_MS = 1000 };

/* ---- the log ---- */

static cu_status follow(struct cu_provider *v, struct cu_err *err)
{
    struct cu_place *p = v->config.place;

    v->followed = cu_place_now(p).v; /* also when it fails: a node that is away is not asked all the time */
    if (v->config.follow) return v->config.follow(v->config.arg, err);
    TRY(cu_place_go_on(p, err));
    return cu_follow(p, err);
}

cu_status cu_provider_follow(struct cu_provider *v, uint64_t every_ms, struct cu_err *err)
{
    cu_status followed = CU_OK;

    pthread_mutex_lock(&v->act);
    if (cu_place_now(v->config.place).v - v->followed >= every_ms) followed = follow(v, err);
    pthread_mutex_unlock(&v->act);
    return followed;
}

bool cu_provider_members(struct cu_provider *v, uint64_t *io_entries, struct cu_members *ret)
{
    const struct cu_place *p = v->config.place;

    pthread_mutex_lock(&v->act);
    const bool others = p->members.parties_n > 0 && p->later.entries + 1 != *io_entries;
    if (others) *ret = p->members, *io_entries = p->later.entries + 1;
    pthread_mutex_unlock(&v->act);
    return others;
}

cu_status cu_provider_look(struct cu_provider *v, const cu_hash *id, struct cu_spooled_view *ret, struct cu_err *err)
{
    struct cu_claim_outcome is;
    const cu_status here = cu_spool_look(v->spool, id, ret, err);

    if (here != CU_NOT_FOUND) return here;
    pthread_mutex_lock(&v->act);
    const cu_status found = cu_lookup_outcome(v->config.place, id, &is, err);
    pthread_mutex_unlock(&v->act);
    ENSURE(found != CU_NOT_FOUND, err, CU_NOT_FOUND, "no such claim is known here: POST /v1/claims brings it");
    TRY(found);
    *ret = (struct cu_spooled_view){ .state = CU_SPOOLED_RECORDED,
                                     .kid = is.kid,
                                     .length = is.size,
                                     .offset = is.size,
                                     .seq = is.seq.v,
                                     .whole = true,
                                     .settled = true };
    return CU_OK;
}

/* ---- a claim, judged by the log ---- */

static cu_status check_seen(struct cu_place *p, const struct cu_seen *seen, struct cu_err *err)
{
    struct cu_span entry;

    ENSURE(seen->seq < p->log.checkpoint.size.v, err, CU_UNKNOWN_BLOCK, "the block that the claim saw is not in the log yet");
    TRY(cu_log_entry(&p->log, (cu_seq){ seen->seq }, &entry, err));
    const cu_hash leaf = cu_leaf_hash(entry);
    ENSURE(cu_hash_eq(&leaf, &seen->leaf), err, CU_UNKNOWN_BLOCK, "the block that the claim saw is not in this log");
    return CU_OK;
}

static bool for_notices(const struct cu_provider *v) { return v->config.spool != NULL; }

/* Of a notice of this organisation, to whoever claims. */
static cu_status judge_notice(struct cu_place *p, const struct cu_statement *st, const struct cu_member_key *by,
                              struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    const struct cu_member_key *own = cu_members_key(&p->members, &p->key[CU_SIGNER_ORGANISATION].id), *asks;
    struct cu_notice_told notice;
    char hex[65];

    cu_hash_hex(&st->body.claim.notice, hex);
    const cu_status known = cu_lookup(p, cu_span_str(hex), &found, err);
    ENSURE(known == CU_OK && found.row.kind == CU_KIND_NOTICE, err, CU_UNKNOWN_TARGET,
           "the notice that the claim answers is not recorded: nothing was taken");
    TRY(cu_notice_of(p, &found.row, &notice, err));
    asks = cu_members_key(&p->members, &found.row.kid);
    ENSURE(own && asks && cu_members_party(&p->members, asks->party)->organisation == own->party, err, CU_WRONG_ROLE,
           "another organisation asks for that: bring it to its node; nothing was taken");
    ENSURE(notice.said.provider == by->party, err, CU_WRONG_ROLE, "the notice asks somebody else: nothing was taken");
    ENSURE(memcmp(notice.said.case_id.b, st->body.claim.case_id.b, sizeof notice.said.case_id.b) == 0, err, CU_UNKNOWN_CASE,
           "the notice that the claim answers is of another case: nothing was taken");
    return CU_OK;
}

static cu_status judge(const struct cu_provider *v, const struct cu_claim_file *parts, const struct cu_statement *st,
                       struct cu_err *err)
{
    struct cu_place *p = v->config.place;
    const struct cu_claim *claim = &st->body.claim;
    const cu_hash commitment = cu_commitment(parts->salt, parts->details);
    const struct cu_member_key *key;

    ENSURE(st->kind == CU_KIND_CLAIM, err, CU_WRONG_KIND, "this is no claim: it is a statement of another kind");
    ENSURE(cu_hash_eq(&st->network, &p->trust.network), err, CU_WRONG_NETWORK, "the claim was signed for another ledger");
    ENSURE(claim->has_notice == for_notices(v), err, CU_WRONG_ROLE,
           for_notices(v) ? "the claim is for a provider to accept: a node takes what answers a notice of its organisation"
                          : "the claim answers a notice: who asked for it accepts it, no provider does");
    ENSURE(cu_hash_eq(&commitment, &claim->commitment), err, CU_BAD_ATTACHMENT,
           "salt and details are not those that the claim was signed over");
    TRY(cu_members_may(&p->members, &st->kid, cu_act_say(CU_KIND_CLAIM, claim), (cu_seq){ p->log.checkpoint.size.v }, &key, err));
    TRY(cu_place_signed(p, st, key, err));
    if (claim->has_notice) TRY(judge_notice(p, st, key, err));
    TRY(check_seen(p, &claim->seen, err));
    TRY(cu_form_sealed(p, cu_details_profile(parts->details), claim->has_sealed, claim->has_second, err));
    ENSURE(p->index.count(p->index.self, CU_KIND_CASE, &claim->case_id) > 0, err, CU_UNKNOWN_CASE,
           "the claim is for a case that is not open in the ledger");
    return CU_OK;
}

/* What the log of a moment ago does not know the log of now may. While the ledger is away it is judged by what is known. */
static cu_status judge_by_newest(struct cu_provider *v, const struct cu_claim_file *parts, const struct cu_statement *st,
                                 struct cu_err *err)
{
    struct cu_place *p = v->config.place;
    struct cu_err why = { 0 };
    cu_status judged;

    if (v->config.follow || cu_place_now(p).v - v->followed >= FOLLOW_MS) (void)!follow(v, NULL);
    judged = judge(v, parts, st, err);
    if (judged != CU_UNKNOWN_KEY && judged != CU_UNKNOWN_BLOCK && judged != CU_UNKNOWN_CASE && judged != CU_UNKNOWN_TARGET &&
        judged != CU_NOT_CONFIRMED)
        return judged;
    ENSURE(follow(v, &why) != CU_IO, err, CU_BUSY,
           "what the claim names is not known here, and nobody can be asked: %s. The claim is as good as before: bring it again",
           why.text);
    return judge(v, parts, st, err);
}

/* ---- signing ---- */

/* Content that travels with the record comes from the store, too. */
static cu_status inline_content(struct cu_provider *v, const struct cu_claim *claim, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_object o;

    if (claim->size == 0) return CU_OK;
    TRY(cu_objects_find(v->spool->store, CU_OBJECT_CONTENT, &claim->root, &o, err));
    return cu_object_read(&o, CU_CONTENT_INLINE_MAX, ret, err);
}

static cu_status sign(struct cu_provider *v, struct cu_spooled *at, enum cu_kind kind, const struct cu_claim_file *parts,
                      uint64_t reason, struct cu_err *err)
{
    CU_BUF said = cu_buf_heap(CU_RECORD_MAX), whole = cu_buf_heap(CU_RECORD_MAX),
           content = cu_buf_heap(CU_CONTENT_INLINE_MAX + 1);
    struct cu_deposit deposit = { .claim = parts->claim };
    struct cu_refusal refusal = { .claim = parts->claim, .reason = reason };
    void *body = kind == CU_KIND_DEPOSIT ? (void *)&deposit : (void *)&refusal;
    struct cu_held_said held = { .has = false };
    struct cu_record record;

    if (kind == CU_KIND_DEPOSIT) TRY(cu_held_ask(v->config.place, v->spool->store, &at->claim, CU_SPAN_EMPTY, &held, err));
    deposit.has_held = held.has;
    deposit.held = held.held;
    if (kind == CU_KIND_DEPOSIT && at->claim.size <= CU_CONTENT_INLINE_MAX) {
        cu_buf_grow(&content, 0);
        TRY(inline_content(v, &at->claim, &content, err));
    }
    pthread_mutex_lock(&v->act);
    const cu_status signed_ = cu_say_raw(v->config.place, kind, body,
                                         for_notices(v) ? CU_SIGNER_ORGANISATION : CU_SIGNER_PROVIDER, CU_SPAN_EMPTY, &said, err);
    pthread_mutex_unlock(&v->act);
    TRY(signed_);
    TRY(cu_record_read(cu_buf_span(&said), &record, err));
    record.salt = parts->salt;
    record.details = parts->details;
    if (kind == CU_KIND_DEPOSIT && at->claim.size <= CU_CONTENT_INLINE_MAX)
        record.content = content.n ? cu_buf_span(&content) : cu_span("", 0);
    TRY(cu_record_write(&record, &whole, err));
    return cu_spooled_sign(at, cu_buf_span(&whole), err);
}

static void changed(struct cu_provider *v)
{
    if (v->config.changed) v->config.changed(v->config.arg);
}

/* Somebody's right: a refusal is signed, and stands in the log. */
static cu_status refuse(struct cu_provider *v, struct cu_spooled *at, uint64_t reason, struct cu_err *err)
{
    TRY(sign(v, at, CU_KIND_REFUSAL, &at->parts, reason, err));
    snprintf(at->why, sizeof at->why, "%s", cu_reason_name(reason));
    v->refused++;
    cu_spooled_give(at, CU_SPOOLED_REFUSED);
    changed(v);
    return CU_OK;
}

/* ---- claims come in ---- */

static cu_status refuse_too_large(struct cu_provider *v, const cu_hash *id, struct cu_err *err)
{
    struct cu_spooled *at;

    TRY(cu_spool_take(v->spool, id, NULL, &at, err));
    const cu_status refused = refuse(v, at, CU_REASON_NOT_ACCEPTED, err);
    if (refused != CU_OK) cu_spooled_received(at);
    return refused;
}

cu_status cu_provider_claim(struct cu_provider *v, struct cu_span claim_file, cu_hash *ret_id, bool *ret_new, struct cu_err *err)
{
    struct cu_claim_file parts;
    struct cu_statement st;
    struct cu_spooled_view view;

    TRY(cu_schema_read(&cu_claim_file_schema, claim_file, &parts, err));
    TRY(cu_statement_read(parts.claim, &st, err));
    *ret_id = st.id;
    const cu_status known = cu_provider_look(v, &st.id, &view, err);
    *ret_new = known == CU_NOT_FOUND;
    if (!*ret_new) return known;
    pthread_mutex_lock(&v->act);
    const cu_status judged = judge_by_newest(v, &parts, &st, err);
    pthread_mutex_unlock(&v->act);
    TRY(judged);
    const uint64_t size = st.body.claim.size + (st.body.claim.has_folder ? st.body.claim.folder.bytes : 0);
    const bool too_large = v->config.size_max > 0 && size > v->config.size_max;
    if (!too_large && v->config.room) TRY(v->config.room(v->config.room_arg, size, err));
    TRY(cu_spool_add(v->spool, claim_file, cu_place_now(v->config.place).v, err));
    v->taken++;
    return too_large ? refuse_too_large(v, &st.id, err) : CU_OK;
}

/* ---- what came whole is stored and read again ---- */

struct batch {
    struct cu_spooled *at[GROUP];
    size_t n;
    struct cu_put *put;
    bool any; /* of them went on */
};

/* Small ones share a sync; a large one, or after a failure each, comes alone. */
static size_t gather(struct cu_provider *v, struct batch *b)
{
    unsigned from = 0;

    while (b->n < GROUP) {
        struct cu_spooled *at = cu_spool_next(v->spool, CU_SPOOLED_CHECKING, for_notices(v), &from);
        const bool small = at && at->in.length < CU_CHUNK_BYTES && !at->in.moved && !v->alone;
        if (at && b->n > 0 && !small) cu_spooled_give(at, CU_SPOOLED_CHECKING); /* next time */
        else if (at) b->at[b->n++] = at;
        if (!at || !small) break;
    }
    return b->n;
}

/* Not what was claimed: what can be asked for again is; else the claim is refused. */
static bool not_claimed(struct cu_provider *v, struct cu_spooled *at)
{
    const bool again = at->in.has_chunks || at->in.length <= CU_CHUNK_BYTES || at->in.moved;

    if (again && cu_receive_again(&at->in, NULL) == CU_OK) return cu_spooled_received(at), true;
    if (!again && refuse(v, at, CU_REASON_DAMAGED, NULL) == CU_OK) return true;
    return cu_spooled_give(at, CU_SPOOLED_CHECKING), false;
}

/* It was renamed into the store before the process ended. */
static cu_status find_moved(struct cu_provider *v, struct cu_spooled *at, struct cu_err *err)
{
    const cu_status found = cu_objects_has(v->spool->store, CU_OBJECT_CONTENT, &at->claim.root, at->claim.size, true, err);

    return found == CU_NOT_FOUND ? CU_BAD_HASH : found;
}

static cu_status put_all(struct cu_provider *v, struct batch *b, struct cu_err *err)
{
    TRY(cu_put_begin(&v->spool->store, 1, &b->put, err));
    if (!cu_fs_exists(&v->config.place->fs, CU_FILE_CLOUD_BUCKET))
        cu_put_in_place(b->put); /* what a bucket was given is read from it */
    for (size_t i = 0; i < b->n; i++) {
        struct cu_spooled *at = b->at[i];
        const cu_status put = at->in.moved ? find_moved(v, at, err) : cu_receive_store(&at->in, b->put, err);
        if (put == CU_BAD_HASH) b->any |= not_claimed(v, at), b->at[i] = NULL;
        else if (put != CU_OK) return put;
    }
    TRY(cu_put_commit(b->put, err));
    for (size_t i = 0; i < b->n; i++)
        if (b->at[i]) cu_receive_stored(&b->at[i]->in);
    return cu_put_verify(b->put, 0, err);
}

static cu_status feed_large(void *put, struct cu_span bytes, struct cu_err *err) { return cu_put_large_add(put, bytes, err); }

static cu_status put_second(struct cu_provider *v, const struct cu_receive_part *part, struct cu_put *put, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_CHUNK_BYTES);
    struct cu_object o;
    cu_hash root;
    uint64_t size;

    TRY(cu_objects_find(v->spool->store, CU_OBJECT_CONTENT, &part->root, &o, err));
    if (part->size < CU_CHUNK_BYTES) {
        TRY(cu_object_read(&o, CU_CHUNK_BYTES, &bytes, err));
        return cu_put_small(put, CU_OBJECT_CONTENT, &part->root, cu_buf_span(&bytes), err);
    }
    TRY(cu_put_large_begin(put, err));
    TRY(cu_object_stream(&o, feed_large, put, err));
    TRY(cu_put_large_end(put, &root, &size, err));
    ENSURE(cu_hash_eq(&root, &part->root), err, CU_CORRUPT, "what was stored is not what was claimed");
    return CU_OK;
}

static cu_status put_parts(struct cu_provider *v, const struct cu_spooled *at, struct cu_put *put, struct cu_err *err)
{
    for (size_t i = 0; i < at->parts_n; i++)
        if (at->part[i].size > 0) TRY(put_second(v, &at->part[i], put, err));
    return CU_OK;
}

/* Where both copies lie in one folder, both are there before it is accepted. */
static cu_status store_second(struct cu_provider *v, const struct batch *b, struct cu_err *err)
{
    CU_CLEANUP(cu_put_cleanup) struct cu_put *put = NULL;

    if (!v->config.second) return CU_OK;
    TRY(cu_put_begin(&v->config.second, 1, &put, err));
    for (size_t i = 0; i < b->n; i++)
        if (b->at[i]) TRY(put_parts(v, b->at[i], put, err));
    TRY(cu_put_commit(put, err));
    return cu_put_verify(put, 0, err);
}

/* What stays so is told once: it is tried again at every tick. */
static void tell_trouble(struct cu_provider *v, const struct cu_err *why)
{
    if (!v->config.trouble || strcmp(v->told, why->text) == 0) return;
    snprintf(v->told, sizeof v->told, "%s", why->text);
    v->config.trouble(v->config.arg, v->told);
}

/* (3) */
static void read_now(struct cu_provider *v, const struct cu_spooled *at)
{
    const uint64_t until = cu_place_now(v->config.place).v + FRESH_MS;

    pthread_mutex_lock(&v->lost_lock);
    for (size_t i = 0; i < at->parts_n; i++) {
        if (at->part[i].size < CU_CHUNK_BYTES) continue;
        const size_t n = v->fresh_n++ % CU_PROVIDER_FRESH;
        v->fresh[n].root = at->part[i].root;
        v->fresh[n].left = at->part[i].size;
        v->fresh[n].until = until;
    }
    pthread_mutex_unlock(&v->lost_lock);
}

bool cu_provider_read_lately(struct cu_provider *v, const cu_hash *root, uint64_t bytes)
{
    const uint64_t now = cu_place_now(v->config.place).v;
    bool lately = false;

    pthread_mutex_lock(&v->lost_lock);
    for (size_t i = 0; i < CU_PROVIDER_FRESH && !lately; i++) {
        if (v->fresh[i].left < bytes || v->fresh[i].until < now || !cu_hash_eq(&v->fresh[i].root, root)) continue;
        v->fresh[i].left -= bytes;
        lately = true;
    }
    pthread_mutex_unlock(&v->lost_lock);
    return lately;
}

static bool accept_one(struct cu_provider *v, struct cu_spooled *at)
{
    struct cu_err why = { 0 };
    const cu_status accepted = sign(v, at, CU_KIND_DEPOSIT, &at->parts, 0, &why);

    v->bytes += accepted == CU_OK ? at->in.length : 0;
    if (accepted == CU_OK) read_now(v, at);
    cu_spooled_give(at, accepted == CU_OK ? CU_SPOOLED_ACCEPTED : CU_SPOOLED_CHECKING);
    if (accepted != CU_OK) tell_trouble(v, &why);
    else v->told[0] = 0;
    return accepted == CU_OK;
}

static bool store_some(struct cu_provider *v)
{
    struct batch b = { .n = 0 };
    struct cu_err why = { 0 };

    if (gather(v, &b) == 0) return false;
    (void)!cu_provider_follow(v, FOLLOW_MS, NULL); /* an acceptance has seen a young block */
    cu_status stored = put_all(v, &b, &why);
    cu_put_free(b.put);
    if (stored == CU_OK) stored = store_second(v, &b, &why);
    for (size_t i = 0; i < b.n; i++) {
        if (!b.at[i]) continue;
        if (stored == CU_OK) b.any |= accept_one(v, b.at[i]);
        else cu_spooled_give(b.at[i], CU_SPOOLED_CHECKING);
    }
    if (stored != CU_OK) tell_trouble(v, &why);
    v->alone = stored != CU_OK;
    changed(v);
    return b.any;
}

/* ---- what is signed is submitted ---- */

/* The same claim, the same outcome, over a younger block. */
static void sign_afresh(struct cu_provider *v, struct cu_spooled *at)
{
    struct cu_record record;
    struct cu_entry e;

    if (cu_record_read(cu_buf_span(&at->record), &record, NULL) != CU_OK || cu_entry_read(record.entry, &e, NULL) != CU_OK)
        return;
    const uint64_t reason = e.kind == CU_KIND_REFUSAL ? e.outer.body.refusal.reason : 0;
    if (cu_provider_follow(v, 0, NULL) == CU_OK) (void)!sign(v, at, e.kind, &at->parts, reason, NULL); /* or the next time */
}

static void learn(struct cu_provider *v, struct cu_spooled *at, enum cu_spooled_state was, const struct cu_outcome *o)
{
    if (o->status == CU_OK || o->status == CU_DUPLICATE) return cu_spooled_settled(at, o->seq.v, NULL);
    if (o->status == CU_STALE) sign_afresh(v, at);
    if (cu_status_retry(o->status)) return cu_spooled_give(at, was);
    (void)!cu_outbox_refused(v->config.place, &at->id, cu_buf_span(&at->record), NULL); /* for whoever wonders */
    cu_spooled_settled(at, UINT64_MAX, o->text);
}

static bool submit_some(struct cu_provider *v, enum cu_spooled_state state, uint64_t now)
{
    const struct cu_remote *remote = &v->config.place->remote;
    const struct cu_engine *engine = v->config.place->engine;
    struct cu_spooled *at[GROUP];
    struct cu_span records[GROUP];
    struct cu_outcome outcomes[GROUP];
    unsigned from = 0;
    size_t n = 0;

    while (n < GROUP && (at[n] = cu_spool_next(v->spool, state, for_notices(v), &from)))
        records[n] = cu_buf_span(&at[n]->record), n++;
    if (n == 0) return false;
    const cu_status submitted = engine ? engine->submit(engine->self, records, n, outcomes, NULL)
                                       : remote->ops->submit(remote->self, records, n, outcomes, NULL);
    if (submitted == CU_OK && v->config.submitted) v->config.submitted(v->config.arg, records, outcomes, n);
    for (size_t i = 0; i < n; i++) {
        if (submitted == CU_OK) learn(v, at[i], state, &outcomes[i]);
        else cu_spooled_give(at[i], state);
    }
    if (submitted == CU_OK) v->pause = 0;
    else v->pause = v->pause ? (v->pause < LONGEST_PAUSE_MS / 2 ? 2 * v->pause : LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
    v->submit_at = now + v->pause;
    changed(v);
    return submitted == CU_OK;
}

/* Somebody claimed, and then nothing came: the number is filled, and whoever has the bytes claims anew. */
static bool refuse_abandoned(struct cu_provider *v, uint64_t now)
{
    if (v->config.abandoned_ms == 0 || now - v->swept < SWEEP_MS || now < v->config.abandoned_ms) return false;
    struct cu_spooled *at = cu_spool_abandoned(v->spool, now - v->config.abandoned_ms, now);
    if (!at) v->swept = now;
    if (at && refuse(v, at, CU_REASON_INCOMPLETE, NULL) != CU_OK) cu_spooled_received(at);
    return at != NULL;
}

/* ---- what was lost (4) ---- */

void cu_provider_lost(struct cu_provider *v, cu_seq seq, const cu_hash *root)
{
    bool known = false;

    pthread_mutex_lock(&v->lost_lock);
    for (size_t i = 0; i < v->lost_n; i++) known |= cu_hash_eq(&v->lost[i].root, root);
    if (!known && v->lost_n < CU_PROVIDER_LOST) v->lost[v->lost_n++] = (struct cu_provider_lost){ seq, *root };
    pthread_mutex_unlock(&v->lost_lock);
}

struct wanted {
    const cu_hash *root;
    uint64_t size; /* UINT64_MAX: not met yet */
};

static cu_status is_wanted(void *arg, const cu_hash *root, uint64_t size, struct cu_err *err)
{
    struct wanted *w = arg;

    (void)err;
    if (cu_hash_eq(root, w->root)) w->size = size;
    return CU_OK;
}

/* Is that object of a deposit that this provider accepted, and how large is it? Under `act`. */
static cu_status find_lost(struct cu_provider *v, const struct cu_provider_lost *what, uint64_t *ret_size, struct cu_err *err)
{
    struct cu_place *p = v->config.place;
    struct wanted w = { &what->root, UINT64_MAX };
    struct cu_span bytes;
    struct cu_entry e;

    ENSURE(what->seq.v < p->log.checkpoint.size.v, err, CU_NOT_FOUND, "the log has no such entry");
    TRY(cu_log_entry(&p->log, what->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    ENSURE(e.kind == CU_KIND_DEPOSIT &&
               cu_organisation_of(p, &e.outer.kid) == cu_organisation_of(p, &p->key[CU_SIGNER_PROVIDER].id),
           err, CU_NOT_FOUND, "this provider did not accept it");
    const struct cu_claim claim = e.inner.body.claim;
    if (cu_hash_eq(&claim.root, w.root)) w.size = claim.size;
    else if (claim.has_folder) TRY(cu_folder_items(p, CU_STORE_CLOUD, what->seq, &claim, is_wanted, &w, err));
    ENSURE(w.size != UINT64_MAX, err, CU_NOT_FOUND, "the deposit has no such file");
    *ret_size = w.size;
    return CU_OK;
}

static cu_status put_aside(struct cu_provider *v, const cu_hash *root, struct cu_err *err)
{
    char to[64], where[512];
    struct cu_object o;
    uint64_t run;

    if (cu_objects_find(v->spool->store, CU_OBJECT_CONTENT, root, &o, NULL) != CU_OK) return CU_OK;
    TRY(cu_quarantine_next(v->config.place, &run, err));
    snprintf(to, sizeof to, CU_DIR_QUARANTINE "/%llu", LLU(run));
    return cu_object_set_aside(&o, to, where, err);
}

struct arriving {
    struct cu_put *put;
    struct cu_buf small;
    bool large;
};

static cu_status take_piece(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct arriving *a = arg;

    if (a->large) return cu_put_large_add(a->put, bytes, err);
    cu_buf_add(&a->small, bytes);
    return cu_buf_ok(&a->small, err);
}

static cu_status arrive(struct cu_place *from, struct arriving *a, const cu_hash *root, uint64_t size, struct cu_err *err)
{
    uint64_t got;
    cu_hash is;

    if (a->large) TRY(cu_put_large_begin(a->put, err));
    TRY(cu_fetch_afar(from, root, size, NULL, take_piece, a, err));
    if (!a->large) TRY(cu_put_small(a->put, CU_OBJECT_CONTENT, root, cu_buf_span(&a->small), err));
    else TRY(cu_put_large_end(a->put, &is, &got, err));
    return cu_put_commit(a->put, err);
}

static cu_status bring_again(struct cu_provider *v, const struct cu_provider_lost *what, uint64_t size, struct cu_err *err)
{
    struct arriving a = { .small = cu_buf_heap(CU_CHUNK_BYTES), .large = size >= CU_CHUNK_BYTES };
    struct cu_place from = { .reading = { what->seq, cu_span_str("the provider's copy was lost"), CU_SPAN_EMPTY } };
    const struct cu_outside *outside = &v->config.place->outside;

    TRY(outside->open(outside->self, cu_span_str(v->config.url), &from.remote, err));
    cu_status done = cu_put_begin(&v->spool->store, 1, &a.put, err);
    if (done == CU_OK) done = arrive(&from, &a, &what->root, size, err);
    from.remote.ops->close(from.remote.self);
    cu_put_free(a.put);
    cu_buf_free(&a.small);
    return done;
}

/* One that is here after all, or was never accepted, is let be. */
static cu_status mend(struct cu_provider *v, const struct cu_provider_lost *what, struct cu_err *err)
{
    uint64_t size = 0;

    pthread_mutex_lock(&v->act);
    const cu_status found = find_lost(v, what, &size, err);
    pthread_mutex_unlock(&v->act);
    if (found == CU_NOT_FOUND) return CU_OK;
    TRY(found);
    if (cu_objects_has(v->spool->store, CU_OBJECT_CONTENT, &what->root, size, true, NULL) == CU_OK) return CU_OK;
    TRY(put_aside(v, &what->root, err));
    TRY(bring_again(v, what, size, err));
    v->mended++;
    pthread_mutex_lock(&v->act);
    const cu_status said = cu_held_again(v->config.place, v->spool->store, what->seq, err);
    pthread_mutex_unlock(&v->act);
    return said;
}

static bool mend_one(struct cu_provider *v)
{
    struct cu_provider_lost what;
    struct cu_err why = { 0 };

    pthread_mutex_lock(&v->lost_lock);
    const bool any = v->lost_n > 0 && v->config.url && v->config.place->outside.open;
    if (any) what = v->lost[--v->lost_n];
    pthread_mutex_unlock(&v->lost_lock);
    if (!any) return false;
    if (mend(v, &what, &why) != CU_OK) tell_trouble(v, &why); /* whoever asks again reports it again */
    return true;
}

void cu_provider_step(struct cu_provider *v, bool *ret_any)
{
    const uint64_t now = cu_place_now(v->config.place).v;

    *ret_any = store_some(v);
    *ret_any |= mend_one(v);
    *ret_any |= refuse_abandoned(v, now);
    if (now < v->submit_at && v->submit_at - now <= LONGEST_PAUSE_MS) return;
    *ret_any |= submit_some(v, CU_SPOOLED_ACCEPTED, now);
    *ret_any |= submit_some(v, CU_SPOOLED_REFUSED, now);
}

/* ---- opening ---- */

void cu_provider_close(struct cu_provider *v)
{
    if (!v) return;
    if (!for_notices(v)) cu_spool_close(v->spool);
    pthread_mutex_destroy(&v->act);
    pthread_mutex_destroy(&v->lost_lock);
    free(v);
}

cu_status cu_provider_open(const struct cu_provider_config *config, struct cu_provider **ret, struct cu_err *err)
{
    struct cu_provider *v = calloc(1, sizeof *v);

    ENSURE(v, err, CU_NO_MEMORY, "no memory for a provider");
    v->config = *config;
    pthread_mutex_init(&v->act, NULL);
    pthread_mutex_init(&v->lost_lock, NULL);
    v->spool = config->spool;
    const cu_status opened = v->spool ? CU_OK
                                      : cu_spool_open(&config->place->fs, config->place->store[CU_STORE_CLOUD], &v->spool, err);
    if (opened == CU_OK) *ret = v;
    else cu_provider_close(v);
    return opened;
}
