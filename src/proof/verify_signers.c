/* Signers: whose log the checkpoint is of, which keys the ledger enrolled, and every signature in the receipt. */
#include "judge.h"

#include <stdio.h>

/* ---- the checkpoint ------------------------------------------------------------------------------------------------ */

static void tell_line(struct cu_judge *j, size_t i)
{
    const struct cu_note_sig *sig = &j->note.sig[i];
    char name[CU_SHOWN], when[32];

    cu_shown(sig->name, name);
    switch (j->signed_by.of[i]) {
    case CU_SIG_IGNORED:
        cu_judge_note(j, "ignored: signature line %zu, by %s (key %08x), which the trust file does not list", i + 1, name,
                      (unsigned)sig->id);
        break;
    case CU_SIG_LOG: cu_judge_note(j, "the checkpoint is signed by the log key of %s", name); break;
    case CU_SIG_COSIGNED:
        cu_time_text((cu_unix_ms){ j->signed_by.unix_s[i] < CU_LAST_MS / 1000 ? j->signed_by.unix_s[i] * 1000 : CU_LAST_MS },
                     when);
        cu_judge_note(j, "the checkpoint is cosigned by %s, at %s by its clock", name, when);
        break;
    }
}

void cu_judge_checkpoint(struct cu_judge *j)
{
    const struct cu_checkpoint *c = &j->report->checkpoint;
    struct cu_checkpoint unused;
    const struct cu_epoch *epoch;

    if (j->trust == NULL) {
        cu_judge_say(j, CU_VERDICT_SIGNER, CU_NOT_PROVEN, CU_UNTRUSTED,
                     "no trust file is pinned: whose log this is was not checked");
        return;
    }
    epoch = cu_trust_epoch(j->trust, c->size);
    if (epoch == NULL) {
        cu_judge_say(j, CU_VERDICT_SIGNER, CU_NOT_PROVEN, CU_UNTRUSTED, "the trust file names no keys for a log of %llu entries",
                     LLU(c->size.v));
        return;
    }
    cu_status status = cu_epoch_policy(epoch, &j->policy, j->err);
    if (status == CU_OK) status = cu_checkpoint_verify(&j->note, &j->policy, j->by, &unused, &j->signed_by, j->err);
    if (status == CU_OK || status == CU_UNTRUSTED)
        for (size_t i = 0; i < j->note.sigs_n; i++) tell_line(j, i);
    j->trusted = status == CU_OK;
    if (j->trusted)
        cu_judge_say(j, CU_VERDICT_SIGNER, CU_PASS, CU_OK, "the checkpoint of %llu entries is signed as the trust file demands",
                     LLU(c->size.v));
    else cu_judge_say(j, CU_VERDICT_SIGNER, status == CU_UNTRUSTED ? CU_NOT_PROVEN : CU_FAIL, status, "%s", j->err->text);
}

/* ---- enrolment ----------------------------------------------------------------------------------------------------- */

/* What a statement signed, built in the scratch memory; false when that is full. */
static bool message_of(struct cu_judge *j, const struct cu_statement *st, struct cu_span *ret)
{
    size_t from = j->room.n;

    if (j->room.max - j->room.n < st->protected_.n + st->payload.n + 64) return false;
    cu_sig_structure(st->protected_, st->payload, &j->room);
    *ret = cu_span(j->room.p + from, j->room.n - from);
    return true;
}

/* Of this ledger, by an enrolled key that may say this at `seq`. */
static cu_status check_key(struct cu_judge *j, const struct cu_statement *st, uint64_t seq, const struct cu_member_key **ret)
{
    ENSURE(cu_hash_eq(&st->network, &j->report->network), j->err, CU_WRONG_NETWORK, "it was signed for another ledger");
    TRY(cu_members_may(&j->members, &st->kid, st->kind, (cu_seq){ seq }, ret, j->err));
    ENSURE(st->alg == (*ret)->pub.alg, j->err, CU_BAD_KEY, "its header names another algorithm than the key's");
    return CU_OK;
}

static cu_status enrol(struct cu_judge *j, struct cu_span bytes, uint64_t seq)
{
    const struct cu_member_key *key;
    struct cu_entry entry;
    struct cu_span message;

    TRY(cu_entry_read(bytes, &entry, j->err));
    TRY(check_key(j, &entry.outer, seq, &key));
    ENSURE(message_of(j, &entry.outer, &message), j->err, CU_TOO_LARGE, "no room");
    TRY(cu_verify_one(j->by, &key->pub, message, entry.outer.signature.p, j->err));
    cu_buf_clear(&j->room);
    return cu_members_confirm(&j->members, &entry.outer, (cu_seq){ seq }, j->by, j->err);
}

static void enrol_or_say(struct cu_judge *j, struct cu_span bytes, uint64_t seq, uint64_t party)
{
    char name[CU_SHOWN];
    cu_status status = enrol(j, bytes, seq);

    cu_shown(cu_judge_name(j, party), name);
    if (status == CU_OK)
        cu_judge_say(j, CU_VERDICT_SIGNER, CU_PASS, CU_OK, "entry %llu: organisation %llu (%s) proved that it holds its keys",
                     LLU(seq), LLU(party), name);
    else
        cu_judge_say(j, CU_VERDICT_SIGNER, CU_FAIL, status, "entry %llu, the confirmation of organisation %llu: %.120s", LLU(seq),
                     LLU(party), j->err->text);
}

void cu_judge_members(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    cu_status status = cu_members_from_genesis(&j->genesis, &r->network, &j->members, j->err);

    if (status != CU_OK) {
        cu_judge_say(j, CU_VERDICT_SIGNER, CU_FAIL, status, "the genesis enrols nobody: %.150s", j->err->text);
        return;
    }
    j->has_members = true;
    for (size_t i = 0; i < j->n; i++)
        if (j->brought[i].kind == CU_KIND_CONFIRM)
            enrol_or_say(j, j->brought[i].s.entry, j->brought[i].s.seq, j->brought[i].party);
    if (r->entry.kind == CU_KIND_CONFIRM) enrol_or_say(j, r->record.entry, r->seq.v, r->entry.outer.body.confirm.party);
}

/* ---- signatures ---------------------------------------------------------------------------------------------------- */

#define BATCH 16
struct batch {
    struct cu_judge *j;
    size_t n;
    struct cu_sig_job job[BATCH];
    struct {
        enum cu_kind kind;
        uint64_t seq, party;
    } of[BATCH];
};

static void flush(struct batch *b)
{
    char name[CU_SHOWN];

    if (b->n > 0) b->j->by->verify(b->j->by->self, b->job, b->n);
    for (size_t i = 0; i < b->n; i++) {
        const char *kind = cu_kind_row(b->of[i].kind)->name;
        cu_shown(cu_judge_name(b->j, b->of[i].party), name);
        if (b->job[i].status == CU_OK)
            cu_judge_say(b->j, CU_VERDICT_SIGNER, CU_PASS, CU_OK, "entry %llu: the %s statement is signed by party %llu (%s)",
                         LLU(b->of[i].seq), kind, LLU(b->of[i].party), name);
        else
            cu_judge_say(b->j, CU_VERDICT_SIGNER, CU_FAIL, b->job[i].status,
                         "entry %llu: the %s statement is not signed by party %llu (%s): %s", LLU(b->of[i].seq), kind,
                         LLU(b->of[i].party), name, cu_status_text(b->job[i].status));
    }
    b->n = 0;
    cu_buf_clear(&b->j->room);
}

/* The confirm that let this key act is needed. */
static void need_confirm(struct cu_judge *j, uint64_t party)
{
    const struct cu_member_party *p = cu_members_party(&j->members, party);

    for (size_t i = 0; i < j->n; i++)
        if (j->brought[i].kind == CU_KIND_CONFIRM && j->brought[i].party == p->organisation) j->brought[i].used = true;
}

static void add(struct batch *b, const struct cu_statement *st, uint64_t seq)
{
    const struct cu_member_key *key;
    struct cu_span message;
    cu_status status = check_key(b->j, st, seq, &key);

    if (status != CU_OK) {
        cu_judge_say(b->j, CU_VERDICT_SIGNER, CU_FAIL, status, "entry %llu, the %s: %.150s", LLU(seq),
                     cu_kind_row(st->kind)->name, b->j->err->text);
        return;
    }
    need_confirm(b->j, key->party);
    if (b->n == BATCH || !message_of(b->j, st, &message)) {
        flush(b);
        CU_ASSERT(message_of(b->j, st, &message)); /* empty scratch holds any entry: CU_VERIFY_SCRATCH */
    }
    b->job[b->n] = (struct cu_sig_job){
        .key = &key->pub, .key_id = &key->kid, .message = message, .signature = st->signature.p, .status = CU_BAD_SIGNATURE
    };
    b->of[b->n].kind = st->kind, b->of[b->n].seq = seq, b->of[b->n].party = key->party;
    b->n++;
}

static struct cu_span name_by_kid(const struct cu_judge *j, const cu_hash *kid, bool of_organisation)
{
    const struct cu_member_key *key = cu_members_key(&j->members, kid);

    if (key == NULL) return CU_SPAN_EMPTY;
    return cu_judge_name(j, of_organisation ? cu_members_party(&j->members, key->party)->organisation : key->party);
}

/* Who people read of: of two signers the inner is the depositor. */
static void name_parties(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    const struct cu_statement *inner = cu_entry_innermost(&r->entry);

    r->depositor = name_by_kid(j, &inner->kid, false);
    r->organisation = name_by_kid(j, &inner->kid, true);
    if (r->entry.has_inner) r->provider = name_by_kid(j, &r->entry.outer.kid, false);
}

/* The second claim of an equivocation, whole inside its incident. */
static cu_status add_nested_claim(struct batch *b, const struct cu_incident *incident, uint64_t seq)
{
    struct cu_statement claim;

    TRY(cu_statement_read(incident->claim, &claim, b->j->err));
    add(b, &claim, seq);
    return CU_OK;
}

static cu_status add_brought(struct batch *b, const struct cu_brought *brought)
{
    struct cu_entry entry;

    if (!brought->used || (brought->kind != CU_KIND_CASE && brought->kind != CU_KIND_STORED)) return CU_OK;
    TRY(cu_entry_read(brought->s.entry, &entry, b->j->err));
    add(b, &entry.outer, brought->s.seq);
    return CU_OK;
}

cu_status cu_judge_signers(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    struct batch b = { .j = j };

    if (!j->has_members) return CU_OK;
    cu_buf_clear(&j->room);
    if (r->entry.signed_) name_parties(j);
    if (r->entry.has_inner) add(&b, &r->entry.inner, r->seq.v);
    if (r->entry.signed_ && r->entry.kind != CU_KIND_CONFIRM) add(&b, &r->entry.outer, r->seq.v);
    if (r->entry.kind == CU_KIND_CONFIRM) need_confirm(j, r->entry.outer.body.confirm.party);
    if (r->entry.kind == CU_KIND_INCIDENT && r->entry.outer.body.incident.has_claim)
        TRY(add_nested_claim(&b, &r->entry.outer.body.incident, r->seq.v));
    for (size_t i = 0; i < j->n; i++) TRY(add_brought(&b, &j->brought[i]));
    flush(&b);
    return CU_OK;
}
