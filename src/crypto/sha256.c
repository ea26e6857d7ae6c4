/* SHA-256 where speed matters: whole messages, and the two shapes of tree hashing.
 *
 * The low-level interface is deprecated in OpenSSL 3 but stays on the stack, needs no fetch and hashes tree nodes twice as
 * fast as a fetched EVP_MD with a reused context (decision 020). This file alone uses it.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha256.h"

#include <openssl/sha.h>

/* FIPS 180-4, 4.2.2 */
const uint32_t sha256_round[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

cu_hash cu_sha256(struct cu_span bytes) { return cu_sha256_parts(&bytes, 1); }

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

size_t sha256_put_end(const uint8_t *rest, size_t n, size_t total, uint8_t ret[2 * SHA256_BLOCK])
{
    size_t padded = n + 9 <= SHA256_BLOCK ? SHA256_BLOCK : 2 * SHA256_BLOCK;

    if (n > 0) memcpy(ret, rest, n);
    memset(ret + n, 0, padded - n);
    ret[n] = 0x80;
    cu_put_be64(ret + padded - 8, (uint64_t)total * 8);
    return padded;
}

/* We pad by ourselves, so that OpenSSL sees whole blocks only and never copies into a context's buffer. */
static void hash_one(uint8_t prefix, const uint8_t *in, size_t each, cu_hash *ret)
{
    uint8_t first[SHA256_BLOCK] = { prefix }, end[2 * SHA256_BLOCK];
    const uint8_t *body = in + SHA256_BLOCK - 1;
    size_t n = each - (SHA256_BLOCK - 1), rest = n % SHA256_BLOCK;
    SHA256_CTX ctx;

    memcpy(first + 1, in, SHA256_BLOCK - 1);
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, first, SHA256_BLOCK);
    if (n > rest) SHA256_Update(&ctx, body, n - rest);
    SHA256_Update(&ctx, end, sha256_put_end(body + n - rest, rest, each + 1, end));
    for (unsigned i = 0; i < 8; i++) cu_put_be32(ret->b + 4 * i, ctx.h[i]);
}

void sha256_prefixed_plain(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    for (size_t i = 0; i < n; i++) hash_one(prefix, in + i * each, each, &ret[i]);
}

static void hash_short(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = cu_sha256_parts((struct cu_span[]){ cu_span(&prefix, 1), cu_span(in + i * each, each) }, 2);
}

void cu_sha256_prefixed(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    if (each < SHA256_BLOCK) return hash_short(prefix, in, each, n, ret);
    (sha256_lanes_pay() ? sha256_prefixed_lanes : sha256_prefixed_pairs)(prefix, in, each, n, ret);
}

void cu_sha256_prefixed_each(uint8_t prefix, const struct cu_span *in, size_t n, cu_hash *ret)
{
    const bool pairs = sha256_has_pairs();
    size_t i = 0;

    while (i < n) {
        if (pairs && i + 1 < n && in[i].n >= SHA256_BLOCK - 1 && in[i + 1].n >= SHA256_BLOCK - 1)
            sha256_prefixed_two(prefix, in[i], in[i + 1], &ret[i]), i += 2;
        else ret[i] = cu_sha256_parts((struct cu_span[]){ cu_span(&prefix, 1), in[i] }, 2), i++;
    }
}

/* ---- a whole beside its leaves ---- */

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct cu_sha256_flow), "the flow holds OpenSSL's context");

static SHA256_CTX *context(struct cu_sha256_flow *flow) { return (SHA256_CTX *)(void *)flow->ctx; }

bool cu_sha256_beside_pays(void) { return sha256_has_pairs() && !sha256_lanes_pay(); }

void cu_sha256_flow_start(struct cu_sha256_flow *ret) { SHA256_Init(context(ret)); }

void cu_sha256_flow_leaves(struct cu_sha256_flow *flow, uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    SHA256_CTX *ctx = context(flow);
    const uint64_t bits = ((uint64_t)ctx->Nh << 32 | ctx->Nl) + (uint64_t)each * n * 8;

    CU_ASSERT(each >= SHA256_BLOCK && each % SHA256_BLOCK == 0 && ctx->num == 0);
    if (!sha256_has_pairs()) {
        if (n > 0) SHA256_Update(ctx, in, each * n);
        return sha256_prefixed_plain(prefix, in, each, n, ret);
    }
    sha256_beside(ctx->h, prefix, in, each, n, ret);
    ctx->Nl = (SHA_LONG)bits;
    ctx->Nh = (SHA_LONG)(bits >> 32);
}

cu_hash cu_sha256_flow_finish(struct cu_sha256_flow *flow, struct cu_span rest)
{
    cu_hash ret;

    if (rest.n > 0) SHA256_Update(context(flow), rest.p, rest.n);
    SHA256_Final(ret.b, context(flow));
    return ret;
}
