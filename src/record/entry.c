/* An entry of the log, read and judged by its form alone. */
#include "fields.h"

#include "custody/tree.h"

/* The claim that a statement holds whole: under the ledger that the statement names, and nothing but a claim. */
static cu_status read_claim(struct cu_span bytes, const struct cu_statement *outer, struct cu_statement *ret, struct cu_err *err)
{
    cu_status status = cu_statement_peek(bytes, ret, err);

    if (status != CU_OK) return cu_fail_while(err, status, "the claim in it");
    ENSURE(ret->kind == CU_KIND_CLAIM, err, CU_WRONG_KIND, "a %s stands where the claim should", cu_kind_row(ret->kind)->name);
    ENSURE(cu_hash_eq(&ret->network, &outer->network), err, CU_WRONG_NETWORK, "the claim in it was signed for another ledger");
    return CU_OK;
}

static cu_status read_signed(struct cu_span bytes, struct cu_entry *out, struct cu_err *err)
{
    struct cu_statement evidence;
    const struct cu_kind_row *row;

    TRY(cu_statement_peek(bytes, &out->outer, err));
    row = cu_kind_row(out->outer.kind);
    ENSURE(row->form != CU_FORM_NESTED, err, CU_MISSING_SIGNATURE, "a %s stands alone: the other party has not signed",
           row->name);
    out->signed_ = true;
    out->has_inner = row->nests;
    if (row->nests) return read_claim(out->outer.body.deposit.claim, &out->outer, &out->inner, err);
    out->kind = row->kind;
    const struct cu_span claim = cu_entry_evidence(out);
    return claim.n ? read_claim(claim, &out->outer, &evidence, err) : CU_OK;
}
_Static_assert(offsetof(struct cu_deposit, claim) == offsetof(struct cu_refusal, claim), "a nested statement is the first field");

/* The typ is a plain entry's first value; the kind's own table then reads the whole. */
static cu_status read_plain(struct cu_span bytes, struct cu_entry *out, struct cu_err *err)
{
    struct cu_cbor_reader in = cu_cbor_read(bytes);
    const struct cu_kind_row *row;
    bool keyed = cu_cbor_enter_map(&in, CU_ENTRY_MAX) > 0 && cu_cbor_peek(&in) == CU_CBOR_UINT && cu_cbor_uint(&in) == 0;
    struct cu_span typ = keyed ? cu_cbor_text(&in, 1, 64) : CU_SPAN_EMPTY;

    TRY(cu_cbor_check(bytes, "entry", err)); /* what is not canonical is of no kind */
    ENSURE(cu_cbor_good(&in) && keyed, err, CU_MALFORMED, "entry: a map that does not begin with its type");
    row = cu_kind_by_typ(typ);
    ENSURE(row && row->form == CU_FORM_PLAIN, err, CU_WRONG_KIND, "entry: \"%.*s\" is not the type of a plain entry", (int)typ.n,
           (const char *)typ.p);
    out->outer.kind = row->kind;
    return cu_payload_read(row, bytes, &out->outer.body, err);
}

cu_status cu_entry_peek(struct cu_span bytes, struct cu_entry *ret, struct cu_err *err)
{
    struct cu_cbor_reader in = cu_cbor_read(bytes);
    struct cu_entry out = { .bytes = bytes };

    ENSURE(bytes.n <= CU_ENTRY_MAX, err, CU_TOO_LARGE, "entry: %zu bytes, more than %d", bytes.n, CU_ENTRY_MAX);
    if (cu_cbor_peek(&in) == CU_CBOR_MAP) TRY(read_plain(bytes, &out, err));
    else TRY(read_signed(bytes, &out, err));
    out.kind = out.outer.kind;
    *ret = out;
    return CU_OK;
}

cu_status cu_entry_read(struct cu_span bytes, struct cu_entry *ret, struct cu_err *err)
{
    TRY(cu_entry_peek(bytes, ret, err));
    if (ret->signed_) ret->outer.id = cu_statement_id(ret->outer.protected_, ret->outer.payload);
    if (ret->has_inner) ret->inner.id = cu_statement_id(ret->inner.protected_, ret->inner.payload);
    ret->leaf = cu_leaf_hash(bytes);
    return CU_OK;
}

struct cu_span cu_entry_evidence(const struct cu_entry *e)
{
    const union cu_payload *body = &e->outer.body;

    if (e->kind == CU_KIND_INCIDENT && body->incident.has_claim) return body->incident.claim;
    if (e->kind == CU_KIND_TIMEOUT && body->timeout.has_claim) return body->timeout.claim;
    return CU_SPAN_EMPTY;
}

const cu_hash *cu_entry_notice(const struct cu_entry *e)
{
    const union cu_payload *body = &e->outer.body;

    if (e->has_inner) return e->inner.body.claim.has_notice ? &e->inner.body.claim.notice : NULL;
    if (e->kind == CU_KIND_TIMEOUT) return body->timeout.has_notice ? &body->timeout.notice : NULL;
    if (e->kind == CU_KIND_ACKNOWLEDGE) return &body->acknowledge.notice;
    return e->kind == CU_KIND_ANSWER ? &body->answer.notice : NULL;
}

/* ---- where each kind keeps what all of them may have --------------------------------------------------------------- */

/* One row a kind, in the order of the table. */
#define NONE CU_PLACE_NONE
#define AT(type, member) offsetof(struct type, member)
static const struct cu_places places[] = {
    { CU_KIND_GENESIS, AT(cu_genesis, commitment), NONE, AT(cu_genesis, time) },
    { CU_KIND_BLOCK, NONE, NONE, AT(cu_block, closed) },
    { CU_KIND_CONFIRM, NONE, NONE, AT(cu_confirm, time) },
    { CU_KIND_CASE, AT(cu_case, commitment), AT(cu_case, seen), AT(cu_case, time) },
    { CU_KIND_CLAIM, AT(cu_claim, commitment), AT(cu_claim, seen), AT(cu_claim, time) },
    { CU_KIND_DEPOSIT, NONE, AT(cu_deposit, seen), AT(cu_deposit, time) },
    { CU_KIND_REFUSAL, NONE, AT(cu_refusal, seen), AT(cu_refusal, time) },
    { CU_KIND_VOID, AT(cu_void, commitment), AT(cu_void, seen), AT(cu_void, time) },
    { CU_KIND_STORED, NONE, AT(cu_stored, seen), AT(cu_stored, time) },
    { CU_KIND_INCIDENT, AT(cu_incident, commitment), AT(cu_incident, seen), AT(cu_incident, time) },
    { CU_KIND_CORRECTION, AT(cu_correction, commitment), AT(cu_correction, seen), AT(cu_correction, time) },
    { CU_KIND_ACCESS, AT(cu_access, commitment), AT(cu_access, seen), AT(cu_access, time) },
    { CU_KIND_INVENTORY, NONE, AT(cu_inventory, seen), AT(cu_inventory, time) },
    { CU_KIND_DISCLOSURE, AT(cu_disclosure, commitment), AT(cu_disclosure, seen), AT(cu_disclosure, time) },
    { CU_KIND_MEMBER, AT(cu_member, commitment), AT(cu_member, seen), AT(cu_member, time) },
    { CU_KIND_GRANT, AT(cu_grant, commitment), AT(cu_grant, seen), AT(cu_grant, time) },
    { CU_KIND_TIMEOUT, NONE, AT(cu_timeout, seen), AT(cu_timeout, time) },
    { CU_KIND_NOTICE, AT(cu_notice, commitment), AT(cu_notice, seen), AT(cu_notice, time) },
    { CU_KIND_ACKNOWLEDGE, NONE, AT(cu_acknowledge, seen), AT(cu_acknowledge, time) },
    { CU_KIND_ANSWER, AT(cu_answer, commitment), AT(cu_answer, seen), AT(cu_answer, time) },
    { CU_KIND_PROPOSE, AT(cu_propose, commitment), AT(cu_propose, seen), AT(cu_propose, time) },
    { CU_KIND_APPROVE, NONE, AT(cu_approve, seen), AT(cu_approve, time) },
};

const struct cu_places *cu_places_of(enum cu_kind kind)
{
    size_t i = 0;

    while (i < sizeof places / sizeof *places && places[i].kind != kind) i++;
    CU_ASSERT(i < sizeof places / sizeof *places); /* every kind has its row */
    return &places[i];
}

static const void *in_body(const struct cu_statement *st, size_t at)
{
    return at == NONE ? NULL : (const uint8_t *)&st->body + at;
}

const cu_hash *cu_entry_commitment(const struct cu_entry *e)
{
    const struct cu_statement *st = cu_entry_innermost(e);

    return in_body(st, cu_places_of(st->kind)->commitment);
}

const struct cu_seen *cu_entry_seen(const struct cu_entry *e) { return in_body(&e->outer, cu_places_of(e->kind)->seen); }

uint64_t cu_entry_time(const struct cu_entry *e)
{
    const uint64_t *time = in_body(&e->outer, cu_places_of(e->kind)->time);

    CU_ASSERT(time != NULL); /* every kind has one */
    return *time;
}
