#include "court/draft.h"

#include "custody/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct draft_chunk {
    struct draft_chunk *next;
    size_t n, room;
    uint8_t bytes[];
};
#define CHUNK 65536

/* NULL: no memory, and that is remembered. */
static uint8_t *take(struct cu_draft *d, size_t n)
{
    struct draft_chunk *c = d->chunks;

    if (!c || c->room - c->n < n) {
        const size_t room = n > CHUNK ? n : CHUNK;
        c = malloc(sizeof *c + room);
        if (!c) return d->no_memory = true, NULL;
        *c = (struct draft_chunk){ d->chunks, 0, room };
        d->chunks = c;
    }
    c->n += n;
    return c->bytes + c->n - n;
}

static struct cu_span keep(struct cu_draft *d, struct cu_span bytes)
{
    uint8_t *p = take(d, bytes.n);

    if (!p) return CU_SPAN_EMPTY;
    memcpy(p, bytes.p ? bytes.p : (const uint8_t *)"", bytes.n);
    return cu_span(p, bytes.n);
}

void cu_draft_free(struct cu_draft *d)
{
    for (struct draft_chunk *c = d->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    for (size_t i = 0; i < d->paper.n; i++) free(d->paper.block[i].table.cell);
    free(d->paper.block);
    *d = (struct cu_draft){ .chunks = NULL };
}

cu_status cu_draft_ok(const struct cu_draft *d, struct cu_err *err)
{
    ENSURE(!d->no_memory, err, CU_NO_MEMORY, "out of memory for the document");
    return CU_OK;
}

struct cu_span cu_draft_f(struct cu_draft *d, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, fmt);
    const int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0) return d->no_memory = true, CU_SPAN_EMPTY;
    const struct cu_span kept = keep(d, cu_span(text, (size_t)n));
    free(text);
    return kept;
}

struct cu_span cu_draft_shown(struct cu_draft *d, struct cu_span bytes)
{
    CU_BUF shown = cu_buf_heap(bytes.n * 8 + 16);

    cu_text_printable(&shown, bytes);
    if (cu_buf_ok(&shown, NULL) != CU_OK) return d->no_memory = true, CU_SPAN_EMPTY;
    return keep(d, cu_buf_span(&shown));
}

struct cu_span cu_draft_hex(struct cu_draft *d, struct cu_span bytes)
{
    uint8_t *p = take(d, 2 * bytes.n);
    struct cu_buf out = cu_buf_over(p, p ? 2 * bytes.n : 0);

    cu_hex_put(&out, bytes);
    return cu_buf_span(&out);
}

struct cu_span cu_draft_time(struct cu_draft *d, cu_unix_ms time)
{
    char text[32];

    cu_time_text(time, text);
    return keep(d, cu_span_str(text));
}

/* ---- blocks ---- */
static struct cu_paper_block *add(struct cu_draft *d, enum cu_paper_kind kind, struct cu_paper_text text)
{
    if (d->paper.n == d->room) {
        const size_t room = d->room ? 2 * d->room : 64;
        struct cu_paper_block *more = realloc(d->paper.block, room * sizeof *more);
        if (!more) return d->no_memory = true, NULL;
        d->paper.block = more;
        d->room = room;
    }
    struct cu_paper_block *b = &d->paper.block[d->paper.n++];
    *b = (struct cu_paper_block){ .kind = kind, .text = text };
    return b;
}

void cu_draft_heading(struct cu_draft *d, unsigned level, struct cu_paper_text text)
{
    struct cu_paper_block *b = add(d, CU_PAPER_HEADING, text);

    if (b) b->level = level;
}

void cu_draft_paragraph(struct cu_draft *d, struct cu_paper_text text) { (void)add(d, CU_PAPER_PARAGRAPH, text); }
void cu_draft_page(struct cu_draft *d) { (void)add(d, CU_PAPER_PAGE, cu_one(CU_SPAN_EMPTY)); }

void cu_draft_qr(struct cu_draft *d, struct cu_span code, struct cu_paper_text beside)
{
    struct cu_paper_block *b = add(d, CU_PAPER_QR, beside);

    if (b) b->code = code;
}

void cu_draft_table(struct cu_draft *d, bool form, struct cu_paper_text caption, const struct cu_draft_column *column,
                    unsigned columns)
{
    struct cu_paper_block *b = add(d, CU_PAPER_TABLE, caption);

    if (!b) return;
    CU_ASSERT(columns <= CU_PAPER_COLUMNS);
    b->table.form = form;
    b->table.columns = columns;
    unsigned hundred = 0;
    for (unsigned i = 0; i < columns; i++) hundred += b->table.width[i] = column[i].width;
    CU_ASSERT(hundred == 100); /* a wider one runs off the paper */
    for (unsigned i = 0; i < columns; i++) cu_draft_cell(d, cu_two(column[i].en, column[i].zh));
}

static void add_cell(struct cu_draft *d, struct cu_paper_cell cell)
{
    if (d->no_memory) return;
    struct cu_paper_table *t = &d->paper.block[d->paper.n - 1].table;
    if ((t->n & (t->n - 1)) == 0) { /* room is the next power of two */
        struct cu_paper_cell *more = realloc(t->cell, (t->n ? 2 * t->n : 1) * sizeof *more);
        if (!more) {
            d->no_memory = true;
            return;
        }
        t->cell = more;
    }
    t->cell[t->n++] = cell;
}

void cu_draft_cell(struct cu_draft *d, struct cu_paper_text text) { add_cell(d, (struct cu_paper_cell){ text, false }); }
void cu_draft_code(struct cu_draft *d, struct cu_span text) { add_cell(d, (struct cu_paper_cell){ cu_one(text), true }); }
