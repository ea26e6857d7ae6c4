/* The node: a ledger whose engine is open in this process, behind a server. docs/guide/api.md shows it, docs/formats/api.md has it whole.
 *
 * Each worker reads with a place of its own, so reading needs no lock; what is signed here is signed with one place, behind one. A keeper's
 * thread attests what came in, lets the search index follow, and turns noted reads into entries.
 */
#ifndef CU_HTTP_NODE_H
#define CU_HTTP_NODE_H

#include "http/server.h"
#include "service/copy.h"
#include "service/cosigner.h"
#include "service/service.h"

struct cu_node;
struct cu_node_config {
    struct cu_place *place; /* open for writing, and this node's alone until it is stopped */
    const char *address, *names;
    unsigned port, workers, rate;
    bool members_only;
    const struct cu_http_tls *tls; /* NULL: plain HTTP, on the loopback */
    const struct cu_cert_issuer *issuer; /* makes members' certificates; NULL: nobody here does */
    struct cu_cosigner *cosigner;  /* NULL: nothing is cosigned here */
    struct cu_cosigner *next_cosigner; /* who takes its place when the trust file lists him; NULL: nobody does */
    struct cu_span witnessed;      /* a tlog-policy: the logs that are cosigned for others; n == 0: none */
    const char *peers;             /* addresses of other organisations' nodes, separated by spaces; NULL: none */
    const uint64_t *peers_party;   /* whose each is; NULL: nobody says, and these stay */
    bool (*members)(void *arg, struct cu_node *node); /* who belongs to the ledger, or by which keys, has changed; while nobody uses the place. False: it is told again. NULL: nobody is told */
    cu_status (*ready)(void *arg, struct cu_err *err); /* may more be written (is there room)? Any thread */
    void (*log)(void *arg, const char *line);          /* any thread */
    void *arg;
    struct cu_node_copies {
        const struct cu_copy_source *sources; /* that content is pulled from: the provider first. NULL: none is pulled */
        size_t sources_n;
        cu_status (*renew)(void *arg, struct cu_copier *copier, struct cu_err *err); /* before each round: now sources may be closed and opened, and
                                                                                      * `cu_copier_sources` told. NULL: they stay */
        const char *provider;                 /* what clients are told; NULL: nothing */
        unsigned lanes;
        uint64_t withheld_ms;
        uint64_t patrol;                      /* bytes a second that are read again; 0: nothing is */
        struct cu_remote challenged;          /* the provider, with a connection for that alone; ops NULL: nobody */
        atomic_bool *ending;                  /* which the sources look at, too */
    } copies;
};
CU_MUST_USE cu_status cu_node_start(const struct cu_node_config *config, struct cu_node **ret, struct cu_err *err);
unsigned cu_node_port(const struct cu_node *node);
CU_MUST_USE cu_status cu_node_reload(struct cu_node *node, const struct cu_http_tls *tls, struct cu_err *err); /* as cu_http_reload */
/** The other organisations' nodes, to which cosignatures go and from which they come, are these now, as `peers` and `peers_party` of the config: by
 *  `members`. Who is not among them is asked no more, who has another address there. */
CU_MUST_USE cu_status cu_node_peers(struct cu_node *node, const char *urls, const uint64_t *party, struct cu_err *err);
/** Requests that run are answered, what was noted is recorded. NULL is fine. */
void cu_node_stop(struct cu_node *node);
CU_MUST_USE cu_status cu_node_openapi(struct cu_buf *out, struct cu_err *err);

#endif
