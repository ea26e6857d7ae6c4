/* A large object that comes chunk by chunk: in any order, with wrong ones between, over losses of power and failing disks; what is seen in the
 * store at last is whole, and what came once is not needed again. */
#include "stores.h"

#include "adapters/faulty/faulty.h"

enum { CHUNKS = 5, SIZE = 4 * CU_CHUNK_BYTES + 4097 };
static struct {
    uint8_t *bytes;
    cu_hash root, chunk[CHUNKS];
} film;

static struct cu_span chunk_of(size_t i)
{
    return cu_span(film.bytes + i * CU_CHUNK_BYTES, i + 1 < CHUNKS ? CU_CHUNK_BYTES : SIZE - (CHUNKS - 1) * CU_CHUNK_BYTES);
}

static int make_film(void **state)
{
    (void)state;
    film.bytes = malloc(SIZE);
    fill_bytes(film.bytes, SIZE, 7);
    film.root = cu_content_root_of(cu_span(film.bytes, SIZE));
    for (size_t i = 0; i < CHUNKS; i++) film.chunk[i] = cu_content_root_of(chunk_of(i));
    return 0;
}

static int free_film(void **state)
{
    (void)state;
    free(film.bytes);
    return 0;
}

static cu_status begin(struct cu_objects *s, struct cu_arrival **ret)
{
    return cu_arrival_begin(s, &film.root, SIZE, film.chunk, ret, &error);
}

/* Everything that it lacks, and the end. */
static cu_status bring_rest(struct cu_objects *s, uint64_t *ret_brought)
{
    struct cu_arrival *a = NULL;
    cu_status done = begin(s, &a);

    for (uint64_t i = 0; done == CU_OK && i < CHUNKS; i++) {
        if (!cu_arrival_lacks(a, i)) continue;
        ++*ret_brought;
        done = cu_arrival_add(a, i, chunk_of(i), &error);
    }
    if (done == CU_OK) done = cu_arrival_end(a, &error);
    cu_arrival_free(a);
    return done;
}

static void is_there(struct cu_objects *s) { OK(cu_objects_has(s, CU_OBJECT_CONTENT, &film.root, SIZE, true, &error)); }

static void the_roots_of_chunks_lead_to_the_whole_or_not(void **state)
{
    cu_hash wrong[CHUNKS];

    (void)state;
    for (uint64_t size = 1; size <= SIZE; size += 1 + size / 3) {
        const cu_hash root = cu_content_root_of(cu_span(film.bytes, size));
        cu_hash chunk[CHUNKS];
        const uint64_t n = cu_content_chunk_count(size);
        for (uint64_t i = 0; i < n; i++)
            chunk[i] = cu_content_root_of(
                cu_span(film.bytes + i * CU_CHUNK_BYTES, i + 1 < n ? CU_CHUNK_BYTES : size - i * CU_CHUNK_BYTES));
        assert_true(cu_content_chunks_lead(chunk, size, &root));
        for (uint64_t i = 0; i < n; i++) {
            memcpy(wrong, chunk, sizeof wrong);
            wrong[i].b[31] ^= 1;
            assert_false(cu_content_chunks_lead(wrong, size, &root));
        }
    }
}

static void chunks_come_in_any_order_and_a_wrong_one_does_not_count(void **state)
{
    static const uint64_t orders[][CHUNKS] = { { 0, 1, 2, 3, 4 }, { 4, 3, 2, 1, 0 }, { 2, 4, 0, 3, 1 } };
    struct cu_arrival *a;

    (void)state;
    for (size_t o = 0; o < 3; o++) {
        struct stores s = new_stores();
        OK(begin(s.at[1], &a));
        for (size_t k = 0; k < CHUNKS; k++) {
            const uint64_t i = orders[o][k];
            IS(CU_BAD_HASH, cu_arrival_add(a, i, chunk_of((i + 1) % CHUNKS), &error));
            IS(CU_BAD_HASH, cu_arrival_add(a, i, cu_span(chunk_of(i).p, chunk_of(i).n - 1), &error));
            assert_true(cu_arrival_lacks(a, i));
            OK(cu_arrival_add(a, i, chunk_of(i), &error));
            assert_false(cu_arrival_lacks(a, i));
        }
        assert_false(cu_store_knows(s.at[1], CU_OBJECT_CONTENT, &film.root, SIZE));
        OK(cu_arrival_end(a, &error));
        cu_arrival_free(a);
        is_there(s.at[1]);
        end_stores(&s);
    }
}

static void what_came_is_found_again_whatever_lies_beside_it(void **state)
{
    struct stores s = new_stores();
    struct cu_arrival *a;
    struct cu_put *put;
    uint64_t brought = 0;
    char path[200], hex[65];

    (void)state;
    OK(begin(s.at[1], &a));
    OK(cu_arrival_add(a, 1, chunk_of(1), &error));
    OK(cu_arrival_add(a, 3, chunk_of(3), &error));
    cu_arrival_free(a);
    close_stores(&s);
    open_stores(&s, NULL);
    OK(cu_put_begin(&s.at[1], 1, &put, &error)); /* which cuts what other batches left */
    cu_put_free(put);
    cu_hash_hex(&film.root, hex);
    snprintf(path, sizeof path, "node/objects/incoming/%s", hex);
    assert_true(cu_memory_flip(&s.fs, path, (3 * CU_CHUNK_BYTES + 99) * 8)); /* chunk 3 is no longer what it was */
    OK(bring_rest(s.at[1], &brought));
    assert_int_equal(brought, CHUNKS - 1);
    is_there(s.at[1]);
    end_stores(&s);
}

/* A disk that stops after so many effects, or fails one call. */
struct trouble {
    struct cu_fs memory;
    struct cu_faulty faulty;
    struct stores s;
};

static void begin_trouble(struct trouble *t, uint64_t stop_after, uint64_t fail_call)
{
    OK(cu_memory_fs(&t->memory, &error));
    t->faulty = (struct cu_faulty){ .inner = t->memory,
                                    .stop_after = stop_after,
                                    .fail_call = fail_call,
                                    .lost = cu_memory_lose,
                                    .lost_all = cu_memory_lose_all };
    t->s.fs = cu_faulty_fs(&t->faulty);
    open_stores(&t->s, NULL);
}

/* Off and on: what is seen then is whole, and the rest comes. */
static void end_trouble(struct trouble *t, bool ended, uint64_t seed)
{
    uint64_t brought = 0;

    close_stores(&t->s);
    t->s.fs.ops->close(t->s.fs.self);
    t->s.fs = t->memory;
    cu_memory_crash(&t->s.fs, seed);
    open_stores(&t->s, NULL);
    if (ended || cu_store_knows(t->s.at[1], CU_OBJECT_CONTENT, &film.root, SIZE)) is_there(t->s.at[1]);
    OK(bring_rest(t->s.at[1], &brought));
    is_there(t->s.at[1]);
    end_stores(&t->s);
}

static void losing_power_after_any_effect_loses_time_alone(void **state)
{
    struct trouble t;
    uint64_t k = 0, brought = 0;
    bool ended = false;

    (void)state;
    for (; !ended; k++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            begin_trouble(&t, k, 0);
            ended = bring_rest(t.s.at[1], &brought) == CU_OK;
            end_trouble(&t, ended, seed < 2 ? seed : seed + k);
        }
    assert_in_range(k, 15, 60);
}

/* A sync that failed may have lost what was written, and a second one would not say so. */
static void any_call_that_fails_is_told_and_what_is_brought_then_is_durable(void **state)
{
    struct trouble t;
    uint64_t n = 0, brought = 0;
    bool failed = true;

    (void)state;
    while (failed) {
        begin_trouble(&t, CU_NEVER, ++n);
        const bool ended = bring_rest(t.s.at[1], &brought) == CU_OK;
        failed = t.faulty.failed;
        if (!ended) OK(bring_rest(t.s.at[1], &brought));
        end_trouble(&t, true, 0);
    }
    assert_in_range(n, 15, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_roots_of_chunks_lead_to_the_whole_or_not),
        cmocka_unit_test(chunks_come_in_any_order_and_a_wrong_one_does_not_count),
        cmocka_unit_test(what_came_is_found_again_whatever_lies_beside_it),
        cmocka_unit_test(losing_power_after_any_effect_loses_time_alone),
        cmocka_unit_test(any_call_that_fails_is_told_and_what_is_brought_then_is_durable),
    };
    return cmocka_run_group_tests(tests, make_film, free_film);
}
