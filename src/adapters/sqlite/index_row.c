/* An entry's columns, from the one table of them: bound and read. */
#include "internal.h"

#include <stddef.h>

enum column_type { SEQ, KIND, HASH, CASE_ID, UINT, TIME, TEXT };

struct column {
    enum column_type type;
    size_t at;
    size_t has_at;
};
#define ALWAYS ((size_t)-1)

/* The condition is 0 or the name of the bool that says whether the value is there. */
#define HAS_0 ALWAYS
#define HAS_has_case offsetof(struct cu_index_row, has_case)
#define HAS_has_sha256 offsetof(struct cu_index_row, has_sha256)
#define HAS_has_ref offsetof(struct cu_index_row, has_ref)
#define COLUMN(name, type, has) { type, offsetof(struct cu_index_row, name), HAS_##has },
static const struct column columns[] = { ENTRY_COLUMNS(COLUMN) };
#undef COLUMN
enum { COLUMNS = sizeof columns / sizeof *columns };

#define NAME(name, type, has) ", " #name
static const char names_with_comma[] = "" ENTRY_COLUMNS(NAME);
#undef NAME

const char *entry_columns(void) { return names_with_comma + 2; }

static const void *member(const struct cu_index_row *row, const struct column *c) { return (const char *)row + c->at; }
static bool is_there(const struct cu_index_row *row, const struct column *c)
{
    return c->has_at == ALWAYS || *(const bool *)((const char *)row + c->has_at);
}

static void bind_column(sqlite3_stmt *st, int at, const struct column *c, const struct cu_index_row *row)
{
    const struct cu_span *text = member(row, c);

    if (!is_there(row, c)) {
        sqlite3_bind_null(st, at);
        return;
    }
    switch (c->type) {
    case SEQ:
    case TIME:
    case UINT: bind_uint(st, at, *(const uint64_t *)member(row, c)); return;
    case KIND: bind_uint(st, at, *(const enum cu_kind *)member(row, c)); return;
    case HASH: bind_hash(st, at, member(row, c)); return;
    case CASE_ID: sqlite3_bind_blob(st, at, member(row, c), sizeof(cu_case_id), SQLITE_TRANSIENT); return;
    case TEXT:
        if (text->n == 0) sqlite3_bind_null(st, at);
        else sqlite3_bind_blob64(st, at, text->p, text->n, SQLITE_TRANSIENT);
        return;
    }
}
_Static_assert(sizeof(cu_seq) == sizeof(uint64_t) && sizeof(cu_unix_ms) == sizeof(uint64_t),
               "newtypes are read as what they hold");

void bind_entry(sqlite3_stmt *st, const struct cu_index_row *row)
{
    for (int i = 0; i < COLUMNS; i++) bind_column(st, i + 1, &columns[i], row);
}

static void read_column(sqlite3_stmt *st, int at, const struct column *c, struct cu_index_row *ret)
{
    void *to = (char *)ret + c->at;

    switch (c->type) {
    case SEQ:
    case TIME:
    case UINT: *(uint64_t *)to = column_uint(st, at); break;
    case KIND: *(enum cu_kind *)to = (enum cu_kind)column_uint(st, at); break;
    case HASH: column_fixed(st, at, to, sizeof(cu_hash)); break;
    case CASE_ID: column_fixed(st, at, to, sizeof(cu_case_id)); break;
    case TEXT: *(struct cu_span *)to = column_span(st, at); break;
    }
    if (c->has_at != ALWAYS) *(bool *)((char *)ret + c->has_at) = sqlite3_column_type(st, at) != SQLITE_NULL;
}

void read_entry(sqlite3_stmt *st, struct cu_index_row *ret)
{
    *ret = (struct cu_index_row){ .kind = CU_KIND_NONE };
    for (int i = 0; i < COLUMNS; i++) read_column(st, i, &columns[i], ret);
}
