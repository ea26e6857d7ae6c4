/* Packs: small objects one after another in one file, and the index beside it. docs/formats/objects.md has the bytes.
 *
 * (1) A pack is read without its index: each object stands behind four bytes that say its kind and size, and its name follows
 *     from its bytes. So the index of a pack is a function of the pack, and a lost one is made again.
 * (2) An index has one encoding: rows ascend strictly, header and checksum fit. Whether it fits the pack the pack says.
 */
#ifndef CU_CONTENT_PACK_H
#define CU_CONTENT_PACK_H

#include "content/objects.h"

#define CU_PACK_TYPE "custody/pack/v1\n"
#define CU_PACK_INDEX_TYPE "custody/pack-index/v1\n"
enum {
    CU_PACK_HEAD = 16,
    CU_FRAME_HEAD = 4,          /* kind, then the size in three bytes */
    CU_SMALL_MAX = CU_CHUNK_BYTES - 1,
    CU_PACK_ROWS_MAX = 65536,
    CU_PACK_ROW_BYTES = 41,
    CU_PACK_INDEX_HEAD = 62,
    CU_PACK_INDEX_MAX = CU_PACK_INDEX_HEAD + CU_PACK_ROWS_MAX * CU_PACK_ROW_BYTES + 32,
};

/** `about`: what whoever reads the pack wants to keep of the bytes; no part of any file. */
struct cu_pack_row { enum cu_object_kind kind; cu_hash name; uint32_t offset, size; uint64_t about; };

/** What an object is called: the root of its content tree, or (details) the SHA-256 of its bytes. */
cu_hash cu_object_name(enum cu_object_kind kind, struct cu_span bytes);

void cu_frame_put(uint8_t ret[CU_FRAME_HEAD], enum cu_object_kind kind, size_t size);
/** MALFORMED: no known kind, or a size of 1 MiB or more. */
CU_MUST_USE cu_status cu_frame_read(const uint8_t head[CU_FRAME_HEAD], enum cu_object_kind *ret_kind, uint32_t *ret_size,
                                    struct cu_err *err);

struct cu_pack_index { cu_hash pack; uint32_t pack_size, n; struct cu_span rows; };
/** Sorts the rows where they lie and appends the index of the pack. */
CU_MUST_USE cu_status cu_pack_index_write(const cu_hash *pack, uint64_t pack_size, struct cu_pack_row *rows, size_t n,
                                          struct cu_buf *out, struct cu_err *err);
/** MALFORMED, NEWER_FORMAT. `ret` points into `bytes`. */
CU_MUST_USE cu_status cu_pack_index_read(struct cu_span bytes, struct cu_pack_index *ret, struct cu_err *err);
struct cu_pack_row cu_pack_index_row(const struct cu_pack_index *index, uint32_t i);
/** Is it the one that follows from these rows, as they came out of the pack of that size, and so byte for byte? */
bool cu_pack_index_is_of(const struct cu_pack_index *index, uint64_t pack_size, const struct cu_pack_row *rows, size_t n);

/** A pack's bytes in, in order and in pieces of any length; each object out. Objects that lie whole in a piece are not copied. */
struct cu_unpack {
    void *arg;
    cu_status (*each)(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err);
    uint64_t at;           /* offset of the next byte */
    uint32_t rows;
    struct cu_pack_row row; /* the one that is being gathered; its name is not set */
    struct cu_buf part;    /* its bytes so far, or those of a head */
    bool in_object;
};
void cu_unpack_start(struct cu_unpack *u,
                     cu_status (*each)(void *arg, const struct cu_pack_row *row, struct cu_span bytes, struct cu_err *err),
                     void *arg);
CU_MUST_USE cu_status cu_unpack_add(struct cu_unpack *u, struct cu_span bytes, struct cu_err *err);
CU_MUST_USE cu_status cu_unpack_end(const struct cu_unpack *u, struct cu_err *err); /* the pack ends between two objects */
void cu_unpack_free(struct cu_unpack *u);

#endif
