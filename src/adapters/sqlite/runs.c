/* What entries and objects are found by: sorted runs of (key, value), 16 bytes each.
 *
 *     key     what it is (4 bits), then the first 59 bits of a digest, or a small number     value   position, or pack and row
 *
 * Digests are chance, and a tree that takes them one by one soon reads and writes a page for each. So what a batch puts becomes a run of
 * its own, sorted, in pages that are filled from left to right; a look-up asks every run. RUNS_MAX runs of a tier become one of
 * the next, while the index follows the log and not while the log waits for it.
 *
 * (1) Keys are prefixes: whoever finds a value looks whether it is what he asked for.
 * (2) Merged are the oldest runs of a tier, and the result is newer than all of the next. So for one key higher tiers first, and in
 *     a tier lower runs first, is the order in which values were put; those of entries ascend.
 * (3) The pages of a run have consecutive numbers, and ascend.
 */
#include "internal.h"

#include <stdlib.h>

#define RUNS_MAX 16
#define ITEM 16u
#define PAGE_ITEMS 252u /* a row of `pages` then fills one page of SQLite's */

struct item {
    uint64_t key, value;
};

static int by_key(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* ---- one statement, once ---- */

static cu_status do_once(struct sqlite_index *x, const char *sql, uint64_t a, uint64_t b, uint64_t c, uint64_t *ret,
                         struct cu_err *err)
{
    const uint64_t values[] = { a, b, c };
    STATEMENT *st = NULL;
    bool more;

    TRY(sqlite_prepare(x, sql, written_database(x), &st, err));
    for (int i = 0; i < 3 && i < sqlite3_bind_parameter_count(st); i++) bind_uint(st, i + 1, values[i]);
    TRY(sqlite_row(x, st, &more, err));
    if (ret) *ret = more ? column_uint(st, 0) : 0;
    sqlite_give_back(x, &st);
    return CU_OK;
}

/* ---- writing one ---- */

struct writer {
    struct sqlite_index *x;
    sqlite3_stmt *st;
    uint64_t run, first, page;
    struct item last;
    unsigned n;
    uint8_t items[PAGE_ITEMS * ITEM];
};

static void free_writer(struct writer *w)
{
    if (w->x) sqlite_give_back(w->x, &w->st);
}

static cu_status start(struct writer *w, struct sqlite_index *x, struct cu_err *err)
{
    *w = (struct writer){ .x = x };
    TRY(do_once(x, "SELECT 1 + coalesce(max(run), 0) FROM %s.runs", 0, 0, 0, &w->run, err));
    TRY(do_once(x, "SELECT 1 + coalesce(max(page), 0) FROM %s.pages", 0, 0, 0, &w->first, err));
    w->page = w->first;
    return sqlite_prepare(x, "INSERT INTO %s.pages VALUES(?, ?, ?, ?)", written_database(x), &w->st, err);
}

static cu_status write_page(struct writer *w, struct cu_err *err)
{
    bool more;

    if (w->n == 0) return CU_OK;
    bind_uint(w->st, 1, w->page++);
    bind_uint(w->st, 2, w->run);
    bind_uint(w->st, 3, cu_be64(w->items));
    sqlite3_bind_blob(w->st, 4, w->items, (int)(w->n * ITEM), SQLITE_STATIC);
    w->n = 0;
    cu_status status = sqlite_row(w->x, w->st, &more, err);
    sqlite3_reset(w->st);
    return status;
}

/* What is there twice is kept once. */
static cu_status add(struct writer *w, struct item item, struct cu_err *err)
{
    if (w->n > 0 && by_key(&w->last, &item) == 0) return CU_OK;
    if (w->n == PAGE_ITEMS) TRY(write_page(w, err));
    cu_put_be64(w->items + w->n * ITEM, item.key);
    cu_put_be64(w->items + w->n * ITEM + 8, item.value);
    w->last = item;
    w->n++;
    return CU_OK;
}

static cu_status finish(struct writer *w, enum run_about about, uint64_t tier, struct cu_err *err)
{
    STATEMENT *st = NULL;
    bool more;

    TRY(write_page(w, err));
    TRY(sqlite_prepare(w->x, "INSERT INTO %s.runs VALUES(?, ?, ?, ?, ?)", written_database(w->x), &st, err));
    bind_uint(st, 1, w->run);
    bind_uint(st, 2, about);
    bind_uint(st, 3, tier);
    bind_uint(st, 4, w->first);
    bind_uint(st, 5, w->page - 1);
    TRY(sqlite_row(w->x, st, &more, err));
    sqlite_give_back(w->x, &st);
    return CU_OK;
}

/* ---- what a batch puts ---- */

cu_status runs_write(struct sqlite_index *x, enum run_about about, struct cu_err *err)
{
    struct cu_buf *pending = &x->pending[about];
    CU_CLEANUP(free_writer) struct writer w = { NULL };
    struct item *items = (struct item *)(void *)pending->p;
    const size_t n = pending->n / sizeof *items;

    if (n == 0) return CU_OK;
    qsort(items, n, sizeof *items, by_key);
    TRY(start(&w, x, err));
    for (size_t i = 0; i < n; i++) TRY(add(&w, items[i], err));
    TRY(finish(&w, about, 0, err));
    cu_buf_clear(pending);
    return CU_OK;
}

cu_status runs_put(struct sqlite_index *x, enum run_about about, uint64_t key, uint64_t value, struct cu_err *err)
{
    struct cu_buf *pending = &x->pending[about];
    const struct item item = { key, value };

    if (!pending->max) *pending = cu_buf_heap(CU_INDEX_ITEMS * sizeof item);
    if (pending->n == pending->max) TRY(runs_write(x, about, err));
    cu_buf_add(pending, cu_span(&item, sizeof item));
    return cu_buf_ok(pending, err);
}

/* ---- merging ---- */

/* A run that is read from left to right. */
struct reader {
    sqlite3_stmt *st;
    struct cu_span rest;
    struct item item;
    bool more;
};

struct readers {
    struct reader at[RUNS_MAX];
    unsigned n;
    uint64_t last; /* the newest of these runs */
};

static void free_readers(struct readers *r)
{
    for (unsigned i = 0; i < r->n; i++) sqlite3_finalize(r->at[i].st);
}

static cu_status advance(struct sqlite_index *x, struct reader *r, struct cu_err *err)
{
    if (r->rest.n < ITEM) {
        TRY(sqlite_row(x, r->st, &r->more, err));
        r->rest = r->more ? column_span(r->st, 0) : CU_SPAN_EMPTY;
        r->more = r->rest.n >= ITEM;
        if (!r->more) return CU_OK;
    }
    r->item = (struct item){ cu_be64(r->rest.p), cu_be64(r->rest.p + 8) };
    r->rest = cu_span(r->rest.p + ITEM, r->rest.n - ITEM);
    return CU_OK;
}

static cu_status open_reader(struct sqlite_index *x, const char *database, uint64_t from, uint64_t to, struct reader *ret,
                             struct cu_err *err)
{
    *ret = (struct reader){ NULL };
    TRY(sqlite_prepare(x, "SELECT items FROM %s.pages WHERE page BETWEEN ?1 AND ?2 ORDER BY page", database, &ret->st, err));
    bind_uint(ret->st, 1, from);
    bind_uint(ret->st, 2, to);
    return advance(x, ret, err);
}

static cu_status open_tier(struct sqlite_index *x, enum run_about about, uint64_t tier, struct readers *ret, struct cu_err *err)
{
    STATEMENT *st = NULL;
    bool more = true;

    TRY(sqlite_prepare(x, "SELECT first, last, run FROM %s.runs WHERE about = ?1 AND tier = ?2 ORDER BY run", written_database(x),
                       &st, err));
    bind_uint(st, 1, about);
    bind_uint(st, 2, tier);
    while (ret->n < RUNS_MAX) {
        TRY(sqlite_row(x, st, &more, err));
        if (!more) return CU_OK;
        ret->last = column_uint(st, 2);
        TRY(open_reader(x, written_database(x), column_uint(st, 0), column_uint(st, 1), &ret->at[ret->n++], err));
    }
    return CU_OK;
}

static struct reader *least(struct readers *r)
{
    struct reader *best = NULL;

    for (unsigned i = 0; i < r->n; i++)
        if (r->at[i].more && (!best || by_key(&r->at[i].item, &best->item) < 0)) best = &r->at[i];
    return best;
}

static cu_status merge_tier(struct sqlite_index *x, enum run_about about, uint64_t tier, struct cu_err *err)
{
    CU_CLEANUP(free_readers) struct readers readers = { .n = 0 };
    CU_CLEANUP(free_writer) struct writer w = { NULL };

    TRY(open_tier(x, about, tier, &readers, err));
    TRY(start(&w, x, err));
    for (struct reader *r; (r = least(&readers)) != NULL;) {
        TRY(add(&w, r->item, err));
        TRY(advance(x, r, err));
    }
    TRY(do_once(x, "DELETE FROM %s.pages WHERE run IN (SELECT run FROM %s.runs WHERE about = ?1 AND tier = ?2 AND run <= ?3)",
                about, tier, readers.last, NULL, err));
    TRY(do_once(x, "DELETE FROM %s.runs WHERE about = ?1 AND tier = ?2 AND run <= ?3", about, tier, readers.last, NULL, err));
    return finish(&w, about, tier + 1, err);
}

/* So many runs of a tier become one of the next. */
cu_status runs_merge(struct sqlite_index *x, struct cu_err *err)
{
    for (enum run_about about = 0; about < RUNS_ABOUT; about++)
        for (uint64_t tier = 0, n = RUNS_MAX; n >= RUNS_MAX; tier++) {
            TRY(do_once(x, "SELECT count(*) FROM %s.runs WHERE about = ?1 AND tier = ?2", about, tier, 0, &n, err));
            if (n >= RUNS_MAX) TRY(merge_tier(x, about, tier, err));
        }
    return CU_OK;
}

/* ---- asking ---- */

/* From the page before the first that begins at the key: it may end with it. */
static cu_status find_in_run(struct sqlite_index *x, const char *database, sqlite3_stmt *seek, uint64_t from, uint64_t to,
                             uint64_t last, runs_each *each, void *arg, bool *io_more, struct cu_err *err)
{
    struct reader r = { NULL };
    cu_status status = open_reader(x, database, column_uint(seek, 0), last, &r, err);

    while (status == CU_OK && *io_more && r.more && r.item.key <= to) {
        if (r.item.key >= from) status = each(arg, r.item.value, io_more, err);
        if (status == CU_OK) status = advance(x, &r, err);
    }
    sqlite_give_back(x, &r.st);
    return status;
}

cu_status runs_find(struct sqlite_index *x, unsigned database, enum run_about about, uint64_t from, uint64_t to, runs_each *each,
                    void *arg, struct cu_err *err)
{
    static const char sql[] =
        "SELECT coalesce((SELECT page FROM %s.pages INDEXED BY by_key WHERE run = r.run AND key < ?2 ORDER BY key DESC, page "
        "DESC "
        "LIMIT 1), r.first), r.last FROM %s.runs AS r WHERE r.about = ?1 ORDER BY r.tier DESC, r.run"; /* (2) */
    STATEMENT *st = NULL;
    bool more = true, row;

    TRY(sqlite_prepare(x, sql, database_name(database), &st, err));
    bind_uint(st, 1, about);
    bind_uint(st, 2, from);
    while (more) {
        TRY(sqlite_row(x, st, &row, err));
        if (!row) break;
        TRY(find_in_run(x, database_name(database), st, from, to, column_uint(st, 1), each, arg, &more, err));
    }
    sqlite_give_back(x, &st);
    return CU_OK;
}
