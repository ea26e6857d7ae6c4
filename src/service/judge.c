/* Judging a receipt with the evidence beside it: the receipt by the pure verifier, the file or folder by reading it once.
 * Both programs call this, so both say the same.
 */
#include "service/judge.h"

#include "custody/json.h"
#include "custody/text.h"
#include "custody/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define DIFFERENCES_SHOWN 50

struct differences {
    struct cu_buf *out;
    struct cu_json *json;
    uint64_t shown, metadata, strict;
    char first[220], first_zh[220];
};

static const char *what_zh(const char *what)
{
    return strcmp(what, "altered") == 0 ? "有改动" : strcmp(what, "missing") == 0 ? "缺失" : "多出";
}

static void tell(void *arg, const struct cu_folder_difference *d)
{
    struct differences *s = arg;
    const bool metadata = strcmp(d->what, "metadata") == 0;
    char shown[160];
    struct cu_buf path = cu_buf_over(shown, sizeof shown - 1);

    cu_text_printable(&path, d->path);
    shown[path.n] = 0;
    if (metadata) s->metadata++;
    else if (s->strict++ == 0) {
        snprintf(s->first, sizeof s->first, "%s: %s%s%s", d->what, shown, d->text[0] ? ": " : "", d->text);
        snprintf(s->first_zh, sizeof s->first_zh, "%s：%s", what_zh(d->what), shown);
    }
    if (s->shown++ >= DIFFERENCES_SHOWN) return;
    if (!s->json) {
        cu_buf_addf(s->out, "%-8s  %s", d->what, shown);
        cu_buf_addf(s->out, d->text[0] ? ": %s\n" : "\n", d->text);
        return;
    }
    cu_json_open(s->json, NULL, '{');
    cu_json_str(s->json, "what", d->what);
    cu_json_text(s->json, "path", d->path);
    cu_json_str(s->json, "text", d->text);
    cu_json_close(s->json, '}');
}

/* ---- a folder, or one item of it ---- */
static void judge_folder(const struct cu_judge_request *r, const struct cu_trust *trust, struct cu_span manifest,
                         struct differences *d, struct cu_report *report, struct cu_err *err)
{
    uint64_t bad = 0;
    const cu_status compared = cu_compare_folder(manifest, r->source, r->path, &r->progress, tell, d, &bad, err);

    if (compared != CU_OK) cu_report_evidence(report, trust, CU_CHECK_FOLDER, compared, err->text, cu_status_text_zh(compared));
    else if (bad) cu_report_evidence(report, trust, CU_CHECK_FOLDER, CU_BAD_HASH, d->first, d->first_zh);
    else
        cu_report_evidence(report, trust, CU_CHECK_FOLDER, CU_OK,
                           d->metadata ? " (modes or times of this copy differ: see the lines above)" : "",
                           d->metadata ? "（此副本的权限或时间不同：见上文）" : "");
}

static struct cu_span last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return cu_span_str(slash ? slash + 1 : path);
}

static void judge_item(const struct cu_judge_request *r, const struct cu_trust *trust, struct cu_span manifest,
                       struct cu_report *report, struct cu_err *err)
{
    char which[160], which_zh[160], shown[120];
    struct cu_buf name = cu_buf_over(shown, sizeof shown - 1);
    struct cu_item item;
    cu_hash root, sha256;
    uint64_t size, row;
    cu_status found = cu_read_evidence(r->source, r->path, &r->progress, &size, &root, &sha256, err);

    if (found == CU_OK) found = cu_find_item(manifest, last_component(r->path), size, &root, &item, &row, err);
    if (found != CU_OK) {
        cu_report_evidence(report, trust, CU_CHECK_ITEM, found, err->text, cu_status_text_zh(found));
        return;
    }
    cu_text_printable(&name, item.path);
    shown[name.n] = 0;
    snprintf(which, sizeof which, "item %llu, %s", (unsigned long long)row + 1, shown);
    snprintf(which_zh, sizeof which_zh, "第%llu项，%s", (unsigned long long)row + 1, shown);
    cu_report_evidence(report, trust, CU_CHECK_ITEM, CU_OK, which, which_zh);
}

/* The manifest must be the one that was claimed, whoever brings it. */
static cu_status right_manifest(const struct cu_judge_request *r, const struct cu_report *report, struct cu_span *ret,
                                struct cu_err *err)
{
    const struct cu_claim *claim = &report->entry.inner.body.claim;
    char hex[65];

    *ret = report->manifest.n ? report->manifest : r->manifest;
    cu_hash_hex(&claim->root, hex);
    ENSURE(ret->n, err, CU_NOT_FOUND,
           "the folder's manifest is not in the receipt (it is larger than 32 KiB): put it beside the receipt as "
           "<receipt>.manifest or name it with --manifest; it has %llu bytes and content root %s",
           (unsigned long long)claim->size, hex);
    const cu_hash root = cu_content_root_of(*ret);
    ENSURE(ret->n == claim->size && cu_hash_eq(&root, &claim->root), err, CU_BAD_HASH,
           "expected are %llu bytes with content root %s", (unsigned long long)claim->size, hex);
    return CU_OK;
}

static bool is_folder_claim(const struct cu_report *report)
{
    return report->entry.kind == CU_KIND_DEPOSIT && report->entry.inner.body.claim.has_folder;
}

static cu_status judge_against_folder(const struct cu_judge_request *r, const struct cu_trust *trust, struct differences *d,
                                      struct cu_report *report, struct cu_err *err)
{
    struct cu_source_stat st;
    struct cu_span manifest;
    cu_status right = right_manifest(r, report, &manifest, err);

    if (right == CU_BAD_HASH) {
        cu_report_evidence(report, trust, CU_CHECK_BESIDE, right, err->text, cu_status_text_zh(right));
        return CU_OK;
    }
    TRY(right);
    TRY(r->source->ops->stat(r->source->self, r->path, true, &st, err));
    if (st.kind == CU_SOURCE_FOLDER) judge_folder(r, trust, manifest, d, report, err);
    else judge_item(r, trust, manifest, report, err);
    return CU_OK;
}

/* ---- what a person typed off a paper: is this the receipt that it means? ---- */
#define TYPED_MIN 8 /* digits, as short ids are printed */

struct typed {
    bool has_id, id_same, has_network, network_same;
    size_t digits;
};

static cu_status compare_typed(const struct cu_judge_request *r, struct cu_report *report, struct typed *ret, struct cu_err *err)
{
    char hex[65];
    cu_hash network;

    if (r->id) {
        ret->has_id = true;
        ret->digits = strlen(r->id);
        ENSURE(ret->digits >= TYPED_MIN && ret->digits <= 64 && strspn(r->id, "0123456789abcdefABCDEF") == ret->digits, err,
               CU_USAGE, "--id: \"%s\" is not %d to 64 hex digits of an id", r->id, TYPED_MIN);
        cu_hash_hex(&report->id, hex);
        ret->id_same = strncasecmp(hex, r->id, ret->digits) == 0;
        if (!ret->id_same) report->status = CU_BAD_HASH, report->exit_code = cu_status_exit(CU_BAD_HASH);
    }
    if (r->network) {
        ret->has_network = true;
        const cu_status read = cu_words_read(cu_span_str(r->network), &network, err);
        if (read != CU_OK) return cu_fail_while(err, CU_USAGE, "--network");
        ret->network_same = cu_hash_eq(&network, &report->network);
        if (!ret->network_same && report->exit_code != cu_status_exit(CU_BAD_HASH))
            report->status = CU_WRONG_NETWORK, report->exit_code = cu_status_exit(CU_UNTRUSTED);
    }
    return CU_OK;
}

static void put_typed(const struct cu_report *report, const struct typed *t, struct cu_buf *out)
{
    char hex[65];

    cu_hash_hex(&report->id, hex);
    if (t->has_id && t->id_same)
        cu_buf_addf(out,
                    "\n✓ YES, the id is this receipt's: %zu of its 64 digits compared%s\n  是，标识相符：64位中已核对%zu位\n",
                    t->digits, t->digits < 64 ? " (few digits can be imitated: compare all where it matters)" : "", t->digits);
    else if (t->has_id) cu_buf_addf(out, "\n✗ NO, this is another receipt: its id is %s\n  否，这是另一份回执\n", hex);
    if (t->has_network && t->network_same)
        cu_buf_add_str(out, "✓ YES, the network words are those of its ledger\n  是，网络词与其账本相符\n");
    else if (t->has_network) {
        cu_buf_add_str(out, "✗ NO, it is of another ledger, whose words are: ");
        cu_words_put(out, &report->network);
        cu_buf_add_str(out, "\n  否，它属于另一账本\n");
    }
}

/* ---- the whole ---- */
struct desk {
    struct cu_report report;
    struct cu_trust trust;
    struct cu_evidence evidence;
};

static cu_status read_file(const struct cu_judge_request *r, struct cu_evidence *ret, struct cu_err *err)
{
    struct cu_source_stat st;

    if (!r->path) return CU_OK;
    if (strcmp(r->path, "-") != 0) {
        TRY(r->source->ops->stat(r->source->self, r->path, true, &st, err));
        if (st.kind == CU_SOURCE_FOLDER) return CU_OK;
    }
    TRY(cu_read_evidence(r->source, r->path, &r->progress, &ret->size, &ret->root, &ret->sha256, err));
    ret->given = true;
    return CU_OK;
}

static cu_status judge_evidence(const struct cu_judge_request *r, struct desk *desk, struct differences *d, struct cu_err *err)
{
    const struct cu_trust *trust = r->trust_text.n ? &desk->trust : NULL;
    struct cu_err malformed;
    cu_status verified;

    verified = cu_receipt_verify(r->receipt, trust, NULL, r->verifier, r->scratch, &desk->report, &malformed);
    if (!r->path || verified != CU_OK) return CU_OK; /* what is no receipt says so in its report */
    if (is_folder_claim(&desk->report)) return judge_against_folder(r, trust, d, &desk->report, err);
    TRY(read_file(r, &desk->evidence, err));
    if (!desk->evidence.given) {
        cu_report_evidence(&desk->report, trust, CU_CHECK_SORT, CU_BAD_HASH, "", "");
        return CU_OK;
    }
    verified = cu_receipt_verify(r->receipt, trust, &desk->evidence, r->verifier, r->scratch, &desk->report, &malformed);
    return CU_OK;
}

static cu_status judge(const struct cu_judge_request *r, bool json, struct desk *desk, struct cu_buf *out, struct cu_err *err)
{
    CU_BUF report = cu_buf_heap((size_t)1 << 20), lines = cu_buf_heap((size_t)1 << 20);
    struct cu_json j = cu_json_on(&lines);
    struct differences d = { .out = &lines, .json = json ? &j : NULL };
    struct typed typed = { 0 };

    if (r->trust_text.n) TRY(cu_trust_read(r->trust_text, &desk->trust, err));
    if (json) cu_json_open(&j, NULL, '[');
    TRY(judge_evidence(r, desk, &d, err));
    TRY(compare_typed(r, &desk->report, &typed, err));
    if (json) cu_json_close(&j, ']');
    if (d.shown > DIFFERENCES_SHOWN && !json)
        cu_buf_addf(&lines, "… and %llu more differences\n", (unsigned long long)(d.shown - DIFFERENCES_SHOWN));
    if (json) {
        cu_report_json(&desk->report, &report);
        while (report.n && (report.p[report.n - 1] == '\n' || report.p[report.n - 1] == '}')) report.n--;
        cu_buf_add(out, cu_buf_span(&report));
        cu_buf_add_str(out, ",\"differences\":");
        cu_buf_add(out, cu_buf_span(&lines));
        if (typed.has_id) cu_buf_addf(out, ",\"id_typed\":%s", typed.id_same ? "true" : "false");
        if (typed.has_network) cu_buf_addf(out, ",\"network_typed\":%s", typed.network_same ? "true" : "false");
        cu_buf_add_str(out, "}\n");
        return cu_buf_ok(out, err);
    }
    cu_buf_add(out, cu_buf_span(&lines));
    cu_report_text(&desk->report, out);
    put_typed(&desk->report, &typed, out);
    return cu_buf_ok(out, err);
}

cu_status cu_judge(const struct cu_judge_request *r, bool json, struct cu_buf *out, int *ret_exit, struct cu_err *err)
{
    struct desk *desk = calloc(1, sizeof *desk);
    cu_status judged;

    ENSURE(desk, err, CU_NO_MEMORY, "out of memory");
    judged = judge(r, json, desk, out, err);
    *ret_exit = judged == CU_OK ? desk->report.exit_code : cu_status_exit(judged);
    free(desk);
    return judged;
}
