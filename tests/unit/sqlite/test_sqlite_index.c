/* The search index: every question answered in log order, from the file and from the tail, and a bad file told from a good one. */
#include "adapters/sqlite/sqlite_index.h"

#include "custody/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct cu_err error;
#define OK(call)                                                                          \
    do {                                                                                  \
        cu_status ok_ = (call);                                                           \
        if (ok_ != CU_OK) fail_msg("%s: %s: %s", #call, cu_status_name(ok_), error.text); \
    } while (0)
#define IS(status, call)                                                                     \
    do {                                                                                     \
        cu_status is_ = (call);                                                              \
        if (is_ != (status)) fail_msg("%s: %s: %s", #call, cu_status_name(is_), error.text); \
    } while (0)

static char dir[200], path[220];

static int new_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s/custody-index-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/index.db", dir);
    return 0;
}

static int end_dir(void **state)
{
    static const char *const names[] = { "index.db",      "index.db-wal", "index.db-shm",
                                         "index.db.seal", "100% #1?.db",  "100% #1?.db.seal" };
    char name[300];
    (void)state;

    chmod(dir, 0700);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) snprintf(name, sizeof name, "%s/%s", dir, names[i]), unlink(name);
    return rmdir(dir);
}

static struct cu_index open_index(bool read_only)
{
    struct cu_index x;
    OK(cu_sqlite_index_open(path, read_only, &x, &error));
    return x;
}

static cu_hash hash_of(const char *what, uint64_t n)
{
    char text[60];
    snprintf(text, sizeof text, "%s %llu", what, (unsigned long long)n);
    return cu_sha256(cu_span_str(text));
}

/* A log of one case entry in ten, one correction in ten, one void, else deposits, in three cases. */
static struct cu_index_row row_at(uint64_t seq)
{
    static char label[8][32];
    char *text = label[seq % 8];
    struct cu_index_row r = {
        .seq = { seq }, .id = hash_of("id", seq), .leaf = hash_of("leaf", seq), .kid = hash_of("kid", seq % 2)
    };

    r.time.v = 1000 + seq, r.block.v = seq + 1, r.recorded.v = 2000 + seq;
    snprintf(text, 32, "AP/%llu", (unsigned long long)seq / 2);
    r.case_id.b[0] = (uint8_t)(seq % 3);
    r.has_case = true;
    switch (seq % 10) {
    case 0: r.kind = CU_KIND_CASE, r.number = seq / 10, r.name = cu_span_str(text); break;
    case 1:
        r.kind = CU_KIND_CORRECTION, r.has_case = false, r.has_ref = true, r.ref = hash_of("id", seq - 2),
        r.note = cu_span("a\0b", 3);
        break;
    case 2: r.kind = CU_KIND_VOID, r.has_case = false, r.serial = seq; break;
    default:
        r.kind = CU_KIND_DEPOSIT, r.serial = seq, r.number = seq / 3, r.content = CU_CONTENT_ITEM, r.size = seq * 7,
        r.root = hash_of("root", seq);
        r.has_sha256 = true, r.sha256 = hash_of("sha", seq / 4), r.label = cu_span_str(text), r.name = cu_span("\xff\n", 2);
    }
    return r;
}

static void put_rows(struct cu_index *x, uint64_t from, uint64_t to)
{
    OK(x->begin(x->self, &error));
    for (uint64_t i = from; i < to; i++) {
        struct cu_index_row r = row_at(i);
        const cu_hash id = { { (uint8_t)(i % 5) } };
        OK(x->put(x->self, &r, &error));
        OK(x->put_about(x->self, r.seq, &id, &error));
    }
    OK(x->commit(x->self, (cu_size){ to }, &error));
}

static bool same_row(const struct cu_index_row *a, const struct cu_index_row *b)
{
    return a->seq.v == b->seq.v && a->kind == b->kind && cu_hash_eq(&a->id, &b->id) && cu_hash_eq(&a->leaf, &b->leaf) &&
           cu_hash_eq(&a->kid, &b->kid) && memcmp(&a->case_id, &b->case_id, a->has_case ? 16 : 0) == 0 &&
           a->has_case == b->has_case && a->number == b->number && a->serial == b->serial && a->content == b->content &&
           a->size == b->size && cu_hash_eq(&a->root, &b->root) && a->has_sha256 == b->has_sha256 &&
           (!a->has_sha256 || cu_hash_eq(&a->sha256, &b->sha256)) && a->has_ref == b->has_ref &&
           (!a->has_ref || cu_hash_eq(&a->ref, &b->ref)) && a->time.v == b->time.v && a->block.v == b->block.v &&
           a->recorded.v == b->recorded.v && cu_span_eq(a->name, b->name) && cu_span_eq(a->label, b->label) &&
           cu_span_eq(a->note, b->note);
}

/* The answer, compared with a walk over all rows that fit. */
struct answer {
    const struct cu_index_query *q;
    uint64_t next, end, n;
};

static bool fits(const struct cu_index_query *q, const struct cu_index_row *r)
{
    char hex[65];

    cu_hash_hex(&r->id, hex);
    if (r->seq.v < q->from.v && q->by != CU_FIND_SEQ) return false;
    switch (q->by) {
    case CU_FIND_ALL: return true;
    case CU_FIND_SEQ: return r->seq.v == q->seq.v;
    case CU_FIND_ID_PREFIX: return q->text.n == 0 || memcmp(hex, q->text.p, q->text.n) == 0;
    case CU_FIND_CASE: return r->has_case && memcmp(&r->case_id, &q->case_id, 16) == 0 && r->kind == q->kind;
    case CU_FIND_EXHIBIT:
        return r->has_case && memcmp(&r->case_id, &q->case_id, 16) == 0 && r->kind == CU_KIND_DEPOSIT && r->number == q->number;
    case CU_FIND_SHA256: return r->has_sha256 && cu_hash_eq(&r->sha256, &q->hash);
    case CU_FIND_LABEL: return r->label.n > 0 && cu_span_eq(r->label, q->text);
    case CU_FIND_KIND: return r->kind == q->kind;
    case CU_FIND_REF: return r->has_ref && cu_hash_eq(&r->ref, &q->hash);
    case CU_FIND_CASE_NAME: return r->kind == CU_KIND_CASE && cu_span_eq(r->name, q->text);
    case CU_FIND_ABOUT: return r->seq.v % 5 == q->hash.b[0]; /* as put_rows says */
    }
    return false;
}

static cu_status take(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct answer *a = arg;
    struct cu_index_row due;
    (void)err;

    do {
        assert_true(a->next < a->end);
        due = row_at(a->next++);
    } while (!fits(a->q, &due));
    if (!same_row(row, &due))
        fail_msg("row %llu came back as %llu", (unsigned long long)due.seq.v, (unsigned long long)row->seq.v);
    a->n++;
    return CU_OK;
}

static uint64_t ask(struct cu_index *x, const struct cu_index_query *q, uint64_t end)
{
    struct answer a = { q, 0, end, 0 };

    OK(x->find(x->self, q, take, &a, &error));
    for (; q->limit == 0 && a.next < end; a.next++) { /* nothing was left out */
        struct cu_index_row r = row_at(a.next);
        if (fits(q, &r)) fail_msg("row %llu is missing", (unsigned long long)a.next);
    }
    return a.n;
}

static void ask_everything(struct cu_index *x, uint64_t end)
{
    char hex[65];
    cu_hash id = hash_of("id", 3);
    cu_hash_hex(&id, hex);
    const struct cu_index_query all[] = {
        { .by = CU_FIND_ALL },
        { .by = CU_FIND_SEQ, .seq = { 17 } },
        { .by = CU_FIND_SEQ, .seq = { end } },
        { .by = CU_FIND_ALL, .limit = 5 },
        { .by = CU_FIND_ID_PREFIX, .text = cu_span(hex, 64) },
        { .by = CU_FIND_ID_PREFIX, .text = cu_span(hex, 7) },
        { .by = CU_FIND_ID_PREFIX, .text = cu_span(hex, 1) },
        { .by = CU_FIND_ID_PREFIX },
        { .by = CU_FIND_CASE, .case_id = { { 1 } }, .kind = CU_KIND_DEPOSIT },
        { .by = CU_FIND_CASE, .case_id = { { 2 } }, .kind = CU_KIND_DEPOSIT },
        { .by = CU_FIND_CASE, .case_id = { { 0 } }, .kind = CU_KIND_CASE },
        { .by = CU_FIND_CASE, .case_id = { { 9 } }, .kind = CU_KIND_DEPOSIT },
        { .by = CU_FIND_EXHIBIT, .case_id = { { 1 } }, .number = 9 },
        { .by = CU_FIND_SHA256, .hash = hash_of("sha", 3) },
        { .by = CU_FIND_SHA256, .hash = hash_of("none", 3) },
        { .by = CU_FIND_LABEL, .text = cu_span_str("AP/7") },
        { .by = CU_FIND_LABEL },
        { .by = CU_FIND_KIND, .kind = CU_KIND_CORRECTION },
        { .by = CU_FIND_KIND, .kind = CU_KIND_DEPOSIT, .limit = 3 },
        { .by = CU_FIND_REF, .hash = hash_of("id", 19) },
        { .by = CU_FIND_CASE_NAME, .text = cu_span_str("AP/10") },
        { .by = CU_FIND_ABOUT, .hash = { { 3 } } },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct cu_index_query later = all[i];
        ask(x, &all[i], end);
        for (uint64_t from = 1; from <= end + 1; from += end / 3 + 1) later.from.v = from, ask(x, &later, end);
    }
    assert_int_equal(ask(x, &all[0], end), end);
    assert_int_equal(ask(x, &all[3], end), 5);
    assert_int_equal(ask(x, &all[4], end), 1);
    assert_int_equal(ask(x, &all[7], end), end);
    assert_int_equal(ask(x, &all[18], end), 3);
    static const char *const no_prefix[] = { "ABC", "xyz", "0 " };
    for (size_t i = 0; i < 3; i++) {
        struct cu_index_query q = { .by = CU_FIND_ID_PREFIX, .text = cu_span_str(no_prefix[i]) };
        struct answer a = { &q, 0, 0, 0 };
        OK(x->find(x->self, &q, take, &a, &error));
    }
}

static uint64_t count_by_hand(enum cu_kind kind, const cu_case_id *of_case, uint64_t end)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < end; i++) {
        struct cu_index_row r = row_at(i);
        n += (kind == CU_KIND_NONE || r.kind == kind) && (!of_case || (r.has_case && memcmp(&r.case_id, of_case, 16) == 0));
    }
    return n;
}

static void count_everything(struct cu_index *x, uint64_t end)
{
    static const enum cu_kind kinds[] = { CU_KIND_NONE, CU_KIND_DEPOSIT, CU_KIND_CASE, CU_KIND_VOID, CU_KIND_STORED };
    const cu_case_id cases[] = { { { 0 } }, { { 1 } }, { { 9 } } };

    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(x->count(x->self, kinds[i], NULL), count_by_hand(kinds[i], NULL, end));
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(x->count(x->self, kinds[i], &cases[k]), count_by_hand(kinds[i], &cases[k], end));
    }
}

static uint64_t size_of(struct cu_index *x)
{
    cu_size size = { 99 };
    OK(x->size(x->self, &size, &error));
    return size.v;
}

static void every_question_is_answered_in_log_order(void **state)
{
    struct cu_index x = open_index(false);
    (void)state;

    assert_int_equal(size_of(&x), 0);
    put_rows(&x, 0, 30);
    put_rows(&x, 30, 200);
    ask_everything(&x, 200);
    count_everything(&x, 200);
    x.close(x.self);
    x = open_index(false);
    assert_int_equal(size_of(&x), 200);
    ask_everything(&x, 200);
    x.close(x.self);
}

static void what_is_rolled_back_was_never_there(void **state)
{
    struct cu_index x = open_index(false);
    struct cu_index_row r = row_at(10);
    (void)state;

    put_rows(&x, 0, 10);
    OK(x.begin(x.self, &error));
    OK(x.put(x.self, &r, &error));
    x.rollback(x.self);
    assert_int_equal(size_of(&x), 10);
    ask_everything(&x, 10);
    count_everything(&x, 10);
    IS(CU_USAGE, x.put(x.self, &r, &error));
    put_rows(&x, 10, 20);
    ask_everything(&x, 20);
    OK(x.begin(x.self, &error));
    IS(CU_OUT_OF_ORDER, x.put(x.self, &r, &error)); /* twice */
    x.rollback(x.self);
    x.close(x.self);
}

/* ---- who stores what ---- */

struct holders {
    uint64_t at, n, last_seq;
    const struct cu_index_stored *all;
    size_t all_n;
};

static cu_status take_stored(void *arg, const struct cu_index_stored *s, struct cu_err *err)
{
    struct holders *h = arg;
    (void)err;

    assert_true(s->first.v <= h->at && h->at <= s->last.v);
    assert_true(h->n == 0 || s->seq.v >= h->last_seq);
    h->last_seq = s->seq.v;
    h->n++;
    return CU_OK;
}

static void holders_of_a_position_are_found_among_ranges_of_any_length(void **state)
{
    enum { N = 400, SPAN = 1000 };
    struct cu_index_stored all[N];
    struct cu_index x = open_index(false);
    (void)state;

    srand(1);
    OK(x.begin(x.self, &error));
    for (uint64_t i = 0; i < N; i++) {
        uint64_t a = (uint64_t)rand() % SPAN, b = a + (uint64_t)rand() % (i % 3 ? 20 : SPAN);
        all[i] = (struct cu_index_stored){ { SPAN + i }, 1 + i % 4, { a }, { b } };
        OK(x.put_stored(x.self, &all[i], &error));
    }
    struct cu_index_stored widest = { { 5000 }, 1, { 0 }, { INT64_MAX } }, bad = { { 1 }, 1, { 2 }, { 1 } };
    OK(x.put_stored(x.self, &widest, &error));
    IS(CU_USAGE, x.put_stored(x.self, &bad, &error));
    OK(x.commit(x.self, (cu_size){ 1 }, &error));
    for (uint64_t at = 0; at < 2 * SPAN; at++) {
        struct holders h = { .at = at };
        uint64_t due = 1;
        for (size_t i = 0; i < N; i++) due += all[i].first.v <= at && at <= all[i].last.v;
        OK(x.find_stored(x.self, (cu_seq){ at }, take_stored, &h, &error));
        assert_int_equal(h.n, due);
    }
    x.close(x.self);
}

static void every_place_that_was_told_of_an_object_is_named(void **state)
{
    enum { N = 40 };
    struct cu_index x = open_index(false);
    struct cu_index_object o = { .root = hash_of("o", 1) }, got;
    uint64_t seen = 0;
    (void)state;

    for (unsigned i = 0; i < N; i++) {
        OK(x.begin(x.self, &error));
        o.pack = hash_of("pack", i);
        o.row = i;
        OK(x.put_object(x.self, 0, &o, &error));
        struct cu_index_row r = row_at(i);
        if (i % 19 == 18) OK(x.put(x.self, &r, &error)); /* then runs are merged, more than a tier should have */
        OK(x.commit(x.self, (cu_size){ i }, &error));
    }
    for (unsigned n = 0; n < N; n++) {
        OK(x.find_object(x.self, 0, &o.root, n, &got, &error));
        cu_hash pack = hash_of("pack", got.row);
        assert_true(cu_hash_eq(&got.pack, &pack));
        seen |= UINT64_C(1) << got.row;
    }
    assert_int_equal(seen, (UINT64_C(1) << N) - 1);
    IS(CU_NOT_FOUND, x.find_object(x.self, 0, &o.root, N, &got, &error));
    IS(CU_NOT_FOUND, x.find_object(x.self, 1, &o.root, 0, &got, &error));
    x.close(x.self);
}

/* Many small batches and a few large ones: runs of every tier, keys that fill many pages. */
static void answers_are_in_log_order_however_the_runs_were_merged(void **state)
{
    struct cu_index x = open_index(false);
    uint64_t at = 0;
    (void)state;

    for (unsigned i = 0; i < 300; i++, at++) put_rows(&x, at, at + 1);
    put_rows(&x, at, at + 3000), at += 3000;
    for (unsigned i = 0; i < 40; i++, at += 7) put_rows(&x, at, at + 7);
    ask_everything(&x, at);
    count_everything(&x, at);
    x.close(x.self);
    x = open_index(true);
    put_rows(&x, at, at + 100), at += 100;
    ask_everything(&x, at);
    count_everything(&x, at);
    x.close(x.self);
}

/* ---- read only ---- */

static void write_file(const char *name, const char *bytes)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_true(fputs(bytes, f) >= 0);
    fclose(f);
}

static void the_tail_is_merged_and_nothing_is_written(void **state)
{
    struct cu_index x = open_index(false), r;
    struct cu_index_object o = { hash_of("o", 1), hash_of("pack", 1), 20 }, got;
    struct stat before, after;
    (void)state;

    put_rows(&x, 0, 57);
    x.close(x.self);
    assert_int_equal(stat(path, &before), 0);
    r = open_index(true);
    assert_int_equal(size_of(&r), 57);
    put_rows(&r, 57, 80);
    put_rows(&r, 80, 133);
    assert_int_equal(size_of(&r), 133);
    ask_everything(&r, 133);
    count_everything(&r, 133);
    OK(r.begin(r.self, &error));
    OK(r.put_object(r.self, 1, &o, &error));
    r.rollback(r.self);
    IS(CU_NOT_FOUND, r.find_object(r.self, 1, &o.root, 0, &got, &error));
    OK(r.begin(r.self, &error));
    OK(r.put_object(r.self, 1, &o, &error));
    OK(r.commit(r.self, (cu_size){ 133 }, &error));
    OK(r.find_object(r.self, 1, &o.root, 0, &got, &error));
    r.close(r.self);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && before.st_size == after.st_size);
    x = open_index(false);
    assert_int_equal(size_of(&x), 57);
    x.close(x.self);
}

static void a_reader_beside_a_writer_sees_one_moment(void **state)
{
    struct cu_index w = open_index(false), r;
    (void)state;

    put_rows(&w, 0, 20);
    r = open_index(true); /* what the writer committed is in the WAL */
    assert_int_equal(size_of(&r), 20);
    put_rows(&w, 20, 40);
    put_rows(&r, 20, 30);
    ask_everything(&r, 30);
    count_everything(&r, 30);
    ask_everything(&w, 40);
    r.close(r.self);
    w.close(w.self);
}

static void a_folder_that_cannot_be_written_is_read_all_the_same(void **state)
{
    struct cu_index x = open_index(false);
    pid_t child;
    int status = 0;
    (void)state;

    put_rows(&x, 0, 20);
    x.close(x.self);
    chmod(path, 0444);
    chmod(dir, 0555);
    if (geteuid() == 0) { /* root may write anywhere: become somebody else */
        child = fork();
        if (child == 0) {
            if (setuid(65534) != 0) _exit(9);
            x = open_index(true);
            put_rows(&x, 20, 25);
            ask_everything(&x, 25);
            _exit(cu_sqlite_index_open(path, false, &x, &error) == CU_OK && x.begin(x.self, &error) == CU_OK ? 1 : 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    } else {
        x = open_index(true);
        put_rows(&x, 20, 25);
        ask_everything(&x, 25);
        x.close(x.self);
    }
    chmod(dir, 0755);
    chmod(path, 0644);
}

static void one_that_is_missing_is_empty(void **state)
{
    struct cu_index x = open_index(true);
    (void)state;

    assert_int_equal(size_of(&x), 0);
    put_rows(&x, 0, 15);
    ask_everything(&x, 15);
    x.close(x.self);
    assert_int_equal(access(path, F_OK), -1);
}

/* ---- files that are not sound ---- */

static void what_is_no_index_of_ours_is_corrupt_or_newer(void **state)
{
    struct cu_index x;
    (void)state;

    write_file(path, "this is not a database, not at all, and it is longer than a header of one would be, is it not?");
    IS(CU_CORRUPT, cu_sqlite_index_open(path, false, &x, &error));
    IS(CU_CORRUPT, cu_sqlite_index_open(path, true, &x, &error));
    unlink(path);
    x = open_index(false);
    put_rows(&x, 0, 5);
    x.close(x.self);
    static const cu_status due[] = { CU_NEWER_FORMAT, CU_CORRUPT };
    for (int i = 0; i < 2; i++) { /* both stand in the file's header, at 60 and 68 */
        FILE *f = fopen(path, "r+b");
        assert_non_null(f);
        fseek(f, i ? 68 : 60, SEEK_SET);
        fwrite("\0\0\0\x7f", 1, 4, f);
        fclose(f);
        IS(due[i], cu_sqlite_index_open(path, false, &x, &error));
        IS(due[i], cu_sqlite_index_open(path, true, &x, &error));
    }
}

static void a_file_that_is_cut_is_noticed(void **state)
{
    struct cu_index x = open_index(false);
    struct stat st;
    (void)state;

    put_rows(&x, 0, 500);
    x.close(x.self);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size / 2), 0);
    cu_status status = cu_sqlite_index_open(path, false, &x, &error);
    if (status == CU_OK) {
        struct cu_index_query q = { .by = CU_FIND_ALL };
        struct answer a = { &q, 0, 500, 0 };
        status = x.find(x.self, &q, take, &a, &error);
        x.close(x.self);
    }
    assert_int_equal(status, CU_CORRUPT);
}

static void a_path_may_hold_what_means_something_in_a_uri(void **state)
{
    struct cu_index x;
    char odd[300];
    (void)state;

    snprintf(odd, sizeof odd, "%s/100%% #1?.db", dir);
    OK(cu_sqlite_index_open(odd, false, &x, &error));
    put_rows(&x, 0, 5);
    x.close(x.self);
    assert_int_equal(access(odd, F_OK), 0);
    OK(cu_sqlite_index_open(odd, true, &x, &error));
    assert_int_equal(size_of(&x), 5);
    x.close(x.self);
}

/* ---- everything, in no order ---- */

/* Each row as a line; sorted, two indexes can be compared. */
struct lines {
    char line[400][100];
    size_t n;
};

static cu_status add_entry(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct lines *l = arg;
    (void)err;
    snprintf(l->line[l->n++], 100, "entry %llu %.*s", (unsigned long long)row->seq.v, (int)row->name.n,
             (const char *)row->name.p);
    return CU_OK;
}

static cu_status add_stored(void *arg, const struct cu_index_stored *s, struct cu_err *err)
{
    struct lines *l = arg;
    (void)err;
    snprintf(l->line[l->n++], 100, "stored %llu %llu %llu %llu", (unsigned long long)s->seq.v, (unsigned long long)s->party,
             (unsigned long long)s->first.v, (unsigned long long)s->last.v);
    return CU_OK;
}

static int by_line(const void *a, const void *b) { return strcmp(a, b); }

static struct lines lines_of(struct cu_index *x)
{
    static struct lines l;
    const struct cu_index_query all = { .by = CU_FIND_ALL };

    l = (struct lines){ .n = 0 };
    OK(x->find(x->self, &all, add_entry, &l, &error));
    OK(x->each_stored(x->self, add_stored, &l, &error));
    qsort(l.line, l.n, sizeof *l.line, by_line);
    return l;
}

static bool say_the_same(const struct lines *a, const struct lines *b)
{
    return a->n == b->n && memcmp(a->line, b->line, sizeof a->line) == 0;
}

static void put_more(struct cu_index *x, uint64_t from, uint64_t to, int order)
{
    OK(x->begin(x->self, &error));
    for (uint64_t i = from; i < to; i++) {
        uint64_t n = order > 0 ? i : to - 1 - (i - from);
        struct cu_index_object o = { hash_of("o", n / 2), hash_of("pack", n), 20 };
        struct cu_index_stored s = { { n }, 1, { n / 2 }, { n } };
        OK(x->put_object(x->self, n % 2, &o, &error));
        OK(x->put_stored(x->self, &s, &error));
    }
    OK(x->commit(x->self, (cu_size){ to }, &error));
}

static void two_indexes_of_one_log_have_the_same_rows_however_they_came_about(void **state)
{
    struct cu_index a = open_index(false), b;
    (void)state;

    put_rows(&a, 0, 60);
    put_more(&a, 0, 60, 1);
    put_rows(&a, 60, 100);
    put_more(&a, 60, 100, 1);
    static struct lines of_a, of_b, more, overlaid;
    of_a = lines_of(&a);
    char mine[220];
    memcpy(mine, path, sizeof mine);
    snprintf(path, sizeof path, "/nowhere/index.db");
    b = open_index(true);
    memcpy(path, mine, sizeof mine);
    put_rows(&b, 0, 100);
    put_more(&b, 0, 100, -1);
    of_b = lines_of(&b);
    assert_true(say_the_same(&of_a, &of_b));
    put_rows(&b, 100, 101);
    more = lines_of(&b);
    assert_false(say_the_same(&of_a, &more));
    a.close(a.self);

    a = open_index(true); /* and one that is half in a file, half in memory */
    put_rows(&a, 100, 101);
    overlaid = lines_of(&a);
    assert_true(say_the_same(&overlaid, &more));
    a.close(a.self);
    b.close(b.self);
}

/* ---- speed, where asked for ---- */

static cu_status count_row(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    return (void)row, (void)err, ++*(uint64_t *)arg, CU_OK;
}
static cu_status count_stored(void *arg, const struct cu_index_stored *s, struct cu_err *err)
{
    return (void)s, (void)err, ++*(uint64_t *)arg, CU_OK;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void a_million_rows_are_searched_in_ten_milliseconds(void **state)
{
    enum { N = 1000000, BATCH = 100000 };
    struct cu_index x;
    (void)state;

    if (!getenv("CUSTODY_SLOW")) skip();
    x = open_index(false);
    double start = seconds();
    for (uint64_t at = 0; at < N; at += BATCH) put_rows(&x, at, at + BATCH);
    OK(x.begin(x.self, &error));
    for (uint64_t at = 0; at < N; at += 10) {
        struct cu_index_stored s = { { at + 9 }, 1, { at }, { at + 9 } };
        OK(x.put_stored(x.self, &s, &error));
    }
    OK(x.commit(x.self, (cu_size){ N }, &error));
    print_message("%d rows in %.1f s\n", N, seconds() - start);
    char hex[65];
    cu_hash id = hash_of("id", 777777);
    cu_hash_hex(&id, hex);
    const struct cu_index_query all[] = {
        { .by = CU_FIND_SEQ, .seq = { 700000 } },
        { .by = CU_FIND_ID_PREFIX, .text = cu_span(hex, 5) },
        { .by = CU_FIND_CASE, .case_id = { { 1 } }, .kind = CU_KIND_DEPOSIT, .limit = 100 },
        { .by = CU_FIND_EXHIBIT, .case_id = { { 1 } }, .number = 200001 },
        { .by = CU_FIND_SHA256, .hash = hash_of("sha", 100000) },
        { .by = CU_FIND_LABEL, .text = cu_span_str("AP/400003") },
        { .by = CU_FIND_KIND, .kind = CU_KIND_VOID, .limit = 100 },
        { .by = CU_FIND_REF, .hash = hash_of("id", 500009) },
        { .by = CU_FIND_CASE_NAME, .text = cu_span_str("AP/100000") },
        { .by = CU_FIND_ALL, .limit = 100 },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        uint64_t n = 0;
        start = seconds();
        OK(x.find(x.self, &all[i], count_row, &n, &error));
        double took = seconds() - start;
        print_message("by %d: %llu rows in %.3f ms\n", (int)all[i].by, (unsigned long long)n, 1e3 * took);
        assert_true(n > 0 && took < 0.01);
    }
    uint64_t n = 0;
    start = seconds();
    OK(x.find_stored(x.self, (cu_seq){ 654321 }, count_stored, &n, &error));
    assert_int_equal(n, 1);
    print_message("stored: %.3f ms; ", 1e3 * (seconds() - start));
    start = seconds();
    assert_true(x.count(x.self, CU_KIND_DEPOSIT, NULL) == 700000);
    print_message("count: %.3f ms\n", 1e3 * (seconds() - start));
    x.close(x.self);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, new_dir, end_dir)
    const struct CMUnitTest tests[] = {
        TEST(every_question_is_answered_in_log_order),
        TEST(what_is_rolled_back_was_never_there),
        TEST(holders_of_a_position_are_found_among_ranges_of_any_length),
        TEST(every_place_that_was_told_of_an_object_is_named),
        TEST(answers_are_in_log_order_however_the_runs_were_merged),
        TEST(the_tail_is_merged_and_nothing_is_written),
        TEST(a_reader_beside_a_writer_sees_one_moment),
        TEST(a_folder_that_cannot_be_written_is_read_all_the_same),
        TEST(one_that_is_missing_is_empty),
        TEST(what_is_no_index_of_ours_is_corrupt_or_newer),
        TEST(a_file_that_is_cut_is_noticed),
        TEST(a_path_may_hold_what_means_something_in_a_uri),
        TEST(two_indexes_of_one_log_have_the_same_rows_however_they_came_about),
        TEST(a_million_rows_are_searched_in_ten_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
