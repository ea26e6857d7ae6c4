/* custody certificate: what a court asks of electronic evidence, on paper */
#include "apps/custody/app.h"
#include "court/certificate.h"

struct chosen {
    struct session *s;
    struct cu_certificate_exhibit *at;
    size_t n, room;
};

static void chosen_free(struct chosen *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free((void *)(uintptr_t)c->at[i].name);    // NOLINT(performance-no-int-to-ptr): what choose copied
        free((void *)(uintptr_t)c->at[i].receipt); // NOLINT(performance-no-int-to-ptr): the same
    }
    free(c->at);
}

static cu_status choose(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct chosen *c = arg;
    CU_BUF exhibit = cu_buf_heap(4096);
    char receipt[300];

    ENSURE(row->kind == CU_KIND_DEPOSIT, err, CU_USAGE, "a certificate is about cases and exhibits; this is a %s",
           cu_kind_row(row->kind)->name);
    TRY(cu_exhibit_name(&c->s->place, row, &exhibit, err));
    cu_receipt_name((const char *)exhibit.p, &row->id, receipt);
    if (c->n == c->room) {
        const size_t room = c->room ? 2 * c->room : 16;
        struct cu_certificate_exhibit *more = realloc(c->at, room * sizeof *more);
        ENSURE(more, err, CU_NO_MEMORY, "out of memory");
        c->at = more;
        c->room = room;
    }
    c->at[c->n++] = (struct cu_certificate_exhibit){ row->seq, strdup((const char *)exhibit.p), strdup(receipt), NULL,
                                                     CU_SPAN_EMPTY };
    ENSURE(c->at[c->n - 1].name && c->at[c->n - 1].receipt, err, CU_NO_MEMORY, "out of memory");
    return CU_OK;
}

static cu_status choose_named(struct chosen *c, struct cu_span name, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 }, one = { 0 };
    struct cu_place *p = &c->s->place;
    const size_t before = c->n;

    if (cu_lookup_case(p, name, &found, NULL) == CU_OK) {
        const struct cu_index_query q = { .by = CU_FIND_CASE, .case_id = found.row.case_id, .kind = CU_KIND_DEPOSIT };
        TRY(p->index.find(p->index.self, &q, choose, c, err));
        ENSURE(c->n > before, err, CU_NOT_FOUND, "the case \"%.*s\" has no exhibits: there is nothing to certify", (int)name.n,
               (const char *)name.p);
        return CU_OK;
    }
    TRY(cu_lookup(p, name, &one, err));
    return choose(c, &one.row, err);
}

static int by_position(const void *a, const void *b)
{
    const uint64_t x = ((const struct cu_certificate_exhibit *)a)->seq.v, y = ((const struct cu_certificate_exhibit *)b)->seq.v;

    return (x > y) - (x < y);
}

static cu_status certify(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(chosen_free) struct chosen c = { .s = s };
    CU_CLEANUP(cu_draft_free) struct cu_draft draft = { .chunks = NULL };
    CU_BUF out = cu_buf_heap((size_t)1 << 30);
    const struct cu_press *press;
    const char *output = opt(s->run, "output"), *dot = output ? strrchr(output, '.') : NULL;
    const bool pdf = dot && strcmp(dot, ".pdf") == 0, html = dot && strcmp(dot, ".html") == 0;

    (void)arg;
    ENSURE(pdf || html, err, CU_USAGE, "--output FILE: a certificate is a .pdf or an .html, and the file's name says which");
    TRY(paper_load(&press, err));
    for (int i = 0; i < s->run->args_n; i++) TRY(choose_named(&c, cu_span_str(s->run->args[i]), err));
    if (c.n > 0) qsort(c.at, c.n, sizeof *c.at, by_position);
    for (size_t i = 1; i < c.n; i++)
        ENSURE(c.at[i].seq.v != c.at[i - 1].seq.v, err, CU_USAGE, "%s was named twice", c.at[i].name);
    TRY(cu_certificate(&s->place, c.at, c.n, &draft, err));
    TRY((pdf ? press->pdf : press->html)(&draft.paper, &out, err));
    TRY(write_output_file(output, cu_buf_span(&out), err));
    if (s->run->json) {
        struct cu_json j = cu_json_on(&s->run->out);
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "certificate", output);
        cu_json_uint(&j, "exhibits", c.n);
        cu_json_close(&j, '}');
        cu_buf_add_str(&s->run->out, "\n");
    } else cu_buf_addf(&s->run->out, "certificate  %s, of %zu exhibit%s\n", output, c.n, c.n == 1 ? "" : "s");
    return CU_OK;
}

static cu_status go(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, certify, NULL, err); }

const struct command command_certificate = {
    .name = "certificate",
    .args = "CASE|ID… -o FILE.pdf|.html",
    .line = "a certificate for court, in English and Chinese",
    .help = "Writes what a court asks of electronic evidence: of a whole case, or of some exhibits, by whom, when, with which "
            "digests, where the copies are, what "
            "happened since, how the system works, each statement beside where it is proven; and the forms of FRE 902(13)/(14), "
            "of the Chinese rules on electronic "
            "data and of BSA 63(4), with what the record proves filled in and places to sign. It reads the records alone: the "
            "evidence is compared by `export` and `verify`.",
    .args_min = 1,
    .args_max = -1,
    .go = go,
    .options = { { "output", "FILE", "where to write it: FILE.pdf or FILE.html" } },
};
