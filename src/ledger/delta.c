/* What changed since the snapshot, in frames.
 *
 *     "custody/state-delta/v1\n" ‖ id of the snapshot (32)        the front; its hash begins the chain
 *     length (4) ‖ mark length (2) ‖ mark ‖ rows ‖ chain (32)     a frame: chain = SHA-256(chain before ‖ all that)
 *
 * (1) A frame counts only when every frame before it does: the chain goes through all of them. So frames that reached the disk
 *     in another order than they were written are as if they had not.
 */
#include "ledger/saved.h"

#include "ledger/snapshot.h"

#define MAGIC "custody/state-delta/v1\n"
#define FRONT_BYTES (sizeof MAGIC - 1 + sizeof(cu_hash))
#define FRAME_MAX (1u << 30)

static void put_front(const cu_hash *snapshot, struct cu_buf *out)
{
    cu_buf_add_str(out, MAGIC);
    cu_buf_add(out, cu_span_hash(snapshot));
}

cu_status cu_delta_create(const struct cu_fs *fs, const char *path, const cu_hash *snapshot, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;
    uint8_t mem[FRONT_BYTES];
    struct cu_buf front = cu_buf_over(mem, sizeof mem);

    put_front(snapshot, &front);
    TRY(fs->ops->open(fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE, &file, err));
    TRY(file->ops->write_at(file, 0, cu_buf_span(&front), err));
    return file->ops->sync(file, err);
}

cu_status cu_delta_open(const struct cu_fs *fs, const char *path, bool write, const cu_hash *snapshot, struct cu_delta *ret,
                        struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;
    uint8_t mem[FRONT_BYTES], found[FRONT_BYTES];
    struct cu_buf front = cu_buf_over(mem, sizeof mem);
    size_t n = 0;

    put_front(snapshot, &front);
    TRY(fs->ops->open(fs->self, path, write ? CU_OPEN_WRITE : CU_OPEN_READ, &file, err));
    TRY(file->ops->read_at(file, 0, found, sizeof found, &n, err));
    *ret = (struct cu_delta){ 0 };
    if (n < sizeof found || memcmp(found, mem, sizeof found) != 0) return CU_OK;
    *ret = (struct cu_delta){ .file = file, .end = FRONT_BYTES, .chain = cu_sha256(cu_buf_span(&front)) };
    file = NULL;
    return CU_OK;
}

void cu_delta_close(struct cu_delta *delta) { cu_file_close(&delta->file); }

static cu_hash chained(const cu_hash *before, struct cu_span frame)
{
    return cu_sha256_parts((struct cu_span[]){ cu_span_hash(before), frame }, 2);
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static cu_status apply(struct cu_span rest, struct cu_map *map, struct cu_mark *mark, struct cu_err *err)
{
    size_t mark_n = rest.n >= 2 ? cu_be16(rest.p) : 0;
    struct cu_span key, value;

    ENSURE(rest.n >= 2 + mark_n && cu_mark_read(cu_span(rest.p + 2, mark_n), mark, NULL) == CU_OK, err, CU_CORRUPT,
           "delta: a good frame without a mark");
    rest = cu_span(rest.p + 2 + mark_n, rest.n - 2 - mark_n);
    while (rest.n > 0) {
        ENSURE(cu_row_take(&rest, &key, &value), err, CU_CORRUPT, "delta: a good frame with a row that is none");
        TRY(cu_map_put(map, key, value, err));
    }
    TRY(cu_map_keep(map, err));
    cu_map_saved(map);
    return CU_OK;
}

/* The next frame into `frame` (length and all, without its chain); `*ret_good` false when it is not whole or not good. */
static cu_status read_frame(struct cu_delta *delta, uint64_t size, struct cu_buf *frame, bool *ret_good, struct cu_err *err)
{
    uint8_t length[4];
    size_t n = 0;

    *ret_good = false;
    if (size - delta->end < sizeof length + sizeof(cu_hash)) return CU_OK;
    TRY(delta->file->ops->read_at(delta->file, delta->end, length, sizeof length, &n, err));
    size_t whole = sizeof length + cu_be32(length), left = sizeof(cu_hash);
    if (n < sizeof length || cu_be32(length) > FRAME_MAX || whole + left > size - delta->end) return CU_OK;
    cu_buf_clear(frame);
    uint8_t *p = cu_buf_grow(frame, whole + left);
    TRY(cu_buf_ok(frame, err));
    TRY(delta->file->ops->read_at(delta->file, delta->end, p, whole + left, &n, err));
    frame->n = whole;
    cu_hash chain = chained(&delta->chain, cu_buf_span(frame));
    *ret_good = n == whole + left && memcmp(p + whole, chain.b, sizeof chain.b) == 0;
    if (*ret_good) delta->chain = chain;
    return CU_OK;
}

cu_status cu_delta_read(struct cu_delta *delta, struct cu_map *map, struct cu_mark *mark, struct cu_err *err)
{
    CU_BUF frame = cu_buf_heap(FRAME_MAX + 64);
    uint64_t size;
    bool good = true;

    TRY(delta->file->ops->size(delta->file, &size, err));
    while (true) {
        TRY(read_frame(delta, size, &frame, &good, err));
        if (!good) return CU_OK; /* by (1) */
        TRY(apply(cu_span(frame.p + 4, frame.n - 4), map, mark, err));
        delta->end += frame.n + sizeof(cu_hash);
    }
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

uint64_t cu_delta_frame_bytes(const struct cu_map *map)
{
    uint64_t n = CU_MARK_MAX;

    for (size_t i = 0; i < map->unsaved.n; i++)
        n += 3u + map->rows[map->unsaved.at[i]].key_n + map->rows[map->unsaved.at[i]].value_n;
    return n;
}

cu_status cu_delta_frame(const struct cu_map *map, const struct cu_mark *mark, struct cu_buf *out, struct cu_err *err)
{
    uint8_t head[6] = { 0 };

    *out = cu_buf_heap(FRAME_MAX + 4 + sizeof(cu_hash));
    cu_buf_add(out, CU_SPAN_OF(head));
    cu_mark_put(mark, out);
    TRY(cu_buf_ok(out, err));
    cu_put_be16(out->p + 4, (uint16_t)(out->n - sizeof head));
    for (size_t i = 0; i < map->unsaved.n; i++) {
        const struct cu_row *row = &map->rows[map->unsaved.at[i]];
        if (row->here) cu_row_put(out, cu_row_key(row), cu_row_value(row));
    }
    TRY(cu_buf_ok(out, err));
    cu_put_be32(out->p, (uint32_t)(out->n - 4));
    return CU_OK;
}

cu_status cu_delta_append(struct cu_delta *delta, struct cu_buf *frame, struct cu_err *err)
{
    cu_hash chain = chained(&delta->chain, cu_buf_span(frame));

    cu_buf_add(frame, cu_span_hash(&chain));
    TRY(cu_buf_ok(frame, err));
    TRY(delta->file->ops->write_at(delta->file, delta->end, cu_buf_span(frame), err));
    delta->end += frame->n;
    delta->chain = chain;
    return CU_OK;
}
