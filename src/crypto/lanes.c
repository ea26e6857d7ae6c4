/* The accelerator: Intel's crypto_mb verifies eight ES256 signatures at once on AVX-512 IFMA (decision 026).
 *
 * It is optional: a build without it, and a processor that it does not suit, take OpenSSL. No other file names it, and what never
 * asks for the fastest verifier is linked without it.
 */
#include "crypto/lanes.h"

#ifdef CUSTODY_LANES
#define BN_OPENSSL_DISABLE
#include <crypto_mb/cpu_features.h>
#include <crypto_mb/ec_nistp256.h>

enum { LIMBS = 4 };

/* 32 bytes, big-endian, as four words, the lowest first. */
static void to_limbs(const uint8_t from[32], int64u ret[LIMBS])
{
    for (size_t i = 0; i < LIMBS; i++) ret[i] = cu_be64(from + 8 * (LIMBS - 1 - i));
}

/* Lanes that are left over repeat the first. */
static unsigned judge(const struct es256_lane *lane, size_t n)
{
    const int8u *r[LANES], *s[LANES], *digest[LANES];
    const int64u *x[LANES], *y[LANES];
    int64u point[LANES][2][LIMBS];
    unsigned good = 0;

    CU_ASSERT(n >= 1 && n <= LANES);
    for (size_t i = 0; i < LANES; i++) {
        const struct es256_lane *from = &lane[i < n ? i : 0];
        to_limbs(from->job->key->bytes, point[i][0]), to_limbs(from->job->key->bytes + 32, point[i][1]);
        r[i] = from->job->signature, s[i] = from->job->signature + 32;
        digest[i] = from->digest.b;
        x[i] = point[i][0], y[i] = point[i][1];
    }
    const mbx_status status = mbx_nistp256_ecdsa_verify_mb8(r, s, digest, x, y, NULL, NULL);
    for (int i = 0; i < (int)n; i++) good |= (unsigned)(MBX_GET_STS(status, i) == MBX_STATUS_OK) << i;
    return good;
}

/* The library has a second form for AVX2, which no machine of ours has tried: only what is tested is used. */
static bool suits(void)
{
    const int64u has = mbx_get_cpu_features(); /* slow inside a virtual machine: asked once */

    return mbx_is_crypto_mb_applicable(has) && (has & MBX_AVX512_GENERAL_ISA) == MBX_AVX512_GENERAL_ISA;
}

es256_lanes *lanes_here(void) { return suits() ? judge : NULL; }
static const char why_not[] = "OpenSSL: this processor has no AVX-512 IFMA";

#else

es256_lanes *lanes_here(void) { return NULL; }
static const char why_not[] = "OpenSSL: this build has no accelerator (make accelerator)";

#endif

const char *cu_verifier_in_use(bool accelerate)
{
    if (!accelerate) return "OpenSSL: the accelerator is switched off";
    return lanes_here() != NULL ? "eight lanes of AVX-512 for ES256, OpenSSL for the rest" : why_not;
}

cu_status cu_verifier_fastest(bool accelerate, void *memory, size_t size, struct cu_verifier *ret, struct cu_err *err)
{
    es256_lanes *lanes = accelerate ? lanes_here() : NULL;

    return lanes != NULL ? verifier_with_lanes(lanes, memory, size, ret, err) : cu_verifier_cached(memory, size, ret, err);
}
