/* One line of hex in, one line out: a JSON array of [table, key, type, value] of what we read, or "-<why it is refused>". */
#include "codec/toml.h"
#include "custody/json.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { BYTES_MAX = 1 << 16 };

static void put(struct cu_json *j, struct cu_span text)
{
    char *copy = calloc(1, text.n + 1);

    CU_ASSERT(copy);
    if (text.n) memcpy(copy, text.p, text.n);
    cu_json_str(j, NULL, copy);
    free(copy);
}

static cu_status rows(struct cu_span text, struct cu_json *j, struct cu_err *err)
{
    static const char *const types[] = { "str", "int", "bool" };
    struct cu_toml toml = cu_toml_on(text);
    CU_BUF values = cu_buf_heap(BYTES_MAX);
    struct cu_toml_row row;
    bool more = true;

    for (;;) {
        cu_buf_clear(&values);
        TRY(cu_toml_next(&toml, &values, &row, &more, err));
        if (!more) return CU_OK;
        cu_json_open(j, NULL, '[');
        put(j, row.table);
        put(j, row.key);
        cu_json_str(j, NULL, types[row.type]);
        put(j, row.value);
        cu_json_close(j, ']');
    }
}

static void answer(struct cu_span text)
{
    struct cu_err err = { 0 };
    CU_BUF out = cu_buf_heap(8 * BYTES_MAX);
    struct cu_json j = cu_json_on(&out);

    cu_json_open(&j, NULL, '[');
    const cu_status read = rows(text, &j, &err);
    cu_json_close(&j, ']');
    CU_ASSERT(cu_buf_ok(&out, NULL) == CU_OK);
    if (read == CU_OK) printf("%.*s\n", (int)out.n, (const char *)out.p);
    else printf("-%s\n", err.text);
}

int main(void)
{
    static uint8_t bytes[BYTES_MAX];
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) > 0) {
        const struct cu_span hex = cu_span(line, (size_t)n - (line[n - 1] == '\n'));
        CU_ASSERT(hex.n / 2 <= sizeof bytes && cu_hex_read(hex, bytes, hex.n / 2, NULL) == CU_OK);
        answer(cu_span(bytes, hex.n / 2));
        fflush(stdout);
    }
    free(line);
    return 0;
}
