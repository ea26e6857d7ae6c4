/* Frames in preallocated files of zeros.
 *
 * (1) A frame's checksum covers its header, payload and padding: every bit of it. It is SHA-256 cut to 16 bytes, the house's one
 *     hash; generation and position are in what it covers, so a frame of an earlier use of the file is not taken for a present one.
 * (2) Past the last frame of a ledger that was closed in order everything is zero. While it is in use there may be frames of an earlier
 *     use, which a scan that knows no better end does not take for its own by (1), or what a crash left of a batch.
 * (3) A file that is used again has a new generation: one more than any before.
 * (4) Whatever version a file has, its first 32 bytes and their digest lie where they lie in version 1, so a newer file is told
 *     from a damaged one.
 */
#include "engine/embedded/journal.h"

#include "custody/limits.h"

#include <stdlib.h>

#define PIECE (256u << 10) /* read or zeroed at a time; more than any frame */
#define CHECKSUM 16u
#define MAGIC "cu-jrnl\n"
#define TAG_HEADER "custody/journal/v1\n"
#define TAG_FRAME "custody/frame/v1\n"

/* ---- frames ----  u32 length, u8 type, 3 zeros, u64 generation, u64 seq, 16 checksum, payload, padding */

static cu_hash frame_checksum(const uint8_t *header, struct cu_span rest)
{
    const struct cu_span parts[] = { cu_span_str(TAG_FRAME), cu_span(header, CU_FRAME_HEADER - CHECKSUM), rest };
    return cu_sha256_parts(parts, 3);
}

void cu_journal_frame_put(struct cu_buf *out, enum cu_frame_type type, uint64_t generation, cu_seq seq, struct cu_span payload)
{
    size_t size = cu_journal_frame_size(payload.n);
    uint8_t *p = cu_buf_grow(out, size);

    if (!p) return;
    memset(p, 0, CU_FRAME_HEADER);
    memset(p + size - 8, 0, 8);
    cu_put_be32(p, (uint32_t)payload.n);
    p[4] = (uint8_t)type;
    cu_put_be64(p + 8, generation);
    cu_put_be64(p + 16, seq.v);
    memcpy(p + CU_FRAME_HEADER, payload.p, payload.n);
    cu_hash sum = frame_checksum(p, cu_span(p + CU_FRAME_HEADER, size - CU_FRAME_HEADER));
    memcpy(p + CU_FRAME_HEADER - CHECKSUM, sum.b, CHECKSUM);
}

struct cu_journal_scan cu_journal_scan_start(struct cu_file *file, const char *path, uint64_t generation, uint64_t from,
                                             uint64_t end, uint64_t seq)
{
    return (struct cu_journal_scan){ file, path, generation, from, end, seq, cu_buf_heap(PIECE), from };
}

void cu_journal_scan_free(struct cu_journal_scan *scan) { cu_buf_free(&scan->window); }

/* The bytes from scan->at on, as many as there are up to `n`: in the window, or read anew. */
static cu_status look(struct cu_journal_scan *scan, size_t n, struct cu_span *ret, struct cu_err *err)
{
    uint64_t skip = scan->at - scan->window_at;

    if (skip > scan->window.n || scan->window.n - skip < n) {
        size_t want = scan->end - scan->at < PIECE ? (size_t)(scan->end - scan->at) : PIECE, got = 0;
        cu_buf_clear(&scan->window);
        uint8_t *p = cu_buf_grow(&scan->window, want);
        TRY(cu_buf_ok(&scan->window, err));
        TRY(scan->file->ops->read_at(scan->file, scan->at, p, want, &got, err));
        scan->window.n = got;
        scan->window_at = scan->at;
        skip = 0;
    }
    size_t have = scan->window.n - (size_t)skip;
    *ret = cu_span(scan->window.p + skip, have < n ? have : n);
    return CU_OK;
}

/* Is it a frame of this use of the file, whole and in its place? */
static bool frame_good(const struct cu_journal_scan *scan, struct cu_span bytes, uint32_t n)
{
    const uint8_t *p = bytes.p;
    cu_hash sum = frame_checksum(p, cu_span(p + CU_FRAME_HEADER, bytes.n - CU_FRAME_HEADER));
    static const uint8_t zero[8];

    return memcmp(p + CU_FRAME_HEADER - CHECKSUM, sum.b, CHECKSUM) == 0 && (p[4] == CU_FRAME_RECORD || p[4] == CU_FRAME_BLOCK) &&
           memcmp(p + 5, zero, 3) == 0 && cu_be64(p + 8) == scan->generation &&
           (scan->seq == CU_SEQ_ANY || cu_be64(p + 16) == scan->seq) &&
           memcmp(p + CU_FRAME_HEADER + n, zero, bytes.n - CU_FRAME_HEADER - n) == 0;
}

cu_status cu_journal_scan_next(struct cu_journal_scan *scan, struct cu_journal_frame *ret, bool *ret_more, struct cu_err *err)
{
    struct cu_span bytes = CU_SPAN_EMPTY;
    uint32_t n = 0;

    *ret_more = scan->at < scan->end;
    if (!*ret_more) return CU_OK;
    TRY(look(scan, CU_FRAME_HEADER, &bytes, err));
    bool good = bytes.n == CU_FRAME_HEADER;
    if (good) n = cu_be32(bytes.p), good = n > 0 && n <= CU_RECORD_MAX;
    if (good) {
        TRY(look(scan, cu_journal_frame_size(n), &bytes, err));
        good = bytes.n == cu_journal_frame_size(n) && frame_good(scan, bytes, n);
    }
    ENSURE(good, err, CU_CORRUPT, "%s is damaged at byte %llu", scan->path, (unsigned long long)scan->at);

    *ret = (struct cu_journal_frame){ bytes.p[4], { cu_be64(bytes.p + 16) }, cu_span(bytes.p + CU_FRAME_HEADER, n) };
    scan->at += bytes.n;
    scan->seq = ret->seq.v + 1;
    return CU_OK;
}

/* ---- one file ----  magic, u32 version, u32 number, u64 generation, u64 bytes, 32 digest */

static cu_hash header_digest(const uint8_t *p)
{
    const struct cu_span parts[] = { cu_span_str(TAG_HEADER), cu_span(p, 32) };
    return cu_sha256_parts(parts, 2);
}

cu_status cu_journal_begin(struct cu_file *file, unsigned number, uint64_t generation, uint64_t bytes, struct cu_err *err)
{
    uint8_t p[CU_JOURNAL_HEADER] = MAGIC;

    cu_put_be32(p + 8, CU_JOURNAL_VERSION);
    cu_put_be32(p + 12, number);
    cu_put_be64(p + 16, generation);
    cu_put_be64(p + 24, bytes);
    cu_hash digest = header_digest(p);
    memcpy(p + 32, digest.b, 32);
    return file->ops->write_at(file, 0, CU_SPAN_OF(p), err);
}

cu_status cu_journal_header(struct cu_file *file, const char *path, unsigned number, uint64_t bytes, uint64_t *ret_generation,
                            struct cu_err *err)
{
    uint8_t p[CU_JOURNAL_HEADER];
    size_t got = 0;

    TRY(file->ops->read_at(file, 0, p, sizeof p, &got, err));
    bool good = got == sizeof p && memcmp(p, MAGIC, 8) == 0;
    if (good) {
        cu_hash digest = header_digest(p);
        good = memcmp(p + 32, digest.b, 32) == 0;
    }
    ENSURE(good, err, CU_CORRUPT, "%s is damaged at byte 0", path);
    ENSURE(cu_be32(p + 8) <= CU_JOURNAL_VERSION, err, CU_NEWER_FORMAT, "%s was written by a newer version", path);
    ENSURE(cu_be32(p + 12) == number && cu_be64(p + 24) == bytes, err, CU_CORRUPT, "%s is another ledger's or another file",
           path);
    *ret_generation = cu_be64(p + 16);
    return CU_OK;
}

static void free_bytes(uint8_t **p) { free(*p); }

cu_status cu_journal_zero(struct cu_file *file, uint64_t from, uint64_t to, struct cu_err *err)
{
    CU_CLEANUP(free_bytes) uint8_t *zeros = calloc(1, PIECE);
    ENSURE(zeros, err, CU_NO_MEMORY, "no memory to clear the journal");

    for (uint64_t at = from; at < to; at += PIECE)
        TRY(file->ops->write_at(file, at, cu_span(zeros, to - at < PIECE ? (size_t)(to - at) : PIECE), err));
    return CU_OK;
}

cu_status cu_journal_slack(struct cu_file *file, uint64_t from, uint64_t to, uint64_t *ret, struct cu_err *err)
{
    CU_CLEANUP(free_bytes) uint8_t *p = malloc(PIECE);
    ENSURE(p, err, CU_NO_MEMORY, "no memory to read the journal");

    for (uint64_t at = from; at < to;) {
        size_t want = to - at < PIECE ? (size_t)(to - at) : PIECE, got = 0, i = 0;
        TRY(file->ops->read_at(file, at, p, want, &got, err));
        bool zero = got > 0 && p[0] == 0 && memcmp(p, p + 1, got - 1) == 0;
        while (!zero && i < got && p[i] == 0) i++;
        if (!zero) return *ret = at + i, CU_OK;
        at += got;
    }
    *ret = to;
    return CU_OK;
}
