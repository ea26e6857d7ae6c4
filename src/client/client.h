/* The client: a ledger behind an http address, as ports/remote.h wants it. */
#ifndef CU_CLIENT_CLIENT_H
#define CU_CLIENT_CLIENT_H

#include "codec/fields.h"
#include "ports/remote.h"

#include <time.h>

extern const struct cu_remote_kind cu_client_kind;

/** All that follows is pure. */
bool cu_status_named(struct cu_span name, cu_status *ret); /* "BAD_SERIAL" */
/** What a node answers to n records; `closed` is not among it: the block entry has it. False: that is no such answer. */
bool cu_outcomes_read(struct cu_span body, struct cu_outcome *ret, size_t n);

/** What a provider says of a claim. False: it does not. */
bool cu_carriage_read(struct cu_span body, struct cu_carriage *ret);
/** Is it an address that is asked here, one alone? */
bool cu_address_good(const char *url);

/* ---- whom one asks (turns.c) ---- */
enum { CU_ADDRESS_MAX = 1024, CU_TURNS_MAX = 16 };
/** The nodes of one ledger, in the order in which they are asked (each ends in a NUL), who may answer and as whom (files; "": none named). */
struct cu_client_ends {
    char list[4 * CU_ADDRESS_MAX], ca[1024], cert[1024];
    unsigned count;
    struct cu_turns own, *shared; /* whose turn it is; shared NULL: own */
    void (*passed)(void *arg, const char *who, const char *why, const char *next);
    void *arg;
};
/** USAGE: it names the one that is no address. */
CU_MUST_USE cu_status cu_client_ends_read(const struct cu_remote_address *at, struct cu_client_ends *ret, struct cu_err *err);
/** Whose turn it is, and his address. */
unsigned cu_client_now(struct cu_client_ends *e);
const char *cu_client_base(struct cu_client_ends *e);
void cu_client_turn_to(struct cu_client_ends *e, unsigned i);
/** What came of a question: libcurl's code and words, or the answer's status and what it said instead. */
struct cu_client_asked { int code; const char *why; long http; struct cu_span problem; };
/** Or is it worth asking once more, or somebody else? */
bool cu_client_answered(int code, long http);
/** The question was put so often, and not answered. True: put it again, to whose turn it is now; after each round there was a pause. */
bool cu_client_again(struct cu_client_ends *e, const struct cu_client_asked *was, unsigned tries, unsigned rounds);

/** What a line of an answer's head says as its Date; 0: it is another line. */
time_t cu_client_date(const char *line, size_t n);
/** What somebody can do about a question that was not answered; NULL: nothing in particular. `handle` has just failed with `code`. */
const char *cu_client_advice(void *handle, int code);
cu_status cu_client_probe(const struct cu_remote_address *at, const char *path, struct cu_probe *ret, struct cu_err *err);
/** A libcurl handle as every question begins: where to, who may answer, as whom, and for how long the answer may wait over there beside the silence that
 *  anybody is given. `why` has room for CURL_ERROR_SIZE. */
void cu_client_prepare(void *handle, const char *url, const struct cu_client_ends *ends, unsigned wait_s, char *why);
void cu_client_pause(unsigned ms);
CU_MUST_USE cu_status cu_carrier_open(const struct cu_remote_address *at, struct cu_carrier *ret, struct cu_err *err);

/** A problem (RFC 9457) as our servers write it: its status by the name in "code", and "detail" into `text`, printable. False: it
 *  is none of ours. */
bool cu_problem_read(struct cu_span body, cu_status *ret, char text[400]);

#endif
