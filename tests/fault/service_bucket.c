/* Versions in the order in which they were put. */
#include "service_bucket.h"

#include "custody/entry.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

#define BYTES_MAX (8u << 20)

struct sw_version *sw_bucket_put(struct sw_bucket *b, const char *key, struct cu_span bytes, bool marker)
{
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 16;
        b->version = realloc(b->version, b->cap * sizeof *b->version);
        CU_ASSERT(b->version);
    }
    struct sw_version *v = &b->version[b->n++];
    *v = (struct sw_version){ .number = (unsigned)b->n, .marker = marker, .bytes = cu_buf_heap(BYTES_MAX) };
    snprintf(v->key, sizeof v->key, "%s", key);
    cu_buf_add(&v->bytes, bytes);
    CU_ASSERT(cu_buf_ok(&v->bytes, NULL) == CU_OK);
    return v;
}

struct sw_bucket *sw_bucket_new(const struct sw_bucket *copy)
{
    struct sw_bucket *b = calloc(1, sizeof *b);

    CU_ASSERT(b);
    for (size_t i = 0; copy && i < copy->n; i++) {
        const struct sw_version *v = &copy->version[i];
        sw_bucket_put(b, v->key, cu_buf_span(&v->bytes), v->marker)->gone = v->gone;
        b->version[i].until = v->until;
    }
    return b;
}

void sw_bucket_free(struct sw_bucket *b)
{
    if (!b) return;
    for (size_t i = 0; i < b->n; i++) cu_buf_free(&b->version[i].bytes);
    free(b->version);
    free(b);
}

/* ---- the port ---- */

static cu_status step(const struct sw_bucket *b, struct cu_err *err)
{
    return b->steps.ops->make_dir(b->steps.self, "receipts", err);
}

static cu_status look(const struct sw_bucket *b, struct cu_err *err)
{
    struct cu_file_stat st;
    const cu_status seen = b->steps.ops->stat(b->steps.self, "receipts", &st, err);
    return seen == CU_NOT_FOUND ? CU_OK : seen;
}

static struct sw_version *find(const struct sw_bucket *b, const char *key, const char *version)
{
    uint64_t number;

    if (*version != 'v' || cu_decimal_read(cu_span_str(version + 1), b->n, &number, NULL) != CU_OK || number == 0) return NULL;
    struct sw_version *v = &b->version[number - 1];
    return strcmp(v->key, key) == 0 && !v->gone && !v->marker ? v : NULL;
}

static bool taken(const struct sw_bucket *b, const char *key)
{
    for (size_t i = b->n; i > 0; i--)
        if (strcmp(b->version[i - 1].key, key) == 0 && !b->version[i - 1].gone) return !b->version[i - 1].marker;
    return false;
}

static cu_status put(void *self, const char *key, struct cu_file *from, uint64_t size, bool first,
                     char ret_version[CU_BUCKET_VERSION_MAX], struct cu_err *err)
{
    struct sw_bucket *b = self;
    CU_BUF bytes = cu_buf_heap(BYTES_MAX);
    size_t got = 0;

    TRY(step(b, err));
    ENSURE(!first || !taken(b, key), err, CU_DUPLICATE, "%s is there already", key);
    TRY(from->ops->read_at(from, 0, cu_buf_grow(&bytes, (size_t)size), (size_t)size, &got, err));
    ENSURE(got == size, err, CU_CHANGED, "%s shrank", key);
    const unsigned number = sw_bucket_put(b, key, cu_buf_span(&bytes), false)->number;
    TRY(step(b, err));
    snprintf(ret_version, CU_BUCKET_VERSION_MAX, "v%u", number);
    return CU_OK;
}

static cu_status get(void *self, const char *key, const char *version, uint64_t at, void *ret, size_t n, struct cu_err *err)
{
    struct sw_bucket *b = self;
    const struct sw_version *v = find(b, key, version);

    TRY(look(b, err));
    ENSURE(v, err, CU_NOT_FOUND, "%s is not there", key);
    ENSURE(at <= v->bytes.n && n <= v->bytes.n - at, err, CU_IO, "%s has no such bytes", key);
    if (n) memcpy(ret, v->bytes.p + at, n);
    return CU_OK;
}

static cu_status size_of(void *self, const char *key, const char *version, uint64_t *ret, struct cu_err *err)
{
    struct sw_bucket *b = self;
    const struct sw_version *v = find(b, key, version);

    TRY(look(b, err));
    ENSURE(v, err, CU_NOT_FOUND, "%s is not there", key);
    *ret = v->bytes.n;
    return CU_OK;
}

static cu_status lock(void *self, const char *key, const char *version, uint64_t until, struct cu_bucket_lock *ret,
                      struct cu_err *err)
{
    struct sw_bucket *b = self;
    struct sw_version *v = find(b, key, version);

    TRY(look(b, err));
    ENSURE(v, err, CU_NOT_FOUND, "%s is not there", key);
    if (until > v->until) {
        TRY(step(b, err));
        v->until = until;
    }
    *ret = (struct cu_bucket_lock){ v->until ? CU_HELD_COMPLIANCE : CU_HELD_FREE, v->until };
    return CU_OK;
}

/* The next key after `after` that is there, or its folder. False: there is none. */
static bool next_name(const struct sw_bucket *b, const char *prefix, bool deep, const char *after, char ret[CU_BUCKET_KEY_MAX])
{
    const size_t n = strlen(prefix);
    char name[CU_BUCKET_KEY_MAX];

    ret[0] = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (b->version[i].gone || strncmp(b->version[i].key, prefix, n) != 0) continue;
        snprintf(name, sizeof name, "%s", b->version[i].key);
        char *slash = deep ? NULL : strchr(name + n, '/');
        if (slash) slash[1] = 0;
        if (strcmp(name, after) > 0 && (!ret[0] || strcmp(name, ret) < 0)) memcpy(ret, name, sizeof name);
    }
    return ret[0];
}

static cu_status list(void *self, const char *prefix, bool deep,
                      cu_status (*each)(void *arg, const struct cu_bucket_version *v, struct cu_err *err), void *arg,
                      struct cu_err *err)
{
    struct sw_bucket *b = self;
    char name[CU_BUCKET_KEY_MAX], after[CU_BUCKET_KEY_MAX] = "", version[16];

    TRY(look(b, err));
    while (next_name(b, prefix, deep, after, name)) {
        const bool folder = !deep && name[strlen(name) - 1] == '/';
        struct cu_bucket_version told = { .key = name };
        if (folder) TRY(each(arg, &told, err));
        for (size_t i = b->n; i > 0 && !folder; i--) {
            const struct sw_version *v = &b->version[i - 1];
            if (v->gone || strcmp(v->key, name) != 0) continue;
            snprintf(version, sizeof version, "v%u", v->number);
            told = (struct cu_bucket_version){ name, version, v->bytes.n, v->marker };
            TRY(each(arg, &told, err));
        }
        memcpy(after, name, sizeof after);
    }
    return CU_OK;
}

static cu_status facts(void *self, struct cu_bucket_facts *ret, struct cu_err *err)
{
    (void)self, (void)err;
    *ret = (struct cu_bucket_facts){ .versions = true };
    return CU_OK;
}

static void stay_open(void *self) { (void)self; }

struct cu_bucket sw_bucket_of(struct sw_bucket *b)
{
    static const struct cu_bucket_ops ops = { put, get, size_of, lock, list, facts, stay_open };
    return (struct cu_bucket){ b, &ops };
}
