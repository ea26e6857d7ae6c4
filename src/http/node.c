/* The node: its readers, its keeper. */
#include "http/node_inside.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define VERIFIER_KEYS 256
#define TICK_MS 1000
#define MANY 256            /* entries that came between two rounds of the keeper: then those of */
#define UNHURRIED_MS 50     /* so long share one */
#define READS_EVERY_MS 5000 /* reads that were noted become one entry */
#define ATTEST_EVERY_MS 1000

/* ---- readers ---- */

static cu_size indexed(const struct cu_place *p)
{
    cu_size size = { 0 };

    return p->index.size(p->index.self, &size, NULL) == CU_OK ? size : (cu_size){ 0 };
}

static uint64_t acknowledged(const struct cu_place *p) { return p->engine->tip(p->engine->self).size.v; }

/* Whoever asks sees everything that was acknowledged before he asked. */
static cu_status follow(struct cu_node *node, struct cu_err *err)
{
    struct cu_place *p = node->config.place;
    cu_status done = CU_OK;

    pthread_mutex_lock(&node->act);
    if (indexed(p).v < acknowledged(p)) done = cu_settle(p, err);
    pthread_mutex_unlock(&node->act);
    return done;
}

cu_status cu_reader_refresh(struct cu_reader *r, bool index, struct cu_err *err)
{
    struct cu_place *p = &r->place;

    p->sight = NULL;
    if (index && indexed(p).v < acknowledged(p)) TRY(follow(r->node, err));
    if (p->log.checkpoint.size.v < acknowledged(p)) TRY(cu_place_refresh(p, err));
    return index ? cu_members_follow(p, err) : CU_OK;
}

static void free_sights(struct cu_reader *r)
{
    for (size_t i = 0; i <= CU_PARTIES_MAX; i++) {
        if (r->sight[i]) cu_sight_free(r->sight[i]);
        free(r->sight[i]);
    }
}

/* Details are what of an entry is not in the log itself. */
cu_status cu_reader_begin(struct cu_reader *r, const struct cu_http_request *q, struct cu_err *err)
{
    const enum cu_scope scope = cu_peer_scope(q->peer.role, q->route->act == CU_ASK_LOG ? CU_ASK_DETAILS : q->route->act);
    const uint64_t party = q->peer.party <= CU_PARTIES_MAX ? q->peer.party : 0;
    struct cu_sight **at = &r->sight[party];

    TRY(cu_reader_refresh(r, true, err));
    if (scope == CU_SCOPE_A) return CU_OK;
    if (!*at) *at = calloc(1, sizeof **at);
    ENSURE(*at, err, CU_NO_MEMORY, "no memory to read for a member");
    const struct cu_member_party *known = cu_members_party(&r->place.members, party);
    (*at)->scope = scope;
    (*at)->party = party;
    (*at)->organisation = known && known->role != CU_ROLE_PROVIDER ? known->organisation : 0;
    TRY(cu_sight_follow(&r->place, *at, err));
    r->place.sight = *at;
    return CU_OK;
}

struct cu_span cu_request_name(const struct cu_http_request *q, struct cu_buf *mem)
{
    cu_buf_add(mem, q->arg[0]);
    if (q->arg[1].n) cu_buf_add_byte(mem, '/');
    cu_buf_add(mem, q->arg[1]);
    return cu_buf_span(mem);
}

/* A few decimal digits are a position in the log: as digits of an id they would be too few to be sure. */
#define POSITION_DIGITS 15
static cu_status look_up(struct cu_reader *r, const struct cu_http_request *q, struct cu_found *ret, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(2 * CU_TARGET_MAX);
    const struct cu_span name = cu_request_name(q, &mem);
    uint64_t seq;

    TRY(cu_buf_ok(&mem, err));
    if (name.n <= POSITION_DIGITS && cu_decimal_read(name, INT64_MAX, &seq, NULL) == CU_OK)
        return cu_lookup_seq(&r->place, (cu_seq){ seq }, ret, err);
    return cu_lookup(&r->place, name, ret, err);
}

static cu_status look_up_case(struct cu_reader *r, const struct cu_http_request *q, struct cu_found *ret, struct cu_err *err)
{
    return cu_lookup_case(&r->place, q->arg[0], ret, err);
}

/* What is there for others alone is not found, and that he asked is noted; but who follows the log asks for each entry's attachments. */
static cu_status find_by(cu_status (*look)(struct cu_reader *r, const struct cu_http_request *q, struct cu_found *ret,
                                           struct cu_err *err),
                         struct cu_reader *r, const struct cu_http_request *q, struct cu_found *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found there = { 0 };
    const struct cu_sight *sight = r->place.sight;
    const cu_status found = look(r, q, ret, err);

    if ((found != CU_NOT_FOUND && found != CU_UNKNOWN_CASE) || !sight || q->route->act == CU_ASK_LOG) return found;
    r->place.sight = NULL;
    if (look(r, q, &there, NULL) == CU_OK) (void)!cu_reader_note(r, q, &there.row.id, true, NULL);
    r->place.sight = sight;
    return found;
}

cu_status cu_reader_find(struct cu_reader *r, const struct cu_http_request *q, struct cu_found *ret, struct cu_err *err)
{
    return find_by(look_up, r, q, ret, err);
}

cu_status cu_reader_find_case(struct cu_reader *r, const struct cu_http_request *q, struct cu_found *ret, struct cu_err *err)
{
    return find_by(look_up_case, r, q, ret, err);
}

cu_status cu_reader_open(struct cu_node *node, struct cu_reader *r, struct cu_err *err)
{
    const struct cu_place *from = node->config.place;
    const size_t size = cu_verifier_cached_size(VERIFIER_KEYS);

    r->node = node;
    r->uploads.host = &node->uploads;
    r->place = (struct cu_place){ .fs = from->fs,
                                  .source = from->source,
                                  .clock = from->clock,
                                  .random = from->random,
                                  .index = from->index,
                                  .store = { from->store[0], from->store[1] },
                                  .near = from->near,
                                  .care = from->care,
                                  .engine = from->engine,
                                  .known = &node->known,
                                  .epochs = from->epochs,
                                  .outside = from->outside };
    r->verifier_memory = malloc(size);
    ENSURE(r->verifier_memory, err, CU_NO_MEMORY, "no memory for a node");
    TRY(cu_verifier_cached(r->verifier_memory, size, &r->place.verifier, err));
    TRY(cu_place_load_trust(&r->place, err));
    return cu_place_refresh(&r->place, err);
}

void cu_reader_close(struct cu_reader *r)
{
    if (!r->node) return;
    free_sights(r);
    cu_place_free(&r->place);
    if (r->place.verifier.free) r->place.verifier.free(r->place.verifier.self);
    free(r->verifier_memory);
}

/* ---- members ---- */

/* While the node runs nobody else writes: they change by what is submitted here, and are read anew before that is answered. */
static cu_status read_members(struct cu_node *node, struct cu_err *err)
{
    struct cu_membership m = { 0 };

    TRY(follow(node, err));
    pthread_mutex_lock(&node->act);
    const cu_status read = cu_membership_read(node->config.place, &m, err);
    pthread_mutex_unlock(&node->act);
    TRY(read);
    pthread_mutex_lock(&node->who);
    cu_membership_free(&node->membership);
    node->membership = m;
    pthread_mutex_unlock(&node->who);
    cu_http_judge_anew(node->server);
    return CU_OK;
}

static cu_status identify(void *arg, const struct cu_cert *cert, struct cu_span token, struct cu_peer *ret, struct cu_err *err)
{
    struct cu_node *node = arg;
    struct cu_verifier plain = cu_verifier_plain();

    pthread_mutex_lock(&node->who);
    const cu_status known = cert ? cu_peer_of(&node->membership.members, cert, &plain, ret, err)
                                 : cu_peer_of_token(&node->membership.members, token, cu_place_now(node->config.place), &plain,
                                                    ret, err);
    pthread_mutex_unlock(&node->who);
    return known;
}

void cu_node_name(struct cu_node *node, uint64_t party, struct cu_buf *out)
{
    pthread_mutex_lock(&node->who);
    if (party > 0 && party <= node->membership.members.parties_n) cu_buf_add(out, cu_membership_name(&node->membership, party));
    pthread_mutex_unlock(&node->who);
}

cu_status cu_node_reload(struct cu_node *node, const struct cu_http_tls *tls, struct cu_err *err)
{
    return cu_http_reload(node->server, tls, err);
}

/* ---- the keeper ---- */

/* On a chain cosignatures vouch for what travelled with its record, so that it is attested can wait for more of it; what was brought is waited for. */
static void hold(struct cu_node *node, uint64_t seq, bool waits)
{
    pthread_mutex_lock(&node->lock);
    CU_ASSERT(node->held);
    if (node->held_n == 0) node->due_at = cu_place_now(node->config.place).v + ATTEST_EVERY_MS;
    node->due |= !waits;
    struct cu_range *last = node->held_n ? &node->held[node->held_n - 1] : NULL;
    if (last && seq == last->last + 1) last->last = seq;
    else if (node->held_n < node->held_cap) node->held[node->held_n++] = (struct cu_range){ seq, seq };
    pthread_cond_signal(&node->changed);
    pthread_mutex_unlock(&node->lock);
}

void cu_node_hold(struct cu_node *node, uint64_t seq) { hold(node, seq, false); }

/* An item that travelled with its record is here, durable, as soon as the record is. */
static bool is_held(const struct cu_entry *e)
{
    return e->kind == CU_KIND_DEPOSIT && !e->inner.body.claim.has_folder && e->inner.body.claim.size <= CU_CONTENT_INLINE_MAX;
}

void cu_node_grown(struct cu_node *node)
{
    pthread_mutex_lock(&node->lock);
    node->told = true;
    pthread_cond_signal(&node->changed);
    pthread_mutex_unlock(&node->lock);
    cu_http_wake(node->server);
    cu_pull_wake(node);
}

cu_status cu_node_recorded(struct cu_node *node, const struct cu_span *records, const struct cu_outcome *outcomes, size_t n,
                           struct cu_err *err)
{
    bool members = false, any = false;
    struct cu_record record;
    struct cu_entry e;

    for (size_t i = 0; i < n; i++) {
        if (outcomes[i].status != CU_OK || cu_record_read(records[i], &record, NULL) != CU_OK ||
            cu_entry_peek(record.entry, &e, NULL) != CU_OK)
            continue;
        members |= cu_members_taken(e.kind);
        any = true;
    }
    if (any) cu_node_grown(node);
    cu_cosigning_wake(node);
    return members ? read_members(node, err) : CU_OK;
}

/* What answers a notice was stored here before it was accepted, all of it; where a copier runs it finds that by itself. */
static bool was_accepted(const struct cu_node *node, const struct cu_entry *e)
{
    const struct cu_claim *claim = &e->inner.body.claim;

    return !node->pull && e->kind == CU_KIND_DEPOSIT && claim->has_notice &&
           cu_store_knows(node->config.place->store[CU_STORE_NODE], CU_OBJECT_CONTENT, &claim->root, claim->size);
}

/* An organisation broke the rules of consensus: each node says so, whoever had it recorded, and once more whenever it starts. */
static cu_status sound_alarm(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_node *node = arg;
    struct cu_place *p = node->config.place;
    CU_BUF mem = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX), text = cu_buf_heap(8192);
    struct cu_details_rows rows = { .text = cu_span_str("an organisation broke the rules of consensus: see `custody trail`") };
    struct cu_span bytes;
    struct cu_entry e;

    TRY(cu_log_entry_unproven(&p->log, row->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    if (e.kind != CU_KIND_INCIDENT || e.outer.body.incident.type != CU_INCIDENT_MISBEHAVIOUR) return CU_OK;
    node->misbehaviour++;
    (void)!cu_rows_of(p, row, &mem, &rows, NULL);
    cu_text_printable(&text, rows.text);
    cu_buf_add_byte(&text, 0);
    if (cu_buf_ok(&text, NULL) == CU_OK)
        cu_http_tell(node->config.log, node->config.arg, cu_place_now(p), "ALARM", (const char *)text.p);
    return CU_OK;
}

static cu_status find_misbehaviour(struct cu_node *node, uint64_t from, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_INCIDENT, .from = { from } };
    struct cu_index *index = &node->config.place->index;

    return index->find(index->self, &q, sound_alarm, node, err);
}

/* What the log has that was not looked at yet, whoever submitted it, here or to another node. By the keeper, who has the place. */
static cu_status hear(struct cu_node *node, bool *ret_members, struct cu_err *err)
{
    struct cu_place *p = node->config.place;
    struct cu_span bytes;
    struct cu_entry e;

    if (indexed(p).v < acknowledged(p)) TRY(cu_settle(p, err));
    if (node->heard < p->log.checkpoint.size.v) TRY(find_misbehaviour(node, node->heard, err));
    for (; node->heard < p->log.checkpoint.size.v; node->heard++) {
        TRY(cu_log_entry_unproven(&p->log, (cu_seq){ node->heard }, &bytes, err));
        TRY(cu_entry_peek(bytes, &e, err));
        if (is_held(&e) || was_accepted(node, &e)) hold(node, node->heard, is_held(&e) && p->engine->next);
        *ret_members |= cu_members_taken(e.kind);
    }
    return CU_OK;
}

/* As many ranges as one entry has, taken out. */
static size_t take_held(struct cu_node *node, struct cu_range *ret)
{
    pthread_mutex_lock(&node->lock);
    const size_t n = node->held_n < CU_STORED_RANGES_MAX ? node->held_n : CU_STORED_RANGES_MAX;
    memcpy(ret, node->held, n * sizeof *ret);
    memmove(node->held, node->held + n, (node->held_n - n) * sizeof *ret);
    node->held_n -= n;
    pthread_mutex_unlock(&node->lock);
    return n;
}

static void put_back(struct cu_node *node, const struct cu_range *held, size_t n)
{
    pthread_mutex_lock(&node->lock);
    for (size_t i = 0; i < n && node->held_n < node->held_cap; i++) node->held[node->held_n++] = held[i];
    pthread_mutex_unlock(&node->lock);
}

/* Nobody who signs or follows the index waits for what the other organisations decide. */
static cu_status attest(struct cu_node *node, bool *ret_any)
{
    struct cu_range held[CU_STORED_RANGES_MAX], said[CU_STORED_RANGES_MAX];
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    const size_t n = take_held(node, held);

    struct cu_outcome outcome;

    if (n == 0) return CU_OK;
    memcpy(said, held, n * sizeof *said); /* which puts them in order */
    pthread_mutex_lock(&node->act);
    cu_status attested = cu_attest_record(node->config.place, said, n, &record, NULL);
    pthread_mutex_unlock(&node->act);
    const struct cu_span span = cu_buf_span(&record);
    if (attested == CU_OK) attested = cu_submit(node->config.place, &span, 1, &outcome, NULL);
    if (attested != CU_OK) put_back(node, held, n);
    *ret_any = attested == CU_OK;
    return attested;
}

/* What was recorded and not attested by this organisation when the process before this one ended: from the end back to what its last
 * attestation covers. */
static cu_status find_unattested(struct cu_node *node, struct cu_err *err)
{
    struct cu_place *p = node->config.place;
    const cu_hash *kid = &p->key[CU_SIGNER_ORGANISATION].id;
    uint64_t covered = 0;
    struct cu_span bytes;
    struct cu_entry e;

    node->heard = p->log.checkpoint.size.v;
    for (uint64_t seq = p->log.checkpoint.size.v; seq-- > covered;) {
        struct cu_range range;
        size_t at = 0;
        bool own = false;
        TRY(cu_log_entry_unproven(&p->log, (cu_seq){ seq }, &bytes, err));
        TRY(cu_entry_peek(bytes, &e, err));
        while (e.kind == CU_KIND_STORED && cu_hash_eq(&e.outer.kid, kid) &&
               cu_list_next(&e.outer.body.stored.ranges, &cu_range_schema, &at, &range))
            if (range.last >= covered) covered = range.last + 1;
        if (!is_held(&e) && !was_accepted(node, &e)) continue;
        TRY(cu_copied_by(p, (cu_seq){ seq }, node->party, &own, err));
        if (!own) cu_node_hold(node, seq);
    }
    return CU_OK;
}

/* A round costs a checkpoint, an attestation and a transaction, of however many entries: where many come, nobody waits for one alone. */
static void wait_a_tick(struct cu_node *node, bool many)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    if (many) {
        until.tv_nsec += UNHURRIED_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        while (!node->ending && pthread_cond_timedwait(&node->changed, &node->lock, &until) == 0) continue;
        return;
    }
    until.tv_sec += TICK_MS / 1000;
    if (!node->due && !node->told && !node->ending) pthread_cond_timedwait(&node->changed, &node->lock, &until);
}

/* On a chain the others may be gone when this one ends: what it would say then it says when it begins, from its outbox and the log. */
static bool says(const struct cu_node *node) { return !node->ending || !node->config.place->engine->next; }

static bool take_due(struct cu_node *node)
{
    pthread_mutex_lock(&node->lock);
    const uint64_t now = cu_place_now(node->config.place).v;
    const bool due = says(node) && (node->due || (node->held_n > 0 && now >= node->due_at));
    node->due = false;
    if (due) node->due_at = now + ATTEST_EVERY_MS;
    pthread_mutex_unlock(&node->lock);
    return due;
}

/* Did many come? What fails here is tried again at the next tick; it is nothing that anybody was promised. */
static bool keep(struct cu_node *node, bool reads)
{
    struct cu_place *p = node->config.place;
    bool attested = false, members = false;
    uint64_t late;

    pthread_mutex_lock(&node->act);
    const uint64_t heard = node->heard;
    cu_status kept = hear(node, &members, NULL);
    node->members_due |= members;
    const bool changed = node->members_due,
               told = !changed || !node->config.members || node->config.members(node->config.arg, node);
    pthread_mutex_unlock(&node->act);
    if (kept == CU_OK && take_due(node)) kept = attest(node, &attested);
    pthread_mutex_lock(&node->act);
    if (kept == CU_OK && indexed(p).v < acknowledged(p)) kept = cu_settle(p, NULL);
    if (kept == CU_OK && node->reads) kept = cu_reads_fold(node->reads, NULL);
    if (kept == CU_OK && reads) kept = cu_access_flush(p, NULL);
    if (kept == CU_OK && reads) kept = cu_due_record(p, &late, NULL);
    if (kept == CU_OK) kept = cu_misbehaviour_record(p, NULL);
    pthread_mutex_unlock(&node->act);
    if (changed) node->members_due = read_members(node, NULL) != CU_OK || !told;
    if (attested || node->heard > heard) cu_http_wake(node->server);
    if (attested || node->heard > heard) cu_cosigning_wake(node);
    return node->heard - heard >= MANY;
}

static void *keeper(void *arg)
{
    struct cu_node *node = arg;
    uint64_t flushed = 0;
    bool ending = false, many = false;

    while (!ending) {
        pthread_mutex_lock(&node->lock);
        wait_a_tick(node, many);
        ending = node->ending;
        const bool speaks = says(node);
        node->told = false;
        pthread_mutex_unlock(&node->lock);
        const uint64_t now = cu_place_now(node->config.place).v;
        const bool reads = now - flushed >= READS_EVERY_MS && speaks;
        if (reads) flushed = now;
        many = keep(node, reads);
    }
    return NULL;
}

/* ---- starting and stopping ---- */

static void free_node(struct cu_node **at)
{
    struct cu_node *node = *at;

    if (!node) return;
    cu_pull_stop(node);
    cu_accepting_stop(node);
    pthread_mutex_lock(&node->lock);
    node->ending = true;
    pthread_cond_signal(&node->changed);
    pthread_mutex_unlock(&node->lock);
    if (node->keeps) pthread_join(node->keeper, NULL);
    cu_cosigning_stop(node);
    cu_http_stop(node->server, CU_HTTP_STOP_MS);
    node->server = NULL;
    cu_cosigning_close(node);
    if (node->keeps) (void)keep(node, says(node)); /* what the last requests left to be done */
    for (unsigned i = 0; node->readers && i < node->config.workers; i++) cu_reader_close(&node->readers[i]);
    cu_pull_free(node);
    cu_accepting_free(node);
    cu_push_close(node);
    cu_reads_close(node->reads);
    cu_membership_free(&node->membership);
    pthread_mutex_destroy(&node->who);
    pthread_mutex_destroy(&node->act);
    pthread_mutex_destroy(&node->known.lock);
    pthread_mutex_destroy(&node->lock);
    pthread_cond_destroy(&node->changed);
    free(node->readers);
    free(node->contexts);
    free(node->held);
    free(node);
    *at = NULL;
}

static cu_status open_readers(struct cu_node *node, struct cu_err *err)
{
    node->readers = calloc(node->config.workers, sizeof *node->readers);
    node->contexts = calloc(node->config.workers, sizeof *node->contexts);
    node->held_cap = CU_HTTP_HELD_MAX;
    node->held = calloc(node->held_cap, sizeof *node->held);
    ENSURE(node->readers && node->contexts && node->held, err, CU_NO_MEMORY, "no memory for a node");
    for (unsigned i = 0; i < node->config.workers; i++) {
        node->contexts[i] = &node->readers[i];
        TRY(cu_reader_open(node, &node->readers[i], err));
    }
    return CU_OK;
}

cu_status cu_node_start(const struct cu_node_config *config, struct cu_node **ret, struct cu_err *err)
{
    CU_CLEANUP(free_node) struct cu_node *node = calloc(1, sizeof *node);

    ENSURE(node, err, CU_NO_MEMORY, "no memory for a node");
    pthread_mutex_init(&node->who, NULL);
    pthread_mutex_init(&node->act, NULL);
    pthread_mutex_init(&node->known.lock, NULL);
    pthread_mutex_init(&node->lock, NULL);
    pthread_cond_init(&node->changed, NULL);
    node->config = *config;
    TRY(open_readers(node, err));
    node->party = cu_place_party(config->place);
    TRY(cu_reads_open(config->place, &node->reads, err));
    TRY(find_unattested(node, err));
    TRY(read_members(node, err));
    TRY(find_misbehaviour(node, 0, err));
    TRY(cu_pull_open(node, err));
    TRY(cu_push_open(node, err));
    TRY(cu_accepting_open(node, err));
    const struct cu_http_config http = { .address = config->address,
                                         .port = config->port,
                                         .names = config->names,
                                         .members_only = config->members_only,
                                         .tls = config->tls,
                                         .identify = identify,
                                         .who = node,
                                         .routes = cu_node_routes,
                                         .routes_n = cu_node_routes_n,
                                         .rate = config->rate,
                                         .workers = config->workers,
                                         .contexts = node->contexts,
                                         .log = config->log,
                                         .arg = config->arg };
    TRY(cu_cosigning_open(node, err));
    TRY(cu_http_start(&http, &node->server, err));
    node->keeps = pthread_create(&node->keeper, NULL, keeper, node) == 0;
    ENSURE(node->keeps, err, CU_NO_MEMORY, "no thread for a node");
    TRY(cu_pull_start(node, err));
    TRY(cu_accepting_start(node, err));
    TRY(cu_cosigning_run(node, err));
    *ret = node;
    node = NULL;
    return CU_OK;
}

unsigned cu_node_port(const struct cu_node *node) { return cu_http_port(node->server); }
void cu_node_stop(struct cu_node *node) { free_node(&node); }
