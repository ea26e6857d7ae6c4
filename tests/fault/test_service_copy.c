/* Content that others hold comes to this node: whatever they send, and wherever this one stops or fails, nothing is attested that is not
 * durable here, what came is not asked for again, and in the end all of it is here. */
#include "service_world.h"

#include "service/copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- what a source has ---- */
enum { PACKED, LARGE, SMALL, MIDDLE, EMPTY, MANIFEST, OBJECTS };
enum { MADE = 4096 * 25 + 1, LARGE_BYTES = 2 * CU_CHUNK_BYTES + 4097 };
static const size_t sizes[OBJECTS] = { MADE, LARGE_BYTES, 900, CU_CHUNK_BYTES + 5, 0 };
static struct {
    struct cu_buf bytes;
    cu_hash root;
} object[OBJECTS];
static struct cu_folder folder;

static void make_folder(void)
{
    static const int files[] = { EMPTY, MIDDLE, SMALL, SMALL };
    static const char *const names[] = { "empty", "middle", "small", "the same" };
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;

    folder.items = 4;
    for (size_t i = 0; i < 4; i++) folder.bytes += sizes[files[i]];
    object[MANIFEST].bytes = cu_buf_heap(CU_CONTENT_INLINE_MAX);
    cu_manifest_header_put(folder.items, folder.bytes, &object[MANIFEST].bytes);
    for (size_t i = 0; i < 4; i++) {
        const struct cu_item row = { .path = cu_span_str(names[i]),
                                     .type = CU_ITEM_FILE,
                                     .size = sizes[files[i]],
                                     .root = object[files[i]].root,
                                     .has_root = true,
                                     .sha256 = cu_sha256(cu_buf_span(&object[files[i]].bytes)),
                                     .has_sha256 = true };
        assert_int_equal(cu_item_write(&row, &object[MANIFEST].bytes, NULL), CU_OK);
    }
    assert_int_equal(cu_manifest_open(cu_buf_span(&object[MANIFEST].bytes), &m, NULL), CU_OK);
    while (more) assert_int_equal(cu_manifest_next(&m, &item, &more, NULL), CU_OK);
    folder.root = cu_manifest_root(&m);
    object[MANIFEST].root = cu_content_root_of(cu_buf_span(&object[MANIFEST].bytes));
}

static int make_objects(void **state)
{
    for (size_t i = 0; i < MANIFEST; i++) {
        object[i].bytes = cu_buf_heap(LARGE_BYTES);
        for (size_t k = 0; k < sizes[i]; k++) cu_buf_add_byte(&object[i].bytes, (uint8_t)((k + i) * 2654435761u >> 24));
        object[i].root = cu_content_root_of(cu_buf_span(&object[i].bytes));
    }
    make_folder();
    return sw_prepare(state);
}

static int free_objects(void **state)
{
    for (size_t i = 0; i < OBJECTS; i++) cu_buf_free(&object[i].bytes);
    return sw_release(state);
}

/* ---- sources ---- */
enum lie { HONEST, SILENT, NOTHING, WRONG, SHORT, WRONG_TREE, SHORT_TREE, LIES, MORE /* than was asked for */ };
struct source {
    enum lie lie;
    uint64_t calls, fail_call; /* 1-based: this one alone is not answered */
    uint64_t sent;
};

static int find(const cu_hash *root)
{
    for (int i = 0; i < OBJECTS; i++)
        if (cu_hash_eq(root, &object[i].root)) return i;
    return -1;
}

static cu_status answers(struct source *s, const cu_hash *root, int *ret, struct cu_err *err)
{
    *ret = find(root);
    ENSURE(++s->calls != s->fail_call && s->lie != SILENT, err, CU_IO, "silence");
    ENSURE(*ret >= 0 && s->lie != NOTHING, err, CU_NOT_FOUND, "no such object");
    return CU_OK;
}

static cu_status chunks(void *self, const struct cu_reading *what, const cu_hash *root, struct cu_buf *ret, struct cu_err *err)
{
    struct source *s = self;
    int i;

    (void)what;
    TRY(answers(s, root, &i, err));
    for (size_t at = 0; at < object[i].bytes.n; at += CU_CHUNK_BYTES) {
        const size_t left = object[i].bytes.n - at;
        cu_hash one = cu_content_root_of(cu_span(object[i].bytes.p + at, left < CU_CHUNK_BYTES ? left : CU_CHUNK_BYTES));
        one.b[0] ^= s->lie == WRONG_TREE;
        cu_buf_add(ret, cu_span_hash(&one));
    }
    if (s->lie == SHORT_TREE) ret->n -= sizeof(cu_hash);
    return cu_buf_ok(ret, err);
}

static cu_status bytes(void *self, const struct cu_reading *what, const cu_hash *root, uint64_t from, uint64_t to,
                       cu_remote_feed *feed, void *arg, struct cu_err *err)
{
    struct source *s = self;
    uint8_t piece[70001];
    int i;

    (void)what;
    TRY(answers(s, root, &i, err));
    if (s->lie == SHORT && to > from) to--;
    for (uint64_t at = from; at < to;) {
        const size_t n = to - at < sizeof piece ? (size_t)(to - at) : sizeof piece;
        memcpy(piece, object[i].bytes.p + at, n);
        if (s->lie == WRONG && at + n == to) piece[n - 1] ^= 1;
        s->sent += n;
        TRY(feed(arg, cu_span(piece, n), err));
        at += n;
    }
    return s->lie == MORE ? feed(arg, cu_span_str("more"), err) : CU_OK;
}

/* Whose key it is. */
static cu_hash provider_kid;
static cu_status status(void *self, struct cu_buf *ret, struct cu_err *err)
{
    char hex[65];

    (void)self;
    cu_hash_hex(&provider_kid, hex);
    cu_buf_addf(ret, "{\"kid\":\"%s\"}", hex);
    return cu_buf_ok(ret, err);
}

static const struct cu_remote_ops ops = { .chunks = chunks, .bytes = bytes, .status = status };

/* ---- bringing ---- */
struct held {
    struct cu_range range[CU_STORED_RANGES_MAX];
    size_t n;
    struct service_world *w;
    unsigned reported;
};

static void hold(void *arg, cu_seq seq)
{
    struct held *h = arg;

    assert_true(h->n < CU_STORED_RANGES_MAX);
    h->range[h->n++] = (struct cu_range){ seq.v, seq.v };
}

static cu_status withheld(void *arg, const struct cu_withheld *what, size_t n, struct cu_err *err)
{
    struct held *h = arg;

    h->reported += (unsigned)n;
    return cu_withheld_record(&h->w->place, CU_INCIDENT_WITHHELD, what, n, err);
}

static struct held held_now;

static cu_status new_copier(struct service_world *w, struct cu_copy_source *sources, struct source *of, size_t n,
                            struct cu_copier **ret, struct cu_err *err)
{
    const struct cu_place *p = &w->place;
    const struct cu_member_key *key = cu_members_key(&p->members, &p->key[CU_SIGNER_ORGANISATION].id);

    assert_non_null(key);
    for (size_t i = 0; i < n; i++) sources[i] = (struct cu_copy_source){ .url = "http://there", .lane = { { &of[i], &ops } } };
    held_now = (struct held){ .w = w };
    const struct cu_copy_request r = { .p = &w->place,
                                       .party = key->party,
                                       .sources = sources,
                                       .sources_n = n,
                                       .lanes = 1,
                                       .withheld_ms = 60000,
                                       .held = hold,
                                       .withheld = withheld,
                                       .arg = &held_now };
    return cu_copier_new(&r, ret, err);
}

/* The node's rounds, a minute apart, until there is nothing missing. */
static cu_status rounds(struct service_world *w, struct cu_copier *c, unsigned max, uint64_t *ret_missing, struct cu_err *err)
{
    struct cu_copy_figures f = { .missing = 1 };
    bool more = true;

    for (unsigned i = 0; i < max && (f.missing || more); i++) {
        TRY(cu_copier_round(c, &more, err));
        TRY(cu_attest(&w->place, held_now.range, held_now.n, err));
        held_now.n = 0;
        TRY(cu_settle(&w->place, err));
        cu_copier_figures(c, &f);
        w->clock += 70000;
    }
    *ret_missing = f.missing;
    return CU_OK;
}

static cu_status bring_from(struct service_world *w, struct source *of, size_t n, unsigned max, uint64_t *ret_missing,
                            struct cu_err *err)
{
    struct cu_copy_source sources[2];
    struct cu_copier *c;

    TRY(new_copier(w, sources, of, n, &c, err));
    const cu_status done = rounds(w, c, max, ret_missing, err);
    cu_copier_free(c);
    return done;
}

/* ---- deposits whose content is elsewhere ---- */
static cu_status submit(struct service_world *w, uint64_t serial, int of, struct cu_err *err)
{
    CU_BUF details = cu_buf_heap(CU_DETAILS_MAX), claimed = cu_buf_heap(CU_RECORD_MAX), accepted = cu_buf_heap(CU_RECORD_MAX),
           whole = cu_buf_heap(CU_RECORD_MAX);
    const struct cu_details_deposit says = { .name = cu_span_str("film"), .tool = cu_span_str(CU_TOOL_NAME) };
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_record claim, record;
    struct cu_outcome outcome;

    TRY(cu_lookup_case(&w->place, cu_span_str(CU_CASE_UNFILED), &found, err));
    struct cu_claim body = { .serial = serial,
                             .case_id = found.row.case_id,
                             .content = of == MANIFEST ? CU_CONTENT_FOLDER : CU_CONTENT_ITEM,
                             .size = object[of].bytes.n,
                             .root = object[of].root,
                             .folder = folder,
                             .has_folder = of == MANIFEST };
    TRY(cu_details_write(CU_PROFILE_PLAIN, &says, &details, err));
    TRY(cu_say_raw(&w->place, CU_KIND_CLAIM, &body, CU_SIGNER_DEPOSITOR, cu_buf_span(&details), &claimed, err));
    TRY(cu_record_read(cu_buf_span(&claimed), &claim, err));
    struct cu_deposit deposit = { .claim = claim.entry };
    TRY(cu_say_raw(&w->place, CU_KIND_DEPOSIT, &deposit, CU_SIGNER_PROVIDER, CU_SPAN_EMPTY, &accepted, err));
    TRY(cu_record_read(cu_buf_span(&accepted), &record, err));
    record.salt = claim.salt;
    record.details = claim.details;
    if (of == MANIFEST) record.content = cu_buf_span(&object[of].bytes);
    TRY(cu_record_write(&record, &whole, err));
    const struct cu_span span = cu_buf_span(&whole);
    TRY(cu_submit(&w->place, &span, 1, &outcome, err));
    return cu_settle(&w->place, err);
}

enum { FIRST_SERIAL = 900 };
static cu_status submit_all(struct service_world *w, struct cu_err *err)
{
    TRY(cu_fs_replace(&w->fs, CU_FILE_CLOUD_FAR, CU_DIR_NODE_OBJECTS "/incoming/provider", cu_span_str("http://there\n"), true,
                      err));
    TRY(sw_open(w, SW_WRITE, err));
    TRY(submit(w, FIRST_SERIAL, PACKED, err));
    TRY(submit(w, FIRST_SERIAL + 1, LARGE, err));
    TRY(submit(w, FIRST_SERIAL + 2, MANIFEST, err));
    return sw_close(w, err);
}

static cu_status bring_all(struct service_world *w, struct cu_err *err)
{
    struct source source = { .lie = HONEST };
    uint64_t missing;

    TRY(sw_open(w, SW_WRITE, err));
    TRY(bring_from(w, &source, 1, 12, &missing, err));
    return sw_close(w, err);
}

/* Each deposit that is attested is here, every byte of it. */
struct look {
    struct service_world *w;
    uint64_t attested, deposits;
};

static cu_status look_at(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct look *l = arg;
    struct cu_objects *store = l->w->place.store[CU_STORE_NODE];
    uint64_t copies;

    if (row->serial < FIRST_SERIAL) return CU_OK;
    l->deposits++;
    TRY(cu_copies(&l->w->place, row->seq, &copies, err));
    if (copies == 0) return CU_OK;
    l->attested++;
    TRY(cu_objects_has(store, CU_OBJECT_CONTENT, &row->root, row->size, true, err));
    for (int i = SMALL; i < MANIFEST && row->content == CU_CONTENT_FOLDER; i++)
        TRY(cu_objects_has(store, CU_OBJECT_CONTENT, &object[i].root, object[i].bytes.n, true, err));
    return CU_OK;
}

static cu_status look_around(struct service_world *w, struct look *ret, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_DEPOSIT };

    TRY(w->place.engine->drain(w->place.engine->self, err));
    *ret = (struct look){ .w = w };
    return w->place.index.find(w->place.index.self, &q, look_at, ret, err);
}

static cu_status judged(struct service_world *w, struct cu_err *err)
{
    struct source source = { .lie = HONEST };
    uint64_t missing;
    struct look l;

    TRY(sw_open(w, SW_WRITE, err));
    TRY(look_around(w, &l, err));
    ENSURE(l.deposits == 3, err, CU_CORRUPT, "%llu deposits", LLU(l.deposits));
    TRY(bring_from(w, &source, 1, 12, &missing, err));
    TRY(look_around(w, &l, err));
    ENSURE(l.attested == 3 && missing == 0, err, CU_CORRUPT, "%llu deposits attested, %llu missing", LLU(l.attested),
           LLU(missing));
    source.sent = 0;
    TRY(bring_from(w, &source, 1, 12, &missing, err));
    ENSURE(source.sent == 0, err, CU_CORRUPT, "%llu bytes were brought again", LLU(source.sent));
    return sw_close(w, err);
}

static const char *judge(struct service_world *w)
{
    struct cu_err err = { 0 };
    static char text[sizeof err.text];

    sw_restart(w);
    if (judged(w, &err) == CU_OK) return NULL;
    snprintf(text, sizeof text, "%s", err.text);
    return text;
}

static const struct sw_story story = {
    .name = "copies", .prepare = submit_all, .act = bring_all, .judge = judge, .stride = 3, .call_stride = 11
};

static void whatever_loses_power_attests_nothing_that_is_not_durable_and_goes_on(void **state)
{
    (void)state;
    sw_stop_everywhere(&story);
}

static void any_call_that_fails_loses_nothing(void **state)
{
    (void)state;
    sw_fail_everywhere(&story);
}

/* ---- copies are read again ---- */
struct patrolling {
    struct cu_withheld lost[16];
    size_t n;
    uint64_t spent;
};

static bool spend(void *arg, uint64_t n)
{
    ((struct patrolling *)arg)->spent += n;
    return true;
}

static bool lose(void *arg, const struct cu_withheld *what)
{
    struct patrolling *p = arg;

    assert_true(p->n < 16);
    p->lost[p->n++] = *what;
    return true;
}

static cu_status patrol(struct service_world *w, struct cu_patrol *state, struct source *provider, struct patrolling *ret,
                        struct cu_err *err)
{
    const struct cu_remote remote = { provider, &ops };
    const struct cu_patrol_request r = { .p = &w->place,
                                         .party = cu_place_party(&w->place),
                                         .provider = provider ? &remote : NULL,
                                         .provider_url = "http://there",
                                         .spend = spend,
                                         .lost = lose,
                                         .arg = ret };

    provider_kid = w->place.key[CU_SIGNER_PROVIDER].id;
    *ret = (struct patrolling){ .n = 0 };
    return cu_patrol_round(state, &r, err);
}

/* A round, and what it found is on record and brought again. */
static cu_status patrol_and_bring(struct service_world *w, size_t *ret_found, struct cu_err *err)
{
    struct source source = { .lie = HONEST };
    struct cu_copy_source sources[1];
    struct cu_patrol state = { 0 };
    struct patrolling found;
    struct cu_copier *c;
    uint64_t missing;

    TRY(patrol(w, &state, NULL, &found, err));
    *ret_found = found.n;
    if (found.n) TRY(cu_withheld_record(&w->place, CU_INCIDENT_DAMAGE, found.lost, found.n, err));
    TRY(new_copier(w, sources, &source, 1, &c, err));
    for (size_t i = 0; i < found.n; i++) assert_true(cu_copier_lost(c, &found.lost[i]));
    if (found.n) assert_false(cu_copier_lost(c, &found.lost[0]));
    const cu_status done = rounds(w, c, 12, &missing, err);
    cu_copier_free(c);
    TRY(done);
    ENSURE(missing == 0, err, CU_CORRUPT, "%llu are missing", LLU(missing));
    return CU_OK;
}

/* One byte of the file that holds it, in the midst of its bytes. */
static cu_status flip(struct service_world *w, enum cu_object_kind kind, const cu_hash *name, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    const struct cu_fs *fs = &w->memory;
    char path[200], hex[65];
    struct cu_object o;
    uint8_t byte;
    size_t got;

    TRY(cu_objects_find(w->place.store[CU_STORE_NODE], kind, name, &o, err));
    const uint64_t at = (o.packed ? o.offset : 0) + o.size / 2;
    cu_hash_hex(o.packed ? &o.pack : &o.name, hex);
    snprintf(path, sizeof path, CU_DIR_NODE_OBJECTS "/%s/%.2s/%s%s", o.packed ? "packs" : "large", hex, hex,
             o.packed ? ".pack" : "");
    snprintf(w->damage[w->damages_n++ % SW_DAMAGES], sizeof w->damage[0], "%.159s", path);
    TRY(fs->ops->open(fs->self, path, CU_OPEN_READ | CU_OPEN_WRITE, &f, err));
    TRY(f->ops->read_at(f, at, &byte, 1, &got, err));
    byte ^= 1;
    TRY(f->ops->write_at(f, at, cu_span(&byte, 1), err));
    return f->ops->sync(f, err);
}

/* A large one, a pack with what was pulled, and one with what travelled with a record. */
static cu_status damage(struct service_world *w, struct cu_err *err)
{
    struct cu_span bytes;
    struct cu_entry e;

    TRY(flip(w, CU_OBJECT_CONTENT, &object[LARGE].root, err));
    TRY(flip(w, CU_OBJECT_CONTENT, &object[PACKED].root, err));
    TRY(cu_log_entry(&w->place.log, (cu_seq){ 0 }, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    return flip(w, CU_OBJECT_DETAILS, cu_entry_commitment(&e), err);
}

static cu_status damage_all(struct service_world *w, struct cu_err *err)
{
    TRY(submit_all(w, err));
    TRY(bring_all(w, err));
    TRY(sw_open(w, SW_WRITE, err));
    TRY(w->place.engine->drain(w->place.engine->self, err));
    TRY(damage(w, err));
    return sw_close(w, err);
}

static cu_status mend_all(struct service_world *w, struct cu_err *err)
{
    size_t found;

    TRY(sw_open(w, SW_WRITE, err));
    TRY(patrol_and_bring(w, &found, err));
    return sw_close(w, err);
}

static cu_status is_mended(struct service_world *w, struct cu_err *err)
{
    size_t found = 1;
    struct look l;

    TRY(sw_open(w, SW_WRITE, err));
    for (unsigned i = 0; i < 4 && found; i++)
        TRY(patrol_and_bring(w, &found, err)); /* what lay beside it in a pack comes later */
    ENSURE(!found, err, CU_CORRUPT, "%zu are lost", found);
    TRY(look_around(w, &l, err));
    ENSURE(l.attested == 3, err, CU_CORRUPT, "%llu deposits attested", LLU(l.attested));
    return sw_close(w, err);
}

static const char *judge_mended(struct service_world *w)
{
    struct cu_err err = { 0 };
    static char text[sizeof err.text];

    sw_restart(w);
    if (is_mended(w, &err) == CU_OK) return NULL;
    snprintf(text, sizeof text, "%s", err.text);
    return text;
}

static const struct sw_story patrol_story = {
    .name = "patrol", .prepare = damage_all, .act = mend_all, .judge = judge_mended, .stride = 5, .call_stride = 17
};

static void wherever_it_stops_or_fails_what_was_damaged_is_brought_again(void **state)
{
    (void)state;
    sw_stop_everywhere(&patrol_story);
    sw_fail_everywhere(&patrol_story);
}

/* ---- who lies ---- */
static struct service_world *world;
static struct cu_err error;
#define OK(call)                                                 \
    do {                                                         \
        const cu_status ok_ = (call);                            \
        if (ok_ != CU_OK) fail_msg("%s: %s", #call, error.text); \
    } while (0)

static int open_world(void **state)
{
    (void)state;
    world = sw_new();
    OK(sw_create(world, &error));
    OK(submit_all(world, &error));
    OK(sw_open(world, SW_WRITE, &error));
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    sw_free(world);
    return 0;
}

static uint64_t attested(void)
{
    struct look l;

    OK(look_around(world, &l, &error));
    return l.attested;
}

static void nothing_that_a_liar_sends_is_attested_and_the_next_source_is_asked(void **state)
{
    uint64_t missing;

    (void)state;
    for (enum lie lie = SILENT; lie < LIES; lie++) {
        struct source liar = { .lie = lie };
        const bool of_trees = lie == WRONG_TREE || lie == SHORT_TREE; /* what is small has none */
        OK(bring_from(world, &liar, 1, 3, &missing, &error));
        assert_true(liar.calls > 0);
        assert_int_equal(missing, of_trees ? 2 : 3);
        if (!of_trees) assert_int_equal(attested(), 0);
    }
    struct source both[] = { { .lie = WRONG }, { .lie = MORE } }; /* what came whole is right, whatever comes behind it */
    OK(bring_from(world, both, 2, 3, &missing, &error));
    assert_int_equal(missing, 0);
    assert_int_equal(attested(), 3);
    assert_true(both[0].calls > 0);
}

static void any_question_that_is_not_answered_is_asked_again(void **state)
{
    struct source counted = { .lie = HONEST };
    uint64_t missing, calls = 1;

    (void)state;
    for (uint64_t n = 1; n <= calls; n++) {
        OK(sw_close(world, &error));
        struct service_world *copy = sw_copy(world), *kept = world;
        world = copy;
        OK(sw_open(world, SW_WRITE, &error));
        counted = (struct source){ .lie = HONEST, .fail_call = n };
        OK(bring_from(world, &counted, 1, 12, &missing, &error));
        assert_int_equal(missing, 0);
        assert_int_equal(attested(), 3);
        if (n == 1) calls = counted.calls;
        sw_free(world);
        world = kept;
        OK(sw_open(world, SW_WRITE, &error));
    }
    assert_in_range(calls, 6, 40);
}

static void a_source_that_comes_later_is_asked_at_once(void **state)
{
    struct source of[] = { { .lie = SILENT }, { .lie = HONEST } };
    struct cu_copy_source sources[2];
    struct cu_copier *c;
    uint64_t missing;

    (void)state;
    OK(new_copier(world, sources, of, 2, &c, &error));
    cu_copier_sources(c, 1);
    OK(rounds(world, c, 1, &missing, &error));
    assert_int_equal(missing, 3);
    assert_int_equal(of[1].calls, 0);
    world->clock -= 70000; /* nobody would be asked again yet */
    cu_copier_sources(c, 2);
    OK(rounds(world, c, 1, &missing, &error));
    assert_true(of[1].calls > 0);
    OK(rounds(world, c, 6, &missing, &error));
    assert_int_equal(missing, 0);
    assert_int_equal(attested(), 3);
    cu_copier_free(c);
}

static void nobody_at_first_then_one_who_is_silent_and_elsewhere_is_not(void **state)
{
    struct source of[] = { { .lie = SILENT }, { .lie = HONEST } };
    struct cu_copy_source sources[2];
    struct cu_copier *c;
    uint64_t missing;

    (void)state;
    OK(new_copier(world, sources, of, 0, &c, &error));
    OK(rounds(world, c, 1, &missing, &error));
    for (unsigned i = 0; i < 2; i++) {
        world->clock -= 70000; /* nobody would be asked again yet */
        sources[0] = (struct cu_copy_source){ .url = "http://there", .lane = { { &of[i], &ops } } };
        cu_copier_sources(c, 1);
        assert_int_equal(missing, 3);
        OK(rounds(world, c, 1, &missing, &error));
        assert_true(of[i].calls > 0);
    }
    OK(rounds(world, c, 6, &missing, &error));
    assert_int_equal(missing, 0);
    assert_int_equal(attested(), 3);
    cu_copier_free(c);
}

static uint64_t incidents(void) { return world->place.index.count(world->place.index.self, CU_KIND_INCIDENT, NULL); }

static void what_does_not_come_is_reported_once_whatever_process_asks(void **state)
{
    struct source silent = { .lie = SILENT };
    uint64_t missing;

    (void)state;
    OK(bring_from(world, &silent, 1, 1, &missing, &error));
    assert_int_equal(incidents(), 0); /* one try is none */
    OK(bring_from(world, &silent, 1, 6, &missing, &error));
    assert_int_equal(incidents(), 1);
    assert_int_equal(held_now.reported, 3);
    OK(bring_from(world, &silent, 1, 6, &missing, &error));
    assert_int_equal(held_now.reported, 3);
    assert_int_equal(incidents(), 1);
    assert_int_equal(missing, 3);
    silent.lie = HONEST;
    OK(bring_from(world, &silent, 1, 6, &missing, &error));
    assert_int_equal(attested(), 3);
}

/* The depositor signed another list than the one that lies there: what he has is no copy of what was claimed. */
static void a_folder_whose_manifest_is_not_what_was_claimed_is_held_by_nobody(void **state)
{
    struct source source = { .lie = HONEST };
    uint64_t missing;

    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        const struct cu_folder right = folder;
        if (wrong == 0) folder.root.b[0] ^= 1;
        else folder.items++;
        OK(submit(world, FIRST_SERIAL + 3 + (uint64_t)wrong, MANIFEST, &error));
        folder = right;
    }
    OK(bring_from(world, &source, 1, 6, &missing, &error));
    assert_int_equal(missing, 2);
    assert_int_equal(held_now.reported, 2);
    assert_int_equal(attested(), 3);
}

static void what_the_store_lost_after_it_was_attested_is_brought_again(void **state)
{
    const struct cu_fs *fs = &world->memory;
    struct source source = { .lie = HONEST };
    char path[200], hex[65];
    uint64_t missing;

    (void)state;
    OK(bring_from(world, &source, 1, 12, &missing, &error));
    cu_hash_hex(&object[LARGE].root, hex);
    snprintf(path, sizeof path, CU_DIR_NODE_OBJECTS "/large/%.2s/%s", hex, hex);
    OK(fs->ops->rename(fs->self, path, "quarantine/1/large", &error));
    source.sent = 0;
    OK(bring_from(world, &source, 1, 12, &missing, &error));
    assert_int_equal(source.sent, LARGE_BYTES);
    assert_int_equal(attested(), 3);
}

static cu_status count_own(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    (void)err, (void)stored;
    ++*(unsigned *)arg;
    return CU_OK;
}

static void what_is_damaged_is_put_aside_brought_again_and_attested_again(void **state)
{
    struct source source = { .lie = HONEST };
    struct cu_index *index = &world->place.index;
    uint64_t missing;
    unsigned said = 0;
    size_t found;

    (void)state;
    OK(bring_from(world, &source, 1, 12, &missing, &error));
    OK(patrol_and_bring(world, &found, &error));
    assert_int_equal(found, 0);
    assert_int_equal(incidents(), 0);
    OK(damage(world, &error));
    OK(patrol_and_bring(world, &found, &error));
    assert_in_range(found, 3, 10);
    assert_int_equal(incidents(), 1);
    for (unsigned i = 0; i < 3 && found; i++) OK(patrol_and_bring(world, &found, &error));
    assert_int_equal(found, 0);
    assert_int_equal(attested(), 3);
    OK(index->each_stored(index->self, count_own, &said, &error));
    assert_true(said > 3); /* once more */
}

static void a_provider_is_asked_for_bytes_of_what_it_accepted(void **state)
{
    struct source source = { .lie = HONEST }, silent = { .lie = SILENT }, wrong = { .lie = WRONG }, gone = { .lie = NOTHING };
    struct cu_patrol memory = { 0 };
    struct patrolling found;
    uint64_t missing;

    (void)state;
    OK(bring_from(world, &source, 1, 12, &missing, &error));
    source.calls = 0;
    OK(patrol(world, &memory, &source, &found, &error));
    assert_int_equal(found.n, 0);
    assert_int_equal(source.calls, 3);
    OK(patrol(world, &memory, &silent, &found, &error));
    assert_int_equal(found.n, 0); /* silence is no wrong answer */
    OK(patrol(world, &memory, &wrong, &found, &error));
    assert_int_equal(found.n, 3);
    assert_string_equal(found.lost[0].kind, CU_KIND_CHALLENGE);
    OK(patrol(world, &memory, &gone, &found, &error));
    assert_int_equal(found.n, 0); /* that is known */
    OK(patrol(world, &memory, &source, &found, &error));
    OK(patrol(world, &memory, &gone, &found, &error));
    assert_int_equal(found.n, 3); /* it had answered again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_that_a_liar_sends_is_attested_and_the_next_source_is_asked, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(any_question_that_is_not_answered_is_asked_again, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_source_that_comes_later_is_asked_at_once, open_world, close_world),
        cmocka_unit_test_setup_teardown(nobody_at_first_then_one_who_is_silent_and_elsewhere_is_not, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_does_not_come_is_reported_once_whatever_process_asks, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_folder_whose_manifest_is_not_what_was_claimed_is_held_by_nobody, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(what_the_store_lost_after_it_was_attested_is_brought_again, open_world, close_world),
        cmocka_unit_test(whatever_loses_power_attests_nothing_that_is_not_durable_and_goes_on),
        cmocka_unit_test(any_call_that_fails_loses_nothing),
        cmocka_unit_test_setup_teardown(what_is_damaged_is_put_aside_brought_again_and_attested_again, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_provider_is_asked_for_bytes_of_what_it_accepted, open_world, close_world),
        cmocka_unit_test(wherever_it_stops_or_fails_what_was_damaged_is_brought_again),
    };
    return cmocka_run_group_tests(tests, make_objects, free_objects);
}
