/* What stands around an exhibit: for whom it is sealed, and the notice that it answers, with everybody's signature. */
#include "court/certificate.h"

#include "custody/text.h"

#define LLU(x) ((unsigned long long)(x))

/* ---- sealed ---- */
static cu_status put_grant(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_certifying *c = arg;

    (void)err;
    if (row->kind != CU_KIND_GRANT) return CU_OK;
    const struct cu_span to = cu_draft_shown(c->d, row->name);
    const struct cu_paper_text by = cu_cert_holder(c, &row->kid);
    cu_cert_row(
        c, "Opened to", "另向开启",
        (struct cu_paper_text){
            cu_draft_f(c->d, "%.*s, by %.*s", (int)to.n, (const char *)to.p, (int)by.en.n, (const char *)by.en.p),
            cu_draft_f(c->d, "%.*s（授权人：%.*s）", (int)to.n, (const char *)to.p, (int)by.en.n, (const char *)by.en.p) },
        cu_cert_proof(c, row->seq, "statement"));
    return CU_OK;
}

cu_status cu_cert_sealed(struct cu_certifying *c, const struct cu_certified *e, struct cu_err *err)
{
    const struct cu_claim *claim = &e->report->entry.inner.body.claim;
    const struct cu_index_query q = { .by = CU_FIND_REF, .hash = e->report->id };
    CU_BUF names = cu_buf_heap(65536);

    if (!claim->has_sealed) return CU_OK;
    cu_claim_sealed_for(c->p, claim, &names);
    TRY(cu_buf_ok(&names, err));
    const struct cu_span shown = cu_draft_shown(c->d, cu_buf_span(&names));
    cu_cert_row(c, "Sealed for", "密封对象",
                (struct cu_paper_text){
                    cu_draft_f(c->d, "%.*s: what is certified are the sealed bytes", (int)shown.n, (const char *)shown.p),
                    cu_draft_f(c->d, "%.*s：所证明的是密封后的字节", (int)shown.n, (const char *)shown.p) },
                cu_cert_proof(c, e->report->seq, "sealed"));
    return c->p->index.find(c->p->index.self, &q, put_grant, c, err);
}

/* ---- notice and answer ---- */
static cu_status read_entry(struct cu_certifying *c, cu_seq seq, struct cu_entry *ret, struct cu_err *err)
{
    struct cu_span bytes;

    TRY(cu_log_entry(&c->p->log, seq, &bytes, err));
    return cu_entry_read(bytes, ret, err);
}

/* Acknowledged, answered: each is signed by the provider. */
static cu_status put_reply(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_certifying *c = arg;
    struct cu_entry e;

    if (row->kind != CU_KIND_ACKNOWLEDGE && row->kind != CU_KIND_ANSWER) return CU_OK;
    TRY(read_entry(c, row->seq, &e, err));
    const struct cu_answer *answer = &e.outer.body.answer;
    if (e.kind == CU_KIND_ACKNOWLEDGE)
        return cu_cert_signer(c, row->seq, "Acknowledged by", "签收方", &e.outer, e.outer.body.acknowledge.time), CU_OK;
    cu_cert_row(
        c, "Answer", "答复",
        answer->has_reason
            ? cu_one(cu_draft_f(c->d, "none 无: %s", cu_reason_name(answer->reason)))
            : (struct cu_paper_text){ cu_draft_f(c->d, "%llu deposits, this one among them; its receipt shows the notice, too",
                                                 LLU(answer->n)),
                                      cu_draft_f(c->d, "%llu次存证，本项在内；其回执亦载有调取通知", LLU(answer->n)) },
        cu_cert_proof(c, row->seq, "notice, statement"));
    cu_cert_signer(c, row->seq, "Answered by", "答复方", &e.outer, answer->time);
    return CU_OK;
}

static cu_status put_notice(struct cu_certifying *c, cu_seq seq, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct cu_entry e;
    enum cu_profile profile;
    union cu_details details;

    TRY(read_entry(c, seq, &e, err));
    TRY(cu_place_details(c->p, seq, cu_entry_commitment(&e), &mem, err));
    ENSURE(mem.n > CU_SALT_LEN, err, CU_CORRUPT, "the details of the notice are cut off");
    TRY(cu_details_read(cu_span(mem.p + CU_SALT_LEN, mem.n - CU_SALT_LEN), &profile, &details, err));
    ENSURE(profile == CU_PROFILE_NOTICE, err, CU_CORRUPT, "the details of the notice are those of something else");
    const struct cu_details_notice *says = &details.notice;
    const struct cu_paper_text proof = cu_cert_proof(c, seq, "notice");
    cu_cert_row(c, "Notice", "调取通知", cu_one(cu_draft_shown(c->d, says->number)), proof);
    cu_cert_row(c, "Its basis", "法律依据", cu_one(cu_draft_shown(c->d, says->basis)), proof);
    cu_cert_row(c, "Asked for", "调取内容", cu_one(cu_draft_shown(c->d, says->object)), proof);
    if (says->has_span) cu_cert_row(c, "Of the time", "时间范围", cu_one(cu_draft_shown(c->d, says->span)), proof);
    cu_cert_row(c, "To be answered by", "答复期限", cu_one(cu_draft_time(c->d, (cu_unix_ms){ e.outer.body.notice.deadline })),
                proof);
    cu_cert_signer(c, seq, "Asked by", "调取方", &e.outer, e.outer.body.notice.time);
    return CU_OK;
}

cu_status cu_cert_notice(struct cu_certifying *c, const struct cu_certified *e, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    const struct cu_claim *claim = &e->report->entry.inner.body.claim;
    const struct cu_index_query q = { .by = CU_FIND_REF, .hash = claim->notice };
    char hex[65];

    if (!claim->has_notice) return CU_OK;
    cu_hash_hex(&claim->notice, hex);
    TRY(cu_lookup(c->p, cu_span_str(hex), &found, err));
    cu_cert_form(c, "The notice that it answers", "所答复的调取通知");
    TRY(put_notice(c, found.row.seq, err));
    return c->p->index.find(c->p->index.self, &q, put_reply, c, err);
}
