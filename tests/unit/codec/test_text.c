/* One spelling of everything: hex, base64, decimals, UTF-8, lines; and what people are shown. */
#include "custody/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT(literal) cu_span(literal, sizeof(literal) - 1)

static void assert_text(const struct cu_buf *buf, const char *expected)
{
    assert_int_equal(cu_buf_ok(buf, NULL), CU_OK);
    if (!cu_span_is(cu_buf_span(buf), expected)) fail_msg("%.*s instead of %s", (int)buf->n, (const char *)buf->p, expected);
}

/* ---- hex ----------------------------------------------------------------------------------------------------------- */

static void hex_is_lower_case_and_comes_back(void **state)
{
    (void)state;
    uint8_t all[256], back[256];
    CU_BUF out = cu_buf_heap(1000);
    for (size_t i = 0; i < 256; i++) all[i] = (uint8_t)i;
    cu_hex_put(&out, CU_SPAN_OF(all));
    assert_int_equal(out.n, 512);
    assert_memory_equal(out.p + 2 * 0xAB, "abacad", 6);
    assert_int_equal(cu_hex_read(cu_buf_span(&out), back, sizeof back, NULL), CU_OK);
    assert_memory_equal(all, back, sizeof all);

    cu_hash hash = { { 0xDE, 0xAD } };
    char text[65];
    cu_hash_hex(&hash, text);
    assert_string_equal(text, "dead000000000000000000000000000000000000000000000000000000000000");
}

static void hex_has_one_spelling_and_one_length(void **state)
{
    (void)state;
    uint8_t ret[2] = { 7, 7 };
    static const char *const bad[] = { "",     "0",    "00",   "000",  "00000", "0000 ", "00AB",
                                       "00g0", "0x00", " 000", "00-1", "00:0",  "00`0",  "00/0" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(cu_hex_read(cu_span_str(bad[i]), ret, 2, NULL), CU_MALFORMED);
    assert_true(ret[0] == 7 && ret[1] == 7);
    assert_int_equal(cu_hex_read(CU_SPAN_EMPTY, ret, 0, NULL), CU_OK);
    assert_int_equal(cu_hex_read(TEXT("ff"), ret, SIZE_MAX / 2 + 2, NULL), CU_MALFORMED);
}

/* ---- base64: the vectors of RFC 4648, section 10 ---------------------------------------------------------------------- */

static void base64_gives_what_the_rfc_gives(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *base64;
    } vectors[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xfb\xff\xbf", "+/+/" },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        CU_BUF out = cu_buf_heap(100);
        CU_BUF back = cu_buf_heap(100);
        cu_base64_put(&out, cu_span_str(vectors[i].plain));
        assert_text(&out, vectors[i].base64);
        assert_int_equal(cu_base64_read(cu_buf_span(&out), &back, NULL), CU_OK);
        assert_text(&back, vectors[i].plain);
    }
}

static void base64_has_one_spelling(void **state)
{
    (void)state;
    static const char *const bad[] = { "Z",    "Zg",     "Zg=",  "=",    "====",     "Z===", "Zg==Zg==", "Zm8=Zm9v", "Zh==",
                                       "Zm9=", "Zm9v\n", "Zm 9", "Zm-_", "Zm9v====", "Zg=v", "Zm9vZ",    "Z=9v",     "\xFFm9v" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char mem[20] = "xy";
        struct cu_buf out = cu_buf_over(mem, sizeof mem);
        out.n = 2;
        if (cu_base64_read(cu_span_str(bad[i]), &out, NULL) != CU_MALFORMED) fail_msg("%s", bad[i]);
        assert_int_equal(out.n, 2);
    }
}

static void every_four_characters_have_one_meaning_or_none(void **state)
{
    (void)state;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ \n.";
    size_t n = sizeof alphabet - 1, good = 0;
    for (size_t i = 0; i < n * n * n * n; i += 7) { /* 7 and n are coprime: every digit takes every value */
        char text[4] = { alphabet[i % n], alphabet[i / n % n], alphabet[i / n / n % n], alphabet[i / n / n / n % n] };
        uint8_t mem[3], again[4];
        struct cu_buf out = cu_buf_over(mem, sizeof mem), back = cu_buf_over(again, sizeof again);
        if (cu_base64_read(CU_SPAN_OF(text), &out, NULL) != CU_OK) continue;
        cu_base64_put(&back, cu_buf_span(&out));
        assert_memory_equal(text, again, 4);
        good++;
    }
    assert_true(good > 1000000);
}

static void raw_base64_is_the_same_without_its_padding(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "", "" },           { "f", "Zg" },          { "fo", "Zm8" },         { "foo", "Zm9v" },
        { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }
    };
    static const char *const bad[] = { "Z", "Zg==", "Zm8=", "Zh", "Zm9", "Zm9vY", "Zm9vYh", "Z g", "Zg\n", "Zm9v=" };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        CU_BUF out = cu_buf_heap(100);
        CU_BUF back = cu_buf_heap(100);
        cu_base64_raw_put(&out, cu_span_str(pairs[i][0]));
        assert_text(&out, pairs[i][1]);
        assert_int_equal(cu_base64_raw_read(cu_buf_span(&out), &back, NULL), CU_OK);
        assert_text(&back, pairs[i][0]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_BUF back = cu_buf_heap(100);
        assert_int_equal(cu_base64_raw_read(cu_span_str(bad[i]), &back, NULL), CU_MALFORMED);
        assert_int_equal(back.n, 0);
    }
    uint8_t three[3] = { 7, 7, 7 };
    assert_true(cu_base64_raw_exact(TEXT("Zm9v"), three, 3) && memcmp(three, "foo", 3) == 0);
    assert_false(cu_base64_raw_exact(TEXT("Zm8"), three, 3));
    assert_false(cu_base64_raw_exact(TEXT("Zm9vYg"), three, 3));
    assert_false(cu_base64_raw_exact(TEXT("Zm*v"), three, 3));
    assert_memory_equal(three, "foo", 3);
}

static void base64_beyond_the_buffer_is_too_large(void **state)
{
    (void)state;
    char mem[5];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    assert_int_equal(cu_base64_read(TEXT("Zm9vYmFy"), &out, NULL), CU_TOO_LARGE);
    struct cu_buf exact = cu_buf_over(mem, sizeof mem);
    assert_int_equal(cu_base64_read(TEXT("Zm9vYmE="), &exact, NULL), CU_OK);
}

/* ---- Bech32: BIP 173's own strings, and keys of C2SP's age.md ----------------------------------------------------------- */

static void bech32_gives_what_others_give(void **state)
{
    (void)state;
    static const struct {
        const char *hrp, *text;
        size_t n;
    } vectors[] = {
        { "A", "A12UEL5L", 0 }, /* BIP 173, valid strings */
        { "abcdef", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", 20 },
        { "AGE-SECRET-KEY-", "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX", 32 },
        { "age", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj", 32 },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t bytes[64];
        CU_BUF again = cu_buf_heap(200);
        assert_int_equal(cu_bech32_read(cu_span_str(vectors[i].text), vectors[i].hrp, bytes, vectors[i].n, NULL), CU_OK);
        cu_bech32_put(&again, vectors[i].hrp, cu_span(bytes, vectors[i].n));
        assert_text(&again, vectors[i].text);
    }
}

/* Four wrong characters are always found (BIP 173); a letter in the other case is a wrong one here. */
static void bech32_has_one_spelling(void **state)
{
    (void)state;
    static const char good[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    uint8_t bytes[32] = { 7 };
    for (size_t at = 0; at < sizeof good - 1; at++)
        for (int c = 0; c < 256; c++) {
            char text[sizeof good];
            memcpy(text, good, sizeof good);
            text[at] = (char)c;
            if (text[at] == good[at]) continue;
            assert_int_equal(cu_bech32_read(TEXT(text), "age", bytes, 32, NULL), CU_MALFORMED);
        }
    for (size_t n = 0; n < sizeof good - 1; n++)
        assert_int_equal(cu_bech32_read(cu_span(good, n), "age", bytes, 32, NULL), CU_MALFORMED);
    assert_int_equal(
        cu_bech32_read(TEXT("AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ"), "age", bytes, 32, NULL),
        CU_MALFORMED);
    assert_int_equal(cu_bech32_read(TEXT(good), "age", bytes, 31, NULL), CU_MALFORMED);
    assert_int_equal(bytes[0], 7);
    /* BIP 173's alphabet and checksum, but with a bit set that belongs to no byte */
    assert_int_equal(cu_bech32_read(TEXT("x1pympyc4v"), "x", bytes, 1, NULL), CU_OK);
    assert_int_equal(bytes[0], 9);
    assert_int_equal(cu_bech32_read(TEXT("x1p9xhsdg7"), "x", bytes, 1, NULL), CU_MALFORMED);
}

/* ---- decimals ------------------------------------------------------------------------------------------------------------ */

static void decimals_are_read_up_to_their_maximum(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max, value;
    } good[] = {
        { "0", 0, 0 },
        { "7", 7, 7 },
        { "10", 10, 10 },
        { "18446744073709551615", UINT64_MAX, UINT64_MAX },
        { "9223372036854775807", INT64_MAX, INT64_MAX },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t v = 99;
        assert_int_equal(cu_decimal_read(cu_span_str(good[i].text), good[i].max, &v, NULL), CU_OK);
        assert_true(v == good[i].value);
        if (good[i].max == UINT64_MAX || good[i].max == 0) continue;
        assert_int_equal(cu_decimal_read(cu_span_str(good[i].text), good[i].max - 1, &v, NULL), CU_MALFORMED);
    }
}

static void a_decimal_has_one_spelling(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "00",
                                       "01",
                                       "-1",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1.0",
                                       "1e3",
                                       "0x1",
                                       "1,000",
                                       "18446744073709551616",
                                       "18446744073709551620",
                                       "99999999999999999999",
                                       "184467440737095516150",
                                       "a",
                                       "/",
                                       ":" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t v = 7;
        if (cu_decimal_read(cu_span_str(bad[i]), UINT64_MAX, &v, NULL) != CU_MALFORMED || v != 7) fail_msg("%s", bad[i]);
    }
}

/* ---- UTF-8 ------------------------------------------------------------------------------------------------------------------ */

/* What RFC 3629 says, said another way: encode the number, compare. */
static size_t encode(uint32_t c, uint8_t *p)
{
    if (c < 0x80) return p[0] = (uint8_t)c, 1;
    if (c < 0x800) return p[0] = (uint8_t)(0xC0 | c >> 6), p[1] = (uint8_t)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return p[0] = (uint8_t)(0xE0 | c >> 12), p[1] = (uint8_t)(0x80 | (c >> 6 & 63)), p[2] = (uint8_t)(0x80 | (c & 63)), 3;
    p[0] = (uint8_t)(0xF0 | c >> 18), p[1] = (uint8_t)(0x80 | (c >> 12 & 63)), p[2] = (uint8_t)(0x80 | (c >> 6 & 63)),
    p[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

static void every_character_is_read_but_the_surrogates(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x200000; c++) {
        uint8_t p[4];
        uint32_t read = 0;
        size_t n = encode(c, p);
        bool good = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        assert_int_equal(cu_utf8_next(cu_span(p, n), &read), good ? n : 0);
        assert_int_equal(cu_utf8_ok(cu_span(p, n)), good);
        if (good) assert_int_equal(read, c);
        assert_int_equal(cu_utf8_next(cu_span(p, n - 1), &read), 0); /* cut off */
    }
}

static void every_two_and_three_bytes_are_what_they_encode_or_nothing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x1000000; i++) {
        uint8_t p[3] = { (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }, again[4];
        uint32_t c;
        if (p[0] < 0x80) i |= 0xFFFF; /* one byte, tested above */
        size_t n = cu_utf8_next(cu_span(p, 3), &c);
        if (n == 0) continue;
        if (encode(c, again) != n || memcmp(p, again, n) != 0) fail_msg("%06x", (unsigned)i);
    }
}

static void a_fault_is_found_wherever_it_stands_in_a_long_text(void **state)
{
    (void)state;
    for (size_t n = 1; n < 40; n++)
        for (size_t at = 0; at < n; at++) {
            uint8_t *text = malloc(n);
            memset(text, 'a', n);
            assert_true(cu_utf8_ok(cu_span(text, n)));
            text[at] = 0xC3;
            assert_false(cu_utf8_ok(cu_span(text, n)));
            if (at + 1 < n) {
                text[at + 1] = 0xBC;
                assert_true(cu_utf8_ok(cu_span(text, n)));
            }
            free(text);
        }
    assert_true(cu_utf8_ok(CU_SPAN_EMPTY));
}

/* ---- for people -------------------------------------------------------------------------------------------------------------- */

static void what_could_deceive_is_shown_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "plain text, 100 %", "plain text, 100 %" },
        { "Höhle 证据 😀", "Höhle 证据 😀" },
        { "a\nb\tc\x1b[31m\x7f", "a\\x0ab\\x09c\\x1b[31m\\x7f" },
        { "\xc3(\xff\xed\xa0\x80", "\\xc3(\\xff\\xed\\xa0\\x80" },
        { "invoice\u202Efdp.exe", "invoice\\u{202e}fdp.exe" },
        { "\u202A\u202B\u202C\u202D\u2066\u2067\u2068\u2069",
          "\\u{202a}\\u{202b}\\u{202c}\\u{202d}\\u{2066}\\u{2067}\\u{2068}\\u{2069}" },
        { "\u200E\u200F\u061C\u200B\u200C\u200D\uFEFF\u2060\u00AD",
          "\\u{200e}\\u{200f}\\u{61c}\\u{200b}\\u{200c}\\u{200d}\\u{feff}\\u{2060}\\u{ad}" },
        { "\xc2\x85\u2028\u2029", "\\u{85}\\u{2028}\\u{2029}" },
        { "\U000E0041", "\\u{e0041}" },
        { "\u2800\u17B4\U0001D173", "\\u{2800}\\u{17b4}\\u{1d173}" },
        { "C:\\x0a", "C:\\\\x0a" },
        { "\"quoted\"", "\"quoted\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_BUF out = cu_buf_heap(1000);
        cu_text_printable(&out, cu_span_str(cases[i].text));
        assert_text(&out, cases[i].shown);
    }
}

static void a_long_name_is_cut_between_characters(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "eleven char", "eleven char" },        { "eleven chars", "eleven char…" },      { "证据证据", "证据证…" },
        { "ten chars \xe7\x85", "ten chars …" }, { "ten chars \xe7", "ten chars \\xe7" }, { "", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_BUF out = cu_buf_heap(1000);
        cu_text_shortened(&out, cu_span_str(cases[i].text), 11);
        assert_text(&out, cases[i].shown);
    }
}

static void quotes_within_quotes_are_escaped(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(100);
    cu_text_quoted(&out, cu_span_str("say \"yes\" \\ no"));
    assert_text(&out, "\"say \\\"yes\\\" \\\\ no\"");
}

static void a_zero_byte_is_shown_too(void **state)
{
    (void)state;
    CU_BUF out = cu_buf_heap(100);
    cu_text_printable(&out, TEXT("a\0b"));
    assert_text(&out, "a\\x00b");
}

/* What is shown can be read back, so no two byte strings look alike. */
static void what_is_shown_stands_for_one_byte_string(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[12], back[12];
        size_t n = 0;
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (uint8_t)(seed >> 33) & (seed >> 60 < 8 ? 0x7F : 0xFF);
            if (seed >> 60 == 3) bytes[i] = '\\';
        }
        CU_BUF out = cu_buf_heap(1000);
        cu_text_printable(&out, CU_SPAN_OF(bytes));
        assert_true(cu_utf8_ok(cu_buf_span(&out)));
        for (size_t i = 0; i < out.n;) {
            if (out.p[i] != '\\') back[n++] = out.p[i++];
            else if (out.p[i + 1] == '\\') back[n++] = '\\', i += 2;
            else if (out.p[i + 1] == 'x')
                assert_int_equal(cu_hex_read(cu_span(out.p + i + 2, 2), &back[n++], 1, NULL), CU_OK), i += 4;
            else {
                char *end;
                n += encode((uint32_t)strtoul((const char *)out.p + i + 3, &end, 16), back + n);
                i = (size_t)((uint8_t *)end - out.p) + 1;
            }
        }
        assert_int_equal(n, sizeof bytes);
        assert_memory_equal(bytes, back, n);
    }
}

/* ---- lines -------------------------------------------------------------------------------------------------------------------- */

static void lines_come_one_by_one_with_their_numbers(void **state)
{
    (void)state;
    struct cu_lines lines = cu_lines_on(cu_span_str("one\n\nthree\n"));
    struct cu_span line;
    assert_true(cu_lines_next(&lines, &line) && cu_span_is(line, "one") && lines.line == 1);
    assert_true(cu_lines_next(&lines, &line) && line.n == 0 && lines.line == 2);
    assert_true(cu_lines_next(&lines, &line) && cu_span_is(line, "three") && lines.line == 3);
    assert_false(cu_lines_next(&lines, &line) || lines.bad);
}

static void a_last_line_without_its_end_is_a_fault(void **state)
{
    (void)state;
    struct cu_lines lines = cu_lines_on(cu_span_str("one\ntwo"));
    struct cu_span line;
    assert_true(cu_lines_next(&lines, &line));
    assert_false(cu_lines_next(&lines, &line));
    assert_true(lines.bad && lines.line == 2);
    assert_false(cu_lines_next(&lines, &line));
    struct cu_lines none = cu_lines_on(CU_SPAN_EMPTY);
    assert_false(cu_lines_next(&none, &line) || none.bad);
}

static void a_span_is_split_at_its_first_separator(void **state)
{
    (void)state;
    struct cu_span rest = cu_span_str("a b  c"), part = cu_span_str("untouched");
    assert_true(cu_span_split(&rest, ' ', &part) && cu_span_is(part, "a") && cu_span_is(rest, "b  c"));
    assert_true(cu_span_split(&rest, ' ', &part) && cu_span_is(part, "b"));
    assert_true(cu_span_split(&rest, ' ', &part) && part.n == 0 && cu_span_is(rest, "c"));
    assert_false(cu_span_split(&rest, ' ', &part));
    assert_true(part.n == 0 && cu_span_is(rest, "c"));
    rest = CU_SPAN_EMPTY;
    assert_false(cu_span_split(&rest, ' ', &part));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_lower_case_and_comes_back),
        cmocka_unit_test(hex_has_one_spelling_and_one_length),
        cmocka_unit_test(base64_gives_what_the_rfc_gives),
        cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(every_four_characters_have_one_meaning_or_none),
        cmocka_unit_test(raw_base64_is_the_same_without_its_padding),
        cmocka_unit_test(bech32_gives_what_others_give),
        cmocka_unit_test(bech32_has_one_spelling),
        cmocka_unit_test(base64_beyond_the_buffer_is_too_large),
        cmocka_unit_test(decimals_are_read_up_to_their_maximum),
        cmocka_unit_test(a_decimal_has_one_spelling),
        cmocka_unit_test(every_character_is_read_but_the_surrogates),
        cmocka_unit_test(every_two_and_three_bytes_are_what_they_encode_or_nothing),
        cmocka_unit_test(a_fault_is_found_wherever_it_stands_in_a_long_text),
        cmocka_unit_test(what_could_deceive_is_shown_escaped),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
        cmocka_unit_test(quotes_within_quotes_are_escaped),
        cmocka_unit_test(a_zero_byte_is_shown_too),
        cmocka_unit_test(what_is_shown_stands_for_one_byte_string),
        cmocka_unit_test(lines_come_one_by_one_with_their_numbers),
        cmocka_unit_test(a_last_line_without_its_end_is_a_fault),
        cmocka_unit_test(a_span_is_split_at_its_first_separator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
