/* Many leaves under one root, alone and beside a path that the reader holds already. */
#include "naive.h"

enum { MOST = 300, HASHES = 1024 };
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

struct listed {
    cu_seq seqs[MOST];
    cu_hash leaf[MOST];
    size_t n;
};

static void list(struct listed *of, uint64_t seq)
{
    of->seqs[of->n] = (cu_seq){ seq };
    of->leaf[of->n++] = leaves[seq];
}

/* Some of the first `size`, at least one. */
static struct listed some_of(struct chance *chance, uint64_t size)
{
    struct listed of = { .n = 0 };
    uint64_t sparse = 1 + chance_below(chance, size);

    for (uint64_t i = 0; i < size; i++)
        if (chance_below(chance, sparse) == 0) list(&of, i);
    if (of.n == 0) list(&of, chance_below(chance, size));
    return of;
}

static size_t prove(const struct listed *of, uint64_t size, const struct cu_known *have, cu_hash *ret)
{
    size_t n;

    assert_ok(cu_multiproof_make(&source, of->seqs, of->n, (cu_size){ size }, have, ret, HASHES, &n, NULL));
    return n;
}

static cu_status judge(const struct listed *of, uint64_t size, const struct cu_known *have, const cu_hash *hashes, size_t n)
{
    return cu_multiproof_verify(of->seqs, of->leaf, of->n, (cu_size){ size }, have, hashes->b, n, &root_of[size], NULL);
}

static void any_set_of_leaves_proves_and_nothing_else(void **state)
{
    struct chance chance = chance_begin();

    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        uint64_t size = 1 + chance_below(&chance, MOST);
        struct listed of = some_of(&chance, size);
        cu_hash hashes[HASHES + 1];
        size_t n = prove(&of, size, NULL, hashes), spoilt = chance_below(&chance, of.n);

        assert_ok(judge(&of, size, NULL, hashes, n));
        if (n > 0) assert_status(judge(&of, size, NULL, hashes, n - 1), CU_MALFORMED);
        assert_status(judge(&of, size, NULL, hashes, n + 1), CU_MALFORMED);
        for (size_t i = 0; i < n; i++) {
            hashes[i].b[i % 32] ^= 1;
            assert_status(judge(&of, size, NULL, hashes, n), CU_BAD_PROOF);
            hashes[i].b[i % 32] ^= 1;
        }
        of.leaf[spoilt].b[5] ^= 1;
        assert_status(judge(&of, size, NULL, hashes, n), CU_BAD_PROOF);
    }
}

static void one_leaf_needs_as_many_hashes_as_its_path(void **state)
{
    (void)state;
    for (uint64_t size = 1; size < 80; size++) {
        for (uint64_t i = 0; i < size; i++) {
            struct listed of = { .n = 0 };
            cu_hash hashes[HASHES];

            list(&of, i);
            assert_int_equal(prove(&of, size, NULL, hashes), cu_inclusion_len((cu_seq){ i }, (cu_size){ size }));
        }
    }
}

static void all_leaves_need_no_hash(void **state)
{
    struct listed of = { .n = 0 };
    cu_hash none[HASHES];

    (void)state;
    for (uint64_t i = 0; i < MOST; i++) list(&of, i);
    assert_int_equal(prove(&of, MOST, NULL, none), 0);
    assert_ok(judge(&of, MOST, NULL, none, 0));
}

/* `main` is proven by its own path; the others, listed with it, take what they can from that path. */
static void hashes_of_a_path_in_hand_are_not_repeated(void **state)
{
    struct chance chance = chance_begin();
    size_t saved = 0;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        uint64_t size = 2 + chance_below(&chance, MOST - 1);
        struct listed of = some_of(&chance, size);
        cu_hash path[CU_PROOF_HASHES_MAX], hashes[HASHES], alone[HASHES];
        struct cu_path_known main = { .seq = of.seqs[chance_below(&chance, of.n)], .size = { size }, .path = path };

        assert_ok(cu_inclusion_make(&source, main.seq, main.size, path, &main.n, NULL));
        struct cu_known have = cu_known_path(&main);
        size_t n = prove(&of, size, &have, hashes), n_alone = prove(&of, size, NULL, alone);
        assert_true(n <= n_alone);
        if (of.n == 1) assert_int_equal(n, 0);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < main.n; j++) assert_false(cu_hash_eq(&hashes[i], &path[j]));
        assert_ok(judge(&of, size, &have, hashes, n));
        saved += n_alone - n;

        path[0].b[0] ^= 1; /* a false path misleads nobody: either it is not used or the root differs */
        cu_status misled = judge(&of, size, &have, hashes, n);
        assert_true(misled == CU_BAD_PROOF || (misled == CU_OK && of.n > 1));
    }
    assert_true(saved > 300);
}

static void a_path_knows_its_siblings_and_nothing_else(void **state)
{
    enum { N = 45 };

    (void)state;
    for (uint64_t i = 0; i < N; i++) {
        cu_hash path[CU_PROOF_HASHES_MAX], got;
        struct cu_path_known main = { .seq = { i }, .size = { N }, .path = path };
        size_t known = 0;

        assert_ok(cu_inclusion_make(&source, main.seq, main.size, path, &main.n, NULL));
        struct cu_known have = cu_known_path(&main);
        for (uint64_t from = 0; from < N; from++) {
            for (uint64_t to = from + 1; to <= N; to++) {
                if (!have.known(have.self, (cu_seq){ from }, (cu_seq){ to }, &got)) continue;
                cu_hash want = naive_root(leaves + from, to - from);
                assert_hash_equal(&got, &want);
                known++;
            }
        }
        assert_int_equal(known, main.n);
    }
}

static void positions_out_of_order_or_out_of_the_log_are_malformed(void **state)
{
    cu_hash hashes[HASHES], two[2] = { leaves[1], leaves[1] };
    const cu_seq equal[] = { { 1 }, { 1 } }, falling[] = { { 2 }, { 1 } }, beyond[] = { { 1 }, { 9 } };
    const cu_seq *const bad[] = { equal, falling, beyond };
    size_t n = 7;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_status(cu_multiproof_make(&source, bad[i], 2, (cu_size){ 9 }, NULL, hashes, HASHES, &n, NULL), CU_MALFORMED);
        assert_status(cu_multiproof_verify(bad[i], two, 2, (cu_size){ 9 }, NULL, hashes->b, 4, &root_of[9], NULL), CU_MALFORMED);
    }
    assert_status(cu_multiproof_verify(equal, two, 0, (cu_size){ 9 }, NULL, hashes->b, 1, &root_of[9], NULL), CU_MALFORMED);
    assert_int_equal(n, 7);
}

static void a_proof_that_does_not_fit_says_so(void **state)
{
    const cu_seq one[] = { { 5 } };
    cu_hash hashes[HASHES];
    size_t n;

    (void)state;
    assert_status(cu_multiproof_make(&source, one, 1, (cu_size){ 16 }, NULL, hashes, 3, &n, NULL), CU_TOO_LARGE);
    assert_ok(cu_multiproof_make(&source, one, 1, (cu_size){ 16 }, NULL, hashes, 4, &n, NULL));
}

static cu_status failing_node(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err)
{
    size_t *left = self;

    return (*left)-- == 0 ? cu_fail(err, CU_IO, "the disk is gone") : source.node(source.self, level, index, ret, err);
}

static void a_source_that_fails_at_any_read_fails_the_making(void **state)
{
    const cu_seq two[] = { { 3 }, { 12 } };
    cu_hash hashes[HASHES];
    cu_status status = CU_IO;

    (void)state;
    for (size_t fail_at = 0; status != CU_OK; fail_at++) {
        size_t left = fail_at, n = 77;
        struct cu_node_source flaky = { .self = &left, .node = failing_node };
        status = cu_multiproof_make(&flaky, two, 2, (cu_size){ 16 }, NULL, hashes, HASHES, &n, NULL);
        assert_true(status == CU_OK || (status == CU_IO && n == 77 && fail_at < 100));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_set_of_leaves_proves_and_nothing_else),
        cmocka_unit_test(one_leaf_needs_as_many_hashes_as_its_path),
        cmocka_unit_test(all_leaves_need_no_hash),
        cmocka_unit_test(hashes_of_a_path_in_hand_are_not_repeated),
        cmocka_unit_test(a_path_knows_its_siblings_and_nothing_else),
        cmocka_unit_test(positions_out_of_order_or_out_of_the_log_are_malformed),
        cmocka_unit_test(a_proof_that_does_not_fit_says_so),
        cmocka_unit_test(a_source_that_fails_at_any_read_fails_the_making),
    };
    return cmocka_run_group_tests_name("multiproof", tests, with_leaves, NULL);
}
