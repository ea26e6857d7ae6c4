/* Keys: ids, what is a valid public key, and private keys in files that stock tools read. */
#include "custody/key.h"
#include "custody/text.h"

#include "support.h"

#include <unistd.h>

static const enum cu_alg algs[] = { CU_ALG_ES256, CU_ALG_EDDSA };

static struct cu_public_key es256_key(const char *x, const char *y)
{
    struct cu_public_key key = { .alg = CU_ALG_ES256 };

    unhex(x, key.bytes, 32);
    unhex(y, key.bytes + 32, 32);
    return key;
}

static struct cu_public_key ed25519_key(const char *hex)
{
    struct cu_public_key key = { .alg = CU_ALG_EDDSA };

    unhex(hex, key.bytes, 32);
    return key;
}

static void the_tables_name_every_algorithm_and_suite(void **state)
{
    (void)state;
    assert_string_equal(cu_alg_name(CU_ALG_ES256), "ES256");
    assert_string_equal(cu_alg_name(CU_ALG_EDDSA), "Ed25519");
    assert_string_equal(cu_alg_name((enum cu_alg)5), "unknown");
    assert_int_equal(cu_alg_public_len(CU_ALG_ES256), 64);
    assert_int_equal(cu_alg_public_len(CU_ALG_EDDSA), 32);
    assert_int_equal(cu_alg_public_len(CU_ALG_NONE), 0);

    const struct cu_suite_algs *suite = cu_suite_algs(1);
    assert_non_null(suite);
    assert_int_equal(suite->statement, CU_ALG_ES256);
    assert_int_equal(suite->log, CU_ALG_EDDSA);
    assert_int_equal(suite->digest, CU_DIGEST_SHA256);
    assert_null(cu_suite_algs(0));
    assert_null(cu_suite_algs(2));
}

static void an_es256_id_is_the_thumbprint_of_rfc_9679(void **state)
{
    (void)state;
    for (struct vectors *v = vectors_open("es256_thumbprint.txt"); vectors_next(v);) {
        struct cu_public_key key = es256_key(v->field[0], v->field[1]);
        cu_hash want = unhex_hash(v->field[2]), got = cu_key_id(&key);
        assert_hash_equal(&got, &want);
    }
}

static void an_ed25519_id_hashes_the_okp_map(void **state)
{
    static const uint8_t head[] = { 0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20 };
    struct cu_public_key key = ed25519_key(
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"); /* RFC 8032, 7.1 */
    cu_hash got = cu_key_id(&key), want = cu_sha256_parts((struct cu_span[]){ CU_SPAN_OF(head), cu_span(key.bytes, 32) }, 2);

    (void)state;
    assert_hash_equal(&got, &want);
}

static void a_point_off_the_curve_is_no_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct cu_private_key key;

        assert_ok(cu_private_generate(algs[i], &key, NULL));
        assert_ok(cu_public_check(&key.pub, NULL));
        cu_private_free(&key);
    }

    struct cu_public_key off = es256_key("01", "01");
    assert_status(cu_public_check(&off, NULL), CU_BAD_KEY);
    memset(off.bytes, 0, sizeof off.bytes);
    assert_status(cu_public_check(&off, NULL), CU_BAD_KEY);
    memset(off.bytes, 0xff, sizeof off.bytes); /* coordinates ≥ p */
    assert_status(cu_public_check(&off, NULL), CU_BAD_KEY);

    struct cu_public_key no_x = ed25519_key(
        "0200000000000000000000000000000000000000000000000000000000000000"); /* y = 2 has no x */
    assert_status(cu_public_check(&no_x, NULL), CU_BAD_KEY);
    struct cu_public_key alien = { .alg = (enum cu_alg) - 36 };
    assert_status(cu_public_check(&alien, NULL), CU_BAD_KEY);
}

static void every_encoding_of_a_small_order_point_is_no_key(void **state)
{
    static const char *const small[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080", /* x = 0 with a sign */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p: 0 again */
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 1 */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    };

    (void)state;
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        struct cu_public_key key = ed25519_key(small[i]);
        assert_status(cu_public_check(&key, NULL), CU_BAD_KEY);
    }
}

static void a_y_of_p_or_more_is_no_key(void **state)
{
    (void)state;
    for (unsigned above = 0xed; above <= 0xff; above++) {
        struct cu_public_key key = { .alg = CU_ALG_EDDSA };

        memset(key.bytes, 0xff, 32);
        key.bytes[0] = (uint8_t)above;
        assert_status(cu_public_check(&key, NULL), CU_BAD_KEY);
        key.bytes[31] = 0x7f;
        assert_status(cu_public_check(&key, NULL), CU_BAD_KEY);
    }
}

static struct cu_buf pem_of(const struct cu_private_key *key, const char *passphrase)
{
    struct cu_buf pem = cu_buf_heap(16384);

    assert_ok(cu_private_to_pem(key, cu_span_str(passphrase), &pem, NULL));
    return pem;
}

static void signs_alike(const struct cu_private_key *a, const struct cu_private_key *b)
{
    uint8_t signature[CU_SIGNATURE_LEN];
    struct cu_verifier by = cu_verifier_plain();

    assert_memory_equal(&a->pub, &b->pub, sizeof a->pub);
    assert_hash_equal(&a->id, &b->id);
    assert_ok(cu_sign(b, cu_span_str("message"), signature, NULL));
    assert_ok(cu_verify_one(&by, &a->pub, cu_span_str("message"), signature, NULL));
}

static void a_private_key_comes_back_from_its_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t sealed = 0; sealed < 2; sealed++) {
            const char *passphrase = sealed ? "correct horse \xe9\xa9\xac" : "";
            struct cu_private_key key, again;

            assert_ok(cu_private_generate(algs[i], &key, NULL));
            CU_BUF pem = pem_of(&key, passphrase);
            assert_true(cu_span_starts(cu_buf_span(&pem), cu_span_str(sealed ? "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                                                                             : "-----BEGIN PRIVATE KEY-----\n")));
            assert_ok(cu_private_from_pem(cu_buf_span(&pem), cu_span_str(passphrase), &again, NULL));
            signs_alike(&key, &again);
            cu_private_free(&key);
            cu_private_free(&again);
        }
    }
}

static void a_wrong_or_missing_passphrase_is_said_and_never_asked_for(void **state)
{
    struct cu_private_key key, again;
    struct cu_err err;

    (void)state;
    assert_ok(cu_private_generate(CU_ALG_ES256, &key, NULL));
    CU_BUF pem = pem_of(&key, "right");
    assert_status(cu_private_from_pem(cu_buf_span(&pem), cu_span_str("wrong"), &again, &err), CU_WRONG_PASSPHRASE);
    assert_status(cu_private_from_pem(cu_buf_span(&pem), CU_SPAN_EMPTY, &again, &err), CU_WRONG_PASSPHRASE);
    assert_string_equal(err.text, "the private key is encrypted and no passphrase was given");
    cu_private_free(&key);
}

static void bytes_that_are_no_key_are_malformed(void **state)
{
    static const char *const bad[] = {
        "",
        "hello",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
        ("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
         "AAAA\n-----END EC PRIVATE KEY-----\n"),
    };
    struct cu_private_key key = { .ctx = (void *)&key }, before = key;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_status(cu_private_from_pem(cu_span_str(bad[i]), cu_span_str("x"), &key, NULL), CU_MALFORMED);
        assert_memory_equal(&key, &before, sizeof key); /* outputs change only on success */
    }
}

/* ---- with the openssl program ------------------------------------------------------------------------------------- */

static bool has_openssl(void) { return system("openssl version >/dev/null 2>&1") == 0; }

/* The command's output, or nothing when it failed. $F is a file that holds `input`. */
static size_t run(const char *command, struct cu_span input, char *ret, size_t max)
{
    char path[] = "/tmp/custody-test-key-XXXXXX", line[1024];
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, input.p, input.n), input.n);
    close(fd);
    snprintf(line, sizeof line, "F=%s; %s", path, command);
    FILE *out = popen(line, "r");
    size_t n = fread(ret, 1, max - 1, out);
    int rc = pclose(out);
    unlink(path);
    ret[n] = '\0';
    return rc == 0 ? n : 0;
}

static void stock_openssl_reads_our_keys(void **state)
{
    (void)state;
    if (!has_openssl()) skip();
    for (size_t i = 0; i < 2; i++) {
        struct cu_private_key key;
        char plain[4096], opened[4096];
        CU_BUF public = cu_buf_heap(4096);

        assert_ok(cu_private_generate(algs[i], &key, NULL));
        CU_BUF pem = pem_of(&key, ""), sealed = pem_of(&key, "secret");
        assert_ok(cu_public_pem(&key.pub, &public, NULL));
        assert_true(run("openssl pkey -in $F -pubout", cu_buf_span(&pem), plain, sizeof plain) > 0);
        assert_true(cu_span_is(cu_buf_span(&public), plain));
        assert_true(run("openssl pkey -in $F -passin pass:secret -pubout", cu_buf_span(&sealed), opened, sizeof opened) > 0);
        assert_string_equal(plain, opened);
        assert_int_equal(
            run("openssl pkey -in $F -passin pass:other -pubout 2>/dev/null", cu_buf_span(&sealed), opened, sizeof opened), 0);
        assert_true(run("openssl asn1parse -in $F", cu_buf_span(&sealed), opened, sizeof opened) > 0);
        assert_non_null(strstr(opened, "scrypt"));
        assert_non_null(strstr(opened, "aes-256-cbc"));
        cu_private_free(&key);
    }
}

static void we_read_keys_of_stock_openssl_but_only_of_our_algorithms(void **state)
{
    static const struct {
        const char *command;
        cu_status want;
    } made[] = {
        { "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null", CU_OK },
        { "openssl genpkey -algorithm ED25519", CU_OK },
        { "openssl genpkey -algorithm ED25519 -aes-256-cbc -pass pass:p", CU_OK },
        { "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 2>/dev/null", CU_BAD_KEY },
        { "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 2>/dev/null", CU_BAD_KEY },
        { "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 2>/dev/null", CU_BAD_KEY },
        { "openssl genpkey -algorithm X25519", CU_BAD_KEY },
        { "openssl ecparam -name prime256v1 -genkey -noout", CU_MALFORMED },
    };

    (void)state;
    if (!has_openssl()) skip();
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        char pem[8192];
        struct cu_private_key key;
        size_t n = run(made[i].command, CU_SPAN_EMPTY, pem, sizeof pem);

        assert_true(n > 0);
        assert_status(cu_private_from_pem(cu_span(pem, n), cu_span_str("p"), &key, NULL), made[i].want);
        if (made[i].want == CU_OK) signs_alike(&key, &key), cu_private_free(&key);
    }
}

/* The bytes between the two lines of a PEM. */
static void unwrap(struct cu_span pem, struct cu_buf *ret)
{
    struct cu_lines lines = cu_lines_on(pem);
    CU_BUF text = cu_buf_heap(4096);

    for (struct cu_span line; cu_lines_next(&lines, &line);)
        if (line.p[0] != '-') cu_buf_add(&text, line);
    assert_ok(cu_base64_read(cu_buf_span(&text), ret, NULL));
}

static void a_file_whose_halves_disagree_is_refused(void **state)
{
    struct cu_private_key key, other, got;
    CU_BUF der = cu_buf_heap(4096), mixed = cu_buf_heap(8192);

    (void)state;
    assert_ok(cu_private_generate(CU_ALG_ES256, &key, NULL));
    assert_ok(cu_private_generate(CU_ALG_ES256, &other, NULL));
    CU_BUF pem = pem_of(&key, "");
    unwrap(cu_buf_span(&pem), &der);
    assert_memory_equal(der.p + der.n - 64, key.pub.bytes, 64); /* it ends in x and y */
    for (size_t swapped = 0; swapped < 2; swapped++) {
        cu_buf_clear(&mixed);
        cu_buf_add_str(&mixed, "-----BEGIN PRIVATE KEY-----\n");
        cu_base64_put(&mixed, cu_buf_span(&der));
        cu_buf_add_str(&mixed, "\n-----END PRIVATE KEY-----\n");
        assert_status(cu_private_from_pem(cu_buf_span(&mixed), CU_SPAN_EMPTY, &got, NULL), swapped ? CU_BAD_KEY : CU_OK);
        if (!swapped) cu_private_free(&got);
        memcpy(der.p + der.n - 64, other.pub.bytes, 64);
    }
    cu_private_free(&key);
    cu_private_free(&other);
}

static void freeing_wipes_and_may_be_repeated(void **state)
{
    struct cu_private_key key, zero = { 0 };

    (void)state;
    cu_private_free(NULL);
    assert_ok(cu_private_generate(CU_ALG_EDDSA, &key, NULL));
    cu_private_free(&key);
    assert_memory_equal(&key, &zero, sizeof key);
    cu_private_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_name_every_algorithm_and_suite),
        cmocka_unit_test(an_es256_id_is_the_thumbprint_of_rfc_9679),
        cmocka_unit_test(an_ed25519_id_hashes_the_okp_map),
        cmocka_unit_test(a_point_off_the_curve_is_no_key),
        cmocka_unit_test(every_encoding_of_a_small_order_point_is_no_key),
        cmocka_unit_test(a_y_of_p_or_more_is_no_key),
        cmocka_unit_test(a_private_key_comes_back_from_its_file),
        cmocka_unit_test(a_wrong_or_missing_passphrase_is_said_and_never_asked_for),
        cmocka_unit_test(bytes_that_are_no_key_are_malformed),
        cmocka_unit_test(stock_openssl_reads_our_keys),
        cmocka_unit_test(we_read_keys_of_stock_openssl_but_only_of_our_algorithms),
        cmocka_unit_test(a_file_whose_halves_disagree_is_refused),
        cmocka_unit_test(freeing_wipes_and_may_be_repeated),
    };
    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
