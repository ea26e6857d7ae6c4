/* Every rule again, from nothing: the entries of the log go through a fresh ledger in memory, with every signature, batch by batch. What
 * it answers must be what the log says: the same positions, the same block entries, byte for byte.
 *
 * 1. Lanes do what needs no order: leaf hashes, form, signatures. The caller's thread reads ahead of them, and takes the pages in order.
 * 2. Attachments are no matter of the replay: that each is there and has the name that its entry says, the census answers.
 * 3. A batch is stepped when its block entry has been taken, for that says when it was opened. So its pages are kept until then.
 */
#include "service/audit_replay.h"

#include "content/crew.h"

#include <stdlib.h>

#define SLOTS 8u
#define SAVE_EVERY 65536u /* entries, while a state is made anew */
#define THREADS_FROM 512u /* entries: less is soon done */
#define KEYS 256u

struct lane {
    struct cu_audit *a;
    struct cu_verifier by;
    void *memory;
    struct cu_buf other; /* a bundle as the other copy has it */
};

struct cu_replay {
    enum cu_replay_mode mode;
    struct cu_crew *crew;
    struct lane lane[CU_LANES_MAX];
    struct cu_page *slot[SLOTS]; /* read and handed to the lanes */
    uint64_t taken;
    struct cu_page *open, *last; /* taken, with entries of the batch that is open: it begins with entry `from` of the first */
    unsigned from;
    struct cu_page *free;
    uint64_t saved;
};

/* ---- pages ---- */
cu_status cu_replay_page(struct cu_audit *a, struct cu_page **ret, struct cu_err *err)
{
    struct cu_replay *r = a->pages;
    struct cu_page *page = r->free;

    if (page) r->free = page->next;
    else if ((page = malloc(sizeof *page))) page->bytes = cu_buf_heap(CU_BUNDLE_MAX);
    ENSURE(page, err, CU_NO_MEMORY, "out of memory while the log is judged");
    cu_buf_clear(&page->bytes);
    page->next = NULL;
    page->same = page->good = false;
    *ret = page;
    return CU_OK;
}

static void let_go(struct cu_replay *r, struct cu_page *page)
{
    page->next = r->free;
    r->free = page;
}

static void let_go_open(struct cu_replay *r, const struct cu_page *until)
{
    while (r->open != until) {
        struct cu_page *page = r->open;
        r->open = page->next;
        let_go(r, page);
    }
}

static void free_pages(struct cu_page *page)
{
    for (struct cu_page *next; page; page = next) {
        next = page->next;
        cu_buf_free(&page->bytes);
        free(page);
    }
}

/* ---- what needs no order ---- */
static bool has_leaves(const struct cu_page *page, const struct cu_span entry[CU_TILE_WIDTH])
{
    cu_hash leaves[CU_TILE_WIDTH];

    cu_leaf_hashes(entry, page->n, leaves);
    return memcmp(leaves, page->leaves, page->n * sizeof *leaves) == 0;
}

static void prepare(struct cu_audit *a, struct cu_page *page, struct cu_verifier *by)
{
    const enum cu_replay_mode mode = a->pages->mode;
    const struct cu_machine m = cu_ledger_machine(a->replay);
    struct cu_span entry[CU_TILE_WIDTH];
    size_t at = 0;

    page->good = false;
    if (cu_bundle_check(cu_buf_span(&page->bytes), page->n, NULL) != CU_OK) return;
    for (unsigned i = 0; i < page->n; i++) (void)cu_bundle_next(cu_buf_span(&page->bytes), &at, &entry[i]);
    page->good = mode == CU_REPLAY_RULES || has_leaves(page, entry);
    if (!page->good || mode == CU_REPLAY_HASHES) return;
    for (unsigned i = 0; i < page->n; i++)
        page->subs[i] = (struct cu_submission){ .bytes = entry[i], .bare = true, .trusted = mode == CU_REPLAY_RULES };
    m.prepare(m.self, page->subs, page->n, by);
}

void cu_replay_prepare(struct cu_audit *a, struct cu_page *page) { prepare(a, page, &a->p->verifier); }

static cu_status prepare_slot(void *arg, size_t slot, struct cu_err *err)
{
    struct lane *lane = arg;
    struct cu_page *page = lane->a->pages->slot[slot];

    (void)err;
    if (lane->a->pages->mode != CU_REPLAY_RULES) cu_audit_read_bundle(lane->a, page, &lane->other);
    prepare(lane->a, page, &lane->by);
    return CU_OK;
}

static cu_status lane_open(struct cu_audit *a, struct lane *lane, struct cu_err *err)
{
    const size_t size = cu_verifier_cached_size(KEYS);

    lane->a = a;
    lane->memory = malloc(size);
    ENSURE(lane->memory, err, CU_NO_MEMORY, "no memory for a checker of signatures");
    return cu_verifier_fastest(a->p->accelerate, lane->memory, size, &lane->by, err);
}

cu_status cu_replay_begin(struct cu_audit *a, enum cu_replay_mode mode, unsigned lanes_n, struct cu_err *err)
{
    const bool threads = lanes_n > 1 && a->checkpoint.size.v > THREADS_FROM;
    const unsigned n = !threads ? 1 : lanes_n < CU_LANES_MAX ? lanes_n : CU_LANES_MAX;
    struct cu_lane lanes[CU_LANES_MAX];
    struct cu_replay *r = a->pages = calloc(1, sizeof *r);

    ENSURE(r, err, CU_NO_MEMORY, "out of memory while the log is judged");
    r->mode = mode;
    for (unsigned i = 0; i < n; i++) {
        if (threads) TRY(lane_open(a, &r->lane[i], err));
        else r->lane[i] = (struct lane){ .a = a, .by = a->p->verifier };
        r->lane[i].other = cu_buf_heap(CU_BUNDLE_MAX);
        lanes[i] = (struct cu_lane){ .work = prepare_slot, .arg = &r->lane[i], .share = i, .of = n };
    }
    return cu_crew_new(lanes, n, SLOTS, threads, &r->crew, err);
}

void cu_replay_end(struct cu_audit *a)
{
    struct cu_replay *r = a->pages;

    if (!r) return;
    if (r->crew) { /* what a failure left behind */
        const uint64_t handed_in = cu_crew_submitted(r->crew);
        cu_crew_free(r->crew);
        while (r->taken < handed_in) let_go(r, r->slot[r->taken++ % SLOTS]);
    }
    let_go_open(r, NULL);
    free_pages(r->free);
    for (unsigned i = 0; i < CU_LANES_MAX; i++) {
        if (r->lane[i].memory && r->lane[i].by.free) r->lane[i].by.free(r->lane[i].by.self);
        free(r->lane[i].memory);
        cu_buf_free(&r->lane[i].other);
    }
    free(r);
    a->pages = NULL;
}

/* ---- the open batch, entry by entry, up to its block: entry `end` of the last page ---- */
typedef cu_status (*each_entry)(struct cu_audit *a, struct cu_page *page, unsigned i, const struct cu_dated *block,
                                struct cu_err *err);

static cu_status for_each(struct cu_audit *a, unsigned end, each_entry each, const struct cu_dated *block, struct cu_err *err)
{
    struct cu_replay *r = a->pages;

    for (struct cu_page *page = r->open; page; page = page->next)
        for (unsigned i = page == r->open ? r->from : 0; i < (page == r->last ? end : page->n); i++)
            TRY(each(a, page, i, block, err));
    return CU_OK;
}

static cu_status step_one(struct cu_audit *a, struct cu_page *page, unsigned i, const struct cu_dated *block, struct cu_err *err)
{
    const struct cu_machine m = cu_ledger_machine(a->replay);
    struct cu_submission *sub = &page->subs[i];
    const cu_seq seq = { page->first.v + i };

    (void)block;
    if (a->log_broken) return CU_OK;
    if (sub->status == CU_OK && !sub->verified && sub->entry.signed_ && !sub->trusted) /* keys may have been enrolled since */
        m.prepare(m.self, sub, page->n - i, &a->p->verifier);
    const cu_status prepared = sub->status;
    TRY(m.step(m.self, sub, err));
    if (sub->status == CU_OK && sub->seq.v == seq.v) return CU_OK;
    ENSURE(prepared != CU_NO_MEMORY && sub->status != CU_NO_MEMORY, err, CU_NO_MEMORY, "out of memory while the log is judged");
    cu_audit_report(a, "rule", "log", &sub->id, false, "entry %llu is not what the rules admit: %s: %s",
                    (unsigned long long)seq.v, cu_status_text(prepared == CU_OK ? sub->status : prepared), sub->text);
    a->log_broken = true; /* positions no longer agree: what follows cannot be judged */
    return CU_OK;
}

static cu_status index_one(struct cu_audit *a, struct cu_page *page, unsigned i, const struct cu_dated *block, struct cu_err *err)
{
    return cu_audit_index_entry(a, &page->subs[i].entry, (cu_seq){ page->first.v + i }, block, err);
}

/* The state that lies in node/state was left at some block: there it must be the one that was just derived. */
static cu_status compare_state(struct cu_audit *a, struct cu_err *err)
{
    const struct cu_machine m = cu_ledger_machine(a->replay);
    const struct cu_tip tip = m.tip(m.self);
    cu_hash hash;

    if (!a->state_known || tip.size.v != a->state_tip.size.v) return CU_OK;
    TRY(cu_ledger_state_hash(a->replay, &hash, err));
    a->state_met = cu_hash_eq(&hash, &a->state_hash) && cu_hash_eq(&tip.root, &a->state_tip.root);
    return CU_OK;
}

/* What is not saved of a state that is made anew is in memory: it is saved now and then, between batches. */
static cu_status save_some(struct cu_audit *a, cu_seq seq, struct cu_err *err)
{
    const struct cu_machine m = cu_ledger_machine(a->replay);

    if (a->pages->mode != CU_REPLAY_RULES || seq.v - a->pages->saved < SAVE_EVERY) return CU_OK;
    a->pages->saved = seq.v;
    return m.save(m.self, err);
}

static cu_status step_all(struct cu_audit *a, unsigned end, const struct cu_entry *block, struct cu_err *err)
{
    const struct cu_machine m = cu_ledger_machine(a->replay);
    const struct cu_block *b = &block->outer.body.block;
    CU_BUF again = cu_buf_heap(CU_ENTRY_MAX);

    TRY(for_each(a, end, step_one, NULL, err));
    if (a->log_broken) return CU_OK;
    TRY(m.end(m.self, (cu_unix_ms){ b->closed }, &again, err));
    if (cu_span_eq(cu_buf_span(&again), block->bytes)) return CU_OK;
    cu_audit_report(a, "rule", "log", &block->leaf, false, "block %llu does not say what its records lead to",
                    (unsigned long long)b->height);
    a->log_broken = true;
    return CU_OK;
}

/* The block entry closes the batch: the ledger must write the very same one. */
static cu_status close_batch(struct cu_audit *a, struct cu_page *page, unsigned i, struct cu_err *err)
{
    const struct cu_machine m = cu_ledger_machine(a->replay);
    const struct cu_entry *block = &page->subs[i].entry;
    const struct cu_block *b = &block->outer.body.block;
    const struct cu_dated dated = { { page->first.v + i }, { b->closed } };

    TRY(m.begin(m.self, b->height, (cu_unix_ms){ b->opened }, err));
    const cu_status done = step_all(a, i, block, err);
    if (done != CU_OK || a->log_broken) {
        m.abandon(m.self);
        return done;
    }
    TRY(m.commit(m.self, err));
    TRY(compare_state(a, err));
    TRY(for_each(a, i + 1, index_one, &dated, err));
    let_go_open(a->pages, page);
    a->pages->from = i + 1;
    return save_some(a, dated.seq, err);
}

/* ---- pages as their turn comes ---- */
static cu_status take_entry(struct cu_audit *a, struct cu_page *page, unsigned i, struct cu_err *err)
{
    const struct cu_submission *sub = &page->subs[i];
    const struct cu_entry *e = &sub->entry;
    const cu_seq seq = { page->first.v + i };

    ENSURE(sub->status != CU_NO_MEMORY, err, CU_NO_MEMORY, "out of memory while the log is judged");
    a->ret->entries++;
    if (e->kind == CU_KIND_NONE) {
        cu_audit_report(a, "rule", "log", NULL, false, "entry %llu: %s", (unsigned long long)seq.v, sub->text);
        a->log_broken = true;
        return CU_OK;
    }
    if (e->kind == CU_KIND_BLOCK) return close_batch(a, page, i, err);
    if (a->pages->mode == CU_REPLAY_RULES) return CU_OK;
    a->ret->signatures += e->has_inner ? 2 : e->signed_;
    return cu_audit_needs(a, seq, e, err);
}

static cu_status take_entries(struct cu_audit *a, struct cu_page *page, struct cu_err *err)
{
    struct cu_replay *r = a->pages;

    if (r->open) r->last->next = page;
    else r->open = page, r->from = 0;
    r->last = page;
    for (unsigned i = 0; i < page->n && !a->log_broken; i++) TRY(take_entry(a, page, i, err));
    if (a->log_broken || r->from == page->n) let_go_open(r, NULL);
    return CU_OK;
}

static cu_status is_pinned(const struct cu_audit *a, const struct cu_page *page, struct cu_err *err)
{
    ENSURE(page->first.v > 0 || a->pages->mode == CU_REPLAY_RULES || cu_hash_eq(&page->leaves[0], &a->p->trust.network), err,
           CU_UNTRUSTED, "the log's first entry is not the genesis that " CU_FILE_TRUST " pins: this is another ledger's log");
    return CU_OK;
}

static cu_status take_one(struct cu_audit *a, struct cu_err *err)
{
    struct cu_replay *r = a->pages;
    struct cu_page *page = r->slot[r->taken % SLOTS];

    TRY(cu_crew_wait(r->crew, ~0u, r->taken + 1, err));
    r->taken++;
    cu_status judged = r->mode != CU_REPLAY_RULES ? cu_audit_bundle(a, page, err)
                       : page->good               ? CU_OK
                                    : cu_fail(err, CU_CORRUPT, "the log's entries from %llu on do not lie in a bundle",
                                              (unsigned long long)page->first.v);
    if (judged == CU_OK && page->n > 0) judged = is_pinned(a, page, err);
    if (judged == CU_OK && r->mode != CU_REPLAY_HASHES && page->n > 0 && !a->log_broken) return take_entries(a, page, err);
    if (judged == CU_OK && r->mode == CU_REPLAY_HASHES) a->ret->entries += page->n;
    let_go(r, page);
    return judged;
}

cu_status cu_replay_flush(struct cu_audit *a, struct cu_err *err)
{
    while (a->pages->taken < cu_crew_submitted(a->pages->crew)) TRY(take_one(a, err));
    return CU_OK;
}

/* Before the first page has been taken no key is known, and what is prepared without is prepared again. */
cu_status cu_replay_add(struct cu_audit *a, struct cu_page *page, struct cu_err *err)
{
    struct cu_replay *r = a->pages;
    cu_status status = cu_crew_submitted(r->crew) - r->taken == SLOTS ? take_one(a, err) : CU_OK;
    size_t slot = 0;

    if (status == CU_OK) status = cu_crew_claim(r->crew, &slot, err);
    if (status != CU_OK) return let_go(r, page), status;
    r->slot[slot] = page;
    cu_crew_submit(r->crew);
    return page->first.v == 0 ? cu_replay_flush(a, err) : CU_OK;
}

/* ---- the state made anew ---- */
static cu_status replay_bundle(struct cu_audit *a, cu_seq first, struct cu_err *err)
{
    struct cu_log *log = &a->p->log;
    struct cu_page *page;
    struct cu_span entry;

    TRY(cu_log_entry_unproven(log, first, &entry, err));
    TRY(cu_replay_page(a, &page, err));
    page->first = first;
    page->n = log->bundle_width;
    cu_buf_add(&page->bytes, cu_buf_span(&log->bundle));
    const cu_status kept = cu_buf_ok(&page->bytes, err);
    if (kept != CU_OK) return let_go(a->pages, page), kept;
    return cu_replay_add(a, page, err);
}

cu_status cu_audit_replay_log(struct cu_audit *a, struct cu_err *err)
{
    cu_status done = cu_replay_begin(a, CU_REPLAY_RULES, 0, err);

    for (cu_seq seq = { 0 }; seq.v < a->p->log.checkpoint.size.v && done == CU_OK && !a->log_broken; seq.v += CU_TILE_WIDTH)
        done = replay_bundle(a, seq, err);
    if (done == CU_OK) done = cu_replay_flush(a, err);
    cu_replay_end(a);
    return done;
}
