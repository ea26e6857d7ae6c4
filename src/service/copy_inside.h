/* What the files of copying share. */
#ifndef CU_SERVICE_COPY_INSIDE_H
#define CU_SERVICE_COPY_INSIDE_H

#include "service/copy.h"

#include <pthread.h>

enum {
    CU_COPY_WAITING = 1024,     /* deposits in memory that lack something */
    CU_COPY_BATCH = 256,        /* small objects that share a sync, */
    CU_COPY_BATCH_BYTES = 64 * CU_CHUNK_BYTES,
    CU_COPY_SEGMENT = 8,        /* chunks of a large object that one lane asks for at once */
    CU_COPY_TURN = 32,          /* segments in one round: then others have their turn */
};

/** A deposit that may lack something here. */
struct cu_waiting {
    cu_seq seq;
    cu_hash id;
    uint64_t recorded, first, next; /* when: in the log, tried first, to be tried again */
    unsigned tries;
    bool attested, reported, lost, deposit; /* lost: it was here */
    uint32_t has;                   /* bits: sources that may have it */
    bool failed, unfinished, finished, done; /* of this round */
    char why[240];                  /* what went wrong last; "": nothing */
};

struct cu_want { cu_hash root; uint64_t size; struct cu_waiting *of; bool came; };

struct cu_copier {
    struct cu_copy_request r;
    struct cu_waiting waiting[CU_COPY_WAITING];
    size_t waiting_n;
    uint64_t next; /* deposits before this position were looked at */
    bool dropped;  /* one of them had to make room: they are all looked at again */
    uint64_t again;

    pthread_mutex_t lock; /* guards what lanes share: sources, `put`, `why` */
    struct { uint64_t until; unsigned fails; char why[200]; } source[CU_COPY_SOURCES_MAX];
    atomic_uint_fast64_t job, missing, withheld, objects, bytes, failures, wrong;

    struct cu_want want[CU_COPY_BATCH];
    size_t wants_n;
    uint64_t wants_bytes;
    struct cu_put *put;
    struct cu_attachment_writer attached; /* details and small content of lost entries, on their way */

    /* the large object that is coming: between rounds, too */
    struct { struct cu_want want; struct cu_buf chunks; struct cu_arrival *arrival; uint64_t segment, until; atomic_bool failed; } large;
    bool turned; /* in this round */
    atomic_bool now; /* whoever waits has his turn */
};

/* copy_bring.c */
/** Is it here, or else on its way with the batch; of a large one a part comes at once: `of` is unfinished, or failed. */
CU_MUST_USE cu_status cu_copier_need(struct cu_copier *c, struct cu_waiting *of, const cu_hash *root, uint64_t size, struct cu_err *err);
/** What the batch has is brought, and durable; whose objects did not come failed. */
CU_MUST_USE cu_status cu_copier_batch(struct cu_copier *c, struct cu_err *err);
/** What travelled with that entry's record, from the other store here, or a node. `w` failed: nobody gives it. */
CU_MUST_USE cu_status cu_copier_attached(struct cu_copier *c, struct cu_waiting *w, struct cu_span entry, const struct cu_entry *e, struct cu_err *err);
void cu_copier_forget_large(struct cu_copier *c);
/* copy.c: each file of a folder, the manifest being in that store, or with its record. MALFORMED: it is not what was claimed. */
typedef cu_status cu_folder_item(void *arg, const cu_hash *root, uint64_t size, struct cu_err *err);
CU_MUST_USE cu_status cu_folder_items(struct cu_place *p, unsigned store, cu_seq seq, const struct cu_claim *claim, cu_folder_item *each, void *arg,
                                      struct cu_err *err);
void cu_waiting_failed(struct cu_waiting *w, const char *fmt, ...) CU_PRINTF(2, 3);

#endif
