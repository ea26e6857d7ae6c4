/* The provider behind a server. docs/formats/transfer.md has it whole.
 *
 * Workers receive and answer; a keeper's thread follows the ledger's log, stores what came whole, signs, and submits what is signed. */
#ifndef CU_HTTP_PROVIDER_H
#define CU_HTTP_PROVIDER_H

#include "http/server.h"
#include "service/provide.h"

struct cu_http_provider_config {
    struct cu_place *place;  /* as service/provide.h wants it */
    const char *address, *names;
    unsigned port, workers, rate;
    bool members_only;
    const char *url; /* the ledger's node */
    uint64_t size_max, abandoned_ms;
    const struct cu_http_tls *tls; /* NULL: plain HTTP, on the loopback */
    cu_status (*room)(void *arg, uint64_t bytes, struct cu_err *err);
    void (*log)(void *arg, const char *line);
    void *arg;
};
struct cu_http_provider;
CU_MUST_USE cu_status cu_http_provider_start(const struct cu_http_provider_config *config, struct cu_http_provider **ret, struct cu_err *err);
unsigned cu_http_provider_port(const struct cu_http_provider *v);
CU_MUST_USE cu_status cu_http_provider_reload(struct cu_http_provider *v, const struct cu_http_tls *tls, struct cu_err *err);
void cu_http_provider_stop(struct cu_http_provider *v); /* NULL is fine */
CU_MUST_USE cu_status cu_http_provider_openapi(struct cu_buf *out, struct cu_err *err);

#endif
