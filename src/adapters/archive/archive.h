/* Packages as zip files, by libarchive: the only home of its headers. */
#ifndef CU_ADAPTERS_ARCHIVE_H
#define CU_ADAPTERS_ARCHIVE_H

#include "ports/package.h"

/** A zip on its way out, everything below one folder `top` in it; stored, not compressed; zip64 where sizes ask for it. CU_USAGE: the name
 *  is taken. */
CU_MUST_USE cu_status cu_zip_out(const char *path, const char *top, uint64_t mtime_s, struct cu_package_out *ret, struct cu_err *err);

/** A zip as it lies, without its one folder. What docs/formats/bag.md calls hostile is refused before any byte of it is handed on. */
CU_MUST_USE cu_status cu_zip_open(const char *path, struct cu_package *ret, struct cu_err *err);

#endif
