/* Two stores on a file system in memory, and bytes to put there. */
#ifndef TESTS_CONTENT_STORES_H
#define TESTS_CONTENT_STORES_H

#include "adapters/memory/memory.h"
#include "content/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cu_err error;
#define OK(call) do { cu_status ok_ = (call); if (ok_ != CU_OK) fail_msg("%s: %s: %s", #call, cu_status_name(ok_), error.text); } while (0)
#define IS(status, call) do { cu_status is_ = (call); if (is_ != (status)) fail_msg("%s: %s: %s", #call, cu_status_name(is_), error.text); } while (0)

struct stores { struct cu_fs fs, *opened; struct cu_objects *at[2]; }; /* `opened` stays where it is, though the struct is copied */

static inline void open_stores(struct stores *s, const struct cu_index *index)
{
    s->opened = malloc(sizeof *s->opened);
    *s->opened = s->fs;
    OK(cu_objects_open(s->opened, "cloud/objects", index, 0, &s->at[0], &error));
    OK(cu_objects_open(s->opened, "node/objects", index, 1, &s->at[1], &error));
}

static inline void close_stores(struct stores *s)
{
    cu_objects_close(s->at[0]);
    cu_objects_close(s->at[1]);
    free(s->opened);
}

static inline struct stores new_stores(void)
{
    struct stores s;

    OK(cu_memory_fs(&s.fs, &error));
    open_stores(&s, NULL);
    return s;
}

static inline void end_stores(struct stores *s)
{
    close_stores(s);
    s->fs.ops->close(s->fs.self);
}

/* Bytes that depend on `seed` alone. */
static inline void fill_bytes(uint8_t *p, size_t n, uint64_t seed)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

    for (size_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        p[i] = (uint8_t)x;
    }
}

static inline struct cu_buf some_bytes(size_t n, uint64_t seed)
{
    struct cu_buf buf = cu_buf_heap(n + 1);

    fill_bytes(cu_buf_grow(&buf, n), n, seed);
    return buf;
}

static inline cu_hash put_content(struct cu_put *p, struct cu_span bytes)
{
    cu_hash root = cu_content_root_of(bytes), got;
    uint64_t size;

    if (bytes.n < CU_CHUNK_BYTES) {
        OK(cu_put_small(p, CU_OBJECT_CONTENT, &root, bytes, &error));
        return root;
    }
    OK(cu_put_large_begin(p, &error));
    OK(cu_put_large_add(p, bytes, &error));
    OK(cu_put_large_end(p, &got, &size, &error));
    assert_true(cu_hash_eq(&got, &root) && size == bytes.n);
    return root;
}

/* One batch with one object. */
static inline cu_hash deposit(struct stores *s, struct cu_span bytes)
{
    struct cu_put *p;

    OK(cu_put_begin(s->at, 2, &p, &error));
    cu_hash root = put_content(p, bytes);
    OK(cu_put_commit(p, &error));
    OK(cu_put_verify(p, 0, &error));
    OK(cu_put_verify(p, 1, &error));
    cu_put_free(p);
    return root;
}

static inline bool holds(struct cu_objects *s, enum cu_object_kind kind, const cu_hash *name, struct cu_span bytes)
{
    CU_BUF got = cu_buf_heap(bytes.n + 1);
    struct cu_object o;

    if (cu_objects_find(s, kind, name, &o, &error) != CU_OK || o.size != bytes.n) return false;
    return cu_object_read(&o, bytes.n, &got, &error) == CU_OK && cu_span_eq(cu_buf_span(&got), bytes);
}

/* ---- the files of a file system, for those who damage them ---- */

struct paths { char path[64][200]; size_t n; const struct cu_fs *fs; char dir[200]; const char *skip; };

static inline cu_status add_path(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct paths *p = arg;
    char dir[200];

    if (p->skip && strcmp(name, p->skip) == 0) return CU_OK;
    if (kind != CU_FILE_FOLDER) {
        assert_true(p->n < 64);
        snprintf(p->path[p->n++], sizeof p->path[0], "%s/%s", p->dir, name);
        return CU_OK;
    }
    memcpy(dir, p->dir, sizeof dir);
    snprintf(p->dir, sizeof p->dir, "%s/%s", dir, name);
    cu_status status = p->fs->ops->list(p->fs->self, p->dir, add_path, p, err);
    memcpy(p->dir, dir, sizeof dir);
    return status;
}

static inline struct paths paths_in(const struct cu_fs *fs, const char *dir, const char *skip)
{
    struct paths p = { .fs = fs, .skip = skip };

    snprintf(p.dir, sizeof p.dir, "%s", dir);
    if (cu_fs_exists(fs, dir)) OK(fs->ops->list(fs->self, dir, add_path, &p, &error));
    return p;
}

static inline void flip_bit(const struct cu_fs *fs, const char *path, uint64_t bit)
{
    struct cu_file *f = NULL;
    uint8_t byte;
    size_t got;

    OK(fs->ops->open(fs->self, path, CU_OPEN_WRITE, &f, &error));
    OK(f->ops->read_at(f, bit / 8, &byte, 1, &got, &error));
    assert_int_equal(got, 1);
    byte ^= (uint8_t)(1u << bit % 8);
    OK(f->ops->write_at(f, bit / 8, cu_span(&byte, 1), &error));
    cu_file_close(&f);
}

static inline uint64_t file_size(const struct cu_fs *fs, const char *path)
{
    struct cu_file_stat st;

    OK(fs->ops->stat(fs->self, path, &st, &error));
    return st.size;
}

static inline void cut_file_at(const struct cu_fs *fs, const char *path, uint64_t size)
{
    struct cu_file *f = NULL;

    OK(fs->ops->open(fs->self, path, CU_OPEN_WRITE, &f, &error));
    OK(f->ops->truncate(f, size, &error));
    cu_file_close(&f);
}

#endif
