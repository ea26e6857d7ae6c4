/* See objects.h. */
#include "http/objects.h"

#include "custody/text.h"

#include <stdio.h>

cu_status cu_object_piece(struct cu_objects *store, struct cu_http_answer *a, uint64_t at, bool judged, struct cu_buf *ret,
                          struct cu_err *err)
{
    const uint64_t end = at - at % CU_CHUNK_BYTES + CU_CHUNK_BYTES;
    struct cu_object o;

    TRY(cu_objects_find(store, CU_OBJECT_CONTENT, &a->root, &o, err));
    if (!ret->p && !o.packed) *ret = cu_buf_pages(CU_CHUNK_BYTES);
    return cu_object_chunk(&o, at, end < a->to ? end : a->to, judged, ret, err);
}

cu_status cu_object_answer(struct cu_objects *store, const cu_hash *root, struct cu_http_request *q, struct cu_http_answer *a,
                           cu_status (*piece)(void *context, struct cu_http_answer *a, uint64_t at, struct cu_buf *ret,
                                              struct cu_err *err),
                           void *context, struct cu_err *err)
{
    struct cu_object o;
    char hex[65], etag[72];

    TRY(cu_objects_find(store, CU_OBJECT_CONTENT, root, &o, err));
    cu_hash_hex(root, hex);
    snprintf(etag, sizeof etag, "\"%s\"", hex);
    a->root = *root;
    a->cache = CU_HTTP_BRIEFLY;
    if (!cu_http_part(q, a, etag, o.size) || o.size == 0) return CU_OK;
    a->piece = piece;
    return q->head ? CU_OK : piece(context, a, a->from, &a->body, err);
}

static cu_status add_chunk(void *arg, const cu_hash *leaves, size_t n, struct cu_err *err)
{
    const cu_hash root = cu_tree_root(leaves, n);

    cu_buf_add(arg, cu_span_hash(&root));
    return cu_buf_ok(arg, err);
}

cu_status cu_object_chunks(struct cu_objects *store, const cu_hash *root, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_object o;

    TRY(cu_objects_find(store, CU_OBJECT_CONTENT, root, &o, err));
    return o.size ? cu_object_leaves(&o, add_chunk, ret, err) : CU_OK;
}
