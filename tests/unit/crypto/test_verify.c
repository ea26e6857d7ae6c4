/* Signatures: published cases, our own, and two verifiers that must never disagree. */
#include "custody/key.h"

#include "support.h"

enum { CACHED_KEYS = 3 }; /* few, so that keys make room for others */

static void *memory;
static struct cu_verifier plain, cached;

static int two_verifiers(void **state)
{
    size_t size = cu_verifier_cached_size(CACHED_KEYS);

    (void)state;
    memory = malloc(size);
    plain = cu_verifier_plain();
    return cu_crypto_init(NULL) != CU_OK || cu_verifier_cached(memory, size, &cached, NULL) != CU_OK;
}

static int no_verifiers(void **state)
{
    (void)state;
    plain.free(plain.self);
    cached.free(cached.self);
    free(memory);
    return 0;
}

/* What both say; a difference fails the test. */
static cu_status verdict(const struct cu_public_key *key, struct cu_span message, const uint8_t *signature)
{
    cu_hash mixed_up = { { 7 } }; /* an id that is not the key's must change nothing */
    struct cu_sig_job job = { .key = key, .message = message, .signature = signature }, same = job;

    same.key_id = &mixed_up;
    plain.verify(plain.self, &job, 1);
    cached.verify(cached.self, &same, 1);
    assert_status(same.status, job.status);
    cached.verify(cached.self, &same, 1); /* and once more, with the key surely loaded */
    assert_status(same.status, job.status);
    return job.status;
}

static cu_status judge(enum cu_alg alg, char *const field[])
{
    static uint8_t message[4096];
    struct cu_public_key key = { .alg = alg };
    uint8_t signature[CU_SIGNATURE_LEN];

    assert_int_equal(unhex(field[2], key.bytes, sizeof key.bytes), cu_alg_public_len(alg));
    size_t n = unhex(field[3], message, sizeof message);
    assert_int_equal(unhex(field[4], signature, sizeof signature), sizeof signature);
    return verdict(&key, cu_span(message, n), signature);
}

static void answers_as_published(const char *file, enum cu_alg alg, size_t at_least)
{
    size_t n = 0;

    for (struct vectors *v = vectors_open(file); vectors_next(v); n++) {
        assert_int_equal(v->n, 5);
        cu_status got = judge(alg, v->field);
        if (strcmp(cu_status_name(got), v->field[1]) != 0) fail_msg("%s: case %s: %s", file, v->field[0], cu_status_name(got));
    }
    assert_true(n >= at_least);
}

static void es256_answers_every_published_case(void **state)
{
    (void)state;
    answers_as_published("es256_wycheproof.txt", CU_ALG_ES256, 200);
}

static void ed25519_answers_every_published_case(void **state)
{
    (void)state;
    answers_as_published("ed25519_wycheproof.txt", CU_ALG_EDDSA, 100);
}

static void ed25519_takes_one_side_where_libraries_disagree(void **state)
{
    (void)state;
    answers_as_published("ed25519_speccheck.txt", CU_ALG_EDDSA, 12);
}

static void what_we_sign_verifies_and_is_low(void **state)
{
    static const enum cu_alg algs[] = { CU_ALG_ES256, CU_ALG_EDDSA };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct cu_private_key key;

        assert_ok(cu_private_generate(algs[i], &key, NULL));
        for (unsigned n = 0; n < 64; n++) { /* by chance half of them would be high */
            uint8_t message[64] = { 0 }, signature[CU_SIGNATURE_LEN];

            assert_ok(cu_sign(&key, cu_span(message, n), signature, NULL));
            assert_status(verdict(&key.pub, cu_span(message, n), signature), CU_OK);
            signature[n] ^= 1;
            assert_true(verdict(&key.pub, cu_span(message, n), signature) != CU_OK);
            signature[n] ^= 1;
            assert_status(verdict(&key.pub, cu_span(message, n + 1), signature), CU_BAD_SIGNATURE);
        }
        cu_private_free(&key);
    }
}

/* n - s, by schoolbook subtraction. */
static void other_s(uint8_t s[32])
{
    uint8_t n[32];
    int borrow = 0;

    unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", n, 32);
    for (int i = 31; i >= 0; i--) {
        int d = n[i] - s[i] - borrow;
        borrow = d < 0;
        s[i] = (uint8_t)(d + (borrow ? 256 : 0));
    }
}

static void the_other_s_of_a_signature_is_called_high(void **state)
{
    struct cu_private_key key;
    uint8_t signature[CU_SIGNATURE_LEN];

    (void)state;
    assert_ok(cu_private_generate(CU_ALG_ES256, &key, NULL));
    assert_ok(cu_sign(&key, cu_span_str("m"), signature, NULL));
    other_s(signature + 32);
    assert_status(verdict(&key.pub, cu_span_str("m"), signature), CU_HIGH_S);
    cu_private_free(&key);
}

static void the_bounds_of_r_and_s_are_exact(void **state)
{
    static const struct {
        const char *v;
        cu_status as_r, as_s;
    } edge[] = {
        { "0000000000000000000000000000000000000000000000000000000000000000", CU_BAD_SIGNATURE, CU_BAD_SIGNATURE },
        { "0000000000000000000000000000000000000000000000000000000000000001", CU_BAD_SIGNATURE, CU_BAD_SIGNATURE },
        { "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8", CU_BAD_SIGNATURE, CU_BAD_SIGNATURE }, /* n/2: low */
        { "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9", CU_BAD_SIGNATURE, CU_HIGH_S },
        { "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", CU_BAD_SIGNATURE, CU_HIGH_S }, /* n - 1 */
        { "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", CU_BAD_SIGNATURE, CU_BAD_SIGNATURE },
        { "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", CU_BAD_SIGNATURE, CU_BAD_SIGNATURE },
    };
    struct cu_private_key key;
    uint8_t good[CU_SIGNATURE_LEN], bad[CU_SIGNATURE_LEN];

    (void)state;
    assert_ok(cu_private_generate(CU_ALG_ES256, &key, NULL));
    assert_ok(cu_sign(&key, cu_span_str("m"), good, NULL));
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        memcpy(bad, good, sizeof bad);
        unhex(edge[i].v, bad, 32);
        assert_status(verdict(&key.pub, cu_span_str("m"), bad), edge[i].as_r);
        memcpy(bad, good, sizeof bad);
        unhex(edge[i].v, bad + 32, 32);
        assert_status(verdict(&key.pub, cu_span_str("m"), bad), edge[i].as_s);
    }
    cu_private_free(&key);
}

static void an_s_of_l_or_more_is_refused(void **state)
{
    struct cu_private_key key;
    uint8_t signature[CU_SIGNATURE_LEN], l[32];
    unsigned carry = 0;

    (void)state;
    unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", l, 32);
    assert_ok(cu_private_generate(CU_ALG_EDDSA, &key, NULL));
    assert_ok(cu_sign(&key, cu_span_str("m"), signature, NULL));
    for (size_t i = 0; i < 32; i++) {
        carry += signature[32 + i] + l[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_status(verdict(&key.pub, cu_span_str("m"), signature), CU_BAD_SIGNATURE);
    cu_private_free(&key);
}

/* ---- the differential test ---------------------------------------------------------------------------------------- */

enum { KEYS = 8 };

/* A random edge: a key, message or signature changed in one of the ways in which verifiers have differed. */
static void spoil(struct chance *chance, struct cu_public_key *key, uint8_t signature[CU_SIGNATURE_LEN],
                  const struct cu_private_key *keys)
{
    static const uint8_t fill[] = { 0x00, 0xff, 0x80, 0x01, 0x7f };

    switch (chance_below(chance, 9)) {
    case 0: break; /* stays good */
    case 1: signature[chance_below(chance, 64)] ^= (uint8_t)(1u << chance_below(chance, 8)); break;
    case 2: key->bytes[chance_below(chance, 64)] ^= (uint8_t)(1u << chance_below(chance, 8)); break;
    case 3: *key = keys[chance_below(chance, KEYS)].pub; break;
    case 4: other_s(signature + 32); break;
    case 5: memset(signature + 32 * chance_below(chance, 2), fill[chance_below(chance, 5)], 32); break;
    case 6: memset(key->bytes, fill[chance_below(chance, 5)], 32 * (1 + chance_below(chance, 2))); break;
    case 7: chance_bytes(chance, signature, CU_SIGNATURE_LEN); break;
    case 8: key->alg = key->alg == CU_ALG_ES256 ? CU_ALG_EDDSA : CU_ALG_ES256; break;
    }
}

static void both_verifiers_give_every_input_the_same_status(void **state)
{
    struct cu_private_key keys[KEYS];
    struct chance chance = chance_begin();
    size_t seen[256] = { 0 };

    (void)state;
    for (size_t i = 0; i < KEYS; i++) assert_ok(cu_private_generate(i % 2 ? CU_ALG_ES256 : CU_ALG_EDDSA, &keys[i], NULL));
    for (size_t round = 0; round < 3000; round++) {
        const struct cu_private_key *signer = &keys[chance_below(&chance, KEYS)];
        struct cu_public_key key = signer->pub;
        uint8_t message[100], signature[CU_SIGNATURE_LEN];
        size_t n = chance_below(&chance, sizeof message);

        chance_bytes(&chance, message, n);
        assert_ok(cu_sign(signer, cu_span(message, n), signature, NULL));
        spoil(&chance, &key, signature, keys);
        seen[verdict(&key, cu_span(message, n), signature)]++;
    }
    assert_true(seen[CU_OK] > 100 && seen[CU_BAD_SIGNATURE] > 100 && seen[CU_BAD_KEY] > 100 && seen[CU_HIGH_S] > 10);
    for (size_t i = 0; i < KEYS; i++) cu_private_free(&keys[i]);
}

static void a_batch_answers_job_by_job(void **state)
{
    struct cu_private_key key;
    uint8_t good[CU_SIGNATURE_LEN], bad[CU_SIGNATURE_LEN];

    (void)state;
    assert_ok(cu_private_generate(CU_ALG_ES256, &key, NULL));
    assert_ok(cu_sign(&key, cu_span_str("m"), good, NULL));
    memset(bad, 0, sizeof bad);
    struct cu_sig_job jobs[] = { { .key = &key.pub, .message = cu_span_str("m"), .signature = good },
                                 { .key = &key.pub, .message = cu_span_str("m"), .signature = bad },
                                 { .key = &key.pub, .message = cu_span_str("m"), .signature = good } };
    cached.verify(cached.self, jobs, 3);
    assert_status(jobs[0].status, CU_OK);
    assert_status(jobs[1].status, CU_BAD_SIGNATURE);
    assert_status(jobs[2].status, CU_OK);
    cu_private_free(&key);
}

static void a_cache_without_room_for_a_key_is_refused(void **state)
{
    struct cu_verifier none;
    struct cu_err err;

    (void)state;
    assert_status(cu_verifier_cached(memory, cu_verifier_cached_size(1) - 1, &none, &err), CU_TOO_LARGE);
}

static void a_refusal_names_the_algorithm_and_the_reason(void **state)
{
    struct cu_private_key key;
    uint8_t signature[CU_SIGNATURE_LEN] = { 0 };
    struct cu_err err;

    (void)state;
    assert_ok(cu_private_generate(CU_ALG_EDDSA, &key, NULL));
    assert_status(cu_verify_one(&cached, &key.pub, cu_span_str("m"), signature, &err), CU_BAD_SIGNATURE);
    assert_string_equal(err.text, "Ed25519 signature: the signature does not verify");
    cu_private_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(es256_answers_every_published_case),
        cmocka_unit_test(ed25519_answers_every_published_case),
        cmocka_unit_test(ed25519_takes_one_side_where_libraries_disagree),
        cmocka_unit_test(what_we_sign_verifies_and_is_low),
        cmocka_unit_test(the_other_s_of_a_signature_is_called_high),
        cmocka_unit_test(the_bounds_of_r_and_s_are_exact),
        cmocka_unit_test(an_s_of_l_or_more_is_refused),
        cmocka_unit_test(both_verifiers_give_every_input_the_same_status),
        cmocka_unit_test(a_batch_answers_job_by_job),
        cmocka_unit_test(a_cache_without_room_for_a_key_is_refused),
        cmocka_unit_test(a_refusal_names_the_algorithm_and_the_reason),
    };
    return cmocka_run_group_tests_name("verify", tests, two_verifiers, no_verifiers);
}
