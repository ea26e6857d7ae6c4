/* The plain sentence, in English and Chinese: what was verified, as of when, what is not covered. A clerk copies it, so it says
 * nothing that the verdicts do not carry, and it depends on nothing that a reader could drop from the file unnoticed. */
#include "judge.h"

#include <stdio.h>

/* kind, what a sentence calls it */
static const struct {
    enum cu_kind kind;
    const char *en, *zh;
} kinds[] = {
    { CU_KIND_GENESIS, "the founding of the ledger", "账本的创始记录" },
    { CU_KIND_BLOCK, "a block entry, which dates the entries before it", "一条区块记录，为其前的记录定时" },
    { CU_KIND_CONFIRM, "an organisation's proof that it holds its keys", "一个机构持有其密钥的确认" },
    { CU_KIND_CASE, "the opening of a case", "一个案件的立案记录" },
    { CU_KIND_DEPOSIT, "a deposit of evidence", "一次证据存证" },
    { CU_KIND_REFUSAL, "a provider's refusal of a deposit, signed over the depositor's claim",
      "云服务方对一次存证的拒绝，签于存证人的声明之上" },
    { CU_KIND_VOID, "a depositor's voiding of a serial number", "存证人对一个序号的作废" },
    { CU_KIND_STORED, "an organisation's word that it holds verified copies", "一个机构持有已核验副本的声明" },
    { CU_KIND_INCIDENT, "an incident report", "一份事件报告" },
    { CU_KIND_CORRECTION, "a correction of an earlier statement", "对先前陈述的更正" },
    { CU_KIND_ACCESS, "a record of who read evidence", "证据查阅记录" },
    { CU_KIND_INVENTORY,
      "an inventory, which the ledger admits only if it leaves no deposit out (but, possibly, under the open numbers it lists)",
      "一份清单；账本只接纳没有遗漏任何存证的清单（其列明的未用序号除外）" },
    { CU_KIND_DISCLOSURE, "a record of which deposits were given out", "证据出示（披露）记录" },
};

struct two {
    struct cu_buf en, zh;
};

static void both(struct two *t, const char *en, const char *zh)
{
    cu_buf_add_str(&t->en, en);
    cu_buf_add_str(&t->zh, zh);
}

static void both_name(struct two *t, const char *before_en, const char *before_zh, struct cu_span name)
{
    char shown[CU_SHOWN];

    if (name.n == 0) return;
    both(t, before_en, before_zh);
    both(t, cu_shown(name, shown), shown);
}

static void say_verdict(struct two *t, const struct cu_report *r)
{
    if (r->verdict[CU_VERDICT_INTEGRITY] != CU_PASS || r->verdict[CU_VERDICT_SIGNER] == CU_FAIL ||
        r->verdict[CU_VERDICT_TIME] == CU_FAIL)
        both(t, "NOT VERIFIED, do not rely on it: ", "未通过验证，不可采信：");
    else if (r->verdict[CU_VERDICT_SIGNER] != CU_PASS)
        both(t, "NOT PROVEN whose it is: the file is whole in itself, but ", "来源未经证明：文件自身完整，但");
    else both(t, "Verified: ", "经验证：");
}

static const char *const failed_zh[CU_VERDICTS] = { "完整性校验未通过", "签名方校验未通过", "时间校验未通过" };

/* The first verdict that stands in the way, and why. False: none does. */
static bool say_obstacle(struct two *t, const struct cu_report *r)
{
    for (int v = 0; v < CU_VERDICTS; v++) {
        bool stands = r->verdict[v] == CU_FAIL || (v != CU_VERDICT_TIME && r->verdict[v] != CU_PASS);
        if (!stands) continue;
        cu_buf_addf(&t->en, "%s.", r->why[v]);
        cu_buf_addf(&t->zh, "%s（%s）。",
                    v == CU_VERDICT_SIGNER && r->verdict[v] == CU_NOT_PROVEN ? "没有可信的签名证明其来源" : failed_zh[v],
                    r->why[v]);
        return true;
    }
    return false;
}

static void say_what(struct two *t, const struct cu_report *r)
{
    struct cu_span origin = r->ledger_name; /* shown without its nonce: the network id beside it says which ledger of that name */
    char hex[65];

    cu_hash_hex(&r->network, hex);
    if (origin.n > 33) origin.n -= 33;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].kind != r->entry.kind) continue;
        cu_buf_addf(&t->en, "entry %llu of the ledger ", LLU(r->seq.v));
        both_name(t, "", "账本“", origin);
        cu_buf_addf(&t->en, " (network id %.16s…), as of its %llu entries, is %s", hex, LLU(r->checkpoint.size.v), kinds[i].en);
        cu_buf_addf(&t->zh, "”（网络标识 %.16s…）共%llu条记录时的第%llu条记录是%s", hex, LLU(r->checkpoint.size.v), LLU(r->seq.v),
                    kinds[i].zh);
    }
    both_name(t, ", in the case ", "，案件：", r->case_name);
    if (!r->entry.has_inner) return both_name(t, "; signed by ", "；签名人：", r->depositor);
    both(t, "; signed by its depositor", "；存证人签名");
    both_name(t, " ", "：", r->depositor);
    both(t, " and by the provider", "，云服务方签名");
    both_name(t, " ", "：", r->provider);
}

static void say_object(struct two *t, const struct cu_report *r)
{
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    char hex[65];

    if (!r->entry.has_inner) return both(t, ". ", "。");
    both_name(t, "; name ", "；名称：", r->item_name);
    if (claim->has_folder) {
        cu_buf_addf(&t->en, "; a folder of %llu items, %llu bytes. ", LLU(claim->folder.items), LLU(claim->folder.bytes));
        cu_buf_addf(&t->zh, "；文件夹，含%llu项，%llu字节。", LLU(claim->folder.items), LLU(claim->folder.bytes));
        return;
    }
    cu_buf_addf(&t->en, "; %llu bytes", LLU(claim->size));
    cu_buf_addf(&t->zh, "；%llu字节", LLU(claim->size));
    cu_hash_hex(&r->sha256, hex);
    if (r->has_sha256) both(t, ", SHA-256 ", "，SHA-256 "), both(t, hex, hex);
    both(t, ". ", "。");
}

static void say_bytes(struct two *t, const struct cu_report *r)
{
    if (!r->entry.has_inner) return;
    if (r->evidence == CU_EVIDENCE_SAME)
        both(t, "The bytes that were given are those that were signed. ", "所提交的数据与签名时的数据一致。");
    else
        both(t, "No file was compared: it is the record that was verified, not a file. ",
             "未比对任何文件：所验证的是记录，而非某个文件。");
}

static void say_time(struct two *t, const struct cu_report *r)
{
    char after[32], by[32];

    cu_time_text(r->recorded_by, by);
    cu_time_text(r->signed_after, after);
    if (r->signed_after.v > 0) {
        cu_buf_addf(&t->en, "Signed after %s and recorded by %s", after, by);
        cu_buf_addf(&t->zh, "签名晚于%s，入账不晚于%s", after, by);
    } else {
        cu_buf_addf(&t->en, "Recorded by %s", by);
        cu_buf_addf(&t->zh, "入账不晚于%s", by);
    }
    if (r->verdict[CU_VERDICT_TIME] != CU_PASS)
        both(t, ", by the ledger's own clock, which nobody else attests: the time is NOT PROVEN. ",
             "，依据账本自身时钟，无他方证明：时间未经证明。");
    else if (r->witnessed_by.v > 0)
        both(t, ", by the ledger's own clock; outside cosigners attest when it existed at the latest. ",
             "，依据账本自身时钟；外部联署方证明其最迟存在的时间。");
    else both(t, ", times on which several organisations agreed. ", "，由多个机构共同认定。");
}

static void say_limits(struct two *t, const struct cu_report *r)
{
    if (r->one_keeper)
        both(t,
             "One party holds every key of this ledger: until an outside witness signs, it could have rewritten the whole, which "
             "only an older receipt would show. ",
             "本账本的全部密钥由一方持有：在外部见证方签名之前，该方可改写整个账本，唯有更早的回执能够揭示。");
    if (r->entry.kind == CU_KIND_DEPOSIT && r->copies_required > 0)
        both(t,
             r->copies_ok ? "The copies that the ledger's policy asks for are attested. "
                          : "Copies that the ledger's policy asks for are NOT attested. ",
             r->copies_ok ? "账本策略要求的副本均已证明。" : "账本策略要求的副本尚未全部证明。");
    both(t, "Not covered: what happened before it was signed; when and how evidence was collected is its signer's word.",
         "不在验证范围：签名之前发生的事；证据何时、如何取得，仅为签名人的陈述。");
}

void cu_report_sentences(struct cu_report *r)
{
    struct two t = { cu_buf_over(r->statement_en, sizeof r->statement_en - 1),
                     cu_buf_over(r->statement_zh, sizeof r->statement_zh - 1) };

    say_verdict(&t, r);
    if (!say_obstacle(&t, r)) {
        say_what(&t, r);
        say_object(&t, r);
        say_bytes(&t, r);
        say_time(&t, r);
        say_limits(&t, r);
    }
    r->statement_en[t.en.n] = '\0'; /* what did not fit was left out piece by piece, each of whole characters */
    r->statement_zh[t.zh.n] = '\0';
}
