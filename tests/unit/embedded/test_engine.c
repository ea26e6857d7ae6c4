/* The embedded engine on a file system in memory: what it answers, what it writes, what it refuses. */
#include "../../toy_machine.h"

#include "adapters/faulty/faulty.h"
#include "adapters/memory/memory.h"
#include "custody/note.h"
#include "engine/embedded/embedded.h"
#include "engine/embedded/journal.h"
#include "ports/log_dir.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct cu_err error;
#define OK(call)                                                                          \
    do {                                                                                  \
        cu_status ok_ = (call);                                                           \
        if (ok_ != CU_OK) fail_msg("%s: %s: %s", #call, cu_status_name(ok_), error.text); \
    } while (0)

static struct toy_records records, large;
static struct cu_private_key log_key;

static cu_unix_ms stopped_clock(void *self)
{
    (void)self;
    return (cu_unix_ms){ 1000 };
}

/* ---- a ledger to try things on ---- */

struct kept {
    unsigned puts, syncs;
};
static cu_status keep_put(void *self, cu_seq seq, const struct cu_record *record, struct cu_err *err)
{
    (void)seq, (void)record, (void)err;
    ((struct kept *)self)->puts++;
    return CU_OK;
}
static cu_status keep_sync(void *self, struct cu_err *err)
{
    (void)err;
    ((struct kept *)self)->syncs++;
    return CU_OK;
}

struct bench {
    struct cu_fs memory, fs; /* fs: memory through faulty */
    struct cu_faulty faulty;
    struct kept kept;
    struct toy *toy;
    struct cu_embedded_config config;
    struct cu_engine engine;
};

static void configure(struct bench *b, unsigned workers)
{
    b->config = (struct cu_embedded_config){
        .fs = &b->fs,
        .lock = "node/lock",
        .journal = "node/journal",
        .log = { "node/log", "cloud/log" },
        .journal_bytes = 262144,
        .attachments = { &b->kept, keep_put, keep_sync },
        .clock = { NULL, stopped_clock },
        .origin = cu_span_str("toy"),
        .log_key = &log_key,
        .workers = workers,
    };
}

static void open_bench(struct bench *b)
{
    b->toy = toy_open(&b->fs);
    assert_non_null(b->toy);
    b->config.machine = toy_machine(b->toy);
    OK(cu_embedded_open(&b->config, &b->engine, &error));
}

static void close_bench(struct bench *b)
{
    OK(b->engine.close(b->engine.self, &error));
    toy_close(b->toy);
}

static struct bench *empty_bench(unsigned workers)
{
    struct bench *b = calloc(1, sizeof *b);
    OK(cu_memory_fs(&b->memory, &error));
    b->faulty = (struct cu_faulty){ .inner = b->memory, .stop_after = CU_NEVER };
    b->fs = cu_faulty_fs(&b->faulty);
    configure(b, workers);
    return b;
}

static struct bench *new_bench(unsigned workers)
{
    struct bench *b = empty_bench(workers);
    OK(cu_embedded_create(&b->config, &error));
    open_bench(b);
    return b;
}

static void end_bench(struct bench *b)
{
    b->fs.ops->close(b->fs.self);
    b->memory.ops->close(b->memory.self);
    free(b);
}

/* Power off and on: nothing that was not synced is left. */
static void lose_power(struct bench *b)
{
    b->faulty.stop_after = 0;
    assert_int_equal(b->engine.close(b->engine.self, &error), CU_IO);
    toy_close(b->toy);
    cu_memory_crash(&b->memory, 0);
    b->faulty.stop_after = CU_NEVER;
    b->faulty.stopped = false;
}

static struct cu_outcome submit_one(struct bench *b, const struct toy_records *r, size_t i)
{
    struct cu_span span = cu_buf_span(&r->bytes[i]);
    struct cu_outcome out = { 0 };
    OK(b->engine.submit(b->engine.self, &span, 1, &out, &error));
    return out;
}

static void count_fault(void *arg, const char *where, const char *what)
{
    (void)where, (void)what;
    ++*(unsigned *)arg;
}

static unsigned faults(struct bench *b)
{
    struct cu_engine_care care = cu_embedded_care(&b->config);
    struct toy *t = toy_open(&b->fs);
    unsigned n = 0;

    cu_size reach;
    OK(care.check(care.self, &t->now.tip, count_fault, &n, &reach, &error));
    toy_close(t);
    return n;
}

/* Every entry of a log, hashed from its bundles up: the root it has, checked against its own checkpoint. */
static cu_size log_is_whole(struct bench *b, const char *path)
{
    struct cu_log_dir dir = { &b->fs, path };
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    CU_BUF bundle = cu_buf_heap(CU_BUNDLE_MAX);
    struct cu_frontier f = { .size = { 0 } };
    struct cu_checkpoint checkpoint;
    struct cu_note read;
    char name[64];

    snprintf(name, sizeof name, "%s/checkpoint", path);
    OK(cu_fs_read(&b->fs, name, CU_NOTE_MAX, &note, &error));
    OK(cu_note_read(cu_buf_span(&note), &read, &error));
    OK(cu_checkpoint_read(read.text, &checkpoint, &error));
    while (f.size.v < checkpoint.size.v) {
        struct cu_tile tile = { CU_TILE_ENTRIES, f.size.v / 256,
                                cu_tile_width(CU_TILE_ENTRIES, f.size.v / 256, checkpoint.size) };
        struct cu_span entry;
        size_t at = 0;
        cu_buf_clear(&bundle);
        OK(cu_log_dir_read(&dir, tile, &bundle, &error));
        OK(cu_bundle_check(cu_buf_span(&bundle), tile.width, &error));
        while (cu_bundle_next(cu_buf_span(&bundle), &at, &entry)) {
            cu_hash leaf = cu_leaf_hash(entry);
            cu_frontier_append(&f, &leaf);
        }
    }
    cu_hash root = cu_frontier_root(&f);
    assert_true(cu_hash_eq(&root, &checkpoint.root));
    return checkpoint.size;
}

/* ---- */

static void a_record_is_admitted_once_and_a_repeat_is_told_where_it_stands(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_outcome first = submit_one(b, &records, 0), again = submit_one(b, &records, 0), second = submit_one(b, &records, 1);
    (void)state;

    assert_int_equal(first.status, CU_OK);
    assert_int_equal(first.seq.v, 0);
    assert_int_equal(first.block.v, 1);
    assert_int_equal(first.closed.v, 1000);
    assert_true(cu_hash_eq(&first.leaf, &records.leaf[0]));
    assert_int_equal(again.status, CU_DUPLICATE);
    assert_int_equal(again.seq.v, 0);
    assert_int_equal(second.seq.v, 2);
    assert_int_equal(second.closed.v, 1001); /* the clock stands still; blocks do not */
    assert_int_equal(b->engine.tip(b->engine.self).size.v, 4);
    close_bench(b);
    end_bench(b);
}

static void a_batch_keeps_its_order_and_judges_each_record_by_itself(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_span spans[6];
    struct cu_outcome out[6];
    static uint8_t too_long[CU_RECORD_MAX + 1];
    (void)state;

    for (size_t i = 0; i < 4; i++) spans[i] = cu_buf_span(&records.bytes[i]);
    spans[1] = cu_span_str("no record");
    spans[4] = spans[0];
    spans[5] = CU_SPAN_OF(too_long);
    OK(b->engine.submit(b->engine.self, spans, 6, out, &error));
    assert_int_equal(out[0].seq.v, 0);
    assert_int_equal(out[1].status, CU_MALFORMED);
    assert_int_equal(out[2].seq.v, 1);
    assert_int_equal(out[3].seq.v, 2);
    assert_int_equal(out[4].status, CU_DUPLICATE);
    assert_int_equal(out[4].seq.v, 0);
    assert_int_equal(out[5].status, CU_TOO_LARGE);
    assert_int_equal(out[3].block.v, 3);
    close_bench(b);
    end_bench(b);
}

static void the_smallest_journal_takes_what_fits_one_batch_and_names_the_rest(void **state)
{
    const size_t fits = CU_JOURNAL_BYTES_MIN - CU_JOURNAL_HEADER - cu_journal_frame_size(CU_ENTRY_MAX) - cu_journal_frame_size(0);
    static uint8_t bytes[CU_JOURNAL_BYTES_MIN];
    const struct cu_span noise[] = { cu_span(bytes, fits), cu_span(bytes, fits + 1) };
    struct bench *b = empty_bench(0);
    struct cu_outcome out[2];
    (void)state;

    b->config.journal_bytes = CU_JOURNAL_BYTES_MIN;
    OK(cu_embedded_create(&b->config, &error));
    open_bench(b);
    OK(b->engine.submit(b->engine.self, noise, 2, out, &error));
    assert_int_equal(out[0].status, CU_MALFORMED); /* it was looked at */
    assert_int_equal(out[1].status, CU_TOO_LARGE);
    for (size_t i = 0; i < records.n; i++) assert_int_equal(submit_one(b, &records, i).status, CU_OK);
    close_bench(b);
    open_bench(b);
    assert_int_equal(submit_one(b, &records, 0).status, CU_DUPLICATE);
    close_bench(b);
    end_bench(b);
}

static void a_batch_that_admits_nothing_leaves_no_trace(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_span bad = cu_span_str("no record");
    struct cu_outcome out;
    (void)state;

    submit_one(b, &records, 0);
    struct cu_tip before = b->engine.tip(b->engine.self);
    OK(b->engine.submit(b->engine.self, &bad, 1, &out, &error));
    assert_int_equal(out.status, CU_MALFORMED);
    submit_one(b, &records, 0);
    assert_int_equal(b->engine.tip(b->engine.self).size.v, before.size.v);
    close_bench(b);
    end_bench(b);
}

static void a_drain_fills_both_logs_and_the_attachments(void **state)
{
    struct bench *b = new_bench(0);
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    CU_BUF file = cu_buf_heap(CU_NOTE_MAX);
    (void)state;

    assert_int_equal(b->engine.checkpoint(b->engine.self, &note, &error), CU_NOT_FOUND);
    for (size_t i = 0; i < 300; i++) submit_one(b, &records, i);
    OK(b->engine.drain(b->engine.self, &error));
    assert_int_equal(log_is_whole(b, "node/log").v, 600);
    assert_int_equal(log_is_whole(b, "cloud/log").v, 600);
    assert_int_equal(b->kept.puts, 300);
    assert_true(b->kept.syncs >= 1);
    OK(b->engine.checkpoint(b->engine.self, &note, &error));
    OK(cu_fs_read(&b->fs, "node/log/checkpoint", CU_NOTE_MAX, &file, &error));
    assert_true(cu_span_eq(cu_buf_span(&note), cu_buf_span(&file)));
    close_bench(b);
    assert_int_equal(faults(b), 0);
    end_bench(b);
}

/* Does the log that the engine shows, of this size, hold these entries? Every hash of it counts. */
static void shows(struct bench *b, cu_size size, const cu_hash *root)
{
    static struct cu_tile_nodes nodes;
    const struct cu_node_source source = (cu_tile_nodes_init(&nodes, b->engine.tiles(b->engine.self), size),
                                          cu_tile_node_source(&nodes));
    const struct cu_tile_source tiles = b->engine.tiles(b->engine.self);
    cu_hash path[CU_PROOF_HASHES_MAX];
    size_t n;

    for (uint64_t seq = size.v % 3; seq < size.v; seq += 37) {
        const struct cu_tile tile = { CU_TILE_ENTRIES, seq / 256, cu_tile_width(CU_TILE_ENTRIES, seq / 256, size) };
        CU_BUF bundle = cu_buf_heap(CU_BUNDLE_MAX);
        struct cu_span entry;
        OK(tiles.read(tiles.self, tile, &bundle, &error));
        OK(cu_bundle_check(cu_buf_span(&bundle), tile.width, &error));
        OK(cu_bundle_entry(cu_buf_span(&bundle), (unsigned)(seq % 256), &entry, &error));
        const cu_hash leaf = cu_leaf_hash(entry);
        OK(cu_inclusion_make(&source, (cu_seq){ seq }, size, path, &n, &error));
        OK(cu_inclusion_verify(&leaf, (cu_seq){ seq }, size, path, n, root, &error));
    }
}

static void a_checkpoint_needs_no_drain_and_is_served_for_good(void **state)
{
    for (unsigned workers = 0; workers < 3; workers += 2) {
        struct bench *b = new_bench(workers);
        struct cu_tip tip[350];
        for (size_t i = 0; i < 350; i++) {
            CU_BUF note = cu_buf_heap(CU_NOTE_MAX), record = cu_buf_heap(CU_RECORD_MAX);
            struct cu_checkpoint checkpoint;
            struct cu_note read;
            submit_one(b, &records, i);
            tip[i] = b->engine.tip(b->engine.self);
            OK(b->engine.checkpoint(b->engine.self, &note, &error));
            OK(cu_note_read(cu_buf_span(&note), &read, &error));
            OK(cu_checkpoint_read(read.text, &checkpoint, &error));
            assert_int_equal(checkpoint.size.v, 2 * i + 2);
            assert_true(cu_hash_eq(&checkpoint.root, &tip[i].root));
            OK(b->engine.record(b->engine.self, (cu_seq){ 2 * i }, &record, &error));
            assert_true(cu_span_eq(cu_buf_span(&record), cu_buf_span(&records.bytes[i])));
            assert_int_equal(b->engine.record(b->engine.self, (cu_seq){ 2 * i + 1 }, &record, &error),
                             CU_NOT_FOUND); /* a block */
            if (i % 61 == 60) OK(b->engine.drain(b->engine.self, &error));
            if (i % 23 == 0) shows(b, tip[i / 2].size, &tip[i / 2].root);
        }
        for (size_t i = 0; i < 350; i += 7) shows(b, tip[i].size, &tip[i].root);
        close_bench(b);
        open_bench(b);
        for (size_t i = 0; i < 350; i += 7) shows(b, tip[i].size, &tip[i].root);
        close_bench(b);
        end_bench(b);
    }
    (void)state;
}

static void a_file_that_fills_up_gives_way_to_the_other(void **state)
{
    for (unsigned workers = 0; workers < 3; workers++) {
        struct bench *b = new_bench(workers);
        for (size_t i = 0; i < large.n; i++) assert_int_equal(submit_one(b, &large, i).status, CU_OK);
        close_bench(b);
        assert_int_equal(log_is_whole(b, "node/log").v, 2 * large.n);
        assert_int_equal(b->kept.puts, large.n);
        assert_int_equal(faults(b), 0);
        end_bench(b);
    }
    (void)state;
}

static void a_submission_larger_than_the_journal_is_cut_into_batches(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_span *spans = calloc(large.n, sizeof *spans);
    struct cu_outcome *out = calloc(large.n, sizeof *out);
    (void)state;

    for (size_t i = 0; i < large.n; i++) spans[i] = cu_buf_span(&large.bytes[i]);
    OK(b->engine.submit(b->engine.self, spans, large.n, out, &error));
    for (size_t i = 0; i < large.n; i++) {
        assert_int_equal(out[i].status, CU_OK);
        assert_true(i == 0 || out[i].seq.v > out[i - 1].seq.v);
    }
    close_bench(b);
    assert_int_equal(faults(b), 0);
    free(spans);
    free(out);
    end_bench(b);
}

static void a_journal_has_a_smallest_and_a_largest_size(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        cu_status status;
    } sizes[] = {
        { CU_JOURNAL_BYTES_MIN - 1, CU_USAGE },
        { CU_JOURNAL_BYTES_MIN, CU_IO }, /* taken, and then the disk fails */
        { CU_JOURNAL_BYTES_MAX, CU_IO },
        { (uint64_t)CU_JOURNAL_BYTES_MAX + 1, CU_USAGE },
    };

    uint64_t before = CU_NEVER; /* so many effects come before the journal's */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bench *b = empty_bench(0);
        b->config.journal_bytes = sizes[i].bytes;
        b->faulty.stop_after = before;
        assert_int_equal(cu_embedded_create(&b->config, &error), sizes[i].status);
        before = b->faulty.effects;
        end_bench(b);
    }
}

static void an_engine_goes_on_where_it_was_closed(void **state)
{
    struct bench *b = new_bench(0);
    (void)state;

    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(submit_one(b, &records, i).seq.v, 2 * i);
        close_bench(b);
        assert_int_equal(faults(b), 0);
        open_bench(b);
    }
    close_bench(b);
    assert_int_equal(log_is_whole(b, "cloud/log").v, 80);
    end_bench(b);
}

static void one_engine_at_a_time(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_engine second;
    (void)state;

    assert_int_equal(cu_embedded_open(&b->config, &second, &error), CU_BUSY);
    close_bench(b);
    open_bench(b);
    close_bench(b);
    end_bench(b);
}

static void a_second_create_is_refused_and_changes_nothing(void **state)
{
    struct bench *b = new_bench(0);
    (void)state;

    submit_one(b, &records, 0);
    close_bench(b);
    assert_int_equal(cu_embedded_create(&b->config, &error), CU_USAGE);
    open_bench(b);
    assert_int_equal(b->engine.tip(b->engine.self).size.v, 2);
    close_bench(b);
    end_bench(b);
}

static void a_ledger_is_dirty_from_the_acknowledgement_to_the_drain(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_engine_care care = cu_embedded_care(&b->config);
    bool dirty = true;
    (void)state;

    OK(care.dirty(care.self, &dirty, &error));
    assert_false(dirty);
    submit_one(b, &records, 0);
    OK(care.dirty(care.self, &dirty, &error));
    assert_true(dirty);
    OK(b->engine.drain(b->engine.self, &error));
    OK(care.dirty(care.self, &dirty, &error));
    assert_false(dirty);
    close_bench(b);
    end_bench(b);
}

static void the_head_tells_how_much_was_drained_and_how_much_acknowledged(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_engine_care care = cu_embedded_care(&b->config);
    cu_size drained, acknowledged, was;
    (void)state;

    OK(care.reach(care.self, &was, &acknowledged, &error));
    assert_int_equal(was.v, acknowledged.v);
    submit_one(b, &records, 0);
    OK(care.reach(care.self, &drained, &acknowledged, &error));
    assert_int_equal(drained.v, was.v);
    assert_int_equal(acknowledged.v, was.v + 2); /* and its block */
    OK(b->engine.drain(b->engine.self, &error));
    OK(care.reach(care.self, &drained, &acknowledged, &error));
    assert_int_equal(drained.v, was.v + 2);
    close_bench(b);
    end_bench(b);
}

/* Whoever made the journal anew from the log alone would sign another log than that of the last checkpoint. */
static void without_a_head_the_frames_tell_what_was_acknowledged(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_engine_care care = cu_embedded_care(&b->config);
    static const uint8_t zeros[8192];
    cu_size reach = { 0 };
    size_t n = 0;
    (void)state;

    for (size_t i = 0; i < 10; i++) submit_one(b, &records, i);
    OK(b->engine.drain(b->engine.self, &error));
    const struct cu_tip drained = b->engine.tip(b->engine.self);
    submit_one(b, &records, 10);
    lose_power(b);
    OK(care.check(care.self, &drained, count_fault, &n, &reach, &error));
    assert_int_equal(n, 0);
    assert_int_equal(reach.v, 22);
    OK(cu_fs_replace(&b->fs, "node/journal/head", "node/journal/incoming/head", CU_SPAN_OF(zeros), true, &error));
    OK(care.check(care.self, &drained, count_fault, &n, &reach, &error));
    assert_true(n > 0);
    assert_int_equal(reach.v, 22);
    end_bench(b);
}

static void a_journal_made_anew_is_tied_to_the_log(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_engine_care care = cu_embedded_care(&b->config);
    (void)state;

    for (size_t i = 0; i < 10; i++) submit_one(b, &records, i);
    struct cu_tip tip = b->engine.tip(b->engine.self);
    close_bench(b);
    assert_int_equal(care.renew(care.self, &tip, &error), CU_USAGE); /* the old one is still there */
    const char *names[] = { "0", "1", "head" };
    for (size_t i = 0; i < 3; i++) {
        char from[64], to[64];
        snprintf(from, sizeof from, "node/journal/%s", names[i]);
        snprintf(to, sizeof to, "quarantine/%s", names[i]);
        OK(b->fs.ops->rename(b->fs.self, from, to, &error));
    }
    assert_true(faults(b) > 0);
    OK(care.renew(care.self, &tip, &error));
    assert_int_equal(faults(b), 0);
    open_bench(b);
    assert_int_equal(submit_one(b, &records, 10).seq.v, 20);
    close_bench(b);
    assert_int_equal(log_is_whole(b, "node/log").v, 22);
    end_bench(b);
}

/* ---- what fails ---- */

static void after_a_failed_sync_nothing_is_acknowledged_until_it_is_opened_anew(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_span span = cu_buf_span(&records.bytes[1]);
    struct cu_outcome out;
    (void)state;

    submit_one(b, &records, 0);
    b->faulty.fail_call = b->faulty.calls + 2; /* write, then this sync */
    b->faulty.lost = cu_memory_lose;
    assert_int_equal(b->engine.submit(b->engine.self, &span, 1, &out, &error), CU_IO);
    assert_int_equal(b->engine.submit(b->engine.self, &span, 1, &out, &error), CU_IO);
    assert_int_equal(b->engine.drain(b->engine.self, &error), CU_IO);
    assert_int_equal(b->engine.close(b->engine.self, &error), CU_IO);
    toy_close(b->toy);
    open_bench(b); /* the batch is shown still, so it is kept, written again, synced */
    assert_int_equal(submit_one(b, &records, 1).status, CU_DUPLICATE);
    close_bench(b);
    cu_memory_crash(&b->memory, 0);
    assert_int_equal(faults(b), 0);
    open_bench(b);
    assert_int_equal(submit_one(b, &records, 1).status, CU_DUPLICATE);
    close_bench(b);
    assert_int_equal(log_is_whole(b, "node/log").v, 4);
    end_bench(b);
}

static void a_drain_that_fails_keeps_the_journal_and_is_made_up_for(void **state)
{
    struct bench *b = new_bench(0);
    (void)state;

    for (size_t i = 0; i < 3; i++) submit_one(b, &records, i);
    b->faulty.fail_call = b->faulty.calls + 4;
    b->faulty.fault = CU_FAULT_NO_SPACE;
    assert_int_equal(b->engine.drain(b->engine.self, &error), CU_NO_SPACE);
    assert_int_equal(submit_one(b, &records, 3).status, CU_OK); /* the journal has room still */
    OK(b->engine.drain(b->engine.self, &error));
    close_bench(b);
    assert_int_equal(log_is_whole(b, "cloud/log").v, 8);
    end_bench(b);
}

static void a_newer_journal_is_not_touched(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_file *f = NULL;
    uint8_t slot[4096];
    size_t got;
    (void)state;

    close_bench(b);
    OK(b->fs.ops->open(b->fs.self, "node/journal/head", CU_OPEN_WRITE, &f, &error));
    OK(f->ops->read_at(f, 0, slot, sizeof slot, &got, &error));
    cu_put_be32(slot + 8, 2);
    const struct cu_span digested[] = { cu_span_str("custody/head/v1\n"), cu_span(slot, 176) };
    cu_hash digest = cu_sha256_parts(digested, 2);
    memcpy(slot + 176, digest.b, 32);
    OK(f->ops->write_at(f, 0, CU_SPAN_OF(slot), &error));
    cu_file_close(&f);
    b->toy = toy_open(&b->fs);
    b->config.machine = toy_machine(b->toy);
    assert_int_equal(cu_embedded_open(&b->config, &b->engine, &error), CU_NEWER_FORMAT);
    toy_close(b->toy);
    end_bench(b);
}

/* ---- the state lags, leads, or is another's ---- */

static void keep_state(struct bench *b, struct cu_buf *ret)
{
    *ret = cu_buf_heap(1u << 28);
    OK(cu_fs_read(&b->fs, TOY_STATE, 1u << 28, ret, &error));
}

static void put_state(struct bench *b, const struct cu_buf *bytes)
{
    OK(cu_fs_replace(&b->fs, TOY_STATE, "node/state/incoming/toy", cu_buf_span(bytes), true, &error));
}

static cu_status try_open(struct bench *b)
{
    b->toy = toy_open(&b->fs);
    b->config.machine = toy_machine(b->toy);
    cu_status status = cu_embedded_open(&b->config, &b->engine, &error);
    if (status == CU_OK) OK(b->engine.close(b->engine.self, &error));
    toy_close(b->toy);
    return status;
}

static void a_state_that_is_not_the_one_of_a_clean_close_is_reported(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_buf old;
    (void)state;

    for (size_t i = 0; i < 5; i++) submit_one(b, &records, i);
    close_bench(b);
    keep_state(b, &old);
    open_bench(b);
    submit_one(b, &records, 5);
    close_bench(b);
    put_state(b, &old);
    assert_int_equal(try_open(b), CU_CORRUPT);
    assert_non_null(strstr(error.text, "reindex"));
    cu_buf_free(&old);
    end_bench(b);
}

static void an_old_state_is_brought_forward_after_an_unclean_end(void **state)
{
    struct bench *b = new_bench(0);
    struct cu_buf old;
    (void)state;

    for (size_t i = 0; i < 5; i++) submit_one(b, &records, i);
    OK(b->engine.drain(b->engine.self, &error));
    keep_state(b, &old);
    for (size_t i = 5; i < 290; i++) submit_one(b, &records, i);
    OK(b->engine.drain(b->engine.self, &error));                   /* the state now lags in tiles … */
    for (size_t i = 290; i < 295; i++) submit_one(b, &records, i); /* … and in the journal */
    lose_power(b);
    put_state(b, &old);
    open_bench(b);
    assert_int_equal(b->engine.tip(b->engine.self).size.v, 590);
    assert_int_equal(b->toy->now.tip.size.v, 590);
    assert_int_equal(submit_one(b, &records, 0).status, CU_DUPLICATE);
    assert_int_equal(submit_one(b, &records, 294).status, CU_DUPLICATE);
    close_bench(b);
    assert_int_equal(log_is_whole(b, "node/log").v, 590);
    cu_buf_free(&old);
    end_bench(b);
}

static void a_state_ahead_of_the_log_is_refused(void **state)
{
    struct bench *b = new_bench(0);
    struct bench *other = new_bench(0);
    struct cu_buf ahead;
    (void)state;

    submit_one(b, &records, 0);
    for (size_t i = 0; i < 3; i++) submit_one(other, &records, i);
    close_bench(other);
    keep_state(other, &ahead);
    lose_power(b);
    put_state(b, &ahead);
    assert_int_equal(try_open(b), CU_CORRUPT);
    cu_buf_free(&ahead);
    end_bench(b);
    end_bench(other);
}

/* ---- many at once ---- */

struct submitter {
    struct bench *b;
    size_t from, n;
    struct cu_outcome *out;
};

static void *run_submitter(void *arg)
{
    struct submitter *s = arg;
    struct cu_err err;

    for (size_t i = 0; i < s->n; i++) {
        struct cu_span span = cu_buf_span(&records.bytes[s->from + i]);
        if (s->b->engine.submit(s->b->engine.self, &span, 1, &s->out[s->from + i], &err) != CU_OK) return s;
        s->b->engine.tip(s->b->engine.self);
        if (i % 16 == 0 && s->b->engine.drain(s->b->engine.self, &err) != CU_OK) return s;
    }
    return NULL;
}

static void many_threads_submit_and_each_record_has_one_place(void **state)
{
    (void)state;
    for (unsigned workers = 0; workers < 4; workers++) {
        struct bench *b = new_bench(workers);
        struct cu_outcome *out = calloc(records.n, sizeof *out);
        bool *taken = calloc(4 * records.n, sizeof *taken);
        struct submitter s[8];
        pthread_t threads[8];
        size_t each = records.n / 8;

        for (size_t i = 0; i < 8; i++) {
            s[i] = (struct submitter){ b, i * each, each, out };
            assert_int_equal(pthread_create(&threads[i], NULL, run_submitter, &s[i]), 0);
        }
        for (size_t i = 0; i < 8; i++) {
            void *failed;
            pthread_join(threads[i], &failed);
            assert_null(failed);
        }
        for (size_t i = 0; i < 8 * each; i++) {
            assert_int_equal(out[i].status, CU_OK);
            assert_false(taken[out[i].seq.v]);
            taken[out[i].seq.v] = true;
            assert_true(cu_hash_eq(&out[i].leaf, &records.leaf[i]));
        }
        close_bench(b);
        assert_true(log_is_whole(b, "node/log").v > 8 * each);
        assert_int_equal(faults(b), 0);
        free(out);
        free(taken);
        end_bench(b);
    }
}

static void a_window_gathers_what_arrives_together(void **state)
{
    struct bench *b = empty_bench(2);
    struct cu_outcome *out = calloc(records.n, sizeof *out);
    struct submitter s[8];
    pthread_t threads[8];
    (void)state;

    b->config.window_us = 2000;
    OK(cu_embedded_create(&b->config, &error));
    open_bench(b);
    for (size_t i = 0; i < 8; i++) {
        s[i] = (struct submitter){ b, i * 8, 8, out };
        assert_int_equal(pthread_create(&threads[i], NULL, run_submitter, &s[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 64; i++) assert_int_equal(out[i].status, CU_OK);
    assert_true(b->engine.tip(b->engine.self).height < 64);
    close_bench(b);
    free(out);
    end_bench(b);
}

static int set_up(void **state)
{
    (void)state;
    records = toy_records(400, 40, 0);
    large = toy_records(30, 20000, 1000);
    return cu_private_generate(CU_ALG_EDDSA, &log_key, &error) != CU_OK;
}

static int tear_down(void **state)
{
    (void)state;
    toy_records_free(&records);
    toy_records_free(&large);
    cu_private_free(&log_key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_admitted_once_and_a_repeat_is_told_where_it_stands),
        cmocka_unit_test(a_batch_keeps_its_order_and_judges_each_record_by_itself),
        cmocka_unit_test(the_smallest_journal_takes_what_fits_one_batch_and_names_the_rest),
        cmocka_unit_test(a_batch_that_admits_nothing_leaves_no_trace),
        cmocka_unit_test(a_drain_fills_both_logs_and_the_attachments),
        cmocka_unit_test(a_checkpoint_needs_no_drain_and_is_served_for_good),
        cmocka_unit_test(a_file_that_fills_up_gives_way_to_the_other),
        cmocka_unit_test(a_submission_larger_than_the_journal_is_cut_into_batches),
        cmocka_unit_test(a_journal_has_a_smallest_and_a_largest_size),
        cmocka_unit_test(an_engine_goes_on_where_it_was_closed),
        cmocka_unit_test(one_engine_at_a_time),
        cmocka_unit_test(a_second_create_is_refused_and_changes_nothing),
        cmocka_unit_test(a_ledger_is_dirty_from_the_acknowledgement_to_the_drain),
        cmocka_unit_test(the_head_tells_how_much_was_drained_and_how_much_acknowledged),
        cmocka_unit_test(without_a_head_the_frames_tell_what_was_acknowledged),
        cmocka_unit_test(a_journal_made_anew_is_tied_to_the_log),
        cmocka_unit_test(after_a_failed_sync_nothing_is_acknowledged_until_it_is_opened_anew),
        cmocka_unit_test(a_drain_that_fails_keeps_the_journal_and_is_made_up_for),
        cmocka_unit_test(a_newer_journal_is_not_touched),
        cmocka_unit_test(a_state_that_is_not_the_one_of_a_clean_close_is_reported),
        cmocka_unit_test(an_old_state_is_brought_forward_after_an_unclean_end),
        cmocka_unit_test(a_state_ahead_of_the_log_is_refused),
        cmocka_unit_test(many_threads_submit_and_each_record_has_one_place),
        cmocka_unit_test(a_window_gathers_what_arrives_together),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
