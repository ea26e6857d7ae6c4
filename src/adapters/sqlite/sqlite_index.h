/* The search index in an SQLite file. */
#ifndef CU_ADAPTERS_SQLITE_INDEX_H
#define CU_ADAPTERS_SQLITE_INDEX_H

#include "ports/index.h"

#define CU_SQLITE_IN_MEMORY ":memory:" /* as a path: an empty index that no file holds */

/** Open the index at `path`, or make it. Any thread may use it; from begin to commit or rollback it is one thread's.
 *
 *  read_only  nothing is written to disk: a file that is missing is an empty index, and what is put goes to memory and is merged
 *             into every answer, so that answers are current on a read-only or busy ledger.
 *
 *  CORRUPT: damaged, or no index of ours: move it away and make it anew.   NEWER_FORMAT.   READ_ONLY, NOT_ALLOWED, IO. */
CU_MUST_USE cu_status cu_sqlite_index_open(const char *path, bool read_only, struct cu_index *ret, struct cu_err *err);

/** Judge the bytes: `path` beside its seal `path`.seal, the digest that the last writer left when it closed. OK also when there is no
 *  index at all, and after an unclean end (the seal is empty then). CORRUPT: *ret_where is the file to name, `path` or its seal. */
CU_MUST_USE cu_status cu_sqlite_index_check(const char *path, char ret_where[4200], struct cu_err *err);

#endif
