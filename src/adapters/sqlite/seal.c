/* The seal of the index: what its file was when a writer closed it, as digests of its ranges; emptied before a writer writes.
 *
 *     64 hexadecimal digits and \n: SHA-256 of the rest    length of the file (8)    SHA-256 of each 64 KiB of it (32 each)
 *
 * The index is derived and nobody trusts it; the seal only tells an index that was closed cleanly and then altered from one whose
 * writer was interrupted. A writer that closes reads again what it wrote: every page goes through the write-ahead log, whose frames
 * say which. After an unclean end the next writer that closes reads all of it.
 */
#include "internal.h"

#include "custody/digest.h"
#include "custody/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEAL ".seal"
#define LINE 65u /* 64 digits and \n */
#define RANGE 65536u
#define SEAL_MAX (1u << 27) /* of an index of 256 GiB */
#define WAL_HEAD 32
#define FRAME_HEAD 24

static int open_beside(const char *path, const char *suffix, int flags)
{
    char name[4200];

    if ((size_t)snprintf(name, sizeof name, "%s%s", path, suffix) >= sizeof name) return -1;
    return open(name, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
}
#define FD CU_CLEANUP(close_fd) int

/* ---- what changed ---- */

static void mark_range(struct index_seal *s, uint64_t range)
{
    if (!s->dirty.max) s->dirty = cu_buf_heap(SEAL_MAX);
    if (range >= s->dirty.n) {
        size_t from = s->dirty.n;
        uint8_t *p = cu_buf_grow(&s->dirty, range + 1 - from);
        if (p) memset(p, 0, range + 1 - from);
    }
    if (cu_buf_ok(&s->dirty, NULL) == CU_OK) s->dirty.p[range] = 1;
    else cu_buf_clear(&s->was); /* all of them, then */
}

/* Frames of an earlier round behind the present ones bear another salt. */
static void mark_frames(struct sqlite_index *x)
{
    FD fd = open_beside(x->path, "-wal", O_RDONLY);
    uint8_t head[WAL_HEAD], salt[8];

    if (fd < 0 || pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head) return;
    const uint64_t page = cu_be32(head + 8);
    memcpy(salt, head + 16, sizeof salt);
    for (off_t at = WAL_HEAD; pread(fd, head, FRAME_HEAD, at) == FRAME_HEAD; at += (off_t)(FRAME_HEAD + page)) {
        if (memcmp(head + 8, salt, sizeof salt) != 0) return;
        if (cu_be32(head) > 0) mark_range(&x->seal, (cu_be32(head) - 1) * page / RANGE);
    }
}

bool index_checkpoint(struct sqlite_index *x)
{
    int frames = 0, moved = 0;

    mark_frames(x);
    return sqlite3_wal_checkpoint_v2(x->db, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &moved) == SQLITE_OK && frames == moved;
}

/* ---- digests ---- */

static cu_status open_file(const char *path, int *ret, uint64_t *ret_size, struct cu_err *err)
{
    struct stat st;

    *ret = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ENSURE(*ret >= 0 || errno != ELOOP, err, CU_CORRUPT, "the search index is a link: something else was put in its place");
    ENSURE(*ret >= 0, err, errno == ENOENT ? CU_NOT_FOUND : CU_IO, "cannot read the search index %s", path);
    ENSURE(fstat(*ret, &st) == 0 && S_ISREG(st.st_mode), err, CU_CORRUPT,
           "the search index is not a regular file: something else was put in its place");
    *ret_size = (uint64_t)st.st_size;
    return CU_OK;
}

static bool is_known(const struct index_seal *s, uint64_t range)
{
    return s && (range + 1) * sizeof(cu_hash) <= s->was.n && !(range < s->dirty.n && s->dirty.p[range]);
}

/* The seal of the file as it lies there: of the ranges that `known` (NULL: none) has and that nobody wrote to, what it says. */
static cu_status make_seal(const char *path, const struct index_seal *known, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF piece = cu_buf_heap(RANGE);
    uint8_t *p = cu_buf_grow(&piece, RANGE), length[8];
    char line[LINE + 1];
    FD fd = -1;
    uint64_t size;

    TRY(cu_buf_ok(&piece, err));
    TRY(open_file(path, &fd, &size, err));
    memset(line, 0, sizeof line);
    cu_put_be64(length, size);
    cu_buf_add(ret, cu_span(line, LINE));
    cu_buf_add(ret, CU_SPAN_OF(length));
    for (uint64_t i = 0; i * RANGE < size; i++) {
        const size_t n = size - i * RANGE < RANGE ? (size_t)(size - i * RANGE) : RANGE;
        cu_hash digest;
        if (n == RANGE && is_known(known, i)) memcpy(digest.b, known->was.p + i * sizeof digest, sizeof digest.b);
        else {
            ENSURE(pread(fd, p, n, (off_t)(i * RANGE)) == (ssize_t)n, err, CU_IO, "cannot read the search index %s", path);
            digest = cu_sha256(cu_span(p, n));
        }
        cu_buf_add(ret, cu_span_hash(&digest));
    }
    TRY(cu_buf_ok(ret, err));
    const cu_hash whole = cu_sha256(cu_span(ret->p + LINE, ret->n - LINE));
    cu_hash_hex(&whole, line);
    line[LINE - 1] = '\n';
    memcpy(ret->p, line, LINE);
    return CU_OK;
}

/* ---- the seal's own file ---- */

/* False: there is none, or it cannot be read. Empty: taken off. */
static bool read_seal(const char *path, struct cu_buf *ret)
{
    FD fd = open_beside(path, SEAL, O_RDONLY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size > SEAL_MAX) return false;
    uint8_t *p = cu_buf_grow(ret, (size_t)st.st_size);
    return st.st_size == 0 || (p && pread(fd, p, ret->n, 0) == (ssize_t)ret->n);
}

/* Its line is right for what follows it. */
static bool is_sound(struct cu_span seal)
{
    char line[LINE];

    if (seal.n < LINE + 8) return false;
    const cu_hash whole = cu_sha256(cu_span(seal.p + LINE, seal.n - LINE));
    cu_hash_hex(&whole, line);
    return memcmp(seal.p, line, LINE - 1) == 0 && seal.p[LINE - 1] == '\n';
}

cu_status index_unseal(struct sqlite_index *x, struct cu_err *err)
{
    CU_BUF seal = cu_buf_heap(SEAL_MAX);

    if (x->seal.off || !x->path) return CU_OK;
    if (read_seal(x->path, &seal) && is_sound(cu_buf_span(&seal))) {
        x->seal.was = cu_buf_heap(SEAL_MAX);
        cu_buf_add(&x->seal.was, cu_span(seal.p + LINE + 8, seal.n - LINE - 8));
    }
    FD fd = open_beside(x->path, SEAL, O_WRONLY | O_CREAT | O_TRUNC);
    ENSURE(fd >= 0, err, CU_IO, "cannot take the seal off the search index %s", x->path);
    x->seal.off = true;
    return CU_OK;
}

void index_seal(struct sqlite_index *x)
{
    CU_BUF seal = cu_buf_heap(SEAL_MAX);

    if (make_seal(x->path, &x->seal, &seal, NULL) != CU_OK) return; /* not sealed: as after an unclean end */
    FD fd = open_beside(x->path, SEAL, O_WRONLY);
    if (fd >= 0 && write(fd, seal.p, seal.n) != (ssize_t)seal.n) (void)!ftruncate(fd, 0);
}

cu_status cu_sqlite_index_check(const char *path, char ret_where[4200], struct cu_err *err)
{
    CU_BUF seal = cu_buf_heap(SEAL_MAX), found = cu_buf_heap(SEAL_MAX);
    const bool there = read_seal(path, &seal);
    const bool missing = access(path, F_OK) != 0 && errno == ENOENT;

    snprintf(ret_where, 4200, "%s" SEAL, path);
    if ((there && seal.n == 0) || (!there && missing)) return CU_OK;
    ENSURE(there, err, CU_CORRUPT, "the seal of the search index is missing");
    ENSURE(is_sound(cu_buf_span(&seal)), err, CU_CORRUPT, "the seal of the search index is damaged");
    snprintf(ret_where, 4200, "%s", path);
    ENSURE(!missing, err, CU_CORRUPT, "the search index is missing (it is derived: nothing of the evidence depends on it)");
    TRY(make_seal(path, NULL, &found, err));
    ENSURE(cu_span_eq(cu_buf_span(&seal), cu_buf_span(&found)), err, CU_CORRUPT,
           "the search index was altered since it was closed (it is derived: nothing of the evidence depends on it)");
    return CU_OK;
}
