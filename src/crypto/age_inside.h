/* What the files of sealing share: the primitives by OpenSSL, and the header's parts. */
#ifndef CRYPTO_AGE_INSIDE_H
#define CRYPTO_AGE_INSIDE_H

#include "crypto/ossl.h"
#include "custody/age.h"

CU_MUST_USE cu_status age_random(void *ret, size_t n, struct cu_err *err);
/** HKDF-SHA-256, 32 bytes. `ikm` and `salt` have at most 64, the salt perhaps none. */
CU_MUST_USE cu_status age_derive(struct cu_span ikm, struct cu_span salt, const char *info, uint8_t ret[32], struct cu_err *err);
CU_MUST_USE cu_status age_public_of(const uint8_t secret[32], struct cu_age_recipient *ret, struct cu_err *err);
/** BAD_KEY: the shared secret would be zero, whoever computes it. */
CU_MUST_USE cu_status age_agree(const uint8_t secret[32], const struct cu_age_recipient *share, uint8_t ret[32], struct cu_err *err);
CU_MUST_USE cu_status age_cipher_on(const uint8_t key[32], struct cu_age_cipher *ret, struct cu_err *err);

/** One stanza: its arguments as they stand, the lines of its body with their line feeds, the body's length, and its beginning. */
struct age_stanza {
    struct cu_span args, lines;
    size_t body_n;
    uint8_t body[48];
};
/** Takes the stanza at the beginning of `rest`, judged by the header's grammar. MALFORMED. */
CU_MUST_USE cu_status age_stanza_next(struct cu_span *rest, struct age_stanza *ret, struct cu_err *err);

struct age_header {
    struct cu_span stanzas, maced; /* what lies between version and MAC; what the MAC is over */
    size_t n;
    uint8_t mac[32];
};
CU_MUST_USE cu_status age_header_read(struct cu_span header, struct age_header *ret, struct cu_err *err);
/** As cu_age_header_end, from the line that begins at `*line`, which moves to the last one that is not whole. */
size_t age_header_end(struct cu_span bytes, size_t *line);

#endif
