/* What a seizure form says is read in every form that tools write, and compared before anything is signed. */
#include "content/digests.h"
#include "content/ingest.h"
#include "stores.h"

#include "custody/text.h"

static struct cu_expect read_list(const char *text)
{
    struct cu_expect e;
    OK(cu_expect_read(cu_span_str(text), true, &e, &error));
    return e;
}

/* Digests of the bytes that a path stands for in these tests: its own text. */
static cu_status match(const struct cu_expect *e, const char *path, const char *bytes)
{
    struct cu_digest_value d[CU_DIGESTS_MAX];
    size_t n;

    OK(cu_digest_set_of(cu_expect_algs(e), cu_span_str(bytes), d, &n, &error));
    return cu_expect_match(e, cu_span_str(path), d, n, &error);
}

static const char *hex_of(enum cu_digest_alg alg, const char *bytes)
{
    static char hex[4][160];
    static unsigned next;
    struct cu_digest_value d[CU_DIGESTS_MAX];
    size_t n;
    char *to = hex[next++ % 4];

    OK(cu_digest_set_of(1u << alg, cu_span_str(bytes), d, &n, &error));
    struct cu_buf out = cu_buf_over(to, 159);
    cu_hex_put(&out, cu_span(d[n - 1].bytes, cu_digest_len(alg)));
    to[out.n] = '\0';
    return to;
}

static void one_digest_is_an_algorithm_and_hex_in_either_case(void **state)
{
    static const enum cu_digest_alg algs[] = { CU_DIGEST_SHA256, CU_DIGEST_SHA1, CU_DIGEST_MD5, CU_DIGEST_SM3, CU_DIGEST_SHA512 };
    char text[200];
    (void)state;

    for (size_t i = 0; i < 5; i++)
        for (int upper = 0; upper < 2; upper++) {
            struct cu_expect e;
            snprintf(text, sizeof text, "%s:%s", cu_digest_name(algs[i]), hex_of(algs[i], "abc"));
            for (char *c = text; upper && *c; c++) *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
            OK(cu_expect_read(cu_span_str(text), false, &e, &error));
            assert_int_equal(cu_expect_algs(&e), 1u << algs[i]);
            OK(match(&e, "any/name", "abc"));
            OK(cu_expect_done(&e, &error));
            IS(CU_BAD_HASH, match(&e, "any/name", "abd"));
            assert_non_null(strstr(error.text, cu_digest_name(algs[i])));
            assert_non_null(strstr(error.text, hex_of(algs[i], "abd")));
            cu_expect_free(&e);
        }
    static const char *const bad[] = { "",
                                       "sha256:",
                                       "sha256:12",
                                       "md4:00000000000000000000000000000000",
                                       "sha256:g7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                                       "hello" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cu_expect e;
        IS(CU_MALFORMED, cu_expect_read(cu_span_str(bad[i]), false, &e, &error));
    }
}

static void lists_of_the_sum_tools_are_read(void **state)
{
    static const struct {
        enum cu_digest_alg alg;
        const char *format;
    } forms[] = {
        { CU_DIGEST_SHA256, "%s  a/b\n%s  c\n" },
        { CU_DIGEST_SHA256, "%s *a/b\n%s *c\n" },
        { CU_DIGEST_MD5, "%s  a/b\n%s  c" },
        { CU_DIGEST_SHA1, "%s  a/b\r\n%s  c\r\n" },
        { CU_DIGEST_SHA256, "\xef\xbb\xbf# a comment\n%s  ./a/b\n\n%s  ./c\n" },
        { CU_DIGEST_SM3, "sm3:%s  a/b\nsm3:%s  c\n" },
        { CU_DIGEST_SHA256, "SHA256 (a/b) = %s\nSHA256 (c) = %s\n" },
        { CU_DIGEST_SHA256, "SHA2-256(a/b)= %s\nSHA2-256(c)= %s\n" },
        { CU_DIGEST_SM3, "SM3(a/b)= %s\nSM3(c)= %s\n" },
        { CU_DIGEST_MD5, "MD5 (a/b) = %s\nMD5 (c) = %s\n" },
        { CU_DIGEST_SHA256, "%s  C:\\a\\b\n%s  C:\\c\n" },
        { CU_DIGEST_SHA512, "%s  /evidence/box/a/b\n%s  /evidence/box/c\n" },
    };
    char text[600];
    (void)state;

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *x = strstr(forms[i].format, "%s"), *y = strstr(x + 2, "%s");
        snprintf(text, sizeof text, "%.*s%s%.*s%s%s", (int)(x - forms[i].format), forms[i].format, hex_of(forms[i].alg, "one"),
                 (int)(y - x - 2), x + 2, hex_of(forms[i].alg, "two"), y + 2);
        struct cu_expect e = read_list(text);
        assert_int_equal(e.n, 2);
        OK(match(&e, "a/b", "one"));
        IS(CU_NOT_FOUND, cu_expect_done(&e, &error));
        OK(match(&e, "c", "two"));
        OK(cu_expect_done(&e, &error));
        IS(CU_BAD_HASH, match(&e, "c", "one"));
        assert_non_null(strstr(error.text, "c"));
        IS(CU_NOT_FOUND, match(&e, "b", "one"));
        IS(CU_NOT_FOUND, match(&e, "a", "one"));
        cu_expect_free(&e);
    }
}

static void escaped_names_and_odd_ones_are_read(void **state)
{
    char text[600];
    (void)state;

    snprintf(text, sizeof text,
             "\\%s  a\\nb\\\\c\n%s  with  two spaces (and = this)\nSHA256 (x) = y) = %s\n\\SHA256 (n\\n) = %s\n",
             hex_of(CU_DIGEST_SHA256, "1"), hex_of(CU_DIGEST_SHA256, "2"), hex_of(CU_DIGEST_SHA256, "3"),
             hex_of(CU_DIGEST_SHA256, "4"));
    struct cu_expect e = read_list(text);
    OK(match(&e, "a\nb\\c", "1"));
    OK(match(&e, "with  two spaces (and = this)", "2"));
    OK(match(&e, "x) = y", "3"));
    OK(match(&e, "n\n", "4"));
    cu_expect_free(&e);
}

static void hashdeep_lists_give_every_column(void **state)
{
    char text[1200];
    (void)state;

    snprintf(text, sizeof text,
             "%%%%%%%% HASHDEEP-1.0\n%%%%%%%% size,md5,sha256,filename\n## Invoked from: /e\n## $ hashdeep -r "
             ".\n##\n3,%s,%s,/e/a,with commas\n3,%s,%s,/e/b\n",
             hex_of(CU_DIGEST_MD5, "one"), hex_of(CU_DIGEST_SHA256, "one"), hex_of(CU_DIGEST_MD5, "two"),
             hex_of(CU_DIGEST_SHA256, "two"));
    struct cu_expect e = read_list(text);
    assert_int_equal(e.n, 4);
    assert_int_equal(cu_expect_algs(&e), 1u << CU_DIGEST_MD5 | 1u << CU_DIGEST_SHA256);
    OK(match(&e, "a,with commas", "one"));
    IS(CU_BAD_HASH, match(&e, "b", "one"));
    OK(match(&e, "b", "two"));
    OK(cu_expect_done(&e, &error));
    cu_expect_free(&e);
}

static void a_report_of_ftk_imager_gives_the_image_s_digests(void **state)
{
    char text[1500];
    struct cu_expect e;
    (void)state;

    snprintf(text, sizeof text,
             "Created By AccessData\xae FTK\xae Imager 4.7.1.2\r\n\r\nCase Information: \r\nAcquired using: ADI4.7.1.2\r\nCase "
             "Number: 17\r\n\r\n[Physical Drive Information]\r\n Drive Model: X\r\n"
             "[Computed Hashes]\r\n MD5 checksum:    %s\r\n SHA1 checksum:   %s\r\n\r\nImage Information:\r\n Segment list:\r\n  "
             "E:\\img.001\r\n\r\n"
             "Image Verification Results:\r\n MD5 checksum:    %s : verified\r\n SHA1 checksum:   %s : verified\r\n",
             hex_of(CU_DIGEST_MD5, "img"), hex_of(CU_DIGEST_SHA1, "img"), hex_of(CU_DIGEST_MD5, "img"),
             hex_of(CU_DIGEST_SHA1, "img"));
    e = read_list(text);
    assert_int_equal(e.n, 2);
    OK(match(&e, "img.001", "img"));
    IS(CU_BAD_HASH, match(&e, "img.001", "gim"));
    cu_expect_free(&e);

    char *last = strstr(strstr(text, "Verification"), "MD5 checksum:    ") +
                 17; /* the image did not verify: the form contradicts itself */
    *last = *last == '0' ? '1' : '0';
    IS(CU_MALFORMED, cu_expect_read(cu_span_str(text), true, &e, &error));
}

static void a_bad_line_is_named_by_its_number(void **state)
{
    static const char *const bad[] = {
        "# c\nhello world\n",
        "# c\n0123  short\n",
        "# c\nd41d8cd98f00b204e9800998ecf8427e one space\n",
        "# c\nd41d8cd98f00b204e9800998ecf8427e \n",
        "\n\\d41d8cd98f00b204e9800998ecf8427e  a\\x\n",
        "\nMD4 (x) = d41d8cd98f00b204e9800998ecf8427e\n",
        "\nMD5 (x) = d41d\n",
        "%%%% HASHDEEP-1.0\n3,d41d8cd98f00b204e9800998ecf8427e,x\n",
        "%%%% HASHDEEP-1.0\n%%%% size,md5\n",
    };
    struct cu_expect e;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        IS(CU_MALFORMED, cu_expect_read(cu_span_str(bad[i]), true, &e, &error));
        assert_non_null(strstr(error.text, "line 2"));
    }
    IS(CU_MALFORMED, cu_expect_read(cu_span_str("# nothing\n"), true, &e, &error));
    IS(CU_MALFORMED, cu_expect_read(cu_span_str(""), true, &e, &error));
}

static void names_below_a_folder_that_the_list_shares_are_found_and_no_others(void **state)
{
    char text[900];
    (void)state;

    snprintf(text, sizeof text, "%s  box/x\n%s  box/sub/x\n%s  box/sub/y\n", hex_of(CU_DIGEST_MD5, "1"),
             hex_of(CU_DIGEST_MD5, "2"), hex_of(CU_DIGEST_MD5, "3"));
    struct cu_expect e = read_list(text);
    OK(match(&e, "x", "1"));
    OK(match(&e, "sub/x", "2"));
    OK(match(&e, "box/sub/y", "3"));
    IS(CU_NOT_FOUND, match(&e, "y", "3"));
    cu_expect_free(&e);
}

static void a_list_of_a_hundred_thousand_lines_is_quick(void **state)
{
    CU_BUF text = cu_buf_heap(1 << 24);
    char path[40];
    (void)state;

    for (unsigned i = 0; i < 100000; i++) cu_buf_addf(&text, "%032x  some/folder/file-%06u\n", i, i);
    struct cu_expect e;
    OK(cu_expect_read(cu_buf_span(&text), true, &e, &error));
    for (unsigned i = 0; i < 100000; i++) {
        struct cu_digest_value d = { .alg = CU_DIGEST_MD5 };
        snprintf(path, sizeof path, "file-%06u", i);
        cu_put_be32(d.bytes + 12, i);
        OK(cu_expect_match(&e, cu_span_str(path), &d, 1, &error));
    }
    OK(cu_expect_done(&e, &error));
    cu_expect_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_digest_is_an_algorithm_and_hex_in_either_case),
        cmocka_unit_test(lists_of_the_sum_tools_are_read),
        cmocka_unit_test(escaped_names_and_odd_ones_are_read),
        cmocka_unit_test(hashdeep_lists_give_every_column),
        cmocka_unit_test(a_report_of_ftk_imager_gives_the_image_s_digests),
        cmocka_unit_test(a_bad_line_is_named_by_its_number),
        cmocka_unit_test(names_below_a_folder_that_the_list_shares_are_found_and_no_others),
        cmocka_unit_test(a_list_of_a_hundred_thousand_lines_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
