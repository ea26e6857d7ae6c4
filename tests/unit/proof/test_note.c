/* Signed notes, checkpoints, cosignatures: what others signed verifies, what is spelled otherwise is refused. */
#include "custody/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT(literal) cu_span(literal, sizeof(literal) - 1)
#define DASH "\xE2\x80\x94 "
#define SIG "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="

static struct cu_err error;
static struct cu_verifier by;

static int set_up(void **state)
{
    (void)state;
    by = cu_verifier_plain();
    return cu_crypto_init(&error) == CU_OK ? 0 : -1;
}

static struct cu_span load(const char *name, char *mem, size_t size)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/tests/vectors/%s", TEST_SOURCE_DIR, name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t n = fread(mem, 1, size, in);
    fclose(in);
    return cu_span(mem, n);
}

/* A vector file: comments, the verifier key, "----", the note. */
static void load_note(const char *name, char *mem, size_t size, struct cu_vkey *ret_key, struct cu_span *ret_note)
{
    struct cu_lines lines = cu_lines_on(load(name, mem, size));
    struct cu_span line;

    while (cu_lines_next(&lines, &line) && line.p[0] == '#') continue;
    assert_int_equal(cu_vkey_read(line, ret_key, &error), CU_OK);
    assert_true(cu_lines_next(&lines, &line) && cu_span_is(line, "----"));
    *ret_note = lines.rest;
}

/* Is the note signed by this key, and by it alone? */
static bool opens(struct cu_span bytes, const struct cu_vkey *key)
{
    struct cu_note note;
    uint64_t when;

    if (cu_note_read(bytes, &note, &error) != CU_OK || note.sigs_n != 1) return false;
    return note.sig[0].id == key->id && cu_span_eq(note.sig[0].name, key->name) &&
           cu_note_verify(&note, &note.sig[0], key, &by, &when, &error) == CU_OK;
}

static void no_flipped_bit_opens(struct cu_span note, const struct cu_vkey *key)
{
    uint8_t copy[4096];

    assert_true(opens(note, key));
    memcpy(copy, note.p, note.n);
    for (size_t bit = 0; bit < note.n * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (opens(cu_span(copy, note.n), key)) fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void notes_of_others_verify_and_none_of_their_flipped_bits(void **state)
{
    (void)state;
    static const char *const files[] = { "note_spec.txt", "note_go.txt" };
    char mem[4096];
    struct cu_vkey key;
    struct cu_span note;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        load_note(files[i], mem, sizeof mem, &key, &note);
        no_flipped_bit_opens(note, &key);
    }
}

static void the_checkpoints_of_another_log_verify_and_none_of_their_flipped_bits(void **state)
{
    (void)state;
    struct cu_checkpoint c;
    struct cu_note note;
    struct cu_vkey key;
    char mem[4096], name[64];

    assert_int_equal(
        cu_vkey_read(TEXT("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"), &key, &error),
        CU_OK);
    for (uint64_t size = 0; size <= 15; size++) {
        (void)snprintf(name, sizeof name, "tlog_tessera/checkpoint.%d", (int)size);
        struct cu_span bytes = load(name, mem, sizeof mem);
        if (size % 5 == 0) no_flipped_bit_opens(bytes, &key);
        assert_true(opens(bytes, &key));
        assert_int_equal(cu_note_read(bytes, &note, &error), CU_OK);
        assert_int_equal(cu_checkpoint_read(note.text, &c, &error), CU_OK);
        assert_int_equal(c.size.v, size);
        CU_BUF out = cu_buf_heap(1000);
        cu_checkpoint_put(&c, &out);
        assert_true(cu_span_eq(cu_buf_span(&out), note.text));
    }
}

static void a_verifier_key_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct cu_span text = TEXT("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    struct cu_vkey key;
    CU_BUF out = cu_buf_heap(1000);

    assert_int_equal(cu_vkey_read(text, &key, &error), CU_OK);
    assert_int_equal(cu_vkey_write(&key, &out, &error), CU_OK);
    assert_true(cu_span_eq(cu_buf_span(&out), text));
}

static void a_verifier_key_in_another_spelling_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAA==",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "exa mple+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* an unknown type, its id adjusted */
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
    };
    struct cu_vkey key;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cu_vkey_read(cu_span_str(bad[i]), &key, &error) == CU_OK) fail_msg("%s", bad[i]);
}

static void a_malformed_note_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        struct cu_span note;
    } bad[] = {
#define BAD(why, literal)                                        \
    {                                                            \
        why, { (const uint8_t *)(literal), sizeof(literal) - 1 } \
    }
        BAD("empty", ""),
        BAD("no blank line", "text\n" DASH "a " SIG "\n"),
        BAD("no signature", "text\n\n"),
        BAD("no final newline", "text\n\n" DASH "a " SIG),
        BAD("carriage return", "text\r\n\n" DASH "a " SIG "\n"),
        BAD("tab", "te\txt\n\n" DASH "a " SIG "\n"),
        BAD("NUL", "te\0xt\n\n" DASH "a " SIG "\n"),
        BAD("hyphen", "text\n\n- a " SIG "\n"),
        BAD("en dash", "text\n\n\xE2\x80\x93 a " SIG "\n"),
        BAD("no space after the dash", "text\n\n\xE2\x80\x94"
                                       "a " SIG "\n"),
        BAD("two spaces", "text\n\n" DASH " a " SIG "\n"),
        BAD("two spaces before the signature", "text\n\n" DASH "a  " SIG "\n"),
        BAD("plus in the name", "text\n\n" DASH "a+b " SIG "\n"),
        BAD("no name", "text\n\n" DASH SIG "\n"),
        BAD("no-break space in the name", "text\n\n" DASH "a\xC2\xA0"
                                          "b " SIG "\n"),
        BAD("ideographic space in the name", "text\n\n" DASH "a\xE3\x80\x80"
                                             "b " SIG "\n"),
        BAD("base64 with trailing bits", "text\n\n" DASH "a AAAAAAB=\n"),
        BAD("base64 without padding", "text\n\n" DASH "a AAAAAAA\n"),
        BAD("url-safe base64", "text\n\n" DASH "a AAAAAA-_\n"),
        BAD("trailing space", "text\n\n" DASH "a " SIG " \n"),
        BAD("only a key id", "text\n\n" DASH "a AAAAAA==\n"),
        BAD("invalid UTF-8", "te\xFFxt\n\n" DASH "a " SIG "\n"),
        BAD("overlong UTF-8", "te\xC0\xAFxt\n\n" DASH "a " SIG "\n"),
        BAD("a line that is no signature", "text\n\n" DASH "a " SIG "\nmore\n"),
#undef BAD
    };
    struct cu_note note;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cu_note_read(bad[i].note, &note, &error) != CU_MALFORMED) fail_msg("%s", bad[i].why);
}

static void the_last_blank_line_ends_the_text(void **state)
{
    (void)state;
    struct cu_note note;

    assert_int_equal(
        cu_note_read(TEXT("Ognuno\n\n\xC3\xA8 subito sera.\n\n" DASH "quasimodo.example/salvatore " SIG "\n"), &note, &error),
        CU_OK);
    assert_true(cu_span_is(note.text, "Ognuno\n\n\xC3\xA8 subito sera.\n"));
}

static void sixty_four_signatures_are_read_and_one_more_is_not(void **state)
{
    (void)state;
    struct cu_note note;
    CU_BUF out = cu_buf_heap(CU_NOTE_MAX * 2);

    cu_buf_add_str(&out, "text\n\n");
    for (int i = 0; i < CU_NOTE_SIGNATURES_MAX; i++) cu_buf_addf(&out, DASH "n%d AAAAAAA=\n", i);
    assert_int_equal(cu_note_read(cu_buf_span(&out), &note, &error), CU_OK);
    assert_int_equal(note.sigs_n, CU_NOTE_SIGNATURES_MAX);
    cu_buf_add_str(&out, DASH "more AAAAAAA=\n");
    assert_int_equal(cu_note_read(cu_buf_span(&out), &note, &error), CU_TOO_LARGE);
}

static void no_space_that_unicode_knows_stands_in_a_name(void **state)
{
    (void)state;
    static const char *const spaces[] = {
        "\t",           "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x8A",
        "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80",
    };
    struct cu_private_key key;
    struct cu_vkey v;
    char name[16];

    assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &key, &error), CU_OK);
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        (void)snprintf(name, sizeof name, "a%sb", spaces[i]);
        assert_int_equal(cu_vkey_make(cu_span_str(name), CU_NOTE_ED25519, &key.pub, &v, &error), CU_MALFORMED);
    }
    assert_int_equal(cu_vkey_make(cu_span_str("a\xE2\x80\x8B"
                                              "b"),
                                  CU_NOTE_ED25519, &key.pub, &v, &error),
                     CU_OK);
    assert_int_equal(cu_vkey_make(cu_span_str("a\x01"
                                              "b"),
                                  CU_NOTE_ED25519, &key.pub, &v, &error),
                     CU_MALFORMED);
    assert_int_equal(cu_vkey_make(cu_span_str("\xC3"), CU_NOTE_ED25519, &key.pub, &v, &error), CU_MALFORMED);
    cu_private_free(&key);
}

static void what_could_not_be_verified_is_not_signed(void **state)
{
    (void)state;
    static uint8_t text[CU_NOTE_MAX + 64];
    CU_BUF out = cu_buf_heap(4 * CU_NOTE_MAX);
    struct cu_private_key eddsa, es256;
    struct cu_vkey v;

    memset(text, 't', sizeof text);
    assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &eddsa, &error), CU_OK);
    assert_int_equal(cu_private_generate(CU_ALG_ES256, &es256, &error), CU_OK);
    assert_int_equal(cu_note_sign(&out, cu_span_str("t\n"), cu_span_str("n"), &es256, &error), CU_BAD_KEY);
    assert_int_equal(cu_note_sign(&out, cu_span_str("t\n"), cu_span_str(""), &eddsa, &error), CU_MALFORMED);
    assert_int_equal(cu_note_cosign(&out, cu_span_str("t\n"), cu_span_str("n"), &eddsa, UINT64_C(1) << 63, &error), CU_MALFORMED);
    assert_int_equal(cu_note_cosign(&out, CU_SPAN_OF(text), cu_span_str("n"), &eddsa, 1, &error), CU_TOO_LARGE);
    assert_int_equal(out.n, 0);

    struct cu_public_key small = { .alg = CU_ALG_EDDSA, .bytes = { 1 } }; /* of order one */
    char vkey[128];
    struct cu_buf line = cu_buf_over(vkey, sizeof vkey);
    assert_int_equal(cu_vkey_make(cu_span_str("n"), CU_NOTE_ED25519, &small, &v, &error), CU_OK);
    assert_int_equal(cu_vkey_write(&v, &line, &error), CU_OK);
    assert_int_equal(cu_vkey_read(cu_buf_span(&line), &v, &error), CU_BAD_KEY);
    cu_private_free(&eddsa);
    cu_private_free(&es256);
}

static void a_note_of_16_kib_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    static const char end[] = "\n\n" DASH "n AAAAAAA=\n";
    struct cu_note note;

    for (size_t n = CU_NOTE_MAX; n <= CU_NOTE_MAX + 1; n++) {
        CU_BUF out = cu_buf_heap(n);
        memset(cu_buf_grow(&out, n - strlen(end)), 't', n - strlen(end));
        cu_buf_add_str(&out, end);
        assert_int_equal(cu_note_read(cu_buf_span(&out), &note, &error), n == CU_NOTE_MAX ? CU_OK : CU_TOO_LARGE);
    }
}

static void a_log_has_a_name_of_at_most_128_bytes(void **state)
{
    (void)state;
    struct cu_checkpoint c;

    for (size_t n = CU_ORIGIN_MAX; n <= CU_ORIGIN_MAX + 1; n++) {
        CU_BUF out = cu_buf_heap(300);
        memset(cu_buf_grow(&out, n), 'o', n);
        cu_buf_add_str(&out, "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
        assert_int_equal(cu_checkpoint_read(cu_buf_span(&out), &c, &error), n == CU_ORIGIN_MAX ? CU_OK : CU_MALFORMED);
    }
}

static void a_checkpoint_has_three_lines_in_one_spelling(void **state)
{
    (void)state;
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    static const char *const bad[] = {
        "",
        "o\n",
        "o\n1\n",
        "o\n1\n" ROOT,
        "\n1\n" ROOT "\n",
        "o\n01\n" ROOT "\n",
        "o\n+5\n" ROOT "\n",
        "o\n-5\n" ROOT "\n",
        "o\n\n" ROOT "\n",
        "o\n 1\n" ROOT "\n",
        "o\n9223372036854775808\n" ROOT "\n",
        "o\n18446744073709551616\n" ROOT "\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n",
        "o\n1\n" ROOT "AAAA\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
        "o\n1\n" ROOT "\nextension\n",
        "o\n1\n" ROOT "\n\n",
        "o\n0\n" ROOT "\n",
    };
    struct cu_checkpoint c;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cu_checkpoint_read(cu_span_str(bad[i]), &c, &error) != CU_MALFORMED) fail_msg("%s", bad[i]);
    assert_int_equal(cu_checkpoint_read(cu_span_str("o\n9223372036854775807\n" ROOT "\n"), &c, &error), CU_OK);
    assert_int_equal(cu_checkpoint_read(cu_span_str("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), &c, &error), CU_OK);
}

/* A key signs and cosigns; the bytes are those of the specification. */
static void what_we_sign_has_the_specified_bytes(void **state)
{
    (void)state;
    struct cu_private_key log, witness;
    struct cu_vkey log_key, witness_key;
    struct cu_note note;
    uint64_t when;
    CU_BUF out = cu_buf_heap(CU_NOTE_MAX);
    struct cu_span text = TEXT("o\n1\n" ROOT "\n");

    assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &log, &error), CU_OK);
    assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &witness, &error), CU_OK);
    assert_int_equal(cu_note_sign(&out, text, TEXT("o"), &log, &error), CU_OK);
    assert_int_equal(cu_note_cosign(&out, text, TEXT("w"), &witness, 1679315147, &error), CU_OK);
    assert_int_equal(cu_note_read(cu_buf_span(&out), &note, &error), CU_OK);
    assert_int_equal(note.sigs_n, 2);
    assert_int_equal(note.sig[0].n, 64);
    assert_int_equal(note.sig[1].n, 72);
    assert_int_equal(cu_be64(note.sig[1].blob), 1679315147);
    assert_int_equal(cu_vkey_make(TEXT("o"), CU_NOTE_ED25519, &log.pub, &log_key, &error), CU_OK);
    assert_int_equal(cu_vkey_make(TEXT("w"), CU_NOTE_COSIGNATURE, &witness.pub, &witness_key, &error), CU_OK);
    assert_int_equal(cu_note_verify(&note, &note.sig[0], &log_key, &by, &when, &error), CU_OK);
    assert_int_equal(cu_note_verify(&note, &note.sig[1], &witness_key, &by, &when, &error), CU_OK);
    assert_int_equal(when, 1679315147);

    struct cu_span message = TEXT("cosignature/v1\ntime 1679315147\no\n1\n" ROOT "\n"); /* no detour through our own builder */
    assert_int_equal(cu_verify_one(&by, &witness.pub, message, note.sig[1].blob + 8, &error), CU_OK);
    note.sig[1].blob[7] ^= 1;
    assert_int_equal(cu_note_verify(&note, &note.sig[1], &witness_key, &by, &when, &error), CU_BAD_SIGNATURE);
    note.sig[1].blob[0] ^= 0x80; /* beyond 2^63 */
    assert_int_equal(cu_note_verify(&note, &note.sig[1], &witness_key, &by, &when, &error), CU_MALFORMED);
    note.sig[0].n = 63;
    assert_int_equal(cu_note_verify(&note, &note.sig[0], &log_key, &by, &when, &error), CU_MALFORMED);
    cu_private_free(&log);
    cu_private_free(&witness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_of_others_verify_and_none_of_their_flipped_bits),
        cmocka_unit_test(the_checkpoints_of_another_log_verify_and_none_of_their_flipped_bits),
        cmocka_unit_test(a_verifier_key_comes_back_as_it_was_written),
        cmocka_unit_test(a_verifier_key_in_another_spelling_is_refused),
        cmocka_unit_test(a_malformed_note_is_refused),
        cmocka_unit_test(the_last_blank_line_ends_the_text),
        cmocka_unit_test(sixty_four_signatures_are_read_and_one_more_is_not),
        cmocka_unit_test(no_space_that_unicode_knows_stands_in_a_name),
        cmocka_unit_test(what_could_not_be_verified_is_not_signed),
        cmocka_unit_test(a_note_of_16_kib_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(a_log_has_a_name_of_at_most_128_bytes),
        cmocka_unit_test(a_checkpoint_has_three_lines_in_one_spelling),
        cmocka_unit_test(what_we_sign_has_the_specified_bytes),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
