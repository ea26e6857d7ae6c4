/* The validator's votes: CometBFT asks for each signature over a socket (tendermint.privval, "remote signer"), the key stays with the node.
 *
 * What was signed last lies beside the cosigner's state (docs/formats/chain.md has the bytes). An older copy of it, and a second machine
 * with this key, are found out by the votes that the chain has: then nothing more is signed. Where the key is being changed there are two,
 * each with a state of its own; the one that the ledger's state names signs, and no other.
 */
#ifndef CU_COMETBFT_VOTER_H
#define CU_COMETBFT_VOTER_H

#include "custody/key.h"
#include "engine/cometbft/abci.h"
#include "ports/fs.h"
#include "ports/machine.h"

#define CU_VOTER_STUCK_MS 3000u
#define CU_VOTER_WAIT_MS 10000u /* a signer that begins anew lets the height that is under way go by for so long */

/** A state of a key that has signed nothing; when one lies there, nothing happens. `anew`: it may have signed what is not known any more. So
 *  this one learns from the chain where it stands, and lets the height under way go by; it replaces what lies there. */
CU_MUST_USE cu_status cu_voter_begin(const struct cu_fs *fs, const char *path, const struct cu_private_key *key, bool anew, struct cu_err *err);

struct cu_voter_config {
    const struct cu_fs *fs;
    const char *path;                 /* of the state; its neighbour "<path>-incoming" is written when it begins */
    const struct cu_private_key *key; /* Ed25519 */
    struct cu_span chain;             /* CometBFT's chain id: of no other is anything signed */
    size_t validators;                /* how many there are, this one among them */
    void (*alarm)(void *arg, const struct cu_err *why); /* nothing more is signed; any thread, once */
    void *arg;
    const char *next_path;            /* a key that may take its place, */
    const struct cu_private_key *next; /* if there is one, and its state */
};
struct cu_voter;
/** NOT_FOUND: no state; CORRUPT: damaged, or another key's. What to do is in the sentence. */
CU_MUST_USE cu_status cu_voter_open(const struct cu_voter_config *config, struct cu_voter **ret, struct cu_err *err);
void cu_voter_close(struct cu_voter *s); /* NULL is fine */

/** One question, one answer; what is refused is an answer, too, whose text lies in `mem`. Durable before it returns: one sync. */
void cu_voter_answer(struct cu_voter *s, const struct cu_abci_signer *q, struct cu_abci_signer *ret, struct cu_buf *mem);
/** How far this node's ledger has come: before anything is asked. NULL is fine. */
void cu_voter_stands(struct cu_voter *s, uint64_t committed);
/** At which heights the peers are, which this node has reached when it says so itself. Until then nothing is signed: an older copy would vote once
 *  more where it voted already. So many of n organisations as may lie are not believed; more than two thirds, this one among them, must
 *  be there, without whom nothing is decided anyway. True: from now on it signs. */
bool cu_voter_caught_up(struct cu_voter *s, uint64_t committed, const uint64_t *peers, size_t n);
/** It refused what it might sign now, and has not been asked again for CU_VOTER_STUCK_MS, or CometBFT goes on with a key that signs no more (it
 *  does not ask while it catches up): started again, it asks. Once a refusal. */
bool cu_voter_owes(struct cu_voter *s);
/** Did its keys sign anything, or may they have? NULL: no. */
bool cu_voter_has_signed(struct cu_voter *s);
/** Whose votes count at the height that comes next. One of the two keys signs from now on, or none while neither is among them; CometBFT, which
 *  asks for the key after each height, is told so. NULL is fine. */
void cu_voter_follow(struct cu_voter *s, const struct cu_engine_key *validators, size_t n);
/** Who voted for a height, as the chain has decided: any thread. NULL signer is fine. */
void cu_voter_saw(struct cu_voter *s, const struct cu_abci_commit_info *votes, uint64_t height);
/** Answer CometBFT, which listens at `socket`, again and again, until stop_fd is readable. */
void cu_voter_serve(struct cu_voter *s, const char *socket, int stop_fd);

#endif
