/* What the organisations' consensus showed of one of them goes on record once, whoever says it: in words that follow from the log alone, with a
 * salt that follows from the words. */
#include "service/service.h"

#include <stdio.h>

static const struct cu_member_key *validator_at(const struct cu_place *p, const uint8_t address[20])
{
    for (size_t i = 0; i < p->members.keys_n; i++) {
        const struct cu_member_key *key = &p->members.key[i];
        const cu_hash digest = cu_sha256(cu_public_span(&key->pub));
        if (key->purpose == CU_PURPOSE_VALIDATOR && memcmp(digest.b, address, 20) == 0) return key;
    }
    return NULL;
}

static cu_status describe(const struct cu_place *p, const struct cu_misbehaviour *what, struct cu_buf *text, struct cu_buf *row,
                          struct cu_err *err)
{
    const struct cu_member_key *key = validator_at(p, what->address);
    const struct cu_span known = key ? cu_party_named(p, key->party) : CU_SPAN_EMPTY,
                         name = known.n ? known : cu_span_str("an organisation without a name here");
    const bool vote = what->kind == CU_DUPLICATE_VOTE;
    CU_BUF where = cu_buf_heap(1024), id = cu_buf_heap(64);

    cu_buf_add(text, name);
    cu_buf_addf(
        text,
        vote ? " cast two votes in one turn of the chain's height %llu, as one does who makes two histories: both, signed, "
               "are evidence in the chain"
             : " signed another header of the chain's height %llu, as one does who shows another history: it is evidence "
               "in the chain",
        LLU(what->height));
    cu_buf_add(&where, name);
    cu_buf_addf(&where, ", height %llu", LLU(what->height));
    cu_hex_put(&id, key ? cu_span_hash(&key->kid) : CU_SPAN_OF(what->address));
    const struct cu_finding_row finding = { cu_span_str(vote ? "duplicate vote" : "light-client attack"), cu_buf_span(&where),
                                            cu_buf_span(&id), false };
    TRY(cu_schema_write(&cu_finding_row_schema, &finding, row, err));
    return cu_buf_ok(text, err);
}

static cu_status record(struct cu_place *p, const struct cu_misbehaviour *what, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(2048), row = cu_buf_heap(2048), said = cu_buf_heap(CU_RECORD_MAX);
    struct cu_incident body = { .type = CU_INCIDENT_MISBEHAVIOUR, .count = 1 };
    struct cu_outcome outcome;

    TRY(describe(p, what, &text, &row, err));
    body.root = cu_leaf_hash(cu_buf_span(&row));
    const struct cu_details_rows details = { .text = cu_buf_span(&text), .rows = { 1, cu_buf_span(&row) } };
    const struct cu_saying say = { CU_KIND_INCIDENT, &body, CU_SIGNER_ORGANISATION, CU_PROFILE_INCIDENT, &details };
    TRY(cu_say_alike(p, &say, "custody/misbehaviour/v1\n", &said, err));
    return cu_submit(p, &(struct cu_span){ said.p, said.n }, 1, &outcome, err);
}

cu_status cu_misbehaviour_record(struct cu_place *p, struct cu_err *err)
{
    const struct cu_engine *e = p->engine;
    struct cu_misbehaviour what;

    while (e->misbehaviour && e->misbehaviour(e->self, &what)) {
        TRY(record(p, &what, err));
        TRY(e->reported(e->self, &what, err));
    }
    return CU_OK;
}
