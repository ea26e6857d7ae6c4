/* Records: an entry with its attachments, and whether these are what was signed. */
#include "fixture.h"

#include "custody/content.h"

static uint8_t salt[CU_SALT_LEN] = "a salt that nobody can guess ...";
static const char details[] = "\xa1\x67profile\x65plain";
#define DETAILS cu_span(details, sizeof details - 1)
#define SALT CU_SPAN_OF(salt)

static struct cu_span written(const struct cu_record *record)
{
    static uint8_t mem[2 * CU_RECORD_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    assert_ok(cu_record_write(record, &out, &err));
    return cu_buf_span(&out);
}

static void a_record_is_read_as_it_was_written(void **state)
{
    struct cu_record record = { .entry = golden("deposit"), .salt = SALT, .details = DETAILS, .content = cu_span("hello\n", 6) },
                     again;

    (void)state;
    assert_ok(cu_record_read(written(&record), &again, &err));
    assert_true(cu_span_eq(again.entry, record.entry) && cu_span_eq(again.salt, record.salt));
    assert_true(cu_span_eq(again.details, record.details) && cu_span_eq(again.content, record.content));
}

static void no_content_and_empty_content_are_two_things(void **state)
{
    struct cu_record record = { .entry = golden("case"), .salt = SALT, .details = DETAILS }, again;

    (void)state;
    assert_ok(cu_record_read(written(&record), &again, &err));
    assert_null(again.content.p);
    record.content = cu_span("", 0);
    assert_ok(cu_record_read(written(&record), &again, &err));
    assert_non_null(again.content.p);
    assert_int_equal(again.content.n, 0);
}

static void salt_and_details_come_together(void **state)
{
    static uint8_t mem[CU_RECORD_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_record record = { .entry = golden("case"), .salt = SALT };

    (void)state;
    assert_refused(CU_MALFORMED, cu_record_write(&record, &out, &err));
    record = (struct cu_record){ .entry = golden("case"), .details = DETAILS };
    assert_refused(CU_MALFORMED, cu_record_write(&record, &out, &err));
    record.salt = cu_span(salt, 31);
    assert_refused(CU_MALFORMED, cu_record_write(&record, &out, &err));
    assert_int_equal(out.n, 0);
}

static void a_record_that_is_not_four_parts_in_their_form_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        { "", 0 },
        { "\x84", 1 },
        { "\x83\x41\x31\xf6\xf6", 5 },
        { "\x85\x41\x31\xf6\xf6\xf6\xf6", 7 },
        { "\x84\xf6\xf6\xf6\xf6", 5 },
        { "\x84\x40\xf6\xf6\xf6", 5 },
        { "\x84\x41\x31\xf6\xf6\xf4", 6 },
        { "\x84\x41\x31\xf6\xf6\x61\x31", 7 },
        { "\x84\x41\x31\xf6\x41\x31\xf6", 7 },
        { "\x84\x41\x31\xf6\xf6\xf6\x00", 7 },
        { "\x9f\x41\x31\xf6\xf6\xf6\xff", 7 },
        { "\x84\x41\x31\xf6\xf6\x5f\xff", 7 },
        { "\x84\x58\x01\x31\xf6\xf6\xf6", 7 },
        { "\x84\x41\x31\x40\x40\xf6", 6 },
        { "\x84\x41\x31\xf6\xf6\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 14 },
    };
    struct cu_record record;

    (void)state;
    assert_ok(cu_record_read(cu_span("\x84\x41\x31\xf6\xf6\xf6", 6), &record, &err));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(CU_MALFORMED, cu_record_read(cu_span(bad[i].bytes, bad[i].n), &record, &err));
}

static void a_record_of_64_kib_is_taken_and_one_byte_more_is_not(void **state)
{
    static uint8_t zero[CU_RECORD_MAX], mem[CU_RECORD_MAX + 64];
    struct cu_record record = { .entry = cu_span(zero, 8000),
                                .salt = SALT,
                                .details = cu_span(zero, CU_DETAILS_MAX),
                                .content = cu_span(zero, CU_CONTENT_INLINE_MAX) },
                     again;

    (void)state;
    record.entry.n += CU_RECORD_MAX - written(&record).n;
    struct cu_span whole = written(&record);
    assert_int_equal(whole.n, CU_RECORD_MAX);
    assert_ok(cu_record_read(whole, &again, &err));
    record.entry.n++;
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    cu_buf_add_byte(&out, 7);
    assert_refused(CU_TOO_LARGE, cu_record_write(&record, &out, &err));
    assert_int_equal(out.n, 1);
    assert_refused(CU_TOO_LARGE, cu_record_read(cu_span(mem, CU_RECORD_MAX + 1), &again, &err));
}

static void each_part_of_a_record_has_its_own_bound(void **state)
{
    static uint8_t zero[CU_RECORD_MAX], mem[CU_RECORD_MAX];
    const struct cu_record records[] = {
        { .entry = cu_span(zero, CU_ENTRY_MAX + 1) },
        { .entry = cu_span(zero, 1), .salt = SALT, .details = cu_span(zero, CU_DETAILS_MAX + 1) },
        { .entry = cu_span(zero, 1), .content = cu_span(zero, CU_CONTENT_INLINE_MAX + 1) },
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct cu_buf out = cu_buf_over(mem, sizeof mem);
        struct cu_record again;
        assert_refused(CU_TOO_LARGE, cu_record_write(&records[i], &out, &err));
        cu_buf_clear(&out);
        cu_cbor_put_array(&out, 4);
        cu_cbor_put_bytes(&out, records[i].entry);
        if (records[i].salt.n) cu_cbor_put_bytes(&out, records[i].salt), cu_cbor_put_bytes(&out, records[i].details);
        else cu_cbor_put_null(&out), cu_cbor_put_null(&out);
        if (records[i].content.p) cu_cbor_put_bytes(&out, records[i].content);
        else cu_cbor_put_null(&out);
        assert_refused(CU_MALFORMED, cu_record_read(cu_buf_span(&out), &again, &err));
    }
}

/* ---- do the attachments match? ---- */

struct world {
    struct cu_record record;
    struct cu_entry entry;
};

static struct world deposit_of(struct cu_span content, uint64_t claimed_size)
{
    struct cu_claim claim = a_claim();

    claim.size = claimed_size;
    claim.root = cu_content_root_of(content);
    claim.commitment = cu_commitment(SALT, DETAILS);
    struct cu_deposit deposit = { .claim = signed_statement(CU_KIND_CLAIM, "depositor", &claim) };
    struct world w = { .record = { .entry = signed_statement(CU_KIND_DEPOSIT, "provider", &deposit),
                                   .salt = SALT,
                                   .details = DETAILS,
                                   .content = content } };
    assert_ok(cu_entry_read(w.record.entry, &w.entry, &err));
    return w;
}

static cu_status match(const struct world *w) { return cu_record_match(&w->record, &w->entry, &err); }

static void a_commitment_is_the_digest_of_salt_and_details(void **state)
{
    uint8_t both[CU_SALT_LEN + sizeof details - 1];
    cu_hash got = cu_commitment(SALT, DETAILS), want;

    (void)state;
    memcpy(both, salt, CU_SALT_LEN);
    memcpy(both + CU_SALT_LEN, details, sizeof details - 1);
    want = cu_sha256(CU_SPAN_OF(both));
    assert_memory_equal(&got, &want, 32);
}

static void a_deposit_matches_its_details_and_content(void **state)
{
    struct world w = deposit_of(cu_span("hello", 5), 5);

    (void)state;
    assert_ok(match(&w));
    w = deposit_of(cu_span("", 0), 0);
    assert_ok(match(&w));
}

static void details_that_are_missing_altered_or_salted_otherwise_do_not_match(void **state)
{
    struct world w = deposit_of(cu_span("hello", 5), 5);
    uint8_t other_salt[CU_SALT_LEN] = { 0 }, other[sizeof details - 1];

    (void)state;
    memcpy(other, details, sizeof other);
    other[sizeof other - 1] ^= 1;
    w.record.details = CU_SPAN_OF(other);
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record.details = DETAILS, w.record.salt = CU_SPAN_OF(other_salt);
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record.details = CU_SPAN_EMPTY, w.record.salt = SALT;
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record.details = w.record.salt = CU_SPAN_EMPTY;
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
}

static void nothing_goes_with_what_has_no_details(void **state)
{
    struct world w = { .record = { .entry = golden("block") } };

    (void)state;
    assert_ok(cu_entry_read(w.record.entry, &w.entry, &err));
    assert_ok(match(&w));
    w.record.salt = SALT;
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record.salt = CU_SPAN_EMPTY, w.record.details = DETAILS;
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record.details = CU_SPAN_EMPTY, w.record.content = cu_span("", 0);
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
}

static void content_that_is_missing_altered_or_of_another_size_does_not_match(void **state)
{
    struct world w = deposit_of(cu_span("hello", 5), 5);

    (void)state;
    w.record.content = cu_span("hellp", 5);
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record.content = cu_span("hell", 4);
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record.content = cu_span("hello!", 6);
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record.content = CU_SPAN_EMPTY;
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
}

static void content_travels_with_its_record_up_to_32_kib_and_never_beyond(void **state)
{
    static uint8_t big[CU_CONTENT_INLINE_MAX + 1];
    struct world w = deposit_of(CU_SPAN_OF(big), sizeof big);

    (void)state;
    assert_refused(CU_BAD_ATTACHMENT, match(&w)); /* attached though it may not be */
    w.record.content = CU_SPAN_EMPTY;
    assert_ok(match(&w));
    w = deposit_of(cu_span(big, CU_CONTENT_INLINE_MAX), CU_CONTENT_INLINE_MAX);
    assert_ok(match(&w));
    w.record.content = CU_SPAN_EMPTY;
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
}

static void a_refusal_brings_the_claims_details_and_no_content(void **state)
{
    struct world w = deposit_of(cu_span("hello", 5), 5);
    struct cu_refusal refusal = { .claim = w.entry.outer.body.deposit.claim, .reason = CU_REASON_DAMAGED };

    (void)state;
    w.record.entry = signed_statement(CU_KIND_REFUSAL, "provider", &refusal);
    assert_ok(cu_entry_read(w.record.entry, &w.entry, &err));
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record.content = CU_SPAN_EMPTY;
    assert_ok(match(&w));
    w.record.salt = w.record.details = CU_SPAN_EMPTY;
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
}

static void a_kind_without_details_takes_no_attachment(void **state)
{
    struct world w = { .record = { .entry = golden("block") } };

    (void)state;
    assert_ok(cu_entry_read(w.record.entry, &w.entry, &err));
    assert_ok(match(&w));
    w.record.salt = SALT, w.record.details = DETAILS;
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
    w.record = (struct cu_record){ .entry = golden("block"), .content = cu_span("", 0) };
    assert_refused(CU_BAD_ATTACHMENT, match(&w));
}

static void a_known_record_matches(void **state)
{
    struct world w;

    (void)state;
    assert_ok(cu_record_read(fixture_file(TEST_SOURCE_DIR "/tests/fuzz/corpus/record/deposit"), &w.record, &err));
    assert_ok(cu_entry_read(w.record.entry, &w.entry, &err));
    assert_ok(match(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(no_content_and_empty_content_are_two_things),
        cmocka_unit_test(salt_and_details_come_together),
        cmocka_unit_test(a_record_that_is_not_four_parts_in_their_form_is_refused),
        cmocka_unit_test(a_record_of_64_kib_is_taken_and_one_byte_more_is_not),
        cmocka_unit_test(each_part_of_a_record_has_its_own_bound),
        cmocka_unit_test(a_commitment_is_the_digest_of_salt_and_details),
        cmocka_unit_test(a_deposit_matches_its_details_and_content),
        cmocka_unit_test(details_that_are_missing_altered_or_salted_otherwise_do_not_match),
        cmocka_unit_test(nothing_goes_with_what_has_no_details),
        cmocka_unit_test(content_that_is_missing_altered_or_of_another_size_does_not_match),
        cmocka_unit_test(content_travels_with_its_record_up_to_32_kib_and_never_beyond),
        cmocka_unit_test(a_refusal_brings_the_claims_details_and_no_content),
        cmocka_unit_test(a_kind_without_details_takes_no_attachment),
        cmocka_unit_test(a_known_record_matches),
    };
    return cmocka_run_group_tests(tests, fixture_load, NULL);
}
