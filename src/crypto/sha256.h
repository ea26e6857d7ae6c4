/* The inside of tree hashing: inputs of equal length, a prefix byte before each. `each` is 64 or more here. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include "custody/digest.h"

enum { SHA256_BLOCK = 64 };

/** One after another, by OpenSSL. */
void sha256_prefixed_plain(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret);

/** Two at a time, by the processor's SHA instructions, where it has them. */
bool sha256_has_pairs(void);
void sha256_prefixed_pairs(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret);

#endif
