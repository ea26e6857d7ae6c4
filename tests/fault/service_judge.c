/* Is every promise kept? */
#include "service_source.h"
#include "service_world.h"
#include "service/outbox.h"

#include <stdio.h>
#include <stdlib.h>

static char sentence[2000];
#define SOUND(cond, ...)                                      \
    do {                                                      \
        if (!(cond)) {                                        \
            snprintf(sentence, sizeof sentence, __VA_ARGS__); \
            return sentence;                                  \
        }                                                     \
    } while (0)
#define MUST(call, what)                                                                              \
    do {                                                                                              \
        cu_status must_ = (call);                                                                     \
        if (must_ != CU_OK) {                                                                         \
            snprintf(sentence, sizeof sentence, "%s: %s: %s", what, cu_status_name(must_), err.text); \
            return sentence;                                                                          \
        }                                                                                             \
    } while (0)
#define SO(call)                     \
    do {                             \
        const char *wrong_ = (call); \
        if (wrong_) return wrong_;   \
    } while (0)

/* ---- one receipt ---- */

static struct cu_report report;
static uint8_t scratch[CU_VERIFY_SCRATCH];

static struct cu_evidence evidence_of(const char *path)
{
    const struct cu_span bytes = path ? sw_source_bytes(path) : CU_SPAN_EMPTY;

    if (!bytes.n) return (struct cu_evidence){ .given = false };
    return (struct cu_evidence){ true, bytes.n, cu_content_root_of(bytes), cu_sha256(bytes) };
}

/* Verification depends on nothing but receipt, trust and evidence: what was found once is found again. */
#define MET 64u
static struct {
    cu_hash sum;
    struct cu_checkpoint checkpoint;
} met[MET];

static cu_hash sum_of(struct service_world *w, struct cu_span receipt, const char *path)
{
    const cu_hash sum = cu_sha256(receipt);
    const struct cu_span parts[] = { cu_span_hash(&sum), cu_span_hash(&w->place.trust.network), cu_span_str(path ? path : "") };

    return cu_sha256_parts(parts, 3);
}

static const char *verify(struct service_world *w, struct cu_span receipt, const char *path)
{
    const struct cu_evidence evidence = evidence_of(path);
    const cu_hash sum = sum_of(w, receipt, path);
    struct cu_err err = { 0 };

    report.checkpoint = met[sum.b[0] % MET].checkpoint;
    if (cu_hash_eq(&met[sum.b[0] % MET].sum, &sum)) return NULL;
    MUST(cu_receipt_verify(receipt, &w->place.trust, evidence.given ? &evidence : NULL, &w->place.verifier, scratch, &report,
                           &err),
         "a receipt");
    SOUND(report.exit_code == 0, "a receipt does not verify: %s; %s", report.why[CU_VERDICT_INTEGRITY].text,
          report.why[CU_VERDICT_SIGNER].text);
    met[sum.b[0] % MET].sum = sum;
    met[sum.b[0] % MET].checkpoint = report.checkpoint;
    return NULL;
}

const char *sw_verify(struct service_world *w, struct cu_span receipt, const char *path, struct cu_checkpoint *ret)
{
    SO(verify(w, receipt, path));
    *ret = report.checkpoint;
    return NULL;
}

/* The receipt verifies under the pinned trust, and the log as it is now goes on from the receipt's. */
static const char *judge_receipt(struct service_world *w, struct cu_span receipt, const char *path)
{
    const struct cu_node_source nodes = cu_tile_node_source(&w->place.log.nodes);
    const struct cu_checkpoint *now = &w->place.log.checkpoint;
    cu_hash proof[CU_PROOF_HASHES_MAX];
    struct cu_err err = { 0 };
    size_t n = 0;

    SO(verify(w, receipt, path));
    SOUND(report.checkpoint.size.v <= now->size.v, "the log of %llu is shorter than a receipt's of %llu",
          (unsigned long long)now->size.v, (unsigned long long)report.checkpoint.size.v);
    MUST(cu_consistency_make(&nodes, report.checkpoint.size, now->size, proof, &n, &err), "consistency with a receipt");
    MUST(cu_consistency_verify(report.checkpoint.size, &report.checkpoint.root, now->size, &now->root, proof, n, &err),
         "consistency with a receipt");
    return NULL;
}

/* ---- what was promised ---- */

struct comparing {
    struct cu_span left;
    bool same;
};

static cu_status compare(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct comparing *c = arg;
    (void)err;

    c->same = c->same && bytes.n <= c->left.n && memcmp(bytes.p, c->left.p, bytes.n) == 0;
    if (c->same) c->left = cu_span(c->left.p + bytes.n, c->left.n - bytes.n);
    return CU_OK;
}

static cu_status again(void *arg, struct cu_err *err)
{
    (void)arg;
    return cu_fail(err, CU_BAD_HASH, "the provider's copy is damaged");
}

static const char *judge_content(struct service_world *w, const struct cu_entry *e, const char *path)
{
    struct comparing c = { sw_source_bytes(path), true };
    const struct cu_claim *claim = &e->inner.body.claim;
    struct cu_err err = { 0 };
    bool damaged = false;

    if (!c.left.n) return NULL; /* a folder: check looks at each item */
    MUST(cu_fetch_object(&w->place, &claim->root, claim->size, NULL, compare, again, &c, &damaged, &err), "fetching a deposit");
    SOUND(c.same && c.left.n == 0, "%s comes out altered", path);
    return NULL;
}

const char *sw_judge_promise(struct service_world *w, const struct sw_promise *p)
{
    struct cu_err err = { 0 };
    struct cu_entry e;
    struct cu_span bytes;

    MUST(cu_log_entry(&w->place.log, p->seq, &bytes, &err), "an acknowledged entry");
    MUST(cu_entry_read(bytes, &e, &err), "an acknowledged entry");
    SOUND(e.kind == p->kind && cu_hash_eq(&e.leaf, &p->leaf), "the entry acknowledged at %llu is another now",
          (unsigned long long)p->seq.v);
    if (p->receipt.n) SO(judge_receipt(w, cu_buf_span(&p->receipt), p->path));
    return p->kind == CU_KIND_DEPOSIT && p->path ? judge_content(w, &e, p->path) : NULL;
}

static const char *judge_point(struct service_world *w, cu_size size, const cu_hash *root)
{
    const struct cu_node_source nodes = cu_tile_node_source(&w->place.log.nodes);
    const struct cu_checkpoint *now = &w->place.log.checkpoint;
    cu_hash proof[CU_PROOF_HASHES_MAX];
    struct cu_err err = { 0 };
    size_t n = 0;

    SOUND(size.v <= now->size.v, "the log of %llu is shorter than a checkpoint of %llu that was published",
          (unsigned long long)now->size.v, (unsigned long long)size.v);
    MUST(cu_consistency_make(&nodes, size, now->size, proof, &n, &err), "consistency with a checkpoint");
    MUST(cu_consistency_verify(size, root, now->size, &now->root, proof, n, &err), "consistency with a checkpoint");
    return NULL;
}

/* ---- what can be seen is whole ---- */

struct rows {
    struct cu_buf seqs;
    size_t n;
};

static void rows_free(struct rows *rows) { cu_buf_free(&rows->seqs); }

static cu_status take_row(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct rows *rows = arg;

    cu_buf_add(&rows->seqs, cu_span(&row->seq, sizeof row->seq));
    rows->n++;
    return cu_buf_ok(&rows->seqs, err);
}

static bool has_receipt(const struct service_world *w, cu_seq seq)
{
    for (size_t i = 0; i < w->promises_n; i++)
        if (w->promise[i].seq.v == seq.v) return w->promise[i].receipt.n > 0;
    return false;
}

static const char *judge_visible(struct service_world *w)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_DEPOSIT };
    CU_CLEANUP(rows_free) struct rows rows = { .seqs = cu_buf_heap(SIZE_MAX / 4) };
    cu_seq seq;
    struct cu_err err = { 0 };

    MUST(w->place.index.find(w->place.index.self, &q, take_row, &rows, &err), "the index");
    SOUND(rows.n <= w->deposits_max, "%zu deposits are in the log; at most %llu were made", rows.n,
          (unsigned long long)w->deposits_max);
    for (size_t i = 0; i < rows.n; i++) {
        CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
        memcpy(&seq, rows.seqs.p + i * sizeof seq, sizeof seq);
        if (has_receipt(w, seq)) continue;
        MUST(cu_receipt_of(&w->place, seq, &receipt, &err), "the receipt of a deposit in the log");
    }
    return NULL;
}

struct folder {
    struct service_world *w;
    const char *wrong;
};

static cu_status judge_file(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct folder *f = arg;
    CU_BUF bytes = cu_buf_heap(CU_RECEIPT_MAX);
    char path[400];
    size_t n = strlen(name);

    if (f->wrong || kind != CU_FILE_REGULAR || n < 11 || strcmp(name + n - 11, ".tlog-proof") != 0) return CU_OK;
    snprintf(path, sizeof path, CU_DIR_RECEIPTS "/%s", name);
    TRY(cu_fs_read(&f->w->fs, path, CU_RECEIPT_MAX, &bytes, err));
    f->wrong = judge_receipt(f->w, cu_buf_span(&bytes), NULL);
    return CU_OK;
}

static const char *judge_receipts_folder(struct service_world *w)
{
    struct folder f = { w, NULL };
    struct cu_err err = { 0 };

    MUST(w->fs.ops->list(w->fs.self, CU_DIR_RECEIPTS, judge_file, &f, &err), "receipts/");
    return f.wrong;
}

/* ---- incidents and reads are on record ---- */

struct record_walk {
    struct service_world *w;
    uint64_t reads, incidents;
    bool named[SW_DAMAGES];
    const char *wrong;
};

static void judge_rows(struct record_walk *walk, struct cu_list rows)
{
    struct cu_finding_row row;
    size_t at = 0;

    while (cu_list_next(&rows, &cu_finding_row_schema, &at, &row))
        for (size_t i = 0; i < walk->w->damages_n; i++)
            if (cu_span_starts(cu_span_str(walk->w->damage[i]), row.where)) walk->named[i] = true;
}

static const char *judge_entry(struct record_walk *walk, cu_seq seq)
{
    CU_BUF details = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct cu_err err = { 0 };
    enum cu_profile profile;
    union cu_details d;
    struct cu_entry e;
    struct cu_span bytes;

    MUST(cu_log_entry(&walk->w->place.log, seq, &bytes, &err), "an entry");
    MUST(cu_entry_read(bytes, &e, &err), "an entry");
    if (e.kind == CU_KIND_ACCESS) walk->reads += e.outer.body.access.count;
    if (e.kind != CU_KIND_INCIDENT) return NULL;
    walk->incidents++;
    MUST(cu_place_details(&walk->w->place, seq, cu_entry_commitment(&e), &details, &err), "an incident's details");
    MUST(cu_details_read(cu_span(details.p + CU_SALT_LEN, details.n - CU_SALT_LEN), &profile, &d, &err), "an incident's details");
    judge_rows(walk, d.rows.rows);
    return NULL;
}

static const char *judge_records(struct service_world *w)
{
    struct record_walk walk = { .w = w };

    for (cu_seq seq = { 0 }; seq.v < w->place.log.checkpoint.size.v; seq.v++) SO(judge_entry(&walk, seq));
    SOUND(walk.reads >= w->reads && walk.reads <= w->reads_max, "%llu reads were noted, %llu are on record",
          (unsigned long long)w->reads, (unsigned long long)walk.reads);
    SOUND(walk.incidents || !w->damages_n, "there was damage, and no incident is on record");
    for (size_t i = 0; i < w->damages_n && !w->unreadable; i++)
        SOUND(walk.named[i], "%s was damaged and is sound now, and no incident names it", w->damage[i]);
    return NULL;
}

/* ---- every number that was taken is settled, but those of claim files, which leave ---- */

const char *sw_judge_numbers(struct service_world *w)
{
    const cu_hash *kid = &w->place.key[CU_SIGNER_DEPOSITOR].id;
    CU_CLEANUP(cu_outbox_close) struct cu_outbox box = { 0 };
    struct cu_err err = { 0 };
    uint64_t open = 0;
    cu_hash id;

    MUST(cu_outbox_open(&w->place, &box, &err), "the outbox");
    for (uint64_t n = 1; n <= box.highest; n++) open += cu_ledger_serial(w->place.ledger, kid, n, &id, NULL) != CU_OK;
    SOUND(open <= w->claims_max, "%llu numbers up to %llu are open, and at most %llu claims may have left",
          (unsigned long long)open, (unsigned long long)box.highest, (unsigned long long)w->claims_max);
    return NULL;
}

/* ---- the whole ---- */

static const char *judge_open(struct service_world *w)
{
    static const char *const next[] = { SW_NEXT };
    struct cu_err err = { 0 };

    SO(judge_visible(w));
    w->deposits_max++;
    MUST(sw_deposit(w, next, 1, false, &err), "the next deposit");
    for (size_t i = 0; i < w->promises_n; i++) SO(sw_judge_promise(w, &w->promise[i]));
    for (size_t i = 0; i < w->points_n; i++) SO(judge_point(w, w->point[i].size, &w->point[i].root));
    SO(sw_judge_numbers(w));
    SO(judge_receipts_folder(w));
    return judge_records(w);
}

static const char *judge_check(struct service_world *w)
{
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char finding[600];

    MUST(sw_check(w, false, &result, finding, &err), "check");
    SOUND(result.findings == 0, "check is not clean: %s", finding);
    SOUND(!result.dirty, "the journal is dirty after a close");
    return NULL;
}

const char *sw_judge_left(struct service_world *w)
{
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    char finding[600];

    MUST(sw_check(w, false, &result, finding, &err), "check");
    SOUND(result.findings == 0, "what a crash left is taken for damage: %s", finding);
    return NULL;
}

const char *sw_judge(struct service_world *w)
{
    struct cu_err err = { 0 };

    MUST(sw_open(w, SW_WRITE, &err), "opening again");
    SO(judge_open(w));
    MUST(sw_close(w, &err), "closing");
    return judge_check(w);
}

/* ---- repair ---- */

/* As `custody check --repair`: repair, then open for writing, which records the incident. */
cu_status sw_repair(struct service_world *w, struct cu_err *err)
{
    struct cu_check_result result;

    TRY(sw_check(w, true, &result, NULL, err));
    ENSURE(result.unrepaired == 0, err, CU_CORRUPT, "%llu findings are beyond repair", (unsigned long long)result.unrepaired);
    TRY(sw_open(w, SW_WRITE, err));
    return sw_close(w, err);
}

static bool is_pending(struct service_world *w)
{
    bool pending = false, mended;

    if (sw_open(w, SW_CHECK, NULL) != CU_OK) return false;
    if (cu_repair_pending(&w->place, &pending, &mended, NULL) != CU_OK) pending = false;
    return sw_close(w, NULL) == CU_OK && pending;
}

/* A repair that had begun is finished by whoever opens for writing; one that had not, or that could not read what it needed, is
 * made now. */
const char *sw_judge_repair(struct service_world *w)
{
    static char wrong[1400], finding[600];
    const bool pending = is_pending(w) && !w->unreadable;
    struct cu_check_result result = { 0 };
    struct cu_err err = { 0 };
    cu_status opened = sw_open(w, SW_WRITE, &err);

    snprintf(wrong, sizeof wrong, "a repair had begun, and opening for writing does not finish it: %s", err.text);
    if (opened == CU_OK && sw_close(w, &err) != CU_OK) return wrong;
    if (opened != CU_OK && (pending || opened != CU_CORRUPT)) return wrong;
    if (sw_check(w, false, &result, finding, &err) != CU_OK) return snprintf(wrong, sizeof wrong, "check: %s", err.text), wrong;
    if (pending && result.findings)
        return snprintf(wrong, sizeof wrong, "a repair had begun, and was not finished: %s", finding), wrong;
    if (result.findings && sw_repair(w, &err) != CU_OK)
        return snprintf(wrong, sizeof wrong, "repairing again: %s", err.text), wrong;
    return sw_judge(w);
}
