/* What happened to the exhibits since: corrections, incidents, who read them, who got them. */
#include "court/certificate.h"

#include "custody/text.h"

#define LLU(x) ((unsigned long long)(x))

struct walk {
    struct cu_certifying *c;
    size_t rows;
};

/* "C1/1, C1/3"; n == 0: none of them. */
static void put_concerned(struct cu_certifying *c, const struct cu_index_row *row, struct cu_buf *out)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct cu_trail of = cu_trail_one(&c->summary[i].row);
        if (!cu_trail_has(c->p, &of, row)) continue;
        if (out->n > 3800) return cu_buf_add_str(out, " …");
        cu_buf_addf(out, "%s%s", out->n ? ", " : "", c->what[i].name);
    }
}

/* What the entry says, and of an incident or an access each row of it. */
static void put_said(struct cu_certifying *c, const struct cu_index_row *row, struct cu_buf *out)
{
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    struct cu_details_rows rows;
    struct cu_finding_row finding;
    struct cu_access_row access;
    size_t at = 0;

    cu_text_printable(out, row->name);
    if (row->name.n && row->note.n) cu_buf_add_str(out, ": ");
    cu_text_printable(out, row->note);
    if ((row->kind != CU_KIND_INCIDENT && row->kind != CU_KIND_ACCESS) || cu_rows_of(c->p, row, &mem, &rows, NULL) != CU_OK)
        return;
    while (row->kind == CU_KIND_INCIDENT && cu_list_next(&rows.rows, &cu_finding_row_schema, &at, &finding)) {
        cu_buf_addf(out, "\n%.*s: ", (int)finding.kind.n, (const char *)finding.kind.p);
        cu_text_printable(out, finding.where);
        cu_buf_add_str(out, finding.repaired ? " (restored 已修复)" : "");
    }
    while (row->kind == CU_KIND_ACCESS && cu_list_next(&rows.rows, &cu_access_row_schema, &at, &access)) {
        cu_buf_add_byte(out, '\n');
        cu_text_printable(out, access.who);
        if (access.reason.n) cu_buf_add_str(out, ": "), cu_text_printable(out, access.reason);
        if (access.authority.n) cu_buf_add_str(out, " ("), cu_text_printable(out, access.authority), cu_buf_add_byte(out, ')');
    }
}

static void begin_table(struct cu_certifying *c)
{
    static const struct cu_draft_column columns[] = { { 11, "Proven by", "证明" }, { 17, "Recorded by", "入账不晚于" },
                                                      { 11, "What", "事项" },      { 13, "Exhibits", "物证" },
                                                      { 18, "By", "何人" },        { 30, "As recorded", "记载内容" } };

    cu_draft_table(c->d, false, cu_one(CU_SPAN_EMPTY), columns, 6);
}

static bool is_event(enum cu_kind kind)
{
    return kind == CU_KIND_CORRECTION || kind == CU_KIND_VOID || kind == CU_KIND_INCIDENT || kind == CU_KIND_ACCESS ||
           kind == CU_KIND_DISCLOSURE || kind == CU_KIND_INVENTORY || kind == CU_KIND_GRANT;
}

static cu_status put_event(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct walk *w = arg;
    struct cu_certifying *c = w->c;
    CU_BUF concerned = cu_buf_heap(4400), said = cu_buf_heap(1 << 18);

    if (!is_event(row->kind)) return CU_OK;
    put_concerned(c, row, &concerned);
    TRY(cu_buf_ok(&concerned, err));
    if (concerned.n == 0) return CU_OK;
    put_said(c, row, &said);
    TRY(cu_buf_ok(&said, err));
    if (w->rows++ == 0) begin_table(c);
    if (row->recorded.v > c->newest.v) c->newest = row->recorded;
    const struct cu_paper_text who = cu_cert_holder(c, &row->kid);
    cu_draft_cell(c->d, cu_cert_proof(c, row->seq, ""));
    cu_draft_cell(c->d, cu_one(cu_draft_time(c->d, row->recorded)));
    cu_draft_cell(c->d, cu_two(cu_kind_row(row->kind)->name, cu_kind_zh(row->kind)));
    cu_draft_cell(c->d, cu_one(cu_draft_f(c->d, "%.*s", (int)concerned.n, (const char *)concerned.p)));
    cu_draft_cell(c->d, who);
    cu_draft_cell(c->d, cu_one(cu_draft_f(c->d, "%.*s", (int)said.n, said.n ? (const char *)said.p : "")));
    return CU_OK;
}

cu_status cu_cert_trail(struct cu_certifying *c, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_ALL };
    struct walk w = { .c = c };

    cu_draft_heading(
        c->d, 2, cu_two("What happened since: corrections, incidents, access, disclosure", "此后的情况：更正、事件、查阅、披露"));
    TRY(c->p->index.find(c->p->index.self, &q, put_event, &w, err));
    if (w.rows == 0) {
        cu_draft_paragraph(
            c->d, (struct cu_paper_text){
                      cu_draft_f(c->d, "The log of %llu entries records none of these about the exhibits above.",
                                 LLU(c->p->log.checkpoint.size.v)),
                      cu_draft_f(c->d, "共%llu条记录的日志中，没有关于上列物证的此类记录。", LLU(c->p->log.checkpoint.size.v)) });
        return CU_OK;
    }
    cu_draft_paragraph(
        c->d, cu_two("An incident is about the stores that hold copies, and is listed for every exhibit recorded before it. The "
                     "receipt of any entry is to be had by the command custody "
                     "receipt with its id; reading is recorded by the program that reads, so what was read past it is not here.",
                     "事件涉及存放副本的存储，故列于此前入账的每件物证。任何记录的回执均可由 custody receipt "
                     "取得；查阅由读取程序记录，绕过程序的读取不在此列。"));
    return CU_OK;
}
