/* A folder as it lies now against its manifest: both in one order, so one walk merges them. */
#include "content/intake.h"

#include "content/put.h"

#include <stdio.h>
#include <stdlib.h>

/* A file with several names in the manifest: its bytes stand with the first of them. */
struct first_name {
    struct cu_span path;
    uint64_t size;
    cu_hash root;
};

struct comparing {
    struct cu_intake in;
    struct cu_manifest manifest;
    struct cu_item item; /* the manifest's next row */
    bool more;
    struct first_name *first;
    size_t first_n;
    void (*found)(void *arg, const struct cu_folder_difference *d);
    void *arg;
    uint64_t bad;
};

static void comparing_free(struct comparing *c)
{
    cu_put_free(c->in.put);
    free(c->first);
}

static void report(struct comparing *c, const char *what, struct cu_span path, const char *text)
{
    struct cu_folder_difference d = { .what = what, .path = path };

    snprintf(d.text, sizeof d.text, "%s", text);
    c->bad += strcmp(what, "metadata") != 0;
    if (c->found) c->found(c->arg, &d);
}

static cu_status next_row(struct comparing *c, struct cu_err *err)
{
    return cu_manifest_next(&c->manifest, &c->item, &c->more, err);
}

/* ---- hard links ---- */

static int compare_first(const void *a, const void *b)
{
    return cu_span_cmp(((const struct first_name *)a)->path, ((const struct first_name *)b)->path);
}

static cu_status each_row(struct comparing *c, struct cu_span manifest,
                          void (*row)(struct comparing *c, const struct cu_item *item), struct cu_err *err)
{
    struct cu_manifest m;
    struct cu_item item;
    bool more;

    TRY(cu_manifest_open(manifest, &m, err));
    for (;;) {
        TRY(cu_manifest_next(&m, &item, &more, err));
        if (!more) return CU_OK;
        row(c, &item);
    }
}

static void count_link(struct comparing *c, const struct cu_item *item) { c->first_n += item->type == CU_ITEM_HARDLINK; }

static void note_target(struct comparing *c, const struct cu_item *item)
{
    if (item->type == CU_ITEM_HARDLINK) c->first[c->first_n++].path = item->target;
}

static void note_bytes(struct comparing *c, const struct cu_item *item)
{
    struct first_name key = { .path = item->path }, *end = c->first + c->first_n,
                      *at = bsearch(&key, c->first, c->first_n, sizeof *c->first, compare_first);

    while (at && at > c->first && compare_first(at - 1, &key) == 0) at--;
    for (; at && at < end && compare_first(at, &key) == 0; at++) at->size = item->size, at->root = item->root;
}

/* Three passes: how many there are; their targets, sorted; the bytes of each target. */
static cu_status learn_links(struct comparing *c, struct cu_span manifest, struct cu_err *err)
{
    TRY(each_row(c, manifest, count_link, err));
    if (c->first_n == 0) return CU_OK;
    c->first = calloc(c->first_n, sizeof *c->first);
    ENSURE(c->first, err, CU_NO_MEMORY, "no memory for the hard links of a folder");
    c->first_n = 0;
    TRY(each_row(c, manifest, note_target, err));
    qsort(c->first, c->first_n, sizeof *c->first, compare_first);
    return each_row(c, manifest, note_bytes, err);
}

/* Size and root that the row, or the row that it is a link to, has. */
static void due_bytes(const struct comparing *c, uint64_t *ret_size, cu_hash *ret_root)
{
    struct first_name key = { .path = c->item.target }, *at = NULL;

    *ret_size = c->item.size;
    *ret_root = c->item.root;
    if (c->item.type == CU_ITEM_HARDLINK) at = bsearch(&key, c->first, c->first_n, sizeof *c->first, compare_first);
    if (at) *ret_size = at->size, *ret_root = at->root;
}

/* ---- one item ---- */

static cu_status compare_file(struct comparing *c, const struct cu_walk_item *w, struct cu_err *err)
{
    CU_CLEANUP(cu_source_close) struct cu_source_file *f = NULL;
    struct cu_sums sums;
    char text[120];
    uint64_t size;
    cu_hash root;

    due_bytes(c, &size, &root);
    if (w->stat.size != size) {
        snprintf(text, sizeof text, "it has %llu bytes; %llu were deposited", (unsigned long long)w->stat.size,
                 (unsigned long long)size);
        report(c, "altered", w->path, text);
        return CU_OK;
    }
    TRY(c->in.source->ops->open(c->in.source->self, w->full, &f, err));
    TRY(cu_intake_stream(&c->in, CU_SPAN_EMPTY, f, &size, err));
    TRY(cu_put_large_take(c->in.put, &sums, err));
    TRY(cu_intake_unchanged(&c->in, f, w->full, false, &w->stat, sums.size, err));
    if (!cu_hash_eq(&sums.root, &root)) report(c, "altered", w->path, "its bytes are not those that were deposited");
    return CU_OK;
}

static cu_status compare_symlink(struct comparing *c, const struct cu_walk_item *w, struct cu_err *err)
{
    CU_BUF target = cu_buf_heap(CU_PATH_MAX_BYTES);

    TRY(c->in.source->ops->read_link(c->in.source->self, w->full, &target, err));
    if (!cu_span_eq(cu_buf_span(&target), c->item.target)) report(c, "altered", w->path, "the link points elsewhere");
    return CU_OK;
}

static bool same_type(uint64_t type, enum cu_source_kind kind)
{
    static const enum cu_source_kind kinds[] = {
        [CU_ITEM_FILE] = CU_SOURCE_FILE,       [CU_ITEM_HARDLINK] = CU_SOURCE_FILE, [CU_ITEM_DIRECTORY] = CU_SOURCE_FOLDER,
        [CU_ITEM_SYMLINK] = CU_SOURCE_SYMLINK, [CU_ITEM_OTHER] = CU_SOURCE_OTHER,
    };
    return kinds[type] == kind || (type == CU_ITEM_OTHER && kind == CU_SOURCE_BLOCK_DEVICE);
}

static void compare_metadata(struct comparing *c, const struct cu_walk_item *w)
{
    bool mode = c->item.mode != (w->stat.mode & 07777),
         time = c->item.mtime_s != w->stat.mtime_s || c->item.mtime_ns != w->stat.mtime_ns;

    if (w->stat.kind == CU_SOURCE_SYMLINK) mode = false; /* copies do not keep what no one can set */
    if (mode || time)
        report(c, "metadata", w->path,
               mode && time ? "permissions and time of change differ"
               : mode       ? "permissions differ"
                            : "the time of change differs");
}

static cu_status compare_item(struct comparing *c, const struct cu_walk_item *w, struct cu_err *err)
{
    if (!same_type(c->item.type, w->stat.kind)) {
        report(c, "altered", w->path, "it is of another type: file, folder, link or device");
        return CU_OK;
    }
    if (w->stat.kind == CU_SOURCE_FILE) TRY(compare_file(c, w, err));
    if (w->stat.kind == CU_SOURCE_SYMLINK) TRY(compare_symlink(c, w, err));
    compare_metadata(c, w);
    return CU_OK;
}

/* Rows before this path are of items that are no more; then the row is this one's, or the item is new. */
static cu_status visit(void *arg, const struct cu_walk_item *w, struct cu_err *err)
{
    struct comparing *c = arg;

    while (c->more && cu_path_cmp(c->item.path, w->path) < 0) {
        report(c, "missing", c->item.path, "it was deposited and is not there");
        TRY(next_row(c, err));
    }
    if (!c->more || cu_path_cmp(c->item.path, w->path) != 0) {
        report(c, "added", w->path, "it was not deposited");
        return CU_OK;
    }
    TRY(compare_item(c, w, err));
    return next_row(c, err);
}

cu_status cu_compare_folder(struct cu_span manifest, const struct cu_source *source, const char *path,
                            const struct cu_progress *progress, void (*found)(void *arg, const struct cu_folder_difference *d),
                            void *arg, uint64_t *ret_bad, struct cu_err *err)
{
    CU_CLEANUP(comparing_free)
    struct comparing c = { .in = { .source = source, .progress = progress, .roots_only = true }, .found = found, .arg = arg };

    TRY(cu_put_begin(NULL, 0, &c.in.put, err));
    TRY(learn_links(&c, manifest, err));
    TRY(cu_manifest_open(manifest, &c.manifest, err));
    c.in.bytes_total = c.manifest.header.bytes;
    TRY(next_row(&c, err));
    TRY(cu_walk(source, path, visit, &c, err));
    while (c.more) {
        report(&c, "missing", c.item.path, "it was deposited and is not there");
        TRY(next_row(&c, err));
    }
    *ret_bad = c.bad;
    return CU_OK;
}

/* ---- one item of a folder ---- */

/* Is `path` the name itself, or does it end with '/' and the name (or the name with '/' and it)? */
static bool ends_alike(struct cu_span path, struct cu_span name)
{
    struct cu_span lng = path.n >= name.n ? path : name, sht = path.n >= name.n ? name : path;
    size_t at = lng.n - sht.n;

    if (sht.n == 0 || memcmp(lng.p + at, sht.p, sht.n) != 0) return false;
    return at == 0 || lng.p[at - 1] == '/';
}

cu_status cu_find_item(struct cu_span manifest, struct cu_span name, uint64_t size, const cu_hash *root, struct cu_item *ret,
                       uint64_t *ret_row, struct cu_err *err)
{
    struct cu_manifest m;
    struct cu_item item, found = { 0 };
    uint64_t found_row = 0;
    unsigned rank = 0; /* 0 nothing, 1 the name alone, 2 the bytes alone, 3 both */
    bool more = true;

    TRY(cu_manifest_open(manifest, &m, err));
    for (uint64_t row = 0;; row++) {
        TRY(cu_manifest_next(&m, &item, &more, err));
        if (!more) break;
        bool bytes = item.has_root && item.size == size && cu_hash_eq(&item.root, root);
        unsigned now = (unsigned)bytes * 2 + (item.has_root && ends_alike(item.path, name));
        if (now > rank) rank = now, found = item, found_row = row;
    }
    ENSURE(rank != 1, err, CU_BAD_HASH, "the folder's item %.*s was deposited with other bytes",
           (int)(found.path.n < 400 ? found.path.n : 400), (const char *)found.path.p);
    ENSURE(rank > 1, err, CU_NOT_FOUND, "no item of the folder has these bytes");
    *ret = found;
    *ret_row = found_row;
    return CU_OK;
}
