/* Pages of a snapshot, as they are built.
 *
 *     0   checksum (16): of salt, page number and everything below
 *     16  level (2): 0 rows, above: index    18  rows (2)    20  the rows, then zeros to 4096
 *
 * (1) Rows ascend strictly, through a page and from each page of a level to the next.
 * (2) A row of an index page is a page of the level below: the first key in it, and as value its number (8).
 * (3) Pages are numbered as they fill, so those of a level ascend in the file, and an index page stands behind its children.
 * (4) The same rows and mark make the same bytes.
 */
#include "ledger/snapshot.h"

static const struct cu_field head_fields[] = {
    CU_UINT(0, struct cu_page_head, rows, 0, INT64_MAX),
    CU_UINT(1, struct cu_page_head, pages, 1, INT64_MAX),
    CU_UINT(2, struct cu_page_head, root, 0, INT64_MAX),
    CU_BYTES(3, struct cu_page_head, mark, 1, CU_MARK_MAX),
};
const struct cu_schema cu_page_head_schema = CU_SCHEMA_OF("snapshot head", head_fields, struct cu_page_head, .tuple = true);

/* ---- checksums ----------------------------------------------------------------------------------------------------- */

enum { CHECKSUM = 16 };

static cu_hash checksum(const uint8_t *bytes, uint64_t page, const cu_hash *salt)
{
    uint8_t number[8];

    cu_put_be64(number, page);
    return cu_sha256_parts((struct cu_span[]){ cu_span_str("custody/state-page/v1\n"), cu_span_hash(salt), CU_SPAN_OF(number),
                                               cu_span(bytes + CHECKSUM, CU_PAGE_BYTES - CHECKSUM) },
                           4);
}

void cu_page_seal(uint8_t bytes[CU_PAGE_BYTES], uint64_t page, const cu_hash *salt)
{
    cu_hash sum = checksum(bytes, page, salt);

    memcpy(bytes, sum.b, CHECKSUM);
}

bool cu_page_good(const uint8_t bytes[CU_PAGE_BYTES], uint64_t page, const cu_hash *salt)
{
    cu_hash sum = checksum(bytes, page, salt);

    return memcmp(bytes, sum.b, CHECKSUM) == 0;
}

cu_hash cu_page_salt(const struct cu_mark *mark)
{
    uint8_t mem[CU_MARK_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    cu_mark_put(mark, &out);
    return cu_sha256(cu_buf_span(&out));
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

enum { ROW_HEAD = 3 };

void cu_row_put(struct cu_buf *out, struct cu_span key, struct cu_span value)
{
    uint8_t head[ROW_HEAD] = { (uint8_t)key.n };

    cu_put_be16(head + 1, (uint16_t)value.n);
    cu_buf_add(out, CU_SPAN_OF(head));
    cu_buf_add(out, key);
    cu_buf_add(out, value);
}

bool cu_row_take(struct cu_span *rest, struct cu_span *ret_key, struct cu_span *ret_value)
{
    if (rest->n < ROW_HEAD) return false;
    size_t key_n = rest->p[0], value_n = cu_be16(rest->p + 1), n = ROW_HEAD + key_n + value_n;
    if (key_n == 0 || key_n > CU_ROW_KEY_MAX || value_n > CU_ROW_VALUE_MAX || rest->n < n) return false;
    *ret_key = cu_span(rest->p + ROW_HEAD, key_n);
    *ret_value = cu_span(rest->p + ROW_HEAD + key_n, value_n);
    *rest = cu_span(rest->p + n, rest->n - n);
    return true;
}

/* ---- the writer ---------------------------------------------------------------------------------------------------- */

static void clear(struct cu_page *page)
{
    memset(page->bytes, 0, sizeof page->bytes);
    page->used = CU_PAGE_ROWS_AT;
    page->rows = 0;
}

void cu_pages_start(struct cu_page_writer *w, struct cu_page_sink sink, const struct cu_mark *mark)
{
    w->sink = sink;
    w->top = 0;
    w->rows = 0;
    w->pages = 1; /* page 0 is the head */
    w->mark = mark;
    w->salt = cu_page_salt(mark);
    for (unsigned i = 0; i < CU_PAGE_LEVELS; i++) clear(&w->level[i]);
}

static cu_status flush(struct cu_page_writer *w, unsigned level, struct cu_err *err)
{
    struct cu_page *page = &w->level[level];

    cu_put_be16(page->bytes + 16, (uint16_t)level);
    cu_put_be16(page->bytes + 18, (uint16_t)page->rows);
    cu_page_seal(page->bytes, w->pages, &w->salt);
    TRY(w->sink.put(w->sink.self, w->pages, page->bytes, err));
    w->pages++;
    return CU_OK;
}

/* Write the page of `level`, and enter it in the level above, whose page may be full itself; and so on. (2) (3) */
static cu_status promote(struct cu_page_writer *w, unsigned level, struct cu_err *err);

static cu_status add(struct cu_page_writer *w, unsigned level, struct cu_span key, struct cu_span value, struct cu_err *err)
{
    struct cu_page *page = &w->level[level];

    if (page->used + ROW_HEAD + key.n + value.n > CU_PAGE_BYTES) TRY(promote(w, level, err));
    struct cu_buf out = cu_buf_over(page->bytes + page->used, CU_PAGE_BYTES - page->used);
    cu_row_put(&out, key, value);
    page->used += out.n;
    page->rows++;
    return CU_OK;
}

static cu_status promote(struct cu_page_writer *w, unsigned level, struct cu_err *err)
{
    struct cu_page *page = &w->level[level];
    uint8_t number[8], first[CU_ROW_KEY_MAX];
    size_t first_n = page->bytes[CU_PAGE_ROWS_AT];

    CU_ASSERT(level + 1 < CU_PAGE_LEVELS);
    cu_put_be64(number, w->pages);
    memcpy(first, page->bytes + CU_PAGE_ROWS_AT + ROW_HEAD, first_n);
    TRY(flush(w, level, err));
    clear(page);
    if (level == w->top) w->top++;
    return add(w, level + 1, cu_span(first, first_n), CU_SPAN_OF(number), err);
}

cu_status cu_pages_add(void *writer, struct cu_span key, struct cu_span value, struct cu_err *err)
{
    struct cu_page_writer *w = writer;

    CU_ASSERT(key.n > 0 && key.n <= CU_ROW_KEY_MAX && value.n <= CU_ROW_VALUE_MAX);
    w->rows++;
    return add(w, 0, key, value, err);
}

static cu_status put_head(struct cu_page_writer *w, uint64_t root, struct cu_err *err)
{
    uint8_t bytes[CU_PAGE_BYTES] = { 0 }, mem[CU_MARK_MAX];
    struct cu_buf mark = cu_buf_over(mem, sizeof mem), out = cu_buf_over(bytes + CHECKSUM, sizeof bytes - CHECKSUM);

    cu_mark_put(w->mark, &mark);
    const struct cu_page_head head = { .rows = w->rows, .pages = w->pages, .root = root, .mark = cu_buf_span(&mark) };
    cu_buf_add_str(&out, CU_SNAPSHOT_MAGIC);
    TRY(cu_schema_write(&cu_page_head_schema, &head, &out, err));
    cu_page_seal(bytes, 0, &(cu_hash){ 0 });
    return w->sink.put(w->sink.self, 0, bytes, err);
}

cu_status cu_pages_finish(struct cu_page_writer *w, struct cu_err *err)
{
    for (unsigned level = 0; level < w->top; level++) TRY(promote(w, level, err)); /* may raise top */
    uint64_t root = w->rows ? w->pages : 0;
    if (w->rows) TRY(flush(w, w->top, err));
    return put_head(w, root, err);
}
