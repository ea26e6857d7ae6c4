/* The tree that grows from the right, against the definition. */
#include "naive.h"

enum { MOST = 600 };
static cu_hash leaves[MOST];

static int with_leaves(void **state)
{
    (void)state;
    some_leaves(leaves, MOST);
    return 0;
}

static void the_published_eight_leaf_tree_comes_out(void **state)
{
    struct cu_frontier f = { .size = { 0 } };
    uint8_t data[64];

    (void)state;
    for (struct vectors *v = vectors_open("merkle_roots.txt"); vectors_next(v);) {
        cu_hash leaf = cu_leaf_hash(cu_span(data, unhex(v->field[0], data, sizeof data))), want = unhex_hash(v->field[1]), got;

        cu_frontier_append(&f, &leaf);
        got = cu_frontier_root(&f);
        assert_hash_equal(&got, &want);
    }
    assert_int_equal(f.size.v, 8);
}

static void every_prefix_has_the_root_of_the_definition(void **state)
{
    struct cu_frontier f = { .size = { 0 } };

    (void)state;
    for (size_t n = 0; n <= MOST; n++) {
        cu_hash want = naive_root(leaves, n), grown = cu_frontier_root(&f), at_once = cu_tree_root(leaves, n);

        assert_hash_equal(&grown, &want);
        assert_hash_equal(&at_once, &want);
        assert_int_equal(f.n, __builtin_popcountll(n));
        if (n < MOST) cu_frontier_append(&f, &leaves[n]);
    }
}

static void leaves_in_any_portions_give_the_same_frontier(void **state)
{
    struct chance chance = chance_begin();
    struct cu_frontier one_by_one = { .size = { 0 } };

    (void)state;
    for (size_t n = 0; n < MOST; n++) cu_frontier_append(&one_by_one, &leaves[n]);
    for (unsigned round = 0; round < 200; round++) {
        struct cu_frontier f = { .size = { 0 } };

        for (size_t at = 0; at < MOST;) {
            size_t n = 1 + chance_below(&chance, MOST - at);
            cu_frontier_append_all(&f, leaves + at, n);
            at += n;
        }
        assert_int_equal(f.n, one_by_one.n);
        assert_memory_equal(f.node, one_by_one.node, f.n * sizeof *f.node);
    }
}

static void complete_subtrees_may_be_appended_whole(void **state)
{
    (void)state;
    for (unsigned level = 0; level <= 8; level++) {
        cu_hash root = cu_complete_root(leaves, level), want = naive_root(leaves, UINT64_C(1) << level);
        struct cu_frontier f = { .size = { 0 } };

        assert_hash_equal(&root, &want);
        cu_frontier_append_subtree(&f, level, &root);
        cu_frontier_append(&f, &leaves[(size_t)1 << level]);
        cu_hash got = cu_frontier_root(&f);
        want = naive_root(leaves, (UINT64_C(1) << level) + 1);
        assert_hash_equal(&got, &want);
    }
}

static void a_frontier_survives_being_written(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 70; n++) {
        struct cu_frontier f = { .size = { 0 } }, again;
        CU_BUF bytes = cu_buf_heap(4096);

        cu_frontier_append_all(&f, leaves, n);
        cu_frontier_put(&f, &bytes);
        assert_ok(cu_frontier_read(cu_buf_span(&bytes), &again, NULL));
        assert_int_equal(again.size.v, n);
        cu_hash a = cu_frontier_root(&f), b = cu_frontier_root(&again);
        assert_hash_equal(&a, &b);
        for (size_t cut = 0; cut < bytes.n; cut++)
            assert_status(cu_frontier_read(cu_span(bytes.p, cut), &again, NULL), CU_MALFORMED);
        cu_buf_add_byte(&bytes, 0);
        assert_status(cu_frontier_read(cu_buf_span(&bytes), &again, NULL), CU_MALFORMED);
    }
}

static void the_largest_frontier_fits(void **state)
{
    struct cu_frontier f = { .size = { 0 } }, again;
    CU_BUF bytes = cu_buf_heap(8 + 64 * 32);

    (void)state;
    for (unsigned level = 63; level < 64; level--) cu_frontier_append_subtree(&f, level, &leaves[level]);
    assert_true(f.size.v == UINT64_MAX && f.n == 64);
    cu_frontier_put(&f, &bytes);
    assert_ok(cu_buf_ok(&bytes, NULL));
    assert_ok(cu_frontier_read(cu_buf_span(&bytes), &again, NULL));
    assert_int_equal(again.n, 64);
}

static void the_split_is_the_largest_power_below(void **state)
{
    (void)state;
    for (uint64_t n = 2; n < 5000; n++) assert_int_equal(cu_split(n), naive_split(n));
    assert_true(cu_split(UINT64_MAX) == UINT64_C(1) << 63);
    assert_true(cu_split(UINT64_C(1) << 63) == UINT64_C(1) << 62);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_eight_leaf_tree_comes_out),
        cmocka_unit_test(every_prefix_has_the_root_of_the_definition),
        cmocka_unit_test(leaves_in_any_portions_give_the_same_frontier),
        cmocka_unit_test(complete_subtrees_may_be_appended_whole),
        cmocka_unit_test(a_frontier_survives_being_written),
        cmocka_unit_test(the_largest_frontier_fits),
        cmocka_unit_test(the_split_is_the_largest_power_below),
    };
    return cmocka_run_group_tests_name("tree", tests, with_leaves, NULL);
}
