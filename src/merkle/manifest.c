/* The manifest: header and rows as tables, the rules of one row, the rules between rows.
 *
 * 1. Paths ascend in tree order: bytewise, with '/' before every other byte. So a directory's content follows it directly,
 *    a depth-first walk over sorted names writes it, and rule 2 needs no memory but the row before (decision 025).
 * 2. The parent of an item is a directory with a row of its own: it is the row before, or a folder that the row before lies in.
 * 3. A hard link names an earlier path. That this is a file's row is for whoever unpacks: the walk remembers one row.
 */
#include "custody/content.h"

enum { MODE_MAX = 07777, NS_MAX = 999999999 };

#define DIGEST(key, member)                                                                          \
    CU_FIELD_ROW(key, #member, CU_FIELD_FIXED, offsetof(struct cu_item, member), 32, 32, NULL, NULL, \
                 CU_OPTIONAL(struct cu_item, has_##member))

static const struct cu_field item_fields[] = {
    CU_BYTES(1, struct cu_item, path, 1, CU_PATH_MAX_BYTES),
    CU_UINT(2, struct cu_item, type, CU_ITEM_FILE, CU_ITEM_OTHER),
    CU_UINT(3, struct cu_item, size, 0, INT64_MAX),
    DIGEST(4, root),
    DIGEST(5, sha256),
    CU_BYTES(6, struct cu_item, target, 1, CU_PATH_MAX_BYTES, CU_OPTIONAL(struct cu_item, has_target)),
    CU_UINT(7, struct cu_item, mode, 0, MODE_MAX),
    CU_UINT(8, struct cu_item, mtime_s, 0, UINT64_MAX),
    CU_UINT(9, struct cu_item, mtime_ns, 0, NS_MAX),
};
const struct cu_schema cu_item_schema = CU_SCHEMA_OF("manifest row", item_fields, struct cu_item);

static const struct cu_field header_fields[] = {
    CU_CONST(1, "application/custody-manifest+cbor"),
    CU_UINT(2, struct cu_manifest_header, items, 0, CU_ITEMS_MAX),
    CU_UINT(3, struct cu_manifest_header, bytes, 0, INT64_MAX),
};
const struct cu_schema cu_manifest_header_schema = CU_SCHEMA_OF("manifest header", header_fields, struct cu_manifest_header);

/* ---- paths -------------------------------------------------------------------------------------------------------- */

static struct cu_span first_component(struct cu_span path)
{
    const uint8_t *slash = path.n > 0 ? memchr(path.p, '/', path.n) : NULL;

    return slash != NULL ? cu_span(path.p, (size_t)(slash - path.p)) : path;
}

static bool has_nul(struct cu_span text) { return text.n > 0 && memchr(text.p, '\0', text.n) != NULL; }

static bool component_ok(struct cu_span name) { return name.n > 0 && !cu_span_is(name, ".") && !cu_span_is(name, ".."); }

cu_status cu_path_check(struct cu_span path, struct cu_err *err)
{
    unsigned depth = 0;

    ENSURE(path.n >= 1 && path.n <= CU_PATH_MAX_BYTES, err, CU_MALFORMED, "path: %zu bytes", path.n);
    ENSURE(!has_nul(path), err, CU_MALFORMED, "path: a NUL byte");
    for (struct cu_span rest = path;;) {
        struct cu_span name = first_component(rest);

        ENSURE(component_ok(name), err, CU_MALFORMED, "path: an empty, \".\" or \"..\" component");
        ENSURE(++depth <= CU_PATH_DEPTH_MAX, err, CU_MALFORMED, "path: more than %d levels", CU_PATH_DEPTH_MAX);
        if (name.n == rest.n) return CU_OK;
        rest = cu_span(rest.p + name.n + 1, rest.n - name.n - 1);
    }
}

int cu_path_cmp(struct cu_span a, struct cu_span b)
{
    size_t n = a.n < b.n ? a.n : b.n, i = 0;

    while (i < n && a.p[i] == b.p[i]) i++;
    if (i == n) return (a.n > b.n) - (a.n < b.n);
    if (a.p[i] == '/' || b.p[i] == '/') return a.p[i] == '/' ? -1 : 1;
    return a.p[i] < b.p[i] ? -1 : 1;
}

static struct cu_span parent_of(struct cu_span path)
{
    while (path.n > 0 && path.p[path.n - 1] != '/') path.n--;
    return path.n > 0 ? cu_span(path.p, path.n - 1) : path;
}

static bool lies_in(struct cu_span path, struct cu_span folder)
{
    return path.n > folder.n && path.p[folder.n] == '/' && cu_span_starts(path, folder);
}

/* ---- one row ------------------------------------------------------------------------------------------------------ */

/* The empty tree's root is SHA-256(""), as is the flat digest of no bytes. */
static bool digests_fit(const struct cu_item *item)
{
    cu_hash empty = cu_empty_root();

    return cu_hash_eq(&item->root, &empty) == (item->size == 0) && cu_hash_eq(&item->sha256, &empty) == (item->size == 0);
}

static cu_status check_item(const struct cu_item *item, struct cu_err *err)
{
    bool file = item->type == CU_ITEM_FILE, link = item->type == CU_ITEM_HARDLINK;

    TRY(cu_path_check(item->path, err));
    ENSURE(item->has_root == file && item->has_sha256 == file, err, CU_MALFORMED,
           "manifest row: a file has both digests, nothing else has one");
    ENSURE(file ? digests_fit(item) : item->size == 0, err, CU_MALFORMED,
           "manifest row: the size does not fit the type or the digests");
    ENSURE(item->has_target == (link || item->type == CU_ITEM_SYMLINK), err, CU_MALFORMED,
           "manifest row: a link has a target, nothing else has one");
    if (!item->has_target) return CU_OK;

    ENSURE(!has_nul(item->target), err, CU_MALFORMED, "manifest row: a NUL byte in the target");
    if (!link) return CU_OK;
    TRY(cu_path_check(item->target, err));
    ENSURE(cu_path_cmp(item->target, item->path) < 0, err, CU_MALFORMED,
           "manifest row: a hard link to what does not stand before it");
    return CU_OK;
}

cu_status cu_item_write(const struct cu_item *item, struct cu_buf *out, struct cu_err *err)
{
    TRY(check_item(item, err));
    return cu_schema_write(&cu_item_schema, item, out, err);
}

cu_status cu_item_read(struct cu_span row, struct cu_item *ret, struct cu_err *err)
{
    struct cu_item item;

    ENSURE(row.n <= CU_MANIFEST_ROW_MAX, err, CU_MALFORMED, "manifest row: %zu bytes", row.n);
    TRY(cu_schema_read(&cu_item_schema, row, &item, err));
    TRY(check_item(&item, err));
    *ret = item;
    return CU_OK;
}

bool cu_item_follows(const struct cu_item *item, const struct cu_item *before)
{
    struct cu_span parent = parent_of(item->path);

    if (before == NULL) return parent.n == 0;
    if (cu_path_cmp(before->path, item->path) >= 0) return false;
    if (parent.n == 0 || lies_in(before->path, parent)) return true;
    return before->type == CU_ITEM_DIRECTORY && cu_span_eq(before->path, parent);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

void cu_manifest_header_put(uint64_t items, uint64_t bytes, struct cu_buf *out)
{
    struct cu_manifest_header header = { .items = items, .bytes = bytes };
    cu_status status = cu_schema_write(&cu_manifest_header_schema, &header, out, NULL);

    CU_ASSERT(status == CU_OK || cu_buf_ok(out, NULL) != CU_OK); /* a full buffer is seen by whoever reads it */
}

cu_status cu_manifest_open(struct cu_span bytes, struct cu_manifest *ret, struct cu_err *err)
{
    struct cu_manifest m = { .in = cu_cbor_read(bytes) };
    struct cu_span header = cu_cbor_item(&m.in);

    if (!cu_cbor_good(&m.in)) return cu_cbor_done(&m.in, "manifest header", err);
    TRY(cu_schema_read(&cu_manifest_header_schema, header, &m.header, err));
    *ret = m;
    return CU_OK;
}

static cu_status close_manifest(const struct cu_manifest *m, struct cu_err *err)
{
    TRY(cu_cbor_done(&m->in, "manifest", err));
    ENSURE(m->bytes == m->header.bytes, err, CU_MALFORMED, "manifest: its files have %llu bytes, the header says %llu",
           LLU(m->bytes), LLU(m->header.bytes));
    return CU_OK;
}

cu_status cu_manifest_next(struct cu_manifest *m, struct cu_item *ret, bool *ret_more, struct cu_err *err)
{
    struct cu_item item;
    cu_hash leaf;

    if (m->at == m->header.items) return *ret_more = false, close_manifest(m, err);

    struct cu_span row = cu_cbor_item(&m->in);
    if (!cu_cbor_good(&m->in)) return cu_cbor_done(&m->in, "manifest", err);
    TRY(cu_item_read(row, &item, err));
    ENSURE(cu_item_follows(&item, m->at > 0 ? &m->last : NULL), err, CU_MALFORMED,
           "manifest: row %llu is out of order, or its folder has no row", LLU(m->at));
    ENSURE(item.size <= m->header.bytes - m->bytes, err, CU_MALFORMED,
           "manifest: its files have more bytes than the header says");

    leaf = cu_leaf_hash(row);
    cu_frontier_append(&m->rows, &leaf);
    m->at++;
    m->bytes += item.size;
    m->last = item;
    m->row = row;
    *ret = item;
    *ret_more = true;
    return CU_OK;
}

cu_hash cu_manifest_root(const struct cu_manifest *m) { return cu_frontier_root(&m->rows); }

cu_status cu_manifest_find(struct cu_span manifest, struct cu_span path, struct cu_item *ret, uint64_t *ret_row,
                           struct cu_err *err)
{
    struct cu_manifest m = { .at = 0 };
    struct cu_item item = { .size = 0 };
    bool more = true;
    int way = -1;

    TRY(cu_manifest_open(manifest, &m, err));
    while (way < 0) {
        TRY(cu_manifest_next(&m, &item, &more, err));
        way = more ? cu_path_cmp(item.path, path) : 1;
    }
    ENSURE(way == 0, err, CU_NOT_FOUND, "the folder has no item of this path");
    *ret = item;
    *ret_row = m.at;
    return CU_OK;
}
