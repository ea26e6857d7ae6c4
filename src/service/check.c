/* `check`: everything again, from what lies on disk; and `reindex`. */
#include "service/audit.h"
#include "service/cosigned.h"

#include <stdio.h>

/* ---- trust files: what readers pin is derived from the key and genesis ---- */
static cu_status judge_derived(struct cu_audit *a, const char *where, struct cu_span good, struct cu_err *err)
{
    CU_BUF there = cu_buf_heap(CU_TRUST_MAX);

    cu_status read = cu_audit_read(a, where, CU_TRUST_MAX, &there, NULL);
    if (read == CU_OK && cu_span_eq(cu_buf_span(&there), good)) return CU_OK;
    return cu_audit_file(a, where, read == CU_NOT_FOUND, good, err);
}

static cu_status judge_trust(struct cu_audit *a, struct cu_err *err)
{
    CU_BUF policy = cu_buf_heap(CU_TRUST_MAX), vkey = cu_buf_heap(CU_TRUST_MAX);

    const bool full = a->p->trust.epochs_n == CU_EPOCHS_MAX ||
                      a->p->trust_text.n > CU_TRUST_MAX / 2; /* the oldest was left out */
    if (a->p->trust.epoch[0].first.v > 0 && !full)
        cu_audit_report(a, "damaged", CU_FILE_TRUST, NULL, false,
                        "its first epoch does not begin with the log: receipts of the first %llu entries would not verify by it; "
                        "take the file from a reader who pinned it",
                        (unsigned long long)a->p->trust.epoch[0].first.v);
    if (a->ret->dirty) return CU_OK; /* a batch that began an epoch may be half done: its replay writes what is derived, too */
    TRY(cu_trust_derived(&a->p->trust, &policy, &vkey, err));
    TRY(judge_derived(a, CU_FILE_POLICY, cu_buf_span(&policy), err));
    return vkey.n ? judge_derived(a, CU_FILE_VKEY, cu_buf_span(&vkey), err) : CU_OK;
}

/* ---- the whole ---- */
/* State and head are read before the log, so that a writer beside us only makes it longer. */
static cu_status read_first(struct cu_audit *a, struct cu_err *err)
{
    const struct cu_engine_care *care = &a->p->care;

    if (care->reach && care->reach(care->self, &a->drained, &a->acknowledged, NULL) != CU_OK)
        a->drained.v = a->acknowledged.v = 0;
    for (int tries = 0; tries < 2 && !a->state_known; tries++) /* a read that fails once is no damage */
        a->state_known = cu_audit_saw(a, cu_ledger_state_check(&a->p->fs, CU_DIR_NODE_STATE, &a->state_tip, &a->state_hash,
                                                               NULL)) == CU_OK;
    a->state_met = a->state_known && a->state_tip.size.v == 0 && cu_fs_exists(&a->p->fs, CU_DIR_NODE_STATE "/head") &&
                   cu_ledger_may_rebuild(&a->p->fs, CU_DIR_NODE_STATE); /* one that was begun: whoever writes next goes on */
    return cu_ledger_open(NULL, NULL, &a->replay, err);
}

static cu_status judge_hashes(struct cu_audit *a, struct cu_err *err)
{
    if (a->r->only & CU_CHECK_LOG) {
        TRY(cu_audit_checkpoint(a, err));
        TRY(cu_audit_logs(a, err));
    }
    if (!(a->r->only & CU_CHECK_OBJECTS)) return CU_OK;
    TRY(cu_audit_survey(a, err));
    return cu_audit_stores(a, err);
}

/* The checkpoint before the stores, so that what it covers lies there. */
static cu_status judge_everything(struct cu_audit *a, struct cu_err *err)
{
    TRY(read_first(a, err));
    TRY(cu_audit_checkpoint(a, err));
    TRY(cu_audit_index_begin(a, err));
    TRY(cu_audit_survey(a, err));
    TRY(cu_audit_index_read(a, err));
    TRY(cu_audit_logs(a, err));
    TRY(cu_audit_stores(a, err));
    TRY(cu_audit_held(a, err));
    TRY(cu_audit_parts(a, err));
    return judge_trust(a, err);
}

static cu_status judge_all(struct cu_audit *a, struct cu_err *err)
{
    if (a->p->care.dirty && a->p->care.dirty(a->p->care.self, &a->ret->dirty, NULL) != CU_OK) a->ret->dirty = false;
    const cu_status done = a->r->only ? judge_hashes(a, err) : judge_everything(a, err);
    ENSURE(!a->no_memory, err, CU_NO_MEMORY, "out of memory: not everything could be judged");
    return done;
}

static void audit_free(struct cu_audit *a)
{
    cu_audit_index_free(a);
    cu_ledger_close(a->replay);
    cu_audit_survey_free(a);
    cu_buf_free(&a->note);
    cu_buf_free(&a->noted);
    cu_buf_free(&a->leaned);
}

/* ---- one run ---- */
static cu_status repair(struct cu_audit *a, struct cu_err *err)
{
    cu_status done;
    void *lock;

    TRY(cu_repair_begin(a, err));
    TRY(a->p->fs.ops->lock(a->p->fs.self, CU_FILE_LOCK, 0, &lock, err));
    done = judge_all(a, err);
    if (done == CU_OK) done = cu_repair_end(a, err);
    a->p->fs.ops->unlock(a->p->fs.self, lock);
    return done;
}

cu_status cu_check(struct cu_place *p, const struct cu_check_request *r, struct cu_check_result *ret, struct cu_err *err)
{
    struct cu_audit a = { .p = p, .r = r, .ret = ret, .noted = cu_buf_heap(CU_NOTED_MAX), .leaned = cu_buf_heap(SIZE_MAX / 4) };
    cu_status done;

    memset(ret, 0, sizeof *ret);
    done = r->repair ? repair(&a, err) : judge_all(&a, err);
    audit_free(&a);
    return done;
}

/* ---- reindex ---- */

/* What lies there stays as it is until the new state takes its place, whole; a crash in between leaves the one or the other. */
cu_status cu_reindex_state(struct cu_place *p, cu_hash *ret_digest, struct cu_err *err)
{
    const struct cu_check_request quiet = { 0 };
    struct cu_check_result result = { 0 };
    struct cu_audit a = { .p = p, .r = &quiet, .ret = &result };
    cu_status done;

    TRY(cu_ledger_open_afresh(&p->fs, CU_DIR_NODE_STATE, &a.replay, err));
    done = cu_audit_replay_log(&a, err);
    const struct cu_machine m = cu_ledger_machine(a.replay);
    if (done == CU_OK && a.log_broken)
        done = cu_fail(err, CU_CORRUPT, "the log does not follow the rules: `custody check` names what is wrong");
    if (done == CU_OK) done = m.save(m.self, err);
    if (done == CU_OK) *ret_digest = cu_ledger_digest(a.replay);
    cu_ledger_close(a.replay);
    return done;
}
