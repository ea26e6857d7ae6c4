/* Keys that are to change, a newcomer's late confirm, and where nodes are reached by now: whichever call of the file system or allocation fails, wherever the machine stops, the same
 * done again comes to the same; a key that was made is not made twice, and one in force is not touched.
 *
 * wraps: malloc calloc realloc vasprintf
 */
#include "../allocations.h"
#include "../one_of.h"
#include "service/cosigned.h"
#include "service/found.h"
#include "service_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- an organisation's folder, over a disk that fails ---- */

struct folder {
    struct cu_fs memory;
    struct cu_faulty faulty;
    struct cu_place p;
};

static struct service_world *begun, *base; /* a ledger of one organisation, which approved that another one joins */
static struct folder made;                 /* the other one's, with all that it handed over */
static struct cu_verifier plain;

static const struct cu_founder newcomer = { .name = { (const uint8_t *)"Notary", 6 },
                                            .provider = { (const uint8_t *)"Cloud", 5 },
                                            .depositor = { (const uint8_t *)"Officer", 7 },
                                            .at = { (const uint8_t *)"127.0.0.1:26656", 15 },
                                            .http = { (const uint8_t *)"127.0.0.1:8080", 14 } };

static void begin_folder(struct folder *f, struct cu_fs memory, const struct service_world *w)
{
    *f = (struct folder){ .memory = memory,
                          .faulty = {
                              .inner = memory, .stop_after = CU_NEVER, .lost = cu_memory_lose, .lost_all = cu_memory_lose_all } };
    f->p = (struct cu_place){ .fs = cu_faulty_fs(&f->faulty),
                              .clock = w->place.clock,
                              .random = w->place.random,
                              .verifier = plain,
                              .trust.network = w->place.trust.network };
}

static void end_folder(struct folder *f)
{
    for (int i = 0; i < CU_SIGNERS; i++)
        if (f->p.has_key[i]) cu_private_free(&f->p.key[i]);
    if (f->p.making) f->p.fs.ops->unlock(f->p.fs.self, f->p.making);
    f->p.fs.ops->close(f->p.fs.self);
    f->memory.ops->close(f->memory.self);
}

static cu_status copy_folder(struct folder *ret, const struct service_world *w)
{
    struct cu_fs memory;
    const cu_status copied = cu_memory_copy(&made.memory, &memory, NULL);

    if (copied != CU_OK) return copied;
    begin_folder(ret, memory, w);
    ret->p.trust.network = made.p.trust.network;
    return CU_OK;
}

/* Power off, or only what failed is over. */
static void recover(struct folder *f, uint64_t seed)
{
    const bool stopped = f->faulty.stopped || f->faulty.stop_after != CU_NEVER;

    f->faulty.stop_after = CU_NEVER;
    f->faulty.stopped = false;
    f->faulty.fail_call = 0;
    if (stopped) cu_memory_crash(&f->memory, seed);
}

/* One way in which it goes wrong: `n` counts from 1; 0: it does not. */
enum way { CALL_IO, CALL_NO_SPACE, CALL_SHORT, STOP_0, STOP_1, STOP_SEEDED, ALLOCATION, WAYS };

static void arm(struct folder *f, enum way way, uint64_t n)
{
    if (n == 0) return;
    if (way <= CALL_SHORT) f->faulty.fault = (enum cu_fault)way, f->faulty.fail_call = f->faulty.calls + n;
    else if (way < ALLOCATION) f->faulty.stop_after = f->faulty.effects + n - 1;
    else allocation.n = 0, allocation.fails = n, allocation.disk = &f->memory;
}

static bool disarm(struct folder *f, enum way way, uint64_t n)
{
    const bool came = n > 0 && (f->faulty.failed || f->faulty.stopped || (allocation.disk && allocation.n >= allocation.fails));

    allocation.disk = NULL;
    recover(f, way == STOP_SEEDED ? 7 * n : (uint64_t)(way - STOP_0));
    return came;
}

/* ---- keys that are to change ---- */

#define ALL_KEYS                                                                                                \
    (1u << CU_PURPOSE_STATEMENT | 1u << CU_PURPOSE_LOG | 1u << CU_PURPOSE_COSIGN | 1u << CU_PURPOSE_VALIDATOR | \
     1u << CU_PURPOSE_NODE)
static const char *const names[] = { "organisation", "log", "cosign", "validator", "node" };
enum { NAMES = sizeof names / sizeof *names };

static bool read_key(const struct folder *f, const char *name, const char *behind, struct cu_buf *ret)
{
    char path[64];

    snprintf(path, sizeof path, CU_DIR_KEYS "/%s%s.pem", name, behind);
    cu_buf_clear(ret);
    return cu_fs_read(&f->memory, path, 16384, ret, NULL) == CU_OK;
}

/* What lies there as a successor must be what is handed over in the end, whole. */
static void keys_stay(const struct folder *before, const struct folder *after)
{
    CU_BUF one = cu_buf_heap(16384), other = cu_buf_heap(16384);

    for (int i = 0; i < NAMES; i++) {
        assert_true(read_key(&made, names[i], "", &one) && read_key(after, names[i], "", &other));
        assert_true(cu_span_eq(cu_buf_span(&one), cu_buf_span(&other)));
        if (!read_key(before, names[i], "-next", &one)) continue;
        assert_true(read_key(after, names[i], "-next", &other) && cu_span_eq(cu_buf_span(&one), cu_buf_span(&other)));
    }
}

static void hands_over_its_successors(struct folder *f, struct cu_span file)
{
    CU_BUF pem = cu_buf_heap(16384), lies = cu_buf_heap(CU_FOUNDER_MAX);
    struct cu_err err = { 0 };
    struct cu_party_key key;
    struct cu_founder read;
    size_t at = 0;

    assert_int_equal(cu_founder_read(file, &plain, &read, &err), CU_OK);
    assert_true(read.has_proofs && cu_hash_eq(&read.network, &f->p.trust.network));
    for (int i = 0; i < NAMES; i++) {
        struct cu_private_key next;
        assert_true(cu_list_next(&read.keys, &cu_party_key_schema, &at, &key) && read_key(f, names[i], "-next", &pem));
        assert_int_equal(cu_private_from_pem(cu_buf_span(&pem), CU_SPAN_EMPTY, &next, &err), CU_OK);
        assert_true(cu_span_eq(cu_public_span(&next.pub), key.pub));
        cu_private_free(&next);
    }
    assert_int_equal(cu_fs_read(&f->memory, CU_FILE_REQUEST, CU_FOUNDER_MAX, &lies, &err), CU_OK);
    assert_true(cu_span_eq(cu_buf_span(&lies), file));
}

static bool rotate(enum way way, uint64_t n)
{
    const struct cu_founder moves = { .at = cu_span_str("elsewhere.example:1") };
    CU_BUF first = cu_buf_heap(CU_FOUNDER_MAX), again = cu_buf_heap(CU_FOUNDER_MAX);
    struct folder f, before;
    struct cu_err err = { 0 };

    assert_int_equal(copy_folder(&f, begun), CU_OK);
    arm(&f, way, n);
    const cu_status done = cu_founder_rotate(&f.p, ALL_KEYS, &moves, CU_SPAN_EMPTY, &first, &err);
    const bool came = disarm(&f, way, n);
    assert_true(done == CU_OK || (came && err.text[0]));
    struct cu_fs memory;
    assert_int_equal(cu_memory_copy(&f.memory, &memory, &err), CU_OK);
    begin_folder(&before, memory, begun);
    assert_int_equal(cu_founder_rotate(&f.p, ALL_KEYS, &moves, CU_SPAN_EMPTY, &again, &err), CU_OK);
    hands_over_its_successors(&f, cu_buf_span(&again));
    keys_stay(&before, &f);
    if (done == CU_OK && way < STOP_0) { /* who was told has them */
        struct cu_founder a, b;
        assert_true(cu_founder_read(cu_buf_span(&first), &plain, &a, &err) == CU_OK &&
                    cu_founder_read(cu_buf_span(&again), &plain, &b, &err) == CU_OK);
        assert_true(cu_span_eq(a.keys.bytes, b.keys.bytes));
        assert_true(cu_span_is(a.at, "elsewhere.example:1") && cu_span_eq(a.http, b.http));
    }
    end_folder(&before);
    end_folder(&f);
    return came;
}

static uint64_t each(bool (*tell)(enum way way, uint64_t n))
{
    uint64_t cases = 0;

    for (enum way way = 0; way < WAYS; way++)
        for (uint64_t n = 1; tell(way, n); n += ONE_OF(3) * (way == ALLOCATION ? 9 : 1)) cases++;
    return cases;
}

static void whatever_fails_keys_are_made_once_and_handed_over_whole(void **state)
{
    (void)state;
    rotate(CALL_IO, 0);
    const uint64_t cases = each(rotate);
    assert_true(cases > 100 / ONE_OF(3));
    print_message("%u cases\n", (unsigned)cases);
}

/* ---- a late confirm ---- */

/* The newcomer's node has the ledger, and its own folder. An engine that had no memory is opened again. */
static void open_ledger(struct folder *f, struct service_world *w)
{
    struct cu_err err = { 0 };

    if (w->open) (void)!sw_close(w, NULL), sw_restart(w);
    assert_int_equal(sw_open(w, SW_WRITE, &err), CU_OK);
    f->p.engine = w->place.engine;
    f->p.ledger = w->place.ledger;
    f->p.genesis = w->place.genesis;
    f->p.members = w->place.members;
    if (f->p.has_key[CU_SIGNER_ORGANISATION]) return;
    assert_int_equal(cu_key_load(&f->p, CU_SIGNER_ORGANISATION, CU_SPAN_EMPTY, &f->p.key[CU_SIGNER_ORGANISATION], &err), CU_OK);
    f->p.has_key[CU_SIGNER_ORGANISATION] = true;
}

static uint64_t confirms(struct service_world *w)
{
    struct cu_err err = { 0 };

    assert_int_equal(cu_settle(&w->place, &err), CU_OK);
    return w->place.index.count(w->place.index.self, CU_KIND_CONFIRM, NULL);
}

/* Under the names and with the keys that it handed over, each once. */
static void enrolled_whom_it_runs(struct folder *f, struct service_world *w)
{
    static const struct {
        const char *file;
        uint64_t role;
    } run[] = { { "provider", CU_ROLE_PROVIDER }, { "depositor", CU_ROLE_DEPOSITOR } };
    const struct cu_members *m = cu_ledger_members(w->place.ledger);
    struct cu_private_key key;
    struct cu_err err = { 0 };
    uint64_t n = 0;

    const uint64_t own = cu_members_key(m, &f->p.key[CU_SIGNER_ORGANISATION].id)->party;
    for (uint64_t id = 1; id <= m->parties_n; id++) n += cu_members_party(m, id)->organisation == own;
    assert_int_equal(n, 3);
    assert_int_equal(cu_settle(&w->place, &err), CU_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(cu_key_load_named(&f->p, run[i].file, CU_SPAN_EMPTY, &key, &err), CU_OK);
        const struct cu_member_key *known = cu_members_key(m, &key.id);
        assert_true(known && cu_members_party(m, known->party)->role == run[i].role);
        assert_true(cu_span_eq(cu_party_named(&w->place, known->party), i ? newcomer.depositor : newcomer.provider));
        cu_private_free(&key);
    }
}

/* It has a state of this log, of which nothing was signed, and its confirm is recorded, once. */
static void is_there(struct folder *f, struct service_world *w, uint64_t before)
{
    CU_BUF last = cu_buf_heap(CU_NOTE_MAX);
    struct cu_private_key key;
    struct cu_err err = { 0 };
    struct cu_cosigner c;

    assert_int_equal(confirms(w), before + 1);
    assert_int_equal(cu_key_load_named(&f->p, "cosign", CU_SPAN_EMPTY, &key, &err), CU_OK);
    assert_int_equal(cu_cosigner_open(&f->p.fs, CU_DIR_COSIGNER, &key, f->p.clock, &c, &err), CU_OK);
    assert_int_equal(cu_cosigner_last(&c, f->p.genesis.outer.body.genesis.origin, &last, &err), CU_OK);
    cu_cosigner_close(&c);
    cu_private_free(&key);
    const struct cu_members *m = cu_ledger_members(w->place.ledger);
    const struct cu_member_key *own = cu_members_key(m, &f->p.key[CU_SIGNER_ORGANISATION].id);
    assert_true(own && cu_members_party(m, own->party)->confirmed);
}

static bool confirm(enum way way, uint64_t n)
{
    struct service_world *w = sw_copy(base);
    struct cu_err err = { 0 };
    struct folder f;

    assert_int_equal(copy_folder(&f, begun), CU_OK);
    open_ledger(&f, w);
    const uint64_t before = confirms(w);
    allocation.other = &w->memory;
    arm(&f, way, n);
    cu_status done = cu_network_confirm(&f.p, CU_SPAN_EMPTY, &err);
    if (done == CU_OK) done = cu_network_enrol(&f.p, &err);
    const bool came = disarm(&f, way, n);
    assert_true(done == CU_OK || (came && err.text[0]));
    if (way == ALLOCATION) open_ledger(&f, w);
    assert_in_range(confirms(w), before + (done == CU_OK), before + 1);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(cu_network_confirm(&f.p, CU_SPAN_EMPTY, &err), CU_OK);
        assert_int_equal(cu_network_enrol(&f.p, &err), CU_OK);
        is_there(&f, w, before);
        enrolled_whom_it_runs(&f, w);
    }
    end_folder(&f);
    assert_int_equal(sw_close(w, &err), CU_OK);
    sw_free(w);
    return came;
}

static void whatever_fails_a_newcomer_confirms_once_and_can_cosign(void **state)
{
    (void)state;
    confirm(CALL_IO, 0);
    const uint64_t cases = each(confirm);
    assert_true(cases > 100 / ONE_OF(3));
    print_message("%u cases\n", (unsigned)cases);
}

/* ---- where nodes are reached ---- */

struct reached {
    struct cu_network_peer of[CU_PARTIES_MAX];
    size_t n;
    cu_seq from;
    struct cu_buf text;
};

/* As a node does it: the addresses of before lie in its file, whose bytes go. */
static cu_status look(struct service_world *w, struct reached *r, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    CU_BUF text = cu_buf_heap(CU_NETWORK_MAX);
    cu_size size;

    TRY(w->place.index.size(w->place.index.self, &size, err));
    TRY(cu_membership_read(&w->place, &m, err));
    TRY(cu_network_moves(&w->place, &m.members, size, &r->from, r->of, &r->n, &text, err));
    if (text.n == 0) return CU_OK;
    const struct cu_buf was = r->text;
    r->text = text, text = was;
    return CU_OK;
}

static void is_reached_at(const struct reached *r, const char *at, const struct service_world *w)
{
    cu_size size;

    assert_int_equal(w->place.index.size(w->place.index.self, &size, NULL), CU_OK);
    assert_int_equal(r->n, 1); /* the founder has no node */
    assert_true(cu_span_is(r->of[0].at, at));
    assert_true(r->from.v <= size.v);
}

static void whichever_call_fails_it_is_looked_at_again(struct service_world *w)
{
    uint64_t calls = 0;

    for (unsigned fault = 0; fault < CU_FAULT_FULL; fault++)
        for (uint64_t n = 1;; n++) {
            struct reached r = { .n = 0 };
            struct cu_err err = { 0 };
            w->faulty.fault = (enum cu_fault)fault;
            w->faulty.failed = false;
            w->faulty.fail_call = w->faulty.calls + n;
            const cu_status looked = look(w, &r, &err);
            const bool came = w->faulty.failed;
            w->faulty.fail_call = 0;
            assert_true(looked == CU_OK || (came && err.text[0] && r.from.v == 0));
            if (looked != CU_OK) r.n = 0; /* the file is read again */
            assert_int_equal(look(w, &r, &err), CU_OK);
            is_reached_at(&r, "127.0.0.1:26656", w);
            cu_buf_free(&r.text);
            calls += came;
            if (!came) break;
        }
    assert_true(calls > 0);
}

/* By the newcomer's own key. */
static cu_status move_elsewhere(struct service_world *w, struct folder *f, cu_hash *ret_id, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    CU_BUF file = cu_buf_heap(CU_FOUNDER_MAX), keys = cu_buf_heap(CU_FOUNDER_MAX);
    struct cu_private_key *own = &w->place.key[CU_SIGNER_ORGANISATION];
    struct cu_proposing r = { .change = CU_CHANGE_KEYS,
                              .organisation = cu_span_str("Notary"),
                              .at = cu_span_str("127.0.0.1:7777"),
                              .http = cu_span_str("127.0.0.1:7778") };
    const struct cu_private_key was = *own;
    struct cu_outcome outcome = { .status = CU_OK };
    struct cu_founder given;

    TRY(cu_founder_rotate(&f->p, 1u << CU_PURPOSE_NODE, &(struct cu_founder){ .has_network = false }, CU_SPAN_EMPTY, &file, err));
    TRY(cu_founder_read(cu_buf_span(&file), &plain, &given, err));
    TRY(cu_membership_read(&w->place, &m, err));
    TRY(cu_founder_given(&given, &m.members, &keys, &r.keys, err));
    *own = f->p.key[CU_SIGNER_ORGANISATION];
    const cu_status proposed = cu_propose(&w->place, &r, &outcome, err);
    *own = was;
    *ret_id = outcome.id;
    return proposed;
}

static void addresses_follow_what_took_effect_and_only_what_is_new_is_read(void **state)
{
    struct service_world *w = sw_copy(base);
    struct reached r = { .n = 0 };
    struct cu_outcome outcome;
    struct cu_err err = { 0 };
    struct folder f;
    cu_hash id;

    (void)state;
    assert_int_equal(copy_folder(&f, begun), CU_OK);
    open_ledger(&f, w);
    whichever_call_fails_it_is_looked_at_again(w);
    assert_int_equal(look(w, &r, &err), CU_OK);
    is_reached_at(&r, "127.0.0.1:26656", w);
    const uint8_t first = r.of[0].node[0];
    uint64_t calls = w->faulty.calls;
    assert_int_equal(look(w, &r, &err), CU_OK);
    assert_int_equal(w->faulty.calls, calls); /* no proposal is read twice */

    assert_int_equal(cu_network_confirm(&f.p, CU_SPAN_EMPTY, &err), CU_OK);
    assert_int_equal(cu_settle(&w->place, &err), CU_OK);
    if (move_elsewhere(w, &f, &id, &err) != CU_OK) fail_msg("%s", err.text);
    assert_int_equal(look(w, &r, &err), CU_OK);
    is_reached_at(&r, "127.0.0.1:26656", w); /* it is proposed */
    assert_int_equal(r.of[0].node[0], first);
    assert_int_equal(cu_approve(&w->place, &id, &outcome, &err), CU_OK);
    assert_int_equal(look(w, &r, &err), CU_OK);
    is_reached_at(&r, "127.0.0.1:7777", w);
    calls = w->faulty.calls;
    assert_int_equal(look(w, &r, &err), CU_OK);
    is_reached_at(&r, "127.0.0.1:7777", w);
    assert_int_equal(w->faulty.calls, calls);

    struct reached anew = { .n = 0 }; /* whoever begins now comes to the same */
    assert_int_equal(look(w, &anew, &err), CU_OK);
    is_reached_at(&anew, "127.0.0.1:7777", w);
    assert_memory_equal(anew.of[0].node, r.of[0].node, 32);
    cu_buf_free(&anew.text);
    cu_buf_free(&r.text);
    end_folder(&f);
    assert_int_equal(sw_close(w, &err), CU_OK);
    sw_free(w);
}

/* ---- fixtures ---- */

static cu_status propose(struct service_world *w, struct cu_span file, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    CU_BUF keys = cu_buf_heap(CU_FOUNDER_MAX);
    struct cu_proposing r = { .change = CU_CHANGE_JOIN, .organisation = newcomer.name, .at = newcomer.at, .http = newcomer.http };
    struct cu_outcome outcome;
    struct cu_founder f;

    TRY(cu_founder_read(file, &plain, &f, err));
    TRY(cu_membership_read(&w->place, &m, err));
    TRY(cu_founder_given(&f, &m.members, &keys, &r.keys, err));
    return cu_propose(&w->place, &r, &outcome, err);
}

static cu_status found(struct service_world *w, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_FOUNDER_MAX);
    struct cu_founder says = newcomer;
    struct cu_fs memory;

    TRY(cu_memory_fs(&memory, err));
    begin_folder(&made, memory, w);
    says.has_network = true;
    says.network = w->place.trust.network;
    TRY(cu_founder_make(&made.p, &says, CU_SPAN_EMPTY, &file, err));
    return propose(w, cu_buf_span(&file), err);
}

static int prepare(void **state)
{
    struct cu_err err = { 0 };

    (void)state;
    sw_keep();
    plain = cu_verifier_plain();
    begun = sw_new();
    if (sw_create(begun, &err) != CU_OK || sw_open(begun, SW_WRITE, &err) != CU_OK || found(begun, &err) != CU_OK ||
        sw_close(begun, &err) != CU_OK)
        fail_msg("to begin with: %s", err.text);
    sw_restart(begun);
    base = sw_copy(begun);
    return 0;
}

static int release(void **state)
{
    (void)state;
    end_folder(&made);
    sw_free(base);
    sw_free(begun);
    sw_let_go();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_fails_keys_are_made_once_and_handed_over_whole),
        cmocka_unit_test(whatever_fails_a_newcomer_confirms_once_and_can_cosign),
        cmocka_unit_test(addresses_follow_what_took_effect_and_only_what_is_new_is_read),
    };
    return cmocka_run_group_tests(tests, prepare, release);
}
