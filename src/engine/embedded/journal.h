/* The embedded engine's own files: two journal files of frames, and the two-slot head that says how far they are acknowledged.
 * docs/formats/journal.md has the bytes. */
#ifndef CU_EMBEDDED_JOURNAL_H
#define CU_EMBEDDED_JOURNAL_H

#include "ports/fs.h"
#include "ports/machine.h"

#define CU_JOURNAL_VERSION 1u
#define CU_JOURNAL_HEADER 64u      /* bytes in front of the first frame */

/* ---- frames ---- */

#define CU_FRAME_HEADER 40u
enum cu_frame_type { CU_FRAME_RECORD = 1 /* a cu_record encoding */, CU_FRAME_BLOCK = 2 /* a block entry */ };

struct cu_journal_frame {
    enum cu_frame_type type;
    cu_seq seq;
    struct cu_span payload; /* good until the next call of the scan */
};

/** Bytes of a frame with a payload of n bytes: header, payload, zeros up to a multiple of 8. */
static inline size_t cu_journal_frame_size(size_t n) { return (CU_FRAME_HEADER + n + 7) / 8 * 8; }
void cu_journal_frame_put(struct cu_buf *out, enum cu_frame_type type, uint64_t generation, cu_seq seq, struct cu_span payload);

/** The frames of one file between two offsets, in order. */
#define CU_SEQ_ANY UINT64_MAX
struct cu_journal_scan {
    struct cu_file *file;
    const char *path;
    uint64_t generation, at, end;
    uint64_t seq; /* the position that the next frame must have; CU_SEQ_ANY: whichever, then consecutive */
    struct cu_buf window;
    uint64_t window_at;
};
struct cu_journal_scan cu_journal_scan_start(struct cu_file *file, const char *path, uint64_t generation, uint64_t from,
                                             uint64_t end, uint64_t seq);
void cu_journal_scan_free(struct cu_journal_scan *scan);
/** *ret_more false at the end. CORRUPT names file and offset; the scan stays where the bad frame begins. */
CU_MUST_USE cu_status cu_journal_scan_next(struct cu_journal_scan *scan, struct cu_journal_frame *ret, bool *ret_more,
                                           struct cu_err *err);

/* ---- one file ---- */

CU_MUST_USE cu_status cu_journal_begin(struct cu_file *file, unsigned number, uint64_t generation, uint64_t bytes,
                                       struct cu_err *err); /* write its header */
/** The header of file `number`: CORRUPT, NEWER_FORMAT. */
CU_MUST_USE cu_status cu_journal_header(struct cu_file *file, const char *path, unsigned number, uint64_t bytes,
                                        uint64_t *ret_generation, struct cu_err *err);
CU_MUST_USE cu_status cu_journal_zero(struct cu_file *file, uint64_t from, uint64_t to, struct cu_err *err);
/** First byte that is not zero in [from, to), or `to`. */
CU_MUST_USE cu_status cu_journal_slack(struct cu_file *file, uint64_t from, uint64_t to, uint64_t *ret, struct cu_err *err);

/* ---- the head ---- */

#define CU_HEAD_SLOT 4096u

struct cu_part {         /* one journal file */
    uint64_t generation; /* 0: free */
    uint64_t from, end;  /* its frames that are not drained yet; the end of those acknowledged */
};

struct cu_head {
    uint64_t number; /* grows by one with every write; its lowest bit is the slot */
    uint64_t bytes;  /* of each journal file */
    unsigned current; /* the file that is written to */
    bool clean;      /* closed in order: whatever is not a frame is zero, the state is saved */
    struct cu_tip tip; /* what is acknowledged */
    cu_size drained; /* what is in the tiles */
    cu_hash drained_root;
    struct cu_part part[2];
};

/** Judge one slot's 4096 bytes. CORRUPT, NEWER_FORMAT. */
CU_MUST_USE cu_status cu_head_slot_read(const uint8_t *slot, unsigned number, struct cu_head *ret, struct cu_err *err);
/** The newest good slot. *ret_whole: both are good and follow one another. */
CU_MUST_USE cu_status cu_head_read(struct cu_file *file, const char *path, struct cu_head *ret, bool *ret_whole,
                                   struct cu_err *err);
/** Write and sync the slot of head->number. */
CU_MUST_USE cu_status cu_head_write(struct cu_file *file, const struct cu_head *head, struct cu_err *err);
/** Both slots of a head whose number is `head->number` and one less. */
void cu_head_both(const struct cu_head *head, uint8_t ret[2 * CU_HEAD_SLOT]);

#endif
