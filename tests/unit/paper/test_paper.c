/* A document becomes a page and a sheet: everything in it is there in both languages, whole, in the same bytes each time. */
#include "adapters/paper/paper.h"
#include "court/draft.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct cu_draft_column two_columns[] = { { 30, "Field", "项目" }, { 70, "Value", "内容" } };
static const struct cu_draft_column three_columns[] = { { 10, "No.", "序号" }, { 60, "Name", "名称" }, { 30, "SHA-256", "" } };

static void write_sample(struct cu_draft *d, unsigned rows)
{
    d->paper.title = cu_two("Certificate <of> \"evidence\" & more", "电子证据证明书");
    d->paper.running = cu_two("Case C1", "案件 C1");
    d->paper.made = (cu_unix_ms){ 1790000000123 };
    cu_draft_heading(d, 1, d->paper.title);
    cu_draft_paragraph(d, cu_two("Nothing here is invented.", "此处没有任何虚构。"));
    cu_draft_table(d, true, cu_two("A form", "表格"), two_columns, 2);
    cu_draft_cell(d, cu_two("Name", "姓名"));
    cu_draft_cell(d, cu_one(cu_span_str("Officer Li 李警官")));
    cu_draft_cell(d, cu_two("Signature", "签名"));
    cu_draft_cell(d, cu_one(CU_SPAN_EMPTY));
    cu_draft_heading(d, 2, cu_two("Many rows", "多行"));
    cu_draft_table(d, false, cu_one(CU_SPAN_EMPTY), three_columns, 3);
    for (unsigned i = 1; i <= rows; i++) {
        cu_draft_cell(d, cu_one(cu_draft_f(d, "%u", i)));
        cu_draft_cell(d, cu_one(cu_draft_f(d, "row%04u.jpg", i)));
        cu_draft_code(d, cu_draft_f(d, "%064u", i));
    }
    cu_draft_page(d);
    cu_draft_qr(d, cu_span_str("custody-qr/v1\nnetwork abandon"), cu_two("Scan it", "扫描"));
}

/* A folder of its own, and what a tool says of a file in it. */
static char folder[64];
static char *said_by(const char *fmt, ...) CU_PRINTF(1, 2);
static char *said_by(const char *fmt, ...)
{
    static char out[1 << 20];
    char command[600];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    const size_t n = fread(out, 1, sizeof out - 1, in);
    out[n] = '\0';
    if (pclose(in) != 0) fail_msg("%s: %s", command, out);
    return out;
}

static void put_file(const char *name, const struct cu_buf *bytes)
{
    char path[200];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes->p, 1, bytes->n, f), bytes->n);
    assert_int_equal(fclose(f), 0);
}

static bool have(const char *tool)
{
    char command[100];

    (void)snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", tool);
    if (system(command) == 0) return true;
    print_message("%s is not installed: run tools/setup check\n", tool);
    return false;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/test_paper.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[100];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return getenv("KEEP") ? 0 : system(command);
}

static void the_page_has_every_text_escaped_and_is_well_formed(void **state)
{
    CU_CLEANUP(cu_draft_free) struct cu_draft d = { .chunks = NULL };
    CU_BUF out = cu_buf_heap(1 << 24);
    struct cu_err err;

    (void)state;
    write_sample(&d, 50);
    assert_int_equal(cu_draft_ok(&d, &err), CU_OK);
    assert_int_equal(cu_paper_html(&d.paper, &out, &err), CU_OK);
    put_file("sample.html", &out);
    cu_buf_add_byte(&out, 0);
    const char *html = (const char *)out.p;
    static const char *const wanted[] = { "Certificate &lt;of&gt; &quot;evidence&quot; &amp; more",
                                          "<span lang=\"zh\">电子证据证明书</span>",
                                          "Officer Li 李警官",
                                          "row0001.jpg",
                                          "row0050.jpg",
                                          "此处没有任何虚构。",
                                          "default-src 'none'" };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(html, wanted[i])) fail_msg("missing: %s", wanted[i]);
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "http://w3"));
    said_by("python3 - %s/sample.html <<'EOF' 2>&1\n"
            "import html.parser, sys\n"
            "class P(html.parser.HTMLParser):\n"
            "    open, void = [], {'meta', 'br'}\n"
            "    def handle_starttag(self, t, a):\n"
            "        self.open += [] if t in self.void else [t]\n"
            "    def handle_startendtag(self, t, a):\n"
            "        pass\n"
            "    def handle_endtag(self, t):\n"
            "        assert self.open.pop() == t, t\n"
            "p = P(); p.feed(open(sys.argv[1], encoding='utf-8').read()); p.close(); assert not p.open\n"
            "EOF\n",
            folder);
}

static void the_sheet_has_real_text_in_both_languages_numbers_and_a_fixed_date(void **state)
{
    CU_CLEANUP(cu_draft_free) struct cu_draft d = { .chunks = NULL };
    CU_BUF out = cu_buf_heap(1 << 24);
    CU_BUF again = cu_buf_heap(1 << 24);
    struct cu_err err;

    (void)state;
    if (!have("pdftotext")) skip();
    write_sample(&d, 150);
    if (cu_paper_pdf(&d.paper, &out, &err) != CU_OK) fail_msg("%s", err.text);
    assert_int_equal(cu_paper_pdf(&d.paper, &again, &err), CU_OK);
    assert_int_equal(out.n, again.n);
    assert_memory_equal(out.p, again.p, out.n);
    put_file("sample.pdf", &out);
    const char *text = said_by("pdftotext -layout %s/sample.pdf - 2>&1", folder);
    static const char *const wanted[] = { "Nothing here is invented.",
                                          "此处没有任何虚构。",
                                          "电子证据证明书",
                                          "Officer Li 李警官",
                                          "row0001.jpg",
                                          "row0150.jpg",
                                          "1/8",
                                          "案件 C1" };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(text, wanted[i])) fail_msg("missing: %s\n%s", wanted[i], text);
    for (unsigned i = 1; i <= 150; i++) {
        char row[32];
        (void)snprintf(row, sizeof row, "row%04u.jpg", i);
        if (!strstr(text, row)) fail_msg("missing: %s", row);
    }
    const char *info = said_by("pdfinfo %s/sample.pdf 2>&1; pdffonts %s/sample.pdf", folder, folder);
    if (!strstr(info, "电子证据证明书") || !strstr(info, "2026")) fail_msg("%s", info);
    if (!strstr(info, "NotoSansCJKsc") && !strstr(info, "NotoSansCJK")) fail_msg("%s", info);
}

static void the_code_is_read_back_from_the_picture(void **state)
{
    CU_CLEANUP(cu_draft_free) struct cu_draft d = { .chunks = NULL };
    CU_BUF out = cu_buf_heap(1 << 24);
    CU_BUF png = cu_buf_heap(1 << 20);
    struct cu_err err;

    (void)state;
    if (!have("zbarimg") || !have("pdftoppm")) skip();
    write_sample(&d, 2);
    if (cu_paper_pdf(&d.paper, &out, &err) != CU_OK) fail_msg("%s", err.text);
    put_file("code.pdf", &out);
    assert_non_null(strstr(
        said_by("pdftoppm -r 150 -png %s/code.pdf %s/code && zbarimg -q --raw %s/code-2.png 2>/dev/null", folder, folder, folder),
        "custody-qr/v1\nnetwork abandon\n"));
    assert_int_equal(cu_qr_put(cu_span_str("hello"), CU_QR_PNG, &png, &err), CU_OK);
    put_file("one.png", &png);
    assert_string_equal(said_by("zbarimg -q --raw %s/one.png 2>/dev/null", folder), "hello\n");
}

static void a_cell_that_is_longer_than_a_page_goes_on_over_the_next(void **state)
{
    CU_CLEANUP(cu_draft_free) struct cu_draft d = { .chunks = NULL };
    CU_BUF out = cu_buf_heap(1 << 24);
    CU_BUF tall = cu_buf_heap(1 << 20);
    struct cu_err err;

    (void)state;
    if (!have("pdftotext")) skip();
    for (unsigned i = 0; i < 400; i++) cu_buf_addf(&tall, "line%04u\n", i);
    write_sample(&d, 1);
    cu_draft_table(&d, true, cu_one(CU_SPAN_EMPTY), two_columns, 2);
    cu_draft_cell(&d, cu_two("Note", "备注"));
    cu_draft_cell(&d, cu_one(cu_buf_span(&tall)));
    if (cu_paper_pdf(&d.paper, &out, &err) != CU_OK) fail_msg("%s", err.text);
    put_file("tall.pdf", &out);
    const char *text = said_by("pdftotext -layout %s/tall.pdf - 2>&1", folder);
    assert_non_null(strstr(text, "line0000"));
    assert_non_null(strstr(text, "line0399"));
}

static void without_its_font_there_is_no_sheet_and_the_package_is_named(void **state)
{
    (void)state;
    const char *said = said_by(
        "FONTCONFIG_FILE=%s/none %s --no-font 2>&1; printf '<fontconfig/>' >%s/none; FONTCONFIG_FILE=%s/none %s --no-font 2>&1",
        folder, TEST_BINARY_DIR "/bin/test_paper", folder, folder, TEST_BINARY_DIR "/bin/test_paper");
    if (!strstr(said, "install the package fonts-noto-cjk")) fail_msg("%s", said);
}

static void what_is_no_text_and_what_is_too_much_is_refused(void **state)
{
    CU_CLEANUP(cu_draft_free) struct cu_draft d = { .chunks = NULL };
    static uint8_t much[4000];
    uint8_t room[500];
    struct cu_buf small = cu_buf_over(room, sizeof room);
    CU_BUF out = cu_buf_heap(1 << 20);
    struct cu_err err;

    (void)state;
    assert_int_equal(cu_qr_put(CU_SPAN_OF(much), CU_QR_SVG, &out, &err), CU_TOO_LARGE);
    write_sample(&d, 1);
    assert_int_equal(cu_paper_pdf(&d.paper, &small, &err), CU_TOO_LARGE);
    assert_int_equal(cu_paper_html(&d.paper, &small, &err), CU_TOO_LARGE);
    cu_draft_paragraph(&d, cu_one(cu_span_str("\xff")));
    assert_int_equal(cu_paper_pdf(&d.paper, &out, &err), CU_MALFORMED);
    assert_int_equal(cu_paper_html(&d.paper, &out, &err), CU_MALFORMED);
    assert_int_equal(out.n, 0);
}

static int without_font(void)
{
    CU_CLEANUP(cu_draft_free) struct cu_draft d = { .chunks = NULL };
    CU_BUF out = cu_buf_heap(1 << 24);
    struct cu_err err = { 0 };

    write_sample(&d, 1);
    const cu_status set = cu_paper_pdf(&d.paper, &out, &err);
    printf("%d %s\n", set, err.text);
    return set != CU_NOT_FOUND || out.n;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_every_text_escaped_and_is_well_formed),
        cmocka_unit_test(the_sheet_has_real_text_in_both_languages_numbers_and_a_fixed_date),
        cmocka_unit_test(the_code_is_read_back_from_the_picture),
        cmocka_unit_test(a_cell_that_is_longer_than_a_page_goes_on_over_the_next),
        cmocka_unit_test(without_its_font_there_is_no_sheet_and_the_package_is_named),
        cmocka_unit_test(what_is_no_text_and_what_is_too_much_is_refused),
    };
    if (argc > 1 && strcmp(argv[1], "--no-font") == 0) return without_font();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
