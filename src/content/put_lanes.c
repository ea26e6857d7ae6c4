/* The crew of a batch: one lane for trees, one for flat digests, one for each store. */
#include "content/put.h"

/* SHA-256 alone comes in one pass with the leaves where that is cheaper; with others the digest lane has its own. */
static bool beside(const struct cu_put_slot *slot)
{
    return cu_sha256_beside_pays() && slot->large && slot->digested && (slot->algs & ~(1u << CU_DIGEST_SHA256)) == 0;
}

static size_t hash_leaves(struct cu_span bytes, cu_hash *ret)
{
    size_t n = 0;

    for (size_t at = 0; at < bytes.n; at += CU_CHUNK_BYTES)
        n += cu_content_leaves(cu_span(bytes.p + at, bytes.n - at < CU_CHUNK_BYTES ? bytes.n - at : CU_CHUNK_BYTES), ret + n);
    return n;
}

static size_t hash_beside(struct cu_put *p, const struct cu_put_slot *slot, cu_hash *ret)
{
    struct cu_sums *sums = &slot->ticket->sums;
    size_t n = 0, at = 0;
    cu_hash whole;

    if (slot->first) cu_sha256_flow_start(&p->flow);
    do {
        const size_t piece = slot->n - at < CU_CHUNK_BYTES ? slot->n - at : CU_CHUNK_BYTES;
        const bool last = slot->last && at + piece == slot->n;
        n += cu_content_leaves_beside(&p->flow, cu_span(slot->bytes + at, piece), last, ret + n, &whole);
        at += piece;
    } while (at < slot->n);
    if (!slot->last) return n;
    sums->digest[0] = (struct cu_digest_value){ .alg = CU_DIGEST_SHA256 };
    memcpy(sums->digest[0].bytes, whole.b, sizeof whole.b);
    sums->digests_n = 1;
    return n;
}

static void tell_chunks(struct cu_buf *ret, const cu_hash *leaves, size_t n)
{
    enum { LEAVES = CU_CHUNK_BYTES / CU_LEAF_BYTES };

    for (size_t at = 0; at < n; at += LEAVES) {
        const cu_hash root = cu_tree_root(leaves + at, n - at < LEAVES ? n - at : LEAVES);
        cu_buf_add(ret, cu_span_hash(&root));
    }
}

static cu_status hash_slot(void *arg, size_t n, struct cu_err *err)
{
    struct cu_put *p = arg;
    struct cu_put_slot *slot = &p->slot[n];
    struct cu_frontier *frontier = &p->frontier[slot->large];
    cu_hash leaves[CU_PUT_SLOT_BYTES / CU_LEAF_BYTES];
    size_t leaves_n = beside(slot) ? hash_beside(p, slot, leaves) : hash_leaves(cu_span(slot->bytes, slot->n), leaves);

    if (slot->first) *frontier = (struct cu_frontier){ .size = { 0 } };
    slot->side_at = slot->large ? frontier->size.v * sizeof(cu_hash) : 0;
    cu_frontier_append_all(frontier, leaves, leaves_n);
    if (slot->large) cu_buf_add(&slot->side, cu_span(leaves, leaves_n * sizeof *leaves));
    if (slot->large && p->chunks) tell_chunks(p->chunks, leaves, leaves_n);
    if (!slot->last) return cu_buf_ok(&slot->side, err);

    cu_hash name = cu_frontier_root(frontier);
    pthread_mutex_lock(&p->lock);
    p->file[slot->number].name = name;
    p->file[slot->number].size = slot->at + slot->n;
    pthread_mutex_unlock(&p->lock);
    if (slot->large) slot->ticket->sums.root = name;
    if (slot->large) return cu_buf_ok(&slot->side, err);
    return cu_pack_index_write(&name, slot->at + slot->n, slot->rows, slot->rows_n, &slot->side, err);
}

static cu_status digest_slot(void *arg, size_t n, struct cu_err *err)
{
    struct cu_put *p = arg;
    struct cu_put_slot *slot = &p->slot[n];

    if (!slot->large || !slot->digested || beside(slot)) return CU_OK;
    if (slot->first) TRY(cu_digest_set_start(slot->algs, &p->digests, err));
    cu_digest_set_add(&p->digests, cu_span(slot->bytes, slot->n));
    if (slot->last) cu_digest_set_finish(&p->digests, slot->ticket->sums.digest, &slot->ticket->sums.digests_n);
    return CU_OK;
}

/* ---- a store's lane ---- */

cu_status cu_put_open(struct cu_put_writer *w, uint64_t number, bool side, bool direct, struct cu_file **ret, struct cu_err *err)
{
    const struct cu_fs *fs = w->store->fs;
    char path[CU_STORE_PATH_MAX];

    cu_store_incoming(w->store, w->place, number, side, path);
    return fs->ops->open(fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE | CU_OPEN_TRUNCATE | (direct ? CU_OPEN_DIRECT : 0), ret,
                         err);
}

static cu_status write_bytes(struct cu_put_writing *now, const struct cu_put_slot *slot, struct cu_err *err)
{
    size_t whole = (slot->n + CU_LEAF_BYTES - 1) / CU_LEAF_BYTES * CU_LEAF_BYTES;

    if (slot->n > 0) TRY(now->main->ops->write_at(now->main, slot->at, cu_span(slot->bytes, now->direct ? whole : slot->n), err));
    if (slot->side.n > 0) TRY(now->side->ops->write_at(now->side, slot->side_at, cu_buf_span(&slot->side), err));
    if (slot->last && now->direct && whole != slot->n) TRY(now->main->ops->truncate(now->main, slot->at + slot->n, err));
    return CU_OK;
}

/* Few files are synced one by one, through the descriptor that wrote them; of many, the file system as a whole. */
void cu_put_keep_open(struct cu_put_writer *w, struct cu_file **f)
{
    if (w->written_n < CU_PUT_OPEN_MAX) {
        w->written[w->written_n++] = *f;
        *f = NULL;
        return;
    }
    w->sync_all = true;
    cu_file_close(f);
}

static cu_status write_slot(void *arg, size_t n, struct cu_err *err)
{
    struct cu_put_writer *w = arg;
    struct cu_put_slot *slot = &w->put->slot[n];
    struct cu_put_writing *now = &w->now[slot->large];

    if (slot->first) {
        now->direct = !slot->last; /* what fits one slot is not worth it */
        TRY(cu_put_open(w, slot->number, false, now->direct, &now->main, err));
        TRY(cu_put_open(w, slot->number, true, false, &now->side, err));
    }
    TRY(write_bytes(now, slot, err));
    if (!slot->last) return CU_OK;
    cu_put_keep_open(w, &now->main);
    cu_put_keep_open(w, &now->side);
    return CU_OK;
}

void cu_put_close_files(struct cu_put_writer *w)
{
    for (int i = 0; i < 2; i++) cu_file_close(&w->now[i].main), cu_file_close(&w->now[i].side);
    for (size_t i = 0; i < w->written_n; i++) cu_file_close(&w->written[i]);
    w->written_n = 0;
}

cu_status cu_put_start_crew(struct cu_put *p, bool threads, struct cu_err *err)
{
    struct cu_lane lanes[CU_LANE_STORE + CU_PUT_STORES_MAX] = {
        [CU_LANE_TREE] = { .work = hash_slot, .arg = p },
        [CU_LANE_DIGEST] = { .work = digest_slot, .arg = p },
    };

    for (size_t i = 0; i < p->n; i++)
        lanes[CU_LANE_STORE + i] = (struct cu_lane){ .work = write_slot, .arg = &p->writer[i], .after = 1u << CU_LANE_TREE };
    return cu_crew_new(lanes, CU_LANE_STORE + (unsigned)p->n, CU_PUT_SLOTS, threads, &p->crew, err);
}
