/* The use cases, one function each: a request goes down, a result comes back up. Words are written by the apps. */
#ifndef CU_SERVICE_SERVICE_H
#define CU_SERVICE_SERVICE_H

#include "custody/age.h"
#include "custody/json.h"
#include "service/place.h"

#define CU_TOOL_NAME "custody 0.1.0"
#define CU_CASE_UNFILED "unfiled"

/* ---- a new ledger (found.c) ---- */
struct cu_found_request {
    struct cu_span name;         /* what people call the ledger; the first part of the log's origin is made from it */
    struct cu_span who, org, provider; /* names of depositor, organisation, provider */
    struct cu_span passphrase;   /* for all private keys; empty: none */
    uint64_t acceptance_age;     /* ms; 0: seven days */
    struct cu_policy asks;       /* its retention and seal alone */
};
/** "police-collection,plain:two": evidence that is to be sealed, and takes two to open. `mem` keeps the list. USAGE. */
CU_MUST_USE cu_status cu_policy_seal_read(struct cu_span text, struct cu_policy *io, struct cu_buf *mem, struct cu_err *err);
/** Keys, trust files and folders; and genesis as a record appended to ret. Refuses a folder that holds anything: NOT_ALLOWED; but what
 *  an init left that was cut short is put aside, for nothing of it was acknowledged. BUSY while another one makes a ledger there. */
CU_MUST_USE cu_status cu_found_files(struct cu_place *p, const struct cu_found_request *r, struct cu_buf *ret_genesis, struct cu_err *err);
/** With the engine open on the new folder: genesis, confirm, case `unfiled`; then the format file, which makes it a ledger. */
/** It is a ledger now. */
CU_MUST_USE cu_status cu_found_done(struct cu_place *p, struct cu_err *err);
CU_MUST_USE cu_status cu_found_records(struct cu_place *p, struct cu_span genesis, struct cu_err *err);

/* ---- a network of organisations (network.c): docs/formats/network.md ---- */
#define CU_FOUNDER_MAX 4096
#define CU_NETWORK_MAX (2 * CU_RECORD_MAX)
/** What one organisation hands over before there is a network: its names, where its node is reached, its public keys; to join one that is there,
 *  or to change keys in it, proofs of possession for that network, too, one a key. */
struct cu_founder { struct cu_span name, provider, depositor, at, http; struct cu_list keys; uint8_t signature[CU_SIGNATURE_LEN];
    cu_hash network; bool has_network; struct cu_list proofs; bool has_proofs; };
/** Keys into p's new folder; what is handed over, signed, is appended. `names`: without keys. As cu_found_files of the folder; USAGE of addresses. */
CU_MUST_USE cu_status cu_founder_make(struct cu_place *p, const struct cu_founder *names, struct cu_span passphrase, struct cu_buf *ret, struct cu_err *err);
/** MALFORMED, BAD_KEY, BAD_SIGNATURE, HIGH_S. */
CU_MUST_USE cu_status cu_founder_read(struct cu_span bytes, struct cu_verifier *by, struct cu_founder *ret, struct cu_err *err);
/** Keys of which `which` has a bit (1 << enum cu_purpose) get successors in keys/, as <name>-next.pem, unless one waits there; what is handed over so
 *  that they are approved is appended. `moves`: where the organisation is reached from then on, of its addresses those that change. NOT_FOUND: what was
 *  handed over last is not there. USAGE */
CU_MUST_USE cu_status cu_founder_rotate(struct cu_place *p, unsigned which, const struct cu_founder *moves, struct cu_span passphrase, struct cu_buf *ret, struct cu_err *err);
/** Of the organisation's keys those that these members do not have, as a proposal gives them. NOT_ALLOWED: its proofs are none for this network. */
CU_MUST_USE cu_status cu_founder_given(const struct cu_founder *f, const struct cu_members *m, struct cu_buf *mem, struct cu_list *ret, struct cu_err *err);
/** keys/<name>.pem of an organisation's key; NULL: it has none of this purpose. */
const char *cu_founder_key_name(enum cu_purpose purpose);

/** What the network begins with, made of what each organisation handed over. `asks`: copies (0: as many as cannot all be wrong), retention and seal. p: its clock, its
 *  random numbers and its verifier. */
CU_MUST_USE cu_status cu_network_make(struct cu_place *p, struct cu_span title, const struct cu_policy *asks, const struct cu_span *founders, size_t n, struct cu_buf *ret, struct cu_err *err);
struct cu_network_peer { uint64_t party; struct cu_span at, http; uint8_t node[32]; /* its node's key */ };
struct cu_network {
    struct cu_span genesis;  /* as a record */
    struct cu_list peers;    /* each organisation, in the order of its genesis */
    struct cu_list now;      /* those of a later day, as a node saw them */
    bool has_now;
    struct cu_entry entry;   /* genesis, read */
    struct cu_members members;
};
/** MALFORMED and what else a genesis can be refused for. */
CU_MUST_USE cu_status cu_network_read(struct cu_span bytes, struct cu_network *ret, struct cu_err *err);
/** Whose nodes it knows, parties ascending: of the newest day. Start with *at = 0; false: that was all. */
bool cu_network_next(const struct cu_network *n, size_t *at, struct cu_network_peer *ret);
/** The same network with these peers instead, appended: what whoever joins is given. */
CU_MUST_USE cu_status cu_network_renew(const struct cu_network *n, const struct cu_network_peer *peers, size_t peers_n, struct cu_buf *ret, struct cu_err *err);
/** Where each organisation's node is reached by now: `io`, parties ascending, is what was so before the proposals from *io_from on; of those the ones that
 *  took effect say where else. Who is gone is left out, and each has the node's key that it has now. `size`: of the search index, before these members
 *  were asked. *io_from becomes the first proposal that is to be looked at another time. Addresses lie in `text`, of CU_NETWORK_MAX. */
CU_MUST_USE cu_status cu_network_moves(struct cu_place *p, const struct cu_members *m, cu_size size, cu_seq *io_from, struct cu_network_peer io[CU_PARTIES_MAX], size_t *io_n, struct cu_buf *text, struct cu_err *err);
/** The public key of that purpose of a peer's organisation. */
const struct cu_member_key *cu_network_key(const struct cu_network *n, uint64_t party, enum cu_purpose purpose);
/** The party that this ledger's organisation is; 0: its statement key is of none. */
uint64_t cu_network_own(const struct cu_network *n, const struct cu_place *p);
/** p's folder, in which cu_founder_make made keys, becomes this organisation's ledger; a founder's confirm is signed and waits there. The two keys of the consensus
 *  engine are handed out, to be freed. NOT_ALLOWED: none of the founders' is this one, and it did not ask to join this network. */
CU_MUST_USE cu_status cu_network_join(struct cu_place *p, struct cu_span file, struct cu_span passphrase, struct cu_private_key *ret_validator, struct cu_private_key *ret_node, struct cu_err *err);
/** Submit that confirm, unless it is recorded. Who joined later signs it now, and begins to cosign: his party's number was not known before. With an engine
 *  that has its genesis. NOT_CONFIRMED: nobody has approved, as far as this ledger has come. */
CU_MUST_USE cu_status cu_network_confirm(struct cu_place *p, struct cu_span passphrase, struct cu_err *err);
/** Of one that joined later, and has confirmed: the provider and the depositor that it named when it asked to join, unless the log has their keys. */
CU_MUST_USE cu_status cu_network_enrol(struct cu_place *p, struct cu_err *err);

/* ---- changes that the organisations decide (govern.c) ---- */
struct cu_proposing {
    enum cu_change change;
    struct cu_span organisation;            /* its name; of the policy alone nobody's */
    struct cu_span at, http;                /* where its node is reached, if that is said */
    struct cu_list keys, revoked;           /* of cu_given_key, cu_revoked */
    bool has_cosigners, has_copies, has_mandatory;
    uint64_t cosigners, copies;
    struct cu_span mandatory;               /* names, commas between */
    struct cu_new_rules rules;              /* version 0: none */
    cu_unix_ms until;                       /* 0: a month from now */
    struct cu_span note;
};
/** Recorded, and approved by who proposes it: `ret` is what became of the approval, under the proposal's id. NOT_FOUND, and what the ledger says. */
CU_MUST_USE cu_status cu_propose(struct cu_place *p, const struct cu_proposing *r, struct cu_outcome *ret, struct cu_err *err);
/** This organisation's log key is to be another one, which is made (keys/log-next.pem), unless one waits there. */
CU_MUST_USE cu_status cu_propose_log_key(struct cu_place *p, struct cu_span note, struct cu_span passphrase, struct cu_outcome *ret, struct cu_err *err);
/** By the first four digits of its id or more. NOT_FOUND, AMBIGUOUS. */
CU_MUST_USE cu_status cu_proposal_find(const struct cu_membership *m, struct cu_span name, struct cu_proposal *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_approve(struct cu_place *p, const cu_hash *id, struct cu_outcome *ret, struct cu_err *err);
/** So many approvals it takes. */
uint64_t cu_approvals_needed(const struct cu_members *m);

/* ---- saying things (say.c) ---- */
/** A statement with its details on the way. `body` is the payload struct of `kind`, its `seen` and `time` filled in here (when
 *  the kind has them) and its commitment too; `details` is the profile's struct. The record is in `ret`. */
struct cu_saying { enum cu_kind kind; void *body; enum cu_signer by; enum cu_profile profile; const void *details; };
CU_MUST_USE cu_status cu_say(struct cu_place *p, const struct cu_saying *what, struct cu_buf *ret_record, struct cu_err *err);
/** The same with the details as they are (n == 0: none); a claim's record is its statement with salt and details. */
CU_MUST_USE cu_status cu_say_raw(struct cu_place *p, enum cu_kind kind, void *body, enum cu_signer by, struct cu_span details, struct cu_buf *ret_record, struct cu_err *err);
/** The same, with a salt that follows from `tag` and the details: whoever says it makes the same commitment. */
CU_MUST_USE cu_status cu_say_alike(struct cu_place *p, const struct cu_saying *what, const char *tag, struct cu_buf *ret_record, struct cu_err *err);
/** Ascending, without gaps inside; so many are left. */
size_t cu_ranges_join(struct cu_range *io, size_t n);
/** Submit records; those refused make it fail with the first one's own status and sentence. */
CU_MUST_USE cu_status cu_submit(struct cu_place *p, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err);
/** Sign, submit, settle: for statements that stand alone. */
CU_MUST_USE cu_status cu_say_and_record(struct cu_place *p, const struct cu_saying *what, struct cu_outcome *ret, struct cu_err *err);
/** What the engine has learnt of organisations that broke its rules becomes incidents, one each: recorded already is as good. */
CU_MUST_USE cu_status cu_misbehaviour_record(struct cu_place *p, struct cu_err *err);
/** A checkpoint of all that is acknowledged, and the index follows: what ends every act. The engine's close drains, or whoever asks it to. */
CU_MUST_USE cu_status cu_settle(struct cu_place *p, struct cu_err *err);
/** The same, until the log is shown with what became of that statement, or it is `until` (ms): by an address, where a quorum is asked for, that
 *  is a moment after it was recorded. */
CU_MUST_USE cu_status cu_settle_on(struct cu_place *p, const struct cu_outcome *recorded, uint64_t until, struct cu_err *err);
/** Look into the ledger's state: while an engine is open, with its machine at rest. */
CU_MUST_USE cu_status cu_ask(struct cu_place *p, cu_status (*look)(void *arg, struct cu_err *err), void *arg, struct cu_err *err);
/** The node's word: "I hold, verified and durable, what was deposited there"; positions in any order, as many as an entry has ranges. */
CU_MUST_USE cu_status cu_attest(struct cu_place *p, struct cu_range *held, size_t n, struct cu_err *err);
/** The same, signed and not submitted: the record is appended to ret. n > 0. */
CU_MUST_USE cu_status cu_attest_record(struct cu_place *p, struct cu_range *held, size_t n, struct cu_buf *ret, struct cu_err *err);
/** The provider's key here: its own, or that of a member who gave his. */
static inline enum cu_signer cu_signer_provider(const struct cu_place *p) { return p->own_key ? CU_SIGNER_DEPOSITOR : CU_SIGNER_PROVIDER; }
/* ---- epochs of trust (epoch.c): made when the ledger's members change, and by whose key the log is signed then ---- */
/** Of the place's trust file. `p` must outlive it, with its keys. */
CU_MUST_USE cu_status cu_epochs_open(const struct cu_place *p, struct cu_epochs **ret, struct cu_err *err);
void cu_epochs_close(struct cu_epochs *e);
cu_ledger_changed cu_epochs_changed; /* for cu_ledger_watch */
struct cu_log_signer cu_epochs_signer(struct cu_epochs *e);
/** The chain of trust of this ledger (custody/trust_chain.h), and what follows from it of the network id alone: both appended. NOT_FOUND: the last
 *  checkpoint of an epoch is not kept here. UNTRUSTED: it lacks cosignatures. Of a place whose ledger lies elsewhere it is asked for there. */
CU_MUST_USE cu_status cu_trust_chain_make(struct cu_place *p, struct cu_buf *out, struct cu_buf *ret_trust, size_t *ret_steps, struct cu_err *err);
/** The one that a node hands out, followed from the network id `network`, or (NULL) from whatever it begins with. */
CU_MUST_USE cu_status cu_trust_chain_ask(const struct cu_remote *from, const cu_hash *network, struct cu_verifier *by, struct cu_buf *out, struct cu_buf *ret_trust,
                                         size_t *ret_steps, struct cu_err *err);
/** A checkpoint's text, by the log key that lies here and is listed for its size. */
CU_MUST_USE cu_status cu_log_sign(const struct cu_place *p, const struct cu_trust *trust, cu_size size, struct cu_span text, struct cu_buf *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_need_key(const struct cu_place *p, enum cu_signer who, struct cu_err *err);

/* ---- cases ---- */
struct cu_case_request { struct cu_span name, number, cause; };
CU_MUST_USE cu_status cu_case_open(struct cu_place *p, const struct cu_case_request *r, struct cu_outcome *ret, struct cu_err *err);

/* ---- notices, and what does not come in time (notice.c) ---- */
struct cu_notice_request { struct cu_span provider, case_name; struct cu_details_notice words; cu_unix_ms until; };
CU_MUST_USE cu_status cu_notice_create(struct cu_place *p, const struct cu_notice_request *r, struct cu_outcome *ret, struct cu_err *err);
/** A notice, and what became of it: when that was recorded, or 0; `reason`: of an answer that is none, or 0. */
struct cu_notice_told { cu_hash id; struct cu_notice said; cu_unix_ms acknowledged, answered, timed_out; uint64_t deposits, reason; cu_seq answer; };
CU_MUST_USE cu_status cu_notice_of(struct cu_place *p, const struct cu_index_row *row, struct cu_notice_told *ret, struct cu_err *err);
/** By its number, or a prefix of its id. */
CU_MUST_USE cu_status cu_notice_find(struct cu_place *p, struct cu_span name, struct cu_notice_told *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_notice_acknowledge(struct cu_place *p, struct cu_span name, struct cu_outcome *ret, struct cu_err *err);
/** The provider's last word: the deposits that name it are the answer; or, with a reason, there is none. */
CU_MUST_USE cu_status cu_notice_answer(struct cu_place *p, struct cu_span name, uint64_t reason, struct cu_span text, struct cu_outcome *ret, struct cu_err *err);
/** The provider does not accept a claim; of one that answers a notice, who asked. */
CU_MUST_USE cu_status cu_claim_refuse(struct cu_place *p, struct cu_span claim_file, uint64_t reason, struct cu_outcome *ret, struct cu_err *err);
/** Watch a claim: when no outcome of it is recorded by then, a timeout is. */
CU_MUST_USE cu_status cu_supervise(struct cu_place *p, struct cu_span claim_file, cu_hash *ret_id, cu_unix_ms *ret_due, struct cu_err *err);
/** Record what is late and not recorded as that yet, where the organisation's key is here. */
CU_MUST_USE cu_status cu_due_record(struct cu_place *p, uint64_t *ret_n, struct cu_err *err);

/* ---- sealing (seal.c) ---- */
struct cu_sealing { size_t n; struct cu_age_recipient to[CU_AGE_RECIPIENTS_MAX]; struct cu_list list; uint8_t kids[CU_AGE_RECIPIENTS_MAX * 34];
    const struct cu_sealing *second; /* and within that for these: one of each is needed to open it; NULL: one is enough */ };
/** For these members (names with commas between) and, unless for others alone, the organisation's own key; if it has none one is made, kept
 *  in keys/sealing.pem and enrolled. `ret` stays where it is: its list points into it. NOT_FOUND. */
CU_MUST_USE cu_status cu_sealing_for(struct cu_place *p, struct cu_span names, bool others_only, struct cu_span passphrase, struct cu_sealing *ret, struct cu_err *err);
/** Within `first`, for these members alone. USAGE: somebody would be both. */
CU_MUST_USE cu_status cu_sealing_second(struct cu_place *p, struct cu_span names, struct cu_sealing *first, struct cu_sealing *ret, struct cu_err *err);
/** "Court, Police" and, of what needs two keys, " together with …"; nothing when it is not sealed. And the same of a deposit's row. */
void cu_claim_sealed_for(const struct cu_place *p, const struct cu_claim *claim, struct cu_buf *ret);
void cu_row_sealed_for(struct cu_place *p, const struct cu_index_row *row, struct cu_buf *ret);
/** Names of those whose sealing keys these are (a claim's `sealed`), appended with ", " between. */
void cu_sealed_for(const struct cu_place *p, const struct cu_list *kids, struct cu_buf *ret);
/** Who opens. Wiped by its free. */
struct cu_identities { struct cu_age_identity id[CU_AGE_IDENTITIES_MAX + 1]; size_t n; };
/** Adds keys/sealing.pem, if it is there. WRONG_PASSPHRASE. */
CU_MUST_USE cu_status cu_identities_own(struct cu_place *p, struct cu_span passphrase, struct cu_identities *io, struct cu_err *err);
void cu_identities_free(struct cu_identities *ids);
/** Does the policy ask that evidence of that profile is sealed, and this is not, or not so? NOT_ALLOWED. */
CU_MUST_USE cu_status cu_form_sealed(const struct cu_place *p, enum cu_profile profile, bool sealed, bool second, struct cu_err *err);
bool cu_details_are_sealed(struct cu_span details);
CU_MUST_USE cu_status cu_seal_details(const struct cu_sealing *seal, struct cu_span details, struct cu_buf *ret, struct cu_err *err);

/* ---- opening what is sealed (unseal.c): by an own key, or by a header of a grant ---- */
struct cu_unseal;
void cu_unseal_free(struct cu_unseal **io);
/** The details of what this deposit sealed, opened; `by` is taken over. SEALED: for others, and says for whom. */
CU_MUST_USE cu_status cu_unseal_begin(struct cu_place *p, const cu_hash *id, cu_seq seq, const struct cu_claim *claim, struct cu_identities *by, struct cu_unseal **ret, struct cu_err *err);
struct cu_span cu_unseal_details(const struct cu_unseal *u);
uint64_t cu_unseal_size(const struct cu_unseal *u); /* so many bytes were given out */
/** As cu_fetch_object, opened on the way, and in the end compared with every digest in the details: BAD_HASH. */
CU_MUST_USE cu_status cu_unseal_fetch(struct cu_place *p, const struct cu_claim *claim, struct cu_unseal *u, cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), cu_status (*restart)(void *arg, struct cu_err *err), void *arg, bool *ret_damaged, struct cu_err *err);
/** The sealed bytes, the newest header of a grant to this member in place of their own: for his stock `age`. NOT_FOUND: none was. */
CU_MUST_USE cu_status cu_fetch_granted(struct cu_place *p, const cu_hash *id, const struct cu_claim *claim, struct cu_span member, cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), cu_status (*restart)(void *arg, struct cu_err *err), void *arg, bool *ret_damaged, struct cu_err *err);
/** A sealed deposit is opened to further members, names with commas between; by keys that open it, `by` taken over. Of one that needs two
 *  keys, whoever has the first alone opens it to those who have the second. */
CU_MUST_USE cu_status cu_grant(struct cu_place *p, struct cu_span name, struct cu_span readers, struct cu_span note, struct cu_identities *by, struct cu_outcome *ret, struct cu_err *err);

/* ---- deposits (deposit.c) ---- */
struct cu_deposit_request {
    struct cu_span case_name;          /* n == 0: unfiled */
    struct cu_span label, note;
    enum cu_profile profile;           /* NONE: plain */
    struct cu_span details_text;       /* lines "key: value" of the profile's form; may be empty */
    struct cu_expect *expect;          /* may be NULL */
    struct cu_list earlier;            /* of cu_detail_earlier: what an imported package holds; n == 0: it is none */
    const struct cu_sealing *seal;     /* NULL: not sealed */
    const struct cu_notice_told *notice; /* which this answers: then the provider claims, and the organisation accepts; NULL: none */
    unsigned digests;                  /* further digests to record: bit per enum cu_digest_alg */
    const char *receipts;              /* folder under the ledger's, or NULL: the caller writes `receipt` itself */
    bool no_wait, dry_run;
    uint64_t wait_ms;                  /* from afar: how long to wait for the provider's answer, and for copies */
    const char *from;                  /* the folder that paths begin in, as far as they do; NULL: nobody knows */
};
struct cu_deposited {
    const char *path;
    cu_hash id, leaf, root, sha256;
    char exhibit[256];                 /* "C1/3" */
    char case_name[208];
    uint64_t serial, size, items;      /* size: of the item, or of all files of the folder */
    enum cu_content_type type;
    cu_seq seq;
    cu_unix_ms time;                   /* recorded by */
    uint64_t copies, required;
    char sealed_for[1024];             /* names; "": it is not sealed. Then size and root are of the sealed bytes, */
    bool has_sha256;                   /* and sha256, of what was read, is told by whoever read it alone */
    char same_as[256];                 /* the exhibit under which the same bytes were first deposited; "": none */
    bool duplicate;                    /* the very same statement was recorded before */
    struct cu_buf receipt;             /* the tlog-proof file; n == 0: none yet */
    struct cu_buf manifest;            /* a folder's, when above 32 KiB and so not in the receipt */
};
void cu_deposited_free(struct cu_deposited *d);
typedef cu_status cu_deposited_fn(void *arg, struct cu_deposited *d, struct cu_err *err);
/** Deposit each path as a deposit of its own, some at a time; `done` is told each when its receipt is ready. When one fails those
 *  before it are recorded, and its error comes back. */
CU_MUST_USE cu_status cu_deposit(struct cu_place *p, const struct cu_deposit_request *r, const char *const *paths, size_t n, cu_deposited_fn *done, void *arg, struct cu_err *err);

/** Sign a claim for one path, offline: nothing is stored, nothing recorded; the number is used. The claim file is appended. */
CU_MUST_USE cu_status cu_claim_make(struct cu_place *p, const struct cu_deposit_request *r, const char *path, struct cu_buf *ret_file, struct cu_err *err);
/** Deposit under a claim that was signed before. `path` NULL: where the claim file says. BAD_HASH when the bytes are others now. */
CU_MUST_USE cu_status cu_deposit_claim(struct cu_place *p, const struct cu_deposit_request *r, struct cu_span claim_file, const char *path, cu_deposited_fn *done, void *arg, struct cu_err *err);
/** What an earlier run left signed in the outbox is recorded now; each deposit among it is told to `done`. */
CU_MUST_USE cu_status cu_outbox_finish(struct cu_place *p, cu_deposited_fn *done, void *arg, uint64_t *ret_n, struct cu_err *err);

/* ---- what scripts are told, in JSON, by the command line and over HTTP alike (tell.c): an object, no line end ---- */
void cu_tell_network(struct cu_json *j, const cu_hash *id); /* its fields "network" and "network_words" */
/** How the ledger stands; `where` is what whoever asks calls it. And the same within an object that has more to say. */
CU_MUST_USE cu_status cu_tell_standing(struct cu_place *p, const char *where, struct cu_json *j, struct cu_err *err);
CU_MUST_USE cu_status cu_tell_standing_in(struct cu_place *p, const char *where, struct cu_json *j, struct cu_err *err);
void cu_tell_case(struct cu_place *p, const struct cu_index_row *row, struct cu_json *j);
/** A deposit in a list. */
CU_MUST_USE cu_status cu_tell_exhibit(struct cu_place *p, const struct cu_index_row *row, struct cu_json *j, struct cu_err *err);
/** How a provider's store holds something, as a field "held". */
void cu_tell_held(const struct cu_held *held, struct cu_json *j);
/** Everything known of an entry. */
CU_MUST_USE cu_status cu_tell_entry(struct cu_place *p, const struct cu_index_row *row, struct cu_json *j, struct cu_err *err);

/* ---- receipts (receipts.c) ---- */
/** The receipt of whatever stands at seq, complete: COPIES_MISSING when its copy quorum is not attested yet. */
CU_MUST_USE cu_status cu_receipt_of(struct cu_place *p, cu_seq seq, struct cu_buf *ret, struct cu_err *err);
/** "C1-3.tlog-proof": from the exhibit's name, or the short id. */
void cu_receipt_name(const char *exhibit, const cu_hash *id, char ret[300]);

/* ---- out again (fetch.c) ---- */
struct cu_fetch { struct cu_found found; struct cu_claim claim; struct cu_buf record, manifest; };
/** A deposit by its name; `find`: without its manifest. */
CU_MUST_USE cu_status cu_fetch_find(struct cu_place *p, struct cu_span name, struct cu_fetch *ret, struct cu_err *err);
/** The same of what `found` is already. */
CU_MUST_USE cu_status cu_fetch_found(struct cu_place *p, struct cu_fetch *ret, struct cu_err *err);
CU_MUST_USE cu_status cu_fetch_begin(struct cu_place *p, struct cu_span name, struct cu_fetch *ret, struct cu_err *err);
void cu_fetch_free(struct cu_fetch *f);
/** The bytes of one object, verified piece by piece; from the cloud, and when that copy is damaged from the node. `restart` is called
 *  before the second copy begins. *ret_damaged: the first copy was. `part`: only these bytes (USAGE: there are none such); NULL: all. */
CU_MUST_USE cu_status cu_fetch_object(struct cu_place *p, const cu_hash *root, uint64_t size, const struct cu_fetch_range *part, cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), cu_status (*restart)(void *arg, struct cu_err *err), void *arg, bool *ret_damaged, struct cu_err *err);
/** Who read what, when and why: into the outbox, durable; NOT_ALLOWED or READ_ONLY when it cannot be written. */
CU_MUST_USE cu_status cu_access_note(struct cu_place *p, const struct cu_access_row *row, struct cu_err *err);
/** The same of rows, one after another. `again`: this may be a second time; then those that are the last ones there already stay as they are. */
CU_MUST_USE cu_status cu_access_put(struct cu_place *p, struct cu_span rows, bool again, struct cu_err *err);
/** Everything in the outbox' access file as *access* entries; nothing there is fine. */
CU_MUST_USE cu_status cu_access_flush(struct cu_place *p, struct cu_err *err);

/* ---- further statements (amend.c) ---- */
CU_MUST_USE cu_status cu_correct(struct cu_place *p, struct cu_span name, struct cu_span text, struct cu_outcome *ret, struct cu_err *err);
/** These (exhibits; a case stands for all of its) are given to a member, who may read them from then on (sight.c): as many entries as it takes, the last
 *  one's outcome. NOT_FOUND: no such exhibit, or nobody is called so. */
struct cu_disclose_request { const char *const *names; size_t n; struct cu_span recipient, purpose, authority; };
CU_MUST_USE cu_status cu_disclose(struct cu_place *p, const struct cu_disclose_request *r, struct cu_outcome *ret, uint64_t *ret_n, struct cu_err *err);
CU_MUST_USE cu_status cu_void_serial(struct cu_place *p, uint64_t serial, const cu_hash *claim, struct cu_span text, struct cu_outcome *ret, struct cu_err *err);
/** What the ledger's state says of a case, as of its newest block; and the same, said and recorded. */
CU_MUST_USE cu_status cu_inventory_ask(struct cu_place *p, struct cu_span case_name, struct cu_inventory *ret, struct cu_buf *mem, struct cu_err *err);
CU_MUST_USE cu_status cu_inventory_make(struct cu_place *p, struct cu_span case_name, struct cu_inventory *ret, struct cu_buf *mem, struct cu_outcome *ret_outcome, struct cu_err *err);

/* ---- members (members.c) ---- */
CU_MUST_USE cu_status cu_membership_read(struct cu_place *p, struct cu_membership *ret, struct cu_err *err);
/** A sealing key for the party of that name; a new reader when there is none. NOT_ALLOWED: the key that vouches is not here. */
CU_MUST_USE cu_status cu_member_add(struct cu_place *p, struct cu_span name, const struct cu_age_recipient *recipient, struct cu_span note, uint64_t *ret_party, struct cu_outcome *ret, struct cu_err *err);
/** Its keys of `purpose`, or (0) its statement and sealing keys, act no more. `since`: the entry since which others may hold them, or
 *  CU_NOT_COMPROMISED. NOT_FOUND. */
CU_MUST_USE cu_status cu_member_revoke(struct cu_place *p, struct cu_span name, unsigned purpose, uint64_t since, struct cu_span note, struct cu_outcome *ret, struct cu_err *err);

/** What somebody asks for who has made a statement key: to be enrolled under this name in this role. docs/formats/enrol-request.md */
struct cu_enrol_request { cu_hash network; uint64_t role; struct cu_span name, pub; uint8_t proof[CU_SIGNATURE_LEN];
    /* and, to be asked over a network, for a certificate: its own key, what the statement key vouches of it (http/peer.h), and that it is held */
    struct cu_enrol_tls { struct cu_span pub; uint8_t vouch[CU_SIGNATURE_LEN], proof[CU_SIGNATURE_LEN]; } tls; bool has_tls; };
#define CU_ENROL_REQUEST_MAX 1024
CU_MUST_USE cu_status cu_enrol_request_make(const cu_hash *network, uint64_t role, struct cu_span name, const struct cu_private_key *key, const struct cu_enrol_tls *tls /* NULL: none */, struct cu_buf *ret, struct cu_err *err);
/** MALFORMED, WRONG_NETWORK, WRONG_ROLE (none, or an organisation), BAD_KEY, BAD_SIGNATURE, HIGH_S. `ret_key`: its key. What is vouched for is not looked at. */
CU_MUST_USE cu_status cu_enrol_request_read(struct cu_span bytes, const cu_hash *network, struct cu_verifier *by, struct cu_enrol_request *ret, struct cu_public_key *ret_key, struct cu_err *err);
/** The id of its key, with nothing judged. False: it is none. */
bool cu_enrol_request_kid(struct cu_span bytes, cu_hash *ret);
/** Enter it: a new party of that name; or, to rotate, its party's new statement key, in place of those that it has. `since` as above.
 *  DUPLICATE: the name is taken. NOT_FOUND: nobody has it. */
CU_MUST_USE cu_status cu_member_admit(struct cu_place *p, struct cu_span request, bool rotate, uint64_t since, struct cu_span note, uint64_t *ret_party, struct cu_outcome *ret, struct cu_err *err);

/* ---- who waits to be enrolled (enrolments.c): of a ledger's folder, or asked of the node ---- */
#define CU_WAITING_MAX 64         /* requests that are kept */
#define CU_WAITING_OF_ONE 8       /* of them from one address */
#define CU_WAITING_MS (30 * UINT64_C(86400000)) /* that they are */
/** A request, when and from where it came, and why it was refused (n == 0: it waits). */
struct cu_applicant { struct cu_span request, from, refused; uint64_t time; };
extern const struct cu_schema cu_applicant_schema;
/** Those that wait and are none of these members' yet, one after another, appended. */
CU_MUST_USE cu_status cu_enrolments_read(struct cu_place *p, const struct cu_members *m, struct cu_buf *ret, struct cu_err *err);
/** Which of them, by the first digits of its key's id (8 or more)? NOT_FOUND, AMBIGUOUS. Spans point into `rows`. */
CU_MUST_USE cu_status cu_enrolments_find(struct cu_span rows, struct cu_span digits, struct cu_applicant *ret, cu_hash *ret_kid, struct cu_err *err);
/** One more, which was judged; of a key that is there nothing changes. `ret_refused`: why it was, appended. BUSY: there are too many. */
CU_MUST_USE cu_status cu_enrolment_keep(struct cu_place *p, const struct cu_members *m, struct cu_span request, struct cu_span from, struct cu_buf *ret_refused, struct cu_err *err);
/** That one is not to be enrolled, and why. NOT_FOUND. */
CU_MUST_USE cu_status cu_enrolment_refuse(struct cu_place *p, const struct cu_members *m, const cu_hash *kid, struct cu_span why, struct cu_err *err);
/** What a node's answer of that HTTP status means: OK, or an error with its sentence. */
CU_MUST_USE cu_status cu_remote_said(unsigned http, struct cu_span answer, struct cu_err *err);
/** Hand a request to the node: what it says of it, in JSON, appended. Whatever it refuses is an error. */
CU_MUST_USE cu_status cu_enrolment_ask(struct cu_place *p, struct cu_span request, struct cu_buf *ret, struct cu_err *err);

/* ---- looking after the whole (check.c, audit_*.c, repair.c) ---- */
struct cu_finding { const char *kind; const char *where; char id[65]; const char *what; bool repaired; };
enum { CU_CHECK_LOG = 1, CU_CHECK_OBJECTS = 2 };
struct cu_check_request {
    uint64_t sample;                   /* every n-th object's bytes; 0: all */
    bool repair;
    const char *index_where, *index_what; /* what the app found wrong with the index' file; NULL: nothing */
    unsigned only;                     /* these bits: hashes alone, of log or objects; no signature, rule, or what is derived. 0: everything */
    bool index;                        /* judge the search index, too */
    unsigned lanes;                    /* that check signatures side by side; 0 and 1: no thread for it */
    cu_status (*renew_index)(void *arg, struct cu_err *err); /* close it, make it anew, open it: p->index is the new one */
    void (*found)(void *arg, const struct cu_finding *f);
    void *arg;
};
struct cu_check_result { uint64_t entries, signatures, objects, bytes, findings, unrepaired; bool dirty; };
/** Re-derive everything: every hash, signature, rule, tile of both log copies, object of both stores, state, index, journal. Needs a
 *  place with format and trust read (cu_place_load_trust), and no engine open. Writes nothing, unless repairing: then it takes the lock,
 *  proves first that it can write and sign (NOT_ALLOWED, READ_ONLY otherwise), moves what is wrong to quarantine/, and leaves a note
 *  that cu_repair_finish turns into one *incident*. CU_OK whatever was found. */
CU_MUST_USE cu_status cu_check(struct cu_place *p, const struct cu_check_request *r, struct cu_check_result *ret, struct cu_err *err);
/** Does an unfinished repair lie in quarantine/? *ret_mended: all was put right and only the incident is missing. */
CU_MUST_USE cu_status cu_repair_pending(struct cu_place *p, bool *ret, bool *ret_mended, struct cu_err *err);
/** Record the incident of a repair that ended, with the engine open; nothing pending is fine. */
CU_MUST_USE cu_status cu_repair_finish(struct cu_place *p, uint64_t *ret_findings, struct cu_outcome *ret, struct cu_err *err);
/** The state from the log alone, whatever lies there now. No engine open. */
CU_MUST_USE cu_status cu_reindex_state(struct cu_place *p, cu_hash *ret_digest, struct cu_err *err);

#endif
