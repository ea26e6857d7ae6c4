/* The rules, one conversation each; the numbers are those at the top of src/ledger/step.c. What is refused changes nothing:
 * every refusal is followed by a look at the digest, in `assert_said`'s company. */
#include "play.h"

#include "ledger/inside.h"

#include <pthread.h>

static struct play p;

static int start(void **state)
{
    (void)state;
    play_start(&p, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    play_close(&p);
    play_stop(&p);
    return 0;
}

static struct cu_recorded recorded(const cu_hash *id)
{
    struct cu_recorded found;

    assert_ok(cu_ledger_statement(p.l, id, &found, &err));
    return found;
}

/* ---- the main path -------------------------------------------------------------------------------------------------- */

static void an_officer_claims_a_provider_accepts_and_it_is_exhibit_1(void **state)
{
    uint64_t deposits_n;
    cu_seq case_seq;

    (void)state;
    cu_hash id = claims(&p, OFFICER, 1);
    assert_said(OK, accepts(&p));
    assert_int_equal(p.sub.seq.v, 5); /* genesis, confirm, block, case, block */
    assert_memory_equal(p.sub.id.b, id.b, 32);
    play_close(&p);
    assert_int_equal(recorded(&id).seq.v, 5);
    assert_int_equal(recorded(&id).kind, CU_KIND_DEPOSIT);
    assert_int_equal(recorded(&id).exhibit, 1);
    assert_ok(cu_ledger_case(p.l, &p.case_id, &deposits_n, &case_seq, &err));
    assert_int_equal(deposits_n, 1);
    assert_int_equal(case_seq.v, 3);
}

static void exhibits_are_numbered_by_case_in_log_order(void **state)
{
    static const struct {
        enum who who;
        uint64_t serial;
        uint8_t in_case;
        uint64_t exhibit;
    } rows[] = {
        { OFFICER, 2, 1, 1 }, { CLERK, 1, 1, 2 }, { OFFICER, 1, 2, 1 }, { OFFICER, 3, 1, 3 }, { CLERK, 2, 2, 2 },
    };
    cu_hash ids[5];

    (void)state;
    assert_said(OK, opens_case(&p, OFFICER, 2));
    play_close(&p);
    for (int i = 0; i < 5; i++) {
        struct cu_claim claim = play_claim(&p, rows[i].serial);
        claim.case_id = (cu_case_id){ { rows[i].in_case } };
        ids[i] = claims_so(&p, rows[i].who, &claim);
        assert_said(OK, accepts(&p));
    }
    play_close(&p);
    for (int i = 0; i < 5; i++) assert_int_equal(recorded(&ids[i]).exhibit, rows[i].exhibit);
}

static void a_block_says_what_it_closes(void **state)
{
    struct cu_entry entry;
    struct cu_tip before = p.m.tip(p.m.self);

    (void)state;
    assert_said(OK, deposits(&p, OFFICER, 1));
    assert_said(OK, deposits(&p, OFFICER, 2));
    cu_hash root = cu_frontier_root(p.m.frontier(p.m.self));
    play_close(&p);
    const struct batch *b = &p.batch[p.batches_n - 1];
    assert_ok(cu_entry_read(cu_span(b->block, b->block_n), &entry, &err));
    const struct cu_block *block = &entry.outer.body.block;
    assert_int_equal(block->height, before.height + 1);
    assert_int_equal(block->opened, b->opened);
    assert_int_equal(block->closed, b->closed);
    assert_int_equal(block->first, before.size.v);
    assert_int_equal(block->count, 2);
    assert_memory_equal(block->root.b, root.b, 32);
    cu_hash digest = cu_ledger_digest(p.l);
    assert_memory_equal(block->digest.b, digest.b, 32);
    struct cu_seen seen = newest(&p);
    assert_int_equal(seen.seq, block->first + block->count);
    assert_memory_equal(seen.leaf.b, entry.leaf.b, 32);
    assert_int_equal(p.m.tip(p.m.self).size.v, before.size.v + 3);
}

static void a_batch_that_admits_nothing_leaves_no_block(void **state)
{
    struct cu_tip before = p.m.tip(p.m.self), after;

    (void)state;
    assert_said(UNKNOWN_CASE, (claims_so(&p, OFFICER,
                                         &(struct cu_claim){ .serial = 1,
                                                             .case_id = { { 99 } },
                                                             .content = 1,
                                                             .size = 40000,
                                                             .seen = newest(&p),
                                                             .commitment = play_commitment() }),
                               accepts(&p)));
    play_close(&p);
    after = p.m.tip(p.m.self);
    assert_memory_equal(&before, &after, sizeof before);
}

static void an_abandoned_batch_never_was(void **state)
{
    cu_hash before = state_hash_of(p.l), after;

    (void)state;
    assert_said(OK, deposits(&p, OFFICER, 1));
    assert_said(OK, opens_case(&p, OFFICER, 2));
    assert_said(OK, voids(&p, OFFICER, 2, NULL));
    play_abandon(&p);
    after = state_hash_of(p.l);
    assert_memory_equal(&before, &after, sizeof before);
    assert_said(OK, deposits(&p, OFFICER, 1)); /* the number is free again */
}

static void heights_and_times_only_rise(void **state)
{
    uint8_t mem[512];
    struct cu_buf block = cu_buf_over(mem, sizeof mem);
    struct cu_tip tip = p.m.tip(p.m.self);

    (void)state;
    assert_fails(OUT_OF_ORDER, p.m.begin(p.m.self, tip.height, (cu_unix_ms){ p.now }, &err));
    assert_fails(OUT_OF_ORDER, p.m.begin(p.m.self, tip.height + 1, (cu_unix_ms){ tip.closed.v - 1 }, &err));
    p.now = tip.closed.v; /* the next batch is opened when the last was closed */
    assert_said(OK, deposits(&p, OFFICER, 1));
    assert_fails(OUT_OF_ORDER, p.m.end(p.m.self, tip.closed, &block, &err));
    assert_int_equal(block.n, 0);
    p.now++;
    play_close(&p);
}

/* ---- (2) (5) (19) the beginning -------------------------------------------------------------------------------------- */

static void nothing_comes_before_the_genesis(void **state)
{
    (void)state;
    play_begin(&p, NULL, 1);
    assert_said(NOT_CONFIRMED, opens_case(&p, OFFICER, 1));
    assert_said(NOT_CONFIRMED, confirms(&p, 1, 0));
    assert_said(OK, founds(&p));
    play_stop(&p);
}

static void there_is_one_genesis(void **state)
{
    (void)state;
    assert_said(DUPLICATE, founds(&p));
    assert_int_equal(p.sub.seq.v, 0);
    assert_said(WRONG_NETWORK, say_entry(&p, play_genesis(&p, 0xcd)));
}

static void until_more_than_two_thirds_have_confirmed_only_confirms_are_admitted(void **state)
{
    (void)state;
    play_begin(&p, NULL, 4);
    assert_said(OK, founds(&p));
    assert_said(OK, confirms(&p, 1, 0));
    play_close(&p);
    assert_said(NOT_CONFIRMED, opens_case(&p, OFFICER, 1));
    assert_said(OK, confirms(&p, 3, 0));
    assert_said(NOT_CONFIRMED, opens_case(&p, ORG, 1)); /* 2 of 4 */
    assert_said(OK, confirms(&p, 2, 0));
    assert_said(OK, opens_case(&p, ORG, 1));             /* 3 of 4 */
    assert_said(NOT_CONFIRMED, opens_case(&p, ORG4, 2)); /* its own organisation has not (6) */
    assert_said(OK, confirms(&p, 4, 0));                 /* later is not too late */
    assert_said(OK, opens_case(&p, ORG4, 2));
    play_close(&p);
    play_stop(&p);
}

static void a_confirm_proves_every_key_and_comes_once(void **state)
{
    (void)state;
    play_begin(&p, NULL, 4);
    assert_said(OK, founds(&p));
    assert_said(MISSING_SIGNATURE, confirms(&p, 2, 1));
    assert_said(OK, confirms(&p, 2, 0));
    assert_int_equal(p.sub.seq.v, 1);
    p.now++;
    assert_said(DUPLICATE, confirms(&p, 2, 0)); /* another statement, the same organisation */
    assert_int_equal(p.sub.seq.v, 1);
    play_close(&p);
    play_stop(&p);
}

/* ---- (1) (3) form, network, keys, signatures ------------------------------------------------------------------------- */

static void bytes_that_are_no_record_are_refused(void **state)
{
    (void)state;
    assert_said(MALFORMED, say_record(&p, cu_span_str("not a record")));
    const struct batch *b = &p.batch[0];
    assert_said(WRONG_KIND, say_entry(&p, cu_span(b->block, b->block_n)));
    claims(&p, OFFICER, 1);
    assert_said(MISSING_SIGNATURE, say_entry(&p, cu_buf_span(&p.claim))); /* a claim alone */
}

static void attachments_must_match(void **state)
{
    struct cu_buf out = cu_buf_over(p.record_mem, sizeof p.record_mem);
    struct cu_case body = { .case_id = { { 9 } }, .time = 1, .seen = newest(&p), .commitment = play_commitment() };
    struct cu_record record = { .entry = play_sign(&p, CU_KIND_CASE, OFFICER, &body),
                                .salt = CU_SPAN_OF(play_salt),
                                .details = cu_span_str("\xa0") };

    (void)state;
    assert_ok(cu_record_write(&record, &out, &err));
    assert_said(BAD_ATTACHMENT, say_record(&p, cu_buf_span(&out)));
}

static void a_statement_for_another_ledger_is_refused(void **state)
{
    (void)state;
    cu_hash mine = p.network;
    p.network.b[0] ^= 1;
    assert_said(WRONG_NETWORK, opens_case(&p, OFFICER, 2));
    p.network = mine;
    assert_said(OK, opens_case(&p, OFFICER, 2));
}

static void a_stranger_is_refused_in_either_layer(void **state)
{
    (void)state;
    assert_said(UNKNOWN_KEY, opens_case(&p, STRANGER, 2));
    claims(&p, STRANGER, 1);
    assert_said(UNKNOWN_KEY, accepts(&p));
    claims(&p, OFFICER, 1);
    struct cu_deposit deposit = { .claim = cu_buf_span(&p.claim), .time = p.now, .seen = newest(&p) };
    assert_said(UNKNOWN_KEY, say(&p, CU_KIND_DEPOSIT, STRANGER, &deposit));
}

/* The signature is the last field of a COSE_Sign1; that of the claim in a deposit lies before the outer payload's end. */
static void a_bad_signature_in_either_layer_is_refused(void **state)
{
    (void)state;
    claims(&p, OFFICER, 1);
    struct cu_deposit deposit = { .claim = cu_buf_span(&p.claim), .time = p.now, .seen = newest(&p) };
    struct cu_span entry = play_sign(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit);
    p.entry_mem[entry.n - 1] ^= 1;
    assert_said(BAD_SIGNATURE, say_entry(&p, entry));
    p.claim_mem[p.claim.n - 40] ^= 1;
    assert_said(BAD_SIGNATURE, say(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit)); /* well signed over a bad claim */
    p.claim_mem[p.claim.n - 40] ^= 1;
    assert_said(OK, say(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit));
}

/* n - s is as good a signature to stock libraries: here it is not, so nobody can make another entry of a recorded one. */
static void the_other_s_is_refused(void **state)
{
    static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                       0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
    struct cu_case body = { .case_id = { { 9 } }, .time = 1, .seen = newest(&p), .commitment = play_commitment() };
    struct cu_span entry = play_sign(&p, CU_KIND_CASE, OFFICER, &body);
    uint8_t *s = p.entry_mem + entry.n - 32;
    int borrow = 0;

    (void)state;
    for (int i = 31; i >= 0; i--) {
        int d = order[i] - s[i] - borrow;
        borrow = d < 0;
        s[i] = (uint8_t)(d + 256 * borrow);
    }
    assert_said(HIGH_S, say_entry(&p, entry));
}

/* A stock COSE library would look for another kind of key than the one that signed. */
static void the_header_names_the_keys_own_algorithm(void **state)
{
    static uint8_t header_mem[256], tbs_mem[1024], payload_mem[512];
    struct cu_buf header = cu_buf_over(header_mem, sizeof header_mem), tbs = cu_buf_over(tbs_mem, sizeof tbs_mem);
    struct cu_buf payload = cu_buf_over(payload_mem, sizeof payload_mem), out = cu_buf_over(p.entry_mem, sizeof p.entry_mem);
    struct cu_case body = { .case_id = { { 9 } }, .time = 1, .seen = newest(&p), .commitment = play_commitment() };
    uint8_t signature[CU_SIGNATURE_LEN];

    (void)state;
    cu_cbor_put_map(&header, 4);
    cu_cbor_put_int(&header, 1), cu_cbor_put_int(&header, CU_ALG_EDDSA);
    cu_cbor_put_int(&header, 4), cu_cbor_put_bytes(&header, cu_span_hash(kid_of(OFFICER)));
    cu_cbor_put_int(&header, 16), cu_cbor_put_text(&header, cu_span_str("application/custody-case+cose"));
    cu_cbor_put_int(&header, -65537), cu_cbor_put_bytes(&header, cu_span_hash(&p.network));
    assert_ok(cu_schema_write(cu_kind_row(CU_KIND_CASE)->payload, &body, &payload, &err));
    cu_sig_structure(cu_buf_span(&header), cu_buf_span(&payload), &tbs);
    assert_ok(cu_sign(&play_keys[OFFICER], cu_buf_span(&tbs), signature, &err));
    cu_cbor_put_tag(&out, 18);
    cu_cbor_put_array(&out, 4);
    cu_cbor_put_bytes(&out, cu_buf_span(&header));
    cu_cbor_put_map(&out, 0);
    cu_cbor_put_bytes(&out, cu_buf_span(&payload));
    cu_cbor_put_bytes(&out, CU_SPAN_OF(signature));
    assert_said(BAD_SIGNATURE, say_entry(&p, cu_buf_span(&out)));
}

static void what_was_prepared_before_its_key_was_known_is_judged_alike(void **state)
{
    (void)state;
    play_begin(&p, NULL, 1);
    assert_said(OK, founds(&p));
    assert_said(OK, confirms(&p, 1, 0));
    p.now++;
    struct cu_submission bad[2] = { 0 };
    uint8_t mem[2][2048];
    for (int i = 0; i < 2; i++) { /* 0: of a stranger; 1: badly signed */
        struct cu_case body = { .case_id = { { 5 } }, .time = 1, .commitment = play_commitment() };
        struct cu_span entry = play_sign(&p, CU_KIND_CASE, i ? OFFICER : STRANGER, &body);
        p.entry_mem[entry.n - 1] ^= (uint8_t)i;
        struct cu_buf out = cu_buf_over(mem[i], sizeof mem[i]);
        assert_ok(cu_record_write(&(struct cu_record){ .entry = entry, .salt = CU_SPAN_OF(play_salt), .details = PLAY_DETAILS },
                                  &out, &err));
        bad[i].bytes = cu_buf_span(&out);
    }
    p.m.prepare(p.m.self, bad, 2, &p.by); /* genesis is in the open batch: no key is known outside it */
    assert_int_equal(bad[0].status, CU_OK);
    assert_int_equal(bad[1].status, CU_OK);
    for (int i = 0; i < 2; i++) assert_ok(p.m.step(p.m.self, &bad[i], &err));
    assert_int_equal(bad[0].status, CU_UNKNOWN_KEY);
    assert_int_equal(bad[1].status, CU_BAD_SIGNATURE);
    play_close(&p);
    p.m.prepare(p.m.self, bad, 2, &p.by);
    assert_int_equal(bad[0].status, CU_OK); /* step will say it */
    assert_int_equal(bad[1].status, CU_BAD_SIGNATURE);
    play_stop(&p);
}

struct preparing {
    struct cu_span record;
    bool stop;
    unsigned good, waiting;
};

static void *prepare_again_and_again(void *arg)
{
    struct preparing *w = arg;
    struct cu_verifier by = cu_verifier_plain();

    while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
        struct cu_submission sub = { .bytes = w->record };
        p.m.prepare(p.m.self, &sub, 1, &by);
        if (sub.status != CU_OK) return (void *)1;
        if (sub.verified) w->good++;
        else w->waiting++;
    }
    return NULL;
}

static void threads_prepare_while_the_ledger_goes_on(void **state)
{
    struct preparing w[2] = { 0 };
    pthread_t thread[2];
    uint8_t mem[2048];
    void *failed = NULL;

    (void)state;
    play_begin(&p, NULL, 4);
    p.network = cu_leaf_hash(play_genesis(&p, 0xab));
    struct cu_case body = { .case_id = { { 5 } }, .time = 1, .commitment = play_commitment() };
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_record record = { .entry = play_sign(&p, CU_KIND_CASE, OFFICER, &body),
                                .salt = CU_SPAN_OF(play_salt),
                                .details = PLAY_DETAILS };
    assert_ok(cu_record_write(&record, &out, &err));
    for (int i = 0; i < 2; i++) {
        w[i].record = cu_buf_span(&out);
        assert_int_equal(pthread_create(&thread[i], NULL, prepare_again_and_again, &w[i]), 0);
    }
    assert_said(OK, founds(&p));
    play_close(&p);
    for (uint64_t organisation = 1; organisation <= 4; organisation++)
        assert_said(OK, confirms(&p, organisation, 0)), play_close(&p);
    for (int i = 0; i < 2; i++) __atomic_store_n(&w[i].stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
    play_stop(&p);
}

/* ---- (4) exactly once ------------------------------------------------------------------------------------------------ */

static void a_repeat_is_a_duplicate_and_learns_where_it_stands(void **state)
{
    (void)state;
    claims(&p, OFFICER, 1);
    assert_said(OK, accepts(&p));
    assert_said(DUPLICATE, accepts(&p)); /* in the same batch */
    assert_int_equal(p.sub.seq.v, 5);
    play_close(&p);
    p.now += 100000;
    assert_said(DUPLICATE, accepts(&p)); /* another acceptance of the same claim */
    assert_int_equal(p.sub.seq.v, 5);
    assert_said(OK, opens_case(&p, OFFICER, 2));
    p.said_n--, p.batch[p.batches_n].n--;
    struct said again = p.said[p.said_n];
    assert_said(DUPLICATE, say_record(&p, cu_span(again.bytes, again.n)));
    p.said_n++, p.batch[p.batches_n].n++;
}

/* ---- (6) roles -------------------------------------------------------------------------------------------------------- */

static void each_kind_is_said_by_its_role_alone(void **state)
{
    (void)state;
    assert_said(WRONG_ROLE, opens_case(&p, PROVIDER, 2));
    assert_said(WRONG_ROLE, stores(&p, OFFICER, 0, 1));
    assert_said(WRONG_ROLE, reads(&p, PROVIDER));
    assert_said(WRONG_ROLE, voids(&p, ORG, 1, NULL));
    claims(&p, PROVIDER, 1); /* the provider cannot deposit with itself */
    assert_said(WRONG_ROLE, accepts(&p));
    claims(&p, OFFICER, 1);
    struct cu_deposit deposit = { .claim = cu_buf_span(&p.claim), .time = p.now, .seen = newest(&p) };
    assert_said(WRONG_ROLE, say(&p, CU_KIND_DEPOSIT, OFFICER, &deposit)); /* nor the officer accept */
    assert_said(WRONG_ROLE,
                say(&p, CU_KIND_CASE, ORG_LOG,
                    &(struct cu_case){
                        .case_id = { { 3 } }, .seen = newest(&p), .commitment = play_commitment() })); /* one key, one purpose */
}

/* ---- (7) (8) what was seen -------------------------------------------------------------------------------------------- */

static void seen_is_a_block_of_this_log_in_both_layers(void **state)
{
    struct cu_seen good = newest(&p), not_a_block = { .seq = 3, .leaf = good.leaf }, other_leaf = good;

    (void)state;
    other_leaf.leaf.b[0] ^= 1;
    const struct cu_seen bad[] = { not_a_block, other_leaf, { .seq = 100, .leaf = good.leaf } };
    for (int i = 0; i < 3; i++) {
        struct cu_claim claim = play_claim(&p, 1);
        claim.seen = bad[i];
        claims_so(&p, OFFICER, &claim);
        assert_said(UNKNOWN_BLOCK, accepts(&p));
        claims(&p, OFFICER, 1);
        struct cu_deposit deposit = { .claim = cu_buf_span(&p.claim), .time = p.now, .seen = bad[i] };
        assert_said(UNKNOWN_BLOCK, say(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit));
        struct cu_case body = { .case_id = { { 7 } }, .seen = bad[i], .commitment = play_commitment() };
        assert_said(UNKNOWN_BLOCK, say(&p, CU_KIND_CASE, OFFICER, &body));
    }
}

static void an_acceptance_did_not_see_less_than_the_claim(void **state)
{
    struct cu_seen old = newest(&p);

    (void)state;
    assert_said(OK, opens_case(&p, OFFICER, 2));
    play_close(&p);
    claims(&p, OFFICER, 1);
    struct cu_deposit deposit = { .claim = cu_buf_span(&p.claim), .time = p.now, .seen = old };
    assert_said(OUT_OF_ORDER, say(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit));
    deposit.seen = newest(&p);
    assert_said(OK, say(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit));
}

static void an_aged_acceptance_is_signed_afresh_over_the_same_claim(void **state)
{
    struct cu_seen old = newest(&p);

    (void)state;
    claims(&p, OFFICER, 1);
    p.now += p.policy.acceptance_age - 1000; /* a second has passed since */
    assert_said(OK, opens_case(&p, OFFICER, 2));
    play_close(&p); /* closed exactly the policy's age after `old` */
    struct cu_deposit deposit = { .claim = cu_buf_span(&p.claim), .time = p.now, .seen = old };
    play_open(&p);
    assert_said(OK, say(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit));
    play_close(&p);
    claims_so(&p, OFFICER,
              &(struct cu_claim){
                  .serial = 2, .case_id = p.case_id, .content = 1, .size = 40000, .seen = old, .commitment = play_commitment() });
    deposit = (struct cu_deposit){ .claim = cu_buf_span(&p.claim), .time = p.now, .seen = old };
    assert_said(STALE, say(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit)); /* a second more: too old */
    assert_said(OK, accepts(&p));                                     /* the claim itself never is */
}

/* ---- (9) cases -------------------------------------------------------------------------------------------------------- */

static void a_deposit_into_an_unknown_case_is_refused_and_its_refusal_recorded(void **state)
{
    struct cu_claim claim = play_claim(&p, 1);

    (void)state;
    claim.case_id = (cu_case_id){ { 42 } };
    claims_so(&p, OFFICER, &claim);
    assert_said(UNKNOWN_CASE, accepts(&p));
    assert_said(OK, refuses(&p));
}

static void a_case_is_opened_once(void **state)
{
    (void)state;
    assert_said(CASE_EXISTS, opens_case(&p, ORG, 1));
    assert_int_equal(p.sub.seq.v, 3);
    assert_said(OK, opens_case(&p, ORG, 2));
    assert_said(CASE_EXISTS, opens_case(&p, OFFICER, 2));
}

static void a_case_has_deposits_of_at_most_64_keys(void **state)
{
    struct cu_row_case row;
    struct cu_row_at at = cu_at(CU_TABLE_CASE, CU_SPAN_OF(p.case_id.b));

    (void)state;
    assert_said(OK, deposits(&p, OFFICER, 1));
    assert_true(cu_state_get(&p.l->state, at, &row));
    assert_int_equal(row.keys, 1);
    row.keys = CU_CASE_KEYS_MAX; /* as if there were so many */
    cu_state_put(&p.l->state, at, &row);
    assert_said(OK, deposits(&p, OFFICER, 2)); /* one that is there already goes on */
    assert_said(TOO_LARGE, deposits(&p, CLERK, 1));
    row.keys--;
    cu_state_put(&p.l->state, at, &row);
    assert_said(OK, deposits(&p, CLERK, 1));
}

/* ---- (10) (11) serials ------------------------------------------------------------------------------------------------ */

static struct cu_serials serials_of(enum who who)
{
    struct cu_serials found;

    assert_ok(cu_ledger_serials(p.l, kid_of(who), &found, &err));
    return found;
}

static void numbers_come_in_any_order_within_the_window(void **state)
{
    cu_hash holder;

    (void)state;
    assert_int_equal(serials_of(OFFICER).lowest_open, 1);
    assert_int_equal(serials_of(OFFICER).highest, 0);
    assert_said(BAD_SERIAL, deposits(&p, OFFICER, CU_SERIAL_WINDOW + 2));
    assert_said(OK, deposits(&p, OFFICER, CU_SERIAL_WINDOW + 1)); /* 1,024 above 1 */
    assert_said(OK, deposits(&p, OFFICER, 2));
    play_close(&p);
    assert_int_equal(serials_of(OFFICER).lowest_open, 1);
    assert_int_equal(serials_of(OFFICER).highest, CU_SERIAL_WINDOW + 1);
    assert_fails(NOT_FOUND, cu_ledger_serial(p.l, kid_of(OFFICER), 1, &holder, &err));
    cu_hash id = claims(&p, OFFICER, 1);
    assert_said(OK, accepts(&p));
    play_close(&p);
    assert_int_equal(serials_of(OFFICER).lowest_open, 3);
    assert_ok(cu_ledger_serial(p.l, kid_of(OFFICER), 1, &holder, &err));
    assert_memory_equal(holder.b, id.b, 32);
    assert_said(OK, deposits(&p, OFFICER, CU_SERIAL_WINDOW + 3));
    assert_said(BAD_SERIAL, deposits(&p, OFFICER, CU_SERIAL_WINDOW + 4));
    assert_said(OK, deposits(&p, CLERK, 1)); /* every key counts for itself */
}

static void a_second_claim_under_a_taken_number_changes_nothing(void **state)
{
    struct cu_claim other = play_claim(&p, 1);

    (void)state;
    assert_said(OK, deposits(&p, OFFICER, 1));
    play_close(&p);
    cu_hash before = state_hash_of(p.l), after;
    other.size = 50000;
    claims_so(&p, OFFICER, &other);
    assert_said(SERIAL_TAKEN, accepts(&p));
    assert_int_equal(p.sub.seq.v, 5);
    assert_said(SERIAL_TAKEN, refuses(&p));
    play_close(&p);
    after = state_hash_of(p.l);
    assert_memory_equal(&before, &after, sizeof before);
}

static void a_number_voided_without_an_id_stays_void(void **state)
{
    cu_hash holder;

    (void)state;
    assert_said(OK, voids(&p, OFFICER, 1, NULL));
    play_close(&p);
    assert_int_equal(serials_of(OFFICER).lowest_open, 2);
    assert_ok(cu_ledger_serial(p.l, kid_of(OFFICER), 1, &holder, &err));
    assert_true(cu_hash_is_zero(&holder));
    assert_said(SERIAL_TAKEN, deposits(&p, OFFICER, 1));
    p.now++;
    assert_said(SERIAL_TAKEN, voids(&p, OFFICER, 1, NULL));
    assert_said(UNTRUE, (claims(&p, OFFICER, 1), reports_equivocation(&p, ORG))); /* held by no claim: no equivocation */
    assert_said(BAD_SERIAL, voids(&p, OFFICER, CU_SERIAL_WINDOW + 3, NULL));
}

/* ---- (12) (13) a deposit outranks -------------------------------------------------------------------------------------- */

static void a_deposit_is_admitted_after_a_refusal_and_no_refusal_after_it(void **state)
{
    (void)state;
    cu_hash id = claims(&p, OFFICER, 1);
    assert_said(OK, refuses(&p));
    assert_said(DUPLICATE, refuses(&p));
    assert_said(OUTRANKED, voids(&p, OFFICER, 1, &id)); /* only the first of refusal and void */
    play_close(&p);
    assert_int_equal(recorded(&id).kind, CU_KIND_REFUSAL);
    assert_said(OK, accepts(&p));
    uint64_t at = p.sub.seq.v;
    assert_said(OUTRANKED, refuses(&p));
    assert_int_equal(p.sub.seq.v, at);
    assert_said(OUTRANKED, voids(&p, OFFICER, 1, &id));
    assert_said(DUPLICATE, accepts(&p));
    play_close(&p);
    assert_int_equal(recorded(&id).kind, CU_KIND_DEPOSIT);
    assert_int_equal(recorded(&id).exhibit, 1);
    assert_int_equal(serials_of(OFFICER).lowest_open, 2);
}

static void a_deposit_is_admitted_after_a_void_that_names_it_and_no_other(void **state)
{
    (void)state;
    cu_hash id = claims(&p, OFFICER, 1);
    assert_said(OK, voids(&p, OFFICER, 1, &id));
    assert_said(OUTRANKED, refuses(&p));
    struct cu_claim other = play_claim(&p, 1);
    other.size = 50000;
    claims_so(&p, OFFICER, &other);
    assert_said(SERIAL_TAKEN, accepts(&p));
    claims(&p, OFFICER, 1);
    assert_said(OK, accepts(&p));
    p.now++;
    assert_said(OUTRANKED, voids(&p, OFFICER, 1, &id));
}

static void a_claim_is_voided_under_one_number_only(void **state)
{
    (void)state;
    cu_hash id = claims(&p, OFFICER, 1);
    assert_said(OK, voids(&p, OFFICER, 2, &id)); /* the depositor errs in the number: 2 is spent, the claim still has 1 */
    assert_said(OUTRANKED, voids(&p, OFFICER, 3, &id));
    assert_said(OUTRANKED, refuses(&p));
    assert_said(OK, accepts(&p));
    assert_said(OUTRANKED, voids(&p, OFFICER, 3, &id));
    assert_said(UNTRUE, voids(&p, CLERK, 1, &id)); /* nobody voids another's claim */
    play_close(&p);
    assert_int_equal(serials_of(OFFICER).lowest_open, 3);
}

static void a_void_by_another_key_does_not_hinder_the_refusal(void **state)
{
    (void)state;
    cu_hash id = claims(&p, OFFICER, 1);
    assert_said(OK, voids(&p, CLERK, 1, &id)); /* nothing is known of that claim yet */
    assert_said(OK, refuses(&p));
}

/* ---- (15) stored, access, corrections ----------------------------------------------------------------------------------- */

static void copies_are_attested_of_earlier_positions_only(void **state)
{
    (void)state;
    assert_said(OK, deposits(&p, OFFICER, 1)); /* at 5 */
    play_close(&p);
    assert_said(OUT_OF_ORDER, stores(&p, ORG, 5, 7)); /* it would stand at 7 itself */
    assert_said(OK, stores(&p, ORG, 5, 6));
    assert_said(OK, stores(&p, ORG, 0, 7));
}

static void reads_are_recorded(void **state)
{
    (void)state;
    assert_said(OK, reads(&p, ORG));
    p.now++;
    assert_said(OK, reads(&p, ORG));
}

static void a_correction_needs_a_recorded_target(void **state)
{
    (void)state;
    cu_hash id = claims(&p, OFFICER, 1), nothing = { { 1 } };
    assert_said(UNKNOWN_TARGET, corrects(&p, OFFICER, &id));
    assert_said(UNKNOWN_TARGET, corrects(&p, OFFICER, &nothing));
    assert_said(OK, accepts(&p));
    assert_said(OK, corrects(&p, OFFICER, &id)); /* of the same batch, too */
    assert_said(OK, corrects(&p, ORG, &p.sub.id));
}

/* ---- (19) disclosure ----------------------------------------------------------------------------------------------------- */

static void a_disclosure_names_recorded_deposits(void **state)
{
    (void)state;
    cu_hash ids[2] = { claims(&p, OFFICER, 1), { { 0xff } } }, opened;
    assert_said(UNKNOWN_TARGET, discloses(&p, OFFICER, ids, 1)); /* signed, but not recorded */
    assert_said(OK, accepts(&p));
    assert_said(OK, discloses(&p, OFFICER, ids, 1));
    memset(ids[1].b, 0xff, sizeof ids[1].b);
    assert_said(UNKNOWN_TARGET, discloses(&p, ORG, ids, 2));
    assert_said(OK, opens_case(&p, CLERK, 9));
    opened = p.sub.id; /* recorded, but no deposit */
    assert_said(UNKNOWN_TARGET, discloses(&p, ORG, &opened, 1));
    assert_said(WRONG_ROLE, discloses(&p, PROVIDER, ids, 1));
    p.now++;
    assert_said(OK, discloses(&p, ORG, ids, 1));
}

/* ---- (25) grants ------------------------------------------------------------------------------------------------------- */

static void a_grant_is_of_a_sealed_deposit_to_keys_that_act(void **state)
{
    const cu_hash nobody = { { 1 } };
    cu_hash reader[2];

    (void)state;
    reader[0] = gets_a_sealing_key(&p, ORG, 5), reader[1] = gets_a_sealing_key(&p, ORG, 6);
    assert_said(OK, deposits(&p, OFFICER, 1));
    const cu_hash plain = p.sub.id;
    assert_said(UNKNOWN_TARGET, grants(&p, OFFICER, &plain, reader, 1)); /* whoever may read it reads it */
    struct cu_claim claim = play_claim(&p, 2);
    claim.has_sealed = true, claim.sealed = ids_of(&reader[0], 1);
    const cu_hash sealed = claims_so(&p, OFFICER, &claim);
    assert_said(UNKNOWN_TARGET, grants(&p, OFFICER, &sealed, reader, 1)); /* not recorded */
    assert_said(OK, refuses(&p));
    assert_said(UNKNOWN_TARGET, grants(&p, OFFICER, &sealed, reader, 1));
    assert_said(OK, accepts(&p));
    assert_said(OK, grants(&p, OFFICER, &sealed, reader, 1)); /* of the same batch, too */
    assert_said(OK, grants(&p, ORG, &sealed, &reader[1], 1));
    assert_said(WRONG_ROLE, grants(&p, CLERK, &sealed, reader, 1)); /* a depositor, not this one */
    assert_said(WRONG_ROLE, grants(&p, PROVIDER, &sealed, reader, 1));
    assert_said(UNKNOWN_KEY, grants(&p, OFFICER, &sealed, &nobody, 1));
    assert_said(UNKNOWN_KEY, grants(&p, OFFICER, &sealed, &play_keys[ORG].id, 1)); /* it signs */
    assert_said(OK, revokes_the_key(&p, ORG, 5, &reader[0]));
    p.now++;
    assert_said(REVOKED, grants(&p, OFFICER, &sealed, reader, 1));
    assert_said(OK, grants(&p, OFFICER, &sealed, &reader[1], 1)); /* again: it changes nothing */
}

/* ---- (16) equivocation --------------------------------------------------------------------------------------------------- */

static void an_equivocation_is_recorded_if_true_and_once(void **state)
{
    struct cu_claim other = play_claim(&p, 1);

    (void)state;
    other.size = 50000;
    claims(&p, OFFICER, 1);
    assert_said(UNTRUE, reports_equivocation(&p, ORG)); /* nobody holds the number */
    assert_said(OK, accepts(&p));
    assert_said(UNTRUE, reports_equivocation(&p, ORG)); /* it is the holder */
    claims_so(&p, OFFICER, &other);
    p.claim_mem[p.claim.n - 40] ^= 1;
    assert_said(BAD_SIGNATURE, reports_equivocation(&p, ORG));
    p.claim_mem[p.claim.n - 40] ^= 1;
    assert_said(WRONG_ROLE, reports_equivocation(&p, PROVIDER));
    assert_said(OK, reports_equivocation(&p, ORG));
    uint64_t at = p.sub.seq.v;
    play_close(&p);
    assert_said(DUPLICATE, reports_equivocation(&p, ORG)); /* another statement of the same */
    assert_int_equal(p.sub.seq.v, at);
    other.size = 60000;
    claims_so(&p, OFFICER, &other);
    assert_said(OK, reports_equivocation(&p, ORG)); /* a third variant is news */
    claims_so(&p, STRANGER, &other);
    assert_said(UNKNOWN_KEY, reports_equivocation(&p, ORG));
    claims_so(&p, PROVIDER, &other);
    assert_said(WRONG_ROLE, reports_equivocation(&p, ORG));
}

static cu_status reports_misbehaviour(enum who who, uint8_t root)
{
    const struct cu_incident body = { .time = p.now,
                                      .seen = newest(&p),
                                      .type = CU_INCIDENT_MISBEHAVIOUR,
                                      .count = 1,
                                      .root = { { root } },
                                      .commitment = play_commitment() };

    return say(&p, CU_KIND_INCIDENT, who, &body);
}

static void a_misbehaviour_is_recorded_once_whoever_says_it(void **state)
{
    (void)state;
    assert_said(OK, reports_misbehaviour(ORG, 1));
    const uint64_t at = p.sub.seq.v;
    assert_said(DUPLICATE, (play_close(&p), reports_misbehaviour(ORG, 1)));
    assert_int_equal(p.sub.seq.v, at);
    assert_said(OK, reports_misbehaviour(ORG, 2));
    assert_said(WRONG_ROLE, reports_misbehaviour(PROVIDER, 3));
}

/* ---- (18) inventories ----------------------------------------------------------------------------------------------------- */

static cu_status takes_inventory(const enum who *of_key, struct cu_inventory *ret)
{
    static uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf open = cu_buf_over(mem, sizeof mem);

    play_close(&p);
    *ret = true_inventory(&p, of_key, &open);
    return say(&p, CU_KIND_INVENTORY, OFFICER, ret);
}

static void a_true_inventory_of_a_case_is_recorded(void **state)
{
    struct cu_inventory inventory;
    cu_hash leaves[5];

    (void)state;
    assert_said(OK, takes_inventory(NULL, &inventory)); /* of an empty case */
    assert_int_equal(inventory.n, 0);
    assert_false(inventory.has_last);
    for (uint64_t i = 0; i < 5; i++) {
        cu_hash id = claims(&p, i % 2 ? CLERK : OFFICER, 2 * (i / 2) + 2);
        assert_said(OK, accepts(&p));
        leaves[i] = cu_leaf_hash(cu_span_hash(&id));
        play_close(&p);
        cu_hash root = cu_tree_root(leaves, i + 1);
        assert_said(OK, takes_inventory(NULL, &inventory));
        assert_int_equal(inventory.n, i + 1);
        assert_memory_equal(inventory.root.b, root.b, 32);
        assert_memory_equal(inventory.last.b, id.b, 32);
        assert_int_equal(inventory.open.n, i == 0 ? 1 : 2); /* each key left out the odd numbers */
        play_close(&p);
    }
}

static void an_inventory_of_a_key_lists_its_open_numbers(void **state)
{
    struct cu_inventory inventory;
    struct cu_open_serials open;
    uint64_t serial, n = 0;
    size_t at = 0;

    (void)state;
    assert_said(OK, deposits(&p, OFFICER, 5));
    assert_said(OK, deposits(&p, OFFICER, 2));
    assert_said(OK, voids(&p, OFFICER, 4, NULL));
    play_close(&p);
    assert_said(OK, takes_inventory(&(enum who){ OFFICER }, &inventory));
    assert_int_equal(inventory.n, 2);
    assert_int_equal(inventory.open.n, 1);
    assert_true(cu_list_next(&inventory.open, &cu_open_serials_schema, &at, &open));
    at = 0;
    while (cu_list_next(&open.serials, &cu_uint_schema, &at, &serial)) assert_int_equal(serial, n++ ? 3 : 1);
    assert_int_equal(n, 2);
    assert_said(OK, takes_inventory(&(enum who){ CLERK }, &inventory)); /* nothing yet, and that is true */
    assert_int_equal(inventory.n, 0);
    assert_said(UNKNOWN_KEY, takes_inventory(&(enum who){ STRANGER }, &inventory));
}

static void an_untrue_inventory_is_refused(void **state)
{
    struct cu_inventory inventory;
    uint8_t mem[512];
    struct cu_buf open = cu_buf_over(mem, sizeof mem);

    (void)state;
    assert_said(OK, deposits(&p, OFFICER, 2));
    play_close(&p);
    inventory = true_inventory(&p, NULL, &open);
    struct cu_inventory wrong = inventory;
    wrong.n++;
    assert_said(UNTRUE, say(&p, CU_KIND_INVENTORY, ORG, &wrong));
    wrong = inventory;
    wrong.root.b[0] ^= 1;
    assert_said(UNTRUE, say(&p, CU_KIND_INVENTORY, ORG, &wrong));
    wrong = inventory;
    wrong.last.b[0] ^= 1;
    assert_said(UNTRUE, say(&p, CU_KIND_INVENTORY, ORG, &wrong));
    wrong = inventory;
    wrong.open = (struct cu_list){ 0 };
    assert_said(UNTRUE, say(&p, CU_KIND_INVENTORY, ORG, &wrong));
    wrong = inventory;
    wrong.case_id.b[0]++;
    assert_said(UNKNOWN_CASE, say(&p, CU_KIND_INVENTORY, ORG, &wrong));
    assert_said(OK, say(&p, CU_KIND_INVENTORY, ORG, &inventory));
}

static void an_inventory_is_stale_once_its_case_or_an_open_number_changed(void **state)
{
    struct cu_inventory inventory;
    uint8_t mem[512];
    struct cu_buf open = cu_buf_over(mem, sizeof mem);

    (void)state;
    assert_said(OK, opens_case(&p, OFFICER, 2));
    assert_said(OK, deposits(&p, OFFICER, 2));
    play_close(&p);
    inventory = true_inventory(&p, NULL, &open);
    struct cu_claim elsewhere = play_claim(&p, 3);
    elsewhere.case_id = (cu_case_id){ { 2 } };
    claims_so(&p, OFFICER, &elsewhere);
    assert_said(OK, accepts(&p)); /* the next number, in another case: nothing of ours changed */
    assert_said(OK, say(&p, CU_KIND_INVENTORY, ORG, &inventory));
    inventory.time++;
    assert_said(OK, voids(&p, OFFICER, 1, NULL)); /* the open number is not open any more */
    assert_said(STALE, say(&p, CU_KIND_INVENTORY, ORG, &inventory));
    play_close(&p);
    cu_buf_clear(&open);
    inventory = true_inventory(&p, NULL, &open);
    assert_said(OK, deposits(&p, OFFICER, 4));
    assert_said(STALE, say(&p, CU_KIND_INVENTORY, ORG, &inventory));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
#define ALONE(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_officer_claims_a_provider_accepts_and_it_is_exhibit_1),
        TEST(exhibits_are_numbered_by_case_in_log_order),
        TEST(a_block_says_what_it_closes),
        TEST(a_batch_that_admits_nothing_leaves_no_block),
        TEST(an_abandoned_batch_never_was),
        TEST(heights_and_times_only_rise),
        ALONE(nothing_comes_before_the_genesis),
        TEST(there_is_one_genesis),
        ALONE(until_more_than_two_thirds_have_confirmed_only_confirms_are_admitted),
        ALONE(a_confirm_proves_every_key_and_comes_once),
        TEST(bytes_that_are_no_record_are_refused),
        TEST(attachments_must_match),
        TEST(a_statement_for_another_ledger_is_refused),
        TEST(a_stranger_is_refused_in_either_layer),
        TEST(a_bad_signature_in_either_layer_is_refused),
        TEST(the_other_s_is_refused),
        TEST(the_header_names_the_keys_own_algorithm),
        ALONE(what_was_prepared_before_its_key_was_known_is_judged_alike),
        ALONE(threads_prepare_while_the_ledger_goes_on),
        TEST(a_repeat_is_a_duplicate_and_learns_where_it_stands),
        TEST(each_kind_is_said_by_its_role_alone),
        TEST(seen_is_a_block_of_this_log_in_both_layers),
        TEST(an_acceptance_did_not_see_less_than_the_claim),
        TEST(an_aged_acceptance_is_signed_afresh_over_the_same_claim),
        TEST(a_deposit_into_an_unknown_case_is_refused_and_its_refusal_recorded),
        TEST(a_case_is_opened_once),
        TEST(a_case_has_deposits_of_at_most_64_keys),
        TEST(numbers_come_in_any_order_within_the_window),
        TEST(a_second_claim_under_a_taken_number_changes_nothing),
        TEST(a_number_voided_without_an_id_stays_void),
        TEST(a_deposit_is_admitted_after_a_refusal_and_no_refusal_after_it),
        TEST(a_deposit_is_admitted_after_a_void_that_names_it_and_no_other),
        TEST(a_claim_is_voided_under_one_number_only),
        TEST(a_void_by_another_key_does_not_hinder_the_refusal),
        TEST(copies_are_attested_of_earlier_positions_only),
        TEST(reads_are_recorded),
        TEST(a_correction_needs_a_recorded_target),
        TEST(a_disclosure_names_recorded_deposits),
        TEST(a_grant_is_of_a_sealed_deposit_to_keys_that_act),
        TEST(an_equivocation_is_recorded_if_true_and_once),
        TEST(a_misbehaviour_is_recorded_once_whoever_says_it),
        TEST(a_true_inventory_of_a_case_is_recorded),
        TEST(an_inventory_of_a_key_lists_its_open_numbers),
        TEST(an_untrue_inventory_is_refused),
        TEST(an_inventory_is_stale_once_its_case_or_an_open_number_changed),
    };
    return cmocka_run_group_tests(tests, play_make_keys, play_free_keys);
}
