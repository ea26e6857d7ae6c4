/* What a bag means: the rules of docs/formats/bag.md, "Verified if and only if", in their order. Everything was read before (bag.c); here
 * nothing but tables and receipts are compared, so a zip and a folder are judged alike.
 *
 * (1) A receipt says itself what it is about; names of files only tell what lies beside what.
 * (2) The worst of all receipts is the bag's verdict on signer and time. Integrity is FAIL with the first thing that does not fit.
 */
#include "court/bag_inside.h"

#include "custody/details.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- 1. every file is listed, with its digest ------------------------------------------------------------------------ */

static const char unlisted[] = "tagmanifest-sha256.txt";

static void check_row(struct cu_bag_judging *g, const char *manifest, bool payload, struct cu_span line)
{
    const struct cu_span path = cu_span(line.p + 66, line.n > 66 ? line.n - 66 : 0);
    struct cu_bag_file *f;
    cu_hash digest;

    if (path.n == 0 || memcmp(line.p + 64, "  ", 2) != 0 || cu_hex_read(cu_span(line.p, 64), digest.b, 32, NULL) != CU_OK ||
        cu_span_starts(path, cu_span_str("data/")) != payload)
        return cu_bag_say(g, CU_FAIL, "manifest", line, "no line of a %s", "不是 %s 应有的行", manifest);
    f = cu_bag_find(&g->bag, path);
    if (!f) return cu_bag_say(g, CU_FAIL, "missing", path, "it is listed in %s and is not here", "列于 %s，但不在此处", manifest);
    if (f->listed) return cu_bag_say(g, CU_FAIL, "manifest", path, "it is listed twice", "重复列出");
    f->listed = true;
    if (!cu_hash_eq(&digest, &f->sha256))
        cu_bag_say(g, CU_FAIL, "altered", path, "its bytes are not those that %s lists", "其字节与 %s 所列不符", manifest);
}

static void check_manifest(struct cu_bag_judging *g, const char *name, bool payload)
{
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str(name));
    struct cu_lines lines;
    struct cu_span line;

    if (!f) return cu_bag_say(g, CU_FAIL, "missing", cu_span_str(name), "a bag has this file", "包内应有此文件");
    lines = cu_lines_on(cu_buf_span(&f->kept));
    while (cu_lines_next(&lines, &line)) check_row(g, name, payload, line);
    if (lines.bad) cu_bag_say(g, CU_FAIL, "manifest", cu_span_str(name), "its last line is cut off", "最后一行残缺");
}

static void check_files(struct cu_bag_judging *g)
{
    const struct cu_bag_file *bagit = cu_bag_find(&g->bag, cu_span_str("bagit.txt"));
    const uint64_t before = g->failures;

    if (!bagit ||
        !cu_span_starts(cu_buf_span(&bagit->kept), cu_span_str("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")))
        cu_bag_say(g, CU_FAIL, "missing", cu_span_str("bagit.txt"), "it does not say that this is a BagIt 1.0 bag",
                   "未说明这是 BagIt 1.0 包");
    if (g->bag.other.n)
        cu_bag_say(g, CU_FAIL, "added", cu_buf_span(&g->bag.other),
                   "it is no file but a link, a device or the like: a bag has files only",
                   "不是文件，而是链接、设备之类：包内只应有文件");
    check_manifest(g, "manifest-sha256.txt", true);
    check_manifest(g, unlisted, false);
    for (size_t i = 0; i < g->bag.n; i++)
        if (!g->bag.file[i].listed && !cu_span_is(g->bag.file[i].path, unlisted))
            cu_bag_say(g, CU_FAIL, "added", g->bag.file[i].path, "it is listed in no manifest", "未列入任何清单");
    if (g->failures == before)
        cu_bag_say(g, CU_PASS, "manifest", CU_SPAN_EMPTY,
                   "%zu files, %llu bytes: each is here as the manifests list it, and no other",
                   "%zu个文件，%llu字节：与清单所列逐一相符，别无他物", g->bag.n, LLU(g->bag.bytes));
}

/* ---- names that could not be kept ------------------------------------------------------------------------------------ */

static int by_original(const void *a, const void *b)
{
    const struct cu_bag_renamed *x = a, *y = b;
    int c = cu_span_cmp(x->stem, y->stem);

    return c ? c : cu_span_cmp(x->original, y->original);
}

static int by_original_and_path(const void *a, const void *b)
{
    const int c = by_original(a, b);

    return c ? c : cu_span_cmp(((const struct cu_bag_renamed *)a)->path, ((const struct cu_bag_renamed *)b)->path);
}

/* One path for each name: of several the first counts, and each further one is a fault. */
static void drop_repeated_names(struct cu_bag_judging *g)
{
    size_t n = 0;

    qsort(g->renamed, g->renamed_n, sizeof *g->renamed, by_original_and_path);
    for (size_t i = 0; i < g->renamed_n; i++) {
        if (n > 0 && by_original(&g->renamed[n - 1], &g->renamed[i]) == 0)
            cu_bag_say(g, CU_FAIL, "names", g->renamed[i].path, "names.txt gives its name to another file, too",
                       "names.txt 将其名称也给了另一文件");
        else g->renamed[n++] = g->renamed[i];
    }
    g->renamed_n = n;
}

static bool stem_of(struct cu_span path, struct cu_span *ret)
{
    return cu_span_take(&path, "data/") && cu_span_split(&path, '/', ret);
}

static cu_status read_names(struct cu_bag_judging *g, struct cu_err *err)
{
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str("names.txt"));
    struct cu_lines lines = cu_lines_on(f ? cu_buf_span(&f->kept) : CU_SPAN_EMPTY);
    struct cu_span line;
    size_t n = 0;

    for (size_t i = 0; f && i < f->kept.n; i++) n += f->kept.p[i] == '\n';
    g->renamed = calloc(n + 1, sizeof *g->renamed);
    ENSURE(g->renamed, err, CU_NO_MEMORY, "out of memory");
    while (cu_lines_next(&lines, &line)) {
        struct cu_bag_renamed *row = &g->renamed[g->renamed_n];
        row->original = line;
        if (!cu_span_split(&row->original, '\t', &row->path) || !stem_of(row->path, &row->stem))
            cu_bag_say(g, CU_FAIL, "names", line, "no line of names.txt", "不是 names.txt 应有的行");
        else g->renamed_n++;
    }
    drop_repeated_names(g);
    return CU_OK;
}

/* Where the bag has what was deposited as `name`/`path`; NULL: nowhere. */
static cu_status find_evidence(struct cu_bag_judging *g, const char *stem, struct cu_span name, struct cu_span path,
                               struct cu_bag_file **ret, struct cu_err *err)
{
    CU_BUF original = cu_buf_heap(65536), where = cu_buf_heap(65536);
    struct cu_bag_renamed key = { .stem = cu_span_str(stem) }, *row;

    cu_bag_original(name, &original);
    cu_buf_add_byte(&original, '/');
    cu_bag_original(path, &original);
    TRY(cu_buf_ok(&original, err));
    key.original = cu_buf_span(&original);
    row = bsearch(&key, g->renamed, g->renamed_n, sizeof *g->renamed, by_original);
    cu_buf_addf(&where, "data/%s/", stem);
    cu_buf_add(&where, name);
    cu_buf_add_byte(&where, '/');
    cu_buf_add(&where, path);
    TRY(cu_buf_ok(&where, err));
    *ret = cu_bag_find(&g->bag, row ? row->path : cu_buf_span(&where));
    return CU_OK;
}

/* ---- 3. the bytes of an exhibit -------------------------------------------------------------------------------------- */

/* Files that begin with "data/<stem><mark>": how many, from where on. */
static size_t files_of(const struct cu_bag_judging *g, const char *stem, const char *mark, size_t *ret_from)
{
    char prefix[200];
    size_t from = 0, to = g->bag.n, n = 0;

    (void)snprintf(prefix, sizeof prefix, "data/%s%s", stem, mark);
    while (from < to) {
        size_t mid = (from + to) / 2;
        if (cu_span_cmp(g->bag.file[mid].path, cu_span_str(prefix)) < 0) from = mid + 1;
        else to = mid;
    }
    while (from + n < g->bag.n && cu_span_starts(g->bag.file[from + n].path, cu_span_str(prefix))) n++;
    *ret_from = from;
    return n;
}

/* `of`: what people call it, when it is not here. */
static bool check_bytes(struct cu_bag_judging *g, struct cu_bag_file *f, struct cu_span of, uint64_t size, const cu_hash *root,
                        const cu_hash *sha256)
{
    const bool same = f && f->size == size && cu_hash_eq(&f->root, root) && (!sha256 || cu_hash_eq(&f->sha256, sha256));

    if (f) f->used = true;
    if (!f) cu_bag_say(g, CU_FAIL, "missing", of, "it belongs to %s and is not here", "属于%s，但不在此处", g->called);
    else if (!same)
        cu_bag_say(g, CU_FAIL, "altered", f->path, "it is not what was deposited as %s: its bytes differ",
                   "与%s存证时不符：字节不同", g->called);
    return same;
}

static cu_status check_items(struct cu_bag_judging *g, const char *stem, struct cu_span manifest, bool *io_good,
                             struct cu_err *err)
{
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;

    TRY(cu_manifest_open(manifest, &m, err));
    for (;;) {
        CU_BUF of = cu_buf_heap((size_t)CU_PATH_MAX_BYTES + sizeof g->exhibit->stem);
        struct cu_bag_file *f;
        TRY(cu_manifest_next(&m, &item, &more, err));
        if (!more) return CU_OK;
        if (item.type != CU_ITEM_FILE) continue;
        cu_buf_addf(&of, "%s/", stem);
        cu_buf_add(&of, item.path);
        TRY(cu_buf_ok(&of, err));
        TRY(find_evidence(g, stem, g->report->item_name, item.path, &f, err));
        *io_good &= check_bytes(g, f, cu_buf_span(&of), item.size, &item.root, &item.sha256);
    }
}

/* The manifest of the folder, when it is the one that was claimed. */
static bool check_folder_manifest(struct cu_bag_judging *g, const struct cu_bag_file *receipt, struct cu_span *ret)
{
    const struct cu_claim *claim = &g->report->entry.inner.body.claim;
    const struct cu_bag_file *beside;
    struct cu_manifest m;
    struct cu_item item;
    char name[300];
    bool more = true;

    *ret = g->report->manifest;
    if (ret->n) return true;
    (void)snprintf(name, sizeof name, "%.*s.manifest", (int)receipt->path.n, (const char *)receipt->path.p);
    beside = cu_bag_find(&g->bag, cu_span_str(name));
    if (!beside)
        return cu_bag_say(g, CU_FAIL, "missing", cu_span_str(name), "the manifest of the folder %s is not here",
                          "文件夹%s的清单不在此处", g->called),
               false;
    *ret = cu_buf_span(&beside->kept);
    const cu_hash root = cu_content_root_of(*ret);
    bool good = ret->n == claim->size && cu_hash_eq(&root, &claim->root) && cu_manifest_open(*ret, &m, NULL) == CU_OK;
    while (good && more) good = cu_manifest_next(&m, &item, &more, NULL) == CU_OK;
    if (!good)
        cu_bag_say(g, CU_FAIL, "altered", cu_span_str(name), "it is not the manifest that was claimed of the folder %s",
                   "不是文件夹%s所声明的清单", g->called);
    return good;
}

/* `manifest`: of a folder, checked before. */
static cu_status judge_part(const struct cu_bag_file *f, const struct cu_bag_part_name *name, const struct cu_bag_file *at,
                            const struct cu_report *r, struct cu_span manifest, struct cu_part_proof *ret, uint64_t *ret_size,
                            struct cu_err *err)
{
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    struct cu_item item = { .type = CU_ITEM_FILE, .size = claim->size, .root = claim->root };
    uint64_t row;

    TRY(cu_part_proof_read(cu_buf_span(&at->kept), ret, err));
    ENSURE(cu_hash_eq(&ret->id, &r->id), err, CU_BAD_PROOF, "it is of another deposit");
    ENSURE(ret->first == name->first && ret->last == name->last && ret->has_item == claim->has_folder, err, CU_MALFORMED,
           "it is of other bytes than the name says, or of no item");
    if (ret->has_item) TRY(cu_manifest_find(manifest, ret->item, &item, &row, err));
    ENSURE(item.type == CU_ITEM_FILE, err, CU_NOT_FOUND, "the item is no file");
    *ret_size = item.size;
    return cu_part_verify(f->part, ret, item.size, &item.root, err);
}

static bool check_part(struct cu_bag_judging *g, struct cu_bag_file *f, const struct cu_bag_part_name *part,
                       struct cu_span manifest)
{
    char name[300], of[CU_BAG_PATH] = "", en[CU_BAG_WORDS], zh[CU_BAG_WORDS];
    struct cu_part_proof proof = { .has_item = false };
    uint64_t size = 0;

    (void)snprintf(name, sizeof name, "receipts/%.*s" CU_BAG_PART, (int)f->path.n - 5, (const char *)f->path.p + 5);
    const struct cu_bag_file *at = cu_bag_find(&g->bag, cu_span_str(name));
    f->used = true;
    if (!at)
        return cu_bag_say(g, CU_FAIL, "missing", f->path, "the proof of this part is not here", "此部分的证明不在此处"), false;
    const cu_status judged = judge_part(f, part, at, g->report, manifest, &proof, &size, NULL);
    if (judged != CU_OK)
        return cu_bag_say(g, CU_FAIL, "altered", f->path, "these bytes are not proven to be of the item: %s%.0s",
                          "未能证明这些字节属于该项：%.0s%s", cu_status_text(judged), cu_status_text_zh(judged)),
               false;
    if (proof.has_item) cu_bag_path_shown(proof.item, of);
    (void)snprintf(en, sizeof en, "bytes %llu to %llu of %llu%s%s, as deposited", LLU(proof.first), LLU(proof.last), LLU(size),
                   of[0] ? ": " : "", of);
    (void)snprintf(zh, sizeof zh, "%s%s第%llu至%llu字节（共%llu字节），与存证时一致", of, of[0] ? "的" : "", LLU(proof.first),
                   LLU(proof.last), LLU(size));
    cu_bag_say_two(g, CU_PASS, "part", f->path, en, zh);
    g->parts++;
    return true;
}

static cu_status check_evidence(struct cu_bag_judging *g, const struct cu_bag_file *receipt, const struct cu_bag_row *e,
                                const char **ret_state, struct cu_err *err)
{
    const struct cu_report *r = g->report;
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    size_t parts_at, near = files_of(g, e->stem, ".", &parts_at), at, files = files_of(g, e->stem, "/", &at), parts = 0;
    struct cu_span manifest = CU_SPAN_EMPTY;
    struct cu_bag_part_name name;
    bool good = true, looked = false, known = true;

    for (size_t i = parts_at; i < parts_at + near; i++) {
        if (!cu_bag_part(g->bag.file[i].path, &name) || !cu_span_is(name.stem, e->stem)) continue;
        if (claim->has_folder && !looked) looked = true, known = check_folder_manifest(g, receipt, &manifest);
        parts++;
        if (known) good &= check_part(g, &g->bag.file[i], &name, manifest);
        g->bag.file[i].used = true;
    }
    if (claim->has_folder && files && !looked) known = check_folder_manifest(g, receipt, &manifest);
    if (files && claim->has_folder && known) TRY(check_items(g, e->stem, manifest, &good, err));
    if (files && !claim->has_folder)
        good &= check_bytes(g, &g->bag.file[at], r->item_name, claim->size, &claim->root, r->has_sha256 ? &r->sha256 : NULL);
    good &= known;
    *ret_state = !good ? "altered" : files ? "same" : parts ? "part" : "reference";
    g->here += good && files;
    g->by_reference += !files && !parts;
    return CU_OK;
}

/* ---- 2. receipts ----------------------------------------------------------------------------------------------------- */

/* The line that decided a verdict, in words that every verifier has: its status stands for what exactly was found. */
enum { WORDS = 400 };
static const char *why_of(const struct cu_report *r, int v, char ret[WORDS])
{
    const struct cu_check_line *line = &r->why[v];
    const bool reason = line->words_n < strlen(line->text);

    (void)snprintf(ret, WORDS, "%.*s%s%s", (int)line->words_n, line->text, reason ? ": " : "",
                   reason ? cu_status_text(line->status) : "");
    return ret;
}

/* A receipt's own verdicts make the bag's worse. */
static void fold(struct cu_bag_judging *g, const struct cu_bag_file *f, const struct cu_report *r)
{
    char name[CU_BAG_PATH], words[WORDS];

    for (int v = 0; v < CU_VERDICTS; v++) {
        if (r->verdict[v] >= g->verdict[v]) continue;
        g->verdict[v] = r->verdict[v];
        (void)snprintf(g->why[v].en, sizeof g->why[v].en, "%s: %s", cu_bag_path_shown(f->path, name), why_of(r, v, words));
        (void)snprintf(g->why[v].zh, sizeof g->why[v].zh, "%s：%s", name, r->why[v].text_zh);
    }
    g->one_keeper |= r->one_keeper;
    g->copies_missing |= r->entry.kind == CU_KIND_DEPOSIT && !r->copies_ok;
    if (r->recorded_by.v > g->as_of.v) g->as_of = r->recorded_by;
    if (!g->ledger[0] && r->ledger_name.n > 33) {
        cu_bag_name_shown(cu_span(r->ledger_name.p, r->ledger_name.n - 33), g->ledger);
        g->network = r->network;
    }
}

static void *grown(void *p, size_t n, size_t each) { return (n & (n - 1)) == 0 ? realloc(p, (n ? 2 * n : 1) * each) : p; }

static void tell_exhibit(struct cu_bag_judging *g, const struct cu_bag_row *e, const struct cu_report *r, const char *state)
{
    static const struct {
        const char *state, *en, *zh;
    } rows[] = { { "same", "its bytes are here, every one as it was signed", "其数据在此，每一字节与签名时一致" },
                 { "part", "a part of its bytes is here", "其部分数据在此" },
                 { "reference", "its bytes are not here, its record alone is proven", "其数据不在此，仅其记录得到证明" },
                 { "altered", "its bytes are NOT those that were signed", "其数据与签名时不一致" } };
    char name[CU_BAG_PATH], by[CU_BAG_NAME], time[32], en[CU_BAG_WORDS], zh[CU_BAG_WORDS];

    cu_time_text(r->recorded_by, time);
    cu_bag_path_shown(r->item_name, name);
    cu_bag_name_shown(r->depositor, by);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].state, state) != 0) continue;
        (void)snprintf(en, sizeof en, "%s, deposited by %s, recorded by %s; %s", name, by, time, rows[i].en);
        (void)snprintf(zh, sizeof zh, "%s，存证人%s，入账不晚于%s；%s", name, by, time, rows[i].zh);
        cu_bag_say_two(g, strcmp(state, "altered") == 0 ? CU_FAIL : CU_PASS, "exhibit", cu_span_str(e->stem), en, zh);
    }
    cu_bag_tell(g, e, r, state);
}

/* One more name for the sentence, which has at most `most` of a sort. */
static void note_name(struct cu_buf *names, uint64_t *io_n, uint64_t most, const char *name)
{
    if ((*io_n)++ < most) cu_buf_add(names, cu_span(name, strlen(name) + 1));
}

static void note_case(struct cu_bag_judging *g, struct cu_span name)
{
    char one[CU_BAG_NAME];
    struct cu_span rest = cu_buf_span(&g->cases), known;

    cu_bag_name_shown(name, one);
    while (cu_span_split(&rest, '\0', &known))
        if (cu_span_is(known, one)) return;
    note_name(&g->cases, &g->cases_n, CU_BAG_CASES, one);
}

static cu_status take_deposit(struct cu_bag_judging *g, const struct cu_bag_file *f, struct cu_err *err)
{
    const struct cu_report *r = g->report;
    const char *state;
    struct cu_bag_row *e = grown(g->exhibit, g->exhibits, sizeof *e);

    ENSURE(e, err, CU_NO_MEMORY, "out of memory");
    g->exhibit = e;
    e = &g->exhibit[g->exhibits];
    *e = (struct cu_bag_row){ .id = r->id };
    (void)snprintf(e->stem, sizeof e->stem, "%.*s", (int)(f->path.n - strlen("receipts/" CU_BAG_RECEIPT)),
                   (const char *)f->path.p + strlen("receipts/"));
    for (size_t i = 0; i < g->exhibits; i++)
        if (cu_hash_eq(&g->exhibit[i].id, &e->id))
            return cu_bag_say(g, CU_FAIL, "added", f->path, "a second receipt of one exhibit", "同一证物的第二份回执"), CU_OK;
    g->exhibits++;
    cu_bag_path_shown(cu_span_str(e->stem), g->called);
    TRY(check_evidence(g, f, e, &state, err));
    tell_exhibit(g, e, r, state);
    note_case(g, r->case_name);
    if (g->r->exhibit) {
        struct cu_bag_exhibit told = { .network = r->network, .id = e->id };
        (void)snprintf(told.stem, sizeof told.stem, "%s", e->stem);
        g->r->exhibit(g->r->arg, &told);
    }
    return CU_OK;
}

static cu_status take_inventory(struct cu_bag_judging *g, const struct cu_bag_file *f, struct cu_err *err)
{
    struct cu_bag_inventory *i = grown(g->inventory, g->inventories, sizeof *i);

    ENSURE(i, err, CU_NO_MEMORY, "out of memory");
    g->inventory = i;
    i = &g->inventory[g->inventories++];
    *i = (struct cu_bag_inventory){ .receipt = f,
                                    .root = g->report->entry.outer.body.inventory.root,
                                    .n = g->report->entry.outer.body.inventory.n };
    const struct cu_span name = g->report->case_name;
    (void)snprintf(i->case_name, sizeof i->case_name, "%.*s", (int)name.n, (const char *)name.p);
    return CU_OK;
}

static cu_status take_disclosure(struct cu_bag_judging *g, struct cu_err *err)
{
    const struct cu_report *r = g->report;
    const struct cu_list *targets = &r->entry.outer.body.disclosure.targets;
    union cu_details details;
    struct cu_bag_given *more = realloc(g->given, (g->given_n + targets->n) * sizeof *more);
    cu_hash id;
    size_t at = 0;

    ENSURE(more, err, CU_NO_MEMORY, "out of memory");
    g->given = more;
    while (cu_list_next(targets, &cu_id_schema, &at, &id)) g->given[g->given_n++] = (struct cu_bag_given){ id, false };
    if (!g->recipient[0] && cu_details_check(r->record.details, CU_KIND_DISCLOSURE, &details, NULL) == CU_OK &&
        details.disclosure.has_recipient)
        cu_bag_name_shown(details.disclosure.recipient, g->recipient);
    return CU_OK;
}

static cu_status take_receipt(struct cu_bag_judging *g, struct cu_bag_file *f, struct cu_err *err)
{
    const struct cu_trust *trust = g->trust_text.n ? &g->trust : NULL;
    struct cu_err why = { 0 };
    char words[WORDS], en[WORDS + 40], zh[WORDS + 40];
    const cu_status read = cu_receipt_verify(cu_buf_span(&f->kept), trust, NULL, g->r->verifier, g->r->scratch, g->report, &why);

    ENSURE(read != CU_NO_MEMORY && read != CU_CRYPTO, err, read, "%s", why.text);
    fold(g, f, g->report);
    g->receipts++;
    if (read != CU_OK || g->report->verdict[CU_VERDICT_INTEGRITY] == CU_FAIL) {
        (void)snprintf(en, sizeof en, "it does not verify: %s", why_of(g->report, CU_VERDICT_INTEGRITY, words));
        (void)snprintf(zh, sizeof zh, "未通过验证：%s", g->report->why[CU_VERDICT_INTEGRITY].text_zh);
        cu_bag_say_two(g, CU_FAIL, "receipt", f->path, en, zh);
        return CU_OK;
    }
    if (g->report->verdict[CU_VERDICT_SIGNER] == CU_FAIL)
        cu_bag_say_two(g, CU_FAIL, "signer", f->path, why_of(g->report, CU_VERDICT_SIGNER, words),
                       g->report->why[CU_VERDICT_SIGNER].text_zh);
    if (g->report->entry.kind == CU_KIND_DEPOSIT) return take_deposit(g, f, err);
    if (g->report->entry.kind == CU_KIND_INVENTORY && g->report->entry.outer.body.inventory.has_case)
        return take_inventory(g, f, err);
    if (g->report->entry.kind == CU_KIND_DISCLOSURE) return take_disclosure(g, err);
    cu_bag_say(g, CU_PASS, "receipt", f->path, "of a further entry, a %s%.0s; it verifies",
               "另一条记录（%.0s%s）的回执；通过验证", cu_kind_row(g->report->entry.kind)->name,
               cu_kind_zh(g->report->entry.kind));
    return CU_OK;
}

static cu_status check_receipts(struct cu_bag_judging *g, struct cu_err *err)
{
    static const char dir[] = "receipts/", end[] = CU_BAG_RECEIPT;

    for (size_t i = 0; i < g->bag.n; i++) {
        const struct cu_span path = g->bag.file[i].path;
        const size_t around = strlen(dir) + strlen(end);
        if (cu_span_starts(path, cu_span_str(dir)) && path.n > around && path.n - around < sizeof g->exhibit->stem &&
            memcmp(path.p + path.n - strlen(end), end, strlen(end)) == 0)
            TRY(take_receipt(g, &g->bag.file[i], err));
    }
    if (g->receipts == 0)
        cu_bag_say(g, CU_FAIL, "receipt", cu_span_str(dir), "there is no receipt: this package proves nothing",
                   "没有回执：本包不能证明任何事");
    for (size_t i = 0; i < g->bag.n; i++)
        if (!g->bag.file[i].used && cu_span_starts(g->bag.file[i].path, cu_span_str("data/")))
            cu_bag_say(g, CU_FAIL, "added", g->bag.file[i].path, "it belongs to no exhibit: nobody signed it",
                       "不属于任何证物：无人为其签名");
    return CU_OK;
}

/* ---- 4. 5. what is missing ------------------------------------------------------------------------------------------- */

static int by_hash(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }
static int exhibit_by_id(const void *a, const void *b)
{
    return by_hash(&((const struct cu_bag_row *)a)->id, &((const struct cu_bag_row *)b)->id);
}

static struct cu_bag_row *exhibit_of(const struct cu_bag_judging *g, const cu_hash *id)
{
    const struct cu_bag_row key = { .id = *id };

    return g->exhibits ? bsearch(&key, g->exhibit, g->exhibits, sizeof *g->exhibit, exhibit_by_id) : NULL;
}

static struct cu_bag_given *given_of(const struct cu_bag_judging *g, const cu_hash *id)
{
    return g->given_n ? bsearch(id, g->given, g->given_n, sizeof *g->given, by_hash) : NULL; /* the id comes first in it */
}

/* One deposit that the case has. */
static void check_listed(struct cu_bag_judging *g, const struct cu_bag_inventory *of, uint64_t number, const cu_hash *id,
                         uint64_t *io_absent)
{
    struct cu_bag_given *given = given_of(g, id);
    char name[sizeof of->case_name + 24], shown[CU_BAG_PATH], hex[65];

    if (exhibit_of(g, id)) return;
    cu_hash_hex(id, hex);
    (void)snprintf(name, sizeof name, "%s/%llu", of->case_name, LLU(number));
    note_name(&g->missing, &g->missing_n, CU_BAG_MISSING, cu_bag_path_shown(cu_span_str(name), shown));
    ++*io_absent;
    if (given) given->told = true;
    if (given)
        cu_bag_say(g, CU_FAIL, "left-out", cu_span_str(name),
                   "it was given out with this package and is not here: it was left out afterwards (id %.16s…)",
                   "曾随本包出示，但不在此处：事后被抽去（标识%.16s…）", hex);
    else
        cu_bag_say(g, CU_NOTE, "not-included", cu_span_str(name), "the case has it; it is not part of this package (id %.16s…)",
                   "该案有此证物，但不在本包之内（标识%.16s…）", hex);
}

/* The list that an inventory is about; *ret_good: it is the one. */
static uint64_t walk_list(struct cu_bag_judging *g, const struct cu_bag_inventory *of, struct cu_span text, bool look,
                          bool *ret_good)
{
    struct cu_lines lines = cu_lines_on(text);
    struct cu_frontier ids = { 0 };
    struct cu_span line, number;
    uint64_t n = 0, at, absent = 0;
    cu_hash id;

    *ret_good = false;
    while (cu_lines_next(&lines, &line)) {
        if (!cu_span_split(&line, ' ', &number) || cu_decimal_read(number, INT64_MAX, &at, NULL) != CU_OK || at != ++n ||
            cu_hex_read(line, id.b, sizeof id.b, NULL) != CU_OK)
            return 0;
        const cu_hash leaf = cu_leaf_hash(cu_span_hash(&id));
        cu_frontier_append(&ids, &leaf);
        if (look) check_listed(g, of, n, &id, &absent);
    }
    const cu_hash root = cu_frontier_root(&ids);
    *ret_good = !lines.bad && n == of->n && cu_hash_eq(&root, &of->root);
    return absent;
}

static void check_inventory(struct cu_bag_judging *g, const struct cu_bag_inventory *of)
{
    char name[140];
    bool good = false;

    (void)snprintf(name, sizeof name, "%.*s.txt", (int)(of->receipt->path.n - strlen("receipts/" CU_BAG_RECEIPT)),
                   (const char *)of->receipt->path.p + strlen("receipts/"));
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str(name));
    if (f) walk_list(g, of, cu_buf_span(&f->kept), false, &good);
    if (!good)
        return cu_bag_say(g, CU_FAIL, "inventory", cu_span_str(name),
                          "it is not the list of the %llu deposits that the ledger recorded", "不是账本所记录的%llu次存证的清单",
                          LLU(of->n));
    const uint64_t absent = walk_list(g, of, cu_buf_span(&f->kept), true, &good);
    if (absent)
        cu_bag_say(g, CU_PASS, "inventory", cu_span_str(of->case_name),
                   "the case has %llu deposits as of its inventory; of these not in this package: %llu",
                   "截至清单，该案有%llu次存证；其中%llu次不在本包之内", LLU(of->n), LLU(absent));
    else
        cu_bag_say(g, CU_PASS, "inventory", cu_span_str(of->case_name),
                   "the case has %llu deposits as of its inventory, and each of them is in this package",
                   "截至清单，该案有%llu次存证，均在本包之内", LLU(of->n));
}

static void check_disclosed(struct cu_bag_judging *g)
{
    char hex[65];

    if (g->given_n == 0)
        return cu_bag_say(g, CU_FAIL, "disclosure", cu_span_str("receipts/disclosure" CU_BAG_RECEIPT),
                          "the record of what was given out is not here: whether an exhibit was left out cannot be told",
                          "出示记录不在此处：无从得知是否有证物被抽去");
    for (size_t i = 0; i < g->given_n; i++) {
        struct cu_bag_row *e = exhibit_of(g, &g->given[i].id);
        if (e) e->disclosed = true;
        if (e || g->given[i].told) continue;
        cu_hash_hex(&g->given[i].id, hex);
        cu_bag_say(g, CU_FAIL, "left-out", cu_span_str(hex),
                   "a deposit with this id was given out with this package and is not here",
                   "带有此标识的存证曾随本包出示，但不在此处");
    }
    for (size_t i = 0; i < g->exhibits; i++)
        if (!g->exhibit[i].disclosed)
            cu_bag_say(g, CU_FAIL, "put-in", cu_span_str(g->exhibit[i].stem),
                       "it is not among what was given out: it was put in afterwards", "不在出示之列：事后被放入");
}

static void check_lists(struct cu_bag_judging *g)
{
    if (g->exhibits) qsort(g->exhibit, g->exhibits, sizeof *g->exhibit, exhibit_by_id);
    if (g->given_n) qsort(g->given, g->given_n, sizeof *g->given, by_hash);
    size_t n = 0;
    for (size_t i = 0; i < g->given_n; i++)
        if (n == 0 || by_hash(&g->given[n - 1], &g->given[i]) != 0) g->given[n++] = g->given[i];
    g->given_n = n;
    for (size_t i = 0; i < g->inventories; i++) check_inventory(g, &g->inventory[i]);
    if (g->inventories == 0)
        cu_bag_say(g, CU_FAIL, "inventory", CU_SPAN_EMPTY, "there is no inventory of the case: what it has besides is not known",
                   "没有案件清单：无从得知该案还有什么");
    check_disclosed(g);
}

static void check_trust(struct cu_bag_judging *g)
{
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str("trust/ledger.trust"));

    if (!g->trust_text.n)
        cu_bag_say(g, CU_NOT_PROVEN, "trust", CU_SPAN_EMPTY, "no trust file is pinned: nobody vouches for the keys",
                   "没有指定信任文件：无人为密钥作证");
    else if (f && !cu_span_eq(cu_buf_span(&f->kept), g->trust_text))
        cu_bag_say(g, CU_NOTE, "trust", f->path, "it differs from the pinned trust file, which alone was believed",
                   "与指定的信任文件不同；仅以指定者为准");
    if (cu_bag_find(&g->bag, cu_span_str(CU_BAG_CHAIN)))
        cu_bag_say(
            g, CU_NOTE, "trust", cu_span_str(CU_BAG_CHAIN),
            "the chain of trust, not judged here: from the network id, or an older trust file, it leads to today's by `custody "
            "trust follow`",
            "信任链，此处未作判断：可用 `custody trust follow` 由网络标识或较早的信任文件得出当前信任文件");
}

/* ---- in order -------------------------------------------------------------------------------------------------------- */

cu_status cu_bag_check(struct cu_bag_judging *g, struct cu_err *err)
{
    check_files(g);
    TRY(read_names(g, err));
    TRY(check_receipts(g, err));
    check_lists(g);
    check_trust(g);
    TRY(cu_buf_ok(&g->cases, err));
    return cu_buf_ok(&g->missing, err);
}
