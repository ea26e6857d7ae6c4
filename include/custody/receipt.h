/* A receipt: a C2SP tlog-proof file whose `extra` says who, what, when and where the copies are; the trust file that it is judged
 * by; and fork proofs.  docs/formats/receipt.md, trust.md, fork-proof.md. */
#ifndef CUSTODY_RECEIPT_H
#define CUSTODY_RECEIPT_H

#include "custody/checks.h"
#include "custody/entry.h"
#include "custody/note.h"

/** A tlog-proof as it lies in the file. */
struct cu_tlog_proof {
    struct cu_span extra;      /* base64 text; n == 0: none */
    cu_seq index;
    size_t n;
    cu_hash path[CU_PROOF_HASHES_MAX];
    struct cu_span checkpoint; /* the signed note, verbatim */
};
CU_MUST_USE cu_status cu_tlog_proof_read(struct cu_span file, struct cu_tlog_proof *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_tlog_proof_write(const struct cu_tlog_proof *proof, struct cu_span extra, struct cu_buf *out, struct cu_err *err); /* `extra` raw, not base64 */

/** An entry that the receipt brings along, with its details where the maker may show them. A map 1..4 (position, entry, salt,
 *  details). Makers set `has_details` alone; salt and details come together. */
struct cu_support { uint64_t seq; struct cu_span entry, salt, details; bool has_details, has_salt; };
extern const struct cu_schema cu_support_schema;

/** The `extra` map, version 1. */
struct cu_extra {            /* key */
    struct cu_span type;     /* 0  "application/custody-receipt+cbor" */
    struct cu_span record;   /* 1  the record (cu_record): entry, salt, details, content when inline */
    struct cu_list support;  /* 2  cu_support, positions ascending: genesis, confirm, case, blocks, stored … */
    struct cu_span hashes;   /* 3  multiproof of record and support together (cu_multiproof_verify, the main path known), n·32 bytes */
};
#define CU_EXTRA_TYPE "application/custody-receipt+cbor"
extern const struct cu_schema cu_extra_schema;

/* ---- trust ----
 *
 *     custody-trust/v1
 *     network <64 hex>
 *     require integrity signer [time]
 *     epoch <first size> <last size or ->
 *     <a tlog-policy, its lines as they are: log, witness, group, quorum>
 *     epoch …
 */
enum cu_verdict_name { CU_VERDICT_INTEGRITY, CU_VERDICT_SIGNER, CU_VERDICT_TIME, CU_VERDICTS };
struct cu_epoch { cu_size first, last; struct cu_span policy_text; }; /* last.v == UINT64_MAX: open */
struct cu_trust {
    cu_hash network;
    bool required[CU_VERDICTS];
    size_t epochs_n;
    struct cu_epoch epoch[CU_EPOCHS_MAX];
};
CU_MUST_USE cu_status cu_trust_read(struct cu_span text, struct cu_trust *ret, struct cu_err *err);
const struct cu_epoch *cu_trust_epoch(const struct cu_trust *trust, cu_size size); /* NULL: none covers it */
/** What the epoch of this size demands of a checkpoint. UNTRUSTED: none covers it. */
CU_MUST_USE cu_status cu_trust_policy(const struct cu_trust *trust, cu_size size, struct cu_tlog_policy *ret, struct cu_err *err);

/* ---- offline verification ---- */
enum cu_verdict { CU_FAIL, CU_NOT_PROVEN, CU_PASS, CU_NOTE }; /* NOTE: of a line that judges nothing */
const char *cu_verdict_text(enum cu_verdict v), *cu_verdict_zh(enum cu_verdict v);
const char *cu_kind_zh(enum cu_kind kind);
const char *cu_check_name(enum cu_check check);

/** The evidence that the caller read, or none. For an item: size and root. For a folder: the items' root as recomputed is not
 *  needed; the caller walks the manifest (in the receipt or beside it) and compares items itself, then reports here. */
struct cu_evidence {
    bool given;
    uint64_t size;
    cu_hash root;
    cu_hash sha256;
};

struct cu_check_line {
    enum cu_check check;
    enum cu_verdict verdict;
    cu_status status;               /* OK when PASS or NOTE */
    size_t words_n;                 /* of text, without what was found to be wrong */
    char text[220], text_zh[300];   /* "entry 6 is in the log of 9 entries" */
};
#define CU_REPORT_LINES 128

/** What is known of the bytes that the receipt is about. */
enum cu_evidence_state { CU_EVIDENCE_NONE, CU_EVIDENCE_SAME, CU_EVIDENCE_OTHER };

/** What verification found. All text is made; spans point into the receipt and the scratch memory. */
struct cu_report {
    enum cu_verdict verdict[CU_VERDICTS];
    struct cu_check_line why[CU_VERDICTS]; /* the line that decided it; of a PASS nothing but its text may be set */
    size_t lines_n;
    struct cu_check_line line[CU_REPORT_LINES];
    /* facts, valid as far as the verdicts say */
    struct cu_entry entry;
    struct cu_checkpoint checkpoint;
    struct cu_record record;
    cu_seq seq;
    cu_hash id, leaf, network;
    struct cu_span depositor, provider, organisation; /* names from genesis' details; n == 0: not named */
    struct cu_span case_name, ledger_name;
    struct cu_span item_name, label; /* from the deposit's details: file or folder name, label of the exhibit; n == 0: none */
    cu_hash sha256;            /* of the original, as the depositor signed it */
    bool has_sha256;
    cu_unix_ms signed_after;   /* `closed` of the block that the depositor (or only signer) saw; 0: it saw none */
    cu_unix_ms recorded_by;    /* `closed` of the block that dates it */
    cu_unix_ms witnessed_by;   /* the time that the quorum's cosignatures attest, when no two organisations must agree; 0: none */
    size_t copies;             /* organisations that attested a copy */
    size_t copies_required;
    bool copies_ok;            /* number and mandatory organisations as the policy asks, or nothing is asked */
    bool one_keeper;           /* one organisation holds every key, and the trust file demands no outside cosignature */
    bool pinned;               /* a trust file was given */
    enum cu_evidence_state evidence;
    struct cu_span manifest;   /* a folder's manifest, when inline */
    cu_status status;          /* OK when exit_code is 0; else of the first check that failed, or that left something unproven */
    char statement_en[2000], statement_zh[2000]; /* the plain sentence */
    int exit_code;             /* 0, or of the first that holds: 2 integrity, 4 signer, 5 time, 3 copies missing */
};

/** Judge a receipt offline: no file, no clock, no socket, no allocation by our code.
 *
 *  trust     the pinned trust, or NULL: then signer is NOT PROVEN and exit_code is never 0
 *  scratch   CU_VERIFY_SCRATCH bytes, in which `extra` is decoded; the report points into it
 *  evidence  what the caller read: of an item, the file; of a folder, the manifest that lies beside the receipt. May be NULL
 *
 *  CU_OK: `ret` holds verdicts, FAIL among them or not; ret->status names the check that stands in the way.
 *  MALFORMED, NEWER_FORMAT, and what cu_entry_read says of an entry's form: it is no receipt at all; ret->verdict are FAIL and
 *  lines, sentence and exit code are set all the same. */
#define CU_VERIFY_SCRATCH (CU_RECEIPT_MAX + 65536)
CU_MUST_USE cu_status cu_receipt_verify(struct cu_span receipt, const struct cu_trust *trust, const struct cu_evidence *evidence, struct cu_verifier *by, uint8_t *scratch, struct cu_report *ret, struct cu_err *err);

/** Before its evidence has been compared integrity stands for the record alone; call this when a folder or an item of one was
 *  judged outside: adds the line of `check`, whose {1} is `what` in both languages (printable text), and folds the result into
 *  verdict, sentence and exit code. `status`: OK, or why not. */
void cu_report_evidence(struct cu_report *report, const struct cu_trust *trust, enum cu_check check, cu_status status, const char *what, const char *what_zh);

/** The report as people read it: one line a check, three verdicts, the sentence in English and Chinese. */
void cu_report_text(const struct cu_report *report, struct cu_buf *out);
void cu_report_json(const struct cu_report *report, struct cu_buf *out);

/* ---- making receipts (used by the service) ---- */
struct cu_receipt_parts {
    struct cu_span checkpoint;          /* signed note */
    cu_seq seq;
    struct cu_span record;              /* cu_record encoding */
    const struct cu_support *support;   /* ascending positions, without seq */
    size_t support_n;
};
CU_MUST_USE cu_status cu_receipt_make(const struct cu_receipt_parts *parts, const struct cu_node_source *nodes, struct cu_buf *out, struct cu_err *err);

/* ---- fork proofs: canonical CBOR ---- */
/** A map: 0 typ "application/custody-fork+cbor", 1 first note, 2 second note, 3 subtree [level, index, hash a, path a, hash b,
 *  path b] unless the sizes are equal. Path: the hashes that lead from the subtree to the root, nearest first (n·32 bytes). */
struct cu_fork_subtree { uint64_t level, index; cu_hash hash_a; struct cu_span path_a; cu_hash hash_b; struct cu_span path_b; };
struct cu_fork { struct cu_span type, note_a, note_b; struct cu_fork_subtree subtree; bool has_subtree; };
extern const struct cu_schema cu_fork_schema;
#define CU_FORK_TYPE "application/custody-fork+cbor"

struct cu_fork_report {
    struct cu_checkpoint a, b;
    size_t convicted_n;
    struct cu_span convicted[CU_NOTE_SIGNATURES_MAX]; /* names of keys that signed both */
    size_t a_n, b_n;
    struct cu_span a_signers[CU_NOTE_SIGNATURES_MAX], b_signers[CU_NOTE_SIGNATURES_MAX];
};
/** Two checkpoints, each signed by keys of the trust (of its own size's epoch), that cannot both be true. CU_OK: it is a fork.
 *  BAD_PROOF: they can both be true, or the proof does not show it; UNTRUSTED; MALFORMED. */
CU_MUST_USE cu_status cu_fork_verify(struct cu_span proof, const struct cu_trust *trust, struct cu_verifier *by, struct cu_fork_report *ret, struct cu_err *err);
/** From two receipts alone (their notes, and the subtrees along their paths), or from a receipt and a log's nodes.
 *  NOT_FOUND: they agree, as far as can be seen from these. */
CU_MUST_USE cu_status cu_fork_make(struct cu_span receipt_a, struct cu_span receipt_b, uint8_t *scratch, struct cu_buf *out, struct cu_err *err);
CU_MUST_USE cu_status cu_fork_make_log(struct cu_span receipt, struct cu_span log_checkpoint, const struct cu_node_source *nodes, uint8_t *scratch, struct cu_buf *out, struct cu_err *err);

#endif
