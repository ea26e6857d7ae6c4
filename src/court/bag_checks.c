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
    if (g->bag.other[0])
        cu_bag_say(g, CU_FAIL, "added", CU_SPAN_EMPTY, "%s, and a bag has files only", "%s；包内只应有文件", g->bag.other);
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
    qsort(g->renamed, g->renamed_n, sizeof *g->renamed, by_original);
    return CU_OK;
}

/* Where the bag has what was deposited as `name`[/`path`]. */
static struct cu_bag_file *find_evidence(struct cu_bag_judging *g, const char *stem, struct cu_span name, struct cu_span path)
{
    CU_BUF original = cu_buf_heap(65536), where = cu_buf_heap(65536);
    struct cu_bag_renamed key = { .stem = cu_span_str(stem) }, *row;

    cu_bag_original(name, &original);
    if (path.n) cu_buf_add_byte(&original, '/'), cu_bag_original(path, &original);
    key.original = cu_buf_span(&original);
    row = bsearch(&key, g->renamed, g->renamed_n, sizeof *g->renamed, by_original);
    cu_buf_addf(&where, "data/%s/", stem);
    cu_buf_add(&where, name);
    if (path.n) cu_buf_add_byte(&where, '/'), cu_buf_add(&where, path);
    return cu_bag_find(&g->bag, row ? row->path : cu_buf_span(&where));
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

static bool check_bytes(struct cu_bag_judging *g, struct cu_bag_file *f, const char *stem, struct cu_span name, uint64_t size,
                        const cu_hash *root)
{
    bool same = f && f->size == size && cu_hash_eq(&f->root, root);

    if (f) f->used = true;
    if (!f) cu_bag_say(g, CU_FAIL, "missing", name, "it belongs to %s and is not here", "属于%s，但不在此处", stem);
    else if (!same)
        cu_bag_say(g, CU_FAIL, "altered", f->path, "it is not what was deposited as %s: its bytes differ",
                   "与%s存证时不符：字节不同", stem);
    return same;
}

static cu_status check_items(struct cu_bag_judging *g, const char *stem, struct cu_span manifest, bool *ret_good,
                             struct cu_err *err)
{
    const struct cu_claim *claim = &g->report->entry.inner.body.claim;
    const cu_hash root = cu_content_root_of(manifest);
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;

    *ret_good = false;
    if (manifest.n != claim->size || !cu_hash_eq(&root, &claim->root) || cu_manifest_open(manifest, &m, NULL) != CU_OK) {
        if (manifest.n)
            cu_bag_say(g, CU_FAIL, "altered", cu_span_str(stem), "the folder's manifest is not the one that was claimed",
                       "文件夹清单与声明的不符");
        else
            cu_bag_say(g, CU_FAIL, "missing", cu_span_str(stem), "the folder's manifest is not here: receipts/…" CU_BAG_MANIFEST,
                       "文件夹清单不在此处：receipts/…" CU_BAG_MANIFEST);
        return CU_OK;
    }
    for (*ret_good = true;;) {
        TRY(cu_manifest_next(&m, &item, &more, err));
        if (!more) return CU_OK;
        if (item.type == CU_ITEM_FILE)
            *ret_good &= check_bytes(g, find_evidence(g, stem, g->report->item_name, item.path), stem, item.path, item.size,
                                     &item.root);
    }
}

static bool check_part(struct cu_bag_judging *g, struct cu_bag_file *f, const struct cu_report *r)
{
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    struct cu_part_proof proof;
    struct cu_bag_file *at;
    struct cu_err why = { 0 };
    char name[300];

    (void)snprintf(name, sizeof name, "receipts/%.*s" CU_BAG_PART, (int)f->path.n - 5, (const char *)f->path.p + 5);
    at = cu_bag_find(&g->bag, cu_span_str(name));
    f->used = true;
    if (!at || !f->part)
        return cu_bag_say(g, CU_FAIL, "missing", f->path, "the proof of this part is not here", "此部分的证明不在此处"), false;
    if (cu_part_proof_read(cu_buf_span(&at->kept), &proof, &why) != CU_OK || !cu_hash_eq(&proof.id, &r->id) ||
        claim->has_folder || cu_part_verify(f->part, &proof, claim->size, &claim->root, &why) != CU_OK)
        return cu_bag_say(g, CU_FAIL, "altered", f->path, "these bytes are not proven to be of the item: %s",
                          "未能证明这些字节属于该项：%s", why.text[0] ? why.text : "the proof is of another exhibit"),
               false;
    cu_bag_say(g, CU_PASS, "part", f->path, "bytes %llu to %llu of %llu, as deposited",
               "第%llu至%llu字节（共%llu字节），与存证时一致", LLU(proof.first), LLU(proof.last), LLU(claim->size));
    g->parts++;
    return true;
}

static struct cu_span manifest_of(const struct cu_bag_judging *g, const struct cu_bag_file *receipt)
{
    char name[300];

    if (g->report->manifest.n) return g->report->manifest;
    (void)snprintf(name, sizeof name, "%.*s.manifest", (int)receipt->path.n, (const char *)receipt->path.p);
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str(name));
    return f ? cu_buf_span(&f->kept) : CU_SPAN_EMPTY;
}

static cu_status check_evidence(struct cu_bag_judging *g, const struct cu_bag_file *receipt, const struct cu_bag_row *e,
                                const char **ret_state, struct cu_err *err)
{
    const struct cu_report *r = g->report;
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    size_t from, n = files_of(g, e->stem, CU_BAG_BYTES, &from);
    bool good = true;

    for (size_t i = 0; i < n; i++) good &= check_part(g, &g->bag.file[from + i], r);
    *ret_state = good ? "part" : "altered";
    size_t files = files_of(g, e->stem, "/", &from);
    if (files == 0) {
        if (n) return CU_OK;
        *ret_state = "reference";
        g->by_reference++;
        return CU_OK;
    }
    if (claim->has_folder) TRY(check_items(g, e->stem, manifest_of(g, receipt), &good, err));
    else good = check_bytes(g, &g->bag.file[from], e->stem, r->item_name, claim->size, &claim->root);
    *ret_state = good ? "same" : "altered";
    g->here += good;
    return CU_OK;
}

/* ---- 2. receipts ----------------------------------------------------------------------------------------------------- */

/* A receipt's own verdicts make the bag's worse. */
static void fold(struct cu_bag_judging *g, const struct cu_bag_file *f, const struct cu_report *r)
{
    char name[140];

    for (int v = 0; v < CU_VERDICTS; v++) {
        if (r->verdict[v] >= g->verdict[v]) continue;
        g->verdict[v] = r->verdict[v];
        (void)snprintf(g->why[v].en, sizeof g->why[v].en, "%s: %s", cu_bag_shown(f->path, name), r->why[v].text);
        (void)snprintf(g->why[v].zh, sizeof g->why[v].zh, "%s：%s", name, r->why[v].text_zh);
    }
    g->one_keeper |= r->one_keeper;
    g->copies_missing |= r->entry.kind == CU_KIND_DEPOSIT && !r->copies_ok;
    if (r->recorded_by.v > g->as_of.v) g->as_of = r->recorded_by;
    if (!g->any)
        cu_bag_shown(cu_span(r->ledger_name.p, r->ledger_name.n > 33 ? r->ledger_name.n - 33 : 0), g->ledger),
            g->network = r->network;
    g->any = true;
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
    char name[140], by[140], time[32], en[700], zh[700];

    cu_time_text(r->recorded_by, time);
    cu_bag_shown(r->item_name, name);
    cu_bag_shown(r->depositor, by);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].state, state) != 0) continue;
        (void)snprintf(en, sizeof en, "%s, deposited by %s, recorded by %s; %s", name, by, time, rows[i].en);
        (void)snprintf(zh, sizeof zh, "%s，存证人%s，入账不晚于%s；%s", name, by, time, rows[i].zh);
        cu_bag_say_two(g, strcmp(state, "altered") == 0 ? CU_FAIL : CU_PASS, "exhibit", cu_span_str(e->stem), en, zh);
    }
    cu_bag_tell(g, e, r, state);
}

static void note_case(struct cu_bag_judging *g, struct cu_span name)
{
    char one[140], wrapped[150], all[310];

    (void)snprintf(wrapped, sizeof wrapped, ", %s,", cu_bag_shown(name, one));
    (void)snprintf(all, sizeof all, ", %s,", g->cases);
    if (strstr(all, wrapped)) return;
    (void)snprintf(g->cases + strlen(g->cases), sizeof g->cases - strlen(g->cases), "%s%s", g->cases[0] ? ", " : "", one);
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
    char name[140];
    (void)snprintf(i->case_name, sizeof i->case_name, "%.119s", cu_bag_shown(g->report->case_name, name));
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
    if (cu_details_check(r->record.details, CU_KIND_DISCLOSURE, &details, NULL) == CU_OK && details.disclosure.has_recipient)
        cu_bag_shown(details.disclosure.recipient, g->recipient);
    return CU_OK;
}

static cu_status take_receipt(struct cu_bag_judging *g, struct cu_bag_file *f, struct cu_err *err)
{
    const struct cu_trust *trust = g->trust_text.n ? &g->trust : NULL;
    struct cu_err why = { 0 };
    char en[300], zh[400];
    const cu_status read = cu_receipt_verify(cu_buf_span(&f->kept), trust, NULL, g->r->verifier, g->r->scratch, g->report, &why);

    ENSURE(read != CU_NO_MEMORY && read != CU_CRYPTO, err, read, "%s", why.text);
    fold(g, f, g->report);
    g->receipts++;
    if (read != CU_OK || g->report->verdict[CU_VERDICT_INTEGRITY] == CU_FAIL) {
        (void)snprintf(en, sizeof en, "it does not verify: %s", g->report->why[CU_VERDICT_INTEGRITY].text);
        (void)snprintf(zh, sizeof zh, "未通过验证：%s", g->report->why[CU_VERDICT_INTEGRITY].text_zh);
        cu_bag_say_two(g, CU_FAIL, "receipt", f->path, en, zh);
        return CU_OK;
    }
    if (g->report->verdict[CU_VERDICT_SIGNER] == CU_FAIL)
        cu_bag_say_two(g, CU_FAIL, "signer", f->path, g->report->why[CU_VERDICT_SIGNER].text,
                       g->report->why[CU_VERDICT_SIGNER].text_zh);
    if (g->report->entry.kind == CU_KIND_DEPOSIT) return take_deposit(g, f, err);
    if (g->report->entry.kind == CU_KIND_INVENTORY && g->report->entry.outer.body.inventory.has_case)
        return take_inventory(g, f, err);
    if (g->report->entry.kind == CU_KIND_DISCLOSURE) return take_disclosure(g, err);
    cu_bag_say(g, CU_PASS, "receipt", f->path, "of a further entry, a %s; it verifies", "另一条记录（%s）的回执；通过验证",
               cu_kind_row(g->report->entry.kind)->name);
    return CU_OK;
}

static cu_status check_receipts(struct cu_bag_judging *g, struct cu_err *err)
{
    static const char dir[] = "receipts/", end[] = CU_BAG_RECEIPT;

    for (size_t i = 0; i < g->bag.n; i++) {
        const struct cu_span path = g->bag.file[i].path;
        if (cu_span_starts(path, cu_span_str(dir)) && path.n > strlen(dir) + strlen(end) && path.n < 200 &&
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

static void note_missing(struct cu_bag_judging *g, const char *name)
{
    size_t n = strlen(g->missing);

    if (n + 40 < sizeof g->missing) (void)snprintf(g->missing + n, sizeof g->missing - n, "%s%.30s", n ? ", " : "", name);
    else if (g->missing[n - 1] != '.') (void)snprintf(g->missing + n, sizeof g->missing - n, " …");
}

/* One deposit that the case has. */
static void check_listed(struct cu_bag_judging *g, const struct cu_bag_inventory *of, uint64_t number, const cu_hash *id,
                         uint64_t *io_absent)
{
    struct cu_bag_row *e = exhibit_of(g, id);
    struct cu_bag_given *given = given_of(g, id);
    char name[160], hex[65];

    if (e) {
        e->number = number;
        return;
    }
    cu_hash_hex(id, hex);
    (void)snprintf(name, sizeof name, "%s/%llu", of->case_name, LLU(number));
    note_missing(g, name);
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
    char name[220];
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
        cu_bag_say(g, CU_NOT_PROVEN, "trust", CU_SPAN_EMPTY,
                   "no trust file is pinned: nobody vouches for the keys. Compare the network id with a published one, then name "
                   "the file: "
                   "--trust %s/trust/ledger.trust",
                   "没有指定信任文件：无人为密钥作证。请与公布的网络标识核对，再指定文件：--trust %s/trust/ledger.trust",
                   g->r->path);
    else if (f && !cu_span_eq(cu_buf_span(&f->kept), g->trust_text))
        cu_bag_say(g, CU_NOTE, "trust", f->path, "it differs from the pinned trust file, which alone was believed",
                   "与指定的信任文件不同；仅以指定者为准");
}

/* ---- in order -------------------------------------------------------------------------------------------------------- */

cu_status cu_bag_check(struct cu_bag_judging *g, struct cu_err *err)
{
    check_files(g);
    TRY(read_names(g, err));
    TRY(check_receipts(g, err));
    check_lists(g);
    check_trust(g);
    return CU_OK;
}
