/* Lists of digests as other people's tools write them. Each form is a reader of one line; the first line says which form it is.
 *
 *     HEX  path          HEX *path           md5sum, sha1sum, sha256sum, sha512sum; a leading '\' says that the path has escapes
 *     ALG:HEX  path                          the same, where the length does not tell the algorithm (SM3)
 *     ALG (path) = HEX   ALG(path)= HEX      BSD's tools, --tag, openssl dgst
 *     %%%% HASHDEEP-1.0                      hashdeep: a line of columns, comments, then rows of commas; the path is the last
 *     MD5 checksum: HEX                      a report of FTK Imager: of one item, among much other text
 */
#include "content/expect.h"

#include "custody/text.h"

#include <ctype.h>
#include <stdlib.h>

struct list {
    struct cu_expect *e;
    size_t line;
    enum cu_digest_alg column[16]; /* hashdeep: of each column; NONE: something else */
    size_t columns;
    bool hashdeep;
};

static cu_status add_row(struct cu_expect *e, const struct cu_digest_value *digest, struct cu_span path, bool has_path,
                         struct cu_err *err)
{
    if (e->n == e->cap) {
        size_t cap = e->cap ? 2 * e->cap : 64;
        struct cu_expect_row *rows = realloc(e->rows, cap * sizeof *rows);
        ENSURE(rows, err, CU_NO_MEMORY, "no memory for a list of digests");
        e->rows = rows;
        e->cap = cap;
    }
    if (cu_span_starts(path, cu_span_str("./"))) path = cu_span(path.p + 2, path.n - 2);
    e->rows[e->n++] = (struct cu_expect_row){ .digest = *digest, .path = path, .has_path = has_path };
    return CU_OK;
}

/* ---- pieces of a line ---- */

static struct cu_span trim(struct cu_span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) s.p++, s.n--;
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* People copy digests in either case. */
static bool read_hex(struct cu_span hex, enum cu_digest_alg alg, struct cu_digest_value *ret)
{
    size_t n = cu_digest_len(alg);
    char lower[2 * CU_DIGEST_LEN_MAX];

    if (n == 0 || hex.n != 2 * n) return false;
    for (size_t i = 0; i < hex.n; i++) lower[i] = (char)tolower(hex.p[i]);
    *ret = (struct cu_digest_value){ .alg = alg };
    return cu_hex_read(cu_span(lower, hex.n), ret->bytes, n, NULL) == CU_OK;
}

static enum cu_digest_alg alg_of_length(size_t digits)
{
    static const enum cu_digest_alg algs[] = { CU_DIGEST_MD5, CU_DIGEST_SHA1, CU_DIGEST_SHA256, CU_DIGEST_SHA512 };

    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++)
        if (digits == 2 * cu_digest_len(algs[i])) return algs[i];
    return CU_DIGEST_NONE;
}

/* openssl says SHA2-256 for SHA-256. */
static enum cu_digest_alg alg_of_name(struct cu_span name)
{
    if (cu_span_is(name, "SHA2-256")) return CU_DIGEST_SHA256;
    if (cu_span_is(name, "SHA2-512")) return CU_DIGEST_SHA512;
    return cu_digest_by_name(name);
}

/* "ALG:HEX", or HEX alone. */
static bool read_digest(struct cu_span text, struct cu_digest_value *ret)
{
    struct cu_span rest = text, name;

    if (!cu_span_split(&rest, ':', &name)) return read_hex(text, alg_of_length(text.n), ret);
    return read_hex(rest, alg_of_name(name), ret);
}

/* A path with escapes, rewritten where it lies: it only gets shorter. The text is ours. */
static bool unescape(struct cu_expect *e, struct cu_span *path)
{
    uint8_t *p = e->text.p + (path->p - e->text.p);
    size_t n = 0;

    for (size_t i = 0; i < path->n; i++) {
        uint8_t c = p[i];
        if (c == '\\') {
            if (++i == path->n) return false;
            c = p[i] == 'n' ? '\n' : p[i] == 'r' ? '\r' : p[i] == '\\' ? '\\' : 0;
            if (c == 0) return false;
        }
        p[n++] = c;
    }
    path->n = n;
    return true;
}

/* A path of Windows: "C:\a\b" and ".\a\b" have '/' here. */
static struct cu_span from_windows(struct cu_expect *e, struct cu_span path)
{
    bool drive = path.n >= 3 && isalpha(path.p[0]) && path.p[1] == ':' && path.p[2] == '\\',
         dot = path.n >= 2 && path.p[0] == '.' && path.p[1] == '\\';

    for (size_t i = 0; (drive || dot) && i < path.n; i++)
        if (path.p[i] == '\\') e->text.p[path.p - e->text.p + (ptrdiff_t)i] = '/';
    return path;
}

/* ---- lines ---- */

static cu_status bad_line(const struct list *l, const char *what, struct cu_err *err)
{
    return cu_fail(err, CU_MALFORMED, "list of expected digests: line %zu: %s", l->line, what);
}

static bool split_tagged(struct cu_span line, struct cu_span *alg, struct cu_span *path, struct cu_span *hex)
{
    const uint8_t *open = memchr(line.p, '(', line.n);
    size_t close = line.n;

    if (!open) return false;
    while (close > 0 && line.p[close - 1] != '=') close--; /* the path may hold anything: the last '=' counts */
    if (close == 0) return false;
    *hex = trim(cu_span(line.p + close, line.n - close));
    struct cu_span head = trim(cu_span(line.p, close - 1));
    size_t start = (size_t)(open - line.p) + 1;
    if (head.n <= start || head.p[head.n - 1] != ')') return false;
    *alg = trim(cu_span(line.p, start - 1));
    *path = cu_span(line.p + start, head.n - 1 - start);
    return path->n > 0;
}

static cu_status read_tagged(struct list *l, struct cu_span line, bool escaped, bool *ret_is, struct cu_err *err)
{
    struct cu_span alg, path, hex;
    struct cu_digest_value digest;

    *ret_is = split_tagged(line, &alg, &path, &hex) && alg_of_name(alg) != CU_DIGEST_NONE &&
              read_hex(hex, alg_of_name(alg), &digest);
    if (!*ret_is) return CU_OK;
    if (escaped && !unescape(l->e, &path)) return bad_line(l, "an escape in the path that is none", err);
    return add_row(l->e, &digest, path, true, err);
}

static cu_status read_sum_line(struct list *l, struct cu_span line, struct cu_err *err)
{
    bool escaped = line.p[0] == '\\', tagged;
    struct cu_digest_value digest;
    struct cu_span hex;

    if (escaped) line = cu_span(line.p + 1, line.n - 1);
    TRY(read_tagged(l, line, escaped, &tagged, err));
    if (tagged) return CU_OK;
    struct cu_span rest = line;
    if (!cu_span_split(&rest, ' ', &hex)) {
        if (!read_digest(line, &digest)) return bad_line(l, "neither a digest nor a digest and a path", err);
        return add_row(l->e, &digest, CU_SPAN_EMPTY, false, err);
    }
    if (!read_digest(hex, &digest)) return bad_line(l, "it does not begin with a digest", err);
    if (rest.n < 2 || (rest.p[0] != ' ' && rest.p[0] != '*'))
        return bad_line(l, "two spaces, or a space and a star, stand before the path", err);
    struct cu_span path = from_windows(l->e, cu_span(rest.p + 1, rest.n - 1));
    if (escaped && !unescape(l->e, &path)) return bad_line(l, "an escape in the path that is none", err);
    return add_row(l->e, &digest, path, true, err);
}

/* ---- hashdeep ---- */

static cu_status read_columns(struct list *l, struct cu_span line, struct cu_err *err)
{
    struct cu_span name, rest = cu_span(line.p + 5, line.n - 5);

    for (l->columns = 0; cu_span_split(&rest, ',', &name);) {
        if (l->columns + 1 == sizeof l->column / sizeof *l->column) return bad_line(l, "too many columns", err);
        l->column[l->columns++] = alg_of_name(name);
    }
    if (!cu_span_is(rest, "filename")) return bad_line(l, "the last column is not filename", err);
    l->columns++;
    return CU_OK;
}

static cu_status read_hashdeep_row(struct list *l, struct cu_span line, struct cu_err *err)
{
    struct cu_span field[16];
    struct cu_digest_value digest;

    if (l->columns == 0) return bad_line(l, "a row before the line of columns", err);
    for (size_t i = 0; i + 1 < l->columns; i++)
        if (!cu_span_split(&line, ',', &field[i])) return bad_line(l, "columns are missing", err);
    if (line.n == 0) return bad_line(l, "a row without a path", err);
    struct cu_span path = from_windows(l->e, line);
    for (size_t i = 0; i + 1 < l->columns; i++) {
        if (l->column[i] == CU_DIGEST_NONE) continue; /* the size, or an algorithm that we do not have */
        if (!read_hex(field[i], l->column[i], &digest)) return bad_line(l, "a digest of the wrong form", err);
        TRY(add_row(l->e, &digest, path, true, err));
    }
    return CU_OK;
}

static cu_status read_hashdeep_line(struct list *l, struct cu_span line, struct cu_err *err)
{
    if (cu_span_starts(line, cu_span_str("%%%% HASHDEEP-"))) return CU_OK;
    if (cu_span_starts(line, cu_span_str("%%%% "))) return read_columns(l, line, err);
    return cu_span_starts(line, cu_span_str("##")) ? CU_OK : read_hashdeep_row(l, line, err);
}

/* ---- FTK Imager ---- */

/* " MD5 checksum:    d41d… : verified" */
static cu_status read_ftk_line(struct list *l, struct cu_span line, struct cu_err *err)
{
    static const char word[] = " checksum:";
    struct cu_span rest = trim(line), hex;
    const uint8_t *at = memmem(rest.p, rest.n, word, sizeof word - 1);
    struct cu_digest_value digest;

    if (!at) return CU_OK;
    enum cu_digest_alg alg = alg_of_name(cu_span(rest.p, (size_t)(at - rest.p)));
    rest = trim(cu_span(at + sizeof word - 1, (size_t)(rest.p + rest.n - at) - (sizeof word - 1)));
    if (!cu_span_split(&rest, ' ', &hex)) hex = rest;
    if (alg == CU_DIGEST_NONE || !read_hex(hex, alg, &digest)) return bad_line(l, "a checksum of the wrong form", err);
    return add_row(l->e, &digest, CU_SPAN_EMPTY, false, err);
}

/* ---- the whole ---- */

typedef cu_status (*line_reader)(struct list *l, struct cu_span line, struct cu_err *err);

static line_reader form_of(struct cu_span text)
{
    if (cu_span_starts(text, cu_span_str("%%%% HASHDEEP-1."))) return read_hashdeep_line;
    if (text.n > 0 && memmem(text.p, text.n, "FTK", 3) && memmem(text.p, text.n, " checksum:", 10)) return read_ftk_line;
    return read_sum_line;
}

/* Lines may end as Windows ends them, and the last need not end. */
static bool next_line(struct cu_span *rest, struct cu_span *ret)
{
    if (rest->n == 0) return false;
    if (!cu_span_split(rest, '\n', ret)) *ret = *rest, *rest = CU_SPAN_EMPTY;
    if (ret->n > 0 && ret->p[ret->n - 1] == '\r') ret->n--;
    return true;
}

cu_status cu_expect_list(struct cu_expect *e, struct cu_err *err)
{
    struct list l = { .e = e };
    struct cu_span rest = cu_buf_span(&e->text), line;

    if (cu_span_starts(rest, cu_span_str("\xef\xbb\xbf"))) rest = cu_span(rest.p + 3, rest.n - 3);
    line_reader read_line = form_of(rest);
    while (next_line(&rest, &line)) {
        l.line++;
        if (line.n == 0 || (line.p[0] == '#' && read_line == read_sum_line)) continue;
        TRY(read_line(&l, line, err));
    }
    return CU_OK;
}

cu_status cu_expect_argument(struct cu_expect *e, struct cu_err *err)
{
    struct cu_digest_value digest;

    ENSURE(read_digest(trim(cu_buf_span(&e->text)), &digest), err, CU_MALFORMED,
           "an expected digest is written ALG:HEX (sha256, sha1, md5, sm3 or sha512), or @FILE for a list");
    return add_row(e, &digest, CU_SPAN_EMPTY, false, err);
}
