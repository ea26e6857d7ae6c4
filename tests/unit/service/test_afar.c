/* Evidence from afar: whatever the other side sends, cuts short or leaves out, nothing is handed on that was not signed. */
#include "service/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CHUNKS_MAX = 12 };
static struct {
    struct cu_buf bytes; /* the object */
    cu_hash root, chunk[CHUNKS_MAX];
    size_t chunks_n;
    unsigned calls, cut_every; /* 0: never: each answer ends after a chunk and a bit */
    uint64_t wrong_at;         /* this byte is sent as another one; UINT64_MAX: none */
    bool too_much, silent;
    size_t wrong_chunk; /* of the list; SIZE_MAX: none */
} node;
static struct cu_place place;
static struct cu_buf got;
static struct cu_err error;

static cu_status no_record(void *self, cu_seq seq, bool content, struct cu_buf *ret, struct cu_err *err)
{
    (void)self, (void)seq, (void)content, (void)ret;
    return cu_fail(err, CU_NOT_FOUND, "no record");
}

static cu_status chunks(void *self, const struct cu_reading *what, const cu_hash *root, struct cu_buf *ret, struct cu_err *err)
{
    (void)self, (void)what;
    assert_true(cu_hash_eq(root, &node.root));
    for (size_t i = 0; i < node.chunks_n; i++) {
        cu_hash one = node.chunk[i];
        one.b[31] ^= i == node.wrong_chunk;
        cu_buf_add(ret, cu_span_hash(&one));
    }
    return cu_buf_ok(ret, err);
}

static cu_status bytes(void *self, const struct cu_reading *what, const cu_hash *root, uint64_t from, uint64_t to,
                       cu_remote_feed *feed, void *arg, struct cu_err *err)
{
    (void)self, (void)what, (void)root;
    node.calls++;
    if (node.silent) return cu_fail(err, CU_IO, "silence");
    const uint64_t end = node.cut_every && to - from > CU_CHUNK_BYTES ? from + CU_CHUNK_BYTES + 5 : to;
    for (uint64_t at = from; at < end;) {
        const size_t n = end - at < 70001 ? (size_t)(end - at) : 70001;
        uint8_t piece[70001];
        memcpy(piece, node.bytes.p + at, n);
        if (node.wrong_at >= at && node.wrong_at < at + n) piece[node.wrong_at - at] ^= 1;
        TRY(feed(arg, cu_span(piece, n), err));
        at += n;
    }
    if (node.too_much) TRY(feed(arg, cu_span_str("more"), err));
    return end == to ? CU_OK : cu_fail(err, CU_IO, "cut short");
}

static const struct cu_remote_ops ops = { .record = no_record, .chunks = chunks, .bytes = bytes };

static cu_status keep(void *arg, struct cu_span bytes_, struct cu_err *err)
{
    (void)arg;
    cu_buf_add(&got, bytes_);
    return cu_buf_ok(&got, err);
}

static void serve(size_t size)
{
    cu_buf_free(&node.bytes);
    memset(&node, 0, sizeof node);
    node.bytes = cu_buf_heap(size + 1);
    for (size_t i = 0; i < size; i++) cu_buf_add_byte(&node.bytes, (uint8_t)(i * 2654435761u >> 24));
    node.root = cu_content_root_of(cu_buf_span(&node.bytes));
    for (size_t at = 0; at < size; at += CU_CHUNK_BYTES)
        node.chunk[node.chunks_n++] = cu_content_root_of(
            cu_span(node.bytes.p + at, size - at < CU_CHUNK_BYTES ? size - at : CU_CHUNK_BYTES));
    node.wrong_at = UINT64_MAX;
    node.wrong_chunk = SIZE_MAX;
    place.remote = (struct cu_remote){ NULL, &ops };
}

static cu_status fetch(const struct cu_fetch_range *part)
{
    cu_buf_free(&got);
    got = cu_buf_heap(16u << 20);
    return cu_fetch_afar(&place, &node.root, node.bytes.n, part, keep, NULL, &error);
}

static const size_t sizes[] = { 0,
                                1,
                                4096,
                                CU_CHUNK_BYTES - 1,
                                CU_CHUNK_BYTES,
                                CU_CHUNK_BYTES + 1,
                                2 * CU_CHUNK_BYTES,
                                3 * CU_CHUNK_BYTES + 4097,
                                7 * CU_CHUNK_BYTES + 5,
                                8 * CU_CHUNK_BYTES };
#define EACH_SIZE(i) for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)

static void the_whole_comes_at_every_size(void **state)
{
    (void)state;
    EACH_SIZE(i)
    {
        serve(sizes[i]);
        assert_int_equal(fetch(NULL), CU_OK);
        assert_true(cu_span_eq(cu_buf_span(&got), cu_buf_span(&node.bytes)));
    }
}

static void a_part_is_that_part_whatever_chunks_it_lies_in(void **state)
{
    static const struct cu_fetch_range parts[] = { { 0, 1 },
                                                   { CU_CHUNK_BYTES - 1, CU_CHUNK_BYTES },
                                                   { CU_CHUNK_BYTES - 1, CU_CHUNK_BYTES + 1 },
                                                   { CU_CHUNK_BYTES, 2 * CU_CHUNK_BYTES },
                                                   { 5, 3 * CU_CHUNK_BYTES + 4097 } };
    (void)state;
    serve(3 * CU_CHUNK_BYTES + 4097);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_int_equal(fetch(&parts[i]), CU_OK);
        assert_true(cu_span_eq(cu_buf_span(&got), cu_span(node.bytes.p + parts[i].from, (size_t)(parts[i].to - parts[i].from))));
    }
    assert_int_equal(fetch(&(struct cu_fetch_range){ 5, 5 }), CU_USAGE);
    assert_int_equal(fetch(&(struct cu_fetch_range){ 0, node.bytes.n + 1 }), CU_USAGE);
}

static void one_wrong_byte_anywhere_ends_it_before_its_chunk_is_handed_on(void **state)
{
    (void)state;
    EACH_SIZE(i)
    {
        if (sizes[i] == 0) continue;
        const uint64_t wrong[] = { 0, sizes[i] / 2, sizes[i] - 1 };
        for (unsigned k = 0; k < 3; k++) {
            serve(sizes[i]);
            node.wrong_at = wrong[k];
            assert_int_equal(fetch(NULL), CU_BAD_HASH);
            assert_int_equal(got.n, wrong[k] - wrong[k] % CU_CHUNK_BYTES);
        }
    }
}

static void a_list_of_chunks_that_does_not_lead_to_the_root_is_used_for_nothing(void **state)
{
    (void)state;
    EACH_SIZE(i)
    {
        serve(sizes[i]);
        if (node.chunks_n < 2) continue;
        for (node.wrong_chunk = 0; node.wrong_chunk < node.chunks_n; node.wrong_chunk++) {
            assert_int_equal(fetch(NULL), CU_BAD_HASH);
            assert_int_equal(node.calls + got.n, 0);
        }
        node.wrong_chunk = SIZE_MAX;
        node.chunks_n--;
        assert_int_equal(fetch(NULL), CU_BAD_HASH);
    }
}

static void what_is_cut_short_goes_on_where_it_was_and_silence_ends(void **state)
{
    (void)state;
    serve(7 * CU_CHUNK_BYTES + 5);
    node.cut_every = 1;
    assert_int_equal(fetch(NULL), CU_OK);
    assert_true(cu_span_eq(cu_buf_span(&got), cu_buf_span(&node.bytes)));
    assert_in_range(node.calls, 7, 8);
    node.silent = true;
    node.calls = 0;
    assert_int_equal(fetch(NULL), CU_IO);
    assert_in_range(node.calls, 2, 10);
    assert_int_equal(got.n, 0);
}

static void more_than_was_asked_for_is_refused(void **state)
{
    (void)state;
    serve(2 * CU_CHUNK_BYTES);
    node.too_much = true;
    assert_int_equal(fetch(NULL), CU_BAD_HASH);
    assert_int_equal(fetch(&(struct cu_fetch_range){ 3, 5 }), CU_BAD_HASH);
    serve(0);
    node.root.b[0] ^= 1; /* nothing has that root */
    assert_int_equal(fetch(NULL), CU_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_comes_at_every_size),
        cmocka_unit_test(a_part_is_that_part_whatever_chunks_it_lies_in),
        cmocka_unit_test(one_wrong_byte_anywhere_ends_it_before_its_chunk_is_handed_on),
        cmocka_unit_test(a_list_of_chunks_that_does_not_lead_to_the_root_is_used_for_nothing),
        cmocka_unit_test(what_is_cut_short_goes_on_where_it_was_and_silence_ends),
        cmocka_unit_test(more_than_was_asked_for_is_refused),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);

    cu_buf_free(&got);
    cu_buf_free(&node.bytes);
    return failed;
}
