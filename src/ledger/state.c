/* Rows, changes and their digest.
 *
 * (1) A row is in the map, or frozen, or in the snapshot, or nowhere; the first of these is the newest.
 * (2) Every put of a digested table appends to `changes`, in order, whether or not the value differs: so the digest follows the
 *     steps alone and not what happened to be there.
 * (3) After trouble nothing that was read may be acted upon: step and end return it, and the batch is undone.
 */
#include "ledger/state.h"

#include "ledger/snapshot.h"

#include <stdlib.h>

#define CHANGES_MAX (1u << 30)

void cu_state_init(struct cu_state *s)
{
    *s = (struct cu_state){ .changes = cu_buf_heap(CHANGES_MAX) };
    cu_map_init(&s->map);
    cu_map_init(&s->frozen);
}

void cu_state_free(struct cu_state *s)
{
    cu_map_free(&s->map);
    cu_map_free(&s->frozen);
    cu_snapshot_close(s->snapshot);
    cu_buf_free(&s->changes);
    *s = (struct cu_state){ 0 };
}

static void trouble(struct cu_state *s, cu_status status, const struct cu_err *why)
{
    if (s->trouble != CU_OK) return;
    s->trouble = status;
    s->why = *why;
}

cu_status cu_state_trouble(const struct cu_state *s, struct cu_err *err)
{
    if (s->trouble != CU_OK && err) *err = s->why;
    return s->trouble;
}

static struct cu_span find(struct cu_state *s, struct cu_row_at at)
{
    struct cu_span value = cu_map_find(&s->map, cu_at_span(&at)); /* by (1) */
    struct cu_err err;

    if (!value.p) value = cu_map_find(&s->frozen, cu_at_span(&at));
    if (value.p || !s->snapshot || s->trouble != CU_OK) return value;
    cu_status status = cu_snapshot_find(s->snapshot, cu_at_span(&at), &value, &err);
    if (status != CU_OK) trouble(s, status, &err);
    return value;
}

bool cu_state_has(struct cu_state *s, struct cu_row_at at) { return find(s, at).p != NULL; }

bool cu_state_get(struct cu_state *s, struct cu_row_at at, void *ret)
{
    const struct cu_table_info *table = cu_table_info(at.b[0]);
    struct cu_span value = find(s, at);
    struct cu_err err;

    if (!value.p) return false;
    cu_status status = cu_schema_read(table->row, value, ret, &err);
    if (status == CU_OK) return true;
    trouble(s, cu_fail_while(&err, CU_CORRUPT, "state, table %s", table->name), &err);
    return false;
}

void cu_state_put(struct cu_state *s, struct cu_row_at at, const void *row)
{
    const struct cu_table_info *table = cu_table_info(at.b[0]);
    uint8_t mem[CU_ROW_VALUE_MAX];
    struct cu_buf value = cu_buf_over(mem, sizeof mem);
    struct cu_err err = { 0 };
    cu_status status = cu_schema_write(table->row, row, &value, &err);

    CU_ASSERT(status == CU_OK); /* the rules keep every value within its bounds */
    status = cu_map_put(&s->map, cu_at_span(&at), cu_buf_span(&value), &err);
    if (status != CU_OK) trouble(s, status, &err);
    if (!table->digested) return;
    cu_cbor_put_array(&s->changes, 3); /* (2) */
    cu_cbor_put_uint(&s->changes, at.b[0]);
    cu_cbor_put_bytes(&s->changes, cu_span(at.b + 1, at.n - 1u));
    cu_cbor_put_bytes(&s->changes, cu_buf_span(&value));
    s->changes_n++;
    status = cu_buf_ok(&s->changes, &err);
    if (status != CU_OK) trouble(s, status, &err);
}

/* ---- the end of a batch -------------------------------------------------------------------------------------------- */

cu_hash cu_state_digest(const struct cu_state *s, const cu_hash *previous)
{
    uint8_t mem[16];
    struct cu_buf head = cu_buf_over(mem, sizeof mem);

    cu_cbor_put_array(&head, s->changes_n);
    return cu_sha256_parts((struct cu_span[]){ cu_span_str("custody/state/v1\n"), cu_span_hash(previous), cu_buf_span(&head),
                                               cu_buf_span(&s->changes) },
                           4);
}

static void forget_changes(struct cu_state *s)
{
    cu_buf_clear(&s->changes);
    s->changes_n = 0;
}

cu_status cu_state_keep(struct cu_state *s, struct cu_err *err)
{
    TRY(cu_state_trouble(s, err));
    TRY(cu_map_keep(&s->map, err));
    forget_changes(s);
    return CU_OK;
}

void cu_state_undo(struct cu_state *s)
{
    cu_map_undo(&s->map);
    forget_changes(s);
    s->trouble = CU_OK;
}

/* ---- frozen -------------------------------------------------------------------------------------------------------- */

/* Usually nothing is: then the whole map changes its place. */
cu_status cu_state_freeze(struct cu_state *s, struct cu_err *err)
{
    if (s->frozen.n == 0) {
        cu_map_free(&s->frozen);
        s->frozen = s->map;
        cu_map_init(&s->map);
        return CU_OK;
    }
    for (size_t i = 0; i < s->map.n; i++)
        if (s->map.rows[i].here) TRY(cu_map_put(&s->frozen, cu_row_key(&s->map.rows[i]), cu_row_value(&s->map.rows[i]), err));
    TRY(cu_map_keep(&s->frozen, err));
    cu_map_clear(&s->map);
    return CU_OK;
}

void cu_state_thaw(struct cu_state *s, struct cu_snapshot *fresh)
{
    cu_snapshot_close(s->snapshot);
    s->snapshot = fresh;
    cu_map_clear(&s->frozen);
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

/* Rows of the map up to `before` (exclusive; all when p is NULL), then whether one of them replaces `before`. */
struct merge {
    const struct cu_row **rows;
    size_t n, at;
    cu_state_each *each;
    void *arg;
};

static void free_merge(struct merge *m) { free(m->rows); }

static cu_status map_rows_before(struct merge *m, struct cu_span before, struct cu_err *err)
{
    for (; m->at < m->n && (!before.p || cu_span_cmp(cu_row_key(m->rows[m->at]), before) < 0); m->at++)
        TRY(m->each(m->arg, cu_row_key(m->rows[m->at]), cu_row_value(m->rows[m->at]), err));
    return CU_OK;
}

static cu_status older_row(void *arg, struct cu_span key, struct cu_span value, struct cu_err *err)
{
    struct merge *m = arg;

    TRY(map_rows_before(m, key, err));
    if (m->at < m->n && cu_span_eq(cu_row_key(m->rows[m->at]), key)) return CU_OK; /* by (1); it comes with the next */
    return m->each(m->arg, key, value, err);
}

cu_status cu_state_walk_frozen(const struct cu_state *s, cu_state_each *each, void *arg, struct cu_err *err)
{
    CU_CLEANUP(free_merge) struct merge m = { .each = each, .arg = arg };

    TRY(cu_map_sorted(&s->frozen, &m.rows, &m.n, err));
    if (s->snapshot) TRY(cu_snapshot_walk(s->snapshot, older_row, &m, err));
    return map_rows_before(&m, CU_SPAN_EMPTY, err);
}

cu_status cu_state_walk(const struct cu_state *s, cu_state_each *each, void *arg, struct cu_err *err)
{
    CU_CLEANUP(free_merge) struct merge m = { .each = each, .arg = arg };

    TRY(cu_map_sorted(&s->map, &m.rows, &m.n, err));
    TRY(cu_state_walk_frozen(s, older_row, &m, err));
    return map_rows_before(&m, CU_SPAN_EMPTY, err);
}

static void free_digest(struct cu_digest *digest) { cu_digest_free(digest); }

static cu_status digest_row(void *arg, struct cu_span key, struct cu_span value, struct cu_err *err)
{
    uint8_t mem[CU_ROW_KEY_MAX + CU_ROW_VALUE_MAX + 16];
    struct cu_buf row = cu_buf_over(mem, sizeof mem);

    cu_cbor_put_bytes(&row, key);
    cu_cbor_put_bytes(&row, value);
    TRY(cu_buf_ok(&row, err));
    cu_digest_add(arg, cu_buf_span(&row));
    return CU_OK;
}

cu_status cu_state_hash(struct cu_state *s, const struct cu_mark *mark, cu_hash *ret, struct cu_err *err)
{
    CU_CLEANUP(free_digest) struct cu_digest digest = { 0 };
    uint8_t mem[CU_MARK_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    TRY(cu_digest_start(CU_DIGEST_SHA256, &digest, err));
    cu_mark_put(mark, &out);
    TRY(cu_buf_ok(&out, err));
    cu_digest_add(&digest, cu_span_str("custody/state-rows/v1\n"));
    cu_digest_add(&digest, cu_buf_span(&out));
    TRY(cu_state_walk(s, digest_row, &digest, err));
    cu_digest_finish(&digest, ret->b);
    return CU_OK;
}
