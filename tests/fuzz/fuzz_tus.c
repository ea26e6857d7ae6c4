/* Headers of tus: the first byte says which. Whatever comes is refused, or is what it would be written as again. */
#include "custody/text.h"
#include "http/tus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cu_span header = cu_span(data + 1, size ? size - 1 : 0);
    CU_BUF text = cu_buf_heap(1 << 20);
    struct cu_tus_checksum sum;
    uint64_t number;
    cu_hash id;

    if (size == 0) return 0;
    if (data[0] == 'm' && cu_tus_claim(header, &id, NULL) == CU_OK) {
        CU_BUF hex = cu_buf_heap(64);
        cu_hex_put(&hex, cu_span_hash(&id));
        cu_base64_put(&text, cu_buf_span(&hex));
        CU_ASSERT(memmem(header.p, header.n, text.p, text.n)); /* the id stands there, in its one spelling */
    }
    if (data[0] == 'c' && cu_tus_checksum(header, &sum, NULL) == CU_OK) {
        CU_ASSERT(sum.alg == CU_DIGEST_SHA1 || sum.alg == CU_DIGEST_SHA256);
        cu_base64_put(&text, cu_span(sum.value, cu_digest_len(sum.alg)));
        CU_ASSERT(memmem(header.p, header.n, text.p, text.n));
    }
    if (data[0] == 'n' && cu_tus_number("Upload-Offset", header, &number, NULL) == CU_OK) {
        cu_buf_addf(&text, "%llu", LLU(number));
        CU_ASSERT(memmem(header.p, header.n, text.p, text.n));
    }
    return 0;
}
