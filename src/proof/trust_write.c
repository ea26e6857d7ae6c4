/* Writing trust files: the epoch with which a ledger begins, what the members make of one, and one more at the end. */
#include "custody/trust_chain.h"

#include "custody/text.h"

/* ---- the organisations' keys ---- */

void cu_cosigner_name(struct cu_span origin, uint64_t party, struct cu_buf *out)
{
    cu_buf_add(out, origin);
    cu_buf_addf(out, "/cosigner/%llu", LLU(party));
}

/* The line of a party's key of that purpose, if it has one. */
static cu_status put_line(struct cu_span origin, uint64_t party, enum cu_purpose purpose, const struct cu_public_key *key,
                          struct cu_buf *out, struct cu_err *err)
{
    const bool log = purpose == CU_PURPOSE_LOG;
    CU_BUF name = cu_buf_heap(CU_ORIGIN_MAX + 32);
    struct cu_vkey vkey;

    if (log) cu_buf_add(&name, origin), cu_buf_add_str(out, "log ");
    else cu_cosigner_name(origin, party, &name), cu_buf_addf(out, "witness organisation-%llu ", LLU(party));
    TRY(cu_buf_ok(&name, err));
    TRY(cu_vkey_make(cu_buf_span(&name), log ? CU_NOTE_ED25519 : CU_NOTE_COSIGNATURE, key, &vkey, err));
    TRY(cu_vkey_write(&vkey, out, err));
    cu_buf_add_byte(out, '\n');
    return CU_OK;
}

static cu_status put_key(const struct cu_members *m, struct cu_span origin, uint64_t party, enum cu_purpose purpose, uint64_t *n,
                         struct cu_buf *out, struct cu_err *err)
{
    const struct cu_member_key *key = cu_members_newest(m, party, purpose);

    if (!key || !cu_members_counts(cu_members_party(m, party))) return CU_OK;
    (*n)++;
    return put_line(origin, party, purpose, &key->pub, out, err);
}

/* An organisation that joins reads the chain from its beginning, one that left reads on: its node signs that as it goes, and believes itself. */
cu_status cu_trust_of_members(const struct cu_members *m, struct cu_span origin, const struct cu_public_key *first,
                              struct cu_buf *out, struct cu_err *err)
{
    const cu_hash kid = first ? cu_key_id(first) : (cu_hash){ { 0 } };
    const struct cu_member_key *known = first ? cu_members_key(m, &kid) : NULL;
    const uint64_t k = m->terms.cosigners, own = known ? known->party : 0;
    uint64_t logs = 0, n = 0;

    if (own) TRY(put_key(m, origin, own, CU_PURPOSE_LOG, &logs, out, err));
    if (!logs && first) TRY(put_line(origin, own, CU_PURPOSE_LOG, first, out, err));
    for (uint64_t id = 1; id <= m->parties_n; id++)
        if (id != own) TRY(put_key(m, origin, id, CU_PURPOSE_LOG, &logs, out, err));
    for (uint64_t id = 1; id <= m->parties_n; id++) TRY(put_key(m, origin, id, CU_PURPOSE_COSIGN, &n, out, err));
    ENSURE(k <= n, err, CU_MALFORMED, "the policy asks for %llu cosigners, and %llu organisations have a key for it", LLU(k),
           LLU(n));
    if (k == 0) return cu_buf_ok(out, err);
    cu_buf_addf(out, "group organisations %llu", LLU(k));
    for (uint64_t id = 1; id <= m->parties_n; id++)
        if (cu_members_newest(m, id, CU_PURPOSE_COSIGN) && cu_members_counts(cu_members_party(m, id)))
            cu_buf_addf(out, " organisation-%llu", LLU(id));
    cu_buf_add_byte(out, '\n');
    return cu_buf_ok(out, err);
}

cu_status cu_trust_of_genesis(const struct cu_genesis *genesis, const cu_hash *network, const struct cu_public_key *first,
                              struct cu_buf *out, struct cu_err *err)
{
    struct cu_members m;

    TRY(cu_members_from_genesis(genesis, network, &m, err));
    cu_buf_add_str(out, "custody-trust/v1\nnetwork ");
    cu_hex_put(out, cu_span_hash(network));
    cu_buf_add_str(out, "\nrequire integrity signer\nepoch 0 -\n");
    TRY(cu_trust_of_members(&m, genesis->origin, first, out, err));
    cu_buf_add_str(out, m.terms.cosigners ? "quorum organisations\n" : "quorum none\n");
    return cu_buf_ok(out, err);
}

/* ---- one epoch more ---- */

/* Where the n-th epoch's own line begins. */
static size_t line_of(const struct cu_trust *trust, struct cu_span text, size_t n)
{
    size_t at = (size_t)(trust->epoch[n].policy_text.p - text.p) - 1;

    while (at > 0 && text.p[at - 1] != '\n') at--;
    return at;
}

/* As many of the oldest epochs are left out as must be. */
static void append_without(const struct cu_trust *trust, struct cu_span text, size_t oldest, uint64_t size, struct cu_span policy,
                           struct cu_buf *out)
{
    const struct cu_epoch *last = &trust->epoch[trust->epochs_n - 1];
    const size_t from = line_of(trust, text, oldest), upto = line_of(trust, text, trust->epochs_n - 1);

    cu_buf_add(out, cu_span(text.p, line_of(trust, text, 0)));
    cu_buf_add(out, cu_span(text.p + from, upto - from));
    if (last->first.v > size) cu_buf_addf(out, "epoch %llu -\n", LLU(last->first.v));
    else {
        cu_buf_addf(out, "epoch %llu %llu\n", LLU(last->first.v), LLU(size));
        cu_buf_add(out, last->policy_text);
        cu_buf_addf(out, "epoch %llu -\n", LLU(size + 1));
    }
    cu_buf_add(out, policy);
}

void cu_trust_append(const struct cu_trust *trust, struct cu_span text, uint64_t size, struct cu_span policy, struct cu_buf *out)
{
    const bool adds = trust->epoch[trust->epochs_n - 1].first.v <= size;
    size_t oldest = trust->epochs_n + adds > CU_EPOCHS_MAX ? 1 : 0;

    append_without(trust, text, oldest, size, policy, out);
    while (out->full && ++oldest < trust->epochs_n) {
        cu_buf_clear(out);
        append_without(trust, text, oldest, size, policy, out);
    }
}

/* ---- what is not of the organisations ---- */

static bool is_outside(struct cu_span line)
{
    return cu_span_starts(line, cu_span_str("witness outside-")) || cu_span_starts(line, cu_span_str("group outside "));
}

void cu_trust_outside(struct cu_span before, bool asks, struct cu_buf *out)
{
    struct cu_lines lines = cu_lines_on(before);
    struct cu_span line;
    bool outside = false;

    while (cu_lines_next(&lines, &line)) {
        if (!is_outside(line)) continue;
        cu_buf_add(out, line);
        cu_buf_add_byte(out, '\n');
        outside = true;
    }
    if (outside && asks) cu_buf_add_str(out, "group both all outside organisations\n");
    cu_buf_addf(out, "quorum %s\n", outside && asks ? "both" : outside ? "outside" : asks ? "organisations" : "none");
}
