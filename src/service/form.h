/* What is said of an item beside its bytes: the details of a deposit, from options, the form and what reading found out. */
#ifndef CU_SERVICE_FORM_H
#define CU_SERVICE_FORM_H

#include "service/service.h"

/** Is the form filled in as its profile asks? Before anything is read; USAGE names every field that is missing. */
CU_MUST_USE cu_status cu_form_check(const struct cu_place *p, const struct cu_deposit_request *r, struct cu_err *err);
/** The details, encoded. */
CU_MUST_USE cu_status cu_form_write(const struct cu_deposit_request *r, struct cu_span name, const struct cu_ingested *in, struct cu_buf *ret, struct cu_err *err);

#endif
