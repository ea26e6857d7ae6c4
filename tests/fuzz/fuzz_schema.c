/* Any bytes: a message that is written back as it was read, or refused, and then nothing has changed. */
#include "../schema_sample.h"

static void walk(const struct cu_list *groups)
{
    struct group group;
    struct number number;
    uint64_t n = 0;
    for (size_t at = 0; cu_list_next(groups, &group_schema, &at, &group); n++) {
        uint64_t numbers = 0;
        for (size_t inner = 0; cu_list_next(&group.numbers, &number_schema, &inner, &number); numbers++) CU_ASSERT(number.v >= 1);
        CU_ASSERT(numbers == group.numbers.n);
    }
    CU_ASSERT(n == groups->n);
}

static bool round_trip(const struct cu_schema *schema, struct cu_span bytes, void *message, void *untouched)
{
    struct cu_err err = { 0 };
    memset(message, 0xA5, schema->size);
    memset(untouched, 0xA5, schema->size);
    if (cu_schema_read(schema, bytes, message, &err) != CU_OK) {
        CU_ASSERT(memcmp(message, untouched, schema->size) == 0);
        CU_ASSERT(strncmp(err.text, schema->name, strlen(schema->name)) == 0);
        return false;
    }
    CU_BUF again = cu_buf_heap(bytes.n);
    CU_ASSERT(cu_schema_write(schema, message, &again, &err) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&again), bytes));
    CU_ASSERT(cu_cbor_check(bytes, "item", NULL) == CU_OK); /* both readers agree on what is canonical */
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sample sample, sample_before;
    struct words words, words_before;
    struct group group, group_before;
    if (round_trip(&sample_schema, cu_span(data, size), &sample, &sample_before)) walk(&sample.groups);
    round_trip(&words_schema, cu_span(data, size), &words, &words_before);
    round_trip(&group_schema, cu_span(data, size), &group, &group_before);
    return 0;
}
