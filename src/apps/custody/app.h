/* The command line: one table of commands, from which parser, help, man pages and completion come; one file a command. */
#ifndef CU_APPS_APP_H
#define CU_APPS_APP_H

#include "adapters/posix/posix.h"
#include "crypto/x509.h"
#include "custody/json.h"
#include "custody/text.h"
#include "custody/words.h"
#include "engine/embedded/embedded.h"
#include "ports/bucket.h"
#include "ports/paper.h"
#include "service/cosigner.h"
#include "service/held.h"
#include "service/judge.h"
#include "service/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <time.h>

/* ---- commands ---- */
struct option { const char *name, *value, *help; }; /* value NULL: a switch */
#define OPTIONS_MAX 32

struct run;
struct command {
    const char *name;    /* "deposit", "case open" */
    const char *args;    /* "PATH…" as people read it */
    const char *line;    /* one line */
    const char *help;    /* paragraphs */
    int args_min, args_max; /* -1: any number */
    cu_status (*go)(struct run *run, struct cu_err *err);
    const char *not_afar; /* why it does not work by a ledger's address; NULL: it does */
    const char *examines; /* the commands whose settings it reads, as far as it has their options: "node provider"; NULL: none */
    bool offline;         /* by an address: what was seen before is enough when nobody answers */
    struct option options[OPTIONS_MAX]; /* beside the common ones; ends with name NULL */
};
extern const struct command *const commands[];
extern const struct option common_options[];

/** One invocation. */
struct run {
    const struct command *command;
    const char *values[OPTIONS_MAX];  /* of command->options */
    const char *common[OPTIONS_MAX];  /* of common_options */
    void *settings;                   /* what a file of settings gave values: they point there */
    char **args;
    int args_n;
    bool json, quiet;
    bool node;                        /* a network's ledger may be opened for writing, too */
    const char *folder;               /* this process's own, for a ledger behind an address; NULL: a reader's, below --state */
    bool threads;                     /* many will ask at once: the engine gets threads of its own */
    bool serves;                      /* to strangers: the session gives up what it does not need, unless --confine off */
    int exit;                         /* what to exit with when all went well: verify's and check's own codes */
    struct cu_buf out;                /* what goes to stdout; printed at the end, or by run_print */
    int unprinted;                    /* errno of the first print that failed: what follows is dropped, main says so */
};
const char *opt(const struct run *run, const char *name); /* NULL: not given */
void opt_set(struct run *run, const char *name, const char *value);
bool opt_is(const struct run *run, const char *name);
struct cu_span opt_span(const struct run *run, const char *name); /* n == 0: not given */
void run_print(struct run *run); /* out to stdout, and forgotten */
void say(const struct run *run, const char *fmt, ...) CU_PRINTF(2, 3); /* words to stderr, unless --quiet or --json */
void put_printable(struct cu_buf *out, struct cu_span bytes);
void put_short_id(struct cu_buf *out, const cu_hash *id); /* 8 digits */
void put_size(struct cu_buf *out, uint64_t bytes);        /* "1.4 GB (1,437,212,672 bytes)" */
void put_items(struct cu_buf *out, uint64_t n);           /* " in 5,000 items" */
void put_network(struct cu_buf *out, const cu_hash *id, int indent); /* hex in groups, then the words, each line but the first indented */
void put_time(struct cu_buf *out, cu_unix_ms time);       /* UTC, and local beside it */
/** What a new ledger asks of providers and depositors: --retention, --must-seal. `mem` keeps the list. USAGE. */
#define POLICY_OPTIONS                                                                                                  \
    { "retention", "DAYS", "providers keep what they accept locked for so long, in a bucket with Object Lock (by default nothing is asked)" }, \
    { "must-seal", "PROFILE,…", "evidence of these profiles is taken sealed alone; PROFILE:two: so that it takes two to open" }
CU_MUST_USE cu_status policy_read(struct run *run, struct cu_policy *io, struct cu_buf *mem, struct cu_err *err);
/** Options from a file of settings (TOML). USAGE names its line. */
CU_MUST_USE cu_status settings_read(struct run *run, const char *path, struct cu_err *err);
CU_MUST_USE cu_status number_read(const char *what, const char *text, uint64_t max, uint64_t *ret, struct cu_err *err); /* USAGE */
CU_MUST_USE cu_status time_read(const char *what, const char *text, cu_unix_ms *ret, struct cu_err *err); /* USAGE */
CU_MUST_USE cu_status duration_read(const char *what, const char *text, uint64_t *ret_ms, struct cu_err *err); /* USAGE */
CU_MUST_USE cu_status read_argument_file(const char *path, size_t max, struct cu_buf *ret, struct cu_err *err); /* "-": stdin */
CU_MUST_USE cu_status write_output_file(const char *path, struct cu_span bytes, struct cu_err *err); /* new or replaced, synced */
CU_MUST_USE cu_status write_secret_file(const char *path, struct cu_span bytes, struct cu_err *err); /* the same, for its owner alone */

/* ---- an open ledger (open.c) ---- */
/* CHECK: whatever state it is in. BARE: and without a look at the search index, for who asks it nothing. */
enum mode { MODE_READ, MODE_WRITE, MODE_CHECK, MODE_BARE };
struct session {
    struct run *run;
    char root[4096];
    const char *url;                  /* of a ledger that lies elsewhere (or of several of its nodes): `root` is this reader's own folder for it. NULL: it lies there */
    struct cu_turns turn;             /* which of them is asked */
    struct cu_place place;
    struct cu_engine engine;
    struct cu_embedded_config config;
    struct cu_attachment_writer attachments;
    struct cu_epochs *epochs;         /* of the trust file, while the engine is open */
    struct cu_span origin;
    struct cu_buf origin_mem;
    void *verifier_mem;
    struct cu_bucket bucket;          /* of the provider's objects; ops NULL: they lie in the folder. The file system closes it */
    struct progress_view { struct timespec began, last; char phase[80]; uint64_t phase_bytes; bool drawn; } view;
    bool has_index, engine_open;
    struct cu_buf peers, others;      /* of a network: whose nodes may speak to this one's, and which it dials */
    bool networked;                   /* one organisation's share of a network: */
    struct cu_private_key validator;  /* which signs its votes. ctx NULL: not read */
    struct cu_fs votes_fs;            /* where it is kept what was voted for; ops NULL: in the ledger's folder */
    char votes_path[64], next_votes_path[64];
    size_t validators;
    struct cu_private_key next[CU_PURPOSE_NODE + 1]; /* by purpose: keys that may take the place of this organisation's. ctx NULL: none */
    bool left;                        /* it was said that the organisation has */
    bool behind;                      /* it was said that what changed of the members is not followed yet */
    bool undialled;                   /* the network's file names others than CometBFT was told of */
    cu_seq follow;                    /* the first proposal that may still take effect, or have */
    uint64_t warned;                  /* from which height on this program will not know the rules: that was said */
    char confined[120];               /* what of this process is; "": nothing */
    char index_where[300], index_what[300]; /* what is wrong with the index' file, when something is */
    bool has_incident;                /* opening for writing finished a repair: */
    struct cu_outcome incident;
};
bool is_ledger(const char *dir); /* does one, or what a reader keeps of one, lie there? */
/** The ledger that --ledger, CUSTODY_LEDGER or the nearest folder upward names. */
CU_MUST_USE cu_status session_open(struct session *s, struct run *run, enum mode mode, struct cu_err *err);
/** Drains; an error here means that what was said to be recorded may not be in both copies yet. */
CU_MUST_USE cu_status session_close(struct session *s, struct cu_err *err);
/** Open, work, close: the first failure speaks, and whatever happens it is closed. */
typedef cu_status session_work(struct session *s, void *arg, struct cu_err *err);
CU_MUST_USE cu_status in_session(struct run *run, enum mode mode, session_work *work, void *arg, struct cu_err *err);
/** Work: append the ledger's pinned trust file to the `struct cu_buf` that arg is. */
session_work session_trust;
/** A new ledger's folder, with nothing in it yet. */
CU_MUST_USE cu_status session_create(struct session *s, struct run *run, const char *dir, const struct cu_found_request *r, struct cu_err *err);
/** What session_create is made of: the folder and the world; then, with keys and trust files in it, index, stores and an empty journal. */
CU_MUST_USE cu_status session_begin(struct session *s, struct run *run, const char *dir, struct cu_err *err);
CU_MUST_USE cu_status session_make_engine(struct session *s, struct cu_err *err);
/** What earlier runs left signed, or repaired, is recorded. */
CU_MUST_USE cu_status session_finish_earlier(struct session *s, struct cu_err *err);
/** One private key for a session that was opened for reading. */
CU_MUST_USE cu_status session_load_signer(struct session *s, enum cu_signer who, struct cu_err *err);
CU_MUST_USE cu_status session_renew_index(void *session, struct cu_err *err);
/** The passphrase of the ledger's keys, asked for if they have one; for a key that is to be kept as they are. */
CU_MUST_USE cu_status passphrase_of_keys(struct session *s, struct cu_buf *ret, struct cu_err *err);
/** A key that lies in a token; who runs us knows the PIN . `run` outlives them. */
struct cu_tokens tokens_of(struct run *run);
/** Of a ledger that is made: the keys that are there already, in a token. USAGE: it is no such URI. */
CU_MUST_USE cu_status session_new_keys(struct session *s, struct cu_err *err);
/** --successor into the place. */
CU_MUST_USE cu_status session_successor(struct session *s, struct cu_err *err);
#define SUCCESSOR { "successor", "URI", "the new key, which is in a token already: pkcs11:token=LABEL;object=LABEL; or file, for a key in a file that follows one in a token" }
#define ORGANISATION_KEY { "organisation-key", "URI", "the organisation's statement key, which is in a token already: pkcs11:token=LABEL;object=LABEL (and --key URI: the depositor's)" }
/** What opens sealed content here: keys/sealing.pem and, if it is given, --identity FILE. */
CU_MUST_USE cu_status identities_read(struct session *s, struct cu_identities *ret, struct cu_err *err);
CU_MUST_USE cu_status passphrase_read(struct run *run, const char *question, struct cu_buf *ret, struct cu_err *err);

/* ---- the CA in tls/ (cmd_ca.c) ---- */
struct ca { struct cu_buf cert, key, passphrase; struct cu_cert_issuer issuer; };
/** NOT_FOUND: there is none. `ret` stays where it is, until ca_forget. */
CU_MUST_USE cu_status ca_open(struct session *s, struct ca *ret, struct cu_err *err);
void ca_forget(struct ca *ca);

/* ---- a ledger behind an address (afar.c) ---- */
/** What a part exports; NULL, and why not. */
const void *part_load(const char *file, const char *symbol, const char **ret_why);
CU_MUST_USE cu_status afar_part(const struct cu_remote_kind **ret, struct cu_err *err); /* the part that asks addresses */
bool is_afar(const struct run *run);
/** Whoever is at that address, to be asked without a folder of the reader's own. */
CU_MUST_USE cu_status afar_remote(struct run *run, const char *url, struct cu_remote *ret, struct cu_err *err);
/** This reader's folder for the addresses that --ledger is. */
CU_MUST_USE cu_status afar_root(struct session *s, struct cu_err *err);
/** Pin what --pin-trust gives. */
CU_MUST_USE cu_status afar_pin(struct session *s, struct cu_err *err);
/** The same, and let what the node serves stand in the folder. Nobody is asked yet. */
CU_MUST_USE cu_status afar_mount(struct session *s, struct cu_err *err);
/** How witnesses and peers are asked. */
struct cu_outside outside_by(struct session *s);
/** Its newest checkpoint, which goes on from those seen before; and the index follows. */
CU_MUST_USE cu_status afar_open(struct session *s, struct cu_err *err);
/* … if it is off. */
void say_clock(struct session *s);
/** Who takes evidence: the provider that --provider or the node names, or (what answers a notice) the node; and the node itself. */
CU_MUST_USE cu_status afar_carriers(struct session *s, bool to_node, struct cu_err *err);

/* ---- one organisation's share of a network (share.c) ---- */
/** The session's engine, which was opened as a store, becomes this organisation's share of the chain. */
CU_MUST_USE cu_status share_start(struct session *s, struct cu_err *err);
/** An organisation whose node/ was put aside, or lost, begins with an empty one: the chain is read anew. */
CU_MUST_USE cu_status share_renew(struct session *s, struct cu_err *err);
/** Between the opening of the ledger and that of its engine: keys that were being changed, and have been. */
CU_MUST_USE cu_status share_keys(struct session *s, struct cu_err *err);
/** Wait until the chain has begun and has this organisation, and confirm, if that is still to be done. INTERRUPTED. */
CU_MUST_USE cu_status share_begin(struct session *s, struct cu_err *err);
/** Members or their keys changed: peers, and this organisation's own keys, follow. Whoever uses the place is shut out. */
CU_MUST_USE cu_status share_follow(struct session *s, struct cu_err *err);
/** OK; or what ended the engine for good. Anything but a network's works. */
CU_MUST_USE cu_status share_works(struct session *s, struct cu_err *err);
/** Where this organisation's node is to be reached by clients, as the network says: ADDRESS:PORT; "": it does not. */
CU_MUST_USE cu_status share_address(struct session *s, char ret[257], struct cu_err *err);
/** The other organisations' nodes, as peers are given: what stands in the network's file. */
CU_MUST_USE cu_status share_peers(struct session *s, bool tls, struct cu_buf *ret, uint64_t ret_party[CU_PARTIES_MAX], struct cu_err *err);
/** The folder in which keys were made becomes a share of the network that begins with `file`. */
/** Keys (bits 1 << enum cu_purpose) get successors, which sign nothing yet; what is handed over so that they are approved is appended. A node may run. */
CU_MUST_USE cu_status share_rotate(struct session *s, unsigned which, struct cu_buf *ret, struct cu_err *err);
session_work share_resume; /* what was voted for is not known any more: votes begin again behind the chain's */
CU_MUST_USE cu_status share_create(struct session *s, struct run *run, const char *dir, struct cu_span file, struct cu_err *err);

/* ---- a server gives up what it does not need (confined.c) ---- */
/** What stays is this session's folder, to write, and the folders of what the options name. Before the first thread begins. */
CU_MUST_USE cu_status session_confine(struct session *s, struct cu_err *err);

/* ---- a bucket for the provider's objects (bucket.c) ---- */
CU_MUST_USE cu_status bucket_mount(struct session *s, struct cu_span address, struct cu_err *err);
/** By the address that the ledger keeps, if it keeps one. */
CU_MUST_USE cu_status bucket_mount_kept(struct session *s, struct cu_err *err);
/** For a new ledger: is the bucket there, ours to write, and empty where we shall write? What it lacks is said. */
CU_MUST_USE cu_status bucket_begin(struct session *s, struct cu_err *err);
/** That bucket against what the log says of it, by whoever may read both. */
CU_MUST_USE cu_status bucket_compare(struct session *s, struct cu_span address, struct cu_held_comparing *c, struct cu_err *err);
CU_MUST_USE cu_status bucket_keep(struct session *s, struct cu_span address, struct cu_err *err);
/** What doctor says of it. False: somebody should do something about it. */
bool bucket_health(struct session *s, char ret[600]);

/** Who sets documents and codes (paper.c). NOT_FOUND: the part, or what it needs, is not installed. */
CU_MUST_USE cu_status paper_load(const struct cu_press **ret, struct cu_err *err);

/* ---- progress (progress.c) ---- */
struct cu_progress progress_to(struct session *s);
void progress_end(struct session *s);
bool interrupted(void);
void catch_interrupts(void);

/* ---- help (help.c) ---- */
void help_command(const struct command *c, struct cu_buf *out);
void help_all(struct cu_buf *out);
void man_page(const struct command *c, struct cu_buf *out); /* NULL: custody(1) itself */
CU_MUST_USE cu_status completion(const char *shell, struct cu_buf *out, struct cu_err *err);

/* ---- the cosigner (cmd_witness.c) ---- */
struct cosigning { struct cu_cosigner cosigner; struct cu_private_key key; struct cu_fs fs; char dir[64]; bool open, has_key, own_fs; };
/** keys/cosign.pem with its state, or the one that may take its place. NOT_FOUND: no such key. `ret` stays where it is. */
CU_MUST_USE cu_status cosigner_open(struct session *s, bool next, struct cosigning *ret, struct cu_err *err);
/** A state for keys/cosign-next.pem, which signed nothing. */
CU_MUST_USE cu_status cosigner_begin_next(struct session *s, struct cu_err *err);
void cosigner_close(struct cosigning *c);

/* ---- telling a deposit (told.c) ---- */
struct deposit_output { struct session *s; const char *folder; bool folder_is_ledgers, earlier /* not of this run: told on stderr */; uint64_t n, missing; };
/** Into --receipts DIR or, without it, into the ledger's folder. */
#define WAIT_S 600 /* for copies, and so for a receipt */
struct deposit_output deposit_output_of(struct session *s);
CU_MUST_USE cu_status save_receipt(const struct deposit_output *o, const char *name, struct cu_span bytes, char ret[4400], struct cu_err *err);
cu_status tell_deposited(void *output, struct cu_deposited *d, struct cu_err *err);

/* ---- notices (cmd_notice.c) ---- */
/** Of a refusal and an answer its reason, of what is about a notice its number: two spaces before each. */
CU_MUST_USE cu_status put_why(struct session *s, const struct cu_index_row *row, struct cu_buf *out, struct cu_err *err);
/** The provider's last word on the notice that args[0] names, and its receipt. */
CU_MUST_USE cu_status notice_answered(struct session *s, uint64_t reason, struct cu_err *err);

#endif
