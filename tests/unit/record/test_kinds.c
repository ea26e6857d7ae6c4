/* The table of kinds, and the rules of each payload that need no state. */
#include "fixture.h"
#include "../../schema_check.h"

static struct cu_entry entry;

static cu_status read_as(enum cu_kind kind, const char *key, const void *body)
{
    return cu_entry_read(unsigned_statement(cu_kind_row(kind)->name, key, payload_of(kind, body)), &entry, &err);
}

/* Lists are written from encoded elements. */
static struct cu_list list_of(const struct cu_schema *child, const void *elements, size_t n)
{
    static uint8_t mem[16][CU_ENTRY_MAX];
    static unsigned turn;
    struct cu_buf out = cu_buf_over(mem[turn++ % 16], sizeof mem[0]);

    for (size_t i = 0; i < n; i++) assert_ok(cu_schema_write(child, (const uint8_t *)elements + i * child->size, &out, &err));
    return (struct cu_list){ n, cu_buf_span(&out) };
}
#define LIST_OF(child, array) list_of((child), (array), sizeof(array) / sizeof *(array))

static void every_kind_has_a_row_a_name_a_type_and_fields_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < cu_kinds_n; i++) {
        const struct cu_kind_row *row = cu_kind_row(cu_kinds[i]);
        assert_int_equal(row->kind, cu_kinds[i]);
        assert_ptr_equal(cu_kind_by_typ(cu_span_str(row->typ)), row);
        assert_non_null(strstr(row->typ, row->name));
        schema_check(row->payload);
    }
    assert_null(cu_kind_row(CU_KIND_NONE));
    assert_null(cu_kind_row((enum cu_kind)99));
    assert_null(cu_kind_by_typ(CU_SPAN_EMPTY));
}

static void the_tuples_have_their_fields_in_order(void **state)
{
    const struct cu_schema *const schemas[] = { &cu_seen_schema,     &cu_uint_schema,         &cu_possession_schema,
                                                &cu_range_schema,    &cu_open_serials_schema, &cu_party_schema,
                                                &cu_party_key_schema };

    (void)state;
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) schema_check(schemas[i]);
}

static void every_kind_that_promises_details_has_a_commitment_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < goldens_n; i++) {
        assert_ok(cu_entry_read(goldens[i].bytes, &entry, &err));
        assert_int_equal(cu_entry_commitment(&entry) != NULL, cu_kind_row(entry.kind)->details);
        assert_true(cu_entry_time(&entry) > 0);
        assert_int_equal(cu_entry_seen(&entry) != NULL,
                         entry.kind != CU_KIND_GENESIS && entry.kind != CU_KIND_BLOCK && entry.kind != CU_KIND_CONFIRM);
    }
}

static void numbers_have_words(void **state)
{
    (void)state;
    assert_string_equal(cu_reason_name(CU_REASON_LOST), "lost");
    assert_string_equal(cu_incident_name(CU_INCIDENT_EQUIVOCATION), "equivocation");
    assert_null(cu_reason_name(0));
    assert_null(cu_reason_name(10));
    for (uint64_t reason = 1; cu_reason_name(reason); reason++)
        assert_int_equal(cu_reason_by_name(cu_span_str(cu_reason_name(reason))), reason);
    assert_int_equal(cu_reason_by_name(cu_span_str("because")), 0);
    assert_int_equal(cu_reason_by_name(CU_SPAN_EMPTY), 0);
    assert_null(cu_incident_name(5));
}

static cu_status read_claim(const struct cu_claim *claim)
{
    struct cu_statement st;

    return cu_statement_read(unsigned_statement("claim", "depositor", payload_of(CU_KIND_CLAIM, claim)), &st, &err);
}

static void a_claim_has_a_folder_field_if_and_only_if_it_is_of_a_folder(void **state)
{
    struct cu_claim claim = a_claim();

    (void)state;
    assert_ok(read_claim(&claim));
    claim.content = CU_CONTENT_FOLDER;
    assert_refused(CU_MALFORMED, read_claim(&claim));
    claim.has_folder = true;
    assert_ok(read_claim(&claim));
    claim.content = CU_CONTENT_ITEM;
    assert_refused(CU_MALFORMED, read_claim(&claim));
}

static void a_payload_field_beyond_its_bound_is_refused(void **state)
{
    struct cu_span good = golden("case");
    struct cu_statement st;
    struct cu_claim claim = a_claim();

    (void)state;
    assert_ok(cu_statement_read(good, &st, &err));
    static uint8_t mem[512];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    claim.serial = 0;
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_CLAIM)->payload, &claim, &out, &err));
    claim = a_claim(), claim.content = 3;
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_CLAIM)->payload, &claim, &out, &err));
    claim = a_claim(), claim.size = (uint64_t)INT64_MAX + 1;
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_CLAIM)->payload, &claim, &out, &err));
    claim = a_claim(), claim.time = 253402300800000;
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_CLAIM)->payload, &claim, &out, &err));
}

static void a_refusal_and_a_void_give_a_reason_that_is_known(void **state)
{
    struct cu_refusal refusal;
    struct cu_void a_void = { .serial = 1 };

    (void)state;
    assert_ok(cu_entry_read(golden("refusal"), &entry, &err));
    refusal = entry.outer.body.refusal;
    for (uint64_t reason = 1; reason < 12; reason++) {
        refusal.reason = a_void.reason = reason;
        assert_refused(reason <= CU_REASON_NO_BASIS ? CU_OK : CU_MALFORMED, read_as(CU_KIND_REFUSAL, "provider", &refusal));
        assert_refused(reason <= CU_REASON_NO_BASIS ? CU_OK : CU_MALFORMED, read_as(CU_KIND_VOID, "depositor", &a_void));
    }
}

static void an_answer_counts_deposits_or_gives_a_reason(void **state)
{
    struct cu_answer answer = { .n = 1 };

    (void)state;
    assert_ok(read_as(CU_KIND_ANSWER, "provider", &answer));
    answer.has_reason = true, answer.reason = CU_REASON_NOT_HELD;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_ANSWER, "provider", &answer));
    answer.n = 0;
    assert_ok(read_as(CU_KIND_ANSWER, "provider", &answer));
    answer.reason = 99;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_ANSWER, "provider", &answer));
    answer.has_reason = false;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_ANSWER, "provider", &answer));
}

static void a_timeout_is_of_a_claim_of_this_ledger_or_of_a_notice(void **state)
{
    struct cu_timeout timeout;

    (void)state;
    assert_ok(cu_entry_read(golden("timeout-claim"), &entry, &err));
    timeout = entry.outer.body.timeout;
    assert_true(cu_entry_evidence(&entry).n > 0 && !cu_entry_notice(&entry));
    timeout.has_notice = true;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_TIMEOUT, "organisation", &timeout));
    timeout.has_claim = false;
    assert_ok(read_as(CU_KIND_TIMEOUT, "organisation", &timeout));
    assert_true(!cu_entry_evidence(&entry).n && cu_entry_notice(&entry));
    timeout.has_notice = false;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_TIMEOUT, "organisation", &timeout));
    timeout.has_claim = true, timeout.claim = golden("case");
    assert_refused(CU_WRONG_KIND, read_as(CU_KIND_TIMEOUT, "organisation", &timeout));
}

static cu_status read_ranges(const struct cu_range *ranges, size_t n)
{
    struct cu_stored stored = { .ranges = list_of(&cu_range_schema, ranges, n) };

    return read_as(CU_KIND_STORED, "organisation", &stored);
}

static void stored_ranges_ascend_and_are_disjoint(void **state)
{
    (void)state;
    assert_ok(read_ranges((struct cu_range[]){ { 3, 3 } }, 1));
    assert_ok(read_ranges((struct cu_range[]){ { 0, 3 }, { 5, 9 }, { 10, 10 } }, 3));
    assert_ok(read_ranges((struct cu_range[]){ { 0, INT64_MAX } }, 1));
    assert_refused(CU_MALFORMED, read_ranges((struct cu_range[]){ { 4, 3 } }, 1));
    assert_refused(CU_MALFORMED, read_ranges((struct cu_range[]){ { 0, 3 }, { 3, 9 } }, 2));
    assert_refused(CU_MALFORMED, read_ranges((struct cu_range[]){ { 5, 9 }, { 0, 3 } }, 2));
    assert_refused(CU_MALFORMED, read_ranges((struct cu_range[]){ { 0, INT64_MAX }, { 1, 1 } }, 2));
}

static void stored_names_at_least_one_range_and_at_most_512(void **state)
{
    static struct cu_range ranges[CU_STORED_RANGES_MAX + 1];
    static uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_stored none = { 0 };

    (void)state;
    for (size_t i = 0; i <= CU_STORED_RANGES_MAX; i++) ranges[i] = (struct cu_range){ 2 * i, 2 * i };
    assert_ok(read_ranges(ranges, CU_STORED_RANGES_MAX));
    struct cu_stored many = { .ranges = LIST_OF(&cu_range_schema, ranges) };
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_STORED)->payload, &many, &out, &err));
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_STORED)->payload, &none, &out, &err));
}

/* n objects, of which so many are listed; `wrong`: the root is another one. */
static cu_status read_held(uint64_t n, size_t listed, struct cu_held held, bool wrong)
{
    static uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_frontier tree = { 0 };

    for (size_t i = 0; i < listed; i++) {
        const struct cu_held_object object = { { { 1, (uint8_t)(held.mode == 9 ? 0 : i) } },
                                               cu_span_str("3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY") };
        const size_t from = out.n;
        assert_ok(cu_schema_write(&cu_held_object_schema, &object, &out, &err));
        const cu_hash leaf = cu_leaf_hash(cu_span(mem + from, out.n - from));
        cu_frontier_append(&tree, &leaf);
    }
    if (held.mode == 9) held.mode = CU_HELD_COMPLIANCE;
    held.n = n;
    held.root = cu_frontier_root(&tree);
    held.root.b[5] ^= wrong;
    held.objects = (struct cu_list){ listed, cu_buf_span(&out) };
    const struct cu_range one = { 3, 3 };
    struct cu_stored stored = { .ranges = list_of(&cu_range_schema, &one, 1), .held = held, .has_held = true };
    static uint8_t whole[CU_ENTRY_MAX];
    struct cu_buf written = cu_buf_over(whole, sizeof whole);
    const cu_status fits = cu_schema_write(cu_kind_row(CU_KIND_STORED)->payload, &stored, &written, &err);
    if (fits != CU_OK) return fits;
    return read_as(CU_KIND_STORED, "provider", &stored);
}

static void what_is_held_lists_1_to_64_objects_in_ascending_order(void **state)
{
    const struct cu_held locked = { .mode = CU_HELD_COMPLIANCE, .until = 5 }, twice = { .mode = 9, .until = 5 };

    (void)state;
    assert_ok(read_held(1, 1, locked, false));
    assert_ok(read_held(1, 1, (struct cu_held){ .mode = CU_HELD_FREE }, false));
    assert_ok(read_held(CU_HELD_OBJECTS_MAX, CU_HELD_OBJECTS_MAX, locked, false));
    assert_ok(read_held(CU_HELD_OBJECTS_MAX + 1, CU_HELD_OBJECTS_MAX, locked, true)); /* of more than are listed */
    assert_refused(CU_MALFORMED, read_held(CU_HELD_OBJECTS_MAX + 1, CU_HELD_OBJECTS_MAX + 1, locked, false));
    assert_refused(CU_MALFORMED, read_held(0, 0, locked, false));
    assert_refused(CU_MALFORMED, read_held(3, 2, locked, false));
    assert_refused(CU_MALFORMED, read_held(2, 3, locked, false));
    assert_refused(CU_MALFORMED, read_held(2, 2, locked, true));
    assert_refused(CU_MALFORMED, read_held(2, 2, twice, false));
    assert_refused(CU_MALFORMED, read_held(1, 1, (struct cu_held){ .mode = CU_HELD_GOVERNANCE }, false));
    assert_refused(CU_MALFORMED, read_held(1, 1, (struct cu_held){ .mode = CU_HELD_FREE, .until = 5 }, false));
    assert_refused(CU_MALFORMED, read_held(1, 1, (struct cu_held){ .mode = 3, .until = 5 }, false));
}

/* The known genesis with another policy. */
static cu_status write_policy(uint64_t days, const char *const *profiles, size_t n)
{
    static uint8_t mem[CU_ENTRY_MAX], list[1024];
    struct cu_buf out = cu_buf_over(mem, sizeof mem), seal = cu_buf_over(list, sizeof list);
    struct cu_entry e;

    assert_ok(cu_entry_read(golden("genesis"), &e, &err));
    for (size_t i = 0; i < n; i++)
        assert_ok(cu_schema_write(&cu_must_seal_schema, &(struct cu_must_seal){ cu_span_str(profiles[i]), i % 2 }, &seal, &err));
    struct cu_policy *policy = &e.outer.body.genesis.policy;
    policy->has_retention = days != UINT64_MAX, policy->retention = days;
    policy->has_seal = profiles != NULL, policy->seal = (struct cu_list){ n, cu_buf_span(&seal) };
    return cu_plain_write(CU_KIND_GENESIS, &e.outer.body.genesis, &out, &err);
}

static void a_policy_asks_for_1_to_36500_days_and_1_to_8_profiles(void **state)
{
    static const char *const profiles[] = { "a", "aa", "b", "c", "d", "e", "f", "g", "h" }, *const twice[] = { "plain", "plain" },
                             *const falling[] = { "plain", "note" };

    (void)state;
    assert_ok(write_policy(UINT64_MAX, NULL, 0));
    assert_ok(write_policy(1, NULL, 0));
    assert_ok(write_policy(CU_RETENTION_DAYS_MAX, profiles, CU_MUST_SEAL_MAX));
    assert_refused(CU_MALFORMED, write_policy(0, NULL, 0));
    assert_refused(CU_MALFORMED, write_policy(CU_RETENTION_DAYS_MAX + 1, NULL, 0));
    assert_refused(CU_MALFORMED, write_policy(UINT64_MAX, profiles, 0));
    assert_refused(CU_MALFORMED, write_policy(UINT64_MAX, profiles, CU_MUST_SEAL_MAX + 1));
    assert_refused(CU_MALFORMED, write_policy(UINT64_MAX, twice, 2));
    assert_refused(CU_MALFORMED, write_policy(UINT64_MAX, falling, 2));
}

static cu_status read_ids(const cu_hash *ids, size_t n)
{
    static uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    for (size_t i = 0; i < n; i++) cu_cbor_put_bytes(&out, cu_span_hash(&ids[i]));
    struct cu_disclosure disclosure = { .targets = { n, cu_buf_span(&out) } };
    return read_as(CU_KIND_DISCLOSURE, "depositor", &disclosure);
}

static void a_disclosure_names_1_to_400_ids_in_ascending_order(void **state)
{
    static cu_hash ids[CU_DISCLOSED_MAX + 1];
    static uint8_t mem[CU_ENTRY_MAX + 64];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_disclosure none = { 0 };

    (void)state;
    for (size_t i = 0; i <= CU_DISCLOSED_MAX; i++) ids[i].b[0] = (uint8_t)((i + 1) >> 8), ids[i].b[1] = (uint8_t)(i + 1);
    assert_ok(read_ids(ids, 1));
    assert_ok(read_ids(ids, CU_DISCLOSED_MAX));
    assert_refused(CU_MALFORMED, read_ids((cu_hash[]){ ids[1], ids[0] }, 2));
    assert_refused(CU_MALFORMED, read_ids((cu_hash[]){ ids[0], ids[0] }, 2));
    struct cu_disclosure many = { .targets = LIST_OF(&cu_id_schema, ids) };
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_DISCLOSURE)->payload, &many, &out, &err));
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_DISCLOSURE)->payload, &none, &out, &err));
}

static cu_status read_grant(const cu_hash *kids, size_t n)
{
    static uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    for (size_t i = 0; i < n; i++) cu_cbor_put_bytes(&out, cu_span_hash(&kids[i]));
    struct cu_grant grant = { .readers = { n, cu_buf_span(&out) } };
    return read_as(CU_KIND_GRANT, "depositor", &grant);
}

static void a_grant_names_1_to_16_readers_in_ascending_order(void **state)
{
    static cu_hash kids[CU_GRANT_READERS_MAX + 1];
    static uint8_t mem[CU_ENTRY_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    struct cu_grant none = { 0 };

    (void)state;
    for (size_t i = 0; i <= CU_GRANT_READERS_MAX; i++) kids[i].b[0] = (uint8_t)(i + 1);
    assert_ok(read_grant(kids, 1));
    assert_ok(read_grant(kids, CU_GRANT_READERS_MAX));
    struct cu_grant many = { .readers = LIST_OF(&cu_id_schema, kids) };
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_GRANT)->payload, &many, &out, &err));
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_GRANT)->payload, &none, &out, &err));
    assert_refused(CU_MALFORMED, read_grant((cu_hash[]){ kids[1], kids[0] }, 2));
    assert_refused(CU_MALFORMED, read_grant((cu_hash[]){ kids[0], kids[0] }, 2));
}

struct proposed {
    enum cu_change change;
    uint64_t party;
    size_t keys, revoked;
    bool terms, rules, rising;
    uint64_t copies, mandatory;
};

static cu_status read_propose(struct proposed from)
{
    static struct cu_given_key keys[CU_PROPOSED_KEYS_MAX + 1];
    static struct cu_revoked gone[CU_PROPOSED_REVOKED_MAX + 1];
    static const uint64_t ids[] = { 1, 4 };
    struct cu_propose body = { .change = from.change, .party = from.party, .has_terms = from.terms, .has_rules = from.rules };

    for (size_t i = 0; i <= CU_PROPOSED_KEYS_MAX; i++)
        keys[i] = (struct cu_given_key){ from.rising ? 1 + i : 2, 7, cu_span("key", 3), { 1 } };
    for (size_t i = 0; i <= CU_PROPOSED_REVOKED_MAX; i++)
        gone[i] = (struct cu_revoked){ .kid = { { (uint8_t)(from.rising ? i + 1 : 9) } }, .since = i };
    body.keys = list_of(&cu_given_key_schema, keys, from.keys);
    body.revoked = list_of(&cu_revoked_schema, gone, from.revoked);
    body.terms = (struct cu_new_terms){ 1, from.copies, list_of(&cu_uint_schema, ids, from.mandatory) };
    body.rules = (struct cu_new_rules){ 2, 9 };
    if (from.keys > CU_PROPOSED_KEYS_MAX || from.revoked > CU_PROPOSED_REVOKED_MAX) { /* not even written */
        struct cu_buf out = cu_buf_over((uint8_t[CU_ENTRY_MAX]){ 0 }, CU_ENTRY_MAX);
        return cu_schema_write(cu_kind_row(CU_KIND_PROPOSE)->payload, &body, &out, &err);
    }
    return read_as(CU_KIND_PROPOSE, "organisation", &body);
}

static void a_proposal_gives_up_to_5_keys_and_revokes_up_to_8(void **state)
{
    static const struct proposed good[] = {
        { CU_CHANGE_JOIN, 5, .keys = 5, .rising = true },
        { CU_CHANGE_KEYS, 5, .keys = 5, .revoked = 8, .rising = true },
        { CU_CHANGE_KEYS, 5, .revoked = 1 },
        { CU_CHANGE_KEYS, 5, .keys = 1 },
        { CU_CHANGE_LEAVE, 5 },
        { CU_CHANGE_LEAVE, 5, .terms = true },
        { CU_CHANGE_POLICY, .rules = true },
        { CU_CHANGE_POLICY, .terms = true, .copies = 2, .mandatory = 2 },
    };
    static const struct proposed bad[] = {
        { CU_CHANGE_JOIN, 5, .keys = 6, .rising = true },
        { CU_CHANGE_JOIN, 5 },
        { CU_CHANGE_JOIN, .keys = 1 },
        { CU_CHANGE_JOIN, 5, .keys = 1, .revoked = 1 },
        { CU_CHANGE_JOIN, 5, .keys = 2 },
        { CU_CHANGE_KEYS, 5, .revoked = 9, .rising = true },
        { CU_CHANGE_KEYS, 5, .revoked = 2 },
        { CU_CHANGE_KEYS, 5, .terms = true },
        { CU_CHANGE_LEAVE, 5, .keys = 1 },
        { CU_CHANGE_LEAVE },
        { CU_CHANGE_POLICY },
        { CU_CHANGE_POLICY, 5, .terms = true },
        { CU_CHANGE_POLICY, .keys = 1, .terms = true },
        { CU_CHANGE_POLICY, .terms = true, .copies = 1, .mandatory = 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_ok(read_propose(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_refused(CU_MALFORMED, read_propose(bad[i]));
}

static cu_status read_member(size_t given, size_t revoked, bool rising)
{
    static struct cu_given_key keys[CU_MEMBER_KEYS_MAX];
    static struct cu_revoked gone[CU_MEMBER_KEYS_MAX];
    struct cu_member member = { .party = 6, .role = CU_ROLE_READER };

    for (size_t i = 0; i < CU_MEMBER_KEYS_MAX; i++) {
        keys[i] = (struct cu_given_key){ CU_PURPOSE_STATEMENT, 7, cu_span("key", 3), { 1 } };
        gone[i] = (struct cu_revoked){ .kid = { { (uint8_t)(rising ? i + 1 : 9) } }, .since = i };
    }
    member.keys = list_of(&cu_given_key_schema, keys, given);
    member.revoked = list_of(&cu_revoked_schema, gone, revoked);
    return read_as(CU_KIND_MEMBER, "organisation", &member);
}

static void a_member_entry_gives_or_revokes_1_to_16_keys(void **state)
{
    static struct cu_given_key keys[CU_MEMBER_KEYS_MAX + 1];
    static struct cu_revoked gone[CU_MEMBER_KEYS_MAX + 1];
    static uint8_t mem[CU_ENTRY_MAX + 64];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);

    (void)state;
    for (size_t i = 0; i <= CU_MEMBER_KEYS_MAX; i++)
        keys[i] = (struct cu_given_key){ CU_PURPOSE_STATEMENT, 7, cu_span("key", 3), { 1 } };
    assert_ok(read_member(1, 0, true));
    assert_ok(read_member(0, 1, true));
    assert_ok(read_member(CU_MEMBER_KEYS_MAX, CU_MEMBER_KEYS_MAX, true));
    assert_refused(CU_MALFORMED, read_member(0, 0, true));
    assert_refused(CU_MALFORMED, read_member(0, 2, false));
    struct cu_member many = { .party = 6,
                              .role = CU_ROLE_READER,
                              .keys = list_of(&cu_given_key_schema, keys, CU_MEMBER_KEYS_MAX + 1) };
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_MEMBER)->payload, &many, &out, &err));
    many.keys = list_of(&cu_given_key_schema, keys, 1);
    many.revoked = list_of(&cu_revoked_schema, gone, CU_MEMBER_KEYS_MAX + 1);
    assert_refused(CU_MALFORMED, cu_schema_write(cu_kind_row(CU_KIND_MEMBER)->payload, &many, &out, &err));
}

static void an_incident_carries_a_claim_if_and_only_if_it_is_an_equivocation(void **state)
{
    struct cu_claim claim = a_claim();
    struct cu_incident incident = { .type = CU_INCIDENT_EQUIVOCATION };

    (void)state;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_INCIDENT, "organisation", &incident));
    incident.claim = unsigned_statement("claim", "depositor", payload_of(CU_KIND_CLAIM, &claim)), incident.has_claim = true;
    assert_ok(read_as(CU_KIND_INCIDENT, "organisation", &incident));
    assert_false(entry.has_inner);
    incident.type = CU_INCIDENT_DAMAGE;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_INCIDENT, "organisation", &incident));
    incident.has_claim = false;
    assert_ok(read_as(CU_KIND_INCIDENT, "organisation", &incident));
    incident.type = CU_INCIDENT_WITHHELD;
    assert_ok(read_as(CU_KIND_INCIDENT, "organisation", &incident));
    incident.type = 5;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_INCIDENT, "organisation", &incident));
}

static void an_inventory_is_of_a_case_or_of_a_key(void **state)
{
    struct cu_inventory inventory = { 0 };

    (void)state;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_INVENTORY, "organisation", &inventory));
    inventory.has_case = true;
    assert_ok(read_as(CU_KIND_INVENTORY, "organisation", &inventory));
    inventory.has_kid = true;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_INVENTORY, "organisation", &inventory));
    inventory.has_case = false;
    assert_ok(read_as(CU_KIND_INVENTORY, "organisation", &inventory));
}

static void an_inventory_names_its_last_deposit_if_and_only_if_there_is_one(void **state)
{
    struct cu_inventory inventory = { .has_case = true, .n = 1 };

    (void)state;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_INVENTORY, "organisation", &inventory));
    inventory.has_last = true;
    assert_ok(read_as(CU_KIND_INVENTORY, "organisation", &inventory));
    inventory.n = 0;
    assert_refused(CU_MALFORMED, read_as(CU_KIND_INVENTORY, "organisation", &inventory));
}

static cu_status read_open(const struct cu_open_serials *rows, size_t n, const cu_hash *kid)
{
    struct cu_inventory inventory = { .has_case = !kid,
                                      .has_kid = kid != NULL,
                                      .open = list_of(&cu_open_serials_schema, rows, n) };

    if (kid) inventory.kid = *kid;
    return read_as(CU_KIND_INVENTORY, "organisation", &inventory);
}

static void open_numbers_ascend_by_key_and_number(void **state)
{
    const cu_hash a = { { 1 } }, b = { { 2 } };
    struct cu_list one = LIST_OF(&cu_uint_schema, ((uint64_t[]){ 3, 4, 9 }));

    (void)state;
    assert_ok(read_open((struct cu_open_serials[]){ { a, one }, { b, one } }, 2, NULL));
    assert_ok(read_open((struct cu_open_serials[]){ { a, one } }, 1, &a));
    assert_refused(CU_MALFORMED, read_open((struct cu_open_serials[]){ { b, one }, { a, one } }, 2, NULL));
    assert_refused(CU_MALFORMED, read_open((struct cu_open_serials[]){ { a, one }, { a, one } }, 2, NULL));
    assert_refused(CU_MALFORMED, read_open((struct cu_open_serials[]){ { a, one } }, 1, &b));
    assert_refused(CU_MALFORMED,
                   read_open((struct cu_open_serials[]){ { a, LIST_OF(&cu_uint_schema, ((uint64_t[]){ 0, 1 })) } }, 1, NULL));
    assert_refused(CU_MALFORMED,
                   read_open((struct cu_open_serials[]){ { a, LIST_OF(&cu_uint_schema, ((uint64_t[]){ 4, 4 })) } }, 1, NULL));
    assert_refused(CU_MALFORMED,
                   read_open((struct cu_open_serials[]){ { a, LIST_OF(&cu_uint_schema, ((uint64_t[]){ 4, 3 })) } }, 1, NULL));
}

static void an_inventory_lists_at_most_1024_open_numbers(void **state)
{
    static uint64_t numbers[CU_INVENTORY_OPEN_MAX];

    (void)state;
    for (size_t i = 0; i < CU_INVENTORY_OPEN_MAX; i++) numbers[i] = i + 1;
    struct cu_open_serials rows[2] = { { { { 1 } }, LIST_OF(&cu_uint_schema, numbers) },
                                       { { { 2 } }, list_of(&cu_uint_schema, numbers, 1) } };
    assert_ok(read_open(rows, 1, NULL));
    assert_refused(CU_TOO_LARGE, read_open(rows, 2, NULL));
}

static cu_status read_block(struct cu_block block) { return cu_entry_read(payload_of(CU_KIND_BLOCK, &block), &entry, &err); }

static void a_block_closes_after_it_opened_and_within_a_log(void **state)
{
    (void)state;
    assert_ok(read_block((struct cu_block){ .height = 1, .opened = 7, .closed = 7, .count = 1 }));
    assert_false(entry.signed_ || entry.has_inner);
    assert_refused(CU_MALFORMED, read_block((struct cu_block){ .height = 1, .opened = 8, .closed = 7, .count = 1 }));
    assert_refused(CU_MALFORMED, read_block((struct cu_block){ .height = 1, .first = INT64_MAX, .count = 1 }));
}

static cu_status read_origin(const char *origin)
{
    struct cu_entry known;

    assert_ok(cu_entry_read(golden("genesis"), &known, &err));
    known.outer.body.genesis.origin = cu_span_str(origin);
    memset(known.outer.body.genesis.nonce, 0xab, 16);
    return cu_entry_read(payload_of(CU_KIND_GENESIS, &known.outer.body.genesis), &entry, &err);
}

#define NONCE "abababababababababababababababab"
#define NAME95 "a23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890/2345"

static void the_origin_is_a_printable_name_and_the_nonce(void **state)
{
    (void)state;
    assert_ok(read_origin("x/" NONCE));
    assert_ok(read_origin("example.org/evidence/" NONCE));
    assert_ok(read_origin(NAME95 "/" NONCE));
    assert_refused(CU_MALFORMED, read_origin("/" NONCE));
    assert_refused(CU_MALFORMED, read_origin(NONCE));
    assert_refused(CU_MALFORMED, read_origin("x" NONCE));
    assert_refused(CU_MALFORMED, read_origin("two words/" NONCE));
    assert_refused(CU_MALFORMED, read_origin("a+b/" NONCE));
    assert_refused(CU_MALFORMED, read_origin("caf\xc3\xa9/" NONCE));
    assert_refused(CU_MALFORMED, read_origin("tab\t/" NONCE));
    assert_refused(CU_MALFORMED, read_origin("x/ABABABABABABABABABABABABABABABAB"));
    assert_refused(CU_MALFORMED, read_origin("x/abababababababababababababababac"));
}

static void mandatory_organisations_ascend(void **state)
{
    struct cu_entry known;
    struct cu_genesis *genesis = &known.outer.body.genesis;

    (void)state;
    assert_ok(cu_entry_read(golden("genesis"), &known, &err));
    genesis->policy.mandatory = LIST_OF(&cu_uint_schema, ((uint64_t[]){ 1, 2 }));
    assert_ok(cu_entry_read(payload_of(CU_KIND_GENESIS, genesis), &entry, &err));
    genesis->policy.mandatory = LIST_OF(&cu_uint_schema, ((uint64_t[]){ 2, 2 }));
    assert_refused(CU_MALFORMED, cu_entry_read(payload_of(CU_KIND_GENESIS, genesis), &entry, &err));
    genesis->policy.mandatory = LIST_OF(&cu_uint_schema, ((uint64_t[]){ 0 }));
    assert_refused(CU_MALFORMED, cu_entry_read(payload_of(CU_KIND_GENESIS, genesis), &entry, &err));
}

static void a_confirm_lists_its_keys_in_ascending_order(void **state)
{
    struct cu_possession keys[] = { { .kid = { { 1 } } }, { .kid = { { 2 } } } }, swapped[] = { keys[1], keys[0] },
                         twice[] = { keys[0], keys[0] };
    struct cu_confirm confirm = { .party = 1, .keys = LIST_OF(&cu_possession_schema, keys) };

    (void)state;
    assert_ok(read_as(CU_KIND_CONFIRM, "organisation", &confirm));
    confirm.keys = LIST_OF(&cu_possession_schema, swapped);
    assert_refused(CU_MALFORMED, read_as(CU_KIND_CONFIRM, "organisation", &confirm));
    confirm.keys = LIST_OF(&cu_possession_schema, twice);
    assert_refused(CU_MALFORMED, read_as(CU_KIND_CONFIRM, "organisation", &confirm));
}

static void what_a_key_signs_to_prove_possession_names_ledger_and_purpose(void **state)
{
    uint8_t message[128], expected[128];
    cu_hash network = the_network();
    const struct cu_public_key *key = &key_of("log")->pub;

    (void)state;
    memcpy(expected, "custody/possession/v1\n", 22);
    memcpy(expected + 22, network.b, 32);
    expected[54] = 2;
    memcpy(expected + 55, key->bytes, 32);
    assert_int_equal(cu_possession_message(&network, CU_PURPOSE_LOG, key, message), 87);
    assert_memory_equal(message, expected, 87);
    assert_int_equal(cu_possession_message(&network, CU_PURPOSE_STATEMENT, &key_of("provider")->pub, message), 119);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_row_a_name_a_type_and_fields_in_order),
        cmocka_unit_test(the_tuples_have_their_fields_in_order),
        cmocka_unit_test(every_kind_that_promises_details_has_a_commitment_and_no_other),
        cmocka_unit_test(numbers_have_words),
        cmocka_unit_test(a_claim_has_a_folder_field_if_and_only_if_it_is_of_a_folder),
        cmocka_unit_test(a_payload_field_beyond_its_bound_is_refused),
        cmocka_unit_test(a_refusal_and_a_void_give_a_reason_that_is_known),
        cmocka_unit_test(an_answer_counts_deposits_or_gives_a_reason),
        cmocka_unit_test(a_timeout_is_of_a_claim_of_this_ledger_or_of_a_notice),
        cmocka_unit_test(stored_ranges_ascend_and_are_disjoint),
        cmocka_unit_test(stored_names_at_least_one_range_and_at_most_512),
        cmocka_unit_test(a_proposal_gives_up_to_5_keys_and_revokes_up_to_8),
        cmocka_unit_test(a_member_entry_gives_or_revokes_1_to_16_keys),
        cmocka_unit_test(what_is_held_lists_1_to_64_objects_in_ascending_order),
        cmocka_unit_test(a_policy_asks_for_1_to_36500_days_and_1_to_8_profiles),
        cmocka_unit_test(a_disclosure_names_1_to_400_ids_in_ascending_order),
        cmocka_unit_test(a_grant_names_1_to_16_readers_in_ascending_order),
        cmocka_unit_test(an_incident_carries_a_claim_if_and_only_if_it_is_an_equivocation),
        cmocka_unit_test(an_inventory_is_of_a_case_or_of_a_key),
        cmocka_unit_test(an_inventory_names_its_last_deposit_if_and_only_if_there_is_one),
        cmocka_unit_test(open_numbers_ascend_by_key_and_number),
        cmocka_unit_test(an_inventory_lists_at_most_1024_open_numbers),
        cmocka_unit_test(a_block_closes_after_it_opened_and_within_a_log),
        cmocka_unit_test(the_origin_is_a_printable_name_and_the_nonce),
        cmocka_unit_test(mandatory_organisations_ascend),
        cmocka_unit_test(a_confirm_lists_its_keys_in_ascending_order),
        cmocka_unit_test(what_a_key_signs_to_prove_possession_names_ledger_and_purpose),
    };
    return cmocka_run_group_tests(tests, fixture_load, NULL);
}
