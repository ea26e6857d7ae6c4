/* What is to be brought: every deposit in the order of the log, and again those of which something did not come.
 *
 * (1) What the store lacks of a deposit is asked of the store, each time: a process that ends in the midst of it has nothing to remember.
 * (2) A deposit is held when all of it was durable at one time; only then anybody attests it.
 * (3) No more than CU_COPY_WAITING are in memory. When they are full the walk along the log stops; those that were reported make room, and
 *     are found again by a later walk.
 */
#include "service/copy_inside.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOKED_AT = 256, RETRY_FIRST_MS = 1000, RETRY_MAX_MS = 300000, AGAIN_MS = 3600000, TRIED_MS = 600000, TRIED_MIN = 2 };

/* ---- the log, from where it was looked at ---- */
struct candidates {
    struct cu_copier *c;
    struct cu_waiting found[LOOKED_AT];
    size_t n, rows;
};

/* What travelled with its record is here. */
static bool may_lack(const struct cu_index_row *row)
{
    return row->kind == CU_KIND_DEPOSIT && (row->content == CU_CONTENT_FOLDER || row->size > CU_CONTENT_INLINE_MAX);
}

static bool may_lack_entry(const struct cu_entry *e)
{
    return e->kind == CU_KIND_DEPOSIT && (e->inner.body.claim.has_folder || e->inner.body.claim.size > CU_CONTENT_INLINE_MAX);
}

static cu_status take_row(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct candidates *f = arg;

    (void)err;
    f->rows++;
    f->c->next = row->seq.v + 1;
    if (!may_lack(row)) return CU_OK;
    f->found[f->n++] = (struct cu_waiting){ .seq = row->seq, .id = row->id, .recorded = row->recorded.v };
    return CU_OK;
}

static void make_room(struct cu_copier *c)
{
    size_t n = 0;

    if (c->waiting_n < CU_COPY_WAITING) return;
    for (size_t i = 0; i < c->waiting_n; i++)
        if (!c->waiting[i].reported) c->waiting[n++] = c->waiting[i];
    c->dropped |= n < c->waiting_n;
    c->waiting_n = n;
}

/* By (3). *ret_more: the log has more of them. */
static cu_status look_further(struct cu_copier *c, uint64_t now, bool *ret_more, struct cu_err *err)
{
    const struct cu_index *index = &c->r.p->index;
    struct candidates *f = malloc(sizeof *f);
    cu_status looked;

    ENSURE(f, err, CU_NO_MEMORY, "no memory to look for what is missing here");
    make_room(c);
    if (c->dropped && now >= c->again) c->next = 0, c->dropped = false, c->again = now + AGAIN_MS;
    const size_t room = CU_COPY_WAITING - c->waiting_n;
    const struct cu_index_query q = { .by = CU_FIND_ALL, .from = { c->next }, .limit = room < LOOKED_AT ? room : LOOKED_AT };
    *f = (struct candidates){ .c = c };
    looked = room ? index->find(index->self, &q, take_row, f, err) : CU_OK;
    for (size_t i = 0; looked == CU_OK && i < f->n; i++) {
        looked = cu_copied_by(c->r.p, f->found[i].seq, c->r.party, &f->found[i].attested, err);
        f->found[i].first = now;
        c->waiting[c->waiting_n++] = f->found[i];
    }
    *ret_more = room && f->rows == q.limit;
    free(f);
    return looked;
}

/* ---- one deposit ---- */
/* A manifest as it comes: its rows are read one by one, whatever its length. */
struct rows {
    cu_folder_item *each;
    void *arg;
    struct cu_buf rest; /* what is no whole row yet */
    bool begun;
    struct cu_frontier frontier;
};

static cu_status take_item(struct rows *r, struct cu_span row, struct cu_err *err)
{
    struct cu_manifest_header header;
    const cu_hash leaf = cu_leaf_hash(row);
    struct cu_item item;

    if (!r->begun) {
        r->begun = true;
        return cu_schema_read(&cu_manifest_header_schema, row, &header, err);
    }
    TRY(cu_item_read(row, &item, err));
    cu_frontier_append(&r->frontier, &leaf);
    return item.has_root ? r->each(r->arg, &item.root, item.size, err) : CU_OK;
}

static cu_status take_rows(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct rows *r = arg;
    size_t at = 0;

    cu_buf_add(&r->rest, bytes);
    TRY(cu_buf_ok(&r->rest, err));
    for (;;) {
        struct cu_cbor_reader in = cu_cbor_read(cu_span(r->rest.p + at, r->rest.n - at));
        const struct cu_span row = cu_cbor_item(&in);
        if (!cu_cbor_good(&in) || row.n == 0) break;
        TRY(take_item(r, row, err));
        at += row.n;
    }
    memmove(r->rest.p, r->rest.p + at, r->rest.n - at);
    r->rest.n -= at;
    ENSURE(r->rest.n <= CU_MANIFEST_ROW_MAX, err, CU_MALFORMED, "a row is too long, or no row");
    return CU_OK;
}

static cu_status read_manifest(struct cu_place *p, unsigned store, cu_seq seq, const struct cu_claim *claim, struct rows *r,
                               struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_CONTENT_INLINE_MAX + 1);
    struct cu_object o;

    if (claim->size > CU_CONTENT_INLINE_MAX) {
        TRY(cu_objects_find(p->store[store], CU_OBJECT_CONTENT, &claim->root, &o, err));
        TRY(cu_object_stream(&o, take_rows, r, err));
    } else {
        TRY(cu_place_manifest(p, seq, claim, &bytes, err));
        TRY(take_rows(r, cu_buf_span(&bytes), err));
    }
    const cu_hash root = cu_frontier_root(&r->frontier);
    ENSURE(r->rest.n == 0 && cu_hash_eq(&root, &claim->folder.root) && r->frontier.size.v == claim->folder.items, err,
           CU_MALFORMED, "its items are not those that were claimed");
    return CU_OK;
}

cu_status cu_folder_items(struct cu_place *p, unsigned store, cu_seq seq, const struct cu_claim *claim, cu_folder_item *each,
                          void *arg, struct cu_err *err)
{
    struct rows r = { .each = each, .arg = arg, .rest = cu_buf_heap(CU_MANIFEST_ROW_MAX + 4 * (size_t)CU_CHUNK_BYTES) };
    const cu_status read = read_manifest(p, store, seq, claim, &r, err);

    cu_buf_free(&r.rest);
    return read;
}

struct needing {
    struct cu_copier *c;
    struct cu_waiting *of;
};

static cu_status need_item(void *arg, const cu_hash *root, uint64_t size, struct cu_err *err)
{
    const struct needing *n = arg;

    return cu_copier_need(n->c, n->of, root, size, err);
}

static cu_status bring_folder(struct cu_copier *c, struct cu_waiting *w, const struct cu_claim *claim, struct cu_err *err)
{
    struct needing n = { c, w };
    struct cu_err why = { 0 };

    if (claim->size > CU_CONTENT_INLINE_MAX) {
        TRY(cu_copier_need(c, w, &claim->root, claim->size, err));
        TRY(cu_copier_batch(c, err)); /* the files are known when it is here */
        if (w->failed || w->unfinished) return CU_OK;
    }
    const cu_status read = cu_folder_items(c->r.p, CU_STORE_NODE, w->seq, claim, need_item, &n, &why);
    if (read == CU_MALFORMED || read == CU_BAD_HASH || read == CU_CORRUPT)
        return cu_waiting_failed(w, "the folder's manifest: %.200s", why.text), CU_OK;
    return read == CU_OK ? CU_OK : cu_fail(err, read, "%s", why.text);
}

struct asked {
    const struct cu_copier *c;
    struct cu_waiting *w;
};

static cu_status attests(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    const struct asked *a = arg;

    (void)err;
    for (size_t s = 0; s < a->c->r.sources_n; s++)
        if (a->c->r.sources[s].party && a->c->r.sources[s].party == stored->party) a->w->has |= UINT32_C(1) << s;
    return CU_OK;
}

/* An organisation that does not attest it has nothing to give, and would put on record that it was asked. */
static cu_status choose_sources(struct cu_copier *c, struct cu_waiting *w, struct cu_err *err)
{
    struct asked a = { c, w };

    w->has = 0;
    for (size_t s = 0; s < c->r.sources_n; s++)
        if (!c->r.sources[s].party || w->lost) w->has |= UINT32_C(1) << s;
    TRY(c->r.p->index.find_stored(c->r.p->index.self, w->seq, attests, &a, err));
    if (!w->has) snprintf(w->why, sizeof w->why, "nobody that this node knows attests a copy yet");
    return CU_OK;
}

static cu_status bring(struct cu_copier *c, struct cu_waiting *w, struct cu_err *err)
{
    struct cu_span bytes;
    struct cu_entry e;

    w->failed = w->unfinished = w->finished = false;
    TRY(choose_sources(c, w, err));
    TRY(cu_log_entry(&c->r.p->log, w->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    w->deposit = e.kind == CU_KIND_DEPOSIT;
    if (w->lost) TRY(cu_copier_attached(c, w, bytes, &e, err));
    if (w->lost && (w->failed || !may_lack_entry(&e))) return w->finished = true, CU_OK;
    ENSURE(e.kind == CU_KIND_DEPOSIT, err, CU_CORRUPT, "the search index calls entry %llu a deposit, and it is none",
           LLU(w->seq.v));
    const struct cu_claim claim = e.inner.body.claim;
    w->id = e.inner.id;
    if (claim.has_folder) TRY(bring_folder(c, w, &claim, err));
    else TRY(cu_copier_need(c, w, &claim.root, claim.size, err));
    w->finished = !w->unfinished || w->failed;
    return CU_OK;
}

/* By (2): everything that was finished is durable by now, or failed. */
static void settle(struct cu_copier *c, uint64_t now)
{
    size_t n = 0;

    for (size_t i = 0; i < c->waiting_n; i++) {
        struct cu_waiting *w = &c->waiting[i];
        if (w->finished && !w->failed) {
            if (!w->attested && w->deposit) c->r.held(c->r.arg, w->seq);
            continue;
        }
        if (w->finished) {
            const uint64_t pause = (uint64_t)RETRY_FIRST_MS << (w->tries < 9 ? w->tries : 9);
            w->next = now + (pause < RETRY_MAX_MS ? pause : RETRY_MAX_MS);
            w->tries++;
            w->finished = false;
        }
        c->waiting[n++] = *w;
    }
    c->waiting_n = n;
}

/* ---- what does not come ---- */
static bool is_withheld(const struct cu_copier *c, const struct cu_waiting *w, uint64_t now)
{
    const uint64_t tried = c->r.withheld_ms < TRIED_MS ? c->r.withheld_ms : TRIED_MS;

    return !w->reported && w->tries >= TRIED_MIN && now >= w->recorded + c->r.withheld_ms && now >= w->first + tried;
}

static cu_status report(struct cu_copier *c, uint64_t now, struct cu_err *err)
{
    struct cu_withheld what[CU_WITHHELD_MAX];
    struct cu_waiting *of[CU_WITHHELD_MAX];
    size_t n = 0;

    for (size_t i = 0; i < c->waiting_n && n < CU_WITHHELD_MAX; i++) {
        struct cu_waiting *w = &c->waiting[i];
        if (!is_withheld(c, w, now)) continue;
        what[n] = (struct cu_withheld){ .seq = w->seq, .id = w->id, .kind = CU_KIND_WITHHELD };
        memcpy(what[n].why, w->why, sizeof w->why);
        of[n++] = w;
    }
    if (n) TRY(c->r.withheld(c->r.arg, what, n, err));
    for (size_t i = 0; i < n; i++) of[i]->reported = true;
    return CU_OK;
}

/* ---- a round ---- */
static cu_status bring_due(struct cu_copier *c, uint64_t now, bool *io_more, struct cu_err *err)
{
    for (size_t i = 0; i < c->waiting_n; i++)
        if (c->waiting[i].next <= now) TRY(bring(c, &c->waiting[i], err));
    TRY(cu_copier_batch(c, err));
    const struct cu_attachments attached = cu_objects_attachments(&c->attached);
    TRY(attached.sync(attached.self, err));
    for (size_t i = 0; i < c->waiting_n; i++) *io_more |= !c->waiting[i].finished && c->waiting[i].unfinished;
    settle(c, now);
    return CU_OK;
}

static void count(struct cu_copier *c)
{
    uint64_t reported = 0;

    for (size_t i = 0; i < c->waiting_n; i++) reported += c->waiting[i].reported;
    atomic_store(&c->missing, c->waiting_n);
    atomic_store(&c->withheld, reported);
}

cu_status cu_copier_round(struct cu_copier *c, bool *ret_more, struct cu_err *err)
{
    const uint64_t now = cu_place_now(c->r.p).v;

    *ret_more = false;
    c->turned = false;
    c->wants_n = 0;
    c->wants_bytes = 0;
    if (atomic_exchange(&c->now, false))
        for (size_t i = 0; i < c->waiting_n; i++) c->waiting[i].next = now;
    TRY(look_further(c, now, ret_more, err));
    const cu_status brought = bring_due(c, now, ret_more, err);
    count(c);
    TRY(brought);
    TRY(report(c, now, err));
    count(c);
    return CU_OK;
}

cu_status cu_copier_new(const struct cu_copy_request *r, struct cu_copier **ret, struct cu_err *err)
{
    CU_ASSERT(r->lanes > 0 && r->lanes <= CU_COPY_LANES_MAX && r->sources_n <= CU_COPY_SOURCES_MAX);
    struct cu_copier *c = calloc(1, sizeof *c);
    ENSURE(c, err, CU_NO_MEMORY, "no memory to bring copies");
    c->r = *r;
    c->attached = (struct cu_attachment_writer){ .stores = { r->p->store[CU_STORE_NODE] }, .n = 1 };
    pthread_mutex_init(&c->lock, NULL);
    *ret = c;
    return CU_OK;
}

bool cu_copier_lost(struct cu_copier *c, const struct cu_withheld *what)
{
    for (size_t i = 0; i < c->waiting_n; i++) {
        struct cu_waiting *w = &c->waiting[i];
        if (w->seq.v != what->seq.v) continue;
        const bool news = !w->lost;
        w->lost = w->reported = true;
        w->attested = false;
        return news;
    }
    if (c->waiting_n == CU_COPY_WAITING) return false;
    const uint64_t now = cu_place_now(c->r.p).v;
    c->waiting[c->waiting_n++] = (struct cu_waiting){
        .seq = what->seq, .id = what->id, .recorded = now, .first = now, .next = now, .reported = true, .lost = true
    };
    return true;
}

void cu_copier_sources(struct cu_copier *c, size_t n)
{
    CU_ASSERT(n <= CU_COPY_SOURCES_MAX);
    memset(c->source, 0, sizeof c->source);
    c->r.sources_n = n;
    cu_copier_again(c);
}

void cu_copier_again(struct cu_copier *c) { atomic_store(&c->now, true); }

void cu_copier_figures(struct cu_copier *c, struct cu_copy_figures *ret)
{
    *ret = (struct cu_copy_figures){ .missing = atomic_load(&c->missing),
                                     .withheld = atomic_load(&c->withheld),
                                     .objects = atomic_load(&c->objects),
                                     .bytes = atomic_load(&c->bytes),
                                     .failures = atomic_load(&c->failures),
                                     .wrong = atomic_load(&c->wrong) };
}

void cu_copier_free(struct cu_copier *c)
{
    if (!c) return;
    cu_copier_forget_large(c);
    cu_attachments_forget(&c->attached);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- on record ---- */
struct known {
    struct cu_place *p;
    uint64_t party;
    char hex[65];
    bool found;
};

static cu_status looks_known(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct known *k = arg;
    struct cu_details_rows rows;
    struct cu_finding_row finding;
    size_t at = 0;

    (void)err;
    if (k->found || cu_organisation_of(k->p, &row->kid) != k->party || cu_rows_of(k->p, row, &mem, &rows, NULL) != CU_OK)
        return CU_OK;
    while (cu_list_next(&rows.rows, &cu_finding_row_schema, &at, &finding))
        k->found |= cu_span_is(finding.kind, CU_KIND_WITHHELD) && cu_span_is(finding.id, k->hex);
    return CU_OK;
}

/* The log remembers what was reported: no file does. */
static cu_status is_known(struct cu_place *p, const struct cu_withheld *what, struct known *k, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_INCIDENT, .from = what->seq };

    *k = (struct known){ .p = p, .party = cu_place_party(p) };
    cu_hash_hex(&what->id, k->hex);
    return p->index.find(p->index.self, &q, looks_known, k, err);
}

static const char *incident_text(enum cu_incident_type type)
{
    if (type == CU_INCIDENT_WITHHELD)
        return "content that a provider accepted did not come to this node, or not as it was signed";
    if (type == CU_INCIDENT_CHALLENGE)
        return "a provider was asked for bytes of what it accepted, and did not give them as they were signed";
    return "what this node holds was read again, and is not what was signed, or not there any more: it is brought again";
}

cu_status cu_withheld_record(struct cu_place *p, enum cu_incident_type type, const struct cu_withheld *what, size_t n,
                             struct cu_err *err)
{
    struct cu_details_rows details = { .text = cu_span_str(incident_text(type)) };
    struct cu_incident body = { .type = type };
    const struct cu_saying say = { CU_KIND_INCIDENT, &body, CU_SIGNER_ORGANISATION, CU_PROFILE_INCIDENT, &details };
    CU_BUF rows = cu_buf_heap(CU_DETAILS_MAX);
    struct cu_frontier frontier = { 0 };
    struct cu_outcome outcome;
    struct known k;

    TRY(cu_need_key(p, CU_SIGNER_ORGANISATION, err));
    TRY(cu_settle(p, err));
    for (size_t i = 0; i < n; i++) {
        CU_BUF where = cu_buf_heap(1024), one = cu_buf_heap(2048);
        if (type == CU_INCIDENT_WITHHELD) TRY(is_known(p, &what[i], &k, err));
        else k.found = false, cu_hash_hex(&what[i].id, k.hex);
        if (k.found) continue;
        cu_text_printable(&where, cu_span_str(what[i].why));
        const struct cu_finding_row row = { cu_span_str(what[i].kind), cu_buf_span(&where), cu_span_str(k.hex), false };
        TRY(cu_schema_write(&cu_finding_row_schema, &row, &one, err));
        const cu_hash leaf = cu_leaf_hash(cu_buf_span(&one));
        cu_frontier_append(&frontier, &leaf);
        if (i >= CU_WITHHELD_MAX) continue;
        cu_buf_add(&rows, cu_buf_span(&one));
        details.rows.n++;
    }
    if (frontier.size.v == 0) return CU_OK;
    TRY(cu_buf_ok(&rows, err));
    details.rows.bytes = cu_buf_span(&rows);
    body.count = frontier.size.v;
    body.root = cu_frontier_root(&frontier);
    return cu_say_and_record(p, &say, &outcome, err);
}
