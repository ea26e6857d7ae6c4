/* A document as PDF, on A4, by pango and cairo. It is set twice: the first time nobody keeps the pages, they are counted.
 *
 * One font family for both languages, so that no machine's own choice decides what a court sees; what it lacks (other scripts in a
 * file's name) comes from whatever fonts there are. GLib ends the process when memory is out; cairo says so, and so do we.
 */
#include "adapters/paper/inside.h"

#include "custody/text.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <stdio.h>

#define FAMILY "Noto Sans CJK SC"
#define FAMILY_CODE "Noto Sans Mono CJK SC"
#define FONT_PACKAGE "fonts-noto-cjk"

/* Points. */
#define WIDTH 595.28
#define HEIGHT 841.89
#define MARGIN 48.0
#define BOTTOM (HEIGHT - 56.0)
#define INNER (WIDTH - 2 * MARGIN)
#define PAD 3.0
#define QR_SIDE 125.0
#define BLANK 26.0 /* a cell to write in */

enum style { TITLE, HEADING, SUBHEADING, BODY, CELL, CODE, SMALL, STYLES };
static const struct {
    const char *family;
    double size;
    bool bold;
    double before, after;
    const char *tag;
} styles[STYLES] = {
    [TITLE] = { FAMILY, 16, true, 0, 8, "H1" },      [HEADING] = { FAMILY, 12, true, 14, 4, "H2" },
    [SUBHEADING] = { FAMILY, 10, true, 9, 3, "H3" }, [BODY] = { FAMILY, 9, false, 0, 5, "P" },
    [CELL] = { FAMILY, 8, false, 0, 0, "P" },        [CODE] = { FAMILY_CODE, 7.5, false, 0, 0, "P" },
    [SMALL] = { FAMILY, 7, false, 0, 0, "P" },
};

struct setting {
    const struct cu_paper *paper;
    cairo_surface_t *surface;
    cairo_t *cr;
    PangoContext *pango;
    double y;
    unsigned page, pages;
    const struct cu_paper_table *table; /* being set: its head is repeated on each page */
};

/* ---- text ---- */

/* A column of text on its way to the pages, a line at a time. */
struct column {
    PangoLayout *layout;
    PangoLayoutIter *next;
    bool done;
};

static void column_free(struct column *c)
{
    if (c->next) pango_layout_iter_free(c->next);
    if (c->layout) g_object_unref(c->layout);
    *c = (struct column){ 0 };
}

static PangoFontDescription *font(enum style style, bool bold)
{
    PangoFontDescription *font = pango_font_description_new();

    pango_font_description_set_family_static(font, styles[style].family);
    pango_font_description_set_absolute_size(font, styles[style].size * PANGO_SCALE);
    pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    return font;
}

/* `between` stands between the two languages. */
static cu_status column_set(struct setting *s, const struct cu_paper_text *text, const char *between, enum style style, bool bold,
                            double width, struct column *ret, struct cu_err *err)
{
    CU_BUF both = cu_buf_heap((size_t)1 << 20);
    PangoFontDescription *description;
    PangoAttrList *plain;

    cu_buf_add(&both, text->en);
    if (text->zh.n) cu_buf_add_str(&both, between), cu_buf_add(&both, text->zh);
    TRY(cu_buf_ok(&both, err));
    description = font(style, bold || styles[style].bold);
    plain = pango_attr_list_new();
    ret->layout = pango_layout_new(s->pango);
    pango_layout_set_font_description(ret->layout, description);
    pango_font_description_free(description);
    pango_attr_list_insert(plain, pango_attr_font_features_new("liga=0, clig=0")); /* who searches for "file" finds it */
    pango_attr_list_insert(plain, pango_attr_insert_hyphens_new(FALSE));           /* a digest has none */
    pango_layout_set_attributes(ret->layout, plain);
    pango_attr_list_unref(plain);
    pango_layout_set_width(ret->layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(ret->layout, style == CODE ? PANGO_WRAP_CHAR : PANGO_WRAP_WORD_CHAR);
    pango_layout_set_text(ret->layout, both.n ? (const char *)both.p : "", (int)both.n);
    ret->next = pango_layout_get_iter(ret->layout);
    ret->done = false;
    return CU_OK;
}

static double column_height(const struct column *c)
{
    int height;

    pango_layout_get_size(c->layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

/* Lines from (x, y) down while they end above `bottom`: drawn by `cr`, or only measured (NULL). Gives the height they take. */
static double lines(cairo_t *cr, PangoLayoutIter *next, bool *done, double x, double y, double bottom)
{
    int top, end, first = 0;
    double used = 0;

    for (bool begun = false; !*done; begun = true) {
        pango_layout_iter_get_line_yrange(next, &top, &end);
        if (!begun) first = top;
        const double down = (double)(end - first) / PANGO_SCALE;
        if (y + down > bottom) break;
        if (cr) {
            cairo_move_to(cr, x, y + (double)(pango_layout_iter_get_baseline(next) - first) / PANGO_SCALE);
            pango_cairo_show_layout_line(cr, pango_layout_iter_get_line_readonly(next));
        }
        used = down;
        *done = !pango_layout_iter_next_line(next);
    }
    return used;
}

static double column_draw(struct setting *s, struct column *c, double x, double y, double bottom)
{
    return lines(s->cr, c->next, &c->done, x, y, bottom);
}

static double column_fits(const struct column *c, double y, double bottom)
{
    PangoLayoutIter *next = pango_layout_iter_copy(c->next);
    bool done = c->done;
    const double used = lines(NULL, next, &done, 0, y, bottom);

    pango_layout_iter_free(next);
    return used;
}

/* ---- pages ---- */
static cu_status draw_running(struct setting *s, struct cu_err *err)
{
    char number[64];
    CU_CLEANUP(column_free) struct column running = { 0 }, count = { 0 };

    (void)snprintf(number, sizeof number, "%u / %u", s->page, s->pages);
    const struct cu_paper_text pages = { cu_span_str(number), CU_SPAN_EMPTY };
    TRY(column_set(s, &s->paper->running, "  ", SMALL, false, INNER - 60, &running, err));
    TRY(column_set(s, &pages, "", SMALL, false, 60, &count, err));
    cairo_tag_begin(s->cr, "P", NULL);
    column_draw(s, &running, MARGIN, BOTTOM + 14, HEIGHT);
    column_draw(s, &count, WIDTH - MARGIN - 40, BOTTOM + 14, HEIGHT);
    cairo_tag_end(s->cr, "P");
    return CU_OK;
}

static cu_status set_row(struct setting *s, size_t first, struct cu_err *err);

static cu_status turn_page(struct setting *s, struct cu_err *err)
{
    if (s->page) cairo_show_page(s->cr);
    s->page++;
    s->y = MARGIN;
    TRY(draw_running(s, err));
    return s->table ? set_row(s, 0, err) : CU_OK;
}

static cu_status need(struct setting *s, double room, struct cu_err *err)
{
    return s->y + room > BOTTOM && s->y > MARGIN ? turn_page(s, err) : CU_OK;
}

/* ---- blocks ---- */
static cu_status set_text(struct setting *s, const struct cu_paper_text *text, enum style style, double keep, struct cu_err *err)
{
    CU_CLEANUP(column_free) struct column c = { 0 };

    TRY(column_set(s, text, style == BODY ? "\n" : "  ", style, false, INNER, &c, err));
    if (style <= SUBHEADING && pango_layout_get_line_count(c.layout) > 1) { /* each language has its line */
        column_free(&c);
        TRY(column_set(s, text, "\n", style, false, INNER, &c, err));
    }
    if (s->y > MARGIN) s->y += styles[style].before;
    TRY(need(s, keep, err));
    if (style <= SUBHEADING && s->pages) {
        char link[64];
        CU_BUF label = cu_buf_heap(4096);
        (void)snprintf(link, sizeof link, "page=%u pos=[%d %d]", s->page, (int)MARGIN, (int)s->y);
        cu_buf_add(&label, text->en);
        if (text->zh.n) cu_buf_add_byte(&label, ' '), cu_buf_add(&label, text->zh);
        cu_buf_add_byte(&label, 0);
        TRY(cu_buf_ok(&label, err));
        cairo_pdf_surface_add_outline(s->surface, CAIRO_PDF_OUTLINE_ROOT, (const char *)label.p, link, 0);
    }
    while (!c.done) {
        cairo_tag_begin(s->cr, styles[style].tag, NULL);
        s->y += column_draw(s, &c, MARGIN, s->y, BOTTOM);
        cairo_tag_end(s->cr, styles[style].tag);
        if (!c.done) TRY(turn_page(s, err));
    }
    s->y += styles[style].after;
    return CU_OK;
}

/* The cells of one row, set side by side; a row that is longer than a page goes on over the next. */
struct row {
    unsigned n;
    struct column cell[CU_PAPER_COLUMNS];
    double x[CU_PAPER_COLUMNS + 1], height;
    bool blank[CU_PAPER_COLUMNS], head, form;
};

static void row_free(struct row *r)
{
    for (unsigned i = 0; i < r->n; i++) column_free(&r->cell[i]);
}

static cu_status row_make(struct setting *s, const struct cu_paper_table *t, size_t first, struct row *r, struct cu_err *err)
{
    double x = MARGIN;

    r->head = first == 0;
    r->form = t->form;
    r->height = 0;
    for (unsigned i = 0; i < t->columns; i++) {
        const struct cu_paper_cell *cell = &t->cell[first + i];
        const bool label = r->head || (t->form && i == 0);
        const double width = INNER * t->width[i] / 100;
        r->x[i] = x;
        r->n = i + 1;
        TRY(column_set(s, &cell->text, label ? " " : "\n", cell->code ? CODE : CELL, label, width - 2 * PAD, &r->cell[i], err));
        r->blank[i] = cell->text.en.n == 0 && t->form && !r->head;
        const double height = r->blank[i] ? BLANK : column_height(&r->cell[i]);
        if (height > r->height) r->height = height;
        x += width;
    }
    r->x[t->columns] = x;
    return CU_OK;
}

static void draw_box(struct setting *s, const struct row *r, double height)
{
    cairo_set_line_width(s->cr, 0.4);
    for (unsigned i = 0; i < r->n; i++) {
        cairo_rectangle(s->cr, r->x[i], s->y, r->x[i + 1] - r->x[i], height);
        if (r->head || (r->form && i == 0)) {
            cairo_set_source_rgb(s->cr, 0.94, 0.94, 0.94);
            cairo_fill_preserve(s->cr);
        }
        cairo_set_source_rgb(s->cr, 0.45, 0.45, 0.45);
        cairo_stroke(s->cr);
    }
    cairo_set_source_rgb(s->cr, 0, 0, 0);
}

/* What of the row fits on this page. True: all of it. */
static bool draw_part(struct setting *s, struct row *r)
{
    double used = 0;
    bool done = true;

    for (unsigned i = 0; i < r->n; i++) {
        const double height = r->blank[i] ? BLANK : column_fits(&r->cell[i], s->y + PAD, BOTTOM - PAD);
        if (height > used) used = height;
    }
    draw_box(s, r, used + 2 * PAD);
    cairo_tag_begin(s->cr, "TR", NULL);
    for (unsigned i = 0; i < r->n; i++) {
        const char *tag = r->head || (r->form && i == 0) ? "TH" : "TD";
        cairo_tag_begin(s->cr, tag, NULL);
        column_draw(s, &r->cell[i], r->x[i] + PAD, s->y + PAD, BOTTOM - PAD);
        cairo_tag_end(s->cr, tag);
        done = done && r->cell[i].done;
    }
    cairo_tag_end(s->cr, "TR");
    s->y += used + 2 * PAD;
    return done;
}

static cu_status set_row(struct setting *s, size_t first, struct cu_err *err)
{
    CU_CLEANUP(row_free) struct row r = { 0 };
    const double whole = BOTTOM - MARGIN - 40; /* below a repeated head */

    TRY(row_make(s, s->table, first, &r, err));
    if (!r.head) TRY(need(s, r.height > whole ? 40 : r.height + 2 * PAD, err));
    while (!draw_part(s, &r) && !r.head) TRY(turn_page(s, err));
    return CU_OK;
}

static cu_status set_rows(struct setting *s, const struct cu_paper_table *t, struct cu_err *err)
{
    for (size_t i = 0; i < t->n; i += t->columns) TRY(set_row(s, i, err));
    return CU_OK;
}

static cu_status set_table(struct setting *s, const struct cu_paper_block *b, struct cu_err *err)
{
    if (b->text.en.n) TRY(set_text(s, &b->text, SUBHEADING, 60, err));
    TRY(need(s, 50, err));
    s->table = &b->table;
    cairo_tag_begin(s->cr, "Table", NULL);
    const cu_status set = set_rows(s, &b->table, err);
    cairo_tag_end(s->cr, "Table");
    s->table = NULL;
    s->y += 6;
    return set;
}

static cu_status set_qr(struct setting *s, const struct cu_paper_block *b, struct cu_err *err)
{
    CU_CLEANUP(column_free) struct column beside = { 0 };
    struct cu_qr qr = { 0 };

    TRY(cu_qr_make(b->code, &qr, err));
    TRY(column_set(s, &b->text, "\n\n", CELL, false, INNER - QR_SIDE - 10, &beside, err));
    TRY(need(s, QR_SIDE, err));
    cairo_tag_begin(s->cr, "Figure", NULL);
    cu_qr_draw(&qr, s->cr, MARGIN, s->y, QR_SIDE);
    cairo_tag_end(s->cr, "Figure");
    cairo_tag_begin(s->cr, "P", NULL);
    column_draw(s, &beside, MARGIN + QR_SIDE + 10, s->y + 14, s->y + QR_SIDE);
    cairo_tag_end(s->cr, "P");
    s->y += QR_SIDE + 4;
    return CU_OK;
}

static cu_status set_block(struct setting *s, const struct cu_paper_block *b, struct cu_err *err)
{
    static const enum style headings[] = { TITLE, TITLE, HEADING, SUBHEADING };

    switch (b->kind) {
    case CU_PAPER_HEADING: return set_text(s, &b->text, headings[b->level], 90, err);
    case CU_PAPER_PARAGRAPH: return set_text(s, &b->text, BODY, 24, err);
    case CU_PAPER_TABLE: return set_table(s, b, err);
    case CU_PAPER_QR: return set_qr(s, b, err);
    case CU_PAPER_PAGE: return s->y > MARGIN ? turn_page(s, err) : CU_OK;
    }
    return CU_OK;
}

/* ---- the whole ---- */
static cairo_status_t add(void *out, const unsigned char *bytes, unsigned n)
{
    if (!out) return CAIRO_STATUS_SUCCESS; /* counting */
    cu_buf_add(out, cu_span(bytes, n));
    return cu_buf_ok(out, NULL) == CU_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* A machine without the font would set Chinese in boxes, or in whatever it has: refused. */
static cu_status need_font(PangoContext *pango, enum style style, struct cu_err *err)
{
    PangoFontDescription *wanted = font(style, false), *got = NULL;
    PangoFont *loaded = pango_font_map_load_font(pango_context_get_font_map(pango), pango, wanted);
    bool there = false;

    if (loaded) got = pango_font_describe(loaded);
    if (got) there = strcmp(pango_font_description_get_family(got), styles[style].family) == 0;
    pango_font_description_free(wanted);
    if (got) pango_font_description_free(got);
    if (loaded) g_object_unref(loaded);
    ENSURE(there, err, CU_NOT_FOUND,
           "the font \"%s\" is not installed, and a PDF without it could not be read: install the package " FONT_PACKAGE
           ", or make the HTML alone, which needs none",
           styles[style].family);
    return CU_OK;
}

static cu_status put_metadata(cairo_surface_t *surface, const struct cu_paper *paper, struct cu_buf *text, struct cu_err *err)
{
    char time[32];

    cu_time_text(paper->made, time);
    memcpy(time + 19, "Z", 2);
    cu_buf_add(text, paper->title.en);
    if (paper->title.zh.n) cu_buf_add_byte(text, ' '), cu_buf_add(text, paper->title.zh);
    cu_buf_add_byte(text, 0);
    const size_t subject = text->n;
    cu_buf_add(text, paper->running.en);
    cu_buf_add_byte(text, 0);
    TRY(cu_buf_ok(text, err));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, (const char *)text->p);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, (const char *)text->p + subject);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "custody");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, time);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, time);
    return CU_OK;
}

static cu_status set_pages(struct setting *s, struct cu_err *err)
{
    TRY(need_font(s->pango, BODY, err));
    TRY(need_font(s->pango, CODE, err));
    cairo_tag_begin(s->cr, "Document", NULL);
    TRY(turn_page(s, err));
    for (size_t i = 0; i < s->paper->n; i++) TRY(set_block(s, &s->paper->block[i], err));
    cairo_tag_end(s->cr, "Document");
    return CU_OK;
}

/* The whole document into `out`, or (NULL) only its pages counted. */
static cu_status set(struct setting *s, struct cu_buf *out, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(1 << 16);
    cairo_font_options_t *options = cairo_font_options_create();
    PangoFontMap *fonts;

    s->surface = cairo_pdf_surface_create_for_stream(add, out, WIDTH, HEIGHT);
    cu_status made = put_metadata(s->surface, s->paper, &text, err);
    s->cr = cairo_create(s->surface);
    fonts = pango_cairo_font_map_new();
    s->pango = pango_font_map_create_context(fonts);
    pango_cairo_context_set_resolution(s->pango, 72);
    pango_context_set_round_glyph_positions(s->pango, FALSE); /* paper has no pixels */
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    pango_cairo_context_set_font_options(s->pango, options);
    cairo_font_options_destroy(options);
    pango_cairo_update_context(s->cr, s->pango);
    s->page = 0;
    if (made == CU_OK) made = set_pages(s, err);
    if (made == CU_OK && out) made = cu_buf_ok(out, err);
    if (made == CU_OK) made = cu_cairo_ok((int)cairo_status(s->cr), err);
    g_object_unref(s->pango);
    g_object_unref(fonts);
    cairo_destroy(s->cr);
    cairo_surface_finish(s->surface);
    if (made == CU_OK && out) made = cu_buf_ok(out, err);
    if (made == CU_OK) made = cu_cairo_ok((int)cairo_surface_status(s->surface), err);
    cairo_surface_destroy(s->surface);
    return made;
}

cu_status cu_paper_pdf(const struct cu_paper *paper, struct cu_buf *out, struct cu_err *err)
{
    struct setting s = { .paper = paper };
    const size_t before = out->n;

    TRY(cu_paper_check(paper, err));
    TRY(set(&s, NULL, err));
    s.pages = s.page;
    const cu_status made = set(&s, out, err);
    if (made != CU_OK && !out->full && !out->no_memory) out->n = before;
    return made;
}

const struct cu_press cu_paper_press = { cu_paper_html, cu_paper_pdf, cu_qr_put };
