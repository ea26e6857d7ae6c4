/* What one organisation hands over: taken in one spelling alone, and what is taken was signed by its own statement key. */
#include "service/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_verifier by = cu_verifier_plain();
    struct cu_founder f;

    if (cu_founder_read(cu_span(data, size), &by, &f, NULL) != CU_OK) return 0;
    CU_ASSERT(size <= CU_FOUNDER_MAX && f.name.n >= 1 && f.at.n >= 3);
    CU_ASSERT(!memchr(f.at.p, '"', f.at.n) && !memchr(f.at.p, ',', f.at.n) && !memchr(f.at.p, '\n', f.at.n));
    return 0;
}
