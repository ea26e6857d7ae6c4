/* A node that cosigns with one peer, who also shows a log that is another: whichever question gets no answer, whichever call of the file system
 * fails, once, there comes a quorum, and the fork is kept. Nodes that wait cost nothing, so many of them run at once. */
#include "../one_of.h"
#include "http/node_inside.h"
#include "proof/witness.h"
#include "service/cosigned.h"
#include "service_world.h"

#include "custody/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define STATE "node/cosigner"
enum { OWN, PEER, COSIGNERS, PATIENCE_MS = 20000 };
static const char *const names[COSIGNERS] = { "court.example/own", "police.example/peer" };
static struct cu_private_key key[COSIGNERS];

/* ---- the peer ---- */

struct peer {
    pthread_mutex_t lock;
    struct cu_buf note; /* what it was told last */
    const struct cu_private_key *log;
    unsigned calls, fails; /* questions, from 1; the one that gets no answer */
};

static cu_status read_told(const struct peer *peer, struct cu_note *ret, struct cu_checkpoint *c, struct cu_err *err)
{
    TRY(cu_note_read(cu_buf_span(&peer->note), ret, err));
    return cu_checkpoint_read(ret->text, c, err);
}

/* Its log has that size, too, and is another. */
static cu_status show_fork(const struct peer *peer, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_NOTE_MAX);
    struct cu_checkpoint c;
    struct cu_note note;

    TRY(read_told(peer, &note, &c, err));
    c.root.b[3] ^= 1;
    cu_checkpoint_put(&c, &text);
    return cu_note_sign(ret, cu_buf_span(&text), c.origin, peer->log, err);
}

static cu_status cosign(const struct peer *peer, uint64_t from, unsigned *ret_http, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_checkpoint c;
    struct cu_note note;

    TRY(read_told(peer, &note, &c, err));
    *ret_http = c.size.v >= from ? 200 : 404;
    if (*ret_http != 200) return CU_OK;
    cu_buf_add(ret, cu_buf_span(&peer->note));
    return cu_note_cosign(ret, note.text, cu_span_str(names[PEER]), &key[PEER], 1760000000, err);
}

/* As an outside witness: its line alone. */
static cu_status cosign_as_witness(struct cu_span body, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_witness_request r;
    struct cu_note read;

    TRY(cu_witness_request_read(body, &r, err));
    TRY(cu_note_read(r.checkpoint, &read, err));
    TRY(cu_note_cosign(&note, read.text, cu_span_str(names[PEER]), &key[PEER], 1760000000, err));
    cu_buf_add(ret, cu_span_from(cu_buf_span(&note), read.text.n + 1));
    return cu_buf_ok(ret, err);
}

static cu_status answer(struct peer *peer, const char *path, struct cu_span body, unsigned *ret_http, struct cu_buf *ret,
                        struct cu_err *err)
{
    static const char from[] = "v1/cosignatures?from=";

    if (++peer->calls == peer->fails) return cu_fail(err, CU_IO, "the line is cut");
    *ret_http = peer->note.n > 0 || body.n > 0 ? 200 : 404;
    if (strcmp(path, "add-checkpoint") == 0) return cosign_as_witness(body, ret, err);
    if (body.n > 0) return cu_buf_clear(&peer->note), cu_buf_add(&peer->note, body), cu_buf_add_str(ret, "{}"), CU_OK;
    if (*ret_http == 404) return CU_OK;
    if (strcmp(path, "checkpoint") == 0) return show_fork(peer, ret, err);
    const bool asked = strncmp(path, from, sizeof from - 1) == 0;
    return cosign(peer, asked ? strtoull(path + sizeof from - 1, NULL, 10) : 0, ret_http, ret, err);
}

static cu_status ask(void *self, const char *path, struct cu_span body, unsigned *ret_http, struct cu_buf *ret,
                     struct cu_err *err)
{
    struct peer *peer = self;

    pthread_mutex_lock(&peer->lock);
    const cu_status answered = answer(peer, path, body, ret_http, ret, err);
    pthread_mutex_unlock(&peer->lock);
    return answered;
}

static void hang_up(void *self) { (void)self; }

static cu_status reach(void *self, struct cu_span url, struct cu_remote *ret, struct cu_err *err)
{
    static const struct cu_remote_ops ops = { .ask = ask, .close = hang_up };

    (void)url, (void)err;
    *ret = (struct cu_remote){ self, &ops };
    return CU_OK;
}

/* ---- the node ---- */

/* A trust file that asks for both, of whom the other one is a peer or, at an address, an outside witness. */
static void demand_both(struct service_world *w, const char *witness)
{
    CU_BUF trust = cu_buf_heap(CU_TRUST_MAX);
    struct cu_err err = { 0 };

    assert_int_equal(cu_fs_read(&w->memory, CU_FILE_TRUST, CU_TRUST_MAX, &trust, &err), CU_OK);
    trust.n -= strlen("quorum none\n");
    for (unsigned i = 0; i < COSIGNERS; i++) {
        struct cu_vkey vkey;
        assert_int_equal(cu_vkey_make(cu_span_str(names[i]), CU_NOTE_COSIGNATURE, &key[i].pub, &vkey, &err), CU_OK);
        cu_buf_addf(&trust, "witness w%u ", i);
        assert_int_equal(cu_vkey_write(&vkey, &trust, &err), CU_OK);
        cu_buf_addf(&trust, "%s\n", i == PEER ? witness : "");
    }
    cu_buf_add_str(&trust, "group g all w0 w1\nquorum g\n");
    assert_int_equal(cu_fs_replace(&w->memory, CU_FILE_TRUST, CU_DIR_TRUST "/incoming", cu_buf_span(&trust), true, &err), CU_OK);
}

static struct service_world *begin(const char *witness)
{
    struct service_world *base = sw_new();
    struct cu_cosigner c;
    struct cu_err err = { 0 };

    assert_int_equal(sw_create(base, &err), CU_OK);
    demand_both(base, witness);
    assert_int_equal(sw_open(base, SW_WRITE, &err), CU_OK);
    assert_int_equal(cu_cosigner_create(&base->fs, STATE, cu_span_str(names[OWN]), &key[OWN], &err), CU_OK);
    assert_int_equal(cu_cosigner_open(&base->fs, STATE, &key[OWN], base->place.clock, &c, &err), CU_OK);
    assert_int_equal(cu_cosigner_begin(&c, base->place.log.checkpoint.origin, &err), CU_OK);
    cu_cosigner_close(&c);
    assert_int_equal(sw_close(base, &err), CU_OK);
    return base;
}

/* Looked at past the file system that fails. */
static bool has_come(struct cu_node *node, const struct service_world *w, bool fork)
{
    const struct cu_place *p = &w->place, sound = { .fs = w->memory };
    CU_BUF out = cu_buf_heap(4096);
    struct cu_json j = cu_json_on(&out);
    uint64_t forks = 0;
    char wanted[40];

    cu_json_open(&j, NULL, '{');
    cu_cosigning_tell(node, &j);
    cu_json_close(&j, '}');
    cu_buf_add_byte(&out, 0);
    snprintf(wanted, sizeof wanted, "\"quorum\":%llu", LLU(p->engine->tip(p->engine->self).size.v));
    return out.p && strstr((const char *)out.p, wanted) && cu_forks_list(&sound, &forks, NULL, NULL, NULL) == CU_OK &&
           (forks > 0) == fork;
}

/* The n-th question of the running node fails, or its n-th call of the file system; 0: none. */
struct run {
    struct peer peer;
    uint64_t fails;
    bool failed;  /* it came to that */
    bool outside; /* the other one is no peer, but an outside witness */
    struct service_world *w;
    struct cu_err err;
    const char *wrong;
    bool later; /* the peer is met when the node runs */
    pthread_t thread;
};

static const char *watched(struct run *r, struct cu_node *node)
{
    static const struct timespec pause = { 0, 5000000 };
    unsigned waited = 0;

    while (!has_come(node, r->w, !r->outside)) {
        if ((waited += 5) >= PATIENCE_MS) return "there is no quorum, or no fork";
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void fail_from_now_on(struct run *r)
{
    struct cu_faulty *f = &r->w->faulty;

    pthread_mutex_lock(f->mutex);
    f->fault = (enum cu_fault)(r->fails % (CU_FAULT_SHORT + 1));
    f->fail_call = r->fails ? f->calls + r->fails : 0;
    pthread_mutex_unlock(f->mutex);
}

static cu_status meet(struct cu_node *node, const char *urls, uint64_t party, struct cu_err *err)
{
    pthread_mutex_lock(&node->act);
    const cu_status met = cu_node_peers(node, urls, &party, err);
    pthread_mutex_unlock(&node->act);
    return met;
}

static const char *told(struct run *r)
{
    struct service_world *w = r->w;
    struct cu_cosigner c;
    struct cu_node *node;

    if (cu_cosigner_open(&w->fs, STATE, &key[OWN], w->place.clock, &c, &r->err) != CU_OK) return "it has no state";
    w->pace = 400; /* ms a look: what is done once a second is done soon */
    w->place.outside.open = reach;
    w->place.outside.self = &r->peer;
    r->peer.log = &w->place.key[CU_SIGNER_LOG];
    const struct cu_node_config config = { .place = &w->place,
                                           .address = "127.0.0.1",
                                           .workers = 1,
                                           .cosigner = &c,
                                           .peers = r->outside || r->later ? NULL : "http://peer" };
    const char *wrong = cu_node_start(&config, &node, &r->err) == CU_OK ? NULL : "it does not start";
    for (unsigned i = 0; !wrong && i < 2 && r->later; i++) /* it is the same one */
        wrong = meet(node, "http://peer", 2, &r->err) == CU_OK ? NULL : "it does not meet a peer";
    if (!wrong) {
        fail_from_now_on(r);
        wrong = watched(r, node);
        cu_node_stop(node);
        r->failed = w->faulty.failed;
    }
    cu_cosigner_close(&c);
    return wrong;
}

static void *tell(void *run)
{
    struct run *r = run;

    r->wrong = told(r);
    return NULL;
}

/* The worlds' own verifier is one thread's: opened and closed are they here, and between that each verifies by itself. */
static void tell_all(const struct service_world *base, struct run *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        r[i].w = sw_copy(base);
        assert_int_equal(sw_open(r[i].w, SW_WRITE, &r[i].err), CU_OK);
        r[i].w->place.verifier = cu_verifier_plain();
        r[i].peer.note = cu_buf_heap(CU_NOTE_MAX);
        pthread_mutex_init(&r[i].peer.lock, NULL);
    }
    for (size_t i = 0; i < n; i++) assert_int_equal(pthread_create(&r[i].thread, NULL, tell, &r[i]), 0);
    for (size_t i = 0; i < n; i++) {
        pthread_join(r[i].thread, NULL);
        if (r[i].wrong) fail_msg("question %u, call %u: %s %s", r[i].peer.fails, (unsigned)r[i].fails, r[i].wrong, r[i].err.text);
        assert_int_equal(sw_close(r[i].w, &r[i].err), CU_OK);
        cu_buf_free(&r[i].peer.note);
        sw_free(r[i].w);
    }
}

static void whichever_question_fails_there_comes_a_quorum_and_the_fork_is_kept(void **state)
{
    enum { RUNS = 12 };
    static struct run sound, runs[RUNS];
    size_t n = 0;

    tell_all(*state, &sound, 1);
    for (unsigned k = 1; k <= sound.peer.calls && n < RUNS; k++) runs[n++].peer.fails = k;
    tell_all(*state, runs, n);
    print_message("%u questions\n", sound.peer.calls);
}

static void a_peer_that_comes_later_is_spoken_to_as_those_before(void **state)
{
    enum { RUNS = 4 };
    static struct run runs[RUNS]; /* one in which all is answered, and each of the first questions that is not */

    for (unsigned k = 0; k < RUNS; k++) runs[k].peer.fails = k, runs[k].later = true;
    tell_all(*state, runs, RUNS);
}

/* ---- who moves, who leaves, and who shows what nobody here lists ---- */

/* One node, its cosigner, and one peer who answers as `ask` says. */
struct one {
    struct service_world *w;
    struct cu_cosigner cosigner;
    struct cu_node *node;
    struct cu_err err;
};

static void start_one(struct one *o, void *base, struct cu_outside outside, const char *peers, const uint64_t *party)
{
    *o = (struct one){ .w = sw_copy(base) };
    assert_int_equal(sw_open(o->w, SW_WRITE, &o->err), CU_OK);
    o->w->place.verifier = cu_verifier_plain();
    o->w->place.outside = outside;
    o->w->pace = 400;
    assert_int_equal(cu_cosigner_open(&o->w->fs, STATE, &key[OWN], o->w->place.clock, &o->cosigner, &o->err), CU_OK);
    const struct cu_node_config config = { .place = &o->w->place,
                                           .address = "127.0.0.1",
                                           .workers = 1,
                                           .cosigner = &o->cosigner,
                                           .peers = peers,
                                           .peers_party = party };
    assert_int_equal(cu_node_start(&config, &o->node, &o->err), CU_OK);
}

static void stop_one(struct one *o)
{
    cu_node_stop(o->node);
    cu_cosigner_close(&o->cosigner);
    assert_int_equal(sw_close(o->w, &o->err), CU_OK);
    sw_free(o->w);
}

#define WAIT(there)                                                       \
    for (unsigned waited_ = 0; !(there); waited_ += 5) {                  \
        assert_true(waited_ < PATIENCE_MS && "within its time: " #there); \
        nanosleep(&(struct timespec){ 0, 5000000 }, NULL);                \
    }

static atomic_uint old_asked, gone_asked;

static cu_status say_nothing(void *asked, const char *path, struct cu_span body, unsigned *ret_http, struct cu_buf *ret,
                             struct cu_err *err)
{
    (void)path, (void)body, (void)ret_http, (void)ret;
    atomic_fetch_add((atomic_uint *)asked, 1);
    return cu_fail(err, CU_IO, "nobody is there");
}

static cu_status reach_by_address(void *self, struct cu_span url, struct cu_remote *ret, struct cu_err *err)
{
    static const struct cu_remote_ops silent = { .ask = say_nothing, .close = hang_up };

    if (cu_span_is(url, "http://peer")) return reach(self, url, ret, err);
    *ret = (struct cu_remote){ cu_span_is(url, "http://old") ? &old_asked : &gone_asked, &silent };
    return CU_OK;
}

static unsigned calls_of(struct peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    const unsigned calls = peer->calls;
    pthread_mutex_unlock(&peer->lock);
    return calls;
}

static void who_moved_is_asked_there_and_who_left_is_neither_asked_nor_waited_for(void **state)
{
    static struct peer peer = { .lock = PTHREAD_MUTEX_INITIALIZER };
    const uint64_t party[] = { 2, 3 };
    struct one o;

    peer.note = cu_buf_heap(CU_NOTE_MAX);
    start_one(&o, *state, (struct cu_outside){ &peer, reach_by_address }, "http://old http://gone", party);
    peer.log = &o.w->place.key[CU_SIGNER_LOG];
    WAIT(old_asked > 0 && gone_asked > 0)
    assert_int_equal(peer.note.n, 0); /* neither has shown what it knows */
    assert_int_equal(meet(o.node, " http://peer", 2, &o.err), CU_OK);
    WAIT(has_come(o.node, o.w, true))
    const unsigned old = old_asked, gone = gone_asked, calls = calls_of(&peer);
    WAIT(calls_of(&peer) > calls + 4)
    assert_int_equal(old_asked, old);
    assert_int_equal(gone_asked, gone);
    stop_one(&o);
    cu_buf_free(&peer.note);
}

/* It has what it was told first, of which it shows a stranger's word, or its own; and what it was told last. */
struct stepped {
    pthread_mutex_t lock;
    struct cu_buf note, later;
    struct cu_private_key stranger;
    enum { A_STRANGERS, ITS_OWN, ITS_OWN_LATER } shows;
    atomic_uint asked, asked_behind;
};

static cu_status show_as(const struct cu_buf *of, const struct cu_private_key *by, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_note note;

    TRY(cu_note_read(cu_buf_span(of), &note, err));
    cu_buf_add(ret, note.text);
    cu_buf_add_byte(ret, '\n');
    return cu_note_cosign(ret, note.text, cu_span_str(by == &key[PEER] ? names[PEER] : "stranger.example/own"), by, 1760000000,
                          err);
}

static uint64_t size_of(const struct cu_buf *bytes)
{
    struct cu_checkpoint c = { .size = { 0 } };
    struct cu_note note;
    struct cu_err err;

    if (bytes->n && cu_note_read(cu_buf_span(bytes), &note, &err) == CU_OK) (void)!cu_checkpoint_read(note.text, &c, &err);
    return c.size.v;
}

static cu_status answer_stepped(struct stepped *s, const char *path, struct cu_span body, unsigned *ret_http, struct cu_buf *ret,
                                struct cu_err *err)
{
    static const char asks[] = "v1/cosignatures?from=";
    const uint64_t first = size_of(&s->note);

    *ret_http = 404;
    if (body.n) return cu_buf_clear(first ? &s->later : &s->note), cu_buf_add(first ? &s->later : &s->note, body), CU_OK;
    if (strncmp(path, asks, sizeof asks - 1) != 0 || first == 0) return CU_OK;
    const uint64_t from = strtoull(path + sizeof asks - 1, NULL, 10);
    atomic_fetch_add(from <= first ? &s->asked : &s->asked_behind, 1);
    if (from > first && (s->shows != ITS_OWN_LATER || from > size_of(&s->later))) return CU_OK;
    *ret_http = 200;
    if (from > first) return show_as(&s->later, &key[PEER], ret, err);
    return show_as(&s->note, s->shows == ITS_OWN ? &key[PEER] : &s->stranger, ret, err);
}

static cu_status ask_stepped(void *self, const char *path, struct cu_span body, unsigned *ret_http, struct cu_buf *ret,
                             struct cu_err *err)
{
    struct stepped *s = self;

    pthread_mutex_lock(&s->lock);
    const cu_status answered = answer_stepped(s, path, body, ret_http, ret, err);
    pthread_mutex_unlock(&s->lock);
    return answered;
}

static cu_status reach_stepped(void *self, struct cu_span url, struct cu_remote *ret, struct cu_err *err)
{
    static const struct cu_remote_ops stepped = { .ask = ask_stepped, .close = hang_up };

    (void)url, (void)err;
    *ret = (struct cu_remote){ self, &stepped };
    return CU_OK;
}

static uint64_t told_size(struct stepped *s, bool later)
{
    pthread_mutex_lock(&s->lock);
    const uint64_t size = size_of(later ? &s->later : &s->note);
    pthread_mutex_unlock(&s->lock);
    return size;
}

static uint64_t quorum_of(struct cu_node *node)
{
    CU_BUF out = cu_buf_heap(4096);
    struct cu_json j = cu_json_on(&out);

    cu_json_open(&j, NULL, '{');
    cu_cosigning_tell(node, &j);
    cu_json_close(&j, '}');
    cu_buf_add_byte(&out, 0);
    const char *at = out.p ? strstr((const char *)out.p, "\"quorum\":") : NULL;
    return at ? strtoull(at + 9, NULL, 10) : 0;
}

static void step(void *base, struct stepped *s, bool later)
{
    struct cu_outcome outcome;
    struct one o;

    start_one(&o, base, (struct cu_outside){ s, reach_stepped }, "http://peer", NULL);
    WAIT(told_size(s, false) > 0)
    const uint64_t first = told_size(s, false);
    pthread_mutex_lock(&o.node->act);
    const cu_status proposed = cu_propose_log_key(&o.w->place, CU_SPAN_EMPTY, CU_SPAN_EMPTY, &outcome, &o.err);
    pthread_mutex_unlock(&o.node->act);
    assert_int_equal(proposed, CU_OK);
    WAIT(told_size(s, true) > first)
    const unsigned asked = s->asked, behind = s->asked_behind;
    WAIT(s->asked_behind > behind + 1 && s->asked > asked + 1) /* what is behind it, and it again */
    assert_int_equal(quorum_of(o.node), 0);
    pthread_mutex_lock(&s->lock);
    s->shows = later ? ITS_OWN_LATER : ITS_OWN;
    pthread_mutex_unlock(&s->lock);
    WAIT(later ? quorum_of(o.node) > first : quorum_of(o.node) == first)
    const unsigned enough = s->asked, then = s->asked_behind;
    WAIT(s->asked_behind > then + 2)
    assert_in_range(s->asked, enough, enough + 1); /* nobody needs it any more */
    stop_one(&o);
}

static void a_size_whose_signers_nobody_lists_is_stepped_over_until_others_have_signed_it_or_a_later_one(void **state)
{
    for (unsigned later = 0; later < 2; later++) {
        struct stepped s = { .lock = PTHREAD_MUTEX_INITIALIZER,
                             .note = cu_buf_heap(CU_NOTE_MAX),
                             .later = cu_buf_heap(CU_NOTE_MAX) };
        assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &s.stranger, NULL), CU_OK);
        step(*state, &s, later);
        cu_private_free(&s.stranger);
        cu_buf_free(&s.note);
        cu_buf_free(&s.later);
    }
}

static void whichever_call_fails_there_comes_a_quorum_and_the_fork_is_kept(void **state)
{
    enum { CALLS = 48, RUNS = CALLS / ONE_OF(4) };
    static struct run runs[RUNS];
    unsigned failed = 0;

    for (unsigned k = 0; k < RUNS; k++) runs[k].fails = 1 + (uint64_t)k * ONE_OF(4);
    tell_all(*state, runs, RUNS);
    for (unsigned k = 0; k < RUNS; k++) failed += runs[k].failed;
    assert_true(failed >= RUNS / 4); /* how much it does before it is watched nobody knows */
}

static void a_quorum_that_an_outside_witness_completes_is_told(void **state)
{
    static struct run runs[] = { { .outside = true }, { .outside = true, .peer.fails = 1 } };
    struct service_world *w = begin(" http://witness");

    (void)state;
    tell_all(w, runs, 2);
    sw_free(w);
}

/* ---- who is to know that members changed ---- */

static _Atomic unsigned asked;

static bool follows_the_third_time(void *arg, struct cu_node *node)
{
    (void)arg, (void)node;
    return ++asked >= 3;
}

static void who_could_not_follow_the_members_is_told_again_until_he_has(void **state)
{
    static const struct timespec pause = { 0, 5000000 };
    struct service_world *w = sw_copy(*state);
    struct cu_outcome outcome;
    struct cu_err err = { 0 };
    struct cu_node *node;

    assert_int_equal(sw_open(w, SW_WRITE, &err), CU_OK);
    w->place.verifier = cu_verifier_plain();
    const struct cu_node_config config = {
        .place = &w->place, .address = "127.0.0.1", .workers = 1, .members = follows_the_third_time
    };
    assert_int_equal(cu_node_start(&config, &node, &err), CU_OK);
    pthread_mutex_lock(&node->act);
    const cu_status proposed = cu_propose_log_key(&w->place, CU_SPAN_EMPTY, CU_SPAN_EMPTY, &outcome, &err);
    pthread_mutex_unlock(&node->act);
    assert_int_equal(proposed, CU_OK);
    for (unsigned waited = 0; asked < 3 && waited < PATIENCE_MS; waited += 5) nanosleep(&pause, NULL);
    for (unsigned waited = 0; waited < 1500; waited += 5) nanosleep(&pause, NULL); /* a tick more */
    cu_node_stop(node);
    assert_int_equal(asked, 3);
    assert_int_equal(sw_close(w, &err), CU_OK);
    sw_free(w);
}

static int prepare(void **state)
{
    if (sw_prepare(state) != 0) return -1;
    for (unsigned i = 0; i < COSIGNERS; i++)
        if (cu_private_generate(CU_ALG_EDDSA, &key[i], NULL) != CU_OK) return -1;
    *state = begin("");
    return 0;
}

static int release(void **state)
{
    sw_free(*state);
    for (unsigned i = 0; i < COSIGNERS; i++) cu_private_free(&key[i]);
    return sw_release(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_question_fails_there_comes_a_quorum_and_the_fork_is_kept),
        cmocka_unit_test(whichever_call_fails_there_comes_a_quorum_and_the_fork_is_kept),
        cmocka_unit_test(a_quorum_that_an_outside_witness_completes_is_told),
        cmocka_unit_test(who_could_not_follow_the_members_is_told_again_until_he_has),
        cmocka_unit_test(a_peer_that_comes_later_is_spoken_to_as_those_before),
        cmocka_unit_test(who_moved_is_asked_there_and_who_left_is_neither_asked_nor_waited_for),
        cmocka_unit_test(a_size_whose_signers_nobody_lists_is_stepped_over_until_others_have_signed_it_or_a_later_one),
    };
    return cmocka_run_group_tests(tests, prepare, release);
}
