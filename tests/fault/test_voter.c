/* Votes of a validator: whatever stops, fails, is damaged, put back or copied, no turn of the chain is signed for in two ways. */
#include "adapters/faulty/faulty.h"
#include "adapters/memory/memory.h"
#include "engine/cometbft/voter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define PATH "node/cosigner/votes"
#define CHAIN "custody-00112233445566778899aabbccddeeff"

static struct cu_private_key key, other;
static struct cu_err error;
static unsigned alarms;
static char alarmed[1000];

static void alarm_of(void *arg, const struct cu_err *why)
{
    (void)arg;
    alarms++;
    snprintf(alarmed, sizeof alarmed, "%s", why->text);
}

/* ---- one disk, one voter ---- */

struct disk {
    struct cu_fs memory, fs;
    struct cu_faulty faulty;
    struct cu_voter *voter;
};

static void disk_over(struct disk *d, struct cu_fs memory)
{
    *d = (struct disk){ .memory = memory };
    d->faulty = (struct cu_faulty){
        .inner = memory, .stop_after = CU_NEVER, .lost = cu_memory_lose, .lost_all = cu_memory_lose_all
    };
    d->fs = cu_faulty_fs(&d->faulty);
}

static void disk_new(struct disk *d)
{
    struct cu_fs memory;

    assert_int_equal(cu_memory_fs(&memory, &error), CU_OK);
    disk_over(d, memory);
}

static void put_away(struct disk *d)
{
    cu_voter_close(d->voter);
    d->fs.ops->close(d->fs.self);
    d->voter = NULL;
}

static cu_status open_as(struct disk *d, const struct cu_private_key *by)
{
    const struct cu_voter_config config = { &d->fs, PATH, by, cu_span_str(CHAIN), 4, alarm_of, NULL };
    const cu_status opened = cu_voter_open(&config, &d->voter, &error);

    if (opened == CU_OK) assert_true(cu_voter_caught_up(d->voter, 0, (uint64_t[]){ 1, 1 }, 2));
    return opened;
}

static void begin(struct disk *d)
{
    assert_int_equal(cu_voter_begin(&d->fs, PATH, &key, false, &error), CU_OK);
    assert_int_equal(open_as(d, &key), CU_OK);
}

/* ---- what is asked ---- */

enum { PREVOTE = 1, PRECOMMIT = 2 };
static const uint8_t blocks[2][32] = { { 1 }, { 2 } };

static uint8_t memory[4096];
static struct cu_abci_signer answer;

static const struct cu_abci_response_sign_vote *vote_at(struct disk *d, int64_t height, int64_t round, int64_t type, int block,
                                                        int64_t seconds)
{
    struct cu_buf mem = cu_buf_over(memory, sizeof memory);
    struct cu_abci_signer q = { .there = true };
    struct cu_abci_vote *v = &q.sign_vote.vote;

    q.sign_vote.there = v->there = v->block_id.there = v->timestamp.there = true;
    q.sign_vote.chain_id = cu_span_str(CHAIN);
    v->type = type, v->height = height, v->round = round, v->timestamp.seconds = seconds;
    if (block >= 0) {
        v->block_id.hash = cu_span(blocks[block], 32);
        v->block_id.part_set_header = (struct cu_abci_part_set_header){ true, 1, cu_span(blocks[block], 32) };
    }
    cu_voter_answer(d->voter, &q, &answer, &mem);
    assert_true(answer.signed_vote.there);
    return &answer.signed_vote;
}

static bool votes(struct disk *d, int64_t height, int64_t round, int64_t type, int block)
{
    const struct cu_abci_response_sign_vote *a = vote_at(d, height, round, type, block, 100);
    return !a->error.there && a->vote.signature.n == CU_SIGNATURE_LEN;
}

static void chain_has(struct disk *d, uint64_t height, const struct cu_private_key *by)
{
    const cu_hash address = cu_sha256(cu_public_span(&by->pub));
    struct cu_abci_vote_info vote = { .there = true, .validator = { true, cu_span(address.b, 20), 1 }, .block_id_flag = 2 };
    const struct cu_abci_commit_info info = { .there = true, .votes = { &vote, 1 } };

    cu_voter_saw(d->voter, &info, height);
    vote.block_id_flag = 1; /* absent */
    cu_voter_saw(d->voter, &info, height + 1000);
}

/* ---- the tests ---- */

static void turns_go_on_and_the_same_turn_gets_the_same_signature(void **state)
{
    struct disk d;
    uint8_t first[CU_SIGNATURE_LEN];

    (void)state;
    disk_new(&d);
    begin(&d);
    const struct cu_abci_response_sign_vote *a = vote_at(&d, 5, 1, PREVOTE, 0, 100);
    assert_int_equal(a->vote.signature.n, CU_SIGNATURE_LEN);
    memcpy(first, a->vote.signature.p, sizeof first);
    for (int again = 0; again < 2; again++) {
        a = vote_at(&d, 5, 1, PREVOTE, 0, 160); /* asked a minute later: the time of then, and that signature */
        assert_int_equal(a->vote.timestamp.seconds, 100);
        assert_memory_equal(a->vote.signature.p, first, sizeof first);
        cu_voter_close(d.voter); /* and by a process that came after */
        assert_int_equal(open_as(&d, &key), CU_OK);
    }
    assert_false(votes(&d, 5, 1, PREVOTE, 1));  /* another block */
    assert_false(votes(&d, 5, 1, PREVOTE, -1)); /* none */
    assert_false(votes(&d, 5, 0, PRECOMMIT, 0));
    assert_false(votes(&d, 4, 9, PRECOMMIT, 0));
    assert_true(votes(&d, 5, 1, PRECOMMIT, -1));
    assert_false(votes(&d, 5, 1, PREVOTE, 0));
    assert_true(votes(&d, 5, 2, PREVOTE, 1));
    assert_true(votes(&d, 6, 0, PREVOTE, 1));
    assert_false(votes(&d, -1, 0, PREVOTE, 1));
    assert_false(votes(&d, 7, 0, 3, 1)); /* no type that is voted with */
    put_away(&d);
    d.memory.ops->close(d.memory.self);
}

static void a_proposal_comes_before_the_votes_and_no_other_chain_is_signed_for(void **state)
{
    struct cu_buf mem = cu_buf_over(memory, sizeof memory);
    struct cu_abci_signer q = { .there = true };
    struct cu_abci_proposal *p = &q.sign_proposal.proposal;
    struct disk d;

    (void)state;
    disk_new(&d);
    begin(&d);
    q.sign_proposal.there = p->there = p->block_id.there = p->timestamp.there = true;
    p->type = 32, p->height = 3, p->pol_round = -1, p->block_id.hash = cu_span(blocks[0], 32);
    q.sign_proposal.chain_id = cu_span_str("custody-of-others");
    cu_voter_answer(d.voter, &q, &answer, &mem);
    assert_true(answer.signed_proposal.error.there);
    q.sign_proposal.chain_id = cu_span_str(CHAIN);
    cu_voter_answer(d.voter, &q, &answer, &mem);
    assert_false(answer.signed_proposal.error.there);
    assert_int_equal(answer.signed_proposal.proposal.signature.n, CU_SIGNATURE_LEN);
    assert_true(votes(&d, 3, 0, PREVOTE, 0));
    cu_voter_answer(d.voter, &q, &answer, &mem);
    assert_true(answer.signed_proposal.error.there);
    q = (struct cu_abci_signer){ .there = true, .pub_key = { .there = true } };
    cu_voter_answer(d.voter, &q, &answer, &mem);
    assert_true(cu_span_eq(answer.its_pub_key.pub_key.ed25519, cu_public_span(&key.pub)));
    q = (struct cu_abci_signer){ .there = true, .ping = { .there = true } };
    cu_voter_answer(d.voter, &q, &answer, &mem);
    assert_true(answer.pong.there);
    put_away(&d);
    d.memory.ops->close(d.memory.self);
}

/* Ten turns, each for block 0; then, on what a stop left, each for block 1: none may have got both. */
static void whatever_stops_or_fails_no_turn_is_signed_twice(void **state)
{
    enum { TURNS = 10 };
    bool all = false;

    (void)state;
    for (unsigned how = 0; how < 2; how++)
        for (uint64_t n = 0; !all || n == 0; n++) {
            struct disk d, after;
            bool got[TURNS];
            disk_new(&d);
            begin(&d);
            d.faulty.calls = d.faulty.effects = 0;
            if (how == 0) d.faulty.stop_after = n;
            else d.faulty.fail_call = n + 1;
            for (int i = 0; i < TURNS; i++) got[i] = votes(&d, i / 2 + 1, 0, 1 + i % 2, 0);
            all = !d.faulty.stopped && !d.faulty.failed;
            for (int i = 0; i < TURNS && all; i++) assert_true(got[i]);
            put_away(&d);
            if (n % 2) { /* another process finds what lies there, durable or not, and is asked the same before the power goes */
                disk_over(&after, d.memory);
                if (open_as(&after, &key) == CU_OK)
                    for (int i = 0; i < TURNS; i++) got[i] |= votes(&after, i / 2 + 1, 0, 1 + i % 2, 0);
                put_away(&after);
            }
            for (uint64_t seed = 0; seed < 4; seed++) {
                struct cu_fs copy;
                assert_int_equal(cu_memory_copy(&d.memory, &copy, &error), CU_OK);
                if (how == 0 && seed == 0) cu_memory_crash(&d.memory, n), copy.ops->close(copy.self), copy = d.memory;
                disk_over(&after, copy);
                if (open_as(&after, &key) == CU_OK)
                    for (int i = 0; i < TURNS; i++) assert_false(got[i] && votes(&after, i / 2 + 1, 0, 1 + i % 2, 1));
                put_away(&after);
                if (copy.self != d.memory.self) copy.ops->close(copy.self);
            }
            d.memory.ops->close(d.memory.self);
        }
}

static void what_is_damaged_missing_or_another_keys_signs_nothing(void **state)
{
    struct disk d;

    (void)state;
    disk_new(&d);
    assert_int_equal(open_as(&d, &key), CU_NOT_FOUND);
    assert_non_null(strstr(error.text, "custody network resume"));
    begin(&d);
    assert_true(votes(&d, 5, 0, PREVOTE, 0));
    cu_voter_close(d.voter);
    d.voter = NULL;
    assert_int_equal(open_as(&d, &other), CU_CORRUPT);
    for (uint64_t bit = 0; bit < 176 * 8; bit++) { /* of the last state, of the one before it, of both */
        const uint64_t of[2] = { 4096 * 8 + bit, bit };
        for (unsigned which = 1; which < 4; which++) {
            for (unsigned i = 0; i < 2; i++)
                if (which >> i & 1) assert_true(cu_memory_flip(&d.memory, PATH, of[i]));
            assert_int_equal(open_as(&d, &key), which == 3 ? CU_CORRUPT : CU_OK);
            if (which < 3) assert_false(votes(&d, 5, 0, PREVOTE, 1) || votes(&d, 5, 0, PRECOMMIT, 1));
            for (unsigned i = 0; i < 2; i++)
                if (which >> i & 1) assert_true(cu_memory_flip(&d.memory, PATH, of[i]));
            cu_voter_close(d.voter);
            d.voter = NULL;
        }
    }
    assert_int_equal(open_as(&d, &key), CU_OK);
    assert_int_equal(cu_voter_begin(&d.fs, PATH, &key, false, &error), CU_OK); /* begins nothing anew */
    assert_false(votes(&d, 5, 0, PREVOTE, 1));
    put_away(&d);
    d.memory.ops->close(d.memory.self);
}

static void votes_that_the_chain_has_and_this_state_does_not_know_end_it(void **state)
{
    struct disk d;

    (void)state;
    disk_new(&d);
    begin(&d);
    alarms = 0;
    assert_true(votes(&d, 5, 0, PRECOMMIT, 0));
    chain_has(&d, 4, &key), chain_has(&d, 5, &key), chain_has(&d, 9, &other);
    assert_true(alarms == 0 && votes(&d, 6, 0, PREVOTE, 0));
    chain_has(&d, 7, &key), chain_has(&d, 8, &key);
    assert_int_equal(alarms, 1);
    assert_non_null(strstr(alarmed, "height 7"));
    assert_false(votes(&d, 8, 0, PREVOTE, 0));
    put_away(&d);
    d.memory.ops->close(d.memory.self);
}

static void begun_anew_it_learns_from_the_chain_and_lets_one_height_go_by(void **state)
{
    struct disk d;

    (void)state;
    disk_new(&d);
    assert_int_equal(cu_voter_begin(&d.fs, PATH, &key, true, &error), CU_OK);
    assert_int_equal(open_as(&d, &key), CU_OK);
    alarms = 0;
    chain_has(&d, 7, &key);
    assert_int_equal(alarms, 0);
    assert_false(votes(&d, 7, 5, PRECOMMIT, 0)); /* below what the chain has */
    assert_false(votes(&d, 8, 0, PREVOTE, 0));   /* under way: it may have voted */
    assert_false(votes(&d, 8, 1, PREVOTE, 0));
    cu_voter_close(d.voter); /* still so for a process that comes after */
    assert_int_equal(open_as(&d, &key), CU_OK);
    assert_false(votes(&d, 8, 2, PREVOTE, 0));
    assert_true(votes(&d, 9, 0, PREVOTE, 0));
    chain_has(&d, 11, &key);
    assert_int_equal(alarms, 1);
    put_away(&d);
    d.memory.ops->close(d.memory.self);
}

static void nothing_is_signed_until_it_has_caught_up_whatever_one_of_four_says(void **state)
{
    const struct cu_voter_config config = { NULL, PATH, &key, cu_span_str(CHAIN), 4, alarm_of, NULL };
    struct cu_voter_config of = config;
    struct disk d;

    (void)state;
    disk_new(&d);
    of.fs = &d.fs;
    assert_int_equal(cu_voter_begin(&d.fs, PATH, &key, false, &error), CU_OK);
    assert_int_equal(cu_voter_open(&of, &d.voter, &error), CU_OK);
    assert_false(votes(&d, 8, 0, PREVOTE, 0));
    assert_false(cu_voter_caught_up(d.voter, 7, NULL, 0));
    assert_false(cu_voter_caught_up(d.voter, 7, (uint64_t[]){ 8 }, 1));       /* too few are there */
    assert_false(cu_voter_caught_up(d.voter, 7, (uint64_t[]){ 9, 9, 3 }, 3)); /* two are further */
    assert_false(votes(&d, 8, 0, PREVOTE, 0));
    assert_true(cu_voter_caught_up(d.voter, 7, (uint64_t[]){ 8, 1u << 30, 8 }, 3)); /* one lies */
    assert_true(votes(&d, 8, 0, PREVOTE, 0));
    assert_false(cu_voter_owes(d.voter));
    put_away(&d);
    of.validators = 1; /* alone */
    struct disk alone;
    disk_over(&alone, d.memory);
    of.fs = &alone.fs;
    assert_int_equal(cu_voter_open(&of, &alone.voter, &error), CU_OK);
    assert_true(cu_voter_caught_up(alone.voter, 7, NULL, 0));
    put_away(&alone);
    d.memory.ops->close(d.memory.self);
}

/* The engine asks once a turn, and where too few voted there is no next one. */
static void who_refused_a_vote_and_was_not_asked_again_owes_it(void **state)
{
    const struct timespec stuck = { CU_VOTER_STUCK_MS / 1000, 100000000 };
    struct cu_voter_config of = { NULL, PATH, &key, cu_span_str(CHAIN), 4, alarm_of, NULL };
    struct disk d;

    (void)state;
    disk_new(&d);
    of.fs = &d.fs;
    assert_int_equal(cu_voter_begin(&d.fs, PATH, &key, false, &error), CU_OK);
    assert_int_equal(cu_voter_open(&of, &d.voter, &error), CU_OK);
    assert_false(votes(&d, 8, 0, PREVOTE, 0));
    nanosleep(&stuck, NULL);
    assert_false(cu_voter_owes(d.voter)); /* it would refuse it again */
    assert_true(cu_voter_caught_up(d.voter, 7, (uint64_t[]){ 8, 8, 8 }, 3));
    assert_true(cu_voter_owes(d.voter));
    assert_false(cu_voter_owes(d.voter)); /* once */
    put_away(&d);
    d.memory.ops->close(d.memory.self);
}

static void a_state_behind_what_is_committed_here_lets_one_height_go_by_too(void **state)
{
    struct disk d;

    (void)state;
    disk_new(&d);
    begin(&d);
    assert_true(votes(&d, 5, 0, PRECOMMIT, 0));
    cu_voter_stands(d.voter, 5);
    assert_true(votes(&d, 6, 0, PREVOTE, 0));
    cu_voter_stands(d.voter, 8);
    assert_false(votes(&d, 9, 0, PREVOTE, 0));
    assert_true(votes(&d, 10, 0, PREVOTE, 0));
    assert_true(votes(&d, 10, 0, PRECOMMIT, 0));
    put_away(&d);
    d.memory.ops->close(d.memory.self);
}

/* ---- a key takes another's place ---- */

#define NEXT PATH "-next"

static void follow(struct disk *d, const struct cu_private_key *by)
{
    struct cu_engine_key of[4] = { { { 1 } }, { { 2 } }, { { 3 } } };

    if (by) memcpy(of[3].pub, by->pub.bytes, sizeof of->pub);
    cu_voter_follow(d->voter, of, by ? 4 : 3);
}

static bool asked_of(struct disk *d, const struct cu_private_key *by, int64_t height, int block)
{
    const cu_hash address = cu_sha256(cu_public_span(&by->pub));
    struct cu_buf mem = cu_buf_over(memory, sizeof memory);
    struct cu_abci_signer q = { .there = true };
    struct cu_abci_vote *v = &q.sign_vote.vote;

    q.sign_vote.there = v->there = v->block_id.there = v->timestamp.there = true;
    q.sign_vote.chain_id = cu_span_str(CHAIN);
    v->type = PREVOTE, v->height = height, v->validator_address = cu_span(address.b, 20);
    v->block_id.hash = cu_span(blocks[block], 32);
    cu_voter_answer(d->voter, &q, &answer, &mem);
    return !answer.signed_vote.error.there;
}

static bool is_told(struct disk *d, const struct cu_private_key *by)
{
    struct cu_buf mem = cu_buf_over(memory, sizeof memory);
    const struct cu_abci_signer q = { .there = true, .pub_key = { .there = true } };

    cu_voter_answer(d->voter, &q, &answer, &mem);
    return cu_span_eq(answer.its_pub_key.pub_key.ed25519, cu_public_span(&by->pub));
}

static cu_status open_both(struct disk *d)
{
    const struct cu_voter_config config = { &d->fs, PATH, &key, cu_span_str(CHAIN), 4, alarm_of, NULL, NEXT, &other };
    const cu_status opened = cu_voter_open(&config, &d->voter, &error);

    if (opened == CU_OK) assert_true(cu_voter_caught_up(d->voter, 0, (uint64_t[]){ 1, 1 }, 2));
    return opened;
}

static void the_key_that_the_ledger_names_signs_and_no_other(void **state)
{
    struct disk d;

    (void)state;
    disk_new(&d);
    alarms = 0;
    assert_int_equal(cu_voter_begin(&d.fs, PATH, &key, false, &error), CU_OK);
    assert_int_equal(open_both(&d), CU_NOT_FOUND); /* what the other one signed is not known */
    assert_int_equal(cu_voter_begin(&d.fs, NEXT, &other, false, &error), CU_OK);
    assert_int_equal(open_both(&d), CU_OK);
    follow(&d, &key);
    assert_true(is_told(&d, &key) && asked_of(&d, &key, 5, 0));
    assert_false(asked_of(&d, &other, 5, 0));
    cu_voter_stands(d.voter, 5);
    follow(&d, &other);
    assert_true(is_told(&d, &other));
    assert_false(asked_of(&d, &key, 6, 0));
    assert_true(asked_of(&d, &other, 6, 0)); /* at once: it signed nothing before it was in force */
    assert_false(asked_of(&d, &other, 6, 1));
    chain_has(&d, 5, &key), chain_has(&d, 6, &other);
    cu_voter_close(d.voter); /* each has its state, whichever process asks */
    assert_int_equal(open_both(&d), CU_OK);
    follow(&d, &other);
    assert_false(asked_of(&d, &other, 6, 1));
    assert_true(asked_of(&d, &other, 7, 1));
    assert_int_equal(alarms, 0);
    chain_has(&d, 8, &key); /* the old one is used elsewhere */
    assert_int_equal(alarms, 1);
    assert_false(asked_of(&d, &other, 9, 0));
    put_away(&d);
    d.memory.ops->close(d.memory.self);
}

static void who_is_no_validator_has_a_key_and_signs_nothing(void **state)
{
    const struct timespec stuck = { CU_VOTER_STUCK_MS / 1000, 100000000 };
    struct disk d;

    (void)state;
    disk_new(&d);
    begin(&d);
    follow(&d, NULL);
    assert_true(is_told(&d, &key));
    assert_false(asked_of(&d, &key, 5, 0));
    assert_false(cu_voter_owes(d.voter));
    put_away(&d);
    assert_int_equal(cu_voter_begin(&d.memory, NEXT, &other, false, &error), CU_OK);
    disk_over(&d, d.memory);
    assert_int_equal(open_both(&d), CU_OK);
    follow(&d, &key);
    assert_true(is_told(&d, &key));
    follow(&d, &other); /* and CometBFT, which catches up, does not ask who signs */
    assert_false(cu_voter_owes(d.voter));
    nanosleep(&stuck, NULL);
    assert_true(cu_voter_owes(d.voter));
    assert_true(is_told(&d, &other));
    assert_false(cu_voter_owes(d.voter));
    put_away(&d);
    d.memory.ops->close(d.memory.self);
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(cu_crypto_init(&error), CU_OK);
    assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &key, &error), CU_OK);
    return cu_private_generate(CU_ALG_EDDSA, &other, &error) != CU_OK;
}

static int tear_down(void **state)
{
    (void)state;
    cu_private_free(&key);
    cu_private_free(&other);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_go_on_and_the_same_turn_gets_the_same_signature),
        cmocka_unit_test(a_proposal_comes_before_the_votes_and_no_other_chain_is_signed_for),
        cmocka_unit_test(whatever_stops_or_fails_no_turn_is_signed_twice),
        cmocka_unit_test(what_is_damaged_missing_or_another_keys_signs_nothing),
        cmocka_unit_test(votes_that_the_chain_has_and_this_state_does_not_know_end_it),
        cmocka_unit_test(nothing_is_signed_until_it_has_caught_up_whatever_one_of_four_says),
        cmocka_unit_test(a_state_behind_what_is_committed_here_lets_one_height_go_by_too),
        cmocka_unit_test(who_refused_a_vote_and_was_not_asked_again_owes_it),
        cmocka_unit_test(the_key_that_the_ledger_names_signs_and_no_other),
        cmocka_unit_test(who_is_no_validator_has_a_key_and_signs_nothing),
        cmocka_unit_test(begun_anew_it_learns_from_the_chain_and_lets_one_height_go_by),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
