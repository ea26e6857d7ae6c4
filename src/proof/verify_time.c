/* Time: a statement was signed after the block that it names, and recorded by the block that dates it. Whose clock is that?
 *
 *  1. Where no single organisation can meet the trust's quorum, even together with every outside cosigner, several organisations
 *     agreed on each block's times: PASS.
 *  2. Else, where no single organisation can meet it without an outside cosigner, the outside cosignatures attest that the entry
 *     existed at their time: PASS, for that time alone.
 *  3. Else the times are one party's own clock: NOT PROVEN.
 *
 *  What decides is what the quorum demands, not what happens to stand on the note: a signature line that could be dropped
 *  decides nothing.
 */
#include "judge.h"

/* ---- the blocks ---------------------------------------------------------------------------------------------------- */

static struct cu_arg block_fault(const struct cu_placed *p, const struct cu_block *before)
{
    const struct cu_block *b = &p->entry.outer.body.block;

    if (b->first + b->count != p->s.seq) return (struct cu_arg)TWO("does not stand behind its records", "不在其所含记录之后");
    if (before != NULL &&
        (b->first <= before->first + before->count || b->height <= before->height || b->opened < before->closed))
        return (struct cu_arg)TWO("does not follow the block before it", "与前一区块不相衔接");
    return (struct cu_arg){ .n = 0 };
}

static void judge_blocks(struct cu_judge *j)
{
    const struct cu_block *before = NULL;

    EACH (j, p, CU_KIND_BLOCK) {
        struct cu_arg fault = block_fault(p, before);
        if (fault.en != NULL) FAILED(j, BLOCK, CU_UNTRUE, NUM(p->s.seq), fault);
        before = &p->entry.outer.body.block;
    }
}

/* The block that a signer names must be in this log, before the record. */
static cu_status judge_seen(struct cu_judge *j, const struct cu_statement *st, const struct cu_seen *seen, cu_unix_ms *ret)
{
    struct cu_placed *p = j->placed;
    char when[32];

    while (p < j->placed + j->n && p->s.seq != seen->seq) p++;
    ENSURE(p < j->placed + j->n, j->err, CU_MALFORMED, "receipt: entry %llu, the block that the %s saw, is missing",
           LLU(seen->seq), cu_kind_row(st->kind)->name);
    p->used = true;
    if (p->entry.kind != CU_KIND_BLOCK || !cu_hash_eq(&p->entry.leaf, &seen->leaf) || seen->seq >= j->report->seq.v) {
        FAILED(j, SEEN, CU_UNKNOWN_BLOCK, KIND(st->kind));
        return CU_OK;
    }
    ret->v = p->entry.outer.body.block.closed;
    cu_time_text(*ret, when);
    NOTED(j, SEEN, KIND(st->kind), NUM(seen->seq), STR(when));
    return CU_OK;
}

static cu_status judge_after(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    const struct cu_seen *outer = cu_entry_seen(&r->entry), *inner = &r->entry.inner.body.claim.seen;
    struct cu_statement claim;
    cu_unix_ms unused;

    if (r->entry.kind == CU_KIND_TIMEOUT && cu_entry_evidence(&r->entry).n) { /* its time runs from there */
        TRY(cu_statement_read(cu_entry_evidence(&r->entry), &claim, j->err));
        TRY(judge_seen(j, &claim, &claim.body.claim.seen, &unused));
    }
    if (!r->entry.has_inner) return outer == NULL ? CU_OK : judge_seen(j, &r->entry.outer, outer, &r->signed_after);
    TRY(judge_seen(j, &r->entry.inner, inner, &r->signed_after));
    TRY(judge_seen(j, &r->entry.outer, outer, &unused));
    if (outer->seq < inner->seq) FAILED(j, SEEN_ORDER, CU_OUT_OF_ORDER);
    return CU_OK;
}

static cu_status judge_by(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    const struct cu_placed *dating;
    char when[32];

    if (r->entry.kind == CU_KIND_BLOCK) {
        r->recorded_by.v = r->entry.outer.body.block.closed;
        return CU_OK;
    }
    TRY(cu_judge_dating(j, r->seq.v, &dating));
    r->recorded_by.v = dating->entry.outer.body.block.closed;
    cu_time_text(r->recorded_by, when);
    NOTED(j, DATED, NUM(dating->s.seq), STR(when));
    return CU_OK;
}

/* ---- whose clock --------------------------------------------------------------------------------------------------- */

/* Could this organisation have made the checkpoint good: alone, or with every outside cosigner? A log key that genesis does not
 *  list may be anybody's. */
static bool suffices(const struct cu_judge *j, uint64_t organisation, bool with_outside)
{
    bool cosigned[CU_POLICY_MEMBERS_MAX] = { false }, has_log_key = false;

    for (size_t i = 0; i < j->policy.logs_n; i++) {
        uint64_t h = cu_judge_holder(j, &j->policy.log[i]);
        has_log_key = has_log_key || h == 0 || h == organisation;
    }
    for (size_t i = 0; i < j->policy.nodes_n; i++) {
        uint64_t h = j->policy.node[i].is_group ? 0 : cu_judge_holder(j, &j->policy.node[i].vkey);
        cosigned[i] = h == organisation || (h == 0 && with_outside);
    }
    return has_log_key && cu_tlog_policy_met(&j->policy, cosigned);
}

static bool any_suffices(const struct cu_judge *j, bool with_outside)
{
    for (uint64_t id = 1; id <= CU_PARTIES_MAX; id++) { /* of one that came later the receipt may say nothing */
        const struct cu_member_party *party = cu_members_party(&j->members, id);
        if ((!party || party->role == CU_ROLE_ORGANISATION) && suffices(j, id, with_outside)) return true;
    }
    return false;
}

/* The earliest time by which cosignatures of that time or before meet the quorum. */
static uint64_t quorum_time(const struct cu_judge *j)
{
    uint64_t best = UINT64_MAX;

    for (size_t i = 0; i < j->note.sigs_n; i++) {
        bool cosigned[CU_POLICY_MEMBERS_MAX] = { false };
        if (j->signed_by.of[i] != CU_SIG_COSIGNED || j->signed_by.unix_s[i] >= best) continue;
        for (size_t k = 0; k < j->note.sigs_n; k++)
            if (j->signed_by.of[k] == CU_SIG_COSIGNED && j->signed_by.unix_s[k] <= j->signed_by.unix_s[i])
                cosigned[j->signed_by.node[k]] = true;
        if (cu_tlog_policy_met(&j->policy, cosigned)) best = j->signed_by.unix_s[i];
    }
    return best;
}

/* "signed after …, recorded by …" */
static void put_times(const struct cu_report *r, bool zh, char ret[100])
{
    char after[32], by[32];
    struct cu_buf out = cu_buf_over(ret, 99);
    const char *both = zh ? "签名晚于{1}，入账不晚于{2}" : "signed after {1}, recorded by {2}";

    cu_time_text(r->signed_after, after);
    cu_time_text(r->recorded_by, by);
    if (r->signed_after.v == 0) both = zh ? "入账不晚于{2}" : "recorded by {2}";
    cu_fill(&out, both, ARGS(STR(after), STR(by)), zh);
    ret[out.n] = '\0';
}

static void judge_clock(struct cu_judge *j)
{
    struct cu_report *r = j->report;
    bool outside = j->trusted && j->has_members && !any_suffices(j, false), agreed = outside && !any_suffices(j, true);
    uint64_t s = outside && !agreed ? quorum_time(j) : 0;
    char span[100], span_zh[100], witnessed[32];

    r->one_keeper = j->members.organisations == 1 && !outside;
    r->witnessed_by.v = s < CU_LAST_MS / 1000 ? s * 1000 : CU_LAST_MS;
    cu_time_text(r->witnessed_by, witnessed);
    put_times(r, false, span);
    put_times(r, true, span_zh);
    if (agreed) PASSED(j, AGREED, TWO(span, span_zh));
    else if (outside) PASSED(j, WITNESSED, TWO(span, span_zh), STR(witnessed));
    else if (j->trusted) UNPROVEN(j, CLOCK, CU_TIME_UNPROVEN, TWO(span, span_zh), TWO("one party's own clock", "一方自己的时钟"));
    else UNPROVEN(j, CLOCK, CU_TIME_UNPROVEN, TWO(span, span_zh), TWO("a clock that nobody vouches for", "无人作证的时钟"));
}

/* When it was collected or taken is the signer's word: shown, never judged. */
static void tell_own_clock(struct cu_judge *j)
{
    const struct cu_report *r = j->report;
    uint64_t own = r->entry.has_inner ? r->entry.inner.body.claim.time : cu_entry_time(&r->entry);
    bool outside = own < r->signed_after.v || own > r->recorded_by.v;
    char when[32];

    if (!r->entry.signed_) return;
    cu_time_text((cu_unix_ms){ own }, when);
    NOTED(j, SIGNER_CLOCK, STR(when),
          TWO(outside ? ", which is not between those times" : "", outside ? "，不在上述时间之间" : ""));
}

cu_status cu_judge_time(struct cu_judge *j)
{
    TRY(judge_after(j));
    TRY(judge_by(j));
    judge_blocks(j);
    tell_own_clock(j);
    judge_clock(j);
    return CU_OK;
}
