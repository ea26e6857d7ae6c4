/* A case goes out of the house. The order is what makes it honest:
 *
 * 1. What is asked for is looked up, and each exhibit's receipt made: one that has none yet ends it here.
 * 2. The evidence is written, every byte verified on its way; nothing of it has a name yet that anybody would take for a package.
 * 3. The ledger is told: an inventory of each case, so that what is left out shows, and the disclosure: what, to whom, why.
 * 4. Their receipts and all lists are written; then the package becomes durable and gets its name.
 *
 * A kill after 3 leaves a disclosure of a package that nobody got: on the safe side, and the words of 3 say "given out" of the decision.
 */
#include "court/export.h"
#include "service/cosigned.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST_BYTES ((size_t)4 << 30)
enum { SCOPE_BYTES = 4096 };

/* ---- files of the package ---- */
cu_status cu_export_begin(struct cu_export *x, const char *path, uint64_t size, struct cu_export_file *ret, struct cu_err *err)
{
    *ret = (struct cu_export_file){ .x = x };
    snprintf(ret->path, sizeof ret->path, "%s", path);
    TRY(cu_digest_start(CU_DIGEST_SHA256, &ret->digest, err));
    return x->out->ops->begin(x->out->self, path, size, err);
}

cu_status cu_export_add(struct cu_export_file *f, struct cu_span bytes, struct cu_err *err)
{
    const struct cu_progress *progress = &f->x->p->progress;

    if (f->skip >= bytes.n) return f->skip -= bytes.n, CU_OK;
    bytes = cu_span(bytes.p + f->skip, bytes.n - (size_t)f->skip);
    f->skip = 0;
    cu_digest_add(&f->digest, bytes);
    f->x->told.bytes += bytes.n;
    if (progress->at) progress->at(progress->arg, "writing", f->x->told.bytes, 0, f->x->told.files, 0);
    ENSURE(!progress->stop || !progress->stop(progress->arg), err, CU_INTERRUPTED, "interrupted: no package was made");
    f->broken = f->x->out->ops->add(f->x->out->self, bytes, err);
    f->at += bytes.n;
    return f->broken;
}

cu_status cu_export_end(struct cu_export_file *f, struct cu_err *err)
{
    struct cu_export *x = f->x;
    const bool payload = strncmp(f->path, "data/", 5) == 0;
    struct cu_buf *manifest = payload ? &x->payload : &x->tags;
    uint8_t digest[32];

    cu_digest_finish(&f->digest, digest);
    cu_hex_put(manifest, CU_SPAN_OF(digest));
    cu_buf_addf(manifest, "  %s\n", f->path);
    x->told.files++;
    if (payload) x->payload_files++, x->payload_bytes += f->at;
    TRY(cu_buf_ok(manifest, err));
    return x->out->ops->end(x->out->self, err);
}

static void file_free(struct cu_export_file *f) { cu_digest_free(&f->digest); }

cu_status cu_export_put(struct cu_export *x, const char *path, struct cu_span bytes, struct cu_err *err)
{
    CU_CLEANUP(file_free) struct cu_export_file f = { 0 };

    TRY(cu_export_begin(x, path, bytes.n, &f, err));
    if (bytes.n) TRY(cu_export_add(&f, bytes, err));
    return cu_export_end(&f, err);
}

/* ---- 1. what is asked for ---- */
static cu_status add_exhibit(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_export *x = arg;
    CU_BUF name = cu_buf_heap(4096);

    if (x->n == x->cap) {
        const size_t cap = x->cap ? 2 * x->cap : 64;
        struct cu_export_exhibit *more = realloc(x->exhibit, cap * sizeof *more);
        ENSURE(more, err, CU_NO_MEMORY, "no memory for the exhibits of an export");
        x->exhibit = more;
        x->cap = cap;
    }
    struct cu_export_exhibit *e = &x->exhibit[x->n++];
    *e = (struct cu_export_exhibit){ .seq = row->seq,
                                     .id = row->id,
                                     .case_id = row->case_id,
                                     .sealed = row->name.n == 0, /* or its details are missing: then nobody granted it */
                                     .answers = row->has_ref,
                                     .notice = row->ref };
    TRY(cu_exhibit_name(x->p, row, &name, err));
    snprintf(e->name, sizeof e->name, "%s", (const char *)name.p);
    return CU_OK;
}

static cu_status add_named(struct cu_export *x, struct cu_span name, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 }, one = { 0 };
    const size_t before = x->n;

    if (cu_lookup_case(x->p, name, &found, NULL) == CU_OK) {
        const struct cu_index_query q = { .by = CU_FIND_CASE, .case_id = found.row.case_id, .kind = CU_KIND_DEPOSIT };
        TRY(x->p->index.find(x->p->index.self, &q, add_exhibit, x, err));
        ENSURE(x->n > before, err, CU_NOT_FOUND, "the case \"%.*s\" has no exhibits: there is nothing to export", (int)name.n,
               (const char *)name.p);
        return CU_OK;
    }
    TRY(cu_lookup(x->p, name, &one, err));
    ENSURE(one.row.kind == CU_KIND_DEPOSIT, err, CU_USAGE, "%.*s is no exhibit but a %s: cases and exhibits are exported",
           (int)name.n, (const char *)name.p, cu_kind_row(one.row.kind)->name);
    return add_exhibit(x, &one.row, err);
}

static int by_position(const void *a, const void *b)
{
    const uint64_t x = ((const struct cu_export_exhibit *)a)->seq.v, y = ((const struct cu_export_exhibit *)b)->seq.v;

    return (x > y) - (x < y);
}

/* The longest beginning of `name`, up to a slash, that names anything; *ret_item: what follows. `ret_item` NULL: all of it names something. */
static struct cu_export_exhibit *exhibit_named(struct cu_export *x, struct cu_span name, struct cu_span *ret_item,
                                               struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    size_t n = name.n;

    while (ret_item && n > 0 && cu_lookup(x->p, cu_span(name.p, n), &found, NULL) != CU_OK)
        while (n > 0 && name.p[--n] != '/') {}
    if (!ret_item || n == 0) n = name.n;
    if (cu_lookup(x->p, cu_span(name.p, n), &found, err) != CU_OK) return NULL;
    if (ret_item) *ret_item = n < name.n ? cu_span_from(name, n + 1) : CU_SPAN_EMPTY;
    for (size_t i = 0; i < x->n; i++)
        if (x->exhibit[i].seq.v == found.row.seq.v) return &x->exhibit[i];
    (void)cu_fail(err, CU_USAGE, "%.*s is not among what is exported", (int)n, (const char *)name.p);
    return NULL;
}

static bool next_between_commas(struct cu_span *rest, struct cu_span *ret)
{
    if (rest->n == 0) return false;
    if (!cu_span_split(rest, ',', ret)) *ret = *rest, *rest = CU_SPAN_EMPTY;
    return true;
}

/* Take "…:FIRST-LAST" from the front, up to a comma or the end: a path may have commas and colons itself. */
static bool next_part(struct cu_span *rest, struct cu_span *ret_name, struct cu_export_part *ret)
{
    for (size_t colon = 0; colon < rest->n; colon++) {
        struct cu_span after = cu_span_from(*rest, colon + 1), range, first;
        if (rest->p[colon] != ':') continue;
        if (!cu_span_split(&after, ',', &range)) range = after, after = CU_SPAN_EMPTY;
        if (!cu_span_split(&range, '-', &first) || cu_decimal_read(first, INT64_MAX, &ret->first, NULL) != CU_OK ||
            cu_decimal_read(range, INT64_MAX, &ret->last, NULL) != CU_OK)
            continue;
        *ret_name = cu_span(rest->p, colon);
        *rest = after;
        return ret->first <= ret->last;
    }
    return false;
}

static cu_status add_part(struct cu_export *x, struct cu_span *rest, struct cu_err *err)
{
    const struct cu_span text = *rest;
    struct cu_export_part part;
    struct cu_span name;

    ENSURE(next_part(rest, &name, &part), err, CU_USAGE,
           "--range is ID:FIRST-LAST or ID/PATH:FIRST-LAST, both bytes counted, the first of all being 0: \"%.*s\" is not",
           (int)text.n, (const char *)text.p);
    struct cu_export_exhibit *e = exhibit_named(x, name, &part.item, err);
    if (!e) return err ? err->status : CU_USAGE;
    for (size_t i = 0; i < e->parts_n; i++)
        if (e->part[i].first == part.first && e->part[i].last == part.last && cu_span_eq(e->part[i].item, part.item))
            return CU_OK;
    ENSURE(e->parts_n < CU_PARTS_MAX, err, CU_TOO_LARGE, "%s: at most %d parts of one exhibit", e->name, CU_PARTS_MAX);
    e->part[e->parts_n++] = part;
    e->content = false;
    return CU_OK;
}

static cu_status choose_content(struct cu_export *x, struct cu_err *err)
{
    struct cu_span rest = x->r->only, name;

    for (size_t i = 0; i < x->n; i++) x->exhibit[i].content = !x->r->no_content && x->r->only.n == 0;
    while (next_between_commas(&rest, &name)) {
        struct cu_export_exhibit *e = exhibit_named(x, name, NULL, err);
        if (!e) return err ? err->status : CU_USAGE;
        e->content = !x->r->no_content;
    }
    rest = x->r->parts;
    while (rest.n > 0) TRY(add_part(x, &rest, err));
    return CU_OK;
}

/* Names in the bag, of exhibits and of their cases. */
static cu_status name_stem(struct cu_export *x, const char *name, char *ret, size_t max, struct cu_err *err)
{
    CU_BUF dashed = cu_buf_heap(512), path = cu_buf_heap(1024);
    bool same;

    for (const char *c = name; *c; c++) cu_buf_add_byte(&dashed, (uint8_t)(strchr("/ .", *c) ? '-' : *c));
    TRY(cu_buf_ok(&dashed, err));
    TRY(cu_bag_name(&x->names, "data", cu_buf_span(&dashed), &path, &same, err));
    snprintf(ret, max, "%.*s", (int)path.n - 5, (const char *)path.p + 5);
    return CU_OK;
}

static cu_status note_case(struct cu_export *x, const struct cu_export_exhibit *e, struct cu_err *err)
{
    for (size_t i = 0; i < x->cases_n; i++)
        if (memcmp(x->cases[i].id.b, e->case_id.b, sizeof e->case_id.b) == 0) return CU_OK;
    struct cu_export_case *more = realloc(x->cases, (x->cases_n + 1) * sizeof *more);
    ENSURE(more, err, CU_NO_MEMORY, "out of memory");
    x->cases = more;
    struct cu_export_case *c = &x->cases[x->cases_n++];
    *c = (struct cu_export_case){ .id = e->case_id };
    snprintf(c->name, sizeof c->name, "%.*s", (int)(strrchr(e->name, '/') ? strrchr(e->name, '/') - e->name : 0), e->name);
    return name_stem(x, c->name, c->stem, sizeof c->stem, err);
}

static cu_status collect(struct cu_export *x, struct cu_err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < x->r->n; i++) TRY(add_named(x, cu_span_str(x->r->names[i]), err));
    if (x->n) qsort(x->exhibit, x->n, sizeof *x->exhibit, by_position);
    for (size_t i = 0; i < x->n; i++)
        if (n == 0 || x->exhibit[n - 1].seq.v != x->exhibit[i].seq.v) x->exhibit[n++] = x->exhibit[i];
    x->n = n;
    TRY(choose_content(x, err));
    for (size_t i = 0; i < x->n; i++) {
        TRY(name_stem(x, x->exhibit[i].name, x->exhibit[i].stem, sizeof x->exhibit[i].stem, err));
        TRY(note_case(x, &x->exhibit[i], err));
    }
    return CU_OK;
}

/* `keep` NULL: the bytes are not asked for again. */
static cu_status put_receipt(struct cu_export *x, cu_seq seq, const char *stem, struct cu_buf *keep, struct cu_err *err)
{
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    char path[300];

    TRY(cu_receipt_of(x->p, seq, &receipt, err));
    snprintf(path, sizeof path, "receipts/%s" CU_BAG_RECEIPT, stem);
    if (keep) {
        cu_buf_add(keep, cu_buf_span(&receipt));
        TRY(cu_buf_ok(keep, err));
    }
    return cu_export_put(x, path, cu_buf_span(&receipt), err);
}

static cu_status put_receipts(struct cu_export *x, struct cu_err *err)
{
    for (size_t i = 0; i < x->n; i++) {
        struct cu_export_exhibit *e = &x->exhibit[i];
        e->receipt = cu_buf_heap(CU_RECEIPT_MAX);
        const cu_status put = put_receipt(x, e->seq, e->stem, x->r->press ? &e->receipt : NULL, err);
        if (put == CU_COPIES_MISSING || put == CU_COSIGNATURES_MISSING) return cu_fail_while(err, put, "%s", x->exhibit[i].name);
        TRY(put);
    }
    return CU_OK;
}

/* ---- 3. the ledger is told ---- */
static void put_part_scope(const struct cu_export_exhibit *e, const struct cu_export_part *part, struct cu_buf *out)
{
    cu_buf_addf(out, "; bytes %llu to %llu of %s", LLU(part->first), LLU(part->last), e->name);
    if (part->item.n == 0) return;
    cu_buf_add_byte(out, '/');
    cu_text_printable(out, part->item);
}

/* The parts that there is room for: the package has them all. */
static void put_scope(const struct cu_export *x, struct cu_buf *out)
{
    static const char more[] = "; …";
    const uint64_t reference = x->n - x->told.whole;

    cu_buf_addf(out, "%zu exhibits: %llu with their bytes, %llu by their record", x->n, LLU(x->told.whole), LLU(reference));
    for (size_t i = 0; i < x->n; i++)
        for (size_t k = 0; k < x->exhibit[i].parts_n; k++) {
            CU_BUF one = cu_buf_heap(SCOPE_BYTES - strlen(more) - out->n);
            put_part_scope(&x->exhibit[i], &x->exhibit[i].part[k], &one);
            out->no_memory |= one.no_memory;
            if (one.full) return cu_buf_add_str(out, more);
            cu_buf_add(out, cu_buf_span(&one));
        }
}

static int by_hash(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }

static cu_status disclose(struct cu_export *x, const cu_hash *ids, size_t n, cu_seq *ret, struct cu_err *err)
{
    CU_BUF targets = cu_buf_heap(CU_ENTRY_MAX), scope = cu_buf_heap(SCOPE_BYTES);
    struct cu_disclosure body = { .targets = { .n = n } };
    const struct cu_export_request *r = x->r;
    struct cu_outcome outcome;

    for (size_t i = 0; i < n; i++) cu_cbor_put_bytes(&targets, cu_span_hash(&ids[i]));
    body.targets.bytes = cu_buf_span(&targets);
    put_scope(x, &scope);
    TRY(cu_buf_ok(&targets, err));
    TRY(cu_buf_ok(&scope, err));
    const struct cu_details_disclosure details = { .scope = cu_buf_span(&scope),
                                                   .recipient = r->recipient,
                                                   .has_recipient = r->recipient.n > 0,
                                                   .purpose = r->purpose,
                                                   .has_purpose = r->purpose.n > 0,
                                                   .authority = r->authority,
                                                   .has_authority = r->authority.n > 0 };
    const struct cu_saying say = { CU_KIND_DISCLOSURE, &body, CU_SIGNER_DEPOSITOR, CU_PROFILE_DISCLOSURE, &details };
    TRY(cu_say_and_record(x->p, &say, &outcome, err));
    if (x->told.disclosures++ == 0) x->told.disclosure = outcome.id;
    x->told.time = outcome.closed;
    *ret = outcome.seq;
    return CU_OK;
}

static cu_status disclose_all(struct cu_export *x, cu_hash *ids, struct cu_err *err)
{
    for (size_t i = 0; i < x->n; i++) ids[i] = x->exhibit[i].id;
    qsort(ids, x->n, sizeof *ids, by_hash);
    for (size_t i = 0; i < x->n; i += CU_DISCLOSED_MAX)
        TRY(disclose(x, ids + i, x->n - i < CU_DISCLOSED_MAX ? x->n - i : CU_DISCLOSED_MAX, &x->disclosure[i / CU_DISCLOSED_MAX],
                     err));
    return CU_OK;
}

static void free_ids(cu_hash **ids) { free(*ids); }

static cu_status tell_ledger(struct cu_export *x, struct cu_err *err)
{
    CU_CLEANUP(free_ids) cu_hash *ids = calloc(x->n + 1, sizeof *ids);
    CU_BUF mem = cu_buf_heap(CU_ENTRY_MAX);

    x->disclosure = calloc(x->n / CU_DISCLOSED_MAX + 1, sizeof *x->disclosure);
    ENSURE(ids && x->disclosure, err, CU_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < x->cases_n; i++) {
        struct cu_inventory inventory;
        struct cu_outcome outcome;
        cu_buf_clear(&mem);
        TRY(cu_inventory_make(x->p, cu_span_str(x->cases[i].name), &inventory, &mem, &outcome, err));
        x->cases[i].inventory = outcome.seq;
    }
    return disclose_all(x, ids, err);
}

/* ---- 4. lists ---- */
struct listing {
    struct cu_buf *out;
    uint64_t n;
};

static cu_status list_id(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct listing *l = arg;

    cu_buf_addf(l->out, "%llu ", LLU(++l->n));
    cu_hex_put(l->out, cu_span_hash(&row->id));
    cu_buf_add_byte(l->out, '\n');
    return cu_buf_ok(l->out, err);
}

static cu_status put_inventory(struct cu_export *x, const struct cu_export_case *c, struct cu_err *err)
{
    CU_BUF list = cu_buf_heap(LIST_BYTES);
    const struct cu_index_query q = { .by = CU_FIND_CASE, .case_id = c->id, .kind = CU_KIND_DEPOSIT };
    struct listing l = { &list, 0 };
    char name[200];

    TRY(x->p->index.find(x->p->index.self, &q, list_id, &l, err));
    snprintf(name, sizeof name, "inventory-%s.txt", c->stem);
    TRY(cu_export_put(x, name, cu_buf_span(&list), err));
    snprintf(name, sizeof name, "inventory-%s", c->stem);
    return put_receipt(x, c->inventory, name, NULL, err);
}

/* ---- who else can open what is sealed, and what was asked for and answered ---- */
struct about {
    cu_seq seq[CU_ABOUT_MAX];
    size_t n;
    enum cu_kind kind;
};

static cu_status take_about(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct about *a = arg;

    if (row->kind != a->kind) return CU_OK;
    ENSURE(a->n < CU_ABOUT_MAX, err, CU_TOO_LARGE, "more than %d entries of the kind %s are about one exhibit", CU_ABOUT_MAX,
           cu_kind_row(a->kind)->name);
    a->seq[a->n++] = row->seq;
    return CU_OK;
}

/* The receipts of the entries of a kind that point to it. */
static cu_status put_about(struct cu_export *x, const cu_hash *to, enum cu_kind kind, const char *name, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_REF, .hash = *to };
    struct about a = { .kind = kind };
    char label[300], stem[120];

    TRY(x->p->index.find(x->p->index.self, &q, take_about, &a, err));
    for (size_t i = 0; i < a.n; i++) {
        snprintf(label, sizeof label, "%s-%s", name, cu_kind_row(kind)->name);
        TRY(name_stem(x, label, stem, sizeof stem, err));
        TRY(put_receipt(x, a.seq[i], stem, NULL, err));
    }
    return CU_OK;
}

/* The receipt of an answer shows the notice, too, and both signatures. Of several exhibits that answer one notice it stands with the first. */
static cu_status put_around(struct cu_export *x, size_t at, struct cu_err *err)
{
    const struct cu_export_exhibit *e = &x->exhibit[at];

    if (e->sealed) TRY(put_about(x, &e->id, CU_KIND_GRANT, e->name, err));
    if (!e->answers) return CU_OK;
    for (size_t i = 0; i < at; i++)
        if (x->exhibit[i].answers && cu_hash_eq(&x->exhibit[i].notice, &e->notice)) return CU_OK;
    return put_about(x, &e->notice, CU_KIND_ANSWER, e->name, err);
}

static cu_status put_proofs(struct cu_export *x, struct cu_err *err)
{
    char name[64];

    for (size_t i = 0; i < x->cases_n; i++) TRY(put_inventory(x, &x->cases[i], err));
    for (size_t i = 0; i < x->n; i++) TRY(put_around(x, i, err));
    for (uint64_t i = 0; i < x->told.disclosures; i++) {
        if (i) snprintf(name, sizeof name, "disclosure-%llu", LLU(i + 1));
        else snprintf(name, sizeof name, "disclosure");
        TRY(put_receipt(x, x->disclosure[i], name, NULL, err));
    }
    return CU_OK;
}

/* Where keys changed: how a reader comes to those of today. What it is made of may be lost here, and the package is good without. */
static cu_status put_chain(struct cu_export *x, struct cu_err *err)
{
    CU_BUF chain = cu_buf_heap(CU_TRUST_CHAIN_MAX), text = cu_buf_heap(CU_TRUST_MAX);
    size_t steps = 0;

    if (cu_trust_chain_make(x->p, &chain, &text, &steps, &x->told.chain) != CU_OK || steps == 0) return CU_OK;
    return cu_export_put(x, CU_BAG_CHAIN, cu_buf_span(&chain), err);
}

static cu_status put_trust(struct cu_export *x, struct cu_err *err)
{
    CU_BUF policy = cu_buf_heap(CU_TRUST_MAX), vkey = cu_buf_heap(CU_TRUST_MAX);

    TRY(put_chain(x, err));
    TRY(cu_export_put(x, "trust/ledger.trust", cu_buf_span(&x->p->trust_text), err));
    TRY(cu_trust_derived(&x->p->trust, &policy, &vkey, err));
    return cu_export_put(x, "trust/policy", cu_buf_span(&policy), err);
}

/* A value of bag-info.txt is one line. */
static void put_info(struct cu_buf *out, const char *label, struct cu_span value)
{
    if (value.n == 0) return;
    cu_buf_addf(out, "%s: ", label);
    cu_text_printable(out, value);
    cu_buf_add_byte(out, '\n');
}

static cu_status put_bag_files(struct cu_export *x, struct cu_err *err)
{
    static const char declaration[] = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
    CU_BUF info = cu_buf_heap(65536);
    char time[32];

    cu_time_text(cu_place_now(x->p), time);
    put_info(&info, "Source-Organization", cu_party_named(x->p, 1));
    put_info(&info, "External-Identifier", x->p->genesis.outer.body.genesis.origin);
    put_info(&info, "Bagging-Date", cu_span(time, 10));
    put_info(&info, "Bag-Software-Agent", cu_span_str(CU_TOOL_NAME));
    for (size_t i = 0; i < x->cases_n; i++) put_info(&info, "Custody-Case", cu_span_str(x->cases[i].name));
    put_info(&info, "Custody-Recipient", x->r->recipient);
    cu_buf_add_str(&info, "Custody-Network: ");
    cu_hex_put(&info, cu_span_hash(&x->p->trust.network));
    cu_buf_addf(&info, "\nPayload-Oxum: %llu.%llu\n", LLU(x->payload_bytes), LLU(x->payload_files));
    TRY(cu_buf_ok(&info, err));
    TRY(cu_export_put(x, "bagit.txt", cu_span_str(declaration), err));
    TRY(cu_export_put(x, "bag-info.txt", cu_buf_span(&info), err));
    TRY(cu_export_put(x, "manifest-sha256.txt", cu_buf_span(&x->payload), err));
    return cu_export_put(x, "tagmanifest-sha256.txt", cu_buf_span(&x->tags), err);
}

/* ---- the whole ---- */
static cu_status go(struct cu_export *x, struct cu_err *err)
{
    TRY(collect(x, err));
    TRY(put_receipts(x, err));
    for (size_t i = 0; i < x->n; i++) TRY(cu_export_evidence(x, &x->exhibit[i], err));
    if (x->payload_files == 0) TRY(x->out->ops->folder(x->out->self, "data", err)); /* a bag has one */
    if (x->renamed.n) TRY(cu_export_put(x, "names.txt", cu_buf_span(&x->renamed), err));
    TRY(tell_ledger(x, err));
    TRY(put_proofs(x, err));
    TRY(put_trust(x, err));
    TRY(cu_export_trail(x, err));
    TRY(cu_export_uco(x, err));
    TRY(cu_export_paper(x, err));
    if (x->r->page.n) TRY(cu_export_put(x, "verify.html", x->r->page, err));
    TRY(put_bag_files(x, err));
    return x->out->ops->finish(x->out->self, err);
}

cu_status cu_export(struct cu_place *p, const struct cu_export_request *r, struct cu_package_out *out, struct cu_exported *ret,
                    struct cu_err *err)
{
    struct cu_export x = { .p = p,
                           .r = r,
                           .out = out,
                           .payload = cu_buf_heap(LIST_BYTES),
                           .tags = cu_buf_heap(LIST_BYTES),
                           .renamed = cu_buf_heap(LIST_BYTES) };
    cu_status done = cu_need_key(p, CU_SIGNER_DEPOSITOR, err);

    p->reading = (struct cu_reading){ .reason = r->purpose, .authority = r->authority }; /* from afar it is told so */
    if (done == CU_OK) done = go(&x, err);
    if (done != CU_OK && x.told.disclosures)
        done = cu_fail_while(err, done, "the disclosure is recorded, but the package was not made");
    x.told.exhibits = x.n;
    *ret = x.told;
    cu_bag_names_free(&x.names);
    for (size_t i = 0; i < x.n; i++) cu_buf_free(&x.exhibit[i].receipt);
    free(x.exhibit);
    free(x.cases);
    free(x.disclosure);
    cu_buf_free(&x.payload);
    cu_buf_free(&x.tags);
    cu_buf_free(&x.renamed);
    return done;
}
