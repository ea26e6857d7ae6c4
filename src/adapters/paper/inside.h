/* Inside this room: what the renderers share. */
#ifndef CU_PAPER_INSIDE_H
#define CU_PAPER_INSIDE_H

#include "adapters/paper/paper.h"

#include <cairo.h>

CU_MUST_USE cu_status cu_paper_check(const struct cu_paper *paper, struct cu_err *err); /* shapes, and UTF-8 everywhere */
void cu_qr_draw(const struct cu_qr *qr, cairo_t *cr, double x, double y, double side); /* with its quiet zone */
CU_MUST_USE cu_status cu_cairo_ok(int cairo_status, struct cu_err *err);

#endif
