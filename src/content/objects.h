/* One store of objects: content-addressed, write-once, nothing is ever deleted. A ledger has two: the provider's
 * (`cloud/objects`) and the node's (`node/objects`), with the same layout:
 *
 *     large/<aa>/<root>         the bytes of an object of 1 MiB or more        large/<aa>/<root>.tree   its chunks' leaf hashes
 *     packs/<aa>/<pack>.pack    small objects one after another                packs/<aa>/<pack>.idx    what lies where in it
 *     incoming/…                being written; not evidence
 *
 * docs/formats/objects.md has the bytes. Whatever is read is verified on the way out.
 */
#ifndef CU_CONTENT_OBJECTS_H
#define CU_CONTENT_OBJECTS_H

#include "custody/content.h"
#include "ports/engine.h"
#include "ports/fs.h"
#include "ports/index.h"

/* How an object is named: by the root of its content tree, or (details) by SHA-256 of salt ‖ details. */
enum cu_object_kind { CU_OBJECT_CONTENT = 1, CU_OBJECT_DETAILS = 2 };

struct cu_objects;
/** `index` gives hints where packed objects lie and is told of new ones (store number 0: cloud, 1: node); NULL: the packs' own
 *  index files are searched. */
CU_MUST_USE cu_status cu_objects_open(const struct cu_fs *fs, const char *dir, const struct cu_index *index, unsigned store,
                                      struct cu_objects **ret, struct cu_err *err);
void cu_objects_close(struct cu_objects *s);

/** Where an object lies. */
struct cu_object { struct cu_objects *store; enum cu_object_kind kind; cu_hash name, pack; uint64_t size, offset; bool packed; };
/* NOT_FOUND */
CU_MUST_USE cu_status cu_objects_find(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, struct cu_object *ret,
                                      struct cu_err *err);
/** The file that content lies in, which is the object of a bucket: named by its root, or (*ret_packed) by a pack's name. NOT_FOUND. */
CU_MUST_USE cu_status cu_store_container(struct cu_objects *s, const cu_hash *root, uint64_t size, cu_hash *ret, bool *ret_packed, struct cu_err *err);
/** Does a store that keeps versions have these files? How it holds one of that name, as cu_fs_ops.held does. */
bool cu_store_versioned(const struct cu_objects *s);
CU_MUST_USE cu_status cu_store_held(const struct cu_objects *s, const cu_hash *container, bool packed, const char *version, uint64_t until, struct cu_fs_held *ret, struct cu_err *err);
/** Does the store have it, as far as can be told quickly? With an index only the index is asked for packed objects. */
bool cu_store_knows(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, uint64_t size);
/** The object's bytes in order, verified before each piece is fed (chunk by chunk by its .tree, a small one as a whole).
 *  BAD_HASH names file and offset; nothing unverified reaches `feed`. `feed` may be NULL: verify only. */
CU_MUST_USE cu_status cu_object_stream(const struct cu_object *o,
                                       cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), void *arg,
                                       struct cu_err *err);
/** The same for the bytes from ≤ x < to alone: of a large object its tree is read, and the chunks that hold them. USAGE: there are
 *  no such bytes. */
CU_MUST_USE cu_status cu_object_stream_range(const struct cu_object *o, uint64_t from, uint64_t to,
                                             cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), void *arg,
                                             struct cu_err *err);
/** The same into `ret`. A whole chunk of a large object is read to where it stays, if `ret` is empty and has pages for it (cu_buf_pages); then,
 *  not `judged`, it is what lies there, and whoever gets it judges it. */
CU_MUST_USE cu_status cu_object_chunk(const struct cu_object *o, uint64_t from, uint64_t to, bool judged, struct cu_buf *ret, struct cu_err *err);
/** The hashes of its leaves in order, some at a time. Only when it returns CU_OK are they the object's. */
typedef cu_status cu_leaves_fn(void *arg, const cu_hash *leaves, size_t n, struct cu_err *err);
CU_MUST_USE cu_status cu_object_leaves(const struct cu_object *o, cu_leaves_fn *feed, void *arg, struct cu_err *err);
/** The files that hold it go out of the store, to the same paths under the folder `to`: of a small one its pack, with all that lies in it. So
 *  it can be put anew. `ret_where`: the path that it had. */
CU_MUST_USE cu_status cu_object_set_aside(const struct cu_object *o, const char *to, char ret_where[512], struct cu_err *err);
/** A whole small object appended to `ret`, verified. TOO_LARGE. */
CU_MUST_USE cu_status cu_object_read(const struct cu_object *o, size_t max, struct cu_buf *ret, struct cu_err *err);

/** Small objects in about the order in which they were put, as a walk along the log asks for them: whatever comes next of this kind in
 *  the pack of the last one is tried before anything is looked up. Verified like any other. Begins as { .store = … }. */
struct cu_along { struct cu_objects *store; struct cu_file *file; struct cu_buf window; uint64_t window_at, at; };
CU_MUST_USE cu_status cu_along_read(struct cu_along *a, enum cu_object_kind kind, const cu_hash *name, size_t max,
                                    struct cu_buf *ret, struct cu_err *err);
void cu_along_free(struct cu_along *a);

/* ---- writing: both stores at once, durability bought once a batch ---- */
struct cu_put; /* objects on their way into n stores; nothing is visible before commit */
CU_MUST_USE cu_status cu_put_begin(struct cu_objects *const *stores, size_t n, struct cu_put **ret, struct cu_err *err);
/** One small object (under 1 MiB) into the pack. One that all stores have already is linked, not written again. */
CU_MUST_USE cu_status cu_put_small(struct cu_put *p, enum cu_object_kind kind, const cu_hash *name, struct cu_span bytes,
                                   struct cu_err *err);
/** A large one arrives in pieces; its root comes out at the end. One at a time; `abort` forgets it. */
CU_MUST_USE cu_status cu_put_large_begin(struct cu_put *p, struct cu_err *err);
CU_MUST_USE cu_status cu_put_large_add(struct cu_put *p, struct cu_span bytes, struct cu_err *err);
CU_MUST_USE cu_status cu_put_large_end(struct cu_put *p, cu_hash *ret_root, uint64_t *ret_size, struct cu_err *err);
/** A large one that lies in a file of the same file system, synced: it is read, and the file becomes the store's with the commit. One store
 *  alone. BAD_HASH: it has another root. */
CU_MUST_USE cu_status cu_put_adopt(struct cu_put *p, const char *path, const cu_hash *root, struct cu_err *err);
/** In this store a rename leaves bytes where they are: what is adopted was read from the medium, and `verify` does not read it once more. */
void cu_put_in_place(struct cu_put *p);
/** Sync once, publish by rename, sync folders, tell the index. After it everything put is durable in every store. An error:
 *  nothing of the batch counts, whatever of it may lie there is harmless. */
CU_MUST_USE cu_status cu_put_commit(struct cu_put *p, struct cu_err *err);
/** Re-read from store `which` everything that this batch wrote there (or linked to), from the medium as far as the file system
 *  gives it, and compare: what a provider does before it signs. */
CU_MUST_USE cu_status cu_put_verify(struct cu_put *p, size_t which, struct cu_err *err);
void cu_put_free(struct cu_put *p); /* NULL is fine */

/** A large object (1 MiB or more) that comes chunk by chunk, in any order, over hours: into incoming/<root>, where a later process finds what
 *  came and keeps it, if it is right. `chunk`: the roots of its chunks, which lead to its own; the caller's, as long as this is open. One a
 *  root at a time. */
struct cu_arrival;
CU_MUST_USE cu_status cu_arrival_begin(struct cu_objects *s, const cu_hash *root, uint64_t size, const cu_hash *chunk, struct cu_arrival **ret, struct cu_err *err);
bool cu_arrival_lacks(const struct cu_arrival *a, uint64_t chunk);
/** Chunk number `i`, whole. BAD_HASH: it is not what its root says, and was not kept. Any thread. */
CU_MUST_USE cu_status cu_arrival_add(struct cu_arrival *a, uint64_t i, struct cu_span bytes, struct cu_err *err);
/** All are there: durable, then seen. After an error let go of it, and begin again. */
CU_MUST_USE cu_status cu_arrival_end(struct cu_arrival *a, struct cu_err *err);
void cu_arrival_free(struct cu_arrival *a); /* what came stays. NULL is fine */

/** Attachments of drained records into these stores: the port that an engine calls. `state` is the caller's. */
struct cu_attachment_writer { struct cu_objects *stores[2]; size_t n; struct cu_put *put; bool failed; };
struct cu_attachments cu_objects_attachments(struct cu_attachment_writer *state);
void cu_attachments_forget(struct cu_attachment_writer *w); /* what a drain that failed left begun; before the stores are closed */

/* ---- looking after a store ---- */
/** A fault in a store: `where` is the file's path in the ledger's folder. kind: "damaged", "missing", "unexpected". */
struct cu_object_fault { const char *where, *kind, *what; cu_hash name; bool packed; };
/** Judge every file of the store by itself: bytes against names, trees and pack indexes, files that do not belong; empty folders
 *  of another name, too. What lies in incoming/ is not judged, and a sound side file alone (a tree without its bytes, an index
 *  without its pack: a crash leaves them so) is no fault: that an object is missing the log says, by cu_objects_has.
 *
 *  Each object that is there is told with its place, in the caller's thread: its name was made of its bytes again. With `sample` above 1
 *  only every n-th large object or pack is read, and of the others what their index says is told. Whatever `about` makes of an
 *  object's bytes comes along, 0 where they were not read. */
typedef uint64_t (*cu_object_about)(enum cu_object_kind kind, struct cu_span bytes); /* any thread */
struct cu_object_check {
    uint64_t sample;
    void (*found)(void *arg, const struct cu_object_fault *fault);
    void (*progress)(void *arg, uint64_t bytes); /* read so far. It and what follows may be NULL */
    cu_status (*each)(void *arg, const struct cu_object *o, uint64_t about, struct cu_err *err);
    cu_object_about about;
    void *arg;
};
struct cu_object_sum { uint64_t objects, bytes; };
CU_MUST_USE cu_status cu_objects_check(struct cu_objects *s, const struct cu_object_check *how, struct cu_object_sum *ret,
                                       struct cu_err *err);
/** Is this object there and sound? What `check` asks for everything that the log names. */
CU_MUST_USE cu_status cu_objects_has(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, uint64_t size,
                                     bool verify, struct cu_err *err);
/** Bring one object (or, by a pack's name, a pack with its index) from `from` into `s`, verified, durable; a small object brings its
 *  whole pack. The bad file, if any, was moved away by the caller before: where the bytes (the pack) of `s` are still good only
 *  the tree (the index) is made again, and `from` is not needed. NOT_FOUND or BAD_HASH: `from` does not have it either. */
CU_MUST_USE cu_status cu_objects_restore(struct cu_objects *s, struct cu_objects *from, enum cu_object_kind kind,
                                         const cu_hash *name, struct cu_err *err);
CU_MUST_USE cu_status cu_objects_restore_pack(struct cu_objects *s, struct cu_objects *from, const cu_hash *pack,
                                              struct cu_err *err);
/** When both are damaged: the large object or pack made of what is good in `from` and in the file `lost` (the one of `s`, moved away),
 *  a large object leaf by leaf (by the tree file of either store), a pack object by object (by its index in either). BAD_HASH:
 *  something is good in neither. */
CU_MUST_USE cu_status cu_objects_merge(struct cu_objects *s, struct cu_objects *from, const char *lost, bool packed,
                                       const cu_hash *name, struct cu_err *err);
/** What is good in a damaged pack that nothing restores, and lies nowhere else in this store, into another one. `lost`: where it was moved to;
 *  its index still lies beside where it was. */
CU_MUST_USE cu_status cu_objects_salvage(struct cu_objects *s, const char *lost, const cu_hash *pack, struct cu_err *err);
/** Tell the index again what lies in every pack. */
CU_MUST_USE cu_status cu_objects_reindex(struct cu_objects *s, struct cu_err *err);

#endif
