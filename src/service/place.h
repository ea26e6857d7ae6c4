/* The place that a use case works in: one ledger's folder with its parts, put together by the app that picked the adapters.
 *
 * Reading verbs have no engine: they see the log as of its newest checkpoint. Writing verbs have one, and the lock.
 */
#ifndef CU_SERVICE_PLACE_H
#define CU_SERVICE_PLACE_H

#include "content/ingest.h"
#include "custody/details.h"
#include "custody/receipt.h"
#include "ledger/ledger.h"
#include "ports/engine.h"
#include "ports/index.h"
#include "ports/log_dir.h"
#include "ports/carrier.h"
#include "ports/remote.h"
#include "ports/world.h"

/* Where things lie in the folder (the contract that scripts rely on). */
#define CU_DIR_KEYS "keys"
#define CU_DIR_TRUST "trust"
#define CU_DIR_CLOUD_OBJECTS "cloud/objects"
#define CU_DIR_CLOUD_LOG "cloud/log"
#define CU_DIR_CLOUD_PINS "cloud/pins"     /* where the provider's objects lie in a bucket: which versions are ours */
#define CU_FILE_CLOUD_BUCKET "cloud/bucket" /* its address; without the file they lie in the folder */
#define CU_FILE_CLOUD_FAR "cloud/provider" /* where the provider is, who is far away: of what did not travel with its record this folder has the node's copy alone */
#define CU_DIR_NODE_OBJECTS "node/objects"
#define CU_DIR_NODE_LOG "node/log"
#define CU_DIR_NODE_STATE "node/state"
#define CU_DIR_JOURNAL "node/journal"
#define CU_DIR_TLS "tls" /* certificates: the node's, those that it made for others, its CA's */
#define CU_DIR_CHAIN "chain" /* of an organisation of a network: CometBFT's folder, with its config/ and data/ */
#define CU_FILE_NETWORK CU_DIR_CHAIN "/network" /* what the network began with; a folder without it is a ledger by itself */
#define CU_FILE_REQUEST CU_DIR_CHAIN "/request" /* what this organisation handed over last */
#define CU_FILE_CONFIRM CU_DIR_CHAIN "/confirm" /* this organisation's, signed, until it is recorded */
#define CU_DIR_QUARANTINE "quarantine"
#define CU_DIR_OUTBOX "outbox"
#define CU_DIR_SPOOL "spool" /* content on its way in over the network */
#define CU_DIR_RECEIPTS "receipts"
#define CU_FILE_LOCK "node/lock"
#define CU_FILE_INDEX "node/index.db"
#define CU_FILE_TRUST "trust/ledger.trust"
#define CU_FILE_POLICY "trust/policy"
#define CU_FILE_VKEY "trust/log.vkey"
#define CU_FILE_BLIND CU_DIR_NODE_STATE "/blind" /* of a reader from afar: not everything was shown to him */
#define CU_FILE_FORMAT "format"
#define CU_FILE_MAKING "format.unfinished" /* `format`, until all that belongs to a new ledger is there */
#define CU_FORMAT_LINE "custody-ledger/v1\n"

/* Who signs what, as key files are named: keys/<name>.pem. */
enum cu_signer { CU_SIGNER_ORGANISATION, CU_SIGNER_PROVIDER, CU_SIGNER_DEPOSITOR, CU_SIGNER_LOG, CU_SIGNERS };
extern const char *const cu_signer_names[CU_SIGNERS];

/** A log read as it lies: the checkpoint is verified against the pinned trust, every entry against the checkpoint. */
struct cu_log {
    struct cu_log_dir dir;
    struct cu_checkpoint checkpoint;  /* size 0: nothing published yet */
    struct cu_buf note;               /* the signed checkpoint that it came from */
    struct cu_tile_nodes nodes;
    struct cu_buf bundle;             /* the bundle last read */
    uint64_t bundle_index;
    unsigned bundle_width, walked;    /* so many of its entries were passed: the next begins at `at` */
    size_t at;
    bool bundle_proven;               /* every entry of it leads to the checkpoint */
};

enum { CU_STORE_CLOUD, CU_STORE_NODE, CU_STORES };

/** A proposal that took effect: where it stands, and the approval by which it did. */
struct cu_changed { cu_hash id; uint64_t proposed, at, change, party; bool speaks /* other statement keys */, has_terms; struct cu_terms terms; };

/** Who is a member, as of the log: genesis, confirms and member entries, and the names in their details. */
struct cu_membership { struct cu_members members; struct cu_buf names, changes /* of cu_changed */; size_t name_at[CU_PARTIES_MAX], name_n[CU_PARTIES_MAX];
    uint64_t entries; /* so many of them */ };

/** Keys that lie in tokens, by their URIs (RFC 7512: "pkcs11:…"). */
struct cu_tokens { void *self; cu_status (*open)(void *self, struct cu_span uri, struct cu_private_key *ret, struct cu_err *err); };

/** How far whoever asks may see (sight.c), as of `upto`: what is foreign to him is not there. What was opened to him: ids, and the cases that they are of. */
struct cu_sight { enum cu_scope scope; uint64_t party, organisation; cu_size upto; struct cu_buf ids, cases; };

/** Others by their addresses. */
struct cu_outside { void *self; cu_status (*open)(void *self, struct cu_span url, struct cu_remote *ret, struct cu_err *err); };

enum { CU_LOG_NEXT, CU_LOG_BEFORE, CU_LOG_KEYS };

struct cu_place {
    struct cu_fs fs;
    struct cu_source source;
    struct cu_clock clock;
    struct cu_random random;
    struct cu_index index;
    struct cu_objects *store[CU_STORES];
    unsigned near;                    /* the store that is asked first: the provider's, unless he is far away (CU_FILE_CLOUD_FAR) */
    struct cu_engine_care care;
    struct cu_engine *engine;         /* NULL: reading */
    struct cu_remote remote;          /* the ledger lies elsewhere; ops NULL: it lies here */
    struct cu_carrier provider, node; /* from there, for deposits: who takes evidence, and the node that takes it when the provider stalls */
    struct cu_reading reading;        /* from there: what, and why */
    struct cu_span own; cu_hash own_root; /* content that whoever deposits has in memory: it is not asked for there. own.p NULL: none */
    struct cu_cosigned_known *known;  /* NULL: nothing is remembered */
    struct cu_outside outside;        /* how witnesses and peers are asked; open NULL: nobody is */
    struct cu_tokens tokens;          /* open NULL: none are reached */
    struct cu_span new_key[CU_SIGNERS]; /* of a ledger that is made: the URI of a key that is there already, in a token; n == 0: one is made */
    struct cu_span successor;         /* of a key that takes another one's place: the same, or "file"; n == 0: a file, where that one lies in a file */
    struct cu_ledger *ledger;         /* NULL: reading */
    struct cu_private_key key[CU_SIGNERS];
    bool has_key[CU_SIGNERS];
    struct cu_private_key log_key[CU_LOG_KEYS]; /* of the next epoch, and of the one before: log-next.pem, log-before.pem. ctx NULL: none */
    const struct cu_sight *sight;     /* for whom it is read; NULL: for whoever may see all */
    bool blind, opened;               /* from afar: something was not shown, and something was opened since */
    bool nameless;                    /* the log's entries are read, what is attached to them is not: no names are known */
    bool own_key;                     /* the depositor's is that of a member who said so: numbers and what is on their way are his own */
    struct cu_verifier verifier;
    bool accelerate;                  /* may verifiers be the fastest? For whoever needs more of them */
    struct cu_progress progress;
    struct cu_along *along;           /* of a walk in log order that is under way; NULL: none is */
    void *making;                     /* the lock of a ledger that is being made; NULL: none is */

    struct cu_buf trust_text;
    struct cu_trust trust;            /* as pinned in trust/ */
    const struct cu_epochs *epochs;   /* which the ledger that this process writes adds to it; NULL: none */
    uint64_t epochs_seen;             /* so many of these */
    struct cu_log log;                /* as of the newest checkpoint: the engine's, or the node's copy as it lies */
    struct cu_buf genesis_bytes, genesis_details;
    struct cu_entry genesis;          /* read from position 0, equal to the pinned network id */
    struct cu_members members;        /* as of what the index follows */
    struct cu_membership later;       /* the same with the names */
    bool engine_judged;               /* the engine's first checkpoint was, by the pinned trust: its later ones are its own word */
};

/* ---- opening (place.c) ---- */
/** Read format, trust, checkpoint and genesis. NOT_FOUND: no ledger here. NEWER_FORMAT, UNTRUSTED, CORRUPT. */
CU_MUST_USE cu_status cu_place_load(struct cu_place *p, struct cu_err *err);
/** Format and trust alone: for `check`, which must work when nothing else does. */
CU_MUST_USE cu_status cu_place_load_trust(struct cu_place *p, struct cu_err *err);
/** Take the newest checkpoint: with an engine, of all that is acknowledged; else what is published. */
CU_MUST_USE cu_status cu_place_refresh(struct cu_place *p, struct cu_err *err);
void cu_place_free(struct cu_place *p); /* what load took; not the adapters */
/** A key file's content: PKCS#8 PEM, or a line with the URI of a key in a token. */
bool cu_key_in_token(struct cu_span text);
CU_MUST_USE cu_status cu_key_open(const struct cu_tokens *tokens, struct cu_span text, struct cu_span passphrase, struct cu_private_key *ret, struct cu_err *err);
/** keys/<name>.pem */
CU_MUST_USE cu_status cu_key_read(const struct cu_fs *fs, const char *name, struct cu_buf *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_key_load_named(const struct cu_place *p, const char *name, struct cu_span passphrase, struct cu_private_key *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_key_load(const struct cu_place *p, enum cu_signer who, struct cu_span passphrase, struct cu_private_key *ret, struct cu_err *err);
/** keys/log-next.pem and log-before.pem. When the newest epoch lists the next one, it becomes log.pem, and that the one before. */
CU_MUST_USE cu_status cu_log_keys_load(struct cu_place *p, struct cu_span passphrase, struct cu_err *err);
struct cu_epochs;
/** So many were made since they were opened: any thread. */
uint64_t cu_epochs_made(const struct cu_epochs *e);
/** The trust file anew: the ledger itself makes epochs. */
CU_MUST_USE cu_status cu_place_reload_trust(struct cu_place *p, struct cu_err *err);
cu_unix_ms cu_place_now(const struct cu_place *p);
static inline const struct cu_policy *cu_genesis_policy(const struct cu_place *p) { return &p->genesis.outer.body.genesis.policy; }

/** Is a statement signed by this member's key? BAD_SIGNATURE, HIGH_S. */
CU_MUST_USE cu_status cu_place_signed(struct cu_place *p, const struct cu_statement *st, const struct cu_member_key *key, struct cu_err *err);

/* ---- the log (log.c) ---- */
/** Of an engine: as acknowledged. Without one (NULL): as it lies under `dir`. `trust` NULL: an engine's checkpoint is its own word.
 *  `quorum`: of a log that lies elsewhere, whose keeper alone is not believed. */
CU_MUST_USE cu_status cu_log_open(const struct cu_fs *fs, const char *dir, const struct cu_engine *engine, const struct cu_trust *trust, bool quorum, struct cu_verifier *by, struct cu_log *ret, struct cu_err *err);
void cu_log_free(struct cu_log *log);
/** The entry's bytes, good until the next call, proven to stand there under the checkpoint. CORRUPT names bundle or tile. */
CU_MUST_USE cu_status cu_log_entry(struct cu_log *log, cu_seq seq, struct cu_span *ret, struct cu_err *err);
/** For many in order: a bundle is proven once, as a whole. CORRUPT when it does not lead to the checkpoint. */
CU_MUST_USE cu_status cu_log_entry_in_order(struct cu_log *log, cu_seq seq, struct cu_span *ret, struct cu_err *err);
/** Without the proof: for walks that are judged as a whole. */
CU_MUST_USE cu_status cu_log_entry_unproven(struct cu_log *log, cu_seq seq, struct cu_span *ret, struct cu_err *err);
/** Entry and attachments as a record (cu_record encoding) appended to ret; attachments from either store, verified. */
CU_MUST_USE cu_status cu_place_record(struct cu_place *p, cu_seq seq, bool content, struct cu_buf *ret, struct cu_err *err);
/** Salt and details of the entry at seq by its commitment, from the engine or either store, appended to ret. */
CU_MUST_USE cu_status cu_place_details(struct cu_place *p, cu_seq seq, const cu_hash *commitment, struct cu_buf *ret, struct cu_err *err);
/** A small object from whichever store has it sound: the near one's first. */
CU_MUST_USE cu_status cu_place_object(struct cu_place *p, enum cu_object_kind kind, const cu_hash *name, size_t max, struct cu_buf *ret, struct cu_err *err);
/** A folder's manifest, inline or stored, appended to ret. */
CU_MUST_USE cu_status cu_place_manifest(struct cu_place *p, cu_seq seq, const struct cu_claim *claim, struct cu_buf *ret, struct cu_err *err);

/* ---- from afar (afar.c) ---- */
struct cu_fetch_range { uint64_t from, to; }; /* from ≤ x < to */
/** Bytes of an object on their way, from where a chunk begins: `keep` has each whole chunk, which leads to its root; without roots (`chunk`
 *  NULL) keep judges. Feed it with `arg` pointing here. BAD_HASH: what came is not what was signed, or is more than was asked for. */
struct cu_coming {
    uint64_t size, at, end; /* of the object; `at`: where the chunk begins that is coming; `end`: of the last one that was asked for */
    const cu_hash *chunk;
    struct cu_buf piece;    /* of a chunk: the caller's */
    cu_status (*keep)(void *arg, uint64_t at, struct cu_span chunk, struct cu_err *err);
    void *arg;
};
cu_remote_feed cu_coming_feed;
/** The roots of its chunks from there, appended: they lead to its own. BAD_HASH: they do not. */
CU_MUST_USE cu_status cu_coming_chunks(const struct cu_remote *from, const struct cu_reading *what, const cu_hash *root, uint64_t size, struct cu_buf *ret, struct cu_err *err);
/** An object of the deposit that `reading` names, chunk by chunk verified before it is fed. BAD_HASH: what came is not what was signed. */
CU_MUST_USE cu_status cu_fetch_afar(struct cu_place *p, const cu_hash *root, uint64_t size, const struct cu_fetch_range *part, cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), void *arg, struct cu_err *err);
/** Its newest checkpoint: is the log what this reader saw before, and more? Then that is remembered. BAD_PROOF: it was rolled back, or it is
 *  another; or one of several nodes signed what is no part of it. */
CU_MUST_USE cu_status cu_place_go_on(struct cu_place *p, struct cu_err *err);
/** That, and the index follows. */
CU_MUST_USE cu_status cu_follow_afar(struct cu_place *p, struct cu_err *err);
/** Is this machine's clock off, by that of the node (from afar), or by the newest block? A sentence; empty: not that anybody could tell. */
void cu_clock_judge(struct cu_place *p, char ret[300]);

/* ---- the index follows the log (follow.c) ---- */
CU_MUST_USE cu_status cu_follow(struct cu_place *p, struct cu_err *err);
/** What `follow` puts there, for `check`: a row of the entry alone, but for dating and number; the names, from salt and details; and what
 *  a *stored* entry says, range by range (`*at` = 0 to begin). */
void cu_index_row_of(const struct cu_entry *e, struct cu_index_row *row);
void cu_index_names(struct cu_span attached, struct cu_index_row *row);
CU_MUST_USE cu_status cu_index_names_of(struct cu_place *p, const struct cu_entry *e, struct cu_buf *mem, struct cu_index_row *row, struct cu_err *err);
bool cu_index_next_stored(const struct cu_entry *e, cu_seq seq, const struct cu_members *members, size_t *at, struct cu_index_stored *ret);

/* ---- members (members.c) ---- */
/** The place's members, and their names, as of what the index follows. */
CU_MUST_USE cu_status cu_members_follow(struct cu_place *p, struct cu_err *err);
void cu_membership_free(struct cu_membership *m);
/** What a receipt of the entry there needs, as genesis said or a proposal that took effect before it. */
struct cu_terms cu_terms_at(const struct cu_place *p, cu_seq seq);
struct cu_span cu_membership_name(const struct cu_membership *m, uint64_t party);

/* ---- who may see what (sight.c) ---- */
/** Is this entry there for whom the place is read? */
bool cu_place_sees(struct cu_place *p, const struct cu_index_row *row);
/** What this entry is to the party that `sight` is of. */
enum cu_relation cu_relation_of(struct cu_place *p, const struct cu_sight *sight, const struct cu_index_row *row);
/** What the log has opened to it since; the place as of all that its index has, and read for nobody yet. */
CU_MUST_USE cu_status cu_sight_follow(struct cu_place *p, struct cu_sight *io, struct cu_err *err);
void cu_sight_free(struct cu_sight *s);

/* ---- names that people use (lookup.c) ---- */
/** A row that outlives the query: its spans point into `mem`. */
struct cu_found { struct cu_index_row row; struct cu_buf mem; };
void cu_found_free(struct cu_found *f);
/** "C1/3", a unique prefix of an id's hex (4 digits or more), a whole SHA-256 of an item, or a label. NOT_FOUND, AMBIGUOUS. */
CU_MUST_USE cu_status cu_lookup(struct cu_place *p, struct cu_span name, struct cu_found *ret, struct cu_err *err);
/** What the log says became of a claim: its deposit, which outranks, else its refusal. NOT_FOUND: neither is recorded. */
struct cu_claim_outcome { uint64_t kind; cu_seq seq; cu_hash kid; uint64_t size; };
CU_MUST_USE cu_status cu_lookup_outcome(struct cu_place *p, const cu_hash *id, struct cu_claim_outcome *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_lookup_seq(struct cu_place *p, cu_seq seq, struct cu_found *ret, struct cu_err *err);
/** A case by its name; NOT_FOUND names the nearest. */
CU_MUST_USE cu_status cu_lookup_case(struct cu_place *p, struct cu_span name, struct cu_found *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_case_name_normal(struct cu_span name, struct cu_buf *ret, struct cu_err *err);
/** "C1/3" of a deposit's row; "C1" of a case; "" otherwise. `ret` is text with a final NUL. */
CU_MUST_USE cu_status cu_exhibit_name(struct cu_place *p, const struct cu_index_row *row, struct cu_buf *ret, struct cu_err *err);
/** Whose custody trail (trail.c): positions ascending, ids ascending by themselves, and the cases that they are of. */
struct cu_trail { size_t n; const cu_seq *seq; const cu_hash *id; size_t cases_n; const cu_case_id *case_id; };
struct cu_trail cu_trail_one(const struct cu_index_row *of);
/** Does this entry belong to it? `of` NULL: to the trail of all. */
bool cu_trail_has(struct cu_place *p, const struct cu_trail *of, const struct cu_index_row *row);
/** Every entry of it from there on, in log order: by look-ups, whatever the length of the log, unless it is of all or of very many. */
CU_MUST_USE cu_status cu_trail_each(struct cu_place *p, const struct cu_trail *of, cu_seq from, cu_status (*each)(void *arg, const struct cu_index_row *row, struct cu_err *err), void *arg, struct cu_err *err);
/** The exhibit's name of a statement by its id; and of the exhibit that an entry is about ("": of none alone). */
CU_MUST_USE cu_status cu_exhibit_by_id(struct cu_place *p, const cu_hash *id, struct cu_buf *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_exhibit_of(struct cu_place *p, const struct cu_index_row *row, struct cu_buf *ret, struct cu_err *err);
struct cu_json;
void cu_trail_json(struct cu_place *p, const struct cu_index_row *row, const char *exhibit, struct cu_json *j);
/** The rows of an access entry's or incident's details; they lie in `mem` (heap, CU_SALT_LEN + CU_DETAILS_MAX). */
CU_MUST_USE cu_status cu_rows_of(struct cu_place *p, const struct cu_index_row *row, struct cu_buf *mem, struct cu_details_rows *ret, struct cu_err *err);
/** A party's name from genesis' details, or the member entry that brought it. n == 0: not named. */
struct cu_span cu_party_named(const struct cu_place *p, uint64_t party);
/** Who holds this key, by name. */
struct cu_span cu_key_holder(const struct cu_place *p, const cu_hash *kid);
/** The organisation of whoever holds this key, 0: nobody does; and the one that signs here. */
uint64_t cu_organisation_of(const struct cu_place *p, const cu_hash *kid);
static inline uint64_t cu_place_party(const struct cu_place *p) { return cu_organisation_of(p, &p->key[CU_SIGNER_ORGANISATION].id); }
/** Copies of a deposit: organisations of the policy that attest it in the log. */
CU_MUST_USE cu_status cu_copies(struct cu_place *p, cu_seq deposit, uint64_t *ret, struct cu_err *err);
/** Does this party say that it holds it? */
CU_MUST_USE cu_status cu_copied_by(struct cu_place *p, cu_seq deposit, uint64_t party, bool *ret, struct cu_err *err);

#endif
