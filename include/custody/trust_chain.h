/* Trust files written, and followed: from a network id, or an older trust file, over the changes of keys to today's.
 * docs/formats/trust.md, trust-chain.md. */
#ifndef CUSTODY_TRUST_CHAIN_H
#define CUSTODY_TRUST_CHAIN_H

#include "custody/member.h"
#include "custody/receipt.h"

/* ---- writing (trust_write.c) ---- */

/** "<origin>/cosigner/<party>": what an organisation's cosigner is called, so that genesis alone says it. */
void cu_cosigner_name(struct cu_span origin, uint64_t party, struct cu_buf *out);
/** What a reader pins of a ledger that begins: the log and cosigners' keys of each organisation, and the quorum of its policy, as one
 *  epoch. `first`: the log key whose line comes first: this organisation's own. NULL: they come as the organisations do. */
CU_MUST_USE cu_status cu_trust_of_genesis(const struct cu_genesis *genesis, const cu_hash *network, const struct cu_public_key *first, struct cu_buf *out, struct cu_err *err);
/** The lines of a policy that lists the organisations' keys, as the members are now, and how many of their cosigners a quorum takes; without its line
 *  `quorum`. First stands the log key of the organisation whose is `first` (NULL: of the first one); it itself, where that has none. */
CU_MUST_USE cu_status cu_trust_of_members(const struct cu_members *m, struct cu_span origin, const struct cu_public_key *first, struct cu_buf *out, struct cu_err *err);
/** What outside witnesses add to the policy `before`, and the line `quorum`; `asks`: cosignatures of organisations are asked for, too. */
void cu_trust_outside(struct cu_span before, bool asks, struct cu_buf *out);
/** One epoch more at the end of a trust file, for sizes above `size`, whose policy is `policy`; one that began there already is replaced. */
void cu_trust_append(const struct cu_trust *trust, struct cu_span text, uint64_t size, struct cu_span policy, struct cu_buf *out);

/* ---- the chain (trust_chain.c) ---- */

#define CU_TRUST_CHAIN_TYPE "application/custody-trust-chain+cbor"
#define CU_TRUST_CHAIN_MAX (1 << 22)
#define CU_CHAIN_STEPS_MAX 1024
#define CU_CHAIN_ENTRIES_MAX 1024

struct cu_chain_entry { uint64_t seq; struct cu_span entry; };
/** What ended an epoch: the last checkpoint that its keys signed, and under it every entry that changed members since the step before, with
 *  the block entry that closes it. */
struct cu_chain_step {      /* key */
    struct cu_span note;    /* 1  the signed checkpoint */
    struct cu_list entries; /* 2  cu_chain_entry, positions ascending; the last is the block entry, and the log's last */
    struct cu_span hashes;  /* 3  their multiproof (cu_multiproof_verify), n·32 bytes */
};
struct cu_trust_chain {
    struct cu_span genesis; /* 1  the entry, whose leaf hash is the network id */
    struct cu_list steps;   /* 2  cu_chain_step */
};
extern const struct cu_schema cu_chain_entry_schema, cu_chain_step_schema, cu_trust_chain_schema;

/** The trust file that a chain leads to, appended to `out`. It goes on from the trust file `from`, or with n == 0 from the network id `network`
 *  alone. Each step is believed by an epoch that is there already. *ret_steps: so many changes there are.
 *
 *  WRONG_NETWORK: of another ledger. UNTRUSTED, BAD_SIGNATURE: no epoch from before vouches for a step. BAD_PROOF: entries that are not in that log.
 *  MALFORMED: what stands there is no change; and whatever refuses the entries themselves. `out` changes only on success. */
CU_MUST_USE cu_status cu_trust_follow(struct cu_span chain, struct cu_span from, const cu_hash *network, struct cu_verifier *by,
                                      struct cu_buf *out, size_t *ret_steps, struct cu_err *err);

#endif
