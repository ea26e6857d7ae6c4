/* Two SHA-256 streams side by side on the x86 SHA instructions: one stream waits for its own rounds most of the time, the
 * other fills the gaps (decision 020). Elsewhere, and on processors without them, `sha256_has_pairs` says no.
 *
 * Nodes and whole leaves are multiples of 64 bytes. With the prefix before them their blocks begin one byte early: the first takes
 * the prefix in, the last is one byte and the padding. So blocks are put together in registers, and nothing is copied.
 *
 * A digest is eight words a..h. The instructions want them as (a b e f) and (c d g h), high word first, and do two rounds at
 * a time; four rounds use four words of the message.
 */
#include "crypto/sha256.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE static inline __attribute__((always_inline))

static bool ask_processor(void)
{
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0;
}

/* The question is slow inside a virtual machine; every thread that asks anew gets the same answer. */
bool sha256_has_pairs(void)
{
    enum { UNASKED, NO, YES };
    static atomic_int known = UNASKED;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);

    if (answer == UNASKED) {
        answer = ask_processor() ? YES : NO;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == YES;
}

struct stream {
    __m128i abef, cdgh;
};

TARGET INLINE struct stream begin(void)
{
    return (struct stream){ .abef = _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c),
                            .cdgh = _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19) };
}

/* Sixteen bytes as four words of the message. */
TARGET INLINE __m128i to_words(__m128i bytes)
{
    return _mm_shuffle_epi8(bytes, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

TARGET INLINE __m128i load(const uint8_t *at) { return _mm_loadu_si128((const __m128i *)(const void *)at); }
TARGET INLINE __m128i words(const uint8_t *at) { return to_words(load(at)); }

/* Message words 4i..4i+3 from the sixteen before them; w[i % 4] is replaced. */
TARGET INLINE __m128i schedule(const __m128i w[4], unsigned i)
{
    __m128i w16 = w[i % 4], w12 = w[(i + 1) % 4], w8 = w[(i + 2) % 4], w4 = w[(i + 3) % 4];
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w16, w12), _mm_alignr_epi8(w4, w8, 4));

    return _mm_sha256msg2_epu32(sum, w4);
}

TARGET INLINE void four_rounds(struct stream *s, __m128i w, unsigned i)
{
    __m128i wk = _mm_add_epi32(w, _mm_load_si128((const __m128i *)(const void *)(sha256_round + 4 * i)));

    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, wk);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

/* How the i-th sixteen bytes of a block come: of the first block, of one in the middle, of the last. */
struct ends {
    uint8_t prefix;
    uint64_t bits;
};
typedef __m128i words_of(const struct ends *ends, const uint8_t *in, unsigned i);

TARGET INLINE __m128i of_first(const struct ends *ends, const uint8_t *in, unsigned i)
{
    if (i > 0) return words(in + 16 * i - 1);
    return to_words(_mm_or_si128(_mm_slli_si128(load(in), 1), _mm_cvtsi32_si128(ends->prefix)));
}

TARGET INLINE __m128i of_middle(const struct ends *ends, const uint8_t *in, unsigned i)
{
    (void)ends;
    return words(in + 16 * i);
}

TARGET INLINE __m128i of_last(const struct ends *ends, const uint8_t *in, unsigned i)
{
    if (i == 0) return _mm_cvtsi32_si128((int)((uint32_t)*in << 24 | 0x800000));
    return i < 3 ? _mm_setzero_si128() : _mm_set_epi32((int)(uint32_t)ends->bits, (int)(uint32_t)(ends->bits >> 32), 0, 0);
}

#define STEP(i)                                                           \
    do {                                                                  \
        wa[(i) % 4] = (i) < 4 ? of_a(ends, a, (i) % 4) : schedule(wa, i); \
        wb[(i) % 4] = (i) < 4 ? of_b(ends, b, (i) % 4) : schedule(wb, i); \
        four_rounds(sa, wa[(i) % 4], i);                                  \
        four_rounds(sb, wb[(i) % 4], i);                                  \
    } while (0)
#define FOUR_STEPS(i)  \
    do {               \
        STEP(i);       \
        STEP((i) + 1); \
        STEP((i) + 2); \
        STEP((i) + 3); \
    } while (0)

/* One block of each. */
TARGET INLINE void compress_both(struct stream *sa, struct stream *sb, words_of *of_a, words_of *of_b, const struct ends *ends,
                                 const uint8_t *a, const uint8_t *b)
{
    const struct stream before_a = *sa, before_b = *sb;
    __m128i wa[4], wb[4];

    FOUR_STEPS(0);
    FOUR_STEPS(4);
    FOUR_STEPS(8);
    FOUR_STEPS(12);
    sa->abef = _mm_add_epi32(sa->abef, before_a.abef), sa->cdgh = _mm_add_epi32(sa->cdgh, before_a.cdgh);
    sb->abef = _mm_add_epi32(sb->abef, before_b.abef), sb->cdgh = _mm_add_epi32(sb->cdgh, before_b.cdgh);
}

TARGET INLINE void compress(struct stream *sa, struct stream *sb, words_of *of, const struct ends *ends, const uint8_t *a,
                            const uint8_t *b)
{
    compress_both(sa, sb, of, of, ends, a, b);
}

TARGET INLINE void finish(const struct stream *s, cu_hash *ret)
{
    const __m128i turned = _mm_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607);
    __m128i *to = (__m128i *)(void *)ret->b;

    _mm_storeu_si128(to, _mm_shuffle_epi8(_mm_unpackhi_epi64(s->abef, s->cdgh), turned));
    _mm_storeu_si128(to + 1, _mm_shuffle_epi8(_mm_unpacklo_epi64(s->abef, s->cdgh), turned));
}

TARGET static void hash_pair(uint8_t prefix, const uint8_t *a, const uint8_t *b, size_t each, cu_hash *ret_a, cu_hash *ret_b)
{
    const struct ends ends = { prefix, ((uint64_t)each + 1) * 8 };
    struct stream sa = begin(), sb = begin();

    compress(&sa, &sb, of_first, &ends, a, b);
    for (size_t at = SHA256_BLOCK - 1; at + 1 < each; at += SHA256_BLOCK) compress(&sa, &sb, of_middle, &ends, a + at, b + at);
    compress(&sa, &sb, of_last, &ends, a + each - 1, b + each - 1);
    finish(&sa, ret_a), finish(&sb, ret_b);
}

/* A node that is left over goes with itself, which costs less than OpenSSL's setting up; a leaf that is left over does not. */
void sha256_prefixed_pairs(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    size_t i = 0;

    if (each % SHA256_BLOCK != 0 || !sha256_has_pairs()) return sha256_prefixed_plain(prefix, in, each, n, ret);
    for (; i + 1 < n; i += 2) hash_pair(prefix, in + i * each, in + (i + 1) * each, each, &ret[i], &ret[i + 1]);
    if (i < n && each == SHA256_BLOCK) hash_pair(prefix, in + i * each, in + i * each, each, &ret[i], &ret[i]), i++;
    sha256_prefixed_plain(prefix, in + i * each, each, n - i, ret + i);
}

/* The leaf's blocks begin one byte before the whole's, and there is one more of them. */
TARGET static void leaf_beside(struct stream *whole, const struct ends *ends, const uint8_t *in, size_t each, cu_hash *ret)
{
    struct stream leaf = begin(), idle = leaf;

    compress_both(whole, &leaf, of_middle, of_first, ends, in, in);
    for (size_t at = SHA256_BLOCK; at < each; at += SHA256_BLOCK)
        compress_both(whole, &leaf, of_middle, of_middle, ends, in + at, in + at - 1);
    compress(&leaf, &idle, of_last, ends, in + each - 1, in + each - 1);
    finish(&leaf, ret);
}

TARGET void sha256_beside(uint32_t state[8], uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    const struct ends ends = { prefix, ((uint64_t)each + 1) * 8 };
    struct stream whole = { .abef = _mm_set_epi32((int)state[0], (int)state[1], (int)state[4], (int)state[5]),
                            .cdgh = _mm_set_epi32((int)state[2], (int)state[3], (int)state[6], (int)state[7]) };
    uint32_t abef[4], cdgh[4];

    for (size_t i = 0; i < n; i++) leaf_beside(&whole, &ends, in + i * each, each, &ret[i]);
    _mm_storeu_si128((__m128i *)(void *)abef, whole.abef);
    _mm_storeu_si128((__m128i *)(void *)cdgh, whole.cdgh);
    state[0] = abef[3], state[1] = abef[2], state[4] = abef[1], state[5] = abef[0];
    state[2] = cdgh[3], state[3] = cdgh[2], state[6] = cdgh[1], state[7] = cdgh[0];
}

/* Of any length: the blocks at both ends are put together beforehand. */
struct message {
    uint8_t first[SHA256_BLOCK], end[2 * SHA256_BLOCK];
    const uint8_t *body;
    size_t whole, blocks; /* whole: of the body, after the first */
};

static void put_message(uint8_t prefix, struct cu_span in, struct message *ret)
{
    const size_t left = in.n - (SHA256_BLOCK - 1), rest = left % SHA256_BLOCK;

    ret->first[0] = prefix;
    memcpy(ret->first + 1, in.p, SHA256_BLOCK - 1);
    ret->body = in.p + SHA256_BLOCK - 1;
    ret->whole = left / SHA256_BLOCK;
    ret->blocks = 1 + ret->whole + sha256_put_end(in.p + in.n - rest, rest, in.n + 1, ret->end) / SHA256_BLOCK;
}

static const uint8_t *block_of(const struct message *m, size_t i)
{
    if (i == 0) return m->first;
    return i <= m->whole ? m->body + (i - 1) * SHA256_BLOCK : m->end + (i - 1 - m->whole) * SHA256_BLOCK;
}

TARGET static void hash_rest(struct stream *s, const struct message *m, size_t from)
{
    struct stream idle = *s;
    for (size_t i = from; i < m->blocks; i++) compress(s, &idle, of_middle, NULL, block_of(m, i), block_of(m, i));
}

TARGET void sha256_prefixed_two(uint8_t prefix, struct cu_span a, struct cu_span b, cu_hash ret[2])
{
    struct stream sa = begin(), sb = begin();
    struct message ma, mb;
    size_t i = 0;

    put_message(prefix, a, &ma), put_message(prefix, b, &mb);
    for (; i < ma.blocks && i < mb.blocks; i++) compress(&sa, &sb, of_middle, NULL, block_of(&ma, i), block_of(&mb, i));
    hash_rest(&sa, &ma, i), hash_rest(&sb, &mb, i);
    finish(&sa, &ret[0]), finish(&sb, &ret[1]);
}

#else

bool sha256_has_pairs(void) { return false; }

void sha256_beside(uint32_t state[8], uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    (void)state, (void)prefix, (void)in, (void)each, (void)n, (void)ret; /* nobody asks */
    CU_ASSERT(false);
}

void sha256_prefixed_two(uint8_t prefix, struct cu_span a, struct cu_span b, cu_hash ret[2])
{
    ret[0] = cu_sha256_parts((struct cu_span[]){ cu_span(&prefix, 1), a }, 2);
    ret[1] = cu_sha256_parts((struct cu_span[]){ cu_span(&prefix, 1), b }, 2);
}

void sha256_prefixed_pairs(uint8_t prefix, const uint8_t *in, size_t each, size_t n, cu_hash *ret)
{
    sha256_prefixed_plain(prefix, in, each, n, ret);
}

#endif
