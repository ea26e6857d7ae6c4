/* Requests to be enrolled: one is taken in one spelling alone, and what is taken was signed by its own keys. And those that wait, as a node keeps and
 * sends them: a row is written as it was read, and is found by its key alone. */
#include "service/service.h"

static const cu_hash network = { { 1 } };

static void one_request(struct cu_span bytes)
{
    struct cu_verifier by = cu_verifier_plain();
    struct cu_enrol_request r;
    struct cu_public_key key;
    cu_hash kid, id;

    if (cu_enrol_request_read(bytes, &network, &by, &r, &key, NULL) != CU_OK) return;
    CU_ASSERT(cu_role_name(r.role) && r.role != CU_ROLE_ORGANISATION && r.name.n >= 1 && r.name.n <= 256);
    CU_ASSERT(cu_span_eq(cu_public_span(&key), r.pub) && cu_public_check(&key, NULL) == CU_OK);
    CU_ASSERT(!r.has_tls || (r.tls.pub.n == 64 && !cu_span_eq(r.tls.pub, r.pub)));
    CU_ASSERT(bytes.n <= CU_ENROL_REQUEST_MAX);
    id = cu_key_id(&key);
    CU_ASSERT(cu_enrol_request_kid(bytes, &kid) && cu_hash_eq(&kid, &id));
}

static void rows(struct cu_span bytes)
{
    struct cu_applicant w;
    cu_hash kid, own;

    if (cu_enrolments_find(bytes, cu_span_str("00000000"), &w, &kid, NULL) == CU_OK)
        CU_ASSERT(cu_enrol_request_kid(w.request, &own) && cu_hash_eq(&own, &kid) && kid.b[0] == 0);
    if (cu_schema_read(&cu_applicant_schema, bytes, &w, NULL) != CU_OK) return;
    CU_BUF again = cu_buf_heap(8192);
    CU_ASSERT(cu_schema_write(&cu_applicant_schema, &w, &again, NULL) == CU_OK && cu_span_eq(cu_buf_span(&again), bytes));
    one_request(w.request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    one_request(cu_span(data, size));
    rows(cu_span(data, size));
    return 0;
}
