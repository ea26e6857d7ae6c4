/* The tree over one object's bytes: 4 KiB leaves (the last may be short; an empty object is the empty tree), and the
 * manifest that makes a folder one object whose every item is provable alone. Pure: the verifier needs both. */
#ifndef CUSTODY_CONTENT_H
#define CUSTODY_CONTENT_H

#include "custody/schema.h"
#include "custody/tree.h"

/** Root of bytes that arrive in pieces of any length. Bytes of whole leaves are hashed where they lie, nothing is copied but
 *  a leaf's rest. */
struct cu_content {
    struct cu_frontier frontier;
    uint64_t size;
    size_t rest_n;
    uint8_t rest[CU_LEAF_BYTES];
};
void cu_content_start(struct cu_content *c);
void cu_content_add(struct cu_content *c, struct cu_span bytes);
cu_hash cu_content_root(const struct cu_content *c); /* may be asked at any time */
cu_hash cu_content_root_of(struct cu_span bytes);
/** Leaf hashes of up to one chunk: n = ⌈bytes/4096⌉ ≤ 256 hashes into `ret` (one level-0 tile). */
size_t cu_content_leaves(struct cu_span chunk, cu_hash *ret);
/** The same, and the whole's own SHA-256 goes on in the same pass; with the last chunk, which alone may have a leaf that is not full, it
 *  is in *ret_whole. */
size_t cu_content_leaves_beside(struct cu_sha256_flow *whole, struct cu_span chunk, bool last, cu_hash *ret, cu_hash *ret_whole);
uint64_t cu_content_leaf_count(uint64_t size);
uint64_t cu_content_chunk_count(uint64_t size);
/** Do the roots of its chunks, as many as it has, lead to the root of the whole? */
bool cu_content_chunks_lead(const cu_hash *chunk, uint64_t size, const cu_hash *root);

/* ---- the manifest of a folder -------------------------------------------------------------------------------------
 *
 * A CBOR sequence (RFC 8742): one header map, then one row map an item, in strictly ascending tree order of paths (bytewise,
 * but '/' before every other byte: the order of a depth-first walk over sorted names), no repeats. Paths are relative, '/'
 * between components, any byte but NUL otherwise, no empty, "." or ".." component. Every folder has a row of its own, which
 * stands before what is in it. The items' root is the RFC 6962 root over the rows' encodings, so (row, path) proves one item;
 * it stands in the claim beside the root of the manifest's own bytes.
 */
enum cu_item_type { CU_ITEM_FILE = 1, CU_ITEM_DIRECTORY = 2, CU_ITEM_SYMLINK = 3, CU_ITEM_HARDLINK = 4, CU_ITEM_OTHER = 5 };

struct cu_item {
    struct cu_span path;         /* 1..CU_PATH_MAX_BYTES bytes */
    uint64_t type;               /* enum cu_item_type; OTHER: a socket, pipe or device, recorded by name only */
    uint64_t size;               /* bytes of a file; 0 otherwise */
    cu_hash root;                /* of a file's bytes; files have it, nothing else has */
    bool has_root;
    cu_hash sha256;              /* flat SHA-256 of a file's bytes; likewise */
    bool has_sha256;
    struct cu_span target;       /* symlink: where it points; hard link: the first path of the same file */
    bool has_target;
    uint64_t mode;               /* permission bits, 12 of them */
    uint64_t mtime_s;            /* seconds since 1970; times before are 2^64 - n (two's complement) */
    uint64_t mtime_ns;           /* 0..999,999,999 */
};
extern const struct cu_schema cu_item_schema;

struct cu_manifest_header {
    uint64_t items;
    uint64_t bytes; /* sum of the sizes of its files */
};
extern const struct cu_schema cu_manifest_header_schema;

void cu_manifest_header_put(uint64_t items, uint64_t bytes, struct cu_buf *out);
/** Append one row; MALFORMED when an item breaks the rules of a single row. Order is the walk's duty (cu_item_follows). */
CU_MUST_USE cu_status cu_item_write(const struct cu_item *item, struct cu_buf *out, struct cu_err *err);
CU_MUST_USE cu_status cu_item_read(struct cu_span row, struct cu_item *ret, struct cu_err *err);
/** May `item` stand directly after `before` (NULL: as the first row)? Order, and the folder's row. */
bool cu_item_follows(const struct cu_item *item, const struct cu_item *before);

/** Walk a whole manifest that lies in memory (or is mapped): checks header, order, counts and row rules, and sums up the items'
 *  root. */
struct cu_manifest {
    struct cu_cbor_reader in;
    struct cu_manifest_header header;
    struct cu_frontier rows;
    uint64_t at, bytes;  /* rows given so far, bytes of the files among them */
    struct cu_item last; /* the row last given */
    struct cu_span row;  /* its encoding */
};
CU_MUST_USE cu_status cu_manifest_open(struct cu_span bytes, struct cu_manifest *ret, struct cu_err *err);
/** OK with *ret_more false at the end, where counts and sums have been compared with the header. */
CU_MUST_USE cu_status cu_manifest_next(struct cu_manifest *m, struct cu_item *ret, bool *ret_more, struct cu_err *err);
cu_hash cu_manifest_root(const struct cu_manifest *m); /* the items' root, after the end */
/** The row of this path, and its number, the first being 1. NOT_FOUND. Rows behind it are not looked at. */
CU_MUST_USE cu_status cu_manifest_find(struct cu_span manifest, struct cu_span path, struct cu_item *ret, uint64_t *ret_row, struct cu_err *err);
CU_MUST_USE cu_status cu_path_check(struct cu_span path, struct cu_err *err);
/** Tree order: <0, 0, >0. */
int cu_path_cmp(struct cu_span a, struct cu_span b);

#endif
