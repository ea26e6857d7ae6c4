/* The search index: derived, and yet when it differs from what log and stores lead to, somebody should know.
 *
 * Its rows of the log must be those of an index made anew. Its hints of objects must be true, and need not be complete: a crash may
 * come between the publication of a pack and the word to the index, and then the store's own index files answer.
 */
#include "service/audit.h"

static void sum_up(void *arg, struct cu_span bytes) { cu_digest_add(arg, bytes); }

static cu_status index_hash(struct cu_index *index, cu_hash *ret, struct cu_err *err)
{
    struct cu_digest digest;
    cu_status dumped;

    TRY(cu_digest_start(CU_DIGEST_SHA256, &digest, err));
    dumped = index->dump(index->self, sum_up, &digest, err);
    cu_digest_finish(&digest, ret->b);
    cu_digest_free(&digest);
    return dumped;
}

/* ---- hints: an index that is told of every object, and compares ---- */
struct hints {
    struct cu_index *have, *fresh;
    uint64_t known, true_;
};

static bool same(const struct cu_index_object *a, const struct cu_index_object *b)
{
    return a->size == b->size && a->offset == b->offset && cu_hash_eq(&a->pack, &b->pack);
}

/* An object may lie in several packs: the hint is true when it names one of them; it is counted once, with the first. */
static cu_status compare_hint(void *self, unsigned store, const struct cu_index_object *o, struct cu_err *err)
{
    struct hints *h = self;
    struct cu_index_object hint, first;

    if (h->have->find_object(h->have->self, store, &o->root, &hint, NULL) != CU_OK) return CU_OK;
    TRY(h->fresh->find_object(h->fresh->self, store, &o->root, &first, err));
    if (same(&hint, o)) h->true_++;
    if (same(&first, o)) h->known++;
    return CU_OK;
}

static cu_status no_size(void *self, cu_size *ret, struct cu_err *err)
{
    (void)self, (void)err;
    ret->v = 0;
    return CU_OK;
}

static cu_status no_begin(void *self, struct cu_err *err)
{
    (void)self, (void)err;
    return CU_OK;
}

static cu_status no_commit(void *self, cu_size size, struct cu_err *err)
{
    (void)self, (void)size, (void)err;
    return CU_OK;
}

static void no_rollback(void *self) { (void)self; }

static cu_status tell(struct cu_audit *a, struct cu_index *whom, struct cu_err *err)
{
    cu_status told = CU_OK;

    for (unsigned store = 0; store < CU_STORES && told == CU_OK; store++) {
        struct cu_objects *objects;
        TRY(cu_objects_open(&a->p->fs, cu_audit_store_dirs[store], whom, store, &objects, err));
        told = cu_objects_reindex(objects, err);
        cu_objects_close(objects);
    }
    return told;
}

/* ---- the whole ---- */
static cu_status index_differs(struct cu_audit *a, bool *ret, struct cu_err *err)
{
    struct cu_index *have = &a->p->index, *fresh = a->r->fresh_index;
    struct hints hints = { .have = have, .fresh = fresh };
    struct cu_index comparing = { .self = &hints,
                                  .size = no_size,
                                  .begin = no_begin,
                                  .put_object = compare_hint,
                                  .commit = no_commit,
                                  .rollback = no_rollback };
    cu_hash x, y;
    cu_size size;

    TRY(have->size(have->self, &size, err));
    if (size.v == 0) return *ret = false, CU_OK; /* there is none: whoever writes next makes it */
    if (size.v > a->p->log.checkpoint.size.v) return *ret = true, CU_OK;
    TRY(cu_follow_into(a->p, fresh, size, err));
    TRY(tell(a, fresh, err));
    TRY(tell(a, &comparing, err));
    TRY(tell(a, have, err)); /* what it does not know yet; of an index opened for reading that stays in memory */
    TRY(index_hash(have, &x, err));
    TRY(index_hash(fresh, &y, err));
    *ret = hints.known != hints.true_ || !cu_hash_eq(&x, &y);
    return CU_OK;
}

/* A fault that the app found in the index' file, or a content that is not what it should be. */
cu_status cu_audit_index(struct cu_audit *a, struct cu_err *err)
{
    const bool judged = a->r->fresh_index && a->p->index.self && !a->log_bad[CU_LOG_NODE] && !a->log_broken && !a->stores_bad;
    const char *where = a->r->index_where ? a->r->index_where : CU_FILE_INDEX;
    const char *what = a->r->index_where ? a->r->index_what : "the search index is not what the log leads to";
    bool differs = a->r->index_where != NULL, mended = false;

    if (!differs && judged) {
        TRY(cu_place_refresh(a->p, err));
        if (cu_audit_saw(a, index_differs(a, &differs, NULL)) != CU_OK) differs = true;
    }
    if (!differs) return CU_OK;
    if (a->r->repair) {
        TRY(cu_audit_note(a, "damaged", where, NULL, err));
        TRY(a->r->renew_index(a->r->arg, err));
        mended = true;
    }
    cu_audit_report(a, "damaged", where, NULL, mended, "%s (it is derived: nothing of the evidence depends on it)", what);
    return CU_OK;
}
