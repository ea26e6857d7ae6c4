/* Gathering: small objects into a pack, large ones into slots, and the names of those that are there already. */
#include "content/memory.h"
#include "content/put.h"

#include <stdio.h>
#include <stdlib.h>

enum { PACK = 0, LARGE = 1 };

/* ---- beginning and ending ---- */

/* What an earlier process left half written is cut to nothing, once: its space is needed, and nobody will miss it. What has an object's
 * name is still coming (arrival.c). */
static cu_status cut_leftover(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct cu_objects *s = arg;
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    char path[CU_STORE_PATH_MAX];
    uint64_t size;
    (void)err;

    snprintf(path, sizeof path, "%s/incoming/%s", s->dir, name);
    if (kind != CU_FILE_REGULAR || strlen(name) >= 64 || s->fs->ops->open(s->fs->self, path, CU_OPEN_WRITE, &f, NULL) != CU_OK)
        return CU_OK;
    if (f->ops->size(f, &size, NULL) == CU_OK && size > 0 && f->ops->truncate(f, 0, NULL) != CU_OK) return CU_OK;
    return CU_OK;
}

static void cut_leftovers(struct cu_objects *s)
{
    char path[CU_STORE_PATH_MAX];

    snprintf(path, sizeof path, "%s/incoming", s->dir);
    if (!cu_fs_exists(s->fs, path)) return;
    if (s->fs->ops->list(s->fs->self, path, cut_leftover, s, NULL) != CU_OK) return; /* they are overwritten in their turn */
}

static cu_status join(struct cu_put *p, struct cu_objects *s, struct cu_err *err)
{
    unsigned place;

    TRY(cu_store_take_place(s, &place, err));
    p->writer[p->n++] = (struct cu_put_writer){ .put = p, .store = s, .place = place };
    pthread_mutex_lock(&s->lock);
    bool first = !s->written;
    s->written = true;
    pthread_mutex_unlock(&s->lock);
    if (first) cut_leftovers(s);
    return CU_OK;
}

cu_status cu_put_begin(struct cu_objects *const *stores, size_t n, struct cu_put **ret, struct cu_err *err)
{
    ENSURE(n <= CU_PUT_STORES_MAX, err, CU_USAGE, "at most %d stores at once", CU_PUT_STORES_MAX);
    CU_CLEANUP(cu_put_cleanup) struct cu_put *p = calloc(1, sizeof *p);
    ENSURE(p, err, CU_NO_MEMORY, "no memory for a batch of objects");
    pthread_mutex_init(&p->lock, NULL);
    for (size_t i = 0; i < CU_PUT_SLOTS; i++) p->slot[i].side = cu_buf_heap(CU_PACK_INDEX_MAX);
    for (size_t i = 0; i < n; i++) TRY(join(p, stores[i], err));
    *ret = p;
    p = NULL;
    return CU_OK;
}

void cu_put_dismiss(struct cu_put *p)
{
    cu_crew_free(p->crew);
    p->crew = NULL;
    for (size_t i = 0; i < CU_PUT_SLOTS; i++) {
        free(p->slot[i].bytes), p->slot[i].bytes = NULL;
        free(p->slot[i].rows), p->slot[i].rows = NULL;
        cu_buf_free(&p->slot[i].side);
    }
    for (int i = 0; i < 2; i++) free(p->fill[i].bytes), p->fill[i].bytes = NULL;
}

/* A file of the batch that was not published gives back its space. */
static void cut_file(struct cu_put_writer *w, uint64_t number)
{
    char path[CU_STORE_PATH_MAX];

    for (int side = 0; side < 2; side++) {
        CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
        cu_store_incoming(w->store, w->place, number, side, path);
        if (w->store->fs->ops->open(w->store->fs->self, path, CU_OPEN_WRITE | CU_OPEN_TRUNCATE, &f, NULL) != CU_OK) continue;
    }
}

void cu_put_free(struct cu_put *p)
{
    if (!p) return;
    cu_put_dismiss(p);
    cu_digest_set_free(&p->digests);
    for (size_t i = 0; i < p->n; i++) {
        cu_put_close_files(&p->writer[i]);
        for (uint64_t n = 0; n < p->files_n; n++)
            if (!p->committed || p->file[n].discard) cut_file(&p->writer[i], n);
        cu_store_leave_place(p->writer[i].store, p->writer[i].place);
    }
    free(p->file), free(p->rows), free(p->link), free(p->seen);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* ---- slots ---- */

static cu_status need_bytes(struct cu_put_fill *fill, struct cu_err *err)
{
    if (!fill->bytes) fill->bytes = cu_transfer_memory(CU_PUT_SLOT_BYTES);
    ENSURE(fill->bytes, err, CU_NO_MEMORY, "no memory to read into");
    return CU_OK;
}

cu_status cu_put_number(struct cu_put *p, bool large, uint64_t *ret, struct cu_err *err)
{
    bool ok = true;

    pthread_mutex_lock(&p->lock);
    if (p->files_n == p->files_cap) {
        size_t cap = p->files_cap ? 2 * p->files_cap : 16;
        struct cu_put_file *file = realloc(p->file, cap * sizeof *file);
        ok = file != NULL;
        if (ok) p->file = file, p->files_cap = cap;
    } // cppcheck-suppress memleak ; it is p->file by now
    if (ok) {
        *ret = p->files_n;
        p->file[p->files_n++] = (struct cu_put_file){ .large = large };
    }
    pthread_mutex_unlock(&p->lock);
    ENSURE(ok, err, CU_NO_MEMORY, "no memory for the files of a batch");
    return CU_OK;
}

/* Direct writing wants whole leaves: what follows the end in the slot is zero, and cut off again afterwards. */
static void pad(struct cu_put_fill *fill)
{
    size_t rest = fill->n % CU_LEAF_BYTES;
    if (rest > 0) memset(fill->bytes + fill->n, 0, CU_LEAF_BYTES - rest);
}

static void hand_over_rows(struct cu_put *p, struct cu_put_slot *slot)
{
    free(slot->rows); /* of an earlier pack */
    slot->rows = p->rows;
    slot->rows_n = p->rows_n;
    p->rows = NULL;
    p->rows_n = p->rows_cap = 0;
}

static struct cu_put_ticket *next_ticket(struct cu_put *p) { return &p->ticket[p->tickets_n % CU_PUT_TICKETS]; }

static cu_status submit(struct cu_put *p, int which, bool last, bool threads, struct cu_err *err)
{
    struct cu_put_fill *fill = &p->fill[which];
    size_t n;

    if (!p->crew) TRY(cu_put_start_crew(p, threads, err));
    if (!fill->begun) TRY(cu_put_number(p, which == LARGE, &fill->number, err));
    TRY(cu_crew_claim(p->crew, &n, err));
    struct cu_put_slot *slot = &p->slot[n];
    pad(fill);
    uint8_t *spare = slot->bytes;
    slot->bytes = fill->bytes;
    slot->n = fill->n;
    slot->number = fill->number;
    slot->at = fill->at;
    slot->large = which == LARGE;
    slot->first = !fill->begun;
    slot->last = last;
    slot->ticket = which == LARGE ? next_ticket(p) : NULL;
    slot->digested = fill->digested;
    slot->algs = fill->algs;
    slot->rows_n = 0;
    if (which == PACK && last) hand_over_rows(p, slot);
    cu_buf_clear(&slot->side);
    cu_crew_submit(p->crew);
    fill->bytes = spare;
    fill->at += fill->n;
    fill->n = 0;
    fill->begun = true;
    return CU_OK;
}

static cu_status append(struct cu_put *p, int which, struct cu_span bytes, struct cu_err *err)
{
    struct cu_put_fill *fill = &p->fill[which];

    while (bytes.n > 0) {
        if (fill->n == CU_PUT_SLOT_BYTES) TRY(submit(p, which, false, true, err));
        TRY(need_bytes(fill, err));
        size_t room = CU_PUT_SLOT_BYTES - fill->n, n = bytes.n < room ? bytes.n : room;
        memcpy(fill->bytes + fill->n, bytes.p, n);
        fill->n += n;
        bytes = cu_span(bytes.p + n, bytes.n - n);
    }
    return CU_OK;
}

/* ---- names that are there already ---- */

static struct cu_put_link *seen_at(struct cu_put *p, const cu_hash *name)
{
    if (!p->seen) p->seen = calloc(CU_PUT_SEEN, sizeof *p->seen);
    return p->seen ? &p->seen[cu_be32(name->b) % CU_PUT_SEEN] : NULL;
}

static bool was_seen(struct cu_put *p, const struct cu_put_link *o)
{
    const struct cu_put_link *seen = seen_at(p, &o->name);
    return seen && seen->kind == o->kind && seen->size == o->size && cu_hash_eq(&seen->name, &o->name);
}

static void now_seen(struct cu_put *p, const struct cu_put_link *o)
{
    struct cu_put_link *seen = seen_at(p, &o->name);
    if (seen) *seen = *o;
}

static bool all_know(struct cu_put *p, const struct cu_put_link *o)
{
    for (size_t i = 0; i < p->n; i++)
        if (!cu_store_knows(p->writer[i].store, o->kind, &o->name, o->size)) return false;
    return true;
}

static cu_status link_object(struct cu_put *p, const struct cu_put_link *o, struct cu_err *err)
{
    if (p->links_n == p->links_cap) {
        size_t cap = p->links_cap ? 2 * p->links_cap : 16;
        struct cu_put_link *link = realloc(p->link, cap * sizeof *link);
        ENSURE(link, err, CU_NO_MEMORY, "no memory for the objects that are there already");
        p->link = link;
        p->links_cap = cap;
    }
    p->link[p->links_n++] = *o;
    now_seen(p, o);
    return CU_OK;
}

cu_status cu_put_known(struct cu_put *p, const cu_hash *root, uint64_t size, bool *ret, struct cu_err *err)
{
    const struct cu_put_link o = { CU_OBJECT_CONTENT, *root, size };

    *ret = was_seen(p, &o) || all_know(p, &o);
    if (*ret) return was_seen(p, &o) ? CU_OK : link_object(p, &o, err);
    now_seen(p, &o);
    return CU_OK;
}

/* ---- packs ---- */

cu_status cu_put_finish_pack(struct cu_put *p, bool threads, struct cu_err *err)
{
    struct cu_put_fill *fill = &p->fill[PACK];

    if (p->rows_n == 0) return CU_OK;
    TRY(submit(p, PACK, true, threads, err));
    fill->begun = false;
    fill->at = 0;
    return CU_OK;
}

static cu_status add_row(struct cu_put *p, const struct cu_put_link *o, uint64_t offset, struct cu_err *err)
{
    if (p->rows_n == p->rows_cap) {
        size_t cap = p->rows_cap ? 2 * p->rows_cap : 16;
        struct cu_pack_row *rows = realloc(p->rows, cap * sizeof *rows);
        ENSURE(rows, err, CU_NO_MEMORY, "no memory for the index of a pack");
        p->rows = rows;
        p->rows_cap = cap;
    }
    p->rows[p->rows_n++] = (struct cu_pack_row){ o->kind, o->name, (uint32_t)offset, (uint32_t)o->size };
    return CU_OK;
}

static cu_status pack_object(struct cu_put *p, const struct cu_put_link *o, struct cu_span bytes, struct cu_err *err)
{
    struct cu_put_fill *fill = &p->fill[PACK];
    uint8_t head[CU_FRAME_HEAD];

    if (p->rows_n == CU_PACK_ROWS_MAX || fill->at + fill->n + CU_FRAME_HEAD + bytes.n > CU_PACK_MAX)
        TRY(cu_put_finish_pack(p, true, err));
    if (p->rows_n == 0) TRY(append(p, PACK, cu_span_str(CU_PACK_TYPE), err));
    cu_frame_put(head, o->kind, bytes.n);
    TRY(append(p, PACK, CU_SPAN_OF(head), err));
    TRY(add_row(p, o, fill->at + fill->n, err));
    TRY(append(p, PACK, bytes, err));
    now_seen(p, o);
    return CU_OK;
}

/* The first failure is the batch's. */
static cu_status failed(struct cu_put *p, cu_status status)
{
    if (status != CU_OK) p->failed = true;
    return status;
}

static cu_status ready(const struct cu_put *p, struct cu_err *err)
{
    ENSURE(!p->failed && !p->committed, err, CU_USAGE, "this batch of objects is closed");
    return CU_OK;
}

static cu_status put_small(struct cu_put *p, const struct cu_put_link *o, struct cu_span bytes, struct cu_err *err)
{
    if (p->n == 0 || was_seen(p, o)) return CU_OK;
    return !p->unasked && all_know(p, o) ? link_object(p, o, err) : pack_object(p, o, bytes, err);
}

cu_status cu_put_small(struct cu_put *p, enum cu_object_kind kind, const cu_hash *name, struct cu_span bytes, struct cu_err *err)
{
    struct cu_put_link o = { kind, *name, bytes.n };

    TRY(ready(p, err));
    ENSURE(bytes.n <= CU_SMALL_MAX, err, CU_TOO_LARGE, "an object of %zu bytes is not a small one", bytes.n);
    return failed(p, put_small(p, &o, bytes, err));
}

/* ---- large objects ---- */

cu_status cu_put_large_begin(struct cu_put *p, struct cu_err *err)
{
    TRY(ready(p, err));
    CU_ASSERT(!p->fill[LARGE].open && p->tickets_n - p->taken_n < CU_PUT_TICKETS);
    p->fill[LARGE] = (struct cu_put_fill){ .bytes = p->fill[LARGE].bytes, .open = true };
    return CU_OK;
}

void cu_put_large_digests(struct cu_put *p, unsigned algs)
{
    CU_ASSERT(p->fill[LARGE].open && !p->fill[LARGE].begun);
    p->fill[LARGE].digested = true;
    p->fill[LARGE].algs = algs;
}

cu_status cu_put_large_room(struct cu_put *p, uint8_t **ret, size_t *ret_n, struct cu_err *err)
{
    struct cu_put_fill *fill = &p->fill[LARGE];

    TRY(ready(p, err));
    CU_ASSERT(fill->open);
    if (fill->n == CU_PUT_SLOT_BYTES) TRY(failed(p, submit(p, LARGE, false, true, err)));
    TRY(failed(p, need_bytes(fill, err)));
    *ret = fill->bytes + fill->n;
    *ret_n = CU_PUT_SLOT_BYTES - fill->n;
    return CU_OK;
}

void cu_put_large_filled(struct cu_put *p, size_t n) { p->fill[LARGE].n += n; }

cu_status cu_put_large_add(struct cu_put *p, struct cu_span bytes, struct cu_err *err)
{
    TRY(ready(p, err));
    CU_ASSERT(p->fill[LARGE].open);
    return failed(p, append(p, LARGE, bytes, err));
}

/* It came as a large one and is small: everything is still in the slot. */
static cu_status end_small(struct cu_put *p, struct cu_put_ticket *t, struct cu_err *err)
{
    const struct cu_put_fill *fill = &p->fill[LARGE];
    struct cu_span bytes = cu_span(fill->bytes, fill->n);
    struct cu_put_link o = { CU_OBJECT_CONTENT, cu_content_root_of(bytes), bytes.n };

    t->packed = true;
    t->sums.root = o.name;
    if (fill->digested) TRY(cu_digest_set_of(fill->algs, bytes, t->sums.digest, &t->sums.digests_n, err));
    return put_small(p, &o, bytes, err);
}

static cu_status end_large(struct cu_put *p, struct cu_put_ticket *t, struct cu_err *err)
{
    TRY(need_bytes(&p->fill[LARGE], err));
    TRY(submit(p, LARGE, true, true, err));
    t->number = p->fill[LARGE].number;
    t->slots = cu_crew_submitted(p->crew);
    return CU_OK;
}

cu_status cu_put_large_ended(struct cu_put *p, struct cu_err *err)
{
    struct cu_put_fill *fill = &p->fill[LARGE];
    struct cu_put_ticket *t = next_ticket(p);

    TRY(ready(p, err));
    CU_ASSERT(fill->open);
    t->sums.size = fill->at + fill->n;
    TRY(failed(p, t->sums.size < CU_CHUNK_BYTES ? end_small(p, t, err) : end_large(p, t, err)));
    fill->open = false;
    p->tickets_n++;
    return CU_OK;
}

/* One that is in every store, or came before in this batch, need not be kept twice. */
static cu_status keep_once(struct cu_put *p, uint64_t number, const struct cu_put_link *o, struct cu_err *err)
{
    bool here = was_seen(p, o), known = !here && all_know(p, o);

    pthread_mutex_lock(&p->lock);
    p->file[number].discard = here || known;
    pthread_mutex_unlock(&p->lock);
    if (known) return link_object(p, o, err);
    now_seen(p, o);
    return CU_OK;
}

static cu_status take(struct cu_put *p, const struct cu_put_ticket *t, struct cu_err *err)
{
    if (t->packed) return CU_OK;
    TRY(cu_crew_wait(p->crew, 1u << CU_LANE_TREE | 1u << CU_LANE_DIGEST, t->slots, err));
    struct cu_put_link o = { CU_OBJECT_CONTENT, t->sums.root, t->sums.size };
    return p->n > 0 ? keep_once(p, t->number, &o, err) : CU_OK;
}

cu_status cu_put_large_take(struct cu_put *p, struct cu_sums *ret, struct cu_err *err)
{
    struct cu_put_ticket *t = &p->ticket[p->taken_n % CU_PUT_TICKETS];

    TRY(ready(p, err));
    CU_ASSERT(p->taken_n < p->tickets_n);
    TRY(failed(p, take(p, t, err)));
    *ret = t->sums;
    *t = (struct cu_put_ticket){ .number = 0 };
    p->taken_n++;
    return CU_OK;
}

cu_status cu_put_large_end(struct cu_put *p, cu_hash *ret_root, uint64_t *ret_size, struct cu_err *err)
{
    struct cu_sums sums;

    CU_ASSERT(p->taken_n == p->tickets_n);
    TRY(cu_put_large_ended(p, err));
    TRY(cu_put_large_take(p, &sums, err));
    *ret_root = sums.root;
    *ret_size = sums.size;
    return CU_OK;
}
