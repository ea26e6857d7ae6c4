/* Answers: from the file, then from the log's tail in memory, which comes after it in log order. */
#include "internal.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

static void unlock(struct sqlite_index **x) { pthread_mutex_unlock(&(*x)->lock); }
#define LOCKED(self)                                    \
    CU_CLEANUP(unlock) struct sqlite_index *x = (self); \
    pthread_mutex_lock(&x->lock)

cu_status index_size(void *self, cu_size *ret, struct cu_err *err)
{
    LOCKED(self);
    uint64_t size = 0;

    for (unsigned i = databases(x); i > 0 && size == 0; i--) { /* the tail's, if there is one yet */
        STATEMENT *st = NULL;
        bool more;
        TRY(sqlite_prepare(x, "SELECT size FROM %s.tip", database_name(i - 1), &st, err));
        TRY(sqlite_row(x, st, &more, err));
        ENSURE(more, err, CU_CORRUPT, "search index: it does not say how far it goes");
        size = column_uint(st, 0);
        sqlite_give_back(x, &st);
    }
    ret->v = size;
    return CU_OK;
}

/* ---- entries ---- */

/* A question, being answered from one database after the other. */
struct asking {
    struct sqlite_index *x;
    const struct cu_index_query *q;
    struct cu_index_row as; /* a row that would answer it */
    cu_hash from, to;       /* ID_PREFIX */
    sqlite3_stmt *st;       /* rows of the database that is asked now, from a position to a position */
    uint64_t left;
    struct cu_buf found; /* positions that wait to be put in order */
    cu_status (*each)(void *arg, const struct cu_index_row *row, struct cu_err *err);
    void *arg;
};

static void free_asking(struct asking *a)
{
    sqlite_give_back(a->x, &a->st);
    cu_buf_free(&a->found);
}

static bool answers(const struct asking *a, const struct cu_index_row *row)
{
    if (a->q->by != CU_FIND_ID_PREFIX) return entry_fits(a->q->by, row, &a->as);
    return memcmp(row->id.b, a->from.b, sizeof a->from.b) >= 0 && memcmp(row->id.b, a->to.b, sizeof a->to.b) <= 0;
}

static cu_status tell_rows(struct asking *a, uint64_t from, uint64_t to, struct cu_err *err)
{
    bool more;

    bind_uint(a->st, 1, from);
    bind_uint(a->st, 2, to);
    while (a->left > 0) {
        struct cu_index_row row;
        TRY(sqlite_row(a->x, a->st, &more, err));
        if (!more) break;
        read_entry(a->st, &row);
        if (!answers(a, &row)) continue;
        TRY(a->each(a->arg, &row, err));
        a->left--;
    }
    sqlite3_reset(a->st);
    return CU_OK;
}

static cu_status tell_one(void *arg, uint64_t seq, bool *io_more, struct cu_err *err)
{
    struct asking *a = arg;

    if (seq >= a->q->from.v) TRY(tell_rows(a, seq, seq, err));
    *io_more = a->left > 0;
    return CU_OK;
}

static cu_status collect(void *arg, uint64_t seq, bool *io_more, struct cu_err *err)
{
    struct asking *a = arg;

    (void)io_more;
    cu_buf_add(&a->found, cu_span(&seq, sizeof seq));
    return cu_buf_ok(&a->found, err);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Ids that begin alike have many keys, and each key its own order. */
static cu_status tell_ids(struct asking *a, unsigned database, struct cu_err *err)
{
    cu_buf_clear(&a->found);
    TRY(runs_find(a->x, database, ABOUT_ENTRIES, id_key(&a->from), id_key(&a->to), collect, a, err));
    const uint64_t *seq = (const uint64_t *)(const void *)a->found.p;
    const size_t n = a->found.n / sizeof *seq;
    if (n > 0) qsort(a->found.p, n, sizeof *seq, by_value);
    for (size_t i = 0; i < n && a->left > 0; i++)
        if (seq[i] >= a->q->from.v) TRY(tell_rows(a, seq[i], seq[i], err));
    return CU_OK;
}

static cu_status ask_database(struct asking *a, unsigned database, struct cu_err *err)
{
    char sql[700];
    uint64_t key;

    sqlite_give_back(a->x, &a->st);
    snprintf(sql, sizeof sql, "SELECT %s FROM %%s.entries WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq", entry_columns());
    TRY(sqlite_prepare(a->x, sql, database_name(database), &a->st, err));
    if (a->q->by == CU_FIND_ALL) return tell_rows(a, a->q->from.v, INT64_MAX, err);
    if (a->q->by == CU_FIND_SEQ) return tell_rows(a, a->q->seq.v, a->q->seq.v, err);
    if (a->q->by == CU_FIND_ID_PREFIX) return tell_ids(a, database, err);
    return entry_key(a->q->by, &a->as, &key) ? runs_find(a->x, database, ABOUT_ENTRIES, key, key, tell_one, a, err) : CU_OK;
}

/* All ids from prefix000… to prefixfff…; what is not lower-case hex is the prefix of none. */
static bool read_prefix(struct cu_span text, cu_hash *from, cu_hash *to)
{
    char low[64], high[64];

    if (text.n > sizeof low) return false;
    memset(low, '0', sizeof low);
    memset(high, 'f', sizeof high);
    if (text.n > 0) memcpy(low, text.p, text.n), memcpy(high, text.p, text.n);
    return cu_hex_read(CU_SPAN_OF(low), from->b, sizeof from->b, NULL) == CU_OK &&
           cu_hex_read(CU_SPAN_OF(high), to->b, sizeof to->b, NULL) == CU_OK;
}

static struct cu_index_row row_asked_for(const struct cu_index_query *q)
{
    struct cu_index_row row = { .seq = q->seq, .kind = q->kind, .case_id = q->case_id, .number = q->number, .ref = q->hash };

    row.has_case = row.has_sha256 = row.has_ref = true;
    row.sha256 = q->hash;
    row.name = row.label = q->text;
    if (q->by == CU_FIND_EXHIBIT) row.kind = CU_KIND_DEPOSIT;
    if (q->by == CU_FIND_CASE_NAME) row.kind = CU_KIND_CASE;
    return row;
}

cu_status index_find(void *self, const struct cu_index_query *q,
                     cu_status (*each)(void *arg, const struct cu_index_row *row, struct cu_err *err), void *arg,
                     struct cu_err *err)
{
    LOCKED(self);
    CU_CLEANUP(free_asking)
    struct asking a = { .x = x,
                        .q = q,
                        .as = row_asked_for(q),
                        .left = q->limit ? q->limit : INT64_MAX,
                        .found = cu_buf_heap(SIZE_MAX / 4),
                        .each = each,
                        .arg = arg };

    if (q->by == CU_FIND_ID_PREFIX && !read_prefix(q->text, &a.from, &a.to)) return CU_OK;
    for (unsigned i = 0; i < databases(x) && a.left > 0; i++) TRY(ask_database(&a, i, err));
    return CU_OK;
}

/* ---- who stores what ---- */

typedef cu_status stored_each(void *arg, const struct cu_index_stored *s, struct cu_err *err);

static cu_status each_range(struct sqlite_index *x, const char *sql, const cu_seq *deposit, stored_each *each, void *arg,
                            struct cu_err *err)
{
    for (unsigned i = 0; i < databases(x); i++) {
        STATEMENT *st = NULL;
        bool more;
        TRY(sqlite_prepare(x, sql, database_name(i), &st, err));
        if (deposit) bind_uint(st, 1, deposit->v);
        for (;;) {
            TRY(sqlite_row(x, st, &more, err));
            if (!more) break;
            struct cu_index_stored s = {
                { column_uint(st, 0) }, column_uint(st, 1), { column_uint(st, 2) }, { column_uint(st, 3) }
            };
            TRY(each(arg, &s, err));
        }
        sqlite_give_back(x, &st);
    }
    return CU_OK;
}

cu_status index_find_stored(void *self, cu_seq deposit, stored_each *each, void *arg, struct cu_err *err)
{
    static const char sql[] =
        "WITH RECURSIVE l(n) AS (VALUES(0) UNION ALL SELECT n + 1 FROM l WHERE n < 63) "
        "SELECT s.seq, s.party, s.first, s.last FROM l CROSS JOIN %s.stored AS s ON s.level = l.n AND s.block = (?1 >> l.n) "
        "WHERE s.first <= ?1 AND s.last >= ?1 ORDER BY 1, 2, 3, 4";
    LOCKED(self);

    return each_range(x, sql, &deposit, each, arg, err);
}

cu_status index_each_stored(void *self, stored_each *each, void *arg, struct cu_err *err)
{
    LOCKED(self);

    return each_range(x, "SELECT seq, party, first, last FROM %s.stored", NULL, each, arg, err);
}

/* ---- where an object may lie ---- */

struct nth {
    uint64_t left, value;
    bool found;
};

static cu_status take_nth(void *arg, uint64_t value, bool *io_more, struct cu_err *err)
{
    struct nth *n = arg;

    (void)err;
    if (n->left-- > 0) return CU_OK;
    n->value = value;
    n->found = true;
    *io_more = false;
    return CU_OK;
}

cu_status index_find_object(void *self, unsigned store, const cu_hash *root, unsigned n, struct cu_index_object *ret,
                            struct cu_err *err)
{
    LOCKED(self);
    const uint64_t key = object_key(store, root);
    struct nth nth = { .left = n };
    unsigned i = databases(x);
    STATEMENT *st = NULL;
    bool more;

    for (; i > 0 && !nth.found; i--) /* what was told last first */
        TRY(runs_find(x, i - 1, ABOUT_OBJECTS, key, key, take_nth, &nth, err));
    ENSURE(nth.found, err, CU_NOT_FOUND, "the search index does not know this object");
    TRY(sqlite_prepare(x, "SELECT name FROM %s.packs WHERE pack = ?1", database_name(i), &st, err));
    bind_uint(st, 1, nth.value >> 32);
    TRY(sqlite_row(x, st, &more, err));
    ENSURE(more, err, CU_CORRUPT, "search index: an object lies in a pack that is not named");
    *ret = (struct cu_index_object){ .root = *root, .row = (uint32_t)nth.value };
    column_fixed(st, 0, ret->pack.b, sizeof ret->pack.b);
    sqlite_give_back(x, &st);
    return CU_OK;
}

uint64_t index_count(void *self, enum cu_kind kind, const cu_case_id *of_case)
{
    LOCKED(self);
    uint64_t sum = 0;

    if (x->in_batch && index_count_tallies(x, NULL) != CU_OK) return 0;
    for (unsigned i = 0; i < databases(x); i++) {
        STATEMENT *st = NULL;
        bool more;
        const char *sql = kind == CU_KIND_NONE ? "SELECT sum(n) FROM %s.counts WHERE case_id = ?1"
                                               : "SELECT n FROM %s.counts WHERE case_id = ?1 AND kind = ?2";
        if (sqlite_prepare(x, sql, database_name(i), &st, NULL) != CU_OK) continue;
        sqlite3_bind_blob(st, 1, of_case ? (const void *)of_case->b : "", of_case ? sizeof of_case->b : 0, SQLITE_TRANSIENT);
        if (kind != CU_KIND_NONE) bind_uint(st, 2, kind);
        if (sqlite_row(x, st, &more, NULL) == CU_OK && more) sum += column_uint(st, 0);
        sqlite_give_back(x, &st);
    }
    return sum;
}
