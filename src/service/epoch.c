/* Epochs of trust, which the ledger makes itself.
 *
 * (1) Where a batch changes whose keys sign for the log, or how many cosignatures are asked for, the first checkpoint that covers its block is
 *     the last one of the epoch: one size behind the block, whatever the engine. Larger ones are signed by the new keys.
 * (2) The new epoch is durable in the trust file when the batch is committed, so before any larger checkpoint is signed. A crash between
 *     leaves a batch that is replayed, and its epoch is made then.
 * (3) The checkpoint with which an epoch ends is kept: it proves the change to whoever trusts the keys of before, and a key that was replaced twice
 *     is not there to sign it again.
 */
#include "service/cosigned.h"
#include "service/service.h"

#include "custody/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct cu_epochs {
    const struct cu_place *p;
    pthread_mutex_t lock; /* the writer makes epochs, whoever publishes signs */
    struct cu_buf text;
    struct cu_trust trust;
    _Atomic uint64_t made;
};

uint64_t cu_epochs_made(const struct cu_epochs *e) { return e->made; }

/* ---- the file ---- */

static cu_status replace(const struct cu_fs *fs, const char *path, struct cu_span text, struct cu_err *err)
{
    return cu_fs_replace(fs, path, CU_DIR_TRUST "/incoming", text, true, err);
}

cu_status cu_trust_replace(const struct cu_fs *fs, struct cu_span text, struct cu_err *err)
{
    CU_BUF policy = cu_buf_heap(CU_TRUST_MAX), vkey = cu_buf_heap(CU_TRUST_MAX);
    struct cu_trust *trust = malloc(sizeof *trust);

    ENSURE(trust, err, CU_NO_MEMORY, "no memory for a trust file: nothing was changed");
    cu_status done = cu_trust_read(text, trust, err);
    if (done == CU_OK) done = cu_trust_derived(trust, &policy, &vkey, err);
    free(trust);
    TRY(done);
    TRY(replace(fs, CU_FILE_VKEY, cu_buf_span(&vkey), err));
    TRY(replace(fs, CU_FILE_POLICY, cu_buf_span(&policy), err));
    return replace(fs, CU_FILE_TRUST, text, err); /* last: until it is there the same can be done again */
}

/* ---- the next epoch ---- */

static cu_status begin_epoch(struct cu_epochs *e, const struct cu_members *now, struct cu_span keys, cu_size size,
                             struct cu_err *err)
{
    const struct cu_epoch *covers = cu_trust_epoch(&e->trust, (cu_size){ size.v + 1 });
    CU_BUF policy = cu_buf_heap(CU_TRUST_MAX), text = cu_buf_heap(CU_TRUST_MAX);

    if (!covers) return CU_OK; /* the file ends before: it is none that goes on by itself */
    cu_buf_add(&policy, keys);
    cu_trust_outside(covers->policy_text, now->terms.cosigners > 0, &policy);
    TRY(cu_buf_ok(&policy, err));
    const bool made = cu_span_eq(covers->policy_text, cu_buf_span(&policy)), newest = covers->last.v == UINT64_MAX;
    if (!newest) return CU_OK; /* (2): of a batch that is replayed it was made long ago */
    if (made) return cu_trust_replace(&e->p->fs, cu_buf_span(&e->text), err);
    cu_trust_append(&e->trust, cu_buf_span(&e->text), size.v, cu_buf_span(&policy), &text);
    TRY(cu_buf_ok(&text, err));
    TRY(cu_trust_replace(&e->p->fs, cu_buf_span(&text), err));
    const struct cu_buf old = e->text;
    e->text = text;
    text = old;
    e->made++;
    return cu_trust_read(cu_buf_span(&e->text), &e->trust, err);
}

cu_status cu_epochs_changed(void *epochs, const struct cu_members *before, const struct cu_members *now, cu_size size,
                            struct cu_err *err)
{
    struct cu_epochs *e = epochs;
    CU_BUF was = cu_buf_heap(CU_TRUST_MAX), is = cu_buf_heap(CU_TRUST_MAX);
    struct cu_tlog_policy *policy;
    const struct cu_public_key *own = &e->p->key[CU_SIGNER_LOG].pub; /* its line comes first */

    if (before->parties_n == 0) return CU_OK; /* genesis, which the file began with */
    policy = malloc(sizeof *policy);
    ENSURE(policy, err, CU_NO_MEMORY, "no memory for the next epoch of the trust file");
    pthread_mutex_lock(&e->lock);
    cu_status done = cu_trust_policy(&e->trust, e->trust.epoch[e->trust.epochs_n - 1].first, policy, err);
    const struct cu_span origin = done == CU_OK ? policy->log[0].name : CU_SPAN_EMPTY;
    if (done == CU_OK) done = cu_trust_of_members(before, origin, own, &was, err);
    if (done == CU_OK) done = cu_trust_of_members(now, origin, own, &is, err);
    if (done == CU_OK && !cu_span_eq(cu_buf_span(&was), cu_buf_span(&is)))
        done = begin_epoch(e, now, cu_buf_span(&is), size, err); /* (1) */
    pthread_mutex_unlock(&e->lock);
    free(policy);
    return done;
}

/* ---- by whose key ---- */

/* Who is in no epoch yet, because he has not confirmed, has the one key that he begins with. */
static const struct cu_private_key *key_of(const struct cu_place *p, const struct cu_trust *trust, cu_size size)
{
    struct cu_tlog_policy policy;

    if (cu_trust_policy(trust, size, &policy, NULL) != CU_OK) return &p->key[CU_SIGNER_LOG];
    for (size_t i = 0; i < policy.logs_n; i++)
        for (size_t k = 0; k < CU_LOG_KEYS; k++)
            if (p->log_key[k].ctx && cu_span_eq(cu_public_span(&policy.log[i].pub), cu_public_span(&p->log_key[k].pub)))
                return &p->log_key[k];
    return &p->key[CU_SIGNER_LOG];
}

cu_status cu_log_sign(const struct cu_place *p, const struct cu_trust *trust, cu_size size, struct cu_span text,
                      struct cu_buf *ret, struct cu_err *err)
{
    struct cu_checkpoint checkpoint;

    TRY(cu_checkpoint_read(text, &checkpoint, err));
    return cu_note_sign(ret, text, checkpoint.origin, key_of(p, trust, size), err);
}

void cu_epoch_last_path(cu_size size, char ret[64]) { snprintf(ret, 64, CU_DIR_TRUST "/last-%llu", LLU(size.v)); }

/* By (3). */
static cu_status keep_last(const struct cu_place *p, cu_size size, struct cu_span note, struct cu_err *err)
{
    char path[64];

    cu_epoch_last_path(size, path);
    return cu_fs_exists(&p->fs, path) ? CU_OK : cu_fs_replace(&p->fs, path, CU_DIR_TRUST "/incoming", note, true, err);
}

static cu_status sign(void *self, cu_size size, struct cu_span text, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_epochs *e = self;

    pthread_mutex_lock(&e->lock);
    const struct cu_epoch *covers = cu_trust_epoch(&e->trust, size);
    const bool last = covers && covers->last.v == size.v;
    cu_status done = cu_log_sign(e->p, &e->trust, size, text, ret, err);
    if (done == CU_OK && last) done = keep_last(e->p, size, cu_buf_span(ret), err);
    pthread_mutex_unlock(&e->lock);
    return done;
}

struct cu_log_signer cu_epochs_signer(struct cu_epochs *e) { return (struct cu_log_signer){ e, sign }; }

/* ---- open and close ---- */

void cu_epochs_close(struct cu_epochs *e)
{
    if (!e) return;
    cu_buf_free(&e->text);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

cu_status cu_epochs_open(const struct cu_place *p, struct cu_epochs **ret, struct cu_err *err)
{
    struct cu_epochs *e = calloc(1, sizeof *e);

    ENSURE(e, err, CU_NO_MEMORY, "no memory for a trust file");
    e->p = p;
    pthread_mutex_init(&e->lock, NULL);
    e->text = cu_buf_heap(CU_TRUST_MAX);
    cu_buf_add(&e->text, cu_buf_span(&p->trust_text));
    cu_status read = cu_buf_ok(&e->text, err);
    if (read == CU_OK) read = cu_trust_read(cu_buf_span(&e->text), &e->trust, err);
    if (read != CU_OK) cu_epochs_close(e);
    else *ret = e;
    return read;
}
