/* A whole ledger on a file system that may fail or stop at any moment, opened, used and closed as the command line does it; the
 * promises that were made to people on the way; and the questions that must be answered well afterwards, whatever happened.
 *
 * A story is a use case: `prepare` on a sound file system, then `act` under faults, then the promises are judged. One line repeats
 * a failure:   CUSTODY_FAULTS='<story> <how> <k> <j> <seed>' test_service_<x>       (CUSTODY_FAULTS=all: no k is left out)
 */
#ifndef TESTS_FAULT_SERVICE_WORLD_H
#define TESTS_FAULT_SERVICE_WORLD_H

#include "adapters/faulty/faulty.h"
#include "adapters/memory/memory.h"
#include "adapters/sqlite/sqlite_index.h"
#include "engine/embedded/embedded.h"
#include "service/service.h"
#include "service_bucket.h"

#define SW_DAMAGES 16u

/* What lies on somebody's disk: paths of the test's source. */
#define SW_SMALL "evidence/small.txt"    /* 700 bytes: travels with its record */
#define SW_PACKED "evidence/packed.bin"  /* 100 KiB: goes into a pack */
#define SW_LARGE "evidence/large.raw"    /* 1.25 MiB: a file of its own */
#define SW_FOLDER "evidence/folder"      /* files, a link, a folder in it, an empty file */
#define SW_OTHER "evidence/other.txt"
#define SW_NEXT "evidence/next.txt"      /* what is deposited when all is over */
#define SW_BASE "evidence/base.bin"      /* what the ledger had before: 60 KiB */

/* Somebody was told that this is recorded. */
struct sw_promise {
    enum cu_kind kind;
    cu_seq seq;
    cu_hash leaf;
    const char *path;       /* a deposit's: what must come out again */
    char exhibit[64];
    struct cu_buf receipt;  /* n == 0: none was handed out */
};

/* A checkpoint that somebody may hold. */
struct sw_point { cu_size size; cu_hash root; };

extern bool sw_on_chain; /* … its engine is a chain's (service_chain.c); the environment says CUSTODY_ENGINE=chain */
extern bool sw_in_bucket; /* from now on, the provider's objects of each world that is made lie in a bucket */
struct service_world {
    struct cu_fs memory, fs; /* `fs` is `memory` through `faulty`, and with a bucket what cu_bucket_fs makes of that */
    struct sw_bucket *bucket;
    struct sw_chain *chain; /* what was decided; NULL: the engine is the embedded one */
    struct cu_faulty faulty;
    _Atomic uint64_t clock, chance, steps; /* the clock goes on by `pace` ms whenever somebody looks, from any thread; steps: calls of file system and clock, before the last restart */
    uint64_t pace;
    struct cu_index index;   /* stays over a close, as a file would */
    bool has_index;

    /* as long as it is open */
    struct cu_place place;
    struct cu_engine engine;
    struct cu_embedded_config config;
    struct cu_attachment_writer attachments;
    struct cu_epochs *epochs;
    struct cu_buf origin;
    bool open, engine_open, own_keys, small_journal;
    unsigned lanes, only;    /* of the next check */

    /* what was promised */
    struct sw_promise *promise;
    size_t promises_n, promises_cap;
    struct sw_point *point;
    size_t points_n, points_cap;
    uint64_t deposits_max;      /* how many may be in the log at most */
    uint64_t claims_max;         /* how many claims may have left that are neither deposited nor voided */
    uint64_t reads, reads_max;  /* that were noted; and tried to be */
    char damage[SW_DAMAGES][160]; /* what was damaged: incidents must name it in the end */
    size_t damages_n;
    bool rotten;                /* something is damaged right now: nobody believes a checkpoint */
    bool unreadable;            /* something could not be read for a while: an incident may name things by what it saw of them */
};

/* service_chain.c: consensus over a store's engine, which becomes a chain's; `anew`: nothing was decided yet. When it fails the engine is to be closed all the same. */
struct sw_chain *sw_chain_new(struct service_world *w, const struct sw_chain *from);
void sw_chain_free(struct sw_chain *c);
cu_status sw_chain_open(struct sw_chain *c, bool anew, struct cu_engine *io, struct cu_err *err);

enum sw_mode { SW_READ, SW_WRITE, SW_CHECK };

void sw_keep(void); /* once a process, before the first world */
void sw_let_go(void);
struct service_world *sw_new(void);
struct service_world *sw_over(struct cu_fs fs); /* over any file system; what needs cu_memory is not to be asked of it then */
struct service_world *sw_copy(const struct service_world *w); /* of what lies there now, all of it durable; nothing open */
void sw_free(struct service_world *w);

/* as src/apps/custody/open.c */
cu_status sw_create(struct service_world *w, struct cu_err *err);
cu_status sw_open(struct service_world *w, enum sw_mode mode, struct cu_err *err);
cu_status sw_close(struct service_world *w, struct cu_err *err); /* lets go even if it fails */
cu_status sw_reindex(struct service_world *w, struct cu_err *err);
cu_status sw_check(struct service_world *w, bool repair, struct cu_check_result *ret, char ret_finding[600], struct cu_err *err);

/* use cases that make promises; the ledger is open for writing */
cu_status sw_deposited(void *world, struct cu_deposited *d, struct cu_err *err); /* a cu_deposited_fn */
cu_status sw_deposit(struct service_world *w, const char *const *paths, size_t n, bool no_wait, struct cu_err *err);
cu_status sw_claimed(struct service_world *w, const char *path, struct cu_err *err); /* signed first, sent afterwards */
cu_status sw_recorded(struct service_world *w, enum cu_kind kind, const struct cu_outcome *outcome, struct cu_err *err);

/** Power off, and on with a sound file system; `seed` as in cu_memory_crash. An odd seed keeps the search index. */
void sw_crash(struct service_world *w, uint64_t seed);
/** The process ends and begins again; the file system is sound from now on. */
void sw_restart(struct service_world *w);
/** Does a receipt verify under the pinned trust, with what was deposited? The ledger is open. */
const char *sw_verify(struct service_world *w, struct cu_span receipt, const char *path, struct cu_checkpoint *ret);
/** The same, and the log as it is now goes on from the receipt's; the entry is the promised one, and its bytes come out again. */
const char *sw_judge_promise(struct service_world *w, const struct sw_promise *p);
/** Is each number of the depositor taken, but `claims_max`? The ledger is open for writing. */
const char *sw_judge_numbers(struct service_world *w);
/** Does `check` take what a crash left for what it is, and not for damage? Before anything is opened. */
const char *sw_judge_left(struct service_world *w);
/** Is every promise kept? NULL: all is well; else what is wrong. */
const char *sw_judge(struct service_world *w);

/** As `custody check --repair`: repair, then open for writing, which records the incident. Everything can be restored. */
cu_status sw_repair(struct service_world *w, struct cu_err *err);
const char *sw_judge_repair(struct service_world *w); /* as sw_judge, after a repair that may have been cut short */

struct sw_story {
    const char *name;
    bool from_nothing;                                              /* no ledger yet; else one with two deposits */
    cu_status (*prepare)(struct service_world *w, struct cu_err *err); /* may be NULL */
    cu_status (*act)(struct service_world *w, struct cu_err *err);     /* opens and closes what it needs */
    const char *(*judge)(struct service_world *w);                  /* NULL: sw_judge */
    unsigned deposits;                                              /* that `act` makes at most */
    unsigned stride, call_stride;                                   /* every how many effects, and calls; 0 and 1: all */
};
/** Stop after effect k, for every k; several ways to lose power after each. */
void sw_stop_everywhere(const struct sw_story *story);
/** Stop after effect k, and then twice while that is recovered. */
void sw_stop_recovery_everywhere(const struct sw_story *story, unsigned stride);
/** Fail the n-th call, for every n: in three ways, and with what comes after: nothing, loss of power, or recovery and loss of power. */
void sw_fail_everywhere(const struct sw_story *story);

int sw_prepare(void **state); /* once a process: the fixtures of a group of stories */
int sw_release(void **state);

#endif
