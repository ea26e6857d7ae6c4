/* What the ledger says around a record: the case it belongs to, what an inventory counts, who attests copies. */
#include "judge.h"

#include <stdio.h>

/* ---- the case ------------------------------------------------------------------------------------------------------ */

static struct cu_span case_name(struct cu_span details)
{
    struct cu_details_case d;

    if (details.n == 0 || cu_schema_read(cu_profile_schema(CU_PROFILE_CASE), details, &d, NULL) != CU_OK) return CU_SPAN_EMPTY;
    return d.name;
}

/* The case that the record names, or NULL. */
static const cu_case_id *case_of(const struct cu_entry *e)
{
    if (e->kind == CU_KIND_DEPOSIT || e->kind == CU_KIND_REFUSAL) return &e->inner.body.claim.case_id;
    if (e->kind == CU_KIND_NOTICE) return &e->outer.body.notice.case_id;
    if (e->kind == CU_KIND_INVENTORY && e->outer.body.inventory.has_case) return &e->outer.body.inventory.case_id;
    return NULL;
}

static cu_status find_case(struct cu_judge *j, const cu_case_id *id, struct cu_placed **ret)
{
    EACH (j, p, CU_KIND_CASE)
        if (memcmp(p->entry.outer.body.a_case.case_id.b, id->b, sizeof id->b) == 0) return *ret = p, CU_OK;
    return cu_fail(j->err, CU_MALFORMED, "receipt: the entry that opened the case is missing");
}

static void tell_inventory(struct cu_judge *j)
{
    const struct cu_inventory *inv = &j->report->entry.outer.body.inventory;

    NOTED(j, INVENTORY, NUM(inv->seen.seq), TWO(inv->has_case ? "case" : "key", inv->has_case ? "案件" : "密钥"), NUM(inv->n));
    if (inv->open.n > 0) NOTED(j, OPEN_NUMBERS, NUM(inv->open.n));
}

cu_status cu_judge_case(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    const cu_case_id *id = case_of(&r->entry);
    struct cu_placed *at;
    char name[CU_SHOWN];

    if (r->entry.kind == CU_KIND_CASE) r->case_name = case_name(r->record.details);
    if (r->entry.kind == CU_KIND_INVENTORY) tell_inventory(j);
    if (id == NULL) return CU_OK;
    TRY(find_case(j, id, &at));
    at->used = true;
    r->case_name = case_name(at->s.details);
    cu_shown(r->case_name, name);
    if (at->s.seq < r->seq.v) PASSED(j, CASE, NUM(at->s.seq), STR(name));
    else FAILED(j, CASE, CU_OUT_OF_ORDER);
    return CU_OK;
}

/* ---- copies -------------------------------------------------------------------------------------------------------- */

struct copies {
    size_t n;
    uint64_t organisation[CU_PARTIES_MAX + 1]; /* 0, once, for keys of nobody: their signature fails later */
};

static bool counted(const struct copies *c, uint64_t organisation)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->organisation[i] == organisation) return true;
    return false;
}

static bool covers(const struct cu_stored *stored, uint64_t seq)
{
    struct cu_range range;
    size_t at = 0;

    while (cu_list_next(&stored->ranges, &cu_range_schema, &at, &range))
        if (range.first <= seq && seq <= range.last) return true;
    return false;
}

/* One attestation a organisation; what covers another deposit, or says it twice, stays unused and is refused in the end. */
static cu_status count_stored(struct cu_judge *j, struct cu_placed *p, struct copies *copies)
{
    uint64_t organisation = cu_judge_organisation(j, &p->entry.outer.kid), seq = j->report->seq.v;
    const struct cu_placed *dating;
    char when[32], name[CU_SHOWN];

    if (p->entry.outer.body.stored.has_held) return CU_OK; /* a provider's word on what it holds */
    if (p->s.seq < seq || !covers(&p->entry.outer.body.stored, seq) || counted(copies, organisation)) return CU_OK;
    p->used = true; /* its signature is checked with the others */
    TRY(cu_judge_dating(j, p->s.seq, &dating));
    copies->organisation[copies->n++] = organisation;
    cu_time_text((cu_unix_ms){ dating->entry.outer.body.block.closed }, when);
    cu_shown(cu_judge_name(j, organisation), name);
    NOTED(j, COPY, NUM(p->s.seq), NUM(organisation), STR(name), STR(when));
    return CU_OK;
}

/* Content that travels with the record is held by whoever signed the checkpoint; of a folder the files do not. */
static void count_signers(struct cu_judge *j, struct copies *copies)
{
    for (size_t i = 0; j->trusted && i < j->note.sigs_n; i++) {
        enum cu_sig_verdict of = j->signed_by.of[i];
        if (of == CU_SIG_IGNORED) continue;
        const struct cu_vkey *key = of == CU_SIG_LOG ? &j->policy.log[j->signed_by.node[i]]
                                                     : &j->policy.node[j->signed_by.node[i]].vkey;
        uint64_t organisation = cu_judge_holder(j, key);
        if (organisation != 0 && !counted(copies, organisation)) copies->organisation[copies->n++] = organisation;
    }
}

static bool mandatory_are_there(const struct cu_judge *j, const struct copies *copies)
{
    for (uint64_t id = 1; id <= CU_PARTIES_MAX; id++)
        if (j->terms.mandatory >> (id - 1) & 1 && !counted(copies, id)) return false;
    return true;
}

cu_status cu_judge_copies(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    struct copies copies = { 0 };

    if (r->entry.kind != CU_KIND_DEPOSIT || !j->has_members) return CU_OK;
    EACH (j, p, CU_KIND_STORED) TRY(count_stored(j, p, &copies));
    if (r->record.content.p != NULL && !r->entry.inner.body.claim.has_folder) count_signers(j, &copies);
    r->copies = copies.n;
    r->copies_required = j->terms.copies;
    r->copies_ok = copies.n >= r->copies_required && mandatory_are_there(j, &copies);
    if (r->copies_required == 0 && r->copies_ok) return CU_OK;
    if (r->copies_ok) PASSED(j, COPIES, NUM(r->copies), NUM(r->copies_required));
    else if (copies.n < r->copies_required)
        UNPROVEN(j, COPIES, CU_COPIES_MISSING, NUM(r->copies), NUM(r->copies_required), STR(""));
    else
        UNPROVEN(j, COPIES, CU_COPIES_MISSING, NUM(r->copies), NUM(r->copies_required),
                 TWO(", but a mandatory organisation is not among them", "，但缺少必须持有的机构"));
    return CU_OK;
}

/* ---- what the policy asks of content ------------------------------------------------------------------------------- */

#define DAY_MS UINT64_C(86400000)

static void tell_held(struct cu_judge *j, const struct cu_held *held)
{
    struct cu_held_object first = { .version = CU_SPAN_EMPTY };
    char until[32], en[160] = "not locked", zh[160] = "未锁定", version[CU_SHOWN];
    size_t at = 0;

    (void)cu_list_next(&held->objects, &cu_held_object_schema, &at, &first);
    cu_time_text((cu_unix_ms){ held->until }, until);
    if (held->mode != CU_HELD_FREE) {
        (void)snprintf(en, sizeof en, "%s until %s", cu_held_mode_text(held->mode), until);
        (void)snprintf(zh, sizeof zh, "以%s模式锁定至%s", held->mode == CU_HELD_COMPLIANCE ? "合规" : "治理", until);
    }
    NOTED(j, HELD, NUM(held->n), STR(cu_shown(first.version, version)), TWO(en, zh));
}

/* From its own time, or from the closing of the block that it saw, whichever is later. */
static void judge_retention(struct cu_judge *j, const struct cu_held *held, uint64_t from, const struct cu_seen *seen)
{
    const struct cu_policy *policy = &j->genesis.policy;

    if (!policy->has_retention) return;
    EACH (j, p, CU_KIND_BLOCK)
        if (p->s.seq == seen->seq && p->entry.outer.body.block.closed > from) from = p->entry.outer.body.block.closed;
    if (held && held->mode == CU_HELD_COMPLIANCE && held->until >= from + policy->retention * DAY_MS)
        PASSED(j, RETENTION, NUM(policy->retention));
    else FAILED(j, RETENTION, CU_NOT_ALLOWED, NUM(policy->retention));
}

static void judge_seal(struct cu_judge *j)
{
    const struct cu_report *r = j->report;
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    const cu_hash is = cu_commitment(r->record.salt, r->record.details);
    struct cu_must_seal must;
    char name[CU_SHOWN];

    if (claim->has_sealed || !cu_hash_eq(&is, &claim->commitment)) return;
    if (cu_policy_seals(&j->genesis.policy, cu_details_profile(r->record.details), &must))
        FAILED(j, MUST_SEAL, CU_NOT_ALLOWED, STR(cu_shown(must.profile, name)));
}

void cu_judge_policy(struct cu_judge *j)
{
    const struct cu_entry *e = &j->report->entry;
    const struct cu_deposit *deposit = &e->outer.body.deposit;
    const struct cu_stored *stored = &e->outer.body.stored;

    if (e->kind == CU_KIND_STORED && stored->has_held) {
        tell_held(j, &stored->held);
        judge_retention(j, &stored->held, stored->time, &stored->seen);
    }
    if (e->kind != CU_KIND_DEPOSIT) return;
    const struct cu_claim *claim = &e->inner.body.claim;
    const bool apart = claim->size > CU_CONTENT_INLINE_MAX || (claim->has_folder && claim->folder.bytes > 0);
    if (deposit->has_held) tell_held(j, &deposit->held);
    if (apart && !claim->has_notice) judge_retention(j, deposit->has_held ? &deposit->held : NULL, deposit->time, &deposit->seen);
    judge_seal(j);
}
