/* What reading one file and reading a folder share. Nothing here is for other rooms. */
#ifndef CU_CONTENT_INTAKE_H
#define CU_CONTENT_INTAKE_H

#include "content/digests.h"
#include "content/walk.h"

/** One reading of evidence, from the first byte to the last. */
struct cu_intake {
    const struct cu_source *source;
    struct cu_put *put;                 /* never NULL: a batch for no store hashes and keeps nothing */
    unsigned algs;
    bool roots_only;                    /* no flat digests at all */
    const struct cu_progress *progress; /* may be NULL */
    const struct cu_age_recipient *to;  /* whom to seal for; to_n 0: nothing is sealed */
    size_t to_n;
    const struct cu_age_recipient *second;
    size_t second_n;
    cu_status (*kept)(void *arg, struct cu_span bytes, struct cu_err *err); /* as in cu_ingest */
    void *kept_arg;
    uint64_t bytes, bytes_total, files; /* read so far; bytes_total 0: not known */
};

/** `n` more bytes were read. INTERRUPTED when the person wants to stop. */
CU_MUST_USE cu_status cu_intake_tick(struct cu_intake *in, uint64_t n, struct cu_err *err);
/** Bytes of an item that are to be kept, for whoever asked to be told. */
CU_MUST_USE static inline cu_status cu_intake_kept(const struct cu_intake *in, struct cu_span bytes, struct cu_err *err)
{
    return in->kept ? in->kept(in->kept_arg, bytes, err) : CU_OK;
}
/** Up to `n` bytes; fewer only at the end. */
CU_MUST_USE cu_status cu_intake_fill(struct cu_intake *in, struct cu_source_file *f, uint8_t *ret, size_t n, size_t *ret_n,
                                     struct cu_err *err);

/** Bytes that were read already, then the rest of `f`, as one large object; its sums are to be taken from the batch, at once or
 *  (cu_put_large_take) later. */
CU_MUST_USE cu_status cu_intake_stream(struct cu_intake *in, struct cu_span head, struct cu_source_file *f, uint64_t *ret_size,
                                       struct cu_err *err);
/* small, in memory */
CU_MUST_USE cu_status cu_intake_sum(struct cu_intake *in, struct cu_span bytes, struct cu_sums *ret, struct cu_err *err);
/** Is the file that was read, and the path that led to it, what it was before, and were that many bytes read? CHANGED. */
CU_MUST_USE cu_status cu_intake_unchanged(struct cu_intake *in, struct cu_source_file *f, const char *path, bool follow,
                                          const struct cu_source_stat *before, uint64_t size, struct cu_err *err);

struct cu_walk_item;
/** A file of a folder, opened; CHANGED when it is not the one that was listed. */
CU_MUST_USE cu_status cu_intake_open_same(struct cu_intake *in, const struct cu_walk_item *w, struct cu_source_file **ret,
                                          struct cu_err *err);
/** With the record, or into a pack: under ret->root. */
CU_MUST_USE cu_status cu_intake_keep_small(struct cu_intake *in, struct cu_span bytes, struct cu_ingested *ret, struct cu_err *err);

/* ---- sealing.c: the same, sealed on the way; `ret` has the digests of what was read, size and root of what is kept ---- */
/** `piece`, a chunk of memory, has the first `n` bytes of `f`. */
CU_MUST_USE cu_status cu_intake_seal_rest(struct cu_intake *in, struct cu_source_file *f, uint8_t *piece, size_t n,
                                          struct cu_ingested *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_intake_seal_folder(struct cu_intake *in, const struct cu_ingest *config, const char *path,
                                            struct cu_ingested *ret, struct cu_err *err);

CU_MUST_USE cu_status cu_intake_folder(struct cu_intake *in, const struct cu_ingest *config, const char *path,
                                       struct cu_ingested *ret, struct cu_err *err);

#endif
