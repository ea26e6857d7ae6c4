/* Which version of a key is ours, and which others are known: `cloud/pins/…`, docs/formats/ledger-folder.md. */
#ifndef CU_ADAPTERS_PIN_H
#define CU_ADAPTERS_PIN_H

#include "ports/bucket.h"

#define CU_PIN_MAX 1048576
#define CU_PIN_TYPE "custody-pin/v1\n"

struct cu_pin {
    bool there;                          /* there is a pin at all */
    char version[CU_BUCKET_VERSION_MAX]; /* "": none */
    struct cu_buf known;                 /* lines "known <version>" */
};
void cu_pin_free(struct cu_pin *pin);
/** One spelling: the type, at most one version, then what is known, each once. MALFORMED. `ret` is empty before. */
CU_MUST_USE cu_status cu_pin_read(struct cu_span text, struct cu_pin *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_pin_write(const struct cu_pin *pin, struct cu_buf *out, struct cu_err *err);
bool cu_pin_knows(const struct cu_pin *pin, const char *version);
void cu_pin_know(struct cu_pin *pin, const char *version); /* once */
bool cu_bucket_version_ok(struct cu_span version);

#endif
