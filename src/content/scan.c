/* Four lanes each read and hash every fourth chunk, so that the disk has several requests at a time and no core waits for it
 * alone; the caller's thread is told the chunks in order. */
#include "content/scan.h"

#include "content/crew.h"
#include "content/memory.h"

#include <stdlib.h>

enum { SLOTS = 8, LANES = 4 };

struct slot {
    uint8_t *bytes; /* a chunk of the scan's memory */
    struct cu_file *file;
    const char *path;
    uint64_t at;
    size_t n, leaves_n;
    cu_hash leaves[CU_CHUNK_BYTES / CU_LEAF_BYTES];
};

struct cu_scan {
    bool threads;
    struct cu_crew *crew; /* NULL until a file has more than one chunk */
    uint64_t told;        /* slots, of all files so far */
    uint8_t *bytes;       /* the slots': one chunk for all until there are threads */
    unsigned slots;
    struct slot slot[SLOTS];
};

/* Whole leaves are asked for, as direct reading wants it; what lies behind the end is not looked at. */
static cu_status read_slot(void *arg, size_t n, struct cu_err *err)
{
    struct slot *slot = &((struct cu_scan *)arg)->slot[n];
    size_t whole = (slot->n + CU_LEAF_BYTES - 1) / CU_LEAF_BYTES * CU_LEAF_BYTES, got = 0;

    TRY(slot->file->ops->read_at(slot->file, slot->at, slot->bytes, whole, &got, err));
    ENSURE(got >= slot->n, err, CU_CHANGED, "%s shrank while it was read", slot->path);
    slot->leaves_n = cu_content_leaves(cu_span(slot->bytes, slot->n), slot->leaves);
    return CU_OK;
}

cu_status cu_scan_new(bool threads, struct cu_scan **ret, struct cu_err *err)
{
    struct cu_scan *scan = calloc(1, sizeof *scan);
    ENSURE(scan, err, CU_NO_MEMORY, "no memory to read a store");
    scan->threads = threads;
    *ret = scan;
    return CU_OK;
}

void cu_scan_free(struct cu_scan *scan)
{
    if (!scan) return;
    cu_crew_free(scan->crew);
    free(scan->bytes);
    free(scan);
}

static cu_status need_memory(struct cu_scan *scan, unsigned slots, struct cu_err *err)
{
    if (scan->slots >= slots) return CU_OK;
    free(scan->bytes);
    scan->bytes = cu_transfer_memory(slots * (size_t)CU_CHUNK_BYTES);
    scan->slots = scan->bytes ? slots : 0;
    ENSURE(scan->bytes, err, CU_NO_MEMORY, "no memory to read a store");
    for (unsigned i = 0; i < SLOTS; i++) scan->slot[i].bytes = scan->bytes + i % slots * (size_t)CU_CHUNK_BYTES;
    return CU_OK;
}

static cu_status start_crew(struct cu_scan *scan, bool threads, struct cu_err *err)
{
    struct cu_lane lanes[LANES];

    TRY(need_memory(scan, threads ? SLOTS : scan->threads ? 1 : CU_HUGE_PAGE / CU_CHUNK_BYTES, err));
    for (unsigned i = 0; i < LANES; i++) lanes[i] = (struct cu_lane){ .work = read_slot, .arg = scan, .share = i, .of = LANES };
    scan->told = 0;
    return cu_crew_new(lanes, LANES, SLOTS, threads, &scan->crew, err);
}

/* ---- one file ---- */

struct reading {
    struct cu_scan *scan;
    struct cu_file *file;
    const char *path;
    uint64_t size, asked, told; /* bytes */
    cu_scan_chunk chunk;
    void *arg;
};

static cu_status ask_one(struct reading *r, struct cu_err *err)
{
    uint64_t left = r->size - r->asked;
    size_t n;

    TRY(cu_crew_claim(r->scan->crew, &n, err));
    struct slot *slot = &r->scan->slot[n];
    slot->file = r->file;
    slot->path = r->path;
    slot->at = r->asked;
    slot->n = left < CU_CHUNK_BYTES ? (size_t)left : CU_CHUNK_BYTES;
    r->asked += slot->n;
    cu_crew_submit(r->scan->crew);
    return CU_OK;
}

static cu_status tell_one(struct reading *r, struct cu_err *err)
{
    struct cu_scan *scan = r->scan;
    const struct slot *slot = &scan->slot[scan->told % SLOTS];

    TRY(cu_crew_wait(scan->crew, ~0u, scan->told + 1, err));
    scan->told++;
    r->told += slot->n;
    return r->chunk(r->arg, slot->at, cu_span(slot->bytes, slot->n), slot->leaves, slot->leaves_n, err);
}

/* A slot is kept back: the one that is being told may not be asked for again. Without threads they have one memory. */
static cu_status read_through(struct reading *r, struct cu_err *err)
{
    struct cu_scan *scan = r->scan;
    const uint64_t ahead = cu_crew_has_threads(scan->crew) ? SLOTS - 1 : 1;

    while (r->told < r->size) {
        while (r->asked < r->size && cu_crew_submitted(scan->crew) - scan->told < ahead) TRY(ask_one(r, err));
        TRY(tell_one(r, err));
    }
    return CU_OK;
}

/* A crew that has failed stays so, and its lanes may hold what was asked for last: the next file gets a new one. */
static cu_status read_file(struct reading *r, struct cu_err *err)
{
    struct cu_scan *scan = r->scan;

    if (!scan->crew) TRY(start_crew(scan, scan->threads && r->size > CU_CHUNK_BYTES, err));
    cu_status status = read_through(r, err);
    if (status == CU_OK && cu_crew_has_threads(scan->crew)) return CU_OK;
    cu_crew_free(scan->crew);
    scan->crew = NULL;
    return status;
}

cu_status cu_scan_file(struct cu_scan *scan, const struct cu_fs *fs, const char *path, cu_scan_chunk chunk, void *arg,
                       uint64_t *ret_size, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    struct reading r = { .scan = scan, .path = path, .chunk = chunk, .arg = arg };

    TRY(fs->ops->open(fs->self, path, CU_OPEN_READ | CU_OPEN_DIRECT, &f, err));
    TRY(f->ops->size(f, &r.size, err));
    r.file = f;
    if (ret_size) *ret_size = r.size;
    return read_file(&r, err);
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

cu_status cu_scan_pack_file(struct cu_scan *scan, const struct cu_objects *s, const cu_hash *pack, struct cu_pack_scan *how,
                            struct cu_err *err)
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
