/* Sealing's keys and primitives: X25519, HKDF-SHA-256, ChaCha20-Poly1305, all OpenSSL's; and keys as text and in files. */
#include "crypto/age_inside.h"

#include "custody/text.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/proverr.h>
#include <openssl/rand.h>

FREED_BY(free_kdf, EVP_KDF, EVP_KDF_free)
FREED_BY(free_kdf_ctx, EVP_KDF_CTX, EVP_KDF_CTX_free)
FREED_BY(free_cipher, EVP_CIPHER, EVP_CIPHER_free)
FREED_BY(free_cipher_ctx, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

static const char identity_hrp[] = "AGE-SECRET-KEY-", recipient_hrp[] = "age";

enum { PARAM_MAX = 64 };

cu_status age_random(void *ret, size_t n, struct cu_err *err)
{
    TRY(cu_crypto_init(err));
    return RAND_priv_bytes(ret, (int)n) == 1 ? CU_OK : ossl_fail(err, CU_CRYPTO, "no random bytes");
}

static OSSL_PARAM octets(const char *name, struct cu_span from, uint8_t mem[PARAM_MAX])
{
    CU_ASSERT(from.n <= PARAM_MAX);
    if (from.n > 0) memcpy(mem, from.p, from.n);
    return OSSL_PARAM_construct_octet_string(name, mem, from.n);
}

cu_status age_derive(struct cu_span ikm, struct cu_span salt, const char *info, uint8_t ret[32], struct cu_err *err)
{
    uint8_t mem[3][PARAM_MAX];
    char digest[] = "SHA256";
    OSSL_PARAM params[5] = { OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                             octets(OSSL_KDF_PARAM_KEY, ikm, mem[0]), octets(OSSL_KDF_PARAM_INFO, cu_span_str(info), mem[1]),
                             OSSL_PARAM_END, OSSL_PARAM_END };

    TRY(cu_crypto_init(err));
    if (salt.n > 0) params[3] = octets(OSSL_KDF_PARAM_SALT, salt, mem[2]);
    CU_CLEANUP(free_kdf) EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
    CU_CLEANUP(free_kdf_ctx) EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    const bool ok = ctx != NULL && EVP_KDF_derive(ctx, ret, 32, params) == 1;
    cu_wipe(mem, sizeof mem);
    return ok ? CU_OK : ossl_fail(err, CU_CRYPTO, "no key could be derived");
}

/* ---- X25519 --------------------------------------------------------------------------------------------------------- */

cu_status age_public_of(const uint8_t secret[32], struct cu_age_recipient *ret, struct cu_err *err)
{
    size_t n = sizeof ret->share;

    TRY(cu_crypto_init(err));
    AUTO_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
    if (key == NULL || EVP_PKEY_get_raw_public_key(key, ret->share, &n) != 1)
        return ossl_fail(err, CU_CRYPTO, "no public half of a sealing key");
    return CU_OK;
}

/* "If the shared secret is all 0x00 bytes, the identity implementation MUST abort": OpenSSL's derivation does. */
cu_status age_agree(const uint8_t secret[32], const struct cu_age_recipient *share, uint8_t ret[32], struct cu_err *err)
{
    size_t n = 32;

    TRY(cu_crypto_init(err));
    AUTO_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
    AUTO_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, share->share, 32);
    AUTO_PKEY_CTX *ctx = own != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL) : NULL;
    if (peer == NULL || ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, peer) != 1)
        return ossl_fail(err, CU_CRYPTO, "X25519 cannot be computed");
    if (EVP_PKEY_derive(ctx, ret, &n) == 1 && n == 32) return CU_OK;
    const bool zero = ERR_GET_REASON(ERR_peek_last_error()) == PROV_R_FAILED_DURING_DERIVATION;
    return zero ? ossl_fail(err, CU_BAD_KEY, "a sealing key or share of small order")
                : ossl_fail(err, CU_CRYPTO, "X25519 failed");
}

/* ---- ChaCha20-Poly1305 ---------------------------------------------------------------------------------------------- */

cu_status age_cipher_on(const uint8_t key[32], struct cu_age_cipher *ret, struct cu_err *err)
{
    TRY(cu_crypto_init(err));
    CU_CLEANUP(free_cipher) EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    CU_CLEANUP(free_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (cipher == NULL || ctx == NULL || EVP_CipherInit_ex2(ctx, cipher, key, NULL, 1, NULL) != 1)
        return ossl_fail(err, CU_CRYPTO, "ChaCha20-Poly1305 cannot be started");
    ret->ctx = ctx;
    ctx = NULL;
    return CU_OK;
}

cu_status cu_age_cipher_start(const struct cu_age_key *key, const uint8_t nonce[CU_AGE_NONCE], struct cu_age_cipher *ret,
                              struct cu_err *err)
{
    uint8_t payload_key[32];

    TRY(age_derive(CU_SPAN_OF(key->b), cu_span(nonce, CU_AGE_NONCE), "payload", payload_key, err));
    cu_status status = age_cipher_on(payload_key, ret, err);
    cu_wipe(payload_key, sizeof payload_key);
    return status;
}

void cu_age_cipher_free(struct cu_age_cipher *cipher)
{
    EVP_CIPHER_CTX_free(cipher->ctx); /* OpenSSL wipes the key */
    cipher->ctx = NULL;
}

/* "The first 11 bytes are a big endian chunk counter … the last byte is 0x01 for the final chunk and 0x00 for all preceding ones." */
static bool at_chunk(EVP_CIPHER_CTX *ctx, uint64_t index, bool last, int sealing)
{
    uint8_t nonce[12] = { 0 };

    cu_put_be64(nonce + 3, index);
    nonce[11] = last;
    return EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, sealing, NULL) == 1;
}

static bool run(EVP_CIPHER_CTX *ctx, struct cu_span in, uint8_t *ret)
{
    int n = 0;

    return in.n == 0 || (EVP_CipherUpdate(ctx, ret, &n, in.p, (int)in.n) == 1 && (size_t)n == in.n);
}

cu_status cu_age_chunk_seal(struct cu_age_cipher *cipher, uint64_t index, bool last, struct cu_span plain, uint8_t *ret,
                            struct cu_err *err)
{
    EVP_CIPHER_CTX *ctx = cipher->ctx;
    uint8_t none[16];
    int n = 0;

    CU_ASSERT(plain.n <= CU_AGE_CHUNK);
    if (!at_chunk(ctx, index, last, 1) || !run(ctx, plain, ret) || EVP_CipherFinal_ex(ctx, none, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CU_AGE_TAG, ret + plain.n) != 1)
        return ossl_fail(err, CU_CRYPTO, "ChaCha20-Poly1305 failed");
    return CU_OK;
}

cu_status cu_age_chunk_open(struct cu_age_cipher *cipher, uint64_t index, bool last, struct cu_span sealed, uint8_t *ret,
                            struct cu_err *err)
{
    EVP_CIPHER_CTX *ctx = cipher->ctx;
    uint8_t tag[CU_AGE_TAG], none[16];
    int n = 0;

    CU_ASSERT(sealed.n >= CU_AGE_TAG && sealed.n <= CU_AGE_CHUNK + CU_AGE_TAG);
    const struct cu_span body = cu_span(sealed.p, sealed.n - CU_AGE_TAG);
    memcpy(tag, sealed.p + body.n, CU_AGE_TAG);
    if (!at_chunk(ctx, index, last, 0) || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CU_AGE_TAG, tag) != 1 ||
        !run(ctx, body, ret))
        return ossl_fail(err, CU_CRYPTO, "ChaCha20-Poly1305 failed");
    if (EVP_CipherFinal_ex(ctx, none, &n) == 1) return CU_OK;
    memset(ret, 0, body.n);
    return cu_fail(err, CU_CORRUPT,
                   "part %llu of the sealed bytes is not what was sealed there: altered since; take another copy",
                   LLU(index + 1));
}

/* ---- as PKCS#8 ------------------------------------------------------------------------------------------------------ */

cu_status cu_age_identity_to_pem(const struct cu_age_identity *identity, struct cu_span passphrase, struct cu_buf *out,
                                 struct cu_err *err)
{
    TRY(cu_crypto_init(err));
    AUTO_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, identity->secret, sizeof identity->secret);
    if (key == NULL) return ossl_fail(err, CU_CRYPTO, "the sealing key cannot be written");
    return ossl_pem_write(key, passphrase, out, err);
}

cu_status cu_age_identity_from_pem(struct cu_span pem, struct cu_span passphrase, struct cu_age_identity *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_age_identity_free) struct cu_age_identity out;
    AUTO_PKEY *key = NULL;
    size_t n = sizeof out.secret;

    TRY(cu_crypto_init(err));
    TRY(ossl_pem_read(pem, passphrase, &key, err));
    if (!EVP_PKEY_is_a(key, "X25519") || EVP_PKEY_get_raw_private_key(key, out.secret, &n) != 1 || n != sizeof out.secret)
        return ossl_fail(err, CU_BAD_KEY, "private key: not a sealing key (X25519)");
    TRY(age_public_of(out.secret, &out.recipient, err));
    *ret = out;
    return CU_OK;
}

/* ---- as text -------------------------------------------------------------------------------------------------------- */

cu_status cu_age_identity_generate(struct cu_age_identity *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_age_identity_free) struct cu_age_identity out;

    TRY(age_random(out.secret, sizeof out.secret, err));
    TRY(age_public_of(out.secret, &out.recipient, err));
    *ret = out;
    return CU_OK;
}

cu_status cu_age_identity_read(struct cu_span text, struct cu_age_identity *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_age_identity_free) struct cu_age_identity out;

    TRY(cu_bech32_read(text, identity_hrp, out.secret, sizeof out.secret, err));
    TRY(age_public_of(out.secret, &out.recipient, err));
    *ret = out;
    return CU_OK;
}

void cu_age_identity_put(struct cu_buf *out, const struct cu_age_identity *identity)
{
    cu_bech32_put(out, identity_hrp, CU_SPAN_OF(identity->secret));
}

void cu_age_identity_free(struct cu_age_identity *identity)
{
    if (identity != NULL) cu_wipe(identity, sizeof *identity);
}

static cu_status read_identities(struct cu_span file, struct cu_age_identity *ret, size_t *ret_n, struct cu_err *err)
{
    size_t line = 0, n = 0;

    while (file.n > 0) {
        struct cu_span text = file;
        if (!cu_span_split(&file, '\n', &text)) file = CU_SPAN_EMPTY; /* the last one may lack its end */
        line++;
        if (text.n > 0 && text.p[text.n - 1] == '\r') text.n--;
        if (text.n == 0 || text.p[0] == '#') continue;
        ENSURE(n < CU_AGE_IDENTITIES_MAX, err, CU_TOO_LARGE, "more than %d identities in one file", CU_AGE_IDENTITIES_MAX);
        cu_status status = cu_age_identity_read(text, &ret[n++], err);
        if (status != CU_OK) return cu_fail_while(err, status, "line %zu: ", line);
    }
    ENSURE(n > 0, err, CU_MALFORMED, "no identity in it: a line that begins with AGE-SECRET-KEY-1");
    *ret_n = n;
    return CU_OK;
}

cu_status cu_age_identities_read(struct cu_span file, struct cu_age_identity ret[CU_AGE_IDENTITIES_MAX], size_t *ret_n,
                                 struct cu_err *err)
{
    cu_status status = read_identities(file, ret, ret_n, err);

    if (status != CU_OK) cu_wipe(ret, CU_AGE_IDENTITIES_MAX * sizeof *ret);
    return status;
}

/* Whatever the secret, what is agreed with a point of small order is zero. */
cu_status cu_age_recipient_check(const struct cu_age_recipient *recipient, struct cu_err *err)
{
    static const uint8_t any[32] = { 1 };
    uint8_t agreed[32];

    return age_agree(any, recipient, agreed, err);
}

cu_status cu_age_recipient_read(struct cu_span text, struct cu_age_recipient *ret, struct cu_err *err)
{
    struct cu_age_recipient out;

    TRY(cu_bech32_read(text, recipient_hrp, out.share, sizeof out.share, err));
    TRY(cu_age_recipient_check(&out, err));
    *ret = out;
    return CU_OK;
}

void cu_age_recipient_put(struct cu_buf *out, const struct cu_age_recipient *recipient)
{
    cu_bech32_put(out, recipient_hrp, CU_SPAN_OF(recipient->share));
}
