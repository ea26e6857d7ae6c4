/* What is said of a bag that was judged: a line a check, three verdicts, one sentence; for people, or as JSON. */
#include "court/bag_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- lines --------------------------------------------------------------------------------------------------------- */

static const char *const verdict_names[CU_VERDICTS] = { "integrity", "signer", "time" };

static const char *shorten(struct cu_span text, size_t most, char *ret, size_t room)
{
    struct cu_buf out = cu_buf_over(ret, room - 1);

    cu_text_shortened(&out, text, most);
    ret[out.n] = 0;
    return ret;
}

const char *cu_bag_name_shown(struct cu_span name, char ret[CU_BAG_NAME])
{
    return shorten(name, CU_NAME_SHOWN, ret, CU_BAG_NAME);
}
const char *cu_bag_path_shown(struct cu_span path, char ret[CU_BAG_PATH])
{
    return shorten(path, CU_PATH_SHOWN, ret, CU_BAG_PATH);
}

void cu_bag_say_two(struct cu_bag_judging *g, enum cu_verdict verdict, const char *what, struct cu_span where, const char *text,
                    const char *text_zh)
{
    static const char mark[][4] = { [CU_FAIL] = "✗", [CU_NOT_PROVEN] = "?", [CU_PASS] = "✓", [CU_NOTE] = "·" };
    char name[CU_BAG_PATH];
    const char *colon = cu_bag_path_shown(where, name)[0] ? ": " : "";

    g->failures += verdict == CU_FAIL;
    if (verdict == CU_FAIL && g->verdict[CU_VERDICT_INTEGRITY] != CU_FAIL && strcmp(what, "signer") != 0) {
        struct cu_bag_why *why = &g->why[CU_VERDICT_INTEGRITY];
        g->verdict[CU_VERDICT_INTEGRITY] = CU_FAIL;
        (void)snprintf(why->en, sizeof why->en, "%s%s%s", name, colon, text);
        (void)snprintf(why->zh, sizeof why->zh, "%s%s%s", name, colon[0] ? "：" : "", text_zh);
    }
    if (g->lines_n++ >= CU_BAG_LINES) return;
    if (!g->json) {
        cu_buf_addf(&g->lines, "%s %s%s%s\n", mark[verdict], name, colon, text);
        return;
    }
    cu_json_open(&g->j, NULL, '{');
    cu_json_str(&g->j, "verdict", cu_verdict_text(verdict));
    cu_json_str(&g->j, "what", what);
    cu_json_str(&g->j, "where", name);
    cu_json_str(&g->j, "text", text);
    cu_json_str(&g->j, "text_zh", text_zh);
    cu_json_close(&g->j, '}');
}

void cu_bag_say(struct cu_bag_judging *g, enum cu_verdict verdict, const char *what, struct cu_span where, const char *en,
                const char *zh, ...)
{
    char text[CU_BAG_WORDS], text_zh[CU_BAG_WORDS];
    va_list args;

    va_start(args, zh);
    (void)vsnprintf(text, sizeof text, en, args);
    va_end(args);
    va_start(args, zh);
    (void)vsnprintf(text_zh, sizeof text_zh, zh, args);
    va_end(args);
    cu_bag_say_two(g, verdict, what, where, text, text_zh);
}

void cu_bag_tell(struct cu_bag_judging *g, const struct cu_bag_row *e, const struct cu_report *r, const char *state)
{
    if (!g->json || g->exhibits > CU_BAG_LINES) return;
    cu_json_open(&g->t, NULL, '{');
    cu_json_str(&g->t, "exhibit", e->stem);
    cu_json_hash(&g->t, "id", &e->id);
    cu_json_text(&g->t, "name", r->item_name);
    cu_json_text(&g->t, "case", r->case_name);
    cu_json_str(&g->t, "content", state);
    cu_json_time(&g->t, "time", r->recorded_by);
    for (int v = 0; v < CU_VERDICTS; v++) cu_json_str(&g->t, verdict_names[v], cu_verdict_text(r->verdict[v]));
    cu_json_close(&g->t, '}');
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

static int exit_code(const struct cu_bag_judging *g)
{
    static const bool by_default[CU_VERDICTS] = { true, true, false };
    static const int codes[CU_VERDICTS] = { 2, 4, 5 };
    const bool pinned = g->trust_text.n > 0, *required = pinned ? g->trust.required : by_default;

    for (int v = 0; v < CU_VERDICTS; v++)
        if (g->verdict[v] == CU_FAIL || (required[v] && g->verdict[v] != CU_PASS)) return codes[v];
    if (!pinned) return 4;
    return g->copies_missing ? 3 : 0;
}

static void both(struct cu_buf *en, struct cu_buf *zh, const char *text, const char *text_zh)
{
    cu_buf_add_str(en, text);
    cu_buf_add_str(zh, text_zh);
}

/* Names between commas; "…" when there are more than are kept. */
static void put_names(struct cu_buf *en, struct cu_buf *zh, const struct cu_buf *names, uint64_t n)
{
    struct cu_span rest = cu_buf_span(names), name;
    uint64_t shown = 0;

    for (; cu_span_split(&rest, '\0', &name); shown++) {
        cu_buf_addf(en, "%s%.*s", shown ? ", " : "", (int)name.n, (const char *)name.p);
        cu_buf_addf(zh, "%s%.*s", shown ? ", " : "", (int)name.n, (const char *)name.p);
    }
    if (shown < n) both(en, zh, " …", " …");
}

static void put_what(const struct cu_bag_judging *g, struct cu_buf *en, struct cu_buf *zh)
{
    char hex[65];

    cu_hash_hex(&g->network, hex);
    cu_buf_addf(en, "%zu exhibit%s of the case%s ", g->exhibits, g->exhibits == 1 ? "" : "s", g->cases_n == 1 ? "" : "s");
    cu_buf_addf(zh, "账本“%s”（网络标识%.16s…）案件", g->ledger, hex);
    put_names(en, zh, &g->cases, g->cases_n);
    cu_buf_addf(en, " of the ledger %s (network id %.16s…)", g->ledger, hex);
    cu_buf_addf(zh, "的证物%zu件", g->exhibits);
    if (g->here)
        cu_buf_addf(en, "; the bytes of %llu are here, each as it was signed", LLU(g->here)),
            cu_buf_addf(zh, "；其中%llu件的数据在此，与签名时一致", LLU(g->here));
    if (g->parts)
        cu_buf_addf(en, "; proven parts of items that are here: %llu", LLU(g->parts)),
            cu_buf_addf(zh, "；经证明的部分数据%llu段", LLU(g->parts));
    if (g->by_reference)
        cu_buf_addf(en, "; of %llu the record alone is proven", LLU(g->by_reference)),
            cu_buf_addf(zh, "；%llu件仅有记录", LLU(g->by_reference));
    both(en, zh, ". ", "。");
}

static void put_completeness(const struct cu_bag_judging *g, struct cu_buf *en, struct cu_buf *zh)
{
    const bool one = g->inventories == 1;

    if (g->missing_n) {
        both(en, zh, one ? "The case has more, not in this package: " : "The cases have more, not in this package: ",
             "该案另有不在本包中的证物：");
        put_names(en, zh, &g->missing, g->missing_n);
        both(en, zh, ". ", "。");
    } else
        both(en, zh, one ? "As of its inventory the case has no other. " : "As of their inventories the cases have no other. ",
             "依其清单，该案无其他证物。");
}

static void put_sentences(const struct cu_bag_judging *g, struct cu_buf *en, struct cu_buf *zh)
{
    char time[32];

    cu_time_text(g->as_of, time);
    if (g->verdict[CU_VERDICT_INTEGRITY] != CU_PASS || g->verdict[CU_VERDICT_SIGNER] == CU_FAIL ||
        g->verdict[CU_VERDICT_TIME] == CU_FAIL) {
        const int v = g->verdict[CU_VERDICT_INTEGRITY] != CU_PASS ? CU_VERDICT_INTEGRITY
                      : g->verdict[CU_VERDICT_SIGNER] == CU_FAIL  ? CU_VERDICT_SIGNER
                                                                  : CU_VERDICT_TIME;
        cu_buf_addf(en, "NOT VERIFIED, do not rely on it: %s.", g->why[v].en);
        cu_buf_addf(zh, "未通过验证，不可采信：%s。", g->why[v].zh);
        return;
    }
    both(en, zh,
         g->verdict[CU_VERDICT_SIGNER] == CU_PASS
             ? "Verified: "
             : "NOT PROVEN whose it is: the package is whole in itself, but no trusted signature vouches for it. It says: ",
         g->verdict[CU_VERDICT_SIGNER] == CU_PASS ? "经验证："
                                                  : "来源未经证明：本包自身完整，但没有可信的签名证明其来源。其内容为：");
    put_what(g, en, zh);
    put_completeness(g, en, zh);
    cu_buf_addf(en, "Given out%s%s, on record by %s", g->recipient[0] ? " to " : "", g->recipient, time);
    cu_buf_addf(zh, "出示%s%s，入账不晚于%s", g->recipient[0] ? "对象：" : "", g->recipient, time);
    if (g->verdict[CU_VERDICT_TIME] != CU_PASS)
        both(en, zh, ", by the ledger's own clock, which nobody else attests: the time is NOT PROVEN",
             "，依据账本自身时钟，无他方证明：时间未经证明");
    both(en, zh, ". ", "。");
    if (g->one_keeper)
        both(en, zh,
             "One party holds every key of this ledger: until an outside witness signs, it could have rewritten the whole, which "
             "only an older receipt would show. ",
             "本账本的全部密钥由一方持有：在外部见证方签名之前，该方可改写整个账本，唯有更早的回执能够揭示。");
    both(en, zh, "Not covered: what happened before it was signed; when and how evidence was collected is its signer's word.",
         "不在验证范围：签名之前发生的事；证据何时、如何取得，仅为签名人的陈述。");
}

static void put_text(const struct cu_bag_judging *g, struct cu_span en, struct cu_span zh, struct cu_buf *out)
{
    cu_buf_add(out, cu_buf_span(&g->lines));
    if (g->lines_n > CU_BAG_LINES) cu_buf_addf(out, "… and %llu more lines\n", LLU(g->lines_n - CU_BAG_LINES));
    cu_buf_add_byte(out, '\n');
    for (int v = 0; v < CU_VERDICTS; v++)
        cu_buf_addf(out, "%-10s %-11s %s\n", verdict_names[v], cu_verdict_text(g->verdict[v]), g->why[v].en);
    cu_buf_add_byte(out, '\n');
    cu_buf_add(out, en);
    cu_buf_add_str(out, "\n\n");
    cu_buf_add(out, zh);
    cu_buf_add_byte(out, '\n');
    if (!g->trust_text.n)
        cu_buf_addf(out,
                    "\nCompare the network id with a published one, then name the file: --trust %s/trust/ledger.trust\n"
                    "请与公布的网络标识核对，再指定文件：--trust %s/trust/ledger.trust\n",
                    g->r->path, g->r->path);
}

static void put_json(struct cu_bag_judging *g, int exit, struct cu_span en, struct cu_span zh, struct cu_buf *out)
{
    struct cu_json j = cu_json_on(out);

    cu_json_open(&j, NULL, '{');
    cu_json_bool(&j, "ok", exit == 0);
    cu_json_int(&j, "exit_code", exit);
    cu_json_str(&j, "bag", g->r->path);
    cu_json_hash(&j, "network", &g->network);
    cu_json_str(&j, "ledger", g->ledger);
    cu_json_open(&j, "verdicts", '{');
    for (int v = 0; v < CU_VERDICTS; v++) {
        cu_json_open(&j, verdict_names[v], '{');
        cu_json_str(&j, "verdict", cu_verdict_text(g->verdict[v]));
        cu_json_str(&j, "why", g->why[v].en);
        cu_json_str(&j, "why_zh", g->why[v].zh);
        cu_json_close(&j, '}');
    }
    cu_json_close(&j, '}');
    cu_json_uint(&j, "files", g->bag.n);
    cu_json_uint(&j, "bytes", g->bag.bytes);
    cu_json_uint(&j, "failures", g->failures);
    cu_json_time(&j, "time", g->as_of);
    cu_json_text(&j, "statement_en", en);
    cu_json_text(&j, "statement_zh", zh);
    cu_buf_add_str(out, ",\"checks\":");
    cu_buf_add(out, cu_buf_span(&g->lines));
    cu_buf_add_str(out, ",\"exhibits\":");
    cu_buf_add(out, cu_buf_span(&g->told));
    cu_json_close(&j, '}');
    cu_buf_add_byte(out, '\n');
}

static void conclude(struct cu_bag_judging *g)
{
    static const struct cu_bag_why fine[CU_VERDICTS] = {
        { "every file is as listed, every receipt leads to its checkpoint, every exhibit is what was signed",
          "各文件与清单相符，各回执通向其检查点，各证物与签名时一致" },
        { "every signature is by a key that the pinned ledger enrolled", "每个签名都出自指定账本所登记的密钥" },
        { "several organisations agree on the times, or outside cosigners attest them",
          "时间由多个机构共同认定，或由外部联署方证明" },
    };
    static const struct cu_bag_why none = { "there is no receipt", "没有回执" };

    for (int v = 0; v < CU_VERDICTS; v++) {
        if (g->verdict[v] == CU_PASS && !g->receipts) g->verdict[v] = v == CU_VERDICT_INTEGRITY ? CU_FAIL : CU_NOT_PROVEN;
        if (!g->why[v].en[0]) g->why[v] = g->receipts ? fine[v] : none;
    }
}

static cu_status judge(struct cu_bag_judging *g, struct cu_buf *out, int *ret_exit, struct cu_err *err)
{
    CU_BUF en = cu_buf_heap(65536), zh = cu_buf_heap(65536);

    g->report = calloc(1, sizeof *g->report);
    ENSURE(g->report, err, CU_NO_MEMORY, "out of memory");
    TRY(cu_bag_read(g->r->package, &g->r->progress, &g->bag, err));
    g->trust_text = g->r->trust_text;
    const struct cu_bag_file *own = cu_bag_find(&g->bag, cu_span_str("trust/ledger.trust"));
    if (!g->trust_text.n && g->r->own_trust && own) g->trust_text = cu_buf_span(&own->kept);
    if (g->trust_text.n) TRY(cu_trust_read(g->trust_text, &g->trust, err));
    for (size_t i = 0; i < g->bag.n && g->r->file; i++) g->r->file(g->r->arg, &g->bag.file[i]);
    if (g->json) cu_json_open(&g->j, NULL, '['), cu_json_open(&g->t, NULL, '[');
    TRY(cu_bag_check(g, err));
    if (g->json) cu_json_close(&g->j, ']'), cu_json_close(&g->t, ']');
    conclude(g);
    *ret_exit = exit_code(g);
    put_sentences(g, &en, &zh);
    TRY(cu_buf_ok(&g->lines, err));
    TRY(cu_buf_ok(&g->told, err));
    TRY(cu_buf_ok(&en, err));
    TRY(cu_buf_ok(&zh, err));
    if (g->json) put_json(g, *ret_exit, cu_buf_span(&en), cu_buf_span(&zh), out);
    else put_text(g, cu_buf_span(&en), cu_buf_span(&zh), out);
    return cu_buf_ok(out, err);
}

cu_status cu_bag_judge(const struct cu_bag_request *r, bool json, struct cu_buf *out, int *ret_exit, struct cu_err *err)
{
    CU_CLEANUP(cu_bag_judging_free)
    struct cu_bag_judging g = { .r = r,
                                .json = json,
                                .lines = cu_buf_heap((size_t)16 << 20),
                                .told = cu_buf_heap((size_t)16 << 20),
                                .cases = cu_buf_heap(4096),
                                .missing = cu_buf_heap(16384),
                                .verdict = { CU_PASS, CU_PASS, CU_PASS } };

    g.j = cu_json_on(&g.lines);
    g.t = cu_json_on(&g.told);
    return judge(&g, out, ret_exit, err);
}

void cu_bag_judging_free(struct cu_bag_judging *g)
{
    cu_bag_free(&g->bag);
    cu_buf_free(&g->lines);
    cu_buf_free(&g->told);
    cu_buf_free(&g->cases);
    cu_buf_free(&g->missing);
    free(g->report);
    free(g->exhibit);
    free(g->inventory);
    free(g->given);
    free(g->renamed);
}
