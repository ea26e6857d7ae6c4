/* A network id as words: BIP-39's own vectors, and what a person who types may do. */
#include "custody/digest.h"
#include "custody/text.h"
#include "custody/words.h"
#include "proof/words_list.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

static void the_list_is_the_published_one(void **state)
{
    CU_BUF lines = cu_buf_heap(1 << 16);
    char hex[65];

    (void)state;
    assert_int_equal(sizeof words, 2048 * CU_WORD_LEN + 1);
    for (size_t i = 0; i < sizeof words - 1; i++) {
        if (words[i] != ' ') cu_buf_add_byte(&lines, (uint8_t)words[i]);
        if (i % CU_WORD_LEN == CU_WORD_LEN - 1) cu_buf_add_byte(&lines, '\n');
    }
    const cu_hash digest = cu_sha256(cu_buf_span(&lines));
    cu_hash_hex(&digest, hex);
    assert_string_equal(hex, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

static void the_standards_own_vectors_come_out_both_ways(void **state)
{
    FILE *in = fopen(TEST_SOURCE_DIR "/tests/vectors/bip39_words.txt", "r");
    char line[512];
    unsigned n = 0;

    (void)state;
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) {
        CU_BUF text = cu_buf_heap(CU_WORDS_TEXT);
        cu_hash id, again;
        struct cu_err err;
        if (line[0] == '#') continue;
        line[strcspn(line, "\n")] = '\0';
        assert_int_equal(cu_hex_read(cu_span(line, 64), id.b, sizeof id.b, &err), CU_OK);
        cu_words_put(&text, &id);
        assert_true(cu_span_is(cu_buf_span(&text), line + 65));
        assert_int_equal(cu_words_read(cu_span_str(line + 65), &again, &err), CU_OK);
        assert_true(cu_hash_eq(&id, &again));
        n++;
    }
    fclose(in);
    assert_int_equal(n, 8);
}

#define LEGAL                                                                                                                 \
    "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank " \
    "year "

static void what_a_person_types_is_taken_in_any_dress(void **state)
{
    static const char *const spellings[] = {
        LEGAL "wave sausage worth title",
        "  LEGAL Winner thank-year,wave\nsausage worth useful legal winner thank year wave sausage worth useful legal winner "
        "thank year "
        "wave\r\nsausage\tworth title\n",
        "1. legal 2. winner 3. thank 4.year 5 wave 6 sausage worth useful legal winner thank year wave sausage worth useful "
        "legal "
        "winner thank year wave sausage worth 24. title",
        "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
        "7F7F7F7F 7f7f7f7f 7f7f7f7f 7f7f7f7f\n7f7f7f7f 7f7f7f7f 7f7f7f7f 7f7f7f7f\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        cu_hash id;
        struct cu_err err;
        assert_int_equal(cu_words_read(cu_span_str(spellings[i]), &id, &err), CU_OK);
        for (size_t k = 0; k < sizeof id.b; k++) assert_int_equal(id.b[k], 0x7f);
    }
}

static void a_mistake_is_named(void **state)
{
    static const struct {
        const char *text;
        cu_status status;
        const char *says;
    } mistakes[] = {
        { LEGAL "wave sausage worth titel", CU_MALFORMED,
          "word 24, \"titel\", is not in the list of network words; is it \"title\"?" },
        { "leagl", CU_MALFORMED, "word 1, \"leagl\", is not in the list" },
        { LEGAL "wave sausage title worth", CU_BAD_HASH, "do not belong together" },
        { LEGAL "wave sausage worth", CU_MALFORMED, "these are 23 words" },
        { LEGAL "wave sausage worth title title", CU_MALFORMED, "more than the 24 words" },
        { "", CU_MALFORMED, "these are 0 words" },
        { "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7", CU_MALFORMED, "nor are these 64 hex digits" },
        { LEGAL "wave sausage worth title!", CU_MALFORMED, "nothing else stands between" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        cu_hash id = { { 9 } };
        struct cu_err err = { 0 };
        assert_int_equal(cu_words_read(cu_span_str(mistakes[i].text), &id, &err), mistakes[i].status);
        if (!strstr(err.text, mistakes[i].says)) fail_msg("%s: %s", mistakes[i].text, err.text);
        assert_int_equal(id.b[0], 9);
    }
}

/* Eight check bits: of all ids with one word replaced, one in 256 is another ledger's. */
static void another_word_is_noticed_255_times_in_256(void **state)
{
    unsigned taken = 0;

    (void)state;
    for (unsigned w = 0; w < 2048; w++) {
        char text[512];
        cu_hash id;
        snprintf(text, sizeof text, LEGAL "wave %.8s worth title", words + w * CU_WORD_LEN);
        taken += cu_words_read(cu_span_str(text), &id, NULL) == CU_OK;
    }
    assert_in_range(taken, 1, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_the_published_one),
        cmocka_unit_test(the_standards_own_vectors_come_out_both_ways),
        cmocka_unit_test(what_a_person_types_is_taken_in_any_dress),
        cmocka_unit_test(a_mistake_is_named),
        cmocka_unit_test(another_word_is_noticed_255_times_in_256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
