/* Answers: from the file, then from the log's tail in memory, which comes after it in log order. */
#include "internal.h"

#include "custody/cbor.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(CU_KIND_CASE == 4 && CU_KIND_DEPOSIT == 6,
               "the statements name these kinds by number, so that partial indexes serve");

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
    }
    ret->v = size;
    return CU_OK;
}

/* ---- entries ---- */

/* What each question asks for, by which index (without figures about the rows SQLite guesses), and in what order: the log's,
 * in terms that the index serves. ?1 and ?2 are bound by `bind`. */
struct question {
    const char *where, *by, *order;
    bool (*bind)(sqlite3_stmt *st, const struct cu_index_query *q);
};

static bool bind_nothing(sqlite3_stmt *st, const struct cu_index_query *q) { return (void)st, (void)q, true; }
static bool bind_seq(sqlite3_stmt *st, const struct cu_index_query *q) { return bind_uint(st, 1, q->seq.v), true; }
static bool bind_the_hash(sqlite3_stmt *st, const struct cu_index_query *q) { return bind_hash(st, 1, &q->hash), true; }
static bool bind_kind(sqlite3_stmt *st, const struct cu_index_query *q) { return bind_uint(st, 1, q->kind), true; }
static bool bind_text(sqlite3_stmt *st, const struct cu_index_query *q)
{
    return sqlite3_bind_blob64(st, 1, q->text.n ? (const void *)q->text.p : "", q->text.n, SQLITE_TRANSIENT) == SQLITE_OK;
}

static bool bind_case(sqlite3_stmt *st, const struct cu_index_query *q)
{
    sqlite3_bind_blob(st, 1, q->case_id.b, sizeof q->case_id.b, SQLITE_TRANSIENT);
    if (q->by == CU_FIND_EXHIBIT) bind_uint(st, 2, q->number);
    else if (q->kind != CU_KIND_NONE) bind_uint(st, 2, q->kind);
    return true;
}

/* All ids from prefix000… to prefixfff…; what is not lower-case hex is the prefix of none. */
static bool bind_prefix(sqlite3_stmt *st, const struct cu_index_query *q)
{
    char low[64], high[64];
    cu_hash from, to;

    if (q->text.n > sizeof low) return false;
    memset(low, '0', sizeof low);
    memset(high, 'f', sizeof high);
    if (q->text.n > 0) memcpy(low, q->text.p, q->text.n), memcpy(high, q->text.p, q->text.n);
    if (cu_hex_read(CU_SPAN_OF(low), from.b, sizeof from.b, NULL) != CU_OK ||
        cu_hex_read(CU_SPAN_OF(high), to.b, sizeof to.b, NULL) != CU_OK)
        return false;
    bind_hash(st, 1, &from);
    bind_hash(st, 2, &to);
    return true;
}

static const struct question questions[] = {
    [CU_FIND_ALL] = { "1", "NOT INDEXED", "seq", bind_nothing },
    [CU_FIND_SEQ] = { "seq = ?1", "NOT INDEXED", "seq", bind_seq },
    [CU_FIND_ID_PREFIX] = { "id BETWEEN ?1 AND ?2", "INDEXED BY by_id", "seq", bind_prefix },
    [CU_FIND_CASE] = { "case_id = ?1", "INDEXED BY by_case", "seq", bind_case },
    [CU_FIND_EXHIBIT] = { "case_id = ?1 AND kind = 6 AND number = ?2", "INDEXED BY by_exhibit", "seq", bind_case },
    [CU_FIND_SHA256] = { "sha256 = ?1", "INDEXED BY by_sha256", "seq", bind_the_hash },
    [CU_FIND_LABEL] = { "label = ?1", "INDEXED BY by_label", "seq", bind_text },
    [CU_FIND_KIND] = { "kind = ?1", "INDEXED BY by_kind", "seq", bind_kind },
    [CU_FIND_REF] = { "ref = ?1", "INDEXED BY by_ref", "seq", bind_the_hash },
    [CU_FIND_CASE_NAME] = { "kind = 4 AND name = ?1", "INDEXED BY by_case_name", "seq", bind_text },
};
/* Exhibits are numbered in log order, so the index on (case, kind, number) gives them in it. */
static const struct question kind_in_case = { "case_id = ?1 AND kind = ?2", "INDEXED BY by_exhibit", "number, seq", bind_case };

static cu_status prepare_question(struct sqlite_index *x, const struct question *ask, const char *database, sqlite3_stmt **ret,
                                  struct cu_err *err)
{
    char sql[700];

    snprintf(sql, sizeof sql, "SELECT %s FROM %%s.entries %s WHERE %s ORDER BY %s LIMIT ?3", entry_columns(), ask->by, ask->where,
             ask->order);
    return sqlite_prepare(x, sql, database, ret, err);
}

cu_status index_find(void *self, const struct cu_index_query *q,
                     cu_status (*each)(void *arg, const struct cu_index_row *row, struct cu_err *err), void *arg,
                     struct cu_err *err)
{
    LOCKED(self);
    const struct question *ask = q->by == CU_FIND_CASE && q->kind != CU_KIND_NONE ? &kind_in_case : &questions[q->by];
    uint64_t left = q->limit ? q->limit : INT64_MAX;

    for (unsigned i = 0; i < databases(x) && left > 0; i++) {
        STATEMENT *st = NULL;
        bool more = true;
        TRY(prepare_question(x, ask, database_name(i), &st, err));
        if (!ask->bind(st, q)) return CU_OK;
        bind_uint(st, 3, left);
        while (left > 0) {
            struct cu_index_row row;
            TRY(sqlite_row(x, st, &more, err));
            if (!more) break;
            read_entry(st, &row);
            TRY(each(arg, &row, err));
            left--;
        }
    }
    return CU_OK;
}

/* ---- who stores what ---- */

cu_status index_find_stored(void *self, cu_seq deposit,
                            cu_status (*each)(void *arg, const struct cu_index_stored *s, struct cu_err *err), void *arg,
                            struct cu_err *err)
{
    static const char sql[] =
        "WITH RECURSIVE l(n) AS (VALUES(0) UNION ALL SELECT n + 1 FROM l WHERE n < 63) "
        "SELECT s.seq, s.party, s.first, s.last FROM l CROSS JOIN %s.stored AS s ON s.level = l.n AND s.block = (?1 >> l.n) "
        "WHERE s.first <= ?1 AND s.last >= ?1 ORDER BY 1, 2, 3, 4";
    LOCKED(self);

    for (unsigned i = 0; i < databases(x); i++) {
        STATEMENT *st = NULL;
        bool more;
        TRY(sqlite_prepare(x, sql, database_name(i), &st, err));
        bind_uint(st, 1, deposit.v);
        for (;;) {
            TRY(sqlite_row(x, st, &more, err));
            if (!more) break;
            struct cu_index_stored s = {
                { column_uint(st, 0) }, column_uint(st, 1), { column_uint(st, 2) }, { column_uint(st, 3) }
            };
            TRY(each(arg, &s, err));
        }
    }
    return CU_OK;
}

/* Of one database. Asked for every piece of evidence: prepared once. */
static cu_status find_object_in(struct sqlite_index *x, unsigned i, unsigned store, const cu_hash *root, bool *ret_found,
                                struct cu_index_object *ret, struct cu_err *err)
{
    static const char sql[] =
        "SELECT o.size, o.pack, o.offset FROM %s.runs AS r CROSS JOIN %s.objects AS o ON o.run = r.run AND o.root = ?2 AND "
        "o.store = ?1 ORDER BY o.pack, o.offset LIMIT 1";
    sqlite3_stmt **st = &x->get_object[i];

    if (!*st) TRY(sqlite_prepare(x, sql, database_name(i), st, err));
    bind_uint(*st, 1, store);
    bind_hash(*st, 2, root);
    cu_status status = sqlite_row(x, *st, ret_found, err);
    if (status == CU_OK && *ret_found) {
        *ret = (struct cu_index_object){ .root = *root, .size = column_uint(*st, 0), .offset = column_uint(*st, 2) };
        column_fixed(*st, 1, ret->pack.b, sizeof ret->pack.b);
    }
    sqlite3_reset(*st);
    return status;
}

cu_status index_find_object(void *self, unsigned store, const cu_hash *root, struct cu_index_object *ret, struct cu_err *err)
{
    LOCKED(self);
    bool found = false;

    for (unsigned i = databases(x); i > 0 && !found; i--) /* what was told last first */
        TRY(find_object_in(x, i - 1, store, root, &found, ret, err));
    ENSURE(found, err, CU_NOT_FOUND, "the search index does not know this object");
    return CU_OK;
}

uint64_t index_count(void *self, enum cu_kind kind, const cu_case_id *of_case)
{
    LOCKED(self);
    uint64_t sum = 0;

    for (unsigned i = 0; i < databases(x); i++) {
        STATEMENT *st = NULL;
        bool more;
        const char *sql = kind == CU_KIND_NONE ? "SELECT sum(n) FROM %s.counts WHERE case_id = ?1"
                                               : "SELECT n FROM %s.counts WHERE case_id = ?1 AND kind = ?2";
        if (sqlite_prepare(x, sql, database_name(i), &st, NULL) != CU_OK) continue;
        sqlite3_bind_blob(st, 1, of_case ? (const void *)of_case->b : "", of_case ? sizeof of_case->b : 0, SQLITE_TRANSIENT);
        if (kind != CU_KIND_NONE) bind_uint(st, 2, kind);
        if (sqlite_row(x, st, &more, NULL) == CU_OK && more) sum += column_uint(st, 0);
    }
    return sum;
}

/* ---- everything that is no row of an entry ---- */

static cu_status each_row(struct sqlite_index *x, const char *sql, const char *database, const struct cu_index_scan *to,
                          cu_status (*tell)(sqlite3_stmt *st, const struct cu_index_scan *to, struct cu_err *err),
                          struct cu_err *err)
{
    STATEMENT *st = NULL;
    bool more;

    TRY(sqlite_prepare(x, sql, database, &st, err));
    for (;;) {
        TRY(sqlite_row(x, st, &more, err));
        if (!more) return CU_OK;
        TRY(tell(st, to, err));
    }
}

static cu_status tell_stored(sqlite3_stmt *st, const struct cu_index_scan *to, struct cu_err *err)
{
    const struct cu_index_stored row = {
        { column_uint(st, 0) }, column_uint(st, 1), { column_uint(st, 2) }, { column_uint(st, 3) }
    };
    return to->stored(to->arg, &row, err);
}

static cu_status tell_object(sqlite3_stmt *st, const struct cu_index_scan *to, struct cu_err *err)
{
    struct cu_index_object o = { .size = column_uint(st, 2), .offset = column_uint(st, 4) };

    column_fixed(st, 1, o.root.b, sizeof o.root.b);
    column_fixed(st, 3, o.pack.b, sizeof o.pack.b);
    return to->object(to->arg, (unsigned)column_uint(st, 0), &o, err);
}

cu_status index_scan(void *self, const struct cu_index_scan *to, struct cu_err *err)
{
    LOCKED(self);

    for (unsigned i = 0; i < databases(x); i++) {
        TRY(each_row(x, "SELECT seq, party, first, last FROM %s.stored", database_name(i), to, tell_stored, err));
        TRY(each_row(x, "SELECT store, root, size, pack, offset FROM %s.objects", database_name(i), to, tell_object, err));
    }
    return CU_OK;
}
