/* What the beginnings of a ledger share: one by itself (found.c), one of several organisations (network.c). */
#ifndef CU_SERVICE_FOUND_H
#define CU_SERVICE_FOUND_H

#include "service/service.h"

#define CU_FOUND_KEYS_MAX 8

/** An empty folder, or what an attempt left of one, becomes one that is begun, with all its folders. */
CU_MUST_USE cu_status cu_found_begin(struct cu_place *p, struct cu_err *err);
CU_MUST_USE cu_status cu_found_key(struct cu_place *p, const char *name, enum cu_alg alg, struct cu_span passphrase, struct cu_private_key *ret, struct cu_err *err);
/** The key that may take the place of keys/<name>.pem, as <name>-next.pem, unless it waits there: by p->successor. NOT_ALLOWED: a file for a key in a
 *  token that nobody asked for, or another one waits. */
CU_MUST_USE cu_status cu_found_next(struct cu_place *p, const char *name, enum cu_alg alg, struct cu_span passphrase, struct cu_private_key *ret, struct cu_err *err);
void cu_found_origin(struct cu_span name, const uint8_t nonce[16], struct cu_buf *ret);
/** The trust files: the keys and the quorum that genesis names, this organisation's log key first. */
CU_MUST_USE cu_status cu_found_trust(struct cu_place *p, const struct cu_genesis *genesis, const cu_hash *network, struct cu_err *err);
struct cu_found_proof { enum cu_purpose purpose; const struct cu_private_key *key; };
CU_MUST_USE cu_status cu_found_confirm(struct cu_place *p, uint64_t party, const struct cu_found_proof *keys, size_t n, struct cu_buf *ret_record, struct cu_err *err);

#endif
