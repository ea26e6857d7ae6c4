/* Cosigning: whatever stops, fails, is put back or copied, no size leaves with two roots; and receipts that wait for a quorum. */
#include "service/cosigned.h"
#include "service_world.h"

#include "../one_of.h"
#include "custody/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ORIGIN "custody.example/00112233445566778899aabbccddeeff"
#define DIR_ "state"
enum { ENTRIES = 40, LOGS = 2, WITNESSES = 4 };

static struct cu_private_key key, other_key, witness[WITNESSES];
static cu_hash leaves[LOGS][ENTRIES]; /* two logs that differ from the start */
static struct cu_err error;

/* ---- two logs ---- */

static cu_status node_of(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err)
{
    const cu_hash *log = self;

    (void)err;
    *ret = cu_tree_root(log + (index << level), (size_t)1 << level);
    return CU_OK;
}

static struct cu_node_source nodes_of(unsigned log) { return (struct cu_node_source){ leaves[log], node_of }; }

static struct cu_span text_of(unsigned log, uint64_t size, struct cu_buf *mem)
{
    const struct cu_checkpoint c = { cu_span_str(ORIGIN), { size }, cu_tree_root(leaves[log], size) };

    cu_buf_clear(mem);
    cu_checkpoint_put(&c, mem);
    return cu_buf_span(mem);
}

static cu_unix_ms a_time(void *self)
{
    static uint64_t ms = UINT64_C(1760000000000);

    (void)self;
    return (cu_unix_ms){ ms += 1000 };
}
static const struct cu_clock some_clock = { NULL, a_time };

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(cu_crypto_init(&error), CU_OK);
    sw_keep();
    assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &key, &error), CU_OK);
    assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &other_key, &error), CU_OK);
    for (size_t i = 0; i < WITNESSES; i++) assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &witness[i], &error), CU_OK);
    for (unsigned log = 0; log < LOGS; log++)
        for (unsigned i = 0; i < ENTRIES; i++) {
            const uint8_t entry[2] = { (uint8_t)log, (uint8_t)i };
            leaves[log][i] = cu_leaf_hash(CU_SPAN_OF(entry));
        }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cu_private_free(&key);
    cu_private_free(&other_key);
    for (size_t i = 0; i < WITNESSES; i++) cu_private_free(&witness[i]);
    sw_let_go();
    return 0;
}

/* ---- what left ---- */

struct left {
    bool size[ENTRIES + 1][LOGS];
};

static cu_status make_state(const struct cu_fs *fs)
{
    struct cu_cosigner c;

    TRY(cu_cosigner_create(fs, DIR_, cu_span_str("court.example/cosigner"), &key, &error));
    TRY(cu_cosigner_open(fs, DIR_, &key, some_clock, &c, &error));
    const cu_status begun = cu_cosigner_begin(&c, cu_span_str(ORIGIN), &error);
    cu_cosigner_close(&c);
    return begun;
}

/* Opens, cosigns its own log, closes. What left verifies. */
static cu_status sign_own(const struct cu_fs *fs, unsigned log, uint64_t size, struct left *left, struct cu_buf *ret_line)
{
    CU_BUF mem = cu_buf_heap(CU_NOTE_MAX), line = cu_buf_heap(CU_NOTE_MAX), whole = cu_buf_heap(CU_NOTE_MAX);
    const struct cu_node_source nodes = nodes_of(log);
    const struct cu_cosign_step step = { .own = &nodes };
    const struct cu_span text = text_of(log, size, &mem);
    struct cu_cosigner c;
    struct cu_note note;
    uint64_t unix_s;
    cu_size last;

    TRY(cu_cosigner_open(fs, DIR_, &key, some_clock, &c, &error));
    const cu_status done = cu_cosigner_sign(&c, text, &step, &line, &last, &error);
    if (done == CU_OK) {
        cu_buf_add(&whole, text);
        cu_buf_add_byte(&whole, '\n');
        cu_buf_add(&whole, cu_buf_span(&line));
        assert_int_equal(cu_note_read(cu_buf_span(&whole), &note, &error), CU_OK);
        assert_int_equal(note.sigs_n, 1);
        assert_int_equal(cu_note_verify(&note, &note.sig[0], &c.vkey, &c.by, &unix_s, &error), CU_OK);
        assert_int_equal(last.v, size);
        if (left) left->size[size][log] = true;
        if (ret_line) cu_buf_add(ret_line, cu_buf_span(&line));
    }
    cu_cosigner_close(&c);
    return done;
}

static void no_size_has_two_roots(const struct left *left, const char *when)
{
    for (unsigned i = 0; i <= ENTRIES; i++)
        if (left->size[i][0] && left->size[i][1]) fail_msg("%s: size %u left with two roots", when, i);
}

/* Everything anybody could want signed of either log, from this state on. */
static void tempt(const struct cu_fs *fs, struct left *left)
{
    static const uint64_t sizes[] = { 7, 9, 13, 20 };

    for (unsigned log = LOGS; log-- > 0;) /* the wrong one first */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) (void)sign_own(fs, log, sizes[i], left, NULL);
}

/* ---- own log ---- */

static void each_size_is_cosigned_once_and_the_same_bytes_come_again(void **state)
{
    CU_BUF first = cu_buf_heap(CU_NOTE_MAX), again = cu_buf_heap(CU_NOTE_MAX);
    struct cu_fs fs;

    (void)state;
    assert_int_equal(cu_memory_fs(&fs, &error), CU_OK);
    assert_int_equal(make_state(&fs), CU_OK);
    assert_int_equal(sign_own(&fs, 0, 7, NULL, &first), CU_OK);
    assert_int_equal(sign_own(&fs, 0, 7, NULL, &again), CU_OK);
    assert_true(cu_span_eq(cu_buf_span(&first), cu_buf_span(&again)));
    assert_int_equal(sign_own(&fs, 1, 7, NULL, NULL), CU_BAD_PROOF);
    assert_int_equal(sign_own(&fs, 1, 9, NULL, NULL), CU_BAD_PROOF);
    assert_int_equal(sign_own(&fs, 0, 6, NULL, NULL), CU_OUT_OF_ORDER);
    assert_int_equal(sign_own(&fs, 0, ENTRIES, NULL, NULL), CU_OK);
    assert_int_equal(sign_own(&fs, 0, 7, NULL, NULL), CU_OUT_OF_ORDER);
    fs.ops->close(fs.self);
}

static cu_status act(const struct cu_fs *fs, struct left *left)
{
    TRY(sign_own(fs, 0, 7, left, NULL));
    return sign_own(fs, 0, 13, left, NULL);
}

static void try_fault(struct cu_faulty faulty, uint64_t seed, const char *when)
{
    struct left left = { 0 };
    struct cu_fs memory, fs;

    assert_int_equal(cu_memory_fs(&memory, &error), CU_OK);
    assert_int_equal(make_state(&memory), CU_OK);
    faulty.inner = memory;
    fs = cu_faulty_fs(&faulty);
    const cu_status done = act(&fs, &left);
    assert_true(done == CU_OK || done == CU_IO || done == CU_NO_SPACE);
    fs.ops->close(fs.self);
    if (seed != UINT64_MAX) cu_memory_crash(&memory, seed);
    tempt(&memory, &left);
    no_size_has_two_roots(&left, when);
    assert_true(left.size[20][0] || left.size[20][1]); /* and it goes on */
    memory.ops->close(memory.self);
}

static struct cu_faulty counted(void)
{
    struct cu_faulty faulty = { .stop_after = CU_NEVER };
    struct left left = { 0 };
    struct cu_fs fs;

    assert_int_equal(cu_memory_fs(&faulty.inner, &error), CU_OK);
    assert_int_equal(make_state(&faulty.inner), CU_OK);
    fs = cu_faulty_fs(&faulty);
    assert_int_equal(act(&fs, &left), CU_OK);
    fs.ops->close(fs.self);
    faulty.inner.ops->close(faulty.inner.self);
    return faulty;
}

static void wherever_it_stops_no_size_leaves_with_two_roots(void **state)
{
    const uint64_t effects = counted().effects;
    char when[64];

    (void)state;
    for (uint64_t k = 0; k <= effects; k++)
        for (uint64_t seed = 0; seed < 24 / ONE_OF(6); seed++) {
            snprintf(when, sizeof when, "stop after %llu, seed %llu", LLU(k), LLU(seed));
            try_fault((struct cu_faulty){ .stop_after = k, .lost = cu_memory_lose }, seed, when);
        }
}

static void whichever_call_fails_no_size_leaves_with_two_roots(void **state)
{
    static const enum cu_fault faults[] = { CU_FAULT_IO, CU_FAULT_NO_SPACE, CU_FAULT_SHORT };
    const uint64_t calls = counted().calls;
    char when[64];

    (void)state;
    for (uint64_t n = 1; n <= calls; n++)
        for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
            for (uint64_t seed = 0; seed < 4; seed++) {
                snprintf(when, sizeof when, "call %llu fails in way %zu, seed %llu", LLU(n), f, LLU(seed));
                try_fault(
                    (struct cu_faulty){ .stop_after = CU_NEVER, .fail_call = n, .fault = faults[f], .lost = cu_memory_lose },
                    seed ? seed : UINT64_MAX, when);
            }
}

static void no_flipped_bit_of_a_state_signs_anything(void **state)
{
    const cu_hash name = cu_sha256(cu_span_str(ORIGIN));
    struct cu_file_stat stat;
    struct cu_fs fs, copy;
    char hex[65], path[100];

    (void)state;
    assert_int_equal(cu_memory_fs(&fs, &error), CU_OK);
    assert_int_equal(make_state(&fs), CU_OK);
    assert_int_equal(sign_own(&fs, 0, 13, NULL, NULL), CU_OK);
    cu_hash_hex(&name, hex);
    snprintf(path, sizeof path, DIR_ "/%s", hex);
    assert_int_equal(fs.ops->stat(fs.self, path, &stat, &error), CU_OK);
    for (uint64_t bit = 0; bit < stat.size * 8; bit += ONE_OF(17)) {
        assert_int_equal(cu_memory_copy(&fs, &copy, &error), CU_OK);
        assert_true(cu_memory_flip(&copy, path, bit));
        assert_int_equal(sign_own(&copy, 0, 20, NULL, NULL), CU_CORRUPT);
        copy.ops->close(copy.self);
    }
    fs.ops->close(fs.self);
}

static void an_empty_folder_is_no_state_and_another_keys_is_not_ours(void **state)
{
    struct cu_cosigner c;
    struct cu_fs fs;

    (void)state;
    assert_int_equal(cu_memory_fs(&fs, &error), CU_OK);
    assert_int_equal(sign_own(&fs, 0, 7, NULL, NULL), CU_NOT_FOUND);
    assert_int_equal(make_state(&fs), CU_OK);
    assert_int_equal(make_state(&fs), CU_NOT_ALLOWED);
    assert_int_equal(cu_cosigner_open(&fs, DIR_, &other_key, some_clock, &c, &error), CU_UNTRUSTED);
    fs.ops->close(fs.self);
}

static void an_older_copy_of_a_state_learns_from_others_what_left(void **state)
{
    CU_BUF line = cu_buf_heap(CU_NOTE_MAX), mem = cu_buf_heap(CU_NOTE_MAX), whole = cu_buf_heap(CU_NOTE_MAX);
    const struct cu_node_source own = nodes_of(0), wrong = nodes_of(1);
    struct left left = { 0 };
    struct cu_cosigner c;
    struct cu_fs fs, copy;
    struct cu_note note;

    (void)state;
    assert_int_equal(cu_memory_fs(&fs, &error), CU_OK);
    assert_int_equal(make_state(&fs), CU_OK);
    assert_int_equal(cu_memory_copy(&fs, &copy, &error), CU_OK); /* as a backup of that day */
    assert_int_equal(sign_own(&fs, 0, 13, &left, &line), CU_OK);
    cu_buf_add(&whole, text_of(0, 13, &mem));
    cu_buf_add_byte(&whole, '\n');
    cu_buf_add(&whole, cu_buf_span(&line));
    assert_int_equal(cu_note_read(cu_buf_span(&whole), &note, &error), CU_OK);
    assert_int_equal(cu_cosigner_open(&copy, DIR_, &key, some_clock, &c, &error), CU_OK);
    assert_int_equal(cu_cosigner_recall(&c, &note, &wrong, &error), CU_BAD_PROOF);
    assert_int_equal(cu_cosigner_recall(&c, &note, &own, &error), CU_OK);
    assert_int_equal(cu_cosigner_recall(&c, &note, &own, &error), CU_OK);
    cu_cosigner_close(&c);
    assert_int_equal(cu_cosigner_open(&copy, DIR_, &key, some_clock, &c, &error), CU_OK);
    note.sig[0].id++;
    assert_int_equal(cu_cosigner_recall(&c, &note, &own, &error), CU_NOT_FOUND);
    cu_cosigner_close(&c);
    tempt(&copy, &left);
    no_size_has_two_roots(&left, "a copy that was put back");
    fs.ops->close(fs.self);
    copy.ops->close(copy.self);
}

/* ---- logs of others, by proofs ---- */

static cu_status sign_other(struct cu_cosigner *c, unsigned log, uint64_t old, uint64_t size, unsigned proof_of, cu_size *last)
{
    CU_BUF mem = cu_buf_heap(CU_NOTE_MAX), line = cu_buf_heap(CU_NOTE_MAX);
    const struct cu_node_source nodes = nodes_of(proof_of);
    cu_hash path[CU_PROOF_HASHES_MAX];
    size_t n = 0;

    if (old > 0 && old < size)
        assert_int_equal(cu_consistency_make(&nodes, (cu_size){ old }, (cu_size){ size }, path, &n, &error), CU_OK);
    const struct cu_cosign_step step = { .old = { old }, .proof = path, .n = n };
    return cu_cosigner_sign(c, text_of(log, size, &mem), &step, &line, last, &error);
}

static void a_log_of_others_goes_on_by_proof_or_not_at_all(void **state)
{
    struct cu_cosigner c;
    struct cu_fs fs;
    cu_size last = { 99 };

    (void)state;
    assert_int_equal(cu_memory_fs(&fs, &error), CU_OK);
    assert_int_equal(cu_cosigner_create(&fs, DIR_, cu_span_str("w"), &key, &error), CU_OK);
    assert_int_equal(cu_cosigner_open(&fs, DIR_, &key, some_clock, &c, &error), CU_OK);
    assert_int_equal(sign_other(&c, 0, 0, 7, 0, &last), CU_NOT_FOUND);
    assert_int_equal(cu_cosigner_begin(&c, cu_span_str(ORIGIN), &error), CU_OK);
    assert_int_equal(sign_other(&c, 0, 5, 7, 0, &last), CU_CHANGED);
    assert_int_equal(last.v, 0);
    assert_int_equal(sign_other(&c, 0, 0, 7, 0, &last), CU_OK);
    assert_int_equal(last.v, 7);
    assert_int_equal(cu_cosigner_begin(&c, cu_span_str(ORIGIN), &error), CU_OK); /* which forgets nothing */
    assert_int_equal(sign_other(&c, 0, 0, 7, 0, &last), CU_CHANGED);
    assert_int_equal(sign_other(&c, 0, 7, 7, 0, &last), CU_OK);
    assert_int_equal(sign_other(&c, 1, 7, 7, 0, &last), CU_BAD_PROOF);
    assert_int_equal(sign_other(&c, 0, 8, 7, 0, &last), CU_MALFORMED);
    assert_int_equal(sign_other(&c, 1, 7, 13, 1, &last), CU_BAD_PROOF);
    assert_int_equal(sign_other(&c, 0, 7, 13, 1, &last), CU_BAD_PROOF);
    assert_int_equal(sign_other(&c, 0, 7, 13, 0, &last), CU_OK);
    assert_int_equal(last.v, 13);
    cu_cosigner_close(&c);
    fs.ops->close(fs.self);
}

/* ---- receipts ---- */

/* The trust file of a world, from now on with a quorum of three of four. */
static void demand_quorum(struct service_world *w)
{
    CU_BUF trust = cu_buf_heap(CU_TRUST_MAX);
    char name[32];

    assert_int_equal(cu_fs_read(&w->memory, CU_FILE_TRUST, CU_TRUST_MAX, &trust, &error), CU_OK);
    trust.n -= strlen("quorum none\n");
    for (unsigned i = 0; i < WITNESSES; i++) {
        struct cu_vkey vkey;
        snprintf(name, sizeof name, "witness.example/%u", i);
        assert_int_equal(cu_vkey_make(cu_span_str(name), CU_NOTE_COSIGNATURE, &witness[i].pub, &vkey, &error), CU_OK);
        cu_buf_addf(&trust, "witness w%u ", i);
        assert_int_equal(cu_vkey_write(&vkey, &trust, &error), CU_OK);
        cu_buf_add_byte(&trust, '\n');
    }
    cu_buf_add_str(&trust, "group g 3 w0 w1 w2 w3\nquorum g\n");
    assert_int_equal(cu_fs_replace(&w->memory, CU_FILE_TRUST, CU_DIR_TRUST "/incoming", cu_buf_span(&trust), true, &error),
                     CU_OK);
}

/* These witnesses sign the newest checkpoint. */
static cu_status take_from(struct service_world *w, unsigned from, unsigned to, bool *ret_met)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_note read;
    char name[32];
    bool more;

    cu_buf_add(&note, cu_buf_span(&w->place.log.note));
    assert_int_equal(cu_note_read(cu_buf_span(&w->place.log.note), &read, &error), CU_OK);
    for (unsigned i = from; i < to; i++) {
        snprintf(name, sizeof name, "witness.example/%u", i);
        assert_int_equal(cu_note_cosign(&note, read.text, cu_span_str(name), &witness[i], 1760000000 + i, &error), CU_OK);
    }
    return cu_cosigned_take(&w->place, cu_buf_span(&note), &more, ret_met, &error);
}

static cu_status note_seq(void *ret, struct cu_deposited *d, struct cu_err *err)
{
    (void)err;
    assert_int_equal(d->receipt.n, 0); /* recorded, and no receipt */
    *(cu_seq *)ret = d->seq;
    return CU_OK;
}

static uint64_t size_of_receipt(struct service_world *w, cu_seq seq)
{
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_tlog_proof proof;
    struct cu_checkpoint c;
    struct cu_note note;

    assert_int_equal(cu_receipt_of(&w->place, seq, &receipt, &error), CU_OK);
    assert_int_equal(cu_tlog_proof_read(cu_buf_span(&receipt), &proof, &error), CU_OK);
    assert_int_equal(cu_note_read(proof.checkpoint, &note, &error), CU_OK);
    assert_int_equal(cu_checkpoint_read(note.text, &c, &error), CU_OK);
    return c.size.v;
}

static cu_seq deposit(struct service_world *w, const char *path)
{
    const struct cu_deposit_request r = { .receipts = CU_DIR_RECEIPTS };
    cu_seq seq = { 0 };

    assert_int_equal(cu_deposit(&w->place, &r, &path, 1, note_seq, &seq, &error), CU_OK);
    return seq;
}

static void a_receipt_waits_for_its_quorum_and_uses_the_first_that_covers_it(void **state)
{
    CU_BUF none = cu_buf_heap(CU_RECEIPT_MAX);
    struct service_world *w = sw_new();
    struct cu_private_key own;
    bool met;

    (void)state;
    assert_int_equal(sw_create(w, &error), CU_OK);
    demand_quorum(w);
    assert_int_equal(sw_open(w, SW_WRITE, &error), CU_OK);
    const cu_seq seq = deposit(w, SW_PACKED);
    const uint64_t first = w->place.log.checkpoint.size.v;
    assert_int_equal(cu_receipt_of(&w->place, seq, &none, &error), CU_COSIGNATURES_MISSING);
    assert_int_equal(take_from(w, 0, 2, &met), CU_OK);
    assert_false(met);
    assert_int_equal(cu_receipt_of(&w->place, seq, &none, &error), CU_COSIGNATURES_MISSING); /* one too few */
    assert_int_equal(take_from(w, 2, 3, &met), CU_OK);
    assert_true(met);
    assert_int_equal(size_of_receipt(w, seq), first);
    const cu_seq next = deposit(w, SW_SMALL);
    assert_int_equal(cu_receipt_of(&w->place, next, &none, &error), CU_COSIGNATURES_MISSING);
    assert_int_equal(take_from(w, 1, 4, &met), CU_OK);
    assert_true(met);
    assert_int_equal(size_of_receipt(w, seq), first);
    assert_int_equal(size_of_receipt(w, next), w->place.log.checkpoint.size.v);
    own = witness[3], witness[3] = other_key;          /* a line by the name of the fourth, of another key */
    assert_int_equal(take_from(w, 3, 4, &met), CU_OK); /* unknown: left out */
    witness[3] = own;
    assert_int_equal(sw_close(w, &error), CU_OK);
    assert_int_equal(sw_open(w, SW_READ, &error), CU_OK);
    assert_int_equal(size_of_receipt(w, next), w->place.log.checkpoint.size.v);
    assert_int_equal(sw_close(w, &error), CU_OK);
    sw_free(w);
}

static void nothing_of_another_log_or_altered_is_taken_in(void **state)
{
    struct service_world *w = sw_new();
    CU_BUF text = cu_buf_heap(CU_NOTE_MAX), note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_checkpoint c;
    bool more, met;

    (void)state;
    assert_int_equal(sw_create(w, &error), CU_OK);
    demand_quorum(w);
    assert_int_equal(sw_open(w, SW_WRITE, &error), CU_OK);
    c = w->place.log.checkpoint;
    for (int change = 0; change < 4; change++) {
        static const cu_status wants[] = { CU_OUT_OF_ORDER, CU_BAD_PROOF, CU_UNTRUSTED, CU_BAD_SIGNATURE };
        struct cu_checkpoint bad = c;
        if (change == 0) bad.size.v++;
        if (change == 1) bad.root.b[0] ^= 1;
        if (change == 2) bad.origin = cu_span_str(ORIGIN);
        cu_buf_clear(&text);
        cu_buf_clear(&note);
        cu_checkpoint_put(&bad, &text);
        assert_int_equal(cu_note_cosign(&note, cu_buf_span(&text), cu_span_str("witness.example/0"), &witness[0], 5, &error),
                         CU_OK);
        if (change == 3) note.p[note.n - 10] = note.p[note.n - 10] == 'A' ? 'B' : 'A';
        assert_int_equal(cu_cosigned_take(&w->place, cu_buf_span(&note), &more, &met, &error), wants[change]);
    }
    assert_int_equal(sw_close(w, &error), CU_OK);
    sw_free(w);
}

static void sizes_are_found_in_their_order(void **state)
{
    static const uint64_t sizes[] = { 1, 7, 999, 1000, 1001, 999999, 1000000, 123456789, 999999999999 };
    struct cu_place p = { 0 };
    char path[80];
    cu_size found;

    (void)state;
    assert_int_equal(cu_memory_fs(&p.fs, &error), CU_OK);
    assert_int_equal(cu_cosigned_next(&p, (cu_size){ 0 }, &found, &error), CU_NOT_FOUND);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const uint64_t s = sizes[i];
        snprintf(path, sizeof path, CU_DIR_COSIGNED "/%03llu/%03llu/%03llu/%03llu", LLU(s / 1000000000), LLU(s / 1000000 % 1000),
                 LLU(s / 1000 % 1000), LLU(s % 1000));
        assert_int_equal(cu_fs_replace(&p.fs, path, "x", cu_span_str("a note"), true, &error), CU_OK);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint64_t from = i ? sizes[i - 1] + 1 : 0; from <= sizes[i]; from += (sizes[i] - from) / 3 + 1) {
            assert_int_equal(cu_cosigned_next(&p, (cu_size){ from }, &found, &error), CU_OK);
            assert_int_equal(found.v, sizes[i]);
        }
    assert_int_equal(cu_cosigned_next(&p, (cu_size){ UINT64_C(1000000000000) }, &found, &error), CU_NOT_FOUND);
    p.fs.ops->close(p.fs.self);
}

static void taking_in_survives_each_call_that_fails(void **state)
{
    struct service_world *base = sw_new();
    uint64_t calls = 0;

    (void)state;
    assert_int_equal(sw_create(base, &error), CU_OK);
    demand_quorum(base);
    for (uint64_t k = 0; k <= 3 * calls; k++) { /* at first none fails */
        const uint64_t n = (k + 2) / 3;
        struct service_world *w = sw_copy(base);
        w->faulty.fault = (enum cu_fault)(k % 3);
        bool met = false;
        assert_int_equal(sw_open(w, SW_WRITE, &error), CU_OK);
        assert_int_equal(take_from(w, 0, 1, &met), CU_OK);
        const uint64_t before = w->faulty.calls;
        w->faulty.fail_call = before + n;
        const cu_status taken = take_from(w, 1, 2, &met);
        calls = w->faulty.calls - before > calls ? w->faulty.calls - before : calls;
        w->faulty.fail_call = 0;
        assert_true(taken == CU_OK || taken == CU_IO || taken == CU_NO_SPACE);
        if (taken != CU_OK) assert_int_equal(take_from(w, 1, 2, &met), CU_OK);
        assert_int_equal(take_from(w, 2, 3, &met), CU_OK);
        assert_true(met); /* what was kept before is not said again */
        assert_int_equal(sw_close(w, &error), CU_OK);
        sw_free(w);
    }
    assert_true(calls >= 5);
    sw_free(base);
}

static void a_network_pins_every_organisations_keys_and_its_quorum(void **state)
{
    CU_BUF parties = cu_buf_heap(4096), text = cu_buf_heap(CU_TRUST_MAX);
    struct cu_genesis genesis = {
        .suite = 1, .rules = 1, .engine = 2, .origin = cu_span_str(ORIGIN), .policy = { .cosigners = 3 }
    };
    struct cu_tlog_policy policy;
    static struct cu_trust trust;
    const cu_hash network = leaves[0][0];
    struct cu_private_key log[WITNESSES], says;
    struct cu_public_key third;

    (void)state;
    for (unsigned i = 0; i < WITNESSES; i++) {
        CU_BUF keys = cu_buf_heap(1024);
        assert_int_equal(cu_private_generate(CU_ALG_EDDSA, &log[i], &error), CU_OK);
        assert_int_equal(cu_private_generate(CU_ALG_ES256, &says, &error), CU_OK);
        const struct cu_party_key three[] = { { CU_PURPOSE_STATEMENT, 7, cu_public_span(&says.pub) },
                                              { CU_PURPOSE_LOG, 8, cu_public_span(&log[i].pub) },
                                              { CU_PURPOSE_COSIGN, 8, cu_public_span(&witness[i].pub) } };
        for (size_t k = 0; k < 3; k++) assert_int_equal(cu_schema_write(&cu_party_key_schema, &three[k], &keys, &error), CU_OK);
        cu_private_free(&says);
        const struct cu_party party = { i + 1, CU_ROLE_ORGANISATION, i + 1, { 3, cu_buf_span(&keys) } };
        assert_int_equal(cu_schema_write(&cu_party_schema, &party, &parties, &error), CU_OK);
        if (i == 2) third = log[i].pub;
        cu_private_free(&log[i]);
    }
    genesis.parties = (struct cu_list){ WITNESSES, cu_buf_span(&parties) };
    assert_int_equal(cu_trust_of_genesis(&genesis, &network, &third, &text, &error), CU_OK);
    assert_int_equal(cu_trust_read(cu_buf_span(&text), &trust, &error), CU_OK);
    assert_int_equal(cu_trust_policy(&trust, (cu_size){ 9 }, &policy, &error), CU_OK);
    assert_int_equal(policy.logs_n, WITNESSES);
    assert_true(cu_span_eq(cu_public_span(&policy.log[0].pub), cu_public_span(&third)));
    assert_int_equal(policy.nodes_n, WITNESSES + 1);
    assert_int_equal(policy.node[policy.quorum].k, 3);
    assert_true(cu_span_is(policy.node[1].vkey.name, ORIGIN "/cosigner/2"));
    assert_true(cu_span_eq(cu_public_span(&policy.node[1].vkey.pub), cu_public_span(&witness[1].pub)));
    genesis.policy.cosigners = 5;
    cu_buf_clear(&text);
    assert_int_equal(cu_trust_of_genesis(&genesis, &network, &third, &text, &error), CU_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_size_is_cosigned_once_and_the_same_bytes_come_again),
        cmocka_unit_test(wherever_it_stops_no_size_leaves_with_two_roots),
        cmocka_unit_test(whichever_call_fails_no_size_leaves_with_two_roots),
        cmocka_unit_test(no_flipped_bit_of_a_state_signs_anything),
        cmocka_unit_test(an_empty_folder_is_no_state_and_another_keys_is_not_ours),
        cmocka_unit_test(an_older_copy_of_a_state_learns_from_others_what_left),
        cmocka_unit_test(a_log_of_others_goes_on_by_proof_or_not_at_all),
        cmocka_unit_test(a_receipt_waits_for_its_quorum_and_uses_the_first_that_covers_it),
        cmocka_unit_test(nothing_of_another_log_or_altered_is_taken_in),
        cmocka_unit_test(sizes_are_found_in_their_order),
        cmocka_unit_test(taking_in_survives_each_call_that_fails),
        cmocka_unit_test(a_network_pins_every_organisations_keys_and_its_quorum),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
