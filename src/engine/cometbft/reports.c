/* A report in the file: height (8), kind (1), address (20). */
#include "engine/cometbft/reports.h"

#include "engine/cometbft/chain.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define REPORT 29u

struct cu_reports {
    const struct cu_fs *fs;
    char path[256], incoming[256];
    pthread_mutex_t lock;
    size_t n;
    struct cu_misbehaviour item[CU_REPORTS_MAX];
};

static bool same(const struct cu_misbehaviour *a, const struct cu_misbehaviour *b)
{
    return a->height == b->height && a->kind == b->kind && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static size_t find(const struct cu_reports *r, const struct cu_misbehaviour *what)
{
    size_t i = 0;

    while (i < r->n && !same(&r->item[i], what)) i++;
    return i;
}

static cu_status keep(const struct cu_reports *r, struct cu_err *err)
{
    CU_BUF records = cu_buf_heap(CU_REPORTS_MAX * REPORT), file = cu_buf_heap(CU_HEIGHT_HEADER + CU_REPORTS_MAX * REPORT);
    uint8_t p[REPORT];

    for (size_t i = 0; i < r->n; i++) {
        cu_put_be64(p, r->item[i].height);
        p[8] = r->item[i].kind;
        memcpy(p + 9, r->item[i].address, sizeof r->item[i].address);
        cu_buf_add(&records, CU_SPAN_OF(p));
    }
    const struct cu_height is = { .height = 1, .count = (uint32_t)r->n, .records = cu_buf_span(&records) };
    cu_height_put(&is, &file);
    TRY(cu_buf_ok(&file, err));
    return cu_fs_replace(r->fs, r->path, r->incoming, cu_buf_span(&file), true, err);
}

static cu_status add_all(struct cu_reports *r, const struct cu_pb_list *misbehavior, struct cu_err *err)
{
    const size_t before = r->n;

    for (size_t i = 0; i < misbehavior->n && r->n < CU_REPORTS_MAX; i++) {
        const struct cu_abci_misbehavior *m = &((const struct cu_abci_misbehavior *)misbehavior->items)[i];
        struct cu_misbehaviour it = { .height = (uint64_t)m->height, .kind = (uint8_t)m->type };
        if (m->validator.address.n != sizeof it.address) continue; /* of no validator */
        memcpy(it.address, m->validator.address.p, sizeof it.address);
        if (find(r, &it) == r->n) r->item[r->n++] = it;
    }
    return r->n > before ? keep(r, err) : CU_OK;
}

cu_status cu_reports_add(struct cu_reports *r, const struct cu_pb_list *misbehavior, struct cu_err *err)
{
    if (misbehavior->n == 0) return CU_OK;
    pthread_mutex_lock(&r->lock);
    const cu_status added = add_all(r, misbehavior, err);
    pthread_mutex_unlock(&r->lock);
    return added;
}

bool cu_reports_first(struct cu_reports *r, struct cu_misbehaviour *ret)
{
    pthread_mutex_lock(&r->lock);
    const bool any = r->n > 0;
    if (any) *ret = r->item[0];
    pthread_mutex_unlock(&r->lock);
    return any;
}

cu_status cu_reports_done(struct cu_reports *r, const struct cu_misbehaviour *what, struct cu_err *err)
{
    pthread_mutex_lock(&r->lock);
    const size_t at = find(r, what);
    if (at < r->n) memmove(&r->item[at], &r->item[at + 1], (--r->n - at) * sizeof *r->item);
    const cu_status kept = keep(r, err);
    pthread_mutex_unlock(&r->lock);
    return kept;
}

static cu_status read_file(struct cu_reports *r, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_HEIGHT_HEADER + CU_REPORTS_MAX * REPORT);
    struct cu_height is;

    const cu_status read = cu_fs_read(r->fs, r->path, CU_HEIGHT_HEADER + CU_REPORTS_MAX * REPORT, &file, err);
    if (read == CU_NOT_FOUND || read == CU_TOO_LARGE) return CU_OK;
    TRY(read);
    if (cu_height_read(cu_buf_span(&file), &is, NULL) != CU_OK || is.records.n != (size_t)is.count * REPORT) return CU_OK;
    for (const uint8_t *p = is.records.p; r->n < is.count; p += REPORT) {
        struct cu_misbehaviour *it = &r->item[r->n++];
        it->height = cu_be64(p);
        it->kind = p[8];
        memcpy(it->address, p + 9, sizeof it->address);
    }
    return CU_OK;
}

void cu_reports_close(struct cu_reports *r)
{
    if (!r) return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void close_at(struct cu_reports **r) { cu_reports_close(*r); }

cu_status cu_reports_open(const struct cu_fs *fs, const char *dir, struct cu_reports **ret, struct cu_err *err)
{
    CU_CLEANUP(close_at) struct cu_reports *r = calloc(1, sizeof *r);

    ENSURE(r, err, CU_NO_MEMORY, "no memory for what validators did");
    pthread_mutex_init(&r->lock, NULL);
    r->fs = fs;
    snprintf(r->path, sizeof r->path, "%s/misbehaviour", dir);
    snprintf(r->incoming, sizeof r->incoming, "%s/incoming", dir);
    TRY(read_file(r, err));
    *ret = r;
    r = NULL;
    return CU_OK;
}
