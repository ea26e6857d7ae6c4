/* Requests to be enrolled: one is taken in one spelling alone, and what is taken was signed by its own key. */
#include "service/service.h"

static const cu_hash network = { { 1 } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_verifier by = cu_verifier_plain();
    struct cu_enrol_request r;
    struct cu_public_key key;

    if (cu_enrol_request_read(cu_span(data, size), &network, &by, &r, &key, NULL) != CU_OK) return 0;
    CU_ASSERT(cu_role_name(r.role) && r.role != CU_ROLE_ORGANISATION && r.name.n >= 1 && r.name.n <= 256);
    CU_ASSERT(cu_span_eq(cu_public_span(&key), r.pub) && cu_public_check(&key, NULL) == CU_OK);
    CU_ASSERT(size <= CU_ENROL_REQUEST_MAX);
    return 0;
}
