/* Known answers: entries that other implementations made, and the COSE working group's own examples. */
#include "fixture.h"

static void every_known_entry_is_read_as_what_it_is(void **state)
{
    struct cu_entry entry;

    (void)state;
    assert_true(goldens_n >= cu_kinds_n);
    for (size_t i = 0; i < goldens_n; i++) {
        assert_ok(cu_entry_read(goldens[i].bytes, &entry, &err));
        assert_int_equal(strncmp(goldens[i].name, cu_kind_row(entry.kind)->name, strlen(cu_kind_row(entry.kind)->name)), 0);
        assert_memory_equal(&entry.leaf, &goldens[i].leaf, 32);
        assert_int_equal(entry.signed_, goldens[i].has_id);
        if (goldens[i].has_id) assert_memory_equal(&cu_entry_innermost(&entry)->id, &goldens[i].id, 32);
    }
}

static void every_signature_of_a_known_entry_verifies(void **state)
{
    struct cu_entry entry;

    (void)state;
    for (size_t i = 0; i < goldens_n; i++) {
        assert_ok(cu_entry_read(goldens[i].bytes, &entry, &err));
        if (entry.signed_) assert_ok(check_signature(&entry.outer));
        if (entry.has_inner) assert_ok(check_signature(&entry.inner));
    }
}

static void what_was_read_is_written_as_the_same_bytes(void **state)
{
    struct cu_entry entry;

    (void)state;
    for (size_t i = 0; i < goldens_n; i++) {
        assert_ok(cu_entry_read(goldens[i].bytes, &entry, &err));
        struct cu_span payload = entry.signed_ ? entry.outer.payload : entry.bytes;
        struct cu_span again = payload_of(entry.kind, &entry.outer.body);
        assert_int_equal(again.n, payload.n);
        assert_memory_equal(again.p, payload.p, payload.n);
    }
}

static void what_is_signed_here_is_the_known_entry_but_for_the_signature(void **state)
{
    struct cu_entry entry, mine;

    (void)state;
    for (size_t i = 0; i < goldens_n; i++) {
        uint8_t mem[CU_ENTRY_MAX];
        struct cu_buf out = cu_buf_over(mem, sizeof mem);
        assert_ok(cu_entry_read(goldens[i].bytes, &entry, &err));
        if (!entry.signed_) {
            assert_ok(cu_plain_write(entry.kind, &entry.outer.body, &out, &err));
            assert_int_equal(out.n, entry.bytes.n);
            assert_memory_equal(out.p, entry.bytes.p, out.n);
            continue;
        }
        assert_ok(cu_statement_sign(entry.kind, &entry.outer.body, &entry.outer.network, &key_by_id(&entry.outer.kid)->private_,
                                    &out, &err));
        assert_int_equal(out.n, entry.bytes.n);
        assert_memory_equal(out.p, entry.bytes.p, out.n - CU_SIGNATURE_LEN);
        assert_ok(cu_entry_read(cu_buf_span(&out), &mine, &err));
        assert_memory_equal(&mine.outer.id, &entry.outer.id, 32);
        assert_ok(check_signature(&mine.outer));
    }
}

static void the_sig_structure_is_that_of_the_working_groups_examples(void **state)
{
    char line[1024], name[64], protected_hex[128], payload_hex[256], tbs_hex[512];
    uint8_t protected_[64], payload[128], tbs[256], mem[256];
    FILE *in = fopen(VECTORS "cose_sign1.txt", "r");
    int seen = 0;

    (void)state;
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '#' || sscanf(line, "%63s %127s %255s %511s", name, protected_hex, payload_hex, tbs_hex) != 4) continue;
        struct cu_buf out = cu_buf_over(mem, sizeof mem);
        struct cu_span p = cu_span(protected_, protected_hex[0] == '-' ? 0 : fixture_hex(protected_hex, protected_));
        struct cu_span body = cu_span(payload, fixture_hex(payload_hex, payload));
        size_t n = fixture_hex(tbs_hex, tbs);
        cu_hash want = cu_sha256(cu_span(tbs, n)), got = cu_statement_id(p, body);
        cu_sig_structure(p, body, &out);
        assert_int_equal(out.n, n);
        assert_memory_equal(out.p, tbs, n);
        assert_memory_equal(&got, &want, 32);
        seen++;
    }
    fclose(in);
    assert_int_equal(seen, 4);
}

static void no_example_of_the_working_group_passes_for_an_entry(void **state)
{
    char line[1024], name[64], hex[900];
    uint8_t bytes[450];
    struct cu_entry entry;
    FILE *in = fopen(VECTORS "cose_sign1.txt", "r");
    int seen = 0;

    (void)state;
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) {
        if (sscanf(line, "message %63s %899s", name, hex) != 2) continue;
        cu_status status = cu_entry_read(cu_span(bytes, fixture_hex(hex, bytes)), &entry, &err);
        bool tagged = memcmp(hex, "d284", 4) == 0;
        assert_int_equal(status, tagged ? CU_UNPROTECTED_HEADER : CU_MALFORMED);
        seen++;
    }
    fclose(in);
    assert_int_equal(seen, 10);
}

static void the_id_of_a_long_statement_is_the_digest_of_its_sig_structure(void **state)
{
    static uint8_t payload[CU_ENTRY_MAX], mem[CU_ENTRY_MAX + 64];
    const size_t lengths[] = { 0, 1, 23, 24, 255, 256, 257, 16000, 16384 };

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct cu_buf out = cu_buf_over(mem, sizeof mem);
        cu_sig_structure(EMPTY_MAP, cu_span(payload, lengths[i]), &out);
        assert_ok(cu_buf_ok(&out, &err));
        cu_hash want = cu_sha256(cu_buf_span(&out)), got = cu_statement_id(EMPTY_MAP, cu_span(payload, lengths[i]));
        assert_memory_equal(&got, &want, 32);
    }
}

static void assert_same_span(struct cu_span a, struct cu_span b) { assert_true(a.p == b.p && a.n == b.n); }

static void a_look_says_what_a_reading_says_but_for_the_names(void **state)
{
    static const cu_hash none = { { 0 } };
    struct cu_entry entry, seen;

    (void)state;
    for (size_t i = 0; i < goldens_n; i++) {
        assert_ok(cu_entry_read(goldens[i].bytes, &entry, &err));
        assert_ok(cu_entry_peek(goldens[i].bytes, &seen, &err));
        assert_memory_equal(&seen.leaf, &none, sizeof none);
        assert_memory_equal(&seen.outer.id, &none, sizeof none);
        assert_int_equal(seen.kind, entry.kind);
        assert_int_equal(seen.signed_, entry.signed_);
        assert_int_equal(seen.has_inner, entry.has_inner);
        assert_int_equal(cu_entry_time(&seen), cu_entry_time(&entry));
        assert_same_span(seen.outer.payload, entry.outer.payload);
        if (entry.has_inner) assert_same_span(seen.inner.payload, entry.inner.payload);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_entry_is_read_as_what_it_is),
        cmocka_unit_test(a_look_says_what_a_reading_says_but_for_the_names),
        cmocka_unit_test(every_signature_of_a_known_entry_verifies),
        cmocka_unit_test(what_was_read_is_written_as_the_same_bytes),
        cmocka_unit_test(what_is_signed_here_is_the_known_entry_but_for_the_signature),
        cmocka_unit_test(the_sig_structure_is_that_of_the_working_groups_examples),
        cmocka_unit_test(no_example_of_the_working_group_passes_for_an_entry),
        cmocka_unit_test(the_id_of_a_long_statement_is_the_digest_of_its_sig_structure),
    };
    return cmocka_run_group_tests(tests, fixture_load, NULL);
}
