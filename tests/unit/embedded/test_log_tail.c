/* Tiles of every size of a growing log, begun anew or gone on with, kept and let go. */
#include "custody/log_tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cu_err error;
#define OK(call)                                                                          \
    do {                                                                                  \
        cu_status ok_ = (call);                                                           \
        if (ok_ != CU_OK) fail_msg("%s: %s: %s", #call, cu_status_name(ok_), error.text); \
    } while (0)

#define SHELF 4096u
struct shelf {
    size_t n, writes;
    struct {
        struct cu_tile tile;
        uint8_t *p;
        size_t n;
    } v[SHELF];
};

static bool same(struct cu_tile a, struct cu_tile b) { return a.level == b.level && a.index == b.index && a.width == b.width; }

static cu_status shelve(void *self, struct cu_tile tile, struct cu_span bytes, struct cu_err *err)
{
    struct shelf *s = self;
    (void)err;

    s->writes++;
    for (size_t i = 0; i < s->n; i++)
        if (same(s->v[i].tile, tile)) {
            assert_int_equal(s->v[i].n, bytes.n); /* the same name, the same bytes */
            assert_memory_equal(s->v[i].p, bytes.p, bytes.n);
            return CU_OK;
        }
    assert_true(s->n < SHELF);
    s->v[s->n].tile = tile;
    s->v[s->n].n = bytes.n;
    s->v[s->n].p = malloc(bytes.n);
    memcpy(s->v[s->n++].p, bytes.p, bytes.n);
    return CU_OK;
}

static cu_status take(void *self, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err)
{
    struct shelf *s = self;

    for (size_t i = 0; i < s->n; i++)
        if (same(s->v[i].tile, tile)) return cu_buf_add(ret, cu_span(s->v[i].p, s->v[i].n)), cu_buf_ok(ret, err);
    return cu_fail(err, CU_NOT_FOUND, "no such tile");
}

static void clear(struct shelf *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->v[i].p);
    free(s);
}

/* Entry i is always the same. */
static struct cu_tail_entry entry_of(uint64_t i)
{
    static char text[70400][16];

    return (
        struct cu_tail_entry){ .entry = cu_span(text[i], (size_t)snprintf(text[i], 16, "entry %llu", (unsigned long long)i)) };
}

static struct cu_log_tail *new_tail(void)
{
    struct cu_log_tail *t;
    OK(cu_log_tail_new(&t, &error));
    return t;
}

static void add(struct cu_log_tail *t, uint64_t i)
{
    const struct cu_tail_entry entry = entry_of(i);
    const cu_hash leaf = cu_leaf_hash(entry.entry);

    OK(cu_log_tail_reserve(t, 1, &error));
    cu_log_tail_add(t, &entry, &leaf);
}

static cu_hash root_of(const struct cu_log_tail *t) { return cu_log_tail_root(t, cu_log_tail_size(t)); }

/* The first `left` calls go through. */
struct flaky {
    struct shelf *s;
    struct cu_log_tail *tail;
    size_t left;
};

static cu_status shelve_or_fail(void *arg, struct cu_tile tile, struct cu_err *err)
{
    struct flaky *f = arg;
    CU_BUF bytes = cu_buf_heap(1 << 23);

    if (f->left-- == 0) return cu_fail(err, CU_IO, "the disk is gone");
    TRY(cu_log_tail_read(f->tail, tile, &bytes, err));
    return shelve(f->s, tile, cu_buf_span(&bytes), err);
}

static cu_status take_or_fail(void *self, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err)
{
    struct flaky *f = self;

    return f->left-- == 0 ? cu_fail(err, CU_IO, "the disk is gone") : take(f->s, tile, ret, err);
}

/* What a log of this size has and one of size `from` has not. */
static void lay_out(struct shelf *s, struct cu_log_tail *t, cu_size from)
{
    OK(cu_tiles_between(from, cu_log_tail_size(t), shelve_or_fail, &(struct flaky){ s, t, SIZE_MAX }, &error));
}

static struct cu_log_tail *tail_of(struct shelf *s, uint64_t n)
{
    struct cu_log_tail *t = new_tail();

    for (uint64_t i = 0; i < n; i++) add(t, i);
    lay_out(s, t, (cu_size){ 0 });
    return t;
}

/* Everything that a log of this size serves is there and has the right width. */
static void all_there(struct shelf *s, cu_size size)
{
    for (int level = CU_TILE_ENTRIES; level <= (int)CU_TILE_LEVEL_MAX; level++)
        for (uint64_t i = 0; cu_tile_width(level, i, size) > 0; i++) {
            CU_BUF bytes = cu_buf_heap(1 << 23);
            struct cu_tile tile = { level, i, cu_tile_width(level, i, size) };
            if (take(s, tile, &bytes, NULL) != CU_OK)
                fail_msg("level %d, index %llu of size %llu is missing", level, (unsigned long long)i,
                         (unsigned long long)size.v);
            if (level == CU_TILE_ENTRIES) OK(cu_bundle_check(cu_buf_span(&bytes), tile.width, &error));
            else assert_int_equal(bytes.n, 32 * tile.width);
        }
}

static void every_size_has_its_tiles_and_its_root(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_log_tail *t = new_tail();
    struct cu_frontier f = { .size = { 0 } };
    (void)state;

    for (uint64_t i = 0; i < 600; i++) {
        const cu_hash leaf = cu_leaf_hash(entry_of(i).entry);
        cu_frontier_append(&f, &leaf);
        add(t, i);
        lay_out(s, t, (cu_size){ i });
        cu_hash root = cu_frontier_root(&f), got = root_of(t);
        assert_true(cu_hash_eq(&root, &got));
        all_there(s, cu_log_tail_size(t));
    }
    size_t writes = s->writes;
    lay_out(s, t, (cu_size){ 600 }); /* nothing new: nothing written */
    assert_int_equal(s->writes, writes);
    cu_log_tail_free(t);
    clear(s);
}

static void a_log_of_three_levels_has_the_tiles_of_the_specification(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_log_tail *t = tail_of(s, 70000);
    struct {
        int level;
        uint64_t index;
        unsigned width;
    } last[] = { { CU_TILE_ENTRIES, 273, 112 }, { 0, 273, 112 }, { 1, 0, 256 }, { 1, 1, 17 }, { 2, 0, 1 } };
    (void)state;

    assert_int_equal(s->n, 2 * 273 + 5);
    for (size_t i = 0; i < 5; i++) {
        CU_BUF bytes = cu_buf_heap(1 << 23);
        OK(take(s, (struct cu_tile){ last[i].level, last[i].index, last[i].width }, &bytes, &error));
    }
    cu_log_tail_free(t);
    clear(s);
}

static void it_goes_on_from_any_size_as_if_it_had_never_stopped(void **state)
{
    const uint64_t sizes[] = { 0, 1, 2, 255, 256, 257, 300, 511, 512, 513, 65535, 65536, 65537, 65800 };
    (void)state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct shelf *s = calloc(1, sizeof *s);
        struct cu_log_tail *first = tail_of(s, sizes[i]), *second = new_tail();
        cu_size size = { sizes[i] };
        cu_hash root = root_of(first), wrong = root;
        wrong.b[0] ^= 1;
        assert_int_equal(cu_log_tail_resume(second, (struct cu_tile_source){ s, take }, size, &wrong, &error), CU_CORRUPT);
        OK(cu_log_tail_resume(second, (struct cu_tile_source){ s, take }, size, &root, &error));
        for (uint64_t k = sizes[i]; k < sizes[i] + 300; k++) add(first, k), add(second, k);
        lay_out(s, first, size);
        lay_out(s, second, size); /* shelve: the same names, the same bytes */
        cu_hash a = root_of(first), b = root_of(second);
        assert_true(cu_hash_eq(&a, &b));
        all_there(s, cu_log_tail_size(second));
        cu_log_tail_free(first);
        cu_log_tail_free(second);
        clear(s);
    }
}

/* What was let go lies on the shelf; all that is not there in full is still in memory, for every size since. */
static void what_is_let_go_was_full_and_the_rest_is_kept(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_log_tail *t = new_tail();
    uint64_t drained = 0;
    (void)state;

    for (uint64_t i = 0; i < 66200; i++) {
        add(t, i);
        if (i % 97 != 0 && i < 65500) continue;
        for (int level = CU_TILE_ENTRIES; level < 3; level++) {
            const cu_size size = cu_log_tail_size(t);
            for (uint64_t n = 0; cu_tile_width(level, n, size) > 0; n++) {
                const struct cu_tile tile = { level, n, cu_tile_width(level, n, size) };
                CU_BUF bytes = cu_buf_heap(1 << 23);
                if (cu_log_tail_has(t, tile)) OK(cu_log_tail_read(t, tile, &bytes, &error));
                else assert_int_equal(tile.width, CU_TILE_WIDTH);
            }
        }
        if (i % 3 != 0) continue;
        lay_out(s, t, (cu_size){ drained });
        drained = i + 1;
        assert_int_equal(cu_log_tail_forget(t, (cu_size){ drained }).v, drained / 256 * 256);
        assert_null(cu_log_tail_at(t, (cu_seq){ drained }));
        if (drained >= 256) assert_null(cu_log_tail_at(t, (cu_seq){ drained / 256 * 256 - 1 }));
        while (s->n > 0) free(s->v[--s->n].p);
    }
    cu_log_tail_free(t);
    clear(s);
}

static void it_is_cut_back_to_any_size_since(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_log_tail *whole = tail_of(s, 1000), *t = new_tail();
    (void)state;

    for (uint64_t i = 0; i < 700; i++) add(t, i);
    (void)cu_log_tail_forget(t, (cu_size){ 300 });
    for (uint64_t size = 300; size <= 700; size += 25) {
        cu_log_tail_cut(t, (cu_size){ size });
        cu_hash a = root_of(t), b = cu_log_tail_root(whole, (cu_size){ size });
        assert_true(cu_hash_eq(&a, &b));
        for (uint64_t i = size; i < 700; i++) add(t, i);
        a = root_of(t), b = cu_log_tail_root(whole, (cu_size){ 700 });
        assert_true(cu_hash_eq(&a, &b));
    }
    CU_BUF bytes = cu_buf_heap(1 << 23);
    assert_int_equal(cu_log_tail_read(t, (struct cu_tile){ 0, 0, 256 }, &bytes, &error), CU_NOT_FOUND);
    assert_int_equal(cu_log_tail_read(t, (struct cu_tile){ 0, 2, 256 }, &bytes, &error), CU_NOT_FOUND);
    cu_log_tail_free(t);
    cu_log_tail_free(whole);
    clear(s);
}

static void any_damaged_byte_of_a_partial_tile_stops_it(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_log_tail *t = tail_of(s, 300);
    cu_hash root = root_of(t);
    (void)state;

    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].tile.width == CU_TILE_WIDTH) continue;
        for (size_t k = 0; k < s->v[i].n; k++) {
            struct cu_log_tail *again = new_tail();
            s->v[i].p[k] ^= 1;
            assert_int_equal(cu_log_tail_resume(again, (struct cu_tile_source){ s, take }, (cu_size){ 300 }, &root, &error),
                             CU_CORRUPT);
            s->v[i].p[k] ^= 1;
            cu_log_tail_free(again);
        }
    }
    cu_log_tail_free(t);
    clear(s);
}

static cu_status take_less(void *self, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err)
{
    TRY(take(self, tile, ret, err));
    ret->n--;
    return CU_OK;
}

static void a_tile_that_was_cut_off_is_not_gone_on_with(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_log_tail *t = tail_of(s, 300), *again = new_tail();
    struct cu_tile_source tiles = { s, take_less };
    (void)state;

    assert_int_equal(cu_log_tail_resume(again, tiles, (cu_size){ 300 }, &(cu_hash){ { 0 } }, &error), CU_CORRUPT);
    assert_int_equal(cu_log_tail_size(again).v, 0);
    cu_log_tail_free(again);
    cu_log_tail_free(t);
    clear(s);
}

static void whichever_tile_cannot_be_written_or_read_says_so(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_log_tail *whole = tail_of(s, 1000), *again = new_tail();
    cu_hash root = root_of(whole);
    cu_status status = CU_IO;
    (void)state;

    for (size_t n = 0; status != CU_OK; n++) {
        struct flaky f = { s, whole, n };
        status = cu_tiles_between((cu_size){ 0 }, (cu_size){ 1000 }, shelve_or_fail, &f, &error);
        assert_true(status == CU_OK || (status == CU_IO && n < 20));
    }
    status = CU_IO;
    for (size_t n = 0; status != CU_OK; n++) {
        struct flaky f = { s, NULL, n };
        status = cu_log_tail_resume(again, (struct cu_tile_source){ &f, take_or_fail }, (cu_size){ 1000 }, &root, &error);
        assert_true(status == CU_OK || (status == CU_IO && n < 10));
    }
    cu_log_tail_free(whole);
    cu_log_tail_free(again);
    clear(s);
}

static void the_longest_entries_fill_a_bundle(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_log_tail *t = new_tail();
    static uint8_t long_one[CU_ENTRY_MAX];
    const struct cu_tail_entry entry = { .entry = CU_SPAN_OF(long_one) };
    const cu_hash leaf = cu_leaf_hash(entry.entry);
    (void)state;

    OK(cu_log_tail_reserve(t, 256, &error));
    for (int i = 0; i < 256; i++) cu_log_tail_add(t, &entry, &leaf);
    lay_out(s, t, (cu_size){ 0 });
    all_there(s, (cu_size){ 256 });
    cu_log_tail_free(t);
    cu_log_tail_free(NULL);
    clear(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_its_tiles_and_its_root),
        cmocka_unit_test(a_log_of_three_levels_has_the_tiles_of_the_specification),
        cmocka_unit_test(it_goes_on_from_any_size_as_if_it_had_never_stopped),
        cmocka_unit_test(what_is_let_go_was_full_and_the_rest_is_kept),
        cmocka_unit_test(it_is_cut_back_to_any_size_since),
        cmocka_unit_test(any_damaged_byte_of_a_partial_tile_stops_it),
        cmocka_unit_test(a_tile_that_was_cut_off_is_not_gone_on_with),
        cmocka_unit_test(whichever_tile_cannot_be_written_or_read_says_so),
        cmocka_unit_test(the_longest_entries_fill_a_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
