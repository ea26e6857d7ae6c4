/* Signing messages. ES256 gives r‖s with low s; Ed25519 gives R‖S as it is. */
#include "crypto/ossl.h"

static cu_status sign_es256(EVP_PKEY *pkey, struct cu_span message, uint8_t ret[CU_SIGNATURE_LEN], struct cu_err *err)
{
    cu_hash digest = cu_sha256(message);
    uint8_t der[DER_SIG_MAX], raw[64];
    size_t n = sizeof der;
    AUTO_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

    if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1 || EVP_PKEY_sign(ctx, der, &n, digest.b, sizeof digest.b) != 1)
        return ossl_fail(err, CU_CRYPTO, "ES256 signing failed");
    ENSURE(es256_from_der(cu_span(der, n), raw), err, CU_CRYPTO, "OpenSSL gave an ECDSA signature that is not DER");
    es256_make_low(raw);
    memcpy(ret, raw, sizeof raw);
    return CU_OK;
}

static cu_status sign_ed25519(EVP_PKEY *pkey, struct cu_span message, uint8_t ret[CU_SIGNATURE_LEN], struct cu_err *err)
{
    uint8_t raw[CU_SIGNATURE_LEN];
    size_t n = sizeof raw;
    AUTO_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) != 1 ||
        EVP_DigestSign(ctx, raw, &n, message.p, message.n) != 1 || n != sizeof raw)
        return ossl_fail(err, CU_CRYPTO, "Ed25519 signing failed");
    memcpy(ret, raw, sizeof raw);
    return CU_OK;
}

/* A token may be broken, or have another key than it says: what does not verify never leaves. */
static cu_status sign_held(const struct cu_private_key *key, struct cu_span message, uint8_t ret[CU_SIGNATURE_LEN],
                           struct cu_err *err)
{
    struct cu_verifier by = cu_verifier_plain();
    uint8_t raw[CU_SIGNATURE_LEN];

    TRY(key->holder->sign(key->ctx, message, raw, err));
    if (key->pub.alg == CU_ALG_ES256) es256_make_low(raw);
    ENSURE(cu_verify_one(&by, &key->pub, message, raw, NULL) == CU_OK, err, CU_CRYPTO,
           "what came as a signature does not verify by the key's own public half: nothing was signed");
    memcpy(ret, raw, sizeof raw);
    return CU_OK;
}

cu_status cu_sign(const struct cu_private_key *key, struct cu_span message, uint8_t ret[CU_SIGNATURE_LEN], struct cu_err *err)
{
    if (key->holder) return sign_held(key, message, ret, err);
    switch (key->pub.alg) {
    case CU_ALG_ES256: return sign_es256(key->ctx, message, ret, err);
    case CU_ALG_EDDSA: return sign_ed25519(key->ctx, message, ret, err);
    case CU_ALG_X25519:
    case CU_ALG_NONE: break;
    }
    return cu_fail(err, CU_BAD_KEY, "a key that signs nothing, or of an unknown algorithm");
}
