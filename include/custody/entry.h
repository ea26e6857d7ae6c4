/* Entries of the log: the kinds, their payloads, and the COSE_Sign1 envelope around them.
 *
 * A signed entry is COSE_Sign1 (RFC 9052, tag 18): 18([protected, {}, payload, signature]), canonical, unprotected map empty,
 * payload attached. The protected header holds exactly
 *
 *     1: alg   4: kid (32 bytes, COSE Key Thumbprint)   16: typ "application/custody-<kind>+cose"   -65537: network id (32 bytes)
 *
 * and what is signed is the Sig_structure ["Signature1", protected, h'', payload]. *genesis* and *block* are plain maps whose
 * key 0 is their typ "application/custody-<kind>+cbor"; nobody signs them alone. Two-party acts nest: payload field 1 of the
 * outer statement is the whole inner one.  docs/formats/entry.md has offsets and worked examples.
 */
#ifndef CUSTODY_ENTRY_H
#define CUSTODY_ENTRY_H

#include "custody/key.h"
#include "custody/schema.h"

/* What a party is: one of these bits. What each may do: custody/may.h. */
enum cu_role {
    CU_ROLE_DEPOSITOR = 1, CU_ROLE_PROVIDER = 2, CU_ROLE_ORGANISATION = 4, CU_ROLE_READER = 8, CU_ROLE_AUDITOR = 16,
    CU_ROLE_OPERATOR = 32, CU_ROLE_ADMINISTRATOR = 64, CU_ROLE_NODE = 128
};
/* What a key is for. One key, one purpose. */
enum cu_purpose {
    CU_PURPOSE_STATEMENT = 1, CU_PURPOSE_LOG = 2, CU_PURPOSE_COSIGN = 3, CU_PURPOSE_VALIDATOR = 4, CU_PURPOSE_NODE = 5,
    CU_PURPOSE_TLS = 6, CU_PURPOSE_SEALING = 7
};

/* number (frozen), name in C, name in typ, form, nests a statement, has details? Who may sign it: custody/may.h.
 *
 *   form     PLAIN a map; SIGNED a COSE_Sign1 that is an entry by itself; NESTED a COSE_Sign1 that stands only inside another
 *   details  a commitment in its payload, and the attachment with the record */
#define CU_KIND_TABLE(X) \
    X(1, GENESIS, "genesis", PLAIN, false, true) \
    X(2, BLOCK, "block", PLAIN, false, false) \
    X(3, CONFIRM, "confirm", SIGNED, false, false) \
    X(4, CASE, "case", SIGNED, false, true) \
    X(5, CLAIM, "claim", NESTED, false, true) \
    X(6, DEPOSIT, "deposit", SIGNED, true, true) \
    X(7, REFUSAL, "refusal", SIGNED, true, true) \
    X(8, VOID, "void", SIGNED, false, true) \
    X(9, STORED, "stored", SIGNED, false, false) \
    X(10, INCIDENT, "incident", SIGNED, false, true) \
    X(11, CORRECTION, "correction", SIGNED, false, true) \
    X(12, ACCESS, "access", SIGNED, false, true) \
    X(13, INVENTORY, "inventory", SIGNED, false, false) \
    X(14, DISCLOSURE, "disclosure", SIGNED, false, true) \
    X(15, MEMBER, "member", SIGNED, false, true) \
    X(16, GRANT, "grant", SIGNED, false, true) \
    X(17, TIMEOUT, "timeout", SIGNED, false, false) \
    X(18, NOTICE, "notice", SIGNED, false, true) \
    X(19, ACKNOWLEDGE, "acknowledge", SIGNED, false, false) \
    X(20, ANSWER, "answer", SIGNED, false, true) \
    X(21, PROPOSE, "propose", SIGNED, false, true) \
    X(22, APPROVE, "approve", SIGNED, false, false)

#define CU_KIND_ENUM(num, name, text, form, nests, details) CU_KIND_##name = (num),
enum cu_kind { CU_KIND_NONE = 0, CU_KIND_TABLE(CU_KIND_ENUM) };
#undef CU_KIND_ENUM
enum cu_form { CU_FORM_PLAIN, CU_FORM_SIGNED, CU_FORM_NESTED };

struct cu_kind_row {
    enum cu_kind kind;
    const char *name;             /* "deposit" */
    const char *typ;              /* "application/custody-deposit+cose" */
    enum cu_form form;
    bool nests, details;
    const struct cu_schema *payload;
};
const struct cu_kind_row *cu_kind_row(enum cu_kind kind); /* NULL when unknown */
const struct cu_kind_row *cu_kind_by_typ(struct cu_span typ);
extern const enum cu_kind cu_kinds[];
extern const size_t cu_kinds_n;

/* ---- payloads ----------------------------------------------------------------------------------------------------- */

/** A block entry that a signer had seen: its position and leaf hash. A tuple [position, hash]. */
struct cu_seen { uint64_t seq; cu_hash leaf; };
extern const struct cu_schema cu_seen_schema;

/* number, name, sentence: why a provider refused (a deposit, or to answer a notice), a depositor voided, what an incident is. */
#define CU_REASON_TABLE(X)                                                                                             \
    X(1, DAMAGED, "damaged", "the bytes that arrived are not those that were claimed")                                 \
    X(2, INCOMPLETE, "incomplete", "the bytes did not all arrive")                                                     \
    X(3, NOT_ACCEPTED, "not-accepted", "the provider does not take this content")                                      \
    X(4, QUOTA, "quota", "the depositor's quota is used up")                                                           \
    X(5, MISTAKE, "mistake", "made by mistake")                                                                        \
    X(6, LOST, "lost", "the signed claim was lost")                                                                    \
    X(7, STOPPED, "stopped", "the deposit was stopped before the provider accepted it")                                \
    X(8, NOT_HELD, "not-held", "what is asked for is not held")                                                        \
    X(9, NO_BASIS, "no-basis", "the legal basis that is named does not allow it")
#define CU_REASON_ENUM(num, name, text, sentence) CU_REASON_##name = (num),
enum cu_reason { CU_REASON_TABLE(CU_REASON_ENUM) };
#undef CU_REASON_ENUM
const char *cu_reason_name(uint64_t reason); /* NULL when unknown */
uint64_t cu_reason_by_name(struct cu_span name); /* 0 when unknown */

#define CU_INCIDENT_TABLE(X)                                                                                           \
    X(1, DAMAGE, "damage", "stored bytes were altered, cut off, lost or added")                                        \
    X(2, EQUIVOCATION, "equivocation", "one key signed two different claims under one serial number")                  \
    X(3, CHALLENGE, "challenge", "a copy did not answer a challenge")                                                  \
    X(4, WITHHELD, "withheld", "content that a provider accepted did not come to a node, or not as it was signed")     \
    X(5, MISBEHAVIOUR, "misbehaviour", "an organisation broke the rules of consensus")
#define CU_INCIDENT_ENUM(num, name, text, sentence) CU_INCIDENT_##name = (num),
enum cu_incident_type { CU_INCIDENT_TABLE(CU_INCIDENT_ENUM) };
#undef CU_INCIDENT_ENUM
const char *cu_incident_name(uint64_t type); /* NULL when unknown */

enum cu_content_type { CU_CONTENT_ITEM = 1, CU_CONTENT_FOLDER = 2 };

/** Folder claims: what the manifest says, under the depositor's own signature. A tuple [items, bytes, items root]. */
struct cu_folder { uint64_t items; uint64_t bytes; cu_hash root; };

struct cu_claim {                /* key */
    uint64_t serial;             /* 1   ≥ 1 */
    cu_case_id case_id;          /* 2 */
    uint64_t content;            /* 3   enum cu_content_type */
    uint64_t size;               /* 4   of the stored bytes: the item, or the folder's manifest */
    cu_hash root;                /* 5   RFC 6962 root of the stored bytes, 4 KiB leaves */
    uint64_t time;               /* 6   ms, the depositor's clock when it signed */
    struct cu_seen seen;         /* 7 */
    cu_hash commitment;          /* 8   SHA-256(salt ‖ details) */
    struct cu_folder folder;     /* 9   iff content is a folder */
    bool has_folder;
    struct cu_list sealed;       /* 10  of an item: content and details are age files for these sealing keys; kids ascending */
    bool has_sealed;
    struct cu_list second;       /* 12  and within that for these: one of each list is needed to open it. Only with 10, none in both */
    bool has_second;
    cu_hash notice;              /* 11  the notice that it answers: then a provider signs, and who asked accepts */
    bool has_notice;
};
/** How a provider's store that keeps versions holds what is claimed: the objects of a bucket that it lies in, and how they are locked. A tuple
 *  [mode, until, n, root, objects]. */
#define CU_HELD_MODE_TABLE(X)                                                                                          \
    X(0, FREE, "not locked") X(1, GOVERNANCE, "locked in governance mode") X(2, COMPLIANCE, "locked in compliance mode")
#define CU_HELD_MODE_ENUM(num, name, text) CU_HELD_##name = (num),
enum cu_held_mode { CU_HELD_MODE_TABLE(CU_HELD_MODE_ENUM) };
#undef CU_HELD_MODE_ENUM
const char *cu_held_mode_text(uint64_t mode); /* NULL when unknown */
struct cu_held_object { cu_hash name; struct cu_span version; }; /* a tuple: the root or pack that names it, the store's version id */
struct cu_held {
    uint64_t mode, until;        /* the weakest of them; ms, the earliest (0 if and only if one is not locked) */
    uint64_t n;                  /* so many objects */
    cu_hash root;                /* RFC 6962 root over the encodings of all of them, by name */
    struct cu_list objects;      /* the first CU_HELD_OBJECTS_MAX of them, names ascending */
};
extern const struct cu_schema cu_held_object_schema;
struct cu_deposit {              /* key */
    struct cu_span claim;        /* 1 */
    uint64_t time;               /* 2 */
    struct cu_seen seen;         /* 3 */
    struct cu_held held;         /* 4   when it lies in such a store */
    bool has_held;
};
struct cu_refusal { struct cu_span claim; uint64_t time; struct cu_seen seen; uint64_t reason; }; /* 1 2 3 4 */
struct cu_void {                 /* key */
    uint64_t serial, time;       /* 1 2 */
    struct cu_seen seen;         /* 3 */
    uint64_t reason;             /* 4 */
    cu_hash commitment;          /* 5 */
    cu_hash claim;               /* 6   the claim's id, unless the claim was lost */
    bool has_claim;
};
struct cu_case { cu_case_id case_id; uint64_t time; struct cu_seen seen; cu_hash commitment; };   /* 1 2 3 4 */

/** Possession of one key: a signature by it over cu_possession_message. A tuple [kid, signature]. */
struct cu_possession { cu_hash kid; uint8_t signature[CU_SIGNATURE_LEN]; };
extern const struct cu_schema cu_possession_schema;
struct cu_confirm { uint64_t party, time; struct cu_list keys; };                                  /* 1 2 3 */
/** "custody/possession/v1\n" ‖ network id ‖ purpose (u8) ‖ public key. `ret` holds 128 bytes; returns the length. */
size_t cu_possession_message(const cu_hash *network, enum cu_purpose purpose, const struct cu_public_key *key, uint8_t ret[128]);

/** Positions first..last, both included. A tuple. */
struct cu_range { uint64_t first, last; };
extern const struct cu_schema cu_range_schema;
struct cu_stored {               /* key */
    uint64_t time;               /* 1 */
    struct cu_seen seen;         /* 2 */
    struct cu_list ranges;       /* 3   ascending, disjoint */
    struct cu_held held;         /* 4   a provider's: how its store holds what it accepted, said anew */
    bool has_held;
};
struct cu_incident {             /* key */
    uint64_t time;               /* 1 */
    struct cu_seen seen;         /* 2 */
    uint64_t type, count;        /* 3 4 enum cu_incident_type; how many findings there were */
    cu_hash root;                /* 5   RFC 6962 root over the encodings of the findings, all of them */
    cu_hash commitment;          /* 6 */
    struct cu_span claim;        /* 7   of an equivocation: the second claim, whole; read and judged with the entry */
    bool has_claim;
};
struct cu_correction { uint64_t time; struct cu_seen seen; cu_hash target, commitment; };         /* 1 2 3 4; target: an id */
struct cu_access { uint64_t time; struct cu_seen seen; uint64_t count; cu_hash root, commitment; }; /* 1..5; as incident */

/** What was given out: the ids of recorded deposits, ascending. To whom, why and by what authority is in the details. */
extern const struct cu_schema cu_id_schema;
struct cu_disclosure { uint64_t time; struct cu_seen seen; struct cu_list targets; cu_hash commitment; }; /* 1 2 3 4 */

/** A key that a member gets. A tuple [purpose, -alg, public key, proof]: a signature over cu_possession_message, by a statement key itself.
 *  A sealing key signs nothing: the member's newest statement key vouches for it or, as it has none, its organisation's. */
struct cu_given_key { uint64_t purpose, neg_alg; struct cu_span pub; uint8_t proof[CU_SIGNATURE_LEN]; };
/** A key that no longer acts. A tuple [kid, since]: others may hold it since that position; CU_NOT_COMPROMISED: nobody does. */
struct cu_revoked { cu_hash kid; uint64_t since; };
#define CU_NOT_COMPROMISED ((uint64_t)INT64_MAX)
extern const struct cu_schema cu_given_key_schema, cu_revoked_schema;
struct cu_member {               /* key */
    uint64_t time;               /* 1 */
    struct cu_seen seen;         /* 2 */
    uint64_t party, role;        /* 3 4 the next free id: a new member of the signer's organisation; else one of its parties, in its role */
    struct cu_list keys;         /* 5   of cu_given_key */
    struct cu_list revoked;      /* 6   of cu_revoked, kids ascending */
    cu_hash commitment;          /* 7   details: the member's name */
};

/** What a proposal asks for: an organisation joins, its keys change, it leaves; or nothing but the policy. */
enum cu_change { CU_CHANGE_JOIN = 1, CU_CHANGE_KEYS = 2, CU_CHANGE_LEAVE = 3, CU_CHANGE_POLICY = 4 };
/** What is asked of all from then on. A tuple [cosigners, copies, mandatory]: as in genesis' policy. */
struct cu_new_terms { uint64_t cosigners, copies; struct cu_list mandatory; };
/** The rules by which heights are judged from that one on. A tuple [version, height]. */
struct cu_new_rules { uint64_t version, height; };
/** A change that takes effect when more than two thirds of the organisations approve of it. */
struct cu_propose {              /* key */
    uint64_t time;               /* 1 */
    struct cu_seen seen;         /* 2 */
    uint64_t change, party;      /* 3 4 enum cu_change; the organisation, of a new one the next free id; 0: of the policy alone */
    struct cu_list keys;         /* 5   of cu_given_key, at most one a purpose, ascending; each proves itself */
    struct cu_list revoked;      /* 6   of cu_revoked: its statement keys, kids ascending */
    uint64_t until;              /* 7   ms: it is not approved after that */
    cu_hash commitment;          /* 8   details: the organisation's name, why */
    struct cu_new_terms terms;   /* 9 */
    bool has_terms;
    struct cu_new_rules rules;   /* 10 */
    bool has_rules;
};
struct cu_approve { uint64_t time; struct cu_seen seen; cu_hash proposal; };                        /* 1 2 3 */

/** What was sealed is opened to further readers: the deposit's id, their sealing keys ascending. The headers for them are in the details. */
struct cu_grant { uint64_t time; struct cu_seen seen; cu_hash target; struct cu_list readers; cu_hash commitment; }; /* 1 2 3 4 5 */

/** What was due did not come in time: the outcome of a claim, or the answer to a notice. The ledger admits it only if that is so. */
struct cu_timeout {              /* key */
    uint64_t time;               /* 1 */
    struct cu_seen seen;         /* 2 */
    struct cu_span claim;        /* 3   either a claim, whole; read and judged with the entry … */
    bool has_claim;
    cu_hash notice;              /* 4   … or a notice, by its id */
    bool has_notice;
};
/** What an organisation asks a provider for. What it asks for, by what number and on what basis, is in the details. */
struct cu_notice {               /* key */
    uint64_t time;               /* 1 */
    struct cu_seen seen;         /* 2 */
    uint64_t provider;           /* 3   a party */
    cu_case_id case_id;          /* 4   where the answer belongs */
    uint64_t deadline;           /* 5   ms */
    cu_hash commitment;          /* 6 */
};
struct cu_acknowledge { uint64_t time; struct cu_seen seen; cu_hash notice; };                     /* 1 2 3 */
/** The provider's last word on a notice: these deposits are the answer, or none comes, and why. */
struct cu_answer {               /* key */
    uint64_t time;               /* 1 */
    struct cu_seen seen;         /* 2 */
    cu_hash notice;              /* 3 */
    uint64_t n;                  /* 4   deposits that name the notice, all of them */
    cu_hash root;                /* 5   RFC 6962 root over their ids, in log order */
    uint64_t reason;             /* 6   iff n is 0: enum cu_reason */
    bool has_reason;
    cu_hash commitment;          /* 7 */
};

/** Open numbers of one key: [kid, [n, …]]. */
struct cu_open_serials { cu_hash kid; struct cu_list serials; };
extern const struct cu_schema cu_open_serials_schema, cu_uint_schema;
struct cu_inventory {            /* key */
    uint64_t time;               /* 1 */
    struct cu_seen seen;         /* 2   as of this block */
    cu_case_id case_id;          /* 3   either a case … */
    bool has_case;
    cu_hash kid;                 /* 4   … or a key */
    bool has_kid;
    uint64_t n;                  /* 5   deposits */
    cu_hash root;                /* 6   RFC 6962 root over their ids, in log order */
    cu_hash last;                /* 7   id of the last one; absent when n is 0 */
    bool has_last;
    struct cu_list open;         /* 8   of cu_open_serials, kids ascending, none empty */
};

struct cu_block {                /* key; 0 is the typ */
    uint64_t height;             /* 1   1, 2, 3 … */
    uint64_t opened, closed;     /* 2 3 ms */
    uint64_t first, count;       /* 4 5 positions first .. first+count-1 are its records; it stands at first+count */
    cu_hash root;                /* 6   of the log of size first+count: everything before this entry */
    cu_hash digest;              /* 7   state digest after its records */
};

/** One key of a party. A tuple [purpose, alg as -alg, public key]. */
struct cu_party_key { uint64_t purpose, neg_alg; struct cu_span pub; };
/** A tuple [id, role, organisation, keys]: `organisation` is the id of the party that runs it (its own for one). */
struct cu_party { uint64_t id, role, organisation; struct cu_list keys; };
extern const struct cu_schema cu_party_schema, cu_party_key_schema;
enum cu_engine_id { CU_ENGINE_EMBEDDED = 1, CU_ENGINE_COMETBFT = 2 };
struct cu_policy {               /* key */
    uint64_t cosigners;          /* 1   cosignatures a receipt needs */
    uint64_t copies;             /* 2   organisations that must attest a copy */
    struct cu_list mandatory;    /* 3   ids of organisations that must be among them, ascending */
    uint64_t acceptance_age;     /* 4   ms an acceptance's seen block may lie behind the newest */
    uint64_t open_bundles;       /* 5   1: entry bundles are public */
    uint64_t retention;          /* 6   days that a provider's store keeps what it accepts locked, in compliance mode */
    bool has_retention;
    struct cu_list seal;         /* 7   of cu_must_seal: evidence that is to be sealed */
    bool has_seal;
};
/** Evidence whose details are of that profile must be sealed; `two`: so that it takes two keys. A tuple [profile, two]. */
struct cu_must_seal { struct cu_span profile; uint64_t two; };
extern const struct cu_schema cu_must_seal_schema;
struct cu_genesis {              /* key; 0 is the typ */
    struct cu_span origin;       /* 1   "<name>/<32 hex digits of the nonce>" */
    uint8_t nonce[16];           /* 2 */
    uint64_t suite, rules, engine, time; /* 3 4 5 6 */
    struct cu_list parties;      /* 7   ids ascending from 1 */
    struct cu_policy policy;     /* 8 */
    cu_hash commitment;          /* 9   details: the parties' names */
};
#ifndef CU_RULES_VERSION /* a build for tests may know more */
#define CU_RULES_VERSION 1u
#endif

union cu_payload {
    struct cu_genesis genesis;
    struct cu_block block;
    struct cu_confirm confirm;
    struct cu_case a_case;
    struct cu_claim claim;
    struct cu_deposit deposit;
    struct cu_refusal refusal;
    struct cu_void a_void;
    struct cu_stored stored;
    struct cu_incident incident;
    struct cu_correction correction;
    struct cu_access access;
    struct cu_inventory inventory;
    struct cu_disclosure disclosure;
    struct cu_member member;
    struct cu_grant grant;
    struct cu_timeout timeout;
    struct cu_notice notice;
    struct cu_acknowledge acknowledge;
    struct cu_answer answer;
    struct cu_propose propose;
    struct cu_approve approve;
};

/* ---- statements and entries ---------------------------------------------------------------------------------------- */

/** One signed layer. Spans point into what was read. `id` = SHA-256 of its Sig_structure. */
struct cu_statement {
    enum cu_kind kind;
    enum cu_alg alg;
    cu_hash kid, network, id;
    struct cu_span protected_, payload, signature;
    union cu_payload body;
};

/** A parsed entry. `inner` is set iff the kind nests. The entry's statement id is the innermost one's. */
struct cu_entry {
    enum cu_kind kind;
    struct cu_span bytes;
    cu_hash leaf;
    bool has_inner, signed_;
    struct cu_statement outer; /* of genesis and block: kind and body only */
    struct cu_statement inner;
};
static inline const struct cu_statement *cu_entry_innermost(const struct cu_entry *e)
{
    return e->has_inner ? &e->inner : &e->outer;
}
/** A claim that an entry holds whole as evidence, outside its own signatures' nesting: an incident's second claim, the one that a timeout
 *  is about. n == 0: there is none. */
struct cu_span cu_entry_evidence(const struct cu_entry *e);
/** The notice that an entry is about: that of a claim in it, or its own word; of a notice none. NULL: none. */
const cu_hash *cu_entry_notice(const struct cu_entry *e);
/** Offsets in a kind's payload of what most kinds have; CU_PLACE_NONE: it has none. */
#define CU_PLACE_NONE ((size_t)-1)
struct cu_places { enum cu_kind kind; size_t commitment, seen, time; };
const struct cu_places *cu_places_of(enum cu_kind kind);
/** The commitment that the details must match: the innermost statement's, or the outer's own. NULL when the kind has none. */
const cu_hash *cu_entry_commitment(const struct cu_entry *e);
/** The seen of the outermost statement; NULL when the kind has none. */
const struct cu_seen *cu_entry_seen(const struct cu_entry *e);
/** Its own time (ms) as signed; 0 when the kind has none. */
uint64_t cu_entry_time(const struct cu_entry *e);

/** Parse one entry and judge its form alone: canonical, bounded, header as above, kinds nested as the table says, payloads
 *  within bounds, rules between fields that need no state. No key, no signature. MALFORMED, TOO_LARGE, UNPROTECTED_HEADER,
 *  WRONG_KIND, WRONG_NETWORK (a claim inside that names another ledger than what is around it), MISSING_SIGNATURE (an empty
 *  signature, or a claim that stands alone). `ret` is about 2 KiB. No allocation, any thread; a deposit costs three
 *  passes of SHA-256 over its bytes at most. */
CU_MUST_USE cu_status cu_entry_read(struct cu_span bytes, struct cu_entry *ret, struct cu_err *err);
/** The same without a hash: `leaf` and the statements' ids are zero. For whoever wants to know what an entry of this log says. */
CU_MUST_USE cu_status cu_entry_peek(struct cu_span bytes, struct cu_entry *ret, struct cu_err *err);
/** One signed layer by itself: a claim on its way to the provider. */
CU_MUST_USE cu_status cu_statement_read(struct cu_span bytes, struct cu_statement *ret, struct cu_err *err);

/** The bytes that `st` signed. Appends to `ret`; at most CU_ENTRY_MAX + 64 bytes. */
void cu_sig_structure(struct cu_span protected_, struct cu_span payload, struct cu_buf *ret);
/** SHA-256 of it, without building it. */
cu_hash cu_statement_id(struct cu_span protected_, struct cu_span payload);

/** Sign a statement of `kind`: payload `body` (the member of cu_payload for the kind), appended to `out` as COSE_Sign1. What
 *  could not be read (a field out of bounds, an inner statement of another ledger, one byte too many) is not signed: its status. */
CU_MUST_USE cu_status cu_statement_sign(enum cu_kind kind, const void *body, const cu_hash *network,
                                        const struct cu_private_key *key, struct cu_buf *out, struct cu_err *err);
/** Genesis and block: the plain map, its typ at key 0, appended to `out`. What could not be read is not written. */
CU_MUST_USE cu_status cu_plain_write(enum cu_kind kind, const void *body, struct cu_buf *out, struct cu_err *err);

/* ---- records: an entry with its attachments ------------------------------------------------------------------------ */

#define CU_SALT_LEN 32
/** Canonical CBOR [entry, salt, details, content], each a byte string or null; salt and details come together. */
struct cu_record {
    struct cu_span entry;
    struct cu_span salt, details; /* salt.n == 0: none */
    struct cu_span content;       /* content.p == NULL: none; n may be 0 (an empty file) */
};
CU_MUST_USE cu_status cu_record_read(struct cu_span bytes, struct cu_record *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_record_write(const struct cu_record *record, struct cu_buf *out, struct cu_err *err);
/** A body of records: one, or as many as a sequence has. MALFORMED: no CBOR, or something left over; TOO_LARGE: more than `max`, or one that
 *  is larger than a record. */
CU_MUST_USE cu_status cu_records_split(struct cu_span body, struct cu_span *ret, size_t max, size_t *ret_n, struct cu_err *err);
cu_hash cu_commitment(struct cu_span salt, struct cu_span details);
/** Attachments match: details there iff the kind has them, equal to the commitment; content there iff the entry is a deposit
 *  of CU_CONTENT_INLINE_MAX bytes or less, of that size and root. BAD_ATTACHMENT. */
CU_MUST_USE cu_status cu_record_match(const struct cu_record *record, const struct cu_entry *entry, struct cu_err *err);

#endif
