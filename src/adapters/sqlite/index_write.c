/* Writing: one thread from begin to commit, statements prepared once. */
#include "internal.h"

#include <stdio.h>

static const char *const put_sql[PUTS] = {
    [PUT_ENTRY] = "INSERT INTO %s.entries VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [PUT_COUNT] = "INSERT INTO %s.counts VALUES(?1, ?2, 1) ON CONFLICT DO UPDATE SET n = n + 1",
    [PUT_STORED] = "INSERT OR IGNORE INTO %s.stored VALUES(?, ?, ?, ?, ?, ?)",
    /* An object that lies in several packs is named in the first of them, in whatever order they are told. */
    [PUT_RUN] = "INSERT INTO %s.runs(tier) VALUES(?)",
    [PUT_OBJECT] =
        ("INSERT INTO %s.objects VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET size = excluded.size, pack = excluded.pack, "
         "offset = excluded.offset WHERE (excluded.pack, excluded.offset) < (pack, offset)"),
    [PUT_TIP] = "UPDATE %s.tip SET size = ?",
};

static cu_status statement(struct sqlite_index *x, unsigned which, sqlite3_stmt **ret, struct cu_err *err)
{
    ENSURE(x->in_batch, err, CU_USAGE, "search index: nothing is put outside of begin and commit");
    if (!x->put[which]) TRY(sqlite_prepare(x, put_sql[which], written_database(x), &x->put[which], err));
    *ret = x->put[which];
    return CU_OK;
}

static cu_status run(struct sqlite_index *x, sqlite3_stmt *st, struct cu_err *err)
{
    int rc = sqlite3_step(st);
    cu_status status = rc == SQLITE_DONE ? CU_OK : sqlite_fail(x, rc, "writing", err);

    sqlite3_reset(st);
    return status;
}

cu_status index_begin(void *self, struct cu_err *err)
{
    struct sqlite_index *x = self;

    pthread_mutex_lock(&x->lock);
    cu_status status = x->in_batch ? cu_fail(err, CU_USAGE, "search index: begin within begin")
                                   : sqlite_run(x, x->overlay ? "SAVEPOINT batch" : "BEGIN IMMEDIATE", err);
    if (status != CU_OK) {
        pthread_mutex_unlock(&x->lock);
        return status;
    }
    x->in_batch = true;
    x->follows = false;
    x->run = 0;
    status = index_unseal(x, err);
    if (status != CU_OK) index_rollback(x);
    return status;
}

static void end_batch(struct sqlite_index *x)
{
    x->in_batch = false;
    pthread_mutex_unlock(&x->lock);
}

void index_rollback(void *self)
{
    struct sqlite_index *x = self;

    if (!x->in_batch) return;
    if (sqlite_run(x, x->overlay ? "ROLLBACK TO batch; RELEASE batch" : "ROLLBACK", NULL) !=
        CU_OK) { /* SQLite rolled back by itself */
    }
    end_batch(x);
}

/* ---- runs of objects ---- */

static cu_status begin_run(struct sqlite_index *x, uint64_t tier, struct cu_err *err)
{
    sqlite3_stmt *st;

    TRY(statement(x, PUT_RUN, &st, err));
    bind_uint(st, 1, tier);
    TRY(run(x, st, err));
    x->run = (uint64_t)sqlite3_last_insert_rowid(x->db);
    x->run_rows = 0;
    return CU_OK;
}

/* The lowest tier that has its number of runs becomes one run of the next. */
static cu_status find_full_tier(struct sqlite_index *x, bool *ret_full, uint64_t *ret_tier, struct cu_err *err)
{
    STATEMENT *st = NULL;

    TRY(sqlite_prepare(x, "SELECT tier FROM %s.runs GROUP BY tier HAVING count(*) >= ?1 ORDER BY tier LIMIT 1",
                       written_database(x), &st, err));
    bind_uint(st, 1, RUNS_MAX);
    TRY(sqlite_row(x, st, ret_full, err));
    if (*ret_full) *ret_tier = column_uint(st, 0);
    return CU_OK;
}

static cu_status merge_tier(struct sqlite_index *x, uint64_t tier, struct cu_err *err)
{
    static const char *const steps[] = {
        ("INSERT OR IGNORE INTO %s.objects SELECT ?2, root, store, size, pack, offset FROM %s.objects WHERE run IN "
         "(SELECT run FROM %s.runs WHERE tier = ?1) ORDER BY root, store, pack, offset"),
        "DELETE FROM %s.objects WHERE run IN (SELECT run FROM %s.runs WHERE tier = ?1)",
        "DELETE FROM %s.runs WHERE tier = ?1",
    };

    TRY(begin_run(x, tier + 1, err));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        STATEMENT *st = NULL;
        TRY(sqlite_prepare(x, steps[i], written_database(x), &st, err));
        bind_uint(st, 1, tier);
        if (i == 0) bind_uint(st, 2, x->run);
        TRY(run(x, st, err));
    }
    return CU_OK;
}

static cu_status merge_runs(struct sqlite_index *x, struct cu_err *err)
{
    uint64_t tier = 0;

    for (bool full = true;;) {
        TRY(find_full_tier(x, &full, &tier, err));
        if (!full) return CU_OK;
        TRY(merge_tier(x, tier, err));
    }
}

cu_status index_commit(void *self, cu_size size, struct cu_err *err)
{
    struct sqlite_index *x = self;
    sqlite3_stmt *st;

    TRY(statement(x, PUT_TIP, &st, err));
    bind_uint(st, 1, size.v);
    TRY(run(x, st, err));
    if (x->follows && !x->overlay) TRY(merge_runs(x, err));
    TRY(sqlite_run(x, x->overlay ? "RELEASE batch" : "COMMIT", err));
    end_batch(x);
    return CU_OK;
}

static cu_status count_one(struct sqlite_index *x, const void *case_id, int n, enum cu_kind kind, struct cu_err *err)
{
    sqlite3_stmt *st;

    TRY(statement(x, PUT_COUNT, &st, err));
    sqlite3_bind_blob(st, 1, case_id, n, SQLITE_TRANSIENT);
    bind_uint(st, 2, kind);
    return run(x, st, err);
}

cu_status index_put(void *self, const struct cu_index_row *row, struct cu_err *err)
{
    struct sqlite_index *x = self;
    sqlite3_stmt *st;

    x->follows = true;
    TRY(statement(x, PUT_ENTRY, &st, err));
    bind_entry(st, row);
    TRY(run(x, st, err));
    TRY(count_one(x, "", 0, row->kind, err)); /* of all cases */
    return row->has_case ? count_one(x, row->case_id.b, sizeof row->case_id.b, row->kind, err) : CU_OK;
}

cu_status index_put_stored(void *self, const struct cu_index_stored *stored, struct cu_err *err)
{
    struct sqlite_index *x = self;
    uint64_t level = 0;
    sqlite3_stmt *st;

    ENSURE(stored->first.v <= stored->last.v && stored->last.v <= INT64_MAX, err, CU_USAGE,
           "search index: a range that ends before it begins");
    TRY(statement(x, PUT_STORED, &st, err));
    while (stored->first.v >> level != stored->last.v >> level) level++; /* at most 63: both are below 2^63 */
    bind_uint(st, 1, level);
    bind_uint(st, 2, stored->first.v >> level);
    bind_uint(st, 3, stored->seq.v);
    bind_uint(st, 4, stored->party);
    bind_uint(st, 5, stored->first.v);
    bind_uint(st, 6, stored->last.v);
    return run(x, st, err);
}

cu_status index_put_object(void *self, unsigned store, const struct cu_index_object *object, struct cu_err *err)
{
    struct sqlite_index *x = self;
    sqlite3_stmt *st;

    if (x->run == 0 || x->run_rows >= RUN_ROWS) TRY(begin_run(x, 0, err));
    x->run_rows++;
    TRY(statement(x, PUT_OBJECT, &st, err));
    bind_uint(st, 1, x->run);
    bind_hash(st, 2, &object->root);
    bind_uint(st, 3, store);
    bind_uint(st, 4, object->size);
    bind_hash(st, 5, &object->pack);
    bind_uint(st, 6, object->offset);
    return run(x, st, err);
}
