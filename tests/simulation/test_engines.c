/* One life, lived once on each engine: the same acts by the same dice, keys and salts, each signed over the blocks of its own log. What comes of it is the same: what was
 * answered, which entry stands where, and each entry's bytes, but for what a block of another height and time brings with it (its hash, ids and signatures over it); the
 * ledger's state, row by row, with each entry's hash and id named by where it stands; and the receipts, entry by entry. */
#include "../one_of.h"
#include "ledger/inside.h"
#include "life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LIVES = 3 / ONE_OF(3), TURNS = 60, RECEIPT_EACH = 5 }; /* entries */

static struct tally tally;

/* Both keep every promise by themselves: receipts verify, `check` derives the log and each block's state digest again. */
static const char *live(struct life *l, bool chain, uint64_t seed, cu_status *ret_answers)
{
    struct cu_err err = { 0 };

    sw_on_chain = chain;
    life_begin(l, seed, &tally);
    l->w->pace = 0; /* engines look at the clock as often as they like */
    MUST(sw_create(l->w, &err), "init");
    for (l->turn = 0; l->turn < TURNS && l->end < LIFE_ENTRIES; l->turn++) {
        l->w->clock += below(l, 100000);
        MUST(sw_open(l->w, SW_WRITE, &err), "opening");
        for (uint64_t n = 1 + below(l, 3); n > 0; n--) ret_answers[l->turn] = act_some(l, &err);
        MUST(sw_close(l->w, &err), "closing");
        sw_restart(l->w);
        SO(life_learn(l));
    }
    SO(life_check(l));
    return sw_judge(l->w);
}

/* Strings of 32 and 64 bytes are hashes, ids and signatures. */
static bool alike(struct cu_span a, struct cu_span b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] != b.p[i]) return false;
        if (i > 0 && i + 32 < a.n && a.p[i - 1] == 0x58 && (a.p[i] == 32 || a.p[i] == 64)) i += a.p[i];
    }
    return true;
}

static const char *compare(struct life *one, struct life *other)
{
    struct cu_log *a = &one->w->place.log, *b = &other->w->place.log;
    struct cu_err err = { 0 };
    struct cu_entry x, y;
    struct cu_span p, q;

    SOUND(a->checkpoint.size.v == b->checkpoint.size.v, "one has %llu entries, the other %llu",
          (unsigned long long)a->checkpoint.size.v, (unsigned long long)b->checkpoint.size.v);
    for (cu_seq seq = { 0 }; seq.v < a->checkpoint.size.v; seq.v++) {
        MUST(cu_log_entry_unproven(a, seq, &p, &err), "an entry");
        MUST(cu_log_entry_unproven(b, seq, &q, &err), "an entry");
        MUST(cu_entry_read(p, &x, &err), "an entry");
        MUST(cu_entry_read(q, &y, &err), "an entry");
        SOUND(x.kind == y.kind, "at %llu a kind %d and a kind %d", (unsigned long long)seq.v, (int)x.kind, (int)y.kind);
        SOUND(x.kind == CU_KIND_BLOCK || alike(p, q), "the entries at %llu, of kind %d, differ", (unsigned long long)seq.v,
              (int)x.kind);
    }
    return NULL;
}

/* ---- the state: a digest of it covers hashes of entries, which differ; said by position, it is the same ---- */

struct said {
    cu_hash hash;
    uint64_t where;
};
struct state {
    struct said *said; /* ascending */
    size_t said_n;
    struct cu_buf rows; /* each: how long it is, in one byte or two; and it */
    size_t rows_n;
};

static int by_hash(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }

static void say(struct state *s, const cu_hash *hash, uint64_t where) { s->said[s->said_n++] = (struct said){ *hash, where }; }

static const char *name_entries(struct life *l, struct state *s)
{
    struct cu_log *log = &l->w->place.log;
    struct cu_err err = { 0 };
    struct cu_span bytes;
    struct cu_entry e;

    s->said = calloc(3 * log->checkpoint.size.v, sizeof *s->said);
    CU_ASSERT(s->said);
    for (cu_seq seq = { 0 }; seq.v < log->checkpoint.size.v; seq.v++) {
        MUST(cu_log_entry_unproven(log, seq, &bytes, &err), "an entry");
        MUST(cu_entry_read(bytes, &e, &err), "an entry");
        say(s, &e.leaf, 4 * seq.v);
        if (e.signed_) say(s, &e.outer.id, 4 * seq.v + 1);
        if (e.has_inner) say(s, &e.inner.id, 4 * seq.v + 2);
    }
    qsort(s->said, s->said_n, sizeof *s->said, by_hash);
    return NULL;
}

static void put_named(struct state *s, struct cu_span bytes)
{
    for (size_t i = 0; i < bytes.n;) {
        const struct said *known = i + 32 <= bytes.n ? bsearch(bytes.p + i, s->said, s->said_n, sizeof *s->said, by_hash) : NULL;
        uint8_t where[32] = { 0 };
        if (known) cu_put_be64(where, known->where);
        cu_buf_add(&s->rows, known ? CU_SPAN_OF(where) : cu_span(bytes.p + i, 1));
        i += known ? 32 : 1;
    }
}

enum { ROW_MAX = 4096 };
static cu_status put_row(void *arg, struct cu_span key, struct cu_span value, struct cu_err *err)
{
    struct state *s = arg;
    const size_t from = s->rows.n;

    if (key.p[0] == CU_TABLE_BLOCK) return CU_OK; /* heights and times are the engine's */
    put_named(s, key);
    if (key.p[0] != CU_TABLE_NODE)
        put_named(s, value); /* of that it is a hash over ids; the leaf's are there, and inventories have its root */
    CU_ASSERT(s->rows.n - from <= ROW_MAX);
    static const uint8_t zeros[ROW_MAX];
    cu_buf_add(&s->rows, cu_span(zeros, ROW_MAX - (s->rows.n - from))); /* rows of one length can be sorted */
    s->rows_n++;
    return cu_buf_ok(&s->rows, err);
}

static int by_row(const void *a, const void *b) { return memcmp(a, b, ROW_MAX); }

static const char *gather(struct life *l, struct state *s)
{
    struct cu_err err = { 0 };

    *s = (struct state){ .rows = cu_buf_heap(SIZE_MAX / 4) };
    SO(name_entries(l, s));
    MUST(cu_state_walk(&l->w->place.ledger->state, put_row, s, &err), "the state");
    qsort(s->rows.p, s->rows_n, ROW_MAX, by_row);
    return NULL;
}

static const char *compare_states(struct life *l, uint64_t *ret_rows)
{
    struct state s[2];

    for (int i = 0; i < 2; i++) SO(gather(&l[i], &s[i]));
    SOUND(s[0].rows_n == s[1].rows_n, "one has %zu rows of state, the other %zu", s[0].rows_n, s[1].rows_n);
    for (size_t i = 0; i < s[0].rows_n; i++)
        SOUND(memcmp(s[0].rows.p + i * ROW_MAX, s[1].rows.p + i * ROW_MAX, ROW_MAX) == 0, "a row of table %s differs",
              cu_table_info(s[0].rows.p[i * ROW_MAX])->name);
    *ret_rows += s[0].rows_n;
    for (int i = 0; i < 2; i++) cu_buf_free(&s[i].rows), free(s[i].said);
    return NULL;
}

/* ---- receipts ---- */

struct receipt {
    struct cu_buf file, bytes;
    cu_status made;
    struct cu_tlog_proof proof;
    struct cu_extra extra;
    struct cu_checkpoint checkpoint;
};

static const char *read_receipt(struct life *l, cu_seq seq, struct receipt *r)
{
    struct cu_err err = { 0 };

    *r = (struct receipt){ .file = cu_buf_heap(CU_RECEIPT_MAX), .bytes = cu_buf_heap(CU_RECEIPT_MAX) };
    r->made = cu_receipt_of(&l->w->place, seq, &r->file, &err);
    if (r->made != CU_OK) return NULL;
    SO(sw_verify(l->w, cu_buf_span(&r->file), NULL, &r->checkpoint));
    MUST(cu_tlog_proof_read(cu_buf_span(&r->file), &r->proof, &err), "a receipt");
    MUST(cu_base64_read(r->proof.extra, &r->bytes, &err), "a receipt");
    MUST(cu_schema_read(&cu_extra_schema, cu_buf_span(&r->bytes), &r->extra, &err), "a receipt");
    return NULL;
}

static void free_receipts(struct receipt r[2])
{
    for (int i = 0; i < 2; i++) cu_buf_free(&r[i].file), cu_buf_free(&r[i].bytes);
}

/* It brings the same entries, and their details. That each is the one which stands there is compared above. */
static const char *same_support(const struct receipt r[2], unsigned long long seq)
{
    size_t at[2] = { 0, 0 };
    struct cu_support x, y;

    SOUND(r[0].extra.support.n == r[1].extra.support.n, "the receipts of %llu bring %llu and %llu entries", seq,
          (unsigned long long)r[0].extra.support.n, (unsigned long long)r[1].extra.support.n);
    while (cu_list_next(&r[0].extra.support, &cu_support_schema, &at[0], &x)) {
        SOUND(cu_list_next(&r[1].extra.support, &cu_support_schema, &at[1], &y), "the receipt of %llu ends early", seq);
        SOUND(x.seq == y.seq && x.has_details == y.has_details && x.has_salt == y.has_salt && cu_span_eq(x.salt, y.salt) &&
                  cu_span_eq(x.details, y.details),
              "the receipts of %llu bring the entries %llu and %llu, or other words", seq, (unsigned long long)x.seq,
              (unsigned long long)y.seq);
    }
    return NULL;
}

static const char *compare_receipts(struct life *l, cu_seq seq, uint64_t *io_n)
{
    const unsigned long long at = seq.v;
    struct receipt r[2];

    for (int i = 0; i < 2; i++) SO(read_receipt(&l[i], seq, &r[i]));
    SOUND(r[0].made == r[1].made, "of %llu there are receipts: %s, %s", at, cu_status_name(r[0].made), cu_status_name(r[1].made));
    if (r[0].made == CU_OK) {
        SOUND(r[0].proof.index.v == at && r[1].proof.index.v == at && r[0].checkpoint.size.v == r[1].checkpoint.size.v &&
                  r[0].proof.n == r[1].proof.n && r[0].extra.hashes.n == r[1].extra.hashes.n &&
                  alike(r[0].extra.record, r[1].extra.record),
              "the receipts of %llu differ", at);
        SO(same_support(r, at));
        (*io_n)++;
    }
    free_receipts(r);
    return NULL;
}

static uint64_t receipts, rows;

static const char *compare_open(struct life *l)
{
    struct cu_err err = { 0 };

    for (int i = 0; i < 2; i++) {
        sw_on_chain = i == 1;
        MUST(sw_open(l[i].w, SW_WRITE, &err), "opening");
    }
    SO(compare(&l[0], &l[1]));
    SO(compare_states(l, &rows));
    for (cu_seq seq = { 1 }; seq.v < l[0].w->place.log.checkpoint.size.v; seq.v += RECEIPT_EACH)
        SO(compare_receipts(l, seq, &receipts));
    return NULL;
}

static void the_same_life_on_both_engines_leaves_the_same_log_state_and_receipts(void **state)
{
    uint64_t entries = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        cu_status answers[2][TURNS] = { { CU_OK } };
        struct life l[2];
        for (int i = 0; i < 2; i++) {
            const char *wrong = live(&l[i], i == 1, seed, answers[i]);
            if (wrong) fail_msg("seed %llu, %s: %s", (unsigned long long)seed, i ? "chain" : "embedded", wrong);
        }
        const char *differ = compare_open(l);
        if (differ) fail_msg("seed %llu: %s", (unsigned long long)seed, differ);
        assert_memory_equal(answers[0], answers[1], sizeof answers[0]);
        entries += l[0].w->place.log.checkpoint.size.v;
        for (int i = 0; i < 2; i++) life_end(&l[i]);
    }
    assert_true(receipts > entries / (2 * RECEIPT_EACH) && rows > entries);
    print_message("%d lives on both engines: %llu entries, %llu rows of state, %llu receipts alike\n", LIVES,
                  (unsigned long long)entries, (unsigned long long)rows, (unsigned long long)receipts);
}

static int set_up(void **state)
{
    (void)state;
    sw_keep();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sw_let_go();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_same_life_on_both_engines_leaves_the_same_log_state_and_receipts) };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
