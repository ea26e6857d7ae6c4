/* What the policy asks of content: that a provider's store keeps it locked, that evidence of a profile is sealed. */
#include "custody/content.h"
#include "play.h"

static struct play p;

#define assert_said(status, call) play_said(&p, (call), CU_##status, __FILE__, __LINE__)
#define DAY UINT64_C(86400000)
enum { DAYS = 30 };

static int under(uint64_t retention, bool seal)
{
    static uint8_t mem[64];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    play_begin(&p, NULL, 1);
    p.policy.has_retention = retention > 0, p.policy.retention = retention;
    assert_ok(cu_schema_write(&cu_must_seal_schema, &(struct cu_must_seal){ cu_span_str("plain"), 0 }, &out, &err));
    p.policy.has_seal = seal, p.policy.seal = (struct cu_list){ 1, cu_buf_span(&out) };
    assert_said(OK, founds(&p));
    assert_said(OK, confirms(&p, 1, 0));
    play_close(&p);
    assert_said(OK, opens_case(&p, OFFICER, 1));
    play_close(&p);
    return 0;
}
static int asking_for_a_lock(void **state) { return (void)state, under(DAYS, false); }
static int asking_for_a_seal(void **state) { return (void)state, under(0, true); }
static int asking_for_nothing(void **state) { return (void)state, under(0, false); }
static int stop(void **state) { return (void)state, play_stop(&p), 0; }

static struct cu_held held(uint64_t mode, uint64_t until)
{
    static uint8_t mem[128];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    assert_ok(cu_schema_write(&cu_held_object_schema, &(struct cu_held_object){ { { 1 } }, cu_span_str("v1") }, &out, &err));
    return (struct cu_held){ mode, until, 1, cu_leaf_hash(cu_buf_span(&out)), { 1, cu_buf_span(&out) } };
}

static cu_status accepts_held(uint64_t mode, uint64_t until, uint64_t time, struct cu_seen seen)
{
    struct cu_deposit deposit = {
        .claim = cu_buf_span(&p.claim), .time = time, .seen = seen, .held = held(mode, until), .has_held = true
    };
    return say(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit);
}

static cu_status holds_anew(enum who who, uint64_t mode, uint64_t until, bool says_how)
{
    uint8_t mem[32];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_range range = { 3, 3 };

    assert_ok(cu_schema_write(&cu_range_schema, &range, &out, &err));
    struct cu_stored body = {
        .time = p.now, .seen = newest(&p), .ranges = { 1, cu_buf_span(&out) }, .held = held(mode, until), .has_held = says_how
    };
    return say(&p, CU_KIND_STORED, who, &body);
}

static void what_the_provider_holds_is_locked_for_as_long_as_the_policy_asks(void **state)
{
    const struct cu_seen seen = newest(&p);
    const uint64_t closed = p.now - 1000, until = p.now + DAYS * DAY; /* play_close lets a second pass */

    (void)state;
    claims(&p, OFFICER, 1);
    assert_said(NOT_ALLOWED, accepts(&p));
    assert_said(NOT_ALLOWED, accepts_held(CU_HELD_FREE, 0, p.now, seen));
    assert_said(NOT_ALLOWED, accepts_held(CU_HELD_GOVERNANCE, until, p.now, seen));
    assert_said(NOT_ALLOWED, accepts_held(CU_HELD_COMPLIANCE, until - 1, p.now, seen));
    assert_said(OK, accepts_held(CU_HELD_COMPLIANCE, until, p.now, seen));
    claims(&p, OFFICER, 2); /* a time that is dated back is not before the block that was seen */
    assert_said(NOT_ALLOWED, accepts_held(CU_HELD_COMPLIANCE, closed + DAYS * DAY - 1, 0, seen));
    assert_said(OK, accepts_held(CU_HELD_COMPLIANCE, closed + DAYS * DAY, 0, seen));
}

static void what_travels_with_the_record_needs_no_lock(void **state)
{
    struct cu_claim claim = play_claim(&p, 1);
    uint8_t content[CU_CONTENT_INLINE_MAX] = { 1 };
    struct cu_buf out = cu_buf_over(p.record_mem, sizeof p.record_mem);

    (void)state;
    claim.size = sizeof content;
    claim.root = cu_content_root_of(CU_SPAN_OF(content));
    claims_so(&p, OFFICER, &claim);
    struct cu_deposit deposit = { .claim = cu_buf_span(&p.claim), .time = p.now, .seen = newest(&p) };
    const struct cu_record record = { play_sign(&p, CU_KIND_DEPOSIT, PROVIDER, &deposit), CU_SPAN_OF(play_salt), PLAY_DETAILS,
                                      CU_SPAN_OF(content) };
    assert_ok(cu_record_write(&record, &out, &err));
    assert_said(OK, say_record(&p, cu_buf_span(&out)));
    claim = play_claim(&p, 2); /* but a folder's files do not, however short its manifest */
    claim.content = CU_CONTENT_FOLDER, claim.has_folder = true, claim.folder.items = 1, claim.folder.bytes = 1;
    claims_so(&p, OFFICER, &claim);
    assert_said(NOT_ALLOWED, accepts(&p));
}

static void how_it_is_held_only_a_provider_says_anew_and_nothing_else_of_copies(void **state)
{
    const uint64_t until = p.now + DAYS * DAY;

    (void)state;
    assert_said(OK, holds_anew(PROVIDER, CU_HELD_COMPLIANCE, until, true));
    assert_said(NOT_ALLOWED, holds_anew(PROVIDER, CU_HELD_COMPLIANCE, until - 1, true));
    assert_said(WRONG_ROLE, holds_anew(PROVIDER, CU_HELD_COMPLIANCE, until, false));
    assert_said(WRONG_ROLE, holds_anew(ORG, CU_HELD_COMPLIANCE, until, true));
    assert_said(OK, holds_anew(ORG, CU_HELD_COMPLIANCE, until, false));
}

static void what_must_be_sealed_is_not_taken_in_the_open(void **state)
{
    static uint8_t mem[64];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_claim claim = play_claim(&p, 1);

    (void)state;
    assert_said(NOT_ALLOWED, deposits(&p, OFFICER, 1));
    assert_said(OK, refuses(&p)); /* that it was not taken may be said */
    claim = play_claim(&p, 2);
    cu_cbor_put_bytes(&out, cu_span_hash(kid_of(ORG)));
    claim.has_sealed = true, claim.sealed = (struct cu_list){ 1, cu_buf_span(&out) };
    claims_so(&p, OFFICER, &claim);
    assert_said(OK, accepts(&p));
}

static void what_is_not_asked_for_is_not_judged(void **state)
{
    (void)state;
    assert_said(OK, deposits(&p, OFFICER, 1));
    claims(&p, OFFICER, 2);
    assert_said(OK, accepts_held(CU_HELD_FREE, 0, p.now, newest(&p)));
    assert_said(OK, holds_anew(PROVIDER, CU_HELD_FREE, 0, true));
}

int main(void)
{
#define UNDER(test, begin) cmocka_unit_test_setup_teardown(test, begin, stop)
    const struct CMUnitTest tests[] = {
        UNDER(what_the_provider_holds_is_locked_for_as_long_as_the_policy_asks, asking_for_a_lock),
        UNDER(what_travels_with_the_record_needs_no_lock, asking_for_a_lock),
        UNDER(how_it_is_held_only_a_provider_says_anew_and_nothing_else_of_copies, asking_for_a_lock),
        UNDER(what_must_be_sealed_is_not_taken_in_the_open, asking_for_a_seal),
        UNDER(what_is_not_asked_for_is_not_judged, asking_for_nothing),
    };
    return cmocka_run_group_tests(tests, play_make_keys, play_free_keys);
}
