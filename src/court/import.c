/* A package of another ledger becomes evidence of this one: first it is verified, then it is deposited as it is, its receipts with it, and
 * the details name each deposit that it holds. What was verified is what is deposited: the digests of the first reading are expected of
 * the second.
 */
#include "court/import.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

struct importing {
    struct cu_buf earlier, digests;
    size_t n, exhibits;
};

static void importing_free(struct importing *m)
{
    cu_buf_free(&m->earlier);
    cu_buf_free(&m->digests);
}

static void take_exhibit(void *arg, const struct cu_bag_exhibit *e)
{
    struct importing *m = arg;
    const struct cu_detail_earlier row = { e->network, e->id, cu_span_str(e->stem) };

    m->exhibits++;
    if (m->n == CU_EARLIER_MAX) return; /* the rest are in the package itself */
    if (cu_schema_write(&cu_detail_earlier_schema, &row, &m->earlier, NULL) == CU_OK) m->n++;
}

static void take_file(void *arg, const struct cu_bag_file *f)
{
    struct importing *m = arg;

    cu_hex_put(&m->digests, cu_span_hash(&f->sha256));
    cu_buf_add_str(&m->digests, "  ");
    cu_buf_add(&m->digests, f->path);
    cu_buf_add_byte(&m->digests, '\n');
}

/* What must be read again: each file of a folder, or the zip itself as it was before it was looked into. */
static cu_status expected(const struct importing *m, const struct cu_import_request *r, const cu_hash *zip, struct cu_expect *ret,
                          struct cu_err *err)
{
    CU_BUF line = cu_buf_heap(128);

    if (!r->is_file) return cu_expect_read(cu_buf_span(&m->digests), true, ret, err);
    cu_buf_add_str(&line, "sha256:");
    cu_hex_put(&line, cu_span_hash(zip));
    TRY(cu_buf_ok(&line, err));
    return cu_expect_read(cu_buf_span(&line), false, ret, err);
}

cu_status cu_import(struct cu_place *p, const struct cu_import_request *r, struct cu_buf *out, int *ret_exit,
                    cu_deposited_fn *done, void *arg, struct cu_err *err)
{
    CU_CLEANUP(importing_free)
    struct importing m = { .earlier = cu_buf_heap(CU_DETAILS_MAX), .digests = cu_buf_heap(CU_LIST_MAX) };
    CU_CLEANUP(cu_expect_free) struct cu_expect expect = { 0 };
    struct cu_bag_request judge = r->judge;
    struct cu_deposit_request deposit = r->deposit;
    cu_hash root, zip = { { 0 } };
    uint64_t size;

    judge.exhibit = take_exhibit;
    judge.file = take_file;
    judge.arg = &m;
    judge.own_trust = true;
    if (r->is_file) TRY(cu_read_evidence(&p->source, judge.path, &p->progress, &size, &root, &zip, err));
    TRY(cu_bag_judge(&judge, false, out, ret_exit, err));
    if (*ret_exit != 0 && *ret_exit != 3 && *ret_exit != 5) return CU_OK; /* not verified: nothing is deposited */
    *ret_exit = 0;
    TRY(cu_buf_ok(&m.earlier, err));
    TRY(cu_buf_ok(&m.digests, err));
    TRY(expected(&m, r, &zip, &expect, err));
    deposit.earlier = (struct cu_list){ m.n, cu_buf_span(&m.earlier) };
    deposit.expect = &expect;
    return cu_deposit(p, &deposit, &judge.path, 1, done, arg, err);
}
