/* Who asks, and what he may: roles and acts as one table, and how a client's certificate is bound to an enrolled key.
 *
 * A client's certificate says of itself, as its one URI: custody:NETWORK/ROLE/KID/VOUCH. KID is the key that the member is known by: its own
 * statement key; of a reader, who has none, its sealing key. VOUCH is a signature over network, role, KID and the certificate's own
 * key, by that statement key; of readers by their organisation's, and so for an operator whom the ledger does not know. So a CA
 * alone makes nobody a member, and whoever is revoked in the log is refused at once, whatever his certificate says. Pure.
 */
#ifndef CU_HTTP_PEER_H
#define CU_HTTP_PEER_H

#include "crypto/x509.h"
#include "custody/member.h"

/* Role, its name in certificates ("": none is made for it), and in the ledger (0: in none). What each may: CU_ASK_TABLE. */
#define CU_HTTP_ROLE_TABLE(X)                                                                                          \
    X(NOBODY, "", 0) /* without a certificate, or with one that is refused: what is public */                          \
    X(OPERATOR, "operator", CU_ROLE_OPERATOR)                                                                          \
    X(ADMINISTRATOR, "administrator", CU_ROLE_ADMINISTRATOR)                                                           \
    X(PROVIDER, "provider", CU_ROLE_PROVIDER)                                                                          \
    X(READER, "reader", CU_ROLE_READER)                                                                                \
    X(DEPOSITOR, "depositor", CU_ROLE_DEPOSITOR)                                                                       \
    X(AUDITOR, "auditor", CU_ROLE_AUDITOR)                                                                             \
    X(NODE, "node", CU_ROLE_NODE)                                                                                      \
    X(ORGANISATION, "organisation", CU_ROLE_ORGANISATION)                                                              \
    X(LOCAL, "", 0) /* over plain HTTP, from this machine: everything */

#define CU_HTTP_ROLE_ENUM(name, text, role) CU_PEER_##name,
enum cu_peer_role { CU_HTTP_ROLE_TABLE(CU_HTTP_ROLE_ENUM) CU_PEER_ROLES };
#undef CU_HTTP_ROLE_ENUM

const char *cu_peer_role_name(enum cu_peer_role role); /* "nobody" and "local", too */
enum cu_peer_role cu_peer_role_of(uint64_t role); /* of a party of the ledger; NOBODY for what is no role */
enum cu_scope cu_peer_scope(enum cu_peer_role role, enum cu_ask act); /* how far */
static inline bool cu_peer_may(enum cu_peer_role role, enum cu_ask act) { return cu_peer_scope(role, act) != CU_SCOPE_N; }

/** Whoever asks. */
struct cu_peer {
    enum cu_peer_role role;
    uint64_t party; /* in the ledger; 0: none */
    bool token;     /* known by a token, which whoever sees it has: it reads the log, which holds no words, and nothing else */
};
bool cu_peer_allowed(const struct cu_peer *peer, enum cu_ask act);

/** Whose certificate would say what: the part of the URI before the vouch, and what is signed for it. `kid` is the member's, or the
 *  organisation's of an operator whom the ledger does not know. */
struct cu_peer_claim { cu_hash network; enum cu_peer_role role; cu_hash kid; };
void cu_peer_uri(const struct cu_peer_claim *claim, const uint8_t vouch[CU_SIGNATURE_LEN], struct cu_buf *out);
#define CU_PEER_MESSAGE_MAX 160
size_t cu_peer_message(const struct cu_peer_claim *claim, const struct cu_public_key *tls, uint8_t ret[CU_PEER_MESSAGE_MAX]);
CU_MUST_USE cu_status cu_peer_uri_read(const char *uri, struct cu_peer_claim *ret, uint8_t ret_vouch[CU_SIGNATURE_LEN], struct cu_err *err);

/** The statement key that has to vouch for it, by the members as of now. NOT_ALLOWED: not enrolled, revoked, of another role. */
CU_MUST_USE cu_status cu_peer_voucher(const struct cu_members *m, const struct cu_peer_claim *claim, const struct cu_member_key **ret,
                                      uint64_t *ret_party, struct cu_err *err);
/** Whose certificate, judged already, is it? NOT_ALLOWED: nobody's of this ledger, and why. */
CU_MUST_USE cu_status cu_peer_of(const struct cu_members *m, const struct cu_cert *cert, struct cu_verifier *by, struct cu_peer *ret,
                                 struct cu_err *err);

/** A token is for readers of the log that can show no certificate: "custody/ROLE/KID/UNTIL/VOUCH", what a certificate's URI says, until a second since 1970,
 *  vouched for by the same key. What is signed for it, and its text. */
#define CU_PEER_TOKEN_DAYS_MAX 31
size_t cu_peer_token_message(const struct cu_peer_claim *claim, uint64_t until_s, uint8_t ret[CU_PEER_MESSAGE_MAX]);
void cu_peer_token_put(const struct cu_peer_claim *claim, uint64_t until_s, const uint8_t vouch[CU_SIGNATURE_LEN], struct cu_buf *out);
/** All but the claim's network. NOT_ALLOWED */
CU_MUST_USE cu_status cu_peer_token_read(struct cu_span text, struct cu_peer_claim *ret, uint64_t *ret_until_s, uint8_t ret_vouch[CU_SIGNATURE_LEN], struct cu_err *err);
/** Whose token is it? NOT_ALLOWED: nobody's of this ledger, or no more, and why. */
CU_MUST_USE cu_status cu_peer_of_token(const struct cu_members *m, struct cu_span token, cu_unix_ms now, struct cu_verifier *by, struct cu_peer *ret, struct cu_err *err);

/** May he speak of what the key `kid` signed? His own, or his organisation's members'; whoever is on this machine speaks of all. */
bool cu_peer_speaks_for(const struct cu_members *m, const struct cu_peer *peer, const cu_hash *kid);

#endif
