/* SHA-256 where speed matters: whole messages and the two shapes of tree hashing.
 *
 * The low-level interface is deprecated in OpenSSL 3 but stays on the stack, needs no fetch and hashes tree nodes half as
 * fast again as a fetched EVP_MD with a reused context (decision 020). This file alone uses it.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "custody/digest.h"

#include <openssl/sha.h>

enum { BLOCK = 64 };

cu_hash cu_sha256(struct cu_span bytes)
{
    return cu_sha256_parts(&bytes, 1);
}

cu_hash cu_sha256_parts(const struct cu_span *parts, size_t n)
{
    cu_hash ret;
    SHA256_CTX ctx;

    SHA256_Init(&ctx);
    for (size_t i = 0; i < n; i++)
        if (parts[i].n > 0) SHA256_Update(&ctx, parts[i].p, parts[i].n);
    SHA256_Final(ret.b, &ctx);
    return ret;
}

static void put_state(const SHA256_CTX *ctx, cu_hash *ret)
{
    for (unsigned i = 0; i < 8; i++)
        cu_put_be32(ret->b + 4 * i, ctx->h[i]);
}

/* The bytes that follow the first block: whole blocks where they lie, then the padded rest. `total` counts the prefix too. */
static void hash_tail(SHA256_CTX *ctx, const uint8_t *in, size_t n, size_t total)
{
    uint8_t last[2 * BLOCK] = { 0 };
    size_t whole = n & ~(size_t)(BLOCK - 1), rest = n - whole, padded = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;

    if (whole > 0) SHA256_Update(ctx, in, whole);
    if (rest > 0) memcpy(last, in + whole, rest);
    last[rest] = 0x80;
    cu_put_be64(last + padded - 8, (uint64_t)total * 8);
    SHA256_Update(ctx, last, padded);
}

static void hash_short(uint8_t prefix, const uint8_t *in, size_t n, cu_hash *ret)
{
    SHA256_CTX ctx;

    SHA256_Init(&ctx);
    SHA256_Update(&ctx, &prefix, 1);
    if (n > 0) SHA256_Update(&ctx, in, n);
    SHA256_Final(ret->b, &ctx);
}

/* We pad by ourselves, so that OpenSSL sees whole blocks only and never copies into a context's buffer. */
void cu_sha256_prefixed(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    for (size_t i = 0; i < n; i++, in += each) {
        SHA256_CTX ctx;
        uint8_t first[BLOCK];

        if (each < BLOCK) {
            hash_short(prefix, in, each, &ret[i]);
            continue;
        }
        first[0] = prefix;
        memcpy(first + 1, in, BLOCK - 1);
        SHA256_Init(&ctx);
        SHA256_Update(&ctx, first, BLOCK);
        hash_tail(&ctx, in + BLOCK - 1, each - (BLOCK - 1), each + 1);
        put_state(&ctx, &ret[i]);
    }
}
