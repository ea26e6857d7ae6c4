/* Who waits to be enrolled. Anybody may ask, so what is kept is small and bounded: `outbox/enrolments`, rows in the form of `pending`, replaced
 * whole. It proves nothing, and is lost without harm: who asked asks again. A row leaves when its key is a member's, or after a month.
 */
#include "service/outbox.h"

#include "codec/fields.h"
#include "custody/text.h"

#include <stdio.h>

#define INCOMING CU_DIR_OUTBOX "/incoming-enrolments"
#define LOCK CU_DIR_OUTBOX "/enrolments-lock"
#define DIGITS_MIN 8
enum { ROW_MAX = CU_ENROL_REQUEST_MAX + 2048, ROWS_MAX = CU_WAITING_MAX * ROW_MAX, SAID_MAX = 8 * CU_ENROL_REQUEST_MAX };

static const struct cu_field waiting_fields[] = {
    CU_CONST(0, "application/custody-waiting+cbor"),     CU_BYTES(1, struct cu_applicant, request, 1, CU_ENROL_REQUEST_MAX),
    CU_UINT(2, struct cu_applicant, time, 0, INT64_MAX), CU_TEXT(3, struct cu_applicant, from, 0, 64),
    CU_TEXT(4, struct cu_applicant, refused, 0, 1000),
};
const struct cu_schema cu_applicant_schema = CU_SCHEMA_OF("waiting enrolment", waiting_fields, struct cu_applicant);

/* ---- the file ---- */

static cu_status read_rows(struct cu_place *p, struct cu_buf *mem, struct cu_span *ret, struct cu_err *err)
{
    const cu_status read = cu_fs_read(&p->fs, CU_FILE_ENROLMENTS, CU_PENDING_MAX, mem, err);
    uint64_t unused;

    *ret = CU_SPAN_EMPTY;
    if (read == CU_NOT_FOUND) return CU_OK;
    TRY(read);
    ENSURE(cu_pending_read(cu_buf_span(mem), &unused, ret, NULL) == CU_OK, err, CU_CORRUPT,
           CU_FILE_ENROLMENTS
           " is damaged, which holds who waits to be enrolled: `custody check --repair` puts it aside, and they "
           "ask again");
    return CU_OK;
}

/* Rows that are still of interest; and, of each that is kept or not, whether it is that of `kid`. */
struct rows {
    struct cu_place *p;
    const struct cu_members *m;
    struct cu_buf kept;
    size_t n, of_one;
    bool there;
};

static bool row_stays(const struct rows *r, const struct cu_applicant *w, cu_hash *ret_kid)
{
    const uint64_t now = cu_place_now(r->p).v;

    return cu_enrol_request_kid(w->request, ret_kid) && !cu_members_key(r->m, ret_kid) &&
           (now < w->time || now - w->time < CU_WAITING_MS);
}

/* Of the key `kid` (NULL: of none) the row is `ret`. */
static cu_status sift(struct rows *r, struct cu_span all, const cu_hash *kid, struct cu_span from, struct cu_applicant *ret,
                      struct cu_err *err)
{
    struct cu_applicant w;
    struct cu_span one;
    cu_hash its;

    for (size_t at = 0; cu_outbox_next(all, &at, &one);) {
        if (cu_schema_read(&cu_applicant_schema, one, &w, NULL) != CU_OK || !row_stays(r, &w, &its)) continue;
        if (kid && cu_hash_eq(kid, &its)) {
            r->there = true;
            *ret = w;
            continue;
        }
        r->n++;
        r->of_one += cu_span_eq(w.from, from);
        cu_buf_add(&r->kept, one);
    }
    return cu_buf_ok(&r->kept, err);
}

static cu_status write_rows(struct cu_place *p, struct cu_span rows, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_PENDING_MAX);

    TRY(cu_pending_write(0, rows, &file, err));
    return cu_fs_replace(&p->fs, CU_FILE_ENROLMENTS, INCOMING, cu_buf_span(&file), true, err);
}

static cu_status keep_one(struct rows *r, const struct cu_applicant *new, const cu_hash *kid, struct cu_buf *ret_refused,
                          struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_PENDING_MAX);
    struct cu_applicant was;
    struct cu_span rows;

    TRY(read_rows(r->p, &mem, &rows, err));
    TRY(sift(r, rows, kid, new->from, &was, err));
    if (r->there) cu_buf_add(ret_refused, was.refused);
    if (r->there) return cu_buf_ok(ret_refused, err);
    ENSURE(r->n < CU_WAITING_MAX && r->of_one < CU_WAITING_OF_ONE, err, CU_BUSY,
           "as many requests wait here as are kept%s: nothing was kept. An administrator looks at them first (`custody member ls "
           "--waiting`); or bring the request to one as a file (`custody enrol -o REQUEST`)",
           r->n < CU_WAITING_MAX ? " from one address" : "");
    TRY(cu_schema_write(&cu_applicant_schema, new, &r->kept, err));
    return write_rows(r->p, cu_buf_span(&r->kept), err);
}

cu_status cu_enrolment_keep(struct cu_place *p, const struct cu_members *m, struct cu_span request, struct cu_span from,
                            struct cu_buf *ret_refused, struct cu_err *err)
{
    const struct cu_applicant new = { .request = request, .from = from, .time = cu_place_now(p).v };
    struct rows r = { .p = p, .m = m, .kept = cu_buf_heap(ROWS_MAX) };
    cu_hash kid;
    void *lock;

    ENSURE(cu_enrol_request_kid(request, &kid), err, CU_MALFORMED, "that is no request to be enrolled: nothing was kept");
    TRY(p->fs.ops->lock(p->fs.self, LOCK, CU_OUTBOX_WAIT_MS, &lock, err));
    const cu_status kept = keep_one(&r, &new, &kid, ret_refused, err);
    p->fs.ops->unlock(p->fs.self, lock);
    cu_buf_free(&r.kept);
    return kept;
}

/* ---- asked of the node ---- */

/* What it refuses it says in a problem (RFC 9457). */
cu_status cu_remote_said(unsigned http, struct cu_span answer, struct cu_err *err)
{
    CU_BUF why = cu_buf_heap(SAID_MAX);

    if (http / 100 == 2) return CU_OK;
    const bool said = cu_fields_find(answer, "detail", &why);
    const cu_status status = http == 403                  ? CU_NOT_ALLOWED
                             : http == 404                ? CU_NOT_FOUND
                             : http == 429 || http == 503 ? CU_BUSY
                             : http / 100 == 4            ? CU_USAGE
                                                          : CU_IO;
    return cu_fail(err, status, said ? "%.*s" : "the node does not answer as one that knows this question: nothing was done",
                   (int)why.n, (const char *)why.p);
}

cu_status cu_enrolment_ask(struct cu_place *p, struct cu_span request, struct cu_buf *ret, struct cu_err *err)
{
    unsigned http;

    TRY(p->remote.ops->ask(p->remote.self, "v1/enrolments", request, &http, ret, err));
    return cu_remote_said(http, cu_buf_span(ret), err);
}

cu_status cu_enrolments_read(struct cu_place *p, const struct cu_members *m, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_PENDING_MAX), rows = cu_buf_heap(ROWS_MAX);
    struct rows r = { .p = p, .m = m, .kept = rows };
    struct cu_applicant w;
    struct cu_span all, one;
    unsigned http;

    if (p->remote.ops) {
        TRY(p->remote.ops->ask(p->remote.self, "v1/enrolments", CU_SPAN_EMPTY, &http, &mem, err));
        TRY(cu_remote_said(http, cu_buf_span(&mem), err));
        all = cu_buf_span(&mem);
    } else TRY(read_rows(p, &mem, &all, err));
    const cu_status sifted = sift(&r, all, NULL, CU_SPAN_EMPTY, &w, err);
    rows = r.kept;
    TRY(sifted);
    for (size_t at = 0; cu_outbox_next(cu_buf_span(&rows), &at, &one);)
        if (cu_schema_read(&cu_applicant_schema, one, &w, NULL) == CU_OK && w.refused.n == 0) cu_buf_add(ret, one);
    return cu_buf_ok(ret, err);
}

cu_status cu_enrolments_find(struct cu_span rows, struct cu_span digits, struct cu_applicant *ret, cu_hash *ret_kid,
                             struct cu_err *err)
{
    struct cu_span one;
    size_t n = 0;
    char hex[65];

    ENSURE(digits.n >= DIGITS_MIN && digits.n <= 64, err, CU_USAGE,
           "%.*s: neither a file nor a fingerprint, of which %d digits at least are needed: nothing was done", (int)digits.n,
           (const char *)digits.p, DIGITS_MIN);
    for (size_t at = 0; cu_outbox_next(rows, &at, &one);) {
        struct cu_applicant w;
        cu_hash kid;
        if (cu_schema_read(&cu_applicant_schema, one, &w, NULL) != CU_OK || !cu_enrol_request_kid(w.request, &kid)) continue;
        cu_hash_hex(&kid, hex);
        if (!cu_span_starts(cu_span_str(hex), digits)) continue;
        *ret = w;
        *ret_kid = kid;
        n++;
    }
    ENSURE(n <= 1, err, CU_AMBIGUOUS, "more than one request is for a key that begins so: give more digits; nothing was done");
    ENSURE(n == 1, err, CU_NOT_FOUND,
           "nobody waits to be enrolled with a key that begins so: nothing was done; `custody member ls --waiting` lists them");
    return CU_OK;
}

/* ---- refused ---- */

static cu_status refuse_here(struct rows *r, const cu_hash *kid, struct cu_span why, struct cu_err *err)
{
    CU_BUF mem = cu_buf_heap(CU_PENDING_MAX);
    struct cu_applicant was;
    struct cu_span rows;

    TRY(read_rows(r->p, &mem, &rows, err));
    TRY(sift(r, rows, kid, CU_SPAN_EMPTY, &was, err));
    ENSURE(r->there, err, CU_NOT_FOUND, "nobody waits to be enrolled with that key: nothing was done");
    was.refused = why;
    TRY(cu_schema_write(&cu_applicant_schema, &was, &r->kept, err));
    return write_rows(r->p, cu_buf_span(&r->kept), err);
}

cu_status cu_enrolment_refuse(struct cu_place *p, const struct cu_members *m, const cu_hash *kid, struct cu_span why,
                              struct cu_err *err)
{
    struct rows r = { .p = p, .m = m, .kept = cu_buf_heap(ROWS_MAX) };
    CU_BUF answer = cu_buf_heap(SAID_MAX);
    char path[100], hex[65];
    unsigned http;
    void *lock;

    ENSURE(why.n > 0 && why.n <= 1000 && cu_utf8_ok(why), err, CU_USAGE,
           "say why it is refused, in 1,000 bytes at most: the one who asked is told; nothing was done");
    if (p->remote.ops) {
        cu_hash_hex(kid, hex);
        snprintf(path, sizeof path, "v1/enrolments/%s", hex);
        TRY(p->remote.ops->ask(p->remote.self, path, why, &http, &answer, err));
        return cu_remote_said(http, cu_buf_span(&answer), err);
    }
    TRY(p->fs.ops->lock(p->fs.self, LOCK, CU_OUTBOX_WAIT_MS, &lock, err));
    const cu_status refused = refuse_here(&r, kid, why, err);
    p->fs.ops->unlock(p->fs.self, lock);
    cu_buf_free(&r.kept);
    return refused;
}
