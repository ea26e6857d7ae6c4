/* Both copies of the log, judged from the top down.
 *
 * 1. The signed checkpoint gives the root. The partial tiles at the right edge, one a level, must lead to it together.
 * 2. A full tile is good iff its 256 hashes lead to the hash that a good tile one level up holds for it.
 * 3. A bundle is good iff its entries' leaf hashes are those of the good level-0 tile.
 *
 * So every file of either copy is judged by itself, and its good bytes are those of the other copy or are computed from the level
 * below. Files of older sizes (partial tiles) must be prefixes of the good ones, and what one copy has of them the other has too;
 * any other file does not belong.
 */
#include "service/audit_replay.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

#define LEVELS (CU_TILE_LEVEL_MAX + 1)
#define CANDIDATES (2 * CU_LOGS)

struct tile_bytes {
    unsigned width;
    cu_hash hash[CU_TILE_WIDTH];
};

static void log_path(const struct cu_log_dir *dir, struct cu_tile tile, char ret[512])
{
    char name[CU_TILE_PATH_MAX];

    cu_tile_path(tile, name);
    snprintf(ret, 512, "%s/%s", dir->path, name);
}

static cu_status read_tile(struct cu_audit *a, struct cu_log_dir *dir, struct cu_tile tile, struct cu_buf *ret)
{
    char path[512];

    cu_buf_clear(ret);
    log_path(dir, tile, path);
    return cu_audit_read(a, path, CU_BUNDLE_MAX, ret, NULL);
}

/* ---- candidates for one tile ---- */
static bool tile_as_stored(struct cu_audit *a, struct cu_log_dir *dir, struct cu_tile tile, struct tile_bytes *ret)
{
    CU_BUF bytes = cu_buf_heap(CU_TILE_WIDTH * sizeof(cu_hash) + 1);

    if (read_tile(a, dir, tile, &bytes) != CU_OK || bytes.n != tile.width * sizeof(cu_hash)) return false;
    ret->width = tile.width;
    memcpy(ret->hash, bytes.p, bytes.n);
    return true;
}

static bool tile_from_bundle(struct cu_audit *a, struct cu_log_dir *dir, struct cu_tile tile, struct tile_bytes *ret)
{
    CU_BUF bundle = cu_buf_heap(CU_BUNDLE_MAX);
    struct cu_span entry;
    size_t at = 0;

    if (read_tile(a, dir, (struct cu_tile){ CU_TILE_ENTRIES, tile.index, tile.width }, &bundle) != CU_OK) return false;
    if (cu_bundle_check(cu_buf_span(&bundle), tile.width, NULL) != CU_OK) return false;
    for (ret->width = 0; cu_bundle_next(cu_buf_span(&bundle), &at, &entry); ret->width++)
        ret->hash[ret->width] = cu_leaf_hash(entry);
    return true;
}

static bool tile_from_below(struct cu_audit *a, struct cu_log_dir *dir, struct cu_tile tile, struct tile_bytes *ret)
{
    struct tile_bytes below;

    if (tile.level == 0) return tile_from_bundle(a, dir, tile, ret);
    for (ret->width = 0; ret->width < tile.width; ret->width++) {
        const struct cu_tile child = { tile.level - 1, tile.index * CU_TILE_WIDTH + ret->width, CU_TILE_WIDTH };
        if (!tile_as_stored(a, dir, child, &below)) return false;
        ret->hash[ret->width] = cu_tree_root(below.hash, CU_TILE_WIDTH);
    }
    return true;
}

/* The k-th way to come by this tile: as each copy has it, then from what lies below it in each copy. */
static bool candidate(struct cu_audit *a, struct cu_tile tile, unsigned k, struct tile_bytes *ret)
{
    struct cu_log_dir *dir = &a->dir[k % CU_LOGS];

    return k < CU_LOGS ? tile_as_stored(a, dir, tile, ret) : tile_from_below(a, dir, tile, ret);
}

/* ---- judging files ---- */
static cu_status judge_file(struct cu_audit *a, unsigned copy, struct cu_tile tile, struct cu_span good, struct cu_err *err)
{
    CU_BUF there = cu_buf_heap(CU_BUNDLE_MAX);
    char path[512];
    cu_status read = read_tile(a, &a->dir[copy], tile, &there);

    if (read == CU_OK && cu_span_eq(cu_buf_span(&there), good)) return CU_OK;
    log_path(&a->dir[copy], tile, path);
    if (!a->r->repair) a->log_bad[copy] = true;
    return cu_audit_file(a, path, read == CU_NOT_FOUND, good, err);
}

/* The bytes that a bundle or tile of a smaller width has. */
static struct cu_span prefix_of(struct cu_tile tile, struct cu_span good, unsigned width)
{
    struct cu_span entry;
    size_t at = 0;

    if (tile.level != CU_TILE_ENTRIES) return cu_span(good.p, width * sizeof(cu_hash));
    for (unsigned i = 0; i < width; i++)
        if (!cu_bundle_next(good, &at, &entry)) break;
    return cu_span(good.p, at);
}

/* Widths below the tile's own that there is a file of in a copy: "…/005.p/17". */
struct widths {
    bool has[CU_TILE_WIDTH];
    unsigned below;
};

static cu_status add_width(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct widths *w = arg;
    uint64_t width;

    (void)err;
    if (kind != CU_FILE_REGULAR || cu_decimal_read(cu_span_str(name), CU_TILE_WIDTH - 1, &width, NULL) != CU_OK)
        return CU_OK; /* strays() says so */
    if (width > 0 && width < w->below) w->has[width] = true;
    return CU_OK;
}

static cu_status older_widths(struct cu_audit *a, struct cu_tile tile, struct widths *ret, struct cu_err *err)
{
    for (unsigned copy = 0; copy < CU_LOGS; copy++) {
        char path[512];
        log_path(&a->dir[copy], (struct cu_tile){ tile.level, tile.index, 1 }, path);
        *strrchr(path, '/') = 0; /* "…/005.p" */
        const cu_status listed = a->p->fs.ops->list(a->p->fs.self, path, add_width, ret, err);
        if (listed != CU_OK && listed != CU_NOT_FOUND) return listed;
    }
    return CU_OK;
}

static cu_status judge_older(struct cu_audit *a, struct cu_tile tile, struct cu_span good, struct cu_err *err)
{
    struct widths older = { .below = tile.width };

    TRY(older_widths(a, tile, &older, err));
    for (unsigned width = 1; width < tile.width; width++)
        for (unsigned copy = 0; copy < CU_LOGS && older.has[width]; copy++)
            TRY(judge_file(a, copy, (struct cu_tile){ tile.level, tile.index, width }, prefix_of(tile, good, width), err));
    return CU_OK;
}

static cu_status judge_tile(struct cu_audit *a, struct cu_tile tile, struct cu_span good, struct cu_err *err)
{
    TRY(judge_file(a, CU_LOG_NODE, tile, good, err));
    TRY(judge_file(a, CU_LOG_CLOUD, tile, good, err));
    return judge_older(a, tile, good, err);
}

/* ---- going down ---- */
static cu_status lost(struct cu_audit *a, struct cu_tile tile, struct cu_err *err)
{
    char path[512];

    (void)err;
    log_path(&a->dir[CU_LOG_NODE], tile, path);
    a->log_broken = true;
    cu_audit_report(a, "lost", path, NULL, false,
                    "neither copy of the log has this any more: it is beyond repair, and what follows it cannot be judged");
    return CU_OK;
}

/* Usually a lane finds that both copies have the same bytes, and the right ones. */
static cu_status judge_bundle(struct cu_audit *a, uint64_t index, const struct tile_bytes *leaves, struct cu_err *err)
{
    struct cu_page *page;

    TRY(cu_replay_page(a, &page, err));
    page->first.v = index * CU_TILE_WIDTH;
    page->n = leaves->width;
    memcpy(page->leaves, leaves->hash, leaves->width * sizeof(cu_hash));
    return cu_replay_add(a, page, err);
}

/* One that cannot be read is not the same, and is looked at once more when the page's turn comes. */
void cu_audit_read_bundle(const struct cu_audit *a, struct cu_page *page, struct cu_buf *other)
{
    const struct cu_tile tile = { CU_TILE_ENTRIES, page->first.v / CU_TILE_WIDTH, page->n };
    struct cu_buf *to[CU_LOGS] = { [CU_LOG_NODE] = &page->bytes, [CU_LOG_CLOUD] = other };
    char path[512];

    page->same = true;
    for (unsigned copy = 0; copy < CU_LOGS; copy++) {
        cu_buf_clear(to[copy]);
        log_path(&a->dir[copy], tile, path);
        page->same &= cu_fs_read(&a->p->fs, path, CU_BUNDLE_MAX, to[copy], NULL) == CU_OK;
    }
    page->same = page->same && cu_span_eq(cu_buf_span(&page->bytes), cu_buf_span(other));
}

static bool is_good_in(struct cu_audit *a, struct cu_log_dir *dir, struct cu_tile tile, struct cu_page *page)
{
    page->good = false;
    if (read_tile(a, dir, tile, &page->bytes) == CU_OK) cu_replay_prepare(a, page);
    return page->good;
}

cu_status cu_audit_bundle(struct cu_audit *a, struct cu_page *page, struct cu_err *err)
{
    const struct cu_tile tile = { CU_TILE_ENTRIES, page->first.v / CU_TILE_WIDTH, page->n };

    if (page->good && page->same) return judge_older(a, tile, cu_buf_span(&page->bytes), err);
    if (is_good_in(a, &a->dir[CU_LOG_NODE], tile, page) || is_good_in(a, &a->dir[CU_LOG_CLOUD], tile, page))
        return judge_tile(a, tile, cu_buf_span(&page->bytes), err);
    page->n = 0;
    return lost(a, tile, err);
}

static cu_status go_down(struct cu_audit *a, int level, uint64_t index, const cu_hash *expected, struct cu_err *err);

/* This tile is good: judge its files, then what lies below it. */
static cu_status below(struct cu_audit *a, struct cu_tile tile, const struct tile_bytes *good, struct cu_err *err)
{
    TRY(judge_tile(a, tile, cu_span(good->hash, good->width * sizeof(cu_hash)), err));
    if (tile.level == 0) return judge_bundle(a, tile.index, good, err);
    for (unsigned i = 0; i < good->width; i++)
        TRY(go_down(a, tile.level - 1, tile.index * CU_TILE_WIDTH + i, &good->hash[i], err));
    return CU_OK;
}

static cu_status go_down(struct cu_audit *a, int level, uint64_t index, const cu_hash *expected, struct cu_err *err)
{
    const struct cu_tile tile = { level, index, CU_TILE_WIDTH };
    struct tile_bytes tried;

    for (unsigned k = 0; k < CANDIDATES; k++) {
        if (!candidate(a, tile, k, &tried)) continue;
        const cu_hash root = cu_tree_root(tried.hash, CU_TILE_WIDTH);
        if (cu_hash_eq(&root, expected)) return below(a, tile, &tried, err);
    }
    TRY(cu_replay_flush(a, err)); /* what comes before it can be judged */
    return lost(a, tile, err);
}

/* ---- the right edge ---- */
struct edge {
    struct cu_tile tile[LEVELS];
    struct tile_bytes bytes[LEVELS];
};

/* Levels above `level` are chosen and summed up in `f`; choose this one and go on: does any choice lead to the root? */
static bool choose_edge(struct cu_audit *a, struct edge *e, int level, const struct cu_frontier *f)
{
    if (level < 0) {
        const cu_hash root = cu_frontier_root(f);
        return cu_hash_eq(&root, &a->checkpoint.root);
    }
    if (e->tile[level].width == 0) return choose_edge(a, e, level - 1, f);
    for (unsigned k = 0; k < CANDIDATES; k++) {
        struct cu_frontier next = *f;
        if (!candidate(a, e->tile[level], k, &e->bytes[level])) continue;
        for (unsigned i = 0; i < e->tile[level].width; i++)
            cu_frontier_append_subtree(&next, 8u * (unsigned)level, &e->bytes[level].hash[i]);
        if (choose_edge(a, e, level - 1, &next)) return true;
    }
    return false;
}

static cu_status walk(struct cu_audit *a, struct cu_err *err)
{
    struct edge *e = calloc(1, sizeof *e);
    const struct cu_frontier empty = { 0 };
    cu_status done = CU_OK;

    ENSURE(e, err, CU_NO_MEMORY, "out of memory");
    for (int level = 0; level < (int)LEVELS; level++) {
        const uint64_t at_level = level == 0 ? a->checkpoint.size.v : a->checkpoint.size.v >> (8 * level);
        e->tile[level] = (struct cu_tile){ level, at_level / CU_TILE_WIDTH, (unsigned)(at_level % CU_TILE_WIDTH) };
    }
    if (!choose_edge(a, e, (int)LEVELS - 1, &empty)) done = lost(a, e->tile[0], err);
    else
        for (int level = (int)LEVELS - 1; level >= 0 && done == CU_OK; level--)
            if (e->tile[level].width) done = below(a, e->tile[level], &e->bytes[level], err);
    free(e);
    return done;
}

/* ---- files that do not belong ---- */
struct strays {
    struct cu_audit *a;
    unsigned copy;
    char dir[400];
};

static bool belongs(const struct cu_audit *a, const char *inside)
{
    struct cu_tile tile;

    if (strcmp(inside, "checkpoint") == 0 || strncmp(inside, "incoming", 8) == 0) return true;
    if (cu_tile_path_read(cu_span_str(inside), &tile, NULL) != CU_OK) return false;
    return a->ret->dirty || tile.width <= cu_tile_width(tile.level, tile.index, a->checkpoint.size);
}

static cu_status stray(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    const struct strays *s = arg;
    struct strays in = { s->a, s->copy, "" };

    snprintf(in.dir, sizeof in.dir, "%s/%s", s->dir, name);
    if (kind == CU_FILE_FOLDER) return s->a->p->fs.ops->list(s->a->p->fs.self, in.dir, stray, &in, err);
    if (kind == CU_FILE_REGULAR && belongs(s->a, in.dir + strlen(s->a->dir[s->copy].path) + 1)) return CU_OK;
    return cu_audit_stray(s->a, in.dir, err);
}

static cu_status strays(struct cu_audit *a, struct cu_err *err)
{
    for (unsigned copy = 0; copy < CU_LOGS; copy++) {
        struct strays s = { a, copy, "" };
        snprintf(s.dir, sizeof s.dir, "%s", a->dir[copy].path);
        cu_status listed = a->p->fs.ops->list(a->p->fs.self, s.dir, stray, &s, err);
        if (listed != CU_OK && listed != CU_NOT_FOUND) return listed;
    }
    return CU_OK;
}

/* ---- the checkpoint ---- */
static cu_status open_copy(struct cu_audit *a, unsigned copy, struct cu_log *ret, struct cu_err *err)
{
    cu_status opened = CU_IO;

    for (int tries = 0; tries < 2 && opened == CU_IO; tries++) /* as cu_audit_read does */
        opened = cu_audit_saw(a, cu_log_open(&a->p->fs, a->dir[copy].path, NULL, &a->p->trust, a->p->remote.ops != NULL,
                                             &a->p->verifier, ret, err));
    return opened;
}

/* The note as it lies, and the checkpoint in it, whose origin points there. */
static cu_status keep_note(struct cu_audit *a, struct cu_span bytes, struct cu_err *err)
{
    struct cu_note note;

    a->note = cu_buf_heap(CU_NOTE_MAX);
    cu_buf_add(&a->note, bytes);
    TRY(cu_audit_saw(a, cu_buf_ok(&a->note, err)));
    ENSURE(a->note.n > 0, err, CU_NOT_FOUND, "the log has no checkpoint yet");
    TRY(cu_note_read(cu_buf_span(&a->note), &note, err));
    return cu_checkpoint_read(note.text, &a->checkpoint, err);
}

static cu_status choose_checkpoint(struct cu_audit *a, struct cu_err *err)
{
    struct cu_log log[CU_LOGS] = { 0 };
    cu_status read[CU_LOGS] = { 0 };
    unsigned best = 0;

    for (unsigned copy = 0; copy < CU_LOGS; copy++) read[copy] = open_copy(a, copy, &log[copy], err);
    if (read[1] == CU_OK && (read[0] != CU_OK || log[1].checkpoint.size.v > log[0].checkpoint.size.v)) best = 1;
    if (read[best] == CU_OK) read[best] = keep_note(a, cu_buf_span(&log[best].note), err);
    const cu_status chosen = read[best];
    const bool fork = read[0] == CU_OK && read[1] == CU_OK && log[0].checkpoint.size.v == log[1].checkpoint.size.v &&
                      !cu_hash_eq(&log[0].checkpoint.root, &log[1].checkpoint.root);
    for (unsigned copy = 0; copy < CU_LOGS; copy++) cu_log_free(&log[copy]);
    if (fork)
        cu_audit_report(a, "fork", CU_DIR_CLOUD_LOG "/checkpoint", NULL, false,
                        "the two copies carry different signed logs of one size: the signer convicts itself; keep both and see "
                        "`custody fork-proof`");
    ENSURE(chosen == CU_OK, err, CU_CORRUPT,
           "neither copy of the log has a checkpoint that a trusted key signed: nothing can be judged");
    return CU_OK;
}

static cu_status judge_checkpoints(struct cu_audit *a, struct cu_err *err)
{
    for (unsigned copy = 0; copy < CU_LOGS; copy++) {
        CU_BUF there = cu_buf_heap(CU_NOTE_MAX);
        char path[300];
        snprintf(path, sizeof path, "%s/checkpoint", a->dir[copy].path);
        cu_status read = cu_audit_read(a, path, CU_NOTE_MAX, &there, NULL);
        if (read == CU_OK && cu_span_eq(cu_buf_span(&there), cu_buf_span(&a->note))) continue;
        if (read == CU_OK && a->ret->dirty && copy == CU_LOG_CLOUD)
            continue; /* the drain that a crash interrupted writes it last */
        if (!a->r->repair) a->log_bad[copy] = true;
        TRY(cu_audit_file(a, path, read == CU_NOT_FOUND, cu_buf_span(&a->note), err));
    }
    return CU_OK;
}

cu_status cu_audit_checkpoint(struct cu_audit *a, struct cu_err *err)
{
    a->dir[CU_LOG_NODE] = (struct cu_log_dir){ &a->p->fs, CU_DIR_NODE_LOG };
    a->dir[CU_LOG_CLOUD] = (struct cu_log_dir){ &a->p->fs, a->p->remote.ops ? CU_DIR_NODE_LOG
                                                                            : CU_DIR_CLOUD_LOG }; /* from afar there is one */
    return choose_checkpoint(a, err);
}

static cu_status walk_and_replay(struct cu_audit *a, struct cu_err *err)
{
    TRY(cu_replay_begin(a, a->r->only ? CU_REPLAY_HASHES : CU_REPLAY_ALL, a->r->lanes, err));
    TRY(walk(a, err));
    return cu_replay_flush(a, err);
}

cu_status cu_audit_logs(struct cu_audit *a, struct cu_err *err)
{
    const cu_status walked = walk_and_replay(a, err);

    cu_replay_end(a);
    TRY(walked);
    TRY(judge_checkpoints(a, err));
    return strays(a, err);
}
