/* The embedded engine's own struct, shared by the files of this room and by nobody else.
 *
 * Invariants, by number all over this room:
 * (1) Nothing is acknowledged before its frames are synced and, after that, a head that covers them is synced.
 * (2) What the newest head covers and the tiles lack is in the journal; it is never cut, zeroed or overwritten.
 * (3) The journal forgets (`from` moves on, a file is free) only after both logs, the attachments, the checkpoint and the state
 *     are durable up to there.
 * (4) After a failed write or sync of journal or head nothing is believed of them: the engine answers IO until it is opened anew.
 * (5) Locks are taken in this order: drain, machine, head, tail. The queue's is held alone. Only who commits moves `current` and `end`;
 *     only the drain moves `drained` and `from`.
 * (6) A batch that is whole above the head is kept by the next open (its submitters were not answered, or the slot that
 *     covered it was lost); anything less is a torn tail and becomes zeros.
 * (7) One batch is gathered and prepared while at most one other, older one is judged and made durable. So batches are judged in
 *     the order in which they were gathered, and the two of e->batch take turns.
 * (8) The tail has every entry that the head covers and the tiles lack, and the tiles that are open at `drained`: with what lies in
 *     the log's folder it is the log up to the head. A checkpoint may be handed out for any size that a durable head covers: by (1),
 *     (2) and (6) no later log is shorter, or another.
 */
#ifndef CU_EMBEDDED_INSIDE_H
#define CU_EMBEDDED_INSIDE_H

#include "custody/log_tail.h"
#include "engine/embedded/embedded.h"
#include "engine/embedded/journal.h"
#include "engine/embedded/workers.h"
#include "ports/log_dir.h"

#include <pthread.h>
#include <time.h>

#define CU_EMBEDDED_PATH 256u

/* ---- queue.c: who waits ---- */

struct cu_request {
    struct cu_request *next;
    const struct cu_span *records;
    struct cu_outcome *ret;
    size_t n, taken, done;
    cu_status status;
    struct cu_err *err;
    pthread_cond_t answered;
};

struct cu_batch {
    struct cu_submission *subs; /* CU_BATCH_RECORDS of each */
    struct cu_request **whose;
    size_t *which; /* of its request's records */
    size_t n, bytes;
};

struct cu_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a record arrived that somebody waits for; a stage is free */
    struct cu_request *first, *last;
    size_t waiting; /* records not taken yet */
    size_t wanted;  /* so many must wait before who gathers looks again; 0: it is not waiting */
    size_t company; /* records of the batch before */
    size_t idle;    /* writers that wait for anything */
    unsigned turn;  /* (7): which of e->batch is gathered next */
    bool gathering, committing, ending;
};

/* ---- the engine ---- */

struct cu_embedded {
    struct cu_embedded_config config;
    char head_path[CU_EMBEDDED_PATH], part_path[2][CU_EMBEDDED_PATH];
    void *lock;
    struct cu_file *head_file, *part_file[2];
    struct cu_log_dir log[2];
    unsigned logs_n;

    pthread_mutex_t drain_lock, machine_lock, head_lock;
    struct cu_head head;   /* as durable. head_lock */
    struct cu_head at;     /* the copy of who commits, taken when it begins */
    size_t batch_max;      /* bytes of frames of one batch: with its block it fits an empty file */
    size_t record_max;     /* bytes of one record: CU_RECORD_MAX, or what fits a batch of a small journal */
    uint64_t written[2];   /* behind that a file is zero. Who commits; then who closes */
    bool broken;           /* (4). head_lock */

    pthread_mutex_t tail_lock;
    struct cu_log_tail *tail; /* (8). tail_lock */
    struct cu_kept {
        uint64_t end; /* the position after its last entry */
        uint8_t *bytes;
    } *kept; /* the frames that it points into, a batch each. tail_lock */
    size_t kept_n, kept_cap;
    struct cu_buf tile; /* the one that is written. drain_lock */

    struct cu_pool *pool;
    struct cu_batch batch[2];
    struct cu_buf frames, block; /* of the batch that is committed */

    struct cu_queue queue;
    bool threads, drainer_runs;
    unsigned writers_n;
    pthread_t writer[2], drainer;
    pthread_cond_t wake_drainer; /* head_lock */
    struct timespec publish_at;  /* the second after which the drainer wants to be at it; 0: nothing waits. head_lock */
    bool drain_wanted, ending;
};

/* embedded.c */
CU_MUST_USE cu_status cu_embedded_path(const struct cu_embedded_config *config, const char *name, char ret[CU_EMBEDDED_PATH],
                                       struct cu_err *err);

/* tail.c */
/** Tiles up to what is acknowledged: from the folder, or from memory. */
struct cu_tile_source cu_embedded_tiles(struct cu_embedded *e);
CU_MUST_USE cu_status cu_embedded_record(void *self, cu_seq seq, struct cu_buf *ret, struct cu_err *err);
/** Begin at what is drained. */
CU_MUST_USE cu_status cu_embedded_resume(struct cu_embedded *e, struct cu_err *err);
/** Room for a batch of n entries: then keeping it cannot fail. */
CU_MUST_USE cu_status cu_embedded_reserve(struct cu_embedded *e, size_t n, struct cu_err *err);
void cu_embedded_keep(struct cu_embedded *e, const struct cu_batch *batch); /* e->frames; they are taken over */
CU_MUST_USE cu_status cu_embedded_keep_frame(struct cu_embedded *e, const struct cu_journal_frame *frame, struct cu_err *err);
void cu_embedded_cut(struct cu_embedded *e, cu_size size);
void cu_embedded_forget(struct cu_embedded *e, cu_size drained);
void cu_embedded_tail_free(struct cu_embedded *e);

/* commit.c */
/** Write `next` as the head (twice: to both slots) and make it the one in force. head_lock held. */
CU_MUST_USE cu_status cu_embedded_head(struct cu_embedded *e, struct cu_head *next, bool twice, struct cu_err *err);
/** Judge a prepared batch and make what is admitted durable. `turn`: its height and times, and all of it must be admitted; NULL: the next
 *  height, now. *ret_block: where its block stands. One call at a time. */
CU_MUST_USE cu_status cu_embedded_batch(struct cu_embedded *e, const struct cu_batch *batch, const struct cu_turn *turn, cu_seq *ret_block,
                                        cu_unix_ms *ret_closed, struct cu_err *err);
cu_status cu_embedded_break(struct cu_embedded *e, cu_status status); /* (4); returns status */
CU_MUST_USE cu_status cu_embedded_whole(struct cu_embedded *e, struct cu_err *err); /* IO when broken */
size_t cu_embedded_batch_max(uint64_t journal_bytes);

/* queue.c */
CU_MUST_USE cu_status cu_embedded_submit(void *self, const struct cu_span *records, size_t n, struct cu_outcome *ret,
                                         struct cu_err *err);
void *cu_embedded_writer(void *self);

/* drain.c */
CU_MUST_USE cu_status cu_embedded_drain(struct cu_embedded *e, bool closing, struct cu_err *err);
void *cu_embedded_drainer(void *self);
CU_MUST_USE cu_status cu_embedded_checkpoint(struct cu_embedded *e, cu_size size, const cu_hash *root, struct cu_buf *ret,
                                             struct cu_err *err);

/* recover.c */
CU_MUST_USE cu_status cu_embedded_recover(struct cu_embedded *e, struct cu_err *err);

#endif
