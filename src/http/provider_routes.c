/* The provider's table of routes, and what answers to its own. The methods of one path stand together. */
#include "http/provider_inside.h"

#include "custody/text.h"

#define JSON "application/json"
#define BYTES "application/octet-stream"
#define CBOR "application/cbor"
#define TEXT "text/plain; charset=utf-8"
#define CLAIM "id state offset# ?length# ?reason upload ?entry#"
#define LIST_MAX ((size_t)8 << 20) /* of 256 GiB */

// clang-format off
const struct cu_http_route cu_provider_routes[] = {
    { "POST", "/v1/claims", cu_post_claim, "bring a claim file: 201, or 200 when it is known; what the provider does not want is refused, signed", .act = CU_ASK_GIVE,
      .takes = { CBOR }, .takes_max = CU_RECORD_MAX, .gives = JSON, .shape = CLAIM, .also = 201, .heads = "Location" },
    { "GET", "/v1/claims/{claim}", cu_get_claim, "what became of a claim: claimed, receiving, checking, accepted, refused or recorded", .act = CU_ASK_GIVE, .gives = JSON, .shape = CLAIM,
      .flags = CU_HTTP_WAITS, .query = { { "wait", "so many seconds at most for acceptance, refusal or record, 60 or fewer" } } },
    { "GET", "/v1/claims/{claim}/record", cu_get_claim_record, "the signed outcome, as a record that POST /v1/submit of the ledger takes", .act = CU_ASK_GIVE, .gives = CBOR },
    { "PUT", "/v1/claims/{claim}/chunks", cu_put_chunks, "before the first byte: the root of each MiB, 32 bytes each, so that each is judged as it comes", .act = CU_ASK_GIVE,
      .takes = { BYTES }, .takes_max = LIST_MAX, .gives = JSON, .shape = CLAIM },
    CU_UPLOAD_ROUTES,
    { "GET", "/v1/objects/{root}", cu_get_object, "content by its root, verified", .act = CU_ASK_FETCH, .gives = BYTES, .flags = CU_HTTP_PARTS },
    { "GET", "/v1/objects/{root}/chunks", cu_get_object_chunks, "the root of each MiB of it", .act = CU_ASK_FETCH, .gives = BYTES },

    { "GET", "/v1/problems", cu_get_problems, "every outcome that an answer may name", .act = CU_ASK_PUBLIC, .gives = JSON, .shape = CU_PROBLEMS_SHAPE },
    { "GET", "/v1/openapi.json", cu_provider_api, "this table", .act = CU_ASK_PUBLIC, .gives = JSON, .shape = "openapi info{} paths{} components{}" },
    { "GET", "/healthz", cu_provider_health, "ok while it answers", .act = CU_ASK_PUBLIC, .gives = TEXT },
    { "GET", "/readyz", cu_provider_ready, "ok while claims are taken", .act = CU_ASK_PUBLIC, .gives = TEXT },
    { "GET", "/metrics", cu_provider_metrics, "figures for Prometheus", .act = CU_ASK_PUBLIC, .gives = "text/plain; version=0.0.4; charset=utf-8" },
};
const size_t cu_provider_routes_n = sizeof cu_provider_routes / sizeof *cu_provider_routes;
// clang-format on

cu_status cu_http_provider_openapi(struct cu_buf *out, struct cu_err *err)
{
    return cu_http_openapi(cu_provider_routes, cu_provider_routes_n, "custody provider", CU_TOOL_NAME, out, err);
}

/* ---- claims ---- */

static void put_state(struct cu_json *j, const cu_hash *id, const struct cu_spooled_view *view)
{
    char hex[65], path[80];

    cu_hash_hex(id, hex);
    snprintf(path, sizeof path, "/v1/uploads/%s", hex);
    cu_json_open(j, NULL, '{');
    cu_json_str(j, "id", hex);
    cu_json_str(j, "state", cu_spooled_state_name(view->state));
    cu_json_uint(j, "offset", view->offset);
    if (view->whole) cu_json_uint(j, "length", view->length);
    if (view->why[0]) cu_json_text(j, "reason", cu_span_str(view->why));
    cu_json_str(j, "upload", path);
    if (view->state == CU_SPOOLED_RECORDED) cu_json_uint(j, "entry", view->seq);
    cu_json_close(j, '}');
    cu_buf_add_str(j->out, "\n");
}

static cu_status put_claim(struct cu_http_provider *v, const struct cu_http_request *q, const cu_hash *id,
                           struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_json j = cu_json_on(&a->body);
    struct cu_spooled_view view;

    TRY(cu_provider_look(v->provider, id, &view, err));
    ENSURE(v->host.may(v, &q->peer, &view.kid), err, CU_NOT_FOUND, "no such claim is here");
    put_state(&j, id, &view);
    a->not_yet = view.state < CU_SPOOLED_ACCEPTED;
    return CU_OK;
}

static cu_status id_of(const struct cu_http_request *q, cu_hash *ret, struct cu_err *err)
{
    ENSURE(cu_hex_read(q->arg[0], ret->b, sizeof ret->b, NULL) == CU_OK, err, CU_NOT_FOUND,
           "nothing has that name: 64 hex digits");
    return CU_OK;
}

cu_status cu_post_claim(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    char hex[65];
    cu_hash id;
    bool new;

    TRY(cu_provider_claim(v->provider, q->body, &id, &new, err));
    if (new) v->host.came(v); /* an empty one is whole already */
    cu_hash_hex(&id, hex);
    cu_http_head(a, "Location: /v1/claims/%s", hex);
    if (new) a->http = 201;
    return put_claim(v, q, &id, a, err);
}

cu_status cu_get_claim(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    cu_hash id;

    TRY(id_of(q, &id, err));
    return put_claim(context, q, &id, a, err);
}

cu_status cu_get_claim_record(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    struct cu_spooled_view view;
    cu_hash id;

    TRY(cu_upload_of(&v->host, q, &id, &view, err));
    return cu_spool_record(v->host.spool, &id, &a->body, err);
}

cu_status cu_put_chunks(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    struct cu_spooled *at;
    struct cu_spooled_view view;
    cu_hash id;

    TRY(cu_upload_of(&v->host, q, &id, &view, err));
    const cu_status taken = cu_spool_take(v->host.spool, &id, NULL, &at, err);
    if (taken == CU_OUT_OF_ORDER) a->http = 409;
    if (taken == CU_BUSY) a->http = 423;
    TRY(taken);
    const cu_status kept = cu_receive_set_chunks(&at->in, q->body, err);
    cu_spooled_received(at);
    if (kept == CU_OUT_OF_ORDER) a->http = 409;
    TRY(kept);
    return put_claim(v, q, &id, a, err);
}

/* ---- objects ---- */

static cu_status piece(void *context, struct cu_http_answer *a, uint64_t at, struct cu_buf *ret, struct cu_err *err)
{
    return cu_object_piece(((struct cu_http_provider *)context)->host.spool->store, a, at, ret, err);
}

cu_status cu_get_object(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    cu_hash root;

    TRY(id_of(q, &root, err));
    return cu_object_answer(v->host.spool->store, &root, q, a, piece, v, err);
}

cu_status cu_get_object_chunks(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    cu_hash root;

    TRY(id_of(q, &root, err));
    a->cache = CU_HTTP_BRIEFLY;
    return cu_object_chunks(v->host.spool->store, &root, &a->body, err);
}

/* ---- how it fares ---- */

cu_status cu_provider_health(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    (void)context, (void)q, (void)err;
    cu_buf_add_str(&a->body, "ok\n");
    return CU_OK;
}

cu_status cu_provider_ready(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;

    ENSURE(!cu_http_stopping(v->server), err, CU_INTERRUPTED, "the provider is stopping");
    if (v->config.room) TRY(v->config.room(v->config.arg, 0, err));
    return cu_provider_health(context, q, a, err);
}

cu_status cu_provider_metrics(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    struct cu_buf *out = &a->body;

    (void)q, (void)err;
    cu_buf_add_str(out, "# HELP custody_uploads claims by what became of them\n# TYPE custody_uploads gauge\n");
    for (enum cu_spooled_state s = CU_SPOOLED_CLAIMED; s < CU_SPOOLED_STATES; s++)
        cu_buf_addf(out, "custody_uploads{state=\"%s\"} %llu\n", cu_spooled_state_name(s), LLU(cu_spool_count(v->host.spool, s)));
    cu_http_put_figure(out, "custody_claims_total", "counter", "claims taken", v->provider->taken);
    cu_http_put_figure(out, "custody_refused_total", "counter", "claims refused", v->provider->refused);
    cu_http_put_figure(out, "custody_accepted_bytes_total", "counter", "bytes stored, read again and accepted",
                       v->provider->bytes);
    cu_http_metrics(v->server, out);
    return CU_OK;
}

cu_status cu_provider_api(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    (void)context, (void)q;
    a->cache = CU_HTTP_BRIEFLY;
    return cu_http_provider_openapi(&a->body, err);
}
