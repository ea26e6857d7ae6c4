/* Inclusion and consistency: every proof up to a size verifies, every changed one fails. */
#include "naive.h"

enum { MOST = 300 };
static cu_hash leaves[MOST], root_of[MOST + 1];
static struct naive_nodes nodes = { .leaves = leaves, .n = MOST };
static const struct cu_node_source source = { .self = &nodes, .node = naive_node };

static int with_leaves(void **state)
{
    (void)state;
    some_leaves(leaves, MOST);
    for (size_t n = 0; n <= MOST; n++) root_of[n] = naive_root(leaves, n);
    return 0;
}

static cu_status included(const cu_hash *leaf, uint64_t seq, uint64_t size, const cu_hash *path, size_t n, const cu_hash *root)
{
    return cu_inclusion_verify(leaf, (cu_seq){ seq }, (cu_size){ size }, path, n, root, NULL);
}

static cu_status consistent(uint64_t from, const cu_hash *old, uint64_t to, const cu_hash *root, const cu_hash *proof, size_t n)
{
    return cu_consistency_verify((cu_size){ from }, old, (cu_size){ to }, root, proof, n, NULL);
}

static void flip(cu_hash *hash, size_t bit) { hash->b[bit / 8] ^= (uint8_t)(1u << bit % 8); }

static void every_inclusion_path_is_the_definitions_and_verifies(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= MOST; n++) {
        for (uint64_t i = 0; i < n; i++) {
            cu_hash path[CU_PROOF_HASHES_MAX], want[CU_PROOF_HASHES_MAX];
            size_t len;

            assert_ok(cu_inclusion_make(&source, (cu_seq){ i }, (cu_size){ n }, path, &len, NULL));
            assert_int_equal(len, cu_inclusion_len((cu_seq){ i }, (cu_size){ n }));
            if (n % 7 == 0 || n < 20) {
                assert_int_equal(len, naive_path(i, leaves, n, want));
                assert_memory_equal(path, want, len * sizeof *path);
            }
            assert_ok(included(&leaves[i], i, n, path, len, &root_of[n]));
        }
    }
}

/* Every bit for some sizes, one bit of every hash for all. */
static void a_flipped_bit_anywhere_breaks_inclusion(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= MOST; n++) {
        for (uint64_t i = 0; i < n; i++) {
            cu_hash path[CU_PROOF_HASHES_MAX], leaf = leaves[i], root = root_of[n];
            size_t len, step = n <= 17 ? 1 : 251;

            assert_ok(cu_inclusion_make(&source, (cu_seq){ i }, (cu_size){ n }, path, &len, NULL));
            for (size_t bit = (i * n) % step; bit < 256 * len; bit += step) {
                flip(&path[bit / 256], bit % 256);
                assert_status(included(&leaf, i, n, path, len, &root), CU_BAD_PROOF);
                flip(&path[bit / 256], bit % 256);
            }
            for (size_t bit = (i * n) % step; bit < 256; bit += step) {
                flip(&leaf, bit);
                assert_status(included(&leaf, i, n, path, len, &root), CU_BAD_PROOF);
                flip(&leaf, bit);
                flip(&root, bit);
                assert_status(included(&leaf, i, n, path, len, &root), CU_BAD_PROOF);
                flip(&root, bit);
            }
        }
    }
}

static void a_path_serves_no_other_position_or_size(void **state)
{
    enum { N = 40 };

    (void)state;
    for (uint64_t n = 1; n <= N; n++) {
        for (uint64_t i = 0; i < n; i++) {
            cu_hash path[CU_PROOF_HASHES_MAX];
            size_t len;

            assert_ok(cu_inclusion_make(&source, (cu_seq){ i }, (cu_size){ n }, path, &len, NULL));
            for (uint64_t j = 0; j <= n; j++)
                assert_true((included(&leaves[i], j, n, path, len, &root_of[n]) == CU_OK) == (i == j));
            for (uint64_t m = 0; m <= N; m++) assert_true(included(&leaves[i], i, m, path, len, &root_of[m]) != CU_OK || m == n);
        }
    }
}

static void a_path_of_another_length_is_malformed(void **state)
{
    cu_hash path[CU_PROOF_HASHES_MAX + 1];
    size_t len;

    (void)state;
    for (uint64_t i = 0; i < 13; i++) {
        assert_ok(cu_inclusion_make(&source, (cu_seq){ i }, (cu_size){ 13 }, path, &len, NULL));
        for (size_t n = 0; n < CU_PROOF_HASHES_MAX; n++)
            if (n != len) assert_status(included(&leaves[i], i, 13, path, n, &root_of[13]), CU_MALFORMED);
    }
    assert_status(included(&leaves[0], 13, 13, path, 0, &root_of[13]), CU_MALFORMED);
    assert_status(included(&leaves[0], 0, 0, path, 0, &root_of[0]), CU_MALFORMED);
    assert_status(included(&leaves[0], UINT64_MAX - 1, UINT64_MAX, path, 63, &root_of[0]), CU_MALFORMED);
    assert_status(cu_inclusion_make(&source, (cu_seq){ 3 }, (cu_size){ 3 }, path, &len, NULL), CU_MALFORMED);
}

static void every_consistency_proof_is_the_definitions_and_verifies(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= MOST; n++) {
        for (uint64_t m = 1; m <= n; m++) {
            cu_hash proof[CU_PROOF_HASHES_MAX + 1], want[CU_PROOF_HASHES_MAX + 1];
            size_t len;

            assert_ok(cu_consistency_make(&source, (cu_size){ m }, (cu_size){ n }, proof, &len, NULL));
            assert_int_equal(len, cu_consistency_len((cu_size){ m }, (cu_size){ n }));
            if (n % 7 == 0 || n < 20) {
                assert_int_equal(len, naive_subproof(m, leaves, n, true, want));
                assert_memory_equal(proof, want, len * sizeof *proof);
            }
            assert_ok(consistent(m, &root_of[m], n, &root_of[n], proof, len));
        }
    }
}

static void a_flipped_bit_anywhere_breaks_consistency(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= MOST; n++) {
        for (uint64_t m = 1; m <= n; m++) {
            cu_hash proof[CU_PROOF_HASHES_MAX + 1], old = root_of[m], root = root_of[n];
            size_t len, step = n <= 17 ? 1 : 251;

            assert_ok(cu_consistency_make(&source, (cu_size){ m }, (cu_size){ n }, proof, &len, NULL));
            for (size_t bit = (m * n) % step; bit < 256 * len; bit += step) {
                flip(&proof[bit / 256], bit % 256);
                assert_status(consistent(m, &old, n, &root, proof, len), CU_BAD_PROOF);
                flip(&proof[bit / 256], bit % 256);
            }
            for (size_t bit = (m * n) % step; bit < 256; bit += step) {
                flip(&old, bit);
                assert_status(consistent(m, &old, n, &root, proof, len), CU_BAD_PROOF);
                flip(&old, bit);
                flip(&root, bit);
                assert_status(consistent(m, &old, n, &root, proof, len), CU_BAD_PROOF);
                flip(&root, bit);
            }
        }
    }
}

static void a_consistency_proof_of_another_length_is_malformed(void **state)
{
    cu_hash proof[CU_PROOF_HASHES_MAX + 1];
    size_t len;

    (void)state;
    for (uint64_t m = 0; m <= 13; m++) {
        assert_ok(cu_consistency_make(&source, (cu_size){ m }, (cu_size){ 13 }, proof, &len, NULL));
        for (size_t n = 0; n < CU_PROOF_HASHES_MAX; n++)
            if (n != len) assert_status(consistent(m, &root_of[m], 13, &root_of[13], proof, n), CU_MALFORMED);
    }
    assert_status(consistent(14, &root_of[14], 13, &root_of[13], proof, 0), CU_MALFORMED);
    assert_status(consistent(1, &root_of[1], UINT64_MAX, &root_of[2], proof, 63), CU_MALFORMED);
    assert_status(cu_consistency_make(&source, (cu_size){ 14 }, (cu_size){ 13 }, proof, &len, NULL), CU_MALFORMED);
}

static void every_log_continues_the_empty_one(void **state)
{
    size_t len = 99;
    cu_hash proof[1];

    (void)state;
    assert_ok(cu_consistency_make(&source, (cu_size){ 0 }, (cu_size){ 13 }, proof, &len, NULL));
    assert_int_equal(len, 0);
    assert_ok(consistent(0, &root_of[0], 13, &root_of[13], NULL, 0));
    assert_ok(consistent(0, &root_of[0], 0, &root_of[0], NULL, 0));
    assert_status(consistent(0, &root_of[1], 13, &root_of[13], NULL, 0), CU_BAD_PROOF);
    assert_status(consistent(13, &root_of[12], 13, &root_of[13], NULL, 0), CU_BAD_PROOF);
}

static size_t hashes_of(const char *hex, cu_hash *ret, size_t max) { return unhex(hex, ret->b, max * sizeof *ret) / sizeof *ret; }

static void published_inclusion_cases_are_judged_right(void **state)
{
    (void)state;
    for (struct vectors *v = vectors_open("merkle_inclusion.txt"); vectors_next(v);) {
        cu_hash leaf = unhex_hash(v->field[3]), root = unhex_hash(v->field[4]), path[80];
        size_t n = hashes_of(v->field[5], path, 80);
        cu_status got = included(&leaf, strtoull(v->field[1], NULL, 10), strtoull(v->field[2], NULL, 10), path, n, &root);

        assert_int_equal(got == CU_OK, strcmp(v->field[0], "ok") == 0);
    }
}

static void published_consistency_cases_are_judged_right(void **state)
{
    (void)state;
    for (struct vectors *v = vectors_open("merkle_consistency.txt"); vectors_next(v);) {
        cu_hash old = unhex_hash(v->field[3]), root = unhex_hash(v->field[4]), proof[80];
        size_t n = hashes_of(v->field[5], proof, 80);
        cu_status got = consistent(strtoull(v->field[1], NULL, 10), &old, strtoull(v->field[2], NULL, 10), &root, proof, n);

        assert_int_equal(got == CU_OK, strcmp(v->field[0], "ok") == 0);
    }
}

static void a_range_has_the_root_of_its_leaves(void **state)
{
    (void)state;
    for (uint64_t from = 0; from < 64; from++) {
        for (uint64_t n = 0; from + n <= 128; n++) {
            cu_hash got, want = naive_root(leaves + from, n);

            if (n >= 2 && from % naive_split(n) != 0) continue; /* not a range that the recursion meets */
            assert_ok(cu_range_root(&source, (cu_seq){ from }, (cu_seq){ from + n }, &got, NULL));
            assert_hash_equal(&got, &want);
        }
    }
}

static cu_status failing_node(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err)
{
    size_t *left = self;

    return (*left)-- == 0 ? cu_fail(err, CU_IO, "the disk is gone") : naive_node(&nodes, level, index, ret, err);
}

static void a_source_that_fails_at_any_read_fails_the_making(void **state)
{
    cu_hash hashes[CU_PROOF_HASHES_MAX];
    size_t n = 77;

    (void)state;
    for (size_t fail_at = 0; fail_at < 1000; fail_at++) {
        size_t left = fail_at;
        struct cu_node_source flaky = { .self = &left, .node = failing_node };
        cu_status status = cu_inclusion_make(&flaky, (cu_seq){ 100 }, (cu_size){ 299 }, hashes, &n, NULL);

        if (status == CU_OK) return assert_true(fail_at > 5);
        assert_status(status, CU_IO);
        assert_int_equal(n, 77);
    }
    fail();
}

static void so_does_one_that_fails_within_a_consistency_proof(void **state)
{
    static const uint64_t from[] = { 100, 256, 299 };
    cu_hash hashes[CU_PROOF_HASHES_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        cu_status status = CU_IO;
        for (size_t fail_at = 0; status != CU_OK; fail_at++) {
            size_t left = fail_at, n = 77;
            struct cu_node_source flaky = { .self = &left, .node = failing_node };
            status = cu_consistency_make(&flaky, (cu_size){ from[i] }, (cu_size){ 300 }, hashes, &n, NULL);
            assert_true(status == CU_OK || (status == CU_IO && n == 77 && fail_at < 100));
        }
    }
}

/* Paths end at 63 hashes, logs at 2^63 entries. */
static void a_log_larger_than_any_path_is_refused(void **state)
{
    const cu_size largest = { UINT64_C(1) << 63 }, more = { largest.v + 1 };
    cu_hash hashes[CU_PROOF_HASHES_MAX] = { { { 0 } } };
    size_t n;

    (void)state;
    assert_int_equal(cu_inclusion_len((cu_seq){ 0 }, largest), CU_PROOF_HASHES_MAX);
    assert_int_equal(cu_inclusion_len((cu_seq){ 0 }, (cu_size){ UINT64_MAX }), 64);
    assert_int_equal(cu_inclusion_len((cu_seq){ 7 }, (cu_size){ 7 }), 0);
    assert_status(cu_inclusion_verify(hashes, (cu_seq){ 0 }, largest, hashes, CU_PROOF_HASHES_MAX, hashes, NULL), CU_BAD_PROOF);
    assert_status(cu_inclusion_verify(hashes, (cu_seq){ 0 }, more, hashes, CU_PROOF_HASHES_MAX, hashes, NULL), CU_MALFORMED);
    assert_status(cu_inclusion_make(&source, (cu_seq){ 0 }, more, hashes, &n, NULL), CU_MALFORMED);
    assert_status(cu_consistency_verify((cu_size){ 1 }, hashes, more, hashes, hashes, CU_PROOF_HASHES_MAX, NULL), CU_MALFORMED);
    assert_status(cu_consistency_make(&source, (cu_size){ 1 }, more, hashes, &n, NULL), CU_MALFORMED);
    assert_status(cu_consistency_make(&source, (cu_size){ 8 }, (cu_size){ 7 }, hashes, &n, NULL), CU_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_inclusion_path_is_the_definitions_and_verifies),
        cmocka_unit_test(a_flipped_bit_anywhere_breaks_inclusion),
        cmocka_unit_test(a_path_serves_no_other_position_or_size),
        cmocka_unit_test(a_path_of_another_length_is_malformed),
        cmocka_unit_test(every_consistency_proof_is_the_definitions_and_verifies),
        cmocka_unit_test(a_flipped_bit_anywhere_breaks_consistency),
        cmocka_unit_test(a_consistency_proof_of_another_length_is_malformed),
        cmocka_unit_test(every_log_continues_the_empty_one),
        cmocka_unit_test(published_inclusion_cases_are_judged_right),
        cmocka_unit_test(published_consistency_cases_are_judged_right),
        cmocka_unit_test(a_range_has_the_root_of_its_leaves),
        cmocka_unit_test(a_source_that_fails_at_any_read_fails_the_making),
        cmocka_unit_test(so_does_one_that_fails_within_a_consistency_proof),
        cmocka_unit_test(a_log_larger_than_any_path_is_refused),
    };
    return cmocka_run_group_tests_name("proof", tests, with_leaves, NULL);
}
