/* A batch of objects on their way into n stores: what its files share. Nothing here is for other rooms.
 *
 * Three parts, one file each: put.c gathers bytes into slots, put_lanes.c is the crew that hashes and writes them, put_commit.c
 * makes them durable, publishes, and reads them again.
 *
 * (1) Files are numbered in the order in which they begin; incoming/<place>-<number> is one of them, ".side" its tree or index.
 * (2) At most one pack and one large object are being filled, so every lane keeps two files' state: [0] the pack, [1] the large.
 * (3) Nothing is renamed before everything of the batch is durable in every store; side files are renamed, and that made
 *     durable, before the files that they belong to. So an object that can be seen is whole, and so is what belongs to it.
 * (4) A batch that failed is never published; what it left in incoming/ is cut to nothing or overwritten.
 */
#ifndef CU_CONTENT_PUT_H
#define CU_CONTENT_PUT_H

#include "content/crew.h"
#include "content/digests.h"
#include "content/store.h"

enum {
    CU_PUT_STORES_MAX = 4,
    CU_PUT_SLOT_BYTES = 2 * CU_CHUNK_BYTES, /* a disk likes long writes */
    CU_PUT_SLOTS = 10,
    CU_PUT_OPEN_MAX = 32, /* files synced one by one; with more, the file system is synced once */
    CU_PUT_SEEN = 1 << 14,
    CU_PUT_TICKETS = 64,
    CU_LANE_TREE = 0,
    CU_LANE_DIGEST = 1,
    CU_LANE_STORE = 2, /* the first of n */
};

/* A large object that was read to its end; its lanes may still be at work. */
struct cu_put_ticket { struct cu_sums sums; uint64_t number, slots; bool packed; };

struct cu_put_slot {
    uint8_t *bytes;
    size_t n;
    uint64_t number, at;     /* which file, and where in it */
    bool large, first, last;
    struct cu_put_ticket *ticket;                 /* with the slots of a large object */
    bool digested; unsigned algs;
    struct cu_pack_row *rows; size_t rows_n;      /* with the last slot of a pack */
    struct cu_buf side;                           /* by the tree lane: what goes to the side file, */
    uint64_t side_at;                             /* and where */
};

/* One file of the batch; the same in every store. */
struct cu_put_file { cu_hash name; uint64_t size; bool large, discard; char adopted[96]; /* where it lies; "": incoming/ */ };

struct cu_put_writing { struct cu_file *main, *side; bool direct; };

struct cu_put_writer {
    struct cu_put *put;
    struct cu_objects *store;
    unsigned place;
    struct cu_put_writing now[2];             /* by (2) */
    struct cu_file *written[CU_PUT_OPEN_MAX]; /* not yet synced */
    size_t written_n;
    bool sync_all;
};

struct cu_put_fill {
    uint8_t *bytes;   /* a slot's worth */
    size_t n;
    uint64_t at;      /* bytes of this file in slots before */
    uint64_t number;
    bool open, begun; /* begun: a slot of it was submitted */
    bool digested; unsigned algs;
};

struct cu_put_link { enum cu_object_kind kind; cu_hash name; uint64_t size; };

struct cu_put {
    struct cu_put_writer writer[CU_PUT_STORES_MAX];
    size_t n;
    bool committed, failed;
    bool in_place; /* adopting is a rename, and nothing else */
    bool unasked; /* small objects are put without a question whether the stores have them */

    struct cu_crew *crew; /* NULL until the first slot */
    struct cu_put_slot slot[CU_PUT_SLOTS];
    struct cu_frontier frontier[2]; /* the tree lane's */

    pthread_mutex_t lock; /* guards `file`: the filler lengthens the list, the tree lane writes names */
    struct cu_put_file *file;
    size_t files_n, files_cap;

    /* the filler's */
    struct cu_put_fill fill[2];
    struct cu_digest_set digests; /* the digest lane's */
    struct cu_sha256_flow flow;   /* the tree lane's, when SHA-256 is all that is asked for */
    struct cu_buf *chunks;        /* the tree lane's: where the roots of large objects' chunks go. NULL: nobody asks */
    struct cu_put_ticket ticket[CU_PUT_TICKETS]; /* the lanes' until they have passed its slots */
    uint64_t tickets_n, taken_n;
    struct cu_pack_row *rows;
    size_t rows_n, rows_cap;
    struct cu_put_link *link;
    size_t links_n, links_cap;
    struct cu_put_link *seen; /* names of this batch, by their first bytes; a later one takes the place of an earlier one */
};

/** For whoever reads evidence: read right into the batch's memory. Room for at least one byte; then say how many came. */
CU_MUST_USE cu_status cu_put_large_room(struct cu_put *p, uint8_t **ret, size_t *ret_n, struct cu_err *err);
void cu_put_large_filled(struct cu_put *p, size_t n);
/** After begin, before the first byte: compute these digests along the way (bits; SHA-256 always). */
void cu_put_large_digests(struct cu_put *p, unsigned algs);
/** Before the first byte: the roots of the chunks of large objects, in their order, are appended there. */
static inline void cu_put_chunks(struct cu_put *p, struct cu_buf *ret) { p->chunks = ret; }
/** The end in two parts, so that the next object is read while the lanes are at this one: all bytes are there; and what they
 *  came to. Fewer than CU_PUT_TICKETS at a time, taken in order, before the commit. */
CU_MUST_USE cu_status cu_put_large_ended(struct cu_put *p, struct cu_err *err);
CU_MUST_USE cu_status cu_put_large_take(struct cu_put *p, struct cu_sums *ret, struct cu_err *err);
static inline void cu_put_cleanup(struct cu_put **p) { cu_put_free(*p); }

/* put_lanes.c */
CU_MUST_USE cu_status cu_put_open(struct cu_put_writer *w, uint64_t number, bool side, bool direct, struct cu_file **ret, struct cu_err *err);
void cu_put_keep_open(struct cu_put_writer *w, struct cu_file **f); /* until it is synced */
CU_MUST_USE cu_status cu_put_start_crew(struct cu_put *p, bool threads, struct cu_err *err);
void cu_put_close_files(struct cu_put_writer *w);
/* put.c: a file of the batch more; and is an object in all stores already? Then it is linked. */
CU_MUST_USE cu_status cu_put_number(struct cu_put *p, bool large, uint64_t *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_put_known(struct cu_put *p, const cu_hash *root, uint64_t size, bool *ret, struct cu_err *err);
/* put.c: what is gathered goes to the crew; at commit */
CU_MUST_USE cu_status cu_put_finish_pack(struct cu_put *p, bool threads, struct cu_err *err);
void cu_put_dismiss(struct cu_put *p); /* crew and slots: after the last byte */

#endif
