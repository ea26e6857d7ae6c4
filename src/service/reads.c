/* Reads on their way into the outbox: what a server notes of each, and no read waits for.
 *
 * (1) A row is written behind the others of `outbox/reads-0` or `-1` before the first byte of what is read goes out: whatever kills the process
 *     then, the system has it. It is synced with the next fold, so a power cut costs the rows of one tick at most.
 * (2) A fold takes the other file for what comes, and puts what stands in this one behind `outbox/access`, in one atomic, durable step; then it
 *     is emptied. Cut between, its rows are the last there, and are not put there twice.
 * (3) Each file is as large as CU_ACCESS_BYTES_MAX at most, while the ledger takes nothing: what does not fit is counted, and evidence stays readable.
 */
#include "service/reads.h"

#include <stdlib.h>

static const char *const names[] = { CU_DIR_OUTBOX "/reads-0", CU_DIR_OUTBOX "/reads-1" };

static void reads_free(struct cu_reads **io)
{
    struct cu_reads *r = *io;

    if (!r) return;
    for (int i = 0; i < 2; i++) cu_file_close(&r->file[i]);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *io = NULL;
}

cu_status cu_reads_open(struct cu_place *p, struct cu_reads **ret, struct cu_err *err)
{
    CU_CLEANUP(reads_free) struct cu_reads *r = calloc(1, sizeof *r);

    ENSURE(r, err, CU_NO_MEMORY, "no memory to note who reads");
    pthread_mutex_init(&r->lock, NULL);
    r->p = p;
    for (int i = 0; i < 2; i++) {
        TRY(p->fs.ops->open(p->fs.self, names[i], CU_OPEN_WRITE | CU_OPEN_CREATE, &r->file[i], err));
        TRY(r->file[i]->ops->size(r->file[i], &r->at[i], err));
    }
    for (int i = 0; i < 2; i++) TRY(cu_reads_fold(r, err)); /* what was left; and each of both in turn is empty now */
    *ret = r;
    r = NULL;
    return CU_OK;
}

cu_status cu_reads_recover(struct cu_place *p, struct cu_err *err)
{
    struct cu_reads *left;

    if (!cu_fs_exists(&p->fs, names[0])) return CU_OK;
    TRY(cu_reads_open(p, &left, err));
    cu_reads_close(left);
    return CU_OK;
}

void cu_reads_close(struct cu_reads *r) { reads_free(&r); }

cu_status cu_reads_note(struct cu_reads *r, const struct cu_access_row *row, struct cu_err *err)
{
    CU_BUF one = cu_buf_heap(4096);
    cu_status noted;

    TRY(cu_schema_write(&cu_access_row_schema, row, &one, err));
    pthread_mutex_lock(&r->lock);
    struct cu_file *f = r->file[r->now];
    if (r->at[r->now] + one.n > CU_ACCESS_BYTES_MAX) noted = cu_fail(err, CU_TOO_LARGE, "as many reads wait as are kept");
    else noted = f->ops->write_at(f, r->at[r->now], cu_buf_span(&one), err);
    if (noted == CU_OK) r->at[r->now] += one.n;
    pthread_mutex_unlock(&r->lock);
    return noted;
}

/* As far as it is whole: what was not synced may be anything after a power cut. */
static struct cu_span whole_rows(struct cu_span bytes)
{
    struct cu_cbor_reader in = cu_cbor_read(bytes);
    struct cu_access_row row;
    size_t whole = 0;

    while (cu_cbor_peek(&in) != CU_CBOR_END) {
        const struct cu_span one = cu_cbor_item(&in);
        if (!cu_cbor_good(&in) || cu_schema_read(&cu_access_row_schema, one, &row, NULL) != CU_OK) break;
        whole = in.at;
    }
    return cu_span(bytes.p, whole);
}

static cu_status fold(struct cu_reads *r, unsigned which, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_ACCESS_BYTES_MAX);
    struct cu_file *f = r->file[which];
    size_t got = 0;

    uint8_t *p = cu_buf_grow(&bytes, (size_t)r->at[which]);
    TRY(cu_buf_ok(&bytes, err));
    TRY(f->ops->read_at(f, 0, p, bytes.n, &got, err));
    const struct cu_span rows = whole_rows(cu_span(bytes.p, got));
    if (rows.n) TRY(cu_access_put(r->p, rows, true, err));
    TRY(f->ops->truncate(f, 0, err));
    TRY(f->ops->sync(f, err)); /* before anything is written there again: else its rows could come twice */
    r->at[which] = 0;
    return CU_OK;
}

/* One thread at a time. The other file is empty, unless an earlier fold of it failed: then that comes first. */
cu_status cu_reads_fold(struct cu_reads *r, struct cu_err *err)
{
    const unsigned now = r->now;

    if (r->at[!now]) TRY(fold(r, !now, err));
    pthread_mutex_lock(&r->lock);
    const bool any = r->at[now] > 0;
    if (any) r->now = !now;
    pthread_mutex_unlock(&r->lock);
    return any ? fold(r, now, err) : CU_OK;
}
