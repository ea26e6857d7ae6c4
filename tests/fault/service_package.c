/* A package in memory, and exporting into it. */
#include "service_package.h"

#include <stdio.h>
#include <stdlib.h>

static cu_status count(struct sw_package *p, struct cu_err *err)
{
    return ++p->calls == p->fails ? cu_fail(err, CU_NO_SPACE, "the package has no space left") : CU_OK;
}

static cu_status folder(void *self, const char *path, struct cu_err *err)
{
    (void)path;
    return count(self, err);
}

static cu_status begin(void *self, const char *path, uint64_t size, struct cu_err *err)
{
    struct sw_package *p = self;

    TRY(count(p, err));
    struct sw_package_file *more = realloc(p->file, (p->n + 1) * sizeof *more);
    ENSURE(more, err, CU_NO_MEMORY, "out of memory");
    p->file = more;
    p->file[p->n] = (struct sw_package_file){ .at = p->bytes.n, .size = (size_t)size };
    snprintf(p->file[p->n++].path, sizeof p->file->path, "%s", path);
    return CU_OK;
}

static cu_status add(void *self, struct cu_span bytes, struct cu_err *err)
{
    struct sw_package *p = self;

    TRY(count(p, err));
    cu_buf_add(&p->bytes, bytes);
    return cu_buf_ok(&p->bytes, err);
}

static cu_status end(void *self, struct cu_err *err)
{
    struct sw_package *p = self;

    CU_ASSERT(p->bytes.n == p->file[p->n - 1].at + p->file[p->n - 1].size); /* as many bytes as were announced */
    return count(p, err);
}

static cu_status finish(void *self, struct cu_err *err)
{
    struct sw_package *p = self;

    TRY(count(p, err));
    p->finished = true;
    return CU_OK;
}

static void let_be(void *self) { (void)self; }

struct cu_package_out sw_package_out(struct sw_package *p)
{
    static const struct cu_package_out_ops ops = { folder, begin, add, end, finish, let_be };

    if (!p->bytes.max) p->bytes = cu_buf_heap((size_t)1 << 30);
    return (struct cu_package_out){ p, &ops };
}

/* ---- as it lies ---- */
struct at {
    struct sw_package *p;
    struct cu_span left;
};

static cu_status read_some(void *self, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct at *at = self;

    TRY(count(at->p, err));
    *ret_n = n < at->left.n ? n : at->left.n;
    memcpy(ret, at->left.p, *ret_n);
    at->left = cu_span(at->left.p + *ret_n, at->left.n - *ret_n);
    return CU_OK;
}

static cu_status each(void *self, cu_status (*file)(void *arg, struct cu_package_file *f, struct cu_err *err), void *arg,
                      struct cu_err *err)
{
    struct sw_package *p = self;

    for (size_t i = 0; i < p->n; i++) {
        struct at at = { p, cu_span(p->bytes.p + p->file[i].at, p->file[i].size) };
        struct cu_package_file f = { .path = cu_span_str(p->file[i].path), .size = at.left.n, .self = &at, .read = read_some };
        TRY(file(arg, &f, err));
    }
    return CU_OK;
}

struct cu_package sw_package_in(struct sw_package *p) { return (struct cu_package){ p, each, let_be }; }

void sw_package_free(struct sw_package *p)
{
    free(p->file);
    cu_buf_free(&p->bytes);
    *p = (struct sw_package){ 0 };
}

/* ---- a story's act ---- */
cu_status sw_package_judge(struct service_world *w, struct sw_package *p, struct cu_err *err)
{
    CU_BUF out = cu_buf_heap((size_t)4 << 20);
    struct cu_package package = sw_package_in(p);
    uint8_t *scratch = malloc(CU_VERIFY_SCRATCH);
    const struct cu_bag_request r = { .package = &package,
                                      .trust_text = cu_buf_span(&w->place.trust_text),
                                      .verifier = &w->place.verifier,
                                      .scratch = scratch,
                                      .path = "package" };
    int exit = 1;

    ENSURE(scratch, err, CU_NO_MEMORY, "out of memory");
    const cu_status judged = cu_bag_judge(&r, false, &out, &exit, err);
    free(scratch);
    TRY(judged);
    ENSURE(exit == 0, err, CU_CORRUPT, "the package does not verify: %.*s", (int)(out.n < 600 ? out.n : 600),
           (const char *)out.p);
    return CU_OK;
}

cu_status sw_export(struct service_world *w, const char *name, struct sw_package *p, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_package_out out = sw_package_out(p);
    const struct cu_export_request r = { .names = &name,
                                         .n = 1,
                                         .recipient = cu_span_str("court"),
                                         .parts = cu_span_str(p->parts ? p->parts : "unfiled/1:5000-20000") };
    struct cu_exported told;
    struct cu_outcome outcome = { 0 };
    char hex[65];

    TRY(cu_export(&w->place, &r, &out, &told, err));
    CU_ASSERT(p->finished);
    cu_hash_hex(&told.disclosure, hex);
    TRY(cu_lookup(&w->place, cu_span_str(hex), &found, err));
    outcome.seq = found.row.seq;
    outcome.leaf = found.row.leaf;
    TRY(sw_recorded(w, CU_KIND_DISCLOSURE, &outcome, err));
    return sw_package_judge(w, p, err);
}
