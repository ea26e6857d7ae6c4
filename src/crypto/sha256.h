/* The inside of tree hashing: inputs of equal length, a prefix byte before each. `each` is 64 or more here. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include "custody/digest.h"

enum { SHA256_BLOCK = 64, SHA256_LANES = 16 };

extern const uint32_t sha256_round[64]; /* its constants, aligned for vectors */

/** One after another, by OpenSSL. */
void sha256_prefixed_plain(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret);

/** Two at a time, by the processor's SHA instructions; where it has none, one after another. */
bool sha256_has_pairs(void);
/** The whole goes on from `state` while its leaves are hashed. */
void sha256_beside(uint32_t state[8], uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret);
void sha256_prefixed_pairs(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret);
/* Of two inputs of 63 bytes or more each. */
void sha256_prefixed_two(uint8_t prefix, struct cu_span a, struct cu_span b, cu_hash ret[2]);

/** Sixteen at a time, by AVX-512, where the processor has it; what is left over goes in pairs. */
bool sha256_has_lanes(void);
bool sha256_lanes_pay(void); /* has it, and it is faster than pairs */
void sha256_prefixed_lanes(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret);

/** The padded end of a message of `total` bytes whose last n < 64 bytes are `rest`: one or two blocks; how many bytes. */
size_t sha256_put_end(const uint8_t *rest, size_t n, size_t total, uint8_t ret[2 * SHA256_BLOCK]);

#endif
