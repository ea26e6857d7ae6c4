/* Tiles of every size of a growing log, begun anew or gone on with. */
#include "custody/tile_stream.h"

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

static struct cu_span entry_of(uint64_t i, char ret[32])
{
    return cu_span(ret, (size_t)snprintf(ret, 32, "entry %llu", (unsigned long long)i));
}

static struct cu_tile_stream *stream_over(struct shelf *s)
{
    struct cu_tile_stream *stream;
    OK(cu_tile_stream_new((struct cu_tile_sink){ s, shelve }, &stream, &error));
    return stream;
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
    struct cu_tile_stream *stream = stream_over(s);
    struct cu_frontier f = { .size = { 0 } };
    char text[32];
    (void)state;

    for (uint64_t i = 0; i < 600; i++) {
        struct cu_span entry = entry_of(i, text);
        cu_hash leaf = cu_leaf_hash(entry);
        cu_frontier_append(&f, &leaf);
        OK(cu_tile_stream_add(stream, entry, &error));
        OK(cu_tile_stream_flush(stream, &error));
        cu_hash root = cu_frontier_root(&f), got = cu_tile_stream_root(stream);
        assert_true(cu_hash_eq(&root, &got));
        all_there(s, cu_tile_stream_size(stream));
    }
    size_t writes = s->writes;
    OK(cu_tile_stream_flush(stream, &error)); /* nothing new: nothing written */
    assert_int_equal(s->writes, writes);
    cu_tile_stream_free(stream);
    clear(s);
}

static void a_log_of_three_levels_has_the_tiles_of_the_specification(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_tile_stream *stream = stream_over(s);
    struct {
        int level;
        uint64_t index;
        unsigned width;
    } last[] = { { CU_TILE_ENTRIES, 273, 112 }, { 0, 273, 112 }, { 1, 0, 256 }, { 1, 1, 17 }, { 2, 0, 1 } };
    char text[32];
    (void)state;

    for (uint64_t i = 0; i < 70000; i++) OK(cu_tile_stream_add(stream, entry_of(i, text), &error));
    OK(cu_tile_stream_flush(stream, &error));
    assert_int_equal(s->n, 2 * 273 + 5);
    for (size_t i = 0; i < 5; i++) {
        CU_BUF bytes = cu_buf_heap(1 << 23);
        OK(take(s, (struct cu_tile){ last[i].level, last[i].index, last[i].width }, &bytes, &error));
    }
    cu_tile_stream_free(stream);
    clear(s);
}

static void it_goes_on_from_any_size_as_if_it_had_never_stopped(void **state)
{
    const uint64_t sizes[] = { 0, 1, 2, 255, 256, 257, 300, 511, 512, 513, 65535, 65536, 65537, 65800 };
    char text[32];
    (void)state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct shelf *s = calloc(1, sizeof *s);
        struct cu_tile_stream *first = stream_over(s), *second = stream_over(s);
        cu_size size = { sizes[i] };
        for (uint64_t k = 0; k < sizes[i]; k++) OK(cu_tile_stream_add(first, entry_of(k, text), &error));
        OK(cu_tile_stream_flush(first, &error));
        cu_hash root = cu_tile_stream_root(first), wrong = root;
        wrong.b[0] ^= 1;
        assert_int_equal(cu_tile_stream_resume(second, (struct cu_tile_source){ s, take }, size, &wrong, &error), CU_CORRUPT);
        OK(cu_tile_stream_resume(second, (struct cu_tile_source){ s, take }, size, &root, &error));
        for (uint64_t k = sizes[i]; k < sizes[i] + 300; k++) {
            OK(cu_tile_stream_add(first, entry_of(k, text), &error));
            OK(cu_tile_stream_add(second, entry_of(k, text), &error));
        }
        OK(cu_tile_stream_flush(first, &error));
        OK(cu_tile_stream_flush(second, &error));
        cu_hash a = cu_tile_stream_root(first), b = cu_tile_stream_root(second);
        assert_true(cu_hash_eq(&a, &b));
        all_there(s, cu_tile_stream_size(second));
        cu_tile_stream_free(first);
        cu_tile_stream_free(second);
        clear(s);
    }
}

static void any_damaged_byte_of_a_partial_tile_stops_it(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_tile_stream *stream = stream_over(s);
    char text[32];
    (void)state;

    for (uint64_t k = 0; k < 300; k++) OK(cu_tile_stream_add(stream, entry_of(k, text), &error));
    OK(cu_tile_stream_flush(stream, &error));
    cu_hash root = cu_tile_stream_root(stream);
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].tile.width == CU_TILE_WIDTH) continue;
        for (size_t k = 0; k < s->v[i].n; k++) {
            struct cu_tile_stream *again = stream_over(s);
            s->v[i].p[k] ^= 1;
            assert_int_equal(cu_tile_stream_resume(again, (struct cu_tile_source){ s, take }, (cu_size){ 300 }, &root, &error),
                             CU_CORRUPT);
            s->v[i].p[k] ^= 1;
            cu_tile_stream_free(again);
        }
    }
    cu_tile_stream_free(stream);
    clear(s);
}

static void free_stream(struct cu_tile_stream **s) { cu_tile_stream_free(*s); }

/* The first `left` calls go through. */
struct flaky {
    struct shelf *s;
    size_t left;
};

static cu_status shelve_or_fail(void *self, struct cu_tile tile, struct cu_span bytes, struct cu_err *err)
{
    struct flaky *f = self;

    return f->left-- == 0 ? cu_fail(err, CU_IO, "the disk is gone") : shelve(f->s, tile, bytes, err);
}

static cu_status take_or_fail(void *self, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err)
{
    struct flaky *f = self;

    return f->left-- == 0 ? cu_fail(err, CU_IO, "the disk is gone") : take(f->s, tile, ret, err);
}

static cu_status lay_out(struct flaky *f, uint64_t n)
{
    CU_CLEANUP(free_stream) struct cu_tile_stream *stream = NULL;
    char text[32];

    OK(cu_tile_stream_new((struct cu_tile_sink){ f, shelve_or_fail }, &stream, &error));
    for (uint64_t i = 0; i < n; i++) TRY(cu_tile_stream_add(stream, entry_of(i, text), &error));
    return cu_tile_stream_flush(stream, &error);
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
    (void)state;

    OK(lay_out(&(struct flaky){ s, SIZE_MAX }, 300));
    CU_CLEANUP(free_stream) struct cu_tile_stream *again = stream_over(s);
    struct cu_tile_source tiles = { s, take_less };
    assert_int_equal(cu_tile_stream_resume(again, tiles, (cu_size){ 300 }, &(cu_hash){ { 0 } }, &error), CU_CORRUPT);
    assert_int_equal(cu_tile_stream_size(again).v, 0);
    clear(s);
}

static void whichever_tile_cannot_be_written_or_read_says_so(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    cu_status status = CU_IO;
    cu_hash root;
    (void)state;

    for (size_t n = 0; status != CU_OK; n++) {
        struct flaky f = { s, n };
        status = lay_out(&f, 1000);
        assert_true(status == CU_OK || (status == CU_IO && n < 2000));
    }
    CU_CLEANUP(free_stream) struct cu_tile_stream *whole = stream_over(s), *again = stream_over(s);
    char text[32];
    for (uint64_t i = 0; i < 1000; i++) OK(cu_tile_stream_add(whole, entry_of(i, text), &error));
    root = cu_tile_stream_root(whole);
    status = CU_IO;
    for (size_t n = 0; status != CU_OK; n++) {
        struct flaky f = { s, n };
        status = cu_tile_stream_resume(again, (struct cu_tile_source){ &f, take_or_fail }, (cu_size){ 1000 }, &root, &error);
        assert_true(status == CU_OK || (status == CU_IO && n < 10));
    }
    clear(s);
}

static void the_longest_entries_fill_a_bundle_and_a_longer_one_is_refused(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    struct cu_tile_stream *stream = stream_over(s);
    static uint8_t long_one[CU_ENTRY_MAX + 1];
    (void)state;

    assert_int_equal(cu_tile_stream_add(stream, CU_SPAN_OF(long_one), &error), CU_TOO_LARGE);
    for (int i = 0; i < 256; i++) OK(cu_tile_stream_add(stream, cu_span(long_one, CU_ENTRY_MAX), &error));
    OK(cu_tile_stream_flush(stream, &error));
    all_there(s, (cu_size){ 256 });
    cu_tile_stream_free(stream);
    cu_tile_stream_free(NULL);
    clear(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_its_tiles_and_its_root),
        cmocka_unit_test(a_log_of_three_levels_has_the_tiles_of_the_specification),
        cmocka_unit_test(it_goes_on_from_any_size_as_if_it_had_never_stopped),
        cmocka_unit_test(any_damaged_byte_of_a_partial_tile_stops_it),
        cmocka_unit_test(a_tile_that_was_cut_off_is_not_gone_on_with),
        cmocka_unit_test(whichever_tile_cannot_be_written_or_read_says_so),
        cmocka_unit_test(the_longest_entries_fill_a_bundle_and_a_longer_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
