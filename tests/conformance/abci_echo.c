/* A line "request HEX", "response HEX" or "signer HEX" in, the same out as we write what we read of it, or "-" and why it is refused. */
#include "custody/text.h"
#include "engine/cometbft/abci.h"

#include <stdio.h>
#include <stdlib.h>

static _Alignas(max_align_t) uint8_t bytes[1 << 20], memory[1 << 20];

static union {
    struct cu_abci_request request;
    struct cu_abci_response response;
    struct cu_abci_signer signer;
} message;

static void answer(const struct cu_pb_message *of, struct cu_span in)
{
    struct cu_buf mem = cu_buf_over(memory, sizeof memory);
    CU_BUF again = cu_buf_heap(sizeof bytes), line = cu_buf_heap(2 * sizeof bytes);
    struct cu_err err;

    if (cu_pb_read(of, in, &message, &mem, &err) != CU_OK) {
        printf("-%s\n", err.text);
        return;
    }
    cu_pb_write(of, &message, &again);
    CU_ASSERT(again.n == cu_pb_size(of, &message) && cu_abci_which(of, &message) > 0);
    cu_hex_put(&line, cu_buf_span(&again));
    printf("%s %.*s\n", of->name, (int)line.n, (const char *)line.p);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct cu_span rest = cu_span(line, (size_t)n - (line[n - 1] == '\n'));
        const struct cu_pb_message *of = cu_span_take(&rest, "request ")    ? &cu_abci_request_table
                                         : cu_span_take(&rest, "response ") ? &cu_abci_response_table
                                         : cu_span_take(&rest, "signer ")   ? &cu_abci_signer_table
                                                                            : NULL;
        if (!of) return 1;
        if (rest.n / 2 > sizeof bytes || cu_hex_read(rest, bytes, rest.n / 2, NULL) != CU_OK) return 1;
        answer(of, cu_span(bytes, rest.n / 2));
    }
    free(line);
    return 0;
}
