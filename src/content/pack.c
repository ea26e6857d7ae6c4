/* The bytes of packs and of their indexes: sizes and offsets are big-endian, rows are sorted by kind, name and offset. */
#include "content/pack.h"

#include <stdlib.h>

enum { AT_PACK = 22, AT_PACK_SIZE = 54, AT_ROWS = 58 };
_Static_assert(sizeof CU_PACK_TYPE - 1 == CU_PACK_HEAD && sizeof CU_PACK_INDEX_TYPE - 1 == AT_PACK, "types have their place");
_Static_assert(CU_CHUNK_BYTES <= 1 << 24, "a small object's size has three bytes");

cu_hash cu_object_name(enum cu_object_kind kind, struct cu_span bytes)
{
    return kind == CU_OBJECT_DETAILS ? cu_sha256(bytes) : cu_content_root_of(bytes);
}

void cu_frame_put(uint8_t ret[CU_FRAME_HEAD], enum cu_object_kind kind, size_t size)
{
    CU_ASSERT(size <= CU_SMALL_MAX);
    cu_put_be32(ret, (uint32_t)kind << 24 | (uint32_t)size);
}

static bool kind_ok(unsigned kind) { return kind == CU_OBJECT_CONTENT || kind == CU_OBJECT_DETAILS; }

cu_status cu_frame_read(const uint8_t head[CU_FRAME_HEAD], enum cu_object_kind *ret_kind, uint32_t *ret_size, struct cu_err *err)
{
    uint32_t size = cu_be32(head) & 0xffffff;

    ENSURE(kind_ok(head[0]), err, CU_MALFORMED, "pack: no such kind of object: %u", head[0]);
    ENSURE(size <= CU_SMALL_MAX, err, CU_MALFORMED, "pack: an object of %u bytes", size);
    *ret_kind = (enum cu_object_kind)head[0];
    *ret_size = size;
    return CU_OK;
}

/* ---- the index ---- */

static int compare_rows(const void *a, const void *b)
{
    const struct cu_pack_row *x = a, *y = b;
    int order = (x->kind > y->kind) - (x->kind < y->kind);

    if (order == 0) order = memcmp(x->name.b, y->name.b, sizeof x->name.b);
    return order != 0 ? order : (x->offset > y->offset) - (x->offset < y->offset);
}

static void put_row(const struct cu_pack_row *row, struct cu_buf *out)
{
    uint8_t bytes[CU_PACK_ROW_BYTES] = { (uint8_t)row->kind };

    memcpy(bytes + 1, row->name.b, sizeof row->name.b);
    cu_put_be32(bytes + 33, row->offset);
    cu_put_be32(bytes + 37, row->size);
    cu_buf_add(out, CU_SPAN_OF(bytes));
}

cu_status cu_pack_index_write(const cu_hash *pack, uint64_t pack_size, struct cu_pack_row *rows, size_t n, struct cu_buf *out,
                              struct cu_err *err)
{
    uint8_t sizes[8];
    size_t start = out->n;

    CU_ASSERT(n <= CU_PACK_ROWS_MAX && pack_size <= CU_PACK_MAX);
    qsort(rows, n, sizeof *rows, compare_rows);
    cu_put_be32(sizes, (uint32_t)pack_size);
    cu_put_be32(sizes + 4, (uint32_t)n);
    cu_buf_add_str(out, CU_PACK_INDEX_TYPE);
    cu_buf_add(out, cu_span_hash(pack));
    cu_buf_add(out, CU_SPAN_OF(sizes));
    for (size_t i = 0; i < n; i++) put_row(&rows[i], out);
    TRY(cu_buf_ok(out, err));
    cu_hash sum = cu_sha256(cu_span(out->p + start, out->n - start));
    cu_buf_add(out, cu_span_hash(&sum));
    return cu_buf_ok(out, err);
}

struct cu_pack_row cu_pack_index_row(const struct cu_pack_index *index, uint32_t i)
{
    const uint8_t *p = index->rows.p + (size_t)i * CU_PACK_ROW_BYTES;
    struct cu_pack_row row = { .kind = (enum cu_object_kind)p[0], .offset = cu_be32(p + 33), .size = cu_be32(p + 37) };

    memcpy(row.name.b, p + 1, sizeof row.name.b);
    return row;
}

/* The row at an offset, or one that is not: out of the pack they come by offset, so it is near where it would be if all were of a size. */
static const struct cu_pack_row *row_at(const struct cu_pack_row *rows, size_t n, uint64_t pack_size, uint32_t offset)
{
    size_t guess = (size_t)((uint64_t)offset * n / pack_size), low = guess < n ? guess : n - 1, high = low + 1;

    for (size_t far = 1; high < n && rows[high].offset <= offset; far *= 2) low = high, high = n - high > far ? high + far : n;
    for (size_t far = 1; low > 0 && rows[low].offset > offset; far *= 2) high = low, low = low > far ? low - far : 0;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        *(rows[middle].offset > offset ? &high : &low) = middle;
    }
    return &rows[low];
}

/* By (2) its rows are distinct: when each is one of the pack's, and there are as many, they are the same. */
bool cu_pack_index_is_of(const struct cu_pack_index *index, uint64_t pack_size, const struct cu_pack_row *rows, size_t n)
{
    if (index->n != n || index->pack_size != pack_size) return false;
    for (uint32_t i = 0; i < index->n; i++) {
        const struct cu_pack_row row = cu_pack_index_row(index, i);
        const struct cu_pack_row *same = row_at(rows, n, pack_size, row.offset);
        if (compare_rows(same, &row) != 0 || same->size != row.size) return false;
    }
    return true;
}

static bool row_fits(const struct cu_pack_index *index, const struct cu_pack_row *row)
{
    return kind_ok(row->kind) && row->size <= CU_SMALL_MAX && row->offset >= CU_PACK_HEAD + CU_FRAME_HEAD &&
           row->offset <= index->pack_size && row->size <= index->pack_size - row->offset;
}

static cu_status check_rows(const struct cu_pack_index *index, struct cu_err *err)
{
    struct cu_pack_row before = { 0 };
    uint64_t sum = CU_PACK_HEAD;

    for (uint32_t i = 0; i < index->n; i++) {
        struct cu_pack_row row = cu_pack_index_row(index, i);
        ENSURE(row_fits(index, &row), err, CU_MALFORMED, "pack index: row %u does not lie in the pack", i);
        ENSURE(i == 0 || compare_rows(&before, &row) < 0, err, CU_MALFORMED, "pack index: row %u is out of order", i);
        sum += (uint64_t)CU_FRAME_HEAD + row.size;
        before = row;
    }
    ENSURE(sum == index->pack_size, err, CU_MALFORMED, "pack index: its rows fill %llu of %u bytes", (unsigned long long)sum,
           index->pack_size);
    return CU_OK;
}

/* A later version ends its first line with another number. */
static cu_status check_type(struct cu_span bytes, const char *type, const char *what, struct cu_err *err)
{
    size_t n = strlen(type);

    if (cu_span_starts(bytes, cu_span_str(type))) return CU_OK;
    ENSURE(!cu_span_starts(bytes, cu_span(type, n - 2)) || bytes.n < n, err, CU_NEWER_FORMAT, "%s: written by a newer version",
           what);
    return cu_fail(err, CU_MALFORMED, "%s: it does not begin as one", what);
}

cu_status cu_pack_index_read(struct cu_span bytes, struct cu_pack_index *ret, struct cu_err *err)
{
    struct cu_pack_index out;

    TRY(check_type(bytes, CU_PACK_INDEX_TYPE, "pack index", err));
    ENSURE(bytes.n >= CU_PACK_INDEX_HEAD + sizeof(cu_hash), err, CU_MALFORMED, "pack index: cut off");
    memcpy(out.pack.b, bytes.p + AT_PACK, sizeof out.pack.b);
    out.pack_size = cu_be32(bytes.p + AT_PACK_SIZE);
    out.n = cu_be32(bytes.p + AT_ROWS);
    ENSURE(out.pack_size <= CU_PACK_MAX && out.n >= 1 && out.n <= CU_PACK_ROWS_MAX, err, CU_MALFORMED,
           "pack index: a size is out of bounds");
    size_t body = CU_PACK_INDEX_HEAD + (size_t)out.n * CU_PACK_ROW_BYTES;
    ENSURE(bytes.n == body + sizeof(cu_hash), err, CU_MALFORMED, "pack index: %zu bytes for %u rows", bytes.n, out.n);
    cu_hash sum = cu_sha256(cu_span(bytes.p, body));
    ENSURE(memcmp(sum.b, bytes.p + body, sizeof sum.b) == 0, err, CU_MALFORMED, "pack index: its checksum is wrong");
    out.rows = cu_span(bytes.p + CU_PACK_INDEX_HEAD, (size_t)out.n * CU_PACK_ROW_BYTES);
    TRY(check_rows(&out, err));
    *ret = out;
    return CU_OK;
}

/* ---- taking a pack apart ---- */

void cu_unpack_start(struct cu_unpack *u,
                     cu_status (*each)(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err),
                     void *arg)
{
    struct cu_buf part = u->part; /* keep its memory */
    *u = (struct cu_unpack){ .arg = arg, .each = each, .part = part.max ? part : cu_buf_heap(CU_CHUNK_BYTES) };
    cu_buf_clear(&u->part);
}

void cu_unpack_free(struct cu_unpack *u) { cu_buf_free(&u->part); }

static size_t wanted(const struct cu_unpack *u)
{
    return u->in_object ? u->row.size : u->at - u->part.n == 0 ? CU_PACK_HEAD : CU_FRAME_HEAD;
}

/* One whole head or object. */
static cu_status take_whole(struct cu_unpack *u, struct cu_span whole, struct cu_err *err)
{
    if (u->in_object) {
        u->in_object = false;
        u->row.name = cu_object_name(u->row.kind, whole);
        return u->each(u->arg, &u->row, whole, err);
    }
    if (u->at == CU_PACK_HEAD) return check_type(whole, CU_PACK_TYPE, "pack", err);
    TRY(cu_frame_read(whole.p, &u->row.kind, &u->row.size, err));
    ENSURE(++u->rows <= CU_PACK_ROWS_MAX, err, CU_MALFORMED, "pack: more than %d objects", CU_PACK_ROWS_MAX);
    u->row.offset = (uint32_t)u->at;
    u->in_object = true;
    return CU_OK;
}

static cu_status take(struct cu_unpack *u, struct cu_span *bytes, struct cu_err *err)
{
    size_t need = wanted(u) - u->part.n, n = bytes->n < need ? bytes->n : need;
    struct cu_span piece = cu_span(bytes->p, n);

    *bytes = cu_span(bytes->p + n, bytes->n - n);
    u->at += n;
    ENSURE(u->at <= CU_PACK_MAX, err, CU_MALFORMED, "pack: longer than %d bytes", CU_PACK_MAX);
    if (n == need && u->part.n == 0) return take_whole(u, piece, err);
    cu_buf_add(&u->part, piece);
    TRY(cu_buf_ok(&u->part, err));
    if (n < need) return CU_OK;
    piece = cu_buf_span(&u->part);
    u->part.n = 0;
    return take_whole(u, piece, err);
}

cu_status cu_unpack_add(struct cu_unpack *u, struct cu_span bytes, struct cu_err *err)
{
    while (bytes.n > 0 || (u->in_object && u->row.size == 0)) TRY(take(u, &bytes, err));
    return CU_OK;
}

cu_status cu_unpack_end(const struct cu_unpack *u, struct cu_err *err)
{
    ENSURE(!u->in_object && u->part.n == 0 && u->rows > 0, err, CU_MALFORMED, "pack: cut off within an object");
    return CU_OK;
}
