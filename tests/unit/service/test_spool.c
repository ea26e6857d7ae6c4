/* What is on its way in: whatever fails, and wherever it stops, a claim that was taken, an offset that was acknowledged and a signature that was made
 * are there afterwards. */
#include "../../one_of.h"
#include "adapters/faulty/faulty.h"
#include "adapters/memory/memory.h"
#include "service/copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cu_err error;
#define OK(call)                                                                          \
    do {                                                                                  \
        cu_status ok_ = (call);                                                           \
        if (ok_ != CU_OK) fail_msg("%s: %s: %s", #call, cu_status_name(ok_), error.text); \
    } while (0)
#define IS(status, call)                                                                     \
    do {                                                                                     \
        cu_status is_ = (call);                                                              \
        if (is_ != (status)) fail_msg("%s: %s: %s", #call, cu_status_name(is_), error.text); \
    } while (0)

enum { SIZE = 3000, CLAIMS = 3 };
static uint8_t bytes[SIZE];
static struct cu_private_key depositor, provider;
static const cu_hash network = { { 7 } };
static uint8_t memory[CLAIMS][CU_RECORD_MAX], record_memory[CU_RECORD_MAX];
static struct cu_span claim[CLAIMS], record;
static cu_hash id[CLAIMS];

static void make_claim(unsigned n)
{
    CU_BUF signed_ = cu_buf_heap(CU_CLAIM_MAX);
    struct cu_buf out = cu_buf_over(memory[n], sizeof memory[n]);
    static const uint8_t salt[CU_SALT_LEN];
    struct cu_claim body = {
        .serial = n + 1, .content = CU_CONTENT_ITEM, .size = SIZE, .root = cu_content_root_of(CU_SPAN_OF(bytes)), .time = 1
    };
    struct cu_statement st;

    OK(cu_statement_sign(CU_KIND_CLAIM, &body, &network, &depositor, &signed_, &error));
    const struct cu_claim_file file = { cu_buf_span(&signed_), CU_SPAN_OF(salt), cu_span_str("details"), CU_SPAN_EMPTY };
    OK(cu_schema_write(&cu_claim_file_schema, &file, &out, &error));
    OK(cu_statement_read(file.claim, &st, &error));
    claim[n] = cu_buf_span(&out);
    id[n] = st.id;
}

static int set_up(void **state)
{
    CU_BUF entry = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_buf out = cu_buf_over(record_memory, sizeof record_memory);
    struct cu_claim_file file;

    (void)state;
    for (size_t i = 0; i < SIZE; i++) bytes[i] = (uint8_t)(i * 7);
    OK(cu_private_generate(CU_ALG_ES256, &depositor, &error));
    OK(cu_private_generate(CU_ALG_ES256, &provider, &error));
    for (unsigned n = 0; n < CLAIMS; n++) make_claim(n);
    OK(cu_schema_read(&cu_claim_file_schema, claim[0], &file, &error));
    const struct cu_refusal refusal = { .claim = file.claim, .time = 2, .reason = CU_REASON_NOT_ACCEPTED };
    OK(cu_statement_sign(CU_KIND_REFUSAL, &refusal, &network, &provider, &entry, &error));
    OK(cu_record_write(&(struct cu_record){ cu_buf_span(&entry), file.salt, file.details, CU_SPAN_EMPTY }, &out, &error));
    record = cu_buf_span(&out);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cu_private_free(&depositor);
    cu_private_free(&provider);
    return 0;
}

static struct cu_spool *open_spool(const struct cu_fs *fs)
{
    struct cu_spool *s = NULL;

    OK(cu_spool_open(fs, NULL, &s, &error));
    return s;
}

static cu_status bring(struct cu_spool *s, const cu_hash *which, uint64_t from, uint64_t to)
{
    struct cu_spooled *at;

    TRY(cu_spool_take(s, which, &from, &at, &error));
    cu_status brought = cu_receive_begin(&at->in, false, &error);
    if (brought == CU_OK) brought = cu_spooled_add(at, cu_span(bytes + from, (size_t)(to - from)), &error);
    if (at->in.bytes) {
        const cu_status ended = cu_receive_end(&at->in, brought == CU_OK, brought == CU_OK ? &error : NULL);
        brought = brought == CU_OK ? ended : brought;
    }
    cu_spooled_received(at);
    return brought;
}

static cu_status sign_it(struct cu_spool *s)
{
    unsigned from = 0;
    struct cu_spooled *at = cu_spool_next(s, CU_SPOOLED_CHECKING, false, &from);

    if (!at) return CU_NOT_FOUND;
    const cu_status signed_ = cu_spooled_sign(at, record, &error);
    cu_spooled_give(at, signed_ == CU_OK ? CU_SPOOLED_REFUSED : CU_SPOOLED_CHECKING);
    return signed_;
}

static void a_claim_goes_its_way_and_a_process_that_begins_anew_finds_it_there(void **state)
{
    struct cu_fs fs;
    struct cu_spooled_view view;

    (void)state;
    OK(cu_memory_fs(&fs, &error));
    static const enum cu_spooled_state after[] = { CU_SPOOLED_CLAIMED, CU_SPOOLED_RECEIVING, CU_SPOOLED_CHECKING,
                                                   CU_SPOOLED_REFUSED };
    for (int step = 0; step < 4; step++) {
        struct cu_spool *s = open_spool(&fs);
        if (step == 0) OK(cu_spool_add(s, claim[0], 1, &error));
        if (step == 1) OK(bring(s, &id[0], 0, 1000));
        if (step == 2) OK(bring(s, &id[0], 1000, SIZE));
        if (step == 3) OK(sign_it(s));
        OK(cu_spool_add(s, claim[0], 1, &error)); /* the same again is fine */
        for (int again = 0; again < 2; again++) {
            OK(cu_spool_look(s, &id[0], &view, &error));
            assert_int_equal(view.state, after[step]);
            assert_int_equal(view.length, SIZE);
            if (again == 0) cu_spool_close(s), s = open_spool(&fs);
        }
        cu_spool_close(s);
    }
    assert_string_equal(view.why, "not-accepted");
    fs.ops->close(fs.self);
}

static void a_slot_is_taken_anew_when_its_claim_is_settled_and_not_before(void **state)
{
    struct cu_fs fs;
    struct cu_spooled_view view;
    struct cu_spool *s;
    unsigned from = 0;

    (void)state;
    OK(cu_memory_fs(&fs, &error));
    s = open_spool(&fs);
    OK(cu_spool_add(s, claim[0], 1, &error));
    for (unsigned i = 1; i < CU_SPOOL_SLOTS; i++)
        s->slot[i].state = CU_SPOOLED_CLAIMED, s->slot[i].id.b[0] = 1; /* all others are somebody's */
    IS(CU_BUSY, cu_spool_add(s, claim[1], 2, &error));
    OK(bring(s, &id[0], 0, SIZE));
    OK(sign_it(s));
    IS(CU_BUSY, cu_spool_add(s, claim[1], 2, &error));
    struct cu_spooled *at = cu_spool_next(s, CU_SPOOLED_REFUSED, false, &from);
    cu_spooled_settled(at, 17, NULL);
    OK(cu_spool_look(s, &id[0], &view, &error));
    assert_true(view.state == CU_SPOOLED_RECORDED && view.seq == 17);
    OK(cu_spool_add(s, claim[1], 2, &error));
    IS(CU_NOT_FOUND, cu_spool_look(s, &id[0], &view, &error));
    OK(cu_spool_look(s, &id[1], &view, &error));
    assert_true(view.state == CU_SPOOLED_CLAIMED && view.offset == 0); /* nothing of the one before is left */
    for (unsigned i = 1; i < CU_SPOOL_SLOTS; i++) s->slot[i].state = CU_SPOOLED_FREE;
    cu_spool_close(s);
    fs.ops->close(fs.self);
}

static void one_sender_at_a_time_and_from_the_offset_that_is_there(void **state)
{
    struct cu_fs fs;
    struct cu_spool *s;
    struct cu_spooled *at, *other;
    uint64_t offset = 5;

    (void)state;
    OK(cu_memory_fs(&fs, &error));
    s = open_spool(&fs);
    OK(cu_spool_add(s, claim[0], 1, &error));
    IS(CU_NOT_FOUND, cu_spool_take(s, &id[1], NULL, &at, &error));
    IS(CU_CHANGED, cu_spool_take(s, &id[0], &offset, &at, &error));
    OK(cu_spool_take(s, &id[0], NULL, &at, &error));
    IS(CU_BUSY, cu_spool_take(s, &id[0], NULL, &other, &error));
    OK(cu_receive_begin(&at->in, false, &error));
    OK(cu_spooled_add(at, cu_span(bytes, 700), &error));
    cu_spooled_cut(at); /* he is gone: what he sent counts, for whoever asks next */
    offset = 700;
    OK(cu_spool_take(s, &id[0], &offset, &at, &error));
    cu_spooled_received(at);
    OK(bring(s, &id[0], 700, SIZE));
    IS(CU_OUT_OF_ORDER, cu_spool_take(s, &id[0], NULL, &at, &error));
    cu_spool_close(s);
    fs.ops->close(fs.self);
}

/* ---- whatever fails, wherever it stops ---- */

struct said {
    bool claimed[2], is_signed;
    uint64_t offset;
};

static cu_status tell(const struct cu_fs *fs, struct said *ret)
{
    struct cu_spool *s = NULL;
    struct cu_spooled_view view;
    unsigned from = 0;
    cu_status status = cu_spool_open(fs, NULL, &s, &error);

    if (status == CU_OK) status = cu_spool_add(s, claim[0], 1, &error), ret->claimed[0] |= status == CU_OK;
    if (status == CU_OK) status = cu_spool_look(s, &id[0], &view, &error);
    const bool open = status == CU_OK && cu_spooled_open(view.state);
    if (open && view.offset < 1000) status = bring(s, &id[0], view.offset, 1000);
    if (status == CU_OK && ret->offset < 1000) ret->offset = 1000;
    if (status == CU_OK && open) status = bring(s, &id[0], view.offset < 1000 ? 1000 : view.offset, SIZE);
    if (status == CU_OK) ret->offset = SIZE;
    if (status == CU_OK && view.state < CU_SPOOLED_ACCEPTED) status = sign_it(s);
    ret->is_signed |= status == CU_OK;
    if (status == CU_OK) {
        struct cu_spooled *at = cu_spool_next(s, CU_SPOOLED_REFUSED, false, &from);
        if (at) cu_spooled_settled(at, 9, NULL);
        s->slot[0].state = CU_SPOOLED_RECORDED;
        for (unsigned i = 1; i < CU_SPOOL_SLOTS; i++)
            s->slot[i].busy = true; /* so that the second claim takes the first one's slot */
        status = cu_spool_add(s, claim[1], 2, &error);
        ret->claimed[1] |= status == CU_OK;
        for (unsigned i = 1; i < CU_SPOOL_SLOTS; i++) s->slot[i].busy = false;
    }
    cu_spool_close(s);
    return status;
}

static bool play(uint64_t fail_call, enum cu_fault fault, uint64_t stop_after, uint64_t seed)
{
    struct cu_fs memory_fs;
    struct said first = { .offset = 0 }, then = { .offset = 0 };
    struct cu_spooled_view view = { .state = CU_SPOOLED_FREE };
    struct cu_spool *s;

    OK(cu_memory_fs(&memory_fs, &error));
    struct cu_faulty faulty = { .inner = memory_fs,
                                .fail_call = fail_call,
                                .fault = fault,
                                .stop_after = stop_after,
                                .lost = cu_memory_lose,
                                .lost_all = cu_memory_lose_all };
    struct cu_fs fs = cu_faulty_fs(&faulty);
    const cu_status told = tell(&fs, &first);
    fs.ops->close(fs.self);
    const bool touched = faulty.failed || faulty.stopped;
    if (!touched) assert_int_equal(told, CU_OK);
    if (seed != UINT64_MAX) cu_memory_crash(&memory_fs, seed);
    s = open_spool(&memory_fs);
    const bool first_there = cu_spool_look(s, &id[0], &view, &error) == CU_OK;
    if (first.claimed[0] && !first.is_signed) {
        if (!first_there || view.offset < first.offset)
            fail_msg("call %llu, stop %llu, seed %llu: a claim was taken, and %llu bytes of it: there are %llu", LLU(fail_call),
                     LLU(stop_after), LLU(seed), LLU(first.offset), LLU(view.offset));
    }
    const bool second_there = cu_spool_look(s, &id[1], &view, &error) == CU_OK;
    if (first.claimed[1]) assert_true(second_there);
    if (first.is_signed && !second_there && !first_there) /* its slot was being taken for the next one, after it was settled */
        assert_true(touched && told != CU_OK);
    cu_spool_close(s);
    if (!second_there) OK(tell(&memory_fs, &then));
    memory_fs.ops->close(memory_fs.self);
    return touched;
}

static void whatever_call_fails_nothing_that_was_said_is_lost(void **state)
{
    static const enum cu_fault faults[] = { CU_FAULT_IO, CU_FAULT_NO_SPACE, CU_FAULT_SHORT };
    uint64_t n = 1;

    (void)state;
    while (play(n, faults[n % 3], CU_NEVER, n % 4 ? UINT64_MAX : 0)) n += ONE_OF(50);
    assert_true(n > 1000);
}

static void wherever_it_stops_nothing_that_was_said_is_lost(void **state)
{
    uint64_t stop = 0;

    (void)state;
    while (play(0, CU_FAULT_IO, stop, stop % 5)) stop++;
    assert_true(stop > 20);
}

static void whatever_call_fails_while_it_is_put_aside_the_next_process_has_the_rest(void **state)
{
    struct cu_spooled_view view;

    (void)state;
    for (uint64_t k = 1; k <= 12; k++) {
        struct cu_fs fs;
        struct cu_err why;
        OK(cu_memory_fs(&fs, &error));
        struct cu_spool *s = open_spool(&fs);
        for (unsigned n = 0; n < 2; n++) OK(cu_spool_add(s, claim[n], 1, &error));
        cu_spool_close(s);
        OK(cu_fs_replace(&fs, CU_DIR_SPOOL "/0.claim", CU_DIR_SPOOL "/new", cu_span_str("no claim"), true, &error));
        struct cu_faulty faulty = { .inner = fs, .stop_after = CU_NEVER, .fail_call = k };
        struct cu_fs failing = cu_faulty_fs(&faulty);
        s = NULL;
        if (cu_spool_open(&failing, NULL, &s, &why) == CU_OK) cu_spool_close(s);
        failing.ops->close(failing.self);
        s = open_spool(&fs);
        IS(CU_NOT_FOUND, cu_spool_look(s, &id[0], &view, &error));
        OK(cu_spool_look(s, &id[1], &view, &error));
        OK(cu_spool_add(s, claim[0], 1, &error));
        cu_spool_close(s);
        fs.ops->close(fs.self);
    }
}

static void what_is_ended_is_free_at_once_or_with_the_next_process(void **state)
{
    struct cu_fs fs;
    struct cu_spooled_view view;
    struct cu_spooled *at;

    (void)state;
    OK(cu_memory_fs(&fs, &error));
    struct cu_spool *s = open_spool(&fs);
    for (unsigned n = 0; n < 2; n++) OK(cu_spool_add(s, claim[n], 1, &error));
    OK(bring(s, &id[0], 0, 1000));
    assert_false(cu_pushed_store(s, CU_PUSHED_ABANDONED_MS + 1)); /* the first time it is heard of */
    OK(bring(s, &id[0], 1000, 1001));
    assert_false(cu_pushed_store(s, CU_PUSHED_ABANDONED_MS + 2));
    assert_false(cu_pushed_store(s, 2 * (uint64_t)CU_PUSHED_ABANDONED_MS + 2)); /* what nobody went on with */
    OK(cu_spool_look(s, &id[0], &view, &error));
    IS(CU_NOT_FOUND, cu_spool_look(s, &id[1], &view, &error));
    OK(cu_spool_add(s, claim[1], 1, &error));
    OK(bring(s, &id[1], 0, SIZE));
    const uint64_t offset = SIZE;
    IS(CU_OUT_OF_ORDER, cu_spool_take(s, &id[1], &offset, &at, &error));
    unsigned from = 0;
    at = cu_spool_next(s, CU_SPOOLED_CHECKING, false, &from);
    cu_spooled_end(at, true);
    OK(cu_spool_look(s, &id[1], &view, &error));
    assert_int_equal(view.state, CU_SPOOLED_RECORDED);
    cu_spool_close(s);
    s = open_spool(&fs);
    IS(CU_NOT_FOUND, cu_spool_look(s, &id[1], &view, &error));
    OK(cu_spool_look(s, &id[0], &view, &error));
    assert_int_equal(view.offset, 1001);
    cu_spool_close(s);
    fs.ops->close(fs.self);
}

static void a_slot_that_is_damaged_is_put_aside_and_holds_up_nobody(void **state)
{
    static const char *const files[] = { CU_DIR_SPOOL "/0.claim", CU_DIR_SPOOL "/0.record" };
    struct cu_spooled_view view;
    char damage[400];

    (void)state;
    for (int i = 0; i < 2; i++) {
        CU_BUF was = cu_buf_heap(CU_RECORD_MAX), is = cu_buf_heap(CU_RECORD_MAX);
        struct cu_fs fs;
        OK(cu_memory_fs(&fs, &error));
        struct cu_spool *s = open_spool(&fs);
        for (unsigned n = 0; n < 2; n++) OK(cu_spool_add(s, claim[n], 1, &error));
        OK(bring(s, &id[0], 0, SIZE));
        OK(sign_it(s));
        cu_spool_damage(s, damage);
        assert_string_equal(damage, "");
        cu_spool_close(s);
        OK(cu_fs_read(&fs, files[i], CU_RECORD_MAX, &was, &error));
        was.p[0] ^= 0x10;
        OK(cu_fs_replace(&fs, files[i], CU_DIR_SPOOL "/new", cu_buf_span(&was), true, &error));
        for (unsigned again = 0; again < 2; again++) { /* it is said once: afterwards there is nothing to be read there */
            s = open_spool(&fs);
            cu_spool_damage(s, damage);
            assert_int_equal(damage[0] != 0, again == 0);
            assert_true(again || strstr(damage, "spool/0.*"));
            IS(CU_NOT_FOUND, cu_spool_look(s, &id[0], &view, &error));
            OK(cu_spool_look(s, &id[1], &view, &error));
            if (again == 0) cu_spool_close(s);
        }
        OK(cu_fs_read(&fs, i ? CU_DIR_SPOOL "/0.record.damaged" : CU_DIR_SPOOL "/0.claim.damaged", CU_RECORD_MAX, &is, &error));
        assert_true(cu_span_eq(cu_buf_span(&is), cu_buf_span(&was)));
        OK(cu_spool_add(s, claim[0], 1, &error));
        OK(bring(s, &id[0], 0, SIZE));
        OK(sign_it(s));
        cu_spool_close(s);
        fs.ops->close(fs.self);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_goes_its_way_and_a_process_that_begins_anew_finds_it_there),
        cmocka_unit_test(a_slot_is_taken_anew_when_its_claim_is_settled_and_not_before),
        cmocka_unit_test(one_sender_at_a_time_and_from_the_offset_that_is_there),
        cmocka_unit_test(whatever_call_fails_nothing_that_was_said_is_lost),
        cmocka_unit_test(wherever_it_stops_nothing_that_was_said_is_lost),
        cmocka_unit_test(a_slot_that_is_damaged_is_put_aside_and_holds_up_nobody),
        cmocka_unit_test(whatever_call_fails_while_it_is_put_aside_the_next_process_has_the_rest),
        cmocka_unit_test(what_is_ended_is_free_at_once_or_with_the_next_process),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
