/* How far the journal is acknowledged: two slots, written in turn, each synced before the next thing happens.
 *
 * (1) A slot is its bytes, their digest, and zeros up to 4096: every bit is judged. The newest good slot counts.
 * (2) Consecutive heads differ by one step (a batch, a drain, a mark), so the older slot is at most one step behind: what that
 *     step acknowledged is found again above the older slot's end (recover.c). Before a step that destroys anything the same head
 *     is written to both slots.
 * (3) Whatever version a slot has, its first 176 bytes and their digest lie where they lie in version 1.
 */
#include "engine/embedded/journal.h"

#define MAGIC "cu-head\n"
#define TAG "custody/head/v1\n"
#define DIGESTED 176u

static cu_hash digest_of(const uint8_t *p)
{
    const struct cu_span parts[] = { cu_span_str(TAG), cu_span(p, DIGESTED) };
    return cu_sha256_parts(parts, 2);
}

static void slot_put(const struct cu_head *head, uint8_t p[CU_HEAD_SLOT])
{
    memset(p, 0, CU_HEAD_SLOT);
    memcpy(p, MAGIC, 8); // NOLINT(bugprone-not-null-terminated-result): bytes of a file
    cu_put_be32(p + 8, CU_JOURNAL_VERSION);
    p[12] = (uint8_t)head->current;
    p[13] = head->clean;
    cu_put_be64(p + 16, head->number);
    cu_put_be64(p + 24, head->bytes);
    cu_put_be64(p + 32, head->tip.size.v);
    cu_put_be64(p + 40, head->tip.height);
    cu_put_be64(p + 48, head->tip.closed.v);
    memcpy(p + 56, head->tip.root.b, 32);
    cu_put_be64(p + 88, head->drained.v);
    memcpy(p + 96, head->drained_root.b, 32);
    for (unsigned i = 0; i < 2; i++) {
        cu_put_be64(p + 128 + 24 * i, head->part[i].generation);
        cu_put_be64(p + 136 + 24 * i, head->part[i].from);
        cu_put_be64(p + 144 + 24 * i, head->part[i].end);
    }
    cu_hash digest = digest_of(p);
    memcpy(p + DIGESTED, digest.b, 32);
}

static struct cu_head slot_get(const uint8_t *p)
{
    struct cu_head head = { .current = p[12], .clean = p[13] != 0, .number = cu_be64(p + 16), .bytes = cu_be64(p + 24) };

    head.tip = (struct cu_tip){ .size = { cu_be64(p + 32) }, .height = cu_be64(p + 40), .closed = { cu_be64(p + 48) } };
    memcpy(head.tip.root.b, p + 56, 32);
    head.drained.v = cu_be64(p + 88);
    memcpy(head.drained_root.b, p + 96, 32);
    for (unsigned i = 0; i < 2; i++)
        head.part[i] = (struct cu_part){ cu_be64(p + 128 + 24 * i), cu_be64(p + 136 + 24 * i), cu_be64(p + 144 + 24 * i) };
    return head;
}

static bool part_sane(const struct cu_head *head, unsigned i)
{
    const struct cu_part *p = &head->part[i];

    if (p->generation == 0) return i != head->current && p->from == 0 && p->end == 0;
    return p->from >= CU_JOURNAL_HEADER && p->from <= p->end && p->end <= head->bytes && p->from % 8 == 0 && p->end % 8 == 0;
}

/* The digest is right, so this is what somebody wrote; a head that no engine writes is refused all the same. */
static bool head_sane(const struct cu_head *h, unsigned slot)
{
    return h->number % 2 == slot && h->current < 2 && h->bytes >= CU_JOURNAL_BYTES_MIN && h->bytes <= CU_JOURNAL_BYTES_MAX &&
           h->drained.v <= h->tip.size.v && part_sane(h, 0) && part_sane(h, 1);
}

cu_status cu_head_slot_read(const uint8_t *p, unsigned number, struct cu_head *ret, struct cu_err *err)
{
    uint8_t again[CU_HEAD_SLOT];
    cu_hash digest = digest_of(p);

    ENSURE(memcmp(p, MAGIC, 8) == 0 && memcmp(p + DIGESTED, digest.b, 32) == 0, err, CU_CORRUPT, "slot %u is damaged", number);
    ENSURE(cu_be32(p + 8) <= CU_JOURNAL_VERSION, err, CU_NEWER_FORMAT, "the head was written by a newer version");
    struct cu_head head = slot_get(p);
    slot_put(&head, again); /* one encoding: unused bytes are zero */
    ENSURE(head_sane(&head, number) && memcmp(p, again, CU_HEAD_SLOT) == 0, err, CU_CORRUPT, "slot %u is damaged", number);
    *ret = head;
    return CU_OK;
}

cu_status cu_head_read(struct cu_file *file, const char *path, struct cu_head *ret, bool *ret_whole, struct cu_err *err)
{
    uint8_t p[2 * CU_HEAD_SLOT] = { 0 };
    struct cu_head head[2];
    cu_status status[2];
    size_t got = 0;
    uint64_t size = 0;

    TRY(file->ops->size(file, &size, err));
    TRY(file->ops->read_at(file, 0, p, sizeof p, &got, err));
    for (unsigned i = 0; i < 2; i++) {
        status[i] = cu_head_slot_read(p + i * CU_HEAD_SLOT, i, &head[i], err);
        if (status[i] == CU_NEWER_FORMAT) return cu_fail_while(err, status[i], "%s", path);
    }
    ENSURE(status[0] == CU_OK || status[1] == CU_OK, err, CU_CORRUPT, "%s is damaged: neither of its slots is good", path);
    unsigned newest = status[0] != CU_OK ? 1 : status[1] != CU_OK ? 0 : head[1].number > head[0].number;
    *ret = head[newest];
    *ret_whole = status[0] == CU_OK && status[1] == CU_OK && head[!newest].number + 1 == head[newest].number && size == sizeof p;
    return CU_OK;
}

cu_status cu_head_write(struct cu_file *file, const struct cu_head *head, struct cu_err *err)
{
    uint8_t p[CU_HEAD_SLOT];

    slot_put(head, p);
    TRY(file->ops->write_at(file, head->number % 2 * CU_HEAD_SLOT, CU_SPAN_OF(p), err));
    return file->ops->sync(file, err);
}

void cu_head_both(const struct cu_head *head, uint8_t ret[2 * CU_HEAD_SLOT])
{
    struct cu_head older = *head;

    older.number--;
    slot_put(head, ret + head->number % 2 * CU_HEAD_SLOT);
    slot_put(&older, ret + older.number % 2 * CU_HEAD_SLOT);
}
