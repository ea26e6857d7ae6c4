/* Sixteen SHA-256 streams side by side in AVX-512: a word of each in one register. Of this and the SHA instructions one is faster by the
 * maker's choice: on Intel's processors this, by 1.8 times, on AMD's the other (decision 020). `sha256_lanes_pay` says whether it is worth it.
 *
 * The inputs are those of sha256_pairs.c: multiples of 64 bytes with a prefix before them, so that blocks begin one byte early.
 */
#include "crypto/sha256.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))
#define INLINE static inline __attribute__((always_inline))

enum { LANES = SHA256_LANES };

enum { ASKED = 1, HAS = 2, PAYS = 4 };

/* The question is slow inside a virtual machine; every thread that asks anew gets the same answer. */
static int ask_processor(void)
{
    static atomic_int known = 0;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);

    if (answer) return answer;
    __builtin_cpu_init();
    answer = ASKED | (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") ? HAS : 0);
    if (answer & HAS && __builtin_cpu_is("intel")) answer |= PAYS;
    atomic_store_explicit(&known, answer, memory_order_relaxed);
    return answer;
}

bool sha256_has_lanes(void) { return ask_processor() & HAS; }
bool sha256_lanes_pay(void) { return ask_processor() & PAYS; }

struct lanes {
    __m512i h[8];
};

TARGET INLINE __m512i all(uint32_t word) { return _mm512_set1_epi32((int)word); }

TARGET INLINE struct lanes begin(void)
{
    return (struct lanes){ { all(0x6a09e667), all(0xbb67ae85), all(0x3c6ef372), all(0xa54ff53a), all(0x510e527f), all(0x9b05688c),
                             all(0x1f83d9ab), all(0x5be0cd19) } };
}

/* Rows become columns: sixteen words of sixteen streams, and back. */
TARGET INLINE void transpose(__m512i r[16])
{
    __m512i t[16];

    for (int i = 0; i < 16; i += 4) { /* within 4 by 4 blocks of 128 bits */
        const __m512i a = _mm512_unpacklo_epi32(r[i], r[i + 1]), b = _mm512_unpackhi_epi32(r[i], r[i + 1]),
                      c = _mm512_unpacklo_epi32(r[i + 2], r[i + 3]), d = _mm512_unpackhi_epi32(r[i + 2], r[i + 3]);
        t[i] = _mm512_unpacklo_epi64(a, c), t[i + 1] = _mm512_unpackhi_epi64(a, c);
        t[i + 2] = _mm512_unpacklo_epi64(b, d), t[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int i = 0; i < 4; i++) { /* and these blocks among themselves */
        const __m512i a = _mm512_shuffle_i32x4(t[i], t[4 + i], 0x88), b = _mm512_shuffle_i32x4(t[i], t[4 + i], 0xdd),
                      c = _mm512_shuffle_i32x4(t[8 + i], t[12 + i], 0x88), d = _mm512_shuffle_i32x4(t[8 + i], t[12 + i], 0xdd);
        r[i] = _mm512_shuffle_i32x4(a, c, 0x88), r[4 + i] = _mm512_shuffle_i32x4(b, d, 0x88);
        r[8 + i] = _mm512_shuffle_i32x4(a, c, 0xdd), r[12 + i] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

TARGET INLINE __m512i turned(void) { return _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203)); }

/* A block of each stream, `apart` bytes from the next one's, as words. */
TARGET INLINE void load(const uint8_t *in, size_t apart, __m512i ret[16])
{
    for (size_t i = 0; i < LANES; i++) ret[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(in + i * apart), turned());
    transpose(ret);
}

#define ROTATED(x, a, b, c) _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, a), _mm512_ror_epi32(x, b), c, 0x96)
#define BIG(x, a, b, c) ROTATED(x, a, b, _mm512_ror_epi32(x, c))
#define SMALL(x, a, b, c) ROTATED(x, a, b, _mm512_srli_epi32(x, c))
#define CHOOSE(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)
#define MOST(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xe8)
#define SUM _mm512_add_epi32

TARGET INLINE void round_of(__m512i v[8], unsigned i, __m512i w)
{
#define V(letter) v[((letter) + 64 - i) % 8]
    const __m512i one = SUM(SUM(SUM(V(7), w), all(sha256_round[i])), SUM(BIG(V(4), 6, 11, 25), CHOOSE(V(4), V(5), V(6))));

    V(3) = SUM(V(3), one);
    V(7) = SUM(one, SUM(BIG(V(0), 2, 13, 22), MOST(V(0), V(1), V(2))));
#undef V
}

TARGET INLINE __m512i schedule(const __m512i w[16], unsigned i)
{
    const __m512i w15 = w[(i + 1) % 16], w2 = w[(i + 14) % 16];

    return SUM(SUM(w[i % 16], SMALL(w15, 7, 18, 3)), SUM(w[(i + 9) % 16], SMALL(w2, 17, 19, 10)));
}

TARGET static void compress(struct lanes *s, __m512i w[16])
{
    __m512i v[8];

    for (int i = 0; i < 8; i++) v[i] = s->h[i];
#pragma GCC unroll 64
    for (unsigned i = 0; i < 64; i++) {
        if (i >= 16) w[i % 16] = schedule(w, i);
        round_of(v, i, w[i % 16]);
    }
    for (int i = 0; i < 8; i++) s->h[i] = SUM(s->h[i], v[i]);
}

/* Their first blocks with the prefix, and their last: one byte and the padding. */
TARGET static void compress_first(struct lanes *s, uint8_t prefix, const uint8_t *in, size_t each)
{
    uint8_t first[LANES][SHA256_BLOCK];
    __m512i w[16];

    for (size_t i = 0; i < LANES; i++) first[i][0] = prefix, memcpy(first[i] + 1, in + i * each, SHA256_BLOCK - 1);
    load(first[0], SHA256_BLOCK, w);
    compress(s, w);
}

TARGET static void compress_last(struct lanes *s, const uint8_t *in, size_t each)
{
    const uint64_t bits = ((uint64_t)each + 1) * 8;
    uint32_t first[LANES];
    __m512i w[16];

    for (size_t i = 0; i < LANES; i++) first[i] = (uint32_t)in[i * each + each - 1] << 24 | 0x800000;
    w[0] = _mm512_loadu_si512(first);
    for (int i = 1; i < 14; i++) w[i] = _mm512_setzero_si512();
    w[14] = all((uint32_t)(bits >> 32)), w[15] = all((uint32_t)bits);
    compress(s, w);
}

TARGET static void finish(const struct lanes *s, cu_hash ret[LANES])
{
    __m512i r[16];

    for (int i = 0; i < 16; i++) r[i] = i < 8 ? s->h[i] : _mm512_setzero_si512();
    transpose(r);
    for (int i = 0; i < LANES; i++)
        _mm256_storeu_si256((__m256i *)(void *)ret[i].b, _mm512_castsi512_si256(_mm512_shuffle_epi8(r[i], turned())));
}

TARGET static void hash_lanes(uint8_t prefix, const uint8_t *in, size_t each, cu_hash ret[LANES])
{
    struct lanes s = begin();
    __m512i w[16];

    compress_first(&s, prefix, in, each);
    for (size_t at = SHA256_BLOCK - 1; at + 1 < each; at += SHA256_BLOCK) {
        load(in + at, each, w);
        compress(&s, w);
    }
    compress_last(&s, in, each);
    finish(&s, ret);
}

void sha256_prefixed_lanes(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    size_t i = 0;

    for (; each % SHA256_BLOCK == 0 && i + LANES <= n; i += LANES) hash_lanes(prefix, in + i * each, each, ret + i);
    sha256_prefixed_pairs(prefix, in + i * each, each, n - i, ret + i);
}

#else

bool sha256_has_lanes(void) { return false; }
bool sha256_lanes_pay(void) { return false; }

void sha256_prefixed_lanes(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    sha256_prefixed_plain(prefix, in, each, n, ret);
}

#endif
