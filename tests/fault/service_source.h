/* Evidence from memory: a handful of files and a folder, the same bytes every time. */
#ifndef TESTS_FAULT_SERVICE_SOURCE_H
#define TESTS_FAULT_SERVICE_SOURCE_H

#include "ports/source.h"

struct cu_source sw_source(void);
/** The bytes of a file; NULL span when the path is none. */
struct cu_span sw_source_bytes(const char *path);

#endif
