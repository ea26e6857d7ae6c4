/* What an engine sees of the ledger: a deterministic machine that judges records one after another.
 *
 * An engine gathers submissions, has them prepared (in parallel: form, attachments, signatures; also while an older batch is
 * stepped), and then, one batch at a time, in order: begin, step…, end; makes the batch durable; and only then commit. `abandon`
 * instead of commit forgets the batch.
 * Replaying a log is the same without `prepare`'s signatures: begin(opened of the closing block), step each, end, compare.
 */
#ifndef CU_PORTS_MACHINE_H
#define CU_PORTS_MACHINE_H

#include "custody/entry.h"

/** One record on its way. The engine owns the memory of `bytes` until commit. */
struct cu_submission {
    struct cu_span bytes;      /* in: cu_record encoding */
    bool trusted;              /* in: replay of an entry whose signatures were checked before; attachments may be missing */
    bool bare;                 /* in: `bytes` is an entry as it stands in a log; whoever replays it judges its attachments */
    struct cu_record record;   /* by prepare */
    struct cu_entry entry;     /* by prepare */
    cu_status status;          /* OK admitted; DUPLICATE; or why not */
    char text[240];            /* the sentence, when not OK */
    cu_seq seq;                /* by step: where it stands; of a duplicate: where the recorded one stands */
    cu_hash id;                /* by prepare: statement id (leaf hash for genesis) */
    bool verified;             /* by prepare: every signature is good. False while a key was not known yet: step looks again */
};

/** Where a log stands after its last committed batch. */
struct cu_tip { cu_size size; cu_hash root; uint64_t height; cu_unix_ms closed; };

/** An organisation's key that an engine of several goes by: Ed25519. */
struct cu_engine_key { uint8_t pub[32]; };

struct cu_machine {
    void *self;
    /* Any thread, several at once, each with its own verifier. Judges what needs no order: sets status, record, entry, id. */
    void (*prepare)(void *self, struct cu_submission *subs, size_t n, struct cu_verifier *by);
    /* The height that is open now and its `opened` time. */
    cu_status (*begin)(void *self, uint64_t height, cu_unix_ms opened, struct cu_err *err);
    /* Judge one prepared submission; an admitted one takes the next position. Only trouble of the machine itself is returned. */
    cu_status (*step)(void *self, struct cu_submission *sub, struct cu_err *err);
    /* Close the batch: appends the block entry to `block`, or nothing when no record was admitted. */
    cu_status (*end)(void *self, cu_unix_ms closed, struct cu_buf *block, struct cu_err *err);
    cu_status (*commit)(void *self, struct cu_err *err);
    void (*abandon)(void *self);
    /* Position and root after the last commit; height and closed time of the newest block. */
    struct cu_tip (*tip)(void *self);
    /* The frontier of the log after the last end (before commit) or commit. */
    const struct cu_frontier *(*frontier)(void *self);
    /* Keep the committed state in its store, tied to the tip; called now and then, off the acknowledgement's path, also during a
     * long replay (what is not saved is in memory). Not synced by itself: after a crash an older state is opened, with a longer
     * tail to replay. The machine is at rest. */
    cu_status (*save)(void *self, struct cu_err *err);
    /* The same in three steps, of which only the first and the last, which are short, need the machine at rest: what is committed
     * now is set aside, written while batches are judged, and let go. `thaw` follows `write` also when that failed. May be NULL. */
    cu_status (*freeze)(void *self, struct cu_err *err);
    cu_status (*write)(void *self, struct cu_err *err);
    void (*thaw)(void *self);
    /* The keys of a purpose (validator, node) that the organisations' share of a chain is run with, by the state as it is now, what was stepped
     * in the open batch included: of each that counts one validator, of equal power. The same on whichever node asks at this position.
     * Returns how many. May be NULL: they stay what they are. */
    size_t (*keys)(void *self, enum cu_purpose purpose, struct cu_engine_key ret[CU_PARTIES_MAX]);
};

#endif
