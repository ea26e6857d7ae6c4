/* The ledger's own struct, shared by the files of this room and by nobody else. */
#ifndef CU_LEDGER_INSIDE_H
#define CU_LEDGER_INSIDE_H

#include "ledger/ledger.h"
#include "ledger/state.h"

#include <pthread.h>

/** What genesis and confirms made: who may act, and the policy. */
struct cu_founding {
    bool founded;
    struct cu_members members;
    struct cu_policy policy;
    uint8_t mandatory[CU_PARTIES_MAX * 9]; /* memory of policy.mandatory, */
    uint8_t seal[CU_MUST_SEAL_MAX * 36];   /* and of policy.seal */
};

struct cu_saved;

struct cu_ledger {
    struct cu_state state;
    struct cu_saved *saved;               /* NULL: in memory only */
    struct cu_mark now, next;             /* committed; with the open batch */
    struct cu_founding *in_force, *draft; /* committed; changed by the open batch if `drafted` */
    bool drafted;
    pthread_rwlock_t lock;                /* guards in_force against `prepare` in other threads */
    struct cu_verifier verifier;          /* for the rare signature that `prepare` could not judge */
    bool open, closed;                    /* a batch is; it has been through `end` */
    uint64_t height, opened, first;       /* of the open batch */
    cu_ledger_changed *changed;           /* NULL: nobody watches */
    void *changed_arg;
};

static inline struct cu_founding *cu_acting(struct cu_ledger *l) { return l->drafted ? l->draft : l->in_force; }

struct cu_tip cu_mark_tip(const struct cu_mark *mark);

void cu_ledger_prepare(void *self, struct cu_submission *subs, size_t n, struct cu_verifier *by);
CU_MUST_USE cu_status cu_ledger_step(void *self, struct cu_submission *sub, struct cu_err *err);

/** Judge the signatures of those among n submissions that are good so far, not trusted and not judged: one call of the verifier.
 *  Sets `verified`, or why not; leaves a submission alone while a key of it, or the network, is unknown. False: no memory. */
CU_MUST_USE bool cu_ledger_verify(struct cu_ledger *l, const struct cu_founding *f, struct cu_submission *subs, size_t n,
    struct cu_verifier *by);

/** What genesis lists, as rows; and back. */
void cu_founding_put(struct cu_state *s, const struct cu_founding *f);
void cu_founding_put_confirmed(struct cu_state *s, const struct cu_founding *f, uint64_t organisation, cu_seq seq);
/** What a member entry at `seq` changed: the party, the keys from the `keys_before`-th on, and what was revoked there. */
void cu_founding_put_member(struct cu_state *s, const struct cu_founding *f, uint64_t party, size_t keys_before, cu_seq seq);
/** What a proposal or an approval changed, since the members were as `before`; and the policy is what it became. */
CU_MUST_USE cu_status cu_founding_put_changed(struct cu_state *s, const struct cu_members *before, struct cu_founding *f, struct cu_err *err);
CU_MUST_USE cu_status cu_founding_get(struct cu_state *s, struct cu_founding *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_founding_set_policy(struct cu_founding *f, const struct cu_policy *policy, struct cu_err *err);

/** Append a deposit's id, as a leaf hash, to the tree of a case or key that has n of them; the tree's root. */
void cu_scope_append(struct cu_state *s, struct cu_span scope, uint64_t n, const cu_hash *leaf);
cu_hash cu_scope_root(struct cu_state *s, struct cu_span scope, uint64_t n);
/** Fill n, root, last and open of an inventory that names its case or key; `*ret_changed`: the newest position at which any of
 *  these changed. UNKNOWN_CASE. TOO_LARGE: more open numbers than an inventory holds. */
CU_MUST_USE cu_status cu_inventory_true(struct cu_state *s, struct cu_inventory *io, struct cu_buf *mem, uint64_t *ret_changed,
    struct cu_err *err);

#endif
