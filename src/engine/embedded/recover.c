/* What an open does: bring machine, journal and head to one state.
 *
 *     the log:       tiles up to `drained` | journal up to the head's size | (6) whole batches above it | torn tail
 *     the machine:   ........ saved state somewhere up to here
 *
 * The machine replays what it lacks, from the tiles of its own lag and then from the journal; every block entry that it makes must
 * be the recorded one, byte for byte, and in the end size and root must be the head's. After a clean close there is nothing to replay
 * and nothing above the head, and only the head and one header are read.
 */
#include "engine/embedded/inside.h"

#include <stdlib.h>

#define REINDEX "; 'custody reindex' makes the state anew from the log"

/* ---- replaying batches ---- */

struct replay {
    struct cu_embedded *e;
    struct cu_buf bytes; /* record encodings of the batch so far, one after another */
    size_t *length;
    size_t n, cap;
    uint64_t seq; /* of the next entry */
};

static void replay_free(struct replay *r)
{
    cu_buf_free(&r->bytes);
    free(r->length);
}

static cu_status replay_record(struct replay *r, struct cu_span record, struct cu_err *err)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : CU_BATCH_RECORDS;
        size_t *more = realloc(r->length, cap * sizeof *more);
        ENSURE(more, err, CU_NO_MEMORY, "no memory to replay a batch");
        r->length = more;
        r->cap = cap;
    }
    cu_buf_add(&r->bytes, record);
    r->length[r->n++] = record.n;
    r->seq++;
    return cu_buf_ok(&r->bytes, err);
}

static void free_subs(struct cu_submission **subs) { free(*subs); }

static cu_status replay_steps(struct replay *r, const struct cu_block *block, struct cu_buf *made, struct cu_err *err)
{
    struct cu_machine *m = &r->e->config.machine;
    CU_CLEANUP(free_subs) struct cu_submission *subs = calloc(r->n + 1, sizeof *subs);
    size_t at = 0;

    ENSURE(subs, err, CU_NO_MEMORY, "no memory to replay a batch");
    for (size_t i = 0; i < r->n; at += r->length[i++])
        subs[i] = (struct cu_submission){ .bytes = cu_span(r->bytes.p + at, r->length[i]), .trusted = true };
    cu_pool_prepare(r->e->pool, subs, r->n);
    TRY(m->begin(m->self, block->height, (cu_unix_ms){ block->opened }, err));
    for (size_t i = 0; i < r->n; i++) {
        if (subs[i].status == CU_OK) TRY(m->step(m->self, &subs[i], err));
        ENSURE(subs[i].status == CU_OK, err, CU_CORRUPT, "entry %llu is in the log, but the state refuses it (%s)" REINDEX,
               (unsigned long long)(r->seq - r->n + i), subs[i].text);
    }
    return m->end(m->self, (cu_unix_ms){ block->closed }, made, err);
}

static cu_status replay_block(struct replay *r, struct cu_span bytes, struct cu_err *err)
{
    struct cu_machine *m = &r->e->config.machine;
    CU_BUF made = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_entry entry;

    ENSURE(cu_entry_read(bytes, &entry, err) == CU_OK && entry.kind == CU_KIND_BLOCK, err, CU_CORRUPT,
           "entry %llu is not the block entry that belongs there", (unsigned long long)r->seq);
    cu_status status = replay_steps(r, &entry.outer.body.block, &made, err);
    if (status == CU_OK && !cu_span_eq(cu_buf_span(&made), bytes))
        status = cu_fail(err, CU_CORRUPT, "the state does not lead to the block entry at %llu" REINDEX,
                         (unsigned long long)r->seq);
    if (status == CU_OK) status = m->commit(m->self, err);
    if (status != CU_OK) {
        m->abandon(m->self);
        return status;
    }
    cu_buf_clear(&r->bytes);
    r->n = 0;
    r->seq++;
    return CU_OK;
}

/* ---- from the tiles ---- */

static cu_status replay_entry(struct replay *r, struct cu_span bytes, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    struct cu_entry entry;

    ENSURE(cu_entry_read(bytes, &entry, err) == CU_OK, err, CU_CORRUPT, "entry %llu of the log is no entry",
           (unsigned long long)r->seq);
    if (entry.kind == CU_KIND_BLOCK) return replay_block(r, bytes, err);
    struct cu_record alone = { .entry = bytes };
    TRY(cu_record_write(&alone, &record, err));
    return replay_record(r, cu_buf_span(&record), err);
}

static cu_status replay_bundle(struct replay *r, cu_size upto, struct cu_err *err)
{
    struct cu_tile_source tiles = cu_log_dir_tiles(&r->e->log[0]);
    struct cu_tile tile = { CU_TILE_ENTRIES, r->seq / CU_TILE_WIDTH, 0 };
    CU_BUF bundle = cu_buf_heap(CU_BUNDLE_MAX);
    struct cu_span entry;
    uint64_t at_seq = tile.index * CU_TILE_WIDTH, first = r->seq;
    size_t at = 0;

    tile.width = cu_tile_width(CU_TILE_ENTRIES, tile.index, upto);
    TRY(tiles.read(tiles.self, tile, &bundle, err));
    ENSURE(cu_bundle_check(cu_buf_span(&bundle), tile.width, err) == CU_OK, err, CU_CORRUPT, "entry bundle %llu is damaged",
           (unsigned long long)tile.index);
    while (cu_bundle_next(cu_buf_span(&bundle), &at, &entry))
        if (at_seq++ >= first) TRY(replay_entry(r, entry, err));
    return CU_OK;
}

static cu_status replay_tiles(struct replay *r, cu_size upto, struct cu_err *err)
{
    if (r->seq >= upto.v) return CU_OK;
    ENSURE(upto.v - r->seq <= CU_REPLAY_MAX, err, CU_CORRUPT, "the state stands at %llu, the log at %llu" REINDEX,
           (unsigned long long)r->seq, (unsigned long long)upto.v);
    while (r->seq < upto.v) TRY(replay_bundle(r, upto, err));
    ENSURE(r->n == 0, err, CU_CORRUPT, "the tiles end within a batch, at %llu", (unsigned long long)upto.v);
    return CU_OK;
}

/* ---- from the journal ---- */

/* Frames that the state has already are only kept (8). */
static cu_status replay_frame(struct replay *r, const struct cu_journal_frame *frame, struct cu_err *err)
{
    TRY(cu_embedded_keep_frame(r->e, frame, err));
    if (frame->seq.v < r->seq) return CU_OK;
    ENSURE(frame->seq.v == r->seq, err, CU_CORRUPT, "the state stands at %llu, the journal begins at %llu" REINDEX,
           (unsigned long long)r->seq, (unsigned long long)frame->seq.v);
    return frame->type == CU_FRAME_BLOCK ? replay_block(r, frame->payload, err) : replay_record(r, frame->payload, err);
}

/* What the head acknowledges: a frame that is not good is damage. *seq: the next position, also for the scan. */
static cu_status replay_part(struct replay *r, unsigned i, uint64_t *seq, struct cu_err *err)
{
    const struct cu_part *part = &r->e->head.part[i];
    CU_CLEANUP(cu_journal_scan_free)
    struct cu_journal_scan scan = cu_journal_scan_start(r->e->part_file[i], r->e->part_path[i], part->generation, part->from,
                                                        part->end, *seq);
    struct cu_journal_frame frame;

    for (bool more = true;;) {
        TRY(cu_journal_scan_next(&scan, &frame, &more, err));
        *seq = scan.seq;
        if (!more) return CU_OK;
        TRY(replay_frame(r, &frame, err));
    }
}

static cu_status replay_journal(struct replay *r, struct cu_err *err)
{
    const struct cu_head *head = &r->e->head;
    uint64_t seq = head->drained.v;

    if (head->part[!head->current].generation != 0) TRY(replay_part(r, !head->current, &seq, err));
    TRY(replay_part(r, head->current, &seq, err));
    ENSURE(seq == head->tip.size.v && r->n == 0, err, CU_CORRUPT, "%s: the frames end at %llu, but %llu entries are acknowledged",
           r->e->part_path[head->current], (unsigned long long)seq, (unsigned long long)head->tip.size.v);
    return CU_OK;
}

/* ---- above the head ---- */

/* (6): replay whole batches from the head's end on; *end moves behind the last. */
static cu_status roll_batches(struct replay *r, uint64_t *end, struct cu_err *err)
{
    struct cu_embedded *e = r->e;
    unsigned i = e->head.current;
    CU_CLEANUP(cu_journal_scan_free)
    struct cu_journal_scan scan = cu_journal_scan_start(e->part_file[i], e->part_path[i], e->head.part[i].generation, *end,
                                                        e->head.bytes, e->head.tip.size.v);
    struct cu_journal_frame frame;
    cu_size whole = e->head.tip.size;

    for (bool more = true;;) {
        cu_status status = cu_journal_scan_next(&scan, &frame, &more, err);
        if (status == CU_CORRUPT || (status == CU_OK && !more)) break; /* the torn tail, or zeros */
        TRY(status);
        TRY(replay_frame(r, &frame, err));
        if (frame.type == CU_FRAME_BLOCK) *end = scan.at, whole.v = frame.seq.v + 1;
    }
    r->seq -= r->n; /* half a batch is none */
    r->n = 0;
    cu_embedded_cut(e, whole);
    cu_buf_clear(&r->bytes);
    return CU_OK;
}

static cu_status write_again(struct cu_file *file, uint64_t from, uint64_t end, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_JOURNAL_BYTES_MAX);
    size_t got = 0;
    uint8_t *p = cu_buf_grow(&bytes, (size_t)(end - from));

    TRY(cu_buf_ok(&bytes, err));
    TRY(file->ops->read_at(file, from, p, bytes.n, &got, err));
    ENSURE(got == bytes.n, err, CU_CORRUPT, "the journal shrank while it was read");
    TRY(file->ops->write_at(file, from, cu_buf_span(&bytes), err));
    return file->ops->sync(file, err);
}

/* What is kept may be in the page cache alone, after a sync that failed: it is written again before a head covers it. The other file
 * needs no look: the head that names it is written before its first batch. */
static cu_status roll_forward(struct replay *r, struct cu_err *err)
{
    struct cu_embedded *e = r->e;
    struct cu_head next = e->head;
    uint64_t from = e->head.part[next.current].end, *end = &next.part[next.current].end;

    TRY(roll_batches(r, end, err));
    if (*end == from) return CU_OK;
    TRY(write_again(e->part_file[next.current], from, *end, err));
    next.tip = e->config.machine.tip(e->config.machine.self);
    next.clean = false;
    return cu_embedded_head(e, &next, false, err);
}

/* ---- the torn tail ---- */

static cu_status clear_tail(struct cu_embedded *e, unsigned i, struct cu_err *err)
{
    struct cu_file *file = e->part_file[i];
    uint64_t from = e->head.part[i].end, first = 0;

    TRY(cu_journal_slack(file, from, e->head.bytes, &first, err));
    if (first < e->head.bytes) TRY(cu_journal_zero(file, first, e->head.bytes, err));
    return file->ops->sync(file, err); /* also of zeros that are found: whoever wrote them may have ended before his sync */
}

/* ---- the whole ---- */

static cu_status judge_state(struct cu_embedded *e, bool clean, struct cu_err *err)
{
    struct cu_tip tip = e->config.machine.tip(e->config.machine.self);
    const struct cu_tip *head = &e->head.tip;

    ENSURE(!clean || tip.size.v == head->size.v, err, CU_CORRUPT,
           "the state stands at %llu, but the ledger was closed at %llu" REINDEX, (unsigned long long)tip.size.v,
           (unsigned long long)head->size.v);
    ENSURE(tip.size.v == head->size.v && (tip.size.v == 0 || cu_hash_eq(&tip.root, &head->root)), err, CU_CORRUPT,
           "the state (size %llu) is not that of the log (size %llu)" REINDEX, (unsigned long long)tip.size.v,
           (unsigned long long)head->size.v);
    return CU_OK;
}

static cu_status open_parts(struct cu_embedded *e, struct cu_err *err)
{
    const struct cu_fs *fs = e->config.fs;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t size = 0, generation = 0;
        TRY(fs->ops->open(fs->self, e->part_path[i], CU_OPEN_WRITE, &e->part_file[i], err));
        TRY(e->part_file[i]->ops->size(e->part_file[i], &size, err));
        ENSURE(size == e->head.bytes, err, CU_CORRUPT, "%s has %llu bytes instead of %llu", e->part_path[i],
               (unsigned long long)size, (unsigned long long)e->head.bytes);
        if (e->head.part[i].generation == 0) continue;
        TRY(cu_journal_header(e->part_file[i], e->part_path[i], i, e->head.bytes, &generation, err));
        ENSURE(generation == e->head.part[i].generation, err, CU_CORRUPT, "%s is of another generation than the head says",
               e->part_path[i]);
    }
    return CU_OK;
}

static cu_status recover_unclean(struct cu_embedded *e, struct cu_err *err)
{
    struct cu_tip tip = e->config.machine.tip(e->config.machine.self);
    CU_CLEANUP(replay_free) struct replay r = { .e = e, .bytes = cu_buf_heap(CU_JOURNAL_BYTES_MAX), .seq = tip.size.v };

    TRY(replay_tiles(&r, e->head.drained, err));
    TRY(replay_journal(&r, err));
    TRY(roll_forward(&r, err));
    TRY(clear_tail(e, 0, err));
    TRY(clear_tail(e, 1, err));
    return judge_state(e, false, err);
}

cu_status cu_embedded_recover(struct cu_embedded *e, struct cu_err *err)
{
    const struct cu_fs *fs = e->config.fs;
    bool whole = false;

    TRY(fs->ops->open(fs->self, e->head_path, CU_OPEN_WRITE, &e->head_file, err));
    TRY(cu_head_read(e->head_file, e->head_path, &e->head, &whole, err));
    TRY(open_parts(e, err));
    TRY(cu_embedded_resume(e, err));
    if (e->head.clean && whole) TRY(judge_state(e, true, err));
    else TRY(recover_unclean(e, err));
    for (unsigned i = 0; i < 2; i++) e->written[i] = e->head.part[i].end;
    e->drain_wanted = e->head.drained.v < e->head.tip.size.v;
    return e->drain_wanted && e->config.workers == 0 ? cu_embedded_drain(e, false, err)
                                                     : CU_OK; /* else its thread begins with it */
}
