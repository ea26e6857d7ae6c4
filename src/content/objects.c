/* A store: where its files lie, what is in it, where an object is. */
#include "content/store.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *folder, *suffix;
} files[] = {
    [CU_STORE_LARGE] = { "large", "" },
    [CU_STORE_TREE] = { "large", ".tree" },
    [CU_STORE_PACK] = { "packs", ".pack" },
    [CU_STORE_PACK_INDEX] = { "packs", ".idx" },
};
enum { FILES = sizeof files / sizeof *files, PLACES = 32 };

/* ---- names ---- */

void cu_store_path(const struct cu_objects *s, enum cu_store_file file, const cu_hash *name, char ret[CU_STORE_PATH_MAX])
{
    char hex[65];

    cu_hash_hex(name, hex);
    snprintf(ret, CU_STORE_PATH_MAX, "%s/%s/%.2s/%s%s", s->dir, files[file].folder, hex, hex, files[file].suffix);
}

void cu_store_folder(const struct cu_objects *s, bool large, unsigned first_byte, char ret[CU_STORE_PATH_MAX])
{
    snprintf(ret, CU_STORE_PATH_MAX, "%s/%s/%02x", s->dir, large ? "large" : "packs", first_byte);
}

bool cu_store_first_byte(const char *folder, unsigned *ret)
{
    uint8_t byte;
    if (strlen(folder) != 2 || cu_hex_read(cu_span_str(folder), &byte, 1, NULL) != CU_OK) return false;
    *ret = byte;
    return true;
}

bool cu_store_name(const char *name, unsigned first_byte, bool large, enum cu_store_file *ret_file, cu_hash *ret_name)
{
    cu_hash hash = { 0 };

    if (strlen(name) < 64 || cu_hex_read(cu_span(name, 64), hash.b, sizeof hash.b, NULL) != CU_OK || hash.b[0] != first_byte)
        return false;
    for (unsigned i = 0; i < FILES; i++) {
        if ((files[i].folder[0] == 'l') != large || strcmp(name + 64, files[i].suffix) != 0) continue;
        *ret_file = (enum cu_store_file)i;
        *ret_name = hash;
        return true;
    }
    return false;
}

cu_status cu_store_take_place(struct cu_objects *s, unsigned *ret, struct cu_err *err)
{
    unsigned place = 0;

    pthread_mutex_lock(&s->lock);
    while (place < PLACES && (s->places >> place & 1)) place++;
    if (place < PLACES) s->places |= 1u << place;
    pthread_mutex_unlock(&s->lock);
    ENSURE(place < PLACES, err, CU_BUSY, "%s: %d batches are being written already", s->dir, PLACES);
    *ret = place;
    return CU_OK;
}

void cu_store_leave_place(struct cu_objects *s, unsigned place)
{
    pthread_mutex_lock(&s->lock);
    s->places &= ~(1u << place);
    pthread_mutex_unlock(&s->lock);
}

void cu_store_incoming(const struct cu_objects *s, unsigned place, uint64_t n, bool side, char ret[CU_STORE_PATH_MAX])
{
    snprintf(ret, CU_STORE_PATH_MAX, "%s/incoming/%u-%llu%s", s->dir, place, (unsigned long long)n, side ? ".side" : "");
}

/* ---- opening ---- */

cu_status cu_objects_open(const struct cu_fs *fs, const char *dir, const struct cu_index *index, unsigned store,
                          struct cu_objects **ret, struct cu_err *err)
{
    ENSURE(strlen(dir) < CU_STORE_DIR_MAX, err, CU_USAGE, "the path of a store is too long: %s", dir);
    struct cu_objects *s = calloc(1, sizeof *s);
    ENSURE(s, err, CU_NO_MEMORY, "no memory for a store");
    s->fs = fs;
    s->index = index;
    s->number = store;
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    pthread_mutex_init(&s->lock, NULL);
    *ret = s;
    return CU_OK;
}

void cu_objects_close(struct cu_objects *s)
{
    if (!s) return;
    cu_catalogue_free(&s->catalogue);
    free(s->lately.root);
    for (int i = 0; i < CU_STORE_SPARES; i++) free(s->spare[i]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- how it is held ---- */

bool cu_store_versioned(const struct cu_objects *s) { return s->fs->ops->held != NULL; }

cu_status cu_store_held(const struct cu_objects *s, const cu_hash *container, bool packed, const char *version, uint64_t until,
                        struct cu_fs_held *ret, struct cu_err *err)
{
    char path[CU_STORE_PATH_MAX];

    cu_store_path(s, packed ? CU_STORE_PACK : CU_STORE_LARGE, container, path);
    return s->fs->ops->held(s->fs->self, path, version, until, ret, err);
}

/* ---- finding ---- */

cu_status cu_store_find_large(struct cu_objects *s, const cu_hash *name, struct cu_object *ret, struct cu_err *err)
{
    char path[CU_STORE_PATH_MAX];
    struct cu_file_stat st;

    cu_store_path(s, CU_STORE_LARGE, name, path);
    TRY(s->fs->ops->stat(s->fs->self, path, &st, err));
    ENSURE(st.kind == CU_FILE_REGULAR, err, CU_NOT_FOUND, "%s is not a file", path);
    *ret = (struct cu_object){ .store = s, .kind = CU_OBJECT_CONTENT, .name = *name, .size = st.size };
    return CU_OK;
}

cu_status cu_store_frame(struct cu_objects *s, const cu_hash *pack, uint64_t offset, struct cu_object *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    char path[CU_STORE_PATH_MAX];
    uint8_t head[CU_FRAME_HEAD];
    struct cu_object out = { .store = s, .pack = *pack, .offset = offset, .packed = true };
    uint32_t size;
    size_t got;

    cu_store_path(s, CU_STORE_PACK, pack, path);
    TRY(s->fs->ops->open(s->fs->self, path, CU_OPEN_READ, &f, err));
    ENSURE(offset >= CU_PACK_HEAD + CU_FRAME_HEAD, err, CU_CORRUPT, "%s: no object lies at %llu", path,
           (unsigned long long)offset);
    TRY(f->ops->read_at(f, offset - CU_FRAME_HEAD, head, sizeof head, &got, err));
    ENSURE(got == sizeof head && cu_frame_read(head, &out.kind, &size, NULL) == CU_OK, err, CU_CORRUPT,
           "%s is damaged before offset %llu", path, (unsigned long long)offset);
    out.size = size;
    *ret = out;
    return CU_OK;
}

/* A row of a pack's index, unchecked but for its form. */
static bool read_row(struct cu_objects *s, const struct cu_index_object *hint, struct cu_pack_row *ret)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    uint8_t bytes[CU_PACK_ROW_BYTES];
    const struct cu_pack_index one = { .n = 1, .rows = CU_SPAN_OF(bytes) };
    const uint64_t at = CU_PACK_INDEX_HEAD + (uint64_t)hint->row * sizeof bytes;
    char path[CU_STORE_PATH_MAX];
    size_t got = 0;

    cu_store_path(s, CU_STORE_PACK_INDEX, &hint->pack, path);
    if (s->fs->ops->open(s->fs->self, path, CU_OPEN_READ, &f, NULL) != CU_OK) return false;
    if (f->ops->read_at(f, at, bytes, sizeof bytes, &got, NULL) != CU_OK || got < sizeof bytes) return false;
    *ret = cu_pack_index_row(&one, 0);
    return true;
}

/* The row is about something else: was that a guess, or is the index of this pack damaged? */
static cu_status judge_hint(struct cu_objects *s, const struct cu_index_object *hint, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_PACK_INDEX_MAX);
    struct cu_pack_index index;
    struct cu_file_stat st;
    char path[CU_STORE_PATH_MAX];

    if (cu_store_pack_index(s, &hint->pack, &bytes, &index, NULL) == CU_OK) return CU_UNKNOWN_TARGET;
    cu_store_path(s, CU_STORE_PACK, &hint->pack, path);
    TRY(s->fs->ops->stat(s->fs->self, path, &st, err));
    ENSURE(st.kind == CU_FILE_REGULAR, err, CU_NOT_FOUND, "%s is not a file", path);
    return cu_fail(err, CU_MALFORMED, "%s: the index beside it is damaged or missing", path);
}

static cu_status try_hint(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, const struct cu_index_object *hint,
                          struct cu_object *ret, struct cu_err *err)
{
    struct cu_pack_row row;
    struct cu_object found;

    if (!read_row(s, hint, &row) || row.kind != kind || !cu_hash_eq(&row.name, name)) return judge_hint(s, hint, err);
    TRY(cu_store_frame(s, &hint->pack, row.offset, &found, err));
    if (found.kind != kind || found.size != row.size) return CU_UNKNOWN_TARGET;
    found.name = *name;
    *ret = found;
    return CU_OK;
}

/* The index's word counts only if the pack's own index and its frame agree. UNKNOWN_TARGET: it has nothing to say. */
static cu_status find_by_hint(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, struct cu_object *ret,
                              struct cu_err *err)
{
    cu_status status = CU_UNKNOWN_TARGET;
    struct cu_index_object hint;

    for (unsigned n = 0; s->index && s->index->find_object(s->index->self, s->number, name, n, &hint, NULL) == CU_OK; n++) {
        struct cu_err why;
        cu_status tried = try_hint(s, kind, name, &hint, ret, &why);
        if (tried == CU_OK) return CU_OK;
        if (tried != CU_UNKNOWN_TARGET) status = cu_fail(err, tried, "%s", why.text);
    }
    return status;
}

cu_status cu_store_container(struct cu_objects *s, const cu_hash *root, uint64_t size, cu_hash *ret, bool *ret_packed,
                             struct cu_err *err)
{
    struct cu_index_object hint;
    struct cu_pack_row row;
    struct cu_object o;

    *ret_packed = size < CU_CHUNK_BYTES;
    *ret = *root;
    if (!*ret_packed) return CU_OK;
    for (unsigned n = 0; s->index && s->index->find_object(s->index->self, s->number, root, n, &hint, NULL) == CU_OK; n++)
        if (read_row(s, &hint, &row) && row.kind == CU_OBJECT_CONTENT && cu_hash_eq(&row.name, root))
            return *ret = hint.pack, CU_OK;
    TRY(cu_objects_find(s, CU_OBJECT_CONTENT, root, &o, err));
    *ret = o.pack;
    return CU_OK;
}

static cu_status find_in_packs(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, struct cu_object *ret,
                               struct cu_err *err)
{
    pthread_mutex_lock(&s->lock);
    cu_status status = cu_catalogue_load(s, err);
    if (status == CU_OK) status = cu_catalogue_find(s, kind, name, ret, err);
    pthread_mutex_unlock(&s->lock);
    return status;
}

cu_status cu_objects_find(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, struct cu_object *ret,
                          struct cu_err *err)
{
    struct cu_err of_hint;
    cu_status hinted = find_by_hint(s, kind, name, ret, &of_hint);

    if (hinted == CU_OK) return CU_OK;
    if (kind == CU_OBJECT_CONTENT && cu_store_find_large(s, name, ret, NULL) == CU_OK) return CU_OK;
    cu_status status = find_in_packs(s, kind, name, ret, err);
    if (status == CU_OK || hinted == CU_UNKNOWN_TARGET) return status;
    return cu_fail(err, hinted, "%s", of_hint.text); /* it names the file that should hold the object */
}

bool cu_store_knows(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, uint64_t size)
{
    struct cu_object o;

    if (size >= CU_CHUNK_BYTES) {
        char path[CU_STORE_PATH_MAX];
        cu_store_path(s, CU_STORE_TREE, name, path);
        return cu_store_find_large(s, name, &o, NULL) == CU_OK && o.size == size && cu_fs_exists(s->fs, path);
    }
    cu_status found = s->index ? find_by_hint(s, kind, name, &o, NULL) : find_in_packs(s, kind, name, &o, NULL);
    return found == CU_OK && o.size == size;
}

cu_status cu_objects_has(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, uint64_t size, bool verify,
                         struct cu_err *err)
{
    struct cu_object o = { 0 };
    char hex[65];

    TRY(cu_objects_find(s, kind, name, &o, err));
    cu_hash_hex(name, hex);
    ENSURE(o.size == size, err, CU_BAD_HASH, "%s: the object %s has %llu bytes instead of %llu", s->dir, hex,
           (unsigned long long)o.size, (unsigned long long)size);
    return verify ? cu_object_stream(&o, NULL, NULL, err) : CU_OK;
}

static cu_status set_aside(struct cu_objects *s, const char *path, const char *to, struct cu_err *err)
{
    char there[2 * CU_STORE_PATH_MAX];

    snprintf(there, sizeof there, "%s/%s", to, path);
    const cu_status moved = s->fs->ops->rename(s->fs->self, path, there, err);
    return moved == CU_NOT_FOUND ? CU_OK : moved;
}

cu_status cu_object_set_aside(const struct cu_object *o, const char *to, char ret_where[CU_STORE_PATH_MAX], struct cu_err *err)
{
    struct cu_objects *s = o->store;
    const cu_hash *name = o->packed ? &o->pack : &o->name;
    char side[CU_STORE_PATH_MAX];

    cu_store_path(s, o->packed ? CU_STORE_PACK : CU_STORE_LARGE, name, ret_where);
    cu_store_path(s, o->packed ? CU_STORE_PACK_INDEX : CU_STORE_TREE, name, side);
    TRY(set_aside(s, ret_where, to, err));
    return set_aside(s, side, to, err);
}

/* ---- the index ---- */

cu_status cu_store_pack_index(struct cu_objects *s, const cu_hash *pack, struct cu_buf *ret, struct cu_pack_index *ret_index,
                              struct cu_err *err)
{
    char path[CU_STORE_PATH_MAX];

    cu_store_path(s, CU_STORE_PACK_INDEX, pack, path);
    TRY(cu_fs_read(s->fs, path, CU_PACK_INDEX_MAX, ret, err));
    cu_status status = cu_pack_index_read(cu_buf_span(ret), ret_index, err);
    if (status != CU_OK) return cu_fail_while(err, status, "%s", path);
    ENSURE(cu_hash_eq(&ret_index->pack, pack), err, CU_MALFORMED, "%s is the index of another pack", path);
    return CU_OK;
}

bool cu_store_tell_begin(struct cu_objects *s) { return s->index && s->index->begin(s->index->self, NULL) == CU_OK; }

bool cu_store_tell_pack(struct cu_objects *s, const struct cu_pack_index *index)
{
    for (uint32_t i = 0; i < index->n; i++) {
        struct cu_pack_row row = cu_pack_index_row(index, i);
        struct cu_index_object o = { row.name, index->pack, i };
        if (s->index->put_object(s->index->self, s->number, &o, NULL) != CU_OK) return false;
    }
    return true;
}

void cu_store_tell_end(struct cu_objects *s, bool all_told)
{
    cu_size size;

    if (!all_told || s->index->size(s->index->self, &size, NULL) != CU_OK ||
        s->index->commit(s->index->self, size, NULL) != CU_OK)
        s->index->rollback(s->index->self);
}
