/* Writes again what a statement or an entry was read as: what is read must be spelled in one way only. */
#ifndef CU_FUZZ_REWRITE_H
#define CU_FUZZ_REWRITE_H

#include "custody/entry.h"

static inline void same(const struct cu_buf *out, struct cu_span bytes)
{
    CU_ASSERT(!out->full && cu_span_eq(cu_buf_span(out), bytes));
}

static inline void rewrite_header(const struct cu_statement *st)
{
    uint8_t mem[256];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    cu_cbor_put_map(&out, 4);
    cu_cbor_put_int(&out, 1), cu_cbor_put_int(&out, st->alg);
    cu_cbor_put_int(&out, 4), cu_cbor_put_bytes(&out, cu_span_hash(&st->kid));
    cu_cbor_put_int(&out, 16), cu_cbor_put_text(&out, cu_span_str(cu_kind_row(st->kind)->typ));
    cu_cbor_put_int(&out, -65537), cu_cbor_put_bytes(&out, cu_span_hash(&st->network));
    same(&out, st->protected_);
}

static inline void rewrite_payload(enum cu_kind kind, const union cu_payload *body, struct cu_span payload)
{
    static uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    CU_ASSERT(cu_schema_write(cu_kind_row(kind)->payload, body, &out, NULL) == CU_OK);
    same(&out, payload);
}

static inline void rewrite_statement(const struct cu_statement *st, struct cu_span bytes)
{
    static uint8_t mem[CU_ENTRY_MAX + 64];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    cu_hash id;

    rewrite_header(st);
    rewrite_payload(st->kind, &st->body, st->payload);
    cu_cbor_put_tag(&out, 18);
    cu_cbor_put_array(&out, 4);
    cu_cbor_put_bytes(&out, st->protected_);
    cu_cbor_put_map(&out, 0);
    cu_cbor_put_bytes(&out, st->payload);
    cu_cbor_put_bytes(&out, st->signature);
    same(&out, bytes);

    cu_buf_clear(&out);
    cu_sig_structure(st->protected_, st->payload, &out);
    id = cu_sha256(cu_buf_span(&out));
    CU_ASSERT(!out.full && cu_hash_eq(&id, &st->id));
}

#endif
