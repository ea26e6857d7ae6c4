/* Private keys in PEM: no prompt, no crash, and what is taken comes back from what we write of it. */
#include "custody/age.h"
#include "custody/key.h"

static void sealing_key(struct cu_span pem)
{
    struct cu_age_identity key, again;
    CU_BUF out = cu_buf_heap(65536);

    if (cu_age_identity_from_pem(pem, CU_SPAN_EMPTY, &key, NULL) != CU_OK) return;
    CU_ASSERT(cu_age_identity_to_pem(&key, CU_SPAN_EMPTY, &out, NULL) == CU_OK);
    CU_ASSERT(cu_age_identity_from_pem(cu_buf_span(&out), CU_SPAN_EMPTY, &again, NULL) == CU_OK);
    CU_ASSERT(memcmp(&key, &again, sizeof key) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cu_private_key key, again;
    CU_BUF pem = cu_buf_heap(65536);

    sealing_key(cu_span(data, n));
    if (cu_private_from_pem(cu_span(data, n), CU_SPAN_EMPTY, &key, NULL) != CU_OK) return 0;
    CU_ASSERT(cu_public_check(&key.pub, NULL) == CU_OK);
    CU_ASSERT(cu_private_to_pem(&key, CU_SPAN_EMPTY, &pem, NULL) == CU_OK);
    CU_ASSERT(cu_private_from_pem(cu_buf_span(&pem), CU_SPAN_EMPTY, &again, NULL) == CU_OK);
    CU_ASSERT(cu_hash_eq(&key.id, &again.id));
    cu_private_free(&again);
    cu_private_free(&key);
    return 0;
}
