/* A chain of trust: four organisations, one changes its keys, a fifth joins, one leaves, less is asked for; followed from the network id, and from
 * older trust files. */
#include "../../one_of.h"
#include "custody/text.h"
#include "custody/trust_chain.h"
#include "synthetic.h"

enum { STEPS = 4, MEMBERS = 5 };

struct part {
    struct cu_buf note, entries, hashes;
    size_t n;
    cu_size size;
};

static struct synthetic *s;
static struct cu_private_key says[MEMBERS], logs[MEMBERS], cosigns[MEMBERS], rotated[2];
static struct part part[STEPS];
static struct cu_buf whole, today;

/* ---- the ledger's life ---- */

static uint64_t put(enum cu_kind kind, const void *body, const struct cu_private_key *by)
{
    struct made *m = new_entry(s);

    OK(cu_statement_sign(kind, body, &s->network, by, &m->bytes, &error));
    return enter(s, m);
}

static void put_given(struct cu_buf *out, enum cu_purpose purpose, const struct cu_private_key *key)
{
    struct cu_given_key given = { .purpose = purpose,
                                  .neg_alg = (uint64_t) - (int64_t)key->pub.alg,
                                  .pub = cu_public_span(&key->pub) };
    uint8_t message[128];

    OK(cu_sign(key, cu_span(message, cu_possession_message(&s->network, purpose, &key->pub, message)), given.proof, &error));
    OK(cu_schema_write(&cu_given_key_schema, &given, out, &error));
}

/* Proposed by the first, approved by as many as it takes. */
static void decide(struct cu_propose *p, size_t approvals)
{
    p->time = s->now, p->seen = seen_now(s), p->until = s->now + 1000000;
    const uint64_t seq = put(CU_KIND_PROPOSE, p, &says[0]);
    for (size_t i = 0; i < approvals; i++) {
        const struct cu_approve a = { s->now, seen_now(s), s->at[seq].id };
        put(CU_KIND_APPROVE, &a, &says[i]);
    }
}

static void confirm_fifth(void)
{
    struct possessor p[] = { { says[4].id, &says[4], CU_PURPOSE_STATEMENT },
                             { logs[4].id, &logs[4], CU_PURPOSE_LOG },
                             { cosigns[4].id, &cosigns[4], CU_PURPOSE_COSIGN } };
    CU_BUF list = cu_buf_heap(8192);
    uint8_t message[128];

    qsort(p, 3, sizeof *p, by_kid);
    for (size_t i = 0; i < 3; i++) {
        struct cu_possession one = { .kid = p[i].kid };
        OK(cu_sign(p[i].key, cu_span(message, cu_possession_message(&s->network, p[i].purpose, &p[i].key->pub, message)),
                   one.signature, &error));
        OK(cu_schema_write(&cu_possession_schema, &one, &list, &error));
    }
    const struct cu_confirm c = { .party = DEPOSITOR(s) + 1, .time = s->now, .keys = { 3, cu_buf_span(&list) } };
    put(CU_KIND_CONFIRM, &c, &says[4]);
}

/* By the first one's log key, and the cosigners in `by`, whoever they are by then. */
static void put_checkpoint(size_t size, unsigned by, struct cu_buf *out)
{
    const struct cu_checkpoint c = { cu_buf_span(&s->origin), { size }, root_of(s, size) };
    CU_BUF text = cu_buf_heap(512);

    cu_checkpoint_put(&c, &text);
    OK(cu_note_sign(out, cu_buf_span(&text), c.origin, &logs[0], &error));
    for (unsigned i = 0; i < MEMBERS; i++) {
        CU_BUF name = cu_buf_heap(256);
        cu_cosigner_name(c.origin, i < 4 ? i + 1 : DEPOSITOR(s) + 1, &name);
        if (by >> i & 1) OK(cu_note_cosign(out, cu_buf_span(&text), cu_buf_span(&name), &cosigns[i], s->now / 1000, &error));
    }
}

/* Of the log at `size`: what is said of members from `from` on, but for [without, until). */
static void put_part_without(struct part *p, uint64_t from, uint64_t size, unsigned by, uint64_t without, uint64_t until)
{
    cu_seq seqs[ENTRIES_MAX];
    cu_hash hashes[ENTRIES_MAX * 8];
    const struct cu_node_source nodes = { s, memory_node };
    size_t n;

    *p = (struct part){
        .note = cu_buf_heap(CU_NOTE_MAX), .entries = cu_buf_heap(1 << 20), .hashes = cu_buf_heap(1 << 20), .size = { size }
    };
    for (uint64_t seq = from; seq < size; seq++) {
        if ((!cu_members_taken(s->at[seq].kind) || (seq >= without && seq < until)) && seq + 1 < size) continue;
        const struct cu_chain_entry e = { seq, cu_buf_span(&s->at[seq].bytes) };
        OK(cu_schema_write(&cu_chain_entry_schema, &e, &p->entries, &error));
        seqs[p->n++].v = seq;
    }
    put_checkpoint(size, by, &p->note);
    OK(cu_multiproof_make(&nodes, seqs, p->n, p->size, NULL, hashes, ENTRIES_MAX * 8, &n, &error));
    cu_buf_add(&p->hashes, cu_span((const uint8_t *)hashes, n * sizeof *hashes));
}

static void put_part(struct part *p, uint64_t from, unsigned by) { put_part_without(p, from, s->n, by, 0, 0); }

static void part_free(struct part *p) { cu_buf_free(&p->note), cu_buf_free(&p->entries), cu_buf_free(&p->hashes); }

static struct cu_span chain_of(unsigned which, struct cu_buf *out)
{
    struct cu_trust_chain chain = { .genesis = cu_buf_span(&s->at[0].bytes) };
    CU_BUF steps = cu_buf_heap(1 << 20);

    for (unsigned i = 0; i < STEPS; i++) {
        const struct cu_chain_step step = { cu_buf_span(&part[i].note),
                                            { part[i].n, cu_buf_span(&part[i].entries) },
                                            cu_buf_span(&part[i].hashes) };
        if (!(which >> i & 1)) continue;
        OK(cu_schema_write(&cu_chain_step_schema, &step, &steps, &error));
        chain.steps.n++;
    }
    chain.steps.bytes = cu_buf_span(&steps);
    cu_buf_clear(out);
    OK(cu_schema_write(&cu_trust_chain_schema, &chain, out, &error));
    return cu_buf_span(out);
}

/* What was found good once is good: of an altered chain most is as it was. */
static void verify_once(void *self, struct cu_sig_job *jobs, size_t n)
{
    static cu_hash good[256];

    for (size_t i = 0; i < n; i++) {
        const cu_hash digest = cu_sha256_parts(
            (struct cu_span[]){ cu_public_span(jobs[i].key), cu_span(jobs[i].signature, CU_SIGNATURE_LEN), jobs[i].message }, 3);
        cu_hash *at = &good[digest.b[0]];
        jobs[i].status = CU_OK;
        if (cu_hash_eq(at, &digest)) continue;
        s->by.verify(s->by.self, &jobs[i], 1);
        if (jobs[i].status == CU_OK) *at = digest;
    }
    (void)self;
}

static cu_status go(struct cu_span chain, struct cu_span from, struct cu_buf *out)
{
    struct cu_verifier by = { .name = "once", .verify = verify_once };
    size_t steps;

    cu_buf_clear(out);
    return cu_trust_follow(chain, from, &s->network, &by, out, &steps, &error);
}

static void live(void)
{
    CU_BUF given = cu_buf_heap(8192);
    uint64_t from = 1;

    put_given(&given, CU_PURPOSE_LOG, &rotated[0]);
    put_given(&given, CU_PURPOSE_COSIGN, &rotated[1]);
    decide(&(struct cu_propose){ .change = CU_CHANGE_KEYS, .party = 2, .keys = { 2, cu_buf_span(&given) } }, 3);
    add_block(s);
    put_part(&part[0], from, 15);
    from = s->n;
    const struct cu_private_key old[] = { logs[1], cosigns[1] };
    logs[1] = rotated[0], cosigns[1] = rotated[1], rotated[0] = old[0], rotated[1] = old[1];

    add_case(s, "C1", 1);
    cu_buf_clear(&given);
    put_given(&given, CU_PURPOSE_STATEMENT, &says[4]);
    put_given(&given, CU_PURPOSE_LOG, &logs[4]);
    put_given(&given, CU_PURPOSE_COSIGN, &cosigns[4]);
    decide(&(struct cu_propose){ .change = CU_CHANGE_JOIN, .party = DEPOSITOR(s) + 1, .keys = { 3, cu_buf_span(&given) } }, 3);
    add_block(s);
    confirm_fifth();
    add_block(s);
    put_part(&part[1], from, 15);
    from = s->n;

    decide(&(struct cu_propose){ .change = CU_CHANGE_LEAVE, .party = 4 }, 4);
    add_block(s);
    put_part(&part[2], from, 0x17);
    from = s->n;

    decide(&(struct cu_propose){ .change = CU_CHANGE_POLICY, .has_terms = true, .terms = { .cosigners = 2, .copies = 1 } }, 3);
    add_block(s);
    put_part(&part[3], from, 0x17);
}

static int set_up(void **state)
{
    (void)state;
    s = synthetic_new(4);
    for (size_t i = 0; i < 4; i++) says[i] = s->statement[i], logs[i] = s->log[i], cosigns[i] = s->cosign[i];
    OK(cu_private_generate(CU_ALG_ES256, &says[4], &error));
    OK(cu_private_generate(CU_ALG_EDDSA, &logs[4], &error));
    OK(cu_private_generate(CU_ALG_EDDSA, &cosigns[4], &error));
    for (size_t i = 0; i < 2; i++) OK(cu_private_generate(CU_ALG_EDDSA, &rotated[i], &error));
    live();
    whole = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    today = cu_buf_heap(CU_TRUST_MAX);
    OK(go(chain_of(15, &whole), CU_SPAN_EMPTY, &today));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    s->log[1] = rotated[0], s->cosign[1] = rotated[1];
    cu_private_free(&logs[1]), cu_private_free(&cosigns[1]);
    cu_private_free(&says[4]), cu_private_free(&logs[4]), cu_private_free(&cosigns[4]);
    for (size_t i = 0; i < STEPS; i++) part_free(&part[i]);
    cu_buf_free(&whole), cu_buf_free(&today);
    synthetic_free(s);
    return 0;
}

/* ---- what it leads to ---- */

static bool lists(const struct cu_tlog_policy *policy, const struct cu_private_key *key)
{
    for (size_t i = 0; i < policy->logs_n; i++)
        if (cu_span_eq(cu_public_span(&policy->log[i].pub), cu_public_span(&key->pub))) return true;
    for (size_t i = 0; i < policy->nodes_n; i++)
        if (cu_span_eq(cu_public_span(&policy->node[i].vkey.pub), cu_public_span(&key->pub))) return true;
    return false;
}

static void the_network_id_leads_over_each_change_to_today(void **state)
{
    static const struct {
        size_t logs, k;
        bool old, fifth, fourth;
    } is[STEPS + 1] = { { 4, 3, true, false, true },
                        { 4, 3, false, false, true },
                        { 5, 3, false, true, true },
                        { 4, 3, false, true, false },
                        { 4, 2, false, true, false } };
    static struct cu_tlog_policy policy;
    struct cu_trust trust;
    uint64_t first = 0;

    (void)state;
    OK(cu_trust_read(cu_buf_span(&today), &trust, &error));
    assert_int_equal(trust.epochs_n, STEPS + 1);
    assert_true(cu_hash_eq(&trust.network, &s->network));
    for (size_t i = 0; i <= STEPS; i++) {
        assert_int_equal(trust.epoch[i].first.v, first);
        first = i < STEPS ? part[i].size.v + 1 : 0;
        OK(cu_trust_policy(&trust, trust.epoch[i].first, &policy, &error));
        assert_int_equal(policy.logs_n, is[i].logs);
        assert_int_equal(policy.node[policy.quorum].k, is[i].k);
        assert_int_equal(lists(&policy, &rotated[0]) && lists(&policy, &rotated[1]), is[i].old);
        assert_int_equal(lists(&policy, &logs[1]) && lists(&policy, &cosigns[1]), !is[i].old);
        assert_int_equal(lists(&policy, &logs[4]) && lists(&policy, &cosigns[4]), is[i].fifth);
        assert_int_equal(lists(&policy, &logs[3]) || lists(&policy, &cosigns[3]), is[i].fourth);
    }
}

static void it_goes_on_from_any_older_trust_file_and_takes_nothing_from_a_newer(void **state)
{
    CU_BUF old = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF out = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF older = cu_buf_heap(CU_TRUST_CHAIN_MAX);

    (void)state;
    for (unsigned n = 0; n <= STEPS; n++) {
        OK(go(chain_of((1u << n) - 1, &older), CU_SPAN_EMPTY,
              &old)); /* a chain that lacks its last changes: an older trust file */
        OK(go(cu_buf_span(&whole), cu_buf_span(&old), &out));
        assert_true(cu_span_eq(cu_buf_span(&out), cu_buf_span(&today)));
        OK(go(cu_buf_span(&older), cu_buf_span(&today), &out));
        assert_true(cu_span_eq(cu_buf_span(&out), cu_buf_span(&today)));
    }
}

static void outside_witnesses_of_the_older_file_stay(void **state)
{
    CU_BUF old = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF out = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF text = cu_buf_heap(512);
    CU_BUF chain = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    const struct cu_checkpoint c = { cu_buf_span(&s->origin), part[3].size, root_of(s, part[3].size.v) };
    static struct cu_tlog_policy policy;
    struct cu_trust trust;

    (void)state;
    OK(go(chain_of(7, &out), CU_SPAN_EMPTY, &old));
    old.n -= strlen("quorum organisations\n");
    cu_buf_add_str(&old, "witness outside-1 ");
    put_vkey(&old, cu_span_str(WITNESS(0)), CU_NOTE_COSIGNATURE, &s->witness[0]);
    cu_buf_add_str(&old, "\ngroup outside 1 outside-1\ngroup both all outside organisations\nquorum both\n");
    assert_int_equal(go(cu_buf_span(&whole), cu_buf_span(&old), &out), CU_UNTRUSTED); /* the witness is asked for, too */
    cu_checkpoint_put(&c, &text);
    const size_t before = part[3].note.n;
    OK(cu_note_cosign(&part[3].note, cu_buf_span(&text), cu_span_str(WITNESS(0)), &s->witness[0], s->now / 1000, &error));
    OK(go(chain_of(15, &chain), cu_buf_span(&old), &out));
    part[3].note.n = before;
    OK(cu_trust_read(cu_buf_span(&out), &trust, &error));
    OK(cu_trust_policy(&trust, (cu_size){ part[3].size.v + 1 }, &policy, &error));
    assert_true(lists(&policy, &s->witness[0]));
}

/* ---- what it refuses ---- */

static void each_altered_bit_is_refused_or_without_effect(void **state)
{
    CU_BUF out = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF bad = cu_buf_heap(CU_TRUST_CHAIN_MAX);

    (void)state;
    cu_buf_add(&bad, cu_buf_span(&whole));
    for (size_t i = 0; i < whole.n; i += SANITIZED ? 97 : 7) {
        bad.p[i] ^= (uint8_t)(1u << i % 8);
        if (go(cu_buf_span(&bad), CU_SPAN_EMPTY, &out) == CU_OK) assert_true(cu_span_eq(cu_buf_span(&out), cu_buf_span(&today)));
        else assert_int_equal(out.n, 0);
        bad.p[i] = whole.p[i];
    }
    for (size_t n = 0; n < whole.n; n += SANITIZED ? 97 : 7)
        assert_int_equal(go(cu_span(whole.p, n), CU_SPAN_EMPTY, &out), CU_MALFORMED);
}

static void a_change_that_is_left_out_is_missed_or_missing(void **state)
{
    static const struct {
        unsigned which;
        cu_status status;
    } cases[] = {
        { 14, CU_NOT_CONFIRMED }, /* the first has all that was said of members before it, too */
        { 13, CU_REVOKED },       /* without the fifth three approvals were enough, and whose was the fourth had left */
        { 11, CU_MALFORMED },     /* with the fourth three were not: nothing changed */
        { 12, CU_UNTRUSTED },     /* signed by keys that nobody knows */
        { 7, CU_OK },             /* the last: an older trust file */
    };
    CU_BUF out = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF chain = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    static struct cu_tlog_policy policy;
    const struct part kept = part[1];
    struct cu_trust trust;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(go(chain_of(cases[i].which, &chain), CU_SPAN_EMPTY, &out), cases[i].status);

    /* The second one's keys, with care: those that did not change are a quorum, and so it is missing. The fingerprint says so. */
    put_part_without(&part[1], 1, kept.size.v, 15, part[0].size.v - 5, part[0].size.v);
    OK(go(chain_of(14, &chain), CU_SPAN_EMPTY, &out));
    part_free(&part[1]);
    part[1] = kept;
    OK(cu_trust_read(cu_buf_span(&out), &trust, &error));
    assert_int_equal(trust.epochs_n, STEPS);
    OK(cu_trust_policy(&trust, (cu_size){ s->n + 1 }, &policy, &error));
    assert_true(lists(&policy, &rotated[0]) && !lists(&policy, &logs[1]));
}

static void what_no_epoch_before_vouches_for_is_refused(void **state)
{
    CU_BUF out = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF chain = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    struct part kept = part[3];
    cu_hash other = s->network;
    struct cu_verifier by = cu_verifier_plain();
    size_t steps;

    (void)state;
    part[3].note = cu_buf_heap(CU_NOTE_MAX);
    put_checkpoint(kept.size.v, 3, &part[3].note); /* two of the three that are asked for */
    assert_int_equal(go(chain_of(15, &chain), CU_SPAN_EMPTY, &out), CU_UNTRUSTED);
    assert_non_null(strstr(error.text, "change 4 of 4 is not proven"));
    cu_buf_clear(&part[3].note);
    put_checkpoint(kept.size.v - 1, 0x17, &part[3].note); /* another log than that which has the entries */
    assert_int_not_equal(go(chain_of(15, &chain), CU_SPAN_EMPTY, &out), CU_OK);
    cu_buf_free(&part[3].note);
    part[3] = kept;

    other.b[0] ^= 1;
    assert_int_equal(cu_trust_follow(cu_buf_span(&whole), CU_SPAN_EMPTY, &other, &by, &out, &steps, &error), CU_WRONG_NETWORK);
    assert_int_equal(out.n, 0);
}

static void a_step_stands_at_the_block_that_changed_something_and_nowhere_else(void **state)
{
    CU_BUF out = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF chain = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    struct part kept = part[3];

    (void)state;
    add_case(s, "C2", 2);
    add_block(s);
    put_part(&part[3], kept.size.v, 0x17); /* nothing changed */
    assert_int_equal(go(chain_of(15, &chain), CU_SPAN_EMPTY, &out), CU_MALFORMED);
    part_free(&part[3]);
    put_part(&part[3], part[2].size.v, 0x17); /* a block too late */
    assert_int_equal(go(chain_of(15, &chain), CU_SPAN_EMPTY, &out), CU_MALFORMED);
    assert_non_null(strstr(error.text, "a block before"));
    part_free(&part[3]);
    part[3] = kept;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_network_id_leads_over_each_change_to_today),
        cmocka_unit_test(it_goes_on_from_any_older_trust_file_and_takes_nothing_from_a_newer),
        cmocka_unit_test(outside_witnesses_of_the_older_file_stay),
        cmocka_unit_test(each_altered_bit_is_refused_or_without_effect),
        cmocka_unit_test(a_change_that_is_left_out_is_missed_or_missing),
        cmocka_unit_test(what_no_epoch_before_vouches_for_is_refused),
        cmocka_unit_test(a_step_stands_at_the_block_that_changed_something_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
