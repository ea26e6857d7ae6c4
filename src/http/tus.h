/* What the headers of the tus protocol (1.0: core, creation, checksum) say. Pure. */
#ifndef CU_HTTP_TUS_H
#define CU_HTTP_TUS_H

#include "custody/digest.h"

#define CU_TUS_VERSION "1.0.0"
#define CU_TUS_EXTENSIONS "creation,checksum"
#define CU_TUS_CHECKSUMS "sha1,sha256"

/** Upload-Metadata: the claim's id, "claim BASE64(64 hex digits)" among whatever else it says. MALFORMED. */
CU_MUST_USE cu_status cu_tus_claim(struct cu_span metadata, cu_hash *ret, struct cu_err *err);
struct cu_tus_checksum { enum cu_digest_alg alg; uint8_t value[CU_DIGEST_LEN_MAX]; };
/** Upload-Checksum: "sha256 BASE64". MALFORMED, or an algorithm that is not taken. */
CU_MUST_USE cu_status cu_tus_checksum(struct cu_span header, struct cu_tus_checksum *ret, struct cu_err *err);
/** Upload-Offset, Upload-Length: a decimal number. MALFORMED. */
CU_MUST_USE cu_status cu_tus_number(const char *name, struct cu_span header, uint64_t *ret, struct cu_err *err);

#endif
