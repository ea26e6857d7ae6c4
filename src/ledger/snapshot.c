/* Reading a snapshot page by page, and writing one.
 *
 * (1) No page is looked at before its checksum was found good; a page that was good stays in the cache.
 * (2) From root to rows every step goes one level down, so a search ends.
 * (3) A walk goes past the cache and changes nothing: one thread may walk while another looks up.
 */
#include "ledger/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#define CACHE_PAGES 1024u
#define PATH_BYTES 512

struct cu_snapshot {
    struct cu_file *file;
    char path[PATH_BYTES];
    uint64_t rows, pages, root;
    struct cu_mark mark;
    cu_hash id, salt;
    uint64_t *cached; /* which page a slot holds; 0: none */
    uint8_t *cache;   /* CACHE_PAGES pages */
};

static unsigned long long llu(uint64_t v) { return v; }

/* ---- pages --------------------------------------------------------------------------------------------------------- */

static cu_status read_page(struct cu_snapshot *s, uint64_t page, const cu_hash *salt, uint8_t *ret, struct cu_err *err)
{
    size_t n = 0;

    TRY(s->file->ops->read_at(s->file, page * CU_PAGE_BYTES, ret, CU_PAGE_BYTES, &n, err));
    ENSURE(n == CU_PAGE_BYTES && cu_page_good(ret, page, salt), err, CU_CORRUPT, "%s: page %llu is damaged", s->path, llu(page));
    return CU_OK;
}

static cu_status get_page(struct cu_snapshot *s, uint64_t page, const uint8_t **ret, struct cu_err *err)
{
    size_t slot = page % CACHE_PAGES;
    uint8_t *bytes = s->cache + slot * CU_PAGE_BYTES;

    ENSURE(page > 0 && page < s->pages, err, CU_CORRUPT, "%s: page %llu is named, of %llu", s->path, llu(page), llu(s->pages));
    if (s->cached[slot] != page) {
        s->cached[slot] = 0;
        TRY(read_page(s, page, &s->salt, bytes, err)); /* by (1) */
        s->cached[slot] = page;
    }
    *ret = bytes;
    return CU_OK;
}

/* The rows of a page. */
struct rows {
    unsigned level, left;
    struct cu_span rest;
};

static struct rows rows_of(const uint8_t *page)
{
    return (struct rows){ cu_be16(page + 16), cu_be16(page + 18),
                          cu_span(page + CU_PAGE_ROWS_AT, CU_PAGE_BYTES - CU_PAGE_ROWS_AT) };
}

static cu_status next_row(const struct cu_snapshot *s, struct rows *rows, struct cu_span *key, struct cu_span *value,
                          struct cu_err *err)
{
    rows->left--;
    ENSURE(cu_row_take(&rows->rest, key, value), err, CU_CORRUPT, "%s: a page has fewer rows than it says", s->path);
    return CU_OK;
}

/* ---- looking up ---------------------------------------------------------------------------------------------------- */

/* The last row of the page that is not above `key`; its value's p is NULL when all are. */
static cu_status seek(struct cu_snapshot *s, uint64_t page, struct cu_span key, unsigned *ret_level, struct cu_span *ret_key,
                      struct cu_span *ret_value, struct cu_err *err)
{
    const uint8_t *bytes;
    struct cu_span at_key, at_value;

    TRY(get_page(s, page, &bytes, err));
    struct rows rows = rows_of(bytes);
    *ret_value = CU_SPAN_EMPTY;
    *ret_level = rows.level;
    while (rows.left > 0) {
        TRY(next_row(s, &rows, &at_key, &at_value, err));
        if (cu_span_cmp(at_key, key) > 0) break;
        *ret_key = at_key;
        *ret_value = at_value;
    }
    return CU_OK;
}

cu_status cu_snapshot_find(struct cu_snapshot *s, struct cu_span key, struct cu_span *ret, struct cu_err *err)
{
    uint64_t page = s->root;
    unsigned level, above = UINT16_MAX + 1u;
    struct cu_span at_key, value;

    *ret = CU_SPAN_EMPTY;
    while (s->rows > 0) {
        TRY(seek(s, page, key, &level, &at_key, &value, err));
        ENSURE(level < above, err, CU_CORRUPT, "%s: its index goes in a circle", s->path); /* by (2) */
        if (!value.p) return CU_OK;
        if (level == 0) {
            if (cu_span_eq(at_key, key)) *ret = value;
            return CU_OK;
        }
        ENSURE(value.n == 8, err, CU_CORRUPT, "%s: page %llu is no index", s->path, llu(page));
        page = cu_be64(value.p);
        above = level;
    }
    return CU_OK;
}

/* Pages of level 0 ascend in the file: one pass from front to back, past the cache. */
cu_status cu_snapshot_walk(struct cu_snapshot *s, cu_state_each *each, void *arg, struct cu_err *err)
{
    uint8_t page[CU_PAGE_BYTES], last[CU_ROW_KEY_MAX];
    struct cu_span key, value, before = CU_SPAN_EMPTY;
    uint64_t n = 0;

    for (uint64_t i = 1; i < s->pages; i++) {
        TRY(read_page(s, i, &s->salt, page, err));
        struct rows rows = rows_of(page);
        while (rows.level == 0 && rows.left > 0) {
            TRY(next_row(s, &rows, &key, &value, err));
            ENSURE(!before.p || cu_span_cmp(before, key) < 0, err, CU_CORRUPT, "%s: page %llu is out of order", s->path, llu(i));
            memcpy(last, key.p, key.n);
            before = cu_span(last, key.n);
            TRY(each(arg, key, value, err));
            n++;
        }
    }
    ENSURE(n == s->rows, err, CU_CORRUPT, "%s: it has %llu rows, not %llu", s->path, llu(n), llu(s->rows));
    return CU_OK;
}

/* ---- open and close ------------------------------------------------------------------------------------------------ */

static cu_status read_head(struct cu_snapshot *s, struct cu_err *err)
{
    static const cu_hash no_salt;
    uint8_t page[CU_PAGE_BYTES];
    struct cu_page_head head;
    size_t magic = strlen(CU_SNAPSHOT_MAGIC);
    uint64_t size;

    TRY(s->file->ops->size(s->file, &size, err));
    TRY(read_page(s, 0, &no_salt, page, err));
    s->id = cu_sha256(CU_SPAN_OF(page));
    ENSURE(memcmp(page + 16, CU_SNAPSHOT_MAGIC, magic) == 0, err, CU_NEWER_FORMAT,
           "%s: not a snapshot of a version that is known here", s->path);
    struct cu_cbor_reader in = cu_cbor_read(cu_span(page + 16 + magic, sizeof page - 16 - magic));
    cu_schema_read_from(&cu_page_head_schema, &in, &head);
    ENSURE(cu_cbor_good(&in) && cu_mark_read(head.mark, &s->mark, NULL) == CU_OK && head.pages == size / CU_PAGE_BYTES &&
               size % CU_PAGE_BYTES == 0 && (head.rows > 0) == (head.root > 0),
           err, CU_CORRUPT, "%s: its first page and its length of %llu bytes do not agree", s->path, llu(size));
    s->rows = head.rows;
    s->pages = head.pages;
    s->root = head.root;
    s->salt = cu_page_salt(&s->mark);
    return CU_OK;
}

void cu_snapshot_close(struct cu_snapshot *s)
{
    if (!s) return;
    cu_file_close(&s->file);
    free(s->cached);
    free(s->cache);
    free(s);
}

static void close_snapshot(struct cu_snapshot **s) { cu_snapshot_close(*s); }

cu_status cu_snapshot_open(const struct cu_fs *fs, const char *path, struct cu_snapshot **ret, struct cu_mark *ret_mark,
                           struct cu_err *err)
{
    CU_CLEANUP(close_snapshot) struct cu_snapshot *s = calloc(1, sizeof *s);

    ENSURE(s, err, CU_NO_MEMORY, "no memory for a snapshot");
    snprintf(s->path, sizeof s->path, "%s", path);
    TRY(fs->ops->open(fs->self, path, CU_OPEN_READ, &s->file, err));
    TRY(read_head(s, err));
    s->cached = calloc(CACHE_PAGES, sizeof *s->cached);
    s->cache = malloc(CACHE_PAGES * (size_t)CU_PAGE_BYTES);
    ENSURE(s->cached && s->cache, err, CU_NO_MEMORY, "no memory for a snapshot's pages");
    *ret_mark = s->mark;
    *ret = s;
    s = NULL;
    return CU_OK;
}

cu_hash cu_snapshot_id(const struct cu_snapshot *s) { return s->id; }
uint64_t cu_snapshot_bytes(const struct cu_snapshot *s) { return s->pages * CU_PAGE_BYTES; }

/* ---- checking: build it again and compare -------------------------------------------------------------------------- */

static cu_status compare_page(void *self, uint64_t page, const uint8_t *bytes, struct cu_err *err)
{
    struct cu_snapshot *s = self;
    uint8_t found[CU_PAGE_BYTES];
    size_t n = 0;

    TRY(s->file->ops->read_at(s->file, page * CU_PAGE_BYTES, found, sizeof found, &n, err));
    ENSURE(n == sizeof found && memcmp(found, bytes, sizeof found) == 0, err, CU_CORRUPT,
           "%s: page %llu is not what its rows make", s->path, llu(page));
    return CU_OK;
}

static void free_writer(struct cu_page_writer **w) { free(*w); }

cu_status cu_snapshot_check(struct cu_snapshot *s, struct cu_err *err)
{
    CU_CLEANUP(free_writer) struct cu_page_writer *w = malloc(sizeof *w);

    ENSURE(w, err, CU_NO_MEMORY, "no memory to check a snapshot");
    cu_pages_start(w, (struct cu_page_sink){ s, compare_page }, &s->mark);
    TRY(cu_snapshot_walk(s, cu_pages_add, w, err));
    return cu_pages_finish(w, err);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

#define GATHER_PAGES 64u

/** Pages on their way into a file, some at a time. */
struct gather {
    struct cu_file *file;
    uint64_t first;
    size_t n;
    uint8_t bytes[GATHER_PAGES * CU_PAGE_BYTES];
};

static cu_status write_gathered(struct gather *g, struct cu_err *err)
{
    size_t n = g->n;

    g->n = 0;
    return n ? g->file->ops->write_at(g->file, g->first * CU_PAGE_BYTES, cu_span(g->bytes, n * CU_PAGE_BYTES), err) : CU_OK;
}

static cu_status gather_page(void *self, uint64_t page, const uint8_t *bytes, struct cu_err *err)
{
    struct gather *g = self;

    if (g->n == GATHER_PAGES || (g->n > 0 && page != g->first + g->n)) TRY(write_gathered(g, err));
    if (g->n == 0) g->first = page;
    memcpy(g->bytes + g->n++ * CU_PAGE_BYTES, bytes, CU_PAGE_BYTES);
    return CU_OK;
}

static void free_gather(struct gather **g)
{
    if (*g) cu_file_close(&(*g)->file);
    free(*g);
}

cu_status cu_snapshot_write(const struct cu_fs *fs, const char *path, const struct cu_state *state, const struct cu_mark *mark,
                            struct cu_err *err)
{
    CU_CLEANUP(free_writer) struct cu_page_writer *w = malloc(sizeof *w);
    CU_CLEANUP(free_gather) struct gather *g = malloc(sizeof *g);

    if (g) g->file = NULL, g->n = 0;
    ENSURE(w && g, err, CU_NO_MEMORY, "no memory to write a snapshot");
    TRY(fs->ops->open(fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE, &g->file, err));
    cu_pages_start(w, (struct cu_page_sink){ g, gather_page }, mark);
    TRY(cu_state_walk_frozen(state, cu_pages_add, w, err));
    TRY(cu_pages_finish(w, err));
    TRY(write_gathered(g, err));
    return g->file->ops->sync(g->file, err);
}
