#include "service_source.h"

#include "service_world.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST ((size_t)(1u << 20) + (1u << 18))

static const struct item {
    const char *path;
    enum cu_source_kind kind;
    size_t size;
    uint32_t seed;
    const char *target;
} items[] = {
    { "evidence", CU_SOURCE_FOLDER, 0, 0, NULL },
    { SW_SMALL, CU_SOURCE_FILE, 700, 1, NULL },
    { SW_PACKED, CU_SOURCE_FILE, 102400, 2, NULL },
    { SW_LARGE, CU_SOURCE_FILE, MOST, 3, NULL },
    { SW_OTHER, CU_SOURCE_FILE, 900, 4, NULL },
    { SW_NEXT, CU_SOURCE_FILE, 300, 5, NULL },
    { SW_BASE, CU_SOURCE_FILE, 60000, 6, NULL },
    { SW_FOLDER, CU_SOURCE_FOLDER, 0, 0, NULL },
    { SW_FOLDER "/a.txt", CU_SOURCE_FILE, 300, 7, NULL },
    { SW_FOLDER "/b.bin", CU_SOURCE_FILE, 40000, 8, NULL },
    { SW_FOLDER "/link", CU_SOURCE_SYMLINK, 5, 0, "a.txt" },
    { SW_FOLDER "/sub", CU_SOURCE_FOLDER, 0, 0, NULL },
    { SW_FOLDER "/sub/empty", CU_SOURCE_FILE, 0, 9, NULL },
};
#define ITEMS (sizeof items / sizeof *items)

struct reader {
    struct cu_source_file base;
    struct item item;
    size_t at;
};

/* What made/… stands for. */
static const struct {
    char kind;
    const char *rest;
    enum cu_source_kind is;
    size_t min, max;
} makes[] = {
    { 's', "", CU_SOURCE_FILE, 1, 3000 },        { 'm', "", CU_SOURCE_FILE, 3000, 31000 },
    { 'p', "", CU_SOURCE_FILE, 33000, 90000 },   { 'l', "", CU_SOURCE_FILE, MOST - 200000, MOST - 1 },
    { 'f', "", CU_SOURCE_FOLDER, 0, 0 },         { 'f', "/a", CU_SOURCE_FILE, 1, 500 },
    { 'f', "/b", CU_SOURCE_FILE, 33000, 40000 }, { 'f', "/sub", CU_SOURCE_FOLDER, 0, 0 },
    { 'f', "/sub/empty", CU_SOURCE_FILE, 0, 0 },
};
#define MAKES (sizeof makes / sizeof *makes)

static bool make(const char *path, struct item *ret)
{
    char kind;
    unsigned n;
    int at = 0;

    if (sscanf(path, "made/%c%u%n", &kind, &n, &at) != 2) return false;
    for (size_t i = 0; i < MAKES; i++) {
        if (makes[i].kind != kind || strcmp(makes[i].rest, path + at) != 0) continue;
        const size_t more = makes[i].max - makes[i].min;
        *ret = (struct item){ path, makes[i].is, makes[i].min + (more ? n * 7919u % more : 0), n, NULL };
        return true;
    }
    return false;
}

static bool find(const char *path, struct item *ret)
{
    for (size_t i = 0; i < ITEMS; i++)
        if (strcmp(items[i].path, path) == 0) return *ret = items[i], true;
    return make(path, ret);
}

/* One stream of noise; each file begins somewhere else in it. */
static const uint8_t *bytes_of(const struct item *item)
{
    static uint8_t noise[MOST + 4096];
    static bool made;
    uint32_t x = 2463534242u;

    for (size_t i = 0; !made && i < sizeof noise; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        noise[i] = (uint8_t)x;
    }
    made = true;
    return noise + 97 * item->seed % (sizeof noise - item->size);
}

struct cu_span sw_source_bytes(const char *path)
{
    struct item item;

    return find(path, &item) && item.kind == CU_SOURCE_FILE ? cu_span(bytes_of(&item), item.size) : CU_SPAN_EMPTY;
}

static struct cu_source_stat stat_of(const struct item *item)
{
    return (struct cu_source_stat){ .kind = item->kind,
                                    .size = item->size,
                                    .device = 1,
                                    .inode = 100 + 8 * (uint64_t)item->seed + strlen(item->path) % 8,
                                    .links = 1,
                                    .mode = item->kind == CU_SOURCE_FOLDER ? 0755 : 0644,
                                    .mtime_s = 1700000000,
                                    .mtime_ns = 123456789,
                                    .ctime_s = 1700000000 };
}

static struct reader *reader_of(struct cu_source_file *f) { return (struct reader *)(void *)f; }

static cu_status file_read(struct cu_source_file *f, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    struct reader *r = reader_of(f);
    const size_t left = r->item.size - r->at;
    (void)err;

    *ret_n = n < left ? n : left;
    if (*ret_n) memcpy(ret, bytes_of(&r->item) + r->at, *ret_n);
    r->at += *ret_n;
    return CU_OK;
}

static cu_status file_stat(struct cu_source_file *f, struct cu_source_stat *ret, struct cu_err *err)
{
    (void)err;
    *ret = stat_of(&reader_of(f)->item);
    return CU_OK;
}

static void file_close(struct cu_source_file *f) { free(reader_of(f)); }

static cu_status file_seek(struct cu_source_file *f, uint64_t at, struct cu_err *err)
{
    struct reader *r = reader_of(f);

    ENSURE(at <= r->item.size, err, CU_IO, "beyond the end");
    r->at = (size_t)at;
    return CU_OK;
}

static const struct cu_source_file_ops file_ops = { file_read, file_stat, file_close, file_seek };

static cu_status source_open(void *self, const char *path, struct cu_source_file **ret, struct cu_err *err)
{
    struct item item;
    struct reader *r;
    (void)self;

    ENSURE(find(path, &item), err, CU_NOT_FOUND, "%s is not there", path);
    r = calloc(1, sizeof *r);
    ENSURE(r, err, CU_NO_MEMORY, "no memory to open %s", path);
    *r = (struct reader){ { &file_ops }, item, 0 };
    *ret = &r->base;
    return CU_OK;
}

static cu_status source_stat(void *self, const char *path, bool follow, struct cu_source_stat *ret, struct cu_err *err)
{
    struct item item;
    (void)self, (void)follow;

    ENSURE(find(path, &item), err, CU_NOT_FOUND, "%s is not there", path);
    *ret = stat_of(&item);
    return CU_OK;
}

static cu_status source_read_link(void *self, const char *path, struct cu_buf *ret, struct cu_err *err)
{
    (void)self;
    struct item item;

    CU_ASSERT(find(path, &item));
    cu_buf_add_str(ret, item.target);
    return cu_buf_ok(ret, err);
}

static cu_status source_list(void *self, const char *path, cu_status (*each)(void *arg, const char *name, struct cu_err *err),
                             void *arg, struct cu_err *err)
{
    const size_t n = strlen(path);
    (void)self;

    for (size_t i = 0; i < ITEMS; i++) {
        const char *name = items[i].path + n + 1;
        if (strncmp(items[i].path, path, n) != 0 || items[i].path[n] != '/' || strchr(name, '/')) continue;
        TRY(each(arg, name, err));
    }
    const char *in = strstr(path, "/sub") ? "/sub" : "";
    for (size_t i = 0; strncmp(path, "made/f", 6) == 0 && i < MAKES; i++) {
        const char *rest = makes[i].rest;
        if (makes[i].kind != 'f' || strncmp(rest, in, strlen(in)) != 0 || rest[strlen(in)] != '/') continue;
        if (!strchr(rest + strlen(in) + 1, '/')) TRY(each(arg, rest + strlen(in) + 1, err));
    }
    return CU_OK;
}

static const struct cu_source_ops source_ops = { source_open, source_stat, source_read_link, source_list };

struct cu_source sw_source(void) { return (struct cu_source){ NULL, &source_ops }; }
