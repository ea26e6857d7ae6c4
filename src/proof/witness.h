/* What a log hands a witness: its newest checkpoint, and the proof that it goes on from the one that was cosigned last. Source:
 * c2sp.org/tlog-witness. Spans point into what was read. */
#ifndef CU_PROOF_WITNESS_H
#define CU_PROOF_WITNESS_H

#include "custody/note.h"

/*     old <decimal>
 *     <base64, 32 bytes>        0 to 63 lines
 *                               an empty line
 *     <signed note>             to the end                                                                                     */
struct cu_witness_request {
    cu_size old;
    size_t n;
    cu_hash proof[CU_PROOF_HASHES_MAX];
    struct cu_span checkpoint;
};
#define CU_WITNESS_REQUEST_MAX (CU_NOTE_MAX + 64 * 48)
CU_MUST_USE cu_status cu_witness_request_read(struct cu_span body, struct cu_witness_request *ret, struct cu_err *err);
void cu_witness_request_put(const struct cu_witness_request *request, struct cu_buf *out);

#endif
