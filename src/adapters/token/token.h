/* Private keys that stay in a token: a smart card, an HSM. By PKCS#11, whose modules p11-kit finds, loads and lets others of the process use at the same time. */
#ifndef CU_ADAPTERS_TOKEN_H
#define CU_ADAPTERS_TOKEN_H

#include "custody/key.h"

/** Who knows the PIN is asked for it, once a token, unless the token asks by itself (a keypad). `token` is its label, for people. The PIN is wiped after use. */
struct cu_token_pin { void *arg; cu_status (*ask)(void *arg, const char *token, struct cu_buf *ret, struct cu_err *err); };

/** The one private key that a URI (RFC 7512) names: "pkcs11:token=Evidence;object=signing", with ?module-path=FILE for a module that this system does not know of.
 *  ES256 (P-256) or Ed25519. Any thread may sign with it, one at a time; cu_private_free lets go of the token.
 *
 *  USAGE        it is no such URI, or has a PIN in it, which whoever is on the machine would see.
 *  NOT_FOUND    no such module, token, or key there.   AMBIGUOUS: several tokens, or keys.
 *  BAD_KEY      what it names is none that could sign here.
 *  WRONG_PASSPHRASE  the PIN is wrong.   NOT_ALLOWED: the token is locked, or wants the PIN for each signature.
 *  IO           the token does not answer; signing: it was taken out. */
CU_MUST_USE cu_status cu_token_key(struct cu_span uri, const struct cu_token_pin *pin, struct cu_private_key *ret, struct cu_err *err);

#endif
