/* Copies: content of recorded deposits that others hold comes into the node's store, verified and durable, so that the node may attest it.
 *
 * What is to be brought is what the log names and the store lacks; nothing else is remembered, and nobody's word is taken. Memory is bounded
 * whatever is missing. docs/formats/transfer.md tells it from outside.
 */
#ifndef CU_SERVICE_COPY_H
#define CU_SERVICE_COPY_H

#include "service/service.h"
#include "service/spool.h"

#include <stdatomic.h>

enum { CU_COPY_SOURCES_MAX = 16, CU_COPY_LANES_MAX = 16, CU_WITHHELD_MAX = 64 };

/** Somebody who may have it, with a connection for each lane. `party`: an organisation, who is asked for what it attests; 0: for anything. */
struct cu_copy_source { const char *url; uint64_t party; struct cu_remote lane[CU_COPY_LANES_MAX]; };
/** A deposit whose content does not come, and what went wrong last; or an entry of which something is here no more, and the file. */
struct cu_withheld { cu_seq seq; cu_hash id; const char *kind /* of the finding */; char why[240]; };
#define CU_KIND_WITHHELD "withheld"
#define CU_KIND_CHALLENGE "challenge" /* the provider's copy: else "damaged" or "missing", our own */

struct cu_copy_request {
    struct cu_place *p;          /* for reading, this use's own: it is refreshed by the caller */
    uint64_t party;              /* the organisation whose copies these are */
    const struct cu_copy_source *sources;
    size_t sources_n;
    unsigned lanes;              /* threads that bring side by side; 1: the caller alone */
    uint64_t withheld_ms;        /* so long after it was recorded, content that does not come is reported */
    const atomic_bool *ending;   /* then it ends soon: INTERRUPTED. May be NULL */
    void (*held)(void *arg, cu_seq seq); /* all of this deposit's content is durable here, and not attested */
    cu_status (*withheld)(void *arg, const struct cu_withheld *what, size_t n, struct cu_err *err); /* CU_WITHHELD_MAX at most; again, if it fails */
    void *arg;
};
/* Deposits that lack something here, and those of them that were reported; since the start: what was brought, questions that failed, and
 * answers that were not what was signed. */
struct cu_copy_figures { uint64_t missing, withheld, objects, bytes, failures, wrong; };

struct cu_copier;
CU_MUST_USE cu_status cu_copier_new(const struct cu_copy_request *r, struct cu_copier **ret, struct cu_err *err);
/** Bring what is due; of large objects a part. *ret_more: there is more to be done at once. An error is one of this node (disk, memory, log):
 *  what was not brought is brought by a later call. One thread at a time. */
CU_MUST_USE cu_status cu_copier_round(struct cu_copier *c, bool *ret_more, struct cu_err *err);
/** Something of that entry is here no more: it is brought again, and a deposit attested again. False: that is known. As `round`. */
bool cu_copier_lost(struct cu_copier *c, const struct cu_withheld *what);
/** Others stand in the request's array now, so many. Between rounds. */
void cu_copier_sources(struct cu_copier *c, size_t n);
void cu_copier_again(struct cu_copier *c); /* something came by another way: all that waits is looked at now. Any thread */
void cu_copier_figures(struct cu_copier *c, struct cu_copy_figures *ret); /* any thread */
void cu_copier_free(struct cu_copier *c); /* NULL is fine */

/** What was sent here and came whole goes into the spool's store, durable; bytes that are not those that were claimed begin again, and what
 *  nobody goes on with for CU_PUSHED_ABANDONED_MS is let go. For one thread. True: something came. */
enum { CU_PUSHED_ABANDONED_MS = 86400000 };
bool cu_pushed_store(struct cu_spool *u, uint64_t now);

/** One incident of that type that names them, the first CU_WITHHELD_MAX one by one; of what is withheld those that no incident of this
 *  organisation names yet. It is `p`'s own key that signs. */
CU_MUST_USE cu_status cu_withheld_record(struct cu_place *p, enum cu_incident_type type, const struct cu_withheld *what, size_t n, struct cu_err *err);

/* ---- copies are read again (patrol.c) ---- */

struct cu_patrol_request {
    struct cu_place *p;               /* for reading, this use's own: as of the newest checkpoint, refreshed by the caller */
    uint64_t party;                   /* the organisation whose copies these are */
    const struct cu_remote *provider; /* who is challenged; NULL: nobody */
    const char *provider_url;
    bool (*spend)(void *arg, uint64_t bytes);                  /* so much was done: waits as long as that is to take. False: it ends */
    bool (*lost)(void *arg, const struct cu_withheld *what);   /* it is here no more (and was put aside), or the provider's copy is not
                                                                  what was signed. False: it ends */
    void *arg;
};
enum { CU_PATROL_FAILED = 64 };
/** Between rounds: the provider's party; deposits whose challenge failed last. Begins as { 0 }. */
struct cu_patrol { uint64_t provider, failed[CU_PATROL_FAILED]; size_t failed_n; };
/** Everything that the log names up to now, once. INTERRUPTED: a call said that it ends. An error is one of this machine. */
CU_MUST_USE cu_status cu_patrol_round(struct cu_patrol *p, const struct cu_patrol_request *r, struct cu_err *err);

#endif
