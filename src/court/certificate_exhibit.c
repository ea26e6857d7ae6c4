/* One exhibit: what it is, who brought it and took it, when, where its copies are, and how every check of its receipt ended. */
#include "court/certificate.h"

#include "custody/digest.h"
#include "custody/text.h"

#define LLU(x) ((unsigned long long)(x))

static struct cu_paper_text number_of(struct cu_certifying *c, uint64_t n) { return cu_one(cu_draft_f(c->d, "%llu", LLU(n))); }

static struct cu_paper_text at(struct cu_certifying *c, cu_unix_ms time) { return cu_one(cu_draft_time(c->d, time)); }

static void word_row(struct cu_certifying *c, const struct cu_certified *e, const char *en, const char *zh, bool has,
                     struct cu_span text)
{
    if (has) cu_cert_row(c, en, zh, cu_one(cu_draft_shown(c->d, text)), cu_cert_word(c, e->report->seq));
}

/* ---- the item ---- */
static void put_digests(struct cu_certifying *c, const struct cu_certified *e)
{
    struct cu_detail_digest digest;
    size_t at = 0;

    while (e->details.has_digests && cu_list_next(&e->details.digests, &cu_detail_digest_schema, &at, &digest)) {
        cu_draft_cell(c->d,
                      (struct cu_paper_text){ cu_draft_f(c->d, "Digest, %s", cu_digest_name((enum cu_digest_alg)digest.alg)),
                                              cu_span_str("摘要（完整性校验值）") });
        cu_draft_code(c->d, cu_draft_hex(c->d, digest.value));
        cu_draft_cell(c->d, cu_cert_word(c, e->report->seq));
    }
}

static void put_item(struct cu_certifying *c, const struct cu_certified *e)
{
    const struct cu_report *r = e->report;
    const struct cu_claim *claim = &r->entry.inner.body.claim;

    cu_cert_form(c, "The item", "物证");
    cu_cert_row(c, "Exhibit", "物证编号", cu_one(cu_draft_shown(c->d, cu_span_str(e->what->name))),
                cu_two("a label, counted in log order; a case inventory's receipt proves it",
                       "标签，按日志顺序计数；由案件清单的回执证明"));
    cu_cert_row(c, "Receipt", "回执", cu_one(cu_draft_shown(c->d, cu_span_str(e->what->receipt))),
                cu_cert_proof(c, r->seq, "form, inclusion"));
    word_row(c, e, "Label on paper", "纸面标签", r->label.n > 0, r->label);
    word_row(c, e, "Name", "名称", r->item_name.n > 0, r->item_name);
    cu_cert_row(c, "Kind", "类型",
                claim->has_folder ? (struct cu_paper_text){ cu_draft_f(c->d, "a folder of %llu items", LLU(claim->folder.items)),
                                                            cu_draft_f(c->d, "文件夹，含%llu项", LLU(claim->folder.items)) }
                                  : cu_two("one file", "单个文件"),
                cu_cert_proof(c, r->seq, "statement"));
    word_row(c, e, "Media type", "媒体类型", e->details.has_media, e->details.media);
    cu_cert_row(c, "Size in bytes", "字节数", number_of(c, claim->has_folder ? claim->folder.bytes : claim->size),
                cu_cert_proof(c, r->seq, "statement"));
    put_digests(c, e);
    cu_cert_hash(c, "Root of the bytes (RFC 6962, leaves of 4 KiB)", "字节根（RFC 6962，4 KiB 叶）", &claim->root,
                 cu_cert_proof(c, r->seq, "statement"));
    if (claim->has_folder)
        cu_cert_hash(c, "Root of the items", "各项之根", &claim->folder.root, cu_cert_proof(c, r->seq, "statement"));
    cu_cert_row(c, "The bytes", "数据本身",
                e->what->evidence
                    ? (struct cu_paper_text){ cu_draft_f(c->d,
                                                         "%s: every byte was compared with the record when this was written (the "
                                                         "sentence above is of the receipt by itself)",
                                                         e->what->evidence),
                                              cu_draft_f(c->d, "%s：写成本文时已逐字节与记录比对（上文一段仅就回执本身而言）",
                                                         e->what->evidence) }
                    : cu_two("not compared for this paper: it certifies the record", "本文未作比对：所证明的是记录"),
                e->what->evidence ? cu_two("manifest-sha256.txt, and the root above", "manifest-sha256.txt 与上列字节根")
                                  : cu_one(cu_span_str("—")));
    cu_cert_hash(c, "Id of the statement", "陈述标识", &r->id, cu_cert_proof(c, r->seq, "statement"));
    cu_cert_hash(c, "Leaf of the entry", "记录叶", &r->leaf, cu_cert_proof(c, r->seq, "inclusion"));
    word_row(c, e, "Read by the program", "读取程序", e->has_details, e->details.tool);
}

/* ---- who and when ---- */
void cu_cert_signer(struct cu_certifying *c, cu_seq seq, const char *en, const char *zh, const struct cu_statement *by,
                    uint64_t time)
{
    const struct cu_paper_text who = cu_cert_holder(c, &by->kid);
    const struct cu_span own = cu_draft_time(c->d, (cu_unix_ms){ time });
    char hex[65];

    cu_hash_hex(&by->kid, hex);
    cu_cert_row(c, en, zh,
                cu_one(cu_draft_f(c->d, "%.*s\nkey 密钥 %s\nown clock 本人时钟 %.*s", (int)who.en.n, (const char *)who.en.p, hex,
                                  (int)own.n, (const char *)own.p)),
                cu_cert_proof(c, seq, "statement"));
}

static void put_why(struct cu_certifying *c, const struct cu_report *r, enum cu_verdict_name v, const char *en, const char *zh)
{
    const struct cu_check_line *why = &r->why[v];

    cu_cert_row(c, en, zh,
                (struct cu_paper_text){ cu_draft_f(c->d, "%s: %s", cu_verdict_text(r->verdict[v]), why->text),
                                        cu_draft_f(c->d, "%s：%s", cu_verdict_zh(r->verdict[v]), why->text_zh) },
                cu_two("the checks below", "下列校验项"));
}

static cu_status take_seq(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    (void)err;
    *(cu_seq *)arg = row->seq;
    return CU_OK;
}

static cu_status put_case(struct cu_certifying *c, const struct cu_certified *e, struct cu_err *err)
{
    const struct cu_report *r = e->report;
    const struct cu_index_query q = { .by = CU_FIND_CASE, .case_id = r->entry.inner.body.claim.case_id, .kind = CU_KIND_CASE };
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct cu_entry opened;
    union cu_details details;
    enum cu_profile profile;
    struct cu_span bytes;
    cu_seq seq = { 0 };

    TRY(c->p->index.find(c->p->index.self, &q, take_seq, &seq, err));
    TRY(cu_log_entry(&c->p->log, seq, &bytes, err));
    TRY(cu_entry_read(bytes, &opened, err));
    TRY(cu_place_details(c->p, seq, cu_entry_commitment(&opened), &mem, err));
    ENSURE(mem.n > CU_SALT_LEN, err, CU_CORRUPT, "the details of the case are cut off");
    if (cu_details_read(cu_span(mem.p + CU_SALT_LEN, mem.n - CU_SALT_LEN), &profile, &details, NULL) != CU_OK ||
        profile != CU_PROFILE_CASE)
        return CU_OK;
    cu_cert_row(c, "Case", "案件", cu_one(cu_draft_shown(c->d, details.a_case.name)), cu_cert_proof(c, seq, "case"));
    if (details.a_case.has_number)
        cu_cert_row(c, "Case number", "案号", cu_one(cu_draft_shown(c->d, details.a_case.number)), cu_cert_proof(c, seq, "case"));
    if (details.a_case.has_cause)
        cu_cert_row(c, "Cause", "案由", cu_one(cu_draft_shown(c->d, details.a_case.cause)), cu_cert_proof(c, seq, "case"));
    return CU_OK;
}

static void put_times(struct cu_certifying *c, const struct cu_report *r)
{
    const struct cu_entry *e = &r->entry;

    if (r->signed_after.v)
        cu_cert_row(c, "Signed after", "签名晚于", at(c, r->signed_after),
                    cu_cert_proof(c, (cu_seq){ e->inner.body.claim.seen.seq }, "seen"));
    cu_cert_row(c, "Recorded by", "入账不晚于", at(c, r->recorded_by), cu_cert_proof(c, r->seq, "dated"));
    if (r->witnessed_by.v)
        cu_cert_row(c, "Witnessed by", "见证不晚于", at(c, r->witnessed_by), cu_cert_proof(c, r->seq, "witnessed"));
    cu_cert_row(c, "When it was collected", "何时取得",
                cu_two("NOT PROVEN by the ledger: before it was signed for there is only its signer's word",
                       "账本不能证明：签名之前，唯有签名人的陈述"),
                cu_cert_word(c, r->seq));
}

/* ---- copies ---- */
struct copies {
    struct cu_certifying *c;
    uint64_t seen; /* a bit per party */
};

static cu_status put_copy(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    struct copies *k = arg;
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    const uint64_t bit = stored->party ? UINT64_C(1) << (stored->party - 1) % 64 : 0;

    if (!bit || (k->seen & bit)) return CU_OK; /* without a party: a provider's word, which is nobody's copy */
    k->seen |= bit;
    TRY(cu_lookup_seq(k->c->p, stored->seq, &found, err));
    const struct cu_paper_text who = cu_cert_holder(k->c, &found.row.kid);
    const struct cu_span when = cu_draft_time(k->c->d, found.row.recorded);
    cu_cert_row(k->c, "Copy", "副本",
                (struct cu_paper_text){ cu_draft_f(k->c->d, "%.*s holds the whole, verified; attested by %.*s", (int)who.en.n,
                                                   (const char *)who.en.p, (int)when.n, (const char *)when.p),
                                        cu_draft_f(k->c->d, "%.*s持有完整且已核验的副本；证明入账不晚于%.*s", (int)who.en.n,
                                                   (const char *)who.en.p, (int)when.n, (const char *)when.p) },
                cu_cert_proof(k->c, stored->seq, ""));
    return CU_OK;
}

static cu_status put_copies(struct cu_certifying *c, const struct cu_certified *e, struct cu_err *err)
{
    const struct cu_report *r = e->report;
    struct copies k = { .c = c };
    const struct cu_paper_text provider = cu_cert_holder(c, r->entry.inner.body.claim.has_notice ? &r->entry.inner.kid
                                                                                                 : &r->entry.outer.kid);

    cu_cert_row(
        c, "Provider's copy", "云服务方的存储",
        (struct cu_paper_text){
            cu_draft_f(c->d, "%.*s read its own copy again before it signed", (int)provider.en.n, (const char *)provider.en.p),
            cu_draft_f(c->d, "%.*s签名之前重读了自己的存储", (int)provider.en.n, (const char *)provider.en.p) },
        (struct cu_paper_text){ cu_draft_f(c->d, "the provider's word, signed in entry %llu", LLU(r->seq.v)),
                                cu_draft_f(c->d, "云服务方的陈述，签于%llu号记录", LLU(r->seq.v)) });
    TRY(c->p->index.find_stored(c->p->index.self, r->seq, put_copy, &k, err));
    cu_cert_row(c, "Copies", "副本数",
                (struct cu_paper_text){ cu_draft_f(c->d, "%zu attested, %zu required: %s", r->copies, r->copies_required,
                                                   r->copies_ok ? "PASS" : "NOT PROVEN"),
                                        cu_draft_f(c->d, "已证明%zu份，要求%zu份：%s", r->copies, r->copies_required,
                                                   r->copies_ok ? "通过" : "未经证明") },
                cu_cert_proof(c, r->seq, "copies"));
    return CU_OK;
}

/* ---- what the depositor wrote ---- */
static void put_word(void *arg, struct cu_span key, struct cu_span value)
{
    static const char *const shown[] = { "profile", "name", "label", "media", "tool", "digests" }; /* above */
    struct cu_certifying *c = arg;

    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (cu_span_is(key, shown[i])) return;
    cu_draft_cell(c->d, cu_one(cu_draft_shown(c->d, key)));
    cu_draft_cell(c->d, cu_one(cu_draft_f(c->d, "%.*s", (int)value.n, (const char *)value.p))); /* printable already */
}

static cu_status put_words(struct cu_certifying *c, const struct cu_certified *e, struct cu_err *err)
{
    static const struct cu_draft_column columns[] = { { 22, "Field", "项目" },
                                                      { 78, "As the depositor stated it", "存证人的陈述" } };

    if (!e->has_details || (!e->details.has_note && e->details.collected.n == 0)) return CU_OK;
    cu_draft_table(c->d, true,
                   (struct cu_paper_text){
                       cu_draft_f(c->d, "Notes and collection record (signed in entry %llu · details)", LLU(e->report->seq.v)),
                       cu_draft_f(c->d, "备注与提取笔录（签于%llu号记录 · details）", LLU(e->report->seq.v)) },
                   columns, 2);
    return cu_details_each(e->report->record.details, put_word, c, err);
}

/* ---- every check ---- */
static void put_checks(struct cu_certifying *c, const struct cu_report *r)
{
    static const struct cu_draft_column columns[] = {
        { 6, "No.", "序号" }, { 16, "Check", "校验项" }, { 14, "Result", "结果" }, { 64, "What was found", "所见" }
    };

    cu_draft_table(c->d, false, cu_two("Checks of the receipt, and how each ended", "回执的各项校验及结果"), columns, 4);
    for (size_t i = 0; i < r->lines_n; i++) {
        const struct cu_check_line *line = &r->line[i];
        cu_draft_cell(c->d, number_of(c, i + 1));
        cu_draft_cell(c->d, cu_one(cu_span_str(cu_check_name(line->check))));
        cu_draft_cell(c->d, cu_two(cu_verdict_text(line->verdict), cu_verdict_zh(line->verdict)));
        cu_draft_cell(c->d, (struct cu_paper_text){ cu_draft_f(c->d, "%s", line->text), cu_draft_f(c->d, "%s", line->text_zh) });
    }
}

static cu_status put_code(struct cu_certifying *c, const struct cu_report *r, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(4096);

    cu_qr_text(&r->network, &r->id, &r->leaf, &text);
    TRY(cu_buf_ok(&text, err));
    cu_draft_qr(c->d, cu_draft_f(c->d, "%.*s", (int)text.n, (const char *)text.p),
                cu_two("The code holds the ledger's 24 words, this statement's id and its leaf, as printed. The command custody "
                       "verify --network WORDS --id ID RECEIPT says "
                       "whether a receipt is the one that this paper is about.",
                       "二维码含本账本的24个网络词、本陈述的标识与记录叶，与所印一致。命令 custody verify --network 词 --id "
                       "标识 回执 可判断一份回执是否为本文所指。"));
    return CU_OK;
}

cu_status cu_cert_exhibit(struct cu_certifying *c, size_t i, struct cu_err *err)
{
    CU_CLEANUP(cu_certified_free) struct cu_certified e = { 0 };
    const struct cu_report *r;

    TRY(cu_certify(c, i, &e, err));
    r = e.report;
    const struct cu_span name = cu_draft_shown(c->d, cu_span_str(e.what->name));
    cu_draft_heading(c->d, 2,
                     (struct cu_paper_text){ cu_draft_f(c->d, "Exhibit %.*s", (int)name.n, (const char *)name.p),
                                             cu_draft_f(c->d, "物证 %.*s", (int)name.n, (const char *)name.p) });
    cu_draft_paragraph(
        c->d, (struct cu_paper_text){ cu_draft_f(c->d, "%s", r->statement_en), cu_draft_f(c->d, "%s", r->statement_zh) });
    TRY(put_code(c, r, err));
    put_item(c, &e);
    TRY(cu_cert_sealed(c, &e, err));
    cu_cert_form(c, "Who, and when", "何人，何时");
    TRY(put_case(c, &e, err));
    cu_cert_signer(c, r->seq, "Deposited by", "存证人", &r->entry.inner, r->entry.inner.body.claim.time);
    cu_cert_row(c, "Serial of that key", "该密钥的序号", number_of(c, r->entry.inner.body.claim.serial),
                cu_cert_proof(c, r->seq, "statement"));
    cu_cert_signer(c, r->seq, "Accepted by", "接受方", &r->entry.outer, r->entry.outer.body.deposit.time);
    put_times(c, r);
    TRY(put_copies(c, &e, err));
    put_why(c, r, CU_VERDICT_INTEGRITY, "Integrity", "完整性");
    put_why(c, r, CU_VERDICT_SIGNER, "Signer", "签名方");
    put_why(c, r, CU_VERDICT_TIME, "Time", "时间");
    TRY(cu_cert_notice(c, &e, err));
    TRY(put_words(c, &e, err));
    put_checks(c, r);
    return CU_OK;
}
