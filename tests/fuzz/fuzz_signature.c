/* Both verifiers, one answer. The input is an algorithm (a byte), a public key (64), a signature (64) and a message. */
#include "custody/key.h"

static struct cu_verifier cached_verifier(void)
{
    static uint64_t memory[1024];
    struct cu_verifier ret;

    CU_ASSERT(cu_verifier_cached_size(4) <= sizeof memory);
    CU_ASSERT(cu_verifier_cached(memory, cu_verifier_cached_size(4), &ret, NULL) == CU_OK);
    return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct cu_verifier cached;
    struct cu_verifier plain = cu_verifier_plain();
    struct cu_public_key key = { .alg = CU_ALG_ES256 };

    if (n < 1 + CU_PUBLIC_LEN_MAX + CU_SIGNATURE_LEN) return 0;
    if (cached.verify == NULL) cached = cached_verifier();
    if (data[0] % 2 == 1) key.alg = CU_ALG_EDDSA;
    memcpy(key.bytes, data + 1, CU_PUBLIC_LEN_MAX);
    size_t head = 1 + CU_PUBLIC_LEN_MAX + CU_SIGNATURE_LEN;
    struct cu_sig_job job = { .key = &key,
                              .message = cu_span(data + head, n - head),
                              .signature = data + head - CU_SIGNATURE_LEN };
    struct cu_sig_job twice[2] = { job, job };

    plain.verify(plain.self, &job, 1);
    cached.verify(cached.self, twice, 2);
    CU_ASSERT(job.status == CU_OK || job.status == CU_BAD_SIGNATURE || job.status == CU_HIGH_S || job.status == CU_BAD_KEY);
    CU_ASSERT(twice[0].status == job.status && twice[1].status == job.status);
    return 0;
}
