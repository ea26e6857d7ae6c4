/* A stream that comes in pieces: what is acknowledged is there, whatever fails; what is not what was claimed does not count. */
#include "../../one_of.h"
#include "adapters/faulty/faulty.h"
#include "content/receive.h"
#include "stores.h"

#define PATH "spool/7"
enum { CHUNKS_MAX = 8 };

struct stream {
    struct cu_buf bytes;
    struct cu_receive_part part[3];
    size_t parts_n, chunks_n;
    cu_hash chunk[CHUNKS_MAX];
};

static struct stream new_stream(size_t parts_n, const size_t *sizes, uint64_t seed)
{
    struct stream s = { .bytes = cu_buf_heap(16u << 20), .parts_n = parts_n };

    for (size_t i = 0; i < parts_n; i++) {
        uint8_t *p = cu_buf_grow(&s.bytes, sizes[i]);
        fill_bytes(p, sizes[i], seed + i);
        s.part[i] = (struct cu_receive_part){ cu_content_root_of(cu_span(p, sizes[i])), sizes[i] };
        for (size_t at = 0; at < sizes[i]; at += CU_CHUNK_BYTES)
            s.chunk[s.chunks_n++] = cu_content_root_of(
                cu_span(p + at, sizes[i] - at < CU_CHUNK_BYTES ? sizes[i] - at : CU_CHUNK_BYTES));
    }
    return s;
}

static struct cu_span piece_of(const struct stream *s, size_t from, size_t to) { return cu_span(s->bytes.p + from, to - from); }

static cu_status set_chunks(struct cu_receive *r, const struct stream *s)
{
    return cu_receive_set_chunks(r, cu_span(s->chunk, s->chunks_n * sizeof *s->chunk), &error);
}

static cu_status open_it(const struct cu_fs *fs, const struct stream *s, struct cu_receive *ret)
{
    return cu_receive_open(fs, PATH, s->part, s->parts_n, ret, &error);
}

/* One piece, in bites of an odd length, as a network brings them, or of whole pages; each on a page, and overwritten when it may be. */
static cu_status bring(struct cu_receive *r, struct cu_span bytes, bool together)
{
    const size_t most = bytes.n % 2 ? 70001 : 48 * 4096;
    CU_BUF first = cu_buf_pages(most);
    CU_BUF second = cu_buf_pages(most);
    cu_status status = CU_OK;

    TRY(cu_receive_begin(r, together, &error));
    for (size_t at = 0; at < bytes.n && status == CU_OK; at += most) {
        struct cu_buf *bite = at / most % 2 ? &second : &first;
        cu_buf_clear(bite);
        cu_buf_add(bite, cu_span(bytes.p + at, bytes.n - at < most ? bytes.n - at : most));
        status = cu_receive_add(r, cu_buf_span(bite), &error);
    }
    const cu_status ended = cu_receive_end(r, status == CU_OK, status == CU_OK ? &error : NULL);
    return status == CU_OK ? ended : status;
}

static cu_status store(struct cu_receive *r, struct cu_objects *to)
{
    struct cu_put *p = NULL;
    cu_status status = cu_put_begin(&to, 1, &p, &error);

    if (status == CU_OK) status = cu_receive_store(r, p, &error);
    if (status == CU_OK) status = cu_put_commit(p, &error);
    if (status == CU_OK) cu_receive_stored(r);
    if (status == CU_OK) status = cu_put_verify(p, 0, &error);
    cu_put_free(p);
    return status;
}

static bool is_stored(struct cu_objects *in, const struct stream *s)
{
    uint64_t at = 0;
    bool all = true;

    for (size_t i = 0; i < s->parts_n; i++) {
        all &= holds(in, CU_OBJECT_CONTENT, &s->part[i].root, cu_span(s->bytes.p + at, (size_t)s->part[i].size));
        at += s->part[i].size;
    }
    return all;
}

static const size_t sizes[][3] = { { 0 },
                                   { 1 },
                                   { 4096 },
                                   { CU_CHUNK_BYTES - 1 },
                                   { CU_CHUNK_BYTES },
                                   { CU_CHUNK_BYTES + 1 },
                                   { 3 * CU_CHUNK_BYTES + 4097 },
                                   { 300, CU_CHUNK_BYTES + 9, 4096 },
                                   { CU_CHUNK_BYTES, CU_CHUNK_BYTES, 2 * CU_CHUNK_BYTES + 1 } };
#define EACH_STREAM(i, s)                                                         \
    for (size_t i = 0, more = 1; i < sizeof sizes / sizeof *sizes; i++, more = 1) \
        for (struct stream s = new_stream(sizes[i][1] ? 3 : 1, sizes[i], i); more; more = 0, cu_buf_free(&s.bytes))

static void any_stream_comes_in_any_pieces_and_is_stored(void **state)
{
    (void)state;
    for (int list = 0; list < 2; list++) EACH_STREAM(i, s)
        {
            struct stores st = new_stores();
            struct cu_receive r;
            OK(open_it(st.opened, &s, &r));
            if (list && s.chunks_n) OK(set_chunks(&r, &s));
            while (r.durable < r.length) {
                const size_t left = (size_t)(r.length - r.durable), n = left / 2 + 1;
                OK(bring(&r, piece_of(&s, (size_t)r.durable, (size_t)r.durable + n), r.durable % 2));
                OK(open_it(st.opened, &s, &r)); /* as after the process ended */
            }
            OK(store(&r, st.at[0]));
            assert_true(is_stored(st.at[0], &s));
            end_stores(&st);
        }
}

static void a_large_one_becomes_the_stores_without_being_written_again(void **state)
{
    const size_t size = 2 * CU_CHUNK_BYTES + 5;
    struct stream s = new_stream(1, &size, 1);
    struct stores st = new_stores();
    struct cu_receive r;

    (void)state;
    OK(open_it(st.opened, &s, &r));
    OK(bring(&r, piece_of(&s, 0, size), false));
    OK(store(&r, st.at[0]));
    assert_true(r.moved && !cu_fs_exists(st.opened, PATH ".bytes"));
    OK(open_it(st.opened, &s, &r)); /* a process that begins anew knows it */
    assert_true(r.moved && r.durable == size);
    OK(cu_receive_again(&r, &error)); /* should the store have lost it */
    assert_true(!r.moved && r.durable == 0);
    OK(bring(&r, piece_of(&s, 0, size), false));
    OK(store(&r, st.at[0])); /* the store has it: nothing moves */
    assert_false(r.moved);
    cu_buf_free(&s.bytes);
    end_stores(&st);
}

static void a_wrong_chunk_is_refused_at_its_end_and_nothing_of_it_counts(void **state)
{
    const size_t size = 3 * CU_CHUNK_BYTES + 99;

    (void)state;
    for (size_t wrong = 0; wrong < size; wrong += CU_CHUNK_BYTES / 2 + 77) {
        struct stream s = new_stream(1, &size, 3);
        struct stores st = new_stores();
        struct cu_receive r;
        OK(open_it(st.opened, &s, &r));
        OK(set_chunks(&r, &s));
        OK(bring(&r, piece_of(&s, 0, wrong - wrong % 1000), false)); /* a part of the chunk was acknowledged before */
        s.bytes.p[wrong] ^= 1;
        IS(CU_BAD_HASH, bring(&r, piece_of(&s, (size_t)r.durable, size), false));
        assert_int_equal(r.durable, wrong - wrong % CU_CHUNK_BYTES);
        OK(open_it(st.opened, &s, &r));
        assert_int_equal(r.durable, wrong - wrong % CU_CHUNK_BYTES);
        s.bytes.p[wrong] ^= 1;
        OK(bring(&r, piece_of(&s, (size_t)r.durable, size), false));
        OK(store(&r, st.at[0]));
        cu_buf_free(&s.bytes);
        end_stores(&st);
    }
}

static void what_no_list_says_is_judged_when_it_is_stored(void **state)
{
    const size_t size = 2 * CU_CHUNK_BYTES + 1;
    struct stream s = new_stream(1, &size, 4);
    struct stores st = new_stores();
    struct cu_receive r;

    (void)state;
    s.bytes.p[5] ^= 1;
    OK(open_it(st.opened, &s, &r));
    OK(bring(&r, piece_of(&s, 0, size), false));
    IS(CU_BAD_HASH, store(&r, st.at[0]));
    OK(cu_receive_again(&r, &error));
    assert_int_equal(r.durable, 0);
    cu_buf_free(&s.bytes);
    end_stores(&st);
}

static void of_a_piece_that_comes_together_nothing_counts_until_all_of_it_does(void **state)
{
    const size_t size = 2 * CU_CHUNK_BYTES + 1;
    struct stream s = new_stream(1, &size, 5);
    struct stores st = new_stores();
    struct cu_receive r;

    (void)state;
    OK(open_it(st.opened, &s, &r));
    OK(bring(&r, piece_of(&s, 0, 5000), true));
    OK(cu_receive_begin(&r, true, &error));
    OK(cu_receive_add(&r, piece_of(&s, 5000, size), &error));
    OK(cu_receive_end(&r, false, &error));
    assert_int_equal(r.durable, 5000);
    OK(open_it(st.opened, &s, &r));
    assert_int_equal(r.durable, 5000);
    OK(bring(&r, piece_of(&s, 5000, size), true));
    OK(store(&r, st.at[0]));
    cu_buf_free(&s.bytes);
    end_stores(&st);
}

static void a_list_that_leads_elsewhere_or_comes_late_is_refused(void **state)
{
    const size_t size = 3 * CU_CHUNK_BYTES + 1;
    struct stream s = new_stream(1, &size, 6);
    struct stores st = new_stores();
    struct cu_receive r;

    (void)state;
    OK(open_it(st.opened, &s, &r));
    for (size_t i = 0; i < s.chunks_n; i++) {
        s.chunk[i].b[31] ^= 1;
        IS(CU_BAD_HASH, set_chunks(&r, &s));
        s.chunk[i].b[31] ^= 1;
    }
    IS(CU_BAD_HASH, cu_receive_set_chunks(&r, cu_span(s.chunk, 64), &error));
    IS(CU_MALFORMED, cu_receive_set_chunks(&r, cu_span(s.chunk, 63), &error));
    IS(CU_MALFORMED, cu_receive_set_chunks(&r, CU_SPAN_EMPTY, &error));
    assert_false(r.has_chunks);
    OK(bring(&r, piece_of(&s, 0, 1), false));
    IS(CU_OUT_OF_ORDER, set_chunks(&r, &s));
    cu_buf_free(&s.bytes);
    end_stores(&st);
}

static void what_comes_behind_the_end_is_not_kept(void **state)
{
    static const uint8_t more[10];
    const size_t size = 4097;
    struct stream s = new_stream(1, &size, 8);
    struct stores st = new_stores();
    struct cu_receive r;

    (void)state;
    OK(open_it(st.opened, &s, &r));
    OK(cu_receive_begin(&r, false, &error));
    OK(cu_receive_add(&r, piece_of(&s, 0, size), &error));
    IS(CU_TOO_LARGE, cu_receive_add(&r, CU_SPAN_OF(more), &error));
    OK(cu_receive_end(&r, true, &error));
    OK(store(&r, st.at[0]));
    assert_true(is_stored(st.at[0], &s));
    cu_buf_free(&s.bytes);
    end_stores(&st);
}

/* ---- whatever fails, wherever it stops ---- */

struct story {
    uint64_t acknowledged;
    bool stored;
};

static cu_status tell(const struct cu_fs *fs, const struct stream *s, bool list, struct story *ret)
{
    struct cu_objects *to = NULL;
    struct cu_receive r;
    cu_status status = open_it(fs, s, &r);

    if (status == CU_OK && list && r.durable == 0 && !r.has_chunks) status = set_chunks(&r, s);
    for (int piece = 0; status == CU_OK && r.durable < r.length && piece < 9; piece++) {
        const size_t from = (size_t)r.durable, left = (size_t)r.length - from;
        status = bring(&r, piece_of(s, from, piece < 2 ? from + left / 2 + 1 : from + left), piece == 1);
        if (status == CU_OK) ret->acknowledged = r.durable;
    }
    if (status != CU_OK) return status;
    TRY(cu_objects_open(fs, "cloud/objects", NULL, 0, &to, &error));
    status = r.moved ? CU_OK : store(&r, to);
    ret->stored = status == CU_OK && is_stored(to, s);
    if (status == CU_OK && !ret->stored) status = CU_IO;
    cu_objects_close(to);
    return status;
}

static bool play(const struct stream *s, bool list, uint64_t fail_call, enum cu_fault fault, uint64_t stop_after, uint64_t seed)
{
    struct cu_fs memory;
    struct story first = { 0 }, then = { 0 };
    struct cu_receive r;

    OK(cu_memory_fs(&memory, &error));
    struct cu_faulty faulty = { .inner = memory,
                                .fail_call = fail_call,
                                .fault = fault,
                                .stop_after = stop_after,
                                .lost = cu_memory_lose,
                                .lost_all = cu_memory_lose_all };
    struct cu_fs fs = cu_faulty_fs(&faulty);
    const cu_status told = tell(&fs, s, list, &first);
    fs.ops->close(fs.self);
    const bool touched = faulty.failed || faulty.stopped;
    if (!touched) assert_int_equal(told, CU_OK);
    if (seed != UINT64_MAX) cu_memory_crash(&memory, seed);
    OK(open_it(&memory, s, &r));
    if (r.durable < first.acknowledged)
        fail_msg("call %llu, stop %llu, seed %llu: %llu was acknowledged, and %llu is there", LLU(fail_call), LLU(stop_after),
                 LLU(seed), LLU(first.acknowledged), LLU(r.durable));
    OK(tell(&memory, s, list, &then));
    assert_true(then.stored);
    memory.ops->close(memory.self);
    return touched;
}

static void whatever_call_fails_what_was_acknowledged_is_there(void **state)
{
    static const enum cu_fault faults[] = { CU_FAULT_IO, CU_FAULT_NO_SPACE, CU_FAULT_SHORT };
    const size_t size = 2 * CU_CHUNK_BYTES + 5;
    struct stream s = new_stream(1, &size, 9);
    uint64_t n = 1;

    (void)state;
    while (play(&s, n % 2, n, faults[n % 3], CU_NEVER, n % 4 ? UINT64_MAX : 0)) n++;
    assert_true(n > 40);
    cu_buf_free(&s.bytes);
}

static void wherever_it_stops_what_was_acknowledged_is_there(void **state)
{
    static const size_t parts[] = { 400, CU_CHUNK_BYTES + 5, CU_CHUNK_BYTES };

    (void)state;
    for (size_t n = 1; n <= 3; n += 2) {
        struct stream s = new_stream(n, n == 1 ? parts + 1 : parts, 10);
        uint64_t stop = 0;
        while (play(&s, stop % 2, 0, CU_FAULT_IO, stop, stop % 5)) stop++;
        assert_true(stop > 20);
        cu_buf_free(&s.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_stream_comes_in_any_pieces_and_is_stored),
        cmocka_unit_test(a_large_one_becomes_the_stores_without_being_written_again),
        cmocka_unit_test(a_wrong_chunk_is_refused_at_its_end_and_nothing_of_it_counts),
        cmocka_unit_test(what_no_list_says_is_judged_when_it_is_stored),
        cmocka_unit_test(of_a_piece_that_comes_together_nothing_counts_until_all_of_it_does),
        cmocka_unit_test(a_list_that_leads_elsewhere_or_comes_late_is_refused),
        cmocka_unit_test(what_comes_behind_the_end_is_not_kept),
        cmocka_unit_test(whatever_call_fails_what_was_acknowledged_is_there),
        cmocka_unit_test(wherever_it_stops_what_was_acknowledged_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
