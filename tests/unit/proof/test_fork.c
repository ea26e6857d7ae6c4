/* Two histories of one log: the keeper who signed both is convicted, by any pair of receipts or by a receipt and a log. */
#include "../../one_of.h"
#include "synthetic.h"

struct fork_case {
    struct synthetic *s;
    struct cu_buf trust, honest, early, forged;
    struct cu_buf note_early, note_full, note_forged, forged_same;
    uint64_t deposit;
};
static uint8_t scratch[CU_VERIFY_SCRATCH];

/* An honest ledger of a while, receipts taken; then everything from the deposit on is written anew with all keys. */
static int set_up(void **state)
{
    struct fork_case *f = calloc(1, sizeof *f);
    struct synthetic *s = f->s = synthetic_new(1);

    f->trust = cu_buf_heap(CU_TRUST_MAX);
    f->honest = f->early = f->forged = f->forged_same = cu_buf_heap(CU_RECEIPT_MAX);
    f->note_early = f->note_full = f->note_forged = cu_buf_heap(CU_NOTE_MAX);
    put_trust(s, "integrity signer", "quorum none", &f->trust);
    uint64_t opened = add_case(s, "C1", 1);
    add_block(s);
    f->deposit = add_deposit(s, opened, &(struct order){ .content = cu_span("true", 4) });
    add_block(s);
    put_note(s, s->n, 0, 0, &f->note_early);
    put_receipt(s, f->deposit, cu_buf_span(&f->note_early), &f->early);
    add_void(s);
    add_block(s);
    add_void(s);
    add_block(s);
    put_note(s, s->n, 0, 0, &f->note_full);
    put_receipt(s, f->deposit, cu_buf_span(&f->note_full), &f->honest);
    size_t full = s->n;

    cut_back(s, f->deposit);
    add_deposit(s, opened, &(struct order){ .content = cu_span("fake", 4) });
    add_block(s);
    while (s->n + 2 <= full) add_void(s), add_block(s);
    CU_BUF same = cu_buf_heap(CU_NOTE_MAX);
    put_note(s, full, 0, 0, &same);
    put_receipt(s, f->deposit, cu_buf_span(&same), &f->forged_same);
    while (s->n < 21) add_void(s), add_block(s);
    put_note(s, s->n, 0, 0, &f->note_forged);
    put_receipt(s, f->deposit, cu_buf_span(&f->note_forged), &f->forged);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fork_case *f = *state;

    struct cu_buf *all[] = { &f->trust,      &f->honest,    &f->early,       &f->forged,
                             &f->note_early, &f->note_full, &f->note_forged, &f->forged_same };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) cu_buf_free(all[i]);
    synthetic_free(f->s);
    free(f);
    return 0;
}

static cu_status judge_fork(struct fork_case *f, struct cu_span proof, struct cu_fork_report *ret)
{
    static struct cu_trust trust; /* read once, not once per flipped bit */

    if (trust.epochs_n == 0) OK(cu_trust_read(cu_buf_span(&f->trust), &trust, &error));
    return cu_fork_verify(proof, &trust, &f->s->by, ret, &error);
}

static void convicts(struct fork_case *f, struct cu_span proof, bool with_subtree)
{
    uint8_t copy[8192];
    struct cu_fork_report r;
    struct cu_fork fork;

    OK(judge_fork(f, proof, &r));
    assert_int_equal(r.convicted_n, 1);
    assert_true(cu_span_eq(r.convicted[0], cu_buf_span(&f->s->origin)));
    OK(cu_schema_read(&cu_fork_schema, proof, &fork, &error));
    assert_int_equal(fork.has_subtree, with_subtree);
    CU_BUF again = cu_buf_heap(8192);
    OK(cu_schema_write(&cu_fork_schema, &fork, &again, &error));
    assert_true(cu_span_eq(cu_buf_span(&again), proof));
    assert_true(proof.n <= sizeof copy);
    memcpy(copy, proof.p, proof.n);
    for (size_t bit = 0; bit < proof.n * 8; bit += ONE_OF(7)) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (judge_fork(f, cu_span(copy, proof.n), &r) == CU_OK) fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void an_old_receipt_and_a_forged_one_convict_the_key_that_signed_both(void **state)
{
    struct fork_case *f = *state;
    struct cu_buf *mine[] = { &f->early, &f->honest };

    for (int i = 0; i < 2; i++) {
        CU_BUF ab = cu_buf_heap(65536), ba = cu_buf_heap(65536);
        OK(cu_fork_make(cu_buf_span(mine[i]), cu_buf_span(&f->forged), scratch, &ab, &error));
        convicts(f, cu_buf_span(&ab), true);
        OK(cu_fork_make(cu_buf_span(&f->forged), cu_buf_span(mine[i]), scratch, &ba, &error));
        convicts(f, cu_buf_span(&ba), true);
    }
}

static void equal_sizes_with_different_roots_need_no_subtree(void **state)
{
    struct fork_case *f = *state;
    CU_BUF proof = cu_buf_heap(65536);

    OK(cu_fork_make(cu_buf_span(&f->honest), cu_buf_span(&f->forged_same), scratch, &proof, &error));
    convicts(f, cu_buf_span(&proof), false);
}

static void a_receipt_and_the_forged_log_itself_convict(void **state)
{
    struct fork_case *f = *state;
    struct cu_node_source nodes = { f->s, memory_node };
    CU_BUF early = cu_buf_heap(65536), full = cu_buf_heap(65536);

    OK(cu_fork_make_log(cu_buf_span(&f->early), cu_buf_span(&f->note_forged), &nodes, scratch, &early, &error));
    convicts(f, cu_buf_span(&early), true);
    OK(cu_fork_make_log(cu_buf_span(&f->honest), cu_buf_span(&f->note_forged), &nodes, scratch, &full, &error));
    convicts(f, cu_buf_span(&full), true);
}

static void two_honest_receipts_agree(void **state)
{
    struct fork_case *f = *state;
    struct cu_node_source nodes = { f->s, memory_node };
    CU_BUF out = cu_buf_heap(65536);

    assert_int_equal(cu_fork_make(cu_buf_span(&f->early), cu_buf_span(&f->honest), scratch, &out, &error), CU_NOT_FOUND);
    assert_int_equal(cu_fork_make(cu_buf_span(&f->honest), cu_buf_span(&f->honest), scratch, &out, &error), CU_NOT_FOUND);
    assert_int_equal(cu_fork_make(cu_buf_span(&f->forged), cu_buf_span(&f->forged_same), scratch, &out, &error), CU_NOT_FOUND);
    assert_int_equal(cu_fork_make_log(cu_buf_span(&f->forged_same), cu_buf_span(&f->note_forged), &nodes, scratch, &out, &error),
                     CU_NOT_FOUND);
    assert_int_equal(out.n, 0);
}

static void an_honest_pair_cannot_be_dressed_up_as_a_fork(void **state)
{
    struct fork_case *f = *state;
    CU_BUF out = cu_buf_heap(65536);
    struct cu_fork_report r;
    struct cu_fork fork = { .type = cu_span_str(CU_FORK_TYPE),
                            .note_a = cu_buf_span(&f->note_early),
                            .note_b = cu_buf_span(&f->note_full) };

    OK(cu_schema_write(&cu_fork_schema, &fork, &out, &error));
    assert_int_equal(judge_fork(f, cu_buf_span(&out), &r), CU_MALFORMED); /* sizes differ: a subtree must show it */
    cu_buf_clear(&out);
    fork.note_b = fork.note_a;
    OK(cu_schema_write(&cu_fork_schema, &fork, &out, &error));
    assert_int_equal(judge_fork(f, cu_buf_span(&out), &r), CU_BAD_PROOF);
    cu_buf_clear(&out);
    fork.note_b = cu_buf_span(&f->note_full);
    fork.has_subtree = true;
    fork.subtree = (struct cu_fork_subtree){ .level = 0, .index = 0, .hash_a = { { 1 } }, .hash_b = { { 2 } } };
    OK(cu_schema_write(&cu_fork_schema, &fork, &out, &error));
    assert_int_not_equal(judge_fork(f, cu_buf_span(&out), &r), CU_OK);
}

static void a_fork_of_another_ledger_is_not_trusted(void **state)
{
    struct fork_case *f = *state;
    struct synthetic *other = synthetic_new(1);
    CU_BUF proof = cu_buf_heap(65536), text = cu_buf_heap(CU_TRUST_MAX);
    struct cu_trust trust;
    struct cu_fork_report r;

    put_trust(other, "integrity signer", "quorum none", &text);
    OK(cu_trust_read(cu_buf_span(&text), &trust, &error));
    OK(cu_fork_make(cu_buf_span(&f->honest), cu_buf_span(&f->forged), scratch, &proof, &error));
    assert_int_equal(cu_fork_verify(cu_buf_span(&proof), &trust, &f->s->by, &r, &error), CU_UNTRUSTED);
    synthetic_free(other);
}

static cu_status judge_subtree(struct fork_case *f, const struct cu_fork *fork)
{
    CU_BUF out = cu_buf_heap(65536);
    struct cu_fork_report r;

    OK(cu_schema_write(&cu_fork_schema, fork, &out, &error));
    return judge_fork(f, cu_buf_span(&out), &r);
}

static void a_subtree_that_shows_nothing_is_refused(void **state)
{
    struct fork_case *f = *state;
    CU_BUF proof = cu_buf_heap(65536);
    struct cu_fork good, fork;

    OK(cu_fork_make(cu_buf_span(&f->early), cu_buf_span(&f->forged), scratch, &proof, &error));
    OK(cu_schema_read(&cu_fork_schema, cu_buf_span(&proof), &good, &error));
    assert_int_equal(judge_subtree(f, &good), CU_OK);
    fork = good, fork.subtree.hash_b = fork.subtree.hash_a;
    assert_int_equal(judge_subtree(f, &fork), CU_BAD_PROOF);
    fork = good, fork.subtree.path_b.n--;
    assert_int_equal(judge_subtree(f, &fork), CU_MALFORMED);
    fork = good, fork.subtree.level = 40;
    assert_int_equal(judge_subtree(f, &fork), CU_BAD_PROOF);
    fork = good, fork.type = cu_span_str("application/custody-fork+cbor;v=2");
    assert_int_equal(judge_subtree(f, &fork), CU_NEWER_FORMAT);
}

static cu_status no_node(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err)
{
    unsigned *left = self;

    (void)level, (void)index;
    *ret = (cu_hash){ { 0xEE } }; /* as no receipt has it */
    if (*left == 0) return cu_fail(err, CU_CORRUPT, "a tile is damaged");
    --*left;
    return CU_OK;
}

static void from_what_is_no_receipt_and_no_log_no_proof_is_made(void **state)
{
    struct fork_case *f = *state;
    struct synthetic *other = synthetic_new(2);
    struct cu_span bad = cu_span_str("no receipt"), honest = cu_buf_span(&f->honest);
    CU_BUF out = cu_buf_heap(65536), foreign = cu_buf_heap(CU_RECEIPT_MAX), note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_node_source nodes = { f->s, memory_node };

    put_note(other, other->n, 0, 0, &note);
    note.p[0] ^= 1; /* another name: who signed it is not asked here */
    put_receipt(other, 1, cu_buf_span(&note), &foreign);
    assert_int_equal(cu_fork_make(bad, honest, scratch, &out, &error), CU_MALFORMED);
    assert_int_equal(cu_fork_make(honest, bad, scratch, &out, &error), CU_MALFORMED);
    assert_int_equal(cu_fork_make(honest, cu_buf_span(&foreign), scratch, &out, &error), CU_WRONG_NETWORK);
    assert_int_equal(cu_fork_make_log(bad, cu_buf_span(&f->note_forged), &nodes, scratch, &out, &error), CU_MALFORMED);
    assert_int_equal(cu_fork_make_log(honest, bad, &nodes, scratch, &out, &error), CU_MALFORMED);
    assert_int_equal(cu_fork_make_log(honest, cu_span_str("o\n\n\xE2\x80\x94 o AAAAAAA=\n"), &nodes, scratch, &out, &error),
                     CU_MALFORMED);
    synthetic_free(other);

    unsigned left = 1; /* one node that differs, and then none to prove it with */
    nodes = (struct cu_node_source){ &left, no_node };
    assert_int_equal(cu_fork_make_log(honest, cu_buf_span(&f->note_forged), &nodes, scratch, &out, &error), CU_CORRUPT);
    left = 0;
    assert_int_equal(cu_fork_make_log(honest, cu_buf_span(&f->note_forged), &nodes, scratch, &out, &error), CU_NOT_FOUND);
    assert_int_equal(out.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_receipt_and_a_forged_one_convict_the_key_that_signed_both),
        cmocka_unit_test(equal_sizes_with_different_roots_need_no_subtree),
        cmocka_unit_test(a_receipt_and_the_forged_log_itself_convict),
        cmocka_unit_test(two_honest_receipts_agree),
        cmocka_unit_test(an_honest_pair_cannot_be_dressed_up_as_a_fork),
        cmocka_unit_test(a_subtree_that_shows_nothing_is_refused),
        cmocka_unit_test(from_what_is_no_receipt_and_no_log_no_proof_is_made),
        cmocka_unit_test(a_fork_of_another_ledger_is_not_trusted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
