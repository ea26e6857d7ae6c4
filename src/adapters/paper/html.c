/* A document as one HTML file: to be read on any screen, by a screen reader, and to be printed. */
#include "adapters/paper/inside.h"

#include "custody/text.h"

static const char style[] =
    "@page{size:A4;margin:18mm 16mm;@bottom-right{content:counter(page) \" / \" counter(pages);font-size:8pt}}\n"
    ":root{color-scheme:light}\n"
    "body{font:1rem/1.45 \"Noto Sans\",\"Noto Sans CJK SC\",\"Microsoft YaHei\",\"PingFang "
    "SC\",Arial,sans-serif;color:#111;background:#fff;"
    "max-width:60rem;margin:1.5rem auto;padding:0 1rem}\n"
    "h1{font-size:1.6rem;margin:0 0 1rem}h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:2px solid "
    "#111}h3{font-size:1.05rem;margin:1.2rem 0 .4rem}\n"
    "h1 [lang=zh],h2 [lang=zh],h3 [lang=zh],th [lang=zh]{font-weight:normal}p{margin:.5rem 0}\n"
    ".two>[lang=en]{display:block}.two>[lang=zh]{display:block}\n"
    "table{border-collapse:collapse;width:100%;table-layout:fixed;margin:.5rem 0;font-size:.9rem}\n"
    "caption{text-align:left;font-weight:bold;padding:.2rem 0}\n"
    "th,td{border:1px solid #767676;padding:.25rem .4rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}\n"
    "th{background:#f0f0f0}td:empty{height:2.2rem}code{font-family:\"Noto Sans Mono\",\"DejaVu Sans "
    "Mono\",Consolas,monospace;font-size:.85em}\n"
    ".qr{display:flex;gap:1rem;align-items:center;margin:.5rem 0;break-inside:avoid}.qr svg{width:42mm;height:42mm;flex:none}\n"
    "@media "
    "(max-width:40rem){table,tbody,tr,th,td{display:block;width:auto!important}thead{display:none}tr{margin-bottom:.6rem}.qr{"
    "flex-wrap:wrap}}\n"
    "@media "
    "print{body{margin:0;padding:0;max-width:none;font-size:9.5pt}thead{display:table-header-group}tr,h2,h3{break-inside:avoid}"
    "h2,h3{break-after:avoid}"
    ".page{break-before:page}table{font-size:8.5pt}}\n";

static void put(struct cu_buf *out, struct cu_span text)
{
    for (size_t i = 0; i < text.n; i++) switch (text.p[i]) {
        case '&': cu_buf_add_str(out, "&amp;"); break;
        case '<': cu_buf_add_str(out, "&lt;"); break;
        case '>': cu_buf_add_str(out, "&gt;"); break;
        case '"': cu_buf_add_str(out, "&quot;"); break;
        case '\n': cu_buf_add_str(out, "<br>"); break;
        default: cu_buf_add_byte(out, text.p[i]);
        }
}

static void put_two(struct cu_buf *out, const struct cu_paper_text *text, bool code)
{
    if (code) cu_buf_add_str(out, "<code>");
    if (text->zh.n == 0) put(out, text->en);
    else {
        cu_buf_add_str(out, "<span lang=\"en\">");
        put(out, text->en);
        cu_buf_add_str(out, "</span> <span lang=\"zh\">");
        put(out, text->zh);
        cu_buf_add_str(out, "</span>");
    }
    if (code) cu_buf_add_str(out, "</code>");
}

static void put_cell(struct cu_buf *out, const struct cu_paper_table *t, size_t i)
{
    const struct cu_paper_cell *cell = &t->cell[i];
    const bool heads_column = i < t->columns, heads_row = t->form && i % t->columns == 0;
    const char *element = heads_column || heads_row ? "th" : "td";

    cu_buf_addf(out, "<%s", element);
    if (heads_column) cu_buf_addf(out, " scope=\"col\" style=\"width:%u%%\"", t->width[i]);
    else if (heads_row) cu_buf_add_str(out, " scope=\"row\"");
    else if (cell->text.zh.n) cu_buf_add_str(out, " class=\"two\"");
    cu_buf_add_byte(out, '>');
    if (cell->text.en.n) put_two(out, &cell->text, cell->code);
    cu_buf_addf(out, "</%s>", element);
}

static void put_table(struct cu_buf *out, const struct cu_paper_block *b)
{
    const struct cu_paper_table *t = &b->table;

    CU_ASSERT(t->columns > 0); /* cu_paper_check */
    cu_buf_add_str(out, "<table>");
    if (b->text.en.n) {
        cu_buf_add_str(out, "<caption>");
        put_two(out, &b->text, false);
        cu_buf_add_str(out, "</caption>");
    }
    for (size_t i = 0; i < t->n; i++) {
        if (i == 0) cu_buf_add_str(out, "<thead>\n");
        if (i == t->columns) cu_buf_add_str(out, "</thead><tbody>\n");
        if (i % t->columns == 0) cu_buf_add_str(out, "<tr>");
        put_cell(out, t, i);
        if (i % t->columns == t->columns - 1) cu_buf_add_str(out, "</tr>\n");
    }
    cu_buf_add_str(out, t->n > t->columns ? "</tbody></table>\n" : "</thead></table>\n");
}

static cu_status put_qr(struct cu_buf *out, const struct cu_paper_block *b, struct cu_err *err)
{
    struct cu_qr qr = { 0 };

    TRY(cu_qr_make(b->code, &qr, err));
    cu_buf_add_str(out, "<div class=\"qr\"><div role=\"img\" aria-label=\"QR code: ");
    put(out, b->text.en);
    cu_buf_add_str(out, "\">");
    cu_qr_svg(&qr, out);
    cu_buf_add_str(out, "</div><p class=\"two\">");
    put_two(out, &b->text, false);
    cu_buf_add_str(out, "</p></div>\n");
    return CU_OK;
}

static cu_status put_block(struct cu_buf *out, const struct cu_paper_block *b, struct cu_err *err)
{
    switch (b->kind) {
    case CU_PAPER_HEADING:
        cu_buf_addf(out, "<h%u>", b->level);
        put_two(out, &b->text, false);
        cu_buf_addf(out, "</h%u>\n", b->level);
        return CU_OK;
    case CU_PAPER_PARAGRAPH:
        cu_buf_add_str(out, "<p class=\"two\">");
        put_two(out, &b->text, false);
        cu_buf_add_str(out, "</p>\n");
        return CU_OK;
    case CU_PAPER_TABLE: put_table(out, b); return CU_OK;
    case CU_PAPER_QR: return put_qr(out, b, err);
    case CU_PAPER_PAGE: cu_buf_add_str(out, "<div class=\"page\"></div>\n"); return CU_OK;
    }
    return CU_OK;
}

cu_status cu_paper_html(const struct cu_paper *paper, struct cu_buf *out, struct cu_err *err)
{
    TRY(cu_paper_check(paper, err));
    cu_buf_add_str(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" "
        "content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n<meta "
        "name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\">\n<title>");
    put(out, paper->title.en);
    if (paper->title.zh.n) cu_buf_add_byte(out, ' '), put(out, paper->title.zh);
    cu_buf_add_str(out, "</title>\n<style>\n");
    cu_buf_add_str(out, style);
    cu_buf_add_str(out, "</style>\n</head>\n<body>\n<main>\n");
    for (size_t i = 0; i < paper->n; i++) TRY(put_block(out, &paper->block[i], err));
    cu_buf_add_str(out, "</main>\n</body>\n</html>\n");
    return cu_buf_ok(out, err);
}

/* ---- what both renderers rely on ---- */
static bool well(const struct cu_paper_text *t) { return cu_utf8_ok(t->en) && cu_utf8_ok(t->zh); }

cu_status cu_paper_check(const struct cu_paper *paper, struct cu_err *err)
{
    bool good = well(&paper->title) && well(&paper->running);

    for (size_t i = 0; i < paper->n; i++) {
        const struct cu_paper_table *t = &paper->block[i].table;
        good = good && well(&paper->block[i].text);
        if (paper->block[i].kind != CU_PAPER_TABLE) continue;
        CU_ASSERT(t->columns > 0 && t->columns <= CU_PAPER_COLUMNS && t->n >= t->columns && t->n % t->columns == 0);
        for (size_t k = 0; k < t->n; k++) good = good && well(&t->cell[k].text);
    }
    ENSURE(good, err, CU_MALFORMED, "a text of the document is not UTF-8: nothing was written");
    return CU_OK;
}
