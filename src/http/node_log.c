/* The log as static files, for any tlog client; and how the node fares. */
#include "http/node_inside.h"

cu_status cu_get_checkpoint(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;

    (void)q;
    a->cache = CU_HTTP_BRIEFLY;
    if (cu_cosigned_checkpoint(r, &a->body)) return CU_OK;
    return r->place.engine->checkpoint(r->place.engine->self, &a->body, err);
}

/* Of every size up to now: a checkpoint may be out for it. */
cu_status cu_get_tile(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_engine *engine = r->place.engine;
    const struct cu_tile_source tiles = engine->tiles(engine->self);
    const bool entries = strstr(q->route->path, "/entries/") != NULL;
    CU_BUF path = cu_buf_heap(CU_TARGET_MAX + 16);
    struct cu_tile tile;

    cu_buf_add_str(&path, entries ? "tile/entries/" : "tile/");
    cu_buf_add(&path, q->arg[0]);
    TRY(cu_buf_ok(&path, err));
    ENSURE(cu_tile_path_read(cu_buf_span(&path), &tile, NULL) == CU_OK && (tile.level == CU_TILE_ENTRIES) == entries, err,
           CU_NOT_FOUND, "that is no tile's path");
    const unsigned width = cu_tile_width(tile.level, tile.index, engine->tip(engine->self).size);
    ENSURE(tile.width <= width, err, CU_NOT_FOUND, "the log has no such tile yet");
    a->cache = CU_HTTP_IMMUTABLE;
    return tiles.read(tiles.self, tile, &a->body, err);
}

/* As of now: it has all that was said of members up to the last change. */
cu_status cu_get_trust_chain(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    CU_BUF trust = cu_buf_heap(CU_TRUST_MAX);
    size_t steps;

    (void)q;
    TRY(cu_reader_refresh(r, true, err));
    a->cache = CU_HTTP_BRIEFLY;
    return cu_trust_chain_make(&r->place, &a->body, &trust, &steps, err);
}

/* ---- how it fares ---- */

cu_status cu_get_health(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);

    (void)q;
    TRY(r->place.engine->checkpoint(r->place.engine->self, &note, err)); /* an engine that failed says so */
    cu_buf_add_str(&a->body, "ok\n");
    return CU_OK;
}

cu_status cu_get_ready(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_node *node = ((struct cu_reader *)context)->node;

    ENSURE(!cu_http_stopping(node->server), err, CU_INTERRUPTED, "the node is stopping");
    if (node->config.ready) TRY(node->config.ready(node->config.arg, err));
    return cu_get_health(context, q, a, err);
}

cu_status cu_get_metrics(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_node *node = r->node;
    struct cu_index *index = &r->place.index;
    const struct cu_tip tip = r->place.engine->tip(r->place.engine->self);
    cu_size indexed;

    (void)q;
    TRY(index->size(index->self, &indexed, err));
    cu_http_put_figure(&a->body, "custody_log_entries", "gauge", "entries of the log", tip.size.v);
    cu_http_put_figure(&a->body, "custody_index_lag_entries", "gauge", "entries that the search index lacks",
                       indexed.v < tip.size.v ? tip.size.v - indexed.v : 0);
    cu_http_put_figure(&a->body, "custody_reads_unrecorded_total", "counter", "reads of evidence that could not be noted",
                       node->unrecorded);
    cu_http_put_figure(&a->body, "custody_reads_of_damaged_total", "counter", "reads that found the provider's copy damaged",
                       node->damaged);
    cu_http_put_figure(&a->body, "custody_misbehaviour", "gauge",
                       "incidents by which an organisation broke the rules of consensus", node->misbehaviour);
    pthread_mutex_lock(&node->lock);
    const uint64_t held = node->held_n;
    pthread_mutex_unlock(&node->lock);
    cu_http_put_figure(&a->body, "custody_unattested_ranges", "gauge", "ranges of deposits held and not attested yet", held);
    cu_http_put_figure(&a->body, "custody_enrolments_waiting", "gauge", "requests to be enrolled that nobody has decided on",
                       cu_node_waiting(r));
    cu_pull_metrics(node, &a->body);
    cu_cosigning_metrics(node, &a->body);
    cu_http_metrics(node->server, &a->body);
    return CU_OK;
}

cu_status cu_get_openapi(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    (void)context, (void)q;
    a->cache = CU_HTTP_BRIEFLY;
    return cu_node_openapi(&a->body, err);
}

#define PUT_PROBLEM(num, name, http, code, retry, text, zh) put_problem(&j, CU_##name);
static void put_problem(struct cu_json *j, cu_status status)
{
    cu_json_open(j, NULL, '{');
    cu_json_str(j, "code", cu_status_name(status));
    cu_json_str(j, "title", cu_status_text(status));
    cu_json_str(j, "title_zh", cu_status_text_zh(status));
    cu_json_int(j, "status", cu_status_http(status));
    cu_json_int(j, "exit", cu_status_exit(status));
    cu_json_bool(j, "retry", cu_status_retry(status));
    cu_json_close(j, '}');
}

cu_status cu_get_problems(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_json j = cu_json_on(&a->body);

    (void)context, (void)q, (void)err;
    a->cache = CU_HTTP_BRIEFLY;
    cu_json_open(&j, NULL, '[');
    CU_STATUS_TABLE(PUT_PROBLEM)
    cu_json_close(&j, ']');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}
