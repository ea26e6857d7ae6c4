/* Settings: what is read lies within the text, in order, and values fit where the text fitted. */
#include "codec/toml.h"
#include "custody/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[1 << 16];
    struct cu_buf values = cu_buf_over(memory, size < sizeof memory ? size : sizeof memory);
    struct cu_toml toml = cu_toml_on(cu_span(data, size));
    struct cu_toml_row row;
    size_t line = 0;
    bool more = true;

    if (size > sizeof memory) return 0;
    while (cu_toml_next(&toml, &values, &row, &more, NULL) == CU_OK && more) {
        CU_ASSERT(row.line > line && row.key.n > 0 && row.key.p >= data && row.key.p + row.key.n <= data + size);
        CU_ASSERT(row.type != CU_TOML_TEXT || cu_utf8_ok(row.value));
        CU_ASSERT(!values.full);
        line = row.line;
    }
    return 0;
}
