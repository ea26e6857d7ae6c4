/* Sealing: the age v1 file format (age-encryption.org/v1) for X25519 recipients, so that stock `age` opens what is sealed here, and what it
 * seals is opened here.
 *
 * A sealed file is a header, which wraps a file key of 16 bytes for each recipient and bears a MAC under that key, then a nonce of
 * 16 bytes, then the content in chunks of 64 KiB, each with its own tag. docs/formats/sealed.md has the bytes. Other kinds of recipient are
 * stepped over; ASCII armor is not read. Secrets are wiped where they are no longer needed; what the caller holds, the caller wipes.
 *
 * Source: C2SP age.md. Randomness is OpenSSL's.
 */
#ifndef CUSTODY_AGE_H
#define CUSTODY_AGE_H

#include "custody/limits.h"
#include "custody/types.h"

#define CU_AGE_CHUNK 65536u /* of content */
#define CU_AGE_TAG 16u      /* after each chunk */
#define CU_AGE_NONCE 16u    /* before the first */

/** Whom to seal for: the public half of a sealing key. */
struct cu_age_recipient { uint8_t share[32]; };
/** Who opens: the secret half, and the public one. Wiped by its free. */
struct cu_age_identity { uint8_t secret[32]; struct cu_age_recipient recipient; };
/** What one file is sealed under. Whoever has it reads the file; wipe it. */
struct cu_age_key { uint8_t b[16]; };

CU_MUST_USE cu_status cu_age_identity_generate(struct cu_age_identity *ret, struct cu_err *err); /* CRYPTO */
/** "AGE-SECRET-KEY-1…", upper case, one spelling. MALFORMED. */
CU_MUST_USE cu_status cu_age_identity_read(struct cu_span text, struct cu_age_identity *ret, struct cu_err *err);
void cu_age_identity_put(struct cu_buf *out, const struct cu_age_identity *identity);
void cu_age_identity_free(struct cu_age_identity *identity);
/** As the house's other private keys lie in files: PKCS#8 in PEM, encrypted when a passphrase is given, for stock `openssl pkey`. As
 *  cu_private_to_pem and cu_private_from_pem; BAD_KEY: a key that is not X25519. */
CU_MUST_USE cu_status cu_age_identity_to_pem(const struct cu_age_identity *identity, struct cu_span passphrase, struct cu_buf *out,
                                             struct cu_err *err);
CU_MUST_USE cu_status cu_age_identity_from_pem(struct cu_span pem, struct cu_span passphrase, struct cu_age_identity *ret, struct cu_err *err);
/** A file of them, as `age-keygen` writes it: a line each; empty lines and those that begin with # say nothing. One at least,
 *  AGE_IDENTITIES_MAX at most (TOO_LARGE). MALFORMED names the line. `ret` is wiped on failure. */
CU_MUST_USE cu_status cu_age_identities_read(struct cu_span file, struct cu_age_identity ret[CU_AGE_IDENTITIES_MAX], size_t *ret_n,
                                             struct cu_err *err);

/** "age1…", lower case, one spelling. MALFORMED; BAD_KEY: a point of small order, for which nothing can be kept secret. */
CU_MUST_USE cu_status cu_age_recipient_read(struct cu_span text, struct cu_age_recipient *ret, struct cu_err *err);
void cu_age_recipient_put(struct cu_buf *out, const struct cu_age_recipient *recipient);
CU_MUST_USE cu_status cu_age_recipient_check(const struct cu_age_recipient *recipient, struct cu_err *err); /* BAD_KEY */

/* ---- the header ---------------------------------------------------------------------------------------------------- */

CU_MUST_USE cu_status cu_age_key_generate(struct cu_age_key *ret, struct cu_err *err); /* CRYPTO */

/** A header that wraps `key` for 1 to AGE_RECIPIENTS_MAX recipients (TOO_LARGE beyond, USAGE for none). In front of a payload that was sealed
 *  under the same key it makes another valid file: so a reader is added without touching what is stored. BAD_KEY, CRYPTO.
 *  Cost: two X25519 a recipient. */
CU_MUST_USE cu_status cu_age_header_put(const struct cu_age_key *key, const struct cu_age_recipient *to, size_t to_n, struct cu_buf *out,
                                        struct cu_err *err);

/** Where the header at the beginning of `bytes` ends, if it is one; 0 when that is not among them. */
size_t cu_age_header_end(struct cu_span bytes);

/** The file key out of a whole header. Its form is judged first, every stanza of it, then who may open it, then the MAC.
 *
 *  MALFORMED  not the one valid form, or a share of small order.   SEALED  for none of these identities.
 *  BAD_HASH   the MAC is another one: the header was altered.      TOO_LARGE  above AGE_HEADER_MAX.
 *  Cost: at most one X25519 a stanza and identity, two hashes of the header. */
CU_MUST_USE cu_status cu_age_header_open(struct cu_span header, const struct cu_age_identity *by, size_t by_n, struct cu_age_key *ret,
                                         struct cu_err *err);
/** The same or, when it is for others, by further headers, one after the other: the first that opens to the file key of this one (its MAC says so). */
CU_MUST_USE cu_status cu_age_header_open_granted(struct cu_span header, struct cu_span granted, const struct cu_age_identity *by, size_t by_n,
                                                 struct cu_age_key *ret, struct cu_err *err);

/** How many bytes a content of `plain` takes, sealed for `recipients` by cu_age_seal: header, nonce, chunks and tags. */
uint64_t cu_age_sealed_size(size_t recipients, uint64_t plain);

/* ---- chunk by chunk: for callers with lanes ------------------------------------------------------------------------- */

/** The payload's key, in OpenSSL's hands: one for each thread. Freed by its free, wiped. */
struct cu_age_cipher { void *ctx; };
CU_MUST_USE cu_status cu_age_cipher_start(const struct cu_age_key *key, const uint8_t nonce[CU_AGE_NONCE], struct cu_age_cipher *ret,
                                          struct cu_err *err); /* CRYPTO */
void cu_age_cipher_free(struct cu_age_cipher *cipher);

/** Chunk `index` of the content, 0, 1, 2 …: CU_AGE_CHUNK bytes, the last one 1 to that many, or none if the content is empty. Chunks may come in any
 *  order, each once: two contents under one index would betray both. `ret` holds CU_AGE_TAG bytes more, and is elsewhere. CRYPTO. */
CU_MUST_USE cu_status cu_age_chunk_seal(struct cu_age_cipher *cipher, uint64_t index, bool last, struct cu_span plain, uint8_t *ret,
                                        struct cu_err *err);
/** The same back: `ret` holds CU_AGE_TAG bytes less, zeros unless OK. CORRUPT: not what was sealed there. */
CU_MUST_USE cu_status cu_age_chunk_open(struct cu_age_cipher *cipher, uint64_t index, bool last, struct cu_span sealed, uint8_t *ret,
                                        struct cu_err *err);

/* ---- streams: pieces of any length in, what they complete out -------------------------------------------------------- */

/* After a failure a stream may only be freed. One stream is used by one thread; its memory is its struct and one cipher, whatever the content's size.
 * `out` must have room for what a piece completes: its length and CU_AGE_CHUNK + CU_AGE_TAG + 1 KiB a MiB suffice, after the header. */

struct cu_age_seal {
    struct cu_age_cipher cipher;
    uint64_t chunk;
    size_t held_n;
    uint8_t held[CU_AGE_CHUNK];
};
/** A new file key and nonce; the header is written to `out`. As cu_age_header_put. */
CU_MUST_USE cu_status cu_age_seal_start(const struct cu_age_recipient *to, size_t to_n, struct cu_age_seal *ret, struct cu_buf *out,
                                        struct cu_err *err);
CU_MUST_USE cu_status cu_age_seal_add(struct cu_age_seal *seal, struct cu_span plain, struct cu_buf *out, struct cu_err *err);
CU_MUST_USE cu_status cu_age_seal_finish(struct cu_age_seal *seal, struct cu_buf *out, struct cu_err *err);
void cu_age_seal_free(struct cu_age_seal *seal);

struct cu_age_open {
    const struct cu_age_identity *by; /* the caller's, until the header is read */
    size_t by_n;
    struct cu_span granted; /* headers of grants, the caller's, until the header is read: may be set after the start */
    struct cu_age_key key;  /* once it begun: to make further headers of */
    bool begun;             /* the header was read */
    struct cu_age_cipher cipher;
    uint64_t chunk;
    size_t held_n, line;
    uint8_t held[CU_AGE_CHUNK + CU_AGE_TAG];
};
void cu_age_open_start(const struct cu_age_identity *by, size_t by_n, struct cu_age_open *ret);
/** Nothing is given out before its tag is checked. Of the header: as cu_age_header_open. Of the payload: CORRUPT; what was given out before is what was
 *  sealed, but not all of it. */
CU_MUST_USE cu_status cu_age_open_add(struct cu_age_open *open, struct cu_span sealed, struct cu_buf *out, struct cu_err *err);
/** There is no more. Only when this is OK is the content whole. MALFORMED: the header was not there. CORRUPT. */
CU_MUST_USE cu_status cu_age_open_finish(struct cu_age_open *open, struct cu_buf *out, struct cu_err *err);
void cu_age_open_free(struct cu_age_open *open);

#endif
