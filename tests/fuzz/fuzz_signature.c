/* Every verifier, one answer; three jobs are enough for lanes, where there are any. The input is an algorithm (a byte), a public key (64), a signature (64) and a message. */
#include "custody/key.h"

static struct cu_verifier fast_verifier(void)
{
    static uint64_t memory[1024];
    struct cu_verifier ret;

    CU_ASSERT(cu_verifier_cached_size(4) <= sizeof memory);
    CU_ASSERT(cu_verifier_fastest(true, memory, cu_verifier_cached_size(4), &ret, NULL) == CU_OK);
    return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct cu_verifier fast;
    struct cu_verifier plain = cu_verifier_plain();
    struct cu_public_key key = { .alg = CU_ALG_ES256 };

    if (n < 1 + CU_PUBLIC_LEN_MAX + CU_SIGNATURE_LEN) return 0;
    if (fast.verify == NULL) fast = fast_verifier();
    if (data[0] % 2 == 1) key.alg = CU_ALG_EDDSA;
    memcpy(key.bytes, data + 1, CU_PUBLIC_LEN_MAX);
    size_t head = 1 + CU_PUBLIC_LEN_MAX + CU_SIGNATURE_LEN;
    struct cu_sig_job job = { .key = &key,
                              .message = cu_span(data + head, n - head),
                              .signature = data + head - CU_SIGNATURE_LEN };
    struct cu_sig_job thrice[3] = { job, job, job }, once = job;

    plain.verify(plain.self, &job, 1);
    fast.verify(fast.self, &once, 1);
    fast.verify(fast.self, thrice, 3);
    CU_ASSERT(job.status == CU_OK || job.status == CU_BAD_SIGNATURE || job.status == CU_HIGH_S || job.status == CU_BAD_KEY);
    CU_ASSERT(once.status == job.status);
    for (size_t i = 0; i < 3; i++) CU_ASSERT(thrice[i].status == job.status);
    return 0;
}
