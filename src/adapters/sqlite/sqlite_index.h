/* The search index in an SQLite file. */
#ifndef CU_ADAPTERS_SQLITE_INDEX_H
#define CU_ADAPTERS_SQLITE_INDEX_H

#include "ports/index.h"

#define CU_SQLITE_IN_MEMORY ":memory:" /* as a path: an empty index that no file holds */

/** Open the index at `path`, or make it. Any thread may use it; from begin to commit or rollback it is one thread's.
 *
 *  read_only  nothing is written to disk: a file that is missing is an empty index, and what is put goes to memory and is merged into
 *             every answer, so that answers are current on a read-only or busy ledger.
 *
 *  CORRUPT: damaged, or no index of ours: move it away and make it anew.   NEWER_FORMAT.   READ_ONLY, NOT_ALLOWED, IO. */
CU_MUST_USE cu_status cu_sqlite_index_open(const char *path, bool read_only, struct cu_index *ret, struct cu_err *err);

#endif
