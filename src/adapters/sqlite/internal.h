/* What the files of this adapter share. The only ones that include SQLite. */
#ifndef CU_ADAPTERS_SQLITE_INTERNAL_H
#define CU_ADAPTERS_SQLITE_INTERNAL_H

#include "schema.h"
#include "sqlite_index.h"

#include <pthread.h>
#include <sqlite3.h>

enum { PUT_ENTRY, PUT_COUNT, PUT_STORED, PUT_PACK, PUT_TIP, PUTS };
enum run_about { ABOUT_ENTRIES, ABOUT_OBJECTS, RUNS_ABOUT };

/** Rows of a kind, in a case or (n == 0) in all. */
struct tally { uint8_t case_id[16]; int case_n; enum cu_kind kind; uint64_t n; };
enum { TALLIES = 16, KEPT = 24 };

/** Digests of the file's ranges as they were sealed, and which of them were written to since. */
struct index_seal {
    bool off;           /* it was taken off: somebody writes, or did */
    struct cu_buf was;  /* the digests; empty: unknown, all of them */
    struct cu_buf dirty; /* a byte a range */
};

struct sqlite_index {
    sqlite3 *db;
    pthread_mutex_t lock;        /* recursive; held from begin to commit or rollback */
    bool overlay;                /* reads "main", writes "temp" */
    bool in_batch;
    char *path;                  /* of the file that is written; NULL: none */
    struct index_seal seal;
    sqlite3_stmt *put[PUTS];     /* prepared when first used */
    sqlite3_stmt *kept[KEPT];    /* prepared before, and at rest: parsing costs more than most questions */
    bool follows;                /* this batch has entries */
    struct cu_buf pending[RUNS_ABOUT]; /* of this batch: items of a run */
    struct tally tally[TALLIES]; /* of this batch, not counted yet */
    cu_hash pack;                /* told last in this batch, and its number; 0: none yet */
    uint64_t pack_number;
};

/** The databases in which rows lie, the file before the log's tail. */
static inline unsigned databases(const struct sqlite_index *x) { return x->overlay ? 2 : 1; }
static inline const char *database_name(unsigned i) { return i == 0 ? "main" : "temp"; }
static inline const char *written_database(const struct sqlite_index *x) { return database_name(databases(x) - 1); }

/** SQLite's word as ours: "index: <doing>: <what SQLite says>". */
cu_status sqlite_fail(struct sqlite_index *x, int rc, const char *doing, struct cu_err *err);
CU_MUST_USE cu_status sqlite_run(struct sqlite_index *x, const char *sql, struct cu_err *err);
/** Each %s in `format` stands for the database. The caller's, until he finalizes it or gives it back. */
CU_MUST_USE cu_status sqlite_prepare(struct sqlite_index *x, const char *format, const char *database, sqlite3_stmt **ret,
                                     struct cu_err *err);
/** For the next one that asks the same; *st is NULL then. With the lock held, like everything here. */
void sqlite_give_back(struct sqlite_index *x, sqlite3_stmt **st);
static inline void sqlite_statement_free(sqlite3_stmt **st) { sqlite3_finalize(*st); }
#define STATEMENT CU_CLEANUP(sqlite_statement_free) sqlite3_stmt

/** Run `step` once: true when there is a row. */
CU_MUST_USE cu_status sqlite_row(struct sqlite_index *x, sqlite3_stmt *st, bool *ret_more, struct cu_err *err);

static inline void bind_hash(sqlite3_stmt *st, int at, const cu_hash *h)
{
    sqlite3_bind_blob(st, at, h->b, sizeof h->b, SQLITE_TRANSIENT);
}
static inline void bind_uint(sqlite3_stmt *st, int at, uint64_t v) { sqlite3_bind_int64(st, at, (sqlite3_int64)v); }
static inline uint64_t column_uint(sqlite3_stmt *st, int at) { return (uint64_t)sqlite3_column_int64(st, at); }
static inline struct cu_span column_span(sqlite3_stmt *st, int at)
{
    const void *p = sqlite3_column_blob(st, at);
    return cu_span(p, (size_t)sqlite3_column_bytes(st, at));
}
static inline void column_fixed(sqlite3_stmt *st, int at, uint8_t *ret, size_t n)
{
    struct cu_span s = column_span(st, at);
    if (s.n == n) memcpy(ret, s.p, n);
}

/* seal.c: digests of the file as it was when it was last closed, beside it. */
CU_MUST_USE cu_status index_unseal(struct sqlite_index *x, struct cu_err *err); /* before the first write */
/** The write-ahead log goes into the file: by its frames it is known which ranges change. True: all of it is there now. */
bool index_checkpoint(struct sqlite_index *x);
void index_seal(struct sqlite_index *x); /* after the last connection is closed, when all of the log was in the file */

/* runs.c: values by key. In the order in which they were put, key by key. */
CU_MUST_USE cu_status runs_put(struct sqlite_index *x, enum run_about about, uint64_t key, uint64_t value, struct cu_err *err);
CU_MUST_USE cu_status runs_write(struct sqlite_index *x, enum run_about about, struct cu_err *err); /* what is pending */
CU_MUST_USE cu_status runs_merge(struct sqlite_index *x, struct cu_err *err);
/** Every value with a key from ≤ k ≤ to; `each` may end the walk. */
typedef cu_status runs_each(void *arg, uint64_t value, bool *io_more, struct cu_err *err);
CU_MUST_USE cu_status runs_find(struct sqlite_index *x, unsigned database, enum run_about about, uint64_t from, uint64_t to,
                                runs_each *each, void *arg, struct cu_err *err);

/* keys.c: what an entry is found by */
/** False: by this it is not found at all. */
bool entry_key(int by, const struct cu_index_row *row, uint64_t *ret);
/** Does `row` answer a question for what `as` has? */
bool entry_fits(int by, const struct cu_index_row *row, const struct cu_index_row *as);
uint64_t id_key(const cu_hash *id);
uint64_t about_key(const cu_hash *id);
uint64_t object_key(unsigned store, const cu_hash *root);

const char *entry_columns(void); /* "seq, kind, …" */
void bind_entry(sqlite3_stmt *st, const struct cu_index_row *row);
void read_entry(sqlite3_stmt *st, struct cu_index_row *ret);

/* index_write.c and index_find.c: the port's functions */
cu_status index_begin(void *self, struct cu_err *err);
cu_status index_put(void *self, const struct cu_index_row *row, struct cu_err *err);
cu_status index_put_about(void *self, cu_seq seq, const cu_hash *id, struct cu_err *err);
cu_status index_put_stored(void *self, const struct cu_index_stored *stored, struct cu_err *err);
cu_status index_put_object(void *self, unsigned store, const struct cu_index_object *object, struct cu_err *err);
cu_status index_commit(void *self, cu_size size, struct cu_err *err);
void index_rollback(void *self);
cu_status index_size(void *self, cu_size *ret, struct cu_err *err);
cu_status index_find(void *self, const struct cu_index_query *q,
                     cu_status (*each)(void *arg, const struct cu_index_row *row, struct cu_err *err), void *arg,
                     struct cu_err *err);
cu_status index_find_stored(void *self, cu_seq deposit,
                            cu_status (*each)(void *arg, const struct cu_index_stored *s, struct cu_err *err), void *arg,
                            struct cu_err *err);
cu_status index_find_object(void *self, unsigned store, const cu_hash *root, unsigned n, struct cu_index_object *ret,
                            struct cu_err *err);
cu_status index_count_tallies(struct sqlite_index *x, struct cu_err *err);
uint64_t index_count(void *self, enum cu_kind kind, const cu_case_id *of_case);
cu_status index_each_stored(void *self, cu_status (*each)(void *arg, const struct cu_index_stored *s, struct cu_err *err),
                            void *arg, struct cu_err *err);

#endif
