/* One line of hex in, one line out: "+<what we write for it>\t<diagnostic notation>" or "-<why it is refused>". */
#include "../cbor_copy.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { BYTES_MAX = 1 << 20 };

static void answer(struct cu_span bytes)
{
    struct cu_err err;
    CU_BUF again = cu_buf_heap(BYTES_MAX);
    CU_BUF line = cu_buf_heap(4 * BYTES_MAX);
    if (cu_cbor_check(bytes, "item", &err) != CU_OK) {
        printf("-%s\n", err.text);
        return;
    }
    struct cu_cbor_reader in = cu_cbor_read(bytes);
    cbor_copy(&in, &again);
    CU_ASSERT(cu_cbor_done(&in, "item", &err) == CU_OK && !again.full);
    cu_hex_put(&line, cu_buf_span(&again));
    cu_buf_add_byte(&line, '\t');
    cu_cbor_diagnose(bytes, &line);
    printf("+%.*s\n", (int)line.n, (const char *)line.p);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    static uint8_t bytes[BYTES_MAX];
    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct cu_span hex = cu_span(line, (size_t)n - (line[n - 1] == '\n'));
        if (hex.n / 2 > sizeof bytes || cu_hex_read(hex, bytes, hex.n / 2, NULL) != CU_OK) printf("-not hex\n");
        else answer(cu_span(bytes, hex.n / 2));
        fflush(stdout);
    }
    free(line);
    return 0;
}
