/* Cosignatures by size: a file a size, the signed note with every line that is known.
 *
 *  1. Nothing is kept that was not verified: text by this log's own nodes, lines by the keys of the size's epoch.
 *  2. A file is made anew from a better one (peers and witnesses have the lines too), so it is not synced; one that a crash left
 *     without sense is as one that is not there. One that cannot be read now is not replaced: this node's own lines are said once.
 *     Lines are added at its end, in place: a file that replaced another a few times a height would leave as many that were deleted, which a
 *     file system passes over, one by one, whenever it makes the next one. What stands behind the last whole line is nothing: it is being
 *     written, or was when its process ended.
 *  3. Sizes are four groups of three digits, so that a folder's order is theirs.
 */
#include "service/cosigned.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

#define GROUPS 4
#define SIZES_MAX UINT64_C(1000000000000)

cu_status cu_trust_derived(const struct cu_trust *trust, struct cu_buf *ret_policy, struct cu_buf *ret_vkey, struct cu_err *err)
{
    struct cu_lines lines = cu_lines_on(trust->epoch[trust->epochs_n - 1].policy_text);
    struct cu_span line;

    while (cu_lines_next(&lines, &line)) {
        struct cu_span rest = line;
        const bool log = cu_span_take(&rest, "log ");
        if (log && ret_vkey->n > 0) continue;
        if (log) cu_buf_add(ret_vkey, rest), cu_buf_add_byte(ret_vkey, '\n');
        cu_buf_add(ret_policy, line);
        cu_buf_add_byte(ret_policy, '\n');
    }
    TRY(cu_buf_ok(ret_vkey, err));
    return cu_buf_ok(ret_policy, err);
}

bool cu_cosigned_needed(const struct cu_place *p, cu_size size)
{
    struct cu_tlog_policy policy;

    return cu_trust_policy(&p->trust, size, &policy, NULL) == CU_OK && policy.quorum >= 0;
}

/* ---- files ---- */

/* By (3): so many of its groups. */
static void path_of(uint64_t size, unsigned groups, char ret[64])
{
    uint64_t unit = SIZES_MAX;
    int n = snprintf(ret, 64, CU_DIR_COSIGNED);

    for (unsigned i = 0; i < groups; i++) {
        unit /= 1000;
        n += snprintf(ret + n, 64 - (size_t)n, "/%03u", (unsigned)(size / unit % 1000));
    }
}

static cu_status read_file(const struct cu_place *p, cu_size size, struct cu_buf *ret, struct cu_err *err)
{
    const size_t had = ret->n;
    char path[64];

    path_of(size.v, GROUPS, path);
    TRY(size.v < SIZES_MAX ? cu_fs_read(&p->fs, path, CU_NOTE_MAX, ret, err) : CU_NOT_FOUND);
    while (ret->n > had && ret->p[ret->n - 1] != '\n') ret->n--; /* (2) */
    return CU_OK;
}

cu_status cu_cosigned_get(struct cu_place *p, cu_size size, struct cu_buf *ret, struct cu_err *err)
{
    ENSURE(read_file(p, size, ret, NULL) == CU_OK, err, CU_NOT_FOUND, "nothing is known here that cosigns a log of %llu entries",
           LLU(size.v));
    return CU_OK;
}

struct least {
    unsigned from, found;
};

static cu_status take_least(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct least *l = arg;
    uint64_t v;

    (void)kind, (void)err;
    if (strlen(name) != 3 || name[0] < '0' || name[0] > '9') return CU_OK;
    v = strtoul(name, NULL, 10);
    if (v >= l->from && v < l->found) l->found = (unsigned)v;
    return CU_OK;
}

static cu_status least_in(struct cu_place *p, uint64_t size, unsigned groups, struct least *io, struct cu_err *err)
{
    char path[64];

    path_of(size, groups, path);
    io->found = 1000;
    const cu_status listed = p->fs.ops->list(p->fs.self, path, take_least, io, err);
    return listed == CU_NOT_FOUND ? CU_OK : listed;
}

/* From the first group down; where a folder has nothing large enough, once more from behind it. */
cu_status cu_cosigned_next(struct cu_place *p, cu_size from, cu_size *ret, struct cu_err *err)
{
    uint64_t at = from.v, unit = SIZES_MAX / 1000;
    unsigned groups = 0;

    while (at < SIZES_MAX && groups < GROUPS) {
        struct least l = { .from = (unsigned)(at / unit % 1000) };
        TRY(least_in(p, at, groups, &l, err));
        if (l.found != l.from) at = (at / unit / 1000 * 1000 + l.found) * unit; /* of 1000: behind the folder */
        if (l.found == 1000) groups = 0, unit = SIZES_MAX / 1000;
        else groups++, unit /= 1000;
    }
    ENSURE(at < SIZES_MAX, err, CU_NOT_FOUND, "nothing is known here that cosigns a log of %llu entries or more", LLU(from.v));
    *ret = (cu_size){ at };
    return CU_OK;
}

/* ---- taking in ---- */

struct judged {
    struct cu_tlog_policy policy;
    struct cu_note note;
    struct cu_note_verdict by;
    struct cu_checkpoint checkpoint;
};

struct remembering {
    struct cu_verifier *by;
    struct cu_cosigned_known *known;
};

static bool is_known(struct cu_cosigned_known *known, const cu_hash *digest, bool from_now_on)
{
    cu_hash *at = &known->good[cu_be32(digest->b) % (sizeof known->good / sizeof known->good[0])];

    pthread_mutex_lock(&known->lock);
    if (from_now_on) *at = *digest;
    const bool is = cu_hash_eq(at, digest);
    pthread_mutex_unlock(&known->lock);
    return is;
}

/* Of many lines few are new. */
static void verify_new(void *self, struct cu_sig_job *jobs, size_t n)
{
    struct remembering *r = self;

    for (size_t i = 0; i < n; i++) {
        const struct cu_span parts[] = { cu_public_span(jobs[i].key), cu_span(jobs[i].signature, CU_SIGNATURE_LEN),
                                         jobs[i].message };
        const cu_hash digest = cu_sha256_parts(parts, 3);
        if (is_known(r->known, &digest, false)) jobs[i].status = CU_OK;
        else r->by->verify(r->by->self, &jobs[i], 1);
        if (jobs[i].status == CU_OK) (void)is_known(r->known, &digest, true);
    }
}

static cu_status judge(struct cu_place *p, struct cu_span bytes, struct judged *ret, struct cu_err *err)
{
    struct remembering memory = { &p->verifier, p->known };
    struct cu_verifier remembers = { .self = &memory, .verify = verify_new };

    TRY(cu_note_read(bytes, &ret->note, err));
    TRY(cu_checkpoint_read(ret->note.text, &ret->checkpoint, err));
    TRY(cu_trust_policy(&p->trust, ret->checkpoint.size, &ret->policy, err));
    ENSURE(cu_span_eq(ret->checkpoint.origin, ret->policy.log[0].name), err, CU_UNTRUSTED, "the note is of another log");
    TRY(cu_note_judge(&ret->note, &ret->policy, p->known ? &remembers : &p->verifier, &ret->by, err));
    ENSURE(ret->by.logs + ret->by.cosigned > 0, err, CU_UNTRUSTED, "no key that the trust file lists for this size signed it");
    return CU_OK;
}

static bool is_met(const struct judged *j)
{
    bool cosigned[CU_POLICY_MEMBERS_MAX] = { false };

    for (size_t i = 0; i < j->note.sigs_n; i++)
        if (j->by.of[i] == CU_SIG_COSIGNED) cosigned[j->by.node[i]] = true;
    return j->by.logs > 0 && cu_tlog_policy_met(&j->policy, cosigned);
}

/* By (1). */
static cu_status is_ours(struct cu_place *p, const struct cu_checkpoint *c, struct cu_err *err)
{
    const struct cu_node_source nodes = cu_tile_node_source(&p->log.nodes);
    cu_hash root = cu_empty_root();

    ENSURE(c->size.v <= p->log.checkpoint.size.v, err, CU_OUT_OF_ORDER,
           "it covers %llu entries, and %llu are here so far: send it again later", LLU(c->size.v),
           LLU(p->log.checkpoint.size.v));
    ENSURE(c->size.v > 0 && c->size.v < SIZES_MAX, err, CU_MALFORMED, "nobody cosigns a log of %llu entries", LLU(c->size.v));
    TRY(cu_range_root(&nodes, (cu_seq){ 0 }, (cu_seq){ c->size.v }, &root, err));
    ENSURE(cu_hash_eq(&root, &c->root), err, CU_BAD_PROOF,
           "what is signed of %llu entries is not the log that lies here: one of the two signers shows others another log",
           LLU(c->size.v));
    return CU_OK;
}

static bool has_line(const struct cu_note *note, const struct cu_note_sig *line)
{
    for (size_t i = 0; i < note->sigs_n; i++)
        if (note->sig[i].id == line->id && cu_span_eq(note->sig[i].name, line->name)) return true;
    return false;
}

/* The lines of `from` by listed keys which `known` (NULL: nothing) lacks. */
static bool add_lines(const struct judged *from, const struct judged *known, struct cu_buf *out)
{
    const size_t before = out->n;

    for (size_t i = 0; i < from->note.sigs_n; i++) {
        if (from->by.of[i] == CU_SIG_IGNORED || (known && has_line(&known->note, &from->note.sig[i]))) continue;
        size_t k = 0; /* one a key, of a note that repeats it */
        while (from->note.sig[k].id != from->note.sig[i].id || !cu_span_eq(from->note.sig[k].name, from->note.sig[i].name)) k++;
        if (k < i) continue;
        cu_buf_add(out, from->note.sig[i].line);
        cu_buf_add_byte(out, '\n');
    }
    return out->n > before;
}

static cu_status append(const struct cu_fs *fs, const char *path, uint64_t at, struct cu_span lines, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;

    TRY(fs->ops->open(fs->self, path, CU_OPEN_WRITE, &file, err));
    return file->ops->write_at(file, at, lines, err);
}

/* What is known of a checkpoint. NOT_FOUND: nothing, or nothing that makes sense (2). */
static cu_status recall(struct cu_place *p, const struct cu_checkpoint *of, struct cu_buf *ret, struct judged *known,
                        struct cu_err *err)
{
    TRY(read_file(p, of->size, ret, err));
    const cu_status judged = judge(p, cu_buf_span(ret), known, err);
    if (judged == CU_NO_MEMORY) return judged;
    return judged == CU_OK && cu_hash_eq(&known->checkpoint.root, &of->root) ? CU_OK : CU_NOT_FOUND;
}

static cu_status merge(struct cu_place *p, const struct judged *more, struct judged *known, bool *ret_more, bool *ret_met,
                       struct cu_err *err)
{
    CU_BUF there = cu_buf_heap(CU_NOTE_MAX), whole = cu_buf_heap(CU_NOTE_MAX);
    const cu_status found = recall(p, &more->checkpoint, &there, known, err);
    const bool had = found == CU_OK;
    char path[64];

    if (found != CU_NOT_FOUND) TRY(found);
    if (had) cu_buf_add(&whole, cu_buf_span(&there));
    else cu_buf_add(&whole, more->note.text), cu_buf_add_byte(&whole, '\n');
    *ret_more = add_lines(more, had ? known : NULL, &whole);
    TRY(cu_buf_ok(&whole, err));
    path_of(more->checkpoint.size.v, GROUPS, path);
    if (*ret_more && had) TRY(append(&p->fs, path, there.n, cu_span_from(cu_buf_span(&whole), there.n), err)); /* (2) */
    else if (*ret_more) TRY(cu_fs_replace(&p->fs, path, CU_DIR_COSIGNED "/incoming", cu_buf_span(&whole), false, err));
    TRY(judge(p, cu_buf_span(&whole), known, err));
    *ret_met = is_met(known);
    return CU_OK;
}

static cu_status take(struct cu_place *p, struct cu_span note, struct judged two[2], bool *ret_more, bool *ret_met,
                      struct cu_err *err)
{
    void *lock;

    TRY(judge(p, note, &two[0], err));
    TRY(is_ours(p, &two[0].checkpoint, err));
    TRY(p->fs.ops->lock(p->fs.self, CU_DIR_COSIGNED "/lock", 10000, &lock, err));
    const cu_status taken = merge(p, &two[0], &two[1], ret_more, ret_met, err);
    p->fs.ops->unlock(p->fs.self, lock);
    return taken;
}

cu_status cu_cosigned_take(struct cu_place *p, struct cu_span note, bool *ret_more, bool *ret_met, struct cu_err *err)
{
    struct judged *two = malloc(2 * sizeof *two);

    ENSURE(two, err, CU_NO_MEMORY, "no memory to judge cosignatures: nothing was kept");
    const cu_status taken = take(p, note, two, ret_more, ret_met, err);
    free(two);
    return taken;
}

cu_status cu_cosigned_own(struct cu_place *p, struct cu_cosigner *c, struct cu_span checkpoint, struct cu_buf *ret,
                          bool *ret_more, bool *ret_met, struct cu_err *err)
{
    const struct cu_node_source nodes = cu_tile_node_source(&p->log.nodes);
    const struct cu_cosign_step step = { .own = &nodes };
    const size_t from = ret->n;
    struct cu_note note;
    cu_size last;

    cu_buf_add(ret, checkpoint);
    TRY(cu_buf_ok(ret, err));
    TRY(cu_note_read(checkpoint, &note, err));
    TRY(cu_cosigner_sign(c, note.text, &step, ret, &last, err));
    return cu_cosigned_take(p, cu_span_from(cu_buf_span(ret), from), ret_more, ret_met, err);
}

/* ---- for a receipt ---- */

/* The line of this node's own log key, whose checkpoint the place has. Of several log keys a stock tool may want each listed one's
 * signature, so `policy` lists the issuing node's, and a receipt has its line alone. SIZE_MAX: it did not sign this size. */
static size_t issued(const struct cu_place *p, const struct judged *j)
{
    struct cu_note own;

    if (cu_note_read(cu_buf_span(&p->log.note), &own, NULL) != CU_OK) return SIZE_MAX;
    for (size_t i = 0; i < j->note.sigs_n; i++)
        if (j->by.of[i] == CU_SIG_LOG && j->note.sig[i].id == own.sig[0].id) return i;
    return SIZE_MAX;
}

static void put_issued(const struct judged *j, size_t log, struct cu_buf *out)
{
    cu_buf_add(out, j->note.text);
    cu_buf_add_byte(out, '\n');
    for (size_t i = 0; i < j->note.sigs_n; i++) {
        if (i != log && j->by.of[i] != CU_SIG_COSIGNED) continue;
        cu_buf_add(out, j->note.sig[i].line);
        cu_buf_add_byte(out, '\n');
    }
}

#define LOOK_BACK 4096
cu_size cu_cosigned_newest(struct cu_place *p)
{
    CU_BUF there = cu_buf_heap(CU_NOTE_MAX);
    struct judged *j = malloc(sizeof *j);
    const uint64_t tip = p->log.checkpoint.size.v, end = tip > LOOK_BACK ? tip - LOOK_BACK : 0;
    cu_size found = { 0 };

    for (uint64_t size = tip; j && size > end && found.v == 0; size--) {
        cu_buf_clear(&there);
        if (cu_cosigned_get(p, (cu_size){ size }, &there, NULL) == CU_OK && judge(p, cu_buf_span(&there), j, NULL) == CU_OK &&
            is_met(j))
            found.v = size;
    }
    free(j);
    return found;
}

static cu_status pick(struct cu_place *p, cu_size from, struct judged *j, struct cu_buf *ret_note, cu_size *ret,
                      struct cu_err *err)
{
    CU_BUF there = cu_buf_heap(CU_NOTE_MAX);

    for (cu_size size = from; cu_cosigned_next(p, size, &size, NULL) == CU_OK && size.v <= p->log.checkpoint.size.v; size.v++) {
        cu_buf_clear(&there);
        if (cu_cosigned_get(p, size, &there, NULL) != CU_OK || judge(p, cu_buf_span(&there), j, NULL) != CU_OK || !is_met(j) ||
            j->checkpoint.size.v != size.v || issued(p, j) == SIZE_MAX)
            continue;
        cu_buf_clear(ret_note);
        put_issued(j, issued(p, j), ret_note);
        *ret = size;
        return cu_buf_ok(ret_note, err);
    }
    return cu_fail(
        err, CU_COSIGNATURES_MISSING,
        "recorded, but not cosigned yet by as many as the trust file asks for: there is no receipt yet; do not give the "
        "original back");
}

cu_status cu_cosigned_pick(struct cu_place *p, cu_seq covers, struct cu_buf *ret_note, cu_size *ret, struct cu_err *err)
{
    struct judged *j = malloc(sizeof *j);

    ENSURE(j, err, CU_NO_MEMORY, "no memory to judge cosignatures");
    const cu_status picked = pick(p, (cu_size){ covers.v + 1 }, j, ret_note, ret, err);
    free(j);
    return picked;
}
