/* The notice that a record is, answers or speaks of; and of a timeout, whether it was late. */
#include "judge.h"

static const struct cu_member_party *party_of(const struct cu_judge *j, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(&j->members, kid);

    return key == NULL ? NULL : cu_members_party(&j->members, key->party);
}

static cu_status find_notice(struct cu_judge *j, const cu_hash *id, struct cu_placed **ret)
{
    EACH (j, p, CU_KIND_NOTICE)
        if (cu_hash_eq(&p->entry.outer.id, id)) return *ret = p, CU_OK;
    return cu_fail(j->err, CU_MALFORMED, "receipt: the notice that it names is missing");
}

/* Keys of nobody are told of where their signatures are judged. */
static cu_status check_belongs(struct cu_judge *j, const struct cu_placed *p)
{
    const struct cu_entry *e = &j->report->entry;
    const struct cu_notice *notice = &p->entry.outer.body.notice;
    const struct cu_member_party *by = party_of(j, &cu_entry_innermost(e)->kid), *accepts = party_of(j, &e->outer.kid),
                                 *asks = party_of(j, &p->entry.outer.kid);

    ENSURE(p->s.seq <= j->report->seq.v, j->err, CU_OUT_OF_ORDER, "it stands behind the record");
    if (e->kind == CU_KIND_NOTICE || e->kind == CU_KIND_TIMEOUT) return CU_OK; /* any organisation says that time has passed */
    ENSURE(by == NULL || by->id == notice->provider, j->err, CU_WRONG_ROLE, "it asks another party than the one that answers");
    if (!e->has_inner) return CU_OK;
    ENSURE(accepts == NULL || asks == NULL || accepts->organisation == asks->organisation, j->err, CU_WRONG_ROLE,
           "it is of another organisation than the one that accepts");
    ENSURE(memcmp(notice->case_id.b, e->inner.body.claim.case_id.b, sizeof notice->case_id.b) == 0, j->err, CU_UNKNOWN_CASE,
           "it is of another case");
    return CU_OK;
}

static void tell_notice(struct cu_judge *j, struct cu_placed *p)
{
    const struct cu_notice *notice = &p->entry.outer.body.notice;
    const uint64_t asks = cu_judge_organisation(j, &p->entry.outer.kid);
    char who[CU_SHOWN], whom[CU_SHOWN], when[32];

    p->used = true; /* its signature is checked with the others */
    cu_shown(cu_judge_name(j, asks), who);
    cu_shown(cu_judge_name(j, notice->provider), whom);
    cu_time_text((cu_unix_ms){ notice->deadline }, when);
    JUDGED(j, NOTICE, check_belongs(j, p), NUM(p->s.seq), NUM(asks), STR(who), NUM(notice->provider), STR(whom));
    NOTED(j, DUE, STR(when));
}

/* Until when a claim may be accepted: by its own time or by the block that it saw, whichever is later. */
static cu_status claim_due(struct cu_judge *j, struct cu_span bytes, uint64_t *ret)
{
    struct cu_statement claim;
    uint64_t from;

    TRY(cu_statement_read(bytes, &claim, j->err));
    from = claim.body.claim.time;
    EACH (j, p, CU_KIND_BLOCK)
        if (p->s.seq == claim.body.claim.seen.seq && p->entry.outer.body.block.closed > from)
            from = p->entry.outer.body.block.closed;
    *ret = from + j->genesis.policy.acceptance_age;
    return CU_OK;
}

static cu_status judge_deadline(struct cu_judge *j, uint64_t due)
{
    const struct cu_placed *dating;
    char until[32], opened[32];

    TRY(cu_judge_dating(j, j->report->seq.v, &dating));
    cu_time_text((cu_unix_ms){ due < CU_LAST_MS ? due : CU_LAST_MS }, until);
    cu_time_text((cu_unix_ms){ dating->entry.outer.body.block.opened }, opened);
    if (dating->entry.outer.body.block.opened > due) PASSED(j, DEADLINE, STR(until), STR(opened));
    else FAILED(j, DEADLINE, CU_UNTRUE, STR(until), STR(opened));
    return CU_OK;
}

cu_status cu_judge_notice(struct cu_judge *j)
{
    const struct cu_entry *e = &j->report->entry;
    const cu_hash *id = e->kind == CU_KIND_NOTICE ? &e->outer.id : cu_entry_notice(e);
    struct cu_placed *notice;
    uint64_t due;

    if (id != NULL) {
        TRY(find_notice(j, id, &notice));
        tell_notice(j, notice);
        return e->kind == CU_KIND_TIMEOUT ? judge_deadline(j, notice->entry.outer.body.notice.deadline) : CU_OK;
    }
    if (e->kind != CU_KIND_TIMEOUT) return CU_OK;
    TRY(claim_due(j, e->outer.body.timeout.claim, &due));
    return judge_deadline(j, due);
}
