/* Cosignatures: this node's own, its peers', outside witnesses'; and those that it makes for the logs of others.
 *
 * (1) One thread signs; one a peer speaks to that peer, over a connection that stays open, and one to outside witnesses. So nobody who asks
 *     this node waits for another one, and no peer for another.
 * (2) With peers, nothing is cosigned before more than half of those that it began with have shown what they know of this node's own cosignatures: so one
 *     that was put back from a backup, or copied, first learns what it signed.
 * (3) Whatever does not fit this log, from whomever, becomes a fork proof: kept, published, and said at every look at the node.
 * (4) A size of which a peer shows only signers that are not listed here is stepped over. Others may cosign it later, and nobody needs that any more
 *     once a later size has its quorum: until then it is asked for again, after all that is behind it.
 * (5) On a chain every block's size is cosigned, in turn, also where the next block is there already: the others do the same, so quorums meet.
 */
#include "http/node_inside.h"
#include "http/tick.h"

#include "custody/text.h"
#include "proof/witness.h"
#include "service/cosigned.h"

#include <stdio.h>
#include <stdlib.h>

enum { PEERS_MAX = CU_PARTIES_MAX, URL_MAX = 1024, PULL_MS = 800, MADE = 16, NEXT_MS = 100 };
#define GONE UINT64_MAX
#define EVERY_MS 1000 /* peers and witnesses are asked */

/* Whom one thread speaks to: a peer or, without an address, all outside witnesses. */
struct peer {
    struct cu_node *node;
    uint64_t party;                    /* GONE: it left, and its thread has ended, or is about to */
    char url[URL_MAX], moved[URL_MAX]; /* the second one, unless it is "", is taken from now on */
    struct cu_remote remote;
    struct cu_reader reader;
    cu_size next, pushed; /* to ask for; what it was told last */
    cu_size again;        /* the first that was stepped over, whose cosignatures may come later; 0: none */
    _Atomic bool reached; /* it has shown all that it has (2) */
    _Atomic bool first;   /* one of those that it began with, and waits for */
    struct cu_tick tick;
    pthread_t thread;
    bool runs;
};

struct cu_cosigning {
    struct cu_reader reader; /* of the thread that signs */
    struct cu_tlog_policy witnessed;
    struct peer peer[PEERS_MAX + 1]; /* the first one: the witnesses */
    _Atomic size_t peers_n;          /* behind it: more may come while it runs */
    cu_size at, seen, own;           /* looked at; its log key's line is kept; cosigned */
    _Atomic bool refused;            /* this key cosigned another log: it signs nothing more */

    pthread_mutex_t lock;
    struct cu_err told; /* the trouble that was logged last */
    struct made {
        cu_size size;
        struct cu_buf note;
    } made[MADE]; /* what it cosigned last, with its own lines alone: for the peers */
    unsigned made_n;

    struct cu_tick tick;
    bool runs;
    pthread_t thread;
    _Atomic uint64_t cosigned, troubles, met; /* met: the newest size with a quorum */
};

static void tell(struct cu_node *node, const char *what, const char *text)
{
    cu_http_tell(node->config.log, node->config.arg, cu_place_now(node->config.place), what, text);
}

/* Once, until it is another. */
static void trouble(struct cu_node *node, const struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;

    c->troubles++;
    pthread_mutex_lock(&c->lock);
    const bool known = strcmp(c->told.text, err->text) == 0;
    c->told = *err;
    pthread_mutex_unlock(&c->lock);
    if (!known) tell(node, "cosigning", err->text);
}

/* By (3). Under `act`, with the place that has the keys. */
static cu_status keep_fork(struct cu_node *node, struct cu_span note, struct cu_err *err)
{
    struct cu_place *p = node->config.place;
    bool is_new = false;

    cu_status kept = p->log.checkpoint.size.v < p->engine->tip(p->engine->self).size.v ? cu_place_refresh(p, err) : CU_OK;
    if (kept == CU_OK) kept = cu_fork_keep(p, note, &is_new, err);
    if (is_new)
        tell(node, "ALARM",
             "somebody signed another log of this name: the proof is in " CU_DIR_FORKS
             " and at /v1/forks; see `custody fork-proof "
             "verify`");
    return kept;
}

static cu_status size_of(struct cu_span bytes, cu_size *ret, struct cu_err *err)
{
    struct cu_checkpoint checkpoint;
    struct cu_note note;

    TRY(cu_note_read(bytes, &note, err));
    TRY(cu_checkpoint_read(note.text, &checkpoint, err));
    *ret = checkpoint.size;
    return CU_OK;
}

/* What was known before counts, too, where nobody was told: the file may have been there, and its writing have failed. */
static void note_met(struct cu_node *node, cu_size size, bool more)
{
    uint64_t before = node->cosigning->met;

    if (!more && before >= size.v) return;
    while (before < size.v && !atomic_compare_exchange_weak(&node->cosigning->met, &before, size.v)) continue;
    cu_http_wake(node->server);
}

/* What anybody says of this log. The place is a reader's. */
static cu_status take(struct cu_reader *r, struct cu_span note, bool *ret_more, bool *ret_met, struct cu_err *err)
{
    cu_size size;

    struct cu_node *node = r->node;
    struct cu_err why = { 0 };

    TRY(cu_reader_refresh(r, false, err));
    const cu_status taken = cu_cosigned_take(&r->place, note, ret_more, ret_met, &why);
    if (taken == CU_BAD_PROOF) {
        pthread_mutex_lock(&node->act);
        const cu_status kept = keep_fork(node, note, err);
        pthread_mutex_unlock(&node->act);
        TRY(kept);
    }
    if (taken != CU_OK) return cu_fail(err, taken, "%s", why.text);
    TRY(size_of(note, &size, err));
    if (*ret_met) note_met(node, size, *ret_more);
    return CU_OK;
}

bool cu_cosigned_checkpoint(struct cu_reader *r, struct cu_buf *out)
{
    const cu_size tip = r->place.engine->tip(r->place.engine->self).size, met = { r->node->cosigning->met };

    return cu_cosigned_needed(&r->place, tip) && met.v > 0 && cu_cosigned_get(&r->place, met, out, NULL) == CU_OK;
}

/* ---- what is asked of this node ---- */

static cu_status give(struct cu_reader *r, cu_size size, struct cu_http_answer *a, struct cu_err *err)
{
    a->cache = CU_HTTP_BRIEFLY;
    return cu_cosigned_get(&r->place, size, &a->body, err);
}

cu_status cu_get_cosignatures(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_span text;
    cu_size size;

    TRY(cu_reader_refresh(r, false, err));
    size = r->place.log.checkpoint.size;
    if (cu_query_find(q->query, "from", &text))
        ENSURE(cu_decimal_read(text, INT64_MAX, &size.v, NULL) == CU_OK, err, CU_USAGE, "?from= is a decimal number");
    TRY(cu_cosigned_next(&r->place, size, &size, err));
    return give(r, size, a, err);
}

cu_status cu_get_cosignatures_of(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    cu_size size;

    ENSURE(cu_decimal_read(q->arg[0], INT64_MAX, &size.v, NULL) == CU_OK, err, CU_NOT_FOUND, "that is no size of a log");
    return give(context, size, a, err);
}

cu_status cu_post_cosignatures(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_json j = cu_json_on(&a->body);
    bool more, met;

    if (r->node->config.ready) TRY(r->node->config.ready(r->node->config.arg, err));
    const cu_status taken = take(r, q->body, &more, &met, err);
    a->not_yet = taken == CU_OUT_OF_ORDER; /* a block does not come everywhere at once */
    TRY(taken);
    cu_json_open(&j, NULL, '{');
    cu_json_bool(&j, "new", more);
    cu_json_bool(&j, "quorum", met);
    cu_json_close(&j, '}');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}

/* Signed by a key that is listed for its name, and none by a listed key fails. NOT_FOUND: no log of this name is listed. */
static cu_status judge_log(const struct cu_tlog_policy *logs, const struct cu_note *note, struct cu_verifier *by,
                           struct cu_checkpoint *ret, struct cu_err *err)
{
    struct cu_note_verdict verdict;
    bool known = false;

    TRY(cu_checkpoint_read(note->text, ret, err));
    for (size_t i = 0; i < logs->logs_n; i++) known |= cu_span_eq(logs->log[i].name, ret->origin);
    ENSURE(known, err, CU_NOT_FOUND, "no log of this name is cosigned here");
    ENSURE(cu_checkpoint_signed(note, logs, by, ret, &verdict, NULL) == CU_OK, err, CU_NOT_ALLOWED,
           "the checkpoint is not signed by the key that is known here for its log, and by it alone under that name");
    return CU_OK;
}

cu_status cu_post_add_checkpoint(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_node *node = r->node;
    struct cu_witness_request request;
    struct cu_checkpoint checkpoint;
    struct cu_note note;
    cu_size last = { 0 };

    ENSURE(node->config.cosigner && node->config.witnessed.n > 0, err, CU_NOT_FOUND, "no logs of others are cosigned here");
    TRY(cu_witness_request_read(q->body, &request, err));
    TRY(cu_note_read(request.checkpoint, &note, err));
    TRY(judge_log(&node->cosigning->witnessed, &note, &r->place.verifier, &checkpoint, err));
    const struct cu_cosign_step step = { .old = request.old, .proof = request.proof, .n = request.n };
    const cu_status done = cu_cosigner_sign(node->config.cosigner, note.text, &step, &a->body, &last, err);
    if (done != CU_CHANGED) return done;
    a->http = 409;
    a->type = "text/x.tlog.size";
    cu_buf_clear(&a->body);
    cu_buf_addf(&a->body, "%llu\n", LLU(last.v));
    return CU_OK;
}

static void put_name(void *json, const char *name) { cu_json_text(json, NULL, cu_span_str(name)); }

cu_status cu_get_forks(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_json j = cu_json_on(&a->body);
    uint64_t n;

    (void)q;
    cu_json_open(&j, NULL, '{');
    cu_json_open(&j, "forks", '[');
    TRY(cu_forks_list(&r->place, &n, put_name, &j, err));
    cu_json_close(&j, ']');
    cu_json_close(&j, '}');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}

cu_status cu_get_fork(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    struct cu_span name = q->arg[0];
    uint8_t eight[8];
    char path[100];

    ENSURE(name.n == 21 && cu_hex_read(cu_span(name.p, 16), eight, 8, NULL) == CU_OK &&
               cu_span_is(cu_span_from(name, 16), ".fork"),
           err, CU_NOT_FOUND, "there is no such proof");
    snprintf(path, sizeof path, CU_DIR_FORKS "/%.21s", (const char *)name.p);
    return cu_fs_read(&r->place.fs, path, CU_RECEIPT_MAX, &a->body, err);
}

/* ---- this node's own ---- */

static bool may_sign(const struct cu_cosigning *c)
{
    size_t n = 0, reached = 0;

    for (size_t i = 1; i <= c->peers_n; i++)
        if (c->peer[i].first) n++, reached += c->peer[i].reached;
    return n == 0 || 2 * reached > n;
}

/* Where the trust file does not list this key, nobody waits for its word on this log: it may be a witness for others alone. */
static bool is_listed(const struct cu_tlog_policy *policy, const struct cu_cosigner *c)
{
    bool listed = false;

    for (size_t i = 0; c && i < policy->nodes_n; i++)
        listed |= !policy->node[i].is_group && policy->node[i].vkey.id == c->vkey.id &&
                  cu_span_eq(policy->node[i].vkey.name, c->vkey.name);
    return listed;
}

/* NULL: neither key is. */
static struct cu_cosigner *listed(const struct cu_node *node, cu_size size)
{
    const struct cu_place *p = &node->cosigning->reader.place;
    struct cu_tlog_policy policy;

    if (cu_trust_policy(&p->trust, size, &policy, NULL) != CU_OK) return NULL;
    return is_listed(&policy, node->config.cosigner)        ? node->config.cosigner
           : is_listed(&policy, node->config.next_cosigner) ? node->config.next_cosigner
                                                            : NULL;
}

static void keep_made(struct cu_cosigning *c, cu_size size, struct cu_buf *note)
{
    pthread_mutex_lock(&c->lock);
    struct made *at = &c->made[c->made_n++ % MADE];
    const struct cu_buf was = at->note;
    *at = (struct made){ size, *note };
    *note = was;
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i <= c->peers_n; i++) cu_tick_wake(&c->peer[i].tick);
}

/* A checkpoint of this node's own. */
static cu_status sign_own(struct cu_node *node, struct cu_span checkpoint, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;
    struct cu_place *p = &c->reader.place;
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    cu_size size;
    bool more, met;

    TRY(size_of(checkpoint, &size, err));
    if (c->seen.v < size.v && cu_cosigned_needed(p, size)) { /* its log key's word, for its receipts */
        TRY(cu_cosigned_take(p, checkpoint, &more, &met, err));
        c->seen = size;
        if (met) note_met(node, size, more);
    }
    struct cu_cosigner *by = listed(node, size);
    if (!by) return CU_OK;
    ENSURE(!c->refused, err, CU_BAD_PROOF,
           "this key cosigned another log than the one that lies here: nothing more is cosigned. Find out who had the key, or "
           "which copy "
           "was put in the place of which, before another key is made");
    if (!may_sign(c) || c->own.v >= size.v) return CU_OK;
    TRY(cu_cosigned_own(p, by, checkpoint, &note, &more, &met, err));
    c->own = size;
    c->cosigned = size.v;
    if (met) note_met(node, size, more);
    keep_made(c, size, &note);
    return CU_OK;
}

/* ---- peers ---- */

/* By (2), and to be told what it lacks. */
static cu_status learn(struct peer *peer, struct cu_span bytes, struct cu_err *err)
{
    struct cu_node *node = peer->node;
    const struct cu_node_source nodes = cu_tile_node_source(&peer->reader.place.log.nodes);
    struct cu_note note;
    bool more, met;

    const cu_status taken = take(&peer->reader, bytes, &more, &met, err);
    if (!node->config.cosigner || (taken != CU_OK && taken != CU_BAD_PROOF)) return taken;
    TRY(cu_note_read(bytes, &note, err));
    struct cu_cosigner *const both[] = { node->config.cosigner, node->config.next_cosigner };
    for (unsigned i = 0; i < 2 && both[i]; i++) {
        const cu_status recalled = cu_cosigner_recall(both[i], &note, &nodes, err);
        if (recalled == CU_BAD_PROOF) node->cosigning->refused = true;
        if (recalled != CU_NOT_FOUND) TRY(recalled);
    }
    return taken;
}

/* By (4). */
static void step_over(struct peer *peer, cu_size size)
{
    if (peer->again.v == 0 && cu_cosigned_needed(&peer->reader.place, size)) peer->again = size;
}

static void shown_all(struct peer *peer)
{
    peer->reached = true;
    if (peer->again.v > peer->node->cosigning->met) peer->next = peer->again;
    peer->again.v = 0;
}

static cu_status pull(struct peer *peer, struct cu_err *err)
{
    CU_BUF answer = cu_buf_heap(CU_NOTE_MAX);
    unsigned http = 200;
    char path[64];
    cu_size size;

    TRY(cu_reader_refresh(&peer->reader, false, err));
    const cu_size tip = peer->reader.place.log.checkpoint.size;
    const uint64_t until = cu_place_now(&peer->reader.place).v + PULL_MS; /* what is made meanwhile has to be pushed */
    bool all = false;
    while (!all && cu_place_now(&peer->reader.place).v < until && !cu_tick_over(&peer->tick)) {
        cu_buf_clear(&answer);
        snprintf(path, sizeof path, "v1/cosignatures?from=%llu", LLU(peer->next.v));
        TRY(peer->remote.ops->ask(peer->remote.self, path, CU_SPAN_EMPTY, &http, &answer, err));
        all = http == 404;
        if (http != 200) break;
        TRY(size_of(cu_buf_span(&answer), &size, err));
        ENSURE(size.v >= peer->next.v, err, CU_IO, "%s answers with another size than was asked for", peer->url);
        const cu_status learnt = learn(peer, cu_buf_span(&answer), err);
        if (learnt == CU_OUT_OF_ORDER) return CU_OK; /* it is ahead: when this log has caught up */
        if (learnt == CU_UNTRUSTED) trouble(peer->node, err), step_over(peer, size);
        else if (learnt != CU_OK && learnt != CU_BAD_PROOF) return learnt;
        all = size.v >= tip.v; /* whose cosignatures may still come in: it is asked for again */
        if (!all) peer->next.v = size.v + 1;
    }
    if (all) shown_all(peer);
    return CU_OK;
}

/* What was cosigned behind what it was told, the oldest first. */
static bool next_made(struct cu_cosigning *c, cu_size pushed, cu_size *ret, struct cu_buf *ret_note)
{
    bool found = false;

    pthread_mutex_lock(&c->lock);
    for (unsigned i = c->made_n > MADE ? c->made_n - MADE : 0; i < c->made_n && !found; i++) {
        const struct made *at = &c->made[i % MADE];
        found = at->size.v > pushed.v;
        if (found) *ret = at->size, cu_buf_clear(ret_note), cu_buf_add(ret_note, cu_buf_span(&at->note));
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* Who has not come so far waits a second with its answer. What it refuses it asks for itself, later. */
static cu_status push(struct peer *peer, struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX), answer = cu_buf_heap(CU_NOTE_MAX);
    unsigned http;
    cu_size size = { 0 };

    while (next_made(peer->node->cosigning, peer->pushed, &size, &note) && !cu_tick_over(&peer->tick)) {
        TRY(cu_buf_ok(&note, err));
        cu_buf_clear(&answer);
        TRY(peer->remote.ops->ask(peer->remote.self, "v1/cosignatures?wait=1", cu_buf_span(&note), &http, &answer, err));
        peer->pushed = size;
    }
    return CU_OK;
}

/* What it serves as its log is what it would show anybody. */
static cu_status watch(struct peer *peer, struct cu_err *err)
{
    CU_BUF answer = cu_buf_heap(CU_NOTE_MAX);
    unsigned http;
    bool more, met;

    TRY(peer->remote.ops->ask(peer->remote.self, "checkpoint", CU_SPAN_EMPTY, &http, &answer, err));
    if (http != 200) return CU_OK;
    const cu_status fits = take(&peer->reader, cu_buf_span(&answer), &more, &met, err);
    return fits == CU_OUT_OF_ORDER ? CU_OK : fits;
}

static void hang_up(struct peer *peer)
{
    if (peer->remote.ops) peer->remote.ops->close(peer->remote.self);
    peer->remote = (struct cu_remote){ .ops = NULL };
}

/* Where it is now. */
static cu_status reach(struct peer *peer, struct cu_err *err)
{
    struct cu_cosigning *c = peer->node->cosigning;
    const struct cu_place *p = &peer->reader.place;
    cu_status opened = CU_OK;

    pthread_mutex_lock(&c->lock);
    if (peer->moved[0]) {
        hang_up(peer);
        memcpy(peer->url, peer->moved, URL_MAX);
        peer->moved[0] = 0;
    }
    if (!peer->remote.ops) opened = p->outside.open(p->outside.self, cu_span_str(peer->url), &peer->remote, err);
    pthread_mutex_unlock(&c->lock);
    return opened;
}

static cu_status ask_witnesses(struct peer *peer, struct cu_err *err)
{
    struct cu_place *p = &peer->reader.place;
    bool met;

    TRY(cu_reader_refresh(&peer->reader, false, err));
    if (peer->next.v == p->log.checkpoint.size.v) return CU_OK;
    TRY(cu_witnesses_ask(p, &met, err));
    peer->next = p->log.checkpoint.size;
    if (met) note_met(peer->node, peer->next, true);
    return CU_OK;
}

/* It is told of this node's own at once; it is asked, and watched, once in a while. */
static cu_status meet(struct peer *peer, bool asks, struct cu_err *err)
{
    if (!peer->url[0]) return asks ? ask_witnesses(peer, err) : CU_OK;
    TRY(reach(peer, err));
    TRY(push(peer, err));
    if (!asks) return CU_OK;
    TRY(pull(peer, err));
    return watch(peer, err);
}

static void *speak(void *arg)
{
    struct peer *peer = arg;
    uint64_t asked_at = 0;

    do {
        const uint64_t now = cu_place_now(&peer->reader.place).v;
        const bool asks = now - asked_at >= EVERY_MS, reached = peer->reached;
        struct cu_err err = { 0 };
        if (asks) asked_at = now;
        if (meet(peer, asks, &err) != CU_OK) trouble(peer->node, &err);
        if (peer->reached != reached) cu_tick_wake(&peer->node->cosigning->tick); /* it may be the one that was waited for */
    } while (cu_tick_wait(&peer->tick));
    return NULL;
}

/* ---- the thread that signs ---- */

/* By (5); when nothing comes, as of now. Whoever waits for what is recorded, here or elsewhere, is told. */
static cu_status sign_next(struct cu_node *node, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;
    const struct cu_engine *engine = c->reader.place.engine;
    CU_BUF next = cu_buf_heap(CU_NOTE_MAX);

    const bool grown = engine->next && engine->next(engine->self, c->at, NEXT_MS, &next, NULL) == CU_OK;
    TRY(cu_reader_refresh(&c->reader, false, err));
    if (c->reader.place.log.checkpoint.size.v == 0) return CU_OK;
    if (grown) TRY(size_of(cu_buf_span(&next), &c->at, err));
    const cu_status done = sign_own(node, cu_buf_span(grown ? &next : &c->reader.place.log.note), err);
    if (grown) cu_node_grown(node);
    return done;
}

static void *sign(void *arg)
{
    struct cu_node *node = arg;
    struct cu_cosigning *c = node->cosigning;

    do {
        struct cu_err err = { 0 };
        if (sign_next(node, &err) != CU_OK) trouble(node, &err);
    } while (c->reader.place.engine->next ? !cu_tick_over(&c->tick) : cu_tick_wait(&c->tick));
    return NULL;
}

/* ---- beginning and end ---- */

static void free_peer(struct peer *peer)
{
    hang_up(peer);
    cu_reader_close(&peer->reader);
    cu_tick_destroy(&peer->tick);
    memset(peer, 0, sizeof *peer);
}

static cu_status begin_peer(struct cu_node *node, struct peer *peer, struct cu_err *err)
{
    peer->node = node;
    cu_tick_init(&peer->tick);
    return cu_reader_open(node, &peer->reader, err);
}

static cu_status run_peer(struct peer *peer, struct cu_err *err)
{
    peer->runs = pthread_create(&peer->thread, NULL, speak, peer) == 0;
    ENSURE(peer->runs, err, CU_NO_MEMORY, "no thread for a node's peers");
    return CU_OK;
}

/* What this node cosigned before, those that it began with have shown (2): one that comes later is asked from here on. */
static cu_status add_peer(struct cu_node *node, struct cu_span url, uint64_t party, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;
    const size_t at = c->peers_n + 1;

    ENSURE(at <= PEERS_MAX, err, CU_TOO_LARGE, "more than %d peers", PEERS_MAX);
    struct peer *peer = &c->peer[at];
    peer->party = party;
    peer->first = !c->runs;
    snprintf(peer->url, URL_MAX, "%.*s", (int)url.n, (const char *)url.p);
    cu_status added = begin_peer(node, peer, err);
    if (added == CU_OK && c->runs) peer->next = peer->reader.place.log.checkpoint.size;
    if (added == CU_OK && c->runs) added = run_peer(peer, err);
    if (added == CU_OK) c->peers_n = at;
    else free_peer(peer);
    return added;
}

/* It stays who it is (2), and is asked from where it was. */
static void move_peer(struct cu_cosigning *c, struct peer *peer, struct cu_span url)
{
    pthread_mutex_lock(&c->lock);
    if (!cu_span_is(url, peer->moved[0] ? peer->moved : peer->url))
        snprintf(peer->moved, URL_MAX, "%.*s", (int)url.n, (const char *)url.p);
    pthread_mutex_unlock(&c->lock);
    cu_tick_wake(&peer->tick);
}

/* Nobody waits for what it has not shown. */
static void end_peer(struct peer *peer)
{
    peer->party = GONE;
    if (!peer->reached) peer->first = false;
    cu_tick_end(&peer->tick);
}

static cu_status meet_peer(struct cu_node *node, struct cu_span url, uint64_t party, bool stays[PEERS_MAX + 2],
                           struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;
    size_t i = 1;

    ENSURE(url.n < URL_MAX, err, CU_TOO_LARGE, "the address of a peer has %d bytes at most", URL_MAX - 1);
    while (i <= c->peers_n && (party == 0 || c->peer[i].party != party)) i++;
    stays[i] = true;
    if (i > c->peers_n) return add_peer(node, url, party, err);
    move_peer(c, &c->peer[i], url);
    return CU_OK;
}

cu_status cu_node_peers(struct cu_node *node, const char *urls, const uint64_t *party, struct cu_err *err)
{
    struct cu_span rest = cu_span_str(urls ? urls : ""), url;
    struct cu_cosigning *c = node->cosigning;
    bool stays[PEERS_MAX + 2] = { false };

    if (!c) return CU_OK; /* it ends */
    while (rest.n > 0) {
        if (!cu_span_split(&rest, ' ', &url)) url = rest, rest = CU_SPAN_EMPTY;
        if (url.n) TRY(meet_peer(node, url, party ? *party++ : 0, stays, err));
    }
    for (size_t i = 1; i <= c->peers_n; i++)
        if (!stays[i]) end_peer(&c->peer[i]);
    return CU_OK;
}

/* From what this node cosigned last, peers are asked for what they know. */
static cu_status begin_at(struct cu_node *node, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;
    CU_BUF last = cu_buf_heap(CU_NOTE_MAX);
    cu_size from = { 0 };

    if (!node->config.cosigner) return CU_OK;
    struct cu_err why = { 0 };
    if (cu_cosigner_last(node->config.cosigner, c->reader.place.log.checkpoint.origin, &last, &why) != CU_OK) {
        trouble(node, &why); /* it serves on, and cosigns nothing of its own */
        return CU_OK;
    }
    TRY(size_of(cu_buf_span(&last), &from, err));
    for (size_t i = 1; i <= c->peers_n; i++) c->peer[i].next = from;
    return CU_OK;
}

cu_status cu_cosigning_open(struct cu_node *node, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning = calloc(1, sizeof *c);

    ENSURE(c, err, CU_NO_MEMORY, "no memory for a node's cosignatures");
    pthread_mutex_init(&c->lock, NULL);
    cu_tick_init(&c->tick);
    if (node->config.witnessed.n) TRY(cu_tlog_policy_read(node->config.witnessed, &c->witnessed, err));
    TRY(cu_reader_open(node, &c->reader, err));
    TRY(begin_peer(node, &c->peer[0], err));
    TRY(cu_node_peers(node, node->config.peers, node->config.peers_party, err));
    c->at = c->reader.place.log.checkpoint.size;
    if (cu_cosigned_needed(&c->reader.place, c->reader.place.log.checkpoint.size))
        c->met = cu_cosigned_newest(&c->reader.place).v;
    return begin_at(node, err);
}

cu_status cu_cosigning_run(struct cu_node *node, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;

    cu_status run = CU_OK;

    pthread_mutex_lock(&node->act); /* so nobody is met meanwhile */
    c->runs = pthread_create(&c->thread, NULL, sign, node) == 0;
    if (!c->runs) run = cu_fail(err, CU_NO_MEMORY, "no thread for a node's cosignatures");
    for (size_t i = 0; run == CU_OK && i <= c->peers_n; i++) run = run_peer(&c->peer[i], err);
    pthread_mutex_unlock(&node->act);
    return run;
}

static void end_thread(struct cu_tick *tick, pthread_t thread, bool *runs)
{
    cu_tick_end(tick);
    if (*runs) pthread_join(thread, NULL);
    *runs = false;
}

void cu_cosigning_stop(struct cu_node *node)
{
    struct cu_cosigning *c = node->cosigning;

    if (!c) return;
    for (size_t i = 0; i <= c->peers_n; i++) cu_tick_end(&c->peer[i].tick);
    end_thread(&c->tick, c->thread, &c->runs);
    for (size_t i = 0; i <= c->peers_n; i++) end_thread(&c->peer[i].tick, c->peer[i].thread, &c->peer[i].runs);
}

void cu_cosigning_close(struct cu_node *node)
{
    struct cu_cosigning *c = node->cosigning;

    if (!c) return;
    for (size_t i = 0; i <= c->peers_n; i++) free_peer(&c->peer[i]);
    for (unsigned i = 0; i < MADE; i++) cu_buf_free(&c->made[i].note);
    cu_reader_close(&c->reader);
    cu_tick_destroy(&c->tick);
    pthread_mutex_destroy(&c->lock);
    free(c);
    node->cosigning = NULL;
}

void cu_cosigning_wake(struct cu_node *node)
{
    struct cu_cosigning *c = node->cosigning;

    if (c) cu_tick_wake(&c->tick), cu_tick_wake(&c->peer[0].tick);
}

void cu_cosigning_tell(struct cu_node *node, struct cu_json *j)
{
    const struct cu_cosigning *c = node->cosigning;

    if (!c || !node->config.cosigner) return;
    cu_json_uint(j, "cosigned", c->cosigned);
    cu_json_uint(j, "quorum", c->met);
}

void cu_cosigning_metrics(struct cu_node *node, struct cu_buf *out)
{
    const struct cu_cosigning *c = node->cosigning;
    uint64_t forks = 0;

    if (!c || cu_forks_list(node->config.place, &forks, NULL, NULL, NULL) != CU_OK) return;
    cu_http_put_figure(out, "custody_cosigned_entries", "gauge", "entries of the log that this node cosigned last", c->cosigned);
    cu_http_put_figure(out, "custody_cosigning_troubles_total", "counter", "rounds of cosigning that ended in some trouble",
                       c->troubles);
    cu_http_put_figure(out, "custody_forks", "gauge", "proofs that somebody signed another log of this name", forks);
}
