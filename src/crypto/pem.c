/* Private keys as PKCS#8 in PEM (RFC 5958, 7468). Encrypted ones are PBES2 with scrypt and AES-256-CBC (RFC 8018, 7914),
 * which stock `openssl pkey` opens.
 *
 * We open the PEM and the PKCS#8 by hand: OpenSSL's own readers ask the terminal when they want a passphrase, and take
 * older forms that we never write.
 */
#include "crypto/ossl.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

enum { PEM_MAX = 16384, SALT_LEN = 16 };
/* 16 MiB: twice as much would exceed what stock OpenSSL grants scrypt when it reads. */
enum { SCRYPT_N = 16384, SCRYPT_R = 8, SCRYPT_P = 1 };

FREED_BY(free_p8, PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
FREED_BY(free_sig, X509_SIG, X509_SIG_free)
FREED_BY(free_algor, X509_ALGOR, X509_ALGOR_free)
FREED_BY(free_bn, BIGNUM, BN_free)
#define AUTO_P8 CU_CLEANUP(free_p8) PKCS8_PRIV_KEY_INFO
#define AUTO_SIG CU_CLEANUP(free_sig) X509_SIG
#define AUTO_ALGOR CU_CLEANUP(free_algor) X509_ALGOR
#define AUTO_BN CU_CLEANUP(free_bn) BIGNUM

/* ---- reading ------------------------------------------------------------------------------------------------------ */

struct pem_block {
    char *name, *header;
    unsigned char *data;
    long n;
};
static void free_block(struct pem_block *block)
{
    OPENSSL_free(block->name);
    OPENSSL_free(block->header);
    if (block->data != NULL) OPENSSL_clear_free(block->data, (size_t)block->n);
}

static cu_status decrypt(const struct pem_block *block, struct cu_span passphrase, PKCS8_PRIV_KEY_INFO **ret, struct cu_err *err)
{
    const unsigned char *at = block->data;
    AUTO_SIG *sealed = d2i_X509_SIG(NULL, &at, block->n);

    if (sealed == NULL || at != block->data + block->n) return ossl_fail(err, CU_MALFORMED, "private key: not encrypted PKCS#8");
    ENSURE(passphrase.n > 0, err, CU_WRONG_PASSPHRASE, "the private key is encrypted and no passphrase was given");
    *ret = PKCS8_decrypt(sealed, (const char *)passphrase.p, (int)passphrase.n);
    return *ret != NULL ? CU_OK : ossl_fail(err, CU_WRONG_PASSPHRASE, "the passphrase does not open the private key");
}

static cu_status open_block(const struct pem_block *block, struct cu_span passphrase, PKCS8_PRIV_KEY_INFO **ret,
                            struct cu_err *err)
{
    const unsigned char *at = block->data;

    if (strcmp(block->name, PEM_STRING_PKCS8) == 0) return decrypt(block, passphrase, ret, err);
    ENSURE(strcmp(block->name, PEM_STRING_PKCS8INF) == 0, err, CU_MALFORMED, "private key: a PEM block of another kind");

    *ret = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, block->n);
    if (*ret == NULL || at != block->data + block->n) return ossl_fail(err, CU_MALFORMED, "private key: not PKCS#8");
    return CU_OK;
}

static cu_status read_coordinate(EVP_PKEY *pkey, const char *name, uint8_t ret[32])
{
    BIGNUM *got = NULL;
    int ok = EVP_PKEY_get_bn_param(pkey, name, &got);
    AUTO_BN *v = got;

    return ok == 1 && BN_bn2binpad(v, ret, 32) == 32 ? CU_OK : CU_BAD_KEY;
}

/* A PKCS#8 file may name a public key that is not the private one's. */
static bool halves_agree(EVP_PKEY *pkey)
{
    AUTO_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

    return ctx != NULL && EVP_PKEY_check(ctx) == 1;
}

static cu_status public_of_es256(EVP_PKEY *pkey, struct cu_public_key *ret)
{
    char group[32] = "";

    ret->alg = CU_ALG_ES256;
    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1 || OBJ_sn2nid(group) != NID_X9_62_prime256v1)
        return CU_BAD_KEY;
    TRY(read_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, ret->bytes));
    TRY(read_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, ret->bytes + 32));
    return halves_agree(pkey) ? CU_OK : CU_BAD_KEY;
}

static cu_status public_of(EVP_PKEY *pkey, struct cu_public_key *ret)
{
    size_t n = 32;

    *ret = (struct cu_public_key){ .alg = CU_ALG_EDDSA };
    if (EVP_PKEY_is_a(pkey, "EC")) return public_of_es256(pkey, ret);
    if (!EVP_PKEY_is_a(pkey, "ED25519")) return CU_BAD_KEY;
    return EVP_PKEY_get_raw_public_key(pkey, ret->bytes, &n) == 1 && n == 32 ? CU_OK : CU_BAD_KEY;
}

/* Takes the key over, whether it succeeds or not. */
static cu_status adopt(EVP_PKEY *taken, struct cu_private_key *ret, struct cu_err *err)
{
    AUTO_PKEY *pkey = taken;
    struct cu_private_key out = { .ctx = pkey };

    if (public_of(pkey, &out.pub) != CU_OK)
        return ossl_fail(err, CU_BAD_KEY, "private key: neither P-256 nor Ed25519, or its halves disagree");
    out.id = cu_key_id(&out.pub);
    *ret = out;
    pkey = NULL;
    return CU_OK;
}

cu_status ossl_pem_read(struct cu_span pem, struct cu_span passphrase, EVP_PKEY **ret, struct cu_err *err)
{
    CU_CLEANUP(free_block) struct pem_block block = { 0 };
    AUTO_P8 *p8 = NULL;

    ENSURE(pem.n <= PEM_MAX && passphrase.n <= PEM_MAX, err, CU_MALFORMED, "private key: larger than %d bytes", PEM_MAX);
    AUTO_BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (bio == NULL || PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.n) != 1)
        return ossl_fail(err, CU_MALFORMED, "private key: no PEM block");
    ENSURE(block.header[0] == '\0', err, CU_MALFORMED, "private key: PEM with headers");
    TRY(open_block(&block, passphrase, &p8, err));

    *ret = EVP_PKCS82PKEY(p8);
    return *ret != NULL ? CU_OK : ossl_fail(err, CU_BAD_KEY, "private key: its algorithm or value is not valid");
}

cu_status cu_private_from_pem(struct cu_span pem, struct cu_span passphrase, struct cu_private_key *ret, struct cu_err *err)
{
    EVP_PKEY *pkey = NULL;

    TRY(ossl_pem_read(pem, passphrase, &pkey, err));
    return adopt(pkey, ret, err);
}

cu_status cu_private_generate(enum cu_alg alg, struct cu_private_key *ret, struct cu_err *err)
{
    EVP_PKEY *pkey = NULL;

    switch (alg) {
    case CU_ALG_ES256: pkey = EVP_EC_gen("P-256"); break;
    case CU_ALG_EDDSA: pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
    case CU_ALG_X25519: /* cu_age_identity_generate makes those */
    case CU_ALG_NONE: return cu_fail(err, CU_BAD_KEY, "a key that signs nothing, or of an unknown algorithm");
    }
    if (pkey == NULL) return ossl_fail(err, CU_CRYPTO, "no key could be generated");
    return adopt(pkey, ret, err);
}

void cu_private_free(struct cu_private_key *key)
{
    if (key == NULL) return;
    if (key->holder) key->holder->free(key->ctx);
    else EVP_PKEY_free(key->ctx); /* OpenSSL wipes the secret */
    cu_wipe(key, sizeof *key);
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static cu_status encrypt(PKCS8_PRIV_KEY_INFO *p8, struct cu_span passphrase, X509_SIG **ret, struct cu_err *err)
{
    uint8_t salt[SALT_LEN], iv[EVP_MAX_IV_LENGTH];

    if (RAND_bytes(salt, sizeof salt) != 1 || RAND_bytes(iv, sizeof iv) != 1) return ossl_fail(err, CU_CRYPTO, "no random bytes");
    AUTO_ALGOR *pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof salt, iv, SCRYPT_N, SCRYPT_R, SCRYPT_P);
    *ret = pbe != NULL ? PKCS8_set0_pbe((const char *)passphrase.p, (int)passphrase.n, p8, pbe) : NULL;
    if (*ret == NULL) return ossl_fail(err, CU_CRYPTO, "the private key cannot be encrypted");
    pbe = NULL; /* now the signature's */
    return CU_OK;
}

static void wipe_and_free_mem(BIO **bio)
{
    char *text;
    long n = *bio != NULL ? BIO_get_mem_data(*bio, &text) : 0;

    if (n > 0) cu_wipe(text, (size_t)n);
    BIO_free_all(*bio);
}

cu_status ossl_pem_write(const EVP_PKEY *key, struct cu_span passphrase, struct cu_buf *out, struct cu_err *err)
{
    CU_CLEANUP(wipe_and_free_mem) BIO *bio = BIO_new(BIO_s_mem());
    AUTO_P8 *p8 = EVP_PKEY2PKCS8(key);
    AUTO_SIG *sealed = NULL;
    char *text;

    ENSURE(passphrase.n <= PEM_MAX, err, CU_TOO_LARGE, "a passphrase above %d bytes", PEM_MAX);
    if (bio == NULL || p8 == NULL) return ossl_fail(err, CU_CRYPTO, "the private key cannot be written");
    if (passphrase.n > 0) TRY(encrypt(p8, passphrase, &sealed, err));
    int ok = sealed != NULL ? PEM_write_bio_PKCS8(bio, sealed) : PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, p8);
    if (ok != 1) return ossl_fail(err, CU_CRYPTO, "the private key cannot be written");

    long n = BIO_get_mem_data(bio, &text);
    cu_buf_add(out, cu_span(text, (size_t)n));
    return cu_buf_ok(out, err);
}

cu_status cu_private_to_pem(const struct cu_private_key *key, struct cu_span passphrase, struct cu_buf *out, struct cu_err *err)
{
    ENSURE(!key->holder, err, CU_NOT_ALLOWED, "the private key stays where it is, in its token");
    return ossl_pem_write(key->ctx, passphrase, out, err);
}
