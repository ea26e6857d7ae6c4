/* The embedded engine: one writer, group commit to a preallocated journal, tiles written behind it. */
#ifndef CU_ENGINE_EMBEDDED_H
#define CU_ENGINE_EMBEDDED_H

#include "ports/engine.h"
#include "ports/fs.h"
#include "ports/world.h"

struct cu_embedded_config {
    const struct cu_fs *fs;            /* the ledger's folder */
    const char *lock;                  /* "node/lock" */
    void *held;                        /* that lock, when the caller took it before he read the machine's state: the engine's from
                                        * `open` on, whatever that returns. NULL: it is taken here */
    const char *journal;               /* folder: "node/journal" */
    const char *log[2];                /* "node/log", "cloud/log"; one may be NULL. Checkpoints are published in this order */
    uint64_t journal_bytes;            /* of each of its files; 0: 16 MiB; at least 64 KiB */
    struct cu_machine machine;         /* opened on its saved state; the engine replays the tail */
    struct cu_attachments attachments;
    struct cu_clock clock;
    struct cu_span origin;             /* of the log; signer's name */
    const struct cu_private_key *log_key;
    struct cu_log_signer signer;       /* who signs instead, by size; sign NULL: nobody does */
    unsigned workers;                  /* threads that check signatures at once, a writer among them; 0: no threads at all, the
                                        * submitter works, and drains when the journal is full */
    bool accelerate;                   /* may signatures be checked by the accelerator? The answers are the same */
    unsigned window_us;                /* how long a batch waits at most for those who were answered just before it; 0: 1000 */
};

/** Take the lock, recover, and be ready: drains what a crash left in the journal (with workers a thread of its own does, while
 *  records are taken already). Reads the head, the journal and the tail of the
 *  log past the saved state, never the whole log. BUSY at once when another process writes; READ_ONLY; CORRUPT when what was
 *  acknowledged is damaged (the sentence names file and offset) or the state is ahead of or off the log (then: reindex);
 *  NEWER_FORMAT; NOT_FOUND without a journal. `config` is copied, what it points to must outlive the engine. After a clean close an
 *  open writes nothing. The machine is asked to save its state by every drain. */
CU_MUST_USE cu_status cu_embedded_open(const struct cu_embedded_config *config, struct cu_engine *ret, struct cu_err *err);

/** Write what a new ledger needs: journal files, head, folders. USAGE when there is a journal already; one that a crash left half
 *  made is made again. The first records (genesis, confirm) are submitted as usual. */
CU_MUST_USE cu_status cu_embedded_create(const struct cu_embedded_config *config, struct cu_err *err);

/** For an engine that is told order and time (engine/cometbft): records that are known to be admitted, prepared, become one batch with its
 *  block entry, durable when it returns; all of them, or CORRUPT and nothing. One call at a time, and nobody submits. */
struct cu_turn { uint64_t height; cu_unix_ms opened, closed; };
CU_MUST_USE cu_status cu_embedded_append(struct cu_engine *engine, const struct cu_turn *turn, struct cu_submission *subs, size_t n, struct cu_err *err);
/** The signed checkpoint of a batch that such an engine appended, appended to ret. */
CU_MUST_USE cu_status cu_embedded_checkpoint_of(const struct cu_engine *engine, const struct cu_tip *tip, struct cu_buf *ret, struct cu_err *err);

/** What is done to an engine's own files from outside: see ports/engine.h. `config` must outlive it. */
struct cu_engine_care cu_embedded_care(const struct cu_embedded_config *config);

#endif
