/* The envelope: one signed layer, as COSE_Sign1 (RFC 9052, 4.2).
 *
 *     d2 84                                  tag 18, array of 4
 *     58 .. a4 01 .. 04 .. 10 .. 3a00010000  protected: alg, kid, typ, network
 *     a0                                     unprotected: empty
 *     58 .. a. ..                            payload
 *     58 40 ..                               signature
 *
 * (1) Every byte is either signed or has one possible value, except the signature itself: so nobody who cannot sign can make
 *     another valid entry of it.
 * (2) Nothing is signed that could not be read: a statement is read back before it is signed.
 */
#include "fields.h"

#define COSE_SIGN1_TAG 18
#define PROTECTED_MAX 160
#define ENVELOPE_MAX (CU_ENTRY_MAX + 512) /* so that what is one byte too long is judged as that */

struct header {
    int64_t alg;
    cu_hash kid, network;
    struct cu_span typ;
};
static const struct cu_field header_fields[] = {
    CU_INT(1, struct header, alg, INT32_MIN, INT32_MAX),
    CU_FIXED(4, struct header, kid),
    CU_TEXT(16, struct header, typ, 1, 64),
    CU_FIXED(-65537, struct header, network),
};
static const struct cu_schema header_schema = CU_SCHEMA_OF("protected header", header_fields, struct header);

/* ---- what is signed ----------------------------------------------------------------------------------------------- */

/* ["Signature1", protected, h'', payload] in two pieces of memory: what stands before the protected header's bytes, and between
 * them and the payload's. */
struct sig_structure {
    uint8_t front[24], middle[16];
    struct cu_span parts[4];
};

static void put_bytes_head(struct cu_buf *out, size_t n)
{
    struct cu_buf head = cu_buf_over((uint8_t[9]){ 0 }, 9);

    cu_cbor_put_uint(&head, n);
    head.p[0] |= 0x40; /* the same head with major type 2 */
    cu_buf_add(out, cu_buf_span(&head));
}

static void sig_structure(struct cu_span protected_, struct cu_span payload, struct sig_structure *ret)
{
    struct cu_buf front = cu_buf_over(ret->front, sizeof ret->front);
    struct cu_buf middle = cu_buf_over(ret->middle, sizeof ret->middle);

    cu_cbor_put_array(&front, 4);
    cu_cbor_put_text(&front, cu_span_str("Signature1"));
    put_bytes_head(&front, protected_.n);
    cu_cbor_put_bytes(&middle, CU_SPAN_EMPTY); /* no external data */
    put_bytes_head(&middle, payload.n);

    ret->parts[0] = cu_buf_span(&front);
    ret->parts[1] = protected_;
    ret->parts[2] = cu_buf_span(&middle);
    ret->parts[3] = payload;
}

void cu_sig_structure(struct cu_span protected_, struct cu_span payload, struct cu_buf *ret)
{
    struct sig_structure s;

    sig_structure(protected_, payload, &s);
    for (size_t i = 0; i < 4; i++) cu_buf_add(ret, s.parts[i]);
}

cu_hash cu_statement_id(struct cu_span protected_, struct cu_span payload)
{
    struct sig_structure s;

    sig_structure(protected_, payload, &s);
    return cu_sha256_parts(s.parts, 4);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static cu_status read_layers(struct cu_span bytes, struct cu_statement *ret, struct cu_err *err)
{
    struct cu_cbor_reader in = cu_cbor_read(bytes);
    struct cu_span unprotected;

    cu_cbor_tag(&in, COSE_SIGN1_TAG);
    if (cu_cbor_enter_array(&in, 4) != 4) cu_cbor_fault(&in, "a COSE_Sign1 has four parts");
    ret->protected_ = cu_cbor_bytes(&in, 0, PROTECTED_MAX);
    if (cu_cbor_peek(&in) != CU_CBOR_MAP) cu_cbor_fault(&in, "the unprotected header is not a map");
    unprotected = cu_cbor_item(&in);
    if (cu_cbor_peek(&in) != CU_CBOR_BYTES) cu_cbor_fault(&in, "the payload is not attached");
    ret->payload = cu_cbor_bytes(&in, 0, CU_ENTRY_MAX);
    ret->signature = cu_cbor_bytes(&in, 0, CU_SIGNATURE_LEN);
    cu_cbor_leave(&in);
    TRY(cu_cbor_done(&in, "statement", err));

    ENSURE(unprotected.n == 1, err, CU_UNPROTECTED_HEADER,
           "statement: something stands in its unprotected header, which nobody signed");
    ENSURE(ret->signature.n > 0, err, CU_MISSING_SIGNATURE, "statement: its signature is missing");
    ENSURE(ret->signature.n == CU_SIGNATURE_LEN, err, CU_MALFORMED, "statement: a signature of %zu bytes", ret->signature.n);
    return CU_OK;
}

static cu_status read_header(struct cu_statement *st, const struct cu_kind_row **ret_row, struct cu_err *err)
{
    struct header header;

    TRY(cu_schema_read(&header_schema, st->protected_, &header, err));
    *ret_row = cu_kind_by_typ(header.typ);
    ENSURE(*ret_row && (*ret_row)->form != CU_FORM_PLAIN, err, CU_WRONG_KIND,
           "protected header: \"%.*s\" is not the type of a signed statement", (int)header.typ.n, (const char *)header.typ.p);
    st->kind = (*ret_row)->kind;
    st->alg = (enum cu_alg)header.alg;
    ENSURE(cu_alg_signs(st->alg), err, CU_MALFORMED, "protected header: algorithm %lld is not known", (long long)header.alg);
    st->kid = header.kid;
    st->network = header.network;
    return CU_OK;
}

cu_status cu_statement_peek(struct cu_span bytes, struct cu_statement *ret, struct cu_err *err)
{
    struct cu_statement st = { 0 };
    const struct cu_kind_row *row;

    ENSURE(bytes.n <= CU_ENTRY_MAX, err, CU_TOO_LARGE, "statement: %zu bytes, more than %d", bytes.n, CU_ENTRY_MAX);
    TRY(read_layers(bytes, &st, err));
    TRY(read_header(&st, &row, err));
    ENSURE(row->form != CU_FORM_NESTED || bytes.n <= CU_CLAIM_MAX, err, CU_TOO_LARGE, "%s: %zu bytes, more than %d", row->name,
           bytes.n, CU_CLAIM_MAX);
    TRY(cu_payload_read(row, st.payload, &st.body, err));
    *ret = st;
    return CU_OK;
}

cu_status cu_statement_read(struct cu_span bytes, struct cu_statement *ret, struct cu_err *err)
{
    TRY(cu_statement_peek(bytes, ret, err));
    ret->id = cu_statement_id(ret->protected_, ret->payload);
    return CU_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static cu_status write_header(const struct cu_kind_row *row, const cu_hash *network, const struct cu_private_key *key,
                              struct cu_buf *out, struct cu_err *err)
{
    struct header header = { .alg = key->pub.alg, .kid = key->id, .network = *network, .typ = cu_span_str(row->typ) };

    return cu_schema_write(&header_schema, &header, out, err);
}

static void write_layers(struct cu_span protected_, struct cu_span payload, const uint8_t signature[CU_SIGNATURE_LEN],
                         struct cu_buf *out)
{
    cu_cbor_put_tag(out, COSE_SIGN1_TAG);
    cu_cbor_put_array(out, 4);
    cu_cbor_put_bytes(out, protected_);
    cu_cbor_put_map(out, 0);
    cu_cbor_put_bytes(out, payload);
    cu_cbor_put_bytes(out, cu_span(signature, CU_SIGNATURE_LEN));
}

/* As it will be read: a claim stands alone, everything else is an entry. */
static cu_status read_back(const struct cu_kind_row *row, struct cu_span bytes, struct cu_err *err)
{
    struct cu_statement claim;
    struct cu_entry entry;

    return row->form == CU_FORM_NESTED ? cu_statement_read(bytes, &claim, err) : cu_entry_read(bytes, &entry, err);
}

cu_status cu_statement_sign(enum cu_kind kind, const void *body, const cu_hash *network, const struct cu_private_key *key,
                            struct cu_buf *out, struct cu_err *err)
{
    uint8_t protected_mem[PROTECTED_MAX], payload_mem[ENVELOPE_MAX], whole_mem[ENVELOPE_MAX], tbs_mem[ENVELOPE_MAX];
    struct cu_buf protected_ = cu_buf_over(protected_mem, sizeof protected_mem),
                  payload = cu_buf_over(payload_mem, sizeof payload_mem);
    struct cu_buf whole = cu_buf_over(whole_mem, sizeof whole_mem), tbs = cu_buf_over(tbs_mem, sizeof tbs_mem);
    const struct cu_kind_row *row = cu_kind_row(kind);
    uint8_t signature[CU_SIGNATURE_LEN] = { 0 };

    ENSURE(row && row->form != CU_FORM_PLAIN, err, CU_WRONG_KIND, "kind %d is not signed", (int)kind);
    TRY(write_header(row, network, key, &protected_, err));
    TRY(cu_schema_write(row->payload, body, &payload, err));
    write_layers(cu_buf_span(&protected_), cu_buf_span(&payload), signature, &whole);
    TRY(cu_buf_ok(&whole, err));
    TRY(read_back(row, cu_buf_span(&whole), err)); /* (2): with a signature of zeros in its place */

    cu_sig_structure(cu_buf_span(&protected_), cu_buf_span(&payload), &tbs);
    TRY(cu_buf_ok(&tbs, err));
    TRY(cu_sign(key, cu_buf_span(&tbs), signature, err));
    write_layers(cu_buf_span(&protected_), cu_buf_span(&payload), signature, out);
    return cu_buf_ok(out, err);
}

cu_status cu_plain_write(enum cu_kind kind, const void *body, struct cu_buf *out, struct cu_err *err)
{
    uint8_t whole_mem[ENVELOPE_MAX];
    struct cu_buf whole = cu_buf_over(whole_mem, sizeof whole_mem);
    const struct cu_kind_row *row = cu_kind_row(kind);
    struct cu_entry entry;

    ENSURE(row && row->form == CU_FORM_PLAIN, err, CU_WRONG_KIND, "kind %d is signed, not plain", (int)kind);
    TRY(cu_schema_write(row->payload, body, &whole, err));
    TRY(cu_entry_read(cu_buf_span(&whole), &entry, err));
    cu_buf_add(out, cu_buf_span(&whole));
    return cu_buf_ok(out, err);
}
