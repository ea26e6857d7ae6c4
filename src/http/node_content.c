/* Evidence out of the node, whole or in part: every byte verified before it is sent, and who read it is noted before the first. */
#include "http/node_inside.h"
#include "http/objects.h"

#include "custody/text.h"

#include <stdio.h>

#define NAME_NOTED 160 /* bytes of it, for what comes behind */
#define REFUSED ", refused"
#define NOTED_FOR_MS 60000 /* a player asks for a film in a hundred parts: that is one reading */

/* ---- who reads ---- */

static cu_status words_of(const struct cu_http_request *q, const char *name, struct cu_buf *mem, struct cu_span *ret,
                          struct cu_err *err)
{
    const size_t at = mem->n;
    bool there;

    TRY(cu_http_query(q, name, mem, &there, err));
    ENSURE(mem->n - at <= 1000, err, CU_TOO_LARGE, "?%s= may have 1,000 bytes", name);
    *ret = cu_span(mem->p + at, mem->n - at);
    return CU_OK;
}

static bool noted_lately(struct cu_node *node, const struct cu_access_row *row)
{
    const struct cu_span parts[] = { cu_span_hash(&row->id), row->who, row->reason, row->authority };
    const cu_hash what = cu_sha256_parts(parts, 4);
    const size_t slot = what.b[0] % (sizeof node->noted / sizeof *node->noted);

    pthread_mutex_lock(&node->lock);
    const bool lately = cu_hash_eq(&node->noted[slot].what, &what) && row->time - node->noted[slot].at < NOTED_FOR_MS;
    if (!lately) node->noted[slot].what = what, node->noted[slot].at = row->time;
    pthread_mutex_unlock(&node->lock);
    return lately;
}

/* Where nothing can be written evidence stays readable, and a figure says that it was read unrecorded. */
cu_status cu_reader_note(struct cu_reader *r, const struct cu_http_request *q, const cu_hash *id, bool refused,
                         struct cu_err *err)
{
    uint8_t memory[CU_TARGET_MAX];
    struct cu_buf mem = cu_buf_over(memory, sizeof memory);
    CU_BUF who = cu_buf_heap(CU_DETAILS_MAX);
    struct cu_access_row row = { .time = cu_place_now(&r->place).v };

    TRY(words_of(q, "reason", &mem, &row.reason, err));
    TRY(words_of(q, "authority", &mem, &row.authority, err));
    if (!id) return CU_OK;
    row.id = *id;
    cu_node_name(r->node, q->peer.party, &who);
    who.n = cu_text_whole(cu_buf_span(&who), NAME_NOTED);
    cu_buf_addf(&who, "%s at %s%s", who.n ? "" : "somebody", q->from, refused ? REFUSED : "");
    row.who = cu_buf_span(&who);
    if (noted_lately(r->node, &row)) return CU_OK;
    if (cu_reads_note(r->node->reads, &row, NULL) != CU_OK) r->node->unrecorded++;
    return CU_OK;
}

/* ---- the bytes ---- */

static cu_status begin_anew(void *arg, struct cu_err *err)
{
    (void)err;
    cu_buf_clear(arg);
    return CU_OK;
}

/* The chunk that `at` lies in, from there on. */
static cu_status piece(void *context, struct cu_http_answer *a, uint64_t at, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_reader *r = context;
    uint64_t end = at - at % CU_CHUNK_BYTES + CU_CHUNK_BYTES;
    bool damaged = false;

    if (end > a->to) end = a->to;
    const struct cu_fetch_range part = { at, end };
    const cu_status got = cu_fetch_object(&r->place, &a->root, a->size, &part, cu_buf_take, begin_anew, ret, &damaged, err);
    r->node->damaged += damaged;
    return got;
}

/* By its path, or (path NULL) by its root. */
static cu_status find_item(struct cu_place *p, struct cu_fetch *f, const struct cu_span *path, const cu_hash *root,
                           cu_hash *ret_root, uint64_t *ret_size, struct cu_err *err)
{
    struct cu_manifest m;
    struct cu_item item;
    bool more = true;

    ENSURE(f->claim.has_folder, err, CU_USAGE, "?path= and ?root= are for a folder's files, and this is one item");
    ENSURE(f->claim.size <= CU_HTTP_ANSWER_MAX, err, CU_TOO_LARGE,
           "the folder's manifest is too large to be looked through here: fetch it (without ?path=), or ask by `custody get`");
    f->manifest = cu_buf_heap(f->claim.size + 1);
    TRY(cu_place_manifest(p, f->found.row.seq, &f->claim, &f->manifest, err));
    TRY(cu_manifest_open(cu_buf_span(&f->manifest), &m, err));
    while (more) {
        TRY(cu_manifest_next(&m, &item, &more, err));
        if (!more || !item.has_root || (path ? !cu_span_eq(item.path, *path) : !cu_hash_eq(&item.root, root))) continue;
        *ret_root = item.root;
        *ret_size = item.size;
        return CU_OK;
    }
    return cu_fail(err, CU_NOT_FOUND, "the folder has no such file: its content without ?path= is its manifest");
}

/* The deposit, or what ?path= or ?root= names of it. */
static cu_status find_object(struct cu_reader *r, const struct cu_http_request *q, struct cu_fetch *f, cu_hash *ret_root,
                             uint64_t *ret_size, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_TARGET_MAX);
    cu_hash root = { { 0 } };
    bool there;

    TRY(cu_reader_begin(r, q, err));
    TRY(cu_reader_find(r, q, &f->found, err));
    TRY(cu_fetch_found(&r->place, f, err));
    *ret_root = f->claim.root;
    *ret_size = f->claim.size;
    TRY(cu_http_query(q, "path", &text, &there, err));
    const struct cu_span path = cu_buf_span(&text);
    if (there) return find_item(&r->place, f, &path, &root, ret_root, ret_size, err);
    TRY(cu_http_query(q, "root", &text, &there, err));
    if (!there) return CU_OK;
    ENSURE(cu_hex_read(cu_buf_span(&text), root.b, sizeof root.b, NULL) == CU_OK, err, CU_USAGE, "?root= is 64 hex digits");
    return cu_hash_eq(&root, ret_root) ? CU_OK : find_item(&r->place, f, NULL, &root, ret_root, ret_size, err);
}

cu_status cu_get_content(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    CU_CLEANUP(cu_fetch_free) struct cu_fetch f = { 0 };
    char hex[65], etag[72];
    uint64_t size;

    TRY(find_object(r, q, &f, &a->root, &size, err));
    cu_hash_hex(&a->root, hex);
    snprintf(etag, sizeof etag, "\"%s\"", hex);
    a->cache = CU_HTTP_BRIEFLY;
    if (!cu_http_part(q, a, etag, size) || size == 0) return CU_OK;
    a->piece = piece;
    if (q->head) return CU_OK; /* nobody gets them */
    TRY(cu_reader_note(r, q, &f.found.row.id, false, err));
    return piece(r, a, a->from, &a->body, err);
}

/* ---- what a range is proven by ---- */
/* 32 bytes a MiB. From the node's copy when the provider's is damaged. */
cu_status cu_get_chunks(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_reader *r = context;
    CU_CLEANUP(cu_fetch_free) struct cu_fetch f = { 0 };
    cu_status found = CU_NOT_FOUND;
    uint64_t size;
    cu_hash root;

    TRY(find_object(r, q, &f, &root, &size, err));
    if (r->place.engine && size <= CU_CONTENT_INLINE_MAX) TRY(r->place.engine->drain(r->place.engine->self, err));
    for (unsigned i = 0; i < CU_STORES && found != CU_OK; i++) {
        cu_buf_clear(&a->body);
        found = cu_object_chunks(r->place.store[i], &root, &a->body, err);
    }
    a->cache = CU_HTTP_BRIEFLY;
    return found;
}
