/* An engine orders records, makes them durable, and serves the log. The embedded one is the first; CometBFT's is the second;
 * what stands above cannot tell which it runs on. */
#ifndef CU_PORTS_ENGINE_H
#define CU_PORTS_ENGINE_H

#include "custody/note.h"
#include "custody/tile.h"
#include "ports/machine.h"

/** What became of one record, after it was durable. */
struct cu_outcome {
    cu_status status;   /* OK, DUPLICATE, or the rule that refused it */
    char text[240];
    cu_seq seq;         /* OK and DUPLICATE */
    cu_hash id;
    cu_hash leaf;       /* OK; of a duplicate the recorded entry's leaf is in the tiles */
    cu_seq block;       /* OK: the block entry that dates it */
    cu_unix_ms closed;  /* OK: its time */
};

/** Attachments on their way into the content stores, while the journal is drained: every record's, also of those that have none.
 *  `put` may be called many times, then `sync` once; only after that does the journal forget them. After a crash or an error the
 *  same ones come again. From the engine's threads, one call at a time. Both may be NULL. */
struct cu_attachments {
    void *self;
    cu_status (*put)(void *self, cu_seq seq, const struct cu_record *record, struct cu_err *err);
    cu_status (*sync)(void *self, struct cu_err *err);
};

/** A validator did this at a height of the chain: CometBFT's numbers, and its address of a validator (of its key's SHA-256, the beginning). */
enum cu_misbehaviour_kind { CU_DUPLICATE_VOTE = 1, CU_LIGHT_CLIENT_ATTACK = 2 };
struct cu_misbehaviour { uint64_t height; uint8_t kind, address[20]; };

/** Signs the text of a checkpoint of that size by the key of its epoch, appended to `ret`. From any of the engine's threads. */
struct cu_log_signer { void *self; cu_status (*sign)(void *self, cu_size size, struct cu_span text, struct cu_buf *ret, struct cu_err *err); };

struct cu_engine {
    void *self;
    /* Submit n records (cu_record encodings) and wait until all are judged and those admitted are durable. In the order given,
     * within one batch when they fit. Any thread, not from within `ask`. An error means that the engine itself failed: outcomes are
     * unknown, ask again (after IO: of an engine opened anew). */
    cu_status (*submit)(void *self, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err);
    struct cu_tip (*tip)(void *self); /* what is acknowledged */
    /* Run `look` with the machine at rest: for questions to the ledger's state. Keep it short. */
    cu_status (*ask)(void *self, cu_status (*look)(void *arg, struct cu_err *err), void *arg, struct cu_err *err);
    /* Drain the journal: both copies of the log and all attachments durable, checkpoint published, state saved. With threads it also
     * happens by itself, within a second. */
    cu_status (*drain)(void *self, struct cu_err *err);
    /* The log as acknowledged, whether it is drained or not: tiles and bundles of any size up to the tip, from any thread; and the
     * signed checkpoint of the tip, appended to ret (NOT_FOUND while the log is empty): no later log is shorter, or another. */
    struct cu_tile_source (*tiles)(void *self);
    cu_status (*checkpoint)(void *self, struct cu_buf *ret, struct cu_err *err);
    /* The whole record at seq as it was submitted, appended to ret; NOT_FOUND when it is drained: its attachments are in the stores. */
    cu_status (*record)(void *self, cu_seq seq, struct cu_buf *ret, struct cu_err *err);
    /* Drains, then lets go. After an error of drain the journal keeps what it has. NULL is fine. */
    cu_status (*close)(void *self, struct cu_err *err);
    /* What the organisations' consensus showed of one of them and is not `reported` yet, durable; false: nothing. NULL: nobody can. Any thread. */
    bool (*misbehaviour)(void *self, struct cu_misbehaviour *ret);
    cu_status (*reported)(void *self, const struct cu_misbehaviour *what, struct cu_err *err);
    /* NULL where the log moves by `submit` alone. Where others move it, too: wait up to so many ms until it is larger than `after`, and append the
     * signed checkpoint of the smallest size above that a block ended at, of the last few blocks. NOT_FOUND: it has not grown. */
    cu_status (*next)(void *self, cu_size after, unsigned ms, struct cu_buf *ret, struct cu_err *err);
};

/** Looking after an engine's own files while no engine is open on them (`dirty`, `reach` and `check` need no lock). */
struct cu_engine_care {
    void *self;
    /* Is there anything acknowledged that is not in the tiles yet (a crash)? For reading verbs. */
    cu_status (*dirty)(void *self, bool *ret, struct cu_err *err);
    /* What its head vouches for: so many entries were drained, so many acknowledged. A published log with fewer than were drained is
     * an older one: nothing but its loss, or somebody's hand, makes it shorter. */
    cu_status (*reach)(void *self, cu_size *ret_drained, cu_size *ret_acknowledged, struct cu_err *err);
    /* Judge journal and head byte by byte: every frame's checksum, zero slack, agreement with the log's `tip` (size and root). `found`
     * is told each fault with the file's path and a sentence. Meant for files at rest: while somebody writes, a fault may be no more
     * than a change between two reads. *ret_reach: so many entries were acknowledged, by what is good of the head, or else of the frames. */
    cu_status (*check)(void *self, const struct cu_tip *tip, void (*found)(void *arg, const char *where, const char *what), void *arg, cu_size *ret_reach, struct cu_err *err);
    /* Make journal and head anew, empty, tied to `tip`: for repair, when everything acknowledged is in the tiles. The caller holds the
     * lock, has moved the old files away, and sees to it that the state is saved at `tip`. */
    cu_status (*renew)(void *self, const struct cu_tip *tip, struct cu_err *err);
};

#endif
