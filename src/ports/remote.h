/* A ledger behind an address, for whoever reads it: what its log says that is not in the log's own files; and what is recorded there. Nothing that comes is verified
 * here: whoever asks does. One thread at a time. Errors: those that the other side names; IO: it cannot be reached, or talks nonsense. */
#ifndef CU_PORTS_REMOTE_H
#define CU_PORTS_REMOTE_H

#include "ports/engine.h"
#include "ports/carrier.h"
#include "ports/fs.h"

#include <stdatomic.h>

/** What is read of which deposit, and (the other side records it) why. */
struct cu_reading { cu_seq seq; struct cu_span reason, authority; };

typedef cu_status cu_remote_feed(void *arg, struct cu_span bytes, struct cu_err *err);
struct cu_remote { void *self; const struct cu_remote_ops *ops; };
struct cu_remote_ops {
    /* The record at seq, as it was submitted, appended to ret. With `content`, of what travelled with it: that is a reading, and on record over there. */
    cu_status (*record)(void *self, cu_seq seq, bool content, struct cu_buf *ret, struct cu_err *err);
    /* Of an object of that deposit (the item, the manifest, a file of the folder): the root of each of its chunks, 32 bytes a
     * chunk, appended to ret, which bounds them; and its bytes from ≤ x < to, in pieces of any length. */
    cu_status (*chunks)(void *self, const struct cu_reading *what, const cu_hash *root, struct cu_buf *ret, struct cu_err *err);
    cu_status (*bytes)(void *self, const struct cu_reading *what, const cu_hash *root, uint64_t from, uint64_t to, cu_remote_feed *feed, void *arg, struct cu_err *err);
    /* Submit n records, as ports/engine.h has it; `closed` is not told. An error: nobody knows what became of them, so submit them again. */
    cu_status (*submit)(void *self, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err);
    /* Wait up to so many seconds, until the statement of that id has the copies that a receipt needs; OK whether it has or not. */
    cu_status (*await)(void *self, const cu_hash *id, unsigned seconds, struct cu_err *err);
    /* The other side says and records what it knows of a case: at which position. */
    cu_status (*inventory)(void *self, struct cu_span case_name, cu_seq *ret, struct cu_err *err);
    /* Where evidence is handed in: an address, appended; nothing when the node names nobody. */
    cu_status (*provider)(void *self, struct cu_buf *ret, struct cu_err *err);
    /* What it says of itself (GET /v1/status), appended to ret. Nobody's word but its own. */
    cu_status (*status)(void *self, struct cu_buf *ret, struct cu_err *err);
    /* Whatever else is spoken there: GET of a path, or (n > 0) POST of `body` as text/plain, once; what is answered, be it a refusal, is
     * appended to ret, which bounds it. An error: nothing was. */
    cu_status (*ask)(void *self, const char *path, struct cu_span body, unsigned *ret_http, struct cu_buf *ret, struct cu_err *err);
    /* By how many seconds its clock is ahead of this one, as it said with its last answer; 0 before one. May be NULL. Any thread. */
    int64_t (*ahead)(void *self);
    /* Where there are several nodes (both may be NULL): who shows a log of fewer entries than this is passed over from now on, unless all do. And the
     * checkpoint of each that was, once, appended; nothing of a number whose node was not. NOT_FOUND: so many there are not. */
    void (*as_of)(void *self, cu_size size);
    cu_status (*behind)(void *self, size_t i, struct cu_buf *ret, struct cu_err *err);
    void (*close)(void *self);
};

/** Whose turn it is of several nodes, and (a bit each) of whom it was told that he was passed over. Begins as 0. */
struct cu_turns { _Atomic unsigned now; _Atomic uint64_t told; };
/** Where it is, and for https who may answer (a file of CA certificates, PEM; NULL: the system's) and as whom one asks (a file of
 *  certificate and key, PEM; NULL: as nobody). `ending` (may be NULL): when it becomes true a question is given up. `url` may name several
 *  nodes of one ledger, with commas between them: who cannot answer is passed over. `turn` is of all who ask by the same list; NULL: of this one
 *  alone. `passed` (may be NULL) is told once of each. */
struct cu_remote_address {
    const char *url, *ca, *cert;
    const atomic_bool *ending;
    struct cu_turns *turn;
    void (*passed)(void *arg, const char *who, const char *why, const char *next);
    void *arg;
};
/** What came of one question. */
struct cu_probe {
    unsigned http;   /* 0: nobody was reached */
    cu_unix_ms date; /* of the other side, to a second; 0: it is not known */
    char why[600];   /* http 0: what happened, and what to do; a refusal: its own words; else "" */
};
enum cu_holder { CU_HOLDER_NODE, CU_HOLDER_PROVIDER };
/** A part that opens them. USAGE: the address is not understood; nobody is asked yet.
 *
 *  open    *ret_fs: the file system `under`, in which the log that is served there stands as node/log, for reading; its close lets go of
 *          `under`, and comes before the remote's.
 *  source  for content alone: `chunks` and `bytes`. Of a provider they are asked by root, whatever the deposit. What is not answered is asked
 *          once, and given up sooner: whoever asks has other sources.
 *  probe   GET of a path, once, to see whether somebody answers. Nothing of it is believed: the time is told even of who shows no good certificate. */
struct cu_remote_kind {
    cu_status (*open)(const struct cu_remote_address *at, const struct cu_fs *under, struct cu_remote *ret, struct cu_fs *ret_fs, struct cu_err *err);
    cu_status (*source)(const struct cu_remote_address *at, enum cu_holder kind, struct cu_remote *ret, struct cu_err *err);
    cu_status (*carry)(const struct cu_remote_address *at, struct cu_carrier *ret, struct cu_err *err); /* to hand evidence to */
    cu_status (*probe)(const struct cu_remote_address *at, const char *path, struct cu_probe *ret, struct cu_err *err);
};

#endif
