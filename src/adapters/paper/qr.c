/* QR codes: for the terminal, for a page, for paper. */
#include "adapters/paper/inside.h"

#include <errno.h>
#include <qrencode.h>

cu_status cu_qr_make(struct cu_span bytes, struct cu_qr *ret, struct cu_err *err)
{
    QRcode *made = QRcode_encodeData((int)bytes.n, bytes.p, 0, QR_ECLEVEL_M);

    if (!made)
        return errno == ENOMEM ? cu_fail(err, CU_NO_MEMORY, "out of memory for a QR code")
                               : cu_fail(err, CU_TOO_LARGE, "%zu bytes are too many for a QR code", bytes.n);
    ret->width = (unsigned)made->width;
    for (unsigned i = 0; i < ret->width * ret->width; i++) ret->dark[i] = made->data[i] & 1;
    QRcode_free(made);
    return CU_OK;
}

bool cu_qr_dark(const struct cu_qr *qr, int x, int y)
{
    return x >= 0 && y >= 0 && x < (int)qr->width && y < (int)qr->width && qr->dark[(unsigned)y * qr->width + (unsigned)x];
}

/* Two modules a character. */
static void put_blocks(const struct cu_qr *qr, bool colours, struct cu_buf *out)
{
    static const char *const glyph[] = { " ", "▀", "▄", "█" };
    const int end = (int)qr->width + CU_QR_QUIET;

    for (int y = -CU_QR_QUIET; y < end; y += 2) {
        if (colours) cu_buf_add_str(out, "\033[30;107m");
        for (int x = -CU_QR_QUIET; x < end; x++) cu_buf_add_str(out, glyph[cu_qr_dark(qr, x, y) + 2 * cu_qr_dark(qr, x, y + 1)]);
        cu_buf_add_str(out, colours ? "\033[0m\n" : "\n");
    }
}

/* Dark modules of a line that stand together are one rectangle. */
static int run_of(const struct cu_qr *qr, int x, int y)
{
    int n = 0;

    while (cu_qr_dark(qr, x + n, y)) n++;
    return n;
}

void cu_qr_svg(const struct cu_qr *qr, struct cu_buf *out)
{
    const int side = (int)qr->width + 2 * CU_QR_QUIET;

    cu_buf_addf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\"><rect "
                "width=\"%d\" height=\"%d\" "
                "fill=\"#fff\"/><path d=\"",
                side, side, side, side);
    for (int y = 0; y < (int)qr->width; y++)
        for (int x = 0, n; x < (int)qr->width; x += n + 1) {
            n = run_of(qr, x, y);
            if (n) cu_buf_addf(out, "M%d %dh%dv1h-%dz", x + CU_QR_QUIET, y + CU_QR_QUIET, n, n);
        }
    cu_buf_add_str(out, "\"/></svg>");
}

void cu_qr_draw(const struct cu_qr *qr, cairo_t *cr, double x0, double y0, double side)
{
    const double module = side / (qr->width + 2 * CU_QR_QUIET);

    for (int y = 0; y < (int)qr->width; y++)
        for (int x = 0, n; x < (int)qr->width; x += n + 1) {
            n = run_of(qr, x, y);
            if (n) cairo_rectangle(cr, x0 + (x + CU_QR_QUIET) * module, y0 + (y + CU_QR_QUIET) * module, n * module, module);
        }
    cairo_fill(cr);
}

cu_status cu_cairo_ok(int status, struct cu_err *err)
{
    ENSURE(status != CAIRO_STATUS_NO_MEMORY, err, CU_NO_MEMORY, "out of memory while the page was drawn: nothing was written");
    ENSURE(status == CAIRO_STATUS_SUCCESS, err, CU_IO, "the page could not be drawn (%s): nothing was written",
           cairo_status_to_string((cairo_status_t)status));
    return CU_OK;
}

static cairo_status_t add(void *out, const unsigned char *bytes, unsigned n)
{
    cu_buf_add(out, cu_span(bytes, n));
    return cu_buf_ok(out, NULL) == CU_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

#define PIXELS 6 /* a module */
static cu_status put_png(const struct cu_qr *qr, struct cu_buf *out, struct cu_err *err)
{
    const int side = ((int)qr->width + 2 * CU_QR_QUIET) * PIXELS;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, side, side);
    cairo_t *cr = cairo_create(surface);

    cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    cu_qr_draw(qr, cr, 0, 0, side);
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_write_to_png_stream(surface, add, out);
    cairo_surface_destroy(surface);
    TRY(cu_buf_ok(out, err));
    return cu_cairo_ok((int)status, err);
}

cu_status cu_qr_put(struct cu_span bytes, enum cu_qr_form form, struct cu_buf *out, struct cu_err *err)
{
    struct cu_qr qr = { 0 };

    TRY(cu_qr_make(bytes, &qr, err));
    switch (form) {
    case CU_QR_TERMINAL:
    case CU_QR_BLOCKS: put_blocks(&qr, form == CU_QR_TERMINAL, out); break;
    case CU_QR_SVG: cu_qr_svg(&qr, out); break;
    case CU_QR_PNG: return put_png(&qr, out, err);
    }
    return cu_buf_ok(out, err);
}
