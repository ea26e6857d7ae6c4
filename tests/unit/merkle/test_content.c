/* The tree over an object's bytes: any split of them gives one root. */
#include "custody/content.h"

#include "naive.h"

enum { MOST = 3 * CU_CHUNK_BYTES + 5 * CU_LEAF_BYTES + 77 };
static uint8_t bytes[MOST];

static int with_bytes(void **state)
{
    struct chance chance = chance_begin();

    (void)state;
    chance_bytes(&chance, bytes, sizeof bytes);
    return 0;
}

static cu_hash root_by_definition(size_t n)
{
    size_t count = 0;
    cu_hash *leaves = calloc(n / CU_LEAF_BYTES + 1, sizeof *leaves);

    for (size_t at = 0; at < n; at += CU_LEAF_BYTES)
        leaves[count++] = cu_leaf_hash(cu_span(bytes + at, n - at < CU_LEAF_BYTES ? n - at : CU_LEAF_BYTES));
    cu_hash root = naive_root(leaves, count);
    free(leaves);
    return root;
}

static void sizes_around_every_edge_have_the_root_of_the_definition(void **state)
{
    static const size_t edges[] = {
        0, CU_LEAF_BYTES, 2 * CU_LEAF_BYTES, 3 * CU_LEAF_BYTES, CU_CHUNK_BYTES, 2 * CU_CHUNK_BYTES, MOST - 1
    };

    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        for (size_t n = edges[i] > 0 ? edges[i] - 1 : 0; n <= edges[i] + 1; n++) {
            cu_hash want = root_by_definition(n), got = cu_content_root_of(cu_span(bytes, n));
            assert_hash_equal(&got, &want);
        }
    }
}

static void any_split_gives_the_same_root(void **state)
{
    struct chance chance = chance_begin();

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        size_t n = chance_below(&chance, MOST),
               widest = 1 + chance_below(&chance, round % 2 ? 3 * CU_LEAF_BYTES : CU_CHUNK_BYTES * 2);
        cu_hash want = cu_content_root_of(cu_span(bytes, n)), got;
        struct cu_content c;

        cu_content_start(&c);
        for (size_t at = 0; at < n;) {
            size_t piece = chance_below(&chance, widest + 1);
            if (piece > n - at) piece = n - at;
            cu_content_add(&c, cu_span(bytes + at, piece));
            at += piece;
        }
        got = cu_content_root(&c);
        assert_hash_equal(&got, &want);
        assert_int_equal(c.size, n);
    }
}

static void the_root_may_be_asked_at_any_time(void **state)
{
    struct cu_content c;

    (void)state;
    cu_content_start(&c);
    for (size_t n = 0; n < 3 * CU_LEAF_BYTES; n += 777) {
        cu_hash want = root_by_definition(n), got = cu_content_root(&c);
        assert_hash_equal(&got, &want);
        cu_content_add(&c, cu_span(bytes + n, 777));
    }
}

static void an_empty_object_is_the_empty_tree(void **state)
{
    cu_hash got = cu_content_root_of(CU_SPAN_EMPTY), want = cu_empty_root();

    (void)state;
    assert_hash_equal(&got, &want);
    assert_int_equal(cu_content_leaf_count(0), 0);
}

static void the_leaves_of_a_chunk_are_one_tile(void **state)
{
    static const size_t sizes[] = {
        0, 1, CU_LEAF_BYTES - 1, CU_LEAF_BYTES, CU_LEAF_BYTES + 1, CU_CHUNK_BYTES - 1, CU_CHUNK_BYTES
    };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        cu_hash leaves[256], want = cu_content_root_of(cu_span(bytes, sizes[i]));
        size_t n = cu_content_leaves(cu_span(bytes, sizes[i]), leaves);
        cu_hash got = cu_tree_root(leaves, n);

        assert_int_equal(n, cu_content_leaf_count(sizes[i]));
        assert_hash_equal(&got, &want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_around_every_edge_have_the_root_of_the_definition),
        cmocka_unit_test(any_split_gives_the_same_root),
        cmocka_unit_test(the_root_may_be_asked_at_any_time),
        cmocka_unit_test(an_empty_object_is_the_empty_tree),
        cmocka_unit_test(the_leaves_of_a_chunk_are_one_tile),
    };
    return cmocka_run_group_tests_name("content", tests, with_bytes, NULL);
}
