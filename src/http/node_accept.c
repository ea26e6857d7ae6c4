/* What a provider answers a notice with comes to the node of who asked: claims and bytes as to a provider (service/provide.h), and the organisation's key
 * accepts what came whole, was stored and read again. And claims that are to be watched. */
#include "http/node_inside.h"
#include "http/tick.h"

#include "custody/text.h"

#include <stdlib.h>

struct cu_accepting {
    struct cu_reader reader; /* its place has the organisation's key, too: the node's own, which it outlives not */
    struct cu_provider *provider;
    struct cu_tick tick;
    bool runs;
    pthread_t thread;
};

/* ---- what it tells the node, and asks ---- */

static cu_status follow(void *self, struct cu_err *err)
{
    return cu_reader_refresh(&((struct cu_node *)self)->accepting->reader, true, err);
}

static void changed(void *self) { cu_http_wake(((struct cu_node *)self)->server); }

static void trouble(void *self, const char *text)
{
    const struct cu_node *node = self;

    cu_http_tell(node->config.log, node->config.arg, cu_place_now(node->config.place), "trouble", text);
}

static cu_status room(void *self, uint64_t bytes, struct cu_err *err)
{
    const struct cu_node *node = self;

    (void)bytes;
    return node->config.ready ? node->config.ready(node->config.arg, err) : CU_OK;
}

static void recorded(void *self, const struct cu_span *records, const struct cu_outcome *outcomes, size_t n)
{
    (void)!cu_node_recorded(self, records, outcomes, n, NULL);
}

/* ---- the thread ---- */

static void *accepter(void *arg)
{
    struct cu_accepting *c = ((struct cu_node *)arg)->accepting;
    bool any = true;

    while (cu_tick_wait(&c->tick))
        for (any = true; any && !cu_tick_over(&c->tick);) cu_provider_step(c->provider, &any);
    return NULL;
}

void cu_accepting_wake(struct cu_node *node)
{
    if (node->accepting) cu_tick_wake(&node->accepting->tick);
}

/* ---- starting and stopping ---- */

cu_status cu_accepting_open(struct cu_node *node, struct cu_err *err)
{
    const struct cu_place *from = node->config.place;
    struct cu_provider_config config = { .spool = node->uploads.spool,
                                         .second = from->near == CU_STORE_CLOUD ? from->store[CU_STORE_CLOUD] : NULL,
                                         .follow = follow,
                                         .room = room,
                                         .room_arg = node,
                                         .changed = changed,
                                         .submitted = recorded,
                                         .trouble = trouble,
                                         .arg = node };

    if (!from->has_key[CU_SIGNER_ORGANISATION]) return CU_OK; /* who cannot sign accepts nothing */
    struct cu_accepting *c = calloc(1, sizeof *c);
    ENSURE(c, err, CU_NO_MEMORY, "no memory to accept what answers notices");
    cu_tick_init(&c->tick);
    node->accepting = c;
    TRY(cu_reader_open(node, &c->reader, err));
    c->reader.place.key[CU_SIGNER_ORGANISATION] = from->key[CU_SIGNER_ORGANISATION];
    c->reader.place.has_key[CU_SIGNER_ORGANISATION] = true;
    config.place = &c->reader.place;
    TRY(cu_provider_open(&config, &c->provider, err));
    node->uploads.provider = c->provider;
    return cu_reader_refresh(&c->reader, true, err);
}

cu_status cu_accepting_start(struct cu_node *node, struct cu_err *err)
{
    struct cu_accepting *c = node->accepting;

    if (!c) return CU_OK;
    cu_tick_wake(&c->tick); /* what an earlier process left */
    c->runs = pthread_create(&c->thread, NULL, accepter, node) == 0;
    ENSURE(c->runs, err, CU_NO_MEMORY, "no thread to accept what answers notices");
    return CU_OK;
}

void cu_accepting_stop(struct cu_node *node)
{
    struct cu_accepting *c = node->accepting;

    if (!c) return;
    cu_tick_end(&c->tick);
    if (c->runs) pthread_join(c->thread, NULL);
    c->runs = false;
}

void cu_accepting_free(struct cu_node *node)
{
    struct cu_accepting *c = node->accepting;

    if (!c) return;
    cu_provider_close(c->provider);
    c->reader.place.has_key[CU_SIGNER_ORGANISATION] = false; /* it is the node's to free */
    memset(&c->reader.place.key[CU_SIGNER_ORGANISATION], 0, sizeof c->reader.place.key[0]);
    cu_reader_close(&c->reader);
    cu_tick_destroy(&c->tick);
    free(c);
    node->accepting = NULL;
}

/* ---- claims that are watched ---- */

cu_status cu_post_supervised(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_node *node = r->node;
    struct cu_json j = cu_json_on(&a->body);
    const struct cu_member_key *key;
    struct cu_claim_file parts;
    struct cu_statement claim;
    cu_unix_ms due;
    cu_hash id;

    TRY(cu_reader_refresh(r, true, err));
    TRY(cu_schema_read(&cu_claim_file_schema, q->body, &parts, err));
    TRY(cu_statement_read(parts.claim, &claim, err));
    ENSURE(claim.kind == CU_KIND_CLAIM, err, CU_WRONG_KIND, "that is no claim: nothing is watched");
    TRY(cu_members_may(&r->place.members, &claim.kid, cu_act_say(CU_KIND_CLAIM, &claim.body.claim),
                       (cu_seq){ r->place.log.checkpoint.size.v }, &key, err));
    TRY(cu_place_signed(&r->place, &claim, key, err));
    ENSURE(node->uploads.may(node, &q->peer, &claim.kid), err, CU_NOT_ALLOWED,
           "the claim is another's, and he or his organisation has it watched: nothing was kept");
    if (node->config.ready) TRY(node->config.ready(node->config.arg, err));
    pthread_mutex_lock(&node->act);
    const cu_status watched = cu_supervise(node->config.place, q->body, &id, &due, err);
    pthread_mutex_unlock(&node->act);
    TRY(watched);
    cu_json_open(&j, NULL, '{');
    cu_json_hash(&j, "id", &id);
    cu_json_time(&j, "due", due);
    cu_json_close(&j, '}');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}
