/* What the files of this room share: OpenSSL objects that free themselves, its algorithms fetched once, one way to fail. */
#ifndef CRYPTO_OSSL_H
#define CRYPTO_OSSL_H

#include "custody/key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>

#define FREED_BY(name, type, free_fn)                                                                                  \
    static inline void name(type **p) { free_fn(*p); }
FREED_BY(ossl_free_pkey, EVP_PKEY, EVP_PKEY_free)
FREED_BY(ossl_free_pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
FREED_BY(ossl_free_md_ctx, EVP_MD_CTX, EVP_MD_CTX_free)
FREED_BY(ossl_free_bio, BIO, BIO_free_all)
#define AUTO_PKEY CU_CLEANUP(ossl_free_pkey) EVP_PKEY
#define AUTO_PKEY_CTX CU_CLEANUP(ossl_free_pkey_ctx) EVP_PKEY_CTX
#define AUTO_MD_CTX CU_CLEANUP(ossl_free_md_ctx) EVP_MD_CTX
#define AUTO_BIO CU_CLEANUP(ossl_free_bio) BIO

/** The fetched algorithm, or NULL where this OpenSSL lacks it. Fetches all on the first call of the process; any thread. */
const EVP_MD *ossl_md(enum cu_digest_alg alg);

/** `status` with OpenSSL's own reason behind the sentence; its error queue is empty afterwards. */
cu_status ossl_fail(struct cu_err *err, cu_status status, const char *what);

/** The key as OpenSSL wants it, after all our own checks. BAD_KEY, CRYPTO. The caller frees it. */
CU_MUST_USE cu_status ossl_public_load(const struct cu_public_key *key, EVP_PKEY **ret, struct cu_err *err);

/** A private key of any algorithm out of one PEM block of PKCS#8, and into one: as cu_private_from_pem, cu_private_to_pem. The caller frees it. */
CU_MUST_USE cu_status ossl_pem_read(struct cu_span pem, struct cu_span passphrase, EVP_PKEY **ret, struct cu_err *err);
CU_MUST_USE cu_status ossl_pem_write(const EVP_PKEY *key, struct cu_span passphrase, struct cu_buf *out, struct cu_err *err);

/* ES256: r‖s and the two facts about n that the format rests on. */
#define DER_SIG_MAX 72
size_t es256_to_der(const uint8_t raw[64], uint8_t der[DER_SIG_MAX]);
bool es256_from_der(struct cu_span der, uint8_t raw[64]);
cu_status es256_form(const uint8_t raw[64]); /* OK, BAD_SIGNATURE (r or s is 0 or ≥ n), HIGH_S */
void es256_make_low(uint8_t raw[64]);        /* s becomes n - s when it is above n/2 */

/* Ed25519: what stands in A and R. */
bool ed25519_point_allowed(const uint8_t point[32]); /* canonical and not of small order; not: on the curve */
bool ed25519_scalar_allowed(const uint8_t s[32]);    /* S < L */

#endif
