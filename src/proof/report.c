/* What a verification found, for people and for scripts: verdicts fold into one exit code, lines into text or JSON. */
#include "judge.h"

#include "custody/json.h"

static const char *const verdict_names[CU_VERDICTS] = { "integrity", "signer", "time" };
static const int exit_codes[CU_VERDICTS] = { 2, 4, 5 };
#define EXIT_COPIES_MISSING 3
#define EXIT_NOT_PINNED 4

static const char *const verdict_texts[] = {
    [CU_FAIL] = "FAIL", [CU_NOT_PROVEN] = "NOT PROVEN", [CU_PASS] = "PASS", [CU_NOTE] = "NOTE"
};
const char *cu_verdict_text(enum cu_verdict v) { return verdict_texts[v]; }

const char *cu_verdict_zh(enum cu_verdict v)
{
    static const char *const zh[] = {
        [CU_FAIL] = "未通过", [CU_NOT_PROVEN] = "未经证明", [CU_PASS] = "通过", [CU_NOTE] = "附注"
    };
    return zh[v];
}

/* The worst first: what failed, then what is required and not proven; never 0 without a pinned trust. */
static int exit_code(const struct cu_report *r, const struct cu_trust *trust)
{
    static const bool by_default[CU_VERDICTS] = { true, true, false };
    const bool *required = trust != NULL ? trust->required : by_default;

    for (int v = 0; v < CU_VERDICTS; v++)
        if (r->verdict[v] == CU_FAIL || (required[v] && r->verdict[v] != CU_PASS)) return exit_codes[v];
    if (trust == NULL) return EXIT_NOT_PINNED;
    return r->copies_ok ? 0 : EXIT_COPIES_MISSING;
}

void cu_report_conclude(struct cu_report *r, const struct cu_trust *trust)
{
    static const struct cu_check_line fine[CU_VERDICTS] = {
        { .text = "every proof leads to the checkpoint, and what is attached is what was signed",
          .text_zh = "每项证明都通向检查点，所附内容与所签的一致" },
        { .text = "every signature is by a key that the pinned ledger enrolled, and the checkpoint is signed as the trust file "
                  "demands",
          .text_zh = "每个签名都出自指定账本所登记的密钥，检查点已按信任文件的要求签名" },
    };

    for (int v = 0; v < CU_VERDICTS; v++)
        if (r->verdict[v] == CU_PASS && r->why[v].text[0] == '\0') r->why[v] = fine[v];
    r->exit_code = exit_code(r, trust);
    if (r->exit_code == 0) r->status = CU_OK;
    cu_report_sentences(r);
}

void cu_report_evidence(struct cu_report *report, const struct cu_trust *trust, enum cu_check check, cu_status status,
                        const char *what, const char *what_zh)
{
    struct cu_judge j = { .report = report };

    cu_judge_say(&j, check, status == CU_OK ? CU_PASS : CU_FAIL, status, NULL, ARGS(TWO(what, what_zh)));
    if (status != CU_OK) report->evidence = CU_EVIDENCE_OTHER;
    else if (report->evidence == CU_EVIDENCE_NONE) report->evidence = CU_EVIDENCE_SAME;
    cu_report_conclude(report, trust);
}

void cu_report_text(const struct cu_report *r, struct cu_buf *out)
{
    for (size_t i = 0; i < r->lines_n; i++) {
        static const char mark[][4] = { [CU_FAIL] = "✗", [CU_NOT_PROVEN] = "?", [CU_PASS] = "✓", [CU_NOTE] = "·" };
        cu_buf_addf(out, "%s %s\n", mark[r->line[i].verdict], r->line[i].text);
    }
    cu_buf_add_byte(out, '\n');
    for (int v = 0; v < CU_VERDICTS; v++)
        cu_buf_addf(out, "%-10s %-11s %s\n", verdict_names[v], cu_verdict_text(r->verdict[v]), r->why[v].text);
    cu_buf_addf(out, "\n%s\n\n%s\n", r->statement_en, r->statement_zh);
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------- */

static void put_verdicts(struct cu_json *json, const struct cu_report *r)
{
    cu_json_open(json, "verdicts", '{');
    for (int v = 0; v < CU_VERDICTS; v++) {
        cu_json_open(json, verdict_names[v], '{');
        cu_json_str(json, "verdict", cu_verdict_text(r->verdict[v]));
        cu_json_str(json, "why", r->why[v].text);
        cu_json_str(json, "why_zh", r->why[v].text_zh);
        cu_json_close(json, '}');
    }
    cu_json_close(json, '}');
}

static void put_checks(struct cu_json *json, const struct cu_report *r)
{
    cu_json_open(json, "checks", '[');
    for (size_t i = 0; i < r->lines_n; i++) {
        cu_json_open(json, NULL, '{');
        cu_json_str(json, "check", cu_check_name(r->line[i].check));
        cu_json_str(json, "verdict", cu_verdict_text(r->line[i].verdict));
        cu_json_str(json, "status", cu_status_name(r->line[i].status));
        cu_json_str(json, "text", r->line[i].text);
        cu_json_str(json, "text_zh", r->line[i].text_zh);
        cu_json_close(json, '}');
    }
    cu_json_close(json, ']');
}

static void put_name(struct cu_json *json, const char *key, struct cu_span name)
{
    if (name.n > 0) cu_json_text(json, key, name);
}

static void put_time(struct cu_json *json, const char *key, cu_unix_ms time)
{
    if (time.v > 0) cu_json_time(json, key, time);
}

static void put_facts(struct cu_json *json, const struct cu_report *r)
{
    const struct cu_kind_row *row = cu_kind_row(r->entry.kind);

    if (row == NULL) return;
    cu_json_str(json, "kind", row->name);
    cu_json_uint(json, "seq", r->seq.v);
    cu_json_uint(json, "log_size", r->checkpoint.size.v);
    cu_json_hash(json, "log_root", &r->checkpoint.root);
    cu_json_hash(json, "id", &r->id);
    cu_json_hash(json, "leaf", &r->leaf);
    cu_json_hash(json, "network", &r->network);
    put_name(json, "ledger", r->ledger_name);
    put_name(json, "case", r->case_name);
    put_name(json, "depositor", r->depositor);
    put_name(json, "organisation", r->organisation);
    put_name(json, "provider", r->provider);
    put_name(json, "name", r->item_name);
    put_name(json, "label", r->label);
    if (r->entry.has_inner) {
        cu_json_uint(json, "serial", r->entry.inner.body.claim.serial);
        cu_json_uint(json, "size", r->entry.inner.body.claim.size);
        cu_json_hash(json, "root", &r->entry.inner.body.claim.root);
    }
    if (r->has_sha256) cu_json_hash(json, "sha256", &r->sha256);
    put_time(json, "signed_after", r->signed_after);
    put_time(json, "recorded_by", r->recorded_by);
    put_time(json, "witnessed_by", r->witnessed_by);
    cu_json_uint(json, "copies", r->copies);
    cu_json_uint(json, "copies_required", r->copies_required);
    cu_json_bool(json, "one_keeper", r->one_keeper);
}

void cu_report_json(const struct cu_report *r, struct cu_buf *out)
{
    struct cu_json json = cu_json_on(out);

    cu_json_open(&json, NULL, '{');
    cu_json_bool(&json, "ok", r->exit_code == 0);
    cu_json_int(&json, "exit_code", r->exit_code);
    cu_json_str(&json, "status", cu_status_name(r->status));
    cu_json_bool(&json, "pinned", r->pinned);
    put_verdicts(&json, r);
    put_facts(&json, r);
    put_checks(&json, r);
    cu_json_str(&json, "statement_en", r->statement_en);
    cu_json_str(&json, "statement_zh", r->statement_zh);
    cu_json_close(&json, '}');
}
