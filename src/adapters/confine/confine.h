/* What a server gives up before it listens: whoever takes it over finds the ledger's own folders, no program to run and no way to more. */
#ifndef CU_ADAPTERS_CONFINE_H
#define CU_ADAPTERS_CONFINE_H

#include "custody/types.h"

struct cu_confinement {
    const char *const *write, *const *read; /* folders, and all that is below; each list ends with NULL. One that is not there is passed over */
    const char *run;                        /* a program that may be started, and then the system's own, one of which begins it; NULL: none */
};
/** For this thread and those that it begins from now on: files by Landlock (as far as this kernel has it), further privileges and calls that no server makes by seccomp.
 *  There is no way back. `ret_how` says what holds now, for people: "files (Landlock 7), calls (seccomp)". NOT_ALLOWED: nothing of it works
 *  here, and why. */
CU_MUST_USE cu_status cu_confine(const struct cu_confinement *c, char ret_how[120], struct cu_err *err);

#endif
