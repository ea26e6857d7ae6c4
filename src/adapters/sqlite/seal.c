/* The seal of the index: its file's SHA-256 as a line of hex, written when a writer closes, emptied before one writes.
 *
 * The index is derived and nobody trusts it; the seal only tells an index that was closed cleanly and then altered from one whose
 * writer was interrupted. It costs one read of the file for each run that wrote to it.
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
#define LINE 65 /* 64 digits and \n */

static int open_seal(const char *path, int flags)
{
    char name[4200];

    if ((size_t)snprintf(name, sizeof name, "%s" SEAL, path) >= sizeof name) return -1;
    return open(name, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
}
#define FD CU_CLEANUP(close_fd) int

static cu_status file_digest(const char *path, char ret[LINE + 1], struct cu_err *err)
{
    static const size_t piece = 1 << 16;
    CU_BUF bytes = cu_buf_heap(piece);
    FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct cu_digest digest;
    struct stat st;
    cu_hash hash;
    ssize_t n;

    ENSURE(fd >= 0 || errno != ELOOP, err, CU_CORRUPT, "the search index is a link: something else was put in its place");
    ENSURE(fd >= 0, err, errno == ENOENT ? CU_NOT_FOUND : CU_IO, "cannot read the search index %s", path);
    ENSURE(fstat(fd, &st) == 0 && S_ISREG(st.st_mode), err, CU_CORRUPT,
           "the search index is not a regular file: something else was put in its place");
    uint8_t *p = cu_buf_grow(&bytes, piece);
    TRY(cu_buf_ok(&bytes, err));
    TRY(cu_digest_start(CU_DIGEST_SHA256, &digest, err));
    while ((n = read(fd, p, piece)) > 0) cu_digest_add(&digest, cu_span(p, (size_t)n));
    cu_digest_finish(&digest, hash.b);
    cu_digest_free(&digest);
    ENSURE(n == 0, err, CU_IO, "cannot read the search index %s", path);
    cu_hash_hex(&hash, ret);
    ret[LINE - 1] = '\n';
    return CU_OK;
}

cu_status index_unseal(struct sqlite_index *x, struct cu_err *err)
{
    if (x->unsealed || !x->path) return CU_OK;
    FD fd = open_seal(x->path, O_WRONLY | O_CREAT | O_TRUNC);
    ENSURE(fd >= 0, err, CU_IO, "cannot take the seal off the search index %s", x->path);
    x->unsealed = true;
    return CU_OK;
}

void index_seal(const struct sqlite_index *x)
{
    char line[LINE + 1];

    if (!x->unsealed || file_digest(x->path, line, NULL) != CU_OK) return; /* not sealed: as after an unclean end */
    FD fd = open_seal(x->path, O_WRONLY);
    if (fd >= 0 && write(fd, line, LINE) != LINE) (void)!ftruncate(fd, 0);
}

cu_status cu_sqlite_index_check(const char *path, char ret_where[4200], struct cu_err *err)
{
    char line[LINE + 1], seal[LINE + 2];
    FD fd = open_seal(path, O_RDONLY);
    const ssize_t n = fd >= 0 ? read(fd, seal, sizeof seal) : -1;
    const cu_status digested = file_digest(path, line, err);

    snprintf(ret_where, 4200, "%s" SEAL, path);
    if (n == 0 || (n < 0 && digested == CU_NOT_FOUND)) return CU_OK;
    ENSURE(n >= 0, err, CU_CORRUPT, "the seal of the search index is missing");
    for (ssize_t i = 0; i < n; i++)
        ENSURE(n == LINE && (i == LINE - 1 ? seal[i] == '\n' : strchr("0123456789abcdef", seal[i]) != NULL), err, CU_CORRUPT,
               "the seal of the search index is damaged");
    snprintf(ret_where, 4200, "%s", path);
    ENSURE(digested != CU_NOT_FOUND, err, CU_CORRUPT,
           "the search index is missing (it is derived: nothing of the evidence depends on it)");
    TRY(digested);
    ENSURE(memcmp(line, seal, LINE) == 0, err, CU_CORRUPT,
           "the search index was altered since it was closed (it is derived: nothing of the evidence depends on it)");
    return CU_OK;
}
