/* Details: what each profile demands, and the form that people fill in and read. */
#include "fixture.h"

#include "custody/details.h"
#include "../../schema_check.h"

static uint8_t mem[2 * CU_DETAILS_MAX], list_mem[8][CU_DETAILS_MAX];

static struct cu_span seed(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, TEST_SOURCE_DIR "/tests/fuzz/corpus/details/%s", name);
    return fixture_file(path);
}

static struct cu_list list_of(const struct cu_schema *child, const void *elements, size_t n)
{
    static unsigned turn;
    struct cu_buf out = cu_buf_over(list_mem[turn++ % 8], sizeof list_mem[0]);

    for (size_t i = 0; i < n; i++) assert_ok(cu_schema_write(child, (const uint8_t *)elements + i * child->size, &out, &err));
    return (struct cu_list){ n, cu_buf_span(&out) };
}
#define LIST_OF(child, array) list_of((child), (array), sizeof(array) / sizeof *(array))
#define S(text) cu_span_str(text)

static struct cu_details_deposit a_collection(void)
{
    static const struct cu_detail_person people[] = { { .name = { (const uint8_t *)"Zhang San", 9 } },
                                                      { .name = { (const uint8_t *)"Li Si", 5 } } };

    return (struct cu_details_deposit){
        .name = S("a.jpg"),
        .tool = S("custody 0.1.0"),
        .case_number = S("117"),
        .cause = S("theft"),
        .category = S("photo"),
        .format = S("JPEG"),
        .collected = S("2026-09-21 14:05 +08:00"),
        .place = S("Nanshan"),
        .method = S("copied"),
        .process = S("imaged, exported"),
        .original = true,
        .collectors = LIST_OF(&cu_detail_person_schema, people),
        .holder = { .name = S("Wang Wu") },
        .has_holder = true,
    };
}

static cu_status write(enum cu_profile profile, const void *message)
{
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    cu_status status = cu_details_write(profile, message, &out, &err);

    assert_true(status == CU_OK || out.n == 0);
    return status;
}

static void every_profile_has_a_table_in_order_and_a_name(void **state)
{
    const struct cu_schema *const parts[] = { &cu_detail_digest_schema, &cu_detail_person_schema, &cu_detail_device_schema,
                                              &cu_party_name_schema,    &cu_finding_row_schema,   &cu_access_row_schema,
                                              &cu_detail_earlier_schema };

    (void)state;
    for (enum cu_profile p = CU_PROFILE_PLAIN; p <= CU_PROFILE_GRANT; p++) {
        schema_check(cu_profile_schema(p));
        assert_true(cu_profile_schema(p)->size <= sizeof(union cu_details));
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) schema_check(parts[i]);
    assert_null(cu_profile_schema(CU_PROFILE_NONE));
    assert_null(cu_profile_schema((enum cu_profile)99));
    assert_int_equal(cu_profile_by_name(S("police-collection")), CU_PROFILE_POLICE_COLLECTION);
    assert_int_equal(cu_profile_by_name(S("photo")), CU_PROFILE_NONE);
}

static void known_details_of_every_profile_are_read_and_written_as_the_same_bytes(void **state)
{
    static const char *const names[] = { "plain",  "police",     "genesis", "case",   "void",   "correction", "incident",
                                         "access", "disclosure", "member",  "notice", "answer", "grant" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        enum cu_profile profile;
        union cu_details message;
        struct cu_span bytes = seed(names[i]);
        assert_ok(cu_details_read(bytes, &profile, &message, &err));
        assert_int_equal(profile, i + 1);
        assert_ok(write(profile, &message));
        assert_memory_equal(mem, bytes.p, bytes.n);
    }
}

static void each_profile_goes_with_its_kinds_of_statement_alone(void **state)
{
    (void)state;
    assert_ok(cu_details_check(seed("plain"), CU_KIND_DEPOSIT, NULL, &err));
    assert_ok(cu_details_check(seed("police"), CU_KIND_CLAIM, NULL, &err));
    assert_ok(cu_details_check(seed("police"), CU_KIND_REFUSAL, NULL, &err));
    assert_ok(cu_details_check(seed("case"), CU_KIND_CASE, NULL, &err));
    assert_refused(CU_WRONG_KIND, cu_details_check(seed("plain"), CU_KIND_CASE, NULL, &err));
    assert_refused(CU_WRONG_KIND, cu_details_check(seed("case"), CU_KIND_DEPOSIT, NULL, &err));
    assert_refused(CU_WRONG_KIND, cu_details_check(seed("void"), CU_KIND_CORRECTION, NULL, &err));
    assert_refused(CU_WRONG_KIND, cu_details_check(seed("plain"), CU_KIND_BLOCK, NULL, &err));
}

static void details_that_are_not_canonical_or_of_no_known_profile_are_refused(void **state)
{
    static const struct {
        cu_status status;
        const char *bytes;
        size_t n;
    } bad[] = {
        { CU_MALFORMED, "", 0 },
        { CU_MALFORMED, "\xbf\xff", 2 },
        { CU_MALFORMED, "\xa2\x64text\x60\x67profile\x64void\x00", 21 },
        { CU_MALFORMED, "\xa2\x67profile\x64void\x64text\x60", 20 },
        { CU_MALFORMED, "\xa2\x64text\x60\x64text\x60", 13 },
        { CU_MALFORMED, "\xa1\x67profile\x64void", 14 },                 /* its text is missing */
        { CU_MALFORMED, "\xa2\x64text\x61\xff\x67profile\x64void", 21 }, /* not UTF-8 */
        { CU_NEWER_FORMAT, "\x80", 1 },
        { CU_NEWER_FORMAT, "\xa0", 1 },
        { CU_NEWER_FORMAT, "\xa1\x67profile\x65photo", 15 },
        { CU_NEWER_FORMAT, "\xa1\x67profile\x00", 10 },
    };

    (void)state;
    assert_ok(cu_details_check(cu_span("\xa2\x64text\x60\x67profile\x64void", 20), CU_KIND_VOID, NULL, &err));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(bad[i].status, cu_details_check(cu_span(bad[i].bytes, bad[i].n), CU_KIND_VOID, NULL, &err));
}

static void details_of_24_kib_are_taken_and_one_byte_more_is_not(void **state)
{
    static uint8_t rows[CU_DETAILS_MAX + 64];
    static char where[1024];
    struct cu_buf list = cu_buf_over(rows, sizeof rows);
    struct cu_finding_row row = { .kind = S("damage"), .where = cu_span(where, 1000), .id = S("") };
    struct cu_details_rows message = { .rows = { 0 } };
    enum cu_profile profile;

    (void)state;
    memset(where, 'w', sizeof where);
    for (int i = 0; i < 23; i++) assert_ok(cu_schema_write(&cu_finding_row_schema, &row, &list, &err));
    message.rows = (struct cu_list){ 23, cu_buf_span(&list) };
    static char text[4096];
    memset(text, 't', sizeof text);
    message.text = cu_span(text, 256);
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    assert_ok(cu_details_write(CU_PROFILE_INCIDENT, &message, &out, &err));
    message.text.n += CU_DETAILS_MAX - out.n;
    cu_buf_clear(&out);
    assert_ok(cu_details_write(CU_PROFILE_INCIDENT, &message, &out, &err));
    assert_int_equal(out.n, CU_DETAILS_MAX);
    assert_ok(cu_details_read(cu_buf_span(&out), &profile, NULL, &err));
    message.text.n++;
    assert_refused(CU_TOO_LARGE, write(CU_PROFILE_INCIDENT, &message));
}

static void a_collection_with_all_that_the_rules_ask_is_written(void **state)
{
    struct cu_details_deposit d = a_collection();

    (void)state;
    assert_ok(write(CU_PROFILE_POLICE_COLLECTION, &d));
}

/* Leave the field out, and the error names it. */
#define LACKS(member, name)                                                               \
    do {                                                                                  \
        struct cu_details_deposit lacking = a_collection();                               \
        memset(&lacking.member, 0, sizeof lacking.member);                                \
        assert_refused(CU_MALFORMED, write(CU_PROFILE_POLICE_COLLECTION, &lacking));      \
        if (!strstr(err.text, name)) fail_msg("\"%s\" is not named: %s", name, err.text); \
    } while (0)

static void a_collection_that_lacks_a_required_field_is_refused_by_its_name(void **state)
{
    (void)state;
    LACKS(name, "name");
    LACKS(tool, "tool");
    LACKS(case_number, "case-number");
    LACKS(cause, "cause");
    LACKS(category, "category");
    LACKS(format, "format");
    LACKS(collected, "collected");
    LACKS(place, "place");
    LACKS(method, "method");
    LACKS(process, "process");
    LACKS(collectors, "collectors");
    LACKS(original, "source");
    LACKS(has_holder, "holder");
}

static void required_fields_are_demanded_of_bytes_too(void **state)
{
    struct cu_span police = seed("police");
    static uint8_t cut[1024];
    enum cu_profile profile;
    const uint8_t *at = memmem(police.p, police.n, "\x65place\x67Nanshan", 14);

    (void)state;
    assert_non_null(at);
    memcpy(cut, police.p, (size_t)(at - police.p));
    memcpy(cut + (at - police.p), at + 14, police.n - 14 - (size_t)(at - police.p));
    cut[0] == 0xb8 ? cut[1]-- : cut[0]--;
    assert_refused(CU_MALFORMED, cu_details_read(cu_span(cut, police.n - 14), &profile, NULL, &err));
    assert_non_null(strstr(err.text, "place"));
}

static void one_collector_is_not_enough(void **state)
{
    struct cu_details_deposit d = a_collection();
    struct cu_detail_person one = { .name = S("Zhang San") };

    (void)state;
    d.collectors = list_of(&cu_detail_person_schema, &one, 1);
    assert_refused(CU_MALFORMED, write(CU_PROFILE_POLICE_COLLECTION, &d));
}

static void a_holder_who_did_not_sign_needs_a_reason_and_a_witness(void **state)
{
    struct cu_details_deposit d = a_collection();

    (void)state;
    d.has_refusal = true, d.refusal = S("would not");
    assert_refused(CU_MALFORMED, write(CU_PROFILE_POLICE_COLLECTION, &d));
    assert_non_null(strstr(err.text, "witness"));
    d.has_witness = true, d.witness.name = S("Zhao Liu");
    assert_ok(write(CU_PROFILE_POLICE_COLLECTION, &d));
    d.has_holder = false; /* nobody knows who it is */
    assert_ok(write(CU_PROFILE_POLICE_COLLECTION, &d));
}

static void a_copy_says_why_the_original_was_not_taken(void **state)
{
    struct cu_details_deposit d = a_collection();

    (void)state;
    d.original = false;
    assert_refused(CU_MALFORMED, write(CU_PROFILE_POLICE_COLLECTION, &d));
    d.has_source = true, d.source = S("a rented server, out of reach");
    assert_ok(write(CU_PROFILE_POLICE_COLLECTION, &d));
}

static cu_status write_digests(const struct cu_detail_digest *digests, size_t n)
{
    struct cu_details_deposit d = { .name = S("x"), .tool = S("t"), .has_digests = true };

    d.digests = list_of(&cu_detail_digest_schema, digests, n);
    return write(CU_PROFILE_PLAIN, &d);
}

static void details_name_up_to_200_deposits_of_other_ledgers(void **state)
{
    static struct cu_detail_earlier earlier[CU_EARLIER_MAX + 1];
    struct cu_details_deposit d = { .name = S("x"), .tool = S("t"), .has_earlier = true };

    (void)state;
    for (size_t i = 0; i <= CU_EARLIER_MAX; i++)
        earlier[i] = (struct cu_detail_earlier){ .id = { { (uint8_t)i } }, .name = S("C1-1") };
    d.earlier = list_of(&cu_detail_earlier_schema, earlier, CU_EARLIER_MAX);
    assert_ok(write(CU_PROFILE_PLAIN, &d));
    assert_refused(CU_MALFORMED, write(CU_PROFILE_POLICE_COLLECTION, &d)); /* it is a package, not a collection */
    d.earlier = list_of(&cu_detail_earlier_schema, earlier, CU_EARLIER_MAX + 1);
    assert_refused(CU_MALFORMED, write(CU_PROFILE_PLAIN, &d));
    d.earlier = list_of(&cu_detail_earlier_schema, earlier, 0);
    assert_refused(CU_MALFORMED, write(CU_PROFILE_PLAIN, &d));
}

static void digests_are_in_order_whole_and_sha256_is_the_first(void **state)
{
    const struct cu_detail_digest sha256 = { 1, ZEROS }, md5 = { 3, cu_span(zeros, 16) }, sm3 = { 4, cu_span(zeros, 32) };
    struct cu_detail_digest good = sha256;

    (void)state;
    good.value.n = 32;
    assert_ok(write_digests((struct cu_detail_digest[]){ good, md5, sm3 }, 3));
    assert_refused(CU_MALFORMED, write_digests((struct cu_detail_digest[]){ md5, good }, 2));
    assert_refused(CU_MALFORMED, write_digests((struct cu_detail_digest[]){ good, sm3, md5 }, 3));
    assert_refused(CU_MALFORMED, write_digests((struct cu_detail_digest[]){ good, good }, 2));
    assert_refused(CU_MALFORMED, write_digests(&md5, 1));
    assert_refused(CU_MALFORMED, write_digests(&sha256, 1)); /* 64 bytes */
    assert_refused(CU_MALFORMED, write_digests((struct cu_detail_digest[]){ good, { 99, cu_span(zeros, 32) } }, 2));
}

static void the_name_of_a_file_may_be_any_bytes(void **state)
{
    struct cu_details_deposit d = { .name = cu_span("\xff\x01", 2), .tool = S("t") };

    (void)state;
    assert_ok(write(CU_PROFILE_PLAIN, &d));
}

/* ---- lines ---- */

struct text {
    char s[8192];
    size_t n;
};

static void collect(void *self, struct cu_span key, struct cu_span value)
{
    struct text *t = self;

    t->n += (size_t)snprintf(t->s + t->n, sizeof t->s - t->n, "%.*s: %.*s\n", (int)key.n, (const char *)key.p, (int)value.n,
                             (const char *)value.p);
}

static const char *lines_of(struct cu_span details)
{
    static struct text t;

    t.n = 0, t.s[0] = 0;
    assert_ok(cu_details_each(details, collect, &t, &err));
    return t.s;
}

static void details_are_shown_as_lines(void **state)
{
    (void)state;
    assert_string_equal(lines_of(seed("plain")),
                        "name: notes.txt\nnote: from the desk\ntool: custody 0.1.0\nlabel: AP/1/1\nmedia: text/plain\n"
                        "digests: sha256 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\ndigests: md5 "
                        "b1946ac92492d2347c6235b4d2611184\nprofile: plain\n");
    assert_string_equal(lines_of(seed("incident")),
                        "rows: damage; cloud/objects/ab; C1/1; yes\ntext: one object\nprofile: incident\n");
    assert_string_equal(lines_of(seed("genesis")),
                        "name: example\nparties: 1; Example Office\nparties: 2; Cloud\nparties: 3; Officer\nprofile: genesis\n");
    assert_non_null(strstr(lines_of(seed("access")), "; Officer; 2026-09-21T14:13:20.000Z; court; order 5\n"));
}

static void a_collection_is_shown_with_its_people_and_device(void **state)
{
    const char *shown = lines_of(seed("police"));

    (void)state;
    assert_non_null(strstr(shown, "collectors: Zhang San; inspector; Nanshan branch\ncollectors: Li Si\n"));
    assert_non_null(strstr(shown, "device imei: 860000000000000\ndevice make: Huawei\ndevice model: P60\n"));
    assert_non_null(strstr(shown, "holder name: Wang Wu\n"));
    assert_non_null(strstr(shown, "original: no\n"));
    assert_non_null(strstr(shown, "cause: \xe7\x9b\x97\xe7\xaa\x83\n"));
}

static void details_of_a_later_profile_are_shown_as_they_are(void **state)
{
    (void)state;
    assert_string_equal(lines_of(cu_span("\xa2\x63lat\x05\x67profile\x65photo", 20)), "lat: 5\nprofile: photo\n");
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static const char form[] = "# collected at the scene\r\n"
                           "case-number: 117\n"
                           "cause : theft\n"
                           "category: photo\n"
                           "format: JPEG\n"
                           "collected: 2026-09-21 14:05 +08:00\n"
                           "place: Nanshan, Keyuan Rd 2\n"
                           "method: copied\n"
                           "process: imaged, exported\n"
                           "\n"
                           "warrant:\n"
                           "original: yes\n"
                           "device make: Huawei\n"
                           "device serial: 12:34\n"
                           "collectors: Zhang San; inspector; Nanshan branch\n"
                           "collectors: Li Si;; Nanshan branch; " HEX64 "\n"
                           "holder name: Wang Wu\n"
                           "video-sha256: " HEX64;

static cu_status fill(enum cu_profile profile, const char *text, struct cu_details_deposit *d)
{
    static uint8_t scratch[CU_DETAILS_MAX];
    struct cu_buf over = cu_buf_over(scratch, sizeof scratch);

    return cu_details_from_text(profile, cu_span_str(text), &over, d, &err);
}

static void what_has_no_profile_or_no_room_is_not_written(void **state)
{
    struct cu_details_text text = { .text = S("a line") };
    uint8_t room[8];
    struct cu_buf small = cu_buf_over(room, sizeof room);

    (void)state;
    assert_refused(CU_NOT_FOUND, cu_details_write((enum cu_profile)99, &text, &small, &err));
    assert_refused(CU_TOO_LARGE, cu_details_write(CU_PROFILE_VOID, &text, &small, &err));
    assert_int_equal(small.n, 0);
    assert_refused(CU_WRONG_KIND, cu_details_check(seed("plain"), (enum cu_kind)30, NULL, &err));
}

/* Each `false` takes a byte to store and seven to show. */
static void details_of_a_later_profile_that_grow_too_long_when_shown_are_refused(void **state)
{
    static uint8_t bytes[CU_DETAILS_MAX];
    struct cu_buf out = cu_buf_over(bytes, sizeof bytes);

    (void)state;
    cu_cbor_put_map(&out, 2);
    cu_cbor_put_text(&out, S("a"));
    cu_cbor_put_array(&out, 20000);
    for (int i = 0; i < 20000; i++) cu_cbor_put_bool(&out, false);
    cu_cbor_put_text(&out, S("profile"));
    cu_cbor_put_text(&out, S("later"));
    assert_refused(CU_TOO_LARGE, cu_details_each(cu_buf_span(&out), collect, NULL, &err));
}

static void a_filled_form_becomes_details(void **state)
{
    struct cu_details_deposit d = { .name = S("a.jpg"), .tool = S("custody 0.1.0") };

    (void)state;
    assert_ok(fill(CU_PROFILE_POLICE_COLLECTION, form, &d));
    assert_true(cu_span_is(d.cause, "theft") && cu_span_is(d.device.serial, "12:34") && d.has_device && d.original &&
                !d.has_warrant);
    assert_int_equal(d.collectors.n, 2);
    assert_int_equal(d.video.n, 32);
    assert_ok(write(CU_PROFILE_POLICE_COLLECTION, &d));
}

/* The lines of `shown` but those that the program fills in itself. */
static const char *without_own(const char *shown)
{
    static char text[8192];
    size_t n = 0;

    for (const char *line = shown; *line; line = strchr(line, '\n') + 1) {
        bool own = strncmp(line, "name:", 5) == 0 || strncmp(line, "tool:", 5) == 0 || strncmp(line, "profile:", 8) == 0;
        if (!own) n += (size_t)snprintf(text + n, sizeof text - n, "%.*s\n", (int)strcspn(line, "\n"), line);
    }
    return text;
}

static void what_is_shown_can_be_read_back_as_a_form(void **state)
{
    struct cu_details_deposit d = { .name = S("a.jpg"), .tool = S("custody 0.1.0") }, again = d;
    static uint8_t first[8192];
    struct cu_buf out = cu_buf_over(first, sizeof first);

    (void)state;
    assert_ok(fill(CU_PROFILE_POLICE_COLLECTION, form, &d));
    assert_ok(cu_details_write(CU_PROFILE_POLICE_COLLECTION, &d, &out, &err));
    assert_ok(fill(CU_PROFILE_POLICE_COLLECTION, without_own(lines_of(cu_buf_span(&out))), &again));
    assert_ok(write(CU_PROFILE_POLICE_COLLECTION, &again));
    assert_memory_equal(mem, first, out.n);
}

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A200 A50 A50 A50 A50

static void a_form_with_a_mistake_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "place: a\nplase: b", "line 2, \"plase\"" },
        { "cause serial: 7", "\"cause serial\"" },
        { "collectors: Li Si;;; no digest", "line 1" },
        { "place: a\nplace: b", "line 2, \"place\": it is given twice" },
        { "original: yes\noriginal: no", "twice" },
        { "device make: a\ndevice make: b", "twice" },
        { "device mate: a", "no field of that name" },
        { "device: a", "no such field" },
        { "original: maybe", "yes or no" },
        { "no colon", "key: value" },
        { "name: b", "by itself" },
        { "profile: plain", "by itself" },
        { "digests: sha256 00", "by itself" },
        { "collectors: a; b; c; " HEX64 "; e", "semicolons" },
        { "collectors: a\nvideo-sha256: " HEX64 "\ncollectors: b", "stand together" },
        { "video-sha256: 00", "line 1" },
        { "collectors: ; inspector", "line 1" },
        { "original: no\ndevice make: " A200, "line 2" },
        { "holder: Wang Wu", "no such field" },
        { "holder name: Wang Wu\nholder id-commitment: zz", "line 2" },
        { "label: " A200, "200 bytes, more than 128" },
        { "video-sha256: " HEX64 "00", "line 1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cu_details_deposit d = { 0 }, before = d;
        assert_refused(CU_MALFORMED, fill(CU_PROFILE_POLICE_COLLECTION, bad[i].text, &d));
        if (!strstr(err.text, bad[i].says)) fail_msg("%s", err.text);
        assert_memory_equal(&d, &before, sizeof d);
    }
}

static void what_the_command_line_gave_already_is_not_given_again(void **state)
{
    struct cu_details_deposit d = { .label = S("AP/1"), .has_label = true };

    (void)state;
    assert_refused(CU_MALFORMED, fill(CU_PROFILE_PLAIN, "label: AP/2", &d));
    assert_ok(fill(CU_PROFILE_PLAIN, "\xef\xbb\xbfnote: \xe5\x8d\x97", &d));
    assert_true(d.has_note);
    assert_refused(CU_WRONG_KIND, fill(CU_PROFILE_CASE, "note: x", &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_has_a_table_in_order_and_a_name),
        cmocka_unit_test(known_details_of_every_profile_are_read_and_written_as_the_same_bytes),
        cmocka_unit_test(each_profile_goes_with_its_kinds_of_statement_alone),
        cmocka_unit_test(details_that_are_not_canonical_or_of_no_known_profile_are_refused),
        cmocka_unit_test(details_of_24_kib_are_taken_and_one_byte_more_is_not),
        cmocka_unit_test(a_collection_with_all_that_the_rules_ask_is_written),
        cmocka_unit_test(a_collection_that_lacks_a_required_field_is_refused_by_its_name),
        cmocka_unit_test(required_fields_are_demanded_of_bytes_too),
        cmocka_unit_test(one_collector_is_not_enough),
        cmocka_unit_test(a_holder_who_did_not_sign_needs_a_reason_and_a_witness),
        cmocka_unit_test(a_copy_says_why_the_original_was_not_taken),
        cmocka_unit_test(details_name_up_to_200_deposits_of_other_ledgers),
        cmocka_unit_test(digests_are_in_order_whole_and_sha256_is_the_first),
        cmocka_unit_test(the_name_of_a_file_may_be_any_bytes),
        cmocka_unit_test(details_are_shown_as_lines),
        cmocka_unit_test(a_collection_is_shown_with_its_people_and_device),
        cmocka_unit_test(details_of_a_later_profile_are_shown_as_they_are),
        cmocka_unit_test(what_has_no_profile_or_no_room_is_not_written),
        cmocka_unit_test(details_of_a_later_profile_that_grow_too_long_when_shown_are_refused),
        cmocka_unit_test(a_filled_form_becomes_details),
        cmocka_unit_test(what_is_shown_can_be_read_back_as_a_form),
        cmocka_unit_test(a_form_with_a_mistake_is_refused_with_its_line),
        cmocka_unit_test(what_the_command_line_gave_already_is_not_given_again),
    };
    return cmocka_run_group_tests(tests, fixture_load, NULL);
}
