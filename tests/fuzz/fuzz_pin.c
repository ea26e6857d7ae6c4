/* A pin that is read is written as the same bytes, holds versions that may stand in a path, and knows each that it names. */
#include "adapters/bucket/pin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CU_CLEANUP(cu_pin_free) struct cu_pin pin = { .there = false };
    CU_BUF again = cu_buf_heap(CU_PIN_MAX);

    if (cu_pin_read(cu_span(data, size), &pin, NULL) != CU_OK) return 0;
    CU_ASSERT(pin.there && (!pin.version[0] || cu_bucket_version_ok(cu_span_str(pin.version))));
    CU_ASSERT(cu_pin_write(&pin, &again, NULL) == CU_OK && cu_span_eq(cu_buf_span(&again), cu_span(data, size)));
    cu_pin_know(&pin, "another");
    CU_ASSERT(cu_pin_knows(&pin, "another"));
    return 0;
}
