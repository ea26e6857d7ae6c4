/* A folder, read in one walk: small files gather in batches that two lanes hash, large ones stream by themselves and take their
 * place in a batch until it is known what they came to.
 *
 * (1) Items leave in the order of the walk: rows, objects and the caller's callback, all in the caller's thread.
 * (2) A batch holds whole files, so it is hashed without knowing its neighbours.
 * (3) What a batch points to (paths, targets, bytes) lies in the batch.
 */
#include "content/crew.h"
#include "content/hardlinks.h"
#include "content/intake.h"
#include "content/put.h"

#include <stdlib.h>

enum {
    BATCHES = 8,
    HASHERS = 2,
    BATCH_ITEMS = 256,
    BATCH_LARGE = 7, /* of the items */
    BATCH_BYTES = CU_CHUNK_BYTES,
    BATCH_TEXT = 64 * 1024,
    TEXT_MAX = 2 * CU_PATH_MAX_BYTES
};

_Static_assert(BATCHES *BATCH_LARGE < CU_PUT_TICKETS, "a large file is taken before there are too many");

struct member {
    struct cu_item item;
    struct cu_span bytes;
    struct cu_digest_value digest[CU_DIGESTS_MAX];
    size_t digests_n;
    bool large; /* what it came to is taken when it leaves */
};

struct batch {
    struct member member[BATCH_ITEMS];
    size_t n, large_n, bytes_n, text_n;
    uint8_t *bytes, *text;
};

struct folder {
    struct cu_intake *in;
    const struct cu_ingest *config;
    struct cu_crew *crew;
    struct batch *batch; /* BATCHES of them */
    struct batch *filling;
    uint64_t done; /* batches emitted */
    struct cu_hardlinks links;
    struct cu_buf rows;
    struct cu_frontier frontier;
    uint64_t items, bytes;
};

static void folder_free(struct folder *f)
{
    cu_crew_free(f->crew);
    for (size_t i = 0; f->batch && i < BATCHES; i++) free(f->batch[i].bytes), free(f->batch[i].text);
    free(f->batch);
    cu_hardlinks_free(&f->links);
    cu_buf_free(&f->rows);
}

/* ---- hashing ---- */

static cu_status hash_member(const struct folder *f, struct member *m, struct cu_err *err)
{
    if (!m->item.has_root) return CU_OK;
    m->item.root = cu_content_root_of(m->bytes);
    TRY(cu_digest_set_of(f->in->algs, m->bytes, m->digest, &m->digests_n, err));
    memcpy(m->item.sha256.b, m->digest[0].bytes, sizeof m->item.sha256.b);
    return CU_OK;
}

static cu_status hash_batch(void *arg, size_t n, struct cu_err *err)
{
    const struct folder *f = arg;
    struct batch *b = &f->batch[n];

    for (size_t i = 0; i < b->n; i++) TRY(hash_member(f, &b->member[i], err));
    return CU_OK;
}

static cu_status folder_start(struct folder *f, struct cu_err *err)
{
    struct cu_lane lanes[HASHERS];

    cu_hardlinks_start(&f->links);
    f->rows = cu_buf_heap(SIZE_MAX / 2);
    f->batch = calloc(BATCHES, sizeof *f->batch);
    ENSURE(f->batch, err, CU_NO_MEMORY, "no memory to read a folder");
    for (size_t i = 0; i < BATCHES; i++) {
        f->batch[i].bytes = malloc(BATCH_BYTES);
        f->batch[i].text = malloc(BATCH_TEXT);
        ENSURE(f->batch[i].bytes && f->batch[i].text, err, CU_NO_MEMORY, "no memory to read a folder");
    }
    for (unsigned i = 0; i < HASHERS; i++) lanes[i] = (struct cu_lane){ .work = hash_batch, .arg = f, .share = i, .of = HASHERS };
    return cu_crew_new(lanes, HASHERS, BATCHES, true, &f->crew, err);
}

/* ---- emitting ---- */

static cu_status emit(struct folder *f, const struct cu_item *item, const struct cu_digest_value *digests, size_t n,
                      struct cu_err *err)
{
    size_t at = f->rows.n;

    ENSURE(f->items < CU_ITEMS_MAX, err, CU_TOO_LARGE, "more than %d items in one folder", CU_ITEMS_MAX);
    TRY(cu_item_write(item, &f->rows, err));
    cu_hash leaf = cu_leaf_hash(cu_span(f->rows.p + at, f->rows.n - at));
    cu_frontier_append(&f->frontier, &leaf);
    f->items++;
    f->bytes += item->size;
    f->in->files += item->type == CU_ITEM_FILE;
    return f->config->item ? f->config->item(f->config->item_arg, item, digests, n, err) : CU_OK;
}

static cu_status take_large(struct folder *f, struct member *m, struct cu_err *err)
{
    struct cu_sums sums;

    TRY(cu_put_large_take(f->in->put, &sums, err));
    m->item.root = sums.root;
    m->digests_n = sums.digests_n;
    memcpy(m->digest, sums.digest, sizeof m->digest);
    memcpy(m->item.sha256.b, sums.digest[0].bytes, sizeof m->item.sha256.b);
    m->item.has_root = m->item.has_sha256 = true;
    return CU_OK;
}

static cu_status emit_batch(struct folder *f, struct cu_err *err)
{
    struct batch *b = &f->batch[f->done % BATCHES];

    TRY(cu_crew_wait(f->crew, ~0u, f->done + 1, err));
    for (size_t i = 0; i < b->n; i++) {
        struct member *m = &b->member[i];
        if (m->large) TRY(take_large(f, m, err));
        TRY(emit(f, &m->item, m->digest, m->digests_n, err));
        if (m->item.has_root && !m->large) TRY(cu_put_small(f->in->put, CU_OBJECT_CONTENT, &m->item.root, m->bytes, err));
    }
    b->n = b->large_n = b->bytes_n = b->text_n = 0;
    f->done++;
    return CU_OK;
}

static void submit(struct folder *f)
{
    if (!f->filling) return;
    cu_crew_submit(f->crew);
    f->filling = NULL;
}

static cu_status flush(struct folder *f, struct cu_err *err)
{
    submit(f);
    while (f->done < cu_crew_submitted(f->crew)) TRY(emit_batch(f, err));
    return CU_OK;
}

/* A batch with room for one more item of so many bytes. */
static cu_status need_batch(struct folder *f, size_t bytes, struct cu_err *err)
{
    size_t n;

    if (f->filling && (f->filling->n == BATCH_ITEMS || f->filling->large_n == BATCH_LARGE ||
                       bytes > BATCH_BYTES - f->filling->bytes_n || f->filling->text_n > BATCH_TEXT - TEXT_MAX))
        submit(f);
    if (f->filling) return CU_OK;
    if (cu_crew_submitted(f->crew) - f->done == BATCHES) TRY(emit_batch(f, err));
    TRY(cu_crew_claim(f->crew, &n, err));
    f->filling = &f->batch[n];
    return CU_OK;
}

/* ---- one item ---- */

static struct cu_span keep_text(struct batch *b, struct cu_span text)
{
    uint8_t *at = b->text + b->text_n;

    CU_ASSERT(text.n <= BATCH_TEXT - b->text_n);
    memcpy(at, text.p, text.n);
    b->text_n += text.n;
    return cu_span(at, text.n);
}

static struct cu_item item_of(const struct cu_walk_item *w, struct cu_span path)
{
    return (struct cu_item){ .path = path,
                             .type = CU_ITEM_OTHER,
                             .mode = w->stat.mode & 07777,
                             .mtime_s = w->stat.mtime_s,
                             .mtime_ns = w->stat.mtime_ns };
}

static cu_status add_plain(struct folder *f, const struct cu_walk_item *w, enum cu_item_type type, struct cu_span target,
                           struct cu_err *err)
{
    ENSURE(target.n <= CU_PATH_MAX_BYTES, err, CU_TOO_LARGE, "%s: the target of the link is too long", w->full);
    TRY(need_batch(f, 0, err));
    struct batch *b = f->filling;
    struct cu_item item = item_of(w, keep_text(b, w->path));
    item.type = type;
    item.has_target = target.n > 0;
    if (item.has_target) item.target = keep_text(b, target);
    b->member[b->n++] = (struct member){ .item = item };
    return CU_OK;
}

static cu_status add_symlink(struct folder *f, const struct cu_walk_item *w, struct cu_err *err)
{
    CU_BUF target = cu_buf_heap(CU_PATH_MAX_BYTES);

    TRY(f->in->source->ops->read_link(f->in->source->self, w->full, &target, err));
    return add_plain(f, w, CU_ITEM_SYMLINK, cu_buf_span(&target), err);
}

cu_status cu_intake_open_same(struct cu_intake *in, const struct cu_walk_item *w, struct cu_source_file **ret, struct cu_err *err)
{
    struct cu_source_stat st;

    cu_status status = in->source->ops->open(in->source->self, w->full, ret, err);
    ENSURE(status != CU_NOT_FOUND, err, CU_CHANGED, "%s vanished while the folder was read", w->full);
    if (status != CU_OK) return status;
    TRY((*ret)->ops->stat(*ret, &st, err));
    ENSURE(cu_source_same(&st, &w->stat), err, CU_CHANGED, "%s changed while the folder was read", w->full);
    return CU_OK;
}

static cu_status add_small(struct folder *f, const struct cu_walk_item *w, struct cu_err *err)
{
    CU_CLEANUP(cu_source_close) struct cu_source_file *file = NULL;
    size_t size = (size_t)w->stat.size, n = 0;

    TRY(need_batch(f, size, err));
    struct batch *b = f->filling;
    uint8_t *at = b->bytes + b->bytes_n;
    TRY(cu_intake_open_same(f->in, w, &file, err));
    TRY(cu_intake_fill(f->in, file, at, size, &n, err));
    TRY(cu_intake_unchanged(f->in, file, w->full, false, &w->stat, n, err));
    struct cu_item item = item_of(w, keep_text(b, w->path));
    item.type = CU_ITEM_FILE;
    item.size = n;
    item.has_root = item.has_sha256 = true;
    b->member[b->n++] = (struct member){ .item = item, .bytes = cu_span(at, n) };
    b->bytes_n += n;
    return CU_OK;
}

static cu_status add_large(struct folder *f, const struct cu_walk_item *w, struct cu_err *err)
{
    CU_CLEANUP(cu_source_close) struct cu_source_file *file = NULL;
    uint64_t size;

    TRY(cu_intake_open_same(f->in, w, &file, err));
    TRY(cu_intake_stream(f->in, CU_SPAN_EMPTY, file, &size, err));
    TRY(cu_intake_unchanged(f->in, file, w->full, false, &w->stat, size, err));
    TRY(need_batch(f, 0, err));
    struct batch *b = f->filling;
    struct cu_item item = item_of(w, keep_text(b, w->path));
    item.type = CU_ITEM_FILE;
    item.size = size;
    b->member[b->n++] = (struct member){ .item = item, .large = true };
    b->large_n++;
    return CU_OK;
}

static cu_status add_file(struct folder *f, const struct cu_walk_item *w, struct cu_err *err)
{
    struct cu_span first = CU_SPAN_EMPTY;

    if (w->stat.links > 1) TRY(cu_hardlinks_seen(&f->links, &w->stat, w->path, &first, err));
    if (first.n > 0) return add_plain(f, w, CU_ITEM_HARDLINK, first, err);
    return w->stat.size < CU_CHUNK_BYTES ? add_small(f, w, err) : add_large(f, w, err);
}

static cu_status visit(void *arg, const struct cu_walk_item *w, struct cu_err *err)
{
    struct folder *f = arg;

    switch (w->stat.kind) {
    case CU_SOURCE_FILE: return add_file(f, w, err);
    case CU_SOURCE_FOLDER: return add_plain(f, w, CU_ITEM_DIRECTORY, CU_SPAN_EMPTY, err);
    case CU_SOURCE_SYMLINK: return add_symlink(f, w, err);
    case CU_SOURCE_BLOCK_DEVICE:
    case CU_SOURCE_STREAM:
    case CU_SOURCE_OTHER: break;
    }
    return add_plain(f, w, CU_ITEM_OTHER, CU_SPAN_EMPTY, err);
}

/* ---- the manifest ---- */

static cu_status join_manifest(struct folder *f, struct cu_buf *ret, struct cu_err *err)
{
    uint8_t bytes[128];
    struct cu_buf head = cu_buf_over(bytes, sizeof bytes);
    size_t rows_n = f->rows.n;

    cu_manifest_header_put(f->items, f->bytes, &head);
    cu_buf_grow(&f->rows, head.n);
    TRY(cu_buf_ok(&f->rows, err));
    memmove(f->rows.p + head.n, f->rows.p, rows_n);
    memcpy(f->rows.p, head.p, head.n);
    *ret = f->rows;
    f->rows = (struct cu_buf){ 0 };
    return CU_OK;
}

static cu_status put_manifest(struct cu_put *put, struct cu_span manifest, const cu_hash *root, struct cu_err *err)
{
    cu_hash again;
    uint64_t size;

    if (manifest.n < CU_CHUNK_BYTES) return cu_put_small(put, CU_OBJECT_CONTENT, root, manifest, err);
    TRY(cu_put_large_begin(put, err));
    TRY(cu_put_large_add(put, manifest, err));
    TRY(cu_put_large_end(put, &again, &size, err));
    CU_ASSERT(cu_hash_eq(root, &again) && size == manifest.n);
    return CU_OK;
}

cu_status cu_intake_folder(struct cu_intake *in, const struct cu_ingest *config, const char *path, struct cu_ingested *ret,
                           struct cu_err *err)
{
    CU_CLEANUP(folder_free) struct folder f = { .in = in, .config = config };

    TRY(folder_start(&f, err));
    TRY(cu_walk(in->source, path, visit, &f, err));
    TRY(flush(&f, err));
    cu_buf_free(&ret->content);
    TRY(join_manifest(&f, &ret->content, err));
    ret->type = CU_CONTENT_FOLDER;
    ret->size = ret->content.n;
    ret->root = cu_content_root_of(cu_buf_span(&ret->content));
    ret->folder = (struct cu_folder){ f.items, f.bytes, cu_frontier_root(&f.frontier) };
    ret->is_inline = ret->size <= CU_CONTENT_INLINE_MAX;
    return ret->is_inline ? CU_OK : put_manifest(in->put, cu_buf_span(&ret->content), &ret->root, err);
}
