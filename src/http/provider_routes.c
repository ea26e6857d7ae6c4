/* The provider's table of routes, and what answers to its own. The methods of one path stand together. */
#include "http/provider_inside.h"

#include "custody/text.h"

#define JSON "application/json"
#define BYTES "application/octet-stream"
#define TEXT "text/plain; charset=utf-8"

// clang-format off
#define OF { "entry", "the deposit that it is of: what cannot be given is brought again from the ledger's node" }
const struct cu_http_route cu_provider_routes[] = {
    CU_CLAIM_ROUTES,
    CU_UPLOAD_ROUTES,
    { "GET", "/v1/objects/{root}", cu_get_object, "content by its root, verified", .act = CU_ASK_FETCH, .gives = BYTES, .flags = CU_HTTP_PARTS, .query = { OF } },
    { "GET", "/v1/objects/{root}/chunks", cu_get_object_chunks, "the root of each MiB of it", .act = CU_ASK_FETCH, .gives = BYTES, .query = { OF } },

    { "GET", "/v1/status", cu_provider_status, "whose signature accepts here", .act = CU_ASK_PUBLIC, .gives = JSON, .shape = "kid" },

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

static cu_status id_of(const struct cu_http_request *q, cu_hash *ret, struct cu_err *err)
{
    ENSURE(cu_hex_read(q->arg[0], ret->b, sizeof ret->b, NULL) == CU_OK, err, CU_NOT_FOUND,
           "nothing has that name: 64 hex digits");
    return CU_OK;
}

/* ---- objects ---- */

/* What lies in the store is not what was put there: its operator hears of it, and who asks may ask elsewhere. */
static cu_status judge_read(struct cu_http_provider *v, cu_status read, struct cu_err *err)
{
    if (read != CU_BAD_HASH && read != CU_MALFORMED && read != CU_CORRUPT && read != CU_NOT_FOUND && read != CU_CHANGED)
        return read;
    v->damaged++;
    cu_http_tell(v->config.log, v->config.arg, cu_place_now(v->config.place), "trouble", err->text);
    return cu_fail_while(err, CU_CORRUPT,
                         "the provider's copy is damaged, and nothing of that part is sent; a node may have another");
}

static cu_status piece(void *context, struct cu_http_answer *a, uint64_t at, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    struct cu_err why = { 0 }; /* in mid-answer nobody asks for it */
    const bool judged = !cu_provider_read_lately(v->provider, &a->root,
                                                 a->to - at < CU_CHUNK_BYTES ? a->to - at : CU_CHUNK_BYTES);
    const cu_status got = judge_read(v, cu_object_piece(v->host.spool->store, a, at, judged, ret, &why), &why);

    return got == CU_OK ? CU_OK : cu_fail(err, got, "%s", why.text);
}

static cu_status find_object(struct cu_http_provider *v, const cu_hash *root, struct cu_err *err)
{
    struct cu_object o;
    const cu_status found = cu_objects_find(v->host.spool->store, CU_OBJECT_CONTENT, root, &o, err);

    return found == CU_NOT_FOUND ? found : judge_read(v, found, err); /* what was never here is not damaged */
}

static cu_status answer_object(struct cu_http_provider *v, struct cu_http_request *q, const cu_hash *root,
                               struct cu_http_answer *a, struct cu_err *err)
{
    TRY(find_object(v, root, err));
    const cu_status answered = cu_object_answer(v->host.spool->store, root, q, a, piece, v, err);
    return answered == CU_CORRUPT ? answered : judge_read(v, answered, err);
}

static cu_status answer_chunks(struct cu_http_provider *v, const cu_hash *root, struct cu_http_answer *a, struct cu_err *err)
{
    TRY(find_object(v, root, err));
    return judge_read(v, cu_object_chunks(v->host.spool->store, root, &a->body, err), err);
}

/* Whoever asks says of which deposit it is. NO_DEPOSIT: he does not. */
#define NO_DEPOSIT UINT64_MAX
static cu_status deposit_of(const struct cu_http_request *q, uint64_t *ret, struct cu_err *err)
{
    struct cu_span text;

    *ret = NO_DEPOSIT;
    if (!cu_query_find(q->query, "entry", &text)) return CU_OK;
    ENSURE(cu_decimal_read(text, INT64_MAX, ret, NULL) == CU_OK, err, CU_USAGE, "?entry= is a decimal number");
    return CU_OK;
}

static cu_status unless_lost(struct cu_http_provider *v, uint64_t seq, const cu_hash *root, cu_status given)
{
    if (given == CU_OK || given == CU_USAGE || given == CU_NO_MEMORY || seq == NO_DEPOSIT) return given;
    cu_provider_lost(v->provider, (cu_seq){ seq }, root);
    v->host.came(v);
    return given;
}

cu_status cu_get_object(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    uint64_t seq;
    cu_hash root;

    TRY(id_of(q, &root, err));
    TRY(deposit_of(q, &seq, err));
    return unless_lost(v, seq, &root, answer_object(v, q, &root, a, err));
}

cu_status cu_get_object_chunks(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    uint64_t seq;
    cu_hash root;

    TRY(id_of(q, &root, err));
    TRY(deposit_of(q, &seq, err));
    a->cache = CU_HTTP_BRIEFLY;
    return unless_lost(v, seq, &root, answer_chunks(v, &root, a, err));
}

/* ---- how it fares ---- */

cu_status cu_provider_status(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_http_provider *v = context;
    struct cu_json j = cu_json_on(&a->body);

    (void)q, (void)err;
    a->cache = CU_HTTP_BRIEFLY;
    cu_json_open(&j, NULL, '{');
    cu_json_hash(&j, "kid", &v->config.place->key[CU_SIGNER_PROVIDER].id);
    cu_json_close(&j, '}');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}

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
    cu_http_put_figure(out, "custody_reads_of_damaged_total", "counter", "reads that found the copy here damaged", v->damaged);
    cu_http_put_figure(out, "custody_mended_total", "counter",
                       "objects that were lost here and brought again from the ledger's node", v->provider->mended);
    cu_http_metrics(v->server, out);
    return CU_OK;
}

cu_status cu_provider_api(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    (void)context, (void)q;
    a->cache = CU_HTTP_BRIEFLY;
    return cu_http_provider_openapi(&a->body, err);
}
