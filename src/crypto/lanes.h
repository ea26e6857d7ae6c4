/* Several ES256 signatures at once: what a verifier gathers, and who judges it. */
#ifndef CRYPTO_LANES_H
#define CRYPTO_LANES_H

#include "custody/key.h"

/* Eight lanes take as long as two calls of OpenSSL, so fewer than three are left to OpenSSL (decision 026). */
enum { LANES = 8, LANES_PAY = 3 };

/** A job whose key is on the curve and whose r and s are allowed (es256_form), and the digest of its message. */
struct es256_lane { struct cu_sig_job *job; cu_hash digest; };

/** Which of these n ≤ LANES verify: bit i for lane i. */
typedef unsigned es256_lanes(const struct es256_lane *lane, size_t n);

/** This machine's lanes; NULL when the build or the processor has none. */
es256_lanes *lanes_here(void);

/** The cached verifier, with lanes for its ES256 jobs. */
CU_MUST_USE cu_status verifier_with_lanes(es256_lanes *lanes, void *memory, size_t size, struct cu_verifier *ret,
                                          struct cu_err *err);

#endif
