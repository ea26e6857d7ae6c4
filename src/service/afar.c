/* Reading a ledger from afar: nothing that came is handed on before it has been met by what was signed. */
#include "service/place.h"

#define SEEN CU_DIR_NODE_STATE "/seen"
#define OTHER CU_DIR_NODE_STATE "/other" /* a checkpoint that does not go with it */
#define TRIES 4
#define FOLLOW_WAIT_MS 60000

/* ---- content ---- */
static uint64_t chunk_end(const struct cu_coming *c, uint64_t at)
{
    const uint64_t end = at - at % CU_CHUNK_BYTES + CU_CHUNK_BYTES;

    return end < c->size ? end : c->size;
}

static cu_status keep_chunk(struct cu_coming *c, struct cu_err *err)
{
    const struct cu_span whole = cu_buf_span(&c->piece);

    if (c->chunk) {
        const cu_hash root = cu_content_root_of(whole);
        ENSURE(cu_hash_eq(&root, &c->chunk[c->at / CU_CHUNK_BYTES]), err, CU_BAD_HASH,
               "what was sent for offset %llu is not what was signed: nothing of it was used", LLU(c->at));
    }
    TRY(c->keep(c->arg, c->at, whole, err));
    c->at += whole.n;
    cu_buf_clear(&c->piece);
    return CU_OK;
}

cu_status cu_coming_feed(void *arg, struct cu_span bytes, struct cu_err *err)
{
    struct cu_coming *c = arg;

    while (bytes.n) {
        const uint64_t room = chunk_end(c, c->at) - c->at - c->piece.n;
        const size_t n = bytes.n < room ? bytes.n : (size_t)room;
        ENSURE(room > 0 && c->at < c->end, err, CU_BAD_HASH, "more was sent than was asked for: it was not used");
        cu_buf_add(&c->piece, cu_span(bytes.p, n));
        TRY(cu_buf_ok(&c->piece, err));
        bytes = cu_span_from(bytes, n);
        if (n == room) TRY(keep_chunk(c, err));
    }
    return CU_OK;
}

cu_status cu_coming_chunks(const struct cu_remote *from, const struct cu_reading *what, const cu_hash *root, uint64_t size,
                           struct cu_buf *ret, struct cu_err *err)
{
    const uint64_t n = cu_content_chunk_count(size);

    *ret = cu_buf_heap((size_t)n * sizeof *root);
    if (n > 1) TRY(from->ops->chunks(from->self, what, root, ret, err));
    else cu_buf_add(ret, cu_span_hash(root));
    TRY(cu_buf_ok(ret, err));
    ENSURE(ret->n == n * sizeof *root && cu_content_chunks_lead((const cu_hash *)(const void *)ret->p, size, root), err,
           CU_BAD_HASH, "the tree that was sent for the evidence does not lead to what was signed: nothing of it was used");
    return CU_OK;
}

/* What of a whole chunk was asked for. */
struct wanted {
    struct cu_fetch_range part;
    cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err);
    void *arg;
};

static cu_status hand_on(void *arg, uint64_t at, struct cu_span chunk, struct cu_err *err)
{
    const struct wanted *w = arg;
    const uint64_t end = at + chunk.n, from = w->part.from > at ? w->part.from : at, to = w->part.to < end ? w->part.to : end;

    return w->feed(w->arg, cu_span(chunk.p + (from - at), (size_t)(to - from)), err);
}

cu_status cu_fetch_afar(struct cu_place *p, const cu_hash *root, uint64_t size, const struct cu_fetch_range *part,
                        cu_status (*feed)(void *arg, struct cu_span bytes, struct cu_err *err), void *arg, struct cu_err *err)
{
    const cu_hash empty = cu_content_root_of(CU_SPAN_EMPTY);
    struct wanted want = { part ? *part : (struct cu_fetch_range){ 0, size }, feed, arg };
    CU_BUF chunks = { 0 };
    CU_BUF piece = cu_buf_heap(CU_CHUNK_BYTES);
    cu_status came = CU_OK;

    if (size == 0 && cu_hash_eq(root, &empty)) return CU_OK;
    ENSURE(size > 0 && (!part || (part->from < part->to && part->to <= size)), err, CU_USAGE,
           "the object has %llu bytes: there are no such ones", LLU(size));
    TRY(cu_coming_chunks(&p->remote, &p->reading, root, size, &chunks, err));
    struct cu_coming c = {
        .size = size, .chunk = (const cu_hash *)(const void *)chunks.p, .piece = piece, .keep = hand_on, .arg = &want
    };
    c.end = chunk_end(&c, want.part.to - 1);
    c.at = want.part.from - want.part.from % CU_CHUNK_BYTES;
    for (unsigned tries = 0; c.at < c.end && tries < TRIES; tries++) {
        const uint64_t before = c.at;
        cu_buf_clear(&c.piece);
        came = p->remote.ops->bytes(p->remote.self, &p->reading, root, c.at, c.end, cu_coming_feed, &c, err);
        if (c.at > before) tries = 0; /* it came further: the rest is asked for */
        if (came != CU_OK && came != CU_IO) break;
    }
    piece = c.piece;
    TRY(came);
    ENSURE(c.at == c.end, err, CU_IO, "the evidence did not come whole");
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
    const bool whole = cu_note_read(cu_buf_span(&text), &note, NULL) == CU_OK &&
                       cu_checkpoint_read(note.text, ret, NULL) == CU_OK;
    ENSURE(whole, err, CU_CORRUPT,
           SEEN
           " is damaged: how far the log was seen from here cannot be told, and so not whether it was rolled back. Nothing was "
           "used; whoever moves that file away takes what the node shows now for the first that was seen");
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
    ENSURE(
        now->size.v >= seen->size.v, err, CU_BAD_PROOF,
        "a log of %llu entries is shown, and one of %llu was shown before: it was rolled back, or (of several nodes) each that "
        "was asked is behind, and catches up soon. Nothing of it was used; what was signed before lies in " SEEN
        " of this reader's folder, for `custody fork-proof`",
        LLU(now->size.v), LLU(seen->size.v));
    TRY(cu_consistency_make(&nodes, seen->size, now->size, path, &n, err));
    if (cu_consistency_verify(seen->size, &seen->root, now->size, &now->root, path, n, NULL) == CU_OK) return CU_OK;
    return cu_fail(err, CU_BAD_PROOF,
                   "the node shows another log than before: what it signed over %llu entries does not lead to what it signs now. "
                   "Nothing of it was used; keep " SEEN " of this reader's folder, and see `custody fork-proof`",
                   LLU(seen->size.v));
}

/* What a node signed that has not come so far is the beginning of what is shown now; or somebody signs two logs. */
static cu_status begins(struct cu_place *p, struct cu_span text, struct cu_err *err)
{
    const struct cu_node_source nodes = cu_tile_node_source(&p->log.nodes);
    struct cu_note_verdict verdict;
    struct cu_tlog_policy policy;
    struct cu_checkpoint older;
    struct cu_note note;
    cu_hash root = cu_empty_root();

    TRY(cu_note_read(text, &note, err));
    TRY(cu_checkpoint_read(note.text, &older, err));
    TRY(cu_trust_policy(&p->trust, older.size, &policy, err));
    TRY(cu_checkpoint_signed(&note, &policy, &p->verifier, &older, &verdict, err));
    if (older.size.v > p->log.checkpoint.size.v) return CU_OK; /* it caught up meanwhile */
    if (older.size.v) TRY(cu_range_root(&nodes, (cu_seq){ 0 }, (cu_seq){ older.size.v }, &root, err));
    if (cu_hash_eq(&root, &older.root)) return CU_OK;
    TRY(cu_fs_replace(&p->fs, OTHER, OTHER ".new", text, true, err));
    return cu_fail(
        err, CU_BAD_PROOF,
        "one node shows another log than the others: what it signed over %llu entries is not the beginning of what they "
        "show. Nothing of it was used; keep " OTHER " and " SEEN " of this reader's folder, and see `custody fork-proof`",
        LLU(older.size.v));
}

static cu_status judge_behind(struct cu_place *p, struct cu_err *err)
{
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);

    for (size_t i = 0; p->remote.ops->behind && p->remote.ops->behind(p->remote.self, i, &note, err) == CU_OK; i++) {
        if (note.n) TRY(begins(p, cu_buf_span(&note), err));
        cu_buf_clear(&note);
    }
    return CU_OK;
}

cu_status cu_place_go_on(struct cu_place *p, struct cu_err *err)
{
    const struct cu_remote *remote = &p->remote;
    struct cu_checkpoint seen;

    TRY(read_seen(p, &seen, err));
    if (remote->ops->as_of) remote->ops->as_of(remote->self, seen.size);
    TRY(cu_place_refresh(p, err));
    TRY(follows(p, &seen, err));
    TRY(judge_behind(p, err));
    if (remote->ops->as_of) remote->ops->as_of(remote->self, p->log.checkpoint.size);
    if (p->log.checkpoint.size.v == seen.size.v) return CU_OK;
    return cu_fs_replace(&p->fs, SEEN, SEEN ".new", cu_buf_span(&p->log.note), true, err);
}

static cu_status follow(struct cu_place *p, struct cu_err *err)
{
    TRY(cu_place_go_on(p, err));
    TRY(cu_follow(p, err));
    if (!p->blind || cu_fs_exists(&p->fs, CU_FILE_BLIND)) return CU_OK;
    return cu_fs_replace(&p->fs, CU_FILE_BLIND, CU_FILE_BLIND ".new", CU_SPAN_EMPTY, true, err);
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
