/* Receipts: what a reader needs who has nothing but the file and the pinned trust. Everything that goes in is needed by some check,
 * and nothing else does: a verifier refuses what nobody asked for.
 */
#include "service/cosigned.h"
#include "service/service.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

/* Entries that go along, ascending, each once; each owns its bytes. */
struct gathered {
    uint64_t seq;
    struct cu_buf entry, details;
};
struct gathering {
    struct cu_place *p;
    cu_seq seq;   /* the record's own */
    cu_size size; /* of the checkpoint: the newest, or the first with a quorum */
    struct cu_buf note;
    bool deposit;
    uint64_t parties; /* a bit per party whose keys signed something here */
    size_t n;
    struct gathered at[CU_RECEIPT_SUPPORT_MAX];
};

static void gathering_free(struct gathering *g)
{
    cu_buf_free(&g->note);
    for (size_t i = 0; i < g->n; i++) {
        cu_buf_free(&g->at[i].entry);
        cu_buf_free(&g->at[i].details);
    }
}

static cu_status fill(struct gathering *g, struct gathered *slot, struct cu_entry *ret, struct cu_err *err)
{
    struct cu_span bytes;

    slot->entry = cu_buf_heap(CU_ENTRY_MAX);
    slot->details = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    TRY(cu_log_entry(&g->p->log, (cu_seq){ slot->seq }, &bytes, err));
    cu_buf_add(&slot->entry, bytes);
    TRY(cu_buf_ok(&slot->entry, err));
    TRY(cu_entry_read(cu_buf_span(&slot->entry), ret, err));
    const cu_hash *commitment = cu_entry_commitment(ret);
    return commitment ? cu_place_details(g->p, (cu_seq){ slot->seq }, commitment, &slot->details, err) : CU_OK;
}

static cu_status bring(struct gathering *g, uint64_t seq, struct cu_entry *ret, struct cu_err *err)
{
    struct cu_entry entry;
    size_t i = 0;

    while (i < g->n && g->at[i].seq < seq) i++;
    if (seq == g->seq.v || (i < g->n && g->at[i].seq == seq)) return CU_OK;
    ENSURE(g->n < CU_RECEIPT_SUPPORT_MAX, err, CU_TOO_LARGE, "the receipt would need more than %d further entries",
           CU_RECEIPT_SUPPORT_MAX);
    memmove(&g->at[i + 1], &g->at[i], (g->n - i) * sizeof g->at[0]);
    g->at[i] = (struct gathered){ .seq = seq };
    g->n++;
    return fill(g, &g->at[i], ret ? ret : &entry, err);
}

static uint64_t bit_of(uint64_t party) { return UINT64_C(1) << (party - 1) % 64; }

static void note_signer(struct gathering *g, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(&g->p->members, kid);

    if (key) g->parties |= bit_of(key->party);
}

static cu_status bring_dating(struct gathering *g, cu_seq seq, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    TRY(cu_lookup_seq(g->p, seq, &found, err));
    return bring(g, found.row.block.v, NULL, err);
}

static cu_status bring_seen(struct gathering *g, const struct cu_seen *seen, struct cu_err *err)
{
    return seen ? bring(g, seen->seq, NULL, err) : CU_OK;
}

/* ---- the case ---- */
struct seq_found {
    cu_seq seq;
    bool any;
};

static cu_status take_seq(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    (void)err;
    *(struct seq_found *)arg = (struct seq_found){ row->seq, true };
    return CU_OK;
}

static cu_status bring_case(struct gathering *g, const cu_case_id *id, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_CASE, .case_id = *id, .kind = CU_KIND_CASE };
    struct seq_found found = { .any = false };
    struct cu_entry entry = { 0 };

    TRY(g->p->index.find(g->p->index.self, &q, take_seq, &found, err));
    ENSURE(found.any, err, CU_UNKNOWN_CASE, "the index does not know the entry that opened the case");
    TRY(bring(g, found.seq.v, &entry, err));
    if (entry.signed_) note_signer(g, &entry.outer.kid);
    return CU_OK;
}

/* ---- what it points to ---- */
/* With whoever signed it. */
static cu_status bring_statement(struct gathering *g, const cu_hash *id, struct cu_entry *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    char hex[65];

    cu_hash_hex(id, hex);
    TRY(cu_lookup(g->p, cu_span_str(hex), &found, err));
    TRY(bring(g, found.row.seq.v, ret, err));
    if (ret->signed_) note_signer(g, &ret->outer.kid);
    return CU_OK;
}

static cu_status bring_notice(struct gathering *g, const cu_hash *id, struct cu_err *err)
{
    struct cu_entry entry = { 0 };

    return bring_statement(g, id, &entry, err);
}

/* The proposal that is approved, and whom it is about. */
static cu_status bring_proposal(struct gathering *g, const cu_hash *id, struct cu_err *err)
{
    struct cu_entry entry = { 0 };

    TRY(bring_statement(g, id, &entry, err));
    if (entry.signed_ && entry.outer.body.propose.party) g->parties |= bit_of(entry.outer.body.propose.party);
    return CU_OK;
}

/* Whose time ran out: its signer, and the block from which it ran. */
static cu_status bring_evidence(struct gathering *g, const struct cu_entry *e, struct cu_err *err)
{
    struct cu_statement claim;

    if (!cu_entry_evidence(e).n) return CU_OK;
    TRY(cu_statement_read(cu_entry_evidence(e), &claim, err));
    note_signer(g, &claim.kid);
    return e->kind == CU_KIND_TIMEOUT ? bring_seen(g, &claim.body.claim.seen, err) : CU_OK;
}

/* ---- copies: the first attestation of each organisation, until they are enough ---- */
struct attested {
    struct gathering *g;
    uint64_t parties;
};

static uint64_t bits(uint64_t x)
{
    uint64_t n = 0;

    for (; x; x &= x - 1) n++;
    return n;
}

static bool enough(const struct attested *a)
{
    const struct cu_terms terms = cu_terms_at(a->g->p, a->g->seq);

    return bits(a->parties) >= terms.copies && (a->parties & terms.mandatory) == terms.mandatory;
}

static cu_status bring_stored(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    struct attested *a = arg;
    const uint64_t bit = stored->party ? UINT64_C(1) << (stored->party - 1) % 64 : 0;
    struct cu_entry entry = { 0 };

    if (!bit || (a->parties & bit) || enough(a)) return CU_OK;
    a->parties |= bit;
    TRY(bring(a->g, stored->seq.v, &entry, err));
    if (entry.signed_) note_signer(a->g, &entry.outer.kid);
    return bring_dating(a->g, stored->seq, err);
}

static cu_status bring_copies(struct gathering *g, struct cu_err *err)
{
    struct attested a = { .g = g };
    const struct cu_terms terms = cu_terms_at(g->p, g->seq);

    TRY(g->p->index.find_stored(g->p->index.self, g->seq, bring_stored, &a, err));
    ENSURE(bits(a.parties) >= terms.copies, err, CU_COPIES_MISSING,
           "recorded, with copies %llu of %llu required: there is no receipt yet; do not give the original back",
           (unsigned long long)bits(a.parties), (unsigned long long)terms.copies);
    ENSURE(enough(&a), err, CU_COPIES_MISSING,
           "recorded, but an organisation that must hold a copy has not attested one yet: there is no receipt yet");
    return CU_OK;
}

/* ---- the checkpoint ---- */

/* The first with a quorum that covers all that was gathered so far, where one is asked for; else the newest. */
static cu_status choose_checkpoint(struct gathering *g, struct cu_err *err)
{
    const uint64_t last = g->n > 0 && g->at[g->n - 1].seq > g->seq.v ? g->at[g->n - 1].seq : g->seq.v;

    g->size = g->p->log.checkpoint.size;
    cu_buf_clear(&g->note);
    if (cu_cosigned_needed(g->p, g->size) && !g->p->remote.ops) /* what is read from afar has its quorum already */
        return cu_cosigned_pick(g->p, (cu_seq){ last }, &g->note, &g->size, err);
    cu_buf_add(&g->note, cu_buf_span(&g->p->log.note));
    return cu_buf_ok(&g->note, err);
}

static bool in_genesis(const struct cu_place *p, const struct cu_vkey *vkey)
{
    struct cu_party party;
    struct cu_party_key key;

    for (size_t at = 0; cu_list_next(&p->genesis.outer.body.genesis.parties, &cu_party_schema, &at, &party);)
        for (size_t k = 0; cu_list_next(&party.keys, &cu_party_key_schema, &k, &key);)
            if (cu_span_eq(key.pub, cu_public_span(&vkey->pub))) return true;
    return false;
}

/* Content that travelled with the record is held by whoever cosigned: are those enough? */
static bool cosigners_hold(struct gathering *g)
{
    struct attested a = { .g = g };
    struct cu_tlog_policy policy;
    struct cu_note note;

    if (!cu_cosigned_needed(g->p, g->size) || cu_note_read(cu_buf_span(&g->note), &note, NULL) != CU_OK ||
        cu_trust_policy(&g->p->trust, g->size, &policy, NULL) != CU_OK)
        return false;
    for (size_t i = 0; i < note.sigs_n; i++)
        for (size_t k = 0; k < policy.logs_n + policy.nodes_n; k++) {
            const struct cu_vkey *key = k < policy.logs_n ? &policy.log[k] : &policy.node[k - policy.logs_n].vkey;
            const cu_hash kid = cu_key_id(&key->pub);
            const struct cu_member_key *member = cu_members_key(&g->p->members, &kid);
            if (note.sig[i].id == key->id && cu_span_eq(note.sig[i].name, key->name) && member &&
                (k >= policy.logs_n || in_genesis(g->p, key))) /* a later log key is nobody's, to who reads the receipt alone */
                a.parties |= bit_of(cu_members_party(&g->p->members, member->party)->organisation);
        }
    return enough(&a);
}

/* ---- who enrolled the signers: all that is said of their keys, and of the keys of who says it ---- */
static cu_status bring_member(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct gathering *g = arg;
    struct cu_entry entry;
    struct cu_span bytes;

    if (row->seq.v >= g->size.v) return CU_OK; /* of a later log than the receipt's */
    TRY(cu_log_entry(&g->p->log, row->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &entry, err));
    if (!(g->parties & bit_of(entry.outer.body.member.party))) return CU_OK;
    note_signer(g, &entry.outer.kid);
    return bring(g, row->seq.v, NULL, err);
}

static bool runs_a_signer(const struct gathering *g, uint64_t organisation);

struct bringing {
    struct gathering *g;
    const struct cu_changed *change;
};

static cu_status bring_approval(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct bringing *b = arg;

    if (!cu_hash_eq(&row->ref, &b->change->id) || row->seq.v > b->change->at) return CU_OK;
    note_signer(b->g, &row->kid);
    return bring(b->g, row->seq.v, NULL, err);
}

static cu_status bring_change(struct gathering *g, const struct cu_changed *change, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_APPROVE };
    struct cu_entry entry = { 0 };

    TRY(bring(g, change->proposed, &entry, err));
    if (entry.signed_) note_signer(g, &entry.outer.kid);
    return g->p->index.find(g->p->index.self, &q, bring_approval, &(struct bringing){ g, change }, err);
}

/* As the verifier asks for them: src/proof/verify_signers.c. `*io_last`: the newest proposal that is needed. */
static bool needs_change(const struct gathering *g, const struct cu_changed *c, const struct cu_changed *terms, uint64_t last)
{
    if (c == terms) return true;
    if (c->change == CU_CHANGE_LEAVE && c->proposed < last) return true;
    if (c->change == CU_CHANGE_JOIN || c->change == CU_CHANGE_LEAVE) return runs_a_signer(g, c->party);
    return c->change == CU_CHANGE_KEYS && c->speaks && g->parties & bit_of(c->party);
}

static cu_status bring_changes(struct gathering *g, struct cu_err *err)
{
    const struct cu_changed *made = (const void *)g->p->later.changes.p, *terms = NULL;
    const size_t n = g->p->later.changes.n / sizeof *made;
    uint64_t last = 0;

    for (size_t i = 0; i < n && g->deposit; i++)
        if (made[i].has_terms && made[i].at < g->seq.v) terms = &made[i];
    for (size_t i = n; i > 0; i--) {
        const struct cu_changed *c = &made[i - 1];
        if (c->at >= g->size.v || !needs_change(g, c, terms, last)) continue;
        TRY(bring_change(g, c, err));
        if (c->proposed > last) last = c->proposed;
    }
    return CU_OK;
}

static cu_status bring_members(struct gathering *g, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_MEMBER };
    uint64_t before;
    size_t had;

    do {
        before = g->parties;
        had = g->n;
        TRY(g->p->index.find(g->p->index.self, &q, bring_member, g, err));
        TRY(bring_changes(g, err));
    } while (g->parties != before || g->n != had);
    return CU_OK;
}

static bool runs_a_signer(const struct gathering *g, uint64_t organisation)
{
    const struct cu_members *m = &g->p->members;

    for (size_t i = 0; i < m->parties_n; i++)
        if (m->party[i].organisation == organisation && g->parties & bit_of(m->party[i].id)) return true;
    return false;
}

static cu_status bring_confirm(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct gathering *g = arg;
    struct cu_entry entry;
    struct cu_span bytes;

    TRY(cu_log_entry(&g->p->log, row->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &entry, err));
    if (!runs_a_signer(g, entry.outer.body.confirm.party)) return CU_OK;
    return bring(g, row->seq.v, NULL, err);
}

static cu_status bring_enrolment(struct gathering *g, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_CONFIRM };

    TRY(bring(g, 0, NULL, err));
    TRY(bring_members(g, err));
    return g->p->index.find(g->p->index.self, &q, bring_confirm, g, err);
}

/* ---- the whole ---- */
static cu_status gather(struct gathering *g, const struct cu_entry *e, bool travels, struct cu_err *err)
{
    cu_status chosen = CU_COSIGNATURES_MISSING;

    note_signer(g, &e->outer.kid);
    if (e->has_inner) note_signer(g, &e->inner.kid);
    g->deposit = e->kind == CU_KIND_DEPOSIT;
    if (e->kind == CU_KIND_MEMBER) g->parties |= bit_of(e->outer.body.member.party);
    if (e->kind == CU_KIND_PROPOSE && e->outer.body.propose.party) g->parties |= bit_of(e->outer.body.propose.party);
    if (e->kind == CU_KIND_APPROVE) TRY(bring_proposal(g, &e->outer.body.approve.proposal, err));
    TRY(bring_dating(g, g->seq, err));
    TRY(bring_seen(g, cu_entry_seen(e), err));
    if (e->kind == CU_KIND_DEPOSIT || e->kind == CU_KIND_REFUSAL) {
        TRY(bring_seen(g, &e->inner.body.claim.seen, err));
        TRY(bring_case(g, &e->inner.body.claim.case_id, err));
    }
    if (e->kind == CU_KIND_INVENTORY && e->outer.body.inventory.has_case)
        TRY(bring_case(g, &e->outer.body.inventory.case_id, err));
    if (e->kind == CU_KIND_NOTICE) TRY(bring_case(g, &e->outer.body.notice.case_id, err));
    if (cu_entry_notice(e)) TRY(bring_notice(g, cu_entry_notice(e), err));
    TRY(bring_evidence(g, e, err));
    if (e->kind != CU_KIND_DEPOSIT || travels) chosen = choose_checkpoint(g, err);
    if (e->kind == CU_KIND_DEPOSIT && (chosen != CU_OK || !cosigners_hold(g))) {
        TRY(bring_copies(g, err));
        chosen = choose_checkpoint(g, err);
    }
    TRY(chosen);
    return bring_enrolment(g, err);
}

static cu_status write_receipt(struct gathering *g, struct cu_span record, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_support support[CU_RECEIPT_SUPPORT_MAX];
    const struct cu_node_source nodes = cu_tile_node_source(&g->p->log.nodes);

    for (size_t i = 0; i < g->n; i++) {
        const struct gathered *from = &g->at[i];
        support[i] = (struct cu_support){ .seq = from->seq, .entry = cu_buf_span(&from->entry) };
        if (from->details.n < CU_SALT_LEN) continue;
        support[i].has_details = true;
        support[i].salt = cu_span(from->details.p, CU_SALT_LEN);
        support[i].details = cu_span(from->details.p + CU_SALT_LEN, from->details.n - CU_SALT_LEN);
    }
    const struct cu_receipt_parts parts = { cu_buf_span(&g->note), g->seq, record, support, g->n };
    return cu_receipt_make(&parts, &nodes, ret, err);
}

/* No receipt leaves that its own verifier would not pass. */
static cu_status verify_own(struct cu_place *p, struct cu_span receipt, struct cu_err *err)
{
    struct cu_report *report = malloc(sizeof *report);
    uint8_t *scratch = malloc(CU_VERIFY_SCRATCH);
    cu_status verified = report && scratch ? cu_receipt_verify(receipt, &p->trust, NULL, &p->verifier, scratch, report, err)
                                           : cu_fail(err, CU_NO_MEMORY, "no memory to verify the receipt: it was not handed out");

    const bool signer = verified == CU_OK && (report->verdict[CU_VERDICT_SIGNER] == CU_PASS || report->status == CU_DISPUTED);
    if (verified == CU_OK &&
        (report->verdict[CU_VERDICT_INTEGRITY] != CU_PASS || !signer)) /* disputed is what the log says of it */
        verified = cu_fail(err, CU_CORRUPT,
                           "the receipt just made does not verify (%s; %s): it was not handed out; run `custody check`",
                           report->why[CU_VERDICT_INTEGRITY].text, report->why[CU_VERDICT_SIGNER].text);
    free(report);
    free(scratch);
    return verified;
}

static cu_status make(struct gathering *g, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    struct cu_record parts;
    struct cu_entry entry;

    TRY(cu_place_record(g->p, g->seq, true, &record, err));
    TRY(cu_record_read(cu_buf_span(&record), &parts, err));
    TRY(cu_entry_read(parts.entry, &entry, err));
    ENSURE(entry.signed_, err, CU_USAGE, "receipts are for statements; this entry is the ledger's own");
    const bool travels = parts.content.p != NULL && !entry.inner.body.claim.has_folder; /* of a folder the files do not */
    TRY(gather(g, &entry, travels, err));
    return write_receipt(g, cu_buf_span(&record), ret, err);
}

/* Where somebody works alone, who cosigns is asked now. */
static cu_status ask_and_make(struct gathering *g, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_place *p = g->p;
    const cu_seq seq = g->seq;
    struct cu_err why = { 0 };
    bool met;

    const cu_status asked = cu_witnesses_ask(p, &met, &why);
    if (asked != CU_OK && !met)
        return cu_fail(err, CU_COSIGNATURES_MISSING, "recorded, but there is no receipt yet; do not give the original back: %s",
                       why.text);
    if (!met) return CU_COSIGNATURES_MISSING;
    gathering_free(g);
    *g = (struct gathering){ .p = p, .seq = seq, .note = cu_buf_heap(CU_NOTE_MAX) };
    return make(g, ret, err);
}

cu_status cu_receipt_of(struct cu_place *p, cu_seq seq, struct cu_buf *ret, struct cu_err *err)
{
    struct gathering *g = calloc(1, sizeof *g);
    cu_status made;

    ENSURE(g, err, CU_NO_MEMORY, "out of memory");
    g->p = p;
    g->seq = seq;
    g->note = cu_buf_heap(CU_NOTE_MAX);
    made = make(g, ret, err);
    if (made == CU_COSIGNATURES_MISSING && p->outside.open && p->engine) made = ask_and_make(g, ret, err);
    gathering_free(g);
    free(g);
    return made == CU_OK ? verify_own(p, cu_buf_span(ret), err) : made;
}

void cu_receipt_name(const char *exhibit, const cu_hash *id, char ret[300])
{
    char hex[65];
    size_t n = 0;

    cu_hash_hex(id, hex);
    for (const char *c = exhibit; *c && n < 200; c++) ret[n++] = (char)(strchr("/ \\:", *c) ? '-' : *c);
    snprintf(ret + n, 300 - n, "%.*s.tlog-proof", n ? 0 : 16, hex);
}
