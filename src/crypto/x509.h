/* Certificates (X.509), as far as TLS between the members of a ledger needs them: made, judged, revoked. */
#ifndef CU_CRYPTO_X509_H
#define CU_CRYPTO_X509_H

#include "custody/key.h"

#define CU_CERT_URI_MAX 400
#define CU_CERT_PEM_MAX 65536 /* of one file of certificates */

struct cu_cert_ask {
    const char *name;              /* common name */
    const char *hosts;             /* of a server: DNS names and addresses, separated by spaces; NULL: it is none */
    const char *uri;               /* of a client: what it says of itself; NULL: nothing */
    bool ca;
    unsigned days;                 /* from now on */
    const struct cu_public_key *key; /* whose it is, when its private half is elsewhere; NULL: the subject's */
};
/** Who signs certificates. A CA of any algorithm that OpenSSL has; `cert` is PEM, `key` PKCS#8 in PEM. */
struct cu_cert_issuer { struct cu_span cert, key, passphrase; };
/** A certificate for this key, in PEM, appended. `subject` NULL: for that in `ask`. `issuer` NULL: signed by itself. BAD_KEY: the issuer's certificate and key do not belong
 *  together, or it may sign none. */
CU_MUST_USE cu_status cu_cert_issue(const struct cu_cert_ask *ask, const struct cu_private_key *subject,
                                    const struct cu_cert_issuer *issuer, cu_unix_ms now, struct cu_buf *ret, struct cu_err *err);
/** What an own CA is asked with (PKCS#10, PEM): for this name, key and URI. Appended. */
CU_MUST_USE cu_status cu_cert_request(const struct cu_cert_ask *ask, const struct cu_private_key *subject, struct cu_buf *ret, struct cu_err *err);
/** The list of what is revoked, made anew: `list` (PEM; n == 0: none yet) and the first certificate of `cert` (PEM) too. UNTRUSTED: this CA
 *  did not issue it, or did not sign the list. */
CU_MUST_USE cu_status cu_cert_revoke(const struct cu_cert_issuer *issuer, struct cu_span list, struct cu_span cert, cu_unix_ms now,
                                     struct cu_buf *ret, struct cu_err *err);
/** The names and addresses that a server's certificate (the first one in PEM) is for, each followed by a space, appended. */
CU_MUST_USE cu_status cu_cert_hosts(struct cu_span pem, struct cu_buf *ret, struct cu_err *err);

/** What a judged certificate says. */
struct cu_cert {
    struct cu_public_key key;      /* alg NONE: of an algorithm that is none of ours */
    char serial[72];               /* hex */
    char uri[CU_CERT_URI_MAX];     /* "": none, or several */
    uint64_t until_ms;
};
/** The same of the first one in PEM, which nobody has judged. MALFORMED. */
CU_MUST_USE cu_status cu_cert_look(struct cu_span pem, struct cu_cert *ret, struct cu_err *err);
/** CAs, and what they revoked (n == 0: no list, nothing is). Any thread may judge by it. MALFORMED. */
struct cu_cert_trust;
CU_MUST_USE cu_status cu_cert_trust_open(struct cu_span ca_pem, struct cu_span revoked_pem, struct cu_cert_trust **ret, struct cu_err *err);
void cu_cert_trust_free(struct cu_cert_trust *trust); /* NULL is fine */
/** Is the first of these (DER) a client's certificate that leads to one of the CAs, is valid now and not revoked? NOT_ALLOWED says why not. */
CU_MUST_USE cu_status cu_cert_judge(const struct cu_cert_trust *trust, const struct cu_span *chain, size_t n, cu_unix_ms now,
                                    struct cu_cert *ret, struct cu_err *err);
/** What is wrong with the first certificate of a file (PEM) now? NOT_ALLOWED says it: its time, whom it leads to (`trust` NULL: that is not asked), or that a
 *  private key beside it is another's. A server's, or a client's. MALFORMED. *ret is filled but for MALFORMED. */
CU_MUST_USE cu_status cu_cert_check(const struct cu_cert_trust *trust, struct cu_span pem, bool server, cu_unix_ms now,
                                    struct cu_cert *ret, struct cu_err *err);

#endif
