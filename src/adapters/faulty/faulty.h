/* A file system whose n-th call fails, or that stops after effect k: wraps any other, for tests.
 *
 *     struct cu_faulty faulty = { .inner = memory, .stop_after = CU_NEVER };
 *     struct cu_fs fs = cu_faulty_fs(&faulty);
 *     … run, read faulty.calls and faulty.effects; then once for every fail_call in 1..calls, every stop_after in 0..effects
 */
#ifndef CU_ADAPTERS_FAULTY_H
#define CU_ADAPTERS_FAULTY_H

#include "ports/fs.h"

#include <pthread.h>

#define CU_NEVER UINT64_MAX

enum cu_fault {
    CU_FAULT_IO,        /* the call does nothing and answers IO; a sync also loses what it should have made durable */
    CU_FAULT_NO_SPACE,  /* likewise NO_SPACE; a write puts half of its bytes there first */
    CU_FAULT_SHORT,     /* likewise IO; a write puts all but its last byte there first */
    CU_FAULT_FULL,      /* from this call on every write and every new file answers NO_SPACE */
    CU_FAULT_READ_ONLY, /* from this call on every effect answers READ_ONLY */
};

/** Zeros are a sane start but for stop_after. Effects: writes, syncs, truncations, renames, new folders, opens that create or
 *  truncate, and locks. Calls: those and reads, sizes, stats, lists. Closing is neither. */
struct cu_faulty {
    struct cu_fs inner;
    uint64_t fail_call;  /* 1-based number of the call that fails; 0: none */
    enum cu_fault fault;
    uint64_t stop_after; /* after so many effects nothing happens any more, every call answers IO: the machine has stopped */
    void (*lost)(struct cu_file *file);          /* told of a failed sync: cu_memory_lose. May be NULL */
    void (*lost_all)(const struct cu_fs *inner); /* of a failed sync_all: cu_memory_lose_all. May be NULL */

    uint64_t calls, effects; /* so far */
    bool failed, stopped;    /* has it come to that? */
    pthread_mutex_t *mutex;  /* made by cu_faulty_fs, freed by its close */
};

/** `faulty` must outlive the instance. Closing it leaves the inner one open. */
struct cu_fs cu_faulty_fs(struct cu_faulty *faulty);

#endif
