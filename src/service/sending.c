/* The bytes of a deposit on their way to whoever keeps them.
 *
 * (1) They are read again where they lie, from the byte on that is not durable over there; nothing of them is in memory but what was already.
 * (2) What cannot be read again as it was (standard input, and what is sealed: each sealing is another) lies in the outbox from
 *     before it is signed for until its receipt is there.
 * (3) Whoever takes them knows each chunk's root before its bytes, and says at once which is not what was signed.
 */
#include "service/carry.h"

#include "content/walk.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { TRIES = 5, PAUSE_S = 2, ASIDE_WAIT_MS = 10000, BUSY_MS = 30000 };
#define INCOMING CU_DIR_OUTBOX "/incoming-aside"

/* ---- (2) what is set aside ---- */

static void aside_path(const cu_hash *root, char ret[64])
{
    char hex[65];

    cu_hash_hex(root, hex);
    snprintf(ret, 64, CU_FILE_ASIDE, hex);
}

cu_status cu_aside_begin(struct cu_place *p, struct cu_aside *ret, struct cu_err *err)
{
    *ret = (struct cu_aside){ .p = p };
    const cu_status locked = p->fs.ops->lock(p->fs.self, CU_DIR_OUTBOX "/aside-lock", ASIDE_WAIT_MS, &ret->lock, err);
    if (locked != CU_OK) return cu_fail_while(err, locked, "another deposit is being sealed or read from standard input here");
    return p->fs.ops->open(p->fs.self, INCOMING, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE | CU_OPEN_PRIVATE, &ret->file,
                           err);
}

cu_status cu_aside_add(void *aside, struct cu_span bytes, struct cu_err *err)
{
    struct cu_aside *s = aside;

    if (bytes.n) TRY(s->file->ops->write_at(s->file, s->at, bytes, err));
    s->at += bytes.n;
    return CU_OK;
}

cu_status cu_aside_keep(struct cu_aside *s, const cu_hash *root, struct cu_err *err)
{
    const struct cu_fs *fs = &s->p->fs;
    char path[64];

    aside_path(root, path);
    TRY(s->file->ops->sync(s->file, err));
    TRY(fs->ops->rename(fs->self, INCOMING, path, err));
    cu_file_close(&s->file);
    return fs->ops->sync_dir(fs->self, CU_DIR_OUTBOX, err);
}

void cu_aside_end(struct cu_aside *s)
{
    if (s->file && s->file->ops->truncate(s->file, 0, NULL) != CU_OK) s->at = 0; /* the next one truncates it */
    cu_file_close(&s->file);
    if (s->lock) s->p->fs.ops->unlock(s->p->fs.self, s->lock);
    s->lock = NULL;
}

cu_status cu_aside_drop(struct cu_place *p, const cu_hash *root, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    char path[64];

    aside_path(root, path);
    const cu_status opened = p->fs.ops->open(p->fs.self, path, CU_OPEN_WRITE | CU_OPEN_TRUNCATE, &f, err);
    if (opened == CU_NOT_FOUND) return CU_OK;
    TRY(opened);
    cu_file_close(&f);
    return p->fs.ops->rename(p->fs.self, path, CU_DIR_OUTBOX "/aside-spent", err);
}

/* ---- what travels ---- */

static cu_status add_part(struct cu_sending *u, struct cu_span path, uint64_t size, const cu_hash *root, struct cu_err *err)
{
    if (u->n == u->cap) {
        const size_t cap = u->cap ? 2 * u->cap : 16;
        struct cu_sending_part *more = realloc(u->part, cap * sizeof *more);
        ENSURE(more, err, CU_NO_MEMORY, "no memory for the list of what is to be sent");
        u->part = more;
        u->cap = cap;
    }
    u->part[u->n++] = (struct cu_sending_part){ .begin = u->size, .size = size, .path = path, .root = *root };
    u->size += size;
    return CU_OK;
}

static bool next_chunk_roots(struct cu_sending *u, struct cu_span *io_chunks, uint64_t size, bool wanted)
{
    const size_t n = (size_t)cu_content_chunk_count(size) * sizeof(cu_hash);

    if (io_chunks->n < n) return false;
    if (wanted) cu_buf_add(&u->roots, cu_span(io_chunks->p, n));
    *io_chunks = cu_span_from(*io_chunks, n);
    return true;
}

static bool add_roots(struct cu_sending *u, struct cu_span *io_chunks, uint64_t size, const cu_hash *root, bool wanted)
{
    if (size >= CU_CHUNK_BYTES) return next_chunk_roots(u, io_chunks, size, wanted);
    if (wanted && size) cu_buf_add(&u->roots, cu_span_hash(root));
    return true;
}

/* Slots of numbers of parts, by their roots; 0: free. Twice as many as there can be, or more. */
struct distinct {
    uint32_t *slot;
    size_t mask;
};

static bool is_new(const struct distinct *d, const struct cu_sending *u, const cu_hash *root)
{
    size_t at = (size_t)cu_be32(root->b) & d->mask;

    for (; d->slot[at]; at = (at + 1) & d->mask)
        if (cu_hash_eq(&u->part[d->slot[at] - 1].root, root)) return false;
    d->slot[at] = (uint32_t)u->n + 1;
    return true;
}

static cu_status add_files(struct cu_sending *u, const struct distinct *d, struct cu_manifest *m, struct cu_span chunks,
                           struct cu_err *err)
{
    struct cu_item item;
    bool more;

    for (;;) {
        TRY(cu_manifest_next(m, &item, &more, err));
        if (!more) return CU_OK;
        if (item.type != CU_ITEM_FILE) continue;
        const bool wanted = item.size > 0 && is_new(d, u, &item.root);
        if (wanted) TRY(add_part(u, item.path, item.size, &item.root, err));
        ENSURE(add_roots(u, &chunks, item.size, &item.root, wanted), err, CU_CHANGED,
               "what was read and what was told of it differ");
    }
}

static void roots_of_memory(struct cu_sending *u, struct cu_span bytes)
{
    for (size_t at = 0; at < bytes.n; at += CU_CHUNK_BYTES) {
        const cu_hash root = cu_content_root_of(
            cu_span(bytes.p + at, bytes.n - at < CU_CHUNK_BYTES ? bytes.n - at : CU_CHUNK_BYTES));
        cu_buf_add(&u->roots, cu_span_hash(&root));
    }
}

static cu_status begin_folder(struct cu_sending *u, struct cu_span chunks, struct cu_err *err)
{
    const struct cu_span manifest = cu_buf_span(&u->w->in.content);
    struct distinct d = { .mask = 15 };
    struct cu_manifest m;

    TRY(add_part(u, CU_SPAN_EMPTY, manifest.n, &u->claim->root, err));
    roots_of_memory(u, manifest);
    TRY(cu_manifest_open(manifest, &m, err));
    while (d.mask < 2 * m.header.items) d.mask = 2 * d.mask + 1;
    d.slot = calloc(d.mask + 1, sizeof *d.slot);
    ENSURE(d.slot, err, CU_NO_MEMORY, "no memory for the list of what is to be sent");
    const cu_status added = add_files(u, &d, &m, chunks, err);
    free(d.slot);
    return added;
}

static void free_bytes(uint8_t **p) { free(*p); }

/* It was sealed by an earlier run, and what was read just now is another sealing. */
static cu_status roots_of_aside(struct cu_sending *u, struct cu_err *err)
{
    CU_CLEANUP(free_bytes) uint8_t *piece = malloc(CU_CHUNK_BYTES);
    size_t n = 0;

    ENSURE(piece, err, CU_NO_MEMORY, "no memory to read what is to be sent");
    for (uint64_t at = 0; at < u->claim->size; at += n) {
        TRY(u->aside->ops->read_at(u->aside, at, piece, CU_CHUNK_BYTES, &n, err));
        ENSURE(n > 0, err, CU_CORRUPT, "the outbox lacks a part of what was sealed: void the number, and deposit it anew");
        roots_of_memory(u, cu_span(piece, n));
    }
    return CU_OK;
}

static cu_status begin_item(struct cu_sending *u, struct cu_span chunks, struct cu_err *err)
{
    TRY(add_part(u, CU_SPAN_EMPTY, u->claim->size, &u->claim->root, err));
    if (!cu_hash_eq(&u->w->in.root, &u->claim->root)) return roots_of_aside(u, err);
    ENSURE(add_roots(u, &chunks, u->claim->size, &u->claim->root, true), err, CU_CHANGED,
           "what was read and what was told of it differ");
    return CU_OK;
}

static cu_status begin(struct cu_sending *u, struct cu_span chunks, struct cu_err *err)
{
    const struct cu_fs *fs = &u->p->fs;
    char path[64];

    aside_path(&u->claim->root, path);
    const cu_status kept = fs->ops->open(fs->self, path, CU_OPEN_READ, &u->aside, err);
    if (kept != CU_NOT_FOUND) TRY(kept);
    TRY(u->claim->has_folder ? begin_folder(u, chunks, err) : begin_item(u, chunks, err));
    return cu_buf_ok(&u->roots, err);
}

cu_status cu_sending_begin(struct cu_place *p, const struct cu_work *w, const struct cu_claim *claim, struct cu_span chunks,
                           struct cu_sending *ret, struct cu_err *err)
{
    *ret = (struct cu_sending){ .p = p, .w = w, .claim = claim, .roots = cu_buf_heap(SIZE_MAX / 2) };
    const cu_status begun = begin(ret, chunks, err);
    if (begun != CU_OK) cu_sending_free(ret);
    return begun;
}

void cu_sending_free(struct cu_sending *u)
{
    cu_source_close(&u->file);
    cu_file_close(&u->aside);
    cu_buf_free(&u->roots);
    free(u->part);
    u->part = NULL;
}

/* ---- (1) read again ---- */

/* Is it what was read before? Of a file in a folder the manifest says what it was. */
static cu_status open_part(struct cu_sending *u, const struct cu_sending_part *part, struct cu_err *err)
{
    const struct cu_source *source = &u->p->source;
    char path[2 * CU_PATH_MAX_BYTES + 2];
    struct cu_source_stat now;

    if (!part->path.n) snprintf(path, sizeof path, "%s", u->w->path);
    else snprintf(path, sizeof path, "%s/%.*s", u->w->path, (int)part->path.n, (const char *)part->path.p);
    cu_status opened = source->ops->open(source->self, path, &u->file, err);
    if (opened == CU_OK) opened = u->file->ops->stat(u->file, &now, err);
    ENSURE(opened != CU_NOT_FOUND &&
               (opened != CU_OK || (part->path.n ? now.size == part->size : cu_source_same(&now, &u->w->in.stat))),
           err, CU_CHANGED,
           "%s changed since it was read: what was signed for it cannot be sent any more, and nothing is recorded. Deposit it "
           "again as it is "
           "now, and `custody void` the number",
           path);
    return opened;
}

static cu_status read_part(struct cu_sending *u, const struct cu_sending_part *part, uint8_t *ret, size_t n, size_t *ret_n,
                           struct cu_err *err)
{
    const struct cu_buf *content = &u->w->in.content;
    const uint64_t from = u->at - part->begin;

    if (u->aside && !part->path.n) return u->aside->ops->read_at(u->aside, from, ret, n, ret_n, err);
    if (!part->path.n && content->n == part->size) {
        memcpy(ret, content->p + from, n);
        *ret_n = n;
        return CU_OK;
    }
    if (!u->file) {
        TRY(open_part(u, part, err));
        TRY(u->file->ops->seek(u->file, from, err));
    }
    return u->file->ops->read(u->file, ret, n, ret_n, err);
}

static cu_status read_some(struct cu_sending *u, uint8_t *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    const struct cu_progress *progress = &u->p->progress;
    const struct cu_sending_part *part = &u->part[u->now];

    ENSURE(!progress->stop || !progress->stop(progress->arg), err, CU_INTERRUPTED,
           "interrupted while sending: nothing is recorded yet; run it again, and it goes on where it was");
    while (u->at == part->begin + part->size) {
        cu_source_close(&u->file);
        part = &u->part[++u->now];
    }
    const uint64_t left = part->begin + part->size - u->at;
    TRY(read_part(u, part, ret, n < left ? n : (size_t)left, ret_n, err));
    ENSURE(*ret_n > 0, err, CU_CHANGED, "%s became shorter since it was read: what was signed for it cannot be sent any more",
           u->w->path);
    u->at += *ret_n;
    if (progress->at) progress->at(progress->arg, "upload", u->at, u->size, 0, 0);
    return CU_OK;
}

static cu_status read_next(void *upload, uint8_t *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct cu_sending *u = upload;

    return u->failed = read_some(u, ret, n, ret_n, err);
}

static void go_to(struct cu_sending *u, uint64_t at)
{
    cu_source_close(&u->file);
    u->at = at;
    for (u->now = 0; u->now + 1 < u->n && at >= u->part[u->now].begin + u->part[u->now].size; u->now++) continue;
}

/* ---- sending ---- */

static cu_status send_from(struct cu_sending *u, const struct cu_carrier *to, const cu_hash *id, uint64_t at, struct cu_err *err)
{
    go_to(u, at);
    u->failed = CU_OK;
    const cu_status sent = to->ops->send(to->self, id, at, u->size, read_next, u, err);
    if (sent == CU_BAD_HASH && u->failed == CU_OK)
        return cu_fail_while(err, CU_BAD_HASH,
                             "%s: what was sent is not what was signed, so it changed since it was read, or on the way",
                             u->w->path);
    return sent;
}

/* Another one sends the same bytes: one of ours, whose end is not noticed over there. */
static cu_status pause_for(const struct cu_carrier *to, const cu_hash *id, struct cu_err *err)
{
    struct cu_carriage ignored;

    return to->ops->state(to->self, id, PAUSE_S, &ignored, err);
}

/* By (3), if they are wanted there; without them what was sent is judged at its end. */
static cu_status tell_roots(struct cu_sending *u, const struct cu_carrier *to, const cu_hash *id, struct cu_err *err)
{
    const cu_status told = u->roots.n > sizeof(cu_hash) ? to->ops->chunks(to->self, id, cu_buf_span(&u->roots), err) : CU_OK;

    return told == CU_NOT_FOUND ? CU_OK : told;
}

cu_status cu_sending_send(struct cu_sending *u, const struct cu_carrier *to, const cu_hash *id, struct cu_err *err)
{
    const uint64_t patient = cu_place_now(u->p).v + BUSY_MS;
    uint64_t at, before = 0;
    cu_status sent = CU_OK;
    struct cu_err why = { 0 };

    u->failed = CU_OK;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        TRY(to->ops->offset(to->self, id, u->size, &at, err));
        ENSURE(at <= u->size, err, CU_IO, "whoever takes it says that it has more than was sent");
        if (at == u->size) return CU_OK;
        if (at > before) tries = 0; /* it came further */
        before = at;
        sent = at == 0 ? tell_roots(u, to, id, &why) : CU_OK;
        if (sent == CU_OK) sent = send_from(u, to, id, at, &why);
        if (u->failed != CU_OK || (sent != CU_OK && sent != CU_IO && sent != CU_BUSY)) break;
        if (sent == CU_BUSY) TRY(pause_for(to, id, err));
        if (sent == CU_BUSY && cu_place_now(u->p).v < patient) tries = 0;
    }
    return sent == CU_OK ? cu_fail(err, CU_IO, "%s does not come further at the other end: run it again later", u->w->path)
                         : cu_fail(err, sent, "%s", why.text);
}
