/* Rows in memory and in pages, held against a plain sorted array. */
#include "play.h"

#include "adapters/memory/memory.h"
#include "ledger/rows.h"
#include "ledger/snapshot.h"
#include "../../schema_check.h"

enum { ROWS = 3000, WIDE = 40000 };

struct plain {
    uint8_t key[40], value[200];
    size_t key_n, value_n;
    bool here;
};
static struct plain rows[ROWS], kept[ROWS];
static uint64_t dice = 88172645463325252;

static uint64_t roll(uint64_t sides)
{
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return dice % sides;
}

static struct cu_span key_of(const struct plain *row) { return cu_span(row->key, row->key_n); }
static struct cu_span value_of(const struct plain *row) { return cu_span(row->value, row->value_n); }

static void make_keys(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        cu_hash h = cu_sha256(cu_span(&i, sizeof i));
        rows[i] = (struct plain){ .key_n = 3 + i % 33 };
        memcpy(rows[i].key, h.b, 32);
        cu_put_be16(rows[i].key, (uint16_t)i); /* no two alike, and many with a common front */
    }
}

static void put(struct cu_map *map, struct plain *row)
{
    row->value_n = roll(sizeof row->value);
    memset(row->value, (int)roll(256), row->value_n);
    row->here = true;
    assert_ok(cu_map_put(map, key_of(row), value_of(row), &err));
}

static void same(const struct cu_map *map)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct cu_span found = cu_map_find(map, key_of(&rows[i]));
        assert_int_equal(found.p != NULL, rows[i].here);
        if (found.p) assert_true(cu_span_eq(found, value_of(&rows[i])));
    }
}

static void a_batch_is_kept_or_was_never_there(void **state)
{
    struct cu_map map;

    (void)state;
    make_keys();
    cu_map_init(&map);
    memcpy(kept, rows, sizeof rows);
    for (int batch = 0; batch < 60; batch++) {
        for (uint64_t n = roll(300); n > 0; n--) put(&map, &rows[roll(ROWS)]);
        same(&map);
        if (roll(3)) {
            assert_ok(cu_map_keep(&map, &err));
            memcpy(kept, rows, sizeof rows);
        } else {
            cu_map_undo(&map);
            memcpy(rows, kept, sizeof rows);
        }
        same(&map);
    }
    cu_map_free(&map);
}

static void rows_wait_to_be_saved_once_and_come_out_sorted(void **state)
{
    struct cu_map map;
    const struct cu_row **sorted;
    size_t n;

    (void)state;
    make_keys();
    cu_map_init(&map);
    for (size_t i = 0; i < 100; i++) put(&map, &rows[i]);
    put(&map, &rows[5]);
    assert_ok(cu_map_keep(&map, &err));
    put(&map, &rows[6]);
    assert_ok(cu_map_keep(&map, &err));
    assert_int_equal(map.unsaved.n, 100);
    cu_map_saved(&map);
    assert_int_equal(map.unsaved.n, 0);
    put(&map, &rows[7]), put(&map, &rows[200]);
    cu_map_undo(&map);
    assert_int_equal(map.unsaved.n, 0);
    assert_ok(cu_map_sorted(&map, &sorted, &n, &err));
    assert_int_equal(n, 100); /* row 200 was undone */
    for (size_t i = 1; i < n; i++) assert_true(cu_span_cmp(cu_row_key(sorted[i - 1]), cu_row_key(sorted[i])) < 0);
    free(sorted);
    cu_map_free(&map);
}

/* ---- pages ------------------------------------------------------------------------------------------------------------ */

static struct cu_row_at wide_key(uint64_t i)
{
    cu_hash kid = { { 1 } };

    return cu_at_numbered(CU_TABLE_SERIAL, cu_span_hash(&kid), i);
}

static cu_status count_row(void *arg, struct cu_span key, struct cu_span value, struct cu_err *why)
{
    uint64_t *n = arg;
    struct cu_row_at wanted = wide_key(2 * (*n)++);

    (void)value, (void)why;
    assert_true(cu_span_eq(key, cu_at_span(&wanted)));
    return CU_OK;
}

/* Enough rows for three levels; every second key is there. */
static void every_row_of_a_snapshot_is_found_and_no_other(void **state)
{
    struct cu_mark mark = { .height = 7 }, found_mark;
    struct cu_snapshot *snapshot;
    struct cu_state rows_in;
    struct cu_span value;
    struct cu_fs fs;
    uint64_t n = 0;

    (void)state;
    assert_ok(cu_memory_fs(&fs, &err));
    cu_state_init(&rows_in);
    for (uint64_t i = 0; i < WIDE; i += 2) cu_state_put(&rows_in, wide_key(i), &(struct cu_row_serial){ .kind = 6, .seq = i });
    assert_ok(cu_state_keep(&rows_in, &err));
    assert_ok(cu_state_freeze(&rows_in, &err));
    assert_ok(cu_snapshot_write(&fs, "s", &rows_in, &mark, &err));
    assert_ok(cu_snapshot_open(&fs, "s", &snapshot, &found_mark, &err));
    assert_int_equal(found_mark.height, 7);
    for (uint64_t i = 0; i < WIDE + 10; i++) {
        struct cu_row_at at = wide_key(i);
        struct cu_span wanted = cu_map_find(&rows_in.frozen, cu_at_span(&at));
        assert_ok(cu_snapshot_find(snapshot, cu_at_span(&at), &value, &err));
        assert_int_equal(value.p != NULL, i % 2 == 0 && i < WIDE);
        if (value.p) assert_true(cu_span_eq(value, wanted));
    }
    struct cu_row_at first = cu_at(CU_TABLE_LEDGER, CU_SPAN_EMPTY), last = cu_at_number(CU_TABLE_BLOCK, 0);
    assert_ok(cu_snapshot_find(snapshot, cu_at_span(&first), &value, &err)); /* before all rows, behind all rows */
    assert_null(value.p);
    assert_ok(cu_snapshot_find(snapshot, cu_at_span(&last), &value, &err));
    assert_null(value.p);
    assert_ok(cu_snapshot_walk(snapshot, count_row, &n, &err));
    assert_int_equal(n, WIDE / 2);
    assert_ok(cu_snapshot_check(snapshot, &err));
    cu_snapshot_close(snapshot);
    cu_state_free(&rows_in);
    fs.ops->close(fs.self);
}

/* A page with a good checksum and wrong content, as no writer makes it: found by building it anew. */
static void a_well_sealed_lie_is_found_by_the_check(void **state)
{
    struct cu_mark mark = { .height = 7 };
    struct cu_snapshot *snapshot;
    struct cu_state rows_in;
    struct cu_fs fs;
    struct cu_file *file;
    uint8_t page[CU_PAGE_BYTES];
    size_t n;

    (void)state;
    assert_ok(cu_memory_fs(&fs, &err));
    cu_state_init(&rows_in);
    for (uint64_t i = 0; i < 10; i++) cu_state_put(&rows_in, wide_key(i), &(struct cu_row_serial){ .kind = 6, .seq = i });
    assert_ok(cu_state_keep(&rows_in, &err));
    assert_ok(cu_state_freeze(&rows_in, &err));
    assert_ok(cu_snapshot_write(&fs, "s", &rows_in, &mark, &err));
    assert_ok(fs.ops->open(fs.self, "s", CU_OPEN_WRITE, &file, &err));
    assert_ok(file->ops->read_at(file, CU_PAGE_BYTES, page, sizeof page, &n, &err));
    page[4000] = 1; /* in the zeros behind the rows */
    cu_hash salt = cu_page_salt(&mark);
    cu_page_seal(page, 1, &salt);
    assert_ok(file->ops->write_at(file, CU_PAGE_BYTES, CU_SPAN_OF(page), &err));
    file->ops->close(file);
    assert_ok(cu_snapshot_open(&fs, "s", &snapshot, &mark, &err));
    assert_fails(CORRUPT, cu_snapshot_check(snapshot, &err));
    cu_snapshot_close(snapshot);
    cu_state_free(&rows_in);
    fs.ops->close(fs.self);
}

static void the_tables_are_in_order(void **state)
{
    (void)state;
    for (unsigned t = 0; t < 30; t++) {
        const struct cu_table_info *info = cu_table_info(t);
        assert_int_equal(info != NULL, t >= CU_TABLE_LEDGER && t <= CU_TABLE_RULES);
        if (info) schema_check(info->row);
    }
    schema_check(&cu_page_head_schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_kept_or_was_never_there),
        cmocka_unit_test(rows_wait_to_be_saved_once_and_come_out_sorted),
        cmocka_unit_test(every_row_of_a_snapshot_is_found_and_no_other),
        cmocka_unit_test(a_well_sealed_lie_is_found_by_the_check),
        cmocka_unit_test(the_tables_are_in_order),
    };
    return cmocka_run_group_tests(tests, play_make_keys, play_free_keys);
}
