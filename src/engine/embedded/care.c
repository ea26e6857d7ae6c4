/* The engine's own files, made, judged and made anew from outside. */
#include "engine/embedded/inside.h"

#include <stdio.h>

/* ---- making ---- */

static cu_status make_part(const struct cu_embedded_config *config, unsigned i, uint64_t bytes, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    char path[CU_EMBEDDED_PATH];
    const char *name[] = { "0", "1" };

    TRY(cu_embedded_path(config, name[i], path, err));
    TRY(config->fs->ops->open(config->fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE, &f, err));
    TRY(cu_journal_zero(f, 0, bytes, err)); /* written, not only allocated: a commit then changes no block map */
    if (i == 0) TRY(cu_journal_begin(f, 0, 1, bytes, err));
    return f->ops->sync(f, err);
}

/* Journal files first, the head last and at once: without a head there is no journal. */
static cu_status make_journal(const struct cu_embedded_config *config, const struct cu_tip *tip, struct cu_err *err)
{
    uint64_t bytes = config->journal_bytes ? config->journal_bytes : CU_JOURNAL_BYTES_USUAL;
    struct cu_head head = {
        .number = 2, .bytes = bytes, .clean = true, .tip = *tip, .drained = tip->size, .drained_root = tip->root
    };
    char path[CU_EMBEDDED_PATH], tmp[CU_EMBEDDED_PATH];
    uint8_t slots[2 * CU_HEAD_SLOT];

    ENSURE(bytes >= CU_JOURNAL_BYTES_MIN && bytes <= CU_JOURNAL_BYTES_MAX, err, CU_USAGE, "a journal file has %u to %u bytes",
           CU_JOURNAL_BYTES_MIN, CU_JOURNAL_BYTES_MAX);
    TRY(cu_embedded_path(config, "head", path, err));
    TRY(cu_embedded_path(config, "incoming/head", tmp, err));
    ENSURE(!cu_fs_exists(config->fs, path), err, CU_USAGE, "%s is there already", path);
    TRY(make_part(config, 0, bytes, err));
    TRY(make_part(config, 1, bytes, err));
    TRY(config->fs->ops->sync_dir(config->fs->self, config->journal, err));
    head.part[0] = (struct cu_part){ 1, CU_JOURNAL_HEADER, CU_JOURNAL_HEADER };
    cu_head_both(&head, slots);
    return cu_fs_replace(config->fs, path, tmp, CU_SPAN_OF(slots), true, err);
}

cu_status cu_embedded_create(const struct cu_embedded_config *config, struct cu_err *err)
{
    const struct cu_fs *fs = config->fs;
    struct cu_tip empty = { .root = cu_empty_root() };
    void *lock = NULL;

    TRY(fs->ops->lock(fs->self, config->lock, 0, &lock, err));
    cu_status status = make_journal(config, &empty, err);
    for (unsigned i = 0; i < 2; i++)
        if (config->log[i] && status == CU_OK) status = fs->ops->make_dir(fs->self, config->log[i], err);
    fs->ops->unlock(fs->self, lock);
    return status;
}

static cu_status renew(void *self, const struct cu_tip *tip, struct cu_err *err) { return make_journal(self, tip, err); }

/* ---- looking ---- */

static cu_status reach(void *self, cu_size *ret_drained, cu_size *ret_acknowledged, struct cu_err *err)
{
    const struct cu_embedded_config *config = self;
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    char path[CU_EMBEDDED_PATH];
    struct cu_head head;
    bool whole = false;

    TRY(cu_embedded_path(config, "head", path, err));
    TRY(config->fs->ops->open(config->fs->self, path, CU_OPEN_READ, &f, err));
    TRY(cu_head_read(f, path, &head, &whole, err));
    *ret_drained = head.drained;
    *ret_acknowledged = head.tip.size;
    return CU_OK;
}

static cu_status dirty(void *self, bool *ret, struct cu_err *err)
{
    cu_size drained, acknowledged;

    TRY(reach(self, &drained, &acknowledged, err));
    *ret = drained.v < acknowledged.v;
    return CU_OK;
}

struct look {
    const struct cu_embedded_config *config;
    void (*found)(void *arg, const char *where, const char *what);
    void *arg;
    struct cu_head head;
    uint64_t seq; /* of the next frame, over both files */
};

static void tell(struct look *l, const char *where, const char *what) { l->found(l->arg, where, what); }

/* Damage is told and ends nothing; trouble with reading, and a newer format, are errors. */
static cu_status told(struct look *l, const char *where, cu_status status, const struct cu_err *why)
{
    if (status != CU_CORRUPT && status != CU_NOT_FOUND) return status;
    tell(l, where, why->text);
    return CU_OK;
}

/* *ret_usable: a slot is good, so the rest can be judged. */
static cu_status look_at_head(struct look *l, bool *ret_usable, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    uint8_t p[2 * CU_HEAD_SLOT] = { 0 };
    char path[CU_EMBEDDED_PATH];
    struct cu_err why = { 0 };
    struct cu_head slot;
    uint64_t size = 0;
    size_t got = 0;
    bool whole = false;
    unsigned good = 0;

    TRY(cu_embedded_path(l->config, "head", path, err));
    cu_status status = l->config->fs->ops->open(l->config->fs->self, path, CU_OPEN_READ, &f, &why);
    if (status == CU_NOT_FOUND || status == CU_CORRUPT)
        return told(l, path, status, &why); /* gone, or something else in its place */
    if (status != CU_OK && err) *err = why;
    TRY(status);
    TRY(f->ops->size(f, &size, err));
    TRY(f->ops->read_at(f, 0, p, sizeof p, &got, err));
    for (unsigned i = 0; i < 2; i++) {
        status = cu_head_slot_read(p + i * CU_HEAD_SLOT, i, &slot, &why);
        if (status == CU_OK) good++;
        else TRY(told(l, path, status, &why));
    }
    if (size != sizeof p) tell(l, path, "it has not the length of two slots");
    if (good == 0) return CU_OK;
    TRY(cu_head_read(f, path, &l->head, &whole, err));
    if (good == 2 && size == sizeof p && !whole) tell(l, path, "its slots do not follow one another");
    l->head.clean = l->head.clean && whole;
    *ret_usable = true;
    return CU_OK;
}

static cu_status look_at_frames(struct look *l, unsigned i, struct cu_file *f, const char *path, struct cu_err *err)
{
    const struct cu_part *part = &l->head.part[i];
    CU_CLEANUP(cu_journal_scan_free)
    struct cu_journal_scan scan = cu_journal_scan_start(f, path, part->generation, CU_JOURNAL_HEADER, part->end, l->seq);
    struct cu_journal_frame frame;
    uint64_t generation = 0;
    bool at_from = part->from == CU_JOURNAL_HEADER;

    TRY(cu_journal_header(f, path, i, l->head.bytes, &generation, err));
    ENSURE(generation == part->generation, err, CU_CORRUPT, "%s is of another generation than the head says", path);
    for (bool more = true;;) {
        TRY(cu_journal_scan_next(&scan, &frame, &more, err));
        l->seq = scan.seq;
        if (!more) break;
        at_from |= scan.at == part->from;
    }
    ENSURE(at_from, err, CU_CORRUPT, "%s has no frame where the head says that the undrained ones begin", path);
    return CU_OK;
}

static cu_status look_at_part(struct look *l, unsigned i, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    const struct cu_part *part = &l->head.part[i];
    const char *name[] = { "0", "1" };
    char path[CU_EMBEDDED_PATH];
    uint64_t size = 0, first = l->head.bytes;

    TRY(cu_embedded_path(l->config, name[i], path, err));
    cu_status status = l->config->fs->ops->open(l->config->fs->self, path, CU_OPEN_READ, &f, err);
    if (status == CU_OK) status = f->ops->size(f, &size, err);
    if (status == CU_OK && size != l->head.bytes)
        status = cu_fail(err, CU_CORRUPT, "it has %llu bytes instead of %llu", (unsigned long long)size,
                         (unsigned long long)l->head.bytes);
    if (status == CU_OK && part->generation != 0) status = look_at_frames(l, i, f, path, err);
    if (status == CU_OK && l->head.clean) status = cu_journal_slack(f, part->end, l->head.bytes, &first, err);
    if (status == CU_OK && first != l->head.bytes)
        status = cu_fail(err, CU_CORRUPT, "there is something at byte %llu, where nothing belongs", (unsigned long long)first);
    if (status == CU_CORRUPT) l->seq = CU_SEQ_ANY; /* where the other file must begin is not known any more */
    return told(l, path, status, err);
}

/* A crash may have come between the checkpoint and the head: then the log stands at what is acknowledged, or on the way there. */
static void look_at_tip(struct look *l, const struct cu_tip *tip)
{
    const struct cu_head *h = &l->head;
    bool agrees = tip->size.v >= h->drained.v && tip->size.v <= h->tip.size.v;

    if (tip->size.v == h->drained.v) agrees = agrees && (tip->size.v == 0 || cu_hash_eq(&tip->root, &h->drained_root));
    if (tip->size.v == h->tip.size.v) agrees = agrees && (tip->size.v == 0 || cu_hash_eq(&tip->root, &h->tip.root));
    if (!agrees) tell(l, l->config->journal, "the journal and the log's checkpoint are not of the same history");
}

/* Without a head: the frames alone, as far as they are good, say what was acknowledged, or was about to be. */
static uint64_t frames_end(const struct cu_embedded_config *config, const char *name)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    struct cu_journal_frame frame;
    char path[CU_EMBEDDED_PATH];
    uint64_t size = 0, generation = 0, end = 0;
    bool more = true;

    if (cu_embedded_path(config, name, path, NULL) != CU_OK ||
        config->fs->ops->open(config->fs->self, path, CU_OPEN_READ, &f, NULL) != CU_OK || f->ops->size(f, &size, NULL) != CU_OK ||
        cu_journal_header(f, path, (unsigned)(name[0] - '0'), size, &generation, NULL) != CU_OK)
        return 0;
    CU_CLEANUP(cu_journal_scan_free)
    struct cu_journal_scan scan = cu_journal_scan_start(f, path, generation, CU_JOURNAL_HEADER, size, CU_SEQ_ANY);
    while (cu_journal_scan_next(&scan, &frame, &more, NULL) == CU_OK && more) end = frame.seq.v + 1;
    return end;
}

static cu_size without_head(const struct cu_embedded_config *config)
{
    const uint64_t end[2] = { frames_end(config, "0"), frames_end(config, "1") };

    return (cu_size){ end[0] > end[1] ? end[0] : end[1] };
}

static cu_status check(void *self, const struct cu_tip *tip, void (*found)(void *arg, const char *where, const char *what),
                       void *arg, cu_size *ret_reach, struct cu_err *err)
{
    struct look l = { .config = self, .found = found, .arg = arg, .seq = CU_SEQ_ANY };
    struct cu_err own = { 0 };
    bool usable = false;

    if (!err) err = &own;
    TRY(look_at_head(&l, &usable, err));
    *ret_reach = usable ? l.head.tip.size : without_head(self);
    if (!usable) return CU_OK;
    TRY(look_at_part(&l, !l.head.current, err));
    TRY(look_at_part(&l, l.head.current, err));
    if (l.seq != CU_SEQ_ANY && l.seq != l.head.tip.size.v)
        tell(&l, l.config->journal, "its frames do not end where the head says");
    look_at_tip(&l, tip);
    return CU_OK;
}

static void *self_of(const struct cu_embedded_config *config)
{
    union {
        const void *in;
        void *out;
    } u = { config }; /* the struct of functions has one kind of self; these only read it */
    return u.out;
}

struct cu_engine_care cu_embedded_care(const struct cu_embedded_config *config)
{
    return (struct cu_engine_care){ self_of(config), dirty, reach, check, renew };
}
