/* The provider's server: its keeper, and who may. */
#include "http/provider_inside.h"

#include <stdlib.h>

#define FOLLOW_MS 5000

/* ---- who ---- */

static void read_members(struct cu_http_provider *v)
{
    struct cu_members *m = malloc(sizeof *m);
    uint64_t of = v->members_of;
    const bool others = m && cu_provider_members(v->provider, &of, m);

    if (others) {
        pthread_mutex_lock(&v->who);
        v->members = *m;
        v->members_of = of;
        pthread_mutex_unlock(&v->who);
        cu_http_judge_anew(v->server);
    }
    free(m);
}

static cu_status identify(void *arg, const struct cu_cert *cert, struct cu_span token, struct cu_peer *ret, struct cu_err *err)
{
    struct cu_http_provider *v = arg;
    struct cu_verifier plain = cu_verifier_plain();

    pthread_mutex_lock(&v->who);
    const cu_status known = cert ? cu_peer_of(&v->members, cert, &plain, ret, err)
                                 : cu_peer_of_token(&v->members, token, cu_place_now(v->config.place), &plain, ret, err);
    pthread_mutex_unlock(&v->who);
    return known;
}

static bool may(void *self, const struct cu_peer *peer, const cu_hash *kid)
{
    struct cu_http_provider *v = self;

    pthread_mutex_lock(&v->who);
    const bool his = cu_peer_speaks_for(&v->members, peer, kid);
    pthread_mutex_unlock(&v->who);
    return his;
}

/* ---- the keeper ---- */

static void came(void *self) { cu_tick_wake(&((struct cu_http_provider *)self)->tick); }

static void changed(void *self) { cu_http_wake(((struct cu_http_provider *)self)->server); }

static void trouble(void *self, const char *text)
{
    struct cu_http_provider *v = self;

    cu_http_tell(v->config.log, v->config.arg, cu_place_now(v->config.place), "trouble", text);
}

/* Told once, until it is right again. */
static void judge_clock(struct cu_http_provider *v)
{
    char text[300];

    cu_clock_judge(v->config.place, text);
    if (text[0] && !v->clock_is_off) trouble(v, text);
    v->clock_is_off = text[0] != 0;
}

static void *keeper(void *arg)
{
    struct cu_http_provider *v = arg;
    bool any = true;

    while (cu_tick_wait(&v->tick)) {
        (void)!cu_provider_follow(v->provider, FOLLOW_MS, NULL); /* a ledger that is away is asked again */
        read_members(v);
        judge_clock(v);
        for (any = true; any && !cu_tick_over(&v->tick);) cu_provider_step(v->provider, &any);
    }
    return NULL;
}

/* ---- starting and stopping ---- */

static void free_provider(struct cu_http_provider **at)
{
    struct cu_http_provider *v = *at;

    if (!v) return;
    cu_tick_end(&v->tick);
    if (v->keeps) pthread_join(v->keeper, NULL);
    cu_http_stop(v->server, CU_HTTP_STOP_MS);
    cu_provider_close(v->provider);
    pthread_mutex_destroy(&v->who);
    cu_tick_destroy(&v->tick);
    free(v);
    *at = NULL;
}

static cu_status open_provider(struct cu_http_provider *v, struct cu_err *err)
{
    const struct cu_provider_config config = { .place = v->config.place,
                                               .size_max = v->config.size_max,
                                               .abandoned_ms = v->config.abandoned_ms,
                                               .room = v->config.room,
                                               .room_arg = v->config.arg,
                                               .changed = changed,
                                               .url = v->config.url,
                                               .trouble = trouble,
                                               .arg = v };
    char damage[400];

    TRY(cu_provider_open(&config, &v->provider, err));
    cu_spool_damage(v->provider->spool, damage);
    if (damage[0]) trouble(v, damage);
    v->host = (struct cu_upload_host){
        .spool = v->provider->spool, .self = v, .may = may, .came = came, .provider = v->provider
    };
    v->uploads.host = &v->host;
    for (unsigned i = 0; i < v->config.workers; i++) v->contexts[i] = v;
    return CU_OK;
}

cu_status cu_http_provider_start(const struct cu_http_provider_config *config, struct cu_http_provider **ret, struct cu_err *err)
{
    CU_CLEANUP(free_provider) struct cu_http_provider *v = calloc(1, sizeof *v);

    ENSURE(v, err, CU_NO_MEMORY, "no memory for a provider");
    pthread_mutex_init(&v->who, NULL);
    cu_tick_init(&v->tick);
    v->config = *config;
    TRY(open_provider(v, err));
    read_members(v);
    const struct cu_http_config http = { .address = config->address,
                                         .port = config->port,
                                         .names = config->names,
                                         .members_only = config->members_only,
                                         .tls = config->tls,
                                         .identify = identify,
                                         .who = v,
                                         .routes = cu_provider_routes,
                                         .routes_n = cu_provider_routes_n,
                                         .rate = config->rate,
                                         .workers = config->workers,
                                         .contexts = v->contexts,
                                         .log = config->log,
                                         .arg = config->arg };
    TRY(cu_http_start(&http, &v->server, err));
    cu_tick_wake(&v->tick); /* what an earlier process left */
    v->keeps = pthread_create(&v->keeper, NULL, keeper, v) == 0;
    ENSURE(v->keeps, err, CU_NO_MEMORY, "no thread for a provider");
    *ret = v;
    v = NULL;
    return CU_OK;
}

unsigned cu_http_provider_port(const struct cu_http_provider *v) { return cu_http_port(v->server); }
void cu_http_provider_stop(struct cu_http_provider *v) { free_provider(&v); }
cu_status cu_http_provider_reload(struct cu_http_provider *v, const struct cu_http_tls *tls, struct cu_err *err)
{
    return cu_http_reload(v->server, tls, err);
}
