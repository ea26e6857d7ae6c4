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

/* A scalar that was found good. */
static void put_scalar(struct cu_buf *out, struct cu_span item)
{
    static const char *const names[] = { [SIMPLE_FALSE] = "false", [SIMPLE_TRUE] = "true", [SIMPLE_NULL] = "null" };
    struct cu_cbor_reader in = cu_cbor_read(item);
    unsigned major = item.p[0] >> 5;
    uint64_t v = 0;
    if (major == MAJOR_BYTES) put_bytes(out, cu_cbor_bytes(&in, 0, SIZE_MAX));
    else if (major == MAJOR_TEXT) cu_text_quoted(out, cu_cbor_text(&in, 0, SIZE_MAX));
    else if (!cbor_head(&in, major, &v)) return;
    else if (major == MAJOR_SIMPLE) cu_buf_add_str(out, names[v]);
    else if (major == MAJOR_UINT) cu_buf_addf(out, "%llu", LLU(v));
    else if (v == UINT64_MAX) cu_buf_add_str(out, "-18446744073709551616");
    else cu_buf_addf(out, "-%llu", LLU(v + 1));
}

/* One scalar, a tag with its "(", or an opening bracket. */
static void put_step(struct cu_cbor_reader *in, struct cu_buf *out, enum cu_cbor_type type)
{
    struct cu_cbor_reader ahead = *in;
    uint64_t tag = 0;
    if (type == CU_CBOR_ARRAY) {
        cu_cbor_enter_array(in, UINT64_MAX);
        if (cu_cbor_good(in)) cu_buf_add_byte(out, '[');
    } else if (type == CU_CBOR_MAP) {
        cu_cbor_enter_map(in, UINT64_MAX);
        if (cu_cbor_good(in)) cu_buf_add_byte(out, '{');
    } else if (type == CU_CBOR_TAG) {
        if (cbor_head(&ahead, MAJOR_TAG, &tag)) cu_buf_addf(out, "%llu(", LLU(tag));
        cu_cbor_tag(in, tag);
    } else {
        struct cu_span item = cu_cbor_item(in);
        if (item.n > 0) put_scalar(out, item);
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
