/* Who may say what, at which position. */
#include "../record/fixture.h"

#include "custody/member.h"

static struct cu_members m;
static uint8_t lists[16][CU_ENTRY_MAX];
static unsigned turn;

static struct cu_list list_of(const struct cu_schema *child, const void *elements, size_t n)
{
    struct cu_buf out = cu_buf_over(lists[turn++ % 16], sizeof lists[0]);

    for (size_t i = 0; i < n; i++) assert_ok(cu_schema_write(child, (const uint8_t *)elements + i * child->size, &out, &err));
    return (struct cu_list){ n, cu_buf_span(&out) };
}

/* ---- a genesis to break, one part at a time ---- */

struct plan {
    struct cu_party_key key[4][4];
    size_t keys[4];
    struct cu_party party[4];
    size_t parties;
    struct cu_genesis genesis;
};

static struct cu_party_key key_as(const char *name, enum cu_purpose purpose)
{
    const struct golden_key *k = key_of(name);

    return (struct cu_party_key){ purpose, (uint64_t)-k->pub.alg, cu_public_span(&k->pub) };
}

static struct plan good_plan(void)
{
    return (struct plan){
        .key = { { key_as("organisation", CU_PURPOSE_STATEMENT), key_as("log", CU_PURPOSE_LOG) },
                 { key_as("provider", CU_PURPOSE_STATEMENT) },
                 { key_as("depositor", CU_PURPOSE_STATEMENT) } },
        .keys = { 2, 1, 1 },
        .party = { { 1, CU_ROLE_ORGANISATION, 1, { 0 } }, { 2, CU_ROLE_PROVIDER, 1, { 0 } }, { 3, CU_ROLE_DEPOSITOR, 1, { 0 } } },
        .parties = 3,
        .genesis = { .suite = 1, .rules = 1, .engine = CU_ENGINE_EMBEDDED, .policy = { .copies = 1 } },
    };
}

static cu_status enrol(struct plan *plan)
{
    cu_hash network = the_network();

    for (size_t i = 0; i < plan->parties; i++) plan->party[i].keys = list_of(&cu_party_key_schema, plan->key[i], plan->keys[i]);
    plan->genesis.parties = list_of(&cu_party_schema, plan->party, plan->parties);
    return cu_members_from_genesis(&plan->genesis, &network, &m, &err);
}

static void the_known_genesis_enrols_its_parties_and_keys(void **state)
{
    struct cu_entry entry;
    cu_hash network = the_network();

    (void)state;
    assert_ok(cu_entry_read(golden("genesis"), &entry, &err));
    assert_ok(cu_members_from_genesis(&entry.outer.body.genesis, &network, &m, &err));
    assert_int_equal(m.parties_n, 3);
    assert_int_equal(m.keys_n, 4);
    assert_int_equal(m.organisations, 1);
    assert_int_equal(cu_members_key(&m, &key_of("log")->kid)->purpose, CU_PURPOSE_LOG);
    assert_int_equal(cu_members_key(&m, &key_of("provider")->kid)->party, 2);
    assert_int_equal(cu_members_party(&m, 3)->role, CU_ROLE_DEPOSITOR);
    assert_null(cu_members_party(&m, 0));
    assert_null(cu_members_party(&m, 4));
    assert_null(cu_members_key(&m, &network));
    assert_false(cu_members_open(&m));
}

static void newer_suites_rules_and_engines_are_named_as_newer(void **state)
{
    struct plan p;

    (void)state;
    p = good_plan(), p.genesis.suite = 2;
    assert_refused(CU_NEWER_FORMAT, enrol(&p));
    p = good_plan(), p.genesis.rules = CU_RULES_VERSION + 1;
    assert_refused(CU_NEWER_FORMAT, enrol(&p));
    p = good_plan(), p.genesis.engine = 3;
    assert_refused(CU_NEWER_FORMAT, enrol(&p));
}

static void parties_are_numbered_from_one_without_a_gap(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.party[0].id = 2;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.party[2].id = 4;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.party[2].id = 2;
    assert_refused(CU_MALFORMED, enrol(&p));
}

static void a_party_has_one_known_role(void **state)
{
    struct plan p;

    (void)state;
    for (uint64_t role = 3; role < 12; role++) {
        p = good_plan(), p.party[2].role = role;
        if (role != CU_ROLE_ORGANISATION) assert_refused(CU_MALFORMED, enrol(&p));
    }
}

static void every_party_is_run_by_an_organisation(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.party[1].organisation = 3;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.party[1].organisation = 4;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.party[0].organisation = 2;
    assert_refused(CU_MALFORMED, enrol(&p));
}

static void an_organisation_may_stand_after_the_parties_that_it_runs(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.party[0] = (struct cu_party){ 1, CU_ROLE_DEPOSITOR, 2, { 0 } };
    p.key[0][0] = key_as("depositor", CU_PURPOSE_STATEMENT), p.keys[0] = 1;
    p.party[1] = (struct cu_party){ 2, CU_ROLE_ORGANISATION, 2, { 0 } };
    p.key[1][0] = key_as("organisation", CU_PURPOSE_STATEMENT), p.key[1][1] = key_as("log", CU_PURPOSE_LOG), p.keys[1] = 2;
    p.parties = 2;
    assert_ok(enrol(&p));
}

static void a_key_that_is_listed_twice_is_refused_whatever_its_purpose(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.key[2][0] = key_as("provider", CU_PURPOSE_STATEMENT);
    assert_refused(CU_BAD_KEY, enrol(&p));
    p = good_plan(), p.key[0][2] = key_as("log", CU_PURPOSE_COSIGN), p.keys[0] = 3;
    assert_refused(CU_BAD_KEY, enrol(&p));
}

static void a_key_of_the_wrong_algorithm_for_its_purpose_is_refused(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.key[2][0] = key_as("log", CU_PURPOSE_STATEMENT);
    assert_refused(CU_BAD_KEY, enrol(&p));
    p = good_plan(), p.key[0][1] = key_as("depositor", CU_PURPOSE_LOG);
    assert_refused(CU_BAD_KEY, enrol(&p));
    p = good_plan(), p.key[2][0].neg_alg = 8;
    assert_refused(CU_BAD_KEY, enrol(&p));
    p = good_plan(), p.key[2][0].pub.n = 63;
    assert_refused(CU_BAD_KEY, enrol(&p));
}

static void a_key_that_is_no_point_of_its_curve_is_refused(void **state)
{
    struct plan p = good_plan();
    uint8_t off[64];

    (void)state;
    memcpy(off, key_of("depositor")->pub.bytes, 64);
    off[63] ^= 1;
    p.key[2][0].pub = CU_SPAN_OF(off);
    assert_refused(CU_BAD_KEY, enrol(&p));
    p = good_plan(), p.key[0][1].pub = cu_span(zeros, 32);
    assert_refused(CU_BAD_KEY, enrol(&p));
}

static void a_purpose_that_is_unknown_or_not_the_partys_is_refused(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.key[2][0].purpose = 8;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.key[2][0].purpose = CU_PURPOSE_SEALING;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.key[1][1] = p.key[0][1], p.keys[1] = 2, p.keys[0] = 1; /* a provider with a log key */
    assert_refused(CU_MALFORMED, enrol(&p));
}

static void an_organisation_needs_a_statement_key_and_a_log_key(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.keys[0] = 1;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.key[0][0] = p.key[0][1], p.keys[0] = 1;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.keys[2] = 0;
    assert_refused(CU_MALFORMED, enrol(&p));
}

/* An organisation with its two keys and `n` cosigning keys more, made for this. */
static cu_status enrol_many(size_t n)
{
    static struct cu_private_key made[CU_KEYS_MAX];
    static struct cu_party_key keys[CU_KEYS_MAX];
    struct plan p = good_plan();
    cu_hash network = the_network();

    keys[0] = p.key[0][0], keys[1] = p.key[0][1];
    for (size_t i = 2; i < n; i++) {
        if (!made[i].ctx) assert_ok(cu_private_generate(CU_ALG_EDDSA, &made[i], &err));
        keys[i] = (struct cu_party_key){ CU_PURPOSE_COSIGN, 8, cu_public_span(&made[i].pub) };
    }
    p.party[0].keys = list_of(&cu_party_key_schema, keys, n);
    p.party[1].keys = list_of(&cu_party_key_schema, p.key[1], 1);
    p.genesis.parties = list_of(&cu_party_schema, p.party, 2);
    return cu_members_from_genesis(&p.genesis, &network, &m, &err);
}

static void a_ledger_has_at_most_256_keys(void **state)
{
    (void)state;
    assert_ok(enrol_many(CU_KEYS_MAX - 1)); /* and the provider's */
    assert_int_equal(m.keys_n, CU_KEYS_MAX);
    assert_refused(CU_TOO_LARGE, enrol_many(CU_KEYS_MAX));
}

/* An organisation, and depositors up to party `n`, each with a key made for this. */
static cu_status enrol_parties(size_t n)
{
    static struct cu_private_key made[CU_PARTIES_MAX + 1];
    static uint8_t keys[CU_PARTIES_MAX + 1][96];
    static struct cu_party party[CU_PARTIES_MAX + 1];
    struct plan p = good_plan();
    cu_hash network = the_network();

    party[0] = p.party[0];
    party[0].keys = list_of(&cu_party_key_schema, p.key[0], 2);
    for (size_t i = 1; i < n; i++) {
        if (!made[i].ctx) assert_ok(cu_private_generate(CU_ALG_ES256, &made[i], &err));
        struct cu_party_key key = { CU_PURPOSE_STATEMENT, 7, cu_public_span(&made[i].pub) };
        struct cu_buf out = cu_buf_over(keys[i], sizeof keys[i]);
        assert_ok(cu_schema_write(&cu_party_key_schema, &key, &out, &err));
        uint64_t id = i < CU_PARTIES_MAX ? i + 1 : CU_PARTIES_MAX; /* no list could hold a larger one */
        party[i] = (struct cu_party){ id, CU_ROLE_DEPOSITOR, 1, { 1, cu_buf_span(&out) } };
    }
    p.genesis.parties = list_of(&cu_party_schema, party, n);
    return cu_members_from_genesis(&p.genesis, &network, &m, &err);
}

static void a_ledger_has_at_most_64_parties(void **state)
{
    (void)state;
    assert_ok(enrol_parties(CU_PARTIES_MAX));
    assert_int_equal(m.parties_n, CU_PARTIES_MAX);
    assert_refused(CU_TOO_LARGE, enrol_parties(CU_PARTIES_MAX + 1));
}

static void a_policy_that_nobody_could_meet_is_refused(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.genesis.policy.copies = 2;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.genesis.policy.cosigners = 2;
    assert_refused(CU_MALFORMED, enrol(&p));
    p = good_plan(), p.genesis.policy.mandatory = list_of(&cu_uint_schema, (uint64_t[]){ 2 }, 1);
    assert_refused(CU_MALFORMED, enrol(&p));
    p.genesis.policy.mandatory = list_of(&cu_uint_schema, (uint64_t[]){ 1 }, 1);
    assert_ok(enrol(&p));
    p.genesis.policy.copies = 0;
    assert_refused(CU_MALFORMED, enrol(&p));
}

static void a_refused_genesis_leaves_the_members_as_they_were(void **state)
{
    static struct cu_members before;
    struct plan p = good_plan();

    (void)state;
    assert_ok(enrol(&p));
    before = m;
    p.keys[2] = 0;
    assert_refused(CU_MALFORMED, enrol(&p));
    assert_memory_equal(&before, &m, sizeof m);
}

/* ---- confirm ---- */

static struct cu_possession proofs[4];

static void prove(size_t i, const char *name, enum cu_purpose purpose)
{
    const struct golden_key *k = key_of(name);
    cu_hash network = the_network();
    uint8_t message[128];

    proofs[i].kid = k->kid;
    size_t n = cu_possession_message(&network, purpose, &k->pub, message);
    assert_ok(cu_sign(&k->private_, cu_span(message, n), proofs[i].signature, &err));
}

static int by_kid(const void *a, const void *b) { return memcmp(a, b, 32); }

static void prove_all(void)
{
    prove(0, "organisation", CU_PURPOSE_STATEMENT);
    prove(1, "log", CU_PURPOSE_LOG);
    prove(2, "provider", CU_PURPOSE_STATEMENT);
    prove(3, "depositor", CU_PURPOSE_STATEMENT);
    qsort(proofs, 4, sizeof *proofs, by_kid);
}

static cu_status confirm_as(const char *key, uint64_t party, size_t n)
{
    struct cu_statement st = { .kind = CU_KIND_CONFIRM, .kid = key_of(key)->kid, .network = the_network() };
    struct cu_verifier by = cu_verifier_plain();

    st.body.confirm = (struct cu_confirm){ .party = party, .keys = list_of(&cu_possession_schema, proofs, n) };
    return cu_members_confirm(&m, &st, (cu_seq){ 1 }, &by, &err);
}

static void start(void)
{
    struct plan p = good_plan();

    assert_ok(enrol(&p));
    prove_all();
}

static cu_status may(const char *key, enum cu_kind kind, uint64_t seq)
{
    const struct cu_member_key *found;

    return cu_members_may(&m, &key_of(key)->kid, kind, (cu_seq){ seq }, &found, &err);
}

static void the_known_confirm_is_taken(void **state)
{
    struct cu_entry entry;
    struct cu_verifier by = cu_verifier_plain();

    (void)state;
    start();
    assert_ok(cu_entry_read(golden("confirm"), &entry, &err));
    assert_ok(cu_members_confirm(&m, &entry.outer, (cu_seq){ 1 }, &by, &err));
    assert_true(cu_members_open(&m));
}

static void keys_act_from_the_position_after_their_confirm(void **state)
{
    (void)state;
    start();
    assert_refused(CU_NOT_CONFIRMED, may("depositor", CU_KIND_CLAIM, 1000));
    assert_ok(may("organisation", CU_KIND_CONFIRM, 1));
    assert_ok(confirm_as("organisation", 1, 4));
    assert_refused(CU_NOT_CONFIRMED, may("depositor", CU_KIND_CLAIM, 1));
    assert_ok(may("depositor", CU_KIND_CLAIM, 2));
    assert_ok(may("provider", CU_KIND_DEPOSIT, 2));
}

static void a_confirm_lacking_one_key_lacks_a_signature(void **state)
{
    (void)state;
    start();
    assert_refused(CU_MISSING_SIGNATURE, confirm_as("organisation", 1, 3));
    assert_false(cu_members_party(&m, 1)->confirmed);
}

static void a_confirm_with_one_bad_proof_is_refused_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        start();
        proofs[i].signature[40] ^= 1;
        assert_int_not_equal(confirm_as("organisation", 1, 4), CU_OK);
        assert_refused(CU_NOT_CONFIRMED, may("depositor", CU_KIND_CLAIM, 1000));
    }
}

static void a_proof_made_for_another_purpose_or_ledger_is_refused(void **state)
{
    (void)state;
    start();
    prove(0, "organisation", CU_PURPOSE_STATEMENT), prove(1, "log", CU_PURPOSE_COSIGN),
        prove(2, "provider", CU_PURPOSE_STATEMENT), prove(3, "depositor", CU_PURPOSE_STATEMENT);
    qsort(proofs, 4, sizeof *proofs, by_kid);
    assert_refused(CU_BAD_SIGNATURE, confirm_as("organisation", 1, 4));
    start();
    m.network.b[0] ^= 1;
    assert_refused(CU_BAD_SIGNATURE, confirm_as("organisation", 1, 4));
}

static void a_confirm_that_lists_a_stranger_is_refused(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.parties = 2; /* the depositor is not enrolled */
    assert_ok(enrol(&p));
    prove_all();
    assert_refused(CU_UNKNOWN_KEY, confirm_as("organisation", 1, 4));
}

static void only_the_organisations_own_statement_key_confirms(void **state)
{
    (void)state;
    start();
    assert_refused(CU_WRONG_ROLE, confirm_as("log", 1, 4));
    assert_refused(CU_WRONG_ROLE, confirm_as("provider", 1, 4));
    assert_refused(CU_WRONG_ROLE, confirm_as("organisation", 2, 4));
    assert_refused(CU_WRONG_ROLE, confirm_as("organisation", 9, 4));
}

static void a_second_confirm_is_a_duplicate(void **state)
{
    (void)state;
    start();
    assert_ok(confirm_as("organisation", 1, 4));
    assert_refused(CU_DUPLICATE, confirm_as("organisation", 1, 4));
}

static void a_ledger_opens_when_more_than_two_thirds_have_confirmed(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 10; n++) {
        for (uint64_t confirmed = 0; confirmed <= n; confirmed++) {
            memset(&m, 0, sizeof m);
            m.parties_n = n, m.organisations = n;
            for (size_t i = 0; i < n; i++)
                m.party[i] = (struct cu_member_party){ i + 1, CU_ROLE_ORGANISATION, i + 1, i < confirmed };
            assert_int_equal(cu_members_open(&m), confirmed > n * 2 / 3);
        }
    }
}

/* ---- may it? ---- */

static void each_role_signs_its_kinds_and_no_other(void **state)
{
    static const struct {
        const char *key;
        unsigned role;
    } signers[] = { { "organisation", CU_ROLE_ORGANISATION },
                    { "provider", CU_ROLE_PROVIDER },
                    { "depositor", CU_ROLE_DEPOSITOR } };

    (void)state;
    start();
    assert_ok(confirm_as("organisation", 1, 4));
    for (size_t s = 0; s < 3; s++)
        for (size_t i = 0; i < cu_kinds_n; i++)
            assert_refused(cu_may(signers[s].role, cu_kinds[i]) ? CU_OK : CU_WRONG_ROLE, may(signers[s].key, cu_kinds[i], 5));
    assert_refused(CU_WRONG_ROLE, may("organisation", (enum cu_kind)99, 5));
}

static void a_log_key_signs_no_statement(void **state)
{
    (void)state;
    start();
    assert_ok(confirm_as("organisation", 1, 4));
    for (size_t i = 0; i < cu_kinds_n; i++) assert_refused(CU_WRONG_ROLE, may("log", cu_kinds[i], 5));
}

static void an_unknown_key_signs_nothing(void **state)
{
    struct plan p = good_plan();

    (void)state;
    p.parties = 2;
    assert_ok(enrol(&p));
    assert_refused(CU_UNKNOWN_KEY, may("depositor", CU_KIND_CLAIM, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_genesis_enrols_its_parties_and_keys),
        cmocka_unit_test(newer_suites_rules_and_engines_are_named_as_newer),
        cmocka_unit_test(parties_are_numbered_from_one_without_a_gap),
        cmocka_unit_test(a_party_has_one_known_role),
        cmocka_unit_test(every_party_is_run_by_an_organisation),
        cmocka_unit_test(an_organisation_may_stand_after_the_parties_that_it_runs),
        cmocka_unit_test(a_key_that_is_listed_twice_is_refused_whatever_its_purpose),
        cmocka_unit_test(a_key_of_the_wrong_algorithm_for_its_purpose_is_refused),
        cmocka_unit_test(a_key_that_is_no_point_of_its_curve_is_refused),
        cmocka_unit_test(a_purpose_that_is_unknown_or_not_the_partys_is_refused),
        cmocka_unit_test(an_organisation_needs_a_statement_key_and_a_log_key),
        cmocka_unit_test(a_ledger_has_at_most_256_keys),
        cmocka_unit_test(a_ledger_has_at_most_64_parties),
        cmocka_unit_test(a_policy_that_nobody_could_meet_is_refused),
        cmocka_unit_test(a_refused_genesis_leaves_the_members_as_they_were),
        cmocka_unit_test(the_known_confirm_is_taken),
        cmocka_unit_test(keys_act_from_the_position_after_their_confirm),
        cmocka_unit_test(a_confirm_lacking_one_key_lacks_a_signature),
        cmocka_unit_test(a_confirm_with_one_bad_proof_is_refused_whole),
        cmocka_unit_test(a_proof_made_for_another_purpose_or_ledger_is_refused),
        cmocka_unit_test(a_confirm_that_lists_a_stranger_is_refused),
        cmocka_unit_test(only_the_organisations_own_statement_key_confirms),
        cmocka_unit_test(a_second_confirm_is_a_duplicate),
        cmocka_unit_test(a_ledger_opens_when_more_than_two_thirds_have_confirmed),
        cmocka_unit_test(each_role_signs_its_kinds_and_no_other),
        cmocka_unit_test(a_log_key_signs_no_statement),
        cmocka_unit_test(an_unknown_key_signs_nothing),
    };
    return cmocka_run_group_tests(tests, fixture_load, NULL);
}
