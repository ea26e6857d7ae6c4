/* The plain sentence, in English and Chinese: what was verified, as of when, what is not covered. A clerk copies it, so it says
 * nothing that the verdicts do not carry, and it depends on nothing that a reader could drop from the file unnoticed. */
#include "judge.h"

/* kind, its name in Chinese, what a sentence calls it */
static const struct {
    enum cu_kind kind;
    const char *name_zh, *en, *zh;
} kinds[] = {
    { CU_KIND_GENESIS, "创始", "the founding of the ledger", "账本的创始记录" },
    { CU_KIND_BLOCK, "区块", "a block entry, which dates the entries before it", "一条区块记录，为其前的记录定时" },
    { CU_KIND_CONFIRM, "确认", "an organisation's proof that it holds its keys", "一个机构持有其密钥的确认" },
    { CU_KIND_CASE, "立案", "the opening of a case", "一个案件的立案记录" },
    { CU_KIND_CLAIM, "存证声明", "", "" },
    { CU_KIND_DEPOSIT, "存证", "a deposit of evidence", "一次证据存证" },
    { CU_KIND_REFUSAL, "拒绝", "a provider's refusal of a deposit, signed over the depositor's claim",
      "云服务方对一次存证的拒绝，签于存证人的声明之上" },
    { CU_KIND_VOID, "作废", "a depositor's voiding of a serial number", "存证人对一个序号的作废" },
    { CU_KIND_STORED, "副本", "an organisation's word that it holds verified copies", "一个机构持有已核验副本的声明" },
    { CU_KIND_INCIDENT, "事件", "an incident report", "一份事件报告" },
    { CU_KIND_CORRECTION, "更正", "a correction of an earlier statement", "对先前陈述的更正" },
    { CU_KIND_ACCESS, "查阅", "a record of who read evidence", "证据查阅记录" },
    { CU_KIND_INVENTORY, "清单",
      "an inventory, which the ledger admits only if it leaves no deposit out (but, possibly, under the open numbers it lists)",
      "一份清单；账本只接纳没有遗漏任何存证的清单（其列明的未用序号除外）" },
    { CU_KIND_MEMBER, "成员", "an organisation's word on a member's keys", "机构关于成员密钥的声明" },
    { CU_KIND_TIMEOUT, "超时", "a record that what was due had not come in time", "逾期未至的记录" },
    { CU_KIND_NOTICE, "调取通知", "a notice by which a provider is asked for data", "向服务方调取数据的通知" },
    { CU_KIND_ACKNOWLEDGE, "签收", "a provider's word that it has a notice", "服务方收到调取通知的签收" },
    { CU_KIND_ANSWER, "答复", "a provider's answer to a notice", "服务方对调取通知的答复" },
    { CU_KIND_GRANT, "授权", "an opening of something sealed to further readers", "向更多读者开启一项密封内容" },
    { CU_KIND_PROPOSE, "提案", "a proposal to change who the organisations are, their keys, or what is asked of all",
      "变更机构、机构密钥或共同要求的提案" },
    { CU_KIND_APPROVE, "同意", "an organisation's approval of a proposal", "一个机构对提案的同意" },
    { CU_KIND_DISCLOSURE, "出示", "a record of which deposits were given out", "证据出示（披露）记录" },
};

static size_t kind_at(enum cu_kind kind)
{
    size_t i = 0;

    while (kinds[i].kind != kind) CU_ASSERT(++i < sizeof kinds / sizeof *kinds); /* a test goes through them all */
    return i;
}

const char *cu_kind_zh(enum cu_kind kind) { return kinds[kind_at(kind)].name_zh; }

struct two {
    struct cu_buf en, zh;
};

static void both(struct two *t, const char *en, const char *zh, const struct cu_arg *args)
{
    cu_fill(&t->en, en, args, false);
    cu_fill(&t->zh, zh, args, true);
}
#define BOTH(t, en, zh, ...) both(t, en, zh, ARGS(__VA_ARGS__))

static void both_name(struct two *t, const char *en, const char *zh, struct cu_span name)
{
    char shown[CU_SHOWN];

    if (name.n > 0) BOTH(t, en, zh, STR(cu_shown(name, shown)));
}

static void say_verdict(struct two *t, const struct cu_report *r)
{
    if (r->verdict[CU_VERDICT_INTEGRITY] != CU_PASS || r->verdict[CU_VERDICT_SIGNER] == CU_FAIL ||
        r->verdict[CU_VERDICT_TIME] == CU_FAIL)
        BOTH(t, "NOT VERIFIED, do not rely on it: ", "未通过验证，不可采信：");
    else if (r->verdict[CU_VERDICT_SIGNER] != CU_PASS)
        BOTH(t, "NOT PROVEN whose it is: the file is whole in itself, but ", "来源未经证明：文件自身完整，但");
    else BOTH(t, "Verified: ", "经验证：");
}

/* The first verdict that stands in the way, and why. False: none does. */
static bool say_obstacle(struct two *t, const struct cu_report *r)
{
    for (int v = 0; v < CU_VERDICTS; v++) {
        if (r->verdict[v] == CU_PASS || (v == CU_VERDICT_TIME && r->verdict[v] != CU_FAIL)) continue;
        BOTH(t, "{1}.", "{1}。", TWO(r->why[v].text, r->why[v].text_zh));
        return true;
    }
    return false;
}

/* Where a provider answers a notice the two have changed places. */
static bool answers(const struct cu_report *r) { return r->entry.has_inner && r->entry.inner.body.claim.has_notice; }

static struct cu_arg what(const struct cu_report *r)
{
    const size_t kind = kind_at(r->entry.kind);

    if (!answers(r)) return (struct cu_arg)TWO(kinds[kind].en, kinds[kind].zh);
    if (r->entry.kind == CU_KIND_DEPOSIT)
        return (struct cu_arg)TWO("a deposit by which a provider answers a notice", "服务方答复调取通知的一次存证");
    return (struct cu_arg)TWO("a refusal of what a provider deposits to answer a notice", "对服务方为答复调取通知所作存证的拒绝");
}

static void say_what(struct two *t, const struct cu_report *r)
{
    struct cu_span origin = r->ledger_name; /* shown without its nonce: the network id beside it says which ledger of that name */
    char hex[65], name[CU_SHOWN];

    cu_hash_hex(&r->network, hex);
    hex[16] = '\0';
    if (origin.n > 33) origin.n -= 33;
    BOTH(t, "entry {1} of the ledger {2} (network id {3}…), as of its {4} entries, is {5}",
         "账本“{2}”（网络标识{3}…）共{4}条记录时的{1}号记录是{5}", NUM(r->seq.v), STR(cu_shown(origin, name)), STR(hex),
         NUM(r->checkpoint.size.v), what(r));
    both_name(t, ", in the case {1}", "，案件：{1}", r->case_name);
    if (!r->entry.has_inner) return both_name(t, "; signed by {1}", "；签名人：{1}", r->depositor);
    const bool swapped = answers(r);
    BOTH(t, "; signed by {1}", "；{1}签名", TWO(swapped ? "the provider" : "its depositor", swapped ? "服务方" : "存证人"));
    both_name(t, " {1}", "：{1}", r->depositor);
    BOTH(t, " and by {1}", "，{1}签名", TWO(swapped ? "its receiver" : "the provider", swapped ? "接收方" : "云服务方"));
    both_name(t, " {1}", "：{1}", r->provider);
}

static void say_object(struct two *t, const struct cu_report *r)
{
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    char hex[65];

    if (!r->entry.has_inner) return BOTH(t, ". ", "。");
    both_name(t, "; name {1}", "；名称：{1}", r->item_name);
    if (claim->has_folder)
        return BOTH(t, "; a folder of {1} items, {2} bytes. ", "；文件夹，含{1}项，{2}字节。", NUM(claim->folder.items),
                    NUM(claim->folder.bytes));
    BOTH(t, "; {1} bytes", "；{1}字节", NUM(claim->size));
    cu_hash_hex(&r->sha256, hex);
    if (r->has_sha256) BOTH(t, ", SHA-256 {1}", "，SHA-256 {1}", STR(hex));
    BOTH(t, ". ", "。");
}

static void say_bytes(struct two *t, const struct cu_report *r)
{
    if (!r->entry.has_inner) return;
    if (r->evidence == CU_EVIDENCE_SAME)
        BOTH(t, "The bytes that were given are those that were signed. ", "所提交的数据与签名时的数据一致。");
    else
        BOTH(t, "No file was compared: it is the record that was verified, not a file. ",
             "未比对任何文件：所验证的是记录，而非某个文件。");
}

static void say_time(struct two *t, const struct cu_report *r)
{
    char after[32], by[32];

    cu_time_text(r->recorded_by, by);
    cu_time_text(r->signed_after, after);
    if (r->signed_after.v > 0) BOTH(t, "Signed after {1} and recorded by {2}", "签名晚于{1}，入账不晚于{2}", STR(after), STR(by));
    else BOTH(t, "Recorded by {1}", "入账不晚于{1}", STR(by));
    if (r->verdict[CU_VERDICT_TIME] != CU_PASS)
        BOTH(t, ", by the ledger's own clock, which nobody else attests: the time is NOT PROVEN. ",
             "，依据账本自身时钟，无他方证明：时间未经证明。");
    else if (r->witnessed_by.v > 0)
        BOTH(t, ", by the ledger's own clock; outside cosigners attest when it existed at the latest. ",
             "，依据账本自身时钟；外部联署方证明其最迟存在的时间。");
    else BOTH(t, ", times on which several organisations agreed. ", "，由多个机构共同认定。");
}

static void say_limits(struct two *t, const struct cu_report *r)
{
    if (r->one_keeper)
        BOTH(t,
             "One party holds every key of this ledger: until an outside witness signs, it could have rewritten the whole, which "
             "only an older receipt would show. ",
             "本账本的全部密钥由一方持有：在外部见证方签名之前，该方可改写整个账本，唯有更早的回执能够揭示。");
    if (r->entry.kind == CU_KIND_DEPOSIT && r->copies_required > 0 && r->copies_ok)
        BOTH(t, "The copies that the ledger's policy asks for are attested. ", "账本策略要求的副本均已证明。");
    else if (r->entry.kind == CU_KIND_DEPOSIT && r->copies_required > 0)
        BOTH(t, "Copies that the ledger's policy asks for are NOT attested. ", "账本策略要求的副本尚未全部证明。");
    BOTH(t, "Not covered: what happened before it was signed; when and how evidence was collected is its signer's word.",
         "不在验证范围：签名之前发生的事；证据何时、如何取得，仅为签名人的陈述。");
}

static void end(struct cu_buf *t, char *mem) { mem[cu_text_whole(cu_buf_span(t), t->n)] = '\0'; } /* at a whole character */

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
    end(&t.en, r->statement_en);
    end(&t.zh, r->statement_zh);
}
