/* One schema a row: the same tables read and write it. */
#include "ledger/rows.h"

static const struct cu_field ledger_fields[] = {
    CU_FIXED(0, struct cu_row_ledger, network),
    CU_UINT(1, struct cu_row_ledger, cosigners, 0, CU_PARTIES_MAX),
    CU_UINT(2, struct cu_row_ledger, copies, 0, CU_PARTIES_MAX),
    CU_LIST(3, struct cu_row_ledger, mandatory, 0, CU_PARTIES_MAX, &cu_uint_schema),
    CU_UINT(4, struct cu_row_ledger, acceptance_age, 0, INT64_MAX),
    CU_UINT(5, struct cu_row_ledger, open_bundles, 0, 1),
};
static const struct cu_field policy_fields[] = {
    CU_UINT(0, struct cu_row_policy, retention, 0, CU_RETENTION_DAYS_MAX),
    CU_LIST(1, struct cu_row_policy, seal, 0, CU_MUST_SEAL_MAX, &cu_must_seal_schema),
};
static const struct cu_field party_fields[] = {
    CU_UINT(0, struct cu_row_party, role, 1, UINT32_MAX),
    CU_UINT(1, struct cu_row_party, organisation, 1, CU_PARTIES_MAX),
    CU_UINT(2, struct cu_row_party, confirmed, 0, INT64_MAX),
};
static const struct cu_field member_key_fields[] = {
    CU_FIXED(0, struct cu_row_member_key, kid),
    CU_UINT(1, struct cu_row_member_key, party, 1, CU_PARTIES_MAX),
    CU_UINT(2, struct cu_row_member_key, purpose, 1, UINT32_MAX),
    CU_UINT(3, struct cu_row_member_key, neg_alg, 1, UINT32_MAX),
    CU_UINT(4, struct cu_row_member_key, from, 0, UINT64_MAX),
    CU_BYTES(5, struct cu_row_member_key, pub, 1, CU_PUBLIC_LEN_MAX),
};
static const struct cu_field case_fields[] = {
    CU_UINT(0, struct cu_row_case, seq, 0, INT64_MAX),         CU_UINT(1, struct cu_row_case, deposits, 0, INT64_MAX),
    CU_UINT(2, struct cu_row_case, keys, 0, CU_CASE_KEYS_MAX), CU_FIXED(3, struct cu_row_case, last),
    CU_UINT(4, struct cu_row_case, deposited, 0, INT64_MAX),
};
static const struct cu_field signer_fields[] = {
    CU_UINT(0, struct cu_row_signer, lowest_open, 1, UINT64_MAX),
    CU_UINT(1, struct cu_row_signer, highest, 1, INT64_MAX),
    CU_UINT(2, struct cu_row_signer, reopened, 0, INT64_MAX),
    CU_UINT(3, struct cu_row_signer, deposits, 0, INT64_MAX),
    CU_FIXED(4, struct cu_row_signer, last),
    CU_UINT(5, struct cu_row_signer, deposited, 0, INT64_MAX),
};
static const struct cu_field serial_fields[] = {
    CU_FIXED(0, struct cu_row_serial, id),
    CU_UINT(1, struct cu_row_serial, kind, 1, UINT32_MAX),
    CU_UINT(2, struct cu_row_serial, seq, 0, INT64_MAX),
};
static const struct cu_field statement_fields[] = {
    CU_UINT(0, struct cu_row_statement, seq, 0, INT64_MAX),
    CU_UINT(1, struct cu_row_statement, kind, 1, UINT32_MAX),
    CU_UINT(2, struct cu_row_statement, exhibit, 0, INT64_MAX),
};
static const struct cu_field block_fields[] = {
    CU_FIXED(0, struct cu_row_block, leaf),
    CU_UINT(1, struct cu_row_block, closed, 0, INT64_MAX),
};
static const struct cu_field revoked_fields[] = {
    CU_UINT(0, struct cu_row_revoked, seq, 0, INT64_MAX),
    CU_UINT(1, struct cu_row_revoked, since, 0, INT64_MAX),
};
static const struct cu_field notice_fields[] = {
    CU_UINT(0, struct cu_row_notice, seq, 0, INT64_MAX),
    CU_UINT(1, struct cu_row_notice, organisation, 1, CU_PARTIES_MAX),
    CU_UINT(2, struct cu_row_notice, provider, 1, CU_PARTIES_MAX),
    CU_FIXED(3, struct cu_row_notice, case_id),
    CU_UINT(4, struct cu_row_notice, deadline, 0, INT64_MAX),
    CU_UINT(5, struct cu_row_notice, acknowledged, 0, INT64_MAX),
    CU_UINT(6, struct cu_row_notice, deposits, 0, INT64_MAX),
    CU_UINT(7, struct cu_row_notice, answered, 0, INT64_MAX),
    CU_UINT(8, struct cu_row_notice, reason, 0, UINT32_MAX),
    CU_UINT(9, struct cu_row_notice, timed_out, 0, INT64_MAX),
};
static const struct cu_field proposal_fields[] = {
    CU_FIXED(0, struct cu_row_proposal, id),
    CU_UINT(1, struct cu_row_proposal, seq, 0, INT64_MAX),
    CU_UINT(2, struct cu_row_proposal, change, 0, CU_CHANGE_POLICY),
    CU_UINT(3, struct cu_row_proposal, party, 0, CU_PARTIES_MAX),
    CU_UINT(4, struct cu_row_proposal, until, 0, INT64_MAX),
    CU_UINT(5, struct cu_row_proposal, approvals, 0, UINT64_MAX),
    CU_UINT(6, struct cu_row_proposal, keys, 0, CU_PROPOSED_KEYS_MAX),
    CU_UINT(7, struct cu_row_proposal, revoked, 0, CU_PROPOSED_REVOKED_MAX),
    CU_UINT(8, struct cu_row_proposal, has_terms, 0, 1),
    CU_UINT(9, struct cu_row_proposal, cosigners, 0, CU_PARTIES_MAX),
    CU_UINT(10, struct cu_row_proposal, copies, 0, CU_PARTIES_MAX),
    CU_UINT(11, struct cu_row_proposal, mandatory, 0, UINT64_MAX),
    CU_UINT(12, struct cu_row_proposal, version, 0, UINT32_MAX),
    CU_UINT(13, struct cu_row_proposal, height, 0, INT64_MAX),
};
static const struct cu_field proposed_fields[] = {
    CU_UINT(0, struct cu_row_proposed, purpose, 0, CU_PURPOSE_NODE),
    CU_UINT(1, struct cu_row_proposed, number, 0, INT64_MAX),
    CU_BYTES(2, struct cu_row_proposed, bytes, 1, CU_PUBLIC_LEN_MAX),
};
static const struct cu_field organisation_fields[] = {
    CU_UINT(0, struct cu_row_organisation, later, 0, 1),
    CU_UINT(1, struct cu_row_organisation, joined, 0, INT64_MAX),
    CU_UINT(2, struct cu_row_organisation, left, 0, INT64_MAX),
};
static const struct cu_field rules_fields[] = {
    CU_UINT(0, struct cu_row_rules, version, 1, UINT32_MAX),
    CU_UINT(1, struct cu_row_rules, height, 0, INT64_MAX),
};
static const struct cu_field number_fields[] = { CU_UINT(0, struct cu_row_number, v, 0, INT64_MAX) };
static const struct cu_field hash_fields[] = { CU_FIXED(0, struct cu_row_hash, v) };

#define SCHEMA(row) \
    static const struct cu_schema row##_schema = CU_SCHEMA_OF("row of " #row, row##_fields, struct cu_row_##row, .tuple = true)
SCHEMA(ledger);
SCHEMA(policy);
SCHEMA(party);
SCHEMA(member_key);
SCHEMA(case);
SCHEMA(signer);
SCHEMA(serial);
SCHEMA(statement);
SCHEMA(block);
SCHEMA(revoked);
SCHEMA(notice);
SCHEMA(proposal);
SCHEMA(proposed);
SCHEMA(organisation);
SCHEMA(rules);
SCHEMA(number);
SCHEMA(hash);

#define INFO(num, name_, row_, digested_) [num] = { .name = #name_, .row = &row_##_schema, .digested = (digested_) },
static const struct cu_table_info tables[] = { CU_STATE_TABLE(INFO) };

const struct cu_table_info *cu_table_info(unsigned table)
{
    return table < sizeof tables / sizeof *tables && tables[table].row ? &tables[table] : NULL;
}

/* ---- keys ---------------------------------------------------------------------------------------------------------- */

static void add(struct cu_row_at *at, struct cu_span bytes)
{
    CU_ASSERT(at->n + bytes.n <= sizeof at->b);
    if (bytes.n) memcpy(at->b + at->n, bytes.p, bytes.n);
    at->n = (uint8_t)(at->n + bytes.n);
}

static void add_number(struct cu_row_at *at, uint64_t n)
{
    uint8_t bytes[8];

    cu_put_be64(bytes, n);
    add(at, CU_SPAN_OF(bytes));
}

struct cu_row_at cu_at(enum cu_table table, struct cu_span a)
{
    struct cu_row_at at;

    at.n = 1;
    at.b[0] = (uint8_t)table;
    add(&at, a);
    return at;
}

struct cu_row_at cu_at_number(enum cu_table table, uint64_t n) { return cu_at_numbered(table, CU_SPAN_EMPTY, n); }

struct cu_row_at cu_at_pair(enum cu_table table, struct cu_span a, struct cu_span b)
{
    struct cu_row_at at = cu_at(table, a);

    add(&at, b);
    return at;
}

struct cu_row_at cu_at_numbered(enum cu_table table, struct cu_span a, uint64_t n)
{
    struct cu_row_at at = cu_at(table, a);

    add_number(&at, n);
    return at;
}

struct cu_row_at cu_at_equivocal(const cu_hash *kid, uint64_t serial, const cu_hash *id)
{
    struct cu_row_at at = cu_at_numbered(CU_TABLE_EQUIVOCAL, cu_span_hash(kid), serial);

    add(&at, cu_span_hash(id));
    return at;
}

struct cu_row_at cu_at_node(struct cu_span scope, unsigned level)
{
    uint8_t byte = (uint8_t)level;

    return cu_at_pair(CU_TABLE_NODE, scope, cu_span(&byte, 1));
}
