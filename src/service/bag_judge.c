/* What a bag means: the rules of docs/formats/bag.md, "Verified if and only if", in their order. Everything was read before (bag.c); here
 * nothing but tables and receipts are compared, so a zip and a folder are judged alike.
 *
 * (1) A receipt says itself what it is about; names of files only tell what lies beside what.
 * (2) The worst of all receipts is the bag's verdict on signer and time. Integrity is FAIL with the first thing that does not fit.
 */
#include "service/bag.h"

#include "custody/details.h"
#include "custody/json.h"
#include "custody/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LINES_SHOWN 2000 /* of each sort; the rest is counted */

static const char *const verdict_names[CU_VERDICTS] = { "integrity", "signer", "time" };

/* A deposit of this bag. */
struct exhibit {
    cu_hash id;
    uint64_t number; /* in its case, proven by an inventory; 0: not */
    bool disclosed;
    char stem[120];
};
struct inventory {
    const struct cu_bag_file *receipt;
    cu_hash root;
    uint64_t n;
    char case_name[120];
};
/* A deposit that was given out; told: an inventory named it. */
struct given {
    cu_hash id;
    bool told;
};
/* A line of names.txt. */
struct renamed {
    struct cu_span path, stem, original;
};

struct judging {
    const struct cu_bag_request *r;
    struct cu_bag bag;
    struct cu_trust trust;
    struct cu_span trust_text; /* what is believed */
    struct cu_report *report;
    bool json;
    struct cu_buf lines, told;
    struct cu_json j, t;
    uint64_t lines_n, failures, receipts, here, parts, by_reference;
    struct exhibit *exhibit;
    size_t exhibits, exhibits_cap;
    struct inventory *inventory;
    size_t inventories;
    struct given *given;
    size_t given_n;
    struct renamed *renamed;
    size_t renamed_n;
    enum cu_verdict verdict[CU_VERDICTS];
    char why[CU_VERDICTS][220], cases[300], ledger[140], recipient[140], missing[400];
    cu_hash network;
    bool any, one_keeper, copies_missing;
    cu_unix_ms as_of;
};

static void judging_free(struct judging *g)
{
    cu_bag_free(&g->bag);
    cu_buf_free(&g->lines);
    cu_buf_free(&g->told);
    free(g->report);
    free(g->exhibit);
    free(g->inventory);
    free(g->given);
    free(g->renamed);
}

/* ---- lines --------------------------------------------------------------------------------------------------------- */

static void say(struct judging *g, enum cu_verdict verdict, const char *what, struct cu_span where, const char *fmt, ...)
    CU_PRINTF(5, 6);
static void say(struct judging *g, enum cu_verdict verdict, const char *what, struct cu_span where, const char *fmt, ...)
{
    static const char mark[][4] = { [CU_FAIL] = "✗", [CU_NOT_PROVEN] = "?", [CU_PASS] = "✓", [CU_NOTE] = "·" };
    char name[140], text[600];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    cu_bag_shown(where, name);
    g->failures += verdict == CU_FAIL;
    if (verdict == CU_FAIL && g->verdict[CU_VERDICT_INTEGRITY] != CU_FAIL && strcmp(what, "signer") != 0) {
        g->verdict[CU_VERDICT_INTEGRITY] = CU_FAIL;
        (void)snprintf(g->why[CU_VERDICT_INTEGRITY], sizeof g->why[0], "%.100s%s%.110s", name, name[0] ? ": " : "", text);
    }
    if (g->lines_n++ >= LINES_SHOWN) return;
    if (!g->json) {
        cu_buf_addf(&g->lines, "%s %s%s%s\n", mark[verdict], name, name[0] ? ": " : "", text);
        return;
    }
    cu_json_open(&g->j, NULL, '{');
    cu_json_str(&g->j, "verdict", cu_verdict_text(verdict));
    cu_json_str(&g->j, "what", what);
    cu_json_text(&g->j, "where", where);
    cu_json_str(&g->j, "text", text);
    cu_json_close(&g->j, '}');
}

/* ---- 1. every file is listed, with its digest ------------------------------------------------------------------------ */

static const char unlisted[] = "tagmanifest-sha256.txt";

static void check_row(struct judging *g, const char *manifest, bool payload, struct cu_span line)
{
    const struct cu_span path = cu_span(line.p + 66, line.n > 66 ? line.n - 66 : 0);
    struct cu_bag_file *f;
    cu_hash digest;

    if (path.n == 0 || memcmp(line.p + 64, "  ", 2) != 0 || cu_hex_read(cu_span(line.p, 64), digest.b, 32, NULL) != CU_OK ||
        cu_span_starts(path, cu_span_str("data/")) != payload)
        return say(g, CU_FAIL, "manifest", line, "no line of a %s", manifest);
    f = cu_bag_find(&g->bag, path);
    if (!f) return say(g, CU_FAIL, "missing", path, "it is listed in %s and is not here", manifest);
    if (f->listed) return say(g, CU_FAIL, "manifest", path, "it is listed twice");
    f->listed = true;
    if (!cu_hash_eq(&digest, &f->sha256)) say(g, CU_FAIL, "altered", path, "its bytes are not those that %s lists", manifest);
}

static void check_manifest(struct judging *g, const char *name, bool payload)
{
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str(name));
    struct cu_lines lines;
    struct cu_span line;

    if (!f) return say(g, CU_FAIL, "missing", cu_span_str(name), "a bag has this file");
    lines = cu_lines_on(cu_buf_span(&f->kept));
    while (cu_lines_next(&lines, &line)) check_row(g, name, payload, line);
    if (lines.bad) say(g, CU_FAIL, "manifest", cu_span_str(name), "its last line is cut off");
}

static void check_files(struct judging *g)
{
    const struct cu_bag_file *bagit = cu_bag_find(&g->bag, cu_span_str("bagit.txt"));
    const uint64_t before = g->failures;

    if (!bagit ||
        !cu_span_starts(cu_buf_span(&bagit->kept), cu_span_str("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")))
        say(g, CU_FAIL, "missing", cu_span_str("bagit.txt"), "it does not say that this is a BagIt 1.0 bag");
    if (g->bag.other[0]) say(g, CU_FAIL, "added", CU_SPAN_EMPTY, "%s, and a bag has files only", g->bag.other);
    check_manifest(g, "manifest-sha256.txt", true);
    check_manifest(g, unlisted, false);
    for (size_t i = 0; i < g->bag.n; i++)
        if (!g->bag.file[i].listed && !cu_span_is(g->bag.file[i].path, unlisted))
            say(g, CU_FAIL, "added", g->bag.file[i].path, "it is listed in no manifest");
    if (g->failures == before)
        say(g, CU_PASS, "manifest", CU_SPAN_EMPTY, "%zu files, %llu bytes: each is here as the manifests list it, and no other",
            g->bag.n, LLU(g->bag.bytes));
}

/* ---- names that could not be kept ------------------------------------------------------------------------------------ */

static int by_original(const void *a, const void *b)
{
    const struct renamed *x = a, *y = b;
    int c = cu_span_cmp(x->stem, y->stem);

    return c ? c : cu_span_cmp(x->original, y->original);
}

static bool stem_of(struct cu_span path, struct cu_span *ret)
{
    return cu_span_take(&path, "data/") && cu_span_split(&path, '/', ret);
}

static cu_status read_names(struct judging *g, struct cu_err *err)
{
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str("names.txt"));
    struct cu_lines lines = cu_lines_on(f ? cu_buf_span(&f->kept) : CU_SPAN_EMPTY);
    struct cu_span line;
    size_t n = 0;

    for (size_t i = 0; f && i < f->kept.n; i++) n += f->kept.p[i] == '\n';
    g->renamed = calloc(n + 1, sizeof *g->renamed);
    ENSURE(g->renamed, err, CU_NO_MEMORY, "out of memory");
    while (cu_lines_next(&lines, &line)) {
        struct renamed *row = &g->renamed[g->renamed_n];
        row->original = line;
        if (!cu_span_split(&row->original, '\t', &row->path) || !stem_of(row->path, &row->stem))
            say(g, CU_FAIL, "names", line, "no line of names.txt");
        else g->renamed_n++;
    }
    qsort(g->renamed, g->renamed_n, sizeof *g->renamed, by_original);
    return CU_OK;
}

/* Where the bag has what was deposited as `name`[/`path`]. */
static struct cu_bag_file *find_evidence(struct judging *g, const char *stem, struct cu_span name, struct cu_span path)
{
    CU_BUF original = cu_buf_heap(65536), where = cu_buf_heap(65536);
    struct renamed key = { .stem = cu_span_str(stem) }, *row;

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
static size_t files_of(const struct judging *g, const char *stem, const char *mark, size_t *ret_from)
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

static bool check_bytes(struct judging *g, struct cu_bag_file *f, const char *stem, struct cu_span name, uint64_t size,
                        const cu_hash *root)
{
    bool same = f && f->size == size && cu_hash_eq(&f->root, root);

    if (f) f->used = true;
    if (!f) say(g, CU_FAIL, "missing", name, "it belongs to %s and is not here", stem);
    else if (!same) say(g, CU_FAIL, "altered", f->path, "it is not what was deposited as %s: its bytes differ", stem);
    return same;
}

static cu_status check_items(struct judging *g, const char *stem, struct cu_span manifest, bool *ret_good, struct cu_err *err)
{
    const struct cu_claim *claim = &g->report->entry.inner.body.claim;
    const cu_hash root = cu_content_root_of(manifest);
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;

    *ret_good = false;
    if (manifest.n != claim->size || !cu_hash_eq(&root, &claim->root) || cu_manifest_open(manifest, &m, NULL) != CU_OK) {
        say(g, CU_FAIL, manifest.n ? "altered" : "missing", cu_span_str(stem), "the folder's manifest %s",
            manifest.n ? "is not the one that was claimed" : "is not here: receipts/…" CU_BAG_MANIFEST);
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

static bool check_part(struct judging *g, struct cu_bag_file *f, const struct cu_report *r)
{
    const struct cu_claim *claim = &r->entry.inner.body.claim;
    struct cu_part_proof proof;
    struct cu_bag_file *at;
    struct cu_err why = { 0 };
    char name[300];

    (void)snprintf(name, sizeof name, "receipts/%.*s" CU_BAG_PART, (int)f->path.n - 5, (const char *)f->path.p + 5);
    at = cu_bag_find(&g->bag, cu_span_str(name));
    f->used = true;
    if (!at || !f->part) return say(g, CU_FAIL, "missing", f->path, "the proof of this part is not here"), false;
    if (cu_part_proof_read(cu_buf_span(&at->kept), &proof, &why) != CU_OK || !cu_hash_eq(&proof.id, &r->id) ||
        claim->has_folder || cu_part_verify(f->part, &proof, claim->size, &claim->root, &why) != CU_OK)
        return say(g, CU_FAIL, "altered", f->path, "these bytes are not proven to be of the item: %s",
                   why.text[0] ? why.text : "the proof is of another exhibit"),
               false;
    say(g, CU_PASS, "part", f->path, "bytes %llu to %llu of %llu, as deposited", LLU(proof.first), LLU(proof.last),
        LLU(claim->size));
    g->parts++;
    return true;
}

static struct cu_span manifest_of(const struct judging *g, const struct cu_bag_file *receipt)
{
    char name[300];

    if (g->report->manifest.n) return g->report->manifest;
    (void)snprintf(name, sizeof name, "%.*s.manifest", (int)receipt->path.n, (const char *)receipt->path.p);
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str(name));
    return f ? cu_buf_span(&f->kept) : CU_SPAN_EMPTY;
}

static cu_status check_evidence(struct judging *g, const struct cu_bag_file *receipt, const struct exhibit *e,
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
static void fold(struct judging *g, const struct cu_bag_file *f, const struct cu_report *r)
{
    char name[140];

    for (int v = 0; v < CU_VERDICTS; v++) {
        if (r->verdict[v] >= g->verdict[v]) continue;
        g->verdict[v] = r->verdict[v];
        (void)snprintf(g->why[v], sizeof g->why[v], "%.60s: %.150s", cu_bag_shown(f->path, name), r->why[v].text);
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

static void tell_exhibit(struct judging *g, const struct exhibit *e, const struct cu_report *r, const char *state)
{
    static const struct {
        const char *state, *words;
    } rows[] = { { "same", "its bytes are here, every one as it was signed" },
                 { "part", "a part of its bytes is here" },
                 { "reference", "its bytes are not here, its record alone is proven" },
                 { "altered", "its bytes are NOT those that were signed" } };
    const bool good = strcmp(state, "altered") != 0;
    char name[140], by[140], time[32];

    cu_time_text(r->recorded_by, time);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !g->json; i++)
        if (strcmp(rows[i].state, state) == 0)
            say(g, good ? CU_PASS : CU_FAIL, "exhibit", cu_span_str(e->stem), "%s, deposited by %s, recorded by %s; %s",
                cu_bag_shown(r->item_name, name), cu_bag_shown(r->depositor, by), time, rows[i].words);
    if (!g->json || g->exhibits > LINES_SHOWN) return;
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

static void note_case(struct judging *g, struct cu_span name)
{
    char one[140], wrapped[150], all[310];

    (void)snprintf(wrapped, sizeof wrapped, ", %s,", cu_bag_shown(name, one));
    (void)snprintf(all, sizeof all, ", %s,", g->cases);
    if (strstr(all, wrapped)) return;
    (void)snprintf(g->cases + strlen(g->cases), sizeof g->cases - strlen(g->cases), "%s%s", g->cases[0] ? ", " : "", one);
}

static cu_status take_deposit(struct judging *g, const struct cu_bag_file *f, struct cu_err *err)
{
    const struct cu_report *r = g->report;
    const char *state;
    struct exhibit *e = grown(g->exhibit, g->exhibits, sizeof *e);

    ENSURE(e, err, CU_NO_MEMORY, "out of memory");
    g->exhibit = e;
    e = &g->exhibit[g->exhibits];
    *e = (struct exhibit){ .id = r->id };
    (void)snprintf(e->stem, sizeof e->stem, "%.*s", (int)(f->path.n - strlen("receipts/" CU_BAG_RECEIPT)),
                   (const char *)f->path.p + strlen("receipts/"));
    for (size_t i = 0; i < g->exhibits; i++)
        if (cu_hash_eq(&g->exhibit[i].id, &e->id))
            return say(g, CU_FAIL, "added", f->path, "a second receipt of one exhibit"), CU_OK;
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

static cu_status take_inventory(struct judging *g, const struct cu_bag_file *f, struct cu_err *err)
{
    struct inventory *i = grown(g->inventory, g->inventories, sizeof *i);

    ENSURE(i, err, CU_NO_MEMORY, "out of memory");
    g->inventory = i;
    i = &g->inventory[g->inventories++];
    *i = (struct inventory){ .receipt = f,
                             .root = g->report->entry.outer.body.inventory.root,
                             .n = g->report->entry.outer.body.inventory.n };
    char name[140];
    (void)snprintf(i->case_name, sizeof i->case_name, "%.119s", cu_bag_shown(g->report->case_name, name));
    return CU_OK;
}

static cu_status take_disclosure(struct judging *g, struct cu_err *err)
{
    const struct cu_report *r = g->report;
    const struct cu_list *targets = &r->entry.outer.body.disclosure.targets;
    union cu_details details;
    struct given *more = realloc(g->given, (g->given_n + targets->n) * sizeof *more);
    cu_hash id;
    size_t at = 0;

    ENSURE(more, err, CU_NO_MEMORY, "out of memory");
    g->given = more;
    while (cu_list_next(targets, &cu_id_schema, &at, &id)) g->given[g->given_n++] = (struct given){ id, false };
    if (cu_details_check(r->record.details, CU_KIND_DISCLOSURE, &details, NULL) == CU_OK && details.disclosure.has_recipient)
        cu_bag_shown(details.disclosure.recipient, g->recipient);
    return CU_OK;
}

static cu_status take_receipt(struct judging *g, struct cu_bag_file *f, struct cu_err *err)
{
    const struct cu_trust *trust = g->trust_text.n ? &g->trust : NULL;
    struct cu_err why = { 0 };
    const cu_status read = cu_receipt_verify(cu_buf_span(&f->kept), trust, NULL, g->r->verifier, g->r->scratch, g->report, &why);

    ENSURE(read != CU_NO_MEMORY && read != CU_CRYPTO, err, read, "%s", why.text);
    fold(g, f, g->report);
    g->receipts++;
    if (read != CU_OK || g->report->verdict[CU_VERDICT_INTEGRITY] == CU_FAIL) {
        say(g, CU_FAIL, "receipt", f->path, "it does not verify: %s", g->report->why[CU_VERDICT_INTEGRITY].text);
        return CU_OK;
    }
    if (g->report->verdict[CU_VERDICT_SIGNER] == CU_FAIL)
        say(g, CU_FAIL, "signer", f->path, "%s", g->report->why[CU_VERDICT_SIGNER].text);
    if (g->report->entry.kind == CU_KIND_DEPOSIT) return take_deposit(g, f, err);
    if (g->report->entry.kind == CU_KIND_INVENTORY && g->report->entry.outer.body.inventory.has_case)
        return take_inventory(g, f, err);
    if (g->report->entry.kind == CU_KIND_DISCLOSURE) return take_disclosure(g, err);
    say(g, CU_PASS, "receipt", f->path, "of a further entry, a %s; it verifies", cu_kind_row(g->report->entry.kind)->name);
    return CU_OK;
}

static cu_status check_receipts(struct judging *g, struct cu_err *err)
{
    static const char dir[] = "receipts/", end[] = CU_BAG_RECEIPT;

    for (size_t i = 0; i < g->bag.n; i++) {
        const struct cu_span path = g->bag.file[i].path;
        if (cu_span_starts(path, cu_span_str(dir)) && path.n > strlen(dir) + strlen(end) && path.n < 200 &&
            memcmp(path.p + path.n - strlen(end), end, strlen(end)) == 0)
            TRY(take_receipt(g, &g->bag.file[i], err));
    }
    if (g->receipts == 0) say(g, CU_FAIL, "receipt", cu_span_str(dir), "there is no receipt: this package proves nothing");
    for (size_t i = 0; i < g->bag.n; i++)
        if (!g->bag.file[i].used && cu_span_starts(g->bag.file[i].path, cu_span_str("data/")))
            say(g, CU_FAIL, "added", g->bag.file[i].path, "it belongs to no exhibit: nobody signed it");
    return CU_OK;
}

/* ---- 4. 5. what is missing ------------------------------------------------------------------------------------------- */

static int by_hash(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }
static int exhibit_by_id(const void *a, const void *b)
{
    return by_hash(&((const struct exhibit *)a)->id, &((const struct exhibit *)b)->id);
}

static struct exhibit *exhibit_of(const struct judging *g, const cu_hash *id)
{
    const struct exhibit key = { .id = *id };

    return g->exhibits ? bsearch(&key, g->exhibit, g->exhibits, sizeof *g->exhibit, exhibit_by_id) : NULL;
}

static struct given *given_of(const struct judging *g, const cu_hash *id)
{
    return g->given_n ? bsearch(id, g->given, g->given_n, sizeof *g->given, by_hash) : NULL; /* the id comes first in it */
}

static void note_missing(struct judging *g, const char *name)
{
    size_t n = strlen(g->missing);

    if (n + 40 < sizeof g->missing) (void)snprintf(g->missing + n, sizeof g->missing - n, "%s%.30s", n ? ", " : "", name);
    else if (g->missing[n - 1] != '.') (void)snprintf(g->missing + n, sizeof g->missing - n, " …");
}

/* One deposit that the case has. */
static void check_listed(struct judging *g, const struct inventory *of, uint64_t number, const cu_hash *id, uint64_t *io_absent)
{
    struct exhibit *e = exhibit_of(g, id);
    struct given *given = given_of(g, id);
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
        say(g, CU_FAIL, "left-out", cu_span_str(name),
            "it was given out with this package and is not here: it was left out afterwards (id %.16s…)", hex);
    else say(g, CU_NOTE, "not-included", cu_span_str(name), "the case has it; it is not part of this package (id %.16s…)", hex);
}

/* The list that an inventory is about; *ret_good: it is the one. */
static uint64_t walk_list(struct judging *g, const struct inventory *of, struct cu_span text, bool look, bool *ret_good)
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

static void check_inventory(struct judging *g, const struct inventory *of)
{
    char name[220];
    bool good = false;

    (void)snprintf(name, sizeof name, "%.*s.txt", (int)(of->receipt->path.n - strlen("receipts/" CU_BAG_RECEIPT)),
                   (const char *)of->receipt->path.p + strlen("receipts/"));
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str(name));
    if (f) walk_list(g, of, cu_buf_span(&f->kept), false, &good);
    if (!good)
        return say(g, CU_FAIL, "inventory", cu_span_str(name), "it is not the list of the %llu deposits that the ledger recorded",
                   LLU(of->n));
    const uint64_t absent = walk_list(g, of, cu_buf_span(&f->kept), true, &good);
    if (absent)
        say(g, CU_PASS, "inventory", cu_span_str(of->case_name),
            "the case has %llu deposits as of its inventory; %llu of them are not in this package", LLU(of->n), LLU(absent));
    else
        say(g, CU_PASS, "inventory", cu_span_str(of->case_name),
            "the case has %llu deposits as of its inventory, and each of them is in this package", LLU(of->n));
}

static void check_disclosed(struct judging *g)
{
    char hex[65];

    if (g->given_n == 0)
        return say(g, CU_FAIL, "disclosure", cu_span_str("receipts/disclosure" CU_BAG_RECEIPT),
                   "the record of what was given out is not here: whether an exhibit was left out cannot be told");
    for (size_t i = 0; i < g->given_n; i++) {
        struct exhibit *e = exhibit_of(g, &g->given[i].id);
        if (e) e->disclosed = true;
        if (e || g->given[i].told) continue;
        cu_hash_hex(&g->given[i].id, hex);
        say(g, CU_FAIL, "left-out", cu_span_str(hex), "a deposit with this id was given out with this package and is not here");
    }
    for (size_t i = 0; i < g->exhibits; i++)
        if (!g->exhibit[i].disclosed)
            say(g, CU_FAIL, "put-in", cu_span_str(g->exhibit[i].stem),
                "it is not among what was given out: it was put in afterwards");
}

static void check_lists(struct judging *g)
{
    if (g->exhibits) qsort(g->exhibit, g->exhibits, sizeof *g->exhibit, exhibit_by_id);
    if (g->given_n) qsort(g->given, g->given_n, sizeof *g->given, by_hash);
    for (size_t i = 0; i < g->inventories; i++) check_inventory(g, &g->inventory[i]);
    if (g->inventories == 0 && g->receipts)
        say(g, CU_FAIL, "inventory", CU_SPAN_EMPTY, "there is no inventory of the case: what it has besides is not known");
    check_disclosed(g);
}

static void check_trust(struct judging *g)
{
    const struct cu_bag_file *f = cu_bag_find(&g->bag, cu_span_str("trust/ledger.trust"));

    if (!g->trust_text.n)
        say(g, CU_NOT_PROVEN, "trust", CU_SPAN_EMPTY,
            "no trust file is pinned: nobody vouches for the keys. Compare the network id with a published "
            "one, then name the file: --trust %s/trust/ledger.trust",
            g->r->path);
    else if (f && !cu_span_eq(cu_buf_span(&f->kept), g->trust_text))
        say(g, CU_NOTE, "trust", f->path, "it differs from the pinned trust file, which alone was believed");
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

static int exit_code(const struct judging *g)
{
    static const bool by_default[CU_VERDICTS] = { true, true, false };
    static const int codes[CU_VERDICTS] = { 2, 4, 5 };
    const bool pinned = g->trust_text.n > 0, *required = pinned ? g->trust.required : by_default;

    for (int v = 0; v < CU_VERDICTS; v++)
        if (g->verdict[v] == CU_FAIL || (required[v] && g->verdict[v] != CU_PASS)) return codes[v];
    if (!pinned) return 4;
    return g->copies_missing ? 3 : 0;
}

static void put_sentences(const struct judging *g, struct cu_buf *en, struct cu_buf *zh)
{
    char hex[65], time[32];

    cu_hash_hex(&g->network, hex);
    cu_time_text(g->as_of, time);
    if (g->verdict[CU_VERDICT_INTEGRITY] != CU_PASS || g->verdict[CU_VERDICT_SIGNER] == CU_FAIL ||
        g->verdict[CU_VERDICT_TIME] == CU_FAIL) {
        const int v = g->verdict[CU_VERDICT_INTEGRITY] != CU_PASS ? CU_VERDICT_INTEGRITY
                      : g->verdict[CU_VERDICT_SIGNER] == CU_FAIL  ? CU_VERDICT_SIGNER
                                                                  : CU_VERDICT_TIME;
        cu_buf_addf(en, "NOT VERIFIED, do not rely on it: %s.", g->why[v]);
        cu_buf_addf(zh, "未通过验证，不可采信：%s。", g->why[v]);
        return;
    }
    const bool proven = g->verdict[CU_VERDICT_SIGNER] == CU_PASS;
    cu_buf_add_str(
        en, proven
                ? "Verified: "
                : "NOT PROVEN whose it is: the package is whole in itself, but no trusted signature vouches for it. It says: ");
    cu_buf_add_str(zh, proven ? "经验证：" : "来源未经证明：本包自身完整，但没有可信的签名证明其来源。其内容为：");
    cu_buf_addf(en, "%zu exhibits of the case %s of the ledger %s (network id %.16s…)", g->exhibits, g->cases, g->ledger, hex);
    cu_buf_addf(zh, "账本“%s”（网络标识 %.16s…）案件 %s 的证物%zu件", g->ledger, hex, g->cases, g->exhibits);
    if (g->here)
        cu_buf_addf(en, "; the bytes of %llu are here, each as it was signed", LLU(g->here)),
            cu_buf_addf(zh, "；其中%llu件的数据在此，与签名时一致", LLU(g->here));
    if (g->parts)
        cu_buf_addf(en, "; %llu proven parts of items are here", LLU(g->parts)),
            cu_buf_addf(zh, "；经证明的部分数据%llu段", LLU(g->parts));
    if (g->by_reference)
        cu_buf_addf(en, "; of %llu the record alone is proven", LLU(g->by_reference)),
            cu_buf_addf(zh, "；%llu件仅有记录", LLU(g->by_reference));
    cu_buf_add_str(en, ". "), cu_buf_add_str(zh, "。");
    if (g->missing[0])
        cu_buf_addf(en, "The case has more, not in this package: %s. ", g->missing),
            cu_buf_addf(zh, "该案另有不在本包中的证物：%s。", g->missing);
    else cu_buf_add_str(en, "As of its inventory the case has no other. "), cu_buf_add_str(zh, "依其清单，该案无其他证物。");
    cu_buf_addf(en, "Given out%s%s, on record by %s. ", g->recipient[0] ? " to " : "", g->recipient, time);
    cu_buf_addf(zh, "出示%s%s，入账不晚于%s。", g->recipient[0] ? "对象：" : "", g->recipient, time);
    if (g->one_keeper) {
        cu_buf_add_str(
            en, "One party holds every key of this ledger: until an outside witness signs, it could have rewritten the whole. ");
        cu_buf_add_str(zh, "本账本的全部密钥由一方持有：在外部见证方签名之前，该方可改写整个账本。");
    }
    cu_buf_add_str(en,
                   "Not covered: what happened before it was signed; when and how evidence was collected is its signer's word.");
    cu_buf_add_str(zh, "不在验证范围：签名之前发生的事；证据何时、如何取得，仅为签名人的陈述。");
}

static void put_text(const struct judging *g, struct cu_span en, struct cu_span zh, struct cu_buf *out)
{
    cu_buf_add(out, cu_buf_span(&g->lines));
    if (g->lines_n > LINES_SHOWN) cu_buf_addf(out, "… and %llu more lines\n", LLU(g->lines_n - LINES_SHOWN));
    cu_buf_add_byte(out, '\n');
    for (int v = 0; v < CU_VERDICTS; v++)
        cu_buf_addf(out, "%-10s %-11s %s\n", verdict_names[v], cu_verdict_text(g->verdict[v]), g->why[v]);
    cu_buf_add_byte(out, '\n');
    cu_buf_add(out, en);
    cu_buf_add_str(out, "\n\n");
    cu_buf_add(out, zh);
    cu_buf_add_byte(out, '\n');
}

static void put_json(struct judging *g, int exit, struct cu_span en, struct cu_span zh, struct cu_buf *out)
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
        cu_json_str(&j, "why", g->why[v]);
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

static void conclude(struct judging *g)
{
    static const char *const fine[CU_VERDICTS] = {
        "every file is as listed, every receipt leads to its checkpoint, every exhibit is what was signed",
        "every signature is by a key that the pinned ledger enrolled", ""
    };

    for (int v = 0; v < CU_VERDICTS; v++) {
        if (g->verdict[v] == CU_PASS && !g->any) g->verdict[v] = v == CU_VERDICT_INTEGRITY ? CU_FAIL : CU_NOT_PROVEN;
        if (!g->why[v][0]) (void)snprintf(g->why[v], sizeof g->why[v], "%s", g->any ? fine[v] : "there is no receipt");
    }
}

static cu_status judge(struct judging *g, struct cu_buf *out, int *ret_exit, struct cu_err *err)
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
    check_files(g);
    TRY(read_names(g, err));
    TRY(check_receipts(g, err));
    check_lists(g);
    check_trust(g);
    if (g->json) cu_json_close(&g->j, ']'), cu_json_close(&g->t, ']');
    conclude(g);
    *ret_exit = exit_code(g);
    put_sentences(g, &en, &zh);
    if (g->json) put_json(g, *ret_exit, cu_buf_span(&en), cu_buf_span(&zh), out);
    else put_text(g, cu_buf_span(&en), cu_buf_span(&zh), out);
    return cu_buf_ok(out, err);
}

cu_status cu_bag_judge(const struct cu_bag_request *r, bool json, struct cu_buf *out, int *ret_exit, struct cu_err *err)
{
    CU_CLEANUP(judging_free)
    struct judging g = { .r = r,
                         .json = json,
                         .lines = cu_buf_heap((size_t)8 << 20),
                         .told = cu_buf_heap((size_t)8 << 20),
                         .verdict = { CU_PASS, CU_PASS, CU_PASS } };

    g.j = cu_json_on(&g.lines);
    g.t = cu_json_on(&g.told);
    return judge(&g, out, ret_exit, err);
}
