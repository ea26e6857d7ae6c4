/* The cosigner: one key, and of each log the last checkpoint that it cosigned. docs/formats/cosignatures.md has its files. */
#ifndef CU_SERVICE_COSIGNER_H
#define CU_SERVICE_COSIGNER_H

#include "custody/note.h"
#include "ports/fs.h"
#include "ports/world.h"

struct cu_cosigner {
    const struct cu_fs *fs; /* of its state, which may lie on a medium of its own */
    const char *dir;
    const struct cu_private_key *key;
    struct cu_clock clock;
    struct cu_verifier by;
    struct cu_buf text; /* its verifier key, which `vkey` points into */
    struct cu_vkey vkey;
};

/** A state of its own for this key, which cosigned nothing yet. NOT_ALLOWED: there is one. */
CU_MUST_USE cu_status cu_cosigner_create(const struct cu_fs *fs, const char *dir, struct cu_span name, const struct cu_private_key *key, struct cu_err *err);
/** The state that lies there. NOT_FOUND: none (it was not made, or its medium is not there). UNTRUSTED: another key's. What is pointed to must outlive it. */
CU_MUST_USE cu_status cu_cosigner_open(const struct cu_fs *fs, const char *dir, const struct cu_private_key *key, struct cu_clock clock, struct cu_cosigner *ret, struct cu_err *err);
void cu_cosigner_close(struct cu_cosigner *c);

/** From now on the log of this origin is cosigned, beginning with nothing. Fine when it is already. */
CU_MUST_USE cu_status cu_cosigner_begin(struct cu_cosigner *c, struct cu_span origin, struct cu_err *err);
/** The note that it last cosigned of this log, with its cosignature alone, appended to ret. NOT_FOUND: it does not cosign it. CORRUPT. */
CU_MUST_USE cu_status cu_cosigner_last(struct cu_cosigner *c, struct cu_span origin, struct cu_buf *ret, struct cu_err *err);

/** How a checkpoint goes on from the last. `own` NULL: from `old`, by a consistency proof. Else by a log that lies here, whole and durable,
 *  whose nodes these are: then each size is cosigned once, and asked for again the same bytes come. */
struct cu_cosign_step { cu_size old; const cu_hash *proof; size_t n; const struct cu_node_source *own; };
/** Cosign: the line is appended to `ret`, after the new state is durable. From any thread and process: one after another.
 *
 *  CHANGED       `old` is not what was last cosigned: *ret_last is, in any case
 *  OUT_OF_ORDER  of a log that lies here: it has fewer entries than were cosigned of it: an older copy was put in its place
 *  BAD_PROOF     it does not go on from what was cosigned
 *  MALFORMED     `old` is above the checkpoint's size
 *  NOT_FOUND, CORRUPT as above. */
CU_MUST_USE cu_status cu_cosigner_sign(struct cu_cosigner *c, struct cu_span checkpoint, const struct cu_cosign_step *step, struct cu_buf *ret, cu_size *ret_last, struct cu_err *err);

/** This key cosigned `note` of a log that lies here, says somebody who kept it: a state that was put back, or copied, learns it so, and
 *  is as new as the note. `own` as above, of a log that has as many entries. NOT_FOUND: no line of this key. BAD_PROOF: what it cosigned
 *  is not in this log. */
CU_MUST_USE cu_status cu_cosigner_recall(struct cu_cosigner *c, const struct cu_note *note, const struct cu_node_source *own, struct cu_err *err);

#endif
