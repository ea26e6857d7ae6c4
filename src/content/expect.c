/* Digests that a form or a list says, compared with those that were computed.
 *
 * (1) Rows are sorted by path, those without one first; a path is looked up, never searched for.
 * (2) A list names its files relative to some folder that we do not know. So `a/b` is what the list says under `a/b`, or under
 *     Q`a/b` where Q is the folder that all its rows have in common, or a folder above that; the longest Q that fits counts.
 */
#include "content/expect.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

void cu_expect_free(struct cu_expect *expect)
{
    if (!expect) return;
    free(expect->rows);
    cu_buf_free(&expect->text);
    *expect = (struct cu_expect){ 0 };
}

unsigned cu_expect_algs(const struct cu_expect *expect)
{
    unsigned algs = 0;
    for (size_t i = 0; i < expect->n; i++) algs |= 1u << expect->rows[i].digest.alg;
    return algs;
}

/* ---- reading ---- */

static int compare_rows(const void *a, const void *b)
{
    const struct cu_expect_row *x = a, *y = b;
    int order = x->has_path - y->has_path;

    if (order == 0) order = cu_span_cmp(x->path, y->path);
    return order != 0 ? order : (int)x->digest.alg - (int)y->digest.alg;
}

static size_t common_bytes(struct cu_span a, struct cu_span b)
{
    size_t n = 0;
    while (n < a.n && n < b.n && a.p[n] == b.p[n]) n++;
    return n;
}

/* What sorted paths have in common their first and last have; up to a '/'. */
static struct cu_span common_folder(const struct cu_expect *e)
{
    size_t first = 0;

    while (first < e->n && !e->rows[first].has_path) first++;
    if (first == e->n) return CU_SPAN_EMPTY;
    struct cu_span a = e->rows[first].path;
    size_t n = common_bytes(a, e->rows[e->n - 1].path);
    while (n > 0 && a.p[n - 1] != '/') n--;
    return cu_span(a.p, n);
}

static bool same_digest(const struct cu_digest_value *a, const struct cu_digest_value *b)
{
    return a->alg == b->alg && memcmp(a->bytes, b->bytes, cu_digest_len(a->alg)) == 0;
}

/* The same said twice is said once; the contrary said is a fault of the form. */
static cu_status sort_rows(struct cu_expect *e, struct cu_err *err)
{
    size_t kept = 0;

    qsort(e->rows, e->n, sizeof *e->rows, compare_rows);
    for (size_t i = 0; i < e->n; i++) {
        struct cu_expect_row *last = kept > 0 ? &e->rows[kept - 1] : NULL;
        if (!last || compare_rows(last, &e->rows[i]) != 0) {
            e->rows[kept++] = e->rows[i];
            continue;
        }
        ENSURE(same_digest(&last->digest, &e->rows[i].digest), err, CU_MALFORMED,
               "the list of expected digests gives two different %s digests for one file: %.*s", cu_digest_name(last->digest.alg),
               (int)(last->path.n < 400 ? last->path.n : 400), (const char *)last->path.p);
    }
    e->n = kept;
    e->common = common_folder(e);
    return CU_OK;
}

cu_status cu_expect_read(struct cu_span argument_or_file, bool is_list, struct cu_expect *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_expect_free) struct cu_expect out = { .text = cu_buf_heap(CU_EXPECT_MAX) };

    cu_buf_add(&out.text, argument_or_file);
    TRY(cu_buf_ok(&out.text, err));
    TRY(is_list ? cu_expect_list(&out, err) : cu_expect_argument(&out, err));
    ENSURE(out.n > 0, err, CU_MALFORMED, "the list of expected digests has none");
    TRY(sort_rows(&out, err));
    *ret = out;
    out = (struct cu_expect){ 0 };
    return CU_OK;
}

/* ---- comparing ---- */

/* Index of the first row with this path (two parts, one after another); n when there is none. */
static size_t find_path(const struct cu_expect *e, struct cu_span folder, struct cu_span path)
{
    size_t low = 0, high = e->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct cu_expect_row *row = &e->rows[middle];
        struct cu_span head = cu_span(row->path.p, row->path.n < folder.n ? row->path.n : folder.n);
        int order = row->has_path ? cu_span_cmp(head, folder) : -1;
        if (order == 0) order = cu_span_cmp(cu_span(row->path.p + head.n, row->path.n - head.n), path);
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    if (low == e->n || !e->rows[low].has_path || e->rows[low].path.n != folder.n + path.n) return e->n;
    const struct cu_expect_row *row = &e->rows[low];
    bool same = cu_span_starts(row->path, folder) && cu_span_eq(cu_span(row->path.p + folder.n, path.n), path);
    return same ? low : e->n;
}

/* By (2). */
static size_t find_row(const struct cu_expect *e, struct cu_span path)
{
    size_t at = find_path(e, CU_SPAN_EMPTY, path);

    for (size_t n = e->common.n; at == e->n && n > 0; n--)
        if (e->common.p[n - 1] == '/') at = find_path(e, cu_span(e->common.p, n), path);
    return at;
}

static cu_status compare_row(struct cu_expect_row *row, struct cu_span path, const struct cu_digest_value *digests, size_t n,
                             struct cu_err *err)
{
    size_t len = cu_digest_len(row->digest.alg);
    const struct cu_digest_value *have = NULL;
    CU_BUF said = cu_buf_heap(5 * CU_DIGEST_LEN_MAX), name = cu_buf_heap(1 << 16);

    for (size_t i = 0; i < n && !have; i++)
        if (digests[i].alg == row->digest.alg) have = &digests[i];
    ENSURE(have, err, CU_USAGE, "the form gives a %s digest, which was not computed", cu_digest_name(row->digest.alg));
    row->matched = true;
    if (same_digest(have, &row->digest)) return CU_OK;
    cu_hex_put(&said, cu_span(row->digest.bytes, len));
    cu_buf_add_str(&said, ", the bytes have ");
    cu_hex_put(&said, cu_span(have->bytes, len));
    cu_text_printable(&name, path);
    return cu_fail(err, CU_BAD_HASH, "%.*s%s the form says %s %.*s: this is not what was seized, nothing was signed",
                   (int)(name.n < 400 ? name.n : 400), (const char *)name.p,
                   name.n ? ":" : "the item:", cu_digest_name(row->digest.alg), (int)said.n, (const char *)said.p);
}

cu_status cu_expect_match(const struct cu_expect *expect, struct cu_span path, const struct cu_digest_value *digests, size_t n,
                          struct cu_err *err)
{
    bool any = false;

    for (size_t i = 0; i < expect->n && !expect->rows[i].has_path; i++, any = true)
        TRY(compare_row(&expect->rows[i], path, digests, n, err));
    size_t at = find_row(expect, path);
    for (size_t i = at; i < expect->n && cu_span_eq(expect->rows[i].path, expect->rows[at].path); i++, any = true)
        TRY(compare_row(&expect->rows[i], path, digests, n, err));
    ENSURE(any, err, CU_NOT_FOUND, "%.*s is not in the list of expected digests: nothing was signed",
           (int)(path.n < 400 ? path.n : 400), (const char *)path.p);
    return CU_OK;
}

cu_status cu_expect_link(const struct cu_expect *expect, struct cu_span path, struct cu_span first, struct cu_err *err)
{
    const size_t at = find_row(expect, path), from = find_row(expect, first);

    for (size_t i = at; i < expect->n && cu_span_eq(expect->rows[i].path, expect->rows[at].path); i++) {
        for (size_t j = from; j < expect->n && cu_span_eq(expect->rows[j].path, expect->rows[from].path); j++)
            if (same_digest(&expect->rows[i].digest, &expect->rows[j].digest)) expect->rows[i].matched = true;
        ENSURE(expect->rows[i].matched, err, CU_BAD_HASH,
               "%.*s is a second name of %.*s, and the list gives it another digest: nothing was signed",
               (int)(path.n < 300 ? path.n : 300), (const char *)path.p, (int)(first.n < 300 ? first.n : 300),
               (const char *)first.p);
    }
    return CU_OK;
}

cu_status cu_expect_done(const struct cu_expect *expect, struct cu_err *err)
{
    for (size_t i = 0; i < expect->n; i++) {
        struct cu_span path = expect->rows[i].path;
        ENSURE(expect->rows[i].matched, err, CU_NOT_FOUND,
               "%.*s is in the list of expected digests, but not among what was read: nothing was signed",
               (int)(path.n < 400 ? path.n : 400), path.n ? (const char *)path.p : "a digest");
    }
    return CU_OK;
}
