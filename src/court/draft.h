/* Writing a document (ports/paper.h): a block after the other, memory of its own, the first failure remembered. */
#ifndef CU_COURT_DRAFT_H
#define CU_COURT_DRAFT_H

#include "ports/paper.h"

struct cu_draft {
    struct cu_paper paper;
    struct draft_chunk *chunks;
    size_t room; /* blocks that there is memory for */
    bool no_memory;
};
void cu_draft_free(struct cu_draft *d);
CU_MUST_USE cu_status cu_draft_ok(const struct cu_draft *d, struct cu_err *err);

/** Text that lives as long as the draft. */
struct cu_span cu_draft_f(struct cu_draft *d, const char *fmt, ...) CU_PRINTF(2, 3);
struct cu_span cu_draft_shown(struct cu_draft *d, struct cu_span bytes); /* as cu_text_printable shows it */
struct cu_span cu_draft_hex(struct cu_draft *d, struct cu_span bytes);
struct cu_span cu_draft_time(struct cu_draft *d, cu_unix_ms time);
static inline struct cu_paper_text cu_two(const char *en, const char *zh) { return (struct cu_paper_text){ cu_span_str(en), cu_span_str(zh) }; }
static inline struct cu_paper_text cu_one(struct cu_span text) { return (struct cu_paper_text){ text, CU_SPAN_EMPTY }; }

void cu_draft_heading(struct cu_draft *d, unsigned level, struct cu_paper_text text);
void cu_draft_paragraph(struct cu_draft *d, struct cu_paper_text text);
void cu_draft_qr(struct cu_draft *d, struct cu_span code, struct cu_paper_text beside);
void cu_draft_page(struct cu_draft *d);
/** A table and its head: `columns` widths and names; what follows are its cells, until another block begins. */
struct cu_draft_column { unsigned width; const char *en, *zh; };
void cu_draft_table(struct cu_draft *d, bool form, struct cu_paper_text caption, const struct cu_draft_column *column, unsigned columns);
void cu_draft_cell(struct cu_draft *d, struct cu_paper_text text);
void cu_draft_code(struct cu_draft *d, struct cu_span text);

#endif
