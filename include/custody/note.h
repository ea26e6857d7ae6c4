/* C2SP signed notes, checkpoints, cosignatures and tlog-policy.  Sources: c2sp.org/signed-note, tlog-checkpoint,
 * tlog-cosignature, tlog-policy.  One spelling is accepted; nothing allocates; spans point into what was read. */
#ifndef CUSTODY_NOTE_H
#define CUSTODY_NOTE_H

#include "custody/key.h"
#include "custody/text.h"
#include "custody/tree.h"

enum cu_note_key_type { CU_NOTE_ED25519 = 0x01, CU_NOTE_ECDSA = 0x02, CU_NOTE_COSIGNATURE = 0x04, CU_NOTE_TREE_HEAD = 0x05, CU_NOTE_MLDSA44 = 0x06 };

/** A verifier key "name+hash+base64(type ‖ key)". Types 0x01 and 0x04 can be verified here; others are MALFORMED to read. */
struct cu_vkey {
    struct cu_span name;
    uint32_t id;
    enum cu_note_key_type type;
    struct cu_public_key pub; /* Ed25519 */
};
CU_MUST_USE cu_status cu_vkey_read(struct cu_span text, struct cu_vkey *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_vkey_write(const struct cu_vkey *vkey, struct cu_buf *out, struct cu_err *err);
CU_MUST_USE cu_status cu_vkey_make(struct cu_span name, enum cu_note_key_type type, const struct cu_public_key *pub, struct cu_vkey *ret, struct cu_err *err);

struct cu_note_sig {
    struct cu_span line;    /* the whole line without \n */
    struct cu_span name;
    uint32_t id;
    uint8_t blob[72];       /* decoded signature after the key id, when it fits; longer ones (other types) have n > 72 */
    size_t n;
};
struct cu_note {
    struct cu_span text;    /* ends in \n: what is signed */
    size_t sigs_n;
    struct cu_note_sig sig[CU_NOTE_SIGNATURES_MAX];
};
/** Split and check the form: MALFORMED, TOO_LARGE. Verifies nothing. */
CU_MUST_USE cu_status cu_note_read(struct cu_span bytes, struct cu_note *ret, struct cu_err *err);

/** text ‖ "\n" ‖ one line; or, when `out` holds a note already that ends in signature lines, one more line. */
CU_MUST_USE cu_status cu_note_sign(struct cu_buf *out, struct cu_span text, struct cu_span name, const struct cu_private_key *key, struct cu_err *err);             /* 0x01 */
CU_MUST_USE cu_status cu_note_cosign(struct cu_buf *out, struct cu_span text, struct cu_span name, const struct cu_private_key *key, uint64_t unix_s, struct cu_err *err); /* 0x04 */

/** Does signature `sig` verify under `vkey`? For 0x04 the time it states comes back. BAD_SIGNATURE; MALFORMED (length). */
CU_MUST_USE cu_status cu_note_verify(const struct cu_note *note, const struct cu_note_sig *sig, const struct cu_vkey *vkey, struct cu_verifier *by, uint64_t *ret_unix_s, struct cu_err *err);

struct cu_checkpoint {
    struct cu_span origin;
    cu_size size;
    cu_hash root;
};
/** Three lines and no extension line. */
CU_MUST_USE cu_status cu_checkpoint_read(struct cu_span text, struct cu_checkpoint *ret, struct cu_err *err);
void cu_checkpoint_put(const struct cu_checkpoint *checkpoint, struct cu_buf *out);

/* ---- tlog-policy ---- */
struct cu_policy_node { /* a witness or a group */
    struct cu_span name;
    bool is_group, is_member;      /* a member of some group already */
    struct cu_vkey vkey;           /* witness */
    struct cu_span url;            /* where it is asked; n == 0: not said */
    unsigned k, members_n;         /* group: k of */
    uint16_t member[CU_POLICY_MEMBERS_MAX];
};
struct cu_tlog_policy {
    size_t logs_n, nodes_n;
    struct cu_vkey log[CU_POLICY_MEMBERS_MAX];
    struct cu_policy_node node[CU_POLICY_MEMBERS_MAX];
    int quorum;                    /* index into node, or -1: none */
};
CU_MUST_USE cu_status cu_tlog_policy_read(struct cu_span text, struct cu_tlog_policy *ret, struct cu_err *err);

/** What verifying a note against a policy gave, line by line. */
enum cu_sig_verdict { CU_SIG_IGNORED, CU_SIG_LOG, CU_SIG_COSIGNED };
struct cu_note_verdict {
    enum cu_sig_verdict of[CU_NOTE_SIGNATURES_MAX];
    uint16_t node[CU_NOTE_SIGNATURES_MAX]; /* index into policy->log or policy->node */
    uint64_t unix_s[CU_NOTE_SIGNATURES_MAX];
    size_t logs, cosigned, ignored;
};
/** Is the quorum met when exactly these witnesses (by index into policy->node, CU_POLICY_MEMBERS_MAX of them) cosigned? */
bool cu_tlog_policy_met(const struct cu_tlog_policy *policy, const bool *cosigned);

/** Verify every line by a listed key, count the others as ignored: no quorum, no origin. BAD_SIGNATURE, MALFORMED (length). */
CU_MUST_USE cu_status cu_note_judge(const struct cu_note *note, const struct cu_tlog_policy *policy, struct cu_verifier *by, struct cu_note_verdict *ret, struct cu_err *err);

/** A known log key signed, and every line by a known key verifies; the origin is the log keys' name. No quorum: for a log that lies here. */
CU_MUST_USE cu_status cu_checkpoint_signed(const struct cu_note *note, const struct cu_tlog_policy *policy, struct cu_verifier *by, struct cu_checkpoint *ret, struct cu_note_verdict *ret_verdict, struct cu_err *err);
/** The same, and the quorum is met;
 *  UNTRUSTED (no known log key, quorum not met), BAD_SIGNATURE (a known key's line fails), MALFORMED. */
CU_MUST_USE cu_status cu_checkpoint_verify(const struct cu_note *note, const struct cu_tlog_policy *policy, struct cu_verifier *by, struct cu_checkpoint *ret, struct cu_note_verdict *ret_verdict, struct cu_err *err);

#endif
