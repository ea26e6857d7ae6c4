/* Witnesses that are listed and asked, and forks that are kept: whatever stops or fails, the same done again comes to the same. */
#include "proof/witness.h"
#include "service/cosigned.h"
#include "service_world.h"

#include "custody/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NAME "witness.example/w"
#define URL "https://witness.example"

static struct cu_private_key witness;
static struct cu_buf vkey;

/* ---- a witness, as it is asked ---- */

static struct asked {
    uint64_t has;          /* how much of the log it cosigned */
    unsigned calls, fails; /* questions, the way there included; the one that gets no answer, from 1 */
    unsigned says;         /* instead of its cosignature; 0: that */
    const char *words;
} it;

static cu_status cosign(struct cu_span body, unsigned *ret_http, struct cu_buf *ret, struct cu_err *err)
{
    static struct cu_witness_request r;
    CU_BUF signed_note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_checkpoint c;
    struct cu_note note;

    TRY(cu_witness_request_read(body, &r, err));
    TRY(cu_note_read(r.checkpoint, &note, err));
    TRY(cu_checkpoint_read(note.text, &c, err));
    *ret_http = r.old.v == it.has ? 200 : 409;
    if (*ret_http == 409) return cu_buf_addf(ret, "%llu\n", LLU(it.has)), CU_OK;
    it.has = c.size.v;
    cu_buf_add(&signed_note, r.checkpoint);
    TRY(cu_note_cosign(&signed_note, note.text, cu_span_str(NAME), &witness, 1760000000, err));
    cu_buf_add(ret, cu_span_from(cu_buf_span(&signed_note), r.checkpoint.n));
    return CU_OK;
}

static cu_status answer(void *self, const char *path, struct cu_span body, unsigned *ret_http, struct cu_buf *ret,
                        struct cu_err *err)
{
    (void)self, (void)path;
    if (++it.calls == it.fails) return cu_fail(err, CU_IO, "the line is cut");
    *ret_http = it.says;
    if (!it.says) return cosign(body, ret_http, ret, err);
    cu_buf_add_str(ret, it.words);
    return CU_OK;
}

static void hang_up(void *self) { (void)self; }

static cu_status reach(void *self, struct cu_span url, struct cu_remote *ret, struct cu_err *err)
{
    static const struct cu_remote_ops ops = { .ask = answer, .close = hang_up };

    (void)self;
    if (++it.calls == it.fails) return cu_fail(err, CU_IO, "nobody is there");
    assert_true(cu_span_is(url, URL));
    *ret = (struct cu_remote){ NULL, &ops };
    return CU_OK;
}

/* ---- listing one ---- */

static bool is_listed(struct service_world *w)
{
    return memmem(w->place.trust_text.p, w->place.trust_text.n, NAME, strlen(NAME)) != NULL;
}

static cu_status list_it(struct service_world *w, struct cu_err *err)
{
    TRY(sw_open(w, SW_READ, err));
    const cu_status added = is_listed(w) ? CU_OK : cu_witness_add(&w->place, cu_buf_span(&vkey), cu_span_str(URL), 0, err);
    const cu_status closed = sw_close(w, added == CU_OK ? err : NULL);
    return added != CU_OK ? added : closed;
}

/* The trust file is a whole one, old or new; the same once more makes it new, and what is derived follows. */
static const char *judge_listing(struct service_world *w)
{
    CU_BUF policy = cu_buf_heap(CU_TRUST_MAX), key = cu_buf_heap(CU_TRUST_MAX), lies = cu_buf_heap(CU_TRUST_MAX);
    struct cu_err err = { 0 };

    if (list_it(w, &err) != CU_OK || sw_open(w, SW_WRITE, &err) != CU_OK) return "it cannot be listed any more";
    const bool listed = is_listed(w);
    const bool derived = cu_trust_derived(&w->place.trust, &policy, &key, &err) == CU_OK;
    if (cu_fs_read(&w->fs, CU_FILE_POLICY, CU_TRUST_MAX, &lies, &err) != CU_OK) return "the policy is gone";
    if (sw_close(w, &err) != CU_OK) return "it does not close";
    return !listed                                                           ? "it is not listed"
           : derived && cu_span_eq(cu_buf_span(&policy), cu_buf_span(&lies)) ? NULL
                                                                             : "the policy does not follow";
}

/* ---- asking it ---- */

static cu_status ask_it(struct service_world *w, struct cu_err *err)
{
    bool met = false;

    it = (struct asked){ .has = 0 };
    TRY(sw_open(w, SW_WRITE, err));
    w->place.outside.open = reach;
    cu_status asked = cu_witnesses_ask(&w->place, &met, err);
    if (asked == CU_OK && !met) asked = cu_fail(err, CU_COSIGNATURES_MISSING, "it did not cosign");
    const cu_status closed = sw_close(w, asked == CU_OK ? err : NULL);
    return asked != CU_OK ? asked : closed;
}

static cu_status pass_by(void *arg, struct cu_deposited *d, struct cu_err *err)
{
    (void)arg, (void)d, (void)err;
    return CU_OK;
}

static cu_status list_and_record(struct service_world *w, struct cu_err *err)
{
    const struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS, .no_wait = true };
    const char *path = SW_SMALL;

    w->deposits_max++;
    TRY(list_it(w, err));
    TRY(sw_open(w, SW_WRITE, err));
    const cu_status deposited = cu_deposit(&w->place, &r, &path, 1, pass_by, NULL, err);
    const cu_status closed = sw_close(w, deposited == CU_OK ? err : NULL);
    return deposited != CU_OK ? deposited : closed;
}

static const char *judge_asking(struct service_world *w)
{
    struct cu_err err = { 0 };

    return ask_it(w, &err) == CU_OK ? NULL : "asked once more it does not count";
}

/* ---- a fork ---- */

static cu_status fork_of(struct service_world *w, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_NOTE_MAX);
    struct cu_checkpoint other = w->place.log.checkpoint;

    other.root.b[5] ^= 1;
    cu_checkpoint_put(&other, &text);
    return cu_note_sign(ret, cu_buf_span(&text), other.origin, &w->place.key[CU_SIGNER_LOG], err);
}

static cu_status keep_fork(struct service_world *w, bool *ret_new, uint64_t *ret_n, struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);

    TRY(sw_open(w, SW_WRITE, err));
    cu_status kept = fork_of(w, &note, err);
    if (kept == CU_OK) kept = cu_fork_keep(&w->place, cu_buf_span(&note), ret_new, err);
    if (kept == CU_OK) kept = cu_forks_list(&w->place, ret_n, NULL, NULL, err);
    const cu_status closed = sw_close(w, kept == CU_OK ? err : NULL);
    return kept != CU_OK ? kept : closed;
}

static cu_status keep_a_fork(struct service_world *w, struct cu_err *err)
{
    bool is_new;
    uint64_t n;

    return keep_fork(w, &is_new, &n, err);
}

struct proofs {
    struct service_world *w;
    unsigned bad;
};

static void verify_fork(void *arg, const char *name)
{
    CU_BUF proof = cu_buf_heap(CU_RECEIPT_MAX);
    struct proofs *of = arg;
    struct cu_fork_report report;
    char path[128];

    snprintf(path, sizeof path, CU_DIR_FORKS "/%s", name);
    of->bad += cu_fs_read(&of->w->fs, path, CU_RECEIPT_MAX, &proof, NULL) != CU_OK ||
               cu_fork_verify(cu_buf_span(&proof), &of->w->place.trust, &of->w->place.verifier, &report, NULL) != CU_OK;
}

/* Shown again it is kept, once, and convicts. */
static const char *judge_fork(struct service_world *w)
{
    struct proofs of = { .w = w };
    struct cu_err err = { 0 };
    bool is_new;
    uint64_t n;

    if (keep_fork(w, &is_new, &n, &err) != CU_OK || keep_fork(w, &is_new, &n, &err) != CU_OK) return "it is not kept";
    if (is_new || n != 1) return "it is kept twice";
    if (sw_open(w, SW_READ, &err) != CU_OK || cu_forks_list(&w->place, &n, verify_fork, &of, &err) != CU_OK)
        return "it is not read";
    (void)!sw_close(w, &err);
    return of.bad ? "what is kept proves nothing" : NULL;
}

/* ---- tests ---- */

static const struct sw_story stories[] = {
    { .name = "list", .act = list_it, .judge = judge_listing, .call_stride = 5 },
    { .name = "ask", .prepare = list_and_record, .act = ask_it, .judge = judge_asking, .call_stride = 7 },
    { .name = "fork", .act = keep_a_fork, .judge = judge_fork, .stride = 3, .call_stride = 7 },
};

static void who_loses_power_does_it_again(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof stories / sizeof *stories; i++)
        sw_stop_everywhere(&stories[i]); /* between two files of trust/ `check` finds the second old */
}

static void whichever_call_fails_it_is_told_and_can_be_done_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) sw_fail_everywhere(&stories[i]);
}

static struct service_world *begun(void)
{
    struct service_world *w = sw_new();
    struct cu_err err = { 0 };

    assert_int_equal(sw_create(w, &err), CU_OK);
    assert_int_equal(list_and_record(w, &err), CU_OK);
    assert_int_equal(sw_open(w, SW_WRITE, &err), CU_OK);
    w->place.outside.open = reach;
    return w;
}

static void end(struct service_world *w)
{
    (void)!sw_close(w, NULL);
    sw_free(w);
}

static void whatever_a_witness_answers_is_told_and_another_day_it_counts(void **state)
{
    static const struct {
        unsigned says;
        const char *words;
        cu_status wants;
    } answers[] = { { 409, "1\nmore", CU_IO },
                    { 409, "01\n", CU_IO },
                    { 409, "999999\n", CU_BAD_PROOF },
                    { 422, "no", CU_BAD_PROOF },
                    { 404, "unknown log", CU_IO },
                    { 200, "", CU_OK },
                    { 200, "\xe2\x80\x94 x AAAAAA==\n", CU_MALFORMED },
                    { 200, "nonsense", CU_MALFORMED } };
    struct service_world *w = begun();
    struct cu_err err = { 0 };
    bool met;

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        it = (struct asked){ .says = answers[i].says, .words = answers[i].words };
        const cu_status asked = cu_witnesses_ask(&w->place, &met, &err);
        if (asked != answers[i].wants)
            fail_msg("%u %s: %s, not %s", it.says, it.words, cu_status_name(asked), cu_status_name(answers[i].wants));
        assert_false(met);
    }
    for (unsigned k = 1; k <= 3; k++) { /* the way there, the question, the one from what it has */
        it = (struct asked){ .has = 3, .fails = k };
        assert_int_equal(cu_witnesses_ask(&w->place, &met, &err), CU_IO);
        assert_false(met);
    }
    it = (struct asked){ .has = 3 };
    assert_int_equal(cu_witnesses_ask(&w->place, &met, &err), CU_OK);
    assert_true(met && it.has == w->place.log.checkpoint.size.v && it.calls == 3);
    end(w);
}

static void what_fits_this_log_or_is_nobodys_is_no_fork(void **state)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    struct service_world *w = begun();
    struct cu_err err = { 0 };
    bool is_new;

    (void)state;
    assert_int_not_equal(cu_fork_keep(&w->place, cu_buf_span(&w->place.log.note), &is_new, &err), CU_OK);
    assert_int_equal(fork_of(w, &note, &err), CU_OK);
    note.p[note.n - 10] ^= 1;
    assert_int_not_equal(cu_fork_keep(&w->place, cu_buf_span(&note), &is_new, &err), CU_OK);
    assert_false(is_new);
    end(w);
}

static int prepare(void **state)
{
    struct cu_vkey key;

    if (cu_private_generate(CU_ALG_EDDSA, &witness, NULL) != CU_OK ||
        cu_vkey_make(cu_span_str(NAME), CU_NOTE_COSIGNATURE, &witness.pub, &key, NULL) != CU_OK)
        return -1;
    vkey = cu_buf_heap(512);
    return cu_vkey_write(&key, &vkey, NULL) == CU_OK ? sw_prepare(state) : -1;
}

static int release(void **state)
{
    cu_private_free(&witness);
    cu_buf_free(&vkey);
    return sw_release(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_loses_power_does_it_again),
        cmocka_unit_test(whichever_call_fails_it_is_told_and_can_be_done_again),
        cmocka_unit_test(whatever_a_witness_answers_is_told_and_another_day_it_counts),
        cmocka_unit_test(what_fits_this_log_or_is_nobodys_is_no_fork),
    };
    return cmocka_run_group_tests(tests, prepare, release);
}
