/* Reading a ledger from afar: nothing that came is handed on before it has been met by what was signed. */
#include "service/place.h"

#include <stdlib.h>

#define SEEN CU_DIR_NODE_STATE "/seen"
#define TRIES 4
#define FOLLOW_WAIT_MS 60000

/* ---- content ---- */
struct arriving {
    struct cu_fetch_range want;
    uint64_t size, at, end; /* `at`: where the chunk begins that is coming; `end`: of the last one that was asked for */
    const cu_hash *chunk;   /* roots */
    struct cu_buf piece;
    cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err);
    void *arg;
};

static uint64_t chunk_end(const struct arriving *a, uint64_t at)
{
    const uint64_t end = at - at % CU_CHUNK_BYTES + CU_CHUNK_BYTES;

    return end < a->size ? end : a->size;
}

/* What of a whole chunk was asked for. */
static cu_status hand_on(struct arriving *a, struct cu_err *err)
{
    const uint64_t end = a->at + a->piece.n, from = a->want.from > a->at ? a->want.from : a->at,
                   to = a->want.to < end ? a->want.to : end;
    const cu_hash root = cu_content_root_of(cu_buf_span(&a->piece));

    ENSURE(cu_hash_eq(&root, &a->chunk[a->at / CU_CHUNK_BYTES]), err, CU_BAD_HASH,
           "what the node sent for offset %llu is not what was signed: nothing of it was used", LLU(a->at));
    const struct cu_span bytes = cu_span(a->piece.p + (from - a->at), (size_t)(to - from));
    TRY(a->feed(a->arg, bytes, err));
    a->at = end;
    cu_buf_clear(&a->piece);
    return CU_OK;
}

static cu_status take(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct arriving *a = arg;

    while (bytes.n) {
        const uint64_t room = chunk_end(a, a->at) - a->at - a->piece.n;
        const size_t n = bytes.n < room ? bytes.n : (size_t)room;
        ENSURE(room > 0 && a->at < a->end, err, CU_BAD_HASH, "the node sent more than was asked for: it was not used");
        cu_buf_add(&a->piece, cu_span(bytes.p, n));
        TRY(cu_buf_ok(&a->piece, err));
        bytes = cu_span_from(bytes, n);
        if (n == room) TRY(hand_on(a, err));
    }
    return CU_OK;
}

/* The roots of the whole chunks, and of the last one, lead to the object's: a chunk that is not full is the subtree on the right. */
static bool lead_to(const cu_hash *chunk, uint64_t n, uint64_t size, const cu_hash *root)
{
    const bool partial = size % CU_CHUNK_BYTES != 0;
    struct cu_frontier f = { 0 };
    cu_hash up;

    for (uint64_t i = 0; i < n - partial; i++) cu_frontier_append_subtree(&f, 8, &chunk[i]);
    if (!partial) up = cu_frontier_root(&f);
    else up = chunk[n - 1];
    for (unsigned i = partial ? f.n : 0; i > 0; i--) up = cu_node_hash(&f.node[i - 1], &up);
    return cu_hash_eq(&up, root);
}

static cu_status bring_chunks(struct cu_place *p, const cu_hash *root, uint64_t size, struct cu_buf *ret, struct cu_err *err)
{
    const uint64_t n = size / CU_CHUNK_BYTES + (size % CU_CHUNK_BYTES != 0);

    *ret = cu_buf_heap((size_t)n * sizeof *root);
    if (n > 1) TRY(p->remote.ops->chunks(p->remote.self, &p->reading, root, ret, err));
    else cu_buf_add(ret, cu_span_hash(root));
    TRY(cu_buf_ok(ret, err));
    ENSURE(ret->n == n * sizeof *root && lead_to((const cu_hash *)(const void *)ret->p, n, size, root), err, CU_BAD_HASH,
           "the node's tree over the evidence does not lead to what was signed: nothing of it was used");
    return CU_OK;
}

cu_status cu_fetch_afar(struct cu_place *p, const cu_hash *root, uint64_t size, const struct cu_fetch_range *part,
                        cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), void *arg, struct cu_err *err)
{
    const cu_hash empty = cu_content_root_of(CU_SPAN_EMPTY);
    CU_BUF chunks = { 0 };
    CU_BUF piece = cu_buf_heap(CU_CHUNK_BYTES);
    cu_status came = CU_OK;

    if (size == 0 && cu_hash_eq(root, &empty)) return CU_OK;
    ENSURE(size > 0 && (!part || (part->from < part->to && part->to <= size)), err, CU_USAGE,
           "the object has %llu bytes: there are no such ones", LLU(size));
    TRY(bring_chunks(p, root, size, &chunks, err));
    struct arriving a = { .want = part ? *part : (struct cu_fetch_range){ 0, size },
                          .size = size,
                          .chunk = (const cu_hash *)(const void *)chunks.p,
                          .piece = piece,
                          .feed = feed,
                          .arg = arg };
    a.end = chunk_end(&a, a.want.to - 1);
    a.at = a.want.from - a.want.from % CU_CHUNK_BYTES;
    for (unsigned tries = 0; a.at < a.end && tries < TRIES; tries++) {
        const uint64_t before = a.at;
        cu_buf_clear(&a.piece);
        came = p->remote.ops->bytes(p->remote.self, &p->reading, root, a.at, a.end, take, &a, err);
        if (a.at > before) tries = 0; /* it came further: the rest is asked for */
        if (came != CU_OK && came != CU_IO) break;
    }
    piece = a.piece;
    TRY(came);
    ENSURE(a.at == a.end, err, CU_IO, "the evidence did not come whole");
    return CU_OK;
}

/* ---- the log goes on ---- */
static cu_status read_seen(struct cu_place *p, struct cu_checkpoint *ret, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_NOTE_MAX);
    struct cu_note note;
    const cu_status read = cu_fs_read(&p->fs, SEEN, CU_NOTE_MAX, &text, err);

    *ret = (struct cu_checkpoint){ 0 };
    if (read == CU_NOT_FOUND) return CU_OK;
    TRY(read);
    TRY(cu_note_read(cu_buf_span(&text), &note, err));
    TRY(cu_checkpoint_read(note.text, ret, err));
    ret->origin = CU_SPAN_EMPTY; /* it pointed there */
    return CU_OK;
}

static cu_status follows(struct cu_place *p, const struct cu_checkpoint *seen, struct cu_err *err)
{
    const struct cu_checkpoint *now = &p->log.checkpoint;
    const struct cu_node_source nodes = cu_tile_node_source(&p->log.nodes);
    cu_hash path[CU_PROOF_HASHES_MAX];
    size_t n = 0;

    if (seen->size.v == 0) return CU_OK;
    ENSURE(now->size.v >= seen->size.v, err, CU_BAD_PROOF,
           "the node shows a log of %llu entries, and showed one of %llu before: it was rolled back. Nothing of it was used; "
           "what it "
           "signed before lies in " SEEN " of this reader's folder, for `custody fork-proof`",
           LLU(now->size.v), LLU(seen->size.v));
    TRY(cu_consistency_make(&nodes, seen->size, now->size, path, &n, err));
    if (cu_consistency_verify(seen->size, &seen->root, now->size, &now->root, path, n, NULL) == CU_OK) return CU_OK;
    return cu_fail(err, CU_BAD_PROOF,
                   "the node shows another log than before: what it signed over %llu entries does not lead to what it signs now. "
                   "Nothing of it was used; keep " SEEN " of this reader's folder, and see `custody fork-proof`",
                   LLU(seen->size.v));
}

cu_status cu_place_goes_on(struct cu_place *p, struct cu_err *err)
{
    struct cu_checkpoint seen;

    TRY(read_seen(p, &seen, err));
    TRY(follows(p, &seen, err));
    if (p->log.checkpoint.size.v == seen.size.v) return CU_OK;
    return cu_fs_replace(&p->fs, SEEN, SEEN ".new", cu_buf_span(&p->log.note), true, err);
}

static cu_status follow(struct cu_place *p, struct cu_err *err)
{
    TRY(cu_place_refresh(p, err));
    TRY(cu_place_goes_on(p, err));
    return cu_follow(p, err);
}

/* One at a time: what was seen, and the index, are as of one checkpoint. */
cu_status cu_follow_afar(struct cu_place *p, struct cu_err *err)
{
    void *lock;

    TRY(p->fs.ops->lock(p->fs.self, CU_FILE_LOCK, FOLLOW_WAIT_MS, &lock, err));
    const cu_status followed = follow(p, err);
    p->fs.ops->unlock(p->fs.self, lock);
    return followed;
}
