/* A document for court: what a use case writes and an adapter sets in type. One tree of plain structs, one tree for every medium.
 *
 * It speaks two languages at once: each text has an English and a Chinese form, or one that serves both (a name, a digest). So facts
 * stand once, and nobody has to wonder whether two documents say the same.
 */
#ifndef CU_PORTS_PAPER_H
#define CU_PORTS_PAPER_H

#include "custody/types.h"

struct cu_paper_text { struct cu_span en, zh; }; /* UTF-8; zh.n == 0: `en` serves both */
struct cu_paper_cell { struct cu_paper_text text; bool code; }; /* code: a digest, a path, a command. No text: a blank to write in */

/** Row by row, the head first; widths of the columns as parts of a hundred. */
#define CU_PAPER_COLUMNS 6
struct cu_paper_table {
    unsigned columns, width[CU_PAPER_COLUMNS];
    bool form; /* the first cell of a row says what the others are */
    struct cu_paper_cell *cell;
    size_t n;  /* cells: a multiple of columns, columns at least */
};

enum cu_paper_kind { CU_PAPER_HEADING, CU_PAPER_PARAGRAPH, CU_PAPER_TABLE, CU_PAPER_QR, CU_PAPER_PAGE };
struct cu_paper_block {
    enum cu_paper_kind kind;
    unsigned level;              /* HEADING: 1 (one of them, the title), 2, 3 */
    struct cu_paper_text text;   /* HEADING, PARAGRAPH; TABLE: its caption, may be empty; QR: what stands beside the code */
    struct cu_paper_table table; /* TABLE */
    struct cu_span code;         /* QR: the bytes in it */
};
struct cu_paper {
    struct cu_paper_text title, running; /* `running` stands on every page */
    cu_unix_ms made;             /* dates the file: of the ledger's data, so that the same facts give the same bytes */
    struct cu_paper_block *block;
    size_t n;
};

enum cu_qr_form { CU_QR_TERMINAL /* black on white by escape sequences */, CU_QR_BLOCKS /* of characters */, CU_QR_SVG, CU_QR_PNG };

/** Who sets it. All append to `out`. NOT_FOUND: a font is missing, and which package has it; MALFORMED: a text is not UTF-8. */
struct cu_press {
    cu_status (*html)(const struct cu_paper *paper, struct cu_buf *out, struct cu_err *err);
    cu_status (*pdf)(const struct cu_paper *paper, struct cu_buf *out, struct cu_err *err);
    cu_status (*qr)(struct cu_span bytes, enum cu_qr_form form, struct cu_buf *out, struct cu_err *err);
};

#endif
