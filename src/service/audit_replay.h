/* The log's entries on their way through a fresh ledger: a bundle a page, prepared by several lanes, taken in order by one thread. */
#ifndef CU_SERVICE_AUDIT_REPLAY_H
#define CU_SERVICE_AUDIT_REPLAY_H

#include "service/audit.h"

struct cu_page {
    struct cu_page *next;
    cu_seq first;
    unsigned n;                    /* entries */
    bool same;                     /* both copies of the log have these bytes */
    bool good;                     /* each entry has the leaf hash that the tile says */
    struct cu_buf bytes;           /* the bundle */
    cu_hash leaves[CU_TILE_WIDTH]; /* of the tile */
    struct cu_submission subs[CU_TILE_WIDTH];
};

/** What is done with the pages: everything (0), the hashes alone, or the rules alone. */
enum cu_replay_mode { CU_REPLAY_ALL, CU_REPLAY_HASHES, CU_REPLAY_RULES };
CU_MUST_USE cu_status cu_replay_begin(struct cu_audit *a, enum cu_replay_mode mode, unsigned lanes, struct cu_err *err);
/** An empty page, to be filled and handed in. */
CU_MUST_USE cu_status cu_replay_page(struct cu_audit *a, struct cu_page **ret, struct cu_err *err);
CU_MUST_USE cu_status cu_replay_add(struct cu_audit *a, struct cu_page *page, struct cu_err *err);
/** All pages that were handed in have been taken. */
CU_MUST_USE cu_status cu_replay_flush(struct cu_audit *a, struct cu_err *err);
/** Prepare again, with a verifier of the caller's: its bytes are others now. */
void cu_replay_prepare(struct cu_audit *a, struct cu_page *page);
void cu_replay_end(struct cu_audit *a);

/** In audit_log.c, any thread: read the bundle from both copies. */
void cu_audit_read_bundle(const struct cu_audit *a, struct cu_page *page, struct cu_buf *other);
/** In audit_log.c: the page's turn has come. Its bundle is judged in both copies, and when a lane did not find it good, the good bytes
 *  are looked for: none, and it is lost (n == 0). */
CU_MUST_USE cu_status cu_audit_bundle(struct cu_audit *a, struct cu_page *page, struct cu_err *err);

#endif
