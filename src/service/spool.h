/* Content on its way in over the network: what is claimed, how far it has come, what became of it.
 *
 * Each lies in a slot of the spool: <n>.claim, the claim file; <n>.bytes, .mark, .chunks, what was received (content/receive.h); <n>.record, the
 * signed outcome. A slot whose claim is empty is free.
 *
 * (1) `lock` guards the table. Whoever made a slot `busy` has its stream, its parts and its record for himself, without the lock.
 * (2) What is said of a state is durable: a claim before it is answered, an offset before it is acknowledged, a signature before it leaves.
 * (3) A slot is taken for another claim when what was in it is recorded, or refused for good. Then the log says what became of it.
 */
#ifndef CU_SERVICE_SPOOL_H
#define CU_SERVICE_SPOOL_H

#include "content/receive.h"
#include "service/outbox.h"

#include <pthread.h>

enum { CU_SPOOL_SLOTS = 1024 };

#define CU_SPOOLED_TABLE(X)                                                                                                            \
    X(FREE, "")                                                                                                                       \
    X(CLAIMED, "claimed") X(RECEIVING, "receiving") /* bytes are welcome */                                                            \
    X(CHECKING, "checking")                         /* all of them are here */                                                         \
    X(ACCEPTED, "accepted") X(REFUSED, "refused")   /* signed */                                                                       \
    X(RECORDED, "recorded")
#define CU_SPOOLED_ENUM(name, text) CU_SPOOLED_##name,
enum cu_spooled_state { CU_SPOOLED_TABLE(CU_SPOOLED_ENUM) CU_SPOOLED_STATES };
#undef CU_SPOOLED_ENUM

struct cu_spooled {
    struct cu_spool *of;
    unsigned slot;
    enum cu_spooled_state state;
    bool busy, cut;             /* cut: who sent it is gone; what came of his last piece is to be made durable */
    bool planned;               /* all objects of its stream are known: of a folder when its manifest is here */
    bool settled;               /* in the log, or the ledger will never take it */
    cu_hash id, kid;
    uint64_t offset, length;    /* as they are told: those of `in`, as of when somebody was last at it */
    uint64_t seq, touched, touched_at; /* where it is recorded; when it was last heard of, and its offset then */
    struct cu_buf claim_file, record;
    struct cu_claim_file parts; /* of claim_file */
    struct cu_claim claim;
    struct cu_receive in;
    struct cu_receive_part *part;
    size_t parts_n;
    char why[240];              /* refused: why */
};

struct cu_spool {
    const struct cu_fs *fs;
    struct cu_objects *store;
    pthread_mutex_t lock;
    struct cu_spooled slot[CU_SPOOL_SLOTS];
    unsigned damaged; /* slots that could not be read when it was opened; and the first of them */
    char why[240];
};

/** What is told of one. `whole`: `length` is known. */
struct cu_spooled_view { enum cu_spooled_state state; cu_hash kid; uint64_t offset, length, seq; bool whole, settled; char why[240]; };

CU_MUST_USE cu_status cu_spool_open(const struct cu_fs *fs, struct cu_objects *store, struct cu_spool **ret, struct cu_err *err);
void cu_spool_close(struct cu_spool *u); /* NULL is fine */
/** What was found damaged when it was opened, and where it lies now. Empty: nothing. */
void cu_spool_damage(const struct cu_spool *u, char ret[400]);
/** A claim file, judged by the caller. The same again is fine. BUSY: too many are on their way. */
CU_MUST_USE cu_status cu_spool_add(struct cu_spool *u, struct cu_span claim_file, uint64_t now, struct cu_err *err);
/** NOT_FOUND */
CU_MUST_USE cu_status cu_spool_look(struct cu_spool *u, const cu_hash *id, struct cu_spooled_view *ret, struct cu_err *err);
/** The signed outcome, appended. NOT_FOUND: there is none yet. */
CU_MUST_USE cu_status cu_spool_record(struct cu_spool *u, const cu_hash *id, struct cu_buf *ret, struct cu_err *err);
/** The one of that id, made busy. BUSY: somebody else is at it. `offset`: where he who sends believes it to be (CHANGED: it is not), or NULL. */
CU_MUST_USE cu_status cu_spool_take(struct cu_spool *u, const cu_hash *id, const uint64_t *offset, struct cu_spooled **ret, struct cu_err *err);
/** The next one in this state that nobody is at, made busy, from slot *io on: of those that answer a `notice`, or of the others. NULL: no further one. */
struct cu_spooled *cu_spool_next(struct cu_spool *u, enum cu_spooled_state state, bool notice, unsigned *io);
/** One that nobody sent anything for since `before` (by the clock that `now` is of): as cu_spool_next. What was not heard of since it was opened
 *  is heard of now. */
struct cu_spooled *cu_spool_abandoned(struct cu_spool *u, uint64_t before, uint64_t now);
/** Let go. */
void cu_spooled_give(struct cu_spooled *at, enum cu_spooled_state state);
void cu_spooled_received(struct cu_spooled *at); /* its state is what the bytes say */
void cu_spooled_cut(struct cu_spooled *at);      /* its sender is gone. At once, but for a write that is under way */
/** In the log at seq; or (seq UINT64_MAX) the ledger never takes it, and why. */
void cu_spooled_settled(struct cu_spooled *at, uint64_t seq, const char *why);
/** What came of it has been stored elsewhere (`whole`), or nobody goes on with it: its slot is free, at once or with the next process. */
void cu_spooled_end(struct cu_spooled *at, bool whole);
/** Bytes for one that is busy, after cu_receive_begin; as cu_receive_add, whose stream goes on when a folder's manifest has come. */
CU_MUST_USE cu_status cu_spooled_add(struct cu_spooled *at, struct cu_span bytes, struct cu_err *err);
/** Its outcome, signed: durable. */
CU_MUST_USE cu_status cu_spooled_sign(struct cu_spooled *at, struct cu_span record, struct cu_err *err);
bool cu_spooled_open(enum cu_spooled_state state); /* are bytes welcome? */
const char *cu_spooled_state_name(enum cu_spooled_state state);
uint64_t cu_spool_count(struct cu_spool *u, enum cu_spooled_state state);

#endif
