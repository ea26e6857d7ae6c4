/* Cosigning, by compare and swap.
 *
 *  1. A cosignature leaves only after the state that names its checkpoint is durable. So after a crash the state is what left last, or
 *     something newer that nobody has.
 *  2. The state of a log is a signed note: the checkpoint and this key's cosignature over it. Whoever lacks the key cannot make one, and
 *     each is verified when it is read; one that is damaged, or missing, stops this log for good.
 *  3. The next checkpoint is as large or larger and, by a proof or by the log's own nodes, goes on from the last. So no size is
 *     signed with two roots.
 *  4. A state is begun on purpose, by a file that names the key. An empty folder (a medium that is not mounted) is no state.
 *  5. Times do not go back, whatever the clock says.
 */
#include "service/cosigner.h"

#include "custody/text.h"

#include <stdio.h>

#define MARK "cosigner"
#define LOCK "lock"
#define LOCK_MS 10000

struct state {
    struct cu_buf bytes;
    struct cu_note note;
    struct cu_checkpoint last;
    uint64_t unix_s;
};
static void state_free(struct state *s) { cu_buf_free(&s->bytes); }

static void path_of(const struct cu_cosigner *c, struct cu_span origin, char ret[400])
{
    const cu_hash name = cu_sha256(origin);
    char hex[65];

    cu_hash_hex(&name, hex);
    snprintf(ret, 400, "%s/%s", c->dir, hex);
}

static cu_status put(const struct cu_fs *fs, const char *dir, const char *path, struct cu_span bytes, struct cu_err *err)
{
    char tmp[400];

    snprintf(tmp, sizeof tmp, "%s/incoming", dir);
    return cu_fs_replace(fs, path, tmp, bytes, true, err);
}

/* ---- which key ---- */

cu_status cu_cosigner_create(const struct cu_fs *fs, const char *dir, struct cu_span name, const struct cu_private_key *key,
                             struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(1024);
    struct cu_vkey vkey;
    char path[400];

    snprintf(path, sizeof path, "%s/" MARK, dir);
    ENSURE(!cu_fs_exists(fs, path), err, CU_NOT_ALLOWED,
           "%s: a cosigner's state lies there already: nothing was touched, for whoever begins anew may sign what contradicts it",
           dir);
    TRY(cu_vkey_make(name, CU_NOTE_COSIGNATURE, &key->pub, &vkey, err));
    TRY(cu_vkey_write(&vkey, &text, err));
    cu_buf_add_byte(&text, '\n');
    TRY(cu_buf_ok(&text, err));
    TRY(fs->ops->make_dir(fs->self, dir, err));
    return put(fs, dir, path, cu_buf_span(&text), err);
}

static cu_status read_mark(struct cu_cosigner *c, struct cu_err *err)
{
    struct cu_span text, line;
    char path[400];

    snprintf(path, sizeof path, "%s/" MARK, c->dir);
    const cu_status read = cu_fs_read(c->fs, path, 1024, &c->text, err);
    if (read == CU_NOT_FOUND)
        return cu_fail(
            err, read,
            "%s: no cosigner's state is there, so nothing is cosigned. If it lies on a medium of its own, attach that; "
            "if it is lost, the key may never be used again: make another",
            c->dir);
    TRY(read);
    text = cu_buf_span(&c->text);
    ENSURE(cu_span_split(&text, '\n', &line) && text.n == 0 && cu_vkey_read(line, &c->vkey, NULL) == CU_OK &&
               c->vkey.type == CU_NOTE_COSIGNATURE,
           err, CU_CORRUPT, "%s: it should hold one verifier key of a cosigner; nothing is cosigned", path);
    ENSURE(cu_span_eq(cu_public_span(&c->vkey.pub), cu_public_span(&c->key->pub)), err, CU_UNTRUSTED,
           "%s: this is the state of another key than the cosigner's: nothing is cosigned", c->dir);
    return CU_OK;
}

cu_status cu_cosigner_open(const struct cu_fs *fs, const char *dir, const struct cu_private_key *key, struct cu_clock clock,
                           struct cu_cosigner *ret, struct cu_err *err)
{
    struct cu_cosigner c = { fs, dir, key, clock, cu_verifier_plain(), cu_buf_heap(1024), { .id = 0 } };
    const cu_status read = read_mark(&c, err);

    if (read == CU_OK) *ret = c;
    else cu_cosigner_close(&c);
    return read;
}

void cu_cosigner_close(struct cu_cosigner *c) { cu_buf_free(&c->text); }

/* ---- the state of a log ---- */

/* The line of this key, verified. False: there is none, or a bad one. */
static bool find_line(struct cu_cosigner *c, const struct cu_note *note, const struct cu_note_sig **ret, uint64_t *ret_unix_s)
{
    for (size_t i = 0; i < note->sigs_n; i++)
        if (note->sig[i].id == c->vkey.id && cu_span_eq(note->sig[i].name, c->vkey.name))
            return *ret = &note->sig[i], cu_note_verify(note, *ret, &c->vkey, &c->by, ret_unix_s, NULL) == CU_OK;
    return false;
}

static cu_status read_state(struct cu_cosigner *c, struct cu_span origin, struct state *ret, struct cu_err *err)
{
    const struct cu_note_sig *line;
    char path[400];

    path_of(c, origin, path);
    ret->bytes = cu_buf_heap(CU_NOTE_MAX);
    const cu_status read = cu_fs_read(c->fs, path, CU_NOTE_MAX, &ret->bytes, err);
    if (read == CU_NOT_FOUND)
        return cu_fail(err, read, "there is no state of the log %.*s: it is not cosigned here", (int)origin.n,
                       (const char *)origin.p);
    TRY(read);
    ENSURE(cu_note_read(cu_buf_span(&ret->bytes), &ret->note, NULL) == CU_OK &&
               cu_checkpoint_read(ret->note.text, &ret->last, NULL) == CU_OK && cu_span_eq(ret->last.origin, origin) &&
               find_line(c, &ret->note, &line, &ret->unix_s),
           err, CU_CORRUPT,
           "%s is damaged: what was cosigned of %.*s is not known, so nothing more of it is. Put the file back from where it is "
           "kept twice, or let another key go on",
           path, (int)origin.n, (const char *)origin.p);
    return CU_OK;
}

/* By (1). The line alone is what leaves. */
static cu_status swap(struct cu_cosigner *c, struct cu_span text, struct cu_span origin, uint64_t unix_s, struct cu_buf *ret,
                      struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    char path[400];

    TRY(cu_note_cosign(&note, text, c->vkey.name, c->key, unix_s, err));
    path_of(c, origin, path);
    TRY(put(c->fs, c->dir, path, cu_buf_span(&note), err));
    if (!ret) return CU_OK;
    cu_buf_add(ret, cu_span_from(cu_buf_span(&note), text.n + 1));
    return cu_buf_ok(ret, err);
}

static cu_status take_lock(struct cu_cosigner *c, void **ret, struct cu_err *err)
{
    char path[400];

    snprintf(path, sizeof path, "%s/" LOCK, c->dir);
    return c->fs->ops->lock(c->fs->self, path, LOCK_MS, ret, err);
}

static cu_status begin_locked(struct cu_cosigner *c, struct cu_span origin, struct cu_err *err)
{
    CU_CLEANUP(state_free) struct state state = { .unix_s = 0 };
    CU_BUF text = cu_buf_heap(CU_NOTE_MAX);
    const struct cu_checkpoint nothing = { origin, { 0 }, cu_empty_root() };
    const cu_status read = read_state(c, origin, &state, err);

    if (read != CU_NOT_FOUND) return read;
    cu_checkpoint_put(&nothing, &text);
    TRY(cu_buf_ok(&text, err));
    return swap(c, cu_buf_span(&text), origin, 0, NULL, err);
}

cu_status cu_cosigner_begin(struct cu_cosigner *c, struct cu_span origin, struct cu_err *err)
{
    void *lock;

    TRY(take_lock(c, &lock, err));
    const cu_status begun = begin_locked(c, origin, err);
    c->fs->ops->unlock(c->fs->self, lock);
    return begun;
}

cu_status cu_cosigner_last(struct cu_cosigner *c, struct cu_span origin, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(state_free) struct state state = { .unix_s = 0 };

    TRY(read_state(c, origin, &state, err));
    cu_buf_add(ret, cu_buf_span(&state.bytes));
    return cu_buf_ok(ret, err);
}

/* ---- the next ---- */

/* By (3). */
static cu_status goes_on(const struct cu_checkpoint *last, const struct cu_checkpoint *next, const cu_hash *proof, size_t n,
                         struct cu_err *err)
{
    bool good;

    if (last->size.v == next->size.v) good = n == 0 && cu_hash_eq(&last->root, &next->root);
    else if (last->size.v == 0) good = n == 0;
    else good = cu_consistency_verify(last->size, &last->root, next->size, &next->root, proof, n, NULL) == CU_OK;
    ENSURE(good, err, CU_BAD_PROOF,
           "%llu entries of %.*s were cosigned, and what is shown of %llu does not go on from them: nothing was cosigned",
           LLU(last->size.v), (int)last->origin.n, (const char *)last->origin.p, LLU(next->size.v));
    return CU_OK;
}

static cu_status judge(const struct cu_checkpoint *last, const struct cu_checkpoint *next, const struct cu_cosign_step *step,
                       struct cu_err *err)
{
    cu_hash path[CU_PROOF_HASHES_MAX];
    size_t n = 0;

    if (!step->own) {
        ENSURE(step->old.v <= next->size.v, err, CU_MALFORMED, "the old size is above the checkpoint's: nothing was cosigned");
        ENSURE(step->old.v == last->size.v, err, CU_CHANGED, "%llu entries were cosigned last, not %llu", LLU(last->size.v),
               LLU(step->old.v));
        return goes_on(last, next, step->proof, step->n, err);
    }
    ENSURE(
        last->size.v <= next->size.v, err, CU_OUT_OF_ORDER,
        "the log here has %llu entries, and %llu were cosigned: an older copy was put in its place. Nothing is cosigned until it "
        "has all of them again",
        LLU(next->size.v), LLU(last->size.v));
    if (last->size.v > 0 && last->size.v < next->size.v)
        TRY(cu_consistency_make(step->own, last->size, next->size, path, &n, err));
    return goes_on(last, next, path, n, err);
}

static cu_status sign_locked(struct cu_cosigner *c, struct cu_span text, const struct cu_cosign_step *step, struct cu_buf *ret,
                             cu_size *ret_last, struct cu_err *err)
{
    CU_CLEANUP(state_free) struct state state = { .unix_s = 0 };
    const uint64_t now = c->clock.now(c->clock.self).v / 1000;
    struct cu_checkpoint next;

    TRY(cu_checkpoint_read(text, &next, err));
    TRY(read_state(c, next.origin, &state, err));
    *ret_last = state.last.size;
    TRY(judge(&state.last, &next, step, err));
    if (step->own && next.size.v == state.last.size.v && next.size.v > 0) {
        char path[400];
        path_of(c, next.origin, path);
        TRY(put(c->fs, c->dir, path, cu_buf_span(&state.bytes),
                err)); /* whoever wrote it may have ended before it was durable (1) */
        cu_buf_add(ret, cu_span_from(cu_buf_span(&state.bytes), text.n + 1));
        return cu_buf_ok(ret, err);
    }
    TRY(swap(c, text, next.origin, now > state.unix_s ? now : state.unix_s, ret, err)); /* (5) */
    *ret_last = next.size;
    return CU_OK;
}

cu_status cu_cosigner_sign(struct cu_cosigner *c, struct cu_span checkpoint, const struct cu_cosign_step *step,
                           struct cu_buf *ret, cu_size *ret_last, struct cu_err *err)
{
    void *lock;

    TRY(take_lock(c, &lock, err));
    const cu_status done = sign_locked(c, checkpoint, step, ret, ret_last, err);
    c->fs->ops->unlock(c->fs->self, lock);
    return done;
}

/* ---- what others remember ---- */

static cu_status recall_locked(struct cu_cosigner *c, const struct cu_note *note, const struct cu_checkpoint *said,
                               const struct cu_note_sig *line, struct cu_err *err)
{
    CU_CLEANUP(state_free) struct state state = { .unix_s = 0 };
    CU_BUF bytes = cu_buf_heap(CU_NOTE_MAX);
    char path[400];

    TRY(read_state(c, said->origin, &state, err));
    if (said->size.v <= state.last.size.v) return CU_OK;
    cu_buf_add(&bytes, note->text);
    cu_buf_add_byte(&bytes, '\n');
    cu_buf_add(&bytes, line->line);
    cu_buf_add_byte(&bytes, '\n');
    TRY(cu_buf_ok(&bytes, err));
    path_of(c, said->origin, path);
    return put(c->fs, c->dir, path, cu_buf_span(&bytes), err);
}

cu_status cu_cosigner_recall(struct cu_cosigner *c, const struct cu_note *note, const struct cu_node_source *own,
                             struct cu_err *err)
{
    const struct cu_note_sig *line;
    struct cu_checkpoint said;
    uint64_t unix_s;
    cu_hash root = cu_empty_root();
    void *lock;

    TRY(cu_checkpoint_read(note->text, &said, err));
    ENSURE(find_line(c, note, &line, &unix_s), err, CU_NOT_FOUND, "that is nothing that this key cosigned");
    if (said.size.v > 0) TRY(cu_range_root(own, (cu_seq){ 0 }, (cu_seq){ said.size.v }, &root, err));
    ENSURE(
        cu_hash_eq(&root, &said.root), err, CU_BAD_PROOF,
        "this key cosigned another log of %llu entries than the one that lies here: nothing more is cosigned. Find out who had "
        "the key, or which copy was put in the place of which, before another key is made",
        LLU(said.size.v));
    TRY(take_lock(c, &lock, err));
    const cu_status done = recall_locked(c, note, &said, line, err);
    c->fs->ops->unlock(c->fs->self, lock);
    return done;
}
