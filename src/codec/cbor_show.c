/* Diagnostic notation, for people. Never parsed by us, so it may abbreviate. */
#include "custody/cbor.h"
#include "custody/text.h"
#include "codec/head.h"

#define BYTES_SHOWN 32u

static void put_bytes(struct cu_buf *out, struct cu_span v)
{
    cu_buf_add_str(out, "h'");
    cu_hex_put(out, cu_span(v.p, v.n < BYTES_SHOWN ? v.n : BYTES_SHOWN));
    if (v.n > BYTES_SHOWN) cu_buf_addf(out, "…' /%zu bytes/", v.n);
    else cu_buf_add_byte(out, '\'');
}

static void put_negative(struct cu_buf *out, uint64_t v)
{
    if (v == UINT64_MAX) cu_buf_add_str(out, "-18446744073709551616");
    else cu_buf_addf(out, "-%llu", (unsigned long long)v + 1);
}

static void put_simple(struct cu_buf *out, uint8_t first)
{
    static const char *const names[] = { "false", "true", "null" };
    unsigned v = first & 31u;
    if (v >= SIMPLE_FALSE && v <= SIMPLE_NULL) cu_buf_add_str(out, names[v - SIMPLE_FALSE]);
}

/* One scalar, a tag with "(", or an opening bracket. */
static void put_step(struct cu_cbor_reader *in, struct cu_buf *out, enum cu_cbor_type type)
{
    struct cu_cbor_reader ahead = *in;
    uint64_t v = 0;
    switch (type) {
    case CU_CBOR_UINT: cu_buf_addf(out, "%llu", (unsigned long long)cu_cbor_uint(in)); return;
    case CU_CBOR_NEGINT:
        if (cbor_head(&ahead, MAJOR_NEGINT, &v)) put_negative(out, v);
        cu_cbor_item(in);
        return;
    case CU_CBOR_BYTES: put_bytes(out, cu_cbor_bytes(in, 0, SIZE_MAX)); return;
    case CU_CBOR_TEXT: cu_text_quoted(out, cu_cbor_text(in, 0, SIZE_MAX)); return;
    case CU_CBOR_ARRAY: cu_cbor_enter_array(in, UINT64_MAX), cu_buf_add_byte(out, '['); return;
    case CU_CBOR_MAP: cu_cbor_enter_map(in, UINT64_MAX), cu_buf_add_byte(out, '{'); return;
    case CU_CBOR_TAG:
        if (cbor_head(&ahead, MAJOR_TAG, &v)) cu_buf_addf(out, "%llu(", (unsigned long long)v);
        cu_cbor_tag(in, v);
        return;
    case CU_CBOR_SIMPLE: put_simple(out, in->all.p[in->at]), cu_cbor_item(in); return;
    case CU_CBOR_END: cu_cbor_item(in); return;
    }
}

/* After a whole item: what it completes is closed, what goes on is separated. False when nothing goes on. */
static bool put_between(struct cu_cbor_reader *in, struct cu_buf *out, bool *tag_open)
{
    for (;;) {
        if (tag_open[in->depth]) cu_buf_add_byte(out, ')');
        tag_open[in->depth] = false;
        if (in->depth == 0) return false;

        const struct cu_cbor_frame *frame = &in->frame[in->depth];
        if (frame->left > 0) {
            cu_buf_add_str(out, frame->map && frame->left % 2 == 1 ? ": " : ", ");
            return true;
        }
        cu_buf_add_byte(out, frame->map ? '}' : ']');
        cu_cbor_leave(in);
    }
}

void cu_cbor_diagnose(struct cu_span item, struct cu_buf *out)
{
    struct cu_cbor_reader in = cu_cbor_read(item);
    bool tag_open[CU_CBOR_DEPTH_MAX + 1] = { false };
    bool more = true;
    while (more && cu_cbor_good(&in)) {
        enum cu_cbor_type type = cu_cbor_peek(&in);
        put_step(&in, out, type);
        bool opened = (type == CU_CBOR_ARRAY || type == CU_CBOR_MAP) && in.frame[in.depth].left > 0;
        if (type == CU_CBOR_TAG) tag_open[in.depth] = true;
        else if (!opened && cu_cbor_good(&in)) more = put_between(&in, out, tag_open);
    }
    if (!cu_cbor_good(&in)) cu_buf_addf(out, " /%s/", in.fault);
}
