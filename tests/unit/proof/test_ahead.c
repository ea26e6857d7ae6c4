/* A receipt's signatures go to the verifier in one call, and only the very same question is answered by it. */
#include "synthetic.h"

static struct synthetic *s;
static struct cu_buf trust, note;
static uint64_t deposit;

static int set_up(void **state)
{
    (void)state;
    s = synthetic_new(1);
    const uint64_t opened = add_case(s, "C1", 1);
    add_block(s);
    deposit = add_deposit(s, opened, &(struct order){ .content = cu_span_str("evidence") });
    add_block(s);
    add_stored(s, 0, deposit, deposit);
    add_block(s);
    note = cu_buf_heap(CU_NOTE_MAX), trust = cu_buf_heap(CU_TRUST_MAX);
    put_note(s, s->n, 0, 0, &note);
    put_trust(s, "integrity signer", "quorum none", &trust);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cu_buf_free(&note), cu_buf_free(&trust);
    synthetic_free(s);
    return 0;
}

/* ---- a verifier that is watched, and lies about the k-th signature of its largest call ---- */

struct watched {
    struct cu_verifier by;
    size_t calls, jobs, largest, lie;
};

static void verify_watched(void *self, struct cu_sig_job *jobs, size_t n)
{
    struct watched *w = self;

    w->by.verify(w->by.self, jobs, n);
    w->calls++, w->jobs += n;
    if (n > w->largest) w->largest = n;
    if (n > 1 && w->lie < n) jobs[w->lie].status = CU_BAD_SIGNATURE;
}

static struct watched watch(size_t lie, struct cu_report *ret)
{
    struct watched w = { .by = s->by, .lie = lie };
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);

    put_receipt(s, deposit, cu_buf_span(&note), &receipt);
    s->by = (struct cu_verifier){ .self = &w, .name = "watched", .verify = verify_watched };
    OK(judge(s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, ret));
    s->by = w.by;
    return w;
}

static void all_but_the_checkpoint_are_asked_at_once_and_once(void **state)
{
    static struct cu_report report;
    const struct watched w = watch(SIZE_MAX, &report);

    (void)state;
    assert_int_equal(report.exit_code, 0);
    assert_int_equal(w.calls, 2); /* the checkpoint's signature; all that stand in entries */
    assert_int_equal(w.jobs, w.largest + 1);
}

/* A possession and the confirm, claim and acceptance, case and copy: each has its own place in the verdict. */
static void every_answer_is_listened_to(void **state)
{
    static struct cu_report report;
    const size_t n = watch(SIZE_MAX, &report).largest;

    (void)state;
    for (size_t lie = 0; lie < n; lie++) {
        watch(lie, &report);
        assert_int_not_equal(report.exit_code, 0);
        assert_int_equal(report.verdict[CU_VERDICT_SIGNER], CU_FAIL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_the_checkpoint_are_asked_at_once_and_once),
        cmocka_unit_test(every_answer_is_listened_to),
    };
    return cmocka_run_group_tests_name("ahead", tests, set_up, tear_down);
}
