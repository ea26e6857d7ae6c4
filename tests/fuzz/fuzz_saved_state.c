/* The saved state. First byte 0: head, snapshot and delta as they come, each behind its length (u16, big-endian). Otherwise: a good
 * snapshot with bytes replaced, five bytes of input each (page u16, offset u16, value), and its pages sealed anew, as one would who
 * wants it believed. Whatever lies there, it is opened, walked and searched, or called damaged. */
#include "adapters/memory/memory.h"
#include "ledger/saved.h"
#include "ledger/snapshot.h"

#include <stdlib.h>

#define ROWS 400u

static void put_file(const struct cu_fs *fs, const char *path, struct cu_span bytes)
{
    CU_ASSERT(cu_fs_replace(fs, path, "s/incoming/new", bytes, true, NULL) == CU_OK);
}

static struct cu_span take(struct cu_span *rest)
{
    if (rest->n < 2) return CU_SPAN_EMPTY;
    size_t n = cu_be16(rest->p) < rest->n - 2 ? cu_be16(rest->p) : rest->n - 2;
    struct cu_span taken = cu_span(rest->p + 2, n);
    *rest = cu_span(rest->p + 2 + n, rest->n - 2 - n);
    return taken;
}

static cu_status count(void *arg, struct cu_span key, struct cu_span value, struct cu_err *err)
{
    (void)err;
    CU_ASSERT(key.n > 0 && key.n <= CU_ROW_KEY_MAX && value.n <= CU_ROW_VALUE_MAX);
    ++*(uint64_t *)arg;
    return CU_OK;
}

static void as_they_come(const struct cu_fs *fs, struct cu_span in)
{
    struct cu_saved *saved = NULL;
    struct cu_state state;
    struct cu_mark mark = { 0 };
    uint64_t n = 0;

    put_file(fs, "s/head", take(&in));
    put_file(fs, "s/snapshot", take(&in));
    put_file(fs, "s/delta", in);
    cu_state_init(&state);
    cu_status status = cu_saved_open(fs, "s", false, &saved, &state, &mark, NULL);
    if (status == CU_OK) status = cu_state_walk(&state, count, &n, NULL);
    CU_ASSERT(status == CU_OK || status == CU_CORRUPT || status == CU_NEWER_FORMAT);
    cu_saved_close(saved, &state);
    cu_state_free(&state);
}

/* ---- a snapshot that its writer spoiled ---------------------------------------------------------------------------- */

struct pages {
    size_t n;
    uint8_t bytes[64][CU_PAGE_BYTES];
};

static cu_status put_page(void *self, uint64_t page, const uint8_t bytes[CU_PAGE_BYTES], struct cu_err *err)
{
    struct pages *to = self;

    (void)err;
    CU_ASSERT(page < 64);
    memcpy(to->bytes[page], bytes, CU_PAGE_BYTES);
    if (page >= to->n) to->n = (size_t)page + 1;
    return CU_OK;
}

static void write_pages(const struct cu_mark *mark, struct pages *ret)
{
    static struct cu_page_writer w;
    uint8_t key[10] = { 1 }, value[100] = { 7 };

    ret->n = 0;
    cu_pages_start(&w, (struct cu_page_sink){ ret, put_page }, mark);
    for (uint64_t i = 0; i < ROWS; i++) {
        cu_put_be64(key + 2, i);
        CU_ASSERT(cu_pages_add(&w, CU_SPAN_OF(key), cu_span(value, 20 + i % 80), NULL) == CU_OK);
    }
    CU_ASSERT(cu_pages_finish(&w, NULL) == CU_OK);
}

static void spoil(struct pages *p, const struct cu_mark *mark, struct cu_span in)
{
    const cu_hash salt = cu_page_salt(mark), none = { { 0 } };

    for (; in.n >= 5; in = cu_span(in.p + 5, in.n - 5))
        p->bytes[cu_be16(in.p) % p->n][cu_be16(in.p + 2) % CU_PAGE_BYTES] = in.p[4];
    for (size_t i = 0; i < p->n; i++) cu_page_seal(p->bytes[i], i, i == 0 ? &none : &salt);
}

static void spoiled(const struct cu_fs *fs, struct cu_span in)
{
    static struct pages pages;
    struct cu_snapshot *snapshot = NULL;
    struct cu_mark mark = { .height = 3, .closed = 4 }, found;
    uint8_t key[10] = { 1 };
    struct cu_span value;
    uint64_t n = 0;

    write_pages(&mark, &pages);
    spoil(&pages, &mark, in);
    put_file(fs, "s/snapshot", cu_span(pages.bytes, pages.n * CU_PAGE_BYTES));
    if (cu_snapshot_open(fs, "s/snapshot", &snapshot, &found, NULL) != CU_OK) return;
    bool whole = cu_snapshot_walk(snapshot, count, &n, NULL) == CU_OK;
    bool right = cu_snapshot_check(snapshot, NULL) == CU_OK;
    CU_ASSERT(!right || whole);
    for (uint64_t i = 0; i < ROWS; i += 37) {
        cu_put_be64(key + 2, i);
        cu_status status = cu_snapshot_find(snapshot, CU_SPAN_OF(key), &value, NULL);
        CU_ASSERT(!right || status == CU_OK);
    }
    CU_ASSERT(in.n >= 5 || (right && n == ROWS));
    cu_snapshot_close(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_fs fs;

    if (size == 0) return 0;
    CU_ASSERT(cu_memory_fs(&fs, NULL) == CU_OK && fs.ops->make_dir(fs.self, "s/incoming", NULL) == CU_OK);
    if (data[0] == 0) as_they_come(&fs, cu_span(data + 1, size - 1));
    else spoiled(&fs, cu_span(data + 1, size - 1));
    fs.ops->close(fs.self);
    return 0;
}
