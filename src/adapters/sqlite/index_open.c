/* Opening the index, in three ways: to write, to read beside a writer, to read where nothing can be written. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define WAL_PAGES 8192 /* 32 MiB */

/* clang-format off */
static const struct { int rc; cu_status status; } meanings[] = {
    { SQLITE_BUSY, CU_BUSY },          { SQLITE_LOCKED, CU_BUSY },
    { SQLITE_READONLY, CU_READ_ONLY }, { SQLITE_FULL, CU_NO_SPACE },
    { SQLITE_NOMEM, CU_NO_MEMORY },    { SQLITE_CORRUPT, CU_CORRUPT },
    { SQLITE_NOTADB, CU_CORRUPT },     { SQLITE_FORMAT, CU_CORRUPT },
    { SQLITE_PERM, CU_NOT_ALLOWED },   { SQLITE_AUTH, CU_NOT_ALLOWED },
    { SQLITE_ERROR, CU_CORRUPT },      { SQLITE_CONSTRAINT, CU_OUT_OF_ORDER },
};
/* clang-format on */

cu_status sqlite_fail(struct sqlite_index *x, int rc, const char *doing, struct cu_err *err)
{
    cu_status status = CU_IO;

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].rc == (rc & 0xff)) status = meanings[i].status;
    return cu_fail(err, status, "search index: %s: %s", doing, x->db ? sqlite3_errmsg(x->db) : sqlite3_errstr(rc));
}

cu_status sqlite_run(struct sqlite_index *x, const char *sql, struct cu_err *err)
{
    int rc = sqlite3_exec(x->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? CU_OK : sqlite_fail(x, rc, sql, err);
}

cu_status sqlite_prepare(struct sqlite_index *x, const char *format, const char *database, sqlite3_stmt **ret, struct cu_err *err)
{
    char sql[1200];
    size_t n = 0;

    for (const char *at = format; *at; at++) {
        CU_ASSERT(n + 8 < sizeof sql);
        if (at[0] != '%' || at[1] != 's') sql[n++] = *at;
        else n += (size_t)snprintf(sql + n, sizeof sql - n, "%s", database), at++;
    }
    sql[n] = '\0';
    for (unsigned i = 0; i < KEPT; i++) {
        if (!x->kept[i] || strcmp(sqlite3_sql(x->kept[i]), sql) != 0) continue;
        *ret = x->kept[i];
        x->kept[i] = NULL;
        return CU_OK;
    }
    int rc = sqlite3_prepare_v2(x->db, sql, -1, ret, NULL);
    return rc == SQLITE_OK ? CU_OK : sqlite_fail(x, rc, sql, err);
}

void sqlite_give_back(struct sqlite_index *x, sqlite3_stmt **st)
{
    for (unsigned i = 0; i < KEPT && *st; i++) {
        if (x->kept[i]) continue;
        sqlite3_reset(*st);
        sqlite3_clear_bindings(*st);
        x->kept[i] = *st;
        *st = NULL;
    }
    sqlite3_finalize(*st);
    *st = NULL;
}

cu_status sqlite_row(struct sqlite_index *x, sqlite3_stmt *st, bool *ret_more, struct cu_err *err)
{
    int rc = sqlite3_step(st);

    *ret_more = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? CU_OK : sqlite_fail(x, rc, "reading", err);
}

static cu_status pragma(struct sqlite_index *x, const char *sql, uint64_t *ret, struct cu_err *err)
{
    STATEMENT *st = NULL;
    bool more;

    TRY(sqlite_prepare(x, "%s", sql, &st, err));
    TRY(sqlite_row(x, st, &more, err));
    *ret = more ? column_uint(st, 0) : 0;
    return CU_OK;
}

/* ---- the schema ---- */

static cu_status make_tables(struct sqlite_index *x, const char *database, struct cu_err *err)
{
#define TABLE(sql) (sql),
    static const char *const tables[] = { TABLES(TABLE) };
#undef TABLE

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        STATEMENT *st = NULL;
        bool more;
        TRY(sqlite_prepare(x, tables[i], database, &st, err));
        TRY(sqlite_row(x, st, &more, err));
    }
    return CU_OK;
}

static cu_status make_new(struct sqlite_index *x, struct cu_err *err)
{
    char sql[120];

    snprintf(sql, sizeof sql, "PRAGMA main.application_id=%d; PRAGMA main.user_version=%d", APPLICATION_ID, SCHEMA_VERSION);
    TRY(sqlite_run(x, "BEGIN IMMEDIATE", err));
    TRY(make_tables(x, "main", err));
    TRY(sqlite_run(x, sql, err));
    return sqlite_run(x, "COMMIT", err);
}

/* An empty database is new; any other must say that it is ours. */
static cu_status check_schema(struct sqlite_index *x, const char *path, bool *ret_new, struct cu_err *err)
{
    uint64_t tables, id, version;
    cu_size size;

    TRY(pragma(x, "SELECT count(*) FROM main.sqlite_schema", &tables, err));
    TRY(pragma(x, "PRAGMA main.application_id", &id, err));
    TRY(pragma(x, "PRAGMA main.user_version", &version, err));
    *ret_new = tables == 0 && id == 0 && version == 0;
    if (*ret_new) return CU_OK;
    ENSURE(id == APPLICATION_ID, err, CU_CORRUPT, "%s is not a search index of custody", path);
    ENSURE(version <= SCHEMA_VERSION, err, CU_NEWER_FORMAT, "%s was written by a newer version", path);
    ENSURE(version == SCHEMA_VERSION, err, CU_CORRUPT, "%s was written by an older version: make it anew", path);
    return index_size(x, &size, err);
}

/* ---- the ways to open ---- */

static cu_status open_database(struct sqlite_index *x, const char *name, int flags, struct cu_err *err)
{
    int rc = sqlite3_open_v2(name, &x->db, flags | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_URI, NULL);

    if (rc != SQLITE_OK) return sqlite_fail(x, rc, name, err);
    sqlite3_extended_result_codes(x->db, 1);
    sqlite3_busy_timeout(x->db, 2000);
    return sqlite_run(x, "PRAGMA cache_size=-8192; PRAGMA trusted_schema=OFF", err);
}

static void close_database(struct sqlite_index *x)
{
    for (unsigned i = 0; i < KEPT; i++) sqlite3_finalize(x->kept[i]), x->kept[i] = NULL;
    sqlite3_close_v2(x->db);
    x->db = NULL;
}

/* After a commit; instead of SQLite's own, which would not say what it changes. */
static int checkpoint_at_times(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db, (void)name;
    if (pages > WAL_PAGES) (void)index_checkpoint(arg);
    return SQLITE_OK;
}

static cu_status open_to_write(struct sqlite_index *x, const char *path, const char *uri, struct cu_err *err)
{
    char cache[64];
    bool is_new;

    TRY(open_database(x, uri, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err));
    TRY(check_schema(x, path, &is_new, err)); /* before anything is changed in a file that may not be ours */
    TRY(sqlite_run(x, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF", err));
    snprintf(cache, sizeof cache, "PRAGMA cache_size=-%d", CU_INDEX_CACHE >> 10);
    TRY(sqlite_run(x, cache, err));
    sqlite3_wal_hook(x->db, checkpoint_at_times, x);
    x->path = strdup(path);
    ENSURE(x->path, err, CU_NO_MEMORY, "no memory for the search index");
    if (!is_new) return CU_OK;
    TRY(index_unseal(x, err));
    return make_new(x, err);
}

static cu_status open_in_memory(struct sqlite_index *x, struct cu_err *err)
{
    x->overlay = false;
    TRY(open_database(x, CU_SQLITE_IN_MEMORY, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err));
    return make_new(x, err);
}

/* Read and write if that may be: the last one to close then clears away what SQLite put beside the file. */
static cu_status open_for_snapshot(struct sqlite_index *x, const char *uri, struct cu_err *err)
{
    if (open_database(x, uri, SQLITE_OPEN_READWRITE, NULL) == CU_OK) return CU_OK;
    close_database(x);
    return open_database(x, uri, SQLITE_OPEN_READONLY, err);
}

/* One snapshot for as long as it is open: a row is either in the file or in the tail, whatever a writer does meanwhile. */
static cu_status open_snapshot(struct sqlite_index *x, const char *path, const char *uri, struct cu_err *err)
{
    bool is_new;

    TRY(open_for_snapshot(x, uri, err));
    x->overlay = false;
    TRY(sqlite_run(x, "PRAGMA temp_store=MEMORY; BEGIN", err));
    TRY(check_schema(x, path, &is_new, err));
    ENSURE(!is_new, err, CU_NOT_FOUND, "%s is empty", path);
    x->overlay = true;
    return make_tables(x, "temp", err);
}

static bool has_bytes(const char *path, const char *suffix)
{
    char name[4200];
    struct stat st;

    if ((size_t)snprintf(name, sizeof name, "%s%s", path, suffix) >= sizeof name) return false;
    return stat(name, &st) == 0 && st.st_size > 0;
}

/* Beside a writer as usual; where not even the shared memory can be made, as a file that nobody changes, if the WAL is empty;
 * else without it: an empty index is slower, never wrong. */
static cu_status open_to_read(struct sqlite_index *x, const char *path, const char *uri, struct cu_err *err)
{
    char fixed[13000];

    if (!has_bytes(path, "")) return open_in_memory(x, err);
    cu_status status = open_snapshot(x, path, uri, err);
    if (status == CU_OK || status == CU_CORRUPT || status == CU_NEWER_FORMAT) return status;
    close_database(x);
    if (status != CU_NOT_FOUND && !has_bytes(path, "-wal")) {
        snprintf(fixed, sizeof fixed, "%s?immutable=1", uri);
        status = open_snapshot(x, path, fixed, err);
        if (status == CU_OK || status == CU_CORRUPT || status == CU_NEWER_FORMAT) return status;
        close_database(x);
    }
    return open_in_memory(x, err);
}

/* A path as a URI: what means something there is written as %XX. */
static cu_status uri_of(const char *path, char *ret, size_t max, struct cu_err *err)
{
    size_t n = (size_t)snprintf(ret, max, "file:%s", path[0] == '/' ? "" : "./");

    for (const char *p = path; *p && n + 4 < max; p++) {
        if (strchr("?#%", *p)) n += (size_t)snprintf(ret + n, max - n, "%%%02X", (unsigned char)*p);
        else ret[n++] = *p;
    }
    ret[n] = '\0';
    ENSURE(n + 4 < max, err, CU_USAGE, "the path of the search index is too long");
    return CU_OK;
}

/* ---- life ---- */

static void index_close(void *self)
{
    struct sqlite_index *x = self;

    if (!x) return;
    for (unsigned i = 0; i < PUTS; i++) sqlite3_finalize(x->put[i]);
    for (unsigned i = 0; i < RUNS_ABOUT; i++) cu_buf_free(&x->pending[i]);
    const bool whole = x->seal.off && index_checkpoint(x);
    close_database(x);
    if (whole) index_seal(x);
    cu_buf_free(&x->seal.was);
    cu_buf_free(&x->seal.dirty);
    pthread_mutex_destroy(&x->lock);
    free(x->path);
    free(x);
}

static void close_cleanup(struct sqlite_index **x) { index_close(*x); }

static struct sqlite_index *new_index(void)
{
    struct sqlite_index *x = calloc(1, sizeof *x);
    pthread_mutexattr_t recursive;

    if (!x) return NULL;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&x->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    return x;
}

/* SQLite follows links, and waits for a fifo. */
static cu_status plain_file(const char *path, struct cu_err *err)
{
    struct stat st;

    ENSURE(lstat(path, &st) != 0 || S_ISREG(st.st_mode), err, CU_CORRUPT,
           "the search index is not a regular file: something else was put in its place");
    return CU_OK;
}

cu_status cu_sqlite_index_open(const char *path, bool read_only, struct cu_index *ret, struct cu_err *err)
{
    CU_CLEANUP(close_cleanup) struct sqlite_index *x = new_index();
    char uri[12600];

    ENSURE(x, err, CU_NO_MEMORY, "no memory for the search index");
    if (strcmp(path, CU_SQLITE_IN_MEMORY) == 0) TRY(open_in_memory(x, err));
    else {
        TRY(uri_of(path, uri, sizeof uri, err));
        TRY(plain_file(path, err));
        TRY(read_only ? open_to_read(x, path, uri, err) : open_to_write(x, path, uri, err));
    }
    *ret = (struct cu_index){
        .self = x,
        .size = index_size,
        .begin = index_begin,
        .put = index_put,
        .put_about = index_put_about,
        .put_stored = index_put_stored,
        .put_object = index_put_object,
        .commit = index_commit,
        .rollback = index_rollback,
        .find = index_find,
        .find_stored = index_find_stored,
        .find_object = index_find_object,
        .count = index_count,
        .each_stored = index_each_stored,
        .close = index_close,
    };
    x = NULL;
    return CU_OK;
}
