/* The custody trail of what is exported, for people and their tools: as a table and as JSON. No verdict depends on it; what it says can be
 * proven entry by entry from the ledger.
 */
#include "court/export.h"

#include "custody/json.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

#define WORDS_BYTES ((size_t)1 << 30)

/* ---- the steps ---- */
struct stepping {
    struct cu_export *x;
    cu_export_step *step;
    void *arg;
};

static cu_status take_row(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct stepping *s = arg;
    CU_BUF exhibit = cu_buf_heap(4096);

    TRY(cu_exhibit_of(s->x->p, row, &exhibit, err));
    return s->step(s->arg, row, (const char *)exhibit.p, err);
}

static int by_hash(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }

static void free_any(void *p) { free(*(void **)p); }

cu_status cu_export_each_step(struct cu_export *x, cu_export_step *step, void *arg, struct cu_err *err)
{
    CU_CLEANUP(free_any) cu_hash *ids = calloc(x->n, sizeof *ids);
    CU_CLEANUP(free_any) cu_seq *seqs = calloc(x->n, sizeof *seqs);
    CU_CLEANUP(free_any) cu_case_id *cases = calloc(x->cases_n, sizeof *cases);

    ENSURE(ids && seqs && cases, err, CU_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < x->n; i++) ids[i] = x->exhibit[i].id, seqs[i] = x->exhibit[i].seq;
    for (size_t i = 0; i < x->cases_n; i++) cases[i] = x->cases[i].id;
    qsort(ids, x->n, sizeof *ids, by_hash);
    const struct cu_trail of = { x->n, seqs, ids, x->cases_n, cases };
    struct stepping s = { x, step, arg };
    return cu_trail_each(x->p, &of, (cu_seq){ 0 }, take_row, &s, err);
}

/* ---- the table ---- */
struct table {
    struct cu_export *x;
    struct cu_buf csv, json;
    struct cu_json j;
};

/* RFC 4180; and no cell that a spreadsheet would take for a formula. */
static void put_cell(struct cu_buf *out, struct cu_span text, bool last)
{
    cu_buf_add_byte(out, '"');
    if (text.n && strchr("=+-@\t\r", text.p[0])) cu_buf_add_byte(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"') cu_buf_add_byte(out, '"');
        cu_buf_add_byte(out, text.p[i]);
    }
    cu_buf_add_str(out, last ? "\"\r\n" : "\",");
}

static void put_printable_cell(struct cu_buf *out, struct cu_span text, bool last)
{
    CU_BUF shown = cu_buf_heap(65536);

    cu_text_printable(&shown, text);
    out->no_memory |= shown.no_memory;
    put_cell(out, cu_buf_span(&shown), last);
}

static cu_status put_row(void *arg, const struct cu_index_row *row, const char *exhibit, struct cu_err *err)
{
    struct table *t = arg;
    struct cu_buf *csv = &t->csv;
    const struct cu_span by = cu_key_holder(t->x->p, &row->kid);
    char time[32], hex[65];

    cu_time_text(row->recorded, time);
    cu_hash_hex(&row->id, hex);
    put_cell(csv, cu_span_str(time), false);
    cu_buf_addf(csv, "%llu,", LLU(row->seq.v));
    put_cell(csv, cu_span_str(cu_kind_row(row->kind)->name), false);
    put_printable_cell(csv, cu_span_str(exhibit), false);
    put_printable_cell(csv, by, false);
    put_printable_cell(csv, row->name, false);
    put_printable_cell(csv, row->note, false);
    put_cell(csv, cu_span_str(hex), true);
    cu_trail_json(t->x->p, row, exhibit, &t->j);
    TRY(cu_buf_ok(&t->json, err));
    return cu_buf_ok(csv, err);
}

cu_status cu_export_trail(struct cu_export *x, struct cu_err *err)
{
    struct table t = { .x = x, .csv = cu_buf_heap(WORDS_BYTES), .json = cu_buf_heap(WORDS_BYTES) };
    cu_status put;

    t.j = cu_json_on(&t.json);
    cu_buf_add_str(
        &t.csv,
        "\xEF\xBB\xBFrecorded (UTC),entry,kind,exhibit,signed by,name,note,id\r\n"); /* the mark: spreadsheets ask for it */
    cu_json_open(&t.j, NULL, '[');
    put = cu_export_each_step(x, put_row, &t, err);
    cu_json_close(&t.j, ']');
    cu_buf_add_byte(&t.json, '\n');
    if (put == CU_OK) put = cu_buf_ok(&t.csv, err);
    if (put == CU_OK) put = cu_buf_ok(&t.json, err);
    if (put == CU_OK) put = cu_export_put(x, "trail.csv", cu_buf_span(&t.csv), err);
    if (put == CU_OK) put = cu_export_put(x, "trail.json", cu_buf_span(&t.json), err);
    cu_buf_free(&t.csv);
    cu_buf_free(&t.json);
    return put;
}
