/* Whatever is typed: an id that is read has words that read as it again; and any 32 bytes have words. */
#include "custody/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t text[CU_WORDS_TEXT];
    struct cu_buf out = cu_buf_over(text, sizeof text);
    cu_hash id = { { 0 } }, again;
    struct cu_err err;

    if (cu_words_read(cu_span(data, size), &id, &err) != CU_OK) memcpy(id.b, data, size < sizeof id.b ? size : sizeof id.b);
    cu_words_put(&out, &id);
    CU_ASSERT(cu_words_read(cu_buf_span(&out), &again, &err) == CU_OK && cu_hash_eq(&id, &again));
    return 0;
}
