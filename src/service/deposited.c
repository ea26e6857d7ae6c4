/* What is said of a deposit once it is recorded. */
#include "service/deposit.h"

#include <stdio.h>

void cu_deposited_free(struct cu_deposited *d)
{
    cu_buf_free(&d->receipt);
    cu_buf_free(&d->manifest);
}

/* A duplicate links to the object that is there and is a deposit of its own; who deposits it is told. */
struct first {
    struct cu_place *p;
    cu_seq seq;
    struct cu_buf name;
};

static cu_status take_first(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct first *f = arg;

    return row->seq.v < f->seq.v && row->kind == CU_KIND_DEPOSIT && !f->name.n ? cu_exhibit_name(f->p, row, &f->name, err)
                                                                               : CU_OK;
}

static cu_status find_same(struct cu_place *p, struct cu_deposited *d, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_SHA256, .hash = d->sha256, .limit = 1 };
    struct first f = { p, d->seq, cu_buf_over(d->same_as, sizeof d->same_as) };

    return p->index.find(p->index.self, &q, take_first, &f, err);
}

static cu_status describe(struct cu_place *p, const struct cu_work *w, const struct cu_index_row *row, struct cu_deposited *d,
                          struct cu_err *err)
{
    struct cu_buf exhibit = cu_buf_over(d->exhibit, sizeof d->exhibit);
    size_t slash;

    d->path = w->path;
    d->id = w->outcome.id;
    d->leaf = row->leaf;
    d->seq = row->seq;
    d->root = row->root;
    d->serial = row->serial;
    d->type = (enum cu_content_type)row->content;
    d->size = row->size;
    d->sha256 = row->sha256;
    d->time = row->recorded;
    d->duplicate = w->outcome.status == CU_DUPLICATE;
    d->required = cu_terms_at(p, row->seq).copies;
    TRY(cu_exhibit_name(p, row, &exhibit, err));
    for (slash = exhibit.n; slash > 0 && d->exhibit[slash - 1] != '/'; slash--) continue;
    memcpy(d->case_name, d->exhibit, slash ? slash - 1 : 0);
    d->has_sha256 = true;
    if (row->has_sha256) TRY(find_same(p, d, err));
    return cu_copies(p, row->seq, &d->copies, err);
}

/* Nobody else knows the digest of what was read. */
static cu_status describe_sealed(struct cu_place *p, const struct cu_work *w, struct cu_deposited *d, struct cu_err *err)
{
    struct cu_buf names = cu_buf_over(d->sealed_for, sizeof d->sealed_for - 1);
    struct cu_entry entry;
    struct cu_span bytes;

    TRY(cu_log_entry(&p->log, d->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &entry, err));
    if (!entry.inner.body.claim.has_sealed) return CU_OK;
    cu_claim_sealed_for(p, &entry.inner.body.claim, &names);
    if (cu_buf_ok(&names, NULL) != CU_OK) /* very many */
        snprintf(d->sealed_for, sizeof d->sealed_for, "%zu members", (size_t)entry.inner.body.claim.sealed.n);
    d->has_sha256 = w->in.digests_n > 0;
    if (d->has_sha256) memcpy(d->sha256.b, w->in.digest[0].bytes, sizeof d->sha256.b);
    return CU_OK;
}

/* A folder's size and digest are its manifest's word; above the inline bound the manifest goes beside the receipt. */
static cu_status describe_folder(struct cu_place *p, const struct cu_work *w, struct cu_deposited *d, struct cu_err *err)
{
    struct cu_entry entry;
    struct cu_span bytes;

    TRY(cu_log_entry(&p->log, d->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &entry, err));
    const struct cu_claim claim = entry.inner.body.claim;
    d->manifest = cu_buf_heap(claim.size + 1);
    if (w->in.content.n == claim.size) cu_buf_add(&d->manifest, cu_buf_span(&w->in.content));
    else TRY(cu_place_manifest(p, d->seq, &claim, &d->manifest, err));
    TRY(cu_buf_ok(&d->manifest, err));
    d->sha256 = cu_sha256(cu_buf_span(&d->manifest));
    d->size = claim.folder.bytes;
    d->items = claim.folder.items;
    if (claim.size <= CU_CONTENT_INLINE_MAX) cu_buf_clear(&d->manifest);
    return CU_OK;
}

cu_status cu_work_hand_out(struct cu_place *p, const struct cu_work *w, bool no_wait, cu_deposited_fn *done, void *arg,
                           struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    CU_CLEANUP(cu_deposited_free) struct cu_deposited d = { 0 };

    TRY(cu_lookup_seq(p, w->outcome.seq, &found, err));
    TRY(describe(p, w, &found.row, &d, err));
    if (d.type == CU_CONTENT_FOLDER) TRY(describe_folder(p, w, &d, err));
    else if (!found.row.has_sha256) TRY(describe_sealed(p, w, &d, err));
    d.receipt = cu_buf_heap(CU_RECEIPT_MAX);
    const cu_status given = no_wait ? CU_OK : cu_receipt_of(p, d.seq, &d.receipt, err);
    if (given == CU_COSIGNATURES_MISSING) cu_buf_clear(&d.receipt); /* recorded, and said so */
    else TRY(given);
    return done(arg, &d, err);
}
