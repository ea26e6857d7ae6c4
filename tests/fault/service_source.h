/* Evidence from memory: a handful of files and a folder, the same bytes every time. And as many more as one likes:
 * made/s<n> up to 3 KiB, made/m<n> up to 31 KiB, made/p<n> up to 90 KiB, made/l<n> above 1 MiB, made/f<n> a folder. */
#ifndef TESTS_FAULT_SERVICE_SOURCE_H
#define TESTS_FAULT_SERVICE_SOURCE_H

#include "ports/source.h"

struct cu_source sw_source(void);
/** The bytes of a file; NULL span when the path is none. */
struct cu_span sw_source_bytes(const char *path);

#endif
