/* Objects of a store by their roots: whole, in part, and what a part is proven by. */
#ifndef CU_HTTP_OBJECTS_H
#define CU_HTTP_OBJECTS_H

#include "http/server.h"
#include "service/place.h"

/** The answer is that object, or what of it is asked for. */
CU_MUST_USE cu_status cu_object_answer(struct cu_objects *store, const cu_hash *root, struct cu_http_request *q, struct cu_http_answer *a,
                                       cu_status (*piece)(void *context, struct cu_http_answer *a, uint64_t at, struct cu_buf *ret, struct cu_err *err),
                                       void *context, struct cu_err *err);
/** The chunk of it that `at` lies in, from there on; `judged`: as in cu_object_chunk. */
CU_MUST_USE cu_status cu_object_piece(struct cu_objects *store, struct cu_http_answer *a, uint64_t at, bool judged, struct cu_buf *ret, struct cu_err *err);
/** The roots of its chunks, 32 bytes each, appended. */
CU_MUST_USE cu_status cu_object_chunks(struct cu_objects *store, const cu_hash *root, struct cu_buf *ret, struct cu_err *err);

#endif
