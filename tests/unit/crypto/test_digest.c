/* Digests: known answers, and the tree's hot loop against the plain one. */
#include "crypto/sha256.h"

#include "support.h"

static const struct {
    enum cu_digest_alg alg;
    const char *of_abc; /* FIPS 180-4 examples, RFC 1321, GB/T 32905 */
} known[] = {
    { CU_DIGEST_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { CU_DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { CU_DIGEST_MD5, "900150983cd24fb0d6963f7d28e17f72" },
    { CU_DIGEST_SM3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" },
    { CU_DIGEST_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

static void every_algorithm_gives_its_published_digest_of_abc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t want[CU_DIGEST_LEN_MAX], got[CU_DIGEST_LEN_MAX];
        size_t n = unhex(known[i].of_abc, want, sizeof want);
        struct cu_digest digest;

        assert_int_equal(cu_digest_len(known[i].alg), n);
        assert_ok(cu_digest_start(known[i].alg, &digest, NULL));
        cu_digest_add(&digest, cu_span_str("a"));
        cu_digest_add(&digest, CU_SPAN_EMPTY);
        cu_digest_add(&digest, cu_span_str("bc"));
        cu_digest_finish(&digest, got);
        assert_memory_equal(got, want, n);
    }
}

static void people_may_spell_a_name_with_capitals_and_hyphens(void **state)
{
    (void)state;
    assert_int_equal(cu_digest_by_name(cu_span_str("sha256")), CU_DIGEST_SHA256);
    assert_int_equal(cu_digest_by_name(cu_span_str("SHA-256")), CU_DIGEST_SHA256);
    assert_int_equal(cu_digest_by_name(cu_span_str("Sm3")), CU_DIGEST_SM3);
    assert_int_equal(cu_digest_by_name(cu_span_str("sha-1")), CU_DIGEST_SHA1);
    assert_int_equal(cu_digest_by_name(cu_span_str("sha25")), CU_DIGEST_NONE);
    assert_int_equal(cu_digest_by_name(cu_span_str("sha2567")), CU_DIGEST_NONE);
    assert_int_equal(cu_digest_by_name(CU_SPAN_EMPTY), CU_DIGEST_NONE);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(cu_digest_by_name(cu_span_str(cu_digest_name(known[i].alg))), known[i].alg);
}

static void an_unknown_algorithm_is_refused(void **state)
{
    struct cu_digest digest;

    (void)state;
    assert_status(cu_digest_start((enum cu_digest_alg)77, &digest, NULL), CU_CRYPTO);
    assert_int_equal(cu_digest_len((enum cu_digest_alg)77), 0);
    assert_string_equal(cu_digest_name((enum cu_digest_alg)77), "unknown");
}

static void a_digest_may_be_freed_at_any_time(void **state)
{
    struct cu_digest digest;

    (void)state;
    cu_digest_free(NULL);
    assert_ok(cu_digest_start(CU_DIGEST_SHA256, &digest, NULL));
    cu_digest_free(&digest);
    cu_digest_free(&digest);
}

static void parts_hash_like_their_concatenation(void **state)
{
    struct cu_span parts[] = { cu_span_str("a"), CU_SPAN_EMPTY, cu_span_str("bc") };
    cu_hash joined = cu_sha256(cu_span_str("abc")), apart = cu_sha256_parts(parts, 3), empty = cu_sha256(CU_SPAN_EMPTY);
    cu_hash want_empty = unhex_hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

    (void)state;
    assert_hash_equal(&joined, &apart);
    assert_hash_equal(&empty, &want_empty);
}

static cu_hash prefixed_plainly(uint8_t prefix, const uint8_t *in, size_t n)
{
    return cu_sha256_parts((struct cu_span[]){ cu_span(&prefix, 1), cu_span(in, n) }, 2);
}

typedef void prefixed_loop(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret);

static void agrees_at_every_length(prefixed_loop *loop, size_t shortest)
{
    enum { EACH_MAX = 4200, MANY = 2 * SHA256_LANES + 3 };
    static uint8_t in[MANY * EACH_MAX];
    struct chance chance = chance_begin();

    chance_bytes(&chance, in, sizeof in);
    for (size_t each = shortest; each <= EACH_MAX; each += each < 300 ? 1 : 97) {
        for (size_t n = 0; n <= MANY; n += n < 5 || n % SHA256_LANES > SHA256_LANES - 3 ? 1 : 4) {
            cu_hash got[MANY + 1];

            memset(got, 0xa5, sizeof got);
            loop(0x01, in, each, n, got);
            for (size_t i = 0; i < n; i++) {
                cu_hash want = prefixed_plainly(0x01, in + i * each, each);
                assert_hash_equal(&got[i], &want);
            }
            assert_int_equal(got[n].b[0], 0xa5); /* nothing behind the last */
        }
    }
}

static void the_hot_loop_agrees_with_the_plain_hash_at_every_length(void **state)
{
    (void)state;
    agrees_at_every_length(cu_sha256_prefixed, 0);
}

static void so_does_it_without_the_processors_help(void **state)
{
    (void)state;
    agrees_at_every_length(sha256_prefixed_plain, SHA256_BLOCK);
}

static void so_does_it_with_two_streams(void **state)
{
    (void)state;
    if (!sha256_has_pairs()) skip();
    agrees_at_every_length(sha256_prefixed_pairs, SHA256_BLOCK);
}

static void so_does_it_with_sixteen(void **state)
{
    (void)state;
    if (!sha256_has_lanes()) skip();
    agrees_at_every_length(sha256_prefixed_lanes, SHA256_BLOCK);
}

static void inputs_of_any_two_lengths_are_hashed_side_by_side(void **state)
{
    enum { LONGEST = 400 };
    static uint8_t in[2 * LONGEST];
    struct chance chance = chance_begin();
    (void)state;

    chance_bytes(&chance, in, sizeof in);
    for (size_t a = 0; a <= LONGEST; a += a < 200 ? 1 : 23)
        for (size_t b = 0; b <= LONGEST; b += b < 140 ? 1 : 37) {
            const struct cu_span each[3] = { cu_span(in, a), cu_span(in + a, b), cu_span(in, b) };
            cu_hash got[3];
            cu_sha256_prefixed_each(0x00, each, 3, got);
            for (size_t i = 0; i < 3; i++) {
                const cu_hash want = prefixed_plainly(0x00, each[i].p, each[i].n);
                assert_hash_equal(&got[i], &want);
            }
        }
}

static void a_whole_is_hashed_beside_its_leaves(void **state)
{
    enum { EACH = 192, LEAVES = 9 };
    uint8_t bytes[EACH * LEAVES + 100];
    (void)state;

    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 + i / 251);
    for (size_t each = 64; each <= EACH; each += 64)
        for (size_t rest = 0; rest <= 100; rest += 25)
            for (size_t first = 0; first <= LEAVES; first++) {
                struct cu_sha256_flow flow;
                cu_hash leaf[LEAVES], plain[LEAVES];
                cu_sha256_flow_start(&flow);
                cu_sha256_flow_leaves(&flow, 0, bytes, each, first, leaf);
                cu_sha256_flow_leaves(&flow, 0, bytes + first * each, each, LEAVES - first, leaf + first);
                const cu_hash got = cu_sha256_flow_finish(&flow, cu_span(bytes + LEAVES * each, rest));
                const cu_hash want = cu_sha256(cu_span(bytes, LEAVES * each + rest));
                cu_sha256_prefixed(0, bytes, each, LEAVES, plain);
                assert_memory_equal(got.b, want.b, sizeof want.b);
                assert_memory_equal(leaf, plain, sizeof plain);
            }
}

static void the_hot_loop_may_write_over_what_it_has_read(void **state)
{
    cu_hash row[64], want[32];
    struct chance chance = chance_begin();

    (void)state;
    chance_bytes(&chance, row, sizeof row);
    cu_sha256_prefixed(0x01, row->b, 64, 32, want);
    cu_sha256_prefixed(0x01, row->b, 64, 32, row);
    assert_memory_equal(row, want, sizeof want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_gives_its_published_digest_of_abc),
        cmocka_unit_test(people_may_spell_a_name_with_capitals_and_hyphens),
        cmocka_unit_test(an_unknown_algorithm_is_refused),
        cmocka_unit_test(a_digest_may_be_freed_at_any_time),
        cmocka_unit_test(parts_hash_like_their_concatenation),
        cmocka_unit_test(the_hot_loop_agrees_with_the_plain_hash_at_every_length),
        cmocka_unit_test(so_does_it_without_the_processors_help),
        cmocka_unit_test(so_does_it_with_two_streams),
        cmocka_unit_test(so_does_it_with_sixteen),
        cmocka_unit_test(inputs_of_any_two_lengths_are_hashed_side_by_side),
        cmocka_unit_test(a_whole_is_hashed_beside_its_leaves),
        cmocka_unit_test(the_hot_loop_may_write_over_what_it_has_read),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
