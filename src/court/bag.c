/* A bag as it lies: every file read once, whatever order they come in. What a verdict needs is kept: digests of all, the roots of evidence,
 * and the few files that are read as text or receipts. Then bag_judge.c asks what it means.
 */
#include "court/bag.h"

#include "content/walk.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 1 << 20 };
#define KEPT_MAX ((uint64_t)2 << 30) /* of receipts, manifests and lists together */

/* ---- a folder as a package ---- */
struct folder {
    const struct cu_source *source;
    char *path;
};

struct walking {
    const struct folder *folder;
    cu_status (*file)(void *arg, struct cu_package_file *f, struct cu_err *err);
    void *arg;
};

static cu_status read_source(void *self, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct cu_source_file *f = self;

    return f->ops->read(f, ret, n, ret_n, err);
}

static cu_status visit(void *arg, const struct cu_walk_item *item, struct cu_err *err)
{
    const struct walking *w = arg;
    const struct cu_source *source = w->folder->source;
    CU_CLEANUP(cu_source_close) struct cu_source_file *f = NULL;
    struct cu_package_file file = { .path = item->path, .size = item->stat.size, .read = read_source };

    if (item->stat.kind == CU_SOURCE_FOLDER) return CU_OK;
    if (item->stat.kind == CU_SOURCE_FILE) TRY(source->ops->open(source->self, item->full, &f, err));
    else file.other = true;
    file.self = f;
    return w->file(w->arg, &file, err);
}

static cu_status each_in_folder(void *self, cu_status (*file)(void *arg, struct cu_package_file *f, struct cu_err *err),
                                void *arg, struct cu_err *err)
{
    const struct folder *folder = self;
    struct walking w = { folder, file, arg };

    return cu_walk(folder->source, folder->path, visit, &w, err);
}

static void close_folder(void *self)
{
    struct folder *folder = self;

    free(folder->path);
    free(folder);
}

cu_status cu_bag_folder(const struct cu_source *source, const char *path, struct cu_package *ret, struct cu_err *err)
{
    struct folder *folder = calloc(1, sizeof *folder);

    if (folder) folder->path = strdup(path);
    if (!folder || !folder->path) return free(folder), cu_fail(err, CU_NO_MEMORY, "out of memory");
    folder->source = source;
    *ret = (struct cu_package){ folder, each_in_folder, close_folder };
    return CU_OK; // cppcheck-suppress memleak ; it is the package's by now
}

/* ---- files ---- */
void cu_bag_free(struct cu_bag *bag)
{
    for (size_t i = 0; i < bag->n; i++) {
        free((void *)(uintptr_t)bag->file[i].path.p); // NOLINT(performance-no-int-to-ptr): what add_file copied
        free(bag->file[i].part);
        cu_buf_free(&bag->file[i].kept);
    }
    free(bag->file);
    cu_buf_free(&bag->other);
    *bag = (struct cu_bag){ 0 };
}

static int by_path(const void *a, const void *b)
{
    return cu_span_cmp(((const struct cu_bag_file *)a)->path, ((const struct cu_bag_file *)b)->path);
}

struct cu_bag_file *cu_bag_find(const struct cu_bag *bag, struct cu_span path)
{
    const struct cu_bag_file key = { .path = path };

    return bag->n ? bsearch(&key, bag->file, bag->n, sizeof *bag->file, by_path) : NULL;
}

static bool ends(struct cu_span path, const char *with)
{
    const size_t n = strlen(with);

    return path.n >= n && memcmp(path.p + path.n - n, with, n) == 0;
}

/* Receipts, manifests, proofs and lists are kept. */
static bool is_kept(struct cu_span path)
{
    return cu_span_starts(path, cu_span_str("receipts/")) || cu_span_is(path, "names.txt") || cu_span_is(path, "bagit.txt") ||
           cu_span_is(path, "trust/ledger.trust") || ends(path, "manifest-sha256.txt") ||
           (cu_span_starts(path, cu_span_str("inventory-")) && !memchr(path.p, '/', path.n));
}

/* Take `mark` and a number off the end. */
static bool take_number(struct cu_span *io_name, const char *mark, uint64_t *ret)
{
    size_t n = io_name->n;

    while (n > 0 && io_name->p[n - 1] >= '0' && io_name->p[n - 1] <= '9') n--;
    const struct cu_span before = cu_span(io_name->p, n);
    if (!ends(before, mark) || cu_decimal_read(cu_span_from(*io_name, n), INT64_MAX, ret, NULL) != CU_OK) return false;
    io_name->n = n - strlen(mark);
    return true;
}

bool cu_bag_part(struct cu_span path, struct cu_bag_part_name *ret)
{
    struct cu_bag_part_name part = { .stem = path };
    uint64_t item;

    if (!cu_span_take(&part.stem, "data/") || memchr(part.stem.p, '/', part.stem.n)) return false;
    if (!take_number(&part.stem, "-", &part.last) || !take_number(&part.stem, CU_BAG_BYTES, &part.first)) return false;
    (void)take_number(&part.stem, CU_BAG_ITEM, &item);
    *ret = part;
    return part.stem.n > 0;
}

/* Where it begins stands in its name. */
static cu_status begin_part(struct cu_bag_file *f, struct cu_err *err)
{
    struct cu_bag_part_name name;

    if (!cu_bag_part(f->path, &name)) return CU_OK;
    f->part = malloc(sizeof *f->part);
    ENSURE(f->part, err, CU_NO_MEMORY, "out of memory");
    cu_part_start(f->part, name.first);
    return CU_OK;
}

static cu_status add_file(struct cu_bag *bag, struct cu_span path, struct cu_bag_file **ret, struct cu_err *err)
{
    if (bag->n == bag->cap) {
        size_t cap = bag->cap ? 2 * bag->cap : 256;
        struct cu_bag_file *more = realloc(bag->file, cap * sizeof *more);
        ENSURE(more, err, CU_NO_MEMORY, "no memory for the files of a package");
        bag->file = more;
        bag->cap = cap;
    }
    uint8_t *copy = malloc(path.n + 1);
    ENSURE(copy, err, CU_NO_MEMORY, "no memory for the files of a package");
    memcpy(copy, path.p, path.n);
    bag->file[bag->n] = (struct cu_bag_file){ .path = cu_span(copy, path.n), .kept = cu_buf_heap((size_t)KEPT_MAX) };
    *ret = &bag->file[bag->n++];
    return CU_OK;
}

/* ---- reading one ---- */
struct reading {
    struct cu_bag *bag;
    struct cu_digest digest;
    uint8_t *piece;
};

static void reading_free(struct reading *r)
{
    cu_digest_free(&r->digest);
    free(r->piece);
}

static cu_status take_piece(struct reading *r, struct cu_bag_file *f, struct cu_content *content, struct cu_span piece,
                            struct cu_err *err)
{
    const struct cu_progress *progress = r->bag->progress;

    f->size += piece.n;
    r->bag->bytes += piece.n;
    cu_digest_add(&r->digest, piece);
    if (content) cu_content_add(content, piece);
    if (f->part) cu_part_add(f->part, piece);
    if (is_kept(f->path)) {
        r->bag->kept += piece.n;
        ENSURE(r->bag->kept <= KEPT_MAX, err, CU_TOO_LARGE,
               "the receipts and manifests of this package are larger than %llu bytes", LLU(KEPT_MAX));
        cu_buf_add(&f->kept, piece);
        TRY(cu_buf_ok(&f->kept, err));
    }
    if (progress && progress->at) progress->at(progress->arg, "reading", r->bag->bytes, 0, r->bag->n, 0);
    ENSURE(!progress || !progress->stop || !progress->stop(progress->arg), err, CU_INTERRUPTED,
           "interrupted: nothing was judged");
    return CU_OK;
}

static cu_status read_file(void *arg, struct cu_package_file *from, struct cu_err *err)
{
    struct reading *r = arg;
    struct cu_bag_file *f = NULL;
    struct cu_content content;
    const bool evidence = cu_span_starts(from->path, cu_span_str("data/"));
    size_t n = 0;

    if (from->other) {
        if (r->bag->other.n == 0) cu_buf_add(&r->bag->other, from->path);
        return cu_buf_ok(&r->bag->other, err);
    }
    TRY(add_file(r->bag, from->path, &f, err));
    TRY(begin_part(f, err));
    TRY(cu_digest_start(CU_DIGEST_SHA256, &r->digest, err));
    if (evidence) cu_content_start(&content);
    do {
        TRY(from->read(from->self, r->piece, PIECE, &n, err));
        TRY(take_piece(r, f, evidence ? &content : NULL, cu_span(r->piece, n), err));
    } while (n == PIECE);
    cu_digest_finish(&r->digest, f->sha256.b);
    if (evidence) f->root = cu_content_root(&content);
    return CU_OK;
}

cu_status cu_bag_read(struct cu_package *package, const struct cu_progress *progress, struct cu_bag *ret, struct cu_err *err)
{
    CU_CLEANUP(reading_free) struct reading r = { .bag = ret, .piece = malloc(PIECE) };

    ENSURE(r.piece, err, CU_NO_MEMORY, "out of memory");
    *ret = (struct cu_bag){ .progress = progress, .other = cu_buf_heap(65536) };
    TRY(package->each(package->self, read_file, &r, err));
    qsort(ret->file, ret->n, sizeof *ret->file, by_path);
    ret->progress = NULL;
    return CU_OK;
}
