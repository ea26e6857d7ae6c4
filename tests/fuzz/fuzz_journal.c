/* The engine's own files. First byte 0: the rest is a head slot and a journal file as they come. Otherwise: the rest, cut into payloads, is
 * framed, and one bit of the frames is turned over: what is read back before the damage is what was written, and the damage is seen. */
#include "engine/embedded/journal.h"

#include <stdlib.h>

struct bytes {
    struct cu_file base;
    struct cu_span bytes;
};

static cu_status read_at(struct cu_file *f, uint64_t at, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct cu_span b = ((struct bytes *)(void *)f)->bytes;
    (void)err;

    *ret_n = at >= b.n ? 0 : b.n - at < n ? (size_t)(b.n - at) : n;
    if (*ret_n) memcpy(ret, b.p + at, *ret_n);
    return CU_OK;
}

static const struct cu_file_ops ops = { .read_at = read_at };

static void raw(const uint8_t *p, size_t n)
{
    uint8_t slot[CU_HEAD_SLOT] = { 0 };
    struct bytes file = { { &ops }, cu_span(p, n) };
    CU_CLEANUP(cu_journal_scan_free)
    struct cu_journal_scan scan = cu_journal_scan_start(&file.base, "journal", n > 8 ? p[8] : 0, 0, n, CU_SEQ_ANY);
    struct cu_journal_frame frame;
    struct cu_head head;
    uint64_t generation;
    bool more = true;

    memcpy(slot, p, n < sizeof slot ? n : sizeof slot);
    if (cu_head_slot_read(slot, 0, &head, NULL) == CU_OK) CU_ASSERT(head.number % 2 == 0);
    if (cu_journal_header(&file.base, "journal", 0, CU_JOURNAL_BYTES_MIN, &generation, NULL) == CU_OK)
        CU_ASSERT(n >= CU_JOURNAL_HEADER);
    while (more && cu_journal_scan_next(&scan, &frame, &more, NULL) == CU_OK) CU_ASSERT(scan.at <= scan.end);
}

/* Payload i is in[at[i] .. at[i+1]): one to 64 bytes. */
static size_t frame_all(struct cu_span in, struct cu_buf *out)
{
    size_t n = 0;

    for (size_t at = 0, len; at < in.n; at += len, n++) {
        len = 1 + in.p[at] % 64u;
        if (len > in.n - at) len = in.n - at;
        cu_journal_frame_put(out, n % 3 == 2 ? CU_FRAME_BLOCK : CU_FRAME_RECORD, 5, (cu_seq){ 100 + n }, cu_span(in.p + at, len));
    }
    return n;
}

static void flipped(uint16_t bit, struct cu_span in)
{
    CU_BUF out = cu_buf_heap(1 << 24);
    struct bytes file = { { &ops }, CU_SPAN_EMPTY };
    struct cu_journal_frame frame;
    size_t met = 0, at = 0;
    bool more = true;

    size_t n = frame_all(in, &out);
    if (n == 0) return;
    out.p[bit / 8 % out.n] ^= (uint8_t)(1u << bit % 8);
    file.bytes = cu_buf_span(&out);
    CU_CLEANUP(cu_journal_scan_free) struct cu_journal_scan scan = cu_journal_scan_start(&file.base, "journal", 5, 0, out.n, 100);
    while (cu_journal_scan_next(&scan, &frame, &more, NULL) == CU_OK && more) {
        CU_ASSERT(cu_span_eq(frame.payload, cu_span(in.p + at, frame.payload.n)) && frame.seq.v == 100 + met);
        at += frame.payload.n;
        met++;
    }
    CU_ASSERT(met < n && scan.at <= bit / 8 % out.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n > 0 && p[0] == 0) raw(p + 1, n - 1);
    else if (n > 3) flipped(cu_be16(p + 1), cu_span(p + 3, n - 3));
    return 0;
}
