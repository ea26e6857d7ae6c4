/* Cosignatures: this node's own, its peers', outside witnesses'; and those that it makes for the logs of others.
 *
 * (1) A thread of its own speaks to peers and witnesses, so that nobody who asks this node waits for another one.
 * (2) With peers, nothing is cosigned before more than half of them have shown what they know of this node's own cosignatures: so one
 *     that was put back from a backup, or copied, first learns what it signed.
 * (3) Whatever does not fit this log, from whomever, becomes a fork proof: kept, published, and said at every look at the node.
 */
#include "http/node_inside.h"

#include "custody/text.h"
#include "proof/witness.h"
#include "service/cosigned.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PEERS_MAX = 16, PULLS = 64, LOOK_MS = 20 };
#define WITNESS_EVERY_MS 1000

struct peer {
    struct cu_span url;
    struct cu_remote remote;
    cu_size next, pushed; /* to ask for; what it was told last */
    bool reached;         /* it has shown all that it has (2) */
    uint64_t again_at;    /* ms: who did not answer is left alone for ten times as long as that took */
};

struct cu_cosigning {
    struct cu_reader reader; /* of the thread */
    struct cu_tlog_policy witnessed;
    struct peer peer[PEERS_MAX];
    size_t peers_n;
    cu_size seen, own, asked; /* its log key's line is kept; cosigned; shown to witnesses */
    uint64_t asked_at;
    struct cu_err told; /* the trouble that was logged last */
    bool refused;       /* this key cosigned another log: it signs nothing more */

    _Atomic bool something, ending;
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
    if (strcmp(c->told.text, err->text) == 0) return;
    c->told = *err;
    tell(node, "cosigning", err->text);
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

static void note_met(struct cu_node *node, cu_size size)
{
    uint64_t before = node->cosigning->met;

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
    if (*ret_more && *ret_met) note_met(node, size);
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
    TRY(take(r, q->body, &more, &met, err));
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
    size_t reached = 0;

    for (size_t i = 0; i < c->peers_n; i++) reached += c->peer[i].reached;
    return c->peers_n == 0 || 2 * reached > c->peers_n;
}

/* Where the trust file does not list this key, nobody waits for its word on this log: it may be a witness for others alone. */
static bool is_listed(const struct cu_node *node)
{
    const struct cu_place *p = &node->cosigning->reader.place;
    struct cu_tlog_policy policy;
    bool listed = false;

    if (!node->config.cosigner || cu_trust_policy(&p->trust, p->log.checkpoint.size, &policy, NULL) != CU_OK) return false;
    for (size_t i = 0; i < policy.nodes_n; i++)
        listed |= !policy.node[i].is_group && policy.node[i].vkey.id == node->config.cosigner->vkey.id &&
                  cu_span_eq(policy.node[i].vkey.name, node->config.cosigner->vkey.name);
    return listed;
}

static cu_status sign_own(struct cu_node *node, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;
    struct cu_place *p = &c->reader.place;
    bool more, met;

    TRY(cu_reader_refresh(&c->reader, false, err));
    if (c->seen.v != p->log.checkpoint.size.v &&
        cu_cosigned_needed(p, p->log.checkpoint.size)) { /* its log key's word, for its receipts */
        TRY(cu_cosigned_take(p, cu_buf_span(&p->log.note), &more, &met, err));
        c->seen = p->log.checkpoint.size;
        if (more && met) note_met(node, c->seen);
    }
    if (!is_listed(node)) return CU_OK;
    ENSURE(!c->refused, err, CU_BAD_PROOF,
           "this key cosigned another log than the one that lies here: nothing more is cosigned. Find out who had the key, or "
           "which copy "
           "was put in the place of which, before another key is made");
    if (!may_sign(c) || p->log.checkpoint.size.v == 0 || c->own.v == p->log.checkpoint.size.v) return CU_OK;
    TRY(cu_cosigned_own(p, node->config.cosigner, &more, &met, err));
    c->own = p->log.checkpoint.size;
    c->cosigned = c->own.v;
    if (more && met) note_met(node, c->own);
    return CU_OK;
}

/* ---- peers ---- */

/* By (2), and to be told what it lacks. */
static cu_status learn(struct cu_node *node, struct cu_span bytes, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;
    const struct cu_node_source nodes = cu_tile_node_source(&c->reader.place.log.nodes);
    struct cu_note note;
    bool more, met;

    const cu_status taken = take(&c->reader, bytes, &more, &met, err);
    if (!node->config.cosigner || (taken != CU_OK && taken != CU_BAD_PROOF)) return taken;
    TRY(cu_note_read(bytes, &note, err));
    const cu_status recalled = cu_cosigner_recall(node->config.cosigner, &note, &nodes, err);
    c->refused |= recalled == CU_BAD_PROOF;
    return recalled == CU_NOT_FOUND ? taken : recalled;
}

static cu_status pull(struct cu_node *node, struct peer *peer, struct cu_err *err)
{
    CU_BUF answer = cu_buf_heap(CU_NOTE_MAX);
    const cu_size tip = node->cosigning->reader.place.log.checkpoint.size;
    unsigned http = 200;
    char path[64];
    cu_size size;

    for (unsigned i = 0; i < PULLS; i++) {
        cu_buf_clear(&answer);
        snprintf(path, sizeof path, "v1/cosignatures?from=%llu", LLU(peer->next.v));
        TRY(peer->remote.ops->ask(peer->remote.self, path, CU_SPAN_EMPTY, &http, &answer, err));
        if (http == 404) peer->reached = true;
        if (http != 200) break;
        TRY(size_of(cu_buf_span(&answer), &size, err));
        ENSURE(size.v >= peer->next.v, err, CU_IO, "%.*s answers with another size than was asked for", (int)peer->url.n,
               (const char *)peer->url.p);
        const cu_status learnt = learn(node, cu_buf_span(&answer), err);
        if (learnt == CU_OUT_OF_ORDER) return CU_OK; /* it is ahead: when this log has caught up */
        if (learnt != CU_OK && learnt != CU_BAD_PROOF) return learnt;
        peer->reached |= size.v >= tip.v;
        if (size.v >= tip.v) break; /* whose cosignatures may still come in: it is asked for again */
        peer->next.v = size.v + 1;
    }
    return CU_OK;
}

static cu_status push(struct cu_node *node, struct peer *peer, struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX), answer = cu_buf_heap(CU_NOTE_MAX);
    const cu_size own = node->cosigning->own;
    unsigned http;

    if (own.v == peer->pushed.v) return CU_OK;
    TRY(cu_cosigned_get(&node->cosigning->reader.place, own, &note, err));
    TRY(peer->remote.ops->ask(peer->remote.self, "v1/cosignatures", cu_buf_span(&note), &http, &answer, err));
    if (http == 200) peer->pushed = own;
    return CU_OK;
}

/* What it serves as its log is what it would show anybody. */
static cu_status watch(struct cu_node *node, struct peer *peer, struct cu_err *err)
{
    CU_BUF answer = cu_buf_heap(CU_NOTE_MAX);
    unsigned http;
    bool more, met;

    TRY(peer->remote.ops->ask(peer->remote.self, "checkpoint", CU_SPAN_EMPTY, &http, &answer, err));
    if (http != 200) return CU_OK;
    const cu_status fits = take(&node->cosigning->reader, cu_buf_span(&answer), &more, &met, err);
    return fits == CU_OUT_OF_ORDER ? CU_OK : fits;
}

/* Whatever happened it is told of this node's own; it is asked, and watched, once a tick. */
static cu_status meet(struct cu_node *node, struct peer *peer, bool tick, struct cu_err *err)
{
    struct cu_place *p = &node->cosigning->reader.place;

    if (!peer->remote.ops) TRY(p->outside.open(p->outside.self, peer->url, &peer->remote, err));
    TRY(push(node, peer, err));
    if (!tick) return CU_OK;
    TRY(pull(node, peer, err));
    return watch(node, peer, err);
}

/* ---- the thread ---- */

static cu_status ask_witnesses(struct cu_node *node, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;
    struct cu_place *p = &c->reader.place;
    const uint64_t now = cu_place_now(p).v;
    bool met;

    if (c->asked.v == p->log.checkpoint.size.v || now - c->asked_at < WITNESS_EVERY_MS) return CU_OK;
    c->asked_at = now;
    TRY(cu_witnesses_ask(p, &met, err));
    c->asked = p->log.checkpoint.size;
    if (met) cu_http_wake(node->server);
    return CU_OK;
}

static void round_of_all(struct cu_node *node, bool tick)
{
    struct cu_cosigning *c = node->cosigning;
    struct cu_err err = { 0 };
    cu_status first = sign_own(node, &err);

    for (size_t i = 0; i < c->peers_n; i++) {
        const uint64_t began = cu_place_now(node->config.place).v;
        if (began < c->peer[i].again_at) continue;
        const cu_status met = meet(node, &c->peer[i], tick, first == CU_OK ? &err : NULL);
        const uint64_t now = cu_place_now(node->config.place).v;
        c->peer[i].again_at = met == CU_IO && now > began ? now + 10 * (now - began) : 0;
        if (first == CU_OK) first = met;
    }
    if (first == CU_OK) first = sign_own(node, &err); /* now that peers were reached */
    if (first == CU_OK) first = ask_witnesses(node, &err);
    if (first != CU_OK) trouble(node, &err);
}

/* On a chain others move the log, and nobody tells this thread. */
static bool has_grown(struct cu_node *node)
{
    const struct cu_place *p = &node->cosigning->reader.place;

    return p->engine->tip(p->engine->self).size.v > p->log.checkpoint.size.v;
}

static void *speak(void *arg)
{
    struct cu_node *node = arg;
    struct cu_cosigning *c = node->cosigning;
    const struct timespec pause = { 0, LOOK_MS * 1000000 };
    unsigned looks = 0;

    while (!c->ending) {
        const bool tick = looks == 0;
        if (tick || c->something || has_grown(node)) {
            c->something = false;
            round_of_all(node, tick);
        }
        nanosleep(&pause, NULL);
        looks = (looks + 1) % (1000 / LOOK_MS);
    }
    return NULL;
}

/* ---- beginning and end ---- */

static cu_status list_peers(struct cu_node *node, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;
    struct cu_span rest = node->config.peers ? cu_span_str(node->config.peers) : CU_SPAN_EMPTY, url;

    while (rest.n > 0) {
        if (!cu_span_split(&rest, ' ', &url)) url = rest, rest = CU_SPAN_EMPTY;
        if (url.n == 0) continue;
        ENSURE(c->peers_n < PEERS_MAX, err, CU_TOO_LARGE, "more than %d peers", PEERS_MAX);
        c->peer[c->peers_n++].url = url;
    }
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
    for (size_t i = 0; i < c->peers_n; i++) c->peer[i].next = from;
    return CU_OK;
}

cu_status cu_cosigning_open(struct cu_node *node, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning = calloc(1, sizeof *c);

    ENSURE(c, err, CU_NO_MEMORY, "no memory for a node's cosignatures");
    if (node->config.witnessed.n) TRY(cu_tlog_policy_read(node->config.witnessed, &c->witnessed, err));
    TRY(list_peers(node, err));
    TRY(cu_reader_open(node, &c->reader, err));
    if (cu_cosigned_needed(&c->reader.place, c->reader.place.log.checkpoint.size))
        c->met = cu_cosigned_newest(&c->reader.place).v;
    return begin_at(node, err);
}

cu_status cu_cosigning_run(struct cu_node *node, struct cu_err *err)
{
    struct cu_cosigning *c = node->cosigning;

    c->runs = pthread_create(&c->thread, NULL, speak, node) == 0;
    ENSURE(c->runs, err, CU_NO_MEMORY, "no thread for a node's cosignatures");
    return CU_OK;
}

void cu_cosigning_stop(struct cu_node *node)
{
    struct cu_cosigning *c = node->cosigning;

    if (!c) return;
    c->ending = true;
    if (c->runs) pthread_join(c->thread, NULL);
    c->runs = false;
}

void cu_cosigning_close(struct cu_node *node)
{
    struct cu_cosigning *c = node->cosigning;

    if (!c) return;
    for (size_t i = 0; i < c->peers_n; i++)
        if (c->peer[i].remote.ops) c->peer[i].remote.ops->close(c->peer[i].remote.self);
    cu_reader_close(&c->reader);
    free(c);
    node->cosigning = NULL;
}

void cu_cosigning_wake(struct cu_node *node)
{
    struct cu_cosigning *c = node->cosigning;

    if (!c) return;
    c->something = true;
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
