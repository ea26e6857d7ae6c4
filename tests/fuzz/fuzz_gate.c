/* The HTTP gate: whatever stands in a request, it answers; what it lets in has one spelling, and no path leads out of its parts. */
#include "custody/text.h"
#include "http/gate.h"

#define HEADERS 40

static void try_target(struct cu_span raw)
{
    uint8_t mem[CU_TARGET_MAX];
    struct cu_span path, query, value;

    if (cu_gate_target(raw, &path, &query).http) return;
    CU_ASSERT(path.n > 0 && path.p[0] == '/' && path.n + query.n <= raw.n);
    struct cu_buf plain = cu_buf_over(mem, sizeof mem);
    CU_ASSERT(cu_percent_read(path, false, &plain, NULL) == CU_OK);
    CU_ASSERT(!memchr(plain.p, 0, plain.n) && !memmem(plain.p, plain.n, "/../", 4) && !memmem(plain.p, plain.n, "//", 2));
    CU_ASSERT(plain.n < 3 || memcmp(plain.p + plain.n - 3, "/..", 3) != 0);
    if (cu_query_find(query, "wait", &value)) CU_ASSERT(value.n <= query.n);
}

/* Lines "name:value". */
static void try_headers(struct cu_span text)
{
    struct cu_http_header at[HEADERS];
    struct cu_framing framing = { 0 };
    struct cu_span line, name;
    size_t n = 0;

    while (n < HEADERS && cu_span_split(&text, '\n', &line))
        if (cu_span_split(&line, ':', &name)) at[n++] = (struct cu_http_header){ name, line };
    if (cu_gate_headers("HTTP/1.1", at, n, "localhost:80", &framing).http) return;
    CU_ASSERT(!(framing.chunked && framing.has_length));
    CU_ASSERT(cu_gate_header(at, n, "host"));
    const struct cu_http_header *h = cu_gate_header(at, n, "range");
    uint64_t from, to;
    for (uint64_t size = 0; h && size < 3000; size = 3 * size + 1)
        if (cu_range_read(h->value, size, &from, &to) == CU_OK) CU_ASSERT(from < to && to <= size);
    h = cu_gate_header(at, n, "if-none-match");
    if (h) (void)!cu_etag_matches(h->value, "\"abc\"");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cu_span text = cu_span(data, n), target;

    if (!cu_span_split(&text, '\n', &target)) target = text, text = CU_SPAN_EMPTY;
    try_target(target);
    try_headers(text);
    return 0;
}
