/* Any bytes: canonical CBOR that is written back as it was read, or refused with a sentence; never more. */
#include "../cbor_copy.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_err err = { 0 };
    CU_BUF again = cu_buf_heap(size);
    CU_BUF shown = cu_buf_heap(1 << 20);
    cu_status status = cu_cbor_check(cu_span(data, size), "fuzz", &err);

    cu_cbor_diagnose(cu_span(data, size), &shown);
    if (status != CU_OK) {
        CU_ASSERT(status == CU_MALFORMED && strncmp(err.text, "fuzz: ", 6) == 0);
        return 0;
    }
    struct cu_cbor_reader in = cu_cbor_read(cu_span(data, size));
    cbor_copy(&in, &again);
    CU_ASSERT(cu_cbor_done(&in, "fuzz", NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), cu_span(data, size)));
    return 0;
}
