#include "engine_world.h"

static struct toy_records small, large; /* large: three of them fill a journal file */
static struct cu_private_key log_key;

void world_prepare(void)
{
    struct cu_err err;
    small = toy_records(WORLD_RECORDS, 10, 0);
    large = toy_records(WORLD_RECORDS, 50, 100);
    for (size_t i = 0; i < WORLD_RECORDS; i++) { /* the same entries, with details that fill the journal */
        static uint8_t details[60000], salt[CU_SALT_LEN] = { 1 };
        struct cu_record record;
        CU_BUF again = cu_buf_heap(CU_RECORD_MAX);
        CU_ASSERT(cu_record_read(cu_buf_span(&large.bytes[i]), &record, &err) == CU_OK);
        record.salt = CU_SPAN_OF(salt);
        record.details = cu_span(details, CU_DETAILS_MAX);
        record.content = cu_span(details, CU_CONTENT_INLINE_MAX);
        CU_ASSERT(cu_record_write(&record, &again, &err) == CU_OK);
        cu_buf_clear(&large.bytes[i]);
        cu_buf_add(&large.bytes[i], cu_buf_span(&again));
    }
    CU_ASSERT(cu_private_generate(CU_ALG_EDDSA, &log_key, &err) == CU_OK);
}

void world_release(void)
{
    toy_records_free(&small);
    toy_records_free(&large);
    cu_private_free(&log_key);
}

static cu_unix_ms now(void *self)
{
    struct world *w = self;
    return (cu_unix_ms){ w->clock += 3 };
}

/* Record i: a large one where the story needs the journal to fill up. */
static const struct toy_records *kind_of(size_t i) { return i >= 5 && i < 12 ? &large : &small; }

/* ---- attachments: a file each, durable by itself, so that the engine's own syncs are not made up for ---- */

static cu_status attach(void *self, cu_seq seq, const struct cu_record *record, struct cu_err *err)
{
    struct world *w = self;
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    char path[64];

    snprintf(path, sizeof path, "node/objects/%llu", (unsigned long long)seq.v);
    TRY(w->fs.ops->open(w->fs.self, path, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE, &f, err));
    TRY(f->ops->write_at(f, 0, record->details, err));
    return f->ops->sync(f, err);
}

static cu_status attach_sync(void *self, struct cu_err *err)
{
    struct world *w = self;
    return w->fs.ops->sync_dir(w->fs.self, "node/objects", err);
}

/* ---- a world ---- */

static struct world *world_over(struct cu_fs memory)
{
    struct world *w = calloc(1, sizeof *w);

    w->memory = memory;
    w->faulty = (struct cu_faulty){
        .inner = memory, .stop_after = CU_NEVER, .lost = cu_memory_lose, .lost_all = cu_memory_lose_all
    };
    w->fs = cu_faulty_fs(&w->faulty);
    w->config = (struct cu_embedded_config){
        .fs = &w->fs,
        .lock = "node/lock",
        .journal = "node/journal",
        .log = { "node/log", "cloud/log" },
        .journal_bytes = 262144,
        .attachments = { w, attach, attach_sync },
        .clock = { w, now },
        .origin = cu_span_str("toy"),
        .log_key = &log_key,
    };
    return w;
}

struct world *world_new(void)
{
    struct cu_fs memory;
    CU_ASSERT(cu_memory_fs(&memory, NULL) == CU_OK);
    return world_over(memory);
}

struct world *world_copy(const struct world *w)
{
    struct cu_fs memory;
    CU_ASSERT(cu_memory_copy(&w->memory, &memory, NULL) == CU_OK);
    struct world *copy = world_over(memory);

    copy->made = w->made;
    copy->clock = w->clock;
    copy->points_n = w->points_n;
    memcpy(copy->acknowledged, w->acknowledged, sizeof w->acknowledged);
    memcpy(copy->seq, w->seq, sizeof w->seq);
    memcpy(copy->point, w->point, sizeof w->point);
    return copy;
}

void world_free(struct world *w)
{
    struct cu_err err;
    if (w->open) CU_ASSERT(world_close(w, &err) != CU_NEWER_FORMAT);
    w->fs.ops->close(w->fs.self);
    w->memory.ops->close(w->memory.self);
    free(w);
}

cu_status world_make(struct world *w, struct cu_err *err)
{
    TRY(cu_embedded_create(&w->config, err));
    w->made = true;
    return CU_OK;
}

cu_status world_open(struct world *w, struct cu_err *err)
{
    w->toy = toy_open(&w->fs);
    ENSURE(w->toy, err, CU_IO, "the state cannot be read");
    w->config.machine = toy_machine(w->toy);
    cu_status status = cu_embedded_open(&w->config, &w->engine, err);
    if (status != CU_OK) {
        toy_close(w->toy);
        return status;
    }
    w->open = true;
    return CU_OK;
}

cu_status world_close(struct world *w, struct cu_err *err)
{
    cu_status status = w->engine.close(w->engine.self, err);
    toy_close(w->toy);
    w->open = false;
    return status;
}

cu_status world_submit(struct world *w, size_t first, size_t n, struct cu_err *err)
{
    struct cu_span spans[WORLD_RECORDS];
    struct cu_outcome out[WORLD_RECORDS];

    for (size_t i = 0; i < n; i++) spans[i] = cu_buf_span(&kind_of(first + i)->bytes[first + i]);
    TRY(w->engine.submit(w->engine.self, spans, n, out, err));
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT(out[i].status == CU_OK || out[i].status == CU_DUPLICATE);
        CU_ASSERT(!w->acknowledged[first + i] || w->seq[first + i] == out[i].seq.v);
        w->acknowledged[first + i] = true;
        w->seq[first + i] = out[i].seq.v;
    }
    return CU_OK;
}

/* The root that these entries lead to. */
static cu_hash root_of(const struct cu_buf *bundle)
{
    struct cu_frontier f = { .size = { 0 } };
    struct cu_span entry;
    size_t at = 0;

    while (cu_bundle_next(cu_buf_span(bundle), &at, &entry)) {
        const cu_hash leaf = cu_leaf_hash(entry);
        cu_frontier_append(&f, &leaf);
    }
    return cu_frontier_root(&f);
}

/* Whoever asks the engine sees every checkpoint that it ever handed out, drained or not; a record comes from it or from its folder. */
static void look_through_engine(struct world *w)
{
    const struct cu_tile_source tiles = w->engine.tiles(w->engine.self);
    struct cu_err err;

    for (size_t i = 0; i < w->points_n; i++) {
        CU_BUF bundle = cu_buf_heap(CU_BUNDLE_MAX), hashes = cu_buf_heap(8192);
        const unsigned width = (unsigned)w->point[i].size.v;
        CU_ASSERT(tiles.read(tiles.self, (struct cu_tile){ CU_TILE_ENTRIES, 0, width }, &bundle, &err) == CU_OK);
        CU_ASSERT(tiles.read(tiles.self, (struct cu_tile){ 0, 0, width }, &hashes, &err) == CU_OK);
        const cu_hash root = root_of(&bundle), same = cu_tree_root((const cu_hash *)hashes.p, width);
        CU_ASSERT(cu_hash_eq(&root, &w->point[i].root) && cu_hash_eq(&same, &root));
    }
    for (size_t i = 0; i < WORLD_RECORDS; i++) {
        CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
        char path[64];
        if (!w->acknowledged[i]) continue;
        snprintf(path, sizeof path, "node/objects/%llu", (unsigned long long)w->seq[i]);
        if (w->engine.record(w->engine.self, (cu_seq){ w->seq[i] }, &record, &err) == CU_OK)
            CU_ASSERT(cu_span_eq(cu_buf_span(&record), cu_buf_span(&kind_of(i)->bytes[i])));
        else CU_ASSERT(cu_fs_exists(&w->memory, path));
    }
}

/* Whoever got this checkpoint holds the log to it. */
static cu_status hand_out(struct world *w, struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_checkpoint checkpoint;
    struct cu_note read;

    cu_status status = w->engine.checkpoint(w->engine.self, &note, err);
    if (status == CU_NOT_FOUND) return CU_OK;
    TRY(status);
    TRY(cu_note_read(cu_buf_span(&note), &read, err));
    TRY(cu_checkpoint_read(read.text, &checkpoint, err));
    CU_ASSERT(w->points_n < WORLD_POINTS);
    w->point[w->points_n].size = checkpoint.size;
    w->point[w->points_n++].root = checkpoint.root;
    look_through_engine(w);
    return CU_OK;
}

cu_status world_drain(struct world *w, struct cu_err *err)
{
    TRY(w->engine.drain(w->engine.self, err));
    return hand_out(w, err);
}

static cu_status acts(struct world *w, struct cu_err *err)
{
    TRY(world_make(w, err));
    TRY(world_open(w, err));
    TRY(world_submit(w, 0, 1, err));
    TRY(hand_out(w, err)); /* a checkpoint of what is acknowledged, published or not */
    TRY(world_submit(w, 1, 2, err));
    TRY(hand_out(w, err));
    TRY(world_drain(w, err));
    TRY(world_submit(w, 3, 2, err));
    TRY(hand_out(w, err));
    TRY(world_submit(w, 5, 3,
                     err)); /* large ones, which all but fill the journal's file: it turns as the first thing after opening */
    TRY(world_close(w, err));
    TRY(world_open(w, err));
    TRY(world_submit(w, 8, 4, err)); /* and drains, and turns again */
    TRY(hand_out(w, err));
    TRY(world_close(w, err));
    TRY(world_open(w, err));
    TRY(hand_out(w, err));
    TRY(world_submit(w, 12, 1, err));
    TRY(hand_out(w, err));
    TRY(world_submit(w, 0, 1, err)); /* a repeat */
    return world_close(w, err);
}

cu_status world_story(struct world *w, struct cu_err *err)
{
    cu_status status = acts(w, err);
    struct cu_err second;

    if (w->open) {
        cu_status closed = world_close(w, &second);
        if (closed == CU_OK && status == CU_OK) status = CU_IO; /* acts() closes what it opened */
    }
    return status;
}

void world_crash(struct world *w, uint64_t seed)
{
    struct cu_err err;

    w->faulty.stop_after = 0;
    w->faulty.fail_call = 0;
    if (w->open) CU_ASSERT(world_close(w, &err) != CU_OK || w->faulty.effects == 0 || true);
    cu_memory_crash(&w->memory, seed);
    w->faulty = (struct cu_faulty){ .inner = w->memory,
                                    .stop_after = CU_NEVER,
                                    .lost = cu_memory_lose,
                                    .lost_all = cu_memory_lose_all,
                                    .mutex = w->faulty.mutex };
}

/* ---- judging ---- */

static char sentence[1200];
#define SOUND(cond, ...)                                      \
    do {                                                      \
        if (!(cond)) {                                        \
            snprintf(sentence, sizeof sentence, __VA_ARGS__); \
            return sentence;                                  \
        }                                                     \
    } while (0)

/* The log at `path`: every entry, every checkpoint handed out, every acknowledged record in its place. */
static const char *judge_log(struct world *w, const char *path, cu_size size, const cu_hash *root)
{
    struct cu_log_dir dir = { &w->fs, path };
    CU_BUF bundle = cu_buf_heap(CU_BUNDLE_MAX);
    struct cu_tile tile = { CU_TILE_ENTRIES, 0, (unsigned)size.v };
    struct cu_frontier f = { .size = { 0 } };
    struct cu_err err = { 0 };
    struct cu_span entry;
    size_t at = 0, met = 0;

    SOUND(size.v > 0 && size.v < 256, "the log has %llu entries", (unsigned long long)size.v);
    SOUND(cu_log_dir_read(&dir, tile, &bundle, &err) == CU_OK && cu_bundle_check(cu_buf_span(&bundle), tile.width, &err) == CU_OK,
          "%s: %s", path, err.text);
    while (cu_bundle_next(cu_buf_span(&bundle), &at, &entry)) {
        cu_hash leaf = cu_leaf_hash(entry);
        for (size_t i = 0; i < WORLD_RECORDS; i++)
            if (w->acknowledged[i] && w->seq[i] == f.size.v) {
                SOUND(cu_hash_eq(&leaf, &kind_of(i)->leaf[i]), "%s: record %zu is not where it was acknowledged", path, i);
                met++;
            }
        cu_frontier_append(&f, &leaf);
        cu_hash here = cu_frontier_root(&f);
        for (size_t i = 0; i < w->points_n; i++)
            SOUND(w->point[i].size.v != f.size.v || cu_hash_eq(&w->point[i].root, &here),
                  "%s is not an extension of the checkpoint of size %llu", path, (unsigned long long)f.size.v);
    }
    for (size_t i = 0; i < WORLD_RECORDS; i++) met -= w->acknowledged[i];
    SOUND(met == 0, "%s lacks an acknowledged record", path);
    for (size_t i = 0; i < w->points_n; i++)
        SOUND(w->point[i].size.v <= size.v, "%s is shorter than a checkpoint that was handed out", path);
    cu_hash all = cu_frontier_root(&f);
    SOUND(cu_hash_eq(&all, root), "%s has another root", path);
    return NULL;
}

/* Before anybody repairs anything: what static files show a reader is a whole log that agrees with every checkpoint handed out; once
 * `closed`, it is not shorter than any of them. */
static const char *judge_published(struct world *w, const char *path, bool closed)
{
    struct cu_log_dir dir = { &w->fs, path };
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    CU_BUF bundle = cu_buf_heap(CU_BUNDLE_MAX);
    struct cu_checkpoint checkpoint;
    struct cu_frontier f = { .size = { 0 } };
    struct cu_err err = { 0 };
    struct cu_note read;
    struct cu_span entry;
    char name[64];
    size_t at = 0;
    cu_hash root;

    snprintf(name, sizeof name, "%s/checkpoint", path);
    cu_status status = cu_fs_read(&w->fs, name, CU_NOTE_MAX, &note, &err);
    if (status == CU_NOT_FOUND && !closed) return NULL;
    SOUND(status == CU_OK && cu_note_read(cu_buf_span(&note), &read, &err) == CU_OK &&
              cu_checkpoint_read(read.text, &checkpoint, &err) == CU_OK,
          "%s: %s", name, err.text);
    SOUND(!closed || w->points_n == 0 || checkpoint.size.v >= w->point[w->points_n - 1].size.v, "%s is older than one handed out",
          name);
    struct cu_tile tile = { CU_TILE_ENTRIES, 0, (unsigned)checkpoint.size.v };
    SOUND(cu_log_dir_read(&dir, tile, &bundle, &err) == CU_OK, "%s: %s", path, err.text);
    while (cu_bundle_next(cu_buf_span(&bundle), &at, &entry)) {
        cu_hash leaf = cu_leaf_hash(entry);
        cu_frontier_append(&f, &leaf);
        root = cu_frontier_root(&f);
        for (size_t i = 0; i < w->points_n; i++)
            SOUND(w->point[i].size.v != f.size.v || cu_hash_eq(&w->point[i].root, &root),
                  "%s is not an extension of the checkpoint of size %llu", name, (unsigned long long)f.size.v);
    }
    root = cu_frontier_root(&f);
    SOUND(cu_hash_eq(&root, &checkpoint.root), "%s: the entries do not lead to the checkpoint", path);
    return NULL;
}

static const char *judge_attachments(struct world *w)
{
    for (size_t i = 0; i < WORLD_RECORDS; i++) {
        struct cu_file_stat st = { 0 };
        char path[64];
        if (!w->acknowledged[i]) continue;
        snprintf(path, sizeof path, "node/objects/%llu", (unsigned long long)w->seq[i]);
        SOUND(w->fs.ops->stat(w->fs.self, path, &st, NULL) == CU_OK && st.size == (kind_of(i) == &large ? CU_DETAILS_MAX : 10u),
              "%s is missing or short", path);
    }
    return NULL;
}

static void note_fault(void *arg, const char *where, const char *what)
{
    if (((char *)arg)[0] == 0) snprintf(arg, 500, "check: %s: %s", where, what);
}

static const char *check_files(struct world *w, const struct cu_tip *tip)
{
    struct cu_engine_care care = cu_embedded_care(&w->config);
    struct cu_err err = { 0 };
    char fault[500] = "";

    SOUND(care.check(care.self, tip, note_fault, fault, &(cu_size){ 0 }, &err) == CU_OK, "check: %s", err.text);
    SOUND(fault[0] == 0, "%s", fault);
    return NULL;
}

const char *world_check(struct world *w)
{
    struct cu_tip tip = { .root = cu_empty_root() };
    CU_BUF bytes = cu_buf_heap(CU_NOTE_MAX);
    struct cu_checkpoint checkpoint;
    struct cu_note note;

    if (!cu_fs_exists(&w->fs, "node/journal/head")) return NULL;
    if (cu_fs_read(&w->fs, "node/log/checkpoint", CU_NOTE_MAX, &bytes, NULL) == CU_OK) {
        SOUND(cu_note_read(cu_buf_span(&bytes), &note, NULL) == CU_OK &&
                  cu_checkpoint_read(note.text, &checkpoint, NULL) == CU_OK,
              "the checkpoint");
        tip.size = checkpoint.size;
        tip.root = checkpoint.root;
    }
    return check_files(w, &tip);
}

static const char *judge_dirty(struct world *w)
{
    struct cu_engine_care care = cu_embedded_care(&w->config);
    bool dirty = true;

    SOUND(care.dirty(care.self, &dirty, NULL) == CU_OK && !dirty, "dirty after a close");
    return NULL;
}

const char *world_judge(struct world *w)
{
    struct cu_err err = { 0 };
    const char *wrong;

    if (!w->made) { /* the making was cut short: it can be made again, unless it had come to its end unnoticed */
        cu_status status = world_make(w, &err);
        SOUND(status == CU_OK || (status == CU_USAGE && cu_fs_exists(&w->fs, "node/journal/head")), "make: %s", err.text);
    }
    if ((wrong = judge_published(w, "node/log", false))) return wrong;
    if ((wrong = judge_published(w, "cloud/log", false))) return wrong;
    SOUND(world_open(w, &err) == CU_OK, "open: %s", err.text);
    SOUND(world_submit(w, WORLD_RECORDS - 1, 1, &err) == CU_OK, "submit: %s", err.text);
    struct cu_tip tip = w->engine.tip(w->engine.self);
    SOUND(world_close(w, &err) == CU_OK, "close: %s", err.text);
    if ((wrong = judge_published(w, "node/log", true))) return wrong;
    if ((wrong = judge_published(w, "cloud/log", true))) return wrong;
    if ((wrong = judge_log(w, "node/log", tip.size, &tip.root))) return wrong;
    if ((wrong = judge_log(w, "cloud/log", tip.size, &tip.root))) return wrong;
    if ((wrong = judge_attachments(w))) return wrong;
    if ((wrong = check_files(w, &tip))) return wrong;
    return judge_dirty(w);
}
