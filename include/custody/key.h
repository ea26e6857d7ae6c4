/* Keys, signatures, and checking many signatures at once.
 *
 * Statement keys sign entries (ES256: ECDSA on P-256 with SHA-256, r‖s, s ≤ n/2), log keys sign checkpoints and cosigning keys
 * cosign (Ed25519). A suite names the algorithms; suite 1 is the only one so far, and every call takes the algorithm from
 * the key, so that SM2/SM3 is one more row here.
 *
 * Ed25519 libraries disagree on edge cases, so one rule holds everywhere: S < L, A and R canonical encodings of points that
 * are not of small order, then OpenSSL's verifier. ES256: 1 ≤ r < n, 1 ≤ s ≤ n/2.
 */
#ifndef CUSTODY_KEY_H
#define CUSTODY_KEY_H

#include "custody/digest.h"

/* COSE algorithm number, name, length of a public key, of a signature (0: it signs nothing; X25519 agrees on what is sealed under, age.h) */
#define CU_ALG_TABLE(X)                                                                                                \
    X(-7, ES256, "ES256", 64, 64)                                                                                      \
    X(-8, EDDSA, "Ed25519", 32, 64)                                                                                    \
    X(-25, X25519, "X25519", 32, 0)

#define CU_ALG_ENUM(num, name, text, pub, sig) CU_ALG_##name = (num),
enum cu_alg { CU_ALG_NONE = 0, CU_ALG_TABLE(CU_ALG_ENUM) };
#undef CU_ALG_ENUM
#define CU_PUBLIC_LEN_MAX 64
#define CU_SIGNATURE_LEN 64

const char *cu_alg_name(enum cu_alg alg);
size_t cu_alg_public_len(enum cu_alg alg); /* 0 when unknown */
bool cu_alg_signs(enum cu_alg alg);

/* number (frozen), suite, statement algorithm, log and cosigning algorithm, digest */
#define CU_SUITE_TABLE(X) X(1, INTERNATIONAL, "ES256 + Ed25519 + SHA-256", CU_ALG_ES256, CU_ALG_EDDSA, CU_DIGEST_SHA256)
#define CU_SUITE_ENUM(num, name, text, statement, log, digest) CU_SUITE_##name = (num),
enum cu_suite { CU_SUITE_TABLE(CU_SUITE_ENUM) };
#undef CU_SUITE_ENUM
struct cu_suite_algs { enum cu_alg statement, log; enum cu_digest_alg digest; const char *name; };
const struct cu_suite_algs *cu_suite_algs(uint64_t suite); /* NULL when unknown */

/** A public key. ES256: x‖y, 64 bytes, a point on the curve. Ed25519: 32 bytes. */
struct cu_public_key {
    enum cu_alg alg;
    uint8_t bytes[CU_PUBLIC_LEN_MAX];
};
static inline struct cu_span cu_public_span(const struct cu_public_key *key)
{
    return cu_span(key->bytes, cu_alg_public_len(key->alg));
}

/** The key's id: its COSE Key Thumbprint with SHA-256 (RFC 9679). */
cu_hash cu_key_id(const struct cu_public_key *key);

/** Is it well formed, on the curve, not of small order? BAD_KEY. Costs a key load. */
CU_MUST_USE cu_status cu_public_check(const struct cu_public_key *key, struct cu_err *err);

/** SubjectPublicKeyInfo in PEM, for stock tools. */
CU_MUST_USE cu_status cu_public_pem(const struct cu_public_key *key, struct cu_buf *out, struct cu_err *err);

/** Who else than OpenSSL holds a private key and signs with it: a token. r‖s or R‖S as it comes. */
struct cu_key_holder {
    cu_status (*sign)(void *ctx, struct cu_span message, uint8_t ret[CU_SIGNATURE_LEN], struct cu_err *err);
    void (*free)(void *ctx);
};
/** A private key. The bytes stay inside OpenSSL, and `ctx` is its EVP_PKEY, wiped on free; or inside its holder, and `ctx` is the holder's. */
struct cu_private_key {
    struct cu_public_key pub;
    cu_hash id;
    void *ctx;
    const struct cu_key_holder *holder; /* NULL: OpenSSL */
};
CU_MUST_USE cu_status cu_private_generate(enum cu_alg alg, struct cu_private_key *ret, struct cu_err *err);
/** PKCS#8 PEM; encrypted (PBES2, scrypt, AES-256-CBC) when a passphrase is given (empty span: none). NOT_ALLOWED: a holder has it. */
CU_MUST_USE cu_status cu_private_to_pem(const struct cu_private_key *key, struct cu_span passphrase, struct cu_buf *out,
                                        struct cu_err *err);
/** WRONG_PASSPHRASE when encrypted and the passphrase is missing or wrong; MALFORMED; BAD_KEY (an algorithm not in the table). */
CU_MUST_USE cu_status cu_private_from_pem(struct cu_span pem, struct cu_span passphrase, struct cu_private_key *ret,
                                          struct cu_err *err);
void cu_private_free(struct cu_private_key *key);

/** Sign a message (not a digest). ES256 signatures come out with low s. What a holder signs is verified. Any thread. */
CU_MUST_USE cu_status cu_sign(const struct cu_private_key *key, struct cu_span message, uint8_t ret[CU_SIGNATURE_LEN],
                              struct cu_err *err);

/** One signature to check. `status`: OK, BAD_SIGNATURE, HIGH_S, BAD_KEY. */
struct cu_sig_job {
    const struct cu_public_key *key;
    const cu_hash *key_id; /* may be NULL: computed */
    struct cu_span message;
    const uint8_t *signature; /* CU_SIGNATURE_LEN bytes */
    cu_status status;
};

/** Who checks signatures: implementations answer the same for every input and differ only in speed.
 *  `verify` fills every job's status; jobs are independent. One verifier is used by one thread at a time. */
struct cu_verifier {
    void *self;
    const char *name;
    void (*verify)(void *self, struct cu_sig_job *jobs, size_t n);
    void (*free)(void *self);
};

/** Loads the key for each job: slow, keeps nothing. The reference that the others are compared with. */
struct cu_verifier cu_verifier_plain(void);

/** Keeps loaded keys by id (loading a P-256 key costs two verifications). `memory` is the caller's, of cu_verifier_cached_size()
 *  bytes or more: no allocation by our code. The oldest key makes room. */
size_t cu_verifier_cached_size(size_t keys);
CU_MUST_USE cu_status cu_verifier_cached(void *memory, size_t size, struct cu_verifier *ret, struct cu_err *err);

/** The cached verifier; where `accelerate`, this build and this processor allow it, with eight lanes of AVX-512 for ES256: three
 *  times as many a second in calls of many jobs. Memory and answers are the same. */
CU_MUST_USE cu_status cu_verifier_fastest(bool accelerate, void *memory, size_t size, struct cu_verifier *ret, struct cu_err *err);
const char *cu_verifier_in_use(bool accelerate); /* which one that is, and why, in words */

/** One job, for callers with one. */
CU_MUST_USE cu_status cu_verify_one(struct cu_verifier *by, const struct cu_public_key *key, struct cu_span message,
                                    const uint8_t signature[CU_SIGNATURE_LEN], struct cu_err *err);

/** Before everything else in a process: OpenSSL takes its memory from here (it never grows), and reads no configuration file. Sixteen
 *  million bytes are plenty. CRYPTO when OpenSSL was used before. */
CU_MUST_USE cu_status cu_crypto_arena(void *memory, size_t size, struct cu_err *err);

/** Once per process, before any other call here: fetches algorithms. custody-verify calls it after its arena is in place. */
CU_MUST_USE cu_status cu_crypto_init(struct cu_err *err);

#endif
