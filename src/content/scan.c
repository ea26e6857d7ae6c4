/* The caller's thread reads ahead and is told; two lanes hash every other chunk, for one core hashes slower than a disk reads. */
#include "content/scan.h"

#include "content/crew.h"

#include <stdlib.h>

enum { SLOTS = 8, HASHERS = 2 };

struct slot {
    uint8_t *bytes;
    size_t n, leaves_n;
    cu_hash leaves[CU_CHUNK_BYTES / CU_LEAF_BYTES];
};

struct cu_scan {
    struct cu_crew *crew; /* NULL until a file has more than one chunk */
    uint64_t told;        /* slots, of all files so far */
    void (*progress)(void *arg, uint64_t bytes);
    void *progress_arg;
    struct slot slot[SLOTS];
};

static cu_status hash_slot(void *arg, size_t n, struct cu_err *err)
{
    struct slot *slot = &((struct cu_scan *)arg)->slot[n];
    (void)err;

    slot->leaves_n = cu_content_leaves(cu_span(slot->bytes, slot->n), slot->leaves);
    return CU_OK;
}

static cu_status need_buffer(struct slot *slot, struct cu_err *err)
{
    if (!slot->bytes) slot->bytes = aligned_alloc(CU_LEAF_BYTES, CU_CHUNK_BYTES);
    ENSURE(slot->bytes, err, CU_NO_MEMORY, "no memory to read into");
    return CU_OK;
}

cu_status cu_scan_new(struct cu_scan **ret, struct cu_err *err)
{
    struct cu_scan *scan = calloc(1, sizeof *scan);
    ENSURE(scan, err, CU_NO_MEMORY, "no memory to read a store");
    *ret = scan;
    return CU_OK;
}

void cu_scan_free(struct cu_scan *scan)
{
    if (!scan) return;
    cu_crew_free(scan->crew);
    for (unsigned i = 0; i < SLOTS; i++) free(scan->slot[i].bytes);
    free(scan);
}

void cu_scan_progress(struct cu_scan *scan, void (*progress)(void *arg, uint64_t bytes), void *arg)
{
    scan->progress = progress;
    scan->progress_arg = arg;
}

static cu_status start_crew(struct cu_scan *scan, struct cu_err *err)
{
    struct cu_lane lanes[HASHERS];

    if (scan->crew) return CU_OK;
    for (unsigned i = 0; i < HASHERS; i++) lanes[i] = (struct cu_lane){ .work = hash_slot, .arg = scan, .share = i, .of = HASHERS };
    return cu_crew_new(lanes, HASHERS, SLOTS, true, &scan->crew, err);
}

/* ---- one file ---- */

struct reading {
    struct cu_scan *scan;
    struct cu_file *file;
    const char *path;
    uint64_t size, read, told; /* bytes */
    cu_scan_chunk chunk;
    void *arg;
};

static cu_status read_slot(struct reading *r, struct slot *slot, struct cu_err *err)
{
    uint64_t left = r->size - r->read;
    size_t want = left < CU_CHUNK_BYTES ? (size_t)left : CU_CHUNK_BYTES, got;

    TRY(need_buffer(slot, err));
    size_t whole = (want + CU_LEAF_BYTES - 1) / CU_LEAF_BYTES * CU_LEAF_BYTES;
    TRY(r->file->ops->read_at(r->file, r->read, slot->bytes, whole, &got, err));
    ENSURE(got >= want, err, CU_CHANGED, "%s shrank while it was read", r->path);
    slot->n = want;
    r->read += want;
    return CU_OK;
}

static cu_status tell(struct reading *r, const struct slot *slot, struct cu_err *err)
{
    uint64_t at = r->told;

    r->told += slot->n;
    if (r->scan->progress) r->scan->progress(r->scan->progress_arg, slot->n);
    return r->chunk(r->arg, at, cu_span(slot->bytes, slot->n), slot->leaves, slot->leaves_n, err);
}

static cu_status read_one(struct reading *r, struct cu_err *err)
{
    size_t n;

    TRY(cu_crew_claim(r->scan->crew, &n, err));
    TRY(read_slot(r, &r->scan->slot[n], err));
    cu_crew_submit(r->scan->crew);
    return CU_OK;
}

/* Two slots are kept back: claiming must not wait for a slot that has not been told yet. */
static cu_status read_through(struct reading *r, struct cu_err *err)
{
    struct cu_scan *scan = r->scan;

    TRY(start_crew(scan, err));
    scan->told = cu_crew_submitted(scan->crew); /* what a failed reading left there is passed over */
    while (r->told < r->size) {
        while (r->read < r->size && cu_crew_submitted(scan->crew) - scan->told < SLOTS - 1) TRY(read_one(r, err));
        TRY(cu_crew_wait(scan->crew, ~0u, scan->told + 1, err));
        TRY(tell(r, &scan->slot[scan->told % SLOTS], err));
        scan->told++;
    }
    return CU_OK;
}

static cu_status read_at_once(struct reading *r, struct cu_err *err)
{
    struct slot *slot = &r->scan->slot[0];

    if (r->scan->crew) return read_through(r, err);
    TRY(read_slot(r, slot, err));
    TRY(hash_slot(r->scan, 0, err));
    return tell(r, slot, err);
}

cu_status cu_scan_file(struct cu_scan *scan, const struct cu_fs *fs, const char *path, cu_scan_chunk chunk, void *arg, uint64_t *ret_size, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    struct reading r = { .scan = scan, .path = path, .chunk = chunk, .arg = arg };

    TRY(fs->ops->open(fs->self, path, CU_OPEN_READ | CU_OPEN_DIRECT, &f, err));
    TRY(f->ops->size(f, &r.size, err));
    r.file = f;
    if (ret_size) *ret_size = r.size;
    if (r.size == 0) return CU_OK;
    return r.size <= CU_CHUNK_BYTES ? read_at_once(&r, err) : read_through(&r, err);
}

/* ---- a pack ---- */

struct unpacking {
    struct cu_pack_scan *how;
    struct cu_unpack unpack;
    struct cu_frontier frontier;
    cu_status fault; /* of the pack's form: its root is wanted all the same */
    struct cu_err err;
};

static void unpacking_free(struct unpacking *u) { cu_unpack_free(&u->unpack); }

static cu_status each_object(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err)
{
    struct unpacking *u = arg;
    return u->how->each(u->how->arg, row, bytes, err);
}

static cu_status unpack_chunk(void *arg, uint64_t at, struct cu_span bytes, const cu_hash *leaves, size_t n, struct cu_err *err)
{
    struct unpacking *u = arg;

    cu_frontier_append_all(&u->frontier, leaves, n);
    if (u->how->seen) TRY(u->how->seen(u->how->arg, at, bytes, leaves, n, err));
    if (u->fault == CU_OK) u->fault = cu_unpack_add(&u->unpack, bytes, &u->err);
    return CU_OK;
}

cu_status cu_scan_pack_file(struct cu_scan *scan, const struct cu_objects *s, const cu_hash *pack, struct cu_pack_scan *how, struct cu_err *err)
{
    CU_CLEANUP(unpacking_free) struct unpacking u = { .how = how };
    char path[CU_STORE_PATH_MAX];

    cu_store_path(s, CU_STORE_PACK, pack, path);
    cu_unpack_start(&u.unpack, each_object, &u);
    TRY(cu_scan_file(scan, s->fs, path, unpack_chunk, &u, &how->size, err));
    how->root = cu_frontier_root(&u.frontier);
    if (u.fault == CU_OK) u.fault = cu_unpack_end(&u.unpack, &u.err);
    if (u.fault != CU_OK) return cu_fail(err, u.fault, "%s: %s", path, u.err.text);
    return CU_OK;
}
