/* What people do with a ledger. */
#include "life.h"
#include "../fault/service_source.h"
#include "service/outbox.h"

#include <stdio.h>
#include <stdlib.h>

const char *made_path(struct life *l, const char *kinds)
{
    char path[32];

    if (l->paths_n && chance(l, 12)) return l->paths[below(l, l->paths_n)]; /* the same bytes again */
    snprintf(path, sizeof path, "made/%c%llu", kinds[below(l, strlen(kinds))], (unsigned long long)below(l, 100000));
    l->paths = realloc(l->paths, (l->paths_n + 1) * sizeof *l->paths);
    CU_ASSERT(l->paths && (l->paths[l->paths_n] = strdup(path)));
    return l->paths[l->paths_n++];
}

static struct sw_promise *some_deposit(struct life *l)
{
    struct service_world *w = l->w;

    for (int tries = 0; tries < 8 && w->promises_n; tries++) {
        struct sw_promise *p = &w->promise[below(l, w->promises_n)];
        if (p->kind == CU_KIND_DEPOSIT) return p;
    }
    return NULL;
}

static bool refused(cu_status status) { return status == CU_SERIAL_TAKEN || status == CU_OUTRANKED; }

/* What must never be, whatever else is wrong. */
static cu_status broken(struct life *l, const char *what, struct cu_err *err)
{
    l->broken = true;
    if (what != life_sentence) snprintf(life_sentence, SAY_MAX, "%s", what);
    return cu_fail(err, CU_BAD_PROOF, "%s", life_sentence);
}

/* ---- deposits ---- */

static cu_status deposit(struct life *l, struct cu_err *err)
{
    const char *paths[4], *kinds = chance(l, 6) ? "l" : "sssssmmmppf";
    const size_t n = 1 + below(l, chance(l, 50) ? 1 : 4);
    const struct cu_deposit_request r = { .case_name = l->cases_n ? cu_span_str(l->cases[below(l, l->cases_n)]) : CU_SPAN_EMPTY,
                                          .label = cu_span_str("L"),
                                          .receipts = CU_DIR_RECEIPTS,
                                          .no_wait = chance(l, 15) };

    for (size_t i = 0; i < n; i++) paths[i] = made_path(l, kinds);
    l->w->deposits_max += n;
    return cu_deposit(&l->w->place, &r, paths, n, sw_deposited, l->w, err);
}

static struct claim *some_claim(struct life *l, bool there)
{
    for (int tries = 0; tries < 8; tries++) {
        struct claim *c = &l->claim[below(l, LIFE_CLAIMS)];
        if ((c->path != NULL) == there) return c;
    }
    return NULL;
}

static cu_status claim(struct life *l, struct cu_err *err)
{
    const struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS };
    struct claim *c = some_claim(l, false);
    CU_BUF file = cu_buf_heap(CU_RECORD_MAX);

    if (!c) return CU_OK;
    const char *path = made_path(l, "ssmpf");
    struct cu_claim_file parts;
    struct cu_statement said;
    l->w->claims_max++;
    TRY(cu_claim_make(&l->w->place, &r, path, &file, err));
    TRY(cu_schema_read(&cu_claim_file_schema, cu_buf_span(&file), &parts, err));
    TRY(cu_statement_read(parts.claim, &said, err));
    c->serial = said.body.claim.serial;
    c->file = file;
    file = (struct cu_buf){ 0 };
    c->path = path;
    c->voided = c->settled = false;
    l->w->deposits_max++;
    return CU_OK;
}

static void settle_number(struct life *l, struct claim *c)
{
    l->w->claims_max -= !c->settled;
    c->settled = true;
}

/* Also once more, when it is in the log already: the same answer. */
static cu_status send(struct life *l, struct cu_err *err)
{
    const struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS };
    struct claim *c = some_claim(l, true);
    cu_status sent;

    if (!c) return CU_OK;
    sent = cu_deposit_claim(&l->w->place, &r, cu_buf_span(&c->file), c->path, sw_deposited, l->w, err);
    if (sent != CU_OK) return c->voided && refused(sent) ? CU_OK : sent;
    settle_number(l, c);
    if (chance(l, 60)) cu_buf_free(&c->file), c->path = NULL;
    return CU_OK;
}

/* ---- statements ---- */

static cu_status open_case(struct life *l, struct cu_err *err)
{
    char name[16];
    struct cu_outcome outcome;

    snprintf(name, sizeof name, "K%u", l->names++);
    const struct cu_case_request r = { .name = cu_span_str(name), .cause = cu_span_str("theft") };
    TRY(cu_case_open(&l->w->place, &r, &outcome, err));
    TRY(sw_recorded(l->w, CU_KIND_CASE, &outcome, err));
    snprintf(l->cases[l->cases_n < LIFE_CASES ? l->cases_n++ : below(l, LIFE_CASES)], 16, "%s", name);
    return CU_OK;
}

static cu_status open_case_twice(struct life *l, struct cu_err *err)
{
    struct cu_outcome outcome;

    if (!l->cases_n) return CU_OK;
    const struct cu_case_request r = { .name = cu_span_str(l->cases[below(l, l->cases_n)]) };
    const cu_status opened = cu_case_open(&l->w->place, &r, &outcome, err);
    if (opened == CU_OK) return broken(l, "a case was opened twice", err);
    return opened == CU_CASE_EXISTS ? CU_OK : opened;
}

static cu_status correct(struct life *l, struct cu_err *err)
{
    const struct sw_promise *p = some_deposit(l);
    struct cu_outcome outcome;

    if (!p) return CU_OK;
    TRY(cu_correct(&l->w->place, cu_span_str(p->exhibit), cu_span_str("found in the kitchen"), &outcome, err));
    return sw_recorded(l->w, CU_KIND_CORRECTION, &outcome, err);
}

static cu_status void_number(struct life *l, struct cu_err *err)
{
    struct claim *c = some_claim(l, true);
    struct cu_outcome outcome;

    if (!c || c->voided) return CU_OK;
    c->voided = true;
    const cu_status said = cu_void_serial(&l->w->place, c->serial, NULL, cu_span_str("lost"), &outcome, err);
    if (refused(said)) return CU_OK; /* it was deposited */
    TRY(said);
    settle_number(l, c);
    return sw_recorded(l->w, CU_KIND_VOID, &outcome, err);
}

/* ---- notices, and claims that nobody accepts ---- */

static cu_status ask(struct life *l, struct cu_err *err)
{
    char number[16];
    struct cu_outcome outcome;

    snprintf(number, sizeof number, "N/%u", l->names++);
    const struct cu_notice_request r = {
        .provider = cu_span_str("Cloud"),
        .words = { .number = cu_span_str(number), .basis = cu_span_str("art. 54"), .object = cu_span_str("sign-ins") },
        .until = { cu_place_now(&l->w->place).v + 1 + below(l, 7200000) }
    };
    const cu_status asked = cu_notice_create(&l->w->place, &r, &outcome, err);
    if (asked == CU_STALE) return CU_OK; /* the clock jumped */
    TRY(asked);
    TRY(sw_recorded(l->w, CU_KIND_NOTICE, &outcome, err));
    snprintf(l->notices[l->notices_n < LIFE_CASES ? l->notices_n++ : below(l, LIFE_CASES)], 16, "%s", number);
    return CU_OK;
}

/* Said before, or against what was deposited, or with nothing to say. */
static bool is_no_news(cu_status status) { return status == CU_DUPLICATE || status == CU_USAGE; }

static cu_status answer(struct life *l, struct cu_err *err)
{
    const struct cu_span number = l->notices_n ? cu_span_str(l->notices[below(l, l->notices_n)]) : CU_SPAN_EMPTY;
    struct cu_notice_told notice;
    struct cu_outcome outcome;

    if (!number.n) return CU_OK;
    if (chance(l, 50)) {
        const char *path = made_path(l, "sssmp");
        const struct cu_deposit_request r = { .notice = &notice, .receipts = CU_DIR_RECEIPTS, .no_wait = chance(l, 15) };
        TRY(cu_notice_find(&l->w->place, number, &notice, err));
        l->w->deposits_max++;
        return cu_deposit(&l->w->place, &r, &path, 1, sw_deposited, l->w, err);
    }
    const bool hears = chance(l, 40);
    const uint64_t reason = chance(l, 20) ? CU_REASON_NOT_HELD : 0;
    const cu_status said = hears ? cu_notice_acknowledge(&l->w->place, number, &outcome, err)
                                 : cu_notice_answer(&l->w->place, number, reason, CU_SPAN_EMPTY, &outcome, err);
    if (is_no_news(said)) return CU_OK;
    TRY(said);
    return sw_recorded(l->w, hears ? CU_KIND_ACKNOWLEDGE : CU_KIND_ANSWER, &outcome, err);
}

static cu_status refuse_claim(struct life *l, struct cu_err *err)
{
    struct claim *c = some_claim(l, true);
    struct cu_outcome outcome;

    if (!c) return CU_OK;
    const cu_status said = cu_claim_refuse(&l->w->place, cu_buf_span(&c->file), CU_REASON_QUOTA, &outcome, err);
    if (refused(said)) return CU_OK; /* it was deposited, voided or came too late */
    TRY(said);
    settle_number(l, c);
    return outcome.status == CU_OK ? sw_recorded(l->w, CU_KIND_REFUSAL, &outcome, err) : CU_OK;
}

static cu_status supervise(struct life *l, struct cu_err *err)
{
    const struct claim *c = some_claim(l, true);
    uint64_t late;
    cu_hash id;
    cu_unix_ms due;

    if (c && chance(l, 60)) return cu_supervise(&l->w->place, cu_buf_span(&c->file), &id, &due, err);
    return cu_due_record(&l->w->place, &late, err);
}

static cu_status inventory(struct life *l, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(65536);
    struct cu_inventory list;
    struct cu_outcome outcome;

    TRY(cu_inventory_make(&l->w->place, cu_span_str(l->cases_n ? l->cases[0] : "unfiled"), &list, &mem, &outcome, err));
    return sw_recorded(l->w, CU_KIND_INVENTORY, &outcome, err);
}

/* Many small statements in one batch: what fills tiles, bundles and the journal. */
static cu_status batch(struct life *l, struct cu_err *err)
{
    enum { MOST = 240 };
    const size_t n = 32 + below(l, MOST - 32);
    const struct sw_promise *p = some_deposit(l);
    struct cu_buf record[MOST];
    struct cu_span spans[MOST];
    static struct cu_outcome outcome[MOST];
    cu_status status = CU_OK;

    if (!p) return CU_OK;
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    TRY(cu_lookup(&l->w->place, cu_span_str(p->exhibit), &found, err));
    for (size_t i = 0; i < n; i++) {
        const struct cu_details_text details = { .text = cu_span_str("a word on it") };
        struct cu_correction body = { .target = found.row.id };
        const struct cu_saying say = { CU_KIND_CORRECTION, &body, CU_SIGNER_DEPOSITOR, CU_PROFILE_CORRECTION, &details };
        record[i] = cu_buf_heap(CU_RECORD_MAX);
        if (status == CU_OK) status = cu_say(&l->w->place, &say, &record[i], err);
        spans[i] = cu_buf_span(&record[i]);
    }
    if (status == CU_OK) status = cu_submit(&l->w->place, spans, n, outcome, err);
    for (size_t i = 0; i < n; i++) {
        cu_buf_free(&record[i]);
        if (status != CU_OK) continue;
        const char *wrong = life_knows(l, outcome[i].seq, &outcome[i].leaf);
        if (wrong) status = broken(l, wrong, err);
    }
    if (status == CU_OK) l->tally->acknowledged += n;
    return status;
}

/* ---- reads ---- */

struct reading {
    struct cu_span all, left;
    bool same;
};

static cu_status compare(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct reading *r = arg;
    (void)err;

    r->same = r->same && bytes.n <= r->left.n && memcmp(bytes.p, r->left.p, bytes.n) == 0;
    if (r->same) r->left = cu_span(r->left.p + bytes.n, r->left.n - bytes.n);
    return CU_OK;
}

static cu_status restart(void *arg, struct cu_err *err)
{
    struct reading *r = arg;
    (void)err;
    *r = (struct reading){ r->all, r->all, true };
    return CU_OK;
}

static cu_status get(struct life *l, struct cu_err *err)
{
    CU_CLEANUP(cu_fetch_free) struct cu_fetch fetch = { .found = { .mem = { 0 } } };
    struct cu_access_row row = { .who = cu_span_str("officer"),
                                 .reason = cu_span_str("trial"),
                                 .time = cu_place_now(&l->w->place).v };
    const struct sw_promise *p = some_deposit(l);
    bool damaged = false;

    if (!p) return CU_OK;
    const struct cu_span all = p->path ? sw_source_bytes(p->path) : CU_SPAN_EMPTY;
    struct reading r = { all, all, true };
    TRY(cu_fetch_begin(&l->w->place, cu_span_str(p->exhibit), &fetch, err));
    row.id = fetch.found.row.id;
    l->w->reads_max++;
    TRY(cu_access_note(&l->w->place, &row, err));
    l->w->reads++;
    TRY(cu_fetch_object(&l->w->place, &fetch.claim.root, fetch.claim.size, NULL, compare, restart, &r, &damaged, err));
    return !all.n || (r.same && r.left.n == 0) ? CU_OK : broken(l, "evidence comes out altered", err);
}

static cu_status receipt(struct life *l, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_checkpoint checkpoint;

    if (!l->w->promises_n) return CU_OK;
    const struct sw_promise *p = &l->w->promise[below(l, l->w->promises_n)];
    const cu_status made = cu_receipt_of(&l->w->place, p->seq, &bytes, err);
    if (made != CU_OK) return made == CU_COPIES_MISSING ? CU_OK : made;
    const char *wrong = sw_verify(l->w, cu_buf_span(&bytes), p->path, &checkpoint);
    return wrong ? broken(l, wrong, err) : CU_OK;
}

static cu_status settle(struct life *l, struct cu_err *err) { return cu_settle(&l->w->place, err); }

/* ---- which ---- */

static const struct {
    const char *name;
    cu_status (*act)(struct life *l, struct cu_err *err);
    unsigned weight;
} acts[] = {
    { "deposit", deposit, 30 },
    { "claim", claim, 8 },
    { "send", send, 10 },
    { "case", open_case, 5 },
    { "case twice", open_case_twice, 1 },
    { "correct", correct, 5 },
    { "void", void_number, 2 },
    { "ask", ask, 3 },
    { "answer", answer, 6 },
    { "refuse", refuse_claim, 2 },
    { "supervise", supervise, 4 },
    { "inventory", inventory, 3 },
    { "batch", batch, 14 },
    { "get", get, 8 },
    { "receipt", receipt, 5 },
    { "drain", settle, 5 },
};
#define ACTS (sizeof acts / sizeof *acts)

cu_status act_some(struct life *l, struct cu_err *err)
{
    uint64_t total = 0, at;
    size_t i = 0;

    for (size_t a = 0; a < ACTS; a++) total += acts[a].weight;
    for (at = below(l, total); at >= acts[i].weight; i++) at -= acts[i].weight;
    l->act = acts[i].name;
    return acts[i].act(l, err);
}

static cu_status read_alone(struct life *l, struct cu_err *err)
{
    l->act = "get alone";
    TRY(sw_open(l->w, SW_READ, err));
    const cu_status done = chance(l, 70) ? get(l, err) : receipt(l, err), closed = sw_close(l->w, done == CU_OK ? err : NULL);
    return done == CU_OK ? closed : done;
}

cu_status act_alone(struct life *l, struct cu_err *err)
{
    struct cu_check_result result = { 0 };
    char finding[600];

    if (chance(l, 75)) return read_alone(l, err);
    l->act = "reindex";
    if (chance(l, 60)) return sw_reindex(l->w, err);
    l->act = "check";
    return sw_check(l->w, chance(l, 30), &result, finding, err);
}
