/* What became of records, as a node says it. */
#include "client/client.h"

#include "custody/text.h"

#define NAMED(num, name, http, code, retry, text, zh) \
    if (cu_span_is(text_of, #name)) return *ret = CU_##name, true;
bool cu_status_named(struct cu_span text_of, cu_status *ret)
{
    CU_STATUS_TABLE(NAMED)
    return false;
}

static bool take_outcome(struct cu_fields *f, struct cu_outcome *ret)
{
    uint8_t memory[1000];
    struct cu_buf value = cu_buf_over(memory, sizeof memory), text = cu_buf_over(ret->text, sizeof ret->text - 1);
    char name[32];
    bool status = false, seq = false, id = false, leaf = false, block = false;

    memset(ret, 0, sizeof *ret);
    while (cu_fields_next(f, name, &value)) {
        const struct cu_span v = cu_buf_span(&value);
        if (strcmp(name, "status") == 0) status = cu_status_named(v, &ret->status);
        if (strcmp(name, "detail") == 0) cu_buf_clear(&text), cu_text_printable(&text, v);
        if (strcmp(name, "entry") == 0) seq = cu_decimal_read(v, INT64_MAX, &ret->seq.v, NULL) == CU_OK;
        if (strcmp(name, "block") == 0) block = cu_decimal_read(v, INT64_MAX, &ret->block.v, NULL) == CU_OK;
        if (strcmp(name, "id") == 0) id = cu_hex_read(v, ret->id.b, sizeof ret->id.b, NULL) == CU_OK;
        if (strcmp(name, "leaf") == 0) leaf = cu_hex_read(v, ret->leaf.b, sizeof ret->leaf.b, NULL) == CU_OK;
    }
    ret->text[text.n] = 0;
    if (f->bad || !status) return false;
    if (ret->status == CU_OK) return seq && id && leaf && block;
    return ret->status != CU_DUPLICATE || (seq && id);
}

bool cu_outcomes_read(struct cu_span body, struct cu_outcome *ret, size_t n)
{
    struct cu_fields f = { .rest = body };

    for (size_t i = 0; i < n; i++)
        if (!cu_span_take(&f.rest, i ? "," : "[") || !take_outcome(&f, &ret[i])) return false;
    return cu_span_take(&f.rest, "]");
}
