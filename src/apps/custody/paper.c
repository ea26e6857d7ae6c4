/* The part that sets pages and codes, loaded when a verb asks for it. */
#include "apps/custody/app.h"

#define PART "custody-paper.so"

cu_status paper_load(const struct cu_press **ret, struct cu_err *err)
{
    const char *why;
    const struct cu_press *press = part_load(PART, "cu_paper_press", &why);

    ENSURE(press, err, CU_NOT_FOUND,
           "documents and QR codes are made by " PART
           ", which could not be loaded (%s): it belongs beside this program, and needs "
           "the packages libpangocairo-1.0-0 and libqrencode4. Nothing was written",
           why);
    *ret = press;
    return CU_OK;
}
