/* What the files of the provider's server share. */
#ifndef CU_HTTP_PROVIDER_INSIDE_H
#define CU_HTTP_PROVIDER_INSIDE_H

#include "http/objects.h"
#include "http/tick.h"
#include "http/provider.h"
#include "http/upload.h"

#include "custody/json.h"

/** Every worker's context: there is nothing that one has for himself. */
struct cu_http_provider {
    struct cu_upload_context uploads; /* first */
    struct cu_upload_host host;
    struct cu_http_provider_config config;
    struct cu_http_server *server;
    struct cu_provider *provider;
    void *contexts[CU_HTTP_WORKERS_MAX];

    pthread_mutex_t who; /* the members, as of the newest entry that says anything of them */
    struct cu_members members;
    uint64_t members_of;

    struct cu_tick tick; /* the keeper's */
    bool keeps, clock_is_off;
    _Atomic uint64_t damaged;
    pthread_t keeper;
};

extern const struct cu_http_route cu_provider_routes[];
extern const size_t cu_provider_routes_n;
cu_http_handler cu_get_object, cu_get_object_chunks;
cu_http_handler cu_provider_status, cu_provider_health, cu_provider_ready, cu_provider_metrics, cu_provider_api, cu_get_problems;

#endif
