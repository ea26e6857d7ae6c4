/* Details are refused, or written again as the same bytes; whatever they hold, showing them is safe. The same bytes are tried as
 * a form that a person filled in. */
#include "custody/details.h"

static void swallow(void *self, struct cu_span key, struct cu_span value)
{
    *(size_t *)self += key.n + value.n;
    for (size_t i = 0; i < value.n; i++) CU_ASSERT(value.p[i] >= ' ');
}

static void as_details(struct cu_span bytes)
{
    static uint8_t mem[CU_DETAILS_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    enum cu_profile profile;
    union cu_details message;
    struct cu_err err;
    size_t shown = 0;

    bool shows = cu_details_each(bytes, swallow, &shown, &err) == CU_OK;
    if (cu_details_read(bytes, &profile, &message, &err) != CU_OK) return;
    CU_ASSERT(shows);
    CU_ASSERT(cu_details_write(profile, &message, &out, &err) == CU_OK && cu_span_eq(cu_buf_span(&out), bytes));
}

static void as_form(struct cu_span text, enum cu_profile profile)
{
    static uint8_t scratch_mem[CU_DETAILS_MAX], mem[CU_DETAILS_MAX];
    struct cu_buf scratch = cu_buf_over(scratch_mem, sizeof scratch_mem), out = cu_buf_over(mem, sizeof mem);
    struct cu_details_deposit message = { .name = cu_span_str("x"), .tool = cu_span_str("t") };
    struct cu_err err;

    if (cu_details_from_text(profile, text, &scratch, &message, &err) != CU_OK) return;
    if (cu_details_write(profile, &message, &out, &err) != CU_OK) CU_ASSERT(out.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_details(cu_span(data, size));
    as_form(cu_span(data, size), CU_PROFILE_PLAIN);
    as_form(cu_span(data, size), CU_PROFILE_POLICE_COLLECTION);
    return 0;
}
