/* Who may say what: the parties and keys of a ledger at one position, as genesis and the entries after it enrolled them.
 *
 * The table is the caller's memory, no allocation. It answers for the step function (fed from its state), for `verify` (fed from
 * a receipt's enrolments) and for `show`.
 */
#ifndef CUSTODY_MEMBER_H
#define CUSTODY_MEMBER_H

#include "custody/may.h"

struct cu_member_key {
    cu_hash kid;
    struct cu_public_key pub;
    enum cu_purpose purpose;
    uint64_t party;
    uint64_t until_seq;     /* … and before this one: where it was revoked; UINT64_MAX: it was not */
    uint64_t since_seq;     /* others may hold it since this position; CU_NOT_COMPROMISED: nobody does */
    uint64_t from_seq; /* acts from this position on: after its organisation's confirm; UINT64_MAX while unconfirmed */
};
struct cu_member_party {
    uint64_t id, role, organisation; /* id 0: no such party is known here */
    bool confirmed; /* of an organisation */
};
struct cu_members {
    cu_hash network;
    bool partial; /* fed from a receipt, which brings the member entries of some parties: the ids of new ones may have gaps */
    size_t parties_n, keys_n;
    uint64_t organisations;
    struct cu_member_party party[CU_PARTIES_MAX];
    struct cu_member_key key[CU_KEYS_MAX];
};

/** From genesis: nothing confirmed yet. Refuses unknown suites, roles and purposes, a party without its organisation, ids not
 *  1..n ascending, a public key that is listed twice in any role, a key of the wrong algorithm for its purpose, a purpose that is
 *  not the party's (only organisations have keys other than statement keys), a party without statement key, an organisation
 *  without log key, a policy that asks for more organisations than there are. MALFORMED, BAD_KEY, TOO_LARGE, NEWER_FORMAT (suite,
 *  rules, engine). Costs a key load per key. */
CU_MUST_USE cu_status cu_members_from_genesis(const struct cu_genesis *genesis, const cu_hash *network, struct cu_members *ret,
                                              struct cu_err *err);

/** A confirm at `seq`, signature already checked: every key of the organisation and of its members, once, in kid order,
 *  possession proven. Keys act from seq + 1. UNKNOWN_KEY, WRONG_ROLE (not the organisation's own statement key), DUPLICATE,
 *  MISSING_SIGNATURE (a key is not listed), BAD_SIGNATURE, HIGH_S. `m` changes only on success. */
CU_MUST_USE cu_status cu_members_confirm(struct cu_members *m, const struct cu_statement *confirm, cu_seq seq,
                                         struct cu_verifier *by, struct cu_err *err);
/** More than two thirds of the organisations have confirmed. */
bool cu_members_open(const struct cu_members *m);

/** A member entry at `seq`, its signature checked: a party, new in the signer's organisation or one that it runs, gets statement and sealing
 *  keys, possession proven; they act from seq + 1. Revoked ones act until seq. No other keys are given or revoked this way.
 *
 *  WRONG_ROLE (another organisation's party, another role, one that the signer may not enrol, a key of another purpose), BAD_KEY (of the wrong algorithm, not valid, listed
 *  before in any role), BAD_SIGNATURE, HIGH_S, UNKNOWN_KEY (to revoke), DUPLICATE (revoked already), OUT_OF_ORDER (compromised since its
 *  revocation or later), TOO_LARGE, NOT_ALLOWED (it leaves the organisation without a statement key). `m` changes only on success. */
CU_MUST_USE cu_status cu_members_enrol(struct cu_members *m, const struct cu_statement *member, cu_seq seq, struct cu_verifier *by,
                                       struct cu_err *err);
/** The key that a party seals with and is sealed for: its newest sealing key that acts. NULL: none. */
const struct cu_member_key *cu_members_sealing(const struct cu_members *m, uint64_t party);
/** Of its keys of that purpose which are not revoked, the one that was given last; NULL: there is none. */
const struct cu_member_key *cu_members_newest(const struct cu_members *m, uint64_t party, enum cu_purpose purpose);

const struct cu_member_key *cu_members_key(const struct cu_members *m, const cu_hash *kid); /* NULL: unknown */
const struct cu_member_party *cu_members_party(const struct cu_members *m, uint64_t id);

/** May `kid` do `act`, a statement (cu_act_say), at `seq`?  UNKNOWN_KEY, WRONG_ROLE (role or purpose), NOT_CONFIRMED (it does not act yet), REVOKED. */
CU_MUST_USE cu_status cu_members_may(const struct cu_members *m, const cu_hash *kid, unsigned act, cu_seq seq,
                                     const struct cu_member_key **ret, struct cu_err *err);

#endif
