/* Digests. One fetched EVP_MD and one reused context each: OpenSSL 3's one-shot calls fetch anew every time.
 * Only src/crypto includes OpenSSL; the contexts are held as opaque pointers that OpenSSL allocates. */
#ifndef CUSTODY_DIGEST_H
#define CUSTODY_DIGEST_H

#include "custody/types.h"

/* number (frozen), name in C, name people write, digest length, OpenSSL's name */
#define CU_DIGEST_TABLE(X)                                                                                             \
    X(1, SHA256, "sha256", 32, "SHA256")                                                                               \
    X(2, SHA1, "sha1", 20, "SHA1")                                                                                     \
    X(3, MD5, "md5", 16, "MD5")                                                                                        \
    X(4, SM3, "sm3", 32, "SM3")                                                                                        \
    X(5, SHA512, "sha512", 64, "SHA512")

#define CU_DIGEST_ENUM(num, name, text, len, ossl) CU_DIGEST_##name = (num),
enum cu_digest_alg { CU_DIGEST_NONE = 0, CU_DIGEST_TABLE(CU_DIGEST_ENUM) };
#undef CU_DIGEST_ENUM
#define CU_DIGEST_LEN_MAX 64

size_t cu_digest_len(enum cu_digest_alg alg);
const char *cu_digest_name(enum cu_digest_alg alg);
enum cu_digest_alg cu_digest_by_name(struct cu_span name); /* CU_DIGEST_NONE when unknown; any case; "sha-256" too */

/** SHA-256 of the parts, one after another. Cannot fail: a library that has no SHA-256 is a bug. Any thread. */
cu_hash cu_sha256(struct cu_span bytes);
cu_hash cu_sha256_parts(const struct cu_span *parts, size_t n);

/** SHA-256 of `n` equally long inputs that lie one after another, `each` bytes apart, every one with the prefix byte in
 *  front (RFC 6962's 0x00 for leaves, 0x01 for nodes): where tree hashing spends its time. */
void cu_sha256_prefixed(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret);

/** The same of inputs of any length that lie anywhere. */
void cu_sha256_prefixed_each(uint8_t prefix, const struct cu_span *in, size_t n, cu_hash *ret);

/** The SHA-256 of a whole that comes in pieces of whole leaves, computed in one pass with the prefixed hash of each: two streams side by
 *  side where the processor has them. `each` is a multiple of 64; what is left over at the end goes to `finish`. */
struct cu_sha256_flow { _Alignas(8) uint8_t ctx[120]; };
void cu_sha256_flow_start(struct cu_sha256_flow *ret);
void cu_sha256_flow_leaves(struct cu_sha256_flow *flow, uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret_leaves);
cu_hash cu_sha256_flow_finish(struct cu_sha256_flow *flow, struct cu_span rest);
/** Is that less work than the two passes by themselves? Where leaves go sixteen at a time it is not. */
bool cu_sha256_beside_pays(void);

/** A running digest of any algorithm. */
struct cu_digest {
    enum cu_digest_alg alg;
    void *ctx;
};
CU_MUST_USE cu_status cu_digest_start(enum cu_digest_alg alg, struct cu_digest *ret, struct cu_err *err); /* CRYPTO */
void cu_digest_add(struct cu_digest *digest, struct cu_span bytes);
void cu_digest_finish(struct cu_digest *digest, uint8_t *ret); /* cu_digest_len bytes; the digest may be started anew only */
void cu_digest_free(struct cu_digest *digest);

#endif
