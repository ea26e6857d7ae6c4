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
    bool later;     /* an organisation that genesis does not have: proposed; and, when it is in the table of keys, approved */
    uint64_t joined, left; /* of an organisation: the entry that made it one, or ended it, + 1; 0: genesis did, or nothing */
};
/** What a receipt needs, as of one position. */
struct cu_terms { uint64_t cosigners, copies, mandatory; /* a bit per party, from the lowest: party 1 */ };
/** A proposal that is open: one an organisation. */
struct cu_proposal {
    cu_hash id;
    uint64_t seq, organisation; /* where it stands, who made it */
    uint64_t change, party, until, approvals; /* approvals: a bit per organisation, as above */
    size_t keys_n, revoked_n;
    struct cu_member_key key[CU_PROPOSED_KEYS_MAX];
    struct cu_revoked revoked[CU_PROPOSED_REVOKED_MAX];
    struct cu_terms terms;
    struct cu_new_rules rules;
    bool has_terms, has_rules;
};
struct cu_members {
    cu_hash network;
    struct cu_terms terms;
    struct cu_new_rules rules; /* the newest that were approved; below their height, those before */
    size_t proposals_n;
    struct cu_proposal proposal[CU_PROPOSALS_MAX];
    bool partial; /* fed from a receipt, which brings the member entries of some parties: the ids of new ones may have gaps */
    size_t parties_n, keys_n;
    uint64_t organisations; /* that count: cu_members_counts */
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
/** A proposal at `seq`, its signature checked: would it take effect now, if it were approved? Then it is open, in the place of the one that
 *  this organisation had open; and the id of one that would join is taken. Not judged here: `until`, and the height of new rules.
 *
 *  WRONG_ROLE (of a party that is no organisation, or does not act; a key that is not the organisation's to revoke), OUT_OF_ORDER (a new one has
 *  the next free id; rules come one by one), BAD_KEY, BAD_SIGNATURE, HIGH_S, UNKNOWN_KEY, DUPLICATE (as in cu_members_enrol), TOO_LARGE,
 *  MISSING_SIGNATURE (who joins lacks a key of a purpose that the others have), NOT_ALLOWED (what remained could not decide, or could not
 *  meet what it asks for; a key would be missing). `m` changes only on success. */
CU_MUST_USE cu_status cu_members_propose(struct cu_members *m, const struct cu_statement *propose, cu_seq seq, struct cu_verifier *by,
                                         struct cu_err *err);
/** An approval at `seq`, its signature checked: the one with which more than two thirds of the organisations approve takes effect: keys act
 *  from seq + 1, those that they replace or that were revoked until seq. `more`: further ones of the same proposal are known to follow, so that
 *  it is not this one. *ret (may be NULL): the proposal that took effect; its id is zero when none did.
 *
 *  UNKNOWN_TARGET (no such proposal is open), DUPLICATE, and when it would take effect what cu_members_propose says. */
CU_MUST_USE cu_status cu_members_approve(struct cu_members *m, const struct cu_statement *approve, cu_seq seq, bool more,
                                         struct cu_proposal *ret, struct cu_err *err);
/** Whatever of these an entry is: a confirm, a member entry, a proposal, an approval; CU_OK and nothing for any other. */
CU_MUST_USE cu_status cu_members_take(struct cu_members *m, const struct cu_statement *st, cu_seq seq, bool more, struct cu_verifier *by,
                                      struct cu_err *err);
static inline bool cu_members_taken(enum cu_kind kind)
{
    return kind == CU_KIND_CONFIRM || kind == CU_KIND_MEMBER || kind == CU_KIND_PROPOSE || kind == CU_KIND_APPROVE;
}
/** An organisation whose approval counts: of genesis, or confirmed; and it has not left. */
bool cu_members_counts(const struct cu_member_party *party);
/** The bits of those, lowest: party 1. Do these approve, by more than two thirds? */
uint64_t cu_members_counted(const struct cu_members *m);
bool cu_members_decide(const struct cu_members *m, uint64_t approvals);
/** The party's newest key of that purpose that acts at `seq`, whatever came later; NULL: none does. */
const struct cu_member_key *cu_members_acting(const struct cu_members *m, uint64_t party, enum cu_purpose purpose, cu_seq seq);
/** The version of the rules by which that height is judged. */
uint64_t cu_members_rules(const struct cu_members *m, uint64_t height);
/** "statement", "log", "cosigning", …; NULL: no such purpose. */
const char *cu_purpose_name(uint64_t purpose);
/** For the files of this room: a given key as it stands in the table, of its purpose's algorithm, valid, listed nowhere yet. BAD_KEY, TOO_LARGE. */
CU_MUST_USE cu_status cu_members_new_key(const struct cu_members *m, uint64_t party, const struct cu_given_key *given, uint64_t from,
                                         struct cu_member_key *ret, struct cu_err *err);
/** Does `voucher` say so, over cu_possession_message? BAD_SIGNATURE, HIGH_S. */
CU_MUST_USE cu_status cu_members_proven(const struct cu_members *m, const struct cu_member_key *key, const struct cu_member_key *voucher,
                                        const uint8_t *proof, struct cu_verifier *by, struct cu_err *err);

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
