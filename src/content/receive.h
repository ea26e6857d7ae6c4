/* A stream of bytes that comes in pieces, over days and across crashes, until it is what was claimed. It lies in files of its own:
 *
 *     <path>.bytes    what came        <path>.mark    how far that is durable        <path>.chunks    the roots of its chunks, as the sender says
 *
 * The stream is one object, or several one behind the other. A chunk is 1 MiB of an object, from its begin on, or what is left at its end.
 *
 * (1) `durable` is what may be acknowledged: synced, then the mark, then said. It falls back only to the begin of a chunk that was wrong.
 * (2) A chunk's root is known from the sender's list, which leads to the object's root, or is that of an object that is no larger. A chunk
 *     that has another one does not count, nor does anything behind it. What has no known root is judged when the whole is stored.
 * (3) After a crash the mark holds; behind it whole chunks count that have the root that they should have.
 * (4) What comes is gathered, and written past the page cache in whole blocks: a cache that fills with what nobody reads soon costs more than
 *     the disk. While one block is written the next is gathered. What comes on pages, in whole pages, is written from where it lies.
 */
#ifndef CU_CONTENT_RECEIVE_H
#define CU_CONTENT_RECEIVE_H

#include "content/crew.h"
#include "content/objects.h"

struct cu_receive_part { cu_hash root; uint64_t size; };
enum { CU_RECEIVE_PATH_MAX = 64 };

struct cu_receive {
    const struct cu_fs *fs;
    char path[CU_RECEIVE_PATH_MAX];
    const struct cu_receive_part *part; /* the caller's */
    size_t parts_n;
    uint64_t length, durable;
    bool has_chunks, moved, stale; /* moved: all of it was durable, and lies in a store by now; stale: the mark says more than there is */

    /* between begin and end */
    struct cu_file *bytes, *mark, *chunks;
    struct cu_crew *crew;                                /* by (4): its one lane writes, while the next block is gathered */
    struct { uint8_t *bytes; const uint8_t *from; size_t n; uint64_t at; } block[2]; /* from: its own bytes, or the caller's */
    size_t gathers, held_n, held_new;                    /* into which of them; bytes in it, and of them those not written yet: the last */
    bool together, broken;
    size_t now;                                          /* the part that `at` lies in, */
    uint64_t at, part_from, part_chunk, chunk_from, chunk_end; /* where it begins, in bytes and in chunks; and its chunk */
    struct cu_content tree;                              /* of that chunk, up to `at` */
};

/** How far has it come? Nothing there: it begins. `path` is cut to nothing by `reset` before another stream takes it. */
CU_MUST_USE cu_status cu_receive_open(const struct cu_fs *fs, const char *path, const struct cu_receive_part *part, size_t parts_n,
                                      struct cu_receive *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_receive_reset(const struct cu_fs *fs, const char *path, struct cu_err *err);
/** The sender's list, durable. Before the first byte (OUT_OF_ORDER). BAD_HASH: it does not lead to the first object's root. */
CU_MUST_USE cu_status cu_receive_set_chunks(struct cu_receive *r, struct cu_span roots, struct cu_err *err);
/** More objects became known, of which these are all: the first are those that it has. Also between begin and end. A list that does not lead
 *  to the roots of all is forgotten. */
CU_MUST_USE cu_status cu_receive_extend(struct cu_receive *r, const struct cu_receive_part *part, size_t parts_n, struct cu_err *err);

/** A piece of the stream from `durable` on: begin, add as it comes, end. `together`: all of the piece counts, or nothing. */
CU_MUST_USE cu_status cu_receive_begin(struct cu_receive *r, bool together, struct cu_err *err);
/** `bytes` stay as they are until the next `add`, or `still` or `end`, has returned. BAD_HASH: a chunk is not what it should be; TOO_LARGE: behind the end. What came before is kept by `end`. */
CU_MUST_USE cu_status cu_receive_add(struct cu_receive *r, struct cu_span bytes, struct cu_err *err);
/** Nothing is read any more of what was given to `add`. */
void cu_receive_still(struct cu_receive *r);
/** All that came is nothing: the offset is 0 again. */
CU_MUST_USE cu_status cu_receive_rewind(struct cu_receive *r, struct cu_err *err);
/** Durable, when it returns OK; `keep` false: a piece that was begun together does not count. */
CU_MUST_USE cu_status cu_receive_end(struct cu_receive *r, bool keep, struct cu_err *err);

/** Everything that came, so far as it is in `at` < `to`, fed in order. Not verified. */
CU_MUST_USE cu_status cu_receive_read(struct cu_receive *r, uint64_t from, uint64_t to, cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), void *arg, struct cu_err *err);
/** The whole stream's objects into the batch; one large object becomes the store's without being written again. BAD_HASH: an object is not
 *  what was claimed. */
CU_MUST_USE cu_status cu_receive_store(struct cu_receive *r, struct cu_put *put, struct cu_err *err);
/** The batch is committed: what was received may have become the store's. */
void cu_receive_stored(struct cu_receive *r);
/** What was whole is not: it begins again from the first chunk that is wrong or, where chunks are not known, from the start. */
CU_MUST_USE cu_status cu_receive_again(struct cu_receive *r, struct cu_err *err);

#endif
