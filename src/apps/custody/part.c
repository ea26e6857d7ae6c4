/* Parts of this program that are loaded when a verb asks for them: what they need, the others do not. */
#include "apps/custody/app.h"

#include <dlfcn.h>

const void *part_load(const char *file, const char *symbol, const char **ret_why)
{
    void *part = dlopen(file, RTLD_NOW | RTLD_LOCAL); /* never closed: what it loads does not like that */
    const void *found = part ? dlsym(part, symbol) : NULL;

    *ret_why = part ? "it is no such part" : dlerror();
    return found;
}
