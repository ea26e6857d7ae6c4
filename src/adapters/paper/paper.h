/* Documents as HTML and PDF, and QR codes. Pango, cairo and libqrencode are at home here and nowhere else. */
#ifndef CU_ADAPTERS_PAPER_H
#define CU_ADAPTERS_PAPER_H

#include "ports/paper.h"

/** One file: styles inside, for screen and print, no script, and a policy that forbids every request. */
CU_MUST_USE cu_status cu_paper_html(const struct cu_paper *paper, struct cu_buf *out, struct cu_err *err);
/** A4, real text, tagged, with outline and page numbers; the same document gives the same bytes on the same machine. */
CU_MUST_USE cu_status cu_paper_pdf(const struct cu_paper *paper, struct cu_buf *out, struct cu_err *err);
extern const struct cu_press cu_paper_press; /* what custody-paper.so is loaded for */

#define CU_QR_WIDTH_MAX 177
#define CU_QR_QUIET 4 /* light modules around it */
struct cu_qr { unsigned width; uint8_t dark[CU_QR_WIDTH_MAX * CU_QR_WIDTH_MAX]; };
/** Bytes as a QR code of medium error correction. TOO_LARGE: more than about 2,300 bytes. */
CU_MUST_USE cu_status cu_qr_make(struct cu_span bytes, struct cu_qr *ret, struct cu_err *err);
/** Is this module dark? Outside, from -CU_QR_QUIET on, it is light. */
bool cu_qr_dark(const struct cu_qr *qr, int x, int y);
void cu_qr_svg(const struct cu_qr *qr, struct cu_buf *out); /* an element without size: whoever embeds it gives one */
/** Either of the four at once. */
CU_MUST_USE cu_status cu_qr_put(struct cu_span bytes, enum cu_qr_form form, struct cu_buf *out, struct cu_err *err);

#endif
