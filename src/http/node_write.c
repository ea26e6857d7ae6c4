/* What is recorded through the node. */
#include "http/node_inside.h"

#define TRIES 8

/* What was recorded before is asked of the log. */
static bool any_known(const struct cu_outcome *outcomes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (outcomes[i].status == CU_DUPLICATE) return true;
    return false;
}

static void put_outcome(struct cu_reader *r, const struct cu_outcome *o, struct cu_json *j)
{
    struct cu_span entry;

    cu_json_open(j, NULL, '{');
    cu_json_str(j, "status", cu_status_name(o->status));
    if (o->status != CU_OK && o->status != CU_DUPLICATE) {
        cu_json_text(j, "detail", cu_span_str(o->text));
        cu_json_int(j, "exit", cu_status_exit(o->status));
        cu_json_bool(j, "retry", cu_status_retry(o->status));
    } else {
        cu_hash leaf = o->leaf;
        if (o->status == CU_DUPLICATE && cu_log_entry(&r->place.log, o->seq, &entry, NULL) == CU_OK) leaf = cu_leaf_hash(entry);
        cu_json_uint(j, "entry", o->seq.v);
        cu_json_hash(j, "id", &o->id);
        cu_json_hash(j, "leaf", &leaf);
    }
    if (o->status == CU_OK) {
        cu_json_uint(j, "block", o->block.v);
        cu_json_time(j, "time", o->closed);
    }
    cu_json_close(j, '}');
}

/* One record that is refused is a problem; of several each has its own status, for the others are recorded. */
cu_status cu_post_submit(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_engine *engine = r->place.engine;
    const bool sequence = strcmp(q->type, "application/cbor-seq") == 0;
    struct cu_span records[CU_SUBMIT_RECORDS_MAX];
    struct cu_outcome outcomes[CU_SUBMIT_RECORDS_MAX];
    struct cu_json j = cu_json_on(&a->body);
    size_t n;

    TRY(cu_records_split(q->body, records, sequence ? CU_SUBMIT_RECORDS_MAX : 1, &n, err));
    if (r->node->config.ready) TRY(r->node->config.ready(r->node->config.arg, err));
    TRY(engine->submit(engine->self, records, n, outcomes, err));
    TRY(cu_node_recorded(r->node, records, outcomes, n, err));
    if (!sequence && outcomes[0].status != CU_OK && outcomes[0].status != CU_DUPLICATE)
        return cu_fail(err, outcomes[0].status, "%s", outcomes[0].text);
    if (any_known(outcomes, n)) TRY(cu_reader_refresh(r, false, err));
    if (sequence) cu_json_open(&j, NULL, '[');
    for (size_t i = 0; i < n; i++) put_outcome(r, &outcomes[i], &j);
    if (sequence) cu_json_close(&j, ']');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}

/* ---- inventories ---- */

static void put_inventory(struct cu_json *j, struct cu_span name, const struct cu_inventory *inventory)
{
    cu_json_text(j, "case", name);
    cu_json_uint(j, "exhibits", inventory->n);
    cu_json_hash(j, "root", &inventory->root);
    cu_json_uint(j, "keys_with_open_serials", inventory->open.n);
}

/* A record that came between asking and saying makes it untrue, and nothing is recorded: then once more. */
static cu_status record_inventory(struct cu_node *node, struct cu_span name, struct cu_inventory *ret, struct cu_buf *mem,
                                  struct cu_outcome *outcome, struct cu_err *err)
{
    cu_status made = CU_UNTRUE;

    pthread_mutex_lock(&node->act);
    for (int i = 0; i < TRIES && (made == CU_UNTRUE || made == CU_STALE); i++) {
        cu_buf_clear(mem);
        made = cu_settle(node->config.place, err);
        if (made == CU_OK) made = cu_inventory_make(node->config.place, name, ret, mem, outcome, err);
    }
    pthread_mutex_unlock(&node->act);
    return made;
}

cu_status cu_post_inventory(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    CU_BUF mem = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_json j = cu_json_on(&a->body);
    struct cu_inventory inventory;
    struct cu_outcome outcome;

    TRY(record_inventory(r->node, q->arg[0], &inventory, &mem, &outcome, err));
    cu_http_wake(r->node->server);
    cu_json_open(&j, NULL, '{');
    put_inventory(&j, q->arg[0], &inventory);
    cu_json_time(&j, "time", outcome.closed);
    cu_json_uint(&j, "entry", outcome.seq.v);
    cu_json_hash(&j, "id", &outcome.id);
    cu_json_close(&j, '}');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}

cu_status cu_get_inventory(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_node *node = r->node;
    CU_BUF mem = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_json j = cu_json_on(&a->body);
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_inventory inventory;

    TRY(cu_reader_begin(r, q, err));
    TRY(cu_reader_find_case(r, q, &found, err));
    ENSURE(!r->place.sight || cu_relation_of(&r->place, r->place.sight, &found.row) == CU_OWN, err, CU_NOT_ALLOWED,
           "an inventory says what a case has, all of it, and only some of it was opened to you: nothing was read");
    pthread_mutex_lock(&node->act);
    const cu_status asked = cu_inventory_ask(node->config.place, q->arg[0], &inventory, &mem, err);
    pthread_mutex_unlock(&node->act);
    TRY(asked);
    cu_json_open(&j, NULL, '{');
    put_inventory(&j, q->arg[0], &inventory);
    cu_json_uint(&j, "as_of_block", inventory.seen.seq);
    cu_json_close(&j, '}');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}
