/* The part that sets pages and codes, loaded when a verb asks for it. */
#include "apps/custody/app.h"

#include <dlfcn.h>

#define PART "custody-paper.so"

cu_status paper_load(const struct cu_press **ret, struct cu_err *err)
{
    void *part = dlopen(PART, RTLD_NOW | RTLD_LOCAL); /* never closed: what it loads does not like that */
    const char *why = part ? NULL : dlerror();
    const struct cu_press *press = part ? dlsym(part, "cu_paper_press") : NULL;

    ENSURE(press, err, CU_NOT_FOUND,
           "documents and QR codes are made by " PART
           ", which could not be loaded (%s): it belongs beside this program, and needs "
           "the packages libpangocairo-1.0-0 and libqrencode4. Nothing was written",
           why ? why : "it is no such part");
    *ret = press;
    return CU_OK;
}
