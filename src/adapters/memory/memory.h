/* A file system in memory that can lose power: for tests. */
#ifndef CU_ADAPTERS_MEMORY_H
#define CU_ADAPTERS_MEMORY_H

#include "ports/fs.h"

/** Empty. Any thread. */
CU_MUST_USE cu_status cu_memory_fs(struct cu_fs *ret, struct cu_err *err);

/** Power off and on. What was synced is there. Of what was only written each 512-byte sector is, by `seed`, lost or there, in any
 *  state since the last sync, in any order; so are lengths, and names whose folder was not synced (a rename: both names or
 *  neither). Seed 0 loses all of it, seed 1 nothing. Locks are gone; open files must only be closed. */
void cu_memory_crash(const struct cu_fs *fs, uint64_t seed);

/** A second file system with what `fs` shows now, all of it durable. */
CU_MUST_USE cu_status cu_memory_copy(const struct cu_fs *fs, struct cu_fs *ret, struct cu_err *err);

/** Turn one bit of a file over, on the medium too. False: the file has no such bit. */
bool cu_memory_flip(const struct cu_fs *fs, const char *path, uint64_t bit);

/** Is a call of this file system under way? For a test that fails allocations, but not the disk's. */
bool cu_memory_at_work(const struct cu_fs *fs);

/** What a failed sync does: written pages are shown still, but no later sync writes them, so a crash loses them.
 *  For the `lost` hooks of struct cu_faulty. */
void cu_memory_lose(struct cu_file *file);
void cu_memory_lose_all(const struct cu_fs *fs);

#endif
