/* Reads an item by hand and writes what was read: the oracle that reading loses nothing and writing adds nothing. */
#ifndef TESTS_CBOR_COPY_H
#define TESTS_CBOR_COPY_H

#include "custody/cbor.h"

/* The argument of the head that `rest` begins with, for tags and for numbers below int64. */
static inline uint64_t cbor_head_value(struct cu_span rest)
{
    unsigned info = rest.p[0] & 31u;
    const uint8_t *p = rest.p + 1;
    return info < 24 ? info : info == 24 ? *p : info == 25 ? cu_be16(p) : info == 26 ? cu_be32(p) : cu_be64(p);
}

/* The next item of bytes that cu_cbor_check has found good. */
static inline void cbor_copy(struct cu_cbor_reader *in, struct cu_buf *out)
{
    struct cu_span rest = cu_span(in->all.p + in->at, in->all.n - in->at);
    switch (cu_cbor_peek(in)) {
    case CU_CBOR_UINT: cu_cbor_put_uint(out, cu_cbor_uint(in)); return;
    case CU_CBOR_NEGINT:
        if (cbor_head_value(rest) > INT64_MAX) cu_buf_add(out, cu_cbor_item(in)); /* we have no number for it */
        else cu_cbor_put_int(out, cu_cbor_int(in));
        return;
    case CU_CBOR_BYTES: cu_cbor_put_bytes(out, cu_cbor_bytes(in, 0, SIZE_MAX)); return;
    case CU_CBOR_TEXT: cu_cbor_put_text(out, cu_cbor_text(in, 0, SIZE_MAX)); return;
    case CU_CBOR_ARRAY: cu_cbor_put_array(out, cu_cbor_enter_array(in, UINT64_MAX)); break;
    case CU_CBOR_MAP: cu_cbor_put_map(out, cu_cbor_enter_map(in, UINT64_MAX)); break;
    case CU_CBOR_TAG:
        cu_cbor_put_tag(out, cbor_head_value(rest));
        cu_cbor_tag(in, cbor_head_value(rest));
        cbor_copy(in, out);
        return;
    case CU_CBOR_SIMPLE:
        if (rest.p[0] == 0xF6) cu_cbor_null(in), cu_cbor_put_null(out);
        else cu_cbor_put_bool(out, cu_cbor_bool(in));
        return;
    case CU_CBOR_END: cu_cbor_item(in); return;
    }
    while (cu_cbor_good(in) && cu_cbor_peek(in) != CU_CBOR_END) cbor_copy(in, out);
    cu_cbor_leave(in);
}

#endif
