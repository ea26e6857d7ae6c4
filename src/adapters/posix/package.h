/* Packages that are folders, and what every package on its way out needs of the system. */
#ifndef CU_ADAPTERS_PACKAGE_H
#define CU_ADAPTERS_PACKAGE_H

#include "ports/package.h"

/** A folder on its way out. CU_USAGE: the name is taken. */
CU_MUST_USE cu_status cu_posix_folder_out(const char *path, struct cu_package_out *ret, struct cu_err *err);

/** A free name in the same folder, for what is not finished. CU_USAGE: `path` itself is taken. */
CU_MUST_USE cu_status cu_posix_beside(const char *path, char *ret, size_t max, struct cu_err *err);
/** Give what is durable under `beside` its name, durably, unless somebody else took it. */
CU_MUST_USE cu_status cu_posix_publish(const char *beside, const char *path, struct cu_err *err);

#endif
