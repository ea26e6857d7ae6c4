/* What the files of the details give one another. */
#ifndef CU_RECORD_DETAILS_H
#define CU_RECORD_DETAILS_H

#include "custody/details.h"
#include "custody/text.h"

#include "fields.h"

extern const struct cu_schema cu_details_plain_schema, cu_details_police_schema;
cu_status cu_details_check_digests(const union cu_details *details, struct cu_err *err);
cu_status cu_details_check_police(const union cu_details *details, struct cu_err *err);

#endif
