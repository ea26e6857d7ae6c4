/* Algorithms, suites, and public keys: what is a valid one, its id, and its form for stock tools. */
#include "crypto/ossl.h"
#include "custody/age.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

static const struct alg_row {
    enum cu_alg alg;
    const char *name;
    size_t public_len, signature_len;
} algs[] = {
#define ROW(num, name, text, pub, sig) { CU_ALG_##name, text, pub, sig },
    CU_ALG_TABLE(ROW)
#undef ROW
};

#define CHECK_SIG_LEN(num, name, text, pub, sig) \
    _Static_assert(((sig) == CU_SIGNATURE_LEN || (sig) == 0) && (pub) <= CU_PUBLIC_LEN_MAX, text);
CU_ALG_TABLE(CHECK_SIG_LEN)
#undef CHECK_SIG_LEN

static const struct suite_row {
    uint64_t number;
    struct cu_suite_algs algs;
} suites[] = {
#define ROW(num, name_, text, statement_, log_, digest_) \
    { num, { .statement = (statement_), .log = (log_), .digest = (digest_), .name = (text) } },
    CU_SUITE_TABLE(ROW)
#undef ROW
};

static const struct alg_row *row_of(enum cu_alg alg)
{
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++)
        if (algs[i].alg == alg) return &algs[i];
    return NULL;
}

const char *cu_alg_name(enum cu_alg alg)
{
    const struct alg_row *row = row_of(alg);

    return row != NULL ? row->name : "unknown";
}

size_t cu_alg_public_len(enum cu_alg alg)
{
    const struct alg_row *row = row_of(alg);

    return row != NULL ? row->public_len : 0;
}

bool cu_alg_signs(enum cu_alg alg)
{
    const struct alg_row *row = row_of(alg);

    return row != NULL && row->signature_len > 0;
}

const struct cu_suite_algs *cu_suite_algs(uint64_t suite)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (suites[i].number == suite) return &suites[i].algs;
    return NULL;
}

/* "The key's required parameters only, in the deterministic encoding" (RFC 9679, 3): EC2 {1: 2, -1: 1, -2: x, -3: y},
 * OKP {1: 1, -1: 6 (Ed25519) or 4 (X25519), -2: x}. */
cu_hash cu_key_id(const struct cu_public_key *key)
{
    static const uint8_t ec2[] = { 0xa4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 0x20 }, y[] = { 0x22, 0x58, 0x20 };
    static const uint8_t okp[] = { 0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20 };
    static const uint8_t x25519[] = { 0xa3, 0x01, 0x01, 0x20, 0x04, 0x21, 0x58, 0x20 };

    switch (key->alg) {
    case CU_ALG_ES256:
        return cu_sha256_parts(
            (struct cu_span[]){ CU_SPAN_OF(ec2), cu_span(key->bytes, 32), CU_SPAN_OF(y), cu_span(key->bytes + 32, 32) }, 4);
    case CU_ALG_EDDSA: return cu_sha256_parts((struct cu_span[]){ CU_SPAN_OF(okp), cu_span(key->bytes, 32) }, 2);
    case CU_ALG_X25519: return cu_sha256_parts((struct cu_span[]){ CU_SPAN_OF(x25519), cu_span(key->bytes, 32) }, 2);
    case CU_ALG_NONE: break;
    }
    return (cu_hash){ { 0 } };
}

/* A key of P-256 without its point, made once: to copy it is six times as quick as to describe the curve to OpenSSL anew. */
static CRYPTO_ONCE p256_once = CRYPTO_ONCE_STATIC_INIT;
static EVP_PKEY *p256;

static void make_p256(void)
{
    char group[] = "P-256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0), OSSL_PARAM_END };
    AUTO_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &p256, EVP_PKEY_KEY_PARAMETERS, params) != 1)
        p256 = NULL;
}

/* OpenSSL refuses a point that is not on the curve, and the encoding has no place for the one at infinity. */
static cu_status load_es256(const uint8_t xy[64], EVP_PKEY **ret, struct cu_err *err)
{
    uint8_t point[65] = { 0x04 };
    AUTO_PKEY *key = NULL;

    memcpy(point + 1, xy, 64);
    if (CRYPTO_THREAD_run_once(&p256_once, make_p256) == 1 && p256 != NULL) key = EVP_PKEY_dup(p256);
    if (key == NULL) return ossl_fail(err, CU_CRYPTO, "an ES256 key cannot be loaded");
    if (EVP_PKEY_set1_encoded_public_key(key, point, sizeof point) != 1)
        return ossl_fail(err, CU_BAD_KEY, "ES256 key: not a point of P-256");
    *ret = key;
    key = NULL;
    return CU_OK;
}

static void free_bn_ctx(BN_CTX **p) { BN_CTX_free(*p); }

/* -x² + y² = 1 + d·x²·y² has an x for this y if and only if (y²-1)/(d·y²+1) is a square; the divisor is never 0, so their
 * product tells. OpenSSL would find out only when it verifies, and would call it a bad signature. 1 yes, 0 no, -1 no memory. */
static int ed25519_on_curve(const uint8_t point[32])
{
    static const char p_hex[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
    static const char d_hex[] = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";
    CU_CLEANUP(free_bn_ctx) BN_CTX *ctx = BN_CTX_new();
    uint8_t y_bytes[32];

    if (ctx == NULL) return -1;
    BN_CTX_start(ctx);
    BIGNUM *p = BN_CTX_get(ctx), *d = BN_CTX_get(ctx), *y2 = BN_CTX_get(ctx), *u = BN_CTX_get(ctx), *v = BN_CTX_get(ctx);

    memcpy(y_bytes, point, 32);
    y_bytes[31] &= 0x7f;
    bool ok = v != NULL && BN_hex2bn(&p, p_hex) > 0 && BN_hex2bn(&d, d_hex) > 0 && BN_lebin2bn(y_bytes, 32, y2) != NULL &&
              BN_mod_sqr(y2, y2, p, ctx) && BN_copy(u, y2) != NULL && BN_sub_word(u, 1) && BN_mod_mul(v, d, y2, p, ctx) &&
              BN_add_word(v, 1) && BN_mod_mul(u, u, v, p, ctx);
    int symbol = ok ? BN_kronecker(u, p, ctx) : -2;

    BN_CTX_end(ctx);
    return symbol == -2 ? -1 : symbol >= 0;
}

static cu_status load_ed25519(const uint8_t point[32], EVP_PKEY **ret, struct cu_err *err)
{
    ENSURE(ed25519_point_allowed(point), err, CU_BAD_KEY, "Ed25519 key: not canonical, or of small order");

    int on_curve = ed25519_on_curve(point);
    ENSURE(on_curve != 0, err, CU_BAD_KEY, "Ed25519 key: not a point of the curve");
    if (on_curve > 0) *ret = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, point, 32);
    return *ret != NULL ? CU_OK : ossl_fail(err, CU_CRYPTO, "an Ed25519 key cannot be loaded");
}

static cu_status load_x25519(const uint8_t share[32], EVP_PKEY **ret, struct cu_err *err)
{
    struct cu_age_recipient recipient;

    memcpy(recipient.share, share, sizeof recipient.share);
    TRY(cu_age_recipient_check(&recipient, err));
    *ret = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, share, 32);
    return *ret != NULL ? CU_OK : ossl_fail(err, CU_CRYPTO, "a sealing key cannot be loaded");
}

cu_status ossl_public_load(const struct cu_public_key *key, EVP_PKEY **ret, struct cu_err *err)
{
    *ret = NULL;
    switch (key->alg) {
    case CU_ALG_ES256: return load_es256(key->bytes, ret, err);
    case CU_ALG_EDDSA: return load_ed25519(key->bytes, ret, err);
    case CU_ALG_X25519: return load_x25519(key->bytes, ret, err);
    case CU_ALG_NONE: break;
    }
    return cu_fail(err, CU_BAD_KEY, "a key of an unknown algorithm");
}

cu_status cu_public_check(const struct cu_public_key *key, struct cu_err *err)
{
    AUTO_PKEY *pkey = NULL;

    return ossl_public_load(key, &pkey, err);
}

cu_status cu_public_pem(const struct cu_public_key *key, struct cu_buf *out, struct cu_err *err)
{
    AUTO_PKEY *pkey = NULL;
    AUTO_BIO *bio = BIO_new(BIO_s_mem());
    char *text;

    TRY(ossl_public_load(key, &pkey, err));
    if (bio == NULL || PEM_write_bio_PUBKEY(bio, pkey) != 1) return ossl_fail(err, CU_CRYPTO, "a public key cannot be written");

    long n = BIO_get_mem_data(bio, &text);
    cu_buf_add(out, cu_span(text, (size_t)n));
    return cu_buf_ok(out, err);
}
