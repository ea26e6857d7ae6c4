/* The n-th call of what paper is made with fails, for every n: an error with a sentence, no crash, no half document.
 *
 * wraps: malloc realloc vasprintf QRcode_encodeData pango_font_map_load_font cairo_create cairo_status cairo_surface_status
 * wraps: cairo_pdf_surface_create_for_stream cairo_surface_write_to_png_stream
 */
#include "adapters/paper/paper.h"
#include "court/draft.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cairo-pdf.h>
#include <cmocka.h>
#include <errno.h>
#include <pango/pango.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    bool counting;
    unsigned n, fails;
} calls;

static bool fails(void) { return calls.counting && ++calls.n == calls.fails; }

/* Each stands in front of the real one. */
#define WRAP(type, name, parameters, arguments, failed) \
    type __real_##name parameters;                      \
    type __wrap_##name parameters;                      \
    type __wrap_##name parameters { return fails() ? (failed) : __real_##name arguments; }

/* clang-format off */
WRAP(void *, malloc, (size_t n), (n), NULL)
WRAP(void *, realloc, (void *p, size_t n), (p, n), NULL)
WRAP(int, vasprintf, (char **ret, const char *fmt, va_list args), (ret, fmt, args), -1)
WRAP(QRcode *, QRcode_encodeData, (int n, const unsigned char *p, int version, QRecLevel level), (n, p, version, level), (errno = ENOMEM, NULL))
WRAP(PangoFont *, pango_font_map_load_font, (PangoFontMap *m, PangoContext *c, const PangoFontDescription *d), (m, c, d), NULL)
WRAP(cairo_t *, cairo_create, (cairo_surface_t *s), (s), __real_cairo_create(NULL))
WRAP(cairo_status_t, cairo_status, (cairo_t *cr), (cr), CAIRO_STATUS_NO_MEMORY)
WRAP(cairo_status_t, cairo_surface_status, (cairo_surface_t *s), (s), CAIRO_STATUS_NO_MEMORY)
WRAP(cairo_surface_t *, cairo_pdf_surface_create_for_stream, (cairo_write_func_t f, void *arg, double w, double h), (f, arg, w, h),
     cairo_image_surface_create((cairo_format_t)-1, 1, 1))
WRAP(cairo_status_t, cairo_surface_write_to_png_stream, (cairo_surface_t *s, cairo_write_func_t f, void *arg), (s, f, arg),
     CAIRO_STATUS_WRITE_ERROR)
/* clang-format on */

static cu_status write_and_set(struct cu_buf *out, struct cu_err *err)
{
    static const struct cu_draft_column columns[] = { { 30, "Field", "项目" }, { 70, "Value", "内容" } };
    CU_CLEANUP(cu_draft_free) struct cu_draft d = { .chunks = NULL };

    d.paper.title = d.paper.running = cu_two("A title", "标题");
    cu_draft_heading(&d, 1, d.paper.title);
    cu_draft_table(&d, true, cu_two("A form", "表格"), columns, 2);
    for (unsigned i = 0; i < 6; i++) cu_draft_cell(&d, cu_one(cu_draft_f(&d, "%u", i)));
    cu_draft_paragraph(&d, cu_one(cu_draft_shown(&d, cu_span_str("a name"))));
    cu_draft_qr(&d, cu_draft_hex(&d, cu_span_str("code")), cu_two("a code", "码"));
    TRY(cu_draft_ok(&d, err));
    TRY(cu_paper_html(&d.paper, out, err));
    cu_buf_clear(out);
    TRY(cu_paper_pdf(&d.paper, out, err));
    cu_buf_clear(out);
    return cu_qr_put(cu_span_str("code"), CU_QR_PNG, out, err);
}

static void every_call_that_fails_is_an_error_with_a_sentence(void **state)
{
    CU_BUF warm = cu_buf_heap(1 << 24);
    struct cu_err err = { 0 };

    (void)state;
    assert_int_equal(write_and_set(&warm, &err), CU_OK);
    for (calls.fails = 1;; calls.fails++) {
        CU_BUF out = cu_buf_heap(1 << 24);
        err = (struct cu_err){ 0 };
        calls.n = 0;
        calls.counting = true;
        const cu_status set = write_and_set(&out, &err);
        calls.counting = false;
        if (calls.n < calls.fails) {
            assert_int_equal(set, CU_OK);
            break;
        }
        if (set == CU_OK || !err.text[0]) fail_msg("call %u failed, and nobody said so", calls.fails);
    }
    assert_true(calls.fails > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_call_that_fails_is_an_error_with_a_sentence) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
