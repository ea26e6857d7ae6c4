/* One file, read once. What is read first decides where it goes: with the record, into a pack, or by itself. */
#include "content/intake.h"

#include "content/media.h"
#include "content/put.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- shared with folders ---- */

cu_status cu_intake_tick(struct cu_intake *in, uint64_t n, struct cu_err *err)
{
    const struct cu_progress *p = in->progress;

    in->bytes += n;
    if (!p) return CU_OK;
    if (p->at) p->at(p->arg, "read", in->bytes, in->bytes_total, in->files, 0);
    ENSURE(!p->stop || !p->stop(p->arg), err, CU_INTERRUPTED, "interrupted while reading; nothing was deposited");
    return CU_OK;
}

cu_status cu_intake_fill(struct cu_intake *in, struct cu_source_file *f, uint8_t *ret, size_t n, size_t *ret_n,
                         struct cu_err *err)
{
    size_t got = 1, at = 0;

    while (at < n && got > 0) {
        TRY(f->ops->read(f, ret + at, n - at, &got, err));
        at += got;
        TRY(cu_intake_tick(in, got, err));
    }
    *ret_n = at;
    return in->to_n ? CU_OK : cu_intake_kept(in, cu_span(ret, at), err);
}

cu_status cu_intake_stream(struct cu_intake *in, struct cu_span head, struct cu_source_file *f, uint64_t *ret_size,
                           struct cu_err *err)
{
    uint64_t size = head.n;
    size_t got = 0, n = 0;

    TRY(cu_put_large_begin(in->put, err));
    if (!in->roots_only) cu_put_large_digests(in->put, in->algs);
    TRY(cu_put_large_add(in->put, head, err));
    while (got == n) {
        uint8_t *room;
        TRY(cu_put_large_room(in->put, &room, &n, err));
        TRY(cu_intake_fill(in, f, room, n, &got, err));
        cu_put_large_filled(in->put, got);
        size += got;
    }
    TRY(cu_put_large_ended(in->put, err));
    *ret_size = size;
    return CU_OK;
}

cu_status cu_intake_sum(struct cu_intake *in, struct cu_span bytes, struct cu_sums *ret, struct cu_err *err)
{
    struct cu_sums out = { .size = bytes.n, .root = cu_content_root_of(bytes) };

    TRY(cu_digest_set_of(in->algs, bytes, out.digest, &out.digests_n, err));
    *ret = out;
    return CU_OK;
}

cu_status cu_intake_unchanged(struct cu_intake *in, struct cu_source_file *f, const char *path, bool follow,
                              const struct cu_source_stat *before, uint64_t size, struct cu_err *err)
{
    struct cu_source_stat after, there;

    TRY(f->ops->stat(f, &after, err));
    cu_status status = in->source->ops->stat(in->source->self, path, follow, &there, err);
    ENSURE(status != CU_NOT_FOUND, err, CU_CHANGED, "%s vanished while it was read", path);
    if (status != CU_OK) return status;
    ENSURE(cu_source_same(before, &after) && cu_source_same(before, &there) && size == before->size, err, CU_CHANGED,
           "%s changed while it was read: nothing was deposited; make sure that nothing writes to it", path);
    return CU_OK;
}

/* ---- one item ---- */

static cu_status refuse_device(const char *path, enum cu_source_kind kind, struct cu_err *err)
{
    ENSURE(kind != CU_SOURCE_BLOCK_DEVICE, err, CU_NOT_ALLOWED,
           "%s is a block device: image it first, behind a write blocker, with ewfacquire or dc3dd, and deposit the image with "
           "its log",
           path);
    return cu_fail(err, CU_NOT_ALLOWED,
                   "%s is neither a file nor a folder (a device, a pipe or a socket): there is nothing to deposit", path);
}

/* Small enough to be in memory: with the record, or into a pack. */
cu_status cu_intake_keep_small(struct cu_intake *in, struct cu_span bytes, struct cu_ingested *ret, struct cu_err *err)
{
    ret->is_inline = bytes.n <= CU_CONTENT_INLINE_MAX;
    if (!ret->is_inline) return cu_put_small(in->put, CU_OBJECT_CONTENT, &ret->root, bytes, err);
    cu_buf_add(&ret->content, bytes);
    return cu_buf_ok(&ret->content, err);
}

static void take_sums(const struct cu_sums *sums, struct cu_ingested *ret)
{
    ret->size = sums->size;
    ret->root = sums->root;
    ret->digests_n = sums->digests_n;
    memcpy(ret->digest, sums->digest, sizeof ret->digest);
}

static cu_status read_item(struct cu_intake *in, struct cu_source_file *f, uint8_t *head, struct cu_ingested *ret,
                           struct cu_err *err)
{
    struct cu_sums sums;
    uint64_t size;
    size_t n;

    TRY(cu_intake_fill(in, f, head, CU_CHUNK_BYTES, &n, err));
    snprintf(ret->media, sizeof ret->media, "%s", cu_media_type(cu_span(head, n)));
    if (in->to_n) return cu_intake_seal_rest(in, f, head, n, ret, err);
    if (n == CU_CHUNK_BYTES) {
        TRY(cu_intake_stream(in, cu_span(head, n), f, &size, err));
        TRY(cu_put_large_take(in->put, &sums, err));
        take_sums(&sums, ret);
        return CU_OK;
    }
    TRY(cu_intake_sum(in, cu_span(head, n), &sums, err));
    take_sums(&sums, ret);
    return cu_intake_keep_small(in, cu_span(head, n), ret, err);
}

static void free_bytes(uint8_t **p) { free(*p); }

static cu_status ingest_item(struct cu_intake *in, const char *path, struct cu_ingested *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_source_close) struct cu_source_file *f = NULL;
    CU_CLEANUP(free_bytes) uint8_t *head = malloc(CU_CHUNK_BYTES);

    ENSURE(head, err, CU_NO_MEMORY, "no memory to read %s", path);
    TRY(in->source->ops->open(in->source->self, path, &f, err));
    TRY(f->ops->stat(f, &ret->stat, err));
    if (ret->stat.kind != CU_SOURCE_FILE && ret->stat.kind != CU_SOURCE_STREAM) return refuse_device(path, ret->stat.kind, err);
    in->bytes_total = ret->stat.size;
    TRY(read_item(in, f, head, ret, err));
    if (ret->stat.kind == CU_SOURCE_FILE) TRY(cu_intake_unchanged(in, f, path, true, &ret->stat, in->bytes, err));
    in->files = 1;
    ret->type = CU_CONTENT_ITEM;
    return CU_OK;
}

/* ---- the named path ---- */

static cu_status ingest_kind(struct cu_intake *in, const struct cu_ingest *config, const char *path, struct cu_ingested *ret,
                             struct cu_err *err)
{
    struct cu_source_stat st;

    TRY(in->source->ops->stat(in->source->self, path, true, &st, err));
    switch (st.kind) {
    case CU_SOURCE_FILE:
    case CU_SOURCE_STREAM: return ingest_item(in, path, ret, err);
    case CU_SOURCE_FOLDER:
        ret->stat = st;
        return in->to_n ? cu_intake_seal_folder(in, config, path, ret, err) : cu_intake_folder(in, config, path, ret, err);
    case CU_SOURCE_BLOCK_DEVICE:
    case CU_SOURCE_SYMLINK:
    case CU_SOURCE_OTHER: break;
    }
    return refuse_device(path, st.kind, err);
}

cu_status cu_ingest_path(const struct cu_ingest *config, const char *path, struct cu_ingested *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_put_cleanup) struct cu_put *nowhere = NULL;
    CU_CLEANUP(cu_ingested_free) struct cu_ingested out = { .content = cu_buf_heap(SIZE_MAX / 2) };
    struct cu_intake in = { .source = config->source,
                            .put = config->put,
                            .algs = config->digests,
                            .progress = &config->progress,
                            .to = config->to,
                            .to_n = config->to_n,
                            .second = config->second,
                            .second_n = config->second_n,
                            .kept = config->kept,
                            .kept_arg = config->kept_arg };

    if (!in.put) TRY(cu_put_begin(NULL, 0, &nowhere, err));
    if (!in.put) in.put = nowhere;
    if (config->chunks) cu_put_chunks(in.put, config->chunks);
    TRY(ingest_kind(&in, config, path, &out, err));
    out.files = in.files;
    out.bytes = in.bytes;
    *ret = out;
    out.content = (struct cu_buf){ 0 };
    return CU_OK;
}

void cu_ingested_free(struct cu_ingested *ingested)
{
    if (ingested) cu_buf_free(&ingested->content);
}

cu_status cu_read_evidence(const struct cu_source *source, const char *path, const struct cu_progress *progress,
                           uint64_t *ret_size, cu_hash *ret_root, cu_hash *ret_sha256, struct cu_err *err)
{
    CU_CLEANUP(cu_put_cleanup) struct cu_put *nowhere = NULL;
    CU_CLEANUP(cu_ingested_free) struct cu_ingested out = { .content = cu_buf_heap(CU_CONTENT_INLINE_MAX) };
    struct cu_intake in = { .source = source, .progress = progress };

    TRY(cu_put_begin(NULL, 0, &nowhere, err));
    in.put = nowhere;
    TRY(ingest_item(&in, path, &out, err));
    *ret_size = out.size;
    *ret_root = out.root;
    memcpy(ret_sha256->b, out.digest[0].bytes, sizeof ret_sha256->b);
    return CU_OK;
}
