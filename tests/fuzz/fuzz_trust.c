/* A trust file that is read answers for every size by one epoch or none, and each epoch's policy reads alone. */
#include "custody/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cu_tlog_policy policy;
    struct cu_trust t;

    if (cu_trust_read(cu_span(data, size), &t, NULL) != CU_OK) return 0;
    CU_ASSERT(t.epochs_n >= 1 && t.epochs_n <= CU_EPOCHS_MAX);
    CU_ASSERT(t.required[CU_VERDICT_INTEGRITY] || t.required[CU_VERDICT_SIGNER] || t.required[CU_VERDICT_TIME]);
    for (size_t i = 0; i < t.epochs_n; i++) {
        CU_ASSERT(cu_trust_epoch(&t, t.epoch[i].first) == &t.epoch[i]);
        CU_ASSERT(i == 0 || t.epoch[i - 1].last.v < t.epoch[i].first.v);
        CU_ASSERT(cu_tlog_policy_read(t.epoch[i].policy_text, &policy, NULL) == CU_OK && policy.logs_n > 0);
    }
    return 0;
}
