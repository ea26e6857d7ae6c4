/* What the files of this room share about one store. Nothing here is for other rooms.
 *
 * (1) `lock` guards everything behind it; files are read and written without it.
 * (2) The catalogue (every packed object, by name) is loaded when the index does not know an object, and never trusted: a pack
 *     that it names may be gone, and what is read is verified.
 */
#ifndef CU_CONTENT_STORE_H
#define CU_CONTENT_STORE_H

#include "content/pack.h"

#include <pthread.h>

enum { CU_STORE_PATH_MAX = 512, CU_STORE_DIR_MAX = 256 };
enum cu_store_file { CU_STORE_LARGE, CU_STORE_TREE, CU_STORE_PACK, CU_STORE_PACK_INDEX };

struct cu_catalogue_row { cu_hash name; uint32_t pack, offset; };
struct cu_catalogue {
    bool loaded, sorted;
    cu_hash *packs;
    size_t packs_n, packs_cap;
    struct cu_catalogue_row *rows;
    size_t rows_n, rows_cap;
};

enum { CU_STORE_SPARES = 4 };
struct cu_objects {
    const struct cu_fs *fs;
    char dir[CU_STORE_DIR_MAX];
    const struct cu_index *index;
    unsigned number;
    pthread_mutex_t lock;
    unsigned places; /* bits: names in incoming/ that are taken by a batch */
    bool written;    /* by a batch of this process */
    struct cu_catalogue catalogue;
    uint8_t *spare[CU_STORE_SPARES]; /* memory for a chunk each, which was read into: asked for again it would be cleared page by page */
    struct { cu_hash name; cu_hash *root; uint64_t n; } lately; /* the chunks' roots of the large object that was last read in part */
};

void cu_store_path(const struct cu_objects *s, enum cu_store_file file, const cu_hash *name, char ret[CU_STORE_PATH_MAX]);
/* packs/<aa> or large/<aa> */
void cu_store_folder(const struct cu_objects *s, bool large, unsigned first_byte, char ret[CU_STORE_PATH_MAX]);
/** A name as it stands in a folder: 64 hex digits that begin as the folder does, then ".tree", ".pack", ".idx" or nothing. */
bool cu_store_name(const char *name, unsigned first_byte, bool large, enum cu_store_file *ret_file, cu_hash *ret_name);
bool cu_store_first_byte(const char *folder, unsigned *ret); /* "a7" */

/** Everything that lies in a store but incoming/. `unexpected` may be NULL. A store that was never written has no folder yet. */
struct cu_store_visit {
    void *arg;
    /* which files are there */
    cu_status (*object)(void *arg, bool large, const cu_hash *name, bool main, bool side, struct cu_err *err);
    cu_status (*unexpected)(void *arg, const char *path, struct cu_err *err);
};
CU_MUST_USE cu_status cu_store_walk(struct cu_objects *s, const struct cu_store_visit *visit, struct cu_err *err);

/** A place for temporary files: incoming/<place>-<n> and incoming/<place>-<n>.side. BUSY when 32 batches are under way. */
CU_MUST_USE cu_status cu_store_take_place(struct cu_objects *s, unsigned *ret, struct cu_err *err);
void cu_store_leave_place(struct cu_objects *s, unsigned place);
void cu_store_incoming(const struct cu_objects *s, unsigned place, uint64_t n, bool side, char ret[CU_STORE_PATH_MAX]);

CU_MUST_USE cu_status cu_store_find_large(struct cu_objects *s, const cu_hash *name, struct cu_object *ret, struct cu_err *err);
/** The index of a pack, read and checked against its own name; `ret_index` points into `ret`. */
CU_MUST_USE cu_status cu_store_pack_index(struct cu_objects *s, const cu_hash *pack, struct cu_buf *ret,
                                          struct cu_pack_index *ret_index, struct cu_err *err);

/** Packed objects by name. The lock is held by the caller. */
CU_MUST_USE cu_status cu_catalogue_load(struct cu_objects *s, struct cu_err *err);
/* if it is loaded */
CU_MUST_USE cu_status cu_catalogue_add(struct cu_objects *s, const struct cu_pack_index *index, struct cu_err *err);
CU_MUST_USE cu_status cu_catalogue_find(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name,
                                        struct cu_object *ret, struct cu_err *err);
void cu_catalogue_free(struct cu_catalogue *c);

/** Where an object of a pack stands is what its frame says there. */
CU_MUST_USE cu_status cu_store_frame(struct cu_objects *s, const cu_hash *pack, uint64_t offset, struct cu_object *ret,
                                     struct cu_err *err);

/** Tell the index what lies in packs, between begin and end. An index is derived and trusted by nobody: when it fails, it
 *  does not know, and the catalogue answers. False: it failed, or there is none. */
bool cu_store_tell_begin(struct cu_objects *s);
bool cu_store_tell_pack(struct cu_objects *s, const struct cu_pack_index *index);
void cu_store_tell_end(struct cu_objects *s, bool all_told);

#endif
