/* What is no entry: the envelope's rules, one test a way to break them. */
#include "fixture.h"

static struct cu_entry entry;

#define assert_no_entry(status, bytes) assert_refused((status), cu_entry_read((bytes), &entry, &err))

static struct cu_span claim_with(struct cu_span unprotected, struct cu_span signature)
{
    struct cu_claim claim = a_claim();

    return layers(header_bytes(header_of("claim", "depositor")), unprotected, wrapped(payload_of(CU_KIND_CLAIM, &claim)),
                  signature);
}

static struct cu_span deposit_over(struct cu_span inner)
{
    struct cu_deposit deposit = { .claim = inner, .time = 2000, .seen = { .seq = 2 } };

    return unsigned_statement("deposit", "provider", payload_of(CU_KIND_DEPOSIT, &deposit));
}

static struct cu_span good_case(void)
{
    struct cu_case body = { .time = 5 };

    return payload_of(CU_KIND_CASE, &body);
}

/* A copy of these bytes with `n` of them at `at` replaced by `with`. */
static struct cu_span patched(struct cu_span bytes, size_t at, size_t n, struct cu_span with)
{
    static uint8_t mem[8][CU_ENTRY_MAX + 64];
    static unsigned turn;
    struct cu_buf out = cu_buf_over(mem[turn++ % 8], sizeof mem[0]);

    cu_buf_add(&out, cu_span(bytes.p, at));
    cu_buf_add(&out, with);
    cu_buf_add(&out, cu_span(bytes.p + at + n, bytes.n - at - n));
    return cu_buf_span(&out);
}

static size_t offset_of(struct cu_span bytes, const char *needle, size_t n)
{
    const uint8_t *at = memmem(bytes.p, bytes.n, needle, n);

    assert_non_null(at);
    return (size_t)(at - bytes.p);
}

static void a_doubly_signed_deposit_is_read(void **state)
{
    struct cu_claim claim = a_claim();
    struct cu_span inner = signed_statement(CU_KIND_CLAIM, "depositor", &claim);
    struct cu_deposit deposit = { .claim = inner, .time = 2000, .seen = { .seq = 7 } };
    struct cu_span bytes = signed_statement(CU_KIND_DEPOSIT, "provider", &deposit);
    struct cu_statement alone;

    (void)state;
    assert_ok(cu_entry_read(bytes, &entry, &err));
    assert_ok(cu_statement_read(inner, &alone, &err));
    assert_true(entry.signed_ && entry.has_inner);
    assert_int_equal(entry.kind, CU_KIND_DEPOSIT);
    assert_int_equal(entry.inner.body.claim.size, 5);
    assert_memory_equal(&cu_entry_innermost(&entry)->id, &alone.id, 32);
    assert_int_equal(cu_entry_time(&entry), 2000);
    assert_int_equal(cu_entry_seen(&entry)->seq, 7);
    assert_ptr_equal(cu_entry_commitment(&entry), &entry.inner.body.claim.commitment);
}

static void the_id_of_a_claim_outlives_a_second_signature_over_it(void **state)
{
    struct cu_claim claim = a_claim();
    struct cu_statement first, second;

    (void)state;
    assert_ok(cu_statement_read(signed_statement(CU_KIND_CLAIM, "depositor", &claim), &first, &err));
    assert_ok(cu_statement_read(signed_statement(CU_KIND_CLAIM, "depositor", &claim), &second, &err));
    assert_memory_equal(&first.id, &second.id, 32);
}

static void every_one_bit_change_of_a_deposit_is_refused(void **state)
{
    uint8_t bytes[1024];
    struct cu_span good = golden("deposit");

    (void)state;
    memcpy(bytes, good.p, good.n);
    for (size_t bit = 0; bit < 8 * good.n; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool taken = cu_entry_read(cu_span(bytes, good.n), &entry, &err) == CU_OK && check_signature(&entry.outer) == CU_OK &&
                     check_signature(&entry.inner) == CU_OK;
        if (taken) fail_msg("bit %zu of byte %zu may be flipped", bit % 8, bit / 8);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void every_other_value_of_a_byte_outside_the_signatures_is_refused_or_changes_what_was_signed(void **state)
{
    uint8_t bytes[1024];
    struct cu_span good = golden("case");
    struct cu_entry was;

    (void)state;
    assert_ok(cu_entry_read(good, &was, &err));
    memcpy(bytes, good.p, good.n);
    for (size_t i = 0; i < good.n - CU_SIGNATURE_LEN; i++) {
        for (unsigned change = 1; change < 256; change++) {
            bytes[i] ^= (uint8_t)change;
            if (cu_entry_read(cu_span(bytes, good.n), &entry, &err) == CU_OK) {
                assert_memory_not_equal(&entry.outer.id, &was.outer.id, 32);
                assert_memory_not_equal(&entry.leaf, &was.leaf, 32);
            }
            bytes[i] ^= (uint8_t)change;
        }
    }
}

static void a_cut_or_lengthened_entry_is_refused(void **state)
{
    struct cu_span good = golden("deposit");

    (void)state;
    for (size_t n = 0; n < good.n; n++) assert_int_not_equal(cu_entry_read(cu_span(good.p, n), &entry, &err), CU_OK);
    assert_no_entry(CU_MALFORMED, patched(good, good.n, 0, cu_span("\0", 1)));
    assert_no_entry(CU_MALFORMED, patched(golden("block"), golden("block").n, 0, cu_span("\0", 1)));
}

static void a_claim_that_stands_alone_lacks_the_providers_signature(void **state)
{
    (void)state;
    assert_no_entry(CU_MISSING_SIGNATURE, claim_with(EMPTY_MAP, ZEROS));
}

static void an_empty_signature_is_a_missing_one_in_either_layer(void **state)
{
    struct cu_deposit deposit = { .claim = claim_with(EMPTY_MAP, ZEROS) };

    (void)state;
    assert_no_entry(CU_MISSING_SIGNATURE, deposit_over(claim_with(EMPTY_MAP, CU_SPAN_EMPTY)));
    struct cu_span outer = layers(header_bytes(header_of("deposit", "provider")), EMPTY_MAP,
                                  wrapped(payload_of(CU_KIND_DEPOSIT, &deposit)), CU_SPAN_EMPTY);
    assert_no_entry(CU_MISSING_SIGNATURE, outer);
}

static void a_signature_of_another_length_is_refused(void **state)
{
    (void)state;
    assert_no_entry(CU_MALFORMED, deposit_over(claim_with(EMPTY_MAP, cu_span(zeros, 63))));
    assert_no_entry(CU_MALFORMED, deposit_over(claim_with(EMPTY_MAP, cu_span((uint8_t[65]){ 0 }, 65))));
    assert_no_entry(CU_MALFORMED, deposit_over(claim_with(EMPTY_MAP, cu_span(zeros, 1))));
}

static void something_in_the_outer_unprotected_header_is_refused(void **state)
{
    (void)state;
    assert_no_entry(CU_UNPROTECTED_HEADER, layers(header_bytes(header_of("case", "depositor")), cu_span("\xa1\x04\x41\x31", 4),
                                                  wrapped(good_case()), ZEROS));
}

static void something_in_the_inner_unprotected_header_is_refused(void **state)
{
    (void)state;
    assert_no_entry(CU_UNPROTECTED_HEADER, deposit_over(claim_with(cu_span("\xa1\x19\x01\x8a\x80", 5), ZEROS)));
}

static void an_unprotected_header_that_is_no_map_is_refused(void **state)
{
    (void)state;
    assert_no_entry(CU_MALFORMED, deposit_over(claim_with(cu_span("\x40", 1), ZEROS)));
    assert_no_entry(CU_MALFORMED, deposit_over(claim_with(cu_span("\xf6", 1), ZEROS)));
    assert_no_entry(CU_MALFORMED, deposit_over(claim_with(cu_span("\xb8\x00", 2), ZEROS))); /* a longer spelling of {} */
    assert_no_entry(CU_MALFORMED, deposit_over(claim_with(cu_span("\xbf\xff", 2), ZEROS)));
}

static void a_statement_of_another_kind_inside_is_refused(void **state)
{
    struct cu_span other = unsigned_statement("case", "depositor", good_case());
    struct cu_span whole_deposit = deposit_over(claim_with(EMPTY_MAP, ZEROS));
    struct cu_incident incident = { .type = CU_INCIDENT_EQUIVOCATION, .claim = other, .has_claim = true };

    (void)state;
    assert_no_entry(CU_WRONG_KIND, deposit_over(other));
    assert_no_entry(CU_WRONG_KIND, deposit_over(whole_deposit));
    assert_no_entry(CU_WRONG_KIND, unsigned_statement("incident", "organisation", payload_of(CU_KIND_INCIDENT, &incident)));
}

static void an_unknown_kind_is_refused(void **state)
{
    const char *const typs[] = { "application/custody-gift+cose",    "application/custody-case+cbor",
                                 "application/custody-genesis+cose", "application/custody-genesis+cbor",
                                 "application/custody-block+cbor",   "application/cose",
                                 "application/custody-case+cose ",   "Application/custody-case+cose" };

    (void)state;
    for (size_t i = 0; i < sizeof typs / sizeof *typs; i++) {
        struct header h = header_of("case", "depositor");
        h.typ = typs[i];
        assert_no_entry(CU_WRONG_KIND, layers(header_bytes(h), EMPTY_MAP, wrapped(good_case()), ZEROS));
    }
}

static void the_payload_of_one_kind_under_the_name_of_another_is_refused(void **state)
{
    (void)state;
    assert_no_entry(CU_MALFORMED, unsigned_statement("correction", "depositor", good_case()));
    assert_no_entry(CU_MALFORMED, unsigned_statement("stored", "organisation", good_case()));
}

static void a_claim_signed_for_another_ledger_is_refused(void **state)
{
    struct header h = header_of("claim", "depositor");
    struct cu_claim claim = a_claim();

    (void)state;
    h.network.b[31] ^= 1;
    assert_no_entry(CU_WRONG_NETWORK,
                    deposit_over(layers(header_bytes(h), EMPTY_MAP, wrapped(payload_of(CU_KIND_CLAIM, &claim)), ZEROS)));
}

static void a_missing_tag_or_another_one_is_refused(void **state)
{
    struct cu_span good = unsigned_statement("case", "depositor", good_case());

    (void)state;
    assert_ok(cu_entry_read(good, &entry, &err));
    assert_no_entry(CU_MALFORMED, patched(good, 0, 1, CU_SPAN_EMPTY));
    assert_no_entry(CU_MALFORMED, patched(good, 0, 1, cu_span("\xd1", 1)));
    assert_no_entry(CU_MALFORMED, patched(good, 0, 1, cu_span("\xd8\x12", 2))); /* 18, spelled longer */
    assert_no_entry(CU_MALFORMED, patched(good, 0, 0, cu_span("\xd2", 1)));     /* twice */
    assert_no_entry(CU_MALFORMED, patched(good, 0, 0, cu_span("\xd9\xd9\xf7", 3)));
}

static void three_or_five_parts_are_refused(void **state)
{
    struct cu_span good = unsigned_statement("case", "depositor", good_case());

    (void)state;
    assert_no_entry(CU_MALFORMED, patched(cu_span(good.p, good.n - 66), 1, 1, cu_span("\x83", 1)));
    assert_no_entry(CU_MALFORMED, patched(patched(good, good.n, 0, cu_span("\xf6", 1)), 1, 1, cu_span("\x85", 1)));
    assert_no_entry(CU_MALFORMED, patched(patched(good, good.n, 0, cu_span("\xff", 1)), 1, 1, cu_span("\x9f", 1)));
}

static void a_detached_payload_is_refused(void **state)
{
    (void)state;
    assert_no_entry(CU_MALFORMED, layers(header_bytes(header_of("case", "depositor")), EMPTY_MAP, cu_span("\xf6", 1), ZEROS));
    assert_no_entry(CU_MALFORMED,
                    layers(header_bytes(header_of("case", "depositor")), EMPTY_MAP, good_case(), ZEROS)); /* not wrapped */
    assert_no_entry(CU_MALFORMED, layers(header_bytes(header_of("case", "depositor")), EMPTY_MAP, cu_span("\x40", 1), ZEROS));
}

static void a_header_with_more_less_or_disordered_labels_is_refused(void **state)
{
    struct cu_span good = header_bytes(header_of("case", "depositor")), body = wrapped(good_case());
    size_t network = offset_of(good, "\x3a\x00\x01\x00\x00", 5), kid = offset_of(good, "\x04\x58\x20", 3);
    const struct cu_span bad[] = {
        CU_SPAN_EMPTY,
        EMPTY_MAP,
        patched(patched(good, network, good.n - network, CU_SPAN_EMPTY), 0, 1, cu_span("\xa3", 1)),          /* no network */
        patched(patched(good, good.n, 0, cu_span("\x3a\x00\x01\x00\x01\x00", 6)), 0, 1, cu_span("\xa5", 1)), /* one label more */
        patched(patched(good, kid, 0, cu_span("\x02\x80", 2)), 0, 1, cu_span("\xa5", 1)),                    /* crit: [] */
        patched(patched(good, 1, 0, cu_span("\x01\x26", 2)), 0, 1, cu_span("\xa5", 1)),                      /* alg twice */
        patched(patched(good, 1, 2, CU_SPAN_EMPTY), kid - 2 + 35, 0, cu_span("\x01\x26", 2)),                /* alg after kid */
        patched(good, 1, 1, cu_span("\x18\x01", 2)), /* 1, spelled longer */
        patched(good, kid + 1, 34, cu_span("\x58\x1f", 2)),
        patched(good, good.n, 0, cu_span("\0", 1)),
    };

    (void)state;
    assert_ok(cu_entry_read(layers(good, EMPTY_MAP, body, ZEROS), &entry, &err));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_no_entry(CU_MALFORMED, layers(bad[i], EMPTY_MAP, body, ZEROS));
}

static void an_algorithm_that_no_suite_has_is_refused(void **state)
{
    const int64_t algs[] = { 0, -1, 5, -35, -37, INT64_MIN, INT64_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        struct header h = header_of("case", "depositor");
        h.alg = algs[i];
        assert_no_entry(CU_MALFORMED, layers(header_bytes(h), EMPTY_MAP, wrapped(good_case()), ZEROS));
    }
}

static void a_payload_that_is_not_canonical_is_refused(void **state)
{
    struct cu_span good = good_case();
    size_t time = offset_of(good, "\x02\x05", 2);
    const struct cu_span bad[] = {
        patched(good, time, 2, cu_span("\x02\x18\x05", 3)),                                  /* 5, spelled longer */
        patched(good, 0, 1, cu_span("\xb8\x04", 2)),                                         /* the map's head likewise */
        patched(patched(good, 0, 1, cu_span("\xbf", 1)), good.n, 0, cu_span("\xff", 1)),     /* indefinite length */
        patched(patched(good, time, 0, cu_span("\x02\x05", 2)), 0, 1, cu_span("\xa5", 1)),   /* a duplicated key */
        patched(patched(good, time, 2, CU_SPAN_EMPTY), 1, 0, cu_span("\x02\x05", 2)),        /* keys out of order */
        patched(good, time + 1, 1, cu_span("\xf9\x45\x00", 3)),                              /* 5.0 */
        patched(good, time + 1, 1, cu_span("\xc2\x41\x05", 3)),                              /* a bignum */
        patched(good, time + 1, 1, cu_span("\xf7", 1)),                                      /* undefined */
        patched(patched(good, good.n, 0, cu_span("\x05\x00", 2)), 0, 1, cu_span("\xa5", 1)), /* a key of no field */
        patched(good, time + 1, 1, cu_span("\x20", 1)),                                      /* -1 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_no_entry(CU_MALFORMED, unsigned_statement("case", "depositor", bad[i]));
}

static void lengths_that_lie_are_refused(void **state)
{
    struct cu_span good = unsigned_statement("case", "depositor", good_case());
    size_t payload = offset_of(good, "\xa0\x58", 2) + 1, signature = good.n - 66;
    const struct cu_span lies[] = {
        cu_span("\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9),
        cu_span("\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", 9),
        cu_span("\x5a\xff\xff\xff\xff", 5),
        cu_span("\x59\x40\x00", 3),
        cu_span("\x58\xff", 2),
        cu_span("\x5c", 1),
        cu_span("\x5f", 1),
    };

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        assert_no_entry(CU_MALFORMED, patched(good, payload, 2, lies[i]));
        assert_no_entry(CU_MALFORMED, patched(good, signature, 2, lies[i]));
        assert_no_entry(CU_MALFORMED, patched(good, 2, 2, lies[i]));
    }
    assert_no_entry(CU_MALFORMED, cu_span("\xd2\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 10));
    assert_no_entry(CU_MALFORMED, cu_span("\xbb\xff\xff\xff\xff\xff\xff\xff\xff", 9));
}

static void what_is_nested_too_deep_is_refused(void **state)
{
    static uint8_t deep[8192];
    struct cu_span body = cu_span(deep, sizeof deep);

    (void)state;
    memset(deep, 0x81, sizeof deep);
    assert_no_entry(CU_MALFORMED, body);
    assert_no_entry(CU_MALFORMED, unsigned_statement("case", "depositor", body));
    assert_no_entry(CU_MALFORMED, layers(header_bytes(header_of("case", "depositor")), body, wrapped(good_case()), ZEROS));
    memset(deep, 0xd2, sizeof deep);
    assert_no_entry(CU_MALFORMED, body);
}

/* A genesis of one party with `keys` keys, the last one `last` bytes long. */
static struct cu_span genesis_with(size_t keys, size_t last)
{
    static uint8_t key_mem[CU_ENTRY_MAX + 1024], party_mem[CU_ENTRY_MAX + 1024];
    struct cu_buf key_list = cu_buf_over(key_mem, sizeof key_mem), party_list = cu_buf_over(party_mem, sizeof party_mem);
    struct cu_entry known;

    assert_ok(cu_entry_read(golden("genesis"), &known, &err));
    for (size_t i = 0; i < keys; i++) {
        struct cu_party_key key = { .purpose = 1, .neg_alg = 7, .pub = cu_span(zeros, i + 1 < keys ? 64 : last) };
        assert_ok(cu_schema_write(&cu_party_key_schema, &key, &key_list, &err));
    }
    struct cu_party party = {
        .id = 1, .role = CU_ROLE_ORGANISATION, .organisation = 1, .keys = { keys, cu_buf_span(&key_list) }
    };
    assert_ok(cu_schema_write(&cu_party_schema, &party, &party_list, &err));
    known.outer.body.genesis.parties = (struct cu_list){ 1, cu_buf_span(&party_list) };
    return payload_of(CU_KIND_GENESIS, &known.outer.body.genesis);
}

static struct cu_span genesis_of_size(size_t size)
{
    for (size_t keys = 200; keys < 250; keys++)
        for (size_t last = 1; last <= 64; last++)
            if (genesis_with(keys, last).n == size) return genesis_with(keys, last);
    fail_msg("no genesis has %zu bytes", size);
    return CU_SPAN_EMPTY;
}

static void an_entry_of_16_kib_is_read_and_one_byte_more_is_too_large(void **state)
{
    (void)state;
    assert_ok(cu_entry_read(genesis_of_size(CU_ENTRY_MAX), &entry, &err));
    assert_int_equal(entry.bytes.n, CU_ENTRY_MAX);
    assert_no_entry(CU_TOO_LARGE, genesis_of_size(CU_ENTRY_MAX + 1));
}

static void a_plain_entry_of_16_kib_is_written_and_one_byte_more_is_not(void **state)
{
    static uint8_t mem[2 * CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    union cu_payload body;

    (void)state;
    assert_ok(cu_schema_read(cu_kind_row(CU_KIND_GENESIS)->payload, genesis_of_size(CU_ENTRY_MAX + 1), &body, &err));
    assert_refused(CU_TOO_LARGE, cu_plain_write(CU_KIND_GENESIS, &body, &out, &err));
    assert_int_equal(out.n, 0);
    assert_ok(cu_schema_read(cu_kind_row(CU_KIND_GENESIS)->payload, genesis_of_size(CU_ENTRY_MAX), &body, &err));
    assert_ok(cu_plain_write(CU_KIND_GENESIS, &body, &out, &err));
    assert_int_equal(out.n, CU_ENTRY_MAX);
}

static void a_claim_of_more_than_4_kib_is_too_large(void **state)
{
    static uint8_t junk[CU_CLAIM_MAX];
    struct header h = header_of("claim", "depositor");
    size_t overhead = layers(header_bytes(h), EMPTY_MAP, wrapped(cu_span(junk, 3000)), ZEROS).n - 3000;
    struct cu_statement claim;
    struct cu_span at_the_bound = layers(header_bytes(h), EMPTY_MAP, wrapped(cu_span(junk, CU_CLAIM_MAX - overhead)), ZEROS);
    struct cu_span one_more = layers(header_bytes(h), EMPTY_MAP, wrapped(cu_span(junk, CU_CLAIM_MAX - overhead + 1)), ZEROS);

    (void)state;
    assert_int_equal(at_the_bound.n, CU_CLAIM_MAX);
    assert_refused(CU_MALFORMED, cu_statement_read(at_the_bound, &claim, &err)); /* judged, and it is junk */
    assert_refused(CU_TOO_LARGE, cu_statement_read(one_more, &claim, &err));
    assert_no_entry(CU_MALFORMED, deposit_over(at_the_bound));
    assert_no_entry(CU_TOO_LARGE, deposit_over(one_more));
}

static void what_is_no_bytes_of_an_entry_is_no_statement_either(void **state)
{
    static uint8_t large[CU_ENTRY_MAX + 1];
    struct cu_statement st;

    (void)state;
    assert_refused(CU_TOO_LARGE, cu_statement_read(CU_SPAN_OF(large), &st, &err));
    assert_refused(CU_MALFORMED, cu_statement_read(CU_SPAN_EMPTY, &st, &err));
}

static void nothing_is_signed_that_could_not_be_read(void **state)
{
    static uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_claim claim = a_claim();
    cu_hash network = the_network(), other = network;
    const struct cu_private_key *key = &key_of("provider")->private_;

    (void)state;
    other.b[0] ^= 1;
    struct cu_deposit deposit = { .claim = signed_statement(CU_KIND_CLAIM, "depositor", &claim) };
    assert_refused(CU_WRONG_NETWORK, cu_statement_sign(CU_KIND_DEPOSIT, &deposit, &other, key, &out, &err));
    deposit.claim = golden("case");
    assert_refused(CU_WRONG_KIND, cu_statement_sign(CU_KIND_DEPOSIT, &deposit, &network, key, &out, &err));
    claim.content = CU_CONTENT_FOLDER;
    assert_refused(CU_MALFORMED, cu_statement_sign(CU_KIND_CLAIM, &claim, &network, key, &out, &err));
    claim.serial = 0;
    assert_refused(CU_MALFORMED, cu_statement_sign(CU_KIND_CLAIM, &claim, &network, key, &out, &err));
    assert_refused(CU_WRONG_KIND, cu_statement_sign(CU_KIND_BLOCK, &(struct cu_block){ 0 }, &network, key, &out, &err));
    assert_refused(CU_WRONG_KIND, cu_statement_sign((enum cu_kind)99, &claim, &network, key, &out, &err));
    assert_refused(CU_MALFORMED, cu_plain_write(CU_KIND_BLOCK, &(struct cu_block){ 0 }, &out, &err));
    assert_refused(CU_WRONG_KIND, cu_plain_write(CU_KIND_CLAIM, &claim, &out, &err));
    assert_refused(CU_WRONG_KIND, cu_plain_write((enum cu_kind)99, &claim, &out, &err));
    assert_int_equal(out.n, 0);
}

static void a_plain_entry_begins_with_its_type(void **state)
{
    struct cu_span good = golden("block");

    (void)state;
    assert_no_entry(CU_MALFORMED, EMPTY_MAP);
    assert_no_entry(CU_MALFORMED, cu_span("\xa1\x01\x02", 3));
    assert_no_entry(CU_MALFORMED, cu_span("\xa1\x00\x02", 3));
    assert_no_entry(CU_MALFORMED, cu_span("\x80", 1));
    assert_no_entry(CU_MALFORMED, CU_SPAN_EMPTY);
    size_t at = offset_of(good, "block", 5);
    assert_no_entry(CU_WRONG_KIND, patched(good, at, 5, cu_span("clock", 5)));
    assert_no_entry(CU_WRONG_KIND, cu_span("\xa1\x00\x78\x1d"
                                           "application/custody-case+cose",
                                           33)); /* of a signed one */
    assert_no_entry(CU_WRONG_KIND, patched(good, offset_of(good, "+cbor", 5), 5, cu_span("+cose", 5)));
}

static void a_refused_entry_leaves_the_output_as_it_was(void **state)
{
    struct cu_entry before;

    (void)state;
    memset(&entry, 0x5a, sizeof entry);
    before = entry;
    assert_no_entry(CU_MISSING_SIGNATURE, claim_with(EMPTY_MAP, ZEROS));
    assert_memory_equal(&before, &entry, sizeof entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_doubly_signed_deposit_is_read),
        cmocka_unit_test(the_id_of_a_claim_outlives_a_second_signature_over_it),
        cmocka_unit_test(every_one_bit_change_of_a_deposit_is_refused),
        cmocka_unit_test(every_other_value_of_a_byte_outside_the_signatures_is_refused_or_changes_what_was_signed),
        cmocka_unit_test(a_cut_or_lengthened_entry_is_refused),
        cmocka_unit_test(a_claim_that_stands_alone_lacks_the_providers_signature),
        cmocka_unit_test(an_empty_signature_is_a_missing_one_in_either_layer),
        cmocka_unit_test(a_signature_of_another_length_is_refused),
        cmocka_unit_test(something_in_the_outer_unprotected_header_is_refused),
        cmocka_unit_test(something_in_the_inner_unprotected_header_is_refused),
        cmocka_unit_test(an_unprotected_header_that_is_no_map_is_refused),
        cmocka_unit_test(a_statement_of_another_kind_inside_is_refused),
        cmocka_unit_test(an_unknown_kind_is_refused),
        cmocka_unit_test(the_payload_of_one_kind_under_the_name_of_another_is_refused),
        cmocka_unit_test(a_claim_signed_for_another_ledger_is_refused),
        cmocka_unit_test(a_missing_tag_or_another_one_is_refused),
        cmocka_unit_test(three_or_five_parts_are_refused),
        cmocka_unit_test(a_detached_payload_is_refused),
        cmocka_unit_test(a_header_with_more_less_or_disordered_labels_is_refused),
        cmocka_unit_test(an_algorithm_that_no_suite_has_is_refused),
        cmocka_unit_test(a_payload_that_is_not_canonical_is_refused),
        cmocka_unit_test(lengths_that_lie_are_refused),
        cmocka_unit_test(what_is_nested_too_deep_is_refused),
        cmocka_unit_test(an_entry_of_16_kib_is_read_and_one_byte_more_is_too_large),
        cmocka_unit_test(a_plain_entry_of_16_kib_is_written_and_one_byte_more_is_not),
        cmocka_unit_test(a_claim_of_more_than_4_kib_is_too_large),
        cmocka_unit_test(what_is_no_bytes_of_an_entry_is_no_statement_either),
        cmocka_unit_test(nothing_is_signed_that_could_not_be_read),
        cmocka_unit_test(a_plain_entry_begins_with_its_type),
        cmocka_unit_test(a_refused_entry_leaves_the_output_as_it_was),
    };
    return cmocka_run_group_tests(tests, fixture_load, NULL);
}
