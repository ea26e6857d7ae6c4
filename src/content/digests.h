/* Several digests of the same bytes, SHA-256 first. */
#ifndef CU_CONTENT_DIGESTS_H
#define CU_CONTENT_DIGESTS_H

#include "content/ingest.h"

/** What reading a whole item tells of it: SHA-256 first, if any digest was asked for. */
struct cu_sums { uint64_t size; cu_hash root; struct cu_digest_value digest[CU_DIGESTS_MAX]; size_t digests_n; };

struct cu_digest_set { struct cu_digest digest[CU_DIGESTS_MAX]; size_t n; };

/** `algs`: bits of enum cu_digest_alg; SHA-256 is computed whether asked for or not. */
CU_MUST_USE cu_status cu_digest_set_start(unsigned algs, struct cu_digest_set *ret, struct cu_err *err);
void cu_digest_set_add(struct cu_digest_set *set, struct cu_span bytes);
void cu_digest_set_finish(struct cu_digest_set *set, struct cu_digest_value ret[CU_DIGESTS_MAX], size_t *ret_n);
void cu_digest_set_free(struct cu_digest_set *set);
/** The same at once. */
CU_MUST_USE cu_status cu_digest_set_of(unsigned algs, struct cu_span bytes, struct cu_digest_value ret[CU_DIGESTS_MAX],
                                       size_t *ret_n, struct cu_err *err);

#endif
