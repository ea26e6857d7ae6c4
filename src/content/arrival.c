/* A large object that comes piece by piece: incoming/<root>, and its tree in incoming/<root>.side, each chunk and its leaves where they belong.
 *
 * (1) Nothing says what came but the bytes: whoever goes on hashes what lies there, and keeps the chunks that have their roots.
 * (2) What is kept so is written once more: it may be in the page cache alone, after a sync that failed, in this process or another.
 * (3) Whole chunks go past the page cache where their memory allows it; what is at the end of an object may not be whole blocks. The file has its
 *     length from the begin: writes that lengthen a file wait for one another.
 */
#include "content/memory.h"
#include "content/store.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

struct cu_arrival {
    struct cu_objects *store;
    cu_hash root;
    uint64_t size, chunks;
    const cu_hash *chunk;
    struct cu_file *main, *direct, *side;
    bool *came;
};

static void incoming(const struct cu_arrival *a, bool side, char ret[CU_STORE_PATH_MAX])
{
    char hex[65];

    cu_hash_hex(&a->root, hex);
    snprintf(ret, CU_STORE_PATH_MAX, "%s/incoming/%s%s", a->store->dir, hex, side ? ".side" : "");
}

static cu_status open_one(const struct cu_arrival *a, bool side, unsigned more, struct cu_file **ret, struct cu_err *err)
{
    const struct cu_fs *fs = a->store->fs;
    char path[CU_STORE_PATH_MAX];

    incoming(a, side, path);
    return fs->ops->open(fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE | more, ret, err);
}

static size_t length(const struct cu_arrival *a, uint64_t i)
{
    const uint64_t left = a->size - i * CU_CHUNK_BYTES;

    return left < CU_CHUNK_BYTES ? (size_t)left : CU_CHUNK_BYTES;
}

cu_status cu_arrival_add(struct cu_arrival *a, uint64_t i, struct cu_span bytes, struct cu_err *err)
{
    cu_hash leaves[CU_CHUNK_BYTES / CU_LEAF_BYTES];

    CU_ASSERT(i < a->chunks);
    ENSURE(bytes.n == length(a, i), err, CU_BAD_HASH, "chunk %llu has %zu bytes and should have %zu", LLU(i), bytes.n,
           length(a, i));
    const size_t n = cu_content_leaves(bytes, leaves);
    const cu_hash root = cu_tree_root(leaves, n);
    ENSURE(cu_hash_eq(&root, &a->chunk[i]), err, CU_BAD_HASH, "chunk %llu does not have the bytes that were signed", LLU(i));
    struct cu_file *main = bytes.n == CU_CHUNK_BYTES && (uintptr_t)bytes.p % CU_LEAF_BYTES == 0 ? a->direct : a->main; /* (3) */
    TRY(main->ops->write_at(main, i * CU_CHUNK_BYTES, bytes, err));
    TRY(a->side->ops->write_at(a->side, i * sizeof leaves, cu_span(leaves, n * sizeof *leaves), err));
    a->came[i] = true;
    return CU_OK;
}

static void free_bytes(uint8_t **p) { free(*p); }

/* By (1) and (2). What cannot be read did not come. */
static cu_status go_on(struct cu_arrival *a, struct cu_err *err)
{
    CU_CLEANUP(free_bytes) uint8_t *bytes = cu_transfer_memory(CU_CHUNK_BYTES);
    uint64_t lies = 0;
    size_t got = 0;

    ENSURE(bytes, err, CU_NO_MEMORY, "no memory to look at what came of an object");
    TRY(a->main->ops->size(a->main, &lies, err));
    for (uint64_t i = 0; i < a->chunks && i * CU_CHUNK_BYTES < lies; i++) {
        if (a->main->ops->read_at(a->main, i * CU_CHUNK_BYTES, bytes, length(a, i), &got, NULL) != CU_OK) continue;
        const cu_status kept = cu_arrival_add(a, i, cu_span(bytes, got), err);
        if (kept != CU_BAD_HASH) TRY(kept);
    }
    return lies != a->size ? a->main->ops->truncate(a->main, a->size, err) : CU_OK;
}

cu_status cu_arrival_begin(struct cu_objects *s, const cu_hash *root, uint64_t size, const cu_hash *chunk,
                           struct cu_arrival **ret, struct cu_err *err)
{
    struct cu_arrival *a = calloc(1, sizeof *a);

    CU_ASSERT(size >= CU_CHUNK_BYTES);
    ENSURE(a, err, CU_NO_MEMORY, "no memory for an object that comes");
    *a = (struct cu_arrival){ .store = s, .root = *root, .size = size, .chunks = cu_content_chunk_count(size), .chunk = chunk };
    a->came = calloc((size_t)a->chunks, sizeof *a->came);
    cu_status begun = a->came ? CU_OK : cu_fail(err, CU_NO_MEMORY, "no memory for an object that comes");
    if (begun == CU_OK) begun = open_one(a, false, 0, &a->main, err);
    if (begun == CU_OK) begun = open_one(a, false, CU_OPEN_DIRECT, &a->direct, err);
    if (begun == CU_OK) begun = open_one(a, true, 0, &a->side, err);
    if (begun == CU_OK) begun = go_on(a, err);
    if (begun == CU_OK) *ret = a;
    else cu_arrival_free(a);
    return begun;
}

bool cu_arrival_lacks(const struct cu_arrival *a, uint64_t chunk) { return !a->came[chunk]; }

/* The tree first, as a batch does. */
static cu_status publish(const struct cu_arrival *a, bool side, struct cu_err *err)
{
    const struct cu_fs *fs = a->store->fs;
    char from[CU_STORE_PATH_MAX], to[CU_STORE_PATH_MAX];

    incoming(a, side, from);
    cu_store_path(a->store, side ? CU_STORE_TREE : CU_STORE_LARGE, &a->root, to);
    TRY(fs->ops->rename(fs->self, from, to, err));
    cu_store_folder(a->store, true, a->root.b[0], to);
    return fs->ops->sync_dir(fs->self, to, err);
}

cu_status cu_arrival_end(struct cu_arrival *a, struct cu_err *err)
{
    for (uint64_t i = 0; i < a->chunks; i++) CU_ASSERT(a->came[i]);
    TRY(a->side->ops->truncate(a->side, cu_content_leaf_count(a->size) * sizeof(cu_hash), err));
    TRY(a->side->ops->sync(a->side, err));
    TRY(a->main->ops->sync(a->main, err));
    TRY(publish(a, true, err));
    return publish(a, false, err);
}

void cu_arrival_free(struct cu_arrival *a)
{
    if (!a) return;
    cu_file_close(&a->main);
    cu_file_close(&a->direct);
    cu_file_close(&a->side);
    free(a->came);
    free(a);
}
