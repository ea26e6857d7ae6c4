/* Writing: one thread from begin to commit, statements prepared once. */
#include "internal.h"

#include <stdio.h>

static const char *const put_sql[PUTS] = {
    [PUT_ENTRY] = "INSERT INTO %s.entries VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [PUT_COUNT] = "INSERT INTO %s.counts VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET n = n + excluded.n",
    [PUT_STORED] = "INSERT OR IGNORE INTO %s.stored VALUES(?, ?, ?, ?, ?, ?)",
    [PUT_PACK] = "INSERT INTO %s.packs(name) VALUES(?)",
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
    x->pack_number = 0;
    status = index_unseal(x, err);
    if (status != CU_OK) index_rollback(x);
    return status;
}

static void end_batch(struct sqlite_index *x)
{
    x->in_batch = false;
    for (unsigned i = 0; i < RUNS_ABOUT; i++) cu_buf_clear(&x->pending[i]);
    memset(x->tally, 0, sizeof x->tally);
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

cu_status index_commit(void *self, cu_size size, struct cu_err *err)
{
    struct sqlite_index *x = self;
    sqlite3_stmt *st;

    TRY(statement(x, PUT_TIP, &st, err));
    bind_uint(st, 1, size.v);
    TRY(run(x, st, err));
    TRY(index_count_tallies(x, err));
    for (enum run_about about = 0; about < RUNS_ABOUT; about++) TRY(runs_write(x, about, err));
    if (x->follows && !x->overlay) TRY(runs_merge(x, err));
    TRY(sqlite_run(x, x->overlay ? "RELEASE batch" : "COMMIT", err));
    end_batch(x);
    return CU_OK;
}

/* ---- how many ---- */

static cu_status count_tally(struct sqlite_index *x, struct tally *t, struct cu_err *err)
{
    sqlite3_stmt *st;

    if (t->n == 0) return CU_OK;
    TRY(statement(x, PUT_COUNT, &st, err));
    sqlite3_bind_blob(st, 1, t->case_id, t->case_n, SQLITE_TRANSIENT);
    bind_uint(st, 2, t->kind);
    bind_uint(st, 3, t->n);
    t->n = 0;
    return run(x, st, err);
}

cu_status index_count_tallies(struct sqlite_index *x, struct cu_err *err)
{
    for (unsigned i = 0; i < TALLIES; i++) TRY(count_tally(x, &x->tally[i], err));
    return CU_OK;
}

/* Rows of a batch have few kinds and cases: they are counted together. */
static cu_status count_one(struct sqlite_index *x, const cu_case_id *of_case, enum cu_kind kind, struct cu_err *err)
{
    struct tally want = { .case_n = of_case ? (int)sizeof *of_case : 0, .kind = kind }, *t;

    if (of_case) memcpy(want.case_id, of_case->b, sizeof want.case_id);
    t = &x->tally[(want.case_id[0] + 7u * kind + 5u * (unsigned)want.case_n) % TALLIES];
    if (t->kind != kind || t->case_n != want.case_n || memcmp(t->case_id, want.case_id, sizeof want.case_id) != 0) {
        TRY(count_tally(x, t, err));
        *t = want;
    }
    t->n++;
    return CU_OK;
}

/* ---- what there is ---- */

static cu_status put_keys(struct sqlite_index *x, const struct cu_index_row *row, struct cu_err *err)
{
    uint64_t key;

    for (int by = CU_FIND_ID_PREFIX; by <= CU_FIND_CASE_NAME; by++)
        if (entry_key(by, row, &key)) TRY(runs_put(x, ABOUT_ENTRIES, key, row->seq.v, err));
    return CU_OK;
}

cu_status index_put(void *self, const struct cu_index_row *row, struct cu_err *err)
{
    struct sqlite_index *x = self;
    sqlite3_stmt *st;

    x->follows = true;
    TRY(statement(x, PUT_ENTRY, &st, err));
    bind_entry(st, row);
    TRY(run(x, st, err));
    TRY(put_keys(x, row, err));
    TRY(count_one(x, NULL, row->kind, err)); /* of all cases */
    return row->has_case ? count_one(x, &row->case_id, row->kind, err) : CU_OK;
}

cu_status index_put_about(void *self, cu_seq seq, const cu_hash *id, struct cu_err *err)
{
    struct sqlite_index *x = self;

    ENSURE(x->in_batch, err, CU_USAGE, "search index: nothing is put outside of begin and commit");
    return runs_put(x, ABOUT_ENTRIES, about_key(id), seq.v, err);
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

static cu_status begin_pack(struct sqlite_index *x, const cu_hash *pack, struct cu_err *err)
{
    sqlite3_stmt *st;

    TRY(statement(x, PUT_PACK, &st, err));
    bind_hash(st, 1, pack);
    TRY(run(x, st, err));
    x->pack = *pack;
    x->pack_number = (uint64_t)sqlite3_last_insert_rowid(x->db);
    return CU_OK;
}

/* As a value, a pack's number and the row in its index. */
cu_status index_put_object(void *self, unsigned store, const struct cu_index_object *object, struct cu_err *err)
{
    struct sqlite_index *x = self;

    ENSURE(x->in_batch, err, CU_USAGE, "search index: nothing is put outside of begin and commit");
    if (x->pack_number == 0 || !cu_hash_eq(&x->pack, &object->pack)) TRY(begin_pack(x, &object->pack, err));
    return runs_put(x, ABOUT_OBJECTS, object_key(store, &object->root), x->pack_number << 32 | object->row, err);
}
