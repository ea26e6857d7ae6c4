/* A height's file: magic, u32 version, u32 count, u64 height, u64 time, u64 size, 32 root, u64 bytes, 32 digest, the records. */
#include "engine/cometbft/chain.h"

#include "custody/digest.h"

#define MAGIC "cu-chain"
#define TAG "custody/chain/v1\n"
#define VERSION 1u
#define DIGESTED 80u

static cu_hash digest_of(const uint8_t *header, struct cu_span records)
{
    const struct cu_span parts[] = { cu_span_str(TAG), cu_span(header, DIGESTED), records };
    return cu_sha256_parts(parts, 3);
}

void cu_height_put(const struct cu_height *h, struct cu_buf *out)
{
    uint8_t p[CU_HEIGHT_HEADER];

    memcpy(p, MAGIC, 8); // NOLINT(bugprone-not-null-terminated-result): bytes of a file
    cu_put_be32(p + 8, VERSION);
    cu_put_be32(p + 12, h->count);
    cu_put_be64(p + 16, h->height);
    cu_put_be64(p + 24, h->time.v);
    cu_put_be64(p + 32, h->size.v);
    memcpy(p + 40, h->root.b, 32);
    cu_put_be64(p + 72, h->records.n);
    const cu_hash digest = digest_of(p, h->records);
    memcpy(p + DIGESTED, digest.b, 32);
    cu_buf_add(out, CU_SPAN_OF(p));
    cu_buf_add(out, h->records);
}

/* What lies behind the records is of an older, longer file. */
cu_status cu_height_read(struct cu_span bytes, struct cu_height *ret, struct cu_err *err)
{
    const uint8_t *p = bytes.p;

    ENSURE(bytes.n >= CU_HEIGHT_HEADER && memcmp(p, MAGIC, 8) == 0 && cu_be64(p + 72) <= bytes.n - CU_HEIGHT_HEADER, err,
           CU_CORRUPT, "a height's file is torn or damaged");
    struct cu_height h = { .height = cu_be64(p + 16),
                           .time = { cu_be64(p + 24) },
                           .size = { cu_be64(p + 32) },
                           .count = cu_be32(p + 12),
                           .records = cu_span(p + CU_HEIGHT_HEADER, (size_t)cu_be64(p + 72)) };
    memcpy(h.root.b, p + 40, 32);
    const cu_hash digest = digest_of(p, h.records);
    ENSURE(memcmp(p + DIGESTED, digest.b, 32) == 0, err, CU_CORRUPT, "a height's file is torn or damaged");
    ENSURE(cu_be32(p + 8) == VERSION, err, CU_NEWER_FORMAT, "a height's file was written by a newer version");
    ENSURE(h.height > 0 && (h.count == 0) == (h.records.n == 0), err, CU_CORRUPT, "a height's file says what no engine writes");
    *ret = h;
    return CU_OK;
}
