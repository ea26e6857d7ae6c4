/* Every bound has a test that takes what is at it and refuses what is one past it: here is which, and it is there. */
#include "custody/limits.h"
#include "custody/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
static const struct { const char *limit, *file, *test; } tested[] = {
    { "ENTRY_MAX", "unit/record/test_entry.c", "an_entry_of_16_kib_is_read_and_one_byte_more_is_too_large" },
    { "CLAIM_MAX", "unit/record/test_entry.c", "a_claim_of_more_than_4_kib_is_too_large" },
    { "RECORD_MAX", "unit/record/test_record.c", "a_record_of_64_kib_is_taken_and_one_byte_more_is_not" },
    { "CONTENT_INLINE_MAX", "unit/record/test_record.c", "content_travels_with_its_record_up_to_32_kib_and_never_beyond" },
    { "DETAILS_MAX", "unit/record/test_details.c", "details_of_24_kib_are_taken_and_one_byte_more_is_not" },
    { "SERIAL_WINDOW", "unit/ledger/test_step.c", "numbers_come_in_any_order_within_the_window" },
    { "CBOR_DEPTH_MAX", "unit/codec/test_cbor.c", "an_item_within_an_array_counts_its_levels_from_outside" },
    { "PARTIES_MAX", "unit/identity/test_member.c", "a_ledger_has_at_most_64_parties" },
    { "KEYS_MAX", "unit/identity/test_member.c", "a_ledger_has_at_most_256_keys" },
    { "CASE_KEYS_MAX", "unit/ledger/test_step.c", "a_case_has_deposits_of_at_most_64_keys" },
    { "ORIGIN_MAX", "unit/proof/test_note.c", "a_log_has_a_name_of_at_most_128_bytes" },
    { "NOTE_MAX", "unit/proof/test_note.c", "a_note_of_16_kib_is_read_and_one_byte_more_is_not" },
    { "NOTE_SIGNATURES_MAX", "unit/proof/test_note.c", "sixty_four_signatures_are_read_and_one_more_is_not" },
    { "PROOF_HASHES_MAX", "unit/proof/test_policy.c", "sixty_three_hashes_are_read_and_sixty_four_are_not" },
    { "POLICY_MEMBERS_MAX", "unit/proof/test_policy.c", "sixty_four_witnesses_and_groups_fit_and_one_more_does_not" },
    { "EPOCHS_MAX", "unit/proof/test_policy.c", "a_trust_file_has_at_most_16_epochs" },
    { "RECEIPT_MAX", "unit/proof/test_policy.c", "a_receipt_of_256_kib_is_read_and_one_byte_more_is_not" },
    { "RECEIPT_SUPPORT_MAX", "unit/proof/test_policy.c", "a_receipt_brings_at_most_64_entries_along" },
    { "TRUST_MAX", "unit/proof/test_policy.c", "a_trust_file_of_64_kib_is_read_and_one_byte_more_is_not" },
    { "PATH_MAX_BYTES", "unit/merkle/test_manifest.c", "a_path_has_a_longest_and_a_deepest" },
    { "PATH_DEPTH_MAX", "unit/merkle/test_manifest.c", "a_path_has_a_longest_and_a_deepest" },
    { "ITEMS_MAX", "unit/merkle/test_manifest.c", "a_manifest_announces_at_most_16_million_items" },
    { "MANIFEST_ROW_MAX", "unit/merkle/test_manifest.c", "the_longest_row_fits_and_what_is_longer_is_not_read" },
    { "LEAF_BYTES", "unit/merkle/test_content.c", "the_leaves_of_a_chunk_are_one_tile" },
    { "CHUNK_BYTES", "unit/merkle/test_content.c", "the_leaves_of_a_chunk_are_one_tile" },
    { "PACK_MAX", "unit/content/test_objects.c", "a_full_pack_gives_way_to_the_next" },
    { "STORED_RANGES_MAX", "unit/record/test_kinds.c", "stored_names_at_least_one_range_and_at_most_512" },
    { "HELD_OBJECTS_MAX", "unit/record/test_kinds.c", "what_is_held_lists_1_to_64_objects_in_ascending_order" },
    { "RETENTION_DAYS_MAX", "unit/record/test_kinds.c", "a_policy_asks_for_1_to_36500_days_and_1_to_8_profiles" },
    { "MUST_SEAL_MAX", "unit/record/test_kinds.c", "a_policy_asks_for_1_to_36500_days_and_1_to_8_profiles" },
    { "DISCLOSED_MAX", "unit/record/test_kinds.c", "a_disclosure_names_1_to_400_ids_in_ascending_order" },
    { "EARLIER_MAX", "unit/record/test_details.c", "details_name_up_to_200_deposits_of_other_ledgers" },
    { "INVENTORY_OPEN_MAX", "unit/record/test_kinds.c", "an_inventory_lists_at_most_1024_open_numbers" },
    { "JOURNAL_BYTES_MIN", "unit/embedded/test_engine.c", "a_journal_has_a_smallest_and_a_largest_size" },
    { "JOURNAL_BYTES_MAX", "unit/embedded/test_engine.c", "a_journal_has_a_smallest_and_a_largest_size" },
    { "PENDING_MAX", "fault/test_service_outbox.c", "an_outbox_of_16_mib_is_kept_and_one_byte_more_is_not" },
    { "ACCESS_BYTES_MAX", "fault/test_service_outbox.c", "reads_of_1_mib_wait_and_one_byte_more_is_not_noted" },
    { "CASE_NAME_MAX", "cli/test_bad_input.py", "what_is_handed_in_has_a_largest_size" },
    { "DETAILS_FILE_MAX", "cli/test_bad_input.py", "what_is_handed_in_has_a_largest_size" },
    { "LIST_MAX", "cli/test_bad_input.py", "what_is_handed_in_has_a_largest_size" },
    { "MEMBER_KEYS_MAX", "unit/record/test_kinds.c", "a_member_entry_gives_or_revokes_1_to_16_keys" },
    { "PROPOSED_KEYS_MAX", "unit/record/test_kinds.c", "a_proposal_gives_up_to_5_keys_and_revokes_up_to_8" },
    { "PROPOSED_REVOKED_MAX", "unit/record/test_kinds.c", "a_proposal_gives_up_to_5_keys_and_revokes_up_to_8" },
    { "PROPOSALS_MAX", "unit/ledger/test_govern.c", "sixteen_proposals_are_open_and_the_one_that_ends_first_gives_way" },
    { "AGE_HEADER_MAX", "unit/crypto/test_age.c", "a_header_has_a_largest_size" },
    { "AGE_RECIPIENTS_MAX", "unit/crypto/test_age.c", "one_file_is_sealed_for_64_readers_at_most" },
    { "AGE_IDENTITIES_MAX", "unit/crypto/test_age.c", "a_file_holds_1_to_16_identities" },
    { "CHAIN_TX_MAX", "fault/test_chain_faults.c", "a_transaction_of_256_kib_is_taken_and_one_byte_more_is_not" },
    { "GRANT_READERS_MAX", "unit/record/test_kinds.c", "a_grant_names_1_to_16_readers_in_ascending_order" },
    { "SUBMIT_RECORDS_MAX", "unit/http/test_gate.c", "a_body_has_up_to_128_records_and_nothing_beside_them" },
};
/* clang-format on */

static bool holds(const char *file, const char *test)
{
    char path[300], word[200];
    CU_BUF text = cu_buf_heap(1 << 20);

    (void)snprintf(path, sizeof path, TEST_SOURCE_DIR "/tests/%s", file);
    (void)snprintf(word, sizeof word, "%s(", test);
    FILE *f = fopen(path, "rb");
    if (f == NULL) fail_msg("%s is not there", path);
    text.n = fread(cu_buf_grow(&text, (1 << 20) - 1), 1, (1 << 20) - 1, f);
    (void)fclose(f);
    cu_buf_add_byte(&text, '\0');
    return strstr((const char *)text.p, word) != NULL;
}

static void is_tested(const char *limit)
{
    for (size_t i = 0; i < sizeof tested / sizeof *tested; i++) {
        if (strcmp(tested[i].limit, limit) != 0) continue;
        if (!holds(tested[i].file, tested[i].test)) fail_msg("%s: %s has no %s", limit, tested[i].file, tested[i].test);
        return;
    }
    fail_msg("no test at the bound %s and one past it", limit);
}

static void every_limit_is_tested_at_its_bound_and_one_past_it(void **state)
{
    (void)state;
#define ROW(name, value, unit, text) is_tested(#name);
    CU_LIMIT_TABLE(ROW)
#undef ROW
}

static void every_limit_has_a_number_a_unit_and_a_reason(void **state)
{
    (void)state;
#define ROW(name, value, unit, text)    \
    assert_int_equal(CU_##name, value); \
    assert_true((value) > 0 && sizeof(unit) > 1 && sizeof(text) > 1);
    CU_LIMIT_TABLE(ROW)
    CU_BUDGET_TABLE(ROW)
#undef ROW
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_limit_is_tested_at_its_bound_and_one_past_it),
        cmocka_unit_test(every_limit_has_a_number_a_unit_and_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
