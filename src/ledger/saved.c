/* Keeping the state: cheap to save, cheap to open, and whatever is wrong with it is noticed.
 *
 * (1) The head says "clean" only while snapshot and delta are as it says, durably: it is made "unclean" before anything else
 *     changes, and "clean" again after everything is synced. So after a clean end every difference is damage.
 * (2) After an unclean end the state is the snapshot and as many frames of the delta as hold together: an older state of this
 *     log, whose tail is replayed. Frames are not synced one by one.
 * (3) A snapshot is published before its delta. Between the two the old delta is tied to another snapshot, and is ignored:
 *     the new snapshot has everything.
 * (4) Memory and delta are bounded: a save that would make the delta longer than its limit writes a snapshot instead.
 * (5) What was written since the last clean end may be what somebody's failed sync gave up, though it can be read: before the
 *     head says "clean" it is written again, in place.
 */
#include "ledger/saved.h"

#include "ledger/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#define DELTA_MIN (4u << 20) /* up to here a snapshot is not worth its while */
#define PATH_BYTES 512
#define ATTEMPTS 4

enum file_name { SNAPSHOT, DELTA, INCOMING_SNAPSHOT, INCOMING_DELTA, FILE_NAMES };
static const char *const names[FILE_NAMES] = { "snapshot", "delta", "incoming/snapshot", "incoming/delta" };

struct cu_saved {
    const struct cu_fs *fs;
    char dir[PATH_BYTES - 32], path[FILE_NAMES][PATH_BYTES];
    bool unclean;     /* so says the head already */
    bool saved;       /* by us, and nothing since */
    bool superseded;  /* what lies there is not ours: the next save begins with a snapshot */
    bool writing;     /* the delta is open for it */
    uint64_t sound;   /* by (5): so much of the delta was synced before a clean end */
    cu_hash snapshot; /* id of the published one; zero: none */
    struct cu_delta delta;

    /* between freeze and thaw */
    enum { NOTHING, DELTA_ALONE, ROWS, ALL } frozen;
    struct cu_mark mark;
    struct cu_buf frame;       /* ROWS: the next of the delta */
    struct cu_snapshot *fresh; /* ALL: what was frozen is in it */
};

/* ---- opening ------------------------------------------------------------------------------------------------------- */

static cu_status check_absent(const struct cu_saved *s, enum file_name file, struct cu_err *err)
{
    struct cu_file_stat stat;
    cu_status status = s->fs->ops->stat(s->fs->self, s->path[file], &stat, err);

    ENSURE(status != CU_OK, err, CU_CORRUPT, "%s/head: missing, though %s lies there", s->dir, names[file]);
    return status == CU_NOT_FOUND ? CU_OK : status;
}

static cu_status load_snapshot(struct cu_saved *s, struct cu_state *state, struct cu_mark *mark, struct cu_err *err)
{
    cu_status status = cu_snapshot_open(s->fs, s->path[SNAPSHOT], &state->snapshot, mark, err);

    s->snapshot = status == CU_OK ? cu_snapshot_id(state->snapshot) : (cu_hash){ 0 };
    return status == CU_NOT_FOUND ? CU_OK : status;
}

static cu_status load_delta(struct cu_saved *s, struct cu_state *state, struct cu_mark *mark, struct cu_err *err)
{
    cu_status status = cu_delta_open(s->fs, s->path[DELTA], false, &s->snapshot, &s->delta, err);

    if (status != CU_OK || !s->delta.file) return status == CU_NOT_FOUND ? CU_OK : status;
    return cu_delta_read(&s->delta, &state->map, mark, err);
}

static cu_status check_clean(struct cu_saved *s, const struct cu_state_head *head, struct cu_err *err)
{
    uint64_t size = 0;

    if (s->delta.file) TRY(s->delta.file->ops->size(s->delta.file, &size, err));
    ENSURE(cu_hash_eq(&head->snapshot, &s->snapshot), err, CU_CORRUPT,
           "%s: closed cleanly with another snapshot than the one that lies there", s->path[SNAPSHOT]);
    ENSURE(s->delta.file && head->delta == size && head->delta == s->delta.end && cu_hash_eq(&head->chain, &s->delta.chain), err,
           CU_CORRUPT, "%s: closed cleanly with %llu bytes, and not as it lies there", s->path[DELTA],
           (unsigned long long)head->delta);
    return CU_OK; /* by (1) */
}

static cu_status load(struct cu_saved *s, struct cu_state *state, struct cu_mark *mark, cu_hash *ret_sum, struct cu_err *err)
{
    struct cu_state_head head;
    cu_status status = cu_state_head_read(s->fs, s->dir, &head, ret_sum, err);

    if (status == CU_NOT_FOUND) {
        TRY(check_absent(s, SNAPSHOT, err));
        return check_absent(s, DELTA, err); /* neither: a fresh ledger */
    }
    if (status != CU_OK) return status;
    s->unclean = !head.clean;
    TRY(load_snapshot(s, state, mark, err));
    TRY(load_delta(s, state, mark, err)); /* by (2) */
    s->sound = head.clean ? s->delta.end : 0;
    return head.clean ? check_clean(s, &head, err) : CU_OK;
}

static void forget(struct cu_saved *s, struct cu_state *state, struct cu_mark *mark)
{
    cu_delta_close(&s->delta);
    cu_state_free(state);
    cu_state_init(state);
    *mark = (struct cu_mark){ 0 };
}

/* A writer may be at work while we read: when the head is another one afterwards, what we read is no evidence of damage. */
static cu_status load_steadily(struct cu_saved *s, struct cu_state *state, struct cu_mark *mark, struct cu_err *err)
{
    cu_status status = CU_OK;

    for (int i = 0; i < ATTEMPTS; i++) {
        cu_hash before = { 0 }, after = { 0 };
        struct cu_state_head head;
        status = load(s, state, mark, &before, err);
        if (status == CU_OK) return CU_OK;
        forget(s, state, mark);
        (void)!cu_state_head_read(s->fs, s->dir, &head, &after, NULL);
        if (cu_hash_eq(&before, &after)) break;
    }
    return status;
}

static void drop_saved(struct cu_saved **s)
{
    if (*s) cu_delta_close(&(*s)->delta);
    if (*s) cu_buf_free(&(*s)->frame);
    free(*s);
}

cu_status cu_saved_open(const struct cu_fs *fs, const char *dir, bool afresh, struct cu_saved **ret, struct cu_state *state,
                        struct cu_mark *mark, struct cu_err *err)
{
    CU_CLEANUP(drop_saved) struct cu_saved *s = calloc(1, sizeof *s);

    ENSURE(s, err, CU_NO_MEMORY, "no memory to open a state");
    ENSURE(strlen(dir) < sizeof s->dir, err, CU_USAGE, "the state's folder has too long a name");
    s->fs = fs;
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    for (int i = 0; i < FILE_NAMES; i++) snprintf(s->path[i], sizeof s->path[i], "%s/%s", dir, names[i]);
    if (!afresh) TRY(load_steadily(s, state, mark, err));
    s->superseded = afresh;
    *ret = s;
    s = NULL;
    return CU_OK;
}

void cu_saved_restart(struct cu_saved *s)
{
    if (!s) return;
    cu_delta_close(&s->delta);
    s->superseded = true;
    s->saved = false;
}

/* ---- saving -------------------------------------------------------------------------------------------------------- */

/* (1) */
static cu_status mark_unclean(struct cu_saved *s, struct cu_err *err)
{
    if (s->unclean) return CU_OK;
    TRY(cu_state_head_write(s->fs, s->dir, &(struct cu_state_head){ .clean = 0 }, err));
    s->unclean = true;
    return CU_OK;
}

/* A new delta for the published snapshot. */
static cu_status begin_delta(struct cu_saved *s, struct cu_err *err)
{
    cu_delta_close(&s->delta);
    TRY(cu_delta_create(s->fs, s->path[INCOMING_DELTA], &s->snapshot, err));
    TRY(s->fs->ops->rename(s->fs->self, s->path[INCOMING_DELTA], s->path[DELTA], err));
    TRY(s->fs->ops->sync_dir(s->fs->self, s->dir, err));
    s->writing = true;
    s->sound = 0;
    return cu_delta_open(s->fs, s->path[DELTA], true, &s->snapshot, &s->delta, err);
}

/* The one that was read, open for writing now. */
static cu_status continue_delta(struct cu_saved *s, struct cu_err *err)
{
    struct cu_delta delta;

    if (s->writing) return CU_OK;
    TRY(cu_delta_open(s->fs, s->path[DELTA], true, &s->snapshot, &delta, err));
    ENSURE(delta.file, err, CU_CORRUPT, "%s: changed since it was read", s->path[DELTA]);
    cu_delta_close(&s->delta);
    s->delta.file = delta.file;
    s->writing = true;
    return CU_OK;
}

/* (3) */
static cu_status write_snapshot(struct cu_saved *s, const struct cu_state *state, struct cu_err *err)
{
    struct cu_mark same;

    cu_delta_close(&s->delta);
    TRY(cu_snapshot_write(s->fs, s->path[INCOMING_SNAPSHOT], state, &s->mark, err));
    TRY(s->fs->ops->rename(s->fs->self, s->path[INCOMING_SNAPSHOT], s->path[SNAPSHOT], err));
    TRY(s->fs->ops->sync_dir(s->fs->self, s->dir, err));
    TRY(cu_snapshot_open(s->fs, s->path[SNAPSHOT], &s->fresh, &same, err));
    s->snapshot = cu_snapshot_id(s->fresh);
    return begin_delta(s, err);
}

static uint64_t delta_limit(const struct cu_state *state)
{
    uint64_t half = state->snapshot ? cu_snapshot_bytes(state->snapshot) / 2 : 0;

    return half < DELTA_MIN ? DELTA_MIN : half > CU_STATE_DELTA_MAX ? CU_STATE_DELTA_MAX : half /* what an opening may cost */;
}

cu_status cu_saved_freeze(struct cu_saved *s, struct cu_state *state, const struct cu_mark *mark, struct cu_err *err)
{
    if (!s) {
        cu_map_saved(&state->map);
        return CU_OK;
    }
    bool nothing = state->map.unsaved.n == 0 && !s->superseded;
    bool grown = s->delta.end + cu_delta_frame_bytes(&state->map) > delta_limit(state); /* (4) */

    s->frozen = NOTHING;
    if (nothing && (s->saved || !s->unclean)) return CU_OK;
    s->saved = false;
    s->mark = *mark;
    if (nothing) s->frozen = DELTA_ALONE;
    else if (!s->superseded && !grown) {
        cu_status status = cu_delta_frame(&state->map, mark, &s->frame, err);
        if (status != CU_OK) cu_buf_free(&s->frame);
        TRY(status);
        cu_map_saved(&state->map);
        s->frozen = ROWS;
    } else {
        s->superseded = true; /* until all of it is there, the next save comes here again */
        TRY(cu_state_freeze(state, err));
        s->frozen = ALL;
    }
    return CU_OK;
}

static cu_status write_rows(struct cu_saved *s, struct cu_err *err)
{
    TRY(s->delta.file ? continue_delta(s, err) : begin_delta(s, err)); /* no delta: what the map has is unsaved, all of it */
    return cu_delta_append(&s->delta, &s->frame, err);
}

static cu_status write_frozen(struct cu_saved *s, const struct cu_state *state, struct cu_err *err)
{
    TRY(mark_unclean(s, err));
    if (s->frozen == ROWS) return write_rows(s, err);
    if (s->frozen == ALL) return write_snapshot(s, state, err);
    return s->delta.file ? CU_OK : begin_delta(s, err); /* an interrupted save got as far as the snapshot */
}

cu_status cu_saved_write(struct cu_saved *s, const struct cu_state *state, struct cu_err *err)
{
    if (!s || s->frozen == NOTHING) return CU_OK;
    cu_status status = write_frozen(s, state, err);
    s->saved = status == CU_OK;
    s->superseded = status != CU_OK && s->frozen != DELTA_ALONE; /* rows that are nowhere else: all of it, next time */
    return status;
}

void cu_saved_thaw(struct cu_saved *s, struct cu_state *state)
{
    if (!s) return;
    cu_buf_free(&s->frame);
    if (s->fresh && s->saved) cu_state_thaw(state, s->fresh);
    else cu_snapshot_close(s->fresh);
    s->fresh = NULL;
    s->frozen = NOTHING;
}

/* (5) */
static cu_status write_again(struct cu_file *f, uint64_t at, uint64_t n, struct cu_err *err)
{
    uint8_t bytes[16384];
    size_t got;

    for (; at < n; at += got) {
        TRY(f->ops->read_at(f, at, bytes, n - at < sizeof bytes ? (size_t)(n - at) : sizeof bytes, &got, err));
        ENSURE(got > 0, err, CU_CHANGED, "the delta of the state shrank while it was read");
        TRY(f->ops->write_at(f, at, cu_span(bytes, got), err));
    }
    return CU_OK;
}

static cu_status mark_clean(struct cu_saved *s, struct cu_err *err)
{
    const struct cu_state_head head = { .clean = 1, .snapshot = s->snapshot, .delta = s->delta.end, .chain = s->delta.chain };

    TRY(continue_delta(s, err));
    TRY(s->delta.file->ops->truncate(s->delta.file, s->delta.end, err)); /* an interrupted save may have left more */
    TRY(write_again(s->delta.file, s->sound, s->delta.end, err));
    TRY(s->delta.file->ops->sync(s->delta.file, err));
    return cu_state_head_write(s->fs, s->dir, &head, err); /* (1) */
}

void cu_saved_close(struct cu_saved *s, const struct cu_state *state)
{
    if (!s) return;
    if (s->saved && state->map.unsaved.n == 0 && state->frozen.n == 0) (void)!mark_clean(s, NULL);
    drop_saved(&s);
}
